"""Results known so far turn the numbers of a study into their posterior."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simengine.questions.question import Asked, Files, Option, Question, Source, Values, later

if TYPE_CHECKING:
    from simengine.config import Study

OBSERVED = "observed.csv"


def _read(place: str) -> Any:
    from simengine.questions.learn.results import results_table

    return results_table(place)


def _prepare(study: Study, values: Values, source: Source) -> Asked:
    from simengine.questions.learn.content import as_table
    from simengine.questions.learn.results import results_of

    results_of(study, values["given"], values["observed"], source.variant)
    files = {} if values["observed"] is None else {OBSERVED: as_table(values["observed"])}
    return Asked(study, {**values, "variant": source.variant}, files=files)


def _files(asked: Asked, source: Source, found: Any) -> Files:  # noqa: ARG001
    """Write the study that was learned."""
    from simengine.report.document import as_text

    return {"learned.yaml": as_text(found.study)}


LEARN = Question[Any](
    name="learn",
    summary="Turn results known so far into the posterior of the numbers of STUDY: a study that can be run.",
    options=(
        Option(
            "given",
            "A known result of the study to learn from; several hold together.",
            is_many=True,
            metavar="NAME",
            default=(),
        ),
        Option(
            "observed",
            "A table of results known so far, as comma-separated values: counts, estimates, payments. From Python: a list of rows.",
            metavar="FILE",
            read=_read,
            write=lambda rows: OBSERVED,  # noqa: ARG005
        ),
        Option(
            "least_effective",
            "Effective sample size below which nothing is written.",
            kind=float,
            default=200.0,
            low=10,
            high=1e9,
        ),
    ),
    prepare=_prepare,
    how_kept=lambda values: {},  # noqa: ARG005
    ask=later("simengine.questions.learn.answer", "learn"),
    content=later("simengine.questions.learn.content", "learned_content"),
    tables=later("simengine.questions.learn.tables", "learned_tables"),
    picture=later("simengine.questions.learn.picture", "draw_learned"),
    files=_files,
    keeps="learned.yaml, learn.json, learn.png, study.yaml, observed.csv, run-again.txt",
)
