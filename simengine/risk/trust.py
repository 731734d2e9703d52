"""How far a risk table can be trusted: what is refused, how the tails look, and signs that something went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil, floor, log10, sqrt
from typing import TypeAlias

from simengine.errors import NotGivenError
from simengine.records import Floats
from simengine.risk import statistics
from simengine.risk.ordered import Ordered
from simengine.risk.statistics import Statistic
from simengine.risk.weighting import Weighting

TableSection: TypeAlias = Mapping[str, "Statistic | TableSection"]

LEAST_TAIL_POINTS = 100
"""A statistic of a tail stands on at least so many replications: with fewer, its error would be little more than a guess."""
TAILS = ("p05", "p95", "var95", "cvar95")
"""Statistics of a tail, by the last word of their path."""
_FIRST_POINT = 50
_POINTS = 12
_STEPS = 40


@dataclass(frozen=True)
class Refused:
    """A statistic that is not given, and why."""

    reason: str
    tail_points: int | None = None
    """Replications behind it."""
    n_replications: int | None = None
    """How many a run must have so that it is given; nothing where no number of them is enough."""

    def error(self, path: str) -> NotGivenError:
        """Return the error of whoever looks it up."""
        return NotGivenError(path, self.reason, self.tail_points, self.n_replications)


@dataclass(frozen=True)
class Exceedance:
    """How often a party loses more than each of some amounts."""

    losses: tuple[float, ...]
    """In the currency, increasing; a gain is negative."""
    probability: tuple[Statistic, ...]


@dataclass(frozen=True)
class RunningMean:
    """The mean after more and more replications."""

    n_replications: tuple[int, ...]
    mean: tuple[Statistic, ...]


@dataclass(frozen=True)
class Diagnostics:
    """Signs of trouble."""

    running_mean: Mapping[str, RunningMean]
    """By party: of its net."""
    split_half: Mapping[str, float]
    """By party: difference of the mean nets of both halves of the run, in standard errors of this difference."""
    tail_points: Mapping[str, int]
    """By path: replications behind each statistic of a tail, given or refused."""
    n_clipped: int
    """Probabilities and rates that were clipped, in all replications together."""


def tail_statistics(section: TableSection, path: str = "") -> Iterator[tuple[str, Statistic]]:
    """Yield the statistics of tails with their dotted paths."""
    for name, node in section.items():
        here = f"{path}.{name}" if path else name
        if isinstance(node, Mapping):
            yield from tail_statistics(node, here)
        elif name in TAILS and node.tail_points is not None:
            yield here, node


def refusals(section: TableSection, n_replications: int) -> dict[str, Refused]:
    """Say which statistics of tails stand on too few replications, and how many it takes.

    The mean beyond a quantile also stands on what lies beyond it: where the quantile is an atom, most of the tail may be at it.
    """
    found, tails = {}, dict(tail_statistics(section))
    for path, statistic in tails.items():
        quantile = tails.get(path.removesuffix("cvar95") + "var95") if path.endswith("cvar95") else None
        refused = refusal(statistic, n_replications, quantile)
        if refused is not None:
            found[path] = refused
    return found


def refusal(statistic: Statistic, n_replications: int, quantile: Statistic | None = None) -> Refused | None:
    """Say why a statistic of a tail is not given; nothing where it is. `quantile`: that beyond which it is a mean."""
    points, least, where = (quantile or statistic).tail_points or 0, LEAST_TAIL_POINTS, "in the tail"
    if quantile is not None and points >= least:
        points, least, where = statistic.tail_points or 0, statistics.LEAST_CASES, "beyond the quantile"
    if points >= least:
        return None
    needed = ceil(round(least * n_replications / points, 6)) if points else None
    return Refused(f"fewer than {least} replications {where}", int(points), needed)


def bar_levels(n_replications: int) -> tuple[float, float]:
    """Return the quantiles between which a picture draws a bar: 5 and 95 % where tables give them, else 25 and 75 %.

    Examples
    --------
    >>> bar_levels(2_000), bar_levels(1_999)
    ((0.05, 0.95), (0.25, 0.75))
    """
    return (0.05, 0.95) if n_replications * 0.05 >= LEAST_TAIL_POINTS else (0.25, 0.75)


def without(section: TableSection, refused: Mapping[str, Refused], path: str = "") -> TableSection:
    """Return a section without what is refused."""
    kept: dict[str, Statistic | TableSection] = {}
    for name, node in section.items():
        here = f"{path}.{name}" if path else name
        if isinstance(node, Mapping):
            kept[name] = without(node, refused, here)
        elif here not in refused:
            kept[name] = node
    return kept


def exceedance_of(loss: Floats, weighting: Weighting | None) -> Exceedance:
    """Draw up the exceedance curve of a loss."""
    levels = loss_levels(loss)
    return Exceedance(levels, tuple(statistics.exceedance(loss, levels, weighting)))


def loss_levels(loss: Floats) -> tuple[float, ...]:
    """Return about 40 round amounts that span 99.8 % of the losses, and 0.

    Examples
    --------
    >>> import numpy as np
    >>> loss_levels(np.linspace(-1.0, 7.0, 1001))[:4]
    (-1.0, -0.8, -0.6, -0.4)
    """
    ordered = Ordered(loss)
    low, high = min(ordered.linear(0.001), 0.0), max(ordered.linear(0.999), 0.0)
    step = _round_step((high - low) / _STEPS)
    return tuple(round(k * step, 12) + 0.0 for k in range(floor(low / step + 1e-9), ceil(high / step - 1e-9) + 1))


def _round_step(least: float) -> float:
    """Return the first of 1, 2, 5, 10, 20, 50 ... and their tenths that is not below a number; 1 for nothing."""
    if least <= 0:
        return 1.0
    power = 10.0 ** floor(log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def running_mean(sample: Floats, weighting: Weighting | None) -> RunningMean:
    """Return the mean at sizes that grow by the square root of two, up to the whole run."""
    n = len(sample)
    sizes = sorted({n, *(round(n / sqrt(2) ** k) for k in range(1, _POINTS))})
    n_variates = 0 if weighting is None or weighting.control_variates is None else weighting.control_variates.shape[1]
    sizes = [size for size in sizes if size >= min(max(_FIRST_POINT, 10 * n_variates), n)]
    means = [statistics.mean(sample[:size], None if weighting is None else weighting.first(size)) for size in sizes]
    return RunningMean(tuple(sizes), tuple(means))


def split_half(sample: Floats, weighting: Weighting | None) -> float:
    """Return the difference between the means of both halves, in standard errors: about a standard normal number in a sound run."""
    n = len(sample) if weighting is None else weighting.n_groups
    if n < 4:
        return 0.0
    if weighting is None:
        one, other = statistics.mean(sample[: n // 2]), statistics.mean(sample[n // 2 :])
    else:
        one, other = (statistics.mean(sample[half], weighting.some(half)) for half in weighting.halves())
    error = sqrt(one.se**2 + other.se**2)
    return (one.value - other.value) / error if error > 0 else 0.0
