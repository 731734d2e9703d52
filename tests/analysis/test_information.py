"""What it is worth to know more: against closed forms, and the distributions between the values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from simengine.config import find_study, load_study
from simengine.config.sizing import Free
from simengine.errors import UsageError
from simengine.questions.information.answer import Decision, value_information
from simengine.questions.information.pilot import pilot_shows
from simengine.questions.information.value_of_knowing import value_of_knowing, value_with_hindsight
from simengine.replications.ensemble import Ensemble
from simengine.replications.stored import Belief
from tests.analysis.made import SCORES, study_of

MEAN, SD, PERSON_SD, N = -100.0, 500.0, 2000.0, 6000


def worth(sd: float) -> float:
    """The unit normal loss integral: E max(0, X) of X ~ N(MEAN, sd^2) where not signing is best (Raiffa and Schlaifer 1961)."""
    return sd * (stats.norm.pdf(abs(MEAN) / sd) - abs(MEAN) / sd * stats.norm.sf(abs(MEAN) / sd))


def pilot_sd(n: int) -> float:
    """Standard deviation of the mean after a pilot with n / 2 people in each arm."""
    return SD**2 / np.sqrt(SD**2 + 4 * PERSON_SD**2 / n)


def test_closed_forms__are_those_of_the_literature() -> None:
    """Given with six decimals where they were worked out by another program."""
    assert worth(SD) == pytest.approx(153.447318, abs=5e-7)
    assert worth(pilot_sd(50)) == pytest.approx(88.081519, abs=5e-7)
    assert worth(pilot_sd(200)) == pytest.approx(128.180779, abs=5e-7)


@pytest.mark.statistical
def test_values__have_the_closed_form_and_their_standard_errors() -> None:
    """z-scores over 40 samples: mean within 4.5 / sqrt(40), spread between .6 and 1.5. The gain is seen with luck or not."""
    random, z = np.random.default_rng(11), []
    for _ in range(40):
        gain = random.normal(MEAN, SD, N)
        net = np.stack([np.zeros(N), gain], axis=1)
        lucky = np.stack([np.zeros(N), gain + random.normal(0, PERSON_SD, N)], axis=1)
        seen = {n: gain + random.normal(0, np.sqrt(4 * PERSON_SD**2 / n), N) for n in (50, 200)}
        row = [(value_with_hindsight(net), worth(SD)), (value_of_knowing(net, gain[:, None]), worth(SD))]
        row += [(value_of_knowing(net, seen[n][:, None]), worth(pilot_sd(n))) for n in (50, 200)]
        row += [(value_of_knowing(lucky, gain[:, None]), worth(SD))]
        z.append([(got.value - expected) / got.se for got, expected in row])
    scores = np.array(z)
    assert (np.abs(scores.mean(axis=0)) < 4.5 / np.sqrt(40)).all()
    assert ((scores.std(axis=0) > 0.6) & (scores.std(axis=0) < 1.5)).all()


def test_knowing_what_does_not_matter__is_worth_nothing() -> None:
    random = np.random.default_rng(5)
    net = np.stack([np.zeros(N), random.normal(MEAN, SD, N)], axis=1)
    found = value_of_knowing(net, random.normal(size=(N, 3)))
    assert 0 <= found.value < 4.5 * found.se + 1e-9
    assert value_of_knowing(net, np.ones((N, 1))).value == 0


def test_two_causes__are_worth_more_together_than_each() -> None:
    """A product of two causes has no effect of either alone: only the pair is worth anything. E max(0, uv) = 1 / pi for normals."""
    random = np.random.default_rng(6)
    u, v = random.normal(size=(2, 20_000))
    net = np.stack([np.zeros(20_000), u * v], axis=1)
    together = value_of_knowing(net, np.stack([u, v], axis=1))
    assert abs(together.value - 1 / np.pi) < 4.5 * together.se
    assert value_of_knowing(net, u[:, None]).value < 4.5 * value_of_knowing(net, u[:, None]).se


def test_acceptance__shuts_what_the_other_would_lose_by() -> None:
    """By hand: my gain is the other's loss, so he accepts nothing where I gain: information is worth nothing to me."""
    random = np.random.default_rng(8)
    gain = random.normal(MEAN, SD, N)
    net, other = np.stack([np.zeros(N), gain], axis=1), np.stack([np.zeros(N), -gain], axis=1)
    found = value_of_knowing(net, gain[:, None], other[:, None])
    assert found.value == pytest.approx(0, abs=4.5 * found.se + 1e-9)
    willing = value_of_knowing(net, gain[:, None], np.stack([np.zeros(N), np.ones(N)], axis=1)[:, None])
    assert willing.value == pytest.approx(value_of_knowing(net, gain[:, None]).value, rel=1e-9)


def test_distributions__hold_between_the_values_of_a_study() -> None:
    """0 <= pilot <= every number <= hindsight, more people are worth more, each to 4.5 standard errors of its noise."""
    study = load_study(find_study("norrkoping"), ["contract.terms.guarantee.share=0.8"])
    found = value_information(study, Decision("outcome_payer"), Ensemble(1, 1000), [20, 2000])
    few, many = found.pilots
    noise = 4.5 * np.hypot(many.evsi.se, found.evpi.se)
    assert 0 <= few.evsi.value <= many.evsi.value + 4.5 * np.hypot(few.evsi.se, many.evsi.se)
    assert many.evsi.value <= found.evpi.value + noise
    assert found.evpi.value <= found.hindsight.value + 4.5 * found.evpi.se
    for one in (*found.evppi_of_sections.values(), *found.evppi.values()):
        assert 0 <= one.value <= found.evpi.value + noise
    # Nobody pays for the pilot or waits: it is worth what it is worth.
    assert few.evsi_after_waiting.value == pytest.approx(few.evsi.value, abs=1e-6)
    assert list(found.evppi.values()) == sorted(found.evppi.values(), key=lambda one: -one.value)


def test_waiting__costs_a_year_of_discount_and_the_people() -> None:
    """By hand: V0 = E NPV is signed today; a year at 3 % and 10 for each of 8 people leave (V0 + v) / 1.03 - V0 - 80."""
    study = load_study(find_study("tiny"))
    found = value_information(study, Decision("outcome_payer"), Ensemble(1, 600), [8], delay_months=12, cost_per_person=10)
    pilot = found.pilots[0]
    today = max(found.signed_now.value, 0.0)
    assert pilot.evsi_after_waiting.value == pytest.approx((today + pilot.evsi.value) / 1.03 - today - 80, rel=1e-9)


def test_terms_after_a_pilot__are_worth_at_least_what_the_choice_to_sign_is() -> None:
    """The present terms are among those that are open, and nobody must accept: more choice is never worth less in sum."""
    study = load_study(find_study("tiny"))
    free = {"contract.terms.guarantee.share": Free(low=0.2, high=0.4, step=0.2)}
    found = value_information(study, Decision("outcome_payer", (), free, 2), Ensemble(1, 600), [8])
    assert found.pilots[0].evsi_with_terms is not None
    assert found.terms_today is not None
    assert found.terms_today.value >= 0


def test_pilot__shows_the_effect_of_other_people(tmp_path) -> None:
    """Scores of sd 10 with a true gain of 3: a pilot of 40 shows 3 on average, with sd 10 sqrt(1/20 + 1/20) = 3.162."""
    study = study_of(SCORES, tmp_path)
    shown = pilot_shows(study, Belief(), 40, Ensemble(1, 1500))[:, 0]
    assert abs(shown.mean() - 3) < 4.5 * 3.162 / np.sqrt(1500)
    assert abs(shown.std() - 3.162) < 4.5 * 3.162 / np.sqrt(3000)
    nothing = pilot_shows(study, Belief(multiple=0.0), 40, Ensemble(1, 1500))[:, 0]
    assert abs(nothing.mean()) < 4.5 * 3.162 / np.sqrt(1500)


def test_refusals__name_the_option() -> None:
    study = load_study(find_study("tiny"))
    with pytest.raises(UsageError, match="-n: what is worth knowing must be seen in at least 500 replications; found 20"):
        value_information(study, Decision("investor"), Ensemble(1, 20))
    with pytest.raises(UsageError, match="--pilot: must be a whole number from 4 to 1,000,000; found 3"):
        pilot_shows(study, Belief(), 3, Ensemble(1, 20))


ALL_CERTAIN = (
    "pathway.moves.home -> placed.per_month=0.04",
    "effect.sooner_home.hazard_ratio=1.3",
    "measurement.metrics.saving.drift_per_year=0",
)


def test_study_without_any_distribution__is_refused_before_anybody_lives(monkeypatch) -> None:
    # Source: the rule; what is certain cannot be learnt, and no replication is needed to know that.
    def no_draws(*_: object) -> None:
        raise AssertionError("somebody lived")

    monkeypatch.setattr("simengine.questions.information.answer.store_evidence", no_draws)
    with pytest.raises(UsageError, match="at least one number must have a distribution; found none"):
        value_information(load_study(find_study("tiny"), ALL_CERTAIN), Decision("investor"), Ensemble(1, 500))


def test_number_whose_distribution_comes_to_one_value__leaves_nothing_to_know() -> None:
    # Source: hand arithmetic. Of a million million and one draws one is 0.01: in 500 replications the drift is 0 throughout.
    rare = "measurement.metrics.saving.drift_per_year={distribution: empirical, values: [0, 0.01], weights: [1e12, 1]}"
    found = value_information(load_study(find_study("tiny"), [*ALL_CERTAIN[:2], rare]), Decision("investor"), Ensemble(1, 500))
    assert (found.evpi.value, dict(found.evppi)) == (0.0, {})
