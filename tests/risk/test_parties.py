"""What belongs to a party and what to a role: distributions of the money on random structures, and ledgers worked by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from simengine.capital import accounts_in_plan, discount_factors, distribute
from simengine.capital.rules import RESERVED_NAMES, capital_rules
from simengine.capital.spec import Party
from simengine.records import PublicValue
from simengine.risk.parties import ROLE_OF, CashByPart, add_parts, left_with, over_years, parties_of, parts_of, value_today
from simengine.risk.returns import present_values
from simengine.risk.roles import (
    lenders_in,
    lending_cash,
    payers_in,
    peak_funding,
    role_columns,
    total_of_lenders,
    total_of_payers,
)
from tests.capital.made import CAPITAL, PARTIES, capital_of, moved, payments_of, planned
from tests.capital.test_add_up import N, term_sheets
from tests.capital.test_twin import EVERYBODY, HORIZON, WAVES, structures
from tests.conftest import sized

RATES = dict(zip(EVERYBODY, (0.04, 0.02, 0.05, 0.03, 0.01, 0.06, 0.0), strict=True))
FACTORS = {name: discount_factors(rate, "2030-01", HORIZON + 13)[None, :] for name, rate in RATES.items()}
LENDERS = ("bank", "foundation", "investor", "service_provider")
PAYERS = ("region", "outcome_payer", "bank")


def nothing_but_cash(n, parties=PARTIES):
    """No public value of anybody."""
    nothing = np.zeros((n, len(parties), 2))
    return PublicValue(tuple(parties), nothing, nothing)


@st.composite
def deals(draw):
    """Draw a structure in which anybody may lend, also who works or pays, some who pay, and term sheets."""
    section, commitment = draw(structures())
    for tranche in section["tranches"].values():
        tranche["holder"] = draw(st.sampled_from(LENDERS))
    names = draw(st.lists(st.sampled_from(PAYERS), max_size=3, unique=True))
    late = {"pays_late_months": draw(st.floats(0, 2)), "pays_share": draw(st.floats(0, 1))}
    payers = {name: {"share": "rest" if place == 0 else 0.3} | (late if place else {}) for place, name in enumerate(names)}
    return section | ({"payers": payers} if payers else {}), commitment, draw(term_sheets())[0], draw(st.integers(0, 2**32 - 1))


def own_accounts(capital, party):
    """Name the accounts of a party from the study, not from the list of accounts."""
    tranches = {f"tranche.{name}" for name, one in capital.all_tranches(1.0).items() if one.holder == party}
    payers = {f"payer.{party}"} if party in (capital.payers or ("outcome_payer",)) else set()
    return tranches, payers, {party}


@settings(deadline=None, max_examples=sized(50, 150))
@given(deals())
def test_money__of_a_party_is_its_own_and_that_of_a_role_the_sum_of_its_parties(deal):
    # Invariants: a posting has two sides, so cash sums to 0 over all parties; net is cash + value; a total is the sum of its
    # parties.
    section, commitment, payments, seed = deal
    capital = CAPITAL.validate_python(section)
    plan, draws = planned(
        capital, N, commitment, HORIZON, parties=EVERYBODY, waves=WAVES, people=np.array([[3, 0], [1, 5], [0, 2]])
    )
    ledger = distribute(capital, plan, payments, draws)
    random = np.random.default_rng(seed)
    value = np.round(random.normal(0, 1e4, (N, len(EVERYBODY), 2)), 2)
    public_value = PublicValue(EVERYBODY, value, value / 2)
    columns = left_with(ledger, public_value, FACTORS) | role_columns(ledger, public_value, FACTORS, with_returns=True)

    assert sum(np.rint(100 * columns[f"{name}.cash"]) for name in EVERYBODY).tolist() == [0] * N
    flows = {}
    for name in EVERYBODY:
        flows[name] = [
            sum(
                ((line.receiver in mine) * 1 - (line.payer in mine) * 1) * ledger.journal[:, :, place]
                for place, line in enumerate(ledger.lines)
            )
            for mine in own_accounts(capital, name)
        ]
        cash, worth = sum(flows[name]), value[:, EVERYBODY.index(name)]
        np.testing.assert_array_equal(columns[f"{name}.cash"], cash.sum(axis=1) / 100)
        np.testing.assert_array_equal(columns[f"{name}.net"], columns[f"{name}.cash"] + columns[f"{name}.value"])
        npv = (cash * FACTORS[name][:, : HORIZON + 1]).sum(axis=1) / 100 + worth @ FACTORS[name][0, [6, 18]]
        np.testing.assert_allclose(columns[f"{name}.npv"], npv, rtol=1e-12, atol=1e-6)

    lenders = [name for name in EVERYBODY if own_accounts(capital, name)[0]]
    payers = [name for name in EVERYBODY if own_accounts(capital, name)[1]]
    assert (sorted(lenders_in(columns)), sorted(payers_in(columns))) == (sorted(lenders), sorted(payers))
    for name in lenders:
        back = flows[name][0].sum(axis=1) / 100 + columns[f"{name}.money_in"]
        np.testing.assert_allclose(columns[f"{name}.money_back"], back, atol=1e-6)
    for name in payers:
        np.testing.assert_allclose(columns[f"{name}.payment"], -flows[name][1].sum(axis=1) / 100, atol=1e-6)
        np.testing.assert_array_equal(columns[f"{name}.true_saving"], columns[f"{name}.value"])
    check_totals(columns, flows, lenders, payers)


def check_totals(columns, flows, lenders, payers):
    """Hold the totals of the roles to the sums of their parties; there are none where one party is alone."""
    assert ("all_lenders.net" in columns, "all_payers.net" in columns) == (len(lenders) > 1, len(payers) > 1)
    if len(lenders) > 1:
        for what in ("money_in", "money_back"):
            total = sum(columns[f"{name}.{what}"] for name in lenders)
            np.testing.assert_allclose(columns[f"all_lenders.{what}"], total, atol=1e-6)
        net = columns["all_lenders.money_back"] - columns["all_lenders.money_in"]
        npv = sum((flows[name][0] * FACTORS[name][:, : HORIZON + 1]).sum(axis=1) / 100 for name in lenders)
        np.testing.assert_allclose(columns["all_lenders.net"], net, atol=1e-6)
        np.testing.assert_allclose(columns["all_lenders.npv"], npv, rtol=1e-12, atol=1e-6)
    if len(payers) > 1:
        for what in ("payment", "true_saving"):
            total = sum(columns[f"{name}.{what}"] for name in payers)
            np.testing.assert_allclose(columns[f"all_payers.{what}"], total, atol=1e-6)
        net = columns["all_payers.true_saving"] - columns["all_payers.payment"]
        np.testing.assert_allclose(columns["all_payers.net"], net, atol=1e-6)
    assert total_of_lenders(columns) == ("all_lenders" if len(lenders) > 1 else lenders[0])
    assert total_of_payers(columns) == ("all_payers" if len(payers) > 1 else payers[0])


def test_parties__are_those_with_a_net_of_their_own_and_no_totals():
    # Source: the definition.
    columns = ["city.cash", "city.net", "all_payers.net", "tranche.loan.net", "bank.net", "all_lenders.net"]
    assert parties_of(dict.fromkeys(columns)) == ("city", "bank")


@settings(deadline=None, max_examples=sized(20, 60))
@given(deals())
def test_parts__add_up_to_the_same_whether_a_journal_is_kept_or_sums_alone(deal):
    # Invariant: the definition of a net and of its present value is one, for whole settlements and for sums.
    section, commitment, payments, _ = deal
    capital = CAPITAL.validate_python(section)
    plan, draws = planned(capital, N, commitment, HORIZON, parties=EVERYBODY, waves=WAVES, people=np.full((N, 2), 2))
    ledger = distribute(capital, plan, payments, draws)
    value = np.arange(N * len(EVERYBODY) * 2, dtype=np.float64).reshape(N, -1, 2)
    public_value = PublicValue(EVERYBODY, value, value)
    columns = left_with(ledger, public_value, FACTORS) | role_columns(ledger, public_value, FACTORS, with_returns=False)
    for name in (*EVERYBODY, *(total for total in ROLE_OF if f"{total}.net" in columns)):
        parts = parts_of(name, accounts_in_plan(capital, plan))
        cash = [ledger.cash_in(part.accounts) for part in parts]
        factors = [FACTORS[part.party] for part in parts]
        worth = [value[:, EVERYBODY.index(part.party)] if part.has_value else None for part in parts]
        found = add_parts(
            CashByPart(
                [one.sum(axis=1) for one in cash],
                [present_values(one, by[:, : HORIZON + 1]) for one, by in zip(cash, factors, strict=True)],
            ),
            [None if one is None else (over_years(one), value_today(one, by)) for one, by in zip(worth, factors, strict=True)],
            ledger.units,
        )
        np.testing.assert_array_equal(found.net, columns[f"{name}.net"])
        np.testing.assert_array_equal(found.npv, columns[f"{name}.npv"])


# ------------------------------------------------ two lenders by hand ------------------------------------------------


@pytest.fixture(scope="module")
def two():
    """Bank and foundation lend 60 and 40 at once; after a year 70 comes back: the bank gets its 60, the foundation 10."""
    section = {
        "tranches": {"senior": {"holder": "bank", "size": 60}, "junior": {"holder": "foundation", "size": 40}},
        "waterfall": {"one": {"principal": ["senior"]}, "two": {"principal": ["junior"]}, "last": {"rest": {"junior": 1}}},
    }
    parties = (*PARTIES, "bank", "foundation")
    return moved(capital_of(**section), payments_of({"term": [70.0, 70.0]}, {"term": 12}), 100, parties=parties), parties


def test_lenders__have_each_their_own_money(two):
    # Source: hand arithmetic. Bank: 60 in, 60 back. Foundation: 40 in, 10 back, at 25 % worth 8 today. All: 100 in, 70 back.
    ledger, parties = two
    factors = {name: discount_factors(0.25, "2030-01", 60)[None, :] for name in parties}
    columns = left_with(ledger, nothing_but_cash(2, parties), factors)
    columns |= role_columns(ledger, nothing_but_cash(2, parties), factors, with_returns=True)
    expected = {
        "bank.money_in": 60, "bank.money_back": 60, "bank.net": 0, "bank.moic": 1, "bank.irr": 0, "bank.peak_funding": 60,
        "bank.payback_months": 12, "bank.npv": 48 - 60,
        "foundation.money_in": 40, "foundation.money_back": 10, "foundation.net": -30, "foundation.moic": 0.25,
        "foundation.irr": -0.75, "foundation.peak_funding": 40, "foundation.payback_months": np.nan, "foundation.npv": 8 - 40,
        "all_lenders.money_in": 100, "all_lenders.money_back": 70, "all_lenders.net": -30, "all_lenders.moic": 0.7,
        "all_lenders.irr": -0.3, "all_lenders.peak_funding": 100, "all_lenders.npv": 56 - 100,
        "investor.net": 0, "investor.cash": 0, "outcome_payer.payment": 70, "outcome_payer.net": -70,
    }  # fmt: skip
    for name, value in expected.items():
        assert columns[name] == pytest.approx([value, value], nan_ok=True), name
    assert not any(name.startswith("investor.") and name.endswith((".moic", ".money_in")) for name in columns)
    assert "all_payers.payment" not in columns


def test_rate_of_mean_cash__is_that_of_the_lender(two):
    # Source: the root of the discounted sum of the mean cash, found by SciPy.
    ledger, _ = two
    for name, cash in lending_cash(ledger).items():
        mean = cash.mean(axis=0)
        root = brentq(lambda rate, mean=mean: mean @ (1 + rate) ** (-np.arange(len(mean)) / 12), -0.9, 1.0)
        assert root == pytest.approx({"bank": 0.0, "foundation": -0.75, "all_lenders": -0.3}[name], abs=1e-9)


def test_peak_funding__is_the_deepest_point_of_the_running_sum():
    # Source: hand arithmetic on running sums -10, -4, -12, 3 and 5, 0, 2, 2, in cents.
    assert peak_funding(np.array([[-1000, 600, -800, 1500], [500, -500, 200, 0]]), 100).tolist() == [12.0, 0.0]


def test_a_second_lender__changes_no_figure_of_the_first_where_it_changes_none_of_its_money():
    # Invariant: the bank pays in first and its 80 suffice, so that a second lender behind it is never asked for money.
    def figures(tranches, commitment):
        section = {"draws": "as_needed", "draw_order": "senior_first", "tranches": tranches}
        section |= {"costs": {"delivery": {"payee": "service_provider", "amount": 80}}}
        parties = (*PARTIES, "bank", "foundation")
        ledger = moved(capital_of(**section), payments_of({"term": [75.0, 90.0]}, {"term": 12}), commitment, parties=parties)
        factors = {name: discount_factors(0.05, "2030-01", 60)[None, :] for name in parties}
        value = nothing_but_cash(2, parties)
        return left_with(ledger, value, factors) | role_columns(ledger, value, factors, with_returns=True)

    bank = {"holder": "bank", "size": 100, "coupon_per_year": 0.04}
    alone = figures({"senior": bank}, 100)
    beside = figures({"senior": bank, "junior": {"holder": "foundation", "size": 50}}, 150)
    mine = [name for name in alone if name.startswith("bank.")]
    assert {"bank.money_in", "bank.money_back", "bank.irr", "bank.npv", "bank.peak_funding"} <= set(mine)
    gets_rest = {"bank.cash", "bank.net", "bank.npv", "bank.money_back", "bank.moic", "bank.irr"}
    for name in mine:
        # In the second replication more comes back than the bank is owed: the rest goes to whoever is last in line.
        rows = slice(0, 1) if name in gets_rest else slice(None)
        np.testing.assert_array_equal(alone[name][rows], beside[name][rows])
    assert (beside["foundation.money_in"] == 0).all()
    assert beside["foundation.money_back"].tolist() == pytest.approx([0.0, 90 - 80 * 1.04], abs=0.02)


def test_names__that_mean_something_else_in_results_are_refused():
    capital = capital_of()
    for name in sorted(RESERVED_NAMES):
        parties = {one: Party(name=one, discount_rate_per_year=0) for one in (*PARTIES, name)}
        ((path, rule, found, _),) = capital_rules(capital, parties, (), 100.0, ("all",), 24)
        assert (path, found) == (f"parties.{name}", f"`{name}`")
        assert rule.startswith("a party must have a name that means nothing else")
    assert {"all_lenders", "all_payers", "project"} <= RESERVED_NAMES
