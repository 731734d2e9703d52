"""Lay out what breaks a deal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from simengine.config import Study
from simengine.questions.reverse.answer import ReverseStress
from simengine.report.layouts import MOST_STEPS, folded, further, grid, heading, titled
from simengine.report.units import cell, to_digits

_INFORMATIVE = 0.99


def reverse_tables(study: Study, found: ReverseStress) -> RenderableType:
    """Lay out the nearest combination of assumptions that breaks a deal, and the boxes in which it breaks."""
    remark = f"The deal breaks where {found.criterion}: in {cell(found.p_break, 1.0)} of all replications."
    parts: list[RenderableType] = [heading(study, found, remark)]
    nearest = found.nearest
    if nearest is None:
        parts.append(Text("\nNo combination of assumptions within six standard deviations breaks it in half of its replications."))
    elif not nearest.distance.value:
        parts.append(
            Text(f"\nWith every assumption at its median it breaks in {cell(nearest.p_break, 1.0)} of the replications already.")
        )
    else:
        table = grid("assumption", "median", "breaks at", "sd away", "share, %")
        for step in nearest.steps[:MOST_STEPS]:
            numbers = (to_digits(step.median), to_digits(step.value), f"{step.score:+.2f}", f"{100 * step.share:z.1f}")
            table.add_row(folded(step.path, 42), *numbers)
        left = len(nearest.steps) - MOST_STEPS
        title = f"The nearest break: {cell(nearest.distance, 1.0)} standard deviations from the medians"
        title += f"; there {cell(nearest.p_break, 1.0)} break"
        parts.append(titled(title, table))
        told = f"{further(left)} the rest of the distance. " if left > 0 else ""
        told += f"A draw of the assumptions lies this far in this direction with probability {nearest.p_beyond:.2g}"
        # Of many assumptions almost every draw lies far from the centre in some direction.
        if nearest.plausibility < _INFORMATIVE:
            told += f", and this far in any direction with {nearest.plausibility:.2g} "
            told += f"(chi-square, {found.n_assumptions} degrees of freedom)"
        told += "."
        parts.append(Text(told))
    if found.boxes is not None and not found.boxes:
        told = "No box: no range of a few assumptions was found in which it breaks clearly more often than in all replications."
        parts.append(Text(f"\n{told}"))
    for number, box in enumerate(found.boxes or (), start=1):
        table = grid("assumption", "from", "to")
        for path, limits in box.limits.items():
            table.add_row(folded(path), *("-" if end is None else f"{end:.4g}" for end in (limits.low, limits.high)))
        facts = f"coverage {cell(box.coverage, 1.0)}, density {cell(box.density, 1.0)}, mass {cell(box.mass, 1.0)}"
        parts.append(titled(f"Box {number} in which it breaks: {facts}", table))
    return Group(*parts)
