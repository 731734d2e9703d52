"""Consistency rules of a contract: names, dates and parties exist, and nothing depends on its own result.

Each rule is a generator of findings `(path, rule, found, way out)`; the loader adds file and line. Rules about a single key are
applied where the key is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from simengine.contract.scope import MONEY
from simengine.contract.spec import Contract
from simengine.contract.terms import OF_THE_CONTRACT, Named, Source, Term, parts_within
from simengine.contract.unit_rules import unit_findings
from simengine.errors import Finding, one_of
from simengine.records import INVESTOR

MOST_LIMITS = 100
"""Limits are numbered in one byte, and those of derived metrics stand beside them."""
_MOST_NAMED = 6
"""Combinations that a message lists."""
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
    yield from _variations(contract)
    if contract.total_cap is not None:
        yield from _references(contract, contract.total_cap, "total_cap", [*MONEY[:1], *contract.metrics, *contract.variations])
    yield from _published(contract)


def _names(contract: Contract) -> Iterator[Finding]:
    """Find names that stand for two things."""
    taken = dict.fromkeys(MONEY, "money")
    for section in ("metrics", "terms", "stops", "variations"):
        for name in getattr(contract, section):
            if name in taken:
                rule = f"`{name}` must be the money paid in, not a metric" if name == "drawn" else "a name must stand for one thing"
                found = name if name == "drawn" else f"`{name}` in {taken[name]} and in {section}"
                yield f"{section}.{name}", rule, found, "Choose another name"
            taken.setdefault(name, section)
    for name in contract.parties:
        if name in contract.all_parties()[:3]:
            yield f"parties.{name}", "every contract must have investor, outcome_payer and service_provider", name, "Leave it out"
    for name in contract.milestones:
        if name in contract.metrics or name in (PEOPLE, NONE):
            found = f"a metric `{name}`" if name in contract.metrics else f"`{name}`, which stands for people"
            yield f"milestones.{name}", "a name of an outcome must stand for one thing", found, "Choose another name"
    if len(contract.outcomes) > MOST_OUTCOMES:
        yield "outcomes", f"a contract must count at most {MOST_OUTCOMES} outcomes", f"{len(contract.outcomes)}", ""
    if contract.waves and PEOPLE in contract.metrics:
        yield f"metrics.{PEOPLE}", "`people.wave` must stand for the people of a wave", "a metric `people`", "Choose another name"
    if len(contract.milestones) > MOST_MILESTONES:
        yield "milestones", f"a person must have at most {MOST_MILESTONES} milestones", f"{len(contract.milestones)}", ""


def _metrics(contract: Contract) -> Iterator[Finding]:
    before: list[str] = []
    for name, use in contract.metrics.items():
        if use.derived is not None:
            path = f"metrics.{name}.derived"
            yield from _references(contract, use.derived, path, [MONEY[0], *before], own=name, later=contract.metrics)
            if use.when_missing is not None:
                yield (
                    f"metrics.{name}.when_missing",
                    "a derived metric must never be missing by itself",
                    name,
                    "Say it of its parts",
                )
        before.append(name)


def _term(contract: Contract, name: str, term: Term) -> Iterator[Finding]:
    path, terms = f"terms.{name}", list(contract.terms)
    known = [*MONEY, *contract.metrics, *terms[: terms.index(name)], *contract.stops, *contract.variations]
    yield from _references(contract, term, path, known, own=name, later=contract.terms)
    for key in ("payer", "payee"):
        if getattr(term, key) not in contract.all_parties():
            yield f"{path}.{key}", "must be a party of the contract", f"`{getattr(term, key)}`", one_of(contract.all_parties())
    if (limits := _limits_inside(term)) > MOST_LIMITS:
        yield path, f"a term must have at most {MOST_LIMITS} limits inside, so that each can be told", f"{limits}", "Split it"
    if term.payer == term.payee:
        yield f"{path}.payee", "payer and payee must be two parties", f"`{term.payee}` twice", ""
    if term.repays_principal and term.payee != INVESTOR:
        yield f"{path}.repays_principal", "principal must be repaid to the investor", f"paid to `{term.payee}`", ""
    yield from _dates(term.at, f"{path}.at", _named_dates(contract))
    if list(term.at) != [date for date in _named_dates(contract) if date in term.at]:
        yield f"{path}.at", "the dates of a term must stand once, in the order of `dates`", ", ".join(term.at), ""
    elif len(dates := contract.dates_of(term)) != len(set(dates)):
        yield (
            f"{path}.at",
            "a term must be settled once on each date",
            ", ".join(term.at),
            "Name dates that repeat, or single ones of them",
        )
    if term.delay_months is not None and not contract.calendar:
        yield f"{path}.delay_months", "a delay must count from a date", "a contract without `dates`", "Add `dates`"


def _limits_inside(term: Term) -> int:
    """Count the limits, at most, that stand inside a term."""
    return sum(node.n_limits() for _, node in parts_within(term, "") if isinstance(node, Term))


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
            yield from gate.findings(f"{place}.only_if.{name}")
        is_inside = place != path or not path.startswith("terms.")
        for key in OF_THE_CONTRACT if is_inside else ():
            if key in node.model_fields_set:
                yield f"{place}.{key}", f"a term that says `{key}` must be one of the contract itself", "a term inside another", ""
        floor, cap = (None if limit is None else limit.fixed_level() for limit in (node.floor, node.cap))
        if floor is not None and cap is not None and floor.is_above(cap):
            yield f"{place}.floor", "a floor must not be above the cap", f"a floor of {floor}, a cap of {cap}", ""
        if node.looks_at_calendar and not contract.calendar:
            yield f"{place}.{node.key}", f"`{node.key}` must look at the calendar", "a contract without `dates`", "Add `dates`"
        for name in getattr(node, node.names_terms) if node.names_terms else ():
            before = [term for term in known if term in contract.terms]
            yield from _known(name, f"{place}.{node.names_terms}", before, own, later)
        if is_inside and not node.may_stand_inside:
            rule = f"a {node.key.replace('_', ' ')} must be a term of the contract itself"
            yield place, rule, "one inside another term", "Refer to it by its name"
        for key, rule, found, way_out in node.findings(contract):
            yield f"{place}.{key}", rule, found, way_out


def _known(
    name: str, path: str, known: Collection[str], own: str, later: Collection[str], noun: str = "a term"
) -> Iterator[Finding]:
    if name in known:
        return
    if name == own:
        yield path, "a result must not depend on itself", f"`{name}` in `{own}`", ""
    elif name in later:
        yield path, f"{noun} must refer to what stands before it", f"`{name}`, which stands after `{own}`", "Change their order"
    else:
        yield path, f"{noun} must refer to money, a metric, or a term before it", f"`{name}`", one_of(known)


def _named_dates(contract: Contract) -> list[str]:
    """List every name that stands for a date, or for dates that repeat, in the order of the file."""
    return [one for name in contract.dates for one in dict.fromkeys([name, *contract.dates_named(name)])]


def _dates(dates: tuple[str, ...], path: str, known: Collection[str]) -> Iterator[Finding]:
    for date in dates:
        if date not in known:
            way_out = one_of(known) or "The contract has no `dates`"
            yield path, "must be a date of the contract", f"`{date}`", way_out


def _stops(contract: Contract) -> Iterator[Finding]:
    for name, stop in contract.stops.items():
        yield from _dates((stop.at,), f"stops.{name}.at", contract.calendar)
        for metric, gate in stop.only_if.items():
            path = f"stops.{name}.only_if.{metric}"
            yield from _known(metric, path, [*MONEY, *contract.metrics], own=name, later=(), noun="a stop")
            yield from gate.findings(path)
        for party in stop.by:
            if party not in contract.all_parties():
                yield f"stops.{name}.by", "must be a party of the contract", f"`{party}`", one_of(contract.all_parties())


def _variations(contract: Contract) -> Iterator[Finding]:
    for name, variation in contract.variations.items():
        path = f"variations.{name}"
        yield from _dates((variation.at,), f"{path}.at", contract.calendar)
        for metric, gate in variation.only_if.items():
            key = f"{path}.only_if.{metric}"
            if metric not in contract.metrics:
                way_out = one_of(contract.metrics) or "Define one, such as `derived: {reached: [an outcome]}`"
                yield key, "a variation must look at a metric of the contract", f"`{metric}`", way_out
            elif money := _money_behind(contract, metric):
                rule = "a variation must look at metrics that depend on no money: prices that it changes decide what is paid"
                yield key, rule, f"`{metric}`, which depends on {money}", ""
            yield from gate.findings(key)


def _money_behind(contract: Contract, metric: str) -> str:
    """Return on which money a metric depends, through all that it follows from; nothing where on none."""
    todo, seen = [metric], set[str]()
    while todo:
        name = todo.pop()
        use = None if name in seen else contract.metrics.get(name)
        seen.add(name)
        for _, node in parts_within(None if use is None else use.derived, ""):
            names = [node.root] if isinstance(node, Named) else list(node.only_if)
            if not isinstance(node, Named) and node.looks_at_money:
                return f"`{node.key}`"
            if money := next((name for name in names if name in MONEY), ""):
                return f"`{money}`"
            todo += names
    return ""


def _published(contract: Contract) -> Iterator[Finding]:
    for name, case in contract.published.items():
        path = f"published.{name}"
        for outcome in case.outcome:
            yield from outcome_problems(contract, outcome, f"{path}.outcome.{outcome}")
        for number, count in enumerate(case.reached):
            for key, known in (("outcome", contract.outcomes), ("wave", contract.waves), ("group", contract.groups)):
                named = getattr(count, key)
                if named is not None and named not in known:
                    yield f"{path}.reached.{number}.{key}", f"must be a {key} of the contract", f"`{named}`", one_of(known)
        for rule, found, way_out in uncounted(contract, case.outcome):
            yield f"{path}.outcome", rule, found, way_out
        for term in case.terms:
            if term not in contract.terms:
                yield f"{path}.terms", "must be a term of the contract", f"`{term}`", one_of(contract.terms)
        if case.date is not None:
            yield from _dates((case.date,), f"{path}.date", contract.calendar)
        if case.drawn is not None and case.drawn.value > contract.commitment.value:
            yield f"{path}.drawn", "no more must be drawn than was committed", f"{case.drawn.value:,g}", ""
        if case.compares == "whether_paid" and (case.paid is None or case.paid.value not in (0, 1)):
            found = "none" if case.paid is None else f"{case.paid.value:g}"
            yield f"{path}.paid", "whether anything was paid must be 1 or 0", found, ""


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
