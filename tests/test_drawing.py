"""One fact, one source: a contract sees its money drawn when the study draws it, replication by replication."""

import numpy as np
import pytest

from simengine.config import load_study
from simengine.errors import StudyError
from simengine.pipeline import as_contract_asks, evaluate, move_money, plan_of, simulate
from simengine.records import SERVICE
from simengine.replications.ensemble import Ensemble
from simengine.replications.stored import store_evidence
from simengine.risk.kernels import FOUND, internal_rates

PLAIN = "capital.payment_month={}"
METRICS = "metrics: {saving: {meaning: saving, unit: SEK}}"


def contract(dates, terms, commitment="1_000_000"):
    body = f"title: Dated, currency: SEK, commitment: {commitment}, {METRICS}, dates: {dates}, terms: {terms}"
    return [f"contract={{{body}}}", "measurement.metrics.saving.drift_per_year=0", PLAIN]


def money_of(tiny_path, overrides, n=3):
    """Move the money of tiny under other terms; give the study, the payments and the ledger."""
    study = load_study(tiny_path, overrides)
    evidence = simulate(study, 1, np.arange(n))
    measured = as_contract_asks(study.contract, evidence.tallies, evidence.measurements, evidence.draws)
    return study, *move_money(study, evidence.draws, evidence.tallies, measured)


def rates_of(ledger):
    cash = ledger.cash("investor").astype(np.float64)
    rate, status = np.empty(len(cash)), np.empty(len(cash), np.int8)
    internal_rates(cash, rate, status)
    assert (status == FOUND).all()
    return rate


@pytest.mark.parametrize("months", [1, 7, 18])
def test_return_to_date__is_the_return_whenever_the_study_draws(tiny_path, months):
    # Source: the definition of a rate of return: what a term brings to 8 % a year has 8 % a year, over any months of drawing.
    terms = "{part: {amount: 300_000, at: [half]}, all: {to_irr: 0.08, at: [end]}}"
    _, _, ledger = money_of(
        tiny_path, [*contract("{half: {month: 12}, end: {month: 24}}", terms), f"capital.drawdown_months={months}"]
    )
    # Amounts are whole hundredths of a million: the rate is off by no more than 1e-8.
    np.testing.assert_allclose(rates_of(ledger), 0.08, atol=2e-8)


def test_return_to_date__differs_between_replications_that_draw_differently(tiny_path):
    # Source: the same definition; months of drawing and the share drawn are drawn anew in each replication.
    overrides = contract("{end: {month: 24}}", "{all: {to_irr: 0.08, at: [end]}}")
    _, payments, ledger = money_of(
        tiny_path,
        [
            *overrides,
            "capital.drawdown_months={distribution: uniform, low: 1, high: 20}",
            "capital.drawn_share={distribution: uniform, low: 0.5, high: 1}",
        ],
        40,
    )
    assert len(np.unique(payments.amount)) == 40
    np.testing.assert_allclose(rates_of(ledger), 0.08, atol=2e-8)


AS_NEEDED = (
    "capital={draws: as_needed, costs: {delivery: {payee: service_provider, per_month: 20_000, from_month: 3, until_month: 14}}}"
)


def test_return_to_date__sees_what_costs_made_necessary(tiny_path):
    # Source: the same definition; 240,000 of the million is drawn, from month 3 to month 14.
    overrides = contract(
        "{half: {month: 6}, end: {month: 24}}", "{part: {amount: 5_000, at: [half]}, all: {to_irr: 0.08, at: [end]}}"
    )
    _, _, ledger = money_of(tiny_path, [*overrides, AS_NEEDED])
    assert ledger.drawn.tolist() == [240_000] * 3
    np.testing.assert_allclose(rates_of(ledger), 0.08, atol=1e-7)


def test_outstanding__is_what_the_study_has_drawn_by_then(tiny_path):
    # Source: hand arithmetic. A million in ten parts of 100,000 from month 0: by month 4 it is 500,000. 200,000 are repaid then. By
    # month 12 all is drawn: 800,000 are outstanding. The multiple 1.5 of what was paid in lacks 750,000 in month 4.
    terms = (
        "{seen: {share: 0.001, of: outstanding}, lacking: {share: 0.001, of: {to_multiple: 1.5}, at: [early]}, "
        "back: {amount: 200_000, at: [early], repays_principal: true}, so_far: {share: 0.001, of: returned}}"
    )
    overrides = [*contract("{early: {month: 4}, late: {month: 12}}", terms), "capital.drawdown_months=10"]
    study, payments, _ = money_of(tiny_path, overrides, 1)
    names = list(study.contract.terms)
    paid = {name: payments.by_due[0, names.index(name)].tolist() for name in names}
    # Of what came back, at each date before `so_far` itself: 500 + 749.5 + 200,000, then 201,451.00 and 800 more.
    assert paid["seen"] == [500, 800]
    assert paid["lacking"] == [749.5, 0]
    assert paid["so_far"] == [201.25, 202.25]


def test_coupon__accrues_on_what_the_study_draws(tiny_path):
    # Source: hand arithmetic. 100,000 in each of months 0 to 9 at 1 % a month: what is outstanding adds up to 1 + 2 + ... + 10 =
    # 55 and twice 10, 75 times 100,000, by month 12: 75,000. Then 12 % of a million, less 6 % of 400,000 from month 18 on.
    terms = (
        "{interest: {coupon: 0.12, of: outstanding, at: [one, two]}, back: {amount: 400_000, at: [middle], repays_principal: true}}"
    )
    dates = "{one: {month: 12}, middle: {month: 18}, two: {month: 24}}"
    _, payments, _ = money_of(tiny_path, [*contract(dates, terms), "capital.drawdown_months=10"], 1)
    assert payments.by_due[0, 0].tolist() == [75_000, 0, 96_000]


def test_coupon__sees_draws_that_income_has_put_off_even_where_their_sum_stays(tiny_path):
    # Source: hand arithmetic. 300,000 to draw and costs of 100,000 in each of months 0 to 5. All of the 100,000 that come in in
    # month 1 pays its cost, so that months 0, 2 and 3 draw: 100, 100, 200 and 300 thousand are outstanding for a month each
    # by month 4, at 1 %: 7,000. The sum drawn is the same either way.
    terms = "{part: {amount: 100_000, at: [first]}, interest: {coupon: 0.12, of: outstanding, at: [later]}}"
    capital = (
        "capital={draws: as_needed, recycled_share: 1, shortfall: allowed, "
        "costs: {delivery: {payee: service_provider, per_month: 100_000, until_month: 5}}}"
    )
    _, payments, ledger = money_of(tiny_path, [*contract("{first: {month: 1}, later: {month: 4}}", terms, "300_000"), capital], 1)
    assert np.flatnonzero(ledger.drawn_by_month[0]).tolist() == [0, 2, 3]
    assert payments.by_due[0, 1].tolist() == [0, 7_000]


def test_undated_contract__sees_what_is_drawn_by_the_month_of_payment(tiny_path):
    # Source: hand arithmetic. A million in twenty parts of 50,000 from month 0: 650,000 by month 12.
    overrides = [
        "contract.commitment=1_000_000",
        "contract.terms.guarantee={share: 0.1, of: outstanding, contingent: false}",
        "capital.drawdown_months=20",
    ]
    _, payments, _ = money_of(tiny_path, overrides, 1)
    assert payments.amount[0, 0] == 65_000


@pytest.mark.parametrize(
    ("drawing", "place", "found"),
    [
        ("capital.drawdown_months=24", "drawdown_months", "in equal parts over 24 months. Leave `drawn` out"),
        (
            "capital.drawdown_months={distribution: uniform, low: 1, high: 9}",
            "drawdown_months",
            "in equal parts over 1 to 9 months",
        ),
        (
            "capital.reserve={amount: 5, until_month: 9}",
            "drawdown_months",
            "in equal parts over 6 months, beside a reserve in month 0",
        ),
        (AS_NEEDED, "draws", "it is drawn as the costs need it"),
    ],
)
def test_contract__that_dates_the_drawing_otherwise_than_the_study_is_refused(tiny_path, drawing, place, found):
    dates = "{start: {month: 0, drawn: 0.5}, end: {month: 12, drawn: 0.5}}"
    with pytest.raises(StudyError) as refused:
        load_study(tiny_path, [*contract(dates, "{all: {to_irr: 0.08, at: [end]}}"), drawing])
    both = "(contract.dates.start.drawn, contract.dates.end.drawn): 50 % in month 0, 50 % in month 12"
    assert f"capital.{place}: the money must be drawn as the contract dates it {both}; found {found}" in str(refused.value)


def test_contract__that_dates_the_drawing_as_the_study_does_is_fine(tiny_path):
    dates = "{start: {month: 0, drawn: 0.5}, next: {month: 1, drawn: 0.5}, end: {month: 24}}"
    overrides = [*contract(dates, "{all: {to_irr: 0.08, at: [end]}}"), "capital.drawdown_months=2"]
    _, _, ledger = money_of(tiny_path, overrides, 1)
    np.testing.assert_allclose(rates_of(ledger), 0.08, atol=2e-8)


def test_plan__guesses_months_that_add_up_to_what_it_guesses_in_all(tiny_path):
    # Invariant: the months sum to the total.
    study = load_study(
        tiny_path,
        [
            AS_NEEDED,
            "capital.payment_month={guarantee: 12, saving_share: 20, upside: 20}",
            "capital.reserve={amount: 1_000, until_month: 9}",
        ],
    )
    evidence = simulate(study, 1, np.arange(4))
    plan = plan_of(study, evidence.draws, evidence.tallies.n_people[:, :, SERVICE])
    np.testing.assert_allclose(plan.drawn_by_month.sum(axis=1), plan.drawn)
    assert plan.drawn.tolist() == [241_000] * 4


@pytest.mark.parametrize("drawing", [["capital.drawdown_months=18"], [AS_NEEDED, "capital.recycled_share=0.5"]])
def test_quick_sums__see_the_same_drawing_as_the_ledger(tiny_path, drawing):
    # Source: the ledger, whose postings are walked with a journal.
    terms = "{part: {amount: 60_000, at: [half]}, interest: {coupon: 0.05, of: outstanding}, all: {to_irr: 0.08, at: [end]}}"
    study = load_study(tiny_path, [*contract("{half: {month: 9}, end: {month: 24}}", terms), *drawing])
    stored = store_evidence(study, Ensemble(7, 20), ["investor", "service_provider"], ["investor", "service_provider"])
    expected = evaluate(study, simulate(study, 7, np.arange(20)))
    for rate in (0.08, 0.02):
        found = stored.settle({"contract.terms.all.to_irr.amount": rate})
        if rate == 0.08:
            for party in found:
                np.testing.assert_array_equal(found[party][f"{party}.net"], expected[f"{party}.net"])
        else:
            assert (found["investor"]["investor.net"] < expected["investor.net"]).all()
