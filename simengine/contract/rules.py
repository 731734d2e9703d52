"""Consistency rules of a contract: names, dates and parties exist, and nothing depends on its own result.

Each rule is a generator of findings `(path, rule, found, way out)`; the loader adds file and line. Rules about a single key are
applied where the key is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from simengine.contract.scope import MONEY
from simengine.contract.spec import Contract
from simengine.contract.terms import OF_THE_CONTRACT, Gate, Named, Source, Term, parts_within
from simengine.contract.terms.amounts import FixedAmount, ShareOf
from simengine.contract.terms.calendar import Amended, Indexed
from simengine.contract.terms.combine import Greatest, Least
from simengine.contract.terms.people import MilestonePrices, PerWave
from simengine.contract.terms.rate_card import CardPrice, NumberReached, RateCard
from simengine.contract.terms.returns import Coupon, PaidSoFar, ToIrr, TrueUp
from simengine.contract.terms.tables import Steps
from simengine.contract.unit_rules import unit_findings
from simengine.errors import Finding, one_of
from simengine.records import CARD_LIMITS, INVESTOR

MOST_LIMITS = 100
"""Limits are numbered in one byte, and those of derived metrics stand beside them."""
_MOST_NAMED = 6
"""Combinations that a message lists."""
NEED_DATES = (Coupon, ToIrr, Indexed, Amended, RateCard, NumberReached)
MOST_OUTCOMES = 64
"""Outcomes of one person are marked in one word of 64 bits."""
MOST_MILESTONES = 6
"""2^6 combinations are tallied at most."""
PEOPLE, NONE = "people", "none"
"""Outcomes beside metrics: the people of a wave, and those who reached no milestone."""


def contract_rules(contract: Contract) -> Iterator[Finding]:
    """Find all inconsistencies in a contract, in the order of the file."""
    yield from _names(contract)
    yield from _metrics(contract)
    yield from unit_findings(contract)
    for name, term in contract.terms.items():
        yield from _term(contract, name, term)
    yield from _stops(contract)
    if contract.total_cap is not None:
        yield from _references(contract, contract.total_cap, "total_cap", [*MONEY[:1], *contract.metrics])
    yield from _published(contract)


def _names(contract: Contract) -> Iterator[Finding]:
    """Find names that stand for two things."""
    taken = dict.fromkeys(MONEY, "money")
    for section in ("metrics", "terms", "stops"):
        for name in getattr(contract, section):
            if name in taken:
                rule = f"`{name}` is the money paid in, not a metric" if name == "drawn" else "a name stands for one thing"
                found = name if name == "drawn" else f"`{name}` in {taken[name]} and in {section}"
                yield f"{section}.{name}", rule, found, "Choose another name"
            taken.setdefault(name, section)
    for name in contract.parties:
        if name in contract.all_parties()[:3]:
            yield f"parties.{name}", "every contract has investor, outcome_payer and service_provider", name, "Leave it out"
    for name in contract.milestones:
        if name in contract.metrics or name in (PEOPLE, NONE):
            found = f"a metric `{name}`" if name in contract.metrics else f"`{name}`, which stands for people"
            yield f"milestones.{name}", "a name of an outcome must stand for one thing", found, "Choose another name"
    if len(contract.outcomes) > MOST_OUTCOMES:
        yield "outcomes", f"a contract counts at most {MOST_OUTCOMES} outcomes", f"{len(contract.outcomes)}", ""
    if contract.waves and PEOPLE in contract.metrics:
        yield f"metrics.{PEOPLE}", "`people.wave` must stand for the people of a wave", "a metric `people`", "Choose another name"
    if len(contract.milestones) > MOST_MILESTONES:
        yield "milestones", f"a person has at most {MOST_MILESTONES} milestones", f"{len(contract.milestones)}", ""


def _metrics(contract: Contract) -> Iterator[Finding]:
    before: list[str] = []
    for name, use in contract.metrics.items():
        if use.derived is not None:
            path = f"metrics.{name}.derived"
            yield from _references(contract, use.derived, path, [MONEY[0], *before], own=name, later=contract.metrics)
            if use.when_missing is not None:
                yield f"metrics.{name}.when_missing", "a derived metric is never missing by itself", name, "Say it of its parts"
        before.append(name)


def _term(contract: Contract, name: str, term: Term) -> Iterator[Finding]:
    path, terms = f"terms.{name}", list(contract.terms)
    known = [*MONEY, *contract.metrics, *terms[: terms.index(name)], *contract.stops]
    yield from _references(contract, term, path, known, own=name, later=contract.terms)
    for key in ("payer", "payee"):
        if getattr(term, key) not in contract.all_parties():
            yield f"{path}.{key}", "a party of the contract", f"`{getattr(term, key)}`", one_of(contract.all_parties())
    if (limits := _limits_inside(term)) > MOST_LIMITS:
        yield path, f"a term must have at most {MOST_LIMITS} limits inside, so that each can be told", f"{limits}", "Split it"
    if term.payer == term.payee:
        yield f"{path}.payee", "nobody pays themselves", f"`{term.payee}` twice", ""
    if term.repays_principal and term.payee != INVESTOR:
        yield f"{path}.repays_principal", "principal is repaid to the investor", f"paid to `{term.payee}`", ""
    yield from _dates(term.at, f"{path}.at", _named_dates(contract))
    if list(term.at) != [date for date in _named_dates(contract) if date in term.at]:
        yield f"{path}.at", "the dates of a term stand once, in the order of `dates`", ", ".join(term.at), ""
    elif len(dates := contract.dates_of(term)) != len(set(dates)):
        yield (
            f"{path}.at",
            "a term is settled once on each date",
            ", ".join(term.at),
            "Name dates that repeat, or single ones of them",
        )
    if term.delay_months is not None and not contract.calendar:
        yield f"{path}.delay_months", "a delay counts from a date", "a contract without `dates`", "Add `dates`"


def _limits_inside(term: Term) -> int:
    """Count the limits, at most, that stand inside a term."""
    total = 0
    for _, node in parts_within(term, ""):
        if isinstance(node, Term):
            keys = {"floor", "cap", "only_if", "up_to", "at_most", "pays_from", *CARD_LIMITS}
            total += sum(bool(getattr(node, key, None)) for key in keys)
            total += len(getattr(node, node.key)) if isinstance(node, Least | Greatest) else 0
    return total


def _references(
    contract: Contract, source: Source, path: str, known: Collection[str], own: str = "", later: Collection[str] = ()
) -> Iterator[Finding]:
    """Check every name inside a term, and what its kinds need."""
    for place, node in parts_within(source, path):
        if isinstance(node, Named):
            yield from _known(node.root, place, known, own, later)
            continue
        for name, gate in node.only_if.items():
            yield from _known(name, f"{place}.only_if.{name}", known, own, later, noun="a gate")
            yield from _can_open(gate, f"{place}.only_if.{name}")
        for key in OF_THE_CONTRACT if place != path or not path.startswith("terms.") else ():
            if key in node.model_fields_set:
                yield f"{place}.{key}", f"only a term of the contract itself says `{key}`", "a term inside another", ""
        if node.floor is not None and node.cap is not None and _is_above(node.floor, node.cap):
            found = f"a floor of {_say(node.floor)}, a cap of {_say(node.cap)}"
            yield f"{place}.floor", "a floor is not above the cap", found, ""
        if isinstance(node, NEED_DATES) and not contract.calendar:
            yield f"{place}.{node.key}", f"`{node.key}` looks at the calendar", "a contract without `dates`", "Add `dates`"
        yield from _kind(contract, node, place, known, own, later)


def _kind(
    contract: Contract, node: Term, place: str, known: Collection[str], own: str, later: Collection[str]
) -> Iterator[Finding]:
    if isinstance(node, PaidSoFar | TrueUp):
        key, names = ("paid", node.paid) if isinstance(node, PaidSoFar) else ("against", node.against)
        for name in names:
            yield from _known(name, f"{place}.{key}", [term for term in known if term in contract.terms], own, later)
    elif isinstance(node, Amended):
        yield from _dates(tuple(node.in_force_from), f"{place}.in_force_from", contract.calendar)
    elif isinstance(node, PerWave):
        if not contract.waves:
            yield f"{place}.per_wave", "the contract names its waves", "no `waves`", "Add `waves`"
        for wave in node.waves:
            if wave not in contract.waves:
                yield f"{place}.waves", "a wave of the contract", f"`{wave}`", one_of(contract.waves)
        for below, inner in parts_within(node.per_wave, f"{place}.per_wave"):
            if isinstance(inner, PerWave):
                yield below, "waves are told apart once", "`per_wave` inside `per_wave`", ""
    elif isinstance(node, MilestonePrices):
        for name in node.milestones:
            if name not in contract.milestones:
                yield f"{place}.milestones.{name}", "a milestone of the contract", f"`{name}`", one_of(contract.milestones)
    elif isinstance(node, RateCard):
        if place != f"terms.{own}":
            yield place, "a rate card is a term of the contract itself", "one inside another term", "Refer to it by its name"
        yield from _card(contract, node, place)
    elif isinstance(node, NumberReached):
        for name in node.reached:
            yield from _outcome(contract, name, f"{place}.reached")
        counted = [(name, contract.outcomes[name].unit) for name in node.reached if name in contract.outcomes]
        for name, unit in counted if node.per_person else ():
            if unit != "people":
                rule, found = "a share of people is of those who reached an outcome", f"`{name}` in {unit}"
                yield f"{place}.per_person", rule, found, "Leave `per_person` out"
    elif isinstance(node, Steps):
        for number, band in enumerate(node.steps):
            yield from _can_open(band, f"{place}.steps.{number}")


def _card(contract: Contract, card: RateCard, place: str) -> Iterator[Finding]:
    """Find what a rate card says of outcomes, groups and waves that there are not, or that cannot be."""
    for name, one in card.rate_card.items():
        path = f"{place}.rate_card.{name}"
        yield from _outcome(contract, name, path)
        yield from _price(contract, name, one, path)
    for wave in card.cap_per_wave:
        if wave not in contract.waves:
            yield (
                f"{place}.cap_per_wave.{wave}",
                "a wave of the contract",
                f"`{wave}`",
                one_of(contract.waves) or "It has no `waves`",
            )
    circle = _circle({name: one.needs for name, one in card.rate_card.items()})
    if circle:
        yield f"{place}.rate_card.{circle[0]}.needs", "no outcome needs itself", " needs ".join(circle), "Leave one of them out"


def _price(contract: Contract, name: str, one: CardPrice, path: str) -> Iterator[Finding]:
    has_units = name in contract.outcomes and contract.outcomes[name].unit != "people"
    for key in ("needs", "net_of"):
        for other in getattr(one, key):
            yield from _outcome(contract, other, f"{path}.{key}")
            if other == name:
                yield f"{path}.{key}", "another outcome", f"`{name}` itself", ""
    if one.lost_by is not None:
        yield from _outcome(contract, one.lost_by.outcome, f"{path}.lost_by.outcome")
        if one.lost_by.outcome == name:
            yield f"{path}.lost_by.outcome", "another outcome", f"`{name}` itself", ""
    for key, names, known in (("by_group", one.by_group, contract.groups), ("by_wave", one.by_wave, contract.waves)):
        for other in names:
            if other not in known:
                noun = "group" if key == "by_group" else "wave"
                yield f"{path}.{key}.{other}", f"a {noun} of the contract", f"`{other}`", one_of(known) or f"It has no `{noun}s`"
    for key in ("beyond_units", "net_of") if not has_units else ("each_time", "lost_by"):
        if getattr(one, key):
            rule = (
                "units are counted beyond others, or net of others"
                if not has_units
                else "people reach an outcome again, or lose it"
            )
            unit = contract.outcomes[name].unit if name in contract.outcomes else ""
            yield f"{path}.{key}", rule, f"`{key}` of an outcome in {unit}", "Leave it out, or say another `unit`"
    for other in one.net_of:
        if other in contract.outcomes and has_units and contract.outcomes[other].unit != contract.outcomes[name].unit:
            found = f"`{contract.outcomes[name].unit}` and `{contract.outcomes[other].unit}`"
            yield f"{path}.net_of", "units are taken off units of the same kind", found, ""


def _outcome(contract: Contract, name: str, path: str) -> Iterator[Finding]:
    if name not in contract.outcomes:
        yield path, "an outcome of the contract", f"`{name}`", one_of(contract.outcomes) or "It has no `outcomes`"


def _circle(needs: Mapping[str, Collection[str]]) -> list[str]:
    """Find outcomes that need one another, the first one again at the end; nothing where there are none."""
    finished: set[str] = set()
    for start in needs:
        way, todo = [start], [list(needs[start])]
        while way and start not in finished:
            if not todo[-1]:
                finished.add(way.pop())
                todo.pop()
                continue
            other = todo[-1].pop()
            if other in way and other in needs:
                return [*way[way.index(other) :], other]
            if other in needs and other not in finished:
                way.append(other)
                todo.append(list(needs[other]))
    return []


def _known(
    name: str, path: str, known: Collection[str], own: str, later: Collection[str], noun: str = "a term"
) -> Iterator[Finding]:
    if name in known:
        return
    if name == own:
        yield path, "nothing depends on its own result", f"`{name}` in `{own}`", ""
    elif name in later:
        yield path, f"{noun} refers to what stands before it", f"`{name}`, which stands after `{own}`", "Change their order"
    else:
        yield path, f"{noun} refers to money, a metric, or a term before it", f"`{name}`", one_of(known)


def _can_open(gate: Gate, path: str) -> Iterator[Finding]:
    """Find edges that leave no room between them."""
    lower, upper = gate.at_least or gate.above, gate.at_most or gate.below
    if lower is None or upper is None:
        return
    touches = gate.at_least is not None and gate.at_most is not None
    if lower.value > upper.value or (lower.value == upper.value and not touches):
        yield path, "the lower edge leaves room below the upper edge", f"{lower.value:g} and {upper.value:g}", ""


def _named_dates(contract: Contract) -> list[str]:
    """List every name that stands for a date, or for dates that repeat, in the order of the file."""
    return [one for name in contract.dates for one in dict.fromkeys([name, *contract.dates_named(name)])]


def _dates(dates: tuple[str, ...], path: str, known: Collection[str]) -> Iterator[Finding]:
    for date in dates:
        if date not in known:
            way_out = one_of(known) or "The contract has no `dates`"
            yield path, "a date of the contract", f"`{date}`", way_out


def _stops(contract: Contract) -> Iterator[Finding]:
    for name, stop in contract.stops.items():
        yield from _dates((stop.at,), f"stops.{name}.at", contract.calendar)
        for metric, gate in stop.only_if.items():
            path = f"stops.{name}.only_if.{metric}"
            yield from _known(metric, path, [*MONEY, *contract.metrics], own=name, later=(), noun="a stop")
            yield from _can_open(gate, path)
        for party in stop.by:
            if party not in contract.all_parties():
                yield f"stops.{name}.by", "a party of the contract", f"`{party}`", one_of(contract.all_parties())


def _published(contract: Contract) -> Iterator[Finding]:
    for name, case in contract.published.items():
        path = f"published.{name}"
        for outcome in case.outcome:
            yield from outcome_problems(contract, outcome, f"{path}.outcome.{outcome}")
        for number, count in enumerate(case.reached):
            for key, known in (("outcome", contract.outcomes), ("wave", contract.waves), ("group", contract.groups)):
                named = getattr(count, key)
                if named is not None and named not in known:
                    yield f"{path}.reached.{number}.{key}", f"a {key} of the contract", f"`{named}`", one_of(known)
        for rule, found, way_out in uncounted(contract, case.outcome):
            yield f"{path}.outcome", rule, found, way_out
        for term in case.terms:
            if term not in contract.terms:
                yield f"{path}.terms", "a term of the contract", f"`{term}`", one_of(contract.terms)
        if case.date is not None:
            yield from _dates((case.date,), f"{path}.date", contract.calendar)
        if case.drawn is not None and case.drawn.value > contract.commitment.value:
            yield f"{path}.drawn", "no more is drawn than was committed", f"{case.drawn.value:,g}", ""
        if case.compares == "whether_paid" and (case.paid is None or case.paid.value not in (0, 1)):
            found = "none" if case.paid is None else f"{case.paid.value:g}"
            yield f"{path}.paid", "whether anything was paid is 1 or 0", found, ""


def outcome_problems(contract: Contract, outcome: str, path: str) -> Iterator[Finding]:
    """Check the name under which an outcome is given: a metric or milestones, with a wave or without."""
    name, _, wave = outcome.partition(".")
    if wave and wave not in contract.waves:
        yield path, "must be a wave of the contract", f"`{wave}`", one_of(contract.waves)
    is_people = name == PEOPLE and bool(wave)
    if name not in contract.inputs() and not _is_combination(contract, name) and not is_people:
        yield path, "must be a metric that somebody measures", f"`{name}`", one_of(contract.inputs())


def _is_combination(contract: Contract, name: str) -> bool:
    """Whether a name says which milestones people reached, each once, or that they reached none."""
    parts = name.split("+")
    return bool(contract.milestones) and (
        parts == [NONE] or (set(parts) <= set(contract.milestones) and len(set(parts)) == len(parts))
    )


def uncounted(contract: Contract, outcomes: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    """Find combinations of milestones that are given twice, and those left out where others of the same wave are given.

    A person belongs to one combination: `entry` are those who reached entry and nothing else. Published figures often say how many
    reached entry in all, so that a combination that is left out must not pass for nobody. Those who reached nothing are never paid
    for, and may be left out.
    """
    names, seen = list(contract.milestones), dict[tuple[str, frozenset[str]], str]()
    for outcome in outcomes:
        name, _, wave = str(outcome).partition(".")
        if name not in contract.metrics and _is_combination(contract, name):
            reached = (wave, frozenset(name.split("+")) - {NONE})
            if reached in seen:
                yield (
                    "people of one combination of milestones must be counted once",
                    f"`{seen[reached]}` and `{outcome}`",
                    "Leave one out",
                )
            seen.setdefault(reached, str(outcome))
    for wave in dict.fromkeys(wave for wave, _ in seen):
        every = [[name for i, name in enumerate(names) if number >> i & 1] for number in range(1, 2 ** len(names))]
        lacking = ["+".join(one) + (f".{wave}" if wave else "") for one in every if (wave, frozenset(one)) not in seen]
        if lacking:
            rule = "where people are counted by milestones, every combination must be said: each person belongs to one of them"
            found = f"nothing for {', '.join(lacking[:_MOST_NAMED])}" + (", ..." if len(lacking) > _MOST_NAMED else "")
            first = f"`{names[0]}`" + (f", here: {names[0]} and no other," if len(names) > 1 else "")
            yield rule, found, f"Say 0 for those that nobody reached; {first} is no total of all who reached it"


def _is_above(one: Source, other: Source) -> bool:
    """Whether one limit exceeds another, where both are of the same simple kind."""
    if isinstance(one, FixedAmount) and isinstance(other, FixedAmount):
        return one.amount.value > other.amount.value
    is_share = isinstance(one, ShareOf) and isinstance(other, ShareOf) and one.of == other.of == Named("drawn")
    return is_share and one.above == other.above and one.share.value > other.share.value  # type: ignore[union-attr]


def _say(source: Source) -> str:
    if isinstance(source, FixedAmount):
        return f"{source.amount.value:,g}"
    return f"{source.share.value:g} of {source.of}" if isinstance(source, ShareOf) else str(source)
