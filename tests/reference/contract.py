"""Settling a contract by hand: the same tree, walked in plain Python, the terms one after the other as one would read them aloud.

It knows nothing of registers or programs. NaN stands for what was not measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from simengine.contract.spec import Contract
from simengine.contract.terms import Named

SMALLEST_UNITS = 100
NAN = float("nan")


@dataclass
class ReplicationNumbers:
    """One replication: what was measured and drawn, and what has been paid so far."""

    contract: Contract
    outcomes: Mapping[str, float]
    """By `metric`, `metric.wave`, `people.wave`, or `combination.wave` with a number."""
    drawn: float
    month: float = 0.0
    previous: float = 0.0
    waves: tuple[int, ...] | None = None
    """The waves that are read; None: all together."""
    paid: list[dict] = field(default_factory=list)
    now: dict[str, float] = field(default_factory=dict)

    def at(self, **changes):
        return ReplicationNumbers(**{**self.__dict__, **changes})

    def settled(self):
        return [entry for entry in self.paid if entry["month"] <= self.month]

    def calls(self):
        return [(month, share * self.drawn) for month, share in self.contract.calls() if month <= self.month]

    def received(self):
        """What the investor got: month and amount."""
        flows = [(e["month"], e["amount"]) for e in self.settled() if e["payee"] == "investor"]
        return flows + [(e["month"], -e["amount"]) for e in self.settled() if e["payer"] == "investor" != e["payee"]]


def settle(contract: Contract, outcomes: Mapping[str, float], drawn: float) -> dict[tuple[str, str], tuple[float, str]]:
    """Give what each term pays on each date, and which limit decided it: formula, floor, cap, gate, stop, total_cap, or a path."""
    result, numbers, stopped = {}, ReplicationNumbers(contract, outcomes, drawn), 0.0
    for date in contract.calendar or [""]:
        numbers = numbers.at(month=contract.month_of(date) if date else 0.0, now=dict.fromkeys(contract.terms, 0.0))
        stopping = stopped
        for name, stop in contract.stops.items():
            if stop.at == date:
                numbers.now[name] = all_open(stop.only_if, numbers)
                stopping = either(stopping, numbers.now[name])
            else:
                numbers.now[name] = result.get(("stop", name), 0.0)
            result["stop", name] = numbers.now[name]
        for name, term in contract.terms.items():
            dates = contract.dates_of(term)
            if date and date not in dates:
                continue
            before = contract.month_of(dates[dates.index(date) - 1]) if date and dates.index(date) > 0 else 0.0
            amount, decided = pay_one(numbers.at(previous=before), term, 0.0 if term.despite_stop else stopped)
            numbers.now[name] = amount
            delay = term.delay_months.value if term.delay_months is not None else 0
            numbers.paid.append(
                {"term": name, "month": numbers.month + delay, "amount": amount, "payer": term.payer, "payee": term.payee,
                 "principal": term.repays_principal}
            )  # fmt: skip
            result[name, date] = (amount, decided)
        stopped = stopping
    return {key: value for key, value in result.items() if key[0] != "stop"}


def pay_one(numbers: ReplicationNumbers, term, stopped: float) -> tuple[float, str]:
    amount, decided = limited(term, numbers), decides(term, numbers, "")
    if math.isnan(stopped):
        amount = NAN
    elif stopped:
        amount, decided = 0.0, "stop"
    if numbers.contract.total_cap is not None and term.payer == "outcome_payer":
        so_far = sum(entry["amount"] for entry in numbers.paid if entry["payer"] == "outcome_payer")
        left = largest(worth(numbers.contract.total_cap, numbers) - so_far, 0.0)
        if amount > left:
            decided = "total_cap"
        amount = smallest(amount, left)
    return (amount if math.isnan(amount) else to_even(amount * SMALLEST_UNITS) / SMALLEST_UNITS), decided


def to_even(number: float) -> int:
    """Round half to even, as somebody does who writes down thirteen digits of an amount."""
    return round(Fraction(f"{number:.12e}"))


def limited(term, numbers: ReplicationNumbers) -> float:
    amount = FORMULAE[term.key](term, numbers)
    if term.floor is not None:
        amount = largest(amount, worth(term.floor, numbers))
    if term.cap is not None:
        amount = smallest(amount, worth(term.cap, numbers))
    is_open = all_open(term.only_if, numbers)
    if math.isnan(is_open):
        return NAN
    return amount if is_open else 0.0


def decides(source, numbers: ReplicationNumbers, path: str) -> str:
    """The limit that decided a term, by its path inside the term of the contract; `formula` where none did."""
    if isinstance(source, Named):
        use = numbers.contract.metrics.get(source.root)
        if use is None or use.derived is None:
            return "formula"
        return decides(use.derived, numbers, f"metrics.{source.root}.derived")
    if all_open(source.only_if, numbers) == 0.0:
        return "gate" if not path else f"{path}.only_if"
    amount, decided = FORMULAE[source.key](source, numbers), decides_inside(source, numbers, path)
    if source.floor is not None:
        floor = worth(source.floor, numbers)
        if amount < floor:
            decided = below(path, "floor")
        amount = largest(amount, floor)
    if source.cap is not None and amount > worth(source.cap, numbers):
        decided = below(path, "cap")
    return decided


def below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def first(*decided: str) -> str:
    return next((word for word in decided if word != "formula"), "formula")


def decides_inside(term, numbers: ReplicationNumbers, path: str) -> str:
    """The limit inside the formula of a term that decided."""

    def of(source, key):
        return "formula" if source is None else decides(source, numbers, below(path, key))

    if term.key in ("least", "greatest"):
        members = getattr(term, term.key)
        values = [worth(member, numbers) for member in members]
        place = values.index(min(values) if term.key == "least" else max(values)) if not any(map(math.isnan, values)) else 0
        inner = of(members[place], f"{term.key}.{place}")
        return inner if place == 0 else first(inner, below(path, f"{term.key}.{place}"))
    if term.key == "first_of":
        for place, source in enumerate(term.first_of):
            gates = {} if isinstance(source, Named) else source.only_if
            if not math.isnan(worth(source, numbers)) and all_open(gates, numbers) == 1.0:
                return of(source, f"first_of.{place}")
        return "formula"
    if term.key == "steps":
        reached = worth(term.of, numbers)
        places = [place for place, band in enumerate(term.steps) if is_open(band, reached) == 1.0]
        chosen = of(term.steps[places[0]].pays, f"steps.{places[0]}.pays") if places else of(term.otherwise, "otherwise")
        return first(chosen, of(term.of, "of"))
    if term.key == "in_force_from":
        come = [date for date in term.in_force_from if numbers.contract.month_of(date) <= numbers.month]
        latest = max(come, key=numbers.contract.month_of, default=None)
        return "formula" if latest is None else of(term.in_force_from[latest], f"in_force_from.{latest}")
    if term.key == "per_wave":
        names = list(numbers.contract.waves)
        places = [names.index(name) for name in term.waves or names]
        waves = [tuple(range(place + 1)) if term.cumulative else (place,) for place in places]
        return first(*(decides(term.per_wave, numbers.at(waves=one), below(path, "per_wave")) for one in waves))
    if term.key == "milestones":
        return below(path, "cap_per_person") if anybody_is_capped(term, numbers) else "formula"
    if term.key == "price" and term.up_to is not None:
        units = worth(term.per, numbers) - (0.0 if term.deadweight is None else worth(term.deadweight, numbers))
        if largest(units, 0.0) > worth(term.up_to, numbers):
            return below(path, "up_to")
    if term.key == "target":
        reached = worth(term.of, numbers)
        if term.pays_from is not None and reached < term.pays_from.value:
            return below(path, "pays_from")
        if reached / term.target.value > term.at_most.value:
            return below(path, "at_most")
    keys = {
        "share": ("of", "above"), "price": ("per", "deadweight", "up_to"), "prices": ("per",), "target": ("of", "full"),
        "line": ("of",), "coupon": ("coupon", "of"), "to_irr": ("to_irr",), "until": ("until", "of"), "true_up": ("true_up",),
        "indexed": ("indexed", "rate_per_year"),
    }  # fmt: skip
    if term.key in ("sum", "product"):
        return first(*(of(part, f"{term.key}.{place}") for place, part in enumerate(getattr(term, term.key))))
    return first(*(of(getattr(term, key), key) for key in keys.get(term.key, ())))


def anybody_is_capped(term, numbers: ReplicationNumbers) -> bool:
    names = list(numbers.contract.milestones)
    waves = numbers.waves if numbers.waves is not None else range(len(numbers.contract.waves) or 1)
    for combination in range(2 ** len(names)):
        reached = {name for i, name in enumerate(names) if combination // 2**i % 2}
        people = sum(numbers.outcomes.get(f"{combination}.{wave}", NAN) for wave in waves)
        if term.cap_per_person is not None and people > 0 and uncapped(term, names, reached) > term.cap_per_person.value:
            return True
    return False


def uncapped(term, names, reached) -> float:
    total = 0.0
    for name in names:
        if name in reached:
            total += term.milestones[name].value if name in term.milestones else 0.0
        elif term.in_order:
            break
    return total


def all_open(gates, numbers: ReplicationNumbers) -> float:
    """1, 0, or NaN where it hangs on something that was not measured."""
    answers = [is_open(gate, named(name, numbers)) for name, gate in gates.items()]
    if 0.0 in answers:
        return 0.0
    return NAN if any(math.isnan(answer) for answer in answers) else 1.0


def is_open(gate, reached: float) -> float:
    if math.isnan(reached):
        return NAN
    good = True
    if gate.above is not None:
        good = good and reached > gate.above.value
    if gate.at_least is not None:
        good = good and reached >= gate.at_least.value
    if gate.below is not None:
        good = good and reached < gate.below.value
    if gate.at_most is not None:
        good = good and reached <= gate.at_most.value
    return 1.0 if good else 0.0


def either(one: float, other: float) -> float:
    return NAN if math.isnan(one) or math.isnan(other) else max(one, other)


def largest(one: float, other: float) -> float:
    return NAN if math.isnan(one) or math.isnan(other) else max(one, other)


def smallest(one: float, other: float) -> float:
    return NAN if math.isnan(one) or math.isnan(other) else min(one, other)


def over(one: float, other: float) -> float:
    if other == 0:
        return 0.0
    return one / other


def worth(source, numbers: ReplicationNumbers) -> float:
    return named(source.root, numbers) if isinstance(source, Named) else limited(source, numbers)


def named(name: str, numbers: ReplicationNumbers) -> float:
    if name in numbers.contract.metrics:
        return metric(name, numbers)
    if name == "drawn":
        return numbers.drawn
    if name == "outstanding":
        repaid = sum(entry["amount"] for entry in numbers.settled() if entry["principal"])
        return sum(amount for _, amount in numbers.calls()) - repaid
    if name == "returned":
        return sum(amount for _, amount in numbers.received())
    return numbers.now.get(name, 0.0)


def metric(name: str, numbers: ReplicationNumbers) -> float:
    use = numbers.contract.metrics[name]
    if use.derived is not None:
        return worth(use.derived, numbers)
    waves = list(numbers.contract.waves)
    if numbers.waves is None:
        value = numbers.outcomes.get(name, NAN)
    elif len(numbers.waves) == 1:
        value = numbers.outcomes.get(f"{name}.{waves[numbers.waves[0]]}", NAN)
    else:
        values = [numbers.outcomes.get(f"{name}.{waves[w]}", NAN) for w in numbers.waves]
        people = [numbers.outcomes.get(f"people.{waves[w]}", NAN) for w in numbers.waves]
        # A wave of nobody has no say in a mean, and a mean over nobody is not known.
        weighed = [(n, x) for n, x in zip(people, values, strict=True) if n != 0]
        mean = sum(n * x for n, x in weighed) / sum(n for n, _ in weighed) if weighed else NAN
        value = sum(values) if use.over_waves == "sum" else mean
    return use.when_missing.value if math.isnan(value) and use.when_missing is not None else value


# ---------------------------------------------------- formulae ----------------------------------------------------


def amount_(term, numbers):
    return term.amount.value


def share(term, numbers):
    above = worth(term.above, numbers) if term.above is not None else 0.0
    return term.share.value * (worth(term.of, numbers) - above)


def price(term, numbers):
    units = worth(term.per, numbers)
    if term.deadweight is not None:
        units = units - worth(term.deadweight, numbers)
    units = largest(units, 0.0)
    if term.up_to is not None:
        units = smallest(units, worth(term.up_to, numbers))
    return term.price.value * units


def prices(term, numbers):
    units, total = worth(term.per, numbers), 0.0
    for place, tranche in enumerate(term.prices):
        inside = largest(units - tranche.beyond.value, 0.0)
        if place + 1 < len(term.prices):
            inside = smallest(inside, term.prices[place + 1].beyond.value - tranche.beyond.value)
        total += tranche.price.value * inside
    return total


def target(term, numbers):
    reached = worth(term.of, numbers)
    part = smallest(largest(reached / term.target.value, 0.0), term.at_most.value)
    if term.pays_from is not None and reached < term.pays_from.value:
        return 0.0
    return worth(term.full, numbers) * part


def steps(term, numbers):
    reached = worth(term.of, numbers)
    if math.isnan(reached):
        return NAN
    for band in term.steps:
        if is_open(band, reached):
            return worth(band.pays, numbers)
    return worth(term.otherwise, numbers) if term.otherwise is not None else 0.0


def line(term, numbers):
    x, points = worth(term.of, numbers), [(point.at.value, point.pays.value) for point in term.line]
    if math.isnan(x):
        return NAN
    if x < points[0][0]:
        return points[0][1]
    # The last point at or before x is where the stretch begins: at a jump that is the second one.
    place = max(i for i, (at, _) in enumerate(points) if at <= x)
    if place == len(points) - 1:
        return points[-1][1]
    (left, low), (right, high) = points[place], points[place + 1]
    return low + (high - low) / (right - left) * (x - left)


def sum_(term, numbers):
    return sum(worth(part, numbers) for part in term.sum)


def product(term, numbers):
    return math.prod(worth(part, numbers) for part in term.product)


def least(term, numbers):
    values = [worth(part, numbers) for part in term.least]
    return NAN if any(map(math.isnan, values)) else min(values)


def greatest(term, numbers):
    values = [worth(part, numbers) for part in term.greatest]
    return NAN if any(map(math.isnan, values)) else max(values)


def first_of(term, numbers):
    in_doubt = False
    for source in term.first_of:
        value = worth(source, numbers)
        gates = {} if isinstance(source, Named) else source.only_if
        if math.isnan(value):
            in_doubt = True
        elif all_open(gates, numbers) == 1.0:
            return value
    return NAN if in_doubt else 0.0


def coupon(term, numbers):
    # Month by month, on the sum as it stood when the month began.
    months = range(int(numbers.previous), int(numbers.month))
    rate = worth(term.coupon, numbers)
    if not months:
        return 0.0 * rate * worth(term.of, numbers)
    return sum(rate * worth(term.of, numbers.at(month=month)) / 12 for month in months)


def to_irr(term, numbers):
    rate = worth(term.to_irr, numbers)
    owed = sum(amount * (1 + rate) ** ((numbers.month - month) / 12) for month, amount in numbers.calls())
    if math.isnan(rate):
        return NAN
    return owed - sum(amount * (1 + rate) ** ((numbers.month - month) / 12) for month, amount in numbers.received())


def to_multiple(term, numbers):
    owed = term.to_multiple.value * sum(amount for _, amount in numbers.calls())
    return owed - sum(amount for _, amount in numbers.received())


def until(term, numbers):
    shared, limit = worth(term.of, numbers), largest(worth(term.until, numbers), 0.0)
    before = smallest(term.first.value * shared, limit)
    return before + term.then.value * largest(shared - limit / term.first.value, 0.0)


def paid(term, numbers):
    return sum(entry["amount"] for entry in numbers.settled() if entry["term"] in term.paid)


def true_up(term, numbers):
    so_far = sum(entry["amount"] for entry in numbers.settled() if entry["term"] in term.against)
    difference = worth(term.true_up, numbers) - so_far
    return difference if term.claw_back else largest(difference, 0.0)


def indexed(term, numbers):
    return worth(term.indexed, numbers) * (1 + worth(term.rate_per_year, numbers)) ** (numbers.month / 12)


def in_force_from(term, numbers):
    in_force = None
    for date, source in sorted(term.in_force_from.items(), key=lambda item: numbers.contract.month_of(item[0])):
        if numbers.contract.month_of(date) <= numbers.month:
            in_force = source
    return 0.0 if in_force is None else worth(in_force, numbers)


def per_wave(term, numbers):
    names = list(numbers.contract.waves)
    total = 0.0
    for name in term.waves or names:
        place = names.index(name)
        total += worth(term.per_wave, numbers.at(waves=tuple(range(place + 1)) if term.cumulative else (place,)))
    return total


def milestones(term, numbers):
    names, total = list(numbers.contract.milestones), 0.0
    waves = numbers.waves if numbers.waves is not None else range(len(numbers.contract.waves) or 1)
    for combination in range(2 ** len(names)):
        people = sum(numbers.outcomes.get(f"{combination}.{wave}", NAN) for wave in waves)
        reached = {name for i, name in enumerate(names) if combination // 2**i % 2}
        worth_of_one = uncapped(term, names, reached)
        if term.cap_per_person is not None:
            worth_of_one = min(worth_of_one, term.cap_per_person.value)
        total += worth_of_one * people
    return total


FORMULAE = {
    "amount": amount_, "share": share, "price": price, "prices": prices, "target": target,
    "steps": steps, "line": line, "sum": sum_,
    "product": product, "least": least, "greatest": greatest, "first_of": first_of, "coupon": coupon, "to_irr": to_irr,
    "to_multiple": to_multiple, "until": until, "paid": paid, "true_up": true_up, "indexed": indexed,
    "in_force_from": in_force_from, "per_wave": per_wave, "milestones": milestones,
}  # fmt: skip
