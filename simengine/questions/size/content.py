"""What JSON says of what was sized; and the contract that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias, TypedDict

from simengine.config import Study
from simengine.config.numbers import with_numbers
from simengine.config.sizing import Free
from simengine.contract.spec import Contract
from simengine.questions.size.answer import Deal, SizingResult, shares_kept, sizing_of, table_of
from simengine.questions.size.belief import BeliefPoint, WeakestBelief
from simengine.questions.size.no_deal import NoDeal
from simengine.questions.size.one_number import OneNumber
from simengine.questions.size.search import Candidate, Table
from simengine.report.answers import Heading, answer_heading
from simengine.report.document import plain
from simengine.risk.statistics import Statistic

LimitContent: TypeAlias = Annotated[Mapping[str, Any], "statistic and `is_kept`"]


class PointContent(TypedDict):
    """What some terms come to."""

    terms: Mapping[str, float]
    """By path: the term."""
    objectives: Mapping[str, Statistic]
    """By measure: its value."""
    limits: Mapping[str, LimitContent]
    """By limit: its measure, and whether it is met."""


class MoveContent(TypedDict):
    """Other terms on the frontier."""

    terms: Mapping[str, float]
    """By path: the term."""
    gains: Mapping[str, Statistic]
    """By objective: gain over the recommended terms in the same replications; better is positive."""


class DealContent(TypedDict):
    """Terms that everybody can sign."""

    recommended: PointContent
    """The recommended terms in these replications."""
    fresh: PointContent
    """The same in fresh replications."""
    optimism: Mapping[str, Statistic]
    """By objective: value in these replications less that in fresh ones; better is positive."""
    share_kept: Mapping[str, float]
    """By objective: the position between its worst and its best on the frontier, as a share."""
    best_for: Mapping[str, PointContent]
    """By objective: the terms that are best for it."""
    moves: list[MoveContent]
    """Other terms along the frontier."""


class RelaxationContent(TypedDict):
    """A change of one limit that would allow a deal."""

    limit: str
    """The limit."""
    to: Statistic
    """The level to which it must move."""
    relative: float
    """The move as a fraction of the range of its measure."""
    terms: Mapping[str, float]
    """By path: the term that everybody could then sign."""


class NoDealContent(TypedDict):
    """Why no terms satisfy everybody."""

    binding: list[str]
    """The limits that prevent a deal."""
    conflicts: list[list[str]]
    """Minimal sets of limits that no terms can meet together."""
    relaxations: list[RelaxationContent]
    """Changes of one limit that would allow a deal, the smallest first."""
    closest: PointContent
    """The terms that violate the limits least."""


class SizingContent(Heading):
    """What was sized."""

    free: Mapping[str, Free]
    """By path: the range of a free term."""
    objectives: list[str]
    """The objectives of the request."""
    limits: list[str]
    """Its limits."""
    rule: str
    """The rule that chooses one term sheet."""
    n_settled: int
    """Term sheets that were settled."""
    n_feasible: int
    """Those that meet every limit."""
    is_deal: bool
    """Whether there are feasible ones."""
    present: PointContent | None
    """The terms as the study has them; null if one of them is a distribution, or lies outside its range."""
    deal: DealContent | None
    """The terms that everybody can sign; null if there are none."""
    no_deal: NoDealContent | None
    """Why there are none; null if there is a deal."""
    frontier: list[PointContent]
    """The points on the frontier."""
    settled: list[PointContent]
    """All points."""


class WalkContent(TypedDict):
    """A point along the range of one term."""

    value: float
    """Value of the term."""
    measure: Statistic
    """The measure there."""


class OneNumberContent(Heading):
    """The end of the range of one term with which a limit is kept."""

    path: str
    """Path of the term."""
    end: str
    """Which end was asked for: `smallest` or `largest`."""
    such_that: str
    """The limit."""
    value: float
    """The answer: the limit is kept here, and no longer a little beyond."""
    interval_95: tuple[float, float]
    """Beyond its two ends the limit would be clearly broken on one side, and clearly kept on the other."""
    at_value: Statistic
    """The measure there, in these replications."""
    fresh: Statistic
    """The measure there, in fresh replications."""
    walk: list[WalkContent]
    """The measure along the range."""


class BeliefContent(Heading):
    """The weakest belief in the effect with which there is a deal; what has no sentence here is told in `WeakestBelief`."""

    parties: tuple[str, ...]
    multiple: float
    """The answer: the smallest multiple of the effect with a deal."""
    no_deal_at: float
    """The largest multiple that was tried without a deal."""
    clear_deal_from: float | None
    """From this multiple on there is a deal beyond the Monte Carlo error; null if none was tried."""
    clearly_none_to: float | None
    """Up to this multiple there is none beyond that error; null if none was tried."""
    tried: tuple[BeliefPoint, ...]
    fresh: tuple[BeliefPoint, BeliefPoint]
    """Both, `no_deal_at` and `multiple`, in fresh replications."""
    below: NoDealContent
    """Why there is no deal at `no_deal_at`."""


def sizing(study: Study, found: SizingResult) -> SizingContent:
    """Return what JSON says of a sizing."""
    table = found.table
    return {
        **answer_heading(study, found),
        "free": table.free,
        "objectives": [str(measure) for measure in table.objectives],
        "limits": [str(limit) for limit in table.limits],
        "rule": table.rule,
        "n_settled": len(found.points),
        "n_feasible": len(found.feasible),
        "is_deal": found.deal is not None,
        "present": None if found.present is None else _point(table, found.present),
        "deal": None if found.deal is None else _deal(found, found.deal),
        "no_deal": None if found.no_deal is None else _no_deal(table, found.no_deal),
        "frontier": [_point(table, one) for one in found.frontier],
        "settled": [_point(table, one) for one in found.points],
    }


def _deal(found: SizingResult, deal: Deal) -> DealContent:
    table = found.table
    names = [str(measure) for measure in table.objectives]
    kept = shares_kept(found, deal.recommended)
    return {
        "recommended": _point(table, deal.recommended),
        "fresh": _point(table, deal.fresh),
        "optimism": dict(zip(names, deal.optimism, strict=True)),
        "share_kept": dict(zip(names, kept, strict=True)),
        "best_for": {name: _point(table, best) for name, best in zip(names, deal.best, strict=True)},
        "moves": [{"terms": terms(table, move.point), "gains": dict(zip(names, move.gains, strict=True))} for move in deal.moves],
    }


def _no_deal(table: Table, found: NoDeal) -> NoDealContent:
    return {
        "binding": [str(limit) for limit in found.binding],
        "conflicts": [[str(limit) for limit in conflict] for conflict in found.conflicts],
        "relaxations": [
            {"limit": str(one.limit), "to": one.to, "relative": one.relative, "terms": terms(table, one.point)}
            for one in found.relaxations
        ],
        "closest": _point(table, found.closest),
    }


def one_number(study: Study, found: OneNumber) -> OneNumberContent:
    """Return what JSON says of the search for one number."""
    return {
        **answer_heading(study, found),
        "path": found.path,
        "end": found.end,
        "such_that": str(found.limit),
        "value": found.value,
        "interval_95": (found.low, found.high),
        "at_value": found.at_value,
        "fresh": found.fresh,
        "walk": [{"value": value, "measure": measured} for value, measured in found.walk],
    }


def belief(study: Study, found: WeakestBelief) -> BeliefContent:
    """Return what JSON says of the weakest belief with which there is a deal."""
    return {
        **answer_heading(study, found),
        "parties": found.parties,
        "multiple": found.high,
        "no_deal_at": found.low,
        "clear_deal_from": min((one.multiple for one in found.tried if one.is_deal and one.is_clear), default=None),
        "clearly_none_to": max((one.multiple for one in found.tried if not one.is_deal and one.is_clear), default=None),
        "tried": found.tried,
        "fresh": found.fresh,
        "below": _no_deal(table_of(sizing_of(study)), found.below),
    }


def terms(table: Table, settled: Candidate) -> dict[str, float]:
    """Return the terms of a point by their paths."""
    return dict(zip(table.free, settled.terms, strict=True))


def _point(table: Table, settled: Candidate) -> PointContent:
    return {
        "terms": terms(table, settled),
        "objectives": {str(measure): value for measure, value in zip(table.objectives, settled.objectives, strict=True)},
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
