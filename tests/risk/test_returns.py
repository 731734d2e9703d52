"""Returns of anybody's cash: published deals, hand arithmetic, pyxirr, the roots of NumPy's polynomials."""

import numpy as np
import pytest
import pyxirr

from simengine.risk.returns import (
    PAYBACK_STATUSES,
    STATUSES,
    multiples,
    numbers_of_rates,
    payback_times,
    present_values,
    rates_of_return,
)
from tests.conftest import sized


def monthly(flows, n_months=None):
    row = np.zeros(n_months or max(flows) + 1)
    for month, amount in flows.items():
        row[month] = amount
    return row


def found(rates):
    assert [STATUSES[code] for code in rates.status] == ["found"] * len(rates.status)
    return rates.rate


# ---------------------------------------------- rates of return ----------------------------------------------


def test_rates__are_those_of_the_rikers_ladder():
    # Source: socialventures.com.au, case study of the Rikers Island bond: 5.1, 3.3, 1.9, 1.5, 1.2 and 0 % a year over four years,
    # for city payments of 11.712, 10.944, 10.368, 10.176, 10.080 and 9.6 million on 9.6 million.
    payments = [11_712_000, 10_944_000, 10_368_000, 10_176_000, 10_080_000, 9_600_000]
    cash = np.stack([monthly({0: -9_600_000, 48: payment}) for payment in payments])

    np.testing.assert_array_equal(np.round(100 * found(rates_of_return(cash)), 1), [5.1, 3.3, 1.9, 1.5, 1.2, 0.0])


def test_multiples__a_quarter_of_the_principal_is_lost_where_the_guarantee_alone_pays():
    # Source: hand arithmetic on the same contract: 7.2 of 9.6 million guaranteed; stopped early, 6.0 of 7.2 million.
    got = multiples(np.array([7_200_000, 6_000_000]), np.array([9_600_000, 7_200_000]))

    assert got == pytest.approx([0.75, 6 / 7.2])


def test_rates__are_those_of_two_deals_paid_at_once():
    # Source: Educate Girls, 414,085 after three years for 270,000: 15.3 %; Norrköping, 40 % after 4.5 years: 0.4^(1 / 4.5) - 1.
    cash = np.stack([monthly({0: -270_000, 36: 414_085}, 55), monthly({0: -10, 54: 4})])

    np.testing.assert_allclose(found(rates_of_return(cash)), [0.153, -0.1842], atol=5e-4)
    assert found(rates_of_return(cash))[1] == pytest.approx(0.4 ** (1 / 4.5) - 1, abs=1e-12)


def test_rates__the_mean_of_rates_is_not_the_rate_of_mean_cash():
    # Source: closed form. 80 % pay 1.3 and 20 % pay 0.4 after four years: 0.8 x 1.3^0.25 + 0.2 x 0.4^0.25 - 1 = 1.3286 %, while
    # the mean cash is 1.12: 1.12^0.25 - 1 = 2.8737 %.
    cash = np.stack([monthly({0: -1, 48: back}) for back in [1.3] * 4 + [0.4]])

    assert 100 * found(rates_of_return(cash)).mean() == pytest.approx(1.3286, abs=5e-5)
    assert 100 * found(rates_of_return(cash.mean(axis=0)[None]))[0] == pytest.approx(2.8737, abs=5e-5)


def conventional(n_rows, n_months, seed):
    """Rows that pay in first and get back later, some of them years later, with months without cash."""
    random = np.random.default_rng(seed)
    cash = np.where(random.random((n_rows, n_months)) < 0.4, 0.0, random.lognormal(0, 1, (n_rows, n_months)))
    paid_in = random.integers(4, n_months // 2, (n_rows, 1))
    cash = np.where(np.arange(n_months) < paid_in, -cash, cash * random.uniform(0.1, 2, (n_rows, 1)))
    cash[:, 0], cash[:, -1] = -1.0, 1.0
    return cash


def test_rates__agree_with_pyxirr_on_conventional_cash():
    # Source: pyxirr, an independent program, on amounts divided by the largest of their row. It stops where the present value is
    # below 1e-9, which is up to eight digits of monthly growth.
    cash = conventional(100_000, 24, seed=6)
    theirs = np.array([pyxirr.irr(row / np.abs(row).max()) for row in cash])

    ours = (1 + found(rates_of_return(cash))) ** (1 / 12) - 1

    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-7)
    # Source: the definition. What ours leaves is rounding: 1e-12 of the money that moves.
    growth = (1 + ours)[:, None] ** -np.arange(24)
    assert (np.abs((cash * growth).sum(axis=1)) <= 1e-12 * (np.abs(cash) * growth).sum(axis=1)).all()


def test_rates__of_480_months_are_exact():
    # Source: the definition: discounted at the rate found, the row is 0 up to rounding, relative to the money that moves.
    cash = conventional(2_000, 480, seed=7)
    log_growth = np.log1p(found(rates_of_return(cash)))[:, None] / 12 * -np.arange(480)
    weight = np.exp(log_growth - log_growth.max(axis=1, keepdims=True))

    assert (np.abs((cash * weight).sum(axis=1)) <= 1e-11 * (np.abs(cash) * weight).sum(axis=1)).all()


def roots_of_polynomial(row):
    """Count the distinct roots in the bounds of the search by the eigenvalues of NumPy's companion matrix; None if in doubt."""
    roots = np.roots(row[::-1])
    logs = np.log(roots[(np.abs(roots.imag) < 1e-7) & (roots.real > 0)].real)
    nearly_real = (np.abs(roots.imag) > 1e-10) & (np.abs(roots.imag) < 1e-4)
    apart = np.diff(np.sort(logs))
    at_edge = np.abs(np.abs(logs) - 0.7) < 1e-4
    return None if nearly_real.any() or (apart < 1e-4).any() or at_edge.any() else int((np.abs(logs) < 0.7).sum())


@pytest.mark.parametrize(("n_months", "n_rows"), [(4, sized(1_000, 4_000)), (8, sized(800, 3_000)), (14, sized(600, 2_000))])
def test_numbers_of_rates__equal_the_roots_of_the_polynomial(n_months, n_rows):
    # Source: numpy.roots, an independent method, on random rows of both signs; rows in doubt there are left out.
    random = np.random.default_rng(n_months)
    cash = random.normal(0, 1, (n_rows, n_months)) * random.lognormal(0, 1, (n_rows, n_months))
    # Half of them nearly discount to 0 twice: (1 - 1.02 v)(1 - 1.05 v) times something, as close pairs are.
    pair = np.array([1, -2.07, 1.02 * 1.05])
    cash[::2] = [np.convolve(pair, row[:-2]) for row in cash[::2]]
    expected = [roots_of_polynomial(row) for row in cash]
    sure = np.array([number is not None for number in expected])
    assert sure.mean() > 0.9
    assert len({number for number in expected if number is not None}) >= 4

    got = numbers_of_rates(cash)

    np.testing.assert_array_equal(got[sure], [number for number in expected if number is not None])
    status = np.array(STATUSES)[rates_of_return(cash).status]
    is_mixed = (cash > 0).any(axis=1) & (cash < 0).any(axis=1)
    once = (np.diff(np.sign(cash), axis=1) != 0).sum(axis=1) == 1
    for number, word in ((0, "no_root"), (1, "found")):
        assert (status[is_mixed & ~once & (got == number)] == word).all()
    assert (status[is_mixed & ~once & (got > 1)] == "several_roots").all()


def test_numbers_of_rates__a_rate_that_is_only_touched_counts_once():
    # Source: hand arithmetic. -(1 - 1.1 v)^2 is 0 at 10 % alone, without crossing it.
    row = monthly({0: -1, 12: 2.2, 24: -1.21})

    assert numbers_of_rates(row[None])[0] == 1
    assert found(rates_of_return(row[None]))[0] == pytest.approx(0.1, abs=1e-6)


def test_numbers_of_rates__a_touched_rate_counts_once_where_the_gap_is_flat_around_it():
    # Source: hand arithmetic. -(1 - 1.27^2 v)^2 times a positive polynomial, v of two years, is 0 at 27 % alone.
    row = np.zeros(24 * 5 + 1)
    row[::24] = np.convolve([-1, 2 * 1.27**2, -(1.27**4)], [4, 2, 12, 2])

    assert numbers_of_rates(row[None])[0] == 1
    assert found(rates_of_return(row[None]))[0] == pytest.approx(0.27, abs=1e-5)


def test_rates__are_found_where_newton_would_swing_out_of_the_bracket():
    # Invariant: money discounted at its rate comes to nothing. Amounts of very different size bend the gap.
    row = monthly({45: -0.82, 116: 1.8e-6, 134: 5.3e-5, 192: -9e-10, 303: 0.24, 347: 6e22})
    weight = (1 + found(rates_of_return(row[None]))[0]) ** (45 / 12 - np.arange(348) / 12)
    assert abs(row @ weight) <= 1e-9 * (np.abs(row) @ weight)


def test_numbers_of_rates__one_at_the_edge_of_two_cells_counts_once():
    # Source: hand arithmetic. -1 + b v - c v^2 is 0 where v is e^x, at which the search divides its range first, and where it is
    # 1.2 e^x. Rounding makes the gap exactly 0 there for some of the numbers next to b.
    v = np.exp(-0.7 + 0.4871 * (0.7 + 0.7))
    b, c = (1 + 1 / 1.2) / v, 1 / (1.2 * v**2)
    nearby = b * (1 + np.arange(-20, 21) * np.finfo(float).eps)

    assert set(numbers_of_rates(np.column_stack([np.full(41, -1.0), nearby, np.full(41, -c)]))) == {2}


def test_rates__a_small_clawback_leaves_the_rate_that_is_meant():
    # Source: hand arithmetic. (-1 + 1.1 v^12) is 0 at 10 %; less 1e-9 in month 13, the rate moves by less than 1e-8. The second
    # rate, next to -100 %, is out of bounds.
    row = monthly({0: -1, 12: 1.1, 13: -1e-9})

    assert found(rates_of_return(row[None]))[0] == pytest.approx(0.1, abs=1e-8)


# ------------------------------------------------ present value ------------------------------------------------


def test_present_values__equal_hand_arithmetic():
    # Source: hand arithmetic. At 10 % a date: -100 + 60 / 1.1 + 60 / 1.21 = 4.132231; without discounting 20.
    cash = np.array([[-100, 60, 60], [-100, 60, 60]])
    at_ten = 1.1 ** -np.arange(3.0)

    assert present_values(cash, at_ten) == pytest.approx([4.132231405, 4.132231405])
    assert present_values(cash, np.stack([at_ten, np.ones(3)])) == pytest.approx([4.132231405, 20])
    assert present_values(np.zeros((2, 0)), np.ones(0)).tolist() == [0, 0]


def test_present_values__are_zero_at_the_rate_of_return():
    # Invariant: the rate of return is the rate at which the present value is 0.
    cash = conventional(50, 36, seed=8)
    rate = found(rates_of_return(cash))

    got = present_values(cash, (1 + rate)[:, None] ** (-np.arange(36) / 12))

    np.testing.assert_allclose(got, 0, atol=1e-8)


# -------------------------------------------- multiple and payback --------------------------------------------


def test_multiples__have_no_value_where_nothing_was_paid_in():
    np.testing.assert_array_equal(multiples(np.array([12, 5]), np.array([10, 0])), [1.2, np.nan])


@pytest.mark.parametrize(
    ("cash", "months", "status"),
    [
        ([-10, 4, 4, 2, 0], 3, "paid_back"),  # -10, -6, -2, 0
        ([-10, 12, -5, 2, 3], 4, "paid_back"),  # -10, 2, -3, -1, 2: back in month 1, but not for good
        ([-10, 12, -1, -1, 0], 1, "paid_back"),  # -10, 2, 1, 0
        ([5, -5, 0, 0, 0], 0, "paid_back"),  # never out of pocket
        ([-10, 4, 5, 0, 0], np.nan, "never"),
        ([-10, 20, 0, 0, -11], np.nan, "never"),  # 10, then -1 at the end
        ([0, 0, 3, 0, 0], np.nan, "no_cost"),
        ([0, 0, 0, 0, 0], np.nan, "no_cost"),
    ],
)
def test_payback_times__are_those_from_which_on_nobody_is_out_of_pocket(cash, months, status):
    # Source: hand arithmetic; cumulative cash beside the cases.
    got = payback_times(np.array([cash]))

    np.testing.assert_array_equal(got.months, [months])
    assert PAYBACK_STATUSES[got.status[0]] == status
