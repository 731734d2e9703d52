"""Sizing: terms that every party can sign, the trade-offs between them, one recommendation, and its optimism."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from simengine.asked import whole
from simengine.config import Study
from simengine.config.numbers import problems_with
from simengine.config.sizing import Free, Sizing, free_numbers
from simengine.distributions import Constant
from simengine.errors import Problem as Wrong
from simengine.errors import StudyError, UsageError
from simengine.questions.size.induced import RespondingEnsemble, stored_evidence
from simengine.questions.size.no_deal import NoDeal, explain_no_deal
from simengine.questions.size.search import GRID_POINTS, Candidate, Settlement, Table, TermSearch, frontier, worth_of
from simengine.replications.answer import Answer
from simengine.replications.ensemble import Ensemble
from simengine.replications.stored import StoredEnsemble, belief_of
from simengine.risk.measures import Measure
from simengine.risk.statistics import Statistic

SHOWN_ON_FRONTIER = 9
MOST_SHEETS = 100_000


@dataclass(frozen=True)
class FrontierMove:
    """Other terms on the frontier, and each party's gain or loss relative to the recommended ones."""

    point: Candidate
    gains: tuple[Statistic, ...]
    """By objective, better is positive: mean difference in the same replications."""


@dataclass(frozen=True)
class Deal:
    """Terms that everybody can sign."""

    recommended: Candidate
    best: tuple[Candidate, ...]
    """By objective: the terms that are best for it, among those that everybody can sign."""
    moves: tuple[FrontierMove, ...]
    """Along the frontier, by the first objective."""
    fresh: Candidate
    """The recommended terms in fresh replications."""
    optimism: tuple[Statistic, ...]
    """Optimism, by objective, better is positive: value in the replications of the search less that in fresh ones."""


@dataclass(frozen=True, repr=False)
class SizingResult(Answer):
    """Result: every point that was settled, and a deal, or why there is none."""

    table: Table
    points: tuple[Candidate, ...]
    feasible: tuple[Candidate, ...]
    frontier: tuple[Candidate, ...]
    present: Candidate | None
    """The terms as the study has them; absent if one of them is a distribution or lies outside its range."""
    deal: Deal | None
    no_deal: NoDeal | None


def table_of(sizing: Sizing) -> Table:
    """Return the problem that a sizing specifies."""
    sides = [side for side in sizing.parties.values() if side.objective is not None]
    without = tuple(side.without for side in sides)
    return Table(sizing.free, tuple(sizing.objectives()), tuple(sizing.limits()), sizing.recommend, without)


def size_terms(study: Study, ensemble: Ensemble, n_points: int = GRID_POINTS) -> SizingResult:
    """Find the terms that every party of a study can sign, and recommend some.

    Parameters
    ----------
    study
        With its sizing.
    ensemble
        The replications on which terms are settled. As many more, from the next replication on, check the answer.
    n_points
        Term sheets to settle before the search continues from the best of them.

    Raises
    ------
    StudyError
        If an end of a range is against a rule of the study.
    UsageError
        If it has no sizing, or the number of term sheets is out of range.
    """
    sizing, n_points = sizing_of(study), whole(n_points, "--points", 4, MOST_SHEETS)
    refuse_impossible_terms(study, sizing.free)
    table = table_of(sizing)
    stored = stored_for_sizing(study, table, ensemble)
    search = TermSearch(table, stored.settle, n_points)
    present = _present(study, search)
    fresh = replace(ensemble, first=ensemble.first + ensemble.n_replications)
    return find_deal(search, lambda: stored_for_sizing(study, table, fresh).settle, present, ensemble)


def find_deal(search: TermSearch, fresh: Callable[[], Settlement], present: Candidate | None, ensemble: Ensemble) -> SizingResult:
    """Search for terms that everybody can sign, choose some, and check them in fresh replications.

    Parameters
    ----------
    search
        How a point is settled.
    fresh
        Returns the settlement in other replications; called only if there are terms to check.
    present, ensemble
        For the record.
    """
    search.fill()
    table = search.table
    if not search.feasible():
        closest = min(search.pool.values(), key=lambda point: float(search.excess(point).sum()))
        search.improve(closest, lambda point: -float(search.excess(point).sum()), skip=None)
    deal = no_deal = None
    if search.feasible():
        deal = _deal(search, fresh)
    else:
        no_deal = explain_no_deal(search)
    feasible = search.feasible()
    return SizingResult(
        n_replications=ensemble.n_replications,
        seed=ensemble.seed,
        table=table,
        points=tuple(search.pool.values()),
        feasible=tuple(feasible),
        frontier=tuple(frontier(feasible, table.objectives)),
        present=present,
        deal=deal,
        no_deal=no_deal,
    )


def sizing_of(study: Study) -> Sizing:
    """Return the sizing of a study.

    Raises
    ------
    UsageError
        If it has none.
    """
    if study.sizing is None:
        raise UsageError("sizing: must be a section of the study, or be asked for with --free; found none")
    return study.sizing


def refuse_impossible_terms(study: Study, free: Mapping[str, Free]) -> None:
    """Refuse ranges at whose corners, or a little inside, the study itself would be refused."""
    corners = [dict(zip(free, ends, strict=True)) for ends in product(*((one.low, one.high) for one in free.values()))]
    inside = {path: one.low + (one.step or 0.4142 * (one.high - one.low)) for path, one in free.items()}
    for terms in [*corners[:64], inside]:
        for path, rule, found, way_out in problems_with(study, terms):
            place = ", ".join(f"{name} = {value:g}" for name, value in terms.items())
            raise StudyError(
                [Wrong(f"sizing.free at {place}", path, rule, found, way_out or "Narrow the range, or give it a step")]
            )


def stored_for_sizing(study: Study, table: Table, ensemble: Ensemble) -> StoredEnsemble | RespondingEnsemble:
    """Store the replications under the beliefs of the negotiating parties."""
    return stored_evidence(study, ensemble, [*table.objectives, *(limit.measure for limit in table.limits)])


def n_beliefs(study: Study) -> int:
    """Count the different beliefs of the negotiating parties: replications are simulated for each; where people respond, once."""
    sizing = sizing_of(study)
    if sizing.responding:
        return 1
    table = table_of(sizing)
    parties = {measure.party for measure in (*table.objectives, *(limit.measure for limit in table.limits))}
    return len({belief_of(study, party) for party in parties})


def _present(study: Study, search: TermSearch) -> Candidate | None:
    """Settle the present terms of the study, outside the search: they need not lie on a step."""
    numbers = free_numbers(study)
    values = [numbers[path] for path in search.table.free]
    if not all(isinstance(value, Constant) for value in values):
        return None
    beside = TermSearch(
        replace(search.table, free={path: free.model_copy(update={"step": None}) for path, free in search.table.free.items()}),
        search.settle,
    )
    terms = tuple(value.value for value in values)
    point = beside.settled(terms)
    return point if point.terms == terms else None


def _deal(search: TermSearch, fresh: Callable[[], Settlement]) -> Deal:
    table = search.table
    best = tuple(_best_for(search, place) for place in range(len(table.objectives)))
    recommended = _recommended(search)
    confirmed = TermSearch(table, fresh()).settled(recommended.terms)
    optimism = tuple(
        Statistic(measure.sign * (found.value - again.value), float(np.hypot(found.se, again.se)))
        for measure, found, again in zip(table.objectives, recommended.objectives, confirmed.objectives, strict=True)
    )
    return Deal(recommended, best, _moves(search, recommended), confirmed, optimism)


def _best_for(search: TermSearch, place: int) -> Candidate:
    """Find the terms that are best for one objective among those that everybody can sign."""
    measures = search.table.objectives[place : place + 1]

    def worth(point: Candidate) -> float:
        return float(measures[0].sign * point.objectives[place].value)

    scale = float(np.ptp([worth(point) for point in search.pool.values()])) or 1.0
    search.improve(max(search.feasible(), key=worth), lambda point: worth(point) / scale)
    return max(search.feasible(), key=worth)


def _recommended(search: TermSearch) -> Candidate:
    """Choose by the rule, and continue from the best point that was settled."""
    if not search.table.objectives:
        # Limits alone: the terms that keep the tightest of them by the widest margin.
        return max(search.feasible(), key=lambda point: _margin(search, point))
    rule = recommend_rule_of(search)
    search.improve(max(search.feasible(), key=rule), rule)
    return max(search.feasible(), key=rule)


def _margin(search: TermSearch, point: Candidate) -> float:
    pairs = zip(search.table.limits, point.limits, search.scales(), strict=True)
    return min(-limit.excess(value.value) / float(scale) for limit, value, scale in pairs)


def recommend_rule_of(search: TermSearch) -> Callable[[Candidate], float]:
    """Return the objective that the recommended terms maximise.

    Notes
    -----
    `equal_sacrifice`: every party keeps the same share of what lies between its worst and its best on the frontier, as far as
    that is possible: the least of these shares is largest (Kalai, E. and Smorodinsky, M. 1975, Other solutions to Nash's
    bargaining problem, Econometrica 43, 513-518, with the worst on the frontier as the point of departure). `nash`: the product of
    the gains over what each has without a deal (Nash, J. F. 1950, The bargaining problem, Econometrica 18, 155-162). `total`:
    the sum, for parties who can settle among themselves by a payment at signing; with certainty equivalents this shares risk
    as Borch, K. (1962), Equilibrium in a reinsurance market, Econometrica 30, 424-444, has it.
    """
    table = search.table
    on_it = np.array([worth_of(point, table.objectives) for point in frontier(search.feasible(), table.objectives)])
    worst, best = on_it.min(axis=0), on_it.max(axis=0)
    room = np.where(best > worst, best - worst, 1.0)
    signs = [measure.sign for measure in table.objectives]
    without = np.array([sign * (value or 0.0) for sign, value in zip(signs, table.without, strict=True)])

    def equal_sacrifice(point: Candidate) -> float:
        return float(((worth_of(point, table.objectives) - worst) / room).min())

    def nash(point: Candidate) -> float:
        gains = np.maximum(worth_of(point, table.objectives) - without, 0.0) / np.maximum(best - without, 1e-12)
        return float(np.prod(gains))

    def total(point: Candidate) -> float:
        return float((worth_of(point, table.objectives) - worst).sum() / room.max())

    return {"equal_sacrifice": equal_sacrifice, "nash": nash, "total": total}[table.rule]


def _moves(search: TermSearch, recommended: Candidate) -> tuple[FrontierMove, ...]:
    """Compute along the frontier each party's gain or loss, replication by replication."""
    measures = search.table.objectives
    on_it = frontier(search.feasible(), measures)
    here = search.settle(search.named(recommended.terms))
    moves = []
    for place in _spread(on_it, measures):
        there = search.settle(search.named(on_it[place].terms))
        gains = [_better(measure, measure.difference(here[measure.party], there[measure.party])) for measure in measures]
        moves.append(FrontierMove(on_it[place], tuple(gains)))
    return tuple(moves)


def _better(measure: Measure, change: Statistic) -> Statistic:
    """Turn a change so that better is positive."""
    ends = change.interval_95
    interval = None if ends is None else (min(measure.sign * end for end in ends), max(measure.sign * end for end in ends))
    return replace(change, value=measure.sign * change.value, interval_95=interval)


def _spread(on_it: Sequence[Candidate], objectives: Sequence[Measure]) -> list[int]:
    """Return places on the frontier that lie evenly along it: the search leaves many points close to the recommended one."""
    if not on_it:
        return []
    worth = np.array([worth_of(point, objectives) for point in on_it])
    steps = np.abs(np.diff(worth, axis=0)) / np.maximum(np.ptp(worth, axis=0), 1e-300)
    along = np.concatenate([[0.0], np.cumsum(steps.sum(axis=1))])
    wanted = np.linspace(0, along[-1], SHOWN_ON_FRONTIER)
    return sorted({int(np.abs(along - one).argmin()) for one in wanted})


def terms_of(result: SizingResult, point: Candidate) -> Mapping[str, float]:
    """Return the terms of a point by their paths."""
    return dict(zip(result.table.free, point.terms, strict=True))


def shares_kept(result: SizingResult, point: Candidate) -> Sequence[float]:
    """Return, by objective, the position of a point between its worst and its best on the frontier, as a share."""
    on_it = np.array([worth_of(other, result.table.objectives) for other in result.frontier])
    worst, best = on_it.min(axis=0), on_it.max(axis=0)
    here = np.array(worth_of(point, result.table.objectives))
    return [float(share) for share in np.where(best > worst, (here - worst) / np.where(best > worst, best - worst, 1.0), 1.0)]
