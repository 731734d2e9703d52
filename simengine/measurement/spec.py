"""Specification of the evaluation: designs, estimates and measurement errors."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, PrivateAttr, model_validator

from simengine.distributions import Constant, Count, Months, Name, NotNegative, Number, Probability, Quantity, Spec, within

Design = Literal["randomised", "matched", "difference_in_differences", "before_after", "historical", "rate_card", "mix"]
DESIGNS: tuple[str, ...] = get_args(Design)
_NOTHING = Constant(value=0.0, certainty="choice", note="the default: none")
_ratio = AfterValidator(within(0.01, 1000, "the people compared with must be from 0.01 to 1000 for every service user"))


class Baseline(Spec):
    """The earlier people of a historical comparison."""

    size: Annotated[Count, AfterValidator(within(2, 1e9, "a baseline group must have at least two people"))]
    """Number of earlier people."""
    years_before: Annotated[Quantity, AfterValidator(within(0, 200, "the years between two groups must lie between 0 and 200"))]
    """Years between the two groups' entries."""
    exact_moments: bool = False
    """Whether their exact moments replace them, so that none of them is simulated; the rules are below."""


class Clusters(Spec):
    """Whole sites, not persons, are randomised."""

    number: Annotated[Count, AfterValidator(within(2, 1e6, "there must be at least two clusters"))]
    """Sites of the service users: as many as the population has; the control group has other sites."""
    intra_cluster_correlation: Probability
    """The correlation r within a site that the evaluator assumes in its standard error: each variance is multiplied by 1 + ((cv² +
    1) m - 1) r, with m the mean size of a site and cv the coefficient of variation of the sizes, those of `population.sites`; if
    people join sites at random, cv² = (1 - 1/number) / m."""


class Control(Spec):
    """A randomised control group from the same referrals."""

    ratio: Annotated[Constant, _ratio] = Constant(value=1.0, certainty="choice", note="the default")
    """People for every service user."""
    clusters: Clusters | None = None
    """Whole sites, not persons, are randomised."""
    spill_over: Probability = _NOTHING
    """Share of the effect (of its logarithm, for a ratio) that reaches them through spill-over."""
    exact_moments: bool = False
    """Whether their exact moments replace them, so that none of them is simulated; the rules are below."""


class Alike(Spec):
    """An outcome of the months before entry on which people are matched, and the largest difference allowed."""

    outcome: str
    """One of `outcomes`, counted over the months before entry."""
    within: Annotated[Number, Field(ge=0)]
    """By how much they may differ at most."""


class Matched(Spec):
    """People elsewhere, matched to the service users."""

    per_person: Annotated[Count, AfterValidator(within(1, 1000, "from 1 to 1000 people must be matched to each service user"))]
    """People for each service user."""
    on: tuple[Literal["stratum", "state"], ...] = ("stratum", "state")
    """What must be the same; the state is that at the beginning of the clock."""
    before: Alike | None = None
    """An outcome of the months before entry on which they are matched."""
    candidates: Annotated[Count, AfterValidator(within(1, 65_536, "from 1 to 65,536 candidates must be looked at"))] = Constant(
        value=1000.0, certainty="choice", note="the default"
    )
    """Candidates for each place; if none matches, the place stays empty, and a service user with only empty places is left out of
    the comparison."""
    hidden_bias: Quantity = _NOTHING
    """Unobserved bias: the logarithm of the untreated level of matched people relative to the service users' (of the odds, for a
    yes or no; the difference itself, for a score)."""
    exact_moments: bool = False
    """Whether their exact moments replace them, so that none of them is simulated; the rules are below."""


class Parallel(Spec):
    """People elsewhere, whose change over time estimates the change without the service: a difference in differences."""

    ratio: Annotated[Constant, _ratio] = Constant(value=1.0, certainty="choice", note="the default")
    """People for every service user."""
    level: Quantity = _NOTHING
    """The logarithm of their level relative to the service users', both before and after."""
    trend_gap_per_year: Quantity = _NOTHING
    """How much faster their untreated level grows, on the logarithmic scale: trends that are not parallel."""
    form: Literal["additive", "ratio", "regression"] = "additive"
    """How the change is used: subtracted, as a factor, or with the level before as a covariate (ANCOVA)."""
    exact_moments: bool = False
    """Whether their exact moments, before and after, replace them, so that none of them is simulated; the rules are below."""


class CrossSection(Spec):
    """Different people of the same place before entry: a repeated cross-section."""

    ratio: Annotated[Constant, _ratio] = Constant(value=1.0, certainty="choice", note="the default")
    """Different people observed before entry, for every person observed afterwards."""


class CountingDesign(Spec):
    """Outcomes are counted without a comparison group."""

    deadweight: Probability
    """Share of the outcomes that the contract assumes would have happened anyway."""
    double_claims: Probability = _NOTHING
    """Share of the outcomes that are claimed twice."""


class Attrition(Spec):
    """People whom the evaluator loses because they move away or miss their test."""

    share: Probability
    """Share of the service users who are lost."""
    share_comparison: Probability | None = None
    """Share of the comparison group who are lost; absent: as the service users."""
    gap: Quantity = _NOTHING
    """Outcome of those lost less that of those observed, in the unit of the outcome; 0 if people are lost at random."""


class Misclassification(Spec):
    """Answers that are recorded wrongly."""

    sensitivity: Probability
    """Probability that a yes is recorded as a yes."""
    specificity: Probability
    """Probability that a no is recorded as a no."""


class Redefinition(Spec):
    """A definition that changes from a month of the calendar on: a register records less, a fee rises, a rule widens."""

    from_month: Annotated[Count, AfterValidator(within(0, 1200, "a month of the calendar must lie between 0 and 1200"))]
    """Month of the calendar from which the new definition applies, from the start of the study; earlier people lived before it."""
    factor: NotNegative
    """Of an amount or of days: what each unit counts from then on. Of a count of events, or of a yes read at one date: the
    probability with which each is still counted, for a yes up to 1; of a count above 1, so many are counted for each on average (by
    a Poisson distribution)."""
    groups: Literal["both", "service", "comparison"] = "both"
    """Whose register changes: that of the service users, that of all others, or both."""


class Shrinkage(Spec):
    """The contract pays on an estimate shrunk towards a value agreed beforehand: Z estimate + (1 - Z) prior."""

    prior: Quantity
    """The value agreed beforehand."""
    prior_sd: Annotated[NotNegative, Field()] | None = None
    """Uncertainty of the prior: Z = prior_sd² / (prior_sd² + standard error²); absent: a `credibility`."""
    credibility: Probability | None = None
    """Weight Z of the estimate: the contract pays on Z estimate + (1 - Z) prior; absent: a `prior_sd`."""

    @model_validator(mode="after")
    def _one_form(self) -> Shrinkage:
        if (self.prior_sd is None) == (self.credibility is None):
            raise ValueError("a shrinkage must have either a `prior_sd` or a `credibility`")
        return self


class MetricPrices(Spec):
    """Money of different years is converted to the prices of one month, by an index that may be wrong."""

    growth_per_year: Quantity
    """True growth of prices, on the logarithmic scale; the amount is stated in prices of the base month."""
    index_per_year: Quantity
    """Their growth by the index with which the evaluator deflates; 0 if the contract has none."""
    base_month: Annotated[Constant, AfterValidator(within(-1200, 1200, "a base month must lie within 100 years of the start"))] = (
        Constant(value=0.0, certainty="choice", note="the default: the start of the study")
    )
    """The month whose prices count, from the start."""


class CountedOutcome(Spec):
    """An outcome of the contract that is counted person by person, when it is reached, without a comparison."""

    outcome: str | None = None
    """The outcome of the study: a yes or no (`reached`, `binary`, `target`) is counted by people, in the month at whose end it is
    reached; what adds up (`amount`, `count`, `days`) by its units of each month; absent: that of the same name."""
    within_months: Months | None = None
    """Months after each person's entry within which it counts; needed for a `target` with `at_most`, which is told when they are
    over; absent: to the horizon."""
    missed: Probability | None = None
    """Share of those who reached it, or of its units of a month, for whom it is never claimed; absent: 0."""
    false_claims: Probability | None = None
    """Share of those who did not reach it for whom it is claimed all the same, in any month after entry; not for units; absent:
    0."""


Estimate = Literal["total_difference", "rate_difference", "per_100_difference", "relative_reduction", "efficiency_ratio"]


class Metric(Spec):
    """One number that the contract may pay on."""

    outcome: str
    """The outcome that is measured, one of `outcomes`."""
    window_months: Months
    """Months after each person's entry that are counted."""
    every_months: Months | None = None
    """Measured anew, each window longer by so many months, as `<metric>_1`, `<metric>_2` and so on; absent: measured once."""
    until_months: Months | None = None
    """The longest of these windows at most; needed with `every_months`."""
    lag_months: Count = Constant(value=0.0, certainty="choice", note="the default: known at once")
    """Months from the end of the window until the evaluator reports."""
    estimate: Estimate
    """How the two means are combined; the table below."""
    per: str | None = None
    """For `efficiency_ratio`: the input, such as months of staff, an outcome of kind `amount`, `count` or `days`."""
    better: Literal["lower", "higher"]
    """Which way is an improvement; the estimate is positive when the service users did better."""
    design: Design | None = None
    """The design of this metric in every wave, which wins over `measurement.design` and `by_wave`: days that are counted, for
    instance, beside days that are compared; absent: that of its wave, or of the evaluation."""
    drift_per_year: Quantity = Constant(value=0.0, certainty="choice", note="the default: no drift")
    """Yearly growth, on the logarithmic scale, of the untreated level (of the odds, for a yes or no; the difference itself, for a
    score) between earlier people and service users, for which the evaluator does not correct."""
    attrition: Attrition | None = None
    """People whom the evaluator loses because they move away or miss their test."""
    misclassification: Misclassification | None = None
    """Answers that are recorded wrongly."""
    redefined: Redefinition | None = None
    """A change of definition from a month of the calendar on, of amounts, counts, days, and what is read at one date."""
    shrinkage: Shrinkage | None = None
    """An estimate that is shrunk towards a value agreed beforehand."""
    prices: MetricPrices | None = None
    """Money of different years is converted to the prices of one month, of an outcome of kind `amount`; absent: money counts as
    stated."""
    _written_as: str | None = PrivateAttr(default=None)
    """The name under which the study states one that is measured anew."""

    @model_validator(mode="after")
    def _longer_windows(self) -> Metric:
        if (self.every_months is None) != (self.until_months is None):
            found = "until_months" if self.every_months is None else "every_months"
            raise ValueError(f"a metric that is measured anew must have `every_months` and `until_months`; found {found} alone")
        if self.until_months is not None and self.until_months.value < self.window_months.value:
            found = f"{self.window_months.value:g} and {self.until_months.value:g}"
            raise ValueError(f"the longest window must be no shorter than the first; found {found} months")
        return self

    @model_validator(mode="after")
    def _per_something(self) -> Metric:
        if (self.per is None) != (self.estimate != "efficiency_ratio"):
            found = f"the estimate `{self.estimate}` {'without' if self.per is None else 'with'} a `per`"
            raise ValueError(f"an efficiency ratio, and no other estimate, must have a `per`: what is spent; found {found}")
        return self

    def each(self, name: str) -> dict[str, Metric]:
        """Return it by its name, or each time that it is measured anew."""
        if self.every_months is None or self.until_months is None:
            return {name: self}
        first, every = self.window_months.value, self.every_months.value
        found = {}
        for number in range(int((self.until_months.value - first) // every) + 1):
            window = self.window_months.model_copy(update={"value": first + number * every})
            one = self.model_copy(update={"window_months": window, "every_months": None, "until_months": None})
            one._written_as = name
            found[f"{name}_{number + 1}"] = one
        return found

    @property
    def known_after_months(self) -> float:
        """Months from an entry until the evaluator reports."""
        return self.window_months.value + self.lag_months.value


class Protocol(Spec):
    """The evaluation that the contract prescribes, and other designs for the same people."""

    design: Design | None = None
    """Against whom the service users are compared; absent: every metric has its own."""
    by_wave: dict[str, Design] = {}
    """By wave: another design, such as a concurrent control group that begins with the second wave; for the metrics without a
    design of their own."""
    baseline: Baseline | None = None
    """For `historical`: earlier people, without the service."""
    control: Control | None = None
    """For `randomised`: a control group from the same referrals; `{}` for as many as service users."""
    matched: Matched | None = None
    """For `matched`: people elsewhere, matched to the service users."""
    parallel: Parallel | None = None
    """For `difference_in_differences`: people elsewhere, whose change estimates the change without the service."""
    cross_section: CrossSection | None = None
    """For `difference_in_differences` and `before_after`: those observed before entry are different people of the same places; not
    with `regression`. `{}` for as many; absent: the same people."""
    rate_card: CountingDesign | None = None
    """For `rate_card`: outcomes are counted without a comparison group."""
    transfers: Literal["followed", "hidden", "left_out"] = "followed"
    """How those who move out of the area are treated: `followed`, measured wherever they are; `hidden`, counted as zero after the
    move; or `left_out` if they move within the window."""
    mix: dict[Design, Probability] | None = None
    """By design: its weight, for `mix`; the weights add up to 1."""
    metrics: dict[str, Metric] = {}
    """Numbers that the contract may pay on, by the names that it uses; absent: outcomes are `counted`."""
    counted: dict[Name, CountedOutcome] = {}
    """By outcome, under the name that the contract uses: what is counted person by person."""

    @model_validator(mode="after")
    def _measures_something(self) -> Protocol:
        if not self.metrics and not self.counted:
            raise ValueError("a measurement must have `metrics`, or outcomes that are `counted` person by person; found neither")
        return self

    @model_validator(mode="after")
    def _every_name_once(self) -> Protocol:
        names = [each for name, metric in self.metrics.items() for each in metric.each(name)]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"each metric must have a name of its own; found `{twice}` twice, once of one that is measured anew")
        return self

    @cached_property
    def measured(self) -> dict[str, Metric]:
        """The metrics, each as often as it is measured."""
        return {each: one for name, metric in self.metrics.items() for each, one in metric.each(name).items()}

    def path_of(self, name: str) -> str:
        """Return where the study states a metric that is measured."""
        return f"measurement.metrics.{self.measured[name]._written_as or name}"

    @model_validator(mode="after")
    def _everything_has_a_design(self) -> Protocol:
        without = [f"`{name}`" for name, metric in self.metrics.items() if metric.design is None]
        if self.design is None and without:
            raise ValueError(
                f"the `design` must be given, for all metrics or for each of them; found none for {', '.join(without)}. "
                f"It is {', '.join(DESIGNS[:-1])} or {DESIGNS[-1]}"
            )
        return self

    def design_of(self, metric: str, wave: str) -> Design:
        """Return the design of a metric in a wave: its own, else that of the wave, else that of the evaluation."""
        found = self.measured[metric].design or self.by_wave.get(wave, self.design)
        assert found is not None  # by the validator
        return found

    def designs_of(self, metric: str, waves: Iterable[str] | None = None) -> tuple[Design, ...]:
        """Return the designs of a metric, in some waves or in all that there may be."""
        if waves is not None:
            return tuple(dict.fromkeys(self.design_of(metric, wave) for wave in waves))
        own = self.measured[metric].design
        every = (own,) if own is not None else (self.design, *self.by_wave.values())
        return tuple(dict.fromkeys(design for design in every if design is not None))

    def compared_by(self, metric: str, waves: Iterable[str] | None = None) -> tuple[Design, ...]:
        """Return the designs of a metric, those of a mix in its place."""
        designs = self.designs_of(metric, waves)
        return tuple(dict.fromkeys(one for design in designs for one in (self.mix or {} if design == "mix" else [design])))

    def sections_of(self, metric: str) -> tuple[str, ...]:
        """Return the sections that describe what a metric is compared with."""
        return tuple(SECTION_OF[design] for design in self.compared_by(metric) if design in SECTION_OF)

    @property
    def used(self) -> tuple[Design, ...]:
        """The designs by which some metric is measured: mixes, and what they are made of."""
        found = (design for name in self.measured for design in (*self.designs_of(name), *self.compared_by(name)))
        return tuple(dict.fromkeys(found))

    def all_by(self, design: str, **changes: object) -> Protocol:
        """Return the protocol that measures every metric of everybody by one design, with other changes if any are given."""
        metrics = {name: metric.model_copy(update={"design": None}) for name, metric in self.metrics.items()}
        return self.model_copy(update={"design": design, "by_wave": {}, "metrics": metrics, **changes})

    @property
    def by_moments(self) -> tuple[str, ...]:
        """The sections whose people are replaced by their exact moments."""
        sections = {"baseline": self.baseline, "control": self.control, "matched": self.matched, "parallel": self.parallel}
        return tuple(name for name, section in sections.items() if section is not None and section.exact_moments)

    @property
    def possible(self) -> tuple[str, ...]:
        """The designs that the protocol specifies."""
        sections = {
            "randomised": self.control,
            "matched": self.matched,
            "difference_in_differences": self.parallel,
            "historical": self.baseline,
            "rate_card": self.rate_card,
            "mix": self.mix,
        }
        return tuple(name for name in DESIGNS if name == "before_after" or sections[name] is not None)


SECTION_OF = {
    "randomised": "control",
    "matched": "matched",
    "difference_in_differences": "parallel",
    "historical": "baseline",
    "rate_card": "rate_card",
    "mix": "mix",
}
"""By design: the section that describes it; `before_after` needs none."""
