"""The cash of every party over time: by date, cumulative, its deepest point, and when it is paid back."""

from __future__ import annotations

from dataclasses import replace
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


_WHOSE = "A party, a total (all_lenders, all_payers), tranche.<name>, <lender>.loans, project or suppliers. If absent: all that have cash."
CASH = Question[Any](
    name="cash",
    summary="Show the cash of every party of STUDY over time: by date and cumulative, its peak funding need, and its payback.",
    options=(
        replace(PARTIES_OPTION, help=_WHOSE),
        Option(
            "every",
            "The periods of the calendar. If absent: quarter; on the terminal year if there are more than 12 quarters.",
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
    keeps="cash.json, cash-by-date.csv, cash.parquet, cash.png, study.yaml, run-again.txt",
)
