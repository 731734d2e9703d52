"""Settle a contract on many sets of outcomes: around every threshold, far below, and far above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, nextafter

import numpy as np

from simengine.contract import inputs_of, settle_terms, typed_measurements
from simengine.contract.spec import Contract
from simengine.contract.terms import Gate, Named, Term, parts_within
from simengine.contract.units import HUNDRED, MULTIPLE, NUMBER, PEOPLE, SHARE, unit_of
from simengine.distributions.spans import ANYTHING, Span
from simengine.records import Payments

FAR = 1e12
"""Beyond any edge, and far below what no currency can hold."""
_MIXED, _STRIDES = 150, (1, 7, 11, 13, 17, 19, 23, 29)
"""Sets of outcomes in which each input has a level of its own, and the steps (1 and primes) in which it goes through its levels."""
Replication = Mapping[str, float]
Spans = Mapping[str, Span]
"""By the words of a replay: the least and the greatest value of an outcome."""


def pay(contract: Contract, draws: Sequence[Replication], drawn: float | None = None) -> Payments:
    """Settle a contract on sets of outcomes; the money drawn is all of the commitment unless it is given."""
    money = contract.commitment.value if drawn is None else drawn
    return settle_terms(contract, typed_measurements(contract, *draws), np.full(len(draws), money))


def usual_spans(contract: Contract, reaches: Spans | None = None) -> dict[str, Span]:
    """Say where every outcome that a contract looks at usually lies: by its unit, or by a study that says how far it goes.

    A share may be a difference, and be negative; of people nobody counts fewer than none. What is found within these spans can
    happen, and what is not found in them may still happen outside: see `possible_spans`.
    """
    return {name: (reaches or {}).get(name) or _usual(contract, name) for name in inputs_of(contract)}


def _usual(contract: Contract, name: str) -> Span:
    use = contract.metrics.get(name.partition(".")[0])
    if use is None:
        return 0.0, inf
    unit = unit_of(use.unit, contract.currency)
    if unit.base == SHARE:
        return (-100.0, 100.0) if unit.per == HUNDRED else (-1.0, 1.0)
    return (0.0, inf) if unit.base in (PEOPLE, NUMBER, MULTIPLE) else ANYTHING


def open_spans(contract: Contract, reaches: Spans | None = None) -> dict[str, Span]:
    """Say in which directions every outcome has no end in sight: what a study could reach at most bounds nobody's budget."""
    found = usual_spans(contract)
    for name, (low, high) in (reaches or {}).items():
        if name in found:
            has_end = all(abs(end) < inf for end in found[name])
            found[name] = (low if low >= 0 or has_end else -inf), (high if high <= 0 or has_end else inf)
    return found


def possible_spans(contract: Contract, reaches: Spans | None = None) -> dict[str, Span]:
    """Say between what every outcome lies for sure: only people cannot be negative, unless a study says more."""
    names = inputs_of(contract)
    return {name: (reaches or {}).get(name) or (ANYTHING if _is_metric(contract, name) else (0.0, inf)) for name in names}


def _is_metric(contract: Contract, name: str) -> bool:
    return name.partition(".")[0] in contract.metrics


def edges_of(contract: Contract) -> dict[str, list[float]]:
    """List the levels of each name at which any term changes: gates, bands, points, targets."""
    edges: dict[str, set[float]] = {}

    def note(source: object, *levels: float) -> None:
        if isinstance(source, Term):
            for _, node in parts_within(source, ""):
                if isinstance(node, Named) and node.root in contract.metrics:
                    note(node, *levels)
        if isinstance(source, Named):
            edges.setdefault(source.root, set()).update(levels)

    def note_gates(gates: Mapping[str, Gate]) -> None:
        for name, gate in gates.items():
            note(Named(name), *(level for _, level in gate.edges()))

    for section in (contract.terms, contract.metrics):
        for _, node in parts_within(section, ""):
            if not isinstance(node, Term):
                continue
            note_gates(node.only_if)
            if node.looks_at:
                note(getattr(node, node.looks_at), *(edge.level for edge in node.edges()))
    for _, metric, gate in contract.decisive_gates():
        note_gates({metric: gate})
    for name, use in contract.metrics.items():
        for _, node in parts_within(use.derived, "") if use.derived is not None else ():
            if isinstance(node, Named) and name in edges:
                note(node, *edges[name])
    return {name: sorted(levels) for name, levels in edges.items()}


def levels_of(contract: Contract, name: str, edges: Mapping[str, Sequence[float]], span: Span, far: float = FAR) -> list[float]:
    """List the levels at which an input is tried: around its edges, around amounts of money, and far out, all within its span."""
    low, high = span
    around = [
        edge for level in edges.get(name.partition(".")[0], ()) for edge in (level, nextafter(level, -inf), nextafter(level, inf))
    ]
    money = [part * contract.commitment.value for part in (0.25, 0.5, 1.0, 2.0, 5.0)] if _is_metric(contract, name) else [10.0, 1e6]
    ends = [end for end in span if abs(end) < inf]
    tried = {-far, -1.0, 0.0, 0.5, 1.0, *around, *money, *ends, far}
    return sorted(level for level in tried if low <= level <= high)


def probe_draws(contract: Contract, spans: Spans, far: float = FAR) -> list[dict[str, float]]:
    """List sets of outcomes: each input over all its levels, the others low, at zero, in the middle of their edges, and high."""
    inputs, edges = list(spans), edges_of(contract)
    levels = {name: levels_of(contract, name, edges, spans[name], far) for name in inputs}
    bases = [{name: pick(levels[name]) for name in inputs} for pick in (min, _middle, max, _least)]
    draws = [base | {name: level} for base in bases for name in inputs for level in levels[name]]
    mixed = [
        {name: levels[name][(k * _STRIDES[i % len(_STRIDES)] + i) % len(levels[name])] for i, name in enumerate(inputs)}
        for k in range(_MIXED if len(inputs) > 1 else 0)
    ]
    return [*bases, *draws, *mixed]


def _middle(levels: Sequence[float]) -> float:
    return levels[len(levels) // 2]


def _least(levels: Sequence[float]) -> float:
    """Pick the level nearest to nothing."""
    return min(levels, key=abs)
