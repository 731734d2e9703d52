"""The frame of every answer: its heading, its titles, its tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simengine.config import Study
from simengine.config.roles import values_nothing, without_costs
from simengine.replications.money import TAIL_REPLICATIONS, PartyStanding, measures_of
from simengine.report.units import cell, money_unit, unit_of_amount
from simengine.risk.amounts import AMOUNTS
from simengine.risk.limits import read_measure
from simengine.risk.measures import Measure
from simengine.risk.statistics import Statistic
from simengine.sections import OWN

NOTHING_ASKED: Mapping[str, Measure] = {}


def heading(study: Study, found: Any, remark: str) -> Text:
    """Say what was asked in how many replications, and in which unit money is written."""
    _, money = money_unit(study)
    return Text(
        f"{study.study.title}\n{found.drawn}. Money in {money}; ± is one Monte Carlo standard error.\n{remark}",
        style="bold",
    )


def titled(title: str, content: RenderableType) -> RenderableType:
    """Put a title above a table."""
    return Group(Text(f"\n{title}", style="bold"), content)


def folded(path: str, width: int = 31) -> str:
    r"""Break a long path after its dots and blanks, so that the numbers beside it stay whole.

    Examples
    --------
    >>> folded("measurement.metrics.saving.drift_per_year")
    'measurement.metrics.saving.\n drift_per_year'
    """
    lines = [""]
    for part in re.split(r"(?<=[. ])", path):
        if len(lines[-1]) + len(part) > width and lines[-1].strip():
            lines.append(" ")
        lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)


def grid(first: str, *columns: str, show_header: bool = True) -> Table:
    """Begin a table whose first column holds names and whose others hold numbers."""
    table = Table(show_header=show_header, pad_edge=False, collapse_padding=True, box=box.SIMPLE_HEAD)
    table.add_column(first, no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right", overflow="fold")
    return table


MOST_STEPS = 10
"""Assumptions that a table names; it counts the others."""


def further(count: int, one: str = "holds", several: str = "hold") -> str:
    """Begin a sentence about the assumptions that a table leaves out."""
    return f"1 further assumption {one}" if count == 1 else f"{count} further assumptions {several}"


def party_title(study: Study, party: str) -> str:
    """Return a party's role and name."""
    one = study.parties.get(party)
    role = party.replace("_", " ")
    return role if one is None else f"{role} ({one.name})"


def standing_columns(level: float, asked: Mapping[str, Measure] = NOTHING_ASKED) -> tuple[str, ...]:
    """Return the titles of what is said of where a party stands, and of the measures that were asked for beside that."""
    more = (measure_title(measure) for measure in asked.values())
    return ("net", "NPV", "P(loss)", f"CVaR {100 * level:g} % (loss)", *more)


def standing_cells(
    one: PartyStanding, unit: float, asked: Mapping[str, Measure] = NOTHING_ASKED, *, knows_loss: bool = True
) -> tuple[str, ...]:
    """Write down where a party stands; without the risk of a loss where the study does not know it."""
    more = (measure_cell(measure, one.asked[text], unit) for text, measure in asked.items())
    risk = (cell(one.p_loss, 1.0), cell(one.cvar, unit)) if knows_loss else ("-", "-")
    return (cell(one.net, unit), cell(one.npv, unit), *risk, *more)


def knows_loss(study: Study, party: str) -> bool:
    """Whether a study says enough of a party to know how often it loses: its costs, or what it values."""
    return party not in (*without_costs(study), *values_nothing(study))


UNDISCOUNTED = "P(loss) and CVaR count money without discounting; NPV is discounted at the party's own rate."


def notes_under(study: Study, party: str, *, is_first: bool) -> list[Text]:
    """Say under the table of a party how its money is counted: once for all parties, and what a study does not say of this one."""
    notes = [Text(UNDISCOUNTED, style="italic")] if is_first else []
    if party in values_nothing(study):
        left_out = "its net and NPV count its cash alone, and its P(loss) and CVaR are not shown"
        notes.append(Text(f"No outcome is valued for {study.parties[party].name} (`public_value`): {left_out}.", style="italic"))
    return [*notes, *cost_notes(study, [party])]


def cost_notes(study: Study, parties: Iterable[str]) -> list[Text]:
    """Name the parties whose costs a study does not state."""
    return [
        Text(
            f"No costs are stated for {study.parties[party].name} (parties.{party}.costs): what it is paid counts as its net.",
            style="italic",
        )
        for party in without_costs(study)
        if party in parties
    ]


def called(name: str) -> str:
    """Return what tables and pictures call a contract or a severity: `own` is that of this study."""
    return "this study" if name == OWN else name


def asked_of(measures: Iterable[str], party: str) -> dict[str, Measure]:
    """Return those of some measures that are about one party, by their text without it."""
    return measures_of([read_measure(text) for text in measures], party)


def measure_title(measure: Measure) -> str:
    """Write what a measure says, and in what, where that is neither money nor a pure number."""
    told = unit_of_amount(measure.kind.unit, (1.0, ""))[1]
    return f"{measure.title}, {told}" if told else measure.title


def measure_cell(measure: Measure, statistic: Statistic | None, unit: float) -> str:
    """Write the value of a measure: money in its unit, a rate in per cent a year, everything else as it is."""
    return cell(statistic, unit_of_amount(measure.kind.unit, (unit, ""))[0])


def asked_in_words(measure: str) -> str:
    """Say of what a question takes the mean: an amount by its name, a probability as it is written."""
    return f"the mean of its {measure}" if measure in AMOUNTS else measure


def no_cvar(needs: int | None, level: float) -> list[Text]:
    """Say how many replications a CVaR takes, where there are too few."""
    if needs is None:
        return []
    return [Text(f"CVaR {100 * level:g} % needs {TAIL_REPLICATIONS} replications in the tail: use -n {needs} or more.")]
