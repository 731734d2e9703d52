"""Freeze the reference answers and fingerprints of the suite: for whoever adds or changes a problem on purpose.

Run with `python -m verification.bench.freeze`. Answers that a closed form or an enumeration gives are made anew; those of long runs are
kept, and are to be put into `simengine/bench/reference.json` by hand from what their programs print. It says which problems changed.
"""

from __future__ import annotations

import json

from simengine.bench.problem import REFERENCE, fingerprint_of
from simengine.bench.suite import suite


def main() -> None:
    """Write `reference.json` anew."""
    before, now = json.loads(REFERENCE.read_text(encoding="utf-8")), {}
    for problem in suite():
        name = problem.card.name
        old = before.get(name, {})
        now[name] = {
            "from": problem.card.answer_from,
            "fingerprint": fingerprint_of(problem),
            "answers": problem.remade() or old.get("answers", {}),
        }
        if old != now[name]:
            print(f"{name}: {'changed' if old else 'new'}")
    REFERENCE.write_text(json.dumps(now, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
