"""Lay out the suite, cards, scores and comparisons on a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from simengine.bench.attempt import DONE, NOT_APPLICABLE, Attempt
from simengine.bench.card import BENCH_FAMILIES, Card
from simengine.bench.compare import MethodComparison, Standing
from simengine.bench.problem import SUITE, BenchProblem, frozen_answers
from simengine.bench.results import SummaryLine

_NAMED = 3
"""Problems that a message names, at most."""


@dataclass(frozen=True)
class BreakableName:
    """A name that is broken after an underscore where its column is too narrow for it, and within a part only where that must be."""

    name: str

    @property
    def parts(self) -> list[str]:
        """The name in pieces that each end with an underscore, but for the last."""
        return re.findall(r"[^_]*_+|[^_]+$", self.name) or [self.name]

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(max(map(len, self.parts)), max(len(self.name), 1))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = [""]
        for part in self.parts:
            if len(lines[-1]) + len(part) <= options.max_width or not lines[-1]:
                lines[-1] += part
            else:
                lines.append(part)
        yield Text("\n".join(lines), overflow="fold")


def suite_tables(problems: Sequence[BenchProblem]) -> RenderableType:
    """Lay out the problems, family by family."""
    tables: list[RenderableType] = [Text(f"Suite {SUITE}: {len(problems)} problems")]
    for family, title in BENCH_FAMILIES.items():
        rows = [problem.card for problem in problems if problem.card.family == family]
        if rows:
            tables.append(_list(title, rows))
    return Group(*tables)


def _list(title: str, cards: Iterable[Card]) -> Table:
    layout = _table(title)
    layout.add_column("problem", no_wrap=True)
    layout.add_column("what is hard about it")
    for card in cards:
        layout.add_row(card.name, card.difficulty)
    return layout


def card_rows(card: Card) -> list[tuple[str, str]]:
    """Return what a card says, row by row."""
    answers = frozen_answers()[card.name]
    rows = [
        ("question", card.question),
        ("what is hard", card.difficulty),
        ("answer from", card.answer_from),
        ("its error", card.error),
        ("made by", card.command),
        ("budgets", ", ".join(f"{budget:,}" for budget in card.budgets) + " replications"),
        ("a replication is", card.cost),
        ("fingerprint", answers["fingerprint"][:16]),
    ]
    return rows + ([("sources", "; ".join(card.sources))] if card.sources else [])


def card_table(card: Card) -> RenderableType:
    """Lay out a card."""
    layout = _table(f"{card.title} ({card.family}, suite {SUITE})")
    layout.add_column("")
    layout.add_column(card.name)
    for name, text in card_rows(card):
        layout.add_row(name, text)
    return layout


def score_tables_of_bench(lines: Sequence[SummaryLine], attempts: Sequence[Attempt]) -> RenderableType:
    """Lay out what methods came to, and one message for each kind of failure."""
    parts: list[RenderableType] = []
    for family, title in BENCH_FAMILIES.items():
        here = [line for line in lines if line.family == family and line.measure]
        if here:
            parts.append(_scores(title, here, is_squared=family == "estimation"))
    return Group(*parts, *(Text(message) for message in messages_of(attempts)))


def _scores(title: str, lines: Iterable[SummaryLine], *, is_squared: bool) -> Table:
    layout = _table(title)
    for name in ("problem", "measure", "method"):
        layout.add_column(name, overflow="fold")
    for name in ("budget", "error" if is_squared else "score", "CPU s"):
        layout.add_column(name, justify="right", no_wrap=True)
    for line in lines:
        se = f" ± {line.score_se:.2g}" if isfinite(line.score_se) else ""
        cells = (f"{line.budget:,}", f"{line.score:.3g}{se}", f"{line.cpu_seconds:.2g}")
        layout.add_row(*map(BreakableName, (line.problem, line.measure, line.method)), *cells)
    return layout


def messages_of(attempts: Iterable[Attempt]) -> list[str]:
    """Return one message for each kind of failure of a method at a problem, with how often it came; and to what it does not apply."""
    found: dict[tuple[str, str, str], list[str]] = {}
    unsuited: dict[str, dict[str, None]] = {}
    for one in attempts:
        if one.status == NOT_APPLICABLE:
            unsuited.setdefault(one.method, {})[one.problem] = None
        elif one.status != DONE:
            found.setdefault((one.method, one.problem, one.status), []).append(one.message)
    return [
        f"{method}: {status.replace('_', ' ')}: {messages[0]}{f' ({len(messages)} times)' if len(messages) > 1 else ''}"
        for (method, _, status), messages in found.items()
    ] + [
        f"{method}: does not apply to {', '.join(list(problems)[:_NAMED])}"
        + (f" and {len(problems) - _NAMED} more" if len(problems) > _NAMED else "")
        for method, problems in unsuited.items()
    ]


def standings_tables(found: MethodComparison) -> RenderableType:
    """Lay out the ranks of methods, family by family."""
    return Group(
        *(_ranks(BENCH_FAMILIES[family], [one for one in found.standings if one.family == family]) for family in found.families)
    )


def _ranks(title: str, standings: Sequence[Standing]) -> Table:
    layout = _table(title)
    layout.add_column("method", no_wrap=True)
    for name in ("cases", "mean rank", "best in", "times the reference", "in cases", "failed"):
        layout.add_column(name, justify="right")
    for one in sorted(standings, key=lambda one: (not isfinite(one.mean_rank), one.mean_rank)):
        rank = f"{one.mean_rank:.2f}" if isfinite(one.mean_rank) else ""
        ratio = f"{one.ratio:.3g}" if isfinite(one.ratio) else ""
        layout.add_row(one.method, str(one.cases), rank, str(one.wins), ratio, str(one.ratio_cases), str(one.failed))
    return layout


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", pad_edge=False, box=box.SIMPLE_HEAD)
