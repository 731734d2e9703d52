"""Where a payment jumps and begins: payments that are drawn by hand."""

import math

import pytest

from simengine.questions.certificate.edges import Jump, find_jumps, first_level


def test_jumps__of_stairs_are_all_found_with_the_money_on_either_side():
    # Source: by hand. 0 below 1, 10 from 1, 30 above 4 (the edge itself does not pay), 5 from 4.5.
    def pay(level):
        return 0.0 if level < 1 else 10.0 if level <= 4 else 30.0 if level < 4.5 else 5.0

    assert find_jumps(pay, -3, 8, 0.01) == [Jump(1.0, 0.0, 10.0), Jump(4.0, 10.0, 30.0), Jump(4.5, 30.0, 5.0)]


def test_jumps__stand_out_from_slopes_and_kinks_which_are_none():
    # Source: by hand. A share of 100 for every unit above 2, capped at 500: bent at 2 and 7, and a bonus of 60 from 5.25.
    def pay(level):
        return round(min(max(100 * (level - 2), 0.0), 500.0) + (60.0 if level >= 5.25 else 0.0), 2)

    (jump,) = find_jumps(pay, -10, 10, 0.01)
    assert jump.edge == pytest.approx(5.25, abs=1e-8)
    assert (jump.below, jump.above) == pytest.approx((325, 385), abs=0.011)
    assert find_jumps(lambda level: round(min(max(1e6 * (level - 2), 0.0), 5e6), 2), -10, 10, 0.01) == []


def test_jumps__of_a_curve_are_none():
    assert find_jumps(lambda level: round(1e5 * math.exp(level), 2), 0, 3, 0.01) == []


def test_jumps__smaller_than_rounding_are_not_told():
    assert find_jumps(lambda level: round(level, 2), 0, 1, 0.01) == []


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e7])
def test_jumps__are_found_on_any_scale(scale):
    (jump,) = find_jumps(lambda level: 7.0 if level >= 0.3 * scale else 0.0, -scale, scale, 0.01)
    assert jump.edge == pytest.approx(0.3 * scale, rel=1e-8)


def test_first_level__is_where_a_payment_begins():
    # Source: by hand. 2 of every unit above 1.5 reach 7 at 5.
    assert first_level(lambda level: max(2 * (level - 1.5), 0.0), -10, 10, lambda paid: paid > 0) == pytest.approx(1.5)
    assert first_level(lambda level: max(2 * (level - 1.5), 0.0), -10, 10, lambda paid: paid >= 7) == pytest.approx(5.0)


def test_first_level__is_none_where_it_is_reached_everywhere_or_nowhere():
    assert first_level(lambda level: 1.0, -1, 1, lambda paid: paid > 0) is None
    assert first_level(lambda level: 0.0, -1, 1, lambda paid: paid > 0) is None
