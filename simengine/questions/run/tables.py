"""Lay out a run: who lends, who pays, payment against saving, and what else there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isclose
from typing import TypeAlias

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simengine.config import Study
from simengine.config.roles import lenders_of, values_nothing
from simengine.questions.run.answer import Run
from simengine.questions.run.trust import diagnostics_table, goals_reached, repayment_table, run_warnings
from simengine.records import ALL_LENDERS, ALL_PAYERS
from simengine.report import steps
from simengine.report.document import assumptions
from simengine.report.layouts import UNDISCOUNTED, grid, measure_cell, measure_title, titled
from simengine.report.tables import public_value_table
from simengine.report.units import cell, metric_title, metric_unit, money_unit, rounded_cell
from simengine.risk.limits import read_measure
from simengine.risk.parties import names_of_role
from simengine.risk.statistics import Statistic
from simengine.risk.summarise import RiskTable

_MONEY = None
"""The scale of what is written in the unit of the study's money."""

Facts: TypeAlias = dict[str, tuple[str, float | None]]
"""By what a row or a column is called: the path of its statistic, and its scale."""

_MOST = 0.5
"""Share of the numbers of a study: where more are not classified, how many are assumed says nothing."""

_SPREAD = ("mean", "p05", "p95")

_ROWS = ("mean", "sd", "p05", "p25", "p50", "p75", "p95")


def risk_tables(study: Study, table: RiskTable, seed: int) -> RenderableType:
    """Lay out the risk table of a run: who lends, who pays, payment against saving, and what else there is."""
    unit, unit_name = money_unit(study)
    heading = Text(
        f"{study.study.title}\n{table.n_replications:,} replications, seed {seed}. "
        f"Money in {unit_name}; ± is one Monte Carlo standard error.",
        style="bold",
    )
    return Group(
        heading,
        *_lenders(study, table, unit),
        *_payers(study, table, unit),
        *_structure(study, table, unit),
        *_pockets(study, table),
        *_estimates(study, table, unit),
        *_counted(study, table, unit),
        _assumed(study),
        run_warnings(table),
    )


def _lenders(study: Study, table: RiskTable, unit: float) -> list[RenderableType]:
    """Lay out what each lender gets, then all together where there are several."""
    lenders = study.capital.lenders
    if not lenders_of(study):
        return [Text("\nNobody lends: the money is given, or comes in for outcomes.", style="bold")]
    names = names_of_role(ALL_LENDERS, lenders)
    shown: list[RenderableType] = []
    for name in names:
        facts: Facts = {_loss_of_lender(table, name): ("p_loss", 1.0)}
        facts |= {_beyond(study): ("p_no_payment_beyond_guarantee", 1.0)} if name == names[-1] else {}
        title = role_title("Investor", study, name, lenders)
        shown += [_distributions(title, table, name, unit, _LENDER), _facts(table, unit, _within(name, facts | _LENDER_FACTS))]
        shown += [Text(UNDISCOUNTED, style="italic")] if name == names[0] else []
    titles = {name: role_title("", study, name, lenders) for name in names}
    return [*shown, repayment_table(table, titles)]


def _loss_of_lender(table: RiskTable, name: str) -> str:
    """Name the loss of a lender: what it gets back is less than it lent, unless other money counts as well."""
    back, paid_in, net = (table[f"{name}.{amount}.mean"].value for amount in ("money_back", "money_in", "net"))
    return "P(loss): gets back less than it lent" if isclose(net, back - paid_in, rel_tol=1e-6, abs_tol=1e-4) else "P(loss)"


def _beyond(study: Study) -> str:
    return "P(no payment beyond the guarantee)" if _has_guarantee(study) else "P(no payment)"


def _has_guarantee(study: Study) -> bool:
    """Whether a contract pays something whatever is measured."""
    return any(not term.contingent for term in study.contract.terms.values())


def _payers(study: Study, table: RiskTable, unit: float) -> list[RenderableType]:
    """Lay out what each payer pays and saves, then all together where there are several."""
    payers = study.capital.who_pays
    names = names_of_role(ALL_PAYERS, payers)
    unvalued = {*values_nothing(study), *([ALL_PAYERS] if set(values_nothing(study)) == set(payers) else [])}
    shown: list[RenderableType] = []
    for name in names:
        title = role_title("Outcome payer", study, name, payers)
        unpaid = {what: (path, scale) for what, (path, scale) in _UNPAID.items() if table.get(f"{name}.{path}")}
        if name in unvalued:
            facts: Facts = {"Expected payment": ("payment.mean", _MONEY), **unpaid}
            shown += [_distributions(title, table, name, unit, {"payment": ("payment", _MONEY)})]
            shown += [_facts(table, unit, _within(name, facts)), Text(_nothing_valued(study, name, payers), style="italic")]
            continue
        has_other = table.get(f"{name}.other_cash.mean") is not None
        loss = "P(loss)" if has_other else "P(loss): pays more than it saves"
        facts = {"Expected payment": ("payment.mean", _MONEY), "Expected true saving": ("true_saving.mean", _MONEY)}
        facts = _within(name, {**facts, loss: ("p_loss", 1.0), **unpaid})
        facts |= _against_saving(study) if name == names[-1] else {}
        facts |= _within(name, _TAIL_FACTS)
        shown += [_distributions(title, table, name, unit, _payer_columns(study, has_other=has_other)), _facts(table, unit, facts)]
        shown += [Text(_ALL_PAYERS, style="italic")] if name == ALL_PAYERS else []
        shown += [Text(UNDISCOUNTED, style="italic")] if name == names[0] and not lenders_of(study) else []
    return shown


def _nothing_valued(study: Study, name: str, payers: Sequence[str]) -> str:
    who = " and ".join(study.parties[party].name for party in payers) if name == ALL_PAYERS else study.parties[name].name
    return f"No outcome is valued for {who} (`public_value`): its saving, net and P(loss) are not shown."


def _payer_columns(study: Study, *, has_other: bool) -> Facts:
    """Return the columns of a payer: net = true saving - payment + other cash."""
    horizon = f"true saving, whole study ({study.study.horizon_months.value:g} months)"
    other = {"other cash": ("other_cash", _MONEY)} if has_other else {}
    return {
        "payment": ("payment", _MONEY),
        horizon: ("true_saving", _MONEY),
        **other,
        "net": ("net", _MONEY),
        "NPV": ("npv", _MONEY),
    }


def _within(name: str, facts: Facts) -> Facts:
    """Put the name of a party before the paths of some facts."""
    return {what: (f"{name}.{path}", scale) for what, (path, scale) in facts.items()}


def role_title(role: str, study: Study, name: str, parties: Sequence[str]) -> str:
    """Name a party and its role, or all who are in one."""
    if name in study.parties:
        return f"{role}: {study.parties[name].name}" if role else study.parties[name].name
    together = name.replace("_", " ").capitalize()
    return f"{together}: {', '.join(study.parties[party].name for party in parties)}" if role else together


def _structure(study: Study, table: RiskTable, unit: float) -> list[RenderableType]:
    """Lay out the tranches and what else the money of a study consists of, where it is more than one loan."""
    layouts: list[RenderableType] = []
    for section, title, columns in _STRUCTURE:
        if section == "tranches" and not lenders_of(study):
            continue
        parts = table.sections.get(section)
        told = (
            [part for part in parts if any(table.get(f"{section}.{part}.{path}") for path, _ in columns.values())]
            if isinstance(parts, Mapping)
            else []
        )
        if not told:
            continue
        layout = Table(pad_edge=False, box=box.SIMPLE_HEAD, collapse_padding=True)
        layout.add_column("", no_wrap=True)
        for name in columns:
            layout.add_column(name, justify="right", overflow="fold")
        for part in told:
            cells = [cell(table.get(f"{section}.{part}.{path}"), scale or unit) for path, scale in columns.values()]
            layout.add_row(part, *cells)
        layouts += [Text(f"\n{title}", style="bold"), layout]
    return layouts


_STRUCTURE: tuple[tuple[str, str, Mapping[str, tuple[str, float | None]]], ...] = (
    (
        "tranches",
        "Tranches, the most senior first",
        {
            "paid in": ("paid_in.mean", _MONEY),
            "money back": ("money_back.mean", _MONEY),
            "P(loss)": ("p_loss", 1.0),
            "IRR %/yr p50": ("irr.p50", 0.01),
            "P(short)": ("ending.short", 1.0),
        },
    ),
    (
        "tranches",
        "Lines of credit",
        {"most outstanding, mean": ("peak_outstanding.mean", _MONEY), "P(exhausted)": ("p_exhausted", 1.0)},
    ),
    (
        "costs",
        "What the money pays for: means",
        {"paid": ("paid.mean", _MONEY), "P(unpaid)": ("p_unpaid", 1.0), "P(still deferred)": ("p_still_deferred", 1.0)},
    ),
    ("steps", "The waterfall", {"paid, mean": ("paid.mean", _MONEY), "P(pays)": ("p_pays", 1.0)}),
    ("grants", "Grants", {"paid, mean": ("paid.mean", _MONEY), "p05": ("paid.p05", _MONEY), "p95": ("paid.p95", _MONEY)}),
    (
        "guarantees",
        "Guarantees",
        {"paid, mean": ("paid.mean", _MONEY), "P(called)": ("p_called", 1.0), "P(not enough)": ("p_exhausted", 1.0)},
    ),
)


def _pockets(study: Study, table: RiskTable) -> list[RenderableType]:
    """Lay out who pays and who saves, where others save than the outcome payer: else its own table says it all."""
    gainers = {party for by_party in study.public_value.values() for party in by_party}
    if "public_value" not in table.sections:
        return []
    value_by_party = table.sections["public_value"]
    return (
        [public_value_table(study, value_by_party, money_unit(study)[0])]
        if gainers - {"outcome_payer"} and isinstance(value_by_party, Mapping)
        else []
    )


_LENDER = {
    "money back": ("money_back", _MONEY),
    "net": ("net", _MONEY),
    "NPV": ("npv", _MONEY),
    "MOIC": ("moic", 1.0),
    "IRR %/yr": ("irr", 0.01),
}

_ALL_PAYERS = "All payers: what they pay under the contract, and what the effect is worth to them; their other cash is left out."

_LENDER_FACTS: Facts = {
    "P(profit)": ("p_profit", 1.0),
    "IRR of mean cash, %/yr": ("irr_of_mean_cash", 0.01),
    "VaR 95 % (loss)": ("var95", _MONEY),
    "CVaR 95 % (loss)": ("cvar95", _MONEY),
    "Money in, mean": ("money_in.mean", _MONEY),
    "Peak funding, mean": ("peak_funding.mean", _MONEY),
    "P(never paid back)": ("payback_status.never", 1.0),
    "Months until paid back, median of those paid back": ("payback_months.p50", 1.0),
}

_UNPAID: Facts = {
    "P(pays less than it owes)": ("p_unpaid", 1.0),
    "Expected unpaid": ("unpaid.mean", _MONEY),
}


def _against_saving(study: Study) -> Facts:
    """Name how often payment and true saving contradict each other."""
    beyond = " beyond the guarantee" if _has_guarantee(study) else ""
    return {
        f"P(pays{beyond} without a true saving)": ("payment_against_saving.p_paid_beyond_guarantee_without_saving", 1.0),
        f"P(true saving, nothing{beyond or ' paid'})": ("payment_against_saving.p_saving_without_payment_beyond_guarantee", 1.0),
    }


_TAIL_FACTS: Facts = {
    "VaR 95 % (loss)": ("var95", _MONEY),
    "CVaR 95 % (loss)": ("cvar95", _MONEY),
}


def _counted(study: Study, table: RiskTable, unit: float) -> list[RenderableType]:
    """Lay out the outcomes that are counted person by person, and what is paid for them; nothing where none are."""
    if "outcomes" not in table.sections:
        return []
    layout = grid("", "number, mean", "p05", "p95", "paid, mean", "p05", "p95")
    for name in study.measurement.counted:
        numbers = [cell(table.get(f"outcomes.{name}.number.{what}"), 1.0) for what in _SPREAD]
        layout.add_row(name, *numbers, *(cell(table.get(f"outcomes.{name}.paid.{what}"), unit) for what in _SPREAD))
    return [titled("Outcomes counted person by person", layout)]


def _metric_columns(study: Study) -> Facts:
    columns: Facts = {}
    for name in study.measurement.measured:
        scale = metric_unit(study, name)[0]
        months = f"{study.measurement.measured[name].window_months.value:g} months"
        columns[metric_title(study, name, "estimate")] = (f"{name}.estimate", scale)
        columns[f"{name}: truth\nwithin {months}"] = (f"{name}.truth", scale)
    return columns


_LARGE_ERROR, _SURELY = 0.5, 3.0
"""Share of the truth, and standard errors, from which a mean error of the evaluator is told."""


def _estimates(study: Study, table: RiskTable, unit: float) -> list[RenderableType]:
    """Lay out what the evaluator concludes and what is true; and by how much it is mistaken on average, where that is much."""
    if not study.measurement.measured:
        return []
    title = "What the evaluator concludes, and what is true"
    shown: list[RenderableType] = [_distributions(title, table, "metrics", unit, _metric_columns(study))]
    for name in study.contract.inputs():
        error, truth = (table.get(f"metrics.{name}.{what}.mean") for what in ("error", "truth"))
        if error is None or truth is None or abs(error.value) <= max(_LARGE_ERROR * abs(truth.value), _SURELY * error.se):
            continue
        is_above = error.value > 0
        much = rounded_cell(Statistic(abs(error.value), error.se), metric_unit(study, name)[0])
        side = "above" if is_above else "below"
        what = "much of what is paid is no effect of the service" if is_above else "much of the effect is not paid for"
        said = f"The evaluator's estimate is on average {much} {side} the truth ({name}): {what}."
        shown.append(Text(f"{said} `simengine certificate` shows how much.", style="italic"))
    return shown


def _distributions(
    title: str, table: RiskTable, section: str, unit: float, columns: Mapping[str, tuple[str, float | None]]
) -> Table:
    layout = Table(
        title=f"\n{title}", title_justify="left", title_style="bold", pad_edge=False, box=box.SIMPLE_HEAD, collapse_padding=True
    )
    layout.add_column("", no_wrap=True)
    for name in columns:
        layout.add_column(name, justify="right", overflow="fold")
    for row in _ROWS:
        cells = [table.get(f"{section}.{path}.{row}") for path, _ in columns.values()]
        layout.add_row(
            row, *(cell(statistic, scale or unit) for statistic, (_, scale) in zip(cells, columns.values(), strict=True))
        )
    return layout


def _facts(table: RiskTable, unit: float, facts: Mapping[str, tuple[str, float | None]]) -> Table:
    layout = Table(show_header=False, pad_edge=False, box=None)
    layout.add_column("")
    layout.add_column("", justify="right")
    for name, (path, scale) in facts.items():
        layout.add_row(name, cell(table.get(path), scale or unit))
    return layout


def _measures(study: Study, table: RiskTable) -> RenderableType:
    """Lay out the measures that were asked for."""
    layout, (unit, _) = grid("measure", "", ""), money_unit(study)
    for text, statistic in table.asked.items():
        measure = read_measure(text)
        layout.add_row(measure.party.replace("_", " "), measure_title(measure), measure_cell(measure, statistic, unit))
    return titled("What was asked for beside these", layout)


def _assumed(study: Study) -> Text:
    ledger = assumptions(study)
    assumed = sum(entry["is_assumed"] for entry in ledger)
    unmarked = sum(entry["certainty"] is None for entry in ledger)
    if unmarked > _MOST * len(ledger):
        marked = {0: "None is marked as an assumption", 1: "1 is marked as an assumption"}
        text = f"{unmarked} of {len(ledger)} numbers behind this table are not classified: the study does not say whether they are "
        text += f"facts or assumptions. {marked.get(assumed, f'{assumed} are marked as assumptions')}."
        return Text(f"{text} `simengine check` lists them.", style="italic")
    text = f"{assumed} of {len(ledger)} entries behind this table are assumptions, not published facts"
    text += f"; {unmarked} are not classified" if unmarked else ""
    return Text(f"{text}: `simengine check` lists them.", style="italic")


def run_tables(study: Study, found: Run) -> RenderableType:
    """Lay out the risk table of a run, and what else of it was asked for."""
    shown: list[RenderableType] = [risk_tables(study, found.table, found.seed)]
    if found.outside is not None:
        shown += [
            Text("\nThe outside view", style="bold"),
            *map(Text, filter(None, (found.outside.sentence, found.outside.counted_twice))),
        ]
    if found.shows_diagnostics:
        shown += [diagnostics_table(study, found.table), steps.steps_sentence(steps.steps_content(study))]
    if found.table.asked:
        shown.append(_measures(study, found.table))
    if found.precise:
        shown.append(goals_reached(found.precise))
    return Group(*shown)
