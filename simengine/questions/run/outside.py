"""The outside view of a study: its own forecast of payments against its plan, held against signed contracts of the same kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simengine.cohort.spec import ReferenceClass
from simengine.config import Study, cohort_of
from simengine.config.study import PAID_OVER_PLANNED
from simengine.pipeline import DrawOverrides, Evidence, draw_numbers
from simengine.records import ALL_PAYERS, Floats, Integers
from simengine.replications.ensemble import Ensemble, lived, measured, settled, with_used_designs_alone
from simengine.risk import statistics
from simengine.risk.amounts import Columns
from simengine.risk.statistics import Statistic

MOST_REPLICATIONS_OF_OWN = 1000
"""Replications in which the study is run without its reference class."""
OPTIMISTIC = 0.9
"""Share of signed contracts that were paid less of their plan, from which a forecast is called optimistic."""


@dataclass(frozen=True)
class OutsideView:
    """A study's own forecast of paid over planned, without its reference class, and that class."""

    planned_payments: float
    """What the contract's own plan pays to its end."""
    own: Statistic
    """Own forecast: the mean of payments over those planned, without the reference class."""
    own_low_80: float
    """A tenth of the study's own replications pay less of the plan."""
    own_high_80: float
    """A tenth of them pay more of it."""
    class_median: float
    """Half of the reference class was paid less of its plan."""
    class_low_80: float
    """A tenth of the reference class was paid less of its plan."""
    class_high_80: float
    """A tenth of it was paid more."""
    paid_less: float
    """Share of the reference class that was paid less of its plan than the own forecast."""
    is_optimistic: bool
    """Whether that is more than nine in ten."""
    sentence: str
    """The same in words."""
    counted_twice: str
    """What the spread of the study and that of the class both hold; empty where the study has no spread of its own."""


def n_alone(study: Study, n_replications: int) -> int:
    """Return the number of replications in which a study is run without its reference class: none where it has no class or no plan."""
    known = study.reference_class
    return 0 if known is None or known.planned_payments is None else min(n_replications, MOST_REPLICATIONS_OF_OWN)


def outside_view(study: Study, ensemble: Ensemble) -> OutsideView | None:
    """Run a study without its reference class, and hold its forecast against it; None where it has no class or no plan."""
    known = study.reference_class
    if known is None or known.planned_payments is None:
        return None
    alone = Ensemble(
        ensemble.seed,
        n_alone(study, ensemble.n_replications),
        threads=ensemble.threads,
        block_size=ensemble.block_size,
    )
    used = with_used_designs_alone(study)
    (columns,) = alone.ask(lambda replications: [_paid_alone(used, ensemble.seed, replications)])
    return held_against(columns["paid"] / known.planned_payments.value, known)


def _paid_alone(study: Study, seed: int, replications: Integers) -> Columns:
    draws = draw_numbers(study, seed, replications, overrides=DrawOverrides(change={PAID_OVER_PLANNED: np.ones_like}))
    tallies = lived(cohort_of(study), draws)
    evidence = Evidence(study, draws, tallies, measured(study, study.measurement, tallies, draws))
    money = settled(study, evidence.draws, evidence.tallies, evidence.measurements)
    return {"paid": money[f"{ALL_PAYERS}.payment"]}


def held_against(own: Floats, known: ReferenceClass) -> OutsideView:
    """Hold the payments over planned of a study's own replications against a reference class.

    Parameters
    ----------
    own
        Shape (n_replications,).
    known
        The class, with a plan.
    """
    low, high = (float(bound) for bound in np.quantile(own, [0.1, 0.9]))
    return view_of(statistics.mean(own), low, high, known)


def view_of(own: Statistic, low: float, high: float, known: ReferenceClass) -> OutsideView:
    """Hold a study's own payments over planned against a reference class.

    Parameters
    ----------
    own
        Their mean.
    low
        A tenth of the replications lies below.
    high
        A tenth lies above.
    known
        The class, with a plan.
    """
    assert known.planned_payments is not None
    class_low, median, class_high = (float(value) for value in known.paid_over_planned.inverse(np.array([0.1, 0.5, 0.9])))
    levels = (np.arange(10_000) + 0.5) / 10_000
    less = float((known.paid_over_planned.inverse(levels) < own.value).mean())
    is_optimistic = less > OPTIMISTIC
    return OutsideView(
        known.planned_payments.value,
        own,
        low,
        high,
        median,
        class_low,
        class_high,
        less,
        is_optimistic,
        _sentence(own, less, median, is_optimistic=is_optimistic),
        _twice(low, high, class_low, class_high),
    )


def _sentence(own: Statistic, less: float, median: float, *, is_optimistic: bool) -> str:
    said = f"The study by itself expects payments of {own.value:.2f} times its plan; "
    if is_optimistic:
        return (
            said
            + f"nine in ten signed contracts of the reference class were paid less of theirs (half of them less than {median:.2f})."
        )
    return said + f"{100 * less:.0f} in 100 signed contracts of the reference class were paid less of theirs."


def _twice(low: float, high: float, class_low: float, class_high: float) -> str:
    if high - low <= 1e-9:
        return ""
    return (
        f"The study's own assumptions already spread them from {low:.2f} to {high:.2f} times the plan (80 %); the reference class, "
        f"from {class_low:.2f} to {class_high:.2f}, multiplies that. What both hold, such as who comes and who succeeds, counts twice: "
        "the spread of the results is rather too wide than too narrow."
    )
