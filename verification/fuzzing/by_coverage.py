"""Let a fuzzer that sees which code an input reaches choose what is changed: atheris, which is installed for this alone.

Run with `pip install atheris`, then `python -m verification.fuzzing.by_coverage study -max_total_time=600`: the kind of file, then
what libFuzzer takes. Only the readers are looked at, not the simulation: an input takes a few milliseconds. A reader that fails in a
way in which it must not stops the run and leaves the input as `crash-...`; `python -m verification.fuzzing.by_coverage study crash-...`
hands it over again. New files of interest are kept with `-artifact_prefix` and a folder as further argument, as libFuzzer does.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(
    include=[f"simengine.{room}" for room in ("config", "seals", "spells", "conformance", "store", "report")]
):
    from simengine.config import load_contract, load_study
    from simengine.config.conformance import load_conformance
    from simengine.config.portfolio import load_portfolio
    from simengine.config.table_file import read_table
    from simengine.errors import UNSEEN, SimengineError
    from simengine.report.kept import read_run
    from simengine.seals.document import read_seal
    from simengine.spells import read_spells
    from simengine.store.folder import open_store
    from simengine.store.stored_results import stored_results

from verification.fuzzing.folders import MADE
from verification.fuzzing.mutations import Choices
from verification.fuzzing.subjects import CONFIGS, SUBJECTS

READERS: dict[str, Callable[[Path], Any]] = {
    "study": load_study,
    "contract": load_contract,
    "portfolio": load_portfolio,
    "conformance": load_conformance,
    "seal": read_seal,
    "outcomes": read_table,
    "spells": read_spells,
    "store": lambda folder: list(stored_results(open_store(folder)).windows()),
    "results": read_run,
    "mapping": lambda path: read_spells(CONFIGS / "spells" / "reports_made_up.csv", path),
}


def main() -> None:
    kind, rest = sys.argv[1], sys.argv[2:]
    if SUBJECTS[kind].folder:
        # A run compiles kernels, which instrumented code cannot be a part of: so another process makes it.
        code = f"from verification.fuzzing.folders import base; print(base({kind!r}))"
        MADE[kind] = Path(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip())
    folder = Path(tempfile.mkdtemp())

    def one(data: bytes) -> None:
        """Read a file: the bytes themselves where they begin with 0, else a valid one changed as they say."""
        content = data[1:] if data[:1] == b"\x00" else SUBJECTS[kind].made(Choices(data[1:]))
        file = SUBJECTS[kind].placed(folder, content)
        try:
            READERS[kind](file)
        except SimengineError as refused:
            if UNSEEN.search(str(refused)):
                raise ValueError(f"a character that acts unseen in the message {str(refused)!r}") from refused

    atheris.Setup([sys.argv[0], "-len_control=0", "-max_len=200", *rest], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
