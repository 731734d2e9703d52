"""The calls of Python users: the questions of the command line, the same refusals and the same numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simengine.asked import one_of_words
from simengine.questions.driver import OnProgress, pose
from simengine.questions.listed import QUESTIONS
from simengine.questions.question import Source
from simengine.questions.subject import Size

if TYPE_CHECKING:
    from simengine.config import Study
    from simengine.contract.spec import Contract
    from simengine.pipeline import Evidence
    from simengine.records import ReplicationResults


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
        What it is asked about, as it was read; or the place of its file.
    n
        Replications; absent: the study's own number.
    seed
        Absent: the study's own, else one that is drawn; the answer says which.
    threads
        Blocks that run at once; changes no bit of the answer.
    variant
        The name of the variant that the study is, where it was read as one: what happened may be known of it alone.
    on_progress
        Called with the number of replications of each finished block.
    options
        Those of the question, by name; the reference of the command line lists them.

    Returns
    -------
    The answer: a frozen bundle of statistics, each with its Monte Carlo standard error.

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
    by_name = {one.name: one for one in QUESTIONS}
    name = one_of_words(question, "question", tuple(by_name))
    meant, size = by_name[name], Size(n, seed, threads)
    if isinstance(study, str | Path):
        loaded = meant.subject.load(Path(study), size=size, variant=variant)
        study, size, options = loaded.subject, loaded.size, {**loaded.given, **options}
    source = Source(variant, lambda other: study.with_(variant=other))
    return pose(meant, study, size, options, source).answer(on_progress)


def run(study: Any, n: int | None = None, seed: int | None = None, **how: Any) -> Any:
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
    A `Run`: its table of statistics, the row of each replication, and what was drawn.

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
    return ask("run", study, n=n, seed=seed, **how)


def settle(evidence: Evidence, terms: Contract | Study | Mapping[str, Any]) -> ReplicationResults:
    """Settle another contract on simulated and measured people, and return the results of each replication.

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
    changed = study.with_(terms) if isinstance(terms, Mapping) else under(study, "the contract", terms)
    return evaluate(changed, evidence)
