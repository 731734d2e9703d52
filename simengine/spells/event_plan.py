"""Decide what can be fitted of events: in which states, by stratum or together, with which length; where few people were seen, less."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simengine.arrays import Flags, Integers
from simengine.config.document import Document
from simengine.config.validate import refuse
from simengine.errors import Finding, one_of
from simengine.spells.choices import EventChoices, FitChoices
from simengine.spells.event_records import Events
from simengine.spells.plan import FitPlan
from simengine.spells.records import Spells
from simengine.spells.risk_time import states_at_start


@dataclass(frozen=True)
class EventPlan:
    """How one event is fitted."""

    name: str
    kind: int
    """Index into the kinds of the events."""
    states: tuple[int, ...]
    """States of the spells in which it has a rate, in the order of the pathway."""
    small: tuple[int, ...]
    """Those of them in which fewer people had it than may be shown."""
    by_stratum: bool
    is_frail: bool
    has_trend: bool
    has_season: bool
    length: str | None
    """`gamma`, `lognormal`, `weibull` or `fixed`; `likeliest` of the first three; none without a length."""

    @property
    def large(self) -> tuple[int, ...]:
        """States whose rates are fitted together."""
        return tuple(one for one in self.states if one not in self.small)

    @property
    def is_conjugate(self) -> bool:
        """Whether events and time at risk are all that there is to know."""
        return not (self.by_stratum or self.is_frail or self.has_trend or self.has_season) or not self.large


def plan_events(
    spells: Spells, events: Events, plan: FitPlan, choices: FitChoices, document: Document
) -> tuple[tuple[EventPlan, ...], tuple[str, ...]]:
    """Decide what can be fitted, and say what was not told apart.

    Raises
    ------
    StudyError
        If the choices do not suit the file, with every problem that was found.
    """
    state = states_at_start(spells, events)
    happened = events.first_day >= spells.entry_day[events.person]
    refuse(document, _problems(spells, events, choices, state, happened))
    found: list[EventPlan] = []
    notes: list[str] = []
    for kind, name in enumerate(events.kinds):
        of = (events.kind == kind) & happened
        if _people(events, of) < spells.small_cells:
            notes.append(f"Event `{name}`: fewer than {spells.small_cells} people had it; it is not fitted.")
            continue
        asked = choices.events.get(name, EventChoices())
        one, said = _plan_event(spells, events, plan, asked, kind, state, of)
        found.append(one)
        notes += said
    return tuple(found), tuple(notes)


def _people(events: Events, at: Flags) -> int:
    return len(np.unique(events.person[at]))


def _problems(spells: Spells, events: Events, choices: FitChoices, state: Integers, happened: Flags) -> Iterator[Finding]:
    least = spells.small_cells
    for name, asked in choices.events.items():
        if name not in events.kinds:
            yield f"events.{name}", "must be an event of the file", f"`{name}`", one_of(events.kinds)
            continue
        of = (events.kind == events.kinds.index(name)) & happened
        seen = [spells.states[one] for one in np.unique(state[of])]
        for one in asked.states:
            if one not in seen:
                yield f"events.{name}.states", "must be states in which it was seen", f"`{one}`", one_of(tuple(seen))
        if asked.length in ("gamma", "lognormal", "weibull", "fixed"):
            if not events.has_length:
                way_out = "Name the columns of the first and the last date in the mapping"
                yield f"events.{name}.length", "must be `none` where the table does not say when events end", asked.length, way_out
            elif _people(events, of & ~events.is_open) < least:
                rule = f"{least} people or more must have had an event that ended"
                yield f"events.{name}.length", rule, "fewer", "Write `length: none`"
    if not any(_people(events, (events.kind == kind) & happened) >= least for kind in range(len(events.kinds))):
        yield "events", f"{least} people or more must have had an event while observed", "fewer of every kind", ""


def _plan_event(
    spells: Spells, events: Events, plan: FitPlan, asked: EventChoices, kind: int, state: Integers, of: Flags
) -> tuple[EventPlan, list[str]]:
    name, notes, least = events.kinds[kind], list[str](), spells.small_cells
    wanted = [spells.states.index(one) for one in asked.states] or list(np.unique(state[of]))
    states = tuple(one for one in plan.order if one in wanted)
    if (of & ~np.isin(state, states)).any():
        notes.append(f"Event `{name}`: events in states that are not asked for do not count.")
    small = tuple(one for one in states if _people(events, of & (state == one)) < least)
    for one in small:
        notes.append(
            f"Event `{name}` in `{spells.states[one]}`: fewer than {least} people had it; "
            "one constant rate, wide enough for every count it may have."
        )
    if len(small) == len(states) and asked.frailty:
        notes.append(f"Event `{name}`: no frailty, since few people had it in any one state.")
    by_stratum = asked.by_stratum and len(plan.strata) > 1
    counted = of & np.isin(state, [one for one in states if one not in small])
    if by_stratum:
        stratum = plan.stratum[events.person]
        if any(_people(events, counted & (stratum == one)) < least for one in range(len(plan.strata))):
            notes.append(f"Event `{name}`: fewer than {least} people of a stratum had it; one rate for all strata.")
            by_stratum = False
    elif asked.by_stratum:
        notes.append(f"Event `{name}`: there is one stratum, and so one rate for all.")
    length: str | None = None
    if events.has_length and asked.length != "none":
        length = asked.length or "likeliest"
        if _people(events, of & ~events.is_open) < least:
            notes.append(f"Event `{name}`: fewer than {least} people had one that ended; it has no length.")
            length = None
    return EventPlan(name, kind, states, small, by_stratum, asked.frailty, asked.trend, asked.season, length), notes
