"""What is counted of one life, in plain Python: every kind of outcome in every window, one rule each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Any

from tests.reference.life import Clips, Happening, Life
from tests.reference.people import change, changed_probability, effects_on, with_odds
from tests.reference.replication import DAYS_PER_MONTH, series_factor, shock_factor

Window = tuple[int, int]
"""First month of the clock, and the month after the last."""


@dataclass(frozen=True)
class Told:
    """A life with all that happened in it."""

    life: Life
    events: dict[str, list[Happening]]
    has_service: bool
    until: int

    @property
    def end(self) -> int:
        return self.life.person.end


def values_of(told: Told, windows: list[Window], clips: Clips) -> dict[str, list[float]]:
    """Give every outcome in every window; 0 where the person is not followed to its end."""
    outcomes = told.life.person.numbers.cohort.outcomes
    closes = [stop <= told.end for _, stop in windows]
    out: dict[str, list[float]] = {}
    for name, outcome in outcomes.items():
        if outcome.kind in ("target", "claim"):
            continue
        if outcome.kind == "binary":
            out[name] = answers(told, name, outcome, windows, clips)
        elif outcome.kind == "score":
            out[name] = scores(told, name, outcome, windows)
        else:
            count = {"amount": amount, "count": count_of, "days": days_of, "reached": reached}[outcome.kind]
            out[name] = [
                count(told, name, outcome, window) if is_closed else 0.0 for window, is_closed in zip(windows, closes, strict=True)
            ]
        out[name] = [value if is_closed else 0.0 for value, is_closed in zip(out[name], closes, strict=True)]
    for name, outcome in outcomes.items():
        if outcome.kind == "target":
            of = outcomes[outcome.outcome]
            known = [is_known(told, of, window) for window in windows]
            meets = [is_met(outcome, value) for value in out[outcome.outcome]]
            out[name] = [float(a and b and c) for a, b, c in zip(known, meets, closes, strict=True)]
            if outcome.among is not None:
                before = out[outcome.among.outcome][-1]
                low, high = outcome.among.at_least, outcome.among.at_most
                if (low is not None and before < low) or (high is not None and before > high):
                    out[name] = [0.0 for _ in windows]
    for name, outcome in outcomes.items():
        if outcome.kind == "claim":
            out[name] = [claimed(outcome, out, place) if is_closed else 0.0 for place, is_closed in enumerate(closes)]
    return out


# ------------------------------------------------ money and counts ------------------------------------------------


def amount(told: Told, name: str, outcome: Any, window: Window) -> float:
    """Add up the discounted price of every date in states, of events, and of the days of spells."""
    numbers, (begin, stop), total = told.life.person.numbers, window, 0.0
    for date in range(begin, stop + 1):
        weight = weight_of_date(outcome.counted, date - begin, stop - begin)
        if weight > 0:
            total += weight * price_on(told, name, outcome, date) * discount(told, name, outcome, date)
    for event in outcome.per_event:
        for happening in told.events[event]:
            if begin <= happening.month < stop:
                total += numbers[f"outcomes.{name}.per_event.{event}"] * discount(told, name, outcome, happening.month)
    for event in outcome.per_spell_day:
        for happening in told.events[event]:
            for month in range(begin, stop):
                price = numbers[f"outcomes.{name}.per_spell_day.{event}"]
                total += price * days_in(happening, month, 0.0, None) * discount(told, name, outcome, month)
    for month in range(begin, stop):
        total += price_of_move(told, name, outcome, month) * discount(told, name, outcome, month)
    return total * scale(told, name, outcome)


def move_in(told: Told, month: int) -> str:
    """Name the move that a person makes in a month, from one stay to the next; nothing where there is none."""
    for before, after in pairwise(told.life.stays):
        if after.first == month + 1:
            return f"{before.state} -> {after.state}"
    return ""


def price_of_move(told: Told, name: str, outcome: Any, month: int) -> float:
    """Price the move of a month: by the move, or by the move and the stratum of the person."""
    person, move = told.life.person, move_in(told, month)
    if move in outcome.per_move:
        return person.numbers[f"outcomes.{name}.per_move.{move}"]
    if person.stratum in outcome.per_move_by_stratum.get(move, {}):
        return person.numbers[f"outcomes.{name}.per_move_by_stratum.{move}.{person.stratum}"]
    return 0.0


def weight_of_date(counted: str, date: int, last: int) -> float:
    """Give how many months a date stands for: 0 is that of entry, `last` that on which the window closes."""
    if counted == "beginning":
        return 1.0 if date < last else 0.0
    if counted == "end":
        return 1.0 if date > 0 else 0.0
    if counted == "half_cycle":
        return 0.5 if date in (0, last) else 1.0
    # The weights alternate backwards from the last date.
    return 1 / 3 if date in (0, last) else (4 / 3 if (last - date) % 2 == 1 else 2 / 3)


def price_on(told: Told, name: str, outcome: Any, date: int) -> float:
    """Give the price of a month in the state in which a person is on a date."""
    numbers, path = told.life.person.numbers, f"outcomes.{name}"
    stay = told.life.stay_at(date)
    if stay.state not in outcome.per_day:
        return 0.0
    price = numbers[f"{path}.per_day.{stay.state}"] * DAYS_PER_MONTH
    after_entry = outcome.by_months_since_entry.get(stay.state)
    price *= series_factor(numbers, after_entry, f"{path}.by_months_since_entry.{stay.state}", date - numbers.history)
    in_state = outcome.by_months_in_state.get(stay.state)
    return price * series_factor(numbers, in_state, f"{path}.by_months_in_state.{stay.state}", date - stay.since)


def discount(told: Told, name: str, outcome: Any, date: int) -> float:
    numbers = told.life.person.numbers
    rate = numbers[f"outcomes.{name}.discount_rate_per_year"] if outcome.discount_rate_per_year is not None else 0.0
    return (1 + rate) ** (-(date - numbers.history) / 12)


def scale(told: Told, name: str, outcome: Any) -> float:
    """Draw a person's factor on an amount."""
    person, path = told.life.person, f"outcomes.{name}"
    if outcome.between_people_half_width is not None:
        width = person.numbers[f"{path}.between_people_half_width"]
        return 1 + width * (2 * person.luck.pair(f"amount/{name}")[0] - 1)
    sd = person.numbers[f"{path}.between_people_sd"] if outcome.between_people_sd is not None else 0.0
    return person.luck.row(f"amount/{name}").gamma(1 / sd**2) * sd**2 if sd > 0 else 1.0


def days_in(happening: Happening, month: int, from_day: float, to_day: float | None) -> float:
    """Give the days of a spell that fall into a month: those after its first `from_day` days, up to its day `to_day`."""
    low = max(happening.began + from_day / DAYS_PER_MONTH, float(month))
    high = min(happening.ended, month + 1.0)
    if to_day is not None:
        high = min(high, happening.began + to_day / DAYS_PER_MONTH)
    return max(0.0, high - low) * DAYS_PER_MONTH


def count_of(told: Told, name: str, outcome: Any, window: Window) -> float:
    happened = sum(window[0] <= one.month < window[1] for event in outcome.events for one in told.events[event])
    return float(happened + sum(move_in(told, month) in outcome.moves for month in range(*window)))


def days_of(told: Told, name: str, outcome: Any, window: Window) -> float:
    return sum(days_of_month(told, outcome, month) for month in range(*window))


def days_of_month(told: Told, outcome: Any, month: int) -> float:
    from_day, to_day = outcome.from_day.value - 1, outcome.to_day.value if outcome.to_day is not None else None
    return sum(days_in(one, month, from_day, to_day) for event in outcome.events for one in told.events[event])


def by_year(told: Told, n_years: int) -> dict[str, list[float]]:
    """Give what adds up over time by year of the study: from entry to the horizon, by the state of each month, undiscounted."""
    person, numbers = told.life.person, told.life.person.numbers
    out = {}
    for name, outcome in numbers.cohort.outcomes.items():
        years = [0.0] * n_years
        for month in range(numbers.history, min(told.end, told.until)):
            value = 0.0
            if outcome.kind == "amount":
                value = price_on(told, name, outcome, month)
                for event in outcome.per_event:
                    happened = sum(one.month == month for one in told.events[event])
                    value += numbers[f"outcomes.{name}.per_event.{event}"] * happened
                for event in outcome.per_spell_day:
                    days = sum(days_in(one, month, 0.0, None) for one in told.events[event])
                    value += numbers[f"outcomes.{name}.per_spell_day.{event}"] * days
                value += price_of_move(told, name, outcome, month)
                value *= scale(told, name, outcome)
            elif outcome.kind == "count":
                value = count_of(told, name, outcome, (month, month + 1))
            elif outcome.kind == "days":
                value = days_of_month(told, outcome, month)
            years[person.calendar(month) // 12] += value
        out[name] = years
    return out


# ------------------------------------------------ what is read on a date ------------------------------------------------


def answers(told: Told, name: str, outcome: Any, windows: list[Window], clips: Clips) -> list[float]:
    """Answer yes or no once, from the way to the date; it counts in windows after entry that reach the date."""
    person, numbers, path = told.life.person, told.life.person.numbers, f"outcomes.{name}"
    date = numbers.history + int(outcome.at_month.value)
    if date > min(person.end, told.until):
        return [0.0] * len(windows)
    probability = numbers[f"{path}.probability.{told.life.stay_at(date).state}"]
    for month in range(numbers.history, date):
        state = told.life.stay_at(month).state
        if state in outcome.odds_ratio_per_month_in:
            probability = with_odds(probability, numbers[f"{path}.odds_ratio_per_month_in.{state}"])
    probability = with_odds(probability, person.factor_on(name))
    # The date on which the study ends has the factor of its last month.
    shock = shock_factor(numbers, name, min(person.calendar(date), numbers.horizon - 1))
    probability = with_odds(probability, shock)
    for effect_name, effect in effects_on(numbers, "outcome", name, person.stratum, has_service=told.has_service):
        amount = change(person, effect_name, effect, date)
        probability, is_clipped = changed_probability(probability, effect.form, amount)
        clips.number += is_clipped
    yes = float(person.luck.pair(f"outcome/{name}")[0] < probability)
    return [yes if begin == numbers.history and date <= stop else 0.0 for begin, stop in windows]


def scores(told: Told, name: str, outcome: Any, windows: list[Window]) -> list[float]:
    """Measure a score: before entry at entry, after it at its date."""
    person, numbers, path = told.life.person, told.life.person.numbers, f"outcomes.{name}"
    date = numbers.history + int(outcome.at_month.value)
    row = person.luck.row(f"outcome/{name}")
    z_entry, z_own = row.normal(), row.normal()
    mean, sd, rho = numbers[f"{path}.mean"], numbers[f"{path}.sd"], numbers[f"{path}.correlation"]
    mean_at_entry = numbers[f"{path}.mean_at_entry"] if outcome.mean_at_entry is not None else mean
    sd_at_entry = numbers[f"{path}.sd_at_entry"] if outcome.sd_at_entry is not None else sd
    if outcome.error_sd_at_entry is not None:
        read = sqrt(sd_at_entry**2 + numbers[f"{path}.error_sd_at_entry"] ** 2)
        rho, sd_at_entry = rho * (sd_at_entry / read if read else 1.0), read
    at_entry = mean_at_entry + sd_at_entry * z_entry
    level = 0.0
    if date <= min(person.end, told.until):
        state = told.life.stay_at(date).state
        level = mean + sd * (rho * z_entry + sqrt(1 - rho * rho) * z_own)
        level += numbers[f"{path}.by_state.{state}"] if state in outcome.by_state else 0.0
        for effect_name, effect in effects_on(numbers, "outcome", name, person.stratum, has_service=told.has_service):
            level += change(person, effect_name, effect, date)
        level -= at_entry if outcome.reported == "gain" else 0.0
    out = []
    for begin, stop in windows:
        is_before = begin < numbers.history
        out.append(at_entry if is_before else (level if date <= stop else 0.0))
    return out


def reached(told: Told, name: str, outcome: Any, window: Window) -> float:
    """Say whether there is a date in the window on which the person has been in the states for so many months of the window.

    With 0 months, being there on any date is enough; the last date is that on which the window closes.
    """
    begin, stop = window
    months = int(outcome.stay_months.value)
    inside = [told.life.stay_at(date).state in outcome.states for date in range(begin, min(stop, told.until, told.end) + 1)]
    if months == 0:
        return float(any(inside))
    return float(any(all(inside[first : first + months]) for first in range(len(inside) - months)))


def is_known(told: Told, outcome: Any, window: Window) -> bool:
    """Say whether an outcome is known in a window: an answer after its date, a score also at entry, the others always."""
    history = told.life.person.numbers.history
    if outcome.kind not in ("binary", "score"):
        return True
    if window[0] < history:
        return outcome.kind == "score"
    return history + int(outcome.at_month.value) <= window[1]


def is_met(target: Any, value: float) -> bool:
    """Say whether a value reaches an edge; the edge counts."""
    return value >= target.at_least if target.at_least is not None else value <= target.at_most


def combination_of(claim: Any, values: dict[str, list[float]], place: int) -> int:
    """Give the number of a combination of milestones: milestone i adds 2^i."""
    return sum(2**i for i, milestone in enumerate(claim.prices) if values[milestone][place] == 1)


def claimed(claim: Any, values: dict[str, list[float]], place: int) -> float:
    """Give the prices of the milestones reached, up to the cap."""
    total = sum(price.value for milestone, price in claim.prices.items() if values[milestone][place] == 1)
    return total if claim.cap_per_person is None else min(total, claim.cap_per_person.value)
