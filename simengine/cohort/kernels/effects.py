"""How an effect grows, fades, and changes hazards, rates and probabilities."""

from __future__ import annotations

import numpy as np

from simengine.accelerate import device, inlined
from simengine.arrays import Floats, Index, Integers
from simengine.cohort.kernels.arrays import DIFFERENCE, HAZARD_RATIO, ODDS_RATIO, RELATIVE_RISK, Effects

_LARGEST = 1.0 - 1e-12
"""A state that is left for certain has an infinite hazard; this one leaves a person behind once in 1e12 periods."""
_ROUNDING = 1e-9
LARGEST_LOGARITHM = 690.0
"""Of a ratio, either way: exp(690) = 1e300, of which sums and products with 0 are still numbers."""


@inlined
def row_for(table: Floats, b: Index) -> Index:
    """Return the row of a table for replication b; a table with one row serves all."""
    return b if len(table) > 1 else 0


@device
def effect_strength(month: Index, ramp_months: float, fades_after_months: float, half_life_months: float) -> float:
    """Return the share of the full effect (of its logarithm) in the middle of a month after entry; 0 before entry."""
    if month < 0:
        return 0.0
    time = month + 0.5
    strength = 1.0 - np.exp(-time / ramp_months) if ramp_months > 0.0 else 1.0
    if time > fades_after_months:
        strength *= 0.5 ** ((time - fades_after_months) / half_life_months) if half_life_months > 0.0 else 0.0
    return strength


@device
def change_at(effects: Effects, b: Index, c: Index, j: int, month: Index) -> float:
    """Return what effect j does in a month after entry on course c: a ratio, or a difference."""
    strength = effect_strength(month, effects.clock[b, j, 0], effects.clock[b, j, 1], effects.clock[b, j, 2])
    size = effects.value[b, j] * effects.weight[row_for(effects.weight, b), c, j] * strength
    if effects.form[j] == DIFFERENCE:
        return float(size)
    return float(np.exp(min(max(size, -LARGEST_LOGARITHM), LARGEST_LOGARITHM)))


@device
def fill_changes(effects: Effects, b: int, history: int, change: Floats) -> None:
    """Fill what every effect does in every month of the clock; change: (c, j, m)."""
    n_courses, n_effects, n_months = change.shape
    for c in range(n_courses):
        for j in range(n_effects):
            is_steady = effects.clock[b, j, 0] <= 0.0 and effects.clock[b, j, 1] == np.inf
            for m in range(n_months):
                if is_steady and m not in (0, history):
                    change[c, j, m] = change[c, j, m - 1]
                else:
                    change[c, j, m] = change_at(effects, b, c, j, m - history)


@device
def with_odds(probability: float, ratio: float) -> float:
    """Multiply the odds of a probability; what is certain, or impossible, stays so at any ratio from 0 to infinity."""
    if probability <= 0.0 or probability >= 1.0:
        return probability
    if ratio == np.inf:
        return 1.0
    return probability * ratio / (1.0 - probability + probability * ratio)


@device
def changed_probability(probability: float, form: int, change: float) -> tuple[float, int]:
    """Return a probability under one effect, and 1 if it had to be clipped to remain one."""
    if form == HAZARD_RATIO:
        return 1.0 - (1.0 - probability) ** change, 0
    if form == ODDS_RATIO:
        return with_odds(probability, change), 0
    changed = probability * change if form == RELATIVE_RISK else probability + change
    if changed > 1.0:
        return 1.0, int(changed > 1.0 + _ROUNDING)
    if changed < 0.0:
        return 0.0, int(changed < -_ROUNDING)
    return changed, 0


@device
def change_leaving(
    effects: Effects, change: Floats, c: Index, k: Index, m: Index, first: Index, stop: Index, period: float, hazards: Floats
) -> int:
    """Change the hazards of the moves `first` to `stop` - 1 out of a state by effects on their probabilities over a period.

    change: (c, j, m); hazards: (v,), changed in place. Gives how many probabilities were clipped.

    Hazards h_v of sum h give the probabilities p_v = h_v / h (1 - exp(-h P)) over a period P; the changed ones, of sum p', give
    back the hazards p'_v / p' (-log(1 - p') / P).
    """
    total = 0.0
    for v in range(first, stop):
        total += hazards[v]
    shared = (1.0 - np.exp(-total * period)) / total if total > 0.0 else 0.0
    clipped = 0
    leaving = 0.0
    for v in range(first, stop):
        probability = hazards[v] * shared
        for j in range(effects.of[v], effects.of[v + 1]):
            if effects.form[j] != HAZARD_RATIO and effects.acts[j, k]:
                probability, is_clipped = changed_probability(probability, effects.form[j], change[c, j, m])
                clipped += is_clipped
        hazards[v] = probability
        leaving += probability
    if leaving > _LARGEST:
        clipped += int(leaving > 1.0 + _ROUNDING)
        for v in range(first, stop):
            hazards[v] *= _LARGEST / leaving
        leaving = _LARGEST
    back = -np.log1p(-leaving) / (period * leaving) if leaving > 0.0 else 0.0
    for v in range(first, stop):
        hazards[v] *= back
    return clipped


@device
def acts_on_probabilities(of: Integers, form: Integers, first: int, stop: int) -> bool:
    """Return whether an effect on the targets `first` to `stop` - 1 acts on probabilities, not on hazards; of, form: as in effects."""
    found = False
    for j in range(of[first], of[stop]):
        found |= form[j] != HAZARD_RATIO
    return found
