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
    rows: int
    """Rows that are not empty."""
    people: str
    """Number of people; `fewer than 5` where that is all that may be said, here and below."""
    notes: list[str]
    """What was decided from the file itself, and rows that were left out."""


def file_content(file: SpellsFile, n_people: int) -> FileContent:
    """Say what was read."""
    return {
        "name": file.name,
        "sha256": file.sha256,
        "rows": file.n_rows,
        "people": counts_shown(n_people),
        "notes": [*file.notes, *(f"Rows left out, {reason}: {counts_shown(n)}." for reason, n in file.left_out)],
    }
