"""Fit a table of scores where the command that fits is given one; and what is kept of any fit."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simengine.cli.next_steps import suggest
from simengine.cli.options import progress_of_reading, say
from simengine.errors import UsageError

if TYPE_CHECKING:
    from simengine.spells.fit import PathwayFit
    from simengine.spells.fit_scores import ScoresFit
    from simengine.spells.fit_totals import TotalsFit


def refuse_beside_scores(spells_file: Path | None, events: Path | None, reading: dict[str, Any]) -> None:
    """Refuse other tables beside scores, which are fitted by themselves."""
    beside = {"SPELLS": spells_file, "--events": events, "--problems-of-events": reading.pop("problems_of_events")}
    if found := [name for name, value in beside.items() if value is not None]:
        rule = f"--scores: must stand without other tables; found {', '.join(found)}"
        raise UsageError(f"{rule}. Fit the spells first, then the scores with `--into` the study that this gives")


def fit_scores_table(
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
    from simengine.spells.read_scores import read_score_table
    from simengine.spells.score_tables import scores_tables

    clock = Stopwatch()
    with nullcontext() if output is None else folder.results_folder(output) as draft:
        with progress_of_reading() as advance:
            own = read_score_table(scores, mapping, progress=advance, **reading)
        found = fit_scores(own, pathway, into=into)
        content = as_plain(found.content)
        settings = {"scores": scores, "pathway": pathway, "mapping": mapping, "into": into, **reading}
        plain = {name: value.name if isinstance(value, Path) else value for name, value in settings.items()}
        content["provenance"] = describe_run(clock, found.section_text(), plain, command="fit")
        if draft is not None:
            files = kept_of_fit(found, "scores_section.yaml", ["--scores", scores.name], mapping, reading)
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


def kept_of_fit(
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
