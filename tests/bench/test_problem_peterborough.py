"""Peterborough without the engine: parts against enumeration, closed forms and hand arithmetic, the whole against the engine."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from scipy import stats

from simengine.bench.frozen_studies import study_of
from simengine.bench.problem import frozen_answers
from simengine.pipeline import DrawOverrides, evaluate, simulate
from simengine.records import Floats
from tests.conftest import sized
from verification.bench.peterborough import Problem, answers_of, at_points, over_sequence, read
from verification.bench.peterborough_contract import Terms, expected
from verification.bench.reconvictions import (
    WIDTH,
    Numbers,
    exposure_moments,
    months_unsettled,
    probabilities,
    transforms_and_means,
    transforms_of,
)

PATHS = {
    "hazard_ratio": "effect.fewer_reconvictions.hazard_ratio",
    "variance": "population.frailties.between_men.variance",
    "settling": "pathway.moves.unsettled -> settled.per_month",
    "unsettling": "pathway.moves.settled -> unsettled.per_month",
    "factor": "events.reconviction.by_months_since_entry.factor.1",
    "rate": "events.reconviction.rates.unsettled.rate_per_month",
    "size_1": "population.waves.cohort_1.size",
    "size_2": "population.waves.cohort_2.size",
    "start": "pathway.start.men.unsettled",
}
TERMS = Terms(3.0, 2.5, 5.0, 0.1, 0.12, 0.06, 0.8, 0.2, 0.5)
"""A contract of 0.2 to 0.5 drawn, whose cap, triggers and prices all matter to small groups."""


def test_months_unsettled__are_those_of_all_ways() -> None:
    # Source: enumeration of all 2^7 ways of seven months, two before entry, three in the first part of the year, two in the second.
    settling, unsettling, by_hand = 0.3, 0.2, np.zeros((2, 4, 3))
    step = {(0, 0): 1 - settling, (0, 1): settling, (1, 0): unsettling, (1, 1): 1 - unsettling}
    for way in product((0, 1), repeat=7):
        chance = np.prod([step[pair] for pair in pairwise(way)])
        by_hand[way[0], way[2:5].count(0), way[5:].count(0)] += chance
    assert months_unsettled(settling, unsettling, 2, 3, 2) == pytest.approx(by_hand, abs=1e-15)


def test_count_of_one_man__is_a_mixture_of_negative_binomials() -> None:
    # Source: a Poisson number whose mean is m times a gamma with mean 1 and variance v is NB(1 / v, 1 / (1 + v m)).
    distribution, rate, factor, variance = months_unsettled(0.27, 0.15, 6, 6, 6), 0.4, 0.8, 0.5
    count = np.arange(WIDTH)
    for first, (unsettled, settled) in enumerate(((1, 0), (0, 1))):
        by_hand = np.zeros(WIDTH)
        for k1, k2 in product(range(7), range(7)):
            mean = rate * (k1 + factor * k2)
            by_hand += distribution[first, k1, k2] * stats.nbinom(1 / variance, 1 / (1 + variance * mean)).pmf(count)
        found = probabilities(transforms_of(distribution, rate, factor, variance, np.array([unsettled]), np.array([settled])))[0]
        assert found == pytest.approx(by_hand, abs=1e-14)


def test_count_of_a_cohort__has_the_mean_and_the_variance_of_the_sum() -> None:
    # Source: hand: E N = E L; Var N = (1 + v) E L^2 + E L - (E L)^2; men are independent.
    distribution, rate, factor, variance = months_unsettled(0.27, 0.15, 6, 6, 6), 0.4, 0.8, 0.5
    found = probabilities(transforms_of(distribution, rate, factor, variance, np.array([300]), np.array([500])))[0]
    mean, square = (exposure_moments(distribution, factor) * (rate, rate**2)).T
    each = (1 + variance) * square + mean - mean**2
    count, men = np.arange(WIDTH), np.array([300, 500])
    assert found.sum() == pytest.approx(1, abs=1e-11)
    assert found.min() > -1e-15
    assert found @ count == pytest.approx(men @ mean, rel=1e-12)
    assert found @ (count - men @ mean) ** 2 == pytest.approx(men @ each, rel=1e-9)


def test_counts_beyond_the_width__are_told_apart_all_the_same() -> None:
    # Source: a cohort of twice as many men is the convolution of two: counts about 2,400 stand at 2,400 - 2,048.
    distribution = months_unsettled(0.27, 0.15, 6, 6, 6)
    once, twice = (probabilities(transforms_of(distribution, 0.4, 0.8, 0.5, np.array([n]), np.array([n])))[0] for n in (400, 800))
    whole = np.convolve(once, once)
    folded = whole[:WIDTH].copy()
    folded[: len(whole) - WIDTH] += whole[WIDTH:]
    assert twice == pytest.approx(folded, abs=1e-15)


def test_matched_men__have_the_mean_and_the_spread_of_their_states() -> None:
    # Source: hand, of 1,000 men, 400 unsettled: mean = sum of shares x E L; spread between men of one state / (10 x 1,000).
    one = Numbers(
        **dict(zip(Numbers._fields, (np.array([x]) for x in (0.9, 0.5, 0.27, 0.15, 0.8, 0.4, 1000.0, 1000.0, 0.4)), strict=True))
    )
    distribution, men = months_unsettled(0.27, 0.15, 6, 6, 6), np.full((1, 2), 1000)
    mean, square = (exposure_moments(distribution, 0.8) * (0.4, 0.16)).T
    share = np.array([0.4, 0.6])
    spread = share @ (1.5 * square + mean - mean**2)
    _, _, matched = transforms_and_means(one, men, np.full((1, 2), 400), np.array([[0.0, 2.0]]), read().protocol)
    assert matched[0, 0] == pytest.approx(1000 * (share @ mean), rel=1e-12)
    assert matched[0, 1] - matched[0, 0] == pytest.approx(2 * 1000 * np.sqrt(spread / 10_000), rel=1e-9)


def paid_by_hand(count_1: int, count_2: int, matched: Floats, terms: Terms) -> float:
    """Read the contract line by line, for one replication."""
    fall_1, fall_2 = 1 - count_1 / matched[0], 1 - count_2 / matched[1]
    first_look = min(terms.price_1 * fall_1, terms.cap) if fall_1 >= terms.trigger_1 else 0.0
    final = min(terms.price_2 * fall_2, terms.cap - first_look) if fall_2 >= terms.trigger_2 else 0.0
    fall = 1 - (count_1 + count_2) / (matched[0] + matched[1])
    if first_look == 0 and final == 0 and fall >= terms.trigger_pooled:
        return min(terms.price_pooled * fall, terms.cap)
    return first_look + final


@pytest.mark.parametrize("seed", range(8))
def test_expected_payments__are_the_sum_over_all_pairs_of_counts(seed: int) -> None:
    # Source: slow twin: the contract read line by line, for every pair of counts.
    draw = np.random.default_rng(seed)
    distributions, bases = draw.dirichlet(np.ones(60), size=2), np.array([70, 85])
    matched, pairs = draw.uniform(95, 130, size=2), list(product(range(60), range(60)))
    paid = np.array([paid_by_hand(70 + x, 85 + y, matched, TERMS) for x, y in pairs])
    weight = np.array([distributions[0, x] * distributions[1, y] for x, y in pairs])
    loss = stats.uniform(TERMS.drawn_low, TERMS.drawn_high - TERMS.drawn_low).sf(paid)
    by_hand = [weight @ paid, weight @ paid**2, weight @ loss, weight @ (paid == 0)]
    assert expected(distributions, bases, matched, TERMS) == pytest.approx(by_hand, abs=1e-12)


def test_answers__follow_from_the_four_sums() -> None:
    # Source: hand: 3.5 to 5 M is drawn, 4.25 M on average with a variance of 1.5^2 / 12; nothing is paid in 40 % of replications,
    # so the worst 5 % are those of them that draw the highest eighth, 4.8125 to 5 M: 4.90625 M on average.
    found = answers_of(np.array([4e6, 2.5e13, 0.48, 0.4]), read().terms)
    assert found["mean"] == pytest.approx(-250_000)
    assert found["sd"] == pytest.approx(np.sqrt(2.5e13 - 1.6e13 + 2.25e12 / 12))
    assert found["cvar95"] == pytest.approx(4_906_250)
    with pytest.raises(ValueError, match=r"nothing is paid in the worst 5% of replications; found 0\.02 without a payment"):
        answers_of(np.array([4e6, 2.5e13, 0.48, 0.02]), read().terms)


def test_numbers__are_those_of_the_study() -> None:
    # Source: another program: the engine reads the same file.
    numbers, problem = study_of("peterborough").numbers, read()
    uniform = np.array([0.001, 0.3, 0.5, 0.9, 0.999])
    for name, path in PATHS.items():
        assert problem.inverses[name](uniform) == pytest.approx(numbers[path].inverse(uniform), rel=1e-12), name
    assert (problem.protocol.history, problem.protocol.first, problem.protocol.second, problem.protocol.per_person) == (6, 6, 6, 10)
    assert tuple(problem.terms) == (32.2e6, 32.2e6, 64.4e6, 0.1, 0.1, 0.075, 8e6, 3.5e6, 5e6)


def test_frozen_answers__are_those_of_the_program() -> None:
    problem = read()
    each = [answers_of(over_sequence(problem, 256, seed), problem.terms) for seed in np.random.SeedSequence(5).spawn(8)]
    for name, frozen in frozen_answers()["peterborough"]["answers"].items():
        values = np.array([one[name] for one in each])
        error = np.hypot(values.std(ddof=1) / np.sqrt(8), frozen["se"])
        # Student's t with 7 degrees of freedom leaves this once in 10,000.
        assert abs(values.mean() - frozen["value"]) < 7.9 * error, name


@pytest.mark.statistical
@pytest.mark.parametrize("hazard_ratio", [0.86, 0.92])
def test_engine__pays_the_same_where_the_numbers_are_given(hazard_ratio: float) -> None:
    # Source: another program: replications of the engine in which every number is the same, so that all spread is luck.
    values = {"variance": 0.5, "settling": 0.2, "unsettling": 0.2, "factor": 0.7, "rate": 0.42, "size_1": 900.0, "size_2": 820.0}
    values |= {"hazard_ratio": hazard_ratio, "start": 0.3}
    change = {PATHS[name]: (lambda drawn, fixed=value: np.full_like(drawn, fixed)) for name, value in values.items()}
    study, n = study_of("peterborough"), sized(600, 2000)
    results = evaluate(study, simulate(study, 7, np.arange(n), overrides=DrawOverrides(change=change)), with_returns=False)
    paid, exact = results["outcome_payer.payment"], given(values)
    for found, by_distribution in ((paid, exact[0]), (paid**2, exact[1]), (paid == 0, exact[3])):
        assert abs(np.mean(found) - by_distribution) < 4.5 * np.std(found) / np.sqrt(n)


def given(values: dict[str, float]) -> Floats:
    """Return the four expectations where every number is given, over 1,024 points of what is left of the luck."""
    problem = read()
    inverses = {name: (lambda u, fixed=values[name]: np.full_like(u, fixed)) for name in problem.inverses}
    points = stats.qmc.Sobol(13, scramble=True, seed=3).random(1024) + 2.0**-31
    fixed: Problem = replace(problem, inverses=inverses)
    return at_points(points, fixed).mean(axis=0)
