"""What each term is worth to each party; with --across and --up, the money of each party over two numbers at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simengine.questions.options import LEVEL_OPTION, MEASURES_OPTION, PARTIES_OPTION
from simengine.questions.question import Option, Question, Values, Work, later

if TYPE_CHECKING:
    from simengine.config import Study

_RANGE = "PATH=LOW..HIGH[..STEP]"


def _lived_again(study: Study, values: Values, n_replications: int) -> Work:
    """Count the replications of a map: people are simulated again for every value that affects them."""
    from simengine.questions.tradeoffs.sides import sides_of

    across, up = sides_of(study, values["across"], values["up"], values["n_points"])
    lives = [len(side.values) for side in (across, up) if not side.is_settled_again]
    return Work(n_replications * (lives[0] if lives else 1) * (lives[1] if len(lives) > 1 else 1))


_MAP = Question[Any](
    name="tradeoffs_map",
    summary="Map the money of each party of STUDY over two numbers, with the line on which it breaks even.",
    options=(
        Option(
            "across",
            "With --up: any number of the study that affects people or money, and its values across the map. If absent: no map.",
            metavar=_RANGE,
            is_required=True,
        ),
        Option("up", "With --across: the other number, up the side of the map.", metavar=_RANGE, is_required=True),
        Option(
            "n_points",
            "With --across: values on a side that has no step; with a step there are 25 at most.",
            flag="--points",
            kind=int,
            default=9,
            low=2,
            high=25,
        ),
        PARTIES_OPTION,
    ),
    ask=later("simengine.questions.tradeoffs.grid", "map_money"),
    tables=later("simengine.questions.tradeoffs.tables", "map_tables"),
    picture=later("simengine.questions.tradeoffs.picture", "draw_map"),
    answer_name="tradeoffs",
    picture_name="tradeoffs",
    worked=_lived_again,
)

TRADEOFFS = Question[Any](
    name="tradeoffs",
    summary="Show what each term of STUDY is worth to each party; with --across and --up, map the money over two numbers.",
    options=(
        Option(
            "names",
            "A term to report on: a number of the contract or the capital, neither a distribution nor 0. If absent: all.",
            flag="--term",
            is_many=True,
            metavar="PATH",
            default=(),
        ),
        PARTIES_OPTION,
        Option(
            "step",
            "Relative change of a term down and up; months change in whole steps.",
            kind=float,
            default=0.1,
            low=0.001,
            high=0.5,
        ),
        LEVEL_OPTION,
        MEASURES_OPTION,
    ),
    ask=later("simengine.questions.tradeoffs.answer", "worth_of_terms"),
    tables=later("simengine.questions.tradeoffs.tables", "worth_tables"),
    picture=later("simengine.questions.tradeoffs.picture", "draw_worth"),
    keeps="tradeoffs.json, tradeoffs.png, study.yaml, run-again.txt",
    instead={"across": _MAP},
)
