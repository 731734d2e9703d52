"""Draw what the investor gets beside what the outcome payer pays against what it saves."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simengine.config import Study
from simengine.records import Floats, Outturns
from simengine.risk.summarise import RiskTable

_MILLION = 1e6
_DARK, _MIDDLE, _LIGHT = "0.15", "0.55", "0.88"
_BOX = {"boxstyle": "round", "facecolor": "white", "edgecolor": _LIGHT}
_PLAIN = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
# A fixed salt and no date: the same run draws the same bytes. A dollar sign in a title is money, not mathematics.
_STYLE: Any = {
    "svg.hashsalt": "simengine",
    "text.parse_math": False,
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_METADATA: Mapping[str, Mapping[str, str | None]] = {"svg": {"Date": None}, "png": {"Software": None}}


def draw(study: Study, outturns: Outturns, table: RiskTable, marks: Mapping[str, float]) -> dict[str, bytes]:
    """Draw the picture of a run.

    Parameters
    ----------
    study
        For names and units.
    outturns
        One row per replication.
    table
        For the shares that are written into the picture.
    marks
        By name: money back as a share of the money drawn, such as the guarantee and the cap.

    Returns
    -------
    The picture by format: `png` and `svg`.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(12, 4.8), layout="constrained")
        left, right = figure.subplots(1, 2)
        _draw_investor(left, study, outturns, table, marks)
        _draw_outcome_payer(right, study, outturns, table)
        figure.suptitle(f"{study.study.title} ({table.n_replications:,} replications)", fontsize=11)
        return {form: _save(figure, form) for form in ("png", "svg")}


def _save(figure: Figure, form: str) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=form, dpi=150, metadata=dict(_METADATA[form]))
    return buffer.getvalue()


def _draw_investor(axes: Axes, study: Study, outturns: Outturns, table: RiskTable, marks: Mapping[str, float]) -> None:
    multiple = outturns["investor.moic"]
    share_back = 100 * multiple[np.isfinite(multiple)]
    width = 4.0
    first = width * np.floor(min(share_back.min(initial=0.0), 0.0) / width)
    edges = np.arange(first, max(share_back.max(initial=100.0), 120.0) + 7 * width, width)
    # Bins start half a width early, so that payouts on a mark fall in the middle of their bar.
    weights = np.full(len(share_back), 100 / max(len(share_back), 1))
    axes.hist(share_back, bins=list(edges - width / 2), weights=weights, color=_MIDDLE, edgecolor="white", linewidth=0.4)
    top = axes.get_ylim()[1] * 1.32
    axes.set_ylim(0, top)
    for level, (name, value) in enumerate(sorted({**marks, "break-even": 1.0}.items(), key=lambda mark: mark[1])):
        axes.axvline(100 * value, color=_DARK, linestyle=("--", "-", ":")[level % 3], linewidth=1.2)
        height = top * (0.985 - 0.075 * level)
        axes.text(100 * value + 1.5, height, f"{name} {100 * value:.0f} %", va="top", ha="left", bbox=_PLAIN)
    axes.set_xlabel("money back, % of the money drawn")
    axes.set_ylabel("share of replications, %")
    loss = table["investor.p_loss"]
    facts = f"P(loss) {100 * loss.value:.1f} % ± {100 * loss.se:.1f}; mean {share_back.mean():.0f} % of the money drawn"
    axes.set_title(f"What the investor gets: {study.parties.investor.name}\n{facts}", fontsize=10)


def _draw_outcome_payer(axes: Axes, study: Study, outturns: Outturns, table: RiskTable) -> None:
    saving, payment = outturns["outcome_payer.true_saving"] / _MILLION, outturns["outcome_payer.payment"] / _MILLION
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
    loses = table["outcome_payer.p_loss"]
    axes.text(
        0.02,
        0.97,
        f"pays more than it saves\n{100 * loses.value:.1f} % ± {100 * loses.se:.1f}",
        transform=axes.transAxes,
        va="top",
        bbox=_BOX,
    )
    axes.text(
        0.98,
        0.97,
        f"saves more than it pays\n{100 * (1 - loses.value):.1f} % ± {100 * loses.se:.1f}",
        transform=axes.transAxes,
        va="top",
        ha="right",
        bbox=_BOX,
    )
    axes.set_xlabel(f"true saving to the horizon, million {study.study.currency}")
    axes.set_ylabel(f"payment, million {study.study.currency}")
    title = f"What the outcome payer pays against what it saves: {study.parties.outcome_payer.name}"
    axes.set_title(f"{title}\ndarker: more replications; on the diagonal payment equals saving", fontsize=10)


def _range(*samples: Floats) -> tuple[float, float]:
    """Give limits that hold all but the outermost half per cent on either side, widened a little."""
    together = np.concatenate(samples)
    low, high = np.quantile(together, [0.005, 0.995])
    margin = 0.06 * (high - low) or 1.0
    return float(low - margin), float(high + margin)
