"""The pictures of a report, as SVG that stands inside the page: in its language, the same bytes in every run."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from textwrap import shorten
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup, escape

from simengine.documents.blocks import ReportPicture
from simengine.errors import escaped
from simengine.languages.language import Language
from simengine.records import Floats
from simengine.report.picture import DARK, LIGHT, MIDDLE, new_figure, plain_style, save
from simengine.report.units import WrittenUnit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH = 7.0
"""Inches: as wide as the text of an A4 page."""
_LEFT, _AROUND = 0.8, 0.12
"""Inches on the left of a panel, for the numbers and the title of the axis; on its right, and above it."""
_WITHOUT_TITLE, _WITH_LEGEND = 0.58, 0.8
"""Inches below a panel with a legend: where the axis has no title, and where it has one."""
_BARS = 60
_HATCH = "////"


def drawing(paint: Callable[[], Figure], name: str, caption: Markup, told: Markup) -> ReportPicture:
    """Paint a picture, and put it inside a page under names of its own.

    Parameters
    ----------
    paint
        Makes the figure, inside the style of all pictures.
    name
        Unique on the page: the parts of the picture are called by it.
    caption
        What stands below it.
    told
        What it shows, in words, for those who do not see it.
    """
    with plain_style():
        svg = save(paint(), "svg").decode()
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = body.replace('href="#', f'href="#{name}-').replace("url(#", f"url(#{name}-")
    size = re.search(r'viewBox="[^"]*"', body)
    assert size is not None
    head = f'<svg {size[0]} class="picture" role="img" aria-labelledby="{name}-told" xmlns="http://www.w3.org/2000/svg" '
    head += 'xmlns:xlink="http://www.w3.org/1999/xlink">'
    title = f'<title id="{name}-told">{escape(told.striptags())}</title>'
    return ReportPicture(Markup(head + title + body[body.index(">") + 1 :]), caption)


def _in_place(height: float, below: float = 0.5) -> tuple[Figure, Axes]:
    """Return a figure of so many inches with one panel in a fixed place: to search for one takes as long as to draw.

    below: inches for the numbers of the axis, its title and the legend.
    """
    figure = new_figure(figsize=(_WIDTH, height))
    place = (_LEFT / _WIDTH, below / height, 1 - (_LEFT + _AROUND) / _WIDTH, 1 - (below + _AROUND) / height)
    axes: Axes = figure.add_axes(place)
    return figure, axes


def plain_label(text: Markup | str, width: int = 60) -> str:
    """Return a text for a picture: without tags, what has no room cut."""
    bare = text.striptags() if isinstance(text, Markup) else text
    return shorten(escaped(bare), width, placeholder="…")


def _tick(language: Language) -> Callable[[float, int], str]:
    def written(value: float, _: int) -> str:
        return language.numeral(f"{round(value, 10) + 0.0:,.6g}")

    return written


def localised(axes: Axes, language: Language, *, both: bool = True) -> None:
    """Write the numbers of the axes in the way of the language."""
    from matplotlib.ticker import FuncFormatter

    axes.xaxis.set_major_formatter(FuncFormatter(_tick(language)))
    if both:
        axes.yaxis.set_major_formatter(FuncFormatter(_tick(language)))


def money_distribution(language: Language, net: Floats, weights: Floats, unit: WrittenUnit) -> Callable[[], Figure]:
    """Return what paints how often each result occurs: losses hatched, gains plain."""

    def paint() -> Figure:
        figure, axes = _in_place(1.9)
        values = net / unit[0]
        low, high = np.quantile(values, [0.002, 0.998])
        width = max((high - low) / _BARS, 1e-9)
        first = np.floor(low / width) - 1
        edges = width * np.arange(first, first + _BARS + 4)
        # What lies beyond the ends, 4 replications in 1,000, is counted in the outermost bars.
        counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), bins=edges, weights=100 * weights / weights.sum())
        middles = (edges[:-1] + edges[1:]) / 2
        for is_loss, colour, hatch, label in (
            (middles < 0, MIDDLE, _HATCH, language.text("loss")),
            (middles >= 0, LIGHT, "", language.text("gain, or nothing lost")),
        ):
            if not counts[is_loss].any():
                continue
            axes.bar(
                middles[is_loss],
                counts[is_loss],
                width=width,
                color=colour,
                hatch=hatch,
                edgecolor=DARK,
                linewidth=0.4,
                label=label,
            )
        axes.axvline(0.0, color=DARK, linewidth=1.2)
        axes.set_xlabel(plain_label(language.say("result of the party, {unit}", unit=language.unit_name(unit))))
        axes.set_ylabel(language.text("of 100 replications"))
        axes.margins(x=0.01)
        localised(axes, language)
        axes.legend(frameon=False, fontsize=8.5)
        return figure

    return paint


def fan(
    language: Language,
    ends: Sequence[float],
    curves: dict[str, list[float]],
    unit: WrittenUnit,
    deepest: tuple[float, float] | None,
) -> Callable[[], Figure]:
    """Return what paints the cumulative cash: its mean and the bands that hold half and nine tenths of the replications.

    Parameters
    ----------
    ends
        Years of the calendar at which periods end.
    curves
        By statistic: one value at each end, in the unit.
    deepest
        Year and amount of the lowest point of the mean, where it is negative.
    """

    def paint() -> Figure:
        figure, axes = _in_place(2.6, below=_WITHOUT_TITLE)
        bands = (
            ("p05", "p95", "0.88", language.text("9 of 10 replications")),
            ("p25", "p75", "0.72", language.text("half of the replications")),
        )
        for low, high, colour, label in bands:
            if low in curves and high in curves:
                axes.fill_between(ends, curves[low], curves[high], color=colour, linewidth=0, label=label)
        axes.plot(ends, curves["mean"], color=DARK, linewidth=1.6, label=language.text("mean"))
        axes.axhline(0.0, color=MIDDLE, linewidth=0.8)
        if deepest is not None:
            axes.plot(
                [deepest[0]], [deepest[1]], color=DARK, marker="o", markersize=5, linestyle="", label=language.text("deepest")
            )
        axes.set_ylabel(plain_label(language.say("cash so far, {unit}", unit=language.unit_name(unit))))
        axes.margins(x=0.02, y=0.08)
        axes.locator_params(axis="x", integer=True)
        localised(axes, language)
        axes.xaxis.set_major_formatter(lambda year, _: f"{year:.0f}")
        figure.legend(loc="lower center", ncols=4, frameon=False, fontsize=8.5)
        return figure

    return paint


def bars(
    language: Language,
    names: Sequence[str],
    ends: Sequence[tuple[float, float]],
    base: float,
    axis: Markup,
    errors: Sequence[float] = (),
    labels: tuple[str, str] = ("", ""),
) -> Callable[[], Figure]:
    """Return what paints bars from a common line to one or two ends: stresses, terms, assumptions.

    Parameters
    ----------
    names
        Of the rows.
    ends
        By row: to where the first bar goes, plain, and the second, hatched; NaN where there is none.
    base
        The common line.
    errors
        By row: 1.96 standard errors, drawn at the end of the first bar.
    labels
        Of the first and the second bar, where they are told apart.
    """

    def paint() -> Figure:
        figure = new_figure(figsize=(_WIDTH, 0.9 + 0.27 * len(names)), layout="constrained")
        axes: Axes = figure.subplots()
        for side, (colour, hatch) in enumerate(((LIGHT, ""), (MIDDLE, _HATCH))):
            values = np.array([pair[side] for pair in ends])
            seen = np.isfinite(values)
            places = np.arange(len(names))[seen]
            label = labels[side] or None
            style = {"color": colour, "hatch": hatch, "edgecolor": DARK, "linewidth": 0.5, "height": 0.62, "label": label}
            axes.barh(places, values[seen] - base, left=base, **style)  # type: ignore[arg-type]
        if len(errors):
            firsts = [pair[0] for pair in ends]
            axes.errorbar(firsts, np.arange(len(names)), xerr=list(errors), color=DARK, linestyle="", capsize=2)
        axes.axvline(base, color=DARK, linewidth=1.0)
        axes.set_yticks(range(len(names)), [plain_label(name, 44) for name in names], fontsize=8.5)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_xlabel(plain_label(axis, 90))
        localised(axes, language, both=False)
        if any(labels):
            figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8.5)
        return figure

    return paint


def curve(
    language: Language,
    across: Sequence[float],
    values: Sequence[float],
    errors: Sequence[float],
    axes_titles: tuple[Markup, Markup],
) -> Callable[[], Figure]:
    """Return what paints a line with the 95 % intervals of its points."""

    def paint() -> Figure:
        figure, axes = _in_place(2.4)
        axes.errorbar(across, values, yerr=errors, color=DARK, marker="o", markersize=4, capsize=3)
        axes.set_ylim(bottom=min(0.0, *values))
        axes.set_xlabel(plain_label(axes_titles[0]))
        axes.set_ylabel(plain_label(axes_titles[1]))
        localised(axes, language)
        return figure

    return paint


def class_curve(
    language: Language, inverse: Callable[[Floats], Floats], own: tuple[float, float, float] | None
) -> Callable[[], Figure]:
    """Return what paints how many of 100 signed contracts were paid less than each multiple of their plan.

    Parameters
    ----------
    inverse
        From probabilities to multiples.
    own
        Of the study: the multiples between which 8 of 10 replications lie, and in their middle the mean.
    """

    def paint() -> Figure:
        figure, axes = _in_place(2.6, below=_WITH_LEGEND)
        levels = np.linspace(0.01, 0.99, 197)
        if own is not None:
            low, mean, high = own
            axes.axvspan(low, high, color="0.88", linewidth=0, label=language.text("this study: 8 of 10 replications"))
            axes.axvline(mean, color=DARK, linewidth=1.4, linestyle="--", label=language.text("this study: on average"))
        axes.plot(inverse(levels), 100 * levels, color=DARK, linewidth=1.8, label=language.text("signed contracts"))
        axes.axvline(1.0, color=MIDDLE, linewidth=1.0, linestyle=":", label=language.text("as planned"))
        axes.set_xlim(left=0.0)
        axes.set_ylim(0, 100)
        axes.set_xlabel(language.text("paid, as a multiple of what was planned"))
        axes.set_ylabel(language.text("of 100 contracts"))
        localised(axes, language)
        figure.legend(loc="lower center", ncols=4, frameon=False, fontsize=8.5)
        return figure

    return paint
