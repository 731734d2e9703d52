"""A number with its source and its certainty; and what every distribution refuses about its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from simengine.arrays import Floats

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]

Certainty = Literal["Q", "D", "C", "P", "U", "M", "R", "assumption", "choice"]
"""How sure a value is.

Q stated in the source; D derived from stated figures; C sources conflict; P a public document holds it but could not be
read; U not public or not found; M general knowledge, not confirmed; R recalled, not re-read; `assumption` made by this
study; `choice` not a fact at all but something that the parties or the reader choose.
"""
ASSUMED: frozenset[str] = frozenset({"P", "U", "M", "R", "assumption"})
Layer = Literal["sampling", "parameters", "measurement", "environment"]


_LONGEST_REPR = 200
"""Characters of a part of a study where it is printed."""


class Spec(BaseModel):
    """A part of a study: frozen, and refusing any key that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    def __copy__(self) -> Self:
        """Leave out what was worked out of the keys: a copy may be given others."""
        copied = super().__copy__()
        for name in copied.__dict__.keys() - type(self).__pydantic_fields__.keys():
            del copied.__dict__[name]
        return copied

    def __repr__(self) -> str:
        # A whole contract would take thousands of characters.
        text = super().__repr__()
        return text if len(text) <= _LONGEST_REPR else f"{text[:_LONGEST_REPR]} ...>"

    def __str__(self) -> str:
        return repr(self)


class Sourced(Spec):
    """A number's source and certainty."""

    source: str | None = None
    """Where it comes from, by convention codes of `study.sources`."""
    certainty: Certainty | None = None
    """How sure it is: a certainty code; absent: counted as unmarked."""
    note: str | None = None
    """Remarks for the reader."""
    layer: Layer = "parameters"
    """What kind of uncertainty the distribution describes."""

    @property
    def is_assumed(self) -> bool:
        """Whether the number is an assumption rather than a fact or a choice."""
        return self.certainty in ASSUMED


class Constant(Sourced):
    """A number that is the same in every replication; it may be written bare."""

    value: Number
    """The number; of a number without a distribution."""

    @model_validator(mode="before")
    @classmethod
    def _accept_bare_number(cls, raw: Any) -> Any:
        return raw if isinstance(raw, Mapping | Sourced) else {"value": raw}

    def inverse(self, uniform: Floats) -> Floats:
        return np.full_like(uniform, self.value)

    @property
    def centre(self) -> float:
        return self.value

    @property
    def support(self) -> tuple[float, float]:
        return self.value, self.value

    def __str__(self) -> str:
        return f"{self.value:,.10g}"


def require_increasing(**bounds: float) -> None:
    """Refuse two bounds whose first, by its name, is not below the second."""
    (low_name, low), (high_name, high) = bounds.items()
    if not low < high:
        raise ValueError(f"{low_name} must be below {high_name}; found {low:g} and {high:g}")


def require_one_form(spec: Any, *forms: tuple[str, ...]) -> None:
    """Refuse a distribution that is given in no form, half a form, or two forms; and a spread that is not positive."""
    given = {name for form in forms for name in form if getattr(spec, name) is not None}
    if not any(given == set(form) for form in forms):
        wanted = " or ".join(" and ".join(form) for form in forms)
        raise ValueError(
            f"a {spec.distribution} distribution must be given by {wanted}; found {', '.join(sorted(given)) or 'none of them'}"
        )
    if getattr(spec, "sd", None) is not None and spec.sd <= 0:
        raise ValueError(f"an sd must be above 0; found {spec.sd:g}. For a value without spread write `value:`")
    interval = getattr(spec, "interval_90", None)
    if interval is not None:
        require_increasing(lower_end=interval[0], upper_end=interval[1])


# From the smallest uniform that is ever drawn to the largest: see `streams.uniform_of`.
_PROBES = np.array([2.0**-53, 0.05, 0.5, 0.95, 1 - 2.0**-53])
_ROUNDING = 1e-9


def computable(distribution: Any) -> Any:
    """Refuse a distribution whose mean or whose values floating-point numbers cannot hold.

    A mean above every value that can be drawn counts as such: no simulation would ever come near it.
    """
    try:
        with np.errstate(all="ignore"):
            values, mean = distribution.inverse(_PROBES), float(distribution.centre)
    except ArithmeticError as error:
        raise ValueError(f"this {_name(distribution)} cannot be computed: {error}") from None
    with np.errstate(all="ignore"):
        slack = _ROUNDING * np.abs(values).max()
        is_sound = np.isfinite(values).all() and (np.diff(values) >= 0).all() and values[0] - slack <= mean <= values[-1] + slack
    if not is_sound:
        found = f"its mean comes out as {mean:g}, its values from {values[0]:g} to {values[-1]:g}"
        raise ValueError(f"this {_name(distribution)} cannot be computed: {found}")
    return distribution


def _name(distribution: Any) -> str:
    return f"{distribution.distribution} distribution" if hasattr(distribution, "distribution") else "number"
