"""How much variance each way of drawing leaves, for the same work: ratios with their errors.

Run with `python -m benchmarks.variance_reduction [--study norrkoping] [--variant NAME] [--replications 2048] [--seeds 40]`. Each
way runs with many seeds; the variance between the values of the seeds, times the time of a run, is what an answer costs. A ratio
of 3 means: as precise as three times as much plain work. The variance is that between runs, so no standard error that the engine
reports is believed.
"""

from __future__ import annotations

import argparse
import time
from math import sqrt

import numpy as np

from simengine.config import Study, find_study, load_study
from simengine.records import Floats
from simengine.replications.blocks import run_study
from simengine.replications.ensemble import with_used_designs_alone
from simengine.replications.precision import control_variates
from simengine.risk import summarise
from simengine.sampling import PLAIN, Sampling

PATHS = (
    "investor.net.mean",
    "investor.p_loss",
    "investor.cvar95",
    "outcome_payer.net.mean",
    "outcome_payer.p_loss",
    "outcome_payer.cvar95",
)
TILTS = {
    "norrkoping": {"effect.sooner_home.hazard_ratio": -1.0, "effect.fewer_returns.hazard_ratio": 1.0},
    "peterborough": {"effect.fewer_reconvictions.hazard_ratio": 1.0},
    "tiny": {"effect.sooner_home.hazard_ratio": -1.0},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", default="norrkoping")
    parser.add_argument("--variant")
    parser.add_argument("--replications", type=int, default=2048)
    parser.add_argument("--seeds", type=int, default=40)
    options = parser.parse_args()
    study = with_used_designs_alone(load_study(find_study(options.study), variant=options.variant))
    ways = {
        "plain": PLAIN,
        "--sobol": Sampling(is_sobol=True),
        "--measured 4": Sampling(measured=4),
        "--sobol --measured 4": Sampling(is_sobol=True, measured=4),
        "--tilt": Sampling(tilts=TILTS.get(options.study, {})),
    }
    run_study(study, 0, 2)
    found: dict[str, tuple[Floats, float]] = {}
    for name, sampling in ways.items():
        found |= spread(study, sampling, name, options.replications, options.seeds)
    print(
        f"{options.study}: {options.seeds} seeds of {options.replications:,} replications; variance of plain / variance of each way"
    )
    print(f"{'':<22}{'work':>6}" + "".join(f"{path.replace('outcome_', '').replace('investor', 'inv'):>18}" for path in PATHS))
    plain, plain_work = found["plain"]
    # Of a ratio of two variances with s - 1 degrees of freedom each, nearly; errors of skewed values are larger.
    error = 2 / sqrt(options.seeds - 1)
    for name, (variance, work) in found.items():
        ratios = np.divide(plain, variance, out=np.full(len(PATHS), np.nan), where=variance > 0)
        cells = "".join(f"{ratio:>11.2f} ±{ratio * error:5.2f}" for ratio in ratios)
        print(f"{name:<22}{work / plain_work:>6.2f}{cells}")


def spread(study: Study, sampling: Sampling, name: str, n_replications: int, n_seeds: int) -> dict[str, tuple[Floats, float]]:
    """Return the variance of each statistic between runs, and the CPU seconds of a run; and both corrected by variates."""
    started = time.process_time()
    runs = [run_study(study, seed, n_replications, sampling=sampling, with_variates=True) for seed in range(1, n_seeds + 1)]
    drawn = (time.process_time() - started) / n_seeds
    both = "--control-variates" if sampling.is_plain else f"{name} --control-variates"
    names = {name: False} if sampling.tilts else {name: False, both: True}
    found = {}
    for label, is_corrected in names.items():
        started = time.process_time()
        tables = [
            summarise(run, control_variates(study, seed, run, sampling) if is_corrected else None)
            for seed, run in enumerate(runs, start=1)
        ]
        work = drawn + (time.process_time() - started) / n_seeds
        values = [[one.value if (one := table.get(path)) else np.nan for path in PATHS] for table in tables]
        found[label] = (np.array(values).var(axis=0, ddof=1), work)
    return found


if __name__ == "__main__":
    main()
