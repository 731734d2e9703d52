"""How the documentation becomes HTML: Markdown in, pages out, nothing from the network.

Formulae become MathML, which browsers draw by themselves: no script, no font and no server is needed to read them.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

project = "simengine"
author = "The simengine developers"

extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "simengine"
html_copy_source = False
html_show_copyright = False
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["tables.css"]


def setup(app: Any) -> None:
    """Let formulae be written, and tables be prepared, by the functions below."""
    app.add_html_math_renderer("mathml", (_write_inline, None), (_write_block, None))
    app.connect("doctree-resolved", _prepare_tables)


def _prepare_tables(app: Any, doctree: nodes.document, docname: str) -> None:  # noqa: ARG001
    """Let keys in tables break at their dots, and every cell say its column where rows are blocks: see `_static/tables.css`."""
    for table in doctree.findall(nodes.table):
        titles = [entry.astext() for entry in next(table.findall(nodes.thead)).findall(nodes.entry)]
        table["classes"] += ["keys"] if "example" in titles else []
        _name_columns(table, titles)
        for literal in list(table.findall(nodes.literal)):
            _break_at_dots(literal)


def _name_columns(table: nodes.table, titles: list[str]) -> None:
    for row in next(table.findall(nodes.tbody)).findall(nodes.row):
        for entry, title in list(zip(row.findall(nodes.entry), titles, strict=True))[1:]:
            if entry.astext():
                entry[0].insert(0, nodes.inline("", f"{title}: ", classes=["column"]))
            else:
                entry.clear()


def _break_at_dots(literal: nodes.literal) -> None:
    *parts, last = re.split(r"(?<=\.)(?=[A-Za-z<])", literal.astext())
    broken = [node for part in parts for node in (nodes.Text(part), nodes.raw("", "<wbr>", format="html"))]
    literal[:] = [*broken, nodes.Text(last)]


def _write_inline(writer: Any, node: nodes.Element) -> NoReturn:
    writer.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def _write_block(writer: Any, node: nodes.Element) -> NoReturn:
    # A long formula scrolls by itself, not the page.
    formula = tex2mathml(node.astext(), as_block=True)
    writer.body.append(f'<div class="math" style="overflow-x: auto; overflow-y: hidden">{formula}</div>\n')
    raise nodes.SkipNode
