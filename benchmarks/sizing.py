"""Size two terms on a stored ensemble: what a frontier takes, the share of it that is settling, and what settling would take whole.

Run with `python -m benchmarks.sizing [--replications 20000] [--points 225]`. Settling for sums alone must give the money of a whole
settlement, present values up to rounding, or the command fails.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simengine.config import Study, find_study, load_study
from simengine.config.numbers import with_numbers
from simengine.config.request import Requested, with_request
from simengine.pipeline import evaluate, simulate
from simengine.questions.size.answer import find_deal, sizing_of, stored_for_sizing, table_of
from simengine.questions.size.search import Settlement, TermSearch
from simengine.replications.blocks import BLOCK_SIZE
from simengine.replications.ensemble import Ensemble
from simengine.risk.amounts import Columns


@dataclass
class Timed:
    """A settlement that keeps its time."""

    settle: Settlement
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    calls: int = 0

    def __call__(self, terms: Mapping[str, float]) -> Mapping[str, Columns]:
        """Settle, and add the time that it took."""
        started, cpu_started = time.perf_counter(), time.process_time()
        columns = self.settle(terms)
        self.seconds += time.perf_counter() - started
        self.cpu_seconds += time.process_time() - cpu_started
        self.calls += 1
        return columns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=20_000)
    parser.add_argument("--points", type=int, default=225)
    options = parser.parse_args()
    free = ["contract.terms.guarantee.share=0..0.9", "contract.terms.upside.cap.share=0..0.5"]
    limits = ["investor.p_loss <= 0.5", "outcome_payer.expected_net >= 0"]
    study = with_request(load_study(find_study("norrkoping"), ["sizing=null"]), Requested(free=free, limits=limits))
    table = table_of(sizing_of(study))
    stored_for_sizing(study, table, Ensemble(1, 4)).settle({})  # compile
    started = time.perf_counter()
    stored = stored_for_sizing(study, table, Ensemble(2016, options.replications))
    lived = time.perf_counter() - started
    settle = Timed(stored.settle)
    started = time.perf_counter()
    found = find_deal(TermSearch(table, settle, options.points), lambda: settle, None, Ensemble(2016, options.replications))
    seconds = time.perf_counter() - started
    print(f"{options.replications:,} replications lived and measured in {lived:.1f} s")
    print(f"{len(found.points)} term sheets, {len(found.frontier)} on the frontier, in {seconds:.1f} s")
    share, each = 100 * settle.seconds / seconds, 1e3 * settle.seconds / settle.calls
    cpu_each = 1e3 * settle.cpu_seconds / settle.calls
    print(f"  {settle.calls} settlements take {share:.0f} % of it, {each:.0f} ms each, {cpu_each:.0f} ms of CPU time")
    whole = 1e3 * settled_whole(study, stored.settle, options.replications, next(iter(found.points)).terms)
    print(f"  settled whole, with its journal, a sheet takes {whole:.0f} ms of CPU time: {whole / cpu_each:.1f} times as much")


def settled_whole(study: Study, settle: Settlement, n: int, terms: Sequence[float]) -> float:
    """Settle one term sheet as a run does it, check the money against the sums, and give its CPU time."""
    blocks = [simulate(study, 2016, np.arange(first, min(first + BLOCK_SIZE, n))) for first in range(0, n, BLOCK_SIZE)]
    changed = with_numbers(study, dict(zip(sizing_of(study).free, terms, strict=True)))
    evaluate(changed, blocks[0], with_returns=False)
    started = time.process_time()
    whole = [evaluate(changed, evidence, with_returns=False) for evidence in blocks]
    taken = time.process_time() - started
    sums = settle(dict(zip(sizing_of(study).free, terms, strict=True)))
    for party, columns in sums.items():
        for name in (f"{party}.net", f"{party}.npv"):
            expected = np.concatenate([one[name] for one in whole])
            if not np.allclose(expected, columns[name], rtol=1e-12, atol=1e-12 * np.abs(expected).max()):
                sys.exit(f"{name} is not what a whole settlement gives")
    return taken


if __name__ == "__main__":
    main()
