"""Run the baselines of the suite, and write the tables of what they came to.

Run with `python -m verification.bench.baselines --keep FOLDER [--family estimation]`: it writes `simengine/bench/baselines/<family>.csv`.
FOLDER holds the attempts; a run that was stopped goes on. Peterborough is run with `--long` alone; it and the studies
whose replications are long get five repeats. The forecasts need tables that do not come with the package and have no baselines here.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from simengine.bench.card import BENCH_FAMILIES
from simengine.bench.choices.engine import StudyChoiceProblem
from simengine.bench.estimation.studies import StudyProblem
from simengine.bench.methods import BASELINES
from simengine.bench.results import BASELINE_TABLES, summarise_attempts, table_text
from simengine.bench.run import run_methods
from simengine.bench.suite import choose_problems

LONG = ("norrkoping", "peterborough")


def main() -> None:
    """Run the baselines."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--family", action="append", choices=list(BENCH_FAMILIES))
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    for family in options.family or [name for name in BENCH_FAMILIES if name != "forecasts"]:
        attempts = []
        for problem in choose_problems([family]):
            name = problem.card.name
            if name == "peterborough" and not options.long:
                continue
            is_study = isinstance(problem, StudyProblem | StudyChoiceProblem)
            budgets = problem.card.budgets[: 1 if is_study else 2 if family == "inference" else 3]
            repeats = (
                5 if name in LONG or isinstance(problem, StudyChoiceProblem) else 10 if is_study or family != "estimation" else 20
            )
            methods = list(BASELINES[family])
            attempts += run_methods(methods, [name], budgets=budgets, repeats=repeats, jobs=options.jobs, into=options.keep)
        path = BASELINE_TABLES / f"{family}.csv"
        path.write_text(
            table_text(sorted(summarise_attempts(attempts), key=lambda line: (line.problem, line.measure, line.budget)))
        )
        print(f"{path.name}: {len(attempts)} attempts")


if __name__ == "__main__":
    main()
