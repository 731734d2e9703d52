"""Numbers of the capital as free terms: tranches, guarantees, payers, coupons; by hand, and against runs of the changed study."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from simengine.config import Study
from simengine.config.request import Requested, with_request
from simengine.errors import SimengineError, StudyError
from simengine.pipeline import evaluate, simulate
from simengine.questions.size.answer import refuse_impossible_terms, size_terms, sizing_of, stored_for_sizing, table_of
from simengine.replications.ensemble import Ensemble
from tests.analysis.made import study_of
from tests.analysis.made_sizing import BINOMIAL

STRUCTURE = (
    "parties={investor: {name: Fund, discount_rate_per_year: 0.0}, outcome_payer: {name: Region, discount_rate_per_year: 0.0},"
    " service_provider: {name: School, discount_rate_per_year: 0.0}, bank: {name: Bank, discount_rate_per_year: 0.05},"
    " foundation: {name: Foundation, discount_rate_per_year: 0.0}, state: {name: State, discount_rate_per_year: 0.02}}",
    "contract.terms={prize: {share: 100, of: passes}}",
    "capital={drawn_share: 1, drawdown_months: 1, payment_month: {prize: 20},"
    " payers: {state: {share: 0.4}, outcome_payer: {share: rest}},"
    " tranches: {senior: {holder: bank, size: rest, coupon_per_year: 0.04}, junior: {holder: foundation, size: 1000}},"
    " guarantees: {cover: {guarantor: state, covers: [senior], share: 0.5, at_most: 600, month: 22}}}",
)
"""The prize pays back the senior tranche with its coupon first; half of what is then lost of it the state makes good, up to 600."""
JUNIOR, COUPON = "capital.tranches.junior.size", "capital.tranches.senior.coupon_per_year"
COVER, MOST, STATE = "capital.guarantees.cover.share", "capital.guarantees.cover.at_most", "capital.payers.state.share"
PRICE, COMMITMENT = "contract.terms.prize.share", "contract.commitment"


def layered(tmp_path, *more: str) -> Study:
    return study_of(BINOMIAL, tmp_path, *STRUCTURE, *more)


def asked(study: Study, *free: str, limits: tuple[str, ...] = (), objectives: tuple[str, ...] = ()) -> Study:
    return with_request(study, Requested(free=free, limits=limits, objectives=objectives))


def test_money__of_every_kind_of_number_is_that_of_a_run_of_the_changed_study(tmp_path) -> None:
    """Bit by bit, one term sheet after the other on the same kept replications; every number changes and comes back."""
    free = (f"{JUNIOR}=0..3000", f"{COUPON}=0..0.2", f"{COVER}=0..1", f"{MOST}=0..2000", f"{STATE}=0..1", f"{PRICE}=0..200")
    limits = tuple(
        f"{party}.expected_net >= -1e9" for party in ("bank", "foundation", "state", "outcome_payer", "all_lenders", "all_payers")
    )
    study = asked(layered(tmp_path), *free, f"{COMMITMENT}=2500..4000", limits=limits)
    stored = stored_for_sizing(study, table_of(sizing_of(study)), Ensemble(3, 80, block_size=30))
    sheets = [
        {JUNIOR: 500, PRICE: 120},
        {JUNIOR: 2500, PRICE: 40, COVER: 0.9, MOST: 1500},
        {STATE: 1.0, COUPON: 0.1, PRICE: 90},
        {JUNIOR: 2500, PRICE: 40, COVER: 0.9, MOST: 1500},
        {COMMITMENT: 4000, JUNIOR: 0, STATE: 0.0, PRICE: 50},
        {},
    ]
    for sheet in sheets:
        changed = layered(tmp_path, *(f"{path}={value}" for path, value in sheet.items()))
        expected = evaluate(changed, simulate(changed, 3, np.arange(80)))
        for party, columns in stored.settle(sheet).items():
            for name in (f"{party}.net", f"{party}.npv", "contingent_payment"):
                np.testing.assert_array_equal(columns[name], expected[name], err_msg=f"{name} under {sheet}")


def test_size_of_a_tranche__that_keeps_the_bank_whole_by_hand(tmp_path) -> None:
    """X of 60 pass, at 100 each; by hand the bank, with a senior tranche of 3000 - J without coupon or guarantee, loses where
    100 X < 3000 - J. So P(loss) <= .5 asks for J >= 3000 - 100 m, m being the smallest count with P(X < m) <= .5 of the same
    replications.
    """
    plain = ("capital.guarantees={}", f"{COUPON}=0")
    study = asked(layered(tmp_path, *plain), f"{JUNIOR}=0..3000..100", limits=("bank.p_loss <= 0.5", "foundation.cvar(0.5) <= 1e9"))
    found = size_terms(study, Ensemble(3, 301), n_points=31)
    count = simulate(study, 3, np.arange(301)).measurements.estimate[:, 0]
    most = max(m for m in range(61) if np.mean(count < m) <= 0.5)
    assert min(point.terms[0] for point in found.feasible) == 3000 - 100 * most
    assert len(found.feasible) == most + 1


def test_guarantee_and_tranche__agree_with_brute_force(tmp_path) -> None:
    """Brute force: each pair of terms in a study of its own; feasible, best for each and frontier are the same."""
    limits = ("bank.p_loss <= 0.4", "state.cvar(0.9) <= 1400")
    objectives = ("foundation.expected_npv", "state.expected_net")
    study = asked(
        layered(tmp_path),
        f"{JUNIOR}=0..1500..500",
        f"{COVER}=0..1..0.25",
        f"{PRICE}=80..100..20",
        limits=limits,
        objectives=objectives,
    )
    found = size_terms(study, Ensemble(4, 400), n_points=64)
    kept, worth = [], {}
    for terms in product((0, 500, 1000, 1500), (0, 0.25, 0.5, 0.75, 1), (80, 100)):
        sets = [f"{path}={value}" for path, value in zip((JUNIOR, COVER, PRICE), terms, strict=True)]
        changed = layered(tmp_path, *sets)
        money = evaluate(changed, simulate(changed, 4, np.arange(400)))
        loss = np.sort(-money["state.net"])
        worth[terms] = (money["foundation.npv"].mean(), money["state.net"].mean())
        # The worst tenth of 400 replications is 40 of them.
        if np.mean(money["bank.net"] < 0) <= 0.4 and loss[-40:].mean() <= 1400:
            kept.append(terms)
    settled = {point.terms for point in found.points}
    assert {point.terms for point in found.feasible} == {terms for terms in kept if terms in settled}
    assert 0 < len(kept) < len(worth)
    assert found.deal is not None
    best = [max(kept, key=lambda terms, place=place: worth[terms][place]) for place in (0, 1)]
    assert [worth[point.terms] for point in found.deal.best] == [worth[terms] for terms in best]
    undominated = {
        terms for terms in kept if not any(all(b > a for a, b in zip(worth[terms], worth[other], strict=True)) for other in kept)
    }
    assert {point.terms for point in found.frontier} <= undominated


def test_distribution__a_larger_junior_tranche_never_hurts_the_bank(tmp_path) -> None:
    """The bank lends less and is paid first as before; without a coupon its loss can only fall, replication by replication."""
    study = asked(layered(tmp_path, f"{COUPON}=0"), f"{JUNIOR}=0..3000", limits=("bank.p_loss <= 1",))
    settle = stored_for_sizing(study, table_of(sizing_of(study)), Ensemble(1, 100)).settle
    losses = [settle({JUNIOR: size})["bank"]["bank.net"] for size in np.linspace(0, 3000, 13)]
    assert all((later >= earlier - 0.011).all() for earlier, later in pairwise(losses))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("capital.tranches.senior.size", "found 'rest', which is no number"),
        ("capital.tranches.junior.holder", "found 'foundation', which is no number"),
        ("capital.tranches.mezzanine.size", "found no such path. One of: capital.tranches.junior.size"),
        ("capital.tranches.junior", "found no number. One of: capital.tranches.junior.size"),
        ("capital.guarantees.cover.at_most_share_of_drawn", "found nothing there. Give it a number in the study first"),
        ("capital.payers.outcome_payer.share", "found 'rest', which is no number"),
        ("contract.title", "which is no number"),
    ],
)
def test_paths__that_do_not_exist_or_are_no_numbers_are_refused_with_the_way_out(path: str, message: str, tmp_path) -> None:
    with pytest.raises(SimengineError) as refusal:
        asked(layered(tmp_path), f"{path}=0..1")
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("free", "message"),
    [
        (f"{JUNIOR}=0..30000", "the tranches together must be the commitment of the contract, 3,000; found 30,000"),
        (f"{JUNIOR}=0..1e16", "an amount of money must lie between 0 and 1e15; found 1e"),
        (f"{JUNIOR}=-1..100", "an amount of money must lie between 0 and 1e15; found -1"),
        (f"{COVER}=0..1.5", "a share must lie between 0 and 1; found 1.5"),
        (f"{COUPON}=0..2", "a coupon or return must lie between 0 and 1 a year; found 2"),
        (f"{STATE}=0..1.1", "a share must lie between 0 and 1; found 1.1"),
    ],
)
def test_ranges__beyond_what_the_money_can_be_are_refused_before_anything_is_simulated(free: str, message: str, tmp_path) -> None:
    study = asked(layered(tmp_path), free)
    with pytest.raises(StudyError) as refusal:
        refuse_impossible_terms(study, sizing_of(study).free)
    assert message in str(refusal.value)
    assert "sizing.free at capital." in str(refusal.value)
