"""What is fitted: the choices that a file PATHWAY.yaml makes, each with a default."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag, model_validator

from simengine.cohort.spec.names import NoneOrMore
from simengine.config.document import Document, read_document
from simengine.config.validate import validate
from simengine.distributions import Month, Months, Name, NamesOrNone, Number, Spec
from simengine.distributions.sourced import Constant
from simengine.spells.words import YesNo


class StayByMonths(Spec):
    """Hazards that are constant between given months in the state."""

    by_months: Annotated[tuple[Annotated[int, Field(strict=True, ge=1, le=1200)], ...], Field(min_length=1, strict=False)]
    """Months in the state from which every move has a rate of its own, increasing."""

    @model_validator(mode="after")
    def _increasing(self) -> StayByMonths:
        if list(self.by_months) != sorted(set(self.by_months)):
            raise ValueError(f"the months must increase; found {', '.join(map(str, self.by_months))}")
        return self


def _form_of_stay(raw: Any) -> str:
    return "months" if isinstance(raw, Mapping | StayByMonths) else "word"


Stay: TypeAlias = Annotated[
    Annotated[Literal["constant", "weibull"], Tag("word")] | Annotated[StayByMonths, Tag("months")], Discriminator(_form_of_stay)
]


_SMALLEST_SD = 0.001
"""A prior that is narrower fixes its number, and a posterior around it cannot be told from it by the last digits of a float."""


class RatePrior(Spec):
    """What is known of every rate before the spells are read: a gamma distribution, as if so much had been observed."""

    events: Annotated[Number, Field(ge=0, le=1e6)] = 0.5
    """Events added to those that were counted; absent: one half, Jeffreys's prior of a rate."""
    at_risk_months: Annotated[Number, Field(ge=0, le=1e9)] = 0.0
    """Person-months added to those at risk; absent: none."""


class SpreadPrior(Spec):
    """What is known of a positive number before the spells are read: its logarithm is normal."""

    median: Annotated[Number, Field(ge=1e-6, le=1e6)]
    """The median."""
    sd_of_log: Annotated[Number, Field(ge=_SMALLEST_SD, le=10)]
    """Standard deviation of the logarithm."""


class EventChoices(Spec):
    """How one event is fitted."""

    states: NamesOrNone = ()
    """States in which it may happen, among those in which it was seen; absent: all of them."""
    frailty: YesNo = True
    """Whether people differ beyond what is known of them: an unobserved factor of each person; absent: `true`."""
    by_stratum: YesNo = False
    """Whether every stratum has a factor on the rate, relative to the first; absent: `false`."""
    trend: YesNo = False
    """Whether its rate grows or falls by the calendar; absent: `false`."""
    season: YesNo = False
    """Whether its rate differs between the months of the year, relative to January; absent: `false`."""
    length: Literal["gamma", "lognormal", "weibull", "fixed", "none"] | None = None
    """Distribution of how long it lasts; `fixed`: the mean of the one that fits best; `none`: it has no length; absent: of the first
    three the likeliest, where the table says when events end."""


class ScoreChoices(Spec):
    """How one score is fitted."""

    at_month: Annotated[int, Field(strict=True, ge=1, le=1200)] | None = None
    """Months after entry at which it is measured; absent: as the study that is named says, else the month after entry with the most
    readings."""
    within_months: Annotated[Number, Field(gt=0, le=120)] = 3.0
    """A reading counts as that of the date if it lies no farther from it, and after that at entry; absent: 3."""
    entry_within_months: Annotated[Number, Field(gt=0, le=120)] = 1.0
    """The first reading counts as that at entry if it lies no farther from entry; absent: 1."""
    second_within_days: Annotated[Number, Field(gt=0, le=365)] | None = None
    """Another reading so soon after that at entry reads the same level again, and tells the error of measurement; absent: none does."""
    groups: NamesOrNone = ()
    """Groups whose scores are fitted, such as those without the service; absent: everybody."""
    reported: Literal["level", "gain"] | None = None
    """What the study reports, as under the outcome; absent: as the study that is named says, else `level`."""
    metric: Name | None = None
    """Metric of the study whose attrition is fitted too, from people who were due at the date and have no score; absent: none."""


class MeanPrior(Spec):
    """What is known of a mean before the scores are read: it is normal."""

    mean: Number
    """The mean."""
    sd: Annotated[Number, Field(gt=0, le=1e9)]
    """Standard deviation."""


class Priors(Spec):
    """What is known before the spells are read."""

    rate: RatePrior = RatePrior()
    """Of every rate; absent: those below."""
    factor: SpreadPrior = SpreadPrior(median=1.0, sd_of_log=1.0)
    """Of a factor by months in the state, where rates differ by stratum as well, or of a stratum on the rate of an event; absent:
    median 1, sd of the logarithm 1."""
    weibull_shape: SpreadPrior = SpreadPrior(median=1.0, sd_of_log=0.5)
    """Of a Weibull shape, of stays and of lengths; absent: median 1, sd of the logarithm 0.5."""
    frailty_variance: SpreadPrior = SpreadPrior(median=0.5, sd_of_log=1.0)
    """Of the variance of a frailty; absent: median 0.5, sd of the logarithm 1."""
    trend_sd: Annotated[Number, Field(ge=_SMALLEST_SD, le=10)] = 0.2
    """Of a trend per year, which is normal around 0: its standard deviation; absent: 0.2."""
    season_factor: SpreadPrior = SpreadPrior(median=1.0, sd_of_log=0.5)
    """Of the factor of a month of the year on the rate of an event; absent: median 1, sd of the logarithm 0.5."""
    mean_length_days: SpreadPrior = SpreadPrior(median=14.0, sd_of_log=2.0)
    """Of the mean length of an event in days; absent: median 14, sd of the logarithm 2."""
    score_mean: MeanPrior | None = None
    """Of the mean of a score, at entry and at the date; absent: nothing, every value is as likely."""
    score_sd: SpreadPrior | None = None
    """Of the standard deviation of scores as they are read, at entry and at the date; absent: nothing, of its logarithm every value is as
    likely."""
    length_variation: SpreadPrior = SpreadPrior(median=1.0, sd_of_log=1.0)
    """Of the standard deviation of lengths over their mean, of a gamma or lognormal distribution; absent: median 1, sd of the
    logarithm 1."""


class FitChoices(Spec):
    """What is fitted to a municipality's own spells."""

    states: NamesOrNone = ()
    """The states, in the order of the pathway; all that are in the file; absent: those of the file, by name."""
    absorbing: NamesOrNone = ()
    """States that nobody leaves, such as being of age; absent: none, but a state that nobody was seen to leave has no moves."""
    moves: NoneOrMore = ()
    """Moves that are fitted; another one that was seen ends the time at risk of its stay; absent: all that were seen."""
    strata: Literal["moves", "start", "none"] = "moves"
    """What differs between the groups of the file: `moves`, their start and their rates; `start`, their start alone; `none`: there is
    one stratum, `everybody`; absent: `moves`."""
    start: Literal["observed", "study"] = "observed"
    """Where people begin, in a study that is named: `observed`, with the shares of the file; `study`, as the study says, with its own
    strata, for a group that is chosen, such as children in residential care; absent: `observed`."""
    stays: dict[Name, Stay] = {}
    """By state: how the hazard of leaving it changes with the months in it: `constant`, `weibull`, or `{by_months: [6, 12]}`; absent:
    `constant`."""
    frailty: NoneOrMore = ()
    """Moves that share an unobserved factor of each person; absent: people of one stratum are alike."""
    trend: NoneOrMore = ()
    """Moves whose hazard grows or falls by the calendar, each at its own pace; absent: none."""
    events: dict[Name, EventChoices] = {}
    """By event of the second table: how it is fitted; one that is not named has a rate in every state in which it was seen, a frailty,
    and the length that fits best."""
    scores: dict[Name, ScoreChoices] = {}
    """By score of a table of scores: how it is fitted; absent: with the defaults."""
    study_start: Month | None = None
    """Month 0 of the study for which rates with a trend are written; absent: the month in which observation ends, or the start of the
    study that is named."""
    enrolment_months: Months = Constant(value=12.0, certainty="choice", note="the default")
    """Months over which people enter, for the wave that is written; absent: 12."""
    wave: Name = "fitted"
    """Name of that wave; absent: `fitted`."""
    cost_outcome: Name | None = None
    """Name of the amount that holds daily costs; absent: the only amount of the study that is named, else `cost`."""
    priors: Priors = Priors()
    """What is known before the spells are read; absent: those below."""

    @model_validator(mode="after")
    def _not_absorbing(self) -> FitChoices:
        both = [name for name in self.stays if name in self.absorbing]
        if both:
            raise ValueError(f"a state with a shape of stay must not be absorbing; found {', '.join(both)}")
        return self


DEFAULT_CHOICES = FitChoices()


def read_choices(path: Path | None) -> tuple[FitChoices, Document]:
    """Read what is to be fitted, and the lines on which it stands; the defaults without a file.

    Raises
    ------
    StudyError
        With every problem that was found.
    """
    if path is None:
        return DEFAULT_CHOICES, Document({}, default_place="the pathway")
    document = read_document(path)
    return validate(FitChoices, document), document
