"""The library that writes Excel files: an extra, asked for in one message."""

from __future__ import annotations

import importlib
from datetime import datetime
from typing import Any

from simengine.errors import UsageError

CREATED = datetime(2000, 1, 1)
"""When every Excel file says that it was made: equal runs give equal bytes."""


def require_xlsxwriter() -> Any:
    """Return the module that writes Excel files.

    Raises
    ------
    UsageError
        If it is not installed.
    """
    try:
        import xlsxwriter
    except ModuleNotFoundError as error:
        if error.name != "xlsxwriter":
            raise
        way_out = "Install it with `pip install 'simengine[excel]'`"
        raise UsageError(f"an Excel file: XlsxWriter must be installed; found no `xlsxwriter`. {way_out}") from None
    return xlsxwriter


def close_excel(file: Any) -> None:
    """Write an Excel file; what the system says against it is raised as the system says it."""
    exceptions = importlib.import_module("xlsxwriter.exceptions")
    try:
        file.close()
    except exceptions.FileCreateError as error:
        reason = error.args[0] if error.args else error
        raise reason if isinstance(reason, OSError) else OSError(str(reason)) from None
