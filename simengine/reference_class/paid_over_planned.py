"""How far payments come of what was planned: a distribution between projects, fitted to finished and unfinished ones.

With y the logarithm of paid over planned at a project's end, y = m + t T between projects, where T has Student's distribution with v degrees
of freedom: with few of them some projects lie far from all others; with v = infinity y is normal. A finished project shows y. An unfinished
one shows its logarithm to date, d = y + e with e ~ normal(0, k² (1/p - 1)) where the share p of the plan is due: payments are taken to come
with independent errors, so that half of a plan tells of the whole as half of a sample does. It also shows that y is at least log(paid /
whole plan). With k = infinity the ratio to date tells nothing, and what remains is the likelihood of a censored observation.

The priors are 1/t of m and t, and equal chances of the degrees of freedom in `DEGREES_OF_FREEDOM`. With normal y and without unfinished projects the
forecast then is Student's with n - 1 degrees of freedom (Gelman et al. 2013, *Bayesian Data Analysis*, section 3.2, doi:10.1201/b16018).

T is a normal number times a random scale, so a project's y is normal given its scale s = t / sqrt(g), g ~ gamma(v/2, v/2): everything is
computed on one lattice of log s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isinf, log, sqrt

import numpy as np

from simengine.arrays import Floats
from simengine.errors import UsageError
from simengine.late import special
from simengine.reference_class.history import PaidAgainstPlan, PeriodAmount, total_up_to

LEAST_PROJECTS = 5
"""Projects without which nothing is fitted."""
DEGREES_OF_FREEDOM = (2.0, 4.0, 8.0, inf)
"""Degrees of freedom between projects that are thought possible."""
_N_LOCATIONS, _LOCATIONS = 161, 4.0
"""Points of m, and standard deviations of the projects that they reach on either side."""
_STEP = 0.08
"""Of the lattice of log s and log t."""
_NARROWEST, _WIDEST = 1 / 40, 20.0
"""t, in standard deviations of the projects."""
_SCALES = 60
"""Steps of the lattice by which s may exceed t: a factor of 120; it may fall below by 20 steps, a factor of 5."""
_LIGHTEST = 1e-7
"""Weight, as a share of the largest, below which a point is left out."""
_ROOT_TWO_PI = sqrt(2 * np.pi)


@dataclass(frozen=True)
class LogRatio:
    """A project's logarithm of paid over planned, as it is known."""

    value: float
    """At the end, or to date."""
    at_least: float = -inf
    """What it cannot be below at the end; of an unfinished project."""
    open_share: float = 0.0
    """1/p - 1 with the share p of the plan that is due: 0 of a finished project."""

    @property
    def is_finished(self) -> bool:
        """Whether the value is the last one."""
        return self.open_share == 0


def log_ratio(project: PaidAgainstPlan) -> LogRatio | None:
    """Return the logarithm of a project's ratio; None where nothing was paid."""
    if project.paid <= 0:
        return None
    if project.is_finished:
        return LogRatio(log(project.ratio))
    return LogRatio(log(project.ratio), log(project.at_least), 1 / project.share_due - 1)


def spread_within(projects: Sequence[PaidAgainstPlan]) -> tuple[float, int]:
    """Estimate how far a ratio to date lies from a later one: k, and from how many projects.

    Each project is looked at in the month in which half was due of what is due by its last actual period: the logarithm then less that
    of the last one has the variance k² (1/half - 1/last), by the shares of the plan. A project that had been paid nothing by then has
    no logarithm and is left out.
    """
    squares = []
    for one in projects:
        half = _half_way(one)
        if half is not None and one.paid > 0:
            share, value = half
            squares.append((value - log(one.paid / one.planned)) ** 2 / (1 / share - one.planned_in_all / one.planned))
    return (sqrt(sum(squares) / len(squares)), len(squares)) if squares else (inf, 0)


def _half_way(one: PaidAgainstPlan) -> tuple[float, float] | None:
    """Return the share of the plan that was due half way, and the logarithm of paid over planned then."""
    plan, paid = one.history.first_plan, one.history.paid
    before = -1 if one.known_until is None else one.known_until
    start = max(before, min(part.first for part in plan))

    def since(amounts: Sequence[PeriodAmount], month: int) -> float:
        return total_up_to(amounts, month) - total_up_to(amounts, before)

    month = next(month for month in range(start, one.history.last_paid + 1) if since(plan, month) >= one.planned / 2)
    planned, so_far = since(plan, month), since(paid, month)
    return None if so_far <= 0 or planned >= one.planned else (planned / one.planned_in_all, log(so_far / planned))


@dataclass(frozen=True)
class ParameterEstimate:
    """A parameter of the distribution between projects."""

    mean: float
    """Posterior mean."""
    low_90: float
    """Central 90 % of the posterior: the lower bound."""
    high_90: float
    """The upper bound."""


@dataclass(frozen=True)
class PaidOverPlanned:
    """The fitted distribution of paid over planned, with the uncertainty of its parameters: a mixture of normals of the logarithm."""

    location: Floats
    """Shape (n_points,): the mean of each normal."""
    spread: Floats
    """Shape (n_points,): its standard deviation."""
    weight: Floats
    """Shape (n_points,): its probability; they add up to 1."""
    within: float
    """k: how far a ratio to date lies from the last one."""
    centre: ParameterEstimate
    """m, the logarithm of the median."""
    scale: ParameterEstimate
    """t."""
    tails: tuple[float, ...]
    """Posterior probability of each degree of freedom of `DEGREES_OF_FREEDOM`, or of those that were asked for."""
    n_finished: int
    n_unfinished: int

    def cdf(self, log_ratios: Floats, open_share: float = 0.0) -> Floats:
        """Return the probability that a project's logarithm lies below some values.

        Parameters
        ----------
        log_ratios
            Shape (n,).
        open_share
            1/p - 1 where the share p of the plan is due: the logarithm to date is forecast, not that at the end.
        """
        spread = np.sqrt(self.spread**2 + _squared(self.within, open_share))
        z = (np.asarray(log_ratios)[:, None] - self.location) / spread
        below: Floats = special.ndtr(z) @ self.weight
        return below

    def quantiles(self, levels: Floats, open_share: float = 0.0) -> Floats:
        """Return the logarithms below which a project lies with some probabilities; shape that of the levels."""
        grid = self.grid(open_share)
        values: Floats = np.interp(levels, self.cdf(grid, open_share), grid)
        return values

    def grid(self, open_share: float = 0.0) -> Floats:
        """Return values so close to each other, and so far out, that sums over them are integrals."""
        reach = 40 * self.scale.mean + 10 * sqrt(_squared(self.within, open_share))
        # Closer in the middle, where nearly all of the probability lies.
        values: Floats = self.centre.mean + reach * np.sinh(np.linspace(-6, 6, 501)) / np.sinh(6)
        return values


def _squared(within: float, open_share: float) -> float:
    return 0.0 if open_share == 0 else within**2 * open_share


def fit_paid_over_planned(
    projects: Sequence[LogRatio], within: float, tails: Sequence[float] = DEGREES_OF_FREEDOM
) -> PaidOverPlanned:
    """Fit the distribution between projects.

    Parameters
    ----------
    projects
        As they are known.
    within
        k, as `spread_within` estimates it; infinity takes unfinished projects as censored and no more.
    tails
        Degrees of freedom that are thought possible, with equal chances.

    Raises
    ------
    UsageError
        If there are fewer projects than `LEAST_PROJECTS`, or finished ones than two, or all have the same ratio.
    """
    finished = [one for one in projects if one.is_finished]
    if len(projects) < LEAST_PROJECTS or len(finished) < 2:
        rule = f"must have at least {LEAST_PROJECTS} projects with a ratio, two of them finished"
        found = f"{len(projects)} with a ratio, {len(finished)} of them finished"
        raise UsageError(f"the reference class: {rule}; found {found}. Choose a wider class")
    values = np.array([one.value for one in projects])
    width = float(np.std(values, ddof=1))
    if width <= 1e-9:
        raise UsageError("the reference class: its projects must have different ratios; found all the same. Choose a wider class")
    location = float(np.median(values)) + width * np.linspace(-_LOCATIONS, _LOCATIONS, _N_LOCATIONS)
    scale = width * np.exp(np.arange(log(_NARROWEST), log(_WIDEST), _STEP))
    spread = scale[0] * np.exp(_STEP * np.arange(-_SCALES // 3, len(scale) + _SCALES))
    kernels = [_scales(tail, len(scale), len(spread)) for tail in tails]
    # Axes: m, s. With the prior 1/t every point of a lattice that is even in log t has the same prior weight.
    each = [np.exp(log_likelihood(one, location[:, None], spread, within)) for one in projects]
    with np.errstate(divide="ignore"):
        logs = np.stack([sum(np.log(one @ kernel.T) for one in each) for kernel in kernels], axis=-1)
    posterior = np.exp(logs - logs.max())
    posterior /= posterior.sum()
    weight = sum(posterior[:, :, v] @ kernel for v, kernel in enumerate(kernels))
    kept = weight > _LIGHTEST * weight.max()
    means, spreads = np.broadcast_arrays(location[:, None], spread)
    return PaidOverPlanned(
        means[kept],
        spreads[kept],
        weight[kept] / weight[kept].sum(),
        within,
        _estimate(location, posterior.sum(axis=(1, 2))),
        _estimate(scale, posterior.sum(axis=(0, 2))),
        tuple(float(chance) for chance in posterior.sum(axis=(0, 1))),
        n_finished=len(finished),
        n_unfinished=len(projects) - len(finished),
    )


def _scales(tail: float, n_scales: int, n_spreads: int) -> Floats:
    """Return the probability of each s given each t on the lattice, shape (n_scales, n_spreads)."""
    steps = np.arange(-_SCALES // 3, _SCALES + 1)
    if isinf(tail):
        chance = (steps == 0).astype(np.float64)
    else:
        # s / t lies between two values where g lies between the inverse squares of them.
        edges = np.exp(-2 * _STEP * np.append(steps - 0.5, np.inf))
        edges[0] = np.inf
        chance = -np.diff(special.gammainc(tail / 2, tail / 2 * edges))
    kernel = np.zeros((n_scales, n_spreads))
    for row in range(n_scales):
        kernel[row, row : row + len(steps)] = chance[: n_spreads - row]
    return kernel


def _estimate(values: Floats, weight: Floats) -> ParameterEstimate:
    reached = np.cumsum(weight) - weight / 2
    low, high = np.interp([0.05, 0.95], reached, values)
    return ParameterEstimate(float(values @ weight), float(low), float(high))


def log_likelihood(one: LogRatio, location: Floats, spread: Floats, within: float) -> Floats:
    """Return the log-likelihood of what is known of a project, with the shape of the parameters."""
    if not one.is_finished and isinf(within):
        censored: Floats = special.log_ndtr((location - one.at_least) / spread)
        return censored
    error = _squared(within, one.open_share)
    seen = np.sqrt(spread**2 + error)
    density: Floats = -np.log(seen * _ROOT_TWO_PI) - ((one.value - location) / seen) ** 2 / 2
    if one.is_finished or error == 0:
        return density
    # Given the logarithm to date, that at the end is normal; it is not below what is paid already.
    later = (location * error + one.value * spread**2) / seen**2
    left: Floats = special.log_ndtr((later - one.at_least) * seen / (spread * sqrt(error)))
    return density + left
