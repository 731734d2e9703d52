"""What the command line refuses, the Python functions refuse: one SimengineError, before any work, with nothing that hangs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simengine.benchmark import run_benchmark
from simengine.config import find_study, load_portfolio, load_study
from simengine.config.sizing import Free
from simengine.errors import SimengineError, StudyError
from simengine.pipeline import draw_numbers, run_block, simulate
from simengine.questions.attribute.answer import attribute
from simengine.questions.compare.answer import compare_contracts
from simengine.questions.information.answer import Decision, value_information
from simengine.questions.portfolio.answer import hold
from simengine.questions.retrospect.answer import look_back
from simengine.questions.reverse.answer import read_criterion, reverse_stress
from simengine.questions.sensitivity.answer import sensitivity
from simengine.questions.size.answer import size_terms
from simengine.questions.size.belief import weakest_belief
from simengine.questions.size.one_number import find_number
from simengine.questions.stress.answer import chosen_stresses, stress_study
from simengine.questions.stress.named import stresses_of
from simengine.questions.trace.answer import trace
from simengine.questions.value.answer import find_wrong_pockets
from simengine.questions.window.answer import compare_windows
from simengine.replications.blocks import map_blocks, run_study
from simengine.replications.ensemble import Ensemble
from simengine.replications.precision import control_variates, read_goals, run_until
from simengine.risk import summarise
from simengine.risk.limits import read_limit
from simengine.sampling import Sampling
from tests.conftest import CHECKOUT

NAN = math.nan
NO_SEEDS = [1.5, "1", True, -1, 2**64, None, NAN, [1]]
NO_NUMBERS = [0, -3, 1, 10**12, 2.0, "100", True, None, NAN]
NO_REPLICATIONS = [[1.5], [-1], [2**32], [], [True], ["1"], 0, -3, 2**40, True, 3.0, None, [[1, 2]], [[1], [2, 3]], [NAN]]
FREE = "sizing={free: {contract.terms.guarantee.share: {low: 0, high: 0.5}}, parties: {investor: {objective: expected_npv}}}"
LIMIT = read_limit("investor.p_loss <= 0.5")
SHARE = Free(low=0.0, high=0.5)


def tiny(*overrides: str):
    return load_study(find_study("tiny"), overrides)


def few(**how: Any) -> Ensemble:
    return Ensemble(**{"seed": 1, "n_replications": 10} | how)


def fund(**changes: Any) -> object:
    holding = load_portfolio(CHECKOUT / "configs" / "portfolios" / "investors_book.yaml")
    return replace(holding, portfolio=holding.portfolio.model_copy(update=changes))


def in_other_money() -> object:
    holding = fund()
    heading = holding.portfolio.portfolio.model_copy(update={"currency": "USD"})
    return replace(holding, portfolio=holding.portfolio.model_copy(update={"portfolio": heading}))


SEEDS: dict[str, Callable[[Any], Any]] = {
    "run_study": lambda seed: run_study(tiny(), seed, 10),
    "run_block": lambda seed: run_block(tiny(), seed, np.arange(3)),
    "simulate": lambda seed: simulate(tiny(), seed, np.arange(3)),
    "draw_worlds": lambda seed: draw_numbers(tiny(), seed, np.arange(3)),
    "trace": lambda seed: trace(tiny(), seed, 0),
    "run_until": lambda seed: run_until(tiny(), seed, read_goals("p_loss se<0.1")),
    "Ensemble": lambda seed: few(seed=seed),
}
NUMBERS: dict[str, Callable[[Any], Any]] = {
    "run_study": lambda n: run_study(tiny(), 1, n),
    "Ensemble": lambda n: few(n_replications=n),
}
REPLICATIONS: dict[str, Callable[[Any], Any]] = {
    "run_block": lambda numbers: run_block(tiny(), 1, numbers),
    "simulate": lambda numbers: simulate(tiny(), 1, numbers),
    "draw_worlds": lambda numbers: draw_numbers(tiny(), 1, numbers),
}
NO_LEVELS = [0, 1, -0.5, 95, NAN, "0.95", None, True]
NO_NAMES = [["bank"], ["investor", "bank"], "investor", [1], None]
NO_WHOLES = [0, -1, 1.5, "16", NAN, None, True, 10**12]
OTHERS: dict[str, tuple[Callable[[Any], Any], list[Any]]] = {
    "threads of run_study": (lambda n: run_study(tiny(), 1, 10, threads=n), [0, -1, 1.5, "2", 10**6, True]),
    "block_size of run_study": (lambda n: run_study(tiny(), 1, 10, block_size=n), [0, -1, 1.5, "2", 10**9]),
    "first of run_study": (lambda n: run_study(tiny(), 1, 10, first=n), [-1, 1.5, "2", 2**32, None]),
    "threads of map_blocks": (lambda n: map_blocks(len, 10, threads=n), [0, -1, 1.5]),
    "threads of Ensemble": (lambda n: few(threads=n), [0, -1, 1.5, "2"]),
    "block_size of Ensemble": (lambda n: few(block_size=n), [0, -1, 1.5, None]),
    "first of Ensemble": (lambda n: few(first=n), [-1, 1.5, None]),
    "replication of trace": (lambda n: trace(tiny(), 1, n), [-1, 1.5, "1", 2**32, True, None]),
    "measured": (lambda n: run_study(tiny(), 1, 10, sampling=Sampling(measured=n)), [0, -1, 1.5, 101, True]),
    "tilts": (
        lambda shift: run_study(tiny(), 1, 10, sampling=Sampling(tilts={"effect.sooner_home.hazard_ratio": shift})),
        [0, 9, NAN, math.inf, "1", None],
    ),
    "at_most": (lambda n: run_until(tiny(), 1, read_goals("p_loss se<0.1"), n), [0, -5, 10, 1.5, "2000", NAN]),
    "goals": (lambda goals: run_until(tiny(), 1, goals), ["p_loss se<0.1", (), None]),
    "read_goals": (read_goals, ["", "p_loss", "p_loss se<0", "p_loss se<nan"]),
    "level of compare": (lambda level: compare_contracts(tiny(), {"x": tiny().contract}, few(), level), NO_LEVELS),
    "contracts of compare": (lambda others: compare_contracts(tiny(), others, few(), 0.9), [{}]),
    "level of stress": (lambda level: stress_study(tiny(), stresses_of(tiny()), few(), level), NO_LEVELS),
    "names of stresses": (lambda names: chosen_stresses(stresses_of(tiny()), names), [["plague"], "volume", None, [1]]),
    "criterion": (read_criterion, ["investor", "investor.loss > x", ""]),
    "party of reverse": (lambda party: reverse_stress(tiny(), read_criterion(f"{party}.loss > 1%"), few(), 4), ["bank"]),
    "panel of reverse": (lambda n: reverse_stress(tiny(), read_criterion("investor.loss > 1%"), few(), n), [*NO_WHOLES, 1]),
    "points of sensitivity": (lambda n: sensitivity(tiny(), few(), n, 4, 2), [*NO_WHOLES, 8, 100]),
    "trajectories of sensitivity": (lambda n: sensitivity(tiny(), few(), 16, n, 2), [*NO_WHOLES, 3]),
    "panel of sensitivity": (lambda n: sensitivity(tiny(), few(), 16, 4, n), [*NO_WHOLES, 1]),
    "measure of sensitivity": (lambda name: sensitivity(tiny(), few(), 16, 4, 2, name), ["money", None, 1]),
    "parties of sensitivity": (lambda names: sensitivity(tiny(), few(), 16, 4, 2, "net", names), NO_NAMES),
    "level of attribute": (lambda level: attribute(tiny(), few(n_replications=4000), level), NO_LEVELS),
    "measure of attribute": (lambda name: attribute(tiny(), few(n_replications=4000), 0.9, name), ["money", None]),
    "parties of attribute": (lambda names: attribute(tiny(), few(n_replications=4000), 0.9, "net", names), NO_NAMES),
    "tail of attribute": (lambda n: attribute(tiny(), few(n_replications=n), 0.95), [100]),
    "windows": (
        lambda months: compare_windows(tiny(), months, few()),
        [[], [0], [1.5], ["12"], [2000], [6, 6], "12", None, [True], [NAN]],
    ),
    "metric of windows": (lambda name: compare_windows(tiny(), [6], few(), name), ["saving_", 1]),
    "among": (lambda names: find_wrong_pockets(tiny(), few(), names), [*NO_NAMES, ["investor"]]),
    "nothing known": (lambda given: look_back(tiny(), few(), given=given), [()]),
    "given": (lambda given: look_back(peterborough(), few(), given=given), [["nothing"], "first_cohort", None]),
    "bandwidth": (lambda width: look_back(peterborough(), few(), bandwidth=width), [-1, 11, NAN, "0.2", None]),
    "least_effective": (lambda least: look_back(peterborough(), few(), least_effective=least), [0, NAN, "9", 1e12, None]),
    "points of size": (lambda n: size_terms(tiny(FREE), few(), n), [*NO_WHOLES, 3]),
    "sizing of size": (lambda study: size_terms(study, few()), [tiny()]),
    "believers": (lambda names: weakest_belief(tiny(FREE), names, few()), [["bank"], "investor", None]),
    "most of belief": (lambda most: weakest_belief(tiny(FREE), ["investor"], few(), most), [-1, NAN, "2"]),
    "range of one number": (
        lambda high: find_number(tiny(), "contract.terms.guarantee.share", LIMIT, Free(low=0.0, high=high), few()),
        [1e15],
    ),
    "path of one number": (lambda path: find_number(tiny(), path, LIMIT, SHARE, few()), ["contract.terms.nothing.share"]),
    "end of one number": (
        lambda end: find_number(tiny(), "contract.terms.guarantee.share", LIMIT, SHARE, few(), end),
        ["middle", None],
    ),
    "party of information": (lambda party: value_information(tiny(), Decision(party), few(n_replications=500)), ["bank", None]),
    "acceptance without terms": (
        lambda names: value_information(tiny(), Decision("investor", names), few(n_replications=500)),
        [("outcome_payer",), ("bank",)],
    ),
    "replications of information": (lambda n: value_information(tiny(), Decision("investor"), few(n_replications=n)), [10]),
    "pilots": (
        lambda n: value_information(tiny(), Decision("investor"), few(n_replications=500), [n]),
        [0, 3, 1.5, "20", 10**7, None, True],
    ),
    "delay": (
        lambda months: value_information(tiny(), Decision("investor"), few(n_replications=500), (), months),
        [-1, NAN, 5000, "3", None],
    ),
    "cost of a pilot": (
        lambda cost: value_information(tiny(), Decision("investor"), few(n_replications=500), (), 0, cost),
        [-1, NAN, 1e13, "3", None],
    ),
    "sheets of information": (
        lambda n: value_information(tiny(), Decision("investor", points=n), few(n_replications=500)),
        [0, 1, 1.5, 10**6, None],
    ),
    "portfolio": (lambda holding: hold(holding, few()), [in_other_money()]),
    "rows of a table": (lambda n: summarise(run_block(tiny(), 1, np.arange(n))), [1]),
    "replications of bench": (run_benchmark, [0, 3, 1.5, "9", 10**9, None]),
    "repeats of bench": (lambda n: run_benchmark(4, n), [0, 1.5, 10**9]),
}  # fmt: skip


def peterborough():
    return load_study(find_study("peterborough"))


CASES = [
    *((f"seed of {name}", ask, bad) for name, ask in SEEDS.items() for bad in NO_SEEDS),
    *((f"number of {name}", ask, bad) for name, ask in NUMBERS.items() for bad in NO_NUMBERS),
    *((f"replications of {name}", ask, bad) for name, ask in REPLICATIONS.items() for bad in NO_REPLICATIONS),
    *((name, ask, bad) for name, (ask, bads) in OTHERS.items() for bad in bads),
]


@pytest.mark.parametrize(("ask", "bad"), [case[1:] for case in CASES], ids=[f"{name}: {bad!r}"[:60] for name, _, bad in CASES])
def test_python__refuses_what_the_command_line_refuses(ask: Callable[[Any], Any], bad: Any) -> None:
    began = time.monotonic()
    with pytest.raises(SimengineError) as refused:
        ask(bad)
    # Refused before the work: the slowest only reads a study.
    assert time.monotonic() - began < 20
    assert isinstance(refused.value, StudyError) or "\n" not in str(refused.value)


@pytest.mark.parametrize("sampling", [Sampling(measured=3), Sampling(tilts={"effect.sooner_home.hazard_ratio": 1.0})])
def test_summarise__one_replication_measured_again_is_still_one(sampling: Sampling) -> None:
    with pytest.raises(SimengineError, match="at least 2 replications"):
        summarise(run_block(tiny(), 1, np.arange(1), sampling))


def test_control_variates__take_a_seed_as_everything_does() -> None:
    with pytest.raises(SimengineError, match="seed: must be a whole number"):
        control_variates(tiny(), -1, run_study(tiny(), 1, 4))


def test_numpy_numbers__are_numbers() -> None:
    # The same run, whatever kind of whole number asks for it.
    plain, by_numpy = run_study(tiny(), 3, 4), run_study(tiny(), np.uint64(3), np.int64(4), threads=np.int32(1))
    assert plain["investor.net"].tolist() == by_numpy["investor.net"].tolist()
    assert run_block(tiny(), 3, [2, 2, 0])["investor.net"].tolist() == [plain["investor.net"][r] for r in (2, 2, 0)]
