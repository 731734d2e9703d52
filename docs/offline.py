"""Check that built pages are read and searched from a disk, without a server or a network: `python docs/offline.py docs/_build/html`."""

from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

SEARCHED = "guarante"
"""The stem of a word that stands on many pages, as the index of the search has it."""
LOADED = {"src", "srcset", "poster", "data", "style"}
"""Attributes whose addresses a browser loads by itself; of `href`, only those of the tag `link`."""
FAR = re.compile(r"(?:https?:)?//[\w.-]+\.\w+[^\s'\")]*")
FAR_IN_STYLE = re.compile(rf"(?:url\(\s*['\"]?|@import\s+['\"])({FAR.pattern})")


def problems(site: Path) -> list[str]:
    """List what a reader without a network would miss."""
    found = [
        f"{path.relative_to(site)} loads {address}"
        for suffix, loads in ((".html", loaded_by_page), (".css", FAR_IN_STYLE.findall))
        for path in sorted(site.rglob(f"*{suffix}"))
        for address in loads(path.read_text(encoding="utf-8"))
    ]
    # A browser refuses to fetch files of a disk from a script; what a tag names it loads.
    if not re.search(r'<script[^>]* src="searchindex\.js', (site / "search.html").read_text(encoding="utf-8")):
        found.append("search.html loads no index")
    if not pages_found((site / "searchindex.js").read_text(encoding="utf-8"), SEARCHED):
        found.append(f"the search finds no page with {SEARCHED!r}")
    return found


def loaded_by_page(page: str) -> list[str]:
    """List the addresses in the network that a browser loads with a page."""
    reader = _Reader()
    reader.feed(page)
    return reader.loaded


def pages_found(index: str, stem: str) -> list[str]:
    """List the pages that the index of the search has under a stem."""
    content = json.loads(index.removeprefix("Search.setIndex(").removesuffix(")"))
    numbers = content["terms"].get(stem, [])
    return [content["docnames"][number] for number in ([numbers] if isinstance(numbers, int) else numbers)]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [
            address
            for name, value in attrs
            if name in LOADED or (tag, name) == ("link", "href")
            for address in (FAR_IN_STYLE if name == "style" else FAR).findall(value or "")
        ]

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "style":
            self.loaded += FAR_IN_STYLE.findall(data)


if __name__ == "__main__":
    sys.exit("\n".join(problems(Path(sys.argv[1]))) or None)
