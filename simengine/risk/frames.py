"""Numbers of an answer under their paths, and as a data frame of pandas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from simengine.risk.statistics import Statistic

_NAMES = ("path", "name", "period", "metric", "limit")
"""Keys that name an entry of a list, where no other entry has the same."""
_FIELDS = tuple(field.name for field in fields(Statistic))


def numbers_in(value: Any, path: str = "") -> Iterator[tuple[str, Statistic | float]]:
    """Yield every number in a bundle with its path: a statistic, as such or as JSON holds it, or a number without an error.

    Fields and keys are called by their names, entries of lists by what names them, or by their number.
    """
    if isinstance(value, Statistic):
        yield path, value
        return
    if isinstance(value, Mapping) and "value" in value and "se" in value:
        known = {name: value[name] for name in _FIELDS if name in value}
        yield path, Statistic(**known | {name: np.nan for name in ("value", "se") if value[name] is None})
        return
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield path, float(value)
        return
    for name, child in _parts_of(value):
        yield from numbers_in(child, f"{path}.{name}" if path else str(name))


def _parts_of(value: Any) -> Iterable[tuple[Any, Any]]:
    if is_dataclass(value):
        return ((field.name, getattr(value, field.name)) for field in fields(value))
    if isinstance(value, Mapping):
        return value.items()
    if not isinstance(value, tuple | list):
        return ()
    for key in _NAMES:
        names = [entry.get(key) for entry in value if isinstance(entry, Mapping)]
        if len(names) == len(value) == len(set(map(str, names))) and all(isinstance(name, str) for name in names):
            return zip(names, value, strict=True)
    return enumerate(value)


def statistics_in(value: Any, path: str = "") -> Iterator[tuple[str, Statistic]]:
    """Yield every statistic in a bundle with its path."""
    return ((path, one) for path, one in numbers_in(value, path) if isinstance(one, Statistic))


COLUMNS = ("value", "se", "low_95", "high_95", "covers")
"""Of a data frame of statistics."""


def frame_row(one: Statistic | float) -> tuple[float, float, float, float, bool | None]:
    """Return a number as a row of a data frame: the band is that of the tables, NaN where the error is unknown.

    Examples
    --------
    >>> frame_row(Statistic(0.0, 0.0, upper_95=0.03)), frame_row(Statistic(0.4, 0.3, covers=False))
    ((0.0, 0.0, 0.0, 0.03, True), (0.4, 0.3, nan, nan, False))
    """
    if not isinstance(one, Statistic):
        return one, np.nan, np.nan, np.nan, None
    is_known = one.covers or one.interval_95 is not None
    return one.value, one.se, *(one.band_95 if is_known else (np.nan, np.nan)), one.covers


def frame_of(numbers: Iterable[tuple[str, Statistic | float]]) -> Any:
    """Put numbers into a data frame of pandas, under their paths."""
    import pandas as pd

    frame = pd.DataFrame.from_dict({path: frame_row(one) for path, one in numbers}, orient="index", columns=list(COLUMNS))
    return frame.astype({"covers": "boolean"}).rename_axis("statistic")
