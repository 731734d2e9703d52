"""People who differ, people who are chosen, and events: the engine against closed distributions, by z-score.

Every comparison has its exact standard error (tests/reference/exact_counts.py) and a limit of 4.5 of them, at a fixed seed.
"""

from __future__ import annotations

from functools import cache
from math import exp, gamma, log, sqrt

import numpy as np
import pytest
from scipy import optimize, stats

from simengine.config import load_study
from simengine.pipeline import simulate
from simengine.records import BASELINE, SERVICE, TWIN, Tallies
from tests.conftest import CHECKOUT
from tests.reference.exact_counts import (
    Chosen,
    ChosenNormal,
    SpellsOfExponentialLength,
    moments_of_count,
    negative_binomial,
    survival_with_frailty,
)
from tests.reference.exact_rewards import distribution_of_rewards
from tests.reference.recursion import (
    Z_LIMIT,
    DisagreementError,
    Distribution,
    require_agreement,
    require_agreement_of_totals,
    sum_of,
)

SEED = 2013


@cache
def tallies_of(n_replications: int, *overrides: str) -> Tallies:
    study = load_study(CHECKOUT / "tests" / "cases" / "events.yaml", overrides)
    return simulate(study, SEED, np.arange(n_replications)).tallies


def totals(tallies: Tallies, outcome: str, arm: int, *, before: bool = False) -> tuple[int, float, float]:
    """Return the number of people of all replications, their sum and their sum of squares."""
    place, n = tallies.outcomes.index(outcome), int(tallies.n_people[:, 0, arm].sum())
    if before:
        return n, float(tallies.sums_before[:, 0, arm, place].sum()), float(tallies.squares_before[:, 0, arm, place].sum())
    return n, float(tallies.sums[:, 0, arm, place, -1].sum()), float(tallies.squares[:, 0, arm, place, -1].sum())


def require_share(tallies: Tallies, outcome: str, share: float, arm: int = TWIN) -> None:
    require_agreement_of_totals(*totals(tallies, outcome, arm), Distribution.of([1.0, *[share] * 4]), outcome)


def metric_on(outcome: str, window: int) -> tuple[str, ...]:
    """Return the contract, which is a formality, something to measure."""
    metric = f"{{outcome: {outcome}, window_months: {window}, estimate: total_difference, better: lower}}"
    return f"measurement.metrics={{spells: {metric}}}", f"capital.payment_month.nothing={window}", f"study.horizon_months={window}"


in_every_arm = pytest.mark.parametrize("arm", [SERVICE, TWIN, BASELINE], ids=("service", "twin", "baseline"))

# ------------------------------------------------ events and frailty ------------------------------------------------

WITHOUT_HISTORY = ("population.history_months=0", "population.waves.all.size=1000", "events.spell.rates.free.rate_per_year=1.55")
PETERBOROUGH = (*WITHOUT_HISTORY, f"effect={{fewer: {{event: spell, hazard_ratio: {1.42 / 1.55!r}}}}}")


@pytest.mark.statistical
@pytest.mark.parametrize(("arm", "mean", "below"), [(TWIN, 1.55, 0.0059428), (SERVICE, 1.42, 0.3412956)])
def test_events__of_a_thousand_people_pass_a_threshold_as_often_as_the_negative_binomial(
    arm: int, mean: float, below: float
) -> None:
    """Source: closed form: the total of 1,000 negative binomial counts with k = 1 is negative binomial with size 1,000;
    P(total <= 1,395) = 0.0059428 at mean 1.55 (10 % below) and 0.3412956 at 1.42."""
    chances = negative_binomial(1000 * mean, 1000, 4000)
    assert chances[:1396].sum() == pytest.approx(below, abs=5e-8)
    tallies = tallies_of(1000, *PETERBOROUGH)
    spells = tallies.sums[:, 0, arm, tallies.outcomes.index("spells"), -1]
    require_agreement(spells, Distribution.of(moments_of_count(chances)), "spells of a thousand")
    passed = (spells <= 1395).sum()
    assert stats.binomtest(int(passed), len(spells), below).pvalue > 7e-6


@pytest.mark.statistical
@pytest.mark.parametrize(("arm", "mean"), [(TWIN, 1.55), (SERVICE, 1.42)])
def test_events__of_a_person_are_negative_binomial(arm: int, mean: float) -> None:
    """Source: closed form: a Poisson count whose mean is gamma distributed with variance 1 between people, k = 1."""
    chances = negative_binomial(mean, 1)
    tallies = tallies_of(1000, *PETERBOROUGH)
    require_agreement_of_totals(*totals(tallies, "spells", arm), Distribution.of(moments_of_count(chances)), "spells")
    require_share(tallies, "any", 1 - chances[0], arm)
    require_share(tallies, "four", 1 - chances[:4].sum(), arm)


@pytest.mark.statistical
def test_events__without_frailty_are_poisson() -> None:
    """Source: closed form: variance equal to the mean; the negative binomial with k = 1 must be refused."""
    tallies = tallies_of(100, *WITHOUT_HISTORY, "population.frailties.person.variance=0")
    distribution = Distribution.of(moments_of_count(stats.poisson.pmf(np.arange(60), 1.55)))
    require_agreement_of_totals(*totals(tallies, "spells", TWIN), distribution, "spells")
    frail = Distribution.of(moments_of_count(negative_binomial(1.55, 1)))
    with pytest.raises(DisagreementError, match="variance by"):
        require_agreement_of_totals(*totals(tallies, "spells", TWIN), frail, "spells")


AWAY = (
    *metric_on("away_at_120", 120),
    "population.history_months=0",
    "population.waves.all.size=2000",
    "population.frailties={person: {variance: 1, on: [free -> away]}}",
    "pathway={states: [free, away], start: {everybody: {free: 1}}, moves: {free -> away: {rate_per_month: 0.005}}}",
    "effect={later: {move: free -> away, hazard_ratio: 0.7}}",
    "events={}",
    "outcomes={away_at_80: {kind: binary, at_month: 80, probability: {free: 0, away: 1}}, "
    "away_at_120: {kind: binary, at_month: 120, probability: {free: 0, away: 1}}}",
)


@pytest.mark.statistical
@pytest.mark.parametrize(("arm", "ratio"), [(TWIN, 1.0), (SERVICE, 0.7)])
def test_frailty__those_who_remain_are_the_less_frail(arm: int, ratio: float) -> None:
    """Source: closed form: with gamma frailty of variance theta, S = (1 + theta H)^(-1 / theta) at gathered hazard H."""
    for month in (80, 120):
        away = 1 - survival_with_frailty(0.005 * month * ratio, 1.0)
        require_share(tallies_of(100, *AWAY), f"away_at_{month}", away, arm)


@pytest.mark.statistical
def test_frailty__brings_the_ratio_between_groups_closer_to_one() -> None:
    """Source: closed form: a hazard ratio of 0.7 for each person is 0.7 (1 + H) / (1 + 0.7 H) = 0.7778 between groups at H = 0.5,
    theta = 1. Between H = 0.4 and 0.6 the hazards that gather have the ratio log(1.42 / 1.28) / log(1.6 / 1.4) = 0.7773."""
    exact = log(1.42 / 1.28) / log(1.6 / 1.4)
    assert exact == pytest.approx(0.7 * 1.5 / 1.35, abs=6e-4)
    tallies = tallies_of(100, *AWAY)
    gathered, relative_variance = [], 0.0
    for arm in (SERVICE, TWIN):
        n, early, _ = totals(tallies, "away_at_80", arm)
        _, late, _ = totals(tallies, "away_at_120", arm)
        stay = (n - late) / (n - early)
        gathered.append(-log(stay))
        # The groups share their luck, so that the error of the ratio is smaller than this.
        relative_variance += (1 - stay) / (stay * (n - early)) / log(stay) ** 2
    ratio = gathered[0] / gathered[1]
    assert abs(ratio - exact) < Z_LIMIT * exact * sqrt(relative_variance)
    assert abs(ratio - 0.7) > Z_LIMIT * exact * sqrt(relative_variance)


# ------------------------------------------------ luck and knowledge ------------------------------------------------


@pytest.mark.statistical
def test_luck_and_knowledge__both_make_the_spread_of_sixty_people() -> None:
    """Source: closed form: 60 people, success probability Beta(8, 12): variance 54.857 = 13.714 of luck + 41.143 of not knowing;
    P(X >= 30) is 0.231, and 0.0746 where the probability is known to be 0.4."""
    x = np.arange(61)
    unknown, known = stats.betabinom.pmf(x, 60, 8, 12), stats.binom.pmf(x, 60, 0.4)
    assert Distribution.of(moments_of_count(unknown)).variance == pytest.approx(13.714 + 41.143, abs=1e-3)
    assert (unknown[30:].sum(), known[30:].sum()) == pytest.approx((0.231, 0.0746), abs=5e-4)
    for probability, chances in (("{distribution: beta, mean: 0.4, sd: 0.10690449676496976}", unknown), ("0.4", known)):
        tallies = tallies_of(
            10_000,
            *metric_on("success", 1),
            "population.history_months=0",
            "population.frailties={}",
            "population.waves.all.size=60",
            f"outcomes={{success: {{kind: binary, at_month: 1, probability: {{free: {probability}}}}}}}",
            "events={}",
        )
        successes = tallies.sums[:, 0, TWIN, 0, -1]
        require_agreement(successes, Distribution.of(moments_of_count(chances)), "successes")
        assert stats.binomtest(int((successes >= 30).sum()), 10_000, chances[30:].sum()).pvalue > 7e-6


# ------------------------------------------------ regression to the mean ------------------------------------------------

AT_LEAST_FOUR = ("population.selection={outcome: spells, at_least: 4}", "measurement.baseline.size=100")
REGRESSION = {
    1: (0.1296, 5.5, 3.9, 29.09),
    2: (0.110847, 4.978261, 2.990683, 39.93),
}


def test_chosen__equals_the_sum_over_all_pairs_of_years() -> None:
    """Source: enumeration: the joint distribution of two years by quadrature over the gamma frailty, 0 to 59 events in each."""
    nodes, weights = np.polynomial.legendre.leggauss(160)
    frailty, weight = 20 * (nodes + 1), 20 * weights
    weight = weight * stats.gamma.pdf(frailty, 2, scale=1 / 2)
    x = np.arange(120)
    before, after = (stats.poisson.pmf(x[:, None], mean * frailty) for mean in (1.5, 1.2))
    joint = (before * weight) @ after.T
    joint[:4] = 0
    chosen = Chosen(1.5, 2, 4, 0.8)
    assert joint.sum() == pytest.approx(chosen.share, rel=1e-9)
    joint /= joint.sum()
    np.testing.assert_allclose(moments_of_count(joint.sum(axis=1)), chosen.moments_before, rtol=1e-8)
    np.testing.assert_allclose(moments_of_count(joint.sum(axis=0)), chosen.moments_after, rtol=1e-8)
    assert x @ joint @ x == pytest.approx(chosen.mean_product, rel=1e-8)
    assert x**2 @ joint @ x**2 == pytest.approx(chosen.mean_squared_product, rel=1e-8)


def chosen_tallies(size: float, ratio: float) -> Tallies:
    service = f"effect={{fewer: {{event: spell, hazard_ratio: {ratio}}}}}"
    return tallies_of(200, *AT_LEAST_FOUR, f"population.frailties.person.variance={1 / size!r}", service)


@pytest.mark.statistical
@in_every_arm
@pytest.mark.parametrize(("size", "ratio"), [(1, 1.0), (2, 1.0), (1, 0.8)])
def test_selection__people_with_four_spells_have_fewer_the_year_after(size: int, ratio: float, arm: int) -> None:
    """Source: closed form: of events with gamma(k) means of 1.5, those of people with 4 or more fall by 29.09 % (k = 1) or 39.93 %
    (k = 2) with no service at all; with a service that prevents a fifth, its arm falls to 0.8 of that, and no other arm."""
    share, mean_before, mean_after, fall = REGRESSION[size]
    chosen = Chosen(1.5, size, 4, ratio if arm == SERVICE else 1.0)
    assert chosen.share == pytest.approx(share, abs=5e-7)
    assert chosen.moments_before[1] == pytest.approx(mean_before, abs=5e-7)
    before, after = Distribution.of(chosen.moments_before), Distribution.of(chosen.moments_after)
    if chosen.ratio == 1.0:
        assert after.mean == pytest.approx(mean_after, abs=5e-7)
        assert 100 * (1 - after.mean / before.mean) == pytest.approx(fall, abs=0.005)

    tallies = chosen_tallies(size, ratio)
    n, sum_before, squares_before = totals(tallies, "spells", arm, before=True)
    _, sum_after, squares_after = totals(tallies, "spells", arm)
    require_agreement_of_totals(n, sum_before, squares_before, before, "before")
    require_agreement_of_totals(n, sum_after, squares_after, after, "after")
    product = tallies.products_with_before[:, 0, arm, tallies.outcomes.index("spells"), -1].sum() / n
    assert abs(product - chosen.mean_product) < Z_LIMIT * sqrt((chosen.mean_squared_product - chosen.mean_product**2) / n)

    share_left = after.mean / before.mean
    covariance = chosen.mean_product - before.mean * after.mean
    error = sqrt((after.variance - 2 * share_left * covariance + share_left**2 * before.variance) / n) / before.mean
    assert abs(sum_after / sum_before - share_left) < Z_LIMIT * error


@pytest.mark.statistical
def test_selection__a_selection_that_is_not_made_is_noticed() -> None:
    """Source: a planted error: everybody is taken, and the year before is that of all."""
    everybody = Distribution.of(moments_of_count(negative_binomial(1.5, 1)))
    with pytest.raises(DisagreementError):
        require_agreement_of_totals(*totals(chosen_tallies(1, 1.0), "spells", TWIN, before=True), everybody, "before")
    unchosen = tallies_of(200)
    require_agreement_of_totals(*totals(unchosen, "spells", TWIN, before=True), everybody, "before")


MEASURED = (
    *metric_on("fall", 12),
    "population.history_months=1",
    "population.selection={outcome: fall, at_least: 10}",
    "measurement.baseline.size=100",
    f"outcomes={{fall: {{kind: score, at_month: 12, mean: 6, sd: 5, correlation: {9 / 25}, reported: gain}}}}",
)


@pytest.mark.statistical
@in_every_arm
def test_selection__people_above_an_edge_fall_by_chance(arm: int) -> None:
    """Source: closed form: mean 6, sd 3 between people and 4 within them, measured at 10 or more: the next measurement is lower by
    sw^2 / sqrt(sb^2 + sw^2) phi(z) / (1 - Phi(z)) = 4.37568726 on average."""
    distribution = ChosenNormal(mean=6, between=3, within=4, edge=10)
    assert distribution.fall == pytest.approx(4.37568726, abs=5e-9)
    tallies = tallies_of(200, *MEASURED)
    n, sum_before, squares_before = totals(tallies, "fall", arm, before=True)
    _, gain, gain_squares = totals(tallies, "fall", arm)
    for mean, variance, total, squares in (
        (distribution.mean_before, distribution.variance_before, sum_before, squares_before),
        (-distribution.fall, distribution.variance_of_fall, gain, gain_squares),
    ):
        assert abs(total / n - mean) < Z_LIMIT * sqrt(variance / n)
        # A truncated normal number has a smaller kurtosis than an exponential one, 9.
        assert abs(squares / n - (total / n) ** 2 - variance) < Z_LIMIT * variance * sqrt(8 / n)


# ------------------------------------------------ referrals ------------------------------------------------

REFERRED = (
    *metric_on("spells", 1),
    "population.history_months=0",
    "population.frailties={}",
    "population.waves.all.size={distribution: referrals, referrers: 10, per_month_each: 1.2, shape: 2, months: 24}",
)


@pytest.mark.statistical
def test_referrals__bring_as_many_people_as_poisson_with_gamma_rates() -> None:
    """Source: Anisimov and Fedorov 2007: 10 referrers with gamma(2) rates of mean 1.2 a month over 24 months: mean 288, sd 66.597,
    P(N <= 230) = 0.19758. And that many people live."""
    chances = negative_binomial(288, 20, 2000)
    distribution = Distribution.of(moments_of_count(chances))
    assert (distribution.mean, distribution.sd) == pytest.approx((288, 66.597), abs=5e-4)
    few = float(chances[:231].sum())
    assert few == pytest.approx(0.19758, abs=5e-6)
    tallies = tallies_of(4000, *REFERRED)
    for arm in (SERVICE, TWIN):
        people = tallies.n_people[:, 0, arm]
        require_agreement(people, distribution, "people")
        assert stats.binomtest(int((people <= 230).sum()), len(people), few).pvalue > 7e-6
        np.testing.assert_array_equal(tallies.person_months[:, 0, arm, 0, -1], people)
    spells = tallies.sums[:, 0, TWIN, tallies.outcomes.index("spells"), -1]
    # Var(sum of N Poisson counts with mean m) = m E N + m^2 Var N; nearly normal, so that the kurtosis is that of N.
    m = 1.5 / 12
    assert abs(spells.mean() - 288 * m) < Z_LIMIT * sqrt((288 * m + m**2 * distribution.variance) / 4000)


# ------------------------------------------------ sites ------------------------------------------------


def log_odds_sd(share: float, intraclass: float) -> tuple[float, np.ndarray, np.ndarray]:
    """Find the sd between sites of the log odds, around `share`, at which p has the variance `intraclass` p (1 - p).

    Gives it with the probabilities of the sites at the nodes of a quadrature, and the weights of the nodes.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()

    def at(sd: float) -> np.ndarray:
        return np.asarray(1 / (1 + (1 - share) / share * np.exp(-sd * nodes)))

    def excess(sd: float) -> float:
        p = at(sd)
        mean = weights @ p
        return float(weights @ (p - mean) ** 2 - intraclass * mean * (1 - mean))

    sd = float(optimize.brentq(excess, 0.01, 3))
    return sd, at(sd), weights


@pytest.mark.statistical
@pytest.mark.parametrize(("n_sites", "n_people", "design_effect"), [(1, 20, 1.95), (20, 400, 1.9975)])
def test_sites__multiply_the_variance_by_the_design_effect(n_sites: int, n_people: int, design_effect: float) -> None:
    """Source: closed form: 1 + (m - 1) rho = 1.95 with one site of m = 20 people and rho = 0.05; with sizes m that vary,
    1 + ((cv^2 + 1) mean(m) - 1) rho (Eldridge, Ashby and Kerry 2006, doi:10.1093/ije/dyl129): where people fall on sites at random,
    1 + (n - 1) rho / sites."""
    sd, by_site, weights = log_odds_sd(0.4, 0.05)
    mean = float(weights @ by_site)
    average, squared_cv = n_people / n_sites, (1 - 1 / n_sites) / (n_people / n_sites)
    assert 1 + ((squared_cv + 1) * average - 1) * 0.05 == pytest.approx(design_effect, abs=1e-12)
    tallies = tallies_of(
        2000,
        *metric_on("recovered", 1),
        "population.history_months=0",
        "population.frailties={}",
        f"population.waves.all.size={n_people}",
        f"population.sites={{place: {{count: {n_sites}, sd: {sd!r}, on: recovered}}}}",
        "outcomes={recovered: {kind: binary, at_month: 1, probability: {free: 0.4}}}",
        "events={}",
    )
    total = tallies.sums[:, 0, TWIN, 0, -1]
    variance = n_people * mean * (1 - mean) * design_effect
    if n_sites == 1:
        x = np.arange(n_people + 1)
        distribution = Distribution.of(moments_of_count(weights @ stats.binom.pmf(x[None, :], n_people, by_site[:, None])))
        assert distribution.variance == pytest.approx(variance, rel=1e-9)
    else:
        # Twenty sites: nearly normal; the kurtosis of the sum over sites exceeds 3 by a twentieth of that of one.
        distribution = Distribution(n_people * mean, variance, 3.1 * variance**2)
    require_agreement(total, distribution, "recovered")
    with pytest.raises(DisagreementError, match="variance by"):
        require_agreement(total, Distribution.of(sum_of(n_people, [1.0, *[mean] * 4])), "people who share nothing")


# ------------------------------------------------ spells ------------------------------------------------

SPELLS = (
    *metric_on("days", 24),
    "population.history_months=0",
    "population.frailties={}",
    "events={spell: {rates: {free: {rate_per_day: 0.01}}, length: {kind: gamma, mean_days: 25, sd_days: 25}}}",
    "outcomes={days: {kind: days, events: spell}, late_days: {kind: days, events: spell, from_day: 15}, "
    "cost: {kind: amount, per_spell_day: {spell: 3}}}",
    "effect={shorter: {event: spell, length_ratio: 0.6}}",
    "contract.metrics.spells.unit=days",
)


@pytest.mark.statistical
@pytest.mark.parametrize(("arm", "length"), [(TWIN, 25.0), (SERVICE, 15.0)])
def test_spells__of_exponential_length_have_their_exact_days(arm: int, length: float) -> None:
    """Source: closed form: a chain of two states in continuous time (a gamma length with sd equal to the mean is exponential); no
    spell begins during another. Without its first 14 days a spell counts from day 15."""
    tallies = tallies_of(500, *SPELLS)
    days = 24 * 365.25 / 12
    exact = SpellsOfExponentialLength(0.01, 1 / length, days)
    n, total, squares = totals(tallies, "days", arm)
    assert abs(total / n - exact.mean) < Z_LIMIT * sqrt(exact.variance / n)
    # Sums of several spells within a bounded time: the kurtosis is below 4.
    assert abs((squares - total**2 / n) / (n - 1) / exact.variance - 1) < Z_LIMIT * sqrt(3 / n)
    assert totals(tallies, "cost", arm)[1] == pytest.approx(3 * total, rel=1e-9)
    _, late, late_squares = totals(tallies, "late_days", arm)
    late_mean = SpellsOfExponentialLength(0.01, 1 / length, days, first_day=14).mean
    assert abs(late / n - late_mean) < Z_LIMIT * sqrt((late_squares / n - late_mean**2) / n)


# ------------------------------------------------ stays, years, taking part ------------------------------------------------


@pytest.mark.statistical
@pytest.mark.parametrize(("shape", "pace"), [(0.5, "rate_per_month: 0.2"), (2.0, "mean_months: 9"), (1.0, "mean_months: 9")])
def test_weibull__stays_have_their_survival_function(shape: float, pace: str) -> None:
    """Source: closed form: S(d) = exp(-h d^g) after d months with hazard h in the first; h = (gamma(1 + 1 / g) / m)^g at mean m."""
    first = 0.2 if pace.startswith("rate") else (gamma(1 + 1 / shape) / 9) ** shape
    tallies = tallies_of(
        100,
        *metric_on("away_at_18", 18),
        "population.history_months=0",
        "population.frailties={}",
        "population.waves.all.size=1000",
        "pathway={states: [free, away], start: {everybody: {free: 1}}, "
        f"moves: {{free -> away: {{{pace}, weibull_shape: {shape}}}}}}}",
        "events={}",
        "outcomes={away_at_3: {kind: binary, at_month: 3, probability: {free: 0, away: 1}}, "
        "away_at_18: {kind: binary, at_month: 18, probability: {free: 0, away: 1}}}",
    )
    for months in (3, 18):
        require_share(tallies, f"away_at_{months}", 1 - exp(-first * months**shape))


@pytest.mark.statistical
def test_shock__everybody_shares_the_luck_of_a_year() -> None:
    """Source: as one site for all: with rho = 0.05 between years, 20 people have 1 + 19 rho = 1.95 times the variance of people who
    share nothing; service and twin share the year, the earlier comparison group has years of its own."""
    sd, by_year, weights = log_odds_sd(0.4, 0.05)
    tallies = tallies_of(
        4000,
        *metric_on("recovered", 1),
        "population.history_months=0",
        "population.frailties={}",
        "population.waves.all.size=20",
        "measurement.baseline.size=20",
        f"shocks={{year: {{on: recovered, sd_per_year: {sd!r}}}}}",
        "outcomes={recovered: {kind: binary, at_month: 1, probability: {free: 0.4}}}",
        "events={}",
    )
    x = np.arange(21)
    distribution = Distribution.of(moments_of_count(weights @ stats.binom.pmf(x[None, :], 20, by_year[:, None])))
    groups = [tallies.sums[:, 0, arm, 0, -1] for arm in range(3)]
    for group in groups:
        require_agreement(group, distribution, "recovered")
    np.testing.assert_array_equal(groups[SERVICE], groups[TWIN])
    correlation = np.corrcoef(groups[TWIN], groups[BASELINE])[0, 1]
    assert abs(correlation) < Z_LIMIT / sqrt(4000)


@pytest.mark.statistical
def test_engagement__the_effect_on_those_who_take_part_is_diluted_among_those_referred() -> None:
    """Source: the recursion over taking part: 74 % take part, 40 % of them with half the logarithm of a ratio of 0.3; they leave
    with probability 0.1 a month, and with that the effect ends."""
    hazard, leaves, months = 0.1, 0.1, 12
    stays = [exp(-hazard * ratio) for ratio in (1.0, 0.3, 0.3**0.5)]
    moves = np.zeros((4, 4))
    moves[3, 3] = 1.0
    for course, stay in enumerate(stays):
        moves[course, 3] = 1 - stay
        moves[course, course] += stay * (1 - leaves if course else 1.0)
        moves[course, 0] += stay * leaves if course else 0.0
    start = [0.26, 0.74 * 0.6, 0.74 * 0.4, 0.0]
    tallies = tallies_of(
        200,
        *metric_on("months", months),
        "population.history_months=0",
        "population.frailties={}",
        "population.waves.all.size=500",
        "population.engagement={share: 0.74, doses: {full: {share: 0.6, strength: 1}, half: {share: 0.4, strength: 0.5}}, "
        "dropout: {per_month: 0.1}}",
        "pathway={states: [free, away], start: {everybody: {free: 1}}, moves: {free -> away: {rate_per_month: 0.1}}}",
        "effect={later: {move: free -> away, hazard_ratio: 0.3, only_while_engaged: true}}",
        "events={}",
        f"outcomes={{months: {{kind: amount, per_day: {{free: {12 / 365.25}}}}}}}",
    )
    for arm, first in ((SERVICE, start), (TWIN, [1.0, 0.0, 0.0, 0.0])):
        distribution = distribution_of_rewards(first, np.array([moves] * (months - 1)), np.tile([1.0, 1.0, 1.0, 0.0], (months, 1)))
        require_agreement_of_totals(*totals(tallies, "months", arm), distribution, "months")
    for_ever = moves.copy()
    for course, stay in enumerate(stays):
        for_ever[course] = 0.0
        for_ever[course, course], for_ever[course, 3] = stay, 1 - stay
    distribution = distribution_of_rewards(start, np.array([for_ever] * (months - 1)), np.tile([1.0, 1.0, 1.0, 0.0], (months, 1)))
    with pytest.raises(DisagreementError):
        require_agreement_of_totals(*totals(tallies, "months", SERVICE), distribution, "nobody leaves")


# ------------------------------------------------ forms of an effect ------------------------------------------------

FORMS = {
    "relative_risk: 0.8": 0.32,
    "odds_ratio: 0.8": 0.347826,
    "hazard_ratio: 0.8": 0.335460,
    "difference: -0.1": 0.3,
}


@pytest.mark.statistical
@pytest.mark.parametrize("form", FORMS)
def test_effect__of_every_form_changes_a_probability_of_two_fifths(form: str) -> None:
    """Source: closed form at p = 0.4: 0.8 p = 0.32; odds 0.8 / 1.5 give 0.347826; 1 - 0.6^0.8 = 0.335460; p - 0.1. On a binary
    outcome, on a move within a month, and on a move within a quarter, read at its end."""
    tallies = tallies_of(
        100,
        *metric_on("answer", 3),
        "population.history_months=0",
        "population.frailties={}",
        "population.waves.all.size=1000",
        "pathway={states: [free, away, far], start: {everybody: {free: 0.5, away: rest}}, "
        "moves: {free -> far: {per_month: 0.4}, away -> far: {per_quarter: 0.4}}}",
        f"effect={{on_moves: {{move: [free -> far, away -> far], {form}}}, on_answer: {{outcome: answer, {form}}}}}",
        "events={}",
        "outcomes={answer: {kind: binary, at_month: 3, probability: {free: 0.4, away: 0.4, far: 0.4}}, "
        "first: {kind: binary, at_month: 1, probability: {free: 1, away: 0, far: 0}}, "
        "third: {kind: binary, at_month: 3, probability: {free: 0, away: 1, far: 0}}}",
    )
    changed = FORMS[form]
    for arm, p in ((TWIN, 0.4), (SERVICE, changed)):
        for outcome, share in (("answer", p), ("first", 0.5 * (1 - p)), ("third", 0.5 * (1 - p))):
            require_share(tallies, outcome, share, arm)
    assert tallies.clipped.sum() == 0


# ------------------------------------------------ the same study in other words ------------------------------------------------

WORDS = (
    *metric_on("spells", 24),
    "measurement.baseline.size=50",
    "population.selection={outcome: spells, at_least: 1}",
    "population.frailties={person: {variance: 0.5, on: [spell, home -> placed]}}",
    "effect={fewer: {event: spell, hazard_ratio: 0.5, ramp_months: 3}, sooner: {move: placed -> home, hazard_ratio: 2}}",
    "outcomes={cost: {kind: amount, per_day: {placed: 100}, per_event: {spell: 7}, discount_rate_per_year: 0.03}, "
    "days: {kind: days, events: spell}, spells: {kind: count, events: spell}}",
)
LENGTH = "{kind: gamma, mean_days: 20, sd_days: 30}"


def said(placed: str, gone: str, home: str, spell: str) -> Tallies:
    moves = f"{{home -> placed: {placed}, home -> gone: {gone}, placed -> home: {home}}}"
    return tallies_of(
        50,
        f"pathway={{states: [home, placed, gone], start: {{everybody: {{home: 0.5, placed: rest}}}}, moves: {moves}}}",
        f"events={{spell: {{rates: {{home: {{{spell}}}, placed: {{{spell}}}}}, length: {LENGTH}}}}}",
        *WORDS,
    )


@pytest.mark.parametrize(
    "words",
    [
        # Of two probabilities of 1/4 a month, half remain: an eighth after a quarter, 2^-12 after a year.
        ("{per_quarter: 0.4375}", "{per_quarter: 0.4375}", "{rate_per_quarter: 0.375}", "rate_per_quarter: 1.125"),
        (f"{{per_year: {(1 - 2**-12) / 2}}}", f"{{per_year: {(1 - 2**-12) / 2}}}", "{rate_per_year: 1.5}", "rate_per_year: 4.5"),
        ("{per_month: 0.25}", "{per_month: 0.25}", "{mean_months: 8}", "rate_per_month: 0.375"),
        ("{per_month: 0.25}", "{per_month: 0.25}", "{mean_days: 243.5}", "rate_per_year: 4.5"),
        ("{per_month: 0.25}", "{per_month: 0.25}", f"{{mean_years: {2 / 3!r}}}", f"rate_per_day: {0.375 / 30.4375!r}"),
    ],
    ids=["quarters", "years", "mean months", "mean days", "mean years, day rates"],
)
def test_units__the_same_study_in_other_words_has_the_same_people(words: tuple[str, str, str, str]) -> None:
    """Source: arithmetic: every pace and rate is the same number of times a month, so every tally is the same, bit for bit."""
    got = said(*words)
    expected = said("{per_month: 0.25}", "{per_month: 0.25}", "{rate_per_month: 0.125}", "rate_per_month: 0.375")
    for field in (
        "n_people",
        "sums",
        "squares",
        "sums_before",
        "squares_before",
        "products_with_before",
        "person_months",
        "by_year",
    ):
        np.testing.assert_array_equal(getattr(got, field), getattr(expected, field), err_msg=field)
    assert expected.sums[:, 0, TWIN, expected.outcomes.index("days")].sum() > 0


@pytest.mark.statistical
def test_units__a_rate_a_day_is_met_every_day_of_a_month() -> None:
    """Source: closed form: a rate of 0.01 a day is 0.304375 events a month of 30.4375 days; a rate 2 % off must be refused."""
    tallies = tallies_of(
        400,
        *metric_on("spells", 12),
        "population.frailties={}",
        "population.history_months=0",
        "events.spell.rates.free={rate_per_day: 0.01}",
    )
    n, total, squares = totals(tallies, "spells", TWIN)
    distribution = Distribution.of(moments_of_count(stats.poisson.pmf(np.arange(80), 0.01 * 365.25)))
    require_agreement_of_totals(n, total, squares, distribution, "spells")
    with pytest.raises(DisagreementError):
        require_agreement_of_totals(
            n, total, squares, Distribution.of(moments_of_count(stats.poisson.pmf(np.arange(80), 0.01 * 360))), "spells"
        )
    assert totals(tallies, "spells", BASELINE)[0] == 800
