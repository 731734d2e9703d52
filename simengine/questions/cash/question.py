"""The cash of every party over time: by date, cumulative, its deepest point, and when it is paid back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from simengine.questions.options import PARTIES_OPTION
from simengine.questions.question import Asked, Option, Question, Source, Values, later
from simengine.questions.run.question import DRAWING, sampling_of

if TYPE_CHECKING:
    from simengine.config import Study


def _prepare(study: Study, values: Values, source: Source) -> Asked:  # noqa: ARG001
    from simengine.questions.cash.flows import refuse_without_cash

    refuse_without_cash(study, values["parties"])
    asked = {"parties": values["parties"], "every": values["every"], "sampling": sampling_of(values)}
    return Asked(study, asked | {"with_control_variates": values["control_variates"]})


def _how_kept(values: Values) -> dict[str, Any]:
    """Hold the cash of every month: far more than the columns of a run."""
    flows = partial(
        later("simengine.questions.cash.flows", "flows_of_block"),
        names=values["parties"],
        with_variates=values["control_variates"],
    )
    return {"sampling": sampling_of(values), "results_of": flows}


CASH = Question[Any](
    name="cash",
    summary="Show the cash of every party of STUDY over time: by date and cumulative, its peak funding need, and its payback.",
    options=(
        PARTIES_OPTION,
        Option(
            "every",
            "The periods by which cash is added up.  [default: quarter; on the terminal year if there are many]",
            words=("month", "quarter", "year"),
            metavar="PERIOD",
        ),
        *DRAWING,
    ),
    prepare=_prepare,
    how_kept=_how_kept,
    ask=later("simengine.questions.cash.answer", "cash_over_time"),
    content=later("simengine.questions.cash.content", "cash_content"),
    tables=later("simengine.questions.cash.tables", "cash_tables"),
    picture=later("simengine.questions.cash.picture", "draw_cash"),
    files=later("simengine.questions.cash.content", "by_date_files"),
    write=later("simengine.questions.cash.content", "write_flows"),
    keeps="the answer, its picture, cash by date and by replication, study and provenance",
)
