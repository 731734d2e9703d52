"""The people of small studies, put together section by section as a study file would say them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from simengine.cohort import Cohort, Comparisons, MoveClock, simulate_cohort
from simengine.cohort.outcomes import Outcome
from simengine.cohort.spec import Effect, Event, Pathway, Population, Shock
from simengine.distributions import quantities_in
from simengine.records import Draws, Tallies
from simengine.streams import uniforms
from tests.reference import cohort as reference

SEED = 20_160_801
ADDED_UP = ("sums", "squares", "sums_before", "squares_before", "products_with_before", "person_months", "by_year")
WHOLE = ("n_people", "person_months", "clipped")

_EVENTS, _SHOCKS = TypeAdapter(dict[str, Event]), TypeAdapter(dict[str, Shock])
_EFFECTS, _OUTCOMES = TypeAdapter(dict[str, Effect]), TypeAdapter(dict[str, Outcome])

WAVES = {"all": {"size": 6, "enrolment_months": 1}}
STRATA = {"young": {"share": 0.5}, "older": {"share": "rest"}}
PATHWAY = {
    "states": ["home", "placed", "secure"],
    "start": {"young": {"placed": 1}, "older": {"home": 0.4, "placed": 0.4, "secure": "rest"}},
    "moves": {
        "placed -> home": {"by_stratum": {"young": {"per_month": 0.2}, "older": {"per_month": 0.1}}},
        "placed -> secure": {"per_month": 0.1},
        "home -> placed": {"per_month": 0.15},
        "secure -> placed": {"rate_per_year": 3},
        "secure -> home": {"mean_months": 8},
    },
}
OUTCOMES = {"cost": {"kind": "amount", "per_day": {"placed": 3, "secure": 5}}}


def cohort_of(
    *,
    population: Any = None,
    pathway: Any = None,
    events: Any = None,
    shocks: Any = None,
    effect: Any = None,
    outcomes: Any = None,
    windows: Sequence[int] = (6, 12),
    horizon: int = 18,
    start: str = "2030-03",
    n_baseline: int = 0,
) -> Cohort:
    """Return the people of a study; what is not said is as above."""
    people = Population.model_validate({"waves": WAVES, "strata": STRATA} | (population or {}))
    return Cohort(
        population=people,
        pathway=Pathway.model_validate(PATHWAY | (pathway or {})),
        events=_EVENTS.validate_python(events or {}),
        shocks=_SHOCKS.validate_python(shocks or {}),
        effect=_EFFECTS.validate_python(effect or {}),
        outcomes=_OUTCOMES.validate_python(OUTCOMES if outcomes is None else outcomes),
        windows=tuple(windows),
        clock=MoveClock(int(people.history_months.value), horizon, start),
        comparisons=Comparisons(n_baseline=n_baseline),
    )


def draws_of(cohort: Cohort, replications: Any, seed: int = SEED) -> Draws:
    """Draw every number of the people in every replication."""
    rows = np.asarray(replications, dtype=np.int64)
    sections = ("population", "pathway", "events", "shocks", "effect", "outcomes")
    numbers = {path: distribution for name in sections for path, distribution in quantities_in(getattr(cohort, name), name)}
    return Draws(
        seed,
        rows,
        {path: distribution.inverse(uniforms(seed, f"parameter/{path}", rows)) for path, distribution in numbers.items()},
    )


def tallies_of(cohort: Cohort, replications: Any = 3, seed: int = SEED) -> Tallies:
    """Simulate so many replications, or the ones that are named."""
    rows = np.arange(replications) if isinstance(replications, int) else replications
    return simulate_cohort(cohort, draws_of(cohort, rows, seed))


def require_equal_to_twin(cohort: Cohort, replications: Any = 3, seed: int = SEED) -> Tallies:
    """Compare every number of a study with the slow twin's: what is counted exactly, amounts up to rounding."""
    rows = np.arange(replications) if isinstance(replications, int) else np.asarray(replications)
    draws = draws_of(cohort, rows, seed)
    got = simulate_cohort(cohort, draws)
    expected = reference.simulate_cohort(cohort, seed, rows.tolist(), draws.values)
    for name in WHOLE:
        np.testing.assert_array_equal(getattr(got, name), np.array(getattr(expected, name)), err_msg=name)
    for name in ADDED_UP:
        here, there = getattr(got, name), np.array(getattr(expected, name)).reshape(getattr(got, name).shape)
        np.testing.assert_allclose(here, there, rtol=1e-9, atol=1e-9, err_msg=name)
    assert got.combinations.keys() == expected.combinations.keys()
    for name, combinations in got.combinations.items():
        np.testing.assert_array_equal(combinations, np.array(expected.combinations[name]), err_msg=name)
    return got


def require_same(got: Tallies, expected: Tallies, arms: Sequence[int] = (0, 1, 2), names: Sequence[str] = ADDED_UP) -> None:
    """Compare tallies bit for bit."""
    for name in (*names, "n_people"):
        for arm in arms:
            one, other = getattr(got, name)[:, :, arm], getattr(expected, name)[:, :, arm]
            np.testing.assert_array_equal(one, other, err_msg=f"{name}, arm {arm}")
    for name in expected.combinations:
        for arm in arms:
            np.testing.assert_array_equal(got.combinations[name][:, :, arm], expected.combinations[name][:, :, arm])
