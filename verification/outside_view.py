"""Forecast every project of a download of the INDIGO tables from its first plan and the other projects alone, and score the forecasts.

Nothing of the tables comes with this package. The folder is an argument, else named by the environment variable SIMENGINE_INDIGO, else
`shared/data/indigo` beside the checkout; where there is none this says so and ends. The table of the documentation holds its figures:

    python -m verification.outside_view FOLDER

The exit code is 1 where a coverage lies outside its binomial band under the reading that is the default.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from simengine.reference_class.forecasts import ForecastScores, leave_one_out
from simengine.reference_class.history import Oddities, PaidAgainstPlan, paid_against_plan, payment_histories
from simengine.reference_class.indigo import ProjectFilter, read_indigo

READINGS = {"to date": False, "censored": True}
"""By how unfinished projects are read: whether as censored and no more."""


def folder_of_tables() -> Path | None:
    """Find the download of whoever runs this; None where there is none."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data" / "indigo"
    named = os.environ.get("SIMENGINE_INDIGO")
    chosen = Path(named) if named else beside
    return chosen if chosen.is_dir() else None


def projects_in(folder: Path) -> list[PaidAgainstPlan]:
    """Read the projects that have a ratio."""
    odd = Oddities()
    histories = payment_histories(read_indigo(folder), ProjectFilter(), odd)
    return [one for history in histories if (one := paid_against_plan(history, odd)) is not None]


def table(scores: dict[str, ForecastScores]) -> str:
    """Lay out the scores of every reading."""
    rows = [
        "| unfinished projects | 50 % | 80 % | 95 % | CRPS | less sd 0.25 | less sd 0.5 | mean PIT, z | uniform, p |",
        "|---" * 9 + "|",
    ]
    for name, one in scores.items():
        covered = [f"{c.covered} of {c.projects} ({c.low} to {c.high}){'' if c.is_within else ' OUTSIDE'}" for c in one.coverage]
        against = [f"{other.mean:+.3f} ± {other.se:.3f}" for other in one.against]
        cells = [
            name,
            *covered,
            f"{one.crps:.3f} ± {one.crps_se:.3f}",
            *against,
            f"{one.pit_mean_z:+.1f}",
            f"{one.pit_p_value:.2f}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else folder_of_tables()
    if folder is None:
        print("no download of the INDIGO tables: name its folder, or set SIMENGINE_INDIGO. Nothing was verified")
        return 0
    projects = projects_in(folder)
    scores = {name: leave_one_out(projects, is_censored=is_censored) for name, is_censored in READINGS.items()}
    print(f"{len(projects)} projects, {sum(not one.is_finished for one in projects)} not finished\n\n{table(scores)}")
    return 0 if all(one.is_within for one in scores["to date"].coverage) else 1


if __name__ == "__main__":
    sys.exit(main())
