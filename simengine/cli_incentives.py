"""The command that says what a contract makes people do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from simengine.cli_options import Request, answer, as_operand, asked_again, no_folder, output_option, request_options, say


@click.command()
@request_options
@click.argument("contracts", metavar="[CONTRACT]...", nargs=-1)
@output_option("the answer, its curves and provenance")
def incentives(contracts: tuple[str, ...], output: Path | None, **asked: Any) -> None:
    """Say which effort STUDY's own contract, and each CONTRACT in its place, induces, and what comes of it.

    CONTRACT is a file, or a variant of the study that changes terms alone.
    """
    from simengine.provenance import Clock, describe_run
    from simengine.questions.compare.designs import as_variant, load_designs
    from simengine.questions.incentives import content as report
    from simengine.questions.incentives import tables as incentive_tables
    from simengine.questions.incentives.answer import find_incentives
    from simengine.report import document, folder, tables

    request = Request(**asked)
    study = request.study()
    designs = load_designs(request.study_file, study, request.overrides, contracts)
    seed, n_replications = request.size(study)
    variants = {name: as_variant(study, design) for name, design in designs.items() if name in study.variants}
    clock, text = Clock(), document.kept_text(study, request.variant, variants)
    with folder.results_folder(output) if output else no_folder() as draft:
        found = answer(request, seed, n_replications, lambda ensemble: find_incentives(study, designs, ensemble))
        content = report.incentives(study, found)
        content["provenance"] = describe_run(clock, text, request.settings(seed, n_replications, contracts=list(contracts)))
        if draft is not None:
            from simengine.questions.incentives.picture import draw_efforts

            others = {name: design for name, design in designs.items() if name != "own"}
            files: dict[str, bytes | str] = {
                f"{name}.yaml": document.as_text(one.contract) for name, one in others.items() if name not in variants
            }
            words = [as_operand(f"{name}.yaml") if f"{name}.yaml" in files else name for name in others]
            again = asked_again("incentives", "study.yaml", *words, "-n", n_replications, "--seed", seed)
            files |= {"study.yaml": text, "run-again.txt": again, "incentives.json": document.as_json(content) + "\n"}
            folder.write_files(draft, files | {"efforts.png": draw_efforts(study, found)})
    if request.as_json:
        say(document.as_json(content))
        return
    tables.show(incentive_tables.incentive_tables(study, found))
    if output:
        say(f"Results: {output}")
