"""What one would do next: all that `simengine` alone says, and the last line of a command for somebody at a terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import join, quote

import click

from simengine.errors import escaped

_HERE = Path("configs")
"""Where a copy of the project has the studies that come with it."""
_START = """\
simengine shows what a social outcome contract may pay, to whom and how often, before anybody signs.

To see an answer first:
  simengine demo

You lend, or you pay for outcomes:
  simengine run {studies}/norrkoping.yaml -n 2000 -o deal
  simengine report deal -o report.html            a page for each party; --language sv
  simengine workbook deal -o deal.xlsx            one run in Excel, with formulas

You design the contract:
  simengine explain {studies}/contracts/norrkoping.yaml
  simengine lint {studies}/contracts/norrkoping.yaml
  simengine stress {studies}/norrkoping.yaml -n 500
  simengine size {studies}/norrkoping.yaml -n 500

You do research:
  simengine fit {studies}/spells/placements_made_up.csv --mapping {studies}/spells/mapping.yaml
  simengine sensitivity {studies}/norrkoping.yaml -n 500
  simengine export deal -o tables                 draws, payments and results of every replication

To write your own study, copy one of {studies} and ask `simengine check`. All commands: simengine --help
"""


def start_page() -> str:
    """Return what somebody reads who types `simengine` alone: commands for each kind of user, which run as they stand."""
    folder = _HERE
    if not (folder / "norrkoping.yaml").is_file():
        from simengine.config.load import shipped_folder

        folder = shipped_folder()
    return _START.format(studies=quote(str(folder)))


def suggest(*commands: tuple[object, ...], why: str = "") -> None:
    """Say to somebody at a terminal which command one would type next; a file or another program reads nothing of it.

    Parameters
    ----------
    commands
        Each as its words.
    why
        What it is good for.
    """
    if sys.stderr.isatty():
        said = " or ".join(f"`{escaped(join(['simengine', *map(str, words)]))}`" for words in commands)
        click.echo(f"Next: {said}{f': {why}' if why else ''}", err=True)
