"""Options that several questions share: one sentence, one range, one name."""

from __future__ import annotations

from simengine.questions.question import Option

LEVEL_OPTION = Option("level", "Of the CVaR: 0.95 is the worst 5 %.", kind=float, default=0.95)
"""Its limits are refused where a tail is taken, with the reason."""
PARTIES_OPTION = Option("parties", "A party to speak of; all if absent.", flag="--party", is_many=True, metavar="NAME", default=())
MEASURES_OPTION = Option(
    "measures",
    'A measure to show beside the others, of one party or of all: "p_irr_below(0.03)", "investor.cvar(0.9)".',
    flag="--measure",
    is_many=True,
    metavar="MEASURE",
    default=(),
)
"""The same in every question that says where parties stand."""
OF_OPTION = Option(
    "measure",
    "What is asked of each party's money: net, npv, or another amount or measure, such as moic or p_loss.",
    flag="--of",
    metavar="AMOUNT",
    default="net",
)


def panel(default: int) -> Option:
    """Return the option of replications at every point of the assumptions."""
    return Option(
        "n_panel",
        "Replications at every point of the assumptions: the panel.",
        flag="--panel",
        kind=int,
        default=default,
        low=2,
        high=100_000,
        formerly=("n_luck", "--luck"),
    )
