"""Problems of choice that are studies of the engine: a choice is written into the study, and the study is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from simengine.arrays import Floats, Integers
from simengine.bench.card import Card
from simengine.bench.choices.problem import ChoiceLimit, Choices, ChoiceTerm, LatticeProblem
from simengine.bench.choices.sizing import unknown_successes
from simengine.bench.estimation.quantity import AskedQuantity
from simengine.bench.frozen_studies import STUDIES, study_of, substance_of
from simengine.bench.problem import refuse_unknown
from simengine.config import Study, load_study
from simengine.pipeline import evaluate, simulate
from simengine.records import ReplicationResults
from simengine.replications.blocks import map_blocks

_BUDGETS = (4_000, 16_000)


@dataclass(frozen=True)
class StudyChoiceProblem(LatticeProblem):
    """Terms or a design of a frozen study."""

    study: str = field(kw_only=True)
    overrides: Callable[[Mapping[str, float]], tuple[str, ...]] = field(kw_only=True)
    """How a choice is written into the study, as `--set` writes it."""
    read: Callable[[ReplicationResults, Mapping[str, float]], dict[str, Floats]] = field(kw_only=True)
    """What a method is shown of the results."""

    @cached_property
    def base(self) -> Study:
        """The frozen study."""
        return study_of(self.study)

    def describe(self, instance: int = 0) -> dict[str, Any]:
        """Return the terms, what is wanted and the limits; it takes no uniforms."""
        return {**super().describe(instance), "dimension": 0}

    def simulate(
        self,
        parameters: Mapping[str, Any],
        replications: int,
        seed: int,
        instance: int = 0,  # noqa: ARG002
    ) -> dict[str, Floats]:
        """Run the study with a choice; parameters: every term."""
        refuse_unknown(parameters, tuple(self.terms))
        chosen = self.choice_in(parameters)
        study = load_study(STUDIES / f"{self.study}.yaml", self.overrides(chosen))

        def part(some: Integers) -> dict[str, Floats]:
            return self.read(evaluate(study, simulate(study, seed, some), with_returns=False), chosen)

        parts = map_blocks(part, replications, threads=1)
        return {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}

    def substance(self) -> dict[str, Any]:
        """Return the description, and the study as data, without its words."""
        # The fingerprint was frozen when the description told one uniform: nothing of what is asked has changed since.
        return {**super().describe(), "study": substance_of(self.base)}


def _share_and_cap(chosen: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(f"contract.terms.pay.{name}={value:.9g}" for name, value in chosen.items())


def _money(results: ReplicationResults, chosen: Mapping[str, float]) -> dict[str, Floats]:  # noqa: ARG001
    net = np.asarray(results["investor.net"])
    return {"payment": net + 5.0, "net": net}


def _exact_share_and_cap(choices: Choices) -> dict[str, Floats]:
    chances, above = unknown_successes(), np.maximum(np.arange(61, dtype=np.float64) - 20, 0.0)
    paid = np.minimum(choices["share"][:, None] * above, choices["cap"][:, None])
    net = np.round(paid - 5.0, 9)
    return {"objective": paid @ chances, "p_loss": (net < 0) @ chances, "mean_net": net @ chances}


def _with_arms(chosen: Mapping[str, float]) -> tuple[str, ...]:
    return (f"population.waves.all.size={round(chosen['people'])}", f"measurement.control.ratio={round(chosen['ratio'])}")


COST_OF_A_PERSON, COST_OF_A_CONTROL, BUDGET_OF_A_TRIAL = 9.0, 1.0, 1800.0
_SD, _TRUTH = 10.0, 3.0


def _error_of_trial(results: ReplicationResults, chosen: Mapping[str, float]) -> dict[str, Floats]:
    error = np.asarray(results["metric.gain.estimate"]) - _TRUTH
    cost = chosen["people"] * (COST_OF_A_PERSON + COST_OF_A_CONTROL * chosen["ratio"])
    return {"squared_error": error**2, "cost": np.full(len(error), cost)}


def _exact_arms(choices: Choices) -> dict[str, Floats]:
    people, ratio = choices["people"], choices["ratio"]
    cost = people * (COST_OF_A_PERSON + COST_OF_A_CONTROL * ratio)
    return {"objective": _SD**2 * (1 / people + 1 / (people * ratio)), "cost": cost}


def study_sizing_problems() -> Iterator[StudyChoiceProblem]:
    """Yield the problems of sizing that are studies."""
    yield StudyChoiceProblem(
        Card(
            "a_share_and_a_cap_on_the_engine",
            "sizing",
            "A share and a cap, on the engine",
            "The price of a success from the twenty-first on and the cap with the least mean payment, with P(loss) of 45 % at most and a "
            "mean net of 0.5 at least.",
            "every look at a choice is a run of a study",
            "enumeration of all choices over the beta-binomial distribution of successes",
            "none but rounding",
            _BUDGETS,
            "a run of the engine: people, measurement, money",
        ),
        {"share": ChoiceTerm(0.5, 4.0, 0.1), "cap": ChoiceTerm(5, 30, 1)},
        "least",
        AskedQuantity("mean", "payment"),
        1,
        _exact_share_and_cap,
        {
            "p_loss": ChoiceLimit(AskedQuantity("below", "net"), 0.1, at_most=0.45),
            "mean_net": ChoiceLimit(AskedQuantity("mean", "net"), 1.0, at_least=0.5),
        },
        {"lent": 5.0, "people": 60, "starts_above": 20},
        60.0,
        study="floor_and_cap",
        overrides=_share_and_cap,
        read=_money,
    )


def study_design_problems() -> Iterator[StudyChoiceProblem]:
    """Yield the problems of evaluation design that are studies."""
    yield StudyChoiceProblem(
        Card(
            "arms_on_the_engine",
            "design",
            "Two arms, on the engine",
            "How many people to serve in a randomised trial and how many to compare with each, with the least squared error within a cost.",
            "whole numbers, and every look at a design is a run of a study",
            "variance of a difference of two means, s^2 (1/n + 1/(k n)), over all choices",
            "none but rounding",
            _BUDGETS,
            "a run of the engine: people and measurement",
        ),
        {"people": ChoiceTerm(20, 200, 1), "ratio": ChoiceTerm(1, 10, 1)},
        "least",
        AskedQuantity("mean", "squared_error"),
        1,
        _exact_arms,
        {"cost": ChoiceLimit(AskedQuantity("mean", "cost"), 180.0, at_most=BUDGET_OF_A_TRIAL)},
        {"cost_of_a_person": COST_OF_A_PERSON, "cost_of_a_control": COST_OF_A_CONTROL, "sd": _SD},
        120.0,
        study="a_price_per_point",
        overrides=_with_arms,
        read=_error_of_trial,
    )
