"""The instructions behind `vector_operations`, and what a value of sixteen numbers is to the compiler.

The instructions are those of the compiler's own language, which every processor has; only looking up in a table of sixteen is
written for the instruction sets that do it at once. Arithmetic on whole numbers is the same everywhere, and so are the bits.

None of this runs where compilation is switched off.
"""

# ruff: noqa: ARG001 - the compiler asks for signatures by the names of all arguments

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from llvmlite import ir
from numba import extending, types
from numba.core import cgutils, registry

from simengine.cohort.kernels.vector_operations import WIDTH

# What is called from compiled code has other arguments there than a checker of types sees here.
_cgutils_of_any: Any = cgutils


def intrinsic(function: Callable[..., Any]) -> Any:
    """Let Numba call a function for the instructions that stand in its place."""
    return extending.intrinsic(function)


_HALF = WIDTH // 2

_I16, _I32, _I64 = (ir.IntType(bits) for bits in (16, 32, 64))
_VECTOR, _HALF_VECTOR = ir.VectorType(_I32, WIDTH), ir.VectorType(_I32, _HALF)


class _Lanes(types.Type):
    def __init__(self) -> None:
        super().__init__(name="Lanes")


_LANES: Any = _Lanes()


@extending.register_model(_Lanes)
class _LanesModel(extending.models.PrimitiveModel):
    def __init__(self, manager: Any, of: Any) -> None:
        super().__init__(manager, of, _VECTOR)  # type: ignore[no-untyped-call]


def _instruction(build: Callable[..., Any], result: Any, *arguments: Any) -> Any:
    """Return a signature and how its instructions are built; `build` gets the builder, the context, the signature, the values."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return build(builder, context, signature, values)

    return result(*arguments), generate


def _all(value: int) -> Any:
    return ir.Constant(_VECTOR, [value] * WIDTH)


def _place(builder: Any, context: Any, signature: Any, values: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, values[0])
    return builder.bitcast(builder.gep(array.data, [values[1]]), _VECTOR.as_pointer())


@intrinsic
def load(_: Any, array: Any, at: Any) -> Any:
    """Return the numbers at `at` to `at` + 15 of an array of 32-bit words without gaps."""

    def build(builder: Any, context: Any, signature: Any, values: Any) -> Any:
        loaded = builder.load(_place(builder, context, signature, values))
        loaded.align = 4
        return loaded

    return _instruction(build, _LANES, array, types.int64)


@intrinsic
def store_lanes(_: Any, array: Any, at: Any, lanes: Any) -> Any:
    """Put the numbers at `at` to `at` + 15 of an array of 32-bit words without gaps."""

    def build(builder: Any, context: Any, signature: Any, values: Any) -> Any:
        builder.store(values[2], _place(builder, context, signature, values)).align = 4
        return context.get_dummy_value()

    return _instruction(build, types.void, array, types.int64, _LANES)


@intrinsic
def fill(_: Any, value: Any) -> Any:
    """Return the same number in every lane."""
    return _instruction(lambda builder, _c, _s, values: _filled(builder, values[0]), _LANES, types.uint32)


def _filled(builder: Any, value: Any) -> Any:
    first = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(_I32, 0))
    return builder.shuffle_vector(first, ir.Constant(_VECTOR, ir.Undefined), _all(0))


def _of_two(name: str) -> Any:
    @intrinsic
    def operation(_: Any, one: Any, other: Any) -> Any:
        return _instruction(lambda builder, _c, _s, values: getattr(builder, name)(*values), _LANES, _LANES, _LANES)

    return operation


add, both, differ, shift_right = (_of_two(name) for name in ("add", "and_", "xor", "lshr"))


def shifted_left_by(bits: int) -> Any:
    """Make a function that shifts every number to the left; zeros come in below."""

    @intrinsic
    def shift(_: Any, lanes: Any) -> Any:
        return _instruction(lambda builder, _c, _s, values: builder.shl(values[0], _all(bits)), _LANES, _LANES)

    return shift


def turned_left_by(bits: int) -> Any:
    """Make a function that turns every number to the left: the bits that leave above come back below."""

    @intrinsic
    def turn(_: Any, lanes: Any) -> Any:
        def build(builder: Any, context: Any, signature: Any, values: Any) -> Any:
            left, right = builder.shl(values[0], _all(bits)), builder.lshr(values[0], _all(32 - bits))
            return builder.or_(left, right)

        return _instruction(build, _LANES, _LANES)

    return turn


@cache
def are_quick() -> bool:
    """Return whether the processor looks up in a table of sixteen at once; where it does not, people go one by one sooner."""
    features = registry.cpu_target.target_context.codegen().magic_tuple()[2]
    return "+avx512f" in features or "+avx2" in features


@intrinsic
def look_up(_: Any, table: Any, index: Any) -> Any:
    """Return, in each lane, that number of the table whose place is the lane's index; of the index the four lowest bits count."""

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
    function = _cgutils_of_any.get_or_insert_function(builder.module, ir.FunctionType(of, [of] * len(values)), name)
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


@intrinsic
def reaches(_: Any, one: Any, other: Any) -> Any:
    """Return all bits in the lanes where one number is not below the other, without signs, and none elsewhere: -1 and 0."""

    def build(builder: Any, context: Any, signature: Any, values: Any) -> Any:
        return builder.sext(builder.icmp_unsigned(">=", *values), _VECTOR)

    return _instruction(build, _LANES, _LANES, _LANES)


@intrinsic
def add_where_reached(_: Any, count: Any, more: Any, word: Any, threshold: Any) -> Any:
    """Add in the lanes whose word is not below its threshold."""

    def build(builder: Any, context: Any, signature: Any, values: Any) -> Any:
        is_reached = builder.icmp_unsigned(">=", values[2], values[3])
        return builder.select(is_reached, builder.add(values[0], values[1]), values[0])

    return _instruction(build, _LANES, _LANES, _LANES, _LANES, _LANES)


@intrinsic
def where_changed_before(_: Any, before: Any, after: Any, month: Any, end: Any) -> Any:
    """Return a bit for each lane, the lowest for the first: whether its four lowest bits changed, in a month before its end."""

    def build(builder: Any, context: Any, signature: Any, values: Any) -> Any:
        cells = (builder.and_(value, _all(WIDTH - 1)) for value in values[:2])
        changed = builder.icmp_unsigned("!=", *cells)
        is_before = builder.icmp_unsigned("<", values[2], values[3])
        return builder.zext(builder.bitcast(builder.and_(changed, is_before), _I16), _I64)

    return _instruction(build, types.int64, _LANES, _LANES, _LANES, _LANES)


@intrinsic
def place_of_lowest(_: Any, bits: Any) -> Any:
    """Return the place of the lowest bit that is set; one must be."""

    def build(builder: Any, context: Any, signature: Any, values: Any) -> Any:
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 1))

    return _instruction(build, types.int64, types.int64)
