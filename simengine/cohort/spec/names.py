"""Names and ranges used by several specifications."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

from simengine.distributions import Constant, Quantity, a_name, one_or_several, spelled


class _Move(spelled):
    """Refuse what is no move, and a name in it that is none."""

    def __call__(self, raw: Any) -> Any:
        for name in raw.split(" -> ") if isinstance(raw, str) and raw.count(" -> ") == 1 else ():
            a_name(name)
        return super().__call__(raw)


MoveName = Annotated[str, BeforeValidator(_Move(r"\w+ -> \w+", "a move must join two states, as home -> placed"))]
"""Reads `from -> to`."""


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError(f"a name must stand once in a list; found {', '.join(names)}")
    return names


OneOrMore: TypeAlias = Annotated[
    tuple[str, ...],
    BeforeValidator(one_or_several),
    Field(min_length=1, strict=False),
    AfterValidator(_once),
]
"""One name, or a list of names."""
NoneOrMore: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(one_or_several), Field(strict=False), AfterValidator(_once)]
"""One name, or a list of names that may be empty."""


def _above_zero(quantity: Quantity) -> Quantity:
    if quantity.support[0] < 0 or (isinstance(quantity, Constant) and quantity.value <= 0):
        raise ValueError(f"a duration or count here must be above 0; found {quantity}")
    return quantity


PositiveFixed = Annotated[Quantity, AfterValidator(_above_zero)]
