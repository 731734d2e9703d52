"""The base of every answer: a frozen dataclass of statistics that prints as one line and as a table."""

from __future__ import annotations

from typing import Any

from simengine.risk.statistics import frame_of, statistics_in


class Answer:
    """A set of statistics, each with its Monte Carlo standard error; the fields are described in each subclass."""

    n_replications: int
    seed: int

    def __repr__(self) -> str:
        count = sum(1 for _ in statistics_in(self))
        return f"<{type(self).__name__}: {self.n_replications:,} replications, seed {self.seed}, {count} statistics>"

    def _repr_html_(self) -> str:
        return str(self.to_pandas()._repr_html_())

    def to_pandas(self) -> Any:
        """Return a data frame of pandas: one row per statistic under its path, with its value and Monte Carlo standard error."""
        return frame_of(statistics_in(self))
