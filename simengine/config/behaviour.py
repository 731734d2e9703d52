"""Responses to a contract: efforts with a cost, allocation of hours, referrals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from simengine.cohort.spec.names import OneOrMore
from simengine.config.roles import money_findings
from simengine.distributions import (
    Count,
    DirichletCount,
    Fixed,
    FixedNotNegative,
    Name,
    NotNegative,
    Number,
    Quantity,
    Spec,
    within,
)
from simengine.errors import Finding, one_of
from simengine.records import INVESTOR, OUTCOME_PAYER

if TYPE_CHECKING:
    from simengine.config.study import Study

MOST_CHOICES = 500
"""Every choice is a simulation of its own."""
Objective: TypeAlias = Literal["net", "npv"]


def _rising(levels: tuple[float, ...]) -> tuple[float, ...]:
    if any(not low < high for low, high in pairwise(levels)):
        raise ValueError(f"levels must rise; found {', '.join(f'{level:g}' for level in levels)}")
    return levels


_Level = Annotated[Number, Field(ge=0, le=100)]
_Levels = Annotated[tuple[_Level, ...], Field(min_length=1, max_length=200, strict=False), AfterValidator(_rising)]

_Weight = Annotated[Fixed, AfterValidator(within(1e-6, 1e6, "a weight must lie between 1e-6 and 1e6"))]


class EffortCost(Spec):
    """What an effort costs, in the study's currency and in money of today."""

    quadratic: NotNegative | None = None
    """The number c, where effort e costs c/2 e²; absent: a `table`."""
    table: Annotated[tuple[NotNegative, ...], Field(min_length=1, strict=False)] | None = None
    """The cost of each level, in their order; linear between them; absent: `quadratic`."""
    per: Literal["contract", "wave", "person"] = "contract"
    """The unit of that cost: the `contract` as a whole, each `wave`, or each `person`: service users, times the drawn share of the
    strata."""

    @model_validator(mode="after")
    def _one_form(self) -> EffortCost:
        if (self.quadratic is None) == (self.table is None):
            found = "neither" if self.table is None else "both"
            raise ValueError(f"a cost of effort must be `quadratic` or a `table`; found {found}")
        return self


class Effort(Spec):
    """One kind of work: at 1 the service has the effect in the study, at 2 twice that (for a ratio: of its logarithm)."""

    effect: OneOrMore | None = None
    """The effects that it produces; absent: all."""
    strata: OneOrMore | None = None
    """The strata of the people it is spent on; absent: all."""
    levels: _Levels | None = None
    """Levels that may be chosen, rising: at 1 the service has the effect in the study, at 0 none; absent: a total is allocated."""
    cost: EffortCost | None = None
    """What it costs, in money of today; absent: nothing."""
    weight: _Weight | None = None
    """What one unit of it uses of a total that is allocated; absent: the expected share of its strata among people."""


class ShareOut(Spec):
    """A total that is allocated to the efforts, such as the hours of a team."""

    totals: _Levels = (1.0,)
    """Possible totals, rising; 1 is the amount that effort 1 for everybody uses."""
    parts: Annotated[Count, AfterValidator(within(1, 100, "a whole must be cut into 1 to 100 parts"))]
    """Equal parts into which a total is divided."""


class Referral(Spec):
    """A party that decides how many people it refers, given the effort."""

    party: Name
    """Who decides."""
    levels: _Levels
    """Multiples of the size of every wave, rising."""
    cost_per_person: NotNegative | None = None
    """Cost to the party of each service user beyond what its money shows; absent: 0."""
    cost_between_referrers: Quantity | None = None
    """The distribution of that cost between referrers, in place of `cost_per_person`, not negative. Each has the same number of
    people; those with the lowest cost refer first, and the highest of `levels` is all of them. It is not drawn: all referrers are
    present in every replication; absent: the same cost for all."""
    objective: Objective = "net"
    """The money that it considers: over the whole period, or discounted at its own rate."""

    @model_validator(mode="after")
    def _one_cost(self) -> Referral:
        distribution = self.cost_between_referrers
        if distribution is not None and self.cost_per_person is not None:
            raise ValueError("a referral must cost everybody the same, or differ between referrers; found both")
        if distribution is not None and distribution.support[0] < 0:
            raise ValueError(f"a cost between referrers must not be negative; found as little as {distribution.support[0]:g}")
        return self


class Behaviour(Spec):
    """The parties that respond to the contract, their options and costs."""

    party: Name = "service_provider"
    """Who chooses the efforts."""
    objective: Objective = "net"
    """The money that it considers: `net` over the whole period, or `npv`, discounted at its own rate."""
    risk_aversion: FixedNotNegative | None = None
    """The number a, per unit of the currency: it maximises mean - a/2 variance; absent: 0."""
    borne_by: Name | None = None
    """Who bears the cost of the efforts; absent: the party that chooses them."""
    efforts: dict[Name, Effort] = {}
    """Kinds of work, by names of your choice; each effect in each stratum depends on one of them, or on none and stays as it is."""
    cross: Annotated[Fixed, AfterValidator(within(-1, 1, "a cross term must lie between -1 and 1"))] | None = None
    """The number g, with which any two efforts cost g √(c₁ c₂) e₁ e₂ in addition to their own cost; all of them are quadratic, per
    the same unit, and g is at least -1/(n - 1) for n efforts."""
    share_out: ShareOut | None = None
    """A total that is allocated to the efforts, in place of `levels`; absent: each effort is chosen independently."""
    referral: Referral | None = None
    """A party that decides how many people it refers, given the efforts; absent: people are referred as in the study."""

    @model_validator(mode="after")
    def _levels_or_whole(self) -> Behaviour:
        if self.share_out is not None and len(self.efforts) < 2:
            raise ValueError(f"a whole must be shared out between two efforts or more; found {len(self.efforts)}")
        for name, effort in self.efforts.items():
            if self.share_out is None and effort.levels is None:
                raise ValueError(f"an effort must have `levels`, unless a whole is shared out; found none for `{name}`")
            if self.share_out is not None and (effort.levels is not None or (effort.cost is not None and effort.cost.table)):
                raise ValueError(
                    f"where a whole is shared out, an effort must have no `levels` and no `table`; found them for `{name}`"
                )
            if effort.levels is not None and effort.cost is not None and effort.cost.table is not None:
                found = f"{len(effort.cost.table)} for {len(effort.levels)} levels of `{name}`"
                if len(effort.cost.table) != len(effort.levels):
                    raise ValueError(f"a table of costs must have one cost for each level; found {found}")
        return self

    @model_validator(mode="after")
    def _cross_of_squares(self) -> Behaviour:
        if self.cross is not None:
            costs = [effort.cost for effort in self.efforts.values()]
            units = {cost.per for cost in costs if cost is not None and cost.quadratic is not None}
            if len(costs) < 2 or any(cost is None or cost.quadratic is None for cost in costs) or len(units) != 1:
                raise ValueError("a cross term must join two or more efforts, all with a quadratic cost per the same thing")
            least = -1 / (len(costs) - 1)
            if self.cross.value < least:
                raise ValueError(f"a cost must never be negative: with {len(costs)} efforts a cross term is at least {least:g}")
        return self


def behaviour_problems(study: Study) -> Iterator[Finding]:
    """Find inconsistencies between the behaviour and the rest of a study."""
    behaviour = study.behaviour
    if behaviour is None:
        return
    if not behaviour.efforts and behaviour.referral is None:
        yield (
            "behaviour",
            "somebody must have something to decide",
            "neither `efforts` nor a `referral`",
            "Give one, or leave it out",
        )
    named = {"party": behaviour.party, "borne_by": behaviour.borne_by}
    if behaviour.referral is not None:
        named["referral.party"] = behaviour.referral.party
    for key, party in named.items():
        if party is not None and party not in study.parties:
            yield f"behaviour.{key}", "who responds must be one of `parties`", f"`{party}`", one_of(study.parties)
        elif party in (INVESTOR, OUTCOME_PAYER):
            # Names of roles: if others lend or pay, a party of this name has no cash to respond to.
            yield from money_findings(study, party, f"behaviour.{key}")
    yield from _targets(study, behaviour)
    number = n_choices(behaviour)
    if number > MOST_CHOICES:
        rule = f"there must be at most {MOST_CHOICES} choices, for each is simulated"
        yield "behaviour", rule, f"{number:,}", "Give fewer levels or parts"


def _targets(study: Study, behaviour: Behaviour) -> Iterator[Finding]:
    """Efforts name effects and strata that exist; each effect in each stratum answers to one effort."""
    taken: dict[tuple[str, str], str] = {}
    for name, effort in behaviour.efforts.items():
        path = f"behaviour.efforts.{name}"
        for key, names, known in (("effect", effort.effect, study.effect), ("strata", effort.strata, study.population.strata)):
            for one in names or ():
                if one not in known:
                    what = "an effect of the study" if key == "effect" else "a stratum of the population"
                    yield f"{path}.{key}", f"an effort must be spent on {what}", f"`{one}`", one_of(list(known))
        for place in touched(study, effort):
            other = taken.setdefault(place, name)
            if other != name:
                rule, found = (
                    "each effect in each stratum must answer to one effort",
                    f"`{place[0]}` in `{place[1]}` to `{other}` too",
                )
                yield path, rule, found, "Name the effects or strata of each effort"
                break


def touched(study: Study, effort: Effort) -> Iterator[tuple[str, str]]:
    """Yield the pairs of an effect and a stratum that an effort reaches."""
    for effect in effort.effect or study.effect:
        for stratum in effort.strata or study.population.strata:
            yield effect, stratum


def n_choices(behaviour: Behaviour) -> int:
    """Count the simulations that all choices need."""
    number = 1 if behaviour.referral is None else len(behaviour.referral.levels)
    if behaviour.share_out is None:
        for effort in behaviour.efforts.values():
            number *= len(effort.levels or ())
        return number
    # Ways to give n parts to k efforts: (n + k - 1) over (k - 1).
    ways, parts = 1, int(behaviour.share_out.parts.value)
    for k in range(1, len(behaviour.efforts)):
        ways = ways * (parts + k) // k
    return number * ways * len(behaviour.share_out.totals)


def weight_of(study: Study, effort: Effort) -> float:
    """Return the use of an allocated total by one unit of an effort."""
    if effort.weight is not None:
        return effort.weight.value
    shares = expected_shares(study)
    return sum(shares[name] for name in effort.strata or shares)


def expected_shares(study: Study) -> Mapping[str, float]:
    """Return the share of each stratum among people, with distributions at their central value."""
    given = {name: stratum.share for name, stratum in study.population.strata.items()}
    counted = sum(share.count for share in given.values() if isinstance(share, DirichletCount)) or 1.0
    known = {name: share.centre / counted for name, share in given.items() if share != "rest"}
    return {name: known.get(name, max(1.0 - sum(known.values()), 0.0)) for name in given}
