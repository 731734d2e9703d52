"""What becomes of each party in bad times; with --reverse, which times are bad enough to break the deal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simengine.questions.options import LEVEL_OPTION, MEASURES_OPTION, PARTIES_OPTION
from simengine.questions.question import Asked, Option, Question, Source, Values, later
from simengine.questions.reverse.question import REVERSE

if TYPE_CHECKING:
    from simengine.config import Study


def _prepare(study: Study, values: Values, source: Source) -> Asked:  # noqa: ARG001
    from simengine.questions.stress.answer import chosen_stresses
    from simengine.questions.stress.named import stresses_of

    return Asked(
        study,
        {
            "named": chosen_stresses(stresses_of(study), values["names"]),
            "parties": values["parties"],
            "level": values["level"],
            "measures": values["measures"],
        },
    )


STRESS = Question[Any](
    name="stress",
    summary="Stress-test STUDY for each party; with --reverse, find the nearest assumptions that break the deal.",
    options=(
        Option("names", "A stress to show. If absent: all.", flag="--stress", is_many=True, metavar="NAME", default=()),
        PARTIES_OPTION,
        LEVEL_OPTION,
        MEASURES_OPTION,
    ),
    prepare=_prepare,
    ask=later("simengine.questions.stress.answer", "stress_study"),
    tables=later("simengine.questions.stress.tables", "stress_tables"),
    picture=later("simengine.questions.stress.picture", "draw_stress"),
    keeps="stress.json, stress.png, study.yaml, run-again.txt",
    instead={"criterion": REVERSE},
)
