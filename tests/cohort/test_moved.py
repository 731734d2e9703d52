"""Moves that are counted and priced: against exact recursions, by hand, and where lives are cut."""

from __future__ import annotations

from dataclasses import replace
from math import comb
from typing import Any

import numpy as np
import pytest

from simengine.config import find_study, load_study
from simengine.errors import StudyError
from simengine.records import SERVICE, TWIN
from tests.reference.recursion import Distribution
from tests.reference.studies import cohort_of, tallies_of

LEAVES, RETURNS, MONTHS = 0.15, 0.4, 12
PATHWAY = {
    "states": ["home", "placed"],
    "start": {"only": {"home": 1}},
    "moves": {"home -> placed": {"per_month": LEAVES}, "placed -> home": {"per_month": RETURNS}},
}
ONE_STRATUM = {"waves": {"all": {"size": 100, "enrolment_months": 1}}, "strata": {"only": {"share": 1}}}


def people(outcomes: Any, **sections: Any) -> Any:
    return cohort_of(
        **({"population": ONE_STRATUM, "pathway": PATHWAY, "windows": (MONTHS,), "horizon": MONTHS} | sections), outcomes=outcomes
    )


def distribution_of_moves(per_month: tuple[float, float], per_move: tuple[float, float], months: int) -> Distribution:
    """Return the distribution of what one person who starts at home comes to; worth of a month at home and placed, of moving out and back.

    Backwards, with the sum from month t on in state i: Y = f_i + (m_ij + Y'_j) with probability P_ij; so that
    E Y^k = sum over j of P_ij E (f_i + m_ij + Y'_j)^k, expanded by the binomial theorem.
    """
    chances = [[1 - LEAVES, LEAVES], [RETURNS, 1 - RETURNS]]
    moved = [[0.0, per_move[0]], [per_move[1], 0.0]]
    later = [[1.0, 0.0, 0.0, 0.0, 0.0] for _ in range(2)]
    for _ in range(months):
        later = [
            [
                sum(
                    chances[i][j] * sum(comb(k, d) * (per_month[i] + moved[i][j]) ** (k - d) * later[j][d] for d in range(k + 1))
                    for j in range(2)
                )
                for k in range(5)
            ]
            for i in range(2)
        ]
    return Distribution.of(later[0])


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("outcome", "distribution"),
    [
        ({"kind": "count", "moves": "home -> placed"}, distribution_of_moves((0, 0), (1, 0), MONTHS)),
        ({"kind": "count", "moves": ["home -> placed", "placed -> home"]}, distribution_of_moves((0, 0), (1, 1), MONTHS)),
        ({"kind": "amount", "per_move": {"placed -> home": -0.5}}, distribution_of_moves((0, 0), (0, -0.5), MONTHS)),
        (
            {"kind": "amount", "per_day": {"placed": 2}, "per_move": {"home -> placed": 300}},
            distribution_of_moves((0, 2 * 365.25 / 12), (300, 0), MONTHS),
        ),
    ],
)
def test_moves__have_the_exact_mean_and_spread(outcome: Any, distribution: Distribution) -> None:
    """Source: the backward recursion of the moments; limit 4.5 standard errors."""
    tallies = tallies_of(people({"x": outcome}), 400)
    total, squares = (getattr(tallies, name)[:, 0, TWIN, 0, 0].sum() for name in ("sums", "squares"))
    scores = distribution.z_of_totals(400 * 100, total, squares)
    assert max(map(abs, scores)) < 4.5, scores
    # One move less, as if the last month did not count, is told apart.
    short = distribution_of_moves((0, 0), (1, 0), MONTHS - 1)
    if outcome.get("moves") == "home -> placed":
        assert abs(short.z_of_totals(400 * 100, total, squares)[0]) > 10


def test_moves__of_a_month_are_discounted_to_it_and_fall_into_its_year() -> None:
    """Source: by hand: everybody moves in month 0, back in month 1, and so on; entry in March 2030, so month 10 is January 2031."""
    certain = {"moves": {"home -> placed": {"per_month": 1}, "placed -> home": {"per_month": 1}}}
    cost = {"kind": "amount", "per_move": {"home -> placed": 100}, "discount_rate_per_year": 0.21}
    tallies = tallies_of(
        people(
            {"cost": cost, "n": {"kind": "count", "moves": "home -> placed"}},
            pathway=PATHWAY | certain,
            windows=(1, 2, 12),
            horizon=24,
        ),
        1,
    )
    # Out in the even months 0, 2, ..., 10: one in the first month, one in the first two, six in a year.
    np.testing.assert_array_equal(tallies.sums[0, 0, TWIN, 1], [100 * 1, 100 * 1, 100 * 6])
    expected = 100 * 100 * sum(1.21 ** (-month / 12) for month in range(0, 12, 2))
    assert tallies.sums[0, 0, TWIN, 0, 2] == pytest.approx(expected, rel=1e-12)
    # Years are counted from the start of the study, and never discounted to entry.
    np.testing.assert_array_equal(tallies.by_year[0, 0, TWIN], [[60_000, 60_000], [600, 600]])


def test_moves__have_the_price_of_the_stratum() -> None:
    """Source: by hand: all move once, 70 by 30 people; a stratum that is not named pays nothing."""
    once = {
        "states": ["home", "placed"],
        "start": {name: {"home": 1} for name in ("young", "older")},
        "moves": {"home -> placed": {"per_month": 1}},
    }
    strata = {"young": {"share": 0.7}, "older": {"share": "rest"}}
    outcomes = {
        "both": {"kind": "amount", "per_move_by_stratum": {"home -> placed": {"young": 5, "older": 2}}},
        "one": {"kind": "amount", "per_move_by_stratum": {"home -> placed": {"older": 2}}},
        "all": {"kind": "amount", "per_move": {"home -> placed": 1}},
    }
    tallies = tallies_of(people(outcomes, pathway=once, population=ONE_STRATUM | {"strata": strata}), 5)
    both, one, everybody = tallies.sums[:, 0, TWIN, :, 0].T
    older = one / 2
    assert older.min() > 0
    assert older.max() < 100
    np.testing.assert_array_equal(everybody, 100)
    np.testing.assert_array_equal(both, 5 * (100 - older) + 2 * older)


def test_moves__are_the_same_abreast_and_one_by_one() -> None:
    """Source: a distribution: a factor of 1 that each person carries changes nothing but the way of walking."""
    outcomes = {"n": {"kind": "count", "moves": ["home -> placed", "placed -> home"]}}
    together = tallies_of(people(outcomes), 3)
    carried = ONE_STRATUM | {"frailties": {"none": {"variance": 0, "on": "home -> placed"}}}
    apart = tallies_of(people(outcomes, population=carried), 3)
    np.testing.assert_array_equal(together.sums, apart.sums)
    assert together.sums[:, 0, SERVICE].sum() > 0


def test_moves__before_a_cut_count_as_before_it() -> None:
    """Source: by hand: all enter in month 0 and move in every month; the register changes in month 3: 0, 1 and 2 are before."""
    certain = {"moves": {"home -> placed": {"per_month": 1}, "placed -> home": {"per_month": 1}}}
    outcomes = {"n": {"kind": "count", "moves": ["home -> placed", "placed -> home"]}}
    cohort = replace(people(outcomes, pathway=PATHWAY | certain, windows=(12,)), changes=(3,))
    tallies = tallies_of(cohort, 1)
    assert tallies.sums[0, 0, SERVICE, 0, 0] == 100 * 12
    assert tallies.after_change is not None
    assert tallies.after_change[0, 0, SERVICE, 0, 0, 0, 0] == 100 * 9


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("outcomes.placement_cost_sek={kind: count}", "a count must name `events` or `moves`; found neither"),
        ("outcomes.placement_cost_sek={kind: count, moves: placed -> hom}", "must be one of pathway.moves; found `placed -> hom`"),
        (
            "outcomes.placement_cost_sek={kind: amount, per_move: {home -> school: 3}}",
            "must be one of pathway.moves; found `home -> school`",
        ),
        (
            "outcomes.placement_cost_sek={kind: amount, per_move: {placed -> home: 3}, "
            "per_move_by_stratum: {placed -> home: {young: 1}}}",
            "one price, or one by stratum; found both for placed -> home",
        ),
        (
            "outcomes.placement_cost_sek={kind: amount, per_move_by_stratum: {placed -> home: {yung: 1}}}",
            "a stratum must be one of population.strata; found `yung`",
        ),
    ],
)
def test_moves__refuse_what_is_not_there(override: str, message: str) -> None:
    with pytest.raises(StudyError, match=r"outcomes\.placement_cost_sek") as refused:
        load_study(find_study("tiny"), [override])
    assert message in str(refused.value)
