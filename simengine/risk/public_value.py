"""The wrong-pockets table: cash, savings and net of each party."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from simengine.risk import statistics
from simengine.risk.measures import p_loss
from simengine.risk.parties import parties_of
from simengine.risk.sections import ValueSection
from simengine.risk.weighting import Weighting

VALUE_AMOUNTS = ("cash", "value", "cashable")


def value_by_party(columns: Mapping[str, NDArray[Any]], weighting: Weighting | None = None) -> dict[str, ValueSection]:
    """Return by party the distributions of cash, value, cashable value and net (cash + value), and P(net < 0).

    Parameters
    ----------
    columns
        By name: one value per replication, as `left_with` gives them.
    weighting
        How the rows were drawn, if they are not independent replications of equal weight.
    """
    return {
        party: {
            "cash": statistics.summary(columns[f"{party}.cash"], weighting),
            "value": statistics.summary(columns[f"{party}.value"], weighting),
            "cashable": statistics.summary(columns[f"{party}.cashable"], weighting),
            "net": statistics.summary(columns[f"{party}.net"], weighting),
            "p_net_below_zero": p_loss(columns[f"{party}.net"], weighting),
        }
        for party in parties_of(columns)
    }
