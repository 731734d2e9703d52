"""Read a YAML file as plain data with the line of every key, and refuse anything that a study never needs.

A study comes from other people. So: nothing is constructed but text, numbers, truth values, lists and mappings; anchors
and aliases are refused (a few lines of them can stand for gigabytes), and so are tags, duplicate keys, characters that act
without being seen, files above 256 KiB or 20,000 entries, and nesting above 30 levels.
"""

from __future__ import annotations

import functools
import itertools
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any, TypeAlias

from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import AliasEvent, CollectionStartEvent, DocumentStartEvent, Event, NodeEvent
from yaml.reader import ReaderError

from simengine.config.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode, nodes_of
from simengine.errors import UNSEEN, Problem, StudyError, escaped, shorten

KeyPath: TypeAlias = tuple[str, ...]
MAX_BYTES = 1 << 18
MAX_DEPTH = 30
MAX_ENTRIES = 20_000
"""Keys, values, lists and mappings of a file: what can be read in some seconds, and several times what a study needs."""
NO_TAGS = "must not use tags (!)"
DECIMAL_POINT = "A decimal number has a point, as 0.9; a comma separates the entries of a list"
_WHOLE, _DIGITS = re.compile(r"[-+]?\d+"), re.compile(r"\d+")

# What a plain word means, by the core schema of YAML 1.2 (section 10.3.2), with `_` between digits. A number that is not written with
# decimal digits is one all the same, and is refused.
_WHOLE_NUMBER = re.compile(r"[-+]?(?:[0-9][0-9_]*|0[ob][0-9_]+|0x[0-9a-fA-F_]+)")
_DECIMAL_NUMBER = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*[eE][-+]?[0-9]+|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?)"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_WORDS = (
    dict.fromkeys(("true", "True", "TRUE"), True)
    | dict.fromkeys(("false", "False", "FALSE"), False)
    | dict.fromkeys(("", "~", "null", "Null", "NULL"))
)


@dataclass
class Document:
    """A file as data: what it says, and on which line it says so."""

    content: Any
    places: dict[KeyPath, str] = field(default_factory=dict)
    """By path: `file:line`, or the option of the command line that set it."""
    default_place: str = ""

    def place_of(self, path: KeyPath) -> str:
        """Return the place of a path, or of its nearest parent that stands in the file."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return self.default_place


def read_document(path: Path) -> Document:
    """Read one YAML file.

    Raises
    ------
    StudyError
        If the file is missing, too large, not YAML, empty, or uses something that a study never needs.
    """
    _, node = compose_file(path)
    document = Document(content=None, default_place=str(path))
    document.content = _convert(node, (), str(path), document.places)
    if not isinstance(document.content, dict):
        raise _refusal(str(path), "must hold `key: value` lines", shorten(document.content))
    return document


def compose_file(path: Path) -> tuple[str, YamlNode]:
    """Read one YAML file as it is written: its text, and its nodes with their places in it.

    Raises
    ------
    StudyError
        As `read_document`.
    """
    text = _read_text(path)
    node = _composed_once(str(path), text)
    if node is None:
        raise _refusal(str(path), "must say something", "an empty file", "Start from configs/tiny.yaml")
    return text, node


def read_value(text: str) -> Any:
    """Read one value as YAML would, for `--set path=value`."""
    node = _compose("--set", text)
    return None if node is None else _convert(node, (), "--set", {})


def bytes_of(path: Path, most_bytes: int) -> bytes:
    """Read an ordinary file.

    Raises
    ------
    StudyError
        If it is a folder, a device or a pipe, or too large.
    OSError, ValueError
        If it is missing or cannot be read, or nothing can have its name.
    """
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise _refusal(str(path), "must be a file", "a folder")
    if not stat.S_ISREG(status.st_mode):
        raise _refusal(str(path), "must be an ordinary file", "a device or a pipe")
    if status.st_size > most_bytes:
        raise _refusal(str(path), f"must be at most {most_bytes:,} bytes", f"{status.st_size:,} bytes")
    return path.read_bytes()


def _read_text(path: Path) -> str:
    try:
        return bytes_of(path, MAX_BYTES).decode("utf-8-sig")
    except FileNotFoundError:
        raise _refusal(str(path), "no such file", way_out="Check the path") from None
    except UnicodeDecodeError as error:
        raise _refusal(str(path), f"must be UTF-8 text; byte {error.start} is not", way_out="Save it as UTF-8") from None
    except (OSError, ValueError) as error:
        raise _refusal(
            str(path), "must be a file that can be read", f"{(isinstance(error, OSError) and error.strerror) or error}"
        ) from None


def _compose(file: str, text: str) -> YamlNode | None:
    """Parse one document; anchors, aliases and tags are refused before anything is made of them."""
    rule = "must be a number, a word or a YAML value" if file == "--set" else "must be YAML, one document"
    if (found := _LINE_BREAK.search(text)) is not None:
        _refuse_unseen(found[0], _at(file, text.count("\n", 0, found.start())), "")
    try:
        return nodes_of(text, _Refusing(file, rule))
    except ReaderError as error:
        raise _refusal(file, rule if file == "--set" else "must be plain text", f"the character {_character(error)!r}") from None
    except MarkedYAMLError as error:
        raise _not_yaml(file, text, rule, error) from None
    except (YAMLError, ValueError, OverflowError) as error:
        raise _refusal(file, rule, shorten(str(error))) from None


_ASIDE = "must begin as far to the right as its neighbours"
_MISTAKES = {
    r"mapping values are not allowed": (
        f"{_ASIDE}, and have no `: ` inside a text",
        "Move it under its neighbours; put a text that holds a `:` in quotes",
    ),
    r"could not find expected ':'": (
        "must be `key: value`, with a blank after the colon",
        "Look at this line and the one above: `name: value`, not `name:value`",
    ),
    r"(did not find )?expected ('?<(block end|document start)>|key|'-' indicator)": (
        f"{_ASIDE}, and hold nothing after a text in quotes",
        "Look at this line and the one above: what belongs together begins in the same column",
    ),
    r"(did not find )?expected ',' or": (
        "must have a comma between its entries, and be closed",
        "Look for a missing `,`, `]` or `}`; put a text that holds a `:`, a `,` or a bracket in quotes",
    ),
    r"found character .*that cannot start any token": (
        "must not begin with @, ` or %",
        "Put a text that begins so in quotes",
    ),
    r"found unexpected end of stream": ("must close its quotes", "Look for a missing quote"),
}
"""By what the parser says, libyaml's or the other: what must be, and what to do."""
_TAB = ("must be indented with blanks, not with the tab key", "Replace the tab by two blanks")
_LINE_BREAK = re.compile("[\x85\u2028\u2029]")
"""Line breaks to YAML 1.1, which libyaml reads, and to few editors."""


def _not_yaml(file: str, text: str, rule: str, error: MarkedYAMLError) -> StudyError:
    """Say what is wrong with a line that cannot be read; of what is never closed, the line where it begins."""
    mark = error.problem_mark
    if mark is not None and mark.index >= len(text.rstrip()) and error.context_mark is not None:
        mark = error.context_mark
    line, said = mark.line if mark else 0, str(error.problem or "")
    if file == "--set":
        return _refusal(file, rule, shorten(text))
    lines = text.split("\n")
    shown = shorten(lines[line].strip()) if line < len(lines) else ""
    if said.startswith("found undefined tag handle"):
        return _refusal(_at(file, line), NO_TAGS, shown)
    if mark is not None and text[mark.index : mark.index + 1] == "\t":
        return _refusal(_at(file, line), _TAB[0], shown, _TAB[1])
    for mistake, (must, way_out) in _MISTAKES.items():
        if re.match(mistake, said):
            return _refusal(_at(file, line), must, shown, way_out)
    return _refusal(_at(file, line), rule, " ".join(str(part) for part in (error.context, error.problem) if part))


# Callers that vary a number load the same file repeatedly, and parsing takes most of the time. Nodes are only read.
_composed_once = functools.lru_cache(maxsize=32)(_compose)


class _Refusing:
    """Looks at a text piece by piece, before anything is made of it, and refuses what no study needs."""

    def __init__(self, file: str, rule: str) -> None:
        self._file, self._rule = file, rule
        self._entries = self._documents = 0

    def __call__(self, event: Event, depth: int) -> None:
        where = _at(self._file, event.start_mark.line if event.start_mark else 0)
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            raise _refusal(where, "must not use anchors and aliases (& and *)", way_out="Write the value out")
        if (tag := getattr(event, "tag", None)) is not None:
            raise _refusal(where, NO_TAGS, shorten(tag.removeprefix("tag:yaml.org,2002:")))
        self._documents += isinstance(event, DocumentStartEvent)
        if self._documents > 1:
            raise _refusal(where, self._rule, "a second document" if self._file != "--set" else "")
        self._entries += isinstance(event, NodeEvent)
        if self._entries > MAX_ENTRIES:
            raise _refusal(self._file, f"must hold at most {MAX_ENTRIES:,} keys, values, lists and mappings", "more")
        if isinstance(event, CollectionStartEvent) and depth > 2 * MAX_DEPTH:
            raise _refusal(where, f"must nest at most {MAX_DEPTH} levels deep", "deeper nesting")


def _character(error: ReaderError) -> str:
    return chr(error.character) if isinstance(error.character, int) else str(error.character)


def _at(file: str, line: int) -> str:
    return file if file == "--set" else f"{file}:{line + 1}"


def _convert(node: YamlNode, path: KeyPath, file: str, places: dict[KeyPath, str]) -> Any:
    """Turn a node graph into plain data, noting the line of each path."""
    where = _at(file, node.place.line)
    if len(path) > MAX_DEPTH:
        raise _refusal(where, f"must nest at most {MAX_DEPTH} levels deep", key=".".join(path))
    places.setdefault(path, where)
    if isinstance(node, MappingNode):
        return _convert_mapping(node, path, file, places)
    if isinstance(node, SequenceNode):
        _refuse_decimal_commas(node, file, path)
        return [_convert(child, (*path, str(i)), file, places) for i, child in enumerate(node.entries)]
    return _convert_scalar(node, where, ".".join(path))


def _convert_mapping(node: MappingNode, path: KeyPath, file: str, places: dict[KeyPath, str]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key, value in node.pairs:
        where = _at(file, key.place.line)
        if not isinstance(key, ScalarNode):
            raise _refusal(where, "a key must be a word", "a list or mapping as key", key=".".join(path))
        name = key.text
        _refuse_unseen(name, where, ".".join((*path, name)))
        if name in content:
            raise _refusal(where, "a key must stand once", f"`{name}` twice", key=".".join((*path, name)))
        if name == "<<":
            raise _refusal(where, "must not use merge keys (<<)", key=".".join(path), way_out="Write the keys out")
        places[(*path, name)] = where
        content[name] = _convert(value, (*path, name), file, places)
    return content


def _convert_scalar(node: ScalarNode, where: str, key: str) -> Any:
    text = node.text
    _refuse_unseen(text, where, key)
    if not node.is_plain:
        return text
    try:
        if _WHOLE_NUMBER.fullmatch(text):
            return int(text.replace("_", ""))
        if _DECIMAL_NUMBER.fullmatch(text):
            return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        raise _refusal(where, "a number must be written as 1234.5", shorten(text), key=key) from None
    return _WORDS.get(text, text)


def named_file(of: Path, name: Any, where: str, key: str, noun: str) -> Path:
    """Find a file that another one names: beside or below it, and nowhere else.

    A study comes from other people; it must not read other files on the reader's disk.
    """
    rule = f"{noun} must stand beside or below this file, and be named by a relative path with / between folders"
    if not isinstance(name, str) or not name or "\\" in name or PureWindowsPath(name).anchor or ".." in Path(name).parts:
        raise _refusal(where, rule, shorten(name), key=key)
    try:
        found = (of.parent / name).resolve()
        if not found.is_relative_to(of.parent.resolve()):
            raise _refusal(where, rule, f"{shorten(name)}, which leads elsewhere", key=key)
        if not found.exists():
            raise _refusal(where, "no such file", shorten(name), "Check the path", key=key)
    except (OSError, ValueError) as error:
        raise _refusal(where, "must be a file that can be read", shorten(str(error)), key=key) from None
    return of.parent / name


def _refuse_unseen(text: str, where: str, key: str) -> None:
    """Refuse characters that act on a terminal, a picture or a reader without being visible."""
    if (found := UNSEEN.search(text)) is not None:
        rule = "text must be made of characters that can be seen, blanks, tabs and line breaks"
        raise _refusal(where, rule, f"{escaped(found[0])} in {shorten(text)}", key=key)


def _refuse_decimal_commas(node: SequenceNode, file: str, path: KeyPath) -> None:
    """Refuse a list as [0,9, 1,5]: four numbers to YAML, and two to most of Europe.

    Where no comma is followed by a blank, or every one, they separate entries.
    """
    pairs = list(itertools.pairwise(node.entries))
    is_tight = [before.place.end + 1 == after.place.start for before, after in pairs]
    if not node.is_flow or all(is_tight) or not any(is_tight):
        return
    for (before, after), tight in zip(pairs, is_tight, strict=True):
        if not (tight and isinstance(before, ScalarNode) and isinstance(after, ScalarNode)):
            continue
        if _WHOLE.fullmatch(before.text) and _DIGITS.fullmatch(after.text):
            rule = "a list must have a blank after every comma or after none"
            where = _at(file, before.place.line)
            raise _refusal(where, rule, f"{before.text},{after.text}", DECIMAL_POINT, key=".".join(path))


def _refusal(where: str, rule: str, found: str = "", way_out: str = "", key: str = "") -> StudyError:
    return StudyError([Problem(where, key, rule, found, way_out)])


def is_quantity(raw: Any) -> bool:
    """Return whether raw data is a quantity with its source, rather than a section."""
    return isinstance(raw, Mapping) and ("value" in raw or "distribution" in raw)
