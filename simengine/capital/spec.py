"""Specification of the capital: drawdown, costs, tranches, waterfall and guarantees."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Annotated, ClassVar, Literal, Self, TypeAlias, cast

from pydantic import AfterValidator, Field, model_validator

from simengine.capital.rates import YearlyRate
from simengine.distributions import (
    Constant,
    Count,
    Fixed,
    Name,
    Names,
    NamesOrNone,
    NotNegative,
    Probability,
    Quantity,
    Spec,
    within,
)
from simengine.records import DELIVERY, INVESTOR, LOAN, OUTCOME_PAYER, ROLES

_Share = Annotated[Fixed, AfterValidator(within(0, 1, "a share must lie between 0 and 1"))]
_Coupon = Annotated[Quantity, AfterValidator(within(0, 1, "a coupon or return must lie between 0 and 1 a year"))]
_Fee = Annotated[Quantity, AfterValidator(within(0, 1, "a fee must lie between 0 and 1 a year"))]
_DISCOUNT = "a discount rate must lie between 0 and 1 a year (a table of `rates`, named by `discounting`, may be negative)"
_IS_MONEY = "an amount of money must lie between 0 and 1e15"


def _is_money(number: Quantity) -> Quantity:
    """Refuse amounts that are negative or too large; for an unbounded distribution the size is checked only in the run."""
    return cast(Quantity, within(0, inf if number.support[1] == inf else 1e15, _IS_MONEY)(number))


_Money = Annotated[Quantity, AfterValidator(_is_money)]
_Month = Annotated[Count, AfterValidator(within(0, 1200, "a month of the calendar must lie between 0 and 1200"))]
_Whole = Annotated[Fixed, AfterValidator(within(0, 1e15, _IS_MONEY))]
ShareOfWhole: TypeAlias = Annotated[_Share | Literal["rest"], Field(union_mode="left_to_right")]
"""A fixed share, or the remainder."""


def shares_of(shares: Mapping[str, Constant | Literal["rest"]]) -> list[float]:
    """Return the shares of a total as numbers; `rest` is the remainder."""
    left = max(1.0 - sum(share.value for share in shares.values() if share != "rest"), 0.0)
    return [left if share == "rest" else share.value for share in shares.values()]


class Priced(Spec):
    """A price: an amount once, by month, or for each service user."""

    forms: ClassVar[tuple[str, ...]] = ("amount", "per_month", "per_person")
    """The keys of the alternative forms."""
    noun: ClassVar[str] = "cost"

    amount: _Money | None = None
    """A sum, once, in `from_month`; absent: another form."""
    per_month: _Money | None = None
    """A sum in each month from `from_month` to `until_month`; absent: another form."""
    per_person: _Money | None = None
    """A sum for each service user of `waves`, spread evenly over `over_months` from entry; a wave enters evenly over its enrolment;
    absent: another form."""
    from_month: _Month | None = None
    """The first month; absent: the start."""
    until_month: _Month | None = None
    """The last month; absent: the horizon."""
    waves: NamesOrNone = ()
    """The waves whose people cost something; absent: all."""
    over_months: Annotated[Count, AfterValidator(within(1, 600, "a service must last from 1 to 600 months"))] | None = None
    """Months over which a person costs something; absent: 1."""
    growth_per_year: YearlyRate | None = None
    """Growth of the price from month 0, month by month."""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        given = [name for name in self.forms if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"a {self.noun} must be given by one of {', '.join(self.forms)}; found {', '.join(given) or 'none'}")
        if self.until_month is not None and self.from_month is not None and self.until_month.value < self.from_month.value:
            raise ValueError(f"a {self.noun} must end after it begins; found months {self.from_month} to {self.until_month}")
        return self

    @property
    def form(self) -> str:
        """The key of the form that is given."""
        return next(name for name in self.forms if getattr(self, name) is not None)


class OwnCost(Priced):
    """A party's own cost, paid from its own account: salaries, premises, an administration. No loan is drawn for it."""

    payee: Name | None = None
    """Who receives it: another party; absent: `suppliers` outside the study."""


class PayeeFails(Spec):
    """What happens when the payee of a cost gives up: nobody delivers for a while, then somebody else does."""

    in_month: NotNegative
    """The month from which nothing is paid to it; the integer part of the drawn value. A constant hazard is a `gamma` as for a
    payer that leaves. Beyond the horizon it does not fail."""
    replaced_by: Name | None = None
    """Who is paid from then on, as the cost `<cost>_replacement`: another party; absent: nobody, and the rest of the cost falls
    away."""
    after_months: _Month | None = None
    """Months in which nobody delivers and nothing falls due; absent: 0."""
    price_factor: Annotated[Quantity, AfterValidator(within(0, 100, "a factor must lie between 0 and 100"))] | None = None
    """What the replacement costs, as a multiple of what would have fallen due; absent: 1."""
    recovered: _Money | None = None
    """What the project gets back from the payee in that month, such as an advance or a bond; it is used as a grant is, and noted as
    `<cost>_recovered`; absent: nothing."""


class Cost(Priced):
    """A cost of the project; beside the other forms it may be a percentage of the income."""

    forms = ("amount", "per_month", "per_person", "share_of_income")

    payee: Name
    """Who receives it: a party."""
    share_of_income: Probability | None = None
    """A share of all payments to the lenders, deducted before them; all such shares together are at most 1; absent: another
    form."""
    deferred_share: Probability | None = None
    """Share that is not paid when it falls due but at its place in the waterfall: a fee at risk, or a deferred fee."""
    fails: PayeeFails | None = None
    """That its payee may fail; not beside `share_of_income` or `deferred_share`; absent: it does not."""


class Grant(Priced):
    """Money that is given for the costs of the project: nobody owes it back."""

    forms = ("amount", "per_month", "per_person", "at_most")
    noun = "grant"

    giver: Name
    """Who gives it: a party."""
    at_most: _Money | None = None
    """The most that is given of what costs need, month by month, before any tranche pays in; drawn `as_needed`; absent: another
    form."""


class Party(Spec):
    """A party of the study."""

    name: str
    """Name in tables and picture."""
    discount_rate_per_year: Annotated[Fixed, AfterValidator(within(0, 1, _DISCOUNT))] | None = None
    """Rate at which the party discounts money; absent: a table of `discounting`."""
    discounting: Name | None = None
    """The table of `rates` at which the party discounts money; absent: one rate."""
    costs: dict[Name, OwnCost] = {}
    """The party's own expenses, by names of your choice; each in one of three forms."""

    @model_validator(mode="after")
    def _one_rate(self) -> Party:
        if (self.discount_rate_per_year is None) == (self.discounting is None):
            found = "neither" if self.discounting is None else "both"
            raise ValueError(
                f"a party must have a `discount_rate_per_year` or name a table of `rates` as `discounting`; found {found}"
            )
        return self


def _has_roles(parties: dict[str, Party]) -> dict[str, Party]:
    missing = [role for role in ROLES if role not in parties]
    if missing:
        raise ValueError(f"every study must have the parties {', '.join(ROLES)}; missing: {', '.join(missing)}")
    return parties


Parties: TypeAlias = Annotated[dict[Name, Party], AfterValidator(_has_roles)]
"""By name: the parties; beside the three roles any number of others."""


class Payer(Spec):
    """A party that pays a part of the amounts owed by the outcome payer."""

    share: ShareOfWhole
    """Its share of the amounts owed."""
    pays_late_months: NotNegative | None = None
    """Months by which its payments are late; the integer part of the drawn value."""
    late_interest_per_year: _Coupon | None = None
    """Simple interest on what it pays late, a twelfth of it a month, paid with it to whom the payment is owed."""
    pays_share: Probability | None = None
    """Share of the amount owed that it actually pays; absent: all."""
    leaves_in_month: NotNegative | None = None
    """The month from which it pays nothing more, whenever the amount was owed, and no other payer steps in; the integer part of the
    drawn value. A constant hazard is `{distribution: gamma, mean: M, sd: M}` with the mean M in months: 12 divided by the hazard
    per year. Beyond the horizon it never leaves; absent: it stays."""
    recovered_share: Probability | None = None
    """Share of what it would have paid that still comes, at the same dates, after it has left."""


class Tranche(Spec):
    """A part of the loan with its own holder; the first named is the most senior."""

    holder: Name
    """Who lends it: a party."""
    size: _Whole | Literal["rest"]
    """Its part of the commitment, in the currency; all together are the commitment."""
    coupon_per_year: _Coupon | None = None
    """Interest on what is outstanding, unpaid interest included, month by month: paid in full, it is the rate of return."""
    returns_at_most_multiple: NotNegative | None = None
    """Payments from a step `returns` stop when it has received this multiple of the amount paid in; absent: no limit."""
    returns_at_most_per_year: _Coupon | None = None
    """Payments from a step `returns` stop when its rate of return to date reaches this; absent: no limit."""
    revolving: bool = False
    """Whether principal that is paid back may be drawn again, up to the size: a line of credit; drawn `as_needed`."""
    commitment_fee_per_year: _Fee | None = None
    """Fee on what may still be drawn, a twelfth each month from month 1 on, up to `available_until_month` or a stop; owed with the
    interest, and like it bearing the coupon while it is not paid."""
    available_until_month: _Month | None = None
    """The last month in which it may be drawn, and for which the fee is owed; drawn `as_needed`; absent: the horizon."""

    @property
    def bears_interest(self) -> bool:
        """Whether more than principal is owed on it."""
        return self.coupon_per_year is not None or self.commitment_fee_per_year is not None


class Guarantee(Spec):
    """A promise to cover losses of some tranches, or payments of another guarantor."""

    guarantor: Name
    """Who promises: a party."""
    covers: Names
    """Tranches, or other guarantees."""
    share: _Share | None = None
    """Share of the lost principal that is covered; absent: all."""
    at_most: _Whole | None = None
    """The most that is paid, in the currency; absent: no limit."""
    at_most_share_of_drawn: _Share | None = None
    """The most that is paid, as a share of the amount paid in by the covered tranches; absent: no limit."""
    month: _Month | None = None
    """When it is called, after the waterfall of that month; absent: the horizon."""


class Reserve(Spec):
    """Money that is drawn at the start and held for costs that nothing else can pay."""

    amount: _Whole
    """How much, in the currency."""
    until_month: _Month
    """When the remainder joins the money to be distributed."""


class WaterfallStep(Spec):
    """One step of the waterfall: each is paid in full, as far as the money goes, before the next."""

    interest: Names | None = None
    """Tranches whose interest and commitment fees are paid; absent: another kind of step."""
    principal: Names | None = None
    """Tranches that are paid back; absent: another kind of step."""
    deferred: Names | None = None
    """Costs whose deferred part is paid; absent: another kind of step."""
    reimburse: Names | None = None
    """Guarantees whose guarantors get back what they paid; absent: another kind of step."""
    returns: Annotated[dict[Name, _Share], Field(min_length=1)] | None = None
    """By tranche: its share of the remainder, up to the tranche's limit; the rest goes to the next step; absent: another kind of
    step."""
    rest: Annotated[dict[Name, ShareOfWhole], Field(min_length=1)] | None = None
    """By tranche or party: its share of the whole remainder; the last step; absent: another kind of step."""
    retained: _Share | None = None
    """Share of the remainder that stays in the project for later costs; it joins the waterfall when no cost is left. Unlike
    `recycled_share`, which is taken before the waterfall, only what earlier steps leave; absent: another kind of step."""

    @model_validator(mode="after")
    def _one_kind(self) -> WaterfallStep:
        given = [name for name in WATERFALL_STEPS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"a step of the waterfall must be one of {', '.join(WATERFALL_STEPS)}; found {', '.join(given) or 'none'}"
            )
        return self

    @property
    def kind(self) -> str:
        """The key that says what is paid."""
        return next(name for name in WATERFALL_STEPS if getattr(self, name) is not None)

    @property
    def names(self) -> tuple[str, ...]:
        """The payees of the step; the word `retained` where nobody is paid."""
        return (RETAINED,) if self.kind == RETAINED else tuple(getattr(self, self.kind))


RETAINED = "retained"
REPLACEMENT, RECOVERED = "_replacement", "_recovered"
"""What is added to the name of a cost for what is paid to whoever replaces its payee, and for what a payee that fails pays back."""
WATERFALL_STEPS = ("interest", "principal", "deferred", "reimburse", "returns", "rest", RETAINED)


class Capital(Spec):
    """Financing of the project, and distribution of its income."""

    draws: Literal["scheduled", "as_needed"] = "scheduled"
    """When the loan is drawn: `scheduled`, in equal monthly parts from the start; `as_needed`, what is missing for the costs of a
    month."""
    drawn_share: Probability | None = None
    """Share of the commitment that is drawn, or can be drawn; absent: all."""
    drawdown_months: Annotated[Quantity, AfterValidator(within(1, 600, "drawdown must take from 1 to 600 months"))] | None = None
    """Months from the start over which it is drawn in equal parts, needed if `scheduled`; the integer part of the drawn value."""
    draw_order: Literal["side_by_side", "senior_first", "junior_first"] = "side_by_side"
    """Which tranche pays in first; side by side in proportion to their sizes."""
    payment_month: dict[str, NotNegative] = {}
    """By term: the month in which it is paid, within the horizon; the integer part of the drawn value. Needed for every term of a
    contract without its own dates."""
    payers: dict[Name, Payer] = {}
    """By party: who pays the amounts owed by the contract's outcome payer; absent: the outcome payer alone."""
    costs: dict[Name, Cost] = {}
    """Costs paid by the project, by names of your choice, in the order in which they are paid; absent: the service provider
    receives the amount drawn."""
    grants: dict[Name, Grant] = {}
    """Money that is given for costs, by names of your choice, in the order in which it is used; what costs leave of it joins the
    waterfall."""
    recycled_share: Probability | None = None
    """Share of the lenders' income that may pay later costs; it joins the waterfall when no cost is left."""
    reserve: Reserve | None = None
    """Money drawn at the start and held for costs that nothing else can pay."""
    shortfall: Literal["refused", "allowed"] = "refused"
    """Whether costs may stay unpaid if the money is insufficient."""
    tranches: dict[Name, Tranche] = {}
    """Parts of the loan, by names of your choice, the most senior first; absent: one loan of the investor."""
    waterfall: dict[Name, WaterfallStep] = {}
    """By step: what is paid, in order; each step is paid in full, as far as the money goes, before the next; absent: each tranche's
    interest and principal in turn, then deferred costs, then guarantors, then the rest to the last tranche."""
    guarantees: dict[Name, Guarantee] = {}
    """Promises to cover losses, by names of your choice."""
    distributed_from_month: _Month | None = None
    """Money received earlier is held until then; absent: nothing is held."""

    @property
    def payees(self) -> dict[str, str]:
        """Who is paid for the costs of the project, by cost, in the order in which they are paid; replacements after whom they replace."""
        payees: dict[str, str] = {}
        for name, cost in self.costs.items():
            payees[name] = cost.payee
            if cost.fails is not None and cost.fails.replaced_by is not None:
                payees[f"{name}{REPLACEMENT}"] = cost.fails.replaced_by
        return payees or {DELIVERY: "service_provider"}

    @property
    def lenders(self) -> tuple[str, ...]:
        """Parties that hold a tranche, in the order of the tranches; the investor where none are named."""
        return tuple(dict.fromkeys(tranche.holder for tranche in self.tranches.values())) or (INVESTOR,)

    @property
    def who_pays(self) -> tuple[str, ...]:
        """Parties that pay the amounts owed by the contract's outcome payer; the party of that name if no others are named."""
        return tuple(self.payers) or (OUTCOME_PAYER,)

    def has_lenders(self, commitment: float) -> bool:
        """Whether somebody lends, or gets what lenders get: not where all the money is given and the waterfall names no lender."""
        named = {name for step in self.waterfall.values() for name in step.names}
        return bool(self.tranches) or commitment > 0 or not self.waterfall or LOAN in named

    def all_tranches(self, commitment: float) -> dict[str, Tranche]:
        """Return the tranches, one of the investor's if none are named, with what `rest` stands for."""
        if not self.tranches:
            return {LOAN: Tranche(holder=INVESTOR, size=Constant(value=commitment))}
        named = sum(tranche.size.value for tranche in self.tranches.values() if tranche.size != "rest")
        rest = Constant(value=commitment - named)
        return {
            name: tranche.model_copy(update={"size": rest}) if tranche.size == "rest" else tranche
            for name, tranche in self.tranches.items()
        }

    def all_steps(self) -> dict[str, WaterfallStep]:
        """Return the waterfall, written out where the study leaves it out."""
        if self.waterfall:
            return self.waterfall
        tranches = self.tranches or {LOAN: Tranche(holder=INVESTOR, size="rest")}
        steps: dict[str, WaterfallStep] = {}
        for name, tranche in tranches.items():
            if tranche.bears_interest:
                steps[f"{name}_interest"] = WaterfallStep(interest=(name,))
            steps[f"{name}_principal"] = WaterfallStep(principal=(name,))
        deferred = tuple(name for name, cost in self.costs.items() if cost.deferred_share is not None)
        if deferred:
            steps["deferred"] = WaterfallStep(deferred=deferred)
        if self.guarantees:
            steps["guarantors"] = WaterfallStep(reimburse=tuple(self.guarantees))
        return steps | {"rest": WaterfallStep(rest={list(tranches)[-1]: "rest"})}
