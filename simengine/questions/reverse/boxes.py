"""Scenario discovery: boxes of assumptions in which a deal breaks, by the patient rule induction method of EMA Workbench.

References
----------
Friedman and Fisher 1999, "Bump hunting in high-dimensional data", doi:10.1023/A:1008894516817: the method. Bryant and Lempert 2010,
"Thinking inside the box", doi:10.1016/j.techfore.2009.08.002: coverage, density, and the test of each limit.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simengine.errors import UsageError
from simengine.records import Floats
from simengine.risk import statistics
from simengine.risk.statistics import Statistic

_INSTALL = "Install it with `pip install 'simengine[discovery]'`"
_NEXT_MAJOR = 3
"""Its version 3.0 no longer takes an argument that is used here."""
_FEWEST = 50
"""Replications of each kind in either half: with fewer, limits are noise."""
_MOST_BOXES = 3
_SIGNIFICANCE = 0.05
_ANY = 1e-6
"""Above 0, so that replications that hold are none of interest, and low enough that no box is thrown away for its density."""


@dataclass(frozen=True)
class BoxLimits:
    """The range of one assumption in a box; an end that is missing is open."""

    low: float | None
    """Lower end; null where open."""
    high: float | None
    """Upper end; null where open."""


@dataclass(frozen=True)
class Box:
    """A box of assumptions."""

    limits: Mapping[str, BoxLimits]
    """By path: the range of the assumption; what is not named is free."""
    coverage: Statistic
    """Share of the replications that break which lie in the box."""
    density: Statistic
    """Share of the replications in the box that break."""
    mass: Statistic
    """Share of all replications that lie in the box."""


def require_workbench() -> Any:
    """Return the module with the method.

    Raises
    ------
    UsageError
        If it is not installed, cannot be loaded, or is one whose method is called in another way.
    """
    try:
        with warnings.catch_warnings():
            # It tells of further packages that it could use.
            warnings.simplefilter("ignore")
            from ema_workbench.analysis import prim
    except Exception as error:  # noqa: BLE001 - another package may fail in any way
        if isinstance(error, ModuleNotFoundError) and error.name == "ema_workbench":
            raise UsageError(f"--boxes: EMA Workbench must be installed; found no `ema_workbench`. {_INSTALL}") from None
        found = " ".join(f"{type(error).__name__}: {error}".split())
        raise UsageError(f"--boxes: EMA Workbench must load; it is installed, but found {found}. {_INSTALL} anew") from None
    with suppress(metadata.PackageNotFoundError):
        version = metadata.version("ema-workbench")
        if int(version.partition(".")[0]) >= _NEXT_MAJOR:
            raise UsageError(f"--boxes: EMA Workbench must be below {_NEXT_MAJOR}; found {version}. {_INSTALL}")
    return prim


def find_boxes(values: Mapping[str, Floats], breaks: NDArray[np.bool_]) -> tuple[Box, ...]:
    """Find boxes of assumptions in which a deal breaks, on one half of the replications, and say on the other what they are worth.

    Parameters
    ----------
    values
        By path: shape (n_replications,).
    breaks
        Shape (n_replications,).

    Returns
    -------
    At most three boxes, the first the most telling; each is the step of its peeling with the best harmonic mean of coverage and
    density, without limits that could well be chance.

    Raises
    ------
    UsageError
        If too few replications break, or hold, or the workbench is not installed.
    """
    prim = require_workbench()
    found, tested = np.arange(len(breaks)) % 2 == 0, np.arange(len(breaks)) % 2 == 1
    kinds = [int((half & one).sum()) for half in (found, tested) for one in (breaks, ~breaks)]
    if min(kinds) < _FEWEST:
        rule = f"--boxes: at least {2 * _FEWEST} replications must break and as many hold"
        raise UsageError(
            f"{rule}; found {int(breaks.sum())} that break and {int((~breaks).sum())} that hold. Raise -n, or move the edge"
        )
    boxes, left = [], found.copy()
    for _ in range(_MOST_BOXES):
        if (breaks & left).sum() < _FEWEST:
            break
        limits = _peel(prim, {path: column[left] for path, column in values.items()}, breaks[left])
        inside = _inside(values, limits)
        if not limits or not (inside & tested).any():
            break
        box = _box(limits, inside[tested], breaks[tested])
        # A box that is no denser than all replications together says nothing.
        if box.density.value - 2 * box.density.se < np.mean(breaks):
            break
        boxes.append(box)
        left &= ~inside
    return tuple(boxes)


def _peel(prim: Any, values: Mapping[str, Floats], breaks: NDArray[np.bool_]) -> dict[str, BoxLimits]:
    """Peel one box, and keep the limits of its best step that are not chance."""
    import pandas as pd

    frame = pd.DataFrame(values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        box = prim.Prim(frame, breaks, threshold=_ANY, peel_alpha=0.05, mass_min=0.02).find_box()
    if box is None:
        return {}
    trajectory = box.peeling_trajectory
    coverage, density = trajectory["coverage"].to_numpy(), trajectory["density"].to_numpy()
    both = 2 * coverage * density / np.maximum(coverage + density, 1e-12)
    best = int(np.argmax(both))
    box.select(best)
    limits = {}
    for path, (p_low, p_high) in box.qp[best].items():
        low, high = (float(edge) for edge in box.box_lims[best][path])
        kept = BoxLimits(low if 0 <= p_low < _SIGNIFICANCE else None, high if 0 <= p_high < _SIGNIFICANCE else None)
        if kept != BoxLimits(None, None):
            limits[str(path)] = kept
    return limits


def _inside(values: Mapping[str, Floats], limits: Mapping[str, BoxLimits]) -> NDArray[np.bool_]:
    inside = np.ones(len(next(iter(values.values()))), dtype=np.bool_)
    for path, one in limits.items():
        if one.low is not None:
            inside &= values[path] >= one.low
        if one.high is not None:
            inside &= values[path] <= one.high
    return inside


def _box(limits: Mapping[str, BoxLimits], inside: NDArray[np.bool_], breaks: NDArray[np.bool_]) -> Box:
    return Box(
        limits=dict(limits),
        coverage=statistics.probability(inside[breaks]),
        density=statistics.probability(breaks[inside]),
        mass=statistics.probability(inside),
    )
