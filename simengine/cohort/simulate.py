"""Simulate the people of every wave in every arm, for a block of replications."""

from __future__ import annotations

import numpy as np

from simengine.cohort.kernels.arrays import People
from simengine.cohort.life import Counts, Room, empty_counts, live, outcome_before
from simengine.cohort.people import BASELINE_GROUP, Entrance, Group, entrance_of, exceeds_whole, purpose_of, select
from simengine.cohort.spec import Claim
from simengine.cohort.tables import ArmTables, Cohort, arm_tables
from simengine.records import ARMS, BASELINE, SERVICE, TWIN, Floats, Integers, Tallies, Worlds


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
    service = arm_tables(cohort, entrance.factors, worlds, has_service=True)
    twin = arm_tables(cohort, entrance.factors, worlds, has_service=False)
    earlier = arm_tables(cohort, entrance.factors, worlds, has_service=False, is_earlier=True) if cohort.shocks else twin
    tallies, room = _empty_tallies(cohort, len(worlds)), Room()
    tallies.clipped[:] = twin.clipped + _exceeding(cohort, worlds)
    for number, (name, wave) in enumerate(cohort.population.waves.items()):
        size, enrolment_months = (
            np.floor(worlds[f"population.waves.{name}.{key}"]).astype(np.int64) for key in ("size", "enrolment_months")
        )
        group = Group(name, size, int(wave.from_month.value), enrolment_months)
        _tally(tallies, number, group, entrance, {SERVICE: service, TWIN: twin}, room)
    once = np.ones(len(worlds), dtype=np.int64)
    baseline = Group(BASELINE_GROUP, cohort.n_baseline * once, 0, once, has_volume=False)
    _tally(tallies, 0, baseline, entrance, {BASELINE: earlier}, room)
    return tallies


def _tally(tallies: Tallies, wave: int, group: Group, entrance: Entrance, arms: dict[int, ArmTables], room: Room) -> None:
    """Let one group live in some arms and put its sums where they belong."""
    some = next(iter(arms.values()))
    cohort, clock = some.cohort, some.cohort.clock
    counts = {arm: empty_counts(tables) for arm, tables in arms.items()}
    selection = cohort.population.selection
    untreated = arms.get(TWIN, some)
    before = untreated.before_entry() if selection is not None else untreated
    unused = empty_counts(before)

    def value_before(candidates: People) -> Floats:
        return outcome_before(before, group, candidates, selection.outcome if selection is not None else "", unused, room)

    for batch in entrance.batches(group):
        people = batch if selection is None else select(entrance, group, batch, selection, value_before)
        for arm, tables in arms.items():
            arrived = entrance.take_part(group, people) if arm == SERVICE else people
            live(tables, group, arrived, clock.months, counts[arm], room)
    for arm, counted in counts.items():
        _put(tallies, wave, arm, group.size, counted)


def _put(tallies: Tallies, wave: int, arm: int, size: Integers, counts: Counts) -> None:
    n_windows = len(tallies.windows)
    tallies.n_people[:, wave, arm] = size
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
    return [purpose_of(group, decision) for group in (*population.waves, BASELINE_GROUP) for decision in decisions]


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
