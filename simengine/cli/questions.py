"""A command for every question: its arguments and options from the question itself, its answer printed."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from simengine.cli.costs import say_cost
from simengine.cli.next_steps import suggest
from simengine.cli.options import (
    PLACE,
    WholeNumber,
    block_size_option,
    dry_run_option,
    json_option,
    output_option,
    progress,
    replications_option,
    say,
    say_if_long,
    say_what_is_left,
    seed_option,
    study_options,
    threads_option,
)
from simengine.errors import UsageError
from simengine.questions.question import Option, Question, Source, is_absent
from simengine.questions.run.question import RUN
from simengine.questions.subject import Size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simengine.questions.subject import Loaded

_SIZE = ("replications", "seed", "threads", "block_size")
_CHANGES = ("overrides", "variant")


def command_of(question: Question[Any]) -> click.Command:
    """Make the command that asks a question."""

    @click.pass_context
    def ask(context: click.Context, /, place: Path, output: Path | None, as_json: bool, dry_run: bool, **typed: Any) -> None:
        given = {
            name: value
            for name, value in typed.items()
            if name not in (*_SIZE, *_CHANGES) and context.get_parameter_source(name) is not ParameterSource.DEFAULT
        }
        size = Size(**{name: typed[name] for name in _SIZE if name in typed})
        changes = {name: typed.get(name) or default for name, default in (("overrides", ()), ("variant", None))}
        deliver(question, place, size, given, changes, output, as_json=as_json, is_dry=dry_run)

    made: click.Command = click.command(question.name, help=question.summary)(_with_parameters(question)(ask))
    return made


def _suggest_after_run(place: Path, output: Path | None) -> None:
    if output is None:
        suggest(("run", place, "-o", "results"), why="keeps the run, for a report, a workbook or tables")
    else:
        suggest(("report", output, "-o", "report.html"), ("workbook", output))


def deliver(
    question: Question[Any],
    place: Path,
    size: Size,
    given: Mapping[str, Any],
    changes: Mapping[str, Any],
    output: Path | None,
    *,
    as_json: bool = False,
    is_dry: bool = False,
) -> None:
    """Ask a question about what stands in a file, and print the answer or keep it; or say what that would cost."""
    from simengine.provenance import Stopwatch
    from simengine.questions.driver import keep, pose
    from simengine.report import document, tables

    subject = question.subject
    loaded: Loaded = subject.load(place, size=size, **changes)
    source = Source(
        changes["variant"],
        lambda name: subject.load(place, size=size, **{**changes, "variant": name}).subject,
        tuple(changes["overrides"]),
    )
    posed = pose(question, loaded.subject, loaded.size, {**loaded.given, **given}, source)
    clock = Stopwatch()
    own = {subject.argument.lower(): str(place)} | (
        {} if not subject.may_change else {"variant": changes["variant"], "overrides": list(changes["overrides"])}
    )

    def describe(text: str, settings: Mapping[str, Any]) -> Any:
        return posed.described(clock, text, question.name, {**own, **settings})

    if is_dry:
        say_cost(posed, question.name, describe, output, as_json=as_json)
        return

    def answer() -> Any:
        with progress(posed.work.as_the_first) as advance:
            return posed.answer(advance, say_if_long(posed.work.as_the_first))

    found, content = keep(posed, question.name, output, answer, describe, is_told=as_json)
    store = posed.values.get("begun") or posed.values.get("store")
    if store is not None:
        say_what_is_left(Path(store))
    # Printed last: if the output is closed early, the requested files are complete.
    if as_json and content is not None:
        say(document.as_json(content))
        return
    tables.show(posed.question.tables(posed.asked.subject, found))
    if output:
        say(f"Results: {output}")
    if question.name == RUN.name:
        _suggest_after_run(place, output)


def _with_parameters(question: Question[Any]) -> Callable[[Any], Any]:
    """Return a function the parameters of a question's command, in the order in which its help lists them."""
    subject = question.subject
    place = click.argument("place", metavar=subject.argument, type=PLACE)
    sizes: tuple[Any, ...] = (replications_option(subject.replications), seed_option, threads_option, block_size_option)
    shown = [option for option in question.every_option().values() if not option.is_hidden]
    own = [_parameter(option) for option in shown] + [_former(option) for option in shown if option.formerly]
    changes = [study_options] if subject.may_change else []
    drawn = [*sizes[:2], *changes, json_option, *sizes[2:]] if question.is_drawn else [seed_option, *changes, json_option]
    parameters: list[Any] = [place, *drawn, *own, output_option(question.keeps), dry_run_option]

    def decorate(function: Any) -> Any:
        for parameter in reversed(parameters):
            function = parameter(function)
        return function

    return decorate


def _former(option: Option) -> Callable[[Any], Any]:
    """Return the earlier names of an option, which are refused with the new one."""
    flags = [name for name in option.formerly if name.startswith("-")]

    def refuse(context: click.Context, parameter: click.Parameter, value: Any) -> None:  # noqa: ARG001
        if value is not None:
            raise UsageError(f"`{parameter.opts[0]}` is now `{option.written}`")

    told = f"Earlier name of {option.written}; refused."
    return click.option(*flags, f"former_{option.name}", help=told, hidden=True, expose_value=False, callback=refuse)


def _parameter(option: Option) -> Callable[[Any], Any]:
    if option.is_argument:
        # A name of a variant is as good here as a file, so the type stays a text; the shell completes files.
        return click.argument(option.name, metavar=option.flag, nargs=-1, shell_complete=PLACE.shell_complete)
    default = None if is_absent(option.default) else option.default
    kind: Any = str
    if option.words:
        kind = click.Choice(option.words)
    elif option.kind in (int, float):
        is_limited = isfinite(option.low) and isfinite(option.high)
        if option.kind is int:
            kind = WholeNumber(int(option.low), int(option.high)) if is_limited else int
        else:
            kind = click.FloatRange(option.low, option.high) if is_limited else float
    if option.kind is bool:
        return click.option(option.written, option.name, is_flag=True, help=option.help)
    return click.option(
        option.written,
        option.name,
        type=kind,
        multiple=option.is_many,
        default=default,
        show_default=default is not None,
        metavar=option.metavar,
        help=option.help,
    )
