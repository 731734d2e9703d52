"""What was observed against other libraries: SciPy in the same run, lifelines by its printed figures."""

from __future__ import annotations

import numpy as np
import pytest
from rich.console import Console
from scipy import stats

from simengine.spells.fit import fit
from simengine.spells.goodness import judge_fit
from simengine.spells.hazards import fit_hazards
from simengine.spells.observed import kaplan_meier, occupancy_curve, survival_curve
from simengine.spells.tables import fit_tables
from tests.spells.made import months, planned, spells_of

ENTRY = np.array([0, 0, 0, 0, 3.5, 2, 0, 5, 0, 1, 0, 8, 0, 0, 4, 6.5, 0, 0, 2.5, 0.0])
STOP = np.array([4, 7, 1.5, 12, 9, 6, 20, 11, 3, 14, 2, 16, 8.5, 5, 10, 18, 13, 24, 7.5, 30.0])
IS_EVENT = np.array([1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 0], dtype=bool)
GRID = np.array([2, 5, 8, 12, 18, 24.0])


def test_kaplan_meier__with_left_truncation_is_that_of_lifelines() -> None:
    """lifelines 0.30.3, KaplanMeierFitter().fit(STOP, IS_EVENT, entry=ENTRY).predict(t)."""
    survival, _, _ = kaplan_meier(ENTRY, STOP, IS_EVENT, GRID)
    of_lifelines = [0.8461538461538463, 0.6655229158642906, 0.5670727803814074, 0.42005391139363507, 0.2250288811037331]
    assert survival[:5].tolist() == pytest.approx(of_lifelines, rel=1e-12)


def test_kaplan_meier__without_truncation_is_that_of_scipy() -> None:
    seen = stats.CensoredData(uncensored=STOP[IS_EVENT], right=STOP[~IS_EVENT])
    of_scipy = stats.ecdf(seen).sf.evaluate(GRID)
    survival, _, _ = kaplan_meier(np.full(len(STOP), -1.0), STOP, IS_EVENT, GRID)
    assert survival.tolist() == pytest.approx(of_scipy.tolist(), rel=1e-12)


def test_survival_curve__has_the_band_of_lifelines() -> None:
    """confidence_interval_survival_function_ of the same fit at 5 and 11 months.

    Five have left by month 5, ten by month 11, fourteen in all: no other month is shown, or fewer than five would be told apart.
    """
    people = [
        [("in", 0, months(stop)), ("out", months(stop), 2000)] if event else [("in", 0, months(stop))]
        for stop, event in zip(STOP, IS_EVENT, strict=True)
    ]
    spells = spells_of(people, entry={i: months(one) for i, one in enumerate(ENTRY) if one})
    curve = survival_curve(spells, 0, 30)
    assert curve.low[[5, 11]] == pytest.approx([0.375683, 0.197688], abs=1e-6)
    assert curve.high[[5, 11]] == pytest.approx([0.844211, 0.628701], abs=1e-6)
    assert np.flatnonzero(np.isfinite(curve.share)).tolist() == [0, 5, 11]


def test_occupancy__is_the_share_of_those_observed_and_hides_small_numbers() -> None:
    """40 people enter; 10 leave after 2.5 months, 3 more after 5.5; 10 others are observed for 4 months only."""
    people = (
        [[("in", 0, months(2.5)), ("out", months(2.5), months(9))]] * 10
        + [[("in", 0, months(5.5)), ("out", months(5.5), months(9))]] * 3
        + [[("in", 0, months(4))]] * 10
        + [[("in", 0, months(9))]] * 17
    )
    spells = spells_of(people)
    plan, _ = planned(spells)
    curves = occupancy_curve(spells, plan, (), 8)
    of_in = curves[0]
    assert np.isnan(of_in.share[2])  # all 40 are in: as good as a small number out
    assert of_in.share[3] == pytest.approx(30 / 40)
    assert of_in.share[5] == pytest.approx(20 / 30)
    assert of_in.share[6] == pytest.approx(17 / 30)
    # Wilson by hand: p 0.75, n 40: (0.75 + 1.9207 / 40 ± 1.96 sqrt(0.75 x 0.25 / 40 + 3.8415 / 6400)) / (1 + 3.8415 / 40)
    assert of_in.low[3] == pytest.approx(0.5981, abs=1e-4)
    assert of_in.high[3] == pytest.approx(0.8581, abs=1e-4)


def test_class_in_which_nobody_is_at_risk__is_no_class() -> None:
    """Sixths of 30 moves, 5 in month 0, 16 in month 1, 9 in month 2, lie at 0.83, 1, 1, 1 and 2: no month is between 0.83 and 1.

    At risk: 5 x 0.5 + 25, 16 x 0.5 + 9 and 9 x 0.5 person-months, 49 in all; the hazard is 30.5 / 49 or near it.
    """
    stays = [0.5] * 5 + [1.5] * 16 + [2.5] * 9
    spells = spells_of([[("care", 0, months(stay)), ("home", months(stay), months(9))] for stay in stays])
    plan, choices = planned(spells)
    fitted = fit_hazards(spells, plan, choices, 0.0)
    (test,) = judge_fit(spells, plan, fitted, 0.0).moves.values()
    hazard = float(np.exp(fitted.hazards[0].log_rate[0]))
    assert hazard == pytest.approx(30.5 / 49, rel=0.03)
    by_hand = sum((seen - hazard * at_risk) ** 2 / (hazard * at_risk) for seen, at_risk in ((5, 27.5), (16, 17), (9, 4.5)))
    assert test.chi_square == pytest.approx(by_hand, rel=1e-6)
    assert test.degrees == 2


def test_numbers_of_moves__are_never_broken() -> None:
    """`fewer than 5` is wider than any number of moves: names make room for it, over two lines."""
    spells = spells_of(
        [[("residential_care_home", 0, months(1)), ("foster_home", months(1), months(9))] for _ in range(30)]
        + [[("foster_home", 0, months(1)), ("residential_care_home", months(1), months(9))] for _ in range(3)]
    )
    console = Console(width=80)
    with console.capture() as captured:
        console.print(fit_tables(fit(spells).content))
    moves = captured.get().partition("Do hazards")[0]
    assert "fewer than 5" in moves
    assert "person-months" in moves
    # 30 x 1 + 3 x 8 months in residential care, 3 x 1 + 30 x 8 in foster homes.
    assert {"54", "243"} <= set(moves.split())
