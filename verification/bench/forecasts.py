"""What contracts came to by the public tables, read by a program that shares nothing with the package: months and money, row by row.

Run with `python -m verification.bench.forecasts FOLDER [PROBLEM]`: it prints every contract with its answer. Each amount is put into the
months of its period one by one, and months are counted from January of year 0.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path

Months = dict[int, float]
"""By month: the money that belongs to it."""


def month_of(text: str) -> int | None:
    """Count a month such as 2019-04; None where it is none."""
    year, _, month = text.strip().partition("-")
    is_one = (
        len(year) == 4 and len(month) == 2 and (year + month).isdigit() and 1 <= int(month) <= 12 and year[:2] in ("19", "20", "21")
    )
    return int(year) * 12 + int(month) - 1 if is_one else None


def number_of(text: str) -> float | None:
    """Read an amount; None where it is empty or a formula."""
    try:
        return float(text)
    except ValueError:
        return None


def money_by_month(folder: Path) -> dict[str, dict[str, Months]]:
    """Return by project, then by plan, of which the empty one is what was paid: money by month."""
    found: dict[str, dict[str, Months]] = defaultdict(lambda: defaultdict(lambda: defaultdict(float)))
    currencies = defaultdict(set)
    with (folder / "outcome_payments.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            cells = {name.partition(" - (Value)")[0]: (value or "").strip() for name, value in row.items()}
            project, kind, plan = cells["Project ID"], cells["Type"].lower(), cells["Outcome Payment Plan Id"].lower()
            currencies[project].add(cells["Payments - Currency"])
            amount = number_of(cells["Payments - Amount"])
            first, last = month_of(cells["Period - Start"]), month_of(cells["Period - End"])
            is_read = kind == "actual" or (kind == "planned" and plan)
            if not is_read or amount is None or first is None or last is None or last < first:
                continue
            for month in range(first, last + 1):
                found[project]["" if kind == "actual" else plan][month] += amount / (last - first + 1)
            # A month that is named and has no money counts as reached.
            found[project][f"ends {'' if kind == 'actual' else plan}"][last] += 0.0
    return {project: plans for project, plans in found.items() if len(currencies[project]) == 1}


def up_to(months: Months, last: int) -> float:
    """Add up the months up to one, this included."""
    return sum(money for month, money in months.items() if month <= last)


def repeated_until(plan: Months, paid: Months, ends: list[int]) -> int:
    """Return the last month whose payments the plan repeats to a thousandth; -1 where it repeats none."""
    known = -1
    for month in ends:
        planned_so_far, paid_so_far = up_to(plan, month), up_to(paid, month)
        if planned_so_far == paid_so_far == 0:
            continue
        if paid_so_far <= 0 or abs(planned_so_far - paid_so_far) > 1e-3 * paid_so_far:
            break
        known = month
    return known


def answers(folder: Path) -> dict[str, dict[str, float]]:
    """Return by problem and contract what came."""
    with (folder / "projects.csv").open(encoding="utf-8-sig", newline="") as file:
        projects = {row["ID"].strip(): row for row in csv.DictReader(file)}
    complete = {one for one, row in projects.items() if row["Stage of Development - (Value)"].strip().lower() == "complete"}
    found: dict[str, dict[str, float]] = defaultdict(dict)
    served = "Service and beneficiaries - {} number of unique service users or beneficiaries{} (total) - (Value)"
    for one in complete:
        planned = number_of(projects[one][served.format("Targeted", "")])
        reached = number_of(projects[one][served.format("Actual", " engaged")])
        if planned and reached and planned > 0 and reached > 0:
            found["people_reached_of_planned"][one] = reached / planned
    for project, plans in money_by_month(folder).items():
        paid, named = plans.get("", {}), sorted(plan for plan in plans if plan and not plan.startswith("ends "))
        if paid and named:
            first_plan = min(named, key=lambda plan: (int("".join(filter(str.isdigit, plan)) or 0), plan))
            ends = sorted(set(plans["ends "]) & set(plans[f"ends {first_plan}"]))
            of_one(found, project, plans[first_plan], paid, ends, is_complete=project in complete)
    return found


def of_one(
    found: dict[str, dict[str, float]], project: str, plan: Months, paid: Months, ends: list[int], *, is_complete: bool
) -> None:
    """Put what one contract came to into the answers."""
    known, last = repeated_until(plan, paid, ends), max(paid)
    due, whole = up_to(plan, last) - up_to(plan, known), sum(plan.values()) - up_to(plan, known)
    came = sum(paid.values()) - up_to(paid, known)
    is_finished = is_complete or due >= whole * (1 - 1e-9)
    if due > 0 and whole > 0 and came > 0:
        found["paid_of_planned"][project] = came / (whole if is_finished else due)
        if is_finished:
            found["paid_when_finished"][project] = came / whole
    start = min(month for month, money in plan.items() if money > 0)
    for year, problem in enumerate(("paid_in_the_first_year", "paid_in_the_second_year")):
        ends_at = [start - 1 + 12 * k for k in range(3)]
        planned, came_of = (
            [up_to(one, ends_at[k + 1]) - (up_to(one, ends_at[k]) if k else 0) for k in range(2)] for one in (plan, paid)
        )
        is_known = is_complete or last >= ends_at[year + 1]
        if is_known and min(*planned[: year + 1], *came_of[: year + 1]) > 0 and known < start + 12 * year:
            found[problem][project] = came_of[year] / planned[year]
    half = sum(plan.values()) / 2
    half_planned = next(month for month in range(start, max(plan) + 1) if up_to(plan, month) >= half)
    half_paid = next((month for month in range(min(paid), last + 1) if up_to(paid, month) >= half), None)
    if half_paid is not None and known < half_planned:
        found["half_of_the_plan_paid"][project] = (half_paid - half_planned) / 12


def main() -> None:
    """Print the answers."""
    if len(sys.argv) not in (2, 3) or not Path(sys.argv[1]).is_dir():
        sys.exit("give the folder of the public tables, and perhaps the name of a problem")
    for problem, contracts in answers(Path(sys.argv[1])).items():
        if problem in (sys.argv[2:] or [problem]):
            print(f"{problem}: {len(contracts)} contracts")
            for project, value in sorted(contracts.items()):
                print(f"  {project} {value:.6g}")


if __name__ == "__main__":
    main()
