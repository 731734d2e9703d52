"""Commands about signed contracts: what was paid of what was planned, and their records in public tables. Nothing is simulated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from simengine.cli.options import PLACE, WholeNumber, json_option, output_option, say
from simengine.errors import UsageError
from simengine.questions.driver import asked_again

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simengine.reference_class.indigo import ProjectFilter


@click.command()
@click.argument("folder", metavar="FOLDER", type=PLACE)
@click.option("--sector", default="", metavar="NAME", help="Only projects of this policy sector.")
@click.option(
    "--country", default="", metavar="CODE", help="Only projects of this country; of many projects the tables state none."
)
@click.option("--currency", default="", metavar="CODE", help="Only projects paid in this currency.")
@click.option(
    "--fund", default="", metavar="TEXT", help="Only projects of which some row holds this text, such as the name of a fund."
)
@click.option(
    "--project",
    "projects",
    multiple=True,
    metavar="ID[..ID]",
    help="Only this project, or those from one id to another. May be given more than once.",
)
@click.option(
    "--unfinished",
    type=click.Choice(["to_date", "censored"]),
    default="to_date",
    show_default=True,
    help="How projects that go on count: by their ratio to date, or as censored and no more.",
)
@click.option(
    "--forecasts", "with_forecasts", is_flag=True, help="Also forecast each project from the others, and score the forecasts."
)
@click.option(
    "--seed",
    type=WholeNumber(0, 2**64 - 1),
    default=0,
    show_default=True,
    help="Seed of the draws that place censored projects when forecasts are scored.",
)
@json_option
@output_option("reference.json, environment.yaml (the section of a study), projects.csv, run-again.txt")
def reference(
    folder: Path,
    sector: str,
    country: str,
    currency: str,
    fund: str,
    projects: tuple[str, ...],
    unfinished: str,
    with_forecasts: bool,
    seed: int,
    output: Path | None,
    as_json: bool,
) -> None:
    """Read what signed contracts were paid of what they planned from the INDIGO tables in FOLDER."""
    from simengine.provenance import Stopwatch, describe_run
    from simengine.reference_class.indigo import ProjectFilter
    from simengine.reference_class.layout import environment_section, projects_csv, reference_tables
    from simengine.reference_class.reference import read_reference
    from simengine.report import document, tables
    from simengine.report.answers import as_plain
    from simengine.report.folder import results_folder, write_files

    clock = Stopwatch()
    chosen = ProjectFilter(sector, country, currency, fund, projects)
    found = read_reference(folder, chosen, is_censored=unfinished == "censored", with_forecasts=with_forecasts, seed=seed)
    options = _options(chosen, unfinished, seed, with_forecasts=with_forecasts)
    provenance = describe_run(
        clock, "".join(found.sha256.values()), {"folder": str(folder), "options": options}, command="reference"
    )
    content = document.as_json({**as_plain(found), "provenance": provenance})
    if output is not None:
        with results_folder(output) as draft:
            files = {
                "reference.json": content + "\n",
                "environment.yaml": environment_section(found),
                "projects.csv": projects_csv(found),
            }
            again = asked_again("reference", folder, *options)
            write_files(draft, {**files, "run-again.txt": again})
    if as_json:
        say(content)
        return
    tables.show(reference_tables(found))
    if output is not None:
        say(f"Results: {output}")


def _options(chosen: ProjectFilter, unfinished: str, seed: int, *, with_forecasts: bool) -> list[str]:
    """Return the options that ask for the same again."""
    words = [
        word
        for option in ("sector", "country", "currency", "fund")
        for word in (f"--{option}", getattr(chosen, option))
        if getattr(chosen, option)
    ]
    words += [word for one in chosen.projects for word in ("--project", one)]
    return [*words, "--unfinished", unfinished, "--seed", f"{seed}", *(["--forecasts"] if with_forecasts else [])]


@click.command()
@click.argument("what", metavar="CONTRACT|FOLDER", type=PLACE)
@click.option("--project", metavar="ID", help="With a folder: the project to read. With a contract: the id that its record gets.")
@click.option("-o", "--output", type=PLACE, required=True, help="New or empty folder for the record, or for the contract.")
def record(what: Path, project: str | None, output: Path) -> None:
    """Write the rate card of CONTRACT as INDIGO tables, or a project of the tables in FOLDER as a contract; list what is lost."""
    from simengine.report.folder import results_folder, write_files

    if project is None or not project.strip():
        raise UsageError("--project: must be the id of a project; found none")
    files, unsaid = _contract_files(what, project) if what.is_dir() else _record_files(what, project)
    with results_folder(output) as draft:
        again = asked_again("record", what, "--project", project)
        write_files(draft, {**files, "not-said.txt": "".join(f"{line}\n" for line in unsaid), "run-again.txt": again})
    for line in unsaid:
        say(f"not said: {line}")
    say(f"Results: {output}")


def _record_files(contract_file: Path, project: str) -> tuple[dict[str, str], Sequence[str]]:
    from simengine.config import load_contract
    from simengine.reference_class.record import record_of

    return record_of(load_contract(contract_file), project)


def _contract_files(folder: Path, project: str) -> tuple[dict[str, str], Sequence[str]]:
    from simengine.reference_class.indigo import read_indigo
    from simengine.reference_class.record import recorded_contract
    from simengine.report.document import as_text

    found = recorded_contract(read_indigo(folder), project)
    text = f"# Project {project}; month 1 is {found.start}.\n{as_text(found.contract)}"
    return {"contract.yaml": text, "planned.csv": found.planned, "paid.csv": found.paid}, found.unsaid
