"""A report as PDF, by WeasyPrint, which is an extra: `pip install 'simengine[pdf]'`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from simengine.errors import ResultsError, UsageError


def refuse_without_library(path: Path) -> None:
    """Refuse a PDF where WeasyPrint, or the library Pango that it needs, is missing.

    Raises
    ------
    UsageError
        If it cannot be loaded.
    """
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"-o {path}: a PDF must be made by WeasyPrint; found: {reason}. Install it with `pip install 'simengine[pdf]'` and the "
            "system library Pango, or write .html and print it from a browser"
        ) from None


def as_pdf(html: str, identifier: bytes) -> bytes:
    """Return a report as PDF; nothing is loaded from elsewhere.

    Parameters
    ----------
    html
        The report.
    identifier
        Of the file, so that the same report gives the same bytes.
    """
    from weasyprint import HTML

    logging.getLogger("weasyprint").setLevel(logging.ERROR)

    def refuse(url: str, *_: Any, **__: Any) -> Any:
        raise ResultsError(f"a report must load nothing; found {url}")

    # WeasyPrint knows no <wbr>: without a character that may break, a long name is broken inside a word.
    made: bytes = HTML(string=html.replace("<wbr>", "\u200b"), url_fetcher=refuse).write_pdf(
        pdf_identifier=identifier, pdf_tags=True
    )
    return made
