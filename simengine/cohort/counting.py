"""Count outcomes person by person, and their sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from simengine.cohort.kernels.accumulate import count_amounts, count_changing_amounts, count_states
from simengine.cohort.kernels.arrays import People, Stays, WindowArrays, WorthArrays
from simengine.cohort.kernels.draw_events import draw_events
from simengine.cohort.kernels.moved import count_moves
from simengine.cohort.kernels.read_outcomes import read_answers, read_scores
from simengine.cohort.moves import DAYS_PER_MONTH
from simengine.cohort.outcomes import OutcomeKind, price_lists
from simengine.cohort.outcomes.base import Batch
from simengine.cohort.outcomes.tables import MovePrices
from simengine.cohort.people import Group
from simengine.cohort.tables import ArmTables
from simengine.cohort.transfer import Cut, SeenCounts, empty_seen
from simengine.errors import Problem, StudyError
from simengine.records import MOMENTS, Floats, Integers

if TYPE_CHECKING:
    from simengine.cohort.reached import ReachedRows


@dataclass(frozen=True)
class Counts:
    """Sums over the persons of one group in one arm; all arrays are added to."""

    sums: Floats
    """Shape (n_replications, n_outcomes, n_windows); the months before entry, if any, are the last window."""
    squares: Floats
    products: Floats
    """Shape (n_replications, n_outcomes, n_windows): of the window with the months before entry; 0 without a history."""
    person_months: Floats
    """Shape (n_replications, n_states, n_windows): steps."""
    by_year: Floats
    """Shape (n_replications, n_outcomes, n_years x steps of a month): each year as so many stretches of twelve steps."""
    clipped: Integers
    """Shape (n_replications,)."""
    weights: Floats
    """Shape (n_replications, 2): of the persons' weights and of their squares."""
    pair_products: Floats
    """Shape (n_replications, n_pairs, n_windows): of two outcomes of the same person, without the window before entry."""
    combinations: dict[str, Integers] = field(default_factory=dict)
    """By claim: shape (n_replications, n_windows, n_combinations)."""
    here: Counts | None = None
    """The same of the months that are spent in the area, where people move out of it."""
    seen: SeenCounts | None = None
    """The part observed within the area; absent if everybody is followed."""
    later: Floats | None = None
    """Shape (n_replications, n_changes, 9, n_outcomes, n_windows): outcomes from each change of definition on."""
    scratch: Counts | None = None
    """Buffer for the counts of histories that are cut there."""
    reached: ReachedRows | None = None
    """What each person reached; absent where it is not asked for."""


@dataclass(frozen=True)
class Uncut:
    """The full histories of people who are counted only up to a cut."""

    cut: Cut
    stays: Stays
    n_stays: int
    total: Floats
    """Shape (n_people, n_outcomes, n_windows): the outcomes of the full histories."""

    def until_cut(self, people: People) -> tuple[Integers, Stays, int]:
        """First step of each person that is not counted, and the stays of the full histories."""
        return np.minimum(people.end.astype(np.int64), self.cut.month), self.stays, self.n_stays


def empty_counts(tables: ArmTables) -> Counts:
    """Allocate the sums of one group in one arm."""
    n, n_outcomes, n_windows = len(tables.draws), len(tables.cohort.outcomes), len(tables.windows.stop)
    claims = {name: len(one.prices) for name, one in price_lists(tables.cohort.outcomes).items()}
    shape, clock = (n, n_outcomes, n_windows), tables.cohort.clock
    moves_away, changes = tables.leaving is not None, tables.cohort.changes
    plain = replace(tables, leaving=None, cohort=replace(tables.cohort, changes=())) if moves_away or changes else tables
    return Counts(
        sums=np.zeros(shape),
        squares=np.zeros(shape),
        products=np.zeros(shape),
        person_months=np.zeros((n, len(tables.cohort.pathway.states), n_windows)),
        by_year=np.zeros((n, n_outcomes, -(-clock.horizon // 12) * clock.steps)),
        clipped=np.zeros(n, dtype=np.int64),
        weights=np.zeros((n, 2)),
        pair_products=np.zeros((n, len(tables.cohort.pairs), len(tables.cohort.windows))),
        combinations={name: np.zeros((n, n_windows, 1 << size), dtype=np.int64) for name, size in claims.items()},
        here=empty_counts(plain) if moves_away else None,
        later=np.zeros((n, len(changes), len(MOMENTS), n_outcomes, n_windows)) if changes else None,
        scratch=empty_counts(plain) if changes else None,
        seen=empty_seen(n, n_outcomes, n_windows) if moves_away and tables.cohort.transfers != "followed" else None,
    )


def count_outcomes(
    tables: ArmTables,
    group: Group,
    people: People,
    stays: Stays,
    n_stays: int,
    until: int,
    counts: Counts,
    whole: Uncut | None = None,
) -> Floats:
    """Return the outcomes of some people, shape (n_people, n_outcomes, n_windows); what is not a sum over persons is added.

    Of stays that are cut, what is read at one date is taken from the full histories in `whole`, if it lies before the cut.
    """
    outcomes, clock, windows = tables.cohort.outcomes, tables.cohort.clock, tables.windows
    seed, replications = group.seed(tables.draws), tables.draws.replications
    total = np.zeros((len(people.row), len(outcomes), len(windows.stop)))
    if not tables.is_abreast or whole is not None:  # else they were counted on the way
        count_states(people, stays, n_stays, windows, counts.person_months)
    if not outcomes:
        return total
    worth = tables.worth._replace(scale=_scales(tables, group, people))
    adds = [(o, one) for o, one in enumerate(outcomes.values()) if one.prices_months]
    for count, is_changing in ((count_amounts, False), (count_changing_amounts, True)):
        of = [o for o, one in adds if (not one.price_changes.isdisjoint(("since_entry", "in_state"))) is is_changing]
        if of:
            count(np.array(of), clock.entry, -clock.entry, people, stays, n_stays, windows, worth, total, counts.by_year)
    if tables.move_prices is not None:
        # The last move before a cut ends the last stay that is kept: it is visible only in the full history.
        lived = (people.end.astype(np.int64), stays, n_stays) if whole is None else whole.until_cut(people)
        _count_moves(tables.move_prices, worth, clock.entry, people, lived, windows, total, counts.by_year)
    counted = _events_counted(outcomes)
    for e, name in enumerate(tables.cohort.events):
        if name not in counted:
            continue
        has_exploded = draw_events(
            seed, replications, e, group.purpose(f"event/{name}"), group.purpose(f"event/{name}/length"), clock.entry, until,
            -clock.entry, DAYS_PER_MONTH / clock.steps, people, stays, n_stays, tables.rates, tables.on_events, windows, worth,
            total, counts.by_year, counts.clipped,
        )  # fmt: skip
        if has_exploded:
            rule = "an event must happen to a person 65,534 times at most"
            raise StudyError([Problem("the run", f"events.{name}", rule, "more", "Check its rates and their distributions")])
    if whole is not None:
        whole.cut.keep_read(outcomes, clock, whole.total, total)
        _derive(tables, people, stays, n_stays, total, counts)
        return total
    purposes = np.array([group.purpose(f"outcome/{name}") for name in outcomes], dtype=np.uint64)
    if (tables.answers.month >= 0).any():
        read_answers(
            seed, replications, purposes, clock.entry, people, stays, n_stays, windows, tables.answers, tables.on_outcomes, total,
            counts.clipped,
        )  # fmt: skip
    if (tables.scores.month >= 0).any():
        read_scores(
            seed, replications, purposes, clock.entry, people, stays, n_stays, windows, tables.scores, tables.on_outcomes, total
        )
    _derive(tables, people, stays, n_stays, total, counts)
    return total


def _count_moves(
    moves: MovePrices,
    worth: WorthArrays,
    entry: int,
    people: People,
    lived: tuple[Integers, Stays, int],
    windows: WindowArrays,
    total: Floats,
    by_year: Floats,
) -> None:
    before, stays, n_stays = lived
    count_moves(
        moves.number,
        moves.price,
        worth.discount,
        worth.scale,
        before,
        entry,
        -entry,
        people,
        stays,
        n_stays,
        windows,
        total,
        by_year,
    )


def _derive(tables: ArmTables, people: People, stays: Stays, n_stays: int, total: Floats, counts: Counts) -> None:
    """Fill the outcomes that follow from the stays and from other outcomes."""
    cohort = tables.cohort
    batch = Batch(
        cohort.outcomes, cohort.pathway.states, cohort.clock, tables.windows, people, stays, n_stays, total, counts.combinations
    )
    for name in tables.in_order:
        cohort.outcomes[name].derive(name, batch)


def _events_counted(outcomes: Mapping[str, OutcomeKind]) -> set[str]:
    """Name the events of which some outcome speaks, whatever it pays for them in one replication or another."""
    named = [part for one in outcomes.values() for part in (*one.named.events.values(), *one.named.spells.values())]
    return {event for events in named for event in events}


def _scales(tables: ArmTables, group: Group, people: People) -> Floats:
    """Return the factor of each person on each amount, shape (n_outcomes, n_people); (0, 0) where nobody differs."""
    outcomes, draws = tables.cohort.outcomes, tables.draws
    differs = [(o, name, one) for o, (name, one) in enumerate(outcomes.items()) if one.differs_by is not None]
    if not differs:
        return np.ones((0, 0))
    scale = np.ones((len(outcomes), len(people.row)))
    for o, name, one in differs:
        address = (group.seed(draws), draws.replications, group.purpose(f"amount/{name}"))
        one.fill_factors(draws[f"outcomes.{name}.{one.differs_by}"], address, people, scale[o])
    return scale
