"""The only place where randomness is created: a number for every address, and no state anywhere.

Every draw has an address: (seed, purpose, replication, entity, index). Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011,
"Parallel random numbers: as easy as 1, 2, 3", doi:10.1145/2063384.2063405) turns the address into four random words of
32 bits: the seed is its key of 64 bits, the other four are its counter of 4 x 32 bits. Nothing is drawn in a sequence that a
study shares, so

- the bits are the same for any number of threads and any block size;
- one replication can be made again alone;
- a new arm, outcome or parameter has addresses of its own and leaves every other draw untouched.

A *purpose* is what a draw decides ("parameter/effect.sooner_home.hazard_ratio", "people/all/moves"). Its number is a hash
of its name, never its position in a list. *Entity* is the person (0 for draws that a whole replication shares), *index* the moment,
such as the second draw of somebody's entry. The months of a life, the gaps and lengths of somebody's events, and what needs an
uncertain number of words are read in rows, each of which begins at an address of its own and is the same in both arms
(`cohort/kernels/months.py`, `between.py`).

A change of this layout changes every result for a given seed: it is announced as a breaking change, raises `STREAM_VERSION`, and
the tests hold it by known answers.
"""

from __future__ import annotations

import hashlib
import secrets
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simengine.accelerate import device, inlined, kernel

Words = NDArray[np.uint32]

STREAM_VERSION = 1
"""Number of this layout: raised by every change that gives another number to an address, and so other results to a seed."""

# Multipliers and key increments of Philox4x32: Salmon et al. 2011, table 2 and section 3.
_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint64(0x9E3779B9)
_WEYL_1 = np.uint64(0xBB67AE85)
_LOW_32 = np.uint64(0xFFFFFFFF)
_SHIFT_32 = np.uint64(32)
_SHIFT_20 = np.uint64(20)
_SHIFT_12 = np.uint64(12)
_ROUNDS = 10
_TWO_TO_MINUS_52 = 2.0**-52


@inlined
def philox(
    seed: np.uint64, index: np.uint64, entity: np.uint64, replication: np.uint64, purpose: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Return the four 32-bit words at one address, each held in an unsigned 64-bit integer."""
    key_0 = seed & _LOW_32
    key_1 = seed >> _SHIFT_32
    a, b, c, d = index, entity, replication, purpose
    for _ in range(_ROUNDS):
        # Both factors are below 2^32, so the products never overflow 64 bits.
        product_0 = _MULTIPLIER_0 * a
        product_1 = _MULTIPLIER_1 * c
        a, b, c, d = (
            (product_1 >> _SHIFT_32) ^ b ^ key_0,
            product_1 & _LOW_32,
            (product_0 >> _SHIFT_32) ^ d ^ key_1,
            product_0 & _LOW_32,
        )
        key_0 = (key_0 + _WEYL_0) & _LOW_32
        key_1 = (key_1 + _WEYL_1) & _LOW_32
    return a, b, c, d


@inlined
def uniform_from(high: np.uint64, low: np.uint64) -> float:
    """Do what `uniform_of` does to words that an unsigned 64-bit integer holds: written into its caller, as `philox` is."""
    return (np.float64((high << _SHIFT_20) | (low >> _SHIFT_12)) + 0.5) * _TWO_TO_MINUS_52


@device
def uniform_of(high: np.uint32, low: np.uint32) -> float:
    """Turn two words into a uniform strictly between 0 and 1.

    52 bits and a half step: 53 bits would round the largest value up to 1.
    """
    return uniform_from(np.uint64(high), np.uint64(low))


@device
def uniform_pair(
    seed: np.uint64, index: np.uint64, entity: np.uint64, replication: np.uint64, purpose: np.uint64
) -> tuple[float, float]:
    """Return the two uniforms at one address."""
    a, b, c, d = philox(seed, index, entity, replication, purpose)
    return uniform_of(np.uint32(a), np.uint32(b)), uniform_of(np.uint32(c), np.uint32(d))


@device
def fill_words(seed: np.uint64, replication: np.uint64, purpose: np.uint64, index: Words, entity: Words, words: Words) -> None:
    """Fill the four words at many addresses of one replication.

    index, entity: (n,); words: (4, at least n). The loop has no branches and its arrays are 32 bits wide, so the compiler
    makes many words side by side.
    """
    for x in range(len(index)):
        a, b, c, d = philox(seed, np.uint64(index[x]), np.uint64(entity[x]), replication, purpose)
        words[0, x] = np.uint32(a)
        words[1, x] = np.uint32(b)
        words[2, x] = np.uint32(c)
        words[3, x] = np.uint32(d)


@kernel
def _fill_uniforms(seed: np.uint64, purpose: np.uint64, replications: NDArray[np.int64], out: NDArray[np.float64]) -> None:
    # r = replications
    zero = np.uint64(0)
    for r in range(len(replications)):
        out[r], _ = uniform_pair(seed, zero, zero, np.uint64(replications[r]), purpose)


def uniforms(seed: int, purpose: str, replications: NDArray[np.int64]) -> NDArray[np.float64]:
    """Draw one uniform per replication for a decision that a whole replication shares.

    Parameters
    ----------
    seed
        Any whole number from 0 to 2^64 - 1.
    purpose
        The name of the decision.
    replications
        Shape (n_replications,): the numbers of the replications, in any order.

    Returns
    -------
    Shape (n_replications,), strictly between 0 and 1.

    Examples
    --------
    A replication re-made alone equals itself in the batch:

    >>> batch = uniforms(0, "example", np.arange(5))
    >>> bool(uniforms(0, "example", np.array([3]))[0] == batch[3])
    True
    """
    out = np.empty(len(replications))
    _fill_uniforms(np.uint64(seed), np.uint64(purpose_number(purpose)), replications, out)
    return out


@lru_cache(maxsize=4096)
def purpose_number(purpose: str) -> int:
    """Turn the name of a decision into its 32-bit number."""
    return int.from_bytes(hashlib.blake2b(purpose.encode(), digest_size=4).digest(), "little")


def seed_of(seed: int, name: str) -> int:
    """Return a part of a whole a seed of its own by its name, so that another part changes none of its draws."""
    return int.from_bytes(hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest(), "little")


def draw_seed() -> int:
    """Draw a seed from the operating system, below 2^53 so that every reader of JSON can hold it."""
    return secrets.randbelow(2**53)


def generator_of(seed: int, purpose: str) -> np.random.Generator:
    """Return a generator for a library that wants one: its own seed is what is drawn at an address."""
    words = uniforms(seed, purpose, np.arange(4, dtype=np.int64))
    return np.random.default_rng([int(word * 2.0**52) for word in words])
