"""Names and ranges used by several specifications."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

from simengine.distributions import Constant, Quantity, one_or_several, spelled

MoveName = Annotated[str, BeforeValidator(spelled(r"\w+ -> \w+", "a move must join two states, as home -> placed"))]
"""Reads `from -> to`."""


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError(f"a name stands once in a list; found {', '.join(names)}")
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
        raise ValueError(f"a duration or count here is above 0; found {quantity}")
    return quantity


PositiveFixed = Annotated[Quantity, AfterValidator(_above_zero)]
