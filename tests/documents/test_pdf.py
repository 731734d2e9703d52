"""A report as PDF: the same numbers, the same bytes; and what is said where the library is missing."""

from __future__ import annotations

import builtins
import io
import json

import pytest

from simengine import find_study, write_report
from simengine.errors import UsageError

SMALL = {"n": 300, "seed": 1, "further": 50, "sections": ["question", "parties"], "language": "sv"}


@pytest.fixture
def made(tmp_path):
    pytest.importorskip("weasyprint", reason="the extra `pdf` is not installed", exc_type=(ImportError, OSError))
    return [write_report(find_study("tiny"), tmp_path / name, **SMALL) for name in ("a.pdf", "b.pdf", "c.html")]


def test_pdf__is_the_same_twice_and_holds_the_numbers_of_the_run(made):
    pypdf = pytest.importorskip("pypdf")
    one, other, _ = made
    assert one.read_bytes() == other.read_bytes()
    from tests.command import in_this_process

    content = json.loads(in_this_process(["run", find_study("tiny"), "-n", 300, "--seed", 1, "--json"]).stdout)
    reader = pypdf.PdfReader(io.BytesIO(one.read_bytes()))
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    loss = f"{100 * content['investor']['p_loss']['value']:.1f}".replace(".", ",")
    assert loss in text
    # Each party begins on a page of its own.
    assert len(reader.pages) >= 1 + len(content["parties"])


def test_missing_library__is_one_message_that_says_what_to_install(tmp_path, monkeypatch):
    load = builtins.__import__

    def refuse(name, *more, **others):
        if name == "weasyprint":
            raise OSError("cannot load library 'pango-1.0-0'")
        return load(name, *more, **others)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(UsageError, match=r"pip install 'simengine\[pdf\]'"):
        write_report(find_study("tiny"), tmp_path / "a.pdf", **SMALL)
    assert list(tmp_path.iterdir()) == []
