"""Look up what a compiled contract asks of the replications."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simengine.contract.program import Column
from simengine.contract.scope import CALL, CALLED, CARD, CARD_LIMIT, DRAWN, PEOPLE_COUNTED, REACHED
from simengine.records import Drawing, Floats, Measurements


def column_of(column: Column, measurements: Measurements, counted: Mapping[Column, Floats], drawing: Drawing) -> Floats | float:
    """Return what a program asks of the replication; NaN where it was not measured.

    Parameters
    ----------
    column
        What is asked.
    measurements
        What the evaluator concluded.
    counted
        What rate cards pay, and who was counted, where anybody was.
    drawing
        The money that the investor pays in.
    """
    kind, missing = column[0], np.nan
    if kind in (CARD, CARD_LIMIT, REACHED, PEOPLE_COUNTED):
        return counted.get(column, missing)
    if kind == DRAWN:
        return drawing.total
    if kind == CALL:
        assert drawing.by_month is not None, "only what was drawn by month is compiled so"
        return np.asarray(drawing.by_month[:, column[1]])
    if kind == CALLED:
        return drawing.drawn_by(drawing.payment_month[column[1]])
    if kind == "combination":
        _, combination, wave = column
        return missing if measurements.milestones is None else measurements.milestones.counts[:, wave, combination]
    if kind == "people":
        return missing if measurements.people is None else measurements.people[:, column[1]]
    if column[1] not in measurements.metrics:
        return missing
    metric = measurements.metrics.index(str(column[1]))
    if kind == "metric":
        return measurements.estimate[:, metric]
    return missing if measurements.by_wave is None else measurements.by_wave[:, column[2], metric]
