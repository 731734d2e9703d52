"""Payments as all programs can say them: who pays whom on balance, on which date, in whole smallest units."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from simengine.capital import smallest_units
from simengine.config.conformance import ConformanceCase, ConformanceFile, dates_measured
from simengine.contract.listed import reached_from
from simengine.contract.rules import NONE, PEOPLE
from simengine.contract.typed import nothing_reached, refuse_typed
from simengine.currencies import units_of
from simengine.errors import SimengineError, UsageError
from simengine.records import Payments, Reached
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


def settled(file: ConformanceFile, case: ConformanceCase, where: str) -> Balances | None:
    """Settle a case with this program.

    Parameters
    ----------
    file
        The contract.
    case
        What happened.
    where
        What the case is called in messages.

    Returns
    -------
    What is paid; nothing where the program refuses to settle it.

    Raises
    ------
    UsageError
        If the case says something that cannot be, so that nobody can settle it.
    """
    contract = file.contract
    drawn = contract.commitment.value if case.drawn is None else case.drawn
    try:
        outcomes = outcomes_of(file, case)
        refuse_typed(contract, outcomes, drawn, None)
        reached = _reached(file, case)
    except SimengineError as error:
        raise UsageError(f"{where}: {error}") from None
    try:
        payments = replay(contract, outcomes, drawn, reached=reached)
    except SimengineError:
        return None
    return _paid(payments, units_of(contract.currency))


def outcomes_of(file: ConformanceFile, case: ConformanceCase) -> dict[str, float]:
    """Name what was measured and counted as a replay does."""
    found: dict[str, float] = {}

    def enter(name: str, wave: str | None, value: float) -> None:
        key = name if wave is None else f"{name}.{wave}"
        if key in found:
            raise UsageError(f"`{key}` must be given once; found twice")
        found[key] = value

    for one in case.measured:
        dates = dates_measured(file.contract, one.metric)
        enter(one.metric if one.date is None else f"{one.metric}_{dates.index(one.date) + 1}", one.wave, one.value)
    for people in case.people:
        name = PEOPLE if people.milestones is None else "+".join(people.milestones) or NONE
        enter(name, people.wave, people.number)
    return found


def _reached(file: ConformanceFile, case: ConformanceCase) -> Reached | None:
    """Return who reached what; of a contract that counts people, somebody who reached nothing where nobody is named."""
    if not case.reached:
        return nothing_reached(file.contract, 1) if file.contract.outcomes else None
    rows = [(f"reached.{place}", row.model_dump(exclude_none=True)) for place, row in enumerate(case.reached)]
    # A table has the same columns in every line.
    keys = list(dict.fromkeys(["person", "outcome", "month", *(key for _, row in rows for key in row)]))
    return reached_from(file.contract, [(where, {key: row.get(key) for key in keys}) for where, row in rows])


def _paid(payments: Payments, units: int) -> Balances:
    whole = smallest_units(payments.by_due, units)[0]
    return balances_of(
        (Between(date, int(month) if (month := payments.months[t, d]) >= 0 else None, *payments.parties[t]), int(whole[t, d]))
        for t in range(len(payments.terms))
        for d, date in enumerate(payments.dues)
        if whole[t, d]
    )
