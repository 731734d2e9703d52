"""Lay out the cash of each party over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from simengine.config import Study
from simengine.questions.cash.answer import CashOverTime, PartyCash, PeriodCash
from simengine.questions.cash.periods import date_of
from simengine.report.layouts import cost_notes, grid, heading, party_title, titled
from simengine.report.units import cell, money_unit, rounded_cell
from simengine.risk.statistics import Summary
from simengine.risk.trust import LEAST_TAIL_POINTS

_MOST_PERIODS = 12
"""Rows of a party's table, unless its periods were asked for."""


def cash_tables(study: Study, found: CashOverTime) -> RenderableType:
    """Lay out the peak funding need and the payback of all parties, then the cash of each by date."""
    by_date, every = {name: party.by_date for name, party in found.parties.items()}, found.every
    if not found.is_period_asked and any(len(periods) > _MOST_PERIODS for periods in by_date.values()):
        by_date, every = found.by_period("year"), "year"
    end = _end_of_cash(by_date)
    unit, _ = money_unit(study)
    last = date_of(found.start, found.flows.n_months - 1)
    remark = (
        f"Cash from {found.start} to {last}: positive is received, cumulative from the start. Quantiles are rounded where their error "
        "begins; a mean without ± is the same in every replication."
    )
    return Group(
        heading(study, found, remark),
        titled("Peak funding need: the deepest point of the cumulative cash, and its month", _peaks(found, unit)),
        titled("Payback: when the cumulative cash is back at 0 for good", _paybacks(found)),
        *(
            titled(party_title(study, name), _by_date(periods[:end], every, unit))
            for name, periods in by_date.items()
        ),
        *cost_notes(study, by_date),
        *_notes(found, by_date, end),
    )  # fmt: skip


def _peaks(found: CashOverTime, unit: float) -> RenderableType:
    table = grid("", "mean", "p50", "p95", "month, mean", "p50", "p95")
    for name, party in found.parties.items():
        peak, month = party.peak_funding, party.deepest_month
        table.add_row(
            _short(name),
            _mean(peak, unit),
            *(rounded_cell(peak.get(level), unit) for level in ("p50", "p95")),
            _mean(month, 1.0),
            *(_date(found, month, level) for level in ("p50", "p95")),
        )
    return table


def _paybacks(found: CashOverTime) -> RenderableType:
    table = grid("", "P(never)", "p05", "p50", "p95", "commitment exhausted")
    for name, party in found.parties.items():
        pays_out = party.payback_status["no_cost"].value < 1
        table.add_row(
            _short(name),
            cell(party.payback_status["never"], 1.0) if pays_out else "-",
            *(_date(found, party.payback_months, level) for level in ("p05", "p50", "p95")),
            cell(party.p_exhausted, 1.0),
        )
    return table


def _by_date(periods: Sequence[PeriodCash], every: str, unit: float) -> RenderableType:
    table = grid(every, "cash, mean", "p05", "p95", "cumulative mean", "p05", "p50", "p95")
    for one in periods:
        table.add_row(
            one.period.name,
            _mean(one.cash, unit),
            *(rounded_cell(one.cash.get(level), unit) for level in ("p05", "p95")),
            _mean(one.cumulative, unit),
            *(rounded_cell(one.cumulative.get(level), unit) for level in ("p05", "p50", "p95")),
        )
    return table


def _mean(distribution: Summary, unit: float) -> str:
    """Write a mean with its error; alone if nothing is uncertain, as before the first payment."""
    one, sd = distribution.get("mean"), distribution.get("sd")
    return rounded_cell(one, unit) if sd is not None and sd.value == 0 else cell(one, unit)


def _end_of_cash(by_date: Mapping[str, Sequence[PeriodCash]]) -> int:
    """Return how many periods there are up to the last one in which anybody has cash in any replication."""
    moved = [place for periods in by_date.values() for place, one in enumerate(periods) if _is_moved(one.cash)]
    return max(moved, default=0) + 1


def _is_moved(cash: Summary) -> bool:
    return cash["mean"].value != 0 or cash["sd"].value > 0


def _notes(found: CashOverTime, by_date: Mapping[str, Sequence[PeriodCash]], end: int) -> list[Text]:
    lines = []
    periods = next(iter(by_date.values()))
    if end < len(periods):
        lines.append(f"No cash after {periods[end - 1].period.name}.")
    if found.tails_need is not None:
        lines.append(f"p05 and p95 need {LEAST_TAIL_POINTS} replications in the tail: use -n {found.tails_need} or more.")
    elif any(_lacks_tails(party) for party in found.parties.values()):
        lines.append(f"A dash: never so, or fewer than {LEAST_TAIL_POINTS} replications in the tail.")
    return [Text("\n" + " ".join(lines))] if lines else []


def _lacks_tails(party: PartyCash) -> bool:
    return any(months and "p95" not in months for months in (party.deepest_month, party.payback_months))


def _date(found: CashOverTime, months: Summary, level: str) -> str:
    one = months.get(level)
    return "-" if one is None else date_of(found.start, int(one.value))


def _short(name: str) -> str:
    return name.replace("_", " ")
