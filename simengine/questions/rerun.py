"""Make what a folder keeps again, from its study and its record, and compare it byte by byte, file by file.

The line of `run-again.txt` is for people; here it is compared, not obeyed. What is asked comes from the record of the answer.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simengine.errors import ResultsError
from simengine.questions.driver import OnProgress, Posed, pose, told_with, write_answer
from simengine.questions.listed import QUESTIONS
from simengine.questions.question import Question, Source
from simengine.questions.subject import Size
from simengine.report.checksums import NAME, verify
from simengine.report.differences import difference

if TYPE_CHECKING:
    from simengine.provenance import Provenance

_PICTURES = (".png", ".svg")
_DRAWN_BY = ("numpy", "matplotlib")
_WRITTEN_BY = "Rerun it with the version that made it"


@dataclass(frozen=True)
class FileAgain:
    """A file of a folder, and the same made again."""

    name: str
    """Its name."""
    verdict: str
    """`same`: byte by byte; `same values`: a table whose bytes differ; `different`; `missing`: it was not made again; `new`: the folder
    has none; `not compared`: a picture that other versions of the libraries drew."""
    difference: str | None
    """The first difference: a path of JSON, a column, a line; null where there is none."""


@dataclass(frozen=True)
class Rerun:
    """A folder of results made again."""

    command: str
    """The command that made it."""
    is_same: bool
    """Whether every file that was compared is the same."""
    files: tuple[FileAgain, ...]
    """Every file of the folder, and of what was made again."""
    made_by: Mapping[str, str]
    """By package: the version that made the folder."""
    here: Mapping[str, str]
    """By package: the version here."""
    stream_version: int
    """Version of the random streams of both."""


def rerun(
    folder: Path | str, output: Path | str | None = None, *, threads: int | None = None, on_progress: OnProgress | None = None
) -> Rerun:
    """Make what a folder keeps again, and compare it.

    Parameters
    ----------
    folder
        Which a question wrote with `-o`.
    output
        New or empty folder for what is made again; absent: nothing is kept.
    threads
        Blocks that run at once; changes no result.
    on_progress
        Called with the number of replications of each finished block.

    Raises
    ------
    ResultsError
        If the folder is incomplete or was changed, holds the answer to no question, or comes from another version of simengine or of
        the random streams.
    """
    from simengine.provenance import Stopwatch
    from simengine.report.folder import results_folder

    folder, clock = Path(folder), Stopwatch()
    verify(folder, ())
    record, place = _record_in(folder)
    posed, own = _posed(folder, place, record, threads)
    with ExitStack() as stack:
        draft = stack.enter_context(_in_passing() if output is None else results_folder(output))
        found = posed.answer(on_progress)
        command = record["command"]
        content = told_with(posed, found, lambda text, settings: posed.described(clock, text, command, {**own, **settings}))
        write_answer(draft, posed, command, found, content)
        here = content["provenance"]["software"]
        files = tuple(_compared(folder, draft, record["software"], here))
    is_same = all(one.verdict in ("same", "same values", "not compared") for one in files)
    return Rerun(command, is_same, files, record["software"], here, record["stream_version"])


@contextmanager
def _in_passing() -> Iterator[Path]:
    """Open a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as place:
        yield Path(place)


def _record_in(folder: Path) -> tuple[Provenance, Path]:
    """Read the provenance of the answer in a folder, and say where it stands.

    Raises
    ------
    ResultsError
        If there is none, or this version cannot make it again.
    """
    import simengine
    from simengine.provenance import SCHEMA_VERSION
    from simengine.streams import STREAM_VERSION

    for place in sorted(folder.glob("*.json")):
        try:
            content = json.loads(place.read_text(encoding="utf-8"))
            record = content["provenance"]
            made = record["software"]["simengine"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        of_record, of_streams = record.get("schema_version"), record.get("stream_version")
        rule = f"{place}: must come from simengine {simengine.__version__} with version {STREAM_VERSION} of the random streams"
        if (made, of_streams) != (simengine.__version__, STREAM_VERSION) or of_record != SCHEMA_VERSION:
            streams = "an unnamed version" if of_streams is None else f"version {of_streams}"
            raise ResultsError(f"{rule}, to be made again here; found simengine {made} with {streams}. {_WRITTEN_BY}")
        return record, place
    raise ResultsError(f"{folder}: must be a folder that a question wrote with -o; found no JSON file with its provenance")


def _posed(folder: Path, place: Path, record: Provenance, threads: int | None) -> tuple[Posed, dict[str, Any]]:
    """Put the question of a record to the study of its folder; and what its record says beside its settings.

    Raises
    ------
    ResultsError
        If the record is not as a question writes it.
    """
    rule = f"{place}: provenance must be as a question writes it"
    question = next((one for one in QUESTIONS if one.name == record["command"]), None)
    if question is None:
        raise ResultsError(
            f"{place}: provenance.command must be a question ({', '.join(one.name for one in QUESTIONS)}); found {record['command']!r}"
        )
    settings, arguments = record["settings"], record["arguments"]
    try:
        meant, given = _options_of(question, settings)
        given |= {
            one.name: [_argument(folder, word) for word in arguments] for one in meant.options if one.is_argument and arguments
        }
        counts = settings["replications"] if meant.is_drawn and not meant.sized_by(meant.chosen(given)[1]) else None
        size = Size(counts, settings["seed"], threads)
    except (KeyError, TypeError, AttributeError) as error:
        raise ResultsError(f"{rule}; found {type(error).__name__}: {error}") from None
    subject, kept = meant.subject, folder / meant.subject.file
    if not kept.is_file():
        raise ResultsError(f"{kept}: must be what the question was asked about; found no such file")
    loaded = subject.load(kept, size=size)
    source = Source(None, lambda name: subject.load(kept, size=size, variant=name).subject)
    posed = pose(question, loaded.subject, size, {**loaded.given, **given}, source)
    own = {name: settings[name] for name in (subject.argument.lower(), "variant", "overrides") if name in settings}
    return posed, own


def _options_of(question: Question[Any], settings: Mapping[str, Any]) -> tuple[Question[Any], dict[str, Any]]:
    """Return the question that was meant, and the values of its options that its subject does not say."""
    meant = question
    for name, other in question.instead.items():
        option = next(one for one in other.options if one.name == name)
        if settings.get(option.setting) is not None:
            meant = other
    wanted = (
        one for one in meant.options if one.is_recorded and not (one.is_hidden or one.is_argument or one.name in meant.in_subject)
    )
    return meant, {one.name: settings[one.setting] for one in wanted}


def _argument(folder: Path, word: str) -> str:
    """Name a file of the folder by its place; a variant stays a name."""
    return str(folder / word) if (folder / word).is_file() else word


def _compared(folder: Path, again: Path, made_by: Mapping[str, str], here: Mapping[str, str]) -> list[FileAgain]:
    """Compare every file."""
    before, now = (_names_in(place) for place in (folder, again))
    is_drawn_alike = all(made_by.get(name) == here[name] for name in _DRAWN_BY)
    found = []
    for name in sorted(before | now):
        if name not in now:
            found.append(FileAgain(name, "missing", None))
        elif name not in before:
            found.append(FileAgain(name, "new", None))
        elif name.endswith(_PICTURES) and not is_drawn_alike:
            found.append(FileAgain(name, "not compared", None))
        else:
            verdict, where = difference(folder / name, again / name)
            found.append(FileAgain(name, verdict, where))
    return found


def _names_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.name != NAME}
