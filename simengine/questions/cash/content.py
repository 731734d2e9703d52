"""What JSON says of the cash over time; the same by date as CSV, and by replication as Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NotRequired, TypedDict

import numpy as np

from simengine.arrow import as_array
from simengine.config import Study
from simengine.late import late
from simengine.questions.cash.answer import CashOverTime, PartyCash, PeriodCash
from simengine.questions.cash.periods import date_of
from simengine.questions.question import Asked, Files, Source
from simengine.records import measurements_of
from simengine.report.answers import Heading, answer_heading
from simengine.report.folder import write_parts
from simengine.risk.statistics import LEVELS, QuantilesAlone, Statistic, Summary

if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = late("pyarrow")

_STATISTICS = ("mean", *LEVELS)
_ROWS_AT_ONCE = 1_000_000


class PeriodContent(TypedDict):
    """Cash of one name in one period."""

    period: str
    """The period: 2030-01, 2030 Q1 or 2030. The first and the last of a study may be shorter than others."""
    first: str
    """Its first month, as year-month."""
    last: str
    """Its last month, as year-month."""
    first_month: int
    """The same as months from the start, which is 0."""
    last_month: int
    """Its last month from the start; that of the last period is the horizon."""
    cash: Summary
    cumulative: Summary


class _Lending(TypedDict, total=False):
    commitment: float
    money_in: Summary
    p_exhausted: Statistic


class PartyContent(TypedDict):
    """Cash of one name over time."""

    peak_funding: Summary
    p_out_of_pocket: Statistic
    deepest_month: Summary
    payback_months: QuantilesAlone
    payback_status: Mapping[str, Statistic]
    commitment: NotRequired[float]
    money_in: NotRequired[Summary]
    p_exhausted: NotRequired[Statistic]
    by_date: list[Annotated[PeriodContent, PeriodCash]]


class CashContent(Heading):
    """The cash over time."""

    start: str
    every: str
    tails_need: int | None
    cash: Mapping[str, Annotated[PartyContent, PartyCash]]
    """By name: a party, with all its accounts; `suppliers` outside the study; `project`, the account through which the loan runs;
    `all_lenders` and `all_payers`, if several have the role, in this role alone; `tranche.<tranche>`; `<lender>.loans`, the tranches
    of a lender that has other cash too."""


def cash_content(study: Study, found: CashOverTime) -> CashContent:
    """Return what JSON says of the cash over time."""
    return {
        **answer_heading(study, found),
        "start": found.start,
        "every": found.every,
        "tails_need": found.tails_need,
        "cash": {name: _party(party) for name, party in found.parties.items()},
    }


def _party(party: PartyCash) -> PartyContent:
    lending: _Lending = {}
    if party.commitment is not None and party.money_in is not None and party.p_exhausted is not None:
        lending = {"commitment": party.commitment, "money_in": party.money_in, "p_exhausted": party.p_exhausted}
    return {
        "peak_funding": party.peak_funding,
        "p_out_of_pocket": party.p_out_of_pocket,
        "deepest_month": party.deepest_month,
        "payback_months": party.payback_months,
        "payback_status": party.payback_status,
        **lending,
        "by_date": [_period(one) for one in party.by_date],
    }


def _period(one: PeriodCash) -> PeriodContent:
    period = one.period
    return {
        "period": period.name,
        "first": period.first,
        "last": period.last,
        "first_month": period.first_month,
        "last_month": period.last_month,
        "cash": one.cash,
        "cumulative": one.cumulative,
    }


def by_date_files(asked: Asked, source: Source, found: CashOverTime) -> Files:  # noqa: ARG001
    """Write the statistics by date for a spreadsheet: one row per party and period."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    of = [f"{what}_{name}" for what in ("cash", "cumulative") for name in _STATISTICS]
    writer.writerow(
        ["party", "period", "first", "last", "first_month", "last_month", *(part for name in of for part in (name, f"{name}_se"))]
    )
    for name, party in found.parties.items():
        for one in party.by_date:
            period = one.period
            cells = [cell for what in (one.cash, one.cumulative) for key in _STATISTICS for cell in _cells(what, key)]
            writer.writerow([name, period.name, period.first, period.last, period.first_month, period.last_month, *cells])
    return {"cash-by-date.csv": text.getvalue()}


def _cells(distribution: Mapping[str, Statistic], key: str) -> tuple[float | str, float | str]:
    """Return a value and its standard error; empty where it is not given, or its error is unknown."""
    one = distribution.get(key)
    if one is None:
        return "", ""
    is_known = isfinite(one.se) and (one.covers or one.interval_95 is not None)
    return one.value, one.se if is_known else ""


def write_flows(draft: Path, study: Study, found: CashOverTime) -> None:  # noqa: ARG001
    """Write the cash of each month, one row per party, replication and month."""
    dates = [date_of(found.start, month) for month in range(found.flows.n_months)]
    weight, numbers = found.flows.rows.columns.get("weight"), found.flows.rows.replications
    words = pa.dictionary(pa.int32(), pa.string())
    fields = [("party", words), ("replication", pa.int64()), ("measurement", pa.int16()), ("month", pa.int16()), ("date", words)]
    fields += [("cash", pa.float64())] + ([] if weight is None else [("weight", pa.float64())])
    measurement = measurements_of(numbers).astype(np.int16)

    def parts() -> Iterator[pa.Table]:
        n_months = found.flows.n_months
        size = max(_ROWS_AT_ONCE // n_months, 1)
        months = np.arange(n_months, dtype=np.int16)
        for place, cash in enumerate(found.cash.values()):
            for begin in range(0, len(cash), size):
                some = slice(begin, begin + size)
                n = len(numbers[some])
                columns: dict[str, Any] = {
                    "party": _words(np.full(n * n_months, place), list(found.cash)),
                    "replication": as_array(np.repeat(numbers[some], n_months)),
                    "measurement": as_array(np.repeat(measurement[some], n_months)),
                    "month": as_array(np.tile(months, n)),
                    "date": _words(np.tile(months, n), dates),
                    "cash": as_array(cash[some].ravel() / found.flows.units),
                }
                if weight is not None:
                    columns["weight"] = as_array(np.repeat(weight[some], n_months))
                yield pa.table(columns, schema=pa.schema(fields))

    write_parts(draft, "cash.parquet", pa.schema(fields), parts())


def _words(places: Any, words: list[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(as_array(places.astype(np.int32)), as_array(words))
