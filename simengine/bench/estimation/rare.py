"""Baseline methods of estimation for what plain draws hardly see: rare events, and nested simulation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simengine.arrays import Floats
from simengine.bench.estimation.methods import SMALL
from simengine.bench.estimation.quantity import functional_of
from simengine.bench.refusals import NotApplicableError
from simengine.bench.trial import Trial
from simengine.late import special
from simengine.streams import generator_of

_ELITE = 0.1
_MOST_LEVELS = 30


def importance_sampling(trial: Trial, seed: int) -> dict[str, float]:
    """Shift the normal scores of the uniforms towards a rare event, by the cross-entropy method (Rubinstein and Kroese 2004).

    It serves probabilities alone; half of the budget finds the shift, half estimates with it.
    """
    described = trial.describe()
    asked = {name: one for name, one in described["quantities"].items() if is_of_one_event(one)}
    if not asked or described["dimension"] == 0:
        raise NotApplicableError("no probability of the contract that is described is asked for")
    n = trial.budget // (2 * len(asked))
    return {name: _tilted(trial, one, n, seed + 7919 * k) for k, (name, one) in enumerate(asked.items())}


def is_of_one_event(one: Mapping[str, Any]) -> bool:
    """Return whether a quantity is the probability of an event of the contract that is described."""
    return one["functional"] in ("below", "at_least") and not one.get("by") and "less" not in one and "terms" not in one


def _tilted(trial: Trial, one: Mapping[str, Any], n: int, seed: int) -> float:
    dimension, pilot = trial.describe()["dimension"], max(n // 8, 64)
    sign = 1.0 if one["functional"] == "at_least" else -1.0
    shift, spent = np.zeros(dimension), 0
    for level in range(_MOST_LEVELS):
        if spent + pilot > n:
            break
        score = generator_of(seed, f"bench/pilot/{level}").standard_normal((pilot, dimension)) + shift
        height = sign * _column(trial, one, score, seed + level)
        spent += pilot
        reached = min(float(np.quantile(height, 1 - _ELITE)), sign * one["at"])
        weight = np.exp(-score @ shift + 0.5 * shift @ shift) * (height >= reached)
        if weight.sum() > 0:
            shift = weight @ score / weight.sum()
        if reached >= sign * one["at"]:
            break
    left = 2 * n - spent
    score = generator_of(seed, "bench/tilted").standard_normal((left, dimension)) + shift
    values = _column(trial, one, score, seed)
    return functional_of(values, one["functional"], one["at"], np.exp(-score @ shift + 0.5 * shift @ shift))


def _column(trial: Trial, one: Mapping[str, Any], score: Floats, seed: int) -> Floats:
    uniforms = np.clip(special.ndtr(score), SMALL, 1 - SMALL)
    return trial.simulate({"uniforms": uniforms}, len(score), seed)[one["column"]]


def multilevel(trial: Trial, seed: int) -> dict[str, float]:
    """Sum the differences between a pilot and its two halves over pilots of twice and twice as many people (Giles 2015).

    It serves problems in which a replication is itself a simulation of so many people. With the variance of a difference falling as
    people^-1.5 and its work rising as people, replications are spread as people^-1.25.
    """
    described = trial.describe()
    term = described.get("work_term", "")
    if not term:
        raise NotApplicableError("no replication of this problem is itself a simulation of many people")
    levels = np.arange(max(2, round(np.log2(trial.budget) / 2)))
    people = 2.0 ** (levels + 1)
    share = people**-1.25
    numbers = np.maximum((trial.budget * share / float(share @ people)).astype(int), 1)
    found = dict.fromkeys(described["quantities"], 0.0)
    for level, number in enumerate(numbers):
        columns = trial.simulate({term: float(people[level])}, int(number), seed + level)
        for name, one in described["quantities"].items():
            fine = columns[one["column"]]
            found[name] += float(np.mean(fine if level == 0 else fine - columns["by_halves"]))
    return found
