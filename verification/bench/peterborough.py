"""The answers of the Peterborough problem without the engine: exact distributions of the counts, integrated over what is uncertain.

Run with `python -m verification.bench.peterborough --points 65536 --scrambles 16`: it prints the answers as `reference.json` holds
them. The numbers are read from the study and the contract as plain YAML; their meaning is written out here a second time.

Let the numbers be given, how many of a cohort begin their clock unsettled, and the mean of the men matched to them, whose
distribution is normal by the study's own word (its variant `exact_moments`). Then all that is paid is summed over the exact
distribution of the two cohorts' counts (`verification.bench.reconvictions`), and over the share drawn. What is left is smooth in
13 uniforms: of the nine numbers that matter to what is paid, and two for each cohort. They are scrambled Sobol points; errors are
from the spread between independent scramblings.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scipy import special, stats

from verification.bench.asked import at_least, power_of_two
from verification.bench.peterborough_contract import Terms, over_luck
from verification.bench.reconvictions import Floats, Numbers, Protocol, probabilities, transforms_and_means

CONFIGS = Path(__file__).resolve().parent.parent.parent / "configs"
SEED = 20_100_909
BATCH = 1024
"""Points whose distributions are in memory together."""
_LEVEL = 0.95
_DIMENSIONS = 13
_BITS = 30


@dataclass(frozen=True)
class Problem:
    """What the study and its contract say."""

    inverses: dict[str, Callable[[Floats], Floats]]
    """By number: the quantile function of its distribution."""
    protocol: Protocol
    terms: Terms


def read() -> Problem:
    """Read the problem as plain YAML."""
    study, contract = (_plain(CONFIGS / name) for name in ("peterborough.yaml", "contracts/peterborough.yaml"))
    moves, event = study["pathway"]["moves"], study["events"]["reconviction"]
    waves, terms, later = study["population"]["waves"], contract["terms"], event["by_months_since_entry"]
    distributions = Numbers(
        hazard_ratio=study["effect"]["fewer_reconvictions"]["hazard_ratio"],
        variance=study["population"]["frailties"]["between_men"]["variance"],
        settling=moves["unsettled -> settled"]["per_month"],
        unsettling=moves["settled -> unsettled"]["per_month"],
        factor=later["factor"][1],
        rate=event["rates"]["unsettled"]["rate_per_month"],
        size_1=waves["cohort_1"]["size"],
        size_2=waves["cohort_2"]["size"],
        start=study["pathway"]["start"]["men"]["unsettled"],
    )
    metric, drawn = study["variants"]["exact_moments"]["measurement.metrics"]["reduction"], study["capital"]["drawn_share"]
    first, commitment = int(later["from_months"][1]), contract["commitment"]["value"]
    own, pooled = ([terms[f"cohort_{c}_payment"]["per_wave"] for c in (1, 2)], terms["pooled_payment"])
    protocol = Protocol(
        history=int(study["population"]["history_months"]["value"]),
        first=first,
        second=int(metric["window_months"]["value"]) - first,
        per_person=float(study["measurement"]["matched"]["per_person"]["value"]),
    )
    fixed = Terms(
        price_1=float(own[0]["price"]["value"]),
        price_2=float(own[1]["price"]["value"]),
        price_pooled=float(pooled["price"]["value"]),
        trigger_1=own[0]["only_if"]["reduction"]["at_least"]["value"],
        trigger_2=own[1]["only_if"]["reduction"]["at_least"]["value"],
        trigger_pooled=pooled["only_if"]["reduction"]["at_least"]["value"],
        cap=float(contract["total_cap"]["amount"]["value"]),
        drawn_low=commitment * drawn["low"],
        drawn_high=commitment * drawn["high"],
    )
    return Problem({name: _inverse(distribution) for name, distribution in distributions._asdict().items()}, protocol, fixed)


def _plain(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def _inverse(distribution: dict[str, Any]) -> Callable[[Floats], Floats]:
    """Return the quantile function of a distribution as a study writes it."""
    if distribution["distribution"] == "uniform":
        return lambda u: distribution["low"] + (distribution["high"] - distribution["low"]) * u
    if distribution["distribution"] == "beta":
        mean, strength = distribution["mean"], distribution["mean"] * (1 - distribution["mean"]) / distribution["sd"] ** 2 - 1
        return lambda u: special.betaincinv(mean * strength, (1 - mean) * strength, u)
    if distribution["distribution"] != "lognormal":
        raise ValueError(f"a distribution that is uniform, beta or lognormal; found {distribution['distribution']}")
    if "interval_90" in distribution:
        low, high = np.log(distribution["interval_90"])
        location, scale = (low + high) / 2, (high - low) / (2 * special.ndtri(0.95))
    else:
        scale = np.sqrt(np.log1p((distribution["sd"] / distribution["mean"]) ** 2))
        location = np.log(distribution["mean"]) - scale**2 / 2
    return lambda u: np.exp(location + scale * special.ndtri(u))


def at_points(points: Floats, problem: Problem) -> Floats:
    """Return the four expectations of `expected` at each point of the unit cube, shape (n, 13)."""
    numbers = Numbers(**{name: inverse(points[:, d]) for d, (name, inverse) in enumerate(problem.inverses.items())})
    men = np.stack([np.floor(numbers.size_1), np.floor(numbers.size_2)], axis=1).astype(np.int64)
    score = special.ndtri(points[:, 9:11])
    unsettled = stats.binom.ppf(points[:, 11:13], men, numbers.start[:, None]).astype(np.int64)
    transforms, bases, matched = transforms_and_means(numbers, men, unsettled, score, problem.protocol)
    return over_luck(probabilities(transforms), bases, matched, problem.terms)


def over_sequence(problem: Problem, n_points: int, seed: np.random.SeedSequence) -> Floats:
    """Return the means of the four over one scrambled sequence, shape (4,)."""
    sequence = stats.qmc.Sobol(_DIMENSIONS, scramble=True, bits=_BITS, seed=np.random.default_rng(seed))
    sums = np.zeros(4)
    for start in range(0, n_points, BATCH):
        points = sequence.random(min(BATCH, n_points - start)) + 2.0 ** -(_BITS + 1)
        sums += at_points(points, problem).sum(axis=0)
    return sums / n_points


def answers_of(means: Floats, terms: Terms) -> dict[str, float]:
    """Return mean, sd, P(loss) and CVaR 95 % of what the lenders are left with; amounts are not rounded to the penny.

    What is drawn is uniform and hangs on nothing else. The worst 5 % of replications are those among the ones without a payment
    that draw most: there are more than 5 % of these, and even the least payment leaves a smaller loss.
    """
    paid, square, loss, nothing = (float(mean) for mean in means)
    low, high = terms.drawn_low, terms.drawn_high
    least = min(terms.price_1 * terms.trigger_1, terms.price_2 * terms.trigger_2, terms.price_pooled * terms.trigger_pooled)
    tail = (1 - _LEVEL) / nothing
    if not tail * (high - low) < least:
        raise ValueError(f"nothing is paid in the worst {1 - _LEVEL:.0%} of replications; found {nothing:.3g} without a payment")
    return {
        "mean": paid - (low + high) / 2,
        "sd": float(np.sqrt(square - paid**2 + (high - low) ** 2 / 12)),
        "p_loss": loss,
        "cvar95": high - tail * (high - low) / 2,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--points", type=power_of_two, default=65_536, help="of each sequence, a power of 2")
    parser.add_argument("--scrambles", type=at_least(2), default=16, help="independently scrambled sequences, at least 2")
    parser.add_argument("--seed", type=at_least(0), default=SEED)
    options = parser.parse_args(arguments)
    problem, found = read(), []
    for seed in np.random.SeedSequence(options.seed).spawn(options.scrambles):
        found.append(answers_of(over_sequence(problem, options.points, seed), problem.terms))
        print(f"sequence {len(found)}:", json.dumps(found[-1]), file=sys.stderr)
    values = {name: np.array([one[name] for one in found]) for name in found[0]}
    error = {name: float(each.std(ddof=1) / np.sqrt(len(found))) for name, each in values.items()}
    described = f"exact distributions of the counts, at {options.scrambles} scrambled sequences of {options.points} Sobol points (peterborough.py)"
    print(json.dumps({"from": described, "answers": {n: {"value": float(v.mean()), "se": error[n]} for n, v in values.items()}}))


if __name__ == "__main__":
    main()
