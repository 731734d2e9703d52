"""The value of information before signing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simengine.errors import UsageError
from simengine.questions.question import Asked, Option, Question, Source, Values, Work, later

if TYPE_CHECKING:
    from simengine.config import Study


def read_people(text: str) -> list[int]:
    """Read sizes of pilots."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and 4 <= int(word[:9]) <= 1_000_000 for word in words):
        raise UsageError(
            f"--pilot: must be whole numbers from 4 to 1,000,000 with commas between them, such as 20,60,200; found {text!r}"
        )
    return [int(word[:9]) for word in words]


def _prepare(study: Study, values: Values, source: Source) -> Asked:  # noqa: ARG001
    from simengine.config.request import free_terms
    from simengine.config.roles import the_only
    from simengine.questions.information.answer import Decision
    from simengine.records import ALL_PAYERS

    decides = values["party"] or the_only(study, ALL_PAYERS, "--party")
    sized = free_terms(study, values["free"])
    choice = Decision(decides, tuple(values["accepted_by"] or ()), {} if sized is None else sized.free, values["points"])
    asked = {name: values[name] for name in ("delay_months", "cost_per_person")}
    return Asked(study, {"choice": choice, "pilots": tuple(values["pilots"] or ()), **asked})


def _now_later_and_each_pilot(study: Study, values: Values, n_replications: int) -> int:  # noqa: ARG001
    return n_replications * (2 + len(values["pilots"] or ()))


def _own_and_each_pilot(study: Study, values: Values, n_replications: int) -> Work:  # noqa: ARG001
    """Count the replications of the study, and those of each pilot, which take about as long."""
    return Work(n_replications, n_replications * len(values["pilots"] or ()), 1.0)


INFORMATION = Question[Any](
    name="information",
    summary="Estimate the value of information before STUDY is signed: EVPI, EVPPI of each number, EVSI of a pilot.",
    options=(
        Option(
            "party",
            "The party whose net present value decides, under its own belief. If absent: the only party that pays under the contract.",
            metavar="PARTY",
        ),
        Option(
            "accepted_by",
            "Parties who sign only without an expected loss, given the information at that time. If absent: no other party must accept.",
            metavar="PARTY,...",
            read=lambda text: [name.strip() for name in text.split(",")],
            write=",".join,
        ),
        Option(
            "free",
            "A term that may be chosen after the information. If absent: sign or not.",
            is_many=True,
            metavar="PATH=LOW..HIGH[..STEP]",
            default=(),
        ),
        Option("points", "Number of term sheets to choose from.", kind=int, default=25, low=2, high=10_000),
        Option(
            "pilots",
            "Sizes of pilots, both arms together, with commas between them: 20,60,200.",
            flag="--pilot",
            metavar="PEOPLE,...",
            read=read_people,
            write=lambda sizes: ",".join(map(str, sizes)),
        ),
        Option(
            "delay_months",
            "Months by which a pilot delays the contract: everything is discounted by this much more.",
            kind=float,
            default=0.0,
            low=0,
            high=1200,
        ),
        Option("cost_per_person", "What the pilot costs the party for each person.", kind=float, default=0.0, low=0, high=1e12),
    ),
    prepare=_prepare,
    kept=_now_later_and_each_pilot,
    worked=_own_and_each_pilot,
    ask=later("simengine.questions.information.answer", "value_information"),
    content=later("simengine.questions.information.content", "information"),
    tables=later("simengine.questions.information.tables", "information_tables"),
    picture=later("simengine.questions.information.picture", "draw_information"),
    keeps="information.json, information.png, study.yaml, run-again.txt",
)
