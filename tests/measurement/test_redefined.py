"""What is counted changes at a date: hand arithmetic on people who cost 1 a day for ever, and the distributions of thinned counts."""

from __future__ import annotations

import numpy as np
import pytest

from simengine.pipeline import simulate
from simengine.questions.attribute.layers import layers_in
from simengine.records import CONTROL, MOMENTS, SERVICE, TWIN
from tests.measurement.small import problems_of, study_of

DAYS = 365.25 / 12
STEADY = {
    "population.history_months": 12,
    "population.frailties": {},
    "population.waves": {"one": {"size": 50, "enrolment_months": 1}},
    "events": {},
    "effect": {},
    "outcomes": {"cost": {"kind": "amount", "per_day": {"at_work": 1}}},
    "measurement.control": {"ratio": 1},
    "measurement.parallel": {"ratio": 1},
    "measurement.baseline": {"size": 50, "years_before": 2},
}


def metric(outcome, **more):
    return {"outcome": outcome, "window_months": 12, "estimate": "rate_difference", "better": "lower", **more}


def estimates(design, redefined, changes=None, *, outcome="cost", n=5, seed=1):
    asked = {"measurement.design": design, "measurement.metrics": {"reduction": metric(outcome, redefined=redefined)}}
    return simulate(study_of(STEADY | (changes or {}) | asked), seed, np.arange(n)).measurements


@pytest.mark.parametrize(
    ("design", "groups", "months"),
    [
        # From month 6 on half is counted: 6 + 6 / 2 = 9 months of 12 are seen, three seem to be saved.
        ("before_after", "both", 3),
        ("historical", "both", 3),
        ("randomised", "both", 0),
        ("difference_in_differences", "both", 0),
        # The register of one side alone: the live control is misled as well, by the side that changed.
        ("randomised", "service", 3),
        ("randomised", "comparison", -3),
        ("difference_in_differences", "comparison", -3),
        ("before_after", "comparison", 0),
    ],
)
def test_drift_at_a_date__misleads_whom_it_must(design, groups, months) -> None:
    found = estimates(design, {"from_month": 6, "factor": 0.5, "groups": groups})
    assert found.estimate == pytest.approx(np.full((5, 1), months * DAYS), abs=1e-9)
    assert (found.truth == 0).all()


def test_fee_that_rises__counts_each_from_the_date_on() -> None:
    """By hand: half as much again for people who enter over 12 months; who enters in month e has e months after month 12.

    With an even entry that is 5.5 months of 12 on average; before and after see 2.75 months more.
    """
    waves = {"population.waves": {"one": {"size": 400, "enrolment_months": 12}}}
    found = estimates("before_after", {"from_month": 12, "factor": 1.5}, waves, n=100).estimate[:, 0]
    assert abs(found.mean() + 2.75 * DAYS) < 4.5 * found.std(ddof=1) / 10


def test_moments__are_those_of_what_came_later() -> None:
    """A date before everybody's entry: all of the window is later, nothing before; before the history, that too."""
    events = {
        "events": {"spell": {"rates": {"at_work": {"rate_per_year": 1.5}}}},
        "outcomes": {"spells": {"kind": "count", "events": "spell"}},
    }
    for from_month, is_all in ((0, False), (12, True)):
        waves = {
            "population.waves": {"one": {"size": 50, "from_month": from_month, "enrolment_months": 1}},
            "study.horizon_months": 40,
        }
        study = study_of(
            STEADY
            | events
            | waves
            | {"measurement.metrics": {"reduction": metric("spells", redefined={"from_month": 0, "factor": 1})}}
        )
        tallies = simulate(study, 1, np.arange(5)).tallies
        for arm in (SERVICE, CONTROL, TWIN):
            at = (slice(None), 0, arm)
            of = dict(zip(MOMENTS, np.moveaxis(tallies.after_change[at][:, 0, :, 0, 0], 1, 0), strict=True))
            x, xx, xh = tallies.sums[at][:, 0, 0], tallies.squares[at][:, 0, 0], tallies.products_with_before[at][:, 0, 0]
            h, hh = tallies.sums_before[at][:, 0] * is_all, tallies.squares_before[at][:, 0] * is_all
            expected = (x, xx, xx, h, hh, hh, xh, xh * is_all, xh * is_all)
            assert x.min() > 0
            for name, value in zip(MOMENTS, expected, strict=True):
                assert (of[name] == value).all(), (name, from_month)


def test_factor_of_one__changes_no_bit() -> None:
    plain = simulate(study_of(STEADY | {"measurement.metrics": {"reduction": metric("cost")}}), 1, np.arange(5)).measurements
    assert (estimates("before_after", {"from_month": 6, "factor": 1}).estimate == plain.estimate).all()


@pytest.mark.parametrize(("factor", "variance"), [(0.6, 0.6), (1.4, 2.36)])
def test_count__is_thinned_or_thickened_event_by_event(factor, variance) -> None:
    """Two spells a year by a Poisson distribution, 200 people; from the middle of the window on they are counted in another way.

    By hand: one spell of the second half year counts as Binomial(1, 0.6), a Poisson distribution of mean and variance 0.6; or as
    1 + P with P Poisson(0.4), which gives the variance 1 x E (1 + P)^2 = 1 + 0.8 + 0.4 + 0.16 = 2.36 (compound Poisson). Before, a
    year has the variance 2, and the first half year 1.
    """
    changes = {
        "events": {"spell": {"rates": {"at_work": {"rate_per_year": 2}}}},
        "outcomes": {"spells": {"kind": "count", "events": "spell"}},
        "population.waves": {"one": {"size": 200, "enrolment_months": 1}},
    }
    n = 1000
    found = estimates("before_after", {"from_month": 6, "factor": factor}, changes, outcome="spells", n=n)
    fall, sd = found.estimate[:, 0], np.sqrt((2 + 1 + variance) / 200)
    assert abs(fall.mean() - (1 - factor)) < 4.5 * sd / np.sqrt(n)
    assert abs(fall.std(ddof=1) / sd - 1) < 4.5 / np.sqrt(2 * n)
    assert abs(found.standard_error.mean() / sd - 1) < 0.01


def test_error__of_a_change_in_the_year_before_knows_what_goes_together() -> None:
    """Closed form: money for each of 2 spells a year, a gamma factor of variance 1, entry in month 6, half of it from month 0 on.

    Counted are y = x / 2 after and h = h1 + h2 / 2 before, of two half years. Var y = (2 + 4) / 4 = 1.5, Var h = 1 + 1 / 4 +
    1.5^2 = 3.5, and their covariance is that of the factor, 1 x 1.5 = 1.5: the fall varies by 1.5 + 3.5 - 3 = 2 between people.
    """
    people, n = 200, 1000
    changes = {
        "population.frailties": {"person": {"variance": 1, "on": ["spell"]}},
        "population.waves": {"one": {"size": people, "from_month": 6, "enrolment_months": 1}},
        "events": {"spell": {"rates": {"at_work": {"rate_per_year": 2}}}},
        "outcomes": {"cost": {"kind": "amount", "per_event": {"spell": 1}}},
    }
    found = estimates("before_after", {"from_month": 0, "factor": 0.5}, changes, n=n)
    fall, sd = found.estimate[:, 0], np.sqrt(2 / people)
    assert abs(fall.mean() - (1.5 - 1)) < 4.5 * sd / np.sqrt(n)
    assert abs(fall.std(ddof=1) / sd - 1) < 4.5 * np.sqrt(
        0.75 / n
    )  # a skewed distribution: twice the variance of a normal one at most
    assert abs(found.standard_error.mean() / sd - 1) < 0.02


def test_half_a_year_before__is_scaled_to_the_window_as_it_is_counted() -> None:
    """By hand: of six months before entry the last three count by half, 4.5 of 6, so 9 of 12; after it 6 of 12: a fall of 3."""
    changes = {
        "population.history_months": 6,
        "population.waves": {"one": {"size": 50, "from_month": 6, "enrolment_months": 1}},
    }
    found = estimates("before_after", {"from_month": 3, "factor": 0.5}, changes)
    assert found.estimate == pytest.approx(np.full((5, 1), 3 * DAYS), abs=1e-9)


@pytest.mark.parametrize(("factor", "counted"), [(0.6, 0.6), (1.4, 1.96 + 0.4)])
def test_count_of_half_a_year_before__has_the_spread_of_its_scale(factor, counted) -> None:
    """Closed form: one spell in the half year before entry, two in the year after it, all counted in another way.

    A spell counts once with probability 0.6, or 1 + P times with P Poisson(0.4), of second moment 1.96 + 0.4. Before, twice their
    sum has four times that variance; after, two spells have twice of it.
    """
    people, n = 200, 300
    changes = {
        "population.history_months": 6,
        "population.waves": {"one": {"size": people, "from_month": 6, "enrolment_months": 1}},
        "events": {"spell": {"rates": {"at_work": {"rate_per_year": 2}}}},
        "outcomes": {"spells": {"kind": "count", "events": "spell"}},
    }
    found = estimates("before_after", {"from_month": 0, "factor": factor}, changes, outcome="spells", n=n)
    fall, sd = found.estimate[:, 0], np.sqrt((4 + 2) * counted / people)
    assert abs(fall.mean()) < 4.5 * sd / np.sqrt(n)
    assert abs(fall.std(ddof=1) / sd - 1) < 4.5 / np.sqrt(2 * n)
    assert abs(found.standard_error.mean() / sd - 1) < 0.02


def test_answers__of_those_who_are_read_from_the_date_on() -> None:
    """By hand: all pass at month 12. Half of them enter from month 6 on and are read from month 18 on: there 80 % count."""
    changes = {
        "outcomes": {"passed": {"kind": "binary", "at_month": 12, "probability": {"at_work": 1}}},
        "population.waves": {"one": {"size": 300, "enrolment_months": 12}},
        "measurement.control": {"ratio": 1},
    }
    n = 300
    found = estimates("historical", {"from_month": 18, "factor": 0.8}, changes, outcome="passed", n=n).estimate[:, 0]
    assert abs(found.mean() - 0.1) < 4.5 * found.std(ddof=1) / np.sqrt(n)
    both = estimates("randomised", {"from_month": 18, "factor": 0.8}, changes, outcome="passed", n=n).estimate[:, 0]
    assert abs(both.mean()) < 4.5 * both.std(ddof=1) / np.sqrt(n)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"outcome": "any"}, "redefined"),
        ({"transfers": "hidden"}, "redefined"),
        ({"binary": True}, "redefined.factor"),
    ],
)
def test_refusal__names_what_cannot_be_counted_in_another_way(changes, path) -> None:
    redefined, more, outcome = {"from_month": 6, "factor": 1.2}, {}, changes.get("outcome", "spells")
    if "transfers" in changes:
        more = {"population__transfer": {"per_year": 0.1}, "measurement__transfers": "hidden"}
    if "binary" in changes:
        outcome, more = "passed", {"outcomes__passed": {"kind": "binary", "at_month": 6, "probability": {"at_work": 1}}}
        more |= {"measurement__design": "randomised", "measurement__control": {"ratio": 1}}
    more["measurement__metrics__reduction"] = metric(outcome, redefined=redefined)
    assert f"measurement.metrics.reduction.{path}" in problems_of(**more)


def test_people_who_are_chosen_for_their_past__are_chosen_for_what_they_lived() -> None:
    """Whatever is counted, people and their truth are the same; only the months behind the date are read in another way."""
    changes = {
        "events": {"spell": {"rates": {"at_work": {"rate_per_year": 2}}}},
        "outcomes": {"spells": {"kind": "count", "events": "spell"}},
        "population.selection": {"outcome": "spells", "at_least": 3},
        "effect": {"fewer": {"event": "spell", "hazard_ratio": 0.5}},
    }
    plain = estimates("before_after", None, changes, outcome="spells")
    other = estimates("before_after", {"from_month": 6, "factor": 0.0}, changes, outcome="spells")
    assert (plain.truth == other.truth).all()
    assert (plain.estimate < other.estimate).all()


def test_errors__of_the_counting_are_of_the_layer_of_measurement() -> None:
    """A share of events is counted by luck of the register's own, even where nobody else is compared with."""
    alone = {path: value for path, value in STEADY.items() if path.split(".")[0] != "measurement"}
    layers = [
        layers_in(study_of(alone | {"measurement.metrics": {"reduction": metric("cost", redefined=redefined)}}))
        for redefined in (None, {"from_month": 6, "factor": 0.5})
    ]
    assert ["measurement" in one for one in layers] == [False, True]
