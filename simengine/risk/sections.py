"""The sections of a risk table: every key, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired, TypedDict

from simengine.risk.statistics import MeanAndSd, QuantilesAlone, Statistic, Summary


class PartySection(TypedDict):
    """Of every party that lends or pays, and of `all_lenders` and `all_payers` if several have the role: its money."""

    net: Summary
    """Of a party: its cash and its public value, `<party>.cash` + `<party>.value`, in every replication; of `all_lenders`: money back less
    money in; of `all_payers`: true saving less payment."""
    npv: Summary
    """The same, discounted by month at the party's own rate, with each year's value placed in the middle of the year; of a total: the
    sum over the parties in the role, each at its own rate."""
    p_loss: Statistic
    """Probability that the net is below 0."""
    p_profit: Statistic
    """Probability that the net is above 0; the rest breaks even exactly."""
    var95: NotRequired[Statistic]
    """Value at risk of the net: the loss that is exceeded with probability 5 %."""
    cvar95: NotRequired[Statistic]
    """Conditional value at risk of the net: the mean loss in the worst 5 %."""


class LenderSection(TypedDict):
    """Of who lends: the tranches that it holds, its lending and not its other cash."""

    money_in: Summary
    """Money paid in."""
    money_back: Summary
    """Money received on it."""
    peak_funding: Summary
    """The largest net outlay at the end of a month: minus the lowest point of the cumulative cash, 0 if never negative."""
    irr_status: Mapping[str, Statistic]
    """By status: share of replications by the outcome of the search for the rate."""
    payback_status: Mapping[str, Statistic]
    """By status: share of replications that are `paid_back`, `never`, or `no_cost` (nothing was paid in)."""
    drawn: NotRequired[Summary]
    """Money drawn by the study, from all lenders; under `all_lenders`, or under the only lender."""
    p_no_payment_beyond_guarantee: NotRequired[Statistic]
    """Probability that the contingent terms together pay 0 or less; under `all_lenders`, or under the only lender."""
    repayment: NotRequired[Mapping[str, Statistic]]
    """By level: share of replications by the scale below, of those in which money was paid in."""
    moic: NotRequired[Summary]
    """Multiple: money back / money in, over the replications in which money was paid in."""
    irr: NotRequired[QuantilesAlone]
    """Internal rate of return, over the replications that have one; a total loss counts as -1. No mean, because a mean of rates is not a
    rate of return."""
    payback_months: NotRequired[QuantilesAlone]
    """Months from the start until the cumulative cash stays at 0 or above, over the replications in which it does."""
    irr_of_mean_cash: NotRequired[Statistic]
    """The rate of return of the mean cash of each month."""


class PayerSection(TypedDict):
    """Of who pays."""

    payment: Summary
    """The party's part of the payments owed by the contract's outcome payer, under all terms."""
    true_saving: Summary
    """Cost of the twins minus cost of the service users, to the horizon, valued for the party by `public_value`."""
    other_cash: NotRequired[Summary]
    """Of a payer with other cash than the payment (own costs, what is left over): net = true saving less payment + other cash."""
    unpaid: NotRequired[Summary]
    """Of a payer with `pays_share` or `leaves_in_month`: owed and never paid."""
    p_unpaid: NotRequired[Statistic]
    """Probability that there is any."""


class PaymentAgainstSaving(TypedDict):
    """Joint statistics of payment and saving."""

    expected_payment: Statistic
    """Mean payment of all payers."""
    expected_true_saving: Statistic
    """Mean true saving of all payers."""
    expected_difference: Statistic
    """Mean of saving less payment."""
    p_paid_beyond_guarantee_without_saving: Statistic
    """Probability that the contingent terms pay and there is no true saving."""
    p_saving_without_payment_beyond_guarantee: Statistic
    """Probability that there is a true saving and the contingent terms pay nothing."""


class ValueSection(TypedDict):
    """Who pays and who saves."""

    cash: Summary
    """The party's own cash, including its own `costs`; over all parties, and suppliers outside the study, it sums to 0."""
    value: Summary
    """Value of the true effect to it."""
    cashable: Summary
    """The part of the value that can be released as cash."""
    net: Summary
    """Cash + value."""
    p_net_below_zero: Statistic
    """Probability that the net is below 0."""


class MetricSection(TypedDict, total=False):
    """A metric, over the replications in which it was measured, or in which there is a truth; without fewer than two of them."""

    estimate: Summary
    """The evaluator's estimate, if something was measured; positive when the service users did better. With fewer than two
    replications there is none, here and below."""
    p_estimate_positive: Statistic
    """Probability that the estimate is above 0."""
    truth: Summary
    """The same quantity against the twin, within the window."""
    p_truth_positive: Statistic
    """Probability that the truth is above 0."""
    error: MeanAndSd
    """Estimate less truth."""
    evaluators_standard_error: MeanAndSd
    """The standard error that the evaluator would report."""


class TermSection(TypedDict):
    """Payments of a term."""

    amount: Summary
    """Payment under the term."""
    bound: Mapping[str, Statistic]
    """By limit: probability that it decided: `formula`, `floor`, `cap`, `gate` or `stop`; `total_cap`, and limits inside the term by their
    paths, if it has any ([meaning](contract.md))."""


class OutcomeSection(TypedDict):
    """An outcome that is counted person by person."""

    number: Summary
    """People, or units, for whom it is claimed."""
    paid: NotRequired[Summary]
    """What rate cards pay for it, before the floor, cap and gates of their terms; absent if none has a price for it."""


class PeopleSection(TypedDict):
    """The people."""

    service_users: Summary
    """People who entered the service, over all waves."""


class NotMeasuredSection(TypedDict):
    """How often a metric lacked a number; its statistics are those of the other replications, and the table says so."""

    not_measured: Statistic
    """Share of the replications without an estimate: nobody was observed in one of the groups, or it is relative to zero."""
    standard_error_unknown: Statistic
    """Share of the replications in which the estimate has no known standard error, because only one person was observed in a group."""
    no_truth: Statistic
    """Share of the replications without a true value: nobody entered, or it is relative to zero."""


class DiagnosticsSection(TypedDict):
    """Signs of trouble that are statistics."""

    replications_with_clipped_probabilities: Statistic
    """Probability that something drawn had to be clipped to a valid probability or rate: probabilities of leaving a state or shares above
    1, or an effect that pushed a probability out of 0 to 1, or a rate below 0. If much above 0, use narrower distributions, or state the
    effect as a ratio of hazards or odds."""
    metrics: Mapping[str, NotMeasuredSection]
    """By metric: how often it lacked a number. The statistics of the metric are those of the other replications, and the table says so."""


class TrancheSection(TypedDict):
    """A tranche."""

    paid_in: Summary
    """Paid in."""
    money_back: Summary
    """Received."""
    net: Summary
    """The difference."""
    lost: Summary
    """Principal that was never paid back, after guarantees."""
    p_loss: Statistic
    """Probability that the net is below 0."""
    ending: Mapping[str, Statistic]
    """By ending: probability that it ended `whole` (principal and interest paid), `short`, or `at_limit` (its returns reached their limit)."""
    irr_status: Mapping[str, Statistic]
    """By status: as for a lender."""
    peak_outstanding: NotRequired[Summary]
    """Of a `revolving` tranche: the most that was outstanding."""
    p_exhausted: NotRequired[Statistic]
    """Of a `revolving` tranche: probability that in some month the last of what could be drawn was."""
    moic: NotRequired[Summary]
    """As for a lender."""
    irr: NotRequired[QuantilesAlone]
    """As for a lender."""


class CostSection(TypedDict):
    """A cost."""

    paid: Summary
    """Amount paid."""
    unpaid: Summary
    """Amount not paid for lack of money."""
    still_deferred: Summary
    """Amount deferred and never paid."""
    p_unpaid: Statistic
    """Probability that anything is not paid."""
    p_still_deferred: Statistic
    """Probability that anything is deferred and never paid."""


class StepSection(TypedDict):
    """A step of the waterfall."""

    paid: Summary
    """Payments of the step."""
    p_pays: Statistic
    """Probability that it paid anything."""


class GrantSection(TypedDict):
    """A grant."""

    paid: Summary
    """What was given."""


class GuaranteeSection(TypedDict):
    """A guarantee."""

    paid: Summary
    """Payments by the guarantor."""
    p_called: Statistic
    """Probability that it paid."""
    p_exhausted: Statistic
    """Probability that it paid its maximum and losses remained."""


class StructureSections(TypedDict, total=False):
    """The capital structure, if it is more than one loan that receives everything; each part if there is one."""

    tranches: Mapping[str, TrancheSection]
    """By tranche: what its holders pay and get."""
    costs: Mapping[str, CostSection]
    """By cost: what is paid for it."""
    steps: Mapping[str, StepSection]
    """By step: what the waterfall pays in it."""
    grants: Mapping[str, GrantSection]
    """By grant: what is given."""
    guarantees: Mapping[str, GuaranteeSection]
    """By guarantee: what the guarantor pays."""
