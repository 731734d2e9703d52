"""Responses of providers and referrers to a contract."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simengine.questions.compare.asked import asked_of_designs
from simengine.questions.question import Asked, Option, Question, Source, Values, Work, later

if TYPE_CHECKING:
    from simengine.config import Study


def _prepare(study: Study, values: Values, source: Source) -> Asked:
    designs, asked = asked_of_designs(study, values["contracts"], source)
    return replace(asked, values={"designs": designs})


INCENTIVES = Question[Any](
    name="incentives",
    summary=(
        "Say which effort STUDY's own contract, and each CONTRACT in its place, induces, and what comes of it.\n\n"
        "CONTRACT is a file, or a variant of the study that changes terms alone."
    ),
    options=(Option("contracts", "Files of contracts, or variants.", flag="[CONTRACT]...", is_many=True, default=()),),
    prepare=_prepare,
    # Once with every choice; then fresh ones with the choices that are best, or nearly so.
    worked=lambda study, values, n_replications: Work(n_replications, n_replications, 1.0, is_most=True),  # noqa: ARG005
    ask=later("simengine.questions.incentives.answer", "find_incentives"),
    content=later("simengine.questions.incentives.content", "incentives"),
    tables=later("simengine.questions.incentives.tables", "incentive_tables"),
    picture=later("simengine.questions.incentives.picture", "draw_efforts"),
    keeps="incentives.json, efforts.png, study.yaml, the other contracts, run-again.txt",
    picture_name="efforts",
)
