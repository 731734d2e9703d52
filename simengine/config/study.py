"""The study: the whole question in one value, with sections named like the folders that answer them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from simengine.capital.spec import Capital, Parties, Saving
from simengine.cohort.spec import Effect, Name, Outcome, Pathway, Population
from simengine.contract.spec import Contract
from simengine.dependence import Correlation
from simengine.laws import Certainty, Count, Months, Quantity, Spec, quantities_in
from simengine.measurement.spec import Protocol
from simengine.streams import MAX_SEED


class Assumption(Spec):
    """Something the study takes for granted that is not a number."""

    text: str
    certainty: Certainty = "assumption"
    source: str | None = None


class Heading(Spec):
    """What the study is about and the calendar it lives in."""

    title: str
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    start: Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
    """Month 0, as year-month."""
    horizon_months: Months
    """Months that are simulated."""
    sources: dict[str, str] = {}
    """Titles and addresses by the codes that `source:` uses."""
    takes_for_granted: dict[str, Assumption] = {}


class RunDefaults(Spec):
    """How a run is made unless the command line says otherwise."""

    replications: Count
    seed: Annotated[int, Field(ge=0, le=MAX_SEED, strict=True)] | None = None


class Study(Spec):
    """A question about one contract, complete and consistent."""

    study: Heading
    parties: Parties
    population: Population
    pathway: Pathway
    effect: dict[Name, Effect]
    outcomes: Annotated[dict[Name, Outcome], Field(min_length=1)]
    measurement: Protocol
    contract: Contract
    capital: Capital
    public_value: dict[str, Saving]
    """By outcome: whose money it is."""
    correlations: dict[Name, Correlation] = {}
    """By names of one's own: numbers that go together."""
    run: RunDefaults
    variants: dict[Name, dict[str, object]] = {}
    """Named changes, by path, that make the study another one."""

    def wholes(self) -> list[list[str]]:
        """List the paths of the shares of every whole."""
        starts = [[f"pathway.start.{stratum}.{state}" for state in shares] for stratum, shares in self.pathway.start.items()]
        return [[f"population.strata.{name}.share" for name in self.population.strata], *starts]

    def quantities(self) -> Iterator[tuple[str, Quantity]]:
        """Yield every number of the study with its path; what is published of its contract is no part of the question."""
        return ((path, number) for path, number in quantities_in(self) if not path.startswith("contract.published."))
