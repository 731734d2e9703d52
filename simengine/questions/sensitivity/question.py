"""Which assumptions matter to whom."""

from typing import Any

from simengine.questions.options import OF_OPTION, PARTIES_OPTION, panel
from simengine.questions.question import Option, Question, later

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
    keeps="sensitivity.json, sensitivity.png, study.yaml, run-again.txt",
)
