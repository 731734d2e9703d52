"""Time the versions against each other, and the engine against the size of its order.

Machines are shared and their speed varies, so times are never compared across minutes: each version is timed right after the
engine, and the ratio of such a pair is what counts. Of many pairs the median is reported.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from statistics import median
from typing import Any

import numpy as np

from simengine.asked import whole
from simengine.benchmark.exact import agreement
from simengine.benchmark.versions import C_LIMIT, ENGINE, Version, Versions, find_versions
from simengine.benchmark.workload import Regime, Workload, make_workload
from simengine.provenance import Stopwatch, describe_run

REPLICATIONS, REPEATS = 2000, 5
LARGEST_DISTANCE = 4.5
"""From the exact distribution, in exact standard errors."""
_REGIMES: tuple[Regime, ...] = ("sticky", "mixing")
_REPLICATIONS_CHECKED = 200
_THREADS = 2
_PARTS_PER_THREAD = 2
"""Each as large as the order of one thread: a study's block."""
_PROMISED = ("numpy_over_engine", "engine_over_c_limit", "numba_over_engine", "starsim_over_engine")
"""Ratios that are always listed, null where a version does not run."""
_CURVE_SHARES = (0.25, 0.5, 1.0, 2.0, 4.0)
_CURVE_PEOPLE = (50, 100, 200, 400, 800)
_CURVE_PERIODS = (15, 30, 60, 120, 240)


def run_benchmark(n_replications: int = REPLICATIONS, repeats: int = REPEATS) -> dict[str, Any]:
    """Check every version against the exact distribution, then time all of them.

    Parameters
    ----------
    n_replications
        Of the order that is timed; slow versions get a part of it.
    repeats
        Pairs of timings; their median counts.

    Returns
    -------
    What `simengine bench --json` prints: ratios of time per person-period, the larger the better for the engine, except
    for `engine_over_c_limit`, which cannot be less than 1 by much.

    Raises
    ------
    UsageError
        If one of the numbers is none that can be asked for.
    """
    n_replications, repeats = whole(n_replications, "--replications", 4, 100_000), whole(repeats, "--repeats", 1, 1000)
    clock, versions = Stopwatch(), find_versions()
    orders = {regime: make_workload(regime, n_replications) for regime in _REGIMES}
    distances = {regime: _distances(versions, regime) for regime in _REGIMES}
    by_regime = {regime: _compare(versions, order, repeats) for regime, order in orders.items()}
    larger = make_workload(n_replications=_THREADS * _PARTS_PER_THREAD * n_replications)
    with ThreadPoolExecutor(_THREADS) as pool:
        on_threads = _compare(versions, larger, repeats, pool)
        speed_up = _speed_up(versions.engine, larger, repeats, pool)
    skipped = dict(versions.skipped)
    skipped |= {f"{v.key} on {_THREADS} threads": "it runs on one thread" for v in versions.others if not v.is_threaded}
    settings = {"replications": n_replications, "repeats": repeats}
    order = orders["sticky"]
    text = f"reference workload: seed {order.seed}, {order.n_people} people an arm, {order.n_periods} periods"
    sticky, mixing = (by_regime[regime] for regime in _REGIMES)
    return {
        "ratios": sticky["ratios"],
        "ratios_by_threads": {"1": sticky["ratios"], str(_THREADS): on_threads["ratios"]},
        "ratios_by_regime": {"sticky": sticky["ratios"], "mixing": mixing["ratios"]},
        "million_person_periods_per_cpu_second": {regime: found["pace"] for regime, found in by_regime.items()},
        "speed_up_on_two_threads": speed_up,
        "largest_distance_from_exact_distribution": distances,
        "titles": {version.key: version.title for version in (versions.engine, *versions.others)},
        "skipped": skipped,
        "curve": _curve(versions.engine, n_replications, repeats),
        "provenance": describe_run(clock, text, settings, command="bench") | {"c_limit_instructions": versions.instructions},
    }


def _distances(versions: Versions, regime: Regime) -> dict[str, float]:
    """Return how far each version is from its exact distribution; a version that is wrong is a defect of this program."""
    found = {}
    for version in (versions.engine, *versions.others):
        order = make_workload(regime, int(_REPLICATIONS_CHECKED * max(version.share, 0.25)))
        agreements = agreement(order, version.walk(order), are_strata_drawn=version.are_strata_drawn)
        found[version.key] = max(each.largest for each in agreements.values())
        if not found[version.key] <= LARGEST_DISTANCE:
            raise RuntimeError(f"{version.title}: {found[version.key]:.1f} standard errors from the exact distribution ({regime})")
    return found


def _compare(versions: Versions, order: Workload, repeats: int, pool: Executor | None = None) -> dict[str, dict[str, float | None]]:
    """Return the ratio of each version's time to the engine's, or the engine's to the limit's, and the speed of each version.

    Without a pool it is the CPU time of one thread, with one the elapsed time on its threads. A version that does not run
    has no ratio.
    """
    others = [version for version in versions.others if version.is_threaded or pool is None]
    ratios: dict[str, list[float]] = {version.ratio: [] for version in others}
    pace: dict[str, list[float]] = {version.key: [] for version in (versions.engine, *others)}
    _seconds(versions.engine, order, pool)  # threads are started when they are first needed
    for _ in range(repeats):
        for version in others:
            part = order.part(0, max(1, round(version.share * order.n_replications)))
            of_engine = _seconds(versions.engine, order, pool) / order.person_periods
            of_version = _seconds(version, part, pool) / part.person_periods
            ratios[version.ratio].append(of_engine / of_version if version.key == C_LIMIT else of_version / of_engine)
            pace[ENGINE].append(1e-6 / of_engine)
            pace[version.key].append(1e-6 / of_version)
    return {"ratios": {**dict.fromkeys(_PROMISED), **_medians(ratios)}, "pace": {**_medians(pace)}}


def _seconds(version: Version, order: Workload, pool: Executor | None) -> float:
    if pool is None:
        started = time.process_time()
        version.walk(order)
        return time.process_time() - started
    size = -(-order.n_replications // (_THREADS * _PARTS_PER_THREAD))
    parts = [order.part(first, first + size) for first in range(0, order.n_replications, size)]
    started = time.perf_counter()
    list(pool.map(version.walk, parts))
    return time.perf_counter() - started


def _medians(samples: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: median(sample) for name, sample in samples.items()}


def _speed_up(engine: Version, order: Workload, repeats: int, pool: Executor) -> float:
    """Return the elapsed time on one thread over that on two; it is lower where another process holds a processor."""
    with ThreadPoolExecutor(1) as one:
        _seconds(engine, order, one)
        return median([_seconds(engine, order, one) / _seconds(engine, order, pool) for _ in range(repeats)])


def _curve(engine: Version, n_replications: int, repeats: int) -> dict[str, dict[str, Any]]:
    """Time the engine at five sizes along each axis; an exponent of 1 means that twice the size takes twice the time."""
    fewer = max(5, n_replications // 4)
    shares = [max(5, round(share * n_replications)) for share in _CURVE_SHARES]
    axes = {
        "replications": {size: make_workload(n_replications=size) for size in shares},
        "people": {size: make_workload(n_replications=fewer, n_people=size) for size in _CURVE_PEOPLE},
        "periods": {size: make_workload(n_replications=fewer, n_periods=size) for size in _CURVE_PERIODS},
    }
    curve = {}
    for axis, orders in axes.items():
        # All sizes in turn, again and again: a slow minute of the machine falls on every size.
        rounds = [[_seconds(engine, order, None) for order in orders.values()] for _ in range(repeats)]
        seconds = [median(samples) for samples in zip(*rounds, strict=True)]
        exponent = np.polynomial.Polynomial.fit(np.log(list(orders)), np.log(seconds), 1).convert().coef[1]
        curve[axis] = {"sizes": list(orders), "cpu_seconds": seconds, "exponent": float(exponent)}
    return curve
