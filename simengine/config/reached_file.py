"""Read a table of outcomes, person by person or as counts, from a file of comma-separated values."""

from __future__ import annotations

from pathlib import Path

from simengine.config.table_file import table_rows
from simengine.contract.listed import reached_from
from simengine.contract.spec import Contract
from simengine.records import Reached


def read_reached(path: Path | str, contract: Contract, start: str | None = None) -> Reached:
    """Read who reached what and when.

    Parameters
    ----------
    path
        A file with a header: `person,outcome,month`, with `units`, `wave` and `group` where the contract has them; or
        `outcome,month,number`. In place of `month`, the month from the start at whose end it was reached, there may be a `date`.
    contract
        For the names of outcomes, waves and groups.
    start
        The month in which the contract begins, as 2030-01: for a file with dates.

    Raises
    ------
    UsageError
        If the start is no month.
    StudyError
        With every line that cannot be.
    """
    return reached_from(contract, table_rows(path, start), str(path))
