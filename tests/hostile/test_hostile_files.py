"""Files that were changed by mistake, by a broken disk or on purpose: one clear message or a valid answer, never anything else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import sized
from verification.fuzzing.subjects import SUBJECTS, attempt, by_choices

CORPUS = sorted(path for path in Path(__file__).with_name("corpus").glob("*/*") if path.is_file())
"""By kind: files named by the command that reads them, then by what is wrong with them. Some were found by fuzzing."""
QUICK = {"study": 8, "contract": 25, "portfolio": 10, "conformance": 25, "seal": 25, "outcomes": 15, "spells": 15, "mapping": 25}
QUICK |= {"store": 12, "results": 6}


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_file_of_the_corpus__is_answered_or_refused_in_one_message(path: Path, tmp_path: Path) -> None:
    kind, word = path.parent.name, path.name.partition("-")[0]
    command = next(place for place, words in enumerate(SUBJECTS[kind].commands) if words[0] == word)

    found = attempt(kind, path.read_bytes(), command, tmp_path)

    assert found.finding == ""


@pytest.mark.parametrize("kind", SUBJECTS)
def test_changed_file__is_answered_or_refused_in_one_message(kind: str, tmp_path: Path) -> None:
    @settings(max_examples=sized(QUICK[kind], 100 * QUICK[kind]), suppress_health_check=list(HealthCheck))
    @given(data=st.binary(min_size=60, max_size=60))
    def check(data: bytes) -> None:
        assert by_choices(kind, data, tmp_path).finding == ""

    check()


def test_every_kind__has_a_file_that_is_refused_and_one_that_is_answered(tmp_path: Path) -> None:
    """If the commands were asked wrongly, everything would be refused, and nothing above could fail."""
    for kind, subject in SUBJECTS.items():
        assert attempt(kind, b"\x00", 0, tmp_path).code == 2
        assert attempt(kind, subject.valid(), 0, tmp_path).code in (0, 1), kind
