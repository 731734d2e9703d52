"""Number of steps in a month: chosen if a study has rates, and checked in every study.

A rate means moves at any moment. The error of moving at the end of a step is computed (`cohort.step_error`) at the central values
of all numbers, and the longest step is taken that keeps it small. Probabilities of a month are one move a month by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simengine.cohort import StepError, step_errors
from simengine.cohort.spec import MoveSpec, Pathway
from simengine.config.study import Study, cohort_of
from simengine.dependence import share_out
from simengine.distributions import Constant
from simengine.errors import Finding
from simengine.records import Draws
from simengine.sections import OF_PEOPLE, lies_in

CHOSEN_FOR = 0.001
"""Largest error of a share of people in a state with the chosen step."""
MOST_ERROR = 0.01
"""Rates with a larger error are refused."""
STEP_LENGTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
"""Of a month."""


def with_steps(study: Study) -> tuple[Study, StepError | None]:
    """Choose the number of steps that the rates of a study need, unless it sets one; with the error that remains, None without rates.

    The study is unchanged if it has no rates, sets the number, or needs only one.
    """
    if not has_rates(study.pathway):
        return study, None
    if study.pathway.steps_per_month is not None:
        return study, step_error_of(study)
    fewest = _fewest(study)
    if fewest.steps == 1:
        return study, fewest
    note = f"chosen so that no share of people in a state is off by more than {CHOSEN_FOR:g} for moving at the end of a step"
    chosen = Constant(value=float(fewest.steps), certainty="choice", note=note)
    return study.model_copy(update={"pathway": study.pathway.model_copy(update={"steps_per_month": chosen})}), fewest


def step_error_of(study: Study) -> StepError:
    """Compute the step error of a study at the central values of all numbers."""
    cohort = cohort_of(study)
    return step_errors(cohort, _centres(study), (cohort.clock.steps,))[0]


def _centres(study: Study) -> Draws:
    """Fix every number of the people at its central value, in one replication."""
    numbers = {path: number for path, number in study.numbers.items() if lies_in(path, OF_PEOPLE)}
    centres = {path: np.array([number.centre]) for path, number in numbers.items()}
    return Draws(0, np.zeros(1, dtype=np.int64), share_out(centres, numbers, study.wholes()))


def steps_problems(study: Study, found: StepError | None) -> Iterator[Finding]:
    """Find rates that the steps of the study do not follow, given the error that `with_steps` found."""
    if found is not None and found.share > MOST_ERROR:
        rule = f"the step must be so short that no share of people in a state is off by more than {MOST_ERROR:g}, as rates are said"
        off = f"{found.share:.3f}: `{found.state}` in stratum `{found.stratum}`, {found.months_after_entry} months after entry"
        best = _fewest(study)
        is_enough = best.share <= MOST_ERROR
        unclear = "Check the unit of the rates, or say probabilities per month"
        way_out = f"Write {best.steps}, or leave it out" if is_enough else unclear
        yield "pathway.steps_per_month", rule, f"{off}, with {found.steps} a month", way_out


def has_rates(pathway: Pathway) -> bool:
    """Return whether some move is given by a rate or by a mean time, at some time or in some stratum."""
    return any(not form.startswith("per_") for form in forms_of(pathway))


def forms_of(pathway: Pathway) -> set[str]:
    """Collect the forms in which the rates of moves are given."""
    return {form for move in pathway.moves.values() for form in _forms(move)}


def _forms(move: MoveSpec) -> Iterator[str]:
    yield from (pace.form for pace in ([move] if move.by_stratum is None else move.by_stratum.values()))
    series = (move.by_months_in_state, move.by_months_since_entry)
    yield from (one.form for one in series if one is not None and one.form != "factor")


def _fewest(study: Study) -> StepError:
    """Find the fewest steps that keep the error small, or take as many as there are."""
    errors = step_errors(cohort_of(study), _centres(study), STEP_LENGTHS)
    return next((one for one in errors if one.share <= CHOSEN_FOR), errors[-1])
