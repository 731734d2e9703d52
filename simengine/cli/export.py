"""The command that writes the data of a run for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from simengine.cli.options import PLACE, progress, say, threads_option


@click.command()
@click.argument("run_folder", metavar="RUN", type=PLACE)
@click.option("-o", "--output", type=PLACE, required=True, help="New or empty folder for the tables.")
@click.option(
    "--format",
    type=click.Choice(("parquet", "csv", "excel")),
    default="parquet",
    show_default=True,
    metavar="FORMAT",
    help="How the tables are written; excel needs the extra `excel`, and takes 1,048,575 rows of a table.",
)
@threads_option
def export(run_folder: Path, output: Path, format: str, threads: int | None) -> None:  # noqa: A002
    """Write the data of RUN, a folder of results, as tables for other programs: draws, results, cash, outcomes, statistics.

    The replications of RUN are drawn again block by block, since a run keeps no cash by date and no outcomes of people.
    """
    from simengine.export import export_run
    from simengine.report.kept import read_run

    with progress(read_run(run_folder).n_replications) as advance:
        export_run(run_folder, output, format=format, threads=threads, on_progress=advance)
    say(f"Tables: {output}")
