"""Examples of keys, from the studies, contracts and portfolios that come with the package."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from docs.keys.models import Key, every_key, kind_of, models_in
from simengine.config import Study
from simengine.config.document import read_document
from simengine.config.portfolio import Portfolio
from simengine.contract.spec import Contract
from simengine.contract.terms import Term
from simengine.distributions import Share, Sourced
from simengine.spells.choices import FitChoices
from simengine.spells.mapping import SpellsMapping

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
LONGEST = 52
"""Of an example, in letters: a longer one is not shown."""
_FIRST = ("tiny", "two_lenders")
"""Studies that are looked at before the others."""
_FILES: Mapping[Any, str] = {
    Contract: "contracts/*.yaml",
    Portfolio: "portfolios/*.yaml",
    FitChoices: "spells/pathway.yaml",
    SpellsMapping: "spells/mapping.yaml",
}
"""Files that a model reads; a study those beside them."""
_ABOUT_A_NUMBER = {"source", "certainty", "note"}
"""Left out of an example: every number may have them."""


def example(key: Key, root: Any, *, is_anywhere: bool) -> str:
    """Return the first short value of a key in a file; nothing where there is none, or where keys stand below it."""
    if models_in(key.hint) or key.is_mark:
        return ""
    values = _of_numbers(key) if root is Share else _of_paths(_paths(key, root) if is_anywhere else [key.path], key, root)
    return next((f"`{shown}`" for shown in map(_on_one_line, values) if 0 < len(shown) <= LONGEST), "")


def _paths(key: Key, root: Any) -> list[str]:
    return [one.path for one in every_key(root) if one.name == key.name and issubclass(one.model, key.model)]


def _of_paths(paths: Iterable[str], key: Key, root: Any) -> Iterator[Any]:
    for path in paths:
        for content in _contents(root):
            yield from _at(content, path.split("."), key)


def _of_numbers(key: Key) -> Iterator[Any]:
    """Yield what stands at a key of a number with its distribution."""
    kind = "" if issubclass(Sourced, key.model) else kind_of(key.model)
    for number in (one for content in _contents(Study) for one in _mappings(content)):
        if key.name in number and (number.get("distribution") == kind or (not kind and "distribution" in number)):
            yield number[key.name]


def _mappings(content: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(content, Mapping):
        yield content
    for one in content.values() if isinstance(content, Mapping) else content if isinstance(content, list) else ():
        yield from _mappings(one)


@cache
def _contents(root: Any) -> tuple[Any, ...]:
    """Return what stands in the files that hold what a model reads."""
    paths = sorted(CONFIGS.glob(_FILES.get(root, "*.yaml")), key=lambda path: (path.stem not in _FIRST, path.stem))
    own = tuple(read_document(path).content for path in paths)
    return (*own, *(study["contract"] for study in _contents(Study))) if root is Contract else own


def _at(content: Any, path: list[str], key: Key) -> Iterator[Any]:
    """Yield what stands at a path, under any names; where things of several kinds may stand, only of one kind."""
    if not path:
        yield content
    elif isinstance(content, list):
        for one in content:
            yield from _at(one, path, key)
    elif isinstance(content, Mapping) and path[0].startswith("<"):
        for one in content.values():
            yield from _at(one, path[1:], key)
    elif isinstance(content, Mapping) and path[0] in content:
        yield from _at(content[path[0]], path[1:], key) if len(path) > 1 or _reads(key.model, content) else ()


def _reads(model: type[BaseModel], content: Mapping[str, Any]) -> bool:
    """Whether a thing is of the kind that a model reads."""
    if issubclass(model, Term):
        return model.key in content or not model.key
    return content.get("kind", kind_of(model)) == kind_of(model) or not any(
        Key("", model, name).is_mark for name in model.model_fields
    )


def _on_one_line(value: Any) -> str:
    """Write a value as it may stand in a file."""
    if isinstance(value, Mapping):
        kept = {key: part for key, part in value.items() if key not in _ABOUT_A_NUMBER}
        if list(kept) == ["value"]:
            return _on_one_line(kept["value"])
        return "{" + ", ".join(f"{key}: {_on_one_line(part)}" for key, part in kept.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_on_one_line, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:_}" if isinstance(value, int) and abs(value) >= 10_000 else str(value) or '""'
