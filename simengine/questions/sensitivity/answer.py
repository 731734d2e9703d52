"""Sensitivity of each party's money to the assumptions: a tornado, and global indices.

The tornado puts one assumption at its 5 % and then at its 95 % quantile, in every replication of an ensemble; all else keeps its
distribution and its draws, and numbers that are correlated with it follow it, as if its value were observed. The indices are of the
mean money at a point of all assumptions, over a panel of people that all points share: see `indices`. Dependent numbers, by
correlation or as counted shares of one total, are moved as one group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simengine.config import Study
from simengine.dependence import clusters_of, matrix_of
from simengine.late import special
from simengine.pipeline import DrawOverrides, Evidence, simulate
from simengine.questions.sensitivity.indices import Indices, SobolIndex, global_indices, refuse_sizes
from simengine.records import Floats, Integers
from simengine.replications.answer import Answer
from simengine.replications.ensemble import Ensemble, measured_with, with_used_designs_alone
from simengine.replications.money import AmountAsked, amount_asked, parties_with, settled_money
from simengine.replications.points import Assumptions, assumptions_of, groups_of
from simengine.risk import statistics
from simengine.risk.amounts import Columns
from simengine.risk.statistics import Statistic
from simengine.sections import MEASURED_AGAIN, lies_in
from simengine.streams import uniforms

ENDS = (0.05, 0.95)


@dataclass(frozen=True)
class Swing:
    """Effect of one assumption by itself."""

    low: float
    """Its value at the 5 % quantile of its distribution."""
    high: float
    """Its value at the 95 % quantile."""
    at_low: Statistic
    """Mean money with the assumption at `low`."""
    at_high: Statistic
    """Mean money with the assumption at `high`."""
    swing: Statistic
    """The second less the first, replication by replication."""


@dataclass(frozen=True)
class PartySensitivity:
    """Sensitivity of one party's money."""

    mean: Statistic
    """Mean of its money."""
    tornado: Mapping[str, Swing]
    """By path: the effect of one assumption by itself, the largest swing first."""
    indices: Mapping[str, SobolIndex]
    """By group: how much it matters, the largest total index first."""
    panel_share: float
    """Share of the variance between points that is due to the panel of replications."""


@dataclass(frozen=True, repr=False)
class Sensitivity(Answer):
    """Sensitivity of all parties' money."""

    measure: str
    """The amount or measure analysed."""
    n_points: int
    """Points of Sobol's plan."""
    n_trajectories: int
    """Trajectories of the screening."""
    n_panel: int
    """Replications at every point."""
    groups: Mapping[str, tuple[str, ...]]
    """By group: the paths that are moved together."""
    parties: Mapping[str, PartySensitivity]
    """By party: the sensitivity of its money."""


def sensitivity(
    study: Study,
    ensemble: Ensemble,
    n_points: int,
    n_trajectories: int,
    n_panel: int,
    measure: str = "net",
    parties: Sequence[str] = (),
) -> Sensitivity:
    """Compute how much each assumption matters to each party.

    Parameters
    ----------
    study
        The question.
    ensemble
        The replications of the tornado.
    n_points
        Of Sobol's plan, before it is multiplied by the number of groups and 2; a power of 2.
    n_trajectories
        Of the screening.
    n_panel
        Replications in the panel at each point.
    measure
        `net`, `npv`, another amount, or a measure that is a mean over replications, such as `p_loss`.
    parties
        The parties to report on; all if empty.

    Raises
    ------
    UsageError
        If a party is unknown or has no such amount, no number has a distribution, or a size is out of range.
    """
    study = with_used_designs_alone(study)
    asked = amount_asked(measure, needs_mean=True)
    chosen = parties_with(study, asked, parties)
    refuse_sizes(n_points, n_trajectories)
    assumptions = assumptions_of(study, ensemble, n_panel)
    groups = groups_of(study, assumptions.paths)
    swings = _tornado(assumptions, ensemble, asked)

    def evaluate_at(uniform: Floats) -> dict[str, Floats]:
        tiny = 2.0**-53
        money = assumptions.money(special.ndtri(np.clip(uniform, tiny, 1 - tiny)), asked.measures)
        return {party: asked.values(money, party) for party in chosen}

    indices = global_indices(groups, assumptions.paths, evaluate_at, n_points, n_trajectories, ensemble.seed)
    return Sensitivity(
        n_replications=ensemble.n_replications,
        seed=ensemble.seed,
        measure=asked.text,
        n_points=n_points,
        n_trajectories=n_trajectories,
        n_panel=n_panel,
        groups=groups,
        parties={party: _of_party(assumptions, [asked.values(one, party) for one in swings], indices[party]) for party in chosen},
    )


def scores_given(scores: Floats, paths: tuple[str, ...], study: Study, path: str, score: float) -> Floats:
    """Return independent scores under which one number stands at a score, and those correlated with it follow.

    Parameters
    ----------
    scores
        Shape (n, n_assumptions): independent scores, before correlations join them.
    path, score
        The number, and its correlated score.

    Notes
    -----
    With z = L w the joint scores, z + R_i (score - z_i), R_i the column of correlations with number i, has the distribution of z
    given that z_i is there; w is then solved for. Exact, as the scores are jointly normal.
    """
    moved, place = scores.copy(), paths.index(path)
    cluster = next((one for one in clusters_of(study.correlations) if path in one), None)
    if cluster is None:
        moved[:, place] = score
        return moved
    columns = [paths.index(one) for one in cluster]
    matrix = matrix_of(cluster, study.correlations)
    factor = np.linalg.cholesky(matrix)
    joint = scores[:, columns] @ factor.T
    at = cluster.index(path)
    joint = joint + np.outer(score - joint[:, at], matrix[at])
    moved[:, columns] = np.linalg.solve(factor, joint.T).T
    return moved


def _tornado(assumptions: Assumptions, ensemble: Ensemble, asked: AmountAsked) -> list[Columns]:
    """Settle the replications as they are, then with every assumption at its low and its high end."""
    paths, study = assumptions.paths, assumptions.study

    def questions(replications: Integers) -> list[Columns]:
        drawn = [special.ndtri(uniforms(ensemble.seed, f"parameter/{path}", replications)) for path in paths]
        scores = np.stack(drawn, axis=1)
        lived = simulate(study, ensemble.seed, replications)
        answers: list[Columns] = [settled_money(study, lived, asked.measures)]
        for path in paths:
            for end in ENDS:
                given = special.ndtr(scores_given(scores, paths, study, path, float(special.ndtri(end))))
                given = np.clip(given, 2.0**-53, 1 - 2.0**-53)
                changed = np.flatnonzero((given != special.ndtr(scores)).any(axis=0))
                uniform = {paths[i]: np.ascontiguousarray(given[:, i]) for i in changed}
                answers.append(settled_money(study, _seen_with(study, lived, uniform), asked.measures))
        return answers

    return ensemble.ask(questions)


def _seen_with(study: Study, lived: Evidence, uniform: Mapping[str, Floats]) -> Evidence:
    """Simulate replications with some numbers elsewhere; where none of them touches a person, the same people are measured again."""
    overrides = DrawOverrides(uniform=uniform)
    if all(lies_in(path, MEASURED_AGAIN) for path in uniform):
        return measured_with(study, lived, overrides)
    return simulate(study, lived.draws.seed, lived.draws.replications, overrides=overrides)


def _of_party(assumptions: Assumptions, swings: Sequence[Floats], indices: Indices) -> PartySensitivity:
    numbers = assumptions.study.numbers
    tornado = {}
    for i, path in enumerate(assumptions.paths):
        low, high = swings[1 + 2 * i], swings[2 + 2 * i]
        ends = numbers[path].inverse(np.array(ENDS))
        tornado[path] = Swing(
            float(ends[0]), float(ends[1]), statistics.mean(low), statistics.mean(high), statistics.mean(high - low)
        )
    return PartySensitivity(
        mean=statistics.mean(swings[0]),
        tornado=dict(sorted(tornado.items(), key=lambda item: -abs(item[1].swing.value))),
        indices=dict(sorted(indices.of.items(), key=lambda item: -item[1].st.value)),
        panel_share=indices.panel_share,
    )
