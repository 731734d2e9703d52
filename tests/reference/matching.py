"""The slow twin of matching: for each service user, for each place, one candidate after the other until somebody is alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import floor
from typing import Any

from tests.reference.cohort import tell
from tests.reference.life import Clips
from tests.reference.outcomes import values_of
from tests.reference.people import Group, Person, enter, select, take_part
from tests.reference.replication import ReplicationNumbers


@dataclass
class Sums:
    """Over persons, weighted: by outcome and window, and before entry."""

    people: int = 0
    weight: float = 0.0
    weight_squares: float = 0.0
    sums: dict[tuple[str, int], float] = field(default_factory=dict)
    squares: dict[tuple[str, int], float] = field(default_factory=dict)
    before: dict[str, float] = field(default_factory=dict)

    def add(self, person: Person, weight: float, *, has_service: bool) -> None:
        """Let a person live to the end of the last window."""
        cohort, history = person.numbers.cohort, person.numbers.history
        self.people, self.weight, self.weight_squares = self.people + 1, self.weight + weight, self.weight_squares + weight**2
        until = history + (person.numbers.horizon if has_service else max(cohort.windows))
        told = tell(person, until, Clips(), has_service=has_service)
        windows = [*((history, history + months) for months in cohort.windows), (0, history)]
        for name, values in values_of(told, windows, Clips()).items():
            for window, value in zip(cohort.windows, values[:-1], strict=True):
                self.sums[name, window] = self.sums.get((name, window), 0.0) + weight * value
                self.squares[name, window] = self.squares.get((name, window), 0.0) + weight * value**2
            self.before[name] = self.before.get(name, 0.0) + weight * values[-1]


def past(person: Person, outcome: str) -> float:
    """Give an outcome of the months before entry."""
    history = person.numbers.history
    return values_of(tell(person, history, Clips(), has_service=False), [(0, history)], Clips())[outcome][0]


def fits_selection(person: Person) -> bool:
    selection = person.numbers.cohort.population.selection
    if selection is None:
        return True
    value = past(person, selection.outcome)
    is_low = selection.at_least is not None and value < selection.at_least
    return not (is_low or (selection.at_most is not None and value > selection.at_most))


def is_alike(candidate: Person, user: Person, matching: Any) -> bool:
    """Say whether a candidate is like a service user in all that is asked for."""
    if any(getattr(candidate, trait) != getattr(user, trait) for trait in matching.on):
        return False
    if not fits_selection(candidate):
        return False
    if matching.before is None:
        return True
    return abs(past(candidate, matching.before) - past(user, matching.before)) <= matching.within


def match_everybody(
    cohort: Any, seed: int, replications: Sequence[int], values: Mapping[str, Sequence[float]]
) -> list[list[tuple[Sums, Sums]]]:
    """Give, by replication and wave, the sums of the people matched and of the service users for whom somebody was found."""
    matching = cohort.comparisons.matching
    out = []
    for r, replication in enumerate(replications):
        numbers = ReplicationNumbers(cohort, seed, int(replication), {path: float(column[r]) for path, column in values.items()})
        waves = []
        for name, wave in cohort.population.waves.items():
            size, months = (floor(numbers[f"population.waves.{name}.{key}"]) for key in ("size", "enrolment_months"))
            group = Group(name, size, int(wave.from_month.value), months, has_volume=True)
            beside = Group(f"matched of {name}", size * matching.per_person, group.from_month, months, has_volume=False)
            matched, users = Sums(), Sums()
            for number in range(size):
                user = select(numbers, group, number, lambda person: past(person, cohort.population.selection.outcome))
                found = []
                for place in range(number * matching.per_person, (number + 1) * matching.per_person):
                    candidates = (enter(numbers, beside, place, attempt) for attempt in range(matching.candidates))
                    found += [one for one in [next((one for one in candidates if is_alike(one, user, matching)), None)] if one]
                for one in found:
                    matched.add(one, 1 / len(found), has_service=False)
                if found:
                    users.add(take_part(user), 1.0, has_service=True)
            waves.append((matched, users))
        out.append(waves)
    return out
