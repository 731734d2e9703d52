"""What stands on a page of a document: paragraphs, lists, figures that one sees first, tables, pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup


@dataclass(frozen=True)
class Paragraph:
    """A paragraph."""

    text: Markup
    role: str = ""
    """`note`, `warning`, `answer` or nothing."""
    kind: str = "paragraph"


@dataclass(frozen=True)
class Subtitle:
    """A heading below that of the section."""

    text: Markup
    kind: str = "subtitle"


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: tuple[Markup, ...]
    kind: str = "bullets"


@dataclass(frozen=True)
class KeyFigures:
    """Few numbers with what they say, set large."""

    figures: tuple[tuple[Markup, Markup], ...]
    """What it is, and the number."""
    kind: str = "key_figures"


@dataclass(frozen=True)
class Sheet:
    """A table: each row begins with its name."""

    caption: Markup
    columns: tuple[Markup, ...]
    rows: tuple[tuple[Markup, ...], ...]
    words: frozenset[int] = field(default_factory=lambda: frozenset({0}))
    """Places of the columns that hold words; the others hold numbers, and stand to the right."""
    kind: str = "sheet"


@dataclass(frozen=True)
class ReportPicture:
    """A picture with its title for those who see it, and in words for those who do not."""

    svg: Markup
    caption: Markup
    kind: str = "drawing"


PageBlock = Paragraph | Subtitle | Bullets | KeyFigures | Sheet | ReportPicture


@dataclass(frozen=True)
class ReportPage:
    """A section, or a part of one that begins on a page of its own."""

    name: str
    """Of the anchor."""
    title: Markup
    blocks: Sequence[PageBlock]
    on_own_page: bool = False
