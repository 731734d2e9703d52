"""Simulate the people of every wave in every arm, for a block of replications."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from simengine.arrays import Flags
from simengine.cohort.choose import Matching, match, select, taken_by
from simengine.cohort.counting import Counts, empty_counts
from simengine.cohort.kernels.arrays import People
from simengine.cohort.life import Arm, StayBuffer, live, outcome_before
from simengine.cohort.moments import Drawn, Moments, draw_group, draw_matched, moments_of
from simengine.cohort.outcomes import price_lists
from simengine.cohort.people import (
    BASELINE_GROUP,
    Entrance,
    Group,
    entrance_of,
    exceeds_whole,
    purpose_of,
)
from simengine.cohort.reached import ReachedRows, by_month
from simengine.cohort.tables import ArmTables, Cohort, arm_tables
from simengine.cohort.transfer import STREAM
from simengine.records import (
    ARMS,
    BASELINE,
    CONTROL,
    MATCHED,
    MATCHED_SERVICE,
    MOMENTS,
    PARALLEL,
    PARALLEL_BEFORE,
    SERVICE,
    SERVICE_BEFORE,
    TWIN,
    Draws,
    Floats,
    Integers,
    Seen,
    Tallies,
)


def simulate_cohort(cohort: Cohort, draws: Draws) -> Tallies:
    """Draw the people of each replication and tally their outcomes.

    Parameters
    ----------
    cohort
        What is simulated.
    draws
        The parameters of each replication.

    Returns
    -------
    Sums and sums of squares over persons, with the axes of `Tallies`.

    Raises
    ------
    StudyError
        If a selection finds nobody, or an event happens to somebody more often than there are random numbers for.
    """
    entrance = entrance_of(cohort.population, cohort.pathway, cohort.clock, draws)
    crowd = _Crowd(cohort, entrance, draws, _empty_tallies(cohort, len(draws)))
    crowd.tallies.clipped[:] = crowd.untreated.clipped + _exceeding(cohort, draws)
    for number, (name, wave) in enumerate(cohort.population.waves.items()):
        factor = 1.0 if cohort.size_factor is None else draws[cohort.size_factor]
        size = np.floor(draws[f"population.waves.{name}.size"] * factor).astype(np.int64)
        enrolment_months = np.floor(draws[f"population.waves.{name}.enrolment_months"]).astype(np.int64)
        crowd.tally_wave(number, Group(name, size, int(wave.from_month.value), enrolment_months))
    if cohort.comparisons.n_baseline and "baseline" in cohort.comparisons.by_moments:
        size = np.full(len(draws), cohort.comparisons.n_baseline, dtype=np.int64)
        crowd.put_drawn(0, BASELINE, draw_group(crowd.moments, size, *address_of_moments(BASELINE_GROUP, draws)))
    elif cohort.comparisons.n_baseline:
        once = np.ones(len(draws), dtype=np.int64)
        baseline = Group(BASELINE_GROUP, cohort.comparisons.n_baseline * once, 0, once, has_volume=False)
        crowd.tally(0, BASELINE, baseline, crowd.arm(has_service=False, is_earlier=True) if cohort.shocks else crowd.untreated)
    return crowd.tallies if crowd.listed is None else replace(crowd.tallies, reached=crowd.listed.finish())


class _Crowd:
    """Everybody who is simulated in a block: service users, twins and comparison groups."""

    def __init__(self, cohort: Cohort, entrance: Entrance, draws: Draws, tallies: Tallies) -> None:
        self.cohort, self.entrance, self.draws, self.tallies = cohort, entrance, draws, tallies
        self.room, self.steps = StayBuffer(), cohort.clock.steps
        self.untreated = self.arm(has_service=False)
        self.treated = self.arm(has_service=True)
        self.before = self.untreated.before_entry() if cohort.clock.history else self.untreated
        reach = cohort.comparisons.spill_over
        self.reached = self.untreated if reach is None else self.arm(has_service=True, reach=reach)
        self.unused = empty_counts(self.before)
        monthly = by_month(cohort) if cohort.counted else None
        in_months = None if monthly is None else arm_tables(monthly, entrance.factors, draws, has_service=True)
        in_months = None if in_months is None else replace(in_months, leaving=None)
        self.listed = ReachedRows(cohort, in_months, len(draws)) if cohort.counted else None
        # Without sums by year a history ends with the last window; comparison groups never have such sums.
        clock = cohort.clock
        self.last = min(clock.entry + max(cohort.windows, default=clock.horizon) * clock.steps, clock.length)

    def arm(self, **options: Any) -> ArmTables:
        """Draw up the tables of one arm."""
        return arm_tables(self.cohort, self.entrance.factors, self.draws, **options)

    def tally_wave(self, number: int, group: Group) -> None:
        """Simulate a wave with and without the service, and its comparison groups."""
        matching, by_moments = self.cohort.comparisons.matching, self.cohort.comparisons.by_moments
        is_drawn = matching is not None and "matched" in by_moments
        users = np.zeros((len(group.size), *self.entrance.start.shape[1:]), dtype=np.int64)
        arms = (SERVICE, TWIN, *((MATCHED, MATCHED_SERVICE) if matching is not None else ()))
        counts = {arm: empty_counts(self.untreated) for arm in arms}
        n_matched = np.zeros_like(group.size)
        if self.listed is not None:
            self.listed.begin_wave(number, group.size)
            counts[SERVICE] = replace(counts[SERVICE], reached=self.listed)
        for people in self.batches(group, self.before):
            some = None
            if is_drawn:
                np.add.at(users, (people.row, people.stratum, people.state), 1)
                some = (counts[MATCHED_SERVICE], np.ones(len(people.row)))
            elif matching is not None:
                like, found, users = self.matched(group, people, matching)
                share = np.bincount(users, minlength=len(people.row))
                alike = Arm(self.untreated, found, counts[MATCHED], weight=1.0 / share[users])
                live(like, [alike], self.room, until=self.last)
                n_matched += np.bincount(found.row, minlength=len(n_matched))
                some = (counts[MATCHED_SERVICE], (share > 0).astype(np.float64))
            until = None if self.cohort.asks_by_year or self.listed is not None else self.last
            treated = Arm(self.treated, self.entrance.take_part(group, people), counts[SERVICE], some=some)
            live(group, [treated, Arm(self.untreated, people, counts[TWIN])], self.room, until=until)
        for arm in (SERVICE, TWIN):
            _put(self.tallies, self.steps, number, arm, group.size, counts[arm])
        if matching is not None:
            if is_drawn:
                how = (matching.per_person, matching.candidates, matching.on)
                address = address_of_moments(f"matched of {group.name}", self.draws)
                self.put_drawn(number, MATCHED, draw_matched(self.moments, users, *how, *address))
            else:
                _put(self.tallies, self.steps, number, MATCHED, n_matched, counts[MATCHED])
            n_users = np.round(counts[MATCHED_SERVICE].weights[:, 0]).astype(np.int64)
            _put(self.tallies, self.steps, number, MATCHED_SERVICE, n_users, counts[MATCHED_SERVICE])
        comparisons = self.cohort.comparisons
        if comparisons.control_ratio and "control" in by_moments:
            left_out = _beside(group, "control", comparisons.control_ratio, "")
            self.put_drawn(number, CONTROL, draw_group(self.moments, left_out.size, *address_of_moments(left_out.name, self.draws)))
        elif comparisons.control_ratio:
            place = "control" if comparisons.control_has_own_sites else ""
            self.tally(number, CONTROL, _beside(group, "control", comparisons.control_ratio, place), self.reached, self.last)
        if comparisons.cross_section_ratio:
            self.tally_cross_sections(number, group)
        if comparisons.parallel_ratio and "parallel" in by_moments:
            elsewhere = _beside(group, "parallel", comparisons.parallel_ratio, "parallel")
            self.put_drawn(
                number, PARALLEL, draw_group(self.moments, elsewhere.size, *address_of_moments(elsewhere.name, self.draws))
            )
        elif comparisons.parallel_ratio:
            self.tally(
                number, PARALLEL, _beside(group, "parallel", comparisons.parallel_ratio, "parallel"), self.untreated, self.last
            )

    def tally_cross_sections(self, number: int, group: Group) -> None:
        """Simulate different people of the same places in the months before entry."""
        comparisons, until = self.cohort.comparisons, self.cohort.clock.entry
        ratio = comparisons.cross_section_ratio
        self.tally(number, SERVICE_BEFORE, _beside(group, "before", ratio, ""), self.untreated, until)
        if comparisons.parallel_ratio:
            elsewhere = _beside(group, "parallel before", ratio * comparisons.parallel_ratio, "parallel")
            self.tally(number, PARALLEL_BEFORE, elsewhere, self.untreated, until)

    @cached_property
    def moments(self) -> Moments:
        """The moments of people without the service."""
        return moments_of(self.untreated, self.entrance, self.cohort.comparisons.measured, has_before=self.has_before)

    @property
    def has_before(self) -> bool:
        """Whether the moments of the months before entry are needed as well."""
        return _asks_before(self.cohort)

    def put_drawn(self, wave: int, arm: int, drawn: Drawn) -> None:
        """Store the drawn sums of a group that is not simulated in place of counted ones."""
        tallies, n_windows = self.tallies, len(self.cohort.windows)
        tallies.n_people[:, wave, arm] = drawn.n_people
        tallies.weight[:, wave, arm], tallies.weight_squares[:, wave, arm] = drawn.weight, drawn.weight_squares
        measured = self.cohort.comparisons.measured
        for i, name in enumerate(measured):
            at, j = (slice(None), wave, arm, tallies.outcomes.index(name)), slice(i * n_windows, (i + 1) * n_windows)
            tallies.sums[at], tallies.squares[at] = drawn.sums[:, j], drawn.squares[:, j]
            if self.has_before and drawn.products is not None:
                before = len(measured) * n_windows + i
                tallies.sums_before[at], tallies.squares_before[at] = drawn.sums[:, before], drawn.squares[:, before]
                tallies.products_with_before[at] = drawn.products[:, j, before]

    def tally(self, wave: int, arm: int, group: Group, tables: ArmTables, until: int | None = None) -> None:
        """Simulate one comparison group."""
        counts = empty_counts(tables)
        earlier = tables.before_entry() if self.cohort.clock.history and tables is not self.untreated else self.before
        for people in self.batches(group, earlier):
            live(group, [Arm(tables, people, counts)], self.room, until=until)
        _put(self.tallies, self.steps, wave, arm, group.size, counts)

    def batches(self, group: Group, before: ArmTables) -> Iterator[People]:
        """Yield the people of a group, only those who meet the selection."""
        selection = self.cohort.population.selection
        for people in self.entrance.batches(group):
            if selection is None:
                yield people
            else:
                yield select(
                    self.entrance, group, people, selection, partial(self.outcome_before, before, group, selection.outcome)
                )

    def matched(self, group: Group, people: People, matching: Matching) -> tuple[Group, People, Integers]:
        """Find matches for the service users of a batch."""
        like = _beside(group, "matched", float(matching.per_person), "matched")
        selection = self.cohort.population.selection

        asked = {
            *([matching.before] if matching.before is not None else []),
            *([selection.outcome] if selection is not None else []),
        }
        wanted = np.zeros(len(people.row))
        if matching.before is not None:
            wanted = self.outcome_before(self.before, group, matching.before, people)

        def had_such_a_past(candidates: People, user: Integers) -> Flags:
            past = {outcome: self.outcome_before(self.before, like, outcome, candidates) for outcome in asked}
            is_alike = np.ones(len(user), dtype=np.bool_)
            if selection is not None:
                is_alike &= taken_by(selection, past[selection.outcome])
            if matching.before is not None:
                is_alike &= np.abs(past[matching.before] - wanted[user]) <= matching.within
            return is_alike

        found, users = match(self.entrance, like, people, matching, had_such_a_past if asked else None)
        return like, found, users

    def outcome_before(self, before: ArmTables, group: Group, outcome: str, people: People) -> Floats:
        """Return an outcome of the months before entry, shape (n_people,)."""
        return outcome_before(before, group, people, outcome, self.unused, self.room)


def _beside(group: Group, kind: str, ratio: float, place: str) -> Group:
    """Return a group of other people of the same months; a wave cannot have its name."""
    size = np.floor(group.size * ratio).astype(np.int64)
    return Group(f"{kind} of {group.name}", size, group.from_month, group.enrolment_months, has_volume=False, place=place)


def _put(tallies: Tallies, steps: int, wave: int, arm: int, size: Integers, counts: Counts) -> None:
    """Put the counts of one group in one arm where they belong; what was counted by steps becomes months and years."""
    n_windows = len(tallies.windows)
    tallies.n_people[:, wave, arm] = size
    tallies.weight[:, wave, arm], tallies.weight_squares[:, wave, arm] = counts.weights.T
    tallies.sums[:, wave, arm] = counts.sums[:, :, :n_windows]
    tallies.squares[:, wave, arm] = counts.squares[:, :, :n_windows]
    tallies.person_months[:, wave, arm] = counts.person_months[:, :, :n_windows] / steps
    tallies.by_year[:, wave, arm] = _whole_years(counts.by_year, steps)
    if tallies.pair_products is not None:
        tallies.pair_products[:, wave, arm] = counts.pair_products[:, :, :n_windows]
    if tallies.by_year_here is not None and counts.here is not None:
        tallies.by_year_here[:, wave, arm] = _whole_years(counts.here.by_year, steps)
    if tallies.after_change is not None and counts.later is not None and arm != BASELINE:
        tallies.after_change[:, wave, arm] = counts.later[..., :n_windows]
    if tallies.seen is not None and counts.seen is not None:
        seen, of = tallies.seen, counts.seen
        seen.weight[:, wave, arm], seen.weight_squares[:, wave, arm] = of.weights[:, 0, :n_windows], of.weights[:, 1, :n_windows]
        for i, to in enumerate((seen.sums, seen.squares, seen.sums_before, seen.squares_before, seen.products_with_before)):
            to[:, wave, arm] = of.sums[:, i, :, :n_windows]
    if tallies.history_months:
        tallies.sums_before[:, wave, arm] = counts.sums[:, :, -1]
        tallies.squares_before[:, wave, arm] = counts.squares[:, :, -1]
        tallies.products_with_before[:, wave, arm] = counts.products[:, :, :n_windows]
    for name, combinations in counts.combinations.items():
        tallies.combinations[name][:, wave, arm] = combinations[:, :n_windows]
    tallies.clipped[:] += counts.clipped


def _whole_years(by_year: Floats, steps: int) -> Floats:
    """Add up the stretches of twelve steps that make a year."""
    return np.asarray(by_year.reshape(*by_year.shape[:-1], by_year.shape[-1] // steps, steps).sum(axis=-1))


def _exceeding(cohort: Cohort, draws: Draws) -> Integers:
    """Count the wholes whose drawn shares added up to more than 1."""
    population, pathway = cohort.population, cohort.pathway
    shares = [("population.strata.{}.share", {name: stratum.share for name, stratum in population.strata.items()})]
    shares += [(f"pathway.start.{name}.{{}}", dict(pathway.start[name])) for name in population.strata]
    if population.engagement is not None and population.engagement.doses is not None:
        doses = {name: dose.share for name, dose in population.engagement.doses.items()}
        shares.append(("population.engagement.doses.{}.share", doses))
    return sum((exceeds_whole(of, draws, path) for path, of in shares), np.zeros(len(draws), dtype=np.int64))


def _asks_before(cohort: Cohort) -> bool:
    """Whether people elsewhere, whose months before entry count, are replaced by their moments."""
    return "parallel" in cohort.comparisons.by_moments and cohort.clock.history > 0


def moments_purpose(group: str) -> str:
    """Return the random stream of a group that is replaced by its moments."""
    return purpose_of(group, "moments")


def address_of_moments(group: str, draws: Draws) -> tuple[str, int, Integers]:
    """Return the purpose, the seed and the replications of the draws of a group that is replaced by its moments."""
    purpose = moments_purpose(group)
    return purpose, draws.seed_of(purpose), draws.replications


def purposes_of_people(cohort: Cohort) -> list[str]:
    """Name every random stream that the people draw from."""
    population = cohort.population
    named = {
        "outcome": cohort.outcomes,
        "amount": cohort.outcomes,
        "event": cohort.events,
        "frailty": population.frailties,
        "site": population.sites,
    }
    decisions = ["entry", "moves", "engagement", *(f"{kind}/{name}" for kind, names in named.items() for name in names)]
    decisions += [f"event/{name}/length" for name in cohort.events]
    decisions += [STREAM] if population.transfer is not None else []
    beside = [
        f"{kind} of {wave}" for kind in ("control", "parallel", "matched", "before", "parallel before") for wave in population.waves
    ]
    named_streams = [
        purpose_of(group, decision) for group in (*population.waves, *beside, BASELINE_GROUP) for decision in decisions
    ]
    n_asked = len(cohort.comparisons.measured) * (len(cohort.windows) + _asks_before(cohort))
    asked = range(n_asked if cohort.comparisons.by_moments else 0)
    return named_streams + [f"{moments_purpose(group)}/{j}" for group in (*beside, BASELINE_GROUP) for j in asked]


def _empty_tallies(cohort: Cohort, n_replications: int) -> Tallies:
    n_outcomes, n_windows, n_states = len(cohort.outcomes), len(cohort.windows), len(cohort.pathway.states)
    shape = (n_replications, len(cohort.population.waves), len(ARMS))
    n_years, moves_away = -(-cohort.clock.horizon // 12), cohort.population.transfer is not None
    milestones = {name: tuple(one.prices) for name, one in price_lists(cohort.outcomes).items()}
    return Tallies(
        states=cohort.pathway.states,
        outcomes=tuple(cohort.outcomes),
        windows=cohort.windows,
        history_months=cohort.clock.history,
        milestones=milestones,
        sites={name: sites.sizes or int(sites.count.value) for name, sites in cohort.population.sites.items()},
        n_people=np.zeros(shape, dtype=np.int64),
        weight=np.zeros(shape),
        weight_squares=np.zeros(shape),
        sums=np.zeros((*shape, n_outcomes, n_windows)),
        squares=np.zeros((*shape, n_outcomes, n_windows)),
        sums_before=np.zeros((*shape, n_outcomes)),
        squares_before=np.zeros((*shape, n_outcomes)),
        products_with_before=np.zeros((*shape, n_outcomes, n_windows)),
        person_months=np.zeros((*shape, n_states, n_windows)),
        by_year=np.zeros((*shape, n_outcomes, n_years)),
        combinations={claim: np.zeros((*shape, n_windows, 1 << len(names)), dtype=np.int64) for claim, names in milestones.items()},
        clipped=np.zeros(n_replications, dtype=np.int64),
        pairs=cohort.pairs,
        pair_products=np.zeros((*shape, len(cohort.pairs), n_windows)),
        changes=cohort.changes,
        after_change=np.zeros((*shape, len(cohort.changes), len(MOMENTS), n_outcomes, n_windows)) if cohort.changes else None,
        by_year_here=np.zeros((*shape, n_outcomes, n_years)) if moves_away else None,
        seen=_nothing_seen(shape, n_outcomes, n_windows) if moves_away and cohort.transfers != "followed" else None,
    )


def _nothing_seen(shape: tuple[int, ...], n_outcomes: int, n_windows: int) -> Seen:
    return Seen(*(np.zeros((*shape, n_windows)) for _ in range(2)), *(np.zeros((*shape, n_outcomes, n_windows)) for _ in range(5)))
