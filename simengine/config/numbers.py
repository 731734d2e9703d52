"""A study with other numbers, reached by their paths: frozen parts are copied along the way, everything else is shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError

from simengine.config.consistency import study_problems
from simengine.config.study import Study
from simengine.distributions import Constant
from simengine.errors import Finding, UsageError

Node = TypeVar("Node")


def with_numbers(node: Node, numbers: Mapping[str, Any]) -> Node:
    """Return a study, or a part of one, with other values or distributions at some paths; what is put there is not checked.

    Parameters
    ----------
    node
        What is changed: anything made of models, mappings and tuples.
    numbers
        By path: a bare number becomes a constant, anything else is put there as it is.

    Examples
    --------
    >>> from simengine import find_study, load_study
    >>> study = with_numbers(load_study(find_study("tiny")), {"contract.terms.guarantee.share": 0.5})
    >>> study.contract.terms["guarantee"].share.value
    0.5
    """
    by_name: dict[str, dict[str, Any]] = {}
    for path, number in numbers.items():
        name, _, rest = path.partition(".")
        by_name.setdefault(name, {})[rest] = number
    changed = {name: _changed(_child(node, name), below) for name, below in by_name.items()}
    return cast(Node, _with_children(node, changed))


def problems_with(study: Study, numbers: Mapping[str, float]) -> list[Finding]:
    """Find what the rules of a study say against other numbers at some paths."""
    changed = with_numbers(study, numbers).model_copy(update={"sizing": None})
    try:
        again = Study.model_validate(changed.model_dump(mode="json", exclude_none=True, exclude_defaults=True))
    except ValidationError as error:
        return [_finding(details["loc"], details["msg"]) for details in error.errors()]
    return study_problems(again)


def _finding(location: Sequence[int | str], message: str) -> Finding:
    rule, _, found = message.removeprefix("Value error, ").partition("; found ")
    return ".".join(map(str, location)), rule, found, ""


def _changed(node: Any, below: Mapping[str, Any]) -> Any:
    if "" not in below:
        return with_numbers(node, below)
    number = below[""]
    return Constant(value=float(number), certainty="choice") if isinstance(number, int | float) else number


def _child(node: Any, name: str) -> Any:
    if isinstance(node, BaseModel) and name in type(node).model_fields:
        return getattr(node, name)
    if isinstance(node, Mapping) and name in node:
        return node[name]
    if isinstance(node, tuple) and name.isdecimal() and int(name) < len(node):
        return node[int(name)]
    raise UsageError(f"the path of a number must exist in the study; found no `{name}` where it was looked for")


def _with_children(node: Any, changed: Mapping[str, Any]) -> Any:
    if isinstance(node, BaseModel):
        return node.model_copy(update=changed)
    if isinstance(node, Mapping):
        return {**node, **changed}
    return tuple(changed.get(str(place), child) for place, child in enumerate(node))
