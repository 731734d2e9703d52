"""Say how far a risk table can be trusted: what is refused, exceedance curves, the scale of repayment, signs of trouble."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any, NotRequired, TypedDict, cast

import numpy as np
from rich import box
from rich.table import Table
from rich.text import Text

from simengine.arrow import as_array
from simengine.config import Study
from simengine.config.roles import values_nothing, without_costs
from simengine.late import late
from simengine.records import ReplicationResults
from simengine.replications.precision import PreciseRun
from simengine.report.document import RefusedContent, refused_content
from simengine.report.layouts import party_title
from simengine.report.picture import FORMS, drawn, grouped, in_lines, panels_in_place
from simengine.report.steps import MovesContent
from simengine.report.units import cell, money_unit, to_digits
from simengine.risk.coverage import is_constant
from simengine.risk.sections import DiagnosticsSection, NotMeasuredSection
from simengine.risk.statistics import Statistic, probability
from simengine.risk.summarise import REPAYMENT, RiskTable, weighting_of
from simengine.risk.sums import extremes
from simengine.risk.trust import Exceedance, TableSection

if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = late("pyarrow")

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LARGEST_SPLIT = 3.0
"""Standard errors: a sound run exceeds them once in 370 times."""
_DARK, _BAND = "0.15", "0.8"
_FLOOR = 0.1
"""Smallest probability on the axis of an exceedance curve, in per cent."""
_MOST_PANELS = 3
_LEVELS = {"no_repayment": "nothing back", "below_principal": "less than was drawn", "principal_only": "exactly what was drawn"}


class ExceedanceContent(TypedDict):
    """A point of an exceedance curve."""

    loss: float
    """An amount; a gain is negative. The loss of a party is -net."""
    probability: Statistic
    """Probability of a larger loss."""


class RunningMeanContent(TypedDict):
    """The mean net after some replications."""

    replications: int
    """How many."""
    mean: Statistic
    """The mean over these."""


class DiagnosticsContent(TypedDict):
    """Signs of trouble; what has no sentence here is told in `DiagnosticsSection`."""

    replications_with_clipped_probabilities: Statistic
    metrics: Mapping[str, NotMeasuredSection]
    clipped_probabilities: int
    """Number of clipped values, in all replications together."""
    split_half: Mapping[str, float]
    """By party: difference between the mean nets of both halves of the run, in standard errors of this difference: approximately standard
    normal in a sound run. Beyond 3 the table warns."""
    tail_points: Mapping[str, int]
    """By path: replications behind every tail statistic, reported or refused."""
    running_mean: Mapping[str, list[RunningMeanContent]]
    """By party: the mean net after more and more replications."""
    moves: NotRequired[MovesContent]
    """Effect of moving at the end of a step."""


class TrustContent(TypedDict):
    """How far a risk table can be trusted."""

    exceedance: Mapping[str, list[ExceedanceContent]]
    """By party: one entry for each of about 40 round amounts that span 99.8 % of the losses, and 0."""
    refused: list[RefusedContent]
    """Statistics that are not reported."""
    diagnostics: Annotated[DiagnosticsContent, DiagnosticsSection]
    """Diagnostics of the run."""


class GoalContent(TypedDict):
    """A goal of `--until`."""

    statistic: str
    """Path of the statistic."""
    error: float
    """The requested standard error."""
    is_relative: bool
    """Whether it is relative to the value."""
    reached: float
    """The standard error that was reached, relative to the value if the goal is."""


class PrecisionContent(TypedDict):
    """The goals of `--until`."""

    goals: list[GoalContent]
    """The goals."""
    sizes: list[int]
    """Numbers of replications at which the run checked its errors."""


def trust_content(table: RiskTable) -> TrustContent:
    """Return what JSON says of a run beside its statistics."""
    found = table.diagnostics
    assert found is not None
    statistics = cast("DiagnosticsSection", table.sections["diagnostics"])
    return {
        "exceedance": {
            party: [
                {"loss": loss, "probability": statistic} for loss, statistic in zip(curve.losses, curve.probability, strict=True)
            ]
            for party, curve in table.exceedance.items()
        },
        "refused": refused_content(table.refused),
        "diagnostics": {
            "replications_with_clipped_probabilities": statistics["replications_with_clipped_probabilities"],
            "metrics": statistics["metrics"],
            "clipped_probabilities": found.n_clipped,
            "split_half": found.split_half,
            "tail_points": found.tail_points,
            "running_mean": {
                party: [{"replications": n, "mean": statistic} for n, statistic in zip(run.n_replications, run.mean, strict=True)]
                for party, run in found.running_mean.items()
            },
        },
    }


def exceedance_rows(table: RiskTable) -> pa.Table:
    """Return the exceedance curves as rows: party, loss, probability, its standard error, its 95 % interval, and bounds.

    The bounds are those of losses that no replication exceeds, or every one.
    """
    rows = [
        (party, loss, statistic.value, statistic.se, *statistic.band_95, statistic.upper_95, statistic.lower_95)
        for party, curve in table.exceedance.items()
        for loss, statistic in zip(curve.losses, curve.probability, strict=True)
    ]
    names = ("loss", "probability", "se", "low_95", "high_95", "upper_95", "lower_95")
    numbers = np.array([row[1:] for row in rows], dtype=np.float64).reshape(len(rows), len(names))  # None becomes NaN
    is_known = np.array([[one is not None for one in row[1:]] for row in rows], dtype=np.bool_).reshape(numbers.shape)
    columns = {name: as_array(numbers[:, k], is_known[:, k]) for k, name in enumerate(names)}
    return pa.table({"party": as_array([row[0] for row in rows])} | columns)


def draw_exceedance(study: Study, table: RiskTable, results: ReplicationResults, forms: Sequence[str] = FORMS) -> dict[str, bytes]:
    """Draw the exceedance curve of each party's loss with its 95 % intervals; of a party without risk, say so."""
    unit, money = money_unit(study)

    def paint() -> Figure:
        curves, certain = dict[str, Exceedance](), list[str]()
        for party, curve in table.exceedance.items():
            if party in values_nothing(study):
                continue
            loss = -results[f"{party}.net"].astype(np.float64)
            if is_constant(loss) or party in without_costs(study):
                loses = f"loses {loss[0] / unit:,.4g} in every replication" if loss[0] > 0 else "cannot lose in this study"
                certain.append(f"{party_title(study, party)} {loses}")
            else:
                curves[party] = curve
        title = f"How much may be lost ({table.n_replications:,} replications; grey: 95 % intervals)"
        figure, panels = _panels(len(curves), title, "; ".join(certain))
        for axes, (party, curve) in zip(panels, curves.items(), strict=True):
            axes.set_title(in_lines(party_title(study, party), 60), fontsize=10)
            loss = -results[f"{party}.net"].astype(np.float64)
            _, largest = extremes(loss)
            _draw_curve(axes, curve, unit, largest, probability(loss >= largest, weighting_of(results)).value)
            axes.set_xlabel(f"loss, {money} (left of 0: gain)")
            axes.set_ylabel("probability of a larger loss, %")
        return figure

    return drawn(paint, forms)


def _draw_curve(axes: Axes, curve: Exceedance, unit: float, largest: float, at_largest: float) -> None:
    """Draw how often each loss is exceeded, and at the largest loss the drop to the axis: nothing larger was lost.

    at_largest: the share of the replications with the largest loss.
    """
    losses, end = np.array(curve.losses) / unit, largest / unit
    share = np.array([100 * statistic.value for statistic in curve.probability])
    low, high = (np.array([100 * statistic.band_95[end] for statistic in curve.probability]) for end in (0, 1))
    seen = (share > 0) & (losses < end)
    axes.fill_between(losses[seen], low[seen], high[seen], color=_BAND, linewidth=0)
    axes.plot([*losses[seen], end, end], [*share[seen], 100 * at_largest, _FLOOR], color=_DARK, linewidth=1.2)
    mark = f"largest loss\n{to_digits(end)}" if end > 0 else f"smallest gain\n{to_digits(-end)}"
    axes.annotate(mark, (end, _FLOOR), (4, 6), textcoords="offset points", fontsize=8.5)
    axes.margins(x=0.04)
    # The words at the largest loss have their room on the right.
    low_end, high_end = axes.get_xlim()
    axes.set_xlim(low_end, high_end + 0.2 * (high_end - low_end))
    grouped(axes.xaxis)
    axes.axvline(0, color=_DARK, linestyle=":", linewidth=1.0)
    axes.set_yscale("log")
    axes.set_ylim(_FLOOR, 130)
    axes.set_yticks([_FLOOR, 1, 5, 25, 100], [f"{_FLOOR}", "1", "5", "25", "100"])
    axes.minorticks_off()


def _panels(count: int, title: str, note: str) -> tuple[Figure, list[Axes]]:
    """Make a figure with some panels, at most three in a row."""
    n_columns = min(max(count, 1), _MOST_PANELS)
    figure, grid = panels_in_place(max(-(-count // n_columns), 1), n_columns, (5.6, 3.8), title, n_lines=2, note=note)
    panels = list(grid.ravel())
    for axes in panels[count:]:
        axes.remove()
    return figure, panels[:count]


def repayment_table(table: RiskTable, lenders: Mapping[str, str]) -> Table:
    """Lay out how much of the money drawn from each lender comes back, on the scale of the INDIGO data set.

    Parameters
    ----------
    table
        Of a run.
    lenders
        By section of the table: a title.
    """
    layout = Table(
        title="\nRepayment of the money drawn",
        title_justify="left",
        title_style="bold",
        show_header=len(lenders) > 1,
        header_style="",
        box=None,
    )
    layout.add_column("")
    for title in lenders.values():
        layout.add_column(title, justify="right")
    for level in REPAYMENT:
        found = [table.get(f"{name}.repayment.{level}") for name in lenders]
        cells = ["-" if statistic is None else _probability(statistic) for statistic in found]
        layout.add_row(_LEVELS.get(level, "more than was drawn"), *cells)
    return layout


def _probability(statistic: Statistic) -> str:
    is_plain = statistic.covers and statistic.upper_95 is None and statistic.lower_95 is None
    return f"{statistic.value:z.3f} ±{statistic.se:z.3f}" if is_plain and isfinite(statistic.se) else cell(statistic, 1.0)


def run_warnings(table: RiskTable) -> Text:
    """Name what is refused, and say what looks wrong; empty where there is nothing to say."""
    lines = _refused_lines(table) + _uncovered_lines(table)
    found = table.diagnostics
    for party, distance in (found.split_half if found else {}).items():
        if abs(distance) > _LARGEST_SPLIT:
            lines.append(
                f"{party}.net: the two halves of the run differ by {abs(distance):.1f} standard errors; by chance alone that happens "
                "once in 370 runs. A few replications may carry the mean: look at the exceedance curve, and run more replications."
            )
    clipped = table.get("diagnostics.replications_with_clipped_probabilities")
    if found and clipped is not None and clipped.value > 0:
        lines.append(f"Clipped: {found.n_clipped:,} probabilities or rates, in {100 * clipped.value:.2g} % of the replications.")
    lines += _not_measured_lines(table)
    return Text("\n".join(["", *lines]) if lines else "")


def _not_measured_lines(table: RiskTable) -> list[str]:
    """Say what was not measured in some replications: the statistics of a metric are those of the others."""
    said = {
        "not_measured": "was not measured",
        "standard_error_unknown": "has an unknown standard error",
        "no_truth": "has no true value",
    }
    section = table.sections.get("diagnostics", {})
    metrics = section.get("metrics", {}) if isinstance(section, Mapping) else {}
    lines = []
    for name in metrics if isinstance(metrics, Mapping) else ():
        found = {what: table.get(f"diagnostics.metrics.{name}.{what}") for what in said}
        parts = [f"{said[what]} in {100 * one.value:.2g} %" for what, one in found.items() if one is not None and one.value > 0]
        lines += [f"{name}: {', '.join(parts)} of the replications; its statistics are those of the others."] if parts else []
    return lines


_SHOWN = re.compile(
    r"(\w+\.(money_back|moic|irr|payment|true_saving|other_cash|net|npv)|metrics\.\w+\.(estimate|truth))"
    r"\.(mean|sd|p05|p25|p50|p75|p95)|outcomes\.\w+\.(number|paid)\.(mean|p05|p95)|grants\.\w+\.paid\.(mean|p05|p95)"
    r"|\w+\.(var95|cvar95|irr_of_mean_cash|p_loss|payback_months\.p50)|.*\(.*"
)
"""Paths of what tables show, and measures that were asked for."""


def _uncovered_lines(table: RiskTable) -> list[str]:
    """Name the statistics that are shown and whose error is not known."""
    paths = [path for path in _without_error(table.sections) if _SHOWN.fullmatch(path)]
    if not paths:
        return []
    where = "`covers` in the JSON"
    few = "these values depend on very few replications, so their errors cannot be estimated"
    return [f"±? ({_names(paths, where)}): {few}. Use a larger -n; where the tail has no end, no number may be enough."]


def _without_error(section: TableSection, path: str = "") -> Iterator[str]:
    for name, node in section.items():
        here = f"{path}.{name}" if path else name
        if isinstance(node, Statistic):
            if not node.covers and node.interval_95 is None:
                yield here
        else:
            yield from _without_error(node, here)


def _refused_lines(table: RiskTable) -> list[str]:
    """Put refusals of one kind into one sentence: those of what would be shown."""
    by_need: dict[tuple[str, int | None], list[str]] = {}
    for path, one in table.refused.items():
        if not _SHOWN.fullmatch(path):
            continue
        by_need.setdefault((one.reason, one.n_replications), []).append(path)
    return [
        f"Not given ({reason}): {_names(paths)}." + (f" It takes {needed:,} replications." if needed else "")
        for (reason, needed), paths in by_need.items()
    ]


def _names(paths: list[str], where: str = "`refused` in the JSON", most: int = 4) -> str:
    """Name statistics of somebody's money that are no part of a distribution first, and say how many more there are."""
    ordered = sorted(paths, key=lambda path: (path.count(".") > 1, paths.index(path)))
    more = f" and {len(paths) - most} more ({where})" if len(paths) > most else ""
    return ", ".join(ordered[:most]) + more


def diagnostics_table(study: Study, table: RiskTable) -> Table:
    """Lay out the running mean of each party's net, and the difference between the halves of the run."""
    unit, money = money_unit(study)
    layout = Table(
        title=f"\nRunning mean of each party's net, in {money}",
        title_justify="left",
        title_style="bold",
        pad_edge=False,
        box=box.SIMPLE_HEAD,
    )
    found = table.diagnostics
    assert found is not None
    layout.add_column("replications", justify="right")
    for party in found.running_mean:
        layout.add_column(party.replace("_", " "), justify="right", no_wrap=True)
    runs: Mapping[str, Any] = found.running_mean
    sizes = next(iter(runs.values())).n_replications if runs else ()
    for place, n in list(enumerate(sizes))[::-2][::-1]:
        cells = [run.mean[place] for run in runs.values()]
        layout.add_row(f"{n:,}", *(cell(one, unit) for one in cells))
    layout.add_row("halves differ by", *(f"{found.split_half[party]:z.1f} se" for party in runs))
    return layout


def precision(run: PreciseRun) -> PrecisionContent:
    """Return the goals of a run and how they were reached as plain numbers."""
    return {
        "goals": [
            {
                "statistic": one.path,
                "error": one.goal.error,
                "is_relative": one.goal.is_relative,
                "reached": run.table[one.path].se / (abs(run.table[one.path].value) if one.goal.is_relative else 1.0),
            }
            for one in run.reached
        ],
        "sizes": list(run.sizes),
    }


def goals_reached(run: PreciseRun) -> Text:
    """Say in words that the goals of a run were met."""
    parts = [f"{one.path} ±{to_digits(run.table[one.path].se)} (asked for: {one.goal})" for one in run.reached]
    return Text(f"As precise as asked for after {run.table.n_replications:,} replications: {'; '.join(parts)}.")
