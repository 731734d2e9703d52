"""Tables of risk by source and by party."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rich.console import Group, RenderableType
from rich.text import Text

from simengine.config import Study
from simengine.distributions.sourced import Layer
from simengine.questions.attribute.answer import Attribution, LayerShares, TailGuarantee
from simengine.replications.money import amount_asked
from simengine.report.layouts import cost_notes, grid, heading, party_title, titled
from simengine.report.units import cell, money_unit, unit_of_amount
from simengine.risk.statistics import Statistic

BUYS_OFF: Mapping[Layer, str] = {
    "parameters": "information: a pilot, better data before signing",
    "environment": "terms that follow the environment: indexed prices, a volume floor, a shared shock",
    "sampling": "more people, or several contracts together",
    "measurement": "a better evaluation: a larger or fairer comparison",
}
"""By layer: what reduces its risk."""


def attribution_tables(study: Study, found: Attribution) -> RenderableType:
    """Return the tables: for each party its variance and tail by layer, then the parties' shares in the total."""
    asked = amount_asked(found.measure)
    unit, _ = unit_of_amount(asked.unit, money_unit(study))
    loss = "loss" if asked.sign > 0 else asked.title
    remark = f"What is asked of each party: its {found.measure}. Layers in which this study draws: {', '.join(found.layers)}."
    parts: list[RenderableType] = [heading(study, found, remark)]
    for party, one in found.burdens.items():
        tail = f"CVaR {100 * found.level:g} %"
        facts = f"mean {cell(one.mean, unit)}, sd {cell(one.sd, unit)}, {tail} ({loss}) {cell(one.cvar, unit)}"
        if not one.variance.total.value:
            parts.append(Text(f"\n{party_title(study, party)}: mean {cell(one.mean, unit)}. Nothing varies.", style="bold"))
            continue
        table = grid("layer", "variance, %", "alone, %", "nested, %", f"{tail} - mean {loss}", "of it, %", "sd if known")
        for layer in found.layers:
            of_variance = (percent_of_whole(shares[layer], one.variance.total) for shares in _views(one.variance))
            of_tail = one.tail.shapley[layer]
            row = (cell(of_tail, unit), percent_of_whole(of_tail, one.tail.total), cell(one.sd_if_known[layer], unit))
            table.add_row(layer, *of_variance, *row)
        parts.append(titled(f"{party_title(study, party)}: {facts}", table))
        if asked.unit == "money":
            parts.append(Text(_guarantee_in_words(one.guarantee, unit)))
    parts += cost_notes(study, found.burdens)
    if found.portions:
        table, money = grid("party", "share of the sd", "share of the CVaR"), unit_of_amount(asked.unit, money_unit(study))[1]
        for party, portion in found.portions.items():
            table.add_row(party.replace("_", " "), cell(portion.sd, unit), cell(portion.cvar, unit))
        written_in = f", in {money}" if money else ""
        parts.append(titled(f"All parties together: who brings how much of their common risk (Euler shares){written_in}", table))
    table = grid("layer", show_header=False)
    table.add_column("")
    for layer in found.layers:
        table.add_row(layer, BUYS_OFF[layer])
    parts.append(titled("What takes the risk of a layer away", table))
    return Group(*parts)


def _guarantee_in_words(guarantee: TailGuarantee, unit: float) -> str:
    beyond, premium = guarantee.beyond, cell(guarantee.fair_premium, unit)
    if beyond.value >= 0:
        return f"A guarantee against all loss beyond {cell(beyond, unit)} costs {premium} in fair premium."
    return f"A guarantee that it gains at least {cell(replace(beyond, value=-beyond.value), unit)} costs {premium} in fair premium."


def percent_of_whole(part: Statistic, whole: Statistic) -> str:
    """Write a part in per cent of a whole; the error is that of the part."""
    return "-" if whole.value == 0 else cell(Statistic(part.value, part.se), abs(whole.value) / 100)


def _views(shares: LayerShares) -> tuple[Mapping[Layer, Statistic], ...]:
    return shares.shapley, shares.alone, shares.nested
