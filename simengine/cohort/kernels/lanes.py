"""Sixteen numbers of 32 bits side by side, as one value: what processors calculate with, and Numba has no word for.

The instructions are those of the compiler's own language, which every processor has; only looking up in a table of sixteen is
written for the instruction sets that do it at once. Arithmetic on whole numbers is the same everywhere, and so are the bits.

None of this runs where compilation is switched off.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

from simengine.accelerate import inlined
from simengine.streams import LOW_32, MULTIPLIER_0, MULTIPLIER_1, ROUNDS, SHIFT_32, next_keys

WIDTH = 16
_HALF = WIDTH // 2

_I16, _I32, _I64 = (ir.IntType(bits) for bits in (16, 32, 64))
_VECTOR, _HALF_VECTOR, _WIDE = ir.VectorType(_I32, WIDTH), ir.VectorType(_I32, _HALF), ir.VectorType(_I64, WIDTH)

Lanes = Any
"""The type of such a value, for a reader; Numba knows it as `_Lanes`."""


class _Lanes(types.Type):  # type: ignore[misc, no-any-unimported]  # Numba ships no types
    def __init__(self) -> None:
        super().__init__(name="Lanes")


_LANES = _Lanes()


@register_model(_Lanes)  # type: ignore[untyped-decorator]
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc, no-any-unimported]
    def __init__(self, manager: Any, of: Any) -> None:
        super().__init__(manager, of, _VECTOR)


def _instruction(build: Callable[..., Any], result: Any, *arguments: Any) -> Any:
    """Give a signature and how its instructions are built; `build` gets the builder, the context, the signature, the values."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return build(builder, context, signature, values)

    return result(*arguments), generate


def _all(value: int) -> Any:
    return ir.Constant(_VECTOR, [value] * WIDTH)


def _place(builder: Any, context: Any, signature: Any, values: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, values[0])
    return builder.bitcast(builder.gep(array.data, [values[1]]), _VECTOR.as_pointer())


@intrinsic  # type: ignore[untyped-decorator]
def load(_: Any, array: Any, at: Any) -> Any:
    """Give the numbers at `at` to `at` + 15 of an array of 32-bit words without gaps."""

    def build(builder: Any, context: Any, signature: Any, values: Any) -> Any:
        loaded = builder.load(_place(builder, context, signature, values))
        loaded.align = 4
        return loaded

    return _instruction(build, _LANES, array, types.int64)


@intrinsic  # type: ignore[untyped-decorator]
def store(_: Any, array: Any, at: Any, lanes: Any) -> Any:
    """Put the numbers at `at` to `at` + 15 of an array of 32-bit words without gaps."""

    def build(builder: Any, context: Any, signature: Any, values: Any) -> Any:
        builder.store(values[2], _place(builder, context, signature, values)).align = 4
        return context.get_dummy_value()

    return _instruction(build, types.void, array, types.int64, _LANES)


@intrinsic  # type: ignore[untyped-decorator]
def fill(_: Any, value: Any) -> Any:
    """Give the same number in every lane."""

    def build(builder: Any, context: Any, signature: Any, values: Any) -> Any:
        first = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), values[0], ir.Constant(_I32, 0))
        return builder.shuffle_vector(first, ir.Constant(_VECTOR, ir.Undefined), _all(0))

    return _instruction(build, _LANES, types.uint32)


def _of_two(name: str) -> Any:
    @intrinsic  # type: ignore[untyped-decorator]
    def operation(_: Any, one: Any, other: Any) -> Any:
        return _instruction(lambda builder, _c, _s, values: getattr(builder, name)(*values), _LANES, _LANES, _LANES)

    return operation


add, multiply, differ, both, shift_right = (_of_two(name) for name in ("add", "mul", "xor", "and_", "lshr"))


@intrinsic  # type: ignore[untyped-decorator]
def multiply_high(_: Any, one: Any, other: Any) -> Any:
    """Give the upper 32 bits of the products."""

    def build(builder: Any, context: Any, signature: Any, values: Any) -> Any:
        product = builder.mul(*(builder.zext(value, _WIDE) for value in values))
        return builder.trunc(builder.lshr(product, ir.Constant(_WIDE, [32] * WIDTH)), _VECTOR)

    return _instruction(build, _LANES, _LANES, _LANES)


@intrinsic  # type: ignore[untyped-decorator]
def look_up(_: Any, table: Any, index: Any) -> Any:
    """Give, in each lane, that number of the table whose place is the lane's index; of the index the four lowest bits count."""

    def build(builder: Any, context: Any, signature: Any, values: Any) -> Any:
        features = context.codegen().magic_tuple()[2]
        if "+avx512f" in features:
            return _call(builder, "llvm.x86.avx512.permvar.si.512", _VECTOR, *values)
        table, index = values[0], builder.and_(values[1], _all(WIDTH - 1))
        if "+avx2" in features:
            return _look_up_by_halves(builder, table, index)
        found = ir.Constant(_VECTOR, ir.Undefined)
        for lane in range(WIDTH):
            here = ir.Constant(_I32, lane)
            found = builder.insert_element(found, builder.extract_element(table, builder.extract_element(index, here)), here)
        return found

    return _instruction(build, _LANES, _LANES, _LANES)


def _call(builder: Any, name: str, of: Any, *values: Any) -> Any:
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(of, [of] * len(values)), name)
    return builder.call(function, values)


def _look_up_by_halves(builder: Any, table: Any, index: Any) -> Any:
    """Look both halves of the indices up in both halves of the table: AVX2 knows tables of eight, and ignores higher bits."""
    halves = [[ir.Constant(_I32, first + lane) for lane in range(_HALF)] for first in (0, _HALF)]
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    of_table, of_index = (
        [builder.shuffle_vector(whole, undefined, ir.Constant(ir.VectorType(_I32, _HALF), half)) for half in halves]
        for whole in (table, index)
    )
    eight = ir.Constant(_HALF_VECTOR, [_HALF] * _HALF)
    found = []
    for part in of_index:
        low, high = (_call(builder, "llvm.x86.avx2.permd", _HALF_VECTOR, of, part) for of in of_table)
        found.append(builder.select(builder.icmp_unsigned("<", part, eight), low, high))
    every = ir.Constant(_VECTOR, [ir.Constant(_I32, lane) for lane in range(WIDTH)])
    return builder.shuffle_vector(found[0], found[1], every)


@intrinsic  # type: ignore[untyped-decorator]
def reaches(_: Any, one: Any, other: Any) -> Any:
    """Give all bits in the lanes where one number is not below the other, without signs, and none elsewhere: -1 and 0."""

    def build(builder: Any, context: Any, signature: Any, values: Any) -> Any:
        return builder.sext(builder.icmp_unsigned(">=", *values), _VECTOR)

    return _instruction(build, _LANES, _LANES, _LANES)


@intrinsic  # type: ignore[untyped-decorator]
def add_where_reached(_: Any, count: Any, more: Any, word: Any, threshold: Any) -> Any:
    """Add in the lanes whose word is not below its threshold."""

    def build(builder: Any, context: Any, signature: Any, values: Any) -> Any:
        is_reached = builder.icmp_unsigned(">=", values[2], values[3])
        return builder.select(is_reached, builder.add(values[0], values[1]), values[0])

    return _instruction(build, _LANES, _LANES, _LANES, _LANES, _LANES)


@intrinsic  # type: ignore[untyped-decorator]
def where_changed_before(_: Any, before: Any, after: Any, month: Any, end: Any) -> Any:
    """Give a bit for each lane, the lowest for the first: whether its four lowest bits changed, in a month before its end."""

    def build(builder: Any, context: Any, signature: Any, values: Any) -> Any:
        cells = (builder.and_(value, _all(WIDTH - 1)) for value in values[:2])
        changed = builder.icmp_unsigned("!=", *cells)
        is_before = builder.icmp_unsigned("<", values[2], values[3])
        return builder.zext(builder.bitcast(builder.and_(changed, is_before), _I16), _I64)

    return _instruction(build, types.int64, _LANES, _LANES, _LANES, _LANES)


@intrinsic  # type: ignore[untyped-decorator]
def place_of_lowest(_: Any, bits: Any) -> Any:
    """Give the place of the lowest bit that is set; one must be."""

    def build(builder: Any, context: Any, signature: Any, values: Any) -> Any:
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 1))

    return _instruction(build, types.int64, types.int64)


_MULTIPLIER_0, _MULTIPLIER_1 = np.uint32(MULTIPLIER_0), np.uint32(MULTIPLIER_1)


@inlined
def _round_abreast(
    a: Lanes, b: Lanes, c: Lanes, d: Lanes, key_0: np.uint64, key_1: np.uint64
) -> tuple[Lanes, Lanes, Lanes, Lanes]:
    high_0, low_0 = multiply_high(fill(_MULTIPLIER_0), a), multiply(fill(_MULTIPLIER_0), a)
    high_1, low_1 = multiply_high(fill(_MULTIPLIER_1), c), multiply(fill(_MULTIPLIER_1), c)
    return differ(differ(high_1, b), fill(np.uint32(key_0))), low_1, differ(differ(high_0, d), fill(np.uint32(key_1))), low_0


@inlined
def philox_abreast(
    seed: np.uint64, index: Lanes, entity: Lanes, replication: np.uint64, purpose: np.uint64
) -> tuple[Lanes, Lanes, Lanes, Lanes]:
    """Do what `streams.philox` does, for sixteen addresses of one replication and purpose."""
    key_0, key_1 = seed & LOW_32, seed >> SHIFT_32
    a, b, c, d = index, entity, fill(np.uint32(replication)), fill(np.uint32(purpose))
    for _ in range(ROUNDS):
        a, b, c, d = _round_abreast(a, b, c, d, key_0, key_1)
        key_0, key_1 = next_keys(key_0, key_1)
    return a, b, c, d


@inlined
def philox_of_one_index(
    seed: np.uint64, index: np.uint64, entity: Lanes, replication: np.uint64, purpose: np.uint64
) -> tuple[Lanes, Lanes, Lanes, Lanes]:
    """Do the same for addresses that have their index in common, too: half of the first three rounds is done but once."""
    key_0, key_1 = seed & LOW_32, seed >> SHIFT_32
    of_index, of_replication = MULTIPLIER_0 * index, MULTIPLIER_1 * replication
    first = differ(entity, fill(np.uint32((of_replication >> SHIFT_32) ^ key_0)))
    low, third, last = of_replication & LOW_32, (of_index >> SHIFT_32) ^ purpose ^ key_1, of_index & LOW_32

    key_0, key_1 = next_keys(key_0, key_1)
    of_third = MULTIPLIER_1 * third
    c = differ(multiply_high(fill(_MULTIPLIER_0), first), fill(np.uint32(last ^ key_1)))
    d = multiply(fill(_MULTIPLIER_0), first)
    one, low = (of_third >> SHIFT_32) ^ low ^ key_0, of_third & LOW_32

    key_0, key_1 = next_keys(key_0, key_1)
    of_one = MULTIPLIER_0 * one
    a = differ(multiply_high(fill(_MULTIPLIER_1), c), fill(np.uint32(low ^ key_0)))
    b = multiply(fill(_MULTIPLIER_1), c)
    c = differ(d, fill(np.uint32((of_one >> SHIFT_32) ^ key_1)))
    d = fill(np.uint32(of_one & LOW_32))
    for _ in range(ROUNDS - 3):
        key_0, key_1 = next_keys(key_0, key_1)
        a, b, c, d = _round_abreast(a, b, c, d, key_0, key_1)
    return a, b, c, d
