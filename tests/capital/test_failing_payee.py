"""A payee that fails and is replaced: by hand, and in a study; random ones stand in the plain twin of the money."""

import numpy as np
import pytest

from simengine.config import load_study
from simengine.config.roles import with_money, without_costs
from simengine.errors import StudyError
from simengine.pipeline import evaluate, simulate
from tests.capital.made import PARTIES, capital_of, moved, payments_of
from tests.capital.test_structures import NOTHING, by_line

EVERYBODY = (*PARTIES, "region")


def test_payee__that_fails_is_replaced_after_a_gap_and_pays_back_its_bond():
    # Source: hand arithmetic. 100 a month for months 0 to 7; the provider fails in month 3.9, which is month 3, and pays back 80; nobody
    # delivers for two months; from month 5 on the region does so, at 150 a month. Of what months 3 and 5 need, 80 come from the bond: it
    # is kept until month 5, when 70 are drawn.
    fails = {"in_month": 3.9, "replaced_by": "region", "after_months": 2, "price_factor": 1.5, "recovered": 80}
    costs = {"delivery": {"payee": "service_provider", "per_month": 100, "until_month": 7, "fails": fails}}

    ledger = moved(capital_of(draws="as_needed", costs=costs), payments_of(*NOTHING), 1000, parties=EVERYBODY)

    assert by_line(ledger) == {
        "draw.loan": {0: 100, 1: 100, 2: 100, 5: 70, 6: 150, 7: 150},
        "cost.delivery": {0: 100, 1: 100, 2: 100},
        "cost.delivery_replacement": {5: 150, 6: 150, 7: 150},
        "grant.delivery_recovered": {3: 80},
    }
    assert ledger.cash("service_provider").sum() == 220_00
    assert ledger.cash("region").sum() == 450_00


def test_payee__that_nobody_replaces_leaves_the_rest_undelivered():
    # Source: hand arithmetic. Two costs of 100 a month for 6 months; the payee of one fails in month 4.
    costs = {
        "one": {"payee": "service_provider", "per_month": 100, "until_month": 5, "fails": {"in_month": 4}},
        "other": {"payee": "region", "per_month": 100, "until_month": 5},
    }

    lines = by_line(moved(capital_of(draws="as_needed", costs=costs), payments_of(*NOTHING), 2000, parties=EVERYBODY))

    assert lines["cost.one"] == dict.fromkeys(range(4), 100)
    assert lines["cost.other"] == dict.fromkeys(range(6), 100)


FAILS = (
    "capital.costs={delivery: {payee: service_provider, per_month: 1000, until_month: 20, fails: {in_month: {distribution: gamma, "
    "mean: 40, sd: 40}, replaced_by: newcomer, after_months: 3, price_factor: 1.2, recovered: 500}}}"
)
EVERYONE = ("investor", "outcome_payer", "service_provider", "newcomer")
NEWCOMER = f"parties={{{', '.join(f'{name}: {{name: {name}, discount_rate_per_year: 0.03}}' for name in EVERYONE)}}}"


def test_failing_payee__in_a_study_pays_who_delivers(tiny_path):
    # By hand: without a gap 21 months are paid. Who fails in month F is paid for F months, the newcomer for those from F + 3 on, 1.2 times
    # as much; the bond of 500 comes where F lies within the horizon.
    study = load_study(tiny_path, [NEWCOMER, FAILS])
    evidence = simulate(study, 3, np.arange(400))

    results = evaluate(study, evidence)

    fails = np.floor(evidence.draws["capital.costs.delivery.fails.in_month"])
    horizon = study.study.horizon_months.value
    first, later = 1000 * np.minimum(fails, 21), 1200 * np.clip(21 - fails - 3, 0, None)
    np.testing.assert_allclose(results["cost.delivery.paid"], first)
    np.testing.assert_allclose(results["cost.delivery_replacement.paid"], later)
    np.testing.assert_allclose(results["newcomer.net"], later)
    np.testing.assert_allclose(results["grant.delivery_recovered.paid"], np.where(fails <= horizon, 500, 0))
    assert "newcomer" in with_money(study)
    assert set(without_costs(study)) == {"service_provider", "newcomer"}


REFUSED = {
    "by share of income": (["capital.costs={a: {payee: service_provider, share_of_income: 0.1, fails: {in_month: 3}}}"],
        r"costs\.a\.fails: a cost whose payee may fail must fall due by months; found `share_of_income`"),
    "deferred": (["capital.costs={a: {payee: service_provider, amount: 1, deferred_share: 0.1, fails: {in_month: 3}}}"],
        r"costs\.a\.fails: a cost whose payee may fail must be paid when it falls due; found a `deferred_share`"),
    "by itself": (["capital.costs={a: {payee: service_provider, amount: 1, fails: {in_month: 3, replaced_by: service_provider}}}"],
        r"costs\.a\.fails\.replaced_by: a payee that fails must be replaced by another party; found `service_provider` itself"),
    "by nobody known": (["capital.costs={a: {payee: service_provider, amount: 1, fails: {in_month: 3, replaced_by: somebody}}}"],
        r"costs\.a\.fails\.replaced_by: must be a party of the study; found `somebody`"),
    "a price of nobody": (["capital.costs={a: {payee: service_provider, amount: 1, fails: {in_month: 3, price_factor: 2}}}"],
        r"costs\.a\.fails\.price_factor: `price_factor` must go with who replaces the payee; found no `replaced_by`"),
    "a name taken": (
        ["capital.costs={a: {payee: service_provider, amount: 1, fails: {in_month: 3}}, a_replacement: {payee: investor, amount: 1}}"],
        r"costs\.a_replacement: the name `a_replacement` must stand for what follows when the payee of `a` fails"),
    "a negative bond": (["capital.costs={a: {payee: service_provider, amount: 1, fails: {in_month: 3, recovered: -1}}}"],
        r"costs\.a\.fails\.recovered: "),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_failing_payee__is_refused_with_its_reason(tiny_path, name):
    changes, message = REFUSED[name]

    with pytest.raises(StudyError, match=message):
        load_study(tiny_path, changes)
