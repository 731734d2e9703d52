"""Draw what was observed against what was fitted: how long people stay in each state, and who is where by month since entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from simengine.arrays import Floats
from simengine.cohort.moves import DAYS_PER_MONTH
from simengine.report.picture import DARK, LIGHT, MIDDLE, in_lines, new_figure, panels_for, plain_style, save
from simengine.spells.event_goodness import CountsTest, EventsGoodness
from simengine.spells.goodness import Goodness
from simengine.spells.observed import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _HEIGHT = 3.9, 2.7


def draw_fit(name: str, found: Goodness, events: EventsGoodness | None) -> bytes:
    """Draw a panel for each state that can be left, one for each state of which shares are known, then two for each event.

    The band is grey, what was observed a solid line, the fit a dashed one: legible without colour.
    """
    panels = [
        *_titled(
            {name: (_joined(seen), fitted) for name, (seen, fitted) in found.survival_curves.items()},
            "stays in",
            "share still there",
            "months in the state",
        ),
        *_titled(found.occupancy_curves, "who is in", "share of people", "months since entry"),
    ]
    of_events = [] if events is None else _of_events(events)
    with plain_style():
        if not panels and not of_events:
            figure = new_figure(figsize=(6.0, 1.2))
            figure.suptitle(f"{name}: too few people to draw", fontsize=11)
            return save(figure, "png")
        figure, axes = panels_for(len(panels) + len(of_events), 0.4, _WIDTH, _HEIGHT)
        for panel, (title, share, months, (seen, fitted)) in zip(axes[: len(panels)], panels, strict=True):
            _draw(panel, seen, fitted)
            panel.set_title(in_lines(title, 40), fontsize=9.5)
            panel.set_ylabel(share)
            panel.set_xlabel(months)
            panel.tick_params(labelleft=True)
        for panel, (title, drawn) in zip(axes[len(panels) :], of_events, strict=True):
            _draw_counts(panel, drawn) if isinstance(drawn, CountsTest) else _draw_lengths(panel, *drawn)
            panel.set_title(in_lines(title, 40), fontsize=9.5)
            panel.tick_params(labelleft=True)
        axes[0].legend(loc="upper right", frameon=False, fontsize=8.5)
        figure.suptitle(f"{name}: observed with its 95 % band, and fitted", fontsize=11)
        return save(figure, "png")


def _of_events(events: EventsGoodness) -> list[tuple[str, CountsTest | tuple[Curve, Floats]]]:
    """List the panels of events, each with its title: how many each person had, and how long they lasted."""
    panels: list[tuple[str, CountsTest | tuple[Curve, Floats]]] = []
    for name, counts in events.counts.items():
        panels.append((f"{name}: how many a person had", counts))
        if name in events.length_curves and np.isfinite(events.length_curves[name][0].share).any():
            seen, fitted = events.length_curves[name]
            panels.append((f"{name}: how long it lasts", (_joined(seen), fitted[np.isfinite(seen.share) & np.isfinite(seen.low)])))
    return panels


def _draw_counts(axes: Axes, counts: CountsTest) -> None:
    """Draw people by their number of events; the band is that of the fit, for what is drawn as observed is a count."""
    place = np.arange(len(counts.classes))
    low, high = (np.array([getattr(one, name) for one in counts.classes]) for name in ("low", "high"))
    axes.fill_between(place, low, high, color=LIGHT, linewidth=0, label="95 % band")
    observed = [one.observed for one in counts.classes]
    axes.plot(place, observed, color=MIDDLE, linewidth=1.8, marker="o", markersize=3, label="observed")
    expected = [one.expected for one in counts.classes]
    axes.plot(place, expected, color=DARK, linewidth=1.3, linestyle=(0, (4, 2)), label="fitted")
    axes.set_xticks(place, [one.words for one in counts.classes], fontsize=7.5)
    axes.set_ylim(0, None)
    axes.set_ylabel("people")
    axes.set_xlabel("events while observed")


def _draw_lengths(axes: Axes, seen: Curve, fitted: Floats) -> None:
    days = seen.months * DAYS_PER_MONTH
    axes.fill_between(days, seen.low, seen.high, color=LIGHT, linewidth=0, label="95 % band")
    axes.plot(days, seen.share, color=MIDDLE, linewidth=1.8, label="observed")
    axes.plot(days, fitted, color=DARK, linewidth=1.3, linestyle=(0, (4, 2)), label="fitted")
    axes.set_ylim(-0.02, 1.02)
    axes.set_ylabel("share still lasting")
    axes.set_xlabel("days")


def _titled(
    curves: Mapping[str, tuple[Curve, Floats]], title: str, share: str, months: str
) -> list[tuple[str, str, str, tuple[Curve, Floats]]]:
    return [(f"{title} {state}", share, months, pair) for state, pair in curves.items() if np.isfinite(pair[0].share).any()]


def _joined(seen: Curve) -> Curve:
    """Leave out the months that are not shown, so that lines join the others."""
    shown = np.isfinite(seen.share) & np.isfinite(seen.low)
    return Curve(seen.months[shown], seen.share[shown], seen.low[shown], seen.high[shown])


def _draw(axes: Axes, seen: Curve, fitted: Floats) -> None:
    axes.fill_between(seen.months, seen.low, seen.high, color=LIGHT, linewidth=0, label="95 % band")
    axes.plot(seen.months, seen.share, color=MIDDLE, linewidth=1.8, label="observed")
    axes.plot(np.arange(len(fitted)), fitted, color=DARK, linewidth=1.3, linestyle=(0, (4, 2)), label="fitted")
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlim(0, max(len(fitted) - 1, 1))
