"""Forecast every project from its first plan and the other projects alone, and score the forecasts.

The probability integral transform (PIT) of a good forecast is uniform, a central interval of 80 % covers 80 % of projects, and the
continuous ranked probability score (CRPS) is small: the integral of (F(x) - 1{x >= y})² over x, here of logarithms (Gneiting and Raftery
2007, doi:10.1198/016214506000001437).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isinf, sqrt

import numpy as np

from simengine.arrays import Floats
from simengine.late import special, stats
from simengine.reference_class.history import PaidAgainstPlan
from simengine.reference_class.paid_over_planned import LogRatio, PaidOverPlanned, fit_paid_over_planned, log_ratio, spread_within
from simengine.streams import uniforms

INTERVAL_LEVELS = (0.5, 0.8, 0.95)
"""Central intervals whose coverage is counted."""
NAIVE_SDS = (0.25, 0.5)
"""Standard deviations of the logarithm of forecasts that look at no project: log-normal with median 1."""


@dataclass(frozen=True)
class ProjectForecast:
    """The forecast of one project from the others, and what came of it."""

    project: str
    """Its id."""
    is_finished: bool
    """Whether its ratio is the last one."""
    median: float
    """Forecast: the ratio below which it lies with probability 0.5, to the date to which it is known."""
    low_80: float
    """Forecast: one project in ten lies below."""
    high_80: float
    """Forecast: one project in ten lies above."""
    ratio: float
    """What came of it: paid over planned, to date or at the end."""
    pit: float
    """Probability that the forecast gave to less."""
    crps: float
    """Continuous ranked probability score of the logarithm."""
    naive_crps: Mapping[str, float]
    """By standard deviation of the logarithm: the score of a log-normal forecast with median 1, which looks at no project."""


@dataclass(frozen=True)
class Coverage:
    """How many projects lay within a central interval of their forecasts."""

    level: float
    """Of the interval."""
    covered: int
    """How many lay within."""
    projects: int
    """Of how many."""
    low: int
    """The numbers within which the covered lie with a probability of at least 95 % where the forecasts are right."""
    high: int
    """The greatest of these numbers."""

    @property
    def is_within(self) -> bool:
        """Whether the number covered lies within its band."""
        return self.low <= self.covered <= self.high


@dataclass(frozen=True)
class ScoreDifference:
    """A mean CRPS less that of another forecast: below 0 is better."""

    other: str
    """The other forecast."""
    mean: float
    """Mean difference over the projects."""
    se: float
    """Of the mean of the differences, project by project."""


@dataclass(frozen=True)
class ForecastScores:
    """Forecasts of all projects, each from the others alone."""

    forecasts: tuple[ProjectForecast, ...]
    """Every project."""
    coverage: tuple[Coverage, ...]
    """By interval."""
    crps: float
    """Mean over the projects, of logarithms."""
    crps_se: float
    """Of this mean."""
    against: tuple[ScoreDifference, ...]
    """Against forecasts that look at no project."""
    pit_mean: float
    """Mean probability that forecasts gave to less; 0.5 of right ones."""
    pit_mean_z: float
    """The mean PIT less 0.5 in its standard errors, sqrt(1 / 12 n)."""
    pit_p_value: float
    """Of the Kolmogorov-Smirnov test that the PIT is uniform; the forecasts share most of their projects, so it is a guide."""
    left_out: int
    """Projects that paid nothing: a forecast of logarithms cannot be scored on them."""


def leave_one_out(projects: Sequence[PaidAgainstPlan], *, is_censored: bool = False, seed: int = 0) -> ForecastScores:
    """Forecast each project from its first plan and the others alone.

    Parameters
    ----------
    projects
        Payments against plans.
    is_censored
        Whether unfinished projects count as censored and no more. Their own PIT is then known only to lie above a value: it is drawn
        evenly from there to 1, and their CRPS is that to date of the forecast at the end.
    seed
        Of these draws.

    Raises
    ------
    UsageError
        If without one of them too few are left to fit anything.
    """
    scored = [(one, known) for one in projects if (known := log_ratio(one)) is not None]
    chances = uniforms(seed, "reference_class/pit", np.arange(len(scored)))
    forecasts = []
    for number, (one, known) in enumerate(scored):
        others = [pair for place, pair in enumerate(scored) if place != number]
        within = np.inf if is_censored else spread_within([project for project, _ in others])[0]
        fitted = fit_paid_over_planned([other for _, other in others], within)
        forecasts.append(_forecast(one, known, fitted, float(chances[number])))
    return scores_of(forecasts, left_out=len(projects) - len(scored))


def _forecast(one: PaidAgainstPlan, known: LogRatio, fitted: PaidOverPlanned, chance: float) -> ProjectForecast:
    open_share = 0.0 if isinf(fitted.within) else known.open_share
    grid = fitted.grid(open_share)
    below = fitted.cdf(grid, open_share)
    low, median, high = np.exp(np.interp([0.1, 0.5, 0.9], below, grid))
    return ProjectForecast(
        one.history.project,
        one.is_finished,
        float(median),
        float(low),
        float(high),
        float(np.exp(known.value)),
        randomised_pit(fitted, known, chance),
        crps_of_cdf(grid, below, known.value),
        {f"{sd:g}": crps_of_normal(0.0, sd, known.value) for sd in NAIVE_SDS},
    )


def randomised_pit(fitted: PaidOverPlanned, known: LogRatio, chance: float) -> float:
    """Return the probability of less; of a censored project a value between that of its bound and 1, placed by a uniform.

    Uniform where the fitted distribution is the true one (Gneiting and Raftery 2007; for censoring, Brockwell 2007,
    doi:10.1016/j.spl.2007.02.008).
    """
    if not known.is_finished and isinf(fitted.within):
        bound = float(fitted.cdf(np.array([known.at_least]))[0])
        return bound + (1 - bound) * chance
    return float(fitted.cdf(np.array([known.value]), known.open_share)[0])


def crps_of_cdf(grid: Floats, below: Floats, value: float) -> float:
    """Return the CRPS of a distribution function that is given on a grid, by the trapezoidal rule."""
    at = float(np.interp(value, grid, below))
    low, high = grid < value, grid > value
    left = np.trapezoid(np.append(below[low], at) ** 2, np.append(grid[low], value))
    right = np.trapezoid((1 - np.insert(below[high], 0, at)) ** 2, np.insert(grid[high], 0, value))
    return float(left + right)


def crps_of_normal(mean: float, sd: float, value: float) -> float:
    """Return the CRPS of a normal distribution.

    Source: Gneiting and Raftery 2007, equation 21.

    Examples
    --------
    >>> round(crps_of_normal(0, 1, 0), 4)  # 2 phi(0) - 1 / sqrt(pi)
    0.2337
    """
    z = (value - mean) / sd
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return float(sd * (z * (2 * special.ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi)))


def scores_of(forecasts: Sequence[ProjectForecast], left_out: int) -> ForecastScores:
    """Summarise forecasts."""
    n, pit = len(forecasts), np.array([one.pit for one in forecasts])
    own = np.array([one.crps for one in forecasts])
    naive = {sd: np.array([one.naive_crps[sd] for one in forecasts]) for sd in forecasts[0].naive_crps}
    return ForecastScores(
        tuple(forecasts),
        tuple(_coverage(level, pit) for level in INTERVAL_LEVELS),
        float(own.mean()),
        float(own.std(ddof=1) / sqrt(n)),
        tuple(
            ScoreDifference(
                f"log-normal, median 1, sd {sd}", float((own - other).mean()), float((own - other).std(ddof=1) / sqrt(n))
            )
            for sd, other in naive.items()
        ),
        float(pit.mean()),
        float((pit.mean() - 0.5) * sqrt(12 * n)),
        float(stats.kstest(pit, "uniform").pvalue),
        left_out,
    )


def _coverage(level: float, pit: Floats) -> Coverage:
    covered = int((np.abs(pit - 0.5) <= level / 2).sum())
    low, high = (int(stats.binom.ppf(tail, len(pit), level)) for tail in (0.025, 0.975))
    return Coverage(level, covered, len(pit), low, high)
