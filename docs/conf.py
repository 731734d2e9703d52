"""How the documentation becomes HTML: Markdown and notebooks in, pages out, nothing from the network.

Formulae become MathML, which browsers draw by themselves: no script, no font and no server is needed to read them.
Notebooks are run when the pages are built, unless `-D nb_execution_mode=off` says otherwise.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any, NoReturn

import imagesize
from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

project = "simengine"
author = "The simengine developers"

extensions = ["myst_nb"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "jupyter_execute", "keys", "*.py"]

# Pages are read from one folder: the notebooks are copied into it, and links to them lead to the copies.
_NOTEBOOKS = Path(__file__).parent / "notebooks"
shutil.rmtree(_NOTEBOOKS, ignore_errors=True)
shutil.copytree(Path(__file__).parent.parent / "notebooks", _NOTEBOOKS)

nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 600

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["pages.css", "tables.css"]
html_title = "simengine"
html_copy_source = False
html_show_copyright = False
html_math_renderer = "mathml"

# Quotation marks and dots are set as in print; `--` stays: it begins the name of an option.
smartquotes_action = "qe"

_UNBROKEN = re.compile(r"(?<=\d) (?=%)|(?<=[\d)]) (?=± ?\d)|(?<=±) (?=\d)")
"""Blanks inside one number: before a percent sign, and around the sign of an error."""
_CLOSING = re.compile(r"[.,;:)]+")
"""Signs of a sentence that belong to the formula before them."""
_BREAKS = re.compile(r"(?<=[./])(?=[A-Za-z<])(?!(?:py|md|yaml|json|csv|png|svg|txt|parquet)\b)")
"""Places in code at which a line may end: after the dots of a path and after the names of folders."""
_FORMS = {"keys": ["key", "allowed"], "options": ["option", "allowed"]}
"""By class: the first two columns of its tables."""
_LONG = 24
"""Characters of a word of code: beyond these its line may end after an underscore in a table, up to these at no hyphen."""

_WIDE = 1000
"""Pixels of a picture with several panels, whose words could not be read if it were as narrow as a telephone."""


def setup(app: Any) -> None:
    """Let formulae be written, notebooks and pictures linked, and tables prepared, by the functions below."""
    app.add_html_math_renderer("mathml", (_write_inline, None), (_write_block, None))
    app.connect("source-read", _link_to_notebook)
    app.connect("source-read", _link_to_copies)
    app.connect("doctree-read", _link_to_picture)
    app.connect("doctree-resolved", _keep_together)
    app.connect("doctree-resolved", _prepare_tables)
    app.connect("doctree-resolved", _let_titles_break)


def _prepare_tables(app: Any, doctree: nodes.document, docname: str) -> None:  # noqa: ARG001
    """Give tables of one kind one form, let their keys break, and let cells say their column where rows are blocks: `tables.css`."""
    for table in doctree.findall(nodes.table):
        titles = _titles(table)
        table["classes"] += [name for name, first in _FORMS.items() if titles[:2] == first]
        _drop_empty_columns(table)
        _name_columns(table)
        for literal in list(table.findall(nodes.literal)):
            _let_break(literal)


def _titles(table: nodes.table) -> list[str]:
    return [entry.astext() for head in table.findall(nodes.thead) for entry in head.findall(nodes.entry)]


def _drop_empty_columns(table: nodes.table) -> None:
    group, body = next(table.findall(nodes.tgroup)), next(table.findall(nodes.tbody))
    cells = zip(*(row.findall(nodes.entry) for row in body.findall(nodes.row)), strict=True)
    empty = [column for column, entries in enumerate(cells) if not any(entry.astext() for entry in entries)]
    for column in reversed(empty):
        group.remove(list(group.findall(nodes.colspec))[column])
        group["cols"] -= 1
        for row in group.findall(nodes.row):
            row.remove(list(row.findall(nodes.entry))[column])


def _name_columns(table: nodes.table) -> None:
    titles = [entry for head in table.findall(nodes.thead) for entry in head.findall(nodes.entry)]
    for row in next(table.findall(nodes.tbody)).findall(nodes.row):
        for entry, title in list(zip(row.findall(nodes.entry), titles, strict=True))[1:]:
            if entry.astext():
                words = [node.deepcopy() for paragraph in title.children for node in paragraph.children]
                entry[0].insert(0, nodes.inline("", "", *words, nodes.Text(": "), classes=["column"]))
            else:
                entry.clear()


def _let_break(literal: nodes.literal) -> None:
    *parts, last = [part for whole in _BREAKS.split(literal.astext()) for part in _short_parts(whole)]
    broken = [node for part in parts for node in (nodes.Text(part), nodes.raw("", "<wbr>", format="html"))]
    if broken:
        literal[:] = [*broken, nodes.Text(last)]


def _short_parts(text: str) -> list[str]:
    is_long = any(len(word) > _LONG for word in text.split())
    return re.split(r"(?<=\w_)(?=[a-z])", text) if is_long else [text]


def _let_titles_break(app: Any, doctree: nodes.document, docname: str) -> None:  # noqa: ARG001
    """Let paths in headings break at their dots."""
    for title in doctree.findall(nodes.title):
        for literal in list(title.findall(nodes.literal)):
            _let_break(literal)


def _keep_together(app: Any, doctree: nodes.document, docname: str) -> None:  # noqa: ARG001
    """Let no line end inside a number such as `40 %` or an option such as `--set`, nor between a formula and its full stop."""
    for text in list(doctree.findall(nodes.Text)):
        if not isinstance(text.parent, nodes.literal | nodes.FixedTextElement | nodes.raw):
            whole = _UNBROKEN.sub("\N{NO-BREAK SPACE}", text)
            if whole != text:
                text.parent.replace(text, nodes.Text(whole))
    for formula in list(doctree.findall(nodes.math)):
        after = formula.next_node(descend=False, siblings=True)
        if isinstance(after, nodes.Text) and (closing := _CLOSING.match(after)):
            formula.parent.replace(after, nodes.Text(after[closing.end() :]))
            formula.replace_self(nodes.inline("", "", formula.deepcopy(), nodes.Text(closing[0]), classes=["whole"]))
    for literal in doctree.findall(nodes.literal):
        words = re.split(r"(\s+)", literal.astext())
        if any("-" in word for word in words):
            literal[:] = [
                nodes.inline("", word, classes=["whole"]) if "-" in word and len(word) <= _LONG else nodes.Text(word)
                for word in words
            ]


def _write_inline(writer: Any, node: nodes.Element) -> NoReturn:
    writer.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def _write_block(writer: Any, node: nodes.Element) -> NoReturn:
    # A long formula scrolls by itself, not the page.
    formula = tex2mathml(node.astext(), as_block=True)
    writer.body.append(f'<div class="math" style="overflow-x: auto; overflow-y: hidden">{formula}</div>\n')
    raise nodes.SkipNode


def _link_to_notebook(app: Any, page: str, source: list[str]) -> None:
    """Say below the introduction of a notebook where its file is, and whether it was run."""
    if page.startswith("notebooks/"):
        name = f"{page.removeprefix('notebooks/')}.py"
        was_run = app.config.nb_execution_mode != "off"
        shown = "with the results of running it" if was_run else "without results: it was not run when these pages were built"
        link = (
            f"This page is the notebook {{download}}`{name}`, {shown}. `jupytext --to ipynb {name}` makes a file for Jupyter of it."
        )
        source[0] = source[0].replace("\n# %%\n", f"\n# %% [markdown]\n# {link}\n\n# %%\n", 1)


def _link_to_copies(app: Any, page: str, source: list[str]) -> None:  # noqa: ARG001
    """Let links to notebooks, which lie beside the pages' folder, lead to their copies inside it."""
    above = "../" * (page.count("/") + 1)
    source[0] = source[0].replace(f"]({above}notebooks/", f"]({above[3:]}notebooks/")


def _link_to_picture(app: Any, page: nodes.document) -> None:  # noqa: ARG001
    """Let a picture that is wider than the page be opened in its own size: Sphinx links those that have a scale."""
    for picture in page.findall(nodes.image):
        picture["scale"] = 100
        is_wide = imagesize.get(Path(__file__).parent / picture["uri"])[0] > _WIDE
        picture["classes"] += ["wide"] if is_wide else []
