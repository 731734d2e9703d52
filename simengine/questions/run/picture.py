"""Draw what each lender gets beside what each payer pays against what it saves, and how often a loss is exceeded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import numpy as np

from simengine.config import Study
from simengine.config.roles import values_nothing
from simengine.questions.question import Asked, Files, Source
from simengine.questions.run.answer import Run
from simengine.questions.run.question import FORMS_OF
from simengine.questions.run.trust import draw_exceedance
from simengine.records import ROLES, Floats, ReplicationResults
from simengine.report.picture import FORMS, drawn, grouped, in_lines, panels_in_place
from simengine.report.units import money_unit, percent
from simengine.risk.roles import lenders_in, payers_in
from simengine.risk.statistics import probability
from simengine.risk.summarise import RiskTable
from simengine.settlement import payment_marks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DARK, _MIDDLE, _LIGHT = "0.15", "0.55", "0.88"

_BOX = {"boxstyle": "round", "facecolor": "white", "edgecolor": _LIGHT}

_BARS: Any = {"color": _MIDDLE, "edgecolor": "white", "linewidth": 0.4}

_LINES = {"guarantee": "--", "break-even": "-", "cap": ":"}

_PLAIN = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}

_LOOKED_AT = ("drawn", ".amount", ".moic", ".money_back", ".money_in", ".payment", ".true_saving")
"""Endings of the columns that the picture shows, or marks."""
MOST_DRAWN = 500_000
"""Rows of a run that a picture shows, at most: the first. More would not change what the eye sees."""
_TITLE = 66
"""Characters for which the title of one side has room."""


def draw_run(
    study: Study, results: ReplicationResults, table: RiskTable, marks: Mapping[str, float], forms: Sequence[str] = FORMS
) -> dict[str, bytes]:
    """Draw the picture of a run.

    Parameters
    ----------
    study
        For names and units.
    results
        One row per replication.
    table
        For the shares that are written into the picture.
    marks
        By name: money back as a share of the money drawn, the same in every replication, such as the guarantee and the cap; see
        `payment_marks`.
    forms
        Of `FORMS`.

    Returns
    -------
    The picture by form.
    """
    lenders = lenders_in(results.columns)
    payers = tuple(name for name in payers_in(results.columns) if name not in values_nothing(study))

    def lender(axes: Axes, party: str) -> None:
        _draw_lender(axes, study, party, results, table, marks)

    def payer(axes: Axes, party: str) -> None:
        _draw_payer(axes, study, party, results)

    def paint() -> Figure:
        sides = [(names, draw) for names, draw in ((lenders, lender), (payers, payer)) if names]
        n_rows = max(len(names) for names, _ in sides)
        n_shown, n = len(results.replications), table.n_replications
        of_all = f", {n_shown:,} of them drawn" if n_shown < n else ""
        title = f"{shorten(study.study.title, 100, placeholder='…')} ({n:,} replications{of_all})"
        titles = [*(_title(study, name, "lender") for name in lenders), *(_title(study, name, "payer") for name in payers)]
        n_lines = 2 + max(one.count("\n") for one in titles)
        figure, panels = panels_in_place(n_rows, len(sides), (6.0, 4.2), title, n_lines=n_lines)
        for side, (names, draw) in enumerate(sides):
            for axes in panels[len(names) :, side]:
                axes.set_axis_off()
            for axes, party in zip(panels[:, side], names, strict=False):
                draw(axes, party)
        return figure

    return drawn(paint, forms)


def _draw_lender(
    axes: Axes, study: Study, party: str, results: ReplicationResults, table: RiskTable, marks: Mapping[str, float]
) -> None:
    multiple = results[f"{party}.moic"]
    share_back = 100 * multiple[np.isfinite(multiple)]
    edges = _edges(share_back, [100 * value for value in marks.values()])
    # Replications beyond the outermost bars, at most 1 in 100, are counted in them.
    inside = np.clip(share_back, edges[0], edges[-1])
    axes.hist(inside, bins=list(edges), weights=np.full(len(inside), 100 / max(len(inside), 1)), **_BARS)
    top = axes.get_ylim()[1] * 1.32
    axes.set_ylim(0, top)
    reach = 1.5 * (edges[-1] - edges[0]) / 150
    for level, (name, value) in enumerate(sorted({**marks, "break-even": 1.0}.items(), key=lambda mark: mark[1])):
        axes.axvline(100 * value, color=_DARK, linestyle=_LINES[name], linewidth=1.2)
        height = top * (0.985 - 0.075 * level)
        axes.text(100 * value + reach, height, f"{name} {100 * value:z.0f} %", va="top", ha="left", bbox=_PLAIN)
    axes.set_xlabel("money back, % of the money drawn")
    axes.set_ylabel("share of replications, %")
    loss = table[f"{party}.p_loss"]
    mean_back = f"; mean {share_back.mean():z.0f} % of the money drawn" if len(share_back) else ""
    axes.set_title(f"{_title(study, party, 'lender')}\nP(loss) {percent(loss)}{mean_back}", fontsize=10)


def _title(study: Study, party: str, side: str) -> str:
    """Write what a panel shows, in at most two lines; a party has its role, as its key says where that is the name of one."""
    role = f"the {party.replace('_', ' ')}" if party in ROLES else f"the {side}"
    shown = "gets" if side == "lender" else "pays against what it saves"
    return in_lines(f"What {role} {shown}: {study.parties[party].name}", _TITLE)


def _draw_payer(axes: Axes, study: Study, party: str, results: ReplicationResults) -> None:
    unit, money = money_unit(study)
    saving, payment = results[f"{party}.true_saving"] / unit, results[f"{party}.payment"] / unit
    low, high = _range(saving, payment)
    cloud = axes.hexbin(
        saving, payment, gridsize=(48, 26), extent=(low, high, *_range(payment)), cmap="Greys", bins="log", mincnt=1, linewidths=0.2
    )
    cloud.set_clim(vmin=0.3)
    axes.set_xlim(low, high)
    lower, upper = _range(payment)
    axes.set_ylim(lower, upper + 0.22 * (upper - lower))
    axes.plot([low, high], [low, high], color=_DARK, linewidth=1.2)
    axes.axvline(0, color=_DARK, linestyle=":", linewidth=1.0)
    # On which side of the diagonal: what the party gets in other roles is no part of it.
    loses, saves = probability(payment > saving), probability(payment <= saving)
    axes.text(
        0.02,
        0.97,
        f"pays more than it saves\n{percent(loses)}",
        transform=axes.transAxes,
        va="top",
        bbox=_BOX,
    )
    axes.text(
        0.98,
        0.97,
        f"saves at least what it pays\n{percent(saves)}",
        transform=axes.transAxes,
        va="top",
        ha="right",
        bbox=_BOX,
    )
    grouped(axes.xaxis)
    grouped(axes.yaxis)
    axes.set_xlabel(f"true saving to the horizon, {money}")
    axes.set_ylabel(f"payment, {money}")
    axes.set_title(
        f"{_title(study, party, 'payer')}\ndarker: more replications; on the diagonal payment equals saving", fontsize=10
    )


def _edges(share_back: Floats, marks: list[float]) -> Floats:
    """Return the edges of at most 80 bars that hold 99 % of the shares, every mark and break-even, in per cent.

    Bars of 4 points start half a width early, so that the usual marks fall in the middle of their bar.
    """
    low, high = np.quantile(share_back, [0.005, 0.995]) if len(share_back) else (0.0, 100.0)
    low, high = min(low, 0.0), max(high, 120.0, *marks)
    width = 4.0 if high - low <= 280 else 10.0 ** np.ceil(np.log10((high - low) / 70))
    first = width * np.floor(low / width) - width / 2
    return np.asarray(first + width * np.arange(np.ceil((high - first) / width) + 7))


def _range(*samples: Floats) -> tuple[float, float]:
    """Return limits that hold all but the outermost half per cent on either side, widened a little."""
    together = np.concatenate(samples)
    low, high = np.quantile(together, [0.005, 0.995])
    margin = 0.06 * (high - low) or 1.0
    return float(low - margin), float(high + margin)


def pictures(asked: Asked, source: Source, found: Run) -> Files:  # noqa: ARG001
    """Draw both pictures in the forms that are asked for, by the names of their files."""
    study, forms = asked.subject, FORMS_OF[found.pictures]
    if not forms:
        return {}
    shown = found.results.first(MOST_DRAWN, lambda name: name.endswith(_LOOKED_AT))
    images = {
        "picture": draw_run(study, shown, found.table, payment_marks(study.contract, shown), forms),
        "exceedance": draw_exceedance(study, found.table, found.results, forms),
    }
    return {f"{name}.{form}": image for name, by_form in images.items() for form, image in by_form.items()}
