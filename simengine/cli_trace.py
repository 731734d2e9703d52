"""The command that shows one world from its people to its cash."""

from __future__ import annotations

from pathlib import Path

import click

from simengine.cli_options import PLACE, json_option, print_json, say, seed_option, study_options
from simengine.errors import UsageError


@click.command()
@click.argument("run_or_study", metavar="RUN", type=PLACE)
@click.option("--replication", type=click.IntRange(0, 2**32 - 1), required=True, help="The number of the world, from 0.")
@click.option(
    "--measurement",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="Which measurement of its people, where RUN was made with --measured.",
)
@seed_option
@study_options
@json_option
def trace(
    run_or_study: Path,
    replication: int,
    measurement: int,
    seed: int | None,
    overrides: tuple[str, ...],
    variant: str | None,
    as_json: bool,
) -> None:
    """Show one world of RUN, a folder of results, line by line: draws, people, measurement, payments, postings.

    The numbers of RUN are drawn as the run drew them. RUN may also be a study; then --seed says which worlds are meant, and they
    are drawn plainly.
    """
    from simengine.config import load_study
    from simengine.provenance import Clock
    from simengine.questions.trace import tables as trace_tables
    from simengine.questions.trace.answer import trace as trace_one
    from simengine.report import kept, tables
    from simengine.sampling import PLAIN

    clock = Clock()
    run = kept.read_run(run_or_study) if run_or_study.is_dir() else None
    if run is not None and (overrides or variant or seed is not None):
        raise UsageError("RUN holds its study and its seed; --set, --variant and --seed are for a study")
    row = None if run is None else run.row(replication, measurement)
    study = load_study(run_or_study if run is None else run.study, overrides, variant)
    seed = run.seed if run is not None else seed if seed is not None else study.run.seed
    if seed is None:
        raise UsageError("--seed: a world of a study is named by a seed and a number; found no seed. Give the one of the run")
    sampling, with_variates = (PLAIN, False) if run is None else (run.sampling, run.with_control_variates)
    found = trace_one(study, seed, replication, sampling, measurement=measurement, with_variates=with_variates)
    differing = [] if row is None else kept.differences(row, found.outturn)
    if differing:
        names = ", ".join(differing[:5])
        raise UsageError(
            f"{run_or_study}: a world that is made again is the one that was kept; found other values of {names}. "
            "The results come from another version, or the folder was changed"
        )
    if as_json:
        settings = {"run": str(run_or_study), "seed": seed, "replication": replication, "measurement": measurement}
        settings |= {"variant": variant, "overrides": list(overrides)}
        print_json(study, clock, trace_tables.trace_content(study, found), settings)
        return
    tables.show(trace_tables.trace_tables(study, found))
    if row is not None:
        say("\nEvery number agrees with what the run kept of this replication.")
