"""Stored evidence, settled under any number of term sheets, for the money of some parties only.

Everything that does not depend on the terms is computed once: the measurements for each window, the value of the true effect,
discount factors, and, unless a number of the capital changes, the plan of the money.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, product
from typing import Any, Literal, TypeVar, cast

import numpy as np

from simengine.capital import AccountGroups, accounts_in_plan, distribute
from simengine.cohort import Cohort
from simengine.config import Study, cohort_of, timing_of
from simengine.config.numbers import with_numbers
from simengine.config.sizing import own_windows, steps_of
from simengine.contract import CardSettlement, asks_when_drawn, settle_cards
from simengine.contract.spec import Contract
from simengine.errors import UsageError
from simengine.pipeline import as_contract_asks, discount_basis_of, plan_of, settle_to_fixed_point
from simengine.records import (
    SERVICE,
    Draws,
    Floats,
    Integers,
    Measurements,
    Payments,
    Reached,
    Record,
    Tallies,
    axes_of,
)
from simengine.replications.ensemble import measured
from simengine.risk.amounts import Columns
from simengine.risk.measures import Measure
from simengine.risk.parties import CashByPart, PartyShare, add_parts, over_years, parts_of, sums_from_ledger, value_today
from simengine.risk.roles import loan_columns
from simengine.sections import FREE, READ_AT_THE_WALL, lies_in
from simengine.value import value_outcomes

Joined = TypeVar("Joined", bound=Record)
LoansWanted = Literal["nothing", "sums", "flows"]
"""What is needed for lenders: only their money, the multiple too, or also measures that use every month."""
Windows = tuple[float, ...]
"""Months of every free window, in order."""


@dataclass(frozen=True)
class MeasuredWindows:
    """Measurements of people followed for some windows, and the value of the true effect."""

    measurements: Measurements
    worth: Mapping[str, tuple[Floats, Floats]]
    """By party: its public value, and the present value of that."""


@dataclass
class CachedEvidence:
    """The stored evidence of a block of replications."""

    draws: Draws
    people: Integers
    """Shape (n_replications, n_waves): service users."""
    readings: Mapping[Windows, MeasuredWindows]
    parts: Mapping[str, tuple[PartyShare, ...]]
    """By party, or total of a role: the parts of its money."""
    factors: Floats
    """Discount factor of each month for the party of each part: shape (n_parts, 1 or n_replications, n_months)."""
    loans: LoansWanted = "nothing"
    """What is needed for lenders."""
    _last: tuple[Mapping[str, float], AccountGroups] | None = field(default=None, repr=False)
    _last_cards: tuple[Contract, Measurements, CardSettlement] | None = field(default=None, repr=False)

    def settle(self, study: Study, terms: Mapping[str, float], windows: Windows) -> Columns:
        """Settle a contract.

        Parameters
        ----------
        study
            The study with the terms.
        terms
            Numbers by path that differ from the stored ones.
        windows
            How long people are followed.

        Returns
        -------
        `contingent_payment`, and `.net` and `.npv` of every requested party or total; for lenders also the requested returns: every
        flow is then posted, which takes longer than sums.
        """
        if windows not in self.readings:
            kept = " or ".join(", ".join(f"{months:g}" for months in one) for one in self.readings)
            found = ", ".join(f"{months:g}" for months in windows)
            raise UsageError(f"terms: windows must be among those that were measured, {kept} months; found {found}")
        reading = self.readings[windows]
        free = {path: np.full(len(self.draws), value) for path, value in terms.items() if path in self.draws.values}
        draws = replace(self.draws, values={**self.draws.values, **free})
        account_groups = self._filled(study, draws, terms)
        payments, sums, loans = self._moved(study, draws, reading.measurements, account_groups)
        units = account_groups.plan.units
        columns: dict[str, Floats] = {"contingent_payment": payments.owed_in_all(study.contract.paid_for_outcomes()), **loans}
        first = 0
        for name, parts in self.parts.items():
            mine = slice(first, first := first + len(parts))
            worth = [reading.worth[part.party] if part.has_value else None for part in parts]
            money = add_parts(CashByPart(sums.cash[mine], sums.today[mine]), worth, units)
            columns |= {f"{name}.net": money.net, f"{name}.npv": money.npv}
        return columns

    def _moved(
        self, study: Study, draws: Draws, measurements: Measurements, account_groups: AccountGroups
    ) -> tuple[Payments, CashByPart, Mapping[str, Floats]]:
        """Compute the cash: as sums of each part, or with every flow if returns on loans are needed."""
        cards = self._cards(study.contract, measurements)
        if self.loans == "nothing":
            payments, sums = settle_to_fixed_point(
                study, measurements, cards, account_groups.plan, draws, lambda payments: account_groups.add_up(payments, draws)
            )
            return payments, CashByPart(list(sums.cash), list(sums.today)), {}
        payments, ledger = settle_to_fixed_point(
            study,
            measurements,
            cards,
            account_groups.plan,
            draws,
            lambda payments: distribute(study.capital, account_groups.plan, payments, draws),
        )
        sums_of_parts = sums_from_ledger(list(chain(*self.parts.values())), ledger, self.factors)
        return payments, sums_of_parts, loan_columns(ledger, with_returns=self.loans == "flows")

    def _cards(self, contract: Contract, measurements: Measurements) -> CardSettlement:
        """Return what the rate cards come to, settled again only if the contract or the measurements are others."""
        last = self._last_cards
        if last is None or last[1] is not measurements or last[0] != contract:
            last = self._last_cards = contract, measurements, settle_cards(contract, measurements.reached, measurements)
        return last[2]

    def _filled(self, study: Study, draws: Draws, terms: Mapping[str, float]) -> AccountGroups:
        """Return the account groups with the plan of the money, recomputed only if a number of the plan has changed."""
        moved = {path: value for path, value in terms.items() if path == "contract.commitment" or path.startswith("capital.")}
        if self._last is None or self._last[0] != moved:
            accounts = [part.accounts for part in chain(*self.parts.values())]
            plan, by_month = plan_of(study, draws, self.people), asks_when_drawn(study.contract)
            self._last = moved, AccountGroups(study.capital, plan, accounts, self.factors, by_month)
        return self._last[1]


def join(blocks: Sequence[CachedEvidence]) -> CachedEvidence:
    """Join blocks in order: fewer blocks mean less repeated work when terms change."""
    first = blocks[0]
    if len(blocks) == 1:
        return first
    values = {path: np.concatenate([block.draws[path] for block in blocks]) for path in first.draws.values}
    draws = replace(_joined([block.draws for block in blocks]), values=values)
    readings = {windows: _join([block.readings[windows] for block in blocks]) for windows in first.readings}
    rows = first.factors.shape[1] > 1
    factors = np.concatenate([block.factors for block in blocks], axis=1) if rows else first.factors
    people = np.concatenate([block.people for block in blocks])
    return CachedEvidence(draws, people, readings, first.parts, factors, first.loans)


def _join(readings: Sequence[MeasuredWindows]) -> MeasuredWindows:
    measurements = [reading.measurements for reading in readings]
    milestones = [one.milestones for one in measurements if one.milestones is not None]
    reached = [one.reached for one in measurements if one.reached is not None]
    joined = _joined([replace(one, milestones=None, reached=None) for one in measurements])
    if reached:
        joined = replace(joined, reached=Reached.join(reached))
    if milestones:
        joined = replace(joined, milestones=_joined(milestones))
    worth = {
        party: (
            np.concatenate([one.worth[party][0] for one in readings]),
            np.concatenate([one.worth[party][1] for one in readings]),
        )
        for party in readings[0].worth
    }
    return MeasuredWindows(joined, worth)


def _joined(parts: Sequence[Joined]) -> Joined:
    """Join records along their first axis, the replications."""
    first: Any = parts[0]
    arrays = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name, axes in axes_of(first.__class__).items()
        if getattr(first, name) is not None and axes.names.startswith("replication")
    }
    return cast(Joined, replace(first, **arrays))


def cache_evidence(
    study: Study, draws: Draws, tallies: Tallies, parties: Iterable[str], measures: Iterable[Measure] = ()
) -> CachedEvidence:
    """Store simulated people, measured with every free window of a sizing.

    Parameters
    ----------
    study, draws, tallies
        The evidence of the random half.
    parties
        The parties whose net and NPV are needed.
    measures
        Further measures needed.
    """
    windows = windows_of(study)
    followed = {months: with_numbers(study, dict(zip(own_windows(study), months, strict=True))) for months in windows}
    people, kept = (
        tallies.n_people[:, :, SERVICE],
        {path: v for path, v in draws.values.items() if lies_in(path, READ_AT_THE_WALL)},
    )
    accounts = accounts_in_plan(study.capital, plan_of(study, draws, people))
    parts = {party: parts_of(party, accounts) for party in parties}
    flat = list(chain(*parts.values()))
    saving = tuple(dict.fromkeys(part.party for part in flat if part.has_value))
    readings = {months: _read(one, draws, tallies, saving) for months, one in followed.items()}
    factors = discount_basis_of(study, draws, 0).discount_factors
    n_rows = max((len(factors[part.party]) for part in flat), default=1)
    n_months = int(study.study.horizon_months.value) + 1
    by_part = [np.broadcast_to(factors[part.party][:, :n_months], (n_rows, n_months)) for part in flat]
    measures = tuple(measures)
    about_loans: LoansWanted = "flows" if any(one.kind.needs_flows for one in measures) else "sums"
    loans: LoansWanted = about_loans if any(one.kind.of_lenders for one in measures) else "nothing"
    return CachedEvidence(Draws(draws.seed, draws.replications, kept), people, readings, parts, np.stack(by_part), loans)


def _read(study: Study, draws: Draws, tallies: Tallies, saving: Sequence[str]) -> MeasuredWindows:
    """Measure people with the windows of a study, and value the true effect for some parties."""
    seen = followed_for(tallies, cohort_of(study).windows)
    measurements = as_contract_asks(study.contract, seen, measured(study, study.measurement, seen, draws), draws)
    public_value = value_outcomes(study.public_value, tuple(study.parties), timing_of(study, draws), seen, draws)
    factors = discount_basis_of(study, draws, public_value.value.shape[2]).discount_factors
    by_year = {party: public_value.value[:, public_value.parties.index(party)] for party in saving}
    return MeasuredWindows(
        measurements, {party: (over_years(value), value_today(value, factors[party])) for party, value in by_year.items()}
    )


def windows_of(study: Study) -> list[Windows]:
    """List every combination of free windows of a sizing; that of the study first."""
    own = own_windows(study)
    free = {} if study.sizing is None else study.sizing.free
    choices = [list(dict.fromkeys([months, *steps_of(free[path])])) for path, months in own.items()]
    return list(product(*choices))


def chosen_windows(study: Study, terms: Mapping[str, float]) -> Windows:
    """Return the windows of some terms, in the stored order.

    Raises
    ------
    UsageError
        If a number is not a term: people, measurements, values and rates are fixed once stored.
    """
    for path in terms:
        if not lies_in(path, FREE) and path not in own_windows(study):
            rule = "a stored ensemble must settle other numbers under contract or capital, and windows that its sizing leaves open"
            raise UsageError(f"terms: {rule}; found `{path}`. Store the study that has this number")
    return tuple(terms.get(path, months) for path, months in own_windows(study).items())


def with_windows(study: Study, cohort: Cohort) -> Cohort:
    """Return the study with people followed for the longest free window."""
    months = {int(window) for windows in windows_of(study) for window in windows}
    return replace(cohort, windows=tuple(sorted({*cohort.windows, *months})))


def followed_for(tallies: Tallies, windows: Sequence[int]) -> Tallies:
    """Return the tallies for these windows only."""
    places = [tallies.windows.index(months) for months in windows]
    if len(places) == len(tallies.windows):
        return tallies
    combinations = {claim: counts[:, :, :, places] for claim, counts in tallies.combinations.items()}
    seen = None if tallies.seen is None else replace(tallies.seen, **_at_windows(tallies.seen, places))
    return replace(tallies, windows=tuple(windows), combinations=combinations, seen=seen, **_at_windows(tallies, places))


def _at_windows(record: Record, places: Sequence[int]) -> dict[str, Any]:
    """Return the arrays of a record that have an axis of windows, for some of the windows."""
    by_window = {}
    for name, axes in axes_of(cast(Any, type(record))).items():
        names = axes.names.split()
        if "window" in names and getattr(record, name) is not None:
            by_window[name] = np.take(getattr(record, name), places, axis=names.index("window"))
    return by_window
