"""Check a contract for wording that costs money: each finding with its place, the reason, and a suggestion.

Some rules read the terms; the others pay the contract on many sets of outcomes and look at what comes out, so that they hold for
every kind of term, those to come included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import inf
from typing import Any

import numpy as np

from simengine.config.levels import unreachable_levels
from simengine.contract import inputs_of
from simengine.contract.spec import Contract
from simengine.contract.terms import Named, Term, parts_within
from simengine.contract_text.bands import table_findings
from simengine.contract_text.card_lint import card_findings
from simengine.contract_text.limits import growth_findings, guarantee_findings, limit_findings
from simengine.contract_text.magnitudes import magnitude_findings
from simengine.contract_text.remark import Remark, remark_in_words
from simengine.contract_text.trials import Spans, edges_of, levels_of, pay, usual_spans
from simengine.contract_text.unused import milestone_findings, repeated_findings, unused_findings
from simengine.contract_text.words import COUNT, EXPLAINED, INSTEAD, LINT, WHY
from simengine.errors import UsageError

_CLIFF = 0.05
"""Share of the commitment from which a jump counts as a cliff."""
_MODERATE = 1e6
"""As far as other outcomes go while an edge is looked at."""


def lint_contract(contract: Contract, reaches: Spans | None = None) -> list[Remark]:
    """List every finding, in the order of the rules; each place and rule once.

    Parameters
    ----------
    contract
        The terms.
    reaches
        From a study, by the words of a replay: how far each outcome can go; absent: units say where outcomes usually lie.

    Raises
    ------
    UsageError
        If the contract explains a rule that finds nothing in it.
    """
    rules: tuple[Callable[[], Iterator[Remark]], ...] = (
        lambda: _measured(contract),
        lambda: _missing(contract),
        lambda: unused_findings(contract),
        lambda: milestone_findings(contract),
        lambda: card_findings(contract),
        lambda: table_findings(contract),
        lambda: _ties(contract),
        lambda: _out_of_reach(contract, reaches),
        lambda: _cliffs(contract, reaches),
        lambda: growth_findings(contract, reaches),
        lambda: limit_findings(contract, reaches),
        lambda: guarantee_findings(contract),
        lambda: magnitude_findings(contract),
        lambda: repeated_findings(contract, reaches),
    )
    findings = [finding for rule in rules for finding in rule()]
    once = {(finding.key, finding.rule): finding for finding in findings}.values()
    for rule in contract.explained:
        if rule not in {finding.rule for finding in once}:
            known = "" if rule in LINT else f". Rules: {', '.join(LINT)}"
            raise UsageError(f"explained.{rule}: must be a rule that finds something here; found nothing{known}")
    return [replace(finding, explained=contract.explained.get(finding.rule)) for finding in once]


def _measured(contract: Contract) -> Iterator[Remark]:
    used, whole = {name.partition(".")[0] for name in inputs_of(contract)}, contract.measured_for
    for name, use in contract.metrics.items():
        # What is measured anew has one finding, not one for each time.
        said = whole.get(name, name)
        if use.derived is None and use.evaluator is None:
            yield remark_in_words("nobody_measures", f"metrics.{said}", metric=said)
        if use.derived is None and name not in used:
            yield remark_in_words("nobody_pays", f"metrics.{name}", metric=name)


def _missing(contract: Contract) -> Iterator[Remark]:
    """Find metrics for which nothing is said in case they cannot be measured."""
    whole = contract.measured_for
    for name, use in contract.metrics.items():
        for term in contract.terms.values() if use.derived is None and use.when_missing is None else ():
            if _hangs_on(contract, term, name):
                yield remark_in_words("missing_data", f"metrics.{whole.get(name, name)}", metric=whole.get(name, name))
                break


def _hangs_on(contract: Contract, source: Named | Term, name: str) -> bool:
    """Whether something has no value where a metric was not measured: it reads it where nothing else can be paid instead."""
    covered = [f"{place}.{node.key}." for place, node in parts_within(source, "") if isinstance(node, Term) and node.covers_missing]
    for place, node in parts_within(source, ""):
        names = [node.root] if isinstance(node, Named) else list(node.only_if)
        if name in names and not place.startswith(tuple(covered)):
            return True
        derived = [contract.metrics[one].derived for one in names if one in contract.metrics]
        if any(_hangs_on(contract, one, name) for one in derived if one is not None):
            return True
    return False


@dataclass(frozen=True)
class _Edge:
    """An edge of a gate, and where it is looked at."""

    word: str
    path: str
    waves: tuple[str, ...] | None
    """The waves that are told apart; None for all together."""
    dates: frozenset[str]

    def meets(self, other: _Edge) -> bool:
        """Whether both look at the same people on the same date."""
        is_same_date = not self.dates or not other.dates or bool(self.dates & other.dates)
        if self.waves is None or other.waves is None:
            return is_same_date and self.waves is other.waves
        return is_same_date and bool(set(self.waves) & set(other.waves))


def _ties(contract: Contract) -> Iterator[Remark]:
    """Find gates that meet at an edge which both count, or neither."""
    seen: dict[tuple[str, float], list[_Edge]] = {}
    for name, term in contract.terms.items():
        outer = [(path, node.waves_apart(contract)) for path, node in parts_within(term, f"terms.{name}") if isinstance(node, Term)]
        apart = [(f"{path}.{one.key}", one.waves) for path, one in outer if one is not None]
        for place, node in parts_within(term, f"terms.{name}"):
            waves = next((waves for path, waves in apart if place.startswith(path)), None)
            for metric, gate in node.only_if.items() if isinstance(node, Term) else ():
                for word, level in gate.edges():
                    edge = _Edge(
                        word, f"{place}.only_if.{metric}.{word}", waves, frozenset(contract.dates_of(term) if term.at else ())
                    )
                    seen.setdefault((metric, level), []).append(edge)
    for (metric, level), edges in seen.items():
        for rule, lower, upper in (("tie", "at_least", "at_most"), ("hole", "above", "below")):
            for one, other in combinations(edges, 2):
                if {one.word, other.word} == {lower, upper} and one.meets(other):
                    path = one.path if one.word == upper else other.path
                    yield remark_in_words(rule, path, metric=metric, level=f"{level:,.10g}")


def _out_of_reach(contract: Contract, reaches: Spans | None) -> Iterator[Remark]:
    """Find levels that lie where no number in the unit of the metric usually lies."""
    spans = {name: span for name, span in usual_spans(contract, reaches).items() if name.partition(".")[0] in contract.metrics}
    for path, rule, found, _ in unreachable_levels(contract, spans):
        yield remark_in_words("out_of_reach", path, level=found, must=rule)


def _cliffs(contract: Contract, reaches: Spans | None) -> Iterator[Remark]:
    """Find edges at which the smallest change moves a large part of the commitment."""
    edges, spans = edges_of(contract), usual_spans(contract, reaches)
    levels = {name: levels_of(contract, name, edges, span, far=_MODERATE) for name, span in spans.items()}
    bases = [{name: pick(levels[name]) for name in spans} for pick in (min, max, _nearest_to_nothing)]
    bases.append(
        {name: max(_within(edges.get(name.partition(".")[0], []), spans[name]), default=max(levels[name])) for name in spans}
    )
    for name, span in spans.items():
        for edge in _within(edges.get(name.partition(".")[0], []), span):
            around = [level for level in (np.nextafter(edge, -inf), edge, np.nextafter(edge, inf)) if span[0] <= level <= span[1]]
            paid = pay(contract, [base | {name: float(level)} for base in bases for level in around]).amount
            jumps = np.abs(np.diff(paid.reshape(len(bases), len(around), -1), axis=1)).max(axis=(0, 1))
            for term, jump in zip(contract.terms, jumps, strict=True):
                if jump > _CLIFF * contract.commitment.value:
                    share = jump / contract.commitment.value if contract.commitment.value else inf
                    yield remark_in_words(
                        "cliff",
                        _place_of_edge(contract, term, name, edge),
                        metric=name,
                        level=f"{edge:,.10g}",
                        jump=f"{jump:z,.0f} {contract.currency}",
                        share=f"{share:.0%}",
                    )


def _nearest_to_nothing(levels: Sequence[float]) -> float:
    return min(levels, key=abs)


def _within(levels: Sequence[float], span: tuple[float, float]) -> list[float]:
    return [level for level in levels if span[0] <= level <= span[1]]


def _place_of_edge(contract: Contract, term: str, outcome: str, edge: float) -> str:
    """Find the path of the number that is the edge of an outcome, or of its term."""
    for path, number, names in _numbers(contract, contract.terms[term], f"terms.{term}"):
        if number == edge and outcome.partition(".")[0] in names:
            return path
    return f"terms.{term}"


def _numbers(contract: Contract, node: Any, path: str) -> Iterator[tuple[str, float, set[str]]]:
    """Yield the edges inside a term with their paths, and the outcomes that they are edges of."""
    for place, term in parts_within(node, path):
        if not isinstance(term, Term):
            continue
        for name, gate in term.only_if.items():
            names = _metrics_behind(contract, Named(name))
            yield from ((f"{place}.only_if.{name}.{word}", level, names) for word, level in gate.edges())
        names = _metrics_behind(contract, getattr(term, term.looks_at)) if term.looks_at else set()
        yield from ((f"{place}.{edge.key}", edge.level, names) for edge in term.edges())


def _metrics_behind(contract: Contract, source: Any) -> set[str]:
    """Find the metrics from which something follows."""
    found: set[str] = set()
    for _, node in parts_within(source, ""):
        if isinstance(node, Named) and node.root in contract.metrics:
            found |= {node.root} | _metrics_behind(contract, contract.metrics[node.root].derived)
    return found


def findings_text(title: str, findings: Sequence[Mapping[str, str | None]]) -> str:
    """Say findings one after the other: place, what was found, why it costs money, what to write instead."""
    said = [
        f"{finding['where']}: {finding['key']}: {finding['found']}\n"
        f"    {WHY}: {finding['why']}.\n    {INSTEAD}: {finding['suggestion']}."
        + (f"\n    {EXPLAINED}: {finding['explained']}" if finding["explained"] else "")
        for finding in findings
    ]
    return "\n".join([*said, COUNT.format(title=title, number=len(findings))])
