"""Show fitted scores on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simengine.spells.fit_table import fit_table
from simengine.spells.score_answer import ScoresContent


def scores_tables(content: ScoresContent) -> RenderableType:
    """Lay out what was read and fitted, how well it fits, and what was decided."""
    file = content["file"]
    rows = "" if file["rows"] is None else f"{file['rows']:,} rows, "
    heading = Text(f"{file['name']}: {rows}{file['people']} people", style="bold")
    return Group(heading, _numbers(content), _tests(content), *(Text(line) for line in _sentences(content)))


def _numbers(content: ScoresContent) -> Table:
    layout = fit_table("Scores as they are written into a study", "number", "mean", "90 % interval")
    for one in content["fitted"].values():
        for number in one["numbers"]:
            layout.add_row(number.path, f"{number.mean:.4g}", f"{number.low:.4g} to {number.high:.4g}")
    return layout


def _tests(content: ScoresContent) -> Table:
    layout = fit_table(
        "Readings, each against what the earlier ones of its person let expect", "score", "people", "mean", "fitted", "sd", "fitted sd",
        "p", "verdict",
    )  # fmt: skip
    for name, one in content["fitted"].items():
        for when, test in one["tests"].items():
            figures = (test.observed_mean, test.fitted_mean, test.observed_sd, test.fitted_sd)
            p = "-" if test.p_value is None else f"{test.p_value:.2f}"
            layout.add_row(f"{name} {when}", test.people, *(f"{figure:.4g}" for figure in figures), p, test.verdict)
    return layout


def _sentences(content: ScoresContent) -> Iterator[str]:
    for name, one in content["fitted"].items():
        yield (
            f"\n`{name}`: {one['both']} people or a few more were read both at entry and at month {one['at_month']}; "
            f"the mean changed by {one['change']:+.4g}."
        )
        if (lost := one["drop_out"]) is not None:
            yield (
                f"`{name}`: {lost.share['mean']:.0%} of those due at the date have no score ".replace("%", " %")
                + f"(standard error {lost.share['sd']:.2f}); as their readings at entry let expect, they would have been read "
                f"{lost.gap['mean']:+.3g} (±{lost.gap['sd']:.2g}) from the others."
            )
    yield from content["file"]["notes"]
    yield from content["notes"]
    if content["left_out"]:
        yield f"No longer apply to the study, and were left out: {', '.join(content['left_out'])}."
