"""Begin: from the first moment Ctrl-C and SIGTERM are answered in one line, while libraries are still loading.

Python raises wherever it happens to be, which inside a library's own start is a traceback, or an error of another name.
"""

from __future__ import annotations

import os
import signal
from typing import Any

from simengine.interruption import EXIT_CODES


def main() -> None:
    """Load the command line and run it."""
    for number in EXIT_CODES:
        signal.signal(number, _leave)
    from simengine.cli.main import run_command

    run_command()


def _leave(number: int, _: Any) -> None:
    """End at once: nothing has been begun that would have to be put away."""
    os.write(2, b"simengine: stopped; nothing was written\n")
    os._exit(EXIT_CODES[signal.Signals(number)])
