"""Rates of return of a million rows of cash: the engine's kernel beside pyxirr, called row by row.

Run with `python -m benchmarks.irr [--rows 1000000] [--months 29] [--repeats 3]`. Each row pays in for some months and gets back
afterwards; one thread. pyxirr takes a part of the rows, and its time is multiplied by the rest; on that part both must agree
before anything is printed. It is given amounts divided by the largest of their row: of amounts far from 1 it may return its
first guess.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import pyxirr

from simengine.records import Floats
from simengine.risk.kernels import FOUND, internal_rates

FEW = 20_000
"""Rows for pyxirr."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--months", type=int, default=29)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    for name, cash in (
        ("conventional", conventional(options.rows, options.months)),
        ("with a claw-back", clawed_back(options.rows, options.months)),
    ):
        rate, status = np.empty(len(cash)), np.empty(len(cash), dtype=np.int8)
        internal_rates(cash[:2], rate[:2], status[:2])  # compiles
        engine = timed(lambda cash=cash, rate=rate, status=status: internal_rates(cash, rate, status), options.repeats)
        found = 100 * np.mean(status == FOUND)
        print(f"{name}: {len(cash):,} rows of {options.months} months in {engine:.2f} s on one thread, {found:.1f} % found")
        few = cash[:FEW] / np.abs(cash[:FEW]).max(axis=1, keepdims=True)
        if name == "conventional":
            check(rate[:FEW], by_pyxirr(few))
        other = timed(lambda few=few: by_pyxirr(few), options.repeats) / len(few) * len(cash)
        print(f"  pyxirr takes {other / engine:.1f} times as long ({other:.2f} s)")


def conventional(n_rows: int, n_months: int) -> Floats:
    """Make rows that pay in first and get back later: one change of sign."""
    random = np.random.default_rng(2016)
    cash = random.uniform(0, 1e6, (n_rows, n_months))
    paid_in = random.integers(n_months // 4, n_months // 2, (n_rows, 1))
    return np.where(np.arange(n_months) < paid_in, -cash, cash * random.uniform(0.1, 2, (n_rows, 1)))


def clawed_back(n_rows: int, n_months: int) -> Floats:
    """Make the same rows with a part of the last month's money taken back: two changes of sign."""
    cash = conventional(n_rows, n_months)
    cash[:, -1] *= -0.5
    return cash


def by_pyxirr(cash: Floats) -> Floats:
    """Return the yearly rate of each row of monthly cash, NaN where pyxirr gives none."""
    monthly = [pyxirr.irr(row) for row in cash]
    return np.array([np.nan if rate is None else (1 + rate) ** 12 - 1 for rate in monthly])


def check(ours: Floats, theirs: Floats) -> None:
    """Stop where the two disagree; compared as monthly growth, which pyxirr gives to about ten digits."""
    apart = np.abs((1 + ours) ** (1 / 12) / (1 + theirs) ** (1 / 12) - 1)
    if not apart.max() < 1e-8:
        sys.exit(f"the engine and pyxirr disagree in {np.sum(~(apart < 1e-8))} of {len(ours)} rows")


def timed(call: Callable[[], object], repeats: int) -> float:
    """Return the median of some timings, in seconds."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return median(seconds)


if __name__ == "__main__":
    main()
