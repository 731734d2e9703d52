"""Settle a stored ensemble under new terms: the engine beside vectorised NumPy and the slow twin.

Run with `python -m benchmarks.settle [--replications 100000] [--repeats 9]`. The contracts are the shipped one of Norrköping, for
which NumPy is written by hand, and one that looks at money already moved on six dates. All programs must agree to the smallest
unit before anything is timed; the engine stays below 50 milliseconds for 100,000 replications, or the command fails.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np

from simengine.config import load_contract, shipped_contracts
from simengine.contract import settle_terms
from simengine.contract.spec import Contract
from simengine.records import Floats, Measurements
from tests.reference import contract as twin

BUDGET_SECONDS = 0.050
FEW = 200
"""Replications for the slow twin, whose time is that of each times their number."""
METRICS = ("saving", "school")
DATED = {
    "title": "A return to date over six years",
    "currency": "SEK",
    "commitment": 1e7,
    "metrics": {name: {"meaning": name, "unit": "SEK"} for name in METRICS},
    "dates": {f"year_{year}": {"month": 12 * year} for year in range(1, 7)},
    "terms": {
        "guarantee": {"share": 0.1, "of": "drawn", "contingent": False},
        "saving_share": {
            "until": {"to_irr": {"steps": [{"at_least": 0.1, "pays": 0.08}], "of": "school", "otherwise": 0.05}},
            "of": {"share": 1 / 6, "of": "saving"},
            "first": 0.95,
            "then": 0.4,
            "floor": 0,
        },
    },
    "total_cap": {"share": 1.5, "of": "drawn"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    norrkoping = load_contract(next(path for path in shipped_contracts() if path.stem == "norrkoping"))
    measured, drawn = stored(options.replications)
    slowest = max(
        compare("norrkoping", norrkoping, measured, drawn, options.repeats, by_numpy),
        compare("dated", Contract.model_validate(DATED), measured, drawn, options.repeats, None),
    )
    if slowest * 100_000 / options.replications > BUDGET_SECONDS:
        sys.exit(f"the engine took {1e3 * slowest:.0f} ms; the budget is {1e3 * BUDGET_SECONDS:.0f} ms for 100,000 replications")


def compare(
    name: str,
    contract: Contract,
    measured: Measurements,
    drawn: Floats,
    repeats: int,
    by_hand: Callable[[Floats, Floats], Floats] | None,
) -> float:
    """Time the programs on one contract, print their ratios, and give the seconds of the engine."""
    check(contract, measured, drawn, by_hand)
    engine = timed(lambda: settle_terms(contract, measured, drawn), repeats)
    slow = timed(lambda: by_twin(contract, measured, drawn, FEW), 3) / FEW * len(drawn)
    print(f"{name}: engine {1e3 * engine:.1f} ms for {len(drawn):,} replications")
    if by_hand is not None:
        numpy = timed(lambda: by_hand(measured.estimate, drawn), repeats)
        print(f"  NumPy written by hand takes {numpy / engine:.2f} times as long ({1e3 * numpy:.1f} ms)")
    print(f"  the slow twin takes {slow / engine:,.0f} times as long")
    return engine


def stored(n: int) -> tuple[Measurements, Floats]:
    """Make an ensemble as a run would have stored it."""
    random = np.random.default_rng(2016)
    estimate = np.stack([random.normal(5e6, 6e6, n), random.normal(0.02, 0.1, n)], axis=1)
    return Measurements(METRICS, estimate, estimate, estimate), np.round(random.uniform(7e6, 1e7, n), 2)


def by_numpy(estimate: Floats, drawn: Floats) -> Floats:
    """Settle the Norrköping contract as its formulae read."""
    saving, school = estimate.T
    terms = (
        0.4 * drawn,
        np.minimum(np.maximum(0.6 * saving, 0), 0.6 * drawn),
        np.where(school > 0, np.minimum(np.maximum(saving - drawn, 0), 0.2 * drawn), 0.0),
    )
    return np.round(np.stack(terms, axis=1), 2)


def by_twin(contract: Contract, measured: Measurements, drawn: Floats, n: int) -> list[dict[tuple[str, str], tuple[float, str]]]:
    """Settle some replications with the slow twin."""
    draws = [dict(zip(METRICS, map(float, row), strict=True)) for row in measured.estimate[:n]]
    return [twin.settle(contract, replication, float(money)) for replication, money in zip(draws, drawn[:n], strict=True)]


def check(contract: Contract, measured: Measurements, drawn: Floats, by_hand: Callable[[Floats, Floats], Floats] | None) -> None:
    """Stop where two programs disagree by more than a smallest unit."""
    amount = settle_terms(contract, measured, drawn).amount
    if by_hand is not None and np.abs(amount - by_hand(measured.estimate, drawn)).max() > 0.011:
        sys.exit("the engine and NumPy disagree")
    for row, replication in zip(amount, by_twin(contract, measured, drawn, FEW), strict=False):
        totals = {term: sum(paid for (name, _), (paid, _) in replication.items() if name == term) for term in contract.terms}
        if max(abs(paid - totals[term]) for term, paid in zip(contract.terms, row, strict=True)) > 0.011 * len(replication):
            sys.exit("the engine and its twin disagree")


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
