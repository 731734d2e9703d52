"""Write the workbook of a run: whole, or not at all."""

from __future__ import annotations

from pathlib import Path

from simengine.asked import one_of_words
from simengine.errors import UsageError
from simengine.languages.language import ENGLISH_CODE
from simengine.languages.language import language as language_of
from simengine.questions.driver import OnProgress
from simengine.report.excel import require_xlsxwriter
from simengine.report.folder import results_file
from simengine.workbook.about import begin_about, write_about
from simengine.workbook.book import WorkbookFile
from simengine.workbook.by_date import write_expected, write_percentiles
from simengine.workbook.distribution import write_charts, write_distribution
from simengine.workbook.rates import write_discounting
from simengine.workbook.replication import write_replication
from simengine.workbook.terms import write_assumptions, write_terms
from simengine.workbook.told import ToldRun, tell
from simengine.workbook.words import WorkbookWords

EVERY = ("month", "quarter", "year")
WORKBOOK_SUFFIX = ".xlsx"


def write_workbook(
    folder: Path | str,
    file: Path | str,
    *,
    party: str | None = None,
    every: str = "quarter",
    language: str = ENGLISH_CODE,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
) -> Path:
    """Write a run as an Excel file whose totals, present values and rates of return are formulas.

    Parameters
    ----------
    folder
        Of results, as `simengine run -o` writes it.
    file
        The workbook; its name ends in `.xlsx`, and it must not exist.
    party
        The five replications that are shown line by line are ranked by its net; absent: that of who lends.
    every
        The periods of the cash: `month`, `quarter` or `year`.
    language
        Code of the language: "en" or "sv".
    threads
        Blocks that run at once while the cash is drawn again; changes no cell.
    on_progress
        Called with the number of replications of each finished block.

    Returns
    -------
    The place of the workbook.

    Raises
    ------
    ResultsError
        If the folder does not hold a run as it was written, or the file cannot be.
    UsageError
        If there is no such party, or XlsxWriter is not installed.
    """
    one_of_words(every, "--every", EVERY)
    words = WorkbookWords(language_of(language))
    target = Path(file)
    if target.suffix.lower() != WORKBOOK_SUFFIX:
        raise UsageError(f"-o: must be the name of a file that ends in {WORKBOOK_SUFFIX}; found {target.name!r}")
    require_xlsxwriter()
    with results_file(target) as draft:
        told = tell(Path(folder), party, every, threads, on_progress)
        _write(draft, told, words)
    return target


def _write(place: Path, told: ToldRun, words: WorkbookWords) -> None:
    book = WorkbookFile(place, told.study.study.currency, words)
    about = begin_about(book)
    inputs = write_terms(book, told)
    # Sheets stand in the order in which they are begun.
    factors = write_discounting(book, told, inputs)
    write_expected(book, told, factors)
    fans = write_percentiles(book, told)
    levels = write_distribution(book, told)
    write_charts(book, fans, levels)
    for shown in told.shown:
        write_replication(book, told, shown, inputs, factors)
    write_assumptions(book, told)
    write_about(about, told, inputs)
    book.close()
