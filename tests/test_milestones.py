"""A contract that pays for milestones, settled in a study on the combinations that its people reached."""

from __future__ import annotations

import numpy as np
import pytest

from simengine.config import load_study
from simengine.errors import StudyError
from simengine.pipeline import evaluate, simulate
from simengine.records import SERVICE
from tests.conftest import CHECKOUT

EVERYTHING = CHECKOUT / "tests" / "cases" / "everything.yaml"
# In another order than the claim tallies them: healthy, out_ever.
CONTRACT = (
    "contract={title: A rate card, currency: SEK, commitment: 0, metrics: {cost: {meaning: cost, unit: SEK}}, "
    "milestones: {out_ever: long out, healthy: few sick days}, "
    "terms: {people: {milestones: {out_ever: 200, healthy: 1000}, cap_per_person: 1100}}}"
)
PAID = "capital={drawn_share: 0, drawdown_months: 1, payment_month: {people: 48}}"
TWO_WAVES = "population.waves={all: {size: 40, enrolment_months: 1}, more: {size: 30, from_month: 3, enrolment_months: 1}}"


@pytest.mark.parametrize("changes", [[], [TWO_WAVES]], ids=["one wave", "two waves"])
def test_milestones__are_paid_for_everybody_by_combination(changes: list[str]) -> None:
    study = load_study(EVERYTHING, [CONTRACT, PAID, "population.waves.all.size=40", *changes])
    evidence = simulate(study, 3, np.arange(20))

    paid = evaluate(study, evidence)["term.people.amount"]

    # By hand: 1000 for few sick days, 200 for a long time out, both are 1200, capped at 1100 for each person.
    reached = evidence.tallies.combinations["claim"][:, :, SERVICE, -1].sum(axis=1)
    assert evidence.tallies.milestones == {"claim": ("healthy", "out_ever")}
    np.testing.assert_allclose(paid, reached @ [0, 1000, 200, 1100])
    assert len(set(paid)) > 10
    assert (reached[:, 1] != reached[:, 2]).any()


def test_milestones__that_nobody_tallies_are_refused() -> None:
    other = CONTRACT.replace("out_ever", "in_work")

    with pytest.raises(StudyError, match=r"an outcome of kind `claim` tallies the milestones of the contract.*Claims: claim"):
        load_study(EVERYTHING, [other, PAID])
