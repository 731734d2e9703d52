"""Lay out what a benchmark found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simengine.benchmark.versions import C_LIMIT, ENGINE

_WIDEST_BAR = 32


def benchmark_tables(content: Mapping[str, Any]) -> RenderableType:
    """Lay out the speed of every version beside the engine's, and the cost curve; content is what `--json` prints."""
    return Group(
        _versions(content),
        *(Text(f"Skipped: {name}: {reason}.") for name, reason in content["skipped"].items()),
        Text(f"Engine, elapsed time on one thread over that on two: {content['speed_up_on_two_threads']:.2f}."),
        *(_curve(axis, found) for axis, found in content["curve"].items()),
    )


def _versions(content: Mapping[str, Any]) -> Table:
    layout = _table("The reference workload on one thread: million person-periods per CPU second, and times the engine's pace")
    layout.add_column("version")
    for regime in content["ratios_by_regime"]:
        layout.add_column(regime, justify="right")
        layout.add_column("x engine", justify="right")
    layout.add_column("largest z", justify="right")
    distances = content["largest_distance_from_exact_distribution"]
    for key, title in content["titles"].items():
        cells = [title]
        for regime, ratios in content["ratios_by_regime"].items():
            cells.append(f"{content['million_person_periods_per_cpu_second'][regime][key]:,.1f}")
            cells.append(f"{_times_the_engine(key, ratios):.3g}")
        cells.append(f"{max(found[key] for found in distances.values()):.1f}")
        layout.add_row(*cells)
    return layout


def _times_the_engine(key: str, ratios: Mapping[str, float]) -> float:
    """Convert a ratio of times into a ratio of speeds."""
    if key == ENGINE:
        return 1.0
    return ratios[f"{ENGINE}_over_{key}"] if key == C_LIMIT else 1.0 / ratios[f"{key}_over_{ENGINE}"]


def _curve(axis: str, found: Mapping[str, Any]) -> Table:
    """Draw CPU time against size as bars; where the exponent is 1, a bar twice as far down is twice as long."""
    layout = _table(f"Engine: CPU seconds against {axis}, about size to the power of {found['exponent']:.2f}")
    layout.add_column(axis, justify="right")
    layout.add_column("seconds", justify="right")
    layout.add_column("")
    longest = max(found["cpu_seconds"])
    for size, seconds in zip(found["sizes"], found["cpu_seconds"], strict=True):
        layout.add_row(f"{size:,}", f"{seconds:.4f}", "#" * max(1, round(_WIDEST_BAR * seconds / longest)))
    return layout


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", pad_edge=False, box=box.SIMPLE_HEAD)
