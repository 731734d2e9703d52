"""Run the baselines of the suite, and write the tables of what they came to.

Run with `python -m verification.bench.baselines --keep FOLDER [--family estimation]`: it writes `simengine/bench/baselines/<family>.csv`.
FOLDER holds the attempts; a run that was stopped goes on. With `--method` or `--problem` only these are run, and the other rows of the table
stay. Peterborough is run with `--long` alone; it and the studies whose replications are long get five repeats. The forecasts need
tables that do not come with the package and have no baselines here.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from simengine.bench.attempt import Attempt
from simengine.bench.card import BENCH_FAMILIES
from simengine.bench.choices.engine import StudyChoiceProblem
from simengine.bench.estimation.studies import StudyProblem
from simengine.bench.methods import BASELINES, baseline_names
from simengine.bench.results import BASELINE_TABLES, SummaryLine, read_summary_table, summarise_attempts, table_text
from simengine.bench.run import run_methods
from simengine.bench.suite import choose_problems

LONG = ("norrkoping", "peterborough")


def main() -> None:
    """Run the baselines."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--family", action="append", choices=list(BENCH_FAMILIES))
    parser.add_argument("--method", action="append", choices=baseline_names())
    parser.add_argument("--problem", action="append")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    for family in options.family or [name for name in BENCH_FAMILIES if name != "forecasts"]:
        methods = [name for name in BASELINES[family] if name in (options.method or [name])]
        names = [one.card.name for one in choose_problems([family]) if one.card.name in (options.problem or [one.card.name])]
        attempts = [one for name in names if name != "peterborough" or options.long for one in attempts_at(name, methods, options)]
        lines = summarise_attempts(attempts)
        if options.method or options.problem:
            lines += others(family, lines)
        (BASELINE_TABLES / f"{family}.csv").write_text(table_text(in_order(family, lines)))
        print(f"{family}.csv: {len(attempts)} attempts")


def attempts_at(name: str, methods: list[str], options: argparse.Namespace) -> list[Attempt]:
    """Run some methods on a problem, at the budgets and as often as its kind asks for."""
    (problem,) = choose_problems([name])
    family = problem.card.family
    is_study = isinstance(problem, StudyProblem | StudyChoiceProblem)
    budgets = problem.card.budgets[: 1 if is_study else 2 if family == "inference" else 3]
    repeats = 5 if name in LONG or isinstance(problem, StudyChoiceProblem) else 10 if is_study or family != "estimation" else 20
    return run_methods(methods, [name], budgets=budgets, repeats=repeats, jobs=options.jobs, into=options.keep)


def others(family: str, lines: Iterable[SummaryLine]) -> list[SummaryLine]:
    """Return the rows of a table that were not made anew."""
    anew = {(line.problem, line.method) for line in lines}
    return [line for line in read_summary_table(BASELINE_TABLES / f"{family}.csv") if (line.problem, line.method) not in anew]


def in_order(family: str, lines: Iterable[SummaryLine]) -> list[SummaryLine]:
    """Sort the rows of a table, those of one case as the methods are listed."""
    methods = list(BASELINES[family])
    return sorted(lines, key=lambda line: (line.problem, line.measure, line.budget, methods.index(line.method)))


if __name__ == "__main__":
    main()
