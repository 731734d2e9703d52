"""Reference answers by a long run of the engine, in rounds: evenly spread numbers, the people measured several times.

Run with `python -m verification.bench.long_run norrkoping --points 8192 --rounds 100 --keep rounds.json`: it prints the answers as
`reference.json` holds them.

A round is a run of its own at a seed of its own, `simengine run --sobol --measured 8 --control-variates` with 32 scrambled
sequences of so many points; only the money and the luck of one round are in memory. Its standard errors are from the spread
between the sequences: of 32 groups, so each is itself known to an eighth, and that of k rounds together to an eighth over root k. A
run that is stopped goes on where its file ends; a longer one goes on from a shorter one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simengine.bench.frozen_studies import money_column, study_of, substance_of
from simengine.bench.problem import hash_of_substance
from simengine.config import Study
from simengine.errors import ResultsError, SimengineError
from simengine.pipeline import deviations_of, evaluate, measured_again, simulate
from simengine.records import Floats, Integers
from simengine.replications.blocks import map_blocks
from simengine.risk import statistics
from simengine.risk.weighting import Weighting
from simengine.sampling import SCRAMBLES, Sampling, seeds_again
from verification.bench.asked import at_least, power_of_two

SEED = 1_000_003
BLOCK = 128 * SCRAMBLES
ANSWERS = ("mean", "sd", "p_loss", "cvar95")
_ENOUGH_ROUNDS = 10
"""From as many on, the spread between rounds says something about their errors."""
Answers = dict[str, dict[str, float]]
"""By answer: its value and its standard error."""


def one_round(study: Study, seed: int, n_points: int, n_measured: int) -> Answers:
    """Run so many points of each sequence, and give the answers with their standard errors."""
    n_replications = n_points * SCRAMBLES
    parts = map_blocks(lambda some: money_and_luck(study, seed, n_measured, some), n_replications, block_size=BLOCK)
    found_in = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    net = found_in.pop(money_column(study))
    luck = np.column_stack([part / part.std() for part in found_in.values() if part.std() > 0])
    groups = np.repeat(np.arange(n_replications) % SCRAMBLES, n_measured)
    draws = Weighting(len(net), group=groups, control_variates=luck, n_independent=n_replications)
    found = (
        statistics.mean(net, draws),
        statistics.sd(net, draws),
        statistics.probability(net < 0, draws),
        statistics.conditional_value_at_risk(-net, 0.95, draws),
    )
    return {name: {"value": one.value, "se": one.se} for name, one in zip(ANSWERS, found, strict=True)}


def money_and_luck(study: Study, seed: int, n_measured: int, replications: Integers) -> dict[str, Floats]:
    """Return what the investor is left with and what luck added, one row for each time that a replication is measured.

    The same numbers as those of `run_block`, for a fifth less work: no rate of return, and nobody's life beyond the last window,
    since public value reaches nobody's cash.
    """
    asked = study.model_copy(update={"public_value": {}})
    evidence = simulate(asked, seed, replications, Sampling(is_sobol=True, measured=n_measured))
    seen = [evidence, *(measured_again(asked, evidence, other) for other in seeds_again(seed, n_measured))]
    money = [evaluate(asked, one, with_returns=False)[money_column(study)] for one in seen]
    deviations = {f"deviation.{name}": np.repeat(part, n_measured) for name, part in deviations_of(asked, evidence).items()}
    return {money_column(study): np.stack(money, axis=1).reshape(-1), **deviations}


def pooled(rounds: list[Answers]) -> Answers:
    """Return the mean of independent rounds, and its standard error from theirs."""
    k = len(rounds)
    return {
        name: {
            "value": float(np.mean([one[name]["value"] for one in rounds])),
            "se": float(np.sqrt(sum(one[name]["se"] ** 2 for one in rounds)) / k),
        }
        for name in ANSWERS
    }


def spread_over_error(rounds: list[Answers]) -> dict[str, float]:
    """Return the spread between k rounds as a multiple of their errors: 1 to within 1 / sqrt(2 (k - 1)) where these are right."""
    spread = {name: np.std([one[name]["value"] for one in rounds], ddof=1) for name in ANSWERS}
    return {name: float(spread[name] / np.sqrt(np.mean([one[name]["se"] ** 2 for one in rounds]))) for name in ANSWERS}


def kept_rounds(path: Path, asked: dict[str, Any]) -> list[Answers]:
    """Read the rounds that an earlier run kept; none where there is no file yet.

    Raises
    ------
    ResultsError
        If the file cannot be read, or its rounds answer another question or were drawn in another way.
    """
    if not path.exists():
        return []
    try:
        content = json.loads(path.read_text())
        found = dict(content["asked"])
        rounds = [{name: {key: float(one[name][key]) for key in ("value", "se")} for name in ANSWERS} for one in content["rounds"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultsError(f"{path}: rounds that an earlier run kept; found {type(error).__name__}: {error}") from None
    differing = [f"{key} {found.get(key)!r} and not {value!r}" for key, value in asked.items() if found.get(key) != value]
    if differing:
        raise ResultsError(f"{path}: rounds are drawn alike and of one study; found {', '.join(differing)}. Name another file")
    return rounds


def keep(path: Path, asked: dict[str, Any], rounds: list[Answers]) -> None:
    """Write the rounds so that a reader finds all of the old file or all of the new one.

    Raises
    ------
    ResultsError
        If nothing can be written there.
    """
    beside = path.with_name(path.name + ".new")
    try:
        beside.write_text(json.dumps({"asked": asked, "rounds": rounds}, indent=1) + "\n")
        beside.replace(path)
    except OSError as error:
        raise ResultsError(f"{path}: the rounds can be written; found: {error}") from None


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("problem", choices=["norrkoping", "peterborough"])
    parser.add_argument("--points", type=power_of_two, default=8_192, help="of each sequence, a power of 2")
    parser.add_argument("--measured", type=at_least(1), default=8, help="how often the same people are measured")
    parser.add_argument("--rounds", type=at_least(1), default=1, help="independent runs that are averaged")
    parser.add_argument("--seed", type=at_least(1), default=SEED, help="of the first round; the next one has the next")
    parser.add_argument("--keep", type=Path, help="file that holds the rounds; a run goes on where it ends")
    options = parser.parse_args(arguments)
    study = study_of(options.problem)
    asked = {"problem": options.problem, "study": hash_of_substance(substance_of(study))}
    asked |= {"points": options.points, "measured": options.measured, "seed": options.seed}
    try:
        rounds = kept_rounds(options.keep, asked) if options.keep else []
        # Before the first round as well: what cannot be written is known before it took minutes.
        if options.keep:
            keep(options.keep, asked, rounds)
        while len(rounds) < options.rounds:
            started = time.perf_counter()
            rounds.append(one_round(study, options.seed + len(rounds), options.points, options.measured))
            if options.keep:
                keep(options.keep, asked, rounds)
            print(f"round {len(rounds)}: {time.perf_counter() - started:.1f} s", json.dumps(pooled(rounds)), file=sys.stderr)
    except SimengineError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    if len(rounds) >= _ENOUGH_ROUNDS:
        print("spread between rounds, as a multiple of their errors:", json.dumps(spread_over_error(rounds)), file=sys.stderr)
    print(json.dumps({"from": described(options, len(rounds)), "fingerprint": asked["study"], "answers": pooled(rounds)}))


def described(options: argparse.Namespace, n_rounds: int) -> str:
    """Say in a line how the answers were found."""
    how = f"{options.points * SCRAMBLES} replications by Sobol's points, each measured {options.measured} times, corrected by luck"
    return f"{n_rounds} rounds at seeds from {options.seed} of {how}" if n_rounds > 1 else f"{how}, at seed {options.seed}"


if __name__ == "__main__":
    main()
