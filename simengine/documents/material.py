"""What a report is made of: a run, kept or just made, its study, its statistics by their paths, and its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simengine.config import Study, load_study
from simengine.errors import ResultsError, UsageError
from simengine.late import late
from simengine.pipeline import draw_numbers
from simengine.provenance import SCHEMA_VERSION
from simengine.questions.subject import Size
from simengine.records import Floats, Integers
from simengine.report.kept import read_run
from simengine.risk.statistics import Statistic
from simengine.sampling import Sampling

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyarrow import parquet
else:
    parquet = late("pyarrow.parquet")

_WAY_OUT = "Run it again, as run-again.txt says"


@dataclass(frozen=True)
class Material:
    """A run with its study."""

    study: Study
    content: Mapping[str, Any]
    """What `summary.json` says of the run."""
    rows: Mapping[str, Floats]
    """By column: one value per row of the run; columns of words are left out."""
    replications: Integers
    """By row: the number of its replication."""
    seed: int
    sampling: Sampling
    is_kept: bool
    """Whether it comes from a folder, whose files have checksums."""
    variant: str | None = None

    @property
    def n_replications(self) -> int:
        """How many replications the run has."""
        return int(self.content["replications"])

    def get(self, path: str) -> Statistic | None:
        """Look up a statistic by its path, such as `investor.p_loss`; None where there is none."""
        node: Any = self.content
        for name in path.split("."):
            if not isinstance(node, Mapping) or name not in node:
                return None
            node = node[name]
        return statistic_from(node) if isinstance(node, Mapping) and "value" in node else None

    def of_party(self, party: str, name: str) -> Statistic | None:
        """Look up a statistic of a party's money: in its own section, else in that of who pays and who saves."""
        other = {"p_loss": "p_net_below_zero"}.get(name, name)
        return self.get(f"{party}.{name}") or self.get(f"public_value.{party}.{other}")

    @cached_property
    def drawn(self) -> Mapping[str, Floats]:
        """By path: the numbers that were drawn, one for each replication in its order."""
        return draw_numbers(self.study, self.seed, np.unique(self.replications), self.sampling).values

    @cached_property
    def weights(self) -> Floats:
        """By row: its weight; the sum is 1."""
        weight = self.rows.get("weight")
        even = np.ones(len(self.replications))
        shares: Floats = even / even.sum() if weight is None else np.asarray(weight) / np.sum(weight)
        return shares


def statistic_from(node: Mapping[str, Any]) -> Statistic:
    """Make a statistic of what JSON says of it."""
    value, se = (nan if node[name] is None else float(node[name]) for name in ("value", "se"))
    interval = node.get("interval_95")
    return Statistic(
        value,
        se,
        upper_95=node.get("upper_95"),
        lower_95=node.get("lower_95"),
        interval_95=None if interval is None else (float(interval[0]), float(interval[1])),
        tail_points=node.get("tail_points"),
        covers=bool(node.get("covers", True)),
    )


def kept_material(folder: Path) -> Material:
    """Read a run from its folder, once the checksums of all its files hold.

    Raises
    ------
    ResultsError
        If the folder holds no run, another content than the run wrote, or a run of another version of the layout.
    """
    run = read_run(folder)
    path = folder / "summary.json"
    content = dict(run.summary)
    version = content["provenance"].get("schema_version")
    if version != SCHEMA_VERSION:
        raise ResultsError(f"{path}: must be of version {SCHEMA_VERSION} of the layout of results; found {version}. {_WAY_OUT}")
    missing = [name for name in _NEEDED if name not in content]
    if missing:
        raise ResultsError(f"{path}: must be as this version of simengine writes it; found no `{missing[0]}`. {_WAY_OUT}")
    rows, replications = _rows_of(folder / "replications.parquet")
    return Material(load_study(run.study), content, rows, replications, run.seed, run.sampling, is_kept=True)


_NEEDED = ("title", "currency", "parties", "public_value", "terms", "exceedance", "assumptions", "refused", "diagnostics")


def _rows_of(path: Path) -> tuple[dict[str, Floats], Integers]:
    import pyarrow as pa

    try:
        table = parquet.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise ResultsError(f"{path}: must hold the rows of a run; found: {str(error).splitlines()[0]}. {_WAY_OUT}") from None
    if "replication" not in table.column_names:
        raise ResultsError(f"{path}: must hold the rows of a run; found no column `replication`. {_WAY_OUT}")
    columns = {
        name: column.to_numpy().astype(np.float64)
        for name, column in zip(table.column_names, table.columns, strict=True)
        if not pa.types.is_dictionary(column.type) and name != "replication"
    }
    return columns, table.column("replication").to_numpy()


def made_material(
    place: Path,
    size: Size,
    changes: Mapping[str, Any],
    answered: Callable[[Any, str], Any],
    refuse: Callable[[Study], object],
) -> Material:
    """Run a study as `run` does.

    Parameters
    ----------
    place
        The file of the study.
    size
        Of the run.
    changes
        `overrides` and `variant`.
    answered
        From a question that is posed and its name to its answer: shows how far it is.
    refuse
        Raises what can be known to be wrong before anything is simulated.
    """
    from simengine.provenance import Stopwatch
    from simengine.questions.driver import pose, told_with
    from simengine.questions.question import Source
    from simengine.questions.run.question import RUN

    overrides: Sequence[str] = changes.get("overrides", ())
    variant = changes.get("variant")
    study = load_study(place, overrides, variant)
    refuse(study)
    posed = pose(RUN, study, size, {}, Source(variant, lambda name: load_study(place, overrides, name)))
    clock = Stopwatch()
    own = {"study": place.name, "variant": variant, "overrides": list(overrides)}
    found = answered(posed, "run")
    content = told_with(posed, found, lambda text, settings: posed.described(clock, text, "report", own | dict(settings)))
    # When it ran is no part of what it says: the same study and seed give the same report.
    del content["provenance"]["time"]
    columns = {
        name: np.asarray(column, np.float64) for name, column in found.results.columns.items() if name not in found.results.codes
    }
    return Material(study, content, columns, found.results.replications, found.seed, found.sampling, is_kept=False, variant=variant)


def refuse_with_run(size: Size, changes: Mapping[str, Any]) -> None:
    """Refuse what a run has decided already.

    Raises
    ------
    UsageError
        If somebody says how many replications, under which seed, or what of the study is changed.
    """
    if size.replications is not None or size.seed is not None or changes.get("overrides") or changes.get("variant"):
        raise UsageError(
            "-n, --seed, --set, --variant: must go with a study; found RUN, which holds its study, its seed and its replications. "
            "Leave them out, or give the study"
        )
