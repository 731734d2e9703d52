"""A design for each metric in one study: each is measured as if its design were that of all, and no draw of another moves."""

from copy import deepcopy
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simengine.config import Study, cohort_of, load_study
from simengine.config.consistency import study_problems
from simengine.errors import StudyError
from simengine.measurement import measure
from simengine.measurement.spec import DESIGNS, SECTION_OF, Protocol
from simengine.pipeline import evaluate, run_block, simulate
from simengine.records import CONTROL
from simengine.replications.ensemble import with_used_designs_alone
from tests.conftest import sized
from tests.measurement.made import draws_of, protocol_of
from tests.measurement.small import content_of, study_of
from tests.measurement.test_designs import FALSE_ALARM, z_of_mean
from tests.measurement.test_moments import LIVES, with_moments
from tests.measurement.test_twin import calendar_of, random_case
from tests.reference.measurement import measure as slow_measure

WHAT = ("estimate", "standard_error", "truth", "by_wave", "cumulative", "standard_error_by_wave", "why", "why_by_wave")


def case_of(number, design, metrics, **changes):
    """Return random people and a protocol with every section; the metrics are changes to two that differ in their errors."""
    kind, tallies, waves, sections, metric = random_case(number)
    named = {name: base | metrics.get(name, {}) for name, base in (("first", metric), ("second", {"drift_per_year": 0.1}))}
    protocol = protocol_of(design or "historical", named, **(sections | changes))
    protocol = Protocol.model_validate(protocol.model_dump(exclude_unset=True) | {"design": design})
    draws = draws_of(protocol, len(tallies.clipped), calendar_of(waves), seed=number)
    return protocol, tallies, {"events": kind, "other": "amount"}, waves, draws


def concluded(number, design, metrics, **changes):
    return measure(*case_of(number, design, metrics, **changes))


def assert_same(got, expected, m):
    """Compare one metric bit for bit."""
    for name in WHAT:
        assert getattr(got, name)[..., m].tobytes() == getattr(expected, name)[..., m].tobytes(), name


# Of made people.


@pytest.mark.parametrize("design", DESIGNS)
@given(number=st.integers(0, 10_000))
@settings(max_examples=sized(6, 25), deadline=None)
def test_design__that_every_metric_names_is_that_of_the_evaluation(design, number):
    # Invariant: where it is written changes no bit; nor does what the evaluation says beside it.
    own = {"first": {"design": design}, "second": {"design": design}}
    expected = concluded(number, design, {}, by_wave={})
    for beside in (None, DESIGNS[number % len(DESIGNS)]):
        got = concluded(number, beside, own, by_wave={})
        for m in range(2):
            assert_same(got, expected, m)


@pytest.mark.parametrize(("one", "other"), list(permutations(DESIGNS, 2)))
def test_metrics__of_two_designs_are_each_that_of_one_design(one, other):
    # Invariant: two evaluations with a design each.
    for number in range(3):
        got = concluded(number, one, {"second": {"design": other}}, by_wave={})
        for m, design in enumerate((one, other)):
            expected = concluded(number, design, {}, by_wave={})
            assert_same(got, expected, m)


@pytest.mark.parametrize("design", DESIGNS)
def test_design__of_a_metric_wins_over_that_of_a_wave(design):
    # Invariant: with another design for the first wave, a metric with its own is as without; one without its own follows the wave.
    for number in range(8):
        by_wave = {"a": "rate_card" if design == "randomised" else "randomised"}
        got = concluded(number, "before_after", {"first": {"design": design}}, by_wave=by_wave)
        own = concluded(number, design, {}, by_wave={})
        followed = concluded(number, "before_after", {}, by_wave=by_wave)
        assert_same(got, own, 0)
        assert_same(got, followed, 1)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("number", range(0, 24, 3))
def test_metrics__equal_their_slow_twin(design, number):
    others = [other for other in DESIGNS if other != design]
    protocol, tallies, kinds, waves, draws = case_of(number, design, {"second": {"design": others[number % len(others)]}})
    got = measure(protocol, tallies, kinds, waves, draws)
    expected = slow_measure(protocol, tallies, kinds, waves, draws.seed, draws.replications, draws.values)
    for r, row in enumerate(expected):
        for m, one in enumerate(row):
            assert got.estimate[r, m] == pytest.approx(one["estimate"], rel=1e-9, abs=1e-9, nan_ok=True)
            assert got.standard_error[r, m] == pytest.approx(one["error"], rel=1e-7, abs=1e-6, nan_ok=True)
            assert got.by_wave[r, :, m] == pytest.approx(one["by_wave"], rel=1e-9, abs=1e-9, nan_ok=True)
            assert got.cumulative[r, :, m] == pytest.approx(one["cumulative"], rel=1e-9, abs=1e-9, nan_ok=True)


def test_designs__that_are_used_are_those_of_the_metrics():
    metrics = {"a": {"design": "mix"}, "b": {"design": "rate_card"}, "c": {}}
    mix = {"randomised": 0.5, "matched": 0.5}
    protocol = protocol_of("historical", metrics, rate_card={"deadweight": 0}, mix=mix, by_wave={"w1": "before_after"})

    assert protocol.designs_of("a") == ("mix",)
    assert protocol.compared_by("a") == ("randomised", "matched")
    assert protocol.sections_of("a") == ("control", "matched")
    assert protocol.designs_of("b", ["w0", "w1"]) == ("rate_card",)
    assert protocol.designs_of("c") == protocol.designs_of("c", ["w0", "w1"]) == ("historical", "before_after")
    assert protocol.designs_of("c", ["w1"]) == ("before_after",)
    assert set(protocol.used) == {"mix", "randomised", "matched", "rate_card", "historical", "before_after"}


# Of people who live.

N, PEOPLE, DAYS = 3000, 50, 365.25
HOUSED, RATE, RATIO = 0.6, 1.2, 0.5
HOUSING = {"outcome": "housed", "window_months": 12, "estimate": "total_difference", "better": "higher"}
JAIL = {"outcome": "stays", "window_months": 12, "estimate": "rate_difference", "better": "lower"}
SUPPORTIVE = {
    "population.history_months": 0,
    "population.frailties": {},
    "population.waves.one.size": PEOPLE,
    "pathway.states": ["street", "housed"],
    "pathway.start": {"all": {"housed": HOUSED, "street": "rest"}},
    "events": {"stay": {"rates": {"street": {"rate_per_year": RATE}, "housed": {"rate_per_year": RATE}}}},
    "effect": {"fewer": {"event": "stay", "hazard_ratio": RATIO}},
    "outcomes": {
        "stays": {"kind": "count", "events": "stay"},
        "housed": {"kind": "amount", "per_day": {"housed": 1}},
        "any": {"kind": "target", "outcome": "stays", "at_most": 0},
    },
    "measurement.design": None,
    "measurement.rate_card": {"deadweight": 0},
    "measurement.control": {},
    "measurement.metrics": {"days": HOUSING | {"design": "rate_card"}, "jail": JAIL | {"design": "randomised"}},
    "contract.metrics": {
        "days": {"meaning": "days", "unit": "days"},
        "jail": {"meaning": "fewer stays", "unit": "number, per person"},
    },
    "contract.terms": {"by_day": {"price": 15.12, "per": "days"}, "by_stay": {"price": 160_000, "per": "jail"}},
    "capital.payment_month": {"by_day": 20, "by_stay": 20},
}


def supportive(changes=None):
    return study_of(deepcopy(SUPPORTIVE) | (changes or {}))


@pytest.fixture(scope="module")
def evidence():
    return simulate(supportive(), 4, np.arange(N))


@pytest.mark.statistical
def test_counted_and_randomised__have_the_distributions_of_their_own_designs(evidence):
    # Source: closed form. Days: of 50 people each is housed all year with chance .6: 50 x .6 x 365.25, variance 50 x .24 x 365.25^2.
    # Stays are Poisson, 1.2 a year without the service and .6 with it: the difference .6, its variance (1.2 + .6) / 50.
    exact = {
        0: (PEOPLE * HOUSED * DAYS, PEOPLE * HOUSED * (1 - HOUSED) * DAYS**2),
        1: (RATE * (1 - RATIO), RATE * (1 + RATIO) / PEOPLE),
    }
    for m, (mean, variance) in exact.items():
        estimate, error = evidence.measurements.estimate[:, m], evidence.measurements.standard_error[:, m]
        assert abs(z_of_mean(estimate, mean)) < FALSE_ALARM
        assert abs(z_of_mean((estimate - mean) ** 2, variance)) < FALSE_ALARM
        assert abs(z_of_mean(error**2, variance)) < FALSE_ALARM
    # A count is paid in full, whatever the service caused: here it houses nobody.
    np.testing.assert_array_equal(evidence.measurements.truth[:, 0], 0.0)
    assert abs(z_of_mean(evidence.measurements.truth[:, 1], RATE * (1 - RATIO))) < FALSE_ALARM


def test_counted_and_randomised__are_each_those_of_a_study_with_one_design():
    # Invariant: bit for bit, and so is what is paid on each. A count where less is better is no study: it is left out there.
    rows, plain = np.arange(40), {"days": HOUSING, "jail": JAIL}
    both = evaluate(study := supportive(), simulate(study, 4, rows))
    only = {
        "contract.metrics": {"days": SUPPORTIVE["contract.metrics"]["days"]},
        "contract.terms": {"by_day": {"price": 15.12, "per": "days"}},
    }
    only |= {"capital.payment_month": {"by_day": 20}, "measurement.metrics": {"days": HOUSING}, "measurement.design": "rate_card"}
    counted, by_lot = supportive(only), supportive({"measurement.metrics": plain, "measurement.design": "randomised"})
    for one, metric, term in ((counted, "days", "by_day"), (by_lot, "jail", "by_stay")):
        alone = evaluate(one, simulate(one, 4, rows))
        for column in (*(f"metric.{metric}.{what}" for what in ("estimate", "standard_error", "truth")), f"term.{term}.amount"):
            assert both[column].tobytes() == alone[column].tobytes(), column


ALL = {
    "population.history_months": 12,
    "measurement.baseline": {"size": 30, "years_before": 1},
    "measurement.matched": {"per_person": 2},
    "measurement.parallel": {"ratio": 2},
    "measurement.mix": {"randomised": 0.8, "historical": 0.2},
    "measurement.rate_card": {"deadweight": 0.3},
    "measurement.metrics": {"days": HOUSING, "more": JAIL | {"better": "higher", "attrition": {"share": 0.1}}},
    "contract.metrics": {"days": {"meaning": "days", "unit": "days"}},
    "contract.terms": {"by_day": {"price": 15.12, "per": "days"}},
    "capital.payment_month": {"by_day": 20},
}


@pytest.mark.parametrize("design", DESIGNS)
def test_study__whose_metrics_all_name_a_design_runs_as_with_that_design(design):
    # Invariant: every column of a run, with what its control variates need.
    own = {f"measurement.metrics.{name}.design": design for name in ("days", "more")}
    runs = [
        run_block(supportive(deepcopy(ALL) | changes), 7, np.arange(12), with_variates=True)
        for changes in ({"measurement.design": design}, own)
    ]
    assert runs[0].columns.keys() == runs[1].columns.keys()
    for name, column in runs[0].columns.items():
        assert np.array_equal(column, runs[1][name], equal_nan=column.dtype.kind == "f"), name


@pytest.mark.parametrize("design", [design for design in DESIGNS if design != "rate_card"])
@pytest.mark.parametrize("has_moments", [False, True])
def test_design__of_one_metric_moves_no_other(design, has_moments):
    # Invariant: also where a group is drawn from its exact moments, all at once.
    lives = with_moments() if has_moments else deepcopy(LIVES)
    lives |= {"measurement.mix": {"randomised": 0.8, "historical": 0.2}}
    before, after = (
        simulate(study_of(lives | changes), 9, np.arange(20)) for changes in ({}, {"measurement.metrics.half.design": design})
    )
    for name in ("sums", "squares", "n_people"):
        np.testing.assert_array_equal(getattr(before.tallies, name), getattr(after.tallies, name))
    for m, metric in enumerate(before.measurements.metrics):
        if metric != "half":
            assert_same(after.measurements, before.measurements, m)
    assert not np.array_equal(before.measurements.estimate[:, 1], after.measurements.estimate[:, 1]) or design == "matched"


def test_moments__are_asked_for_of_what_is_compared_with_them_alone():
    # A yes or no has no exact moments: it may be counted beside a group that is replaced by its own, and moves nothing there.
    whole = {"population.waves.one.size": 1000, "measurement.control": {"exact_moments": True}}
    counted = {"outcome": "any", "window_months": 12, "estimate": "total_difference", "better": "higher", "design": "rate_card"}
    one, other = (simulate(supportive(whole | changes), 4, np.arange(6)) for changes in ({}, {"measurement.metrics.free": counted}))
    assert cohort_of(other.study).comparisons.measured == ("housed", "stays")
    np.testing.assert_array_equal(other.measurements.estimate[:, :2], one.measurements.estimate)
    np.testing.assert_array_equal(other.tallies.sums[:, 0, CONTROL, 0], one.tallies.sums[:, 0, CONTROL, 0])
    n_free = other.tallies.sums[:, 0, 0, list(other.tallies.outcomes).index("any"), 0]
    np.testing.assert_allclose(other.measurements.estimate[:, 2], n_free)


def test_unused_sections__are_those_that_no_metric_is_measured_by():
    study = supportive(deepcopy(ALL) | {"measurement.metrics.days.design": "rate_card", "measurement.metrics.more.design": "mix"})
    lean = with_used_designs_alone(study).measurement
    assert {section for section in SECTION_OF.values() if getattr(lean, section) is not None} == {
        "rate_card", "mix", "control", "baseline"
    }  # fmt: skip


# What is refused.

BAD = {
    "a section is missing": (
        {"measurement.metrics.jail.design": "historical"},
        "measurement.metrics.jail.design: the design `historical` must be described by a section `baseline`; found none. "
        "Add measurement.baseline",
    ),
    "nothing says how much is counted": (
        {"measurement.rate_card": None},
        "measurement.metrics.days.design: the design `rate_card` must be described by a section `rate_card`; found none. "
        "Add measurement.rate_card: `{deadweight: 0}` counts every outcome in full",
    ),
    "a design that nothing reads": (
        {"measurement.design": "matched"},
        "measurement.design: the design `matched` must be described by a section `matched`; found none. Add measurement.matched, or leave "
        "the design out: every metric has its own",
    ),
    "a wave's design that nothing reads": (
        {"measurement.by_wave": {"one": "randomised"}},
        "measurement.by_wave: a design by wave must be that of a metric without a design of its own; found none: every metric has "
        "one. Leave it out, or the designs of the metrics",
    ),
    "no history": (
        {"measurement.metrics.jail.design": "before_after"},
        "measurement.metrics.jail.design: the design `before_after` compares with the months before entry; found no history. "
        "Give population.history_months",
    ),
    "a count of what is worse": (
        {"measurement.metrics.jail.design": "rate_card"},
        "measurement.metrics.jail.better: a rate card must count successes; found lower. Measure what is better when higher, or compare "
        "with somebody",
    ),
    "a count as a reduction": (
        {"measurement.metrics.days.estimate": "relative_reduction", "contract.metrics.days.unit": "share"},
        "measurement.metrics.days.estimate: a rate card must count, and compare with nobody; found relative_reduction. Measure a "
        "difference, or give the metric another `design`",
    ),
    "a count as an efficiency": (
        {
            "measurement.metrics.days.estimate": "efficiency_ratio",
            "measurement.metrics.days.per": "stays",
            "contract.metrics.days.unit": "share",
        },
        "measurement.metrics.days.estimate: an efficiency ratio must be compared with that of other people after entry; found the design "
        "rate_card. Use a randomised, a matched or an earlier comparison group",
    ),
    "exact moments of what has none": (
        {
            "population.waves.one.size": 1000,
            "measurement.control": {"exact_moments": True},
            "measurement.metrics.jail.outcome": "any",
            "measurement.metrics.jail.better": "higher",
            "contract.metrics.jail.unit": "share",
        },
        "measurement.control.exact_moments: exact moments must be those of amounts by the day or of counts of one event; `jail` measures "
        "another; found",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_contradiction__is_told_once(name):
    changes, expected = BAD[name]
    found = [
        f"{path}: {rule}; found {what}. {way_out}"
        for path, rule, what, way_out in study_problems(Study.model_validate(content_of(deepcopy(SUPPORTIVE) | changes)))
    ]
    assert len(found) == 1, found
    assert found[0].startswith(expected)


def test_metric__without_any_design_is_refused_with_the_study():
    content = content_of(deepcopy(SUPPORTIVE) | {"measurement.metrics.days": HOUSING})
    del content["measurement"]["design"]
    with pytest.raises(StudyError) as refused:
        load_study(content)
    assert (
        "measurement: the `design` must be given, for all metrics or for each of them; found none for `days`. It is randomised, "
        "matched, difference_in_differences, before_after, historical, rate_card or mix" in str(refused.value)
    )


def test_design__that_does_not_exist_is_refused_at_its_metric():
    content = content_of(deepcopy(SUPPORTIVE) | {"measurement.metrics.days.design": "counted"})
    del content["measurement"]["design"]
    with pytest.raises(StudyError, match=r"measurement\.metrics\.days\.design: must be randomised, .* or mix; found 'counted'"):
        load_study(content)
