"""The suite of problems of risk sharing whose answers are known, on which methods are tested and compared.

A problem describes itself, simulates, and judges answers; a method is a function of a `Trial` and a seed. `run_methods` runs it,
`compare_results` holds several beside each other.
"""

from simengine.bench.answers_file import score_answers
from simengine.bench.compare import compare_results
from simengine.bench.problem import SUITE, BenchProblem
from simengine.bench.refusals import NotApplicableError
from simengine.bench.results import summarise_attempts
from simengine.bench.run import run_methods
from simengine.bench.suite import choose_problems, find_problem, suite
from simengine.bench.trial import Trial

__all__ = [
    "SUITE",
    "BenchProblem",
    "NotApplicableError",
    "Trial",
    "choose_problems",
    "compare_results",
    "find_problem",
    "run_methods",
    "score_answers",
    "suite",
    "summarise_attempts",
]
