"""About what a question is asked: a study, a portfolio, or one replication of a run. What they need of the driver, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from simengine.asked import LARGEST_BLOCK, MOST_REPLICATIONS, MOST_THREADS, seed_asked, whole
from simengine.errors import UsageError

if TYPE_CHECKING:
    from simengine.config import Study
    from simengine.config.portfolio import Holding


_OF_A_PORTFOLIO = 2_000
"""Replications of every project, where nobody says how many."""


@dataclass(frozen=True)
class Size:
    """How many replications are asked, under which seed, and how they are computed."""

    replications: int | None = None
    """Absent: the study's own number."""
    seed: int | None = None
    """Absent: the study's own, else one that is drawn."""
    threads: int | None = None
    """Blocks that run at once; absent: one per processor. Neither this nor `block_size` changes any bit of a result."""
    block_size: int | None = None
    """Absent: as many as what is asked about may hold at once."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be asked for."""
        if self.replications is not None:
            whole(self.replications, "replications", 2, MOST_REPLICATIONS)
        if self.seed is not None:
            seed_asked(self.seed)
        if self.threads is not None:
            whole(self.threads, "threads", 1, MOST_THREADS)
        if self.block_size is not None:
            whole(self.block_size, "block_size", 1, LARGEST_BLOCK)

    @property
    def at_once(self) -> int:
        """How many blocks run at once."""
        from simengine.replications.blocks import available_processors

        return self.threads or available_processors()


@dataclass(frozen=True)
class Loaded:
    """What a question is asked about, as it was read; and what comes with it."""

    subject: Any
    size: Size
    given: Mapping[str, Any] = field(default_factory=dict)
    """Values of options that were chosen where it comes from."""


class Subject(Protocol):
    """What a question may be asked about."""

    argument: str
    """The word of the command line."""
    file: str
    """Where the folder of an answer keeps it."""
    may_change: bool
    """Whether it has variants, and values that can be set."""
    replications: int | None
    """How many are drawn where nobody says; absent: as it says itself."""

    def load(self, place: Path, *, size: Size, overrides: Sequence[str] = (), variant: str | None = None) -> Loaded:
        """Read it from a file or folder."""

    def size(self, subject: Any, /, size: Size) -> tuple[int, int]:
        """Return the seed and the number of replications: as asked, else its own, else a seed that is drawn."""

    def block_size(self, subject: Any, /, n_replications: int, size: Size) -> int:
        """Return the number of replications in a block: as asked, else as many as it may hold at once."""

    def bytes_in_a_block(self, subject: Any, /) -> int:
        """Return the bytes that a replication takes while it is in a block."""

    def replications_in_a_batch(self, subject: Any, /) -> int:
        """Return after how many replications the batch of people is full that is held while a block is simulated."""

    def refuse_if_too_large(self, subject: Any, /, n_replications: int, size: Size, **how: Any) -> None:
        """Refuse, before any work, what cannot be held."""

    def texts(self, subject: Any, /, variant: str | None, variants: Mapping[str, dict[str, object]]) -> dict[str, str]:
        """Write it as it was asked about, by the names of files."""

    def contract_text(self, subject: Any, /) -> str | None:
        """Write its contract; None where it has several."""


class OfStudy:
    """A study."""

    argument = "STUDY"
    file = "study.yaml"
    may_change = True
    replications: int | None = None

    def load(self, place: Path, *, size: Size, overrides: Sequence[str] = (), variant: str | None = None) -> Loaded:
        """Read it, with its changes."""
        from simengine.config import load_study

        return Loaded(load_study(place, overrides, variant), size)

    def size(self, study: Study, /, size: Size) -> tuple[int, int]:
        """Return the seed and the number of replications."""
        from simengine.streams import draw_seed

        own = study.run.seed
        seed = size.seed if size.seed is not None else draw_seed() if own is None else own
        return seed, size.replications or int(study.run.replications.value)

    def block_size(self, study: Study, /, n_replications: int, size: Size) -> int:
        """Return the number of replications in a block: as asked, else as many as the study may hold at once."""
        from simengine.replications.memory import fitting_block_size

        return size.block_size or fitting_block_size(study, n_replications, size.at_once)

    def bytes_in_a_block(self, study: Study, /) -> int:
        """Return the bytes that a replication takes while it is in a block."""
        from simengine.replications.memory import bytes_in_a_block

        return bytes_in_a_block(study)

    def replications_in_a_batch(self, study: Study, /) -> int:
        """Return after how many replications a batch of people is full."""
        from simengine.replications.memory import replications_in_a_batch

        return replications_in_a_batch(study)

    def refuse_if_too_large(self, study: Study, /, n_replications: int, size: Size, **how: Any) -> None:
        """Refuse, before any work, what cannot be held."""
        from simengine.replications.memory import refuse_if_too_large

        refuse_if_too_large(
            study, n_replications, at_once=size.at_once, block_size=self.block_size(study, n_replications, size), **how
        )

    def texts(self, study: Study, /, variant: str | None, variants: Mapping[str, dict[str, object]]) -> dict[str, str]:
        """Write it as it was asked about, by the names of files."""
        from simengine.report.document import kept_text

        return {self.file: kept_text(study, variant, variants)}

    def contract_text(self, study: Study, /) -> str | None:
        """Write its contract."""
        from simengine.report.document import as_text

        return as_text(study.contract)


class OfStudyOrStore(OfStudy):
    """A study; or a store, which holds its study, its seed and its number of replications."""

    def load(self, place: Path, *, size: Size, overrides: Sequence[str] = (), variant: str | None = None) -> Loaded:
        """Read the study, of a store as it is run."""
        if not place.is_dir():
            return super().load(place, size=size, overrides=overrides, variant=variant)
        from simengine.store.folder import STUDY_FILE, open_store

        record = open_store(place).record
        if overrides or variant or size.seed is not None or size.replications is not None:
            rule = "must go with a study; found the folder of a store, which holds its study, seed and number of replications"
            raise UsageError(f"-n, --seed, --set, --variant: {rule}. Leave them out; `--extend N` adds replications")
        loaded = super().load(place / STUDY_FILE, size=replace(size, seed=record.seed, replications=record.replications))
        drawn = {"sobol": record.sobol, "tilts": tuple(f"{path}={shift!r}" for path, shift in record.tilts.items())}
        aimed = {} if record.until is None else {"until": record.until, "at_most": record.at_most}
        return replace(loaded, given={"begun": place, **drawn, **aimed})


class OfPortfolio:
    """Several studies held together."""

    argument = "FUND"
    file = "portfolio.yaml"
    may_change = False
    replications: int | None = _OF_A_PORTFOLIO

    def load(self, place: Path, *, size: Size, overrides: Sequence[str] = (), variant: str | None = None) -> Loaded:  # noqa: ARG002
        """Read it with its studies, which have changes of their own."""
        from simengine.config import load_portfolio

        return Loaded(load_portfolio(place), size)

    def size(self, holding: Holding, /, size: Size) -> tuple[int, int]:  # noqa: ARG002
        """Return the seed and the number of replications."""
        from simengine.streams import draw_seed

        return draw_seed() if size.seed is None else size.seed, size.replications or _OF_A_PORTFOLIO

    def block_size(self, holding: Holding, /, n_replications: int, size: Size) -> int:
        """Return the number of replications in a block: as asked, else as many as the largest of the studies may hold at once."""
        from simengine.replications.memory import fitting_block_size

        return size.block_size or min(fitting_block_size(one, n_replications, size.at_once) for one in holding.studies.values())

    def bytes_in_a_block(self, holding: Holding, /) -> int:
        """Return the bytes that a replication of the largest of the studies takes while it is in a block."""
        from simengine.replications.memory import bytes_in_a_block

        return max(map(bytes_in_a_block, holding.studies.values()))

    def replications_in_a_batch(self, holding: Holding, /) -> int:
        """Return after how many replications a batch of people is full in all of the studies."""
        from simengine.replications.memory import replications_in_a_batch

        return max(map(replications_in_a_batch, holding.studies.values()))

    def refuse_if_too_large(self, holding: Holding, /, n_replications: int, size: Size, **how: Any) -> None:  # noqa: ARG002
        """Refuse, before any work, what cannot be held: the replications of every project."""
        from simengine.replications.memory import refuse_if_too_large

        for study in holding.studies.values():
            refuse_if_too_large(
                study, n_replications, at_once=size.at_once, block_size=self.block_size(holding, n_replications, size)
            )

    def texts(self, holding: Holding, /, variant: str | None, variants: Mapping[str, dict[str, object]]) -> dict[str, str]:  # noqa: ARG002
        """Write it and its studies, by the names of files."""
        from simengine.report.document import portfolio_texts

        return portfolio_texts(holding)

    def contract_text(self, holding: Holding, /) -> str | None:  # noqa: ARG002
        """Each of its studies has a contract of its own."""
        return None


class OfRun(OfStudy):
    """A folder of results; or a study, of which a seed says which replications are meant."""

    argument = "RUN"

    def load(self, place: Path, *, size: Size, overrides: Sequence[str] = (), variant: str | None = None) -> Loaded:
        """Read the study of a run, its seed, and how its numbers were drawn."""
        from simengine.report import kept

        if not place.is_dir():
            return super().load(place, size=size, overrides=overrides, variant=variant)
        run = kept.read_run(place)
        if overrides or variant or size.seed is not None:
            raise UsageError(
                "--set, --variant, --seed: must go with a study; found RUN, which holds its study and its seed. Leave them out"
            )
        drawn = {"sobol": run.sampling.is_sobol, "measured": run.sampling.measured, "control_variates": run.with_control_variates}
        tilts = tuple(f"{path}={shift!r}" for path, shift in run.sampling.tilts.items())
        loaded = super().load(run.study, size=replace(size, seed=run.seed))
        return replace(loaded, given={**drawn, "tilts": tilts, "kept": run})

    def size(self, study: Study, /, size: Size) -> tuple[int, int]:
        """Return the seed, which nobody can do without, and as many replications as make an ensemble."""
        seed = study.run.seed if size.seed is None else size.seed
        if seed is None:
            raise UsageError(
                "--seed: a replication of a study must be named by a seed and a number; found no seed. "
                "Add `--seed N`, the seed printed in the heading of the run"
            )
        return seed, 2


STUDY = OfStudy()
STUDY_OR_STORE = OfStudyOrStore()
PORTFOLIO = OfPortfolio()
RUN_OR_STUDY = OfRun()
