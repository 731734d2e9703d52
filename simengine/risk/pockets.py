"""The wrong-pocket table: who pays, who saves, and what each party is left with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from simengine.risk import statistics
from simengine.risk.draws import Draws
from simengine.risk.measures import p_loss
from simengine.risk.parties import parties_of
from simengine.risk.statistics import Statistic

POCKETS = ("cash", "value", "cashable")


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
        net = columns[f"{party}.net"]
        table[party] = {name: statistics.distribution(columns[f"{party}.{name}"], draws) for name in POCKETS}
        table[party] |= {"net": statistics.distribution(net, draws), "p_net_below_zero": p_loss(net, draws)}
    return table
