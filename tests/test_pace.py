"""How long work takes is worked out from a few replications, and said before it is long."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from simengine.cli.options import say_if_long
from simengine.errors import Problem, StudyError
from simengine.replications import blocks
from simengine.replications.blocks import map_blocks


class Clock:
    """A clock that only work moves on: each block takes its time, and each replication its own."""

    def __init__(self, of_a_block: float, of_one: float) -> None:
        self.now, self.of_a_block, self.of_one = 0.0, of_a_block, of_one
        self.worked: list[int] = []

    def work(self, replications: np.ndarray) -> int:
        self.now += self.of_a_block + self.of_one * len(replications)
        self.worked.append(len(replications))
        return len(replications)


def paces(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, n: int, threads: int = 1, block_size: int = 1000
) -> list[tuple[float, int, int]]:
    monkeypatch.setattr(blocks, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    said: list[tuple[float, int, int]] = []
    map_blocks(clock.work, n, threads=threads, block_size=block_size, on_pace=lambda *one: said.append(one))
    return said


@pytest.mark.parametrize(("of_a_block", "of_one"), [(0.4, 0.01), (0.0, 0.1), (0.3, 0.0)])
@pytest.mark.parametrize(("n", "threads", "block_size", "n_blocks"), [(4000, 1, 1000, 4), (4000, 2, 1000, 4), (1000, 2, 1000, 2)])
def test_pace__tells_blocks_from_replications(
    monkeypatch: pytest.MonkeyPatch, of_a_block: float, of_one: float, n: int, threads: int, block_size: int, n_blocks: int
) -> None:
    # By hand: every block takes its own time, every replication its own; threads share them evenly.
    expected = (of_a_block * n_blocks + of_one * n) / threads

    assert paces(monkeypatch, Clock(of_a_block, of_one), n, threads, block_size) == [(pytest.approx(expected), n, threads)]


def test_pace__of_slow_replications_is_told_by_the_first_few(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(of_a_block=0.0, of_one=0.45)
    # By hand: one alone that takes 1 + 2 seconds tells enough, 300 x 3; of those that take 0.45 more are timed, 300 x 0.45.
    slower = Clock(of_a_block=1.0, of_one=2.0)

    assert paces(monkeypatch, slower, 300) == [(pytest.approx(900), 300, 1)]
    assert slower.worked == [1, 1, 300]
    assert paces(monkeypatch, clock, 300) == [(pytest.approx(135), 300, 1)]
    assert clock.worked == [1, 1, 6, 24, 300]


def test_pace__is_not_asked_for_where_work_is_soon_done(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(of_a_block=0.0, of_one=1.0)

    assert paces(monkeypatch, clock, 100) == []
    assert clock.worked == [100]


def test_pace__of_work_that_cannot_be_done_leaves_the_refusal_to_the_work() -> None:
    def work(replications: np.ndarray) -> int:
        raise StudyError([Problem("the run", "", f"seen in {len(replications)} replications")])

    with pytest.raises(StudyError, match="seen in 300 replications"):
        map_blocks(work, 300, threads=1, on_pace=lambda *_: None)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (9.0, ""),
        (14.0, "simengine: this takes about 10 seconds on 2 threads; a smaller -n takes less\n"),
        (2460.0, "simengine: this takes about 41 minutes on 2 threads; a smaller -n takes less\n"),
    ],
)
def test_long_work__is_announced_once_on_stderr(capsys: pytest.CaptureFixture[str], seconds: float, said: str) -> None:
    announce = say_if_long(2000)

    announce(seconds / 2, 1000, 2)  # half of the work that is announced
    announce(seconds, 1000, 2)

    assert capsys.readouterr() == ("", said)
