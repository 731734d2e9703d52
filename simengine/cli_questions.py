"""The commands with the questions that people ask of a deal: compare, stress, sensitivity, attribute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simengine.cli_options import PLACE, Request, answer, as_operand, asked_again, no_folder, output_option, request_options, say
from simengine.errors import UsageError

if TYPE_CHECKING:
    from simengine.config import Study
    from simengine.contract.spec import Contract
    from simengine.worlds.ensemble import Ensemble

level_option = click.option("--level", type=float, default=0.95, show_default=True, help="Of the CVaR: 0.95 is the worst 5 %.")
party_option = click.option("--party", "parties", multiple=True, metavar="NAME", help="A party to speak of; all if absent.")
measure_option = click.option(
    "--of",
    "measure",
    type=click.Choice(["net", "npv"]),
    default="net",
    show_default=True,
    help="What is asked of each party's money.",
)

luck_option = click.option(
    "--luck", type=click.IntRange(2, 100_000), default=64, show_default=True, help="Worlds at every point of the assumptions."
)


@click.command()
@request_options
@click.argument("contracts", metavar="CONTRACT...", nargs=-1, required=True, type=PLACE)
@level_option
@output_option("compare.json, compare.png, study and provenance")
def compare(contracts: tuple[Path, ...], level: float, output: Path | None, **asked: Any) -> None:
    """Settle the contract of STUDY and each CONTRACT on the same people: who gains, who loses."""
    from simengine.questions.compare.answer import compare_contracts
    from simengine.report.question_pictures import draw_comparison
    from simengine.report.question_tables import comparison_tables

    others = _read_contracts(contracts)
    files = {f"{name}.yaml": _text_of(one) for name, one in others.items()}
    words = [*map(as_operand, files), "--level", repr(level)]
    _deliver(
        Request(**asked),
        "compare",
        output,
        words,
        lambda study, ensemble: compare_contracts(study, others, ensemble, level),
        comparison_tables,
        draw_comparison,
        files=files,
        settings={"contracts": [str(path) for path in contracts], "level": level},
    )


@click.command()
@request_options
@party_option
@measure_option
@level_option
@output_option("attribute.json, attribute.png, study and provenance")
def attribute(parties: tuple[str, ...], measure: Any, level: float, output: Path | None, **asked: Any) -> None:
    """Say who carries what in STUDY: each party's variance and tail by layer, and the common risk by party."""
    from simengine.questions.attribute.answer import attribute as attribute_to
    from simengine.report.question_pictures import draw_attribution
    from simengine.report.question_tables import attribution_tables

    _deliver(
        Request(**asked),
        "attribute",
        output,
        ["--of", measure, "--level", repr(level), *_each("--party", parties)],
        lambda study, ensemble: attribute_to(study, ensemble, level, measure, parties),
        attribution_tables,
        draw_attribution,
        settings={"of": measure, "level": level, "parties": list(parties)},
    )


@click.command()
@request_options
@click.option("--stress", "names", multiple=True, metavar="NAME", help="A stress to show; all if absent.")
@click.option("--reverse", "criterion", metavar="RULE", help='Instead: find what breaks the deal, e.g. "investor.loss > 50%".')
@click.option("--boxes", is_flag=True, help="With --reverse: boxes of assumptions in which it breaks (needs EMA Workbench).")
@luck_option
@level_option
@output_option("stress.json, stress.png, study and provenance")
def stress(
    names: tuple[str, ...], criterion: str | None, boxes: bool, luck: int, level: float, output: Path | None, **asked: Any
) -> None:
    """Say what becomes of each party of STUDY in bad times; with --reverse, which times are bad enough to break the deal."""
    from simengine.questions.reverse.answer import read_criterion, reverse_stress
    from simengine.questions.reverse.boxes import require_workbench
    from simengine.questions.stress.answer import chosen_stresses, stress_study
    from simengine.questions.stress.named import stresses_of
    from simengine.report import question_pictures, question_tables

    if criterion is None:
        if boxes:
            raise UsageError("--boxes: boxes are looked for together with --reverse; found no --reverse")
        _deliver(
            Request(**asked),
            "stress",
            output,
            [*_each("--stress", names), "--level", repr(level)],
            lambda study, ensemble: stress_study(study, chosen_stresses(stresses_of(study), names), ensemble, level),
            question_tables.stress_tables,
            question_pictures.draw_stress,
            settings={"stress": list(names), "level": level},
        )
        return
    if names:
        raise UsageError(f"--stress: a stress is no part of a search for what breaks the deal; found {names[0]!r} beside --reverse")
    rule = read_criterion(criterion)
    if boxes:
        require_workbench()
    _deliver(
        Request(**asked),
        "stress",
        output,
        ["--reverse", rule.text, "--luck", luck, *(["--boxes"] if boxes else [])],
        lambda study, ensemble: reverse_stress(study, rule, ensemble, luck, with_boxes=boxes),
        question_tables.reverse_tables,
        question_pictures.draw_reverse,
        settings={"reverse": rule.text, "boxes": boxes, "luck": luck},
    )


@click.command()
@request_options
@party_option
@measure_option
@click.option("--points", type=int, default=128, show_default=True, help="Points of Sobol's plan, a power of 2.")
@click.option("--trajectories", type=int, default=16, show_default=True, help="Trajectories of the screening.")
@click.option("--luck", type=click.IntRange(2, 100_000), default=16, show_default=True, help="Worlds at every point.")
@output_option("sensitivity.json, sensitivity.png, study and provenance")
def sensitivity(
    parties: tuple[str, ...], measure: Any, points: int, trajectories: int, luck: int, output: Path | None, **asked: Any
) -> None:
    """Say which assumptions of STUDY matter to whom: a tornado, and global indices, of each party's money."""
    from simengine.questions.sensitivity import answer as sensitivity_of
    from simengine.report.question_pictures import draw_sensitivity
    from simengine.report.question_tables import sensitivity_tables

    sizes = ("--points", points, "--trajectories", trajectories, "--luck", luck)
    _deliver(
        Request(**asked),
        "sensitivity",
        output,
        [*_each("--party", parties), "--of", measure, *sizes],
        lambda study, ensemble: sensitivity_of(study, ensemble, points, trajectories, luck, measure, parties),
        sensitivity_tables,
        draw_sensitivity,
        settings={"of": measure, "parties": list(parties), "points": points, "trajectories": trajectories, "luck": luck},
    )


def _each(option: str, names: Sequence[str]) -> list[str]:
    return [word for name in names for word in (option, name)]


def _deliver(
    request: Request,
    command: str,
    output: Path | None,
    words: Sequence[object],
    question: Callable[[Study, Ensemble], Any],
    tables_of: Callable[[Study, Any], Any],
    picture_of: Callable[[Study, Any], bytes],
    *,
    files: Mapping[str, str] | None = None,
    settings: Mapping[str, Any],
) -> None:
    """Put a question to a study, and print or keep the answer."""
    from simengine.provenance import Clock, describe_run
    from simengine.report import document, folder, tables
    from simengine.report.answers import answer as as_answer
    from simengine.worlds.ensemble import with_used_designs_alone

    study = request.study()
    seed, n_replications = request.size(study)
    clock, text = Clock(), request.kept_text(study)
    with folder.results_folder(output) if output else no_folder() as draft:
        found = answer(request, seed, n_replications, lambda ensemble: question(with_used_designs_alone(study), ensemble))
        content = as_answer(study, found)
        content["provenance"] = describe_run(clock, text, request.settings(seed, n_replications, **settings))
        if draft is not None:
            again = asked_again(command, "study.yaml", *words, "-n", n_replications, "--seed", seed)
            kept = {"study.yaml": text, "run-again.txt": again, f"{command}.json": document.as_json(content) + "\n"}
            folder.write_files(draft, {f"{command}.png": picture_of(study, found), **(files or {}), **kept})
    if request.as_json:
        say(document.as_json(content))
        return
    tables.show(tables_of(study, found))
    if output:
        say(f"Results: {output}")


def _read_contracts(paths: tuple[Path, ...]) -> dict[str, Contract]:
    """Read contracts, each under the name of its file."""
    from simengine.config import load_contract
    from simengine.questions.compare.answer import OWN

    found: dict[str, Contract] = {}
    for path in paths:
        name = path.stem
        if name in found or name in (OWN, "study"):
            rule = f"CONTRACT: each contract has a file name of its own, and none is called `{OWN}` or `study`"
            raise UsageError(f"{rule}; found {str(path)!r}. Rename or leave out one of them")
        found[name] = load_contract(path)
    return found


def _text_of(contract: Contract) -> str:
    from simengine.report import document

    return document.as_text(contract)
