"""Say what a portfolio comes to as plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simengine.config.portfolio import Holding
from simengine.currencies import units_of
from simengine.questions.portfolio.answer import TAIL_LEVEL_95, PortfolioRisk, carried, is_ruined
from simengine.questions.portfolio.fund import NEVER, Course
from simengine.report.document import plain, refused_content
from simengine.risk import statistics
from simengine.risk.measures import cvar, p_loss
from simengine.risk.statistics import Statistic
from simengine.risk.trust import Refused, TableSection, refusals, without

LEFT_OVER = {
    "revolving_fund": "what the fund is left with from all projects, had it begun them all",
    "outcomes_fund": "what the fund pays, with a minus sign",
    "investors_book": "what the lenders whose money is held are left with",
}
"""By kind of portfolio: what its result is."""


def portfolio_section(holding: Holding, found: PortfolioRisk) -> tuple[TableSection, Mapping[str, Refused]]:
    """Return every statistic of a portfolio that enough replications carry, and by path what is not given."""
    section = _every_statistic(holding, found)
    refused = dict(refusals(section, found.n_replications))
    if "spread.cvar95" in refused:
        # A ratio of two tails stands on no more replications than they do.
        refused["spread.cvar95_beyond_mean_over_sum"] = refused["spread.cvar95"]
    return without(section, refused), refused


def _every_statistic(holding: Holding, found: PortfolioRisk) -> TableSection:
    spread = found.spread
    section: dict[str, Statistic | TableSection] = {
        "total": statistics.summary(found.total),
        "p_loss": p_loss(found.total),
        "projects": {
            name: {
                **statistics.summary(result),
                "p_loss": p_loss(result),
                "cvar95": cvar(result, TAIL_LEVEL_95),
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


def _fund(holding: Holding, course: Course) -> TableSection:
    late = np.asarray(course.begun) - np.array([int(one.begins_month.value) for one in holding.portfolio.projects.values()])
    has_begun = course.begun != NEVER
    number, units = carried(course), units_of(holding.portfolio.portfolio.currency)
    return {
        "p_ruin": statistics.probability(is_ruined(course)),
        "projects_carried": statistics.summary(number),
        "p_carries_at_least": {f"{k}": statistics.probability(number >= k) for k in range(1, course.begun.shape[1] + 1)},
        "returned": statistics.summary(course.returned / units),
        "balance_at_end": statistics.summary(course.balance[:, -1] / units),
        "lowest_balance": statistics.summary(course.balance.min(axis=1) / units),
        "by_project": {
            name: {
                "p_begins": statistics.probability(has_begun[:, p]),
                "p_begins_late": statistics.probability(has_begun[:, p] & (late[:, p] > 0)),
            }
            for p, name in enumerate(holding.studies)
        },
    }


def portfolio_content(holding: Holding, found: PortfolioRisk) -> dict[str, Any]:
    """Return a portfolio as plain numbers."""
    heading, (section, refused) = holding.portfolio.portfolio, portfolio_section(holding, found)
    return {
        "title": heading.title,
        "currency": heading.currency,
        "kind": heading.kind,
        "capital": found.capital,
        "seed": found.seed,
        "replications": found.n_replications,
        **plain(section),
        "refused": refused_content(refused),
        "correlation": {name: dict(row) for name, row in found.spread.correlation.items()},
        "takes_for_granted": {name: item.text for name, item in heading.takes_for_granted.items()},
    }
