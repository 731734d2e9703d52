"""Statistics of a sample, each with its Monte Carlo standard error.

Losses are positive. CVaR is the Rockafellar-Uryasev form, so that payouts with atoms (a guarantee, a cap) are handled. A sample
is taken as independent draws of equal weight, unless it comes with `Draws` that say otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from simengine.risk.draws import Draws

Floats = NDArray[np.float64]

LEVELS = {"p05": 0.05, "p25": 0.25, "p50": 0.50, "p75": 0.75, "p95": 0.95}


@dataclass(frozen=True)
class Statistic:
    """A value and the standard error that the number of replications leaves in it."""

    value: float
    se: float
    upper_95: float | None = None
    """For a probability of which no case was seen: an upper 95 % bound."""
    interval_95: tuple[float, float] | None = None
    """For a quantile: order statistics between which it lies with 95 % confidence, whatever the law of the sample."""
    tail_points: float | None = None
    """For a quantile and for what lies beyond one: replications in the smaller tail that it cuts off."""


def mean(sample: Floats, draws: Draws | None = None) -> Statistic:
    """Give the mean, with standard error s / sqrt(n)."""
    if draws is None:
        return Statistic(float(np.mean(sample)), float(np.std(sample, ddof=1) / np.sqrt(len(sample))))
    value = float(draws.share @ sample)
    return Statistic(value, draws.standard_error(sample - value))


def sd(sample: Floats, draws: Draws | None = None) -> Statistic:
    """Give the standard deviation, with the standard error of its large-sample law.

    Notes
    -----
    Var(s^2) = (m4 - s^4 (n - 3) / (n - 1)) / n with m4 the fourth central moment; the delta method divides its root by 2 s.

    References
    ----------
    Cramer, H. (1946), Mathematical Methods of Statistics, section 27.4.
    """
    if draws is not None:
        squares = (sample - draws.share @ sample) ** 2
        spread = float(np.sqrt(draws.share @ squares / (1 - draws.share @ draws.share)))
        return Statistic(spread, draws.standard_error((squares - spread**2) / (2 * spread)) if spread > 0 else 0.0)
    n = len(sample)
    spread = float(np.std(sample, ddof=1))
    if spread == 0.0:
        return Statistic(0.0, 0.0)
    squares = ((sample - np.mean(sample)) / spread) ** 2
    variance = max(float(np.mean(squares * squares)) - (n - 3) / (n - 1), 0.0) / n
    return Statistic(spread, spread * np.sqrt(variance) / 2)


def probability(cases: NDArray[np.bool_], draws: Draws | None = None) -> Statistic:
    """Give the share of cases, with standard error sqrt(p (1 - p) / n); no case in n has the upper bound 3 / n."""
    if draws is not None:
        found = mean(cases.astype(np.float64), draws)
        return found if cases.any() else Statistic(0.0, 0.0, upper_95=min(3 / draws.size, 1.0))
    return _share(int(np.count_nonzero(cases)), len(cases))


def _share(n_cases: int, n: int) -> Statistic:
    share = n_cases / n
    return Statistic(share, float(np.sqrt(share * (1 - share) / n)), upper_95=min(3 / n, 1.0) if n_cases == 0 else None)


def exceedance(sample: Floats, levels: Iterable[float], draws: Draws | None = None) -> list[Statistic]:
    """Give the probability that each of some levels is exceeded."""
    if draws is not None:
        return _exceedance_by_draws(sample, np.array(list(levels)), draws)
    ordered, n = np.sort(sample), len(sample)
    return [_share(n - int(np.searchsorted(ordered, level, side="right")), n) for level in levels]


def _exceedance_by_draws(sample: Floats, levels: Floats, draws: Draws) -> list[Statistic]:
    cases = (sample[:, None] > levels[None, :]).astype(np.float64)
    shares = draws.share @ cases
    errors = draws.standard_errors(cases - shares)
    bound = min(3 / draws.size, 1.0)
    return [
        Statistic(float(share), float(error)) if seen else Statistic(0.0, 0.0, upper_95=bound)
        for share, error, seen in zip(shares, errors, cases.max(axis=0) > 0, strict=True)
    ]


def quantile(sample: Floats, level: float, draws: Draws | None = None) -> Statistic:
    """Give a quantile, with the standard error of Maritz and Jarrett and an interval of order statistics.

    Notes
    -----
    The order statistics around the quantile are weighted by the increments of a beta distribution with parameters
    level (n + 1) and (1 - level) (n + 1); the variance is that of the order statistics under these weights. Needs no
    density, and is 0 inside an atom. Draws of different weight, or that depend on each other, have Woodruff's interval: the
    quantiles at the level plus and minus the error of the distribution function there, ties in the order of the draws.

    References
    ----------
    Maritz, J. S. and Jarrett, R. G. (1978), A note on estimating the variance of the sample median, JASA 73, 194-196.
    Woodruff, R. S. (1952), Confidence intervals for medians and other position measures, JASA 47, 635-646.
    """
    return _quantile_of_ordered(np.sort(sample), level) if draws is None else _weighted_quantiles(sample, draws)(level)


def quantile_ranks(n: int, level: float, confidence: float = 0.95) -> tuple[int, int] | None:
    """Give the ranks, from 1, of the order statistics between which a quantile lies; nothing where n is too small for them.

    Of n draws Binomial(n, level) lie below the quantile, whatever their law. Each side is missed with (1 - confidence) / 2 at most.

    References
    ----------
    David, H. A. and Nagaraja, H. N. (2003), Order Statistics, section 7.1.

    Examples
    --------
    >>> quantile_ranks(10_000, 0.95)
    (9457, 9543)
    """
    low, high = (_binomial_quantile(n, level, p) for p in ((1 - confidence) / 2, (1 + confidence) / 2))
    high += 1
    return (low, high) if low >= 1 and high <= n else None


def _binomial_quantile(n: int, probability: float, level: float) -> int:
    """Give the least number that a binomial variable does not exceed with a probability of `level`."""
    # A whole number below the continuous solution would do where rounding lifted that over it.
    reached = int(np.ceil(special.bdtrik(level, n, probability)))
    return reached - 1 if reached > 0 and special.bdtr(reached - 1, n, probability) >= level else reached


def _quantile_of_ordered(ordered: Floats, level: float) -> Statistic:
    n = len(ordered)
    # Interpolated as numpy.quantile does, without its search: the sample is in order.
    rank = level * (n - 1)
    place = min(int(rank), max(n - 2, 0))
    left, right = ordered[place], ordered[min(place + 1, n - 1)]
    part = rank - place
    value = float(right - (right - left) * (1 - part) if part >= 0.5 else left + (right - left) * part)
    reach = int(10 * np.sqrt(n * level * (1 - level))) + 10
    first, last = max(int(n * level) - reach, 0), min(int(n * level) + reach, n)
    edges = special.betainc(level * (n + 1), (1 - level) * (n + 1), np.arange(first, last + 1) / n)
    weights, around = np.diff(edges), ordered[first:last] - value
    weights = weights / weights.sum()
    variance = float(weights @ around**2 - (weights @ around) ** 2)
    ranks = quantile_ranks(n, level)
    return Statistic(
        value,
        float(np.sqrt(max(variance, 0.0))),
        interval_95=None if ranks is None else (float(ordered[ranks[0] - 1]), float(ordered[ranks[1] - 1])),
        tail_points=_in_tail(n, level),
    )


def _in_tail(size: float, level: float) -> float:
    # Rounded: 5 % of 2,000 are 100, and not 99.99999999.
    return round(size * min(level, 1 - level), 6)


def _weighted_quantiles(sample: Floats, draws: Draws) -> Callable[[float], Statistic]:
    """Sort a sample once; give its quantiles."""
    order = np.argsort(sample, kind="stable")
    ordered, share = sample[order], draws.share[order]
    below = np.maximum.accumulate(np.cumsum(share))

    def rank(level: float) -> int:
        return min(int(np.searchsorted(below, level - 1e-12)), len(ordered) - 1)

    def at(level: float) -> float:
        return float(ordered[rank(level)])

    def one(level: float) -> Statistic:
        value = at(level)
        # Within an atom rows count in their order up to the level: all of them together would seem to leave no error.
        up_to = np.zeros(len(sample))
        up_to[order[: rank(level) + 1]] = 1.0
        error = draws.standard_error(up_to - draws.share @ up_to)
        reach = draws.reach_95 * error
        low, high = at(max(level - error, 0.0)), at(min(level + error, 1.0))
        tail = draws.size_of(sample >= value if level > 0.5 else sample <= value) if draws.is_weighted else None
        return Statistic(
            value,
            (high - low) / 2,
            interval_95=(at(level - reach), at(level + reach)) if reach < level < 1 - reach else None,
            tail_points=min(tail, draws.size) if tail is not None else _in_tail(draws.size, level),
        )

    return one


def value_at_risk(loss: Floats, level: float, draws: Draws | None = None) -> Statistic:
    """Give the loss that is exceeded with probability 1 - level."""
    return quantile(loss, level, draws)


def conditional_value_at_risk(loss: Floats, level: float, draws: Draws | None = None) -> Statistic:
    """Give the mean loss in the worst 1 - level of worlds, q + E(X - q)+ / (1 - level).

    Notes
    -----
    The standard error is that of the mean of (X - q)+ / (1 - level): the error of q does not enter to first order,
    because q minimises the expression. Equal to [Var(X | tail) + level (CVaR - q)^2] / (1 - level) / n.

    References
    ----------
    Rockafellar, R. T. and Uryasev, S. (2000), Optimization of conditional value-at-risk, Journal of Risk 2, 21-41.
    """
    # An order statistic, not an interpolation: only such a q minimises the expression for every number of replications.
    if draws is None:
        q, tail_points = float(np.quantile(loss, level, method="inverted_cdf")), _in_tail(len(loss), level)
    else:
        at_level = quantile(loss, level, draws)
        q, tail_points = at_level.value, at_level.tail_points or 0
    excess = mean(np.maximum(loss - q, 0.0) / (1 - level), draws)
    return Statistic(q + excess.value, excess.se, tail_points=tail_points)


def quantiles(sample: Floats, draws: Draws | None = None) -> dict[str, Statistic]:
    """Give the quantiles p05, p25, p50, p75, p95."""
    if draws is None:
        ordered = np.sort(sample)
        return {name: _quantile_of_ordered(ordered, level) for name, level in LEVELS.items()}
    one = _weighted_quantiles(sample, draws)
    return {name: one(level) for name, level in LEVELS.items()}


def distribution(sample: Floats, draws: Draws | None = None) -> dict[str, Statistic]:
    """Give mean, sd and the quantiles p05, p25, p50, p75, p95."""
    return {"mean": mean(sample, draws), "sd": sd(sample, draws), **quantiles(sample, draws)}
