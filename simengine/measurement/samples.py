"""What the evaluator sees of one arm: moments of an outcome between persons, and what goes wrong in seeing it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from simengine.measurement.spec import Metric
from simengine.records import ARMS, PARALLEL_BEFORE, SERVICE_BEFORE, Floats, Tallies, Worlds, add_in_order
from simengine.streams import uniforms

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
        """Mean of the outcome; 0 of nobody."""
        return ratio(self.total, self.n)

    @property
    def mean_before(self) -> Floats:
        """Mean of the outcome before entry."""
        return ratio(self.before, self.n)

    @property
    def variance(self) -> Floats:
        """Variance of the outcome between persons."""
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
        """What a variance between persons is multiplied by to give that of their mean: 1 / n, where all weigh the same."""
        return ratio(self.n_squares, self.n**2)

    @property
    def n_persons(self) -> Floats:
        """Persons who would tell as much if all weighed the same: their number, where they do."""
        return ratio(self.n**2, self.n_squares)

    def _between(self, second: Floats, of_means: Floats) -> Floats:
        """Give an unbiased second moment about the means: with n persons of equal weight, n / (n - 1) times that of the sample."""
        left = 1 - self.per_mean
        return ratio(ratio(second, self.n) - of_means, np.where(left > _ROUNDING, left, 0.0))


def ratio(one: Floats, other: Floats, of_nothing: float = 0.0) -> Floats:
    """Divide; a number of one's own, 0 as a rule, where there is nothing to divide by."""
    return np.divide(one, other, out=np.full_like(one, of_nothing), where=other != 0)


def sample_of(tallies: Tallies, metric: Metric, arm: int, wave: int, is_level: bool) -> Sample:
    """Give the moments of one metric's outcome in one arm and wave.

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
    """Give the same moments as they look from within the area, where an evaluator loses those who move out of it."""
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
    """Put the people of several waves together."""
    return Sample(*(add_in_order([getattr(sample, name) for sample in samples]) for name in Sample.__dataclass_fields__))


def ratio_of(tallies: Tallies, metric: Metric, arm: int, waves: tuple[int, ...]) -> Sample:
    """Give the people of some waves as a sample whose mean is a ratio of means: of the outcome by what it is `per`.

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
    mean = np.where(bottom.n > 0, top.total / bottom.total, 0.0)
    second = ratio(top.square - 2 * mean * product + mean**2 * bottom.square, bottom.mean**2)
    nothing = np.zeros_like(mean)
    return Sample(top.n, top.n_squares, mean * top.n, second + mean**2 * top.n, nothing, nothing, nothing)


def in_base_prices(sample: Sample, gap_per_year: Floats, years: Floats, years_before: Floats) -> Sample:
    """Give what an evaluator sees of money that is deflated by an index which grows more slowly than prices, by a gap.

    Parameters
    ----------
    sample
        Money in the prices of the base month.
    gap_per_year
        True growth less that of the index, on the logarithmic scale.
    years, years_before
        From the base month to the middle of the window, and to that of the months before entry: there the money counts as spent.
    """
    after, before = np.exp(gap_per_year * years), np.exp(gap_per_year * years_before)
    return Sample(
        sample.n,
        sample.n_squares,
        sample.total * after,
        sample.square * after**2,
        sample.before * before,
        sample.before_square * before**2,
        sample.product * after * before,
    )


def as_seen(sample: Sample, name: str, metric: Metric, arm: int, wave: str, is_share: bool, worlds: Worlds) -> Sample:
    """Give what the evaluator sees of a sample: some people lost, some answers misread.

    Parameters
    ----------
    sample
        The people of one arm and wave.
    name, metric
        What is measured.
    arm, wave
        Whose people: their errors have random streams of their own.
    is_share
        Whether the outcome is a yes or a no.
    worlds
        The parameters of each replication.

    Notes
    -----
    Of n people a share a is lost: n' ~ Binomial(n, 1 - a) remain, and their mean is m - a g + z s sqrt(1/n' - 1/n), with g the
    gap between those lost and those seen and s the standard deviation between persons: a random part of n people has
    exactly this mean and variance, and nearly a normal law. The months before entry are known of those who are seen alone; their
    mean goes with the other by the correlation between persons. Where y say yes and n - y no, Binomial(y, sensitivity) +
    Binomial(n - y, 1 - specificity) are read as yes; so are those of the months before entry. Where people weigh less than 1,
    n is the number of those who would tell as much.
    """
    path = f"measurement.metrics.{name}"
    if metric.attrition is not None:
        sample = _thinned(sample, metric, f"{path}.attrition", stem_of(name, arm, wave), arm, is_share, worlds)
    if metric.misclassification is not None:
        sample = _misread(sample, f"{path}.misclassification", stem_of(name, arm, wave), worlds)
    return sample


def redefined(
    sample: Sample, tallies: Tallies, name: str, metric: Metric, arm: int, wave: int, stem: str, kind: str, worlds: Worlds
) -> Sample:
    """Give a sample as it is counted where the counting changes from a month of the calendar on.

    Parameters
    ----------
    sample
        The people of one arm and wave as they would be counted without the change.
    tallies
        What came about from the month on.
    name, metric
        What is measured.
    arm, wave
        Whose people.
    stem
        The stream of their errors.
    kind
        Of the outcome: `thinned` where single answers or events are counted or not, else `scaled`.
    worlds
        The parameters of each replication.

    Notes
    -----
    With x the whole and y what came about from the month on, x + (f - 1) y is counted of each person. Of Y events of all people
    together Binomial(Y, f) are counted with a factor f below 1, Y + Poisson((f - 1) Y) above; between persons each adds its
    variance, f (1 - f) or f - 1.
    """
    assert metric.redefined is not None
    assert tallies.after_change is not None
    outcome, window = tallies.outcomes.index(metric.outcome), tallies.windows.index(int(metric.window_months.value))
    at = (slice(None), wave, arm, tallies.changes.index(int(metric.redefined.from_month.value)), slice(None), outcome, window)
    later, later_2, whole_later, before, before_2, whole_before, later_whole, whole_earlier, both = tallies.after_change[at].T
    factor, scale = worlds[f"measurement.metrics.{name}.redefined.factor"], _scale_of(tallies, metric, kind)
    more = factor - 1
    total, square = sample.total + more * later, sample.square + 2 * more * whole_later + more**2 * later_2
    total_before = sample.before + more * before * scale
    square_before = sample.before_square + (2 * more * whole_before + more**2 * before_2) * scale**2
    if kind != "scaled":
        spread = np.where(factor < 1, factor * (1 - factor), np.maximum(more, 0.0))
        total = total + _extra(later, factor, f"{stem}/counted", worlds) - more * later
        total_before = total_before + (_extra(before, factor, f"{stem}/counted before", worlds) - more * before) * scale
        square, square_before = square + spread * later, square_before + spread * before * scale**2
        if kind == "answers":
            square, square_before = total, total_before
    product = sample.product + (more * (later_whole + whole_earlier) + more**2 * both) * scale
    return Sample(sample.n, sample.n_squares, total, square, total_before, square_before, product)


def _scale_of(tallies: Tallies, metric: Metric, kind: str) -> float:
    return 1.0 if kind == "answers" or not tallies.history_months else metric.window_months.value / tallies.history_months


def _extra(events: Floats, factor: Floats, purpose: str, worlds: Worlds) -> Floats:
    """Give how many more events are counted than happened; fewer, where that is negative."""
    from scipy import stats  # half a second, which only those wait for whose counting errs

    u, whole = uniforms(worlds.seed_of(purpose), purpose, worlds.replications), np.round(events)
    fewer = stats.binom.ppf(u, whole, np.minimum(factor, 1.0)) - whole
    return np.asarray(np.where(factor < 1, fewer, stats.poisson.ppf(u, np.maximum(factor - 1, 0.0) * whole)))


def stem_of(name: str, arm: int, wave: str) -> str:
    """Name the stream of the errors about the people of one arm and wave."""
    return f"measurement/{name}/{ARMS[arm]}/{wave}"


def purposes_of_errors(name: str, metric: Metric, waves: tuple[str, ...]) -> list[str]:
    """Name every random stream that the errors of one metric draw from."""
    decisions = ["lost", "seen", "seen before"] if metric.attrition is not None else []
    if metric.redefined is not None:
        decisions += ["counted", "counted before"]
    if metric.misclassification is not None:
        decisions += ["yes", "no", "yes before", "no before"]
    stems = [stem_of(name, arm, wave) for arm in range(len(ARMS)) for wave in waves]
    return [f"{stem}/{decision}" for stem in stems for decision in decisions]


def _thinned(sample: Sample, metric: Metric, path: str, stem: str, arm: int, is_share: bool, worlds: Worlds) -> Sample:
    assert metric.attrition is not None
    seed = worlds.seed_of(stem)
    is_comparison = ARMS[arm] not in ("service", "matched_service", "service_before")
    own = is_comparison and metric.attrition.share_comparison is not None
    lost = worlds[f"{path}.{'share_comparison' if own else 'share'}"]
    persons = np.round(sample.n_persons)
    remain = _binomial_quantiles(uniforms(seed, f"{stem}/lost", worlds.replications), persons, 1 - lost)
    share = ratio(remain, persons)
    z, other = (special.ndtri(uniforms(seed, f"{stem}/{key}", worlds.replications)) for key in ("seen", "seen before"))
    spread, spread_before = np.sqrt(sample.variance), np.sqrt(sample.variance_before)
    correlation = np.clip(ratio(sample.covariance, spread * spread_before), -1, 1)
    noise = np.sqrt(np.maximum(ratio(sample.per_mean, share) - sample.per_mean, 0.0))
    mean = sample.mean - lost * worlds[f"{path}.gap"] + z * noise * spread
    before = sample.mean_before + (correlation * z + np.sqrt(1 - correlation**2) * other) * noise * spread_before
    if is_share:
        mean, before = (ratio(np.clip(np.round(level * remain), 0, remain), remain) for level in (mean, before))
    n, n_squares = sample.n * share, sample.n_squares * share
    # What is between people is as before; a share's spread goes with the share.
    left = 1 - ratio(n_squares, n**2)
    variance = mean * (1 - mean) if is_share else sample.variance * left
    variance_before = before * (1 - before) if is_share else sample.variance_before * left
    return Sample(
        n,
        n_squares,
        mean * n,
        (variance + mean**2) * n,
        before * n,
        (variance_before + before**2) * n,
        (sample.covariance * left + mean * before) * n,
    )


def _binomial_quantiles(uniform: Floats, n: Floats, probability: Floats) -> Floats:
    """Turn uniforms into binomial variables."""
    from scipy import stats  # half a second, which only those wait for who lose or misread people

    return np.asarray(stats.binom.ppf(uniform, n, probability))


def _misread(sample: Sample, path: str, stem: str, worlds: Worlds) -> Sample:
    sensitivity, specificity = worlds[f"{path}.sensitivity"], worlds[f"{path}.specificity"]
    persons, seed = np.round(sample.n_persons), worlds.seed_of(stem)
    weight = ratio(sample.n, persons)
    read = []
    for total, when in ((sample.total, ""), (sample.before, " before")):
        yes = np.clip(np.round(ratio(total, weight)), 0, persons)
        u_yes, u_no = (uniforms(seed, f"{stem}/{answer}{when}", worlds.replications) for answer in ("yes", "no"))
        right = _binomial_quantiles(u_yes, yes, sensitivity)
        read.append((right + _binomial_quantiles(u_no, persons - yes, 1 - specificity)) * weight)
    left = 1 - sample.per_mean
    product = sample.covariance * left * (sensitivity + specificity - 1) ** 2 + ratio(read[0] * read[1], sample.n**2)
    return Sample(sample.n, sample.n_squares, read[0], read[0], read[1], read[1], product * sample.n)
