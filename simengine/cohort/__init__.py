"""The people: synthetic cohorts that move between states, with and without the service.

`simulate_cohort` draws them and tallies sums; persons are never kept. The service arm and its twin share every random
number, the baseline arm has people of its own.
"""

from simengine.cohort.choose import Matching
from simengine.cohort.deviation import deviations_from_exact_mean
from simengine.cohort.moves import MoveClock
from simengine.cohort.people import drawn_shares
from simengine.cohort.simulate import purposes_of_people, simulate_cohort
from simengine.cohort.step_error import StepError, step_errors
from simengine.cohort.tables import Cohort, Comparisons, PersonCount

__all__ = [
    "Cohort",
    "Comparisons",
    "Matching",
    "MoveClock",
    "PersonCount",
    "StepError",
    "deviations_from_exact_mean",
    "drawn_shares",
    "purposes_of_people",
    "simulate_cohort",
    "step_errors",
]
