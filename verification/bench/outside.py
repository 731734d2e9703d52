"""Run the adapters that the page "Benchmark your method" shows, as it shows them, and print what they came to.

Run with `python -m verification.bench.outside`: it writes `verification/bench/outside.csv`, of which the page shows the table. An adapter
whose library is missing is left out, with a message; those of BoTorch and sbi take too long for the table.
"""

from __future__ import annotations

import re
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from simengine.bench.results import summarise_attempts, table_text
from simengine.bench.run import run_methods

CHECKOUT = Path(__file__).resolve().parent.parent.parent
PAGE = CHECKOUT / "docs" / "how-to" / "benchmark-your-method.md"
TABLE = Path(__file__).resolve().parent / "outside.csv"
BOTORCH, SBI = "by_botorch:botorch_search", "by_sbi:neural_posterior"
DEAR = (BOTORCH, SBI)
"""Adapters whose attempts take half a minute each: they are shown and tested, and in no table."""
CHOICES = [
    "a_price_that_covers",
    "a_guarantee_and_a_price",
    "a_trigger_and_a_prize",
    "places_to_fund",
    "three_designs",
    "a_bonus_for_effort",
]
AMOUNTS = ["a_smooth_saving", "a_deep_tail", "a_fund_of_eight"]
ADAPTERS = {
    "by_scipy:annealing": ("scipy", CHOICES, 10_000),
    "by_pymoo:pymoo_ga": ("pymoo", CHOICES, 10_000),
    "by_ema:ema_policies": ("ema_workbench", CHOICES, 10_000),
    "by_sklearn:expected_improvement": ("sklearn", CHOICES, 10_000),
    BOTORCH: ("botorch", CHOICES, 10_000),
    SBI: ("sbi", ["a_level_and_a_trend"], 1000),
    "by_salib:salib_latin": ("SALib", AMOUNTS, 1024),
}
"""By adapter: its library, the problems, the budget."""


def shown_adapters() -> dict[str, str]:
    """Return the modules that the page shows, by the names of their files."""
    text = PAGE.read_text(encoding="utf-8")
    return dict(re.findall(r"^<!-- save (by_\w+\.py) -->\n\n```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


def main() -> None:
    """Run the adapters and write the table."""
    attempts = []
    with tempfile.TemporaryDirectory() as folder:
        for name, source in shown_adapters().items():
            (Path(folder) / name).write_text(source, encoding="utf-8")
        sys.path.insert(0, folder)
        for method, (library, problems, budget) in ADAPTERS.items():
            if method in DEAR:
                continue
            if find_spec(library) is None:
                print(f"{method}: left out; {library} is not installed")
                continue
            attempts += run_methods([method], problems, budgets=[budget])
    lines = sorted(summarise_attempts(attempts), key=lambda line: (line.family, line.problem, line.measure))
    TABLE.write_text(table_text(lines))
    print("| problem | measure | method | score | ± |\n|---|---|---|---|---|")
    for line in lines:
        print(f"| `{line.problem}` | {line.measure} | `{line.method}` | {line.score:.3g} | {line.score_se:.2g} |")


if __name__ == "__main__":
    main()
