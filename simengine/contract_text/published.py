"""Compare the engine with published cases: settle every contract on published outcomes, and compare with the payment made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict

import numpy as np
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simengine.contract.listed import counted_in
from simengine.contract.spec import Contract, PublishedCase
from simengine.currencies import decimals_of, units_of
from simengine.distributions import Sourced, quantities_in
from simengine.report.directions import paid_in_all
from simengine.settlement import replay

PAID_OR_NOT = "1: something is paid; 0: nothing"
NOT_REPRODUCED = "not reproduced"
_SAME = 1e-9


class PublishedRow(TypedDict):
    """A published case, and what the terms give."""

    contract: str
    """Name of the contract's file."""
    case: str
    """Name of the case."""
    title: str
    """Title of the contract."""
    verdict: str
    """`strict`, `form guessed`, `expressiveness` or `not reproduced` ([meaning](contract.md))."""
    outcome: Mapping[str, float]
    """By outcome: what was published of it."""
    published: float | None
    """The payment made; null if it was not published."""
    computed: float
    """The payment under the terms."""
    difference: float | None
    """Computed less published; null if it was not published."""
    unit: str
    """The currency; or, if only that is known, 1 for *something is paid* and 0 for *nothing*."""
    rounded_to: float
    """Rounding unit of the published figure."""
    sources: list[str]
    """Titles and addresses."""
    note: str | None
    """The arithmetic, or open questions; null if there is no note."""


class PublishedContent(TypedDict):
    """Every published case."""

    contracts: list[PublishedRow]
    """One entry for each published case."""


def compare_published(name: str, contract: Contract) -> Iterator[PublishedRow]:
    """Settle a contract on each of its published cases.

    Parameters
    ----------
    name
        What the contract is called in the result.
    contract
        The terms, and what is published of them.

    Yields
    ------
    One row per case: what was published, what the terms give, the difference, and the verdict. The verdict is the basis that the
    file claims for the rule, unless the two differ by more than the rounding of the published figure: then it is `not
    reproduced`, whatever the file claims.
    """
    for case_name, case in contract.published.items():
        computed = _computed(contract, case)
        decimals = decimals_of(contract.currency)
        published = None if case.paid is None else case.paid.value
        difference = None if published is None else round(computed - published, decimals)
        yield {
            "contract": name,
            "case": case_name,
            "title": contract.title,
            "verdict": _verdict(contract, case, computed),
            "outcome": {outcome: number.value for outcome, number in case.outcome.items()},
            "published": published,
            "computed": computed,
            "difference": difference,
            "unit": contract.currency if case.compares == "amount" else PAID_OR_NOT,
            "rounded_to": _rounding(contract, case),
            "sources": _sources(contract, case),
            "note": case.note or (case.paid.note if case.paid is not None else None),
        }


def _computed(contract: Contract, case: PublishedCase) -> float:
    drawn = contract.commitment.value if case.drawn is None else case.drawn.value
    outcomes = {name: number.value for name, number in case.outcome.items()}
    reached = counted_in(contract, case)
    payments = replay(contract, outcomes, drawn, case.date, reached)
    if case.date is not None:
        # The payments of that date alone.
        of_date = np.zeros_like(payments.by_due)
        of_date[:, :, payments.dues.index(case.date)] = payments.by_due[:, :, payments.dues.index(case.date)]
        payments = replace(payments, by_due=of_date)
    paid = paid_in_all(payments, case.terms or payments.terms)
    return paid if case.compares == "amount" else float(paid > 0)


def _rounding(contract: Contract, case: PublishedCase) -> float:
    return 1 / units_of(contract.currency) if case.rounded_to is None else case.rounded_to.value


_VERDICTS = {"expressiveness": "fitted"}
"""By a word that a program reads: what the table says instead."""


def _verdict(contract: Contract, case: PublishedCase, computed: float) -> str:
    if case.paid is None:
        return case.basis
    is_same = abs(computed - case.paid.value) <= _rounding(contract, case) / 2 + _SAME
    return case.basis if is_same else NOT_REPRODUCED


def _sources(contract: Contract, case: PublishedCase) -> list[str]:
    """List the sources of a case's numbers, and of the contract's commitment and terms, in words."""
    numbers: list[Sourced] = [number for _, number in quantities_in(case)]
    numbers += [contract.commitment, *(number for _, number in quantities_in(contract.terms))]
    codes = [code.strip() for number in numbers for code in (number.source or "").split(",") if code.strip()]
    return [contract.sources.get(code, code) for code in dict.fromkeys(codes)]


def published_table(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Lay out the comparison, one row for each published case, and the sources of each contract."""
    layout = Table(title="What contracts pay, and what was paid", title_justify="left", pad_edge=False, box=box.SIMPLE_HEAD)
    layout.add_column("contract, case, outcome", overflow="fold")
    for title in ("published", "computed", "difference"):
        layout.add_column(title, justify="right", no_wrap=True)
    layout.add_column("verdict", no_wrap=True)
    sources: dict[str, dict[str, None]] = {}
    for row in rows:
        outcome = ", ".join(f"{name} {value:,.10g}" for name, value in row["outcome"].items())
        numbers = [row[key] for key in ("published", "computed", "difference")]
        if row["unit"] == PAID_OR_NOT:
            said = ["-" if number is None else "paid" if number else "not paid" for number in numbers[:2]]
            said.append("none" if numbers[2] == 0 else "-" if numbers[2] is None else "differs")
        else:
            said = ["-" if number is None else f"{number:z,.0f}" for number in numbers]
        verdict = _VERDICTS.get(row["verdict"], row["verdict"])
        layout.add_row(f"{row['contract']}, {row['case']}\n  {outcome}", *said, verdict)
        sources.setdefault(row["contract"], {}).update(dict.fromkeys(row["sources"]))
    lines = [f"{name}\n" + "\n".join(f"  {source}" for source in named) for name, named in sources.items()]
    return Group(layout, Text("Sources\n\n" + "\n".join(lines)))
