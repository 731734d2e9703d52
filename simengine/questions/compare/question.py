"""Several contracts on the same people: who gains, who loses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simengine.questions.compare.asked import asked_of_designs
from simengine.questions.compare.designs import OWN_CONTRACT
from simengine.questions.options import LEVEL_OPTION, MEASURES_OPTION
from simengine.questions.question import Asked, Option, Question, Source, Values, later

if TYPE_CHECKING:
    from simengine.config import Study


def _prepare(study: Study, values: Values, source: Source) -> Asked:
    designs, asked = asked_of_designs(study, values["contracts"], source)
    others = {name: design for name, design in designs.items() if name != OWN_CONTRACT}
    return replace(asked, values={"others": others, "level": values["level"], "measures": values["measures"]})


COMPARE = Question[Any](
    name="compare",
    summary=(
        "Settle the contract of STUDY and each CONTRACT on the same people: who gains, who loses.\n\n"
        "CONTRACT is a file, or a variant of the study that changes terms alone."
    ),
    options=(
        Option("contracts", "Files of contracts, or variants.", flag="CONTRACT...", is_many=True, is_required=True),
        LEVEL_OPTION,
        MEASURES_OPTION,
    ),
    prepare=_prepare,
    ask=later("simengine.questions.compare.answer", "compare_contracts"),
    tables=later("simengine.questions.compare.tables", "comparison_tables"),
    picture=later("simengine.questions.compare.picture", "draw_comparison"),
    keeps="compare.json, compare.png, study.yaml, run-again.txt",
)
