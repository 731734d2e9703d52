"""The command line: parse, call, print.

Every error that a user can cause becomes one message on stderr and exit code 2. Heavy libraries are imported inside the
commands, so that `--help` answers at once.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simengine.cli_analysis import certificate, methods, window
from simengine.cli_contracts import explain, lint, replay
from simengine.cli_options import (
    block_size_option,
    json_option,
    no_folder,
    progress,
    refuse_if_too_large,
    replications_option,
    seed_option,
    study_options,
    threads_option,
)
from simengine.cli_sizing import information, size
from simengine.cli_trace import trace
from simengine.cli_value import value
from simengine.errors import SimengineError

if TYPE_CHECKING:
    from simengine.config import Study

_DEMO_SEED = 2016
_DEMO_REPLICATIONS = 10_000
_KEPT = "The compiled code is kept: later runs start at once."
_NOT_KEPT = "The compiled code cannot be kept; set NUMBA_CACHE_DIR to a folder that can be written, else every run compiles anew."


def main() -> None:
    """Run the command line and turn errors into messages."""
    # What batch systems and containers send: leave as cleanly as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        commands(standalone_mode=False)
    except click.exceptions.Abort:
        _fail("stopped; nothing was written", code=130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except SimengineError as error:
        _fail(str(error))
    except MemoryError:
        _fail("not enough memory for this many replications. Ask for fewer with -n")
    except BrokenPipeError:
        # Whoever read our output has closed it; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(2)
    except OSError as error:
        _fail(f"the output could not be written: {error.strerror or error}")


def _fail(message: str, code: int = 2) -> None:
    click.echo(f"simengine: {message}", err=True)
    sys.exit(code)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="simengine")
def commands() -> None:
    """Monte Carlo risk simulation of social outcome contracts: who carries which risk, before anybody signs."""


@commands.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder for the results; a new one is named if absent.")
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), default=_DEMO_SEED, show_default=True, help="Any whole number from 0.")
@threads_option
def demo(output: Path | None, seed: int, threads: int | None) -> None:
    """Run the Norrköping contract as it stood before signing: a risk table and a picture, in seconds."""
    from simengine.config import find_study, load_study
    from simengine.report.folder import first_free

    study = load_study(find_study("norrkoping"))
    target = output or first_free("simengine-demo")
    _run(study, str(find_study("norrkoping")), seed, _DEMO_REPLICATIONS, threads, 1000, target, as_json=False)
    click.echo(f"\nThe picture: {target / 'picture.png'}")


@commands.command()
@click.argument("study_file", metavar="STUDY", type=click.Path(path_type=Path))
@replications_option
@seed_option
@study_options
@click.option("-o", "--output", type=click.Path(path_type=Path), help="New folder for results, summary, picture and provenance.")
@json_option
@threads_option
@block_size_option
def run(
    study_file: Path,
    replications: int | None,
    seed: int | None,
    overrides: tuple[str, ...],
    variant: str | None,
    output: Path | None,
    as_json: bool,
    threads: int | None,
    block_size: int,
) -> None:
    """Simulate STUDY and show the distribution of what each party gets."""
    from simengine.config import load_study
    from simengine.streams import draw_seed

    study = load_study(study_file, overrides, variant)
    if seed is None:
        seed = draw_seed() if study.run.seed is None else study.run.seed
    _run(study, str(study_file), seed, replications or int(study.run.replications.value), threads, block_size, output, as_json)


def _run(
    study: Study,
    study_name: str,
    seed: int,
    n_replications: int,
    threads: int | None,
    block_size: int,
    output: Path | None,
    as_json: bool,
) -> None:
    from simengine.execution import run_study
    from simengine.pipeline import payment_marks
    from simengine.provenance import Clock, describe_run
    from simengine.report import document, folder, tables
    from simengine.risk import summarise

    refuse_if_too_large(n_replications)
    clock, text = Clock(), document.as_text(study)
    with folder.results_folder(output) if output else no_folder() as draft:
        with progress(n_replications) as advance:
            outturns = run_study(study, seed, n_replications, threads=threads, block_size=block_size, on_progress=advance)
        table = summarise(outturns)
        settings = {"study": study_name, "seed": seed, "replications": n_replications, "threads": threads, "block_size": block_size}
        content = document.summary(study, table, seed)
        content["provenance"] = describe_run(clock, text, settings)
        if draft is not None:
            from simengine.report import picture

            folder.write_replications(draft, outturns)
            drawn = picture.draw(study, outturns, table, payment_marks(study.contract))
            again = f"simengine run study.yaml -n {n_replications} --seed {seed}\n"
            files = {"summary.json": document.as_json(content) + "\n", "study.yaml": text, "run-again.txt": again}
            folder.write_files(draft, files | {f"picture.{form}": image for form, image in drawn.items()})
    # Printed last: whoever closes our output loses nothing that was asked to be kept.
    if as_json:
        click.echo(document.as_json(content))
        return
    tables.show(tables.risk_tables(study, table, seed))
    if output:
        click.echo(f"Results: {output}")


@commands.command()
@click.argument("study_file", metavar="STUDY", type=click.Path(path_type=Path))
@study_options
@json_option
def check(study_file: Path, overrides: tuple[str, ...], variant: str | None, as_json: bool) -> None:
    """Validate STUDY and all its variants, and say what it assumes."""
    from simengine.config import load_study
    from simengine.report import document, tables

    study = load_study(study_file, overrides, variant)
    for name in study.variants:
        load_study(study_file, overrides, name)
    ledger = document.assumptions(study)
    structural = ("study.", "correlations.")
    bare = [
        entry["path"]
        for entry in ledger
        if entry["is_assumed"] and entry["layer"] is None and not entry["path"].startswith(structural)
    ]
    if as_json:
        content = {"title": study.study.title, "valid": True, "assumptions": ledger, "assumed_without_a_law": bare}
        click.echo(document.as_json(content))
        return
    tables.show(tables.assumption_lists(study), fold=False)
    for path in bare:
        click.echo(f"{path}: assumed, yet without a law: its uncertainty is missing from the result")
    click.echo(f"{study_file}: valid, {len(study.variants)} variants included. {study.study.title}.")


@commands.command()
@click.option("--replications", type=click.IntRange(4, 100_000), default=1000, show_default=True, help="Size of what is timed.")
@click.option("--repeats", type=click.IntRange(1, 1000), default=5, show_default=True, help="Timings of each; the median counts.")
@json_option
def bench(replications: int, repeats: int, as_json: bool) -> None:
    """Time the engine on a reference workload beside NumPy, Numba and C programs: ratios, in a minute or two."""
    from simengine.benchmark import benchmark_tables, run_benchmark
    from simengine.report import document, tables

    content = run_benchmark(replications, repeats)
    if as_json:
        click.echo(document.as_json(content))
    else:
        tables.show(benchmark_tables(content))


@commands.command()
def warmup() -> None:
    """Compile everything once, so that later runs start at once."""
    from simengine.benchmark import warm_up

    seconds, are_kept = warm_up()
    click.echo(f"Compiled and ran in {seconds:.1f} s. " + (_KEPT if are_kept else _NOT_KEPT))


for _command in (replay, explain, lint, certificate, methods, window, value, trace, size, information):
    commands.add_command(_command)
