"""The scales on which a level shifts: an amount or a number by a factor, a share by one on its odds, a score by addition."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from simengine.measurement.samples import Sample, ratio
from simengine.records import Floats

OutcomeScale = Literal["amount", "number", "share", "score"]
"""How a level shifts."""
Counting = Literal["scaled", "events", "answers"]
"""The effect of a redefinition: it scales an amount, or thins single events or answers."""


class Scale(ABC):
    """The scale of an outcome's level; all arrays are of shape (n_replications,)."""

    is_level: ClassVar[bool]
    """Whether it is a level or an answer, which does not add up over time."""
    is_share: ClassVar[bool] = False
    """Whether each person says yes or no."""
    counting: ClassVar[Counting]

    @abstractmethod
    def shifted(self, mean: Floats, size: Floats) -> Floats:
        """Shift a level by a size on the scale."""

    @abstractmethod
    def spread(self, sample: Sample, level: Floats) -> Floats:
        """Return the variance between people whose level appears shifted: the variance follows the level."""

    @abstractmethod
    def stretch(self, level: Floats, mean: Floats) -> Floats:
        """Return the factor on the standard deviation between people whose mean is shifted to a level."""


class _OfAmounts(Scale):
    """By a factor exp(size)."""

    is_level = False
    counting: ClassVar[Counting] = "scaled"

    def shifted(self, mean: Floats, size: Floats) -> Floats:
        return np.asarray(mean * np.exp(size))

    def spread(self, sample: Sample, level: Floats) -> Floats:
        return sample.variance * ratio(level, sample.mean, 1.0) ** 2

    def stretch(self, level: Floats, mean: Floats) -> Floats:
        return ratio(level, mean, 1.0)


class _OfNumbers(_OfAmounts):
    """As of amounts; what is counted are single events."""

    counting: ClassVar[Counting] = "events"


class _OfShares(Scale):
    """By a factor exp(size) on the odds."""

    is_level, is_share = True, True
    counting: ClassVar[Counting] = "answers"

    def shifted(self, mean: Floats, size: Floats) -> Floats:
        factor = np.exp(size)
        return np.asarray(mean * factor / (mean * factor + 1 - mean))

    def spread(self, sample: Sample, level: Floats) -> Floats:
        return ratio(level * (1 - level), sample.left)

    def stretch(self, level: Floats, mean: Floats) -> Floats:
        # A level of 0, or of 1, shifts to itself: nothing varies there.
        return np.sqrt(ratio(level * (1 - level), mean * (1 - mean), 0.0))


class _OfScores(Scale):
    """By addition."""

    is_level = True
    counting: ClassVar[Counting] = "scaled"

    def shifted(self, mean: Floats, size: Floats) -> Floats:
        return np.asarray(mean + size)

    def spread(self, sample: Sample, level: Floats) -> Floats:
        del level
        return sample.variance

    def stretch(self, level: Floats, mean: Floats) -> Floats:
        del mean
        return np.ones_like(level)


SCALES: Mapping[OutcomeScale, Scale] = {"amount": _OfAmounts(), "number": _OfNumbers(), "share": _OfShares(), "score": _OfScores()}
"""By how a level shifts."""
