"""Write the table of made-up scores that comes with the program: `python -m verification.made_up_scores`.

Nobody in it exists, and its numbers were chosen, not measured. Children answer a questionnaire from 0 to 100 points when they enter, some
of them again within three weeks, and most a year later; who answers low at first comes back less often. `TRUTH` holds the numbers
that an estimate should find again, within its uncertainty.
"""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np

from verification.made_up_spells import text

FILE = Path(__file__).resolve().parent.parent / "configs" / "spells" / "wellbeing_made_up.csv"
FIRST, UNTIL = datetime.date(2021, 1, 1), datetime.date(2024, 7, 1)
SEED = 2024
PEOPLE = 260
TRUTH = {"mean_at_entry": 48.0, "sd_at_entry": 12.0, "error_sd_at_entry": 6.0, "mean": 54.0, "sd": 14.0, "correlation": 0.6}


def lines() -> list[list[str]]:
    """Return the rows of the table, the header first."""
    draws = np.random.default_rng(SEED)
    rows = [["Löpnr", "Kön", "Mätdatum", "Poäng"]]
    for person in range(1, PEOPLE + 1):
        z, days = draws.normal(), int(draws.integers(0, 1100))
        entry = FIRST + datetime.timedelta(days=days)
        level = TRUTH["mean_at_entry"] + TRUTH["sd_at_entry"] * z
        first = level + TRUTH["error_sd_at_entry"] * draws.normal()
        group = "K" if draws.uniform() < 0.5 else "M"
        read = [(entry, first)]
        if draws.uniform() < 0.4:
            again = entry + datetime.timedelta(days=int(draws.integers(10, 22)))
            read.append((again, level + TRUTH["error_sd_at_entry"] * draws.normal()))
        rho = TRUTH["correlation"]
        late = TRUTH["mean"] + TRUTH["sd"] * (rho * z + np.sqrt(1 - rho**2) * draws.normal())
        when = entry + datetime.timedelta(days=int(draws.integers(335, 396)))
        if when < UNTIL and draws.uniform() > 1 / (1 + np.exp((first - 30) / 12)):
            read.append((when, late))
        rows += [[str(person), group, day.isoformat(), f"{round(2 * score) / 2:.1f}".replace(".", ",")] for day, score in read]
    return rows


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(text(lines()).encode("cp1252"))
