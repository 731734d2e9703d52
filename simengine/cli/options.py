"""What the commands share: a study and the replications in which it is asked about, the bar, and the refusal of what cannot be held."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from simengine.errors import UsageError, escaped


class OptionPlace(click.ParamType):  # type: ignore[type-arg]
    """The name of a file or folder, judged as it was typed: an empty one would be the folder in which the command runs."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ARG002
        """Turn what was typed into a path, or refuse it."""
        if not str(value).strip():
            option = isinstance(param, click.Option)
            name = "a path" if param is None else param.opts[0] if option else str(param.metavar).strip("[].")
            raise UsageError(f"{name}: must be the name of a file or folder; found an empty one")
        return Path(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        """Leave it to the shell to complete the names of files and folders."""
        return [CompletionItem(incomplete, type="file")]


PLACE = OptionPlace()


class WholeNumber(click.IntRange):
    """A whole number within limits, refused in the words of all other numbers."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Turn what was typed into a number, or refuse it."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            name = "a number" if param is None else max(param.opts, key=len)
            high = "" if self.max is None else f" to {self.max:,}"
            digits = re.sub(r"[ .,_]", "", str(value))
            instead = f". Write {digits}" if digits.isdecimal() and digits != str(value) else ""
            raise UsageError(f"{name}: must be a whole number from {self.min:,}{high}; found {value!r}{instead}") from None


def output_option(what: str) -> Callable[..., Any]:
    """Return a command a folder for its answer."""
    return click.option("-o", "--output", type=PLACE, help=f"New or empty folder for {what}. If absent: nothing is written.")


def study_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command the options that change a study."""
    command = click.option("--variant", metavar="NAME", help="Apply one of the study's own variants, before any --set.")(command)
    return click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="PATH=VALUE",
        help="Replace one value by its path, such as contract.terms.guarantee.share=0.5; it is read as YAML.",
    )(command)


seed_option = click.option(
    "--seed",
    type=WholeNumber(0, 2**64 - 1),
    help="Seed of every draw. If absent: the study's own, else one that is drawn, printed and kept.",
)


def replications_option(number: int | None) -> Callable[..., Any]:
    """Return a command its number of replications, and the number that is drawn where nobody says."""
    absent = "" if number is not None else " If absent: the study's own number."
    return click.option(
        "-n",
        "--replications",
        type=WholeNumber(2, 2**32),
        default=number,
        show_default=number is not None,
        help=f"Monte Carlo replications to simulate.{absent}",
    )


threads_option = click.option(
    "--threads",
    type=WholeNumber(1, 1024),
    help="Blocks that run at once; changes no result. If absent: one for each available processor.",
)
block_size_option = click.option(
    "--block-size",
    type=WholeNumber(1, 1_000_000),
    help="Replications in a block at most; fewer if a thread would have none; changes no result. If absent: 1,000, or as many as "
    "keep all blocks at once below 200 MB.",
)
dry_run_option = click.option(
    "--dry-run",
    is_flag=True,
    help="Say what time, memory and disk this would take, from a few replications, and refuse what would be refused; write nothing.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object instead of tables.")


def say(text: str) -> None:
    """Print a line to standard output; what would act on a terminal, such as the name of a file may hold, is shown escaped."""
    click.echo(escaped(text), file=sys.stdout)


def say_what_is_left(folder: Path) -> None:
    """Name on stderr what killed runs left in a store that was written: nothing removes it unasked."""
    from simengine.store.folder import open_store

    left = open_store(folder).unread()
    if left:
        more = f" and {len(left) - 1:,} more" if len(left) > 1 else ""
        found = f"{left[0].path} ({left[0].why}){more}"
        click.echo(
            escaped(f"simengine: left over in {folder}, and read by no run: {found}; `simengine sweep {folder}` names them"),
            err=True,
        )


_LONG_SECONDS = 10


def say_if_long(total: int, option: str = "-n") -> Callable[[float, int, int], None]:
    """Make what says on stderr, before work that takes more than ten seconds, how long it takes, from the pace of a few replications.

    option: what makes it shorter.
    """
    is_said = False

    def say_once(seconds: float, n_replications: int, at_once: int) -> None:
        nonlocal is_said
        seconds *= total / n_replications
        if seconds > _LONG_SECONDS and not is_said:
            threads = "one thread" if at_once == 1 else f"{at_once} threads"
            click.echo(f"simengine: this takes about {in_words(seconds)} on {threads}; a smaller {option} takes less", err=True)
        is_said = True

    return say_once


def in_words(seconds: float) -> str:
    """Write a time as somebody would say it.

    Examples
    --------
    >>> [in_words(one) for one in (0.7, 6.2, 12, 47, 70, 100, 1500, 5400, 9000, 200_000)]
    ['1 second', '6 seconds', '10 seconds', '50 seconds', '1 minute', '2 minutes', '25 minutes', '2 hours', '2 hours', '2 days']
    """
    for unit, length, most in (("second", 1, 60), ("minute", 60, 60), ("hour", 3600, 48)):
        number = round(max(seconds, 1.0) / length, -1 if unit == "second" and seconds >= 10 else None)
        if number < most:
            return f"{number:.0f} {unit}{'' if number == 1 else 's'}"
    return f"{seconds / 86_400:.0f} days"


@contextmanager
def progress(total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr while the work lasts; nothing where stderr is not a terminal."""
    with _bar("replications (the first run compiles for some seconds)", total) as bar:
        yield lambda done: bar(done, None)


@contextmanager
def progress_of_reading() -> Iterator[Callable[[float], None]]:
    """Show a bar on stderr while a file is read; what is yielded takes the share that is read, from 0 to 1."""
    with _bar("reading", 1.0) as bar:
        yield lambda share: bar(None, share)


@contextmanager
def _bar(label: str, total: float) -> Iterator[Callable[[float | None, float | None], None]]:
    """Show a bar that takes what is done in addition, or altogether."""
    if not sys.stderr.isatty():
        yield lambda more, done: None  # noqa: ARG005
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda more, done: bar.update(task, advance=more, completed=done)
