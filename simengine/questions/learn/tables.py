"""Lay out what was learned."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from simengine.config import Study
from simengine.questions.learn.answer import Learned
from simengine.questions.learn.posterior import Fit
from simengine.questions.learn.results import Result
from simengine.report.layouts import folded, grid, heading, titled
from simengine.report.units import cell, metric_unit, money_unit, to_digits
from simengine.risk.amounts import AMOUNTS

_SKEWED, _ROUGH = 0.5, 0.2
"""Skewness of the errors of what is no count, and a mean or a change of the sd of any result's, from which on a fit is not good."""


def learned_tables(study: Study, found: Learned) -> RenderableType:
    """Lay out a posterior: the results, the numbers that moved, and how near the written study is."""
    moved = [path for path, one in found.numbers.items() if one.written is not None]
    stayed = [path for path in found.numbers if path not in moved]
    parts: list[RenderableType] = [
        heading(
            study,
            found,
            f"Effective sample size {found.effective_sample_size:,.0f}, from {found.distinct:,} different replications.",
        ),
        titled("What was known", _results(study, found)),
        titled("The numbers that moved", _numbers(found, moved)) if moved else Text("\nNo number moved by more than chance."),
    ]
    if stayed:
        parts.append(Text(f"\nWithin reach of the results, and unmoved: {', '.join(stayed)}."))
    if moved:
        parts.append(titled("How near the written study is to the posterior", _distances(found, moved)))
        far = [path for path in moved if not (written := found.numbers[path].written) or not written.is_near]
        said = f"beyond it: {', '.join(far)}" if far else "all are within it"
        parts.append(Text(f"Tolerance {found.tolerance:g}; {said}."))
    parts.append(
        Text("\nA run of the learned study simulates all people anew: what was observed is not held fixed.", style="italic")
    )
    return Group(*parts)


def _results(study: Study, found: Learned) -> RenderableType:
    table = grid("result", "value", "before", "sd", "after", "sd", "fit")
    for one in found.results:
        scale = _scale(study, one.result)
        expected = (number / scale for number in (one.forecast_mean, one.forecast_sd, one.expected, one.expected_sd))
        told = (one.result.written(scale), *map(to_digits, expected), _fit_in_words(one))
        table.add_row(folded(one.result.label), *told)
    errors = [
        f"{one.result.label} {one.result.standard_error / _scale(study, one.result):,.6g}"
        for one in found.results
        if one.result.standard_error
    ]
    return Group(table, Text(f"Standard errors as published: {', '.join(errors)}.")) if errors else table


def _scale(study: Study, result: Result) -> float:
    """Return by what a result is divided where it is written: money stands in the unit of the study."""
    if result.is_counted:
        return 1.0
    if result.is_of_a_metric:
        return metric_unit(study, result.subject)[0]
    amount = AMOUNTS.get(result.of.rpartition(".")[2])
    return money_unit(study)[0] if amount is None or amount.unit == "money" else 1.0


def _fit_in_words(one: Fit) -> str:
    if not one.tells:
        return "tells nothing"
    if one.result.is_event:
        return "a direction"
    if max(abs(one.bias), abs(one.error_sd - 1)) > _ROUGH:
        return "rough"
    return "skewed" if abs(one.skewness) > _SKEWED and not one.result.is_counted else "good"


def _numbers(found: Learned, moved: list[str]) -> RenderableType:
    table = grid("number", "before", "sd", "after", "sd", "moved, in sd")
    for path in moved:
        one = found.numbers[path]
        table.add_row(
            folded(path),
            f"{one.prior_mean.value:,.4g}",
            f"{one.prior_sd:,.3g}",
            f"{one.mean.value:,.4g}",
            f"{one.sd.value:,.3g}",
            cell(one.shift_in_sd, 1.0),
        )
    return table


def _distances(found: Learned, moved: list[str]) -> RenderableType:
    table = grid("number", "mean, in sd", "sd", "correlation", "written as")
    for path in moved:
        written = found.numbers[path].written
        if written is not None:
            row = (f"{written.mean_off:+z.3f}", f"{written.sd_off:+z.3f}", f"{written.correlation_off:z.3f}")
            table.add_row(folded(path), *row, written.distribution.split(",")[0].split(" ")[0])
    return table
