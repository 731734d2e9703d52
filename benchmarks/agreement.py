"""Hold the script and the programs in C to the engine: how far means, spreads and probabilities lie apart, in standard errors.

Run with `python -m benchmarks.agreement [--replications 20000] [--seed 2016]`; the programs in C get a hundredth of the
replications. The script draws its own numbers: two independent samples. The programs have the engine's numbers, so that
replications are compared pair by pair: only what happens to people differs.
"""

from __future__ import annotations

import argparse
from math import sqrt

import numpy as np

from benchmarks.c_programs import BOTKYRKA, PETERBOROUGH, Program
from benchmarks.norrkoping_numpy import events, simulate
from simengine.arrays import Floats
from simengine.benchmark.c_limit import Unavailable
from simengine.config import find_study, load_study
from simengine.replications.blocks import run_study


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=2016)
    options = parser.parse_args()
    n, n_in_c = options.replications, max(options.replications // 100, 20)
    show(f"norrkoping: NumPy against the engine, {n:,} replications each", of_script(options.seed, n))
    for program in (BOTKYRKA, PETERBOROUGH):
        try:
            show(f"{program.study}: C against the engine, {n_in_c:,} replications with the same numbers", of_c(program, 1, n_in_c))
        except Unavailable as reason:
            print(f"{program.study}: left out, {reason}")


def show(title: str, scores: dict[str, dict[str, float]]) -> None:
    print(title)
    for name, row in scores.items():
        print(f"  {name:36}" + "".join(f"  {key} {value:+6.2f}" for key, value in row.items()))
    worst = [abs(value) for row in scores.values() for value in row.values()]
    print(f"  {len(worst)} scores, the largest {max(worst):.2f}")


def of_script(seed: int, n: int) -> dict[str, dict[str, float]]:
    """Return z-scores of the NumPy script against the engine; different random numbers, so independent."""
    theirs = simulate(n, seed + 1)
    ours = {name: np.asarray(x, np.float64) for name, x in run_study(load_study(find_study("norrkoping")), seed, n).columns.items()}
    scores = {name: apart(theirs[name], ours[name]) for name in theirs}
    are_so = {name: (theirs_are, events(ours)[name]) for name, theirs_are in events(theirs).items()}
    return scores | {name: {"p": apart(a.astype(float), b.astype(float))["mean"]} for name, (a, b) in are_so.items()}


def of_c(program: Program, seed: int, n: int) -> dict[str, dict[str, float]]:
    """Return z-scores of a program in C against the engine, from the differences of replications with the same numbers."""
    study = program.load()
    draws, ours = program.by_engine(study, seed, n)
    theirs = program.run(seed + 1, program.given(study, draws))
    return {name: apart_in_pairs(theirs[name], ours[name]) for name in theirs}


def apart(a: Floats, b: Floats) -> dict[str, float]:
    """Return the distance of two means, and of two standard deviations, of independent samples."""
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    of_means = sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
    squares = [(x - x.mean()) ** 2 for x in (a, b)]
    of_squares = sqrt(sum(x.var(ddof=1) / len(x) for x in squares))
    return {"mean": _score(a.mean() - b.mean(), of_means), "sd": _score(squares[0].mean() - squares[1].mean(), of_squares)}


def apart_in_pairs(a: Floats, b: Floats) -> dict[str, float]:
    """Return the same of paired samples."""
    spread = (a - a.mean()) ** 2 - (b - b.mean()) ** 2
    return {name: _score(x.mean(), x.std(ddof=1) / sqrt(len(x))) for name, x in (("mean", a - b), ("sd", spread))}


def _score(distance: float, error: float) -> float:
    return float(distance / error) if error > 0 else 0.0 if distance == 0 else float("inf")


if __name__ == "__main__":
    main()
