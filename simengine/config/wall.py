"""Which numbers of a study belong to the random half, and which to the deterministic half.

Evidence may be settled with another deterministic half, never with another random half, for which other people would have to be
simulated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from simengine.config.study import Study
from simengine.distributions import Constant, Quantity, Sourced
from simengine.sections import CALENDAR, LEFT, lies_left

_WORDS = ("source", "certainty", "note")
"""Annotations of a number, without influence on results."""


def difference_left(one: Study, other: Study) -> tuple[str, str, str] | None:
    """Find the first difference between the random halves of two studies.

    Returns
    -------
    Its path, and its value in either study; None if people and measurements are the same. Sources, certainties and
    notes are no difference; another order of names is one, for arrays follow it.
    """
    if one is other:
        return None
    for section in LEFT:
        found = _difference(getattr(one, section), getattr(other, section), section)
        if found is not None:
            return found
    for name in CALENDAR:
        found = _difference(getattr(one.study, name), getattr(other.study, name), f"study.{name}")
        if found is not None:
            return found
    # Outcomes are counted by year only if they have a value.
    if bool(one.public_value) != bool(other.public_value):
        there, here = ("prices" if study.public_value else "nothing" for study in (one, other))
        return "public_value", there, here
    return None


def _difference(one: Any, other: Any, path: str) -> tuple[str, str, str] | None:
    if one is other:
        return None
    if isinstance(one, BaseModel) and type(one) is type(other):
        fields = [name for name in type(one).model_fields if name not in _WORDS or not _is_text(one, other, name)]
        found = _first({name: getattr(one, name) for name in fields}, {name: getattr(other, name) for name in fields}, path)
        return (path, _shown(one), _shown(other)) if found is not None and isinstance(one, Sourced) else found
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        if list(one) != list(other):
            there, here = (", ".join(map(str, names)) or "nothing" for names in (one, other))
            return path, there, here
        return _first(one, other, path)
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        return _first(dict(enumerate(one)), dict(enumerate(other)), path)
    return None if one == other else (path, _shown(one), _shown(other))


def _is_text(one: Any, other: Any, name: str) -> bool:
    return all(getattr(node, name) is None or isinstance(getattr(node, name), str) for node in (one, other))


def _first(one: Mapping[Any, Any], other: Mapping[Any, Any], path: str) -> tuple[str, str, str] | None:
    places = ((_difference(one[name], other[name], f"{path}.{name}")) for name in one)
    return next((found for found in places if found is not None), None)


def _shown(value: Any) -> str:
    return "nothing" if value is None else str(value)


def numbers_right(study: Study) -> dict[str, Quantity]:
    """Return the numbers of the deterministic half, by path."""
    return {path: number for path, number in study.numbers.items() if not lies_left(path)}


def distribution_not_drawn(study: Study, drawn: Study) -> str | None:
    """Find a number of the deterministic half whose distribution differs from the one drawn; None if there is none."""
    before = numbers_right(drawn)
    for path, number in numbers_right(study).items():
        is_other = path not in before or _difference(before[path], number, path) is not None
        if not isinstance(number, Constant) and is_other:
            return path
    return None
