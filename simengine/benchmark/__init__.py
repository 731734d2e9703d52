"""How fast is the engine, and how fast could it be? The reference workload, in several versions, checked and timed.

Every version is first held to the exact mean and variance of the workload; then it is timed beside the engine, down to a
C program that is written for nothing else. Nothing here is needed to run a study.
"""

from simengine.benchmark.measure import REPEATS, REPLICATIONS, run_benchmark
from simengine.benchmark.tables import benchmark_tables
from simengine.benchmark.warmup import warm_up

__all__ = ["REPEATS", "REPLICATIONS", "benchmark_tables", "run_benchmark", "warm_up"]
