"""Edges of what a study may say about its people: each once went wrong."""

import numpy as np
import pytest

from simengine.cohort.kernels.effects import effect_strength
from simengine.config.load import find_study, load_study
from simengine.pipeline import simulate

SEED = 20_160_801


def tallies_of(*overrides):
    return simulate(load_study(find_study("tiny"), overrides), SEED, np.arange(200)).tallies


def test_effect_strength__ends_at_once_with_a_half_life_of_0():
    """Source: the limit of 0.5 ** (t / h) as h falls to 0."""
    assert (effect_strength(3, 0.0, 3.5, 0.0), effect_strength(4, 0.0, 3.5, 0.0)) == (1.0, 0.0)


def test_certain_outcome__stays_certain_at_odds_ratio_0():
    """Source: the rule: infinite odds stay infinite."""
    tallies = tallies_of("outcomes.school_qualified.probability={home: 1, placed: 1}", "effect.school_support.odds_ratio=0")
    assert (tallies.sums[:, 0, 0, 1] == 12).all()


@pytest.mark.parametrize("name", ["moves", "entry"])
def test_outcome__of_any_name_has_luck_of_its_own(name):
    """Source: closed form: independent numbers have correlation 0 with standard error 1 / sqrt(200); limit 4.5."""
    outcome = f"{name}: {{kind: binary, at_month: 12, probability: {{home: 0.5, placed: 0.5}}}}"
    cost = "placement_cost_sek: {kind: amount, per_day: {placed: 3_000}}"
    school = "school_qualified: {kind: binary, at_month: 12, probability: {home: 0.5, placed: 0.5}}"
    tallies = tallies_of(f"outcomes={{{cost}, {school}, {outcome}}}")
    months, yes = tallies.person_months[:, 0, 1, 1, 0], tallies.sums[:, 0, 1, 2, 0]
    assert abs(np.corrcoef(months, yes)[0, 1]) < 4.5 / np.sqrt(200)


def test_clipped__ignores_rounding():
    """Source: arithmetic: 33 + 56 + 11 hundredths are 1; in binary 0.33 + 0.56 + 0.11 is 2^-52 more."""
    moves = "placed -> home: {per_month: 0.33}, placed -> a: {per_month: 0.56}, placed -> b: {per_month: 0.11}"
    tallies = tallies_of(
        f"pathway={{states: [home, placed, a, b], start: {{young: {{placed: 1}}, older: {{placed: 1}}}}, moves: {{{moves}}}}}",
        "outcomes.school_qualified.probability={home: 0.5, placed: 0.5, a: 0.5, b: 0.5}",
    )
    assert not tallies.clipped.any()


def test_clipped__counts_shares_that_leave_nothing_for_the_rest():
    """Source: the drawn shares themselves."""
    young, older = "{distribution: uniform, low: 0.3, high: 0.9}", "{distribution: uniform, low: 0.1, high: 0.5}"
    shares = f"young: {{share: {young}}}, older: {{share: {older}}}, other: {{share: rest}}"
    start = "pathway.start={young: {placed: 1}, older: {placed: 1}, other: {placed: 1}}"
    evidence = simulate(load_study(find_study("tiny"), [f"population.strata={{{shares}}}", start]), SEED, np.arange(200))
    total = evidence.draws["population.strata.young.share"] + evidence.draws["population.strata.older.share"]
    assert 0 < (total > 1).sum() < 200
    np.testing.assert_array_equal(evidence.tallies.clipped, total > 1)


def test_cumulative_shares__end_at_1_with_the_last_share_that_somebody_has():
    """Source: the distribution that nobody starts where no share is; ten tenths add up to less than 1 in binary."""
    from simengine.cohort.people import cumulative

    rising = cumulative([np.array([0.1])] * 10 + [np.array([0.0])])
    assert sum([0.1] * 10) < 1
    np.testing.assert_array_equal(rising[0, 9:], [1.0, 1.0])
