"""JSON from somewhere else: each key once in an object, and numbers that are numbers."""

from __future__ import annotations

import json
from typing import Any, NoReturn


class RepeatedKeyError(ValueError):
    """A key of an object that stands twice: its argument."""


def strict_json(text: str) -> Any:
    """Read JSON.

    Raises
    ------
    RepeatedKeyError
        If a key of an object stands twice, which readers take in different ways.
    ValueError
        If it is no JSON (`json.JSONDecodeError`), or holds NaN or Infinity.
    RecursionError
        If it nests too deeply.

    Examples
    --------
    >>> strict_json('{"a": [1, 2.5]}')
    {'a': [1, 2.5]}
    """
    return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise RepeatedKeyError(key)
        found[key] = value
    return found


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word}, which is no number of JSON")
