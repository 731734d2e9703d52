"""Read people at dates: yes or no, a score, a state reached. Stays come in the order of each life."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simengine.accelerate import kernel
from simengine.arrays import Floats, Integers
from simengine.cohort.kernels.arrays import DIFFERENCE, Answers, Effects, People, ScoreArrays, Stays, WindowArrays
from simengine.cohort.kernels.between import normal_draw
from simengine.cohort.kernels.draws import fill_uniforms
from simengine.cohort.kernels.effects import LARGEST_LOGARITHM, change_at, changed_probability, row_for, with_odds
from simengine.streams import philox

Purposes = NDArray[np.uint64]


@kernel
def read_answers(
    seed: np.uint64,
    replications: Integers,  # (b,)
    purposes: Purposes,  # (o,)
    history: int,
    people: People,
    stays: Stays,
    n_stays: int,
    windows: WindowArrays,
    answers: Answers,
    effects: Effects,
    total: Floats,  # (p, o, w) filled
    clipped: Integers,  # (b,) added to
) -> None:
    """Answer the yes-or-no outcomes from the way to the date of reading: one draw per person and outcome."""
    # Names for the arrays of the loop: a bundle that is handed on whole costs more than what is done with it.
    odds_per_month, acts, by_calendar = answers.odds_per_month, answers.acts, answers.by_calendar
    person, state, first_of, stop_of, _ = stays
    log_odds, uniform = np.empty(len(people.row)), np.empty(len(people.row))
    for o in range(len(answers.month)):
        month = answers.month[o]
        if month < 0:
            continue
        log_odds[:] = 0.0
        has_way = False
        for b in range(len(odds_per_month)):
            for s in range(odds_per_month.shape[2]):
                has_way |= odds_per_month[b, o, s] != 0.0
        fill_uniforms(seed, replications, purposes[o], people, uniform)
        for x in range(n_stays):
            p, s, first, stop = person[x], state[x], first_of[x], stop_of[x]
            if month < first or stop <= history or (stop <= month and not has_way) or month > people.end[p]:
                continue
            b = people.row[p]
            if has_way:
                log_odds[p] += odds_per_month[b, o, s] * (min(stop, month) - max(first, history))
                if month >= stop:
                    continue
            for f in range(len(acts)):
                if acts[f, o]:
                    log_odds[p] += np.log(max(people.factor[f, p], 1e-300))
            on_date = by_calendar[row_for(by_calendar, b), o, people.calendar[p] + month]
            if on_date != 1.0:
                log_odds[p] += np.log(max(on_date, 1e-300))
            probability = answers.probability[b, o, s]
            if log_odds[p] != 0.0:
                probability = with_odds(probability, np.exp(min(max(log_odds[p], -LARGEST_LOGARITHM), LARGEST_LOGARITHM)))
            c = people.course[0, p] if month < people.switch[p] else people.course[1, p]
            for j in range(effects.of[o], effects.of[o + 1]):
                if effects.acts[j, people.stratum[p]]:
                    change = change_at(effects, b, c, j, month - history)
                    probability, is_clipped = changed_probability(probability, effects.form[j], change)
                    clipped[b] += is_clipped
            if uniform[p] < probability:
                for w in range(len(windows.stop)):
                    if windows.begin[w] == history and month <= windows.stop[w] <= people.end[p]:
                        total[p, o, w] = 1.0


@kernel
def read_scores(
    seed: np.uint64,
    replications: Integers,  # (b,)
    purposes: Purposes,  # (o,)
    history: int,
    people: People,
    stays: Stays,
    n_stays: int,
    windows: WindowArrays,
    scores: ScoreArrays,
    effects: Effects,
    total: Floats,  # (p, o, w) filled
) -> None:
    """Measure the scores: at entry for the months before it, at their date for the windows after it."""
    for x in range(n_stays):
        p, s, first, stop = stays.person[x], stays.state[x], stays.first[x], stays.stop[x]
        b = people.row[p]
        for o in range(len(scores.month)):
            month = scores.month[o]
            if month < 0:
                continue
            is_entry, is_date = first <= history < stop, first <= month < stop and month <= people.end[p]
            if not (is_entry or is_date):
                continue
            z_entry, own = normal_draw(
                philox(seed, np.uint64(people.attempt[p]), np.uint64(people.number[p]), np.uint64(replications[b]), purposes[o])
            )
            at_entry = scores.mean[b, o, 0] + scores.sd[b, o, 0] * z_entry
            if is_entry:
                for w in range(len(windows.stop)):
                    if windows.begin[w] < history and windows.stop[w] <= people.end[p]:
                        total[p, o, w] = at_entry
            if is_date:
                z_own, _ = normal_draw(own)
                rho = scores.correlation[b, o]
                level = scores.mean[b, o, 1] + scores.sd[b, o, 1] * (rho * z_entry + np.sqrt(1.0 - rho * rho) * z_own)
                level += scores.by_state[b, o, s]
                c = people.course[0, p] if month < people.switch[p] else people.course[1, p]
                for j in range(effects.of[o], effects.of[o + 1]):
                    if effects.acts[j, people.stratum[p]] and effects.form[j] == DIFFERENCE:
                        level += change_at(effects, b, c, j, month - history)
                if scores.is_gain[o]:
                    level -= at_entry
                for w in range(len(windows.stop)):
                    if windows.begin[w] == history and month <= windows.stop[w] <= people.end[p]:
                        total[p, o, w] = level
