"""Draw what holding several studies together does."""

from __future__ import annotations

from textwrap import shorten
from typing import TYPE_CHECKING

import numpy as np

from simengine.config.portfolio import Holding
from simengine.currencies import units_of
from simengine.questions.portfolio.answer import TAIL_LEVEL_95, PortfolioRisk, is_ruined
from simengine.questions.portfolio.content import LEFT_OVER
from simengine.questions.portfolio.fund import Course
from simengine.records import Floats
from simengine.report.picture import in_lines, new_figure, plain_style, save
from simengine.report.units import unit_of_money
from simengine.risk.measures import cvar
from simengine.risk.trust import LEAST_TAIL_POINTS, bar_levels

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_portfolio(holding: Holding, found: PortfolioRisk) -> bytes:
    """Draw the sum of all projects; and the fund's balance by year, or the sum against parts that know nothing of each other."""
    heading = holding.portfolio.portfolio
    unit, money = unit_of_money(found.capital, heading.currency)
    with plain_style():
        figure = new_figure(figsize=(12, 4.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        _sum_panel(left, found, unit)
        left.set_xlabel(in_lines(f"{LEFT_OVER[heading.kind]}, {money}", 60))
        if found.course is not None:
            _balance_panel(right, found.course, unit * units_of(heading.currency))
            right.set_ylabel(f"balance, {money}")
            right.set_title(f"P(ruin) {100 * is_ruined(found.course).mean():.1f} %", fontsize=10)
        elif found.n_replications * (1 - TAIL_LEVEL_95) < LEAST_TAIL_POINTS - 1e-9:
            right.text(0.5, 0.5, f"CVaR 95 % needs {LEAST_TAIL_POINTS} replications in the tail", ha="center", va="center")
            right.set_axis_off()
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
    first, last = bar_levels(len(balance))
    years = np.arange(balance.shape[1]) / 12
    low, middle, high = np.quantile(balance, [first, 0.5, last], axis=0, method="inverted_cdf")
    axes.fill_between(years, low, high, color="0.8", linewidth=0, label=f"{100 * first:.0f} to {100 * last:.0f} %")
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
    return cvar(result - result.mean(), TAIL_LEVEL_95).value
