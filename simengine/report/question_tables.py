"""Lay out the answers to the questions that people ask of a deal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.text import Text

from simengine.config import Study
from simengine.laws.sourced import Layer
from simengine.questions.attribute.answer import Attribution, LayerShares
from simengine.questions.compare.answer import Comparison
from simengine.questions.reverse.answer import ReverseStress
from simengine.questions.sensitivity.answer import Sensitivity
from simengine.questions.stress.answer import StressTest
from simengine.report.layouts import folded, grid, heading, titled
from simengine.report.units import cell, money_unit
from simengine.risk.statistics import Statistic
from simengine.worlds.money import TAIL_WORLDS, Standing

BUYS_OFF: Mapping[Layer, str] = {
    "knowledge": "information: a pilot, better data before signing",
    "world": "terms that follow the world: indexed prices, a volume floor, a shared shock",
    "luck": "more people, or several contracts together",
    "measurement": "a better evaluation: a larger or fairer comparison",
}
"""By layer: what takes its risk away."""
_MOST_STEPS = 10


def comparison_tables(study: Study, found: Comparison) -> RenderableType:
    """Lay out contracts side by side: where each party stands under each, then who gains by going over."""
    titles = "\n".join(f"{name}: {title}" for name, title in found.titles.items())
    unit, _ = money_unit(study)
    parts: list[RenderableType] = [heading(study, found, titles), *_no_cvar(found.cvar_needs, found.level)]
    for party in found.parties:
        table = grid("contract", *standing_columns(found.level))
        for name, standings in found.standings.items():
            table.add_row(name, *standing_cells(standings[party], unit))
        parts.append(titled(f"{named(study, party)}", table))
    own = next(iter(found.titles))
    for name, switches in found.switches.items():
        table = grid("party", "net", "NPV", "P(gains)", "P(loses)", "P(same)")
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
        if not one.variance.total.value:
            parts.append(Text(f"\n{named(study, party)}: mean {cell(one.mean, unit)}. Nothing varies.", style="bold"))
            continue
        table = grid("layer", "variance, %", "alone, %", "nested, %", f"{tail} - mean loss", "of it, %", "sd if known")
        for layer in found.layers:
            of_variance = (percent(shares[layer], one.variance.total) for shares in _views(one.variance))
            of_tail = one.tail.shapley[layer]
            row = (cell(of_tail, unit), percent(of_tail, one.tail.total), cell(one.sd_if_known[layer], unit))
            table.add_row(layer, *of_variance, *row)
        parts.append(titled(f"{named(study, party)}: {facts}", table))
        beyond = cell(one.guarantee.beyond, unit)
        premium = cell(one.guarantee.fair_premium, unit)
        parts.append(Text(f"A guarantee against all loss beyond {beyond} costs {premium} in fair premium."))
    table = grid("party", "share of the sd", "share of the CVaR")
    for party, portion in found.portions.items():
        table.add_row(party.replace("_", " "), cell(portion.sd, unit), cell(portion.cvar, unit))
    parts.append(titled("All parties together: who brings how much of their common risk (Euler shares)", table))
    table = grid("layer", show_header=False)
    table.add_column("")
    for layer in found.layers:
        table.add_row(layer, BUYS_OFF[layer])
    parts.append(titled("What takes the risk of a layer away", table))
    return Group(*parts)


def named(study: Study, party: str) -> str:
    """Give a party's role and name."""
    one = study.parties.get(party)
    role = party.replace("_", " ")
    return role if one is None else f"{role} ({one.name})"


def standing_columns(level: float) -> tuple[str, ...]:
    """Give the titles of what is said of where a party stands."""
    return ("net", "NPV", "P(loss)", f"CVaR {100 * level:g} % (loss)")


def standing_cells(one: Standing, unit: float) -> tuple[str, ...]:
    """Write down where a party stands."""
    return (cell(one.net, unit), cell(one.npv, unit), cell(one.p_loss, 1.0), cell(one.cvar, unit))


def _no_cvar(needs: int | None, level: float) -> list[Text]:
    if needs is None:
        return []
    return [Text(f"No CVaR: it takes {TAIL_WORLDS} worlds in the worst {100 * (1 - level):g} %, which are in -n {needs:,}.")]


def percent(part: Statistic, whole: Statistic) -> str:
    """Write a part in per cent of a whole; the error is that of the part."""
    return "-" if whole.value == 0 else cell(Statistic(part.value, part.se), abs(whole.value) / 100)


def _views(shares: LayerShares) -> tuple[Mapping[Layer, Statistic], ...]:
    return shares.shapley, shares.alone, shares.nested


def stress_tables(study: Study, found: StressTest) -> RenderableType:
    """Lay out where each party stands under every stress, and how far that is from the study as it is."""
    unit, _ = money_unit(study)
    remark = "Every stress is lived by the same people with the same luck."
    parts: list[RenderableType] = [heading(study, found, remark), *_no_cvar(found.cvar_needs, found.level)]
    words = grid("stress", show_header=False)
    words.add_column("")
    for name, by_severity in found.stresses.items():
        words.add_row(name.replace("_", " "), "")
        for severity, one in by_severity.items():
            words.add_row(f"  {severity}", one.words)
    parts.append(titled("What each stress does", words))
    for party in found.parties:
        _, *columns = standing_columns(found.level)
        table = grid("stress", *columns, "NPV: change")
        table.add_row("as it is", *standing_cells(found.base[party], unit)[1:], "")
        for name, by_severity in found.stresses.items():
            table.add_row(name.replace("_", " "))
            for severity, one in by_severity.items():
                table.add_row(f"  {severity}", *standing_cells(one.standings[party], unit)[1:], cell(one.moved[party].npv, unit))
        parts.append(titled(named(study, party), table))
    if found.not_applicable:
        table = grid("stress", show_header=False)
        table.add_column("")
        for name, why in found.not_applicable.items():
            table.add_row(name.replace("_", " "), why)
        parts.append(titled("Not applicable to this study", table))
    return Group(*parts)


def reverse_tables(study: Study, found: ReverseStress) -> RenderableType:
    """Lay out the nearest combination of assumptions that breaks a deal, and the boxes in which it breaks."""
    remark = f"The deal breaks where {found.criterion}: in {cell(found.p_break, 1.0)} of all worlds."
    parts: list[RenderableType] = [heading(study, found, remark)]
    nearest = found.nearest
    if nearest is None:
        parts.append(Text("\nNo combination of assumptions within six standard deviations breaks it in half of its worlds."))
    elif not nearest.distance.value:
        parts.append(
            Text(f"\nWith every assumption at its median it breaks in {cell(nearest.p_break, 1.0)} of the worlds already.")
        )
    else:
        table = grid("assumption", "median", "breaks at", "sd away", "share, %")
        for step in nearest.steps[:_MOST_STEPS]:
            numbers = (f"{step.median:.3g}", f"{step.value:.3g}", f"{step.score:+.2f}", f"{100 * step.share:z.1f}")
            table.add_row(folded(step.path, 42), *numbers)
        left = len(nearest.steps) - _MOST_STEPS
        title = f"The nearest break: {cell(nearest.distance, 1.0)} standard deviations from the medians"
        title += f"; there {cell(nearest.p_break, 1.0)} break"
        parts.append(titled(title, table))
        told = f"{_further(left)} the rest of the distance. " if left > 0 else ""
        told += f"A draw of the assumptions lies this far in this direction with probability {nearest.p_beyond:.2g}, "
        told += (
            f"and this far in any direction with {nearest.plausibility:.2g} (chi-square, {found.n_assumptions} degrees of freedom)."
        )
        parts.append(Text(told))
    if found.boxes is not None and not found.boxes:
        told = "No box: no range of a few assumptions was found in which it breaks clearly more often than in all worlds."
        parts.append(Text(f"\n{told}"))
    for number, box in enumerate(found.boxes or (), start=1):
        table = grid("assumption", "from", "to")
        for path, limits in box.limits.items():
            table.add_row(folded(path), *("-" if end is None else f"{end:.4g}" for end in (limits.low, limits.high)))
        facts = f"coverage {cell(box.coverage, 1.0)}, density {cell(box.density, 1.0)}, mass {cell(box.mass, 1.0)}"
        parts.append(titled(f"Box {number} in which it breaks: {facts}", table))
    return Group(*parts)


def _further(count: int, one: str = "holds", several: str = "hold") -> str:
    """Begin a sentence about the assumptions that a table leaves out."""
    return f"1 further assumption {one}" if count == 1 else f"{count} further assumptions {several}"


def sensitivity_tables(study: Study, found: Sensitivity) -> RenderableType:
    """Lay out which assumptions matter to whom: a tornado and global indices for each party."""
    unit, _ = money_unit(study)
    remark = f"What is asked of each party: the mean of its {found.measure}. Indices: {found.n_points} points of Sobol's plan, "
    remark += f"{found.n_trajectories} trajectories of Morris, {found.n_luck} worlds at each point."
    parts: list[RenderableType] = [heading(study, found, remark)]
    for party, one in found.parties.items():
        if not any(swing.swing.value for swing in one.tornado.values()) and not any(i.st.value for i in one.indices.values()):
            parts.append(Text(f"\n{named(study, party)}: mean {cell(one.mean, unit)}. No assumption moves it.", style="bold"))
            continue
        table = grid("assumption", "5 % to 95 %", "mean there", "swing")
        for path, swing in list(one.tornado.items())[:_MOST_STEPS]:
            means = f"{swing.at_low.value / unit:.3g} to {swing.at_high.value / unit:.3g}"
            table.add_row(folded(path), f"{swing.low:.3g} to {swing.high:.3g}", means, cell(swing.swing, unit))
        parts.append(titled(f"{named(study, party)}: mean {cell(one.mean, unit)}. One assumption at a time", table))
        table = grid("assumption", "S1", "ST", "mu_star", "PAWN")
        for name, index in list(one.indices.items())[:_MOST_STEPS]:
            table.add_row(folded(name), cell(index.s1, 1.0), cell(index.st, 1.0), cell(index.mu_star, unit), cell(index.pawn, 1.0))
        left = f"{100 * one.luck_left:z.0f} % of the variance between points is luck of the panel, not assumptions"
        parts.append(titled(f"{named(study, party)}: all assumptions at once; {left}", table))
        hidden = len(one.tornado) - _MOST_STEPS
        if hidden > 0:
            parts.append(Text(f"{_further(hidden, 'matters', 'matter')} less; --json gives all of them."))
    return Group(*parts)
