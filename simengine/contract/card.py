"""Settle the rate cards of a contract on who reached what and when, before its other terms."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import numpy as np

from simengine.accelerate import plainly_if_few
from simengine.arrays import Flags
from simengine.contract.card_arrays import card_arrays, dues_of, in_order_of_time, places_of, variation_arrays
from simengine.contract.columns import column_of
from simengine.contract.kernels.card import count_reached, settle_card
from simengine.contract.program import Column
from simengine.contract.scope import CARD, CARD_LIMIT, PEOPLE_COUNTED, REACHED
from simengine.contract.spec import Contract
from simengine.contract.terms import Term, parts_within
from simengine.contract.terms.rate_card import RateCard
from simengine.contract.variations import held_variations
from simengine.records import Drawing, Floats, Integers, Measurements, Reached, add_in_order

_STEPS_OF_A_ROW = 20
"""About what it takes to settle a row, or to fill in a number."""


@dataclass(frozen=True)
class CardSettlement:
    """What rate cards pay, and how many people reached what, for the program of a contract to read."""

    columns: Mapping[Column, Floats] = field(default_factory=dict)
    """Each of shape (n_replications,)."""
    paid: Mapping[str, Floats] = field(default_factory=dict)
    """By card: shape (n_replications, n_outcomes, n_dates), in the currency; outcomes of the contract, dates of the card, in order."""
    by_row: Mapping[str, Integers] = field(default_factory=dict)
    """By card: shape (n_rows,), in the smallest unit of the currency: what each row changed, held down only by the cap of its
    person; empty unless asked for."""


def cards_of(contract: Contract) -> dict[str, RateCard]:
    """Return the terms of a contract that are rate cards."""
    return {name: term for name, term in contract.terms.items() if isinstance(term, RateCard)}


def verifies_claims(contract: Contract) -> bool:
    """Return whether a rate card chooses claims by lot, to audit or dispute them."""
    return any(card.audit is not None or card.dispute is not None for card in cards_of(contract).values())


def settle_cards(
    contract: Contract, reached: Reached | None, measurements: Measurements | None = None, *, with_rows: bool = False
) -> CardSettlement:
    """Settle every rate card of a contract, and count who reached what by each date.

    Parameters
    ----------
    contract
        The terms; names that they use must exist: see `rules`.
    reached
        Who reached what and when; absent: nobody counted, and whatever depends on it is missing.
    measurements
        What variations look at besides; absent: no variation is asked about, and the card holds as it was signed.
    measurements
        What variations look at besides; absent: no variation is asked about, and the card holds as it was signed.
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
    listed = _Listed(contract, reached)
    columns = listed.counted() if _asks_numbers(contract) else dict[Column, Floats]()
    held = np.zeros((len(reached), len(contract.variations)), dtype=np.bool_)
    if measurements is not None and contract.variations:
        nothing = Drawing(np.zeros(len(reached)))
        held = held_variations(contract, lambda column: column_of(column, measurements, columns, nothing), len(reached))
    paid, by_row = dict[str, Floats](), dict[str, Integers]()
    for name, term in cards_of(contract).items():
        paid[name], limit, by_row[name] = listed.settled(term, held, with_rows=with_rows)
        for d, date in enumerate(contract.dates_of(term)):
            columns[CARD, name, date] = add_in_order(paid[name][:, :, d].T)
            columns[CARD_LIMIT, name, date] = limit[:, d].astype(np.float64)
    return CardSettlement(columns, paid, by_row)


def _asks_numbers(contract: Contract) -> bool:
    """Return whether anything in a contract looks at the number of those who reached an outcome."""
    sources = (contract.terms, {name: use.derived for name, use in contract.metrics.items()}, contract.total_cap)
    return any(isinstance(node, Term) and node.counted_outcomes for source in sources for _, node in parts_within(source, ""))


class _Listed:
    """Who reached what and when, in the names of one contract."""

    def __init__(self, contract: Contract, reached: Reached) -> None:
        self.contract, self.reached = contract, reached
        place = places_of(reached.outcomes, contract.outcomes)
        wave = places_of(reached.waves, contract.waves)[reached.wave] if contract.waves else np.zeros_like(reached.wave)
        self.wave, self.n_waves = wave, len(contract.waves) or 1
        quantity = np.empty(0) if reached.units is None else reached.units
        self.rows = (reached.first_row, reached.first_person, reached.person, place[reached.outcome], reached.month, quantity)

    def settled(self, term: RateCard, held: Flags, *, with_rows: bool) -> tuple[Floats, np.ndarray, Integers]:
        """Return the amounts of one card by outcome and date, the cap that cut each date first, and what each row changed."""
        contract, reached, dates = self.contract, self.reached, self.contract.dates_of(term)
        amount = np.zeros((len(reached), len(contract.outcomes), len(dates)))
        limit = np.zeros((len(reached), len(dates)), dtype=np.int8)
        by_row = np.zeros(len(reached.outcome) if with_rows else 0, dtype=np.int64)
        group = places_of(reached.groups, contract.groups)[reached.group] if contract.groups else np.full(len(self.wave), -1)
        kind = (group.astype(np.int64) + 1) * self.n_waves + self.wave
        is_false = np.empty(0, dtype=np.bool_) if reached.is_false is None else reached.is_false
        lots = np.empty(0, dtype=np.uint32) if reached.lots is None else reached.lots
        names, listed = list(contract.variations), in_order_of_time(contract, term)
        card, varied = card_arrays(contract, term, dates), variation_arrays(contract, term, dates, listed)
        mine = np.ascontiguousarray(held[:, [names.index(name) for name in listed]])
        with self._plainly_if_few(amount):
            settle_card(*self.rows, is_false, lots, self.wave, kind, card, varied, mine, amount, limit, by_row)
        return amount, limit, by_row

    def counted(self) -> dict[Column, Floats]:
        """Count who reached each outcome by each date, and since the date before, by wave; and all people."""
        contract, n, dates = self.contract, len(self.reached), list(self.contract.calendar)
        number = np.zeros((n, len(contract.outcomes), self.n_waves, len(dates)))
        has_units = np.array([use.has_units for use in contract.outcomes.values()])
        with self._plainly_if_few(number):
            count_reached(*self.rows, self.wave, has_units, dues_of(contract, dates, is_last_open=False), number)
        so_far = np.cumsum(number, axis=3)
        columns: dict[Column, Floats] = {}
        for o, name in enumerate(contract.outcomes):
            for w in range(self.n_waves):
                for d, date in enumerate(dates):
                    columns[REACHED, name, w, date, False] = so_far[:, o, w, d]
                    columns[REACHED, name, w, date, True] = number[:, o, w, d]
        replication = np.repeat(np.arange(n), np.diff(self.reached.first_person))
        people = np.bincount(replication * self.n_waves + self.wave, minlength=n * self.n_waves).reshape(n, self.n_waves)
        return columns | {(PEOPLE_COUNTED, w): people[:, w].astype(np.float64) for w in range(self.n_waves)}

    def _plainly_if_few(self, filled: Floats) -> AbstractContextManager[None]:
        return plainly_if_few(_STEPS_OF_A_ROW * (len(self.reached.outcome) + filled.size))


def paid_for_outcomes(contract: Contract, cards: CardSettlement) -> dict[str, Floats]:
    """Return by outcome what all rate cards pay for it, shape (n_replications,), in the currency."""
    prices = {name: card.rate_card for name, card in cards_of(contract).items()}
    found: dict[str, Floats] = {}
    for o, name in enumerate(contract.outcomes):
        priced = [paid for card, paid in cards.paid.items() if name in prices[card] and prices[card][name].has_price]
        if priced:
            found[name] = add_in_order([on_date for paid in priced for on_date in paid[:, o].T])
    return found
