"""Let a batch of people live, and count what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from simengine.cohort.kernels.abreast import walk_abreast
from simengine.cohort.kernels.arrays import People, Stays
from simengine.cohort.kernels.count import add_up, count_amounts, count_changing_amounts, count_states, reach_target, settle_claims
from simengine.cohort.kernels.draws import fill_uniforms
from simengine.cohort.kernels.enter import fill_frailty
from simengine.cohort.kernels.happen import happen
from simengine.cohort.kernels.read import reach_states, read_answers, read_scores
from simengine.cohort.kernels.walk import walk
from simengine.cohort.moves import DAYS_PER_MONTH
from simengine.cohort.people import Group
from simengine.cohort.spec import Amount, Binary, Claim, CountOfEvents, DaysInSpells, Outcome, Reached, Score, Target
from simengine.cohort.tables import ArmTables, claim_prices
from simengine.errors import Problem, StudyError
from simengine.records import Floats, Integers

_STAYS_PER_PERSON = 8
"""Room that is made at first; it doubles when it runs out."""


class Room:
    """Memory for the stays of a batch, in one arm or two, that is used again for the next one; one for each thread."""

    def __init__(self) -> None:
        self._per_person = _STAYS_PER_PERSON
        self._stays = tuple(Stays(*(np.empty(0, dtype=np.int32) for _ in Stays._fields)) for _ in range(2))

    def stays(self, n_people: int) -> tuple[Stays, ...]:
        """Give room for the stays of so many people in two arms."""
        size = self._per_person * max(n_people, 1)
        if len(self._stays[0].person) < size:
            self._stays = tuple(Stays(*(np.empty(size, dtype=np.int32) for _ in Stays._fields)) for _ in range(2))
        return self._stays

    def double(self) -> None:
        """Make twice the room from now on."""
        self._per_person *= 2


@dataclass(frozen=True)
class Counts:
    """Sums over the persons of one group in one arm; all arrays are added to."""

    sums: Floats
    """Shape (n_replications, n_outcomes, n_windows); the months before entry, if any, are the last window."""
    squares: Floats
    products: Floats
    """Shape (n_replications, n_outcomes, n_windows): of the window with the months before entry; 0 without a history."""
    person_months: Floats
    """Shape (n_replications, n_states, n_windows)."""
    by_year: Floats
    """Shape (n_replications, n_outcomes, n_years)."""
    clipped: Integers
    """Shape (n_replications,)."""
    weights: Floats
    """Shape (n_replications, 2): of the persons' weights and of their squares."""
    combinations: dict[str, Integers] = field(default_factory=dict)
    """By claim: shape (n_replications, n_windows, n_combinations)."""


def empty_counts(tables: ArmTables) -> Counts:
    """Make room for the sums of one group in one arm."""
    n, n_outcomes, n_windows = len(tables.worlds), len(tables.cohort.outcomes), len(tables.windows.stop)
    claims = {name: len(one.prices) for name, one in tables.cohort.outcomes.items() if isinstance(one, Claim)}
    shape = (n, n_outcomes, n_windows)
    return Counts(
        sums=np.zeros(shape),
        squares=np.zeros(shape),
        products=np.zeros(shape),
        person_months=np.zeros((n, len(tables.cohort.pathway.states), n_windows)),
        by_year=np.zeros((n, n_outcomes, -(-tables.cohort.clock.horizon // 12))),
        clipped=np.zeros(n, dtype=np.int64),
        weights=np.zeros((n, 2)),
        combinations={name: np.zeros((n, n_windows, 1 << size), dtype=np.int64) for name, size in claims.items()},
    )


@dataclass(frozen=True)
class Arm:
    """Some people in one arm, and where they are counted."""

    tables: ArmTables
    """What they live by."""
    people: People
    """A batch."""
    counts: Counts
    """Added to."""
    weight: Floats | None = None
    """Shape (n_people,): with what weight each enters sums and squares; absent: all with 1."""
    some: tuple[Counts, Floats] | None = None
    """Other counts to which the same people are added with other weights: sums and squares alone."""


def live(group: Group, arms: Sequence[Arm], room: Room, until: int | None = None) -> None:
    """Let people live to their horizon and add them to the counts.

    Parameters
    ----------
    group
        To whom they belong: their luck is named after it.
    arms
        The same people in one arm or two: they share their luck.
    room
        For their stays.
    until
        Month of the clock after which nobody looks at them; absent: the horizon.
    """
    clock, at = arms[0].tables.cohort.clock, [0] * len(arms)
    for number, part, total in _lives(group, arms, clock.months if until is None else until, room):
        arm, here = arms[number], slice(at[number], at[number] + len(part.row))
        weight = np.ones(len(arm.people.row)) if arm.weight is None else arm.weight
        for to, weights in [(arm.counts, weight), *([arm.some] if arm.some is not None else [])]:
            mine = np.ascontiguousarray(weights[here])
            add_up(part, total, mine, clock.history > 0, to.sums, to.squares, to.products, to.weights)
        at[number] = here.stop


def outcome_before(tables: ArmTables, group: Group, people: People, outcome: str, counts: Counts, room: Room) -> Floats:
    """Give an outcome of the months before entry for each of a batch, shape (n_people,)."""
    place = list(tables.cohort.outcomes).index(outcome)
    lives = _lives(group, [Arm(tables, people, counts)], tables.cohort.clock.history, room)
    return np.concatenate([np.empty(0), *(total[:, place, -1] for _, _, total in lives)])


def _lives(group: Group, arms: Sequence[Arm], until: int, room: Room) -> Iterator[tuple[int, People, Floats]]:
    """Yield the people of each arm, in one part or several, with their outcomes, shape (n_people, n_outcomes, n_windows)."""
    # Together where all can: each arm gives the same bits in any company.
    together = [list(range(len(arms)))] if all(arm.tables.is_abreast for arm in arms) else [[n] for n in range(len(arms))]
    for numbers in together:
        left = [arms[number].people for number in numbers]
        while len(left[0].row):
            stays = room.stays(len(left[0].row))
            done, n_stays = _walk(group, [arms[number] for number in numbers], left, stays, until)
            if done < len(left[0].begin) - 1:
                room.double()
            if done == 0:
                continue
            for place, number in enumerate(numbers):
                part, left[place] = _split(left[place], done)
                yield number, part, _count(group, arms[number], part, stays[place], n_stays[place], until)


def _walk(
    group: Group, arms: Sequence[Arm], left: Sequence[People], stays: Sequence[Stays], until: int
) -> tuple[int, tuple[int, ...]]:
    """Send some people through their states; give how many segments are done, and the stays of each arm."""
    tables, counts, people = arms[0].tables, arms[0].counts, left[0]
    address = (
        np.uint64(tables.worlds.seed),
        tables.worlds.replications,
        group.purpose("moves"),
        tables.cohort.clock.history,
        until,
    )
    if not tables.is_abreast:
        is_walked = tables.moves.is_walked if tables.moves.is_walked.any() else None
        done, n_stays = walk(*address, is_walked, people, tables.moves, tables.on_moves, stays[0], counts.clipped)
        return done, (n_stays,)
    attempt = people.attempt if people.attempt.any() else None
    of_arms = [
        (arm.tables.moves, arm.tables.on_moves, of_arm, arm.counts.person_months, arm.counts.clipped)
        for arm, of_arm in zip((arms[0], arms[-1]), stays, strict=True)
    ]
    wants_stays = len(tables.cohort.outcomes) > 0
    done, *numbers = walk_abreast(*address, tables.windows, attempt, people, wants_stays, *of_arms[0], len(arms) > 1, *of_arms[1])
    return done, tuple(numbers)


def _split(people: People, n_segments: int) -> tuple[People, People]:
    """Cut a batch after some segments."""
    at = int(people.begin[n_segments])
    if at == len(people.row):
        return people, people._replace(row=people.row[:0])
    halves = []
    for piece, begin in ((slice(0, at), people.begin[: n_segments + 1]), (slice(at, None), people.begin[n_segments:] - at)):
        arrays = {name: np.ascontiguousarray(getattr(people, name)[..., piece]) for name in People._fields if name != "begin"}
        halves.append(People(begin=begin.copy(), **arrays))
    return halves[0], halves[1]


def _count(group: Group, arm: Arm, people: People, stays: Stays, n_stays: int, until: int) -> Floats:
    """Give the outcomes of some people, shape (n_people, n_outcomes, n_windows); what is not a sum over persons is added."""
    tables, counts = arm.tables, arm.counts
    outcomes, clock, windows = tables.cohort.outcomes, tables.cohort.clock, tables.windows
    seed, replications = np.uint64(tables.worlds.seed), tables.worlds.replications
    total = np.zeros((len(people.row), len(outcomes), len(windows.stop)))
    if not tables.is_abreast:
        count_states(people, stays, n_stays, windows, counts.person_months)
    if not outcomes:
        return total
    worth = tables.worth._replace(scale=_scales(tables, group, people))
    adds = [(o, one) for o, one in enumerate(outcomes.values()) if isinstance(one, Amount) and one.per_day]
    for count, is_changing in ((count_amounts, False), (count_changing_amounts, True)):
        of = [o for o, one in adds if bool(one.by_months_since_entry or one.by_months_in_state) is is_changing]
        if of:
            count(np.array(of), clock.history, -clock.history, people, stays, n_stays, windows, worth, total, counts.by_year)
    counted = _events_counted(outcomes)
    for e, name in enumerate(tables.cohort.events):
        if name not in counted:
            continue
        has_exploded = happen(
            seed, replications, e, group.purpose(f"event/{name}"), group.purpose(f"event/{name}/length"), clock.history, until,
            -clock.history, DAYS_PER_MONTH, people, stays, n_stays, tables.rates, tables.on_events, windows, worth,
            total, counts.by_year, counts.clipped,
        )  # fmt: skip
        if has_exploded:
            rule = "an event happens to a person 65,534 times at most"
            raise StudyError([Problem("the run", f"events.{name}", rule, "more", "Check its rates and their laws")])
    purposes = np.array([group.purpose(f"outcome/{name}") for name in outcomes], dtype=np.uint64)
    if any(isinstance(one, Binary) for one in outcomes.values()):
        read_answers(
            seed, replications, purposes, clock.history, people, stays, n_stays, windows, tables.answers, tables.on_outcomes, total,
            counts.clipped,
        )  # fmt: skip
    if any(isinstance(one, Score) for one in outcomes.values()):
        read_scores(
            seed, replications, purposes, clock.history, people, stays, n_stays, windows, tables.scores, tables.on_outcomes, total
        )
    _derive(tables, people, stays, n_stays, total, counts)
    return total


def _derive(tables: ArmTables, people: People, stays: Stays, n_stays: int, total: Floats, counts: Counts) -> None:
    """Fill the outcomes that follow from the stays and from other outcomes."""
    outcomes, windows = tables.cohort.outcomes, tables.windows
    names = list(outcomes)
    for o, one in enumerate(outcomes.values()):
        if isinstance(one, Reached):
            belongs = np.array([state in one.states for state in tables.cohort.pathway.states], dtype=np.bool_)
            reach_states(o, belongs, int(one.stay_months.value), people, stays, n_stays, windows, total)
    for o, one in enumerate(outcomes.values()):
        if isinstance(one, Target):
            is_least = one.at_least is not None
            edge = float(one.at_least if one.at_least is not None else one.at_most)  # type: ignore[arg-type]
            reach_target(o, names.index(one.outcome), edge, is_least, tables.known[o], people, windows, total)
    for o, (name, one) in enumerate(outcomes.items()):
        if isinstance(one, Claim):
            milestones, prices = claim_prices(one)
            places = np.array([names.index(milestone) for milestone in milestones], dtype=np.int64)
            settle_claims(o, places, prices, people, windows, total, counts.combinations[name])


def _events_counted(outcomes: Mapping[str, Outcome]) -> set[str]:
    """Name the events of which some outcome speaks, whatever it pays for them in one world or another."""
    counted: set[str] = set()
    for one in outcomes.values():
        if isinstance(one, Amount):
            counted |= {*one.per_event, *one.per_spell_day}
        elif isinstance(one, CountOfEvents | DaysInSpells):
            counted |= set(one.events)
    return counted


def _scales(tables: ArmTables, group: Group, people: People) -> Floats:
    """Give the factor of each person on each amount, shape (n_outcomes, n_people); (0, 0) where nobody differs."""
    outcomes, worlds = tables.cohort.outcomes, tables.worlds
    differs = {
        name: key
        for name, one in outcomes.items()
        for key in ("between_people_sd", "between_people_half_width")
        if isinstance(one, Amount) and getattr(one, key) is not None
    }
    if not differs:
        return np.ones((0, 0))
    scale = np.ones((len(outcomes), len(people.row)))
    for name, key in differs.items():
        size = worlds[f"outcomes.{name}.{key}"]
        purpose, out = group.purpose(f"amount/{name}"), scale[list(outcomes).index(name)]
        address = (np.uint64(worlds.seed), worlds.replications, purpose)
        if key == "between_people_sd":
            fill_frailty(*address, size**2, people, out)
        else:
            fill_uniforms(*address, people, out)
            out[:] = 1.0 + size[people.row] * (2.0 * out - 1.0)
    return scale
