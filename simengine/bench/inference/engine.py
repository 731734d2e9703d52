"""A problem of inference whose simulator is a study of the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simengine.arrays import Floats, Integers
from simengine.bench.frozen_studies import study_of, substance_of
from simengine.bench.inference.catalogue import inference_problems
from simengine.bench.inference.problem import InferenceProblem
from simengine.bench.problem import SMALLEST_UNIFORM, refuse_unknown
from simengine.late import special
from simengine.pipeline import DrawOverrides, evaluate, simulate
from simengine.replications.blocks import map_blocks
from simengine.streams import generator_of

_STUDY, _PATH, _LENT = "sixty_unknown_coins", "outcomes.success.probability.here", 20.0
_BEFORE = (8.0, 12.0)


@dataclass(frozen=True)
class StudyInferenceProblem(InferenceProblem):
    """The chance of success behind what a frozen study paid."""

    def simulate(self, parameters: Mapping[str, Any], replications: int, seed: int, instance: int = 0) -> dict[str, Floats]:
        """Run the study with a chance in every replication; parameters: `theta`, shape (replications, 1), else from the prior."""
        refuse_unknown(parameters, ("theta",))
        points = np.maximum(generator_of(seed, f"bench/{self.card.name}").random((replications, 1)), SMALLEST_UNIFORM)
        theta = self.prior(points) if parameters.get("theta") is None else self.given(parameters["theta"], replications)
        inside = np.clip(theta[:, 0], 1e-12, 1 - 1e-12)
        uniforms = np.clip(special.betainc(*_BEFORE, inside), SMALLEST_UNIFORM, 1 - 2.0**-53)
        study = study_of(_STUDY)

        def successes(some: Integers) -> Floats:
            evidence = simulate(study, seed, some, overrides=DrawOverrides(uniform={_PATH: uniforms[some]}))
            return np.asarray(evaluate(study, evidence, with_returns=False)["investor.net"]) + _LENT

        data = np.concatenate(map_blocks(successes, replications, threads=1))[:, None]
        observed = self.truth_and_data(instance)[1]
        return {"theta": theta, "data": data, "log_likelihood": self.log_likelihood(theta, observed)}

    def substance(self) -> dict[str, Any]:
        """Return the description and the study as data, without its words."""
        return {**super().substance(), "study": substance_of(study_of(_STUDY))}


def study_inference_problems() -> Iterator[InferenceProblem]:
    """Yield the problem: the one of sixty people, simulated by the engine."""
    small = next(one for one in inference_problems() if one.card.name == "a_chance_of_success")
    card = replace(
        small.card,
        name="a_chance_on_the_engine",
        title="A chance of success, on the engine",
        question="The chance behind what a contract paid for the successes of 60 people.",
        difficulty="every simulated data set is a run of a study",
        budgets=(1000, 10_000),
        cost="a run of the engine: people, measurement, money",
    )
    fields = {name: getattr(small, name) for name in small.__dataclass_fields__}
    yield StudyInferenceProblem(**{**fields, "card": card})
