"""Turn what a study counts into the tables that the kernels read, one row per replication."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simengine.cohort.kernels.arrays import Answers, Flags, Scores, Windows, Worth
from simengine.cohort.moves import DAYS_PER_MONTH, Clock, one_row, ones, series_factor
from simengine.cohort.spec import Amount, Binary, CountOfEvents, DaysInSpells, Outcome, Score
from simengine.records import Floats, Integers, Worlds


def windows_of(clock: Clock, windows: Sequence[int]) -> Windows:
    """Give the windows after entry and, where there is a history, that before it as the last."""
    before = [(0, clock.entry)] if clock.history else []
    edges = [(clock.entry, clock.entry + window * clock.steps) for window in windows] + before
    begin, stop = np.array(edges, dtype=np.int64).reshape(-1, 2).T.copy()
    return Windows(begin, stop)


@dataclass(frozen=True)
class MovePrices:
    """What the moves that people make are worth to each outcome."""

    number: Integers
    """Shape (n_states, n_states): of a move that has a price, from row to column; -1 for any other."""
    price: Floats
    """Shape (n_replications, n_outcomes, n_strata, n_moves)."""


def move_prices(outcomes: Mapping[str, Outcome], states: Sequence[str], strata: Sequence[str], worlds: Worlds) -> MovePrices | None:
    """Draw up the prices of moves; nothing where no outcome has one.

    Parameters
    ----------
    outcomes
        By name.
    states, strata
        Names in order.
    worlds
        The parameters of each replication.
    """
    moves = list(dict.fromkeys(move for outcome in outcomes.values() for move in moves_of(outcome)))
    if not moves:
        return None
    number = np.full((len(states), len(states)), -1, dtype=np.int64)
    for v, move in enumerate(moves):
        begin, end = move.split(" -> ")
        number[states.index(begin), states.index(end)] = v
    price = np.zeros((len(worlds), len(outcomes), len(strata), len(moves)))
    for o, (name, outcome) in enumerate(outcomes.items()):
        if isinstance(outcome, CountOfEvents):
            price[:, o, :, [moves.index(move) for move in outcome.moves]] = 1.0
        if not isinstance(outcome, Amount):
            continue
        for move in outcome.per_move:
            price[:, o, :, moves.index(move)] = worlds[f"outcomes.{name}.per_move.{move}"][:, None]
        for move, by_stratum in outcome.per_move_by_stratum.items():
            for stratum in by_stratum:
                path = f"outcomes.{name}.per_move_by_stratum.{move}.{stratum}"
                price[:, o, strata.index(stratum), moves.index(move)] = worlds[path]
    return MovePrices(number, price)


def moves_of(outcome: Outcome) -> tuple[str, ...]:
    """Name the moves that an outcome counts or prices."""
    if isinstance(outcome, Amount):
        return (*outcome.per_move, *outcome.per_move_by_stratum)
    return outcome.moves if isinstance(outcome, CountOfEvents) else ()


def worth_tables(
    outcomes: Mapping[str, Outcome], states: Sequence[str], events: Sequence[str], windows: Windows, clock: Clock, worlds: Worlds
) -> Worth:
    """Give what months in states and events are worth to each outcome; 0 for those that do not add up.

    Parameters
    ----------
    outcomes
        By name.
    states, events
        Names in order.
    windows
        Steps of the clock.
    clock
        Months and steps of the tables.
    worlds
        The parameters of each replication.
    """
    n, n_outcomes = len(worlds), len(outcomes)
    amounts = {o: (name, outcome) for o, (name, outcome) in enumerate(outcomes.items()) if isinstance(outcome, Amount)}
    has_entry = any(amount.by_months_since_entry for _, amount in amounts.values())
    has_stay = any(amount.by_months_in_state for _, amount in amounts.values())
    has_discount = any(amount.discount_rate_per_year is not None for _, amount in amounts.values())
    per_month, per_event = np.zeros((n, n_outcomes, len(states))), np.zeros((n, n_outcomes, len(events)))
    per_spell_day = np.zeros((n, n_outcomes, len(events)))
    from_day, to_day = np.zeros(n_outcomes), np.full(n_outcomes, np.inf)
    by_entry = ones(n if has_entry else 1, n_outcomes, len(states) if has_entry else 1, clock.length + 2 if has_entry else 1)
    by_stay = ones(n if has_stay else 1, n_outcomes, len(states) if has_stay else 1, clock.length + 2 if has_stay else 1)
    discount = ones(n if has_discount else 1, n_outcomes, clock.length + 2)
    for o, (name, amount) in amounts.items():
        path = f"outcomes.{name}"
        for state in amount.per_day:
            per_month[:, o, states.index(state)] = worlds[f"{path}.per_day.{state}"] * DAYS_PER_MONTH / clock.steps
        for event in amount.per_event:
            per_event[:, o, events.index(event)] = worlds[f"{path}.per_event.{event}"]
        for event in amount.per_spell_day:
            per_spell_day[:, o, events.index(event)] = worlds[f"{path}.per_spell_day.{event}"]
        for state, series in amount.by_months_since_entry.items():
            part = by_entry[:, o, states.index(state)]
            series_factor(part, series, f"{path}.by_months_since_entry.{state}", clock.entry, clock.steps, worlds)
        for state, series in amount.by_months_in_state.items():
            part = by_stay[:, o, states.index(state)]
            series_factor(part, series, f"{path}.by_months_in_state.{state}", 0, clock.steps, worlds)
        if amount.discount_rate_per_year is not None:
            step = np.arange(clock.length + 2) - clock.entry
            discount[:, o] = (1 + worlds[f"{path}.discount_rate_per_year"][:, None]) ** (-step[None, :] / (12 * clock.steps))
    for o, outcome in enumerate(outcomes.values()):
        if isinstance(outcome, CountOfEvents):
            per_event[:, o, [events.index(event) for event in outcome.events]] = 1.0
        if isinstance(outcome, DaysInSpells):
            per_spell_day[:, o, [events.index(event) for event in outcome.events]] = 1.0
            from_day[o] = outcome.from_day.value - 1
            to_day[o] = outcome.to_day.value if outcome.to_day is not None else np.inf
    by_entry, by_stay, discount = one_row(by_entry), one_row(by_stay), one_row(discount)
    return Worth(
        per_month=per_month,
        gathered=_gathered(outcomes, windows, discount, by_entry),
        by_entry=by_entry,
        by_stay=by_stay,
        has_by_stay=np.array(
            [isinstance(one, Amount) and bool(one.by_months_in_state) for one in outcomes.values()], dtype=np.bool_
        ),
        per_event=per_event,
        per_spell_day=per_spell_day,
        from_day=from_day,
        to_day=to_day,
        discount=discount,
        scale=ones(0, 0),
    )


def _gathered(outcomes: Mapping[str, Outcome], windows: Windows, discount: Floats, by_entry: Floats) -> Floats:
    """Give the weights of the months before each month of the clock, shape (row, outcome, state or 1, window, month)."""
    n_dates = discount.shape[2]
    weights = np.zeros((len(outcomes), len(windows.stop), n_dates))
    for o, outcome in enumerate(outcomes.values()):
        counted = outcome.counted if isinstance(outcome, Amount) else "beginning"
        for w, (first, stop) in enumerate(zip(windows.begin, windows.stop, strict=True)):
            weights[o, w, first : stop + 1] = _within(counted, int(stop - first))
    factor = by_entry if by_entry.shape[3] > 1 else np.ones((1, len(outcomes), 1, n_dates))
    weighted = weights[None, :, None, :, :] * (discount[:, :, None, :] * factor)[:, :, :, None, :]
    out = np.zeros((*weighted.shape[:-1], n_dates + 1))
    np.cumsum(weighted, axis=-1, out=out[..., 1:])
    return out


def _within(counted: str, months: int) -> Floats:
    """Give the weights of the dates 0 to `months` of a window.

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


def answer_tables(
    outcomes: Mapping[str, Outcome], states: Sequence[str], clock: Clock, factors_on_calendar: Mapping[str, Floats], worlds: Worlds
) -> Answers:
    """Give the probability of each binary outcome by state, and what the way to its date does to the odds."""
    n = len(worlds)
    probability, per_month = np.zeros((n, len(outcomes), len(states))), np.zeros((n, len(outcomes), len(states)))
    has_shock = any(name in factors_on_calendar for name in outcomes)
    by_calendar = ones(n if has_shock else 1, len(outcomes), clock.length + 1)
    for o, (name, outcome) in enumerate(outcomes.items()):
        if isinstance(outcome, Binary):
            for s, state in enumerate(states):
                probability[:, o, s] = worlds[f"outcomes.{name}.probability.{state}"]
            for state in outcome.odds_ratio_per_month_in:
                ratio = worlds[f"outcomes.{name}.odds_ratio_per_month_in.{state}"]
                per_month[:, o, states.index(state)] = np.log(np.maximum(ratio, 1e-300)) / clock.steps
            if name in factors_on_calendar:
                by_calendar[:, o, :-1] = factors_on_calendar[name]
                by_calendar[:, o, -1] = by_calendar[:, o, -2]
    return Answers(
        month=_dates(outcomes, Binary, clock),
        probability=probability,
        odds_per_month=per_month,
        acts=np.zeros((0, len(outcomes)), dtype=np.bool_),
        by_calendar=by_calendar,
    )


def score_tables(outcomes: Mapping[str, Outcome], states: Sequence[str], clock: Clock, worlds: Worlds) -> Scores:
    """Give mean, spread and correlation of each score."""
    n = len(worlds)
    mean, sd, correlation = np.zeros((n, len(outcomes), 2)), ones(n, len(outcomes), 2), np.zeros((n, len(outcomes)))
    by_state = np.zeros((n, len(outcomes), len(states)))
    for o, (name, outcome) in enumerate(outcomes.items()):
        if not isinstance(outcome, Score):
            continue
        path = f"outcomes.{name}"
        mean[:, o, 1], sd[:, o, 1] = worlds[f"{path}.mean"], worlds[f"{path}.sd"]
        mean[:, o, 0] = worlds[f"{path}.mean_at_entry"] if outcome.mean_at_entry is not None else mean[:, o, 1]
        sd[:, o, 0] = worlds[f"{path}.sd_at_entry"] if outcome.sd_at_entry is not None else sd[:, o, 1]
        correlation[:, o] = worlds[f"{path}.correlation"]
        if outcome.error_sd_at_entry is not None:
            # The level that is read at entry is normal as well, and goes with the later one by so much less (Spearman 1904).
            read = np.hypot(sd[:, o, 0], worlds[f"{path}.error_sd_at_entry"])
            correlation[:, o] *= np.divide(sd[:, o, 0], read, out=np.ones(n), where=read > 0)
            sd[:, o, 0] = read
        for state in outcome.by_state:
            by_state[:, o, states.index(state)] = worlds[f"{path}.by_state.{state}"]
    gains = [isinstance(outcome, Score) and outcome.reported == "gain" for outcome in outcomes.values()]
    return Scores(_dates(outcomes, Score, clock), mean, sd, correlation, by_state, np.array(gains, dtype=np.bool_))


def _dates(outcomes: Mapping[str, Outcome], kind: type[Binary] | type[Score], clock: Clock) -> Integers:
    """Give the step of the clock at which each outcome of a kind is read, -1 for others."""
    steps = [clock.entry + int(one.at_month.value) * clock.steps if isinstance(one, kind) else -1 for one in outcomes.values()]
    return np.array(steps, dtype=np.int64)


def is_known(outcome: Outcome, windows: Windows, clock: Clock) -> Flags:
    """Say in which windows an outcome is known, shape (n_windows,): a score at entry and at its date, an answer at its date."""
    if not isinstance(outcome, Binary | Score):
        return np.ones(len(windows.stop), dtype=np.bool_)
    is_before = windows.begin < clock.entry
    read = clock.entry + int(outcome.at_month.value) * clock.steps <= windows.stop
    return np.where(is_before, isinstance(outcome, Score), read)
