"""Show a fit on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simengine.report.steps import steps_sentence
from simengine.spells.answer import FitContent, FittedMoveContent
from simengine.spells.event_tables import events_sentences, events_tables
from simengine.spells.fit_table import fit_table, test_cells
from simengine.spells.hazards import FittedNumber
from simengine.spells.records import counts_shown

_SHAPES = ("weibull_shape", "trend_per_year", "variance", ".factor.", "by_months_in_state")


def fit_tables(content: FitContent) -> RenderableType:
    """Lay out what was seen and fitted, how well it fits, and what was put together."""
    file = content["file"]
    rows = "" if file["rows"] is None else f"{file['rows']:,} rows, "
    heading = f"{file['name']}: {rows}{file['people']} people; strata: {', '.join(content['strata'])}"
    parts: list[RenderableType] = [Text(heading, style="bold")]
    if content["moves"]:
        parts.append(_moves(content))
    if shapes := [one for one in content["numbers"] if any(word in one.path for word in _SHAPES)]:
        parts.append(_shapes(shapes))
    if content["moves"]:
        parts += [_tests(content), _states(content)]
    if content["events"] is not None:
        parts += events_tables(content["events"])
    if content["costs"]:
        parts.append(_costs(content))
    return Group(*parts, *(Text(line) for line in _sentences(content)))


def _moves(content: FitContent) -> Table:
    layout = fit_table("Moves: one rate for all, with its 90 % interval", "move", "moves", "person-months", "a month", "from", "to")
    for name, move in content["moves"].items():
        rates = (f"{rate:.4f}" for rate in (move["rate_per_month"], *move["interval_90"]))
        layout.add_row(name, _number_of_moves(move, content["file"]["small_cells"]), f"{move['person_months']:,.0f}", *rates)
    return layout


def _number_of_moves(move: FittedMoveContent, least: int) -> str:
    return counts_shown(0, least) if move["moves"] is None else f"{move['moves']:,}"


def _shapes(numbers: list[FittedNumber]) -> Table:
    layout = fit_table("How hazards change, and how people differ", "number", "mean", "90 % interval")
    for one in numbers:
        layout.add_row(one.path, f"{one.mean:.4f}", f"{one.low:.4f} to {one.high:.4f}")
    return layout


def _tests(content: FitContent) -> Table:
    layout = fit_table("Do hazards change with the time in the state as fitted?", "move", "chi-square", "degrees", "p", "verdict")
    for name, move in content["moves"].items():
        test = move["test"]
        known = test.chi_square is not None and test.p_value is not None
        cells = (f"{test.chi_square:.1f}", str(test.degrees), f"{test.p_value:.2f}") if known else ("-", "-", "-")
        layout.add_row(name, *cells, test.verdict)
    return layout


def _states(content: FitContent) -> Table:
    layout = fit_table(
        "Observed against fitted: stays, and states by month since entry",
        "",
        "distance",
        "at month",
        "inside band",
        "verdict",
    )
    for what, tests in (("stays in {}", content["survival"]), ("{}, by month", content["occupancy"])):
        for name, test in tests.items():
            layout.add_row(what.format(name), *test_cells(test.distance, test.at_month, test.inside, test.verdict))
    return layout


def _costs(content: FitContent) -> Table:
    layout = fit_table("Daily cost", "state", "mean", "standard error")
    for name, cost in content["costs"].items():
        layout.add_row(name, f"{cost.mean:,.0f}", f"{cost.se:,.0f}")
    return layout


def _sentences(content: FitContent) -> Iterator[str]:
    if (entries := content["entries"]) is not None:
        yield (
            f"\nEntries: {entries.per_month:.2f} people a month in {entries.months} months; the variance of the monthly numbers is "
            f"{entries.overdispersion:.2f} times their mean."
        )
    elif content["moves"]:
        yield "\nEntries: too few were seen to say how many people enter in a month."
    for name, move in content["moves"].items():
        if move["test"].way_out:
            yield f"`{name}` {move['test'].verdict.replace('doubtful', 'is doubtful')}. {move['test'].way_out}."
    yield from content["file"]["notes"]
    yield from content["notes"]
    if content["events"] is not None:
        yield from events_sentences(content["events"], same_file=content["events"]["file"]["name"] == content["file"]["name"])
    if content["left_out"]:
        yield f"No longer apply to the study, and were left out: {', '.join(content['left_out'])}."
    if content["steps"] is not None and (said := steps_sentence(content["steps"])):
        yield said
