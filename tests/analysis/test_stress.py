"""Stresses: what they do to money in closed forms, what a study cannot express, and what is refused."""

import numpy as np
import pytest

from simengine.config import find_study, load_study
from simengine.errors import StudyError, UsageError
from simengine.questions.stress.answer import OWN_STRESS, TOGETHER, Stress, all_together, chosen_stresses, stress_study
from simengine.questions.stress.named import _NAMED as NAMED
from simengine.questions.stress.named import stresses_of
from simengine.replications.blocks import run_study
from simengine.replications.ensemble import Ensemble
from tests.analysis.made import CHOSEN, SCORES, study_of
from tests.analysis.successes import SUCCESSES

LEVEL = 0.5


def stressed(study, *names, n=200, seed=3):
    return stress_study(study, chosen_stresses(stresses_of(study), names), Ensemble(seed, n, threads=1), LEVEL)


def test_every_named_stress__is_shown_or_says_why_not(tiny):
    found = stressed(tiny)
    assert set(found.stresses) | set(found.not_applicable) == {*NAMED, TOGETHER}
    assert found.not_applicable["shock_in_the_window"] == "the study has no `shocks`"
    assert "the whole commitment is drawn in every replication" in found.not_applicable["cost_overrun"]
    assert "nobody is lost" in found.not_applicable["attrition"]


def test_base__is_a_plain_run(tiny):
    found = stressed(tiny, "volume")
    assert found.base["investor"].net.value == run_study(tiny, 3, 200)["investor.net"].mean()


def test_success__severe_is_a_service_without_effect(tiny):
    # Source: the twin. Without an effect nothing is saved: what the two have together is what was drawn and spent.
    found = stressed(tiny, "success").stresses["success"]["severe"].standings
    assert found["investor"].net.value + found["outcome_payer"].net.value == pytest.approx(-2_000_000)


def test_payer_delay__moves_npv_alone_by_the_discount_factor(tiny_path):
    # Source: hand arithmetic. The guarantee alone: 0.40 of 2,000,000 in month 12 at 3 %; half a year later it is worth
    # 800,000 (1.03^-1.5 - 1.03^-1), a year later 800,000 (1.03^-2 - 1.03^-1).
    only = ["contract.terms={guarantee: {share: 0.4, of: drawn, contingent: false}}", "capital.payment_month={guarantee: 12}"]
    found = stressed(load_study(tiny_path, only), "payer_delay").stresses["payer_delay"]
    for severity, years in (("adverse", 1.5), ("severe", 2.0)):
        moved = found[severity].moved["investor"]
        assert moved.net.value == 0
        assert moved.npv.value == pytest.approx(800_000 * (1.03**-years - 1.03**-1))


def test_payer_delay__of_a_contract_with_dates(tiny_path):
    # Source: as above, with the date in the contract.
    change = "contract={title: t, currency: SEK, commitment: 2_000_000, metrics: {saving: {meaning: m, unit: SEK}, "
    change += "school: {meaning: m, unit: share}}, dates: {late: {month: 12}}, "
    change += "terms: {all: {share: 0.4, of: drawn, contingent: false, at: [late]}}}"
    found = stressed(load_study(tiny_path, [change, "capital.payment_month={}"]), "payer_delay").stresses["payer_delay"]
    assert found["severe"].moved["investor"].npv.value == pytest.approx(800_000 * (1.03**-2 - 1.03**-1))


def test_payer_delay__leaves_what_is_owed_where_a_term_looks_at_what_came_back():
    # Invariant: who pays late owes the same. Peterborough's last trigger asks whether anything was paid before.
    few = [f"population.waves.{wave}.size=200" for wave in ("cohort_1", "cohort_2")]
    study = load_study(find_study("peterborough"), [*few, "measurement.matched.per_person=6"], "exact_moments")
    found = stressed(study, "payer_delay").stresses["payer_delay"]
    for one in found.values():
        assert all(moved.net.value == moved.net.se == 0 for moved in one.moved.values())
        assert one.moved["investor"].npv.value < 0


def test_volume__halves_a_count(tmp_path):
    # Source: closed form: 60 people succeed with probability 0.4 on average, 30 half as often.
    found = stressed(study_of(SUCCESSES, tmp_path), "volume", n=2000).stresses["volume"]
    for severity, people in (("adverse", 45), ("severe", 30)):
        net = found[severity].standings["investor"].net
        assert abs(net.value - 0.4 * people) < 4.5 * net.se


def test_payer_delay__is_that_of_every_payer(tiny_path):
    # Source: as above: whoever pays which half.
    change = ["contract.terms={guarantee: {share: 0.4, of: drawn, contingent: false}}"]
    two = "capital={drawn_share: 1, drawdown_months: 6, payment_month: {guarantee: 12}, "
    two += "payers: {outcome_payer: {share: 0.5}, service_provider: {share: rest}}}"
    found = stressed(load_study(tiny_path, [*change, two]), "payer_delay").stresses["payer_delay"]
    assert found["severe"].moved["investor"].npv.value == pytest.approx(800_000 * (1.03**-2 - 1.03**-1))


def test_volume__is_that_of_every_wave():
    found = stresses_of(load_study(find_study("peterborough")))["volume"]
    paths = {f"population.waves.{wave}.size" for wave in ("cohort_1", "cohort_2")}
    assert all(set(stress.change) == paths for stress in found.values())


def test_drift__against_takes_what_drift_for_gives(tiny):
    found = stressed(tiny).stresses
    for severity in ("adverse", "severe"):
        assert found["counterfactual_drift_against"][severity].moved["investor"].net.value < 0
        assert found["counterfactual_drift_for"][severity].moved["investor"].net.value > 0
    assert abs(found["counterfactual_drift_for"]["severe"].moved["investor"].net.value) > abs(
        found["counterfactual_drift_for"]["adverse"].moved["investor"].net.value
    )


def test_drift__of_a_trial_is_not_applicable(tmp_path):
    assert "a score" in stressed(study_of(SCORES, tmp_path)).not_applicable["counterfactual_drift_against"]
    by_lot = study_of(CHOSEN, tmp_path, "measurement.design=randomised")
    assert "compares people of the same months" in stressed(by_lot).not_applicable["counterfactual_drift_for"]


def test_attrition_overrun_and_shocks__apply_where_the_study_has_them(tiny_path):
    study = load_study(
        tiny_path,
        [
            "measurement.metrics.saving.attrition={share: 0.1, gap: 1000}",
            "population.engagement={share: 0.8, dropout: {per_month: 0.02}}",
            "capital.drawn_share={distribution: uniform, low: 0.5, high: 0.7}",
            "shocks={storm: {on: [placed -> home], factor: 0.7, from_month: 3, to_month: 12}}",
            "contract.metrics.saving.when_missing=0",  # of twelve people all may be lost to the evaluator
        ],
    )
    found = stressed(study)
    assert found.not_applicable == {}
    # A shock reaches no earlier people, so the service users look worse beside them.
    assert found.stresses["shock_in_the_window"]["severe"].moved["investor"].net.value < 0
    assert found.stresses["attrition"]["severe"].moved["outcome_payer"].net.value < 0


def test_own_stress__puts_a_number_at_a_value_a_quantile_or_shifts_it(tiny_path, tmp_path):
    text = tiny_path.read_text() + (
        "stresses:\n"
        "  cheap: {contract.terms.guarantee.share: 0.3}\n"
        "  weak: {effect.sooner_home.hazard_ratio: {quantile: 0.05}}\n"
        "  weaker: {effect.sooner_home.hazard_ratio: {shift: -1}}\n"
        "  fixed: {effect.sooner_home.hazard_ratio: 0.9}\n"
    )
    (tmp_path / "own.yaml").write_text(text)
    study = load_study(tmp_path / "own.yaml")
    found = stressed(study, "cheap", "weak", "weaker", "fixed").stresses
    # Source: hand arithmetic: 0.10 of 2,000,000 less; and the 5 % quantile of that distribution is 0.9 by its own statement.
    assert found["cheap"][OWN_STRESS].moved["investor"].net.value == pytest.approx(-200_000)
    assert found["weak"][OWN_STRESS].moved["investor"].net.value == pytest.approx(
        found["fixed"][OWN_STRESS].moved["investor"].net.value
    )
    assert found["weaker"][OWN_STRESS].moved["outcome_payer"].net.value < 0
    assert found["weaker"][OWN_STRESS].words == "effect.sooner_home.hazard_ratio -1 sd"


@pytest.mark.parametrize(
    ("stress", "message"),
    [
        (
            "{effect.sooner_home.hazard: 1}",
            r"a stress must move a number of the study, by its path; found no number .*Did you mean",
        ),
        ("{nonsense: 1}", "a stress must move a number of the study, by its path; found no number `nonsense`"),
        (
            "{capital.drawn_share: {quantile: 0.5}}",
            "a number at a quantile, or shifted along its distribution, must have a distribution; found 1 in every",
        ),
        ("{capital.drawn_share: 1.5}", "a probability must lie between 0 and 1; found 1.5"),
        ("{capital.drawn_share: {value: 0.5, shift: 1}}", "must have a `value`, a `quantile` or a `shift`; found value, shift"),
        ("{effect.sooner_home.hazard_ratio: {quantile: 1}}", "quantile"),
        ("{capital.payment_month.guarantee: 99}", "a term must be paid within the horizon of 24 months"),
    ],
)
def test_own_stress__of_what_cannot_be_is_refused(tiny_path, tmp_path, stress, message):
    (tmp_path / "bad.yaml").write_text(tiny_path.read_text() + f"stresses: {{bad: {stress}}}\n")
    with pytest.raises(StudyError, match=message):
        load_study(tmp_path / "bad.yaml")


def test_all_together__is_as_bad_as_its_worst_part():
    # Source: the definition: every factor, the weakest effect, the longest delay, one change after the other.
    one = Stress("", change={"a": lambda drawn: 2 * drawn}, strength=0.5, delay_months=6)
    other = Stress("", change={"a": lambda drawn: drawn + 1, "b": lambda drawn: drawn}, delay_months=12, allows_shortfall=True)
    both = all_together({"success": one, "payer_delay": other})
    assert (both.strength, both.delay_months, both.allows_shortfall) == (0.5, 12, True)
    assert (both.change["a"](np.array([3.0])), set(both.change)) == (7.0, {"a", "b"})


def test_unknown_stress__is_refused(tiny):
    with pytest.raises(UsageError, match=r"--stress: .*found 'plague'\. One of: volume, success"):
        stressed(tiny, "plague")


def test_everything_applies_to_the_shipped_studies():
    for name in ("norrkoping", "peterborough"):
        found = stresses_of(load_study(find_study(name)))
        assert {"volume", "success", "counterfactual_drift_against", "payer_delay", "cost_overrun"} <= {
            stress for stress, one in found.items() if not isinstance(one, str)
        }


def test_result__is_the_same_in_any_blocks(tiny):
    named = chosen_stresses(stresses_of(tiny), ["volume", "timing"])
    one, other = (stress_study(tiny, named, Ensemble(5, 200, 2, size), LEVEL) for size in (1000, 17))
    assert one == other
    assert np.isfinite(one.base["investor"].net.value)


# ------------------------------------------------ who bears an overrun ------------------------------------------------

GUARANTEE = ("contract.terms={guarantee: {share: 0.4, of: drawn, contingent: false}}", "capital.payment_month={guarantee: 12}")
OWN_COSTS = "parties.service_provider.costs={work: {amount: 1_500_000}}"
PAID = (
    "capital={draws: as_needed, payment_month: {guarantee: 12, saving_share: 20, upside: 20}, "
    "costs: {delivery: {payee: service_provider, amount: 1_000_000}, manager: {payee: outcome_payer, amount: 200_000}}}"
)


def moved_by_overrun(path, *overrides):
    found = stressed(load_study(path, overrides), "cost_overrun").stresses["cost_overrun"]
    return {severity: {party: one.moved[party].net.value for party in one.moved} for severity, one in found.items()}, found


def test_overrun__of_a_provider_that_states_its_costs_is_borne_by_it(tiny_path):
    # Source: hand arithmetic: 15 and 30 % of 1,500,000; what it is paid, and the loan, stay as they are.
    moved, found = moved_by_overrun(tiny_path, OWN_COSTS)
    for severity, more in (("adverse", 225_000), ("severe", 450_000)):
        assert moved[severity]["service_provider"] == pytest.approx(-more)
        assert moved[severity]["investor"] == moved[severity]["outcome_payer"] == 0
    assert found["adverse"].words == "service_provider spends 15 % more, which it bears itself"


def test_overrun__of_what_the_project_pays_is_borne_by_its_lenders(tiny_path):
    # Source: hand arithmetic. No party states costs: 15 % of 1,200,000 more is drawn, of which the guarantee gives 40 % back; those
    # who are paid get 150,000 and 30,000 more.
    moved, found = moved_by_overrun(tiny_path, PAID, *GUARANTEE)
    assert moved["adverse"]["service_provider"] == pytest.approx(150_000)
    assert moved["adverse"]["investor"] == pytest.approx(-180_000 * 0.6)
    assert moved["adverse"]["outcome_payer"] == pytest.approx(30_000 - 180_000 * 0.4)
    assert "which its lenders bear" in found["adverse"].words


def test_overrun__hits_each_cost_once_where_some_state_their_own(tiny_path):
    # Source: hand arithmetic. The provider bears 30 % of its own 1,500,000 and is paid as before; the manager, here the payer,
    # states nothing: 30 % of its 200,000 more are drawn, 40 % of which the guarantee gives back.
    moved, found = moved_by_overrun(tiny_path, PAID, OWN_COSTS, *GUARANTEE)
    assert moved["severe"]["service_provider"] == pytest.approx(-450_000)
    assert moved["severe"]["investor"] == pytest.approx(-60_000 * 0.6)
    assert found["severe"].words.startswith(
        "service_provider spends 30 % more, which it bears itself; what the project pays costs 30 %"
    )


def test_overrun__of_a_share_drawn_is_borne_by_the_lenders_unless_the_provider_states_its_costs(tiny_path):
    # Source: hand arithmetic: half of 2,000,000 is drawn; 30 % of it more, 40 % of which the guarantee gives back.
    moved, found = moved_by_overrun(tiny_path, *GUARANTEE, "capital.drawn_share=0.5")
    assert moved["severe"]["investor"] == pytest.approx(-300_000 * 0.6)
    assert "which the lenders bear: as much more is drawn" in found["severe"].words
    moved, _ = moved_by_overrun(tiny_path, *GUARANTEE, "capital.drawn_share=0.5", OWN_COSTS)
    assert (moved["severe"]["investor"], moved["severe"]["service_provider"]) == (0, pytest.approx(-450_000))
