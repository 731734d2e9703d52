"""Payers that leave: by hand, against the plain twin, and in a study."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simengine.config import load_study
from simengine.errors import StudyError
from simengine.pipeline import evaluate, simulate
from simengine.risk.summarise import summarise
from tests.capital.made import PARTIES, capital_of, moved, payments_of
from tests.capital.test_structures import by_line
from tests.conftest import sized
from tests.reference.money import late_interest, what_comes

EVERYBODY = (*PARTIES, "region")


def test_payer__that_leaves_pays_nothing_more_but_what_is_recovered_and_nobody_steps_in():
    # Source: hand arithmetic. 100 owed in months 3, 6 and 9, half by each. The region pays a month late and leaves in month 7.5,
    # which is month 7: it pays in month 4, and of the 50 of month 6, which it would pay in month 7, and of those of month 9, a fifth.
    payers = {
        "region": {"share": 0.5, "pays_late_months": 1, "leaves_in_month": 7.5, "recovered_share": 0.2},
        "outcome_payer": {"share": "rest"},
    }
    income = payments_of({"a": 100.0, "b": 100.0, "c": 100.0}, {"a": 3, "b": 6, "c": 9})

    lines = by_line(moved(capital_of(payers=payers), income, 0, parties=EVERYBODY))

    assert {name: flows for name, flows in lines.items() if "region" in name} == {
        "term.a.payer.region": {4: 50},
        "term.b.payer.region": {7: 10},
        "unpaid.term.b.payer.region": {6: 40},
        "term.c.payer.region": {10: 10},
        "unpaid.term.c.payer.region": {9: 40},
    }
    assert lines["term.c.payer.outcome_payer"] == {9: 50}


@settings(deadline=None, max_examples=sized(60, 200))
@given(
    st.dictionaries(st.integers(0, 12), st.floats(0, 900), min_size=1),
    st.floats(0, 5),
    st.floats(0, 1),
    st.one_of(st.none(), st.floats(0, 20)),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_payer__pays_what_its_plain_twin_pays(owed, late, share, leaves, recovered, rate):
    # Source: the slow twin in tests/reference/money.py. Invariant: what comes and what is left unpaid are what is owed, to the unit.
    going = {} if leaves is None else {"leaves_in_month": leaves, "recovered_share": recovered}
    payer = {"share": "rest", "pays_late_months": late, "pays_share": share, "late_interest_per_year": rate, **going}
    amounts = {f"term_{month}": amount for month, amount in owed.items()}
    income = payments_of(amounts, {f"term_{month}": month for month in owed})

    ledger = moved(capital_of(payers={"outcome_payer": payer}), income, 0)

    journal = {line.name: ledger.journal[0, :, place] for place, line in enumerate(ledger.lines)}
    comes, unpaid = what_comes({month: round(amount * 100) for month, amount in owed.items()}, late, share, leaves, recovered)
    interest = late_interest(comes, late, rate)
    for prefix, wanted in (("term.", comes), ("unpaid.term.", unpaid), ("late_interest.term.", interest)):
        found = sum(flows for name, flows in journal.items() if name.startswith(prefix))
        assert {int(month): found[month] for month in np.flatnonzero(found)} == {m: part for m, part in wanted.items() if part}
    assert ledger.total("term") + ledger.total("unpaid.term") == sum(round(amount * 100) for amount in owed.values())


def test_late_payment__bears_simple_interest_to_whom_it_is_owed():
    # Source: hand arithmetic. The region owes half of 1,000 to the investor in month 3 and half of 400 to the provider in month 6, and pays
    # 2.7 months late, which are 2, at 9 % a year: 500 x 9 % x 2 / 12 = 7.50, and 200 x 1.5 % = 3.00. The other payer is never late.
    payers = {
        "region": {"share": 0.5, "pays_late_months": 2.7, "late_interest_per_year": 0.09},
        "outcome_payer": {"share": "rest"},
    }
    sides = (("outcome_payer", "investor"), ("outcome_payer", "service_provider"))
    income = payments_of({"a": 1000.0, "b": 400.0}, {"a": 3, "b": 6}, sides)

    ledger = moved(capital_of(payers=payers), income, 0, parties=EVERYBODY)

    assert {name: flows for name, flows in by_line(ledger).items() if "late_interest" in name} == {
        "late_interest.term.a.payer.region": {5: 7.5},
        "late_interest.term.b.payer.region.service_provider": {8: 3},
    }
    np.testing.assert_allclose(ledger.cash_in(["payer.region"]).sum(), -(500 + 200 + 7.5 + 3) * 100)


def test_late_interest__in_a_study_is_paid_on_top_of_what_is_owed(tiny_path):
    # By hand: 6 months late at 10 % a year, 5 % on top of every payment, to the unit; what is owed stays as it is.
    late = "capital.payers={outcome_payer: {share: 1, pays_late_months: 6, late_interest_per_year: 0.1}}"
    study = load_study(tiny_path, [late, "study.horizon_months=120"])
    results = evaluate(study, simulate(study, 3, np.arange(200)))

    owed = results["term.guarantee.amount"] + results["term.saving_share.amount"] + results["term.upside.amount"]
    np.testing.assert_allclose(results["outcome_payer.payment"], 1.05 * owed, atol=0.05)


def test_late_interest__without_lateness_is_refused(tiny_path):
    message = (
        r"payers\.outcome_payer\.late_interest_per_year: interest on late payments must go with the months by which they are late"
    )
    with pytest.raises(StudyError, match=message):
        load_study(tiny_path, ["capital.payers={outcome_payer: {share: 1, late_interest_per_year: 0.1}}"])


LEAVES = "capital.payers={outcome_payer: {share: 1, leaves_in_month: {distribution: gamma, mean: 40, sd: 40}}}"


def test_hazard__of_leaving_is_a_gamma_with_equal_mean_and_sd(tiny_path):
    # Source: the exponential distribution. With a mean of 40 months the payer has left by month 12 with probability
    # 1 - exp(-12/40) = .259, but for the month, which is whole: P(floor(T) <= 12) = 1 - exp(-13/40) = .277.
    study = load_study(tiny_path, [LEAVES])
    results = evaluate(study, simulate(study, 3, np.arange(4000)))

    # Who has left by month 12 pays neither the guarantee nor anything later.
    unpaid, has_left = results["outcome_payer.unpaid"], results["outcome_payer.payment"] == 0
    assert has_left.mean() == pytest.approx(1 - np.exp(-13 / 40), abs=4 * np.sqrt(0.2 / 4000))
    table = summarise(results)
    assert table["outcome_payer.p_unpaid"].value == (unpaid > 0).mean()
    assert table["outcome_payer.unpaid.mean"].value == pytest.approx(unpaid.mean())
    everything = results["term.guarantee.amount"] + results["term.saving_share.amount"] + results["term.upside.amount"]
    np.testing.assert_allclose(results["outcome_payer.payment"] + unpaid, everything, atol=0.02)


def test_recovery__without_leaving_is_refused(tiny_path):
    message = r"payers\.outcome_payer\.recovered_share: what is recovered after a payer has left must go with the month"
    with pytest.raises(StudyError, match=message):
        load_study(tiny_path, ["capital.payers={outcome_payer: {share: 1, recovered_share: 0.5}}"])
