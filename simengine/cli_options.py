"""What the commands share: a study and the worlds in which it is asked about, the bar, and the refusal of what cannot be held."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simengine.errors import UsageError, escaped

if TYPE_CHECKING:
    from simengine.config import Study
    from simengine.provenance import Clock
    from simengine.worlds.ensemble import Ensemble


class Place(click.ParamType):  # type: ignore[type-arg]
    """The name of a file or folder, judged as it was typed: an empty one would be the folder in which the command runs."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ARG002
        """Turn what was typed into a path, or refuse it."""
        if not str(value).strip():
            option = isinstance(param, click.Option)
            name = "a path" if param is None else param.opts[0] if option else str(param.metavar).strip("[].")
            raise UsageError(f"{name}: must be the name of a file or folder; found an empty one")
        return Path(value)


PLACE = Place()


def output_option(what: str) -> Callable[..., Any]:
    """Give a command a folder for its answer."""
    return click.option("-o", "--output", type=PLACE, help=f"New folder for {what}.")


def asked_again(command: str, *words: object) -> str:
    """Write a command as a line that a shell runs as it stands, whatever blanks or signs its words hold."""
    return shlex.join(["simengine", command, *map(str, words)]) + "\n"


def as_operand(name: str) -> str:
    """Write the name of a file so that it is not taken for an option."""
    return f"./{name}" if name.startswith("-") else name


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
    help="Replications in a block at most; changes no result.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object.")


def say(text: str) -> None:
    """Print a line to standard output; what would act on a terminal, such as the name of a file may hold, is shown escaped."""
    click.echo(escaped(text), file=sys.stdout)


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


@dataclass(frozen=True)
class Request:
    """A study and the worlds in which it is asked about."""

    study_file: Path
    replications: int | None
    seed: int | None
    overrides: tuple[str, ...]
    variant: str | None
    as_json: bool
    threads: int | None
    block_size: int

    def study(self) -> Study:
        """Load the study with its changes."""
        from simengine.config import load_study

        return load_study(self.study_file, self.overrides, self.variant)

    def kept_text(self, study: Study) -> str:
        """Write the study as it was asked about: see `document.kept_text`."""
        from simengine.report import document

        return document.kept_text(study, self.variant)

    def size(self, study: Study, *, is_kept_whole: bool = True) -> tuple[int, int]:
        """Give the seed and the number of replications; refused where what is kept of them cannot be held."""
        from simengine.streams import draw_seed

        own = study.run.seed
        seed = self.seed if self.seed is not None else draw_seed() if own is None else own
        n_replications = self.replications or int(study.run.replications.value)
        self.refuse_if_too_large(study, n_replications, is_kept_whole=is_kept_whole)
        return seed, n_replications

    def refuse_if_too_large(self, study: Study, n_replications: int, **how: Any) -> None:
        """Refuse, before any work, what cannot be held."""
        from simengine.worlds.blocks import available_processors
        from simengine.worlds.memory import refuse_if_too_large

        at_once = self.threads or available_processors()
        refuse_if_too_large(study, n_replications, at_once=at_once, block_size=self.block_size, **how)

    def settings(self, seed: int, n_replications: int, **more: Any) -> dict[str, Any]:
        """Give what was asked, for the provenance."""
        own = {"study": str(self.study_file), "variant": self.variant, "overrides": list(self.overrides)}
        return (
            own | {"seed": seed, "replications": n_replications} | {"threads": self.threads, "block_size": self.block_size} | more
        )


def request_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command a study and the options of everything that simulates it; they come as the fields of a `Request`."""
    options = (
        click.argument("study_file", metavar="STUDY", type=PLACE),
        replications_option,
        seed_option,
        study_options,
        json_option,
        threads_option,
        block_size_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


def answer(request: Request, seed: int, n_replications: int, question: Callable[[Ensemble], Any]) -> Any:
    """Put a question to the worlds of a request, with a bar on the terminal."""
    from simengine.worlds.ensemble import Ensemble

    with progress(n_replications) as advance:
        return question(Ensemble(seed, n_replications, request.threads, request.block_size, advance))


def print_json(study: Study, clock: Clock, content: dict[str, Any], settings: Mapping[str, Any]) -> None:
    """Print an answer with its provenance as one JSON object; the settings name the variant."""
    from simengine.provenance import describe_run
    from simengine.report import document

    provenance = describe_run(clock, document.kept_text(study, settings["variant"]), settings)
    say(document.as_json(content | {"provenance": provenance}))
