"""Summarise replications: the distribution of what each party gets, every number with its Monte Carlo standard error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from simengine.records import ARMS, LIMITS, CashMoments, Floats, Outturns
from simengine.risk import statistics, trust
from simengine.risk.coverage import ROUNDING
from simengine.risk.draws import Draws, given
from simengine.risk.kernels import FOUND
from simengine.risk.pockets import pockets
from simengine.risk.returns import PAYBACK_STATUSES, STATUSES, rates_of_return
from simengine.risk.statistics import Statistic
from simengine.risk.summarise_structure import structure_sections
from simengine.risk.trust import Diagnostics, Exceedance, Refused, Section

TAIL_LEVEL = 0.95
REPAYMENT = ("no_repayment", "below_principal", "principal_only", "principal_and_return")
"""How much of the money drawn comes back: the scale of the INDIGO data set, without its fifth level, not public."""


@dataclass(frozen=True)
class RiskTable:
    """Nested by party or topic, then quantity, then statistic."""

    n_replications: int
    sections: Section
    refused: Mapping[str, Refused] = field(default_factory=dict)
    """By path: statistics that are not given."""
    exceedance: Mapping[str, Exceedance] = field(default_factory=dict)
    """By party: of its loss."""
    diagnostics: Diagnostics | None = None
    """Nothing where a table was put together from something else than a run."""

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
            raise KeyError(f"{path}: {self.refused[path].reason}" if path in self.refused else path)
        return statistic


def summarise(outturns: Outturns, control_variates: Floats | None = None) -> RiskTable:
    """Give every distribution of a run.

    Parameters
    ----------
    outturns
        One row per replication, at least two.
    control_variates
        Shape (n_rows, n_variates): numbers of each row whose expectation is 0, by which means are corrected.

    Returns
    -------
    Sections `investor`, `outcome_payer`, `payment_against_saving`, `public_value`, `metrics`, `terms`, `people`,
    `person_months`, `diagnostics`;
    the exceedance curves of all parties; what is refused; and signs of trouble. Money is in the currency of the study, rates
    are per year, VaR and CVaR are losses at the level 95 %.
    """
    draws = draws_of(outturns, control_variates)
    sections: Section = {
        "investor": _investor(outturns, draws),
        "outcome_payer": _outcome_payer(outturns, draws),
        "payment_against_saving": _payment_against_saving(outturns, draws),
        "public_value": pockets(outturns.columns, draws),
        "metrics": _metrics(outturns, draws),
        "terms": _terms(outturns, draws),
        **structure_sections(outturns, draws),
        "people": {"service_users": statistics.distribution(outturns["service_users"], draws)},
        "person_months": _person_months(outturns, draws),
        "diagnostics": {
            "worlds_with_clipped_probabilities": statistics.probability(outturns["clipped"] > 0, draws),
        },
    }
    n_replications = len(outturns.replications) if draws is None else draws.n_independent or draws.n_rows
    refused = trust.refusals(sections, n_replications)
    if draws is not None and outturns.investor_cash_by_row is None:
        refused["investor.irr_of_mean_cash"] = Refused("the run did not keep the cash by date (`with_variates` of `run_study`)")
    nets = {party: np.asarray(outturns[f"{party}.net"], dtype=np.float64) for party in parties_of(outturns)}
    return RiskTable(
        n_replications,
        trust.without(sections, refused),
        refused,
        {party: trust.exceedance_of(-net, draws) for party, net in nets.items()},
        Diagnostics(
            running_mean={party: trust.running_mean(net, draws) for party, net in nets.items()},
            split_half={party: trust.split_half(net, draws) for party, net in nets.items()},
            tail_points={path: int(statistic.tail_points or 0) for path, statistic in trust.tail_statistics(sections)},
            n_clipped=int(outturns["clipped"].sum()),
        ),
    )


def parties_of(outturns: Outturns) -> list[str]:
    """Give the parties whose whole money a run holds."""
    return [name.removesuffix(".net") for name in outturns.columns if name.endswith(".net") and name.count(".") == 1]


def draws_of(outturns: Outturns, control_variates: Floats | None = None) -> Draws | None:
    """Say how the rows of a run were drawn; nothing where they are independent worlds of equal weight."""
    weight, group = outturns.columns.get("weight"), outturns.columns.get("group")
    if weight is None and group is None and control_variates is None:
        return None
    n_worlds = len(np.unique(outturns.replications))
    return Draws(len(outturns.replications), weight, group, control_variates, n_worlds)


def _investor(outturns: Outturns, draws: Draws | None) -> Section:
    back, drawn = outturns["investor.money_back"], outturns["drawn"]
    loss = -outturns["investor.net"]
    multiple, rate = outturns["investor.moic"], outturns["investor.irr"]
    section: dict[str, Statistic | Section] = {
        "drawn": statistics.distribution(drawn, draws),
        "money_back": statistics.distribution(back, draws),
        "net": statistics.distribution(outturns["investor.net"], draws),
        "npv": statistics.distribution(outturns["investor.npv"], draws),
        "p_loss": statistics.probability(loss > 0, draws),
        "p_no_payment_beyond_guarantee": statistics.probability(outturns["contingent_payment"] <= 0, draws),
        "p_profit": statistics.probability(loss < 0, draws),
        "var95": statistics.value_at_risk(loss, TAIL_LEVEL, draws),
        "cvar95": statistics.conditional_value_at_risk(loss, TAIL_LEVEL, draws),
        "irr_status": {name: statistics.probability(outturns.is_word("investor.irr_status", name), draws) for name in STATUSES},
        "payback_status": {
            name: statistics.probability(outturns.is_word("investor.payback_status", name), draws) for name in PAYBACK_STATUSES
        },
    }
    was_drawn = np.isfinite(multiple)
    if was_drawn.sum() > 1:
        among = given(draws, was_drawn)
        section["repayment"] = _repayment(back[was_drawn], loss[was_drawn], among)
        section["moic"] = statistics.distribution(multiple[was_drawn], among)
    has_rate = np.isfinite(rate)
    if has_rate.sum() > 1:
        # Quantiles alone: a mean of rates is not the rate of anything.
        section["irr"] = statistics.quantiles(rate[has_rate], given(draws, has_rate))
    pays_back = np.isfinite(outturns["investor.payback_months"])
    if pays_back.sum() > 1:
        # Quantiles alone: a mean over the worlds that pay back says nothing of the others.
        section["payback_months"] = statistics.quantiles(outturns["investor.payback_months"][pays_back], given(draws, pays_back))
    of_mean_cash = irr_of_mean_cash(outturns.investor_cash) if draws is None else irr_of_drawn_cash(outturns, draws)
    if of_mean_cash is not None:
        section["irr_of_mean_cash"] = of_mean_cash
    return section


def _repayment(back: Floats, loss: Floats, draws: Draws | None) -> Section:
    """Place every replication on the scale of repayment."""
    has_nothing = back <= 0
    cases = (has_nothing & (loss > 0), ~has_nothing & (loss > 0), loss == 0, loss < 0)
    return {name: statistics.probability(case, draws) for name, case in zip(REPAYMENT, cases, strict=True)}


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
    rate = float(rates.rate[0])
    weight, slope = _weight_and_slope(mean, rate)
    centre = (cash.rounded / cash.n_replications).astype(np.float64)
    variance = (
        float(weight @ (cash.products / cash.n_replications).astype(np.float64) @ weight - (weight @ centre) ** 2) * cash.unit**2
    )
    # Of cash that is always the same the difference of two large products is what rounding leaves.
    if variance <= ROUNDING * (weight @ np.abs(centre) * cash.unit) ** 2:
        return Statistic(rate, 0.0)
    return Statistic(rate, float(np.sqrt(variance / cash.n_replications) / abs(slope)))


def irr_of_drawn_cash(outturns: Outturns, draws: Draws) -> Statistic | None:
    """Give the same where worlds weigh differently or hang together: each adds its present value at the rate, less the mean's."""
    if outturns.investor_cash_by_row is None:
        return None
    cash = outturns.investor_cash_by_row.astype(np.float64)
    mean = draws.share @ cash
    rates = rates_of_return(mean[None, :])
    if rates.status[0] != FOUND:
        return None
    weight, slope = _weight_and_slope(mean, float(rates.rate[0]))
    found = draws.error_of((cash - mean) @ weight)
    return Statistic(float(rates.rate[0]), found.se / abs(slope), covers=found.covers)


def _weight_and_slope(mean: Floats, rate: float) -> tuple[Floats, float]:
    """Give what money of each date is worth today at a rate, and by how much the value of the mean cash changes with the rate."""
    months = np.arange(len(mean))
    weight = (1 + rate) ** (-months / 12)
    return weight, float(mean @ (-months / 12 * weight / (1 + rate)))


def _outcome_payer(outturns: Outturns, draws: Draws | None) -> Section:
    loss = -outturns["outcome_payer.net"]
    names = ("payment", "true_saving", "net", "npv")
    return {
        **{name: statistics.distribution(outturns[f"outcome_payer.{name}"], draws) for name in names},
        "p_loss": statistics.probability(loss > 0, draws),
        "var95": statistics.value_at_risk(loss, TAIL_LEVEL, draws),
        "cvar95": statistics.conditional_value_at_risk(loss, TAIL_LEVEL, draws),
    }


def _payment_against_saving(outturns: Outturns, draws: Draws | None) -> Section:
    payment, saving = outturns["outcome_payer.payment"], outturns["outcome_payer.true_saving"]
    beyond = outturns["contingent_payment"]
    return {
        "expected_payment": statistics.mean(payment, draws),
        "expected_true_saving": statistics.mean(saving, draws),
        "expected_difference": statistics.mean(saving - payment, draws),
        "p_paid_beyond_guarantee_without_saving": statistics.probability((beyond > 0) & (saving <= 0), draws),
        "p_saving_without_payment_beyond_guarantee": statistics.probability((beyond <= 0) & (saving > 0), draws),
    }


def _metrics(outturns: Outturns, draws: Draws | None) -> Section:
    section: dict[str, Section] = {}
    for name in _names(outturns, "metric."):
        estimate, truth = outturns[f"metric.{name}.estimate"], outturns[f"metric.{name}.truth"]
        section[name] = {
            "estimate": statistics.distribution(estimate, draws),
            "truth": statistics.distribution(truth, draws),
            "error": _mean_and_sd(estimate - truth, draws),
            "evaluators_standard_error": _mean_and_sd(outturns[f"metric.{name}.standard_error"], draws),
            "p_estimate_positive": statistics.probability(estimate > 0, draws),
            "p_truth_positive": statistics.probability(truth > 0, draws),
        }
    return section


def _terms(outturns: Outturns, draws: Draws | None) -> Section:
    return {
        name: {
            "amount": statistics.distribution(outturns[f"term.{name}.amount"], draws),
            "bound": {limit: statistics.probability(outturns.is_word(f"term.{name}.bound", limit), draws) for limit in LIMITS},
        }
        for name in _names(outturns, "term.")
    }


def _person_months(outturns: Outturns, draws: Draws | None) -> Section:
    """By arm and state, over the longest window: for comparison with the exact recursion."""
    states = _names(outturns, f"person_months.{ARMS[0]}.")
    arms = [arm for arm in ARMS if f"person_months.{arm}.{states[0]}" in outturns.columns]
    return {arm: {state: _mean_and_sd(outturns[f"person_months.{arm}.{state}"], draws) for state in states} for arm in arms}


def _mean_and_sd(sample: Floats, draws: Draws | None) -> Section:
    return {"mean": statistics.mean(sample, draws), "sd": statistics.sd(sample, draws)}


def _names(outturns: Outturns, prefix: str) -> list[str]:
    found = (column.removeprefix(prefix).split(".")[0] for column in outturns.columns if column.startswith(prefix))
    return list(dict.fromkeys(found))
