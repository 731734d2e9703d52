"""What was observed, without a model: survival in a state and shares of people in the states, each with its 95 % band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from simengine.arrays import Flags, Floats, Integers
from simengine.cohort.moves import DAYS_PER_MONTH
from simengine.late import special
from simengine.records.arrays import Axes, Record
from simengine.spells.people import incident
from simengine.spells.plan import FitPlan
from simengine.spells.records import Spells

_LEAST_OBSERVED = 4
"""Times the smallest number that is shown: among fewer observed, only the largest shares would be."""
NORMAL_95 = 1.959963984540054


@dataclass(frozen=True, eq=False)
class Curve(Record):
    """Shares on a grid of months, with their band; NaN where too few people stand behind them."""

    months: Annotated[Floats, Axes("month")]
    """The grid."""
    share: Annotated[Floats, Axes("month")]
    """What was observed."""
    low: Annotated[Floats, Axes("month")]
    """Lower end of the 95 % band."""
    high: Annotated[Floats, Axes("month")]
    """Upper end of the 95 % band."""


def kaplan_meier(entry: Floats, stop: Floats, is_event: Flags, months: Floats) -> tuple[Floats, Floats, Integers]:
    """Return survival, the variance of its logarithm, and the number at risk, on a grid of months.

    Somebody is at risk at t from after `entry` until `stop`; with n(t) at risk and d(t) events, survival is the product of 1 - d / n and
    the variance of its logarithm the sum of d / (n (n - d)), Greenwood's formula. `entry` above 0 is left truncation.

    References
    ----------
    Kaplan and Meier 1958, doi:10.1080/01621459.1958.10501452; Tsai, Jewell and Wang 1987, doi:10.1093/biomet/74.4.883: with left
    truncation.
    """
    times, events = np.unique(stop[is_event], return_counts=True)
    at_risk = _at_risk(entry, stop, times)
    with np.errstate(divide="ignore"):
        log_survival = np.cumsum(np.log1p(-events / at_risk))
        terms = np.cumsum(events / (at_risk * (at_risk - events)))
    place = np.searchsorted(times, months, side="right")
    survival = np.exp(np.concatenate([[0.0], log_survival]))[place]
    return survival, np.concatenate([[0.0], terms])[place], _at_risk(entry, stop, months)


def _at_risk(entry: Floats, stop: Floats, times: Floats) -> Integers:
    """Count who has entered before a time and has not stopped before it."""
    entered = np.searchsorted(np.sort(entry), times, side="left")
    return np.asarray(entered - np.searchsorted(np.sort(stop), times, side="left"), dtype=np.int64)


def survival_curve(spells: Spells, state: int, most_months: int) -> Curve:
    """Return the share of stays in a state that last longer than so many months, from all stays.

    NaN where fewer are at risk than may be shown, and where fewer have left since the month before that is shown: a step of the curve
    would tell how many. The band is that of log(-log survival), which stays between 0 and 1.
    """
    at = spells.state == state
    first = spells.first_day[at]
    entry = np.maximum(spells.entry_day[spells.person[at]] - first, 0.0) / DAYS_PER_MONTH
    months = np.arange(most_months + 1, dtype=np.float64)
    stop = (spells.end_day[at] - first) / DAYS_PER_MONTH
    share, variance, n = kaplan_meier(np.where(entry > 0, entry, -1.0), stop, ~spells.is_open[at], months)
    left = np.searchsorted(np.sort(stop[~spells.is_open[at]]), months, side="right")
    return shown_survival(months, share, variance, n, left, spells.small_cells)


def shown_survival(months: Floats, share: Floats, variance: Floats, at_risk: Integers, left: Integers, least: int) -> Curve:
    """Return survival with its band, without what fewer than `least` people stand behind; left: how many have left by each month."""
    with np.errstate(divide="ignore", invalid="ignore"):
        half = NORMAL_95 * np.sqrt(variance) / np.abs(np.log(share))
        low, high = share ** np.exp(half), share ** np.exp(-half)
    hidden = (at_risk < least) | ~far_enough_apart(left, least)
    return Curve(months, *(np.where(hidden, np.nan, one) for one in (share, low, high)))


def far_enough_apart(left: Integers, least: int) -> Flags:
    """Choose months so that between two of them `least` or more have left; left: how many have by each month."""
    chosen, last = np.zeros(len(left), np.bool_), -least
    for month, so_far in enumerate(left):
        if so_far - last >= least:
            chosen[month], last = True, so_far
    return chosen


def occupancy_curve(spells: Spells, plan: FitPlan, absorbing: tuple[int, ...], most_months: int) -> dict[int, Curve]:
    """Return, by state, the share of people in it so many months after entry, among those still observed then.

    Only people who entered while observed count. Somebody in an absorbing state is in it for good, and counts until the last day of the
    file. The band is Wilson's. A share that rests on fewer people than may be shown, or on all but fewer, or on fewer than four times
    as many observed, is NaN; and so is the smallest share beside it, until those left out are together as many as may be shown, for the
    shares of a month sum to one.

    References
    ----------
    Wilson 1927, doi:10.1080/01621459.1927.10502953: the band.
    """
    months = np.arange(most_months + 1, dtype=np.float64)
    last = spells.state[spells.first_spell[1:] - 1]
    until = np.where(np.isin(last, absorbing), spells.observed_until.max(), spells.observed_until)
    is_new = incident(spells)
    days = spells.entry_day[:, None] + months * DAYS_PER_MONTH
    is_seen = is_new[:, None] & (days < until[:, None])
    at = _states_at(spells, days)
    n = is_seen.sum(axis=0)
    counts = np.stack([(is_seen & (at == state)).sum(axis=0) for state in plan.order])
    hidden = hidden_shares(counts, n, spells.small_cells)
    found = {}
    for state, k, is_hidden in zip(plan.order, counts, hidden, strict=True):
        low, high = wilson(k, n)
        with np.errstate(invalid="ignore", divide="ignore"):
            found[state] = Curve(months, *(np.where(is_hidden, np.nan, one) for one in (k / n, low, high)))
    return found


def hidden_shares(counts: Integers, n: Integers, least: int) -> Flags:
    """Choose which shares of a whole are not shown, so that no difference tells a small one either.

    Parameters
    ----------
    counts
        People by state and month, shape (state, month).
    n
        Their sum by month, shape (month,).
    least
        The smallest number of people that is shown.

    Returns
    -------
    Whether each is left out, shape (state, month).

    Examples
    --------
    >>> hidden_shares(np.array([[20, 20], [17, 12], [3, 8]]), np.array([40, 40]), 5).astype(int).tolist()
    [[0, 0], [1, 0], [1, 0]]
    """
    hidden = np.asarray((counts < least) | (n - counts < least) | (n < _LEAST_OBSERVED * least))
    for _ in range(len(counts)):
        tells = hidden.any(axis=0) & (np.where(hidden, counts, 0).sum(axis=0) < least) & ~hidden.all(axis=0)
        smallest = np.where(hidden, np.iinfo(np.int64).max, counts).argmin(axis=0)
        hidden[smallest[tells], np.flatnonzero(tells)] = True
    return hidden


def _states_at(spells: Spells, days: Floats) -> Integers:
    """Return the state of every person on some days, shape (person, day); after observation, the last one."""
    at = np.empty(days.shape, dtype=np.int64)
    for person in range(spells.n_people):
        begin, end = spells.first_spell[person], spells.first_spell[person + 1]
        place = np.searchsorted(spells.first_day[begin:end], days[person], side="right") - 1
        at[person] = spells.state[begin + np.maximum(place, 0)]
    return at


def wilson(k: Integers, n: Integers) -> tuple[Floats, Floats]:
    """Return the ends of Wilson's 95 % band of a share of k among n."""
    with np.errstate(invalid="ignore", divide="ignore"):
        p, z2 = k / n, NORMAL_95**2
        centre = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = NORMAL_95 / (1 + z2 / n) * np.sqrt(p * (1 - p) / n + z2 / (4 * n**2))
    return centre - half, centre + half


def chi_square_tail(statistic: float, degrees: int) -> float:
    """Return the probability of a larger value of a chi-square."""
    return float(special.chdtrc(degrees, statistic))
