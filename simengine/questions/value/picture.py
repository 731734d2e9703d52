"""Draw who pays and who saves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simengine.config import Study
from simengine.questions.value.answer import WrongPockets
from simengine.report.picture import DARK, LIGHT, MIDDLE, in_lines, new_figure, plain_style, save, title_of
from simengine.report.units import money_unit
from simengine.risk.statistics import Statistic
from simengine.risk.trust import bar_levels


def draw_pockets(study: Study, found: WrongPockets) -> bytes:
    """Draw the mean cash, value and net of every party, with the middle of the net."""
    unit, money = money_unit(study)
    levels = bar_levels(found.n_replications)
    parties = [name for name, one in found.public_value.items() if isinstance(one, Mapping)]
    with plain_style():
        figure = new_figure(figsize=(9, 1.8 + 0.75 * len(parties)), layout="constrained")
        axes = figure.subplots()
        for place, party in enumerate(parties):
            for shift, what, colour in ((-0.22, "cash", MIDDLE), (0.0, "value", LIGHT), (0.22, "net", DARK)):
                mean = _of(found, party, what, "mean")
                axes.barh(place + shift, mean.value / unit, height=0.2, color=colour, label=None if place else _LABELS[what])
            low, high = (_of(found, party, "net", level).value / unit for level in (f"p{100 * share:02.0f}" for share in levels))
            axes.plot([low, high], [place + 0.22, place + 0.22], color="tab:red", linewidth=1.4)
        axes.axvline(0.0, color=DARK, linewidth=0.8)
        axes.set_yticks(range(len(parties)), [in_lines(study.parties[name].name, 40) for name in parties])
        axes.invert_yaxis()
        axes.set_xlabel(f"mean, {money}; red: the net from its {levels[0]:.0%} to its {levels[1]:.0%} quantile")
        axes.legend(frameon=False, fontsize=8.5, loc="best")
        figure.suptitle(f"{title_of(study)}: who pays and who saves ({found.n_replications:,} replications)", fontsize=11)
        return save(figure, "png")


_LABELS = {"cash": "cash", "value": "value of what changed", "net": "net: both together"}


def _of(found: WrongPockets, party: str, what: str, level: str) -> Statistic:
    of_party: Mapping[str, Any] = found.public_value[party]
    statistic: Statistic = of_party[what][level]
    return statistic
