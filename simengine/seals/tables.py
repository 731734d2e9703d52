"""Lay out seals, their scores and their calibration."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from rich.console import Group, RenderableType
from rich.text import Text

from simengine.report.layouts import folded, grid, titled
from simengine.report.units import cell
from simengine.risk.statistics import Statistic, rank_of
from simengine.seals.distribution import SealedDistribution
from simengine.seals.document import Seal
from simengine.seals.outcome import Outcome
from simengine.seals.scores import ScoredSeals
from simengine.seals.scoring import LogScore, ScoredOutcome

_SIGNS = {"at": "", "above": "> ", "at_least": ">= ", "below": "< ", "at_most": "<= "}
NOTES = (
    "±: one Monte Carlo standard error. CRPS: in the unit of its row; 0 is perfect. Log score: of a probability (P), or of a density per "
    "unit of the result (d)."
)
COUNTED = (
    "One figure of each contract counts, the first, for results of one contract hang together; seals of one title are of one contract. "
    "Whether it lies within is judged by its PIT."
)
_UNITS = ((1e6, 1e5, ", millions"), (1e3, 1e4, ", thousands"))


def seal_table(seal: Seal) -> RenderableType:
    """Lay out what a seal fixes."""
    study = seal.study
    changed = [*([f"variant {study['variant']}"] if study["variant"] else []), *study["overrides"]]
    heading = (
        f"{study['title']}\n{seal.n_replications:,} replications, seed {seal.seed}"
        f"{''.join(f', {one}' for one in changed)}\nSHA-256 {seal.sha256}"
    )
    table = grid("sealed", "p05", "p50", "p95", "atoms", "lost, PIT", "lost, CRPS")
    for name, one in seal.results.items():
        unit, said = _unit(one)
        quantiles = (figure(one.in_order(rank_of(one.n_replications, level)) / unit) for level in (0.05, 0.5, 0.95))
        table.add_row(
            folded(f"{name}{said}"), *quantiles, f"{len(one.atoms):,}", f"{one.lost_probability:.2g}", f"{one.lost_crps / unit:.2g}"
        )
    note = "An atom is a value that one in 200 replications or more share. Lost: the most by which a PIT or a CRPS can be off."
    return Group(Text(heading, style="bold"), table, Text(note, style="italic"))


def score_tables(found: ScoredSeals) -> RenderableType:
    """Lay out the scores, seal by seal, and the calibration."""
    parts: list[RenderableType] = []
    for name, outcomes in found.outcomes.items():
        seal = found.seals[name]
        changed = f", variant {seal.study['variant']}" if seal.study["variant"] else ""
        parts.append(Text(f"\n{name}: {seal.study['title']}{changed}\nSHA-256 {seal.sha256}", style="bold"))
        figures = [one for one in outcomes if not one.outcome.is_direction]
        events = [one for one in outcomes if one.outcome.is_direction]
        parts += [*([_figures(seal, figures)] if figures else []), *([_events(seal, events)] if events else [])]
    return Group(*parts, Text(NOTES, style="italic"), *_calibration_tables(found))


def _figures(seal: Seal, outcomes: Sequence[ScoredOutcome]) -> RenderableType:
    table = grid("came", "80 % interval", "PIT", "CRPS", "log score")
    for one in outcomes:
        unit, said = _unit(seal.results[one.outcome.result])
        low, high = (figure(end / unit) for end in one.intervals["80"])
        table.add_row(
            f"{folded(f'{one.outcome.result}{said}')}\n {came(one.outcome, unit)}",
            f"{low} to {high}",
            cell(one.pit, 1.0),
            cell(one.crps, unit),
            log_score_cell(one.log_score),
        )
    return table


def _events(seal: Seal, outcomes: Sequence[ScoredOutcome]) -> RenderableType:
    table = grid("came", "probability", "Brier", "log score")
    for one in outcomes:
        unit, said = _unit(seal.results[one.outcome.result])
        table.add_row(
            f"{folded(f'{one.outcome.result}{said}')}\n {came(one.outcome, unit)}",
            cell(one.inside, 1.0),
            brier_cell(one.brier),
            log_score_cell(one.log_score),
        )
    return table


def _unit(one: SealedDistribution) -> tuple[float, str]:
    """Return by what the values of a result are divided before they are written, and what that unit is called."""
    largest = max(abs(one.knots[0].value), abs(one.knots[-1].value))
    return next(((unit, said) for unit, least, said in _UNITS if largest >= least), (1.0, ""))


def _calibration_tables(found: ScoredSeals) -> list[RenderableType]:
    if not found.calibration:
        return [Text("\nOnly directions are known: no interval can cover them, and nothing is counted.")]
    table = grid("interval", "within", "missed", "expected", "accepted", "P-value", "false alarm", "power")
    for row in found.calibration:
        low, high = row.accepted
        table.add_row(
            f"{100 * row.level:g} %",
            f"{row.within} of {row.contracts}",
            f"{row.missed}",
            f"{row.expected_missed:.3g}",
            f"{low} to {high}",
            f"{row.p_value:.2g}",
            f"{row.false_alarm:.2g}",
            f"{row.found_if_twice:.2g}",
        )
    counted = ", ".join(f"{result} of {name}" for name, result in found.counted.items())
    explained = (
        "Accepted: misses with which Kupiec's test does not reject, at 5 %. False alarm: how often it rejects a true forecast for too "
        "many misses. Power: how often one that misses twice as often as it says."
    )
    told = [Text(row.sentence) for row in found.calibration]
    return [
        titled("How often the intervals covered", table),
        Text(explained, style="italic"),
        *told,
        Text(f"{COUNTED} Here: {counted}."),
    ]


def came(outcome: Outcome, unit: float = 1.0) -> str:
    """Write what came, in a unit."""
    half = f" ±{figure(outcome.rounded_to / 2 / unit)}" if outcome.rounded_to else ""
    return f"{_SIGNS[outcome.stands]}{figure(outcome.value / unit, 4)}{half}"


def figure(value: float, digits: int = 3) -> str:
    """Write a number that is no estimate, in a few digits.

    Examples
    --------
    >>> figure(4.53491136), figure(0.084), figure(123456.0), figure(-0.0)
    ('4.53', '0.084', '123,456', '0')
    """
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e15 else f"{value:z.{digits}g}"


def log_score_cell(found: LogScore) -> str:
    """Write a log score, and whether it is of a probability or of a density."""
    score, letter = found.score, "P" if found.of == "probability" else "d"
    if isfinite(score.value):
        bounded = f"0 (> {score.lower_95:.2g})" if score.lower_95 is not None else cell(score, 1.0)
        return f"{bounded} {letter}"
    return f"-inf {letter}" if score.upper_95 is None else f"-inf (< {score.upper_95:.2g}) {letter}"


def brier_cell(brier: Statistic | None) -> str:
    """Write a Brier score: of an event that never came, or always, with the bound of what was not seen."""
    if brier is not None and brier.lower_95 is not None:
        return f"1 (> {brier.lower_95:.2g})"
    return cell(brier, 1.0)
