"""The compiled kernel against its slow twin, draw for draw, and against itself without compilation."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simengine
from simengine.cohort.kernels import effect_strength, fill_cumulative, last_month, leave_walked, pick_move, walk_people
from tests.reference import cohort as reference

NEVER = np.inf
FILLED = ("sums", "squares", "person_months", "by_year")


def matrix(hazard: Any) -> dict[str, Any]:
    """Give the moves of a matrix of hazards, shape (replication, stratum, from, to), without its diagonal."""
    table = np.array(hazard, dtype=float)
    n_states = table.shape[2]
    pairs = [(i, j) for i in range(n_states) for j in range(n_states) if i != j]
    return {
        "moves_of": [i * (n_states - 1) for i in range(n_states + 1)],
        "move_to": [j for _, j in pairs],
        "hazard": np.stack([table[:, :, i, j] for i, j in pairs], axis=2) if pairs else np.empty((*table.shape[:2], 0)),
    }


def case(**changes: Any) -> dict[str, Any]:
    """Give the arguments of a small wave: one stratum, two states, a move there and back, one amount, one binary outcome."""
    arguments = {
        "seed": np.uint64(0),
        "replications": np.arange(3),
        "n_people": 5,
        "horizon_months": 18,
        "from_month": 0,
        "purpose_entry": np.uint64(11),
        "purpose_moves": np.uint64(12),
        "enrolment_months": [1] * 3,
        "strata": [[1.0]] * 3,
        "start": [[[0.5, 1.0]]] * 3,
        **matrix([[[[0.0, 0.1], [0.3, 0.0]]]] * 3),
        "effect_move": np.empty(0),
        "log_ratio": np.empty((3, 0)),
        "effect_clock": np.empty((3, 0, 3)),
        "windows": [6, 12],
        "price_per_month": [[[0.0, 91_312.5], [0.0, 0.0]]] * 3,
        "discount_per_month": [[0.0]],
        "read_month": [-1, 9],
        "purpose_outcome": [13, 14],
        "probability": [[[0.0, 0.0], [0.7, 0.4]]] * 3,
    } | changes
    n_moves, n_months = len(arguments["move_to"]), arguments["horizon_months"]
    for name in ("by_entry", "by_stay", "by_calendar"):
        arguments.setdefault(name, np.ones((1, n_moves, n_months)))
    arguments["is_walked"] = np.array(arguments.get("is_walked", [False] * (len(arguments["moves_of"]) - 1)))
    rate = np.array(arguments.pop("discount_per_month"))[:, :, None]
    weight = np.cumsum((1 + rate) ** -np.arange(n_months), axis=2)
    n_outcomes = len(arguments["read_month"])
    arguments["gathered_weight"] = np.broadcast_to(np.insert(weight, 0, 0.0, axis=2), (len(rate), n_outcomes, n_months + 1)).copy()
    arguments["n_people"] = np.full(len(arguments["replications"]), arguments["n_people"])
    whole = {"n_people", "replications", "enrolment_months", "effect_move", "windows", "read_month", "moves_of", "move_to"}
    words = {"seed", "purpose_entry", "purpose_moves", "purpose_outcome"}
    scalars = {"horizon_months", "from_month"}
    for name in arguments.keys() - scalars - {"seed", "purpose_entry", "purpose_moves", "is_walked"}:
        arguments[name] = np.array(arguments[name], dtype=np.int64 if name in whole else np.uint64 if name in words else float)
    return arguments


def random_case(number: int) -> dict[str, Any]:
    """Give a wave of a random shape with random tables: any shape that fits is a test."""
    rng = np.random.default_rng(number)
    n_replications, n_strata, n_states, n_outcomes, n_effects = rng.integers(1, 5, size=5)
    enrolment, from_month = int(rng.integers(1, 9)), int(rng.integers(0, 20))
    windows = np.unique(rng.integers(1, 16, size=3))
    horizon = from_month + enrolment + int(windows[-1]) + int(rng.integers(-1, 9))
    hazard = rng.gamma(0.5, 0.2, size=(n_replications, n_strata, n_states, n_states)) * (1 - np.eye(n_states))
    share = (n_replications, n_strata, n_states)
    return case(
        seed=np.uint64(rng.integers(0, 2**64, dtype=np.uint64)),
        replications=rng.integers(0, 2**32, size=n_replications),
        n_people=rng.integers(0, 9, size=n_replications),
        horizon_months=horizon,
        from_month=from_month,
        purpose_entry=np.uint64(rng.integers(0, 2**32)),
        purpose_moves=np.uint64(rng.integers(0, 2**32)),
        enrolment_months=np.full(n_replications, enrolment),
        strata=np.cumsum(rng.dirichlet(np.ones(n_strata), size=n_replications), axis=1),
        start=np.cumsum(rng.dirichlet(np.full(n_states, 0.5), size=share[:2]), axis=2),
        **matrix(hazard),
        **random_factors(rng, n_replications, n_states * (n_states - 1), horizon, n_states),
        effect_move=rng.integers(0, max(n_states * (n_states - 1), 1), size=n_effects if n_states > 1 else 0),
        log_ratio=rng.normal(0, 1, size=(n_replications, n_effects)),
        effect_clock=np.stack(
            [rng.choice([0.0, 1.0, 4.5], size=(n_replications, n_effects)) for _ in range(2)]
            + [rng.choice([2.0, 7.0], size=(n_replications, n_effects))],
            axis=2,
        ),
        windows=windows,
        price_per_month=rng.gamma(1, 1000, size=(n_replications, n_outcomes, n_states)),
        read_month=rng.choice([-1, 1, 5], size=n_outcomes),
        purpose_outcome=rng.integers(0, 2**32, size=n_outcomes),
        probability=rng.random((n_replications, n_outcomes, n_states)),
    )


def n_years_of(arguments: dict[str, Any]) -> int:
    return -(-arguments["horizon_months"] // 12)


def random_factors(rng: np.random.Generator, n_replications: int, n_moves: int, n_months: int, n_states: int) -> dict[str, Any]:
    """Give random factors by entry, stay and calendar, for all replications or for each; some states are not walked."""
    factors: dict[str, Any] = {
        "by_entry": rng.choice([0.0, 0.5, 1.0, 2.0], size=(rng.choice([1, n_replications]), n_moves, n_months)),
        "by_stay": np.ones((1, n_moves, n_months)),
        "by_calendar": np.ones((1, n_moves, n_months)),
        "is_walked": rng.random(n_states) < 0.6,
    }
    for name in ("by_stay", "by_calendar"):
        table = rng.choice([0.0, 0.7, 1.0, 1.9], size=(rng.choice([1, n_replications]), n_moves, n_months))
        for state in np.flatnonzero(~factors["is_walked"]):
            table[:, state * (n_states - 1) : (state + 1) * (n_states - 1)] = 1.0
        factors[name] = table
    return factors


def run_kernel(arguments: dict[str, Any]) -> dict[str, np.ndarray]:
    """Run the compiled kernel on arrays that start at zero."""
    n_replications, n_outcomes, n_windows = (len(arguments[name]) for name in ("replications", "read_month", "windows"))
    shape = (n_replications, n_outcomes, n_windows)
    filled = {
        "sums": np.zeros(shape),
        "squares": np.zeros(shape),
        "person_months": np.zeros((n_replications, arguments["start"].shape[2], n_windows)),
        "by_year": np.zeros((n_replications, n_outcomes, n_years_of(arguments))),
    }
    walk_people(**arguments, **filled)
    return filled


def require_equal_to_twin(arguments: dict[str, Any]) -> dict[str, np.ndarray]:
    """Compare every number that the kernel fills with the slow twin's, bit for bit."""
    got = run_kernel(arguments)
    expected = reference.walk_people(n_years_of(arguments), **arguments)
    assert tuple(field.name for field in fields(expected)) == FILLED
    for name in FILLED:
        np.testing.assert_array_equal(got[name], np.array(getattr(expected, name)).reshape(got[name].shape), err_msg=name)
    return got


THREE_STATES = {
    "strata": [[0.3, 1.0]] * 3,
    "start": [[[0.0, 0.0, 1.0], [0.2, 0.6, 1.0]]] * 3,
    **matrix([[[[0, 0.05, 0.01], [0.2, 0, 0.1], [0.1, 0.3, 0]], [[0, 0.2, 0], [0, 0, 0], [0.5, 0.5, 0]]]] * 3),
    "price_per_month": [[[0.0, 1000.1, 2000.7], [0, 0, 0], [5.0, 0.0, 0.3]]] * 3,
    "read_month": [-1, 9, -1],
    "purpose_outcome": [13, 14, 15],
    "probability": [[[0.0] * 3, [0.7, 0.4, 0.1], [0.0] * 3]] * 3,
}
RAMP_AND_FADE = {
    # Moves 2 -> 0, 1 -> 0 and 2 -> 0 again.
    "effect_move": [4, 2, 4],
    "log_ratio": [[0.7, -0.4, 0.2], [-0.7, 0.0, 0.1], [2.0, 1.0, -690.0]],
    "effect_clock": [[[2.0, 5.0, 3.0], [0.0, NEVER, NEVER], [0.0, 4.0, 1.0]]] * 3,
}


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(case(), id="two states"),
        pytest.param(case(n_people=0), id="nobody"),
        pytest.param(case(**THREE_STATES), id="two strata, three states, three outcomes"),
        pytest.param(case(**THREE_STATES, **RAMP_AND_FADE), id="effects that ramp, fade and share a move"),
        pytest.param(case(enrolment_months=[1, 4, 6], from_month=3, horizon_months=24), id="staggered enrolment"),
        pytest.param(case(windows=[1, 2, 3, 12, 17], enrolment_months=[1, 1, 2]), id="windows to the last month"),
        pytest.param(case(**matrix([[[[0, 0.0], [0.0, 0]]]] * 3)), id="nobody moves"),
        pytest.param(case(**matrix([[[[0, 27.6], [27.6, 0]]]] * 3)), id="everybody moves every month"),
        pytest.param(case(read_month=[-1, 6], windows=[5, 6, 7]), id="an outcome read as a window closes"),
        pytest.param(case(discount_per_month=[[0.01, 0.0], [0.02, 0.0], [0.0, 0.0]]), id="discounted to entry"),
        pytest.param(case(seed=np.uint64(2**64 - 1), replications=[2**32 - 1, 7, 0]), id="the largest seed and replication"),
        *(pytest.param(random_case(number), id=f"random shape {number}") for number in range(12)),
    ],
)
def test_kernel__equals_its_slow_twin_draw_for_draw(arguments: dict[str, Any]) -> None:
    """Source: the slow twin, tests/reference/cohort.py."""
    require_equal_to_twin(arguments)


def test_kernel__cases_reach_what_they_are_meant_to_reach() -> None:
    """Source: counting. The comparison would be empty if nobody moved, answered or entered late."""
    got = run_kernel(case(**THREE_STATES, **RAMP_AND_FADE, n_people=40))
    assert (got["person_months"] > 0).all()
    assert (got["by_year"][:, [0, 2]] > 0).all()
    assert (got["by_year"][:, 1] == 0).all()
    # Nobody has answered before month 9.
    assert (got["sums"][:, 1, 0] == 0).all()
    assert (got["sums"][:, 1, 1] > 0).all()
    assert (got["sums"][:, 1, 1] < 40).all()


def test_kernel__comparison_with_the_twin_can_fail() -> None:
    """Source: the slow twin on arguments that differ in one place; each change must be seen."""
    arguments = case(**THREE_STATES, **RAMP_AND_FADE, n_people=40)
    got = run_kernel(arguments)
    changes = {
        "seed": np.uint64(1),
        "purpose_moves": np.uint64(99),
        "windows": np.array([6, 11]),
        "log_ratio": -arguments["log_ratio"],
        "read_month": np.array([-1, 8, -1]),
        "from_month": 1,
    }
    for name, value in changes.items():
        expected = reference.walk_people(n_years_of(arguments), **(arguments | {name: value}))
        assert any((got[part] != np.array(getattr(expected, part))).any() for part in FILLED), name


def test_kernel__compiled_and_interpreted_fill_the_same_numbers(tmp_path: Path) -> None:
    """Source: the same code in a process where compilation is turned the other way."""
    other = "0" if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0") else "1"
    script = (
        "import sys; import numpy as np; from pathlib import Path\n"
        "from simengine.config import load; from simengine.pipeline import simulate\n"
        "study = load.load_study(load.find_study('tiny'))\n"
        "tallies = simulate(study, 2**40 + 3, np.arange(3)).tallies\n"
        "names = ('sums', 'squares', 'person_months', 'by_year')\n"
        "np.savez(sys.argv[1], **{name: getattr(tallies, name) for name in names})\n"
    )
    for name, value in (("this", os.environ.get("NUMBA_DISABLE_JIT", "0")), ("other", other)):
        environment = os.environ | {"NUMBA_DISABLE_JIT": value, "PYTHONPATH": str(Path(simengine.__file__).parents[1])}
        subprocess.run([sys.executable, "-c", script, str(tmp_path / f"{name}.npz")], check=True, env=environment)
    got, expected = np.load(tmp_path / "this.npz"), np.load(tmp_path / "other.npz")
    for name in FILLED:
        assert expected[name].any()
        np.testing.assert_array_equal(got[name], expected[name], err_msg=name)


@pytest.mark.parametrize(
    ("month", "ramp", "fades_after", "half_life", "expected"),
    [
        (0, 0.0, NEVER, NEVER, 1.0),
        (0, 0.5, NEVER, NEVER, 1 - np.exp(-1)),
        (3, 0.0, 3.5, 2.0, 1.0),
        (4, 0.0, 3.5, 1.0, 0.5),
        (6, 0.0, 3.5, 1.5, 0.25),
        (4, 4.5, 3.5, 1.0, (1 - np.exp(-1)) / 2),
    ],
)
def test_effect_strength__grows_with_the_ramp_and_halves_as_it_fades(
    month: int, ramp: float, fades_after: float, half_life: float, expected: float
) -> None:
    """Source: arithmetic by hand; the middle of month m is m + 1/2."""
    assert effect_strength(month, ramp, fades_after, half_life) == pytest.approx(expected, rel=1e-15)


def tables(hazards: list[float], multiplier: list[float]) -> dict[str, np.ndarray]:
    """Give the tables of one stratum in which only state 0 is left, with one factor a month on its first move."""
    factors = np.ones((len(hazards), len(multiplier)))
    factors[0] = multiplier
    return {
        "moves_of": np.array([0, len(hazards), len(hazards)]),
        "hazard": np.array([[hazards]]),
        "multiplier": factors,
        "by_stay": np.ones((1, *factors.shape)),
        "by_calendar": np.ones((1, *factors.shape)),
    }


def untimed(made: dict[str, np.ndarray]) -> list[np.ndarray]:
    return [made[name] for name in ("moves_of", "hazard", "multiplier")]


def gathered(made: dict[str, np.ndarray]) -> np.ndarray:
    cumulative = np.empty((1, 2, made["multiplier"].shape[1] + 1))
    fill_cumulative(0, made["moves_of"], made["hazard"], made["multiplier"], cumulative)
    return cumulative


def test_fill_cumulative__gathers_the_hazards_of_all_moves_month_by_month() -> None:
    """Source: arithmetic by hand: 1 + 2 in month 0, 3 x 1 + 2 in month 1, 0 + 2 in month 2."""
    np.testing.assert_array_equal(gathered(tables([1.0, 2.0], [1.0, 3.0, 0.0])), [[[0, 3, 8, 10], [0, 0, 0, 0]]])


@pytest.mark.parametrize(
    ("first", "to_spend", "expected"),
    [(0, 0.5, 0), (0, 3.0, 0), (0, 3.1, 1), (0, 8.0, 1), (0, 9.9, 2), (0, 10.1, 3), (1, 5.0, 1), (1, 5.1, 2), (2, 2.1, 3)],
)
def test_last_month__is_the_first_in_which_the_hazard_is_spent(first: int, to_spend: float, expected: int) -> None:
    """Source: by hand, with 0, 3, 8 and 10 gathered by the beginning of months 0 to 3; 3 months are followed."""
    made = tables([1.0, 2.0], [1.0, 3.0, 0.0])
    assert last_month(gathered(made), 0, 0, first, 3, to_spend) == expected
    assert leave_walked(0, 0, 0, first, 3, first, to_spend, 0.5, *made.values())[0] == expected


@pytest.mark.parametrize(("month", "uniform", "expected"), [(0, 0.33, 0), (0, 0.34, 1), (1, 0.59, 0), (1, 0.61, 1), (2, 0.0, 1)])
def test_pick_move__shares_out_the_hazard_of_the_month(month: int, uniform: float, expected: int) -> None:
    """Source: by hand: the first of two moves has 1/3 of month 0, 3/5 of month 1 and nothing of month 2."""
    made = tables([1.0, 2.0], [1.0, 3.0, 0.0])
    assert pick_move(0, 0, 0, month, uniform, *untimed(made)) == expected
    # All of the hazard that is left is spent in the first month that has any.
    assert leave_walked(0, 0, 0, month, 3, month, 1e-9, uniform, *made.values()) == (month, expected)


def test_pick_move__never_chooses_an_impossible_move_by_rounding() -> None:
    """Source: the law that a move with hazard 0 never happens, at the largest uniform."""
    made = tables([0.1, 0.1, 0.1, 0.0], [1.0] * 12)
    assert {pick_move(0, 0, 0, month, 1 - 2.0**-53, *untimed(made)) for month in range(12)} == {2}
    assert {leave_walked(0, 0, 0, month, 12, month, 1e-9, 1 - 2.0**-53, *made.values())[1] for month in range(12)} == {2}
