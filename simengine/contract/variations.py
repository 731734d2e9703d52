"""Find in which replications the variations of a contract hold: changes on the way that were agreed before signing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simengine.arrays import Flags
from simengine.contract.program import Code, Column
from simengine.contract.scope import Book, Scope
from simengine.contract.spec import Contract
from simengine.contract.terms.base import all_open
from simengine.currencies import units_of
from simengine.records import Floats


def held_variations(contract: Contract, column_of: Callable[[Column], Floats | float], n_replications: int) -> Flags:
    """Find which variations hold in each replication.

    Parameters
    ----------
    contract
        The terms; names that they use must exist: see `rules`.
    column_of
        What was measured and counted; NaN for what is missing.

    Returns
    -------
    Shape (n_replications, n_variations), in the order of the contract. One that looks at something missing does not hold here; a
    payment that depends on it is refused when the terms are settled.
    """
    code, variations = Code(units_of(contract.currency)), contract.variations.values()
    registers = np.array(
        [
            all_open(variation.only_if, Scope(code, contract, Book(), variation.at, contract.month_of(variation.at)))
            for variation in variations
        ],
        dtype=np.int64,
    )
    columns = np.empty((len(code.columns), n_replications))
    for place, column in enumerate(code.columns):
        columns[place] = column_of(column)
    holds = np.zeros((len(registers), n_replications))
    code.run(columns, registers, registers, holds, np.zeros(holds.shape, dtype=np.int8))
    return np.ascontiguousarray(holds.T == 1.0)
