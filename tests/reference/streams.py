"""Philox4x32-10 in whole numbers of Python, the uniforms that are made of its words, and xoshiro128++.

Written from Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3",
doi:10.1145/2063384.2063405, section 3.3 and table 2, and from the layout that `simengine.streams` documents: the seed is
the key (low word first), the counter is (index, entity, replication, purpose).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from hashlib import blake2b

Words = tuple[int, int, int, int]

WORD = 2**32
ROUNDS = 10
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)


def philox4x32(counter: Words, key: tuple[int, int]) -> Words:
    """Encipher a counter of four words of 32 bits under a key of two."""
    words = counter
    for round_number in range(ROUNDS):
        words = _one_round(words, _round_key(key, round_number))
    return words


def counter_of(words: Words, key: tuple[int, int]) -> Words:
    """Decipher: give the counter that `philox4x32` turns into these words.

    Every step of a round can be undone, because the multipliers are odd and so have inverses modulo 2^32. This reaches
    any pattern of words, however rare.
    """
    counter = words
    for round_number in reversed(range(ROUNDS)):
        counter = _one_round_back(counter, _round_key(key, round_number))
    return counter


def xoshiro128(state: Words) -> Iterator[int]:
    """Give word after word of xoshiro128++ from a state: Blackman and Vigna 2021, doi:10.1145/3460772, section 5 and figure 8."""
    a, b, c, d = state
    while True:
        yield (_turned((a + d) % WORD, 7) + a) % WORD
        shifted, c, d = b * 2**9 % WORD, c ^ a, d ^ b
        a, b, c, d = a ^ d, b ^ c, c ^ shifted, _turned(d, 11)


def _turned(word: int, bits: int) -> int:
    above, below = divmod(word * 2**bits, WORD)
    return above + below


def _round_key(key: tuple[int, int], round_number: int) -> tuple[int, int]:
    return (key[0] + round_number * KEY_STEPS[0]) % WORD, (key[1] + round_number * KEY_STEPS[1]) % WORD


def _one_round(words: Words, key: tuple[int, int]) -> Words:
    a, b, c, d = words
    high_0, low_0 = divmod(MULTIPLIERS[0] * a, WORD)
    high_1, low_1 = divmod(MULTIPLIERS[1] * c, WORD)
    return high_1 ^ b ^ key[0], low_1, high_0 ^ d ^ key[1], low_0


def _one_round_back(words: Words, key: tuple[int, int]) -> Words:
    mixed_b, low_1, mixed_d, low_0 = words
    a = low_0 * pow(MULTIPLIERS[0], -1, WORD) % WORD
    c = low_1 * pow(MULTIPLIERS[1], -1, WORD) % WORD
    return a, mixed_b ^ key[0] ^ (MULTIPLIERS[1] * c // WORD), c, mixed_d ^ key[1] ^ (MULTIPLIERS[0] * a // WORD)


def key_of(seed: int) -> tuple[int, int]:
    """Split a seed of 64 bits into the two words of a key, the low one first."""
    return seed % WORD, seed // WORD


def pair_of(words: Words) -> tuple[float, float]:
    """Turn four words into two numbers between 0 and 1: the first 52 bits of each pair of words, and half a step."""
    return between_0_and_1(words[0], words[1]), between_0_and_1(words[2], words[3])


def between_0_and_1(high: int, low: int) -> float:
    first_52_bits = (high * WORD + low) // 2**12
    return (first_52_bits + 0.5) / 2**52


# The arms share their luck, so that most addresses are asked for more than once.
@lru_cache(maxsize=2**16)
def uniform_pair(seed: int, index: int, entity: int, replication: int, purpose: int) -> tuple[float, float]:
    """Give the two uniforms at one address."""
    return pair_of(philox4x32((index, entity, replication, purpose), key_of(seed)))


def uniforms(seed: int, purpose: str, replications: list[int]) -> list[float]:
    """Give one uniform per replication for a decision that a whole world shares."""
    return [uniform_pair(seed, 0, 0, replication, purpose_number(purpose))[0] for replication in replications]


@cache
def purpose_number(purpose: str) -> int:
    """Turn the name of a decision into its 32-bit number: the first four bytes of its hash, the lowest first."""
    first, second, third, fourth = blake2b(purpose.encode(), digest_size=4).digest()
    return first + 2**8 * second + 2**16 * third + 2**24 * fourth
