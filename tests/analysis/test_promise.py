"""The promised effect: what a study may promise, and what it may not."""

import pytest

from simengine.config import as_promised, load_study, promise_of
from simengine.distributions import Constant
from simengine.errors import StudyError


def test_promise__replaces_every_number_of_the_effect_and_no_other(tiny_path):
    study = load_study(tiny_path, ["promise={effect.sooner_home.hazard_ratio: {value: 1.6, source: offer, certainty: Q}}"])

    promised = as_promised(study)

    assert promise_of(study)["effect.sooner_home.hazard_ratio"] == 1.6
    assert promise_of(study)["effect.school_support.odds_ratio"] == 1.5
    assert isinstance(promised.effect["sooner_home"].hazard_ratio, Constant)
    assert promised.effect["sooner_home"].hazard_ratio.value == 1.6
    assert promised.effect["sooner_home"].move == study.effect["sooner_home"].move
    assert promised.pathway == study.pathway


def test_promise__stands_in_the_assumption_ledger(tiny_path):
    study = load_study(tiny_path, ["promise={effect.sooner_home.hazard_ratio: 1.6}"])

    assert study.numbers["promise.effect.sooner_home.hazard_ratio"].value == 1.6


@pytest.mark.parametrize(
    ("promise", "message"),
    [
        (
            "effect.sooner_hom.hazard_ratio: 1.6",
            "a promise must be made of a number of the section `effect`, by its path; found no `effect.sooner_hom.hazard_ratio`. "
            "Did you mean `effect.sooner_home.hazard_ratio`?",
        ),
        ("population.history_months: 3", "Numbers there: effect.sooner_home.hazard_ratio, effect.sooner_home.ramp_months, effect"),
        ("effect.sooner_home.hazard_ratio: -1", "a size, price, ratio or duration must not be negative; found -1"),
        ("effect.sooner_home.hazard_ratio: {distribution: normal, mean: 1, sd: 1}", "promise.effect.sooner_home.hazard_ratio"),
    ],
)
def test_promise__of_what_cannot_be_is_refused(promise, message, tiny_path):
    with pytest.raises(StudyError) as refusal:
        load_study(tiny_path, [f"promise={{{promise}}}"])

    assert message in str(refusal.value)
