"""The slow twin of `simengine.cohort.kernels.walk_people`: one person after the other, one loop per idea.

Written from the description of the kernel, not from its code: first a person gets a life (a list of states, one per
month), then the life is priced, then it is counted. Lists are slow here and should not be used in an engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
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
    """One person: the calendar month of entry, and the stays: state, first month, and the month after the last.

    The last stay holds one month more than the person is followed: the state at the end.
    """

    entry: int
    stays: list[tuple[int, int, int]]

    @property
    def n_months(self) -> int:
        return self.stays[-1][2] - 1

    def state_in(self, month: int) -> int:
        return next(state for state, first, stop in self.stays if first <= month < stop)

    def part_inside(self, stay: tuple[int, int, int], window: int) -> tuple[int, int]:
        """Give the first month of a stay and the month after its last among the months 0 to window - 1."""
        _, first, stop = stay
        return first, max(min(stop, self.n_months, window), first)


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
        people_by_month = _zeros(n_states, given["horizon_months"])
        for person in range(given["n_people"][r]):
            life = live(r, person, **given)
            count_states(tally.person_months[r], life, given["windows"])
            count_calendar(people_by_month, life)
            for o in range(n_outcomes):
                if given["read_month"][o] < 0:
                    price = given["price_per_month"][r][o]
                    weight = row(given["gathered_weight"], r)[o]
                    count_amount(tally.sums[r][o], tally.squares[r][o], life, price, weight, given["windows"])
                else:
                    answer = read_answer(r, person, o, life, **given)
                    count_answer(tally.sums[r][o], tally.squares[r][o], life, answer, given["read_month"][o], given["windows"])
        for o in range(n_outcomes):
            price_years(tally.by_year[r][o], people_by_month, given["price_per_month"][r][o])
    return tally


# ------------------------------------------------ what may happen ------------------------------------------------


def row(table: Table, r: int) -> Any:
    """Give the row of a table for a replication; a table with one row serves all."""
    return table[r] if len(table) > 1 else table[0]


def hazard_of(r: int, stratum: int, move: int, month: int, months_here: int, calendar: int, **given: Any) -> float:
    """Give the hazard of a move in a month after entry, after so many months in the state, in a month of the calendar."""
    factor = row(given["by_entry"], r)[move][month]
    for e, affected in enumerate(given["effect_move"]):
        if affected == move:
            ramp, fades_after, half_life = given["effect_clock"][r][e]
            factor *= exp(given["log_ratio"][r][e] * strength(month, ramp, fades_after, half_life))
    by_stay, by_calendar = row(given["by_stay"], r)[move][months_here], row(given["by_calendar"], r)[move][calendar]
    return given["hazard"][r][stratum][move] * factor * by_stay * by_calendar


def strength(month: int, ramp: float, fades_after: float, half_life: float) -> float:
    """Give the share of the full effect in the middle of a month: it grows with the ramp and halves once it fades."""
    middle = month + 0.5
    grown = 1.0 if ramp == 0 else 1.0 - exp(-middle / ramp)
    kept = 1.0 if middle <= fades_after else 0.5 ** ((middle - fades_after) / half_life)
    return grown * kept


# ------------------------------------------------ one life ------------------------------------------------


def live(r: int, person: int, **given: Any) -> Life:
    """Draw a life: entry, then one stay after the other until the horizon."""
    replication = int(given["replications"][r])
    address = (int(given["seed"]), person, replication, int(given["purpose_entry"]))
    u_stratum, u_start = _pair(*address, index=0)
    u_enrolment, _ = _pair(*address, index=1)
    stratum = choose(given["strata"][r], u_stratum)
    state = choose(given["start"][r][stratum], u_start)
    entry = given["from_month"] + int(u_enrolment * given["enrolment_months"][r])
    n_months = given["horizon_months"] - entry

    stays: list[tuple[int, int, int]] = []
    first = 0
    while first <= n_months:
        u_leave, u_move = _pair(int(given["seed"]), person, replication, int(given["purpose_moves"]), index=first)
        moves = range(given["moves_of"][state], given["moves_of"][state + 1])
        last, gathered = first, 0.0
        while last < n_months:
            hazards = [hazard_of(r, stratum, move, last, last - first, entry + last, **given) for move in moves]
            gathered = add_on(gathered, hazards)
            if gathered >= -log(u_leave):
                break
            last += 1
        stays.append((state, first, last + 1))
        if last < n_months:
            state = int(given["move_to"][moves[choose_move(hazards, u_move)]])
        first = last + 1
    return Life(entry, stays)


def add_on(start: float, numbers: Sequence[float]) -> float:
    """Add numbers one after the other: `sum` may be more exact than the kernel."""
    for number in numbers:
        start += number
    return start


def choose_move(hazards: list[float], uniform: float) -> int:
    """Give the first move whose running hazard exceeds the uniform's share; past the last rounding error, the last possible."""
    goal, running = uniform * add_on(0.0, hazards), 0.0
    for place, hazard in enumerate(hazards):
        running += hazard
        if running > goal:
            return place
    return max(place for place, hazard in enumerate(hazards) if hazard > 0)


def choose(rising: Sequence[float], uniform: float) -> int:
    """Give the first place whose running share exceeds the uniform; the last place has the rest."""
    for place, share in enumerate(rising[:-1]):
        if uniform < share:
            return place
    return len(rising) - 1


def _pair(seed: int, person: int, replication: int, purpose: int, *, index: int) -> tuple[float, float]:
    return uniform_pair(seed, index, person, replication, purpose)


# ------------------------------------------------ counting ------------------------------------------------


def count_states(person_months: list[list[float]], life: Life, windows: Table) -> None:
    """Count the months spent in each state during the months 0 to w - 1 of each window that closes."""
    for place, window in enumerate(windows):
        if window <= life.n_months:
            for stay in life.stays:
                first, stop = life.part_inside(stay, window)
                person_months[stay[0]][place] += stop - first


def count_amount(sums: list[float], squares: list[float], life: Life, price: Table, weight: Table, windows: Table) -> None:
    """Add up the price of the discounted months 0 to w - 1 of each window that closes, and its square."""
    for place, window in enumerate(windows):
        if window <= life.n_months:
            amount = 0.0
            for stay in life.stays:
                first, stop = life.part_inside(stay, window)
                amount += price[stay[0]] * (weight[stop] - weight[first])
            sums[place] += amount
            squares[place] += amount * amount


def count_calendar(people_by_month: list[list[float]], life: Life) -> None:
    """Count the people in each state by the calendar month, to the horizon."""
    for state, first, stop in life.stays:
        for month in range(first, min(stop, life.n_months)):
            people_by_month[state][life.entry + month] += 1.0


def price_years(by_year: list[float], people_by_month: list[list[float]], price: Table) -> None:
    """Price everybody's months, calendar year by calendar year."""
    for state, people in enumerate(people_by_month):
        for month, count in enumerate(people):
            by_year[month // 12] += price[state] * count


def read_answer(r: int, person: int, o: int, life: Life, **given: Any) -> float:
    """Read a yes (1) or no (0) from the state in which the month of reading begins; 0 if the life is not that long."""
    month = given["read_month"][o]
    if month > life.n_months:
        return 0.0
    replication = int(given["replications"][r])
    u_outcome, _ = _pair(int(given["seed"]), person, replication, int(given["purpose_outcome"][o]), index=0)
    return 1.0 if u_outcome < given["probability"][r][o][life.state_in(month)] else 0.0


def count_answer(sums: list[float], squares: list[float], life: Life, answer: float, month: int, windows: Table) -> None:
    """Count an answer in each window that closes and reaches the month of reading."""
    for place, window in enumerate(windows):
        if month <= window <= life.n_months:
            sums[place] += answer
            squares[place] += answer * answer


def _zeros(*shape: int) -> list[Any]:
    return [_zeros(*shape[1:]) for _ in range(shape[0])] if len(shape) > 1 else [0.0] * shape[0]
