"""The reference answers that have no closed form: one long run with evenly spread numbers, the people measured several times.

Run with `python -m benchmarks.problems.long_run norrkoping --points 32768`: it prints the answers that `reference.json` holds.

The worlds are those of `simengine run --sobol --measured 4 --control-variates`, 32 scrambled sequences of so many points. Only the
money and the luck are kept, block by block, so that length costs time and little memory. The standard errors are from the spread
between the sequences: of 32 groups, so each is itself known to an eighth.
"""

from __future__ import annotations

import argparse
import json

import numpy as np

from benchmarks.problems.score import column_of, study_of
from simengine.execution import map_blocks
from simengine.pipeline import run_block
from simengine.records import Integers
from simengine.risk import statistics
from simengine.risk.draws import Draws
from simengine.sampling import SCRAMBLES, Sampling

SEED = 1_000_003
BLOCK = 512 * SCRAMBLES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("problem", choices=["norrkoping", "peterborough"])
    parser.add_argument("--points", type=int, default=16_384, help="of each sequence, a power of 2")
    parser.add_argument("--measured", type=int, default=4, help="how often the same people are measured")
    options = parser.parse_args()
    study, sampling = study_of(options.problem), Sampling(is_sobol=True, measured=options.measured)
    column, n_worlds = column_of(study), options.points * SCRAMBLES

    def money_and_luck(replications: Integers) -> dict[str, np.ndarray]:
        columns = run_block(study, SEED, replications, sampling, with_variates=True).columns
        return {name: part for name, part in columns.items() if name == column or name.startswith("luck.")}

    parts = map_blocks(money_and_luck, n_worlds, block_size=BLOCK)
    found_in = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    net = found_in.pop(column)
    luck = np.column_stack([part / part.std() for part in found_in.values() if part.std() > 0])
    groups = np.repeat(np.arange(n_worlds) % SCRAMBLES, options.measured)
    draws = Draws(len(net), group=groups, control_variates=luck, n_independent=n_worlds)
    found = {
        "mean": statistics.mean(net, draws),
        "sd": statistics.sd(net, draws),
        "p_loss": statistics.probability(net < 0, draws),
        "cvar95": statistics.conditional_value_at_risk(-net, 0.95, draws),
    }
    described = f"{n_worlds} worlds by Sobol's points at seed {SEED}, each measured {options.measured} times, corrected by luck"
    print(json.dumps({"from": described, "answers": {name: {"value": one.value, "se": one.se} for name, one in found.items()}}))


if __name__ == "__main__":
    main()
