"""Back-testing of a value at risk: the number of losses that exceeded it, against the number expected of a correct one.

A VaR at the level 95 % should be exceeded in 5 % of the periods or contracts, no more and no less. With the two to ten contracts
that a country has, none of these tests can tell a good forecast from a bad one: see `acceptance_range`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simengine.errors import UsageError
from simengine.late import special

_YELLOW, _RED = 0.95, 0.9999


@dataclass(frozen=True)
class KupiecTest:
    """Likelihood-ratio test of the number of exceptions."""

    likelihood_ratio: float
    p_value: float
    """From the chi-square distribution with one degree of freedom, valid for many periods."""

    def rejects(self, significance: float = 0.05) -> bool:
        """Return whether the forecast is rejected."""
        return self.p_value < significance


def exceptions(loss: NDArray[np.float64], value_at_risk: NDArray[np.float64]) -> int:
    """Count the losses that exceeded their forecast."""
    return int(np.count_nonzero(np.asarray(loss) > np.asarray(value_at_risk)))


def kupiec(n_exceptions: int, n_periods: int, probability: float) -> KupiecTest:
    """Test whether losses exceeded a value at risk as often as they should.

    Parameters
    ----------
    n_exceptions
        Losses that exceeded the forecast.
    n_periods
        Forecasts.
    probability
        Probability that a correct forecast is exceeded: 0.05 at the level 95 %.

    Raises
    ------
    UsageError
        If the probability lies outside (0, 1), or there are more exceptions than forecasts.

    References
    ----------
    Kupiec, P. H. (1995), Techniques for verifying the accuracy of risk measurement models, Journal of Derivatives 3(2), 73-84.

    Examples
    --------
    >>> round(kupiec(10, 250, 0.01).likelihood_ratio, 4)
    12.9555
    """
    _refuse_nonsense(n_exceptions, n_periods, probability)
    share = n_exceptions / n_periods
    others = n_periods - n_exceptions
    promised = special.xlogy(n_exceptions, probability) + others * log(1 - probability)
    seen = special.xlogy(n_exceptions, share) + special.xlogy(others, 1 - share)
    # At best 0: negative values are rounding errors.
    ratio = max(2 * float(seen - promised), 0.0)
    return KupiecTest(ratio, float(special.chdtrc(1, ratio)))


def acceptance_range(n_periods: int, probability: float, significance: float = 0.05) -> tuple[int, int]:
    """Return the least and the most exceptions with which Kupiec's test does not reject.

    Examples
    --------
    >>> acceptance_range(255, 0.05)
    (7, 20)

    Ten contracts at the level 95 % cannot show that a forecast is too high, and hardly that it is too low:

    >>> acceptance_range(10, 0.05)
    (0, 2)
    """
    _refuse_nonsense(0, n_periods, probability)
    if not 0 < significance < 1:
        raise UsageError(
            f"significance: a probability of false alarm must lie between 0 and 1, both left out; found {significance:g}"
        )
    accepted = [x for x in range(n_periods + 1) if not kupiec(x, n_periods, probability).rejects(significance)]
    return accepted[0], accepted[-1]


def detection_probability(n_periods: int, probability: float, true_probability: float, significance: float = 0.05) -> float:
    """Return how often Kupiec's test rejects a forecast for too many exceptions, if they come with another probability.

    At the forecast's own probability this is how often a correct one is rejected on this side.

    Examples
    --------
    Of five contracts, two or more outside their 95 % intervals reject; of a forecast that misses with 10 % this happens rarely:

    >>> acceptance_range(5, 0.05), round(detection_probability(5, 0.05, 0.1), 4)
    ((0, 1), 0.0815)
    """
    _refuse_nonsense(0, n_periods, probability)
    if not 0 <= true_probability <= 1:
        raise UsageError(f"true_probability: must be a probability; found {true_probability:g}")
    most = acceptance_range(n_periods, probability, significance)[1]
    return float(special.bdtrc(most, n_periods, true_probability)) if most < n_periods else 0.0


def basel_zone(n_exceptions: int, n_periods: int = 250, probability: float = 0.01) -> Literal["green", "yellow", "red"]:
    """Return the zone of the Basel Committee: yellow from a cumulative probability of 95 %, red from 99.99 %.

    References
    ----------
    Basel Committee on Banking Supervision (1996), Supervisory framework for the use of "backtesting" in conjunction with the
    internal models approach to market risk capital requirements.

    Examples
    --------
    >>> [basel_zone(x) for x in (4, 5, 9, 10)]
    ['green', 'yellow', 'yellow', 'red']
    """
    _refuse_nonsense(n_exceptions, n_periods, probability)
    reached = cumulative_probability(n_exceptions, n_periods, probability)
    return "green" if reached < _YELLOW else "yellow" if reached < _RED else "red"


def cumulative_probability(n_exceptions: int, n_periods: int, probability: float) -> float:
    """Return the probability that a correct forecast is exceeded at most this often."""
    _refuse_nonsense(n_exceptions, n_periods, probability)
    return float(special.bdtr(n_exceptions, n_periods, probability))


def _refuse_nonsense(n_exceptions: int, n_periods: int, probability: float) -> None:
    if not 0 < probability < 1:
        raise UsageError(
            f"probability: a forecast must be exceeded with a probability between 0 and 1, both left out; found {probability:g}"
        )
    if not 0 <= n_exceptions <= n_periods or n_periods == 0:
        raise UsageError(
            f"n_exceptions: there must be from 0 to n_periods exceptions in 1 or more periods; found {n_exceptions} in {n_periods}"
        )
