"""Deviations from exact means: sums over people without the service, less their exact expectation in the replication.

Given the parameters of a replication, the mean of this deviation is exactly 0. The twins share the draws of the service users and
represent them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simengine.cohort.moments import moments_of, over_cells
from simengine.cohort.people import entrance_of
from simengine.cohort.tables import Cohort, arm_tables
from simengine.records import ARMS, BASELINE, CONTROL, PARALLEL, TWIN, Draws, Floats, Tallies


def deviations_from_exact_mean(
    cohort: Cohort, draws: Draws, tallies: Tallies, asked: Sequence[tuple[str, int]]
) -> dict[str, Floats]:
    """Return the deviation of every group without the service that is not matched to another.

    Parameters
    ----------
    cohort, draws, tallies
        The cohort, its parameters and its tallies.
    asked
        Outcomes with a window; of each outcome the exact moments are known (see `moments_of`).

    Returns
    -------
    By `<arm>.<wave>.<outcome>.<window>`: shape (n_replications,), in the unit of the outcome.
    """
    entrance = entrance_of(cohort.population, cohort.pathway, cohort.clock, draws)
    outcomes = tuple(dict.fromkeys(outcome for outcome, _ in asked))
    moments = moments_of(arm_tables(cohort, entrance.factors, draws, has_service=False), entrance, outcomes)
    mean = over_cells(moments.mean * moments.share[..., None])
    found = {}
    for arm, wave, name in _groups(cohort):
        for outcome, window in asked:
            w = cohort.windows.index(window)
            expected = tallies.n_people[:, wave, arm] * mean[:, outcomes.index(outcome) * len(cohort.windows) + w]
            lived = tallies.sums[:, wave, arm, tallies.outcomes.index(outcome), w]
            found[f"{ARMS[arm]}.{name}.{outcome}.{window}"] = lived - expected
    return found


def _groups(cohort: Cohort) -> Iterator[tuple[int, int, str]]:
    """Yield arm, number and name of the wave of every such group."""
    comparisons = cohort.comparisons
    for number, name in enumerate(cohort.population.waves):
        yield TWIN, number, name
        if comparisons.control_ratio and comparisons.spill_over is None:
            yield CONTROL, number, name
        if comparisons.parallel_ratio:
            yield PARALLEL, number, name
    if comparisons.n_baseline:
        yield BASELINE, 0, next(iter(cohort.population.waves))
