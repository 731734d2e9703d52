"""The record of a store: what run it holds, and small files that say themselves whether they have changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from simengine.asked import LARGEST_BLOCK, MOST_REPLICATIONS, seed_asked, whole
from simengine.disk import sum_of, write_whole
from simengine.errors import ResultsError, UsageError, shorten
from simengine.sampling import Sampling

RECORD = "run.json"
STORE_LAYOUT = 2
"""Version of the layout of a store."""
MOST_BLOCKS = 1 << 21
"""Of a store: two files each."""
_CHECK = "check"


@dataclass(frozen=True)
class RunRecord:
    """What run a store holds: everything that decides a bit of it."""

    format: int
    """Version of the layout: 2."""
    simengine: str
    """Version of the package."""
    stream_version: int
    """Version of the layout of the random streams."""
    study_sha256: str
    """SHA-256 of `study.yaml`."""
    contract_sha256: str
    """SHA-256 of `contract.yaml`."""
    variant: str | None
    """Which of its own variants the study is."""
    overrides: tuple[str, ...]
    """Each `--set`, in order; they are in the study too."""
    seed: int
    """Seed of every draw."""
    replications: int
    """How many there are when all blocks are."""
    block_size: int
    """Replications in a block; the last one may have fewer."""
    columns: Mapping[str, str]
    """By column: the type of its numbers."""
    words: Mapping[str, tuple[str, ...]]
    """By coded column: its words."""
    draws: tuple[str, ...]
    """Paths of the numbers that are drawn."""
    lenders: tuple[str, ...]
    """Whose cash by date is kept row by row: of a run that is drawn plainly nobody's, for its sums are enough."""
    sobol: bool = False
    """Whether numbers are evenly spread."""
    tilts: Mapping[str, float] = field(default_factory=dict)
    """By path: the shift of a number's normal score in a part of the replications."""
    until: str | None = None
    """The precision until which replications are added; null if their number was given."""
    at_most: int | None = None
    """The most replications that may be added for it."""
    looked_at: tuple[int, ...] = ()
    """Numbers of replications after which the precision was not reached, in order."""

    @property
    def sampling(self) -> Sampling:
        """How the numbers of the study are drawn."""
        return Sampling(is_sobol=self.sobol, tilts=self.tilts)

    def blocks(self) -> list[tuple[int, int]]:
        """List the blocks: the first replication, and the one after the last."""
        size, n = self.block_size, self.replications
        return [(first, min(first + size, n)) for first in range(0, n, size)]


def write_sealed(path: Path, content: Mapping[str, Any]) -> None:
    """Write plain data with its own checksum."""
    text = _text(content)
    write_whole(path, _text({**content, _CHECK: sum_of(text.encode())}).encode())


def read_sealed(path: Path, what: str) -> dict[str, Any]:
    """Read plain data, once its checksum holds.

    Raises
    ------
    ResultsError
        If the file cannot be read, or is not as it was written.
    """
    rule = f"must be {what} as simengine wrote it"
    try:
        raw = path.read_bytes()
        content = json.loads(raw)
        kept = content.pop(_CHECK)
    except OSError as error:
        raise ResultsError(f"{path}: {rule}; found: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ResultsError(f"{path}: {rule}; found what is no such file, or a damaged one") from None
    found = sum_of(_text(content).encode())
    if found != kept or raw != _text({**content, _CHECK: kept}).encode():
        raise ResultsError(f"{path}: {rule}, with SHA-256 {kept} of its content; found {found}: the file has changed")
    return dict(content)


def write_record(folder: Path, record: RunRecord) -> None:
    """Write the record of a store."""
    write_sealed(folder / RECORD, asdict(record))


def read_record(folder: Path) -> RunRecord:
    """Read the record of a store.

    Raises
    ------
    ResultsError
        If there is none, it has changed, or another version of the program made the store.
    """
    from simengine import __version__
    from simengine.streams import STREAM_VERSION

    path = folder / RECORD
    if not path.is_file():
        raise ResultsError(f"{path}: must be the record of a store, which `simengine run --store` makes; found no such file")
    content = read_sealed(path, "the record of a store")
    made = (content.get("format"), content.get("simengine"), content.get("stream_version"))
    if made != (STORE_LAYOUT, __version__, STREAM_VERSION):
        here = f"simengine {__version__} with version {STREAM_VERSION} of the random streams and layout {STORE_LAYOUT}"
        found = f"simengine {made[1]} with version {made[2]} and layout {made[0]}"
        raise ResultsError(f"{path}: must come from {here}; found {found}. Use the version that made it")
    try:
        words = {name: tuple(one) for name, one in content.pop("words").items()}
        content |= {name: tuple(content[name]) for name in ("overrides", "draws", "lenders", "looked_at")}
        record = RunRecord(**content, words=words)
        _refuse_impossible(record)
    except (KeyError, TypeError, AttributeError, UsageError) as error:
        raise ResultsError(f"{path}: must be the record of a store; found {type(error).__name__}: {error}") from None
    return record


def refuse_many_blocks(replications: int, block_size: int) -> None:
    """Refuse a run of so many blocks that the list of them alone would fill the memory.

    Raises
    ------
    UsageError
        With the size of a block that will do.
    """
    n_blocks = -(-replications // block_size)
    if n_blocks > MOST_BLOCKS:
        raise UsageError(
            f"--block-size: a store must have at most {MOST_BLOCKS:,} blocks; found {n_blocks:,}, of {block_size:,} replications each. "
            f"Use blocks of {-(-replications // MOST_BLOCKS):,} or more"
        )


def _refuse_impossible(record: RunRecord) -> None:
    """Refuse a record whose checksum holds and whose content no run has: its numbers decide what is computed and held."""
    seed_asked(record.seed)
    whole(record.replications, "replications", 2, MOST_REPLICATIONS)
    whole(record.block_size, "block_size", 1, LARGEST_BLOCK)
    refuse_many_blocks(record.replications, record.block_size)
    if record.at_most is not None:
        whole(record.at_most, "at_most", 1, MOST_REPLICATIONS)
    for n in record.looked_at:
        whole(n, "looked_at", 1, record.replications)
    kinds: dict[str, tuple[object, type | tuple[type, ...]]] = {
        "sobol": (record.sobol, bool),
        "variant": (record.variant, str | None),  # type: ignore[dict-item]
        "until": (record.until, str | None),  # type: ignore[dict-item]
        "columns": (record.columns, dict),
        "tilts": (record.tilts, dict),
    }
    texts = [*record.overrides, *record.draws, *record.lenders, *record.columns.values(), *sum(record.words.values(), ())]
    wrong = next((name for name, (value, kind) in kinds.items() if not isinstance(value, kind)), None)
    if wrong is not None or not all(isinstance(text, str) for text in texts):
        found = shorten(getattr(record, wrong)) if wrong else "a name that is no text"
        raise UsageError(f"{wrong or 'names'}: must be as a run has it; found {found}")


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=True) + "\n"
