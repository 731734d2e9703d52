"""One person in plain Python: luck by address, entry, selection, part taken in the service, and what a person carries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from math import erfc, exp, log, pi, sqrt
from statistics import NormalDist
from typing import Any

from tests.reference import streams
from tests.reference.replication import ReplicationNumbers, choose, competing, shares_of

FULL = "full"
"""The only dose where a study names none."""


@dataclass(frozen=True)
class Luck:
    """The draws of one candidate for one place in one group."""

    numbers: ReplicationNumbers
    group: str
    number: int
    attempt: int

    def pair(self, decision: str, index: int = 0) -> tuple[float, float]:
        """Give two uniforms; the candidate's number is the high half of the index."""
        purpose = streams.purpose_number(f"people/{self.group}/{decision}")
        return streams.uniform_pair(self.numbers.seed, self.attempt * 2**16 + index, self.number, self.numbers.replication, purpose)

    def words(self, decision: str) -> Iterator[int]:
        """Give word number 0, 1, ... of a sequence that begins at the address of a decision."""
        purpose = streams.purpose_number(f"people/{self.group}/{decision}")
        counter = (self.attempt * 2**16, self.number, self.numbers.replication, purpose)
        return streams.xoshiro128(streams.philox4x32(counter, streams.key_of(self.numbers.seed)))

    def row(self, decision: str) -> Row:
        """Give draw after draw from the words of a decision."""
        return Row(self.words(decision))


@cache
def ziggurat() -> list[float]:
    """Give the right edges of 256 layers of the same area under exp(-x x / 2), the widest first.

    Marsaglia and Tsang 2000, doi:10.18637/jss.v005.i08: the edge of the tail is where the last layer ends in the peak.
    """

    def edges(tail: float) -> tuple[list[float], float]:
        area = tail * exp(-tail * tail / 2) + sqrt(pi / 2) * erfc(tail / sqrt(2))
        found, height = [area / exp(-tail * tail / 2), tail], exp(-tail * tail / 2)
        while len(found) < 256:
            height += area / found[-1]
            if height >= 1:
                return found, height
            found.append(sqrt(-2 * log(height)))
        return found, height + area / found[-1]

    low, high = 3.0, 4.5
    while high - low > 1e-15 * low:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if edges(middle)[1] > 1 else (low, middle)
    return [*edges(high)[0], 0.0]


@dataclass
class Row:
    """Draws that follow each other."""

    words: Iterator[int]

    def uniform(self) -> float:
        return streams.between_0_and_1(next(self.words), next(self.words))

    def normal(self) -> float:
        """Give a normal number: a point under the curve, from a layer, or from the tail beyond the lowest."""
        edges = ziggurat()
        while True:
            high, low = next(self.words), next(self.words)
            layer, x = low % 256, (2 * streams.between_0_and_1(high, low) - 1) * edges[low % 256]
            if abs(x) < edges[layer + 1]:
                return x
            if layer == 0:
                while True:
                    beyond, height = -log(self.uniform()) / edges[1], -log(self.uniform())
                    if 2 * height > beyond**2:
                        return edges[1] + beyond if x > 0 else -edges[1] - beyond
            bottom, top = exp(-(edges[layer] ** 2) / 2), exp(-(edges[layer + 1] ** 2) / 2)
            if bottom + self.uniform() * (top - bottom) < exp(-x * x / 2):
                return x

    def gamma(self, shape: float) -> float:
        """Give a gamma number of scale 1 by the method of Marsaglia and Tsang; below shape 1 by their power of a uniform."""
        d = (shape if shape >= 1 else shape + 1) - 1 / 3
        while True:
            z = self.normal()
            v = (1 + z / sqrt(9 * d)) ** 3
            if v > 0 and log(self.uniform()) < z * z / 2 + d - d * v + d * log(v):
                return d * v if shape >= 1 else d * v * self.uniform() ** (1 / shape)


@dataclass(frozen=True)
class Group:
    """People who enter together in one replication."""

    name: str
    size: int
    from_month: int
    enrolment_months: int
    has_volume: bool


@dataclass(frozen=True)
class Person:
    """Who somebody is. The clock runs from the beginning of the history; entry is at clock `history`."""

    numbers: ReplicationNumbers
    luck: Luck
    stratum: str
    state: str
    entry: int
    """Month of the study."""
    factors: tuple[tuple[tuple[str, ...], float], ...]
    """What each factor multiplies, and the factor."""
    dose: str | None = FULL
    """Nothing for those who never take part."""
    leaves: int | None = None
    """Month of the clock from which a person no longer takes part."""

    @property
    def end(self) -> int:
        """Clock at the horizon."""
        return self.numbers.history + self.numbers.horizon - self.entry

    def calendar(self, clock: int) -> int:
        """Give the month of the study at a month of the clock."""
        return self.entry + clock - self.numbers.history

    def factor_on(self, target: str) -> float:
        factor = 1.0
        for on, value in self.factors:
            factor *= value if target in on else 1.0
        return factor


def enter(numbers: ReplicationNumbers, group: Group, number: int, attempt: int) -> Person:
    """Let one candidate in."""
    luck = Luck(numbers, group.name, number, attempt)
    population = numbers.cohort.population
    u_stratum, u_start = luck.pair("entry")
    u_month, _ = luck.pair("entry", 1)
    strata = {name: stratum.share for name, stratum in population.strata.items()}
    stratum = choose(shares_of(numbers, strata, "population.strata.{}.share"), u_stratum)
    start = shares_of(numbers, numbers.cohort.pathway.start[stratum], f"pathway.start.{stratum}.{{}}")
    by_state = {state: start.get(state, 0.0) for state in numbers.cohort.pathway.states}
    entry = group.from_month + int(u_month * group.enrolment_months)
    return Person(numbers, luck, stratum, choose(by_state, u_start), entry, tuple(factors_of(numbers, group, luck)))


def factors_of(numbers: ReplicationNumbers, group: Group, luck: Luck) -> list[tuple[tuple[str, ...], float]]:
    """Draw what a person carries: frailties, sites, the volume of the wave."""
    population, factors = numbers.cohort.population, []
    for name, frailty in population.frailties.items():
        variance = numbers[f"population.frailties.{name}.variance"]
        factors.append((frailty.on, luck.row(f"frailty/{name}").gamma(1 / variance) * variance if variance > 0 else 1.0))
    for name, sites in population.sites.items():
        if sites.sizes is None:
            site = int(luck.pair(f"site/{name}")[0] * int(sites.count.value))
        else:
            # Dealt like cards that lie in the order of the sites, each site with its share of them.
            site = sum(
                sum(sites.sizes[: j + 1]) / sum(sites.sizes) <= (luck.number + 0.5) / group.size for j in range(len(sites.sizes))
            )
        z = NormalDist().inv_cdf(numbers.uniform(f"world/sites/{name}/{site}"))
        factors.append((sites.on, exp(numbers[f"population.sites.{name}.sd"] * z)))
    for name, volume in population.volume.items():
        ratio = max(group.size, 1) / numbers[f"population.volume.{name}.planned"]
        factors.append((volume.on, ratio ** numbers[f"population.volume.{name}.elasticity"] if group.has_volume else 1.0))
    return factors


# In every arm the same people enter.
@lru_cache(maxsize=4096)
def select(numbers: ReplicationNumbers, group: Group, number: int, value_before: Callable[[Person], float]) -> Person:
    """Give the first candidate for a place whose months before entry come to what is asked for."""
    selection = numbers.cohort.population.selection
    for attempt in range(2**16):
        person = enter(numbers, group, number, attempt)
        if selection is None:
            return person
        value = value_before(person)
        is_low = selection.at_least is not None and value < selection.at_least
        is_high = selection.at_most is not None and value > selection.at_most
        if not (is_low or is_high):
            return person
    raise AssertionError("no candidate fits")


def take_part(person: Person) -> Person:
    """Draw whether a person takes part, at which dose, and until when."""
    numbers, engagement = person.numbers, person.numbers.cohort.population.engagement
    if engagement is None:
        return person
    u_engage, u_dose = person.luck.pair("engagement")
    if u_engage >= numbers["population.engagement.share"]:
        return replace(person, dose=None)
    dose, leaves = FULL, None
    if engagement.doses is not None:
        shares = {name: one.share for name, one in engagement.doses.items()}
        dose = choose(shares_of(numbers, shares, "population.engagement.doses.{}.share"), u_dose)
    if engagement.dropout is not None:
        form = engagement.dropout.form
        hazard = competing([(form, numbers[f"population.engagement.dropout.{form}"], 1.0)])[0]
        u_leave, _ = person.luck.pair("engagement", 1)
        month = 0
        while hazard > 0 and hazard * (month + 1) <= -log(u_leave) and month < person.end:
            month += 1
        leaves = numbers.history + month + 1 if hazard > 0 else None
    return replace(person, dose=dose, leaves=leaves)


# ------------------------------------------------ effects ------------------------------------------------


@cache
def effects_on(numbers: ReplicationNumbers, kind: str, target: str, stratum: str, *, has_service: bool) -> list[tuple[str, Any]]:
    """List the effects that act on a move, event or outcome in a stratum; none without the service.

    Hazard ratios come first, then relative risks, odds ratios and differences, whatever their order in the study.
    """
    forms = ("hazard_ratio", "relative_risk", "odds_ratio", "difference", "length_ratio")
    effects = sorted(numbers.cohort.effect.items(), key=lambda item: forms.index(item[1].form)) if has_service else []
    return [
        (name, effect)
        for name, effect in effects
        if effect.target == kind and target in effect.targets and (effect.strata is None or stratum in effect.strata)
    ]


def weight_of(person: Person, effect: Any, clock: int) -> float:
    """Give how much of an effect a person receives in a month of the clock."""
    engagement = person.numbers.cohort.population.engagement
    if engagement is None or effect.reaches == "referred":
        return 1.0
    if person.dose is None or (effect.only_while_engaged and person.leaves is not None and clock >= person.leaves):
        return 0.0
    return person.numbers[f"population.engagement.doses.{person.dose}.strength"] if engagement.doses is not None else 1.0


def strength(numbers: ReplicationNumbers, name: str, effect: Any, after_entry: int) -> float:
    """Give the share of the full effect in the middle of a month after entry: it grows with the ramp and halves as it fades."""
    if after_entry < 0:
        return 0.0
    middle, path = after_entry + 0.5, f"effect.{name}"
    ramp = numbers[f"{path}.ramp_months"] if effect.ramp_months is not None else 0.0
    grown = 1 - exp(-middle / ramp) if ramp > 0 else 1.0
    if effect.fades_after_months is None or middle <= numbers[f"{path}.fades_after_months"]:
        return grown
    half_life = numbers[f"{path}.half_life_months"]
    return grown * 0.5 ** ((middle - numbers[f"{path}.fades_after_months"]) / half_life) if half_life > 0 else 0.0


def change(person: Person, name: str, effect: Any, clock: int) -> float:
    """Give what an effect does to a person in a month of the clock: a ratio, or a difference."""
    full = person.numbers[f"effect.{name}.{effect.form}"]
    share = weight_of(person, effect, clock) * strength(person.numbers, name, effect, clock - person.numbers.history)
    if effect.form == "difference":
        return full * share
    logarithm = share * log(max(full, 1e-300))
    return exp(690 if logarithm > 0 else -690) if abs(logarithm) > 690 else max(full, 1e-300) ** share


def changed_probability(probability: float, form: str, amount: float) -> tuple[float, int]:
    """Give a changed probability, and 1 if it had to be clipped."""
    if form == "hazard_ratio":
        return 1 - (1 - probability) ** amount, 0
    if form == "odds_ratio":
        return with_odds(probability, amount), 0
    changed = probability * amount if form == "relative_risk" else probability + amount
    return min(1.0, max(0.0, changed)), int(not -1e-9 <= changed <= 1 + 1e-9)


def with_odds(probability: float, ratio: float) -> float:
    """Multiply the odds of a probability; what is certain stays certain."""
    return probability if probability in (0.0, 1.0) else probability * ratio / (1 - probability + probability * ratio)
