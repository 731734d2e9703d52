"""Each party's standard statistics, and further measures on request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from simengine.asked import is_number, names_asked
from simengine.config import Study
from simengine.config.roles import lender_findings, refuse_without_money, totals_of, with_money
from simengine.errors import UsageError, did_you_mean, shorten
from simengine.pipeline import Evidence, evaluate
from simengine.records import Floats, ReplicationResults
from simengine.risk import statistics
from simengine.risk.amounts import AMOUNTS, OF_WHOLE_FLOWS, AmountUnit, Columns
from simengine.risk.limits import read_measure
from simengine.risk.measures import MEASURES, Measure, cvar, measures_on, p_loss
from simengine.risk.parties import ROLE_OF, parties_of
from simengine.risk.statistics import Statistic

TAIL_REPLICATIONS = 100
"""Fewer replications than these in a tail say nothing about it."""
_OF_LENDERS = ("money_in", "moic", *OF_WHOLE_FLOWS, "payback_status")


@dataclass(frozen=True)
class PartyStanding:
    """Standard statistics of one party's money."""

    net: Statistic
    """Mean net."""
    npv: Statistic
    """Mean net present value, at the party's own rate."""
    p_loss: Statistic
    """Probability of a net below zero."""
    cvar: Statistic | None
    """Mean loss (-net) in the worst 1 - level of the replications; null if these are too few."""
    asked: Mapping[str, Statistic] = field(default_factory=dict)
    """By measure of `--measure`, without the party."""


def money_of(results: ReplicationResults) -> dict[str, Floats]:
    """Net and net present value of every party and of every total, by `<name>.<amount>`, and the further columns of measures.

    These are the truth of each metric, payments for outcomes, drawdown, and for lenders their loans and, if the results have them,
    their returns.
    """
    columns: Mapping[str, Any] = results.columns
    kept = [f"{name}.{amount}" for name in _names(columns) for amount in ("net", "npv")]
    kept += [name for name in columns if name.count(".") == 1 and name.rpartition(".")[2] in _OF_LENDERS]
    kept += [name for name in columns if name.startswith("metric.") and name.endswith(".truth")]
    return {name: np.asarray(columns[name], dtype=np.float64) for name in [*kept, "contingent_payment", "drawn"]}


def _names(columns: Mapping[str, Any]) -> list[str]:
    return [*parties_of(columns), *(total for total in ROLE_OF if f"{total}.net" in columns)]


def settled_money(study: Study, evidence: Evidence, measures: Iterable[Measure] = ()) -> dict[str, Floats]:
    """Settle the contract, post the cash, and keep every party's money and the columns that the measures need."""
    return money_of(evaluate(study, evidence, with_returns=any(measure.kind.needs_flows for measure in measures)))


def asked_measures(study: Study, texts: Sequence[str], option: str = "--measure") -> tuple[Measure, ...]:
    """Parse the requested measures.

    Parameters
    ----------
    study
        The study with the parties.
    texts
        `party.measure`, or a measure alone: then for every party that has it.
    option
        The option that error messages name.

    Raises
    ------
    UsageError
        If there is no such measure, or the party has no cash, or does not lend although the measure concerns a loan.
    """
    found: list[Measure] = []
    for text in names_asked(texts, option):
        owner, dot, _ = text.partition("(")[0].partition(".")
        names = [owner.strip()] if dot else [*with_money(study), *totals_of(study)]
        try:
            mine = [read_measure(text) if dot else read_measure(text, name) for name in names]
        except ValueError as error:
            raise UsageError(f"{option}: {error}") from None
        for measure in mine:
            if dot:
                refuse_without_money(study, measure.party, option)
            wrong = list(lender_findings(study, measure, option))
            if wrong and dot:
                raise UsageError(f"{option}: {wrong[0][1]}; found {wrong[0][2]}. {wrong[0][3]}")
            found += [] if wrong else [measure]
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True)
class AmountAsked:
    """A number of a party in every replication, of which a question uses the mean, the variance or the tail."""

    text: str
    """An amount, or a measure that is a mean over replications."""
    title: str
    unit: AmountUnit
    sign: int
    """1 where more is better, -1 where less is."""
    measures: tuple[Measure, ...]
    """The columns that settlement must provide for it."""
    _of: Callable[[Columns, str], Floats]

    @property
    def of_lenders(self) -> bool:
        """Whether only who lends has it."""
        return any(measure.kind.of_lenders for measure in self.measures)

    def values(self, columns: Columns, party: str) -> Floats:
        """Return the amount, one number per replication, in the shape of the columns.

        Raises
        ------
        UsageError
            If a replication has none: mean and variance are then undefined.
        """
        found = np.asarray(self._of(columns, party), dtype=np.float64)
        n_missing = int((~np.isfinite(found)).sum())
        if n_missing:
            other = _probability_of(self.text)
            way_out = f"A probability counts all of them: {other}(...)" if other else "Ask for another amount"
            raise UsageError(
                f"--of: an amount must have a value in every replication; found none of {party}.{self.text} in {n_missing:,} of "
                f"{found.size:,}. {way_out}"
            )
        return found


def amount_asked(text: str, *, needs_mean: bool = False) -> AmountAsked:
    """Parse the quantity analysed for every party: an amount, or a measure that is a mean over replications.

    Raises
    ------
    UsageError
        If it is neither, or has no mean although one is needed.
    """
    ways = f"one of {', '.join(AMOUNTS)}, or a measure such as p_loss or p_irr_below(0.03)"
    if not isinstance(text, str):
        raise UsageError(f"--of: must be {ways}; found {shorten(text)}")
    if text in AMOUNTS:
        amount = AMOUNTS[text]
        if needs_mean and not amount.has_mean:
            raise UsageError(
                f"--of: must have a mean over replications; found {text}. Ask for {_probability_of(text)}(...) instead"
            )
        # Any measure of the amount takes what the amount does.
        measure = Measure("", next(iter(measures_on(text))), 0.0)
        return AmountAsked(text, amount.title, amount.unit, 1 if amount.more_is_better else -1, (measure,), amount.of)
    try:
        measure = read_measure(text, "party")
    except ValueError:
        way_out = did_you_mean(text, [*AMOUNTS, *MEASURES], "docs/reference/measures.md lists them")
        raise UsageError(f"--of: must be {ways}; found {shorten(text)}. {way_out}") from None
    if measure.kind.scores is None:
        raise UsageError(f"--of: must be a mean over replications; found {text}, a quantile. Ask for {measure.kind.amount} instead")
    return AmountAsked(
        text,
        measure.title,
        measure.kind.unit,
        measure.sign,
        (measure,),
        lambda columns, party: replace(measure, party=party).scores(columns),
    )


def _probability_of(amount: str) -> str | None:
    return next((name for name, kind in measures_on(amount).items() if kind.is_probability), None)


def parties_with(study: Study, asked: AmountAsked, names: Sequence[str]) -> tuple[str, ...]:
    """Names of the requested parties, or of all that have an amount.

    Raises
    ------
    UsageError
        If a named party has no cash in the study, or does not lend although the amount concerns a loan.
    """
    chosen = chosen_parties(names, study)
    if not asked.of_lenders:
        return chosen
    lacking = [(party, wrong) for party in chosen for wrong in lender_findings(study, replace(asked.measures[0], party=party), "")]
    if lacking and names:
        _, rule, _, way_out = lacking[0][1]
        raise UsageError(f"--of {asked.text}: {rule}; found {lacking[0][0]}. {way_out}")
    return tuple(party for party in chosen if party not in [name for name, _ in lacking])


def measures_of(measures: Iterable[Measure], party: str) -> dict[str, Measure]:
    """Return the measures about one party, by their text without it."""
    return {str(measure).removeprefix(f"{party}."): measure for measure in measures if measure.party == party}


def chosen_parties(names: Sequence[str], study: Study, option: str = "--party") -> tuple[str, ...]:
    """Names of the requested parties, or of all with cash in the study.

    Raises
    ------
    UsageError
        If one of them has no cash in the study.
    """
    asked = tuple(dict.fromkeys(names_asked(names, option)))
    for name in asked:
        refuse_without_money(study, name, option)
    return asked or with_money(study)


def refuse_level(level: float) -> None:
    """Refuse an invalid level of a tail."""
    if not is_number(level) or not 0 < level < 1:
        found = f"{level:g}" if is_number(level) else shorten(level)
        raise UsageError(
            f"--level: the level of a tail must lie between 0 and 1; found {found}. 0.95 is the worst 5 % of replications"
        )


def tail_needs(n_replications: int, level: float, n_per_replication: int = 1) -> int | None:
    """Return the number of replications that a tail needs; None if it has enough."""
    if n_replications * n_per_replication * (1 - level) >= TAIL_REPLICATIONS - 1e-9:
        return None
    return int(np.ceil(TAIL_REPLICATIONS / (1 - level) / n_per_replication - 1e-9))


def refuse_thin_tail(n_replications: int, level: float, n_per_replication: int = 1) -> None:
    """Refuse a tail with too few replications."""
    refuse_level(level)
    needed = tail_needs(n_replications, level, n_per_replication)
    if needed is not None:
        raise UsageError(
            f"-n: the worst {100 * (1 - level):g} % of the replications must be at least {TAIL_REPLICATIONS}; found "
            f"{n_replications * n_per_replication * (1 - level):.0f}. Ask for -n {needed} or more, or for a lower --level"
        )


def standing_of(columns: Columns, party: str, level: float, measures: Iterable[Measure] = ()) -> PartyStanding:
    """Compute a party's standard statistics, and those of the measures that concern it."""
    net = columns[f"{party}.net"]
    is_given = tail_needs(len(net), level) is None
    return PartyStanding(
        net=statistics.mean(net),
        npv=statistics.mean(columns[f"{party}.npv"]),
        p_loss=p_loss(net),
        cvar=cvar(net, level) if is_given else None,
        asked={text: measure.of(columns) for text, measure in measures_of(measures, party).items()},
    )
