"""Lay out what was sized: the term sheet, what each party has of it, the limits, the frontier; or why there is no deal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from simengine.config import Study
from simengine.questions.size.answer import Deal, SizingResult, shares_kept, sizing_of, table_of
from simengine.questions.size.belief import WeakestBelief
from simengine.questions.size.no_deal import NoDeal
from simengine.questions.size.one_number import OneNumber
from simengine.questions.size.search import Candidate, Table
from simengine.report.layouts import grid, titled
from simengine.report.term_names import short_names, written
from simengine.report.units import cell, measure_unit, money_unit
from simengine.risk.limits import Limit
from simengine.risk.statistics import Statistic

_SE_IN_AN_INTERVAL = 2 * 1.96
RULES = {
    "equal_sacrifice": "each party keeps the same share of the way from its worst to its best on the frontier, as far as may be",
    "nash": "the product of what the parties gain over having no deal is largest",
    "total": "the sum of what the parties have is largest",
}


def sizing_tables(study: Study, found: SizingResult) -> RenderableType:
    """Lay out a sizing."""
    table = found.table
    counted = f"{len(found.points):,} term sheets were settled; {len(found.feasible):,} keep every limit"
    on_it = f", {len(found.frontier):,} of these are on the frontier" if table.objectives else ""
    parts: list[RenderableType] = [_heading(study, found, f"{counted}{on_it}.")]
    if found.deal is not None:
        parts += [_terms(found, found.deal), *_objectives(study, found, found.deal), _limits(study, found, found.deal)]
        parts += _moves(study, found, found.deal)
    if found.no_deal is not None:
        parts += no_deal_tables(study, table, found.no_deal)
    return Group(*parts)


def no_deal_tables(study: Study, table: Table, found: NoDeal) -> list[RenderableType]:
    """Lay out why there is no deal."""
    lines = ["\nNo deal exists: no terms within the ranges keep every limit."]
    lines += [f"Not to be kept{' together' if len(one) > 1 else ''}: {' and '.join(map(str, one))}." for one in found.conflicts]
    parts: list[RenderableType] = [Text("\n".join(lines), style="bold")]
    if found.relaxations:
        moved = grid("limit", "to", *short_names(table.free))
        for one in found.relaxations:
            values = [written(value) for value in one.point.terms]
            moved.add_row(str(one.limit), cell(one.to, measure_unit(study, one.limit.measure)[0]), *values)
        parts.append(titled("One limit moved so far, all others kept, would make a deal; the smallest move first", moved))
    else:
        parts.append(Text("\nNo limit can make a deal by being moved alone.", style="bold"))
    closest = grid("limit", "comes to")
    for limit, value in zip(table.limits, found.closest.limits, strict=True):
        closest.add_row(str(limit), cell(value, measure_unit(study, limit.measure)[0]))
    parts.append(titled(f"The terms that break them least: {_written(table, found.closest)}", closest))
    return parts


def one_number_tables(study: Study, found: OneNumber) -> RenderableType:
    """Lay out the search for one number."""
    scale = measure_unit(study, found.limit.measure)[0]
    error = (found.high - found.low) / _SE_IN_AN_INTERVAL
    said = f"The {found.end} {found.path} such that {found.limit}: {written(found.value, error)}\n"
    interval = f"{written(found.low, error)} to {written(found.high, error)}"
    said += f"95 % interval, from the noise of the replications: {interval}"
    facts = grid("", str(found.limit.measure), show_header=True)
    facts.add_row("there, in these replications", cell(found.at_value, scale))
    facts.add_row("there, in fresh replications", cell(found.fresh, scale))
    way = grid(*short_names([found.path]), str(found.limit.measure))
    for value, measured in found.walk[::2]:
        way.add_row(written(value), cell(measured, scale))
    return Group(_heading(study, found, said), facts, titled("Along the range", way))


def belief_tables(study: Study, found: WeakestBelief) -> RenderableType:
    """Lay out the weakest belief with which there is a deal."""
    table = table_of(sizing_of(study))
    believers = ", ".join(found.parties)
    without, with_one = found.surely
    said = f"For a deal, {believers} must believe in "
    if (without, with_one) == (found.low, found.high):
        said += f"{found.high:.3g} times the effect that the study expects."
    else:
        best = 0.5 * (found.low + found.high)
        said += f"between {without:.3g} and {with_one:.3g} times the effect that the study expects (best estimate {best:.3g}; "
        said += "noise allows no closer answer)."
    fresh = {one.multiple: one for one in found.fresh}
    tried = grid("multiple of the effect", "a deal?", "beyond noise?", "in fresh replications?", "beyond noise?")
    for one in found.tried:
        told = [one.is_deal, one.is_clear]
        told += [fresh[one.multiple].is_deal, fresh[one.multiple].is_clear] if one.multiple in fresh else []
        tried.add_row(f"{one.multiple:.4g}", *("yes" if answer else "no" for answer in told))
    below = no_deal_tables(study, table, found.below)
    return Group(_heading(study, found, said), tried, Text(f"\nAt {found.low:.4g}:", style="bold"), *below)


def _terms(found: SizingResult, deal: Deal) -> RenderableType:
    rows = grid("term", "from", "to", "now", "sized")
    # A long path breaks, a number never.
    for place, column in enumerate(rows.columns):
        column.no_wrap, column.overflow = place > 0, "fold"
    present = found.present.terms if found.present is not None else [None] * len(found.table.free)
    for (path, free), now, then in zip(found.table.free.items(), present, deal.recommended.terms, strict=True):
        rows.add_row(path, written(free.low), written(free.high), "-" if now is None else written(now), written(then))
    rule = RULES[found.table.rule] if found.table.objectives else "the tightest limit is kept by the widest margin"
    return titled(f"The recommended terms: {rule}", rows)


def _objectives(study: Study, found: SizingResult, deal: Deal) -> Iterable[RenderableType]:
    if not found.table.objectives:
        return
    rows = grid("objective", "now", "sized", "its best", "kept", "fresh", "optimism")
    kept = shares_kept(found, deal.recommended)
    for place, measure in enumerate(found.table.objectives):
        scale = measure_unit(study, measure)[0]
        rows.add_row(
            str(measure),
            _value(found.present, place, scale),
            cell(deal.recommended.objectives[place], scale),
            cell(deal.best[place].objectives[place], scale),
            f"{100 * kept[place]:z.0f} %",
            cell(deal.fresh.objectives[place], scale),
            cell(deal.optimism[place], scale),
        )
    yield titled(
        "What each party has of it; kept: of the way from its worst to its best; optimism: in sample less out of sample",
        rows,
    )


def _limits(study: Study, found: SizingResult, deal: Deal) -> RenderableType:
    rows = grid("limit", "now", "sized", "fresh", "kept?")
    present = found.present.limits if found.present is not None else [None] * len(found.table.limits)
    values = zip(found.table.limits, present, deal.recommended.limits, deal.fresh.limits, strict=True)
    for limit, now, then, fresh in values:
        scale = measure_unit(study, limit.measure)[0]
        rows.add_row(str(limit), *(cell(one, scale) for one in (now, then, fresh)), _is_kept(limit, fresh))
    return titled("The limits", rows) if found.table.limits else Text("")


def _is_kept(limit: Limit, fresh: Statistic) -> str:
    excess = limit.excess(fresh.value)
    if excess <= 0:
        return "yes"
    return "within noise" if excess <= 1.96 * fresh.se else "no"


def _moves(study: Study, found: SizingResult, deal: Deal) -> Sequence[RenderableType]:
    if len(found.table.objectives) < 2 or len(deal.moves) < 2:
        return []
    names = [f"{measure.party} gains" for measure in found.table.objectives]
    rows = grid(*short_names(found.table.free), *names)
    for move in deal.moves:
        gains = [
            cell(gain, measure_unit(study, measure)[0]) for gain, measure in zip(move.gains, found.table.objectives, strict=True)
        ]
        rows.add_row(*(written(float(f"{value:.4g}")) for value in move.point.terms), *gains)
    count = f"{len(deal.moves)} of {len(found.frontier)} shown"
    return [
        titled(
            f"Along the frontier, {count}: what a step from the recommended terms gives and takes, in the same replications", rows
        )
    ]


def _value(point: Candidate | None, place: int, scale: float) -> str:
    return "-" if point is None else cell(point.objectives[place], scale)


def _written(table: Table, point: Candidate) -> str:
    return ", ".join(f"{name} {written(value)}" for name, value in zip(short_names(table.free), point.terms, strict=True))


def _heading(study: Study, found: SizingResult | OneNumber | WeakestBelief, remark: str) -> Text:
    _, money = money_unit(study)
    return Text(
        f"{study.study.title}\n{found.n_replications:,} replications, seed {found.seed}. "
        f"Money in {money}; ± is one Monte Carlo standard error.\n{remark}",
        style="bold",
    )
