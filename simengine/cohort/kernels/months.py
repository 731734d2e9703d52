"""Random words of 32 bits for the months of a person's life, one after the other, for one person or sixteen; and for other rows.

Month m reads word m of a sequence that begins with the four words at the person's address. The sequence is xoshiro128++ (Blackman
and Vigna 2021, "Scrambled linear pseudorandom number generators", doi:10.1145/3460772): a few shifts and sums a word, where a word
at an address of its own costs ten times as much. Nobody reads a month before having read all months before it, so the word is a
function of person and month alone. Two sequences of 2^128 places each, begun at random, do not meet.
"""

from __future__ import annotations

import numpy as np

from simengine.accelerate import inlined
from simengine.cohort.kernels.vector_operations import Lanes, add, differ, shift_left_by, turn_left_by

_FIRST_TURN, _SHIFT, _SECOND_TURN = 7, 9, 11
_LOW_32 = np.uint64(0xFFFFFFFF)
_7, _9, _11, _21, _25 = (np.uint64(bits) for bits in (_FIRST_TURN, _SHIFT, _SECOND_TURN, 32 - _SECOND_TURN, 32 - _FIRST_TURN))
_turn_first, _shift, _turn_second = turn_left_by(_FIRST_TURN), shift_left_by(_SHIFT), turn_left_by(_SECOND_TURN)

Word = np.uint64
"""A word of 32 bits, held in an unsigned 64-bit integer, where no sum overflows."""


@inlined
def word_of(a: Word, d: Word) -> Word:
    """Return the word of a month, from two of the four words of its state."""
    whole = (a + d) & _LOW_32
    return (((whole << _7) | (whole >> _25)) + a) & _LOW_32


@inlined
def after(a: Word, b: Word, c: Word, d: Word) -> tuple[Word, Word, Word, Word]:
    """Return the state of the next month."""
    left = (b << _9) & _LOW_32
    c ^= a
    d ^= b
    return a ^ d, b ^ c, c ^ left, ((d << _11) | (d >> _21)) & _LOW_32


@inlined
def words_of(a: Lanes, d: Lanes) -> Lanes:
    """Do what `word_of` does, for sixteen people."""
    return add(_turn_first(add(a, d)), a)


@inlined
def after_all(a: Lanes, b: Lanes, c: Lanes, d: Lanes) -> tuple[Lanes, Lanes, Lanes, Lanes]:
    """Do what `after` does, for sixteen people."""
    left, third, fourth = _shift(b), differ(c, a), differ(d, b)
    return differ(a, fourth), differ(b, third), differ(third, left), _turn_second(fourth)
