"""Renamed words of a study: an error message for each, and a function that rewrites them in a file.

Only the words are replaced: comments, order and layout of a file stay as they are.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simengine.config.document import Document, KeyPath, compose_file
from simengine.config.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode
from simengine.distributions import DISTRIBUTIONS
from simengine.errors import Problem, StudyError, UsageError

_LAYERS = {"knowledge": "parameters", "luck": "sampling", "world": "environment"}


@dataclass(frozen=True)
class OldWord:
    """A renamed word."""

    path: KeyPath
    """Of the key; of the value of a key, the key's too."""
    old: str
    new: str
    node: ScalarNode | None = None
    """Where it stands in the file; absent where it was given as data."""


def refuse_old_words(document: Document) -> None:
    """Refuse a document that uses old words.

    Raises
    ------
    StudyError
        With every such word, its line, and the new one.
    """
    way_out = "`simengine check --fix FILE` writes all new words into a file"
    found = [
        Problem(document.place_of(word.path), ".".join(word.path), f"`{word.old}` is now `{word.new}`", f"`{word.old}`", way_out)
        for word in _in_data(document.content, ())
    ]
    if found:
        raise StudyError(found)


def rewrite_old_words(path: Path) -> int:
    """Write the new words into a file, and return their number; a file without old words is not changed.

    The new file replaces the old one as a whole, or not at all.

    Raises
    ------
    StudyError
        If the file is none that could be a study.
    UsageError
        If it cannot be written.
    """
    text, node = compose_file(path)
    words = list(_in_nodes(node, ()))
    if not words:
        return 0
    for word in sorted(words, key=lambda one: one.node.place.start, reverse=True):  # type: ignore[union-attr]
        assert word.node is not None, "found in a file"
        start = word.node.place.start + (text[word.node.place.start] in "\"'")
        text = text[:start] + word.new + text[start + len(word.old) :]
    _replace(path, text)
    return len(words)


def _replace(path: Path, text: str) -> None:
    draft = None
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False, newline="") as file:
            draft = Path(file.name)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(path.stat().st_mode & 0o777)
        draft.replace(path)
    except OSError as error:
        if draft is not None:
            draft.unlink(missing_ok=True)
        raise UsageError(
            f"--fix {path}: must be a file that can be written; found {error.strerror}. The file is as it was"
        ) from None


def _in_data(content: Any, path: KeyPath) -> Iterator[OldWord]:
    if isinstance(content, dict):
        for name, child in content.items():
            here = (*path, str(name))
            new = _renamed_key(name, child)
            if new is not None:
                yield OldWord(here, name, new)
            elif (value := _renamed_value(name, child)) is not None:
                yield OldWord(here, child, value)
            yield from _in_data(child, here)
    elif isinstance(content, list):
        for place, child in enumerate(content):
            yield from _in_data(child, (*path, str(place)))


def _in_nodes(node: YamlNode, path: KeyPath) -> Iterator[OldWord]:
    if isinstance(node, MappingNode):
        for key, child in node.pairs:
            if not isinstance(key, ScalarNode):  # which is refused when the file is read as a study
                continue
            here, value = (*path, key.text), child.text if isinstance(child, ScalarNode) else None
            new = _renamed_key(key.text, value)
            if new is not None:
                yield OldWord(here, key.text, new, key)
            elif isinstance(child, ScalarNode) and (other := _renamed_value(key.text, value)) is not None:
                yield OldWord(here, child.text, other, child)
            yield from _in_nodes(child, here)
    elif isinstance(node, SequenceNode):
        for place, child in enumerate(node.entries):
            yield from _in_nodes(child, (*path, str(place)))


def _renamed_key(name: Any, value: Any) -> str | None:
    """Return the new name of a key; a name that somebody chose, such as that of a party, is no key of the language."""
    return "distribution" if name == "law" and isinstance(value, str) and value in DISTRIBUTIONS else None


def _renamed_value(name: Any, value: Any) -> str | None:
    return _LAYERS.get(value) if name == "layer" and isinstance(value, str) else None
