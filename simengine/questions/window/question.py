"""What the length of the follow-up does."""

from __future__ import annotations

from typing import Any

from simengine.errors import UsageError
from simengine.questions.question import Option, Question, later


def read_months(text: str) -> list[int]:
    """Read a list of windows."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and int(word[:9]) >= 1 for word in words):
        raise UsageError(f"--months: must be whole numbers from 1, with commas between them, such as 12,24,36; found {text!r}")
    return [int(word[:9]) for word in words]


WINDOW = Question[Any](
    name="window",
    summary="Show how the length of the follow-up in STUDY changes what is measured and each party's money.",
    options=(
        Option(
            "months",
            "The windows to compare in months, each once, with commas between them: 12,24,36,48.",
            metavar="MONTHS",
            is_required=True,
            read=read_months,
            write=lambda months: ",".join(map(str, months)),
        ),
        Option(
            "metric",
            "The metric whose window is changed. If absent: those with the longest window, of the outcomes that are not read at one month.",
            metavar="NAME",
        ),
    ),
    ask=later("simengine.questions.window.answer", "compare_windows"),
    tables=later("simengine.questions.window.tables", "window_tables"),
    picture=later("simengine.questions.window.picture", "draw_windows"),
    keeps="window.json, window.png, study.yaml, run-again.txt",
)
