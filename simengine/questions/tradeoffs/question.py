"""What each term is worth to each party; with --across and --up, the money of each party over two numbers at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simengine.questions.options import LEVEL_OPTION, MEASURES_OPTION, PARTIES_OPTION
from simengine.questions.question import Option, Question, Values, later

if TYPE_CHECKING:
    from simengine.config import Study

_RANGE = "PATH=LOW..HIGH[..STEP]"


def _lived_again(study: Study, values: Values, n_replications: int) -> int:
    """Count the replications of a map: people are simulated again for every value that affects them."""
    from simengine.questions.tradeoffs.sides import sides_of

    across, up = sides_of(study, values["across"], values["up"], values["n_points"])
    lives = [len(side.values) for side in (across, up) if not side.is_settled_again]
    return n_replications * (lives[0] if lives else 1) * (lives[1] if len(lives) > 1 else 1)


_MAP = Question[Any](
    name="tradeoffs_map",
    summary="Map the money of each party of STUDY over two numbers, with the line on which it breaks even.",
    options=(
        Option("across", "A number of the study to put across a map; needs --up.", metavar=_RANGE, is_required=True),
        Option("up", "The number to put up the side of the map.", metavar=_RANGE, is_required=True),
        Option("n_points", "Values on each side of the map.", flag="--points", kind=int, default=9, low=2, high=25),
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
        Option("names", "A term to speak of, by its path; all if absent.", flag="--term", is_many=True, metavar="PATH", default=()),
        PARTIES_OPTION,
        Option("step", "How far a term is moved, as a part of it.", kind=float, default=0.1, low=0.001, high=0.5),
        LEVEL_OPTION,
        MEASURES_OPTION,
    ),
    ask=later("simengine.questions.tradeoffs.answer", "worth_of_terms"),
    tables=later("simengine.questions.tradeoffs.tables", "worth_tables"),
    picture=later("simengine.questions.tradeoffs.picture", "draw_worth"),
    keeps="tradeoffs.json, tradeoffs.png, study and provenance",
    instead={"across": _MAP},
)
