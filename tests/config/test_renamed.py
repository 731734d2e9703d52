"""Words of before: one message for each, and a file in which they are rewritten and nothing else changes."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from simengine.config import load_study
from simengine.config.load import find_study
from simengine.config.renamed import rewrite_old_words
from simengine.errors import StudyError, UsageError
from tests.command import in_this_process

NOW = find_study("norrkoping").read_text(encoding="utf-8")
"""Holds distributions in short and in long forms, and layers."""
BEFORE = (
    NOW.replace("distribution:", "law:")
    .replace("layer: environment", "layer: world")
    .replace("layer: parameters", "layer: knowledge")
)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.yaml"
    path.write_text(BEFORE, encoding="utf-8")
    for folder in ("contracts", "rates"):
        shutil.copytree(find_study("norrkoping").parent / folder, tmp_path / folder)
    return path


def test_old_word__is_refused_with_the_new_one_its_line_and_the_way_out(old: Path) -> None:
    line = next(n for n, text in enumerate(BEFORE.splitlines(), 1) if "law:" in text and not text.strip().startswith("#"))
    with pytest.raises(StudyError) as caught:
        load_study(old)
    said = str(caught.value)
    assert f"old.yaml:{line}" in said
    assert "`law` is now `distribution`; found `law`. `simengine check --fix FILE` writes all new words into a file" in said


def test_old_word__given_from_python_or_the_command_line_is_refused_too(tmp_path: Path) -> None:
    path = "effect.sooner_home.hazard_ratio"
    with pytest.raises(StudyError, match="`law` is now `distribution`"):
        load_study(find_study("norrkoping"), {path: {"law": "uniform", "low": 0.8, "high": 1.2}})
    done = in_this_process(["run", find_study("norrkoping"), "--set", f"{path}={{law: uniform, low: 0.8, high: 1.2}}", "-n", "10"])
    assert done.returncode == 2
    assert "`law` is now `distribution`" in done.stderr
    with pytest.raises(StudyError, match="`luck` is now `sampling`"):
        load_study(find_study("norrkoping"), {f"{path}.layer": "luck"})


def test_fix__rewrites_every_old_word_and_nothing_else(old: Path) -> None:
    old.chmod(0o640)
    number = rewrite_old_words(old)
    # A comment may speak of anything.
    assert old.read_text(encoding="utf-8") == NOW
    assert number == sum(BEFORE.count(word) for word in ("law: ", "layer: world", "layer: knowledge"))
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert rewrite_old_words(old) == 0
    assert {path.name for path in old.parent.iterdir()} == {"old.yaml", "contracts", "rates"}, "nothing is left behind"
    load_study(old)


def test_fix__leaves_names_that_somebody_chose_and_quoted_text_alone(tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    text = 'outcomes:\n  law: {kind: amount}   # the law: uniform\n  b: {"law": "beta", note: "law: beta", mean: 0.1, sd: 0.01}\n'
    path.write_text(text, encoding="utf-8")
    assert rewrite_old_words(path) == 1
    assert path.read_text(encoding="utf-8") == text.replace('"law"', '"distribution"')


def test_fix__keeps_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "windows.yaml"
    path.write_bytes(b"a: {law: beta}\r\nb: {law: gamma}\r\n")
    assert rewrite_old_words(path) == 2
    assert path.read_bytes() == b"a: {distribution: beta}\r\nb: {distribution: gamma}\r\n"


def test_fix__says_what_it_did_and_then_checks(old: Path) -> None:
    done = in_this_process(["check", old, "--fix"])
    assert (done.returncode, done.stdout.count("valid, ")) == (0, 1), done.stderr
    assert "words rewritten" in done.stderr
    again = in_this_process(["check", old, "--fix"])
    assert "no word was out of date" in again.stderr


def test_fix__of_a_file_that_cannot_be_written_leaves_it(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(
        UsageError,
        match=r"--fix .*old.yaml: must be a file that can be written; found No space left on device. The file is as it was",
    ):
        rewrite_old_words(old)
    assert old.read_text(encoding="utf-8") == BEFORE
    assert {path.name for path in old.parent.iterdir()} == {"old.yaml", "contracts", "rates"}
