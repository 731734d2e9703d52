"""The tables of an export and their columns: name, kind, unit and meaning, from which files, their dictionary and the page follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["whole", "number", "word", "truth"]


@dataclass(frozen=True)
class DataColumn:
    """A column of a table."""

    name: str
    kind: Kind
    unit: str
    """`currency`: whole units of the currency of the study; empty for what has none."""
    meaning: str


@dataclass(frozen=True)
class DataTable:
    """A table of an export."""

    name: str
    level: Literal["sample", "period", "summary"]
    """By replication, by year, or over all replications."""
    meaning: str
    columns: tuple[DataColumn, ...]
    beside: str = ""
    """What further columns there are, by what the study says."""


_REPLICATION = DataColumn("replication", "whole", "", "number of the replication, from 0")
_MEASUREMENT = DataColumn("measurement", "whole", "", "which measurement of its people, from 1; a run without `--measured` has one")
_WEIGHT = DataColumn("weight", "number", "", "weight of the row in a mean; 1 unless the run has `--tilt`")
_PARTY = DataColumn("party", "word", "", "the party by its key in the study")
_YEAR = DataColumn("year", "whole", "", "year of the calendar")
_STATISTIC = (
    DataColumn("value", "number", "of the statistic", "its value"),
    DataColumn("se", "number", "of the statistic", "its Monte Carlo standard error"),
    DataColumn("low_95", "number", "of the statistic", "lower end of its 95 % interval; empty where the error is unknown"),
    DataColumn("high_95", "number", "of the statistic", "upper end of it"),
    DataColumn("covers", "truth", "", "whether two standard errors on either side contain the exact value in 95 of 100 runs"),
)


def _money(name: str, meaning: str) -> DataColumn:
    return DataColumn(name, "number", "currency", meaning)


OF_PARTIES = (
    _money("cash", "its own cash; over all parties it sums to 0"),
    _money("value", "value of the true effect to it"),
    _money("cashable", "the part of that which can be released as cash"),
    _money("net", "cash + value; of all_lenders and all_payers in this role alone"),
    _money("npv", "the same, discounted at its rate"),
    _money("real_cash", "with `prices`: its cash in prices of the start"),
    _money("money_in", "of who lends: money paid in"),
    _money("money_back", "of who lends: money received on it"),
    DataColumn("moic", "number", "times", "of who lends: money back / money in"),
    DataColumn(
        "irr", "number", "per year", "of who lends: internal rate of return, 0.05 is 5 %; empty where there is none or several"
    ),
    DataColumn("irr_status", "word", "", "of who lends: outcome of the search for the rate"),
    DataColumn("payback_months", "number", "months", "of who lends: month from which its cumulative cash stays at 0 or above"),
    DataColumn("payback_status", "word", "", "of who lends: paid_back, never or no_cost"),
    _money("peak_funding", "of who lends: the largest net outlay at the end of a month"),
    _money("payment", "of who pays: its payments under the contract"),
    _money("true_saving", "of who pays: what the true effect saves it"),
    _money("unpaid", "of who may pay less than it owes: what it never pays"),
)
"""What `replications.parquet` holds as `<party>.<name>`, of every party that has it."""

TABLES: tuple[DataTable, ...] = (
    DataTable(
        "inputs",
        "sample",
        "the numbers that were drawn: one row for each replication and measurement",
        (_REPLICATION, _MEASUREMENT, _WEIGHT),
        "one column for each number of the study that has a distribution, under its path",
    ),
    DataTable(
        "results",
        "sample",
        "what each party is left with: one row for each replication, measurement and party",
        (
            _REPLICATION,
            _MEASUREMENT,
            _WEIGHT,
            DataColumn("group", "whole", "", "rows of one group may depend on each other, groups do not"),
            _PARTY,
            *OF_PARTIES,
        ),
    ),
    DataTable(
        "cash",
        "sample",
        "who pays whom: two rows for each posting, one for who pays and one for who receives; months without cash have none",
        (
            _REPLICATION,
            _MEASUREMENT,
            DataColumn("month", "whole", "months", "month from the start, which is 0"),
            DataColumn("date", "word", "", "the month as year-month"),
            DataColumn(
                "party", "word", "", "a party by its key; `suppliers` outside the study; `project`, through which the loan runs"
            ),
            DataColumn("flow", "word", "", "line of the ledger, such as draw.loan or term.guarantee"),
            _money("amount", "positive is received"),
        ),
    ),
    DataTable(
        "metrics",
        "sample",
        "what the evaluator concluded: one row for each replication, measurement, metric and wave, and one for all waves",
        (
            _REPLICATION,
            _MEASUREMENT,
            DataColumn("metric", "word", "", "the metric"),
            DataColumn("wave", "word", "", "the wave; empty: all waves together"),
            DataColumn("estimate", "number", "of the metric", "positive when the service users did better; empty: not measured"),
            DataColumn("standard_error", "number", "of the metric", "the evaluator's own; empty: unknown"),
            DataColumn("truth", "number", "of the metric", "the same against the twins; for all waves alone"),
        ),
    ),
    DataTable(
        "outcomes",
        "sample",
        "what happened to people: one row for each replication, wave, arm, outcome and window; the same in all measurements",
        (
            _REPLICATION,
            DataColumn("wave", "word", "", "the wave"),
            DataColumn("arm", "word", "", "the arm, such as service or twin; an arm without people has no rows"),
            DataColumn("outcome", "word", "", "the outcome"),
            DataColumn("window_months", "whole", "months", "the window, from entry"),
            DataColumn("persons", "whole", "persons", "number of people"),
            DataColumn("mean", "number", "of the outcome", "mean over people of the outcome within the window"),
        ),
    ),
    DataTable(
        "reached",
        "sample",
        "claims: one row for each replication, measurement, wave and outcome that is counted person by person; absent if none is",
        (
            _REPLICATION,
            _MEASUREMENT,
            DataColumn("wave", "word", "", "the wave"),
            DataColumn("outcome", "word", "", "the outcome"),
            DataColumn("number", "number", "persons, or units", "people, or units, for whom it is claimed"),
        ),
    ),
    DataTable(
        "cash_by_year",
        "period",
        "cash by year: one row for each replication, measurement, year and party, years without cash included",
        (
            _REPLICATION,
            _MEASUREMENT,
            _YEAR,
            DataColumn("party", "word", "", "as in cash"),
            _money("amount", "cash of the year; positive is received"),
            _money("cumulative", "cash from the start to the end of the year"),
        ),
    ),
    DataTable(
        "cash_by_year_summary",
        "summary",
        "statistics of the cash by year: one row for each year, party, quantity and statistic",
        (
            _YEAR,
            DataColumn("party", "word", "", "as in cash"),
            DataColumn("quantity", "word", "", "amount or cumulative"),
            DataColumn("statistic", "word", "", "mean, sd, p05, p25, p50, p75 or p95; a tail of too few replications is absent"),
            *_STATISTIC,
        ),
    ),
    DataTable(
        "summary",
        "summary",
        "every statistic of `summary.json`",
        (DataColumn("statistic", "word", "", "its path, such as investor.p_loss"), *_STATISTIC),
    ),
)
BY_NAME: Mapping[str, DataTable] = {table.name: table for table in TABLES}
INPUT = "drawn value of this number of the study, in the unit that the study gives it"
