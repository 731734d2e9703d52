"""Known results of the real contract, to be compared with the forecast.

No number here enters a forecast. Only `retrospect` and `learn` read them.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, nextafter
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import Field, model_validator

from simengine.config.roles import money_findings
from simengine.distributions import Certainty, Number, Spec
from simengine.errors import Finding, one_of

if TYPE_CHECKING:
    from simengine.config.study import Study

METRIC = ("estimate", "truth", "standard_error")
Relation = Literal["at", "above", "at_least", "below", "at_most"]
RELATIONS: tuple[Relation, ...] = get_args(Relation)


class Known(Spec):
    """One published result, with its certainty."""

    of: str
    """The quantity by its name in the columns of the results, such as `metric.saving.estimate` or `investor.net`."""
    wave: str | None = None
    """The wave whose estimate it is; absent: all people."""
    stands: Relation = "at"
    """Relation of the result to the value; all but `at` if only a direction is known."""
    value: Number
    """The figure that was published."""
    rounded_to: Annotated[Number, Field(ge=0)] = 0.0
    """Rounding unit: the figure represents all values within half of it on either side."""
    variant: str | None = None
    """The variant to which it refers; absent: the study itself."""
    source: str | None = None
    """Where it comes from."""
    certainty: Certainty
    """How sure it is: a certainty code."""
    note: str | None = None
    """Remarks for the reader."""

    @model_validator(mode="after")
    def _sense(self) -> Known:
        if self.wave is not None and not (self.of.startswith("metric.") and self.of.endswith(".estimate")):
            raise ValueError(f"a wave must belong to `metric.<metric>.estimate`; found `{self.of}`")
        if self.stands != "at" and self.rounded_to:
            raise ValueError(f"`rounded_to` must belong to a figure that stands `at` its value; found `{self.stands}`")
        return self

    @property
    def column(self) -> str:
        """The name of the quantity, including that of a wave."""
        return self.of if self.wave is None else f"{self.of}.{self.wave}"

    @property
    def ends(self) -> tuple[float, float]:
        """The ends of what the result stands for, both included."""
        return represented(self.stands, self.value, self.rounded_to)

    def __str__(self) -> str:
        value = f"{self.value:,.10g}"
        if self.stands != "at":
            return f"{self.stands.replace('_', ' ')} {value}"
        return f"{value} (rounded to {self.rounded_to:,.10g})" if self.rounded_to else value


def represented(stands: Relation, value: float, rounded_to: float) -> tuple[float, float]:
    """Return the ends, both included, of the values that a published figure or direction stands for.

    Examples
    --------
    >>> represented("at", 3.5, 1.0), represented("at_most", 0.0, 0.0)
    ((3.0, 4.0), (-inf, 0.0))
    """
    if stands == "at":
        return value - rounded_to / 2, value + rounded_to / 2
    if stands in ("above", "at_least"):
        return (nextafter(value, inf) if stands == "above" else value), inf
    return -inf, (nextafter(value, -inf) if stands == "below" else value)


def known_problems(study: Study) -> Iterator[Finding]:
    """Find results that cannot be compared with any run of the study."""
    for name, known in study.known.items():
        path = f"known.{name}"
        section, _, rest = known.of.partition(".")
        subject = rest.partition(".")[0]
        existing = {"metric": list(study.measurement.measured), "term": list(study.contract.terms)}.get(section)
        if existing is not None and subject not in existing:
            yield f"{path}.of", "a known result must be of something that is measured or paid", f"`{subject}`", one_of(existing)
        if section in study.parties:
            yield from money_findings(study, section, f"{path}.of")
        if known.wave is not None and known.wave not in study.population.waves:
            yield f"{path}.wave", "a wave must be one of the population", f"`{known.wave}`", one_of(study.population.waves)
        if known.variant is not None and known.variant not in study.variants:
            yield f"{path}.variant", "a variant must be one of the study's own", f"`{known.variant}`", one_of(study.variants)
        for code in (known.source or "").split(",") if study.study.sources else ():
            if code.strip() and code.strip() not in study.study.sources:
                rule = "a source must be one of those listed under `sources`"
                yield f"{path}.source", rule, f"`{code.strip()}`", one_of(study.study.sources)
