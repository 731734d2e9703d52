"""Choose the readings of a score that are fitted: that at entry, a second one soon after it, and that at the date."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simengine.arrays import Flags, Floats
from simengine.cohort.moves import DAYS_PER_MONTH
from simengine.errors import Finding, one_of
from simengine.spells.choices import ScoreChoices
from simengine.spells.score_records import ScoreReadings


@dataclass(frozen=True, eq=False)
class ScorePairs:
    """What was read of each person on one scale, shape (person,) all; NaN where nothing was."""

    entry: Floats
    second: Floats
    """Another reading of the level at entry; NaN where none was asked for."""
    at_date: Floats
    is_lost: Flags
    """Whether somebody with a reading at entry was due at the date, was observed until then, and has none."""
    is_due: Flags
    """Whether somebody with a reading at entry was due at the date and was observed until then, or has a reading of it."""
    n_unused: int
    """Readings of these people that are none of the three."""

    @property
    def has_both(self) -> Flags:
        """Whether somebody was read at entry and at the date."""
        return np.isfinite(self.entry) & np.isfinite(self.at_date)


def month_with_most(scores: ScoreReadings, scale: int, asked: ScoreChoices) -> int | None:
    """Return the whole month after entry in which most people have a reading; none where nobody has."""
    month = np.round(scores.month[(scores.scale == scale) & (scores.month > max(asked.entry_within_months, 0.5))]).astype(np.int64)
    return int(np.bincount(month).argmax()) if len(month) else None


def choose_pairs(scores: ScoreReadings, scale: int, asked: ScoreChoices, at_month: int) -> ScorePairs:
    """Choose the readings of every person of the groups that are asked for.

    At entry it is the first one within so many months of it; a second one follows within so many days; at the date it is the nearest of
    the others, the earlier of two as near.
    """
    within = np.isin(
        scores.group, [scores.groups.index(one) for one in asked.groups] if asked.groups else range(len(scores.groups))
    )
    at = np.flatnonzero((scores.scale == scale) & within[scores.person])
    person, month = scores.person[at], scores.month[at]
    n = scores.n_people
    is_early = np.abs(month) <= asked.entry_within_months
    entry = _first_of(person, is_early, n)
    begun = np.append(month, np.nan)[entry]
    second = np.full(n, -1)
    if asked.second_within_days is not None:
        since = month - begun[person]
        second = _first_of(person, (since > 0) & (since <= asked.second_within_days / DAYS_PER_MONTH + 1e-9), n)
    place = np.arange(len(at))
    is_free = (place != entry[person]) & (place != second[person]) & (month > asked.entry_within_months)
    gap = np.where(is_free & (np.abs(month - at_month) <= asked.within_months), np.abs(month - at_month), np.inf)
    nearest = np.lexsort((month, gap, person))
    late = np.full(n, -1)
    owners, first = np.unique(person[nearest], return_index=True)
    chosen = nearest[first]
    late[owners] = np.where(np.isfinite(gap[chosen]), chosen, -1)
    read = [np.append(scores.score[at], np.nan)[which] for which in (entry, second, late)]
    has_entry, has_late = entry >= 0, late >= 0
    is_lost = has_entry & ~has_late & (scores.observed_months >= at_month + asked.within_months)
    n_used = sum(int((which >= 0).sum()) for which in (entry, second, late))
    return ScorePairs(read[0], read[1], read[2], is_lost, is_lost | (has_entry & has_late), len(at) - n_used)


def _first_of(person: np.ndarray, is_wanted: Flags, n_people: int) -> np.ndarray:
    """Return by person the place of the first row that is wanted; -1 where none is. Rows stand by month."""
    found = np.full(n_people, -1)
    places = np.flatnonzero(is_wanted)[::-1]
    found[person[places]] = places
    return found


def problems_of_scores(scores: ScoreReadings, asked: dict[str, ScoreChoices]) -> list[Finding]:
    """Look at the scales and groups that are named."""
    found: list[Finding] = []
    for name, one in asked.items():
        if name not in scores.scales:
            found.append((f"scores.{name}", "must be a score of the file", f"`{name}`", one_of(scores.scales)))
        found += [
            (f"scores.{name}.groups", "must be groups of the file", f"`{group}`", one_of(scores.groups))
            for group in one.groups
            if group not in scores.groups
        ]
    return found
