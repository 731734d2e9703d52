"""Measurement errors: attrition, misclassification, redefinition of counts, and inflation."""

from __future__ import annotations

from functools import reduce
from operator import mul

import numpy as np

from simengine.late import special
from simengine.measurement.samples import Sample, ratio
from simengine.measurement.scales import Counting
from simengine.measurement.spec import Metric
from simengine.records import ARMS, Draws, Floats, Tallies
from simengine.streams import uniforms


def in_base_prices(sample: Sample, gap_per_year: Floats, years: Floats, years_before: Floats) -> Sample:
    """Return money as measured with an index that grows more slowly than prices, by a gap.

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


def as_seen(sample: Sample, path: str, metric: Metric, arm: int, stem: str, is_share: bool, draws: Draws) -> Sample:
    """Return a sample as measured: some people lost, some answers misclassified.

    Parameters
    ----------
    sample
        The people of one arm and wave.
    path, metric
        Where the study states what is measured, and what.
    arm
        Whose people.
    stem
        The stream of their errors.
    is_share
        Whether the outcome is a yes or a no.
    draws
        The parameters of each replication.

    Notes
    -----
    Of n people a share a is lost: n' ~ Binomial(n, 1 - a) remain, and their mean is m - a g + z s sqrt(1/n' - 1/n), with g the
    gap between those lost and those seen and s the standard deviation between persons: a random part of n people has
    exactly this mean and variance, and nearly a normal distribution. The months before entry are known of those who are seen alone;
    their mean goes with the other by the correlation between persons. Where y say yes and n - y no, Binomial(y, sensitivity) +
    Binomial(n - y, 1 - specificity) are read as yes; so are those of the months before entry. Where people weigh less than 1, n is
    the number of those who would tell as much.
    """
    if metric.attrition is not None:
        sample = _thinned(sample, metric, f"{path}.attrition", stem, arm, is_share, draws)
    if metric.misclassification is not None:
        sample = _misread(sample, f"{path}.misclassification", stem, draws)
    return sample


def redefined(
    sample: Sample, tallies: Tallies, path: str, metric: Metric, arm: int, wave: int, stem: str, counting: Counting, draws: Draws
) -> Sample:
    """Return a sample as counted with a definition that changes from a month of the calendar on.

    Parameters
    ----------
    sample
        The people of one arm and wave as they would be counted without the change.
    tallies
        Tallies of outcomes from the month on.
    path, metric
        Where the study states what is measured, and what.
    arm, wave
        Whose people.
    stem
        The stream of their errors.
    counting
        Whether an amount is scaled, or single events or answers are counted or not.
    draws
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
    factor, scale = draws[f"{path}.redefined.factor"], _scale_of(tallies, metric, counting)
    more = factor - 1
    total, square = sample.total + more * later, sample.square + 2 * more * whole_later + more**2 * later_2
    total_before = sample.before + more * before * scale
    square_before = sample.before_square + (2 * more * whole_before + more**2 * before_2) * scale**2
    if counting != "scaled":
        spread = np.where(factor < 1, factor * (1 - factor), np.maximum(more, 0.0))
        total = total + _extra(later, factor, f"{stem}/counted", draws) - more * later
        total_before = total_before + (_extra(before, factor, f"{stem}/counted before", draws) - more * before) * scale
        square, square_before = square + spread * later, square_before + spread * before * scale**2
        if counting == "answers":
            square, square_before = total, total_before
    product = sample.product + (more * (later_whole + whole_earlier) + more**2 * both) * scale
    return Sample(sample.n, sample.n_squares, total, square, total_before, square_before, product)


def _scale_of(tallies: Tallies, metric: Metric, counting: Counting) -> float:
    return 1.0 if counting == "answers" or not tallies.history_months else metric.window_months.value / tallies.history_months


def _extra(events: Floats, factor: Floats, purpose: str, draws: Draws) -> Floats:
    """Return how many more events are counted than happened; fewer, if negative."""
    u, whole = uniforms(draws.seed_of(purpose), purpose, draws.replications), np.round(events)
    from scipy import stats  # imported here because it takes half a second, needed only for redefined counts

    fewer = _binomial_quantiles(u, whole, np.minimum(factor, 1.0)) - whole
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


def _thinned(sample: Sample, metric: Metric, path: str, stem: str, arm: int, is_share: bool, draws: Draws) -> Sample:
    assert metric.attrition is not None
    seed = draws.seed_of(stem)
    is_comparison = ARMS[arm] not in ("service", "matched_service", "service_before")
    own = is_comparison and metric.attrition.share_comparison is not None
    lost = draws[f"{path}.{'share_comparison' if own else 'share'}"]
    persons = np.round(sample.n_persons)
    remain = _binomial_quantiles(uniforms(seed, f"{stem}/lost", draws.replications), persons, 1 - lost)
    share = ratio(remain, persons, 0.0)
    z, other = (special.ndtri(uniforms(seed, f"{stem}/{key}", draws.replications)) for key in ("seen", "seen before"))
    spread, spread_before = np.sqrt(sample.variance), np.sqrt(sample.variance_before)
    correlation = np.clip(ratio(sample.covariance, spread * spread_before, 0.0), -1, 1)
    noise = np.sqrt(np.maximum(ratio(sample.per_mean, share) - sample.per_mean, 0.0))
    # Where nobody is lost, one person's spread, which is unknown, is not needed.
    mean = sample.mean - lost * draws[f"{path}.gap"] + _times(noise, z, spread)
    towards = correlation * z + np.sqrt(1 - correlation**2) * other
    before = sample.mean_before + _times(noise, towards, spread_before)
    if is_share:
        mean, before = (ratio(np.clip(np.round(level * remain), 0, remain), remain) for level in (mean, before))
    n, n_squares = sample.n * share, sample.n_squares * share
    # The variance between people is unchanged; that of a share follows from the share.
    left = Sample(n, n_squares, n, n, n, n, n).left
    variance = mean * (1 - mean) if is_share else _times(left, sample.variance)
    variance_before = before * (1 - before) if is_share else _times(left, sample.variance_before)
    product = _times(left, sample.covariance) + mean * before
    # Sums over an empty group are 0, so that the others of a pool count; only their mean is missing.
    sums = (mean, variance + mean**2, before, variance_before + before**2, product)
    return Sample(n, n_squares, *(np.where(n > 0, part * n, 0.0) for part in sums))


def _times(factor: Floats, *unknown: Floats) -> Floats:
    """Multiply; 0 times what is unknown is 0."""
    return np.where(factor == 0, 0.0, reduce(mul, unknown, factor))


def _binomial_quantiles(uniform: Floats, n: Floats, probability: Floats) -> Floats:
    """Turn uniforms into binomial variables."""
    from scipy import stats  # imported here because it takes half a second, needed only for attrition and misclassification

    return np.asarray(stats.binom.ppf(uniform, n, probability))


def _misread(sample: Sample, path: str, stem: str, draws: Draws) -> Sample:
    sensitivity, specificity = draws[f"{path}.sensitivity"], draws[f"{path}.specificity"]
    persons, seed = np.round(sample.n_persons), draws.seed_of(stem)
    weight = ratio(sample.n, persons, 0.0)
    read = []
    for total, when in ((sample.total, ""), (sample.before, " before")):
        yes = np.clip(np.round(ratio(total, weight, 0.0)), 0, persons)
        u_yes, u_no = (uniforms(seed, f"{stem}/{answer}{when}", draws.replications) for answer in ("yes", "no"))
        right = _binomial_quantiles(u_yes, yes, sensitivity)
        read.append((right + _binomial_quantiles(u_no, persons - yes, 1 - specificity)) * weight)
    product = _times(sample.left, sample.covariance) * (sensitivity + specificity - 1) ** 2
    product = product + ratio(read[0] * read[1], sample.n**2, 0.0)
    return Sample(sample.n, sample.n_squares, read[0], read[0], read[1], read[1], product * sample.n)
