"""Put a report together: its sections in their order, inside one page that loads nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from simengine.documents.blocks import ReportPage
from simengine.documents.frame import ReportFrame
from simengine.documents.sections import COMPARED, ReportSection
from simengine.errors import escaped
from simengine.languages.language import typed

if TYPE_CHECKING:
    from simengine.config import Study

_TEMPLATES = Path(__file__).resolve().parent / "templates"


def composed(frame: ReportFrame, sections: Sequence[ReportSection], designs: Mapping[str, Study]) -> str:
    """Return a report as one HTML file.

    Parameters
    ----------
    frame
        The run, the language, and every answer that the sections tell.
    sections
        In their order.
    designs
        By name: the study under each contract that is compared; empty where none is.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    say, heading = frame.language.say, frame.study.study
    style = (_TEMPLATES / "report.css").read_text(encoding="utf-8").strip()
    return environment.get_template("report.html.j2").render(
        language=frame.language,
        version=metadata.version("simengine"),
        title=f"{frame.language.text('Risk report')}: {escaped(heading.title)}",
        style=Markup(style),
        kind=say("Risk report"),
        heading=typed(heading.title),
        drawn=say(
            "{n} replications, seed {seed}. Money in {unit}.",
            n=frame.language.whole(frame.material.n_replications),
            seed=frame.material.seed,
            unit=frame.language.unit_name(frame.unit),
        ),
        contents=say("Contents"),
        pages=_pages(frame, sections, designs),
    )


def _pages(frame: ReportFrame, sections: Sequence[ReportSection], designs: Mapping[str, Study]) -> list[ReportPage]:
    names, pages = {section.name: section.title for section in sections}, list[ReportPage]()
    for section in sections:
        more: tuple[Any, ...] = {"checklists": (names,), "provenance": (names,), COMPARED: (designs,)}.get(section.name, ())
        pages += section.pages(frame, *more)
    return pages
