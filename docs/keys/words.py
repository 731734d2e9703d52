"""What may stand at a key, and what holds where it is left out, in words that follow from the model."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import inf
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import AfterValidator, BaseModel, BeforeValidator

from docs.keys.models import Key, bare, models_in, numbers_in
from simengine.contract.terms import Named
from simengine.distributions import Certainty, Constant, DirichletCount, Name, Probability, one_or_several, spelled, within

Told = Callable[[type[BaseModel]], str]
"""From a model to the words for it, with a link where it is described elsewhere."""
_MOST = 1e9
"""A limit above this only keeps numbers computable: it is not told."""
_LEAST = 1e-5
"""So is a limit below this that is not 0: above 0, as far as a reader is concerned."""
_NAME, _PROBABILITY = (bare(hint)[1][-1].func for hint in (Name, Probability))


def allowed(hint: Any, told: Told, names: Sequence[str] = ()) -> str:
    """Say what may stand at a key; `names`: what the names below it are names of."""
    base, rules = bare(hint)
    words = _value(base, rules)
    if words:
        return words
    origin, parts = get_origin(base), get_args(base)
    if origin in (Union, UnionType):
        if models_in(base):
            return "the keys of its kind"
        return ", or ".join(allowed(Annotated[(part, *rules)] if rules else part, told) for part in parts)
    if origin is dict:
        below = allowed(parts[1], told, names[1:])
        return f"{names[0]}: {{{below}}}" if get_origin(bare(parts[1])[0]) is dict else f"{names[0]}: {below}"
    if origin is tuple:
        each = allowed(parts[0], told)
        return f"list: {each}" if models_in(parts[0]) else f"list of {'' if Ellipsis in parts else 'two '}{_plural(each)}"
    return told(base)


def _value(base: Any, rules: tuple[Any, ...]) -> str:
    """Say what a single value may be; nothing where it is made of others."""
    if get_args(base) == get_args(Certainty):
        return "certainty code"
    if get_origin(base) is Literal:
        return listed([f"`{word}`" for word in get_args(base)])
    if get_origin(base) is tuple:
        return "names" if any(isinstance(rule, BeforeValidator) and rule.func is one_or_several for rule in rules) else ""
    if get_origin(base) in (Union, UnionType):
        return _choice(base, rules)
    if base is Constant:
        return _number("fixed number", _checks(rules))
    if base in (int, float):
        return _plain(base, rules)
    if base is str:
        return _text(rules)
    return {bool: "`true` or `false`", object: "any value"}.get(base, "")


def _choice(base: Any, rules: tuple[Any, ...]) -> str:
    numbers = numbers_in(base)
    if any(Named in get_args(part) for part in get_args(base)):
        return "number, name or term"
    if models_in(base) or Constant not in numbers or len(numbers) == 1:
        return ""
    if DirichletCount in numbers:
        return "share" if any("rest" in get_args(bare(part)[0]) for part in get_args(base)) else "chance"
    return _number("number", _checks(rules))


def _checks(rules: tuple[Any, ...]) -> list[Callable[[Any], Any]]:
    return [rule.func for rule in rules if isinstance(rule, AfterValidator)]


def _number(noun: str, checks: list[Callable[[Any], Any]]) -> str:
    """Say the range of a number: that which its rules carry, and what they refuse where they are tried."""
    if _PROBABILITY in checks and noun == "number":
        return "probability"
    ranges = [check for check in checks if isinstance(check, within)]
    low, high = max([one.low for one in ranges], default=-inf), min([one.high for one in ranges], default=inf)
    if low == -inf and not _passes(-1.0, checks):
        low = 0.0
    if not _passes(max(low, 0.0) + 0.5, checks):
        noun = "whole number" if noun == "fixed number" else "whole number or distribution"
    return noun + _range(low, high, is_open=low == 0 and not _passes(0.0, checks))


def _passes(value: float, checks: list[Callable[[Any], Any]]) -> bool:
    try:
        for check in checks:
            check(Constant(value=value))
    except ValueError:
        return False
    return True


def _range(low: float, high: float, *, is_open: bool = False, is_open_above: bool = False) -> str:
    if is_open or 0 < low < _LEAST:
        low = 0.0 if low < _LEAST else low
        most = "" if high >= _MOST else f" and {'below' if is_open_above else 'at most'} {figure(high)}"
        return f" above {figure(low)}{most}"
    if low <= -_MOST:
        return ""
    if high >= _MOST:
        return ", not negative" if low == 0 else f" from {figure(low)}"
    return f" from {figure(low)} to {figure(high)}"


def figure(value: float) -> str:
    """Write a number for a reader."""
    return f"{value:,.10g}".replace("-", "\N{MINUS SIGN}")


def _plain(base: type, rules: tuple[Any, ...]) -> str:
    ends: dict[str, float] = {}
    for rule in (one for each in rules for one in (each, *getattr(each, "metadata", ()))):
        for kind, name in ((Ge, "ge"), (Gt, "gt"), (Le, "le"), (Lt, "lt")):
            if isinstance(rule, kind):
                ends[name] = getattr(rule, name)
    low, high = max(ends.get("ge", -inf), ends.get("gt", -inf)), min(ends.get("le", inf), ends.get("lt", inf))
    is_open, is_open_above = low == ends.get("gt"), high == ends.get("lt")
    return ("whole number" if base is int else "plain number") + _range(low, high, is_open=is_open, is_open_above=is_open_above)


def _text(rules: tuple[Any, ...]) -> str:
    rule = next((rule.func for rule in rules if isinstance(rule, BeforeValidator) and isinstance(rule.func, spelled)), None)
    if rule is None:
        return "text"
    return "name" if rule is _NAME else rule.rule.partition("must be ")[2] or rule.rule


def _plural(words: str) -> str:
    return re.sub(r"\b(number|name|term|text|chance)\b", r"\1s", words)


def listed(words: Sequence[str]) -> str:
    """Write a choice of words; of many, the first and the last."""
    if len(words) > 9:
        return f"{words[0]} to {words[-1]}"
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]


def meaning_and_default(key: Key) -> tuple[str, str]:
    """Return what a key means, and what holds where it is left out.

    Raises
    ------
    ValueError
        If nothing but the latter is said.
    """
    found = re.fullmatch(r"(.*?)(?:; absent: (.*)\.)?", key.sentence)
    assert found is not None
    meaning, absent = found[1], found[2]
    return (f"{meaning.removesuffix('.')}." if absent else meaning), _default(key, absent or "")


def _default(key: Key, absent: str) -> str:
    value = key.field.default
    if key.field.is_required():
        return "needed"
    if absent or value in (None, {}, ()) or (isinstance(value, BaseModel) and not isinstance(value, Constant)):
        return absent or "none"
    return ", ".join(map(_written, value)) if isinstance(value, tuple) else _written(value)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if isinstance(value, str) else figure(getattr(value, "value", value))
