"""Sixteen abreast and one by one: the same lives, bit by bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simengine.accelerate import IS_COMPILED
from simengine.cohort import life
from simengine.cohort.tables import ArmTables
from simengine.records import Tallies
from tests.reference.studies import ADDED_UP, cohort_of, require_equal_to_twin, tallies_of

pytestmark = pytest.mark.skipif(not IS_COMPILED, reason="without compilation everybody goes one by one")

STATES = ["home", "foster", "placed", "secure", "gone"]
MOVES = {
    "home -> placed": {"per_month": 0.05},
    "home -> secure": {"per_month": 0.02},
    "foster -> home": {"per_month": 0.3},
    "placed -> home": {"per_month": 0.2},
    "placed -> foster": {"per_month": 0.3},
    "placed -> secure": {"per_month": 0.1},
    "placed -> gone": {"per_month": 0.01},
    "secure -> placed": {"rate_per_year": 5},
}
PATHWAY = {"states": STATES, "start": {"young": {"home": 0.5, "placed": 0.5}, "older": {"secure": 1}}, "moves": MOVES}
OUTCOMES = {
    "cost": {
        "kind": "amount",
        "per_day": {"placed": 3, "secure": 7},
        "by_months_in_state": {"placed": {"from_months": [0, 3], "factor": [1, 2]}},
    },
    "secure": {"kind": "reached", "states": "secure", "stay_months": 2},
    "at_home": {"kind": "binary", "at_month": 7, "probability": dict(zip(STATES, (0.9, 0.5, 0.2, 0.1, 0), strict=True))},
}  # fmt: skip
FADING = {"sooner": {"move": "placed -> home", "hazard_ratio": 2, "ramp_months": 3, "fades_after_months": 6, "half_life_months": 4}}
BY_CHANCE = {"fewer": {"move": "home -> placed", "relative_risk": 0.5, "strata": ["young"]}}
WAVES = {"first": {"size": 71, "enrolment_months": 9}, "second": {"size": 1, "enrolment_months": 1, "from_month": 3}}

STUDIES: dict[str, dict[str, Any]] = {
    "steady": {},
    "an effect that fades": {"effect": FADING},
    "effects on hazards and probabilities": {"effect": FADING | BY_CHANCE},
    "no outcome": {"outcomes": {}, "effect": FADING},
    "a history": {"population": {"waves": WAVES, "history_months": 5}, "effect": FADING},
    "a selection": {
        "population": {"waves": WAVES, "history_months": 5, "selection": {"outcome": "cost", "at_least": 200}},
        "effect": BY_CHANCE,
    },
    "time together": {"pathway": PATHWAY | {"time_together": {"care": ["placed", "secure", "foster"]}}},
    "hazards by months since entry": {
        "pathway": PATHWAY
        | {
            "moves": MOVES
            | {"home -> secure": {"per_month": 0.02, "by_months_since_entry": {"from_months": [0, 6], "factor": [1, 9]}}}
        }
    },
    "two states": {
        "pathway": {
            "states": ["a", "b"],
            "start": {"young": {"a": 1}, "older": {"b": 1}},
            "moves": {"a -> b": {"per_month": 0.01}},
        },
        "outcomes": {"cost": {"kind": "amount", "per_day": {"b": 1}}},
        "horizon": 200,
        "windows": (12, 150, 200),
    },
    "no move": {
        "pathway": {"states": ["a"], "start": {"young": {"a": 1}, "older": {"a": 1}}, "moves": {}},
        "outcomes": {"cost": {"kind": "amount", "per_day": {"a": 1}}},
    },
}


def study(name: str) -> Any:
    usual = {"pathway": PATHWAY, "outcomes": OUTCOMES, "population": {"waves": WAVES}, "windows": (3, 7, 12), "horizon": 24}
    return cohort_of(**(usual | {"n_baseline": 40} | STUDIES[name]))


def one_by_one(cohort: Any, patch: pytest.MonkeyPatch, replications: int) -> Tallies:
    with patch.context() as within:
        within.setattr(ArmTables, "is_abreast", False)
        return tallies_of(cohort, replications)


@pytest.mark.parametrize("name", STUDIES)
def test_abreast__gives_the_bits_of_one_by_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Source: the same words and thresholds in the loop for one person. Years are added up in another order of the people."""
    cohort = study(name)
    got, expected = tallies_of(cohort, 9), one_by_one(cohort, monkeypatch, 9)
    assert got.person_months.any()
    for field in (*ADDED_UP, "clipped", "n_people"):
        if field == "by_year":
            np.testing.assert_allclose(got.by_year, expected.by_year, rtol=1e-12)
        else:
            np.testing.assert_array_equal(getattr(got, field), getattr(expected, field), err_msg=field)


@pytest.mark.parametrize("name", [name for name in STUDIES if name != "no outcome"])
def test_abreast__equals_the_slow_twin(name: str) -> None:
    """Source: the slow twin."""
    require_equal_to_twin(study(name), 2)


def test_abreast__finds_room_however_little_there_is_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Source: a law: what has no room is walked again, and nothing of it is counted twice."""
    cohort = study("an effect that fades")
    expected = tallies_of(cohort, 9)
    monkeypatch.setattr(life, "_STAYS_PER_PERSON", 1)
    got = tallies_of(cohort, 9)
    for field in (*ADDED_UP, "clipped"):
        np.testing.assert_array_equal(getattr(got, field), getattr(expected, field), err_msg=field)


def test_studies__walk_abreast_or_not() -> None:
    """Source: counting: two strata of nine states are more than sixteen cells, and a Weibull stay is a person's own."""
    asked: list[bool] = []
    walk, walk_abreast = life.walk, life.walk_abreast
    many = {
        "states": [f"s{i}" for i in range(9)],
        "start": {"young": {"s0": 1}, "older": {"s1": 1}},
        "moves": {"s0 -> s8": {"per_month": 0.2}},
    }
    weibull = PATHWAY | {"moves": {"home -> placed": {"mean_months": 9, "weibull_shape": 1.5}}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(life, "walk", lambda *given: (asked.append(False), walk(*given))[1])
        patch.setattr(life, "walk_abreast", lambda *given: (asked.append(True), walk_abreast(*given))[1])
        for pathway, expected in ((PATHWAY, True), (many, False), (weibull, False)):
            asked.clear()
            outcomes = {"cost": {"kind": "amount", "per_day": {pathway["states"][0]: 1}}}
            require_equal_to_twin(cohort_of(pathway=pathway, outcomes=outcomes), 2)
            assert set(asked) == {expected}
