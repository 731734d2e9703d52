"""What the engine is timed against gives the engine's answers: a NumPy script and two programs in C. Nothing here is timed.

Each was written from the study and the pages on the method, not from the engine; so each is an oracle for the other. A script's
numbers are independent of the engine's: scores of two samples. A program in C has the engine's numbers and people of its own: scores of
pairs, in which an error of a few parts in a thousand shows.
"""

from __future__ import annotations

import ctypes
import json
import sys
from functools import cache
from math import inf, nan, sqrt
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from benchmarks import memory, norrkoping_numpy
from benchmarks.agreement import apart, apart_in_pairs, of_script
from benchmarks.c_programs import BOTKYRKA, FOLDER, PETERBOROUGH, Program
from benchmarks.processes import Process, run_process
from simengine.arrays import Floats
from simengine.benchmark.c_limit import Unavailable, compile_c
from simengine.benchmark.measure import LARGEST_DISTANCE

PROGRAMS = {"botkyrka": (BOTKYRKA, 60), "peterborough": (PETERBOROUGH, 80)}
# Places in the tables that the programs are given, from the lists at their heads.
RATIO = {"botkyrka": 12, "peterborough": 8}
SPREAD = {"botkyrka": 15, "peterborough": 5}
"""Of the length of a spell, of the factors of men."""
METRIC = {"botkyrka": "fall", "peterborough": "reduction"}


def largest(scores: dict[str, dict[str, float]]) -> tuple[float, str]:
    return max((abs(value), f"{name}: {key}") for name, row in scores.items() for key, value in row.items())


@pytest.mark.statistical
def test_script__gives_the_engines_answers() -> None:
    score, name = largest(of_script(11, 3000))
    assert score < LARGEST_DISTANCE, name


@pytest.mark.statistical
def test_script__with_an_error_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    real = norrkoping_numpy.drawn

    def half_the_drift(said: dict[str, object], n: int, random: np.random.Generator) -> Floats:
        return real(said, n, random) / (2 if said["distribution"] == "normal" else 1)

    with monkeypatch.context() as patch:
        patch.setattr(norrkoping_numpy, "drawn", half_the_drift)
        assert of_script(11, 3000)["metric.saving.estimate"]["sd"] < -LARGEST_DISTANCE
    monkeypatch.setattr(norrkoping_numpy, "ratio_by_month", lambda numbers, path, months: np.ones((months, 1)))
    assert of_script(11, 3000)["metric.saving.truth"]["mean"] < -LARGEST_DISTANCE


def test_script__needs_nothing_of_the_engine() -> None:
    code = "import sys; from benchmarks.norrkoping_numpy import simulate; simulate(300, 1); print('simengine' in sys.modules)"
    assert run_process(["-c", code]).output.strip() == "False"
    table = json.loads(run_process(["benchmarks/norrkoping_numpy.py", "--replications", "300", "--seed", "1", "--json"]).output)
    assert table["investor.net"]["mean"] == pytest.approx(table["investor.money_back"]["mean"] - table["drawn"]["mean"])


def test_script__gives_the_rate_of_return_of_one_loan() -> None:
    # 100 paid in at once and 121 after 24 months is 10 % a year.
    def present_value(rate: Floats) -> Floats:
        return 121 / (1 + rate) ** 2 - 100

    assert norrkoping_numpy.internal_rate(present_value, 1) == pytest.approx([0.10])


@cache
def by_engine(name: str) -> tuple[Floats, dict[str, Floats]]:
    program, n = PROGRAMS[name]
    study = program.load()
    draws, found = program.by_engine(study, 5, n)
    return program.given(study, draws), found


def by_c(program: Program, given: Floats, seed: int = 6) -> dict[str, Floats]:
    try:
        return program.run(seed, given)
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.mark.statistical
@pytest.mark.parametrize("name", PROGRAMS)
def test_program_in_c__gives_the_engines_answers(name: str) -> None:
    given, ours = by_engine(name)
    theirs = by_c(PROGRAMS[name][0], given)
    score, where = largest({key: apart_in_pairs(theirs[key], ours[key]) for key in theirs})
    assert score < LARGEST_DISTANCE, where


@pytest.mark.statistical
@pytest.mark.parametrize("name", PROGRAMS)
def test_program_in_c__with_an_error_is_seen(name: str) -> None:
    given, ours = by_engine(name)
    metric, program = METRIC[name], PROGRAMS[name][0]
    stronger, alike = given.copy(), given.copy()
    stronger[:, RATIO[name]] *= 0.97  # 3 % fewer events with the service
    theirs = by_c(program, stronger)
    assert apart_in_pairs(theirs[f"metric.{metric}.truth"], ours[f"metric.{metric}.truth"])["mean"] > LARGEST_DISTANCE
    alike[:, SPREAD[name]] *= 0.8  # people differ less, so the evaluator's standard error is too small
    theirs = by_c(program, alike)
    scores = apart_in_pairs(theirs[f"metric.{metric}.standard_error"], ours[f"metric.{metric}.standard_error"])
    assert scores["mean"] < -LARGEST_DISTANCE


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_in_c__begins_each_replication_at_its_address(name: str) -> None:
    program, given = PROGRAMS[name][0], by_engine(name)[0]
    whole, part = by_c(program, given[:6]), by_c(program, given[:3])
    for key, found in part.items():
        assert np.array_equal(found, whole[key][:3]), key
    truth = f"metric.{METRIC[name]}.truth"
    assert np.all(by_c(program, given[:3], seed=7)[truth] != part[truth])


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_in_c__without_an_effect_has_equal_arms(name: str) -> None:
    program, given = PROGRAMS[name][0], by_engine(name)[0][:4].copy()
    given[:, RATIO[name]] = 1.0
    for key, found in by_c(program, given).items():
        if key.endswith(".truth"):
            assert found == pytest.approx(np.zeros(4), abs=1e-6), key


@pytest.mark.statistical
def test_streams_in_c__have_the_distributions_of_scipy(tmp_path: Path) -> None:
    source = tmp_path / "draws.c"
    source.write_text(
        '#include "streams.h"\n'
        "void draw(int what, double shape, int64_t n, double *out) {\n"
        "    prepare_streams();\n"
        "    gamma_shape g = shape_of(shape);\n"
        "    for (int64_t i = 0; i < n; i++) {\n"
        "        stream s = stream_of(key_of(1, 2, 3), (uint64_t)i);\n"
        "        out[i] = what == 0 ? normal(&s) : what == 1 ? exponential(&s) : gamma_of(&g, &s);\n"
        "    }\n"
        "}\n"
    )
    try:
        library = compile_c(source, f"-I{FOLDER}")
    except Unavailable as reason:
        pytest.skip(str(reason))
    library.draw.argtypes = [ctypes.c_int, ctypes.c_double, ctypes.c_int64, np.ctypeslib.ndpointer(np.float64)]
    out = np.empty(400_000)
    for what, shape, law in (
        (0, 1.0, stats.norm()),
        (1, 1.0, stats.expon()),
        (2, 0.7, stats.gamma(0.7)),
        (2, 2.5, stats.gamma(2.5)),
    ):
        library.draw(what, shape, len(out), out)
        assert stats.kstest(out, law.cdf).pvalue > 1e-4, (what, shape)
        # The tails, where a ziggurat has a branch of its own: beyond the last layer in about one of 3,900 and 2,200.
        for p in (1e-4, 1 - 1e-4):
            share = np.mean(out <= law.ppf(p))
            assert abs(share - p) < 5 * sqrt(1e-4 / len(out)), (what, shape, p)


def test_scores__by_hand() -> None:
    # Means 2 and 4, variances 1 and 4 of three each: 2 / sqrt(1/3 + 4/3).
    a, b = np.array([1.0, 2.0, 3.0, nan]), np.array([2.0, 4.0, 6.0])
    assert apart(b, a)["mean"] == pytest.approx(2 / sqrt(5 / 3))
    # Differences 1, 2, 3: mean 2, standard error 1 / sqrt(3).
    assert apart_in_pairs(b, a[:3])["mean"] == pytest.approx(2 * sqrt(3))
    assert apart_in_pairs(b, b) == {"mean": 0.0, "sd": 0.0}
    assert apart_in_pairs(b + 1, b)["mean"] == inf


def test_memory__tells_what_grows_in_a_block_from_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    # 200 MiB, 8 KiB for each of 2,000 replications at once, and 1 KiB for each that came before them.
    def costs(call: list[str]) -> Process:
        n = int(call[call.index("-n") + 1])
        return Process(n / 1000, 0.0, 200 + 8 * min(n, 2000) / 1024 + max(n - 2000, 0) / 1024, "")

    monkeypatch.setattr(memory, "run_process", costs)
    cheap, dear = memory.needed("tiny", 10.0), memory.needed("tiny", 1.0)
    assert list(cheap["peak_mib"]) == [100, 2_000, 20_000]
    assert list(dear["peak_mib"]) == [100, 2_000]
    for one in (cheap, dear):
        assert one["base_mib"] == pytest.approx(200)
        assert one["bytes_in_a_block"] == pytest.approx(8192)
    assert cheap["bytes_kept"] == pytest.approx(1024)
    assert dear["bytes_kept"] is None


@pytest.mark.skipif(sys.platform == "win32", reason="peak memory of a process is asked of a POSIX system")
def test_process__says_what_it_took_and_that_it_failed() -> None:
    small, large = (run_process(["-c", f"x = b'1' * ({mib} << 20); print(len(x))"]) for mib in (1, 60))
    assert large.output == f"{60 << 20}\n"
    assert 55 < large.peak_mib - small.peak_mib < 65
    with pytest.raises(RuntimeError, match="failed with exit code 3: not today"):
        run_process(["-c", "import sys; sys.stderr.write('not today'); sys.exit(3)"])
