"""Draw the answers to the questions that people ask of a deal."""

from __future__ import annotations

from textwrap import shorten
from typing import TYPE_CHECKING

from simengine.config import Study
from simengine.questions.attribute.answer import Attribution
from simengine.questions.compare.answer import Comparison
from simengine.questions.reverse.answer import Nearest, ReverseStress
from simengine.questions.sensitivity.answer import Sensitivity
from simengine.questions.stress.answer import StressTest
from simengine.report.picture import new_figure, plain_style, save
from simengine.report.question_tables import named
from simengine.report.units import money_unit
from simengine.risk.statistics import Statistic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DARK, _MIDDLE, _LIGHT = "0.15", "0.55", "0.8"
_MOST_BARS, _LONGEST_PATH, _MOST_PANELS = 10, 44, 3
_LEAST_SHARE = 0.001
"""Of the squared distance: an assumption with less stands at its median."""
_SHADES = {"knowledge": "#1f3b57", "world": "#5b8db8", "luck": "#d9a441", "measurement": "#8c8c8c"}


def draw_comparison(study: Study, found: Comparison) -> bytes:
    """Draw, for each party, the mean net under each contract with the middle 90 % of the worlds, and who gains by going over."""
    unit, money = money_unit(study)
    n_rows = len(found.titles)
    with plain_style():
        figure, panels = _panels(len(found.parties), 0.6, 5.2, 1.3 + 0.55 * n_rows)
        for axes, party in zip(panels, found.parties, strict=True):
            for place, name in enumerate(found.titles):
                low, middle, high = (value / unit for value in found.quantiles[name][party])
                mean = found.standings[name][party].net
                axes.plot([low, high], [place, place], color=_LIGHT, linewidth=7, solid_capstyle="butt", zorder=1)
                axes.plot([middle], [place], marker="|", markersize=13, color=_MIDDLE, zorder=2)
                axes.errorbar(
                    mean.value / unit, place, xerr=1.96 * mean.se / unit, color=_DARK, marker="o", markersize=5, capsize=3, zorder=3
                )
                axes.text(0.99, place + 0.33, _switch_words(found, name, party), transform=_across(axes), ha="right", fontsize=8.5)
            axes.axvline(0.0, color=_DARK, linestyle=":", linewidth=1.0, zorder=0)
            axes.set_title(shorten(named(study, party), 60, placeholder="…"), fontsize=10)
            axes.set_xlabel(f"net, {money}")
            axes.set_yticks(range(n_rows), list(found.titles))
            axes.set_ylim(n_rows - 0.45, -0.6)
        what = "dot: mean; bar: 90 % of the worlds; line: median"
        figure.suptitle(f"{_title(study)} ({found.n_replications:,} replications; {what})", fontsize=11)
        return save(figure, "png")


def draw_attribution(study: Study, found: Attribution) -> bytes:
    """Draw how each party's variance and tail divide over the layers."""
    with plain_style():
        figure = new_figure(figsize=(12, 1.9 + 0.6 * len(found.burdens)), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        parties = list(found.burdens)
        for axes, what in ((left, "variance"), (right, "tail")):
            shares = {party: getattr(one, what) for party, one in found.burdens.items()}
            for layer in found.layers:
                parts = [100 * _ratio(one.shapley[layer], one.total) for one in shares.values()]
                before = [
                    100
                    * sum(max(_ratio(one.shapley[other], one.total), 0.0) for other in found.layers[: found.layers.index(layer)])
                    for one in shares.values()
                ]
                widths = [max(part, 0.0) for part in parts]
                axes.barh(range(len(parties)), widths, left=before, color=_SHADES[layer], label=layer, height=0.6)
                for place, (part, start) in enumerate(zip(widths, before, strict=True)):
                    if part >= 6:
                        colour = "white" if layer != "luck" else "black"
                        axes.text(start + part / 2, place, f"{part:z.0f} %", ha="center", va="center", color=colour, fontsize=9)
            for place, one in enumerate(shares.values()):
                if not one.total.value:
                    axes.text(1, place, "nothing varies", va="center", color=_MIDDLE, fontsize=9)
            axes.set_xlim(0, 100)
            axes.set_xlabel("Shapley share, %")
        left.set_yticks(range(len(parties)), [party.replace("_", " ") for party in parties])
        left.invert_yaxis()
        left.set_title(f"Variance of the {found.measure}", fontsize=10)
        right.set_title(f"Tail: CVaR {100 * found.level:g} % of the loss, beyond the mean loss", fontsize=10)
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=len(found.layers), frameon=False)
        figure.suptitle(f"{_title(study)}: who carries what ({found.n_replications:,} families of worlds)", fontsize=11)
        return save(figure, "png")


def draw_stress(study: Study, found: StressTest) -> bytes:
    """Draw the mean NPV of each party under every stress."""
    unit, money = money_unit(study)
    rows = [(name, severity, one) for name, by in found.stresses.items() for severity, one in by.items()]
    with plain_style():
        figure, panels = _panels(len(found.parties), 2.6, 4.6, 1.7 + 0.27 * len(rows))
        for axes, party in zip(panels, found.parties, strict=True):
            base = found.base[party].npv.value / unit
            for place, (_, severity, one) in enumerate(rows):
                value = one.standings[party].npv.value / unit
                colour = _DARK if severity == "severe" else _MIDDLE
                axes.barh(place, value - base, left=base, color=colour, height=0.7)
                axes.errorbar(value, place, xerr=1.96 * one.moved[party].npv.se / unit, color="0.3", capsize=2)
            axes.axvline(base, color=_DARK, linewidth=1.0)
            axes.axvline(0.0, color=_DARK, linestyle=":", linewidth=1.0, zorder=0)
            axes.set_title(f"{shorten(named(study, party), 55, placeholder='…')}\nas it is: {base:z.2f}", fontsize=10)
            axes.set_xlabel(f"mean NPV, {money}")
            axes.set_yticks(range(len(rows)), [f"{name.replace('_', ' ')}, {severity}" for name, severity, _ in rows], fontsize=8.5)
            axes.set_ylim(len(rows) - 0.4, -0.6)
        figure.suptitle(f"{_title(study)}: stresses ({found.n_replications:,} replications; dotted: nothing gained)", fontsize=11)
        return save(figure, "png")


def draw_reverse(study: Study, found: ReverseStress) -> bytes:
    """Draw how far each assumption stands from its median where the deal breaks first."""
    steps = [] if found.nearest is None else [step for step in found.nearest.steps[:12] if step.share >= _LEAST_SHARE]
    with plain_style():
        figure = new_figure(figsize=(10, 2.2 + 0.3 * len(steps) if steps else 1.2), layout="constrained")
        axes = figure.subplots()
        axes.barh(range(len(steps)), [step.score for step in steps], color=_MIDDLE, height=0.65)
        reach = max([abs(step.score) for step in steps], default=1.0) or 1.0
        for place, step in enumerate(steps):
            text = f"{step.median:.3g} → {step.value:.3g}"
            side = 1 if step.score >= 0 else -1
            axes.text(step.score + side * 0.03 * reach, place, text, va="center", ha="left" if side > 0 else "right", fontsize=8.5)
        axes.set_xlim(-1.6 * reach, 1.6 * reach)
        axes.axvline(0.0, color=_DARK, linewidth=1.0, visible=bool(steps))
        axes.set_yticks(range(len(steps)), [step.path for step in steps], fontsize=8.5)
        axes.invert_yaxis()
        axes.set_xlabel("standard deviations from the median")
        axes.set_title(f"{found.criterion}: {_reverse_words(found.nearest)}", fontsize=10)
        if not steps:
            # Nothing stands anywhere but at its median: the words say all.
            axes.set_axis_off()
        figure.suptitle(f"{_title(study)}: the nearest assumptions that break the deal", fontsize=11)
        return save(figure, "png")


def draw_sensitivity(study: Study, found: Sensitivity) -> bytes:
    """Draw a tornado for each party beside the total indices of its assumptions."""
    unit, money = money_unit(study)
    n_parties = len(found.parties)
    with plain_style():
        figure = new_figure(figsize=(15.0, 0.8 + 3.4 * n_parties), layout="constrained")
        panels = figure.subplots(n_parties, 2, squeeze=False)
        for (left, right), (party, one) in zip(panels, found.parties.items(), strict=True):
            swings = dict(list(one.tornado.items())[:_MOST_BARS])
            base = one.mean.value / unit
            for place, swing in enumerate(swings.values()):
                ends = ((swing.at_low, _LIGHT, 0.7, "at 5 %"), (swing.at_high, _DARK, 0.4, "at 95 %"))
                for statistic, colour, height, label in ends:
                    value = statistic.value / unit
                    left.barh(place, value - base, left=base, color=colour, height=height, label=None if place else label)
            left.axvline(base, color=_DARK, linewidth=1.0)
            left.set_yticks(range(len(swings)), [shorten_path(path) for path in swings], fontsize=8.5)
            left.set_xlabel(f"mean {found.measure}, {money}")
            left.set_title(shorten(named(study, party), 60, placeholder="…"), fontsize=10)
            left.legend(frameon=False, fontsize=8.5, loc="best")
            indices = dict(list(one.indices.items())[:_MOST_BARS])
            for place, index in enumerate(indices.values()):
                right.barh(place, index.st.value, xerr=1.96 * index.st.se, color=_LIGHT, height=0.7, ecolor="0.3", capsize=2)
                right.barh(place, index.s1.value, color=_DARK, height=0.35)
            right.set_yticks(range(len(indices)), [shorten_path(path) for path in indices], fontsize=8.5)
            right.set_xlim(left=0)
            if not any(index.st.value for index in indices.values()):
                for axes in (left, right):
                    axes.text(0.5, 0.5, "no assumption moves it", transform=axes.transAxes, ha="center", color=_MIDDLE)
            right.set_xlabel("wide: total index ST with 95 % interval; narrow: S1")
            for axes in (left, right):
                axes.invert_yaxis()
        figure.suptitle(f"{_title(study)}: which assumptions matter to whom", fontsize=11)
        return save(figure, "png")


def _panels(count: int, names: float, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """Give a figure with one panel for each party, three in a row; where rows have names, these take room on the left."""
    n_columns = min(count, _MOST_PANELS)
    n_rows = -(-count // n_columns)
    figure = new_figure(figsize=(names + width * n_columns, 0.6 + height * n_rows), layout="constrained")
    panels = list(figure.subplots(n_rows, n_columns, squeeze=False).ravel())
    for axes in panels[count:]:
        axes.remove()
    for place, axes in enumerate(panels[:count]):
        axes.tick_params(labelleft=place % n_columns == 0)
        axes.use_sticky_edges = False
    return figure, panels[:count]


def shorten_path(path: str) -> str:
    """Give the end of a path that is too long for an axis."""
    return path if len(path) <= _LONGEST_PATH else f"…{path[-_LONGEST_PATH + 1 :]}"


def _reverse_words(nearest: Nearest | None) -> str:
    if nearest is None:
        return "no combination of assumptions within six standard deviations breaks it in half of its worlds"
    if not nearest.distance.value:
        return f"with every assumption at its median it breaks in {100 * nearest.p_break.value:z.0f} % of the worlds already"
    text = f"{nearest.distance.value:z.2f} ± {nearest.distance.se:z.2f} standard deviations away"
    return f"{text}; probability beyond {nearest.p_beyond:.2g}"


def _switch_words(found: Comparison, name: str, party: str) -> str:
    standing = found.standings[name][party]
    text = f"P(loss) {100 * standing.p_loss.value:z.0f} %"
    if name in found.switches:
        switch = found.switches[name][party]
        text += f"; gains in {100 * switch.gains.value:z.0f} %, loses in {100 * switch.loses.value:z.0f} %"
    return text


def _across(axes: Axes) -> object:
    """Give the transform that measures across the panel and along the data."""
    return axes.get_yaxis_transform()


def _ratio(part: Statistic, whole: Statistic) -> float:
    return part.value / whole.value if whole.value else 0.0


def _title(study: Study) -> str:
    return shorten(study.study.title, 80, placeholder="…")
