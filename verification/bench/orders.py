"""The orders of convergence of the baselines: by which power of the replications an error falls.

Run with `python -m verification.bench.orders`: a minute of one core. Known are -1/2 of independent draws (central limit theorem), -1 but
for logarithms of evenly spread points on what has bounded variation, and -3/2 of scrambled ones on what is smooth (Owen 1997); a jump
or a kink that is not parallel to the axes lies between.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log, sqrt

import numpy as np

from simengine.arrays import Floats
from simengine.bench.compare import observed_order
from simengine.bench.estimation.methods import sobol_points
from simengine.bench.estimation.small import SMOOTH_EXPONENTS
from simengine.bench.results import summarise_attempts
from simengine.bench.run import run_methods
from simengine.late import special

BUDGETS = [2**k for k in range(8, 17, 2)]
REPEATS = 32
ASKED = (
    ("a_smooth_saving", "mean"),
    ("a_smooth_saving", "sd"),
    ("a_capped_share", "mean"),
    ("a_raised_cap", "gain"),
    ("a_threshold_bonus", "mean"),
    ("a_deep_tail", "cvar995"),
    ("a_fund_of_eight", "mean"),
)
"""Problem and measure."""
METHODS = ("plain", "sobol", "stratified", "conditional_monte_carlo")
E = SMOOTH_EXPONENTS
SAME_POINTS: dict[str, tuple[Callable[[Floats], Floats], float]] = {
    "product of five log-normal factors, as in `a_smooth_saving`": (
        lambda u: np.exp(special.ndtri(u) @ E),
        float(np.exp(E @ E / 2)),
    ),
    "one log-normal factor": (lambda u: np.exp(E[0] * special.ndtri(u[:, 0])), float(np.exp(E[0] ** 2 / 2))),
    "product of five straight lines, bounded": (lambda u: np.prod(1 + 2 * E * (u - 0.5), axis=1), 1.0),
    "product of five exponentials, bounded": (lambda u: np.exp(u @ (3 * E)), float(np.prod(np.expm1(3 * E) / (3 * E)))),
}
"""Integrands of five uniforms with their integrals, for one and the same points: does the order hang on the points or on what they meet?"""


def slopes_of_the_points() -> None:
    """Print the order of Sobol points for each integrand."""
    print("\n| the same Sobol points | slope |\n|---|---|")
    for name, (value, integral) in SAME_POINTS.items():
        errors = []
        for budget in BUDGETS:
            each = []
            for seed in range(REPEATS):
                points = sobol_points(budget, len(E), seed)
                assert points is not None
                each.append(float(value(points).mean()) - integral)
            errors.append(sqrt(sum(one**2 for one in each) / REPEATS))
        print(f"| {name} | {observed_order(BUDGETS, errors):.2f} |")


def main() -> None:
    """Print the slopes."""
    problems = list(dict.fromkeys(problem for problem, _ in ASKED))
    lines = summarise_attempts(run_methods(METHODS, problems, budgets=BUDGETS, repeats=REPEATS))
    # A root mean square of n repeats is known to 1 / sqrt(2 n); so is a logarithm, and five of them make the slope.
    spread = [log(budget) for budget in BUDGETS]
    middle = sum(spread) / len(spread)
    error = 1 / sqrt(2 * REPEATS) / sqrt(sum((one - middle) ** 2 for one in spread))
    print(f"| problem | measure | {' | '.join(f'`{name}`' for name in METHODS)} |\n{'|---' * (2 + len(METHODS))}|")
    for problem, measure in ASKED:
        cells = []
        for method in METHODS:
            own = sorted(
                (line.budget, line.score)
                for line in lines
                if (line.problem, line.measure, line.method) == (problem, measure, method)
            )
            cells.append(f"{observed_order(*zip(*own, strict=True)):.2f}" if own else "")
        print(f"| `{problem}` | {measure} | {' | '.join(cells)} |")
    print(f"\nEach slope is known to {error:.2f}, if repeats are near to normal.")
    slopes_of_the_points()


if __name__ == "__main__":
    main()
