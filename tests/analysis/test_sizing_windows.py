"""The window of a metric as a term: by hand, against runs of the changed study, and against brute force on a grid."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from simengine.config import Study, find_study, load_study
from simengine.config.request import Requested, one_free_term, with_request
from simengine.errors import SimengineError, StudyError
from simengine.pipeline import evaluate, simulate
from simengine.questions.size.answer import refuse_impossible_terms, size_terms, sizing_of, stored_for_sizing, table_of
from simengine.questions.size.one_number import find_number
from simengine.replications.ensemble import Ensemble
from simengine.replications.settling import followed_for
from tests.analysis.made import study_of
from tests.analysis.made_sizing import BINOMIAL
from tests.test_milestones import CONTRACT, EVERYTHING, PAID

GUARANTEE, CAP = "contract.terms.guarantee.share", "contract.terms.upside.cap.share"
SAVING, SCHOOL = "measurement.metrics.saving.window_months", "measurement.metrics.school.window_months"
# An hour a day for everybody who is here, and nobody ever leaves: 60 people, 30.4375 days a month, 1 crown for each.
HOURS = (
    "outcomes.time={kind: amount, per_day: {here: 1}}",
    "measurement.metrics={hours: {outcome: time, window_months: 12, estimate: total_difference, better: higher}}",
    "contract.metrics={hours: {meaning: hours, unit: EUR}}",
    "contract.terms.prize={share: 0.1, of: hours}",
)
HOURLY, DAYS = "measurement.metrics.hours.window_months", 365.25 / 12


def asked(study: Study, *free: str, limits: tuple[str, ...] = ()) -> Study:
    return with_request(study, Requested(free=free, limits=limits))


def hourly(tmp_path) -> Study:
    return study_of(BINOMIAL, tmp_path, *HOURS, "capital.payment_month.prize=20")


def test_money__of_a_window_by_hand(tmp_path) -> None:
    """Nothing is random: of 3,000 lent, the guarantee and .1 x 60 x 30.4375 x W come back. W = 12, 15, 18; g = 0, .2."""
    study = asked(hourly(tmp_path), f"{HOURLY}=9..18..3", f"{GUARANTEE}=0..0.2")
    settle = stored_for_sizing(study, table_of(sizing_of(study)), Ensemble(1, 4)).settle
    for months, share in product((9, 12, 15, 18), (0.0, 0.2)):
        got = settle({HOURLY: months, GUARANTEE: share})["investor"]["investor.net"]
        assert got == pytest.approx(3000 * share + 0.1 * 60 * DAYS * months - 3000, abs=0.011)


def test_smallest_window__by_hand(tmp_path) -> None:
    """3000 x .9 = 182.625 W: at 14.78 months the lender is even, at 15 for whoever counts whole months, at 16 by steps of 2."""
    requested = Requested(free=[f"{HOURLY}=10..18..1"])
    study, limit, free = one_free_term(hourly(tmp_path), requested, HOURLY, "investor.expected_net >= 0")
    found = find_number(study, HOURLY, limit, free, Ensemble(1, 4))
    assert (found.low, found.value, found.high) == (15, 15, 15)
    assert [months for months, _ in found.walk] == list(range(10, 19))
    requested = Requested(free=[f"{HOURLY}=10..18..2"])
    study, limit, free = one_free_term(hourly(tmp_path), requested, HOURLY, "investor.expected_net >= 0")
    assert find_number(study, HOURLY, limit, free, Ensemble(1, 4)).value == 16


@pytest.fixture(scope="module")
def norrkoping() -> Study:
    return load_study(find_study("norrkoping"), ["sizing=null"])


def test_window__is_what_a_run_of_the_changed_study_says(norrkoping: Study) -> None:
    """Bit by bit: one term sheet after the other on people who lived once, and each study with its own window run whole."""
    study = asked(norrkoping, f"{SAVING}=12..24..6", f"{SCHOOL}=24..26..2", f"{GUARANTEE}=0..0.9")
    stored = stored_for_sizing(study, table_of(sizing_of(study)), Ensemble(3, 60, block_size=25))
    for months, school, share in ((12, 24, 0.4), (24, 26, 0.7), (18, 24, 0.7), (12, 26, 0.1)):
        changes = [f"{SAVING}={months}", f"{SCHOOL}={school}", f"{GUARANTEE}={share}"]
        changed = load_study(find_study("norrkoping"), changes)
        expected = evaluate(changed, simulate(changed, 3, np.arange(60)))
        got = stored.settle({SAVING: months, SCHOOL: school, GUARANTEE: share})
        for name in ("investor.net", "investor.npv", "outcome_payer.net", "contingent_payment"):
            np.testing.assert_allclose(got["investor"][name], expected[name], rtol=1e-12)
        np.testing.assert_array_equal(got["outcome_payer"]["metric.saving.truth"], expected["metric.saving.truth"])


def test_window_and_guarantee__agree_with_brute_force(norrkoping: Study) -> None:
    """Brute force: every pair run as a study of its own; feasible are the same, and each party's best is the same."""
    windows, shares, limit = (12, 18, 24), (0.4, 0.55, 0.7, 0.85), "investor.p_loss <= 0.5"
    study = asked(norrkoping, f"{SAVING}=12..24..6", f"{GUARANTEE}=0.4..0.85..0.15", limits=(limit,))
    found = size_terms(study, Ensemble(5, 300), n_points=16)
    money = {}
    for months, share in product(windows, shares):
        changed = load_study(find_study("norrkoping"), [f"{SAVING}={months}", f"{GUARANTEE}={share}"])
        money[months, share] = evaluate(changed, simulate(changed, 5, np.arange(300)))
    kept = [terms for terms, one in money.items() if np.mean(one["investor.net"] < 0) <= 0.5]
    assert sorted(point.terms for point in found.feasible) == kept
    assert 0 < len(kept) < len(money)
    assert found.deal is not None
    for place, name in enumerate(("investor.npv", "outcome_payer.npv")):
        assert found.deal.best[place].terms == max(kept, key=lambda terms, name=name: money[terms][name].mean())


def test_window__may_be_a_term_where_people_respond(tmp_path) -> None:
    """By hand: hours come without effort, so that whoever is paid for them makes none, whatever the window."""
    respond = "behaviour={party: investor, efforts: {work: {levels: [0, 1], cost: {quadratic: 10}}}}"
    study = study_of(BINOMIAL, tmp_path, *HOURS, "capital.payment_month.prize=20", respond)
    asks = with_request(study, Requested(free=[f"{HOURLY}=9..18..3"], responding=True))
    settle = stored_for_sizing(asks, table_of(sizing_of(asks)), Ensemble(1, 4)).settle
    for months in (9, 18):
        got = settle({HOURLY: months})["investor"]["investor.net"]
        assert got == pytest.approx(300 + 0.1 * 60 * DAYS * months - 3000, abs=0.011)


def test_tallies__are_those_of_people_who_are_followed_so_long(norrkoping: Study) -> None:
    short = load_study(find_study("norrkoping"), [f"{SAVING}=24"])
    long = simulate(load_study(find_study("norrkoping"), [f"{SAVING}=30", "capital.payment_month.saving_share=55",
                                                          "capital.payment_month.upside=55"]), 1, np.arange(8)).tallies  # fmt: skip
    assert long.windows == (24, 30)
    own, cut = simulate(short, 1, np.arange(8)).tallies, followed_for(long, (24,))
    assert cut.windows == own.windows == (24,)
    for name in ("sums", "squares", "products_with_before", "person_months"):
        np.testing.assert_array_equal(getattr(cut, name), getattr(own, name))


@pytest.mark.parametrize(
    ("free", "message"),
    [
        (f"{SAVING}=12..24", "a window must be sought in steps of whole months; found no step. Write such as 12..36..6"),
        (f"{SAVING}=12..24..1.5", "a window must be sought in steps of whole months; found 12 to 24 in steps of 1.5"),
        (f"{SAVING}=12.5..24.5..1", "a window must be sought in steps of whole months; found 12.5 to 24.5"),
        (f"{SAVING}=1..1200..1", "there must be at most 100 choices of the windows, for each is measured; found 1,200"),
        ("measurement.metrics.happiness.window_months=6..12..6", "found no such path. One of: measurement.metrics."),
        ("measurement.metrics.saving.lag_months=6..12..6", "or the window of a metric; found no term of the contract"),
    ],
)  # fmt: skip
def test_nonsense__is_refused_before_anything_is_simulated(free: str, message: str, norrkoping: Study) -> None:
    with pytest.raises(SimengineError) as refusal:
        with_request(norrkoping, Requested(free=[free]))
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("free", "message"),
    [
        (f"{SAVING}=12..36..12", "a payment must follow the measurement it depends on; found paid as early as month 44, measured"),
        (f"{SAVING}=12..60..12", "every window must close within the horizon of 60 months"),
        (f"{SCHOOL}=12..24..12", r"the window must reach the month at which `school_qualified` is read \(24\)"),
    ],
)  # fmt: skip
def test_windows__that_the_study_cannot_know_are_refused_with_place_and_reason(free: str, message: str, norrkoping: Study) -> None:
    study = asked(norrkoping, free)
    with pytest.raises(StudyError, match=message) as refusal:
        refuse_impossible_terms(study, sizing_of(study).free)
    assert "sizing.free at measurement.metrics" in str(refusal.value)


def test_window__without_a_range_is_refused_with_the_way_out(norrkoping: Study) -> None:
    with pytest.raises(StudyError, match="a window must be sought in steps of whole months; found no step"):
        one_free_term(norrkoping, Requested(), SAVING, "investor.p_loss <= 0.5")


def test_milestones__are_counted_within_the_longest_window_of_the_terms() -> None:
    """Bit by bit: with 24 months for the cost milestones count within 24 months, with 12 within 12, as in studies of their own."""
    cost = "measurement.metrics.cost.window_months"
    study = asked(load_study(EVERYTHING, [CONTRACT, PAID]), f"{cost}=12..24..12")
    stored = stored_for_sizing(study, table_of(sizing_of(study)), Ensemble(3, 12, block_size=5))
    paid = []
    for months in (12, 24):
        changed = load_study(EVERYTHING, [CONTRACT, PAID, f"{cost}={months}"])
        expected = evaluate(changed, simulate(changed, 3, np.arange(12)))
        got = stored.settle({cost: months})["investor"]
        for name in ("investor.net", "contingent_payment"):
            np.testing.assert_array_equal(got[name], expected[name])
        paid.append(got["contingent_payment"])
    assert (paid[0] != paid[1]).any()


def test_people__who_moved_away_are_seen_within_the_window_of_the_terms(tmp_path) -> None:
    """Bit by bit: what an evaluator loses sight of within 6 and within 12 months is what studies of their own say."""
    moving = ("population.transfer={per_year: 0.3}", "measurement.transfers=hidden", "capital.payment_month.prize=20")
    hours = [*HOURS, *moving]
    study = asked(study_of(BINOMIAL, tmp_path, *hours), f"{HOURLY}=6..12..6")
    stored = stored_for_sizing(study, table_of(sizing_of(study)), Ensemble(3, 12, block_size=5))
    for months in (6, 12):
        changed = study_of(BINOMIAL, tmp_path, *hours, f"{HOURLY}={months}")
        expected = evaluate(changed, simulate(changed, 3, np.arange(12)))
        np.testing.assert_array_equal(stored.settle({HOURLY: months})["investor"]["investor.net"], expected["investor.net"])
