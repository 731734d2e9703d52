"""A large comparison group replaced by its exact moments, against the people whom it stands for."""

from copy import deepcopy

import numpy as np
import pytest

from simengine.errors import StudyError
from simengine.pipeline import simulate
from simengine.records import ARMS, BASELINE, CONTROL, MATCHED, MATCHED_SERVICE, PARALLEL, SERVICE, TWIN
from tests.measurement.small import problems_of, study_of
from tests.measurement.test_designs import FALSE_ALARM, z_of_mean

LIVES = {
    "population.waves.one.size": 200,
    "population.history_months": 6,
    "population.strata": {"low": {"share": 0.7}, "high": {"share": "rest"}},
    "population.frailties": {"person": {"variance": 0.8, "on": ["spell"]}},
    "pathway.states": ["at_work", "on_leave"],
    "pathway.start": {"low": {"at_work": 0.8, "on_leave": "rest"}, "high": {"at_work": 0.4, "on_leave": "rest"}},
    "pathway.moves": {
        "on_leave -> at_work": {"per_month": 0.2, "by_months_since_entry": {"from_months": [0, 4], "factor": [1, 2]}},
        "at_work -> on_leave": {"per_month": 0.1},
    },
    "events": {
        "spell": {
            "rates": {"at_work": {"rate_per_year": 1.5}, "on_leave": {"rate_per_year": 6}},
            "by_stratum": {"high": 2.0},
            "by_months_since_entry": {"from_months": [0, 3], "factor": [1, 0.5]},
        }
    },
    "outcomes": {
        "spells": {"kind": "count", "events": "spell"},
        "cost": {"kind": "amount", "per_day": {"on_leave": 1.0}, "discount_rate_per_year": 0.05},
    },
    "measurement.design": "matched",
    "measurement.matched": {"per_person": 10},
    "measurement.control": {"ratio": 10},
    "measurement.parallel": {"ratio": 10},
    "measurement.baseline": {"size": 2000, "years_before": 0},
    "measurement.metrics": {
        "reduction": {"outcome": "spells", "window_months": 12, "estimate": "relative_reduction", "better": "lower"},
        "half": {"outcome": "spells", "window_months": 6, "estimate": "rate_difference", "better": "lower"},
        "saving": {"outcome": "cost", "window_months": 12, "estimate": "total_difference", "better": "lower"},
    },
}
SECTIONS = {"matched": MATCHED, "control": CONTROL, "baseline": BASELINE, "parallel": PARALLEL}
N = 400


def with_moments(changes=None, sections=SECTIONS):
    return deepcopy(LIVES) | {f"measurement.{section}.exact_moments": True for section in sections} | (changes or {})


@pytest.fixture(scope="module")
def both():
    return tuple(simulate(study_of(changes), 9, np.arange(N)) for changes in (deepcopy(LIVES), with_moments()))


def means_of(evidence, arm):
    """Return the means of everything measured, shape (replication, outcome and window)."""
    tallies = evidence.tallies
    return (tallies.sums[:, 0, arm] / tallies.weight[:, 0, arm, None, None]).reshape(N, -1)


def z_of_two(one, other):
    return (one.mean() - other.mean()) / np.sqrt(one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other))


@pytest.mark.statistical
@pytest.mark.parametrize("section", list(SECTIONS))
def test_moments__are_those_of_people_who_live(both, section):
    # Invariant: mean, spread and correlation of every measured mean, and the evaluator's variance, as those of simulated people.
    people, drawn = (means_of(evidence, SECTIONS[section]) for evidence in both)
    if section == "matched":
        # Matched people share the composition of their users; what is left over is compared as well.
        people, drawn = (
            np.hstack([means, means - means_of(evidence, TWIN)]) for means, evidence in zip((people, drawn), both, strict=True)
        )
    for one, other in zip(people.T, drawn.T, strict=True):
        assert abs(z_of_two(one, other)) < FALSE_ALARM
        assert abs(z_of_two((one - one.mean()) ** 2, (other - other.mean()) ** 2)) < FALSE_ALARM
    for i in range(people.shape[1]):
        for j in range(i):
            one, other = ((x[:, i] - x[:, i].mean()) * (x[:, j] - x[:, j].mean()) for x in (people, drawn))
            assert abs(z_of_two(one, other)) < FALSE_ALARM


@pytest.mark.statistical
@pytest.mark.parametrize("section", list(SECTIONS))
def test_variance__that_the_evaluator_sees_is_the_exact_one(both, section):
    # Source: simulated people; a tally's variance between persons is unbiased.
    arm = SECTIONS[section]
    seen = []
    for evidence in both:
        t = evidence.tallies
        n, share = t.weight[:, 0, arm, None, None], (t.weight_squares[:, 0, arm] / t.weight[:, 0, arm] ** 2)[:, None, None]
        seen.append(((t.squares[:, 0, arm] / n - (t.sums[:, 0, arm] / n) ** 2) / (1 - share)).reshape(N, -1))
    for one, other in zip(seen[0].T, seen[1].T, strict=True):
        assert abs(z_of_two(one, other)) < FALSE_ALARM
    for name in ("n_people", "weight", "weight_squares"):
        for who in (SERVICE, TWIN, MATCHED_SERVICE, arm):
            np.testing.assert_allclose(*(getattr(evidence.tallies, name)[:, 0, who] for evidence in both), err_msg=name)


@pytest.mark.statistical
def test_estimates__have_the_distribution_that_they_have_with_people(both):
    for m in range(3):
        one, other = (evidence.measurements.estimate[:, m] for evidence in both)
        assert abs(z_of_two(one, other)) < FALSE_ALARM
        assert abs(z_of_two((one - one.mean()) ** 2, (other - other.mean()) ** 2)) < FALSE_ALARM
        assert abs(z_of_two(*(evidence.measurements.standard_error[:, m] for evidence in both))) < FALSE_ALARM


def test_moments__change_nobody_who_lives(both):
    for name in ("sums", "squares", "sums_before", "by_year"):
        for arm in (SERVICE, TWIN):
            np.testing.assert_array_equal(*(getattr(evidence.tallies, name)[:, :, arm] for evidence in both))


@pytest.mark.statistical
def test_moments__of_one_state_are_those_of_a_negative_binomial():
    # Source: closed form: mean 3, variance 3 + .8 x 9 = 10.2; days are no luck.
    changes = with_moments(
        {
            "pathway.moves": {},
            "pathway.start": {"low": {"at_work": 1}, "high": {"at_work": 1}},
            "events": {"spell": {"rates": {"at_work": {"rate_per_year": 3}}}},
        },
        ["baseline"],
    )
    tallies = simulate(study_of(changes), 9, np.arange(N)).tallies
    mean = tallies.sums[:, 0, BASELINE, 0, 1] / 2000

    assert abs(z_of_mean(mean, 3.0)) < FALSE_ALARM
    assert abs(z_of_mean((mean - 3.0) ** 2, 10.2 / 2000)) < FALSE_ALARM
    np.testing.assert_allclose(tallies.squares[:, 0, BASELINE, 0, 1] / 2000 - mean**2, 10.2 * 1999 / 2000)


@pytest.mark.parametrize("rows", [[3], [0, 3, 7]])
def test_replication__alone_equals_itself_in_the_batch(both, rows):
    alone = simulate(study_of(with_moments()), 9, np.array(rows)).measurements
    assert alone.estimate.tobytes() == both[1].measurements.estimate[rows].tobytes()


def test_matched__of_whom_too_few_would_be_found_stop_the_run():
    with pytest.raises(StudyError, match="all but one in a thousand service users"):
        simulate(study_of(with_moments({"measurement.matched.candidates": 10})), 9, np.arange(3))


@pytest.mark.statistical
def test_matched__on_less_are_as_people_enter_in_the_rest():
    changes = {"measurement.matched.on": ["stratum"]}
    people, drawn = (
        means_of(simulate(study_of(base | changes), 9, np.arange(N)), MATCHED)
        for base in (deepcopy(LIVES), with_moments(None, ["matched"]))
    )
    for one, other in zip(people.T, drawn.T, strict=True):
        assert abs(z_of_two(one, other)) < FALSE_ALARM
        assert abs(z_of_two((one - one.mean()) ** 2, (other - other.mean()) ** 2)) < FALSE_ALARM


@pytest.mark.parametrize(
    "changes",
    [
        {"population.sites": {"place": {"count": 5, "sd": 0.1, "on": ["spell"]}}},
        {"shocks": {"year": {"on": ["spell"], "sd_per_year": 0.2}}},
        {"population.selection": {"outcome": "spells", "at_least": 1}},
        {"population.frailties.mover": {"variance": 0.5, "on": ["at_work -> on_leave"]}},
        {"pathway.moves.at_work -> on_leave.weibull_shape": 1.5},
        {"events.spell.by_calendar": {"trend_per_year": 0.1}},
        {"outcomes.any": {"kind": "target", "outcome": "spells", "at_least": 1}, "measurement.metrics.half.outcome": "any"},
        {"outcomes.cost.between_people_sd": 0.5},
        {"outcomes.cost.counted": "half_cycle"},
        {"measurement.control.spill_over": 0.1},
        {"measurement.matched.before": {"outcome": "spells", "within": 1}},
        {"population.waves.one.size": 99},
        {"measurement.baseline.size": 999},
        {"measurement.parallel.ratio": 4},
        {"measurement.cross_section": {"ratio": 1}},
        {"measurement.metrics.half": {
            "outcome": "spells", "per": "cost", "window_months": 12, "estimate": "efficiency_ratio", "better": "lower"
        }},
    ],
)  # fmt: skip
def test_moments__that_would_not_be_the_people_s_are_refused(changes):
    found = problems_of(**with_moments(changes))
    assert found
    assert all(path.endswith(".exact_moments") for path in found)


def before_and_after(evidence, window=1):
    """Give, of people elsewhere, both means, and between persons both variances and the covariance, of spells."""
    t = evidence.tallies
    at, n = (slice(None), 0, PARALLEL, 0), t.weight[:, 0, PARALLEL]
    after, before = t.sums[(*at, window)] / n, t.sums_before[at] / n
    inside = n / (n - 1)
    variances = ((t.squares[(*at, window)] / n - after**2) * inside, (t.squares_before[at] / n - before**2) * inside)
    return after, before, *variances, (t.products_with_before[(*at, window)] / n - after * before) * inside


@pytest.mark.statistical
def test_parallel__goes_together_before_and_after_as_people_do(both):
    # Invariant: means, their spread and covariance between replications, and what the evaluator sees between persons, as of
    # simulated people.
    (after, before, *inside), (other_after, other_before, *other_inside) = (before_and_after(evidence) for evidence in both)
    for one, other in ((after, other_after), (before, other_before), *zip(inside, other_inside, strict=True)):
        assert abs(z_of_two(one, other)) < FALSE_ALARM
    for (a, b), (c, d) in (((before, before), (other_before,) * 2), ((after, before), (other_after, other_before))):
        one, other = (a - a.mean()) * (b - b.mean()), (c - c.mean()) * (d - d.mean())
        assert abs(z_of_two(one, other)) < FALSE_ALARM


@pytest.mark.statistical
@pytest.mark.parametrize("form", ["additive", "ratio", "regression"])
def test_difference_in_differences__by_moments_is_that_of_a_negative_binomial(form):
    """Closed form: one state, 3 spells a year, a gamma factor of variance .8; half a year before, counted twice.

    After: mean 3, variance 3 + .8 x 9 = 10.2. Before, scaled by 2: mean 3, variance 4 (1.5 + .8 x 2.25) = 13.2. Covariance:
    2 x .8 x 3 x 1.5 = 7.2: the lives share the factor and nothing else. So a change varies by 10.2 + 13.2 - 14.4 = 9.
    """
    changes = {
        "pathway.moves": {},
        "pathway.start": {"low": {"at_work": 1}, "high": {"at_work": 1}},
        "events": {"spell": {"rates": {"at_work": {"rate_per_year": 3}}}},
        "measurement.design": "difference_in_differences",
        "measurement.parallel": {"ratio": 10, "form": form, "exact_moments": True},
        "measurement.metrics": {
            "reduction": {"outcome": "spells", "window_months": 12, "estimate": "rate_difference", "better": "lower"}
        },
    }
    left_out = ("measurement.matched", "measurement.control", "measurement.baseline")
    study = study_of({path: value for path, value in (LIVES | changes).items() if path not in left_out})
    evidence = simulate(study, 9, np.arange(2000))
    after, before, *inside = before_and_after(evidence, window=0)
    np.testing.assert_allclose(np.array(inside).mean(axis=1), (10.2, 13.2 / 4, 7.2 / 2))
    n = 2000  # people elsewhere: ten for each of 200
    for values, distribution in ((after, 10.2 / n), (2 * before, 13.2 / n), (after - 2 * before, 9 / n)):
        assert abs(z_of_mean((values - values.mean()) ** 2, distribution * 1999 / 2000)) < FALSE_ALARM
    estimate, error = evidence.measurements.estimate[:, 0], evidence.measurements.standard_error[:, 0]
    assert abs(z_of_mean(estimate, 0.0)) < FALSE_ALARM
    # With both sides the change varies by 9 (1 / 200 + 1 / 2000); by the regression on the level before by less.
    slope = 7.2 / 13.2 if form == "regression" else 1.0
    variance = (10.2 + slope**2 * 13.2 - 2 * slope * 7.2) * (1 / 200 + 1 / 2000)
    assert estimate.std(ddof=1) == pytest.approx(np.sqrt(variance), rel=0.08)
    assert error.mean() == pytest.approx(np.sqrt(variance), rel=0.03)


def test_arms__that_are_replaced_are_the_four():
    assert {ARMS[arm] for arm in SECTIONS.values()} == set(SECTIONS)
