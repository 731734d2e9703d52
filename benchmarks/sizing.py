"""Size two terms on a stored ensemble: what a frontier takes, and the share of it that is settling.

Run with `python -m benchmarks.sizing [--replications 20000] [--points 225]`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from dataclasses import dataclass

from simengine.analysis.ensemble import Ensemble
from simengine.analysis.sizing import agree, sizing_of, stored_for, table_of
from simengine.analysis.table import Search, Settlement
from simengine.config import find_study, load_study
from simengine.config.request import Requested, with_request
from simengine.risk.measures import Columns


@dataclass
class Timed:
    """A settlement that keeps its time."""

    settle: Settlement
    seconds: float = 0.0
    calls: int = 0

    def __call__(self, terms: Mapping[str, float]) -> Mapping[str, Columns]:
        """Settle, and add the time that it took."""
        started = time.perf_counter()
        columns = self.settle(terms)
        self.seconds += time.perf_counter() - started
        self.calls += 1
        return columns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=20_000)
    parser.add_argument("--points", type=int, default=225)
    options = parser.parse_args()
    free = ["contract.terms.guarantee.share=0..0.9", "contract.terms.upside.cap.share=0..0.5"]
    limits = ["investor.p_loss <= 0.5", "outcome_payer.expected_net >= 0"]
    study = with_request(load_study(find_study("norrkoping")), Requested(free=free, limits=limits))
    table = table_of(sizing_of(study))
    stored_for(study, table, Ensemble(1, 4)).settle({})  # compile
    started = time.perf_counter()
    stored = stored_for(study, table, Ensemble(2016, options.replications))
    lived = time.perf_counter() - started
    settle = Timed(stored.settle)
    started = time.perf_counter()
    found = agree(Search(table, settle, options.points), lambda: settle, None, Ensemble(2016, options.replications))
    seconds = time.perf_counter() - started
    print(f"{options.replications:,} worlds lived and measured in {lived:.1f} s")
    print(f"{len(found.points)} term sheets, {len(found.frontier)} on the frontier, in {seconds:.1f} s")
    share, each = 100 * settle.seconds / seconds, 1e3 * settle.seconds / settle.calls
    print(f"  {settle.calls} settlements take {share:.0f} % of it, {each:.0f} ms each")


if __name__ == "__main__":
    main()
