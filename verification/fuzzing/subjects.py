"""What is fuzzed: the kinds of files and folders that a user may be sent, valid ones of each, and the commands that read them."""

from __future__ import annotations

import json
import re
import resource
import shutil
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from simengine.config.document import read_document
from simengine.errors import UNSEEN
from tests.command import in_this_process
from verification.fuzzing.folders import base, changed, files_of, placed
from verification.fuzzing.mutations import Choices, as_text, garbled, mutated

CHECKOUT = Path(__file__).resolve().parents[2]
CONFIGS = CHECKOUT / "configs"
MOST_SECONDS, MOST_MEGABYTES = 20.0, 1500.0
"""Beyond these an input counts as one that takes time or memory without bound."""
_LONGEST_MESSAGE = 40_000
FILE, MADE = "{file}", "{made}"
"""In the words of a command: the file or folder that it reads, and the beginning of a name that it may write."""


@dataclass(frozen=True)
class Subject:
    """A kind of file."""

    seeds: tuple[Path, ...]
    commands: tuple[tuple[str, ...], ...]
    """What may be asked of it; `{file}` is the file."""
    form: str = "yaml"
    suffix: str = ".yaml"
    fine: tuple[int, ...] = (0, 2)
    """Exit codes."""
    folder: str = ""
    """The kind of folder of which one file is changed; empty: the file stands alone."""

    @cached_property
    def contents(self) -> list[Any]:
        """The valid documents as data; a table is bytes."""
        if self.form == "bytes":
            return [path.read_bytes() for path in self.seeds]
        if self.form == "json":
            return [json.loads(path.read_text(encoding="utf-8")) for path in self.seeds]
        return [_whole(read_document(path).content, path.parent) for path in self.seeds]

    def made(self, choices: Choices) -> bytes:
        """Make a file of this kind, and leave the next choice for the command."""
        if self.folder:
            return changed(self.folder, choices)
        content = choices.one(self.contents)
        if self.form == "bytes":
            return garbled(content, choices)
        return as_text(mutated(content, self.contents, choices), self.form, choices)

    def valid(self) -> bytes:
        """Return a valid file of this kind."""
        if not self.folder:
            return self.seeds[0].read_bytes()
        name = files_of(self.folder)[0]
        return name.encode() + b"\n" + (base(self.folder) / name).read_bytes()

    def placed(self, folder: Path, data: bytes) -> Path:
        """Put a file where a command finds it, and return what the command is given."""
        if self.folder:
            return placed(self.folder)(folder, data)
        file = folder / f"input{self.suffix}"
        file.write_bytes(data)
        return file


def _whole(content: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Put the sections in their place that a study names by their file."""
    named = {name: part["file"] for name, part in content.items() if isinstance(part, dict) and set(part) == {"file"}}
    return content | {name: read_document(folder / file).content for name, file in named.items()}


def _configs(folder: str, ending: str) -> tuple[Path, ...]:
    return tuple(sorted((CONFIGS / folder).glob(ending)))


_FEW = ("-n", "16", "--seed", "1", "--threads", "1")
_STUDIES = ("tiny", "norrkoping", "two_lenders", "skolfam", "fair_chance_fund", "child_welfare_cases", "vgr_school_completion")
_QUESTIONS = ("value", "cash", "stress", "attribute", "certificate", "tradeoffs", "methods", "retrospect")
SUBJECTS = {
    "study": Subject(
        (*(CONFIGS / f"{name}.yaml" for name in _STUDIES), CHECKOUT / "tests" / "cases" / "everything.yaml"),
        (
            ("check", FILE),
            *((("run", FILE, *_FEW),) * 4),
            ("run", FILE, *_FEW, "--json"),
            ("trace", FILE, "--seed", "1", "--replication", "3"),
            ("explain", FILE),
            *((name, FILE, *_FEW) for name in _QUESTIONS),
            ("information", FILE, *_FEW, "--perfect"),
            ("window", FILE, *_FEW, "--months", "12,24"),
            ("run", FILE, *_FEW, "--set", "study.horizon_months=48"),
        ),
        fine=(0, 1, 2),
    ),
    "contract": Subject(
        _configs("contracts", "*.yaml"),
        (
            ("explain", FILE),
            ("lint", FILE),
            ("replay", FILE),
            ("record", FILE),
            ("compare", str(CONFIGS / "tiny.yaml"), FILE, *_FEW),
        ),
        fine=(0, 1, 2),
    ),
    "portfolio": Subject(_configs("portfolios", "*.yaml"), (("portfolio", FILE, *_FEW),)),
    "conformance": Subject(_configs("conformance", "*.json"), (("conform", FILE),), "json", ".json", (0, 1, 2)),
    "seal": Subject(
        (*_configs("seals/variants", "*.json"), *_configs("seals", "*.json")),
        (
            ("score", FILE, "--outcome", "metric.municipal_per_child.estimate=1"),
            ("score", FILE, "--outcome", "investor.net>0", "--json"),
        ),
        "json",
        ".seal.json",
        (0, 1, 2),
    ),
    "outcomes": Subject(
        (CONFIGS / "seals" / "outcomes.csv",),
        (("score", str(CONFIGS / "seals"), "--outcomes", FILE), ("learn", str(CONFIGS / "tiny.yaml"), "--observed", FILE, *_FEW)),
        "bytes",
        ".csv",
        (0, 1, 2),
    ),
    "spells": Subject(
        _configs("spells", "*.csv"),
        (
            ("fit", FILE, "--mapping", str(CONFIGS / "spells" / "mapping.yaml")),
            ("fit", FILE),
            ("fit", "--events", FILE, "--mapping", str(CONFIGS / "spells" / "sick_leave_mapping.yaml")),
        ),
        "bytes",
        ".csv",
    ),
    "mapping": Subject(
        _configs("spells", "*mapping.yaml"),
        (
            ("fit", str(CONFIGS / "spells" / "placements_made_up.csv"), "--mapping", FILE),
            ("fit", "--events", str(CONFIGS / "spells" / "sick_leave_made_up.csv"), "--mapping", FILE),
        ),
    ),
    "store": Subject(
        (),
        (
            ("run", FILE),
            ("run", "--resume", FILE),
            ("sweep", FILE),
            ("run", FILE, "--extend", "5", "--threads", "1", "--json"),
            ("run", FILE, "--measure", "investor.cvar(0.2)"),
        ),
        folder="store",
    ),
    "results": Subject(
        (),
        (
            ("trace", FILE, "--replication", "3"),
            ("export", FILE, "-o", f"{MADE}-tables"),
            ("workbook", FILE, "-o", f"{MADE}.xlsx"),
            ("seal", FILE, "-o", f"{MADE}.seal.json"),
            ("rerun", FILE, "--threads", "1"),
            ("report", FILE, "-o", f"{MADE}.html"),
        ),
        fine=(0, 1, 2),
        folder="results",
    ),
}


@dataclass(frozen=True)
class Attempt:
    """One input, and what a command said to it."""

    kind: str
    words: tuple[str, ...]
    data: bytes
    code: int | None
    printed: str
    said: str
    seconds: float
    megabytes: float
    error: str
    """The traceback; empty where there was none."""

    @property
    def finding(self) -> str:
        """What must not be; empty where all is in order."""
        if self.error:
            return self.error
        if self.code not in SUBJECTS[self.kind].fine:
            return f"exit code {self.code}"
        for name, text in (("output", self.printed), ("message", self.said)):
            if (found := UNSEEN.search(text)) is not None:
                return f"the character {found[0]!r} in the {name}: {text[max(found.start() - 80, 0) : found.end() + 20]!r}"
        if self.code == 2 and not re.match(r"(simengine: |Usage: )\S", self.said):
            return f"refused without a message: {self.said[:200]!r}"
        if self.code == 2 and "not enough memory" in self.said:
            return self.said
        if len(self.said) > _LONGEST_MESSAGE:
            return f"a message of {len(self.said):,} characters"
        if self.seconds > MOST_SECONDS or self.megabytes > MOST_MEGABYTES:
            return f"{self.seconds:.0f} s, {self.megabytes:.0f} MB more"
        return ""


def attempt(kind: str, data: bytes, command: int, folder: Path) -> Attempt:
    """Hand a file of some kind to one of its commands."""
    subject = SUBJECTS[kind]
    file = subject.placed(folder, data)
    for left in folder.glob("made*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    words = tuple(
        word.replace(FILE, str(file)).replace(MADE, str(folder / "made"))
        for word in subject.commands[command % len(subject.commands)]
    )
    clock, before, error, code, printed, said = time.perf_counter(), _peak(), "", None, "", ""
    try:
        done = in_this_process(words, CONFIGS)
        code, printed, said = done.returncode, done.stdout, done.stderr
    except Exception:  # noqa: BLE001 - what escapes is what is looked for
        error = traceback.format_exc()
    return Attempt(kind, words, data, code, printed, said, time.perf_counter() - clock, _peak() - before, error)


def by_choices(kind: str, data: bytes, folder: Path) -> Attempt:
    """Make a file by some choices, and hand it to a command that they choose."""
    choices = Choices(data)
    command = choices.below(len(SUBJECTS[kind].commands))
    return attempt(kind, SUBJECTS[kind].made(choices), command, folder)


def where_it_broke(error: str) -> str:
    """Return the last place of this program in a traceback, and the last line: findings of one cause look the same."""
    places = re.findall(r'File "[^"]*/(simengine/[^"]+)", line (\d+)', error)
    last = error.strip().splitlines()[-1]
    return f"{':'.join(places[-1]) if places else ''} {last[:160]}"


def _peak() -> float:
    """Return the most memory that this process ever held, in MB."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def kinds(names: Sequence[str]) -> list[str]:
    """Return the named kinds, or all."""
    return list(names) or list(SUBJECTS)
