"""Early termination: signals to the process, and work on threads that ends between two batches of people.

A thread cannot be stopped from outside, and a block of many people takes minutes: so the work checks before each batch whether it
has been cancelled. The result does not depend on it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
"""By signal, from the keyboard or from the system: the exit code of a process that ended because of it."""


_NOTHING = "nothing was written"


class _Left:
    """What a stopped process leaves behind, in words."""

    words = _NOTHING


def say_if_stopped(words: str = _NOTHING) -> None:
    """Say from now on what stays if the process is stopped."""
    _Left.words = words


def what_is_left() -> str:
    """Return what stays of the work of a stopped process."""
    return _Left.words


class GivenUpError(Exception):
    """The work was cancelled."""


class _Watched(threading.local):
    """What the work of this thread looks at; of work that nobody may give up, nothing."""

    given_up: threading.Event | None = None


_watched = _Watched()


@contextmanager
def giving_up_at(given_up: threading.Event) -> Iterator[None]:
    """Let the work of this thread end soon after an event is set."""
    before, _watched.given_up = _watched.given_up, given_up
    try:
        yield
    finally:
        _watched.given_up = before


def end_if_given_up() -> None:
    """End here if nobody waits for this work.

    Raises
    ------
    GivenUpError
        If the event is set that the work of this thread looks at.
    """
    if _watched.given_up is not None and _watched.given_up.is_set():
        raise GivenUpError
