"""What the commands share: the options that change a study or a run, the bar, and the refusal of what cannot be held."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from simengine.errors import UsageError

_BYTES_PER_REPLICATION = 1_000


def study_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that change a study."""
    command = click.option("--variant", metavar="NAME", help="Use one of the study's own variants.")(command)
    return click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="PATH=VALUE",
        help="Replace one value, e.g. contract.terms.guarantee.share=0.5.",
    )(command)


seed_option = click.option(
    "--seed",
    type=click.IntRange(0, 2**64 - 1),
    help="Any whole number from 0. If absent: the study's own, else one that is drawn, printed and kept.",
)
replications_option = click.option(
    "-n", "--replications", type=click.IntRange(2, 2**32), help="Monte Carlo worlds to simulate. If absent: the study's own number."
)
threads_option = click.option("--threads", type=click.IntRange(1, 1024), help="Blocks that run at once; changes no result.")
block_size_option = click.option(
    "--block-size",
    type=click.IntRange(1, 1_000_000),
    default=1000,
    show_default=True,
    help="Replications in a block; changes no result.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object.")


def refuse_if_too_large(n_replications: int) -> None:
    """Refuse, before any work, a run whose results cannot be held."""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    needed = n_replications * _BYTES_PER_REPLICATION
    if needed > memory:
        most = memory // _BYTES_PER_REPLICATION
        raise UsageError(
            f"-n: the results fit into the machine's memory; {n_replications:,} replications need about "
            f"{needed / 1e9:,.0f} GB. At most {most:,} here"
        )


@contextmanager
def progress(total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr while the work lasts; nothing where stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield lambda done: None  # noqa: ARG005
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("replications (the first run compiles for some seconds)", total=total)
        yield lambda done: bar.advance(task, done)


@contextmanager
def no_folder() -> Iterator[None]:
    """Stand in for a folder where none was asked for."""
    yield None
