"""The command that holds a forecast against what is known to have happened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from simengine.cli_options import Request, answer, asked_again, no_folder, output_option, request_options, say


@click.command()
@request_options
@click.option("--given", multiple=True, metavar="NAME", help="A known result to start from; several hold together.")
@click.option(
    "--bandwidth",
    type=click.FloatRange(0, 10),
    default=0.25,
    show_default=True,
    help="How close an estimate has to come, in the evaluator's standard errors.",
)
@click.option(
    "--least-effective",
    type=click.FloatRange(1, 1e9),
    default=100.0,
    show_default=True,
    help="Effective sample size below which nothing is said of what follows.",
)
@output_option("the sentences, the picture and provenance")
def retrospect(given: tuple[str, ...], bandwidth: float, least_effective: float, output: Path | None, **asked: Any) -> None:
    """Say where what is known to have happened falls in the forecast of STUDY, and what follows from an interim result."""
    from simengine.provenance import Clock, describe_run
    from simengine.questions.retrospect import tables as lookback
    from simengine.questions.retrospect.answer import look_back
    from simengine.report import document, folder, tables

    request = Request(**asked)
    study = request.study()
    seed, n_replications = request.size(study)
    clock, text = Clock(), request.kept_text(study)
    own: dict[str, Any] = {"variant": request.variant, "given": given, "bandwidth": bandwidth, "least_effective": least_effective}
    with folder.results_folder(output) if output else no_folder() as draft:
        found = answer(request, seed, n_replications, lambda ensemble: look_back(study, ensemble, **own))
        content = lookback.retrospect(study, found)
        content["provenance"] = describe_run(clock, text, request.settings(seed, n_replications, **own))
        if draft is not None:
            from simengine.questions.retrospect.picture import draw_look_back

            words = [word for name in given for word in ("--given", name)]
            words += ["--bandwidth", f"{bandwidth!r}", "--least-effective", f"{least_effective!r}"]
            again = asked_again("retrospect", "study.yaml", *words, "-n", n_replications, "--seed", seed)
            files = {"study.yaml": text, "run-again.txt": again, "retrospect.json": document.as_json(content) + "\n"}
            sentences = "".join(f"{place['sentence']}\n" for place in content["known"].values())
            folder.write_files(draft, {"retrospect.png": draw_look_back(study, found), "sentences.txt": sentences, **files})
    if request.as_json:
        say(document.as_json(content))
        return
    tables.show(lookback.retrospect_tables(study, found))
    if output:
        say(f"Results: {output}")
