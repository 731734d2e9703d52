"""Work out every case of the conformance set from its words, and compare with what its file expects: `python -m verification.conformance`.

With `--mutations` the table of errors that were planted in the terms, and the cases that catch each of them.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable

from verification.conformance import of_measurements, of_people
from verification.conformance.ledger import FOLDER, CannotSettleError, Story, stories


def calculators() -> dict[str, Callable[[Story], None]]:
    """Return the calculator of each contract by the name of its file."""
    return {
        name: function
        for module in (of_measurements, of_people)
        for name, function in vars(module).items()
        if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_")
    }


def differences() -> tuple[int, list[str]]:
    """Return the number of cases, and those that come out otherwise than their files say."""
    known, number, wrong = calculators(), 0, []
    for path in sorted(FOLDER.glob("*.json")):
        for case, (told, expected) in stories(path.stem).items():
            number += 1
            try:
                known[path.stem](told)
                found = told.balances()
            except CannotSettleError:
                found = None
            if found != expected:
                wrong.append(f"{path.stem}.{case}: expected {expected}, worked out {found}")
    return number, wrong


if __name__ == "__main__":
    if "--mutations" in sys.argv:
        from verification.conformance.mutations import table

        print(table())
    else:
        n_cases, wrong_ones = differences()
        print("\n".join(wrong_ones))
        print(f"{n_cases - len(wrong_ones)} of {n_cases} cases come out as their files say.")
        sys.exit(1 if wrong_ones else 0)
