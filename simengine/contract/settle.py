"""Compile a contract's terms to arrays once, and settle them for every replication."""

from __future__ import annotations

import numpy as np

from simengine.contract.kernels import settle_terms
from simengine.contract.spec import DRAWN, Contract, Part
from simengine.records import Floats, Measurements, Payments


def settle(contract: Contract, measurements: Measurements, drawn: Floats) -> Payments:
    """Pay every term on what was measured.

    Parameters
    ----------
    contract
        The terms.
    measurements
        What the evaluator concluded; one replication for a replay.
    drawn
        Shape (n_replications,): the money that the investor paid in, in the currency of the contract, not negative.

    Returns
    -------
    The amount of each term, rounded half to even to the smallest unit of the currency, and the limit that decided it.
    """
    names = ["1", DRAWN, *contract.metrics]
    columns = [measurements.estimate[:, measurements.metrics.index(name)] for name in contract.metrics]
    basis = np.stack([np.ones_like(drawn), drawn, *columns], axis=1)
    gates = [
        (t, names.index(metric), gate) for t, term in enumerate(contract.terms.values()) for metric, gate in term.only_if.items()
    ]
    parts = [(Part(share=term.share, of=term.of), term.above, term.floor, term.cap) for term in contract.terms.values()]
    amount = np.empty((len(drawn), len(contract.terms)))
    bound = np.empty(amount.shape, dtype=np.int8)
    settle_terms(
        basis,
        np.array([[_share(part) for part in row] for row in parts], dtype=np.float64),
        np.array([[_index(part, names) for part in row] for row in parts], dtype=np.int64),
        np.array([t for t, _, _ in gates], dtype=np.int64),
        np.array([index for _, index, _ in gates], dtype=np.int64),
        np.array([(gate.above or gate.at_least).value for _, _, gate in gates], dtype=np.float64),  # type: ignore[union-attr]
        np.array([gate.at_least is not None for _, _, gate in gates], dtype=np.bool_),
        amount,
        bound,
    )
    # Amounts beyond any currency are refused where they become money.
    with np.errstate(over="ignore", invalid="ignore"):
        return Payments(tuple(contract.terms), np.round(amount, 2), bound)


def _share(part: Part | None) -> float:
    """Give the factor of a part; a sum of money is that many times 1."""
    if part is None:
        return 0.0
    return part.amount.value if part.amount is not None else part.share.value  # type: ignore[union-attr]


def _index(part: Part | None, names: list[str]) -> int:
    """Give the column of the basis that a part refers to; -1 for no part."""
    if part is None:
        return -1
    return 0 if part.of is None else names.index(part.of)
