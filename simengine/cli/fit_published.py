"""Fit a published table of totals where the command that fits is given one."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

from simengine.cli.fit_scores import kept_of_fit
from simengine.cli.options import say
from simengine.errors import UsageError


def fit_totals_table(
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
            kept = kept_of_fit(fitted, "totals_section.yaml", ["--totals", totals.name], mapping, reading)
            folder.write_files(draft, {**kept, "fit.json": document.as_json(content) + "\n"})
    if as_json:
        say(document.as_json(content))
    elif fitted.study is not None and output is None:
        say(document.as_text(fitted.study).rstrip("\n"))
    else:
        tables.show(totals_tables(fitted.content))
        if output is not None:
            say(f"\nThe section: {output / 'totals_section.yaml'}")
