"""List which outcomes each service user reached, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from simengine.arrays import Int16s, Int32s
from simengine.cohort.counting import count_outcomes, empty_counts
from simengine.cohort.kernels.arrays import People, Stays
from simengine.cohort.kernels.reached import first_in_window, list_rows, place_by_month
from simengine.cohort.outcomes import OutcomeKind, closed_over
from simengine.cohort.people import Group
from simengine.cohort.spec import Effect
from simengine.cohort.tables import ArmTables, Cohort, Comparisons
from simengine.records import Floats, Integers, Reached, bounds_of

_MOST_CELLS = 4_000_000
"""Numbers by person, outcome and month that are held at a time."""


def by_month(cohort: Cohort) -> Cohort | None:
    """Return a cohort that counts by the end of each month what no quicker way finds; None where nothing asks for it.

    Its people are the same: they draw at the same addresses.
    """
    asked = [one.outcome for one in cohort.counted.values() if not cohort.outcomes[one.outcome].has_quick_moment]
    if not asked:
        return None
    outcomes = closed_over(cohort.outcomes, asked)
    windows = tuple(range(1, cohort.clock.horizon + 1))
    effects = {name: effect for name, one in cohort.effect.items() if (effect := _on(one, outcomes)) is not None}
    return replace(
        cohort, outcomes=outcomes, effect=effects, windows=windows, comparisons=Comparisons(), pairs=(), changes=(), counted={}
    )


def _on(effect: Effect, outcomes: Mapping[str, OutcomeKind]) -> Effect | None:
    """Return an effect on what is left of its targets; None where nothing is."""
    if effect.target != "outcome":
        return effect
    left = tuple(name for name in effect.targets if name in outcomes)
    return effect.model_copy(update={"outcome": left}) if left else None


class ReachedRows:
    """Rows of what service users reached, gathered batch by batch."""

    def __init__(self, cohort: Cohort, monthly: ArmTables | None, n_replications: int) -> None:
        """Begin with nobody; `monthly` counts by month, for outcomes that have no quicker way."""
        self.cohort, self.monthly = cohort, monthly
        self.names = list(cohort.counted)
        self.wave = 0
        self.offset, self.n_people = (np.zeros(n_replications, dtype=np.int64) for _ in range(2))
        self.rows: list[tuple[Int32s, Int32s, Int16s, Int16s, Floats]] = []
        self.people: list[tuple[Int32s, Int32s, Int16s, Int16s, Int16s]] = []

    def begin_wave(self, wave: int, size: Integers) -> None:
        """Begin a wave, whose people are numbered after those of the waves before; size: shape (n_replications,)."""
        self.wave, self.offset, self.n_people = wave, self.n_people, self.n_people + size

    def add(self, group: Group, people: People, stays: Stays, n_stays: int) -> None:
        """List what a batch reached: people who lived through some stays."""
        number = (self.offset[people.row] + people.number).astype(np.int32)
        entry = (people.calendar // self.cohort.clock.steps).astype(np.int16)
        wave = np.full(len(number), self.wave, dtype=np.int16)
        self.people.append((people.row.astype(np.int32), number, wave, people.stratum.astype(np.int16), entry))
        for part, its, n in self._parts(people, stays, n_stays):
            self._list(group, part, its, n)

    def _parts(self, people: People, stays: Stays, n_stays: int) -> Iterator[tuple[People, Stays, int]]:
        """Cut a batch between replications where its counts by month would be too many."""
        monthly, clock = self.monthly, self.cohort.clock
        most = len(people.row) if monthly is None else max(_MOST_CELLS // (clock.horizon * len(monthly.cohort.outcomes)), 1)
        if len(people.row) <= most:
            yield people, stays, n_stays
            return
        first = 0
        while first < len(people.begin) - 1:
            last = max(int(np.searchsorted(people.begin, people.begin[first] + most, side="right")) - 1, first + 1)
            yield _between(people, stays, n_stays, first, last)
            first = last

    def _list(self, group: Group, people: People, stays: Stays, n_stays: int) -> None:
        clock, outcomes, counted = self.cohort.clock, self.cohort.outcomes, self.cohort.counted
        n = len(people.row)
        total, stop, names = np.zeros((n, 0, 0)), np.zeros(0, dtype=np.int64), list[str]()
        if self.monthly is not None:
            counts = empty_counts(self.monthly)
            total = count_outcomes(self.monthly, group, people, stays, n_stays, clock.length, counts)
            stop, names = self.monthly.windows.stop[: clock.horizon], list(self.monthly.cohort.outcomes)
        moments, of_moment, until = [], [], []
        of_total, of_units, until_units = [], [], []
        for number, one in enumerate(counted.values()):
            kind = outcomes[one.outcome]
            last = clock.length if one.within_months is None else clock.entry + one.within_months * clock.steps
            if kind.counted_as == "units":
                of_total.append(names.index(one.outcome))
                of_units.append(number)
                until_units.append(last)
                continue
            moment = np.full(n, -1, dtype=np.int64)
            if kind.has_quick_moment:
                kind.find_moment(self.cohort.pathway.states, clock, people, stays, n_stays, moment)
            elif kind.is_told_at_end:
                assert one.within_months is not None, "a study is refused that does not say it"
                is_reached = total[:, names.index(one.outcome), one.within_months - 1] > 0.5
                moment[is_reached & (last <= people.end)] = last
            else:
                first_in_window(names.index(one.outcome), stop, people, total, moment)
            moments.append(moment)
            of_moment.append(number)
            until.append(last)
        list_them = partial(
            list_rows,
            clock.entry,
            clock.steps,
            people,
            self.offset,
            np.array(moments, dtype=np.int64).reshape(len(moments), n),
            _numbers(of_moment),
            _numbers(until),
            total,
            stop,
            _numbers(of_total),
            _numbers(of_units),
            _numbers(until_units),
        )
        rows = _rows(list_them(True, *_rows(0)))
        list_them(False, *rows)
        self.rows.append(rows)

    def finish(self) -> Reached:
        """Put everything in order."""
        n, rows = len(self.offset), [np.concatenate(arrays) for arrays in zip(_rows(0), *self.rows, strict=True)]
        row, person, outcome, month, units = rows
        first, place = np.zeros(n + 1, dtype=np.int64), np.zeros(len(row), dtype=np.int64)
        place_by_month(row, month, n, first, place)
        ordered = [np.empty_like(array) for array in (person, outcome, month, units)]
        for to, array in zip(ordered, (person, outcome, month, units), strict=True):
            to[place] = array
        nobody = (np.zeros(0, np.int32), np.zeros(0, np.int32), *(np.zeros(0, np.int16) for _ in range(3)))
        of, number, wave, group, entry = (np.concatenate(arrays) for arrays in zip(nobody, *self.people, strict=True))
        first_person = bounds_of(np.bincount(of, minlength=n))
        at = first_person[of] + number
        somebody = [np.empty_like(array) for array in (wave, group, entry)]
        for to, array in zip(somebody, (wave, group, entry), strict=True):
            to[at] = array
        kinds = [self.cohort.outcomes[one.outcome].counted_as for one in self.cohort.counted.values()]
        return Reached(
            outcomes=tuple(self.names),
            waves=tuple(self.cohort.population.waves),
            groups=tuple(self.cohort.population.strata),
            horizon=self.cohort.clock.horizon,
            first_row=first,
            first_person=first_person,
            wave=somebody[0],
            group=somebody[1],
            entry=somebody[2],
            person=ordered[0],
            outcome=ordered[1],
            month=ordered[2],
            units=ordered[3] if "units" in kinds else None,
        )


def _rows(n: int) -> tuple[Int32s, Int32s, Int16s, Int16s, Floats]:
    """Allocate rows: row of the block, person, outcome, month, units."""
    return (
        *(np.empty(n, dtype=np.int32) for _ in range(2)),
        *(np.empty(n, dtype=np.int16) for _ in range(2)),
        np.empty(n),
    )  # type: ignore[return-value]


def _numbers(values: Sequence[int]) -> Integers:
    return np.array(values, dtype=np.int64)


def _between(people: People, stays: Stays, n_stays: int, first: int, last: int) -> tuple[People, Stays, int]:
    """Return some of the replications of a batch, and the stays of their people."""
    here = slice(int(people.begin[first]), int(people.begin[last]))
    arrays = {name: np.ascontiguousarray(getattr(people, name)[..., here]) for name in People._fields if name != "begin"}
    is_here = (stays.person[:n_stays] >= here.start) & (stays.person[:n_stays] < here.stop)
    its = Stays(*(np.ascontiguousarray(array[:n_stays][is_here]) for array in stays))
    its = its._replace(person=its.person - np.int32(here.start))
    return People(begin=people.begin[first : last + 1] - here.start, **arrays), its, int(is_here.sum())
