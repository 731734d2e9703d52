"""The answer about a reference class: its lines, by what they tell of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simengine.reference_class.forecasts import ForecastScores
from simengine.reference_class.history import Oddity
from simengine.reference_class.paid_over_planned import ParameterEstimate

NOT_STATED = "not stated"


@dataclass(frozen=True)
class ProjectLine:
    """A project of the class that was paid and has a plan."""

    project: str
    """Its id."""
    sector: str
    """Its policy sector."""
    currency: str
    """Of its payments."""
    is_finished: bool
    """Whether it is complete, or all of its plan is due."""
    planned: float
    """By the first plan, up to the last actual period."""
    paid: float
    """Up to the last actual period, without what the first plan repeats."""
    planned_in_all: float
    """By the first plan, to its end."""
    ratio: float
    """Paid over planned: against the whole plan if finished, otherwise to date."""
    share_due: float
    """Of the plan, up to the last actual period; 1 if finished."""
    known_until: str | None
    """The month up to which the first plan repeats payments that were made already; null where it repeats none."""
    last_paid: str
    """Last month of an actual period."""
    plans: int
    """The first and those that replaced it."""
    last_plan_over_first: float
    """Total of the last plan over that of the first."""
    later_months: float | None
    """How much later payments came than planned, on average over the money; null of an unfinished project."""


@dataclass(frozen=True)
class QuarterLine:
    """A quarter of the calendar, over the projects with a ratio."""

    quarter: str
    """Of the calendar, as 2020-Q1."""
    currency: str
    """Of the payments."""
    projects: int
    """Projects with a period in it."""
    planned: float
    """By first plans; of each project up to its last actual period."""
    paid: float
    """Of the same projects and months."""


@dataclass(frozen=True)
class AmountRange:
    """Numbers of projects or outcomes."""

    number: int
    """How many there are."""
    median: float
    """Their median."""
    lowest: float
    """The lowest."""
    highest: float
    """The highest."""


@dataclass(frozen=True)
class PriceLine:
    """Prices of outcomes, or caps, in one sector, country and currency."""

    sector: str
    """Policy sector of the projects."""
    country: str
    """As the tables state it; of most projects they do not."""
    currency: str
    """Of the amounts."""
    amounts: AmountRange
    """The amounts."""


@dataclass(frozen=True)
class ReplanLine:
    """How often a first plan was replaced, and how far."""

    projects: int
    """Projects with a ratio."""
    replaced: int
    """Projects with more than one plan."""
    plans: AmountRange
    """Plans of a project, the first included."""
    last_over_first: AmountRange | None
    """Total of the last plan over the first, where there is more than one; null if nowhere."""


@dataclass(frozen=True)
class DelayLine:
    """How much later finished projects were paid than planned."""

    projects: int
    """Finished projects."""
    mean_months: float
    """Mean over them."""
    se: float
    """Of this mean."""
    median_months: float
    """Median over them."""


@dataclass(frozen=True)
class FittedLine:
    """The distribution of paid over planned for a new project of the class."""

    projects: int
    """Projects from which it is fitted."""
    finished: int
    """Those of them that are finished."""
    unfinished: int
    """Those that go on."""
    is_censored: bool
    """Whether projects that go on count as censored and no more: k is then not used."""
    within: float | None
    """k: standard deviation of the logarithm half way, less the last; null where no project shows it, and all count as censored."""
    within_projects: int
    """Projects from which k was estimated."""
    centre: ParameterEstimate
    """The logarithm of the median between projects."""
    scale: ParameterEstimate
    """The scale of Student's distribution between projects."""
    tails: Mapping[str, float]
    """By degrees of freedom: their probability; `inf` is the normal distribution."""
    quantiles: Mapping[str, float]
    """By level: the ratio of paid to planned below which a new project lies."""


@dataclass(frozen=True)
class Reference:
    """What the tables say of a reference class."""

    folder: str
    """Where the tables are."""
    chosen: str
    """Which projects make up the class."""
    projects: tuple[ProjectLine, ...]
    """Every project with a ratio."""
    fitted: FittedLine
    """Paid over planned of another project of the class."""
    censored: FittedLine
    """The same with unfinished projects as censored and no more."""
    quarters: tuple[QuarterLine, ...]
    """By quarter of the calendar and currency."""
    replans: ReplanLine
    """How often a first plan was replaced, and how far."""
    delays: DelayLine | None
    """Null with fewer than two finished projects."""
    prices: tuple[PriceLine, ...]
    """Prices of outcomes, by sector, country and currency."""
    caps: tuple[PriceLine, ...]
    """Maximum potential payments."""
    repayment: Mapping[str, int]
    """By level of repayment to investors: how many investments; most are not stated."""
    oddities: tuple[Oddity, ...]
    """What was odd in the tables, how it was handled, and how often."""
    forecasts: ForecastScores | None
    """Every project forecast from the others; null where not asked for."""
    sha256: Mapping[str, str]
    """By table: the SHA-256 of its file."""
