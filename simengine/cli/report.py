"""The command that writes a report for a finance committee."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simengine.cli.next_steps import suggest
from simengine.cli.options import (
    PLACE,
    WholeNumber,
    progress,
    replications_option,
    say,
    say_if_long,
    seed_option,
    study_options,
    threads_option,
)
from simengine.questions.run.question import RUN
from simengine.questions.subject import Size

if TYPE_CHECKING:
    from simengine.questions.driver import Posed


def _answered(posed: Posed, name: str) -> Any:
    """Answer a question, with a bar, and say before more than ten seconds how long it takes."""
    work = posed.work
    with progress(work.as_the_first) as advance:
        return posed.answer(advance, say_if_long(work.as_the_first, "-n" if name == RUN.name else "--further"))


@click.command("report")
@click.argument("place", metavar="RUN|STUDY", type=PLACE)
@click.option(
    "-o",
    "--output",
    "outputs",
    type=PLACE,
    multiple=True,
    required=True,
    help="New file for the report; its ending says the form: .html or, with the extra `pdf`, .pdf.",
)
@click.option(
    "--sections",
    metavar="NAME,...",
    help="The sections to write. If absent: those that take seconds, or with --contract those of a comparison.",
)
@click.option(
    "--audience", metavar="ROLE", help="Whose report it is: investor, outcome_payer or service_provider. If absent: everybody's."
)
@click.option("--language", default="en", show_default=True, metavar="CODE", help="Language of the report, such as sv.")
@click.option(
    "--contract",
    "contracts",
    metavar="CONTRACT",
    multiple=True,
    help="A file of a contract, or a variant, to compare with; two at most.",
)
@click.option(
    "--further",
    type=WholeNumber(2, 1_000_000),
    default=500,
    show_default=True,
    help="Replications of the questions beside the run, no more than the run has.",
)
@click.option(
    "--reference",
    type=PLACE,
    metavar="FOLDER",
    help="Public tables of signed contracts to stand beside, as `simengine reference` reads them. If absent: the class of the study.",
)
@click.option(
    "--planned-payments",
    type=float,
    metavar="AMOUNT",
    help="With --reference: what the contract plans to pay to its end. If absent: what the study expects on average.",
)
@replications_option(None)
@seed_option
@study_options
@threads_option
def report(
    place: Path,
    outputs: tuple[Path, ...],
    sections: str | None,
    audience: str | None,
    language: str,
    contracts: tuple[str, ...],
    further: int,
    reference: Path | None,
    planned_payments: float | None,
    replications: int | None,
    seed: int | None,
    overrides: tuple[str, ...],
    variant: str | None,
    threads: int | None,
) -> None:
    """Write a report of RUN, a folder that `run -o` wrote, or of STUDY, which is run first: one file, as HTML or PDF."""
    from simengine.documents.write import ReportAsked, free_outputs, publish, reported

    names = tuple(name.strip() for name in (sections or "").split(",") if name.strip())
    changes = {"overrides": overrides, "variant": variant}
    asked = ReportAsked(names, audience, language, contracts, further, reference, planned_payments, changes)
    free = free_outputs(outputs)
    publish(free, reported(place, asked, Size(replications, seed, threads), _answered))
    for path in free:
        say(f"Report: {path}")
    if place.is_dir():
        suggest(("seal", place, "-o", "forecast.seal.json"), why="fixes this forecast, to be scored when results are known")
    else:
        suggest(("run", place, "-o", "results"), why="keeps the run, for further reports, a workbook or tables")
