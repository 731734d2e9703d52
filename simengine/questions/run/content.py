"""Say a run as one JSON object, and write its rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simengine.config import Study
from simengine.questions.run import trust
from simengine.questions.run.answer import Run
from simengine.report import document, folder, steps


def run_content(study: Study, found: Run) -> dict[str, Any]:
    """Return a run as plain numbers."""
    content = document.run_summary(study, found.table, found.seed) | trust.trust_content(found.table)
    content["diagnostics"]["moves"] = steps.steps_content(study)
    sampling = {
        "sobol": found.sampling.is_sobol,
        "tilts": dict(found.sampling.tilts),
        "control_variates": found.with_control_variates,
        "measured": found.sampling.measured,
    }
    if found.table.asked:
        content["measures"] = {text: document.plain(one) for text, one in found.table.asked.items()}
    return content | {"sampling": sampling, "precision": trust.precision(found.precise) if found.precise else None}


def write_run(draft: Path, study: Study, found: Run) -> None:  # noqa: ARG001
    """Write one row per replication, and the exceedance curves."""
    folder.write_replications(draft, found.results)
    folder.write_rows(draft, "exceedance.parquet", trust.exceedance_rows(found.table))
