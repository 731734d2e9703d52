"""A forecast held against what is known to have happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simengine.questions.question import Asked, Files, Option, Question, Source, Values, later

if TYPE_CHECKING:
    from simengine.config import Study


def _prepare(study: Study, values: Values, source: Source) -> Asked:
    return Asked(study, {**values, "variant": source.variant})


def _files(asked: Asked, source: Source, found: Any) -> Files:  # noqa: ARG001
    """Write what is known in sentences."""
    from simengine.questions.retrospect.content import retrospect

    places = retrospect(asked.subject, found)["known"].values()
    return {"sentences.txt": "".join(f"{place['sentence']}\n" for place in places)}


RETROSPECT = Question[Any](
    name="retrospect",
    summary="Compare known results with the forecast of STUDY, and update the forecast by an interim result.",
    options=(
        Option(
            "given",
            "A known result to condition on; several hold together. If absent: nothing is updated.",
            is_many=True,
            metavar="NAME",
            default=(),
        ),
        Option(
            "bandwidth",
            "Bandwidth of the match, in the evaluator's standard errors.",
            kind=float,
            default=0.25,
            low=0,
            high=10,
        ),
        Option(
            "least_effective",
            "Effective sample size below which no update is reported.",
            kind=float,
            default=100.0,
            low=1,
            high=1e9,
        ),
    ),
    prepare=_prepare,
    ask=later("simengine.questions.retrospect.answer", "look_back"),
    content=later("simengine.questions.retrospect.content", "retrospect"),
    tables=later("simengine.questions.retrospect.tables", "retrospect_tables"),
    picture=later("simengine.questions.retrospect.picture", "draw_look_back"),
    files=_files,
    keeps="sentences.txt, retrospect.json, retrospect.png, study.yaml, run-again.txt",
)
