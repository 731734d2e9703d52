"""Score a method on the frozen problems: root mean squared error for equal work, in units of plain Monte Carlo's own.

Run with `python -m benchmarks.problems.score [--method plain] [--replications 1000] [--repeats 20] [--problem NAME ...]`. A method
of your own is named `module:function` and is called as `function(study, n_replications, seed)`; it estimates each answer by name (`mean`,
`sd`, `p_loss`, `cvar95`; those it leaves out are not scored) and may simulate `n_replications` replications. See README.md beside this
file.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from benchmarks.problems.exact import answers
from benchmarks.problems.frozen import column_of, frozen_study, references
from simengine.config import Study
from simengine.errors import SimengineError
from simengine.replications.blocks import run_study

Method = Callable[[Study, int, int], Mapping[str, float]]


def plain(study: Study, n_replications: int, seed: int) -> dict[str, float]:
    """Draw replications, each with weight 1 / n: what every other method is measured against."""
    net = money(study, n_replications, seed)
    return answers((net, np.full(n_replications, 1 / n_replications)))


def money(study: Study, n_replications: int, seed: int) -> np.ndarray:
    """Return what the investor is left with in every replication: the net, or the present value where it discounts."""
    return run_study(study, seed, n_replications)[column_of(study)]


METHODS: dict[str, Method] = {"plain": plain}


def score(method: Method, name: str, n_replications: int, repeats: int) -> dict[str, tuple[float, float]]:
    """Give, for each answer, the root mean squared error over independent repeats, and its bias in standard errors.

    Raises
    ------
    ChangedProblemError
        If the study is not the one whose answers are frozen.
    """
    study, reference = frozen_study(name), references()[name]["answers"]
    estimates = [method(study, n_replications, seed) for seed in range(repeats)]
    found = {}
    for answer in estimates[0]:
        error = np.array([one[answer] for one in estimates]) - reference[answer]["value"]
        spread = np.hypot(error.std(ddof=1) / np.sqrt(repeats), reference[answer]["se"])
        found[answer] = (float(np.sqrt(np.mean(error**2))), float(error.mean() / spread) if spread else 0.0)
    return found


def main(options: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--method", default="plain")
    parser.add_argument("--replications", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--problem", action="append", choices=list(references()))
    arguments = parser.parse_args(options)
    asked = arguments.problem or list(references())
    try:
        for name in asked:
            frozen_study(name)
    except SimengineError as refused:
        parser.exit(2, f"{parser.prog}: {refused}\n")
    method = METHODS.get(arguments.method)
    if method is None:
        module, _, function = arguments.method.partition(":")
        method = getattr(importlib.import_module(module), function)
    print(
        f"{arguments.draws} replications, {arguments.repeats} repeats: root mean squared error, as a multiple of plain's, bias in se"
    )
    for name in asked:
        against = score(plain, name, arguments.draws, arguments.repeats)
        ours = against if method is plain else score(method, name, arguments.draws, arguments.repeats)
        for answer, (error, bias) in ours.items():
            times = error / against[answer][0] if against[answer][0] else float("nan")
            print(f"{name:24} {answer:8} {error:12.5g} {times:8.3f} {bias:+8.2f}")


if __name__ == "__main__":
    main()
