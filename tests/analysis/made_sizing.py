"""Sizing problems with known answers: textbook settlements, and a study whose loss is binomial."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simengine.config.sizing import Free, RecommendRule
from simengine.questions.size.answer import SizingResult, find_deal
from simengine.questions.size.search import Settlement, Table, TermSearch
from simengine.replications.ensemble import Ensemble
from simengine.risk.limits import read_limit, read_measure

N = 4000


def normal_draws(n: int = N) -> np.ndarray:
    """Return draws whose first two sample moments are exactly 0 and 1, so that closed forms hold to rounding."""
    z = np.random.default_rng(7).normal(size=n)
    return (z - z.mean()) / z.std()


def solved(
    settle: Settlement,
    free: Mapping[str, tuple[float, float]],
    objectives: tuple[str, ...] = (),
    limits: tuple[str, ...] = (),
    rule: RecommendRule = "total",
    points: int = 49,
) -> SizingResult:
    table = Table(
        {path: Free(low=low, high=high) for path, (low, high) in free.items()},
        tuple(map(read_measure, objectives)),
        tuple(map(read_limit, limits)),
        rule,
        (0.0,) * len(objectives),
    )
    return find_deal(TermSearch(table, settle, points), lambda: settle, None, Ensemble(0, N))


def share_risk(terms: Mapping[str, float]) -> dict[str, dict[str, np.ndarray]]:
    """Share a normal risk among three parties: two shares are free, the third bears the rest."""
    risk = 10.0 + 5.0 * normal_draws()
    one, two = terms["one"], terms["two"]
    shares = {"a": one, "b": two, "c": 1 - one - two}
    return {name: {f"{name}.npv": share * risk, f"{name}.net": share * risk} for name, share in shares.items()}


def pay_agent(terms: Mapping[str, float]) -> dict[str, dict[str, np.ndarray]]:
    """Pay an agent a share of an outcome that his effort raises: he chooses e = beta b / c, with b = c = 1 and noise sd^2 = .5."""
    effort = terms["beta"]
    outcome = effort + np.sqrt(0.5) * normal_draws()
    agent = terms["beta"] * outcome - 0.5 * effort**2
    return {"agent": {"agent.npv": agent}, "principal": {"principal.npv": (1 - terms["beta"]) * outcome}}


BINOMIAL = """
study: {title: Forty per cent of sixty, currency: EUR, start: 2030-01, horizon_months: 24}
parties:
  investor: {name: Fund, discount_rate_per_year: 0.0}
  outcome_payer: {name: Region, discount_rate_per_year: 0.0}
  service_provider: {name: School, discount_rate_per_year: 0.0}
population:
  waves: {all: {size: 60, enrolment_months: 1}}
  strata: {everybody: {share: 1}}
pathway: {states: [here], start: {everybody: {here: 1}}, moves: {}}
effect:
  better: {outcome: passed, odds_ratio: 1}
outcomes:
  passed: {kind: binary, at_month: 12, probability: {here: 0.4}}
  time: {kind: amount, per_day: {here: 0}}
measurement:
  design: rate_card
  rate_card: {deadweight: 0}
  metrics:
    passes: {outcome: passed, window_months: 12, estimate: total_difference, better: higher}
contract:
  title: A hundred for each who passes, and a guarantee
  currency: EUR
  commitment: 3000
  metrics: {passes: {meaning: people who passed, unit: persons}}
  terms:
    guarantee: {share: 0.1, of: drawn, contingent: false}
    prize: {share: 100, of: passes}
capital: {drawn_share: 1, drawdown_months: 1, payment_month: {guarantee: 13, prize: 20}}
public_value: {time: {outcome_payer: {}}}
run: {replications: 1000}
"""
"""The investor loses where 100 X + 3000 g < 3000, X being binomial with 60 trials and probability .4."""
