"""The window: the same people read sooner or later, against a run of the study that says so, and money by hand."""

import numpy as np
import pytest

from simengine.config import find_study, load_study
from simengine.contract.spec import Contract
from simengine.errors import UsageError
from simengine.questions.window.answer import compare_windows, metrics_by_term
from simengine.replications.blocks import run_study
from simengine.replications.ensemble import Ensemble
from simengine.risk import statistics
from tests.analysis.made import CHOSEN, SCORES, study_of
from tests.test_milestones import CONTRACT, EVERYTHING, PAID


def test_own_window__gives_what_a_run_gives(tiny):
    results = run_study(tiny, 3, 60)

    (found,) = compare_windows(tiny, [12], Ensemble(3, 60)).windows

    assert found.estimate["saving"] == statistics.mean(results["metric.saving.estimate"])
    assert found.payment == statistics.mean(results["outcome_payer.payment"])
    assert found.money_back == statistics.mean(results["investor.money_back"])
    assert found.npv == statistics.mean(results["investor.npv"])
    assert found.payer_net == statistics.mean(results["outcome_payer.net"])
    assert found.p_loss == statistics.probability(results["investor.net"] < 0)


def test_another_window__gives_what_a_run_of_the_changed_study_gives(tiny, tiny_path):
    # Source: the study with the window, the horizon and the payments changed by hand.
    changes = ["measurement.metrics.saving.window_months=18", "study.horizon_months=26"]
    changes += ["capital.payment_month.saving_share=26", "capital.payment_month.upside=26"]
    results = run_study(load_study(tiny_path, changes), 3, 60)

    found = compare_windows(tiny, [12, 18], Ensemble(3, 60))

    assert found.changed_metrics == ("saving",)
    assert found.horizon_months == 26
    assert {one.months: one.payment_shift for one in found.windows} == {
        12: {"guarantee": 0, "saving_share": 0, "upside": 0},
        18: {"guarantee": 0, "saving_share": 6, "upside": 6},
    }
    later = found.windows[1]
    assert later.truth["saving"] == statistics.mean(results["metric.saving.truth"])
    assert later.estimate["saving"] == statistics.mean(results["metric.saving.estimate"])
    assert later.npv == statistics.mean(results["investor.npv"])
    assert later.payer_net == statistics.mean(results["outcome_payer.net"])


def test_payment__waits_for_the_last_of_its_measurements():
    # `upside` needs the school results of month 24 as well: a shorter window for the saving alone does not hasten it.
    study = load_study(find_study("norrkoping"))

    found = compare_windows(study, [12, 36], Ensemble(3, 4))

    assert found.changed_metrics == ("saving",)
    assert found.windows[0].payment_shift == {"guarantee": 0, "saving_share": -12, "upside": 0}
    assert found.windows[1].payment_shift == {"guarantee": 0, "saving_share": 12, "upside": 12}


def test_later_payment__is_worth_less_by_the_rate_of_the_investor(tmp_path):
    # Source: by hand. The prize of 1,000 is paid for sure, in month 20 or, with 24 months instead of 12, in month 32.
    study = study_of(SCORES, tmp_path, "contract.terms.prize.only_if.gain.at_least=-1000")

    found = compare_windows(study, [12, 24], Ensemble(1, 10), metric="gain")

    gained = found.windows[1].since_first
    assert gained["npv"].value == pytest.approx(1000 * (1.04 ** (-32 / 12) - 1.04 ** (-20 / 12)))
    assert gained["npv"].se == pytest.approx(0, abs=1e-9)
    assert (gained["payment"].value, gained["payer_net"].value) == (0, 0)


def test_difference__has_the_error_of_the_same_draws(tiny):
    found = compare_windows(tiny, [12, 18], Ensemble(3, 200))

    one, other = found.windows
    assert other.since_first["payment"].value == pytest.approx(other.payment.value - one.payment.value)
    assert other.since_first["payment"].se < np.hypot(one.payment.se, other.payment.se)


def test_term__depends_on_every_metric_that_it_names():
    study = load_study(find_study("norrkoping"))

    assert metrics_by_term(study) == {"guarantee": (), "saving_share": ("saving",), "upside": ("saving", "school")}


def test_term__does_not_depend_on_a_metric_that_is_called_like_one_of_its_keys(tiny):
    use = {"meaning": "called like a key", "unit": "share"}
    terms = {"one": {"share": {"value": 1, "note": "cap"}, "of": "cap"}, "other": {"share": 1, "of": "drawn", "floor": 0}}
    contract = {
        "title": "x",
        "currency": "SEK",
        "commitment": 1,
        "metrics": {"share": use, "cap": use, "floor": use},
        "terms": terms,
    }
    study = tiny.model_copy(update={"contract": Contract.model_validate(contract)})

    assert metrics_by_term(study) == {"one": ("cap",), "other": ()}


def test_result__is_the_same_on_any_threads_and_in_any_blocks(tmp_path):
    study = study_of(CHOSEN, tmp_path)

    assert compare_windows(study, [6, 24], Ensemble(9, 23, 1, 1000)) == compare_windows(study, [6, 24], Ensemble(9, 23, 2, 5))


@pytest.mark.parametrize(
    ("months", "metric", "message"),
    [
        ([], None, "--months: must be a list of at least one window; found none"),
        ([0], None, "--months: must be a whole number from 1 to 1,200; found 0"),
        ([12, 1201], None, "--months: must be a whole number from 1 to 1,200; found 1201"),
        ([12, 12], None, "--months: each window must be asked for once; found 12, 12"),
        (
            [1200],
            None,
            "--months: everything must end within 1200 months of the start; found month 1208 for a window of 1200 months",
        ),
        ([24], "cost", "--metric: must be a metric of the study (saving, school); found 'cost'"),
        (
            [6],
            "school",
            "--months 6: measurement.metrics.school.window_months: the window must reach the month at which `school_qualified` is "
            "read (12); found a window of 6 months",
        ),
    ],
)
def test_nonsense__is_refused_in_words(months, metric, message, tiny):
    with pytest.raises(UsageError) as refusal:
        compare_windows(tiny, months, Ensemble(0, 10), metric)

    assert str(refusal.value) == message


def test_study__whose_outcomes_are_all_read_at_one_month_needs_a_metric(tmp_path):
    with pytest.raises(UsageError, match=r"every outcome is read at one month\. Name a metric"):
        compare_windows(study_of(SCORES, tmp_path), [12], Ensemble(0, 10))


def test_window__of_a_contract_with_dates_of_its_own_is_refused(tiny_path):
    dated = (
        "contract={title: x, currency: SEK, commitment: 2_000_000, dates: {end: {month: 23}}, "
        "metrics: {saving: {meaning: x, unit: SEK}}, terms: {share: {share: 0.6, of: saving, floor: 0, at: [end]}}}"
    )
    study = load_study(tiny_path, [dated, "capital.payment_month={}"])

    with pytest.raises(UsageError, match="found dates of the contract: end"):
        compare_windows(study, [6, 12], Ensemble(seed=1, n_replications=4))


def test_milestones__count_within_the_longest_window_of_their_own_protocol():
    """Source: runs of the studies with each window: what is compared beside it changes nothing."""
    windows = compare_windows(load_study(EVERYTHING, [CONTRACT, PAID]), [12, 24], Ensemble(3, 40), "cost").windows

    for found in windows:
        changed = load_study(EVERYTHING, [CONTRACT, PAID, f"measurement.metrics.cost.window_months={found.months}"])
        assert found.payment == statistics.mean(run_study(changed, 3, 40)["outcome_payer.payment"])
    assert windows[0].payment != windows[1].payment
