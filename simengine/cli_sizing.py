"""The commands for who has not signed yet: size the terms, and ask what more knowledge would be worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from simengine.cli_options import Request, asked_again, no_folder, output_option, print_json, progress, request_options, say
from simengine.errors import UsageError

if TYPE_CHECKING:
    from simengine.config import Study
    from simengine.config.request import Requested
    from simengine.worlds.ensemble import Ensemble

_RULES = ("equal_sacrifice", "nash", "total")


@click.command()
@request_options
@click.option("--free", multiple=True, metavar="PATH=LOW..HIGH[..STEP]", help="A term to size, by its path in the study.")
@click.option(
    "--objective", "objectives", multiple=True, metavar="PARTY.MEASURE", help="What a party wants: investor.expected_npv."
)
@click.option(
    "--limit", "limits", multiple=True, metavar="LIMIT", help='What a party will not go beyond: "investor.p_loss <= 0.10".'
)
@click.option(
    "--belief", "beliefs", multiple=True, metavar="PARTY:PATH=LAW", help="What a party believes of a number under `effect`."
)
@click.option("--rule", type=click.Choice(_RULES), help="How one term sheet is chosen. If absent: the study's, or equal_sacrifice.")
@click.option(
    "--points", type=click.IntRange(4, 100_000), default=225, show_default=True, help="Term sheets to try before the search."
)
@click.option("--smallest", metavar="PATH", help="Find the smallest value of this one term; needs --such-that.")
@click.option("--largest", metavar="PATH", help="Find the largest value of this one term; needs --such-that.")
@click.option("--such-that", metavar="LIMIT", help="The limit that --smallest or --largest must keep.")
@click.option(
    "--weakest-belief", metavar="PARTY,...", help="Find the smallest multiple of the effect they must believe in for a deal."
)
@click.option("--responding", is_flag=True, help="Settle every term sheet at what it makes people choose, as `behaviour` says.")
@output_option("the contract, its picture and provenance")
def size(
    free: tuple[str, ...],
    objectives: tuple[str, ...],
    limits: tuple[str, ...],
    beliefs: tuple[str, ...],
    rule: str | None,
    points: int,
    smallest: str | None,
    largest: str | None,
    such_that: str | None,
    weakest_belief: str | None,
    responding: bool,
    output: Path | None,
    **asked: Any,
) -> None:
    """Size the risk sharing of STUDY before it is signed: the terms that every party can sign, or why there are none."""
    from simengine.config.request import Requested

    request = Request(**asked)
    study = request.study()
    requested = Requested(free, objectives, limits, beliefs, rule, responding)
    questions = [name for name, value in (("--smallest", smallest), ("--largest", largest)) if value is not None]
    if len(questions) + (weakest_belief is not None) > 1:
        raise UsageError("one of --smallest, --largest and --weakest-belief is asked at a time; found more")
    if bool(questions) != (such_that is not None):
        raise UsageError("--smallest or --largest and --such-that belong together; found one without the other")
    if output is not None and (questions or weakest_belief):
        raise UsageError("-o keeps a whole sizing; --smallest, --largest and --weakest-belief print their answer")
    if questions:
        assert such_that is not None
        path, end = (smallest, "smallest") if smallest is not None else (largest, "largest")
        _one_number(request, study, requested, str(path), end, such_that)  # type: ignore[arg-type]
    elif weakest_belief is not None:
        _weakest_belief(request, study, requested, weakest_belief)
    else:
        _size(request, study, requested, points, output)


def _size(request: Request, study: Study, requested: Requested, points: int, output: Path | None) -> None:
    from simengine.config.request import with_request
    from simengine.provenance import Clock, describe_run
    from simengine.questions.size import content as sizing
    from simengine.questions.size import tables as sizing_tables
    from simengine.questions.size.answer import size_terms, sizing_of
    from simengine.report import document, folder, tables

    clock, asked = Clock(), with_request(study, requested)
    seed, n_replications = request.size(asked)
    settings, text = request.settings(seed, n_replications, points=points), request.kept_text(asked)
    n_kept = n_replications * (1 + len(sizing_of(asked).parties))
    with folder.results_folder(output) if output else no_folder() as draft:
        found = _with_bar(request, asked, seed, n_kept, n_replications, lambda ensemble: size_terms(asked, ensemble, points))
        content = sizing.sizing(asked, found)
        content["provenance"] = describe_run(clock, text, settings)
        if draft is not None:
            from simengine.questions.size.picture import draw_frontier

            again = asked_again("size", "study.yaml", "-n", n_replications, "--seed", seed, "--points", points)
            files: dict[str, str | bytes] = {"study.yaml": text, "run-again.txt": again}
            files |= {"sizing.json": document.as_json(content) + "\n", "frontier.png": draw_frontier(asked, found)}
            if found.deal is not None:
                sized = sizing.sized(asked, sizing.terms(found.table, found.deal.recommended))
                files |= {"contract.yaml": document.as_text(sized.contract), "sized-study.yaml": request.kept_text(sized)}
            folder.write_files(draft, files)
    if request.as_json:
        say(document.as_json(content))
        return
    tables.show(sizing_tables.sizing_tables(asked, found))
    if output:
        say(f"Results: {output}")


def _one_number(
    request: Request, study: Study, requested: Requested, path: str, end: Literal["smallest", "largest"], such_that: str
) -> None:
    from simengine.config.request import one_free_term
    from simengine.provenance import Clock
    from simengine.questions.size import content as sizing
    from simengine.questions.size import tables as sizing_tables
    from simengine.questions.size.one_number import find_number
    from simengine.report import tables

    clock = Clock()
    asked, limit, free = one_free_term(study, requested, path, such_that)
    seed, n_replications = request.size(asked)
    found = _with_bar(
        request, asked, seed, n_replications, n_replications, lambda ensemble: find_number(asked, path, limit, free, ensemble, end)
    )
    if request.as_json:
        settings = request.settings(seed, n_replications, path=path, end=end, such_that=str(limit))
        print_json(asked, clock, sizing.one_number(asked, found), settings)
    else:
        tables.show(sizing_tables.one_number_tables(asked, found))


def _weakest_belief(request: Request, study: Study, requested: Requested, believers: str) -> None:
    from simengine.config.request import with_request
    from simengine.provenance import Clock
    from simengine.questions.size import content as sizing
    from simengine.questions.size import tables as sizing_tables
    from simengine.questions.size.answer import sizing_of, table_of
    from simengine.questions.size.belief import weakest_belief
    from simengine.report import tables

    clock, asked = Clock(), with_request(study, requested)
    parties = [name.strip() for name in believers.split(",")]
    seed, n_replications = request.size(asked)
    found = _with_bar(
        request, asked, seed, 2 * n_replications, n_replications, lambda worlds: weakest_belief(asked, parties, worlds)
    )
    table = table_of(sizing_of(asked))
    if request.as_json:
        print_json(asked, clock, sizing.belief(asked, table, found), request.settings(seed, n_replications, parties=parties))
    else:
        tables.show(sizing_tables.belief_tables(asked, table, found))


@click.command()
@request_options
@click.option("--party", metavar="PARTY", help="Whose money decides.  [default: the only party that pays under the contract]")
@click.option("--accepted-by", metavar="PARTY,...", help="Parties who sign only terms from which they expect no loss.")
@click.option("--free", multiple=True, metavar="PATH=LOW..HIGH[..STEP]", help="A term that is chosen after more is known.")
@click.option("--points", type=click.IntRange(2, 10_000), default=25, show_default=True, help="Term sheets among which is chosen.")
@click.option("--pilot", "pilots", metavar="PEOPLE,...", help="Sizes of pilots, with commas between them: 20,60,200.")
@click.option(
    "--delay-months", type=click.FloatRange(0, 1200), default=0, show_default=True, help="By how much a pilot puts it off."
)
@click.option(
    "--cost-per-person", type=click.FloatRange(0, 1e12), default=0, show_default=True, help="What the pilot costs the party."
)
def information(
    party: str | None,
    accepted_by: str | None,
    free: tuple[str, ...],
    points: int,
    pilots: str | None,
    delay_months: float,
    cost_per_person: float,
    **asked: Any,
) -> None:
    """Say what knowing more is worth before STUDY is signed: everything, one number, or what a pilot would show."""
    from simengine.config.request import free_terms
    from simengine.config.roles import the_only
    from simengine.provenance import Clock
    from simengine.questions.information import tables as report
    from simengine.questions.information.answer import Choice, value_information
    from simengine.records import ALL_PAYERS
    from simengine.report import tables

    request, clock = Request(**asked), Clock()
    study = request.study()
    accepting = tuple(name.strip() for name in accepted_by.split(",")) if accepted_by else ()
    who = party or the_only(study, ALL_PAYERS, "--party")
    sized = free_terms(study, free)
    sizes = _read_people(pilots)
    seed, n_replications = request.size(study)
    choice = Choice(who, accepting, {} if sized is None else sized.free, points)
    found = _with_bar(
        request,
        study,
        seed,
        n_replications * (2 + len(sizes)),
        n_replications,
        lambda ensemble: value_information(study, choice, ensemble, sizes, delay_months, cost_per_person),
    )
    if request.as_json:
        settings = request.settings(seed, n_replications, pilots=sizes, delay_months=delay_months, cost_per_person=cost_per_person)
        print_json(study, clock, report.information(study, found), settings)
    else:
        tables.show(report.information_tables(study, found))


def _read_people(text: str | None) -> list[int]:
    words = [word.strip() for word in text.split(",")] if text is not None else []
    if not all(word.isascii() and word.isdigit() and 4 <= int(word[:9]) <= 1_000_000 for word in words):
        raise UsageError(f"--pilot: whole numbers from 4 to 1,000,000 with commas between them, such as 20,60,200; found {text!r}")
    return [int(word[:9]) for word in words]


def _with_bar(request: Request, study: Study, seed: int, n_kept: int, n_replications: int, question: Any) -> Any:
    """Put a question to worlds that are kept, with a bar on the terminal while they are lived."""
    from simengine.worlds.ensemble import Ensemble

    request.refuse_if_too_large(study, n_kept, is_kept_whole=True)
    with progress(n_replications) as advance:
        ensemble: Ensemble = Ensemble(seed, n_replications, request.threads, request.block_size, advance)
        return question(ensemble)
