"""The study: one contract with all its assumptions, in sections named like the folders that use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from textwrap import shorten
from typing import Annotated, Any

from pydantic import Field

from simengine.asked import MAX_SEED
from simengine.capital.rates import PriceIndex, RateTable
from simengine.capital.spec import Capital, Parties
from simengine.cohort import Cohort, Comparisons, Matching, MoveClock, PersonCount
from simengine.cohort.outcomes import Outcome, OutcomeKind, refuse_unlisted
from simengine.cohort.spec import Effect, Environment, Event, Pathway, Population, ReferenceClass, Shock
from simengine.config.behaviour import Behaviour
from simengine.config.known import Known
from simengine.config.sizing import Sizing
from simengine.config.stresses import Stressed
from simengine.contract.spec import Contract
from simengine.dependence import Correlation
from simengine.distributions import (
    Certainty,
    Constant,
    Count,
    CurrencyCode,
    DirichletCount,
    Fixed,
    Month,
    Months,
    Name,
    Quantity,
    Spec,
    quantities_in,
)
from simengine.distributions.spans import Span, product
from simengine.measurement.spec import Matched, Protocol
from simengine.value.spec import PublicPrices


class Assumption(Spec):
    """Something the study takes for granted that is not a number."""

    text: str
    """What is assumed."""
    certainty: Certainty = "assumption"
    """How sure it is: a certainty code."""
    source: str | None = None
    """Where it comes from."""


class StudyHeading(Spec):
    """Title, currency and calendar of the study."""

    title: str
    """Printed above every result."""
    currency: CurrencyCode
    """Currency of all money; amounts are counted in its smallest unit."""
    start: Month
    """Month 0 of the study; it says which month of the year a `season` means."""
    horizon_months: Months
    """Months that are simulated."""
    sources: dict[str, str] = {}
    """By code that `source:` uses: title and address."""
    takes_for_granted: dict[str, Assumption] = {}
    """By name: an assumption that is not a number."""


class RunDefaults(Spec):
    """Defaults of a run, which the command line can override."""

    replications: Count
    """Replications unless `-n` says otherwise; at least 2."""
    seed: Annotated[int, Field(ge=0, le=MAX_SEED, strict=True)] | None = None
    """Seed unless `--seed` says otherwise; absent: drawn for each run."""


PAID_OVER_PLANNED = "environment.reference_class.paid_over_planned"
"""Path of the number that multiplies how many people enter."""
_FEW_WAVES = 3
"""Waves that are named one by one where a study prints as one line."""


class Study(Spec):
    """One contract with all its assumptions, complete and consistent."""

    study: StudyHeading
    """The heading: title, currency and calendar."""
    parties: Parties
    """Everybody whose cash is followed: `investor`, `outcome_payer` and `service_provider`, and any others by name; not
    `all_lenders`, `all_payers`, `project`, `suppliers` or another word with a fixed meaning in the results."""
    rates: dict[Name, RateTable] = {}
    """Tables of discount rates, by names of your choice, for `parties.<party>.discounting`."""
    prices: PriceIndex | None = None
    """Growth of the general price level: with it every party's cash is also reported in prices of the start; absent: nothing is."""
    population: Population
    """Who enters the service."""
    pathway: Pathway
    """States, and moves between them, without the service."""
    events: dict[Name, Event] = {}
    """What may happen to people many times, by names of your choice."""
    shocks: dict[Name, Shock] = {}
    """Factors shared by everybody at a time, by names of your choice."""
    environment: Environment | None = None
    """What is known of the surroundings as a whole; absent: nothing."""
    effect: dict[Name, Effect]
    """What the service changes, by names of your choice; `{}` for nothing."""
    promise: dict[str, Fixed] = {}
    """By path of a number of the section `effect`: its promised value; absent: the median of each distribution."""
    outcomes: Annotated[dict[Name, Outcome], Field(min_length=1)]
    """What is counted, by names of your choice."""
    measurement: Protocol
    """The evaluation that the contract prescribes."""
    contract: Contract
    """The contract; or `{file: NAME}`, a file beside or below the study."""
    capital: Capital
    """How the project is financed."""
    public_value: PublicPrices
    """By outcome, then by party: what the true effect is worth to the party; `{}` for nobody."""
    correlations: dict[Name, Correlation] = {}
    """By name: a pair of numbers that are high together, or one high when the other is low; absent: numbers are drawn
    independently."""
    behaviour: Behaviour | None = None
    """Who responds to the contract, between which options, and at what cost; absent: nobody responds."""
    known: dict[Name, Known] = {}
    """By name: a result of the real contract; no forecast reads it."""
    run: RunDefaults
    """Defaults of a run, which the command line can override."""
    sizing: Sizing | None = None
    """The terms that are sized before signing, and the parties who must agree."""
    variants: dict[Name, dict[str, object]] = {}
    """By name: changes to the study, each as `path: value`."""
    stresses: dict[Name, Annotated[dict[str, Stressed], Field(min_length=1)]] = {}
    """By stress, then by path: numbers that the stress changes."""

    def __repr__(self) -> str:
        waves = self.population.waves
        people = (
            ", ".join(f"{name} {wave.size}" for name, wave in waves.items()) if len(waves) <= _FEW_WAVES else f"{len(waves)} waves"
        )
        n_terms = len(self.contract.terms)
        return f"<Study: {shorten(self.study.title, 100, placeholder='...')}; people: {people}; {n_terms} terms; {self.study.currency}>"

    def with_(self, changes: Mapping[str, Any] | Sequence[str] = (), *, variant: str | None = None) -> Study:
        """Return the study with other values, or as one of its own variants; the whole is validated again.

        Parameters
        ----------
        changes
            Values by path, or texts `path=value`.
        variant
            Applied first.

        Raises
        ------
        StudyError
            With every problem that was found.

        Examples
        --------
        >>> from simengine import find_study, load_study
        >>> load_study(find_study("tiny")).with_({"population.waves.all.size": 30}).population.waves["all"].size.value
        30.0
        """
        # The loader imports this class, so it is imported only when used.
        from simengine.config.load import with_changes

        return with_changes(self, changes, variant)

    @property
    def reference_class(self) -> ReferenceClass | None:
        """Return the record of signed contracts of the same kind, if the study has one."""
        return None if self.environment is None else self.environment.reference_class

    def people_in(self, wave: str) -> Span:
        """Return the least and the greatest number of people of a wave, before the drawn number is rounded down."""
        size, known = self.population.waves[wave].size.support, self.reference_class
        low, high = (1.0, 1.0) if known is None else known.paid_over_planned.support
        return product(size[0], low), product(size[1], high)

    def wholes(self) -> list[list[str]]:
        """List the paths of the shares of every total."""
        wholes = [[f"population.strata.{name}.share" for name in self.population.strata]]
        wholes += [[f"pathway.start.{stratum}.{state}" for state in shares] for stratum, shares in self.pathway.start.items()]
        if self.population.engagement is not None and self.population.engagement.doses is not None:
            wholes.append([f"population.engagement.doses.{name}.share" for name in self.population.engagement.doses])
        ways = [self.paces_out_of(state, stratum) for state in self.pathway.states for stratum in self.population.strata]
        return wholes + [list(way) for way in ways if any(isinstance(number, DirichletCount) for number in way.values())]

    def paces_out_of(self, state: str, stratum: str) -> dict[str, Quantity | DirichletCount]:
        """Return the rates of all moves out of a state in one stratum by their paths, including staying if it is counted."""
        out_of = [(name, move.pace_in(stratum)) for name, move in self.pathway.moves.items() if name.split(" -> ")[0] == state]
        return {
            f"pathway.moves.{name}{found[0]}.{found[1].form}": getattr(found[1], found[1].form)
            for name, found in out_of
            if found is not None
        }

    @cached_property
    def numbers(self) -> Mapping[str, Quantity]:
        """Every number of the study by its path.

        Published cases of its contract and beliefs of a party are not numbers of the study; nor is a distribution between
        referrers, who are all present in every replication.
        """
        elsewhere = ("contract.published.", "sizing.", "behaviour.referral.cost_between_referrers")
        return {path: number for path, number in quantities_in(self) if not path.startswith(elsewhere)}


def cohort_of(study: Study) -> Cohort:
    """Return the part of a study that the people depend on.

    Raises
    ------
    StudyError
        If the kind of an outcome is unknown.
    """
    refuse_unlisted(study.outcomes)
    return Cohort(
        study.population,
        study.pathway,
        study.events,
        study.shocks,
        study.effect,
        study.outcomes,
        windows=tuple(sorted({int(metric.window_months.value) for metric in study.measurement.measured.values()}))
        or (_followed_by_all(study),),
        clock=MoveClock(
            int(study.population.history_months.value),
            int(study.study.horizon_months.value),
            study.study.start,
            steps=1 if study.pathway.steps_per_month is None else int(study.pathway.steps_per_month.value),
        ),
        comparisons=_comparisons_of(study.measurement, study.outcomes),
        changes=tuple(
            sorted(
                {int(one.redefined.from_month.value) for one in study.measurement.measured.values() if one.redefined is not None}
            )
        ),
        transfers=study.measurement.transfers,
        pairs=tuple(sorted({(one.outcome, one.per) for one in study.measurement.measured.values() if one.per is not None})),
        asks_by_year=bool(study.public_value),
        size_factor=None if study.reference_class is None else PAID_OVER_PLANNED,
        counted={
            name: PersonCount(one.outcome or name, None if one.within_months is None else int(one.within_months.value))
            for name, one in study.measurement.counted.items()
        },
    )


def _followed_by_all(study: Study) -> int:
    """Return for how many months everybody is followed, at least."""
    last = max((wave.last_entry_month for wave in study.population.waves.values()), default=0.0)
    return max(int(study.study.horizon_months.value - last), 1)


def _comparisons_of(protocol: Protocol, outcomes: Mapping[str, OutcomeKind]) -> Comparisons:
    """Return the comparison groups to simulate: those of every design that the study specifies."""
    baseline, control, parallel, matched = protocol.baseline, protocol.control, protocol.parallel, protocol.matched
    measured = dict.fromkeys(metric.outcome for metric in protocol.measured.values() if metric.outcome in outcomes)
    spills = control is not None and not (isinstance(control.spill_over, Constant) and control.spill_over.value == 0)
    return Comparisons(
        n_baseline=int(baseline.size.value) if baseline is not None else 0,
        control_ratio=control.ratio.value if control is not None else 0.0,
        spill_over="measurement.control.spill_over" if spills else None,
        control_has_own_sites=control is not None and control.clusters is not None,
        parallel_ratio=parallel.ratio.value if parallel is not None else 0.0,
        matching=None if matched is None else _matching_of(matched),
        cross_section_ratio=protocol.cross_section.ratio.value if protocol.cross_section is not None else 0.0,
        by_moments=protocol.by_moments,
        # Of every metric, whatever its design: so that another design of one metric moves no draw of another.
        measured=tuple(outcome for outcome in measured if outcomes[outcome].without_moments is None),
    )


def _matching_of(matched: Matched) -> Matching:
    return Matching(
        per_person=int(matched.per_person.value),
        on=matched.on,
        before=matched.before.outcome if matched.before is not None else None,
        within=matched.before.within if matched.before is not None else 0.0,
        candidates=int(matched.candidates.value),
    )
