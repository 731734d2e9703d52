"""The engine against exact distributions, by z-score; and the errors that these comparisons must catch.

Every sample has a fixed seed. What is compared is a mean and a variance, each with its exact standard error
(tests/reference/recursion.py), at 4.5 standard errors: were the seeds drawn anew, one comparison would raise a false alarm
once in 150,000, and all of this file's (about 180) once in 800 runs.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from math import prod, sqrt
from pathlib import Path

import numpy as np
import pytest

from simengine.config import Study
from simengine.config.load import find_study, load_study
from simengine.distributions import Constant
from simengine.pipeline import Evidence, evaluate, simulate
from simengine.records import ARMS
from tests.reference.recursion import (
    DisagreementError,
    Distribution,
    Kind,
    Moments,
    Values,
    covariance_of_person,
    kinds_of,
    mixture,
    moments_of_person,
    months_in,
    n_people_of,
    price_by_state,
    require_agreement,
    sum_of,
    sum_of_two,
    values_of,
    yes_by_state,
)
from verification import cohort_moments

SEED = 20_160_801
COST, SCHOOL = "placement_cost_sek", "school_qualified"


# ------------------------------------------------ the recursion itself ------------------------------------------------


def test_recursion__equals_the_sum_over_all_lives() -> None:
    """Source: enumeration. Three states, three months and a yes or no: 2 x 3^4 x 2 lives, each with its probability."""
    moves = [
        [[0.5, 0.3, 0.2], [0.1, 0.9, 0.0], [0.0, 0.4, 0.6]],
        [[1.0, 0.0, 0.0], [0.2, 0.2, 0.6], [0.3, 0.3, 0.4]],
        [[0.6, 0.1, 0.3], [0.5, 0.0, 0.5], [0.0, 0.0, 1.0]],
    ]
    kinds = [Kind(0.25, [0.2, 0.3, 0.5], moves), Kind(0.75, [0.0, 1.0, 0.0], moves[::-1])]
    one, other = [[0.0, 1.0, 2.5]] * 3, [[1.0, 0.0, -1.0], [0.0, 0.5, 3.0], [2.0, 2.0, 0.0]]
    yes = [0.1, 0.5, 0.8]
    expected, products = np.zeros(5), np.zeros(3)
    for kind, life, answer in product(kinds, product(range(3), repeat=4), (0, 1)):
        chance = kind.share * kind.start[life[0]] * prod(kind.moves[m][life[m]][life[m + 1]] for m in range(3))
        chance *= yes[life[3]] if answer else 1 - yes[life[3]]
        f, g = (sum(worth[m][life[m]] for m in range(3)) for worth in (one, other))
        expected += [chance * (f + answer) ** k for k in range(5)]
        products += [chance * f, chance * g, chance * f * g]

    np.testing.assert_allclose(moments_of_person(kinds, one, yes), expected, rtol=1e-12)
    assert covariance_of_person(kinds, one, other) == pytest.approx(products[2] - products[0] * products[1], rel=1e-12)


def test_recursion__gives_the_moments_of_visits_in_a_two_state_chain() -> None:
    """Source: closed form. From state 0 with p01 = 0.2, p10 = 0.1: P(X_t = 1) = 2/3 (1 - 0.7^t), and for s <= t
    P(X_s = X_t = 1) = P(X_s = 1) (2/3 + 1/3 0.7^(t - s)); summed over t = 0..10."""
    kind = Kind(1.0, [1.0, 0.0], [[[0.8, 0.2], [0.1, 0.9]]] * 11)
    visited = [2 / 3 * (1 - 0.7**t) for t in range(11)]
    pairs = [visited[min(s, t)] * (2 / 3 + 0.7 ** abs(s - t) / 3) for s in range(11) for t in range(11)]

    got = Distribution.of(moments_of_person([kind], [[0.0, 1.0]] * 11))

    assert got.mean == pytest.approx(sum(visited), rel=1e-12)
    assert got.variance == pytest.approx(sum(pairs) - sum(visited) ** 2, rel=1e-12)
    assert (got.mean, got.variance) == pytest.approx((5.15505171, 9.51080385), abs=1e-8)


def test_recursion__reproduces_a_published_cohort_model_and_microsimulation() -> None:
    """Source: Krijkamp et al. 2018, doi:10.1177/0272989X18754513: cost without treatment 75,976 (cohort model, appendix C);
    Monte Carlo standard error 183 with 100,000 people (microsimulation, appendix A)."""
    death, death_s1, death_s2 = 0.005, 1 - 0.995**3, 1 - 0.995**10
    moves = [
        [1 - 0.15 - death, 0.15, 0.0, death],
        [0.5, 1 - 0.5 - 0.105 - death_s1, 0.105, death_s1],
        [0.0, 0.0, 1 - death_s2, death_s2],
        [0.0, 0.0, 0.0, 1.0],
    ]
    cost = [[value * 1.03**-year for value in (2000.0, 4000.0, 15000.0, 0.0)] for year in range(31)]

    distribution = Distribution.of(moments_of_person([Kind(1.0, [1.0, 0.0, 0.0, 0.0], [moves] * 31)], cost))

    assert round(distribution.mean) == 75_976
    # The published standard error is itself an estimate from 100,000 people: three of its own standard errors.
    kurtosis = distribution.fourth / distribution.variance**2
    assert distribution.sd / sqrt(1e5) == pytest.approx(183, abs=0.5 + 3 * 183 * sqrt((kurtosis - 1) / 4e5))


def test_sum_of_people__has_the_moments_of_the_binomial_distribution() -> None:
    """Source: closed form: mean np, variance npq, fourth central moment npq (1 + 3 (n - 2) p q)."""
    n, p, q = 12, 0.3, 0.7
    distribution = Distribution.of(sum_of(n, [1.0, p, p, p, p]))
    assert distribution.mean == pytest.approx(n * p, rel=1e-12)
    assert distribution.variance == pytest.approx(n * p * q, rel=1e-12)
    assert distribution.fourth == pytest.approx(n * p * q * (1 + 3 * (n - 2) * p * q), rel=1e-12)


def test_z_scores__have_mean_0_and_variance_1_over_all_samples() -> None:
    """Source: enumeration of all 3^5 samples of five from {0: 0.5, 1: 0.3, 4: 0.2}."""
    chances = {0.0: 0.5, 1.0: 0.3, 4.0: 0.2}
    distribution = Distribution.of([sum(p * y**k for y, p in chances.items()) for k in range(5)])
    samples = list(product(chances, repeat=5))
    weight = np.array([prod(chances[y] for y in sample) for sample in samples])
    for z_of in (distribution.z_of_mean, distribution.z_of_spread):
        z = np.array([z_of(sample) for sample in samples])
        assert weight @ z == pytest.approx(0.0, abs=1e-12)
        assert weight @ z**2 == pytest.approx(1.0, rel=1e-12)


# ------------------------------------------------ studies without distributions ------------------------------------------------

EARLY = (
    "measurement.metrics={early: {outcome: placement_cost_sek, window_months: 5, estimate: rate_difference, better: lower}, "
    "saving: {outcome: placement_cost_sek, window_months: 12, estimate: total_difference, better: lower}, "
    "school: {outcome: school_qualified, window_months: 12, estimate: rate_difference, better: higher}}"
)
FADING = (
    "effect={sooner_home: {move: placed -> home, hazard_ratio: 2.5, ramp_months: 2, fades_after_months: 5, half_life_months: 3}, "
    "again: {move: placed -> home, hazard_ratio: 0.8}, fewer_returns: {move: home -> placed, hazard_ratio: 0.4, "
    "fades_after_months: 2, half_life_months: 6}, school_support: {outcome: school_qualified, odds_ratio: 2.5}, "
    "more_support: {outcome: school_qualified, odds_ratio: 0.5}}"
)
TWO_WAVES = (
    "population.waves={all: {size: 8, enrolment_months: 6}, nobody: {size: 0, enrolment_months: 1}, "
    "late: {size: 7, enrolment_months: 3, from_month: 9}}"
)
N = 10_000
STUDIES = {
    "tiny": ("tiny", N, (EARLY, "effect.sooner_home.hazard_ratio=2")),
    "at once": ("tiny", N, ("effect.sooner_home={move: placed -> home, hazard_ratio: 2.5}",)),
    "fading, two waves": (
        "tiny",
        N,
        (EARLY, FADING, TWO_WAVES, "capital.payment_month={guarantee: 12, saving_share: 24, upside: 24}"),
    ),
    "norrkoping": ("norrkoping", N // 5, ("effect.sooner_home.hazard_ratio=1.5",)),
}


@cache
def study_of(name: str) -> Study:
    """Load a study and replace every distribution that is left by its mean."""
    file, _, overrides = STUDIES[name]
    with_distributions = load_study(find_study(file), overrides)
    means = [
        f"{path}={distribution.centre!r}"
        for path, distribution in with_distributions.numbers.items()
        if not isinstance(distribution, Constant)
    ]
    return load_study(find_study(file), [*overrides, *means])


@cache
def evidence_of(name: str) -> Evidence:
    return simulate(study_of(name), SEED, np.arange(STUDIES[name][1]))


def sample_of(name: str, field: str, arm: str, which: str, window: int) -> np.ndarray:
    """Return one number per replication, over all waves."""
    tallies = evidence_of(name).tallies
    place = (tallies.states if field == "person_months" else tallies.outcomes).index(which)
    return getattr(tallies, field)[:, :, ARMS.index(arm), place, tallies.windows.index(window)].sum(axis=1)


def distribution_of_total(name: str, arm: str, worth: list, yes: list | tuple = (), values: Values | None = None) -> Distribution:
    """Return the exact distribution of what all people of an arm are worth together."""
    study, number = study_of(name), ARMS.index(arm)
    kinds = kinds_of(study, values_of(study, values), number)
    return Distribution.of(sum_of(n_people_of(study, number), moments_of_person(kinds, worth, yes)))


def require_person_months(name: str, arm: str, oracle_arm: str | None = None, first: int = 0, values: Values | None = None) -> None:
    """Compare the person-months in every state and window of an arm with the recursion.

    The other arguments plant errors in the recursion: the distribution of another arm, another first month, other numbers.
    """
    study = study_of(name)
    for window, state in product(evidence_of(name).tallies.windows, study.pathway.states):
        worth = [[0.0] * len(study.pathway.states)] * first + [months_in(study, state)] * window
        sample = sample_of(name, "person_months", arm, state, window)
        require_agreement(sample, distribution_of_total(name, oracle_arm or arm, worth, values=values), f"{arm} {state} {window}")


everywhere = pytest.mark.parametrize("name", STUDIES)
in_every_arm = pytest.mark.parametrize("arm", ARMS[:3])


@pytest.mark.statistical
@everywhere
@in_every_arm
def test_person_months__have_their_exact_mean_and_spread(name: str, arm: str) -> None:
    """Source: the backward recursion over months 0 to w - 1."""
    require_person_months(name, arm)


@pytest.mark.statistical
@everywhere
@in_every_arm
def test_priced_amount__has_its_exact_mean_and_spread(name: str, arm: str) -> None:
    """Source: the backward recursion; with several prices the variance holds the covariances between states."""
    study = study_of(name)
    price = price_by_state(study, values_of(study), COST)
    for window in evidence_of(name).tallies.windows:
        distribution = distribution_of_total(name, arm, [price] * window)
        require_agreement(sample_of(name, "sums", arm, COST, window), distribution, f"{arm} cost {window}")


@pytest.mark.statistical
@everywhere
@in_every_arm
def test_binary_outcome__has_its_exact_mean_and_spread(name: str, arm: str) -> None:
    """Source: the shares of the states at the month of reading; people are independent, so the count is binomial."""
    study = study_of(name)
    month, window = int(study.outcomes[SCHOOL].at_month.value), evidence_of(name).tallies.windows[-1]
    yes = yes_by_state(study, values_of(study), SCHOOL, ARMS.index(arm))
    distribution = distribution_of_total(name, arm, [[0.0] * len(yes)] * month, yes)
    require_agreement(sample_of(name, "sums", arm, SCHOOL, window), distribution, f"{arm} school")


@pytest.mark.statistical
@in_every_arm
def test_binary_outcome__depends_on_the_state_and_on_nothing_else(arm: str) -> None:
    """Source: the backward recursion of both together: the variance of the sum holds their covariance."""
    study = study_of("tiny")
    yes = yes_by_state(study, values_of(study), SCHOOL, ARMS.index(arm))
    sample = sample_of("tiny", "person_months", arm, "placed", 12) / 4 + sample_of("tiny", "sums", arm, SCHOOL, 12)
    distribution = distribution_of_total("tiny", arm, [[month / 4 for month in months_in(study, "placed")]] * 12, yes)
    require_agreement(sample, distribution, f"{arm} months and school")


@pytest.mark.statistical
@in_every_arm
def test_calendar_years__have_their_exact_mean_and_spread(arm: str) -> None:
    """Source: the backward recursion over the months of one calendar year, averaged over the month of entry."""
    study, tallies = study_of("tiny"), evidence_of("tiny").tallies
    kinds = kinds_of(study, values_of(study), ARMS.index(arm))
    price, nothing = price_by_state(study, values_of(study), COST), [0.0, 0.0]
    entries = range(1) if arm == "baseline" else range(6)
    for year in range(2):
        parts: list[tuple[float, Moments]] = []
        for entry in entries:
            worth = [price if (entry + month) // 12 == year else nothing for month in range(24 - entry)]
            parts.append((1 / len(entries), moments_of_person(kinds, worth)))
        sample = tallies.by_year[:, 0, ARMS.index(arm), tallies.outcomes.index(COST), year]
        require_agreement(sample, Distribution.of(sum_of(12, mixture(parts))), f"{arm} year {year}")


@pytest.mark.statistical
def test_measured_saving__has_its_exact_mean_and_spread() -> None:
    """Source: the backward recursion in two independent groups: as many baseline people of price c as service users of -c."""
    study = study_of("tiny")
    price = price_by_state(study, values_of(study), COST)
    groups = []
    for arm, sign in (("baseline", 1.0), ("service", -1.0)):
        kinds = kinds_of(study, values_of(study), ARMS.index(arm))
        groups.append(sum_of(12, moments_of_person(kinds, [[sign * month for month in price]] * 12)))
    got = evaluate(study, evidence_of("tiny"))["metric.saving.estimate"]
    require_agreement(got, Distribution.of(sum_of_two(*groups)), "measured saving")


@pytest.mark.statistical
@in_every_arm
def test_reported_person_months__carry_the_name_of_their_arm(arm: str) -> None:
    """Source: the backward recursion, against the columns that a run reports."""
    study = study_of("at once")
    got = evaluate(study, evidence_of("at once"))[f"person_months.{arm}.placed"]
    require_agreement(got, distribution_of_total("at once", arm, [months_in(study, "placed")] * 12), arm)


# ------------------------------------------------ studies with distributions ------------------------------------------------

WITH_DISTRIBUTIONS = (
    "effect.sooner_home={move: placed -> home, hazard_ratio: {distribution: uniform, low: 0.4, high: 4}}",
    "pathway.moves.home -> placed.per_month={distribution: uniform, low: 0.0, high: 0.2}",
)


def parts_by_node(study: Study) -> list[tuple[float, Moments]]:
    """Return the moments of the service users' months in placement at the nodes of a quadrature over both distributions.

    Gauss-Legendre with 12 nodes a distribution: with 8 the variance is the same to nine digits.
    """
    nodes, weights = np.polynomial.legendre.leggauss(12)
    parts = []
    for (x, x_weight), (y, y_weight) in product(zip(nodes, weights, strict=True), repeat=2):
        drawn = {"effect.sooner_home.hazard_ratio": 2.2 + 1.8 * x, "pathway.moves.home -> placed.per_month": 0.1 + 0.1 * y}
        kinds = kinds_of(study, values_of(study, drawn), ARMS.index("service"))
        parts.append((x_weight * y_weight / 4, sum_of(12, moments_of_person(kinds, [months_in(study, "placed")] * 12))))
    return parts


@pytest.mark.statistical
def test_total_variance__is_the_variance_within_draws_plus_that_between_them() -> None:
    """Source: the distribution of total variance, both parts from the recursion by quadrature over the distributions of two parameters."""
    study = load_study(find_study("tiny"), WITH_DISTRIBUTIONS)
    parts = parts_by_node(study)
    distribution = Distribution.of(mixture(parts))
    within = sum(weight * Distribution.of(moments).variance for weight, moments in parts)
    between = sum(weight * (Distribution.of(moments).mean - distribution.mean) ** 2 for weight, moments in parts)
    assert distribution.variance == pytest.approx(within + between, rel=1e-9)
    assert between > within / 3

    sample = simulate(study, SEED, np.arange(N)).tallies.person_months[:, 0, ARMS.index("service"), 1, 0]
    require_agreement(sample, distribution, "total")
    with pytest.raises(DisagreementError):
        require_agreement(sample, Distribution(distribution.mean, within, distribution.fourth), "within alone")


# ------------------------------------------------ errors that must be caught ------------------------------------------------


@pytest.mark.statistical
@in_every_arm
def test_negative_control__a_clock_off_by_one_month_is_caught(arm: str) -> None:
    """Source: a planted error: a recursion that counts months 1 to w instead of 0 to w - 1."""
    with pytest.raises(DisagreementError):
        require_person_months("tiny", arm, first=1)


@pytest.mark.statistical
def test_negative_control__an_effect_with_the_wrong_sign_is_caught() -> None:
    """Source: a planted error: a recursion with the hazard ratio turned upside down."""
    with pytest.raises(DisagreementError):
        require_person_months("tiny", "service", values={"effect.sooner_home.hazard_ratio": 1 / 2})


@pytest.mark.statistical
@pytest.mark.parametrize(("arm", "taken_for"), [("service", "twin"), ("twin", "service"), ("baseline", "service")])
def test_negative_control__swapped_arms_are_caught(arm: str, taken_for: str) -> None:
    """Source: a planted error: the distribution of one arm for the people of another."""
    with pytest.raises(DisagreementError):
        require_person_months("tiny", arm, oracle_arm=taken_for)


@pytest.mark.statistical
def test_negative_control__a_hazard_ratio_applied_to_a_probability_is_caught() -> None:
    """Source: a planted error: 2.5 times the probability, 0.25 and 0.125, instead of 1 - (1 - p)^2.5, 0.232 and 0.120."""
    wrong = {"effect.sooner_home.hazard_ratio": 1.0}
    for stratum, probability in (("young", 0.10), ("older", 0.05)):
        wrong[f"pathway.moves.placed -> home.by_stratum.{stratum}.per_month"] = 2.5 * probability
    with pytest.raises(DisagreementError):
        require_person_months("at once", "service", values=wrong)


@pytest.mark.statistical
def test_negative_control__people_who_share_their_luck_are_caught() -> None:
    """Source: a planted error: twelve times one person has the right mean and twelve times the variance of twelve people."""
    study = study_of("tiny")
    distribution = distribution_of_total("tiny", "twin", [months_in(study, "placed")] * 12)
    sample = sample_of("tiny", "person_months", "twin", "placed", 12)
    require_agreement(sample, distribution, "twin")
    with pytest.raises(DisagreementError, match="variance by"):
        require_agreement(distribution.mean + sqrt(12) * (sample - distribution.mean), distribution, "twelve times one person")


@pytest.mark.statistical
@pytest.mark.parametrize(("field", "which"), [("person_months", "placed"), ("sums", COST)])
def test_negative_control__a_bias_of_one_percent_is_caught(field: str, which: str) -> None:
    """Source: a planted error: 1 % more than there was."""
    study = study_of("tiny")
    worth = months_in(study, "placed") if field == "person_months" else price_by_state(study, values_of(study), COST)
    distribution, sample = distribution_of_total("tiny", "twin", [worth] * 12), sample_of("tiny", field, "twin", which, 12)
    require_agreement(sample, distribution, "twin")
    with pytest.raises(DisagreementError):
        require_agreement(1.01 * sample, distribution, "1 % too much")


# ------------------------------------------------ the long study ------------------------------------------------


@pytest.mark.statistical
@pytest.mark.parametrize("plant", [None, *cohort_moments.PLANTS])
def test_verification__says_by_its_exit_code_whether_engine_and_exact_distributions_agree(
    plant: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Source: the exact distributions, as they are and with planted errors, at 30 seeds and the study's own limits (1 in 1,000)."""
    planted = [] if plant is None else ["--plant", plant]
    expected = 0 if plant is None else 1
    assert cohort_moments.main(["--seeds", "30", "--replications", "100", "-o", str(tmp_path), *planted]) == expected
    assert ("do not agree" in capsys.readouterr().out) == bool(expected)
    assert (tmp_path / "cohort_moments.png").stat().st_size > 10_000
