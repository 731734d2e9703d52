"""The two sides of a map: the numbers, their values, and whether people must be simulated again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from pydantic import ValidationError

from simengine.asked import whole
from simengine.config import Study
from simengine.config.numbers import problems_with
from simengine.config.request import read_range
from simengine.config.sizing import Free, steps_of
from simengine.errors import LISTED_BY_CHECK, UsageError, did_you_mean, shorten
from simengine.sections import FREE, UNREAD, lies_in

MOST_MAP_POINTS = 25
"""Values on a side."""


@dataclass(frozen=True)
class MapSide:
    """A number of the study, and the values at which it is put."""

    path: str
    """Path of the number."""
    values: tuple[float, ...]
    """The values at which it is put, rising."""

    @property
    def is_settled_again(self) -> bool:
        """Whether stored replications are settled with another value; otherwise people are simulated again with the same draws."""
        return lies_in(self.path, FREE)


def sides_of(study: Study, across: str, up: str, n_points: int) -> tuple[MapSide, MapSide]:
    """Read the sides of a map.

    Parameters
    ----------
    study
        Which has the numbers.
    across, up
        `PATH=LOW..HIGH`, or with `..STEP`.
    n_points
        Values on a side without steps.

    Raises
    ------
    UsageError
        If a side cannot be read, its path is that of no number of the study, or a value is against a rule of it.
    """
    n_points = whole(n_points, "--points", 2, MOST_MAP_POINTS)
    sides = _side(study, across, "--across", n_points), _side(study, up, "--up", n_points)
    if sides[0].path == sides[1].path:
        raise UsageError(f"--up: must be another number than --across; found `{sides[1].path}` twice. Name another one")
    for one, other in product(sides[0].values, sides[1].values):
        refuse_impossible_side(study, {sides[0].path: one, sides[1].path: other}, "--across, --up")
    return sides


def _side(study: Study, text: str, option: str, n_points: int) -> MapSide:
    path, limits = read_range(text, option)
    numbers = [known for known, _ in study.numbers.items() if not lies_in(known, UNREAD)]
    if path not in numbers:
        way_out = did_you_mean(path, numbers, LISTED_BY_CHECK)
        raise UsageError(f"{option}: the path must be that of a number of the study that moves people or money; found `{path}`. "
                         f"{way_out}")  # fmt: skip
    free = _range(limits, text, option)
    evenly = [float(f"{value:.12g}") for value in np.linspace(free.low, free.high, n_points)]
    values = evenly if free.step is None else steps_of(free)
    if len(values) > MOST_MAP_POINTS:
        raise UsageError(f"{option}: a side must hold at most {MOST_MAP_POINTS} values; found {len(values):,}. Give a longer step")
    for value in values:
        refuse_impossible_side(study, {path: value}, option)
    return MapSide(path, tuple(values))


def _range(limits: Mapping[str, float], text: str, option: str) -> Free:
    try:
        return Free(**limits)
    except ValidationError as error:
        details = error.errors()[0]
        said = details["msg"].removeprefix("Value error, ")
        rule = said if "; found " in said else f"a range has finite ends, and a step above 0; found {shorten(text)}"
        raise UsageError(f"{option}: {rule}. Write PATH=LOW..HIGH with LOW below HIGH") from None


def refuse_impossible_side(study: Study, numbers: Mapping[str, float], option: str) -> None:
    """Refuse numbers that are against a rule of the study."""
    for path, rule, found, way_out in problems_with(study, numbers):
        place = ", ".join(f"{name} = {value:g}" for name, value in numbers.items())
        raise UsageError(f"{option}: at {place}, {path}: {rule}; found {found}. {way_out or 'Narrow the range, or give it a step'}")
