"""What cannot be estimated is missing, by every design and estimate: nobody is not zero, and one person has no known spread."""

import numpy as np
import pytest

from simengine.errors import NOT_MEASURED
from tests.measurement.made import as_parts, measured, tallies_of, told

ESTIMATES = ("total_difference", "rate_difference", "per_100_difference", "relative_reduction")
DESIGNS = ("historical", "randomised", "matched", "difference_in_differences", "before_after", "rate_card")
SERVED = "nobody is seen of the service users"
COMPARED = "nobody is seen of those with whom they are compared"
SHARE_OF_NOTHING = "the mean of those with whom they are compared is 0, and the estimate is a share of it"

PEOPLE = {
    "service": ([1, 2, 6], [3, 5, 10]),
    "twin": [2, 3, 7],
    "baseline": [4, 6],
    "control": [3, 5],
    "matched_service": [1, 2],
    "matched": [4, 6],
    "parallel": ([4, 8, 9], [2, 4, 9]),
    "service_before": ([0, 0], [4, 6]),
    "parallel_before": ([0, 0], [5, 7]),
}
BEFORE_OTHERS = {"cross_section": {}}
EMPTY = [
    ("historical", "baseline", {}, COMPARED),
    ("randomised", "control", {}, COMPARED),
    ("matched", "matched", {}, COMPARED),
    ("matched", "matched_service", {}, SERVED),
    ("difference_in_differences", "parallel", {}, COMPARED),
    ("difference_in_differences", "parallel", {"parallel": {"form": "ratio"}}, COMPARED),
    ("difference_in_differences", "parallel", {"parallel": {"form": "regression"}}, COMPARED),
    ("difference_in_differences", "parallel_before", BEFORE_OTHERS, COMPARED),
    ("difference_in_differences", "service_before", BEFORE_OTHERS, COMPARED),
    ("difference_in_differences", "parallel_before", BEFORE_OTHERS | {"parallel": {"form": "ratio"}}, COMPARED),
    ("before_after", "service_before", BEFORE_OTHERS, COMPARED),
]
NOBODY = np.zeros((1, 0))


def without(*arms):
    """Return the people of every arm, but nobody of some."""
    return {arm: NOBODY if arm in arms else people for arm, people in PEOPLE.items()}


def conclude(people, design, sections=None, **metric):
    return measured(tallies_of(people), design, sections=sections or {}, metric=metric)


@pytest.mark.parametrize("estimate", ESTIMATES)
@pytest.mark.parametrize(("design", "arm", "sections", "reason"), EMPTY)
def test_empty_group__is_missing_with_its_reason(design, arm, sections, reason, estimate):
    # Source: the definition: a mean of nobody is no number.
    got = conclude(without(arm), design, sections, estimate=estimate)

    assert np.isnan(got.estimate).all()
    assert np.isnan(got.standard_error).all()
    assert np.isnan(got.by_wave).all()
    assert NOT_MEASURED[got.why[0, 0]] == NOT_MEASURED[got.why_by_wave[0, 0, 0]] == reason
    # What is true does not hang on who is compared.
    assert np.isfinite(got.truth).all()


@pytest.mark.parametrize("estimate", ESTIMATES)
@pytest.mark.parametrize("design", DESIGNS)
def test_no_service_users__have_a_total_of_0_and_no_mean(design, estimate):
    # Source: the definition: a sum over nobody is 0, with nothing uncertain about it.
    got = conclude(without("service", "twin", "matched_service"), design, estimate=estimate)

    expected = 0.0 if estimate == "total_difference" else np.nan
    np.testing.assert_array_equal(got.estimate, expected)
    np.testing.assert_array_equal(got.standard_error, expected)
    np.testing.assert_array_equal(got.truth, expected)
    assert NOT_MEASURED[got.why[0, 0]] == ("" if estimate == "total_difference" else SERVED)


@pytest.mark.parametrize("kind", ["amount", "number", "share"])
@pytest.mark.parametrize("design", ["historical", "randomised", "matched"])
@pytest.mark.parametrize("users", [[0, 0], [1, 0]])
def test_relative_reduction__of_nothing_is_missing(design, kind, users):
    # Source: the definition: (0 - m) / 0 is no number, whether the users have something or nothing.
    nothing = {"baseline": [0, 0], "control": [0, 0], "matched": [0, 0]}
    people = PEOPLE | nothing | {"service": users, "matched_service": users, "twin": [1, 1]}
    got = measured(tallies_of(people), design, kind=kind, metric={"estimate": "relative_reduction"})

    assert np.isnan(got.estimate).all()
    assert NOT_MEASURED[got.why[0, 0]] == SHARE_OF_NOTHING


def test_relative_reduction__of_a_rounding_is_missing():
    # Hand arithmetic: .1 + (.2 - .3) is 0, and 2.8e-17 in floating point.
    people = PEOPLE | {"service": ([0.1, 0.1], [0.2, 0.2]), "twin": [1, 1], "parallel": ([0.1, 0.1], [0.3, 0.3])}
    got = conclude(people, "difference_in_differences", estimate="relative_reduction")

    assert np.isnan(got.estimate).all()
    assert NOT_MEASURED[got.why[0, 0]] == SHARE_OF_NOTHING


def test_relative_reduction__has_no_truth_where_the_twins_have_nothing():
    got = conclude(PEOPLE | {"twin": [0, 0, 0]}, "randomised", estimate="relative_reduction")

    assert np.isnan(got.truth).all()
    assert np.isfinite(got.estimate).all()


@pytest.mark.parametrize("deadweight", [0.0, 0.5])
def test_relative_reduction__on_a_rate_card_is_a_share_of_the_deadweight(deadweight):
    # Hand arithmetic: mean 3, of which half would have been anyway: (1.5 - 3) / 1.5 = -1; of nothing there is no share.
    sections = {"rate_card": {"deadweight": deadweight}}
    got = conclude(PEOPLE, "rate_card", sections, estimate="relative_reduction", better="higher")

    assert told(got)[0] == pytest.approx(1.0 if deadweight else np.nan, nan_ok=True)


def test_ratio_of_changes__is_missing_where_there_was_nothing_before():
    # Source: the definition: 7 / 0 is no factor. By addition it can be said: 3 - (6 + 7 - 0) = -10.
    people = PEOPLE | {"parallel": ([4, 8, 9], [0, 0, 0])}
    got = conclude(people, "difference_in_differences", {"parallel": {"form": "ratio"}})

    assert np.isnan(got.estimate).all()
    assert "before entry" in NOT_MEASURED[got.why[0, 0]]
    assert told(conclude(people, "difference_in_differences"))[0] == pytest.approx(10)


def test_ratio_of_changes__can_be_said_of_users_who_had_nothing_before():
    # Hand arithmetic: 0 x 7 / 5 = 0 is expected, 3 is seen; the error is that of 3 and of 0 x 1.4: s^2 = 7 over 3 people.
    got = conclude(PEOPLE | {"service": ([1, 2, 6], [0, 0, 0])}, "difference_in_differences", {"parallel": {"form": "ratio"}})

    assert told(got)[:2] == pytest.approx((-3, np.sqrt(7 / 3)))


@pytest.mark.parametrize(("own", "other", "estimate"), [(2, 2, 4.0), (2, 5, np.nan)])
def test_regression__on_a_level_that_does_not_vary(own, other, estimate):
    # Source: least squares: a covariate that is the same for everybody says nothing (7 - 3 = 4); one that tells the groups apart
    # cannot be told from them.
    people = PEOPLE | {"service": ([1, 2, 6], [own] * 3), "parallel": ([4, 8, 9], [other] * 3)}
    got = conclude(people, "difference_in_differences", {"parallel": {"form": "regression"}})

    assert told(got)[0] == pytest.approx(estimate, nan_ok=True)
    # s^2 of both groups is 7: 7 (1/3 + 1/3).
    assert told(got)[1] == pytest.approx(np.sqrt(14 / 3) if own == other else np.nan, nan_ok=True)


# One person.


@pytest.mark.parametrize("kind", ["amount", "share", "score"])
@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("arm", ["service", "others"])
def test_one_person__leaves_the_standard_error_unknown(design, kind, arm):
    # Source: the definition: n - 1 = 0 degrees of freedom.
    one = ([1], [0])
    others = {"baseline": one, "control": one, "matched": one, "parallel": one}
    people = PEOPLE | ({"service": one, "twin": [1], "matched_service": one} if arm == "service" else others)
    if kind == "share":
        people = {name: tuple(np.minimum(part, 1) for part in as_parts(of)) for name, of in people.items()}
    got = measured(tallies_of(people), design, kind=kind)

    alone = arm == "others" and design in ("before_after", "rate_card")
    assert np.isfinite(got.estimate).all()
    assert np.isnan(got.standard_error).all() == (not alone)


@pytest.mark.parametrize(("shrinkage", "estimate"), [({"prior_sd": 1e5}, 7.0), ({"credibility": 0.25}, 7 + 0.25 * (19 - 7))])
def test_shrinkage__of_an_estimate_with_an_unknown_error_is_the_prior(shrinkage, estimate):
    # Source: the definition: nobody can say how much the estimate of 20 - 1 weighs; a credibility is agreed before.
    got = conclude(PEOPLE | {"service": [1], "control": [10, 30]}, "randomised", shrinkage={"prior": 7} | shrinkage)

    assert told(got)[:2] == pytest.approx((estimate, np.nan), nan_ok=True)


def test_shrinkage__of_nobody_is_missing():
    got = conclude(without("control"), "randomised", shrinkage={"prior": 7, "prior_sd": 1})

    assert np.isnan(got.estimate).all()


# Waves and mixes.


def test_wave__without_people_has_no_say_in_the_whole():
    # Hand arithmetic: the first wave alone: (4 - 3) x 1 = 1; nobody in the second.
    waves = ({"service": [3, 3], "control": [4, 4], "twin": [3, 3]}, {"service": NOBODY, "twin": NOBODY, "control": NOBODY})
    for by_wave in ({}, {"w1": "rate_card"}):
        sections = {"by_wave": by_wave, "rate_card": {"deadweight": 0}}
        got = measured(tallies_of(*waves), "randomised", sections=sections)

        np.testing.assert_array_equal(got.estimate, [[1]])
        np.testing.assert_array_equal(got.by_wave[0, :, 0], [1, np.nan])
        np.testing.assert_array_equal(got.cumulative[0, :, 0], [1, 1])
        np.testing.assert_array_equal(got.why_by_wave[0, :, 0] > 0, [False, True])


def test_waves__of_other_designs_are_missing_where_one_cannot_be_measured():
    waves = ({"service": [3, 3], "control": NOBODY, "twin": [3, 3]}, {"service": [1, 1], "twin": [1, 1], "baseline": [2, 2]})
    waves[0]["baseline"] = [2, 2]
    sections = {"by_wave": {"w1": "historical"}, "control": {}}
    got = measured(tallies_of(*waves), "randomised", sections=sections | {"baseline": {"size": 2, "years_before": 0}})

    np.testing.assert_array_equal(got.estimate, [[np.nan]])
    np.testing.assert_array_equal(got.by_wave[0, :, 0], [np.nan, 1])
    assert NOT_MEASURED[got.why[0, 0]] == COMPARED


@pytest.mark.parametrize(("weight", "estimate"), [(0.0, 3.0), (0.25, np.nan)])
def test_mix__needs_every_design_that_has_a_weight(weight, estimate):
    # Hand arithmetic: before and after 6 - 3 = 3; the trial has no control group.
    sections = {"control": {}, "mix": {"randomised": weight, "before_after": 1 - weight}}
    got = conclude(without("control"), "mix", sections)

    assert told(got)[0] == pytest.approx(estimate, nan_ok=True)
    assert NOT_MEASURED[got.why[0, 0]] == (COMPARED if weight else "")


def test_attrition__of_a_whole_wave_leaves_the_other_waves():
    # Invariant: one person a wave, three in four lost: the pooled mean is that of those who are left, and missing where nobody is.
    waves = [{"service": [[10.0]] * 400, "twin": [[10.0]] * 400, "control": [[30.0] * 50] * 400} for _ in range(2)]
    got = measured(tallies_of(*waves), "randomised", metric={"attrition": {"share": 0.75, "share_comparison": 0}})

    is_there = np.isfinite(got.estimate[:, 0])
    np.testing.assert_array_equal(is_there, np.isfinite(got.by_wave[:, :, 0]).any(axis=1))
    np.testing.assert_allclose(got.estimate[is_there], 20)
    # Closed form: both are lost with .75^2 = .5625.
    assert abs((~is_there).mean() - 0.5625) < 4.5 * np.sqrt(0.5625 * 0.4375 / 400)
