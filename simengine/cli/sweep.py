"""The command that removes what killed runs left behind: drafts of results, and in a store what no run reads."""

from __future__ import annotations

from pathlib import Path

import click

from simengine.cli.options import PLACE, say


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
