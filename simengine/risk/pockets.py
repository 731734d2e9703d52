"""The wrong-pocket table: who pays, who saves, and what each party is left with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from simengine.risk import statistics
from simengine.risk.statistics import Statistic

POCKETS = ("cash", "value", "cashable", "net", "npv")


def parties_of(columns: Mapping[str, NDArray[Any]]) -> list[str]:
    """List the parties for whom there are columns, in their order."""
    return [name.removesuffix(".cashable") for name in columns if name.endswith(".cashable")]


def pockets(columns: Mapping[str, NDArray[Any]]) -> dict[str, dict[str, dict[str, Statistic] | Statistic]]:
    """Give by party the distributions of its cash, value, cashable value, net and present value, and how often its net is below 0.

    Parameters
    ----------
    columns
        By name: one value per replication, as `left_with` gives them.
    """
    table: dict[str, dict[str, dict[str, Statistic] | Statistic]] = {}
    for party in parties_of(columns):
        table[party] = {name: statistics.distribution(columns[f"{party}.{name}"]) for name in POCKETS}
        table[party]["p_net_below_zero"] = statistics.probability(columns[f"{party}.net"] < 0)
    return table
