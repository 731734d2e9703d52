"""The benchmark is right before it is fast: every version against the exact distribution. Nothing here is timed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from simengine.benchmark import c_limit, measure
from simengine.benchmark.c_limit import CLimit, Unavailable
from simengine.benchmark.exact import Distribution, agreement, exact_distributions_of
from simengine.benchmark.measure import LARGEST_DISTANCE, run_benchmark
from simengine.benchmark.versions import Version, Versions, find_versions
from simengine.benchmark.workload import Workload, WorkloadCounts, make_workload
from simengine.cli.main import commands
from tests.command import in_this_process

# Hundreds of z-scores at fixed seeds: at 4.5 all of them together raise a false alarm about once in 300 changes of a version.
SIZES = {"reference": (200, 200, 60), "many people": (60, 2000, 20), "odd sizes": (150, 37, 130)}


@pytest.fixture(scope="module", autouse=True)
def exact_once() -> Iterator[None]:
    """Hold all versions to one exact distribution of an order, worked out once."""
    known: dict[tuple[int, bool], tuple[Workload, Any]] = {}

    def once(order: Workload, *, are_strata_drawn: bool) -> tuple[Distribution, Distribution]:
        key = (id(order), are_strata_drawn)
        if key not in known:  # the order is kept with it, so that no other takes its place
            known[key] = order, exact_distributions_of(order, are_strata_drawn=are_strata_drawn)
        return known[key][1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("simengine.benchmark.exact.exact_distributions_of", once)
        yield


order_of = cache(make_workload)


@cache
def versions() -> dict[str, Version]:
    found = find_versions()
    return {version.key: version for version in (found.engine, *found.others)}


def distances(order: Workload, version: Version, counts: WorkloadCounts | None = None) -> dict[str, float]:
    counts = version.walk(order) if counts is None else counts
    return {name: each.largest for name, each in agreement(order, counts, are_strata_drawn=version.are_strata_drawn).items()}


@pytest.mark.statistical
@pytest.mark.parametrize("regime", ["sticky", "mixing"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("key", ["engine", "numpy", "numpy_by_stay", "numba", "numba_keyed", "c_limit", "starsim"])
def test_version__has_the_exact_mean_and_variance(key: str, size: str, regime: str) -> None:
    if key not in versions():
        pytest.skip(find_versions().skipped[key])
    n_replications, n_people, n_periods = SIZES[size]
    order = order_of(regime, n_replications // (4 if key == "starsim" else 1), n_people, n_periods)
    assert max(distances(order, versions()[key]).values()) < LARGEST_DISTANCE


@pytest.mark.parametrize(("flags", "name"), [(["-U__AVX512F__"], "AVX2"), (["-U__AVX512F__", "-U__AVX2__"], "plain C")])
def test_c_limit__counts_the_same_distribution_with_fewer_instructions(flags: list[str], name: str) -> None:
    if "c_limit" not in versions():
        pytest.skip(find_versions().skipped["c_limit"])
    program = CLimit(*flags)
    if program.instructions != name:
        pytest.skip(f"the compiler has no {name} here")
    order = make_workload("mixing", 150, 37, 130)
    assert max(distances(order, Version("c_limit", name, program.walk)).values()) < LARGEST_DISTANCE


@pytest.mark.parametrize("key", ["engine", "numpy", "numpy_by_stay", "numba", "numba_keyed", "c_limit"])
def test_version__accounts_for_every_person_period(key: str) -> None:
    if key not in versions():
        pytest.skip(find_versions().skipped[key])
    order = make_workload(n_replications=3, n_people=37, n_periods=65)
    assert np.all(versions()[key].walk(order).occupancy.sum(axis=-1) == 37 * 65)


def test_distributions__are_those_of_two_periods_by_hand() -> None:
    # One person in one stratum, two states used: stays in 0 with 0.7. Two periods: occupancy of 0 is 1 + Bernoulli(0.7), of
    # mean 1.7 and variance 0.21; a Bernoulli's fourth cumulant is pq (1 - 6 pq) = 0.21 x (1 - 1.26).
    rows = np.broadcast_to(np.eye(5), (1, 2, 1, 5, 5)).copy()
    rows[..., 0, :2] = 0.7, 0.3
    order = Workload(0, np.array([0]), rows, np.array([1]), np.array([0]), 2)
    for are_strata_drawn in (False, True):
        occupancy, entries = exact_distributions_of(order, are_strata_drawn=are_strata_drawn)
        got = [float(each[0, 0, 0]) for each in (occupancy.mean, occupancy.variance, occupancy.fourth_cumulant)]
        assert got == pytest.approx([1.7, 0.21, 0.21 * (1 - 1.26)])
        # State 1 is never left: it is entered unless both periods end in 0, with probability 1 - 0.49.
        assert entries.mean[0, 0].tolist() == pytest.approx([0, 0.51, 0, 0, 0])


def test_distributions__drawn_strata_add_the_spread_between_strata() -> None:
    order = make_workload(n_replications=1)
    (fixed, _), (drawn, _) = (exact_distributions_of(order, are_strata_drawn=drawn) for drawn in (False, True))
    assert drawn.mean == pytest.approx(fixed.mean)
    assert np.all(drawn.variance > fixed.variance)


@pytest.mark.statistical
def test_agreement__sees_a_planted_error(monkeypatch: pytest.MonkeyPatch) -> None:
    version, order = versions()["numba_keyed"], make_workload(n_replications=400)
    counts = version.walk(order)
    assert max(distances(order, version, counts).values()) < LARGEST_DISTANCE
    a_period_more = replace(order, n_periods=order.n_periods + 1)
    assert distances(a_period_more, version, counts)["occupancy"] > LARGEST_DISTANCE
    one_per_cent = order.rows * (1 + 0.01 * np.eye(5))
    biased = replace(order, rows=one_per_cent / one_per_cent.sum(axis=-1, keepdims=True))
    assert distances(biased, version, counts)["entries"] > LARGEST_DISTANCE
    monkeypatch.setattr("simengine.benchmark.exact.exact_distributions_of", _with_half_the_variance)
    wrong = agreement(order, counts, are_strata_drawn=False)["occupancy"]
    assert np.abs(wrong.variance).min() > LARGEST_DISTANCE


def _with_half_the_variance(workload: Workload, *, are_strata_drawn: bool) -> tuple[Distribution, Distribution]:
    occupancy, entries = exact_distributions_of(workload, are_strata_drawn=are_strata_drawn)
    return replace(occupancy, variance=occupancy.variance / 2), replace(entries, variance=entries.variance / 2)


def test_benchmark__refuses_to_time_a_version_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    right = versions()["numba_keyed"]
    wrong = replace(right, title="a wrong one", walk=lambda order: WorkloadCounts(right.walk(order).occupancy * 1.02))
    monkeypatch.setattr("simengine.benchmark.measure.find_versions", lambda: Versions(versions()["engine"], (wrong,)))
    with pytest.raises(RuntimeError, match=r"a wrong one: .* standard errors from the exact distribution"):
        run_benchmark(4, 1)


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few people: every version is held to its distribution above, and how fast it is asked nowhere here."""
    monkeypatch.setattr(measure, "_REPLICATIONS_CHECKED", 20)
    monkeypatch.setattr(measure, "_CURVE_PEOPLE", (5, 10, 20, 40, 80))
    monkeypatch.setattr(measure, "_CURVE_PERIODS", (3, 6, 12, 24, 48))


def test_bench__prints_one_json_object(little: None) -> None:
    done = CliRunner().invoke(commands, ["bench", "speed", "--json", "--replications", "20", "--repeats", "1"])
    assert done.exit_code == 0, done.output
    content = json.loads(done.stdout)
    promised = {"numpy_over_engine", "engine_over_c_limit", "numba_over_engine", "starsim_over_engine"}
    assert set(content["ratios_by_threads"]) == {"1", "2"}
    assert content["ratios_by_threads"]["1"] == content["ratios"] == content["ratios_by_regime"]["sticky"]
    for ratios in (content["ratios"], content["ratios_by_threads"]["2"], content["ratios_by_regime"]["mixing"]):
        assert promised <= set(ratios)
        assert all(ratio is None or ratio > 0 for ratio in ratios.values())
    assert {key for key in ("c_limit", "starsim") if key not in content["titles"]} <= set(content["skipped"])
    assert set(content["curve"]) == {"replications", "people", "periods"}
    for found in content["curve"].values():
        assert len(found["sizes"]) == len(found["cpu_seconds"]) == 5
        assert np.isfinite(found["exponent"])
    assert content["provenance"]["settings"] == {"replications": 20, "repeats": 1}


def test_bench__without_a_compiler_skips_the_c_program_and_says_why(little: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("COLUMNS", "200")
    done = in_this_process(["bench", "speed", "--replications", 4, "--repeats", 1])
    assert done.returncode == 0, done.stderr
    assert "Skipped: c_limit: no C compiler was found: none of cc, gcc, clang is on the PATH." in done.stdout


def test_c_limit__says_what_the_compiler_complains_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "c_limit" not in versions():
        pytest.skip(find_versions().skipped["c_limit"])
    broken = tmp_path / "broken.c"
    broken.write_text("#error not today\n")
    monkeypatch.setattr(c_limit, "SOURCE", broken)
    with pytest.raises(Unavailable, match=r"could not build the program: .*not today"):
        CLimit()
