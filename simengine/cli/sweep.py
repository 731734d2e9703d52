"""The command that removes what killed runs left behind: drafts of results, and in a store what no run reads."""

from __future__ import annotations

from pathlib import Path

import click

from simengine.cli.options import PLACE, say
from simengine.errors import escaped


@click.command()
@click.argument("folder", metavar="FOLDER", type=PLACE)
@click.option("--remove", is_flag=True, help="Remove what is listed. If absent: it is only listed.")
def sweep(folder: Path, remove: bool) -> None:
    """List what killed runs left behind in FOLDER: drafts of results or, where FOLDER is a --store, what no run reads, and damaged blocks.

    With --remove, remove it. What a run is still writing is not listed.
    """
    from simengine.report import drafts
    from simengine.store.folder import is_store

    found = drafts.drafts_in(folder)
    for draft in found:
        if remove:
            drafts.remove(draft)
        say(f"{'Removed' if remove else 'A draft'}: {draft}")
    n_left = _sweep_store(folder, remove=remove)
    if not found and not n_left:
        say(
            f"{folder}: no draft of a killed run"
            if not is_store(folder)
            else f"{folder}: nothing is left over, and every block is as it was written"
        )
    elif not remove:
        say("`--remove` removes them.")


def _sweep_store(folder: Path, *, remove: bool) -> int:
    """List or remove what no run reads of a store, of a run or of a batch, and return how much that is."""
    from simengine.store import folder as stores

    is_run = stores.is_store(folder)
    leftovers = stores.open_store(folder, takes_damaged=True).leftovers() if is_run else stores.half_written(folder)
    for leftover in leftovers:
        if remove:
            stores.remove_leftover(leftover)
        say(f"{'Removed' if remove else 'Left over'}: {leftover.path} ({leftover.why})")
    return len(leftovers)


def say_what_is_left(folder: Path) -> None:
    """Name on stderr what killed runs left in a store that was written: nothing removes it unasked."""
    from simengine.store.folder import open_store

    left = open_store(folder).unread()
    if left:
        more = f" and {len(left) - 1:,} more" if len(left) > 1 else ""
        found = f"{left[0].path} ({left[0].why}){more}"
        click.echo(
            escaped(f"simengine: left over in {folder}, and read by no run: {found}; `simengine sweep {folder}` names them"),
            err=True,
        )
