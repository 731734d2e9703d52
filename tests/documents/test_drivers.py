"""What a result depends on: against SciPy's rank correlation, and a study whose answer is known by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from simengine import find_study, load_study
from simengine.documents.drivers import drivers_of, rank_correlation
from simengine.documents.material import Material
from simengine.questions.python import run
from tests.conftest import sized

RANDOM = np.random.default_rng(7)


@pytest.mark.parametrize("with_ties", [False, True])
def test_rank_correlation__is_that_of_scipy(with_ties):
    one = RANDOM.normal(size=400)
    other = 0.5 * one + RANDOM.normal(size=400)
    if with_ties:
        one, other = np.round(one), np.round(other)
    found = rank_correlation(one, other, np.full(400, 1 / 400))
    assert found.value == pytest.approx(spearmanr(one, other).statistic, abs=1e-12)


def test_rank_correlation__with_weights_is_that_of_repeated_rows():
    one, other = np.round(RANDOM.normal(size=60), 1), np.round(RANDOM.normal(size=60), 1)
    times = RANDOM.integers(1, 5, size=60)
    found = rank_correlation(one, other, times.astype(float))
    assert found.value == pytest.approx(spearmanr(np.repeat(one, times), np.repeat(other, times)).statistic, abs=1e-12)


@pytest.mark.statistical
def test_error__is_the_spread_of_repeated_samples():
    found = []
    for _ in range(sized(300, 3000)):
        one = RANDOM.normal(size=200)
        found.append(rank_correlation(one, 0.6 * one + 0.8 * RANDOM.normal(size=200), np.ones(200)))
    spread, said = np.std([each.value for each in found]), np.mean([each.se for each in found])
    assert said == pytest.approx(spread, rel=0.15)


def test_drivers__of_a_run_are_those_that_move_the_money():
    study, path = load_study(find_study("norrkoping")), "effect.sooner_home.hazard_ratio"
    found = run(study, 400, 3)
    columns = {name: np.asarray(one, float) for name, one in found.results.columns.items() if name not in found.results.codes}
    material = Material(study, {"replications": 400}, columns, found.results.replications, 3, found.sampling, is_kept=False)
    columns["made.net"] = 2.0 * found.draws()[path].to_numpy() ** 3 - 5.0
    columns["still.net"] = np.full(400, 3.0)
    first, *others = drivers_of(material, "made.net")
    assert (first.path, first.correlation.value) == (path, 1.0)
    assert all(one.share.value < 0.1 for one in others)
    # The fifth with the lowest values: 80 of the 400 results, averaged by hand.
    assert first.mean_low.value == pytest.approx(np.sort(columns["made.net"])[:80].mean())
    assert first.mean_high.value == pytest.approx(np.sort(columns["made.net"])[-80:].mean())
    assert drivers_of(material, "still.net") == []
