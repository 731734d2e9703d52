"""Ask what contracts make people do: what a choice costs, and what a term sheet costs once every choice has been lived.

Run with `python -m benchmarks.incentives [--replications 2000] [--sheets 50]`. The study is Norrköping, its provider is paid a
share of the saving. A term sheet settled on kept worlds must give what asking anew gives, or the command fails.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from simengine.config import find_study, load_study
from simengine.config.numbers import with_numbers
from simengine.questions.incentives.answer import find_incentives
from simengine.questions.size.induced import store_choices
from simengine.risk.limits import read_measure
from simengine.worlds.ensemble import Ensemble

SHARE = "contract.terms.saving_share.share"
RESPONDS = (
    "contract.terms.saving_share.payee=service_provider",
    "behaviour={efforts: {work: {levels: [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2], cost: {quadratic: 500_000}}}}",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=2_000)
    parser.add_argument("--sheets", type=int, default=50)
    options = parser.parse_args()
    study, n = load_study(find_study("norrkoping"), RESPONDS), options.replications
    find_incentives(study, {"own": study}, Ensemble(1, 4))  # compile
    started = time.process_time()
    find_incentives(study, {"own": study}, Ensemble(2016, n))
    asked = time.process_time() - started
    started = time.process_time()
    kept = store_choices(
        study, Ensemble(2016, n), [read_measure("service_provider.expected_net"), read_measure("outcome_payer.expected_net")]
    )
    lived = time.process_time() - started
    shares = np.linspace(0.1, 1.0, options.sheets)
    kept.settle({SHARE: 0.5})
    started = time.process_time()
    replies = [kept.reply({SHARE: float(share)})[0].place for share in shares]
    settled = (time.process_time() - started) / options.sheets
    for place in (0, options.sheets // 2, options.sheets - 1):
        design = with_numbers(study, {SHARE: float(shares[place])})
        if find_incentives(study, {"own": design}, Ensemble(2016, n)).contracts["own"].reply.place != replies[place]:
            sys.exit(f"at a share of {shares[place]:.3g} asking anew gives another choice")
    efforts = [0.25 * place for place in replies]
    print(f"{n:,} worlds, 9 choices: asked, with fresh worlds and all tables, in {asked:.1f} s of CPU time")
    print(f"  lived with every choice and kept in {lived:.1f} s; a term sheet then takes {1e3 * settled:.0f} ms")
    print(f"  asking anew takes {asked / settled:.0f} times as long; efforts from {min(efforts):g} to {max(efforts):g}")


if __name__ == "__main__":
    main()
