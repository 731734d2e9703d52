"""The commands of the bench: problems whose answers are known, methods on them, and how fast the engine is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simengine.cli.conform import DIFFERS
from simengine.cli.options import PLACE, WholeNumber, json_option, output_option, say

if TYPE_CHECKING:
    from simengine.bench.attempt import Attempt


@click.group("bench", invoke_without_command=True)
@click.pass_context
def bench_group(context: click.Context) -> None:
    """Problems of risk sharing whose answers are known: list them, run methods on them, score and compare; time the engine."""
    if context.invoked_subcommand is None:
        say(context.get_help())


tables_option = click.option(
    "--tables",
    type=PLACE,
    metavar="FOLDER",
    help="Folder of your download of the public INDIGO tables, for the forecasts. If absent: these are left out.",
)


@bench_group.command("list")
@click.argument("names", metavar="[PROBLEM|FAMILY]...", nargs=-1)
@json_option
def list_problems(names: tuple[str, ...], as_json: bool) -> None:
    """List the problems of the suite; of one that is named, show its card."""
    from simengine.bench.content import suite_content
    from simengine.bench.layout import card_table, suite_tables
    from simengine.bench.suite import choose_problems
    from simengine.report import document, tables

    problems = choose_problems(names)
    if as_json:
        say(document.as_json(suite_content(problems)))
    elif len(problems) == 1:
        tables.show(card_table(problems[0].card))
    else:
        tables.show(suite_tables(problems))


@bench_group.command("run")
@click.argument("problems", metavar="[PROBLEM|FAMILY]...", nargs=-1)
@click.option(
    "--method",
    "methods",
    multiple=True,
    required=True,
    metavar="NAME",
    help="A baseline such as plain or sobol, or a function of yours as module:function, found from the current folder.",
)
@click.option(
    "--name", metavar="NAME", help="Name under which the results of one method are kept. If absent: that of its function."
)
@click.option(
    "--budget",
    "budgets",
    multiple=True,
    type=WholeNumber(1, 2**31),
    help="Replications that an attempt may simulate. If absent: the least on the card of each problem.",
)
@click.option(
    "--repeats", type=WholeNumber(1, 10_000), default=10, show_default=True, help="Attempts of each, with seeds of their own."
)
@click.option("--jobs", type=WholeNumber(1, 1024), default=1, show_default=True, help="Processes that run attempts at once.")
@click.option(
    "--cpu-seconds",
    type=float,
    default=600.0,
    show_default=True,
    help="CPU time that an attempt may take; a method that takes longer is stopped.",
)
@tables_option
@json_option
@click.option(
    "-o",
    "--output",
    type=PLACE,
    help="Folder of results, a small file for each attempt; what is finished in it is not run again. If absent: nothing is written.",
)
def run_problems(
    problems: tuple[str, ...],
    methods: tuple[str, ...],
    name: str | None,
    budgets: tuple[int, ...],
    repeats: int,
    jobs: int,
    cpu_seconds: float,
    tables: Path | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Run methods on problems and score them; without a name on all problems that they serve."""
    from simengine.bench.run import run_methods

    attempts = run_methods(
        methods,
        problems,
        name=name,
        budgets=budgets,
        repeats=repeats,
        jobs=jobs,
        cpu_seconds=cpu_seconds,
        into=output,
        tables=tables,
    )
    _show(attempts, output, as_json=as_json)


@bench_group.command("score")
@click.argument("place", metavar="FILE|FOLDER", type=PLACE)
@tables_option
@json_option
@click.option("-o", "--output", type=PLACE, help="Folder of results to which the scores are added. If absent: nothing is written.")
def score_answers_command(place: Path, tables: Path | None, output: Path | None, as_json: bool) -> None:
    """Judge answers that were found elsewhere: a JSON file, or all of a folder."""
    from simengine.bench.answers_file import score_answers
    from simengine.bench.results import keep_attempt

    attempts = score_answers(place, tables)
    if output is not None:
        for one in attempts:
            keep_attempt(output, one)
    _show(attempts, output, as_json=as_json)


def _show(attempts: list[Attempt], output: Path | None, *, as_json: bool) -> None:
    from simengine.bench.content import scores_content
    from simengine.bench.layout import score_tables_of_bench
    from simengine.bench.results import summarise_attempts
    from simengine.report import document, tables

    lines = summarise_attempts(attempts)
    if as_json:
        say(document.as_json(scores_content(lines, attempts)))
        return
    tables.show(score_tables_of_bench(lines, attempts))
    if output is not None:
        say(f"Results: {output}")


@bench_group.command("compare")
@click.argument("places", metavar="FOLDER|TABLE|baselines...", nargs=-1, required=True, type=PLACE)
@click.option(
    "--reference",
    metavar="METHOD",
    help="Method of whose error the others' is told as a multiple. If absent: the first that is read.",
)
@json_option
@output_option("comparison.json, scores.csv, error-against-work and run-lengths as .png and .svg")
def compare_command(places: tuple[Path, ...], reference: str | None, output: Path | None, as_json: bool) -> None:
    """Compare methods from folders of results or tables of them; `baselines` are those that come with the suite."""
    from simengine.bench.compare import compare_results
    from simengine.bench.content import comparison_content
    from simengine.bench.layout import standings_tables
    from simengine.bench.results import table_text
    from simengine.report import document, tables
    from simengine.report.folder import refuse_taken, results_folder, write_files

    if output is not None:
        refuse_taken(output)
    found = compare_results(places, reference)
    content = document.as_json(comparison_content(found))
    if output is not None:
        from simengine.bench.picture import comparison_pictures

        with results_folder(output) as draft:
            write_files(draft, {"comparison.json": content + "\n", "scores.csv": table_text(found.lines)})
            write_files(draft, comparison_pictures(found))
    if as_json:
        say(content)
        return
    tables.show(standings_tables(found))
    if output is not None:
        say(f"Results: {output}")


@bench_group.command("answers")
@click.argument("names", metavar="[PROBLEM|FAMILY]...", nargs=-1)
def remake_command(names: tuple[str, ...]) -> None:
    """Make the reference answers again and hold them against the frozen ones; exit code 1 where they differ."""
    from simengine.bench.remake import remake_answers
    from simengine.bench.suite import choose_problems

    found, elsewhere = remake_answers(choose_problems(names))
    for one in found:
        if len(names) > 0 or not one.agrees:
            verdict = "" if one.agrees else "  differs"
            say(f"{one.problem}  {one.name}  frozen {one.frozen:.10g}  remade {one.remade:.10g}{verdict}")
    for command in elsewhere:
        say(f"By a program of its own: {command}")
    wrong = sum(not one.agrees for one in found)
    say(f"{len(found)} numbers made again, {wrong} differ.")
    if wrong:
        sys.exit(DIFFERS)


@bench_group.command("speed")
@click.option(
    "--replications",
    type=WholeNumber(4, 100_000),
    default=2000,
    show_default=True,
    help="Replications of the workload that is timed; slow programs get fewer.",
)
@click.option(
    "--repeats", type=WholeNumber(1, 1000), default=5, show_default=True, help="Timings of each program; their median counts."
)
@json_option
def speed(replications: int, repeats: int, as_json: bool) -> None:
    """Time the engine on a reference workload beside NumPy, Numba and C programs: ratios, in a minute or two."""
    from simengine.benchmark import benchmark_tables, run_benchmark
    from simengine.report import document, tables

    content = run_benchmark(replications, repeats)
    if as_json:
        say(document.as_json(content))
    else:
        tables.show(benchmark_tables(content))
