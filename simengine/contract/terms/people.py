"""Terms below the whole cohort: wave by wave, and person by person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from simengine.contract.program import Register
from simengine.contract.scope import Scope
from simengine.contract.terms.base import Factor, MilestoneList, Term, WavesApart, parts_within
from simengine.distributions import Name, NamesOrNone
from simengine.errors import Finding, one_of
from simengine.records import FORMULA

if TYPE_CHECKING:
    from simengine.contract.spec import Contract
    from simengine.contract.terms import Source


class PerWave(Term):
    """A term settled for each wave on that wave's own metrics, and added up."""

    key: ClassVar[str] = "per_wave"
    per_wave: Source
    """A term settled for each wave on that wave's own metrics, and added up."""
    waves: NamesOrNone = ()
    """The waves that count; absent: all."""
    cumulative: bool = False
    """Whether a wave's metrics include those of the waves before."""

    def findings(self, contract: Contract) -> Iterator[Finding]:
        """Find waves that there are not, and waves that are told apart twice."""
        if not contract.waves:
            yield self.key, "the contract must name its waves", "no `waves`", "Add `waves`"
        for wave in self.waves:
            if wave not in contract.waves:
                yield "waves", "must be a wave of the contract", f"`{wave}`", one_of(contract.waves)
        for below, inner in parts_within(self.per_wave, self.key):
            if isinstance(inner, PerWave):
                yield below, "waves must be told apart once", f"`{self.key}` inside `{self.key}`", ""

    def waves_apart(self, contract: Contract) -> WavesApart | None:
        """Return the term that is settled for each wave."""
        return WavesApart(self.key, self.waves or tuple(contract.waves), self.cumulative)

    def formula(self, scope: Scope) -> Register:
        """Compile the sum over waves."""
        return scope.code.add(*(self.per_wave.value(within) for within in self._scopes(scope)))

    def inner_bound(self, scope: Scope) -> Register:
        """Compile the limit of the first wave that met one."""
        return scope.first_bound([within.bound(self.per_wave, self.key) for within in self._scopes(scope)])

    def _scopes(self, scope: Scope) -> list[Scope]:
        waves = list(scope.contract.waves)
        places = [waves.index(name) for name in self.waves or waves]
        return [scope.in_wave(place, is_cumulative=self.cumulative) for place in places]


class MilestonePrices(Term):
    """A price for each milestone that a person reaches, up to a cap per person, over all people.

    Settled from how many people reached which combination: `sum over combinations of people x min(sum of prices, cap)`.
    """

    key: ClassVar[str] = "milestones"
    limit_keys: ClassVar[tuple[str, ...]] = ("cap_per_person",)
    milestones: Annotated[dict[Name, Factor], Field(min_length=1)]
    """By milestone: a price for each person who reaches it."""
    cap_per_person: Factor | None = None
    """The most that is paid for one person; absent: no cap."""
    in_order: bool = False
    """Whether each is paid only for those who reached all earlier ones in the contract's `milestones`, including those that this
    term does not price."""

    def findings(self, contract: Contract) -> Iterator[Finding]:
        """Find milestones that there are not."""
        for name in self.milestones:
            if name not in contract.milestones:
                yield f"{self.key}.{name}", "must be a milestone of the contract", f"`{name}`", one_of(contract.milestones)

    @property
    def milestone_list(self) -> MilestoneList | None:
        """Its prices, the cap of a person, and whether they are reached in order."""
        prices = {name: price.value for name, price in self.milestones.items()}
        return MilestoneList(prices, None if self.cap_per_person is None else self.cap_per_person.value, self.in_order)

    def price(self, names: tuple[str, ...], combination: int) -> float:
        """Price of one person of a combination of milestones, `names` being those of the contract in their order."""
        total = self._uncapped(names, combination)
        return total if self.cap_per_person is None else min(total, self.cap_per_person.value)

    def _uncapped(self, names: tuple[str, ...], combination: int) -> float:
        total = 0.0
        for place, name in enumerate(names):
            if combination >> place & 1:
                total += self.milestones[name].value if name in self.milestones else 0.0
            elif self.in_order:
                break
        return total

    def formula(self, scope: Scope) -> Register:
        """Compile `sum over combinations of people x price`."""
        code, names, waves = scope.code, tuple(scope.contract.milestones), self._waves(scope)
        parts = []
        # The combination without a milestone has no price but is counted all the same: uncounted people are missing.
        for combination in range(2 ** len(names)):
            people = code.add(*(code.column("combination", combination, wave) for wave in waves))
            parts.append(code.multiply(code.constant(self.price(names, combination)), people))
        total = code.add(*parts)
        code.remarks[total] = tuple(("milestone", name, wave) for name in self._decisive(names) for wave in waves)
        return total

    def inner_bound(self, scope: Scope) -> Register:
        """Compile whether anybody reached more than the cap for a person."""
        code, names, nothing = scope.code, tuple(scope.contract.milestones), scope.code.constant(float(FORMULA))
        capped = [one for one in range(2 ** len(names)) if self._uncapped(names, one) > self.price(names, one)]
        if not capped:
            return nothing
        people = code.add(*(code.column("combination", one, wave) for one in capped for wave in self._waves(scope)))
        return code.choose(code.exceeds(people, code.constant(0.0)), scope.limit("cap_per_person"), nothing)

    @staticmethod
    def _waves(scope: Scope) -> range:
        """List the places of the waves whose people count."""
        if scope.wave is None:
            return range(len(scope.contract.waves) or 1)
        return range(0 if scope.is_cumulative else scope.wave, scope.wave + 1)

    def _decisive(self, names: tuple[str, ...]) -> list[str]:
        """List the milestones that change what some person is worth."""
        combinations = range(2 ** len(names))
        return [
            name
            for place, name in enumerate(names)
            if any(self.price(names, one) != self.price(names, one ^ (1 << place)) for one in combinations)
        ]
