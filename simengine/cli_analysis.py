"""The commands that ask what the evaluator does to the money: certificate, methods, window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

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
from simengine.errors import UsageError

if TYPE_CHECKING:
    from simengine.analysis import Ensemble
    from simengine.config import Study


@dataclass(frozen=True)
class _Request:
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
        from simengine.config import load_study

        return load_study(self.study_file, self.overrides, self.variant)

    def size(self, study: Study) -> tuple[int, int]:
        """Give the seed and the number of replications."""
        from simengine.streams import draw_seed

        own = study.run.seed
        seed = self.seed if self.seed is not None else draw_seed() if own is None else own
        n_replications = self.replications or int(study.run.replications.value)
        refuse_if_too_large(n_replications)
        return seed, n_replications

    def settings(self, seed: int, n_replications: int, **more: Any) -> dict[str, Any]:
        """Give what was asked, for the provenance."""
        own = {"study": str(self.study_file), "seed": seed, "replications": n_replications}
        return own | {"threads": self.threads, "block_size": self.block_size} | more


def _request_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command a study and the options that all of this file share."""
    options = (
        click.argument("study_file", metavar="STUDY", type=click.Path(path_type=Path)),
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


@click.command()
@_request_options
@click.option("-o", "--output", type=click.Path(path_type=Path), help="New folder for the certificate, its curve and provenance.")
def certificate(output: Path | None, **asked: Any) -> None:
    """Say what STUDY pays for nothing and withholds for something: the payment-error certificate of its evaluation."""
    from simengine.analysis import certify
    from simengine.provenance import Clock, describe_run
    from simengine.report import document, finding_tables, findings, folder, tables

    request = _Request(**asked)
    study = request.study()
    seed, n_replications = request.size(study)
    clock, text = Clock(), document.as_text(study)
    with folder.results_folder(output) if output else no_folder() as draft:
        found = _answer(request, seed, n_replications, lambda ensemble: certify(study, ensemble))
        content = findings.certificate(study, found)
        content["provenance"] = describe_run(clock, text, request.settings(seed, n_replications))
        if draft is not None:
            from simengine.report.power import draw_power

            again = f"simengine certificate study.yaml -n {n_replications} --seed {seed}\n"
            files = {"study.yaml": text, "run-again.txt": again, "certificate.json": document.as_json(content) + "\n"}
            folder.write_files(draft, {"power-curve.png": draw_power(study, found), **files})
    if request.as_json:
        click.echo(document.as_json(content))
        return
    tables.show(finding_tables.certificate_tables(study, found))
    if output:
        click.echo(f"Results: {output}")


@click.command()
@_request_options
def methods(**asked: Any) -> None:
    """Measure the same people of STUDY by every design that it describes, and say what the contract would pay by each."""
    from simengine.analysis import compare_methods
    from simengine.provenance import Clock
    from simengine.report import finding_tables, findings, tables

    request, clock = _Request(**asked), Clock()
    study = request.study()
    seed, n_replications = request.size(study)
    found = _answer(request, seed, n_replications, lambda ensemble: compare_methods(study, ensemble))
    if request.as_json:
        _print_json(study, clock, findings.methods(study, found), request.settings(seed, n_replications))
    else:
        tables.show(finding_tables.methods_tables(study, found))


@click.command()
@_request_options
@click.option("--months", required=True, metavar="MONTHS", help="The windows to compare, as whole numbers: 12,24,36,48.")
@click.option("--metric", metavar="NAME", help="The metric whose window is changed. If absent: those with the longest window.")
def window(months: str, metric: str | None, **asked: Any) -> None:
    """Say what the length of the follow-up in STUDY does to what is measured and to each party's money."""
    from simengine.analysis import compare_windows
    from simengine.provenance import Clock
    from simengine.report import finding_tables, findings, tables

    lengths, request, clock = _read_months(months), _Request(**asked), Clock()
    study = request.study()
    seed, n_replications = request.size(study)
    found = _answer(request, seed, n_replications, lambda ensemble: compare_windows(study, lengths, ensemble, metric))
    if request.as_json:
        settings = request.settings(seed, n_replications, months=lengths, metric=metric)
        _print_json(study, clock, findings.window(study, found), settings)
    else:
        tables.show(finding_tables.window_tables(study, found))


def _answer(request: _Request, seed: int, n_replications: int, question: Callable[[Ensemble], Any]) -> Any:
    """Put a question to the worlds of a request, with a bar on the terminal."""
    from simengine.analysis import Ensemble

    with progress(n_replications) as advance:
        return question(Ensemble(seed, n_replications, request.threads, request.block_size, advance))


def _print_json(study: Study, clock: Any, content: dict[str, Any], settings: Mapping[str, Any]) -> None:
    from simengine.provenance import describe_run
    from simengine.report import document

    provenance = describe_run(clock, document.as_text(study), settings)
    click.echo(document.as_json(content | {"provenance": provenance}))


def _read_months(text: str) -> list[int]:
    """Read a list of windows."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and int(word[:9]) >= 1 for word in words):
        raise UsageError(f"--months: whole numbers from 1, with commas between them, such as 12,24,36; found {text!r}")
    return [int(word[:9]) for word in words]
