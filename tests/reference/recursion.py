"""Exact moments of what people come to, without a single random number.

A person moves between states once a month. Let Y be what the person is worth from some month on, and Y' from the next
month on, so that Y = f + Y' with f the worth of this month in this state. Conditioning on the state at the start of the
next month gives the moments backwards, from the last month to the first:

    E Y^k = sum over j of binomial(k, j) f^(k - j) P (E Y'^j),

with P the moves of this month; for k = 1 and 2 that is m1 = f + P m1' and m2 = f^2 + 2 f P m1' + P m2'. People are
independent, so the moments of a group follow from those of one person; and where something is not known, moments (never
variances) are averaged over what it may be. All moments up to the fourth are carried: the fourth says how far a sample's
variance may lie from the true one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import comb, exp, log1p, prod, sqrt

from simengine.cohort.outcomes.binary import Binary
from simengine.cohort.spec import Effect
from simengine.config import Study
from simengine.records import ARMS

Matrix = list[list[float]]
Moments = list[float]
"""E Y^0 = 1, E Y, E Y^2, E Y^3, E Y^4."""
Values = Mapping[str, float]
"""The numbers of a study by path."""

ORDER = 4
DAYS_PER_MONTH = 365.25 / 12
Z_LIMIT = 4.5
"""Exceeded by a standard normal number, in either direction, once in 150,000."""


@dataclass(frozen=True)
class Kind:
    """People of one stratum: their share, the shares of the states at entry, the moves of each month after entry."""

    share: float
    start: Sequence[float]
    moves: Sequence[Matrix]


# ------------------------------------------------ one person ------------------------------------------------


def moments_of_person(kinds: Iterable[Kind], worth: Sequence[Sequence[float]], yes_at_end: Sequence[float] = ()) -> Moments:
    """Return the moments of the worth of a person of any kind.

    Parameters
    ----------
    kinds
        Who the person may be.
    worth
        By month after entry and state: what a month is worth. Its length is the number of months.
    yes_at_end
        By state: the probability that one more unit is added, decided in the state that follows the last month.
    """
    return mixture((kind.share, _average(kind.start, _moments_by_state(kind, worth, yes_at_end))) for kind in kinds)


def _moments_by_state(kind: Kind, worth: Sequence[Sequence[float]], yes_at_end: Sequence[float]) -> list[Moments]:
    n_states = len(kind.start)
    # 1 and 0 are their own powers, so every moment of a yes or no is its probability.
    later = [[1.0] + [yes_at_end[state] if yes_at_end else 0.0] * ORDER for state in range(n_states)]
    for month in reversed(range(len(worth))):
        after_move = [_average(kind.moves[month][state], later) for state in range(n_states)]
        later = [_shifted(worth[month][state], after_move[state]) for state in range(n_states)]
    return later


def _average(shares: Sequence[float], moments: Sequence[Moments]) -> Moments:
    return [sum(share * moment[k] for share, moment in zip(shares, moments, strict=True)) for k in range(ORDER + 1)]


def _shifted(constant: float, moments: Moments) -> Moments:
    return sum_of_two([constant**k for k in range(ORDER + 1)], moments)


def product_of_person(kinds: Iterable[Kind], one: Sequence[Sequence[float]], other: Sequence[Sequence[float]]) -> float:
    """Return the mean of the product of two worths F = f + F' and G = g + G' of the same person.

    Backwards as above: E F G = f g + f P (E G') + g P (E F') + P (E F' G').
    """
    total = 0.0
    for kind in kinds:
        states = range(len(kind.start))
        mean_f, mean_g, product = [0.0] * len(states), [0.0] * len(states), [0.0] * len(states)
        for f, g, move in reversed(list(zip(one, other, kind.moves, strict=False))):
            later_f = [sum(move[i][j] * mean_f[j] for j in states) for i in states]
            later_g = [sum(move[i][j] * mean_g[j] for j in states) for i in states]
            later = [sum(move[i][j] * product[j] for j in states) for i in states]
            product = [f[i] * g[i] + f[i] * later_g[i] + g[i] * later_f[i] + later[i] for i in states]
            mean_f = [f[i] + later_f[i] for i in states]
            mean_g = [g[i] + later_g[i] for i in states]
        total += kind.share * sum(kind.start[i] * product[i] for i in states)
    return total


def covariance_of_person(kinds: Sequence[Kind], one: Sequence[Sequence[float]], other: Sequence[Sequence[float]]) -> float:
    """Return the covariance of two worths of the same person of any kind."""
    means = moments_of_person(kinds, one)[1] * moments_of_person(kinds, other)[1]
    return product_of_person(kinds, one, other) - means


# ------------------------------------------------ many people, many replications ------------------------------------------------


def sum_of_two(one: Moments, other: Moments) -> Moments:
    """Return the moments of the sum of two independent numbers."""
    return [sum(comb(k, j) * one[k - j] * other[j] for j in range(k + 1)) for k in range(ORDER + 1)]


def sum_of(n: int, moments: Moments) -> Moments:
    """Return the moments of the sum of n independent numbers of the same distribution."""
    total = [1.0] + [0.0] * ORDER
    for _ in range(n):
        total = sum_of_two(total, moments)
    return total


def mixture(parts: Iterable[tuple[float, Moments]]) -> Moments:
    """Average moments over what may be the case, each with its probability."""
    total = [0.0] * (ORDER + 1)
    for share, moments in parts:
        total = [before + share * moment for before, moment in zip(total, moments, strict=True)]
    return total


@dataclass(frozen=True)
class Distribution:
    """What a sample of independent numbers is compared with."""

    mean: float
    variance: float
    fourth: float
    """Fourth central moment."""

    @classmethod
    def of(cls, moments: Moments) -> Distribution:
        """Turn moments about 0 into moments about the mean."""
        _, mean, second, third, fourth = moments
        central = fourth - 4 * mean * third + 6 * mean**2 * second - 3 * mean**4
        return cls(mean, second - mean**2, central)

    @property
    def sd(self) -> float:
        return sqrt(self.variance)

    def z_of_mean(self, sample: Sequence[float]) -> float:
        """Return how many standard errors, sd / sqrt(n), the mean of a sample lies above the true one."""
        n = len(sample)
        return (sum(sample) / n - self.mean) / (self.sd / sqrt(n))

    def z_of_totals(self, n: int, total: float, total_of_squares: float) -> tuple[float, float]:
        """Return the z-scores of mean and variance of a sample of which only the sum and the sum of squares were kept."""
        mean = total / n
        variance = (total_of_squares - n * mean**2) / (n - 1)
        return (mean - self.mean) / (self.sd / sqrt(n)), self._z_of_variance(n, variance)

    def z_of_spread(self, sample: Sequence[float]) -> float:
        """Return how many standard errors the variance of a sample lies above the true one.

        The variance s^2 = sum (y - mean)^2 / (n - 1) has mean v and variance (m4 - v^2 (n - 3) / (n - 1)) / n at every
        n (Kenney and Keeping 1951, "Mathematics of Statistics", part 2, section 7.3). To first order this is the z-score of s
        itself, (s - sd) / (sd sqrt((kurtosis - 1) / 4n)); unlike that one it has mean 0 and variance 1 exactly.
        """
        n = len(sample)
        mean = sum(sample) / n
        variance = sum((y - mean) ** 2 for y in sample) / (n - 1)
        return self._z_of_variance(n, variance)

    def _z_of_variance(self, n: int, variance: float) -> float:
        return (variance - self.variance) / sqrt((self.fourth - self.variance**2 * (n - 3) / (n - 1)) / n)


class DisagreementError(AssertionError):
    """A sample does not come from the distribution it is compared with."""


def require_agreement(sample: Sequence[float], distribution: Distribution, what: str) -> None:
    """Refuse a sample whose mean or variance is further from the distribution's than luck explains."""
    _require(distribution.z_of_mean(sample), distribution.z_of_spread(sample), what)


def require_agreement_of_totals(n: int, total: float, total_of_squares: float, distribution: Distribution, what: str) -> None:
    """Do the same with the sum and the sum of squares of n numbers."""
    _require(*distribution.z_of_totals(n, total, total_of_squares), what)


def _require(z_mean: float, z_spread: float, what: str) -> None:
    if not (abs(z_mean) <= Z_LIMIT and abs(z_spread) <= Z_LIMIT):
        raise DisagreementError(f"{what}: mean off by {z_mean:.1f} standard errors, variance by {z_spread:.1f}")


# ------------------------------------------------ a study ------------------------------------------------


def values_of(study: Study, changes: Values | None = None) -> dict[str, float]:
    """Return the numbers of a study by path, with changes; a distribution counts with its mean."""
    return {path: quantity.centre for path, quantity in study.numbers.items()} | dict(changes or {})


def kinds_of(study: Study, values: Values, arm: int) -> list[Kind]:
    """Return the people of a study in an arm; the effects belong to the service arm alone."""
    effects = {name: effect for name, effect in study.effect.items() if ARMS[arm] == "service" and effect.move}
    shares = shares_of(list(study.population.strata), "population.strata.{}.share", values)
    kinds = []
    for stratum, share in shares.items():
        entered = shares_of(list(study.pathway.start[stratum]), f"pathway.start.{stratum}.{{}}", values)
        start = [entered.get(state, 0.0) for state in study.pathway.states]
        moves = [moves_in(study, values, stratum, month, effects) for month in range(int(study.study.horizon_months.value))]
        kinds.append(Kind(share, start, moves))
    return kinds


def shares_of(names: Sequence[str], path: str, values: Values) -> dict[str, float]:
    """Return the shares of a whole; the one that no number is given for takes the rest."""
    given = {name: values[path.format(name)] for name in names if path.format(name) in values}
    return {name: given.get(name, 1.0 - sum(given.values())) for name in names}


def moves_in(study: Study, values: Values, stratum: str, month: int, effects: Mapping[str, Effect]) -> Matrix:
    """Return the probabilities of all moves in a month after entry.

    The table gives the probability p_j of each move out of a state. Its hazard is its part of the whole hazard,
    -log(1 - sum p) p_j / sum p; an effect multiplies the hazard by its ratio to the power of its strength.
    """
    states = study.pathway.states
    matrix = [[0.0] * len(states) for _ in states]
    for i, origin in enumerate(states):
        table = {j: probability_of(study, values, stratum, origin, target) for j, target in enumerate(states) if j != i}
        leaving = sum(table.values())
        hazards = dict.fromkeys(table, 0.0)
        for j, probability in table.items():
            if leaving > 0:
                ratios = (
                    ratio_in(values, name, effect, month)
                    for name, effect in effects.items()
                    if effect.target == "move" and f"{origin} -> {states[j]}" in effect.targets
                )
                hazards[j] = -log1p(-leaving) * probability / leaving * prod(ratios)
        total = sum(hazards.values())
        matrix[i][i] = exp(-total)
        for j, hazard in hazards.items():
            matrix[i][j] = (1 - exp(-total)) * hazard / total if total > 0 else 0.0
    return matrix


def probability_of(study: Study, values: Values, stratum: str, origin: str, target: str) -> float:
    """Return the untreated probability of a move; 0 where the study names none."""
    path = f"pathway.moves.{origin} -> {target}"
    return values.get(f"{path}.per_month", values.get(f"{path}.by_stratum.{stratum}.per_month", 0.0))


def ratio_in(values: Values, name: str, effect: Effect, month: int) -> float:
    """Return the hazard ratio of an effect in the middle of a month after entry: the full ratio to the power of its strength."""
    middle, path = month + 0.5, f"effect.{name}"
    strength = 1.0
    if effect.ramp_months is not None and values[f"{path}.ramp_months"] > 0:
        strength = 1.0 - exp(-middle / values[f"{path}.ramp_months"])
    if effect.fades_after_months is not None:
        faded = max(middle - values[f"{path}.fades_after_months"], 0.0)
        strength /= 2 ** (faded / values[f"{path}.half_life_months"])
    return values[f"{path}.hazard_ratio"] ** strength


def yes_by_state(study: Study, values: Values, outcome: str, arm: int) -> list[float]:
    """Return the probability of a binary outcome by state: the odds are multiplied by the odds ratios of the service."""
    assert isinstance(study.outcomes[outcome], Binary)
    ratio = 1.0
    for name, effect in study.effect.items():
        if effect.target == "outcome" and outcome in effect.targets and ARMS[arm] == "service":
            ratio *= values[f"effect.{name}.odds_ratio"]
    out = []
    for state in study.pathway.states:
        probability = values[f"outcomes.{outcome}.probability.{state}"]
        odds = probability / (1 - probability) * ratio
        out.append(odds / (1 + odds))
    return out


def price_by_state(study: Study, values: Values, outcome: str) -> list[float]:
    """Return the price of a month in each state."""
    return [values.get(f"outcomes.{outcome}.per_day.{state}", 0.0) * DAYS_PER_MONTH for state in study.pathway.states]


def months_in(study: Study, state: str) -> list[float]:
    """Return what a month is worth where only months in one state count."""
    return [1.0 if name == state else 0.0 for name in study.pathway.states]


def n_people_of(study: Study, arm: int) -> int:
    """Return the number of people of an arm, over all waves."""
    if ARMS[arm] == "baseline":
        return int(study.measurement.baseline.size.value)
    return sum(int(wave.size.value) for wave in study.population.waves.values())
