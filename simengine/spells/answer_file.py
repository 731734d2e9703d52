"""What a fit says of a file that was read."""

from __future__ import annotations

from typing import TypedDict

from simengine.spells.records import SpellsFile, counts_shown


class FileContent(TypedDict):
    """The file that was read."""

    name: str
    """Its name."""
    sha256: str
    """Its SHA-256."""
    small_cells: int
    """A smaller number of people is not shown."""
    rows: int | None
    """Rows that are not empty; null where a move or an event that few people had is not shown: the difference would tell."""
    people: str
    """Number of people; `fewer than 5` where that is all that may be said, here and below."""
    notes: list[str]
    """What was decided from the file itself, and rows that were left out."""


def file_content(file: SpellsFile, n_people: int, *, hides: bool) -> FileContent:
    """Say what was read; hides: whether a number of what its rows say is too small to be shown."""
    least = file.small_cells
    return {
        "name": file.name,
        "sha256": file.sha256,
        "small_cells": least,
        "rows": None if hides else file.n_rows,
        "people": counts_shown(n_people, least),
        "notes": [*file.notes, *(f"Rows left out, {reason}: {counts_shown(n, least)}." for reason, n in file.left_out)],
    }
