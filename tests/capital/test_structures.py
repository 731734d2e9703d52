"""Capital structures worked by hand, of signed contracts, and of the literature on tranches."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, stats

from simengine.errors import StudyError
from simengine.risk.kernels import FOUND, internal_rates
from tests.capital.made import PARTIES, capital_of, draws_of, moved, payments_of

NOTHING = ({"term": 0.0}, {"term": 12})


def by_line(ledger):
    """Return by line what was posted in which month, where anything was, in the currency."""
    journal = {line.name: ledger.journal[0, :, place] for place, line in enumerate(ledger.lines)}
    return {name: {int(m): flows[m] / 100 for m in np.flatnonzero(flows)} for name, flows in journal.items() if flows.any()}


@pytest.mark.parametrize(
    ("drawn", "guaranteed", "lost"),
    [
        # 9.6 M lent, 7.2 M guaranteed, no effect: 2.4 M of 9.6 M lost, which is 25 %.
        (9_600_000, 7_200_000, 2_400_000),
        # 7.2 M drawn, 6.0 M guaranteed when the programme stopped: 1.2 M lost.
        (7_200_000, 6_000_000, 1_200_000),
    ],
)
def test_guarantee__leaves_the_lender_of_rikers_what_was_published(drawn, guaranteed, lost):
    # Source: Rikers Island ABLE, as published by Social Ventures Australia (25 % lost) and Social Impact Capital (1.2 M).
    guarantee = {"guarantor": "foundation", "covers": ["loan"], "at_most": guaranteed}
    capital = capital_of(guarantees={"foundation_guarantee": guarantee}, drawdown_months=36)

    ledger = moved(capital, payments_of(*NOTHING), drawn, 48, parties=(*PARTIES, "foundation"))

    assert ledger.lost[0].tolist() == [lost * 100]
    assert ledger.cash("investor").sum() == -lost * 100
    assert ledger.cash("foundation").sum() == -guaranteed * 100
    assert ledger.exhausted[0].tolist() == [True]


def three_tranches(attachments):
    """Return a loan of 1 M in tranches that lose from the junior one up, cut at shares of the loss."""
    edges = [0.0, *attachments, 1.0]
    sizes = {f"layer_{place}": (high - low) * 1e6 for place, (low, high) in enumerate(pairwise(edges))}
    names = list(sizes)[::-1]
    return capital_of(tranches={name: {"holder": "investor", "size": sizes[name]} for name in names})


def mean_losses(capital, losses):
    """Return the mean loss of each tranche, the most junior first, as a share of the loan."""
    income = payments_of({"term": (1 - losses) * 1e6}, {"term": 12})
    return moved(capital, income, 1e6, 12).lost.mean(axis=0)[::-1] / 1e8


def test_tranches__lose_what_a_beta_loss_makes_them_lose():
    # Source: E min(L, x) is the integral of 1 - F from 0 to x; Beta(2, 8) with layers at 0.1 and 0.3: .0915223, .0907221, .0177556.
    losses = stats.beta(2, 8).ppf((np.arange(100_000) + 0.5) / 100_000)

    got = mean_losses(three_tranches([0.1, 0.3]), losses)

    assert got == pytest.approx([0.0915223, 0.0907221, 0.0177556], abs=2e-7)


@pytest.mark.parametrize(("attachment", "expected"), [(0.05, 0.0575386), (0.10, 0.0319802), (0.20, 0.0093987)])
def test_tranches__lose_what_a_vasicek_portfolio_makes_them_lose(attachment, expected):
    # Source: Vasicek (2002), loan portfolio value; probability of default .1, correlation .2; E(L - k)+ in print, by quadrature.
    default, root, rest = stats.norm.ppf(0.1), np.sqrt(0.2), np.sqrt(0.8)
    losses = stats.norm.cdf((default + root * stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)) / rest)

    got = mean_losses(three_tranches([attachment]), losses)

    exact = integrate.quad(
        lambda z: max(stats.norm.cdf((default + root * z) / rest) - attachment, 0) * stats.norm.pdf(z), -9, 9, limit=500
    )[0]
    assert exact == pytest.approx(expected, abs=1e-6)
    assert got[1] == pytest.approx(expected, abs=1e-6)
    assert got.sum() == pytest.approx(0.1, abs=1e-6)


def test_coupon__paid_in_full_is_the_rate_of_return():
    # Invariant: unpaid interest bears interest, so a loan that is paid back with all of it returns its coupon, whenever it is paid.
    tranches = {
        "senior": {"holder": "bank", "size": 600, "coupon_per_year": 0.05},
        "junior": {"holder": "investor", "size": "rest"},
    }
    income = payments_of({"one": 100.0, "two": 5_000.0}, {"one": 7, "two": 31})

    ledger = moved(capital_of(tranches=tranches, drawdown_months=5), income, 1_000, 36, parties=(*PARTIES, "bank"))

    rate, status = np.empty(1), np.empty(1, np.int8)
    internal_rates(ledger.cash("bank").astype(np.float64), rate, status)
    assert status[0] == FOUND
    assert rate[0] == pytest.approx(0.05, abs=1e-4)  # amounts are whole hundredths of 600


def test_returns__stop_at_a_multiple_or_at_a_rate_and_the_rest_goes_on():
    # Source: hand arithmetic. 1,000 lent at month 0 and 3,000 back at month 12: the first may get 1.2 x 600 = 720, the second
    # 400 x 1.1 = 440; each gets its principal, then half of the 2,000 that are left up to its limit, and the provider the rest.
    tranches = {
        "first": {"holder": "bank", "size": 600, "returns_at_most_multiple": 1.2},
        "second": {"holder": "investor", "size": 400, "returns_at_most_per_year": 0.10},
    }
    waterfall = {
        "back": {"principal": ["first", "second"]},
        "more": {"returns": {"first": 0.5, "second": 0.5}},
        "rest": {"rest": {"service_provider": "rest"}},
    }

    ledger = moved(
        capital_of(tranches=tranches, waterfall=waterfall),
        payments_of({"term": 3_000.0}, {"term": 12}),
        1_000,
        parties=(*PARTIES, "bank"),
    )

    assert by_line(ledger) == {
        "term.term.payer.outcome_payer": {12: 3000},
        "draw.first": {0: 600},
        "draw.second": {0: 400},
        "cost.delivery": {0: 1000},
        "step.back.first": {12: 600},
        "step.back.second": {12: 400},
        "step.more.first": {12: 120},
        "step.more.second": {12: 40},
        "step.rest.service_provider": {12: 1840},
    }
    assert ledger.at_limit[0].tolist() == [True, True]


def test_limit__of_a_tranche_that_never_paid_in_is_not_reached():
    # Source: hand arithmetic. The senior lends the 100 that are needed, and of the 50 beyond them gets 1.2 x 100 - 100 = 20; the
    # junior could get no more than a multiple of nothing, but nothing was withheld from it.
    limited = {"holder": "investor", "size": 100, "returns_at_most_multiple": 1.2}
    waterfall = {
        "back": {"principal": ["senior", "junior"]},
        "more": {"returns": {"senior": 0.5, "junior": 0.5}},
        "rest": {"rest": {"service_provider": "rest"}},
    }
    capital = capital_of(
        draws="as_needed",
        draw_order="senior_first",
        costs={"delivery": {"payee": "service_provider", "amount": 100}},
        tranches={"senior": limited, "junior": limited},
        waterfall=waterfall,
    )

    ledger = moved(capital, payments_of({"term": 150.0}, {"term": 12}), 200)

    assert ledger.paid_in[0].tolist() == [10_000, 0]
    assert by_line(ledger)["step.more.senior"] == {12: 20}
    assert ledger.at_limit[0].tolist() == [True, False]


@pytest.mark.parametrize(("size", "owed"), [(0.09, 0), (0.12, 1), (0.34, 2)])
def test_interest__that_is_never_paid_is_owed_to_the_nearest_unit(size, owed):
    # Source: hand arithmetic. A year at 5 % on 9, 12 and 34 units is .45, .6 and 1.7 of a unit.
    tranches = {"loan": {"holder": "investor", "size": size, "coupon_per_year": 0.05}}

    ledger = moved(capital_of(tranches=tranches), payments_of(*NOTHING), size, 12)

    assert ledger.owed[0].tolist() == [owed]


def test_income__that_is_recycled_pays_later_costs_before_anybody_draws():
    # Source: hand arithmetic. 100 a month for six months; 250 come in in month 2, of which four fifths, 200, pay months 2 and 3.
    # Months 0, 1, 4 and 5 are drawn: 400 of the 1,000. The other 50 go to the lender in month 2.
    capital = capital_of(
        draws="as_needed",
        recycled_share=0.8,
        costs={"delivery": {"payee": "service_provider", "per_month": 100, "until_month": 5}},
    )

    ledger = moved(capital, payments_of({"term": 250.0}, {"term": 2}), 1_000, 8)

    lines = by_line(ledger)
    assert lines["draw.loan"] == {0: 100, 1: 100, 4: 100, 5: 100}
    assert lines["cost.delivery"] == dict.fromkeys(range(6), 100)
    assert lines["step.loan_principal.loan"] == {2: 50}
    assert ledger.lost[0].tolist() == [35_000]


def test_reserve__pays_what_nothing_else_can_and_goes_back_when_it_is_released():
    # Source: hand arithmetic. 300 committed, 80 kept; delivery costs 100 a month for three months. 220 are left to draw: months 0
    # and 1 in full, month 2 with 20 drawn and 80 from the reserve.
    costs = {"delivery": {"payee": "service_provider", "per_month": 100, "until_month": 2}}
    reserve = {"amount": 80, "until_month": 5}

    short = moved(capital_of(draws="as_needed", costs=costs, reserve=reserve), payments_of(*NOTHING), 300)
    ample = moved(capital_of(draws="as_needed", costs=costs, reserve=reserve), payments_of(*NOTHING), 1_000)

    assert by_line(short)["draw.loan"] == {0: 180, 1: 100, 2: 20}
    assert by_line(short)["reserve.used"] == {2: 80}
    assert "reserve.out" not in by_line(short)
    assert by_line(ample)["reserve.out"] == {5: 80}
    assert by_line(ample)["step.loan_principal.loan"] == {5: 80}


def test_fee__that_is_deferred_waits_for_its_place_and_may_never_be_paid():
    # Source: hand arithmetic. Of a fee of 100 in month 1, three quarters are at risk. 1,030 come in: principal 1,025 first, so
    # that 5 of the 75 are paid; the loan is 1,025, of which 1,000 pay delivery and 25 the sure part of the fee.
    costs = {
        "delivery": {"payee": "service_provider", "amount": 1_000},
        "fee": {"payee": "service_provider", "amount": 100, "from_month": 1, "deferred_share": 0.75},
    }

    ledger = moved(capital_of(draws="as_needed", costs=costs), payments_of({"term": 1_030.0}, {"term": 12}), 2_000)

    assert by_line(ledger)["draw.loan"] == {0: 1000, 1: 25}
    assert by_line(ledger)["step.deferred.fee"] == {12: 5}
    assert ledger.waiting[0].tolist() == [0, 7_000]
    assert ledger.cash("service_provider").sum() == (1_000 + 25 + 5) * 100


def test_percentage_fee__is_taken_from_the_income_before_the_lenders():
    # Source: hand arithmetic; 2 % of 500 is 10.
    costs = {
        "delivery": {"payee": "service_provider", "amount": 400},
        "manager": {"payee": "manager", "share_of_income": 0.02},
    }

    capital = capital_of(draws="as_needed", costs=costs)
    ledger = moved(capital, payments_of({"term": 500.0}, {"term": 6}), 400, parties=(*PARTIES, "manager"))

    assert ledger.cash("manager").sum() == 1_000
    assert ledger.cash("investor").sum() == (490 - 400) * 100


def test_payers__share_what_is_owed_to_the_unit_and_may_be_late_or_short():
    # Source: hand arithmetic. 100.01 owed in month 3: a third of it is 33.34 and comes two months late; the other payer pays
    # nine tenths of its 66.67, which is 60.00 to the unit.
    payers = {
        "region": {"share": 1 / 3, "pays_late_months": 2.9},
        "outcome_payer": {"share": "rest", "pays_share": 0.9},
    }

    ledger = moved(capital_of(payers=payers), payments_of({"term": 100.01}, {"term": 3}), 0, parties=(*PARTIES, "region"))

    assert by_line(ledger) == {
        "term.term.payer.region": {5: 33.34},
        "unpaid.term.term.payer.outcome_payer": {3: 6.67},
        "term.term.payer.outcome_payer": {3: 60.00},
        "step.rest.loan": {3: 60.00, 5: 33.34},
    }


def test_investor__who_owes_the_payer_pays_by_tranche():
    # Source: hand arithmetic; a payment of -90 is owed by the lenders, two thirds of whom are the senior ones.
    tranches = {"senior": {"holder": "bank", "size": 200}, "junior": {"holder": "investor", "size": 100}}

    capital = capital_of(tranches=tranches, drawn_share=0.0)
    ledger = moved(capital, payments_of({"term": -90.0}, {"term": 3}), 300, parties=(*PARTIES, "bank"))

    assert ledger.cash("bank").sum() == -6_000
    assert ledger.cash("investor").sum() == -3_000
    assert ledger.cash("outcome_payer").sum() == 9_000


def test_stop__ends_draws_and_costs_but_not_what_is_owed():
    # Source: hand arithmetic. 100 a month for ten months; stopped at month 3, whose own cost is still paid: 400. A termination
    # payment of 300 is 75 % of what is outstanding.
    capital = capital_of(draws="as_needed", costs={"delivery": {"payee": "service_provider", "per_month": 100, "until_month": 9}})

    ledger = moved(capital, payments_of({"termination": 300.0}, {"termination": 4}, stop=[3]), 1_000, 12)

    assert by_line(ledger)["cost.delivery"] == dict.fromkeys(range(4), 100)
    assert ledger.lost[0].tolist() == [10_000]


def test_costs__by_person_follow_the_waves_and_rise_with_prices():
    # Source: hand arithmetic. 24 people enter evenly over 2.9 months, which are two whole ones, as where the people are drawn; each
    # costs 100, half of it in each of two months: 600, 1,200, 600; at 21 % a year the twelfth month costs 1.21 times the price.
    per_person = {"delivery": {"payee": "service_provider", "per_person": 100, "over_months": 2}}
    rising = {"delivery": {"payee": "service_provider", "amount": 100, "from_month": 12, "growth_per_year": 0.21}}

    people = moved(
        capital_of(draws="as_needed", costs=per_person), payments_of(*NOTHING), 1e6, waves={"all": (3, 2.9)}, people=[[24]]
    )
    prices = moved(capital_of(draws="as_needed", costs=rising), payments_of(*NOTHING), 1e6)

    assert by_line(people)["cost.delivery"] == {3: 600, 4: 1200, 5: 600}
    assert by_line(prices)["cost.delivery"] == {12: 121}


def test_counter_guarantee__makes_good_what_a_guarantor_paid():
    # Source: hand arithmetic. 1,000 lost; the first guarantor pays 800, of which the second makes good half.
    guarantees = {
        "second_call": {"guarantor": "region", "covers": ["first_call"], "share": 0.5},
        "first_call": {"guarantor": "guarantor", "covers": ["loan"], "at_most_share_of_drawn": 0.8},
    }

    capital = capital_of(guarantees=guarantees)
    ledger = moved(capital, payments_of(*NOTHING), 1_000, parties=(*PARTIES, "guarantor", "region"))

    assert ledger.cash("guarantor").sum() == (-800 + 400) * 100
    assert ledger.cash("region").sum() == -400 * 100
    assert ledger.lost[0].tolist() == [20_000]


def test_shortfall__is_refused_with_its_size_unless_the_study_allows_it():
    # Source: hand arithmetic; 100 a month for three months cannot be paid out of 250.
    costs = {"delivery": {"payee": "service_provider", "per_month": 100, "until_month": 2}}

    with pytest.raises(
        StudyError, match=r"capital\.costs\.delivery: the money must suffice for every cost; found up to 50\.00 unpaid"
    ):
        moved(capital_of(draws="as_needed", costs=costs), payments_of(*NOTHING), 250)
    allowed = moved(capital_of(draws="as_needed", costs=costs, shortfall="allowed"), payments_of(*NOTHING), 250)
    assert by_line(allowed)["unpaid.cost.delivery"] == {2: 50}


def test_guarantee__never_makes_the_lender_of_any_replication_worse_off():
    # Invariant: monotone under common random numbers.
    losses = np.linspace(0, 1, 101)
    income = payments_of({"term": (1 - losses) * 1_000}, {"term": 12})
    draws = draws_of(len(losses))

    back = [
        moved(
            capital_of(guarantees={"promise": {"guarantor": "outcome_payer", "covers": ["loan"], "share": share}}),
            income, 1_000, draws=draws,
        ).cash("investor").sum(axis=1)
        for share in (0.0, 0.25, 0.5, 1.0)
    ]  # fmt: skip

    assert (np.diff(back, axis=0) >= 0).all()
    assert not back[-1].any()


@pytest.mark.parametrize(("at_most", "is_exhausted"), [(1_000, False), (999.99, True), (1_000.01, False)])
def test_guarantee__that_covers_the_loss_to_the_unit_was_enough(at_most, is_exhausted):
    # Source: hand arithmetic; 1,000.00 lost.
    guarantees = {"promise": {"guarantor": "outcome_payer", "covers": ["loan"], "at_most": at_most}}

    ledger = moved(capital_of(guarantees=guarantees), payments_of(*NOTHING), 1_000)

    assert ledger.exhausted[0].tolist() == [is_exhausted]
    assert ledger.lost[0, 0] == (1 if is_exhausted else 0)


def test_principal__of_the_largest_loan_comes_back_to_the_unit_however_it_is_shared():
    # Source: hand arithmetic. 10^17 units are beyond what floating point tells apart; what is due in all is paid to each in full.
    tranches = {name: {"holder": "investor", "size": size} for name, size in (("a", 3e14 + 0.1), ("b", 1e14 + 0.3), ("c", "rest"))}
    waterfall = {"back": {"principal": ["a", "b", "c"]}, "rest": {"rest": {"service_provider": "rest"}}}
    capital = capital_of(tranches=tranches, waterfall=waterfall, drawdown_months=7)

    ledger = moved(capital, payments_of({"term": 1e15}, {"term": 12}), 1e15)

    assert ledger.drawn.tolist() == [1e15]
    assert ledger.lost[0].tolist() == [0, 0, 0]


def test_payer__that_pays_in_part_pays_to_the_nearest_unit():
    # Source: hand arithmetic. 70 % of 1.01 is 0.707: 0.71 comes and 0.30 is left.
    payers = {"outcome_payer": {"share": "rest", "pays_share": 0.7}}

    lines = by_line(moved(capital_of(payers=payers), payments_of({"term": 1.01}, {"term": 3}), 0))

    assert lines["term.term.payer.outcome_payer"] == {3: 0.71}
    assert lines["unpaid.term.term.payer.outcome_payer"] == {3: 0.30}
