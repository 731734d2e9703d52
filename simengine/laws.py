"""What a number in a study may be: a value or a law, with its source and its certainty.

A *quantity* is written as a bare number, as `{value: 60, source: S3, certainty: Q}`, or as a law:
`{law: lognormal, interval_90: [0.6, 1.05], source: ..., certainty: U}`. Laws are drawn by inverting their distribution
function at one keyed uniform per replication, so that adding a law moves no other draw.

Every form has three members: `inverse(uniform)` gives the values at which its distribution function reaches the uniforms,
`centre` its mean, `support` the range that it cannot leave.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from scipy import special

Floats: TypeAlias = NDArray[np.float64]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]

Certainty = Literal["Q", "D", "C", "P", "U", "M", "R", "assumption", "choice"]
"""How sure a value is.

Q stated in the source; D derived from stated figures; C sources conflict; P a public document holds it but could not be
read; U not public or not found; M general knowledge, not confirmed; R recalled, not re-read; `assumption` made by this
study; `choice` not a fact at all but something that the parties or the reader choose.
"""
ASSUMED: frozenset[str] = frozenset({"P", "U", "M", "R", "assumption"})
Layer = Literal["luck", "knowledge", "measurement", "world"]

# Standard normal quantile at 95 %: half the width of a central 90 % interval, in standard deviations.
_Z_95 = float(special.ndtri(0.95))


class Spec(BaseModel):
    """A part of a study: frozen, and refusing any key that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sourced(Spec):
    """Where a number comes from and how sure it is."""

    source: str | None = None
    certainty: Certainty | None = None
    note: str | None = None
    layer: Layer = "knowledge"

    @property
    def is_assumed(self) -> bool:
        """Whether the number is an assumption rather than a fact or a choice."""
        return self.certainty in ASSUMED


class Constant(Sourced):
    """A number that is the same in every world; it may be written bare."""

    value: Number

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


class Uniform(Sourced):
    """Uniform between `low` and `high`."""

    law: Literal["uniform"]
    low: Number
    high: Number

    @model_validator(mode="after")
    def _ordered(self) -> Uniform:
        _require_increasing(low=self.low, high=self.high)
        return self

    def inverse(self, uniform: Floats) -> Floats:
        return self.low + (self.high - self.low) * uniform

    @property
    def centre(self) -> float:
        return (self.low + self.high) / 2

    @property
    def support(self) -> tuple[float, float]:
        return self.low, self.high

    def __str__(self) -> str:
        return f"uniform {self.low:,.6g} to {self.high:,.6g}"


class Triangular(Sourced):
    """Triangular from `low` over `mode` to `high`."""

    law: Literal["triangular"]
    low: Number
    mode: Number
    high: Number

    @model_validator(mode="after")
    def _ordered(self) -> Triangular:
        _require_increasing(low=self.low, high=self.high)
        if not self.low <= self.mode <= self.high:
            raise ValueError(f"the mode lies between low and high; found {self.low:g}, {self.mode:g}, {self.high:g}")
        return self

    def inverse(self, uniform: Floats) -> Floats:
        width = self.high - self.low
        turn = (self.mode - self.low) / width
        rising = self.low + np.sqrt(uniform * width * (self.mode - self.low))
        falling = self.high - np.sqrt((1 - uniform) * width * (self.high - self.mode))
        return np.where(uniform < turn, rising, falling)

    @property
    def centre(self) -> float:
        return (self.low + self.mode + self.high) / 3

    @property
    def support(self) -> tuple[float, float]:
        return self.low, self.high

    def __str__(self) -> str:
        return f"triangular {self.low:,.6g}, {self.mode:,.6g}, {self.high:,.6g}"


Interval = Annotated[tuple[Number, Number], Field(strict=False)]


class Normal(Sourced):
    """Normal, from `mean` and `sd` or from a central 90 % interval."""

    law: Literal["normal"]
    mean: Number | None = None
    sd: Number | None = None
    interval_90: Interval | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Normal:
        _require_one_form(self, ("mean", "sd"), ("interval_90",))
        return self

    @property
    def _mean_and_sd(self) -> tuple[float, float]:
        if self.interval_90 is not None:
            low, high = self.interval_90
            return (low + high) / 2, (high - low) / (2 * _Z_95)
        assert self.mean is not None
        assert self.sd is not None
        return self.mean, self.sd

    def inverse(self, uniform: Floats) -> Floats:
        mean, sd = self._mean_and_sd
        return mean + sd * np.asarray(special.ndtri(uniform))

    @property
    def centre(self) -> float:
        return self._mean_and_sd[0]

    support: ClassVar[tuple[float, float]] = (-np.inf, np.inf)

    def __str__(self) -> str:
        mean, sd = self._mean_and_sd
        return f"normal {mean:,.6g}, sd {sd:,.6g}"


class Lognormal(Sourced):
    """Lognormal, from `mean` and `sd` or from a central 90 % interval."""

    law: Literal["lognormal"]
    mean: Number | None = None
    sd: Number | None = None
    interval_90: Interval | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Lognormal:
        _require_one_form(self, ("mean", "sd"), ("interval_90",))
        smallest = self.mean if self.interval_90 is None else self.interval_90[0]
        if smallest is not None and smallest <= 0:
            raise ValueError(f"a lognormal law needs positive numbers; found {smallest:g}")
        return self

    @property
    def _location_and_scale(self) -> tuple[float, float]:
        if self.interval_90 is not None:
            low, high = np.log(self.interval_90)
            return float((low + high) / 2), float((high - low) / (2 * _Z_95))
        assert self.mean is not None
        assert self.sd is not None
        variance_of_log = np.log1p((self.sd / self.mean) ** 2)
        return float(np.log(self.mean) - variance_of_log / 2), float(np.sqrt(variance_of_log))

    def inverse(self, uniform: Floats) -> Floats:
        location, scale = self._location_and_scale
        return np.exp(location + scale * np.asarray(special.ndtri(uniform)))

    @property
    def centre(self) -> float:
        """The mean."""
        location, scale = self._location_and_scale
        return float(np.exp(location + scale**2 / 2))

    support: ClassVar[tuple[float, float]] = (0.0, np.inf)

    def __str__(self) -> str:
        location, scale = self._location_and_scale
        low, high = np.exp(location - _Z_95 * scale), np.exp(location + _Z_95 * scale)
        return f"lognormal, 90 % from {low:,.6g} to {high:,.6g}"


class Beta(Sourced):
    """Beta on (0, 1), from `mean` and `sd` or from counts of `successes` and `failures`."""

    law: Literal["beta"]
    mean: Number | None = None
    sd: Number | None = None
    successes: Annotated[Number, Field(gt=0)] | None = None
    failures: Annotated[Number, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Beta:
        _require_one_form(self, ("mean", "sd"), ("successes", "failures"))
        if self.mean is not None and self.sd is not None:
            if not 0 < self.mean < 1:
                raise ValueError(f"the mean of a beta law lies between 0 and 1; found {self.mean:g}")
            if self.sd**2 >= self.mean * (1 - self.mean):
                limit = np.sqrt(self.mean * (1 - self.mean))
                raise ValueError(f"no beta law with mean {self.mean:g} has an sd of {limit:.4g} or more; found {self.sd:g}")
        return self

    @property
    def _shapes(self) -> tuple[float, float]:
        if self.mean is None or self.sd is None:
            assert self.successes is not None
            assert self.failures is not None
            return self.successes, self.failures
        total = self.mean * (1 - self.mean) / self.sd**2 - 1
        return self.mean * total, (1 - self.mean) * total

    def inverse(self, uniform: Floats) -> Floats:
        return np.asarray(special.betaincinv(*self._shapes, uniform))

    @property
    def centre(self) -> float:
        successes, failures = self._shapes
        return successes / (successes + failures)

    support: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def __str__(self) -> str:
        low, high = special.betaincinv(*self._shapes, np.array([0.05, 0.95]))
        return f"beta, mean {self.centre:.4g}, 90 % from {low:.3g} to {high:.3g}"


class Gamma(Sourced):
    """Gamma from `mean` and `sd`."""

    law: Literal["gamma"]
    mean: Annotated[Number, Field(gt=0)]
    sd: Annotated[Number, Field(gt=0)]

    def inverse(self, uniform: Floats) -> Floats:
        shape = (self.mean / self.sd) ** 2
        return np.asarray(special.gammaincinv(shape, uniform)) * (self.sd**2 / self.mean)

    @property
    def centre(self) -> float:
        return self.mean

    support: ClassVar[tuple[float, float]] = (0.0, np.inf)

    def __str__(self) -> str:
        return f"gamma, mean {self.mean:,.6g}, sd {self.sd:,.6g}"


def _form_of(raw: Any) -> str:
    """Choose the model that reads a quantity: by its `law`, else a constant."""
    if isinstance(raw, Mapping):
        law = raw.get("law", "constant")
        return law if isinstance(law, str) else "unknown"
    return str(getattr(raw, "law", "constant"))


Quantity: TypeAlias = Annotated[
    Annotated[Constant, Tag("constant")]
    | Annotated[Uniform, Tag("uniform")]
    | Annotated[Triangular, Tag("triangular")]
    | Annotated[Normal, Tag("normal")]
    | Annotated[Lognormal, Tag("lognormal")]
    | Annotated[Beta, Tag("beta")]
    | Annotated[Gamma, Tag("gamma")],
    Discriminator(
        _form_of,
        custom_error_type="unknown_law",
        custom_error_message="a quantity is a number or one of the laws uniform, triangular, normal, lognormal, beta, gamma",
    ),
]
Fixed: TypeAlias = Constant
"""A number that the parties write down: it may carry a source, but no law."""


class within:  # noqa: N801 - reads as a word in annotations
    """Refuse a quantity whose law can leave the range from `low` to `high`."""

    def __init__(self, low: float, high: float, rule: str) -> None:
        self.low, self.high, self.rule = low, high, rule

    def __call__(self, quantity: Any) -> Any:
        low, high = quantity.support
        if low < self.low or high > self.high:
            found = f"{quantity.value:g}" if isinstance(quantity, Constant) else f"a law on {low:g} to {high:g} ({quantity})"
            raise ValueError(f"{self.rule}; found {found}")
        return quantity


def _whole(quantity: Any) -> Any:
    if quantity.value != int(quantity.value):
        raise ValueError(f"a count is a whole number; found {quantity.value:g}")
    return quantity


_probability = within(0, 1, "a probability lies between 0 and 1")
_not_negative = within(0, np.inf, "a size, price, ratio or duration is not negative")

Probability: TypeAlias = Annotated[Quantity, AfterValidator(_probability)]
NotNegative: TypeAlias = Annotated[Quantity, AfterValidator(_not_negative)]
FixedNotNegative: TypeAlias = Annotated[Fixed, AfterValidator(_not_negative)]
Count: TypeAlias = Annotated[Fixed, AfterValidator(within(0, 1e9, "a count lies between 0 and 1e9")), AfterValidator(_whole)]
Months: TypeAlias = Annotated[
    Fixed, AfterValidator(within(1, 1200, "a number of months lies between 1 and 1200")), AfterValidator(_whole)
]
Share: TypeAlias = Probability | Literal["rest"]
"""A share of a whole; `rest` is what the others leave."""


def quantities_in(node: Any, path: str = "") -> Iterator[tuple[str, Quantity]]:
    """Walk a study and yield every quantity with its dotted path, in the order of the file's models."""
    if isinstance(node, Sourced):
        yield path, cast("Quantity", node)
    elif isinstance(node, BaseModel):
        for name in type(node).model_fields:
            yield from quantities_in(getattr(node, name), _join(path, name))
    elif isinstance(node, Mapping):
        for name, child in node.items():
            yield from quantities_in(child, _join(path, str(name)))
    elif isinstance(node, tuple):
        for number, child in enumerate(node):
            yield from quantities_in(child, _join(path, str(number)))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _require_increasing(**bounds: float) -> None:
    (low_name, low), (high_name, high) = bounds.items()
    if not low < high:
        raise ValueError(f"{low_name} is below {high_name}; found {low:g} and {high:g}")


def _require_one_form(spec: Any, *forms: tuple[str, ...]) -> None:
    """Refuse a law that is given in no form, half a form, or two forms; and a spread that is not positive."""
    given = {name for form in forms for name in form if getattr(spec, name) is not None}
    if not any(given == set(form) for form in forms):
        wanted = " or ".join(" and ".join(form) for form in forms)
        raise ValueError(f"a {spec.law} law is given by {wanted}; found {', '.join(sorted(given)) or 'none of them'}")
    if getattr(spec, "sd", None) is not None and spec.sd <= 0:
        raise ValueError(f"an sd is above 0; found {spec.sd:g}. For a value without spread write `value:`")
    interval = getattr(spec, "interval_90", None)
    if interval is not None:
        _require_increasing(lower_end=interval[0], upper_end=interval[1])
