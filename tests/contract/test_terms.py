"""Every kind of term by hand: small numbers, whole calendars, people, and data that are missing."""

import numpy as np
import pytest

from simengine.contract.rules import contract_rules
from simengine.contract.spec import Contract
from simengine.contract.terms import FAMILIES, TERM_KINDS
from simengine.errors import StudyError, UsageError
from simengine.settlement import replay
from tests.conftest import CHECKOUT
from tests.contract.random_contracts import OF_PEOPLE
from tests.reference.contract import FORMULAE

METRIC = {"meaning": "something", "unit": "SEK"}
YEARS = {"start": {"month": 0, "drawn": 1}, "one": {"month": 12}, "two": {"month": 24}}


def contract_of(terms, **sections):
    raw = {"title": "A test", "currency": "SEK", "commitment": 1e6, "metrics": {"x": METRIC, "y": METRIC}, "terms": terms}
    contract = Contract.model_validate(raw | sections)
    assert list(contract_rules(contract)) == []
    return contract


def paid(terms, drawn=100.0, outcomes=None, until=None, **sections):
    """Return what each term pays, by date where there are dates."""
    contract = contract_of(terms, **sections)
    payments = replay(contract, outcomes if outcomes is not None else {"x": 0.0, "y": 0.0}, drawn, until)
    if not contract.calendar:
        return dict(zip(payments.terms, payments.amount[0].tolist(), strict=True))
    return {name: dict(zip(payments.dues, payments.by_due[0, t].tolist(), strict=True)) for t, name in enumerate(payments.terms)}


def value(term, x=0.0, y=0.0, drawn=100.0, **sections):
    """Return what one term pays."""
    return paid({"a": term}, drawn, {"x": x, "y": y}, **sections)["a"]


def bounds(terms, drawn=100.0, outcomes=None, **sections):
    contract = contract_of(terms, **sections)
    payments = replay(contract, outcomes or {"x": 0.0, "y": 0.0}, drawn)
    return [[payments.limit(0, t, due) for due in range(len(payments.dues))] for t in range(len(payments.terms))]


# ---------------------------------------------------- one date ----------------------------------------------------


@pytest.mark.parametrize(
    ("term", "x", "expected"),
    [
        ({"amount": 12.5}, 0, 12.5),
        ({"share": 0.5, "of": "x"}, 40, 20),
        ({"share": 0.5, "of": "x", "above": 10}, 40, 15),
        ({"share": 2, "of": {"share": 0.5, "of": "drawn"}}, 0, 100),
        # Prices: 3 each beyond 10 that would have come about anyway, 25 at most.
        ({"price": 3, "per": "x", "deadweight": 10, "up_to": 25}, 5, 0),
        ({"price": 3, "per": "x", "deadweight": 10, "up_to": 25}, 20, 30),
        ({"price": 3, "per": "x", "deadweight": 10, "up_to": 25}, 90, 75),
        # Tranches: 4 each up to 10, 3 each from 10 to 30, 1 each beyond.
        ({"prices": [{"beyond": 0, "price": 4}, {"beyond": 10, "price": 3}, {"beyond": 30, "price": 1}], "per": "x"}, -5, 0),
        ({"prices": [{"beyond": 0, "price": 4}, {"beyond": 10, "price": 3}, {"beyond": 30, "price": 1}], "per": "x"}, 12, 46),
        ({"prices": [{"beyond": 0, "price": 4}, {"beyond": 10, "price": 3}, {"beyond": 30, "price": 1}], "per": "x"}, 40, 110),
        # Part payment below target: 80 x min(1, x / 0.8); nothing below 0.2.
        ({"target": 0.8, "of": "x", "full": 80}, 0.4, 40),
        ({"target": 0.8, "of": "x", "full": 80}, 1.6, 80),
        ({"target": 0.8, "of": "x", "full": 80, "at_most": 1.5}, 1.6, 120),
        ({"target": 0.8, "of": "x", "full": 80}, -1, 0),
        ({"target": 0.8, "of": "x", "full": 80, "pays_from": 0.2}, 0.2, 20),
        ({"target": 0.8, "of": "x", "full": 80, "pays_from": 0.2}, np.nextafter(0.2, 0), 0),
        ({"sum": [1, "x", {"share": 2, "of": "x"}]}, 5, 16),
        ({"product": [3, "x", "x"]}, 5, 75),
        ({"least": [3, "x"]}, 5, 3),
        ({"greatest": [3, "x"]}, 5, 5),
        # 95 % until 19 is reached, at x = 20; then 40 % of the rest.
        ({"until": 19, "of": "x", "first": 0.95, "then": 0.40}, 10, 9.5),
        ({"until": 19, "of": "x", "first": 0.95, "then": 0.40}, 20, 19),
        ({"until": 19, "of": "x", "first": 0.95, "then": 0.40}, 30, 23),
        ({"until": -5, "of": "x", "first": 0.95, "then": 0.40}, 30, 12),
        ({"to_multiple": 1.2}, 0, 120),
        # Two-sided: without a floor the investor may owe.
        ({"share": 1, "of": "x", "floor": -30}, -50, -30),
    ],
)
def test_formula__by_hand(term, x, expected):
    # Source: hand arithmetic on the definition of each term; 100 is drawn.
    assert value(term, x=x) == expected


STEPS = {
    "steps": [
        {"at_least": 0.2, "pays": 50},
        {"at_least": 0.1, "below": 0.2, "pays": 20},
        {"above": 0.05, "at_most": 0.07, "pays": {"share": 0.1, "of": "drawn"}},
    ],
    "of": "x",
    "otherwise": 1,
}


@pytest.mark.parametrize(
    ("x", "expected"),
    [(0.2, 50), (np.nextafter(0.2, 0), 20), (0.1, 20), (np.nextafter(0.1, 0), 1), (0.07, 10), (np.nextafter(0.07, 1), 1),
     (0.05, 1), (np.nextafter(0.05, 1), 10), (-9, 1), (9, 50)],
)  # fmt: skip
def test_steps__count_their_edges_exactly(x, expected):
    # Source: the definition; the neighbouring floating-point number falls into the neighbouring band.
    assert value(STEPS, x=x) == expected


LINE = {"line": [{"at": 0.05, "pays": 0}, {"at": 0.10, "pays": 20}, {"at": 0.10, "pays": 60}, {"at": 0.15, "pays": 100}], "of": "x"}


@pytest.mark.parametrize(
    ("x", "expected"), [(-1, 0), (0.05, 0), (0.075, 10), (np.nextafter(0.1, 0), 20), (0.1, 60), (0.125, 80), (0.15, 100), (7, 100)]
)
def test_line__joins_its_points_and_jumps_where_two_stand_at_one_place(x, expected):
    # Source: hand arithmetic; at the jump the edge itself is paid by the second point.
    assert value(LINE, x=x) == expected


@pytest.mark.parametrize(("x", "expected"), [(0, 0), (1, 10), (2, 20)])
def test_steps__pay_the_first_band_that_holds(x, expected):
    # Source: the definition; from 2 on both bands hold.
    assert value({"steps": [{"at_least": 2, "pays": 20}, {"at_least": 1, "pays": 10}], "of": "x"}, x=x) == expected


def test_first_of__falls_back():
    # Source: the definition. A trigger at 10, else a lower one on y at 5, else nothing.
    term = {"first_of": [
        {"amount": 100, "only_if": {"x": {"at_least": 10}}},
        {"amount": 40, "only_if": {"y": {"at_least": 5}}},
    ]}  # fmt: skip
    assert value(term, x=10, y=9) == 100
    assert value(term, x=9, y=5) == 40
    assert value(term, x=9, y=4) == 0


def test_total_cap__cuts_later_terms_first_and_says_so():
    # Source: hand arithmetic: 60 + 50 against a cap of 80.
    terms = {
        "a": {"amount": 60},
        "b": {"amount": 50},
        "c": {"amount": 5},
        "d": {"amount": 7, "payer": "investor", "payee": "service_provider"},
    }
    assert paid(terms, total_cap=80) == {"a": 60, "b": 20, "c": 0, "d": 7}
    assert bounds(terms, total_cap=80) == [["formula"], ["total_cap"], ["total_cap"], ["formula"]]


def test_total_cap__that_is_just_reached_decides_nothing_and_counts_what_is_yet_to_fall_due():
    # Source: hand arithmetic: 60 of a cap of 60 is the formula's. Settled after a year and paid in month 30, it leaves nothing to a
    # term that is paid in month 24.
    assert bounds({"a": {"amount": 60}}, total_cap=60) == [["formula"]]
    terms = {"late": {"amount": 60, "at": ["one"], "delay_months": 18}, "soon": {"amount": 50, "at": ["two"]}}
    assert paid(terms, total_cap=60, dates=YEARS)["soon"]["two"] == 0


def test_total_cap__that_falls_takes_nothing_back():
    # Source: hand arithmetic: 60 of a cap of 100, which falls to 40: nothing is left, and the 20 too much stay where they are.
    cap = {"in_force_from": {"start": 100, "one": 40}}
    assert paid({"a": {"amount": 60}}, total_cap=cap, dates=YEARS)["a"] == {"start": 60, "one": 0, "two": 0}


def test_guarantee__of_a_third_party_makes_good_what_a_table_did_not_pay():
    # Source: hand arithmetic: 100 drawn, 30 paid, 70 lacking, 50 guaranteed.
    terms = {
        "city": {"steps": [{"at_least": 1, "pays": 30}], "of": "x"},
        "guarantee": {"share": 1, "of": "drawn", "above": "city", "floor": 0, "cap": 50, "payer": "guarantor"},
    }
    assert paid(terms, outcomes={"x": 1, "y": 0}, parties={"guarantor": "a foundation"}) == {"city": 30, "guarantee": 50}


def test_bonus_and_malus__follow_the_payments_before_them():
    # Source: hand arithmetic. The provider gets a third of the return beyond 100 drawn, and pays 10 back below a target of 5.
    terms = {
        "outcome": {"share": 1, "of": "x"},
        "bonus": {"share": 1 / 4, "of": "outcome", "above": "drawn", "floor": 0, "payer": "investor", "payee": "service_provider"},
        "malus": {"amount": 10, "only_if": {"y": {"below": 5}}, "payer": "service_provider", "payee": "outcome_payer"},
        "surplus": {"share": 0.5, "of": "x", "above": "returned", "payee": "service_provider"},
    }
    assert paid(terms, outcomes={"x": 140, "y": 4}) == {"outcome": 140, "bonus": 10, "malus": 10, "surplus": 5}
    assert paid(terms, outcomes={"x": 90, "y": 5}) == {"outcome": 90, "bonus": 0, "malus": 0, "surplus": 0}


# ---------------------------------------------------- dates ----------------------------------------------------


def test_coupon__is_paid_on_what_is_outstanding():
    # Source: hand arithmetic: 10 % on 100 for a year; 40 repaid; 10 % on 60 for the next.
    terms = {
        "coupon": {"coupon": 0.1, "of": "outstanding", "at": ["one", "two"]},
        "principal": {"amount": 40, "at": ["one"], "repays_principal": True},
    }
    assert paid(terms, dates=YEARS) == {
        "coupon": {"start": 0, "one": 10, "two": 6},
        "principal": {"start": 0, "one": 40, "two": 0},
    }


HALVES = {"start": {"month": 0, "drawn": 0.5}, "y1": {"month": 12, "drawn": 0.5}, "mid": {"month": 18}, "y2": {"month": 24}}
THIRDS = {
    "start": {"month": 0, "drawn": 0.5},
    "may": {"month": 5, "drawn": 0.3},
    "september": {"month": 9, "drawn": 0.2},
    "y1": {"month": 12},
    "april": {"month": 16},
    "july": {"month": 19},
    "y2": {"month": 24},
}


def test_coupon__accrues_on_what_is_outstanding_month_by_month():
    # Source: hand arithmetic, 8 % on a million, half of it drawn at the start and half after a year: 40,000 in the first year.
    # Half of what is outstanding is repaid after 18 months: 80,000 less 8 % of 500,000 for half a year = 60,000.
    terms = {
        "interest": {"coupon": 0.08, "of": "outstanding", "at": ["y1", "y2"]},
        "back": {"share": 0.5, "of": "outstanding", "at": ["mid"], "repays_principal": True},
    }
    found = paid(terms, drawn=1e6, dates=HALVES)
    assert (found["interest"]["y1"], found["back"]["mid"], found["interest"]["y2"]) == (40_000, 500_000, 60_000)


def test_coupon__counts_every_draw_and_repayment_from_its_month():
    # Source: hand arithmetic at 1 % a month, of 1,000 drawn. Three draws: 500 for 12 months, 300 for 7, 200 for 3: 87.00 in the
    # first year. Two repayments, 400 in month 16 and 250 in month 19: 1,000 x 12 - 400 x 8 - 250 x 5 = 7,550: 75.50.
    terms = {
        "interest": {"coupon": 0.12, "of": "outstanding", "at": ["y1", "y2"]},
        "first": {"amount": 400, "at": ["april"], "repays_principal": True},
        "second": {"amount": 250, "at": ["july"], "repays_principal": True},
    }
    found = paid(terms, drawn=1e3, dates=THIRDS)
    assert (found["interest"]["y1"], found["interest"]["y2"]) == (87, 75.5)


def test_coupon__does_not_care_in_which_order_terms_stand_on_a_date():
    # Source: hand arithmetic: what is repaid on the date itself bore interest until then, 100 at 10 %; 60 for the year after.
    coupon = {"coupon": {"coupon": 0.1, "of": "outstanding", "at": ["one", "two"]}}
    principal = {"principal": {"amount": 40, "at": ["one"], "repays_principal": True}}
    for terms in (coupon | principal, principal | coupon):
        assert paid(terms, dates=YEARS)["coupon"] == {"start": 0, "one": 10, "two": 6}


def test_coupon__counts_a_repayment_from_the_month_in_which_it_is_paid():
    # Source: hand arithmetic: settled after a year, paid three months later: 100 for 3 months and 60 for 9, at 10 %: 7.
    terms = {
        "coupon": {"coupon": 0.1, "of": "outstanding", "at": ["one", "two"]},
        "principal": {"amount": 40, "at": ["one"], "delay_months": 3, "repays_principal": True},
    }
    assert paid(terms, dates=YEARS)["coupon"]["two"] == 7


def test_coupon__on_part_of_a_sum_or_on_what_came_back_accrues_as_well():
    # Source: hand arithmetic. 40 of 100 are repaid in month 12. What is outstanding beyond 70 is 30 for a year, then nothing: 3 at
    # 10 %. What came back is 0 for a year, then 40: 2 at 5 %.
    terms = {
        "layer": {"coupon": 0.1, "of": {"share": 1, "of": "outstanding", "above": 70, "floor": 0}, "at": ["two"]},
        "on_returned": {"coupon": 0.05, "of": "returned", "at": ["two"]},
        "principal": {"amount": 40, "at": ["one"], "repays_principal": True},
    }
    found = paid(terms, dates=YEARS)
    assert found["layer"]["two"] == 3
    assert found["on_returned"]["two"] == 2


def test_return_to_date__catches_up():
    # Source: hand arithmetic. 100 at 10 % is 110 after a year; 50 is paid; 60 at 10 % is 66 after the second.
    terms = {"part": {"amount": 50, "at": ["one"]}, "rest": {"to_irr": 0.10, "at": ["one", "two"]}}
    capped = terms | {"rest": terms["rest"] | {"cap": 0, "at": ["one"]}, "all": {"to_irr": 0.10, "at": ["two"]}}

    assert paid(terms, dates=YEARS)["rest"] == {"start": 0, "one": 60, "two": 0}
    assert paid(capped, dates=YEARS)["all"]["two"] == 66


def test_return_to_date__counts_money_from_when_it_is_paid_in():
    # Source: hand arithmetic: 50 at the start and 50 after a year, at 10 %: 50 x 1.21 + 50 x 1.1 = 115.5 after two years.
    dates = {"start": {"month": 0, "drawn": 0.5}, "one": {"month": 12, "drawn": 0.5}, "two": {"month": 24}}
    assert paid({"all": {"to_irr": 0.10, "at": ["two"]}}, dates=dates)["all"]["two"] == 115.5


def test_return_to_date__may_follow_a_table():
    # Source: hand arithmetic: the rate is 7.5 % at 0.6, so 107.5 after a year.
    table = {"steps": [{"at_least": 0.6, "pays": 0.075}], "of": "x"}
    assert paid({"all": {"to_irr": table, "at": ["one"]}}, outcomes={"x": 0.6}, dates=YEARS)["all"]["one"] == 107.5


@pytest.mark.parametrize(("saving", "expected"), [(100, 95), (200, 110 + 0.4 * (200 - 110 / 0.95))])
def test_share__changes_once_principal_and_interest_are_returned(saving, expected):
    # Source: hand arithmetic: 95 % until 110 (100 at 10 % for a year) is reached, then 40 % of the rest.
    term = {"until": {"to_irr": 0.10}, "of": "x", "first": 0.95, "then": 0.40, "at": ["one"]}
    assert paid({"a": term}, outcomes={"x": saving}, dates=YEARS)["a"]["one"] == pytest.approx(expected, abs=0.005)


def test_delay__moves_the_money_and_what_later_terms_see_of_it():
    # Source: hand arithmetic: settled after one year and paid after two and a half, so nothing is returned by year two.
    terms = {"late": {"amount": 30, "at": ["one"], "delay_months": 18}, "seen": {"sum": ["returned"], "at": ["two"]}}
    contract = contract_of(terms, dates=YEARS)
    payments = replay(contract, {}, 100.0)

    assert payments.months.tolist() == [[-1, 30, -1], [-1, -1, 24]]
    assert paid(terms, dates=YEARS)["seen"]["two"] == 0
    assert paid(terms | {"late": terms["late"] | {"delay_months": 12}}, dates=YEARS)["seen"]["two"] == 30


def test_true_up__settles_the_difference_and_claws_back():
    # Source: hand arithmetic: 40 in the first year; 70, or 25, is due in all after the second.
    interim = {"interim": {"amount": 40, "at": ["one"]}}
    for due, claw_back, expected in ((70, False, 30), (25, False, 0), (25, True, -15)):
        final = {"true_up": due, "against": ["interim"], "claw_back": claw_back, "at": ["two"]}
        assert paid(interim | {"final": final}, dates=YEARS)["final"]["two"] == expected


def test_index__grows_from_the_start():
    # Source: hand arithmetic: 100 x 1.1^2 after two years.
    assert paid({"a": {"indexed": 100, "rate_per_year": 0.1}}, dates=YEARS)["a"] == {"start": 100, "one": 110, "two": 121}


def test_amendment__changes_the_wording_from_a_date_on():
    # Source: the definition.
    term = {"in_force_from": {"one": {"share": 1, "of": "x"}, "two": {"share": 2, "of": "y"}}}
    assert paid({"a": term}, outcomes={"x": 10, "y": 20}, dates=YEARS)["a"] == {"start": 0, "one": 10, "two": 40}


STOPPED = {
    "stops": {"early_end": {"at": "one", "only_if": {"x": {"below": 0.1}}, "by": ["investor", "outcome_payer"]}},
    "dates": YEARS,
}


def test_stop__ends_later_payments_but_for_those_that_outlive_it():
    # Source: the definition. At the first look the contract is stopped; three quarters of the principal come back.
    terms = {
        "fee": {"amount": 10},
        "back": {"share": 0.75, "of": "drawn", "only_if": {"early_end": {"at_least": 1}}, "at": ["one"]},
        "costs": {"amount": 1, "despite_stop": True},
    }
    stopped = paid(terms, outcomes={"x": 0.05}, **STOPPED)
    assert stopped["fee"] == {"start": 10, "one": 10, "two": 0}
    assert stopped["back"]["one"] == 75
    assert stopped["costs"]["two"] == 1
    assert bounds(terms, outcomes={"x": 0.05}, **STOPPED)[0] == ["formula", "formula", "stop"]
    assert paid(terms, outcomes={"x": 0.1}, **STOPPED)["fee"]["two"] == 10


def test_stop__is_not_undone_by_a_later_one_that_is_not_used():
    # Source: the definition: stopped at the start, so nothing is paid after it, whatever is decided a year later.
    stops = {"first": {"at": "start", "only_if": {"x": {"below": 1}}, "by": ["investor"]},
             "second": {"at": "one", "only_if": {"y": {"below": 0}}, "by": ["investor"]}}  # fmt: skip
    assert paid({"fee": {"amount": 10}}, stops=stops, dates=YEARS)["fee"] == {"start": 10, "one": 0, "two": 0}


@pytest.mark.parametrize("order", [("holds", "never"), ("never", "holds")])
def test_stop__ends_the_contract_where_one_of_two_on_a_date_holds(order):
    # Source: the definition: each stop ends the contract by itself, in whichever order they stand.
    gates = {"holds": {"x": {"below": 1}}, "never": {"y": {"below": 0}}}
    stops = {name: {"at": "one", "only_if": gates[name], "by": ["investor"]} for name in order}
    assert paid({"fee": {"amount": 10}}, stops=stops, dates=YEARS)["fee"] == {"start": 10, "one": 10, "two": 0}


@pytest.mark.parametrize(("x", "y", "month"), [(0, 0, 12), (1, 0, 24), (0, 1, 12), (1, 1, -1)])
def test_stop__has_the_month_of_the_first_that_holds(x, y, month):
    # Source: the definition; one stop is decided after a year and one after two, each below 1.
    stops = {"second": {"at": "two", "only_if": {"y": {"below": 1}}, "by": ["investor"]},
             "first": {"at": "one", "only_if": {"x": {"below": 1}}, "by": ["investor"]}}  # fmt: skip
    contract = contract_of({"fee": {"amount": 10}}, stops=stops, dates=YEARS)
    assert replay(contract, {"x": float(x), "y": float(y)}, 100.0).stop_month.tolist() == [month]


def test_reinvestment__turns_income_into_later_delivery():
    # Source: hand arithmetic: half of the 80 that came back in the first year pays for delivery in the second.
    terms = {
        "income": {"amount": 80, "at": ["one"]},
        "delivery": {"share": 0.5, "of": "returned", "payer": "investor", "payee": "service_provider", "at": ["two"]},
    }
    assert paid(terms, dates=YEARS)["delivery"]["two"] == 40


# ---------------------------------------------------- waves and persons ----------------------------------------------------

WAVES = {"waves": {"first": "the first", "second": "the second"}}
COHORTS = {
    "per_wave": {"amount": 100, "only_if": {"x": {"at_least": 0.10}}},
}


def test_per_wave__settles_each_wave_on_its_own_result():
    # Source: hand arithmetic.
    outcomes = {"x.first": 0.12, "x.second": 0.08}
    assert paid({"a": COHORTS}, outcomes=outcomes, **WAVES) == {"a": 100}
    assert paid({"a": COHORTS | {"waves": ["second"]}}, outcomes=outcomes, **WAVES) == {"a": 0}


def test_cohort_trigger__falls_back_on_the_pooled_result():
    # Source: hand arithmetic: 8.4 % and 9.7 % miss the trigger of 10 % each, 9 % together meets that of 7.5 %.
    terms = {
        "cohorts": COHORTS,
        "pooled": {"amount": 70, "only_if": {"x": {"at_least": 0.075}, "cohorts": {"at_most": 0}}},
    }
    missed = {"x.first": 0.084, "x.second": 0.097, "x": 0.09}
    assert paid(terms, outcomes=missed, **WAVES) == {"cohorts": 0, "pooled": 70}
    assert paid(terms, outcomes=missed | {"x.second": 0.1}, **WAVES) == {"cohorts": 100, "pooled": 0}
    assert paid(terms, outcomes=missed | {"x": 0.0749}, **WAVES) == {"cohorts": 0, "pooled": 0}


def test_cumulative__counts_earlier_waves_by_their_people():
    # Source: hand arithmetic: (30 x 0.4 + 10 x 0.8) / 40 = 0.5 for the second wave; as a sum 1.2.
    term = {"per_wave": {"share": 100, "of": "x"}, "waves": ["second"], "cumulative": True}
    outcomes = {"x.first": 0.4, "x.second": 0.8, "people.first": 30, "people.second": 10}
    assert paid({"a": term}, outcomes=outcomes, **WAVES) == {"a": 50}
    sums = {"metrics": {"x": METRIC | {"over_waves": "sum"}}}
    assert paid({"a": term}, outcomes=outcomes, **WAVES, **sums)["a"] == pytest.approx(120)


def test_cumulative__mean_over_nobody_is_missing_and_a_wave_of_nobody_has_no_say():
    # Source: the definition of a mean by people. Nobody in the first wave, and its result unknown: 100 x 0.8 of the second alone.
    # Nobody in either: the fallback of 5 is paid.
    term = {"first_of": [{"per_wave": {"share": 100, "of": "x"}, "waves": ["second"], "cumulative": True}, {"amount": 5}]}
    outcomes = {"x.second": 0.8, "people.first": 0, "people.second": 10}
    assert paid({"a": term}, outcomes=outcomes, **WAVES) == {"a": 80}
    assert paid({"a": term}, outcomes=outcomes | {"x.first": 0.4, "people.second": 0}, **WAVES) == {"a": 5}


PEOPLE = {"milestones": {"entry": "starts work", "half": "stays half a year", "year": "stays a year"}}
NOBODY = dict.fromkeys(["entry", "half", "year", "entry+half", "entry+year", "half+year", "entry+half+year"], 0)
STAGES = {"milestones": {"entry": 100, "half": 200, "year": 400}, "cap_per_person": 600}


def test_milestones__are_paid_per_person_up_to_a_cap():
    # Source: hand arithmetic: 10 people at 100, 5 at 300, 2 at min(700, 600); 20 without any.
    outcomes = NOBODY | {"none": 20, "entry": 10, "entry+half": 5, "entry+half+year": 2}
    assert paid({"a": STAGES}, outcomes=outcomes, **PEOPLE) == {"a": 1000 + 1500 + 1200}


def test_milestones__in_order_need_those_before():
    # Source: hand arithmetic: 4 people have the year without the half: they are paid for entry alone.
    outcomes = NOBODY | {"entry+year": 4, "year": 3}
    assert paid({"a": STAGES | {"in_order": True}}, outcomes=outcomes, **PEOPLE) == {"a": 400}
    assert paid({"a": STAGES}, outcomes=outcomes, **PEOPLE) == {"a": 4 * 500 + 3 * 400}


def test_milestones__of_a_wave_count_those_of_the_waves_before_where_it_is_cumulative():
    # Source: hand arithmetic: 3 people of the first wave and 2 of the second, 100 each.
    term = {"per_wave": {"milestones": {"entry": 100}}, "waves": ["second"]}
    entry = {"milestones": {"entry": "starts work"}}
    outcomes = {"entry.first": 3, "entry.second": 2}
    assert paid({"a": term}, outcomes=outcomes, **WAVES, **entry) == {"a": 200}
    assert paid({"a": term | {"cumulative": True}}, outcomes=outcomes, **WAVES, **entry) == {"a": 500}


# ---------------------------------------------------- missing data ----------------------------------------------------


def test_missing__is_refused_unless_the_contract_says_what_counts():
    # Source: the definition.
    with pytest.raises(UsageError, match="must be given for all that the contract pays on, x; missing: x"):
        paid({"a": {"share": 1, "of": "x"}}, outcomes={})
    assert paid({"a": {"share": 1, "of": "x"}}, outcomes={}, metrics={"x": METRIC | {"when_missing": 7}}) == {"a": 7}


def test_missing__passes_to_the_fallback():
    # Source: the definition: the first alternative that is measured and open.
    fallback = {"a": {"first_of": [{"share": 1, "of": "x"}, {"amount": 5}]}}
    assert paid(fallback, outcomes={"x": 3}) == {"a": 3}
    assert paid(fallback, outcomes={}) == {"a": 5}


def test_missing__matters_where_no_alternative_is_sure_to_apply():
    # Source: the definition: y is known to shut the second alternative, and nobody knows what the first would pay.
    term = {"first_of": [{"share": 1, "of": "x"}, {"amount": 5, "only_if": {"y": {"at_least": 1}}}]}
    with pytest.raises(UsageError, match="missing: x"):
        paid({"a": term}, outcomes={"y": 0})


def test_missing__rate_of_return_is_noticed_before_anything_has_grown():
    # Source: the definition; on the day of the draw no rate changes what is lacking.
    rest = {"to_irr": {"steps": [{"at_least": 0, "pays": 0.1}], "of": "x"}, "at": ["start"]}
    assert paid({"rest": rest}, outcomes={"x": 1}, dates=YEARS)["rest"]["start"] == 100
    with pytest.raises(UsageError, match="missing: x"):
        paid({"rest": rest}, outcomes={}, dates=YEARS)


def test_missing__does_not_hide_behind_a_gate_that_is_in_doubt():
    # Source: the definition: a gate known to be shut shuts, one that cannot be judged leaves the payment open.
    term = {"a": {"amount": 5, "only_if": {"x": {"at_least": 1}, "y": {"at_least": 1}}}}
    assert paid(term, outcomes={"x": 0}) == {"a": 0}
    with pytest.raises(UsageError, match="missing: y"):
        paid(term, outcomes={"x": 1})


def test_missing__matters_only_up_to_the_date_that_is_asked_for():
    terms = {"first": {"share": 1, "of": "x", "at": ["one"]}, "last": {"share": 1, "of": "y", "at": ["two"]}}
    assert paid(terms, outcomes={"x": 3}, dates=YEARS, until="one")["first"] == {"start": 0, "one": 3}
    with pytest.raises(UsageError, match="missing: y"):
        paid(terms, outcomes={"x": 3}, dates=YEARS)


def test_missing__in_one_replication_stops_a_settlement_and_names_the_term():
    from simengine.contract import settle_terms, typed_measurements

    contract = contract_of({"a": {"share": 1, "of": "x"}})
    with pytest.raises(
        StudyError, match=r"contract\.terms\.a: everything that a payment depends on must be measured; found no value"
    ):
        settle_terms(contract, typed_measurements(contract, {"x": 1.0}, {}), np.array([1.0, 1.0]))


# ---------------------------------------------------- the language as a whole ----------------------------------------------------


def test_kinds__each_have_a_twin_and_a_file():
    files = {path.stem for path in (CHECKOUT / "simengine" / "contract" / "terms").glob("*.py")} - {"__init__", "base"}
    assert {family.__name__.rpartition(".")[2] for family in FAMILIES} == files
    # Rate cards and numbers reached have a twin of their own: tests/reference/rate_card.py.
    assert FORMULAE.keys() | set(OF_PEOPLE) == TERM_KINDS.keys()


def test_calendar__of_a_copy_with_other_dates_is_its_own():
    contract = contract_of({"a": {"share": 1, "of": "x"}}, dates=YEARS)
    assert list(contract.calendar) == ["start", "one", "two"]
    copied = contract.model_copy(update={"dates": {name: date for name, date in contract.dates.items() if name != "two"}})
    assert list(copied.calendar) == ["start", "one"]
    assert list(contract.calendar) == ["start", "one", "two"]


PAY_AND_BACK = {
    "bonus": {"share": 1, "of": "x"},
    "claw_back": {"share": 1, "of": "y", "payer": "investor", "payee": "outcome_payer"},
    "refund": {"share": 1, "of": "y", "payer": "service_provider", "payee": "investor"},
    "fee": {"amount": 5, "contingent": False},
}


@pytest.mark.parametrize(
    ("names", "signs"),
    [
        (["bonus", "claw_back", "refund", "fee"], {"bonus": 1, "claw_back": -1}),
        (["bonus", "fee"], {"bonus": 1}),
        (["refund", "fee"], {"refund": 1}),
        (["fee"], {}),
    ],
)
def test_payment_for_outcomes__is_what_the_outcome_payer_pays_less_what_comes_back(names, signs):
    # Source: the definition. Between others nothing is paid for outcomes, unless nobody else moves money for them.
    contract = contract_of({name: PAY_AND_BACK[name] for name in names})
    assert contract.paid_for_outcomes() == signs


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (
            {"steps": [{"at_least": 1, "below": 2, "pays": 3}, {"at_least": 2, "pays": 4}], "of": "x"},
            [("steps.0.at_least", 1, "from"), ("steps.0.below", 2, "until"), ("steps.1.at_least", 2, "from")],
        ),
        ({"line": [{"at": 1, "pays": 0}, {"at": 2, "pays": 1}], "of": "x"}, [("line.0.at", 1, "at"), ("line.1.at", 2, "at")]),
        ({"target": 5, "pays_from": 2, "full": 10, "of": "x"}, [("target", 5, "from"), ("pays_from", 2, "from")]),
        ({"target": 5, "full": 10, "of": "x"}, [("target", 5, "from")]),
        (
            {"prices": [{"beyond": 0, "price": 1}, {"beyond": 10, "price": 2}], "per": "x"},
            [("prices.0.beyond", 0, "from"), ("prices.1.beyond", 10, "from")],
        ),
        ({"share": 0.5, "of": "x"}, []),
    ],
)
def test_edges__are_told_by_the_kind_with_the_keys_under_which_they_stand(term, expected):
    made = TERM_KINDS[next(iter(term))].model_validate(term)
    assert [(edge.key, edge.level, edge.side) for edge in made.edges()] == expected
    for edge in made.edges():
        node = made.model_dump()
        for key in edge.key.split("."):
            node = node[int(key) if key.isdigit() else key]
        assert node["value"] == edge.level


def test_edges__belong_to_kinds_that_say_what_they_look_at():
    assert {key for key, kind in TERM_KINDS.items() if kind.looks_at} == {"steps", "line", "target", "prices"}
    assert all(("edges" in vars(kind)) is bool(kind.looks_at) for kind in TERM_KINDS.values())
    assert all(kind.looks_at in kind.model_fields for kind in TERM_KINDS.values() if kind.looks_at)
