"""Payments as all programs can say them: who pays whom on balance, on which date, in whole smallest units."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from simengine.capital import smallest_units
from simengine.config.conformance import ConformanceCase, ConformanceFile, outcomes_in_case, reached_in_case
from simengine.currencies import units_of
from simengine.errors import SimengineError
from simengine.records import Payments
from simengine.settlement import replay


class Between(NamedTuple):
    """On which date, and between whom."""

    date: str
    month: int | None
    """Absent where the contract has no dates."""
    payer: str
    payee: str


Balances: TypeAlias = dict[Between, int]
"""By date and parties: what the payer owes the payee on balance, above 0, in the smallest unit of the currency."""
REFUSED = "refused"
"""What a program says that settles nothing."""


def balances_of(amounts: Iterable[tuple[Between, int]]) -> Balances:
    """Add up what moves between two parties on a date in either direction; what comes to 0 is left out.

    Examples
    --------
    >>> there, back = Between("end", 12, "city", "fund"), Between("end", 12, "fund", "city")
    >>> balances_of([(there, 100), (back, 130)])
    {Between(date='end', month=12, payer='fund', payee='city'): 30}
    """
    sums: dict[Between, int] = {}
    for key, amount in amounts:
        back = key._replace(payer=key.payee, payee=key.payer)
        if back in sums:
            key, amount = back, -amount
        sums[key] = sums.get(key, 0) + amount
    turned = (
        (key, amount) if amount > 0 else (key._replace(payer=key.payee, payee=key.payer), -amount) for key, amount in sums.items()
    )
    return {key: amount for key, amount in turned if amount}


def expected_of(case: ConformanceCase) -> Balances | None:
    """Return what is paid in a case; nothing where a program must refuse to settle it."""
    if case.expected is None:
        return None
    return balances_of((Between(one.date, one.month, one.from_, one.to), one.amount) for one in case.expected)


def settle_case(file: ConformanceFile, case: ConformanceCase) -> Balances | None:
    """Settle a case with this program; nothing where it refuses to."""
    contract = file.contract
    drawn = contract.commitment.value if case.drawn is None else case.drawn
    try:
        payments = replay(contract, outcomes_in_case(contract, case), drawn, reached=reached_in_case(contract, case))
    except SimengineError:
        return None
    return _paid(payments, units_of(contract.currency))


def _paid(payments: Payments, units: int) -> Balances:
    whole = smallest_units(payments.by_due, units)[0]
    return balances_of(
        (Between(date, int(month) if (month := payments.months[t, d]) >= 0 else None, *payments.parties[t]), int(whole[t, d]))
        for t in range(len(payments.terms))
        for d, date in enumerate(payments.dues)
        if whole[t, d]
    )
