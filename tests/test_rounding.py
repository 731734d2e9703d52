"""Money goes to the smallest unit half to even, by its decimal number."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simengine.contract.spec import Contract
from simengine.rounding import nearest_unit, nearest_units
from simengine.settlement import replay
from tests.reference.money import in_proportion


def by_decimal(number: Decimal) -> int:
    return int(number.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


@pytest.mark.parametrize(
    ("amount", "share", "target", "whole"),
    # Source: hand arithmetic: 2,947.5, 2,946.5, 0.5, 1.5, 4.5, 1,234,567.5; and beside a half by one in the last digit that was typed.
    [
        ("7860000", "0.0003", "0.80", 2948),
        ("29465", "0.07", "0.7", 2946),
        ("0.35", "0.1", "0.07", 0),
        ("4.5", "0.1", "0.3", 2),
        ("1.35", "0.1", "0.03", 4),
        ("8641972.5", "0.1", "0.7", 1_234_568),
        ("4.500000001", "0.1", "0.3", 2),
        ("4.499999999", "0.1", "0.3", 1),
    ],
)
def test_half_of_decimal_fractions__goes_to_the_even_unit(amount: str, share: str, target: str, whole: int) -> None:
    assert by_decimal(Decimal(amount) * Decimal(share) / Decimal(target)) == whole

    assert nearest_units(np.array([float(amount) * float(share) / float(target)])).tolist() == [whole]


@settings(deadline=None, max_examples=300)
@given(
    half=st.integers(0, 10**9),
    factor=st.integers(1, 10**5),
    decimals=st.integers(0, 6),
    moved=st.sampled_from([0, 0, 1, -1]),
)
def test_products_of_decimals__are_rounded_as_decimals_are(half: int, factor: int, decimals: int, moved: int) -> None:
    # Source: decimal arithmetic. The amount is an odd number of halves times a typed factor, over that factor; or beside it by 1e-6.
    exact = Decimal(2 * half + 1) / 2 + Decimal(moved) / 10**6
    typed = Decimal(factor).scaleb(-decimals)

    found = float(exact * typed) / float(typed)

    assert nearest_units(np.array([found])).tolist() == [by_decimal(exact)]


def test_a_number_beside_a_half__is_not_taken_for_it() -> None:
    # Source: hand arithmetic: by a part in 10^12 of 2,947.5 and by a fiftieth of a unit of 10^13 they are beside a half.
    beside = np.array([2947.5 * (1 - 1e-12), 2948.5 * (1 + 1e-12), 10.0**13 + 0.48, 10.0**13 + 1.52, 2.0**53 - 1, -(2.0**60)])

    assert nearest_units(beside).tolist() == [2947, 2949, 10**13, 10**13 + 2, 2**53 - 1, -(2**60)]


numbers = st.one_of(
    st.floats(),
    st.floats(-1e15, 1e15),
    st.integers(-(10**12), 10**12).map(lambda twice: twice / 2),
    st.integers(-(10**9), 10**9).map(lambda twice: float(np.nextafter(twice / 2, np.inf))),
    st.integers(-(10**9), 10**9).map(lambda twice: twice / 2 + 0.003),
)


@settings(deadline=None, max_examples=50)
@given(values=st.lists(numbers, min_size=1, max_size=30))
def test_one_amount_and_many__are_rounded_to_the_same_bits(values: list[float]) -> None:
    with np.errstate(all="ignore"):
        one_by_one = np.array([nearest_unit(np.float64(value)) for value in values])

    assert nearest_units(np.array(values)).tobytes() == one_by_one.tobytes()


@settings(deadline=None, max_examples=200)
@given(value=st.floats(-1e17, 1e17))
def test_every_number__goes_to_a_nearest_whole_one(value: float) -> None:
    # By how much a half may be missed, at most: a hundred-and-twenty-eighth of a unit.
    found = float(nearest_units(np.array([value]))[0])

    assert found == round(found)
    assert abs(found - value) <= 0.5 + 2**-7


def test_kobe__pays_the_even_yen() -> None:
    # Source: hand arithmetic: 7,860,000 x 0.0003 / 0.80 = 2,947.5.
    contract = Contract.model_validate(
        {
            "title": "Kobe",
            "currency": "JPY",
            "commitment": 31_150_000,
            "metrics": {"egfr": {"meaning": "share held", "unit": "share"}},
            "terms": {"final": {"target": 0.8, "of": "egfr", "full": {"amount": 7_860_000}}},
        }
    )

    assert replay(contract, {"egfr": 0.0003}, 0).amount.tolist() == [[2948.0]]


def test_parts_of_a_loan__end_on_the_even_unit() -> None:
    # Source: hand arithmetic: 15 of 22 parts of 11 units are 7.5, to even 8; the rest has 3. 11 x (15 / 22) in binary is less.
    from simengine.capital.kernels.parts import share_pro_rata

    got = np.zeros(2, np.int64)
    share_pro_rata(11, np.array([15, 7]), got)

    assert got.tolist() == [8, 3] == in_proportion(11, [15, 7])
