"""The command that fits a pathway and events to a municipality's own tables."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simengine.asked import LEAST_SMALL_CELLS, MOST_SMALL_CELLS, SMALL_CELLS
from simengine.cli.next_steps import suggest
from simengine.cli.options import PLACE, WholeNumber, json_option, output_option, progress_of_reading, say
from simengine.errors import UsageError

if TYPE_CHECKING:
    from simengine.spells.fit import PathwayFit
    from simengine.spells.fit_scores import ScoresFit
    from simengine.spells.fit_totals import TotalsFit

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
        _fit_totals(
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
        _refuse_beside_scores(spells_file, events, reading)
        _fit_scores(scores, pathway, mapping, into, output, as_json, reading)
        return
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


def _refuse_beside_scores(spells_file: Path | None, events: Path | None, reading: dict[str, Any]) -> None:
    """Refuse other tables beside scores, which are fitted by themselves."""
    beside = {"SPELLS": spells_file, "--events": events, "--problems-of-events": reading.pop("problems_of_events")}
    if found := [name for name, value in beside.items() if value is not None]:
        rule = f"--scores: must stand without other tables; found {', '.join(found)}"
        raise UsageError(f"{rule}. Fit the spells first, then the scores with `--into` the study that this gives")


def _fit_scores(
    scores: Path,
    pathway: Path | None,
    mapping: Path | None,
    into: Path | None,
    output: Path | None,
    as_json: bool,
    reading: dict[str, Any],
) -> None:
    """Fit a table of scores, and say or write what was fitted."""
    from simengine.provenance import Stopwatch, describe_run
    from simengine.report import document, folder, tables
    from simengine.report.answers import as_plain
    from simengine.spells.fit_scores import fit_scores
    from simengine.spells.read_scores import read_scores
    from simengine.spells.score_tables import scores_tables

    clock = Stopwatch()
    with nullcontext() if output is None else folder.results_folder(output) as draft:
        with progress_of_reading() as advance:
            own = read_scores(scores, mapping, progress=advance, **reading)
        found = fit_scores(own, pathway, into=into)
        content = as_plain(found.content)
        settings = {"scores": scores, "pathway": pathway, "mapping": mapping, "into": into, **reading}
        plain = {name: value.name if isinstance(value, Path) else value for name, value in settings.items()}
        content["provenance"] = describe_run(clock, found.section_text(), plain, command="fit")
        if draft is not None:
            files = _kept(found, "scores_section.yaml", ["--scores", scores.name], mapping, reading)
            folder.write_files(draft, {**files, "fit.json": document.as_json(content) + "\n"})
    if as_json:
        say(document.as_json(content))
    elif found.study is not None and output is None:
        say(document.as_text(found.study).rstrip("\n"))
    else:
        tables.show(scores_tables(found.content))
        if output is not None:
            say(f"\nThe section: {output / 'scores_section.yaml'}")
        if output is not None and found.study is not None:
            suggest(("run", output / "study.yaml", "-n", 2000, "-o", "results"))
        else:
            again = ["--scores", scores, "--into", "STUDY", "-o", "fitted"]
            suggest(("fit", *again), why="puts the section into a study of yours, with the same options")


def _fit_totals(
    totals: Path,
    pathway: Path | None,
    mapping: Path | None,
    into: Path | None,
    output: Path | None,
    as_json: bool,
    beside: dict[str, Path | None],
    reading: dict[str, Any],
) -> None:
    """Fit a published table of totals, and say or write what was fitted."""
    from simengine.provenance import Stopwatch, describe_run
    from simengine.report import document, folder, tables
    from simengine.report.answers import as_plain
    from simengine.spells.fit_totals import fit_totals
    from simengine.spells.totals_tables import totals_tables

    of_people = {f"--{name.replace('_', '-')}": value or None for name, value in reading.items()}
    if found := [name for name, value in {**beside, **of_people}.items() if value is not None]:
        raise UsageError(
            f"--totals: must stand without tables of people and their options; found {', '.join(found)}. Leave them out"
        )
    clock = Stopwatch()
    with nullcontext() if output is None else folder.results_folder(output) as draft:
        fitted = fit_totals(totals, mapping, pathway, into=into)
        content = as_plain(fitted.content)
        settings = {"totals": totals, "pathway": pathway, "mapping": mapping, "into": into}
        plain = {name: value.name if isinstance(value, Path) else value for name, value in settings.items()}
        content["provenance"] = describe_run(clock, fitted.section_text(), plain, command="fit")
        if draft is not None:
            kept = _kept(fitted, "totals_section.yaml", ["--totals", totals.name], mapping, reading)
            folder.write_files(draft, {**kept, "fit.json": document.as_json(content) + "\n"})
    if as_json:
        say(document.as_json(content))
    elif fitted.study is not None and output is None:
        say(document.as_text(fitted.study).rstrip("\n"))
    else:
        tables.show(totals_tables(fitted.content))
        if output is not None:
            say(f"\nThe section: {output / 'totals_section.yaml'}")


def _files(
    found: PathwayFit, spells_file: Path | None, events: Path | None, mapping: Path | None, reading: dict[str, Any]
) -> dict[str, str | bytes]:
    """Return what is kept of spells and events."""
    words = [*(() if spells_file is None else (spells_file.name,)), *([] if events is None else ["--events", events.name])]
    return _kept(found, "pathway_section.yaml", words, mapping, reading)


def _kept(
    found: PathwayFit | ScoresFit | TotalsFit, section: str, tables: list[str], mapping: Path | None, reading: dict[str, Any]
) -> dict[str, str | bytes]:
    """Return what is kept: nothing of it holds a person, and the table itself stays where it is."""
    from simengine.questions.driver import asked_again
    from simengine.report import document
    from simengine.spells.mapping import load_mapping

    files: dict[str, str | bytes] = {
        section: found.section_text(),
        "pathway.yaml": document.yaml_text(found.choices.model_dump(mode="json", exclude_defaults=True, exclude_none=True)),
    }
    picture = getattr(found, "picture", None)  # totals have none
    if picture is not None:
        files["fit.png"] = picture()
    words: list[object] = ["fit", *tables, "--pathway", "pathway.yaml"]
    if mapping is not None:
        meant = load_mapping(mapping).model_dump(mode="json", exclude_defaults=True, exclude_none=True)
        files["mapping.yaml"] = document.yaml_text(meant)
        words += ["--mapping", "mapping.yaml"]
    if found.study is not None:
        files["study.yaml"] = document.as_text(found.study)
        words += ["--into", "study.yaml"]
    words += ["--dates", reading["dates"]] if reading["dates"] else []
    words += ["--small-cells", str(reading["small_cells"])] if reading["small_cells"] is not None else []
    words += ["--without-bad-rows"] if reading["without_bad_rows"] else []
    return {**files, "run-again.txt": asked_again(*words)}
