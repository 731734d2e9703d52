"""All sentences that a document can say, found where they stand: in the code of the documents, and in the words of a contract."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from simengine.contract_text.wording import Wording
from tests.conftest import CHECKOUT

_SAYING = ("say", "text", "sentence")


def sentences() -> set[str]:
    """Return every English sentence that is translated."""
    found = {one for path in (CHECKOUT / "simengine" / "documents").glob("*.py") for one in _in_file(path)}
    Wording(lambda english: found.add(english) or english)
    return found


def _in_file(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in _SAYING and isinstance(node.args[0].value, str):
                yield node.args[0].value
