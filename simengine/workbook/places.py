"""Where the months and the postings of one replication stand on its sheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simengine.workbook.book import SheetCells


@dataclass(frozen=True)
class MonthCells:
    """Where the cash of one replication stands."""

    cash: Mapping[str, SheetCells]
    """By name: the cash of each month."""
    cumulative: Mapping[str, SheetCells]
    """By name: the cash from the start to each month."""
    date: SheetCells
    price_level: SheetCells | None
    """The deflator of each month, where a party has a real rate."""


@dataclass(frozen=True)
class ValueCells:
    """Where the public value of one replication stands."""

    value: Mapping[str, SheetCells]
    """By party: the value of each year."""
    price_level: SheetCells | None
    """The deflator of the middle of each year, where a party has a real rate."""


@dataclass(frozen=True)
class PostingCells:
    """Where the postings of one replication stand, by column."""

    month: SheetCells
    line: SheetCells
    from_account: SheetCells
    to_account: SheetCells
    from_party: SheetCells
    to_party: SheetCells
    amount: SheetCells


@dataclass(frozen=True)
class PartPlaces:
    """In which rows the parts of a sheet begin: formulas at the top know the rows below them."""

    left: int
    returns: int
    metrics: int
    payments: int
    by_term: int
    value: int
    cash: int
    postings: int
    drawn: int
