"""Lay out a forecast held against what is known."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simengine.config import Study
from simengine.questions.retrospect.answer import Retrospect, Shift, Update
from simengine.questions.retrospect.content import retrospect_sentence
from simengine.report.layouts import grid, heading, titled
from simengine.report.units import cell, metric_unit, money_unit

KERNEL = (
    "Replications are weighed by the probability that their own estimate, measured once more with an error of {bandwidth:g} of the "
    "evaluator's standard error, would be published as the figure that was; other results count as inside or outside."
)


def retrospect_tables(study: Study, found: Retrospect) -> RenderableType:
    """Lay out a look back: a row and a sentence for each known result, then what follows from those given."""
    money, _ = money_unit(study)
    table = grid("known", "result", "how sure", "P(below)", "P(so)", "PIT", "ESS")
    for name, place in found.places.items():
        table.add_row(
            name,
            str(place.known),
            place.known.certainty,
            cell(place.below, 1.0),
            cell(place.inside, 1.0),
            f"{place.pit:z.3f}",
            f"{place.effective:z,.0f}",
        )
    told = [Text(f"\n{retrospect_sentence(name, place)}") for name, place in found.places.items()]
    kernel = Text("\n" + KERNEL.format(bandwidth=found.bandwidth), style="italic")
    parts: list[RenderableType] = [
        heading(study, found, "ESS: effective sample size of the replications that come near."),
        table,
        *told,
        kernel,
    ]
    if found.update is not None:
        parts += _update_tables(study, found.update, money)
    return Group(*parts)


def _update_tables(study: Study, update: Update, money: float) -> list[RenderableType]:
    given = f"Given {', '.join(update.given)} (effective sample size {update.effective:z,.0f})"
    chances = grid("", "forecast", "updated")
    for name, pair in update.probabilities.items():
        if _is_told(study, name.split(" ")[0]):
            chances.add_row(f"P({name})", *(cell(one, 1.0) for one in pair))
    means = grid("mean", "forecast", "updated", "p05", "p95")
    for name, pair in update.means.items():
        if _is_told(study, name):
            scale = metric_unit(study, name.split(".")[1])[0] if name.startswith("metric.") else money
            ends = (update.quantiles[name][level][1] for level in ("p05", "p95"))
            means.add_row(name, *(cell(one, scale) for one in (*pair, *ends)))
    return [titled(given, chances), means, _shift_table(update.shifts)]


def _is_told(study: Study, name: str) -> bool:
    """Whether a quantity stands in the table; the JSON object holds them all."""
    of_wave = name.startswith("metric.") and name.rpartition(".")[2] in study.population.waves
    return name == "contingent_payment" or name.endswith(".net") or (name.startswith("metric.") and not of_wave)


def _shift_table(shifts: tuple[Shift, ...]) -> RenderableType:
    table: Table = grid("what moves most", "forecast", "updated", "in sd")
    for shift in shifts:
        table.add_row(shift.path, f"{shift.forecast:.4g}", f"{shift.updated:.4g}", cell(shift.in_sd, 1.0))
    return table
