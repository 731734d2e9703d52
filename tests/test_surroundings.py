"""Surroundings that nobody would wish for: encodings, settings of others, signals, names that act on a terminal, full memory."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from simengine import Study, find_study, load_study, run_study
from simengine.interruption import end_if_given_up
from simengine.questions.run import picture
from simengine.replications.blocks import map_items
from simengine.risk import summarise
from simengine.settlement import payment_marks
from tests.command import in_this_process

ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
TITLE = "Łódź → 漢字 ± “x”"


def call(*arguments: object, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "simengine", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, cwd=cwd, env=os.environ | environment, check=False)


# All that is asked in an encoding is asked of one process, each answer ended by a zero.
ASK_IN_TURN = """
import json, sys
from simengine.cli.main import run_command
for asked in json.loads(sys.argv[1]):
    sys.argv = ["simengine", *asked]
    try:
        run_command()
    except SystemExit as end:
        assert not end.code, end.code
    sys.stdout.flush()
    sys.stdout.buffer.write(bytes(1))
"""


@cache
def shown_in(encoding: str, path: Path) -> tuple[str, ...]:
    """Return what is shown of a check, of a check in JSON and of a run, on a terminal of an encoding."""
    titled = (str(path), "--set", f"study.title={TITLE}")
    asked = [("check", *titled), ("check", *titled, "--json"), ("run", *titled, "-n", "40", "--seed", "1")]
    done = subprocess.run(
        [sys.executable, "-c", ASK_IN_TURN, json.dumps(asked)],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": encoding},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return tuple(done.stdout.decode(encoding).split("\0")[:-1])


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_output__is_shown_in_any_encoding(encoding: str, tiny_path: Path) -> None:
    check, as_json, run = shown_in(encoding, tiny_path)

    assert {"ascii": "?odz -> ?? +/- ?x?", "cp1252": "?ódz -> ?? ± “x”", "utf-8": TITLE}[encoding] in check
    assert ("+/-" if encoding == "ascii" else "±") in run
    # JSON is ASCII whatever a title holds.
    assert json.loads(as_json.encode(encoding).decode("ascii"))["title"] == TITLE


def test_names_of_files__do_not_act_on_the_terminal(tiny_path: Path, tmp_path: Path) -> None:
    name = "\x1b]0;owned\x07\u202e.yaml"
    (tmp_path / name).write_text(tiny_path.read_text())

    alone = call("check", name, cwd=tmp_path)
    shown = [
        in_this_process(["check", "absent" + name], tmp_path),
        in_this_process(["check", name, f"--\x1b[2J{name}"], tmp_path),
        in_this_process(["replay", name, "--outcome", "\x1b[31m=1"], tmp_path),
    ]

    assert [alone.returncode, *(one.returncode for one in shown)] == [0, 2, 2, 2]
    for text in ((alone.stdout + alone.stderr).decode(), *(one.stdout + one.stderr for one in shown)):
        assert not ACTS.search(text)
        assert "\\x1b" in text


def test_pictures_and_tables__show_escaped_what_a_study_made_in_python_holds(
    tiny: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    from simengine.questions.run.tables import risk_tables
    from simengine.report import tables

    heading = tiny.study.model_copy(update={"title": "a\x1b[2J\x00\x07\u202eb"})
    study = tiny.model_copy(update={"study": heading})
    results = run_study(study, seed=1, n_replications=40)
    table = summarise(results)

    image = picture.draw_run(study, results, table, payment_marks(study.contract, results))
    tables.show(risk_tables(study, table, 1))

    ElementTree.fromstring(image["svg"])
    assert not ACTS.search(image["svg"].decode())
    assert not ACTS.search(capsys.readouterr().out)


def test_pictures__are_the_same_under_settings_of_others(tiny_path: Path, tmp_path: Path) -> None:
    settings = tmp_path / "settings"
    settings.mkdir()
    (settings / "matplotlibrc").write_text("text.usetex: True\nfont.family: serif\nsvg.hashsalt: other\nno.such.key: 1\n")
    asked = ("run", tiny_path, "-n", 40, "--seed", 1, "--pictures", "both")

    plain = in_this_process([*asked, "-o", tmp_path / "plain"])
    other = call(*asked, "-o", tmp_path / "other", cwd=settings, MPLBACKEND="nonsense")

    assert (plain.returncode, other.returncode, other.stderr) == (0, 0, b"")
    for name in ("picture.svg", "picture.png", "exceedance.svg", "exceedance.png"):
        assert (tmp_path / "plain" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


DRAW_NOTHING = [
    ["check", "tiny.yaml"],
    ["run", "tiny.yaml", "-n", "20"],
    ["lint", "contracts/norrkoping.yaml"],
    ["explain", "contracts/norrkoping.yaml"],
    ["replay", "--all"],
]
# One process for all of them: what one has loaded stays loaded for the next, so that the first to load it is named.
ASK_ALL = f"""
import sys
from simengine.cli.main import run_command
for asked in {DRAW_NOTHING!r}:
    sys.argv = ["simengine", *asked]
    try:
        run_command()
    except SystemExit:
        pass
    sys.stderr.write(f"{{asked[0]}}: {{'matplotlib' in sys.modules}} ")
"""


def test_commands__that_draw_nothing_do_not_load_matplotlib(checkout: Path) -> None:
    done = subprocess.run([sys.executable, "-c", ASK_ALL], capture_output=True, text=True, cwd=checkout / "configs", check=False)

    assert done.stderr == "check: False run: False lint: False explain: False replay: False "


# It says when its fourth batch begins, with all loaded and compiled; what is done there, and how it ends, is the program's own.
SAY_WHEN_IT_IS_AT_WORK = """
from simengine.cohort import people
end_if_given_up, batches = people.end_if_given_up, []
def tell():
    batches.append(1)
    if len(batches) == 4:
        print("at work", flush=True)
    end_if_given_up()
people.end_if_given_up = tell
from simengine.start import main
main()
"""


def _ended_by(number: signal.Signals, after: float, start: Sequence[str], *arguments: object) -> tuple[int, str, float]:
    """Return the exit code of a command that is sent a signal, what it said, and the seconds until it ended.

    The signal is sent some time after the start or, where the command says so, after it has said that it is at work.
    """
    process = subprocess.Popen(
        [sys.executable, *start, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    if "-c" in start:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
    time.sleep(after)
    process.send_signal(number)
    sent = time.monotonic()
    _, said = process.communicate(timeout=120)
    return process.returncode, said, time.monotonic() - sent


@pytest.mark.skipif(os.name != "posix", reason="this system sends other signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals__end_a_run_of_large_blocks_at_its_next_batch(number: signal.Signals, code: int, tiny_path: Path) -> None:
    # As it stands it would take many minutes in two blocks of 1,000 replications.
    asked = ("run", tiny_path, "-n", 2000, "--seed", 1, "--set", "population.waves.all.size=300000")

    got, said, seconds = _ended_by(number, 0.5, ("-c", SAY_WHEN_IT_IS_AT_WORK), *asked)

    assert (got, said) == (code, "simengine: stopped; nothing was written\n")
    # Left alone it runs for many minutes.
    assert seconds < 30


@pytest.mark.skipif(os.name != "posix", reason="this system sends other signals")
@pytest.mark.parametrize("after", [0.4, 0.7, 1.0])
def test_signals__end_a_start_in_one_line(after: float, tiny_path: Path) -> None:
    assert _ended_by(signal.SIGINT, after, ("-m", "simengine"), "run", tiny_path, "-n", 100)[:2] == (
        130,
        "simengine: stopped; nothing was written\n",
    )


def test_work__that_nobody_waits_for_ends_at_its_next_batch() -> None:
    begun = threading.Barrier(2)

    def work(item: int) -> int:
        begun.wait(timeout=60)
        if item == 0:
            raise KeyboardInterrupt
        for _ in range(6000):  # a minute, unless it is told
            end_if_given_up()
            time.sleep(0.01)
        return item

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        map_items(work, [0, 1], 2, threads=2)

    assert time.monotonic() - started < 30


def test_work__that_nobody_may_give_up_is_done_in_full() -> None:
    end_if_given_up()

    assert map_items(lambda item: item, [1, 2, 3], 3, threads=2) == [1, 2, 3]


PORTFOLIO = """\
portfolio: {{title: Two, currency: SEK, kind: outcomes_fund, capital: 1000000, months: 24}}
projects:
  a: {{study: {}}}
"""


@pytest.mark.parametrize(
    "study", ["{tmp}/elsewhere.yaml", "../elsewhere.yaml", "./../elsewhere.yaml", "'C:/x.yaml'", "'..\\x.yaml'", "link.yaml"]
)
def test_portfolio__reads_no_file_elsewhere(study: str, tmp_path: Path) -> None:
    folder = tmp_path / "portfolio"
    folder.mkdir()
    (tmp_path / "elsewhere.yaml").write_text("root:x:0:0:secret\n")
    (folder / "link.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    (folder / "fund.yaml").write_text(PORTFOLIO.format(study.format(tmp=tmp_path)))

    done = in_this_process(["portfolio", folder / "fund.yaml", "-n", 20])

    assert done.returncode == 2
    said = done.stderr
    assert said.startswith(
        f"simengine: {folder / 'fund.yaml'}:3: projects.a.study: the study of a project must stand beside or below"
    )
    assert "secret" not in said


def test_portfolio__names_a_study_that_comes_with_the_package(tmp_path: Path) -> None:
    from simengine.config import load_portfolio

    (tmp_path / "fund.yaml").write_text(PORTFOLIO.format("tiny"))

    assert load_portfolio(tmp_path / "fund.yaml").studies["a"] == load_study(find_study("tiny"))
