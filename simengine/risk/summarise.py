"""Summarise replications: the distribution of what each party gets, every number with its Monte Carlo standard error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from simengine.errors import UnknownNameError, UsageError, one_of
from simengine.records import ALL_LENDERS, ALL_PAYERS, ARMS, Floats, ReplicationResults
from simengine.risk import statistics, sums, trust
from simengine.risk.frames import frame_of, statistics_in
from simengine.risk.mean_cash import irr_of_drawn_cash, irr_of_mean_cash
from simengine.risk.measured import those_measured
from simengine.risk.measures import Measure, cvar, p_loss, var
from simengine.risk.parties import names_of_role, parties_of
from simengine.risk.public_value import value_by_party
from simengine.risk.returns import PAYBACK_STATUSES, STATUSES
from simengine.risk.roles import lenders_in, other_cash, payers_in, total_of_lenders, total_of_payers
from simengine.risk.sections import (
    DiagnosticsSection,
    LenderSection,
    MetricSection,
    NotMeasuredSection,
    OutcomeSection,
    PartySection,
    PayerSection,
    PaymentAgainstSaving,
    PeopleSection,
    TermSection,
)
from simengine.risk.statistics import MeanAndSd, Statistic
from simengine.risk.summarise_structure import structure_sections
from simengine.risk.trust import Diagnostics, Exceedance, Refused, TableSection
from simengine.risk.weighting import Weighting, given

TAIL_LEVEL = 0.95
REPAYMENT = ("no_repayment", "below_principal", "principal_only", "principal_and_return")
"""How much of the money drawn comes back: the scale of the INDIGO data set, without its fifth level, not public."""


@dataclass(frozen=True)
class RiskTable:
    """The statistics of a run, nested by party or topic, then quantity, then statistic.

    `table["investor.net.mean"]` is a statistic by its path. Money is in whole units of the currency, rates are per year as fractions.
    """

    n_replications: int
    sections: TableSection
    refused: Mapping[str, Refused] = field(default_factory=dict)
    """By path: statistics that are not given."""
    exceedance: Mapping[str, Exceedance] = field(default_factory=dict)
    """By party: of its loss."""
    diagnostics: Diagnostics | None = None
    """Nothing where a table was put together from something else than a run."""
    asked: Mapping[str, Statistic] = field(default_factory=dict)
    """By measure, with its party: what was asked for beside the sections."""

    def get(self, path: str) -> Statistic | None:
        """Look a statistic up by its dotted path, such as `investor.money_back.mean`, or a measure that was asked for, by its text.

        Nothing where there is none.
        """
        if path in self.asked:
            return self.asked[path]
        node: Statistic | TableSection | None = self.sections
        for name in path.split("."):
            node = node.get(name) if isinstance(node, Mapping) else None
        return node if isinstance(node, Statistic) else None

    def __getitem__(self, path: str) -> Statistic:
        """Look a statistic up that must be there.

        Raises
        ------
        UnknownNameError, NotGivenError
            If there is none of this path, or too few replications carry it.
        """
        statistic = self.get(path)
        if statistic is None and path in self.refused:
            raise self.refused[path].error(path)
        if statistic is None:
            known = [name for name, _ in self.statistics()]
            of_it = [name for name in known if name.startswith(f"{path}.")]
            raise UnknownNameError("statistic", path, () if of_it else known, one_of(of_it))
        return statistic

    def statistics(self) -> Iterator[tuple[str, Statistic]]:
        """List every statistic with its path."""
        yield from statistics_in(self.sections)
        yield from self.asked.items()

    def __repr__(self) -> str:
        return f"<RiskTable: {self.n_replications:,} replications, {sum(1 for _ in self.statistics())} statistics>"

    def _repr_html_(self) -> str:
        return str(self.to_pandas()._repr_html_())

    def to_pandas(self) -> Any:
        """Return a data frame of pandas: one row per statistic, under its path.

        The columns are `value`; `se`, its Monte Carlo standard error; `low_95` and `high_95`, between which the exact value lies in
        95 of 100 runs, NaN where the error is unknown; and `covers`, which is false where two standard errors on either side do not.
        """
        return frame_of(self.statistics())


def summarise(results: ReplicationResults, control_variates: Floats | None = None, measures: Iterable[Measure] = ()) -> RiskTable:
    """Return every distribution of a run.

    Parameters
    ----------
    results
        One row per replication, at least two.
    control_variates
        Shape (n_rows, n_variates): numbers of each row whose expectation is 0, by which means are corrected.
    measures
        What is asked for beside the sections.

    Returns
    -------
    A section for every party that lends or pays under the contract, called as it is, and for `all_lenders` and `all_payers` where
    there are several; sections `payment_against_saving`, `public_value`, `metrics`, `terms`, `people`, `person_months`,
    `diagnostics`; the exceedance curves of all parties; what is refused; and signs of trouble. Money is in the currency of the
    study, rates are per year, VaR and CVaR are losses at the level 95 %.

    Raises
    ------
    UsageError
        If there are fewer than two replications.
    """
    if results.n_replications < 2:
        rule = "a table must be made of at least 2 replications, for one has no standard error"
        raise UsageError(f"summarise: {rule}; found {results.n_replications}")
    weighting, measures = weighting_of(results, control_variates), tuple(measures)
    people: PeopleSection = {"service_users": statistics.summary(results["service_users"], weighting)}
    diagnostics: DiagnosticsSection = {
        "replications_with_clipped_probabilities": statistics.probability(results["clipped"] > 0, weighting),
        "metrics": _not_measured(results, weighting),
    }
    sections: Mapping[str, Any] = {
        **_by_role(results, weighting),
        "payment_against_saving": _payment_against_saving(results, weighting),
        "public_value": value_by_party(results.columns, weighting),
        "metrics": _metrics(results, weighting),
        "terms": _terms(results, weighting),
        **_outcomes(results, weighting),
        **structure_sections(results, weighting),
        "people": people,
        "person_months": _person_months(results, weighting),
        "diagnostics": diagnostics,
    }
    n_replications = len(results.replications) if weighting is None else weighting.n_independent or weighting.n_rows
    refused = trust.refusals(sections, n_replications)
    if weighting is not None and results.lending_cash_by_row is None:
        why = Refused("the run did not keep the cash by date (`with_variates` of `run_study`)")
        refused |= {f"{name}.irr_of_mean_cash": why for name in results.lending_cash}
    asked = {str(measure): measure.of(results.columns, weighting) for measure in measures}
    refused |= _thin(measures, asked, results, weighting, n_replications)
    nets = {party: results[f"{party}.net"].astype(np.float64) for party in parties_of(results.columns)}
    # Who neither pays nor gets anything has nothing to lose.
    nets = {party: net for party, net in nets.items() if net.any()}
    return RiskTable(
        n_replications,
        trust.without(sections, refused),
        refused,
        {party: trust.exceedance_of(-net, weighting) for party, net in nets.items()},
        Diagnostics(
            running_mean={party: trust.running_mean(net, weighting) for party, net in nets.items()},
            split_half={party: trust.split_half(net, weighting) for party, net in nets.items()},
            tail_points={path: int(statistic.tail_points or 0) for path, statistic in trust.tail_statistics(sections)},
            n_clipped=int(sums.sum_of_windows(results["clipped"])),
        ),
        {text: statistic for text, statistic in asked.items() if text not in refused},
    )


def _thin(
    measures: Iterable[Measure],
    asked: Mapping[str, Statistic],
    results: ReplicationResults,
    weighting: Weighting | None,
    n_replications: int,
) -> dict[str, Refused]:
    """Say which of the measures stand on too few replications in a tail."""
    found = {}
    for measure in measures:
        statistic = asked[str(measure)]
        if statistic.tail_points is None:
            continue
        beyond = replace(measure, name="var").of(results.columns, weighting) if measure.name == "cvar" else None
        refused = trust.refusal(statistic, n_replications, beyond)
        if refused is not None:
            found[str(measure)] = refused
    return found


def weighting_of(results: ReplicationResults, control_variates: Floats | None = None) -> Weighting | None:
    """Say how the rows of a run were drawn; nothing where they are independent replications of equal weight."""
    weight, group = results.columns.get("weight"), results.columns.get("group")
    if weight is None and group is None and control_variates is None:
        return None
    return Weighting(len(results.replications), weight, group, control_variates, results.n_replications)


def _by_role(results: ReplicationResults, weighting: Weighting | None) -> Mapping[str, Any]:
    """Sections of all who lend and all who pay under the contract, each for itself, and of their totals where there are several."""
    lenders = names_of_role(ALL_LENDERS, lenders_in(results.columns))
    payers = names_of_role(ALL_PAYERS, payers_in(results.columns))
    sections: dict[str, dict[str, Any]] = {}
    for name in lenders:
        lent = _lender(results, name, weighting)
        # Money in and back first, then what is left of them.
        first = {"money_in": lent["money_in"], "money_back": lent["money_back"]}
        sections[name] = {**first, **_position(results, name, weighting), **lent}
    for name in payers:
        sections[name] = {**sections.get(name, {}), **_payer(results, name, weighting), **_position(results, name, weighting)}
    return sections


def _position(results: ReplicationResults, name: str, weighting: Weighting | None) -> PartySection:
    """Summarise what somebody is left with, and the risk of it: of a party all its money, of a total that of the role."""
    net = results[f"{name}.net"]
    return {
        "net": statistics.summary(net, weighting),
        "npv": statistics.summary(results[f"{name}.npv"], weighting),
        "p_loss": p_loss(net, weighting),
        "p_profit": statistics.probability(net > 0, weighting),
        "var95": var(net, TAIL_LEVEL, weighting),
        "cvar95": cvar(net, TAIL_LEVEL, weighting),
    }


def _payer(results: ReplicationResults, name: str, weighting: Weighting | None) -> PayerSection:
    section: PayerSection = {
        "payment": statistics.summary(results[f"{name}.payment"], weighting),
        "true_saving": statistics.summary(results[f"{name}.true_saving"], weighting),
    }
    if (other := other_cash(results.columns, name)).any():
        section["other_cash"] = statistics.summary(other, weighting)
    if f"{name}.unpaid" in results.columns:
        unpaid = results[f"{name}.unpaid"]
        section["unpaid"] = statistics.summary(unpaid, weighting)
        section["p_unpaid"] = statistics.probability(unpaid > 0, weighting)
    return section


def _lender(results: ReplicationResults, name: str, weighting: Weighting | None) -> LenderSection:
    """Summarise what a lender, or all of them, pay in and get back."""
    paid_in, back = results[f"{name}.money_in"], results[f"{name}.money_back"]
    multiple, rate = results[f"{name}.moic"], results[f"{name}.irr"]
    section: LenderSection = {
        "money_in": statistics.summary(paid_in, weighting),
        "money_back": statistics.summary(back, weighting),
        "peak_funding": statistics.summary(results[f"{name}.peak_funding"], weighting),
        "irr_status": {word: statistics.probability(results.is_word(f"{name}.irr_status", word), weighting) for word in STATUSES},
        "payback_status": {
            word: statistics.probability(results.is_word(f"{name}.payback_status", word), weighting) for word in PAYBACK_STATUSES
        },
    }
    if name == total_of_lenders(results.columns):
        # What the study draws and the contract pays is all lenders' alone to tell, or the only one's.
        section["drawn"] = statistics.summary(results["drawn"], weighting)
        section["p_no_payment_beyond_guarantee"] = statistics.probability(results["contingent_payment"] <= 0, weighting)
    was_drawn = np.isfinite(multiple)
    if sums.count(was_drawn) > 1:
        among = given(weighting, was_drawn)
        section["repayment"] = _repayment(paid_in[was_drawn], back[was_drawn], among)
        section["moic"] = statistics.summary(multiple[was_drawn], among)
    has_rate = np.isfinite(rate)
    if sums.count(has_rate) > 1:
        # Quantiles alone: a mean of rates is not the rate of anything.
        section["irr"] = statistics.quantiles(rate[has_rate], given(weighting, has_rate))
    pays_back = np.isfinite(results[f"{name}.payback_months"])
    if sums.count(pays_back) > 1:
        # Quantiles alone: a mean over the replications that pay back says nothing of the others.
        section["payback_months"] = statistics.quantiles(results[f"{name}.payback_months"][pays_back], given(weighting, pays_back))
    of_mean_cash = (
        irr_of_mean_cash(results.lending_cash[name]) if weighting is None else irr_of_drawn_cash(results, name, weighting)
    )
    if of_mean_cash is not None:
        section["irr_of_mean_cash"] = of_mean_cash
    return section


def _repayment(paid_in: Floats, back: Floats, weighting: Weighting | None) -> dict[str, Statistic]:
    """Place every replication on the scale of repayment."""
    has_nothing, is_short = back <= 0, back < paid_in
    cases = (has_nothing & is_short, ~has_nothing & is_short, back == paid_in, back > paid_in)
    return {name: statistics.probability(case, weighting) for name, case in zip(REPAYMENT, cases, strict=True)}


def _payment_against_saving(results: ReplicationResults, weighting: Weighting | None) -> PaymentAgainstSaving:
    everybody = total_of_payers(results.columns)
    payment, saving = results[f"{everybody}.payment"], results[f"{everybody}.true_saving"]
    beyond = results["contingent_payment"]
    return {
        "expected_payment": statistics.mean(payment, weighting),
        "expected_true_saving": statistics.mean(saving, weighting),
        "expected_difference": statistics.mean(saving - payment, weighting),
        "p_paid_beyond_guarantee_without_saving": statistics.probability((beyond > 0) & (saving <= 0), weighting),
        "p_saving_without_payment_beyond_guarantee": statistics.probability((beyond <= 0) & (saving > 0), weighting),
    }


def _metrics(results: ReplicationResults, weighting: Weighting | None) -> dict[str, MetricSection]:
    """Of each metric, over those replications in which it was measured, or in which there is a truth."""
    section: dict[str, MetricSection] = {}
    for name in _names(results, "metric."):
        estimate, truth = results[f"metric.{name}.estimate"], results[f"metric.{name}.truth"]
        (seen,), of_seen = those_measured(weighting, estimate)
        (true,), of_true = those_measured(weighting, truth)
        (error,), of_error = those_measured(weighting, estimate - truth)
        (own,), of_own = those_measured(weighting, results[f"metric.{name}.standard_error"])
        section[name] = {}
        if len(seen) > 1:
            section[name]["estimate"] = statistics.summary(seen, of_seen)
            section[name]["p_estimate_positive"] = statistics.probability(seen > 0, of_seen)
        if len(true) > 1:
            section[name]["truth"] = statistics.summary(true, of_true)
            section[name]["p_truth_positive"] = statistics.probability(true > 0, of_true)
        if len(error) > 1:
            section[name]["error"] = _mean_and_sd(error, of_error)
        if len(own) > 1:
            section[name]["evaluators_standard_error"] = _mean_and_sd(own, of_own)
    return section


def _not_measured(results: ReplicationResults, weighting: Weighting | None) -> dict[str, NotMeasuredSection]:
    """By metric: how often there was no estimate, an estimate whose standard error is unknown, and no truth."""
    section: dict[str, NotMeasuredSection] = {}
    for name in _names(results, "metric."):
        estimate, error, truth = (np.isnan(results[f"metric.{name}.{what}"]) for what in ("estimate", "standard_error", "truth"))
        section[name] = {
            "not_measured": statistics.probability(estimate, weighting),
            "standard_error_unknown": statistics.probability(error & ~estimate, weighting),
            "no_truth": statistics.probability(truth, weighting),
        }
    return section


def _terms(results: ReplicationResults, weighting: Weighting | None) -> dict[str, TermSection]:
    return {
        name: {
            "amount": statistics.summary(results[f"term.{name}.amount"], weighting),
            "bound": {
                limit: statistics.probability(results.is_word(f"term.{name}.bound", limit), weighting)
                for limit in results.codes[f"term.{name}.bound"]
            },
        }
        for name in _names(results, "term.")
    }


def _outcomes(results: ReplicationResults, weighting: Weighting | None) -> dict[str, dict[str, OutcomeSection]]:
    """By outcome that is counted person by person: how many, and what rate cards pay for it; nothing where none is."""
    section: dict[str, OutcomeSection] = {}
    for name in _names(results, "outcome."):
        section[name] = {"number": statistics.summary(results[f"outcome.{name}.number"], weighting)}
        if f"outcome.{name}.paid" in results.columns:
            section[name]["paid"] = statistics.summary(results[f"outcome.{name}.paid"], weighting)
    return {"outcomes": section} if section else {}


def _person_months(results: ReplicationResults, weighting: Weighting | None) -> dict[str, dict[str, MeanAndSd]]:
    """By arm and state, over the longest window: for comparison with the exact recursion."""
    states = _names(results, f"person_months.{ARMS[0]}.")
    arms = [arm for arm in ARMS if f"person_months.{arm}.{states[0]}" in results.columns]
    return {arm: {state: _mean_and_sd(results[f"person_months.{arm}.{state}"], weighting) for state in states} for arm in arms}


def _mean_and_sd(sample: Floats, weighting: Weighting | None) -> MeanAndSd:
    return {"mean": statistics.mean(sample, weighting), "sd": statistics.sd(sample, weighting)}


def _names(results: ReplicationResults, prefix: str) -> list[str]:
    return list(dict.fromkeys(one.removeprefix(prefix).split(".")[0] for one in results.columns if one.startswith(prefix)))
