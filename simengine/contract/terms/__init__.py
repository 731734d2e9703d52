"""The kinds of terms: small frozen values with one formula each, which refer to one another.

`Source` is whatever a term may refer to: a name, a bare number, or a term. A kind is told by its one key, so that a file reads
`{share: 0.6, of: saving, cap: {share: 0.6, of: drawn}}`. To add a kind, add a file here and import it below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import Discriminator, Tag
from typing_extensions import TypeAliasType

from simengine.contract.terms import amounts, base, calendar, combine, people, rate_card, returns, tables, volume
from simengine.contract.terms.base import OF_THE_CONTRACT, TERM_KINDS, Band, Currency, Gate, Named, Term, parts_within
from simengine.contract.terms.combine import times

__all__ = [
    "FAMILIES",
    "OF_THE_CONTRACT",
    "TERM_KINDS",
    "AnyTerm",
    "Band",
    "Currency",
    "Gate",
    "Name",
    "Named",
    "Source",
    "Term",
    "kind_of",
    "parts_within",
    "times",
]

FAMILIES = (amounts, calendar, combine, people, rate_card, returns, tables, volume)
"""The files that define kinds: loading one enters its kinds into `TERM_KINDS`."""
_NAMED = "named"


def kind_of(raw: Any) -> str | None:
    """Return the key that marks a term, or the tag of a bare name or number; None where no single kind fits."""
    if isinstance(raw, Term):
        return raw.key
    if isinstance(raw, str | Named):
        return _NAMED
    if isinstance(raw, Mapping):
        # A sum of money with its source is a number, too.
        found = [key for key in TERM_KINDS if key in raw] or (["amount"] if "value" in raw else [])
        return found[0] if len(found) == 1 else None
    return "amount" if isinstance(raw, int | float) and not isinstance(raw, bool) else None


def _tag(raw: Any) -> str | None:
    kind = kind_of(raw)
    return None if kind is None else f"<{kind}>"


if TYPE_CHECKING:
    Source: TypeAlias = Named | Term
    AnyTerm: TypeAlias = Term
else:
    _message = f"a term has exactly one of the keys {', '.join(TERM_KINDS)}"
    _kinds = [Annotated[kind, Tag(f"<{key}>")] for key, kind in TERM_KINDS.items()]
    _told = Discriminator(_tag, custom_error_type="unknown_kind", custom_error_message=_message)
    AnyTerm = TypeAliasType("AnyTerm", Annotated[reduce(or_, _kinds), _told])
    _message = f"a number, a name, or a term with exactly one of the keys {', '.join(TERM_KINDS)} belongs here"
    _told = Discriminator(_tag, custom_error_type="unknown_source", custom_error_message=_message)
    Source = TypeAliasType("Source", Annotated[reduce(or_, _kinds, Annotated[Named, Tag(f"<{_NAMED}>")]), _told])


def _complete(files: Iterable[ModuleType]) -> None:
    """Resolve the references between kinds, now that all of them are defined.

    Resolving them one by one would build all kinds for each of them.
    """
    for file in files:
        vars(file)["Source"] = Source


_complete((base, *FAMILIES))
