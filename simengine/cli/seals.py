"""The commands that seal a forecast and score it."""

from __future__ import annotations

from pathlib import Path

import click

from simengine.cli.options import PLACE, json_option, output_option, say
from simengine.errors import UsageError
from simengine.questions.driver import asked_again


@click.command("seal")
@click.argument("run", metavar="RUN", type=PLACE)
@click.option(
    "--results",
    metavar="NAMES",
    help='Results to seal, with commas between, such as "investor.net,metric.saving.estimate". '
    "If absent: the net of every party, every payment, every estimate.",
)
@click.option(
    "-o", "--output", type=PLACE, help="New file for the seal, such as forecast.seal.json. If absent: nothing is written."
)
@json_option
def seal_command(run: Path, results: str | None, output: Path | None, as_json: bool) -> None:
    """Seal the forecast of RUN, a folder that `run -o` wrote: fix it before the outcome is known."""
    from simengine.report import document, tables
    from simengine.seals.making import seal
    from simengine.seals.tables import seal_table

    made = seal(run, _names(results), output)
    if as_json:
        say(document.as_json(made.content()))
        return
    tables.show(seal_table(made))
    if output is not None:
        say(f"Seal: {output}")


def _names(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if not name or names.count(name) > 1:
            raise UsageError(f"--results: must be names of results, each once, with commas between; found {text!r}")
    return tuple(names)


@click.command("score")
@click.argument("places", metavar="SEAL...", nargs=-1, required=True, type=PLACE)
@click.option(
    "--outcome",
    "typed",
    multiple=True,
    metavar="NAME=VALUE",
    help="What came, of one seal: NAME=VALUE, NAME=VALUE±HALF with half of its rounding unit, or a direction: NAME>VALUE, <, >=, <=.",
)
@click.option(
    "--outcomes",
    "table",
    type=PLACE,
    help="What came, in a table of comma-separated values: result,value and as needed seal,stands,rounded_to.",
)
@output_option("score.json, outcomes.csv, the seals and run-again.txt")
@json_option
def score_command(places: tuple[Path, ...], typed: tuple[str, ...], table: Path | None, output: Path | None, as_json: bool) -> None:
    """Score the forecast in each SEAL, a file or a folder of them, against what came; count how often several covered it."""
    from contextlib import nullcontext

    from simengine.provenance import Stopwatch, describe_run
    from simengine.report import document, folder, tables
    from simengine.report.answers import as_plain
    from simengine.seals.content import score_content
    from simengine.seals.outcome import outcomes_table
    from simengine.seals.scores import SUFFIX, score
    from simengine.seals.tables import score_tables

    clock = Stopwatch()
    if bool(typed) == (table is not None):
        raise UsageError(f"score: must have either --outcome or --outcomes; found {'both' if typed else 'neither'}")
    found = score(list(places), list(typed) if table is None else table)
    settings = {
        "seals": [str(place) for place in places],
        "outcome": list(typed),
        "outcomes": None if table is None else str(table),
    }
    content = {
        **as_plain(score_content(found)),
        "provenance": describe_run(clock, "".join(one.text for one in found.seals.values()), settings, command="score"),
    }
    with nullcontext() if output is None else folder.results_folder(output) as draft:
        if draft is not None:
            seals = {f"seals/{name}{SUFFIX}": seal.text for name, seal in found.seals.items()}
            came = {name: [one.outcome for one in some] for name, some in found.outcomes.items()}
            files = {"score.json": document.as_json(content) + "\n", "outcomes.csv": outcomes_table(came)}
            again = asked_again("score", *seals, "--outcomes", "outcomes.csv")
            folder.write_files(draft, {**files, **seals, "run-again.txt": again})
    if as_json:
        say(document.as_json(content))
        return
    tables.show(score_tables(found))
    if output is not None:
        say(f"Results: {output}")
