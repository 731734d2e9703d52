"""The Norrköping study as an analyst's own script: NumPy alone, nothing of the engine.

Run with `python benchmarks/norrkoping_numpy.py [--replications 20000] [--seed 2016] [--json]`. It reads the numbers of
`configs/norrkoping.yaml` and of its contract; what is done with them is written here. Not done: any other study, the standard
errors of quantiles, the evaluator's own standard error, and draws that stay the same when something else changes.
"""

from __future__ import annotations

import argparse
import json
from math import log, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Study = dict[str, Any]

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
STATES = ("home", "foster", "hvb", "sis")
HOME, FOSTER, HVB, SIS = range(4)
OUT_OF = {HOME: (HVB, SIS), FOSTER: (HOME, HVB), HVB: (HOME, FOSTER, SIS), SIS: (HOME, HVB)}
DAYS_PER_MONTH = 365.25 / 12
BATCH = 256
"""Replications whose people fit into the processor's cache together."""
Z_95 = 1.6448536269514722


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=2016)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    table = summary(simulate(options.replications, options.seed))
    if options.json:
        print(json.dumps(table))
        return
    for name, row in table.items():
        print(f"{name:32}" + "".join(f"  {key} {value:,.4g}" for key, value in row.items()))


def simulate(n: int, seed: int) -> dict[str, Floats]:
    """Return what each replication came to, by the names that the engine gives its columns; each of shape (n,)."""
    with (CONFIGS / "norrkoping.yaml").open(encoding="utf-8") as file:
        study: Study = yaml.load(file, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    with (CONFIGS / study["contract"]["file"]).open(encoding="utf-8") as file:
        contract: Study = yaml.load(file, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    random = np.random.Generator(np.random.SFC64(seed))
    numbers = draw_numbers(study, n, random)
    parts = [live(study, {name: drawn[at : at + BATCH] for name, drawn in numbers.items()}, random) for at in range(0, n, BATCH)]
    people = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    measured = measure(study, numbers, people)
    return measured | pay(study, contract, numbers, people, measured)


# ------------------------------------------------ numbers ------------------------------------------------


def draw_numbers(study: Study, n: int, random: np.random.Generator) -> dict[str, Floats]:
    """Draw everything that is uncertain, once for a replication; by its path in the study."""
    numbers: dict[str, Floats] = {}

    def visit(node: object, path: str) -> None:
        if not isinstance(node, dict):
            return
        if "distribution" in node:
            numbers[path] = drawn(node, n, random)
        for key, child in node.items():
            visit(child, f"{path}.{key}" if path else key)

    visit({key: study[key] for key in ("population", "pathway", "effect", "outcomes", "measurement", "capital")}, "")
    return numbers


def drawn(said: Study, n: int, random: np.random.Generator) -> Floats:
    """Draw from one distribution."""
    kind = said["distribution"]
    if kind == "uniform":
        return random.uniform(said["low"], said["high"], n)
    if kind == "normal":
        return random.normal(said["mean"], said["sd"], n)
    if kind == "lognormal":
        low, high = said["interval_90"]
        return np.exp(random.normal(log(low * high) / 2, log(high / low) / (2 * Z_95), n))
    if kind == "beta":
        mean, sd = said["mean"], said["sd"]
        size = mean * (1 - mean) / sd**2 - 1
        return random.beta(mean * size, (1 - mean) * size, n)
    raise ValueError(f"no distribution {kind} in this script")


# ------------------------------------------------ people ------------------------------------------------


def live(study: Study, numbers: dict[str, Floats], random: np.random.Generator) -> dict[str, Floats]:
    """Let a batch of replications live: service users, the same people without the service, and earlier people."""
    n = len(numbers["capital.drawn_share"])
    horizon = study["study"]["horizon_months"]["value"]
    window = int(study["measurement"]["metrics"]["saving"]["window_months"]["value"])
    n_users = study["population"]["waves"]["all"]["size"]["value"]
    n_earlier = study["measurement"]["baseline"]["size"]["value"]
    price = np.zeros((n, 4))
    for state in ("foster", "hvb", "sis"):
        price[:, STATES.index(state)] = numbers[f"outcomes.placement_cost_sek.per_day.{state}"] * DAYS_PER_MONTH
    qualified = np.stack([numbers[f"outcomes.school_qualified.probability.{state}"] for state in STATES], axis=1)
    odds = numbers["effect.school_support.odds_ratio"][:, None]
    with_support = qualified * odds / (1 - qualified + qualified * odds)

    hazard = hazards(numbers)
    treated = dict(hazard)
    for name, move in (("sooner_home", (HVB, HOME)), ("fewer_returns", (HOME, HVB))):
        treated[move] = hazard[move] * ratio_by_month(numbers, f"effect.{name}", horizon)
    usual = edges({move: one[None] for move, one in hazard.items()})
    changed = edges({move: np.broadcast_to(one, (horizon, n)) for move, one in treated.items()})

    months_open = np.floor(numbers["population.waves.all.enrolment_months"])
    entry = np.floor(random.random((n, n_users)) * months_open[:, None]).astype(np.int64).ravel()
    share_hvb = numbers["population.strata.hvb.share"][:, None]

    def enter(n_people: int) -> NDArray[np.int64]:
        first = np.where(random.random((n, n_people)) < share_hvb, HVB, SIS)
        return (first + 4 * np.arange(n)[:, None]).ravel()

    year = np.arange(horizon) // 12
    rate = study["parties"]["outcome_payer"]["discount_rate_per_year"]["value"]
    # What a unit of cost a month comes to from each date to the horizon: in months, and discounted from the middle of each year.
    to_come = [np.cumsum(one[::-1])[::-1] for one in (np.ones(horizon), (1 + rate) ** -(year + 0.5))]
    to_come = [np.append(one, 0.0) for one in to_come]

    begun, nothing = enter(n_users), np.zeros(0, np.int64)
    way, twins = (Way(begun, price, entry, window, to_come) for _ in range(2))
    walk([(way, changed), (twins, usual)], horizon, random)
    earlier = Way(enter(n_earlier), price, nothing, window, [])
    walk([(earlier, usual)], window, random)
    found: dict[str, Floats] = {}
    lot = random.random(len(begun))
    for arm, one, yes in (("service", way, with_support), ("twin", twins, qualified)):
        found |= {f"{arm}.{name}": cost for name, cost in zip(("in_window", "cost", "cost_now"), one.cost, strict=True)}
        found[f"{arm}.qualified"] = (lot < yes.ravel().take(one.at_reading)).reshape(n, -1).mean(axis=1)
    found["earlier.in_window"] = earlier.cost[0]
    is_yes = random.random(n * n_earlier) < qualified.ravel().take(earlier.at_reading)
    found["earlier.qualified"] = is_yes.reshape(n, -1).mean(axis=1)
    return found


def hazards(numbers: dict[str, Floats]) -> dict[tuple[int, int], Floats]:
    """Turn the probabilities of a month, read together for each state, into hazards."""
    found: dict[tuple[int, int], Floats] = {}
    for here, others in OUT_OF.items():
        chances = [numbers[f"pathway.moves.{STATES[here]} -> {STATES[to]}.per_month"] for to in others]
        leaving = np.sum(chances, axis=0)
        shared = -np.log1p(-np.minimum(leaving, 1 - 1e-12)) / leaving
        found |= {(here, to): chance * shared for to, chance in zip(others, chances, strict=True)}
    return found


def ratio_by_month(numbers: dict[str, Floats], path: str, months: int) -> Floats:
    """Return a hazard ratio that grows and fades, by month since entry; shape (months, n)."""
    t = np.arange(months)[:, None] + 0.5
    late = np.maximum(t - numbers[f"{path}.fades_after_months"], 0)
    strength = (1 - np.exp(-t / numbers[f"{path}.ramp_months"])) * 0.5 ** (late / numbers[f"{path}.half_life_months"])
    return numbers[f"{path}.hazard_ratio"] ** strength


def edges(hazard: dict[tuple[int, int], Floats]) -> NDArray[np.float32]:
    """Return where each of the moves out of a state ends between 0 and 1; shape (months or 1, move, n x state)."""
    months, n = hazard[HOME, HVB].shape
    edge = np.zeros((months, 3, n, 4), np.float32)
    for here, others in OUT_OF.items():
        each = np.cumsum([hazard[here, to] for to in others], axis=0)
        leaving = -np.expm1(-each[-1]) / each[-1]
        for j in range(3):
            edge[:, j, :, here] = each[min(j, len(others) - 1)] * leaving
    return edge.reshape(months, 3, 4 * n)


class Way:
    """Where some people are, and what they have cost. A place is a replication and a state: 4 x replication + state.

    A move changes what a month costs from its date to the end: so costs are added up at moves alone.
    """

    def __init__(
        self, first: NDArray[np.int64], price: Floats, entry: NDArray[np.int64], window: int, to_come: list[Floats]
    ) -> None:
        self.now, self.price, self.n = first.copy(), price.ravel(), len(price)
        self.entry, self.window, self.to_come = entry, window, to_come
        begins, row = self.price.take(first), first >> 2
        weights = [window * begins, *(begins * one[entry] for one in to_come)]
        self.cost: list[Floats] = [np.asarray(np.bincount(row, one, self.n), np.float64) for one in weights]
        self.at_reading = self.now

    def move(self, month: int, who: NDArray[np.int64], reached: NDArray[np.int64]) -> None:
        """Let some people move at the end of a month after entry."""
        left = self.now[who]
        self.now[who] = reached
        row, change = left >> 2, self.price.take(reached) - self.price.take(left)
        if month + 1 < self.window:
            self.cost[0] += (self.window - month - 1) * np.bincount(row, change, self.n)
        if self.to_come:
            date = np.minimum(self.entry[who] + month + 1, len(self.to_come[0]) - 1)
            for cost, one in zip(self.cost[1:], self.to_come, strict=True):
                cost += np.bincount(row, change * one.take(date), self.n)
        if month == self.window - 1:
            self.at_reading = self.now.copy()


DESTINATION = np.array([others[min(j, len(others) - 1)] for others in OUT_OF.values() for j in range(3)])


def walk(arms: list[tuple[Way, NDArray[np.float32]]], months: int, random: np.random.Generator) -> None:
    """Move people month by month; the arms share their random numbers."""
    lot = np.empty(len(arms[0][0].now), np.float32)
    for month in range(months):
        random.random(out=lot, dtype=np.float32)
        for way, edge in arms:
            first, second, leaving = edge[month if len(edge) > 1 else 0]
            who = np.flatnonzero(lot < leaving.take(way.now))
            left, its = way.now[who], lot[who]
            number = (its >= first.take(left)).astype(np.int64) + (its >= second.take(left))
            way.move(month, who, left - (left & 3) + DESTINATION.take((left & 3) * 3 + number))


# ------------------------------------------------ measurement and money ------------------------------------------------


def measure(study: Study, numbers: dict[str, Floats], people: dict[str, Floats]) -> dict[str, Floats]:
    """Compare with earlier people, whose level is that of some years before; and with what nobody sees."""
    years, metrics = study["measurement"]["baseline"]["years_before"]["value"], "measurement.metrics"
    n_users, n_earlier = study["population"]["waves"]["all"]["size"]["value"], study["measurement"]["baseline"]["size"]["value"]
    level = np.exp(-numbers[f"{metrics}.saving.drift_per_year"] * years)
    rate = people["earlier.qualified"]
    odds = np.exp(-numbers[f"{metrics}.school.drift_per_year"] * years)
    return {
        "metric.saving.estimate": people["earlier.in_window"] * level * n_users / n_earlier - people["service.in_window"],
        "metric.saving.truth": people["twin.in_window"] - people["service.in_window"],
        "metric.school.estimate": people["service.qualified"] - rate * odds / (1 - rate + rate * odds),
        "metric.school.truth": people["service.qualified"] - people["twin.qualified"],
    }


def pay(
    study: Study, contract: Study, numbers: dict[str, Floats], people: dict[str, Floats], measured: dict[str, Floats]
) -> dict[str, Floats]:
    """Settle the three terms, and say what lender and municipality are left with."""
    terms, saving = contract["terms"], measured["metric.saving.estimate"]
    drawn_money = np.round(contract["commitment"]["value"] * numbers["capital.drawn_share"], 2)
    term = {
        "guarantee": terms["guarantee"]["share"]["value"] * drawn_money,
        "saving_share": np.clip(
            terms["saving_share"]["share"]["value"] * saving, 0, terms["saving_share"]["cap"]["share"]["value"] * drawn_money
        ),
        "upside": np.where(
            measured["metric.school.estimate"] > terms["upside"]["only_if"]["school"]["above"]["value"],
            np.clip(
                terms["upside"]["share"]["value"] * (saving - terms["upside"]["above"]["share"]["value"] * drawn_money),
                0,
                terms["upside"]["cap"]["share"]["value"] * drawn_money,
            ),
            0,
        ),
    }
    term = {name: np.round(one, 2) for name, one in term.items()}
    month = {name: np.floor(numbers[f"capital.payment_month.{name}"]) for name in term}
    months = np.floor(numbers["capital.drawdown_months"])
    paid = sum(term.values())
    net = np.round(paid - drawn_money, 2)

    def present_value(rate: Floats | float) -> Floats:
        v = (1 + rate) ** (-1 / 12)
        even = (1 - v**months) / np.where(v == 1, 1, 1 - v)
        paid_back = np.sum([one * v ** month[name] for name, one in term.items()], axis=0)
        return np.asarray(paid_back - drawn_money / months * np.where(v == 1, months, even))

    parties = {who: study["parties"][who]["discount_rate_per_year"]["value"] for who in ("investor", "outcome_payer")}
    of_payer = 1 / (1 + parties["outcome_payer"])
    paid_now = sum(one * of_payer ** (month[name] / 12) for name, one in term.items())
    saved = people["twin.cost"] - people["service.cost"]
    saved_now = people["twin.cost_now"] - people["service.cost_now"]
    so_far = {here: sum(np.where(month[name] <= month[here], one, 0) for name, one in term.items()) for here in term}
    back = [np.where(so_far[name] >= drawn_money - 0.005, month[name], np.inf) for name in term]
    is_early = month["guarantee"] < months
    deepest = np.maximum(drawn_money * month["guarantee"] / months, drawn_money - term["guarantee"])
    return {
        "drawn": drawn_money,
        **{f"term.{name}.amount": one for name, one in term.items()},
        "investor.money_back": paid,
        "investor.net": net,
        "investor.npv": present_value(parties["investor"]),
        "investor.moic": paid / drawn_money,
        "investor.irr": internal_rate(present_value, len(net)),
        "investor.payback_months": np.where(net >= 0, np.min(back, axis=0), np.nan),
        "investor.peak_funding": np.where(is_early, deepest, drawn_money),
        "outcome_payer.payment": paid,
        "outcome_payer.true_saving": saved,
        "outcome_payer.net": saved - paid,
        "outcome_payer.npv": saved_now - paid_now,
    }


def internal_rate(present_value: Any, n: int) -> Floats:
    """Halve the interval of each replication until its rate of return is found; the cash changes its sign once."""
    low, high = np.full(n, -0.99), np.full(n, 1.0)
    for _ in range(40):
        middle = (low + high) / 2
        is_above = present_value(middle) > 0
        low, high = np.where(is_above, middle, low), np.where(is_above, high, middle)
    return np.asarray((low + high) / 2)


# ------------------------------------------------ what is printed ------------------------------------------------


def summary(found: dict[str, Floats]) -> dict[str, dict[str, float]]:
    """Return means, standard deviations, quantiles and probabilities, the first two and the last with their standard errors."""
    table = {}
    for name, x in found.items():
        x = x[np.isfinite(x)]
        if len(x) < 2:
            continue
        mean, sd, n = x.mean(), x.std(ddof=1), len(x)
        of_sd = sqrt(max(((x - mean) ** 4).mean() - sd**4, 0) / n) / (2 * sd) if sd > 0 else 0.0
        row = {"mean": mean, "mean ±": sd / sqrt(n), "sd": sd, "sd ±": of_sd}
        table[name] = row | {f"p{q:02}": value for q, value in zip((5, 25, 50, 75, 95), quantiles(x), strict=True)}
    for party in ("investor", "outcome_payer"):
        loss = -found[f"{party}.net"]
        var = np.quantile(loss, 0.95)
        table[f"{party}.var95"] = {"value": var}
        table[f"{party}.cvar95"] = {"value": loss[loss >= var].mean()}
    for name, is_so in events(found).items():
        p = is_so.mean()
        table[name] = {"p": p, "p ±": sqrt(p * (1 - p) / len(is_so))}
    return {name: {key: float(value) for key, value in row.items()} for name, row in table.items()}


def quantiles(x: Floats) -> Floats:
    return np.quantile(x, (0.05, 0.25, 0.50, 0.75, 0.95))


def events(found: dict[str, Floats]) -> dict[str, NDArray[np.bool_]]:
    """Say of each replication what has a probability in the answer."""
    net, contingent = found["investor.net"], found["investor.money_back"] - found["term.guarantee.amount"]
    no_more, saved = contingent <= 0.005, found["outcome_payer.true_saving"]
    return {
        "investor: P(loss)": net < 0,
        "investor: P(profit)": net > 0,
        "investor: P(exactly the money drawn)": net == 0,
        "investor: P(guarantee alone)": no_more,
        "investor: P(NPV below 0)": found["investor.npv"] < 0,
        "payer: P(loss)": found["outcome_payer.net"] < 0,
        "payer: P(more, without a saving)": ~no_more & (saved <= 0),
        "payer: P(saving, no more)": no_more & (saved > 0),
    }


if __name__ == "__main__":
    main()
