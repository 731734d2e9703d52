"""Check the tables and lines of a contract: whether they rise, and whether each value falls into one band."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import inf, nextafter

import numpy as np

from simengine.contract.spec import Contract, MetricUse
from simengine.contract.terms import Band, Named, Source, Term, parts_within, times
from simengine.contract_text.remark import Remark, remark_in_words
from simengine.contract_text.trials import pay
from simengine.records import Floats


def table_findings(contract: Contract) -> Iterator[Remark]:
    """Find tables and lines that fall, and bands that leave gaps, overlap, share an edge, or are never reached."""
    for section, terms in (("terms", contract.terms), ("metrics", contract.metrics)):
        for path, node in parts_within(terms, section):
            if not isinstance(node, Term):
                continue
            bands = node.bands()
            if bands:
                yield from _bands(node, bands, path)
            if node.can_fall():
                yield from _falls(contract, node, path, _places(bands) if bands else [edge.level for edge in node.edges()])


def _is_plain(source: Source) -> bool:
    """Whether a limit is a number or a share of the money drawn, so that it can be compared with entries."""
    level = source.fixed_level()
    return level is not None and level.is_plain


def _places(bands: Sequence[Band]) -> list[float]:
    """List levels on both sides of every edge, and between edges."""
    edges = sorted({level for band in bands for _, level in band.edges()})
    between = [(one + other) / 2 for one, other in pairwise(edges)]
    around = [side for edge in edges for side in (nextafter(edge, -inf), edge, nextafter(edge, inf))]
    span = (edges[-1] - edges[0]) or abs(edges[0]) or 1.0
    return sorted({*around, *between, edges[0] - span, edges[-1] + span})


def _falls(contract: Contract, node: Term, path: str, places: Sequence[float]) -> Iterator[Remark]:
    """Find the first place at which more of the metric pays less, though it pays more elsewhere."""
    # A floor may lift the rows below it, and a cap hold those above it.
    limits = {key: limit for key in ("floor", "cap") if (limit := getattr(node, key)) is not None and _is_plain(limit)}
    plain = node.model_copy(update={node.looks_at: Named("reached"), "floor": None, "cap": None, "only_if": {}} | limits)
    use = {"reached": MetricUse(meaning="", unit="")}
    probed = contract.model_copy(update={"metrics": use, "terms": {"table": plain}, "dates": {}, "stops": {}, "total_cap": None})
    paid = _in_large_money(probed, places)
    steps = np.diff(paid)
    if (steps > 0).any() and (steps < 0).any():
        first = int(np.flatnonzero(steps < 0)[0])
        low, high, level = (f"{number:,.6g}" for number in (paid[first], paid[first + 1], places[first + 1]))
        yield remark_in_words("not_monotone", f"{path}.{node.key}", low=low, high=high, level=level)


def _in_large_money(probed: Contract, places: Sequence[float]) -> Floats:
    """Pay a table of rates or of money so that rounding to the smallest unit hides nothing."""
    larger = probed.model_copy(update={"terms": {"table": times(1e6, probed.terms["table"])}})
    return np.asarray(pay(larger, [{"reached": place} for place in places]).amount[:, 0] / 1e6)


def _bands(node: Term, bands: Sequence[Band], path: str) -> Iterator[Remark]:
    """Look at which bands hold each level."""
    places = _places(bands)
    holding = [[number for number, band in enumerate(bands) if _holds(band, place)] for place in places]
    reached = {numbers[0] for numbers in holding if numbers}
    for number in range(len(bands)):
        if number not in reached:
            yield remark_in_words("never_reached", f"{path}.{node.key}.{number}")
    covered = [place for place, numbers in enumerate(holding) if numbers]
    for place in range(covered[0], covered[-1]):
        if not holding[place]:
            yield remark_in_words("gap", f"{path}.{node.key}", level=f"{places[place]:,.10g}")
            break
    for place, numbers in enumerate(holding):
        closed = [number for number in numbers if _is_closed(bands[number])]
        if len(closed) > 1 and any(bands[number].pays != bands[closed[0]].pays for number in closed):
            is_point = all(closed != other for other in (holding[max(place - 1, 0)], holding[min(place + 1, len(places) - 1)]))
            rule = "tie" if is_point and _is_edge(bands, places[place]) else "overlap"
            yield remark_in_words(
                rule, f"{path}.{node.key}.{closed[1]}", metric=str(getattr(node, node.looks_at)), level=f"{places[place]:,.10g}"
            )
            break


def _holds(band: Band, level: float) -> bool:
    compare = {"above": level.__gt__, "at_least": level.__ge__, "below": level.__lt__, "at_most": level.__le__}
    return all(compare[word](edge) for word, edge in band.edges())


def _is_closed(band: Band) -> bool:
    """Whether a band has two edges: open ones follow one another in a table on purpose."""
    return len(band.edges()) == 2


def _is_edge(bands: Sequence[Band], level: float) -> bool:
    return any(level == edge for band in bands for _, edge in band.edges())
