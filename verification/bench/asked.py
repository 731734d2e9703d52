"""Numbers that the programs here take from the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def power_of_two(text: str) -> int:
    """Read how many points of a sequence are asked for: any other number would not spread them evenly."""
    number = at_least(1)(text)
    if number & (number - 1):
        raise argparse.ArgumentTypeError(f"the points of a sequence are a power of 2; found {text}")
    return number


def at_least(least: int) -> Callable[[str], int]:
    """Return what reads a whole number that is not below the least."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and int(text) >= least):
            raise argparse.ArgumentTypeError(f"a whole number from {least}; found {text}")
        return int(text)

    return read
