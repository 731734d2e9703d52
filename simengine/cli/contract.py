"""The commands about a contract alone: settle it on outcomes, say it in words, look for what costs money. Nothing is simulated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simengine.cli.options import PLACE, output_option, say
from simengine.errors import UsageError
from simengine.questions.driver import asked_again

if TYPE_CHECKING:
    from simengine.contract_text.published import PublishedContent

_json = click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object.")


@click.command("replay")
@click.argument("contract_file", metavar="[CONTRACT]", required=False, type=PLACE)
@click.option(
    "--all",
    "is_all",
    is_flag=True,
    help="Instead of one contract: settle every contract that comes with the package on its published cases, and compare.",
)
@click.option(
    "--outcome",
    "outcomes",
    multiple=True,
    metavar="NAME=VALUE",
    help="A measured outcome: METRIC or METRIC.WAVE; people of a wave as people.WAVE; people by milestones reached as none, ONE or ONE+TWO.",
)
@click.option(
    "--reached",
    type=PLACE,
    help="For a rate card: a table person,outcome,month (with units, wave and group where the contract has them) or outcome,month,number.",
)
@click.option(
    "--start",
    metavar="MONTH",
    help="The month in which the contract begins, as 2030-01: for a table with a column date in place of month.",
)
@click.option(
    "--drawn", type=float, help="Money that the investor paid in, up to the commitment. If absent: all of the commitment."
)
@click.option("--until", metavar="DATE", help="Settle only what is due up to this date of the contract. If absent: all dates.")
@click.option(
    "--actual",
    type=PLACE,
    help="Payments that were made, to compare with: a table month,payment, or date,payment with --start, each in the last month for which "
    "it was paid. If absent: nothing is compared.",
)
@click.option(
    "--rounded-to",
    type=click.FloatRange(0, 1e12, min_open=True),
    default=1.0,
    show_default=True,
    help="With --actual: the unit to which its payments are rounded; a difference of up to half of it is none.",
)
@_json
def replay_command(
    contract_file: Path | None,
    is_all: bool,
    outcomes: tuple[str, ...],
    reached: Path | None,
    start: str | None,
    drawn: float | None,
    until: str | None,
    actual: Path | None,
    rounded_to: float,
    as_json: bool,
) -> None:
    """Settle CONTRACT on outcomes, or without any on the published cases that stand in it: payments out, no simulation."""
    if is_all == (contract_file is not None):
        raise UsageError("replay: must have either a contract or --all; found " + ("both" if is_all else "neither"))
    if actual is not None and (is_all or (not outcomes and reached is None)):
        raise UsageError("--actual: must stand beside a contract and its outcomes, --reached or --outcome; found none")
    if start is not None and reached is None and actual is None and not is_all:
        raise UsageError(f"--start: must belong to a table of outcomes, --reached; found {start!r} and no table")
    if contract_file is None:
        if outcomes or reached is not None or start is not None or drawn is not None or until is not None:
            rule = "--all: must stand without --outcome, --reached, --start, --drawn and --until"
            raise UsageError(f"{rule}; found one of them. It takes the outcomes that stand in the contracts")
        _replay_published(None, as_json=as_json)
    elif not outcomes and reached is None and drawn is None and until is None and _has_published(contract_file):
        _replay_published(contract_file, as_json=as_json)
    else:
        _replay_one(contract_file, outcomes, (reached, start), drawn, until, (actual, rounded_to), as_json=as_json)


def _has_published(contract_file: Path) -> bool:
    from simengine.config import load_contract

    return bool(load_contract(contract_file).published)


def _replay_published(contract_file: Path | None, *, as_json: bool) -> None:
    """Settle the published cases of one contract, or of every contract that comes with the package."""
    from simengine.config import load_contract, shipped_contracts
    from simengine.contract_text.published import compare_published, published_table
    from simengine.provenance import Stopwatch, describe_run
    from simengine.report import document, tables

    clock, files = Stopwatch(), shipped_contracts() if contract_file is None else [contract_file]
    rows = [row for path in files for row in compare_published(path.stem, load_contract(path))]
    if as_json:
        texts = "".join(path.read_text(encoding="utf-8") for path in files)
        content: PublishedContent = {"contracts": rows}
        say(document.as_json({**content, "provenance": describe_run(clock, texts, {"contracts": len(files)}, command="replay")}))
    else:
        tables.show(published_table(rows))


def _replay_one(
    contract_file: Path,
    outcomes: tuple[str, ...],
    listed: tuple[Path | None, str | None],
    drawn: float | None,
    until: str | None,
    made: tuple[Path | None, float],
    *,
    as_json: bool,
) -> None:
    from simengine.config import load_contract, read_reached
    from simengine.contract_text.actual import actual_table, compare_actual, read_actual
    from simengine.provenance import Stopwatch, describe_run
    from simengine.report import document, tables
    from simengine.settlement import replay as settle_published

    clock, contract = Stopwatch(), load_contract(contract_file)
    values = _read_outcomes(outcomes)
    drawn = contract.commitment.value if drawn is None else drawn
    table, start = listed
    try:
        reached = None if table is None else read_reached(table, contract, start)
        payments = settle_published(contract, values, drawn, until, reached)
        paid = None if made[0] is None else read_actual(made[0], start)
        compared = None if paid is None else compare_actual(payments, paid, contract.currency, made[1], until)
    except UsageError as error:
        # The function names what it was given as the command names its options.
        raise UsageError(f"--{error}") from None
    content: dict[str, Any] = {
        "contract": contract.title,
        "currency": contract.currency,
        "drawn": drawn,
        "outcomes": values,
        **document.settlement(payments),
        **({} if compared is None else {"actual": compared}),
    }
    if as_json:
        settings = {"contract": str(contract_file)}
        provenance = describe_run(clock, contract.model_dump_json(), settings, command="replay")
        say(document.as_json({**content, "provenance": provenance}))
    else:
        tables.show(tables.settlement_table(content))
        if compared is not None:
            tables.show(actual_table(compared, contract.currency))


def _read_outcomes(texts: tuple[str, ...]) -> dict[str, float]:
    values: dict[str, float] = {}
    for text in texts:
        name, equals, number = text.partition("=")
        if not equals:
            raise UsageError(f"--outcome: must be written NAME=VALUE; found {text!r}")
        if name in values:
            raise UsageError(f"--outcome {name}: must be given once; found twice")
        try:
            values[name] = float(number)
        except ValueError:
            raise UsageError(f"--outcome {name}: must be a number; found {number!r}") from None
    return values


@click.command()
@click.argument("contract_file", metavar="CONTRACT", type=PLACE)
@output_option("contract.txt, contract.yaml, <term>.png for each payment function, run-again.txt")
def explain(contract_file: Path, output: Path | None) -> None:
    """Say CONTRACT in plain words, with a worked example and pictures."""
    from simengine.config import load_contract
    from simengine.contract_text.explain import explanation
    from simengine.report import document, folder

    text = explanation(load_contract(contract_file))
    if output is not None:
        from simengine.contract_text.curves import draw_curves

        contract = load_contract(contract_file)
        with folder.results_folder(output) as draft:
            pictures = {f"{name}.png": image for name, image in draw_curves(contract).items()}
            files = {"contract.yaml": document.as_text(contract), "run-again.txt": asked_again("explain", "contract.yaml")}
            folder.write_files(draft, {"contract.txt": text + "\n", **files, **pictures})
    say(text)
    if output is not None:
        say(f"\nPictures: {output}")


@click.command()
@click.argument("contract_file", metavar="CONTRACT", type=PLACE)
@_json
def lint(contract_file: Path, as_json: bool) -> None:
    """Look in CONTRACT for wording that costs money: where, why, and what to write instead."""
    from simengine.config import load_contract_document
    from simengine.config.reach import reaches_of
    from simengine.contract_text.lint import findings_text, lint_contract
    from simengine.report import document

    contract, place_of, study = load_contract_document(contract_file)
    findings = [
        {
            "where": place_of(finding.key),
            "key": finding.key,
            "rule": finding.rule,
            "found": finding.found,
            "why": finding.why,
            "suggestion": finding.suggestion,
            "explained": finding.explained,
        }
        for finding in lint_contract(contract, None if study is None else reaches_of(study))
    ]
    if as_json:
        say(document.as_json({"contract": contract.title, "findings": findings}))
    else:
        say(findings_text(contract.title, findings))
