"""Side payments: hand arithmetic, textbook games by enumeration of orders, distributions of the Shapley value, slopes by differences."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from simengine.questions.value.side_payments import by_shapley_value, party_coalitions, proportional, shapley_value
from tests.conftest import sized


def by_orders(n, worth):
    """Return the Shapley value as it is told: players come in every order, and each gets what it adds to those before it."""
    total = np.zeros(n)
    orders = list(permutations(range(n)))
    for order in orders:
        present = frozenset()
        for player in order:
            total[player] += worth(present | {player}) - worth(present)
            present |= {player}
    return total / len(orders)


def table(n, worth):
    return np.array([worth(frozenset(np.flatnonzero(members))) for members in party_coalitions(n)], dtype=np.float64)


def glove(present):
    """One left glove (player 0), two right gloves: a pair is worth 1."""
    return float(0 in present and bool(present & {1, 2}))


def airport(present):
    """A runway as long as the largest aircraft needs, of costs 8, 11, 13 and 18."""
    return float(max((8, 11, 13, 18)[player] for player in present)) if present else 0.0


# ---------------------------------------------- the Shapley value ----------------------------------------------


def test_shapley_value__of_the_glove_game():
    # Source: textbook (Osborne and Rubinstein 1994, A Course in Game Theory, section 14.4): 2 / 3, 1 / 6, 1 / 6.
    assert shapley_value(table(3, glove)) == pytest.approx([2 / 3, 1 / 6, 1 / 6])
    assert by_orders(3, glove) == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_shapley_value__of_the_airport_game():
    # Source: closed form (Littlechild and Owen 1973, Management Science 20): each stretch is shared by those who need it:
    # 8 / 4 = 2; 2 + 3 / 3 = 3; 3 + 2 / 2 = 4; 4 + 5 = 9.
    assert shapley_value(table(4, airport)) == pytest.approx([2, 3, 4, 9])
    assert by_orders(4, airport) == pytest.approx([2, 3, 4, 9])


@settings(deadline=None, max_examples=sized(20, 40))
@given(st.integers(1, 5).flatmap(lambda n: st.lists(st.floats(-100, 100), min_size=2**n, max_size=2**n)))
def test_shapley_value__equals_the_mean_over_all_orders(worth):
    # Source: the definition, by enumeration.
    worth = np.array([0.0, *worth[1:]])
    n = len(worth).bit_length() - 1

    got = shapley_value(worth)

    assert got == pytest.approx(by_orders(n, lambda present: worth[sum(1 << player for player in present)]), abs=1e-9)
    assert got.sum() == pytest.approx(worth[-1], abs=1e-9)


# ------------------------------------------------ side payments ------------------------------------------------


def test_proportional__makes_losers_whole_by_hand():
    # Source: hand arithmetic. Losses 3 and 1; gains 6 and 2, of which 4 / 8 are paid: 3 and 1.
    received, _ = proportional(np.array([-3.0, 6.0, -1.0, 2.0, 0.0]))

    assert received.tolist() == [3, -3, 1, -1, 0]


def test_proportional__is_nothing_where_nobody_loses():
    received, slope = proportional(np.array([3.0, 0.0]))

    assert (received.tolist(), slope.any()) == ([0, 0], False)


def test_shapley__shares_what_is_gained_by_hand():
    # Source: hand arithmetic. The payer loses 4, must agree and gains from nobody; the region gains 10 and need not agree. The deal
    # is worth 6 to both together and 0 to either alone: 3 each, so the region pays 7.
    received, _ = by_shapley_value(np.array([-4.0, 10.0]), [True, False])

    assert received.tolist() == [7, -7]


def test_shapley__gives_those_who_need_not_agree_one_part_of_theirs():
    # Source: closed form. With r who must agree, none of whom loses, one outside gets its x / (r + 1): it comes last of r + 1 with
    # probability 1 / (r + 1). Each of the r gets an equal part of their own and of the rest: here r = 2, 2 and 4 inside, 9 and 3
    # outside: 3 and 1 outside, and (6 + 8) / 2 = 7 each inside.
    received, _ = by_shapley_value(np.array([2.0, 9.0, 4.0, 3.0]), [True, False, True, False])

    assert received + np.array([2, 9, 4, 3]) == pytest.approx([7, 3, 7, 1])


def game(positions, must_agree):
    """The game as the module tells it, coalition by coalition."""
    veto = {i for i, must in enumerate(must_agree) if must or positions[i] < 0}
    return lambda present: max(sum(positions[i] for i in present), 0.0) if veto <= present else 0.0


ACTORS = st.lists(st.tuples(st.integers(-50, 50), st.booleans()), min_size=2, max_size=5)


@settings(deadline=None, max_examples=sized(50, 150))
@given(ACTORS)
def test_side_payments__hold_their_distributions(actors):
    # Source: enumeration of all orders; and distributions: budget balance, nobody below 0, symmetry, dummy.
    positions = np.array([position for position, _ in actors], dtype=np.float64)
    must = [one for _, one in actors]
    in_proportion, shapley = proportional(positions), by_shapley_value(positions, must)
    if positions.sum() < 0:
        assert (in_proportion, shapley) == (None, None)
        return

    for received, _ in (in_proportion, shapley):
        assert received.sum() == pytest.approx(0, abs=1e-9)
        assert (positions + received >= -1e-9).all()
    after = positions + shapley[0]
    assert after == pytest.approx(by_orders(len(actors), game(positions, must)), abs=1e-9)
    for i, one in enumerate(actors):
        if positions[i] == 0 and not must[i]:  # a dummy: adds nothing to anybody
            assert after[i] == pytest.approx(0, abs=1e-9)
        for j, other in enumerate(actors):
            if one == other:
                assert after[i] == pytest.approx(after[j], abs=1e-9)
    # Invariant: no coalition gets more by itself than its members get together.
    worth = game(positions, must)
    for members in party_coalitions(len(actors)):
        assert after[members].sum() >= worth(frozenset(np.flatnonzero(members))) - 1e-9


@settings(deadline=None, max_examples=sized(30, 80))
@given(ACTORS)
def test_slopes__are_those_of_small_differences(actors):
    # Source: central differences, away from where a loser becomes a gainer or a coalition begins to pay.
    positions = np.array([position for position, _ in actors], dtype=np.float64) + np.linspace(0.1, 0.3, len(actors))
    assume(positions.sum() > 0.01)
    assume(all(abs(positions[members].sum()) > 0.01 for members in party_coalitions(len(actors)) if members.any()))
    must = [one for _, one in actors]
    for rule in (proportional, lambda at: by_shapley_value(at, must)):
        _, slope = rule(positions)
        for j in range(len(actors)):
            step = np.eye(len(actors))[j] * 1e-4
            difference = (rule(positions + step)[0] - rule(positions - step)[0]) / 2e-4
            np.testing.assert_allclose(slope[:, j], difference, atol=1e-4)
