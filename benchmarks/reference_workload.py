"""The reference workload: the engine beside NumPy, Numba, starsim and a C program, and its cost curve.

Run with `python -m benchmarks.reference_workload [--replications 1000] [--repeats 5] [-o curve.png]`. It prints what `simengine
bench` prints; with -o it draws the cost curve as well.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from simengine.benchmark import REPEATS, REPLICATIONS, benchmark_tables, run_benchmark
from simengine.report.tables import show


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=REPLICATIONS)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("-o", "--output", type=Path, help="picture of the cost curve")
    options = parser.parse_args()
    content = run_benchmark(options.replications, options.repeats)
    show(benchmark_tables(content))
    if options.output is not None:
        draw(content["curve"]).savefig(options.output, dpi=150)


def draw(curve: Mapping[str, Any]) -> Figure:
    """Draw time against size on logarithmic axes, beside the line of a cost that grows as its size does."""
    figure = Figure(figsize=(10, 3.5), layout="constrained")
    for axes, (axis, found) in zip(figure.subplots(1, len(curve), squeeze=False)[0], curve.items(), strict=True):
        sizes, seconds = found["sizes"], found["cpu_seconds"]
        axes.loglog(sizes, seconds, marker="o", label=f"engine, exponent {found['exponent']:.2f}")
        axes.loglog(sizes, [seconds[-1] * size / sizes[-1] for size in sizes], color="grey", linestyle=":", label="proportional")
        axes.set(xlabel=axis, ylabel="CPU seconds")
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.set_xticks([], minor=True)
        axes.legend()
    return figure


if __name__ == "__main__":
    main()
