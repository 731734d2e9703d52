"""Draw people batch by batch: their traits and factors, and which candidates are selected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from simengine.arrays import Flags
from simengine.cohort.kernels.arrays import People, Shorts
from simengine.cohort.kernels.draws import fill_uniforms
from simengine.cohort.kernels.enter import engage, enter, fill_frailty
from simengine.cohort.moves import MOVES_ROUNDING, MoveClock, hazard_per_month
from simengine.cohort.sites import dealt
from simengine.cohort.spec import Engagement, Pathway, Population, Selection
from simengine.distributions import Share
from simengine.errors import Problem, StudyError
from simengine.interruption import end_if_given_up
from simengine.late import special
from simengine.records import Draws, Floats, Integers, add_in_order
from simengine.streams import purpose_number, uniforms

BATCH = 32_768
"""Persons who are held at a time: so many that threads seldom wait for each other between two kernels, few enough for memory."""
_CANDIDATES = 1 << 16
"""Candidates for one place, at most: half of an address counts them."""
_FIRST_CANDIDATES = 256
"""After so many for each place the first that is still open is searched to the end."""
BASELINE_GROUP = "of the baseline"
"""Not a name that a wave can have."""


@dataclass(frozen=True)
class Group:
    """People who enter together, and the name of their random streams."""

    name: str
    size: Integers
    """Shape (n_replications,)."""
    from_month: int
    enrolment_months: Integers
    """Shape (n_replications,)."""
    has_volume: bool = True
    """Whether its size is a referral volume."""
    place: str = ""
    """The place of its sites: groups of the same place share them."""

    def purpose(self, decision: str) -> np.uint64:
        """Return the number of the stream of one decision."""
        return np.uint64(purpose_number(purpose_of(self.name, decision)))

    def seed(self, draws: Draws) -> np.uint64:
        """Return the seed from which the people of this group are drawn."""
        return np.uint64(draws.seed_of(purpose_of(self.name, "")))


def purpose_of(group: str, decision: str) -> str:
    """Name the stream of one decision about the people of one group."""
    return f"people/{group}/{decision}"


@dataclass(frozen=True)
class Matching:
    """Matching criteria between a person of the comparison group and a service user."""

    per_person: int
    """Matches sought for each service user."""
    on: tuple[str, ...]
    """`stratum`, `state` (at the beginning of the clock)."""
    before: str | None
    """An outcome of the months before entry."""
    within: float
    """How far it may lie from the service user's."""
    candidates: int
    """Candidates for each place: without a match the place stays empty."""


@dataclass(frozen=True)
class Entrance:
    """The data needed to draw people, one row per replication."""

    population: Population
    clock: MoveClock
    draws: Draws
    strata: Floats
    """Shape (n_replications, n_strata): cumulative shares."""
    start: Floats
    """Shape (n_replications, n_strata, n_states): cumulative shares."""
    sites: dict[tuple[str, str], Floats] = field(default_factory=dict)
    """By name and place: factors that were drawn before."""

    @property
    def factors(self) -> list[tuple[str, ...]]:
        """List what each factor of a person multiplies: frailties, sites, volume."""
        population = self.population
        return [one.on for kind in (population.frailties, population.sites, population.volume) for one in kind.values()]

    def batches(self, group: Group) -> Iterator[People]:
        """Yield everybody of a group, by replication and number: the first candidate for each place."""
        # Whole replications go together; a large one is cut at the same places whatever the block.
        n_pieces = -(-group.size // BATCH)
        row = np.repeat(np.arange(len(group.size), dtype=np.int32), n_pieces)
        first = BATCH * (np.arange(len(row)) - np.repeat(np.cumsum(n_pieces) - n_pieces, n_pieces))
        size = np.minimum(group.size[row] - first, BATCH)
        before = np.concatenate([[0], np.cumsum(size)])
        at = 0
        while at < len(row):
            stop = int(np.searchsorted(before, before[at] + BATCH, side="right")) - 1
            here = slice(at, stop)
            rows, begin = np.repeat(row[here], size[here]), before[at : stop + 1] - before[at]
            numbers = np.arange(len(rows), dtype=np.uint32)
            numbers -= np.repeat((begin[:-1] - first[here]).astype(np.uint32), size[here])  # modulo 2^32, as the numbers are
            yield self.enter(group, rows, numbers, begin=begin)
            at = stop

    def enter(
        self,
        group: Group,
        rows: Shorts,
        numbers: np.ndarray,
        attempt: np.ndarray | None = None,
        begin: Integers | None = None,
        *,
        is_first_look: bool = False,
    ) -> People:
        """Draw some candidates.

        Parameters
        ----------
        group
            To whom they belong.
        rows
            Shape (n_people,): their replications' rows in the block, those of one replication side by side.
        numbers
            Shape (n_people,): their numbers in the group.
        attempt
            Shape (n_people,): the numbers of the candidates for each place; absent: all are the first.
        begin
            Shape (n_segments + 1,): where each replication begins among the rows, and where the last ends; absent: it is found.
        is_first_look
            Whether their factors are left out, which `with_factors` draws for those who are looked at again.
        """
        end_if_given_up()
        n, draws = len(rows), self.draws
        seed, replications = group.seed(draws), draws.replications
        people = People(
            begin=_begin(rows) if begin is None else begin,
            row=rows,
            number=numbers,
            attempt=np.zeros(n, dtype=np.uint32) if attempt is None else attempt.astype(np.uint32) << np.uint32(16),
            stratum=np.empty(n, dtype=np.int32),
            state=np.empty(n, dtype=np.int32),
            end=np.empty(n, dtype=np.int32),
            calendar=np.full(n, group.from_month, dtype=np.int32),
            course=np.zeros((2, n), dtype=np.int32),
            switch=np.full(n, self.clock.length + 1, dtype=np.int32),
            factor=np.empty((0 if is_first_look else len(self.factors), n)),
        )
        enter(
            seed, replications, group.purpose("entry"), self.clock.length, group.enrolment_months, self.strata, self.start, people
        )
        if self.clock.steps > 1:  # people enter with a month, however many steps it has
            people.calendar[:] *= self.clock.steps
            people.end[:] = self.clock.length - people.calendar
        if not is_first_look:
            self._fill_factors(group, people)
        return people

    def with_factors(self, group: Group, people: People) -> People:
        """Return people of a first look with the factors that they carry."""
        whole = people._replace(factor=np.empty((len(self.factors), len(people.row))))
        self._fill_factors(group, whole)
        return whole

    def _fill_factors(self, group: Group, people: People) -> None:
        draws, population = self.draws, self.population
        seed, replications, place = group.seed(draws), draws.replications, 0
        for name in population.frailties:
            variance = draws[f"population.frailties.{name}.variance"]
            fill_frailty(seed, replications, group.purpose(f"frailty/{name}"), variance, people, people.factor[place])
            place += 1
        for name, sites in population.sites.items():
            of_site = self._site_factors(name, group.place, int(sites.count.value))
            if sites.sizes is None:
                fill_uniforms(seed, replications, group.purpose(f"site/{name}"), people, people.factor[place])
                site = (people.factor[place] * of_site.shape[1]).astype(np.int64)
            else:
                site = dealt(people.number, group.size[people.row], sites.sizes)
            people.factor[place] = of_site[people.row, site]
            place += 1
        for name in population.volume:
            path = f"population.volume.{name}"
            with np.errstate(divide="ignore"):
                factor = (np.maximum(group.size, 1) / draws[f"{path}.planned"]) ** draws[f"{path}.elasticity"]
            people.factor[place] = factor[people.row] if group.has_volume else 1.0
            place += 1

    def _site_factors(self, name: str, place: str, count: int) -> Floats:
        """Return the factors of the sites of one place, drawn once: shape (n_replications, n_sites)."""
        if (name, place) not in self.sites:
            draws, stem = self.draws, f"world/sites/{name}/{place}/" if place else f"world/sites/{name}/"
            seed = draws.seed_of(stem)
            z = [special.ndtri(uniforms(seed, f"{stem}{site}", draws.replications)) for site in range(count)]
            self.sites[name, place] = np.exp(draws[f"population.sites.{name}.sd"][:, None] * np.stack(z, axis=1))
        return self.sites[name, place]

    def take_part(self, group: Group, people: People) -> People:
        """Return the same people with the courses that they take through the service."""
        engagement = self.population.engagement
        if engagement is None:
            return people
        treated = people._replace(course=people.course.copy(), switch=people.switch.copy())
        draws = self.draws
        engage(
            group.seed(draws),
            draws.replications,
            group.purpose("engagement"),
            self.clock.entry,
            draws["population.engagement.share"],
            _doses(engagement, draws),
            _dropout(engagement, draws) / self.clock.steps,
            treated,
        )
        return treated


def _doses(engagement: Engagement, draws: Draws) -> Floats:
    if engagement.doses is None:
        return np.ones((len(draws), 1))
    shares = {name: dose.share for name, dose in engagement.doses.items()}
    return cumulative(list(drawn_shares(shares, draws, "population.engagement.doses.{}.share").values()))


def _dropout(engagement: Engagement, draws: Draws) -> Floats:
    if engagement.dropout is None:
        return np.zeros(len(draws))
    form = engagement.dropout.form
    return np.ascontiguousarray(hazard_per_month(form, f"population.engagement.dropout.{form}", draws))


def entrance_of(population: Population, pathway: Pathway, clock: MoveClock, draws: Draws) -> Entrance:
    """Draw up who may enter and where they start, in every replication."""
    strata = {name: stratum.share for name, stratum in population.strata.items()}
    shares = drawn_shares(strata, draws, "population.strata.{}.share")
    nobody = np.zeros(len(draws))
    start = np.empty((len(draws), len(strata), len(pathway.states)))
    for k, stratum in enumerate(strata):
        share = drawn_shares(pathway.start[stratum], draws, f"pathway.start.{stratum}.{{}}")
        start[:, k] = cumulative([share.get(state, nobody) for state in pathway.states])
    return Entrance(population, clock, draws, cumulative(list(shares.values())), start)


def select(entrance: Entrance, group: Group, people: People, selection: Selection, before: Callable[[People], Floats]) -> People:
    """Find, for every place of a batch, the first candidate who meets the selection.

    Parameters
    ----------
    entrance
        Brings candidates in.
    group
        To whom they belong.
    people
        The first candidates.
    selection
        What is asked for.
    before
        Gives the outcome of the months before entry, shape (n_people,).

    Raises
    ------
    StudyError
        If no candidate is found among 65,536 for some place.
    """

    def fits(candidates: People, _: Integers) -> Flags:
        return taken_by(selection, before(candidates))

    chosen = _first_that_fits(entrance, group, people, fits, _FIRST_CANDIDATES)
    missing = np.flatnonzero(chosen < 0)
    # If nobody ever qualifies, one place shows it: the others need not be searched.
    if len(missing) and _first_that_fits(entrance, group, _those(people, missing[:1]), fits, _CANDIDATES)[0] >= 0:
        chosen[missing] = _first_that_fits(entrance, group, _those(people, missing), fits, _CANDIDATES)
    if (chosen < 0).any():
        # The first place of all: how many there are in a batch hangs on the blocks.
        place = int(np.argmax(chosen < 0))
        rule = f"among {_CANDIDATES:,} candidates there must be one whom the selection takes"
        found = f"none for place {people.number[place]:,} of replication {entrance.draws.replications[people.row[place]]:,}"
        raise StudyError([Problem("the run", "population.selection", rule, found, "Relax the selection, or check the rates")])
    return entrance.enter(group, people.row, people.number, chosen, people.begin)


def match(
    entrance: Entrance,
    group: Group,
    people: People,
    matching: Matching,
    had_such_a_past: Callable[[People, Integers], Flags] | None,
) -> tuple[People, Integers]:
    """Find people who are like the service users of a batch.

    Parameters
    ----------
    entrance
        Brings candidates in.
    group
        To whom the people found belong.
    people
        The service users.
    matching
        What must be alike.
    had_such_a_past
        Says of candidates, and the places of their users in the batch, whose months before entry are what is asked for; absent:
        everybody's.

    Returns
    -------
    The people found, side by side for each service user; and for each of them the place of that user in the batch.
    """
    n, k = len(people.row), matching.per_person
    users = np.repeat(np.arange(n), k)
    places = (people.number.astype(np.int64)[users] * k + np.tile(np.arange(k), n)).astype(np.uint32)
    first = entrance.enter(group, people.row[users], places, np.zeros(n * k, dtype=np.uint32), is_first_look=True)

    def fits(candidates: People, where: Integers) -> Flags:
        user = users[where]
        alike = np.ones(len(user), dtype=np.bool_)
        for trait in matching.on:
            alike &= getattr(candidates, trait) == getattr(people, trait)[user]
        if had_such_a_past is not None:
            # Simulating the months before entry takes time: it is done only for candidates who match in everything else.
            some = np.flatnonzero(alike)
            alike[some] = had_such_a_past(entrance.with_factors(group, _those(candidates, some)), user[some])
        return alike

    chosen = _first_that_fits(entrance, group, first, fits, matching.candidates, is_first_look=True)
    is_found = chosen >= 0
    return entrance.enter(group, first.row[is_found], first.number[is_found], chosen[is_found]), users[is_found]


def _those(people: People, places: Integers) -> People:
    """Return some of a batch."""
    arrays = {name: np.ascontiguousarray(getattr(people, name)[..., places]) for name in People._fields if name != "begin"}
    return People(begin=_begin(arrays["row"]), **arrays)


def _begin(rows: Shorts) -> Integers:
    """Say where each replication begins among rows, and where the last ends."""
    if not len(rows):
        return np.zeros(1, dtype=np.int64)
    return np.concatenate([[0], np.flatnonzero(np.diff(rows)) + 1, [len(rows)]]).astype(np.int64)


def _first_that_fits(
    entrance: Entrance,
    group: Group,
    people: People,
    fits: Callable[[People, Integers], Flags],
    most: int,
    *,
    is_first_look: bool = False,
) -> Integers:
    """Return the number of the first candidate for each place that fits, -1 where none of so many does."""
    chosen = np.full(len(people.row), -1, dtype=np.int64)
    waiting, tried = np.arange(len(people.row)), 0
    while len(waiting) and tried < most:
        width = int(min(max(1, BATCH // len(waiting)), most - tried, 64))
        attempt = np.tile(np.arange(tried, tried + width), len(waiting))
        where = np.repeat(waiting, width)
        candidates = entrance.enter(group, people.row[where], people.number[where], attempt, is_first_look=is_first_look)
        does = fits(candidates, where).reshape(len(waiting), width)
        found = does.any(axis=1)
        chosen[waiting[found]] = tried + does.argmax(axis=1)[found]
        waiting, tried = waiting[~found], tried + width
    return chosen


def taken_by(selection: Selection, value: Floats) -> Flags:
    """Say whom a selection takes, shape (n_people,)."""
    low = -np.inf if selection.at_least is None else selection.at_least
    high = np.inf if selection.at_most is None else selection.at_most
    return np.asarray((value >= low) & (value <= high))


def drawn_shares(shares: Mapping[str, Share], draws: Draws, path: str) -> dict[str, Floats]:
    """Return the drawn shares by name; `rest` takes what is left, and shares that exceed the whole are scaled to it."""
    drawn, of_known = _known(shares, draws, path)
    rest = np.maximum(1.0 - of_known, 0.0)
    whole = of_known + rest if "rest" in shares.values() else of_known
    return {name: drawn.get(name, rest) / whole for name in shares}


def cumulative(shares: Sequence[Floats]) -> Floats:
    """Add up shares in order, shape (replication, name), and reach exactly 1 with the last share that is not 0."""
    rising = np.cumsum(np.stack(shares, axis=1), axis=1)
    rising[rising == rising[:, -1:]] = 1.0
    return np.ascontiguousarray(rising)


def exceeds_whole(shares: Mapping[str, Share], draws: Draws, path: str) -> Integers:
    """Say in which replications the drawn shares add up to more than 1, so that all are scaled and `rest` is 0."""
    return (_known(shares, draws, path)[1] > 1 + MOVES_ROUNDING).astype(np.int64)


def _known(shares: Mapping[str, Share], draws: Draws, path: str) -> tuple[dict[str, Floats], Floats]:
    """Return the shares that were drawn, by name, and their sum; `rest` is none of them."""
    drawn = {name: draws[path.format(name)] for name, share in shares.items() if share != "rest"}
    return drawn, add_in_order([np.zeros(len(draws)), *drawn.values()])
