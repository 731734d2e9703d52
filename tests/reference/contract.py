"""Settling a contract by hand: the terms one after the other, as one would read them aloud."""

from __future__ import annotations

from collections.abc import Mapping

from simengine.contract.spec import DRAWN, Contract, Part

SMALLEST_UNITS = 100


def settle(contract: Contract, outcomes: Mapping[str, float], drawn: float) -> dict[str, tuple[float, str]]:
    """Give what each term pays, and which of formula, floor, cap and gate decided it."""
    paid: dict[str, tuple[float, str]] = {}
    for name, term in contract.terms.items():
        amount = term.share.value * (_measured(term.of, outcomes, drawn) - _worth(term.above, outcomes, drawn, absent=0.0))
        decided = "formula"
        floor = _worth(term.floor, outcomes, drawn, absent=float("-inf"))
        cap = _worth(term.cap, outcomes, drawn, absent=float("inf"))
        if amount < floor:
            amount, decided = floor, "floor"
        if amount > cap:
            amount, decided = cap, "cap"
        for metric, gate in term.only_if.items():
            if gate.above is not None and not outcomes[metric] > gate.above.value:
                amount, decided = 0.0, "gate"
            if gate.at_least is not None and not outcomes[metric] >= gate.at_least.value:
                amount, decided = 0.0, "gate"
        # Python rounds half to even.
        paid[name] = (round(amount * SMALLEST_UNITS) / SMALLEST_UNITS, decided)
    return paid


def _measured(name: str, outcomes: Mapping[str, float], drawn: float) -> float:
    return drawn if name == DRAWN else outcomes[name]


def _worth(part: Part | None, outcomes: Mapping[str, float], drawn: float, absent: float) -> float:
    """Give what a part of a term comes to in money."""
    if part is None:
        return absent
    if part.amount is not None:
        return part.amount.value
    assert part.share is not None
    assert part.of is not None
    return part.share.value * _measured(part.of, outcomes, drawn)
