"""Say what the true effect on people is worth to each party, by year.

An outcome that adds up over time is valued in the calendar year in which it differs between twin and service user. An outcome
that is read once is valued when it is read, for everybody of a wave at the middle of its enrolment: once, or as a stream of years.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simengine.distributions import Constant, Quantity
from simengine.records import SERVICE, TWIN, Draws, Floats, PublicValue, Tallies
from simengine.value.spec import PublicPrices, ValuePrice


@dataclass(frozen=True)
class Timing:
    """When outcomes come about."""

    horizon_months: int
    read_after: Mapping[str, int | None]
    """By outcome: the month after entry in which it is read; nothing where it adds up over time."""
    first_entry: tuple[int, ...]
    """By wave: its first month of enrolment."""
    middle_of_entry: Floats
    """Shape (n_replications, n_waves): the middle of the enrolment, in months from the start."""


def value_outcomes(prices: PublicPrices, parties: tuple[str, ...], timing: Timing, tallies: Tallies, draws: Draws) -> PublicValue:
    """Value the difference between service users and their twins for each party.

    Parameters
    ----------
    prices
        By outcome, then by party.
    parties
        All parties, in the order of the result; who has no price gains nothing.
    timing
        When outcomes come about.
    tallies
        What happened to service users and twins.
    draws
        The parameters of each replication.

    Returns
    -------
    Value and cashable value by replication, party and year; the years run to the horizon, or to the end of the longest stream.

    References
    ----------
    Nicholls, J. et al. (2012), A Guide to Social Return on Investment, stage 4: deadweight, displacement, attribution, drop-off.
    HM Treasury, The Green Book: optimism bias, as a factor of its own.
    """
    shape = (len(draws), len(parties), _n_years(prices, timing))
    value, cashable = np.zeros(shape), np.zeros(shape)
    for outcome, by_party in prices.items():
        o = tallies.outcomes.index(outcome)
        for party, price in by_party.items():
            p, asked = parties.index(party), _Asked(price, f"public_value.{outcome}.{party}", draws)
            read = timing.read_after[outcome]
            if read is None:
                _over_time(value[:, p], cashable[:, p], asked, timing, _of_party(asked, tallies, o))
            else:
                gain = tallies.sums[:, :, SERVICE, o, -1] - tallies.sums[:, :, TWIN, o, -1]
                _from_reading(value[:, p], cashable[:, p], asked, timing, asked.sign * gain, timing.middle_of_entry + read)
    return PublicValue(parties, value, cashable)


@dataclass(frozen=True)
class _Asked:
    """A price with its numbers as drawn."""

    price: ValuePrice
    path: str
    draws: Draws

    def number(self, key: str, absent: float) -> Floats:
        """Shape (n_replications,). A constant is taken from the price itself, so that a new one needs no new replications."""
        quantity: Quantity | None = getattr(self.price, key)
        if quantity is None or isinstance(quantity, Constant):
            return np.full(len(self.draws), absent if quantity is None else quantity.value)
        return self.draws[f"{self.path}.{key}"]

    @property
    def sign(self) -> float:
        return 1.0 if self.price.better == "higher" else -1.0

    @property
    def worth(self) -> Floats:
        """What one unit of gain is worth to the party, in the currency."""
        kept = self.number("share", 1.0) * self.number("attribution", 1.0)
        for key in ("deadweight", "displacement", "optimism_bias"):
            kept = kept * (1.0 - self.number(key, 0.0))
        return self.number("value_per_unit", 1.0) * kept

    def kept_after(self, years: int) -> Floats:
        """Return what the drop-off has left after some years."""
        return np.asarray((1.0 - self.number("drop_off_per_year", 0.0)) ** years)


def _of_party(asked: _Asked, tallies: Tallies, outcome: int) -> Floats:
    """Return an outcome by wave, arm and year, as far as it is the party's: in full in the area, in part elsewhere."""
    everywhere = tallies.by_year[:, :, :, outcome]
    if tallies.by_year_here is None:
        return everywhere
    here = tallies.by_year_here[:, :, :, outcome]
    return here + asked.number("share_after_transfer", 1.0)[:, None, None, None] * (everywhere - here)


def _over_time(value: Floats, cashable: Floats, asked: _Asked, timing: Timing, by_year: Floats) -> None:
    """Add what adds up over time to (replication, year); by_year: (replication, wave, arm, year)."""
    gain = asked.sign * (by_year[:, :, SERVICE] - by_year[:, :, TWIN])
    worth, cash, lag = asked.worth, asked.number("cashable_share", 1.0), asked.number("lag_months", 0.0)
    horizon = np.full(len(value), float(timing.horizon_months))
    for year in range(gain.shape[2]):
        months = min(12, timing.horizon_months - 12 * year)
        for wave, first in enumerate(timing.first_entry):
            amount = gain[:, wave, year] * worth * asked.kept_after(max(year - first // 12, 0))
            value[:, year] += amount
            _spread(cashable, amount * cash, 12.0 * year + lag, months, horizon)


def _from_reading(value: Floats, cashable: Floats, asked: _Asked, timing: Timing, gain: Floats, read: Floats) -> None:
    """Add what is read once to (replication, year); gain and the month of reading: (replication, wave)."""
    worth, cash, lag = asked.worth, asked.number("cashable_share", 1.0), asked.number("lag_months", 0.0)
    years = 0 if asked.price.years is None else int(asked.price.years.value)
    everyone, horizon = np.arange(len(value)), float(timing.horizon_months)
    last_year = -(-timing.horizon_months // 12) - 1
    for wave in range(gain.shape[1]):
        amount, month = gain[:, wave] * worth, read[:, wave]
        if years == 0:
            value[everyone, np.minimum(month // 12, last_year).astype(np.int64)] += amount
            released = month + lag
            release_year = np.minimum(released // 12, last_year).astype(np.int64)
            cashable[everyone, release_year] += np.where(released <= horizon, amount * cash, 0.0)
        for year in range(years):
            left, until = amount * asked.kept_after(year), np.maximum(month + 12 * years, horizon)
            _spread(value, left, month + 12 * year, 12, until)
            _spread(cashable, left * cash, month + 12 * year + lag, 12, until)


def _spread(out: Floats, amount: Floats, begin: Floats, months: int, until: Floats) -> None:
    """Spread amounts evenly over some months and add them to the years they fall in; what comes after `until` is left out."""
    end = np.minimum(begin + months, until)
    first, stop = int(begin.min() // 12), int(np.ceil(end.max() / 12))
    for year in range(max(first, 0), min(stop, out.shape[1])):
        inside = np.minimum(end, 12.0 * (year + 1)) - np.maximum(begin, 12.0 * year)
        out[:, year] += amount * np.maximum(inside, 0.0) / months


def _n_years(prices: PublicPrices, timing: Timing) -> int:
    """Count the years to the horizon, or to the end of the longest stream."""
    last = float(timing.horizon_months)
    for outcome, by_party in prices.items():
        read = timing.read_after[outcome]
        for price in by_party.values():
            if read is not None and price.years is not None:
                last = max(last, float(timing.middle_of_entry.max(initial=0.0)) + read + 12 * price.years.value)
    return int(-(-last // 12))
