"""The terms that every party can sign; or one number of them; or how little must be believed for a deal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simengine.errors import UsageError
from simengine.questions.question import Asked, Files, Option, Question, Source, Values, Work, later

if TYPE_CHECKING:
    from simengine.config import Study
    from simengine.config.request import Requested

_FREE = Option(
    "free",
    "A term to size: a number of the contract or the capital, or the window of a metric. If absent: those of `sizing.free`.",
    is_many=True,
    metavar="PATH=LOW..HIGH[..STEP]",
    default=(),
)
_BELIEFS = Option(
    "beliefs",
    "A party's belief about a number under `effect`. If absent: those of the study.",
    flag="--belief",
    is_many=True,
    metavar="PARTY:PATH=DISTRIBUTION",
    default=(),
)
_RESPONDING = Option(
    "responding",
    "Settle every term sheet at the response that it induces, according to `behaviour`. If absent: as `sizing.responding`.",
    kind=bool,
    default=False,
)
_WISHES = (
    _FREE,
    Option(
        "objectives",
        "A party's objective, such as investor.expected_npv. If absent: that of the study, else expected_npv of the payer and the investor.",
        flag="--objective",
        is_many=True,
        metavar="PARTY.MEASURE",
        default=(),
    ),
    Option(
        "limits",
        'A condition of a party, such as "investor.p_loss <= 0.10", beside those of the study, which remain in force.',
        flag="--limit",
        is_many=True,
        metavar="LIMIT",
        default=(),
    ),
    _BELIEFS,
    Option(
        "rule",
        "The rule that chooses one term sheet. If absent: `sizing.recommend`, else equal_sacrifice.",
        words=("equal_sacrifice", "nash", "total"),
    ),
    _RESPONDING,
)


_IN_THE_SIZING = tuple(option.name for option in _WISHES)


def _requested(values: Values) -> Requested:
    from simengine.config.request import Requested

    return Requested(**{option.name: values[option.name] for option in _WISHES if option.name in values})


def _prepare(study: Study, values: Values, source: Source) -> Asked:  # noqa: ARG001
    from simengine.config.request import with_request

    return Asked(with_request(study, _requested(values)), {"n_points": values["n_points"]}, said=_IN_THE_SIZING)


def _prepare_belief(study: Study, values: Values, source: Source) -> Asked:  # noqa: ARG001
    from simengine.config.request import with_request

    return Asked(with_request(study, _requested(values)), {"parties": values["parties"]}, said=_IN_THE_SIZING)


def _prepare_number(end: str) -> Callable[[Study, Values, Source], Asked]:
    def prepare(study: Study, values: Values, source: Source) -> Asked:  # noqa: ARG001
        from simengine.config.request import one_free_term

        if values["such_that"] is None:
            raise UsageError(f"--{end} and --such-that must stand together; found one without the other")
        path = values[end]
        asked, limit, free = one_free_term(study, _requested(values), path, values["such_that"])
        return Asked(asked, {"path": path, "limit": limit, "free": free, "end": end})

    return prepare


def _own_and_each_sides(study: Study, values: Values, n_replications: int) -> int:  # noqa: ARG001
    """Count the replications of the study and of what each party believes."""
    from simengine.questions.size.answer import sizing_of

    return n_replications * (1 + len(sizing_of(study).parties))


def _worked(study: Study, values: Values, n_replications: int) -> Work:  # noqa: ARG001
    """Count the replications of each belief, and as many fresh ones if there is a deal to check."""
    from simengine.questions.size.answer import n_beliefs

    return Work(2 * n_beliefs(study) * n_replications, is_most=True)


def _worked_for_a_belief(study: Study, values: Values, n_replications: int) -> Work:
    """Count the replications of each belief at every multiple that is tried, and fresh ones at two of them."""
    from simengine.questions.size.answer import n_beliefs
    from simengine.questions.size.belief import MOST_MULTIPLES, believing

    return Work(MOST_MULTIPLES * n_beliefs(believing(study, values["parties"], 0.5)) * n_replications, is_most=True)


def _files(asked: Asked, source: Source, found: Any) -> Files:
    """Write the contract as sized, alone and within its study."""
    from simengine.questions.size.content import sized, terms
    from simengine.report import document

    if found.deal is None:
        return {}
    study = sized(asked.subject, terms(found.table, found.deal.recommended))
    return {"contract.yaml": document.as_text(study.contract), "sized-study.yaml": document.kept_text(study, source.variant)}


def _number(end: str) -> Question[Any]:
    return Question(
        name=f"{end}_term",
        summary=f"Find the {end} value of one term of STUDY with which a limit is kept.",
        options=(
            Option(
                end,
                f"Find the {end} value of this one term. Its range is that of --free or `sizing.free`, else 0 to 1, or to twice its value.",
                metavar="PATH",
                is_required=True,
            ),
            Option("such_that", "The limit that the number of --smallest or --largest must meet; needed with it.", metavar="LIMIT"),
            _FREE,
            _BELIEFS,
            _RESPONDING,
        ),
        prepare=_prepare_number(end),
        worked=lambda study, values, n_replications: Work(2 * n_replications),  # noqa: ARG005
        ask=later("simengine.questions.size.one_number", "find_number"),
        content=later("simengine.questions.size.content", "one_number"),
        tables=later("simengine.questions.size.tables", "one_number_tables"),
        picture=later("simengine.questions.size.one_number_picture", "draw_walk"),
        answer_name="sizing",
        picture_name="walk",
    )


_BELIEF = Question[Any](
    name="weakest_belief",
    summary="Find the smallest multiple of the effect in which some parties to STUDY must believe for a deal.",
    options=(
        Option(
            "parties",
            "Find the smallest multiple of the effect, from 0 to 2, that they must expect for a deal to exist.",
            flag="--weakest-belief",
            metavar="PARTY,...",
            is_required=True,
            read=lambda text: [name.strip() for name in text.split(",")],
            write=",".join,
        ),
        *_WISHES,
    ),
    prepare=_prepare_belief,
    in_subject=_IN_THE_SIZING,
    kept=lambda study, values, n_replications: 2 * n_replications,  # noqa: ARG005
    worked=_worked_for_a_belief,
    ask=later("simengine.questions.size.belief", "weakest_belief"),
    content=later("simengine.questions.size.content", "belief"),
    tables=later("simengine.questions.size.tables", "belief_tables"),
    picture=later("simengine.questions.size.one_number_picture", "draw_belief"),
    answer_name="sizing",
    picture_name="belief",
)

SIZE = Question[Any](
    name="size",
    summary="Size the risk sharing of STUDY before it is signed: the terms that every party can sign, or why there are none.",
    options=(
        *_WISHES,
        Option(
            "n_points",
            "Term sheets to try before the search continues from the best.",
            flag="--points",
            kind=int,
            default=225,
            low=4,
            high=100_000,
        ),
    ),
    prepare=_prepare,
    in_subject=_IN_THE_SIZING,
    kept=_own_and_each_sides,
    worked=_worked,
    ask=later("simengine.questions.size.answer", "size_terms"),
    content=later("simengine.questions.size.content", "sizing"),
    tables=later("simengine.questions.size.tables", "sizing_tables"),
    picture=later("simengine.questions.size.picture", "draw_frontier"),
    files=_files,
    keeps="contract.yaml and sized-study.yaml with the recommended terms, frontier.png (for one number walk.png, for a belief "
    "belief.png), sizing.json, study.yaml, run-again.txt",
    answer_name="sizing",
    picture_name="frontier",
    instead={"smallest": _number("smallest"), "largest": _number("largest"), "parties": _BELIEF},
)
