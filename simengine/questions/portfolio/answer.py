"""Several studies in one portfolio: shared numbers, the risk of the total, and the course of a fund.

Every project has its own seed, derived from the portfolio's seed and the project's name, so that adding a project changes no draw
of the others. What projects share is one normal score per replication and name, of which each shared number takes its part: z =
sqrt(r) f + sqrt(1 - r) e has the correlation r with any other number of the same name, and its own distribution.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simengine.config import Study
from simengine.config.portfolio import Holding, Portfolio, holder_of, portfolio_problems, split_number
from simengine.currencies import units_of
from simengine.errors import Problem, StudyError, UsageError
from simengine.late import special
from simengine.pipeline import DrawOverrides, as_contract_asks, move_money, own_uniforms, simulate
from simengine.questions.portfolio.fund import NEVER, Course, Flows, FundRule, run_fund
from simengine.records import Floats, Integers, Ledger
from simengine.replications.answer import Answer
from simengine.replications.ensemble import Ensemble
from simengine.risk import statistics
from simengine.risk.amounts import Columns
from simengine.risk.coverage import is_constant
from simengine.risk.measures import cvar, var
from simengine.risk.parties import parts_of
from simengine.risk.statistics import Statistic
from simengine.rounding import nearest_units
from simengine.streams import seed_of, uniforms

TAIL_LEVEL_95 = 0.95
_EDGE = 2.0**-53


@dataclass(frozen=True)
class Spread:
    """The risk of a sum against the risks of its parts. Losses are positive."""

    sd: Statistic
    sd_over_parts: Statistic
    """Relative to the sum of the parts' standard deviations: 1 without diversification."""
    sd_over_independent: Statistic
    """Relative to the standard deviation of independent parts: above 1 if they are positively correlated."""
    var: Statistic
    cvar: Statistic
    cvar_over_parts: Statistic
    """CVaR of the sum over the sum of CVaRs, each of the loss beyond its mean."""
    correlation: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, repr=False)
class PortfolioRisk(Answer):
    """Results of a portfolio."""

    results: Mapping[str, Floats]
    """By project: the holder's net, in the currency (for an outcomes fund: minus its payments)."""
    total: Floats
    spread: Spread
    course: Course | None
    """Of a revolving fund."""
    capital: float


def hold(holding: Holding, ensemble: Ensemble) -> PortfolioRisk:
    """Draw every project of a portfolio, and compute the total.

    Raises
    ------
    UsageError
        If all projects have the same result in every replication, so that there is no risk.
    StudyError
        If portfolio and studies do not fit together.
    """
    portfolio = holding.portfolio
    problems = [Problem("the portfolio", *finding) for finding in portfolio_problems(holding)]
    if problems:
        raise StudyError(problems)
    parts = {name: _project(holding, name, ensemble) for name in holding.studies}
    results = {name: part["result"] for name, part in parts.items()}
    total = np.asarray(sum(results.values()))
    if is_constant(total):
        raise UsageError(
            "projects: must be a portfolio in which something is uncertain; found the same result in every replication"
        )
    course = None
    if portfolio.portfolio.kind == "revolving_fund":
        flows = [Flows(*(_months(part, side) for side in ("out", "back"))) for part in parts.values()]
        units = units_of(portfolio.portfolio.currency)
        course = run_fund(int(nearest_units(np.asarray(portfolio.portfolio.capital.value * units))), flows, rule_of(portfolio))
    capital = portfolio.portfolio.capital.value
    return PortfolioRisk(
        results, total, spread_of(results), course, capital, n_replications=ensemble.n_replications, seed=ensemble.seed
    )


def rule_of(portfolio: Portfolio) -> FundRule:
    """Return the rule of a revolving fund."""
    inflow = portfolio.inflow
    return FundRule(
        tuple(int(project.begins_month.value) for project in portfolio.projects.values()),
        int(portfolio.portfolio.months.value),
        inflow.share.value,
        int(inflow.delay_months.value),
        int(inflow.begun_before_month.value),
    )


def shared_uniforms(portfolio: Portfolio, project: str, seed: int, replications: Integers) -> dict[str, Floats]:
    """Return the uniforms of a project's shared numbers, by path: each still uniform, and correlated with its companions."""
    moved = {}
    for name, shared in portfolio.shared.items():
        factor = special.ndtri(uniforms(seed, f"portfolio/{name}", replications))
        for text in shared.numbers:
            owner, path, sign = split_number(text)
            if owner == project:
                own = special.ndtri(own_uniforms(seed_of(seed, project), path, replications))
                score = sign * np.sqrt(shared.correlation) * factor + np.sqrt(1 - shared.correlation) * own
                moved[path] = np.clip(special.ndtr(score), _EDGE, 1 - _EDGE)
    return moved


def _project(holding: Holding, name: str, ensemble: Ensemble) -> Columns:
    study, kind = holding.studies[name], holding.portfolio.portfolio.kind
    holder = holder_of(holding, name)

    def columns(replications: Integers) -> Columns:
        shared = shared_uniforms(holding.portfolio, name, ensemble.seed, replications)
        ledger = _ledger(study, seed_of(ensemble.seed, name), replications, shared)
        mine = {account for part in parts_of(holder, ledger.accounts) for account in part.accounts}
        own = {"result": ledger.cash_in(mine).sum(axis=1) / ledger.units}
        if kind != "revolving_fund":
            return own
        out, back = _in_and_out(ledger, mine)
        return own | {
            f"{side}.{month}": flow[:, month] for side, flow in (("out", out), ("back", back)) for month in range(flow.shape[1])
        }

    (found,) = ensemble.ask(lambda replications: [columns(replications)])
    return found


def _ledger(study: Study, seed: int, replications: Integers, shared: Mapping[str, Floats]) -> Ledger:
    evidence = simulate(study, seed, replications, overrides=DrawOverrides(shared=shared))
    measurements = as_contract_asks(study.contract, evidence.tallies, evidence.measurements, evidence.draws)
    return move_money(study, evidence.draws, evidence.tallies, measurements)[1]


def _in_and_out(ledger: Ledger, mine: Collection[str]) -> tuple[Integers, Integers]:
    """Add up by month the payments between some accounts and others; a negative posting goes in the other direction."""
    out, back = np.zeros(ledger.journal.shape[:2], dtype=np.int64), np.zeros(ledger.journal.shape[:2], dtype=np.int64)
    for place, line in enumerate(ledger.lines):
        amount = ledger.journal[:, :, place]
        if (line.payer in mine) != (line.receiver in mine):
            paid = amount if line.payer in mine else -amount
            out += np.maximum(paid, 0)
            back += np.maximum(-paid, 0)
    return out, back


def _months(part: Columns, side: str) -> Integers:
    months = [column for name, column in part.items() if name.startswith(f"{side}.")]
    return np.stack([np.asarray(month, dtype=np.int64) for month in months], axis=1)


def spread_of(results: Mapping[str, Floats]) -> Spread:
    """Measure the diversification of the parts of a portfolio.

    Notes
    -----
    The standard errors of the ratios are those of the delta method. With I_x what each replication adds to a risk measure x (for
    a standard deviation s: s + ((x - mean)^2 - s^2) / (2 s); for CVaR: q + (x - q)^+ / (1 - level)), the error of A / B is that
    of the mean of (I_A - A / B I_B) / B.
    """
    losses = {name: -result for name, result in results.items()}
    total = np.asarray(sum(losses.values()))
    parts = list(losses.values())
    sd, sds = _sd_terms(total), [_sd_terms(part) for part in parts]
    independent = float(np.sqrt(sum(float(part.var(ddof=1)) for part in parts)))
    squares = np.asarray(sum((part - part.mean()) ** 2 for part in parts))
    tails = [_tail_terms(part - part.mean()) for part in parts]
    correlation = {a: {b: _correlation(losses[a], losses[b]) for b in losses} for a in losses}
    return Spread(
        statistics.sd(total),
        _ratio(sd, np.asarray(sum(sds))),
        _ratio(sd, independent + (squares - independent**2) / (2 * independent)),
        var(-total, TAIL_LEVEL_95),
        cvar(-total, TAIL_LEVEL_95),
        _ratio(_tail_terms(total - total.mean()), np.asarray(sum(tails))),
        correlation,
    )


def _correlation(one: Floats, other: Floats) -> float:
    """Return the correlation of two samples; 0 where one of them is the same in every replication."""
    if is_constant(one) or is_constant(other):
        return 0.0
    together = float(((one - one.mean()) * (other - other.mean())).mean())
    return together / float(one.std() * other.std())


def _sd_terms(sample: Floats) -> Floats:
    if is_constant(sample):
        return np.zeros_like(sample)
    spread = float(sample.std(ddof=1))
    return np.asarray(spread + ((sample - sample.mean()) ** 2 - spread**2) / (2 * spread))


def _tail_terms(sample: Floats) -> Floats:
    q = float(np.quantile(sample, TAIL_LEVEL_95, method="inverted_cdf"))
    return np.asarray(q + np.maximum(sample - q, 0.0) / (1 - TAIL_LEVEL_95))


def _ratio(above: Floats, below: Floats) -> Statistic:
    value = float(above.mean() / below.mean())
    return Statistic(value, float((above - value * below).std(ddof=1) / below.mean() / np.sqrt(len(above))))


def is_ruined(course: Course) -> NDArray[np.bool_]:
    """Return in which replications some project never received its money."""
    return np.asarray((course.begun == NEVER).any(axis=1))


def carried(course: Course) -> Floats:
    """Return how many projects began, per replication."""
    return np.asarray((course.begun != NEVER).sum(axis=1), dtype=np.float64)
