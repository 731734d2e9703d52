"""Payments and stops come after everything that they depend on, and before the horizon ends.

Each rule is a generator of findings `(path, rule, found, way out)`.
"""

from __future__ import annotations

from collections.abc import Iterator

from simengine.cohort.outcomes import behind, price_lists
from simengine.config.study import Study
from simengine.contract.compile import Dependence, dependences
from simengine.contract.rules import contract_rules
from simengine.errors import Finding

_WAY_OUT = "Pay later or measure earlier"


def payment_problems(study: Study) -> Iterator[Finding]:
    """Find payments, stops and variations that come too early or too late."""
    yield from _milestones(study)
    # What a payment depends on can be worked out only where all names are known.
    if any(contract_rules(study.contract)) or not _claim_is_there(study):
        return
    for dependence in dependences(study.contract):
        yield from _payment(study, dependence) if dependence.section == "terms" else _decision(study, dependence)


def _claim_is_there(study: Study) -> bool:
    """Whether the study counts the milestones of its contract, if there are any."""
    claims = [set(one.prices) for one in price_lists(study.outcomes).values()]
    names = set(study.contract.milestones)
    return not names or (names in claims and names <= set(study.outcomes))


def _milestones(study: Study) -> Iterator[Finding]:
    """Find milestones that are read after the people stop being counted."""
    window = _last_window(study)
    for name in study.contract.milestones:
        for read in behind(study.outcomes, name):
            month = study.outcomes[read].read_at_month
            if month is not None and month > window:
                rule = f"the milestones must be reached within the longest window of a metric, {window:g} months"
                found = f"`{read}`, read {month:g} months after entry"
                yield f"contract.milestones.{name}", rule, found, "Lengthen the window of a metric, or read it earlier"


def _payment(study: Study, dependence: Dependence) -> Iterator[Finding]:
    """Find a payment beyond the horizon, or before something that it depends on is known."""
    horizon, term = study.study.horizon_months.value, dependence.name
    path, earliest, latest = f"contract.terms.{term}", float(dependence.month), float(dependence.month)
    if not dependence.date:
        path = f"capital.payment_month.{term}"
        if term not in study.capital.payment_month:
            return
        earliest, latest = study.capital.payment_month[term].support
    late = max((one.pays_late_months.support[1] for one in study.capital.payers.values() if one.pays_late_months), default=0.0)
    latest += late
    if latest > horizon:
        found = f"up to month {latest:g}" + (f", {late:g} of them late" if late else "")
        yield path, f"a term must be paid within the horizon of {horizon:g} months", found, ""
    measured = _known_from(study, dependence)
    if earliest < measured:
        found = f"paid as early as month {earliest:g}, measured as late as month {measured:g}"
        yield path, "a payment must follow the measurement it depends on", found, _WAY_OUT


def _decision(study: Study, dependence: Dependence) -> Iterator[Finding]:
    """Find a stop or a variation that is decided before something that it depends on is known."""
    measured = _known_from(study, dependence)
    if dependence.month < measured:
        rule = f"a {dependence.section.rstrip('s')} must be decided after the measurement that it looks at"
        found = f"decided in month {dependence.month}, measured as late as month {measured:g}"
        yield f"contract.{dependence.section}.{dependence.name}.at", rule, found, "Decide later or measure earlier"


def _known_from(study: Study, dependence: Dependence) -> float:
    """Find the month in which the last of all that a payment depends on is known."""
    metrics, entries = study.measurement.measured, [wave.last_entry_month for wave in study.population.waves.values()]
    known = [0.0]
    for metric, wave in dependence.metrics:
        if metric in metrics:
            known.append(_last_entry(entries, wave) + metrics[metric].known_after_months)
    for milestone, place in dependence.milestones:
        known.append(_last_entry(entries, place if study.contract.waves else None) + _reached_after(study, milestone))
    return max([*known, *(_last_entry(entries, wave) for wave in dependence.people)])


def _last_entry(entries: list[float], wave: int | None) -> float:
    """Find the last month in which somebody enters: of one wave, or of all."""
    return max(entries if wave is None else entries[wave : wave + 1], default=0.0)


def _reached_after(study: Study, milestone: str) -> float:
    """Find how many months after entry it is known whether a milestone was reached: read at a date, or by the longest window."""
    window, months = _last_window(study), list[float]()
    for name in behind(study.outcomes, milestone):
        one = study.outcomes[name]
        if one.read_at_month is not None:
            months.append(one.read_at_month)
        elif not one.rests_on:
            months.append(window)
    # What rests on other outcomes alone is known when they are.
    return max(months, default=window)


def _last_window(study: Study) -> float:
    return max((metric.window_months.value for metric in study.measurement.measured.values()), default=0.0)
