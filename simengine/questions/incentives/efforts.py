"""Choices of effort and of referrals: the options, their effects on people, and their costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations, pairwise, product

import numpy as np

from simengine.cohort import Cohort, drawn_shares
from simengine.cohort.spec import Effect
from simengine.config import Study
from simengine.config.behaviour import Behaviour, Effort, EffortCost, touched, weight_of
from simengine.distributions import Quantity
from simengine.records import SERVICE, Draws, Floats, Tallies, add_in_order

_QUANTILES = 10_000
"""Steps in which a distribution between referrers is added up."""


@dataclass(frozen=True)
class EffortChoice:
    """Levels of effort, and the number of people referred."""

    efforts: Mapping[str, float] = field(default_factory=dict)
    """By effort: its level; at 1 the service has the effect in the study."""
    volume: float = 1.0
    """The multiple of the size of every wave."""


def behaviour_of(study: Study) -> Behaviour:
    """Return the behaviour of a study; where it has none, that of people who have nothing to decide."""
    return study.behaviour or Behaviour()


def efforts_of(study: Study) -> list[dict[str, float]]:
    """List the efforts that may be chosen, from little to much: of choices that are worth the same, the first is taken."""
    behaviour = behaviour_of(study)
    if behaviour.share_out is None:
        levels = [effort.levels or () for effort in behaviour.efforts.values()]
        found = [dict(zip(behaviour.efforts, each, strict=True)) for each in product(*levels)]
    else:
        weights = {name: weight_of(study, effort) for name, effort in behaviour.efforts.items()}
        n_parts = int(behaviour.share_out.parts.value)
        found = [
            {name: total * part / n_parts / weights[name] for name, part in zip(weights, parts, strict=True)}
            for total in behaviour.share_out.totals
            for parts in _ways(n_parts, len(weights))
        ]
    return sorted(found, key=_how_much)


def _how_much(efforts: Mapping[str, float]) -> tuple[float, float]:
    """Order efforts by their sum; of equal sums first the one nearest to that of the study."""
    return round(sum(efforts.values()), 9), sum((effort - 1.0) ** 2 for effort in efforts.values())


def _ways(n_parts: int, n_efforts: int) -> Iterator[tuple[int, ...]]:
    """Yield every way to give equal parts to some efforts: bars between stars."""
    for bars in combinations(range(n_parts + n_efforts - 1), n_efforts - 1):
        edges = (-1, *bars, n_parts + n_efforts - 1)
        yield tuple(high - low - 1 for low, high in pairwise(edges))


def volumes_of(study: Study) -> tuple[float, ...]:
    """List the volumes that may be referred, from few to many."""
    referral = behaviour_of(study).referral
    return (1.0,) if referral is None else referral.levels


def choices_of(study: Study) -> tuple[EffortChoice, ...]:
    """List the choices: every volume of the first efforts, then of the next; then that of the study, unless it is among them."""
    found = [EffortChoice(efforts, volume) for efforts in efforts_of(study) for volume in volumes_of(study)]
    said = as_the_study_says(study)
    return tuple(found if said in found else [*found, said])


def as_the_study_says(study: Study) -> EffortChoice:
    """Return the choice that changes nothing."""
    return EffortChoice(dict.fromkeys(behaviour_of(study).efforts, 1.0))


def with_choice(study: Study, cohort: Cohort, draws: Draws, choice: EffortChoice) -> tuple[Cohort, Draws]:
    """Return the cohort and the draws under a choice; that of the study changes no bit of either."""
    strengths = _strengths(study, choice)
    effects: dict[str, Effect] = {}
    values = dict(draws.values)
    for name, effect in cohort.effect.items():
        acts_in = effect.strata or tuple(study.population.strata)
        by_strength: dict[float, list[str]] = {}
        for stratum in acts_in:
            by_strength.setdefault(strengths.get((name, stratum), 1.0), []).append(stratum)
        for number, (strength, strata) in enumerate(by_strength.items()):
            # A name with a blank cannot be the name of another effect.
            own = name if len(by_strength) == 1 else f"{name} {number}"
            effects[own] = effect if len(by_strength) == 1 else effect.model_copy(update={"strata": tuple(strata)})
            values |= {path.replace(f"effect.{name}.", f"effect.{own}.", 1): draws[path] for path in _paths(draws, name)}
            path = f"effect.{own}.{effect.form}"
            values[path] = _times(values[path], strength, is_ratio=effect.form != "difference")
    if choice.volume != 1.0:
        values |= {path: draws[path] * choice.volume for path in _sizes(study)}
    return replace(cohort, effect=effects), replace(draws, values=values)


def with_volume(study: Study, draws: Draws, choice: EffortChoice) -> Draws:
    """Return the replications in which so many people are referred."""
    values = {path: draws[path] * choice.volume for path in _sizes(study)}
    return draws if choice.volume == 1.0 else replace(draws, values={**draws.values, **values})


def _sizes(study: Study) -> list[str]:
    return [f"population.waves.{name}.size" for name in study.population.waves]


def _paths(draws: Draws, effect: str) -> list[str]:
    return [path for path in draws.values if path.startswith(f"effect.{effect}.")]


def _strengths(study: Study, choice: EffortChoice) -> dict[tuple[str, str], float]:
    """Return the strength of each effect in each stratum that an effort reaches."""
    return {place: choice.efforts[name] for name, effort in behaviour_of(study).efforts.items() for place in touched(study, effort)}


def _times(value: Floats, strength: float, *, is_ratio: bool) -> Floats:
    """Multiply an effect, or its logarithm, by a strength."""
    if strength == 1.0:
        return value
    return np.asarray(value**strength if is_ratio else value * strength)


def cost_of_efforts(study: Study, choice: EffortChoice, draws: Draws, tallies: Tallies) -> Floats:
    """Return what the efforts of a choice cost in each replication, in money of today, shape (n_replications,)."""
    behaviour, nothing = behaviour_of(study), np.zeros(len(draws))
    costs = [nothing]
    for name, effort in behaviour.efforts.items():
        if effort.cost is not None:
            each = _cost_of_one(f"behaviour.efforts.{name}.cost", effort, effort.cost, choice.efforts[name], draws)
            costs.append(each * _units(study, effort.cost.per, effort, draws, tallies))
    if behaviour.cross is not None:
        for (one, first), (other, second) in combinations(behaviour.efforts.items(), 2):
            squares = [draws[f"behaviour.efforts.{name}.cost.quadratic"] for name in (one, other)]
            together = np.sqrt(squares[0] * squares[1]) * choice.efforts[one] * choice.efforts[other]
            assert first.cost is not None
            units = [_units(study, first.cost.per, effort, draws, tallies) for effort in (first, second)]
            costs.append(behaviour.cross.value * together * np.sqrt(units[0] * units[1]))
    return add_in_order(costs)


def _cost_of_one(path: str, effort: Effort, cost: EffortCost, level: float, draws: Draws) -> Floats:
    if cost.table is not None:
        assert effort.levels is not None
        # What the study says need not be a level: between two of them the cost runs straight, beyond them it stays.
        by_level = np.stack([draws[f"{path}.table.{place}"] for place in range(len(cost.table))])
        place = float(np.interp(level, effort.levels, np.arange(len(effort.levels))))
        below, above = int(np.floor(place)), int(np.ceil(place))
        return np.asarray(by_level[below] + (place - below) * (by_level[above] - by_level[below]))
    return draws[f"{path}.quadratic"] / 2 * level**2


def _units(study: Study, per: str, effort: Effort, draws: Draws, tallies: Tallies) -> Floats:
    """Return how often a cost arises in each replication."""
    if per == "contract":
        return np.ones(len(draws))
    if per == "wave":
        return np.full(len(draws), float(len(study.population.waves)))
    shares = drawn_shares(
        {name: stratum.share for name, stratum in study.population.strata.items()}, draws, "population.strata.{}.share"
    )
    return people_of(tallies) * add_in_order([shares[name] for name in effort.strata or shares])


def people_of(tallies: Tallies) -> Floats:
    """Return the service users of each replication, shape (n_replications,)."""
    return np.asarray(tallies.n_people[:, :, SERVICE].sum(axis=1), dtype=np.float64)


def cost_of_referrals(study: Study, choice: EffortChoice, draws: Draws, tallies: Tallies) -> Floats:
    """Return the referrer's cost of referrals in each replication."""
    referral = behaviour_of(study).referral
    if referral is None:
        return np.zeros(len(draws))
    if referral.cost_between_referrers is not None:
        each = mean_of_cheapest(referral.cost_between_referrers, min(choice.volume / referral.levels[-1], 1.0))
        return np.asarray(each * people_of(tallies))
    if referral.cost_per_person is None:
        return np.zeros(len(draws))
    return np.asarray(draws["behaviour.referral.cost_per_person"] * people_of(tallies))


def mean_of_cheapest(distribution: Quantity, share: float) -> float:
    """Return the mean of the lowest share of a distribution, from its quantiles at the midpoints of small steps."""
    return float(np.mean(distribution.inverse(share * (np.arange(_QUANTILES) + 0.5) / _QUANTILES)))
