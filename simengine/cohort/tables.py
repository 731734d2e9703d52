"""The tables of one arm of a block, built once: moves, events, effects, outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from simengine.accelerate import IS_COMPILED
from simengine.arrays import Flags
from simengine.cohort.choose import Matching
from simengine.cohort.effects import effect_tables
from simengine.cohort.events import rate_tables, shock_factors
from simengine.cohort.kernels.arrays import (
    HAZARD_RATIO,
    Answers,
    Effects,
    EventRates,
    Moves,
    ScoreArrays,
    WindowArrays,
    WorthArrays,
)
from simengine.cohort.kernels.walk_vector import MOST_CELLS, MOST_MOVES
from simengine.cohort.moves import MoveClock, move_tables, moves_in_order
from simengine.cohort.outcomes import OutcomeKind, in_order
from simengine.cohort.outcomes.tables import MovePrices, outcome_tables, outcome_windows_of
from simengine.cohort.spec import Effect, Event, Pathway, Population, Shock
from simengine.cohort.transfer import leaving_hazard
from simengine.records import Draws, Floats, Integers


@dataclass(frozen=True)
class Comparisons:
    """The comparison groups that are simulated."""

    n_baseline: int = 0
    """Earlier people; 0 for none."""
    control_ratio: float = 0.0
    """Randomised control people for every service user."""
    spill_over: str | None = None
    """Path of the share of the effect that reaches them; absent: none does."""
    control_has_own_sites: bool = False
    """Whether whole sites are randomised."""
    parallel_ratio: float = 0.0
    """People elsewhere for every service user."""
    matching: Matching | None = None
    cross_section_ratio: float = 0.0
    """Different people of the same places, for every service user and every person elsewhere, simulated only before entry."""
    by_moments: tuple[str, ...] = ()
    """Of `baseline`, `control` and `matched`: those replaced by their exact moments."""
    measured: tuple[str, ...] = ()
    """The measured outcomes whose exact moments are known."""


@dataclass(frozen=True)
class PersonCount:
    """An outcome that is counted person by person, when it is reached."""

    outcome: str
    within_months: int | None
    """Months after entry within which it counts; absent: to the horizon."""


@dataclass(frozen=True)
class Cohort:
    """The contract-free part of a study: everything that the people depend on."""

    population: Population
    pathway: Pathway
    events: Mapping[str, Event]
    shocks: Mapping[str, Shock]
    effect: Mapping[str, Effect]
    outcomes: Mapping[str, OutcomeKind]
    windows: tuple[int, ...]
    """Months after entry, increasing."""
    clock: MoveClock
    comparisons: Comparisons
    pairs: tuple[tuple[str, str], ...] = ()
    """Two outcomes whose products are added up over persons."""
    changes: tuple[int, ...] = ()
    """Months of the calendar, from the start of the study, at which a definition changes."""
    transfers: str = "followed"
    """Treatment of people who move out of the area: `followed`, `hidden` or `left_out`."""
    effect_strength: float = 1.0
    """Multiplies every effect (its logarithm, for a ratio): 0 is a service that changes nothing."""
    asks_by_year: bool = True
    """Whether sums by calendar year are needed; if not, nobody is simulated beyond the last window."""
    size_factor: str | None = None
    """Path of the number that multiplies the people of every wave; absent: nothing does."""
    counted: Mapping[str, PersonCount] = field(default_factory=dict)
    """Outcomes of service users that are listed person by person, each by the name under which it is counted."""


@dataclass(frozen=True)
class ArmTables:
    """The tables of one arm: hazards, events and outcomes, one row per replication."""

    cohort: Cohort
    draws: Draws
    windows: WindowArrays
    moves: Moves
    rates: EventRates
    worth: WorthArrays
    answers: Answers
    scores: ScoreArrays
    on_moves: Effects
    on_events: Effects
    on_outcomes: Effects
    clipped: Integers
    """Shape (n_replications,): probabilities of leaving that were above 1."""
    move_prices: MovePrices | None = None
    """Absent where no outcome counts or prices a move."""
    leaving: Floats | None = None
    """Shape (n_replications, n_states): hazard per step of moving out of the area; absent where nobody does."""

    def before_entry(self) -> ArmTables:
        """Return the tables that count the months before entry alone."""
        last = WindowArrays(self.windows.begin[-1:].copy(), self.windows.stop[-1:].copy())
        worth = self.worth._replace(gathered=self.worth.gathered[:, :, :, -1:].copy())
        return replace(self, cohort=replace(self.cohort, changes=()), windows=last, worth=worth, leaving=None)

    @property
    def pairs(self) -> Integers:
        """Shape (n_pairs, 2): the numbers of the two outcomes of each pair."""
        names = list(self.cohort.outcomes)
        return np.array([[names.index(name) for name in pair] for pair in self.cohort.pairs], dtype=np.int64).reshape(-1, 2)

    @cached_property
    def is_abreast(self) -> bool:
        """Whether everybody in a stratum has the same hazards, with few enough strata and states for the vector walk."""
        moves, effects = self.moves, self.on_moves
        n_cells, n_moves = moves.hazard.shape[1] * (len(moves.of) - 1), int(np.diff(moves.of).max(initial=0))
        is_same_for_all = not moves.is_walked.any() and not moves.acts.any() and effects.weight.shape[1] == 1
        return IS_COMPILED and bool(is_same_for_all) and n_cells <= MOST_CELLS and n_moves <= MOST_MOVES and _are_lanes_quick()

    @property
    def asks_of_persons(self) -> bool:
        """Whether more is needed than the months that all people spend in each state."""
        return len(self.cohort.outcomes) > 0 or self.leaving is not None

    @cached_property
    def in_order(self) -> tuple[str, ...]:
        """The outcomes, each after those on which it rests."""
        return in_order(self.cohort.outcomes)


def arm_tables(
    cohort: Cohort,
    factors: Sequence[tuple[str, ...]],
    draws: Draws,
    *,
    has_service: bool,
    is_earlier: bool = False,
    reach: str | None = None,
) -> ArmTables:
    """Draw up the tables of one arm.

    Parameters
    ----------
    cohort
        What is simulated.
    factors
        The targets of each factor that people carry.
    draws
        The parameters of each replication.
    has_service
        Whether the service acts.
    is_earlier
        Whether it is an earlier comparison group, with years of its own.
    reach
        Path of the share of the effect that reaches people whom the service is not for.
    """
    clock, outcomes, states = cohort.clock, cohort.outcomes, cohort.pathway.states
    strata, events, names = list(cohort.population.strata), list(cohort.events), list(outcomes)
    shocks = shock_factors(cohort.shocks, clock, is_earlier, draws)
    windows = outcome_windows_of(clock, cohort.windows)
    moves, clipped = move_tables(cohort.pathway, strata, clock, shocks, draws)
    move_names = [name for name, _ in moves_in_order(cohort.pathway)]
    effects = cohort.effect if has_service else {}
    engagement = cohort.population.engagement if has_service and reach is None else None
    on_moves, on_events, on_outcomes = (
        _weakened(
            effect_tables(effects, target, targets, strata, engagement, clock.steps, draws), reach, cohort.effect_strength, draws
        )
        for target, targets in (("move", move_names), ("event", events), ("outcome", names))
    )
    counted = outcome_tables(outcomes, (states, events, strata), windows, clock, shocks, draws)
    return ArmTables(
        cohort=cohort,
        draws=draws,
        windows=windows,
        moves=_with_factors(moves, _acts(factors, move_names), on_moves),
        rates=rate_tables(cohort.events, states, strata, clock, shocks, draws)._replace(acts=_acts(factors, events)),
        worth=counted.worth,
        answers=counted.answers._replace(acts=_acts(factors, names)),
        scores=counted.scores,
        on_moves=on_moves,
        on_events=on_events,
        on_outcomes=on_outcomes,
        clipped=clipped,
        move_prices=counted.move_prices,
        leaving=leaving_hazard(
            cohort.population.transfer, states, cohort.effect_strength if has_service and not reach else 0.0, clock.steps, draws
        ),
    )


def _weakened(effects: Effects, reach: str | None, strength: float, draws: Draws) -> Effects:
    """Let a multiple of the effects act."""
    share = np.full((1, 1, 1), strength) if reach is None else strength * draws[reach][:, None, None]
    return effects._replace(weight=effects.weight * share)


def _acts(factors: Sequence[tuple[str, ...]], targets: Sequence[str]) -> Flags:
    """Say which factor multiplies which target, shape (n_factors, n_targets)."""
    return np.array([[target in on for target in targets] for on in factors], dtype=np.bool_).reshape(len(factors), len(targets))


def _with_factors(moves: Moves, acts: Flags, effects: Effects) -> Moves:
    """Walk the states where a factor does not simply divide the hazard to be spent.

    It does where it multiplies all moves out of a state alike, and no effect acts on their probabilities.
    """
    walked = moves.is_walked.copy()
    for s in range(len(walked)):
        first, stop = moves.of[s], moves.of[s + 1]
        of_state = acts[:, first:stop]
        is_uneven = (of_state.any(axis=1) & ~of_state.all(axis=1)).any()
        on_probabilities = (effects.form[effects.of[first] : effects.of[stop]] != HAZARD_RATIO).any()
        walked[s] |= is_uneven | (of_state.any() & on_probabilities)
    return moves._replace(acts=acts, is_walked=walked)


def _are_lanes_quick() -> bool:
    from simengine.cohort.kernels.vector_instructions import are_quick  # which loads the compiler

    return are_quick()
