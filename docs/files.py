"""Write the page that lists every file of the package with the sentence at its head: `python docs/files.py`."""

from __future__ import annotations

import ast
import re
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
PAGE = CHECKOUT / "docs" / "reference" / "files.md"
HEAD = """# Files

Every file of the package with the sentence at its head, folder by folder. It is made by `python docs/files.py`; the map of the
whole is `ARCHITECTURE.md`.
"""


def page() -> str:
    """Return the page as it has to be."""
    package = CHECKOUT / "simengine"
    folders = sorted({path.parent for path in package.rglob("*.py")})
    return "\n".join([HEAD, *(_folder(folder) for folder in folders)])


def _folder(folder: Path) -> str:
    names = sorted(path for path in folder.glob("*.py") if path.name not in {"__init__.py", "__main__.py"})
    rows = [f"| `{path.name}` | {_sentence(path)} |\n" for path in names]
    table = ["\n| file | what it holds |\n|---|---|\n", *rows] if rows else []
    return f"## `{folder.relative_to(CHECKOUT).as_posix()}/`\n\n{_sentence(folder / '__init__.py')}\n{''.join(table)}"


def _sentence(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    sentence = " ".join(text.partition("\n\n")[0].split()).replace("|", "\\|")
    return re.sub(r"`[^`]*`|(?<![\w-])--[a-z-]+", lambda found: f"`{found[0].strip('`')}`", sentence)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
