"""Which times are bad enough to break a deal: `stress --reverse`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simengine.questions.options import panel
from simengine.questions.question import Asked, Option, Question, Source, Values, Work, later

if TYPE_CHECKING:
    from simengine.config import Study


def _prepare(study: Study, values: Values, source: Source) -> Asked:  # noqa: ARG001
    from simengine.questions.reverse.answer import read_criterion
    from simengine.questions.reverse.boxes import require_workbench

    criterion = read_criterion(values["criterion"])
    if values["boxes"]:
        require_workbench()
    return Asked(study, {"criterion": criterion, "n_panel": values["n_panel"], "with_boxes": values["boxes"]})


def _worked(study: Study, values: Values, n_replications: int) -> Work:
    """Count the replications, and those of the panel at as many points as the search may ask for."""
    from simengine.questions.reverse.answer import most_points
    from simengine.replications.points import uncertain_paths

    return Work(n_replications, most_points(len(uncertain_paths(study))) * values["n_panel"], 1.0, is_most=True)


def _with_small_panel(asked: Asked) -> Asked:
    """Ask for the smallest panel."""
    return replace(asked, values={**asked.values, "n_panel": 2})


REVERSE = Question[Any](
    name="reverse",
    summary="Find the nearest assumptions of STUDY with which a deal breaks.",
    options=(
        Option(
            "criterion",
            'Find what breaks the deal: a party.amount, < or >, and a number, such as "investor.loss > 50%". If absent: stresses are shown.',
            flag="--reverse",
            metavar="RULE",
            is_required=True,
        ),
        Option(
            "boxes",
            "With --reverse: boxes of assumptions in which it breaks; needs the extra `discovery`.",
            kind=bool,
            default=False,
        ),
        panel(64),
    ),
    prepare=_prepare,
    worked=_worked,
    tried=_with_small_panel,
    ask=later("simengine.questions.reverse.answer", "reverse_stress"),
    tables=later("simengine.questions.reverse.tables", "reverse_tables"),
    picture=later("simengine.questions.reverse.picture", "draw_reverse"),
    keeps="stress.json, stress.png, study.yaml, run-again.txt",
    answer_name="stress",
    picture_name="stress",
)
