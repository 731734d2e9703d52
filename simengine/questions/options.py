"""Options that several questions share: one sentence, one range, one name."""

from __future__ import annotations

from simengine.questions.question import Option

LEVEL = Option("level", "Of the CVaR: 0.95 is the worst 5 %.", kind=float, default=0.95)
"""Its limits are refused where a tail is taken, with the reason."""
PARTIES = Option("parties", "A party to speak of; all if absent.", flag="--party", is_many=True, metavar="NAME", default=())
MEASURE = Option("measure", "What is asked of each party's money.", flag="--of", words=("net", "npv"), default="net")


def luck(default: int) -> Option:
    """Give the option of worlds at every point of the assumptions."""
    return Option(
        "n_luck", "Worlds at every point of the assumptions.", flag="--luck", kind=int, default=default, low=2, high=100_000
    )
