"""Consistency rules of the capital: names exist, shares add up, every lender is in the waterfall.

Each rule is a generator of findings `(path, rule, found, way out)` whose paths begin with `capital` or `parties`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from simengine.capital.plan import calling_order
from simengine.capital.spec import (
    RECOVERED,
    REPLACEMENT,
    RETAINED,
    WATERFALL_STEPS,
    Capital,
    Cost,
    Party,
    PayeeFails,
    Priced,
    WaterfallStep,
)
from simengine.errors import Finding, one_of
from simengine.records import ALL_LENDERS, ALL_PAYERS, INVESTOR, LOAN, PROJECT, SUPPLIERS

RESERVED_NAMES = frozenset(
    {
        *(PROJECT, SUPPLIERS, ALL_LENDERS, ALL_PAYERS, "all"),
        # First words of the columns of a run, and of the sections of its risk table and of its JSON object.
        *(
            "drawn",
            "service_users",
            "metric",
            "term",
            "outcome",
            "outcomes",
            "contingent_payment",
            "person_months",
            "clipped",
            "tranche",
            "cost",
            "step",
        ),
        *("guarantee", "grant", "deviation", "weight", "group", "replication", "parameter"),
        *("payment_against_saving", "public_value", "metrics", "terms", "people", "diagnostics", "tranches", "costs", "steps"),
        *(
            "guarantees",
            "grants",
            "title",
            "currency",
            "seed",
            "replications",
            "parties",
            "assumptions",
            "exceedance",
            "refused",
            "sampling",
        ),
        *("precision", "provenance"),
    }
)
"""Reserved names: a party of this name would collide with entries of the results."""


def capital_rules(
    capital: Capital, parties: Mapping[str, Party], rates: Collection[str], commitment: float, waves: Collection[str], horizon: int
) -> Iterator[Finding]:
    """Find all inconsistencies in the capital of a study.

    Parameters
    ----------
    capital, parties
        The sections.
    rates, waves
        The names of the tables of rates and of the waves.
    commitment
        The most that can be drawn, in the currency.
    horizon
        Months of the calendar.
    """
    for name, party in parties.items():
        if name in RESERVED_NAMES:
            rule = "a party must have a name that means nothing else in the results"
            yield f"parties.{name}", rule, f"`{name}`", "Choose another name"
        if party.discounting is not None and party.discounting not in rates:
            way_out = one_of(rates) or "The study has no `rates`"
            yield f"parties.{name}.discounting", "must be a table of `rates`", f"`{party.discounting}`", way_out
    yield from _draws(capital)
    yield from _parties(capital, parties)
    yield from _payers(capital)
    yield from _tranches(capital, commitment)
    yield from _costs(capital, parties, waves, horizon)
    yield from _months(capital, horizon)
    yield from _grants(capital, waves, horizon)
    yield from _waterfall(capital, parties, commitment)
    yield from _guarantees(capital)


def _draws(capital: Capital) -> Iterator[Finding]:
    path = "capital.drawdown_months"
    if capital.draws == "scheduled" and capital.drawdown_months is None:
        yield path, "a loan that is drawn as scheduled must take some months", "no `drawdown_months`", "Add it, or draw `as_needed`"
    if capital.draws == "as_needed" and capital.drawdown_months is not None:
        yield path, "a loan that is drawn as needed must have no months of drawdown", f"{capital.drawdown_months}", "Leave it out"
    if capital.draws == "as_needed" and not capital.costs:
        yield "capital.draws", "a loan that is drawn as needed must pay costs", "no `costs`", "Add `costs`, or draw `scheduled`"


def _parties(capital: Capital, parties: Collection[str]) -> Iterator[Finding]:
    named = {f"payers.{name}": name for name in capital.payers}
    named |= {f"costs.{name}.payee": cost.payee for name, cost in capital.costs.items()}
    named |= {
        f"costs.{name}.fails.replaced_by": cost.fails.replaced_by
        for name, cost in capital.costs.items()
        if cost.fails is not None and cost.fails.replaced_by is not None
    }
    named |= {f"grants.{name}.giver": grant.giver for name, grant in capital.grants.items()}
    named |= {f"tranches.{name}.holder": tranche.holder for name, tranche in capital.tranches.items()}
    named |= {f"guarantees.{name}.guarantor": one.guarantor for name, one in capital.guarantees.items()}
    for path, party in named.items():
        if party not in parties:
            yield f"capital.{path}", "must be a party of the study", f"`{party}`", one_of(parties)
    for name in set(capital.tranches) & set(parties):
        rule = "a tranche must have a name of its own: the waterfall names tranches and parties alike"
        yield f"capital.tranches.{name}", rule, f"`{name}` is a party too", ""
    for name in set(capital.guarantees) & set(capital.tranches):
        yield f"capital.guarantees.{name}", "a guarantee must have a name of its own", f"`{name}` is a tranche too", ""


def _payers(capital: Capital) -> Iterator[Finding]:
    for name, payer in capital.payers.items():
        if payer.recovered_share is not None and payer.leaves_in_month is None:
            rule = "what is recovered after a payer has left must go with the month in which it leaves"
            yield f"capital.payers.{name}.recovered_share", rule, "no `leaves_in_month`", "Add it, or write `pays_share`"
        if payer.late_interest_per_year is not None and payer.pays_late_months is None:
            rule = "interest on late payments must go with the months by which they are late"
            yield f"capital.payers.{name}.late_interest_per_year", rule, "no `pays_late_months`", "Add it, or leave it out"
    if capital.payers:
        yield from _whole({name: payer.share for name, payer in capital.payers.items()}, "capital.payers", "payers")


def _whole(shares: Mapping[str, object], path: str, noun: str) -> Iterator[Finding]:
    rests = [name for name, share in shares.items() if share == "rest"]
    total = sum(float(getattr(share, "value", 0.0)) for share in shares.values())
    if len(rests) > 1:
        yield path, f"the share `rest` must be that of one of the {noun} at most", ", ".join(rests), ""
    elif (not rests and abs(total - 1) > 1e-9) or total > 1 + 1e-9:
        yield path, f"the shares of the {noun} must add up to 1", f"{total:.10g}", "Give one of them the share `rest`"


def _tranches(capital: Capital, commitment: float) -> Iterator[Finding]:
    if not capital.tranches:
        return
    for name, tranche in capital.tranches.items() if capital.draws == "scheduled" else ():
        way_out = "Draw `as_needed`, or leave it out"
        if tranche.revolving:
            rule = "a tranche that may be drawn again must be drawn as needed: a schedule draws it once"
            yield f"capital.tranches.{name}.revolving", rule, "`draws: scheduled`", way_out
        if tranche.available_until_month is not None:
            rule = "a tranche that can be drawn until some month must be drawn as needed: a schedule has months of its own"
            yield f"capital.tranches.{name}.available_until_month", rule, "`draws: scheduled`", way_out
    rests = [name for name, tranche in capital.tranches.items() if tranche.size == "rest"]
    total = sum(tranche.size.value for tranche in capital.tranches.values() if tranche.size != "rest")
    if len(rests) > 1:
        yield "capital.tranches", "the size `rest` must be that of one tranche at most", ", ".join(rests), ""
    elif total > commitment * (1 + 1e-9) or (not rests and abs(total - commitment) > 1e-9 * commitment):
        rule = f"the tranches together must be the commitment of the contract, {commitment:,.10g}"
        yield "capital.tranches", rule, f"{total:,.10g}", "Give one of them the size `rest`, or change contract.commitment"


def _costs(capital: Capital, parties: Mapping[str, Party], waves: Collection[str], horizon: int) -> Iterator[Finding]:
    for name, cost in capital.costs.items():
        yield from _priced(f"capital.costs.{name}", cost, waves, horizon)
        if cost.fails is not None:
            yield from _fails(capital, name, cost, cost.fails)
    shares = [cost.share_of_income.support[1] for cost in capital.costs.values() if cost.share_of_income is not None]
    if sum(shares) > 1 + 1e-9:
        rule = "costs by `share_of_income` together must take no more than all of the income"
        yield "capital.costs", rule, f"up to {sum(shares):.10g} of it", "Lower some of the shares"
    for party, one in parties.items():
        for name, own in one.costs.items():
            path = f"parties.{party}.costs.{name}"
            yield from _priced(path, own, waves, horizon)
            if own.payee == party:
                rule = "what a party spends must go to another"
                yield f"{path}.payee", rule, f"`{party}` itself", "Leave `payee` out: then it goes to suppliers"
            elif own.payee is not None and own.payee not in parties:
                way_out = f"{one_of(parties)} Without a `payee` it goes to suppliers"
                yield f"{path}.payee", "it must be a party of the study", f"`{own.payee}`", way_out


def _fails(capital: Capital, name: str, cost: Cost, fails: PayeeFails) -> Iterator[Finding]:
    """Find what cannot be said of a payee that fails."""
    path = f"capital.costs.{name}.fails"
    if cost.form == "share_of_income":
        rule = "a cost whose payee may fail must fall due by months"
        yield path, rule, "`share_of_income`", "Give an `amount`, or so much `per_month` or `per_person`"
    if cost.deferred_share is not None:
        rule = "a cost whose payee may fail must be paid when it falls due"
        yield path, rule, "a `deferred_share`", "Leave one of them out"
    if fails.replaced_by == cost.payee:
        yield f"{path}.replaced_by", "a payee that fails must be replaced by another party", f"`{cost.payee}` itself", ""
    for key in ("after_months", "price_factor") if fails.replaced_by is None else ():
        if getattr(fails, key) is not None:
            rule = f"`{key}` must go with who replaces the payee"
            yield f"{path}.{key}", rule, "no `replaced_by`", "Add it, or leave it out"
    for added, others, noun in ((REPLACEMENT, capital.costs, "cost"), (RECOVERED, capital.grants, "grant")):
        if f"{name}{added}" in others:
            rule = f"the name `{name}{added}` must stand for what follows when the payee of `{name}` fails"
            yield f"capital.{noun}s.{name}{added}", rule, f"a {noun} of that name", "Choose another name"


def _grants(capital: Capital, waves: Collection[str], horizon: int) -> Iterator[Finding]:
    for name, grant in capital.grants.items():
        path = f"capital.grants.{name}"
        yield from _priced(path, grant, waves, horizon)
        if not capital.costs:
            yield path, "a grant must have costs to pay", "no `costs`", "Add `costs`"
        if grant.at_most is not None and capital.draws == "scheduled":
            rule = "a grant that pays what costs need must go with a loan that is drawn as needed"
            yield f"{path}.at_most", rule, "`draws: scheduled`", "Draw `as_needed`, or give an `amount` or so much `per_month`"


def _priced(path: str, cost: Priced, waves: Collection[str], horizon: int) -> Iterator[Finding]:
    """Find keys of a cost that its form does not use, waves that do not exist, and months beyond the horizon."""
    for wave in cost.waves:
        if wave not in waves:
            yield f"{path}.waves", "must be a wave of the population", f"`{wave}`", one_of(waves)
    ignored = {
        "waves": cost.form != "per_person",
        "over_months": cost.form != "per_person",
        "until_month": cost.form != "per_month",
        "from_month": cost.form in ("per_person", "share_of_income", "at_most"),
        "growth_per_year": cost.form in ("share_of_income", "at_most"),
    }
    for key in (key for key, is_ignored in ignored.items() if is_ignored and getattr(cost, key)):
        yield f"{path}.{key}", f"a {cost.noun} by `{cost.form}` must have no `{key}`", f"{getattr(cost, key)}", "Leave it out"
    for key in ("from_month", "until_month"):
        month = getattr(cost, key)
        if month is not None and month.value > horizon:
            rule = f"a {cost.noun} must fall due within the horizon of {horizon} months"
            yield f"{path}.{key}", rule, f"month {month.value:g}", ""


def _months(capital: Capital, horizon: int) -> Iterator[Finding]:
    months = {
        "reserve.until_month": None if capital.reserve is None else capital.reserve.until_month,
        "distributed_from_month": capital.distributed_from_month,
        **{f"tranches.{name}.available_until_month": one.available_until_month for name, one in capital.tranches.items()},
        **{f"guarantees.{name}.month": one.month for name, one in capital.guarantees.items()},
    }
    for path, month in months.items():
        if month is not None and month.value > horizon:
            yield f"capital.{path}", f"it must lie within the horizon of {horizon} months", f"month {month.value:g}", ""


def _waterfall(capital: Capital, parties: Collection[str], commitment: float) -> Iterator[Finding]:
    tranches = list(capital.tranches) or [LOAN]
    known: dict[str, tuple[str, Collection[str]]] = {
        "deferred": ("a cost", capital.costs),
        "reimburse": ("a guarantee", capital.guarantees),
        "rest": ("a tranche or a party", [*tranches, *parties]),
        RETAINED: ("", (RETAINED,)),
    }
    seen: dict[tuple[str, str], str] = {}
    steps = capital.waterfall
    for name, step in steps.items():
        noun, names = known.get(step.kind, ("a tranche", tranches))
        for one in step.names:
            path = f"capital.waterfall.{name}.{step.kind}"
            if one not in names:
                yield path, noun, f"`{one}`", one_of(names)
            first = seen.setdefault((step.kind, one), name)
            if first != name and step.kind not in ("returns", RETAINED):
                yield path, "nothing must be paid twice", f"`{one}` here and in `{first}`", "Leave it out of one of them"
    for name, step in capital.all_steps().items():
        yield from _shares(capital, step, f"capital.waterfall.{name}")
    if steps:
        yield from _is_complete(capital, commitment, seen, list(steps.values()))
    elif capital.grants and not capital.tranches and commitment == 0:
        rule = "a study without a loan must say who gets what comes in"
        way_out = "Add a step such as `surplus: {rest: {service_provider: 1}}`"
        yield "capital.waterfall", rule, "no `waterfall`, whose default pays it to a lender", way_out


def _shares(capital: Capital, step: WaterfallStep, path: str) -> Iterator[Finding]:
    if step.rest is not None:
        yield from _whole(step.rest, f"{path}.rest", "rest")
        for name in step.rest:
            tranche = capital.tranches.get(name)
            if tranche and (tranche.returns_at_most_multiple is not None or tranche.returns_at_most_per_year is not None):
                rule = "a tranche whose returns have a limit must share in `returns`, not in the rest"
                yield f"{path}.rest.{name}", rule, f"`{name}` has a limit", "Put a step `returns` before the rest"
    if step.returns is not None and sum(share.value for share in step.returns.values()) > 1 + 1e-9:
        found = f"{sum(share.value for share in step.returns.values()):.10g}"
        yield f"{path}.returns", "the shares of what is left must add up to 1 at most", found, ""


def _is_complete(
    capital: Capital, commitment: float, seen: Mapping[tuple[str, str], str], steps: list[WaterfallStep]
) -> Iterator[Finding]:
    """Find lenders and deferred costs without a place, and money without a recipient."""
    rests = [step for step in steps if step.kind == "rest"]
    if len(rests) != 1 or steps[-1].kind != "rest":
        rule = "the last step, and no other, must hand out the `rest`: otherwise money is left over"
        yield "capital.waterfall", rule, f"steps {', '.join(step.kind for step in steps)}", ""
    needed = [("principal", name) for name in capital.tranches or ((LOAN,) if commitment > 0 else ())]
    needed += [("interest", name) for name, one in capital.tranches.items() if one.bears_interest]
    needed += [("deferred", name) for name, one in capital.costs.items() if one.deferred_share is not None]
    for kind, name in needed:
        if (kind, name) not in seen:
            rule = "everybody to whom money is owed must have a step in the waterfall"
            yield "capital.waterfall", rule, f"no step `{kind}` for `{name}`", f"Steps are {', '.join(WATERFALL_STEPS)}"


def _guarantees(capital: Capital) -> Iterator[Finding]:
    tranches = list(capital.tranches) or [LOAN]
    for name, one in capital.guarantees.items():
        for covered in one.covers:
            path = f"capital.guarantees.{name}.covers"
            if covered not in tranches and covered not in capital.guarantees:
                yield path, "must be a tranche or another guarantee", f"`{covered}`", one_of([*tranches, *capital.guarantees])
            elif _bearer(capital, covered) == one.guarantor:
                yield path, "a guarantor must make good what another lost", f"`{one.guarantor}` bears the loss of `{covered}`", ""
    try:
        calling_order(capital.guarantees)
    except ValueError as loop:
        yield "capital.guarantees", "guarantees must not cover each other in a loop", str(loop), "Take one of them out of `covers`"


def _bearer(capital: Capital, covered: str) -> str:
    if covered in capital.guarantees:
        return capital.guarantees[covered].guarantor
    return capital.tranches[covered].holder if covered in capital.tranches else INVESTOR
