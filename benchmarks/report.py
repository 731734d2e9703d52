"""What a report takes, part by part: CPU seconds of its questions, its sections and its page, and their shares of the whole.

Run with `python -m benchmarks.report [STUDY ...] [--replications 2000] [--further 500]`. The run itself is made beforehand and kept: it
is no part of a report of a run. Compare shares, not seconds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from simengine import find_study
from simengine.cli.main import commands
from simengine.documents import compose, pictures
from simengine.documents.write import ReportAsked, reported
from simengine.questions.driver import Posed
from simengine.questions.subject import Size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies", nargs="*", default=["tiny", "norrkoping", "two_lenders", "outcomes_fund_children"])
    parser.add_argument("--replications", type=int, default=2000)
    parser.add_argument("--further", type=int, default=500)
    options = parser.parse_args()
    for name in options.studies:
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            size = ["-n", str(options.replications), "--seed", "1", "-o", str(run)]
            commands(["run", str(find_study(name)), *size], standalone_mode=False)
            spent, whole = parts_of(run, options.further)
        print(f"\n{name}: {whole:.1f} s of CPU")
        for part, seconds in sorted(spent.items(), key=lambda one: -one[1]):
            print(f"  {part:28}{seconds:7.2f} s   {100 * seconds / whole:4.0f} %")


def parts_of(run: Path, further: int) -> tuple[dict[str, float], float]:
    """Write a report of a kept run, and return CPU seconds by part, and of all together; pictures are a part of their sections."""
    spent: dict[str, float] = defaultdict(float)

    def timed(name: str, function: Any) -> Any:
        def call(*words: Any, **options: Any) -> Any:
            started = time.process_time()
            try:
                return function(*words, **options)
            finally:
                spent[name] += time.process_time() - started

        return call

    def answered(posed: Posed, name: str) -> Any:
        return timed(f"question {name}", posed.answer)()

    save, composed = pictures.save, compose._pages
    pictures.save, compose._pages = timed("pictures, as bytes", save), timed("sections, with pictures", composed)
    started = time.process_time()
    try:
        reported(run, ReportAsked(n_further=further), Size(threads=1), answered)
    finally:
        pictures.save, compose._pages = save, composed
    return dict(spent), time.process_time() - started


if __name__ == "__main__":
    main()
