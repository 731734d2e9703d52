"""The commands that ask what the evaluator does to the money: certificate, methods, window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from simengine.cli_options import Request, answer, asked_again, no_folder, output_option, print_json, request_options, say
from simengine.errors import UsageError


@click.command()
@request_options
@output_option("the certificate, its curve and provenance")
def certificate(output: Path | None, **asked: Any) -> None:
    """Say what STUDY pays for nothing and withholds for something: the payment-error certificate of its evaluation."""
    from simengine.provenance import Clock, describe_run
    from simengine.questions.certificate.answer import certify
    from simengine.report import document, finding_tables, findings, folder, tables

    request = Request(**asked)
    study = request.study()
    seed, n_replications = request.size(study)
    clock, text = Clock(), request.kept_text(study)
    with folder.results_folder(output) if output else no_folder() as draft:
        found = answer(request, seed, n_replications, lambda ensemble: certify(study, ensemble))
        content = findings.certificate(study, found)
        content["provenance"] = describe_run(clock, text, request.settings(seed, n_replications))
        if draft is not None:
            from simengine.questions.certificate.picture import draw_power

            again = asked_again("certificate", "study.yaml", "-n", n_replications, "--seed", seed)
            files = {"study.yaml": text, "run-again.txt": again, "certificate.json": document.as_json(content) + "\n"}
            folder.write_files(draft, {"power-curve.png": draw_power(study, found), **files})
    if request.as_json:
        say(document.as_json(content))
        return
    tables.show(finding_tables.certificate_tables(study, found))
    if output:
        say(f"Results: {output}")


@click.command()
@request_options
def methods(**asked: Any) -> None:
    """Measure the same people of STUDY by every design that it describes, and say what the contract would pay by each."""
    from simengine.provenance import Clock
    from simengine.questions.methods.answer import compare_methods
    from simengine.report import finding_tables, findings, tables

    request, clock = Request(**asked), Clock()
    study = request.study()
    seed, n_replications = request.size(study)
    found = answer(request, seed, n_replications, lambda ensemble: compare_methods(study, ensemble))
    if request.as_json:
        print_json(study, clock, findings.methods(study, found), request.settings(seed, n_replications))
    else:
        tables.show(finding_tables.methods_tables(study, found))


@click.command()
@request_options
@click.option("--months", required=True, metavar="MONTHS", help="The windows to compare, as whole numbers: 12,24,36,48.")
@click.option("--metric", metavar="NAME", help="The metric whose window is changed. If absent: those with the longest window.")
def window(months: str, metric: str | None, **asked: Any) -> None:
    """Say what the length of the follow-up in STUDY does to what is measured and to each party's money."""
    from simengine.provenance import Clock
    from simengine.questions.window.answer import compare_windows
    from simengine.report import finding_tables, findings, tables

    lengths, request, clock = _read_months(months), Request(**asked), Clock()
    study = request.study()
    seed, n_replications = request.size(study)
    found = answer(request, seed, n_replications, lambda ensemble: compare_windows(study, lengths, ensemble, metric))
    if request.as_json:
        settings = request.settings(seed, n_replications, months=lengths, metric=metric)
        print_json(study, clock, findings.window(study, found), settings)
    else:
        tables.show(finding_tables.window_tables(study, found))


def _read_months(text: str) -> list[int]:
    """Read a list of windows."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and int(word[:9]) >= 1 for word in words):
        raise UsageError(f"--months: whole numbers from 1, with commas between them, such as 12,24,36; found {text!r}")
    return [int(word[:9]) for word in words]
