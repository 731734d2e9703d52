"""Levels that a metric cannot reach: gates that never open, empty bands, targets out of reach.

Each rule is a generator of findings `(path, rule, found, way out)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import inf

from simengine.config.reach import reaches_of
from simengine.config.study import Study
from simengine.contract.rules import contract_rules
from simengine.contract.spec import Contract
from simengine.contract.terms import Gate, Named, Source, Term, parts_within
from simengine.contract.terms.base import Edge, WavesApart
from simengine.distributions.spans import ANYTHING, Span
from simengine.errors import Finding

_WAY_OUT = "Check the level, its sign and its unit (0.10 is 10 %), or the estimate of the metric"
_ROUNDING = 1e-9


def level_problems(study: Study) -> Iterator[Finding]:
    """Find levels of the contract that no result of this study can reach."""
    if any(contract_rules(study.contract)) or any(wave not in study.population.waves for wave in study.contract.waves):
        return
    if any(metric.outcome not in study.outcomes for metric in study.measurement.measured.values()):
        return
    reaches = reaches_of(study)
    for path, rule, found, way_out in unreachable_levels(study.contract, reaches):
        yield f"contract.{path}", rule, found, way_out


def unreachable_levels(contract: Contract, reaches: Mapping[str, Span]) -> Iterator[Finding]:
    """Find levels of a contract beyond the reach of what they are compared with.

    Parameters
    ----------
    contract
        Its terms, derived metrics, stops and variations are looked at.
    reaches
        By metric, `metric.wave` or money: the least and the greatest value; what is not named can be anything.
    """
    for name, use in contract.metrics.items():
        if use.derived is not None:
            yield from _inside(LevelPlace(contract, reaches, None), use.derived, f"metrics.{name}.derived")
    for name, term in contract.terms.items():
        yield from _inside(LevelPlace(contract, reaches, None), term, f"terms.{name}")
    for path, metric, gate in contract.decisive_gates():
        yield from _gate(gate, span_of(LevelPlace(contract, reaches, None), Named(metric)), metric, path)


class LevelPlace:
    """The place of a level: in a contract, on the metrics of all waves or on those of some."""

    def __init__(self, contract: Contract, reaches: Mapping[str, Span], waves: Sequence[str] | None) -> None:
        self.contract, self.reaches, self.waves = contract, reaches, waves

    def within(self, apart: WavesApart) -> LevelPlace:
        """Look at the waves that a term tells apart; where they are added up, at all of them."""
        return LevelPlace(self.contract, self.reaches, None if apart.is_cumulative else apart.waves)

    def metric(self, name: str) -> Span:
        """Find the reach of a metric: the furthest of the waves."""
        if self.waves is None:
            return self.reaches.get(name, ANYTHING)
        spans = [self.reaches.get(f"{name}.{wave}", self.reaches.get(name, ANYTHING)) for wave in self.waves]
        return min(low for low, _ in spans), max(high for _, high in spans)


def _inside(place: LevelPlace, source: Source, path: str) -> Iterator[Finding]:
    """Look at a term and at all that it is made of; below what is settled wave by wave at the metrics of a wave."""
    covered: list[str] = []
    for below, node in parts_within(source, path):
        if not isinstance(node, Term) or below.startswith(tuple(covered)):
            continue
        yield from _term(place, node, below)
        apart = node.waves_apart(place.contract)
        if apart is not None:
            covered.append(f"{below}.{apart.key}")
            yield from _inside(place.within(apart), getattr(node, apart.key), f"{below}.{apart.key}")


def _term(place: LevelPlace, node: Term, path: str) -> Iterator[Finding]:
    for name, gate in node.only_if.items():
        if name in place.contract.metrics:
            yield from _gate(gate, span_of(place, Named(name)), name, f"{path}.only_if.{name}")
    if not node.looks_at:
        return
    looked_at = getattr(node, node.looks_at)
    span, said = span_of(place, looked_at), str(looked_at) if isinstance(looked_at, Named) else f"{path}.{node.looks_at}"
    for edge in node.edges():
        if _never_matters(edge, span):
            yield _finding(f"{path}.{edge.key}", said, span, edge.level)


def _gate(gate: Gate, span: Span, name: str, path: str) -> Iterator[Finding]:
    """Find an edge outside of all that can be: the gate never opens, or never shuts."""
    for word, level in gate.edges():
        if _is_beyond(level, span):
            yield _finding(f"{path}.{word}", name, span, level)


def _never_matters(edge: Edge, span: Span) -> bool:
    """Whether no result comes to what is paid from an edge on, or until it; on the open side of all results it is harmless."""
    if edge.side == "at":
        return _is_beyond(edge.level, span)
    return edge.level > span[1] + _ROUNDING if edge.side == "from" else edge.level < span[0] - _ROUNDING


def _is_beyond(level: float, span: Span) -> bool:
    margin = _ROUNDING * max(1.0, abs(level))
    return level < span[0] - margin or level > span[1] + margin


def _finding(path: str, said: str, span: Span, level: float) -> Finding:
    low, high = span
    if high < inf and low > -inf:
        rule = f"a level must be one that `{said}` can reach, {low:,.6g} to {high:,.6g}"
    else:
        rule = f"a level must be one that `{said}` can reach, " + (f"{high:,.6g} at most" if high < inf else f"{low:,.6g} at least")
    return path, rule, f"{level:,.10g}", _WAY_OUT


def span_of(place: LevelPlace, source: Source) -> Span:
    """Work out between what a term lies, from what it is made of; anything where that cannot be said."""
    if isinstance(source, Named):
        use = place.contract.metrics.get(source.root)
        if use is None:
            return place.reaches.get(source.root, ANYTHING)
        return place.metric(source.root) if use.derived is None else span_of(place, use.derived)
    span = source.formula_span(lambda part: span_of(place, part))
    if source.floor is not None:
        floor = span_of(place, source.floor)
        span = max(span[0], floor[0]), max(span[1], floor[1])
    if source.cap is not None:
        cap = span_of(place, source.cap)
        span = min(span[0], cap[0]), min(span[1], cap[1])
    return (min(span[0], 0.0), max(span[1], 0.0)) if source.only_if else span
