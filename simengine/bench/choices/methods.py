"""Baseline methods of choice: they look at some choices with a few hundred replications each, the same draws for all.

Each then names the choice with the best objective among those that seem to keep every limit; where none does, it says that there is
none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from simengine.arrays import Floats
from simengine.bench.estimation.quantity import functional_of
from simengine.bench.trial import Trial
from simengine.late import optimize
from simengine.streams import generator_of

PER_CHOICE = 400
"""Replications by which a choice is looked at."""
_PILOTS = 12
_CONFIRMED = 8
"""Choices that are looked at again."""
_BREACH_WEIGHT = 10.0
"""How many times the range of objectives a breach of one unit weighs in a search without limits."""
TermsAnswer = dict[str, Any]


@dataclass(frozen=True)
class SeenChoice:
    """A choice as some replications show it."""

    terms: Mapping[str, float]
    value: float
    """Of the objective, the sign turned so that less is better."""
    breach: float


def look_at(trial: Trial, terms: Mapping[str, float], n: int, seed: int) -> SeenChoice:
    """Simulate a choice."""
    described, columns = trial.describe(), trial.simulate(terms, n, seed)
    sign = 1.0 if described["wants"] == "least" else -1.0
    breach = max((_over(one, columns) for one in described["limits"].values()), default=0.0)
    return SeenChoice(terms, sign * _value(described["objective"], columns), breach)


def _value(one: Mapping[str, Any], columns: Mapping[str, Floats]) -> float:
    return functional_of(columns[one["column"]], one["functional"], one.get("at", 0.0))


def _over(one: Mapping[str, Any], columns: Mapping[str, Floats]) -> float:
    value = _value(one, columns)
    over = value - float(one["value_at_most"]) if "value_at_most" in one else float(one["value_at_least"]) - value
    return max(over / float(one["unit"]), 0.0)


def best_seen(seen: Sequence[SeenChoice]) -> TermsAnswer:
    """Return the answer that some choices suggest."""
    kept = [one for one in seen if one.breach == 0]
    return {"terms": dict(min(kept, key=lambda one: one.value).terms) if kept else None}


def evenly_spaced(trial: Trial, seed: int) -> TermsAnswer:
    """Look at evenly spaced choices, as many values of each term."""
    ranges = trial.describe()["terms"]
    per_term = max(2, int((trial.budget / PER_CHOICE) ** (1 / len(ranges)) + 1e-9))
    axes = [np.linspace(one["low"], one["high"], per_term) for one in ranges.values()]
    n = max(trial.budget // per_term ** len(ranges), 1)
    found = [look_at(trial, _on_steps(ranges, point), n, seed) for point in product(*axes)]
    return best_seen(found)


def random_search(trial: Trial, seed: int) -> TermsAnswer:
    """Look at choices drawn evenly."""
    ranges = trial.describe()["terms"]
    drawn = generator_of(seed, "bench/random_search").random((max(trial.budget // PER_CHOICE, 1), len(ranges)))
    n = min(PER_CHOICE, trial.budget)
    return best_seen([look_at(trial, _on_steps(ranges, _scaled(ranges, point)), n, seed) for point in drawn])


def differential_evolution(trial: Trial, seed: int) -> TermsAnswer:
    """Search by SciPy's differential evolution (Storn and Price 1997), a breach of a limit added to the objective."""
    return best_seen(_evolved(trial, seed, trial.budget))


def search_and_confirm(trial: Trial, seed: int) -> TermsAnswer:
    """Search with half of the budget, and look again at the best few with fresh draws and the other half.

    Of many choices that are looked at with noise, the best seen is one whose noise flatters it, and it seems to keep a limit that it
    breaks: its second look does not (the optimizer's curse; Smith and Winkler 2006).
    """
    seen = _evolved(trial, seed, trial.budget // 2)
    weight = _BREACH_WEIGHT * _spread(seen)
    different = {tuple(one.terms.values()): one for one in seen}.values()
    best = sorted(different, key=lambda one: one.value + weight * one.breach)[:_CONFIRMED]
    n = trial.left // len(best)
    return best_seen([look_at(trial, one.terms, n, seed + 1) for one in best])


def _spread(seen: Sequence[SeenChoice]) -> float:
    return float(np.ptp([one.value for one in seen])) or 1.0


def _evolved(trial: Trial, seed: int, budget: int) -> list[SeenChoice]:
    """Return the choices that differential evolution looks at within a budget."""
    ranges = trial.describe()["terms"]
    n_pilots = min(_PILOTS, max(budget // (2 * PER_CHOICE), 1))
    pilots = generator_of(seed, "bench/evolution").random((n_pilots, len(ranges)))
    seen = [look_at(trial, _on_steps(ranges, _scaled(ranges, point)), PER_CHOICE, seed) for point in pilots]
    spread = _spread(seen)

    def merit(point: Floats) -> float:
        one = look_at(trial, _on_steps(ranges, point), PER_CHOICE, seed)
        seen.append(one)
        return one.value + _BREACH_WEIGHT * spread * one.breach

    size = max(5, round(8 / len(ranges)))
    generations = (budget - PER_CHOICE * n_pilots) // (PER_CHOICE * size * len(ranges)) - 1
    if generations >= 0:
        bounds = [(one["low"], one["high"]) for one in ranges.values()]
        own = generator_of(seed, "bench/evolution/moves")
        optimize.differential_evolution(merit, bounds, maxiter=generations, popsize=size, tol=0, polish=False, seed=own)
    return seen


def _scaled(ranges: Mapping[str, Mapping[str, float]], shares: Floats) -> list[float]:
    return [one["low"] + (one["high"] - one["low"]) * float(share) for one, share in zip(ranges.values(), shares, strict=True)]


def _on_steps(ranges: Mapping[str, Mapping[str, float]], point: Sequence[float] | Floats) -> dict[str, float]:
    """Round a point to the steps of the terms, within their ranges."""
    found = {}
    for (name, one), value in zip(ranges.items(), point, strict=True):
        steps = round((float(value) - one["low"]) / one["step"])
        found[name] = min(max(one["low"] + steps * one["step"], one["low"]), one["high"])
    return found
