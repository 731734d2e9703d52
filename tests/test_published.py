"""The engine against published tables: means, and the exact spread of single people.

Three figures stand side by side: what was published, what the recursion of tests/reference/exact_rewards.py gives, and what
the engine simulates. The first two agree to the digits that were printed. The third is held to the second at 4.5 exact standard
errors, in mean and in variance, at a fixed seed; and recursions with a planted error must be refused.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from simengine.config import load_study
from simengine.pipeline import simulate
from simengine.records import SERVICE, TWIN, Tallies
from tests.conftest import CHECKOUT
from tests.reference.exact_rewards import (
    Floats,
    conditional_on_survival,
    discounted,
    distribution_of_rewards,
    moments_of_rewards,
    moments_with_uniform_part,
    seen_and_seen_again,
    shares_by_date,
    weights_of_dates,
    with_time_sick,
    worth_with_time_sick,
)
from tests.reference.recursion import (
    DisagreementError,
    Distribution,
    require_agreement,
    require_agreement_of_totals,
    sum_of,
)

SEED = 2018


@cache
def tallies_of(case: str, n_replications: int, *overrides: str) -> Tallies:
    study = load_study(CHECKOUT / "tests" / "cases" / f"{case}.yaml", overrides)
    return simulate(study, SEED, np.arange(n_replications)).tallies


def totals(tallies: Tallies, outcome: str, arm: int = TWIN) -> tuple[int, float, float]:
    """Return the number of people of all replications, their sum and their sum of squares, in the longest window."""
    place = tallies.outcomes.index(outcome)
    sums, squares = (field[:, 0, arm, place, -1].sum() for field in (tallies.sums, tallies.squares))
    return int(tallies.n_people[:, 0, arm].sum()), float(sums), float(squares)


def require_person(tallies: Tallies, outcome: str, distribution: Distribution, arm: int = TWIN) -> None:
    """Compare mean and variance between all people with the distribution of one person."""
    require_agreement_of_totals(*totals(tallies, outcome, arm), distribution, outcome)


def require_share(tallies: Tallies, outcome: str, share: float, arm: int = TWIN) -> None:
    require_person(tallies, outcome, Distribution.of([1.0, share, share, share, share]), arm)


def require_refusal(tallies: Tallies, outcome: str, distribution: Distribution, arm: int = TWIN) -> None:
    with pytest.raises(DisagreementError):
        require_person(tallies, outcome, distribution, arm)


# ------------------------------------------------ Krijkamp 2018: the basic model ------------------------------------------------

HEALTHY = [1.0, 0.0, 0.0, 0.0]
BASIC = np.array([
    [0.845, 0.15, 0.0, 0.005],
    [0.5, 1 - 0.5 - 0.105 - 0.014925125, 0.105, 0.014925125],
    [0.0, 0.0, 1 - 0.0488898695, 0.0488898695],
    [0.0, 0.0, 0.0, 1.0],
])  # fmt: skip
# By outcome: what a cycle is worth; the published mean (cohort, appendix C) with half of its last digit; the published standard
# error with 100,000 people (microsimulation, appendix A) with three of its own; the exact mean and the exact sd of a person.
SICK_SICKER = {
    "cost": ([2000, 4000, 15000, 0], (75_976, 0.5), (183, 1.8), 75_976.1491, 57_903.07),
    "cost_treated": ([2000, 16000, 27000, 0], (141_623, 0.5), (343, 3), 141_623.0282, 108_371.27),
    "qaly": ([1, 0.75, 0.5, 0], (15.839, 6e-4), (0.016, 5e-4), 15.8388478, 4.948906),
    "qaly_treated": ([1, 0.95, 0.5, 0], (16.400, 6e-4), (0.016, 5e-4), 16.4004056, 5.097816),
    "extra_cost": ([0, 12000, 12000, 0], (65_647, 0.5), (164, 1.8), 65_646.8790, 51_857.09),
    "extra_qaly": ([0, 0.2, 0, 0], (0.562, 6e-4), (0.001, 5e-4), 0.5615578, 0.356280),
}


def basic(first: int = 0, discount_from: int = 0, moves: Floats = BASIC, value: list[float] | None = None) -> Distribution:
    """Return the distribution of a person's discounted cycles 0 to 30; the other arguments plant errors."""
    weights = np.where(np.arange(31) >= first, 1.0, 0.0) * 1.03**discount_from
    return distribution_of_rewards(HEALTHY, np.array([moves] * 30), discounted(weights, 0.03, value or [2000, 4000, 15000, 0]))


@pytest.mark.statistical
@pytest.mark.parametrize("outcome", SICK_SICKER)
def test_sick_sicker__has_the_published_means_and_the_exact_spread(outcome: str) -> None:
    """Source: Krijkamp et al. 2018, doi:10.1177/0272989X18754513, appendices A and C; the differences on the same people."""
    value, (mean, digit), (error, errors_digit), exact_mean, exact_sd = SICK_SICKER[outcome]
    distribution = basic(value=value)
    assert distribution.mean == pytest.approx(mean, abs=digit)
    assert distribution.sd / 1e5**0.5 == pytest.approx(error, abs=errors_digit)
    assert (distribution.mean, distribution.sd) == pytest.approx((exact_mean, exact_sd), rel=1e-6)
    require_person(tallies_of("sick_sicker", 100), outcome, distribution)


@pytest.mark.statistical
def test_sick_sicker__years_in_the_worst_state() -> None:
    """Source: the recursion: mean 4.53648556 and variance 53.02624862 of undiscounted cycles in S2, t = 0 to 30."""
    distribution = distribution_of_rewards(HEALTHY, np.array([BASIC] * 30), discounted(np.ones(31), 0.0, [0, 0, 1, 0]))
    assert (distribution.mean, distribution.variance) == pytest.approx((4.53648556, 53.02624862), abs=1e-7)
    require_person(tallies_of("sick_sicker", 100), "years_sicker", distribution)


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("outcome", "share"), [("sick_at_1", 0.15), ("sicker_at_2", 0.01575), ("healthy_at_10", 0.618410), ("dead_at_30", 0.356391)]
)
def test_sick_sicker__has_the_exact_trace(outcome: str, share: float) -> None:
    """Source: the powers of the published matrix: shares of the states after 1, 2, 10 and 30 cycles."""
    require_share(tallies_of("sick_sicker", 100), outcome, share)


def test_sick_sicker__treatment_adds_the_same_to_every_person() -> None:
    """Source: addition: the treated amount less the untreated is the amount of the difference, person by person."""
    tallies = tallies_of("sick_sicker", 100)
    for name in ("cost", "qaly"):
        difference = totals(tallies, f"{name}_treated")[1] - totals(tallies, name)[1]
        assert difference == pytest.approx(totals(tallies, f"extra_{name}")[1], rel=1e-9)


ONE_A_MONTH = 12 / 365.25
ABSORPTION = (
    "study.horizon_months=1200",
    "measurement.metrics={cost: {outcome: alive, window_months: 1200, estimate: total_difference, better: lower}}",
    f"outcomes={{alive: {{kind: amount, per_day: {{healthy: {ONE_A_MONTH}, sick: {ONE_A_MONTH}, sicker: {ONE_A_MONTH}}}}}, "
    + ", ".join(f"{state}: {{kind: amount, per_day: {{{state}: {ONE_A_MONTH}}}}}" for state in ("healthy", "sick", "sicker"))
    + "}",
)


@pytest.mark.statistical
def test_sick_sicker__lives_and_visits_to_the_end_have_their_exact_distribution() -> None:
    """Source: the fundamental matrix N = (I - Q)^-1 (Kemeny and Snell 1960): visits (29.39650663, 7.11291705, 15.27629952) with
    variance N (2 diag N - I) - N o N; length of life 51.78572321 with sd 40.03038305. Of 1,200 cycles 1e-11 are missing."""
    moves = np.array([BASIC] * 1199)
    visits = np.linalg.inv(np.eye(3) - BASIC[:3, :3])
    variances = visits @ (2 * np.diag(np.diag(visits)) - np.eye(3)) - visits**2
    tallies = tallies_of("sick_sicker", 30, *ABSORPTION)
    expected = [29.39650663, 7.11291705, 15.27629952]
    for s, (state, mean) in enumerate(zip(("healthy", "sick", "sicker"), expected, strict=True)):
        distribution = distribution_of_rewards(HEALTHY, moves, np.tile(np.eye(4)[s], (1200, 1)))
        assert (distribution.mean, distribution.variance) == pytest.approx((visits[0, s], variances[0, s]), rel=1e-8)
        assert distribution.mean == pytest.approx(mean, abs=1e-7)
        require_person(tallies, state, distribution)
    life = distribution_of_rewards(HEALTHY, moves, np.tile([1.0, 1.0, 1.0, 0.0], (1200, 1)))
    assert (life.mean, life.sd) == pytest.approx((51.78572321, 40.03038305), abs=1e-7)
    require_person(tallies, "alive", life)


@pytest.mark.statistical
@pytest.mark.parametrize(
    "planted",
    [
        {"first": 1},  # a cycle is not counted
        {"discount_from": 1},  # discounted from a cycle later
        {"moves": np.array([BASIC[0], [0.5, 0.5 - 0.105 - 3 * 0.005, 0.105, 3 * 0.005], [0, 0, 0.95, 0.05], BASIC[3]])},
    ],
    ids=["cycle", "discount", "hazard ratio on a probability"],
)
def test_sick_sicker__refuses_planted_errors(planted: dict) -> None:
    """Source: planted errors in the recursion; the third is three and ten times the probability of death."""
    require_refusal(tallies_of("sick_sicker", 1200), "cost", basic(**planted))
    require_person(tallies_of("sick_sicker", 300), "cost", basic())


# ------------------------------------------------ Alarid-Escudero 2023 ------------------------------------------------

# By strategy: published cost and QALY, and those of the recursion; value of a cycle; whether treatment B is given.
STRATEGIES = {
    "soc": ((151_580, 20.711), (151_579.86596, 20.71133146), [2000, 4000, 15000, 0], [1, 0.75, 0.5, 0], False),
    "a": ((284_805, 21.499), (284_804.51337, 21.49866281), [2000, 16000, 27000, 0], [1, 0.95, 0.5, 0], False),
    "b": ((259_100, 22.184), (259_100.41062, 22.18446514), [2000, 17000, 28000, 0], [1, 0.75, 0.5, 0], True),
    "ab": ((378_875, 23.137), (378_875.19839, 23.13684414), [2000, 29000, 40000, 0], [1, 0.95, 0.5, 0], True),
}
CYCLES = 75


def strategy(value: list[float], is_treated: bool, weights: Floats | None = None, moves: Floats | None = None) -> Distribution:
    weights = weights_of_dates("simpson", CYCLES) if weights is None else weights
    moves = conditional_on_survival(0.6 if is_treated else 1.0) if moves is None else moves
    return distribution_of_rewards(HEALTHY, np.array([moves] * CYCLES), discounted(weights, 0.03, value))


@pytest.mark.statistical
@pytest.mark.parametrize("name", STRATEGIES)
def test_simpson__has_the_published_means_and_the_exact_spread(name: str) -> None:
    """Source: Alarid-Escudero et al. 2023, doi:10.1177/0272989X221103163: costs and QALYs of four strategies over 75 cycles."""
    published, exact, cost, qaly, is_treated = STRATEGIES[name]
    distributions = strategy(cost, is_treated), strategy(qaly, is_treated)
    assert (round(distributions[0].mean), round(distributions[1].mean, 3)) == published
    assert (distributions[0].mean, distributions[1].mean) == pytest.approx(exact, rel=1e-9)
    tallies = tallies_of("sick_sicker_simpson", 100)
    for outcome, distribution in zip((f"cost_{name}", f"qaly_{name}"), distributions, strict=True):
        require_person(tallies, outcome, distribution, SERVICE if is_treated else TWIN)


def test_simpson__gives_the_published_ratios_of_cost_to_effect() -> None:
    """Source: Alarid-Escudero et al. 2023: B against standard of care 72,988 and AB against B 125,764 per QALY; A is dominated."""
    cost, qaly = ({name: strategy(row[2 + i], row[4]).mean for name, row in STRATEGIES.items()} for i in (0, 1))
    assert round((cost["b"] - cost["soc"]) / (qaly["b"] - qaly["soc"])) == 72_988
    assert round((cost["ab"] - cost["b"]) / (qaly["ab"] - qaly["b"])) == 125_764
    assert cost["a"] > cost["b"]
    assert qaly["a"] < qaly["b"]


@pytest.mark.statistical
@pytest.mark.parametrize("arm", [SERVICE, TWIN])
def test_simpson__has_the_published_trace(arm: int) -> None:
    """Source: Alarid-Escudero et al. 2023: after cycle 1 (0.859, 0.139, 0, 0.002), after cycle 5 (0.707, 0.206, 0.072, 0.015)."""
    trace = shares_by_date(HEALTHY, np.array([conditional_on_survival(0.6 if arm == SERVICE else 1.0)] * CYCLES))
    if arm == TWIN:
        assert np.round(trace[1], 3).tolist() == [0.859, 0.139, 0.0, 0.002]
        assert np.round(trace[5], 3).tolist() == [0.707, 0.206, 0.072, 0.015]
    tallies = tallies_of("sick_sicker_simpson", 100)
    assert totals(tallies, "sicker_at_1", arm)[1] == 0
    for s, state in enumerate(tallies.states):
        for month in (1, 5, CYCLES):
            if trace[month, s] > 0:
                require_share(tallies, f"{state}_at_{month}", trace[month, s], arm)


SICKER_AT_FIVE = (
    "outcomes={sicker_at_5: {kind: binary, at_month: 5, probability: {healthy: 0, sick: 0, sicker: 1, dead: 0}}}",
    "measurement.metrics={cost_soc: {outcome: sicker_at_5, window_months: 5, estimate: rate_difference, better: lower}}",
    "contract.metrics.cost_soc.unit=share",
    "study.horizon_months=5",
    "capital.payment_month.nothing=5",
)


@pytest.mark.statistical
def test_simpson__refuses_planted_errors() -> None:
    """Source: planted errors: weights of 4/3 and 2/3 that change places; half cycles; a hazard ratio applied to a probability."""
    tallies, qaly = tallies_of("sick_sicker_simpson", 100), STRATEGIES["soc"][3]
    swapped = np.where(np.arange(CYCLES + 1) % 2 == 1, 4 / 3, 2 / 3)
    swapped[[0, -1]] = 1 / 3
    require_refusal(tallies, "qaly_soc", strategy(qaly, False, weights=swapped))
    require_refusal(tallies, "qaly_soc", strategy(qaly, False, weights=weights_of_dates("half_cycle", CYCLES)))
    times = conditional_on_survival()
    times[1, 1] += 0.4 * times[1, 2]
    times[1, 2] *= 0.6
    right, wrong = (shares_by_date(HEALTHY, np.array([moves] * 5))[5, 2] for moves in (conditional_on_survival(0.6), times))
    more = tallies_of("sick_sicker_simpson", 2000, *SICKER_AT_FIVE)
    require_share(more, "sicker_at_5", right, SERVICE)
    with pytest.raises(DisagreementError):
        require_share(more, "sicker_at_5", wrong, SERVICE)


# ------------------------------------------------ Chancellor 1997 ------------------------------------------------

COUNTS = [[1251, 350, 116, 17], [0, 731, 512, 15], [0, 0, 1312, 437], [0, 0, 0, 1]]
MONO = np.array([[count / sum(row) for count in row] for row in COUNTS])
DRUGS = [2756 + 2278, 3052 + 2278, 9007 + 2278, 0]


def combined(cycles: int) -> Floats:
    """Return the moves of 20 cycles, in the first of which every worsening is 0.509 times as likely."""
    both = 0.509 * np.triu(MONO, 1)
    both[np.diag_indices(4)] = 1 - both.sum(axis=1)
    return np.array([both] * cycles + [MONO] * (20 - cycles))


def therapy(moves: Floats, is_cost: bool, extra_cycles: int = 0, counted: str = "end", discount_from: int = 0) -> Distribution:
    weights = weights_of_dates(counted, 20)
    if not is_cost:
        return distribution_of_rewards(HEALTHY, moves, discounted(weights, 0.0, [1, 1, 1, 0]))
    worth = discounted(weights * 1.06**discount_from, 0.06, DRUGS)
    cycle = np.arange(21)
    extra = np.where((cycle >= 1) & (cycle <= extra_cycles), weights, 0.0)
    return distribution_of_rewards(HEALTHY, moves, worth + discounted(extra, 0.06, [2086.5] * 3 + [0]))


THERAPY = {
    "cost_mono": (44_663.4535637, therapy(combined(0), True), TWIN),
    "years in the twin arm": (7.9912066, therapy(combined(0), False), TWIN),
    "cost_combo": (50_601.6513312, therapy(combined(2), True, 2), SERVICE),
    "years in the service arm": (8.9373889, therapy(combined(2), False), SERVICE),
}


@pytest.mark.statistical
@pytest.mark.parametrize("name", THERAPY)
def test_combination_therapy__has_the_published_means_and_the_exact_spread(name: str) -> None:
    """Source: Chancellor et al. 1997 as in Briggs, Claxton and Sculpher 2006; the digits are those of the tests of heemod."""
    published, distribution, arm = THERAPY[name]
    assert distribution.mean == pytest.approx(published, rel=1e-8)
    require_person(tallies_of("combination_therapy", 300), name.split()[0], distribution, arm)


def test_combination_therapy__has_the_published_ratio_of_cost_to_effect() -> None:
    """Source: the tests of heemod: 6,275.95560 a life year."""
    cost, years, cost_both, years_both = (distribution.mean for _, distribution, _ in THERAPY.values())
    assert (cost_both - cost) / (years_both - years) == pytest.approx(6_275.95560, rel=1e-8)


@pytest.mark.statistical
@pytest.mark.parametrize("arm", [SERVICE, TWIN])
def test_combination_therapy__acts_for_two_cycles_and_no_more(arm: int) -> None:
    """Source: the powers of the published matrices: shares of the states after 1, 2, 3 and 20 cycles."""
    trace = shares_by_date(HEALTHY, combined(2 if arm == SERVICE else 0))
    tallies = tallies_of("combination_therapy", 300)
    for s, state in enumerate(tallies.states):
        for month in (1, 2, 3, 20):
            require_share(tallies, f"{state}_at_{month}", trace[month, s], arm)


@pytest.mark.statistical
def test_combination_therapy__refuses_planted_errors() -> None:
    """Source: planted errors: one cycle of effect, three, cycles counted at their beginning, a discount that begins a cycle later,
    the second drug paid for once."""
    tallies = tallies_of("combination_therapy", 300)
    require_refusal(tallies, "years", therapy(combined(1), False), SERVICE)
    require_refusal(tallies, "years", therapy(combined(3), False), SERVICE)
    require_refusal(tallies, "years", therapy(combined(0), False, counted="beginning"))
    require_refusal(tallies, "cost_mono", therapy(combined(0), True, discount_from=1))
    require_refusal(tallies, "cost_combo", therapy(combined(2), True, 1), SERVICE)


@pytest.mark.statistical
def test_combination_therapy__a_window_closes_before_the_study_does() -> None:
    """Source: the recursion over 10 cycles; people enter over five months of a study of 30."""
    longer = (
        "study.horizon_months=30",
        "population.waves.all.enrolment_months=5",
        "measurement.metrics={cost_mono: {outcome: cost_combo, window_months: 10, estimate: total_difference, better: lower}}",
    )
    weights, cycle = weights_of_dates("end", 10), np.arange(11)
    extra = discounted(np.where((cycle >= 1) & (cycle <= 2), weights, 0.0), 0.06, [2086.5] * 3 + [0])
    distribution = distribution_of_rewards(HEALTHY, combined(2)[:10], discounted(weights, 0.06, DRUGS) + extra)
    require_person(tallies_of("combination_therapy", 100, *longer), "cost_combo", distribution, SERVICE)


def with_counts(parts: float) -> tuple[str, ...]:
    """Return the rows their Dirichlet distributions, from counts that are `parts` times as small."""
    moves = {}
    for i, origin in enumerate("abc"):
        for j, target in enumerate(("a", "b", "c", "dead")):
            if COUNTS[i][j]:
                moves[f"{origin} -> {target}"] = f"{{per_month: {{distribution: dirichlet, count: {COUNTS[i][j] / parts!r}}}}}"
    written = ", ".join(f"{name}: {pace}" for name, pace in moves.items())
    return f"pathway.moves={{{written}}}", "effect={}", "population.waves.all.size=1"


@pytest.mark.statistical
@pytest.mark.parametrize("parts", [1, 100])
def test_combination_therapy__counts_of_people_seen_give_the_distribution_of_a_person_in_an_uncertain_replication(
    parts: int,
) -> None:
    """Source: Polya's urn: with Dirichlet rows, every month of staying adds to the count of staying. The published counts, and
    counts a hundred times as small, which the fixed matrix must not explain."""
    urn = seen_and_seen_again([[count / parts for count in row] for row in COUNTS[:3]] + [[0.0, 0.0, 0.0, 1.0]], 21)
    start = np.eye(4 * 21)[0]
    tallies = tallies_of("combination_therapy", 20_000, *with_counts(parts))
    weights = weights_of_dates("end", 20)
    for outcome, rate, value in (("cost_mono", 0.06, DRUGS), ("years", 0.0, [1, 1, 1, 0])):
        distribution = distribution_of_rewards(start, np.array([urn] * 20), discounted(weights, rate, np.repeat(value, 21)))
        require_person(tallies, outcome, distribution)
    if parts > 1:
        require_refusal(tallies, "years", therapy(combined(0), False))


# ------------------------------------------------ Krijkamp 2018: time in the state ------------------------------------------------

MONTHS = 31
# By outcome: published mean, published standard error with 100,000 people, exact mean, exact sd.
WITH_TIME = {
    "cost": (62_667, 120, 62_706.6185, 38_067.78),
    "cost_treated": (117_455, 231, 117_544.5693, 73_267.28),
    "extra_cost": (54_787, 117, 54_837.95, 37_072.9031),
    "qaly": (15.279, 0.017, 15.2977376, 5.374168),
    "qaly_treated": (15.786, 0.017, 15.8055520, 5.508669),
}


def worth_of(healthy: float, sick: Callable[[int], float], sicker: float) -> Floats:
    return discounted(np.ones(MONTHS), 0.03, worth_with_time_sick(MONTHS, healthy, sick, sicker))


def moments_with_time(outcome: str, shift: int = 0, half_width: float = 0.05) -> list[float]:
    """Return the moments of one person; `shift` plants an error: the time is counted from a month later."""
    moves = np.array([with_time_sick(MONTHS)] * (MONTHS - 1))
    start = np.eye(2 * MONTHS + 2)[0]
    if outcome == "qaly_treated":
        rest, part = worth_of(1, lambda d: 0.0, 0.5), worth_of(0, lambda d: 0.95 - 0.03 * (d + shift), 0)
        return moments_with_uniform_part(start, moves, rest, part, 1 - half_width, 1 + half_width)
    value = {
        "cost": (2000, 4000, 15000),
        "cost_treated": (2000, 16000, 27000),
        "extra_cost": (0, 12000, 12000),
        "qaly": (1, 0.75, 0.5),
    }[outcome]
    return moments_of_rewards(start, moves, worth_of(value[0], lambda d: value[1], value[2]))


def totals_with_time(outcome: str) -> Floats:
    """Return the sum over the ten people of each replication; of the treated, both parts of it."""
    tallies = tallies_of("sick_sicker_time", 10_000)
    names = (outcome, "qaly_treated_sick") if outcome == "qaly_treated" else (outcome,)
    return np.asarray(sum(tallies.sums[:, 0, TWIN, tallies.outcomes.index(name), -1] for name in names))


@pytest.mark.statistical
@pytest.mark.parametrize("outcome", WITH_TIME)
def test_time_in_state__has_the_published_means_and_the_exact_spread(outcome: str) -> None:
    """Source: Krijkamp et al. 2018, appendix B: a microsimulation of 100,000 people, so that its means have errors of their own."""
    published, error, exact_mean, exact_sd = WITH_TIME[outcome]
    moments = moments_with_time(outcome)
    distribution = Distribution.of(moments)
    assert (distribution.mean, distribution.sd) == pytest.approx((exact_mean, exact_sd), rel=1e-6)
    assert abs(published - distribution.mean) < 2 * error
    assert distribution.sd / 1e5**0.5 == pytest.approx(error, rel=0.05)
    require_agreement(totals_with_time(outcome), Distribution.of(sum_of(10, moments)), outcome)


def test_time_in_state__has_the_published_gain_and_its_ratio_to_cost() -> None:
    """Source: Krijkamp et al. 2018, appendix B: d-QALY 0.508 (0.001) and ICER 107,873; the recursion gives 0.5078144, 107,988;
    appendix C, without time in the state: 116,901."""
    mean = {outcome: moments_with_time(outcome)[1] for outcome in WITH_TIME}
    gain = mean["qaly_treated"] - mean["qaly"]
    assert gain == pytest.approx(0.5078144, abs=5e-8)
    assert gain == pytest.approx(0.508, abs=0.001)
    assert round(mean["extra_cost"] / gain) == 107_988
    assert round(basic(value=SICK_SICKER["extra_cost"][0]).mean / basic(value=SICK_SICKER["extra_qaly"][0]).mean) == 116_901


@pytest.mark.statistical
def test_time_in_state__the_factor_of_a_person_adds_to_the_spread() -> None:
    """Source: the recursion: treated cycles of the sick times a factor that is uniform between 0.5 and 1.5, and without it."""
    moves, start = np.array([with_time_sick(MONTHS)] * (MONTHS - 1)), np.eye(2 * MONTHS + 2)[0]
    nothing, part = worth_of(0, lambda d: 0.0, 0), worth_of(0, lambda d: 0.95 - 0.03 * d, 0)
    tallies = tallies_of("sick_sicker_time", 3000, "outcomes.qaly_treated_sick.between_people_half_width=0.5")
    require_person(tallies, "qaly_treated_sick", Distribution.of(moments_with_uniform_part(start, moves, nothing, part, 0.5, 1.5)))
    require_refusal(tallies, "qaly_treated_sick", distribution_of_rewards(start, moves, part))


@pytest.mark.statistical
def test_time_in_state__refuses_planted_errors() -> None:
    """Source: planted errors: the time sick counted from a month later, and the basic model without it."""
    late = Distribution.of(sum_of(10, moments_with_time("qaly_treated", shift=1)))
    with pytest.raises(DisagreementError):
        require_agreement(totals_with_time("qaly_treated"), late, "utility a month too late")
    one = moments_of_rewards(HEALTHY, np.array([BASIC] * 30), discounted(np.ones(31), 0.03, SICK_SICKER["cost"][0]))
    with pytest.raises(DisagreementError):
        require_agreement(totals_with_time("cost"), Distribution.of(sum_of(10, one)), "no time in the state")


# ------------------------------------------------ a small chain ------------------------------------------------


@pytest.mark.statistical
def test_two_states__visits_have_the_exact_mean_and_variance() -> None:
    """Source: two states, p01 = 0.2, p10 = 0.1, start in 0: visits to 1 over t = 0 to 10 have mean 5.15505171, var 9.51080385."""
    pathway = "{states: [home, placed], start: {young: {home: 1}, older: {home: 1}}, moves: {home -> placed: {per_month: 0.2}, placed -> home: {per_month: 0.1}}}"  # noqa: E501
    study = load_study(
        CHECKOUT / "configs" / "tiny.yaml",
        [f"pathway={pathway}", "effect={}", "measurement.metrics.saving.window_months=11", "population.waves.all.size=100"],
    )
    moments = moments_of_rewards([1.0, 0.0], np.array([[[0.8, 0.2], [0.1, 0.9]]] * 10), np.tile([0.0, 1.0], (11, 1)))
    assert (Distribution.of(moments).mean, Distribution.of(moments).variance) == pytest.approx((5.15505171, 9.51080385), abs=1e-8)
    tallies = simulate(study, SEED, np.arange(400)).tallies
    visits = tallies.person_months[:, 0, TWIN, 1, tallies.windows.index(11)]
    require_agreement(visits, Distribution.of(sum_of(100, moments)), "visits")
