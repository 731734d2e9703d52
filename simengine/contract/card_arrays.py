"""Write a rate card as the arrays that its kernel reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from simengine.arrays import Int16s, Masks
from simengine.contract.kernels.card import NO_CAP, UNCHANGED, CardArrays, VariationArrays
from simengine.contract.spec import Contract
from simengine.contract.terms.rate_card import CardPrice, OutcomePrice, RateCard
from simengine.currencies import units_of
from simengine.distributions import Constant
from simengine.records import Floats, Integers
from simengine.rounding import nearest_units

_ALWAYS = 1200
"""Months within which something can be lost where nothing is said: as long as any contract."""


def places_of(recorded: tuple[str, ...], named: Mapping[str, object]) -> Int16s:
    """Return the place in the contract of each recorded name; -1, the last, for one that it does not know."""
    names = list(named)
    return np.array([*(names.index(one) if one in names else -1 for one in recorded), -1], dtype=np.int16)


def card_arrays(contract: Contract, term: RateCard, dates: Sequence[str]) -> CardArrays:
    """Write a rate card as numbers; its dates in order."""
    names, units, is_open = list(contract.outcomes), float(units_of(contract.currency)), term.open_at_end == "paid"
    # What the card says nothing of has no price.
    prices = [term.rate_card.get(name, CardPrice()) for name in names]
    due = dues_of(contract, dates, is_last_open=is_open)
    price, band_from, band_price = _price_tables(contract, prices, due.shape[1])
    needs, net_of = (_marks(names, [getattr(one, key) for one in prices]) for key in ("needs", "net_of"))
    lost, year, cap = [one.lost_by for one in prices], term.cap_per_year, partial(_cap, units=units)
    return CardArrays(
        price=price,
        band_from=band_from,
        band_price=band_price,
        n_bands=np.array([len(one.bands) for one in prices], dtype=np.int64),
        is_priced=np.array([one.has_price for one in prices]),
        has_units=np.array([use.has_units for use in contract.outcomes.values()]),
        each_time=np.array([one.each_time for one in prices]),
        beyond=np.array([0.0 if one.beyond_units is None else one.beyond_units.value for one in prices]),
        counted_back=np.array([one.counted_back for one in prices]),
        net_of=net_of,
        needs=needs,
        unlocks=_marks(names, [[other for other, one in zip(names, prices, strict=True) if name in one.needs] for name in names]),
        undoes=_marks(
            names,
            [[other for other, one in zip(names, lost, strict=True) if one is not None and one.outcome == name] for name in names],
        ),
        lost_within=np.array(
            [_ALWAYS if one is None or one.within_months is None else int(one.within_months.value) for one in lost], dtype=np.int64
        ),
        owed_back=np.array([0.0 if one is None else one.share_owed_back.value for one in lost]),
        due=due,
        due_later=dues_of(
            contract, dates, is_last_open=is_open, later=0.0 if term.dispute is None else term.dispute.later_by_months.value
        ),
        cap=np.array([cap(one.cap) for one in prices], dtype=np.int64),
        cap_per_wave=np.array([cap(term.cap_per_wave.get(wave)) for wave in contract.waves or [""]], dtype=np.int64),
        year=_budget_years(contract, term, dates),
        limits=np.array(
            [cap(one) for one in (term.cap_per_person, None if year is None else year.at_most, term.cap_in_all)], dtype=np.int64
        ),
        is_carried=year is not None and year.excess == "carried_over",
        shares=np.array([0.0 if one is None else one.share.value for one in (term.audit, term.dispute)]),
        is_extrapolated=term.audit is not None and term.audit.extrapolated,
        units=units,
    )


def in_order_of_time(contract: Contract, term: RateCard) -> list[str]:
    """List the variations that change a card, the earliest first; those of one date in the order of the contract."""
    named = [name for name in contract.variations if name in term.varied]
    return sorted(named, key=lambda name: contract.month_of(contract.variations[name].at))


def variation_arrays(contract: Contract, term: RateCard, dates: Sequence[str], listed: Sequence[str]) -> VariationArrays:
    """Write what variations change of a card as numbers; `listed`: their names, the earliest first."""
    names, units = list(contract.outcomes), float(units_of(contract.currency))
    n_months = int(contract.month_of(dates[-1])) + 1
    n_classes = (len(contract.groups) + 1) * (len(contract.waves) or 1)
    changes, cap = [term.varied[name] for name in listed], partial(_varied_cap, units=units)
    signed = [term.rate_card.get(name, CardPrice()) for name in names]
    rank = np.zeros((len(listed), len(names), n_classes), dtype=np.int16)
    price = np.zeros((*rank.shape, n_months))
    for v, changed in enumerate(changes):
        new = [changed.rate_card.get(name, OutcomePrice()) for name in names]
        rank[v] = _ranks(contract, new)
        price[v] = [
            _by_class(contract, one, np.full(n_months, 0.0 if one.price is None else one.price.value)) * _growth(before, n_months)
            for one, before in zip(new, signed, strict=True)
        ]

    def table(rows: list[list[int]], width: int) -> Integers:
        return np.array(rows, dtype=np.int64).reshape(len(listed), width)

    return VariationArrays(
        after=np.array([contract.month_of(contract.variations[name].at) for name in listed], dtype=np.int64),
        signed_rank=np.maximum(_ranks(contract, signed), np.int16(1)),
        rank=rank,
        price=price,
        cap=table(
            [[cap(one.rate_card[name].cap if name in one.rate_card else None) for name in names] for one in changes], len(names)
        ),
        cap_per_wave=table(
            [[cap(one.cap_per_wave.get(wave)) for wave in contract.waves or [""]] for one in changes], len(contract.waves) or 1
        ),
        limits=table([[cap(limit) for limit in (one.cap_per_person, one.cap_per_year, one.cap_in_all)] for one in changes], 3),
        month_of_date=np.array([contract.month_of(date) for date in dates], dtype=np.int64),
    )


def _ranks(contract: Contract, prices: Sequence[OutcomePrice]) -> Int16s:
    """Return by outcome and class of people whose price it is: 1 of all, 2 of a wave, 3 of a group; 0 where there is none."""
    classes = [(group, wave) for group in ["", *contract.groups] for wave in list(contract.waves) or [""]]
    rows = [
        [3 if group in one.by_group else 2 if wave in one.by_wave else int(one.price is not None) for group, wave in classes]
        for one in prices
    ]
    return np.array(rows, dtype=np.int16).reshape(len(prices), len(classes))


def _growth(one: CardPrice, n_months: int) -> Floats:
    """Return by month what an index multiplies a price with."""
    rate = 0.0 if one.index_per_year is None else one.index_per_year.value
    return np.asarray((1.0 + rate) ** (np.arange(n_months) // 12))


def _varied_cap(number: Constant | None, units: float) -> int:
    """Return a new cap in the smallest unit of the currency; one that stays as it is is negative."""
    return UNCHANGED if number is None else _cap(number, units)


def _marks(names: Sequence[str], marked: Sequence[Sequence[str]]) -> Masks:
    """Return sets of outcomes, one bit for each."""
    return np.array([sum(1 << names.index(name) for name in dict.fromkeys(some)) for some in marked], dtype=np.uint64)


def _price_tables(contract: Contract, prices: Sequence[CardPrice], n_months: int) -> tuple[Floats, Floats, Floats]:
    """Return prices by outcome, class of people and month; where bands begin; and the prices of bands."""
    most = max(len(one.bands) for one in prices)
    band_from, band_price = np.full((len(prices), most), np.inf), np.zeros((len(prices), most))
    for o, one in enumerate(prices):
        for k, band in enumerate(one.bands):
            band_from[o, k], band_price[o, k] = band.beyond.value, band.price.value
    return np.stack([_prices(contract, one, n_months) for one in prices]), band_from, band_price


def _cap(number: Constant | None, units: float) -> int:
    """Return a cap in the smallest unit of the currency."""
    return int(NO_CAP) if number is None else min(int(nearest_units(np.asarray(number.value * units))), int(NO_CAP))


def _prices(contract: Contract, one: CardPrice, n_months: int) -> Floats:
    """Return the price of an outcome by class of people and month in which it is reached; with bands, what multiplies theirs."""
    base = np.full(n_months, 1.0 if one.price is None else one.price.value)
    for month, changed in sorted(one.from_month.items()):
        base[month:] = changed.value
    return _by_class(contract, one, base) * _growth(one, n_months)


def _by_class(contract: Contract, one: OutcomePrice, base: Floats) -> Floats:
    """Return prices by class of people and month; `base`: that of all, by month."""
    rows = []
    for group in ["", *contract.groups]:
        for wave in list(contract.waves) or [""]:
            own = one.by_group.get(group, one.by_wave.get(wave))
            rows.append(base if own is None else np.full(len(base), own.value))
    return np.stack(rows)


def dues_of(contract: Contract, dates: Sequence[str], *, is_last_open: bool, later: float = 0.0) -> Int16s:
    """Return on which of some dates each outcome is paid that is reached in a month, shape (n_outcomes, n_months); -1 for never.

    The months are those up to the last date: what is reached later concerns nobody.
    """
    when = np.array([contract.month_of(date) for date in dates])
    months = np.arange(int(when[-1]) + 1)
    rows = []
    for use in contract.outcomes.values():
        validated = months + later + (0.0 if use.validated_after_months is None else use.validated_after_months.value)
        due = np.searchsorted(when, validated, side="left")
        rows.append(np.where(due < len(when), due, len(when) - 1 if is_last_open else -1))
    return np.stack(rows).astype(np.int16)


def _budget_years(contract: Contract, term: RateCard, dates: Sequence[str]) -> Integers:
    """Return the budget year of each date, the first being 0."""
    year = term.cap_per_year
    begins = 12.0 if year is None or year.from_month is None else year.from_month.value
    months = np.array([contract.month_of(date) for date in dates])
    return np.maximum(np.floor((months - begins) / 12.0) + 1.0, 0.0).astype(np.int64)
