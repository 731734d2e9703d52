"""Hand random changes of valid files to the commands for some time, and list what must not have been.

Run with `python -m verification.fuzzing [--seconds 600] [--first 0] [--keep folder] [kind ...]`. Work goes on in another process,
which is ended and begun anew where an input takes too long. Inputs that were found wanting are kept; each seed is the same input again.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

from verification.fuzzing.subjects import MOST_SECONDS, SUBJECTS, by_choices, kinds, where_it_broke

_BYTES = 200
_PATIENCE_SECONDS = 4 * MOST_SECONDS


def main() -> int:
    """Print figures by kind; 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", choices=[[], *SUBJECTS])
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--keep", type=Path, default=None, help="folder for inputs that were found wanting")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        _work(kinds(options.kinds), options.first, options.keep)
    until, number, n_inputs, findings = (
        time.monotonic() + options.seconds,
        options.first,
        Counter[tuple[str, str]](),
        dict[str, list[str]](),
    )
    while time.monotonic() < until:
        number = _watched(options.kinds, number, options.keep, until, n_inputs, findings)
    print(f"{n_inputs.total():,} inputs in {options.seconds:,.0f} s; {len(findings)} kinds of findings")
    for kind in kinds(options.kinds):
        print(f"{kind:12}{n_inputs[kind, 'answered']:8,} answered {n_inputs[kind, 'refused']:8,} refused")
    for cause, seeds in findings.items():
        print(f"{len(seeds):5}  {cause}  (such as {', '.join(seeds[:4])})")
    return 1 if findings else 0


def made_from(number: int) -> bytes:
    """Return the choices of an input by its number."""
    return random.Random(number).randbytes(_BYTES)


def _work(names: list[str], first: int, keep: Path | None) -> None:
    """Go through inputs from a number on, and say before and after each how it went; for ever."""
    with tempfile.TemporaryDirectory() as folder:
        number = first
        while True:
            kind = names[number % len(names)]
            print(json.dumps({"number": number, "kind": kind}), flush=True)
            found = by_choices(kind, made_from(number), Path(folder))
            cause = where_it_broke(found.error) if found.error else found.finding
            if cause and keep is not None:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{kind}-{number}{SUBJECTS[kind].suffix}").write_bytes(found.data)
                (keep / f"{kind}-{number}.txt").write_text(f"{' '.join(found.words)}\n{found.finding}\n{found.said}")
            print(json.dumps({"number": number, "code": found.code, "seconds": found.seconds, "cause": cause}), flush=True)
            number += 1


def _watched(
    names: list[str],
    first: int,
    keep: Path | None,
    until: float,
    n_inputs: Counter[tuple[str, str]],
    findings: dict[str, list[str]],
) -> int:
    """Watch one process at work until it is late or time is up; return the number of the next input."""
    words = [sys.executable, "-m", "verification.fuzzing", "--work", "--first", str(first), *names]
    words += [] if keep is None else ["--keep", str(keep)]
    said: Queue[str] = Queue()
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        Thread(target=lambda: [said.put(line) for line in process.stdout or ()], daemon=True).start()
        kind, number = "", first
        try:
            while time.monotonic() < until:
                line = json.loads(said.get(timeout=_PATIENCE_SECONDS))
                if "kind" in line:
                    kind, number = line["kind"], line["number"]
                    continue
                n_inputs[kind, "refused" if line["code"] == 2 else "answered"] += 1
                if line["cause"]:
                    findings.setdefault(line["cause"], []).append(f"{kind} {number}")
        except Empty:
            cause = f"ended with {process.poll()}" if process.poll() is not None else f"more than {_PATIENCE_SECONDS:.0f} s"
            findings.setdefault(cause, []).append(f"{kind} {number}")
        finally:
            process.kill()
    return number + 1


if __name__ == "__main__":
    sys.exit(main())
