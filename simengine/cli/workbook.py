"""The command that writes a run as an Excel file."""

from __future__ import annotations

from pathlib import Path

import click

from simengine.cli.options import PLACE, progress, say, threads_option


@click.command()
@click.argument("run_folder", metavar="RUN", type=PLACE)
@click.option(
    "-o", "--output", type=PLACE, help="New file for the workbook. If absent: the name of RUN, with `.xlsx`, in this folder."
)
@click.option(
    "--party",
    metavar="NAME",
    help="The party by whose net the replications shown line by line are ranked. If absent: who lends; all_lenders if several do.",
)
@click.option(
    "--every",
    type=click.Choice(("month", "quarter", "year")),
    default="quarter",
    show_default=True,
    metavar="PERIOD",
    help="The periods of the calendar by which cash is added up.",
)
@click.option("--language", default="en", show_default=True, metavar="CODE", help="Language of the workbook, such as sv.")
@threads_option
def workbook(run_folder: Path, output: Path | None, party: str | None, every: str, language: str, threads: int | None) -> None:
    """Write RUN, a folder of results, as an Excel file whose totals, present values and rates of return are formulas.

    The replications of RUN are drawn again for their cash by date; five of them are shown line by line.
    """
    from simengine.report.kept import read_run
    from simengine.workbook import write_workbook

    target = output or Path(f"{run_folder.resolve().name}.xlsx")
    with progress(read_run(run_folder).n_replications) as advance:
        write_workbook(run_folder, target, party=party, every=every, language=language, threads=threads, on_progress=advance)
    say(f"Workbook: {target}")
