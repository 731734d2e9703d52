"""Draw a sizing: the term sheets that everybody can sign, and the frontier between the parties."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from simengine.config import Study
from simengine.questions.size.answer import SizingResult
from simengine.questions.size.search import Candidate
from simengine.report.picture import new_figure, plain_style, save
from simengine.report.term_names import short_names
from simengine.report.units import measure_unit, money_unit
from simengine.risk.measures import Measure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DARK, _MIDDLE, _LIGHT = "0.15", "0.55", "0.82"
_MARKS: dict[str, Any] = {
    "broken": {"color": _LIGHT, "marker": "x", "s": 16, "linewidths": 0.8, "label": "breaks a limit"},
    "kept": {"color": _MIDDLE, "marker": "o", "s": 14, "label": "keeps every limit"},
    "frontier": {"color": _DARK, "marker": "o", "s": 18, "label": "on the frontier"},
    "present": {"facecolor": "white", "edgecolor": _DARK, "marker": "s", "s": 60, "zorder": 4, "label": "present terms"},
    "recommended": {"color": "tab:red", "marker": "*", "s": 190, "zorder": 5, "label": "recommended"},
    "closest": {"color": "tab:red", "marker": "D", "s": 50, "zorder": 5, "label": "breaks them least"},
}


def draw_frontier(study: Study, found: SizingResult) -> bytes:
    """Draw the settled terms on the left, and what two parties have of them on the right, as a PNG.

    With one free term the left side shows the first objective, or the first limit, over it; with fewer than two objectives the
    right side is left out.
    """
    objectives = found.table.objectives
    with plain_style():
        n_sides = 2 if len(objectives) >= 2 else 1
        figure = new_figure(figsize=(6.2 * n_sides, 4.9), layout="constrained")
        sides = figure.subplots(1, n_sides, squeeze=False)[0]
        _draw_terms(sides[0], study, found)
        if n_sides == 2:
            _draw_objectives(sides[1], study, found)
        sides[0].legend(loc="best", frameon=True, framealpha=0.9, fontsize=8)
        answer = (
            "no deal exists" if found.deal is None else f"{len(found.feasible)} of {len(found.points)} term sheets keep every limit"
        )
        title = f"{shorten(study.study.title, 80, placeholder='…')} ({found.n_replications:,} replications; {answer})"
        figure.suptitle(title, fontsize=11)
        return save(figure, "png")


def _groups(found: SizingResult) -> list[tuple[str, Sequence[Candidate]]]:
    kept, on_it = set(found.feasible), set(found.frontier)
    groups: list[tuple[str, Sequence[Candidate]]] = [
        ("broken", [point for point in found.points if point not in kept]),
        ("kept", [point for point in found.feasible if point not in on_it]),
        ("frontier", found.frontier),
    ]
    if found.present is not None:
        groups.append(("present", [found.present]))
    if found.deal is not None:
        groups.append(("recommended", [found.deal.recommended]))
    if found.no_deal is not None:
        groups.append(("closest", [found.no_deal.closest]))
    return [(name, points) for name, points in groups if points]


def _draw_terms(axes: Axes, study: Study, found: SizingResult) -> None:
    names = short_names(found.table.free)
    for name, points in _groups(found):
        across = [point.terms[0] for point in points]
        up = [point.terms[1] if len(names) > 1 else _first(study, found, point) for point in points]
        axes.scatter(across, up, **_MARKS[name])
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1] if len(names) > 1 else _first_name(study, found))
    axes.set_title("The terms" + ("" if len(names) <= 2 else ", the first two of them"), fontsize=10)


def _draw_objectives(axes: Axes, study: Study, found: SizingResult) -> None:
    one, other = found.table.objectives[:2]
    for name, points in _groups(found):
        across = [point.objectives[0].value / measure_unit(study, one)[0] for point in points]
        up = [point.objectives[1].value / measure_unit(study, other)[0] for point in points]
        axes.scatter(across, up, **_MARKS[name])
    axes.set_xlabel(_named(study, one))
    axes.set_ylabel(_named(study, other))
    more = "" if len(found.table.objectives) <= 2 else ", the first two of them"
    axes.set_title(f"What the parties have of them{more}", fontsize=10)


def _first(study: Study, found: SizingResult, point: Candidate) -> float:
    table = found.table
    if table.objectives:
        return point.objectives[0].value / measure_unit(study, table.objectives[0])[0]
    return point.limits[0].value / measure_unit(study, table.limits[0].measure)[0]


def _first_name(study: Study, found: SizingResult) -> str:
    table = found.table
    return _named(study, table.objectives[0] if table.objectives else table.limits[0].measure)


def _named(study: Study, measure: Measure) -> str:
    return f"{measure}, {money_unit(study)[1]}" if measure.kind.is_money else str(measure)
