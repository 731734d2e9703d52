"""The engine against published tables: means, and the exact standard deviations of single people.

The exact figures are those of the cohort recursion (mean and variance of a Markov reward), given to seven digits with the
published ones; z below 4.5 at a fixed seed.
"""

from __future__ import annotations

import numpy as np
import pytest

from simengine.config import load_study
from simengine.pipeline import simulate
from simengine.records import TWIN
from tests.conftest import CHECKOUT

SEED, N_REPLICATIONS, N_PEOPLE = 2018, 100, 1000
N = N_REPLICATIONS * N_PEOPLE

# Krijkamp et al. 2018: published cohort figures (Appendix C), exact mean, exact sd of one person.
SICK_SICKER = {
    "cost": (75_976, 75_976.1491, 57_903.07),
    "cost_treated": (141_623, 141_623.0282, 108_371.27),
    "qaly": (15.839, 15.8388478, 4.948906),
    "qaly_treated": (16.400, 16.4004056, 5.097816),
}


@pytest.fixture(scope="module")
def tallies():
    return simulate(load_study(CHECKOUT / "tests" / "cases" / "sick_sicker.yaml"), SEED, np.arange(N_REPLICATIONS)).tallies


def person_moments(tallies, outcome: str) -> tuple[float, float]:
    """Give mean and standard deviation between all persons of all replications."""
    place, window = tallies.outcomes.index(outcome), tallies.windows.index(31)
    mean = tallies.sums[:, 0, TWIN, place, window].sum() / N
    return mean, (tallies.squares[:, 0, TWIN, place, window].sum() / N - mean**2) ** 0.5


@pytest.mark.statistical
@pytest.mark.parametrize("outcome", SICK_SICKER)
def test_sick_sicker__has_the_published_means_and_the_exact_spread(tallies, outcome: str) -> None:
    """Source: Krijkamp et al. 2018, Appendix C; the exact mean and sd by the recursion of a Markov reward."""
    published, exact_mean, exact_sd = SICK_SICKER[outcome]
    assert exact_mean == pytest.approx(published, abs=0.6 if published > 100 else 6e-4)
    mean, sd = person_moments(tallies, outcome)
    assert abs(mean - exact_mean) < 4.5 * exact_sd / N**0.5
    # Var(s) is about sd^2 (kurtosis - 1) / 4 N; the costs' kurtosis is below 4, the years' below 9.
    assert abs(sd - exact_sd) < 4.5 * exact_sd * (8 / (4 * N)) ** 0.5


@pytest.mark.statistical
def test_sick_sicker__years_in_the_worst_state(tallies) -> None:
    """Source: the recursion: mean 4.53648556 and variance 53.02624862 of undiscounted cycles in S2, t = 0 to 30."""
    mean, sd = person_moments(tallies, "years_sicker")
    assert abs(mean - 4.53648556) < 4.5 * (53.02624862 / N) ** 0.5
    assert sd**2 == pytest.approx(53.02624862, rel=0.03)


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("outcome", "share"), [("sick_at_1", 0.15), ("sicker_at_2", 0.01575), ("healthy_at_10", 0.618410), ("dead_at_30", 0.356391)]
)
def test_sick_sicker__has_the_exact_trace(tallies, outcome: str, share: float) -> None:
    """Source: the powers of the published matrix: shares of the states after 1, 2, 10 and 30 cycles."""
    mean, _ = person_moments(tallies, outcome)
    assert abs(mean - share) < 4.5 * (share * (1 - share) / N) ** 0.5


@pytest.mark.statistical
def test_sick_sicker__treatment_differs_by_the_published_amount_on_the_same_people(tallies) -> None:
    """Source: Krijkamp et al. 2018: d-cost 65,647 and d-QALY 0.562; the sds under common random numbers 51,857.09 and 0.356280."""
    d_cost = person_moments(tallies, "cost_treated")[0] - person_moments(tallies, "cost")[0]
    d_qaly = person_moments(tallies, "qaly_treated")[0] - person_moments(tallies, "qaly")[0]
    assert abs(d_cost - 65_646.8790) < 4.5 * 51_857.09 / N**0.5
    assert abs(d_qaly - 0.5615578) < 4.5 * 0.356280 / N**0.5


@pytest.mark.statistical
def test_two_states__visits_have_the_exact_mean_and_variance() -> None:
    """Source: two states, p01 = 0.2, p10 = 0.1, start in 0: visits to 1 over t = 0 to 10 have mean 5.15505171, var 9.51080385."""
    pathway = "{states: [home, placed], start: {young: {home: 1}, older: {home: 1}}, moves: {home -> placed: {per_month: 0.2}, placed -> home: {per_month: 0.1}}}"  # noqa: E501
    study = load_study(
        CHECKOUT / "configs" / "tiny.yaml",
        [f"pathway={pathway}", "effect={}", "measurement.metrics.saving.window_months=11", "population.waves.all.size=100"],
    )
    tallies = simulate(study, SEED, np.arange(400)).tallies
    visits = tallies.person_months[:, 0, TWIN, 1, tallies.windows.index(11)]
    assert abs(visits.mean() - 515.505171) < 4.5 * (951.080385 / 400) ** 0.5
    # A sum of 100 people is close to normal: Var(s^2) = 2 sigma^4 / (n - 1).
    assert abs(visits.var(ddof=1) / 951.080385 - 1) < 4.5 * (2 / 399) ** 0.5
