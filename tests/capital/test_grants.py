"""Money that is given: by hand, and a study in which nobody lends."""

import numpy as np
import pytest

from simengine.capital import AccountGroups, accounts_in_plan, distribute
from simengine.config import load_study
from simengine.config.roles import lenders_of, with_money
from simengine.errors import StudyError
from simengine.pipeline import evaluate, simulate
from simengine.questions.run.tables import risk_tables
from simengine.risk.summarise import summarise
from tests.capital.made import PARTIES, capital_of, moved, payments_of, planned
from tests.capital.test_structures import NOTHING, by_line

EVERYBODY = (*PARTIES, "foundation", "region")
MONTHLY = {"delivery": {"payee": "service_provider", "per_month": 100, "until_month": 3}}


def test_grants__are_used_before_anything_is_drawn():
    # Source: hand arithmetic. The gift of 150 pays month 0 and half of month 1; the fund gives the other half and, of the 100 that
    # it gives at most, half of month 2; the other half of it, and month 3, are drawn.
    grants = {"gift": {"giver": "foundation", "amount": 150}, "fund": {"giver": "region", "at_most": 100}}

    ledger = moved(capital_of(draws="as_needed", costs=MONTHLY, grants=grants), payments_of(*NOTHING), 300, parties=EVERYBODY)

    assert by_line(ledger) == {
        "grant.gift": {0: 150},
        "grant.fund": {1: 50, 2: 50},
        "draw.loan": {2: 50, 3: 100},
        "cost.delivery": dict.fromkeys(range(4), 100),
    }
    assert ledger.cash("foundation").sum() == -150_00
    assert ledger.cash("region").sum() == -100_00
    assert ledger.lost[0].tolist() == [150_00]


def test_grant__that_costs_leave_joins_the_waterfall_and_none_comes_after_a_stop():
    # Source: hand arithmetic. 150 a month are given, and 100 of them spent; after the stop in month 1 nothing is given. The 100
    # that are left go back to the foundation in month 2.
    grants = {"gift": {"giver": "foundation", "per_month": 150, "until_month": 3}}
    waterfall = {"back": {"rest": {"foundation": 1}}}
    capital = capital_of(draws="as_needed", costs=MONTHLY, grants=grants, waterfall=waterfall)

    ledger = moved(capital, payments_of(*NOTHING, stop=[1]), 0, parties=EVERYBODY)

    assert by_line(ledger) == {
        "grant.gift": {0: 150, 1: 150},
        "cost.delivery": {0: 100, 1: 100},
        "step.back.foundation": {2: 100},
    }
    assert ledger.cash("foundation").sum() == -200_00


def test_grant__beside_a_loan_on_a_schedule_pays_the_same_costs():
    # Source: hand arithmetic. 60 a month are drawn and 40 given for the costs of 100; the grant of a month in which nothing else
    # moves is handed out: 40 of month 4 to the lender, who gets no more than its principal back.
    grants = {"gift": {"giver": "foundation", "per_month": 40, "until_month": 4}}
    capital = capital_of(drawdown_months=4, costs=MONTHLY, grants=grants)

    ledger = moved(capital, payments_of(*NOTHING), 240, parties=EVERYBODY)

    lines = by_line(ledger)
    assert lines["draw.loan"] == dict.fromkeys(range(4), 60)
    assert lines["cost.delivery"] == dict.fromkeys(range(4), 100)
    assert lines["step.loan_principal.loan"] == {4: 40}


def test_sums__go_on_with_what_a_fund_has_left_and_a_line_may_draw():
    # Source: the ledger. Before the first payment, in month 3, the fund has given all its 135 and the line lent 100: sums go on from
    # there, under one sheet after the other.
    section = {
        "draws": "as_needed",
        "shortfall": "allowed",
        "costs": {"delivery": {"payee": "service_provider", "per_month": 100, "until_month": 5}},
        "grants": {"gift": {"giver": "foundation", "amount": 65}, "fund": {"giver": "region", "at_most": 135}},
        "tranches": {"line": {"holder": "investor", "size": 200, "revolving": True, "available_until_month": 4}},
    }
    capital = capital_of(**section)
    plan, draws = planned(capital, 1, 200, parties=EVERYBODY)
    mine = [frozenset(one.name for one in accounts_in_plan(capital, plan) if one.party == name) for name in EVERYBODY]
    sums = AccountGroups(capital, plan, mine, np.ones((len(mine), 1, 25)))

    for amount, month in ((80.0, 3), (120.0, 3), (40.0, 4)):
        income = payments_of({"term": amount}, {"term": month})
        ledger, found = distribute(capital, plan, income, draws), sums.add_up(income, draws)
        assert ledger.cash("region").sum() == -135_00
        for place, names in enumerate(mine):
            np.testing.assert_array_equal(found.cash[place], ledger.cash_in(names).sum(axis=1))


# ---------------------------------------------------- in a study ----------------------------------------------------

CONTRACT = (
    "contract={title: A share of savings, currency: SEK, commitment: 0, metrics: {saving: {meaning: saving in placement cost, unit: SEK},"
    " school: {meaning: school results, unit: share}}, terms: {saving_share: {share: 0.6, of: saving, floor: 0}}}"
)
_ONE = "{name: x, discount_rate_per_year: 0.03}"
PARTY = f"parties={{{', '.join(f'{name}: {_ONE}' for name in (*PARTIES, 'foundation'))}}}"
GIVEN = (
    "capital={draws: as_needed, payment_month: {saving_share: 20}, costs: {delivery: {payee: service_provider, per_month: 100_000,"
    " until_month: 11}}, grants: {gift: {giver: foundation, at_most: 2_000_000}}, waterfall: {surplus: {rest: {foundation: 1}}}}"
)
ALL_GIVEN = [PARTY, CONTRACT, GIVEN]
REFUSED = {
    "a giver who is nobody": (
        [CONTRACT, GIVEN],
        r"capital\.grants\.gift\.giver: must be a party of the study; found `foundation`",
    ),
    "a grant for nothing": (
        [
            PARTY,
            "capital={drawdown_months: 6, payment_month: {guarantee: 12, saving_share: 20, upside: 20},"
            " grants: {gift: {giver: foundation, amount: 5}}}",
        ],
        r"capital\.grants\.gift: a grant must have costs to pay; found no `costs`\. Add `costs`",
    ),
    "a grant as needed beside a schedule": (
        [
            PARTY,
            "capital={drawdown_months: 6, payment_month: {guarantee: 12, saving_share: 20, upside: 20},"
            " costs: {delivery: {payee: service_provider, per_month: 1000}}, grants: {gift: {giver: foundation, at_most: 5}}}",
        ],
        r"grants\.gift\.at_most: a grant that pays what costs need must go with a loan that is drawn as needed; found `draws: scheduled`",
    ),
    "a grant in two forms": (
        [*ALL_GIVEN, "capital.grants={gift: {giver: foundation, at_most: 5, amount: 5}}"],
        r"a grant must be given by one of amount, per_month, per_person, at_most; found amount, at_most",
    ),
    "a key that its form does not have": (
        [*ALL_GIVEN, "capital.grants={gift: {giver: foundation, at_most: 5, from_month: 5}}"],
        r"grants\.gift\.from_month: a grant by `at_most` must have no `from_month`; found 5",
    ),
    "a grant after the end": (
        [*ALL_GIVEN, "capital.grants={gift: {giver: foundation, amount: 5, from_month: 99}}"],
        r"grants\.gift\.from_month: a grant must fall due within the horizon of 24 months; found month 99",
    ),
    "income that nobody gets": (
        [*ALL_GIVEN, "capital.waterfall={}"],
        r"capital\.waterfall: a study without a loan must say who gets what comes in; found no `waterfall`",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_grant__that_does_not_fit_is_refused(case, tiny_path):
    overrides, message = REFUSED[case]
    with pytest.raises(StudyError, match=message):
        load_study(tiny_path, overrides)


def test_study__in_which_nobody_lends_runs_and_says_so(tiny_path):
    # Source: the definition. The foundation gives what the twelve months cost, 1.2 M, and gets what comes in; nobody else has cash
    # but the payer and the provider.
    study = load_study(tiny_path, ALL_GIVEN)
    results = evaluate(study, simulate(study, 3, np.arange(200)))

    assert (results["grant.gift.paid"] == 1_200_000).all()
    np.testing.assert_allclose(results["foundation.cash"], results["term.saving_share.amount"].round(2) - 1_200_000)
    assert not results["investor.cash"].any()
    assert not results["investor.money_in"].any()
    assert np.isnan(results["investor.moic"]).all()
    assert results.is_word("investor.irr_status", "no_sign_change").all()
    assert lenders_of(study) == ()
    assert with_money(study) == ("outcome_payer", "service_provider", "foundation")
    table = summarise(results)
    assert table["grants.gift.paid.mean"].value == 1_200_000
    assert risk_tables(study, table, 3) is not None


def test_study__without_grants_keeps_the_investor_whatever_it_lends(tiny_path):
    # Invariant: with no waterfall of its own, what comes in is the lender's, even if it lends nothing.
    study = load_study(tiny_path, [CONTRACT, "capital.payment_month={saving_share: 20}"])
    assert lenders_of(study) == ("investor",)
    assert "investor" in with_money(study)
