"""All sentences of the languages, found where they stand: in the code of the documents, the words of a contract and of a workbook."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from simengine.contract_text.wording import Wording
from simengine.workbook.words import WORDS
from tests.conftest import CHECKOUT

_SAYING = ("say", "text", "sentence")


def sentences() -> set[str]:
    """Return every English sentence that is translated."""
    rooms = [CHECKOUT / "simengine" / room for room in ("documents", "languages")]
    found = {one for room in rooms for path in room.glob("*.py") for one in _in_file(path)} | set(WORDS.values())
    Wording(lambda english: found.add(english) or english)
    return found


def _in_file(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in _SAYING and isinstance(node.args[0].value, str):
                yield node.args[0].value
