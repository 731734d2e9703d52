"""Settling a rate card by hand: one person's outcome after the other, as one would read the contract aloud to both parties.

It follows the section "Rate cards" of the reference and knows nothing of arrays. Money must be counted in whole smallest units, and numbers
of the contract are taken as they are written, as fractions.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

from simengine.contract.spec import Contract
from simengine.currencies import units_of

LOTS, HALF = 2**32, 2**16


@dataclass
class Row:
    """Somebody reached something."""

    replication: int
    person: int
    wave: str | None
    group: str | None
    outcome: str
    month: int
    units: float = 1.0
    is_false: bool = False
    lot: int = 0


@dataclass
class Claim:
    """What is asked for one row."""

    month: int
    quantity: Fraction
    is_false: bool
    lot: int

    @property
    def audit_lot(self) -> Fraction:
        """Between 0 and 1: the upper half of the lot, so that an audit and a dispute do not choose the same rows."""
        return Fraction(self.lot // HALF, HALF)

    @property
    def dispute_lot(self) -> Fraction:
        """The lower half."""
        return Fraction(self.lot % HALF, HALF)


@dataclass
class Person:
    """What one person reached so far, and was paid for."""

    wave: str | None
    group: str | None
    times: dict[str, list[int]] = field(default_factory=dict)
    """By outcome: the months in which it was reached and not lost since."""
    waiting: dict[str, list[Claim]] = field(default_factory=dict)
    """By outcome: claims that wait for what they need."""
    units: dict[str, Fraction] = field(default_factory=dict)
    """By outcome: units that count for it."""
    worth: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)
    """By outcome: when it was reached, what was paid for that, and on which date; without what was lost."""
    not_paid: set[str] = field(default_factory=set)
    """Outcomes of which something was found false."""
    paid: int = 0


@dataclass
class OnDate:
    """What falls on one date for one outcome in one wave."""

    claimed: int = 0
    audited: int = 0
    found_false: int = 0
    owed_back: int = 0


@dataclass
class Settled:
    """One replication."""

    paid: dict[tuple[str, str], int]
    """By outcome and date."""
    by_row: dict[int, int]
    """By place of the row: what it changed, before anything that is cut date by date."""
    bound: Counter
    """By rule: how often it decided something."""


def settle(contract: Contract, name: str, rows: list[Row], levels: dict[str, list[float]] | None = None) -> dict[int, Settled]:
    """Settle one card of a contract, replication by replication; those without rows are left out.

    `levels`: by metric that somebody measured, its value in each replication. Without them no variation is asked about.
    """
    found = {}
    for number in {row.replication: None for row in rows}:
        holding = [] if levels is None else held(contract, rows, number, levels)
        found[number] = Card(contract, name, holding).settle(rows, number)
    return found


def held(contract: Contract, rows: list[Row], replication: int, levels: dict[str, list[float]]) -> list[str]:
    """List the variations that hold, in the order in which they are decided."""
    months = {date: due.month for date, due in contract.calendar.items()}
    found = []
    for date in contract.calendar:
        for name, variation in contract.variations.items():
            if variation.at == date and all(
                within(gate, level_of(contract, metric, rows, replication, months[date], levels))
                for metric, gate in variation.only_if.items()
            ):
                found.append(name)
    return found


def level_of(contract: Contract, metric: str, rows: list[Row], replication: int, month: float, levels: dict[str, list[float]]):
    """Return what a gate looks at: what was measured, or a number reached by then."""
    derived = contract.metrics[metric].derived
    if derived is None:
        return exact(levels[metric][replication])
    return sum(reached_by(contract, outcome, rows, replication, None, -1.0, month) for outcome in derived.reached)


def within(gate, level) -> bool:
    """Say whether a level lies between the edges of a gate."""
    return (
        (gate.above is None or level > exact(gate.above.value))
        and (gate.at_least is None or level >= exact(gate.at_least.value))
        and (gate.below is None or level < exact(gate.below.value))
        and (gate.at_most is None or level <= exact(gate.at_most.value))
    )


def reached_by(contract: Contract, outcome: str, rows: list[Row], replication: int, wave: str | None, after: float, until: float):
    """Count who reached an outcome, validated after one month and until another: people once each, or units."""
    delay = contract.outcomes[outcome].validated_after_months
    after, until = (month - (0 if delay is None else delay.value) for month in (after, until))
    counted = [
        row
        for row in rows
        if row.replication == replication and row.outcome == outcome and (wave is None or row.wave == wave)
        and row.month <= until
    ]  # fmt: skip
    if contract.outcomes[outcome].unit != "people":
        return sum((exact(row.units) for row in counted if row.month > after), Fraction(0))
    first: dict[int, int] = {}
    for row in counted:
        first.setdefault(row.person, row.month)
    return sum(month > after for month in first.values())


@cache
def exact(number: float) -> Fraction:
    """Take a number as it is written: 15.12 is 1512 hundredths."""
    return Fraction(str(number))


class Card:
    """One card in one replication."""

    def __init__(self, contract: Contract, name: str, holding: list[str]) -> None:
        self.contract, self.card = contract, contract.terms[name]
        self.varied = [
            (contract.calendar[contract.variations[one].at].month, self.card.varied[one])
            for one in holding
            if one in self.card.varied
        ]
        self.prices = self.card.rate_card
        self.smallest = units_of(contract.currency)
        self.dates = contract.dates_of(self.card)
        calendar = contract.calendar
        self.months = [calendar[date].month for date in self.dates]
        self.people: dict[int, Person] = {}
        self.volume: dict[str, Fraction] = {}
        self.on: dict[tuple[str, str, str | None], OnDate] = {}
        self.by_row: dict[int, int] = {}
        self.bound: Counter = Counter()

    def money(self, amount) -> int:
        """Round to the smallest unit, half to even."""
        return round(exact(amount) * self.smallest)

    def settle(self, rows: list[Row], replication: int) -> Settled:
        order = list(self.contract.outcomes)
        self.taken: dict[tuple[int, int, str], Fraction] = {}
        """Units by person, month and outcome, for what is net of others."""
        for row in rows:
            if row.replication == replication:
                key = (row.person, row.month, row.outcome)
                self.taken[key] = self.taken.get(key, Fraction(0)) + exact(row.units)
        mine = [(place, row) for place, row in enumerate(rows) if row.replication == replication and row.outcome in order]
        for place, row in sorted(mine, key=lambda one: (one[1].month, one[1].person, order.index(one[1].outcome))):
            person = self.people.setdefault(row.person, Person(row.wave, row.group))
            self.by_row[place] = 0
            self.lose(person, place, row)
            claim = self.count(person, row)
            if claim is not None:
                person.waiting.setdefault(row.outcome, []).append(claim)
                self.pay_what_waits(person, place, row)
        return Settled(self.cut(), self.by_row, self.bound)

    # ------------------------------------------------- person by person -------------------------------------------------

    def lose(self, person: Person, place: int, row: Row) -> None:
        """Step 2: what this outcome undoes; of what is reached several times, each time by itself."""
        for name, price in self.prices.items():
            if price.lost_by is None or price.lost_by.outcome != row.outcome or not person.times.get(name):
                continue
            within = price.lost_by.within_months
            earliest = 0 if within is None else row.month - within.value
            kept = [month for month in person.times[name] if month < earliest]
            self.bound["too late to be lost"] += bool(kept)
            if kept == person.times[name]:
                continue
            self.bound["lost"] += 1
            self.bound["one of several times lost"] += bool(kept)
            self.bound["lost what was found false"] += name in person.not_paid and price.lost_by.share_owed_back.value > 0
            person.times[name] = kept
            waited = person.waiting.pop(name, [])
            self.bound["lost while it waited"] += bool(waited)
            person.waiting[name] = [claim for claim in waited if claim.month < earliest]
            paid = person.worth.pop(name, [])
            person.worth[name] = [one for one in paid if one[0] < earliest]
            back = round(exact(price.lost_by.share_owed_back.value) * sum(one[1] for one in paid if one[0] >= earliest))
            # It is no claim, and nobody disputes it.
            date = self.date_of(row.outcome, row.month, is_disputed=False)
            if back and date is not None:
                self.bound["owed back"] += 1
                later = max([date, *(one[2] for one in paid)], key=self.dates.index)
                self.bound["lost before it was paid"] += later != date
                date = later
                self.at(name, date, person).owed_back += back
                person.paid -= back
                self.by_row[place] -= back

    def count(self, person: Person, row: Row) -> Claim | None:
        """Step 3: whether it counts, and how much of it."""
        price, quantity = self.prices.get(row.outcome), Fraction(1)
        if self.contract.outcomes[row.outcome].unit != "people":
            quantity = exact(row.units)
            for other in price.net_of if price is not None else ():
                taken = self.taken.get((row.person, row.month, other), Fraction(0))
                self.bound["net of"] += taken > 0
                quantity -= taken
            quantity = max(quantity, Fraction(0))
        elif person.times.get(row.outcome):
            if price is None or not price.each_time:
                self.bound["once"] += 1
                return None
            self.bound["each time"] += 1
        person.times.setdefault(row.outcome, []).append(row.month)
        return Claim(row.month, quantity, row.is_false, row.lot)

    def pay_what_waits(self, person: Person, place: int, row: Row) -> None:
        """Step 4: whatever has now all that it needs, in the order of the contract."""
        for name in self.in_order():
            price = self.prices[name]
            if not person.waiting.get(name):
                continue
            if not all(person.times.get(need) for need in price.needs):
                self.bound["waits"] += name == row.outcome
                continue
            self.bound["waited"] += name != row.outcome
            self.pay(person, name, person.waiting.pop(name), place, row.month)

    def pay(self, person: Person, outcome: str, claims: list[Claim], place: int, month: int) -> None:
        """Steps 5 to 8: how much counts, when it is paid, at which price, and what is left of the cap of the person.

        What waited is one claim, and has the lot of its last row.
        """
        price, quantity, last = self.prices[outcome], sum((claim.quantity for claim in claims), Fraction(0)), claims[-1]
        if price.beyond_units is not None:
            beyond, before = exact(price.beyond_units.value), person.units.get(outcome, Fraction(0))
            after = person.units[outcome] = before + quantity
            quantity = self.counting(price, beyond, after) - self.counting(price, beyond, before)
            if before < beyond:
                self.bound["below units" if after < beyond else "units reached"] += 1
                self.bound["counted back"] += after >= beyond and before > 0 and price.counted_back
        if not price.has_price or quantity == 0:
            return
        dispute, audit = self.card.dispute, self.card.audit
        date = self.date_of(outcome, month, dispute is not None and last.dispute_lot < exact(dispute.share.value))
        if date is None:
            self.bound["never paid"] += 1
            return
        asked = round(self.price_of(price, person, outcome, month, quantity) * self.smallest)
        cap = self.cap_in("cap_per_person", month)
        left = asked if cap is None else max(self.money(cap.value) - person.paid, 0)
        self.bound["cap_per_person"] += asked > left
        amount = min(asked, left)
        person.paid += amount
        self.by_row[place] += amount
        on = self.at(outcome, date, person)
        on.claimed += amount
        is_audited = audit is not None and last.audit_lot < exact(audit.share.value)
        on.audited += amount if is_audited else 0
        on.found_false += amount if is_audited and last.is_false else 0
        if is_audited and last.is_false and not audit.extrapolated:
            # What is found false is not paid, so that nothing of it is owed back.
            person.not_paid.add(outcome)
        else:
            share = Fraction(amount, len(claims))
            person.worth.setdefault(outcome, []).extend((claim.month, share, date) for claim in claims)

    @staticmethod
    def counting(price, beyond: Fraction, units: Fraction) -> Fraction:
        """Step 5: how many of a person's units are paid for, once there are so many."""
        if units < beyond:
            return Fraction(0)
        return units if price.counted_back else units - beyond

    def date_of(self, outcome: str, month: int, is_disputed: bool) -> str | None:
        """Step 6: the date on which what was reached in a month is paid; None where there is none."""
        validated = self.contract.outcomes[outcome].validated_after_months
        from_month = month + (0 if validated is None else validated.value)
        self.bound["dispute"] += is_disputed
        if is_disputed:
            from_month += self.card.dispute.later_by_months.value
        for date, due in zip(self.dates, self.months, strict=True):
            if due >= from_month:
                return date
        if self.card.open_at_end == "paid" and month <= self.months[-1]:
            self.bound["open at end"] += 1
            return self.dates[-1]
        return None

    def price_of(self, price, person: Person, outcome: str, month: int, quantity: Fraction) -> Fraction:
        """Step 7: the price of some people or units."""
        if price.index_per_year is not None and month >= 12:
            self.bound["index"] += 1
        growth = (1 + exact(price.index_per_year.value if price.index_per_year is not None else 0)) ** (month // 12)
        if price.bands:
            before = self.volume.get(outcome, Fraction(0))
            self.volume[outcome] = before + quantity
            return growth * self.in_bands(price.bands, before, before + quantity)
        each, by_wave, by_group = price.price.value, dict(price.by_wave), dict(price.by_group)
        valid = [start for start in price.from_month if start <= month]
        if valid:
            self.bound["from month"] += 1
            each = price.from_month[max(valid)].value
        for after, changed in self.varied:
            new = changed.rate_card.get(outcome)
            if new is not None and month > after:
                self.bound["varied price"] += 1
                each = each if new.price is None else new.price.value
                by_wave |= new.by_wave
                by_group |= new.by_group
        if person.wave in by_wave:
            self.bound["by wave"] += 1
            each = by_wave[person.wave].value
        if person.group in by_group:
            self.bound["by group"] += 1
            each = by_group[person.group].value
        return exact(each) * growth * quantity

    def in_bands(self, bands, first: Fraction, last: Fraction) -> Fraction:
        """Price what lies between two volumes, band by band."""
        total, edges = Fraction(0), [exact(band.beyond.value) for band in bands]
        for place, band in enumerate(bands):
            top = edges[place + 1] if place + 1 < len(bands) else last
            inside = max(min(last, top) - max(first, edges[place]), Fraction(0))
            self.bound["later band"] += inside > 0 and place > 0
            total += exact(band.price.value) * inside
        return total

    def at(self, outcome: str, date: str, person: Person) -> OnDate:
        return self.on.setdefault((outcome, date, person.wave), OnDate())

    # --------------------------------------------------- date by date ---------------------------------------------------

    def cut(self) -> dict[tuple[str, str], int]:
        """Step 9: add up each date, and cut it outcome by outcome."""
        card, paid = self.card, {}
        of_wave, of_outcome, of_year, carried = Counter(), Counter(), Counter(), Counter()
        in_all = 0
        for date, month in zip(self.dates, self.months, strict=True):
            year = self.budget_year(month)
            for name in self.in_order():
                due = self.after_audit(name, date)
                for wave, amount in due.items():
                    cap = self.cap_in("cap_per_wave", month, wave)
                    due[wave] = self.at_most(amount, cap, of_wave[wave], "cap_per_wave")
                    of_wave[wave] += due[wave]
                total = sum(due.values()) + carried.pop(name, 0)
                total = self.at_most(total, self.cap_in("cap", month, name), of_outcome[name], "cap")
                if total < -of_outcome[name]:
                    self.bound["no more owed back than paid"] += 1
                    self.keep(-of_outcome[name] - total, due, of_wave)
                    total = -of_outcome[name]
                if card.cap_per_year is not None:
                    left = self.at_most(total, self.cap_in("cap_per_year", month), of_year[year], "cap_per_year")
                    if left < total and card.cap_per_year.excess == "carried_over":
                        carried[name] = total - left
                        self.bound["carried over"] += 1
                    self.bound["lost in a year"] += left < total and card.cap_per_year.excess == "lost"
                    total = left
                total = self.at_most(total, self.cap_in("cap_in_all", month), in_all, "cap_in_all")
                of_outcome[name] += total
                of_year[year] += total
                in_all += total
                paid[name, date] = total
        return paid

    def after_audit(self, name: str, date: str) -> dict[str | None, int]:
        """Return by wave what is left of all claims for one outcome on one date, less what is owed back."""
        on = {wave: self.on.get((name, date, wave), OnDate()) for wave in self.waves()}
        found, audited = sum(one.found_false for one in on.values()), sum(one.audited for one in on.values())
        self.bound["audit"] += found > 0
        if found == 0 or not self.card.audit.extrapolated:
            return {wave: one.claimed - one.found_false - one.owed_back for wave, one in on.items()}
        self.bound["extrapolated"] += any(one.claimed > one.audited for one in on.values())
        self.bound["extrapolated beside what is owed back"] += any(one.owed_back > 0 for one in on.values())
        return {wave: round(one.claimed * Fraction(audited - found, audited)) - one.owed_back for wave, one in on.items()}

    def keep(self, amount: int, due: dict[str | None, int], of_wave: Counter) -> None:
        """Count as paid for waves what is not owed back after all."""
        for wave, part in due.items():
            of_wave[wave] += min(amount, max(-part, 0))
            self.bound["wave that owes no more back"] += part < 0 and wave in self.card.cap_per_wave
            amount -= min(amount, max(-part, 0))

    def at_most(self, amount: int, cap, so_far: int, rule: str) -> int:
        """Cut an amount to what is left of a cap."""
        if cap is None:
            return amount
        left = max(self.money(cap.value) - so_far, 0)
        self.bound[rule] += amount > left
        return min(amount, left)

    def cap_in(self, key: str, month: float, name: str | None = None):
        """Return a cap in some month: the last of those that were varied before it, else that of the card as it was signed."""
        if key == "cap":
            signed, changed = self.prices[name].cap, [(after, one.rate_card.get(name)) for after, one in self.varied]
            new = [(after, None if one is None else one.cap) for after, one in changed]
        elif key == "cap_per_wave":
            signed, new = self.card.cap_per_wave.get(name), [(after, one.cap_per_wave.get(name)) for after, one in self.varied]
        else:
            signed, new = getattr(self.card, key), [(after, getattr(one, key)) for after, one in self.varied]
            signed = signed.at_most if key == "cap_per_year" and signed is not None else signed
        held = [cap for after, cap in new if cap is not None and after < month]
        self.bound["varied cap"] += bool(held)
        return held[-1] if held else signed

    def budget_year(self, month: float) -> int:
        """Return the number of a budget year; the first one lasts until the first new one begins."""
        begins = self.card.cap_per_year.from_month if self.card.cap_per_year is not None else None
        first_new = 12 if begins is None else begins.value
        return 0 if month < first_new else 1 + int(month - first_new) // 12

    def in_order(self) -> list[str]:
        return [name for name in self.contract.outcomes if name in self.prices]

    def waves(self) -> list[str | None]:
        return list(self.contract.waves) or [None]
