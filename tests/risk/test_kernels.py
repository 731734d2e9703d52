"""Internal rates of return: hand cases, closed forms, SciPy, every status, and what must not change a rate."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import optimize, special

from simengine.risk.kernels import STATUSES, internal_rates
from tests.conftest import sized


def rates_of(cash):
    """Return the yearly rate and the word of the status of each row of monthly cash."""
    cash = np.atleast_2d(np.asarray(cash, dtype=np.float64))
    rate, status = np.empty(len(cash)), np.empty(len(cash), dtype=np.int8)
    internal_rates(cash, rate, status)
    return rate, [STATUSES[code] for code in status]


def rate_of(cash):
    (rate,), (status,) = rates_of(cash)
    return rate, status


def monthly(flows, n_months=None):
    """Put flows into the months that are their keys."""
    row = np.zeros(n_months or max(flows) + 1)
    for month, amount in flows.items():
        row[month] += amount
    return row


def yearly(*flows):
    return monthly({12 * year: amount for year, amount in enumerate(flows)})


def present_value(rate, row):
    return float(row @ (1 + rate) ** (-np.arange(len(row)) / 12))


@pytest.mark.parametrize(
    ("row", "expected", "tolerance"),
    [
        # Twice 60 on 100: v = (-60 + sqrt(60^2 + 4 x 60 x 100)) / 120 = 0.884437, 1 / v - 1 = 0.13066239.
        (yearly(-100, 60, 60), 0.13066239, 5e-9),
        # An annuity of 5 x 25 on 100.
        (yearly(-100, 25, 25, 25, 25, 25), 0.07930826, 5e-9),
        # A bond of 5 % bought at par pays 5 %, whatever its length.
        (yearly(-100, *[5] * 9, 105), 0.05, 1e-12),
        # 40 % back after 54 months: 0.4^(12 / 54) - 1.
        (monthly({0: -10, 54: 4}), 0.4 ** (12 / 54) - 1, 1e-12),
        (monthly({0: -10, 54: 4}), -0.1842, 5e-5),
        # Educate Girls: 414,085 after three years for 270,000.
        (monthly({0: -270_000, 36: 414_085}), 0.153, 5e-4),
        (monthly({0: -270_000, 36: 414_085}), (414_085 / 270_000) ** (1 / 3) - 1, 1e-12),
        # Doubled within a month: 2^12 - 1.
        (monthly({0: -1, 1: 2}), 4095.0, 1e-8),
        # A tenth back after a month: 0.1^12 - 1.
        (monthly({0: -1, 1: 0.1}), 0.1**12 - 1, 1e-12),
        # The same money back: 0.
        (monthly({0: -5, 3: -5, 40: 10}), 0.0, 1e-12),
        # Money first, repaid later: 100 borrowed at 10 %.
        (yearly(100, -10, -110), 0.10, 1e-12),
        # Nothing happens in the first months: waiting changes no rate.
        (monthly({7: -100, 19: 110}), 0.10, 1e-12),
        # Forty times 1 on 10: the rate i at which (1 - (1 + i)^-40) / i = 10, by scipy.optimize.brentq.
        (yearly(-10, *[1] * 40), optimize.brentq(lambda i: (1 - (1 + i) ** -40) / i - 10, 0.01, 0.5, xtol=1e-15), 1e-11),
    ],
)
def test_rate__equals_hand_arithmetic(row, expected, tolerance):
    # Source: hand arithmetic or closed form, shown beside each case.
    rate, status = rate_of(row)

    assert status == "found"
    assert rate == pytest.approx(expected, abs=tolerance)


def test_rate__has_two_values_where_the_sign_changes_twice():
    # Source: hand arithmetic. -1 + 2.3 v - 1.32 v^2 = -(1 - 1.1 v)(1 - 1.2 v), so both 10 % and 20 % discount it to 0.
    row = yearly(-1, 2.3, -1.32)
    assert present_value(0.1, row) == pytest.approx(0, abs=1e-15)
    assert present_value(0.2, row) == pytest.approx(0, abs=1e-15)

    rate, status = rate_of(row)

    assert (np.isnan(rate), status) == (True, "several_roots")


def test_rate__has_no_value_where_no_rate_discounts_to_zero():
    # Source: hand arithmetic. -1 + 2 v - 1.5 v^2 has the discriminant 4 - 6 < 0.
    rate, status = rate_of(yearly(-1, 2, -1.5))

    assert (np.isnan(rate), status) == (True, "no_root")


def test_rate__is_found_where_three_changes_of_sign_leave_one_root():
    # Source: hand arithmetic. (1 - 1.1 v)(-1 + 0.2 v - 0.5 v^2) = -1 + 1.3 v - 0.72 v^2 + 0.55 v^3, and the second factor has
    # the discriminant 0.04 - 2 < 0: 10 % is the only rate.
    rate, status = rate_of(yearly(-1, 1.3, -0.72, 0.55))

    assert status == "found"
    assert rate == pytest.approx(0.10, abs=1e-12)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([-1.0, -2.0, 0.0], (-1.0, "total_loss")),
        ([-1e-9], (-1.0, "total_loss")),
        ([0.0, 3.0, 1.0], (np.nan, "no_cost")),
        ([0.0, 0.0], (np.nan, "no_sign_change")),
        ([], (np.nan, "no_sign_change")),
    ],
)
def test_status__names_what_has_no_rate(row, expected):
    # Source: the definitions; all that is paid in is lost, or nothing is paid in.
    rate, status = rate_of(np.array([row]))

    np.testing.assert_array_equal(rate, expected[0])
    assert status == expected[1]


def test_rows__do_not_meet():
    # Invariant: each row is settled by itself, whatever stands beside it.
    rows = np.stack(
        [monthly(flows, 61) for flows in ({0: -100, 60: 150}, {0: -1}, {5: 1}, {0: -1, 12: 2.3, 24: -1.32}, {0: -100, 60: 50})]
    )

    rate, status = rates_of(rows)

    assert status == ["found", "total_loss", "no_cost", "several_roots", "found"]
    np.testing.assert_array_equal(rate, [rate_of(row)[0] for row in rows])
    assert rate[0] == pytest.approx(1.5**0.2 - 1)
    assert rate[4] == pytest.approx(0.5**0.2 - 1)


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 7.0, 1e6, 1e15])
@pytest.mark.parametrize("flows", [(-100, 60, 60), (-1, 2.3, -1.32), (-1, 2, -1.5), (-100, 1, 1), (-1, 1.3, -0.72, 0.55)])
def test_rate__does_not_depend_on_the_unit_of_money(flows, scale):
    # Invariant: scaling all cash leaves the rate.
    expected, expected_status = rate_of(yearly(*flows))

    rate, status = rate_of(scale * yearly(*flows))

    assert status == expected_status
    np.testing.assert_allclose(rate, expected, rtol=1e-10)


@pytest.mark.parametrize("delay", [1, 60, 400])
def test_rate__does_not_depend_on_the_month_that_is_called_zero(delay):
    # Invariant: a delay of everything leaves the rate.
    row = yearly(-100, 60, 60)

    rate, status = rate_of(np.concatenate([np.zeros(delay), row, np.zeros(delay)]))

    assert status == "found"
    assert rate == pytest.approx(rate_of(row)[0], abs=1e-12)


@pytest.mark.parametrize("yearly_rate", [-0.9999, -0.9, -0.3, -0.01, 0.0, 0.02, 0.3, 2.0])
def test_rate__is_found_over_forty_years(yearly_rate):
    # Source: closed form. 480 monthly payments of 1 are worth the sum of v^t at the start.
    growth = (1 + yearly_rate) ** (1 / 12)
    price = sum(growth**-t for t in range(1, 481))

    rate, status = rate_of(np.concatenate([[-price], np.ones(480)]))

    assert status == "found"
    assert rate == pytest.approx(yearly_rate, abs=1e-9)


CONVENTIONAL = st.tuples(
    st.lists(st.floats(1, 1e6), min_size=1, max_size=40),
    st.lists(st.just(0.0) | st.floats(1, 1e6), min_size=1, max_size=80).filter(any),
    st.integers(0, 24),
)


@settings(deadline=None, max_examples=sized(50, 150))
@given(CONVENTIONAL)
def test_rate__agrees_with_scipy_on_conventional_cash(flows):
    # Source: scipy.optimize.brentq on the present value as a function of the logarithm of the monthly growth.
    paid_in, received, pause = flows
    row = np.concatenate([-np.array(paid_in), np.zeros(pause), np.array(received)])
    months = np.arange(len(row))

    def gap(x):
        log_of_sums = [special.logsumexp(np.log(abs(row[part])) + x * months[part]) for part in (row > 0, row < 0)]
        return log_of_sums[0] - log_of_sums[1]

    edge = 0.1
    while gap(-edge) * gap(edge) > 0:
        edge *= 1.5
    expected = np.expm1(-12 * optimize.brentq(gap, -edge, edge, xtol=1e-14, rtol=1e-14))

    rate, status = rate_of(row)

    assert status == "found"
    assert rate == pytest.approx(expected, rel=1e-8, abs=1e-10)


@settings(deadline=None, max_examples=sized(40, 100))
@given(CONVENTIONAL, st.floats(1.0, 2.0))
def test_rate__rises_with_what_comes_back(flows, factor):
    # Invariant: more money back on the same dates is no lower rate.
    paid_in, received, pause = flows
    row = np.concatenate([-np.array(paid_in), np.zeros(pause), np.array(received)])
    better = np.where(row > 0, factor * row, row)

    (rate, better_rate), _ = rates_of(np.stack([row, better]))

    assert better_rate >= rate - 1e-9 * (1 + abs(rate))


@settings(deadline=None, max_examples=sized(40, 100))
@given(st.lists(st.floats(-0.5, 1.0), min_size=2, max_size=2, unique=True), st.floats(1, 1e6))
def test_status__is_several_roots_wherever_two_rates_are_well_apart(rates, scale):
    # Source: hand arithmetic. -(1 - (1 + i) v)(1 - (1 + j) v) is 0 at both rates; apart by at least 9 % in (1 + i) / (1 + j),
    # which is two cells of the scan.
    one, other = (1 + rate for rate in rates)
    assume(max(one, other) / min(one, other) > 1.09)

    assert rate_of(scale * yearly(-1, one + other, -one * other))[1] == "several_roots"


@pytest.mark.parametrize(("one", "other"), [(0.10, 0.12), (0.10, 0.11), (0.0, 0.02)])
def test_status__is_several_roots_where_two_rates_are_close(one, other):
    # Source: hand arithmetic. -(1 - (1 + i) v)(1 - (1 + j) v).
    assert rate_of(yearly(-1, 2 + one + other, -(1 + one) * (1 + other)))[1] == "several_roots"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (monthly({0: -1, 6: 5e-5}, 481), 5e-5**2),
        (monthly({0: -1, 12: 4e-9}, 481), 4e-9),
        (monthly({400: -1, 401: 10}, 481), 1e12),
    ],
)
def test_rate__does_not_depend_on_many_months_without_cash(row, expected):
    # Invariant: months without cash before or after all flows change no rate; compared as 1 + rate.
    rate, status = rate_of(row)

    assert status == "found"
    assert 1 + rate == pytest.approx(expected, rel=1e-6)


def test_rate__of_money_first_and_little_repaid_is_found_however_far():
    # Source: hand arithmetic. Ten are received and 1 is paid a month later: a tenth a month, 0.1^12 - 1 a year.
    rate, status = rate_of(monthly({400: 10, 401: -1}, 481))

    assert status == "found"
    assert 1 + rate == pytest.approx(0.1**12, rel=1e-6)


def test_rate__of_80_per_cent_a_month_is_found_among_three_changes_of_sign():
    # Source: hand arithmetic. (1 - 1.8 v)(-1 + 0.2 v - 0.5 v^2) = -1 + 2 v - 0.86 v^2 + 0.9 v^3, and the second factor has no root.
    rate, status = rate_of(monthly({0: -1, 1: 2, 2: -0.86, 3: 0.9}))

    assert status == "found"
    assert rate == pytest.approx(1.8**12 - 1, rel=1e-9)
