"""Evidence is that of one left half of a study: what moves only the right half is settled on it, everything else is refused."""

from __future__ import annotations

import numpy as np
import pytest

from simengine.config import find_study, load_study
from simengine.config.wall import difference_left
from simengine.errors import UsageError
from simengine.pipeline import DrawOverrides, Evidence, deviations_of, evaluate, measured_again, run_block, simulate
from simengine.questions.incentives.answer import find_incentives
from simengine.records import ReplicationResults
from simengine.replications.blocks import run_study
from simengine.replications.ensemble import Ensemble
from simengine.replications.precision import control_variates
from simengine.replications.stored import store_evidence
from simengine.sampling import Sampling
from simengine.sections import CALENDAR, LEFT, TERMS

TEN = np.arange(10)
COST = "capital.costs={work: {amount: 100_000, payee: service_provider}}"
UNCERTAIN = "capital.costs={work: {amount: {distribution: uniform, low: 50_000, high: 150_000}, payee: service_provider}}"
DRAWN = ("capital.draws=as_needed", "capital.drawdown_months=null")


def tiny(*overrides: str):
    return load_study(find_study("tiny"), overrides)


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return simulate(tiny(), 5, TEN)


@pytest.mark.parametrize(
    ("override", "path"),
    [
        ("effect.sooner_home.hazard_ratio=1", "effect.sooner_home.hazard_ratio"),
        ("measurement.metrics.saving.window_months=6", "measurement.metrics.saving.window_months"),
        ("outcomes.placement_cost_sek.per_day.placed=900", "outcomes.placement_cost_sek.per_day.placed"),
        ("population.waves.all.size=30", "population.waves.all.size"),
        ("study.horizon_months=30", "study.horizon_months"),
        ("study.start=2031-01", "study.start"),
        (
            "correlations={a: {between: [effect.sooner_home.hazard_ratio, pathway.moves.home -> placed.per_month], value: 0.5}}",
            "correlations",
        ),
        ("measurement.metrics.school.attrition={share: 0.2}", "measurement.metrics.school.attrition"),
        ("public_value={}", "public_value"),
    ],
)
def test_evaluate__refuses_the_evidence_of_another_left_half(evidence: Evidence, override: str, path: str) -> None:
    other = tiny(override)
    for ask in (
        lambda: evaluate(other, evidence),
        lambda: measured_again(other, evidence, 3),
        lambda: deviations_of(other, evidence),
        lambda: evaluate(tiny(), simulate(other, 5, TEN)),
    ):
        with pytest.raises(UsageError, match="must come from the people and the measurement") as refused:
            ask()
        assert f"found `{path}" in str(refused.value)


def test_evaluate__refuses_people_in_another_order(evidence: Evidence) -> None:
    # Arrays follow the order of names: in another one a wave's people would stand under another wave's name.
    study = tiny()
    turned = dict(reversed(study.outcomes.items()))
    with pytest.raises(UsageError, match="found `outcomes` 'placement_cost_sek, "):
        evaluate(study.model_copy(update={"outcomes": turned}), evidence)


@pytest.mark.parametrize(
    ("made", "asked"),
    [
        ((), ("contract.terms.guarantee.share=0.6",)),
        ((), ("contract.commitment=3_000_000",)),
        ((), ("capital.payment_month.saving_share=22", "capital.payment_month.guarantee=15")),
        ((), ("capital.drawdown_months=12",)),
        ((), ("parties.investor.discount_rate_per_year=0.07",)),
        ((), ("prices={growth_per_year: 0.03}",)),
        ((COST, *DRAWN), ("capital.costs={work: {amount: 300_000, payee: service_provider}}", *DRAWN)),
        ((COST, *DRAWN), ("capital.costs={other: {per_month: 9_000, payee: service_provider}}", *DRAWN)),
        ((UNCERTAIN, *DRAWN), (COST, *DRAWN)),
        (("capital.drawn_share=0.5",), ()),
        ((), ("capital.drawn_share=0.5",)),
    ],
)
def test_evaluate__settles_another_right_half_as_a_run_of_it_would(made: tuple[str, ...], asked: tuple[str, ...]) -> None:
    # Right value: a run of the other study with the same seed, which has the same people.
    other = tiny(*asked)
    got, expected = evaluate(other, simulate(tiny(*made), 5, TEN)), run_block(other, 5, TEN)
    assert list(got.columns) == list(expected.columns)
    for name in expected.columns:
        assert got[name].tobytes() == expected[name].tobytes(), name


@pytest.mark.parametrize("made", [COST, UNCERTAIN.replace("150_000", "250_000")])
def test_evaluate__refuses_a_distribution_that_was_not_drawn(made: str) -> None:
    with pytest.raises(UsageError, match=r"found another distribution of `capital\.costs\.work\.amount`"):
        evaluate(tiny(UNCERTAIN, *DRAWN), simulate(tiny(made, *DRAWN), 5, TEN))


def test_evaluate__refuses_another_value_of_a_number_that_was_moved() -> None:
    dearer = DrawOverrides(change={"capital.costs.work.amount": lambda drawn: 2 * drawn})
    moved = simulate(tiny(COST, *DRAWN), 5, TEN, overrides=dearer)
    with pytest.raises(UsageError, match=r"found another `capital\.costs\.work\.amount`"):
        evaluate(tiny("capital.costs={work: {amount: 300_000, payee: service_provider}}", *DRAWN), moved)
    # Another number leaves it where it was moved to.
    got = evaluate(tiny(COST, *DRAWN, "contract.terms.guarantee.share=0.6"), moved)
    assert (got["drawn"] == 200_000).all()


def test_evaluate__words_about_a_number_are_no_difference(evidence: Evidence) -> None:
    study = tiny()
    effect = study.effect["sooner_home"]
    sourced = effect.hazard_ratio.model_copy(update={"source": "another page", "note": "read again", "certainty": "C"})
    other = study.model_copy(
        update={"effect": {**study.effect, "sooner_home": effect.model_copy(update={"hazard_ratio": sourced})}}
    )
    assert difference_left(study, other) is None
    assert evaluate(other, evidence)["investor.net"].tolist() == evaluate(study, evidence)["investor.net"].tolist()


def test_sections__each_lies_on_one_side_or_is_read_by_neither() -> None:
    study = tiny()
    neither = {"study", "promise", "public_value", "behaviour", "known", "run", "sizing", "variants", "stresses"}
    assert sorted([*LEFT, *TERMS, *neither]) == sorted(type(study).model_fields)
    assert set(CALENDAR) <= set(type(study.study).model_fields)


def test_stored_ensemble__refuses_what_was_not_stored() -> None:
    window = "measurement.metrics.saving.window_months"
    free = f"free: {{{window}: {{low: 6, high: 12, step: 6}}}}"
    study = tiny(f"sizing={{{free}, parties: {{investor: {{objective: expected_npv}}}}}}")
    stored = store_evidence(study, Ensemble(3, 20), ["investor"], ["investor"])
    assert set(stored.settle({window: 6.0, "contract.terms.guarantee.share": 0.5})) == {"investor"}
    for terms in ({"effect.school_support.odds_ratio": 1.0}, {"public_value.placement_cost_sek.outcome_payer.share": 0.5},
                  {"parties.investor.discount_rate_per_year": 0.1}, {"measurement.metrics.school.window_months": 6.0}):  # fmt: skip
        with pytest.raises(UsageError, match=f"found `{next(iter(terms))}`"):
            stored.settle(terms)
    with pytest.raises(UsageError, match="among those that were measured, 12 or 6 months; found 7"):
        stored.settle({window: 7.0})
    with pytest.raises(UsageError, match="found no `guarante`"):
        stored.settle({"contract.terms.guarante.share": 0.5})


def test_incentives__refuse_a_design_with_other_people() -> None:
    study = tiny()
    for other, section in (
        (tiny("effect.sooner_home.hazard_ratio=1"), "effect"),
        (tiny("population.waves.all.size=9"), "population"),
    ):
        with pytest.raises(UsageError, match=f"found another `{section}` in `other`"):
            find_incentives(study, {"own": study, "other": other}, Ensemble(1, 20))


def test_outturns__of_several_runs_are_not_joined() -> None:
    # Source: a run that goes on where another ended is the longer run; anything else is another sample under its name.
    study, way = tiny(), Sampling(measured=2)
    first, then = run_study(study, 1, 6), run_study(study, 1, 6, first=6)
    joined, whole = ReplicationResults.join([first, then]), run_study(study, 1, 12)
    assert joined["investor.net"].tolist() == whole["investor.net"].tolist()
    for other in (run_study(study, 2, 6, first=6), run_study(tiny("contract.terms.guarantee.share=0.5"), 1, 6, first=6),
                  run_study(study, 1, 6, first=6, sampling=way)):  # fmt: skip
        with pytest.raises(UsageError, match="from one study, one seed and one way of drawing"):
            ReplicationResults.join([first, other])
    with pytest.raises(UsageError, match="found 4 in several"):
        ReplicationResults.join([first, run_study(study, 1, 6, first=4)])
    # Blocks of a run of its own order are fine, and a replication that is measured twice is no replication twice.
    assert len(ReplicationResults.join([run_block(study, 1, [0, 2]), run_block(study, 1, [1, 3])]).replications) == 4
    assert len(run_study(study, 1, 6, sampling=way).replications) == 12


def test_control_variates__are_those_of_the_run_that_they_correct() -> None:
    results = run_study(tiny(), 1, 8)
    assert control_variates(tiny(), 1, results).shape == (8, 3)
    for ask in (
        lambda: control_variates(tiny(), 2, results),
        lambda: control_variates(tiny("effect.sooner_home.hazard_ratio=1"), 1, results),
        lambda: control_variates(tiny(), 1, results, Sampling(measured=2)),
    ):
        with pytest.raises(UsageError, match="must be those of the run that they correct"):
            ask()
