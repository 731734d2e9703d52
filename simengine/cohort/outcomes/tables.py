"""Turn what a study counts into the tables that the kernels read, one row per replication; each outcome fills its own part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simengine.cohort.kernels.arrays import Answers, ScoreArrays, WindowArrays, WorthArrays
from simengine.cohort.moves import MoveClock, one_row, ones
from simengine.cohort.outcomes.base import EffectForms, OutcomeKind, Page
from simengine.records import Draws, Floats, Integers


def outcome_windows_of(clock: MoveClock, windows: Sequence[int]) -> WindowArrays:
    """Return the windows after entry and, where there is a history, that before it as the last."""
    before = [(0, clock.entry)] if clock.history else []
    edges = [(clock.entry, clock.entry + window * clock.steps) for window in windows] + before
    begin, stop = np.array(edges, dtype=np.int64).reshape(-1, 2).T.copy()
    return WindowArrays(begin, stop)


@dataclass(frozen=True)
class MovePrices:
    """What the moves that people make are worth to each outcome."""

    number: Integers
    """Shape (n_states, n_states): of a move that has a price, from row to column; -1 for any other."""
    price: Floats
    """Shape (n_replications, n_outcomes, n_strata, n_moves)."""


@dataclass(frozen=True)
class OutcomeTables:
    """All that the kernels read of what is counted."""

    worth: WorthArrays
    answers: Answers
    scores: ScoreArrays
    move_prices: MovePrices | None
    """Absent where no outcome counts or prices a move."""


def outcome_tables(
    outcomes: Mapping[str, OutcomeKind],
    names: tuple[Sequence[str], Sequence[str], Sequence[str]],
    windows: WindowArrays,
    clock: MoveClock,
    shocks: Mapping[str, Floats],
    draws: Draws,
) -> OutcomeTables:
    """Draw up the tables of what is counted.

    Parameters
    ----------
    outcomes
        By name.
    names
        States, events and strata in order.
    windows
        Steps of the clock.
    clock
        Months and steps of the tables.
    shocks
        By outcome: factors on the odds, shape (n_replications, steps of the calendar).
    draws
        The parameters of each replication.
    """
    states, _, strata = names
    moves = list(dict.fromkeys(move for one in outcomes.values() for named in one.named.moves.values() for move in named))
    worth = _no_worth(outcomes, names, clock, len(draws))
    answers, scores = _no_answers(outcomes, states, clock, shocks, len(draws)), _no_scores(outcomes, states, len(draws))
    price = np.zeros((len(draws), len(outcomes), len(strata), len(moves)))
    for o, (name, outcome) in enumerate(outcomes.items()):
        own = slice(o, o + 1)
        page = Page(
            path=f"outcomes.{name}",
            states=states,
            events=names[1],
            strata=strata,
            moves=moves,
            clock=clock,
            draws=draws,
            shock=shocks.get(name),
            per_month=worth.per_month[:, o],
            per_event=worth.per_event[:, o],
            per_spell_day=worth.per_spell_day[:, o],
            from_day=worth.from_day[own],
            to_day=worth.to_day[own],
            by_entry=worth.by_entry[:, o],
            by_stay=worth.by_stay[:, o],
            discount=worth.discount[:, o],
            per_move=price[:, o],
            answer_at=answers.month[own],
            probability=answers.probability[:, o],
            odds_per_month=answers.odds_per_month[:, o],
            odds_on_calendar=answers.by_calendar[:, o],
            score_at=scores.month[own],
            mean=scores.mean[:, o],
            sd=scores.sd[:, o],
            correlation=scores.correlation[:, o],
            by_state=scores.by_state[:, o],
            is_gain=scores.is_gain[own],
        )
        outcome.fill(page)
    move_prices = MovePrices(_numbered(moves, states), price) if moves else None
    return OutcomeTables(_with_weights(worth, outcomes, windows), answers, scores, move_prices)


def _numbered(moves: Sequence[str], states: Sequence[str]) -> Integers:
    """Return the numbers of moves by the states that they join, shape (n_states, n_states)."""
    number = np.full((len(states), len(states)), -1, dtype=np.int64)
    for v, move in enumerate(moves):
        begin, end = move.split(" -> ")
        number[states.index(begin), states.index(end)] = v
    return number


def _no_worth(
    outcomes: Mapping[str, OutcomeKind], names: tuple[Sequence[str], Sequence[str], Sequence[str]], clock: MoveClock, n: int
) -> WorthArrays:
    """Make room for what months and events are worth: 0, without any factor."""
    (states, events, _), n_outcomes = names, len(outcomes)

    def changes(change: EffectForms) -> bool:
        return any(change in one.price_changes for one in outcomes.values())

    def factors(change: EffectForms) -> Floats:
        return ones(n, n_outcomes, len(states), clock.length + 2) if changes(change) else ones(1, n_outcomes, 1, 1)

    return WorthArrays(
        per_month=np.zeros((n, n_outcomes, len(states))),
        gathered=ones(0, 0, 0, 0, 0),
        by_entry=factors("since_entry"),
        by_stay=factors("in_state"),
        has_by_stay=np.array(["in_state" in one.price_changes for one in outcomes.values()], dtype=np.bool_),
        per_event=np.zeros((n, n_outcomes, len(events))),
        per_spell_day=np.zeros((n, n_outcomes, len(events))),
        from_day=np.zeros(n_outcomes),
        to_day=np.full(n_outcomes, np.inf),
        discount=ones(n if changes("discounted") else 1, n_outcomes, clock.length + 2),
        scale=ones(0, 0),
    )


def _no_answers(
    outcomes: Mapping[str, OutcomeKind], states: Sequence[str], clock: MoveClock, shocks: Mapping[str, Floats], n: int
) -> Answers:
    """Make room for the probabilities of answers; nothing is read."""
    has_shock, n_outcomes = any(name in shocks for name in outcomes), len(outcomes)
    return Answers(
        month=np.full(n_outcomes, -1, dtype=np.int64),
        probability=np.zeros((n, n_outcomes, len(states))),
        odds_per_month=np.zeros((n, n_outcomes, len(states))),
        acts=np.zeros((0, n_outcomes), dtype=np.bool_),
        by_calendar=ones(n if has_shock else 1, n_outcomes, clock.length + 1),
    )


def _no_scores(outcomes: Mapping[str, OutcomeKind], states: Sequence[str], n: int) -> ScoreArrays:
    """Make room for levels and their spread; nothing is read."""
    n_outcomes = len(outcomes)
    return ScoreArrays(
        month=np.full(n_outcomes, -1, dtype=np.int64),
        mean=np.zeros((n, n_outcomes, 2)),
        sd=ones(n, n_outcomes, 2),
        correlation=np.zeros((n, n_outcomes)),
        by_state=np.zeros((n, n_outcomes, len(states))),
        is_gain=np.zeros(n_outcomes, dtype=np.bool_),
    )


def _with_weights(worth: WorthArrays, outcomes: Mapping[str, OutcomeKind], windows: WindowArrays) -> WorthArrays:
    """Gather the weights of months, and keep one row of what is the same in every replication."""
    by_entry, by_stay, discount = one_row(worth.by_entry), one_row(worth.by_stay), one_row(worth.discount)
    gathered = _gathered(outcomes, windows, discount, by_entry)
    return worth._replace(gathered=gathered, by_entry=by_entry, by_stay=by_stay, discount=discount)


def _gathered(outcomes: Mapping[str, OutcomeKind], windows: WindowArrays, discount: Floats, by_entry: Floats) -> Floats:
    """Return the weights of the months before each month of the clock, shape (row, outcome, state or 1, window, month)."""
    n_dates = discount.shape[2]
    weights = np.zeros((len(outcomes), len(windows.stop), n_dates))
    for o, outcome in enumerate(outcomes.values()):
        for w, (first, stop) in enumerate(zip(windows.begin, windows.stop, strict=True)):
            weights[o, w, first : stop + 1] = _within(outcome.month_priced_by, int(stop - first))
    factor = by_entry if by_entry.shape[3] > 1 else np.ones((1, len(outcomes), 1, n_dates))
    weighted = weights[None, :, None, :, :] * (discount[:, :, None, :] * factor)[:, :, :, None, :]
    out = np.zeros((*weighted.shape[:-1], n_dates + 1))
    np.cumsum(weighted, axis=-1, out=out[..., 1:])
    return out


def _within(counted: str, months: int) -> Floats:
    """Return the weights of the dates 0 to `months` of a window.

    `half_cycle` is the trapezoid, `simpson` the composite rule 1/3, 4/3, 2/3, ..., 4/3, 1/3 (Elbasha and Chhatwal 2016, "Myths and
    misconceptions of within-cycle correction", PharmacoEconomics 34, doi:10.1007/s40273-015-0337-0). With an odd number of months
    the weights alternate backwards from the end, as in Alarid-Escudero et al. 2023, doi:10.1177/0272989X221103163: a third of the
    first month is left out.
    """
    weights = np.ones(months + 1)
    if counted == "beginning":
        weights[-1] = 0.0
    elif counted == "end":
        weights[0] = 0.0
    elif counted == "half_cycle":
        weights[[0, -1]] = 0.5
    else:
        weights[-2::-2], weights[-3::-2] = 4 / 3, 2 / 3
        weights[[0, -1]] = 1 / 3
    return weights
