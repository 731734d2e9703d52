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

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.tokens import (
    AliasToken,
    AnchorToken,
    BlockEndToken,
    BlockMappingStartToken,
    BlockSequenceStartToken,
    FlowMappingEndToken,
    FlowMappingStartToken,
    FlowSequenceEndToken,
    FlowSequenceStartToken,
    ScalarToken,
    TagToken,
)

from simengine.errors import UNSEEN, Problem, StudyError, escaped, shorten

KeyPath: TypeAlias = tuple[str, ...]
MAX_BYTES = 1 << 18
MAX_DEPTH = 30
MAX_ENTRIES = 20_000
"""Keys, values, lists and mappings of a file: what can be read in some seconds, and several times what a study needs."""
DECIMAL_POINT = "A decimal number has a point, as 0.9; a comma separates the entries of a list"
_OPENING = BlockMappingStartToken | BlockSequenceStartToken | FlowMappingStartToken | FlowSequenceStartToken
_CLOSING = BlockEndToken | FlowMappingEndToken | FlowSequenceEndToken
_WHOLE, _DIGITS = re.compile(r"[-+]?\d+"), re.compile(r"\d+")
_CORE = "tag:yaml.org,2002:"


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


def compose_file(path: Path) -> tuple[str, Node]:
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


def _compose(file: str, text: str) -> Node | None:
    """Parse one document; anchors, aliases and tags are refused before anything is made of them."""
    rule = "must be a number, a word or a YAML value" if file == "--set" else "must be YAML, one document"
    try:
        _refuse_what_no_study_needs(file, text)
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
    except ReaderError as error:
        raise _refusal(file, rule if file == "--set" else "must be plain text", f"the character {_character(error)!r}") from None
    except MarkedYAMLError as error:
        raise _not_yaml(file, text, rule, error) from None
    except (YAMLError, ValueError, OverflowError) as error:
        raise _refusal(file, rule, shorten(str(error))) from None
    except RecursionError:
        raise _refusal(file, f"must nest at most {MAX_DEPTH} levels deep", "deeper nesting") from None
    return node


_MISTAKES = {
    "found character '\\t'": ("must be indented with blanks, not with the tab key", "Replace the tab by two blanks"),
    "mapping values are not allowed here": (
        "must begin as far to the right as its neighbours, and have no `: ` inside a text",
        "Move it under its neighbours; put a text that holds a `:` in quotes",
    ),
    "could not find expected ':'": (
        "must be `key: value`, with a blank after the colon",
        "Look at this line and the one above: `name: value`, not `name:value`",
    ),
    "expected <block end>": ("must begin as far to the right as its neighbours", "Move it under its neighbours"),
}
"""By what the parser says: what must be, and what to do."""


def _not_yaml(file: str, text: str, rule: str, error: MarkedYAMLError) -> StudyError:
    """Say what is wrong with a line that cannot be read."""
    line, said = error.problem_mark.line if error.problem_mark else 0, str(error.problem or "")
    if file == "--set":
        return _refusal(file, rule, shorten(text))
    for mistake, (must, way_out) in _MISTAKES.items():
        if said.startswith(mistake):
            lines = text.splitlines()
            return _refusal(_at(file, line), must, shorten(lines[line].strip()) if line < len(lines) else "", way_out)
    return _refusal(_at(file, line), rule, " ".join(str(part) for part in (error.context, error.problem) if part))


# Callers that vary a number load the same file repeatedly, and parsing takes most of the time. Nodes are only read.
_composed_once = functools.lru_cache(maxsize=32)(_compose)


def _refuse_what_no_study_needs(file: str, text: str) -> None:
    """Read the tokens one by one, before a parser builds anything of them."""
    depth = entries = 0
    for token in YAML(typ="safe", pure=True).scan(text):
        where = _at(file, token.start_mark.line)
        if isinstance(token, AnchorToken | AliasToken):
            raise _refusal(where, "must not use anchors and aliases (& and *)", way_out="Write the value out")
        if isinstance(token, TagToken):
            raise _refusal(where, "must not use tags (!)", shorten("".join(filter(None, token.value))))
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        entries += isinstance(token, _OPENING | ScalarToken)
        if entries > MAX_ENTRIES:
            raise _refusal(file, f"must hold at most {MAX_ENTRIES:,} keys, values, lists and mappings", "more")
        if depth > 2 * MAX_DEPTH:
            raise _refusal(where, f"must nest at most {MAX_DEPTH} levels deep", "deeper nesting")


def _character(error: ReaderError) -> str:
    return chr(error.character) if isinstance(error.character, int) else str(error.character)


def _at(file: str, line: int) -> str:
    return file if file == "--set" else f"{file}:{line + 1}"


def _convert(node: Node, path: KeyPath, file: str, places: dict[KeyPath, str]) -> Any:
    """Turn a node graph into plain data, noting the line of each path."""
    where = _at(file, node.start_mark.line)
    if len(path) > MAX_DEPTH:
        raise _refusal(where, f"must nest at most {MAX_DEPTH} levels deep", key=".".join(path))
    places.setdefault(path, where)
    if isinstance(node, MappingNode):
        return _convert_mapping(node, path, file, places)
    if isinstance(node, SequenceNode):
        _refuse_decimal_commas(node, file, path)
        return [_convert(child, (*path, str(i)), file, places) for i, child in enumerate(node.value)]
    assert isinstance(node, ScalarNode)
    return _convert_scalar(node, where, ".".join(path))


def _convert_mapping(node: MappingNode, path: KeyPath, file: str, places: dict[KeyPath, str]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key_node, value_node in node.value:
        where = _at(file, key_node.start_mark.line)
        if not isinstance(key_node, ScalarNode):
            raise _refusal(where, "a key must be a word", "a list or mapping as key", key=".".join(path))
        name = key_node.value
        _refuse_unseen(name, where, ".".join((*path, name)))
        if name in content:
            raise _refusal(where, "a key must stand once", f"`{name}` twice", key=".".join((*path, name)))
        if name == "<<":
            raise _refusal(where, "must not use merge keys (<<)", key=".".join(path), way_out="Write the keys out")
        places[(*path, name)] = where
        content[name] = _convert(value_node, (*path, name), file, places)
    return content


def _convert_scalar(node: ScalarNode, where: str, key: str) -> Any:
    kind, text = str(node.tag).removeprefix(_CORE), node.value
    _refuse_unseen(text, where, key)
    try:
        if kind == "int":
            return int(text.replace("_", ""), 0) if not text.lstrip("+-").startswith("0") else int(text.replace("_", ""))
        if kind == "float":
            return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        raise _refusal(where, "a number must be written as 1234.5", shorten(text), key=key) from None
    if kind == "bool":
        return text.lower() in ("true", "yes", "on")
    return None if kind == "null" else text


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
    pairs = list(itertools.pairwise(node.value))
    is_tight = [before.end_mark.index + 1 == after.start_mark.index for before, after in pairs]
    if not node.flow_style or all(is_tight) or not any(is_tight):
        return
    for (before, after), tight in zip(pairs, is_tight, strict=True):
        if tight and _WHOLE.fullmatch(str(before.value)) and _DIGITS.fullmatch(str(after.value)):
            found = f"{before.value},{after.value}"
            where = _at(file, before.start_mark.line)
            rule = "a list must have a blank after every comma or after none"
            raise _refusal(where, rule, found, DECIMAL_POINT, key=".".join(path))


def _refusal(where: str, rule: str, found: str = "", way_out: str = "", key: str = "") -> StudyError:
    return StudyError([Problem(where, key, rule, found, way_out)])


def is_quantity(raw: Any) -> bool:
    """Return whether raw data is a quantity with its source, rather than a section."""
    return isinstance(raw, Mapping) and ("value" in raw or "distribution" in raw)
