"""The wrong-pocket table: who pays, who saves, and what each party is left with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simengine.risk import statistics
from simengine.risk.draws import Draws
from simengine.risk.statistics import Statistic

POCKETS = ("cash", "value", "cashable")


def parties_of(columns: Mapping[str, NDArray[Any]]) -> list[str]:
    """List the parties for whom there are columns, in their order."""
    return [name.removesuffix(".cashable") for name in columns if name.endswith(".cashable")]


def net_of(columns: Mapping[str, NDArray[Any]], party: str) -> NDArray[Any]:
    """Give what a party is left with of its own: not that of others in the role that has its name."""
    return np.asarray(columns[f"{party}.cash"] + columns[f"{party}.value"])


def pockets(
    columns: Mapping[str, NDArray[Any]], draws: Draws | None = None
) -> dict[str, dict[str, dict[str, Statistic] | Statistic]]:
    """Give by party the distributions of its cash, value, cashable value and net (cash + value), and how often that is below 0.

    Parameters
    ----------
    columns
        By name: one value per replication, as `left_with` gives them.
    draws
        How the rows were drawn, where they are not independent worlds of equal weight.
    """
    table: dict[str, dict[str, dict[str, Statistic] | Statistic]] = {}
    for party in parties_of(columns):
        net = net_of(columns, party)
        table[party] = {name: statistics.distribution(columns[f"{party}.{name}"], draws) for name in POCKETS}
        table[party] |= {"net": statistics.distribution(net, draws), "p_net_below_zero": statistics.probability(net < 0, draws)}
    return table
