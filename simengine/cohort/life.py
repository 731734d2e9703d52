"""Let a batch of people live, and count what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

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
    """Memory for the stays of a batch that is used again for the next one; one for each thread."""

    def __init__(self) -> None:
        self._per_person = _STAYS_PER_PERSON
        self._stays = Stays(*(np.empty(0, dtype=np.int32) for _ in Stays._fields))

    def stays(self, n_people: int) -> Stays:
        """Give room for the stays of so many people."""
        size = self._per_person * max(n_people, 1)
        if len(self._stays.person) < size:
            self._stays = Stays(*(np.empty(size, dtype=np.int32) for _ in Stays._fields))
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


def live(
    tables: ArmTables,
    group: Group,
    people: People,
    counts: Counts,
    room: Room,
    weight: Floats | None = None,
    some: tuple[Counts, Floats] | None = None,
    until: int | None = None,
) -> None:
    """Let people live to their horizon and add them to the counts.

    Parameters
    ----------
    tables
        What they live by.
    group
        To whom they belong: their luck is named after it.
    people
        A batch.
    counts
        Added to.
    room
        For their stays.
    weight
        Shape (n_people,): with what weight each enters sums and squares; absent: all with 1.
    some
        Other counts to which the same people are added with other weights: sums and squares alone.
    until
        Month of the clock after which nobody looks at them; absent: the horizon.
    """
    has_history, at = tables.cohort.clock.history > 0, 0
    adders = [(counts, np.ones(len(people.row)) if weight is None else weight), *([some] if some is not None else [])]
    for part, total in _lives(tables, group, people, tables.cohort.clock.months if until is None else until, counts, room):
        for to, weights in adders:
            mine = np.ascontiguousarray(weights[at : at + len(part.row)])
            add_up(part, total, mine, has_history, to.sums, to.squares, to.products, to.weights)
        at += len(part.row)


def outcome_before(tables: ArmTables, group: Group, people: People, outcome: str, counts: Counts, room: Room) -> Floats:
    """Give an outcome of the months before entry for each of a batch, shape (n_people,)."""
    place = list(tables.cohort.outcomes).index(outcome)
    parts = [total[:, place, -1] for _, total in _lives(tables, group, people, tables.cohort.clock.history, counts, room)]
    return np.concatenate([np.empty(0), *parts])


def _lives(
    tables: ArmTables, group: Group, people: People, until: int, counts: Counts, room: Room
) -> Iterator[tuple[People, Floats]]:
    """Yield the people of a batch, in one part or several, with their outcomes, shape (n_people, n_outcomes, n_windows)."""
    seed, replications, clock = np.uint64(tables.worlds.seed), tables.worlds.replications, tables.cohort.clock
    is_walked = tables.moves.is_walked if tables.moves.is_walked.any() else None
    left = people
    while len(left.row):
        stays = room.stays(len(left.row))
        done, n_stays = walk(
            seed, replications, group.purpose("moves"), clock.history, until, is_walked, left, tables.moves, tables.on_moves, stays,
            counts.clipped,
        )  # fmt: skip
        if done < len(left.begin) - 1:
            room.double()
        if done == 0:
            continue
        part, left = _split(left, done)
        yield part, _count(tables, group, part, stays, n_stays, until, counts)


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


def _count(tables: ArmTables, group: Group, people: People, stays: Stays, n_stays: int, until: int, counts: Counts) -> Floats:
    """Give the outcomes of some people, shape (n_people, n_outcomes, n_windows); what is not a sum over persons is added."""
    outcomes, clock, windows = tables.cohort.outcomes, tables.cohort.clock, tables.windows
    seed, replications = np.uint64(tables.worlds.seed), tables.worlds.replications
    total = np.zeros((len(people.row), len(outcomes), len(windows.stop)))
    worth = tables.worth._replace(scale=_scales(tables, group, people))
    count_states(people, stays, n_stays, windows, counts.person_months)
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
