"""About what a question is asked: a study, a portfolio, or one replication of a run. What they need of the driver, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from simengine.asked import LARGEST_BLOCK, MOST_REPLICATIONS, MOST_THREADS, seed_asked, whole

if TYPE_CHECKING:
    from simengine.config import Study
    from simengine.config.portfolio import Holding


@dataclass(frozen=True)
class Size:
    """How many replications are asked, under which seed, and how they are computed."""

    replications: int | None = None
    """Absent: the study's own number."""
    seed: int | None = None
    """Absent: the study's own, else one that is drawn."""
    threads: int | None = None
    """Blocks that run at once; absent: one per processor. Neither this nor `block_size` changes any bit of a result."""
    block_size: int = 1000

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be asked for."""
        if self.replications is not None:
            whole(self.replications, "replications", 2, MOST_REPLICATIONS)
        if self.seed is not None:
            seed_asked(self.seed)
        if self.threads is not None:
            whole(self.threads, "threads", 1, MOST_THREADS)
        whole(self.block_size, "block_size", 1, LARGEST_BLOCK)

    @property
    def at_once(self) -> int:
        """Give how many blocks run at once."""
        from simengine.worlds.blocks import available_processors

        return self.threads or available_processors()


class Subject(Protocol):
    """What a question may be asked about."""

    argument: str
    """The word of the command line."""
    file: str
    """Where the folder of an answer keeps it."""

    def size(self, subject: Any, size: Size) -> tuple[int, int]:
        """Give the seed and the number of replications: as asked, else its own, else a seed that is drawn."""

    def refuse_if_too_large(self, subject: Any, n_replications: int, size: Size, **how: Any) -> None:
        """Refuse, before any work, what cannot be held."""

    def texts(self, subject: Any, variant: str | None, variants: Mapping[str, dict[str, object]]) -> dict[str, str]:
        """Write it as it was asked about, by the names of files."""


class OfStudy:
    """A study."""

    argument = "STUDY"
    file = "study.yaml"

    def size(self, study: Study, size: Size) -> tuple[int, int]:
        """Give the seed and the number of replications."""
        from simengine.streams import draw_seed

        own = study.run.seed
        seed = size.seed if size.seed is not None else draw_seed() if own is None else own
        return seed, size.replications or int(study.run.replications.value)

    def refuse_if_too_large(self, study: Study, n_replications: int, size: Size, **how: Any) -> None:
        """Refuse, before any work, what cannot be held."""
        from simengine.worlds.memory import refuse_if_too_large

        refuse_if_too_large(study, n_replications, at_once=size.at_once, block_size=size.block_size, **how)

    def texts(self, study: Study, variant: str | None, variants: Mapping[str, dict[str, object]]) -> dict[str, str]:
        """Write it as it was asked about, by the names of files."""
        from simengine.report.document import kept_text

        return {self.file: kept_text(study, variant, variants)}


class OfPortfolio:
    """Several studies held together."""

    argument = "FUND"
    file = "portfolio.yaml"
    replications = 2_000

    def size(self, holding: Holding, size: Size) -> tuple[int, int]:  # noqa: ARG002
        """Give the seed and the number of replications."""
        from simengine.streams import draw_seed

        return draw_seed() if size.seed is None else size.seed, size.replications or self.replications

    def refuse_if_too_large(self, holding: Holding, n_replications: int, size: Size, **how: Any) -> None:  # noqa: ARG002
        """Refuse, before any work, what cannot be held: the replications of every project."""
        from simengine.worlds.memory import refuse_if_too_large

        for study in holding.studies.values():
            refuse_if_too_large(study, n_replications * len(holding.studies), at_once=size.at_once, block_size=size.block_size)

    def texts(self, holding: Holding, variant: str | None, variants: Mapping[str, dict[str, object]]) -> dict[str, str]:  # noqa: ARG002
        """Write it and its studies, by the names of files."""
        from simengine.report.document import portfolio_texts

        return portfolio_texts(holding)


STUDY = OfStudy()
PORTFOLIO = OfPortfolio()
