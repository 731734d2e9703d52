"""The command that runs many studies into one table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simengine.cli.options import PLACE, WholeNumber, json_option, output_option, progress, say, seed_option, threads_option
from simengine.store.engine_names import ENGINES

if TYPE_CHECKING:
    from simengine.batch import StudyBatch


@click.command("batch")
@click.argument("studies", metavar="STUDY...", nargs=-1, required=True, type=PLACE)
@click.option(
    "-n",
    "--replications",
    type=WholeNumber(2, 2**32),
    help="Monte Carlo replications of each study. If absent: its own number.",
)
@seed_option
@click.option("--set", "changes", multiple=True, metavar="PATH=VALUE", help="Replace one value in every study, by its path.")
@click.option("--variants", is_flag=True, help="Run every variant of each study too. If absent: the studies as they stand.")
@click.option("--measure", "measures", multiple=True, metavar="MEASURE", help="A measure beside the statistics of a run.")
@json_option
@threads_option
@click.option(
    "--store",
    type=PLACE,
    metavar="FOLDER",
    help="Folder that keeps the statistics of each study as soon as they are there; the same command then goes on. "
    "If absent: a batch that is stopped begins anew.",
)
@click.option("--engine", type=click.Choice(ENGINES), default="threads", show_default=True, help="What runs the studies.")
@click.option("--scheduler", metavar="ADDRESS", help="With --engine dask: the address of its scheduler. If absent: a cluster here.")
@output_option("batch.json, batch.csv and batch.parquet (one row for each statistic of each study), studies, run-again.txt")
def batch_command(studies: tuple[Path, ...], replications: int | None, output: Path | None, as_json: bool, **how: Any) -> None:
    """Run every STUDY, several at once, and put the statistics of all into one table."""
    from contextlib import nullcontext

    from simengine.batch import run_batch
    from simengine.batch.layout import batch_table
    from simengine.batch.studies import batch_content
    from simengine.provenance import Stopwatch, describe_run
    from simengine.report import document, tables
    from simengine.report.answers import as_plain
    from simengine.report.folder import results_folder

    names, clock = list(map(str, studies)), Stopwatch()
    with nullcontext() if output is None else results_folder(output) as draft:
        with progress((replications or 0) * len(names)) as advance:
            found = run_batch(names, replications, on_progress=advance, **how)
        settings = {name: str(value) if isinstance(value, Path) else value for name, value in how.items()}
        settings |= {"replications": replications, "seed": found.seed}
        text = "".join(found.texts.values())
        told = describe_run(clock, text, settings, command="batch", arguments=list(_files(found)))
        content: dict[str, Any] = {**as_plain(batch_content(found)), "provenance": told}
        if draft is not None:
            _write(draft, found, content)
    if as_json:
        say(document.as_json(content))
        return
    tables.show(batch_table(found))
    if output is not None:
        say(f"Results: {output}")


def _files(found: StudyBatch) -> dict[str, str]:
    """Return the studies as they were run, by the names of files."""
    width = len(str(len(found.texts)))
    stems = (re.sub(r"[^\w-]+", "-", Path(name).name.replace(".yaml", "")).strip("-") for name in found.texts)
    return {
        f"studies/{k:0{width}}-{stem}.yaml": text for k, (stem, text) in enumerate(zip(stems, found.texts.values(), strict=True), 1)
    }


def _write(draft: Path, found: StudyBatch, content: Mapping[str, Any]) -> None:
    """Write the table in three forms, the studies as they were run, and the line that runs them again."""
    import pyarrow as pa

    from simengine.questions.driver import asked_again
    from simengine.report import document
    from simengine.report.folder import write_files, write_rows

    settings, files = content["provenance"]["settings"], _files(found)
    words: list[Any] = ["batch", *files, "--seed", found.seed]
    words += ["-n", settings["replications"]] if settings["replications"] else []
    words += [word for measure in settings["measures"] for word in ("--measure", measure)]
    write_files(draft, {**files, "batch.json": document.as_json(content) + "\n", "run-again.txt": asked_again(*words)})
    frame = found.to_pandas().reset_index()
    frame.to_csv(draft / "batch.csv", index=False)
    write_rows(draft, "batch.parquet", pa.Table.from_pandas(frame, preserve_index=False))
