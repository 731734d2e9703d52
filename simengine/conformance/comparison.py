"""What is expected in each case, what a program found, and where the two differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from simengine.conformance.balances import Balances, Between

Verdict = Literal["agrees", "differs", "not given"]


class PaymentComparison(TypedDict):
    """A payment that was expected or found."""

    date: str
    """The date of the contract; `settlement` of a contract without dates."""
    month: int | None
    """Month of payment, from the start; null where the contract has no dates."""
    payer: str
    """Who pays."""
    payee: str
    """Who receives."""
    expected: int
    """What is expected, in the smallest unit of the currency; 0 if nothing is."""
    found: int
    """What the program found; negative in the other direction."""
    difference: int
    """Found less expected."""


class CaseComparison(TypedDict):
    """A case, and what a program found."""

    contract: str
    """Name of the file, without its ending."""
    case: str
    """Name of the case."""
    currency: str
    """Currency of the contract."""
    decimals: int
    """How many decimals it is counted with: an amount of 1 is the last of them."""
    verdict: Verdict
    """`agrees`, `differs`, or `not given` where the results of another program say nothing of it."""
    is_refusal_expected: bool
    """Whether a program must refuse to settle it."""
    is_refused: bool | None
    """Whether the program did; null where nothing is given."""
    payments: list[PaymentComparison]
    """Every payment that is expected or was found, by date; where nothing is given, as if nothing were paid."""


class ConformContent(TypedDict):
    """A program held against a conformance set."""

    program: str
    """`simengine`, or the name of the file with the results of another one."""
    n_cases: int
    """Cases."""
    n_agree: int
    """Cases in which all payments are those expected."""
    n_differ: int
    """Cases in which a payment differs, or one side refuses."""
    n_not_given: int
    """Cases of which the results of another program say nothing."""
    cases: list[CaseComparison]
    """One entry for each case."""


@dataclass(frozen=True)
class Conformance:
    """A program held against a conformance set."""

    program: str
    """`simengine`, or the name of the file with the results of another one."""
    cases: tuple[CaseComparison, ...]
    """One for each case, in the order of the files."""
    found: Mapping[str, Mapping[str, Balances | None]]
    """By contract and case: what was found; nothing where it was refused."""

    @property
    def agrees(self) -> bool:
        """Whether every case does."""
        return all(case["verdict"] == "agrees" for case in self.cases)

    def number(self, verdict: Verdict) -> int:
        """Return the number of cases with a verdict."""
        return sum(case["verdict"] == verdict for case in self.cases)

    @property
    def content(self) -> ConformContent:
        """The whole as `simengine conform --json` says it."""
        return {
            "program": self.program,
            "n_cases": len(self.cases),
            "n_agree": self.number("agrees"),
            "n_differ": self.number("differs"),
            "n_not_given": self.number("not given"),
            "cases": list(self.cases),
        }

    def to_pandas(self) -> Any:
        """Return a table with a row for each payment that was expected or found, and its contract, case and verdict."""
        import pandas as pd

        return pd.DataFrame(
            [
                {"contract": case["contract"], "case": case["case"], "verdict": case["verdict"], **payment}
                for case in self.cases
                for payment in case["payments"]
            ]
        )

    def __repr__(self) -> str:
        return f"<Conformance: {self.number('agrees'):,} of {len(self.cases):,} cases agree>"


def compared(
    contract: str, case: str, money: tuple[str, int], expected: Balances | None, found: Balances | None, *, is_given: bool
) -> CaseComparison:
    """Compare what is expected in a case with what was found; both absent where nothing is settled.

    money: the currency and its decimals.
    """
    payments = _payments(expected or {}, found or {})
    is_same = (expected is None) == (found is None) and not any(one["difference"] for one in payments)
    return {
        "contract": contract,
        "case": case,
        "currency": money[0],
        "decimals": money[1],
        "verdict": ("agrees" if is_same else "differs") if is_given else "not given",
        "is_refusal_expected": expected is None,
        "is_refused": (found is None) if is_given else None,
        "payments": payments,
    }


def _payments(expected: Balances, found: Balances) -> list[PaymentComparison]:
    """List every payment of either, in the direction in which it is expected, else in which it was found."""
    keys = list(expected)
    keys += [key for key in found if key not in expected and _turned(key) not in expected]
    return [
        {
            "date": key.date,
            "month": key.month,
            "payer": key.payer,
            "payee": key.payee,
            "expected": expected.get(key, 0),
            "found": (is_paid := found.get(key, 0) - found.get(_turned(key), 0)),
            "difference": is_paid - expected.get(key, 0),
        }
        for key in sorted(keys, key=lambda key: (-1 if key.month is None else key.month, key.date, key.payer, key.payee))
    ]


def _turned(key: Between) -> Between:
    return key._replace(payer=key.payee, payee=key.payer)
