"""What all calculators use: a case as its file tells it, and a ledger in whole smallest units. Nothing here is the program's."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "configs" / "conformance"
SMALLEST = {"JPY": 1, "KWD": 1000}
"""Smallest units in one unit of a currency, where they are not 100 (ISO 4217)."""
PAYER, INVESTOR, PROVIDER = "outcome_payer", "investor", "service_provider"


class CannotSettleError(Exception):
    """Something that a payment depends on was not measured."""


def exact(number: float) -> Fraction:
    """Take a number as it is written: 15.12 is 1512 hundredths."""
    return Fraction(str(number))


def power(base: Fraction, exponent: Fraction) -> Fraction:
    """Raise to a power that may be no whole number, to fifty digits."""
    if exponent.denominator == 1:
        return base ** int(exponent)
    with localcontext() as context:
        context.prec = 50
        as_decimals = [Decimal(one.numerator) / Decimal(one.denominator) for one in (base, exponent)]
        return Fraction(as_decimals[0] ** as_decimals[1])


@dataclass
class Story:
    """A case: what happened."""

    measured: dict[str, Fraction]
    """By `metric`, `metric@date`, `metric.wave`."""
    people: list[dict]
    rows: list[dict]
    drawn: Fraction
    smallest: int
    paid: dict[tuple[int | None, str, str], int] = field(default_factory=lambda: defaultdict(int))

    def __getitem__(self, metric: str) -> Fraction:
        if metric not in self.measured:
            raise CannotSettleError(metric)
        return self.measured[metric]

    def rounded(self, amount: Fraction) -> int:
        """Round to the smallest unit, half to even."""
        return round(amount * self.smallest)

    def pay(self, amount: Fraction | int, month: int | None = None, payer: str = PAYER, payee: str = INVESTOR) -> Fraction:
        """Enter one term on one date; return what was entered, in the currency."""
        whole = self.rounded(Fraction(amount))
        self.paid[month, payer, payee] += whole
        return Fraction(whole, self.smallest)

    def balances(self) -> dict[tuple[int | None, str, str], int]:
        """Net what moves between two parties in a month."""
        net: dict[tuple[int | None, str, str], int] = defaultdict(int)
        for (month, payer, payee), whole in self.paid.items():
            net[month, *sorted((payer, payee))] += whole if payer < payee else -whole
        return {(m, a, b) if w > 0 else (m, b, a): abs(w) for (m, a, b), w in net.items() if w}

    def number(self, outcome: str, until: int, since: int = -1) -> int:
        """Count the people who reached an outcome first after one month and until another."""
        first: dict[str, int] = {}
        for row in self.rows:
            if row.get("outcome") == outcome:
                first[row["person"]] = min(row["month"], first.get(row["person"], 10**6))
        return sum(since < month <= until for month in first.values())

    def in_order(self, outcomes: tuple[str, ...]) -> list[dict]:
        """Sort the rows of some outcomes by month, person as first named, and outcome."""
        persons = list(dict.fromkeys(row["person"] for row in self.rows))
        rows = [row for row in self.rows if row.get("outcome") in outcomes]
        return sorted(rows, key=lambda row: (row["month"], persons.index(row["person"]), outcomes.index(row["outcome"])))


def stories(name: str) -> dict[str, tuple[Story, dict | None]]:
    """Read the cases of a file, and what each expects by month and parties; nothing where it must be refused."""
    file = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    commitment = file["contract"]["commitment"]
    lent = commitment["value"] if isinstance(commitment, dict) else commitment
    found = {}
    for case_name, case in file["cases"].items():
        measured = {}
        for one in case.get("measured", ()):
            key = one["metric"] + (f"@{one['date']}" if "date" in one else "") + (f".{one['wave']}" if "wave" in one else "")
            measured[key] = exact(one["value"])
        smallest = SMALLEST.get(file["contract"]["currency"], 100)
        told = Story(measured, case.get("people", []), case.get("reached", []), exact(case.get("drawn", lent)), smallest)
        expected = None
        if "expected" in case:
            expected = {(one.get("month"), one["from"], one["to"]): one["amount"] for one in case["expected"]}
        found[case_name] = (told, expected)
    return found


def first_from(months: list[int], month: int) -> int | None:
    """Find the first of some dates that is not before a month."""
    return next((date for date in months if date >= month), None)
