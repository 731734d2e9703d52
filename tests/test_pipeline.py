"""End to end on the tiny study."""

from __future__ import annotations

import numpy as np
import pytest

from simengine.config import Study, find_study, load_contract, load_study
from simengine.pipeline import evaluate, run_block, simulate
from simengine.records import ReplicationResults
from simengine.replications.blocks import run_study
from simengine.risk import summarise
from simengine.settlement import payment_marks, replay


def assert_same_bytes(one: ReplicationResults, other: ReplicationResults) -> None:
    assert list(one.columns) == list(other.columns)
    for name in one.columns:
        assert one[name].tobytes() == other[name].tobytes(), name
    assert one.lending_cash["investor"].total.tolist() == other.lending_cash["investor"].total.tolist()
    assert one.lending_cash["investor"].products.tolist() == other.lending_cash["investor"].products.tolist()


@pytest.mark.parametrize(("threads", "block_size"), [(2, 1000), (1, 1), (2, 7), (1, 64), (2, 100_000)])
def test_run__same_bytes_for_any_threads_and_block_size(tiny: Study, threads: int, block_size: int) -> None:
    expected = run_study(tiny, 0, 150, threads=1, block_size=150)
    assert_same_bytes(run_study(tiny, 0, 150, threads=threads, block_size=block_size), expected)


def test_run__several_waves_and_outcomes_give_the_same_bytes_for_any_block_size(tiny_path) -> None:
    # Many terms to add up: NumPy's own sums would choose their order by the shape of the block.
    study = load_study(tiny_path)
    waves = {f"w{i}": study.population.waves["all"] for i in range(9)}
    population = study.population.model_copy(update={"waves": waves})
    study = study.model_copy(update={"population": population})
    assert_same_bytes(run_study(study, 3, 40, threads=1, block_size=40), run_study(study, 3, 40, threads=2, block_size=1))


@pytest.mark.parametrize(("threads", "block_size"), [(2, 1000), (1, 1), (2, 7)])
def test_run__people_who_go_one_by_one_give_the_same_bytes_for_any_threads_and_block_size(
    tiny_path, threads: int, block_size: int
) -> None:
    # Hazards of their own keep people from going abreast.
    study = load_study(tiny_path, ["population.frailties={own: {variance: 0.5, on: [placed -> home, home -> placed]}}"])
    expected = run_study(study, 0, 60, threads=1, block_size=60)
    assert_same_bytes(run_study(study, 0, 60, threads=threads, block_size=block_size), expected)
    alone = run_block(study, 0, np.array([13]))
    for name in expected.columns:
        assert expected[name][13:14].tobytes() == alone[name].tobytes(), name


def test_run__one_replication_alone_equals_itself_in_the_batch(tiny: Study) -> None:
    batch = run_block(tiny, 11, np.arange(20))
    alone = run_block(tiny, 11, np.array([13]))
    for name in batch.columns:
        assert batch[name][13:14].tobytes() == alone[name].tobytes(), name


def test_run__seeds_differ(tiny: Study) -> None:
    one, other = run_study(tiny, 0, 100), run_study(tiny, 1, 100)
    assert not np.array_equal(one["metric.saving.estimate"], other["metric.saving.estimate"])


def test_evaluate__new_terms_meet_the_same_people(tiny: Study, tiny_path) -> None:
    evidence = simulate(tiny, 5, np.arange(50))
    other = load_study(tiny_path, ["contract.terms.guarantee.share=0.6"])
    got = evaluate(other, evidence)
    expected = run_block(other, 5, np.arange(50))
    for name in expected.columns:
        assert got[name].tobytes() == expected[name].tobytes(), name
    # Twenty points more guarantee on 2 M drawn: 400,000 more in every replication (hand arithmetic).
    difference = got["investor.money_back"] - evaluate(tiny, evidence)["investor.money_back"]
    np.testing.assert_allclose(difference, 400_000)


def test_ledger__what_the_investor_gains_the_others_lose(tiny: Study) -> None:
    results = run_study(tiny, 2, 200)
    np.testing.assert_array_equal(results["investor.money_back"], results["outcome_payer.payment"])


def test_nobody_enrolled__pays_the_guarantee_alone(tiny_path) -> None:
    # Invariant: where nobody enrols nothing is saved, so only the 40 % guarantee of 2 M is paid; a share of nobody is no number.
    size = "population.waves.all.size={distribution: uniform, low: 0, high: 2.5}"
    study = load_study(tiny_path, [size, "contract.metrics.school.when_missing=0"])
    results = run_study(study, 0, 200)
    empty = results["service_users"] == 0
    assert empty.sum() > 50
    assert not results["metric.saving.estimate"][empty].any()
    np.testing.assert_array_equal(np.isnan(results["metric.school.estimate"]), empty)
    np.testing.assert_array_equal(results["investor.money_back"][empty], 800_000)


def test_no_effect__the_true_saving_is_zero_in_every_replication(tiny_path) -> None:
    study = load_study(tiny_path, ["effect.sooner_home.hazard_ratio=1", "effect.school_support.odds_ratio=1"])
    results = run_study(study, 4, 100)
    assert not results["metric.saving.truth"].any()
    assert not results["metric.school.truth"].any()
    assert not results["outcome_payer.true_saving"].any()


@pytest.mark.parametrize(
    ("saving", "school", "total"),
    [(-3e6, 0, 4e6), (0, 0, 4e6), (5e6, 0, 7e6), (10e6, 0, 10e6), (25e6, 1, 12e6), (25e6, 0, 10e6)],
)
def test_replay__norrkoping_pays_what_its_published_rule_says(checkout, saving: float, school: float, total: float) -> None:
    # Hand arithmetic on 10 M drawn: 0.4 x 10 + 0.6 x min(max(S, 0), 10) + (school) x min(max(S - 10, 0), 2).
    contract = load_contract(checkout / "configs" / "contracts" / "norrkoping.yaml")
    payments = replay(contract, {"saving": saving, "school": school}, 10e6)
    assert payments.amount.sum() == total


def test_payment_marks__norrkoping_pays_between_its_guarantee_and_its_cap() -> None:
    # From the terms: 40 % guaranteed, 100 % + 20 % at most, whatever share of the commitment is drawn.
    study = load_study(find_study("norrkoping"))
    assert payment_marks(study.contract, run_study(study, 1, 20)) == pytest.approx({"guarantee": 0.4, "cap": 1.2})


def test_norrkoping__three_year_window_measures_the_same_people() -> None:
    two = run_study(load_study(find_study("norrkoping")), 1, 60)
    three = run_study(load_study(find_study("norrkoping"), variant="three_year_window"), 1, 60)
    np.testing.assert_array_equal(two["outcome_payer.true_saving"], three["outcome_payer.true_saving"])
    np.testing.assert_array_equal(two["metric.school.estimate"], three["metric.school.estimate"])
    assert not np.array_equal(two["metric.saving.estimate"], three["metric.saving.estimate"])


def test_run__a_contract_without_contingent_terms_or_savings_is_still_a_contract(tiny_path) -> None:
    study = load_study(tiny_path, ["contract.terms={guarantee: {share: 0.4, of: drawn, contingent: false}}", "public_value={}",
                                   "capital.payment_month={guarantee: 12}"])  # fmt: skip
    table = summarise(run_study(study, 0, 50))
    # 40 % of 2 M, whatever happens; nobody's money is saved.
    assert table["outcome_payer.net.mean"].value == -800_000
    assert table["investor.p_no_payment_beyond_guarantee"].value == 1


def test_run__the_largest_commitment_overflows_nothing(tiny_path) -> None:
    # 40 % of 1e15 after 12 months of 24, and nothing else that counts beside it: the rate is the same as for 2 M.
    sets = ["effect.sooner_home.hazard_ratio=1", "outcomes.placement_cost_sek.per_day.placed=0"]
    large = summarise(run_study(load_study(tiny_path, [*sets, "contract.commitment=1e15"]), 0, 2000))
    small = summarise(run_study(load_study(tiny_path, sets), 0, 2000))
    got, expected = large["investor.irr_of_mean_cash"], small["investor.irr_of_mean_cash"]
    assert got.value == pytest.approx(expected.value, rel=1e-6)
    assert got.se == pytest.approx(expected.se, abs=1e-6)
