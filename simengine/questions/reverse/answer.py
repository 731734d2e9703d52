"""Reverse stress: the nearest combination of assumptions that breaks a deal, and how far away it is.

Every assumption is given as a standard normal score; the study's correlations join them, so that the distance of a point from the
centre, where every number is at its median, is Mahalanobis' distance in the space of the correlated scores. At a point sampling
variation, shocks and errors remain: a deal *breaks there* if it breaks in at least half of the panel of replications that all
points share. (Not on average: if a guarantee limits the loss, a mean may never reach a threshold that most replications exceed.)
The nearest such point lies on the ray along the gradient of the share that breaks; each step finds the ray's radius by narrowing
grids.

References
----------
Hasofer and Lind 1974, "Exact and invariant second-moment code format": the distance. Rackwitz and Fiessler 1978, "Structural
reliability under combined random load sequences", doi:10.1016/0045-7949(78)90046-9: the search along gradients.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from simengine.config import Study
from simengine.dependence import correlate
from simengine.errors import UsageError
from simengine.late import special
from simengine.pipeline import simulate
from simengine.questions.reverse.boxes import Box, find_boxes
from simengine.records import Floats
from simengine.replications.answer import Answer
from simengine.replications.ensemble import Ensemble, with_used_designs_alone
from simengine.replications.money import asked_measures, settled_money
from simengine.replications.points import Assumptions, assumptions_of
from simengine.risk import statistics
from simengine.risk.amounts import AMOUNTS, Columns
from simengine.risk.jackknife import with_error
from simengine.risk.measures import Measure, measures_on
from simengine.risk.statistics import Statistic
from simengine.streams import uniforms

FARTHEST = 6.0
"""Standard deviations beyond which the search stops: one draw in a billion is further away along any one direction."""
_STEP, _MOST_STEPS, _PROGRESS = 0.4, 8, 0.01

Margins = Callable[[Floats], Floats]
"""From scores of shape (n_points, n_assumptions) to margins of shape (n_points, n_panel): above 0 where the deal breaks."""


@dataclass(frozen=True)
class Criterion:
    """The rule by which a deal counts as broken: `<party>.<amount> <more or less than> <threshold>`."""

    text: str
    party: str
    amount: str
    is_above: bool
    threshold: float
    of_drawn: bool
    """Whether the threshold is a share of the money drawn, of that from a lender where the party is one, instead of an amount."""

    @property
    def measure(self) -> Measure:
        """A measure of the same amount, which makes settlement provide the columns for the margin."""
        return Measure(self.party, next(iter(measures_on(self.amount))), 0.0)

    def margin(self, columns: Columns) -> Floats:
        """Return by how much the deal breaks, in the unit of the amount: above 0 if it does.

        A time that never comes (a loan never repaid) counts as twice the longest observed; if there is nothing to break (nothing was
        lent), the deal does not break.
        """
        value = AMOUNTS[self.amount].of(columns, self.party)
        # This means a lender's own money, not that of all lenders.
        drawn = columns.get(f"{self.party}.money_in", columns["drawn"])
        edge = self.threshold * drawn if self.of_drawn else self.threshold
        margin = np.asarray(value - edge if self.is_above else edge - value)
        far = 2 * float(np.max(np.abs(margin[np.isfinite(margin)]), initial=abs(self.threshold))) or 1.0
        return np.nan_to_num(margin, nan=-far, posinf=far, neginf=-far)


@dataclass(frozen=True)
class BreakStep:
    """One assumption at the breaking point."""

    path: str
    """Path of the assumption."""
    median: float
    """Its value at the centre."""
    value: float
    """Its value at the breaking point."""
    score: float
    """The same in standard deviations of its normal score."""
    share: float
    """Its share of the squared distance, before correlations."""


@dataclass(frozen=True)
class Nearest:
    """The nearest point at which the deal breaks."""

    distance: Statistic
    """Standard deviations from the medians."""
    p_break: Statistic
    """Share of the panel that breaks there: about one half, or more if the result is discontinuous."""
    plausibility: float
    """P(chi-square > distance²), with as many degrees of freedom as assumptions: how often they are as far from their centre as
    this."""
    p_beyond: float
    """P(normal > distance): how often they are as far in this direction."""
    steps: tuple[BreakStep, ...]
    """The assumptions that move, the largest share first."""


@dataclass(frozen=True, repr=False)
class ReverseStress(Answer):
    """Result of a reverse stress test."""

    criterion: str
    """The rule."""
    n_panel: int
    """Replications at every point."""
    n_assumptions: int
    """Numbers that have a distribution."""
    p_break: Statistic
    """Share of all replications that break."""
    nearest: Nearest | None
    """The nearest break; null if there is none within six standard deviations."""
    boxes: tuple[Box, ...] | None
    """Boxes of assumptions in which it breaks; null if not requested, empty if none was found."""


def read_criterion(text: str) -> Criterion:
    """Parse the rule by which a deal counts as broken.

    Examples
    --------
    >>> read_criterion("investor.loss > 50%").threshold, read_criterion("investor.irr < 3%").of_drawn
    (0.5, False)
    """
    number = r"([-+]?\d[\d_]*(?:\.\d*)?(?:[eE][-+]?\d+)?)"
    found = re.fullmatch(rf"\s*(\w+)\.({'|'.join(AMOUNTS)})\s*([<>])\s*{number}\s*(%?)\s*", text, re.ASCII)
    if found is None:
        rule = f"--reverse: must be `<party>.<{', '.join(AMOUNTS)}> < or > <number>`, money also in per cent of what was drawn"
        raise UsageError(f'{rule}; found {text!r}. For instance "investor.loss > 50%" or "investor.irr < 3%"')
    party, amount, sign, threshold, percent = found.groups()
    value, unit = float(threshold.replace("_", "")), AMOUNTS[amount].unit
    if percent and unit == "months":
        raise UsageError(f"--reverse: {amount} must be a number of months; found {text!r}")
    return Criterion(text.strip(), party, amount, sign == ">", value / 100 if percent else value, bool(percent) and unit == "money")


def reverse_stress(
    study: Study, criterion: Criterion, ensemble: Ensemble, n_panel: int, *, with_boxes: bool = False
) -> ReverseStress:
    """Find the nearest combination of assumptions that breaks a deal.

    Parameters
    ----------
    study
        The question.
    criterion
        When the deal counts as broken.
    ensemble
        Replications drawn as in any run: for the share that breaks, the starting directions, and the boxes.
    n_panel
        Replications of the panel at each point.
    with_boxes
        Whether to look for boxes of assumptions in which the deal breaks, too.

    Raises
    ------
    UsageError
        If the party is unknown, or lends nothing where the amount is about a loan, or no number has a distribution.
    """
    study = with_used_designs_alone(study)
    asked_measures(study, [str(criterion.measure)], "--reverse")
    assumptions = assumptions_of(study, ensemble, n_panel)
    (columns,) = ensemble.ask(lambda rows: [settled_money(study, simulate(study, ensemble.seed, rows), [criterion.measure])])
    margin = criterion.margin(columns)
    drawn = np.arange(ensemble.n_replications)
    scores = np.stack([special.ndtri(uniforms(ensemble.seed, f"parameter/{path}", drawn)) for path in assumptions.paths], axis=1)
    found = nearest_break(lambda points: _margins(assumptions, criterion, points), scores, margin)
    return ReverseStress(
        n_replications=ensemble.n_replications,
        seed=ensemble.seed,
        criterion=criterion.text,
        n_panel=n_panel,
        n_assumptions=len(assumptions.paths),
        p_break=statistics.probability(margin > 0),
        nearest=None if found is None else _described(assumptions, *found),
        boxes=find_boxes(assumptions.values(scores), margin > 0) if with_boxes else None,
    )


def nearest_break(margins: Margins, scores: Floats, drawn: Floats) -> tuple[Floats, Statistic, Statistic] | None:
    """Search for the point nearest to the centre at which at least half of the panel breaks.

    Parameters
    ----------
    margins
        Asked at points.
    scores
        Shape (n_replications, n_assumptions): points of replications drawn at random, to choose the starting directions.
    drawn
        Shape (n_replications,): their margins.

    Returns
    -------
    The point, its distance, and the share of the panel that breaks there; None if there is none within six standard deviations.
    """
    centre = np.zeros(scores.shape[1])
    if _breaks(margins(centre[None]))[0]:
        return centre, Statistic(0.0, 0.0), statistics.probability(margins(centre[None])[0] > 0)
    width = float(np.std(drawn)) / 4 or 1.0
    starts = [_gradient(margins, centre, width), _slope(scores, drawn)]
    if (drawn > 0).any():
        starts.append(scores[drawn > 0].mean(axis=0) - scores.mean(axis=0))
    rays = [(radius, _unit(start)) for start in starts if (radius := _radius(margins, _unit(start))) is not None]
    if not rays:
        return None
    radius, direction = _descend(margins, *min(rays, key=lambda ray: ray[0]), width)
    point = radius * direction
    return point, _distance(margins, radius, direction), statistics.probability(margins(point[None])[0] > 0)


def most_points(n_assumptions: int) -> int:
    """Return the most points of which the search for the nearest break asks the panel."""
    a_gradient, a_ray = 2 * n_assumptions, 3 * 12
    return 1 + a_gradient + 3 * a_ray + _MOST_STEPS * (a_gradient + 2 * a_ray) + 61 + 1


def _descend(margins: Margins, radius: float, direction: Floats, width: float) -> tuple[float, Floats]:
    """Turn a ray towards the gradient at the place where it breaks, for as long as this comes nearer to the centre."""
    for _ in range(_MOST_STEPS):
        slope = _unit(_gradient(margins, radius * direction, width))
        nearer = [
            (reached, turned)
            for turned in (slope, _unit(slope + direction))
            if (reached := _radius(margins, turned)) is not None and reached < radius - _PROGRESS
        ]
        if not nearer:
            break
        radius, direction = min(nearer, key=lambda one: one[0])
    return radius, direction


def _radius(margins: Margins, direction: Floats) -> float | None:
    """Return the smallest radius along a ray at which it breaks, to 0.01: by a grid, and ever finer ones before its first break."""
    low, high = 0.0, FARTHEST
    for _ in range(3):
        radii = np.linspace(low, high, 13)[1:]
        breaks = np.flatnonzero(_breaks(margins(radii[:, None] * direction)))
        if not len(breaks):
            return None
        high = float(radii[breaks[0]])
        low = float(radii[breaks[0] - 1]) if breaks[0] else low
    return high


def _distance(margins: Margins, radius: float, direction: Floats) -> Statistic:
    """Return the distance with its Monte Carlo error, along the ray that was found."""
    radii = np.maximum(radius + np.linspace(-1.5, 1.5, 61), 0.0)
    panel = margins(radii[:, None] * direction).T

    def crossing(margins_along: Floats) -> Floats:
        middle = np.median(margins_along, axis=0)
        beyond = np.flatnonzero(middle > 0)
        if not len(beyond):
            return radii[-1:]
        at = max(int(beyond[0]), 1)
        rise = middle[at] - middle[at - 1]
        part = min(max(-middle[at - 1] / rise, 0.0), 1.0) if rise > 0 else 1.0
        return np.array([radii[at - 1] + part * (radii[at] - radii[at - 1])])

    found: Statistic = with_error(crossing, panel)[0]
    return found


def _breaks(margins: Floats) -> Floats:
    return np.asarray(np.mean(margins > 0, axis=1) >= 0.5)


def _gradient(margins: Margins, point: Floats, width: float) -> Floats:
    """Return the gradient of the share that breaks, each break smoothed so that a finite panel has one: central differences."""
    steps = _STEP * np.eye(len(point))
    soft = special.ndtr(margins(np.concatenate([point + steps, point - steps])) / width).mean(axis=1)
    return np.asarray(soft[: len(point)] - soft[len(point) :])


def _slope(scores: Floats, drawn: Floats) -> Floats:
    """Return the least-squares slope of the margin in the scores."""
    design = np.column_stack([np.ones(len(scores)), scores])
    return np.asarray(np.linalg.lstsq(design, drawn, rcond=None)[0][1:])


def _unit(vector: Floats) -> Floats:
    length = float(np.linalg.norm(vector))
    return vector / length if length else vector


def _margins(assumptions: Assumptions, criterion: Criterion, points: Floats) -> Floats:
    return criterion.margin(assumptions.money(points, [criterion.measure]))


def _described(assumptions: Assumptions, point: Floats, distance: Statistic, p_break: Statistic) -> Nearest:
    values = assumptions.values(np.stack([np.zeros_like(point), point]))
    independent = {path: special.ndtr(point[i : i + 1]) for i, path in enumerate(assumptions.paths)}
    joined: Mapping[str, Floats] = correlate(independent, assumptions.study.correlations)
    squared = float(point @ point)
    steps = [
        BreakStep(
            path=path,
            median=float(values[path][0]),
            value=float(values[path][1]),
            score=float(special.ndtri(joined[path][0])),
            share=float(point[i] ** 2 / squared) if squared else 0.0,
        )
        for i, path in enumerate(assumptions.paths)
    ]
    return Nearest(
        distance=distance,
        p_break=p_break,
        plausibility=float(special.chdtrc(len(point), squared)),
        p_beyond=float(special.ndtr(-np.sqrt(squared))),
        steps=tuple(sorted(steps, key=lambda step: -step.share)),
    )
