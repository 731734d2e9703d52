"""Contracts that are paid for what people reached, month by month, each worked out from its words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction

from verification.conformance.ledger import PROVIDER, Story, exact, first_from


def _stages(s: Story, prices: dict[str, int], needs: dict[str, str], cap: int, dates: list[int], payee: str) -> None:
    """Pay each outcome once, when it and the one that it needs are reached, within the cap of the person."""
    order = tuple(prices)
    had: dict[str, set[str]] = defaultdict(set)
    waits: dict[str, list[str]] = defaultdict(list)
    spent: dict[str, int] = defaultdict(int)
    for row in s.in_order(order):
        person, outcome = row["person"], row["outcome"]
        if outcome in had[person]:
            continue
        had[person].add(outcome)
        waits[person].append(outcome)
        for one in sorted(waits[person], key=order.index):
            if needs.get(one, one) in had[person]:
                waits[person].remove(one)
                if (date := first_from(dates, row["month"])) is not None:
                    amount = min(prices[one], cap - spent[person])
                    spent[person] += amount
                    s.pay(amount, date, payee=payee)


def women_in_recovery_four_payments(s: Story) -> None:
    free = ("free_at_24", "free_at_36", "free_at_54")
    prices = dict.fromkeys(("graduated", *free), 5_646)
    _stages(s, prices, dict.fromkeys(free, "graduated"), 22_584, list(range(3, 121, 3)), PROVIDER)


def iaam_four_stages_and_breakdowns(s: Story) -> None:
    prices = {"registered": 8_000, "placed": 23_000, "one_year": 6_800, "two_years": 15_800}
    needs = {"placed": "registered", "one_year": "placed", "two_years": "one_year"}
    _stages(s, prices, needs, 53_600, list(range(3, 121, 3)), "investor")
    s.pay(22_600 * max(s.number("breakdown", 120) - Fraction(s.number("placed", 120), 10), Fraction(0)), 120, payer="scheme")


def fair_chance_cap_in_order(s: Story) -> None:
    prices = {"accommodation": 700, "three_months": 1_500, "six_months": 1_500, "a_year": 3_000, "qualified": 5_100}
    needs = {"three_months": "accommodation", "six_months": "three_months", "a_year": "six_months"}
    _stages(s, prices | {"worked_a_year": 6_000}, needs, 15_000, list(range(3, 37, 3)), "investor")


def denver_price_per_day(s: Story) -> None:
    left = Fraction(11_420_000)
    for after, month in ((-1, 57), (57, 66)):
        # Each row is rounded by itself; days at 15.12 come to whole cents.
        due = sum(s.rounded(Fraction("15.12") * exact(row["units"])) for row in s.rows if after < row["month"] <= month)
        left -= s.pay(min(Fraction(due, 100), left), month)


def _units(s: Story, outcome: str) -> Iterable[tuple[str, int, Fraction]]:
    for row in s.in_order((outcome,)):
        yield row["person"], row["month"], exact(row["units"])


def qualifying_days_counted_back(s: Story) -> None:
    jail: dict[tuple[str, int], Fraction] = defaultdict(Fraction)
    for person, month, days in _units(s, "jail_days"):
        jail[person, month] += days
    so_far: dict[str, Fraction] = defaultdict(Fraction)
    for person, month, days in _units(s, "housing_days"):
        before = so_far[person]
        so_far[person] += max(days - jail[person, month], Fraction(0))
        counts = so_far[person] - (before if before >= 365 else 0) if so_far[person] >= 365 else Fraction(0)
        if (date := first_from([12, 24, 36], month)) is not None:
            s.pay(Fraction("15.12") * counts, date)


def days_beyond_a_threshold(s: Story) -> None:
    so_far: dict[str, Fraction] = defaultdict(Fraction)
    for person, month, days in _units(s, "days"):
        before = max(so_far[person] - 20, Fraction(0))
        so_far[person] += days
        s.pay(10 * (max(so_far[person] - 20, Fraction(0)) - before), first_from([6, 12], month), payee=PROVIDER)


def months_of_tenancy(s: Story) -> None:
    stages = {"three_months": 1_242, "six_months": 1_863, "nine_months": 2_484, "twelve_months": 6_831}
    waits: dict[str, Fraction] = defaultdict(Fraction)
    for row in s.in_order((*stages, "month_after")):
        person, date = row["person"], first_from(list(range(3, 73, 3)), row["month"])
        if row["outcome"] == "month_after":
            waits[person] += exact(row["units"])
        else:
            s.pay(stages[row["outcome"]], date)
        if any(
            one["person"] == person and one.get("outcome") == "twelve_months" and one["month"] <= row["month"] for one in s.rows
        ):
            s.pay(1_035 * waits.pop(person, Fraction(0)), date)


def _budget(s: Story, *, is_carried: bool) -> None:
    spent, carried = defaultdict(int), {"first": 0, "second": 0}
    for after, month, year in ((-1, 6, 0), (6, 12, 0), (12, 18, 1), (18, 24, 1)):
        for outcome, price in (("first", 1_000), ("second", 500)):
            due = price * s.number(outcome, month, after) + carried[outcome]
            paid = min(due, 10_000 - spent[year])
            carried[outcome] = due - paid if is_carried else 0
            spent[year] += paid
            s.pay(paid, month, payee=PROVIDER)


def budget_year_excess_lost(s: Story) -> None:
    _budget(s, is_carried=False)


def budget_year_excess_carried_over(s: Story) -> None:
    _budget(s, is_carried=True)


def bands_by_volume(s: Story) -> None:
    prices = [1_000] * 10 + [800] * 10 + [500] * 1_000
    for row in s.in_order(("placed",)):
        if row["month"] <= 12:
            s.pay(prices.pop(0), first_from([6, 12], row["month"]))


def bands_and_caps_in_the_order_of_persons(s: Story) -> None:
    left: dict[str, int] = defaultdict(lambda: 600)
    jobs = 0
    for row in s.in_order(("start", "job")):
        price = 300
        if row["outcome"] == "job":
            price, jobs = (500 if jobs else 1_000), jobs + 1
        paid = min(price, left[row["person"]])
        left[row["person"]] -= paid
        s.pay(paid, 12)


def lost_within_a_year_and_owed_back(s: Story) -> None:
    dates = list(range(3, 37, 3))
    placed: dict[str, int] = {}
    waits, had = set(), set()
    for row in s.in_order(("placed", "one_year", "breakdown")):
        person, month = row["person"], row["month"]
        if row["outcome"] == "breakdown" and person in placed and month <= placed[person] + 12:
            s.pay(-Fraction(23_000, 2), max(first_from(dates, month), first_from(dates, placed.pop(person))))
        elif row["outcome"] == "placed" and person not in placed:
            placed[person] = month
            s.pay(23_000, first_from(dates, month))
        elif row["outcome"] == "one_year" and person not in had:
            had.add(person)
            waits.add(person)
        if person in waits and person in placed:
            waits.remove(person)
            s.pay(6_800, first_from(dates, month + 1))


def owed_back_makes_room_under_the_cap(s: Story) -> None:
    left: dict[str, int] = defaultdict(lambda: 1_000)
    jobs: dict[str, tuple[int, int]] = {}
    for row in s.in_order(("job", "course", "job_lost")):
        person, month, date = row["person"], row["month"], first_from([6, 12], row["month"])
        if row["outcome"] == "job_lost":
            since, paid = jobs.get(person, (-100, 0))
            if month <= since + 6:
                del jobs[person]
                left[person] += paid
                s.pay(-paid, date)
        elif row["outcome"] == "course" or person not in jobs:
            paid = min(600 if row["outcome"] == "job" else 500, left[person])
            left[person] -= paid
            s.pay(paid, date)
            if row["outcome"] == "job":
                jobs[person] = (month, paid)


def _open_at_the_end(s: Story, *, is_paid: bool) -> None:
    certified = set()
    for row in s.in_order(("attends", "certificate")):
        if row["month"] > 9:
            continue
        if row["outcome"] == "attends":
            s.pay(250, first_from([3, 6, 9], row["month"]), payee=PROVIDER)
        elif row["person"] not in certified:
            certified.add(row["person"])
            date = first_from([3, 6, 9], row["month"] + 2)
            if date is not None or is_paid:
                s.pay(2_000, 9 if date is None else date, payee=PROVIDER)


def open_at_the_end_lost(s: Story) -> None:
    _open_at_the_end(s, is_paid=False)


def open_at_the_end_paid(s: Story) -> None:
    _open_at_the_end(s, is_paid=True)


def prices_by_group_wave_month_and_index(s: Story) -> None:
    of_first = of_all = Fraction(0)
    for after, date in ((-1, 12), (12, 24), (24, 36)):
        due = {"first": Fraction(0), "second": Fraction(0)}
        for row in s.rows:
            if after < row["month"] <= date:
                price = 1_200 if row["month"] >= 12 else 1_000
                price = 900 if row["wave"] == "second" else price
                price = 1_500 if row.get("group") == "over_50" else price
                due[row["wave"]] += Fraction(s.rounded(price * Fraction("1.1") ** (row["month"] // 12)), 100)
        due["first"] = min(due["first"], 3_500 - of_first)
        of_first += due["first"]
        of_all += s.pay(min(sum(due.values()), 6_000 - of_all), date, payee=PROVIDER)


def whole_card_caps_and_gate(s: Story) -> None:
    card = 5_000
    for after, date in ((-1, 6), (6, 12)):
        on_date = min(400 * s.number("enters", date, after) + 1_000 * s.number("job", date, after), card)
        card -= on_date
        if s.number("enters", date) >= 3:
            s.pay(min(max(on_date, 500), 4_000), date)


def variation_if_few_are_placed(s: Story) -> None:
    is_slow, spent = s.number("placed", 6) < 4, Fraction(0)
    for after, date in ((-1, 3), (3, 6), (6, 9), (9, 12)):
        is_changed = is_slow and date > 6
        price, most = (24_000, 150_000) if is_changed else (20_000, 900_000)
        spent += s.pay(min(price * s.number("placed", date, after), max(most - spent, Fraction(0))), date, payee=PROVIDER)
        if is_slow and date == 9:
            s.pay(50_000, date, payee=PROVIDER)


def reached_as_a_share_and_since_the_last_date(s: Story) -> None:
    for after, date in ((-1, 6), (6, 12), (12, 18)):
        s.pay(100 * s.number("completes", date, after), date, payee=PROVIDER)
    if Fraction(s.number("drops_out", 18), len({row["person"] for row in s.rows})) <= Fraction(1, 10):
        s.pay(10_000, 18, payee=PROVIDER)


def units_rounded_half_to_even(s: Story) -> None:
    for row in s.rows:
        s.pay(Fraction("0.125" if row["outcome"] == "hours" else "0.0625") * exact(row["units"]), 12)
