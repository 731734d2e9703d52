"""The distribution of what each party gets: for a number of replications, or until standard errors are small enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simengine.errors import UsageError
from simengine.questions.options import MEASURES_OPTION
from simengine.questions.question import Asked, Option, Question, Source, Values, Work, later
from simengine.questions.run.stored import EXTEND_OPTION, SHARD_OPTION, STORE_OPTIONS, keeping_of
from simengine.questions.subject import STUDY_OR_STORE

if TYPE_CHECKING:
    from simengine.config import Study
    from simengine.sampling import Sampling

_AT_MOST = 1_000_000
FORMS_OF: Mapping[str, tuple[str, ...]] = {"png": ("png",), "svg": ("svg",), "both": ("png", "svg"), "none": ()}
"""By word of `--pictures`: the forms that are written."""
_HELD_OF_A_STORE = 10_000
"""Replications that a run in a store holds at once, about: those of the blocks that are worked on."""
_ONCE = (
    Option("sobol", "Spread the numbers that have a distribution evenly: scrambled Sobol points.", kind=bool, default=False),
    Option(
        "tilts",
        "Draw half of the replications with the normal score of a number shifted by so many standard deviations, and weight all.",
        flag="--tilt",
        is_many=True,
        metavar="PATH=SHIFT",
        default=(),
    ),
)
"""How the numbers of a study are drawn where a replication is one row, and no result corrected."""
DRAWING = (
    *_ONCE,
    Option(
        "control_variates",
        "Correct every result by known means: of the numbers' distributions (not with --sobol, which has them exactly), and of people's "
        "outcomes where it is known.",
        kind=bool,
        default=False,
    ),
    Option(
        "measured",
        "Measure and pay the same people so many times, with new draws for everything that does not concern a person.",
        kind=int,
        default=1,
        low=1,
        high=100,
    ),
)
"""How the numbers of a study are drawn."""


def sampling_of(values: Values) -> Sampling:
    """Read how the numbers of a study are drawn."""
    from simengine.sampling import Sampling

    return Sampling(values["sobol"], dict(_tilt(text) for text in values["tilts"]), values["measured"])


def _tilt(text: str) -> tuple[str, float]:
    path, _, shift = text.rpartition("=")
    try:
        return path.strip(), float(shift)
    except ValueError:
        rule = "a tilt must read PATH=SHIFT with a shift in standard deviations, such as effect.sooner_home.hazard_ratio=-1.5"
        raise UsageError(f"--tilt: {rule}; found {text!r}") from None


def _prepare(study: Study, values: Values, source: Source) -> Asked:
    if values["until"] is None and values["at_most"] is not None:
        raise UsageError("--at-most: must stand with --until, which it limits; found none. Use -n for a number of replications")
    sampling, at_most = sampling_of(values), values["at_most"] or _AT_MOST
    asked = {"sampling": sampling, "with_control_variates": values["control_variates"]}
    asked |= {"keeping": keeping_of(study, values, source, sampling, at_most)}
    asked |= {
        "until": values["until"],
        "at_most": at_most,
        "shows_diagnostics": values["diagnostics"],
        "pictures": values["pictures"],
        "measures": values["measures"],
    }
    return Asked(study, asked, said=("until", "at_most", "diagnostics"))


def _how_many(study: Study, values: Values, n_replications: int) -> int:  # noqa: ARG001
    return n_replications if values["until"] is None else values["at_most"] or _AT_MOST


def _held(study: Study, values: Values, n_replications: int) -> int:
    """Say how many are held in memory: of a store few."""
    is_stored = values["store"] is not None or values["begun"] is not None
    return min(n_replications, _HELD_OF_A_STORE) if is_stored else _how_many(study, values, n_replications)


def _prepare_shard(study: Study, values: Values, source: Source) -> Asked:
    drawn = sampling_of({**values, "measured": 1})
    return Asked(study, {"keeping": keeping_of(study, values, source, drawn, _AT_MOST)})


def _refuse_trial(asked: Asked) -> Asked:  # noqa: ARG001
    raise UsageError(
        "--dry-run: must be asked of the whole run; found --shard. Leave it out: each shard takes its part of the time"
    )


def _in_memory(asked: Asked) -> Asked:
    return asked if asked.values["keeping"] is None else replace(asked, values={**asked.values, "keeping": None})


def _worked(study: Study, values: Values, n_replications: int) -> Work:
    """Count those of the run, and those of the study without its reference class."""
    from simengine.questions.run.outside import n_alone

    n_replications = _how_many(study, values, n_replications)
    return Work(n_replications, n_alone(study, n_replications), 1.0, is_most=values["until"] is not None)


def _sized_by(values: Values) -> str:
    if values["until"] is None or values["begun"] is not None:
        return ""
    return "--until: the precision decides how many replications there are; found -n as well. Use --at-most for a limit"


SHARD = Question[Any](
    name="shard",
    summary="Compute a part of the blocks of a run that is kept in a store.",
    options=(SHARD_OPTION, *_ONCE, *STORE_OPTIONS),
    subject=STUDY_OR_STORE,
    prepare=_prepare_shard,
    kept=_held,
    how_kept=lambda _: {},
    in_memory=_refuse_trial,
    ask=later("simengine.questions.run.shard", "compute_shard"),
    tables=later("simengine.questions.run.shard", "shard_tables"),
    keeps="what was computed",
    answer_name="shard",
)
"""Compute a shard of a run."""
RUN = Question[Any](
    name="run",
    subject=STUDY_OR_STORE,
    summary="Simulate STUDY and show the distribution of what each party gets.",
    options=(
        Option(
            "until",
            'Run until standard errors are this small, such as "p_loss se<0.002, cvar95 se<1%". If absent: a fixed number.',
            metavar="GOALS",
        ),
        Option("at_most", "With --until: the most replications. If absent: 1,000,000.", kind=int, low=1, high=2**32),
        *DRAWING,
        MEASURES_OPTION,
        *STORE_OPTIONS,
        EXTEND_OPTION,
        Option("diagnostics", "Also show how the mean of each party's net converges as the run grows.", kind=bool, default=False),
        Option(
            "pictures",
            "Forms of both pictures that -o writes; they take most of its time.",
            default="png",
            words=tuple(FORMS_OF),
        ),
    ),
    prepare=_prepare,
    kept=_held,
    in_memory=_in_memory,
    stored_bytes=later("simengine.questions.run.stored", "bytes_of_store"),
    worked=_worked,
    tried=lambda asked: replace(asked, values={**asked.values, "until": None}),
    how_kept=lambda values: {"sampling": sampling_of(values)},
    sized_by=_sized_by,
    ask=later("simengine.questions.run.answer", "run_question"),
    content=later("simengine.questions.run.content", "run_content"),
    tables=later("simengine.questions.run.tables", "run_tables"),
    files=later("simengine.questions.run.picture", "pictures"),
    write=later("simengine.questions.run.content", "write_run"),
    keeps="summary, tables, pictures, study and provenance",
    answer_name="summary",
    instead={"shard": SHARD},
)
