"""What the program found for one replication: the values that its formulas must come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from simengine.config.roles import with_money
from simengine.currencies import decimals_of
from simengine.questions.cash.periods import date_of
from simengine.records import ALL_LENDERS, PROJECT, Floats, Integers, Ledger
from simengine.risk.returns import STATUSES, present_values
from simengine.risk.roles import peak_funding
from simengine.risk.structure import return_on
from simengine.workbook.book import first_day
from simengine.workbook.dated import rate_by_days
from simengine.workbook.rates import is_real
from simengine.workbook.told import ShownReplication, ToldRun, factors_of

_TRANCHE = "tranche."


@dataclass(frozen=True)
class Posting:
    """One posting; without accounts a note of an amount that was not paid."""

    month: int
    line: str
    from_account: str
    to_account: str
    from_party: str
    to_party: str
    amount: float


@dataclass(frozen=True)
class MoneyReturned:
    """What came back on the money of a tranche, a lender, or all lenders."""

    name: str
    tranches: tuple[str, ...]
    """Of which it consists."""
    party: str
    """At whose rate it is discounted; empty for all lenders, each of whom has a rate."""
    paid_in: float
    money_back: float
    moic: float | None
    irr: float | None
    status: str
    by_days: float | None
    """The rate by days, where there is one rate by months."""
    npv: float
    peak: float
    first_month: int
    """The first month with cash; 0 if there is none."""

    @property
    def guess(self) -> float:
        """Where the search for the rate of a month begins: near it."""
        return 0.0 if self.irr is None or self.status != "found" else round((1 + self.irr) ** (1 / 12) - 1, 4)


@dataclass(frozen=True)
class Figures:
    """The figures of one replication, in the currency."""

    decimals: int
    parties: tuple[str, ...]
    """Everybody with an account: parties, suppliers outside the study, the project. Their cash sums to 0."""
    of_interest: tuple[str, ...]
    """Parties of the study with cash, which a chart shows."""
    labels: Mapping[str, str]
    """By name: as formulas can tell it from every other."""
    tranches: tuple[str, ...]
    """The names of tranches: `tranche.<tranche>`."""
    sums: Mapping[str, tuple[str, ...]]
    """By name of what lends several tranches: their names."""
    cash: Mapping[str, Sequence[float]]
    """By name: the cash of each month; first the parties, then tranches, then sums."""
    cumulative: Mapping[str, Sequence[float]]
    peak: Mapping[str, float]
    net: Mapping[str, float]
    """By party of the study."""
    npv: Mapping[str, float]
    value: Mapping[str, Sequence[float]]
    """By party with public value: by year."""
    price_level: Sequence[float] | None
    """The deflator of each month, if a party has a real rate."""
    owed: Mapping[str, float]
    """By term."""
    returns: tuple[MoneyReturned, ...]
    postings: tuple[Posting, ...]
    n_months: int
    n_years: int

    def total(self, name: str) -> float:
        """Return the cash of a name over all months."""
        return self.cumulative[name][-1]


def figures_of(told: ToldRun, shown: ShownReplication) -> Figures:
    """Return what the program found for one replication."""
    study, ledger, result = told.study, shown.made.ledger, shown.trace.result
    parties = tuple(dict.fromkeys(account.party for account in ledger.accounts))
    own = with_money(study)
    parties = tuple(name for name in parties if name in own or ledger.cash(name).any() or name == PROJECT)
    labels = labels_of([*parties, *(account.name for account in ledger.accounts)])
    flows = {name: ledger.cash(name)[0] for name in parties}
    sums = _sums(told, ledger)
    tranches = tuple(f"{_TRANCHE}{name}" for name in ledger.tranches) if told.lenders else ()
    flows |= {name: ledger.cash_in({name})[0] for name in tranches}
    flows |= {name: ledger.cash_in(parts)[0] for name, parts in sums.items()}
    units, values = ledger.units, shown.public_value
    of_party = {name: values.value[0, place] for place, name in enumerate(values.parties)}
    has_value = {party for by_party in study.public_value.values() for party in by_party}
    real = shown.basis.deflators is not None and any(is_real(told, name) for name in parties if name in study.parties)
    payments = shown.made.payments
    n_months = ledger.journal.shape[1]
    return Figures(
        decimals=decimals_of(study.study.currency),
        parties=parties,
        of_interest=tuple(name for name in parties if name in study.parties and ledger.cash(name).any()),
        labels=labels | {name: name for name in sums},
        tranches=tranches,
        sums=sums,
        cash={name: [float(one) for one in flow / units] for name, flow in flows.items()},
        cumulative={name: [float(one) for one in np.cumsum(flow) / units] for name, flow in flows.items()},
        peak={name: float(peak_funding(flow[None], units)[0]) for name, flow in flows.items()},
        net={name: result[f"{name}.net"] for name in own},
        npv={name: result[f"{name}.npv"] for name in own},
        value={name: [float(one) for one in years] for name, years in of_party.items() if name in has_value},
        price_level=[float(one) for one in shown.basis.deflators[0, :n_months]]
        if real and shown.basis.deflators is not None
        else None,
        owed={name: float(payments.amount[0, place]) for place, name in enumerate(payments.terms)},
        returns=tuple(_returns(told, shown, ledger, flows, sums)) if told.lenders else (),
        postings=tuple(_postings(ledger, labels)),
        n_months=n_months,
        n_years=values.value.shape[2],
    )


def labels_of(names: Iterable[str]) -> dict[str, str]:
    """Return names as formulas can tell them apart, which neither see capitals nor take a word for a text that is one of theirs.

    Examples
    --------
    >>> labels_of(["bank", "Bank", "true"])
    {'bank': 'bank', 'Bank': 'Bank (2)', 'true': 'true (1)'}
    """
    found: dict[str, str] = {}
    seen: dict[str, int] = {"true": 0, "false": 0}
    for name in dict.fromkeys(names):
        folded = name.casefold()
        number = seen.get(folded)
        seen[folded] = 1 if number is None else number + 1
        found[name] = name if number is None else f"{name} ({number + 1})"
    return found


def _sums(told: ToldRun, ledger: Ledger) -> dict[str, tuple[str, ...]]:
    """Return the names of lenders with several tranches, and of all lenders if there are several, with their tranches."""
    if not told.lenders:
        return {}
    holders = {one.name: one.party for one in ledger.accounts if one.name.startswith(_TRANCHE)}
    by_lender = {lender: tuple(name for name, holder in holders.items() if holder == lender) for lender in told.lenders}
    found = {f"{lender}.loans": mine for lender, mine in by_lender.items() if len(mine) > 1}
    return found | ({ALL_LENDERS: tuple(holders)} if len(told.lenders) > 1 else {})


def _returns(
    told: ToldRun, shown: ShownReplication, ledger: Ledger, flows: Mapping[str, Integers], sums: Mapping[str, tuple[str, ...]]
) -> Iterable[MoneyReturned]:
    """Yield what came back: of each tranche, then of those that hold several."""
    holders = {one.name: one.party for one in ledger.accounts if one.name.startswith(_TRANCHE)}
    lent = {f"{_TRANCHE}{name}": ledger.paid_in[:, place] for place, name in enumerate(ledger.tranches)}
    npv = {
        name: float(present_values(flows[name][None], _first(factors_of(shown, holders[name]), flows[name]))[0] / ledger.units)
        for name in lent
    }
    for name, parts in {**{one: (one,) for one in lent}, **sums}.items():
        cash = flows[name][None]
        paid_in = np.asarray(sum(lent[part] for part in parts))
        columns: dict[str, Any] = return_on("it", cash, paid_in, ledger.units)
        status = STATUSES[int(columns["it.irr_status"][0])]
        irr, moic = _known(columns["it.irr"][0]), _known(columns["it.moic"][0])
        months = np.flatnonzero(cash[0])
        first = int(months[0]) if len(months) else 0
        dates = [first_day(date_of(told.study.study.start, month)) for month in range(first, cash.shape[1])]
        by_days = None
        if status == "found" and irr is not None:
            by_days = rate_by_days([float(one) for one in cash[0, first:] / ledger.units], dates, irr)
        yield MoneyReturned(
            name,
            parts,
            "" if name == ALL_LENDERS else holders[parts[0]],
            float(paid_in[0] / ledger.units),
            float(columns["it.money_back"][0]),
            moic,
            irr,
            status,
            by_days,
            sum(npv[part] for part in parts),
            float(peak_funding(cash, ledger.units)[0]),
            first,
        )


def _first(factors: Floats, flow: Integers) -> Floats:
    return factors[None, : len(flow)]


def _known(value: Any) -> float | None:
    return float(value) if isfinite(value) else None


def _postings(ledger: Ledger, labels: Mapping[str, str]) -> Iterable[Posting]:
    party = {account.name: account.party for account in ledger.accounts}
    for month, place in zip(*np.nonzero(ledger.journal[0]), strict=True):
        line = ledger.lines[place]
        accounts = [labels[one] if one else "" for one in (line.payer, line.receiver)]
        parties = [labels[party[one]] if one else "" for one in (line.payer, line.receiver)]
        amount = float(ledger.journal[0, month, place]) / ledger.units
        yield Posting(int(month), line.name, accounts[0], accounts[1], parties[0], parties[1], amount)
