"""Draw people batch by batch: their traits, their factors, and how they take part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from simengine.cohort.kernels.arrays import People, Shorts
from simengine.cohort.kernels.draws import fill_uniforms
from simengine.cohort.kernels.enter import engage, enter, fill_frailty
from simengine.cohort.moves import MOVES_ROUNDING, MoveClock, hazard_per_month
from simengine.cohort.sites import dealt
from simengine.cohort.spec import Engagement, Pathway, Population
from simengine.distributions import Share
from simengine.interruption import end_if_given_up
from simengine.late import special
from simengine.records import Draws, Floats, Integers, add_in_order
from simengine.streams import purpose_number, uniforms

BATCH = 32_768
"""Persons who are held at a time: so many that threads seldom wait for each other between two kernels, few enough for memory."""
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
            begin=begin_of(rows) if begin is None else begin,
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


def begin_of(rows: Shorts) -> Integers:
    """Say where each replication begins among rows, and where the last ends."""
    if not len(rows):
        return np.zeros(1, dtype=np.int64)
    return np.concatenate([[0], np.flatnonzero(np.diff(rows)) + 1, [len(rows)]]).astype(np.int64)


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
