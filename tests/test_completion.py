"""Completion in the shell: the script that the program prints, and what it answers when the tab key is pressed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import in_this_process
from tests.conftest import CHECKOUT

SHELLS = ("bash", "zsh", "fish")


def completed(*words: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Press the tab key behind some words, the last of which is begun, in bash; each answer is `kind,text`."""
    monkeypatch.setenv("_SIMENGINE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", " ".join(("simengine", *words)))
    monkeypatch.setenv("COMP_CWORD", str(len(words)))
    done = in_this_process([])
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize("shell", SHELLS)
def test_script__is_printed_and_the_page_says_how_to_load_it(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_SIMENGINE_COMPLETE", f"{shell}_source")
    if shell == "bash" and shutil.which("bash") is None:
        pytest.skip("bash is asked for its version first")

    done = in_this_process([])

    assert (done.returncode, done.stderr) == (0, "")
    assert "_simengine_completion" in done.stdout
    assert re.search(rf"^.*_SIMENGINE_COMPLETE={shell}_source simengine", (CHECKOUT / "docs/install.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("st",), ["plain,stress"]),
        (("t",), ["plain,trace", "plain,tradeoffs"]),
        (("stress", "--rev"), ["plain,--reverse"]),
        (("size", "study.yaml", "--su"), ["plain,--such-that"]),
        (("run", "conf"), ["file,conf"]),
        (("run", "study.yaml", "-o", "res"), ["file,res"]),
        (("compare", "study.yaml", "contr"), ["file,contr"]),
    ],
)
def test_tab__completes_commands_options_and_files(
    words: tuple[str, ...], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sorted(completed(*words, monkeypatch=monkeypatch)) == expected


@pytest.mark.skipif(os.name != "posix" or shutil.which("bash") is None, reason="needs bash")
def test_bash__completes_with_the_line_of_the_page(tmp_path: Path) -> None:
    """A real bash loads the script by the line that the page gives, and is asked for `simengine st`."""
    program = tmp_path / "simengine"
    program.write_text(f"#!{sys.executable}\nfrom simengine.start import main\nmain()\n")
    program.chmod(0o755)
    line = re.search(r"^eval .*bash_source.*$", (CHECKOUT / "docs/install.md").read_text(), re.MULTILINE)
    assert line is not None
    press = 'COMP_WORDS=(simengine st); COMP_CWORD=1; _simengine_completion simengine; echo "${COMPREPLY[@]}"'
    paths = {"PATH": os.pathsep.join([str(tmp_path), os.environ["PATH"]]), "PYTHONPATH": str(CHECKOUT)}

    done = subprocess.run(
        ["bash", "--norc", "-c", f"{line.group()}\n{press}"], capture_output=True, text=True, env=os.environ | paths, check=False
    )

    assert done.stdout.split() == ["stress"], done.stderr
