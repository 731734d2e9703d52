"""Count how often the reported errors hold what they estimate, under every way of drawing, on light, heavy, discrete and rare distributions.

A statistic of a distribution is known exactly. Many runs draw the distribution in a way of drawing that the engine knows: plainly,
as evenly spread points, several times with the same people, tilted, corrected by control variates, or until a goal is met. In each
the reported band of 95 % (two standard errors on either side, or the interval or bound that is reported instead) holds the exact
value or not; or the statistic says that its error is not known, and prints no ±. A row is in order where either

- the band holds the exact value in at least 93 of the 100 runs of which it is reported; or
- it is reported, and misses, in at most 7 of 100 runs of all: where an error cannot be known the report says so.

The luck of the count, three of its standard errors, is allowed for. Run it from the checkout; the smaller runs of the tests take
seconds, the table of the documentation (400 runs) some minutes:

    python -m verification.coverage --runs 400
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import exp, log, sqrt

import numpy as np
from scipy import special, stats

from simengine.distributions import Normal
from simengine.records import Floats
from simengine.replications.precision import Goal, replications_needed, sizes_up_to
from simengine.risk import statistics
from simengine.risk.statistics import Statistic
from simengine.risk.weighting import Weighting
from simengine.sampling import Sampling, draw_uniforms, group_of

N = 2048
"""Replications of a run."""
LEAST = 0.93
_LUCK = 3.0
_TIMES = 3
_TILT = 1.0
_STOP_AT_MOST = 16_000
Ask = Callable[[Floats, Weighting | None], Statistic]


@dataclass(frozen=True)
class Distribution:
    """A distribution by its inverse distribution function, which the engine's ways of drawing give uniforms to."""

    inverse: Callable[[Floats], Floats]
    mean: float
    sd: float
    share: tuple[float, float]
    """A level, and the probability of more."""
    cvar: float


def _lognormal(sd: float) -> Distribution:
    tail = exp(sd**2 / 2) * stats.norm.sf(Z_OF_TAIL - sd) / 0.05
    spread = exp(sd**2 / 2) * sqrt(exp(sd**2) - 1)
    return Distribution(
        lambda u: np.exp(sd * special.ndtri(u)), exp(sd**2 / 2), spread, (exp(2 * sd), stats.norm.sf(2)), float(tail)
    )


def _poisson(mean: float) -> Distribution:
    k = np.arange(200.0)
    mass = stats.poisson.pmf(k, mean)
    q = stats.poisson.ppf(0.95, mean)
    tail = q + float(mass @ np.maximum(k - q, 0)) / 0.05
    return Distribution(lambda u: stats.poisson.ppf(u, mean), mean, sqrt(mean), (2.5, float(stats.poisson.sf(2, mean))), tail)


def _bernoulli(p: float) -> Distribution:
    return Distribution(lambda u: (u > 1 - p).astype(np.float64), p, sqrt(p * (1 - p)), (0.5, p), min(p / 0.05, 1.0))


Z_OF_TAIL = float(special.ndtri(0.95))
DISTRIBUTIONS: Mapping[str, Distribution] = {
    "normal": Distribution(special.ndtri, 0.0, 1.0, (1.0, float(stats.norm.sf(1))), float(stats.norm.pdf(Z_OF_TAIL) / 0.05)),
    "exponential": Distribution(lambda u: -np.log1p(-u), 1.0, 1.0, (1.0, exp(-1)), 1 + log(20)),
    "lognormal, sd 1": _lognormal(1.0),
    "lognormal, sd 2": _lognormal(2.0),
    # Of the power 3/2: the mean is 3, there is no variance, and the mean beyond q is 3 q.
    "Pareto 1.5": Distribution(lambda u: (1 - u) ** (-2 / 3), 3.0, np.inf, (10.0, 10**-1.5), 3 * 20 ** (2 / 3)),
    "Poisson 2": _poisson(2.0),
    "Bernoulli 0.05": _bernoulli(0.05),
    # 0 but for five of 1,000, and exponential there: more than 1 has the probability 0.005 / e.
    "99.5 % zeros": Distribution(
        lambda u: np.where(u > 0.995, -np.log(np.maximum(1 - u, 1e-300) / 0.005), 0.0),
        0.005,
        sqrt(0.01 - 0.005**2),
        (1.0, 0.005 / exp(1)),
        0.1,
    ),
}


def asked_of(distribution: Distribution) -> dict[str, tuple[Ask, Callable[[Statistic], bool]]]:
    """Give, by name, each statistic and whether its reported band holds the exact one."""

    def holds(exact: float) -> Callable[[Statistic], bool]:
        # Rounding of a share of weights is no miss.
        return lambda one: one.band_95[0] - 1e-9 <= exact <= one.band_95[1] + 1e-9

    level, share = distribution.share
    found: dict[str, tuple[Ask, Callable[[Statistic], bool]]] = {
        "mean": (statistics.mean, holds(distribution.mean)),
        "probability": (lambda x, draws: statistics.probability(x > level, draws), holds(share)),
        "CVaR": (lambda x, draws: statistics.conditional_value_at_risk(x, 0.95, draws), holds(distribution.cvar)),
    }
    if np.isfinite(distribution.sd):
        found["sd"] = (statistics.sd, holds(distribution.sd))
    for name, at in (("p25", 0.25), ("p50", 0.5), ("p95", 0.95)):
        found[name] = (
            lambda x, draws, at=at: statistics.quantile(x, at, draws),
            holds(float(distribution.inverse(np.array([at]))[0])),
        )  # type: ignore[misc]
    return found


def _plain(distribution: Distribution, seed: int) -> tuple[Floats, Weighting | None]:
    return distribution.inverse(np.random.default_rng(seed).random(N)), None


def _drawn(sampling: Sampling, seed: int) -> tuple[Floats, Weighting]:
    rows = np.arange(N)
    uniforms, weight = draw_uniforms(sampling, seed, {"x": Normal(distribution="normal", mean=0.0, sd=1.0)}, rows)
    return uniforms["x"], Weighting(N, weight, group_of(sampling, rows), n_independent=N)


@cache
def _evenly(seed: int) -> tuple[Floats, Weighting]:
    """Draw evenly spread points once for all distributions: a scramble takes longer than the statistics."""
    return _drawn(Sampling(is_sobol=True), seed)


def _sobol(distribution: Distribution, seed: int) -> tuple[Floats, Weighting | None]:
    uniform, draws = _evenly(seed)
    return distribution.inverse(uniform), draws


def _tilt(distribution: Distribution, seed: int) -> tuple[Floats, Weighting | None]:
    uniform, draws = _drawn(Sampling(tilts={"x": _TILT}), seed)
    return distribution.inverse(uniform), draws


def _measured(distribution: Distribution, seed: int) -> tuple[Floats, Weighting | None]:
    """Measure every replication three times: half of the variance of a score is the people's."""
    rng = np.random.default_rng(seed)
    n = N // _TIMES
    score = (np.repeat(rng.standard_normal(n), _TIMES) + rng.standard_normal(n * _TIMES)) / sqrt(2)
    return distribution.inverse(special.ndtr(score)), Weighting(n * _TIMES, group=np.repeat(np.arange(n), _TIMES), n_independent=n)


def _variates(distribution: Distribution, seed: int) -> tuple[Floats, Weighting | None]:
    """Correct by a number whose score has a correlation of 0.7 with that of the outcome."""
    rng = np.random.default_rng(seed)
    known, other = rng.standard_normal((2, N))
    return distribution.inverse(special.ndtr(0.7 * known + sqrt(1 - 0.49) * other)), Weighting(N, control_variates=known[:, None])


WAYS: Mapping[str, Callable[[Distribution, int], tuple[Floats, Weighting | None]]] = {
    "plain": _plain,
    "sobol": _sobol,
    "measured": _measured,
    "tilt": _tilt,
    "control variates": _variates,
}
STOPPING = "stopping"
STOPPED = ("mean", "probability", "CVaR")
"""Statistics that are stopped at in the table."""


def _stopped(distribution: Distribution, seed: int, ask: Ask, is_probability: bool) -> Statistic:
    """Go on, as `run --until` does, until the error is a twentieth of the value or 0.05, whichever is larger."""
    rng = np.random.default_rng(seed)
    sample, found = np.empty(0), None
    for size in sizes_up_to(_STOP_AT_MOST):
        sample = np.concatenate([sample, distribution.inverse(rng.random(size - len(sample)))])
        found = ask(sample, None)
        goal = Goal("asked", max(0.05, 0.05 * abs(found.value)) if not is_probability else 0.008, is_relative=False)
        if replications_needed(goal, found, size, is_probability=is_probability)[1] <= size:
            break
    assert found is not None
    return found


@dataclass(frozen=True)
class Row:
    """How often one statistic of one distribution was held under one way of drawing."""

    way: str
    distribution: str
    statistic: str
    n_runs: int
    n_given: int
    """Runs that report an error, an interval or a bound."""
    n_held: int

    @property
    def is_in_order(self) -> bool:
        """Whether what is reported covers, or hardly anything is reported."""
        missed = self.n_given - self.n_held
        allowed = (1 - LEAST) * self.n_runs + _LUCK * sqrt((1 - LEAST) * LEAST * self.n_runs)
        return missed <= allowed

    @property
    def covered(self) -> float:
        """Part of the reported bands that hold the exact value."""
        return self.n_held / self.n_given if self.n_given else float("nan")


def rows_of(way: str, distribution_name: str, n_runs: int, names: Sequence[str] = ()) -> Iterator[Row]:
    """Run one distribution in one way many times, and count; some statistics, or all."""
    distribution = DISTRIBUTIONS[distribution_name]
    asked = {name: one for name, one in asked_of(distribution).items() if not names or name in names}
    given, held = dict.fromkeys(asked, 0), dict.fromkeys(asked, 0)
    for seed in range(n_runs):
        drawn = None if way == STOPPING else WAYS[way](distribution, seed)
        for name, (ask, holds) in asked.items():
            one = _stopped(distribution, seed, ask, name == "probability") if drawn is None else ask(*drawn)
            if one.covers or one.interval_95 is not None:
                given[name] += 1
                held[name] += holds(one)
    for name in asked:
        yield Row(way, distribution_name, name, n_runs, given[name], held[name])


def table(n_runs: int) -> tuple[Row, ...]:
    """Count everything."""
    return tuple(
        row
        for way in (*WAYS, STOPPING)
        for distribution in DISTRIBUTIONS
        for row in rows_of(way, distribution, n_runs, STOPPED if way == STOPPING else ())
    )


def as_markdown(rows: Sequence[Row]) -> str:
    """Lay the counts out: a row for each distribution and way of drawing, a column for each statistic."""
    names = list(dict.fromkeys(row.statistic for row in rows))
    lines = ["| distribution | way | " + " | ".join(names) + " |", "|---|---|" + "---|" * len(names)]
    for distribution in dict.fromkeys(row.distribution for row in rows):
        for way in dict.fromkeys(row.way for row in rows):
            cells = {row.statistic: _cell(row) for row in rows if (row.distribution, row.way) == (distribution, way)}
            if cells:
                lines.append(f"| {distribution} | {way} | " + " | ".join(cells.get(name, "") for name in names) + " |")
    return "\n".join(lines)


def _cell(row: Row) -> str:
    if row.n_given < 0.005 * row.n_runs:
        return "±?"
    part = f" of {100 * row.n_given / row.n_runs:.0f}" if row.n_given < 0.995 * row.n_runs else ""
    return f"{100 * row.covered:.0f}{part}{'' if row.is_in_order else ' !'}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; give 1 where a reported error does not cover."""
    parser = argparse.ArgumentParser(description="Count how often reported errors cover.")
    parser.add_argument("--runs", type=int, default=400)
    rows = table(parser.parse_args(arguments).runs)
    print(as_markdown(rows))
    wrong = [row for row in rows if not row.is_in_order]
    for row in wrong:
        print(
            f"does not cover: {row.statistic} of {row.distribution}, {row.way}: {row.n_held} of {row.n_given} reported, {row.n_runs} runs"
        )
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
