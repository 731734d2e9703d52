"""Back-testing of a value at risk, against published ranges and zones."""

import numpy as np
import pytest

from simengine.errors import UsageError
from simengine.risk.backtest import acceptance_range, basel_zone, cumulative_probability, exceptions, kupiec


@pytest.mark.parametrize(
    ("n_periods", "probability", "accepted"),
    [
        (255, 0.05, (7, 20)),
        (510, 0.05, (17, 35)),
        (1000, 0.05, (38, 64)),
        (255, 0.01, (1, 6)),
        (510, 0.01, (2, 10)),
        (1000, 0.01, (5, 16)),
    ],
)
def test_acceptance_range__is_the_published_one(n_periods, probability, accepted):
    # Source: Kupiec 1995 as tabulated in Jorion, Value at Risk; at 255 and 1 % tables print "N < 7", yet x = 0 has LR 5.13.
    assert acceptance_range(n_periods, probability) == accepted


def test_kupiec__by_hand():
    # Source: closed form. x = 0: LR = -2 x 255 ln 0.99 = 5.1256. LR(10, 250) at 1 % = 12.9555, published. At the promise it is 0.
    assert kupiec(0, 255, 0.01).likelihood_ratio == pytest.approx(-2 * 255 * np.log(0.99))
    assert kupiec(10, 250, 0.01).likelihood_ratio == pytest.approx(12.9555, abs=5e-5)
    assert kupiec(5, 100, 0.05).likelihood_ratio == pytest.approx(0, abs=1e-12)
    # Source: chi-square with one degree of freedom: 3.8415 has the p-value 5 %.
    assert kupiec(10, 250, 0.01).rejects()
    assert not kupiec(6, 255, 0.01).rejects()
    assert kupiec(7, 255, 0.01).rejects()


def test_basel__cumulative_probabilities_and_zones():
    # Source: Basel Committee 1996, table 2: cumulative probability of 0 to 10 exceptions in 250 at 99 %, in per cent.
    published = [8.11, 28.58, 54.32, 75.81, 89.22, 95.88, 98.63, 99.60, 99.89, 99.97, 99.99]
    got = [100 * cumulative_probability(x, 250, 0.01) for x in range(11)]
    assert got == pytest.approx(published, abs=0.005)
    zones = [basel_zone(x) for x in range(12)]
    assert zones == ["green"] * 5 + ["yellow"] * 5 + ["red"] * 2


def test_exceptions__counts_losses_beyond_their_own_forecast():
    assert exceptions(np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 5.0])) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kupiec(1, 10, 1.0), "between 0 and 1, both left out; found 1"),
        (lambda: kupiec(11, 10, 0.05), "found 11 in 10"),
        (lambda: kupiec(0, 0, 0.05), "found 0 in 0"),
        (lambda: basel_zone(-1), "found -1 in 250"),
        (lambda: acceptance_range(10, 0.05, 0.0), "significance"),
    ],
)
def test_nonsense__is_refused(call, message):
    with pytest.raises(UsageError, match=message):
        call()
