"""A problem of estimation in NumPy: money as a function of uniforms and terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

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
from simengine.errors import UsageError, did_you_mean

Simulator = Callable[[Floats, Mapping[str, float]], dict[str, Floats]]
"""From uniforms of shape (n, dimension) and the terms to columns of shape (n,)."""


@dataclass(frozen=True)
class AmountProblem:
    """Money as a function of uniforms and terms."""

    card: Card
    dimension: int
    simulator: Simulator
    quantities: Mapping[str, AskedQuantity]
    exact: Callable[[], Mapping[str, float]]
    """The reference answers, by a path of their own."""
    terms: Mapping[str, float] = field(default_factory=dict)
    person_periods: float = 1.0
    constants: Mapping[str, Any] = field(default_factory=dict)
    """Numbers of the problem that a reader wants to know."""
    work_term: str = ""
    """A term by which the work of a replication is multiplied."""
    instances: int = 1
    tables_hash: str = ""

    def work_of(self, parameters: Mapping[str, Any]) -> float:
        """Return what a replication counts against a budget."""
        if not self.work_term:
            return 1.0
        work = number_in(parameters, self.work_term) if self.work_term in parameters else self.terms[self.work_term]
        if not work >= 2:
            raise UsageError(f"{self.work_term}: must be 2 or more; found {work:g}")
        return work

    def describe(self, instance: int = 0) -> dict[str, Any]:  # noqa: ARG002
        """Return the quantities that are asked for, the terms, and the dimension of the uniforms."""
        return {
            "family": self.card.family,
            "dimension": self.dimension,
            "terms": dict(self.terms),
            "constants": dict(self.constants),
            "work_term": self.work_term,
            "quantities": {name: one.described() for name, one in self.quantities.items()},
        }

    def simulate(
        self,
        parameters: Mapping[str, Any],
        replications: int,
        seed: int,
        instance: int = 0,  # noqa: ARG002
    ) -> dict[str, Floats]:
        """Simulate; parameters: `uniforms`, shape (replications, dimension), and any of the terms."""
        refuse_unknown(parameters, ("uniforms", *self.terms))
        points = uniforms_for(self.card.name, parameters, replications, seed, self.dimension)
        own = {name: number_in(parameters, name) for name in parameters if name != "uniforms"}
        return self.simulator(points, {**self.terms, **own})

    def evaluate(self, answer: Any, instance: int = 0) -> tuple[Judgement, ...]:  # noqa: ARG002
        """Return the distance of each estimate from the reference answer, as a multiple of its scale."""
        return judged_estimates(self.card.name, answer)

    def remade(self) -> dict[str, Any]:
        """Work the answers out anew, by closed forms and enumeration."""
        found = {name: {"value": float(value), "se": 0.0} for name, value in self.exact().items()}
        for name, one in found.items():
            one["scale"] = scale_of(self.quantities[name], one["value"], found.get("sd", {}).get("value", 0.0))
        return found

    def substance(self) -> dict[str, Any]:
        """Return the description, and what the simulator makes of fixed uniforms."""
        probed = self.simulator(probed_uniforms(self.dimension), self.terms)
        return {**self.describe(), "probe": six_digits(probed)}


def scale_of(quantity: AskedQuantity, value: float, sd: float) -> float:
    """Return the unit in which an error is told.

    That of a probability is its own size, or that of the rarer side; that of money is the standard deviation where it is asked
    for, else its own size.
    """
    if quantity.functional in ("below", "at_least") and quantity.less is None and not quantity.by:
        rare = min(value, 1 - value)
        return rare if rare > 0 else 1.0
    return sd if sd > 0 else abs(value) or 1.0


def judged_estimates(name: str, answer: Any) -> tuple[Judgement, ...]:
    """Judge estimates by name; what is left out is not judged.

    Raises
    ------
    BadAnswerError
        If one is no number, or was not asked for.
    """
    known = frozen_answers()[name]["answers"]
    judgements = []
    for asked in mapping_in(answer):
        if asked not in known:
            way_out = did_you_mean(str(asked), known, "")
            rule = f"answer: must name some of {', '.join(known)}; found {asked!r}"
            raise BadAnswerError(f"{rule}. {way_out}" if way_out else rule)
        error = number_in(answer, asked) - known[asked]["value"]
        judgements.append(Judgement(asked, float(np.abs(error)) / known[asked]["scale"]))
    return tuple(judgements)
