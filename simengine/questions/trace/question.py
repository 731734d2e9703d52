"""One replication from its draws to its postings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simengine.questions.question import Asked, Option, Question, Source, Values, later
from simengine.questions.run.question import DRAWING, sampling_of
from simengine.questions.subject import RUN_OR_STUDY

if TYPE_CHECKING:
    from simengine.config import Study


def _prepare(study: Study, values: Values, source: Source) -> Asked:  # noqa: ARG001
    run, number, measurement = values["kept"], values["replication"], values["measurement"]
    asked = {"replication": number, "measurement": measurement}
    asked |= {"sampling": sampling_of(values), "with_variates": values["control_variates"]}
    return Asked(study, asked | {"kept": None if run is None else run.row(number, measurement)})


TRACE = Question[Any](
    name="trace",
    summary=(
        "Show one replication of RUN, a folder of results, line by line: draws, people, measurement, payments, postings.\n\n"
        "The numbers of RUN are drawn as the run drew them. RUN may also be a study; then --seed says which replications are meant."
    ),
    subject=RUN_OR_STUDY,
    options=(
        Option("replication", "Number of the replication.", kind=int, low=0, high=2**32 - 1, is_required=True),
        Option(
            "measurement",
            "Of a run with --measured: which measurement of its people.",
            kind=int,
            default=1,
            low=1,
            high=100,
        ),
        *DRAWING,
        Option("kept", "The run from whose folder it comes.", kind=object, is_hidden=True),
    ),
    prepare=_prepare,
    is_drawn=False,
    ask=later("simengine.questions.trace.answer", "trace_again"),
    content=later("simengine.questions.trace.content", "trace_content"),
    tables=later("simengine.questions.trace.tables", "trace_tables"),
    keeps="trace.json, study.yaml, run-again.txt",
)
