"""Options that several questions share: one sentence, one range, one name."""

from __future__ import annotations

from simengine.questions.question import Option

LEVEL_OPTION = Option(
    "level",
    "Level of the CVaR, between 0 and 1: 0.95 is the worst 5 %. Its tail must hold at least 100 replications.",
    kind=float,
    default=0.95,
)
"""Its limits are refused where a tail is taken, with the reason."""
PARTIES_OPTION = Option(
    "parties", "A party to report on. If absent: all.", flag="--party", is_many=True, metavar="NAME", default=()
)
MEASURES_OPTION = Option(
    "measures",
    'A measure to show beside the others, of one party or of all, such as "p_irr_below(0.03)" or "investor.cvar(0.9)".',
    flag="--measure",
    is_many=True,
    metavar="MEASURE",
    default=(),
)
"""The same in every question that says where parties stand."""
OF_OPTION = Option(
    "measure",
    "The quantity analysed for each party: an amount, such as net, npv or moic, or a measure that is a mean, such as p_loss.",
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
