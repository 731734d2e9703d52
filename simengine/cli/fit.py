"""The command that fits a pathway and events to a municipality's own tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from simengine.asked import LEAST_SMALL_CELLS, MOST_SMALL_CELLS, SMALL_CELLS
from simengine.cli.next_steps import suggest
from simengine.cli.options import PLACE, WholeNumber, json_option, output_option, progress_of_reading, say
from simengine.errors import UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from simengine.spells.fit import PathwayFit
    from simengine.spells.fit_scores import ScoresFit
    from simengine.spells.fit_totals import TotalsFit

    Fitted: TypeAlias = PathwayFit | ScoresFit | TotalsFit

_ORDERS = ("day-first", "month-first", "year-month")
_INTO = "puts the section into a study of yours, with the same options"
_FILES = (
    "pathway_section.yaml (scores_section.yaml, totals_section.yaml), fit.json, fit.png, the choices, and study.yaml with --into"
)


@dataclass(frozen=True)
class _Source:
    """What one kind of table is fitted with, and what is said and kept of it."""

    section_file: str
    tables: Mapping[str, Path | None]
    """By argument: the tables that are fitted."""
    words: tuple[object, ...]
    """The tables as the command line has them."""
    fitted: Callable[[], Fitted]
    laid_out: Callable[[Any], RenderableType]
    """From the content to tables."""
    reading: Mapping[str, Any]
    """How the tables are read."""
    again: tuple[object, ...] | None
    """The tables in the command that one would type next; None where none is shown."""


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
    how = {"pathway": pathway, "mapping": mapping, "into": into}
    if totals is not None:
        source = _of_totals(totals, how, {"SPELLS": spells_file, "--events": events, "--scores": scores}, reading)
    elif scores is not None:
        source = _of_scores(scores, how, {"SPELLS": spells_file, "--events": events}, reading)
    else:
        source = _of_spells(spells_file, events, how, reading)
    _deliver(source, how, output, as_json=as_json)


def _of_spells(spells_file: Path | None, events: Path | None, how: Mapping[str, Any], reading: dict[str, Any]) -> _Source:
    """Fit spells, events or both."""
    from simengine.spells.fit import fit
    from simengine.spells.read_tables import read_tables
    from simengine.spells.tables import fit_tables

    def fitted() -> PathwayFit:
        with progress_of_reading() as advance:
            own = read_tables(spells_file, events, how["mapping"], progress=advance, **reading)
        return fit(own, how["pathway"], into=how["into"])

    words = (*(() if spells_file is None else (spells_file,)), *(() if events is None else ("--events", events)))
    return _Source(
        "pathway_section.yaml",
        {"spells": spells_file, "events": events},
        words,
        fitted,
        fit_tables,
        reading,
        words[: spells_file is not None],
    )


def _of_scores(scores: Path, how: Mapping[str, Any], beside: dict[str, Path | None], reading: dict[str, Any]) -> _Source:
    """Fit a table of scores, which stands by itself."""
    from simengine.spells.fit_scores import fit_scores
    from simengine.spells.read_scores import read_score_table
    from simengine.spells.score_tables import scores_tables

    beside["--problems-of-events"] = reading.pop("problems_of_events")
    if found := [name for name, value in beside.items() if value is not None]:
        rule = f"--scores: must stand without other tables; found {', '.join(found)}"
        raise UsageError(f"{rule}. Fit the spells first, then the scores with `--into` the study that this gives")

    def fitted() -> ScoresFit:
        with progress_of_reading() as advance:
            own = read_score_table(scores, how["mapping"], progress=advance, **reading)
        return fit_scores(own, how["pathway"], into=how["into"])

    words = ("--scores", scores)
    return _Source("scores_section.yaml", {"scores": scores}, words, fitted, scores_tables, reading, words)


def _of_totals(totals: Path, how: Mapping[str, Any], beside: dict[str, Path | None], reading: dict[str, Any]) -> _Source:
    """Fit a published table of totals, which holds nobody: nothing of how tables of people are read applies."""
    from simengine.spells.fit_totals import fit_totals
    from simengine.spells.totals_tables import totals_tables

    of_people = {f"--{name.replace('_', '-')}": value or None for name, value in reading.items()}
    if found := [name for name, value in {**beside, **of_people}.items() if value is not None]:
        raise UsageError(
            f"--totals: must stand without tables of people and their options; found {', '.join(found)}. Leave them out"
        )

    def fitted() -> TotalsFit:
        return fit_totals(totals, how["mapping"], how["pathway"], into=how["into"])

    return _Source("totals_section.yaml", {"totals": totals}, ("--totals", totals), fitted, totals_tables, {}, None)


def _deliver(source: _Source, how: Mapping[str, Any], output: Path | None, *, as_json: bool) -> None:
    """Fit, and say or write what was fitted."""
    from simengine.provenance import Stopwatch, describe_run
    from simengine.report import document, folder, tables
    from simengine.report.answers import as_plain

    clock = Stopwatch()
    with nullcontext() if output is None else folder.results_folder(output) as draft:
        found = source.fitted()
        content = as_plain(found.content)
        settings = {**source.tables, **how, **source.reading}
        # Not the folder: where a table of people lies is nobody's business.
        plain = {name: value.name if isinstance(value, Path) else value for name, value in settings.items()}
        content["provenance"] = describe_run(clock, found.section_text(), plain, command="fit")
        if draft is not None:
            files = _kept(found, source, how["mapping"])
            folder.write_files(draft, {**files, "fit.json": document.as_json(content) + "\n"})
    if as_json:
        say(document.as_json(content))
    elif found.study is not None and output is None:
        say(document.as_text(found.study).rstrip("\n"))
    else:
        tables.show(source.laid_out(found.content))
        if output is not None:
            say(f"\nThe section: {output / source.section_file}")
        if source.again is None:
            return
        if output is not None and found.study is not None:
            suggest(("run", output / "study.yaml", "-n", 2000, "-o", "results"))
        else:
            suggest(("fit", *source.again, "--into", "STUDY", "-o", "fitted"), why=_INTO)


def _kept(found: Fitted, source: _Source, mapping: Path | None) -> dict[str, str | bytes]:
    """Return what is kept: nothing of it holds a person, and the table itself stays where it is."""
    from simengine.questions.driver import asked_again
    from simengine.report import document
    from simengine.spells.fit_totals import TotalsFit
    from simengine.spells.mapping import load_mapping

    files: dict[str, str | bytes] = {
        source.section_file: found.section_text(),
        "pathway.yaml": document.yaml_text(found.choices.model_dump(mode="json", exclude_defaults=True, exclude_none=True)),
    }
    if not isinstance(found, TotalsFit):
        files["fit.png"] = found.picture()
    tables = [one.name if isinstance(one, Path) else one for one in source.words]
    words: list[object] = ["fit", *tables, "--pathway", "pathway.yaml"]
    if mapping is not None:
        meant = load_mapping(mapping).model_dump(mode="json", exclude_defaults=True, exclude_none=True)
        files["mapping.yaml"] = document.yaml_text(meant)
        words += ["--mapping", "mapping.yaml"]
    if found.study is not None:
        files["study.yaml"] = document.as_text(found.study)
        words += ["--into", "study.yaml"]
    asked = source.reading
    words += ["--dates", asked["dates"]] if asked.get("dates") else []
    words += ["--small-cells", str(asked["small_cells"])] if asked.get("small_cells") is not None else []
    words += ["--without-bad-rows"] if asked.get("without_bad_rows") else []
    return {**files, "run-again.txt": asked_again(*words)}
