"""Distributions that every contract obeys, on contracts that nobody wrote; and closed forms of the usual ones."""

from itertools import pairwise
from math import comb

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from simengine.contract import settle_terms
from simengine.contract.spec import Contract
from simengine.records import Measurements
from tests.conftest import sized
from tests.contract.random_contracts import NUMBERS, SIGNED, contracts, outcomes, terms
from tests.contract.test_twin import measurements_of

NAMES = ("drawn", "one", "two")
PURE = ("amount", "share", "price", "target", "steps", "line", "sum", "product", "least", "greatest", "first_of", "until")
METRIC = {"meaning": "something", "unit": "SEK"}
DISTRIBUTION = settings(max_examples=sized(50, 150), suppress_health_check=list(HealthCheck))


def contract_of(**made):
    raw = {"title": "A test", "currency": "SEK", "commitment": 1e6, "terms": made}
    return Contract.model_validate(raw | {"metrics": dict.fromkeys(("one", "two", "three"), METRIC)})


def pay(contract, replication, drawn):
    payments = settle_terms(contract, measurements_of([replication]), np.array([drawn]))
    return dict(zip(payments.terms, payments.amount[0].tolist(), strict=True))


PURE_TERMS = terms(NAMES, kinds=PURE, per_wave=False)
REPLICATIONS = outcomes(may_lack=False)


@DISTRIBUTION
@given(PURE_TERMS, PURE_TERMS, REPLICATIONS, NUMBERS)
def test_terms__add(one, other, replication, drawn):
    # Invariant: under each term is paid what it pays alone, in any order; and their sum is the sum of both.
    together, turned = contract_of(a=one, b=other), contract_of(b=other, a=one)
    alone = pay(contract_of(a=one), replication, drawn) | pay(contract_of(b=other), replication, drawn)

    assert pay(together, replication, drawn) == alone == pay(turned, replication, drawn)
    added = pay(contract_of(a={"sum": [one, other]}), replication, drawn)["a"]
    assert added == pytest.approx(sum(alone.values()), rel=1e-12, abs=0.0150001)


@DISTRIBUTION
@given(PURE_TERMS, SIGNED, REPLICATIONS, NUMBERS)
def test_cap__twice_is_once_and_is_never_exceeded(term, cap, replication, drawn):
    once = pay(contract_of(a={"sum": [term], "cap": cap}), replication, drawn)["a"]
    twice = pay(contract_of(a={"sum": [{"sum": [term], "cap": cap}], "cap": cap}), replication, drawn)["a"]

    assert twice == once <= cap + 0.005001


@DISTRIBUTION
@given(PURE_TERMS, SIGNED, REPLICATIONS, NUMBERS)
def test_floor__is_never_undercut(term, floor, replication, drawn):
    assert pay(contract_of(a={"sum": [term], "floor": floor}), replication, drawn)["a"] >= floor - 0.005001


@DISTRIBUTION
@given(PURE_TERMS, st.integers(0, 30).map(float), st.integers(0, 30).map(float), REPLICATIONS, NUMBERS)
def test_cohort__split_in_two_with_pooled_metrics_pays_the_same(term, first, second, replication, drawn):
    # Invariant: how people are dealt out to waves changes no payment on pooled metrics.
    contract = contract_of(a=term)
    estimate = np.array([[replication[name] for name in ("one", "two", "three")]])
    split = Measurements(
        ("one", "two", "three"), estimate, estimate, estimate, np.stack([estimate, estimate], 1), np.array([[first, second]])
    )
    whole = Measurements(("one", "two", "three"), estimate, estimate, estimate, estimate[:, None], np.array([[first + second]]))

    paid_split, paid_whole = (settle_terms(contract, one, np.array([drawn])).amount for one in (split, whole))

    assert paid_split.tolist() == paid_whole.tolist()


def test_price_per_wave__adds_up_to_the_price_of_all():
    # Invariant: a price is linear, so wave by wave it pays what it pays on the sum.
    metrics = {"one": METRIC | {"over_waves": "sum"}}
    raw = {"title": "A test", "currency": "SEK", "commitment": 1e6, "metrics": metrics, "waves": {"first": "a", "second": "b"}}
    by_wave, together = (
        Contract.model_validate(raw | {"terms": {"a": term}})
        for term in ({"per_wave": {"price": 7, "per": "one"}}, {"price": 7, "per": "one"})
    )
    estimate = np.array([[[3.0], [4.0]]])
    measured = Measurements(("one",), estimate.sum(axis=1), estimate[:, 0], estimate[:, 0], estimate)

    assert settle_terms(by_wave, measured, np.ones(1)).amount == settle_terms(together, measured, np.ones(1)).amount == 49


MONEY = (
    "amount",
    "pays",
    "full",
    "floor",
    "cap",
    "otherwise",
    "until",
    "above",
    "deadweight",
    "up_to",
    "at_least",
    "below",
    "at_most",
)


def in_other_money(node, scale, key=""):
    """Return a term in which every amount of money, written as a number, is multiplied; factors are left."""
    if isinstance(node, dict):
        kept = {"at_most"} if "target" in node else set()
        return {name: child if name in kept else in_other_money(child, scale, name) for name, child in node.items()}
    if isinstance(node, list):
        return [in_other_money(child, scale, key) for child in node]
    factors = ("share", "price", "first", "then")
    return scale * node if isinstance(node, float) and key not in factors else node


@DISTRIBUTION
@given(
    terms(NAMES, kinds=("amount", "share", "price", "steps", "sum", "least", "greatest", "until"), depth=1, per_wave=False),
    REPLICATIONS,
    NUMBERS,
)
def test_payment__scales_with_money(term, replication, drawn):
    # Invariant: with every amount of money k times as large, the payment is; k is a power of two, so that no edge moves.
    scale = 4.0
    larger, gained = in_other_money(term, scale), {name: scale * number for name, number in replication.items()}

    got = pay(contract_of(a=larger), gained, scale * drawn)["a"]

    assert got == pytest.approx(scale * pay(contract_of(a=term), replication, drawn)["a"], rel=1e-9, abs=0.005 * (1 + scale) + 1e-6)


RISING = st.recursive(
    st.sampled_from(["one", "drawn"]) | SIGNED,
    lambda below: st.one_of(
        st.fixed_dictionaries({"share": NUMBERS, "of": below}),
        st.fixed_dictionaries({"price": NUMBERS, "per": below}),
        st.fixed_dictionaries({"sum": st.lists(below, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"least": st.lists(below, min_size=2, max_size=3)}),
        st.fixed_dictionaries({"greatest": st.lists(below, min_size=2, max_size=3)}),
        st.fixed_dictionaries({"until": NUMBERS, "of": below, "first": st.sampled_from([0.5, 1.0]), "then": NUMBERS}),
        st.fixed_dictionaries({"steps": st.just([{"at_least": 5.0, "pays": 9.0}, {"at_least": 0.0, "pays": 4.0}]), "of": below}),
        st.fixed_dictionaries(
            {"line": st.just([{"at": 0.0, "pays": -1.0}, {"at": 0.0, "pays": 2.0}, {"at": 9.0, "pays": 8.0}]), "of": below}
        ),
    ),
    max_leaves=5,
)


@DISTRIBUTION
@given(RISING, REPLICATIONS, st.floats(0, 1000, allow_subnormal=False), NUMBERS)
def test_payment__never_falls_when_the_outcome_rises(term, replication, rise, drawn):
    # Invariant: what is made of rising parts rises.
    assume(isinstance(term, dict))
    contract = contract_of(a=term)

    before = pay(contract, replication, drawn)["a"]
    after = pay(contract, replication | {"one": replication["one"] + rise}, drawn)["a"]

    assert after >= before - 1e-9 * abs(before)


@DISTRIBUTION
@given(contracts(), outcomes(may_lack=False), NUMBERS)
def test_replications__do_not_see_each_other(raw, replication, drawn):
    # Invariant: the same replication pays the same alone, among others, and in any place, blocks of replications included.
    contract = Contract.model_validate(raw)
    alone = settle_terms(contract, measurements_of([replication]), np.array([drawn])).by_due[0]
    crowd = settle_terms(contract, measurements_of([replication] * 300), np.full(300, drawn)).by_due

    assert (crowd == alone).all()


# ---------------------------------------------------- closed forms ----------------------------------------------------


def expected_payment(term, mean, sd, top=10_000.0):
    """Integrate what a term pays over an estimate that is normal, as a share of its most; exact between its edges."""
    contract = contract_of(a=term)

    def density(levels):
        estimate = np.column_stack([levels, levels, levels])
        unknown = np.full_like(estimate, np.nan)
        paid = settle_terms(
            contract, Measurements(("one", "two", "three"), estimate, unknown, unknown), np.ones(len(levels))
        ).amount[:, 0]
        return paid / top * stats.norm.pdf(levels, mean, sd)

    edges = [mean - 12 * sd, 0.0, 0.05, 0.075, 0.1, 0.15, mean + 12 * sd]
    return sum(integrate.fixed_quad(density, low, high, n=200)[0] for low, high in pairwise(edges))


TOP = 1e10
LINE = {"line": [{"at": 0.05, "pays": 0.0}, {"at": 0.15, "pays": TOP}], "of": "one"}
SLOPE = {"share": TOP / 0.1, "of": "one", "above": 0.05, "floor": 0.0, "cap": TOP}


@pytest.mark.parametrize("term", [LINE, SLOPE], ids=["line", "floor and cap"])
@pytest.mark.parametrize(("mean", "share"), [(0.0, 0.0414667), (0.05, 0.1952258), (0.084, 0.3920777), (0.10, 0.5)])
def test_line_with_floor_and_cap__has_its_closed_form(term, mean, share):
    # Source: K s [psi((m - a) / s) - psi((m - b) / s)], psi(x) = x Phi(x) + phi(x), a = .05, b = .15, s = .05;
    # in shares of K (b - a).
    assert expected_payment(term, mean, 0.05, TOP) == pytest.approx(share, abs=6e-8)


@pytest.mark.parametrize("mean", [0.0, 0.05, 0.084, 0.10])
def test_binary_and_tiers__have_their_closed_forms(mean):
    # Source: B Phi((m - tau) / s), and the sum over tiers of their increments times the same.
    binary = {"amount": TOP, "only_if": {"one": {"at_least": 0.1}}}
    tiers = {"steps": [{"at_least": 0.15, "pays": TOP}, {"at_least": 0.075, "pays": 0.4 * TOP}], "of": "one"}
    passes = lambda edge: stats.norm.cdf((mean - edge) / 0.05)  # noqa: E731

    assert expected_payment(binary, mean, 0.05, TOP) == pytest.approx(passes(0.1), abs=1e-9)
    assert expected_payment(tiers, mean, 0.05, TOP) == pytest.approx(0.4 * passes(0.075) + 0.6 * passes(0.15), abs=1e-9)


@pytest.mark.parametrize(("p", "expected"), [(0.3, 1.40815454), (0.4, 5.98781047), (0.5, 10.46215383)])
def test_rate_card__has_its_exact_binomial_expectation(p, expected):
    # Source: E min(max(X - 18, 0), 12) for X binomial with n = 60; the price is 10^6 so that rounding hides nothing.
    contract = contract_of(a={"price": 1e6, "per": "one", "deadweight": 18, "up_to": 12})
    counts = np.arange(61)
    estimate = np.repeat(counts[:, None].astype(float), 3, axis=1)
    weights = np.array([comb(60, k) * p**k * (1 - p) ** (60 - k) for k in counts])

    paid = settle_terms(contract, Measurements(("one", "two", "three"), estimate, estimate, estimate), np.ones(61)).amount[:, 0]

    assert weights @ paid / 1e6 == pytest.approx(expected, abs=6e-9)


@pytest.mark.parametrize(("p", "expected"), [(0.3, 0.00091285), (0.4, 0.07462369), (0.5, 0.55128909)])
def test_threshold__has_its_exact_binomial_probability(p, expected):
    # Source: P(X >= 30) for X binomial with n = 60.
    contract = contract_of(a={"amount": 1, "only_if": {"one": {"at_least": 30}}})
    counts = np.arange(61)
    estimate = np.repeat(counts[:, None].astype(float), 3, axis=1)

    paid = settle_terms(contract, Measurements(("one", "two", "three"), estimate, estimate, estimate), np.ones(61)).amount[:, 0]

    assert stats.binom.pmf(counts, 60, p) @ paid == pytest.approx(expected, abs=6e-9)
