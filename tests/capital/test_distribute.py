"""The plain loan and its ledger: hand cases, and conservation to the smallest unit on anything that can be drawn or paid."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simengine.capital.plan import in_equal_parts
from simengine.capital.pricing import smallest_units
from simengine.records import Payments
from tests.capital.made import PARTIES, capital_of, draws_of, moved, payments_of
from tests.conftest import sized

HORIZON = 24


def drawn_by(commitment, share, months, horizon=HORIZON):
    """Return what a loan draws by month when nothing is paid."""
    n = np.size(share)
    draws = draws_of(n, capital__drawn_share=share, capital__drawdown_months=months)
    capital = capital_of(drawn_share=1.0, drawdown_months=1)
    return moved(capital, payments_of({"none": np.zeros(n)}, {"none": 0}), commitment, horizon, draws=draws)


def loan_of(share, drawdown_months, amounts, months, commitment):
    """Move a loan and payments whose months differ from replication to replication."""
    draws = draws_of(
        len(share),
        capital__drawn_share=share,
        capital__drawdown_months=drawdown_months,
        **{f"capital__payment_month__{term}": month for term, month in months.items()},
    )
    capital = capital_of(drawn_share=1.0, drawdown_months=1, payment_month=dict.fromkeys(amounts, 0))
    return moved(capital, payments_of(amounts), commitment, HORIZON, draws=draws)


@pytest.mark.parametrize(
    ("commitment", "share", "months", "parts"),
    [
        (12.00, 1.0, 3, [400, 400, 400]),
        # 10.00 over 3 months: the running total is 3.33, 6.66, 10.00.
        (10.00, 1.0, 3, [333, 333, 334]),
        # 0.05 over 3 months: 1, 3 and 5 of the smallest unit so far.
        (0.05, 1.0, 3, [1, 2, 2]),
        (0.02, 1.0, 3, [0, 1, 1]),
        (100.0, 0.25, 1, [2500]),
        # Half a smallest unit is rounded to even: 12.5 to 12.
        (0.25, 0.5, 1, [12]),
        (100.0, 0.0, 2, [0, 0]),
        # A drawdown of 2.9 months takes two whole months.
        (1.00, 1.0, 2.9, [50, 50]),
    ],
)
def test_loan__draws_equal_parts_from_the_first_month(commitment, share, months, parts):
    # Source: hand arithmetic.
    ledger = drawn_by(commitment, np.array([share]), months)

    assert (-ledger.cash_in({"tranche.loan"})[0]).tolist() == parts + [0] * (HORIZON + 1 - len(parts))
    assert ledger.drawn.tolist() == [sum(parts) / 100]


def test_loan__draws_norrkoping_in_thirty_parts():
    # Source: hand arithmetic. 7.5 M over 30 months are 250,000 a month, 25,000,000 of the smallest unit.
    ledger = drawn_by(10e6, np.array([0.75]), 30, horizon=60)

    np.testing.assert_array_equal(ledger.cash("service_provider")[0], [25_000_000] * 30 + [0] * 31)


@settings(deadline=None, max_examples=sized(60, 200))
@given(
    st.floats(0, 1e15),
    st.lists(st.tuples(st.floats(0, 1), st.floats(1, HORIZON)), min_size=1, max_size=5),
)
def test_loan__sums_to_what_is_drawn_in_parts_that_differ_by_one_unit_at_most(commitment, draws):
    # Invariant: conservation; and the amount drawn is the share of the commitment to the smallest unit.
    share, months = (np.array(column) for column in zip(*draws, strict=True))

    flows = drawn_by(commitment, share, months).cash("service_provider")

    total = flows.sum(axis=1)
    for r in range(len(share)):
        parts = flows[r, : int(months[r])]
        assert parts.max() - parts.min() <= 1
        assert not flows[r, int(months[r]) :].any()
        assert parts.min() >= 0
        assert abs(int(total[r]) - commitment * 100 * share[r]) <= 0.5 + 1e-15 * commitment * 100


def test_loan__draws_the_whole_of_the_largest_commitment_to_the_unit():
    # Source: hand arithmetic. 1e15 is 10^17 of the smallest unit; over 7 months 14,285,714,285,714,285 or one more.
    flows = drawn_by(1e15, np.array([1.0]), 7).cash("service_provider")[0]

    assert flows.sum() == 10**17
    assert set(flows[:7].tolist()) == {14_285_714_285_714_285, 14_285_714_285_714_286}


def test_distribute__posts_every_flow_to_two_accounts():
    # Source: hand arithmetic. 3.00 drawn over two months; 2.00 paid in month 2 and 1.50 in month 4.
    ledger = moved(capital_of(drawdown_months=2), payments_of({"early": 2.0, "late": 1.5}, {"early": 2, "late": 4}), 3.0, 4)

    assert ledger.parties == ("outcome_payer", "investor", "service_provider")
    np.testing.assert_array_equal(ledger.cash("investor")[0], [-150, -150, 200, 0, 150])
    np.testing.assert_array_equal(ledger.cash("outcome_payer")[0], [0, 0, -200, 0, -150])
    np.testing.assert_array_equal(ledger.cash("service_provider")[0], [150, 150, 0, 0, 0])


def test_distribute__adds_terms_that_are_paid_in_the_same_month():
    # Source: hand arithmetic; 0.30 drawn in month 0, 0.10 and 0.25 paid in month 0.
    ledger = moved(capital_of(), payments_of({"one": 0.1, "two": 0.25}, {"one": 0, "two": 0}), 0.3, 1)

    assert [ledger.cash(party)[0].tolist() for party in PARTIES] == [[5, 0], [-35, 0], [30, 0]]


def test_distribute__sets_two_dates_of_a_term_in_one_month_against_each_other():
    # Source: hand arithmetic; 2.00 owed and 0.50 owed back in month 3 are 1.50, and 0.25 owed back in month 4 runs the other way.
    amounts, months = np.array([[[2.0, -0.5, -0.25]]]), np.array([[3, 3, 4]])
    payments = Payments(
        ("term",), (("outcome_payer", "investor"),), ("first", "second", "third"), months, amounts, np.zeros((1, 1, 3), np.int8)
    )

    ledger = moved(capital_of(), payments, 0.0, 4)

    assert ledger.cash("investor")[0].tolist() == [0, 0, 0, 150, -25]


def test_distribute__lets_each_payment_land_in_the_month_of_its_own_replication():
    # Source: hand arithmetic; a month of 3.7 is the month called 3, and the horizon itself is a date.
    months = np.array([0.0, 3.7, float(HORIZON)])

    ledger = loan_of(np.zeros(3), np.ones(3), {"term": [1.0, 2.0, 3.0]}, {"term": months}, 0.0)

    replication, month = np.nonzero(ledger.cash("investor"))
    assert (replication.tolist(), month.tolist()) == ([0, 1, 2], [0, 3, HORIZON])
    assert ledger.cash("investor")[replication, month].tolist() == [100, 200, 300]


@st.composite
def contracts(draw):
    """Return commitments, shares, months and payments of a few replications with a few terms."""
    n = draw(st.integers(1, 4))
    shares = draw(st.lists(st.floats(0, 1), min_size=n, max_size=n))
    drawdown_months = draw(st.lists(st.floats(1, HORIZON), min_size=n, max_size=n))
    terms = draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=4, unique=True))
    amounts = {term: draw(st.lists(st.floats(-1e9, 1e12), min_size=n, max_size=n)) for term in terms}
    months = {term: draw(st.lists(st.floats(0, HORIZON), min_size=n, max_size=n)) for term in terms}
    return draw(st.floats(0, 1e12)), np.array(shares), np.array(drawdown_months), amounts, months


@settings(deadline=None, max_examples=sized(40, 100))
@given(contracts())
def test_ledger__sums_to_zero_and_holds_what_was_drawn_and_paid(contract):
    # Invariant: conservation per replication and date; totals per party are the sums of what was drawn and what was paid.
    commitment, shares, drawdown_months, amounts, months = contract

    ledger = loan_of(shares, drawdown_months, amounts, months, commitment)

    cash = [ledger.cash(party) for party in PARTIES]
    assert all(flows.dtype == np.int64 for flows in cash)
    assert not sum(cash).any()
    drawn = in_equal_parts(np.round(commitment * 100 * shares).astype(np.int64), drawdown_months.astype(np.int64), HORIZON)
    paid = sum(smallest_units(np.array(amount), 100) for amount in amounts.values())
    expected = [paid - drawn.sum(axis=1), -paid, drawn.sum(axis=1)]
    np.testing.assert_array_equal([flows.sum(axis=1) for flows in cash], expected)


@settings(deadline=None, max_examples=sized(40, 100))
@given(contracts())
def test_ledger__without_the_drawdown_holds_the_payments_in_their_months(contract):
    # Invariant: each payment of each replication lands in its own month, whatever else is paid.
    _, shares, drawdown_months, amounts, months = contract

    received = loan_of(shares, drawdown_months, amounts, months, 0.0).cash("investor")

    expected = np.zeros_like(received)
    for term, amount in amounts.items():
        for r in range(len(shares)):
            expected[r, int(months[term][r])] += round(amount[r] * 100)
    np.testing.assert_array_equal(received, expected)


@pytest.mark.parametrize(
    ("amount", "units"),
    [
        (0.0, 0),
        (1.0, 100),
        (0.005, 0),
        (0.015, 2),
        (0.125, 12),
        (0.375, 38),
        (-0.125, -12),
        (-0.375, -38),
        # 0.29 x 100 is 28.999999999999996 in binary, and 1.1 x 100 is 110.00000000000001.
        (0.29, 29),
        (1.1, 110),
        (1e13 + 0.25, 10**15 + 25),
    ],
)
def test_smallest_units__rounds_half_to_even(amount, units):
    # Source: hand arithmetic; 1/8 and 3/8 are exact in binary, so they are true ties.
    got = smallest_units(np.array([amount]), 100)

    assert got.dtype == np.int64
    assert got.tolist() == [units]
