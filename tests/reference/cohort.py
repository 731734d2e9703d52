"""The slow twin of `simengine.cohort.kernels.walk_people`: one person after the other, one loop per idea.

Written from the description of the kernel, not from its code: first a person gets a life (a list of states, one per
month), then the life is priced, then it is counted. Lists are slow here and should not be used in an engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import Any

from tests.reference.streams import uniform_pair

Table = Sequence[Any]
"""Numbers in lists in lists, or an array: whatever can be read by [index]."""


@dataclass(frozen=True)
class Tally:
    """What `walk_people` fills, as lists: by replication, then outcome or state, then window or calendar year."""

    sums: list[list[list[float]]]
    squares: list[list[list[float]]]
    person_months: list[list[list[float]]]
    by_year: list[list[list[float]]]


@dataclass(frozen=True)
class Life:
    """One person: the calendar month of entry and the state in each month after it, with one month more at the end."""

    entry: int
    states: list[int]


def walk_people(n_years: int, **given: Any) -> Tally:
    """Simulate one wave in one arm; the arguments have the names and meanings of the kernel's."""
    n_replications, n_outcomes, n_windows = len(given["replications"]), len(given["read_month"]), len(given["windows"])
    n_states = len(given["start"][0][0])
    tally = Tally(
        _zeros(n_replications, n_outcomes, n_windows),
        _zeros(n_replications, n_outcomes, n_windows),
        _zeros(n_replications, n_states, n_windows),
        _zeros(n_replications, n_outcomes, n_years),
    )
    for r in range(n_replications):
        tables = monthly_tables(r, **given)
        for person in range(given["n_people"]):
            life = live(r, person, tables, **given)
            count_states(tally.person_months[r], life, given["windows"])
            for o in range(n_outcomes):
                if given["read_month"][o] < 0:
                    price = given["price_per_month"][r][o]
                    count_amount(tally.sums[r][o], tally.squares[r][o], life, price, given["windows"])
                    count_years(tally.by_year[r][o], life, price)
                else:
                    answer = read_answer(r, person, o, life, **given)
                    count_answer(tally.sums[r][o], tally.squares[r][o], life, answer, given["read_month"][o], given["windows"])
    return tally


# ------------------------------------------------ what may happen ------------------------------------------------


def monthly_tables(r: int, **given: Any) -> list[list[list[list[float]]]]:
    """Give the hazard of every move by month after entry, stratum, origin and target, with the effects on it."""
    tables = []
    for month in range(given["horizon_months"]):
        table = []
        for stratum in given["hazard"][r]:
            rows = []
            for origin, row in enumerate(stratum):
                rows.append([h * exp(log_multiplier(r, month, origin, target, **given)) for target, h in enumerate(row)])
            table.append(rows)
        tables.append(table)
    return tables


def log_multiplier(r: int, month: int, origin: int, target: int, **given: Any) -> float:
    """Add up what the effects on one move do to the logarithm of its hazard."""
    total = 0.0
    for e, move in enumerate(given["effect_move"]):
        if move[0] == origin and move[1] == target:
            ramp, fades_after, half_life = given["effect_clock"][r][e]
            total += strength(month, ramp, fades_after, half_life) * given["log_ratio"][r][e]
    return total


def strength(month: int, ramp: float, fades_after: float, half_life: float) -> float:
    """Give the share of the full effect in the middle of a month: it grows with the ramp and halves once it fades."""
    middle = month + 0.5
    grown = 1.0 if ramp == 0 else 1.0 - exp(-middle / ramp)
    kept = 1.0 if middle <= fades_after else 0.5 ** ((middle - fades_after) / half_life)
    return grown * kept


# ------------------------------------------------ one life ------------------------------------------------


def live(r: int, person: int, tables: Table, **given: Any) -> Life:
    """Draw a life: entry, then one stay after the other until the horizon."""
    replication = int(given["replications"][r])
    address = (int(given["seed"]), person, replication, int(given["purpose_entry"]))
    u_stratum, u_start = _pair(*address, index=0)
    u_enrolment, _ = _pair(*address, index=1)
    stratum = choose(given["strata"][r], u_stratum)
    state = choose(given["start"][r][stratum], u_start)
    entry = given["from_month"] + int(u_enrolment * given["enrolment_months"][r])
    n_months = given["horizon_months"] - entry

    states: list[int] = []
    while len(states) <= n_months:
        first_month = len(states)
        u_leave, u_target = _pair(int(given["seed"]), person, replication, int(given["purpose_moves"]), index=first_month)
        last_month = month_of_leaving(tables, stratum, state, first_month, n_months, u_leave)
        states += [state] * (last_month - first_month + 1)
        if last_month < n_months:
            state = choose(rising_shares(tables[last_month][stratum][state]), u_target)
    return Life(entry, states)


def month_of_leaving(tables: Table, stratum: int, state: int, first_month: int, n_months: int, u_leave: float) -> int:
    """Give the month at whose end the chance of still being there has fallen to the uniform; n_months if it never does."""
    still_there = 1.0
    for month in range(first_month, n_months):
        total = 0.0
        for hazard in tables[month][stratum][state]:
            total += hazard
        still_there *= exp(-total)
        if still_there <= u_leave:
            return month
    return n_months


def rising_shares(hazards: list[float]) -> list[float]:
    """Give the running sum of the moves' shares of the whole hazard."""
    running, total = [], 0.0
    for hazard in hazards:
        total += hazard
        running.append(total)
    return [share / total for share in running]


def choose(rising: Sequence[float], uniform: float) -> int:
    """Give the first place whose running share exceeds the uniform; past the last rounding error, the last with a share."""
    for place, share in enumerate(rising):
        if uniform < share:
            return place
    own = [share - before for before, share in zip([0.0, *rising[:-1]], rising, strict=True)]
    return max((place for place, share in enumerate(own) if share > 0), default=0)


def _pair(seed: int, person: int, replication: int, purpose: int, *, index: int) -> tuple[float, float]:
    return uniform_pair(seed, index, person, replication, purpose)


# ------------------------------------------------ counting ------------------------------------------------


def count_states(person_months: list[list[float]], life: Life, windows: Table) -> None:
    """Count the months spent in each state during the months 0 to w - 1 of each window that closes."""
    for place, window in enumerate(windows):
        if window < len(life.states):
            for state in life.states[:window]:
                person_months[state][place] += 1.0


def count_amount(sums: list[float], squares: list[float], life: Life, price: Table, windows: Table) -> None:
    """Add up the price of the months 0 to w - 1 of each window that closes, and its square."""
    for place, window in enumerate(windows):
        if window < len(life.states):
            amount = 0.0
            for state in life.states[:window]:
                amount += price[state]
            sums[place] += amount
            squares[place] += amount * amount


def count_years(by_year: list[float], life: Life, price: Table) -> None:
    """Add the price of every month to the calendar year in which it falls, to the horizon."""
    for month, state in enumerate(life.states[:-1]):
        by_year[(life.entry + month) // 12] += price[state]


def read_answer(r: int, person: int, o: int, life: Life, **given: Any) -> float:
    """Read a yes (1) or no (0) from the state in which the month of reading begins; 0 if the life is not that long."""
    month = given["read_month"][o]
    if month >= len(life.states):
        return 0.0
    replication = int(given["replications"][r])
    u_outcome, _ = _pair(int(given["seed"]), person, replication, int(given["purpose_outcome"][o]), index=0)
    return 1.0 if u_outcome < given["probability"][r][o][life.states[month]] else 0.0


def count_answer(sums: list[float], squares: list[float], life: Life, answer: float, month: int, windows: Table) -> None:
    """Count an answer in each window that closes and reaches the month of reading."""
    for place, window in enumerate(windows):
        if month <= window < len(life.states):
            sums[place] += answer
            squares[place] += answer * answer


def _zeros(*shape: int) -> list[Any]:
    return [_zeros(*shape[1:]) for _ in range(shape[0])] if len(shape) > 1 else [0.0] * shape[0]
