"""The command that holds this program, or another one, against contracts whose payments are known. Nothing is simulated."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from simengine.cli.options import PLACE, json_option, output_option, say
from simengine.errors import UsageError
from simengine.questions.driver import asked_again

DIFFERS = 1
"""Exit code where a case does not agree."""


@click.command("conform")
@click.argument("place", metavar="[FILE|FOLDER]", required=False, type=PLACE)
@click.option(
    "--results",
    type=PLACE,
    help="Results of another program, a JSON file of payments by contract and case. If absent: this program settles the cases.",
)
@click.option(
    "--export",
    "export",
    type=PLACE,
    metavar="FOLDER",
    help="New or empty folder for the cases and their schema, for another program; nothing is settled. If absent: they are settled.",
)
@json_option
@output_option("conform.json, results.json (what was paid, as --results reads it), run-again.txt")
def conform_command(place: Path | None, results: Path | None, export: Path | None, output: Path | None, as_json: bool) -> None:
    """Settle contracts whose payments are known, those of FILE or FOLDER or the set that comes with the package, and compare."""
    if export is not None:
        if results is not None or output is not None or as_json:
            raise UsageError("--export: must stand without --results, --json and -o; found one of them")
        _export(place, export)
        return
    from simengine.config.conformance import conformance_files
    from simengine.conformance.conform import conform
    from simengine.conformance.layout import conformance_tables
    from simengine.conformance.results_file import results_text
    from simengine.provenance import Stopwatch, describe_run
    from simengine.report import document, tables
    from simengine.report.folder import results_folder, write_files

    clock, found = Stopwatch(), conform(place, results)
    texts = "".join(path.read_text(encoding="utf-8-sig") for path in conformance_files(place))
    asked = [*([] if place is None else [place]), *([] if results is None else ["--results", results])]
    provenance = describe_run(clock, texts, {"options": [str(word) for word in asked]}, command="conform")
    content = document.as_json({**found.content, "provenance": provenance})
    if output is not None:
        with results_folder(output) as draft:
            again = asked_again("conform", *asked)
            write_files(draft, {"conform.json": content + "\n", "results.json": results_text(found.found), "run-again.txt": again})
    if as_json:
        say(content)
    else:
        tables.show(conformance_tables(found))
        if output is not None:
            say(f"Results: {output}")
    if not found.agrees:
        sys.exit(DIFFERS)


def _export(place: Path | None, export: Path) -> None:
    from simengine.conformance.layout import exported
    from simengine.report.folder import results_folder, write_files

    files = exported(place)
    with results_folder(export) as draft:
        write_files(draft, files)
    say(f"{len(files) - 1} contracts and their schema: {export}")
