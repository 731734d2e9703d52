"""Settle the rate cards of a contract on who reached what and when, before its other terms."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from simengine.arrays import Int16s
from simengine.contract import card_kernels as kernels
from simengine.contract.card_kernels import CardArrays, count_reached, settle_card
from simengine.contract.program import Column
from simengine.contract.scope import CARD, CARD_LIMIT, PEOPLE_COUNTED, REACHED
from simengine.contract.spec import Contract
from simengine.contract.terms.rate_card import CardPrice, RateCard
from simengine.currencies import units_of
from simengine.distributions import Constant
from simengine.records import Floats, Integers, Reached, add_in_order


@dataclass(frozen=True)
class CardSettlement:
    """What rate cards pay, and how many people reached what, for the program of a contract to read."""

    columns: Mapping[Column, Floats] = field(default_factory=dict)
    """Each of shape (n_replications,)."""
    paid: Mapping[str, Floats] = field(default_factory=dict)
    """By card: shape (n_replications, n_outcomes, n_dates), in the currency; outcomes in the order of the contract."""
    by_row: Mapping[str, Integers] = field(default_factory=dict)
    """By card: shape (n_rows,), in the smallest unit of the currency: what each row changed, held down only by the cap of its
    person; empty unless asked for."""


def cards_of(contract: Contract) -> dict[str, RateCard]:
    """Return the terms of a contract that are rate cards."""
    return {name: term for name, term in contract.terms.items() if isinstance(term, RateCard)}


def verifies_claims(contract: Contract) -> bool:
    """Return whether a rate card chooses claims by lot, to audit or dispute them."""
    return any(card.audit is not None or card.dispute is not None for card in cards_of(contract).values())


def settle_cards(contract: Contract, reached: Reached | None, *, with_rows: bool = False) -> CardSettlement:
    """Settle every rate card of a contract, and count who reached what by each date.

    Parameters
    ----------
    contract
        The terms; names that they use must exist: see `rules`.
    reached
        Who reached what and when; absent: nobody counted, and whatever depends on it is missing.
    with_rows
        Whether what each row changed is returned too.

    Returns
    -------
    Amounts by date, before the floor, cap and gates that every term may have.

    Notes
    -----
    Time and memory grow with the rows of `reached`, and not with people or dates.
    """
    if reached is None or not contract.outcomes:
        return CardSettlement()
    names = list(contract.outcomes)
    place = np.array([names.index(name) if name in names else -1 for name in reached.outcomes], dtype=np.int64)
    outcome = place[reached.outcome]
    waves = _places(reached.waves, contract.waves)[reached.wave] if contract.waves else np.zeros_like(reached.wave)
    quantity = np.empty(0) if reached.units is None else reached.units
    rows = (reached.first_row, reached.first_person, reached.person, outcome, reached.month, quantity)
    columns: dict[Column, Floats] = {}
    paid: dict[str, Floats] = {}
    by_row: dict[str, Integers] = {}
    n, n_waves = len(reached), len(contract.waves) or 1
    for name, term in cards_of(contract).items():
        dates = contract.dates_of(term)
        card = card_arrays(contract, term, dates)
        amount, limit = np.zeros((n, len(names), len(dates))), np.zeros((n, len(dates)), dtype=np.int8)
        changed = np.zeros(len(outcome) if with_rows else 0, dtype=np.int64)
        groups = _places(reached.groups, contract.groups)[reached.group] if contract.groups else np.full(len(waves), -1)
        kind = (groups.astype(np.int64) + 1) * n_waves + waves
        verified = (
            np.empty(0, dtype=np.bool_) if reached.is_false is None else reached.is_false,
            np.empty(0, dtype=np.uint32) if reached.lots is None else reached.lots,
        )
        settle_card(*rows, *verified, waves, kind, card, amount, limit, changed)
        paid[name], by_row[name] = amount, changed
        for d, date in enumerate(dates):
            columns[CARD, name, date] = add_in_order(amount[:, :, d].T)
            columns[CARD_LIMIT, name, date] = limit[:, d].astype(np.float64)
    number = np.zeros((n, len(names), n_waves, len(contract.calendar)))
    has_units = np.array([use.unit != "people" for use in contract.outcomes.values()])
    count_reached(*rows, waves, has_units, _dues(contract, list(contract.calendar), is_last_open=False), number)
    so_far = np.cumsum(number, axis=3)
    for o, name in enumerate(names):
        for w in range(n_waves):
            for d, date in enumerate(contract.calendar):
                columns[REACHED, name, w, date, False] = so_far[:, o, w, d]
                columns[REACHED, name, w, date, True] = number[:, o, w, d]
    replication = np.repeat(np.arange(n), np.diff(reached.first_person))
    people = np.bincount(replication * n_waves + waves, minlength=n * n_waves).reshape(n, n_waves)
    columns |= {(PEOPLE_COUNTED, w): people[:, w].astype(np.float64) for w in range(n_waves)}
    return CardSettlement(columns, paid, by_row)


def paid_for_outcomes(contract: Contract, cards: CardSettlement, dates: Collection[str]) -> dict[str, Floats]:
    """Return by outcome what all rate cards pay for it on some dates, shape (n_replications,), in the currency."""
    found: dict[str, Floats] = {}
    for o, name in enumerate(contract.outcomes if cards.paid else ()):
        parts = [
            amount[:, o, d]
            for card, amount in cards.paid.items()
            if name in cards_of(contract)[card].rate_card and cards_of(contract)[card].rate_card[name].has_price
            for d, date in enumerate(contract.dates_of(contract.terms[card]))
            if date in dates
        ]
        if parts:
            found[name] = add_in_order(parts)
    return found


def _places(recorded: tuple[str, ...], named: Mapping[str, object]) -> Integers:
    """Return the place in the contract of each recorded name; -1, the last, for one that it does not know."""
    names = list(named)
    return np.array([*(names.index(one) if one in names else -1 for one in recorded), -1], dtype=np.int16)


def card_arrays(contract: Contract, term: RateCard, dates: list[str]) -> CardArrays:
    """Write a rate card as numbers."""
    names, units = list(contract.outcomes), float(units_of(contract.currency))
    prices = [term.rate_card.get(name) for name in names]
    bit = {name: np.uint64(1) << np.uint64(place) for place, name in enumerate(names)}
    n, n_waves, n_groups = len(names), len(contract.waves) or 1, len(contract.groups)
    due = _dues(contract, dates, is_last_open=term.open_at_end == "paid")
    later = 0.0 if term.dispute is None else term.dispute.later_by_months.value
    due_later = _dues(contract, dates, is_last_open=term.open_at_end == "paid", later=later)
    n_months = due.shape[1]
    n_bands = max((len(one.bands) for one in prices if one is not None), default=0)
    price, band_from, band_price = (
        np.zeros((n, (n_groups + 1) * n_waves, n_months)),
        np.full((n, n_bands), np.inf),
        np.zeros((n, n_bands)),
    )
    needs, undoes, net_of = (np.zeros(n, dtype=np.uint64) for _ in range(3))
    for o, one in enumerate(prices):
        if one is None:
            continue
        price[o] = _prices(contract, one, n_months)
        for k, band in enumerate(one.bands):
            band_from[o, k], band_price[o, k] = band.beyond.value, band.price.value
        needs[o], net_of[o] = (
            sum((bit[name] for name in one.needs), np.uint64(0)),
            sum((bit[name] for name in one.net_of), np.uint64(0)),
        )
        if one.lost_by is not None:
            undoes[names.index(one.lost_by.outcome)] |= bit[names[o]]
    unlocks = np.array(
        [sum((bit[names[j]] for j in range(n) if needs[j] & bit[name]), np.uint64(0)) for name in names], dtype=np.uint64
    )
    cap, whole = partial(_cap, units=units), term.cap_per_year
    lost = [None if one is None else one.lost_by for one in prices]
    return CardArrays(
        price=price,
        band_from=band_from,
        band_price=band_price,
        n_bands=np.array([0 if one is None else len(one.bands) for one in prices], dtype=np.int64),
        is_priced=np.array([one is not None and one.has_price for one in prices]),
        has_units=np.array([use.unit != "people" for use in contract.outcomes.values()]),
        each_time=np.array([one is not None and one.each_time for one in prices]),
        beyond=np.array([0.0 if one is None or one.beyond_units is None else one.beyond_units.value for one in prices]),
        counted_back=np.array([one is not None and one.counted_back for one in prices]),
        net_of=net_of,
        needs=needs,
        unlocks=unlocks,
        undoes=undoes,
        lost_within=np.array(
            [1200 if one is None or one.within_months is None else int(one.within_months.value) for one in lost], dtype=np.int64
        ),
        owed_back=np.array([0.0 if one is None else one.share_owed_back.value for one in lost]),
        due=due,
        due_later=due_later,
        cap=np.array([cap(None if one is None else one.cap) for one in prices], dtype=np.int64),
        cap_per_wave=np.array([cap(term.cap_per_wave.get(wave)) for wave in contract.waves or [""]], dtype=np.int64),
        year=_budget_years(contract, term, dates),
        limits=np.array(
            [cap(term.cap_per_person), cap(None if whole is None else whole.at_most), cap(term.cap_in_all)], dtype=np.int64
        ),
        is_carried=whole is not None and whole.excess == "carried_over",
        shares=np.array([0.0 if one is None else one.share.value for one in (term.audit, term.dispute)]),
        is_extrapolated=term.audit is not None and term.audit.extrapolated,
        units=units,
    )


def _cap(number: Constant | None, units: float) -> int:
    """Return a cap in the smallest unit of the currency."""
    return int(kernels.NO_CAP) if number is None else min(int(np.rint(number.value * units)), int(kernels.NO_CAP))


def _prices(contract: Contract, one: CardPrice, n_months: int) -> Floats:
    """Return the price of an outcome by class of people and month in which it is reached; with bands, what multiplies theirs."""
    waves, months = list(contract.waves) or [""], np.arange(n_months)
    base = np.full(n_months, 1.0 if one.price is None else one.price.value)
    for month, changed in sorted(one.from_month.items()):
        base[months >= month] = changed.value
    rows = []
    for group in ["", *contract.groups]:
        for wave in waves:
            own = one.by_group.get(group, one.by_wave.get(wave))
            rows.append(base if own is None else np.full(n_months, own.value))
    growth = 1.0 if one.index_per_year is None else 1.0 + one.index_per_year.value
    return np.stack(rows) * growth ** (months // 12)


def _dues(contract: Contract, dates: list[str], *, is_last_open: bool, later: float = 0.0) -> Int16s:
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


def _budget_years(contract: Contract, term: RateCard, dates: list[str]) -> Integers:
    """Return the budget year of each date, the first being 0."""
    year = term.cap_per_year
    begins = 12.0 if year is None or year.from_month is None else year.from_month.value
    months = np.array([contract.month_of(date) for date in dates])
    return np.maximum(np.floor((months - begins) / 12.0) + 1.0, 0.0).astype(np.int64)
