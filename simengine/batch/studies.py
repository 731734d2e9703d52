"""Run many studies, and put their statistics into one table: variants, designs of a sensitivity analysis, a battery of stresses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from simengine.asked import MOST_REPLICATIONS, MOST_THREADS, names_asked, one_of_words, place_asked, seed_asked, whole
from simengine.batch.kept import KeptStatistics
from simengine.config import Study, load_study
from simengine.errors import SimengineError, UsageError, shorten
from simengine.replications.blocks import available_processors, run_study
from simengine.replications.memory import refuse_if_too_large
from simengine.replications.money import asked_measures
from simengine.report.document import kept_text
from simengine.risk import summarise
from simengine.risk.frames import COLUMNS, frame_row
from simengine.risk.statistics import Statistic
from simengine.store.engine_names import ENGINES, refuse_scheduler_alone
from simengine.store.engines import work_on
from simengine.streams import draw_seed

Studies = Sequence[Any] | Mapping[str, Any]
"""Files, or studies by names of one's own."""


@dataclass(frozen=True)
class StudyTask:
    """A study that is to be run on one thread: plain data, which may travel to another machine."""

    name: str
    study: Study
    seed: int
    n_replications: int
    measures: tuple[str, ...]


@dataclass(frozen=True)
class StudyStatistics:
    """What a study came to."""

    name: str
    """Its file and variant, or as it was named."""
    title: str
    """Its title."""
    currency: str
    """Its currency; money is in whole units of it."""
    replications: int
    """How many were drawn."""
    statistics: Mapping[str, Statistic]
    """By path, as in a run; measures by their text."""


@dataclass(frozen=True, repr=False)
class StudyBatch:
    """What many studies came to."""

    seed: int
    """Seed of every draw: what studies share is drawn alike in all of them."""
    studies: tuple[StudyStatistics, ...]
    """In the order in which they were asked."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """By name: the study as it was run."""

    def __repr__(self) -> str:
        return f"<StudyBatch: {len(self.studies):,} studies, seed {self.seed}>"

    def __getitem__(self, name: str) -> Mapping[str, Statistic]:
        """Look up the statistics of a study by its name.

        Raises
        ------
        UsageError
            If there is no such study.
        """
        found = next((one.statistics for one in self.studies if one.name == name), None)
        if found is None:
            known = ", ".join(one.name for one in self.studies[:5])
            raise UsageError(f"study: must be one of the batch, such as {known}; found {shorten(name)}")
        return found

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield one row for each statistic of each study: its name, its path, and `COLUMNS`."""
        for one in self.studies:
            for path, statistic in one.statistics.items():
                yield one.name, path, *frame_row(statistic)

    def to_pandas(self) -> Any:
        """Return a data frame of pandas: one row for each statistic, under the name of its study and its path."""
        import pandas as pd

        frame = pd.DataFrame(list(self.rows()), columns=["study", "statistic", *COLUMNS])
        return frame.set_index(["study", "statistic"])


def run_batch(
    studies: Studies,
    n: int | None = None,
    seed: int | None = None,
    *,
    variants: bool = False,
    changes: Sequence[str] = (),
    measures: Sequence[str] = (),
    threads: int | None = None,
    store: Path | str | None = None,
    engine: str = "threads",
    scheduler: str | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> StudyBatch:
    """Run many studies, several at once, each on one thread.

    Parameters
    ----------
    studies
        Files; or studies as they were read, by names of one's own.
    n
        Replications of each; absent: its own number.
    seed
        The same for all; absent: one that is drawn.
    variants
        Whether every variant of each study is run too.
    changes
        Texts `path=value` that are applied to each study.
    measures
        Measures beside the statistics of a run, of one party or of all that have them.
    threads
        Studies that are run at once; changes no bit.
    store
        Folder in which the statistics of each study are kept as soon as they are there: the same call goes on with what is missing.
    engine, scheduler
        `threads`, or `dask` with the address of its scheduler.
    on_progress
        Called with the number of replications of each finished study.

    Raises
    ------
    StudyError, UsageError, ResultsError
        Before anything runs, if a study cannot be, or something cannot be asked.

    Examples
    --------
    >>> from simengine import find_study, load_study
    >>> tiny = load_study(find_study("tiny"))
    >>> shares = {f"share {share}": tiny.with_({"contract.terms.guarantee.share": share}) for share in (0.2, 0.4)}
    >>> found = run_batch(shares, 100, 1)
    >>> found["share 0.2"]["investor.net.mean"].value < found["share 0.4"]["investor.net.mean"].value
    True
    """
    n = None if n is None else whole(n, "-n", 2, MOST_REPLICATIONS)
    seed = draw_seed() if seed is None else seed_asked(seed)
    at_once = available_processors() if threads is None else whole(threads, "--threads", 1, MOST_THREADS)
    one_of_words(engine, "--engine", ENGINES)
    refuse_scheduler_alone(engine, scheduler)
    asked = names_asked(measures, "--measure")
    named = dict(_named(studies, variants=variants, changes=changes))
    tasks = {name: StudyTask(name, study, seed, n or int(study.run.replications.value), asked) for name, study in named.items()}
    for task in tasks.values():
        _refuse_task(task, at_once)
    as_run = {name: kept_text(study) for name, study in named.items()}
    keys = {name: _key(task, as_run[name]) for name, task in tasks.items()}
    found: dict[str, Mapping[str, Statistic]] = {}
    kept = KeptStatistics(None if store is None else place_asked(store, "--store"))
    with kept.claimed():
        for name, key in keys.items():
            if (there := kept.read(key)) is not None:
                found[name] = there

        def done(name: str, statistics: Mapping[str, Statistic]) -> None:
            kept.write(keys[name], name, statistics)
            found[name] = statistics
            if on_progress is not None:
                on_progress(tasks[name].n_replications)

        missing = {name: task for name, task in tasks.items() if name not in found}
        in_all = sum(task.n_replications for task in missing.values())
        work_on(engine, scheduler, missing, statistics_of, done, in_all, at_once, kept.way_on)
    return StudyBatch(seed, tuple(_told(tasks[name], found[name]) for name in tasks), as_run)


def statistics_of(task: StudyTask) -> Mapping[str, Statistic]:
    """Run a study, and return its statistics by path.

    Raises
    ------
    SimengineError
        As the run does, with the name of the study.
    """
    try:
        results = run_study(task.study, task.seed, task.n_replications, threads=1)
        return dict(summarise(results, None, asked_measures(task.study, task.measures)).statistics())
    except SimengineError as error:
        raise SimengineError(f"{task.name}: {error}") from None


def _named(studies: Studies, *, variants: bool, changes: Sequence[str]) -> Iterator[tuple[str, Study]]:
    """Yield every study with its name; a study that was named twice is run once."""
    if not isinstance(studies, Mapping) and not isinstance(studies, list | tuple):
        raise UsageError(f"studies: must be files, or studies by their names; found {shorten(studies)}")
    if not studies:
        raise UsageError("STUDY: must be at least one; found none")
    pairs = studies.items() if isinstance(studies, Mapping) else ((str(one), one) for one in studies)
    for name, one in pairs:
        study = one.with_(changes) if isinstance(one, Study) else load_study(place_asked(one, "studies"), changes)
        yield name, study
        for variant in study.variants if variants else ():
            own = one.with_(changes, variant=variant) if isinstance(one, Study) else load_study(one, changes, variant)
            yield f"{name} ({variant})", own


def _refuse_task(task: StudyTask, at_once: int) -> None:
    """Refuse, before anything runs, what a study cannot be asked."""
    try:
        asked_measures(task.study, task.measures)
        refuse_if_too_large(task.study, task.n_replications * at_once)
    except UsageError as error:
        raise UsageError(f"{task.name}: {error}") from None


def _key(task: StudyTask, text: str) -> dict[str, Any]:
    """Return everything that decides the statistics of a task, whose study has this text."""
    return {"study": text, "seed": task.seed, "replications": task.n_replications, "measures": list(task.measures)}


def _told(task: StudyTask, statistics: Mapping[str, Statistic]) -> StudyStatistics:
    about = task.study.study
    return StudyStatistics(task.name, about.title, about.currency, task.n_replications, statistics)


def batch_content(found: StudyBatch) -> dict[str, Any]:
    """Return what JSON says of a batch, before its numbers are made plain."""
    return {"seed": found.seed, "studies": [asdict(one) | {"statistics": one.statistics} for one in found.studies]}
