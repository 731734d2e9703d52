"""What one would do next: `simengine` alone shows commands that run, and loads nothing; hints are for people at a terminal."""

from __future__ import annotations

import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from simengine import find_study
from simengine.cli.main import commands
from simengine.cli.next_steps import start_page, suggest
from tests.command import in_this_process


def shown() -> list[list[str]]:
    lines = [line.strip() for line in start_page().splitlines() if line.startswith("  simengine ")]
    return [shlex.split(re.split(r"\s{3,}", line)[0])[1:] for line in lines]


def test_simengine_alone__shows_the_page_and_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = in_this_process([])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == start_page()
    assert str(find_study("norrkoping")) in done.stdout
    assert len(done.stdout.splitlines()) <= 25


def test_commands_of_the_page__are_such_as_the_program_takes() -> None:
    assert {words[0] for words in shown()} >= {"demo", "run", "report", "explain", "size", "fit", "export"}
    for name, *words in shown():
        commands.commands[name].make_context(name, list(words))


def test_commands_of_the_page__run_as_they_stand(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "configs").symlink_to(checkout / "configs")
    monkeypatch.chdir(tmp_path)
    short = {"2000": "60"}
    for words in shown():
        if words[0] in ("run", "report", "workbook", "explain", "lint", "fit", "export"):
            done = in_this_process(
                [short.get(word, word) for word in words] + (["--sections", "question"] * (words[0] == "report"))
            )
            assert done.returncode in (0, 1 if words[0] == "lint" else 0), (words, done.stderr)
    assert (tmp_path / "report.html").is_file()


def test_simengine_alone__loads_no_heavy_library() -> None:
    code = "import sys; sys.argv = ['simengine']\nimport simengine.cli.main as c\n"
    code += "try: c.run_command()\nexcept SystemExit: pass\n"
    code += "print([m for m in ('numba', 'scipy', 'pandas', 'matplotlib', 'pyarrow') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_hint__is_read_at_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, said in (
        (Terminal(), "Next: `simengine report 'my run' -o report.html` or `simengine workbook 'my run'`\n"),
        (io.StringIO(), ""),
    ):
        monkeypatch.setattr(sys, "stderr", stream)
        suggest(("report", "my run", "-o", "report.html"), ("workbook", "my run"))
        assert stream.getvalue() == said


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["check", "{tiny}"], "run {tiny} -n 2000 -o results"),
        (["run", "{tiny}", "-n", "40", "--seed", "1"], "run {tiny} -o results"),
        (["run", "{tiny}", "-n", "40", "--seed", "1", "-o", "kept"], "report kept -o report.html"),
        (["report", "{tiny}", "-n", "40", "--seed", "1", "--sections", "limits", "-o", "a.html"], "run {tiny} -o results"),
        (["fit", "{spells}", "--mapping", "{mapping}"], "fit {spells} --into STUDY -o fitted"),
    ],
)  # fmt: skip
def test_hint__after_a_command_is_one_that_the_program_takes(
    words: list[str], hint: str, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spells = checkout / "configs" / "spells"
    places = {"tiny": find_study("tiny"), "spells": spells / "placements_made_up.csv", "mapping": spells / "mapping.yaml"}
    told: list[tuple[object, ...]] = []
    for room in ("main", "questions", "report", "fit"):
        monkeypatch.setattr(f"simengine.cli.{room}.suggest", lambda *commands, why="": told.extend(commands))
    done = in_this_process([word.format(**places) for word in words], tmp_path)
    assert done.returncode == 0, done.stderr
    said = [list(map(str, one)) for one in told]
    assert said[0] == shlex.split(hint.format(**places))
    for name, *more in said:
        commands.commands[name].make_context(name, more)
