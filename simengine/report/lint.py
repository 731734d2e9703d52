"""Look through a contract for wording that costs money: each finding with its place, the reason, and what to write instead.

Some rules read the terms; the others pay the contract on many sets of outcomes and look at what comes out, so that they hold for
every kind of term, those to come included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from simengine.contract import inputs_of
from simengine.contract.spec import Contract
from simengine.contract.terms import Named, Term, walk
from simengine.contract.terms.combine import FirstOf, Sum
from simengine.errors import UsageError
from simengine.records import CAP, FLOOR, GATE
from simengine.report.bands import table_findings
from simengine.report.finding import Finding
from simengine.report.probes import FAR, edges_of, levels_of, pay, probe_worlds
from simengine.report.words import COUNT, EXPLAINED, INSTEAD, LINT, WHY

_CLIFF = 0.05
"""Share of the commitment from which a jump counts as a cliff."""


def lint_contract(contract: Contract) -> list[Finding]:
    """Give every finding, in the order of the rules; each place and rule once.

    Raises
    ------
    UsageError
        If the contract explains a rule that finds nothing in it.
    """
    rules: tuple[Callable[[Contract], Iterator[Finding]], ...] = (
        _measured,
        _missing,
        table_findings,
        _ties,
        _cliffs,
        _unbounded,
        _never_bind,
        _guarantee,
    )
    findings = [finding for rule in rules for finding in rule(contract)]
    once = {(finding.key, finding.rule): finding for finding in findings}.values()
    for rule in contract.explained:
        if rule not in {finding.rule for finding in once}:
            known = "" if rule in LINT else f". Rules: {', '.join(LINT)}"
            raise UsageError(f"explained.{rule}: an explanation belongs to a rule that finds something; found nothing{known}")
    return [replace(finding, explained=contract.explained.get(finding.rule)) for finding in once]


def _say(rule: str, key: str, **details: object) -> Finding:
    found, why, suggestion = LINT[rule]
    return Finding(rule, key, found.format(**details), why, suggestion)


def _measured(contract: Contract) -> Iterator[Finding]:
    used = {name.partition(".")[0] for name in inputs_of(contract)}
    for name, use in contract.metrics.items():
        if use.derived is None and use.evaluator is None:
            yield _say("nobody_measures", f"metrics.{name}", metric=name)
        if use.derived is None and name not in used:
            yield _say("nobody_pays", f"metrics.{name}", metric=name)


def _missing(contract: Contract) -> Iterator[Finding]:
    """Find metrics for which nothing is said in case they cannot be measured."""
    for name, use in contract.metrics.items():
        for term in contract.terms.values() if use.derived is None and use.when_missing is None else ():
            if _hangs_on(contract, term, name):
                yield _say("missing_data", f"metrics.{name}", metric=name)
                break


def _hangs_on(contract: Contract, source: Named | Term, name: str) -> bool:
    """Whether something has no value where a metric was not measured: it reads it outside every `first_of`."""
    covered = [f"{place}.first_of." for place, node in walk(source, "") if isinstance(node, FirstOf)]
    for place, node in walk(source, ""):
        names = [node.root] if isinstance(node, Named) else list(node.only_if)
        if name in names and not place.startswith(tuple(covered)):
            return True
        derived = [contract.metrics[one].derived for one in names if one in contract.metrics]
        if any(_hangs_on(contract, one, name) for one in derived if one is not None):
            return True
    return False


def _ties(contract: Contract) -> Iterator[Finding]:
    """Find gates that meet at an edge which both count, or neither."""
    seen: dict[tuple[str, float], dict[str, str]] = {}
    for name, term in contract.terms.items():
        for place, node in walk(term, f"terms.{name}"):
            for metric, gate in node.only_if.items() if isinstance(node, Term) else ():
                for word, level in gate.edges():
                    seen.setdefault((metric, level), {}).setdefault(word, f"{place}.only_if.{metric}.{word}")
    for (metric, level), words in seen.items():
        for rule, lower, upper in (("tie", "at_least", "at_most"), ("hole", "above", "below")):
            if lower in words and upper in words:
                yield _say(rule, words[upper], metric=metric, level=f"{level:,.10g}")


def _cliffs(contract: Contract) -> Iterator[Finding]:
    """Find edges at which the smallest change moves a large part of the commitment."""
    edges, inputs = edges_of(contract), inputs_of(contract)
    levels = {name: levels_of(contract, name, edges) for name in inputs}
    highest = {name: max(edges.get(name.partition(".")[0], [1.0])) for name in inputs}
    bases = [{name: pick(levels[name]) for name in inputs} for pick in (min, max)] + [highest, dict.fromkeys(inputs, 0.0)]
    for name in inputs:
        for edge in edges.get(name.partition(".")[0], ()):
            around = (np.nextafter(edge, -np.inf), edge, np.nextafter(edge, np.inf))
            paid = pay(contract, [base | {name: float(level)} for base in bases for level in around]).amount
            jumps = np.abs(np.diff(paid.reshape(len(bases), 3, -1), axis=1)).max(axis=(0, 1))
            for term, jump in zip(contract.terms, jumps, strict=True):
                if jump > _CLIFF * contract.commitment.value:
                    share = jump / contract.commitment.value if contract.commitment.value else np.inf
                    yield _say(
                        "cliff",
                        _place_of_edge(contract, term, edge),
                        metric=name,
                        level=f"{edge:,.10g}",
                        jump=f"{jump:z,.0f} {contract.currency}",
                        share=f"{share:.0%}",
                    )


def _place_of_edge(contract: Contract, term: str, edge: float) -> str:
    """Give the path of the number that is the edge, or of its term."""
    for path, number in _numbers(contract.terms[term], f"terms.{term}"):
        if number == edge:
            return path
    return f"terms.{term}"


def _numbers(node: Any, path: str) -> Iterator[tuple[str, float]]:
    """Yield the edges inside a term with their paths."""
    for place, term in walk(node, path):
        for name, gate in term.only_if.items() if isinstance(term, Term) else ():
            yield from ((f"{place}.only_if.{name}.{word}", level) for word, level in gate.edges())
        for number, band in enumerate(getattr(term, "steps", ())):
            yield from ((f"{place}.steps.{number}.{word}", level) for word, level in band.edges())
        for number, point in enumerate(getattr(term, "line", ())):
            yield f"{place}.line.{number}.at", point.at.value


def _unbounded(contract: Contract) -> Iterator[Finding]:
    """Find terms that grow for ever with some outcome, in either direction."""
    inputs = inputs_of(contract)
    bases: list[dict[str, float]] = [dict.fromkeys(inputs, level) for level in (FAR, 1.0)]
    for sign, rule in ((1.0, "unbounded"), (-1.0, "owed_back")):
        for name in inputs:
            for direction in (1.0, -1.0):
                worlds = [base | {name: direction * far} for base in bases for far in (FAR, 10 * FAR)]
                paid = sign * pay(contract, worlds).amount
                grows = (paid[1::2] > np.maximum(paid[::2], 0) + 1).any(axis=0)
                for term in np.array(list(contract.terms))[grows]:
                    yield _say(rule, f"terms.{term}", term=term, metric=name)


def _never_bind(contract: Contract) -> Iterator[Finding]:
    """Find limits and gates that decide nothing, whatever is measured."""
    for owner, term in contract.terms.items():
        for place, node in walk(term, f"terms.{owner}"):
            if not isinstance(node, Term) or (node.floor is None and node.cap is None and not node.only_if):
                continue
            bounds = _pay_alone(contract, owner, node)
            if bounds is None:
                continue
            for key, code in (("floor", FLOOR), ("cap", CAP), ("only_if", GATE)):
                if getattr(node, key) and not (bounds == code).any():
                    yield _say("never_binds", f"{place}.{key}", limit=key)
            if (bounds == GATE).all():
                yield _say("never_pays", f"{place}.only_if")


def _pay_alone(contract: Contract, owner: str, node: Term) -> Any:
    """Pay a term that stands inside another by itself, after the terms before it; None where it depends on its place."""
    if any(
        node is inner
        for path, outer in walk(contract.terms[owner], "")
        if outer.__class__.__name__ == "PerWave"
        for _, inner in walk(outer, path)
    ):
        return None
    names = list(contract.terms)
    before = {name: contract.terms[name] for name in names[: names.index(owner)]}
    alone = node.model_copy(update={"at": contract.terms[owner].at, "contingent": True})
    probed = contract.model_copy(update={"terms": before | {owner: alone}, "total_cap": None})
    payments = pay(probed, probe_worlds(probed))
    return payments.bound_by_due[:, -1, payments.is_due[-1]]


def _guarantee(contract: Contract) -> Iterator[Finding]:
    """Find caps below what is paid whatever is measured."""
    fixed = {name: term for name, term in contract.terms.items() if not term.contingent and not inputs_of(_only(contract, name))}
    if contract.total_cap is not None and fixed:
        guaranteed = float(pay(contract.model_copy(update={"terms": fixed, "total_cap": None}), [{}]).amount.sum())
        cap = _worth(contract, contract.total_cap)
        if cap is not None and cap < guaranteed:
            yield _say("cap_below_guarantee", "total_cap", cap=f"{cap:z,.0f}", guarantee=f"{guaranteed:z,.0f}")
    for owner, term in contract.terms.items():
        for place, node in walk(term, f"terms.{owner}"):
            if not isinstance(node, Term) or node.cap is None:
                continue
            cap = _worth(contract, node.cap)
            floor = None if node.floor is None else _worth(contract, node.floor)
            parts = [_worth(contract, part) for part in node.sum] if isinstance(node, Sum) else []
            guaranteed = max(floor or 0.0, sum(part for part in parts if part is not None and part > 0))
            if cap is not None and cap < guaranteed:
                yield _say("cap_below_guarantee", f"{place}.cap", cap=f"{cap:z,.0f}", guarantee=f"{guaranteed:z,.0f}")


def _only(contract: Contract, name: str) -> Contract:
    return contract.model_copy(update={"terms": {name: contract.terms[name]}, "total_cap": None})


def _worth(contract: Contract, source: Named | Term) -> float | None:
    """Give what a source comes to when all is drawn; None where it depends on what is measured or paid."""
    if isinstance(source, Named) and source.root != "drawn":
        return None
    for _, node in walk(source, ""):
        if isinstance(node, Named) and node.root != "drawn":
            return None
    term = Sum.model_validate({"sum": [source]})
    probed = contract.model_copy(update={"terms": {"probe": term}, "total_cap": None, "stops": {}})
    return None if inputs_of(probed) else float(pay(probed, [{}]).by_due[0, 0, -1])


def findings_text(title: str, findings: Sequence[Mapping[str, str | None]]) -> str:
    """Say findings one after the other: place, what was found, why it costs money, what to write instead."""
    said = [
        f"{finding['where']}: {finding['key']}: {finding['found']}\n"
        f"    {WHY}: {finding['why']}.\n    {INSTEAD}: {finding['suggestion']}."
        + (f"\n    {EXPLAINED}: {finding['explained']}" if finding["explained"] else "")
        for finding in findings
    ]
    return "\n".join([*said, COUNT.format(title=title, number=len(findings))])
