"""Which assumptions matter to whom."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simengine.questions.options import OF_OPTION, PARTIES_OPTION, panel
from simengine.questions.question import Asked, Option, Question, Values, Work, later

if TYPE_CHECKING:
    from simengine.config import Study


def _lived(study: Study, values: Values, n_replications: int) -> Work:
    """Count the replications of the tornado, of which each lives once and twice for each number, and those of the plans."""
    from simengine.replications.points import groups_of, uncertain_paths

    paths = uncertain_paths(study)
    n_groups: int = len(groups_of(study, paths))
    points = values["n_points"] * (n_groups + 2) + values["n_trajectories"] * (n_groups + 1)
    return Work(n_replications, points * values["n_panel"], 1 / (1 + 2 * len(paths)))


def _with_small_plans(asked: Asked) -> Asked:
    """Ask for the smallest plans."""
    smallest = {"n_points": 16, "n_trajectories": 4, "n_panel": 2}
    return replace(asked, values={name: min(value, smallest.get(name, value)) for name, value in asked.values.items()})


SENSITIVITY = Question[Any](
    name="sensitivity",
    summary="Show which assumptions of STUDY matter to whom: a tornado, and global indices, of each party's money.",
    options=(
        PARTIES_OPTION,
        OF_OPTION,
        Option("n_points", "Points of Sobol's plan, a power of 2 from 16.", flag="--points", kind=int, default=128),
        Option(
            "n_trajectories",
            "Trajectories of the screening, at least 4.",
            flag="--trajectories",
            kind=int,
            default=16,
        ),
        panel(16),
    ),
    ask=later("simengine.questions.sensitivity.answer", "sensitivity"),
    tables=later("simengine.questions.sensitivity.tables", "sensitivity_tables"),
    picture=later("simengine.questions.sensitivity.picture", "draw_sensitivity"),
    worked=_lived,
    tried=_with_small_plans,
    keeps="sensitivity.json, sensitivity.png, study.yaml, run-again.txt",
)
