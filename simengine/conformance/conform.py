"""Hold a program against contracts whose payments are known."""

from __future__ import annotations

from pathlib import Path

from simengine.config.conformance import ConformanceFile, conformance_files, load_conformance
from simengine.conformance.balances import Balances, expected_of, settle_case
from simengine.conformance.comparison import Conformance, compared
from simengine.conformance.results_file import read_results
from simengine.currencies import decimals_of


def conform(place: Path | str | None = None, results: Path | str | None = None) -> Conformance:
    """Compare what a program pays with what is known to be paid, case by case, to the smallest unit.

    Parameters
    ----------
    place
        A conformance file, or a folder of them; absent: those that come with the package.
    results
        A file with the results of another program; absent: this program settles the cases.

    Raises
    ------
    StudyError
        With everything that is wrong with a file.

    Examples
    --------
    >>> conform().agrees
    True
    """
    files = {path.stem: load_conformance(path) for path in conformance_files(place)}
    found = _settled(files) if results is None else read_results(results, {name: file.cases for name, file in files.items()})
    cases = [
        compared(
            name,
            case_name,
            (file.contract.currency, decimals_of(file.contract.currency)),
            expected_of(case),
            found.get(name, {}).get(case_name),
            is_given=case_name in found.get(name, {}),
        )
        for name, file in files.items()
        for case_name, case in file.cases.items()
    ]
    return Conformance("simengine" if results is None else Path(results).name, tuple(cases), found)


def _settled(files: dict[str, ConformanceFile]) -> dict[str, dict[str, Balances | None]]:
    """Settle all cases with this program."""
    return {name: {case_name: settle_case(file, case) for case_name, case in file.cases.items()} for name, file in files.items()}
