"""Baseline methods of estimation: how replications are drawn, and what is made of them.

Every method serves all problems of the family, or says of some that it does not apply. Each estimates every quantity that is asked for
within one budget: replications of the contract that is described serve all quantities of it; other contracts are simulated with the
same draws, and share the budget.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from simengine.arrays import Floats
from simengine.bench.estimation.quantity import BY_MEANS, functional_of, per_replication
from simengine.bench.refusals import NotApplicableError
from simengine.bench.trial import Trial
from simengine.late import qmc, special
from simengine.streams import generator_of

STEP = 0.02
"""Of a difference quotient, as a share of the term."""
SMALL = 2.0**-53
"""How near a uniform may come to 0 and to 1."""
PointSet = Callable[[int, int, int], Floats | None]
"""From replications, dimension and seed to uniforms; None: drawn by the problem."""


def estimated(
    trial: Trial, seed: int, points: PointSet, read: Callable[[Floats, Mapping[str, Any], Floats | None], float]
) -> dict[str, float]:
    """Estimate every quantity from one set of points, in as many contracts as they name."""
    asked = trial.describe()["quantities"]
    contracts = contracts_of(asked, trial.describe()["terms"])
    work_term = trial.describe().get("work_term", "")
    work = trial.describe()["terms"][work_term] if work_term else 1.0
    n = _count(int(trial.budget / len(contracts) / work), points)
    uniforms = points(n, trial.describe()["dimension"], seed)
    given = {} if uniforms is None else {"uniforms": uniforms}
    columns = {key: trial.simulate({**given, **dict(key)}, n, seed) for key in contracts}
    found = {}
    for name, one in asked.items():
        signed = signed_contracts(one, trial.describe()["terms"])
        found[name] = sum(factor * read(columns[key][one["column"]], one, uniforms) for key, factor in signed.items())
    return found


ContractKey = tuple[tuple[str, float], ...]


def signed_contracts(one: Mapping[str, Any], terms: Mapping[str, float]) -> dict[ContractKey, float]:
    """Return the contracts of a quantity, each with the factor by which its value counts."""
    if one.get("by"):
        at, term = terms[one["by"]], one["by"]
        step = STEP * at
        return {((term, at + step),): 1 / (2 * step), ((term, at - step),): -1 / (2 * step)}
    signed = {_key(one.get("terms", {}), terms): 1.0}
    return signed | ({_key(one["less"], terms): -1.0} if "less" in one else {})


def _key(own: Mapping[str, float], terms: Mapping[str, float]) -> ContractKey:
    return tuple(sorted((name, value) for name, value in own.items() if terms.get(name) != value))


def contracts_of(asked: Mapping[str, Mapping[str, Any]], terms: Mapping[str, float]) -> list[ContractKey]:
    """Return the contracts that some quantities name, each once."""
    return list(dict.fromkeys(key for one in asked.values() for key in signed_contracts(one, terms)))


def _count(n: int, points: PointSet) -> int:
    """Return how many replications a point set takes of those that there are: a power of two where evenness asks for it."""
    if points in (sobol_points,):
        return 1 << max(n, 2).bit_length() - 1
    return max(n - n % 2, 2)


def _plainly(values: Floats, one: Mapping[str, Any], uniforms: Floats | None) -> float:  # noqa: ARG001
    return functional_of(values, one["functional"], one.get("at", 0.0))


def sobol_points(n: int, dimension: int, seed: int) -> Floats | None:
    """Return scrambled Sobol points."""
    if dimension == 0:
        return None
    engine = qmc.Sobol(dimension, scramble=True, bits=52, seed=generator_of(seed, "bench/sobol"))
    return np.asarray(np.clip(engine.random(n), SMALL, 1 - SMALL))


def antithetic_points(n: int, dimension: int, seed: int) -> Floats | None:
    """Return pairs of points that are mirror images."""
    half = np.maximum(generator_of(seed, "bench/antithetic").random((n // 2, dimension)), SMALL)
    return np.concatenate([half, 1 - half])


def stratified_points(n: int, dimension: int, seed: int) -> Floats | None:
    """Return a Latin hypercube: every uniform has one value in each of n equal intervals (McKay, Beckman and Conover 1979)."""
    if dimension == 0:
        return None
    drawn = qmc.LatinHypercube(dimension, seed=generator_of(seed, "bench/stratified")).random(n)
    return np.asarray(np.clip(drawn, SMALL, 1 - SMALL))


def no_points(n: int, dimension: int, seed: int) -> Floats | None:  # noqa: ARG001
    """Leave the draws to the problem."""
    return None


def plain_draws(trial: Trial, seed: int) -> dict[str, float]:
    """Draw independent replications, each of equal weight: what every other method is measured against."""
    return estimated(trial, seed, no_points, _plainly)


def sobol(trial: Trial, seed: int) -> dict[str, float]:
    """Spread the uniforms evenly by scrambled Sobol points (Owen 1995)."""
    refuse_nothing_to_spread(trial)
    return estimated(trial, seed, sobol_points, _plainly)


def antithetic(trial: Trial, seed: int) -> dict[str, float]:
    """Draw every second replication as the mirror image of the one before (Hammersley and Morton 1956)."""
    refuse_nothing_to_spread(trial)
    return estimated(trial, seed, antithetic_points, _plainly)


def stratified(trial: Trial, seed: int) -> dict[str, float]:
    """Stratify every uniform: Latin hypercube sampling."""
    refuse_nothing_to_spread(trial)
    return estimated(trial, seed, stratified_points, _plainly)


def refuse_nothing_to_spread(trial: Trial) -> None:
    """Refuse a problem without uniforms.

    Raises
    ------
    NotApplicableError
        If there is no uniform that a method could choose.
    """
    if trial.describe()["dimension"] == 0:
        raise NotApplicableError("no number of this problem has a distribution; its people are drawn by the seed")


def regression_on_scores(trial: Trial, seed: int) -> dict[str, float]:
    """Correct means by the normal scores of the uniforms and their squares, whose means are known: least squares.

    Standard deviations, quantiles and tail means are left as they are.
    """
    refuse_nothing_to_spread(trial)
    dimension = trial.describe()["dimension"]

    def drawn(n: int, d: int, own: int) -> Floats:
        return np.maximum(generator_of(own, "bench/controls").random((n, d)), SMALL)

    def corrected(values: Floats, one: Mapping[str, Any], uniforms: Floats | None) -> float:
        if uniforms is None or one["functional"] not in BY_MEANS:
            return _plainly(values, one, uniforms)
        score = special.ndtri(uniforms)
        controls = np.column_stack([np.ones(len(values)), score, score**2 - 1])
        added = per_replication(values, one["functional"], one.get("at", 0.0))
        # The intercept of the regression is the mean where all controls have the means that are known.
        return float(np.linalg.lstsq(controls, added, rcond=None)[0][0])

    if trial.budget < 20 * (1 + 2 * dimension):
        raise NotApplicableError(f"too few replications for {2 * dimension} slopes")
    return estimated(trial, seed, drawn, corrected)


def conditional_monte_carlo(trial: Trial, seed: int) -> dict[str, float]:
    """Average expected values given some of the uniforms, where the rest has a closed form (Asmussen and Glynn 2007, section V.4).

    Quantities that are no expected values are left out.
    """
    given = trial.describe().get("given", 0)
    if not given:
        raise NotApplicableError("no part of this problem has a closed form given the rest")
    drawn = np.maximum(generator_of(seed, "bench/conditional").random((trial.budget, given)), SMALL)
    return {name: float(values.mean()) for name, values in trial.simulate({"given": drawn}, trial.budget, seed).items()}
