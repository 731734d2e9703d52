"""Conditions for exact moments in place of people: they are known, and the group is large enough to be normal.

Each rule is a generator of findings `(path, rule, found, way out)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import floor

from simengine.config.study import Study
from simengine.distributions import Constant
from simengine.errors import Finding

_LEAST = 1000
"""People from whom on a mean is taken for normal: with a skewness of 3 between persons its distribution is wrong by
3 / (6 sqrt(2 pi 1000)) = 0.6 % at most, to first order (Edgeworth)."""


def moments_problems(study: Study) -> Iterator[Finding]:
    """Find everything that would make the computed moments wrong."""
    for section in study.measurement.by_moments:
        path = f"measurement.{section}.exact_moments"
        yield from _shared(study, path)
        yield from _lives(study, path)
        yield from _section(study, section, path)
        for name in study.measurement.measured:
            for rule, found in without_exact_moments(study, section, name):
                yield path, rule, found, "Leave `exact_moments` out, or measure it by a design that does not compare with them"


def without_exact_moments(study: Study, section: str, name: str) -> Iterator[tuple[str, str]]:
    """Find why the exact moments of a group cannot stand for its people in a metric that is compared with it: rule, and found."""
    metric = study.measurement.measured[name]
    outcome = study.outcomes.get(metric.outcome)
    if section not in study.measurement.sections_of(name):
        return
    if outcome is not None and (found := outcome.without_moments):
        rule = f"exact moments must be those of amounts by the day or of counts of one event; `{name}` measures another"
        yield rule, f"`{metric.outcome}`: {found}"
    if metric.per is not None:
        yield "exact moments are those of one outcome", f"the efficiency ratio `{name}`"


def known_metrics(study: Study) -> tuple[str, ...]:
    """List the metrics of the contract for which the exact mean of people without the service is known in every replication."""
    if [*_shared(study, ""), *_lives(study, "")]:
        return ()
    metrics = study.measurement.measured
    return tuple(
        name
        for name in study.contract.inputs()
        if name in metrics and metrics[name].per is None and study.outcomes[metrics[name].outcome].without_moments is None
    )


def _shared(study: Study, path: str) -> Iterator[Finding]:
    """Find shared factors, with which many people are not independent."""
    rule = "people replaced by their moments must be independent in each replication"
    for kind, names in (("sites", study.population.sites), ("shocks", study.shocks)):
        if names:
            found = f"{kind}: {', '.join(names)}"
            yield path, rule, found, "Leave `exact_moments` out: what is shared must be kept"


def _lives(study: Study, path: str) -> Iterator[Finding]:
    rule = "hazards and rates must change with the months since entry alone, and nobody may be selected"
    found = [
        f"the move {name} changes with stay or calendar"
        for name, move in study.pathway.moves.items()
        if move.changes_with_stay_or_calendar
    ]
    found += [
        f"the event {name} changes with the calendar" for name, event in study.events.items() if event.by_calendar is not None
    ]
    found += [
        f"the frailty {name} acts on `{target}`, no event"
        for name, frailty in study.population.frailties.items()
        for target in frailty.on
        if target not in study.events
    ]
    found += ["a selection"] if study.population.selection is not None else []
    for one in found:
        yield path, rule, one, "Leave `exact_moments` out"


def _section(study: Study, section: str, path: str) -> Iterator[Finding]:
    protocol = study.measurement
    smallest = min(floor(study.people_in(wave)[0]) for wave in study.population.waves)
    people = 0.0
    if section == "baseline" and protocol.baseline is not None:
        people = protocol.baseline.size.value
    elif section == "control" and protocol.control is not None:
        people = smallest * protocol.control.ratio.value
        reach = protocol.control.spill_over
        if not (isinstance(reach, Constant) and reach.value == 0):
            yield path, "people replaced by their moments must live without the service", "a spill-over", "Leave one of the two out"
    elif section == "parallel" and protocol.parallel is not None:
        people = smallest * protocol.parallel.ratio.value
        if protocol.cross_section is not None:
            rule = "people replaced by their moments must be the same before and after"
            yield path, rule, "a cross-section", "Leave one of the two out"
    elif protocol.matched is not None:
        people = smallest * protocol.matched.per_person.value
        if protocol.matched.before is not None:
            yield (
                path,
                "people replaced by their moments must be matched on stratum and state alone",
                "`before`",
                "Leave one of the two out",
            )
    if people < _LEAST:
        yield (
            path,
            f"a group that is replaced by its moments must have at least {_LEAST:,} people in every wave",
            f"{people:,.0f}",
            "",
        )
