"""How a run is kept in a store: its options, and what of them goes together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from simengine.errors import UsageError
from simengine.questions.question import Option, Source, Values
from simengine.store.engine_names import ENGINES, refuse_scheduler_alone

if TYPE_CHECKING:
    from simengine.config import Study
    from simengine.questions.driver import Posed
    from simengine.sampling import Sampling
    from simengine.store.run import Aim, Keeping

SHARD_OPTION = Option(
    "shard",
    "Compute only every I-th of N parts of the blocks, such as 2/8: many machines fill one --store, each its part.",
    metavar="I/N",
    is_recorded=False,
)
STORE_OPTIONS = (
    Option(
        "store",
        "New or empty folder for the replications, in blocks: so a run may be of any size, stopped, gone on with and added to. "
        "If absent: they are held in memory.",
        kind=object,
        metavar="FOLDER",
        is_recorded=False,
    ),
    Option(
        "resume",
        "STUDY is the folder of a --store: compute the blocks that it lacks, then answer.",
        kind=bool,
        default=False,
        is_recorded=False,
    ),
    Option(
        "engine",
        "What computes the blocks of a --store: threads of this process, or the workers of a Dask cluster; changes no result.",
        default="threads",
        words=ENGINES,
        is_recorded=False,
    ),
    Option(
        "scheduler",
        "With --engine dask: the address of its scheduler, such as tcp://host:8786. If absent: a cluster of --threads processes here.",
        metavar="ADDRESS",
        is_recorded=False,
    ),
    Option("begun", "The store that is asked about.", kind=object, is_hidden=True, is_recorded=False),
)
EXTEND_OPTION = Option(
    "extend",
    "STUDY is the folder of a --store: add so many replications to it, then answer.",
    kind=int,
    low=1,
    high=2**32,
    metavar="N",
    is_recorded=False,
)


def keeping_of(study: Study, values: Values, source: Source, sampling: Sampling, at_most: int) -> Keeping | None:
    """Read how a run is kept in a store; None where it is held in memory.

    Parameters
    ----------
    study, values, source
        What is run, and how it is asked.
    sampling
        How its numbers are drawn.
    at_most
        The most replications that a precision may take.

    Raises
    ------
    UsageError
        If options contradict each other.
    """
    store, begun = values["store"], values["begun"]
    _refuse_contradictions(values)
    place: Any = store if begun is None else begun
    if place is None:
        return None
    from simengine.report.document import as_text, kept_text
    from simengine.store.locks import read_shard
    from simengine.store.run import Keeping

    if not isinstance(place, str | Path) or not str(place).strip():
        raise UsageError(f"--store: must be the name of a folder; found {place!r}")
    aim, is_new = _aim_of(Path(place), values, sampling, at_most)
    return Keeping(
        Path(place),
        (kept_text(study, source.variant), as_text(study.contract)),
        source.variant,
        source.overrides,
        is_begun=begun is not None,
        resumes=values["resume"] or is_new,
        extend=values.get("extend") or 0,
        shard=read_shard(values["shard"]) if "shard" in values else None,
        engine=values["engine"],
        scheduler=values["scheduler"],
        sampling=sampling,
        aim=aim,
    )


def _aim_of(place: Path, values: Values, sampling: Sampling, at_most: int) -> tuple[Aim | None, bool]:
    """Read the precision of a run in a store, and whether it is another one than that of the store.

    Raises
    ------
    UsageError
        If the store is drawn in another way, or its number of replications is both given and left to a precision.
    """
    from simengine.store.folder import open_store
    from simengine.store.run import Aim

    until, extend = values.get("until"), values.get("extend")
    if until is not None and extend is not None:
        way_out = "Ask for `--until` with smaller errors, which adds as many as these take"
        raise UsageError(f"--extend: the precision must not decide the number of replications; found --until. {way_out}")
    if values["begun"] is None:
        return (None, False) if until is None else (Aim(until, at_most), False)
    record = open_store(place).record
    if record.sampling != sampling:
        raise UsageError("--sobol, --tilt: must go with a study; found the folder of a store, which is drawn in its own way")
    if until is None:
        return None, False
    return Aim(until, at_most, record.looked_at), (until, at_most) != (record.until, record.at_most)


def bytes_of_store(posed: Posed, few: int, many: int) -> int | None:
    """Work out the bytes of the blocks of a store from two numbers of replications; None where there is no store.

    A block takes its bytes whatever its size, and each replication its own.
    """
    keeping: Keeping | None = posed.asked.values["keeping"]
    if keeping is None:
        return None
    from simengine.store.block import Stretch, compute_and_encode
    from simengine.store.run import IN_A_BLOCK

    def taken(n: int) -> int:
        return len(compute_and_encode(Stretch(posed.asked.subject, posed.seed, 0, n, posed.block_size, keeping.sampling)))

    n = posed.n_replications + keeping.extend if keeping.aim is None else keeping.aim.at_most
    each = max(taken(many) - taken(few), 0) / (many - few) if many > few else 0.0
    n_blocks = -(-n // (posed.block_size * IN_A_BLOCK))
    return round(n_blocks * max(taken(few) - few * each, 0.0) + n * each)


def _refuse_contradictions(values: Values) -> None:
    store, begun = values["store"], values["begun"]
    if store is not None and begun is not None:
        raise UsageError("--store: must go with a study; found the folder of a store as well. Leave --store out")
    if begun is None:
        for option, is_given in (("--resume", values["resume"]), ("--extend", values.get("extend") is not None)):
            if is_given:
                way_out = f"Write `simengine run FOLDER {option}{' N' if option == '--extend' else ''}`"
                raise UsageError(f"{option}: must go with the folder of a store; found a study. {way_out}")
    if store is None and begun is None:
        for option, is_given in (("--shard", "shard" in values), ("--engine", values["engine"] != "threads")):
            if is_given:
                raise UsageError(f"{option}: must go with a store; found none. Add --store FOLDER")
    refuse_scheduler_alone(values["engine"], values["scheduler"])
    if store is None and begun is None:
        return
    if values.get("measured", 1) != 1:
        raise UsageError(
            "--store: a replication must be one row of a store; found --measured, with which it is several. Leave one out"
        )
    if values.get("control_variates"):
        why = "with which every row of a result is corrected by a fit to all of them, held in memory"
        raise UsageError(
            f"--store: results must follow from the rows of a store alone; found --control-variates, {why}. Leave one out"
        )
