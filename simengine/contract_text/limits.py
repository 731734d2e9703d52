"""Find terms that grow without limit, and limits and gates without effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf
from typing import Any

import numpy as np

from simengine.config.levels import LevelPlace, span_of
from simengine.contract import inputs_of
from simengine.contract.spec import Contract
from simengine.contract.terms import Named, Term, parts_within
from simengine.contract_text.remark import Remark, remark_in_words
from simengine.contract_text.trials import Spans, open_spans, pay, possible_spans, probe_draws
from simengine.records import CAP, FLOOR, GATE, OUTCOME_PAYER

_SCALES = (1e24, 1e27, 1e30)
"""Far beyond every level, price and cap that a contract can state."""
_MODERATE = 1e6
"""As far as the other outcomes go meanwhile: a limit that is made of them stays in sight."""
_GROWTH = 100.0
_DRAWN = (1.0, 0.5, 0.0)
"""Shares of the commitment with which limits are tried."""


def growth_findings(contract: Contract, reaches: Spans | None) -> Iterator[Remark]:
    """Find terms that grow without limit with some outcome, or with all of them together, in either direction."""
    spans = open_spans(contract, reaches)
    bases = probe_draws(contract, spans, far=_MODERATE)
    for sign, rule in ((1.0, "unbounded"), (-1.0, "owed_back")):
        seen: set[str] = set()
        for name, direction in _open_ends(spans):
            terms = _growing(contract, bases, {name: direction}, sign)
            yield from (remark_in_words(rule, f"terms.{term}", term=term, metric=name) for term in contract.terms if term in terms)
            seen |= terms
        for direction in (1.0, -1.0):
            together = {name: direction for name, (low, high) in spans.items() if (high if direction > 0 else low) in (inf, -inf)}
            for term in sorted(_growing(contract, bases[:1], together, sign) - seen) if len(together) > 1 else ():
                yield remark_in_words(rule, f"terms.{term}", term=term, metric=" and ".join(_behind(contract, term, together)))
                seen.add(term)


def _open_ends(spans: Spans) -> list[tuple[str, float]]:
    """List the outcomes without an end, each with the direction in which it has none."""
    return [
        (name, direction) for name, (low, high) in spans.items() for direction, end in ((1.0, high), (-1.0, -low)) if end == inf
    ]


def _growing(contract: Contract, bases: list[dict[str, float]], moved: Mapping[str, float], sign: float) -> set[str]:
    """Find the terms whose payment keeps growing as some outcomes go out of sight and the others stay where they are."""
    draws = [base | {name: direction * scale for name, direction in moved.items()} for scale in _SCALES for base in bases]
    paid = (sign * pay(contract, draws).amount).reshape(len(_SCALES), len(bases), -1)
    grows = (paid[0] > 0) & (paid[1] > _GROWTH * paid[0]) & (paid[2] > _GROWTH * paid[1])
    return {term for term, is_growing in zip(contract.terms, grows.any(axis=0), strict=True) if is_growing}


def _behind(contract: Contract, term: str, names: Mapping[str, float]) -> list[str]:
    """List those of some outcomes that a term looks at."""
    terms = list(contract.terms)
    before = {name: contract.terms[name] for name in terms[: terms.index(term) + 1]}
    asked = inputs_of(contract.model_copy(update={"terms": before}))
    return [name for name in names if name in asked]


def limit_findings(contract: Contract, reaches: Spans | None) -> Iterator[Remark]:
    """Find limits and gates that decide nothing, whatever is measured and however much is drawn."""
    for owner, term in contract.terms.items():
        for place, node in parts_within(term, f"terms.{owner}"):
            if not isinstance(node, Term) or (node.floor is None and node.cap is None and not node.only_if):
                continue
            bounds = _bounds_alone(contract, owner, node, reaches)
            if bounds is None:
                continue
            for key, code in (("floor", FLOOR), ("cap", CAP), ("only_if", GATE)):
                if getattr(node, key) and not (bounds == code).any():
                    yield remark_in_words("never_binds", f"{place}.{key}", limit=key)
            if (bounds == GATE).all():
                yield remark_in_words("never_pays", f"{place}.only_if")


def _bounds_alone(contract: Contract, owner: str, node: Term, reaches: Spans | None) -> Any:
    """Settle a term that stands inside another by itself, after the terms before it; None where it depends on its place."""
    for _, outer in parts_within(contract.terms[owner], ""):
        apart = outer.waves_apart(contract) if isinstance(outer, Term) else None
        if apart is not None and any(node is inner for _, inner in parts_within(getattr(outer, apart.key), "")):
            return None
    names = list(contract.terms)
    before = {name: contract.terms[name] for name in names[: names.index(owner)]}
    # What was paid on earlier dates counts, so it is settled on all dates of its term.
    alone = node.model_copy(update={"at": contract.terms[owner].at, "contingent": True})
    probed = contract.model_copy(update={"terms": before | {owner: alone}, "total_cap": None})
    draws = probe_draws(probed, possible_spans(probed, reaches))
    found = [pay(probed, draws, share * contract.commitment.value) for share in _DRAWN]
    return np.concatenate([payments.bound_by_due[:, -1, payments.is_due[-1]] for payments in found])


def guarantee_findings(contract: Contract) -> Iterator[Remark]:
    """Find caps below what is paid whatever is measured."""
    fixed = {
        name: term
        for name, term in contract.terms.items()
        if not term.contingent and term.payer == OUTCOME_PAYER and not inputs_of(_only(contract, name))
    }
    commitment = contract.commitment.value
    place = LevelPlace(contract, {"drawn": (commitment, commitment)}, None)
    if contract.total_cap is not None and fixed:
        guaranteed = float(pay(contract.model_copy(update={"terms": fixed, "total_cap": None}), [{}]).amount.sum())
        cap = _worth(place, contract.total_cap)
        if cap is not None and cap < guaranteed:
            yield remark_in_words("cap_below_guarantee", "total_cap", cap=f"{cap:,.0f}", guarantee=f"{guaranteed:,.0f}")
    for owner, term in contract.terms.items():
        for path, node in parts_within(term, f"terms.{owner}"):
            if not isinstance(node, Term) or node.cap is None:
                continue
            cap, least = _worth(place, node.cap), span_of(place, node.model_copy(update={"cap": None, "only_if": {}}))[0]
            if cap is not None and cap < least < inf:
                yield remark_in_words("cap_below_guarantee", f"{path}.cap", cap=f"{cap:,.0f}", guarantee=f"{least:,.0f}")


def _only(contract: Contract, name: str) -> Contract:
    return contract.model_copy(update={"terms": {name: contract.terms[name]}, "total_cap": None})


def _worth(place: LevelPlace, source: Named | Term) -> float | None:
    """Find what a source comes to when all is drawn; None where it depends on what is measured or paid."""
    low, high = span_of(place, source)
    return low if low == high else None
