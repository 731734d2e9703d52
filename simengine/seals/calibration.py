"""Whether several forecasts cover as often as they say, and what so few can show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from simengine.risk.backtest import acceptance_range, detection_probability, kupiec
from simengine.seals.scoring import LEVELS_OF_INTERVALS, ScoredOutcome

POWER = 0.8
"""The power that a test is usually planned for."""
_MOST_CONTRACTS = 1000


@dataclass(frozen=True)
class LevelOfCoverage:
    """How often one interval covered, with Kupiec's test of the misses."""

    level: float
    """Of the interval: 0.95 is that of 95 %."""
    contracts: int
    """Contracts that are counted."""
    within: int
    """Outcomes that fell within their interval."""
    missed: int
    """Outcomes that fell outside."""
    expected_missed: float
    """As many as a true forecast misses on average."""
    p_value: float
    """Of Kupiec's test; valid for many contracts."""
    accepted: tuple[int, int]
    """The fewest and the most misses with which the test does not reject, at 5 %."""
    is_rejected: bool
    """Whether the test rejects."""
    false_alarm: float
    """Probability that a true forecast is rejected for too many misses."""
    found_if_twice: float
    """Power: probability that a forecast which misses twice as often as it says is rejected for too many misses."""
    contracts_needed: int | None
    """Contracts from which this power is 80 %; null if a thousand are too few."""

    @property
    def sentence(self) -> str:
        """What so few contracts can show, in plain words."""
        noun = "contract" if self.contracts == 1 else "contracts"
        needs = "more than a thousand" if self.contracts_needed is None else f"{self.contracts_needed:,}"
        return (
            f"With {self.contracts:,} {noun} a forecast whose {100 * self.level:g} % intervals miss twice as often as they say is found "
            f"out in {_percent(self.found_if_twice)} of cases; it takes {needs} contracts to find it out in {100 * POWER:g} %."
        )


def _percent(share: float) -> str:
    """Write a share in per cent, such that none looks like never or always.

    Examples
    --------
    >>> _percent(0.0815), _percent(0.0004), _percent(0.9999), _percent(0.0)
    ('8 %', 'less than 1 %', 'more than 99 %', '0 %')
    """
    if 0 < share < 0.005:
        return "less than 1 %"
    return "more than 99 %" if 0.995 <= share < 1 else f"{100 * share:.0f} %"


def calibrate(counted: Sequence[ScoredOutcome]) -> tuple[LevelOfCoverage, ...]:
    """Count how often the intervals of some independent forecasts covered; nothing where there is none."""
    figures = [one for one in counted if one.pit is not None]
    return (
        tuple(coverage(level, [bool(one.is_within(level)) for one in figures]) for level in LEVELS_OF_INTERVALS) if figures else ()
    )


def coverage(level: float, are_within: Sequence[bool]) -> LevelOfCoverage:
    """Test whether an interval covered as often as it says.

    Parameters
    ----------
    level
        Of the interval.
    are_within
        By contract: whether its outcome fell within.
    """
    # Rounded: 1 - 0.8 is 0.2, and not 0.19999999999999996.
    n, within, miss = len(are_within), sum(are_within), round(1 - level, 12)
    test = kupiec(n - within, n, miss)
    return LevelOfCoverage(
        level,
        n,
        within,
        n - within,
        n * miss,
        test.p_value,
        acceptance_range(n, miss),
        test.rejects(),
        detection_probability(n, miss, miss),
        detection_probability(n, miss, 2 * miss),
        contracts_needed(miss),
    )


@cache
def contracts_needed(miss: float) -> int | None:
    """Return from how many contracts the test finds out, in 80 % of cases, a forecast that misses twice as often as it says.

    Examples
    --------
    >>> contracts_needed(0.05), contracts_needed(0.5)
    (191, 3)
    """
    sizes = range(1, _MOST_CONTRACTS + 1)
    return next((size for size in sizes if detection_probability(size, miss, 2 * miss) >= POWER), None)
