"""Problems of estimation that are studies of the engine: frozen, from two people and a coin to Peterborough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from simengine.arrays import Floats, Integers
from simengine.bench.card import Card, Judgement
from simengine.bench.estimation.amounts import expected_given, judged_estimates, scale_of
from simengine.bench.estimation.conditional import GivenForm, study_form
from simengine.bench.estimation.exact import closed_forms, four_answers
from simengine.bench.estimation.quantity import AskedQuantity
from simengine.bench.frozen_studies import money_column, study_of, substance_of
from simengine.bench.problem import refuse_unknown, uniforms_for
from simengine.config import Study
from simengine.pipeline import DrawOverrides, evaluate, simulate
from simengine.replications.blocks import map_blocks
from simengine.sampling import distributions_of

_QUANTITIES = {
    "mean": AskedQuantity("mean"),
    "sd": AskedQuantity("sd"),
    "p_loss": AskedQuantity("below"),
    "cvar95": AskedQuantity("cvar", at=0.95),
}


@dataclass(frozen=True)
class StudyProblem:
    """What the investor of a frozen study is left with."""

    card: Card
    instances: int = 1
    tables_hash: str = ""

    @cached_property
    def study(self) -> Study:
        """The frozen study."""
        return study_of(self.card.name)

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The uncertain numbers of the study: the dimensions of the uniforms."""
        return tuple(distributions_of(self.study.numbers))

    @cached_property
    def given_form(self) -> GivenForm | None:
        """The expected values given the uncertain numbers; nothing where they have no closed form."""
        return study_form(self.card.name)

    @property
    def person_periods(self) -> float:
        """Service users times months of the horizon, at the medians of what is uncertain."""
        people = sum(float(np.mean(wave.size.inverse(np.array([0.5])))) for wave in self.study.population.waves.values())
        return people * float(self.study.study.horizon_months.value)

    def work_of(self, parameters: Mapping[str, Any]) -> float:  # noqa: ARG002
        """Return what a replication counts against a budget."""
        return 1.0

    def describe(self, instance: int = 0) -> dict[str, Any]:  # noqa: ARG002
        """Return the quantities that are asked for, and the uncertain numbers, one uniform each; people are drawn by the seed."""
        return {
            "family": self.card.family,
            "dimension": len(self.paths),
            "paths": list(self.paths),
            "terms": {},
            "constants": {"study": self.card.name},
            "quantities": {name: one.described() for name, one in _QUANTITIES.items()},
            **({"given": self.given_form.uniforms} if self.given_form else {}),
        }

    def simulate(
        self,
        parameters: Mapping[str, Any],
        replications: int,
        seed: int,
        instance: int = 0,  # noqa: ARG002
    ) -> dict[str, Floats]:
        """Simulate people, measurement and money; parameters: `uniforms` of the study's numbers, shape (replications, dimension).

        With `given` instead, of the same shape, where `describe` has it: expected values of quantities, by their names, without people.
        """
        form = self.given_form
        refuse_unknown(parameters, ("uniforms", *(("given",) if form else ())))
        if form and parameters.get("given") is not None:
            return expected_given(form, self.card.name, parameters, replications, {})
        points = None
        if parameters.get("uniforms") is not None:
            points = uniforms_for(self.card.name, parameters, replications, seed, len(self.paths))

        def money(some: Integers) -> Floats:
            given = {} if points is None else {path: np.ascontiguousarray(points[some, j]) for j, path in enumerate(self.paths)}
            evidence = simulate(self.study, seed, some, overrides=DrawOverrides(uniform=given))
            return np.asarray(evaluate(self.study, evidence, with_returns=False)[money_column(self.study)])

        return {"net": np.concatenate(map_blocks(money, replications, threads=1))}

    def evaluate(self, answer: Any, instance: int = 0) -> tuple[Judgement, ...]:  # noqa: ARG002
        """Return the distance of each estimate from the reference answer, as a multiple of its scale."""
        return judged_estimates(self.card.name, answer)

    def remade(self) -> dict[str, Any]:
        """Work the answers out anew where they have a closed form; those of long runs have programs of their own."""
        forms = closed_forms()
        if self.card.name not in forms:
            return {}
        found = {name: {"value": value, "se": 0.0} for name, value in four_answers(forms[self.card.name]).items()}
        return with_scales(found)

    def substance(self) -> Any:
        """Return the study as data, without its words."""
        return substance_of(self.study)


def with_scales(answers: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """Return four answers with the units in which their errors are told."""
    sd = answers["sd"]["value"]
    return {name: {**one, "scale": scale_of(_QUANTITIES[name], one["value"], sd)} for name, one in answers.items()}
