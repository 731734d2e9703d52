"""Hold a settled contract against the payments that were really made, period by period."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import inf, isfinite
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from simengine.config.table_file import table_rows
from simengine.contract_text.published import NOT_REPRODUCED
from simengine.currencies import decimals_of
from simengine.errors import Problem, StudyError, UsageError, shorten
from simengine.records import Payments
from simengine.report.directions import total_of
from simengine.report.document import PeriodComparison

REPRODUCED = "reproduced"
_LATEST_MONTH = 2400
_HALF = 0.5 + 1e-9


def read_actual(path: Path | str, start: str | None = None) -> list[tuple[int, float]]:
    """Read payments that were made: the last month, from the start, of the period for which each was made, and its amount.

    Parameters
    ----------
    path
        A table with the columns `month` (or `date`) and `payment`.
    start
        The month in which the contract begins, for a table with dates.

    Raises
    ------
    StudyError
        With every line that cannot be.
    """
    rows, problems, read = table_rows(path, start), list[Problem](), list[tuple[int, float]]()
    columns = set(rows[0][1]) if rows else set()
    if columns != {"month", "payment"}:
        rule, found = (
            "a table of payments must have the columns month (or date) and payment",
            ", ".join(sorted(columns)) or "no line",
        )
        raise StudyError([Problem(str(path), "", rule, found, "")])
    for where, line in rows:
        month, payment = (_number(line[column]) for column in ("month", "payment"))
        if month is None or month != int(month) or not 0 <= month <= _LATEST_MONTH:
            problems.append(
                Problem(where, "month", f"must be a whole number from 0 to {_LATEST_MONTH:,}", shorten(line["month"]), "")
            )
        elif payment is None:
            problems.append(
                Problem(where, "payment", "must be a number, without separators of thousands", shorten(line["payment"]), "")
            )
        else:
            read.append((int(month), payment))
    if problems:
        raise StudyError(problems)
    return read


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if isfinite(number) else None


def compare_actual(
    payments: Payments, actual: Sequence[tuple[int, float]], currency: str, rounded_to: float = 1.0, until: str | None = None
) -> list[PeriodComparison]:
    """Compare what the terms pay on each date with what was paid since the date before it.

    Parameters
    ----------
    payments
        The contract, settled on what was reached.
    actual
        Months and amounts of the payments that were made.
    currency
        Of the contract.
    rounded_to
        The unit to which the payments are rounded; a difference of up to half of it is none.
    until
        The date up to which the contract was settled; later payments are then not compared. Absent: all are.

    Raises
    ------
    UsageError
        If the contract has no dates, or pays in both directions.
    """
    if total_of(payments) is None:
        raise UsageError("actual: the contract must pay in one direction, so that its payments add up; found both. Compare by hand")
    computed, names = dict[int, float](), dict[int, list[str]]()
    for t, row in enumerate(payments.months):
        for due, month in enumerate(row):
            if month >= 0:
                computed[int(month)] = computed.get(int(month), 0.0) + float(payments.by_due[0, t, due])
                names.setdefault(int(month), []).append(payments.dues[due])
    if not computed:
        raise UsageError("actual: the contract must say on which dates it pays; found no `dates`. Add them to the contract")
    bounds = [-1, *sorted(computed)]
    periods = [(", ".join(dict.fromkeys(names[last])), before + 1, float(last)) for before, last in pairwise(bounds)]
    if until is None and any(month > bounds[-1] for month, _ in actual):
        periods.append(("after the last date", bounds[-1] + 1, inf))
    return [_compared(period, first, last, computed, actual, currency, rounded_to) for period, first, last in periods]


def _compared(
    period: str,
    first: int,
    last: float,
    computed: dict[int, float],
    actual: Sequence[tuple[int, float]],
    currency: str,
    rounded_to: float,
) -> PeriodComparison:
    due = 0.0 if last == inf else computed[int(last)]
    paid = sum(amount for month, amount in actual if first <= month <= last)
    difference = round(due - paid, decimals_of(currency)) + 0.0
    return {
        "period": period,
        "from_month": first,
        "to_month": None if last == inf else int(last),
        "computed": due + 0.0,
        "paid": paid,
        "difference": difference,
        "verdict": REPRODUCED if abs(difference) <= _HALF * rounded_to else NOT_REPRODUCED,
    }


def actual_table(rows: Sequence[PeriodComparison], currency: str) -> Table:
    """Lay out the comparison by period, and its totals."""
    decimals = decimals_of(currency)
    layout = Table(title="Against the payments that were made", title_justify="left", pad_edge=False, box=box.SIMPLE_HEAD)
    for number, column in enumerate(("period", "months", "by the terms", "paid", "difference", "")):
        layout.add_column(column, justify="left" if number in (0, 5) else "right")
    for row in rows:
        months = f"{row['from_month']}-{'' if row['to_month'] is None else row['to_month']}"
        money = (f"{amount:z,.{decimals}f}" for amount in (row["computed"], row["paid"], row["difference"]))
        layout.add_row(row["period"], months, *money, row["verdict"])
    layout.add_section()
    sums = (sum(amounts) for amounts in zip(*((row["computed"], row["paid"], row["difference"]) for row in rows), strict=True))
    n_not = sum(row["verdict"] == NOT_REPRODUCED for row in rows)
    layout.add_row("total", "", *(f"{amount:z,.{decimals}f}" for amount in sums), f"{n_not} of {len(rows)} {NOT_REPRODUCED}")
    return layout
