"""Expected values of small problems given some of their uniforms: what conditional Monte Carlo averages.

Of each problem the first few uniforms are given, and the rest is integrated out in closed form. These forms are no path of the reference
answers, and the simulators do not call them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log, sqrt

import numpy as np

from simengine.arrays import Floats
from simengine.bench.estimation import small
from simengine.bench.estimation.closed import ONE_IN_A_MILLION, sum_of_counts
from simengine.bench.estimation.exact import closed_forms
from simengine.late import special, stats

ExpectedByName = dict[str, Floats]


@dataclass(frozen=True)
class GivenForm:
    """The expected value of some quantities given the first uniforms."""

    uniforms: int
    """How many are given."""
    expected: Callable[[Floats, Mapping[str, float]], ExpectedByName]
    """From uniforms, shape (n, uniforms), and terms to the expected value of each quantity, shape (n,)."""


def _smooth_saving(points: Floats, terms: Mapping[str, float]) -> ExpectedByName:
    last = float(small.SMOOTH_EXPONENTS[-1])
    factor = np.exp(special.ndtri(points) @ small.SMOOTH_EXPONENTS[:-1] + last**2 / 2)
    return {"mean": terms["base"] * factor - terms["cost"]}


def _raised_cap(points: Floats, terms: Mapping[str, float]) -> ExpectedByName:  # noqa: ARG001
    part = 0.5 * small.SAVING_SD / sqrt(3)
    middle = 0.5 * small.SAVING_MEAN + part * special.ndtri(points).sum(axis=1)

    def call(strike: float) -> Floats:
        z = (middle - strike) / part
        return np.asarray(part * (z * special.ndtr(z) + _density(z)))

    return {"gain": call(700.0) - call(710.0)}


def _threshold_bonus(points: Floats, terms: Mapping[str, float]) -> ExpectedByName:
    effect = small.EFFECT_MEAN + small.EFFECT_SD * special.ndtri(points[:, 0])

    def paid(threshold: float) -> Floats:
        return np.asarray(terms["bonus"] * special.ndtr((effect - threshold) / small.ERROR_SD))

    slope = -terms["bonus"] * _density((effect - terms["threshold"]) / small.ERROR_SD) / small.ERROR_SD
    return {"mean": paid(terms["threshold"]), "gain": paid(0.075) - paid(0.1), "by_threshold": slope}


def _delays(points: Floats, terms: Mapping[str, float]) -> ExpectedByName:  # noqa: ARG001
    """Integrate the last delay out: it breaches where it is longer than what is left."""
    left = ONE_IN_A_MILLION + np.log1p(-points).sum(axis=1)
    return {"p_breach": np.exp(-np.maximum(left, 0.0))}


def _deep_tail(points: Floats, terms: Mapping[str, float]) -> ExpectedByName:
    needed = sqrt(2) * log(terms["fee"] / terms["median_cost"]) / terms["sigma"]
    return {"p_loss": special.ndtr(special.ndtri(points[:, 0]) - needed)}


def _two_payments(points: Floats, terms: Mapping[str, float]) -> ExpectedByName:  # noqa: ARG001
    most = sqrt(2) * log(small.PAID_IN / float(small.PLAN.sum())) / small.MULTIPLE_SIGMA
    return {"p_loss": special.ndtr(most - special.ndtri(points[:, 0]))}


def _fund_of_eight(points: Floats, terms: Mapping[str, float]) -> ExpectedByName:
    """Integrate the counts out: in a given kind of year they are independent."""
    year = np.minimum(np.searchsorted(np.cumsum([share for share, _ in small.YEARS]), points[:, 0]), len(small.YEARS) - 1)
    means, losses = [], []
    for _, chance in small.YEARS:
        paid = sum_of_counts([(people, chance, int(price)) for people, price in small.PROJECTS])
        amounts = np.arange(len(paid)) - terms["lent"]
        means.append(float(paid @ amounts))
        losses.append(float(paid[amounts < 0].sum()))
    return {"mean": np.array(means)[year], "p_loss": np.array(losses)[year]}


def _density(z: Floats) -> Floats:
    return np.asarray(np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))


GIVEN_FORMS: Mapping[str, GivenForm] = {
    "a_smooth_saving": GivenForm(len(small.SMOOTH_EXPONENTS) - 1, _smooth_saving),
    "a_raised_cap": GivenForm(2, _raised_cap),
    "a_threshold_bonus": GivenForm(1, _threshold_bonus),
    "one_in_a_million": GivenForm(small.REFERRERS - 1, _delays),
    "a_deep_tail": GivenForm(1, _deep_tail),
    "two_payments": GivenForm(1, _two_payments),
    "a_fund_of_eight": GivenForm(1, _fund_of_eight),
}
"""By small problem: its form."""


def study_form(name: str) -> GivenForm | None:
    """Return the form of a study of sixty people whose chance of success is unknown: given the chance, counts are binomial."""
    if name not in ("sixty_unknown_coins", "a_trigger_of_thirty", "floor_and_cap"):
        return None
    values = closed_forms()[name][0]

    def expected(points: Floats, terms: Mapping[str, float]) -> ExpectedByName:  # noqa: ARG001
        chance = special.betaincinv(8, 12, points[:, :1])
        shares = stats.binom.pmf(np.arange(61), 60, chance)
        return {"mean": shares @ values, "p_loss": shares @ (values < 0)}

    return GivenForm(1, expected)
