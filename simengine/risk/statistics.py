"""Statistics of a sample, each with its Monte Carlo standard error.

A value estimates the exact one of the study. Two standard errors on either side contain it in 95 of 100 runs, unless `covers` is
false: then an interval does, or the error is unknown. Losses are positive. CVaR is the Rockafellar-Uryasev form, so that payouts
with atoms (a guarantee, a cap) are handled. A sample is treated as independent draws of equal weight, unless it comes with `Draws`
that say otherwise. It may be a column that is read window by window: the numbers are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simengine.arrays import Floats
from simengine.columns import numbers_of_rows
from simengine.late import special
from simengine.risk import sums
from simengine.risk.coverage import Z_95, Judged, is_constant, judged
from simengine.risk.ordered import Ordered, WeightedOrder, WeightReached
from simengine.risk.weighting import Weighting

LEAST_CASES = 30
"""Of a share: with fewer cases, or fewer of the other kind, its distribution is far from normal."""
_ATOM = 0.1
"""Part of the order statistics within the interval of a quantile that one value takes: from there on it lies beside an atom."""
LEVELS = {"p05": 0.05, "p25": 0.25, "p50": 0.50, "p75": 0.75, "p95": 0.95}


@dataclass(frozen=True)
class Statistic:
    """A value and its Monte Carlo standard error."""

    value: float
    se: float
    upper_95: float | None = None
    """For a probability with no case: an upper 95 % bound."""
    interval_95: tuple[float, float] | None = None
    """For a quantile: order statistics between which it lies with 95 % confidence, whatever the distribution of the sample; for a
    probability of few cases, or few of the other kind, the interval of Clopper and Pearson."""
    tail_points: float | None = None
    """For a quantile: replications in the smaller tail that it cuts off. For the mean beyond one: those that lie beyond it, and so
    carry its error; where none does, those at it."""
    lower_95: float | None = None
    """For a probability with only cases: a lower 95 % bound."""
    covers: bool = True
    """Whether two standard errors on either side contain the exact value in about 95 of 100 runs; if not, see `interval_95`;
    without an interval, too few replications determine the value to estimate its error."""

    @property
    def band_95(self) -> tuple[float, float]:
        """Between what the exact value lies in 95 of 100 runs, as far as that is known."""
        if self.upper_95 is not None:
            return self.value, self.upper_95
        if self.lower_95 is not None:
            return self.lower_95, self.value
        if self.interval_95 is not None and not self.covers:
            return self.interval_95
        return self.value - Z_95 * self.se, self.value + Z_95 * self.se


Summary: TypeAlias = Annotated[Mapping[str, Statistic], "distribution"]
"""mean, sd, p05, p25, p50, p75, p95; without those of a tail that stand on too few replications."""
QuantilesAlone: TypeAlias = Annotated[Mapping[str, Statistic], "p05 to p95 only"]
MeanAndSd: TypeAlias = Annotated[Mapping[str, Statistic], "mean, sd"]


def mean(sample: Floats, weighting: Weighting | None = None) -> Statistic:
    """Return the mean, with standard error s / sqrt(n), widened if the sample is skewed."""
    if weighting is None:
        value, n = sums.mean_of(sample), len(sample)
        if is_constant(sample):
            return Statistic(value, 0.0)
        found = judged(sums.deviation(sample, value) / float(np.sqrt(n)), sample - value)
    else:
        value = weighting.mean(sample)
        if is_constant(sample):
            return Statistic(value, 0.0)
        found = weighting.error_of(sample - value)
    return Statistic(value, found.se, covers=found.covers)


def sd(sample: Floats, weighting: Weighting | None = None) -> Statistic:
    """Return the standard deviation, with the standard error of its large-sample distribution.

    Notes
    -----
    Var(s^2) = (m4 - s^4 (n - 3) / (n - 1)) / n with m4 the fourth central moment; the delta method divides its root by 2 s.

    References
    ----------
    Cramer, H. (1946), Mathematical Methods of Statistics, section 27.4.
    """
    if is_constant(sample):
        return Statistic(0.0, 0.0)
    if weighting is not None:
        squares = (sample - weighting.mean(sample)) ** 2
        spread = float(np.sqrt(weighting.mean(squares) / (1 - weighting.share_of_variance)))
        found = weighting.error_of((squares - spread**2) / (2 * spread))
    else:
        n = len(sample)
        # Divided by the largest first: the squares of small numbers would vanish.
        apart = sample - sums.mean_of(sample)
        scale = sums.largest_size(apart)
        around = apart / scale
        relative = float(np.sqrt(sums.square_sum(around) / (n - 1)))
        squares = (around / relative) ** 2
        variance = max(sums.mean_of(squares * squares) - (n - 3) / (n - 1), 0.0) / n
        spread = scale * relative
        se = spread * float(np.sqrt(variance)) / 2
        # Two values equally often: of rounding alone no skewness is to be judged.
        found = Judged(se) if is_constant(squares) else judged(se, squares - sums.mean_of(squares))
    return Statistic(spread, found.se, covers=found.covers)


def probability(cases: NDArray[np.bool_], weighting: Weighting | None = None) -> Statistic:
    """Return the share of cases, with standard error sqrt(p (1 - p) / n).

    Notes
    -----
    No case in n has the upper bound 3 / n, and n cases the lower bound 1 - 3 / n. Of fewer than 30 cases, or 30 of the other kind,
    no two errors on either side cover: the interval of Clopper and Pearson does. Where replications weigh differently or hang
    together, it is that of as many independent ones as would have the same error.

    References
    ----------
    Clopper, C. J. and Pearson, E. S. (1934), The use of confidence or fiducial limits, Biometrika 26, 404-413. Korn, E. L. and
    Graubard, B. I. (1998), Confidence intervals for proportions with small expected number of positive counts, Survey Methodology
    24, 193-201.
    """
    if weighting is None:
        return _share(sums.count(cases), len(cases))
    if cases.all() or not cases.any():
        return _all_or_none(1.0 if cases.any() else 0.0, weighting.least_size)
    share = weighting.mean(cases)
    return _few_or_many(share, weighting.error_of(cases.astype(np.float64) - share).se, weighting.n_independent or weighting.n_rows)


def _share(n_cases: int, n: int) -> Statistic:
    share = n_cases / n
    if n_cases in (0, n):
        return _all_or_none(share, n)
    return _few_or_many(share, float(np.sqrt(share * (1 - share) / n)), n)


def _all_or_none(share: float, n: float) -> Statistic:
    bound = min(3 / n, 1.0)
    return Statistic(share, 0.0, upper_95=bound if share == 0 else None, lower_95=1 - bound if share == 1 else None)


def _few_or_many(share: float, se: float, n: float) -> Statistic:
    # A correction by control variates may leave the range of a probability: then no interval of counts fits.
    size = share * (1 - share) / se**2 if 0 < share < 1 and se > 0 else n
    cases, others = share * size, (1 - share) * size
    # Rounded: 30 cases are 30, and not 29.99999999.
    if round(min(cases, others), 6) >= LEAST_CASES or not 0 < share < 1:
        return Statistic(share, se)
    low, high = special.betaincinv(cases, others + 1, 0.025), special.betaincinv(cases + 1, others, 0.975)
    return Statistic(share, se, interval_95=(float(low), float(high)), covers=False)


def exceedance(sample: Floats, levels: Iterable[float], weighting: Weighting | None = None) -> list[Statistic]:
    """Return the probability that each of some levels is exceeded."""
    if weighting is not None:
        return _exceedance_by_weighting(sample, np.array(list(levels)), weighting)
    return [_share(int(above), len(sample)) for above in sums.counts_above(sample, np.array(list(levels)))]


def _exceedance_by_weighting(sample: Floats, levels: Floats, weighting: Weighting) -> list[Statistic]:
    return [probability(sample > level, weighting) for level in levels]


def quantile(sample: Floats, level: float, weighting: Weighting | None = None) -> Statistic:
    """Return a quantile: the smallest number of the sample that at least a share of `level` does not exceed.

    Notes
    -----
    So it is a number that can occur, also between atoms. Its standard error is that of Maritz and Jarrett: the order statistics
    around it are weighted by the increments of a beta distribution with parameters level (n + 1) and (1 - level) (n + 1), and the
    variance is that under these weights. Draws of different weight, or that depend on each other, have Woodruff's: half the
    distance of the quantiles at the level plus and minus the error of the distribution function, ties in the order of the draws.
    The interval is one of order statistics, exact for any distribution, or Woodruff's at 95 %. Beside atoms no standard error
    covers; there it is as large as the farther end of the interval asks for, and `covers` is false.

    References
    ----------
    Maritz, J. S. and Jarrett, R. G. (1978), A note on estimating the variance of the sample median, JASA 73, 194-196.
    Woodruff, R. S. (1952), Confidence intervals for medians and other position measures, JASA 47, 635-646.
    """
    return _quantile_of_ordered(Ordered(sample), level) if weighting is None else _weighted_quantiles(sample, weighting, [level])[0]


def rank_of(n: int, level: float) -> int:
    """Return the rank, from 1, of the order statistic of n draws that is their quantile.

    Examples
    --------
    >>> rank_of(2000, 0.05), rank_of(2001, 0.05), rank_of(100, 0.07)
    (100, 101, 7)
    """
    # Rounded: 7 % of 100 are 7, and not a little more.
    return min(max(int(np.ceil(round(n * level, 6))), 1), n)


def quantile_ranks(n: int, level: float, confidence: float = 0.95) -> tuple[int, int] | None:
    """Return the ranks, from 1, of the order statistics between which a quantile lies; nothing where n is too small for them.

    Of n draws Binomial(n, level) lie below the quantile, whatever their distribution. Each side is missed with (1 - confidence) / 2
    at most.

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
    """Return the least number that a binomial variable does not exceed with a probability of `level`."""
    # A whole number below the continuous solution would do where rounding lifted that over it.
    reached = int(np.ceil(special.bdtrik(level, n, probability)))
    return reached - 1 if reached > 0 and special.bdtr(reached - 1, n, probability) >= level else reached


def _around(n: int, level: float) -> tuple[int, int]:
    """Return the ranks, from 0, from the first to the one after the last of those that matter for a quantile of n draws."""
    reach = int(10 * np.sqrt(n * level * (1 - level))) + 10
    return max(int(n * level) - reach, 0), min(int(n * level) + reach, n)


def _quantile_of_ordered(ordered: Ordered, level: float) -> Statistic:
    n = len(ordered)
    first, last = _around(n, level)
    ordered.prepare([(0, 1), (first, last), (n - 1, n)])
    value = float(ordered[rank_of(n, level) - 1])
    edges = special.betainc(level * (n + 1), (1 - level) * (n + 1), np.arange(first, last + 1) / n)
    weights, around = np.diff(edges), ordered[first:last] - value
    weights = weights / weights.sum()
    variance = float(weights @ around**2 - (weights @ around) ** 2)
    ranks = quantile_ranks(n, level)
    found = Statistic(value, float(np.sqrt(max(variance, 0.0))), tail_points=_in_tail(n, level))
    ends = (0, n - 1) if ranks is None else (ranks[0] - 1, ranks[1] - 1)
    return _with_interval(found, ordered, ends, is_known=ranks is not None)


def _with_interval(found: Statistic, ordered: Floats | Ordered, ends: tuple[int, int], *, is_known: bool) -> Statistic:
    """Add the interval of a quantile, and say whether its standard error covers.

    Parameters
    ----------
    ordered
        The whole sample in order.
    ends
        Places of the order statistics that are the ends of the interval.
    is_known
        Whether these reach 95 %.
    """
    between = ordered[ends[0] : ends[1] + 1]
    low, high = float(between[0]), float(between[-1])
    interval = (low, high) if is_known else None
    steps = np.flatnonzero(np.diff(between, prepend=np.nan, append=np.nan))
    most = int(np.diff(steps).max())
    if most == 1 or most < _ATOM * len(between) or ordered[0] == ordered[-1]:
        return replace(found, interval_95=interval)
    se = max(found.value - low, high - found.value) / Z_95 if is_known else found.se
    return replace(found, se=se, interval_95=interval, covers=False)


def _in_tail(size: float, level: float) -> float:
    # Rounded: 5 % of 2,000 are 100, and not 99.99999999.
    return round(size * min(level, 1 - level), 6)


class _WeightedOrder:
    """A sample in order, read at levels of its distribution function."""

    def __init__(self, sample: Floats, weighting: Weighting) -> None:
        self._weighting, self._sample = weighting, sample
        self._order, self._is_even = WeightedOrder(sample, weights := weighting.whole_weights), weights is None
        self._numbers = numbers_of_rows(sample)

    def at(self, levels: Iterable[float]) -> list[WeightReached]:
        """Find the rows with which some levels, within 0 and 1, are reached."""
        total = self._order.total
        if self._is_even:
            return self._order.reached([rank_of(total, level) for level in levels])
        return self._order.reached([int(np.ceil((level - 1e-12) * total)) for level in levels])

    def error_at(self, reached: WeightReached) -> float:
        """Return the error of the distribution function at a row.

        Within an atom rows count in their order up to the level: all of them together would seem to leave no error.
        """
        below, equal = self._sample < reached.value, self._sample == reached.value
        up_to = below | (equal & (self._numbers <= reached.row))
        return 0.0 if up_to.all() else self._weighting.error_of(up_to - self._weighting.mean(up_to)).se


def _weighted_quantiles(sample: Floats, weighting: Weighting, levels: Sequence[float]) -> list[Statistic]:
    """Find some quantiles, all in the same passes over the sample."""
    order, ordered = _WeightedOrder(sample, weighting), Ordered(sample)
    # The error of few groups is stretched to Student's distribution already.
    reach = Z_95 if weighting.is_few else weighting.reach_95
    reached = order.at(levels)
    errors = [order.error_at(one) for one in reached]
    # Beyond the level the error may be another one: evenly spread numbers have none where their cells end.
    beyond = [(level - reach * error, level + reach * error) for level, error in zip(levels, errors, strict=True)]
    beside = [max(error, order.error_at(one)) for error, one in zip(np.repeat(errors, 2), order.at(_flat(beyond)), strict=True)]
    below_it, above_it = np.array(beside[::2]), np.array(beside[1::2])
    within = np.array(levels)
    around = [within - reach * below_it, within + reach * above_it, within - errors, within + errors]
    ends = iter(order.at(np.clip(np.stack(around, axis=1), 0.0, 1.0).reshape(-1).tolist()))
    places = [(next(ends), next(ends), next(ends), next(ends)) for _ in levels]
    ordered.prepare([(0, 1), (len(sample) - 1, len(sample)), *((first.rank, last.rank + 1) for first, last, _, _ in places)])
    found = []
    for k, (level, (first, last, low, high)) in enumerate(zip(levels, places, strict=True)):
        value = reached[k].value
        tail = weighting.size_of(sample >= value if level > 0.5 else sample <= value) if weighting.is_weighted else None
        points = min(tail, weighting.size) if tail is not None else _in_tail(weighting.size, level)
        one = Statistic(value, (high.value - low.value) / 2, tail_points=points)
        is_known = bool(reach * below_it[k] < level < 1 - reach * above_it[k])
        found.append(_with_interval(one, ordered, (first.rank, last.rank), is_known=is_known))
    return found


def _flat(pairs: Iterable[tuple[float, float]]) -> list[float]:
    return [one for pair in pairs for one in pair]


def value_at_risk(loss: Floats, level: float, weighting: Weighting | None = None) -> Statistic:
    """Return the loss that is exceeded with probability 1 - level."""
    return quantile(loss, level, weighting)


def conditional_value_at_risk(loss: Floats, level: float, weighting: Weighting | None = None) -> Statistic:
    """Return the mean loss in the worst 1 - level of replications, q + E(X - q)+ / (1 - level).

    Notes
    -----
    The standard error is that of the mean of (X - q)+ / (1 - level): the error of q does not enter to first order,
    because q minimises the expression. Equal to [Var(X | tail) + level (CVaR - q)^2] / (1 - level) / n.

    References
    ----------
    Rockafellar, R. T. and Uryasev, S. (2000), Optimization of conditional value-at-risk, Journal of Risk 2, 21-41.
    """
    at_rank = rank_of(len(loss), level) - 1
    q = float(Ordered(loss)[at_rank]) if weighting is None else _WeightedOrder(loss, weighting).at([level])[0].value
    excess, beyond = mean(np.maximum(loss - q, 0.0) / (1 - level), weighting), loss > q
    if not sums.count(beyond):
        points = _in_tail(len(loss) if weighting is None else weighting.size, level)
        return Statistic(q, 0.0, interval_95=None if is_constant(loss) else (q, q), tail_points=points, covers=is_constant(loss))
    points = float(sums.count(beyond)) if weighting is None else weighting.distinct(beyond)
    return Statistic(q + excess.value, excess.se, tail_points=points, covers=excess.covers)


def quantiles(sample: Floats, weighting: Weighting | None = None) -> dict[str, Statistic]:
    """Return the quantiles p05, p25, p50, p75, p95."""
    if weighting is None:
        ordered, n = Ordered(sample), len(sample)
        ordered.prepare([(0, 1), (n - 1, n), *(_around(n, level) for level in LEVELS.values())])
        return {name: _quantile_of_ordered(ordered, level) for name, level in LEVELS.items()}
    return dict(zip(LEVELS, _weighted_quantiles(sample, weighting, list(LEVELS.values())), strict=True))


def summary(sample: Floats, weighting: Weighting | None = None) -> dict[str, Statistic]:
    """Return mean, sd and the quantiles p05, p25, p50, p75, p95."""
    return {"mean": mean(sample, weighting), "sd": sd(sample, weighting), **quantiles(sample, weighting)}
