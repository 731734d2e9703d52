"""Write the table of made-up sick leave that comes with the program: `python -m verification.made_up_sick_leave`.

Nobody in it exists, and its numbers were chosen, not measured. Employees of two kinds of workplace are observed for three years and
fall ill again and again, some more than others. `TRUTH` holds the numbers that an estimate should find again, within its uncertainty.
Employees who were never ill are in no row: the mapping says how many they all are.
"""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np

from verification.made_up_spells import DAYS_PER_MONTH, text

FILE = Path(__file__).resolve().parent.parent / "configs" / "spells" / "sick_leave_made_up.csv"
FIRST, UNTIL = datetime.date(2021, 1, 1), datetime.date(2024, 1, 1)
PEOPLE = {"Skola": 260, "Hemtjänst": 240}
SEED = 2021
TRUTH = {"rate_per_month": 0.12, "home_care": 1.5, "variance": 0.8, "mean_days": 6.0, "sd_days": 6.0}
"""Spells of leave per month at work of employees in schools; the factor of home care; variance of the factor between people; lengths,
lognormal, in days."""


def lines() -> list[list[str]]:
    """Return the rows of the table, the header first."""
    draws = np.random.default_rng(SEED)
    rows = [["Anställningsnummer", "Förvaltning", "Från och med", "Till och med"]]
    n_days = (UNTIL - FIRST).days
    sd = np.sqrt(np.log1p((TRUTH["sd_days"] / TRUTH["mean_days"]) ** 2))
    number = 4000
    for workplace, n in PEOPLE.items():
        for _ in range(n):
            number += 1
            factor = draws.gamma(1 / TRUTH["variance"]) * TRUTH["variance"]
            rate = TRUTH["rate_per_month"] * factor * (TRUTH["home_care"] if workplace == "Hemtjänst" else 1.0)
            day = 0.0
            while (day := day + draws.exponential(DAYS_PER_MONTH / rate)) < n_days:
                days = max(1, round(draws.lognormal(np.log(TRUTH["mean_days"]) - sd**2 / 2, sd)))
                first = FIRST + datetime.timedelta(days=int(day))
                last = first + datetime.timedelta(days=days - 1)
                rows.append([str(number), workplace, first.isoformat(), "" if last >= UNTIL else last.isoformat()])
                day = int(day) + days
    return rows


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(text(lines()).encode("cp1252"))
