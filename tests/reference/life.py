"""One life in plain Python: the walk through the states, and the events on the way."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1, gamma, inf, log, sqrt
from typing import Any

from tests.reference.people import FULL, Person, Row, change, changed_probability, effects_on
from tests.reference.replication import (
    CERTAIN,
    DAYS_PER_MONTH,
    MONTHS_IN,
    ReplicationNumbers,
    add_up,
    calendar_factor,
    hazards_out_of,
    moves_out_of,
    period_of,
    series_factor,
    shock_factor,
)

FOR_CERTAIN = 1e9
"""A hazard that leaves nobody behind."""


@dataclass
class Clips:
    """How many probabilities had to be clipped."""

    number: int = 0


@dataclass(frozen=True)
class Stay:
    """A state, its first month of the clock, the month after its last, and the month in which the time in the state began."""

    state: str
    first: int
    stop: int
    since: int


@dataclass(frozen=True)
class Life:
    """The stays of a person; the last holds one month more than the person is followed: the state at the end."""

    person: Person
    stays: tuple[Stay, ...]

    def stay_at(self, month: int) -> Stay:
        return next(stay for stay in self.stays if stay.first <= month < stay.stop)


# ------------------------------------------------ the walk ------------------------------------------------


def live(person: Person, until: int, clips: Clips, *, has_service: bool) -> Life:
    """Draw a word for each month: below the probability of leaving, the person leaves at its end, by the move whose turn it is."""
    numbers, end = person.numbers, min(person.end, until)
    stays, state, first, since = [], person.state, 0, 0
    for month, word in zip(range(end), person.luck.words("moves"), strict=False):
        hazards = hazards_of(person, state, month, since, clips, has_service=has_service)
        place = choose_move(hazards, word)
        if place is None:
            continue
        stays.append(Stay(state, first, month + 1, since))
        to = moves_out_of(numbers, state)[place].split(" -> ")[1]
        since = since if count_together(numbers, state, to) else month + 1
        state, first = to, month + 1
    return Life(person, (*stays, Stay(state, first, end + 1, since)))


def count_together(numbers: ReplicationNumbers, one: str, other: str) -> bool:
    """Say whether the months in two states count as one time."""
    return any(one in group and other in group for group in numbers.cohort.pathway.time_together.values())


def choose_move(hazards: list[float], word: int) -> int | None:
    """Give the first move whose running probability exceeds the word's middle; nothing for somebody who stays.

    Even a move that is certain leaves the last word behind.
    """
    total, running = add_up(hazards), 0.0
    for place, hazard in enumerate(hazards):
        running += hazard
        if total > 0 and word + 0.5 < min(-expm1(-total) * running / total * 2**32, 2**32 - 1):
            return place
    return None


def hazards_of(person: Person, state: str, clock: int, since: int, clips: Clips, *, has_service: bool) -> list[float]:
    """Give a person's hazards in a month: without the service, times what the person carries, then the effects."""
    numbers = person.numbers
    after_entry = clock - numbers.history
    base = hazards_out_of(numbers, person.stratum, state, after_entry, clock - since, person.calendar(clock))
    names = moves_out_of(numbers, state)
    hazards = [hazard * person.factor_on(name) for name, hazard in zip(names, base, strict=True)]
    return under_effects(person, state, names, hazards, clock, clips, is_counted=is_walked(numbers, state), has_service=has_service)


def under_effects(
    person: Person,
    state: str,
    names: list[str],
    hazards: list[float],
    clock: int,
    clips: Clips,
    *,
    is_counted: bool,
    has_service: bool,
) -> list[float]:
    """Give the hazards of the moves out of a state under the effects on them: hazard ratios first, then probabilities.

    The probabilities of the moves over their period, from all hazards together, are changed one by one and turned back.
    """
    acting = [effects_on(person.numbers, "move", name, person.stratum, has_service=has_service) for name in names]
    for place, effects in enumerate(acting):
        for name, effect in effects:
            if effect.form == "hazard_ratio":
                hazards[place] *= change(person, name, effect, clock)
    if inf in hazards:  # next to it no other counts
        hazards = [FOR_CERTAIN if hazard == inf else 0.0 for hazard in hazards]
    if all(effect.form == "hazard_ratio" for effects in acting for _, effect in effects):
        return hazards
    period, total, clipped = period_of(person.numbers, state), add_up(hazards), 0
    probabilities = [hazard / total * (1 - exp(-total * period)) if total > 0 else 0.0 for hazard in hazards]
    for place, effects in enumerate(acting):
        for name, effect in effects:
            if effect.form != "hazard_ratio":
                amount = change(person, name, effect, clock)
                probabilities[place], is_clipped = changed_probability(probabilities[place], effect.form, amount)
                clipped += is_clipped
    leaving = add_up(probabilities)
    clips.number += (clipped + (leaving > 1 + 1e-9)) if is_counted else 0
    back = -log(1 - min(leaving, CERTAIN)) / (period * leaving) if leaving > 0 else 0.0
    return [probability * back for probability in probabilities]


def is_walked(numbers: ReplicationNumbers, state: str) -> bool:
    """Say whether the hazards out of a state differ between people of one stratum and course at one time since entry.

    There a probability is clipped for each person who meets it; elsewhere once, for all.
    """
    names = moves_out_of(numbers, state)
    for name in names:
        move = numbers.cohort.pathway.moves[name]
        if any(part is not None for part in (move.weibull_shape, move.by_months_in_state, move.by_calendar)):
            return True
        if any(name in shock.on for shock in numbers.cohort.shocks.values()):
            return True
    population = numbers.cohort.population
    factors = [one.on for kind in (population.frailties, population.sites, population.volume) for one in kind.values()]
    is_uneven = any(0 < sum(name in on for name in names) < len(names) for on in factors)
    has_factor = any(name in on for on in factors for name in names)
    has_probability = any(
        effect.target == "move" and effect.form != "hazard_ratio" and set(names) & set(effect.targets)
        for effect in numbers.cohort.effect.values()
    )
    return is_uneven or (has_factor and has_probability)


def count_clips_of_all(numbers: ReplicationNumbers, anybody: Person, clips: Clips) -> None:
    """Count what is clipped once for all: in every state that is not walked, by course, stratum and month of the clock."""
    engagement = numbers.cohort.population.engagement
    courses: list[tuple[str | None, int | None]] = [(FULL, None)]
    if engagement is not None:
        doses = list(engagement.doses or {FULL: None})
        courses = [(None, None), *((dose, None) for dose in doses), *((dose, 0) for dose in doses)]
    for dose, leaves in courses:
        for stratum in numbers.cohort.population.strata:
            one = Person(numbers, anybody.luck, stratum, anybody.state, anybody.entry, (), dose, leaves)
            for state in numbers.cohort.pathway.states:
                if is_walked(numbers, state):
                    continue
                for clock in range(numbers.history + numbers.horizon):
                    names = moves_out_of(numbers, state)
                    hazards = list(hazards_out_of(numbers, stratum, state, clock - numbers.history, 0, 0))
                    under_effects(one, state, names, hazards, clock, clips, is_counted=True, has_service=True)


# ------------------------------------------------ events ------------------------------------------------


@dataclass
class Happening:
    """When an event happened and, where it has a length, when its spell ended and when it would have; on the clock."""

    month: int
    began: float
    ended: float


def happenings(life: Life, event: str, until: int, clips: Clips, *, has_service: bool) -> list[Happening]:
    """Draw the events of one kind in one life, the n-th with the n-th gap and the n-th length.

    Waiting is spent against the rate, month by month, while no spell goes on. A spell is cut short when its person enters a state
    in which it cannot begin.
    """
    person, numbers = life.person, life.person.numbers
    spec = numbers.cohort.events[event]
    seen: list[Happening] = []
    gaps, lengths = person.luck.row(f"event/{event}"), person.luck.row(f"event/{event}/length")
    to_spend, free = -log(gaps.uniform()), 0.0
    for month in range(min(person.end, until)):
        state = life.stay_at(month).state
        if rate_in(person, event, state) <= 0:
            if free > month:
                seen[-1].ended = free = float(month)
            continue
        if free >= month + 1:
            continue
        rate = rate_in(person, event, state) * rate_factor(person, event, month)
        for name, effect in effects_on(numbers, "event", event, person.stratum, has_service=has_service):
            if effect.form == "hazard_ratio":
                rate *= change(person, name, effect, month)
            elif effect.form == "difference":
                rate += change(person, name, effect, month)
        clips.number += rate < 0
        rate, time = max(rate, 0.0), max(float(month), free)
        while rate * (month + 1 - time) >= to_spend:
            time += to_spend / rate
            days = 0.0
            if spec.length is not None:
                days = length_in_days(person, event, spec.length, lengths)
                for name, effect in effects_on(numbers, "event", event, person.stratum, has_service=has_service):
                    days *= change(person, name, effect, month) if effect.form == "length_ratio" else 1.0
            seen.append(Happening(month, time, time + days / DAYS_PER_MONTH))
            time = seen[-1].ended
            free = time if spec.length is not None else free
            to_spend = -log(gaps.uniform())
        if time < month + 1:
            to_spend -= rate * (month + 1 - time)
    return seen


def rate_in(person: Person, event: str, state: str) -> float:
    """Give the rate of an event per month in a state; 0 where it cannot begin."""
    numbers, spec = person.numbers, person.numbers.cohort.events[event]
    if state not in spec.rates:
        return 0.0
    form = spec.rates[state].form
    factor = numbers[f"events.{event}.by_stratum.{person.stratum}"] if person.stratum in (spec.by_stratum or {}) else 1.0
    return numbers[f"events.{event}.rates.{state}.{form}"] / MONTHS_IN[form[9:]] * factor


def rate_factor(person: Person, event: str, month: int) -> float:
    """Give everything that multiplies the rate of an event in a month of the clock, but the effects."""
    numbers, spec, path = person.numbers, person.numbers.cohort.events[event], f"events.{event}"
    factor = series_factor(numbers, spec.by_months_since_entry, f"{path}.by_months_since_entry", month - numbers.history)
    factor *= calendar_factor(numbers, spec.by_calendar, f"{path}.by_calendar", person.calendar(month))
    return factor * shock_factor(numbers, event, person.calendar(month)) * person.factor_on(event)


def length_in_days(person: Person, event: str, length: Any, lengths: Row) -> float:
    """Draw the length of the next spell."""
    numbers, path = person.numbers, f"events.{event}.length"
    if length.kind == "uniform":
        low, high = numbers[f"{path}.low_days"], numbers[f"{path}.high_days"]
        return low + (high - low) * lengths.uniform()
    mean = numbers[f"{path}.mean_days"]
    if length.kind == "fixed":
        return mean
    if length.kind == "weibull":
        shape = numbers[f"{path}.weibull_shape"]
        return mean / gamma(1 + 1 / shape) * (-log(lengths.uniform())) ** (1 / shape)
    sd = numbers[f"{path}.sd_days"]
    if length.kind == "gamma":
        return lengths.gamma((mean / sd) ** 2) * sd**2 / mean
    variance = log(1 + (sd / mean) ** 2)
    return exp(log(mean) - variance / 2 + sqrt(variance) * lengths.normal())
