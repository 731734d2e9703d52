"""The measured moments of an outcome between persons, by arm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simengine.measurement.spec import Metric
from simengine.records import PARALLEL_BEFORE, SERVICE_BEFORE, Floats, Tallies, add_in_order

_ROUNDING = 1e-12


@dataclass(frozen=True)
class Sample:
    """Sums over the persons of one arm in some waves, each of shape (n_replications,)."""

    n: Floats
    """Persons, as they are weighted."""
    n_squares: Floats
    """Sum of the squares of their weights."""
    total: Floats
    square: Floats
    before: Floats
    """Sum of the outcome in the months before entry, scaled to the length of the window."""
    before_square: Floats
    product: Floats

    @property
    def mean(self) -> Floats:
        """Mean of the outcome; NaN without people."""
        return ratio(self.total, self.n)

    @property
    def mean_before(self) -> Floats:
        """Mean of the outcome before entry."""
        return ratio(self.before, self.n)

    @property
    def variance(self) -> Floats:
        """Variance of the outcome between persons; NaN for fewer than two."""
        return np.maximum(self._between(self.square, self.mean**2), 0.0)

    @property
    def variance_before(self) -> Floats:
        """Variance of the outcome before entry between persons."""
        return np.maximum(self._between(self.before_square, self.mean_before**2), 0.0)

    @property
    def covariance(self) -> Floats:
        """Covariance between persons of the outcome and that before entry."""
        return self._between(self.product, self.mean * self.mean_before)

    @property
    def per_mean(self) -> Floats:
        """Factor from the variance between persons to that of their mean: 1 / n for equal weights."""
        return ratio(self.n_squares, self.n**2)

    @property
    def n_persons(self) -> Floats:
        """Effective number of persons: their number for equal weights."""
        return ratio(self.n**2, self.n_squares, 0.0)

    @property
    def left(self) -> Floats:
        """Remaining fraction of a second moment about the mean of the same persons: (n - 1) / n for equal weights; 0 for one."""
        left = 1 - ratio(self.n_squares, self.n**2, 1.0)
        return np.where(left > _ROUNDING, left, 0.0)

    def _between(self, second: Floats, of_means: Floats) -> Floats:
        """Return an unbiased second moment about the means: n / (n - 1) times that of n persons of equal weight."""
        return ratio(ratio(second, self.n) - of_means, self.left)


def ratio(one: Floats, other: Floats, of_nothing: float = np.nan) -> Floats:
    """Divide; NaN (missing) for division by zero, unless another value is given."""
    return np.divide(one, other, out=np.full_like(one, of_nothing), where=other != 0)


def sample_of(tallies: Tallies, metric: Metric, arm: int, wave: int, is_level: bool) -> Sample:
    """Return the moments of one metric's outcome in one arm and wave.

    Parameters
    ----------
    tallies
        What happened to the people.
    metric
        Whose outcome and window are asked for.
    arm, wave
        Whose people.
    is_level
        Whether the outcome is a level or an answer, not something that adds up over time: then the months before entry are not
        scaled.
    """
    outcome, window = tallies.outcomes.index(metric.outcome), int(metric.window_months.value)
    place = (slice(None), wave, arm)
    at = (*place, outcome, tallies.windows.index(window))
    scale = 1.0 if is_level or not tallies.history_months else window / tallies.history_months
    return Sample(
        tallies.weight[place],
        tallies.weight_squares[place],
        tallies.sums[at],
        tallies.squares[at],
        tallies.sums_before[(*place, outcome)] * scale,
        tallies.squares_before[(*place, outcome)] * scale**2,
        tallies.products_with_before[at] * scale,
    )


def seen_of(tallies: Tallies, metric: Metric, arm: int, wave: int, is_level: bool) -> Sample:
    """Return the same moments as observed within the area, if the evaluator loses people who move out of it."""
    if tallies.seen is None or arm in (SERVICE_BEFORE, PARALLEL_BEFORE):
        return sample_of(tallies, metric, arm, wave, is_level)
    seen, outcome, window = tallies.seen, tallies.outcomes.index(metric.outcome), int(metric.window_months.value)
    place, w = (slice(None), wave, arm), tallies.windows.index(window)
    scale = 1.0 if is_level or not tallies.history_months else window / tallies.history_months
    at = (*place, outcome, w)
    return Sample(
        seen.weight[(*place, w)],
        seen.weight_squares[(*place, w)],
        seen.sums[at],
        seen.squares[at],
        seen.sums_before[at] * scale,
        seen.squares_before[at] * scale**2,
        seen.products_with_before[at] * scale,
    )


def pooled(samples: list[Sample]) -> Sample:
    """Pool the people of several waves."""
    return Sample(*(add_in_order([getattr(sample, name) for sample in samples]) for name in Sample.__dataclass_fields__))


def ratio_of(tallies: Tallies, metric: Metric, arm: int, waves: tuple[int, ...]) -> Sample:
    """Return the people of some waves as a sample whose mean is a ratio of means: of the outcome by what it is `per`.

    Notes
    -----
    With means x and p and e = x / p, the ratio varies to first order as the mean of (x_i - e p_i) / p over persons (Cochran 1977,
    "Sampling Techniques", 6.3): these have the mean 0, and their variance is the sample's. NaN where nothing was spent.
    """
    assert metric.per is not None
    below = metric.model_copy(update={"outcome": metric.per})
    top, bottom = (pooled([sample_of(tallies, one, arm, wave, True) for wave in waves]) for one in (metric, below))
    assert tallies.pair_products is not None
    pair = tallies.pairs.index((metric.outcome, metric.per))
    window = tallies.windows.index(int(metric.window_months.value))
    product = add_in_order([tallies.pair_products[:, wave, arm, pair, window] for wave in waves])
    mean = ratio(top.total, bottom.total)
    second = ratio(top.square - 2 * mean * product + mean**2 * bottom.square, bottom.mean**2)
    nothing = np.zeros_like(mean)
    return Sample(top.n, top.n_squares, mean * top.n, second + mean**2 * top.n, nothing, nothing, nothing)
