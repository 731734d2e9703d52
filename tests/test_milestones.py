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

    with pytest.raises(StudyError, match=r"an outcome of kind `claim` must tally the milestones of the contract.*Claims: claim"):
        load_study(EVERYTHING, [other, PAID])


RULE = "a milestone must have the price that the contract pays; found"
CAP = "a claim must have the cap per person of the contract; found"
PRICES = {
    "a price": (
        "outcomes.claim.prices.healthy=1200",
        f"outcomes.claim.prices.healthy: {RULE} 1,200 here, 1,000 in the contract",
    ),
    "a price of the contract": (
        "contract.terms.people.milestones.out_ever=300",
        f"outcomes.claim.prices.out_ever: {RULE} 200 here, 300 in the contract",
    ),
    "the cap per person": (
        "contract.terms.people.cap_per_person=900",
        f"outcomes.claim.cap_per_person: {CAP} 1,100 here, 900 in the contract",
    ),
}


@pytest.mark.parametrize("name", PRICES)
def test_rate_card__has_one_list_of_prices(name: str) -> None:
    change, expected = PRICES[name]

    with pytest.raises(StudyError) as refusal:
        load_study(EVERYTHING, [CONTRACT, PAID, change])

    assert [str(problem).partition(": ")[2] for problem in refusal.value.problems] == [expected]
    load_study(EVERYTHING, [CONTRACT, PAID])


def test_rate_card__may_pay_waves_different_prices() -> None:
    cards = "terms: {one: {milestones: {out_ever: 200}}, two: {milestones: {out_ever: 300, healthy: 1000}}}}"
    contract = CONTRACT.partition("terms: ")[0] + cards

    load_study(EVERYTHING, [contract, "capital={drawn_share: 0, drawdown_months: 1, payment_month: {one: 48, two: 48}}"])
