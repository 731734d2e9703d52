"""What parties spend themselves: by hand, against the slow twin, and by the distributions of the ledger; in the units of any currency."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simengine.capital import AccountGroups, accounts_in_plan, distribute
from simengine.config import load_study
from simengine.distributions import quantities_in
from simengine.errors import StudyError
from simengine.pipeline import evaluate, simulate
from simengine.records import PROJECT, SUPPLIERS
from simengine.risk.returns import present_values
from tests.capital.made import CAPITAL, PARTIES, capital_of, draws_of, moved, parties_of, payments_of, planned
from tests.capital.test_add_up import N, payers, term_sheets
from tests.capital.test_twin import EVERYBODY, HORIZON, WAVES, draws, one_of_lists, structures
from tests.conftest import sized
from tests.reference.money import spend, walk_money

NOTHING = ({"term": 0.0}, {"term": 12})


def by_line(ledger, prefix):
    """Return by line what was posted in which month, in the currency."""
    journal = {line.name: ledger.journal[0, :, place] for place, line in enumerate(ledger.lines)}
    return {
        name: {int(m): flows[m] / 100 for m in np.flatnonzero(flows)} for name, flows in journal.items() if name.startswith(prefix)
    }


def test_provider__that_spends_more_than_it_is_paid_loses_money():
    # Source: hand arithmetic. The provider gets 1,000 and spends 3 months of 250 and 4 people at 100, half in each of two months,
    # who enter over months 0 and 1: 100 + 200 + 100. It is 150 short; staff and landlords, outside the study, get 1,150.
    costs = {
        "service_provider": {"salaries": {"per_month": 250, "until_month": 2}, "places": {"per_person": 100, "over_months": 2}}
    }

    ledger = moved(capital_of(), payments_of(*NOTHING), 1_000, costs=costs, waves={"all": (0, 2)}, people=[[4]])

    assert by_line(ledger, "own_cost") == {
        "own_cost.service_provider.salaries": {0: 250, 1: 250, 2: 250},
        "own_cost.service_provider.places": {0: 100, 1: 200, 2: 100},
    }
    assert ledger.cash("service_provider").sum() == -150_00
    assert ledger.cash(SUPPLIERS).sum() == 1_150_00
    assert set(ledger.parties) == {*PARTIES, SUPPLIERS}


def test_costs__go_to_the_party_that_is_named_and_to_nobody_else():
    # Source: hand arithmetic. The payer pays an auditor 40 in month 3, rising by 21 % a year: 121 in month 12.
    costs = {"outcome_payer": {"audit": {"amount": 100, "from_month": 12, "growth_per_year": 0.21, "payee": "auditor"}}}

    ledger = moved(capital_of(), payments_of(*NOTHING), 1_000, costs=costs, parties=(*PARTIES, "auditor"))

    assert by_line(ledger, "own_cost") == {"own_cost.outcome_payer.audit": {12: 121}}
    assert ledger.cash("auditor").sum() == 121_00 == -ledger.cash("outcome_payer").sum()
    assert SUPPLIERS not in ledger.parties


def test_stop__ends_what_parties_spend_as_it_ends_what_the_project_pays():
    # Source: hand arithmetic: 10 a month to month 5, whose own cost is still paid; nothing once in month 9.
    costs = {"investor": {"fees": {"per_month": 10}}, "service_provider": {"exit": {"amount": 70, "from_month": 9}}}

    ledger = moved(capital_of(), payments_of(*NOTHING, stop=[5]), 1_000, costs=costs)

    assert by_line(ledger, "own_cost") == {
        "own_cost.investor.fees": dict.fromkeys(range(6), 10),
        "own_cost.service_provider.exit": {},
    }


@st.composite
def spending(draw):
    """Return what some parties spend themselves, in every form."""
    found = {}
    for party in draw(one_of_lists(("service_provider", "outcome_payer", "investor", "region"))):
        costs = {}
        for name in draw(one_of_lists(("salaries", "places"))):
            form = draw(st.sampled_from(["amount", "per_month", "per_person"]))
            cost = {form: draw(st.floats(0, 2_000))}
            if form in ("amount", "per_month"):
                cost["from_month"] = draw(st.integers(0, 5))
            if form == "per_month":
                cost["until_month"] = draw(st.integers(5, HORIZON))
            if form == "per_person":
                cost |= {"over_months": draw(st.integers(1, 5)), "waves": draw(one_of_lists(tuple(WAVES)))}
            if draw(st.booleans()):
                cost["growth_per_year"] = draw(st.floats(-0.1, 0.2))
            payee = draw(st.sampled_from(["bank", "guarantor", None]))
            costs[name] = cost | ({} if payee is None else {"payee": payee})
        found[party] = costs
    return found


@settings(max_examples=sized(50, 150))
@given(draws(), spending(), st.sampled_from([1, 100, 1_000, 10_000]))
def test_spending__equals_its_plain_twin_and_leaves_all_other_lines_alone(replication, costs, units):
    # Source: the slow twin in tests/reference/money.py; in yen, crowns, dinars and units of account alike.
    section, commitment, income, people, stop = replication
    capital, months = CAPITAL.validate_python(section), {term: int(term.removeprefix("term_")) for term in income}
    options = {"parties": EVERYBODY, "waves": WAVES, "people": np.array([people]), "units": units}
    payments = payments_of(income, months, stop=[stop])
    ledger = moved(capital, payments, commitment, HORIZON, costs=costs, **options)
    without = moved(capital, payments, commitment, HORIZON, **options)

    parties, by_month = parties_of(EVERYBODY, costs), [0] * (HORIZON + 1)
    for term, amount in income.items():
        by_month[months[term]] += round(amount * units)
    numbers = {path: number.value for path, number in [*quantities_in(capital, "capital"), *quantities_in(parties, "parties")]}
    counts, until = dict(zip(WAVES, people, strict=True)), None if stop < 0 else stop
    lines, _ = walk_money(capital, commitment, HORIZON, WAVES, numbers.get, counts, by_month, until, units)
    lines |= spend(parties, HORIZON, WAVES, numbers.get, counts, until, units)
    got = {line.name: ledger.journal[0, :, place].tolist() for place, line in enumerate(ledger.lines)}
    assert {name: flows for name, flows in got.items() if not name.startswith("term.") and any(flows)} == {
        name: flows for name, flows in lines.items() if any(flows)
    }

    own = [line.name.startswith("own_cost.") for line in ledger.lines]
    np.testing.assert_array_equal(ledger.journal[:, :, ~np.array(own)], without.journal)
    names = [account.name for account in ledger.accounts if account.name != PROJECT]
    assert not (ledger.cash_in(set(names)) + ledger.cash(PROJECT)).any()


@settings(max_examples=sized(20, 60))
@given(structures(), payers(), term_sheets(), spending(), st.booleans())
def test_sums__hold_what_parties_spend_under_one_sheet_after_the_other(structure, paying, sheets, costs, asks):
    # Source: the ledger.
    section, commitment = structure
    capital = CAPITAL.validate_python(section | ({"payers": paying} if paying else {}))
    replication = draws_of(N, capital__drawn_share=np.array([1.0, 0.6, 0.0]))
    people = np.array([[3, 0], [1, 5], [0, 2]])
    plan, drawn = planned(
        capital, N, commitment, HORIZON, draws=replication, parties=EVERYBODY, waves=WAVES, people=people, costs=costs
    )
    mine = [frozenset(one.name for one in accounts_in_plan(capital, plan) if one.party == name) for name in (*EVERYBODY, SUPPLIERS)]
    factors = 1.02 ** -np.linspace(0, 3, len(mine) * (HORIZON + 1)).reshape(len(mine), 1, HORIZON + 1)
    account_groups = AccountGroups(capital, plan, mine, factors, asks)

    for payments in sheets:
        ledger, found = distribute(capital, plan, payments, drawn), account_groups.add_up(payments, drawn)
        for place, names in enumerate(mine):
            cash = ledger.cash_in(names)
            np.testing.assert_array_equal(found.cash[place], cash.sum(axis=1))
            np.testing.assert_array_equal(found.today[place], present_values(cash, factors[place]))
        if asks:
            np.testing.assert_array_equal(found.drawn_by_month, ledger.drawn_by_month)


# ---------------------------------------------------- in a study ----------------------------------------------------

SALARIES = "parties.service_provider.costs={salaries: {per_month: {distribution: lognormal, interval_90: [80_000, 110_000]}}}"


def test_study__in_which_the_provider_may_lose_keeps_everything_else(tiny_path):
    # Invariants: net is cash and value; over all parties and suppliers cash sums to zero; nothing else of the study moves, bit for
    # bit.
    plain, spent = (load_study(tiny_path, overrides) for overrides in ([], [SALARIES]))
    before, after = (evaluate(study, simulate(study, 5, np.arange(400))) for study in (plain, spent))

    salaries = -(after["service_provider.cash"] - before["service_provider.cash"])
    assert (salaries > 0).all()
    np.testing.assert_allclose(after["suppliers.cash"], salaries)
    loses = after["service_provider.net"] < 0
    assert 0.1 < loses.mean() < 0.999
    cash = sum(after[f"{party}.cash"] for party in (*plain.parties, "suppliers"))
    np.testing.assert_allclose(cash, 0, atol=1e-6)
    for name, column in before.columns.items():
        if not name.startswith("service_provider."):
            np.testing.assert_array_equal(after[name], column)


PARTY = "{name: x, discount_rate_per_year: 0}"
ROLES = ", ".join(f"{name}: {PARTY}" for name in PARTIES)
REFUSED = {
    "parties.service_provider.costs={a: {amount: 2e15}}": r"an amount of money must lie between 0 and 1e15; found 2e\+15",
    "parties.service_provider.costs={a: {amount: {distribution: normal, mean: 1, sd: 1}}}": r"money must lie between 0 and 1e15",
    "parties.service_provider.costs={a: {amount: 1, per_month: 2}}": r"one of amount, per_month, per_person; found",
    "parties.service_provider.costs={a: {share_of_income: 0.1}}": r"costs\.a\.share_of_income",
    "parties.service_provider.costs={a: {amount: 1, waves: [all]}}": r"costs\.a\.waves: a cost by `amount` must have no `waves`",
    "parties.service_provider.costs={a: {per_person: 1, waves: [b]}}": r"costs\.a\.waves: must be a wave of the population; found `b`",
    "parties.service_provider.costs={a: {amount: 1, from_month: 99}}": r"costs\.a\.from_month: a cost must fall due within the horizon",
    "parties.investor.costs={a: {amount: 1, payee: bank}}": r"parties\.investor\.costs\.a\.payee: it must be a party of the study; "
    r"found `bank`\. One of: investor, outcome_payer, service_provider",
    "parties.investor.costs={a: {amount: 1, payee: investor}}": r"what a party spends must go to another; found `investor` itself",
    f"parties={{{ROLES}, suppliers: {PARTY}}}": r"a name that means nothing else in the results; found `suppliers`",
    f"parties={{{ROLES}, project: {PARTY}}}": r"a name that means nothing else in the results; found `project`",
}


@pytest.mark.parametrize("override", REFUSED)
def test_costs__that_do_not_fit_are_refused(tiny_path, override):
    with pytest.raises(StudyError, match=REFUSED[override]):
        load_study(tiny_path, [override])
