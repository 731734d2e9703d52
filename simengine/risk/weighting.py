"""How the replications of a sample were drawn, where they are not independent draws of equal weight.

A statistic is linear to first order: its error is the mean of what each replication adds to it, its *influence*. So one formula
gives every standard error: the influences, weighted, are summed over replications that hang together, and the sums are
independent of each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simengine.arrays import Floats, Integers
from simengine.columns import LongColumn, numbers_of_rows, windows
from simengine.records import in_memory
from simengine.risk import sums
from simengine.risk.coverage import FEW, Judged, judged, reach_95

_UNSEEN = 1.5
"""Half of 3: where all of a few groups agree, what they miss is up to three rows in 95 of 100 runs, by the rule of three."""
_WHOLE = 2.0**60
"""Of a share as a whole number: so fine that no order of rows depends on it, and eight times all shares still fit into 64 bits."""
_FEW_VALUES = 3
"""Different sums of groups, up to which their spread says little about what falls between them."""


@dataclass(frozen=True, eq=False)
class Weighting:
    """What each row of a sample weighs, which rows hang together, and what is known of their expectation.

    References
    ----------
    Owen, A. B. (2013), Monte Carlo theory, methods and examples, sections 8.9 (control variates) and 9.2 (weights).
    """

    n_rows: int
    weight: Floats | None = None
    """Shape (n_rows,): likelihood ratios of the distribution that is asked about to the distribution that was drawn from."""
    group: Integers | None = None
    """Shape (n_rows,): rows of one group may depend on each other, groups do not."""
    control_variates: Floats | None = None
    """Shape (n_rows, n_variates): numbers of expectation 0."""
    n_independent: int | None = None
    """Rows that tell as much as independent ones; absent: all."""

    @property
    def is_weighted(self) -> bool:
        """Whether rows come from another distribution than the one that is asked about."""
        return self.weight is not None

    @cached_property
    def share(self) -> Any:
        """Shape (n_rows,): the part of each row in a mean; sums to 1. Where all have the same: that number.

        Notes
        -----
        With control variates x, a mean is corrected by b x̄, b the slope of a regression. Each half of the rows is corrected by the
        slope found in the other one, so that slope and mean are independent and nothing is biased. As the slope is linear in what
        is averaged, this comes to one set of shares for all statistics.
        """
        plain = 1 / self.n_rows if self.weight is None else self.weight / sums.sum_of_windows(self.weight)
        if self.control_variates is None:
            return plain
        corrected = np.full(self.n_rows, plain)
        for mine, other, slopes in self._halves:
            corrected[mine] -= slopes.T @ self.control_variates[other].sum(axis=0) / self.n_rows
        return corrected

    @property
    def _is_even(self) -> bool:
        return self.weight is None and self.control_variates is None

    @property
    def whole_weights(self) -> Any:
        """Shape (n_rows,): the shares as whole numbers, of which the sum does not depend on the order; None where all are equal."""
        return None if self._is_even else np.round(self.share * _WHOLE).astype(np.int64)

    def mean(self, sample: Any) -> float:
        """Return the mean of a sample of shape (n_rows,)."""
        return sums.mean_of(sample) if self._is_even else sums.sum_of_windows(self.share * sample)

    def mean_by_column(self, table: Any) -> Floats:
        """Return the mean of every column of a table of shape (n_rows, n_columns)."""
        if self._is_even:
            parts = [window.sum(axis=0) for window in windows(table)]
        else:
            parts = [share @ window for share, window in zip(windows(self.share), windows(table), strict=True)]
        return np.array([math.fsum(column) for column in zip(*parts, strict=True)]) / (self.n_rows if self._is_even else 1)

    @property
    def share_of_variance(self) -> float:
        """Return the sum of the squares of all shares: of the variance of a row, what the mean of independent rows has."""
        return 1 / self.n_rows if self._is_even else sums.square_sum(self.share)

    @cached_property
    def _halves(self) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_], Floats]]:
        """Return, for each half of the rows, the half, the other one, and what turns values of the half into slopes."""
        assert self.control_variates is not None
        first = (np.arange(self.n_rows) if self.group is None else self.group) % 2 == 0
        halves = []
        for mine in (first, ~first):
            centred = self.control_variates[mine] - self.control_variates[mine].mean(axis=0)
            halves.append((mine, ~mine, np.linalg.inv(centred.T @ centred) @ centred.T))
        return halves

    @cached_property
    def size(self) -> float:
        """Independent rows of equal weight that would tell as much about a mean of a sample that does not know the weights."""
        rows = self.n_rows if self.n_independent is None else self.n_independent
        return rows if self.weight is None else rows / self.n_rows * _effective(self.share)

    def size_of(self, cases: Any) -> float:
        """Return the effective number of some rows, (sum of weights)^2 / sum of their squares (Kish 1965)."""
        return float(sums.count(cases)) if self._is_even else _effective(self.share * cases)

    @property
    def least_size(self) -> float:
        """Independent rows of equal weight that would miss a rare case as often as these may: it may lie where rows weigh most."""
        rows = self.n_rows if self.n_independent is None else self.n_independent
        return rows if self.weight is None else rows * sums.mean_of(self.weight) / sums.extremes(self.weight)[1]

    def distinct(self, cases: Any) -> float:
        """Return how many independent replications, of equal weight, some rows are."""
        if self.is_weighted:
            return min(self.size_of(cases), float(sums.count(cases)))
        if self.group is not None and not self.is_few:
            return float(len(np.unique(self.group[cases])))
        return sums.count(cases) * (self.n_independent or self.n_rows) / self.n_rows

    @cached_property
    def _groups(self) -> tuple[Any, int]:
        """Return the place of each row's group among the groups, and how many there are."""
        assert self.group is not None
        if isinstance(self.group, LongColumn):
            names = np.unique(np.concatenate([np.unique(window) for window in windows(self.group)]))
            return self.group.by_window(partial(np.searchsorted, names)), len(names)
        names, places = np.unique(self.group, return_inverse=True)
        return places, len(names)

    @property
    def reach_95(self) -> float:
        """Standard errors on either side of a value that make a 95 % interval: Student's where there are few groups."""
        return reach_95(self.n_groups)

    @property
    def n_groups(self) -> int:
        """Parts of the sample that do not depend on each other."""
        return self.n_rows if self.group is None else self._groups[1]

    def error_of(self, influence: Any) -> Judged:
        """Return the standard error of a statistic, and whether two of it on either side hold what is estimated.

        Where all of a few groups agree about a sample that is not constant, as evenly spread numbers do about a share that ends
        where their cells end, the error is not 0: then it is that of three unseen rows.

        Parameters
        ----------
        influence
            Shape (n_rows,): the derivative of the statistic in the weight of each row, less its mean.
        """
        rows = self._of_rows(influence)
        parts = self._of_groups(rows)
        n, each = len(parts), parts - sums.mean_of(parts)
        se = math.sqrt(n / (n - 1) * sums.square_sum(parts))
        if self.is_few:
            low, high = sums.extremes(influence)
            spread = high - low
            if len(np.unique(np.round(each / (spread or 1.0) * self.n_rows, 6))) <= _FEW_VALUES:
                se = max(se, _UNSEEN * spread / (self.n_independent or self.n_rows))
        return judged(se, each, rows if self.is_few else None)

    @property
    def is_few(self) -> bool:
        """Whether the sample falls into few groups of many rows each."""
        return self.group is not None and self.n_groups < min(FEW, self.n_rows)

    def _of_rows(self, influence: Any) -> Any:
        """Return what each row adds to a statistic, shape (n_rows,)."""
        if self.control_variates is None:
            return self.share * influence
        parts = influence.astype(np.float64)
        for mine, other, slopes in self._halves:
            parts[other] -= self.control_variates[other] @ (slopes @ influence[mine])
        return (parts - parts.mean()) / self.n_rows

    def _of_groups(self, parts: Any) -> Any:
        if self.group is None:
            return parts
        places, n = self._groups
        if not self.is_few:
            # Rows of people who are measured several times are in memory, and of a store these are a few rows.
            return np.bincount(in_memory(places), weights=in_memory(parts), minlength=n)
        of_windows = [np.bincount(*both, minlength=n) for both in zip(windows(places), windows(parts), strict=True)]
        return np.array([math.fsum(column) for column in zip(*of_windows, strict=True)])

    def given(self, cases: Any) -> Weighting:
        """Return how the rows with some property were drawn; that of the control variates is not 0 among these."""
        return self._of(cases, sums.count(cases), None)

    def some(self, cases: Any) -> Weighting:
        """Return how rows were drawn that are chosen without looking at them."""
        return self._of(cases, sums.count(cases), None if self.control_variates is None else self.control_variates[cases])

    def first(self, n: int) -> Weighting:
        """Return how the first rows were drawn."""
        return self._of(slice(n), n, None if self.control_variates is None else self.control_variates[:n])

    def halves(self) -> tuple[Any, Any]:
        """Return which rows are in the first half and in the second: those of one group stay together."""
        alone = np.arange(self.n_rows) if self.weight is None else numbers_of_rows(self.weight)
        is_first = (alone if self.group is None else self._groups[0]) < self.n_groups // 2
        return is_first, ~is_first

    def _of(self, rows: Any, n_rows: int, control_variates: Floats | None) -> Weighting:
        independent = None if self.n_independent is None else max(round(self.n_independent * n_rows / self.n_rows), 1)
        weight = None if self.weight is None else self.weight[rows]
        group = None if self.group is None else self.group[rows]
        return Weighting(n_rows, weight, group, control_variates, independent)


def given(weighting: Weighting | None, cases: Any) -> Weighting | None:
    """Return how the rows with some property were drawn; nothing where all rows are independent and weigh the same."""
    return None if weighting is None else weighting.given(cases)


def _effective(shares: Any) -> float:
    of_squares = sums.square_sum(shares)
    return sums.sum_of_windows(shares) ** 2 / of_squares if of_squares else 0.0
