"""How the replications of a sample were drawn, where they are not independent draws of equal weight.

A statistic is linear to first order: its error is the mean of what each replication adds to it, its *influence*. So one formula
gives every standard error: the influences, weighted, are summed over replications that hang together, and the sums are
independent of each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from simengine.arrays import Floats, Integers
from simengine.risk.coverage import FEW, Judged, judged, reach_95

_UNSEEN = 1.5
"""Half of 3: where all of a few groups agree, what they miss is up to three rows in 95 of 100 runs, by the rule of three."""
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
    def share(self) -> Floats:
        """Shape (n_rows,): the part of each row in a mean; sums to 1.

        Notes
        -----
        With control variates x, a mean is corrected by b x̄, b the slope of a regression. Each half of the rows is corrected by the
        slope found in the other one, so that slope and mean are independent and nothing is biased. As the slope is linear in what
        is averaged, this comes to one set of shares for all statistics.
        """
        plain = np.full(self.n_rows, 1 / self.n_rows) if self.weight is None else self.weight / self.weight.sum()
        if self.control_variates is None:
            return plain
        corrected = plain.copy()
        for mine, other, slopes in self._halves:
            corrected[mine] -= slopes.T @ self.control_variates[other].sum(axis=0) / self.n_rows
        return corrected

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
        return rows if self.weight is None else rows / self.n_rows * self.size_of(np.ones(self.n_rows, dtype=bool))

    def size_of(self, cases: NDArray[np.bool_]) -> float:
        """Return the effective number of some rows, (sum of weights)^2 / sum of their squares (Kish 1965)."""
        share = self.share[cases]
        return float(share.sum() ** 2 / (share @ share)) if len(share) else 0.0

    @property
    def least_size(self) -> float:
        """Independent rows of equal weight that would miss a rare case as often as these may: it may lie where rows weigh most."""
        rows = self.n_rows if self.n_independent is None else self.n_independent
        return rows if self.weight is None else rows * float(self.weight.mean() / self.weight.max())

    def distinct(self, cases: NDArray[np.bool_]) -> float:
        """Return how many independent replications, of equal weight, some rows are."""
        if self.is_weighted:
            return min(self.size_of(cases), float(np.count_nonzero(cases)))
        if self.group is not None and not self.is_few:
            return float(len(np.unique(self.group[cases])))
        return np.count_nonzero(cases) * (self.n_independent or self.n_rows) / self.n_rows

    @cached_property
    def _groups(self) -> tuple[Integers, int]:
        assert self.group is not None
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

    def standard_error(self, influence: Floats) -> float:
        """Return the standard error of a statistic from what each row adds to it.

        Parameters
        ----------
        influence
            Shape (n_rows,): the derivative of the statistic in the weight of each row, less its mean.
        """
        return float(self.standard_errors(influence[:, None])[0])

    def standard_errors(self, influences: Floats) -> Floats:
        """Return the standard errors of several statistics at once; influences has the shape (n_rows, n_statistics)."""
        parts = self._of_groups(self._of_rows(influences))
        n = len(parts)
        return np.asarray(np.sqrt(n / (n - 1) * (parts**2).sum(axis=0)))

    def error_of(self, influence: Floats) -> Judged:
        """Return the standard error of a statistic, and whether two of it on either side hold what is estimated.

        Where all of a few groups agree about a sample that is not constant, as evenly spread numbers do about a share that ends
        where their cells end, the error is not 0: then it is that of three unseen rows.
        """
        rows = self._of_rows(influence[:, None])
        parts = self._of_groups(rows)
        n, each = len(parts), parts[:, 0] - parts[:, 0].mean()
        se = float(np.sqrt(n / (n - 1) * (parts**2).sum()))
        spread = float(np.ptp(influence))
        if self.is_few and len(np.unique(np.round(each / (spread or 1.0) * self.n_rows, 6))) <= _FEW_VALUES:
            se = max(se, _UNSEEN * spread / (self.n_independent or self.n_rows))
        return judged(se, each, rows[:, 0] if self.is_few else None)

    @property
    def is_few(self) -> bool:
        """Whether the sample falls into few groups of many rows each."""
        return self.group is not None and self.n_groups < min(FEW, self.n_rows)

    def _of_rows(self, influences: Floats) -> Floats:
        """Return what each row adds to some statistics; shape (n_rows, n_statistics)."""
        if self.control_variates is None:
            return np.asarray(self.share[:, None] * influences)
        parts = influences.astype(np.float64)
        for mine, other, slopes in self._halves:
            parts[other] -= self.control_variates[other] @ (slopes @ influences[mine])
        return np.asarray((parts - parts.mean(axis=0)) / self.n_rows)

    def _of_groups(self, parts: Floats) -> Floats:
        if self.group is None:
            return parts
        places, n = self._groups
        return np.stack([np.bincount(places, weights=column, minlength=n) for column in parts.T], axis=1)

    def given(self, cases: NDArray[np.bool_]) -> Weighting:
        """Return how the rows with some property were drawn; that of the control variates is not 0 among these."""
        return self._of(np.flatnonzero(cases), None)

    def some(self, rows: Integers) -> Weighting:
        """Return how rows were drawn that are chosen without looking at them."""
        return self._of(rows, None if self.control_variates is None else self.control_variates[rows])

    def _of(self, rows: Integers, control_variates: Floats | None) -> Weighting:
        independent = None if self.n_independent is None else max(round(self.n_independent * len(rows) / self.n_rows), 1)
        weight = None if self.weight is None else self.weight[rows]
        group = None if self.group is None else self.group[rows]
        return Weighting(len(rows), weight, group, control_variates, independent)


def given(weighting: Weighting | None, cases: NDArray[np.bool_]) -> Weighting | None:
    """Return how the rows with some property were drawn; nothing where all rows are independent and weigh the same."""
    return None if weighting is None else weighting.given(cases)
