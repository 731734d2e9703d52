"""Write the made-up tables that come with the program, as a municipality's system might: `python -m verification.made_up_spells`.

Nobody in it exists, and its numbers were chosen, not measured. Children are placed for the first time, in emergency foster care,
foster care or residential care, go home, and may be placed again. `TRUTH` holds the hazards that an estimate should find again,
within its uncertainty. Reports of concern are made about the same children while they are at home or in foster care: `REPORTS`. What is
wrong with real tables is not in them.
"""

from __future__ import annotations

import csv
import datetime
import io
from pathlib import Path

import numpy as np

FILE = Path(__file__).resolve().parent.parent / "configs" / "spells" / "placements_made_up.csv"
REPORTS_FILE = FILE.with_name("reports_made_up.csv")
FIRST, UNTIL = datetime.date(2018, 1, 1), datetime.date(2024, 7, 1)
N_PEOPLE, SEED = 300, 2024
DAYS_PER_MONTH = 365.25 / 12
TRUTH = {
    ("home", "emergency"): 0.030,
    ("home", "foster"): 0.006,
    ("home", "residential"): 0.010,
    ("emergency", "home"): 0.20,
    ("emergency", "foster"): 0.15,
    ("emergency", "residential"): 0.05,
    ("foster", "home"): 0.020,
    ("foster", "residential"): 0.008,
    ("residential", "home"): 0.060,
    ("residential", "foster"): 0.040,
}
"""By move: the hazard per month of boys, constant in time."""
START = {"emergency": 0.6, "foster": 0.15, "residential": 0.25}
"""By state: share of first placements."""
GIRLS = 0.7
"""Factor on the hazard of every move from home, for girls."""
WORDS = {"emergency": "Jourhem", "foster": "Familjehem", "residential": "HVB"}
COST_PER_DAY = {"emergency": (1450.0, 150.0), "foster": (1180.0, 140.0), "residential": (6420.0, 900.0)}
"""By state: mean and standard deviation of the cost per day, made up like all of this."""


REPORTS = {"home": 0.10, "foster": 0.03}
"""By state: reports per month."""
REPORTS_VARIANCE, REPORTS_SEED = 1.0, 2025
"""Variance of the factor between children."""


def lines() -> list[list[str]]:
    """Return the rows of the table, the header first."""
    draws = np.random.default_rng(SEED)
    rows = [["Löpnr", "Kön", "Insats", "Startdatum", "Slutdatum", "Dygnskostnad"]]
    for person in range(1, N_PEOPLE + 1):
        is_girl = bool(draws.random() < 0.48)
        entry = FIRST + datetime.timedelta(days=int(draws.integers(0, 4 * 365)))
        spells = _life(draws, entry, GIRLS if is_girl else 1.0)
        for state, first, end in spells:
            cost = f"{max(draws.normal(*COST_PER_DAY[state]), 300):,.2f}".replace(",", "\u00a0").replace(".", ",")
            last = "" if end >= UNTIL else end.isoformat()
            rows.append([str(person), "K" if is_girl else "M", WORDS[state], first.isoformat(), last, cost])
    return rows


def _life(draws: np.random.Generator, entry: datetime.date, factor: float) -> list[tuple[str, datetime.date, datetime.date]]:
    """Draw the placements of one child from the first one on."""
    state, day, spells = (
        str(draws.choice(list(START), p=list(START.values()))),
        entry,
        list[tuple[str, datetime.date, datetime.date]](),
    )
    while day < UNTIL:
        targets = [target for origin, target in TRUTH if origin == state]
        hazards = np.array([TRUTH[state, target] for target in targets]) * (factor if state == "home" else 1.0)
        end = day + datetime.timedelta(days=max(1, round(draws.exponential(DAYS_PER_MONTH / hazards.sum()))))
        if state != "home":
            spells.append((state, day, end))
        state, day = str(draws.choice(targets, p=hazards / hazards.sum())), end
    return spells


def report_lines() -> list[list[str]]:
    """Return the rows of the table of reports, the header first; a child is at home where no placement lasts."""
    draws = np.random.default_rng(REPORTS_SEED)
    states = {word: state for state, word in WORDS.items()}
    placements: dict[str, list[tuple[str, datetime.date, datetime.date]]] = {}
    for child, _, word, first, last, _ in lines()[1:]:
        end = datetime.date.fromisoformat(last) if last else UNTIL
        placements.setdefault(child, []).append((states[word], datetime.date.fromisoformat(first), end))
    rows = [["Löpnr", "Datum"]]
    for child, spells in placements.items():
        factor = draws.gamma(1 / REPORTS_VARIANCE) * REPORTS_VARIANCE
        begins = [*(first for _, first, _ in spells[1:]), UNTIL]
        at_home = [("home", end, begin) for (_, _, end), begin in zip(spells, begins, strict=True) if begin > end]
        days: set[datetime.date] = set()
        for state, first, end in sorted([*spells, *at_home], key=lambda spell: spell[1]):
            rate = factor * REPORTS.get(state, 0.0) / DAYS_PER_MONTH
            n = draws.poisson(rate * (end - first).days)
            days |= {first + datetime.timedelta(days=int(day)) for day in draws.integers(0, (end - first).days, n)}
        rows += [[child, day.isoformat()] for day in sorted(days)]
    return rows


def text(rows: list[list[str]]) -> str:
    """Return a file as it has to be."""
    written = io.StringIO()
    csv.writer(written, delimiter=";", lineterminator="\r\n").writerows(rows)
    return written.getvalue()


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(text(lines()).encode("cp1252"))
    REPORTS_FILE.write_bytes(text(report_lines()).encode("cp1252"))
