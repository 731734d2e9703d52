"""Say a rate card as a table that a lawyer can read, and work it through for three people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from simengine.contract import reached_from, settle_cards
from simengine.contract.spec import Contract
from simengine.contract.terms.rate_card import CardPrice, OutcomePrice, RateCard, VariedPrice
from simengine.contract_text.wording import Wording
from simengine.contract_text.words import EXAMPLE_COLUMNS, NUMBERS_RIGHT
from simengine.currencies import decimals_of, units_of
from simengine.records import Reached

_WIDTH = 80
_UNITS_SHOWN = 30.0
"""Units of a month in the example where nothing must be reached first."""


@dataclass(frozen=True)
class Grid:
    """A table in words."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """By row, the text under each column; the first names the row."""
    right: tuple[bool, ...]
    """By column: whether it holds numbers."""


def card_grid(words: Wording, contract: Contract, card: RateCard) -> Grid:
    """Return the table of a card: what counts, how it is proved, what is paid, and on what conditions."""
    rows = []
    for name, one in card.rate_card.items():
        use = contract.outcomes[name]
        delay = use.validated_after_months
        proof = words.typed(use.evaluator) if use.evaluator else ""
        proof += "" if delay is None else words.card["validated"].format(months=words.months(delay.value))
        conditions = "; ".join(_conditions(words, contract, name, one))
        rows.append(
            (words.typed(name), words.typed(use.meaning), proof.strip("; "), _price(words, contract, name, one), conditions)
        )
    return Grid(words.card_columns, tuple(rows), (False,) * len(words.card_columns))


def varied_lines(words: Wording, contract: Contract, card: RateCard) -> Iterator[str]:
    """Yield what variations change of a card, a line for each."""
    for name, changed in card.varied.items():
        said = [
            words.card["varied_outcome"].format(
                name=words.typed(outcome), changes="; ".join(_changes(words, contract, outcome, one))
            )
            for outcome, one in changed.rate_card.items()
        ]
        caps = {word: getattr(changed, key) for key, word in words.varied_caps.items() if getattr(changed, key) is not None}
        said += [words.card["varied_cap"].format(cap=word, amount=words.number(cap.value)) for word, cap in caps.items()]
        said += [
            words.card["varied_wave"].format(wave=words.typed(wave), amount=words.number(cap.value))
            for wave, cap in changed.cap_per_wave.items()
        ]
        yield words.card["varied"].format(name=words.typed(name), changes="; ".join(said))


def _changes(words: Wording, contract: Contract, name: str, one: VariedPrice) -> list[str]:
    """Say what a variation changes of one outcome."""
    use = contract.outcomes[name]
    each = words.card["each_unit"].format(unit=words.typed(use.unit)) if use.has_units else words.card["each_person"]
    price = [] if one.price is None else [words.card["price"].format(price=words.number(one.price.value), each=each)]
    return [
        *price,
        *_own_prices(words, one),
        *([] if one.cap is None else [words.card["cap"].format(cap=words.number(one.cap.value))]),
    ]


def _own_prices(words: Wording, one: OutcomePrice) -> list[str]:
    """Say the prices of groups and waves."""
    groups = [
        words.card["by_group"].format(price=words.number(price.value), group=words.typed(group))
        for group, price in one.by_group.items()
    ]
    return groups + [
        words.card["by_wave"].format(price=words.number(price.value), wave=words.typed(wave)) for wave, price in one.by_wave.items()
    ]


def _price(words: Wording, contract: Contract, name: str, one: CardPrice) -> str:
    """Say what one outcome is worth, and to whom something else."""
    use = contract.outcomes[name]
    each = words.card["each_unit"].format(unit=words.typed(use.unit)) if use.has_units else words.card["each_person"]
    if one.bands:
        said = [
            words.card["band"].format(price=words.number(band.price.value), beyond=words.number(band.beyond.value))
            for band in one.bands
        ]
    elif one.price is None:
        said = [words.card["no_price"]]
    else:
        said = [words.card["price"].format(price=words.number(one.price.value), each=each)]
    said += _own_prices(words, one)
    said += [
        words.card["from_month"].format(price=words.number(p.value), month=month) for month, p in sorted(one.from_month.items())
    ]
    if one.index_per_year is not None:
        said.append(words.card["index"].format(rate=words.per_cent(one.index_per_year.value)))
    return "; ".join(said)


def _conditions(words: Wording, contract: Contract, name: str, one: CardPrice) -> Iterator[str]:
    if one.needs:
        yield words.card["needs"].format(names=", ".join(map(words.typed, one.needs)))
    if one.each_time:
        yield words.card["each_time"]
    if one.beyond_units is not None:
        key = "counted_back" if one.counted_back else "beyond"
        yield words.card[key].format(units=words.number(one.beyond_units.value), unit=words.typed(contract.outcomes[name].unit))
    if one.net_of:
        yield words.card["net_of"].format(names=", ".join(map(words.typed, one.net_of)))
    if one.lost_by is not None:
        lost = one.lost_by
        months = lost.within_months
        within = "" if months is None else words.card["within"].format(months=words.months(months.value))
        yield words.card["lost"].format(
            name=words.typed(lost.outcome), within=within, share=words.per_cent(lost.share_owed_back.value)
        )
    if one.cap is not None:
        yield words.card["cap"].format(cap=words.number(one.cap.value))


def as_signed(contract: Contract) -> Contract:
    """Return a contract without its variations; a gate that names one finds that it does not hold."""
    terms = {
        name: term.model_copy(update={"varied": {}}) if isinstance(term, RateCard) else term
        for name, term in contract.terms.items()
    }
    return contract.model_copy(update={"variations": {}, "terms": terms})


def example_people(contract: Contract, cards: Mapping[str, RateCard]) -> list[dict[str, Any]]:
    """Make up three people: one who reaches everything, one who reaches little, and one who loses something or comes too early."""
    prices = {name: one for card in cards.values() for name, one in card.rate_card.items()}
    undoing = {one.lost_by.outcome for one in prices.values() if one.lost_by is not None}
    netted = {name for one in prices.values() for name in one.net_of}
    good = [name for name in _by_needs(prices) if name not in undoing | netted and prices[name].has_price]
    good = good or list(contract.outcomes)
    last = max(date.month for date in contract.calendar.values())
    step = max(int((last - 1) // (len(good) + 2)), 1)
    traits = {"wave": next(iter(contract.waves), ""), "group": next(iter(contract.groups), "")}

    def row(person: str, outcome: str, month: float) -> dict[str, Any]:
        beyond = prices[outcome].beyond_units if outcome in prices else None
        quantity = "" if not contract.outcomes[outcome].has_units else (_UNITS_SHOWN if beyond is None else 1.5 * beyond.value)
        return {"person": person, "outcome": outcome, "month": int(min(max(month, 1), last)), "units": quantity, **traits}

    rows = [row("A", name, 1 + step * place) for place, name in enumerate(good)]
    rows.append(row("B", good[0], 2))
    lost = next((name for name, one in prices.items() if one.lost_by is not None), None)
    if lost is not None:
        needed = [name for name in good if name in prices[lost].needs]
        rows += [row("C", name, 2 + place) for place, name in enumerate([*needed, lost])]
        loss = prices[lost].lost_by
        assert loss is not None
        rows.append(row("C", loss.outcome, 4 + len(needed)))
    else:
        waits = next((name for name in good if name in prices and prices[name].needs), good[-1])
        rows.append(row("C", waits, 3))
    return rows


def _by_needs(prices: Mapping[str, CardPrice]) -> list[str]:
    """List outcomes, each after those that it needs."""
    listed: list[str] = []
    while len(listed) < len(prices):
        listed.append(
            next(name for name, one in prices.items() if name not in listed and set(one.needs) & set(prices) <= set(listed))
        )
    return listed


def example_grid(words: Wording, contract: Contract, reached: Reached, rows: list[dict[str, Any]]) -> Grid:
    """Return what each person reached and what the cards pay for it, person by person."""
    settled, units = settle_cards(contract, reached, with_rows=True), units_of(contract.currency)
    changed = sum(settled.by_row.values(), start=np.zeros(len(reached.person))) / units
    people = list(dict.fromkeys(row["person"] for row in rows))
    decimals, told = decimals_of(contract.currency), []
    for p, person in enumerate(people):
        total = 0.0
        for x in range(len(reached.person)):
            if reached.person[x] != p:
                continue
            total += changed[x]
            name = reached.outcomes[reached.outcome[x]]
            has_units = contract.outcomes[name].has_units and reached.units is not None
            quantity = words.number(float(reached.units[x]), 6) if has_units and reached.units is not None else ""
            moved, so_far = words.money(changed[x], decimals), words.money(total, decimals)
            told.append((person, str(reached.month[x]), words.typed(name), quantity, moved, so_far))
    return Grid(words.example_columns, tuple(told), tuple(name in NUMBERS_RIGHT for name in EXAMPLE_COLUMNS))


def example_reached(contract: Contract, rows: list[dict[str, Any]]) -> Reached:
    """Turn the people of the example into what a contract is settled on."""
    return reached_from(contract, [("the example", row) for row in rows], "the example")


def grid_lines(grid: Grid) -> list[str]:
    """Print a table as lines of plain text."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, (name, is_right) in enumerate(zip(grid.columns, grid.right, strict=True)):
        table.add_column(name, overflow="fold", justify="right" if is_right else "left", no_wrap=place == 0)
    for row in grid.rows:
        table.add_row(*row)
    console = Console(file=StringIO(), width=_WIDTH, no_color=True, highlight=False)
    console.print(table)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]
