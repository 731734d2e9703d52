"""Say what a portfolio comes to: as plain numbers, in tables, in a picture."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from simengine.analysis import PortfolioRisk
from simengine.analysis.fund import NEVER, Course
from simengine.analysis.portfolio import LEVEL, carried, is_ruined
from simengine.config.portfolio import Holding
from simengine.currencies import units_of
from simengine.records import Floats
from simengine.report.document import plain
from simengine.report.layouts import grid, titled
from simengine.report.picture import new_figure, plain_style, save
from simengine.report.units import cell, unit_of_money
from simengine.risk import statistics
from simengine.risk.statistics import Statistic
from simengine.risk.trust import Section

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEFT = {
    "revolving_fund": "what the fund is left with from all projects, had it begun them all",
    "outcomes_fund": "what the fund pays, with a minus sign",
    "investors_book": "what the lenders whose money is held are left with",
}


def portfolio_section(holding: Holding, found: PortfolioRisk) -> Section:
    """Give every statistic of a portfolio."""
    spread = found.spread
    section: dict[str, Statistic | Section] = {
        "total": statistics.distribution(found.total),
        "p_loss": statistics.probability(found.total < 0),
        "projects": {
            name: {
                **statistics.distribution(result),
                "p_loss": statistics.probability(result < 0),
                "cvar95": statistics.conditional_value_at_risk(-result, LEVEL),
            }
            for name, result in found.results.items()
        },
        "spread": {
            "sd": spread.sd,
            "sd_over_sum_of_sds": spread.sd_over_parts,
            "sd_over_independent": spread.sd_over_independent,
            "var95": spread.var,
            "cvar95": spread.cvar,
            "cvar95_beyond_mean_over_sum": spread.cvar_over_parts,
        },
    }
    if holding.portfolio.portfolio.kind == "outcomes_fund":
        section["p_payments_exceed_capital"] = statistics.probability(-found.total > found.capital)
        section["shortfall"] = statistics.mean(np.maximum(-found.total - found.capital, 0.0))
    if found.course is not None:
        section["fund"] = _fund(holding, found.course)
    return section


def _fund(holding: Holding, course: Course) -> Section:
    late = np.asarray(course.begun) - np.array([int(one.begins_month.value) for one in holding.portfolio.projects.values()])
    has_begun = course.begun != NEVER
    number, units = carried(course), units_of(holding.portfolio.portfolio.currency)
    return {
        "p_ruin": statistics.probability(is_ruined(course)),
        "projects_carried": statistics.distribution(number),
        "p_carries_at_least": {f"{k}": statistics.probability(number >= k) for k in range(1, course.begun.shape[1] + 1)},
        "returned": statistics.distribution(course.returned / units),
        "balance_at_end": statistics.distribution(course.balance[:, -1] / units),
        "lowest_balance": statistics.distribution(course.balance.min(axis=1) / units),
        "by_project": {
            name: {
                "p_begins": statistics.probability(has_begun[:, p]),
                "p_begins_late": statistics.probability(has_begun[:, p] & (late[:, p] > 0)),
            }
            for p, name in enumerate(holding.studies)
        },
    }


def portfolio_content(holding: Holding, found: PortfolioRisk) -> dict[str, Any]:
    """Give a portfolio as plain numbers."""
    heading = holding.portfolio.portfolio
    return {
        "title": heading.title,
        "currency": heading.currency,
        "kind": heading.kind,
        "capital": found.capital,
        "seed": found.seed,
        "replications": found.n_replications,
        **plain(portfolio_section(holding, found)),
        "correlation": {name: dict(row) for name, row in found.spread.correlation.items()},
        "takes_for_granted": {name: item.text for name, item in heading.takes_for_granted.items()},
    }


def portfolio_tables(holding: Holding, found: PortfolioRisk) -> RenderableType:
    """Lay out a portfolio: its projects, what holding them together does, and the course of a fund."""
    heading, section = holding.portfolio.portfolio, portfolio_section(holding, found)
    unit, money = unit_of_money(found.capital, heading.currency)
    text = (
        f"{heading.title}\n{found.n_replications:,} replications, seed {found.seed}. Money in {money}: "
        f"{_LEFT[heading.kind]}; ± is one Monte Carlo standard error."
    )
    parts = grid("", "mean", "sd", "p05", "p50", "p95")
    rows: Mapping[str, Any] = {**_of(section, "projects"), "together": section["total"]}
    for name, row in rows.items():
        parts.add_row(name, *(cell(row[key], unit) for key in ("mean", "sd", "p05", "p50", "p95")))
    spread = grid("", "", show_header=False)
    of_spread = _of(section, "spread")
    if heading.kind != "outcomes_fund":
        spread.add_row("P(loss of all together)", cell(_statistic(section, "p_loss"), 1.0))
    spread.add_row("VaR 95 % of all together (loss)", cell(of_spread["var95"], unit))
    spread.add_row("CVaR 95 % of all together (loss)", cell(of_spread["cvar95"], unit))
    spread.add_row("sd together / sum of the sds", cell(of_spread["sd_over_sum_of_sds"], 1.0))
    spread.add_row("sd together / sd if independent", cell(of_spread["sd_over_independent"], 1.0))
    spread.add_row("CVaR beyond the mean together / sum", cell(of_spread["cvar95_beyond_mean_over_sum"], 1.0))
    for name, label, scale in (
        ("p_payments_exceed_capital", "P(payments exceed the capital)", 1.0),
        ("shortfall", "mean shortfall", unit),
    ):
        if name in section:
            spread.add_row(label, cell(_statistic(section, name), scale))
    shown: list[RenderableType] = [Text(text, style="bold"), parts, titled("Held together", spread)]
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


def _of(section: Section, name: str) -> Mapping[str, Any]:
    part = section[name]
    assert not isinstance(part, Statistic)
    return part


def _statistic(section: Section, name: str) -> Statistic:
    part = section[name]
    assert isinstance(part, Statistic)
    return part


def draw_portfolio(holding: Holding, found: PortfolioRisk) -> bytes:
    """Draw the sum of all projects; and the fund's balance by year, or the sum against parts that know nothing of each other."""
    heading = holding.portfolio.portfolio
    unit, money = unit_of_money(found.capital, heading.currency)
    with plain_style():
        figure = new_figure(figsize=(12, 4.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        _sum_panel(left, found, unit)
        left.set_xlabel(shorten(f"{_LEFT[heading.kind]}, {money}", 80, placeholder="…"))
        if found.course is not None:
            _balance_panel(right, found.course, unit * units_of(heading.currency))
            right.set_ylabel(f"balance, {money}")
            right.set_title(f"P(ruin) {100 * is_ruined(found.course).mean():.1f} %", fontsize=10)
        else:
            _risk_panel(right, found, unit)
            right.set_xlabel(f"CVaR 95 % beyond the mean, {money}")
        title = f"{shorten(heading.title, 100, placeholder='…')} ({found.n_replications:,} replications)"
        figure.suptitle(title, fontsize=11)
        return save(figure, "png")


def _sum_panel(axes: Axes, found: PortfolioRisk, unit: float) -> None:
    total = found.total / unit
    low, high = np.quantile(total, [0.005, 0.995])
    edges = [float(edge) for edge in np.linspace(low, high, 51)]
    axes.hist(total, bins=edges, weights=np.full(len(total), 100 / len(total)), color="0.7")
    axes.axvline(0.0, color="0.0", linewidth=1)
    axes.set_ylabel("share of replications, %")
    axes.set_title(f"P(loss) {100 * (total < 0).mean():.1f} %", fontsize=10)


def _balance_panel(axes: Axes, course: Course, unit: float) -> None:
    balance = course.balance / unit
    years = np.arange(balance.shape[1]) / 12
    low, middle, high = np.quantile(balance, [0.05, 0.5, 0.95], axis=0, method="inverted_cdf")
    axes.fill_between(years, low, high, color="0.8", linewidth=0, label="5 to 95 %")
    axes.plot(years, middle, color="0.1", label="median")
    axes.set_xlabel("years")
    axes.legend(fontsize=8, frameon=False)


def _risk_panel(axes: Axes, found: PortfolioRisk, unit: float) -> None:
    tails = {name: _tail(result) / unit for name, result in found.results.items()}
    tails |= {"sum of the parts": sum(tails.values()), "together": _tail(found.total) / unit}
    axes.barh(list(tails), list(tails.values()), color=["0.75"] * len(found.results) + ["0.5", "0.15"])
    axes.invert_yaxis()
    axes.set_title("what holding them together takes away", fontsize=10)


def _tail(result: Floats) -> float:
    return statistics.conditional_value_at_risk(result.mean() - result, LEVEL).value
