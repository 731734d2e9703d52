"""The distribution of paid over planned: against Student's t, against SciPy's censored likelihood, against plain quadrature."""

from __future__ import annotations

from math import inf, log

import numpy as np
import pytest
from scipy import integrate, stats

from simengine.errors import UsageError
from simengine.reference_class.forecasts import (
    crps_of_cdf,
    crps_of_normal,
    leave_one_out,
    randomised_pit,
    scores_of,
)
from simengine.reference_class.history import PaidAgainstPlan, PaymentHistory, PeriodAmount
from simengine.reference_class.paid_over_planned import LogRatio, fit_paid_over_planned, log_likelihood, log_ratio, spread_within
from tests.conftest import sized

RATIOS = np.log([0.9, 1.0, 1.5, 1.1, 0.8, 1.05, 0.7, 1.3])
NORMAL = (inf,)


def finished(values: np.ndarray) -> list[LogRatio]:
    return [LogRatio(float(value)) for value in values]


def test_forecast_of_normal_ratios__is_students_t() -> None:
    """Closed form: with the prior 1/t a new value is Student's with n - 1 degrees of freedom (Gelman et al. 2013, section 3.2)."""
    n, grid = len(RATIOS), np.linspace(-1.5, 1.5, 61)
    exact = stats.t(n - 1, RATIOS.mean(), RATIOS.std(ddof=1) * np.sqrt(1 + 1 / n))
    fitted = fit_paid_over_planned(finished(RATIOS), within=0.3, tails=NORMAL)
    assert np.abs(fitted.cdf(grid) - exact.cdf(grid)).max() < 2e-4
    levels = np.array([0.025, 0.1, 0.5, 0.9, 0.975])
    assert fitted.quantiles(levels) == pytest.approx(exact.ppf(levels), abs=3e-3)
    assert fitted.centre.mean == pytest.approx(RATIOS.mean(), abs=1e-4)


@pytest.mark.parametrize("tail", [2.0, 4.0, 8.0])
def test_forecast_of_ratios_with_heavy_tails__is_that_of_quadrature(tail: float) -> None:
    """Slow twin: the posterior on a plain grid with SciPy's density of Student's t."""
    locations, scales = np.linspace(-1.2, 1.4, 261), np.exp(np.linspace(log(0.005), log(8), 300))
    m, t = np.meshgrid(locations, scales, indexing="ij")
    logs = sum(stats.t.logpdf(value, tail, m, t) for value in RATIOS)
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    values = np.array([-0.6, -0.2, 0.0, 0.3, 0.9])
    expected = [float((stats.t.cdf(value, tail, m, t) * weight).sum()) for value in values]
    assert fit_paid_over_planned(finished(RATIOS), 0.3, tails=(tail,)).cdf(values) == pytest.approx(expected, abs=1e-3)


def test_chances_of_tails__are_ratios_of_marginal_likelihoods() -> None:
    """Quadrature of the likelihood over m and log t, with SciPy's densities, for four degrees of freedom and for the normal."""
    values = np.log([0.93, 0.98, 1.02, 1.05, 0.97, 3.3])

    def evidence(density: stats.rv_continuous, *shape: float) -> float:
        m, t = np.meshgrid(np.linspace(-2, 2.5, 901), np.exp(np.linspace(log(0.011), log(9), 400)), indexing="ij")
        return float(np.exp(sum(density.logpdf(value, *shape, m, t) for value in values)).sum())

    four, normal = evidence(stats.t, 4.0), evidence(stats.norm)
    fitted = fit_paid_over_planned(finished(values), 0.3, tails=(4.0, inf))
    assert fitted.tails[0] == pytest.approx(four / (four + normal), abs=0.01)
    assert fitted.tails[0] > 0.5


def test_censored_likelihood__is_that_of_scipy() -> None:
    """Another library: SciPy fits a normal distribution to right-censored values; the likelihoods and their maximum agree."""
    known, bounds = RATIOS[:5], RATIOS[5:]
    data = stats.CensoredData(uncensored=known, right=bounds)
    projects = [*finished(known), *(LogRatio(9.9, at_least=float(bound), open_share=1.0) for bound in bounds)]
    mean, sd = stats.norm.fit(data)
    for m, t in ((0.1, 0.3), (mean, sd), (-0.4, 0.9)):
        ours = sum(float(log_likelihood(one, np.array(m), np.array(t), inf)) for one in projects)
        assert ours == pytest.approx(stats.norm.logpdf(known, m, t).sum() + stats.norm.logsf(bounds, m, t).sum())
    m, t = np.meshgrid(np.linspace(-0.5, 1, 301), np.linspace(0.05, 1.5, 291), indexing="ij")
    ours = sum(log_likelihood(one, m, t, inf) for one in projects)
    best = np.unravel_index(ours.argmax(), ours.shape)
    assert (m[best], t[best]) == pytest.approx((mean, sd), abs=5e-3)


def test_unfinished_likelihood__is_an_integral_over_the_end() -> None:
    """Quadrature over y: normal(y; m, t) times normal(d; y, k² (1/p - 1)), from the bound on."""
    one, m, t, k = LogRatio(0.1, at_least=-0.2, open_share=0.8), 0.05, 0.4, 0.35
    error = k * np.sqrt(0.8)
    exact = integrate.quad(lambda y: stats.norm.pdf(y, m, t) * stats.norm.pdf(0.1, y, error), -0.2, 4)[0]
    assert float(log_likelihood(one, np.array(m), np.array(t), k)) == pytest.approx(log(exact))


def test_unfinished_likelihood__has_its_two_limits() -> None:
    # Without an error the ratio to date is the last one; with an endless error only the bound is left, but for a constant.
    one, grid = LogRatio(0.1, at_least=-0.2, open_share=0.8), np.array([-0.5, 0.0, 0.4])
    spread = np.full(3, 0.4)
    assert log_likelihood(one, grid, spread, 1e-6) == pytest.approx(stats.norm.logpdf(0.1, grid, spread))
    far, censored = log_likelihood(one, grid, spread, 1e6), log_likelihood(one, grid, spread, inf)
    assert np.ptp(far - censored) < 1e-6


def project(paid: list[float], plan: list[float], name: str = "A", *, is_complete: bool = True) -> PaidAgainstPlan:
    parts = [tuple(PeriodAmount(3 * i, 3 * i + 2, one) for i, one in enumerate(row)) for row in (plan, paid)]
    history = PaymentHistory(name, "", "", "", "GBP", is_complete=is_complete, paid=parts[1], plans={"plan1": parts[0]})
    due = sum(plan[: len(paid)])
    return PaidAgainstPlan(history, None, due, sum(paid), sum(plan), is_finished=is_complete)


def test_spread_within__is_by_hand() -> None:
    """Two projects, each looked at where half is due: log(ratio then / ratio last), over the variance factor 1/half - 1/last."""
    # 10, 10 due; 5, 15 paid: half way log(0.5) against log(1); 1/0.5 - 1/1 = 1
    # 10, 10 due of 40; 12, 12 paid: no difference
    some = [project([5, 15], [10, 10]), project([12, 12], [10, 10, 20], is_complete=False)]
    within, number = spread_within(some)
    assert within == pytest.approx(np.sqrt(log(0.5) ** 2 / 1 / 2))
    assert number == 2
    # One that was paid nothing half way has no logarithm.
    assert spread_within([*some, project([0, 20], [10, 10])])[1] == 2


def test_known_ratio__of_a_finished_project_is_against_the_whole_plan() -> None:
    assert log_ratio(project([8, 8], [10, 10, 10])) == LogRatio(pytest.approx(log(16 / 30)))
    going = log_ratio(project([8, 8], [10, 10, 20], is_complete=False))
    assert going == LogRatio(pytest.approx(log(0.8)), pytest.approx(log(0.4)), pytest.approx(1.0))
    assert log_ratio(project([0, 0], [10, 10])) is None


@pytest.mark.parametrize(
    ("projects", "found"),
    [(finished(RATIOS[:4]), "4 with a ratio, 4 of them finished"), (finished(np.zeros(6)), "all the same")],
)
def test_fit__of_nothing_is_refused(projects: list[LogRatio], found: str) -> None:
    with pytest.raises(UsageError, match=found):
        fit_paid_over_planned(projects, 0.3)


@pytest.mark.parametrize(("mean", "sd", "value"), [(0.0, 0.25, 0.4), (0.1, 0.5, -1.0), (-0.3, 1.0, -0.3)])
def test_crps__of_a_normal_distribution_is_its_closed_form(mean: float, sd: float, value: float) -> None:
    """Closed form against the definition, the integral of (F - 1{x >= y})², by quadrature and on a grid."""
    low = integrate.quad(lambda x: stats.norm.cdf(x, mean, sd) ** 2, -12, value)[0]
    high = integrate.quad(lambda x: stats.norm.sf(x, mean, sd) ** 2, value, 12)[0]
    assert crps_of_normal(mean, sd, value) == pytest.approx(low + high, abs=1e-6)
    grid = np.linspace(-12, 12, 4001)
    assert crps_of_cdf(grid, stats.norm.cdf(grid, mean, sd), value) == pytest.approx(low + high, abs=2e-5)


@pytest.mark.statistical
@pytest.mark.parametrize("is_censored", [False, True])
def test_pit__is_uniform_where_the_model_is_true(is_censored: bool) -> None:
    """A new project is forecast from others of the same normal distribution; some of all are censored, whatever they come to."""
    random, pits = np.random.default_rng(5), []
    for _ in range(sized(200, 2000)):
        values, bounds = random.normal(0.1, 0.4, 11), random.normal(0.3, 0.4, 11)
        some = [
            LogRatio(9.9, at_least=float(bound), open_share=1.0) if is_censored and value > bound else LogRatio(float(value))
            for value, bound in zip(values, bounds, strict=True)
        ]
        if sum(one.is_finished for one in some[1:]) < 2:
            continue
        fitted = fit_paid_over_planned(some[1:], inf, tails=NORMAL)
        pits.append(randomised_pit(fitted, some[0], random.random()))
    assert stats.kstest(pits, "uniform").pvalue > 0.01
    # The test has power: a forecast that is too narrow, or is not placed at random above a bound, is seen.
    narrow = stats.norm.cdf(1.5 * stats.norm.ppf(pits))
    assert stats.kstest(narrow, "uniform").pvalue < 0.01


def test_leave_one_out__forecasts_without_the_project() -> None:
    some = [project([10 * float(np.exp(one)), 10 * float(np.exp(one))], [10, 10], f"P{i}") for i, one in enumerate(RATIOS)]
    scores = leave_one_out(some)
    # By hand, the first: all others fitted by the function itself, which the tests above hold against closed forms.
    within = spread_within(some[1:])[0]
    fitted = fit_paid_over_planned(finished(RATIOS[1:]), within)
    first = scores.forecasts[0]
    assert first.pit == pytest.approx(float(fitted.cdf(RATIOS[:1])[0]))
    assert first.ratio == pytest.approx(0.9)
    assert first.naive_crps["0.25"] == pytest.approx(crps_of_normal(0, 0.25, log(0.9)))
    assert scores.crps == pytest.approx(np.mean([one.crps for one in scores.forecasts]))


def test_coverage__has_the_band_of_the_binomial_distribution() -> None:
    from dataclasses import replace

    some = [project([10 * float(np.exp(one)), 10 * float(np.exp(one))], [10, 10], f"P{i}") for i, one in enumerate(RATIOS)]
    one = leave_one_out(some).forecasts[0]
    scores = scores_of([replace(one, pit=pit) for pit in (0.5, 0.3, 0.7, 0.76, 0.2, 0.05, 0.99, 0.01)], left_out=1)
    half, eighty, ninety_five = scores.coverage
    # |pit - 0.5| up to 0.25: 0.5, 0.3, 0.7; up to 0.4: also 0.76, 0.2; up to 0.475: also 0.05
    assert (half.covered, eighty.covered, ninety_five.covered) == (3, 5, 6)
    # Binomial(8, 0.5): P(X <= 0) = 0.0039 and P(X <= 1) = 0.035, so from 1 to 7
    assert (half.low, half.high, half.is_within) == (1, 7, True)
    assert scores.left_out == 1
