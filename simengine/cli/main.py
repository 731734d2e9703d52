"""The command line: parse, call, print.

Every error that a user can cause becomes one message on stderr and exit code 2. Heavy libraries are imported inside the
commands, so that `--help` answers at once.
"""

from __future__ import annotations

import codecs
import io
import os
import signal
import sys
import unicodedata
from pathlib import Path
from typing import Any

import click

from simengine.cli.batch import batch_command
from simengine.cli.bench import bench_group
from simengine.cli.conform import conform_command
from simengine.cli.contract import explain, lint, replay_command
from simengine.cli.export import export
from simengine.cli.fit import fit_command
from simengine.cli.next_steps import start_page, suggest
from simengine.cli.options import PLACE, WholeNumber, json_option, say, study_options, threads_option
from simengine.cli.questions import command_of, deliver
from simengine.cli.reference import record, reference
from simengine.cli.report import report
from simengine.cli.rerun import rerun_command
from simengine.cli.seals import score_command, seal_command
from simengine.cli.sweep import sweep
from simengine.cli.workbook import workbook
from simengine.errors import SimengineError, escaped
from simengine.interruption import EXIT_CODES, say_if_stopped, what_is_left
from simengine.questions.listed import QUESTIONS
from simengine.questions.run.question import RUN
from simengine.questions.subject import Size
from simengine.sections import AGREED, lies_in

_KEPT = "The compiled code is kept: later runs start at once."
_NOT_KEPT = "The compiled code cannot be kept; set NUMBA_CACHE_DIR to a folder that can be written, else every run compiles anew."


_ALIKE = dict(zip("±→≤≥\u2212\u2013\u2014\u00d7", ("+/-", "->", "<=", ">=", "-", "-", "-", "x"), strict=True))
"""What stands for a character that an encoding lacks; for other letters the letter without its accent, else a question mark."""


class _Stopped(BaseException):
    """Somebody pressed Ctrl-C, or asked the process to end as batch systems and containers do."""


class _Stop:
    """Answers signals, and remembers that it did: a library that was being loaded may turn what is raised into something else."""

    code: int | None = None

    def __call__(self, number: int, _: Any) -> None:
        self.code = EXIT_CODES[signal.Signals(number)]
        raise _Stopped


def run_command() -> None:
    """Run the command line and turn errors into messages."""
    stop = _Stop()
    say_if_stopped()
    for number in EXIT_CODES:
        signal.signal(number, stop)
    _write_in_any_encoding()
    try:
        _run()
    except _Stopped:
        _fail(_stopped(), code=stop.code or 130)
    except Exception:
        if stop.code is None:
            raise
        _fail(_stopped(), code=stop.code)


def _stopped() -> str:
    return f"stopped; {what_is_left()}"


def _run() -> None:
    try:
        commands(standalone_mode=False)
    except click.exceptions.Abort:
        _fail(_stopped(), code=130)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(file=shown)
        click.echo(escaped(shown.getvalue().rstrip("\n")), file=sys.stderr)
        sys.exit(2)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except SimengineError as error:
        _fail(str(error))
    except MemoryError:
        _fail("not enough memory for this many replications. Ask for fewer with -n")
    except BrokenPipeError:
        # The reader of the output has closed it; there is nothing left to report to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(2)
    except OSError as error:
        _fail(f"the output could not be written: {error.strerror or error}")


def _write_in_any_encoding() -> None:
    """Let standard output take every character: a terminal or a file in ASCII or cp1252 gets what looks alike, or a ?."""
    codecs.register_error("alike", _alike)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="alike")


def _alike(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    plain = (_ALIKE.get(one) or unicodedata.normalize("NFKD", one).encode("ascii", "ignore").decode() or "?" for one in missing)
    return "".join(plain), error.end


def _fail(message: str, code: int = 2) -> None:
    click.echo(f"simengine: {escaped(message)}", file=sys.stderr)
    sys.exit(code)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, invoke_without_command=True)
@click.version_option(package_name="simengine")
@click.pass_context
def commands(context: click.Context) -> None:
    """Monte Carlo risk simulation of social outcome contracts: who carries which risk, before anybody signs."""
    if context.invoked_subcommand is None:
        click.echo(start_page(), nl=False)


@commands.command()
@click.argument("study_file", metavar="STUDY", type=PLACE)
@study_options
@click.option(
    "--fix",
    is_flag=True,
    help="First rewrite old words in the file; comments, order and layout stay as they are. If absent: the file is only read.",
)
@json_option
def check(study_file: Path, overrides: tuple[str, ...], variant: str | None, fix: bool, as_json: bool) -> None:
    """Validate STUDY and all its variants, and say what it assumes."""
    from simengine.config import load_study
    from simengine.contract_text.magnitudes import magnitude_findings
    from simengine.report import document, steps, tables

    if fix:
        _rewrite(study_file)
    study = load_study(study_file, overrides, variant)
    for name in study.variants:
        load_study(study_file, overrides, name)
    ledger = document.assumptions(study)
    bare = [
        entry["path"] for entry in ledger if entry["is_assumed"] and entry["layer"] is None and not lies_in(entry["path"], AGREED)
    ]
    moves = steps.steps_content(study)
    if as_json:
        content: document.CheckContent = {
            "title": study.study.title,
            "valid": True,
            "assumptions": ledger,
            "assumed_without_a_distribution": bare,
            "moves": moves,
        }
        say(document.as_json(content))
        return
    tables.show(tables.assumption_lists(study), fold=False)
    if said := steps.steps_sentence(moves):
        say(said)
    for remark in magnitude_findings(study.contract):
        if remark.rule not in study.contract.explained:
            say(f"contract.{remark.key}: {remark.found}: {remark.why}. {remark.suggestion}")
    for path in bare:
        say(f"{path}: assumed, yet without a distribution: its uncertainty is missing from the result")
    say(f"{study_file}: valid, {len(study.variants)} variants included. {study.study.title}.")
    suggest(("run", study_file, "-n", 2000, "-o", "results"))


def _rewrite(file: Path) -> None:
    from simengine.config.renamed import rewrite_old_words

    number = rewrite_old_words(file)
    words = "no word was out of date" if not number else f"{number} {'word' if number == 1 else 'words'} rewritten"
    click.echo(f"{file}: {words}", err=True)


@commands.command()
@click.argument("what", metavar="[study|contract|portfolio|conformance]", default="study")
def schema(what: str) -> None:
    """Print the JSON Schema of what a file of a study, a contract, a portfolio or a conformance set may say, for an editor."""
    from simengine.config.schema import schema_text

    say(schema_text(what).rstrip("\n"))


@commands.command()
def warmup() -> None:
    """Compile everything once, so that later runs start at once."""
    from simengine.benchmark import warm_up

    seconds, are_kept = warm_up()
    say(f"Compiled and ran in {seconds:.1f} s. " + (_KEPT if are_kept else _NOT_KEPT))


_DEMO_SEED = 2016
_DEMO_REPLICATIONS = 10_000


@commands.command()
@click.option(
    "-o",
    "--output",
    type=PLACE,
    help="New or empty folder for the results. If absent: simengine-demo, or the first of simengine-demo-2, simengine-demo-3, ... that is free.",
)
@click.option("--seed", type=WholeNumber(0, 2**64 - 1), default=_DEMO_SEED, show_default=True, help="Seed of every draw.")
@threads_option
def demo(output: Path | None, seed: int, threads: int | None) -> None:
    """Run the Norrköping contract as it stood before signing: a risk table and a picture, in seconds."""
    from simengine.config import find_study
    from simengine.report.folder import first_free

    target = output or first_free("simengine-demo")
    size = Size(_DEMO_REPLICATIONS, seed, threads)
    deliver(RUN, find_study("norrkoping"), size, {}, {"overrides": (), "variant": None}, target)
    say(f"\nThe picture: {target / 'picture.png'}")


_OF_NO_QUESTION = (
    batch_command,
    bench_group,
    conform_command,
    explain,
    export,
    fit_command,
    lint,
    record,
    reference,
    replay_command,
    report,
    rerun_command,
    score_command,
    seal_command,
    sweep,
    workbook,
)
for _command in (*_OF_NO_QUESTION, *map(command_of, QUESTIONS)):
    commands.add_command(_command)
