"""The slow twin of `simengine.cohort.simulate_cohort`: one replication, one wave, one arm, one person after the other.

Written from the descriptions of the engine, not from its code: a person enters (`people`), lives (`life`) and is counted
(`outcomes`) by the numbers of a replication (`replication`). Lists are slow here and should not be used in an engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Any

from tests.reference.life import Clips, count_clips_of_all, happenings, live
from tests.reference.outcomes import Told, Window, by_year, combination_of, values_of
from tests.reference.people import Group, Person, select, take_part
from tests.reference.replication import ReplicationNumbers, n_clipped

SERVICE, TWIN, BASELINE = range(3)
N_ARMS = 9


@dataclass(frozen=True)
class Tally:
    """The numbers of `Tallies`, as lists with the same axes."""

    n_people: list[Any]
    sums: list[Any]
    squares: list[Any]
    sums_before: list[Any]
    squares_before: list[Any]
    products_with_before: list[Any]
    person_months: list[Any]
    by_year: list[Any]
    combinations: dict[str, list[Any]]
    clipped: list[int]


def simulate_cohort(cohort: Any, seed: int, replications: Sequence[int], values: Mapping[str, Sequence[float]]) -> Tally:
    """Simulate every wave in every arm; `values` holds one number per replication, by path."""
    n, n_waves, n_outcomes = len(replications), len(cohort.population.waves), len(cohort.outcomes)
    n_windows, n_years = len(cohort.windows), -(-cohort.clock.horizon // 12)
    claims = {name: one for name, one in cohort.outcomes.items() if one.kind == "claim"}
    tally = Tally(
        n_people=zeros(n, n_waves, N_ARMS),
        sums=zeros(n, n_waves, N_ARMS, n_outcomes, n_windows),
        squares=zeros(n, n_waves, N_ARMS, n_outcomes, n_windows),
        sums_before=zeros(n, n_waves, N_ARMS, n_outcomes),
        squares_before=zeros(n, n_waves, N_ARMS, n_outcomes),
        products_with_before=zeros(n, n_waves, N_ARMS, n_outcomes, n_windows),
        person_months=zeros(n, n_waves, N_ARMS, len(cohort.pathway.states), n_windows),
        by_year=zeros(n, n_waves, N_ARMS, n_outcomes, n_years),
        combinations={name: zeros(n, n_waves, N_ARMS, n_windows, 2 ** len(one.prices)) for name, one in claims.items()},
        clipped=[0] * n,
    )
    for r, replication in enumerate(replications):
        drawn = {path: float(column[r]) for path, column in values.items()}
        numbers = ReplicationNumbers(cohort, seed, int(replication), drawn)
        clips = Clips(n_clipped(numbers))
        for w, (name, wave) in enumerate(cohort.population.waves.items()):
            size, months = (floor(numbers[f"population.waves.{name}.{key}"]) for key in ("size", "enrolment_months"))
            group = Group(name, size, int(wave.from_month.value), months, has_volume=True)
            for arm in (SERVICE, TWIN):
                tally_group(tally, r, w, arm, numbers, group, clips)
        earlier = ReplicationNumbers(cohort, seed, int(replication), drawn, is_earlier=True)
        group = Group("of the baseline", cohort.comparisons.n_baseline, 0, 1, has_volume=False)
        tally_group(tally, r, 0, BASELINE, earlier, group, clips)
        tally.clipped[r] = clips.number
    return tally


def tally_group(tally: Tally, r: int, w: int, arm: int, numbers: ReplicationNumbers, group: Group, clips: Clips) -> None:
    """Let one group live in one arm, and add everybody up."""
    tally.n_people[r][w][arm] = group.size
    for number in range(group.size):
        person = select(numbers, group, number, value_before)
        if arm == SERVICE:
            person = take_part(person)
        if arm == SERVICE and number == 0:
            count_clips_of_all(numbers, person, clips)
        add_person(tally, r, w, arm, tell(person, numbers.history + numbers.horizon, clips, has_service=arm == SERVICE), clips)


def value_before(person: Person) -> float:
    """Give the outcome of the months before entry on which the selection looks; everybody lives them without the service."""
    numbers = person.numbers
    told = tell(person, numbers.history, Clips(), has_service=False)
    return values_of(told, [(0, numbers.history)], Clips())[numbers.cohort.population.selection.outcome][0]


def tell(person: Person, until: int, clips: Clips, *, has_service: bool) -> Told:
    """Let a person live, and let events happen of which some outcome speaks."""
    life = live(person, until, clips, has_service=has_service)
    outcomes = person.numbers.cohort.outcomes.values()
    named = {event for one in outcomes if one.kind in ("count", "days") for event in one.events}
    named |= {event for one in outcomes if one.kind == "amount" for event in (*one.per_event, *one.per_spell_day)}
    events = {
        event: happenings(life, event, until, clips, has_service=has_service)
        for event in person.numbers.cohort.events
        if event in named
    }
    return Told(life, events, has_service, until)


def add_person(tally: Tally, r: int, w: int, arm: int, told: Told, clips: Clips) -> None:
    """Add one person to sums, squares and products."""
    numbers = told.life.person.numbers
    cohort, history = numbers.cohort, numbers.history
    windows: list[Window] = [(history, history + months) for months in cohort.windows]
    values = values_of(told, [*windows, *([(0, history)] if history else [])], clips)
    years = by_year(told, len(tally.by_year[r][w][arm][0]))
    for o, name in enumerate(cohort.outcomes):
        before = values[name][-1] if history else 0.0
        for place in range(len(windows)):
            tally.sums[r][w][arm][o][place] += values[name][place]
            tally.squares[r][w][arm][o][place] += values[name][place] ** 2
            tally.products_with_before[r][w][arm][o][place] += values[name][place] * before
        tally.sums_before[r][w][arm][o] += before
        tally.squares_before[r][w][arm][o] += before**2
        for year, value in enumerate(years[name]):
            tally.by_year[r][w][arm][o][year] += value
    for place, (begin, stop) in enumerate(windows):
        if stop > told.end:
            continue
        for month in range(begin, stop):
            state = cohort.pathway.states.index(told.life.stay_at(month).state)
            tally.person_months[r][w][arm][state][place] += 1.0
        for name, combinations in tally.combinations.items():
            combinations[r][w][arm][place][combination_of(cohort.outcomes[name], values, place)] += 1


def zeros(*shape: int) -> list[Any]:
    return [zeros(*shape[1:]) for _ in range(shape[0])] if len(shape) > 1 else [0.0] * shape[0]
