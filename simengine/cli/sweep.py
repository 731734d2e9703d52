"""The command that removes what killed runs left behind."""

from __future__ import annotations

from pathlib import Path

import click

from simengine.cli.options import PLACE, say


@click.command()
@click.argument("folder", metavar="FOLDER", type=PLACE)
@click.option("--remove", is_flag=True, help="Remove the drafts. If absent: they are only listed.")
def sweep(folder: Path, remove: bool) -> None:
    """List the drafts in FOLDER that killed runs left behind; with --remove, remove them.

    A draft that a run is still writing is no such draft.
    """
    from simengine.report import drafts

    found = drafts.drafts_in(folder)
    for draft in found:
        if remove:
            drafts.remove(draft)
        say(f"{'Removed' if remove else 'A draft'}: {draft}")
    if not found:
        say(f"{folder}: no draft of a killed run")
    elif not remove:
        say("`--remove` removes them.")
