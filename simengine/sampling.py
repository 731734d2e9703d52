"""Variance reduction: other ways to draw the numbers of a study than one independent draw per replication.

None of these changes the distribution of a replication, so none introduces bias; each changes the dependence or the weights of
replications, recorded in the columns `group` and `weight` of the results, which every statistic understands.

- *Scrambled Sobol points*: the uniforms of all numbers with a distribution come from a few independently scrambled Sobol sequences;
  people
  keep plain streams, because states that jump make nothing smooth. Replication r is point r // S of sequence r % S: a longer run
  keeps the replications of a shorter one. A sequence is a group, and the spread between groups is the error.
- *Tilts*: the normal score of a number is shifted in a part of the replications, and a replication weighs its likelihood ratio,
  here the
  balance over both parts: phi(z) / (a phi(z) + (1 - a) phi(z - t)), at most 1 / a.
- *Measured again*: the same people are measured and paid several times, each time with new numbers for all that does not touch
  people. A replication is a group.

References
----------
Owen, A. B. (1995), Randomly permuted (t, m, s)-nets and (t, s)-sequences, doi:10.1007/978-1-4612-2552-2_19. Hesterberg, T. (1995),
Weighted average importance sampling and defensive mixture distributions, doi:10.1080/00401706.1995.10484303.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from simengine.arrays import Integers
from simengine.asked import is_number, whole
from simengine.distributions import Constant, Floats, Sourced
from simengine.errors import LISTED_BY_CHECK, UsageError, did_you_mean, shorten
from simengine.late import special
from simengine.sections import MEASURED_AGAIN, UNREAD, lies_in
from simengine.streams import generator_of, uniforms

SCRAMBLES = 32
"""Sequences of a run with Sobol points: an error from 32 groups is itself known to an eighth."""
PLAIN_SHARE = 0.5
"""Part of the replications of a tilted run that are drawn plainly: no replication weighs more than two."""
LARGEST_TILT = 8.0
MOST_MEASURED = 100
"""Times that the same people are measured."""
LEAST_PER_VARIATE = 50
"""Replications for each number by which means are corrected: with fewer the slopes are guesses."""
_SMALLEST_UNIFORM = 2.0**-53
_BITS = 30
"""Of a coordinate: a sequence has up to 2^30 points."""


@dataclass(frozen=True)
class Sampling:
    """How the numbers of a study are drawn."""

    is_sobol: bool = False
    tilts: Mapping[str, float] = field(default_factory=dict)
    """By path: the shift of the normal score, in standard deviations."""
    measured: int = 1
    """How often the same people are measured and paid."""

    @property
    def is_plain(self) -> bool:
        """Whether all replications are independent and weigh the same."""
        return not self.is_sobol and not self.tilts and self.measured == 1


PLAIN = Sampling()


def distributions_of(numbers: Mapping[str, Sourced]) -> list[str]:
    """List the paths of the numbers that have a distribution and that a run reads.

    What an effort or a referral costs moves no person and no money of a run: it is drawn, from a stream of its own, for the
    questions about people who respond, but it takes no dimension of the points, corrects no mean, and is no assumption of the
    result.
    """
    return [path for path, number in numbers.items() if not isinstance(number, Constant) and not lies_in(path, UNREAD)]


def refuse_impossible(sampling: Sampling, numbers: Mapping[str, Sourced], n_replications: int) -> None:
    """Refuse, before any work, what cannot be drawn.

    Raises
    ------
    UsageError
        If no number has a distribution, a tilt names none or is too large, methods exclude each other, or points do not fill a
        sequence.
    """
    paths = distributions_of(numbers)
    whole(sampling.measured, "--measured", 1, MOST_MEASURED)
    for path, shift in sampling.tilts.items():
        if path not in paths:
            way_out = did_you_mean(path, paths, LISTED_BY_CHECK)
            raise UsageError(f"--tilt: a tilted number must have a distribution; found `{path}`. {way_out}")
        if not is_number(shift) or not 0 < abs(shift) <= LARGEST_TILT:
            found = f"{shift:g}" if is_number(shift) else shorten(shift)
            raise UsageError(
                f"--tilt {path}: a shift must lie within {LARGEST_TILT:g} standard deviations and not be 0; found {found}"
            )
    if not sampling.is_sobol:
        return
    if sampling.tilts:
        raise UsageError("--sobol: evenly spread replications must have equal weights; found --tilt as well. Choose one of the two")
    if not paths:
        raise UsageError(
            "--sobol: a number of the study must have a distribution; found none, so there is nothing to spread evenly"
        )
    n_points, rest = divmod(n_replications, SCRAMBLES)
    if rest or n_points & (n_points - 1) or n_points == 0:
        low = SCRAMBLES * 2 ** max(int(np.log2(max(n_points, 1))), 0)
        raise UsageError(
            f"--sobol: the replications must be {SCRAMBLES} times a power of two; found {n_replications:,}. "
            f"Use -n {low} or -n {2 * low}"
        )


def refuse_impossible_variates(
    sampling: Sampling, numbers: Mapping[str, Sourced], n_replications: int, *, knows_deviations: bool = False
) -> None:
    """Refuse control variates where their expectation is not 0, or where their slopes cannot be known.

    Parameters
    ----------
    sampling, numbers, n_replications
        What is drawn.
    knows_deviations
        Whether the exact mean of what the contract pays on is known, so that deviations of people's outcomes are used too.

    Raises
    ------
    UsageError
        If replications weigh differently, there is nothing to correct by, or there are too few of them.
    """
    if sampling.tilts:
        raise UsageError(
            "--control-variates: replications of equal weight must have a known mean; found --tilt as well. Choose one of the two"
        )
    # Evenly spread numbers have their means already.
    n_variates = 0 if sampling.is_sobol else len(distributions_of(numbers))
    if n_variates == 0 and not knows_deviations:
        rule = (
            "a number of the study must have a distribution, and be drawn plainly, or the exact mean of what the contract pays on "
            "must be known"
        )
        raise UsageError(f"--control-variates: {rule}; found neither, so there is nothing to correct by")
    if n_replications < LEAST_PER_VARIATE * n_variates:
        needed = LEAST_PER_VARIATE * n_variates
        raise UsageError(
            f"--control-variates: {n_variates} numbers with a distribution must have {needed:,} replications or more; found {n_replications:,}"
        )


def draw_uniforms(
    sampling: Sampling, seed: int, numbers: Mapping[str, Sourced], replications: Integers
) -> tuple[dict[str, Floats], Floats | None]:
    """Draw the uniforms of all numbers of a study.

    Parameters
    ----------
    sampling
        How.
    seed
        Any whole number from 0 to 2^64 - 1.
    numbers
        By path.
    replications
        Shape (n_replications,).

    Returns
    -------
    By path, shape (n_replications,), strictly between 0 and 1; and what each replication weighs, or nothing where all weigh the
    same.
    """
    drawn = {path: uniforms(seed, f"parameter/{path}", replications) for path in numbers}
    if sampling.is_sobol:
        paths = distributions_of(numbers)
        points = _sobol_points(seed, len(paths), replications)
        drawn |= {path: points[:, d].copy() for d, path in enumerate(paths)}
    if not sampling.tilts:
        return drawn, None
    is_tilted = uniforms(seed, "sampling/tilted", replications) >= PLAIN_SHARE
    log_ratio = np.zeros(len(replications))
    for path, shift in sampling.tilts.items():
        score = special.ndtri(drawn[path]) + shift * is_tilted
        drawn[path] = np.clip(special.ndtr(score), _SMALLEST_UNIFORM, 1 - _SMALLEST_UNIFORM)
        log_ratio += shift * score - shift**2 / 2
    return drawn, 1 / (PLAIN_SHARE + (1 - PLAIN_SHARE) * np.exp(log_ratio))


def group_of(sampling: Sampling, replications: Integers) -> Integers | None:
    """Say which replications hang together; nothing where none do."""
    if sampling.is_sobol:
        return replications % SCRAMBLES
    return replications if sampling.measured > 1 else None


def _sobol_points(seed: int, n_dimensions: int, replications: Integers) -> Floats:
    """Return the points of some replications, shape (n_replications, n_dimensions)."""
    points = np.empty((len(replications), n_dimensions))
    place, sequence = np.divmod(replications, SCRAMBLES)
    for s in np.unique(sequence):
        mine = np.flatnonzero(sequence == s)
        first, last = int(place[mine].min()), int(place[mine].max())
        # The sequence is kept as it was made; a copy of it moves.
        engine = copy.deepcopy(_sequence(seed, int(s), n_dimensions))
        if first:
            engine.fast_forward(first)
        # At the beginning of a sequence its library wants a power of two.
        wanted = last - first + 1 if first else 1 << last.bit_length()
        points[mine] = engine.random(wanted)[place[mine] - first]
    # Half a step into the interval that a point stands for: never 0, and never 1.
    return points + 2.0 ** -(_BITS + 1)


@lru_cache(maxsize=4 * SCRAMBLES)
def _sequence(seed: int, number: int, n_dimensions: int) -> Any:
    from scipy.stats import qmc  # half a second, which a run without points does not wait for

    return qmc.Sobol(n_dimensions, scramble=True, bits=_BITS, seed=generator_of(seed, f"sampling/scramble/{number}"))


def control_variates_of(seed: int, numbers: Mapping[str, Sourced], replications: Integers) -> Floats:
    """Return the normal scores of all numbers with a distribution: what is known of a plain replication, whose expectation is 0.

    Returns
    -------
    Shape (n_rows, n_variates): from the uniforms before any correlation.
    """
    scores = [special.ndtri(uniforms(seed, f"parameter/{path}", replications)) for path in distributions_of(numbers)]
    return np.stack(scores, axis=1) if scores else np.empty((len(replications), 0))


def seeds_again(seed: int, times: int) -> list[int]:
    """Return the seeds with which the same people are measured another time and another."""
    words = uniforms(seed, "sampling/measured again", np.arange(1, times))
    return [int(word * 2.0**52) for word in words]


def cheap_paths(numbers: Mapping[str, Sourced], correlated: Sequence[str]) -> Iterator[str]:
    """Yield the numbers that do not touch people, and that hang together with none that might.

    The evaluator's numbers, those of the capital and what parties spend; but a spill-over reaches the people left out.
    """
    touching = (*correlated, "measurement.control.spill_over")
    for path in distributions_of(numbers):
        if lies_in(path, MEASURED_AGAIN) and path not in touching:
            yield path
