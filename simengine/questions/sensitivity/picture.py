"""Draw a tornado for each party."""

from __future__ import annotations

from simengine.config import Study
from simengine.questions.sensitivity.answer import Sensitivity
from simengine.replications.money import amount_asked
from simengine.report.layouts import party_title
from simengine.report.picture import (
    DARK,
    LIGHT,
    MIDDLE,
    MOST_BARS,
    in_lines,
    new_figure,
    plain_style,
    save,
    shortened_path,
    title_of,
)
from simengine.report.units import money_unit, unit_of_amount


def draw_sensitivity(study: Study, found: Sensitivity) -> bytes:
    """Draw a tornado for each party beside the total indices of its assumptions."""
    asked = amount_asked(found.measure)
    unit, told = unit_of_amount(asked.unit, money_unit(study))
    n_parties = len(found.parties)
    with plain_style():
        figure = new_figure(figsize=(15.0, 0.8 + 3.4 * n_parties), layout="constrained")
        panels = figure.subplots(n_parties, 2, squeeze=False)
        for (left, right), (party, one) in zip(panels, found.parties.items(), strict=True):
            swings = dict(list(one.tornado.items())[:MOST_BARS])
            base = one.mean.value / unit
            for place, swing in enumerate(swings.values()):
                ends = ((swing.at_low, LIGHT, 0.7, "at 5 %"), (swing.at_high, DARK, 0.4, "at 95 %"))
                for statistic, colour, height, label in ends:
                    value = statistic.value / unit
                    left.barh(place, value - base, left=base, color=colour, height=height, label=None if place else label)
            left.axvline(base, color=DARK, linewidth=1.0)
            left.set_yticks(range(len(swings)), [shortened_path(path) for path in swings], fontsize=8.5)
            left.set_xlabel(f"mean {asked.title}, {told}" if told else f"mean {asked.title}")
            left.set_title(in_lines(party_title(study, party), 60), fontsize=10)
            left.legend(frameon=False, fontsize=8.5, loc="best")
            indices = dict(list(one.indices.items())[:MOST_BARS])
            for place, index in enumerate(indices.values()):
                right.barh(place, index.st.value, xerr=1.96 * index.st.se, color=LIGHT, height=0.7, ecolor="0.3", capsize=2)
                right.barh(place, index.s1.value, color=DARK, height=0.35)
            right.set_yticks(range(len(indices)), [shortened_path(path) for path in indices], fontsize=8.5)
            right.set_xlim(left=0)
            if not any(index.st.value for index in indices.values()):
                for axes in (left, right):
                    axes.text(0.5, 0.5, "no assumption moves it", transform=axes.transAxes, ha="center", color=MIDDLE)
            right.set_xlabel("wide: total index ST with 95 % interval; narrow: S1")
            for axes in (left, right):
                axes.invert_yaxis()
        figure.suptitle(f"{title_of(study)}: which assumptions matter to whom", fontsize=11)
        return save(figure, "png")
