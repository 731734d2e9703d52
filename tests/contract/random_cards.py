"""Contracts with a rate card, and people who reach outcomes, that a seed makes up: every rule of a card, beside every other.

Numbers are sums of powers of two, so that half a smallest unit occurs, and is exactly half in every way of reckoning.
"""

from __future__ import annotations

from random import Random

import numpy as np

from simengine.contract.spec import Contract
from simengine.records import Measurements, Reached
from tests.reference.rate_card import LOTS, Row

HORIZON = 40


class CardCase:
    """A contract with one card, and a record of what people reached."""

    def __init__(self, seed: int, *, without: tuple[str, ...] = ()) -> None:
        """Make up a case; `without` names rules that it must not have."""
        self.random, self.without = Random(seed), without
        self.n_outcomes = self.random.choice([1, 2, 2, 3, 3, 4, 6, 8, 12, 40])
        self.outcomes = [f"o{number}" for number in range(self.n_outcomes)]
        self.is_units = {name: self.may("units", 0.3) for name in self.outcomes}
        self.waves = [f"w{number}" for number in range(self.random.randint(0, 3))]
        self.groups = [f"g{number}" for number in range(self.random.randint(0, 3))]
        self.raw = self.make_contract()
        # Drawn by itself, so that cases with and without variations are alike.
        self.raw |= self.make_variations(Random(-1 - seed))
        self.contract = Contract.model_validate(self.raw)
        self.rows = self.in_order(self.make_rows())

    def may(self, rule: str, chance: float) -> bool:
        """Decide whether a rule is there; numbers are drawn all the same, so that cases with and without it are alike."""
        is_there = self.random.random() < chance
        return is_there and rule not in self.without

    # ---------------------------------------------------- the contract ----------------------------------------------------

    def make_contract(self) -> dict:
        outcomes = {}
        for name in self.outcomes:
            outcomes[name] = {"meaning": "something", "unit": "days" if self.is_units[name] else "people"}
            if self.may("validated", 0.5):
                outcomes[name]["validated_after_months"] = self.random.choice([1, 3, 6, 13])
        card = {"rate_card": self.make_prices()}
        if self.may("cap_per_person", 0.3):
            card["cap_per_person"] = self.random.randint(20, 800) / 4
        if self.waves and self.may("cap_per_wave", 0.4):
            some = self.random.sample(self.waves, self.random.randint(1, len(self.waves)))
            card["cap_per_wave"] = {wave: self.cap() for wave in some}
        if self.may("cap_per_year", 0.5):
            excess = self.random.choice(["lost", "carried_over"])
            card["cap_per_year"] = {"at_most": self.cap() / 2, "excess": excess}
            if self.random.random() < 0.5:
                card["cap_per_year"]["from_month"] = self.random.choice([0, 3, 9, 18])
        if self.may("cap_in_all", 0.4):
            card["cap_in_all"] = 2 * self.cap()
        if self.may("open_at_end", 0.5):
            card["open_at_end"] = "paid"
        if self.may("audit", 0.35):
            card["audit"] = {"share": self.random.choice([0.25, 0.5, 0.75, 1.0]), "extrapolated": self.random.random() < 0.6}
        if self.may("dispute", 0.25):
            card["dispute"] = {"share": self.random.choice([0.25, 0.5, 1.0]), "later_by_months": self.random.choice([1, 4, 12])}
        dates = self.random.choice(
            [
                {"quarter": {"every_months": 3, "until_month": 36}},
                {"month": {"every_months": 1, "from_month": 0, "until_month": 30}},
                {"half": {"every_months": 6, "from_month": 4, "until_month": 39}, "last": {"month": 37}},
                {"one": {"month": 5}, "two": {"month": 12}, "three": {"month": 24}, "four": {"month": 33}},
                {"end": {"month": HORIZON}},
            ]
        )
        if "two" in dates and self.may("at", 0.5):
            card["at"] = ["two", "four"]
        return {
            "title": "A test",
            "currency": self.random.choice(["SEK", "JPY", "KWD"]),
            "commitment": 1e6,
            "outcomes": outcomes,
            "dates": dates,
            "waves": dict.fromkeys(self.waves, "a wave"),
            "groups": dict.fromkeys(self.groups, "a group"),
            "terms": {"card": card},
        }

    def make_prices(self) -> dict:
        prices: dict = {}
        listed = [name for name in self.outcomes if self.random.random() < 0.9] or self.outcomes[:1]
        rank = self.random.sample(self.outcomes, self.n_outcomes)
        self.random.shuffle(listed)
        for name in listed:
            one: dict = {}
            kind = self.random.choice(["price", "price", "price", "bands", "none"])
            kind = "price" if kind == "bands" and "bands" in self.without else kind
            if kind == "price":
                one["price"] = self.price()
                for key, names in (("by_group", self.groups), ("by_wave", self.waves)):
                    if names and self.may(key, 0.3):
                        one[key] = {other: self.price() for other in self.random.sample(names, self.random.randint(1, len(names)))}
                if self.may("from_month", 0.3):
                    months = self.random.sample(range(HORIZON), self.random.randint(1, 2))
                    one["from_month"] = {month: self.price() for month in months}
            elif kind == "bands":
                beyond = [0, *sorted(self.random.sample([0.5, 2, 3, 5, 8, 20], self.random.randint(1, 2)))]
                one["bands"] = [{"beyond": volume, "price": self.price()} for volume in beyond]
            if self.may("index", 0.3):
                one["index_per_year"] = self.random.choice([0.25, 0.125, -0.25, 1.0])
            below = rank[: rank.index(name)]
            if below and self.may("needs", 0.4):
                one["needs"] = self.random.sample(below, min(len(below), self.random.choice([1, 1, 2])))
            others = [other for other in self.outcomes if other != name]
            if self.is_units[name]:
                alike = [other for other in others if self.is_units[other]]
                if alike and self.may("net_of", 0.5):
                    one["net_of"] = self.random.sample(alike, min(len(alike), self.random.choice([1, 2])))
                if self.may("beyond_units", 0.5):
                    one["beyond_units"] = self.random.choice([0.5, 4, 10, 20.25])
                    one["counted_back"] = self.random.random() < 0.5
            else:
                if self.may("each_time", 0.2):
                    one["each_time"] = True
                if others and "each_time" not in one and self.may("lost_by", 0.9):
                    share, within = self.random.choice([0, 0.25, 0.5, 1, 1]), self.random.choice([None, 0, 2, 6, 12])
                    one["lost_by"] = {"outcome": self.random.choice(others), "share_owed_back": share}
                    if within is not None:
                        one["lost_by"]["within_months"] = within
            if kind != "none" and self.may("cap", 0.25):
                one["cap"] = self.cap() / 2
            prices[name] = one
        return prices

    def make_variations(self, random: Random) -> dict:
        """Make up variations, and the metrics that they look at: one that is measured, and numbers reached."""
        if "variations" in self.without:
            return {}
        card, dates = self.raw["terms"]["card"], list(Contract.model_validate(self.raw).calendar)
        metrics = {"level": {"meaning": "measured", "unit": "points"}}
        for name in random.sample(self.outcomes, min(self.n_outcomes, 2)):
            unit = "days" if self.is_units[name] else "people"
            metrics[f"n_{name}"] = {"meaning": "reached", "unit": unit, "derived": {"reached": name}}
        variations, varied = {}, {}
        for number in range(random.choice([0, 1, 2, 3])):
            name, gates = f"v{number}", {}
            for metric in random.sample(list(metrics), random.choice([0, 1, 1, 2]) if len(metrics) > 1 else 1):
                word = random.choice(["above", "at_least", "below", "at_most"])
                gates[metric] = {word: random.choice([0, 1, 2, 4, 8]) if metric != "level" else random.choice([-1, 0, 0.5])}
            variations[name] = {"at": random.choice(dates)} | ({"only_if": gates} if gates else {})
            changed = self.varied_card(card, random)
            varied |= {name: changed} if changed else {}
        card |= {"varied": varied} if varied else {}
        return {"metrics": metrics, "variations": variations}

    def varied_card(self, card: dict, random: Random) -> dict:
        changed: dict = {"rate_card": {}}
        for name, price in card["rate_card"].items():
            new: dict = {}
            if "price" in price and random.random() < 0.5:
                new["price"] = random.randint(0, 400) / 8
            for key, names in (("by_group", self.groups), ("by_wave", self.waves)):
                if "price" in price and names and random.random() < 0.25:
                    new[key] = {random.choice(names): random.randint(0, 400) / 8}
            if ("price" in price or "bands" in price) and random.random() < 0.2:
                new["cap"] = random.randint(0, 1500) / 8
            changed["rate_card"] |= {name: new} if new else {}
        for key in ("cap_per_person", "cap_in_all", *(["cap_per_year"] if "cap_per_year" in card else [])):
            if random.random() < 0.2:
                changed[key] = random.randint(0, 3000) / 8
        if self.waves and random.random() < 0.2:
            changed["cap_per_wave"] = {random.choice(self.waves): random.randint(0, 3000) / 8}
        return {key: one for key, one in changed.items() if one != {}}

    def price(self) -> float:
        return self.random.choice([0.0, self.random.randint(1, 400) / 8])

    def cap(self) -> float:
        return self.random.randint(4, 3000) / 4

    # ---------------------------------------------------- the record ----------------------------------------------------

    def make_rows(self) -> list[Row]:
        rows, self.people = [], []
        for replication in range(self.random.randint(1, 3)):
            people = [
                (self.random.choice(self.waves or [None]), self.random.choice([*self.groups, None]))
                for _ in range(self.random.randint(1, 30))
            ]
            self.people.append(people)
            for number, (wave, group) in enumerate(people):
                for name in self.random.sample(self.outcomes, min(self.n_outcomes, self.random.randint(0, 8))):
                    times = self.random.choice([1, 1, 2, 4])
                    for month in self.random.sample(range(HORIZON + 1), times):
                        units = self.random.randint(0, 60) / 4 if self.is_units[name] else 1.0
                        false = self.random.random() < 0.25
                        rows.append(Row(replication, number, wave, group, name, month, units, false, self.random.randrange(LOTS)))
        return rows

    @property
    def listed(self) -> list[str]:
        """The outcomes of the record: not in the order of the contract, and one that it does not know."""
        return ["unknown", *reversed(self.outcomes)]

    def in_order(self, rows: list[Row]) -> list[Row]:
        """Put rows in the order of a record."""
        return sorted(rows, key=lambda row: (row.replication, row.month, row.person, self.listed.index(row.outcome)))

    @property
    def levels(self) -> dict[str, list[float]]:
        """What was measured in each replication, by metric."""
        random = Random(-1 - len(self.rows))
        return {"level": [random.choice([-2.0, -1.0, 0.0, 0.25, 0.5, 3.0]) for _ in self.people]}

    def measurements(self) -> Measurements:
        """Put what was measured beside the record."""
        estimate = np.array(list(self.levels.values())).T
        unknown = np.full_like(estimate, np.nan)
        return Measurements(tuple(self.levels), estimate, unknown, unknown, reached=self.record())

    def record(self) -> Reached:
        """Put the rows into the record that a settlement takes."""
        waves, groups = list(reversed(self.waves)) or ["all"], ["other", *self.groups]
        return record_of(self.rows, self.people, self.listed, waves, groups)


def record_of(rows: list[Row], people: list[list], outcomes: list[str], waves: list[str], groups: list[str]) -> Reached:
    """Make a record of rows that stand in its order; `people` lists by replication the wave and the group of each person."""
    everybody = [one for some in people for one in some]
    counts = [sum(row.replication == number for row in rows) for number in range(len(people))]
    return Reached(
        outcomes=tuple(outcomes),
        waves=tuple(waves),
        groups=tuple(groups),
        horizon=HORIZON,
        first_row=np.cumsum([0, *counts]),
        first_person=np.cumsum([0, *map(len, people)]),
        wave=np.array([0 if wave is None else waves.index(wave) for wave, _ in everybody], dtype=np.int16),
        group=np.array([-1 if group is None else groups.index(group) for _, group in everybody], dtype=np.int16),
        entry=np.zeros(len(everybody), dtype=np.int16),
        person=np.array([row.person for row in rows], dtype=np.int32),
        outcome=np.array([outcomes.index(row.outcome) for row in rows], dtype=np.int16),
        month=np.array([row.month for row in rows], dtype=np.int16),
        units=np.array([row.units for row in rows], dtype=float),
        is_false=np.array([row.is_false for row in rows], dtype=np.bool_),
        lots=np.array([row.lot for row in rows], dtype=np.uint32),
    )
