"""Lay out a reference class as tables, and as a section of a study."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simengine.reference_class.forecasts import ForecastScores
from simengine.reference_class.lines import NOT_STATED, FittedLine, PriceLine, Reference

if TYPE_CHECKING:
    from simengine.reference_class.forecasts import Coverage

_SHOWN = ("0.05", "0.1", "0.25", "0.5", "0.75", "0.9", "0.95")


def reference_tables(found: Reference) -> RenderableType:
    """Lay out what the tables say of a reference class."""
    parts: list[RenderableType] = [Text(f"Reference class: {found.chosen} ({found.folder})", style="bold")]
    parts += [_projects(found), _fitted(found), _sentences(found)]
    if found.forecasts is not None:
        parts += _forecasts(found.forecasts)
    parts += [_quarters(found), _prices("Prices of outcomes", found.prices), _prices("Maximum potential payments", found.caps)]
    stated = [f"{level}: {number}" for level, number in found.repayment.items()]
    parts.append(Text(f"Repayment to investors, by investment: {'; '.join(stated) or 'no investment'}\n"))
    parts.append(_oddities(found))
    return Group(*parts)


def _table(title: str, *columns: str, words: int = 1) -> Table:
    layout = Table(title=f"\n{title}", title_justify="left", title_style="bold", pad_edge=False, box=box.SIMPLE_HEAD)
    for number, column in enumerate(columns):
        # Words may stand on several lines; a number that is broken reads as two.
        is_text = number < words
        layout.add_column(
            column, justify="left" if is_text else "right", overflow="fold" if is_text else "ellipsis", no_wrap=not is_text
        )
    return layout


def _projects(found: Reference) -> Table:
    layout = _table(
        "Paid against the first plan, project by project",
        *("project", "planned", "paid", "ratio", "due", "plans", "last", "later"),
    )
    for one in found.projects:
        mark = "" if one.is_finished else "*"
        later = "-" if one.later_months is None else f"{one.later_months:.1f}"
        replaced = "-" if one.plans == 1 else f"{one.last_plan_over_first:.2f}"
        money = (f"{one.planned_in_all if one.is_finished else one.planned:,.0f}", f"{one.paid:,.0f}")
        layout.add_row(one.project, *money, f"{one.ratio:.2f}{mark}", f"{one.share_due:.0%}", f"{one.plans}", replaced, later)
    layout.caption = (
        "ratio: paid / planned (*: to date, of a project that goes on); due: share of the plan; "
        "last: total of the last plan / first; later: months"
    )
    layout.caption_justify = "left"
    return layout


def _fitted(found: Reference) -> Table:
    layout = _table("Paid over planned of another project of the class", "", *(f"{float(level):.0%}" for level in _SHOWN))
    layout.add_row("fitted", *_quantiles(found.fitted))
    layout.add_row("unfinished as censored only", *_quantiles(found.censored))
    return layout


def _quantiles(line: FittedLine) -> list[str]:
    return [f"{line.quantiles[level]:.2f}" for level in _SHOWN]


def _sentences(found: Reference) -> Text:
    fitted, replans, delays = found.fitted, found.replans, found.delays
    said = [
        f"{fitted.projects} projects, {fitted.unfinished} of them not finished. The median's 90 % interval is "
        f"{_ratio(fitted.centre.low_90)} to {_ratio(fitted.centre.high_90)}.",
        f"{replans.replaced} of {replans.projects} first plans were replaced; plans of a project: {replans.plans.median:g} in the median, "
        f"{replans.plans.highest:g} at most.",
    ]
    if replans.last_over_first is not None:
        far = replans.last_over_first
        said.append(f"The last plan was {far.median:.2f} of the first in the median, from {far.lowest:.2f} to {far.highest:.2f}.")
    if delays is not None:
        said.append(
            f"Finished projects were paid {delays.mean_months:.1f} ±{delays.se:.1f} months later than planned, on average over the money."
        )
    return Text("\n" + "\n".join(said) + "\n")


def _ratio(logarithm: float) -> str:
    from math import exp

    return f"{exp(logarithm):.2f}"


def _forecasts(scores: ForecastScores) -> list[RenderableType]:
    layout = _table(
        "Each project forecast from its first plan and the others alone",
        *("project", "median", "80 % from", "to", "came", "PIT", "CRPS"),
    )
    for one in scores.forecasts:
        numbers = (one.median, one.low_80, one.high_80, one.ratio, one.pit)
        layout.add_row(one.project, *(f"{number:.2f}" for number in numbers), f"{one.crps:.3f}")
    said = [_covered(one) for one in scores.coverage]
    said.append(f"CRPS of the logarithm {scores.crps:.3f} ±{scores.crps_se:.3f}.")
    said += [f"Against {one.other}: {one.mean:+.3f} ±{one.se:.3f} (below 0 is better)." for one in scores.against]
    said.append(f"Mean PIT {scores.pit_mean:.2f}, {scores.pit_mean_z:+.1f} standard errors from 0.5.")
    if scores.left_out:
        said.append(f"Projects that paid nothing, and are not scored: {scores.left_out}.")
    return [layout, Text("\n".join(said) + "\n")]


def _covered(one: Coverage) -> str:
    verdict = "within" if one.is_within else "OUTSIDE"
    return f"{one.level:.0%} intervals cover {one.covered} of {one.projects}: {verdict} the band of right forecasts, {one.low} to {one.high}."


def _quarters(found: Reference) -> Table:
    layout = _table("Planned and paid by quarter, projects with a ratio", "quarter", "", "projects", "planned", "paid", words=2)
    for one in found.quarters:
        layout.add_row(one.quarter, one.currency, f"{one.projects}", f"{one.planned:,.0f}", f"{one.paid:,.0f}")
    return layout


def _prices(title: str, lines: Sequence[PriceLine]) -> Table:
    layout = _table(title, "sector, country", "", "number", "median", "lowest", "highest", words=2)
    layout.collapse_padding = True
    for one in lines:
        spread, place = one.amounts, "" if one.country == NOT_STATED else f", {one.country}"
        money = (f"{amount:,.10g}" for amount in (spread.median, spread.lowest, spread.highest))
        layout.add_row(f"{one.sector}{place}", one.currency, f"{spread.number}", *money)
    return layout


def _oddities(found: Reference) -> Table:
    layout = _table("What was odd in the tables, and what was done", "", "number")
    for one in found.oddities:
        layout.add_row(one.rule, f"{one.number}")
    return layout


def projects_csv(found: Reference) -> str:
    """Write the projects as comma-separated values."""
    head = "project,currency,is_finished,planned,paid,planned_in_all,ratio,share_due,plans,last_plan_over_first\n"
    rows = (
        f"{one.project},{one.currency},{one.is_finished},{one.planned:.2f},{one.paid:.2f},{one.planned_in_all:.2f},{one.ratio:.6g},"
        f"{one.share_due:.6g},{one.plans},{one.last_plan_over_first:.6g}\n"
        for one in found.projects
    )
    return head + "".join(rows)


def environment_section(found: Reference) -> str:
    """Write the fitted distribution as a section of a study.

    Its ends, at the outermost levels, are cut off: the table of a few projects says nothing of more distant ones.
    """
    levels, values = pinned_quantiles(found.fitted)
    fitted = found.fitted
    note = (
        f"{fitted.projects} projects ({found.chosen}), {fitted.unfinished} not finished; parameter uncertainty is in it; "
        f"cut off at the levels 0.005 and 0.995"
    )
    return f"""# From `simengine reference` on {found.folder}. Paste it into a study, and say what the contract's own plan pays to its end.
# A study that lists its sources also needs there:
#   INDIGO: "INDIGO dataset of impact bonds, Government Outcomes Lab, University of Oxford"
environment:
  reference_class:
    # planned_payments: 1_000_000
    paid_over_planned:
      distribution: quantiles
      levels: [{_numbers(levels)}]
      values: [{_numbers(values)}]
      layer: environment
      source: INDIGO
      certainty: D
      note: "{note}"
"""


def pinned_quantiles(line: FittedLine) -> tuple[list[float], list[float]]:
    """Return levels from 0 to 1, and ratios that rise with them."""
    pairs = [(float(level), value) for level, value in line.quantiles.items() if 0.005 <= float(level) <= 0.995]
    levels = [0.0, *(level for level, _ in pairs[1:-1]), 1.0]
    values = [round(value, 4) for _, value in pairs]
    for before, after in pairwise(values):
        assert before < after, "quantiles of a continuous distribution rise"
    return levels, values


def _numbers(numbers: Iterable[float]) -> str:
    return ", ".join(f"{number:g}" for number in numbers)
