"""A pilot: other people of the same replication, randomised and followed before anybody signs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simengine.asked import whole
from simengine.cohort.spec.population import Wave
from simengine.config import Study, cohort_of
from simengine.config.numbers import with_numbers
from simengine.distributions import Constant
from simengine.measurement.spec import Control
from simengine.pipeline import draw_numbers
from simengine.records import Floats, Integers
from simengine.replications.blocks import map_blocks
from simengine.replications.ensemble import Ensemble, lived, measured, with_used_designs_alone
from simengine.replications.stored import Belief

_NOTHING = {"attrition": None, "misclassification": None, "shrinkage": None}

FEWEST_PEOPLE, MOST_PEOPLE = 4, 1_000_000
"""Half of them with the service."""


def pilot_shows(study: Study, eyes: Belief, n_people: int, ensemble: Ensemble) -> Floats:
    """Run a pilot in every replication.

    Its people have their own wave, so that their draws have their own addresses; all numbers of a replication are those of the
    contract's people. A larger pilot holds the people of a smaller one.

    Returns
    -------
    Shape (n_replications, n_shown): what the pilot shows of each metric; for a metric that some pilots cannot measure, also whether
    it is so.

    Raises
    ------
    UsageError
        If there are too few people or too many.
    """
    n_people = whole(n_people, "--pilot", FEWEST_PEOPLE, MOST_PEOPLE)
    name = "pilot"
    while name in study.population.waves:
        name += "_"
    piloted = _with_pilot(study, name, n_people)

    def one(replications: Integers) -> Floats:
        believed = with_numbers(piloted, dict(eyes.beliefs))
        draws = draw_numbers(believed, ensemble.seed, replications)
        cohort = cohort_of(believed)
        alone = cohort.population.model_copy(update={"waves": {name: cohort.population.waves[name]}})
        tallies = lived(replace(cohort, population=alone, size_factor=None), draws, eyes.multiple)
        only = believed.model_copy(update={"population": alone})
        return measured(only, believed.measurement, tallies, draws).estimate

    blocks = map_blocks(
        one, ensemble.n_replications, threads=ensemble.threads, block_size=ensemble.block_size, first=ensemble.first
    )
    return _with_gaps(np.concatenate(blocks))


def _with_gaps(shown: Floats) -> Floats:
    """Fill what a pilot could not measure with the median of what others could, and say beside it where.

    That it shows nothing is all that such a pilot shows.
    """
    is_gap = np.isnan(shown)
    filled = [
        np.where(gap, np.median(column[~gap]) if not gap.all() else 0.0, column)
        for column, gap in zip(shown.T, is_gap.T, strict=True)
    ]
    return np.stack([*filled, *(gap.astype(np.float64) for gap in is_gap.T if gap.any())], axis=1)


def _with_pilot(study: Study, name: str, n_people: int) -> Study:
    """Return the study with a pilot beside its people, seen by an evaluator who draws lots and misses nobody."""
    own = study.measurement
    metrics = {metric: one.model_copy(update=_NOTHING) for metric, one in own.metrics.items()}
    protocol = own.model_copy(update={"metrics": metrics}).all_by("randomised", mix=None, control=Control())
    one_month = Constant(value=1.0, certainty="choice")
    wave = Wave(size=Constant(value=float(n_people // 2), certainty="choice"), enrolment_months=one_month)
    population = study.population.model_copy(update={"waves": {**study.population.waves, name: wave}})
    return with_used_designs_alone(study.model_copy(update={"measurement": protocol, "population": population}))
