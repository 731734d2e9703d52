"""Lay out what a portfolio comes to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from simengine.config.portfolio import Holding
from simengine.questions.portfolio.answer import PortfolioRisk
from simengine.questions.portfolio.content import LEFT_OVER, portfolio_section
from simengine.report.layouts import grid, titled
from simengine.report.units import cell, unit_of_money
from simengine.risk.statistics import Statistic
from simengine.risk.trust import LEAST_TAIL_POINTS, TableSection

if TYPE_CHECKING:
    pass


def portfolio_tables(holding: Holding, found: PortfolioRisk) -> RenderableType:
    """Lay out a portfolio: its projects, what holding them together does, and the course of a fund."""
    heading, (section, refused) = holding.portfolio.portfolio, portfolio_section(holding, found)
    unit, money = unit_of_money(found.capital, heading.currency)
    text = (
        f"{heading.title}\n{found.n_replications:,} replications, seed {found.seed}. Money in {money}: "
        f"{LEFT_OVER[heading.kind]}; ± is one Monte Carlo standard error."
    )
    parts = grid("", "mean", "sd", "p05", "p50", "p95")
    rows: Mapping[str, Any] = {**_of(section, "projects"), "together": section["total"]}
    for name, row in rows.items():
        parts.add_row(name, *(cell(row.get(key), unit) for key in ("mean", "sd", "p05", "p50", "p95")))
    spread = grid("", "", show_header=False)
    of_spread = _of(section, "spread")
    if heading.kind != "outcomes_fund":
        spread.add_row("P(loss of all together)", cell(_statistic(section, "p_loss"), 1.0))
    spread.add_row("VaR 95 % of all together (loss)", cell(of_spread.get("var95"), unit))
    spread.add_row("CVaR 95 % of all together (loss)", cell(of_spread.get("cvar95"), unit))
    spread.add_row("sd together / sum of the sds", cell(of_spread["sd_over_sum_of_sds"], 1.0))
    spread.add_row("sd together / sd if independent", cell(of_spread["sd_over_independent"], 1.0))
    spread.add_row("CVaR beyond the mean together / sum", cell(of_spread.get("cvar95_beyond_mean_over_sum"), 1.0))
    for name, label, scale in (
        ("p_payments_exceed_capital", "P(payments exceed the capital)", 1.0),
        ("shortfall", "mean shortfall", unit),
    ):
        if name in section:
            spread.add_row(label, cell(_statistic(section, name), scale))
    shown: list[RenderableType] = [Text(text, style="bold"), parts, titled("Held together", spread)]
    needed = max((one.n_replications or 0 for one in refused.values()), default=0)
    if needed:
        shown.append(Text(f"p05, p95, VaR and CVaR need {LEAST_TAIL_POINTS} replications in the tail: use -n {needed} or more."))
    return Group(*shown, *(_fund_tables(_of(section, "fund"), unit) if "fund" in section else ()))


def _fund_tables(fund: Mapping[str, Any], unit: float) -> list[RenderableType]:
    facts = grid("", "", show_header=False)
    facts.add_row("P(ruin: some project never gets its money)", cell(fund["p_ruin"], 1.0))
    facts.add_row("projects carried, mean", cell(fund["projects_carried"]["mean"], 1.0))
    for name in ("returned", "balance_at_end", "lowest_balance"):
        facts.add_row(f"{name.replace('_', ' ')}, mean", cell(fund[name]["mean"], unit))
    begins = grid("", "P(begins)", "P(begins late)")
    for name, row in fund["by_project"].items():
        begins.add_row(name, cell(row["p_begins"], 1.0), cell(row["p_begins_late"], 1.0))
    return [titled("The fund", facts), begins]


def _of(section: TableSection, name: str) -> Mapping[str, Any]:
    part = section[name]
    assert not isinstance(part, Statistic)
    return part


def _statistic(section: TableSection, name: str) -> Statistic:
    part = section[name]
    assert isinstance(part, Statistic)
    return part
