"""Sums without a journal against the ledger, on random structures, however often the terms change.

Cash to the smallest unit; present values bit by bit where everybody walks, up to rounding where payments are added alone.
"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simengine.capital import AccountGroups, accounts_in_plan, distribute
from simengine.records import PROJECT, Payments
from simengine.risk.returns import present_values
from tests.capital.made import CAPITAL, draws_of, planned
from tests.capital.test_twin import EVERYBODY, HORIZON, WAVES, structures
from tests.conftest import sized

N = 3
OWING = ("outcome_payer", "region", "bank")
OWED = ("investor", "service_provider", "foundation")


@st.composite
def term_sheets(draw):
    """Return some terms, by whom and to whom they are owed and when, and what they come to under several sheets."""
    n_terms = draw(st.integers(1, 4))
    sides = tuple((draw(st.sampled_from(OWING)), draw(st.sampled_from(OWED))) for _ in range(n_terms))
    sheets = []
    for _ in range(3):
        amounts = [[[draw(st.floats(-2_000, 9_000)) for _ in range(2)] for _ in range(n_terms)] for _ in range(N)]
        months = [[draw(st.integers(0, HORIZON - 3)) for _ in range(2)] for _ in range(n_terms)]
        stop = draw(st.one_of(st.none(), st.lists(st.integers(-1, HORIZON), min_size=N, max_size=N)))
        names, by_due = tuple(f"t{t}" for t in range(n_terms)), np.round(np.array(amounts), 2)
        stops = None if stop is None else np.array(stop)
        sheets.append(Payments(names, sides, ("one", "other"), np.array(months), by_due, np.zeros(by_due.shape, np.int8), stops))
    return sheets


@st.composite
def payers(draw):
    """Return two who pay, one of them late and short."""
    late = {"share": 0.3, "pays_late_months": draw(st.floats(0, 3)), "pays_share": draw(st.floats(0, 1))}
    late |= {"late_interest_per_year": draw(st.floats(0, 1))} if draw(st.booleans()) else {}
    late |= (
        {"leaves_in_month": draw(st.floats(0, HORIZON + 2)), "recovered_share": draw(st.floats(0, 1))}
        if draw(st.booleans())
        else {}
    )
    return {"region": late, "outcome_payer": {"share": "rest"}} if draw(st.booleans()) else {}


def passed_on(structure):
    """Return a structure in which one lender gets all that comes in, in the month in which it comes."""
    section, commitment = structure
    kept = ("recycled_share", "guarantees", "grants", "distributed_from_month", "waterfall")
    section = {key: value for key, value in section.items() if key not in kept}
    section["costs"] = {
        name: {key: value for key, value in cost.items() if key not in ("deferred_share", "fails")}
        for name, cost in section.get("costs", {}).items()
        if "share_of_income" not in cost
    }
    section["tranches"] = {
        name: {key: value for key, value in tranche.items() if key != "revolving"} | {"holder": "bank"}
        for name, tranche in section["tranches"].items()
    }
    names = list(section["tranches"])
    for key in [key for key in section["tranches"][names[0]] if key.startswith("returns")]:
        del section["tranches"][names[0]][key]
    steps = [{"interest": names}, {"principal": names}, {"returns": dict.fromkeys(names, 1 / len(names))}]
    section["waterfall"] = {f"step_{place}": step for place, step in enumerate([*steps, {"rest": {names[0]: "rest"}}])}
    if not section["costs"]:
        del section["costs"]
        section |= {"drawdown_months": 3} if section.pop("draws", None) else {}
    return section, commitment


def compared(structure, paying, sheets, differs):
    """Compare sums with the ledger under one sheet after the other; return what added them up."""
    section, commitment = structure
    capital = CAPITAL.validate_python(section | ({"payers": paying} if paying else {}))
    replication = draws_of(N, capital__drawn_share=np.array([1.0, 0.6, 0.0]))
    plan, draws = planned(
        capital,
        N,
        commitment,
        HORIZON,
        draws=replication,
        parties=EVERYBODY,
        waves=WAVES,
        people=np.array([[3, 0], [1, 5], [0, 2]]),
    )
    accounts = accounts_in_plan(capital, plan)
    mine = [frozenset(one.name for one in accounts if name in (one.party, one.role)) for name in (*EVERYBODY, PROJECT)]
    factors = 1.02 ** -np.linspace(0, 3, len(mine) * HORIZON + len(mine)).reshape(len(mine), 1, HORIZON + 1)
    factors = factors * np.array([1.0, 0.9, 0.8])[None, :, None] if differs else factors
    account_groups = AccountGroups(capital, plan, mine, factors)

    for payments in sheets:
        ledger, found = distribute(capital, plan, payments, draws), account_groups.add_up(payments, draws)
        np.testing.assert_array_equal(found.drawn, ledger.drawn)
        for place, names in enumerate(mine):
            cash = ledger.cash_in(names)
            np.testing.assert_array_equal(found.cash[place], cash.sum(axis=1))
            # Sums of the same numbers in another order differ by their rounding, a part of the whole cash that moved.
            slack = 0.0 if account_groups._without is None else 1e-12 * np.abs(cash).sum(axis=1).max()
            np.testing.assert_allclose(found.today[place], present_values(cash, factors[place]), rtol=0, atol=slack)
    return account_groups


@settings(deadline=None, max_examples=sized(50, 150))
@given(structures(), payers(), term_sheets(), st.booleans())
def test_sums__are_those_of_the_ledger_under_one_sheet_after_the_other(structure, paying, sheets, differs):
    compared(structure, paying, sheets, differs)


@settings(deadline=None, max_examples=sized(50, 150))
@given(structures().map(passed_on), payers(), term_sheets(), st.booleans())
def test_sums__are_those_of_the_ledger_where_all_that_comes_in_is_passed_on(structure, paying, sheets, differs):
    for sheet in sheets:
        np.abs(sheet.by_due, out=sheet.by_due)

    account_groups = compared(structure, paying, sheets, differs)

    # What is owed to the project by a payer who is late or leaves may come back as a negative payment: then everybody walks.
    if not paying and all(sheet.stop_month is None for sheet in sheets):
        assert account_groups._without is not None
        assert account_groups._first is None
