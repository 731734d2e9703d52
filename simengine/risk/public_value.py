"""The wrong-pockets table: cash, savings and net of each party."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from simengine.risk import statistics
from simengine.risk.measures import p_loss
from simengine.risk.parties import parties_of
from simengine.risk.statistics import Statistic
from simengine.risk.weighting import Weighting

VALUE_AMOUNTS = ("cash", "value", "cashable")


def value_by_party(
    columns: Mapping[str, NDArray[Any]], weighting: Weighting | None = None
) -> dict[str, dict[str, dict[str, Statistic] | Statistic]]:
    """Return by party the distributions of cash, value, cashable value and net (cash + value), and P(net < 0).

    Parameters
    ----------
    columns
        By name: one value per replication, as `left_with` gives them.
    weighting
        How the rows were drawn, if they are not independent replications of equal weight.
    """
    table: dict[str, dict[str, dict[str, Statistic] | Statistic]] = {}
    for party in parties_of(columns):
        net = columns[f"{party}.net"]
        table[party] = {name: statistics.summary(columns[f"{party}.{name}"], weighting) for name in VALUE_AMOUNTS}
        table[party] |= {"net": statistics.summary(net, weighting), "p_net_below_zero": p_loss(net, weighting)}
    return table
