"""A table of a fit on a terminal, and the cells of a comparison."""

from __future__ import annotations

from rich import box
from rich.table import Table


def fit_table(title: str, *columns: str) -> Table:
    """Lay out an empty table with a title; its first column and the verdict are text."""
    layout = Table(title=title, title_justify="left", pad_edge=False, box=box.SIMPLE_HEAD)
    for number, name in enumerate(columns):
        is_text = number == 0 or name == "verdict"
        # Words may stand on several lines; a number that is broken reads as two.
        layout.add_column(
            name, justify="left" if is_text else "right", overflow="fold" if is_text else "ellipsis", no_wrap=not is_text
        )
    return layout


def test_cells(distance: float | None, at: int | None, inside: float | None, verdict: str) -> tuple[str, str, str, str]:
    """Write a comparison of curves: its distance, where, the share inside the band, and the verdict."""
    if distance is None or inside is None:
        return "-", "-", "-", verdict
    return f"{distance:.3f}", str(at), f"{inside:.0%}".replace("%", " %"), verdict
