"""The questions about a contract that mixes designs: one metric is counted, another is compared."""

from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from simengine.config.reach import reach_of
from simengine.pipeline import draw_numbers, simulate
from simengine.questions.certificate.answer import certify
from simengine.questions.information.pilot import _with_pilot
from simengine.questions.methods.answer import ON_TRUTH, PRESCRIBED, compare_methods
from simengine.questions.methods.tables import methods_tables
from simengine.questions.stress.named import stresses_of
from simengine.questions.trace.answer import trace
from simengine.questions.window.answer import compare_windows
from simengine.replications.blocks import run_study
from simengine.replications.ensemble import Ensemble, against_twins
from simengine.risk import statistics
from tests.analysis.made import CHOSEN, study_of

BOTH = (
    CHOSEN.replace("  sick_pay:", "  well: {kind: target, outcome: spells, at_most: 2}\n  sick_pay:")
    .replace("  control: {ratio: 1}", "  control: {ratio: 1}\n  rate_card: {deadweight: 0}")
    .replace(
        "better: lower}",
        "better: lower, design: randomised}\n    free: {outcome: well, window_months: 12, estimate: total_difference, "
        "better: higher, design: rate_card}",
    )
    .replace("unit: share}}", "unit: share}, free: {meaning: people with two spells or fewer, unit: persons}}")
    .replace("  terms:", "  terms:\n    by_person: {price: 1_000, per: free}")
    .replace("bonus: 20}", "bonus: 20, by_person: 20}")
)
WAVES = "population.waves={one: {size: 30, enrolment_months: 6}, two: {size: 20, from_month: 6, enrolment_months: 1}}"
DESIGNS = {"reduction": "randomised", "free": "rate_card"}


@pytest.fixture
def both(tmp_path):
    return study_of(BOTH, tmp_path)


def by_one(study, design, **changes):
    return study.model_copy(update={"measurement": study.measurement.all_by(design, **changes)})


def test_methods__puts_the_contract_s_own_designs_beside_each_alone(both):
    found, results = compare_methods(both, Ensemble(3, 60)), run_study(both, 3, 60)

    assert found.prescribed == PRESCRIBED
    assert {name: one.prescribed for name, one in found.metrics.items()} == DESIGNS
    assert found.paid[PRESCRIBED].payment == statistics.mean(results["contingent_payment"])
    for metric, design in DESIGNS.items():
        designs = found.metrics[metric].designs
        assert designs[design] == designs[PRESCRIBED]
        assert designs[design].estimate == statistics.mean(results[f"metric.{metric}.estimate"])
    # Fewer spells are nothing that a rate card counts: that metric is measured as prescribed, which is all that there is.
    assert found.paid["rate_card"].borrowed == ("reduction",)
    assert found.paid["rate_card"].payment == found.paid[PRESCRIBED].payment
    assert found.paid["randomised"] != found.paid[PRESCRIBED]


def test_methods__knows_one_design_that_every_metric_names(both):
    names = [f"measurement.metrics.{name}.design=matched" for name in DESIGNS]
    named = both.with_([*names, "measurement.design=randomised"])
    found, expected = (compare_methods(study, Ensemble(3, 20)) for study in (named, by_one(named, "matched")))

    assert found.prescribed == "matched"
    assert found == expected


def test_methods__says_which_metric_has_which_design(both):
    found = compare_methods(both, Ensemble(3, 20))
    console = Console(width=200, record=True, file=StringIO())
    console.print(methods_tables(both, found))

    assert "The contract goes by the design randomised for reduction, rate card for free." in console.export_text()


def test_truth__is_the_same_whatever_the_designs(both):
    # Invariant: who sees everybody twice needs no design: by wave too, and for what is paid.
    found = [compare_methods(study, Ensemble(3, 20)).paid[ON_TRUTH] for study in (both, by_one(both, "randomised"))]
    assert found[0] == found[1]

    waves = both.with_([WAVES])
    of = [simulate(study, 3, np.arange(20)) for study in (waves, by_one(waves, "randomised"))]
    honest = [against_twins(one.study, one.draws, one.tallies, one.measurements) for one in of]
    np.testing.assert_array_equal(honest[0].by_wave, honest[1].by_wave)
    np.testing.assert_allclose(honest[0].by_wave[:, :, 1].sum(axis=1), of[0].measurements.truth[:, 1], atol=1e-9)


def test_certificate__judges_each_metric_by_its_own_design(both):
    found, by_lot = (certify(study, Ensemble(3, 60)) for study in (both, by_one(both, "randomised")))

    assert found.bias_no_effect["reduction"].estimate == by_lot.bias_no_effect["reduction"].estimate
    assert abs(by_lot.bias_no_effect["free"].estimate.value) < 4.5 * by_lot.bias_no_effect["free"].estimate.se
    # Of those chosen for four spells many have two or fewer by themselves: a count pays for them.
    assert found.bias_no_effect["free"].estimate.value > 10
    assert found.expected_payment_on_truth == by_lot.expected_payment_on_truth


def test_trace__names_the_design_of_each_metric(both):
    assert {row["metric"]: row["design"] for row in trace(both, 3, 5).metrics} == DESIGNS
    waves = both.with_([WAVES, "measurement.by_wave={two: matched}", "measurement.metrics.reduction.design=null"])
    assert [row["design"] for row in trace(waves, 3, 5).metrics] == ["before_after, matched", "rate_card"]


def test_drift__moves_what_the_design_of_a_metric_compares_with(both):
    # A count is compared with nobody: no drift reaches it, and its sign is nobody's business.
    found = stresses_of(both.with_(["measurement.metrics.reduction.design=matched"]))["counterfactual_drift_against"]
    assert {path for stress in found.values() for path in stress.change} == {"measurement.matched.hidden_bias"}

    apart = both.with_(["measurement.metrics.reduction.design=matched", "measurement.metrics.free.design=historical"])
    found = stresses_of(apart)["counterfactual_drift_against"]["adverse"]
    assert set(found.change) == {"measurement.matched.hidden_bias", "measurement.metrics.free.drift_per_year"}

    shared = both.with_(["measurement.metrics.reduction.design=matched", "measurement.metrics.free.design=matched"])
    assert "point both ways" in stresses_of(shared)["counterfactual_drift_against"]
    assert "the designs randomised, rate card compare people" in stresses_of(both)["counterfactual_drift_against"]


def test_window__keeps_the_designs(both):
    found = compare_windows(both, (6, 12), Ensemble(3, 20), "reduction")
    results = run_study(both, 3, 20)
    at_own = found.windows[1]
    for name in DESIGNS:
        assert at_own.estimate[name] == statistics.mean(results[f"metric.{name}.estimate"])


def test_pilot__randomises_every_metric(both):
    piloted = _with_pilot(both, "pilot", 40)
    assert {piloted.measurement.designs_of(name) for name in DESIGNS} == {("randomised",)}
    assert piloted.measurement.rate_card is None


def test_reach__of_a_metric_is_that_of_its_design(both):
    assert reach_of(both, "free") == (0.0, 60.0)
    assert reach_of(both.with_(["measurement.metrics.free.design=randomised"]), "free") == (-60.0, 60.0)


def test_draws__have_the_addresses_that_they_had(both):
    one, other = (draw_numbers(study, 3, np.arange(5)) for study in (both, by_one(both, "randomised")))
    assert one.values.keys() == other.values.keys()
    for path, values in one.values.items():
        np.testing.assert_array_equal(values, other[path])


def test_design__may_be_set_and_taken_away(both):
    plain = both.with_({f"measurement.metrics.{name}.design": None for name in DESIGNS} | {"measurement.design": "matched"})
    assert plain.measurement.designs_of("free") == ("matched",)
    again = plain.with_({f"measurement.metrics.{name}.design": design for name, design in DESIGNS.items()})
    assert again.with_({"measurement.design": None}).measurement.metrics == both.measurement.metrics
