"""People who move out of the area: exact distributions of a small chain, hand arithmetic, and what must not change."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from simengine.config import cohort_of
from simengine.pipeline import draw_numbers, evaluate, simulate
from simengine.records import BASELINE, CONTROL, SERVICE, TWIN, Seen
from simengine.replications.ensemble import lived, lived_again
from tests.measurement.small import problems_of, study_of

DAYS = 365.25 / 12
N, SIZE = 300, 400
MOVES = {"placed -> home": {"per_month": 0.10}, "home -> placed": {"per_month": 0.04}}
CHAIN = {
    "population.history_months": 0,
    "population.frailties": {},
    "population.waves": {"one": {"size": SIZE, "enrolment_months": 1}},
    "population.transfer": {"rate_per_month": 0.05, "factor_in": {"placed": 2.0}},
    "pathway": {"states": ["home", "placed"], "start": {"all": {"placed": 1}}, "moves": MOVES},
    "events": {},
    "effect": {},
    "outcomes": {
        "cost": {"kind": "amount", "per_day": {"placed": 10}},
        "days": {"kind": "amount", "per_day": {"home": 1, "placed": 1}},
    },
    "measurement.design": "randomised",
    "measurement.control": {"ratio": 1},
    "measurement.metrics": {
        "reduction": {"outcome": "cost", "window_months": 12, "estimate": "rate_difference", "better": "lower"}
    },
    "contract.terms.payment": {"share": 1.0, "of": "drawn", "only_if": {"reduction": {"at_least": 50}}},
}


def lives(mode, changes=None, n=N, seed=1):
    study = study_of(CHAIN | {"measurement.transfers": mode} | (changes or {}))
    return study, simulate(study, seed, np.arange(n))


def here_by_month(ratio=1.0, months=12):
    """Who is in the area in each month, by state: each month they pay by the hazard of the state, and move on."""
    step, leaving = np.array([[0.96, 0.04], [0.10, 0.90]]), np.array([0.05, 0.10]) * ratio
    now, out = np.array([0.0, 1.0]), []
    for _ in range(months):
        out.append(now)
        now = (now * np.exp(-leaving)) @ step
    return np.array(out)


def cost_of_those_left(ratio=1.0, months=12):
    """Mean and mean square of the cost of those who are there in the last month, by their months in care so far."""
    step, leaving = np.array([[0.96, 0.04], [0.10, 0.90]]), np.array([0.05, 0.10]) * ratio
    distribution = np.zeros((2, months + 1))
    distribution[1, 0] = 1.0
    for month in range(months):
        paid = np.stack([distribution[0], np.roll(distribution[1], 1)])
        distribution = paid if month == months - 1 else np.einsum("sk,st->tk", paid * np.exp(-leaving)[:, None], step)
    by_months = distribution.sum(axis=0)
    cost = np.arange(months + 1) * DAYS * 10
    return by_months.sum(), (by_months * cost).sum() / by_months.sum()


def close(values, expected):
    assert abs(values.mean() - expected) < 4.5 * values.std(ddof=1) / np.sqrt(len(values)), (values.mean(), expected)


def test_hidden__counts_what_happens_until_the_move() -> None:
    _, evidence = lives("hidden")
    seen = evidence.tallies.seen
    expected = here_by_month()[:, 1].sum() * DAYS * 10
    for arm in (SERVICE, CONTROL, TWIN):
        assert (seen.weight[:, 0, arm, 0] == SIZE).all()
        close(seen.sums[:, 0, arm, 0, 0] / SIZE, expected)
    # In the years of the calendar, too: the first year is the window.
    close(evidence.tallies.by_year_here[:, 0, SERVICE, 0, 0] / SIZE, expected)


def test_left_out__counts_those_alone_who_are_there_to_the_end() -> None:
    _, evidence = lives("left_out")
    seen, (share, mean) = evidence.tallies.seen, cost_of_those_left()
    assert share == pytest.approx(here_by_month()[-1].sum())
    close(seen.weight[:, 0, SERVICE, 0] / SIZE, share)
    assert (seen.weight == seen.weight_squares).all()
    # A ratio of sums over replications: to first order it varies as these residuals.
    ratio = seen.sums[:, 0, SERVICE, 0, 0].sum() / seen.weight[:, 0, SERVICE, 0].sum()
    residual = (seen.sums[:, 0, SERVICE, 0, 0] - ratio * seen.weight[:, 0, SERVICE, 0]) / (share * SIZE)
    assert abs(ratio - mean) < 4.5 * residual.std(ddof=1) / np.sqrt(N)
    # Those in care move away more often: who stays costs less than all. Nobody is left out at random here.
    everybody = evidence.tallies.sums[:, 0, SERVICE, 0, 0].mean() / SIZE
    assert ratio < 0.95 * everybody


def test_left_out__has_the_error_of_those_who_are_left() -> None:
    """Source: the textbook's error of a difference of two means, of the numbers and the spread of those who are seen."""
    _, evidence = lives("left_out", n=5)
    seen, variance = evidence.tallies.seen, np.zeros(5)
    for arm in (SERVICE, CONTROL):
        number, total, squares = seen.weight[:, 0, arm, 0], seen.sums[:, 0, arm, 0, 0], seen.squares[:, 0, arm, 0, 0]
        assert (number < SIZE).all()
        variance += (squares - total**2 / number) / (number - 1) / number
    np.testing.assert_allclose(evidence.measurements.standard_error[:, 0], np.sqrt(variance), rtol=1e-9)


@pytest.mark.parametrize("mode", ["hidden", "left_out"])
@pytest.mark.parametrize(
    "changes",
    [
        {"measurement.design": "before_after"},
        {"measurement.design": "difference_in_differences", "measurement.parallel": {}},
        {"measurement.design": "difference_in_differences", "measurement.parallel": {}, "measurement.cross_section": {}},
    ],
    ids=["before_after", "difference_in_differences", "cross_section"],
)
def test_area__that_nobody_leaves_shows_what_a_register_of_all_shows(mode, changes) -> None:
    """A distribution: with a rate of 0 an evaluator who looks at the area alone sees everybody, also over six months before entry."""
    same = changes | {"population.history_months": 6, "population.transfer": {"rate_per_month": 0.0}}
    (_, got), (_, expected) = (lives(one, same, n=5) for one in (mode, "followed"))
    for name in ("estimate", "standard_error"):
        there = getattr(expected.measurements, name)
        assert (there != 0).all()
        np.testing.assert_allclose(getattr(got.measurements, name), there, rtol=1e-9)


def test_transfer__changes_no_life() -> None:
    """Whoever moves lives on: whole lives have the same bits with and without a move, followed or not."""
    whole = {
        mode: simulate(study_of(CHAIN | {"measurement.transfers": mode}), 1, np.arange(20)).tallies
        for mode in ("followed", "hidden")
    }
    changes = {path: value for path, value in CHAIN.items() if path != "population.transfer"}
    whole["nobody moves"] = simulate(study_of(changes), 1, np.arange(20)).tallies
    for name in ("sums", "squares", "by_year", "person_months", "weight"):
        assert len({getattr(tallies, name).tobytes() for tallies in whole.values()}) == 1, name
    assert whole["followed"].seen is None
    assert whole["nobody moves"].by_year_here is None
    followed = simulate(study_of(CHAIN), 1, np.arange(20)).measurements.estimate
    assert (followed == simulate(study_of(changes), 1, np.arange(20)).measurements.estimate).all()


def test_twin__moves_on_the_same_day_where_the_service_moves_nobody() -> None:
    _, evidence = lives("hidden", n=20)
    assert (evidence.tallies.seen.sums[:, 0, SERVICE] == evidence.tallies.seen.sums[:, 0, TWIN]).all()


def test_hidden__a_service_that_moves_people_away_looks_like_one_that_helps() -> None:
    """By hand: everybody costs 1 a day for ever, 5 % leave a month without the service and 10 % with it; nothing is saved.

    Seen are the sums over months 0 to 11 of q^m: (1 - .95^12) / .05 = 9.1928 and (1 - .90^12) / .10 = 7.1757 months; the
    difference of 2.0171 months is 61.40 days a person. Whoever leaves them out sees nothing of the kind.
    """
    changes = {
        "population.transfer": {"per_month": 0.05, "ratio_with_service": np.log(0.90) / np.log(0.95)},
        "measurement.metrics.reduction.outcome": "days",
    }
    months = (1 - 0.95**12) / 0.05 - (1 - 0.90**12) / 0.10
    assert months * DAYS == pytest.approx(61.40, abs=0.005)
    _, hidden = lives("hidden", changes)
    close(hidden.measurements.estimate[:, 0], months * DAYS)
    assert (hidden.measurements.truth == 0).all()
    _, left_out = lives("left_out", changes)
    assert np.abs(left_out.measurements.estimate).max() < 1e-9


def test_left_out__sees_before_and_after_of_the_same_people() -> None:
    """With a history, the months before entry are those of whoever is there to the end: a change of nothing stays nothing."""
    changes = {
        "population.history_months": 12,
        "measurement.design": "before_after",
        "measurement.metrics.reduction.outcome": "days",
    }
    _, evidence = lives("left_out", changes, n=20)
    seen = evidence.tallies.seen
    assert seen.sums_before[:, 0, SERVICE, 1, 0] == pytest.approx(seen.weight[:, 0, SERVICE, 0] * 12 * DAYS)
    assert np.abs(evidence.measurements.estimate).max() < 1e-9
    # Who is hidden seems to cost less than before, by the months away: 12 less the months in the area.
    _, hidden = lives("hidden", changes)
    months = 12 - here_by_month_after_history()
    close(hidden.measurements.estimate[:, 0], months * DAYS)


def here_by_month_after_history():
    """Months in the area of the year after entry, where nobody moves in the year before."""
    step, leaving = np.array([[0.96, 0.04], [0.10, 0.90]]), np.array([0.05, 0.10])
    now, months = np.linalg.matrix_power(step.T, 12) @ np.array([0.0, 1.0]), 0.0
    for _ in range(12):
        months, now = months + now.sum(), (now * np.exp(-leaving)) @ step
    return months


def test_value__ends_or_halves_with_the_move() -> None:
    """By hand: the value is price x (here + share x (everywhere - here)), whatever the evaluator does."""
    gain = {"population.transfer": {"per_month": 0.05}, "effect": {"home": {"move": "placed -> home", "hazard_ratio": 2.0}}}
    prices = {share: {"cost": {"outcome_payer": {"share_after_transfer": share}}} for share in (0, 0.5, 1)}
    value = {}
    for share, price in prices.items():
        study, evidence = lives("followed", gain | {"public_value": price}, n=50)
        value[share] = evaluate(study, evidence)["outcome_payer.true_saving"]
    here, everywhere = (
        array[:, 0, TWIN, 0].sum(axis=1) - array[:, 0, SERVICE, 0].sum(axis=1)
        for array in (evidence.tallies.by_year_here, evidence.tallies.by_year)
    )
    assert value[0] == pytest.approx(here)
    assert value[1] == pytest.approx(everywhere)
    assert value[0.5] == pytest.approx((here + everywhere) / 2)
    assert 0 < here.mean() < 0.8 * everywhere.mean()


def test_answers_and_targets__of_whoever_has_gone_are_not_read() -> None:
    """By hand: 5 % leave a month; at month 12 a share .95^11 = .5688 is there to be read, and all of them say yes."""
    changes = {
        "population.transfer": {"per_month": 0.05},
        "outcomes.passed": {"kind": "binary", "at_month": 12, "probability": {"home": 1, "placed": 1}},
        "outcomes.cheap": {"kind": "target", "outcome": "days", "at_most": 5.5 * DAYS},
    }
    _, evidence = lives("hidden", changes)
    seen, names = evidence.tallies.seen, evidence.tallies.outcomes
    close(seen.sums[:, 0, SERVICE, names.index("passed"), 0] / SIZE, 0.95**11)
    # A target of little is reached by moving away: within 5 months, a share 1 - .95^5 = .2262.
    close(seen.sums[:, 0, SERVICE, names.index("cheap"), 0] / SIZE, 1 - 0.95**5)


def test_lived_again__gives_what_was_lived() -> None:
    changes = {
        "population.transfer": {"per_month": 0.05, "ratio_with_service": 2.0},
        "effect": {"home": {"move": "placed -> home", "hazard_ratio": 2.0}},
    }
    study = study_of(CHAIN | {"measurement.transfers": "hidden"} | changes)
    draws, cohort = draw_numbers(study, 1, np.arange(10)), cohort_of(study)
    untouched = lived(cohort, draws, strength=0.0)
    again, anew = lived_again(cohort, draws, 0.5, untouched), lived(cohort, draws, strength=0.5)
    for one in fields(Seen):
        assert (
            getattr(again.seen, one.name)[:, :, [SERVICE, TWIN, CONTROL]]
            == getattr(anew.seen, one.name)[:, :, [SERVICE, TWIN, CONTROL]]
        ).all()
    # A service that changes nothing moves nobody.
    assert (untouched.seen.sums[:, 0, SERVICE] == untouched.seen.sums[:, 0, TWIN]).all()


def test_earlier_people__move_away_as_well() -> None:
    changes = {"measurement.design": "historical", "measurement.baseline": {"size": SIZE, "years_before": 0}}
    _, evidence = lives("hidden", changes)
    close(evidence.tallies.seen.sums[:, 0, BASELINE, 0, 0] / SIZE, here_by_month()[:, 1].sum() * DAYS * 10)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"measurement__transfers": "hidden"}, "measurement.transfers"),
        ({"population__transfer": {"per_year": 0.1, "factor_in": {"moon": 1}}}, "population.transfer.factor_in.moon"),
        (
            {
                "population__transfer": {"per_year": 0.1},
                "measurement__transfers": "left_out",
                "measurement__design": "randomised",
                "measurement__control": {"ratio": 20, "exact_moments": True},
            },
            "measurement.transfers",
        ),
        (
            {
                "population__transfer": {"per_year": 0.1},
                "measurement__transfers": "hidden",
                "outcomes__level": {"kind": "score", "at_month": 12, "mean": 1, "sd": 1, "correlation": 0},
                "measurement__metrics__reduction": {
                    "outcome": "level",
                    "window_months": 12,
                    "estimate": "rate_difference",
                    "better": "lower",
                },
            },
            "measurement.metrics.reduction.outcome",
        ),
        (
            {
                "population__transfer": {"per_year": 0.1},
                "outcomes__spent": {"kind": "amount", "per_day": {"at_work": 1}, "counted": "end"},
            },
            "outcomes.spent.counted",
        ),
        (
            {
                "public_value": {
                    "spells": {
                        "outcome_payer": {"value_per_unit": 1, "better": "lower", "cashable_share": 1, "share_after_transfer": 0}
                    }
                }
            },
            "public_value.spells.outcome_payer.share_after_transfer",
        ),
    ],
)
def test_refusal__names_what_cannot_be_counted(changes, path) -> None:
    assert path in problems_of(**changes)
