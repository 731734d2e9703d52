"""Try a contract out: pay it on many sets of outcomes around every edge that it knows, far below, and far above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, nextafter

import numpy as np

from simengine.contract import inputs_of, settle, typed_measurements
from simengine.contract.spec import Contract
from simengine.contract.terms import Gate, Named, Term, walk
from simengine.contract.terms.amounts import Target
from simengine.contract.terms.tables import Line, Steps
from simengine.records import Payments

FAR = 1e12
"""Beyond any edge, and far below what no currency can hold."""
World = Mapping[str, float]


def pay(contract: Contract, worlds: Sequence[World], drawn: float | None = None) -> Payments:
    """Settle a contract on sets of outcomes; the money drawn is all of the commitment unless it is given."""
    money = contract.commitment.value if drawn is None else drawn
    return settle(contract, typed_measurements(contract, *worlds), np.full(len(worlds), money))


def edges_of(contract: Contract) -> dict[str, list[float]]:
    """List the levels of each name at which any term changes: gates, bands, points, targets."""
    edges: dict[str, set[float]] = {}

    def note(source: object, *levels: float) -> None:
        if isinstance(source, Term):
            for _, node in walk(source, ""):
                if isinstance(node, Named) and node.root in contract.metrics:
                    note(node, *levels)
        if isinstance(source, Named):
            edges.setdefault(source.root, set()).update(levels)

    def note_gates(gates: Mapping[str, Gate]) -> None:
        for name, gate in gates.items():
            note(Named(name), *(level for _, level in gate.edges()))

    for section in (contract.terms, contract.metrics):
        for _, node in walk(section, ""):
            if not isinstance(node, Term):
                continue
            note_gates(node.only_if)
            if isinstance(node, Steps):
                note(node.of, *(level for band in node.steps for _, level in band.edges()))
            elif isinstance(node, Line):
                note(node.of, *(point.at.value for point in node.line))
            elif isinstance(node, Target):
                note(node.of, node.target.value, *([] if node.pays_from is None else [node.pays_from.value]))
    for stop in contract.stops.values():
        note_gates(stop.only_if)
    for name, use in contract.metrics.items():
        for _, node in walk(use.derived, "") if use.derived is not None else ():
            if isinstance(node, Named) and name in edges:
                note(node, *edges[name])
    return {name: sorted(levels) for name, levels in edges.items()}


def levels_of(contract: Contract, name: str, edges: Mapping[str, Sequence[float]]) -> list[float]:
    """List the levels at which an input is tried: around its edges, around amounts of money, and far out."""
    if name.partition(".")[0] not in contract.metrics:
        return [0.0, 1.0, 1e6]
    around = [
        edge for level in edges.get(name.partition(".")[0], ()) for edge in (level, nextafter(level, -inf), nextafter(level, inf))
    ]
    money = [part * contract.commitment.value for part in (0.25, 0.5, 1.0, 2.0, 5.0)]
    return sorted({-FAR, -1.0, 0.0, 0.5, 1.0, *around, *money, FAR})


def probe_worlds(contract: Contract) -> list[dict[str, float]]:
    """List sets of outcomes: each input over all its levels, the others low, at zero, in the middle of their edges, and high."""
    inputs, edges = inputs_of(contract), edges_of(contract)
    levels = {name: levels_of(contract, name, edges) for name in inputs}
    bases = [{name: pick(levels[name]) for name in inputs} for pick in (min, _middle, max)]
    bases += [dict.fromkeys(inputs, 0.0)]
    worlds = [base | {name: level} for base in bases for name in inputs for level in levels[name]]
    together = [dict(zip(inputs, row, strict=True)) for row in zip(*(levels[name] for name in inputs), strict=False)]
    return [*bases, *worlds, *together]


def _middle(levels: Sequence[float]) -> float:
    return levels[len(levels) // 2]
