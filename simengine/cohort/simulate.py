"""Simulate the people of every wave in every arm, for a block of replications."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from simengine.cohort.kernels.arrays import Flags, People
from simengine.cohort.life import Arm, Counts, Room, empty_counts, live, outcome_before
from simengine.cohort.people import (
    BASELINE_GROUP,
    Entrance,
    Group,
    Matching,
    entrance_of,
    exceeds_whole,
    match,
    purpose_of,
    select,
    taken_by,
)
from simengine.cohort.spec import Claim
from simengine.cohort.tables import ArmTables, Cohort, arm_tables
from simengine.records import (
    ARMS,
    BASELINE,
    CONTROL,
    MATCHED,
    MATCHED_SERVICE,
    PARALLEL,
    SERVICE,
    TWIN,
    Floats,
    Integers,
    Tallies,
    Worlds,
)


def simulate_cohort(cohort: Cohort, worlds: Worlds) -> Tallies:
    """Draw the people of each world and tally what happened to them.

    Parameters
    ----------
    cohort
        What is simulated.
    worlds
        The parameters of each replication.

    Returns
    -------
    Sums and sums of squares over persons, with the axes of `Tallies`.

    Raises
    ------
    StudyError
        If a selection finds nobody, or an event happens to somebody more than 65,534 times.
    """
    entrance = entrance_of(cohort.population, cohort.pathway, cohort.clock, worlds)
    crowd = _Crowd(cohort, entrance, worlds, _empty_tallies(cohort, len(worlds)))
    crowd.tallies.clipped[:] = crowd.untreated.clipped + _exceeding(cohort, worlds)
    for number, (name, wave) in enumerate(cohort.population.waves.items()):
        size, enrolment_months = (
            np.floor(worlds[f"population.waves.{name}.{key}"]).astype(np.int64) for key in ("size", "enrolment_months")
        )
        crowd.tally_wave(number, Group(name, size, int(wave.from_month.value), enrolment_months))
    if cohort.comparisons.n_baseline:
        once = np.ones(len(worlds), dtype=np.int64)
        baseline = Group(BASELINE_GROUP, cohort.comparisons.n_baseline * once, 0, once, has_volume=False)
        crowd.tally(0, BASELINE, baseline, crowd.arm(has_service=False, is_earlier=True) if cohort.shocks else crowd.untreated)
    return crowd.tallies


class _Crowd:
    """Everybody who is simulated in a block: the service users, their twins, and those with whom they are compared."""

    def __init__(self, cohort: Cohort, entrance: Entrance, worlds: Worlds, tallies: Tallies) -> None:
        self.cohort, self.entrance, self.worlds, self.tallies = cohort, entrance, worlds, tallies
        self.room = Room()
        self.untreated = self.arm(has_service=False)
        self.treated = self.arm(has_service=True)
        self.before = self.untreated.before_entry() if cohort.clock.history else self.untreated
        reach = cohort.comparisons.spill_over
        self.reached = self.untreated if reach is None else self.arm(has_service=True, reach=reach)
        self.unused = empty_counts(self.before)
        # Of other people a year's sum is asked of nobody: the last window closes their lives.
        self.last = min(cohort.clock.history + max(cohort.windows, default=cohort.clock.horizon), cohort.clock.months)

    def arm(self, **options: Any) -> ArmTables:
        """Draw up the tables of one arm."""
        return arm_tables(self.cohort, self.entrance.factors, self.worlds, **options)

    def tally_wave(self, number: int, group: Group) -> None:
        """Let a wave live with and without the service, and those with whom it is compared beside it."""
        matching = self.cohort.comparisons.matching
        arms = (SERVICE, TWIN, *((MATCHED, MATCHED_SERVICE) if matching is not None else ()))
        counts = {arm: empty_counts(self.untreated) for arm in arms}
        n_matched = np.zeros_like(group.size)
        for people in self.batches(group, self.before):
            some = None
            if matching is not None:
                like, found, users = self.matched(group, people, matching)
                share = np.bincount(users, minlength=len(people.row))
                alike = Arm(self.untreated, found, counts[MATCHED], weight=1.0 / share[users])
                live(like, [alike], self.room, until=self.last)
                n_matched += np.bincount(found.row, minlength=len(n_matched))
                some = (counts[MATCHED_SERVICE], (share > 0).astype(np.float64))
            treated = Arm(self.treated, self.entrance.take_part(group, people), counts[SERVICE], some=some)
            live(group, [treated, Arm(self.untreated, people, counts[TWIN])], self.room)
        for arm in (SERVICE, TWIN):
            _put(self.tallies, number, arm, group.size, counts[arm])
        if matching is not None:
            _put(self.tallies, number, MATCHED, n_matched, counts[MATCHED])
            n_users = np.round(counts[MATCHED_SERVICE].weights[:, 0]).astype(np.int64)
            _put(self.tallies, number, MATCHED_SERVICE, n_users, counts[MATCHED_SERVICE])
        comparisons = self.cohort.comparisons
        if comparisons.control_ratio:
            place = "control" if comparisons.control_has_own_sites else ""
            self.tally(number, CONTROL, _beside(group, "control", comparisons.control_ratio, place), self.reached, self.last)
        if comparisons.parallel_ratio:
            self.tally(
                number, PARALLEL, _beside(group, "parallel", comparisons.parallel_ratio, "parallel"), self.untreated, self.last
            )

    def tally(self, wave: int, arm: int, group: Group, tables: ArmTables, until: int | None = None) -> None:
        """Let one group of other people live."""
        counts = empty_counts(tables)
        earlier = tables.before_entry() if self.cohort.clock.history and tables is not self.untreated else self.before
        for people in self.batches(group, earlier):
            live(group, [Arm(tables, people, counts)], self.room, until=until)
        _put(self.tallies, wave, arm, group.size, counts)

    def batches(self, group: Group, before: ArmTables) -> Iterator[People]:
        """Yield the people of a group, those alone whom the selection takes for what they lived before entry."""
        selection = self.cohort.population.selection
        for people in self.entrance.batches(group):
            if selection is None:
                yield people
            else:
                yield select(
                    self.entrance, group, people, selection, partial(self.outcome_before, before, group, selection.outcome)
                )

    def matched(self, group: Group, people: People, matching: Matching) -> tuple[Group, People, Integers]:
        """Find people who are like the service users of a batch."""
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
        """Give an outcome of the months before entry, shape (n_people,)."""
        return outcome_before(before, group, people, outcome, self.unused, self.room)


def _beside(group: Group, kind: str, ratio: float, place: str) -> Group:
    """Give a group of other people of the same months; a wave cannot have its name."""
    size = np.floor(group.size * ratio).astype(np.int64)
    return Group(f"{kind} of {group.name}", size, group.from_month, group.enrolment_months, has_volume=False, place=place)


def _put(tallies: Tallies, wave: int, arm: int, size: Integers, counts: Counts) -> None:
    n_windows = len(tallies.windows)
    tallies.n_people[:, wave, arm] = size
    tallies.weight[:, wave, arm], tallies.weight_squares[:, wave, arm] = counts.weights.T
    tallies.sums[:, wave, arm] = counts.sums[:, :, :n_windows]
    tallies.squares[:, wave, arm] = counts.squares[:, :, :n_windows]
    tallies.person_months[:, wave, arm] = counts.person_months[:, :, :n_windows]
    tallies.by_year[:, wave, arm] = counts.by_year
    if tallies.history_months:
        tallies.sums_before[:, wave, arm] = counts.sums[:, :, -1]
        tallies.squares_before[:, wave, arm] = counts.squares[:, :, -1]
        tallies.products_with_before[:, wave, arm] = counts.products[:, :, :n_windows]
    for name, combinations in counts.combinations.items():
        tallies.combinations[name][:, wave, arm] = combinations[:, :n_windows]
    tallies.clipped[:] += counts.clipped


def _exceeding(cohort: Cohort, worlds: Worlds) -> Integers:
    """Count the wholes whose drawn shares added up to more than 1."""
    population, pathway = cohort.population, cohort.pathway
    shares = [("population.strata.{}.share", {name: stratum.share for name, stratum in population.strata.items()})]
    shares += [(f"pathway.start.{name}.{{}}", dict(pathway.start[name])) for name in population.strata]
    if population.engagement is not None and population.engagement.doses is not None:
        doses = {name: dose.share for name, dose in population.engagement.doses.items()}
        shares.append(("population.engagement.doses.{}.share", doses))
    return sum((exceeds_whole(of, worlds, path) for path, of in shares), np.zeros(len(worlds), dtype=np.int64))


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
    beside = [f"{kind} of {wave}" for kind in ("control", "parallel", "matched") for wave in population.waves]
    return [purpose_of(group, decision) for group in (*population.waves, *beside, BASELINE_GROUP) for decision in decisions]


def _empty_tallies(cohort: Cohort, n_replications: int) -> Tallies:
    n_outcomes, n_windows, n_states = len(cohort.outcomes), len(cohort.windows), len(cohort.pathway.states)
    shape = (n_replications, len(cohort.population.waves), len(ARMS))
    claims = {name: one for name, one in cohort.outcomes.items() if isinstance(one, Claim)}
    return Tallies(
        states=cohort.pathway.states,
        outcomes=tuple(cohort.outcomes),
        windows=cohort.windows,
        history_months=cohort.clock.history,
        milestones={name: tuple(claim.prices) for name, claim in claims.items()},
        n_people=np.zeros(shape, dtype=np.int64),
        weight=np.zeros(shape),
        weight_squares=np.zeros(shape),
        sums=np.zeros((*shape, n_outcomes, n_windows)),
        squares=np.zeros((*shape, n_outcomes, n_windows)),
        sums_before=np.zeros((*shape, n_outcomes)),
        squares_before=np.zeros((*shape, n_outcomes)),
        products_with_before=np.zeros((*shape, n_outcomes, n_windows)),
        person_months=np.zeros((*shape, n_states, n_windows)),
        by_year=np.zeros((*shape, n_outcomes, -(-cohort.clock.horizon // 12))),
        combinations={
            name: np.zeros((*shape, n_windows, 1 << len(claim.prices)), dtype=np.int64) for name, claim in claims.items()
        },
        clipped=np.zeros(n_replications, dtype=np.int64),
    )
