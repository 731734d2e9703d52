"""Draws of one person from a distribution between people, from a sequence of words that begins at an address of its own.

A draw takes as many words as it needs and gives back the sequence as it left it: (draw, own). The first draw of a decision is thus
a function of its address, the second of the address and of the first, and no other decision is touched.
"""

from __future__ import annotations

from math import erfc, exp, log, pi, sqrt

import numpy as np

from simengine.accelerate import device
from simengine.arrays import Floats
from simengine.cohort.kernels.months import Word, after, word_of
from simengine.streams import uniform_from

FIXED, UNIFORM, LOGNORMAL, WEIBULL, GAMMA = range(5)
"""The kinds of distributions between people. Parameters: value; low and high; mean and standard deviation of the logarithm; scale and
shape; shape and scale."""

Own = tuple[Word, Word, Word, Word]
"""The state of a person's sequence, as `months.py` says."""

_LAYERS = 256
_TAIL = 3.6541528853610088
"""Where the lowest of 256 layers of the same area ends: Marsaglia and Tsang 2000, "The ziggurat method", doi:10.18637/jss.v005.i08."""
_MOST_TRIES = 64
"""Of which a draw takes more than 10 less than once in 1e13 times: a parameter that is no number ends here."""


def _edges() -> Floats:
    """Return the right edges of the layers under exp(-x x / 2), the widest first; shape (layers + 1,)."""
    area = _TAIL * exp(-_TAIL * _TAIL / 2) + sqrt(pi / 2) * erfc(_TAIL / sqrt(2))
    edges = [area * exp(_TAIL * _TAIL / 2), _TAIL]
    while len(edges) < _LAYERS:
        edges.append(sqrt(-2 * log(area / edges[-1] + exp(-edges[-1] * edges[-1] / 2))))
    return np.array([*edges, 0.0])


_EDGES = _edges()
_INSIDE = _EDGES[1:] / _EDGES[:-1]
"""The share of each layer that lies wholly under the curve; shape (layers,)."""
_LAYER_BITS = np.uint64(_LAYERS - 1)


@device
def next_pair(own: Own) -> tuple[Word, Word, Own]:
    """Return the next two words of 32 bits."""
    first = word_of(own[0], own[3])
    later = after(own[0], own[1], own[2], own[3])
    return first, word_of(later[0], later[3]), after(later[0], later[1], later[2], later[3])


@device
def uniform_draw(own: Own) -> tuple[float, Own]:
    """Return a uniform strictly between 0 and 1."""
    high, low, left = next_pair(own)
    return uniform_from(high, low), left


@device
def normal_draw(own: Own) -> tuple[float, Own]:
    """Return a standard normal by the ziggurat (Marsaglia and Tsang 2000; bits apart as in Doornik 2005, "An improved ziggurat method").

    The upper 52 bits say where in a layer, the last 8, which the uniform leaves over, in which: 99 draws in 100 end there.
    """
    for _ in range(_MOST_TRIES):
        high, low, own = next_pair(own)
        layer, place = low & _LAYER_BITS, 2.0 * uniform_from(high, low) - 1.0
        x = place * _EDGES[layer]
        if abs(place) < _INSIDE[layer]:
            return x, own
        if layer == 0:
            first, own = uniform_draw(own)
            second, own = uniform_draw(own)
            beyond, height = -np.log(first) / _TAIL, -np.log(second)
            while 2.0 * height <= beyond * beyond:
                first, own = uniform_draw(own)
                second, own = uniform_draw(own)
                beyond, height = -np.log(first) / _TAIL, -np.log(second)
            return (_TAIL + beyond if place > 0.0 else -_TAIL - beyond), own
        accept, own = uniform_draw(own)
        wide, narrow = _EDGES[layer], _EDGES[layer + np.uint64(1)]
        below, above = np.exp(0.5 * (x * x - wide * wide)), np.exp(0.5 * (x * x - narrow * narrow))
        if below + accept * (above - below) < 1.0:
            return x, own
    return np.nan, own


@device
def gamma_draw(own: Own, shape: float) -> tuple[float, Own]:
    """Return a gamma variable with scale 1 (Marsaglia and Tsang 2000, doi:10.1145/358407.358414)."""
    boosted = shape if shape >= 1.0 else shape + 1.0
    d = boosted - 1.0 / 3.0
    c = 1.0 / np.sqrt(9.0 * d)
    cube = np.nan
    for _ in range(_MOST_TRIES):
        z, own = normal_draw(own)
        root = 1.0 + c * z
        if root <= 0.0:
            continue
        accept, own = uniform_draw(own)
        cube = root * root * root
        # Most tries pass the first test, which needs no logarithm and implies the second.
        if accept < 1.0 - 0.0331 * (z * z) * (z * z) or np.log(accept) < 0.5 * z * z + d - d * cube + d * np.log(cube):
            break
    if shape >= 1.0:
        return d * cube, own
    last, own = uniform_draw(own)
    return d * cube * last ** (1.0 / shape), own


@device
def between_people(own: Own, kind: int, first: float, second: float) -> tuple[float, Own]:
    """Return one draw from a distribution between people; see the kinds above for its two parameters."""
    if kind == FIXED:
        return first, own
    if kind == GAMMA:
        draw, own = gamma_draw(own, first)
        return draw * second, own
    if kind == LOGNORMAL:
        draw, own = normal_draw(own)
        return np.exp(first + second * draw), own
    draw, own = uniform_draw(own)
    if kind == UNIFORM:
        return first + (second - first) * draw, own
    return first * (-np.log(draw)) ** (1.0 / second), own
