"""What a contract makes people do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simengine.questions.question import Asked, Option, Question, Source, Values, as_operand, later

if TYPE_CHECKING:
    from simengine.config import Study


def _prepare(study: Study, values: Values, source: Source) -> Asked:
    from simengine.questions.compare.designs import as_variant, designs_of
    from simengine.report.document import as_text

    named = values["contracts"]
    designs = dict(named) if isinstance(named, Mapping) else designs_of(study, named, source.read)
    others = {name: design for name, design in designs.items() if name != "own"}
    variants = {name: as_variant(study, design) for name, design in others.items() if name in study.variants}
    files = {f"{name}.yaml": as_text(one.contract) for name, one in others.items() if name not in variants}
    arguments = tuple(as_operand(f"{name}.yaml") if f"{name}.yaml" in files else name for name in others)
    return Asked(study, {"designs": designs}, arguments=arguments, files=files, variants=variants)


INCENTIVES = Question[Any](
    name="incentives",
    summary=(
        "Say which effort STUDY's own contract, and each CONTRACT in its place, induces, and what comes of it.\n\n"
        "CONTRACT is a file, or a variant of the study that changes terms alone."
    ),
    options=(Option("contracts", "Files of contracts, or variants.", flag="[CONTRACT]...", is_many=True, default=()),),
    prepare=_prepare,
    ask=later("simengine.questions.incentives.answer", "find_incentives"),
    content=later("simengine.questions.incentives.content", "incentives"),
    tables=later("simengine.questions.incentives.tables", "incentive_tables"),
    picture=later("simengine.questions.incentives.picture", "draw_efforts"),
    keeps="the answer, its curves and provenance",
    picture_name="efforts",
)
