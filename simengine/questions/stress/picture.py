"""Draw bad times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simengine.config import Study
from simengine.questions.stress.answer import StressTest, label_of
from simengine.report.layouts import called, party_title
from simengine.report.picture import DARK, MIDDLE, in_lines, panels_for, plain_style, save, title_of
from simengine.report.units import money_unit

if TYPE_CHECKING:
    pass


def draw_stress(study: Study, found: StressTest) -> bytes:
    """Draw the mean NPV of each party under every stress."""
    unit, money = money_unit(study)
    rows = [(name, severity, one) for name, by in found.stresses.items() for severity, one in by.items()]
    with plain_style():
        parties = _moved_by(found)
        figure, panels = panels_for(len(parties), 2.6, 4.6, 1.7 + 0.27 * len(rows))
        for axes, party in zip(panels, parties, strict=True):
            base = found.base[party].npv.value / unit
            for place, (_, severity, one) in enumerate(rows):
                value = one.standings[party].npv.value / unit
                colour = DARK if severity == "severe" else MIDDLE
                axes.barh(place, value - base, left=base, color=colour, height=0.7)
                axes.errorbar(value, place, xerr=1.96 * one.moved[party].npv.se / unit, color="0.3", capsize=2)
            axes.axvline(base, color=DARK, linewidth=1.0)
            axes.axvline(0.0, color=DARK, linestyle=":", linewidth=1.0, zorder=0)
            axes.set_title(f"{in_lines(party_title(study, party), 55)}\nas it is: {base:z.2f}", fontsize=10)
            axes.set_xlabel(f"mean NPV, {money}")
            axes.set_yticks(range(len(rows)), [f"{label_of(name)}, {called(severity)}" for name, severity, _ in rows], fontsize=8.5)
            axes.set_ylim(len(rows) - 0.4, -0.6)
        figure.suptitle(f"{title_of(study)}: stresses ({found.n_replications:,} replications; dotted: nothing gained)", fontsize=11)
        return save(figure, "png")


def _moved_by(found: StressTest) -> tuple[str, ...]:
    """Names of the parties whose money some stress changes; all where none does."""
    every = [one for by_severity in found.stresses.values() for one in by_severity.values()]
    moved = (party for party in found.parties if any(one.moved[party].npv.value or one.moved[party].npv.se for one in every))
    return tuple(moved) or found.parties
