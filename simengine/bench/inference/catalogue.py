"""The problems of inference: what was observed, and its posterior by conjugacy or by quadrature."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from simengine.arrays import Floats
from simengine.bench.card import Card
from simengine.bench.inference.problem import InferenceProblem
from simengine.late import special, stats

_BUDGETS = (1000, 10_000, 100_000)


def _card(name: str, title: str, question: str, difficulty: str, answer_from: str) -> Card:
    error = "that of 2,000 independent draws, by which every method is judged alike"
    return Card(name, "inference", title, question, difficulty, answer_from, error, _BUDGETS, "a line of NumPy")


def inference_problems() -> Iterator[InferenceProblem]:
    """Yield the problems of inference."""
    yield from (*_of_counts(), *_of_measurements(), spells(), frailty())


def counted_by_inverse(points: Floats, chance: Floats, number: int) -> Floats:
    """Return binomial counts: the least whose distribution function reaches a uniform; shapes (n,)."""
    below = stats.binom.cdf(np.arange(number)[None, :], number, chance[:, None])
    return np.asarray((below < points[:, None]).sum(axis=1), dtype=np.float64)


def _beta_binomial(card: Card, number: int, before: tuple[float, float], looks: int = 1, sites: int = 1) -> InferenceProblem:
    """Make a problem of chances with beta priors, each seen in as many looks at so many people."""
    a, b = before

    def simulator(theta: Floats, points: Floats) -> Floats:
        columns = [counted_by_inverse(points[:, j], theta[:, j // looks], number) for j in range(sites * looks)]
        return np.stack(columns, axis=1)

    def log_likelihood(theta: Floats, observed: Floats) -> Floats:
        chance = np.clip(theta, 1e-300, 1 - 1e-16)
        seen = observed.reshape(sites, looks).sum(axis=1)
        found = (seen * np.log(chance) + (number * looks - seen) * np.log1p(-chance)).sum(axis=1)
        return np.where(((theta > 0) & (theta < 1)).all(axis=1), found, -np.inf)

    def by_wave(theta: Floats, observed: Floats) -> Floats:
        return np.stack([stats.binom.logpmf(seen, number, theta[:, 0]) for seen in observed], axis=1)

    def posterior(observed: Floats, points: Floats) -> Floats:
        seen = observed.reshape(sites, looks).sum(axis=1)
        return np.asarray(special.betaincinv(a + seen, b + number * looks - seen, points))

    names = tuple(f"chance_{k + 1}" for k in range(sites)) if sites > 1 else ("chance",)
    data = tuple(f"successes_{k + 1}" for k in range(sites * looks)) if sites * looks > 1 else ("successes",)
    constants = {"prior": f"beta({a:g}, {b:g}) each", "people_of_each_count": number, "looks": looks}
    return InferenceProblem(
        card,
        names,
        data,
        lambda points: np.asarray(special.betaincinv(a, b, points)),
        simulator,
        sites * looks,
        log_likelihood,
        posterior,
        by_wave if looks > 1 and sites == 1 else None,
        constants,
        float(number * looks * sites),
    )


def _of_counts() -> Iterator[InferenceProblem]:
    beta = "beta posterior by conjugacy"
    yield _beta_binomial(
        _card("a_chance_of_success", "A chance of success", "The chance behind so many successes of 60.", "nothing", beta),
        60,
        (8, 12),
    )
    yield _beta_binomial(
        _card(
            "a_rare_outcome",
            "A rare outcome",
            "The chance behind so many cases in 400 people, when it is a few per cent.",
            "the posterior is skewed and lies near 0, and a vague prior puts little there",
            beta,
        ),
        400,
        (0.5, 10),
    )
    yield _beta_binomial(
        _card(
            "three_interim_results",
            "Three interim results",
            "The chance behind the successes of three cohorts of 40, one after the other.",
            "three numbers of which only the sum tells",
            beta,
        ),
        40,
        (4, 6),
        looks=3,
    )
    yield _beta_binomial(
        _card(
            "five_sites",
            "Five sites",
            "The chances of five sites with 30 people each.",
            "five parameters: few draws from the prior are near all five counts",
            beta,
        ),
        30,
        (4, 6),
        sites=5,
    )
    yield _referrals()


def _referrals() -> InferenceProblem:
    shape, rate, months = 2.0, 2.0 / 12, 6

    def simulator(theta: Floats, points: Floats) -> Floats:
        return np.asarray(stats.poisson.ppf(points, theta))

    def log_likelihood(theta: Floats, observed: Floats) -> Floats:
        mean = np.maximum(theta[:, 0], 1e-300)
        found = observed.sum() * np.log(mean) - months * mean
        return np.where(theta[:, 0] > 0, found, -np.inf)

    def posterior(observed: Floats, points: Floats) -> Floats:
        return np.asarray(special.gammaincinv(shape + observed.sum(), points) / (rate + months))

    return InferenceProblem(
        _card(
            "referrals_a_month",
            "Referrals a month",
            "The mean number of referrals a month behind six monthly counts.",
            "the prior is as wide as its mean",
            "gamma posterior by conjugacy",
        ),
        ("per_month",),
        tuple(f"month_{k + 1}" for k in range(months)),
        lambda points: np.asarray(special.gammaincinv(shape, points) / rate),
        simulator,
        months,
        log_likelihood,
        posterior,
        lambda theta, observed: np.asarray(stats.poisson.logpmf(observed, theta)),
        {"prior": "gamma(2), mean 12", "months": months},
        float(months),
    )


def _normal(
    card: Card,
    design: Floats,
    noise_sd: float,
    prior_mean: Floats,
    prior_sd: Floats,
    names: tuple[str, ...],
    told: Mapping[str, Any],
    *,
    is_in_waves: bool = False,
) -> InferenceProblem:
    """Make a linear model with normal priors and known noise; design: shape (n_data, n_parameters)."""
    precision = np.diag(1 / prior_sd**2) + design.T @ design / noise_sd**2
    covariance = np.linalg.inv(precision)
    root = np.linalg.cholesky(covariance)

    def posterior(observed: Floats, points: Floats) -> Floats:
        mean = covariance @ (prior_mean / prior_sd**2 + design.T @ observed / noise_sd**2)
        return np.asarray(mean + special.ndtri(points) @ root.T)

    def by_wave(theta: Floats, observed: Floats) -> Floats:
        return np.asarray(-0.5 * (observed - theta @ design.T) ** 2 / noise_sd**2)

    return InferenceProblem(
        card,
        names,
        tuple(f"observation_{k + 1}" for k in range(len(design))),
        lambda points: np.asarray(prior_mean + prior_sd * special.ndtri(points)),
        lambda theta, points: np.asarray(theta @ design.T + noise_sd * special.ndtri(points)),
        len(design),
        lambda theta, observed: np.asarray(-0.5 * ((observed - theta @ design.T) ** 2).sum(axis=1) / noise_sd**2),
        posterior,
        by_wave if is_in_waves else None,
        {"noise_sd": noise_sd, "prior_mean": prior_mean.tolist(), "prior_sd": prior_sd.tolist(), **told},
        float(len(design)),
    )


def _of_measurements() -> Iterator[InferenceProblem]:
    normal = "normal posterior by conjugacy"
    yield _normal(
        _card(
            "a_mean_gain",
            "A mean gain",
            "The mean gain behind those of twenty pupils.",
            "twenty numbers of which the mean tells",
            normal,
        ),
        np.ones((20, 1)),
        10.0,
        np.array([0.0]),
        np.array([5.0]),
        ("gain",),
        {"pupils": 20},
    )
    years = np.arange(8.0)
    yield _normal(
        _card(
            "a_level_and_a_trend",
            "A level and a trend",
            "The level of sick days and its trend behind eight yearly means.",
            "two parameters that the data tie together",
            normal,
        ),
        np.column_stack([np.ones(8), years]),
        1.0,
        np.array([12.0, 0.0]),
        np.array([4.0, 1.0]),
        ("level", "per_year"),
        {"years": years.tolist()},
        is_in_waves=True,
    )
    yield _normal(
        _card(
            "an_effect_that_is_small",
            "An effect that is small",
            "The effect behind the difference of two arms of forty, when the prior is as narrow as its error.",
            "prior and data weigh the same: a method that forgets the prior is seen at once",
            normal,
        ),
        np.ones((1, 1)),
        10.0 * np.sqrt(2 / 40),
        np.array([1.0]),
        np.array([2.0]),
        ("effect",),
        {"people_per_arm": 40, "sd": 10.0},
    )


_SPELLS, _FOLLOWED = 30, 12.0


def spells() -> InferenceProblem:
    """Make the problem of spells that may outlast the follow-up."""
    shape, rate = 3.0, 30.0

    def simulator(theta: Floats, points: Floats) -> Floats:
        length = -np.log1p(-points) / np.maximum(theta, 1e-300)
        has_ended = length <= _FOLLOWED
        return np.stack([has_ended.sum(axis=1).astype(np.float64), np.minimum(length, _FOLLOWED).sum(axis=1)], axis=1)

    def log_likelihood(theta: Floats, observed: Floats) -> Floats:
        hazard = np.maximum(theta[:, 0], 1e-300)
        found = observed[0] * np.log(hazard) - hazard * observed[1]
        return np.where(theta[:, 0] > 0, found, -np.inf)

    def posterior(observed: Floats, points: Floats) -> Floats:
        return np.asarray(special.gammaincinv(shape + observed[0], points) / (rate + observed[1]))

    return InferenceProblem(
        _card(
            "spells_cut_off",
            "Spells that are cut off",
            "The monthly rate at which spells end, behind thirty spells followed for a year.",
            "a spell that outlasts the year says only that; who drops it is wrong",
            "gamma posterior by conjugacy: events, and months at risk",
        ),
        ("per_month",),
        ("ended", "months_at_risk"),
        lambda points: np.asarray(special.gammaincinv(shape, points) / rate),
        simulator,
        _SPELLS,
        log_likelihood,
        posterior,
        None,
        {"prior": "gamma(3), mean 0.1", "spells": _SPELLS, "months_followed": _FOLLOWED},
        _SPELLS * _FOLLOWED,
    )


_MEN, _NODES = 40, 400
_LOG_MEAN, _LOG_SD = np.array([0.3, 0.0]), np.array([0.5, 0.7])


def frailty() -> InferenceProblem:
    """Make the problem of overdispersed counts: negative binomial, mean and shape unknown, by quadrature."""

    def simulator(theta: Floats, points: Floats) -> Floats:
        mean, shape = np.exp(theta[:, :1]), np.exp(theta[:, 1:])
        counts = stats.nbinom.ppf(points, shape, shape / (shape + mean))
        return np.sort(np.minimum(counts, 1000.0), axis=1)

    def log_likelihood(theta: Floats, observed: Floats) -> Floats:
        mean, shape = np.exp(theta[:, :1]), np.exp(theta[:, 1:])
        values, times = np.unique(observed, return_counts=True)
        return np.asarray(stats.nbinom.logpmf(values[None, :], shape, shape / (shape + mean)) @ times)

    return InferenceProblem(
        _card(
            "counts_that_vary_too_much",
            "Counts that vary too much",
            "The logarithms of the mean and of the shape of the frailty behind the reconvictions of forty men.",
            "no conjugate prior; the shape is known badly and its posterior is skewed",
            "quadrature on a grid of 400 by 400 over 6 prior standard deviations each way",
        ),
        ("log_mean", "log_shape"),
        tuple(f"man_{k + 1}" for k in range(_MEN)),
        lambda points: np.asarray(_LOG_MEAN + _LOG_SD * special.ndtri(points)),
        simulator,
        _MEN,
        log_likelihood,
        lambda observed, points: sample_of_grid(log_likelihood, observed, points),
        None,
        {"prior": "normal", "prior_mean": _LOG_MEAN.tolist(), "prior_sd": _LOG_SD.tolist(), "men": _MEN},
        float(_MEN),
    )


def sample_of_grid(log_likelihood: Callable[[Floats, Floats], Floats], observed: Floats, points: Floats) -> Floats:
    """Return a sample of a posterior of two parameters with normal priors, from its density on a grid.

    A node is found by one uniform, and within its cell a place by the other and what is left of the first.
    """
    score = np.linspace(-6, 6, _NODES)
    first, second = np.meshgrid(score, score, indexing="ij")
    scores = np.column_stack([first.ravel(), second.ravel()])
    log_density = log_likelihood(_LOG_MEAN + _LOG_SD * scores, observed) - 0.5 * (scores**2).sum(axis=1)
    weight = np.exp(log_density - log_density.max())
    below = np.cumsum(weight / weight.sum())
    place = np.minimum(np.searchsorted(below, points[:, 0]), len(below) - 1)
    left = (below[place] - points[:, 0]) / (weight[place] / weight.sum())
    step = score[1] - score[0]
    jitter = step * (np.column_stack([np.clip(left, 0, 1), points[:, 1]]) - 0.5)
    return np.asarray(_LOG_MEAN + _LOG_SD * (scores[place] + jitter))
