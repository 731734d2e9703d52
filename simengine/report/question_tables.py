"""Lay out the answers to the questions that people ask of a deal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.text import Text

from simengine.analysis import Attribution, Comparison
from simengine.analysis.attribution import LayerShares
from simengine.analysis.money import Standing
from simengine.config import Study
from simengine.laws.sourced import Layer
from simengine.report.findings import money_unit
from simengine.report.layouts import heading, layout, titled
from simengine.report.tables import cell
from simengine.risk.statistics import Statistic

BUYS_OFF: Mapping[Layer, str] = {
    "knowledge": "information: a pilot, better data before signing",
    "world": "terms that follow the world: indexed prices, a volume floor, a shared shock",
    "luck": "more people, or several contracts together",
    "measurement": "a better evaluation: a larger or fairer comparison",
}
"""By layer: what takes its risk away."""


def comparison_tables(study: Study, found: Comparison) -> RenderableType:
    """Lay out contracts side by side: where each party stands under each, then who gains by going over."""
    titles = "\n".join(f"{name}: {title}" for name, title in found.titles.items())
    unit, _ = money_unit(study)
    parts: list[RenderableType] = [heading(study, found, titles)]
    for party in found.parties:
        table = layout("contract", *standing_columns(found.level))
        for name, standings in found.standings.items():
            table.add_row(name, *standing_cells(standings[party], unit))
        parts.append(titled(f"{named(study, party)}", table))
    own = next(iter(found.titles))
    for name, switches in found.switches.items():
        table = layout("party", "net", "NPV", "P(gains)", "P(loses)", "P(same)")
        for party, one in switches.items():
            shares = (cell(share, 1.0) for share in (one.gains, one.loses, one.same))
            table.add_row(party.replace("_", " "), cell(one.net, unit), cell(one.npv, unit), *shares)
        parts.append(titled(f"Going over from {own} to {name}, world by world", table))
    return Group(*parts)


def attribution_tables(study: Study, found: Attribution) -> RenderableType:
    """Lay out who carries what: for each party its variance and tail by layer, then the parties' shares in the whole."""
    unit, _ = money_unit(study)
    remark = f"What is asked of each party: its {found.measure}. Layers in which this study draws: {', '.join(found.layers)}."
    parts: list[RenderableType] = [heading(study, found, remark)]
    for party, one in found.burdens.items():
        tail = f"CVaR {100 * found.level:g} %"
        facts = f"mean {cell(one.mean, unit)}, sd {cell(one.sd, unit)}, {tail} (loss) {cell(one.cvar, unit)}"
        table = layout("layer", "variance, %", "alone, %", "nested, %", f"{tail} - mean loss", "of it, %", "sd if known")
        for layer in found.layers:
            of_variance = (percent(shares[layer], one.variance.total) for shares in _views(one.variance))
            of_tail = one.tail.shapley[layer]
            row = (cell(of_tail, unit), percent(of_tail, one.tail.total), cell(one.sd_if_known[layer], unit))
            table.add_row(layer, *of_variance, *row)
        parts.append(titled(f"{named(study, party)}: {facts}", table))
        beyond = cell(one.guarantee.beyond, unit)
        premium = cell(one.guarantee.fair_premium, unit)
        parts.append(Text(f"A guarantee against all loss beyond {beyond} costs {premium} in fair premium."))
    table = layout("party", "share of the sd", "share of the CVaR")
    for party, portion in found.portions.items():
        table.add_row(party.replace("_", " "), cell(portion.sd, unit), cell(portion.cvar, unit))
    parts.append(titled("All parties together: who brings how much of their common risk (Euler shares)", table))
    table = layout("layer", show_header=False)
    table.add_column("")
    for layer in found.layers:
        table.add_row(layer, BUYS_OFF[layer])
    parts.append(titled("What takes the risk of a layer away", table))
    return Group(*parts)


def named(study: Study, party: str) -> str:
    """Give a party's role and name."""
    one = getattr(study.parties, party, None)
    role = party.replace("_", " ")
    return role if one is None else f"{role} ({one.name})"


def standing_columns(level: float) -> tuple[str, ...]:
    """Give the titles of what is said of where a party stands."""
    return ("net", "NPV", "P(loss)", f"CVaR {100 * level:g} % (loss)")


def standing_cells(one: Standing, unit: float) -> tuple[str, ...]:
    """Write down where a party stands."""
    return (cell(one.net, unit), cell(one.npv, unit), cell(one.p_loss, 1.0), cell(one.cvar, unit))


def percent(part: Statistic, whole: Statistic) -> str:
    """Write a part in per cent of a whole; the error is that of the part."""
    return "-" if whole.value == 0 else cell(Statistic(part.value, part.se), abs(whole.value) / 100)


def _views(shares: LayerShares) -> tuple[Mapping[Layer, Statistic], ...]:
    return shares.shapley, shares.alone, shares.nested
