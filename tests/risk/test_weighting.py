"""Rows that weigh differently or hang together, each rule by hand on a few rows."""

import numpy as np
import pytest
from scipy import stats

from simengine.risk import statistics, trust
from simengine.risk.weighting import Weighting


def test_standard_errors__of_four_rows_by_hand():
    # Source: hand arithmetic; 1, -1, 1, -1 have s^2 = 4/3, so that their mean has the error sqrt(4/3) / 2.
    for weighting in (Weighting(4), Weighting(4, weight=np.full(4, 0.3)), Weighting(4, group=np.arange(4))):
        assert weighting.error_of(np.array([1.0, -1.0, 1.0, -1.0])).se == pytest.approx(np.sqrt(1 / 3))


def test_rows_that_are_groups_of_their_own__are_independent_draws_however_few():
    # Invariant: who stands alone hangs together with nobody; Student's stretch is for few groups of many rows.
    sample = np.random.default_rng(1).standard_normal(50)
    plain, alone = statistics.mean(sample), statistics.mean(sample, Weighting(50, group=np.arange(50)))
    assert (alone.value, alone.se) == pytest.approx((plain.value, plain.se))


def test_sd__of_four_rows_of_equal_weight_by_hand():
    # Source: hand arithmetic on 1, 2, 3, 4: s^2 = 5/3.
    assert statistics.sd(np.arange(1.0, 5.0), Weighting(4, weight=np.ones(4))).value == pytest.approx(np.sqrt(5 / 3))


def test_exceedance__of_weighed_rows_leaves_the_level_itself_out():
    # Source: hand arithmetic. Of 1, ..., 10 the level 7 is exceeded by 3 and 10 by none.
    got = statistics.exceedance(np.arange(1.0, 11.0), [0.0, 7.0, 10.0], Weighting(10, weight=np.ones(10)))
    assert [one.value for one in got] == pytest.approx([1.0, 0.3, 0.0])


def test_probability__of_few_weighed_cases_has_the_interval_of_as_many_independent_rows_as_have_its_error():
    # Source: Korn and Graubard 1998; p (1 - p) / se^2 independent rows, and the beta quantiles of SciPy.
    weights = np.where(np.arange(200) < 100, 0.4, 1.6)
    got = statistics.probability(np.arange(200) % 40 == 0, Weighting(200, weight=weights))
    size = got.value * (1 - got.value) / got.se**2
    cases, others = got.value * size, (1 - got.value) * size
    assert size < 200 / 1.36  # (sum w)^2 / sum w^2 rows, if few cases were known as well as many
    expected = stats.beta(cases, others + 1).ppf(0.025), stats.beta(cases + 1, others).ppf(0.975)
    assert got.interval_95 == pytest.approx(expected)


def test_quantile__of_weighed_rows_counts_its_own_atom_into_its_tail():
    # Source: hand arithmetic. A hundred of 1,000 losses are 5, the others 0: 100 carry the quantile at 95 %, none lies beyond it.
    loss = np.where(np.arange(1000) < 100, 5.0, 0.0)
    got = statistics.value_at_risk(loss, 0.95, Weighting(1000, weight=np.ones(1000)))
    assert (got.value, got.tail_points) == (5.0, pytest.approx(100))


def test_quantile__at_the_first_of_ten_weighed_rows_has_an_error():
    # Source: hand arithmetic. A tenth of the rows lie at or below the first; a share of 0.1 of ten has the error 0.1, stretched by
    # 1 + 1.08 G^2 with G = (0.9^3 - 9 x 0.1^3) / 0.9^(3/2) = 0.843 to 0.177. The third row reaches 0.05 + 0.177: half of 2 - 0.
    got = statistics.quantile(np.arange(10.0), 0.05, Weighting(10, weight=np.ones(10)))
    assert (got.value, got.tail_points) == (0.0, pytest.approx(1))
    assert got.se == pytest.approx(1.0)


def test_cases__in_one_of_a_few_long_sequences_are_as_many_as_they_are():
    # Source: hand arithmetic. Of 2,000 losses ten are not 0, all in the first of 32 sequences: ten replications carry the mean of
    # the worst 5 %. Of 1,000 that were each measured twice, they are five.
    loss = np.where(np.arange(2000) % 200 == 0, 100.0, 0.0)
    sequences = np.where(loss > 0, 0, np.arange(2000) % 31 + 1)
    got = statistics.conditional_value_at_risk(loss, 0.95, Weighting(2000, group=sequences))
    assert got.tail_points == 10
    pairs = np.repeat(np.where(np.arange(1000) < 5, 100.0, 0.0), 2)
    twice = statistics.conditional_value_at_risk(
        pairs, 0.95, Weighting(2000, group=np.repeat(np.arange(1000), 2), n_independent=1000)
    )
    assert twice.tail_points == 5


def test_some_rows__are_their_part_of_the_independent_ones():
    # Source: hand arithmetic; of 4 pairs the first two are 2 independent rows.
    pairs = Weighting(8, group=np.repeat(np.arange(4), 2), n_independent=4)
    assert pairs.some(np.arange(8) < 4).size == pairs.first(4).size == 2
    assert pairs.given(np.arange(8) < 4).size == 2


def test_running_mean__begins_where_slopes_can_be_known():
    # Source: the rule; ten rows for each of 20 control variates.
    known = np.random.default_rng(1).standard_normal((400, 20))
    assert trust.running_mean(known[:, 0], Weighting(400, control_variates=known)).n_replications[0] >= 200
    assert 50 <= trust.running_mean(known[:, 0], None).n_replications[0] < 100


def test_split_half__of_three_groups_says_nothing_and_of_four_something():
    # Source: hand arithmetic. A half of one group has no error of its own; halves 0, 2 and 4, 6 do.
    assert trust.split_half(np.array([0.0, 2.0, 4.0]), None) == 0.0
    assert trust.split_half(np.array([0.0, 2.0, 4.0, 6.0]), None) != 0.0


def test_loss_levels__end_at_round_losses():
    # Source: hand arithmetic; half lose nothing and half 8: 41 levels from 0 to 8 in steps of 0.2.
    levels = trust.loss_levels(np.repeat([0.0, 8.0], 500))
    assert (len(levels), levels[0], levels[-1]) == (41, 0.0, 8.0)


def test_quantile__where_cells_of_evenly_spread_numbers_end_has_the_error_of_those_beside_it():
    # Source: symmetry. At 1/2 every group has exactly half of its numbers below, so that the error there is 0; beside it is that of
    # the numbers within a cell, as in the middle of a cell. An interval from the first alone would be too narrow by half.
    random, n_cells, n_groups = np.random.default_rng(3), 16, 32
    weighting = Weighting(n_cells * n_groups, group=np.repeat(np.arange(n_groups), n_cells))
    widths = {0.5: 0.0, 0.5 + 0.5 / n_cells: 0.0}
    for _ in range(20):
        sample = ((np.arange(n_cells) + random.random((n_groups, n_cells))) / n_cells).ravel()
        for level in widths:
            low, high = statistics.quantile(sample, level, weighting).interval_95
            widths[level] += high - low
    at_edge, within = widths.values()
    assert at_edge > 0.7 * within


def test_interval_of_a_quantile__of_few_groups_is_not_stretched_twice():
    # Source: Student's law is in the error of few groups already; so the interval is 1.96 of it, and not 2.36 (7 degrees of freedom).
    random, ratios = np.random.default_rng(4), []
    for _ in range(30):
        found = statistics.quantile(random.normal(size=8 * 500), 0.5, Weighting(8 * 500, group=np.arange(8 * 500) % 8))
        low, high = found.interval_95
        ratios.append((high - low) / 2 / found.se)
    assert np.mean(ratios) == pytest.approx(1.96, abs=0.15)


def test_control_variates__that_explain_nothing_do_not_make_the_error_small():
    # Source: simulation. Slopes are found in one half and used in the other; in their own half 10 of noise would explain a half of 40 rows.
    random, n = np.random.default_rng(5), 40
    means, errors = [], []
    for _ in range(400):
        found = statistics.mean(random.normal(size=n), Weighting(n, control_variates=random.normal(size=(n, 10))))
        means.append(found.value)
        errors.append(found.se)
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(means), rel=0.15)
