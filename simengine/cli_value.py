"""The command that says who pays and who saves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from simengine.cli_options import Request, answer, asked_again, no_folder, output_option, request_options, say


@click.command()
@request_options
@click.option(
    "--among",
    metavar="PARTIES",
    help="Parties between whom side payments are made, with commas. If absent: all but those who are only paid for costs.",
)
@output_option("the table, the study and provenance")
def value(among: str | None, output: Path | None, **asked: Any) -> None:
    """Say who pays and who saves in STUDY, and which side payments would make every actor whole."""
    from simengine.provenance import Clock, describe_run
    from simengine.questions.value import tables as pockets
    from simengine.questions.value.answer import find_wrong_pockets
    from simengine.report import document, folder, tables

    request = Request(**asked)
    study = request.study()
    seed, n_replications = request.size(study)
    actors = [word.strip() for word in among.split(",")] if among is not None else []
    clock, text = Clock(), request.kept_text(study)
    with folder.results_folder(output) if output else no_folder() as draft:
        found = answer(request, seed, n_replications, lambda ensemble: find_wrong_pockets(study, ensemble, actors))
        content = pockets.wrong_pockets(study, found)
        content["provenance"] = describe_run(clock, text, request.settings(seed, n_replications, among=list(found.among)))
        if draft is not None:
            sizes = ("-n", n_replications, "--seed", seed)
            again = asked_again("value", "study.yaml", *sizes, "--among", ",".join(found.among))
            files = {"study.yaml": text, "run-again.txt": again, "value.json": document.as_json(content) + "\n"}
            folder.write_files(draft, files)
    if request.as_json:
        say(document.as_json(content))
        return
    tables.show(pockets.wrong_pocket_tables(study, found))
    if output:
        say(f"Results: {output}")
