"""What a comparison of ten for each of 1,000 service users costs when it is lived, and when its exact moments stand for it.

Run with `python -m benchmarks.comparison_group`. CPU time; compare the ratio.
"""

from __future__ import annotations

from time import process_time

import numpy as np

from simengine.config import find_study, load_study
from simengine.pipeline import simulate

REPLICATIONS = 100
WITHOUT_COMPARISON = [
    "population.waves.cohort_1.size=1000",
    "population.waves.cohort_2.size=1000",
    "measurement.baseline=null",
    "measurement.parallel=null",
    "measurement.metrics={reduction: {outcome: reconvictions, window_months: 12, estimate: relative_reduction, better: lower}}",
]


def main() -> None:
    """Time the study of Peterborough without a comparison group, with one that is lived, and with its moments."""
    variants = {
        "nobody to compare with": ["measurement.matched=null", "measurement.design=before_after"],
        "ten matched people for each, lived": [],
        "ten matched people for each, by their moments": ["measurement.matched.exact_moments=true"],
    }
    seconds = {}
    for name, changes in variants.items():
        study = load_study(find_study("peterborough"), [*WITHOUT_COMPARISON, *changes])
        simulate(study, 1, np.arange(2))
        begin = process_time()
        simulate(study, 1, np.arange(REPLICATIONS))
        seconds[name] = (process_time() - begin) / REPLICATIONS
    alone, lived, drawn = seconds.values()
    for name, one in seconds.items():
        print(f"{name:48} {one * 1e3:9.2f} ms a replication {one / alone:8.2f} times nobody")
    print(f"the whole study: with people who live {lived / drawn:.1f} times by their moments")


if __name__ == "__main__":
    main()
