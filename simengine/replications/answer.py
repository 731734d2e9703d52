"""The base of every answer: a frozen dataclass of statistics that prints as one line and as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simengine.risk.frames import frame_of, numbers_in, statistics_in

_HEADING = ("seed", "replications")
"""Numbers of the JSON object that say what was drawn, and are no part of what was found."""


@dataclass(frozen=True, repr=False, kw_only=True)
class Answer:
    """A set of statistics, each with its Monte Carlo standard error; the fields are described in each subclass."""

    n_replications: int
    seed: int
    told: Callable[[Any], Mapping[str, Any]] | None = field(default=None, compare=False)
    """From the answer to its JSON object; absent where it was computed without being asked as a question."""

    @property
    def drawn(self) -> str:
        """Say in words which replications were drawn."""
        return f"{self.n_replications:,} replications, seed {self.seed}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.drawn}, {sum(1 for _ in statistics_in(self._said()))} statistics>"

    def _repr_html_(self) -> str:
        return str(self.to_pandas()._repr_html_())

    def _said(self) -> Any:
        if self.told is None:
            return self
        return {name: part for name, part in self.told(self).items() if name not in _HEADING}

    def to_pandas(self) -> Any:
        """Return a data frame of pandas: one row per number of the answer, under its path in the JSON object of `--json`.

        The columns are `value`; `se`, its Monte Carlo standard error; `low_95` and `high_95`, between which the exact value lies in
        95 of 100 runs; and `covers`, which is false where two standard errors on either side do not. Entries of a list stand under
        their path or name, or under their number. A number that is no estimate, or whose error is unknown, has NaN instead of errors.
        """
        return frame_of(numbers_in(self._said()))
