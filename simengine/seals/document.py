"""A seal as a file: one way to write it, a SHA-256 over that, and a reader that trusts nothing.

A seal is data from somewhere else. It is read as far as its size allows, every key once and of its kind, and it is held against its
SHA-256: whatever was changed in it is one refusal. The hash is over what the seal says, not over blanks and line ends.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypedDict

from simengine.asked import MAX_SEED, is_number, place_asked
from simengine.config.document import bytes_of
from simengine.config.strict_json import RepeatedKeyError, strict_json
from simengine.disk import sum_of
from simengine.errors import UNSEEN, ResultsError, UsageError, escaped, shorten
from simengine.report.drafts import new_draft
from simengine.seals.distribution import LARGEST_VALUE, MOST_SEALED, SealedDistribution, knots_from

FORMAT = 1
_MOST_BYTES = 1 << 21
_MOST_RESULTS, _MOST_KNOTS, _MOST_OVERRIDES, _LONGEST_TEXT = 200, 1000, 1000, 10_000
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_WAY_OUT = "Ask for the file again, or seal the run again"


class SealedStudy(TypedDict):
    """The study."""

    title: str
    """Its title."""
    currency: str
    """Its currency."""
    variant: str | None
    """The variant that was run; null if there was none."""
    overrides: list[str]
    """Each `--set` of the run, in order."""
    text_sha256: str
    """SHA-256 of the study as it was run: of `study.yaml` in the folder of the run."""
    contract_sha256: str
    """SHA-256 of its contract as text: of the `contract.yaml` that `simengine explain -o` writes of that study."""


class LostContent(TypedDict):
    """What is lost between the knots."""

    probability: float
    """The most by which a probability of less than some value, and so a PIT, can differ from that of all replications."""
    crps: float
    """The most by which a CRPS can differ from that of all replications, in the unit of the result."""


class ResultContent(TypedDict):
    """The distribution of a result."""

    knots: list[Any]
    """In order: a value, how many replications lie below it, and how many at it. Between two knots the others lie evenly."""
    lost: LostContent
    """What is lost between the knots."""


class SealContent(TypedDict):
    """A seal."""

    seal: int
    """Version of this layout: 1."""
    sha256: str
    """SHA-256 of all the rest, written as the seal is."""
    simengine: str
    """Version of `simengine`."""
    streams: int
    """Version of the random streams: with the same study, seed and version of `simengine` it gives the same numbers."""
    study: SealedStudy
    """The study."""
    seed: int
    """Seed of the run."""
    replications: int
    """Number of replications."""
    results: Mapping[str, ResultContent]
    """By result: its distribution."""


@dataclass(frozen=True)
class Seal:
    """A forecast that is fixed: of which study, from which draws, and how its results are distributed."""

    study: SealedStudy
    seed: int
    n_replications: int
    simengine: str
    streams: int
    """Version of the random streams."""
    results: Mapping[str, SealedDistribution] = field(repr=False)

    @cached_property
    def sha256(self) -> str:
        """The hash of all that the seal says."""
        return sum_of(_written(self._content()).encode())

    @property
    def text(self) -> str:
        """The seal as it is written."""
        return _written(self.content())

    def content(self) -> SealContent:
        """Return the seal as plain numbers."""
        return {"sha256": self.sha256, **self._content()}  # type: ignore[typeddict-item]

    def _content(self) -> dict[str, Any]:
        return {
            "seal": FORMAT,
            "simengine": self.simengine,
            "streams": self.streams,
            "study": self.study,
            "seed": self.seed,
            "replications": self.n_replications,
            "results": {
                name: {
                    "knots": [[knot.value, knot.below, knot.at] for knot in one.knots],
                    "lost": {"probability": one.lost_probability, "crps": one.lost_crps},
                }
                for name, one in self.results.items()
            },
        }


def _written(content: Mapping[str, Any]) -> str:
    """Write a seal: keys in order, numbers in the fewest digits that read back as the same, a line for each key and each result."""

    def lines(node: Mapping[str, Any]) -> str:
        entries = (f"{_in_line(key)}: {lines(node[key]) if key == 'results' else _in_line(node[key])}" for key in sorted(node))
        return "{\n" + ",\n".join(entries) + "\n}"

    return lines(content) + "\n"


def _in_line(node: Any) -> str:
    return json.dumps(node, ensure_ascii=True, sort_keys=True, allow_nan=False, separators=(",", ":"))


def checked(seal: Seal) -> Seal:
    """Return a seal that reads back as it is written.

    Raises
    ------
    UsageError
        If a reader would refuse it.
    """
    try:
        return _read(seal.text.encode("ascii"))
    except ValueError as error:
        raise UsageError(f"seal: must hold what its reader takes; found {error}") from None


def write_seal(seal: Seal, target: Path | str) -> None:
    """Write a seal under a new name, whole or not at all.

    Raises
    ------
    ResultsError
        If the place is taken or cannot be written.
    """
    target = refuse_if_taken(target)
    try:
        with new_draft(target.resolve().parent) as draft:
            path = draft / "seal.json"
            with path.open("w", encoding="ascii", newline="\n") as stream:
                stream.write(seal.text)
                stream.flush()
                os.fsync(stream.fileno())
            refuse_if_taken(target)
            path.replace(target)
    except OSError as error:
        rule = "must be a file that can be written"
        raise ResultsError(f"-o {target}: {rule}; found: {error.strerror or error}. Nothing was left behind") from None


def refuse_if_taken(target: Path | str) -> Path:
    """Return the place of a new file, or refuse one that is taken, or lies in no folder."""
    if not str(target).strip():
        raise ResultsError("-o: must be the name of a file; found an empty one")
    target = place_asked(target, "-o")
    try:
        is_taken, is_placed = target.exists() or target.is_symlink(), target.resolve().parent.is_dir()
    except (OSError, ValueError, RuntimeError) as error:
        found = (isinstance(error, OSError) and error.strerror) or str(error)
        raise ResultsError(f"-o {target}: must be a file that can be written; found: {found}. Give another name") from None
    if is_taken:
        raise ResultsError(f"-o {target}: a seal must be a new file; found one of this name. Give another name")
    if not is_placed:
        raise ResultsError(f"-o {target}: must lie in a folder that exists; found none. Make the folder, or give another name")
    return target


def read_seal(path: Path | str) -> Seal:
    """Read a seal, and hold it against its SHA-256.

    Raises
    ------
    ResultsError
        If there is no such file, it is no seal, or anything in it was changed.
    StudyError
        If it is no ordinary file, or far larger than a seal.
    """
    if not str(path).strip():
        raise ResultsError("SEAL: must be the name of a file; found an empty one")
    try:
        data = bytes_of(Path(path), _MOST_BYTES)
    except (OSError, ValueError) as error:
        found = (isinstance(error, OSError) and error.strerror) or str(error)
        raise ResultsError(f"{path}: must be a seal that can be read; found: {found}") from None
    try:
        return _read(data)
    except (ValueError, RecursionError, UsageError) as error:
        found = "brackets nested too deeply" if isinstance(error, RecursionError) else escaped(str(error).splitlines()[0])
        rule = "must be as `simengine seal` wrote it"
        raise ResultsError(f"{path}: the seal is broken: it {rule}; found {found[:300]}. {_WAY_OUT}") from None


def _read(data: bytes) -> Seal:
    try:
        content = strict_json(data.decode("ascii"))
    except RepeatedKeyError as error:
        raise ValueError(f"the key {shorten(error.args[0])} twice") from None
    _keys(content, "the seal", SealContent)
    if content["seal"] != FORMAT or isinstance(content["seal"], bool):
        raise ValueError(f"a seal of version {shorten(content['seal'])}, where this program reads version {FORMAT}")
    study = _keys(content["study"], "study", SealedStudy)
    for name in ("title", "currency"):
        _text(study[name], f"study.{name}")
    if study["variant"] is not None:
        _text(study["variant"], "study.variant")
    for one in _list(study["overrides"], "study.overrides", _MOST_OVERRIDES):
        _text(one, "study.overrides")
    for name, text in (("text_sha256", study["text_sha256"]), ("contract_sha256", study["contract_sha256"])):
        _hash(text, f"study.{name}")
    seal = Seal(
        SealedStudy(**study),  # type: ignore[typeddict-item]
        _whole(content["seed"], "seed", 0, MAX_SEED),
        _whole(content["replications"], "replications", 2, MOST_SEALED),
        _text(content["simengine"], "simengine"),
        _whole(content["streams"], "streams", 1, 1_000_000),
        _results(content["results"]),
    )
    for name, one in seal.results.items():
        if one.n_replications != seal.n_replications:
            raise ValueError(f"{one.n_replications:,} replications of {name}, and {seal.n_replications:,} of the seal")
    if seal.sha256 != _hash(content["sha256"], "sha256"):
        raise ValueError("another content than its SHA-256 is of: something in it was changed")
    return seal


def _results(node: Any) -> dict[str, SealedDistribution]:
    if not isinstance(node, dict) or not 1 <= len(node) <= _MOST_RESULTS:
        raise ValueError(f"results that are no object of 1 to {_MOST_RESULTS} of them")
    results = {}
    for name, one in node.items():
        place = f"results.{_text(name, 'results')}"
        _keys(one, place, ResultContent)
        lost = _keys(one["lost"], f"{place}.lost", LostContent)
        rows = []
        for row in _list(one["knots"], f"{place}.knots", _MOST_KNOTS):
            if not isinstance(row, list) or len(row) != 3:
                raise ValueError(f"{place}.knots: {shorten(row)}, which is no knot")
            counts = (_whole(count, f"{place}.knots", 0, MOST_SEALED) for count in row[1:])
            rows.append((_number(row[0], f"{place}.knots"), *counts))
        lost_parts = (_number(lost[part], f"{place}.lost.{part}") for part in ("probability", "crps"))
        results[name] = SealedDistribution(knots_from(rows), *lost_parts)  # type: ignore[arg-type]
    return results


def _keys(node: Any, place: str, of: Any) -> dict[str, Any]:
    if not isinstance(node, dict) or node.keys() != of.__annotations__.keys():
        raise ValueError(f"{place}: other keys than {', '.join(of.__annotations__)}")
    return node


def _list(node: Any, place: str, most: int) -> list[Any]:
    if not isinstance(node, list) or len(node) > most:
        raise ValueError(f"{place}: no list of at most {most}")
    return node


def _text(node: Any, place: str) -> str:
    if not isinstance(node, str) or len(node) > _LONGEST_TEXT or UNSEEN.search(node):
        raise ValueError(f"{place}: {shorten(node)}, which is no plain text")
    return node


def _hash(node: Any, place: str) -> str:
    if not isinstance(node, str) or not _HASH.fullmatch(node):
        raise ValueError(f"{place}: {shorten(node)}, which is no SHA-256")
    return node


def _whole(node: Any, place: str, low: int, high: int) -> int:
    if not isinstance(node, int) or isinstance(node, bool) or not low <= node <= high:
        raise ValueError(f"{place}: {shorten(node)}, which is no whole number from {low:,} to {high:,}")
    return node


def _number(node: Any, place: str) -> float:
    if is_number(node) and abs(node) <= LARGEST_VALUE:
        return float(node)
    raise ValueError(f"{place}: {shorten(node)}, which is no number within {LARGEST_VALUE:g} either way")
