"""Validate a file against a model, or report everything that is wrong with it in the project's own messages."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, TypeVar, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic_core import ErrorDetails
from typing_extensions import TypeAliasType

from simengine.config.document import DECIMAL_POINT, Document, KeyPath
from simengine.config.renamed import refuse_old_words
from simengine.errors import SHOWN_PROBLEMS, Finding, Problem, StudyError, shorten

Model = TypeVar("Model", bound=BaseModel)
Location: TypeAlias = tuple[int | str, ...]
_LONGEST_NAME = 40
"""Characters of a key in which a misspelt name is looked for."""


def validate(model: type[Model], document: Document) -> Model:
    """Read a document as a model, or report everything that is wrong with it."""
    refuse_old_words(document)
    try:
        return model.model_validate(document.content)
    except ValidationError as error:
        found = error.errors(include_url=False)
        # To look for what somebody meant takes long; nobody sees it of problems that are only counted.
        problems = [_explain(model, document, details, suggests=i < 2 * SHOWN_PROBLEMS) for i, details in enumerate(found)]
        raise StudyError(_once_each(problems)) from None


def refuse(document: Document, problems: Iterable[Finding]) -> None:
    """Raise the inconsistencies found, with file and line, if there are any."""
    found = [
        Problem(document.place_of(tuple(path.split("."))), path, rule, found, way_out) for path, rule, found, way_out in problems
    ]
    if found:
        raise StudyError(found)


def _once_each(problems: list[Problem]) -> list[Problem]:
    return list({(problem.where, problem.key, problem.rule): problem for problem in problems}.values())


_LINES = "must be `key: value` lines"
_RULES = {
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": _LINES,
    "model_type": _LINES,
    "model_attributes_type": _LINES,
    "tuple_type": "must be a list",
    "missing": "must be given",
    "extra_forbidden": "this key is unknown",
    "literal_error": "must be {expected}",
    "union_tag_invalid": "`{discriminator}` must be one of {expected_tags}",
    "union_tag_not_found": "must say {discriminator}",
    "too_short": "must have {min_length} or more entries",
    "too_long": "must have at most {max_length} entries",
    "greater_than": "must be above {gt:,.10g}",
    "greater_than_equal": "must be at least {ge:,.10g}",
    "less_than": "must be below {lt:,.10g}",
    "less_than_equal": "must be at most {le:,.10g}",
}
"""By kind of the validator's finding: what must be."""


def _explain(model: type[BaseModel], document: Document, details: ErrorDetails, *, suggests: bool) -> Problem:
    """Turn one finding of the validator into a problem with its line."""
    path, rest = _path_in_file(document.content, details["loc"])
    kind = details["type"]
    rule = _RULES.get(kind, details["msg"].removeprefix("Value error, "))
    if kind in _RULES:
        rule = rule.format(**details.get("ctx", {})).replace("'", "")
    if kind in ("missing", "extra_forbidden"):
        path = (*path, *rest[-1:]) if kind == "missing" else path
        found, way_out = "", _suggest(model, details) if kind == "extra_forbidden" and suggests else ""
        if kind == "missing" and len(path) == 1:
            way_out = f"Copy this section from a shipped study, such as configs/tiny.yaml; its keys: docs/reference/{_page(model)}"
    elif kind == "value_error":
        path = (*path, *map(str, details.get("ctx", {}).get("below", ())))
        rule, _, found = rule.partition("; found ")
        found, _, way_out = found.partition(". ")
    else:
        found, way_out = shorten(details["input"]), _hint(kind, details["input"])
    return Problem(document.place_of(path), ".".join(path), rule, found, way_out)


_DECIMAL_COMMA = re.compile(r"[-+]?\d[\d.]*,\d+")
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:[ .,_\u00a0]\d{3})+|[-+]?\d+(?:\.\d+)?")
_SIGNS = {"%": 0.01, "mkr": 1e6, "msek": 1e6, "tkr": 1e3, "tsek": 1e3, "kr": 1.0, "sek": 1.0, "": 1.0}
_IN_WORDS = re.compile(r"(.*?\d)\s*(%|[a-z]*)", re.IGNORECASE)
_FRACTION = re.compile(r"(\d+)\s*/\s*(\d+)")


def _hint(kind: str, value: Any) -> str:
    """Return how a number is written that somebody wrote as in a letter: with a comma, a per cent sign, blanks, a unit."""
    if kind == "too_long" or (isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value)):
        return DECIMAL_POINT
    number = _as_meant(value) if isinstance(value, str) else None
    return "" if number is None else f"Write {number}; a number has no sign, no unit, and no blanks or points between thousands"


def _as_meant(text: str) -> str | None:
    """Write a number as YAML would have it.

    Examples
    --------
    >>> _as_meant("60 %"), _as_meant("6 mkr"), _as_meant("6.000.000"), _as_meant("4 / 5"), _as_meant("sixty")
    ('0.6', '6_000_000', '6_000_000', '0.8', None)
    """
    if (fraction := _FRACTION.fullmatch(text.strip())) is not None:
        return f"{int(fraction[1]) / int(fraction[2]):.6g}" if int(fraction[2]) else None
    said = _IN_WORDS.fullmatch(text.strip())
    if said is None or said[2].lower() not in _SIGNS or _THOUSANDS.fullmatch(said[1]) is None:
        return None
    digits = said[1] if re.fullmatch(r"[-+]?\d+\.\d+", said[1]) and said[2] else re.sub(r"[ .,_\u00a0]", "", said[1])
    number = float(digits) * _SIGNS[said[2].lower()]
    return f"{number:_.0f}" if number.is_integer() else f"{number:.6g}"


def _path_in_file(content: Any, location: Location) -> tuple[KeyPath, KeyPath]:
    """Follow a validator's location through the raw data, skipping the names of unions; and what was not followed."""
    path: list[str] = []
    skipped: list[str] = []
    for step in location:
        name = str(step)
        if isinstance(content, Mapping) and name in content:
            content = content[name]
        elif isinstance(content, list) and isinstance(step, int) and step < len(content):
            content = content[step]
        else:
            skipped.append(name)
            continue
        path.append(name)
    return tuple(path), tuple(skipped)


_PAGES = {"Contract": "contract.md", "Portfolio": "portfolio.md", "FitChoices": "fit.md", "SpellsMapping": "spells.md"}


def _suggest(model: type[BaseModel], details: ErrorDetails) -> str:
    """Suggest a known key for an unknown one."""
    *place, key = details["loc"]
    if ":" in str(key):
        name, _, rest = str(key).partition(":")
        return f"A blank must follow the colon: `{name}: {rest}`"
    if str(key).isdecimal() and details["input"] is None:
        return DECIMAL_POINT
    known = [name for name in _known_keys(model, tuple(place)) if name != key]
    close = difflib.get_close_matches(str(key)[:_LONGEST_NAME], known, n=1)
    if close:
        return f"Did you mean `{close[0]}`?"
    page = "contract.md" if place[:1] == ["contract"] else _page(model)
    there = f"Known keys here: {', '.join(known)}" if known else f"See docs/reference/{page}"
    # In braces a comma ends a text: what follows it is read as a key without a value.
    return f"If it belongs to the text before it, put the text in quotes. {there}" if details["input"] is None else there


def _page(model: type[BaseModel]) -> str:
    return _PAGES.get(model.__name__, "study.md")


def _known_keys(annotation: Any, location: Location) -> list[str]:
    """List the keys that a model knows at a validator's location; where several models are possible, the keys of all."""
    if isinstance(annotation, TypeAliasType):
        return _known_keys(annotation.__value__, location)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields
        if not location:
            return list(fields)
        inner = fields.get(str(location[0]))
        return [] if inner is None else _known_keys(inner.annotation, location[1:])
    arguments = [argument for argument in get_args(annotation) if argument not in (type(None), Ellipsis)]
    if get_origin(annotation) in (dict, tuple):
        return _known_keys(arguments[-1], location[1:]) if location else []
    if location:
        chosen = [argument for argument in arguments if _is_called(argument, location[0])]
        if chosen:
            return _known_keys(chosen[0], location[1:])
    return list(dict.fromkeys(key for argument in arguments for key in _known_keys(argument, location)))


def _is_called(annotation: Any, name: int | str) -> bool:
    """Whether a validator calls one of several models so: by its tag, or by what a key such as `kind` says in it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return any(name in get_args(inner.annotation) for inner in annotation.model_fields.values() if not inner.metadata)
    return any(isinstance(mark, Tag) and mark.tag == name for mark in get_args(annotation)[1:])
