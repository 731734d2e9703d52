"""The command that fits a pathway and events to a municipality's own tables."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simengine.asked import LEAST_SMALL_CELLS, MOST_SMALL_CELLS, SMALL_CELLS
from simengine.cli.fit_published import fit_totals_table
from simengine.cli.fit_scores import fit_scores_table, kept_of_fit, refuse_beside_scores
from simengine.cli.next_steps import suggest
from simengine.cli.options import PLACE, WholeNumber, json_option, output_option, progress_of_reading, say

if TYPE_CHECKING:
    from simengine.spells.fit import PathwayFit

_ORDERS = ("day-first", "month-first", "year-month")
_FILES = (
    "pathway_section.yaml (scores_section.yaml, totals_section.yaml), fit.json, fit.png, the choices, and study.yaml with --into"
)


@click.command("fit")
@click.argument("spells_file", metavar="[SPELLS]", type=PLACE, required=False)
@click.option("--events", type=PLACE, help="A table of what happened to the same people. If absent: no events.")
@click.option(
    "--scores", type=PLACE, help="A table of scores, by itself: readings of people at entry and later. If absent: no scores."
)
@click.option(
    "--totals",
    type=PLACE,
    help="A published table of totals by year, by itself: CSV, .xlsx, Parquet, or JSON of PxWeb, JSON-stat or Kolada. If absent: none.",
)
@click.option("--pathway", type=PLACE, help="What is fitted. If absent: constant rates of all moves that were seen.")
@click.option("--mapping", type=PLACE, help="What the columns and words of the tables mean. If absent: ordinary headers.")
@click.option(
    "--into",
    type=PLACE,
    metavar="STUDY",
    help="Put the fitted section into this study, check it, and write study.yaml, without --output or --json to standard output. "
    "If absent: the section alone.",
)
@click.option(
    "--dates", type=click.Choice(_ORDERS), help="How dates as 1/3/2024 are meant. If absent: as the mapping or the file says."
)
@click.option("--without-bad-rows", is_flag=True, help="Leave bad rows out, and count them. If absent: the file is refused.")
@click.option("--problems", type=PLACE, help="A new file for the list of all bad rows of SPELLS. If absent: the first are shown.")
@click.option("--problems-of-events", type=PLACE, help="The same of the events. If absent: the first of them are shown.")
@click.option(
    "--small-cells",
    type=WholeNumber(LEAST_SMALL_CELLS, MOST_SMALL_CELLS),
    metavar="N",
    help=f"Show nothing of fewer than N people, and tell them apart in nothing that is fitted. If absent: {SMALL_CELLS}.",
)
@output_option(_FILES)
@json_option
def fit_command(
    spells_file: Path | None,
    events: Path | None,
    scores: Path | None,
    totals: Path | None,
    pathway: Path | None,
    mapping: Path | None,
    into: Path | None,
    output: Path | None,
    as_json: bool,
    **reading: Any,
) -> None:
    """Fit a study to SPELLS, a table of who was in which state from when until when, and to events; or to scores, or to totals.

    Without SPELLS the events are those of people who were all in one state.
    """
    if totals is not None:
        fit_totals_table(
            totals,
            pathway,
            mapping,
            into,
            output,
            as_json,
            {"SPELLS": spells_file, "--events": events, "--scores": scores},
            reading,
        )
        return
    if scores is not None:
        refuse_beside_scores(spells_file, events, reading)
        fit_scores_table(scores, pathway, mapping, into, output, as_json, reading)
        return
    _fit_spells(spells_file, events, pathway, mapping, into, output, as_json, reading)


def _fit_spells(
    spells_file: Path | None,
    events: Path | None,
    pathway: Path | None,
    mapping: Path | None,
    into: Path | None,
    output: Path | None,
    as_json: bool,
    reading: dict[str, Any],
) -> None:
    """Fit spells, events or both, and say or write what was fitted."""
    from simengine.provenance import Stopwatch, describe_run
    from simengine.report import document, folder, tables
    from simengine.report.answers import as_plain
    from simengine.spells.fit import fit
    from simengine.spells.read_tables import read_tables
    from simengine.spells.tables import fit_tables

    clock = Stopwatch()
    with nullcontext() if output is None else folder.results_folder(output) as draft:
        with progress_of_reading() as advance:
            own = read_tables(spells_file, events, mapping, progress=advance, **reading)
        found = fit(own, pathway, into=into)
        content = as_plain(found.content)
        settings = {"spells": spells_file, "events": events, "pathway": pathway, "mapping": mapping, "into": into, **reading}
        # Not the folder: where a table of people lies is nobody's business.
        plain = {name: value.name if isinstance(value, Path) else value for name, value in settings.items()}
        content["provenance"] = describe_run(clock, found.section_text(), plain, command="fit")
        if draft is not None:
            files = _files(found, spells_file, events, mapping, reading)
            folder.write_files(draft, {**files, "fit.json": document.as_json(content) + "\n"})
    if as_json:
        say(document.as_json(content))
    elif found.study is not None and output is None:
        say(document.as_text(found.study).rstrip("\n"))
    else:
        tables.show(fit_tables(found.content))
        if output is not None:
            say(f"\nThe section: {output / 'pathway_section.yaml'}")
        if output is not None and found.study is not None:
            suggest(("run", output / "study.yaml", "-n", 2000, "-o", "results"))
        else:
            again = [*([] if spells_file is None else [spells_file]), "--into", "STUDY", "-o", "fitted"]
            suggest(("fit", *again), why="puts the section into a study of yours, with the same options")


def _files(
    found: PathwayFit, spells_file: Path | None, events: Path | None, mapping: Path | None, reading: dict[str, Any]
) -> dict[str, str | bytes]:
    """Return what is kept of spells and events."""
    words = [*(() if spells_file is None else (spells_file.name,)), *([] if events is None else ["--events", events.name])]
    return kept_of_fit(found, "pathway_section.yaml", words, mapping, reading)
