"""The payment-error certificate against closed forms: normal scores judged by lot, and people chosen for their past."""

import numpy as np
import pytest
from scipy import stats

from simengine.config import cohort_of, load_study
from simengine.errors import UsageError
from simengine.pipeline import draw_numbers
from simengine.questions.certificate import content as findings
from simengine.questions.certificate.answer import certify
from simengine.questions.methods.answer import ON_TRUTH, compare_methods
from simengine.replications.blocks import run_study
from simengine.replications.ensemble import Ensemble, against_twins, lived, measured
from tests.analysis.made import CHOSEN, DIFFERENCE, PRICE, SCORES, SD, N, study_of

ERROR = SD * np.sqrt(2 / N)
"""Of the difference of two means of N people with standard deviation SD."""


def z(statistic, exact):
    return (statistic.value - exact) / statistic.se


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """The prize of 1,000 is paid for a gain of at least 1.5; the promise is 3."""
    return certify(study_of(SCORES, tmp_path_factory.mktemp("scores")), Ensemble(7, 2000))


@pytest.mark.statistical
def test_chances__are_those_of_a_normal_estimate(scores):
    # Source: closed form. The estimate is normal about the truth with ERROR: P(pay | no effect) = Phi(-1.5 / ERROR), and at the
    # promise of 3 the prize is withheld as often.
    chance = stats.norm.sf(1.5 / ERROR)

    assert abs(z(scores.p_pay_no_effect, chance)) < 4.5
    assert abs(z(scores.p_no_pay_promised_effect, chance)) < 4.5
    assert abs(z(scores.expected_paid_for_nothing, PRICE * chance)) < 4.5
    assert abs(z(scores.expected_withheld, PRICE * chance)) < 4.5
    assert (scores.expected_payment_on_truth.value, scores.expected_payment_on_truth.se) == (PRICE, 0)


@pytest.mark.statistical
def test_power__is_one_half_where_the_effect_is_the_threshold(scores):
    # Source: closed form; 0.5 x 3 = 1.5. And Phi((3 k - 1.5) / ERROR) everywhere else.
    for point in scores.power_curve:
        exact = stats.norm.sf((1.5 - point.multiple * DIFFERENCE) / ERROR)
        assert abs(z(point.p_pay, exact)) < 4.5, point.multiple
        assert abs(z(point.expected_payment, PRICE * exact)) < 4.5, point.multiple


@pytest.mark.parametrize("noise", [1, 4, 25])
@pytest.mark.statistical
def test_power__at_the_threshold_is_one_half_whatever_the_noise(noise, tmp_path):
    found = certify(study_of(SCORES, tmp_path, f"outcomes.test.sd={noise}"), Ensemble(3, 500))

    assert found.power_curve[2].truth["gain"].value == pytest.approx(1.5)
    assert abs(z(found.power_curve[2].p_pay, 0.5)) < 4.5


def test_power__meets_the_same_people_at_every_multiple(scores):
    # Source: distribution. With the same luck the estimate rises by exactly what the truth does, and a chance never falls.
    estimates = [point.estimate["gain"].value for point in scores.power_curve]
    truths = [point.truth["gain"].value for point in scores.power_curve]

    np.testing.assert_allclose(truths, [point.multiple * DIFFERENCE for point in scores.power_curve])
    np.testing.assert_allclose(np.diff(estimates), np.diff(truths))
    chances = [point.p_pay.value for point in scores.power_curve]
    assert chances == sorted(chances)


def test_certificate__agrees_with_its_own_power_curve(scores):
    assert scores.p_pay_no_effect == scores.power_curve[0].p_pay
    assert scores.p_no_pay_promised_effect.value == pytest.approx(1 - scores.power_curve[4].p_pay.value)
    assert scores.expected_paid_for_nothing == scores.power_curve[0].expected_payment


def test_terms__have_chances_of_their_own(scores):
    # Invariant: the prize is all that is contingent, so its chances are those of the whole.
    (name,) = scores.terms

    assert name == "prize"
    assert scores.terms[name].p_pay_no_effect == scores.p_pay_no_effect
    assert scores.terms[name].expected_no_effect == scores.expected_paid_for_nothing
    assert scores.terms[name].p_pay_promised_effect == scores.power_curve[4].p_pay
    assert scores.terms[name].expected_promised_effect == scores.power_curve[4].expected_payment


def test_cliff__is_the_gate_with_the_money_on_either_side(scores):
    (cliff,) = scores.cliffs

    assert (cliff.metric, cliff.edge, cliff.below, cliff.above) == ("gain", 1.5, 0, PRICE)
    # Source: by hand. The truth of 3 lies 1.5 above the edge: 1.5 / 2.236 = 0.671 standard errors.
    assert cliff.distance.value == pytest.approx(1.5 / ERROR, rel=0.02)


@pytest.mark.statistical
def test_cliff__at_the_promise_has_no_distance_and_the_chance_of_student(tmp_path):
    # Source: closed form. (estimate - edge) / own error is Student's t with 78 degrees of freedom: P(|t| <= 1) = 0.68.
    found = certify(study_of(SCORES, tmp_path, "promise={effect.better.difference: 1.5}"), Ensemble(5, 1000))
    (cliff,) = found.cliffs

    assert found.promise == {"effect.better.difference": 1.5}
    assert abs(cliff.distance.value) < 1e-9
    assert abs(z(cliff.p_within_one_se, 1 - 2 * stats.t.sf(1, 2 * N - 2))) < 4.5


BY_WAVE = (
    "population.waves={first: {size: 40, enrolment_months: 1}, second: {size: 160, enrolment_months: 1}}",
    "contract={title: x, currency: EUR, commitment: 1000, waves: {first: x, second: x}, "
    "metrics: {gain: {meaning: gain in the test, unit: points}}, terms: {"
    "one: {per_wave: {share: 1, of: drawn, only_if: {gain: {at_least: 1.5}}}, waves: [first]}, "
    "two: {per_wave: {share: 1, of: drawn, only_if: {gain: {at_least: 1.5}}}, waves: [second]}, "
    "both: {share: 1, of: drawn, only_if: {gain: {at_least: 1}}}}}",
    "capital.payment_month={one: 20, two: 20, both: 20}",
)


@pytest.mark.statistical
def test_cliffs__of_a_contract_that_pays_by_wave_name_the_wave_and_its_own_error(tmp_path):
    """By hand: the promise of 3 lies 1.5 above the gate of a wave, whose error is SD sqrt(2 / people), and 2 above that of all.

    The first wave has 40 people and an error of 2.236, the second 160 and 1.118, both together 200 and 1.
    """
    found = certify(study_of(SCORES, tmp_path, *BY_WAVE), Ensemble(7, 500))
    by_wave = {cliff.wave: cliff for cliff in found.cliffs}

    assert [(cliff.metric, cliff.wave, cliff.edge) for cliff in found.cliffs] == [
        ("gain", "first", 1.5), ("gain", "second", 1.5), ("gain", None, 1.0)
    ]  # fmt: skip
    # The other wave, and both together, are as promised: their terms pay 2,000 on either side of the edge.
    assert {(cliff.below, cliff.above) for cliff in found.cliffs} == {(2 * PRICE, 3 * PRICE)}
    for wave, distance, n in (("first", 1.5 / 2.236, 40), ("second", 1.5 / 1.118, 160), (None, 2.0, 200)):
        assert by_wave[wave].distance.value == pytest.approx(distance, rel=0.02), wave
        error = SD * np.sqrt(2 / n)
        edge = 1.0 if wave is None else 1.5
        within = stats.norm.cdf(edge + error, DIFFERENCE, error) - stats.norm.cdf(edge - error, DIFFERENCE, error)
        # With its own error in place of the exact one the chance is another by a few thousandths.
        assert abs(by_wave[wave].p_within_one_se.value - within) < 4.5 * by_wave[wave].p_within_one_se.se + 0.01, wave


@pytest.mark.statistical
def test_floor__gives_away_what_its_closed_form_says(tmp_path):
    # Source: closed form. E max(0, X) of a normal X about 0 is 0.39894 of its standard deviation.
    share = "contract.terms.prize={share: 100, of: gain, floor: 0}"
    found = certify(study_of(SCORES, tmp_path, share), Ensemble(5, 2000))

    assert abs(z(found.expected_paid_for_nothing, 100 * ERROR / np.sqrt(2 * np.pi))) < 4.5
    assert abs(z(found.p_pay_no_effect, 0.5)) < 4.5
    assert found.cliffs == ()
    assert found.bias_no_effect["gain"].pays_from == pytest.approx(0, abs=1e-3)


def test_no_measurement_error__pays_on_the_truth_exactly(tmp_path):
    share = "contract.terms.prize={share: 100, of: gain, floor: 0}"
    found = certify(study_of(SCORES, tmp_path, "outcomes.test.sd=1e-9", share), Ensemble(5, 50))

    assert (found.expected_withheld.value, found.expected_withheld.se) == (0, 0)
    assert found.power_curve[4].expected_payment == found.expected_payment_on_truth
    assert found.expected_payment_on_truth.value == pytest.approx(100 * DIFFERENCE)
    assert found.expected_paid_for_nothing.value == 0
    assert found.p_no_pay_promised_effect.value == 0


def test_larger_cohort__removes_both_errors(tmp_path):
    found = certify(study_of(SCORES, tmp_path, "population.waves.all.size=2000"), Ensemble(5, 60))

    # Source: closed form; 1.5 is 4.7 standard errors of 10 sqrt(2 / 2000).
    assert found.p_pay_no_effect.value == found.p_no_pay_promised_effect.value == 0


@pytest.mark.parametrize(("variance", "fall"), [(1.0, 0.2909), (0.5, 0.3993)])
@pytest.mark.statistical
def test_selection__moves_the_estimate_as_its_closed_form_says_and_is_flagged(variance, fall, tmp_path):
    # Source: closed form. Spells of a year are negative binomial (mean 1.5, gamma of shape r = 1 / variance between people). Of
    # those with x of them the mean of the next year is (r + x) 1.5 / (r + 1.5): of those chosen for 4 or more it falls by 29 %
    # (r = 1) or 40 % (r = 2) without any service.
    study = study_of(CHOSEN, tmp_path, "population.waves.all.size=200", f"population.frailties.unseen.variance={variance}")
    counts, shape = np.arange(4, 300), 1 / variance
    weights = stats.nbinom.pmf(counts, shape, shape / (shape + 1.5))
    before = weights @ counts / weights.sum()
    exact = 1 - (shape + before) * 1.5 / (shape + 1.5) / before
    assert exact == pytest.approx(fall, abs=1e-4)

    found = certify(study, Ensemble(2, 50))
    bias = found.bias_no_effect["reduction"]

    assert abs(z(bias.estimate, exact)) < 4.5
    assert bias.pays_from == pytest.approx(0.05)
    # Source: by hand. 0.2 x 300,000 from 0.10 on, and 2,000,000 x (x - 0.05) = 240,000 at 0.17.
    assert bias.breaks_even_from == pytest.approx(0.17)
    (warning,) = findings.certificate_warnings(study, found)
    assert "exceeds 0.05, where the contract begins to pay, and 0.17, where the investor gets the money drawn back" in warning
    assert "People are selected by `spells`" in warning


def test_lot__is_not_flagged(scores, tmp_path):
    study = study_of(SCORES, tmp_path)

    assert abs(z(scores.bias_no_effect["gain"].estimate, 0)) < 4.5
    assert findings.certificate_warnings(study, scores) == []


def test_result__is_the_same_on_any_threads_and_in_any_blocks(tmp_path):
    study = study_of(CHOSEN, tmp_path)

    assert certify(study, Ensemble(9, 23, 1, 1000)) == certify(study, Ensemble(9, 23, 2, 5))


def test_designs_that_the_contract_does_not_go_by__change_nothing(tmp_path):
    some = study_of(CHOSEN, tmp_path)
    fewer = some.model_copy(update={"measurement": some.measurement.model_copy(update={"matched": None, "control": None})})

    assert certify(some, Ensemble(9, 10)) == certify(fewer, Ensemble(9, 10))


@pytest.mark.parametrize(
    "changes",
    [
        ["measurement.design=difference_in_differences"],
        ["measurement.design=randomised", "measurement.control.spill_over=0.4"],
        ["measurement.design=matched"],
        ["measurement.design=matched", "measurement.matched={per_person: 3}"],
    ],
    ids=["parallel", "spill-over", "matched by their past", "matched"],
)
def test_people_who_need_not_live_again__would_have_lived_the_same_life(changes, tmp_path, monkeypatch):
    # Source: the slow way, which lets everybody live anew for every multiple.
    study = study_of(CHOSEN, tmp_path, *changes)
    quick = certify(study, Ensemble(9, 10))
    monkeypatch.setattr(
        "simengine.questions.certificate.answer.lived_again", lambda cohort, draws, multiple, _: lived(cohort, draws, multiple)
    )

    assert certify(study, Ensemble(9, 10)) == quick


def test_promise__takes_medians_where_the_study_is_silent(tiny):
    # Source: by hand. The median of a lognormal distribution on 0.9 to 2.0 is the root of their product, 1.3416.
    found = certify(tiny, Ensemble(0, 4))

    assert found.promise == pytest.approx(
        {
            "effect.sooner_home.hazard_ratio": np.sqrt(0.9 * 2.0),
            "effect.sooner_home.ramp_months": 2.0,
            "effect.school_support.odds_ratio": 1.5,
        }
    )


def test_truth__is_what_an_evaluator_of_the_twins_would_conclude(tmp_path):
    waves = "population.waves={one: {size: 30, enrolment_months: 6}, two: {size: 20, from_month: 6, enrolment_months: 2}}"
    study = study_of(CHOSEN, tmp_path, waves)
    draws = draw_numbers(study, 4, np.arange(5))
    tallies = lived(cohort_of(study), draws)
    seen = measured(study, study.measurement, tallies, draws)

    honest = against_twins(study, draws, tallies, seen)

    np.testing.assert_array_equal(honest.estimate, seen.truth)
    np.testing.assert_allclose(honest.cumulative[:, -1], seen.truth)
    assert honest.by_wave.shape == (5, 2, 1)
    assert not np.allclose(honest.by_wave[:, 0], honest.by_wave[:, 1])


def test_contract__without_contingent_terms_is_refused(tmp_path):
    study = study_of(SCORES, tmp_path, "contract.terms.prize.contingent=false")

    with pytest.raises(
        UsageError, match=r"contract\.terms: at least one term must be contingent on outcomes; found none among advance, prize"
    ):
        certify(study, Ensemble(0, 10))


def test_less_noise__never_helps_below_the_threshold_and_never_hurts_above(tmp_path):
    # Source: distribution. With the same luck a score that is half as noisy passes from below in a part of the replications, from
    # above in more.
    noisy, quiet = (certify(study_of(SCORES, tmp_path, f"outcomes.test.sd={sd}"), Ensemble(3, 300)) for sd in (10, 5))

    for one, other in zip(noisy.power_curve, quiet.power_curve, strict=True):
        if one.multiple < 0.5:
            assert other.p_pay.value < one.p_pay.value
        if one.multiple > 0.5:
            assert other.p_pay.value > one.p_pay.value


def test_study__without_an_effect_or_money_has_a_certificate_all_the_same(tiny_path):
    found = certify(load_study(tiny_path, ["effect={}", "contract.commitment=0"]), Ensemble(1, 5))

    assert found.promise == {}
    assert len({point.expected_payment for point in found.power_curve}) == 1
    assert found.expected_paid_for_nothing.value == found.expected_withheld.value == 0
    assert found.cliffs == ()


# ---------------------------------------- contracts that look at more than pooled metrics ----------------------------------------

PLAIN = "terms: {share: {share: 0.6, of: saving, floor: 0}}}"
HEAD = "contract={title: x, currency: SEK, commitment: 2_000_000, "
METRIC = "metrics: {saving: {meaning: x, unit: SEK}}, "
SAYS_THE_SAME = {
    "a derived metric": HEAD
    + "metrics: {saving: {meaning: x, unit: SEK}, again: {meaning: x, unit: SEK, derived: {sum: [saving]}}}, "
    + "terms: {share: {share: 0.6, of: again, floor: 0}}}",
    "by wave": HEAD + "waves: {all: everybody}, " + METRIC + "terms: {share: {per_wave: {share: 0.6, of: saving}, floor: 0}}}",
}


@pytest.mark.parametrize("wording", SAYS_THE_SAME)
def test_certificate__is_the_same_for_a_contract_that_says_the_same_in_other_words(wording, tiny_path):
    paid = "capital.payment_month={share: 23}"
    plain, other = (load_study(tiny_path, [contract, paid]) for contract in (HEAD + METRIC + PLAIN, SAYS_THE_SAME[wording]))

    one, two = (certify(study, Ensemble(seed=1, n_replications=20)) for study in (plain, other))

    assert one.power_curve == two.power_curve
    assert one.expected_withheld == two.expected_withheld
    assert one.bias_no_effect == two.bias_no_effect
    assert one.bias_no_effect["saving"].pays_from == pytest.approx(0, abs=1)


def test_certificate__of_a_rate_card_holds_the_people_as_promised(checkout):
    rate_card = (
        "contract={title: x, currency: SEK, commitment: 0, metrics: {cost: {meaning: x, unit: SEK}}, "
        "milestones: {out_ever: x, healthy: x}, terms: {people: {milestones: {out_ever: 200, healthy: 1000}}}}"
    )
    study = load_study(checkout / "tests/cases/everything.yaml", [rate_card, "capital.payment_month={people: 48}"])

    got = certify(study, Ensemble(seed=1, n_replications=5))

    assert got.p_pay_no_effect.value == 1
    assert got.bias_no_effect["cost"].pays_from is None


def card(tmp_path, checkout, *changes):
    """The rate card of the page on milestones, settled by milestones, or through a metric of the same prices."""
    page = (checkout / "docs/how-to/milestones.md").read_text(encoding="utf-8")
    path = tmp_path / "ratecard.yaml"
    path.write_text(page.partition("```yaml\n")[2].partition("```")[0])
    return load_study(path, ["population.waves.all.size=30", "capital.payment_month={pay: 34}", *changes])


CARD = {"job_start": 1_000, "job_3_months": 2_000, "job_6_months": 2_500, "qualification": 1_200, "long_training": 500}
HEADING = "contract={title: x, currency: GBP, commitment: 0, metrics: {claims: {meaning: x, unit: GBP}}, "
BY_MILESTONE = (
    f"{HEADING}milestones: {{{', '.join(f'{name}: x' for name in CARD)}}}, terms: {{pay: {{milestones: "
    f"{{{', '.join(f'{name}: {price}' for name, price in CARD.items())}}}, cap_per_person: 6000}}}}}}"
)
BY_METRIC = HEADING + "terms: {pay: {share: 1, of: claims}}}"


def test_payment_on_the_truth__of_milestones_is_that_of_the_same_people_and_money_through_a_metric(tmp_path, checkout):
    """By hand: sum of prices x (people with the service - their twins) is the total difference of the claims, n (m_s - m_t)."""
    by_milestone, by_metric = (
        certify(card(tmp_path, checkout, contract), Ensemble(1, 40)) for contract in (BY_MILESTONE, BY_METRIC)
    )

    expected = by_metric.expected_payment_on_truth
    assert by_milestone.expected_payment_on_truth.value == pytest.approx(expected.value)
    assert by_milestone.expected_payment_on_truth.se == pytest.approx(expected.se)
    # What is paid for all who reach a milestone, those among them who would have reached it anyway.
    assert by_milestone.power_curve[4].expected_payment.value > 3 * expected.value > 0


def test_methods__settle_milestones_on_the_truth_too(tmp_path, checkout):
    by_milestone, by_metric = (
        compare_methods(card(tmp_path, checkout, contract), Ensemble(1, 40)) for contract in (BY_MILESTONE, BY_METRIC)
    )

    assert by_milestone.paid[ON_TRUTH].payment.value == pytest.approx(by_metric.paid[ON_TRUTH].payment.value)


def test_money_back__and_money_between_others_is_no_payment_for_outcomes(tmp_path):
    # Source: hand arithmetic. What comes back where the gain is missed is taken off what is paid for it, and what the school
    # refunds to the fund is no payment of the region: prize 1,000 from 1.5 on, 400 back below; the refund of 300 counts nowhere.
    back = "{share: 0.4, of: drawn, only_if: {gain: {below: 1.5}}, payer: investor, payee: outcome_payer}"
    refund = "{share: 0.3, of: drawn, only_if: {gain: {below: 1.5}}, payer: service_provider, payee: investor}"
    months = "{advance: 6, prize: 20, back: 20, refund: 20}"
    terms = "advance: {share: 0.5, of: drawn, contingent: false}, prize: {share: 1, of: drawn, only_if: {gain: {at_least: 1.5}}}"
    changes = [f"contract.terms={{{terms}, back: {back}, refund: {refund}}}", f"capital.payment_month={months}"]
    study = study_of(SCORES, tmp_path)
    found, plain = (certify(one, Ensemble(7, 400)) for one in (study.with_(changes), study))

    assert found.contingent_terms == ("prize", "back")
    missed = 1 - plain.p_pay_no_effect.value
    assert found.p_pay_no_effect == plain.p_pay_no_effect
    assert found.expected_paid_for_nothing.value == pytest.approx(PRICE * (1 - missed) - 0.4 * PRICE * missed)
    results = run_study(study.with_(changes), 7, 200)
    won = results["term.prize.amount"] > 0
    assert results["contingent_payment"].tolist() == np.where(won, PRICE, -0.4 * PRICE).tolist()
    assert won.any()
    assert not won.all()
