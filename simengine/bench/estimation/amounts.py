"""A problem of estimation in NumPy: money as a function of uniforms and terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simengine.arrays import Floats
from simengine.bench.card import Card, Judgement
from simengine.bench.estimation.conditional import GIVEN_FORMS, GivenForm
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

    @property
    def given_form(self) -> GivenForm | None:
        """The expected values given the first uniforms; nothing where they have no closed form."""
        return GIVEN_FORMS.get(self.card.name)

    def work_of(self, parameters: Mapping[str, Any]) -> float:
        """Return what a replication counts against a budget."""
        if not self.work_term:
            return 1.0
        work = number_in(parameters, self.work_term) if self.work_term in parameters else self.terms[self.work_term]
        if not work >= 2:
            raise UsageError(f"{self.work_term}: must be 2 or more; found {work:g}")
        return work

    def describe(self, instance: int = 0) -> dict[str, Any]:  # noqa: ARG002
        """Return the quantities that are asked for, the terms, and the dimension of the uniforms; how many may be given."""
        form = self.given_form
        return {**self._told, **({"given": form.uniforms} if form else {})}

    @property
    def _told(self) -> dict[str, Any]:
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
        """Simulate; parameters: `uniforms`, shape (replications, dimension), and any of the terms.

        With `given` instead, the first few uniforms, shape (replications, as many as `describe` says), the columns are the expected
        values of the quantities, by their names.
        """
        form = self.given_form
        refuse_unknown(parameters, ("uniforms", *(("given",) if form else ()), *self.terms))
        own = {name: number_in(parameters, name) for name in parameters if name not in ("uniforms", "given")}
        terms = {**self.terms, **own}
        if form and parameters.get("given") is not None:
            return expected_given(form, self.card.name, parameters, replications, terms)
        return self.simulator(uniforms_for(self.card.name, parameters, replications, seed, self.dimension), terms)

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
        return {**self._told, "probe": six_digits(probed)}


def expected_given(
    form: GivenForm, name: str, parameters: Mapping[str, Any], replications: int, terms: Mapping[str, float]
) -> dict[str, Floats]:
    """Return the expected values given the uniforms that a method names.

    Raises
    ------
    UsageError
        If it names all uniforms as well, or they have another shape or leave the open unit interval.
    """
    if parameters.get("uniforms") is not None:
        raise UsageError("parameters: must have uniforms or given; found both")
    return form.expected(uniforms_for(name, parameters, replications, 0, form.uniforms, "given"), terms)


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
