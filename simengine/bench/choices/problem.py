"""A problem of choice: terms on a lattice, one objective, limits; the best by enumeration of the whole lattice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Literal

import numpy as np

from simengine.arrays import Floats
from simengine.bench.card import Card, Judgement
from simengine.bench.estimation.quantity import AskedQuantity
from simengine.bench.problem import (
    frozen_answers,
    mapping_in,
    number_in,
    probed_uniforms,
    refuse_unknown,
    six_digits,
    uniforms_for,
)
from simengine.bench.refusals import BadAnswerError
from simengine.errors import UsageError, shorten

Choices = Mapping[str, Floats]
"""By term: its values in some choices, shape (n_choices,)."""
_CHUNK = 5000
_SLACK = 1e-9
"""By so much a limit may be exceeded: rounding alone."""


@dataclass(frozen=True)
class ChoiceTerm:
    """What is to be chosen: a number from low to high in steps."""

    low: float
    high: float
    step: float

    @property
    def values(self) -> Floats:
        """Every value, shape (n,)."""
        n = round((self.high - self.low) / self.step)
        return np.round(self.low + self.step * np.arange(n + 1), 9)

    def nearest(self, value: float) -> float:
        """Return the nearest value."""
        values = self.values
        return float(values[np.argmin(np.abs(values - value))])


@dataclass(frozen=True)
class ChoiceLimit:
    """What a choice must keep to."""

    quantity: AskedQuantity
    unit: float
    """A breach of this size weighs as much as the whole range of objectives."""
    at_most: float | None = None
    at_least: float | None = None

    def breach(self, value: Floats) -> Floats:
        """Return by how many units a limit is broken; 0 where it is kept."""
        over = value - self.at_most if self.at_most is not None else (self.at_least or 0.0) - value
        return np.asarray(np.where(over > _SLACK, over / self.unit, 0.0))


@dataclass(frozen=True)
class LatticeProblem:
    """Terms, an objective and limits: what is asked and how an answer is judged, however a choice is simulated."""

    card: Card
    terms: Mapping[str, ChoiceTerm]
    wants: Literal["least", "most"]
    objective: AskedQuantity
    dimension: int
    exact: Callable[[Choices], Mapping[str, Floats]]
    """From choices to the exact value of `objective` and of every limit, by a path of its own."""
    limits: Mapping[str, ChoiceLimit] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    person_periods: float = 1.0
    instances: int = 1
    tables_hash: str = ""

    def work_of(self, parameters: Mapping[str, Any]) -> float:  # noqa: ARG002
        """Return what a replication counts against a budget."""
        return 1.0

    def describe(self, instance: int = 0) -> dict[str, Any]:  # noqa: ARG002
        """Return the terms with their ranges and steps, what is wanted, the limits, and the dimension of the uniforms."""
        return {
            "family": self.card.family,
            "terms": {name: {"low": one.low, "high": one.high, "step": one.step} for name, one in self.terms.items()},
            "wants": self.wants,
            "objective": self.objective.described(),
            "limits": {name: _described(one) for name, one in self.limits.items()},
            "dimension": self.dimension,
            "constants": dict(self.constants),
        }

    def choice_in(self, parameters: Mapping[str, Any]) -> dict[str, float]:
        """Return the choice that is to be simulated: a value of every term.

        Raises
        ------
        UsageError
            If one is not given, or lies beyond its range.
        """
        return {name: self._value(name, parameters) for name in self.terms}

    def _value(self, name: str, parameters: Mapping[str, Any]) -> float:
        term = self.terms[name]
        if name not in parameters:
            raise UsageError(f"parameters: must give every term; found no {name}")
        value = number_in(parameters, name)
        if not term.low - _SLACK <= value <= term.high + _SLACK:
            raise UsageError(f"{name}: must be a number from {term.low:g} to {term.high:g}; found {value:g}")
        return value

    def evaluate(self, answer: Any, instance: int = 0) -> tuple[Judgement, ...]:  # noqa: ARG002
        """Judge `{"terms": {...}}`, rounded to the steps, or `{"terms": None}`, which says that no choice keeps the limits.

        `loss` is the regret plus the breach: 0 for the best choice, or for saying rightly that there is none. The regret is a share
        of the range of the objective over all choices that keep the limits.
        """
        given = mapping_in(answer)
        if set(given) != {"terms"}:
            raise BadAnswerError(f"answer: must be a dictionary with terms alone; found {shorten(sorted(map(str, given)))}")
        known = frozen_answers()[self.card.name]["answers"]
        is_solvable = known["kept_by"] > 0
        if given["terms"] is None:
            return (Judgement("loss", 1.0 if is_solvable else 0.0),)
        chosen = self._chosen(mapping_in(given["terms"]))
        found = self.exact(chosen)
        breach = self._breach(found)
        if not is_solvable:
            return (Judgement("loss", 1.0 + float(breach[0])), Judgement("breach", float(breach[0]), is_error=False))
        spread = abs(known["worst"] - known["objective"]) or 1.0
        lost = float(found["objective"][0]) - known["objective"]
        regret = max(lost if self.wants == "least" else -lost, 0.0) / spread
        told = (Judgement("regret", regret, is_error=False), Judgement("breach", float(breach[0]), is_error=False))
        return (Judgement("loss", regret + float(breach[0])), *told)

    def _chosen(self, given: Mapping[str, Any]) -> dict[str, Floats]:
        if set(given) != set(self.terms):
            raise BadAnswerError(f"answer: terms: must be {', '.join(self.terms)}; found {', '.join(map(str, given))}")
        chosen = {}
        for name, term in self.terms.items():
            value = number_in(given, name)
            if not term.low - term.step / 2 <= value <= term.high + term.step / 2:
                raise BadAnswerError(f"answer: {name}: must be from {term.low:g} to {term.high:g}; found {value:g}")
            chosen[name] = np.array([term.nearest(value)])
        return chosen

    def _breach(self, found: Mapping[str, Floats]) -> Floats:
        breaches = [limit.breach(found[name]) for name, limit in self.limits.items()]
        return np.max(breaches, axis=0) if breaches else np.zeros_like(found["objective"])

    def lattice(self) -> Iterator[dict[str, Floats]]:
        """Yield all choices, some thousands at a time."""
        every = np.array(list(product(*(term.values for term in self.terms.values()))))
        for start in range(0, len(every), _CHUNK):
            part = every[start : start + _CHUNK]
            yield {name: part[:, j] for j, name in enumerate(self.terms)}

    def remade(self) -> dict[str, Any]:
        """Work out the best choice anew, by enumeration of the whole lattice."""
        sign, kept_by, least_breach = (1.0 if self.wants == "least" else -1.0), 0, np.inf
        best, worst, terms = np.inf, -np.inf, dict[str, float]()
        for choices in self.lattice():
            found = self.exact(choices)
            breach, value = self._breach(found), sign * found["objective"]
            is_kept = breach == 0
            kept_by += int(is_kept.sum())
            least_breach = min(least_breach, float(breach.min()))
            if is_kept.any():
                place = int(np.argmin(np.where(is_kept, value, np.inf)))
                worst = max(worst, float(value[is_kept].max()))
                if value[place] < best:
                    best, terms = float(value[place]), {name: float(one[place]) for name, one in choices.items()}
        if not kept_by:
            return {"kept_by": 0, "least_breach": least_breach}
        return {"kept_by": kept_by, "objective": sign * best, "worst": sign * worst, "terms": terms}


@dataclass(frozen=True)
class ChoiceProblem(LatticeProblem):
    """Choices that are simulated from uniforms."""

    simulator: Callable[[Floats, Mapping[str, float]], dict[str, Floats]] = field(kw_only=True)
    """From uniforms of shape (n, dimension) and one choice to columns of shape (n,)."""

    def simulate(
        self,
        parameters: Mapping[str, Any],
        replications: int,
        seed: int,
        instance: int = 0,  # noqa: ARG002
    ) -> dict[str, Floats]:
        """Simulate one choice; parameters: every term, and perhaps `uniforms`, shape (replications, dimension)."""
        refuse_unknown(parameters, ("uniforms", *self.terms))
        chosen = self.choice_in(parameters)
        return self.simulator(uniforms_for(self.card.name, parameters, replications, seed, self.dimension), chosen)

    def substance(self) -> dict[str, Any]:
        """Return the description, and what the simulator makes of fixed uniforms in three choices."""
        points = probed_uniforms(self.dimension)
        probes = []
        for share in (0.2, 0.5, 0.8):
            middle = {name: term.nearest(term.low + share * (term.high - term.low)) for name, term in self.terms.items()}
            probes.append(six_digits(self.simulator(points, middle)))
        return {**self.describe(), "probes": probes}


def _described(limit: ChoiceLimit) -> dict[str, Any]:
    side = {"at_most": limit.at_most} if limit.at_most is not None else {"at_least": limit.at_least}
    return {**limit.quantity.described(), **{f"value_{name}": value for name, value in side.items()}, "unit": limit.unit}
