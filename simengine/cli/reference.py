"""The command about signed contracts: what was paid of what was planned, from public tables. Nothing is simulated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from simengine.cli.options import PLACE, WholeNumber, json_option, output_option, say
from simengine.questions.driver import asked_again

if TYPE_CHECKING:
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
    from simengine.reference_class.indigo import ProjectFilter
    from simengine.reference_class.layout import environment_section, projects_csv, reference_tables
    from simengine.reference_class.reference import read_reference
    from simengine.report import document, tables
    from simengine.report.answers import as_plain
    from simengine.report.folder import results_folder, write_files

    chosen = ProjectFilter(sector, country, currency, fund, projects)
    found = read_reference(folder, chosen, is_censored=unfinished == "censored", with_forecasts=with_forecasts, seed=seed)
    content = document.as_json(as_plain(found))
    if output is not None:
        with results_folder(output) as draft:
            files = {
                "reference.json": content + "\n",
                "environment.yaml": environment_section(found),
                "projects.csv": projects_csv(found),
            }
            again = asked_again("reference", folder, *_options(chosen, unfinished, seed, with_forecasts=with_forecasts))
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
