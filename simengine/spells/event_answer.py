"""What a fit says of events, as plain numbers: nothing of any person, and no number of people that is too small to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from simengine.late import special
from simengine.spells.answer_file import FileContent
from simengine.spells.choices import Priors
from simengine.spells.event_fit import FittedEvent
from simengine.spells.event_goodness import CountsTest, EventsGoodness, LengthTest
from simengine.spells.hazards import FittedNumber, posterior_of_count
from simengine.spells.records import Spells, counts_shown


@dataclass(frozen=True)
class EventRate:
    """One event in one state, over strata and time."""

    people: str
    """People who had it there."""
    events: int | None
    """How often it happened; null where fewer people had it than may be shown."""
    person_months: float
    """Months at risk, summed over people."""
    rate_per_month: float
    """Events per month at risk: the posterior mean of one constant rate for all, if people were alike."""
    interval_90: tuple[float, float]
    """Its 5 % and 95 % quantiles."""


@dataclass(frozen=True)
class LengthsSeen:
    """How long events of one kind lasted."""

    events: int | None
    """Events whose length was seen, to their end or not; null where the events of a state are not shown: the difference would tell."""
    still_lasting: str
    """Of these: how many were not seen to end."""
    kind: str
    """The distribution that was fitted."""
    log_likelihoods: Mapping[str, float]
    """By distribution that was compared: the largest log likelihood; nothing where one was asked for."""
    test: LengthTest
    """How long they last, against Kaplan and Meier's estimate."""


class FittedEventContent(TypedDict):
    """One event."""

    rates: Mapping[str, EventRate]
    """By state: what was seen of it."""
    numbers: list[FittedNumber]
    """Every number of it, with its distribution."""
    frailty_variance: float | None
    """Variance of the frailty at the centre of its posterior; null without one."""
    counts: CountsTest
    """How many events people had, against what the fit expects."""
    lengths: LengthsSeen | None
    """How long they lasted; null without a length."""


class EventsContent(TypedDict):
    """The events of a second table."""

    file: FileContent
    """The file that was read."""
    fitted: Mapping[str, FittedEventContent]
    """By event."""
    notes: list[str]
    """What was put together or left out."""


def events_content(
    spells: Spells,
    file: FileContent,
    fitted: Sequence[FittedEvent],
    goodness: EventsGoodness,
    priors: Priors,
    notes: Sequence[str],
) -> EventsContent:
    """Say what was seen and fitted of all events."""
    cut = [(one.plan.name, one.lengths.n_cut) for one in fitted if one.lengths is not None and one.lengths.n_cut]
    said = [*notes]
    said += [
        f"Event `{name}`: {counts_shown(n, spells.small_cells)} lasted beyond the time, or the states, in which they count: not over."
        for name, n in cut
    ]
    return {
        "file": file,
        "fitted": {one.plan.name: _content(spells, one, goodness, priors) for one in fitted},
        "notes": said,
    }


def _content(spells: Spells, one: FittedEvent, goodness: EventsGoodness, priors: Priors) -> FittedEventContent:
    lengths = None
    if one.lengths is not None and one.length is not None:
        likely = {kind: round(value, 2) for kind, value in one.length.log_likelihoods.items()}
        n = None if one.plan.small else len(one.lengths.days)
        n_open = counts_shown(int((~one.lengths.is_over).sum()), spells.small_cells)
        lengths = LengthsSeen(n, n_open, one.length.kind, likely, goodness.lengths[one.plan.name])
    return {
        "rates": {spells.states[state]: _rate(one, state, priors, spells.small_cells) for state in one.plan.states},
        "numbers": list(one.numbers),
        "frailty_variance": one.variance or None,
        "counts": goodness.counts[one.plan.name],
        "lengths": lengths,
    }


def _rate(one: FittedEvent, state: int, priors: Priors, least: int) -> EventRate:
    here = one.at.state[one.at.risk_class] == state
    count, months = float(one.at.n_events[here].sum()), float(one.at.months[here].sum())
    people = len(np.unique(one.at.person[here & (one.at.n_events > 0)]))
    k, at_risk = posterior_of_count(count, months, priors, least if state in one.plan.small else None)
    low, high = special.gammaincinv(k, np.array([0.05, 0.95])) / at_risk
    is_shown = people >= least
    return EventRate(
        counts_shown(people, least), int(count) if is_shown else None, round(months, 1), k / at_risk, (float(low), float(high))
    )
