"""Ways of drawing that leave less variance: none biases, all give the same bits in any company, and nonsense is refused."""

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from scipy import special, stats

from simengine import load_study, run_study, summarise
from simengine.config import known_metrics
from simengine.distributions import Constant, Normal
from simengine.errors import UsageError
from simengine.pipeline import deviations_of, measured_again, run_block, simulate
from simengine.records import BASELINE, SERVICE
from simengine.replications.precision import control_variates
from simengine.sampling import (
    PLAIN,
    SCRAMBLES,
    Sampling,
    control_variates_of,
    draw_uniforms,
    refuse_impossible,
    refuse_impossible_variates,
    seeds_again,
)
from tests.conftest import CHECKOUT, IS_THOROUGH, sized
from verification.standard_errors import flat

TINY = CHECKOUT / "configs" / "tiny.yaml"
RATIO = "effect.sooner_home.hazard_ratio"
WAYS = {
    "sobol": Sampling(is_sobol=True),
    "tilt": Sampling(tilts={RATIO: -1.5}),
    "measured": Sampling(measured=3),
    "tilt, measured": Sampling(tilts={RATIO: 1.0}, measured=2),
    "sobol, measured": Sampling(is_sobol=True, measured=2),
}
EVERY_WAY = [*WAYS, "control variates", "sobol, control variates"]
TOGETHER = ["tilt, measured", "sobol, control variates"]
"""What the suite tries: all ways, two at a time. `make verify` tries each by itself as well."""
NUMBERS = {
    "x": Normal(distribution="normal", mean=0.0, sd=1.0),
    "fixed": Constant(value=1.0),
    "y": Normal(distribution="normal", mean=0.0, sd=2.0),
}


@pytest.fixture(scope="module")
def study():
    return load_study(TINY)


@pytest.fixture(scope="module")
def plain(study):
    """A plain run of another seed, large enough to be the truth beside a few small ones."""
    return summarise(run_study(study, 99, 20_000))


@pytest.mark.parametrize("way", WAYS)
def test_every_way__gives_the_same_bits_in_any_company(way, study):
    # Invariant: block size, threads, and a run that goes on where another one ended.
    n = 4 * SCRAMBLES
    whole = run_study(study, 5, n, sampling=WAYS[way], threads=1, block_size=n)
    blocks = run_study(study, 5, n, sampling=WAYS[way], threads=2, block_size=7)
    rest = run_study(study, 5, n // 2, sampling=WAYS[way], first=n // 2)
    for name, column in whole.columns.items():
        np.testing.assert_array_equal(column, blocks[name])
        np.testing.assert_array_equal(column[len(column) // 2 :], rest[name])


def test_plain_way__is_the_run_itself(study):
    one, other = run_study(study, 5, 50), run_study(study, 5, 50, sampling=Sampling())
    assert Sampling() == PLAIN
    assert one.columns.keys() == other.columns.keys()
    assert "weight" not in one.columns
    assert "group" not in one.columns


@pytest.mark.statistical
@pytest.mark.parametrize("way", EVERY_WAY if IS_THOROUGH else TOGETHER)
def test_no_way__biases(way, study, plain):
    # Source: a plain run of another seed, 20,000 replications. Of 20 runs of 1,024 one in 1,300 sets of seeds passes 4 standard
    # errors, of 8 runs one in 1,800 passes 6: Student's distribution.
    paths = (
        "investor.net.mean",
        "investor.p_loss",
        "outcome_payer.net.mean",
        "investor.money_back.sd",
        "metrics.saving.estimate.mean",
    )
    found = []
    for seed in range(sized(8, 20)):
        sampling = WAYS.get(way.removesuffix(", control variates"), PLAIN)
        results = run_study(study, seed, 1024, sampling=sampling, with_variates=True)
        variates = control_variates(study, seed, results, sampling) if way.endswith("control variates") else None
        table = summarise(results, variates)
        found.append([table[path].value for path in paths])
    values = np.array(found)
    for path, column in zip(paths, values.T, strict=True):
        error = sqrt(column.var(ddof=1) / len(column) + plain[path].se ** 2)
        assert abs(column.mean() - plain[path].value) < sized(6, 4) * error, path


def test_sobol_points__fill_every_half_evenly_and_sequences_differ():
    # Invariant: the first 2^k points of a scrambled sequence have as many in each half, quarter, ... of every axis.
    n = 16 * SCRAMBLES
    drawn, weight = draw_uniforms(Sampling(is_sobol=True), 1, NUMBERS, np.arange(n))
    assert weight is None
    for path in ("x", "y"):
        cells = np.floor(16 * drawn[path].reshape(16, SCRAMBLES)).astype(int)
        assert all(sorted(cells[:, s]) == list(range(16)) for s in range(SCRAMBLES))
        assert len(np.unique(drawn[path])) == n
        assert 0 < drawn[path].min() < drawn[path].max() < 1
    # A number without a distribution keeps its stream.
    np.testing.assert_array_equal(drawn["fixed"], draw_uniforms(PLAIN, 1, NUMBERS, np.arange(n))[0]["fixed"])


def test_tilt__moves_half_of_the_draws_and_weighs_them():
    # Source: closed forms. The score is a mixture of N(0, 1) and N(2, 1) in halves: mean 1, variance 2; weights have mean 1.
    drawn, weight = draw_uniforms(Sampling(tilts={"x": 2.0}), 1, NUMBERS, np.arange(100_000))
    score = special.ndtri(drawn["x"])
    assert score.mean() == pytest.approx(1, abs=4.5 * sqrt(2 / 1e5))
    assert weight.mean() == pytest.approx(1, abs=4.5 * weight.std() / sqrt(1e5))
    assert weight.max() <= 2
    np.testing.assert_allclose(
        weight, stats.norm.pdf(score) / (0.5 * stats.norm.pdf(score) + 0.5 * stats.norm.pdf(score - 2)), rtol=1e-5
    )


@pytest.mark.statistical
def test_measured_again__follows_the_distribution_of_the_drift_given_the_people(study):
    # Source: closed form. Given the people, the estimate is B exp(-2 d) - S, d ~ N(0, 0.02): so Phi(log(B / (e + S)) / 2 / 0.02)
    # is uniform over the times that the same people are measured. Kolmogorov-Smirnov: a false alarm once in 1,000 seeds.
    evidence = simulate(study, 4, np.array([7]))
    people = evidence.tallies
    outcome, window = people.outcomes.index("placement_cost_sek"), people.windows.index(12)
    base, service = (people.sums[0, 0, arm, outcome, window] for arm in (BASELINE, SERVICE))
    assert base > 0
    times = [measured_again(study, evidence, seed) for seed in seeds_again(4, 300)]
    estimates = np.array([one.measurements.estimate[0, 0] for one in times])
    uniform = stats.norm.cdf(np.log(base / (estimates + service)) / 2 / 0.02)
    assert stats.kstest(uniform, "uniform").pvalue > 0.001
    assert len({one.measurements.truth[0, 0] for one in times}) == 1


def test_measured_again__leaves_the_first_measurement_and_the_people_alone(study):
    one, three = run_block(study, 5, np.arange(20)), run_block(study, 5, np.arange(20), Sampling(measured=3))
    np.testing.assert_array_equal(three["investor.net"][::3], one["investor.net"])
    np.testing.assert_array_equal(three["outcome_payer.true_saving"], np.repeat(one["outcome_payer.true_saving"], 3))
    np.testing.assert_array_equal(three["group"], np.repeat(np.arange(20), 3))
    assert summarise(three).n_replications == 20


def test_correlated_numbers__are_not_drawn_again():
    correlation = "correlations={together: {value: 0.5, between: [pathway.moves.home -> placed.per_month, " + (
        "measurement.metrics.saving.drift_per_year]}}"
    )
    study = load_study(TINY, [correlation])
    evidence = simulate(study, 4, np.arange(5))
    again = measured_again(study, evidence, 77)
    path = "measurement.metrics.saving.drift_per_year"
    np.testing.assert_array_equal(again.draws[path], evidence.draws[path])


@pytest.mark.statistical
@pytest.mark.parametrize("name", ["tiny", "norrkoping", "peterborough", "cases/events"])
def test_luck__has_the_mean_0_in_every_group(name):
    # Source: the exact moments of one person, held to exact distributions elsewhere. 4.5 standard errors of the mean.
    folder = CHECKOUT / ("tests" if "/" in name else "configs")
    study = load_study(folder / f"{name}.yaml", variant="exact_moments" if name == "peterborough" else None)
    deviations = deviations_of(study, simulate(study, 3, np.arange(400 if name == "peterborough" else 3000)))
    assert any(key.startswith("twin.") for key in deviations)
    for key, surplus in deviations.items():
        assert surplus.std() > 0
        assert abs(surplus.mean()) < 4.5 * surplus.std() / sqrt(len(surplus)), key


def test_luck__is_known_only_where_moments_are():
    # Source: the rules of exact moments: SkolFam's frailty acts on moves, the shocks of Botkyrka are shared.
    known = {name: known_metrics(load_study(CHECKOUT / "configs" / f"{name}.yaml")) for name in ("tiny", "skolfam")}
    assert known == {"tiny": ("saving",), "skolfam": ()}


@pytest.mark.parametrize("sampling", [PLAIN, Sampling(is_sobol=True)])
def test_luck__takes_at_least_half_of_the_variance_that_scores_leave(sampling, study):
    # Measured at 8,192 replications: a quarter is left.
    results = run_study(study, 5, 2048, sampling=sampling, with_variates=True)
    numbers = {} if sampling.is_sobol else study.numbers
    scores = control_variates_of(5, numbers, results.replications)
    without = summarise(results, scores if scores.size else None)["investor.net.mean"]
    both = summarise(results, control_variates(study, 5, results, sampling))["investor.net.mean"]
    assert both.se**2 < 0.5 * without.se**2


STRUCTURED = (
    "parties={investor: {name: Lenders, discount_rate_per_year: 0.03}, outcome_payer: {name: Town, discount_rate_per_year: 0.03}, "
    "service_provider: {name: Provider, discount_rate_per_year: 0.03}, fund: {name: Fund, discount_rate_per_year: 0.03}}",
    "capital={drawn_share: 1.0, drawdown_months: 6, payment_month: {guarantee: 12, saving_share: 20, upside: 20}, "
    "costs: {delivery: {payee: service_provider, per_person: 150_000, over_months: 6, deferred_share: 0.1}}, shortfall: allowed, "
    "tranches: {senior: {holder: investor, size: 1_600_000, coupon_per_year: 0.04}, junior: {holder: investor, size: rest}}, "
    "waterfall: {interest: {interest: [senior]}, first: {principal: [senior]}, last: {principal: [junior]}, "
    "fee: {deferred: [delivery]}, surplus: {rest: {outcome_payer: rest}}}, "
    "guarantees: {backstop: {guarantor: fund, covers: [senior], share: 0.3}}}",
)
"""Two tranches and a guarantee around the terms of `tiny`."""
OF_STRUCTURE = (
    *("investor.irr_of_mean_cash", "tranches.senior.net.mean", "tranches.senior.p_loss", "tranches.junior.money_back.mean"),
    *("costs.delivery.still_deferred.mean", "steps.surplus.paid.mean", "guarantees.backstop.paid.mean"),
    *("guarantees.backstop.p_called", "public_value.fund.net.mean", "public_value.outcome_payer.p_net_below_zero"),
)


@pytest.mark.parametrize("way", [*WAYS, "control variates"])
def test_structure_and_mean_cash__of_any_way_agree_with_a_plain_run(way):
    # Source: a plain run of another seed; the difference in the errors of both, 4.5 of them. And the errors are of its size.
    structured = load_study(TINY, STRUCTURED)
    plain, results = (
        run_study(structured, seed, n, sampling=sampling, with_variates=True)
        for seed, n, sampling in ((77, 8000, PLAIN), (5, 2048, WAYS.get(way, PLAIN)))
    )
    variates = control_variates(structured, 5, results) if way == "control variates" else None
    expected, found = summarise(plain), summarise(results, variates)
    for path in OF_STRUCTURE:
        one, other = expected[path], found[path]
        assert abs(one.value - other.value) < 4.5 * np.hypot(one.se, other.se), path
        assert 0.2 < other.se / (2 * one.se) < 3, path


def test_rate_of_mean_cash__of_corrected_draws_whose_cash_was_not_kept_is_refused_with_its_reason(study):
    results = run_study(study, 5, 200)
    table = summarise(results, control_variates(study, 5, results))
    assert table.get("investor.irr_of_mean_cash") is None
    assert "`with_variates`" in table.refused["investor.irr_of_mean_cash"].reason


def test_equal_weights__give_every_statistic_of_a_plain_run():
    # Invariant: replications of one weight are plain replications; of quantiles the values alone, whose error has another form
    # there.
    results = run_study(load_study(TINY, STRUCTURED), 5, 300, with_variates=True)
    weighted = replace(results, columns={**results.columns, "weight": np.full(300, 0.5)})
    one, other = (dict(flat(summarise(each))) for each in (results, weighted))
    assert {path for path in one if path.endswith((".mean", ".sd"))} == {path for path in other if path.endswith((".mean", ".sd"))}
    for path in OF_STRUCTURE:
        assert other[path].value == pytest.approx(one[path].value, rel=1e-9), path
        assert other[path].se == pytest.approx(one[path].se, rel=3e-3, abs=1e-9), path


@pytest.mark.parametrize(
    ("sampling", "n", "message"),
    [
        (Sampling(is_sobol=True), 1000, "32 times a power of two; found 1,000. Use -n 512 or -n 1024"),
        (Sampling(is_sobol=True, tilts={RATIO: 1.0}), 1024, "found --tilt as well"),
        (Sampling(tilts={"effect.sooner_home.hazard": 1.0}), 10, f"Did you mean `{RATIO}`"),
        (Sampling(tilts={"capital.drawn_share": 1.0}), 10, "a tilted number must have a distribution"),
        (Sampling(tilts={RATIO: 9.0}), 10, "within 8 standard deviations and not be 0; found 9"),
        (Sampling(tilts={RATIO: float("nan")}), 10, "found nan"),
    ],
)
def test_nonsense__is_refused(sampling, n, message, study):
    with pytest.raises(UsageError) as refusal:
        refuse_impossible(sampling, study.numbers, n)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("sampling", "n", "message"),
    [
        (Sampling(tilts={RATIO: 1.0}), 1024, "found --tilt"),
        (Sampling(is_sobol=True), 1024, "or the exact mean .* must be known; found neither"),
        (PLAIN, 100, "must have 150 replications or more; found 100"),
    ],
)
def test_control_variates__are_refused_where_nothing_is_known(sampling, n, message, study):
    with pytest.raises(UsageError, match=message):
        refuse_impossible_variates(sampling, study.numbers, n)
    certain = load_study(
        TINY, [f"{RATIO}=1", "pathway.moves.home -> placed.per_month=0.04", "measurement.metrics.saving.drift_per_year=0"]
    )
    with pytest.raises(UsageError, match="or the exact mean of what the contract pays on must be known; found neither"):
        refuse_impossible_variates(PLAIN, certain.numbers, 1000)
    with pytest.raises(UsageError, match="nothing to spread evenly"):
        refuse_impossible(Sampling(is_sobol=True), certain.numbers, 1024)
    assert replace(PLAIN, measured=2) == Sampling(measured=2)
