"""Summarise replications: the distribution of what each party gets, every number with its Monte Carlo standard error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from simengine.records import ARMS, LIMITS, CashMoments, Floats, Outturns
from simengine.risk import statistics
from simengine.risk.kernels import FOUND
from simengine.risk.pockets import pockets
from simengine.risk.returns import PAYBACK_STATUSES, STATUSES, rates_of_return
from simengine.risk.statistics import Statistic
from simengine.risk.summarise_structure import structure_sections

Section: TypeAlias = Mapping[str, "Statistic | Section"]
TAIL_LEVEL = 0.95


@dataclass(frozen=True)
class RiskTable:
    """Nested by party or topic, then quantity, then statistic."""

    n_replications: int
    sections: Section

    def get(self, path: str) -> Statistic | None:
        """Look a statistic up by its dotted path, such as `investor.money_back.mean`; nothing where there is none."""
        node: Statistic | Section | None = self.sections
        for name in path.split("."):
            node = node.get(name) if isinstance(node, Mapping) else None
        return node if isinstance(node, Statistic) else None

    def __getitem__(self, path: str) -> Statistic:
        """Look a statistic up that must be there."""
        statistic = self.get(path)
        if statistic is None:
            raise KeyError(path)
        return statistic


def summarise(outturns: Outturns) -> RiskTable:
    """Give every distribution of a run.

    Parameters
    ----------
    outturns
        One row per replication, at least two.

    Returns
    -------
    Sections `investor`, `outcome_payer`, `payment_against_saving`, `public_value`, `metrics`, `terms`, `people`,
    `person_months`, `diagnostics`.
    Money is in the currency of the study, rates are per year, VaR and CVaR are losses at the level 95 %.
    """
    sections: Section = {
        "investor": _investor(outturns),
        "outcome_payer": _outcome_payer(outturns),
        "payment_against_saving": _payment_against_saving(outturns),
        "public_value": pockets(outturns.columns),
        "metrics": _metrics(outturns),
        "terms": _terms(outturns),
        **structure_sections(outturns),
        "people": {"service_users": statistics.distribution(outturns["service_users"])},
        "person_months": _person_months(outturns),
        "diagnostics": {
            "worlds_with_clipped_probabilities": statistics.probability(outturns["clipped"] > 0),
        },
    }
    return RiskTable(len(outturns.replications), sections)


def _investor(outturns: Outturns) -> Section:
    back, drawn = outturns["investor.money_back"], outturns["drawn"]
    loss = -outturns["investor.net"]
    multiple, rate = outturns["investor.moic"], outturns["investor.irr"]
    section: dict[str, Statistic | Section] = {
        "drawn": statistics.distribution(drawn),
        "money_back": statistics.distribution(back),
        "net": statistics.distribution(outturns["investor.net"]),
        "npv": statistics.distribution(outturns["investor.npv"]),
        "p_loss": statistics.probability(loss > 0),
        "p_no_payment_beyond_guarantee": statistics.probability(outturns["contingent_payment"] <= 0),
        "p_profit": statistics.probability(loss < 0),
        "var95": statistics.value_at_risk(loss, TAIL_LEVEL),
        "cvar95": statistics.conditional_value_at_risk(loss, TAIL_LEVEL),
        "irr_status": {name: statistics.probability(outturns.is_word("investor.irr_status", name)) for name in STATUSES},
        "payback_status": {
            name: statistics.probability(outturns.is_word("investor.payback_status", name)) for name in PAYBACK_STATUSES
        },
    }
    if np.isfinite(multiple).sum() > 1:
        section["moic"] = statistics.distribution(multiple[np.isfinite(multiple)])
    if np.isfinite(rate).sum() > 1:
        # Quantiles alone: a mean of rates is not the rate of anything.
        section["irr"] = _quantiles(rate[np.isfinite(rate)])
    payback = outturns["investor.payback_months"]
    if np.isfinite(payback).sum() > 1:
        # Quantiles alone: a mean over the worlds that pay back says nothing of the others.
        section["payback_months"] = _quantiles(payback[np.isfinite(payback)])
    of_mean_cash = irr_of_mean_cash(outturns.investor_cash)
    if of_mean_cash is not None:
        section["irr_of_mean_cash"] = of_mean_cash
    return section


def _quantiles(sample: Floats) -> Section:
    return {f"p{round(100 * level):02d}": statistics.quantile(sample, level) for level in (0.05, 0.25, 0.50, 0.75, 0.95)}


def irr_of_mean_cash(cash: CashMoments) -> Statistic | None:
    """Give the rate of return of the mean cash by date; nothing where the mean cash has no single rate.

    Notes
    -----
    With w_t = v^t at the rate i found, and Sigma the covariance of the cash between dates, the delta method gives
    se(i) = sqrt(w' Sigma w / n) / |d(mean cash . w) / di|.
    """
    mean = (cash.total / cash.n_replications).astype(np.float64)
    rates = rates_of_return(mean[None, :])
    if rates.status[0] != FOUND:
        return None
    rate = rates.rate
    months = np.arange(len(mean))
    weight = (1 + rate[0]) ** (-months / 12)
    slope = float(mean @ (-months / 12 * weight / (1 + rate[0])))
    centre = (cash.rounded / cash.n_replications).astype(np.float64)
    variance = (
        float(weight @ (cash.products / cash.n_replications).astype(np.float64) @ weight - (weight @ centre) ** 2) * cash.unit**2
    )
    return Statistic(float(rate[0]), float(np.sqrt(max(variance, 0.0) / cash.n_replications) / abs(slope)))


def _outcome_payer(outturns: Outturns) -> Section:
    loss = -outturns["outcome_payer.net"]
    names = ("payment", "true_saving", "net", "npv")
    return {
        **{name: statistics.distribution(outturns[f"outcome_payer.{name}"]) for name in names},
        "p_loss": statistics.probability(loss > 0),
        "var95": statistics.value_at_risk(loss, TAIL_LEVEL),
        "cvar95": statistics.conditional_value_at_risk(loss, TAIL_LEVEL),
    }


def _payment_against_saving(outturns: Outturns) -> Section:
    payment, saving = outturns["outcome_payer.payment"], outturns["outcome_payer.true_saving"]
    beyond = outturns["contingent_payment"]
    return {
        "expected_payment": statistics.mean(payment),
        "expected_true_saving": statistics.mean(saving),
        "expected_difference": statistics.mean(saving - payment),
        "p_paid_beyond_guarantee_without_saving": statistics.probability((beyond > 0) & (saving <= 0)),
        "p_saving_without_payment_beyond_guarantee": statistics.probability((beyond <= 0) & (saving > 0)),
    }


def _metrics(outturns: Outturns) -> Section:
    section: dict[str, Section] = {}
    for name in _names(outturns, "metric."):
        estimate, truth = outturns[f"metric.{name}.estimate"], outturns[f"metric.{name}.truth"]
        section[name] = {
            "estimate": statistics.distribution(estimate),
            "truth": statistics.distribution(truth),
            "error": _mean_and_sd(estimate - truth),
            "evaluators_standard_error": _mean_and_sd(outturns[f"metric.{name}.standard_error"]),
            "p_estimate_positive": statistics.probability(estimate > 0),
            "p_truth_positive": statistics.probability(truth > 0),
        }
    return section


def _terms(outturns: Outturns) -> Section:
    return {
        name: {
            "amount": statistics.distribution(outturns[f"term.{name}.amount"]),
            "bound": {limit: statistics.probability(outturns.is_word(f"term.{name}.bound", limit)) for limit in LIMITS},
        }
        for name in _names(outturns, "term.")
    }


def _person_months(outturns: Outturns) -> Section:
    """By arm and state, over the longest window: for comparison with the exact recursion."""
    states = _names(outturns, f"person_months.{ARMS[0]}.")
    arms = [arm for arm in ARMS if f"person_months.{arm}.{states[0]}" in outturns.columns]
    return {arm: {state: _mean_and_sd(outturns[f"person_months.{arm}.{state}"]) for state in states} for arm in arms}


def _mean_and_sd(sample: Floats) -> Section:
    return {"mean": statistics.mean(sample), "sd": statistics.sd(sample)}


def _names(outturns: Outturns, prefix: str) -> list[str]:
    found = (column.removeprefix(prefix).split(".")[0] for column in outturns.columns if column.startswith(prefix))
    return list(dict.fromkeys(found))
