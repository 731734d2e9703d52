"""Drawdown and ledger: hand cases, and conservation to the smallest unit on anything that can be drawn or paid."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simengine.capital import distribute, draw_down
from simengine.capital.distribute import INVESTOR, OUTCOME_PAYER, PARTIES, SERVICE_PROVIDER, smallest_units
from simengine.records import Drawdown, Worlds
from tests.conftest import payments_once

HORIZON = 24


def worlds_of(n, **values):
    """Make worlds from values by path; double underscores stand for dots, and a single number for the same in every world."""
    drawn = {name.replace("__", "."): np.broadcast_to(np.asarray(value, np.float64), n) for name, value in values.items()}
    return Worlds(seed=0, replications=np.arange(n), values=drawn)


def drawn_by(commitment, share, months, horizon=HORIZON):
    worlds = worlds_of(np.size(share), capital__drawn_share=share, capital__drawdown_months=months)
    return draw_down(commitment, worlds, horizon)


def payments_of(**amounts):
    amount = np.stack([np.asarray(column, np.float64) for column in amounts.values()], axis=1)
    return payments_once(amount, *amounts)


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
def test_draw_down__draws_equal_parts_from_the_first_month(commitment, share, months, parts):
    # Source: hand arithmetic.
    drawdown = drawn_by(commitment, np.array([share]), months)

    assert drawdown.flows[0].tolist() == parts + [0] * (HORIZON + 1 - len(parts))
    assert drawdown.total.tolist() == [sum(parts) / 100]


def test_draw_down__draws_norrkoping_in_thirty_parts():
    # Source: hand arithmetic. 7.5 M over 30 months are 250,000 a month, 25,000,000 of the smallest unit.
    drawdown = drawn_by(10e6, np.array([0.75]), 30, horizon=60)

    np.testing.assert_array_equal(drawdown.flows[0], [25_000_000] * 30 + [0] * 31)


@settings(deadline=None, max_examples=200)
@given(
    st.floats(0, 1e15),
    st.lists(st.tuples(st.floats(0, 1), st.floats(1, HORIZON)), min_size=1, max_size=5),
)
def test_draw_down__sums_to_what_is_drawn_in_parts_that_differ_by_one_unit_at_most(commitment, draws):
    # Law: conservation; and the amount drawn is the share of the commitment to the smallest unit.
    share, months = (np.array(column) for column in zip(*draws, strict=True))

    drawdown = drawn_by(commitment, share, months)

    total = drawdown.flows.sum(axis=1)
    for r in range(len(share)):
        parts = drawdown.flows[r, : int(months[r])]
        assert parts.max() - parts.min() <= 1
        assert not drawdown.flows[r, int(months[r]) :].any()
        assert parts.min() >= 0
        assert abs(int(total[r]) - commitment * 100 * share[r]) <= 0.5 + 1e-15 * commitment * 100
    np.testing.assert_allclose(drawdown.total, total / 100)


def test_draw_down__draws_the_whole_of_the_largest_commitment_to_the_unit():
    # Source: hand arithmetic. 1e15 is 10^17 of the smallest unit; over 7 months 14,285,714,285,714,285 or one more.
    flows = drawn_by(1e15, np.array([1.0]), 7).flows[0]

    assert flows.sum() == 10**17
    assert set(flows[:7].tolist()) == {14_285_714_285_714_285, 14_285_714_285_714_286}


def test_distribute__posts_every_flow_to_two_accounts():
    # Source: hand arithmetic. 3.00 drawn over two months; 2.00 paid in month 2 and 1.50 in month 4.
    drawdown = Drawdown(np.array([[150, 150, 0, 0, 0]]))
    worlds = worlds_of(1, capital__payment_month__early=2, capital__payment_month__late=4)

    ledger = distribute(drawdown, payments_of(early=[2.0], late=[1.5]), worlds)

    assert ledger.parties == PARTIES == ("investor", "outcome_payer", "service_provider")
    np.testing.assert_array_equal(ledger.flows[0, :, INVESTOR], [-150, -150, 200, 0, 150])
    np.testing.assert_array_equal(ledger.flows[0, :, OUTCOME_PAYER], [0, 0, -200, 0, -150])
    np.testing.assert_array_equal(ledger.flows[0, :, SERVICE_PROVIDER], [150, 150, 0, 0, 0])


def test_distribute__adds_terms_that_are_paid_in_the_same_month():
    # Source: hand arithmetic; 0.30 drawn in month 0, 0.10 and 0.25 paid in month 0.
    worlds = worlds_of(1, capital__payment_month__one=0, capital__payment_month__two=0.99)

    ledger = distribute(Drawdown(np.array([[30, 0]])), payments_of(one=[0.1], two=[0.25]), worlds)

    np.testing.assert_array_equal(ledger.flows[0], [[5, -35, 30], [0, 0, 0]])


def test_distribute__lets_each_payment_land_in_the_month_of_its_own_world():
    # Source: hand arithmetic; a month of 3.7 is the month called 3, and the horizon itself is a date.
    months = np.array([0.0, 3.7, float(HORIZON)])
    worlds = worlds_of(3, capital__payment_month__term=months)

    ledger = distribute(Drawdown(np.zeros((3, HORIZON + 1), np.int64)), payments_of(term=[1.0, 2.0, 3.0]), worlds)

    replication, month = np.nonzero(ledger.flows[:, :, INVESTOR])
    assert (replication.tolist(), month.tolist()) == ([0, 1, 2], [0, 3, HORIZON])
    assert ledger.flows[replication, month, INVESTOR].tolist() == [100, 200, 300]


@st.composite
def contracts(draw):
    """Give commitments, shares, months and payments of a few worlds with a few terms."""
    n = draw(st.integers(1, 4))
    shares = draw(st.lists(st.floats(0, 1), min_size=n, max_size=n))
    drawdown_months = draw(st.lists(st.floats(1, HORIZON), min_size=n, max_size=n))
    terms = draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=4, unique=True))
    amounts = {term: draw(st.lists(st.floats(-1e9, 1e12), min_size=n, max_size=n)) for term in terms}
    months = {term: draw(st.lists(st.floats(0, HORIZON), min_size=n, max_size=n)) for term in terms}
    return draw(st.floats(0, 1e12)), np.array(shares), np.array(drawdown_months), amounts, months


@settings(deadline=None, max_examples=100)
@given(contracts())
def test_ledger__sums_to_zero_and_holds_what_was_drawn_and_paid(contract):
    # Law: conservation per replication and date; totals per party are the sums of what was drawn and what was paid.
    commitment, shares, drawdown_months, amounts, months = contract
    drawdown = drawn_by(commitment, shares, drawdown_months)
    worlds = worlds_of(len(shares), **{f"capital__payment_month__{term}": month for term, month in months.items()})

    ledger = distribute(drawdown, payments_of(**amounts), worlds)

    assert ledger.flows.dtype == np.int64
    assert not ledger.flows.sum(axis=2).any()
    drawn = drawdown.flows.sum(axis=1)
    paid = sum(smallest_units(np.array(amount)) for amount in amounts.values())
    np.testing.assert_array_equal(ledger.flows.sum(axis=1), np.stack([paid - drawn, -paid, drawn], axis=1))


@settings(deadline=None, max_examples=100)
@given(contracts())
def test_ledger__without_the_drawdown_holds_the_payments_in_their_months(contract):
    # Law: each payment of each world lands in its own month, whatever else is paid.
    _, shares, _, amounts, months = contract
    nothing = Drawdown(np.zeros((len(shares), HORIZON + 1), np.int64))
    worlds = worlds_of(len(shares), **{f"capital__payment_month__{term}": month for term, month in months.items()})

    received = distribute(nothing, payments_of(**amounts), worlds).flows[:, :, INVESTOR]

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
    got = smallest_units(np.array([amount]))

    assert got.dtype == np.int64
    assert got.tolist() == [units]
