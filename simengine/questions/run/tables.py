"""Lay out a run."""

from __future__ import annotations

from rich.console import Group, RenderableType

from simengine.config import Study
from simengine.questions.run.answer import Run
from simengine.report import steps, tables, trust


def run_tables(study: Study, found: Run) -> RenderableType:
    """Lay out the risk table of a run, and what else of it was asked for."""
    shown: list[RenderableType] = [tables.risk_tables(study, found.table, found.seed)]
    if found.shows_diagnostics:
        shown += [trust.diagnostics_table(study, found.table), steps.sentence(steps.as_content(study))]
    if found.precise:
        shown.append(trust.reached(found.precise))
    return Group(*shown)
