"""Settling terms: Norrköping by hand, the compiled kernel against its slow twin, and the distributions that every contract obeys."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simengine.config import find_study, load_contract
from simengine.contract import settle_terms, typed_measurements
from simengine.contract.kernels.program import BLOCK
from simengine.contract.spec import Contract
from simengine.records import Drawing, Measurements
from simengine.settlement import settle_outcomes
from tests.conftest import sized
from tests.reference import contract as reference

MILLION = 1_000_000.0


@cache
def shipped(name):
    return load_contract(find_study("norrkoping").parent / "contracts" / f"{name}.yaml")


def contract_of(dates=None, **terms):
    """Make a contract on the metrics `one` and `two`."""
    metric = {"meaning": "something", "unit": "SEK"}
    raw = {"title": "A test", "currency": "SEK", "commitment": 1e6, "metrics": {"one": metric, "two": metric}, "terms": terms}
    return Contract.model_validate(raw | {"dates": dates or {}})


def pay(contract, drawn=0.0, **outcomes):
    """Return what each term pays and what decided it, for one set of outcomes; outcomes that are not named are 0."""
    payments = settle_outcomes(contract, dict.fromkeys(contract.metrics, 0.0) | outcomes, drawn)
    words = [payments.limits[t][code] for t, code in enumerate(payments.bound[0])]
    return dict(zip(payments.terms, zip(payments.amount[0].tolist(), words, strict=True), strict=True))


def amounts(contract, drawn=0.0, **outcomes):
    return {name: amount for name, (amount, _) in pay(contract, drawn, **outcomes).items()}


# ---------------------------------------------------- by hand ----------------------------------------------------


@pytest.mark.parametrize(
    ("saving", "school", "guarantee", "saving_share", "upside", "total"),
    [
        (-3, 1, (4, "formula"), (0, "floor"), (0, "floor"), 4),
        (0, 1, (4, "formula"), (0, "formula"), (0, "floor"), 4),
        (5, 1, (4, "formula"), (3, "formula"), (0, "floor"), 7),
        (10, 1, (4, "formula"), (6, "formula"), (0, "formula"), 10),
        (11, 1, (4, "formula"), (6, "cap"), (1, "formula"), 11),
        (25, 1, (4, "formula"), (6, "cap"), (2, "cap"), 12),
        (25, 0, (4, "formula"), (6, "cap"), (0, "gate"), 10),
        (5, 0, (4, "formula"), (3, "formula"), (0, "gate"), 7),
        (25, -0.1, (4, "formula"), (6, "cap"), (0, "gate"), 10),
    ],
)
def test_norrkoping__pays_by_its_three_terms(saving, school, guarantee, saving_share, upside, total):
    # Source: hand arithmetic on L = 10 M drawn. Guarantee 0.4 L = 4; sharing 0.6 S between 0 and 0.6 L = 6; upside S - L
    # between 0 and 0.2 L = 2, if school results are better. In millions.
    contract = shipped("norrkoping")

    got = pay(contract, 10 * MILLION, saving=saving * MILLION, school=school)

    expected = {"guarantee": guarantee, "saving_share": saving_share, "upside": upside}
    assert got == {name: (amount * MILLION, decided) for name, (amount, decided) in expected.items()}
    assert sum(amount for amount, _ in got.values()) == total * MILLION


@pytest.mark.parametrize(
    ("saving", "school", "total"), [(-3, 1, 4), (0, 1, 4), (3, 1, 4), (4, 1, 4), (5, 1, 5), (10, 1, 10), (25, 1, 12), (25, 0, 10)]
)
def test_norrkoping__pays_less_in_between_by_its_other_reading(saving, school, total):
    # Source: hand arithmetic, max(0.4 L, min(S, L)) plus the upside, L = 10 M drawn. In millions.
    contract = shipped("norrkoping_reading_b")

    assert sum(amounts(contract, 10 * MILLION, saving=saving * MILLION, school=school).values()) == total * MILLION


def test_norrkoping__pays_on_what_was_drawn_not_on_what_was_committed():
    # Source: hand arithmetic. On 7.5 M drawn: guarantee 3.0 M; at S = 25 M 4.5 M of sharing and 1.5 M of upside, 9.0 M in all.
    contract = shipped("norrkoping")

    assert sum(amounts(contract, 7.5 * MILLION).values()) == 3.0 * MILLION
    assert sum(amounts(contract, 7.5 * MILLION, saving=25 * MILLION, school=0.1).values()) == 9.0 * MILLION
    assert sum(amounts(contract, 0.0, saving=25 * MILLION, school=0.1).values()) == 0.0


@settings(deadline=None, max_examples=sized(40, 100))
@given(st.integers(-30 * 10**6, 40 * 10**6), st.sampled_from([-0.2, 0.0, 0.2]), st.integers(0, 10**7))
def test_norrkoping__follows_the_published_formulae(saving, school, drawn):
    # Source: closed form of each reading, with L drawn, S saved and e = 1 if school results are better.
    better = school > 0
    upside = better * min(max(saving - drawn, 0), 0.2 * drawn)
    a = 0.4 * drawn + 0.6 * min(max(saving, 0), drawn) + upside
    b = max(0.4 * drawn, min(saving, drawn)) + upside

    for name, expected in (("norrkoping", a), ("norrkoping_reading_b", b)):
        got = sum(amounts(shipped(name), drawn, saving=saving, school=school).values())
        assert got == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    ("gate", "measured", "paid"),
    [
        ({"above": 0.5}, 0.5, (0.0, "gate")),
        ({"above": 0.5}, np.nextafter(0.5, 1), (100.0, "formula")),
        ({"above": 0.5}, 0.4, (0.0, "gate")),
        ({"at_least": 0.5}, 0.5, (100.0, "formula")),
        ({"at_least": 0.5}, np.nextafter(0.5, 0), (0.0, "gate")),
        ({"at_least": 0.5}, 0.6, (100.0, "formula")),
        ({"above": 0}, 0.0, (0.0, "gate")),
        ({"above": 0}, -0.0, (0.0, "gate")),
        ({"at_least": 0}, -0.0, (100.0, "formula")),
    ],
)
def test_gate__says_whether_its_edge_pays(gate, measured, paid):
    # Source: the definition; `above` leaves the edge out, `at_least` lets it pay.
    contract = contract_of(bonus={"share": 0.1, "of": "drawn", "only_if": {"two": gate}})

    assert pay(contract, 1000, two=measured) == {"bonus": paid}


def test_gates__must_all_be_open():
    # Source: hand arithmetic.
    contract = contract_of(bonus={"share": 1, "of": "one", "only_if": {"one": {"at_least": 10}, "two": {"above": 0}}})

    assert pay(contract, one=10, two=1) == {"bonus": (10.0, "formula")}
    assert pay(contract, one=9, two=1) == {"bonus": (0.0, "gate")}
    assert pay(contract, one=10, two=0) == {"bonus": (0.0, "gate")}
    assert pay(contract, one=9, two=0) == {"bonus": (0.0, "gate")}


def test_gate__shuts_a_floor_too():
    # Source: the definition of a term, 0 while a gate is shut.
    contract = contract_of(bonus={"share": 1, "of": "one", "floor": 50, "only_if": {"two": {"above": 0}}})

    assert pay(contract, one=-5, two=1) == {"bonus": (50.0, "floor")}
    assert pay(contract, one=-5, two=0) == {"bonus": (0.0, "gate")}


def test_limits__may_be_shares_of_a_metric():
    # Source: hand arithmetic. 0.5 x (80 - 0.25 x 40) = 35, between 0.1 x 40 = 4 and 0.75 x 40 = 30.
    part = {"of": "two"}
    term = {
        "share": 0.5,
        "of": "one",
        "above": {"share": 0.25, **part},
        "floor": {"share": 0.1, **part},
        "cap": {"share": 0.75, **part},
    }
    contract = contract_of(term=term)

    assert pay(contract, one=80, two=40) == {"term": (30.0, "cap")}
    assert pay(contract, one=60, two=40) == {"term": (25.0, "formula")}
    assert pay(contract, one=10, two=40) == {"term": (4.0, "floor")}


def test_cap__wins_where_a_floor_of_another_kind_is_above_it():
    # Source: the definition, min(max(formula, floor), cap): a floor of 50 and a cap of 0.1 x 200 drawn = 20.
    contract = contract_of(term={"share": 1, "of": "one", "floor": 50, "cap": {"share": 0.1, "of": "drawn"}})

    assert pay(contract, 200, one=10) == {"term": (20.0, "cap")}
    assert pay(contract, 2000, one=10) == {"term": (50.0, "floor")}


@pytest.mark.parametrize(
    ("measured", "paid"),
    [(0.124, 0.12), (0.126, 0.13), (0.125, 0.12), (0.375, 0.38), (-0.125, -0.12), (-0.375, -0.38), (1 / 3, 0.33), (1e12, 1e12)],
)
def test_amount__is_rounded_half_to_even_to_the_smallest_unit(measured, paid):
    # Source: hand arithmetic; 1/8 and 3/8 are exact in binary, so they are true ties.
    assert amounts(contract_of(term={"share": 1, "of": "one"}), one=measured) == {"term": paid}


def test_settle__finds_its_metrics_by_name():
    # Source: hand arithmetic; the evaluator measured more, and in another order.
    contract = contract_of(a={"share": 1, "of": "one"}, b={"share": 1, "of": "two", "only_if": {"one": {"above": 6}}})
    estimate = np.array([[99.0, 5.0, 7.0], [98.0, 6.0, 8.0]])
    measurements = Measurements(("other", "two", "one"), estimate, np.zeros_like(estimate), np.zeros_like(estimate))

    payments = settle_terms(contract, measurements, np.array([0.0, 0.0]))

    assert payments.terms == ("a", "b")
    np.testing.assert_array_equal(payments.amount, [[7, 5], [8, 6]])


def test_settle__reads_every_replication_beyond_the_first_block():
    # Source: the definition of a share of 1, for more replications than are worked on at once.
    contract, estimate = contract_of(term={"share": 1, "of": "one"}), np.arange(2.0 * BLOCK + 1)[:, None]

    payments = settle_terms(contract, Measurements(("one",), estimate, estimate, estimate), np.zeros(len(estimate)))

    np.testing.assert_array_equal(payments.amount, estimate)


def test_settle__counts_what_is_drawn_in_the_month_of_the_date():
    # Source: hand arithmetic: 40 drawn at the start and 60 in month 12, on which what was paid in is given back.
    contract = contract_of(term={"to_multiple": 1}, dates={"one": {"month": 12}})
    by_month = np.zeros((1, 13))
    by_month[0, [0, 12]] = 40, 60

    payments = settle_terms(contract, typed_measurements(contract, {}, {}), Drawing(np.array([100.0]), by_month))

    np.testing.assert_array_equal(payments.amount, [[100]])


# --------------------------------------------- against the slow twin ---------------------------------------------

NUMBERS = st.sampled_from([0.0, 0.5, 1.0, 2.0, 10.0, 100.0]) | st.floats(0, 1000, allow_subnormal=False)
SIGNED = st.sampled_from([-10.0, 0.0, 0.5, 1.0, 2.0, 10.0]) | st.floats(-1000, 1000, allow_subnormal=False)
NAMES = st.sampled_from(["drawn", "one", "two"])
PARTS = SIGNED | st.fixed_dictionaries({"share": NUMBERS, "of": NAMES})
GATES = st.dictionaries(
    st.sampled_from(["one", "two"]), st.fixed_dictionaries({"above": SIGNED}) | st.fixed_dictionaries({"at_least": SIGNED})
)
TERMS = st.fixed_dictionaries(
    {"share": NUMBERS, "of": NAMES}, optional={"above": PARTS, "floor": PARTS, "cap": PARTS, "only_if": GATES}
)  # fmt: skip
OUTCOMES = st.fixed_dictionaries({"one": SIGNED, "two": SIGNED})


@settings(deadline=None, max_examples=sized(80, 200))
@given(st.lists(TERMS, min_size=1, max_size=4), st.lists(st.tuples(OUTCOMES, NUMBERS), min_size=1, max_size=5))
def test_settle__equals_its_slow_twin(terms, draws):
    # Source: the slow twin, tests/reference/contract.py.
    contract = contract_of(**{f"t{i}": term for i, term in enumerate(terms)})
    estimate = np.array([[outcomes["one"], outcomes["two"]] for outcomes, _ in draws])
    measurements = Measurements(("one", "two"), estimate, np.zeros_like(estimate), np.zeros_like(estimate))

    payments = settle_terms(contract, measurements, np.array([drawn for _, drawn in draws]))

    for r, (outcomes, drawn) in enumerate(draws):
        expected = reference.settle(contract, outcomes, drawn)
        assert payments.amount[r].tolist() == [amount for amount, _ in expected.values()]
        assert [payments.limits[t][code] for t, code in enumerate(payments.bound[r])] == [
            decided for _, decided in expected.values()
        ]


# ---------------------------------------------------- distributions ----------------------------------------------------


@settings(deadline=None, max_examples=sized(25, 50))
@given(TERMS, TERMS, OUTCOMES, NUMBERS)
def test_terms__add(one, other, outcomes, drawn):
    # Invariant: a contract pays under each term what that term pays alone, in any order.
    together, turned = contract_of(a=one, b=other), contract_of(b=other, a=one)
    alone = pay(contract_of(a=one), drawn, **outcomes) | pay(contract_of(b=other), drawn, **outcomes)

    assert pay(together, drawn, **outcomes) == alone == pay(turned, drawn, **outcomes)


@settings(deadline=None, max_examples=sized(25, 50))
@given(NUMBERS, SIGNED, st.floats(0, 1000, allow_subnormal=False), OUTCOMES, NUMBERS)
def test_limits__are_never_passed(share, floor, width, outcomes, drawn):
    # Invariant: floor <= payment <= cap, to the rounding of the smallest unit.
    contract = contract_of(a={"share": share, "of": "one", "floor": floor, "cap": floor + width})

    paid = amounts(contract, drawn, **outcomes)["a"]

    assert floor - 0.005001 <= paid <= floor + width + 0.005001


@settings(deadline=None, max_examples=sized(25, 50))
@given(TERMS, PARTS, OUTCOMES, NUMBERS)
def test_cap__twice_is_once(term, cap, outcomes, drawn):
    # Invariant: what a capped term pays is not changed by the same cap; the payment enters the second contract as its metric.
    outcomes = outcomes | {"two": drawn}
    limit = {"share": cap["share"], "of": "drawn"} if isinstance(cap, dict) else cap
    once = amounts(contract_of(a={**term, "cap": limit, "only_if": {}}), drawn, **outcomes)["a"]

    twice = amounts(contract_of(a={"share": 1, "of": "one", "cap": limit}), drawn, one=once)["a"]

    assert twice == pytest.approx(once, abs=0.005001)


def in_other_money(term, outcomes, scale):
    """Return a term and outcomes with every amount of money multiplied; by a power of two, so that no edge moves."""
    parts = {key: scale * term[key] for key in ("above", "floor", "cap") if isinstance(term.get(key), float)}
    gates = {name: {edge: scale * value for edge, value in gate.items()} for name, gate in term.get("only_if", {}).items()}
    return term | parts | {"only_if": gates}, {name: scale * value for name, value in outcomes.items()}


@settings(deadline=None, max_examples=sized(25, 50))
@given(TERMS, OUTCOMES, NUMBERS, st.sampled_from([0.5, 2.0, 4.0, 1024.0]))
def test_payment__scales_with_money(term, outcomes, drawn, scale):
    # Invariant: with every amount of money k times as large the payment is k times as large, to the rounding of both.
    larger, gained = in_other_money(term, outcomes, scale)

    got = amounts(contract_of(a=larger), scale * drawn, **gained)["a"]

    assert got == pytest.approx(scale * amounts(contract_of(a=term), drawn, **outcomes)["a"], abs=0.005 * (1 + scale) + 1e-6)


@settings(deadline=None, max_examples=sized(25, 50))
@given(NUMBERS, PARTS, NUMBERS, NUMBERS, GATES, OUTCOMES, st.floats(0, 1000, allow_subnormal=False), NUMBERS)
def test_payment__never_falls_when_its_metric_rises(share, above, floor, width, gates, outcomes, rise, drawn):
    # Invariant: a term with a floor of at least 0 that refers to `one` alone is monotone in it; so are its gates.
    above = {"share": above["share"], "of": "drawn"} if isinstance(above, dict) else above
    term = {"share": share, "of": "one", "above": above, "floor": floor, "cap": floor + width, "only_if": gates}
    contract = contract_of(a=term)

    before = amounts(contract, drawn, **outcomes)["a"]
    after = amounts(contract, drawn, one=outcomes["one"] + rise, two=outcomes["two"])["a"]

    assert after >= before


@settings(deadline=None, max_examples=sized(25, 50))
@given(TERMS, OUTCOMES, NUMBERS)
def test_amount__is_a_whole_number_of_smallest_units_near_what_is_due(term, outcomes, drawn):
    # Invariant: rounding moves a payment by at most half a smallest unit; what is due is settled in money 16,384 times as large.
    larger, gained = in_other_money(term, outcomes, 2.0**14)

    paid = amounts(contract_of(a=term), drawn, **outcomes)["a"]
    due = amounts(contract_of(a=larger), 2.0**14 * drawn, **gained)["a"] / 2**14

    assert paid == round(paid * 100) / 100
    assert abs(paid - due) <= 0.00501
