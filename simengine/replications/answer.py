"""What every answer to a question is: a frozen bundle of statistics, which says what it is and gives its numbers as a table."""

from __future__ import annotations

from typing import Any

from simengine.risk.statistics import frame_of, statistics_in


class Answer:
    """A bundle of statistics, each with its Monte Carlo standard error; its fields are described where it is made."""

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
