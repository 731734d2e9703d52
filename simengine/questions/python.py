"""The calls of Python users: the questions of the command line, the same refusals and the same numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simengine.asked import one_of_words
from simengine.errors import UsageError
from simengine.questions.driver import OnProgress, Posed, pose
from simengine.questions.listed import QUESTIONS
from simengine.questions.question import Question, Source
from simengine.questions.subject import Size

if TYPE_CHECKING:
    from simengine.config import Study
    from simengine.contract.spec import Contract
    from simengine.pipeline import Evidence
    from simengine.questions.cost import CostEstimate
    from simengine.questions.run.answer import Run
    from simengine.records import ReplicationResults

_ARGUMENTS = {
    "-n": "n",
    "--replications": "n",
    "--seed": "seed",
    "--threads": "threads",
    "--variant": "variant",
    "--set": "changes",
}
"""By word of every command: the argument of the call from Python."""


def ask(
    question: str,
    study: Any,
    *,
    n: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    variant: str | None = None,
    on_progress: OnProgress | None = None,
    **options: Any,
) -> Any:
    """Put a question to a study: the same question, the same refusals and the same numbers as on the command line.

    Parameters
    ----------
    question
        The name of its command: "stress", "compare", "size" ...
    study
        What it is asked about, as `load_study` or `load_portfolio` returns it; or the path of its file.
    n
        Number of replications; absent: the study's own.
    seed
        Absent: the study's own, else one that is drawn; the answer says which.
    threads
        Blocks that run at once; changes no bit of the answer.
    variant
        The name of the variant that the study is, if it was read as one: results may be known of it alone.
    on_progress
        Called with the number of replications of each finished block.
    options
        Those of the question, by name; the reference of the command line lists them.

    Returns
    -------
    The answer: a frozen dataclass of statistics, each with its Monte Carlo standard error, of a class for each question, such as
    `StressTest`. It prints as one line; `to_pandas()` returns its numbers under the paths of the JSON object that the command
    prints. `run` returns a `Run`, `trace` a `Trace`, the record of one replication.

    Raises
    ------
    UsageError
        If there is no such question or option, or options contradict each other or the study.
    StudyError
        If what is asked makes a study that cannot be.

    Examples
    --------
    >>> from simengine import ask, find_study, load_study
    >>> found = ask("value", load_study(find_study("tiny")), n=200, seed=1)
    >>> found.n_replications
    200
    """
    with _put(question, study, Size(n, seed, threads), variant, options) as posed:
        return posed.answer(on_progress)


def estimate_cost(
    question: str,
    study: Any,
    *,
    n: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    variant: str | None = None,
    **options: Any,
) -> CostEstimate:
    """Say what a question will cost before it is asked, from a trial on a few of its replications.

    Parameters
    ----------
    question, study, n, seed, threads, variant, options
        As for `ask`.

    Returns
    -------
    Time, memory and disk: the time and the memory of this process until the answer is there, and what `-o` of the command would write.

    Raises
    ------
    UsageError, StudyError
        As for `ask`: what would be refused is refused here.
    """
    from simengine.provenance import Stopwatch
    from simengine.questions.cost import cost_of

    clock = Stopwatch()
    with _put(question, study, Size(n, seed, threads), variant, options) as posed:
        return cost_of(posed, question, lambda text, settings: posed.described(clock, text, question, settings), is_kept=False)


@contextmanager
def _put(question: str, study: Any, size: Size, variant: str | None, options: Mapping[str, Any]) -> Iterator[Posed]:
    """Put a question to a study, or to what stands in its file."""
    by_name = {one.name: one for one in QUESTIONS}
    name = one_of_words(question, "question", tuple(by_name))
    meant = by_name[name]
    with _in_words_of_python(meant):
        if isinstance(study, str | Path):
            loaded = meant.subject.load(Path(study), size=size, variant=variant)
            study, size, options = loaded.subject, loaded.size, {**loaded.given, **options}
        source = Source(variant, lambda other: study.with_(variant=other))
        yield pose(meant, study, size, options, source)


@contextmanager
def _in_words_of_python(question: Question[Any]) -> Iterator[None]:
    """Say a refusal with the arguments of the call from Python, not with the flags of the command: `n=2048`, not `-n 2048`."""
    try:
        yield
    except UsageError as error:
        if type(error) is not UsageError:
            raise
        options = question.every_option().values()
        # The question that is asked in the place of this one may use the same flag under another name.
        said = _ARGUMENTS | {option.written.strip("[]."): option.name for option in options}
        flags = "|".join(sorted(map(re.escape, said), key=len, reverse=True))
        words = re.sub(
            rf"(?<![\w-])({flags}) (\d[\d,]*)", lambda found: f"{said[found[1]]}={found[2].replace(',', '')}", str(error)
        )
        words = re.sub(rf"(?<![\w-])({flags})(?![\w-])", lambda found: said[found[1]], words)
        raise UsageError(words) from error.__cause__


def run(study: Any, n: int | None = None, seed: int | None = None, **how: Any) -> Run:
    """Run a study: the distribution of what each party gets.

    Parameters
    ----------
    study
        As it was read; or the place of its file.
    n
        Replications; absent: the study's own number.
    seed
        Absent: the study's own, else one that is drawn; the result says which.
    how
        As for `ask`: `sobol=True`, `tilts=[...]`, `control_variates=True`, `measured=3`, `until="p_loss se<0.002"`.

    Returns
    -------
    A `Run`: `result["investor.p_loss"]` is a statistic, `result["investor.net"]` a column with one value per row; `to_pandas()`
    returns all columns, `table` all statistics, `draws()` the numbers that were drawn.

    Raises
    ------
    UsageError, StudyError
        As for `ask`.

    Examples
    --------
    >>> from simengine import find_study, load_study, run
    >>> result = run(load_study(find_study("tiny")), 200, 1)
    >>> 0 <= result["investor.p_loss"].value <= 1
    True
    """
    found: Run = ask("run", study, n=n, seed=seed, **how)
    return found


def settle(evidence: Evidence, terms: Contract | Study | Mapping[str, Any]) -> ReplicationResults:
    """Settle another contract on simulated and measured people, and return the results of each replication.

    A column is found with `results["investor.net"]`, a statistic with `summarise(results)["investor.p_loss"]`.

    Parameters
    ----------
    evidence
        From `simulate`.
    terms
        A contract, the same study under other terms, or values of terms by their paths.

    Raises
    ------
    StudyError
        If the terms do not fit the study.
    UsageError
        If they change more than terms: those people would have lived, or been measured, otherwise.

    Examples
    --------
    >>> import numpy as np
    >>> from simengine import find_study, load_study, settle, simulate
    >>> evidence = simulate(load_study(find_study("tiny")), 1, np.arange(100))
    >>> paid = [settle(evidence, {"contract.terms.guarantee.share": share})["drawn"].mean() for share in (0.2, 0.4)]
    >>> bool(paid[0] == paid[1])
    True
    """
    from simengine.pipeline import evaluate
    from simengine.questions.compare.answer import under

    study = evidence.study
    return evaluate(under(study, "terms", terms), evidence)
