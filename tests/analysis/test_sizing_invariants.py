"""Distributions of sizing and of waiting, on random problems: what no contract, no limit and no pilot can break."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simengine.config.sizing import Free
from simengine.questions.information.value_of_knowing import value_of_knowing, value_with_hindsight
from simengine.questions.size.no_deal import explain_no_deal
from simengine.questions.size.search import Table, TermSearch
from simengine.risk.amounts import Columns
from simengine.risk.limits import read_limit, read_measure
from tests.conftest import sized

N = 400
FREE = {"price": Free(low=0.0, high=1.0), "guarantee": Free(low=0.0, high=1.0)}
KINDS = ("p_loss <=", "p_npv_below(0.2) <=", "p_cost_over(0.1) <=", "cvar(0.8) <=", "expected_net >=", "expected_npv >=")


def contract(seed: int):
    """Lend 1; get back a guarantee and a price for each of an uncertain number; who pays has a gain of its own."""
    random = np.random.default_rng(seed)
    count, gain = random.gamma(2.0, 0.5, N), random.normal(1.0, 1.0, N)

    def settle(terms: Mapping[str, float]) -> Mapping[str, Columns]:
        paid = np.minimum(terms["guarantee"] + terms["price"] * count, 1.4)
        lender, payer = paid - 1, gain - paid
        columns = {"a.net": lender, "a.npv": lender / 1.1, "b.net": payer, "b.npv": payer / 1.1}
        return {"a": columns, "b": columns}

    return settle


def searched(seed: int, limits: list[str]) -> TermSearch:
    search = TermSearch(
        Table(FREE, (read_measure("a.expected_npv"),), tuple(map(read_limit, limits)), "equal_sacrifice", (None,)),
        contract(seed),
        36,
    )
    search.fill()
    return search


@st.composite
def limits(draw):
    """Return two limits of each of two parties, and by how much each is looser in another table."""
    found = []
    for party in ("a", "b"):
        for kind in draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=2, unique=True)):
            # A probability stays within 0 and 1, however loose the limit.
            is_share = kind.startswith("p_")
            level = draw(st.floats(0, 0.5) if is_share else st.floats(-0.6, 0.6))
            found.append((f"{party}.{kind}", level, draw(st.floats(0, 0.5))))
    return found


@settings(deadline=None, max_examples=sized(20, 60))
@given(limits(), st.integers(0, 5))
def test_looser_limits__never_shrink_the_feasible_set_nor_make_a_deal_impossible(asked, seed) -> None:
    tight = searched(seed, [f"{what} {level:.6f}" for what, level, _ in asked])
    looser = [f"{what} {level + (more if '<=' in what else -more):.6f}" for what, level, more in asked]
    loose = searched(seed, looser)
    assert {point.terms for point in tight.feasible()} <= {point.terms for point in loose.feasible()}
    best = [max((point.objectives[0].value for point in one.feasible()), default=-np.inf) for one in (tight, loose)]
    assert best[0] <= best[1]


@settings(deadline=None, max_examples=sized(10, 25))
@given(limits(), st.integers(0, 5))
@example([("a.expected_net >=", 0.03125, 0.0), ("a.p_loss <=", 0.0, 0.0), ("b.expected_net >=", 0.0, 0.0)], 3)
def test_smallest_move__makes_a_deal_and_without_one_of_a_conflict_the_rest_can_be_kept(asked, seed) -> None:
    written = [f"{what} {level:.6f}" for what, level, _ in asked]
    search = searched(seed, written)
    # As sizing does before it says that there is no deal: between the points of the grid there may be one.
    closest = min(search.pool.values(), key=lambda point: float(search.excess(point).sum()))
    search.improve(closest, lambda point: -float(search.excess(point).sum()))
    if search.feasible():
        return
    found = explain_no_deal(search)
    for move in found.relaxations:
        others = [limit for limit in search.table.limits if limit != move.limit]
        values = dict(zip(search.table.limits, move.point.limits, strict=True))
        assert all(limit.excess(values[limit].value) <= 0 for limit in others)
        assert move.limit.excess(move.to.value) > 0
    for conflict in found.conflicts:
        for left_out in conflict if len(conflict) > 1 else ():
            rest = [limit for limit in conflict if limit != left_out]
            pairs = (dict(zip(search.table.limits, point.limits, strict=True)) for point in search.pool.values())
            assert any(all(limit.excess(values[limit].value) <= 0 for limit in rest) for values in pairs)


@settings(deadline=None, max_examples=sized(20, 60))
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.sampled_from([0.0, 0.5, 0.8, 0.95]), st.integers(0, 5))
def test_more_guarantee__never_raises_the_lenders_cvar_at_any_level(one, other, price, level, seed) -> None:
    settle, tail = contract(seed), read_measure(f"a.cvar({level or 0.01})")
    less, more = (tail.of(settle({"guarantee": share, "price": price})["a"]).value for share in sorted((one, other)))
    assert more <= less + 1e-12


@st.composite
def decisions(draw):
    """Return options whose worth depends on two causes and luck; the first is to do nothing."""
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    n, n_options = 3000, draw(st.integers(1, 3))
    cause, luck = random.normal(size=(n, 2)), random.normal(size=(n, n_options))
    weights, level = random.normal(size=(2, n_options)), random.normal(0, 0.5, n_options)
    net = np.concatenate([np.zeros((n, 1)), level + cause @ weights + draw(st.floats(0, 1)) * luck], axis=1)
    return net, cause, cause + draw(st.floats(0.1, 3)) * random.normal(size=(n, 2))


@settings(deadline=None, max_examples=sized(15, 40))
@given(decisions())
def test_knowing__a_sample_is_worth_no_more_than_the_causes_and_these_no_more_than_everything(decision) -> None:
    """0 <= EVSI <= EVPPI <= EVPI, within 4.5 standard errors; one cause is worth no more than both."""
    net, cause, shown = decision
    sample, causes, everything = value_of_knowing(net, shown), value_of_knowing(net, cause), value_with_hindsight(net)
    single = value_of_knowing(net, cause[:, :1])
    assert min(sample.value, causes.value, single.value, everything.value) >= 0
    for less, more in ((sample, causes), (single, causes), (causes, everything)):
        assert less.value <= more.value + 4.5 * np.hypot(less.se, more.se) + 1e-12


@settings(deadline=None, max_examples=sized(15, 40))
@given(decisions())
def test_options__to_wait_and_to_choose_among_more_are_never_worth_less_than_nothing(decision) -> None:
    """Where all accept, nothing is cut off at 0: what is found without the cut is not below 0 beyond its noise. With one option
    more, what is chosen after learning is worth no less.
    """
    net, _, shown = decision
    willing = np.ones((len(net), 1, net.shape[1]))
    uncut = value_of_knowing(net, shown, willing)
    assert uncut.value >= -4.5 * uncut.se - 1e-12
    fewer = net[:, :-1] if net.shape[1] > 2 else net
    after = [value_of_knowing(one, shown).value + one.mean(axis=0).max() for one in (fewer, net)]
    assert after[0] <= after[1] + 4.5 * uncut.se + 1e-12
