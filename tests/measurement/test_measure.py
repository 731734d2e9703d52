"""The evaluator on tallies made by hand: differences, signs, standard errors, drift, waves, the truth, and no bias."""

import numpy as np
import pytest

from tests.measurement import made
from tests.measurement.made import told

SERVICE, TWIN, BASELINE = "service", "twin", "baseline"


def tallies_of(*waves):
    """Make tallies of one replication from the values of the persons of each wave, by arm; the baseline is in the first wave."""
    nobody = {SERVICE: np.zeros((1, 0)), TWIN: np.zeros((1, 0)), BASELINE: np.zeros((1, 0))}
    return made.tallies_of(*(nobody | wave for wave in waves))


def measured(tallies, *, years_before=0.0, drift=0.0, kind="amount", **metrics):
    """Measure by a historical comparison."""
    changes = {name: {"drift_per_year": drift} | metric for name, metric in (metrics or {"metric": {}}).items()}
    changes = {name: {"estimate": "total_difference"} | metric for name, metric in changes.items()}
    return made.measured(tallies, kind=kind, numbers={"measurement.baseline.years_before": years_before}, **changes)


def numbers(measurements):
    """Return estimate, standard error and truth of the one metric of one replication."""
    return told(measurements)


PEOPLE = {SERVICE: [10, 20, 30], TWIN: [20, 30, 40], BASELINE: [20, 40]}
RATE = {"estimate": "rate_difference"}
SHARE = RATE | {"better": "higher"}


def test_total_difference__is_what_the_earlier_people_would_have_cost_less_what_was_spent():
    # Source: hand arithmetic. Earlier people 20 and 40: mean 30, s^2 = 200. Service users 10, 20, 30: total 60, s^2 = 100.
    # Estimate 3 x 30 - 60 = 30; variance 9 x 200 / 2 + 3 x 100 = 1,200. Twins 20, 30, 40: truth 90 - 60 = 30.
    got = numbers(measured(tallies_of(PEOPLE)))

    assert got == pytest.approx((30, np.sqrt(1200), 30))


def test_rate_difference__is_the_difference_of_two_means():
    # Source: hand arithmetic on the same people. 30 - 20 = 10; variance 200 / 2 + 100 / 3; truth 30 - 20 = 10.
    got = numbers(measured(tallies_of(PEOPLE), metric=RATE))

    assert got == pytest.approx((10, np.sqrt(100 + 100 / 3), 10))


@pytest.mark.parametrize("estimate", ["total_difference", "rate_difference"])
def test_sign__is_positive_where_the_service_users_did_better(estimate):
    # Source: hand arithmetic; where higher is better the same numbers count against the service, with the same error.
    lower = measured(tallies_of(PEOPLE), metric={"estimate": estimate})
    higher = measured(tallies_of(PEOPLE), metric={"estimate": estimate, "better": "higher"})

    assert lower.estimate[0, 0] > 0
    assert lower.truth[0, 0] > 0
    np.testing.assert_array_equal(higher.estimate, -lower.estimate)
    np.testing.assert_array_equal(higher.truth, -lower.truth)
    np.testing.assert_array_equal(higher.standard_error, lower.standard_error)


def test_reduction__of_what_is_below_0_has_the_error_of_its_mirror():
    # Invariant: a ratio of two means does not know the sign that both have, nor does its error.
    mirrored = {arm: [-value for value in values] for arm, values in PEOPLE.items()}
    reduction = {"estimate": "relative_reduction"}

    got = numbers(measured(tallies_of(mirrored), metric=reduction))

    assert got == pytest.approx(numbers(measured(tallies_of(PEOPLE), metric=reduction)))
    assert got[1] > 0


@pytest.mark.parametrize(("estimate", "found"), [("total_difference", -4), ("rate_difference", -2)])
def test_difference__from_a_level_of_0_is_measured(estimate, found):
    # Source: hand arithmetic: two people who cost 1 and 3 where the others cost nothing; a share of nothing would be missing.
    got = measured(tallies_of({SERVICE: [1, 3], TWIN: [0, 0], BASELINE: [0, 0]}), metric={"estimate": estimate})

    assert (got.estimate[0, 0], got.why[0, 0]) == (found, 0)


def test_share__of_a_yes_or_no_is_measured_like_a_mean():
    # Source: hand arithmetic. 3 of 4 against 2 of 5 (twins 2 of 4): 0.75 - 0.4 = 0.35, truth 0.25. s^2 = p (1 - p) n / (n - 1):
    # 0.75 x 0.25 x 4 / 3 = 0.25 and 0.4 x 0.6 x 5 / 4 = 0.3; variance 0.25 / 4 + 0.3 / 5 = 0.1225, error 0.35.
    people = {SERVICE: [1, 1, 1, 0], TWIN: [1, 1, 0, 0], BASELINE: [1, 1, 0, 0, 0]}

    got = numbers(measured(tallies_of(people), kind="share", metric=SHARE))

    assert got == pytest.approx((0.35, 0.35, 0.25))


def test_waves__are_one_group():
    # Source: distribution; people in two waves are measured like the same people in one.
    one = tallies_of(PEOPLE)
    two = tallies_of({SERVICE: [10], TWIN: [20, 30], BASELINE: [20, 40]}, {SERVICE: [30, 20], TWIN: [40]})
    three = tallies_of({SERVICE: [10], TWIN: [20], BASELINE: [20, 40]}, {}, {SERVICE: [30, 20], TWIN: [40, 30]})

    for tallies in (two, three):
        assert numbers(measured(tallies)) == pytest.approx(numbers(measured(one)))
        assert numbers(measured(tallies, metric=RATE)) == pytest.approx(numbers(measured(one, metric=RATE)))


def test_metrics__read_their_own_outcome_and_window():
    # Source: the definition; everything but the named outcome and window holds 1e9, which would be noticed.
    tallies = tallies_of(PEOPLE)
    late = measured(tallies, metric={"window_months": 12})
    other = measured(tallies, metric={"window_months": 6} | RATE)

    assert numbers(late) == pytest.approx((30, np.sqrt(1200), 30))
    assert numbers(other)[0] == pytest.approx(1e9 / 2 - 1e9 / 3)


def test_metrics__stand_in_the_order_of_the_protocol():
    got = measured(tallies_of(PEOPLE), z=RATE, a={})

    assert got.metrics == ("z", "a")
    np.testing.assert_allclose(got.estimate, [[10, 30]])


def test_drift__of_an_amount_shrinks_the_level_of_the_earlier_people_and_their_spread():
    # Source: hand arithmetic. A growth of log 2 / 3 a year over 3 years: the earlier people's 20 and 40 were 10 and 20 in a
    # replication without it, mean 15 and s^2 = 50. Estimate 3 x 15 - 60 = -15; variance 9 x 50 / 2 + 300 = 525; truth still 30.
    got = numbers(measured(tallies_of(PEOPLE), years_before=3, drift=np.log(2) / 3))

    assert got == pytest.approx((-15, np.sqrt(525), 30))


def test_drift__may_go_down():
    # Source: hand arithmetic; a fall by half in one year doubles the earlier level: 3 x 60 - 60 = 120.
    assert numbers(measured(tallies_of(PEOPLE), years_before=1, drift=-np.log(2)))[0] == pytest.approx(120)


@pytest.mark.parametrize(("years_before", "drift"), [(0, 0.7), (3, 0.0)])
def test_drift__needs_both_years_and_growth(years_before, drift):
    # Source: hand arithmetic; exp(0) = 1.
    got = numbers(measured(tallies_of(PEOPLE), years_before=years_before, drift=drift))

    assert got == pytest.approx((30, np.sqrt(1200), 30))


def test_drift__of_a_share_acts_on_its_odds():
    # Source: hand arithmetic. 3 of 5 has the odds 1.5; with odds that doubled since, 0.75, that is 3/7. 0.75 - 3/7 = 9/28.
    people = {SERVICE: [1, 1, 1, 0], TWIN: [1, 1, 0, 0], BASELINE: [1, 1, 1, 0, 0]}

    got = measured(tallies_of(people), years_before=2, drift=np.log(2) / 2, kind="share", metric=SHARE)

    assert numbers(got)[0] == pytest.approx(9 / 28)
    assert numbers(got)[2] == pytest.approx(0.25)


def test_drift__of_a_share_leaves_the_spread_of_the_share_that_is_seen():
    # Source: hand arithmetic on the same people. What is seen is 3/7 of 5 people, s^2 = (3/7)(4/7)(5/4); beside it 0.25 / 4.
    people = {SERVICE: [1, 1, 1, 0], TWIN: [1, 1, 0, 0], BASELINE: [1, 1, 1, 0, 0]}

    got = measured(tallies_of(people), years_before=2, drift=np.log(2) / 2, kind="share", metric=SHARE)

    assert numbers(got)[1] == pytest.approx(np.sqrt(0.25 / 4 + 3 / 7 * 4 / 7 * 5 / 4 / 5))


@pytest.mark.parametrize(("baseline", "share"), [([0, 0], 0.0), ([1, 1], 1.0)])
def test_drift__leaves_a_share_of_none_or_all(baseline, share):
    # Source: hand arithmetic; odds of 0 and of infinity have no half.
    people = {SERVICE: [1, 0], TWIN: [1, 0], BASELINE: baseline}

    got = measured(tallies_of(people), years_before=1, drift=1.0, kind="share", metric=SHARE)

    assert numbers(got)[0] == pytest.approx(0.5 - share)
    assert np.isfinite(numbers(got)).all()


def test_drift__never_makes_a_share_leave_its_range():
    # Invariant: odds divided by anything positive are odds.
    people = {SERVICE: [0, 0], TWIN: [0, 0], BASELINE: [1, 1, 1, 0]}
    for drift in (-20.0, -1.0, 1.0, 20.0):
        got = measured(tallies_of(people), years_before=2, drift=drift, kind="share", metric=SHARE)
        assert -1 <= numbers(got)[0] <= 0


@pytest.mark.parametrize(("metric", "value"), [({}, 0.0), (RATE, np.nan)])
def test_nobody_enrolled__has_a_total_of_0_and_no_mean(metric, value):
    # Source: the definition: a sum over nobody is 0, a mean of nobody is no number.
    got = numbers(measured(tallies_of({BASELINE: [20, 40]}), metric=metric))

    np.testing.assert_array_equal(got, value)


def test_one_person__has_no_known_spread():
    # Source: hand arithmetic: 1 x 30 - 10 = 20. What one person tells of the spread between persons is nothing.
    got = numbers(measured(tallies_of({SERVICE: [10], TWIN: [30], BASELINE: [20, 40]})))

    np.testing.assert_array_equal(got, (20, np.nan, 20))


def test_equal_persons__have_no_spread():
    # Source: hand arithmetic; sums of squares of 0.1 x 3 leave rounding that must not become the root of a negative number.
    got = numbers(measured(tallies_of({SERVICE: [0.1] * 3, TWIN: [0.1] * 3, BASELINE: [0.1] * 7})))

    assert got == pytest.approx((0, 0, 0), abs=1e-7)


def test_evaluator__never_sees_the_twins():
    # Invariant: other twins change the truth and nothing else.
    one, other = (measured(tallies_of(PEOPLE | {TWIN: twins})) for twins in ([20, 30, 40], [0, 0, 0]))

    np.testing.assert_array_equal(one.estimate, other.estimate)
    np.testing.assert_array_equal(one.standard_error, other.standard_error)
    assert (one.truth[0, 0], other.truth[0, 0]) == pytest.approx((30, -60))


def test_earlier_people__stand_beside_every_wave():
    # Source: hand arithmetic. Earlier people of 30 on average; the first wave is at 10, the second at 25: 20, 5 and 12.5 of both.
    one = {SERVICE: [10], TWIN: [10], BASELINE: [20, 40]}
    got = measured(tallies_of(one, {SERVICE: [25], TWIN: [25]}), metric=RATE)

    np.testing.assert_allclose(got.by_wave[0, :, 0], [20, 5])
    np.testing.assert_allclose(got.cumulative[0, :, 0], [20, 12.5])
