"""The words of the months: known answers, one by one and sixteen abreast, and words that look as random as they should.

The statistical tests have a fixed seed and a threshold of 4.5 standard errors, or the tails of the chi-square distribution that are
as rare: a false alarm once in 150,000 comparisons if the seed were drawn anew.
"""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from simengine.accelerate import IS_COMPILED, device
from simengine.cohort.kernels.months import after, after_all, word_of, words_of
from simengine.cohort.kernels.vector_operations import WIDTH, load, store_lanes
from simengine.streams import fill_words, purpose_number
from tests.conftest import sized
from tests.reference.streams import key_of, philox4x32, xoshiro128

ALL_ONES = 2**32 - 1
words_32 = st.integers(0, ALL_ONES)

# ------------------------------------------------ known answers ------------------------------------------------

KNOWN = [641, 1573767, 3222811527, 3517856514, 836907274, 4247214768, 3867114732, 1355841295, 495546011, 621204420]
"""What the authors' own program gives from the state (1, 2, 3, 4): held by the tests of the library rand_xoshiro."""


@device
def fill_sequence(beginning: np.ndarray, words: np.ndarray) -> None:
    """Fill the words of a person; beginning: (4,), words: (m,)."""
    a, b, c, d = np.uint64(beginning[0]), np.uint64(beginning[1]), np.uint64(beginning[2]), np.uint64(beginning[3])
    for m in range(len(words)):
        words[m] = np.uint32(word_of(a, d))
        a, b, c, d = after(a, b, c, d)


@device
def fill_sequences(beginning: np.ndarray, words: np.ndarray) -> None:
    """Fill the words of sixteen people; beginning: (4 * WIDTH,), words: (m * WIDTH,)."""
    a, b, c, d = load(beginning, 0), load(beginning, WIDTH), load(beginning, 2 * WIDTH), load(beginning, 3 * WIDTH)
    for m in range(len(words) // WIDTH):
        store_lanes(words, m * WIDTH, words_of(a, d))
        a, b, c, d = after_all(a, b, c, d)


def sequence_of(beginning: tuple[int, ...], n: int) -> list[int]:
    words = np.zeros(n, np.uint32)
    fill_sequence(np.array(beginning, np.uint32), words)
    return [int(word) for word in words]


def sequences_of(beginnings: list[tuple[int, ...]], n: int) -> list[list[int]]:
    words = np.zeros(n * WIDTH, np.uint32)
    fill_sequences(np.ascontiguousarray(np.array(beginnings, np.uint32).T).ravel(), words)
    return words.reshape(n, WIDTH).T.tolist()


def test_words__are_the_known_answers_of_their_authors() -> None:
    """Source: the authors' program, as above; the slow twin gives them too."""
    assert list(islice(xoshiro128((1, 2, 3, 4)), 10)) == KNOWN
    assert sequence_of((1, 2, 3, 4), 10) == KNOWN


@pytest.mark.skipif(not IS_COMPILED, reason="without compilation nobody goes abreast")
def test_words__abreast_are_the_known_answers_of_their_authors() -> None:
    """Source: the same; the other lanes begin elsewhere, as the slow twin does."""
    beginnings = [(1, 2, 3, 4) if lane in (0, 7, 15) else (lane, ALL_ONES, 2**31, lane + 1) for lane in range(WIDTH)]
    got = sequences_of(beginnings, 10)
    assert got[0] == got[7] == got[15] == KNOWN
    assert got == [list(islice(xoshiro128(one), 10)) for one in beginnings]  # type: ignore[arg-type]


@settings(max_examples=sized(12, 40))
@given(beginnings=st.lists(st.tuples(words_32, words_32, words_32, words_32), min_size=WIDTH, max_size=WIDTH))
def test_words__of_any_beginning_equal_the_slow_twin(beginnings: list[tuple[int, int, int, int]]) -> None:
    """Source: the slow twin, tests/reference/streams.py."""
    expected = [list(islice(xoshiro128(one), 50)) for one in beginnings]
    assert [sequence_of(one, 50) for one in beginnings] == expected
    if IS_COMPILED:
        assert sequences_of(beginnings, 50) == expected


# ------------------------------------------------ randomness ------------------------------------------------

SEED = 20_160_801
Z_LIMIT = 4.5
N_REPLICATIONS, N_ATTEMPTS, N_PEOPLE, N_MONTHS = 3, 2, 1000, 120


@device
def fill_lives(seed: np.uint64, purpose: np.uint64, attempt: np.ndarray, number: np.ndarray, words: np.ndarray) -> None:
    """Fill the words of many lives; attempt: (a,), number: (p,), words: (r, a, p, m)."""
    n_people = len(number)
    beginning, index, own = np.empty((4, n_people), np.uint32), np.empty(n_people, np.uint32), np.empty(4, np.uint32)
    for r in range(words.shape[0]):
        for a in range(words.shape[1]):
            index[:] = attempt[a]
            fill_words(seed, np.uint64(r), purpose, index, number, beginning)
            for p in range(n_people):
                own[:] = beginning[:, p]
                fill_sequence(own, words[r, a, p])


def lives(purpose: str = "people/all/moves", seed: int = SEED) -> np.ndarray:
    """Return the words of many people, shape (replication, attempt, person, month): an attempt is half of an address."""
    words = np.zeros((N_REPLICATIONS, N_ATTEMPTS, N_PEOPLE, N_MONTHS), np.uint32)
    attempt, number = np.arange(N_ATTEMPTS, dtype=np.uint32) << 16, np.arange(N_PEOPLE, dtype=np.uint32)
    fill_lives(np.uint64(seed), np.uint64(purpose_number(purpose)), attempt, number, words)
    return words


def require_likely(counts: np.ndarray, expected: np.ndarray, name: str) -> None:
    """Require that counts are neither too far from what is expected nor too near; all n counts add up, so n - 1 are free."""
    chi_square, tail = float(((counts - expected) ** 2 / expected).sum()), stats.norm.sf(Z_LIMIT)
    assert stats.chi2.ppf(tail, counts.size - 1) < chi_square < stats.chi2.isf(tail, counts.size - 1), name


def require_even(cells: np.ndarray, n_cells: int, name: str) -> None:
    counts = np.bincount(cells.ravel(), minlength=n_cells)
    require_likely(counts, np.full(n_cells, cells.size / n_cells), name)


def test_lives__are_those_of_the_documented_address() -> None:
    """Source: the slow twin: the words at (attempt, person, replication, purpose) are the state of month 0."""
    words = lives("people/g/moves")
    for r, a, p in ((0, 0, 0), (2, 1, 999), (1, 0, 17)):
        state = philox4x32((a << 16, p, r, purpose_number("people/g/moves")), key_of(SEED))
        assert words[r, a, p].tolist() == list(islice(xoshiro128(state), N_MONTHS))


@pytest.mark.statistical
@pytest.mark.parametrize("seed", [0, SEED])
def test_words__fill_every_bin_alike(seed: int) -> None:
    """Source: the chi-square distribution: the highest byte, the lowest, and those of the first months alone."""
    words = lives(seed=seed)
    require_even(words >> 24, 256, "the highest byte")
    require_even(words & 255, 256, "the lowest byte")
    for month in (0, 1, 2, N_MONTHS - 1):
        require_even(words[..., month] >> 26, 64, f"month {month}")
    for person in (0, 1, 15, 16, N_PEOPLE - 1):
        require_even(words[:, :, person] >> 28, 16, f"person {person}")


@pytest.mark.statistical
def test_words__are_independent_across_months_people_and_replications() -> None:
    """Source: closed form. For independent uniforms U, V the mean of 12 (U - 1/2)(V - 1/2) is 0 with sd 1."""
    u = (lives() + 0.5) / 2**32 - 0.5
    neighbours = {
        "the next month": (u[..., 1:], u[..., :-1]),
        "two months later": (u[..., 2:], u[..., :-2]),
        "three months later": (u[..., 3:], u[..., :-3]),
        "four months later": (u[..., 4:], u[..., :-4]),
        "a year later": (u[..., 12:], u[..., :-12]),
        "the next person": (u[:, :, 1:], u[:, :, :-1]),
        "the person's place in the next register": (u[:, :, 16:], u[:, :, :-16]),
        "the next person, next month": (u[:, :, 1:, 1:], u[:, :, :-1, :-1]),
        "the next person, month before": (u[:, :, 1:, :-1], u[:, :, :-1, 1:]),
        "the next replication": (u[1:], u[:-1]),
        "the next candidate for the place": (u[:, 1], u[:, 0]),
        "another wave": (u, (lives("people/other/moves") + 0.5) / 2**32 - 0.5),
        "the next seed": (u, (lives(seed=SEED + 1) + 0.5) / 2**32 - 0.5),
    }
    for name, (here, there) in neighbours.items():
        products = 12 * here * there
        assert abs(products.mean() * np.sqrt(products.size)) < Z_LIMIT, name


@pytest.mark.statistical
def test_words__side_by_side_fill_every_pair_of_bins_alike() -> None:
    """Source: the chi-square distribution, on the four highest bits of two words, which do not overlap with another pair's."""
    high = lives() >> 28
    pairs = {
        "two months": (high[..., ::2], high[..., 1::2]),
        "two months, four apart": (high[..., ::8], high[..., 4::8]),
        "two people": (high[:, :, ::2], high[:, :, 1::2]),
        "two candidates": (high[:, 0], high[:, 1]),
    }
    for name, (one, other) in pairs.items():
        require_even(16 * one + other, 256, name)


@pytest.mark.statistical
@pytest.mark.parametrize("per_month", [0.2, 0.05, 0.01])
def test_first_word_below_a_threshold__comes_after_a_geometric_time(per_month: float) -> None:
    """Source: closed form: in month m with p (1 - p)^m, and later than the last with what is left: the distribution of a stay."""
    first, _ = two_stays(per_month)
    left = 1 - (1 - per_month) ** np.arange(N_MONTHS + 1)
    edges = np.unique(np.searchsorted(left, np.linspace(0, 1, 21)[1:-1]))
    edges = edges[edges <= N_MONTHS]
    probability = np.diff([0.0, *left[edges], 1.0])
    counts = np.bincount(np.searchsorted(edges, first, side="right"), minlength=len(probability))
    require_likely(counts, len(first) * probability, "the month of leaving")


@pytest.mark.statistical
def test_two_stays__of_a_person_are_independent() -> None:
    """Source: closed form: of n independent pairs the correlation is 0 with sd 1 / sqrt n. A second stay has 100 months of room."""
    first, second = two_stays(0.2)
    is_early = first < 20
    assert is_early.mean() > 0.98
    assert abs(np.corrcoef(first[is_early], second[is_early])[0, 1] * np.sqrt(is_early.sum())) < Z_LIMIT


def two_stays(per_month: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the months that everybody stays, and stays again, where each month is left with a probability; up to the last month."""
    below = (lives() < np.uint32(per_month * 2**32)).reshape(-1, N_MONTHS)
    first = np.where(below.any(axis=1), below.argmax(axis=1), N_MONTHS)
    again = below & (np.arange(N_MONTHS) > first[:, None])
    return first, np.where(again.any(axis=1), again.argmax(axis=1), N_MONTHS) - first
