"""Say what was sized as one JSON object, and write the contract that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simengine.config import Study
from simengine.config.numbers import with_numbers
from simengine.contract.spec import Contract
from simengine.questions.size.answer import Deal, SizingResult, shares_kept, sizing_of, table_of
from simengine.questions.size.belief import WeakestBelief
from simengine.questions.size.no_deal import NoDeal
from simengine.questions.size.one_number import OneNumber
from simengine.questions.size.search import Candidate, Table
from simengine.report.answers import answer_heading
from simengine.report.document import plain


def sizing(study: Study, found: SizingResult) -> dict[str, Any]:
    """Return a sizing as plain numbers."""
    table = found.table
    return answer_heading(study, found) | {
        "free": {path: free.model_dump(exclude_none=True) for path, free in table.free.items()},
        "objectives": [str(measure) for measure in table.objectives],
        "limits": [str(limit) for limit in table.limits],
        "rule": table.rule,
        "n_settled": len(found.points),
        "n_feasible": len(found.feasible),
        "is_deal": found.deal is not None,
        "present": None if found.present is None else candidate_content(table, found.present),
        "deal": None if found.deal is None else _deal(found, found.deal),
        "no_deal": None if found.no_deal is None else no_deal(table, found.no_deal),
        "frontier": [candidate_content(table, one) for one in found.frontier],
        "settled": [candidate_content(table, one) for one in found.points],
    }


def _deal(found: SizingResult, deal: Deal) -> dict[str, Any]:
    table = found.table
    names = [str(measure) for measure in table.objectives]
    kept = shares_kept(found, deal.recommended)
    return {
        "recommended": candidate_content(table, deal.recommended),
        "fresh": candidate_content(table, deal.fresh),
        "optimism": {name: plain(optimism) for name, optimism in zip(names, deal.optimism, strict=True)},
        "share_kept": dict(zip(names, kept, strict=True)),
        "best_for": {name: candidate_content(table, best) for name, best in zip(names, deal.best, strict=True)},
        "moves": [
            {
                "terms": terms(table, move.point),
                "gains": {name: plain(gain) for name, gain in zip(names, move.gains, strict=True)},
            }
            for move in deal.moves
        ],
    }


def no_deal(table: Table, found: NoDeal) -> dict[str, Any]:
    """Return the reasons why there is no deal as plain numbers."""
    return {
        "binding": [str(limit) for limit in found.binding],
        "conflicts": [[str(limit) for limit in conflict] for conflict in found.conflicts],
        "relaxations": [
            {"limit": str(one.limit), "to": plain(one.to), "relative": one.relative, "terms": terms(table, one.point)}
            for one in found.relaxations
        ],
        "closest": candidate_content(table, found.closest),
    }


def one_number(study: Study, found: OneNumber) -> dict[str, Any]:
    """Return the search for one number as plain numbers."""
    return answer_heading(study, found) | {
        "path": found.path,
        "end": found.end,
        "such_that": str(found.limit),
        "value": found.value,
        "interval_95": [found.low, found.high],
        "at_value": plain(found.at_value),
        "fresh": plain(found.fresh),
        "walk": [{"value": value, "measure": plain(measured)} for value, measured in found.walk],
    }


def belief(study: Study, found: WeakestBelief) -> dict[str, Any]:
    """Return the weakest belief with which there is a deal as plain numbers."""
    table = table_of(sizing_of(study))
    return answer_heading(study, found) | {
        "parties": list(found.parties),
        "multiple": found.high,
        "no_deal_at": found.low,
        "clear_deal_from": min((one.multiple for one in found.tried if one.is_deal and one.is_clear), default=None),
        "clearly_none_to": max((one.multiple for one in found.tried if not one.is_deal and one.is_clear), default=None),
        "tried": [vars(one) for one in found.tried],
        "fresh": [vars(one) for one in found.fresh],
        "below": no_deal(table, found.below),
    }


def terms(table: Table, settled: Candidate) -> dict[str, float]:
    """Return the terms of a point by their paths."""
    return dict(zip(table.free, settled.terms, strict=True))


def candidate_content(table: Table, settled: Candidate) -> dict[str, Any]:
    """Return a point: its terms, objectives, and the measure that each limit is about."""
    return {
        "terms": terms(table, settled),
        "objectives": {str(measure): plain(value) for measure, value in zip(table.objectives, settled.objectives, strict=True)},
        "limits": {
            str(limit): plain(value) | {"is_kept": limit.excess(value.value) <= 0}
            for limit, value in zip(table.limits, settled.limits, strict=True)
        },
    }


def sized(study: Study, numbers: Mapping[str, float]) -> Study:
    """Return the study with its terms as sized; what is published of the contract as it was is no part of it."""
    changed = with_numbers(study, numbers)
    return changed.model_copy(update={"contract": _as_sized(changed.contract), "sizing": None})


def _as_sized(contract: Contract) -> Contract:
    return contract.model_copy(update={"title": f"{contract.title}, with terms as sized", "published": {}})
