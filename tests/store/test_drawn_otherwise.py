"""Runs in a store that are drawn as evenly spread points or with tilts, or grow until they are precise: as in memory, whatever happened."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simengine import Study
from simengine import run as run_question
from simengine.errors import ResultsError, UsageError
from simengine.questions.run.answer import Run
from simengine.store.folder import open_store
from tests.command import in_this_process
from tests.store.kept import SEED, in_a_child, kill_at, small_blocks, sweep, tree

__all__ = ["small_blocks"]
pytestmark = [
    pytest.mark.usefixtures("small_blocks"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the store is tested where processes can be forked"),
]
WAYS: dict[str, dict[str, Any]] = {
    "sobol": {"sobol": True},
    "tilt": {"tilts": ["effect.sooner_home.hazard_ratio=1.5"]},
}
GOAL = "p_loss se<0.04"


@pytest.fixture
def small_first_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a precision be judged from few replications on, so that several sizes are looked at."""
    monkeypatch.setattr("simengine.replications.precision.FIRST_SIZE", 64)


def assert_equal(stored: Run, held: Run) -> None:
    assert stored.table == held.table
    assert list(stored.results.columns) == list(held.results.columns)
    for name in held.results.columns:
        assert np.array_equal(stored[name], held[name], equal_nan=stored[name].dtype.kind == "f"), name
    assert stored.draws().equals(held.draws())


@pytest.mark.parametrize("way", WAYS)
def test_answer__is_that_of_a_run_in_memory(way: str, tiny: Study, tmp_path: Path) -> None:
    # Oracle: the run in memory, whose rows never met a disk.
    how = {**WAYS[way], "measures": ["investor.cvar(0.2)", "irr_quantile"]}

    stored = run_question(tiny, 128, SEED, store=tmp_path / "run", **how)

    assert_equal(stored, run_question(tiny, 128, SEED, **how))


@pytest.mark.parametrize("way", WAYS)
def test_killed_and_extended_run__is_the_longer_one(way: str, tiny: Study, tmp_path: Path) -> None:
    run_question(tiny, 128, SEED, store=tmp_path / "whole", **WAYS[way])

    def killed() -> None:
        kill_at(20)
        run_question(tiny, 64, SEED, store=tmp_path / "run", **WAYS[way])

    assert in_a_child(killed) == signal.SIGKILL
    run_question(tmp_path / "run", resume=True)
    run_question(tmp_path / "run", extend=64)
    sweep(tmp_path / "run")

    assert tree(tmp_path / "run") == tree(tmp_path / "whole")


def test_shards_of_evenly_spread_points__fill_one_store(tiny_path: Path, tmp_path: Path) -> None:
    words = ["run", tiny_path, "-n", 64, "--seed", SEED, "--block-size", 20, "--sobol", "--store"]
    for shard in ("1/2", "2/2"):
        assert in_this_process([*words, tmp_path / "shared", "--shard", shard]).stderr == ""
    in_this_process([*words, tmp_path / "whole"])
    other = in_this_process(
        ["run", tiny_path, "-n", 64, "--seed", SEED, "--block-size", 20, "--store", tmp_path / "whole", "--shard", "1/2"]
    )

    assert tree(tmp_path / "shared") == tree(tmp_path / "whole")
    assert "shards must be of one run; found another columns" in other.stderr


def test_evenly_spread_points__are_doubled(tiny: Study, tmp_path: Path) -> None:
    run_question(tiny, 64, SEED, store=tmp_path / "run", sobol=True)
    before = tree(tmp_path / "run")
    with pytest.raises(UsageError, match=r"must be doubled, or doubled again; found 64 and 10 more\. Use extend=64 or extend=192"):
        run_question(tmp_path / "run", extend=10)
    assert tree(tmp_path / "run") == before


@pytest.mark.usefixtures("small_first_size")
@pytest.mark.parametrize("point", [None, 2, 30, 45])
def test_precise_run__is_that_in_memory_wherever_it_was_killed(point: int | None, tiny: Study, tmp_path: Path) -> None:
    held = run_question(tiny, seed=SEED, until=GOAL)
    assert held.precise is not None
    assert len(held.precise.sizes) > 1
    if point is None:
        stored = run_question(tiny, seed=SEED, until=GOAL, store=tmp_path / "run")
    else:

        def killed() -> None:
            kill_at(point)
            run_question(tiny, seed=SEED, until=GOAL, store=tmp_path / "run")

        assert in_a_child(killed) == signal.SIGKILL
        whole = tmp_path / "whole"
        run_question(tiny, seed=SEED, until=GOAL, store=whole)
        if not (tmp_path / "run" / "run.json").exists():
            stored = run_question(tiny, seed=SEED, until=GOAL, store=tmp_path / "run")
        else:
            stored = run_question(tmp_path / "run", resume=True)
        sweep(tmp_path / "run")
        assert tree(tmp_path / "run") == tree(whole)

    assert_equal(stored, held)
    assert stored.precise is not None
    assert (stored.precise.sizes, stored.precise.reached) == (held.precise.sizes, held.precise.reached)
    assert open_store(tmp_path / "run").record.looked_at == held.precise.sizes[:-1]


@pytest.mark.usefixtures("small_first_size")
def test_precision__may_be_asked_of_a_run_that_is_there(tiny: Study, tmp_path: Path) -> None:
    plain = run_question(tiny, 50, SEED, store=tmp_path / "run")
    precise = run_question(tmp_path / "run", until=GOAL)
    finer = run_question(tmp_path / "run", until="p_loss se<0.03")
    again = run_question(tmp_path / "run")

    assert plain.n_replications < precise.n_replications < finer.n_replications == again.n_replications
    assert precise.table == run_question(tiny, precise.n_replications, SEED).table
    assert again.precise is not None
    assert str(again.precise.reached[0].goal) == "p_loss se<0.03"
    with pytest.raises(UsageError, match=f"at_most: must be no less than the {finer.n_replications} replications that are there"):
        run_question(tmp_path / "run", until="p_loss se<0.01", at_most=100)


@pytest.mark.usefixtures("small_first_size")
def test_run_that_is_not_yet_precise__is_refused_without_resume(
    tiny: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        # Stopped between two sizes: all blocks are there, and the goal is not met.
        patch.setattr("simengine.questions.run.answer.stored_results", lambda store: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run_question(tiny, seed=SEED, until=GOAL, store=tmp_path / "run")

    with pytest.raises(ResultsError, match="the precision of the run must be reached before it is answered from; found 64 repl"):
        run_question(tmp_path / "run")
