"""What is learned from results: conjugate posteriors, the slow twin of tempering, what is written, what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

import simengine
from simengine.config import Study
from simengine.errors import StudyError, UsageError
from simengine.pipeline import DrawOverrides
from simengine.questions.learn import posterior as posteriors
from simengine.questions.learn import tempering
from simengine.questions.learn.counts import count_log_mass
from simengine.questions.learn.observer import observer_of
from simengine.questions.learn.results import results_of, results_table
from simengine.questions.learn.synthetic import basis_for, polynomial, variance_of_count
from simengine.streams import generator_of
from tests.analysis.made import SCORES, study_of
from tests.analysis.successes import SUCCESSES
from tests.command import in_this_process
from tests.reference import tempering as slow

SUCCESS = "outcomes.success.probability.here"
BETTER = "effect.better.difference"
SIZE = "population.waves.all.size"
ENTRIES = """
study: {title: People referred, currency: EUR, start: 2030-01, horizon_months: 14}
parties:
  investor: {name: Fund, discount_rate_per_year: 0}
  outcome_payer: {name: Town, discount_rate_per_year: 0}
  service_provider: {name: Provider, discount_rate_per_year: 0}
population:
  waves: {all: {size: {distribution: referrals, referrers: 5, per_month_each: 0.8, shape: 2, months: 12}, enrolment_months: 12}}
  strata: {everybody: {share: 1}}
pathway: {states: [here, home], start: {everybody: {here: 1}}, moves: {here -> home: {per_month: 0.2}}}
effect: {}
outcomes: {home: {kind: reached, states: home}}
measurement: {counted: {home: {}}}
contract:
  title: One for each who is at home
  currency: EUR
  commitment: 1000
  dates: {end: {month: 14}}
  outcomes: {home: {meaning: is at home, evaluator: the register}}
  terms: {card: {rate_card: {home: {price: 1}}}}
capital: {drawn_share: 1, drawdown_months: 1}
public_value: {}
run: {replications: 100}
"""
NORMAL = f"{BETTER}={{distribution: normal, mean: 3, sd: 2}}"


@pytest.fixture
def successes(tmp_path: Path) -> Study:
    """Sixty people with one chance, beta(8, 12) before."""
    return study_of(SUCCESSES, tmp_path)


@pytest.fixture
def scores(tmp_path: Path) -> Study:
    """A difference of means between forty and forty, with a score's standard deviation of 10: variance 2 x 100 / 40 = 5."""
    return study_of(SCORES, tmp_path, NORMAL)


def learned(study: Study, *rows: dict[str, Any], n: int = 4000, seed: int = 1, **options: Any) -> Any:
    return simengine.ask("learn", study, n=n, seed=seed, observed=list(rows), **options)


def z_scores(found: Any, mean: float, sd: float, quantiles: dict[str, float]) -> Iterator[float]:
    """Distances of a posterior from the exact one, in standard errors."""
    yield (found.mean.value - mean) / found.mean.se
    yield (found.sd.value - sd) / found.sd.se
    for name, exact in quantiles.items():
        yield (found.quantiles[name].value - exact) / found.quantiles[name].se


def of(distribution: Any) -> tuple[float, float, dict[str, float]]:
    levels = {"p05": 0.05, "p50": 0.5, "p95": 0.95}
    return float(distribution.mean()), float(distribution.std()), {k: float(distribution.ppf(p)) for k, p in levels.items()}


# The standard errors have 15 degrees of freedom: |t| above 4.9 happens by chance in 2 of 10,000.
LIMIT = 4.9


@pytest.mark.parametrize("count", [24, 33])
def test_beta_binomial(successes: Study, count: int) -> None:
    """Beta(8, 12) and y of 60 successes: beta(8 + y, 72 - y)."""
    found = learned(successes, {"of": "metric.successes.estimate", "value": count})
    distances = list(z_scores(found.numbers[SUCCESS], *of(stats.beta(8 + count, 72 - count))))
    assert max(map(abs, distances)) < LIMIT, distances
    assert found.effective_sample_size > 2000


def test_gamma_poisson_entries(tmp_path: Path) -> None:
    """Rates gamma(2, mean 0.8) of 5 referrers: after k people in 6 of 12 months the rest is negative binomial(10 + k, 8.5 / 14.5)."""
    found = learned(study_of(ENTRIES, tmp_path), {"of": "people", "until_month": 6, "value": 31})
    rest = stats.nbinom(10 + 31, 8.5 / 14.5)
    number = found.numbers[SIZE]
    assert abs(number.mean.value - 31 - rest.mean()) < LIMIT * number.mean.se
    # A normal likelihood of a count near 31 is too wide by 1 / 31 of its variance, here a third of all: half a percent of the sd.
    assert abs(number.sd.value - rest.std()) < LIMIT * number.sd.se + 0.01 * rest.std()


@pytest.mark.parametrize(("stated", "variance"), [(None, 5.0), (3.0, 9.0)])
def test_normal_normal(scores: Study, stated: float | None, variance: float) -> None:
    """Normal(3, 2^2) and an estimate of 5 with variance v: precision 1/4 + 1/v, mean (3/4 + 5/v) over it."""
    row = {"of": "metric.gain.estimate", "value": 5.0} | ({} if stated is None else {"standard_error": stated})
    found = learned(scores, row)
    precision = 1 / 4 + 1 / variance
    exact = stats.norm((3 / 4 + 5 / variance) / precision, precision**-0.5)
    distances = list(z_scores(found.numbers[BETTER], *of(exact)))
    assert max(map(abs, distances)) < LIMIT, distances
    assert found.numbers[BETTER].written is not None
    assert found.numbers[BETTER].written.is_near


def test_direction(tmp_path: Path) -> None:
    """The estimate is above 4: y ~ normal(3, 9), so the mean is 3 + 4/9 (E[y | y > 4] - 3), with E by the inverse Mills ratio."""
    study = study_of(SCORES, tmp_path, NORMAL, "known={good: {of: metric.gain.estimate, stands: above, value: 4, certainty: Q}}")
    found = simengine.ask("learn", study, n=4000, seed=3, given=["good"])
    # What was learned from is no result to learn from again.
    assert found.study.known == {}
    number = found.numbers[BETTER]
    ratio = stats.norm.pdf(1 / 3) / stats.norm.sf(1 / 3)
    assert abs(number.mean.value - (3 + 4 / 9 * 3 * ratio)) < LIMIT * number.mean.se


def test_standard_errors(scores: Study) -> None:
    """The spread over seeds is what the errors say: the ratio of 12 means has a sd of a fifth."""
    numbers = [learned(scores, {"of": "metric.gain.estimate", "value": 5.0}, n=600, seed=s).numbers[BETTER] for s in range(12)]
    spread = np.std([one.mean.value for one in numbers], ddof=1)
    said = np.sqrt(np.mean([one.mean.se**2 for one in numbers]))
    assert 0.5 < spread / said < 1.7


def test_forgotten_proposal(successes: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the density of what was drawn from, weights count the data twice: the conjugate case must notice."""
    monkeypatch.setattr(posteriors, "log_prior_over_mixture", lambda scores, proposals, counts: np.zeros(len(scores)))
    found = learned(successes, {"of": "metric.successes.estimate", "value": 33})
    distances = list(z_scores(found.numbers[SUCCESS], *of(stats.beta(41, 39))))
    assert max(map(abs, distances)) > 2 * LIMIT


def test_slow_twin() -> None:
    """Weights, effective sizes and temperatures of two rounds are those of plain Python."""
    generator = generator_of(5, "tests/learn")
    second = tempering.Proposal(np.array([0.6, -0.2]), np.array([[0.7, 0.0], [0.3, 0.9]]))
    proposals, counts = [tempering.prior(2), second], [40, 30]
    rows = np.concatenate([one.at(generator.standard_normal((n, 2))) for one, n in zip(proposals, counts, strict=True)])
    log_likelihood = -2 * (rows[:, 0] - 1.5) ** 2 - rows[:, 1] ** 2
    ratio = tempering.log_prior_over_mixture(rows, proposals, counts)
    plain = [(one.centre.tolist(), one.factor.tolist()) for one in proposals]
    likelihood = np.exp(log_likelihood).tolist()
    for power in (0.0, 0.3, 1.0):
        theirs = slow.weights(rows.tolist(), plain, counts, likelihood, power)
        np.testing.assert_allclose(tempering.weights_at(ratio, log_likelihood, power), theirs, rtol=1e-10)
    for least in (15.0, 25.0, 40.0):
        by_steps = slow.temperature(rows.tolist(), plain, counts, likelihood, least)
        ours = tempering.highest_temperature(ratio, log_likelihood, least)
        assert by_steps <= ours < by_steps + 0.001 or ours == by_steps == 1.0


def test_proposal_of_weighted_sample() -> None:
    """Mean and covariance by hand of three rows; a score of which nothing is learned keeps the prior."""
    rows, weights = np.array([[0.0, 5.0], [1.0, -5.0], [2.0, 9.0]]), np.array([1.0, 2.0, 1.0])
    found = tempering.proposal_from(rows, weights, [0])
    np.testing.assert_allclose(found.centre, [1.0, 0.0])
    # The variance is (1 + 0 + 1) / 4 = 0.5, and a proposal is 1.3 times as wide.
    np.testing.assert_allclose(found.factor @ found.factor.T, [[0.65, 0.0], [0.0, 1.0]], atol=1e-7)


@pytest.mark.parametrize(
    ("count", "mean", "variance", "exact"),
    [
        (4, 6.0, 6.0, stats.poisson(6)),
        (9, 12.0, 12 * 0.7, stats.binom(40, 0.3)),
        (0, 3.0, 3 + 9 / 2, stats.nbinom(2, 2 / 5)),
        (7, 3.0, 3 + 9 / 2, stats.nbinom(2, 2 / 5)),
    ],
)
def test_count(count: int, mean: float, variance: float, exact: Any) -> None:
    """SciPy's Poisson, binomial and negative binomial with these moments; the score at the middle of the step."""
    log_mass, score = count_log_mass(count, np.array([mean]), np.array([variance]))
    assert log_mass[0] == pytest.approx(exact.logpmf(count), rel=1e-9)
    assert stats.norm.cdf(score[0]) == pytest.approx(exact.cdf(count) - exact.pmf(count) / 2, rel=1e-9)


def test_variance_of_counts() -> None:
    """Binomial counts of 40 people: m - m^2 / 40."""
    generator = generator_of(6, "tests/learn")
    chance = generator.uniform(0.2, 0.6, 20_000)
    seen = generator.binomial(40, chance)
    a, b, low, high = variance_of_count(40 * chance, (seen - 40 * chance) ** 2, np.ones(20_000))
    assert (a, b) == pytest.approx((1, -1 / 40), abs=0.05)
    assert low < 0.4 < 0.8 < high


def test_polynomial() -> None:
    """A cubic is found to its coefficients, and pure noise is shrunk to almost nothing."""
    generator = generator_of(7, "tests/learn")
    z = generator.standard_normal((4000, 3))
    basis = basis_for(z, np.ones(4000), [0, 1, 2])
    u = basis.coordinates(z)
    true = 2 + z[:, 0] - 0.5 * z[:, 1] ** 2 + 0.3 * z[:, 0] * z[:, 2]
    shown = np.stack([true + 0.1 * generator.standard_normal(4000), generator.standard_normal(4000)], axis=1)
    found = basis.features(u) @ polynomial(basis.features(u), 4, shown, np.ones(4000))
    inside = (np.abs(z) < 2).all(axis=1)
    assert np.abs(found[inside, 0] - true[inside]).max() < 0.05
    assert found[:, 1].std() < 0.05


def test_people_are_simulated_as_far_as_needed() -> None:
    """Counts until month 12 are those of the whole study; and all who enter in twelve months have entered by their end."""
    study = simengine.load_study(simengine.find_study("outcomes_fund_children"))
    rows = [
        {"of": "people", "until_month": 12, "value": 0},
        {"of": "outcome.settled", "after_month": 3, "until_month": 12, "value": 0},
    ]
    cut = observer_of(study, results_of(study, [], rows))
    assert cut.people.study.horizon_months.value == 12
    assert list(cut.people.population.waves) == ["year_1"]
    evidence = simengine.simulate(study, 1, 20)
    reached = evidence.measurements.reached
    assert reached is not None
    shown = cut.shown(1, np.arange(20), DrawOverrides())
    np.testing.assert_array_equal(shown["people, months 1 to 12"], evidence.tallies.n_people[:, 0, 0])
    counts = (reached.outcome == reached.outcomes.index("settled")) & (reached.month > 3) & (reached.month <= 12)
    np.testing.assert_array_equal(
        shown["outcome.settled, months 4 to 12"], np.bincount(reached.replication_of_row[counts], minlength=20)
    )


def test_rate_card_after_six_quarters_keeps_many_replications() -> None:
    """Twelve counts of a study with 28 uncertain numbers leave a fifth of the replications, and hit what was seen."""
    study = simengine.load_study(simengine.find_study("outcomes_fund_children"))
    settled = [
        {"of": "outcome.settled", "after_month": 3 * q, "until_month": 3 * q + 3, "value": n}
        for q, n in enumerate((6, 10, 9, 14, 11, 9))
    ]
    home = [
        {"of": "outcome.home_6", "after_month": 3 * q, "until_month": 3 * q + 3, "value": n}
        for q, n in ((2, 4), (3, 8), (4, 9), (5, 12))
    ]
    people = [{"of": "people", "wave": "year_1", "value": 58}, {"of": "people", "after_month": 12, "until_month": 18, "value": 27}]
    found = learned(study, *settled, *home, *people, n=1500)
    assert found.effective_sample_size > 300
    for one in found.results:
        assert abs(one.result.value - one.expected) < 3 * one.expected_sd
    assert found.numbers["population.waves.year_1.size"].mean.value == pytest.approx(58, abs=1)


def test_joint_posterior_is_written(tmp_path: Path) -> None:
    """Of two chances whose sum alone is seen, the written study has the negative correlation; and it can be asked again."""
    text = SUCCESSES.replace("states: [here]", "states: [here, there]").replace("{here: 1}", "{here: 0.5, there: 0.5}")
    text = text.replace("size: 60", "size: 400").replace(
        "here: {distribution: beta, successes: 8, failures: 12}}",
        "here: {distribution: uniform, low: 0.2, high: 0.6}, there: {distribution: beta, successes: 8, failures: 12}}",
    )
    found = learned(study_of(text, tmp_path), {"of": "metric.successes.estimate", "value": 190})
    there = "outcomes.success.probability.there"
    assert set(found.numbers) == {SUCCESS, there}
    (correlation,) = [one.value for one in found.study.correlations.values()]
    values, weights = found.posterior.values, found.posterior.weights / found.posterior.weights.sum()
    ranks = [special.ndtri(np.clip(_ranks(values[path], weights), 1e-6, 1 - 1e-6)) for path in (SUCCESS, there)]
    assert correlation == pytest.approx(np.cov(ranks, aweights=weights)[0, 1], abs=0.03)
    assert correlation < -0.5
    assert found.farthest < found.tolerance
    assert found.study.numbers[SUCCESS].source == "learned"
    assert found.study.numbers[SUCCESS].distribution == "quantiles"
    assert found.study.study.takes_for_granted["learned"].text.startswith("The distributions with the source `learned`")
    assert found.study.study.sources == {}
    # Drawn anew, the counts of the learned study lie around what was seen.
    again = simengine.ask("run", found.study, n=2000, seed=4)
    assert again.results["metric.successes.estimate"].mean() == pytest.approx(190, abs=6)


@pytest.mark.parametrize("listed", ["", "sources: {survey: A survey of ours, other: Another}, "])
def test_source_of_what_is_learned__stands_beside_those_of_the_study(listed: str, tmp_path: Path) -> None:
    """A study that lists no sources takes every text for one: a list with the posterior alone would make its own texts wrong."""
    text = SUCCESSES.replace("failures: 12}", "failures: 12, source: survey}").replace(
        "size: 60", "size: {value: 60, source: survey}"
    )
    found = learned(
        study_of(text.replace("study: {", f"study: {{{listed}"), tmp_path), {"of": "metric.successes.estimate", "value": 45}
    )
    assert found.study.study.sources.keys() == ({"survey", "other", "learned"} if listed else set())
    assert found.study.numbers[SUCCESS].source == "learned"
    again = learned(found.study, {"of": "metric.successes.estimate", "value": 20}, n=1000)
    assert again.study.numbers[SUCCESS].source == "learned_2"


def test_money_that_was_observed__stands_in_the_unit_of_the_study(tmp_path: Path) -> None:
    """Three million lent: 45 successes at 100,000 each are 4.5 millions of SEK."""
    text = SUCCESSES.replace("share: 1, of", "share: 100_000, of").replace("commitment: 0", "commitment: 3_000_000")
    (tmp_path / "study.yaml").write_text(text)
    (tmp_path / "seen.csv").write_text("of,value\nterm.price,4500000\n")
    done = in_this_process(["learn", "study.yaml", "--observed", "seen.csv", "-n", "1000", "--seed", "1"], tmp_path)
    row = next(line.split() for line in done.stdout.splitlines() if line.startswith(" term.price"))
    assert row[1] == "4.5"
    # 60 x 8 / 20 = 24 successes were expected: 2.4 millions.
    assert float(row[2]) == pytest.approx(2.4, abs=0.1)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"of": "metric.successes", "value": 5},
            "a result of a metric must be its estimate or its truth; found `metric.successes`",
        ),
        ({"of": "metric.successes.n", "value": 5}, "a result of a metric must be its estimate or its truth"),
        ({"of": "metric.successes.estimate", "value": 1e308}, "`value` must be 1e+15 at most; found 1e+308. Look at its unit"),
        ({"of": "metric.successes.estimate", "value": 5, "rounded_to": 1e308}, "`rounded_to` must be 1e+15 at most"),
        ({"of": "metric.successes.estimate", "value": 5, "standard_error": 1e-300}, "`standard_error` must be 1e-09 or more"),
    ],
)
def test_result_that_no_study_can_learn_from__is_refused(row: dict[str, Any], message: str, successes: Study) -> None:
    with pytest.raises(UsageError) as error:
        learned(successes, row, n=200)
    assert message in str(error.value)


def _ranks(values: Any, weights: Any) -> Any:
    order = np.argsort(values)
    found = np.empty(len(values))
    found[order] = np.cumsum(weights[order]) - weights[order] / 2
    return found


def test_numbers_that_do_not_move_stay(tmp_path: Path) -> None:
    """A number on which no result depends keeps its distribution, and is told."""
    study = study_of(SUCCESSES, tmp_path, "capital.drawn_share={distribution: uniform, low: 0.5, high: 1}")
    found = learned(study, {"of": "metric.successes.estimate", "value": 33}, n=1000)
    assert found.untouched == ("capital.drawn_share",)
    assert found.study.numbers["capital.drawn_share"] == study.numbers["capital.drawn_share"]


def test_shares_drawn_together(tmp_path: Path) -> None:
    """Dirichlet counts 20 and 30 of who starts where; here everybody succeeds, there nobody: beta(20 + y, 30 + 60 - y)."""
    text = SUCCESSES.replace("states: [here]", "states: [here, there]").replace(
        "{here: 1}", "{here: {distribution: dirichlet, count: 20}, there: {distribution: dirichlet, count: 30}}"
    )
    text = text.replace("{here: {distribution: beta, successes: 8, failures: 12}}", "{here: 1, there: 0}")
    found = learned(study_of(text, tmp_path), {"of": "metric.successes.estimate", "value": 34})
    number = found.numbers["pathway.start.everybody.here"]
    distances = list(z_scores(number, *of(stats.beta(54, 56))))
    assert max(map(abs, distances)) < LIMIT, distances
    counts = [found.study.numbers[f"pathway.start.everybody.{state}"].count for state in ("here", "there")]
    assert counts == pytest.approx([54, 56], rel=0.15)


def test_threads_and_blocks_change_nothing(scores: Study) -> None:
    """The same answer from one thread and from two."""
    rows = {"of": "metric.gain.estimate", "value": 5.0}
    one, two = (learned(scores, rows, n=400, threads=threads) for threads in (1, 2))
    np.testing.assert_array_equal(one.posterior.weights, two.posterior.weights)


def test_payments_and_money(tmp_path: Path) -> None:
    """What a term paid by a month tells what the count that it pays for tells."""
    study = study_of(SUCCESSES, tmp_path)
    paid = learned(study, {"of": "term.price", "value": 33})
    counted = learned(study, {"of": "metric.successes.estimate", "value": 33})
    received = learned(study, {"of": "outcome_payer.net", "value": -33})
    for found in (paid, received):
        assert found.numbers[SUCCESS].mean.value == pytest.approx(counted.numbers[SUCCESS].mean.value, abs=0.005)


REFUSED = [
    ({}, {}, "learn: something must be known; found neither given nor observed"),
    ({}, {"given": ["better"]}, "given: must be a known result of the study; found `better`"),
    ({"of": "metric.success.estimate", "value": 3}, {}, "found `success`. Did you mean `successes`?"),
    ({"of": "outcome.success", "value": 3}, {}, "counted, estimated or paid; found `success`. The study has none"),
    ({"of": "people", "until_month": 3, "value": 3}, {}, "people by month must be listed one by one"),
    ({"of": "people", "wave": "first", "value": 3}, {}, "a wave must be one of the population; found `first`"),
    ({"of": "luck", "value": 3}, {}, "a result must be people, outcome.NAME, metric.NAME.estimate, term.NAME"),
    ({"of": "metric.successes.estimate", "until_month": 3, "value": 3}, {}, "months must belong to people, to an outcome"),
    ({"of": "term.price", "until_month": 4, "value": 3}, {}, "a contract must date what it pays by month; found no dates"),
    (
        {"of": "term.price", "after_month": 4, "until_month": 4, "value": 3},
        {},
        "whole months must increase within the horizon of 6",
    ),
    ({"of": "term.price", "value": 3, "standard_error": 1}, {}, "a standard error must belong to `metric.<metric>.estimate`"),
    ({"of": "term.price"}, {}, "observed, row 1: `value` must be a number; found None"),
    ({"of": "term.price", "value": 3, "month": 1}, {}, "a key must be one of those of a table of results; found 'month'"),
    ({"of": "people", "value": 61}, {}, "people: a result must be possible under the study; found 60 in every replication"),
    ({"of": "people", "value": 60}, {}, "a result must differ between replications; found people the same in all"),
    ({"of": "metric.successes.estimate", "value": 400}, {}, "a result must be possible under the study; found 400, with"),
    (
        {"of": "metric.successes.estimate", "value": 30},
        {"n": 100},
        "learning about 1 numbers must have 200 replications or more; found 100",
    ),
    (
        {"of": "metric.successes.estimate", "value": 30},
        {"n": 300, "least_effective": 900.0},
        "an effective sample size of 900 or more",
    ),
]


@pytest.mark.parametrize(("row", "options", "message"), REFUSED)
def test_refused(successes: Study, row: dict[str, Any], options: dict[str, Any], message: str) -> None:
    """What cannot be learned from is refused in one message with the way out."""
    with pytest.raises(UsageError) as refused:
        learned(successes, *([row] if row else []), **{"n": 600, **options})
    assert message in str(refused.value)


def test_nothing_depends(tmp_path: Path) -> None:
    """A result that no uncertain number moves teaches nothing, and says so."""
    study = study_of(SUCCESSES, tmp_path, f"{SUCCESS}=0.4", "capital.drawn_share={distribution: uniform, low: 0.5, high: 1}")
    with pytest.raises(UsageError, match=r"a number on which the results depend|a result must depend on an uncertain number"):
        learned(study, {"of": "metric.successes.estimate", "value": 24}, n=600)


TABLES = [
    ("of,month,value\na,1,2\n", "a column must be one of those of a table of results; found 'month'"),
    ("of,wave\na,b\n", "a table of results must have the column `value`"),
    ("of,value\na,b\n", "value: must be a number; found 'b'"),
    ("of,value\na\n", ":2: must have 2 cells, as in the header; found 1"),
    ("", "a table of results must have the column `of`"),
]


@pytest.mark.parametrize(("text", "message"), TABLES)
def test_table_refused(tmp_path: Path, text: str, message: str) -> None:
    """A table says in which line it is wrong."""
    place = tmp_path / "observed.csv"
    place.write_text(text)
    with pytest.raises(StudyError) as refused:
        results_table(str(place))
    assert message in str(refused.value)


def test_folder_runs_again(successes: Study, tmp_path: Path) -> None:
    """What a folder keeps: the learned study passes its checks and says what it learned from."""
    (tmp_path / "seen.csv").write_text("of;value\nmetric.successes.estimate;33\n")
    asked = ("learn", "study.yaml", "-n", 600, "--seed", 2, "--observed", "seen.csv", "-o", "out")
    done = in_this_process(asked, tmp_path)
    assert done.returncode == 0, done.stderr
    kept = json.loads((tmp_path / "out" / "learn.json").read_text())
    assert kept["results"][0]["result"]["value"] == 33
    again = simengine.load_study(tmp_path / "out" / "learned.yaml")
    assert again.numbers[SUCCESS].source == "learned"
    assert "--observed observed.csv" in (tmp_path / "out" / "run-again.txt").read_text()
