"""Units of study and contract: the unit of an estimate must be that of the contract's metric.

Each rule is a generator of findings `(path, rule, found, way out)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from simengine.cohort.outcomes import OutcomeKind
from simengine.cohort.outcomes.base import OutcomeUnit as Counted
from simengine.config.study import Study
from simengine.contract.units import DAYS, FREE, HUNDRED, MONEY, NUMBER, PEOPLE, PERSON, POINTS, SHARE, TIMES, ContractUnit, unit_of
from simengine.errors import Finding
from simengine.measurement.spec import Metric


@dataclass(frozen=True)
class Yields:
    """The units in which an estimate may be expressed."""

    said: str
    """The first of them, as a contract would write it."""
    bases: tuple[str, ...]
    pers: tuple[str, ...]
    currency: str

    def fits(self, unit: ContractUnit) -> bool:
        """Whether a unit is one of these."""
        is_counted = unit.base in self.bases or (unit.is_of_people and PEOPLE in self.bases)
        is_money = unit.base == MONEY
        return is_counted and unit.per in self.pers and (not is_money or (unit.currency == self.currency and not unit.is_scaled))


def unit_problems(study: Study) -> Iterator[Finding]:
    """Find metrics of the contract in another unit than the estimate that they are settled on."""
    for name in study.contract.inputs() if study.contract.currency == study.study.currency else ():
        metric = study.measurement.measured.get(name)
        outcome = None if metric is None else study.outcomes.get(metric.outcome)
        if metric is None or outcome is None:
            continue
        use, yields = study.contract.metrics[name], yielded(study, metric, outcome)
        if not yields.fits(unit_of(use.unit, study.contract.currency)):
            rule = f"must be in the unit of measurement.metrics.{name}, a {metric.estimate} of `{metric.outcome}`: {yields.said}"
            way_out = f"Write `unit: {yields.said}`, with prices and levels to match, or choose another `estimate`"
            yield f"contract.metrics.{name}.unit", rule, f"`{use.unit}`", way_out


def yielded(study: Study, metric: Metric, outcome: OutcomeKind) -> Yields:
    """Return the units of a metric.

    A mean difference may leave out that it is per person ("days", "points"), as is usual; a total may not say it.
    """
    said, bases = _counted(study, metric, outcome)
    currency, estimate = study.study.currency, metric.estimate
    if estimate in ("relative_reduction", "efficiency_ratio"):
        return Yields(SHARE, (SHARE,), ("",), currency)
    if estimate == "total_difference":
        return Yields(said, bases, ("",), currency)
    if outcome.is_yes_or_no:
        is_hundred = estimate == "per_100_difference"
        return (
            Yields("per 100", (SHARE, PEOPLE, FREE), (HUNDRED,), currency)
            if is_hundred
            else Yields(SHARE, (SHARE,), ("",), currency)
        )
    if estimate == "per_100_difference":
        return Yields(f"{said} per 100 people", (*bases, FREE), (HUNDRED,), currency)
    # A score may be a share of something, and so may what a card of points gives a person.
    return Yields(f"{said} per person", (*bases, SHARE) if POINTS in bases else bases, ("", PERSON), currency)


def _counted(study: Study, metric: Metric, outcome: OutcomeKind) -> tuple[str, tuple[str, ...]]:
    """Return the unit of an outcome and its synonyms."""
    currency, prices = study.study.currency, study.public_value.get(metric.outcome, {}).values()
    if outcome.may_be_money and prices and all(price.value_per_unit is None for price in prices):
        # It is valued as it is: it can be nothing else.
        return currency, (MONEY, FREE)
    said: dict[Counted, tuple[str, tuple[str, ...]]] = {
        "people": (PEOPLE, (PEOPLE, NUMBER, FREE)),
        "number": (NUMBER, (NUMBER, FREE)),
        "days": (DAYS, (DAYS, FREE)),
        "money or points": (currency, (MONEY, POINTS, FREE)),
        "money or another amount": (f"{currency}, days or a word of one's own", (MONEY, *TIMES, NUMBER, FREE)),
        "points": (POINTS, (POINTS, MONEY, *TIMES, NUMBER, FREE)),
    }
    return said[outcome.unit]
