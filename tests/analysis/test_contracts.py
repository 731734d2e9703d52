"""Several contracts on the same people: differences that are known by hand, and what cannot be settled."""

import numpy as np
import pytest

from simengine.config import load_study
from simengine.contract.spec import Contract
from simengine.errors import StudyError, UsageError
from simengine.questions.compare.answer import compare_contracts, with_contract
from simengine.replications.blocks import run_study
from simengine.replications.ensemble import Ensemble
from simengine.risk import statistics

LEVEL = 0.5  # a tail that 200 replications can fill


def changed(contract: Contract, **update: object) -> Contract:
    return Contract.model_validate(contract.model_dump(exclude_defaults=True) | update)


def more_guaranteed(contract: Contract, share: float) -> Contract:
    terms = contract.model_dump(exclude_defaults=True)["terms"]
    return changed(contract, terms=terms | {"guarantee": {"share": share, "of": "drawn", "contingent": False}})


@pytest.fixture
def found(tiny):
    others = {"more": more_guaranteed(tiny.contract, 0.5), "copy": tiny.contract}
    return compare_contracts(tiny, others, Ensemble(3, 200, threads=1), LEVEL)


def test_switch__moves_what_is_guaranteed_more(found):
    # Source: hand arithmetic. 0.50 - 0.40 of 2,000,000 drawn is 200,000, paid in month 12; at 3 % a year it is worth 200,000 /
    # 1.03.
    for party, sign in (("investor", 1), ("outcome_payer", -1)):
        switch = found.switches["more"][party]
        assert switch.net.value == pytest.approx(sign * 200_000)
        assert switch.net.se == pytest.approx(0, abs=1e-6)
        assert switch.npv.value == pytest.approx(sign * 200_000 / 1.03)
        assert (switch.gains.value, switch.loses.value, switch.same.value) == (max(sign, 0), max(-sign, 0), 0)


def test_switch__to_the_same_contract_changes_nothing(found):
    for switch in found.switches["copy"].values():
        assert switch.net == switch.npv == statistics.Statistic(0.0, 0.0)
        assert (switch.gains.value, switch.loses.value, switch.same.value) == (0, 0, 1)


def test_standings__are_those_of_separate_runs_on_the_same_seed(found, tiny_path):
    study = load_study(tiny_path, ["contract.terms.guarantee.share=0.5"])
    results = run_study(study, 3, 200)
    net = results["investor.net"]
    assert found.standings["more"]["investor"].net == statistics.mean(net)
    assert found.standings["more"]["investor"].cvar == statistics.conditional_value_at_risk(-net, LEVEL)
    assert found.quantiles["more"]["investor"] == tuple(np.quantile(net, found.quantile_levels, method="inverted_cdf"))


def test_result__is_the_same_in_any_blocks(tiny):
    others = {"more": more_guaranteed(tiny.contract, 0.45)}
    one, other = (compare_contracts(tiny, others, Ensemble(5, 200, 2, size), LEVEL) for size in (1000, 17))
    assert one == other


def test_contract_with_dates__is_paid_on_them(tiny):
    dated = changed(
        tiny.contract,
        dates={"late": {"month": 22}},
        terms={"all": {"share": 0.4, "of": "drawn", "contingent": False, "at": ["late"]}},
    )
    study = with_contract(tiny, "dated", dated)
    assert study.capital.payment_month == {}


def test_contract_without_dates__whose_terms_the_study_does_not_know_is_refused(tiny):
    other = changed(tiny.contract, terms={"coupon": {"share": 0.4, "of": "drawn", "contingent": False}})
    with pytest.raises(
        StudyError, match=r"other: terms\.coupon: a contract must name the dates .*found `coupon`.*Give the contract"
    ):
        compare_contracts(tiny, {"other": other}, Ensemble(3, 200), LEVEL)


def test_contract__on_a_metric_that_nobody_measures_is_refused(tiny):
    raw = tiny.contract.model_dump(exclude_defaults=True)
    other = changed(tiny.contract, metrics=raw["metrics"] | {"happiness": {"meaning": "happy", "unit": "share"}})
    with pytest.raises(StudyError, match=r"other: metrics\.happiness: every metric of the contract must be measured; found nobody"):
        compare_contracts(tiny, {"other": other}, Ensemble(3, 200), LEVEL)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 1.5])
def test_level__lies_between_0_and_1(tiny, level):
    with pytest.raises(UsageError, match="--level: the level of a tail must lie between 0 and 1"):
        compare_contracts(tiny, {"copy": tiny.contract}, Ensemble(3, 200), level)


@pytest.mark.parametrize(("n", "level", "needs"), [(199, 0.5, 200), (200, 0.5, None), (200, 0.95, 2000)])
def test_cvar__of_a_tail_of_fewer_than_a_hundred_draws_is_not_given(tiny, n, level, needs):
    # Source: the rule, 100 replications in the tail; all else is said of any number of replications.
    found = compare_contracts(tiny, {"copy": tiny.contract}, Ensemble(3, n), level)
    assert found.cvar_needs == needs
    assert (found.standings["copy"]["investor"].cvar is None) == (needs is not None)
    assert found.standings["copy"]["investor"].net.se > 0
