"""Parties and roles: parties with cash, lenders, payers, and the measures that each can have.

A measure names a party with cash in the study or, if several parties have a role, `all_lenders` or `all_payers`. A total of a role
is never reported under the name of a party.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from simengine.errors import Finding, UsageError, one_of
from simengine.records import ALL_LENDERS, ALL_PAYERS, INVESTOR, OUTCOME_PAYER
from simengine.risk.parties import names_of_role

if TYPE_CHECKING:
    from simengine.config.study import Study
    from simengine.risk.measures import Measure


def parties_behind(study: Study, name: str) -> tuple[str, ...]:
    """Names of the parties behind a party of the contract: all lenders for its investor, all payers for its outcome payer."""
    return {INVESTOR: lenders_of(study), OUTCOME_PAYER: study.capital.who_pays}.get(name, (name,))


def lenders_of(study: Study) -> tuple[str, ...]:
    """Names of the parties that lend; none where nobody does."""
    return study.capital.lenders if study.capital.has_lenders(study.contract.commitment.value) else ()


def with_money(study: Study) -> tuple[str, ...]:
    """Names of the parties with cash or public value in a study, in order."""
    capital, named = study.capital, [*lenders_of(study), *study.capital.who_pays]
    for term in study.contract.terms.values():
        named += [*parties_behind(study, term.payer), *parties_behind(study, term.payee)]
    named += capital.payees.values()
    for name, party in study.parties.items():
        named += [name, *(cost.payee for cost in party.costs.values() if cost.payee is not None)] if party.costs else []
    named += [grant.giver for grant in capital.grants.values()]
    named += [one.guarantor for one in capital.guarantees.values()]
    named += [name for step in capital.waterfall.values() for name in step.rest or ()]
    named += [party for by_party in study.public_value.values() for party in by_party]
    return tuple(party for party in study.parties if party in named)


def without_costs(study: Study) -> tuple[str, ...]:
    """Names of the parties that are paid for the service, state no costs and never pay: what they are paid counts as their net."""
    capital = study.capital
    paid = list(capital.payees.values())
    paid += [cost.payee for party in study.parties.values() for cost in party.costs.values() if cost.payee is not None]
    pays = {*lenders_of(study), *capital.who_pays, *(party for by_party in study.public_value.values() for party in by_party)}
    pays |= {name for term in study.contract.terms.values() for name in parties_behind(study, term.payer)}
    pays |= {grant.giver for grant in capital.grants.values()} | {one.guarantor for one in capital.guarantees.values()}
    return tuple(name for name, party in study.parties.items() if name in paid and name not in pays and not party.costs)


def values_nothing(study: Study) -> tuple[str, ...]:
    """Names of the payers for whom no outcome is valued: what they save is not known."""
    valued = {party for by_party in study.public_value.values() for party in by_party}
    return tuple(name for name in study.capital.who_pays if name not in valued)


def totals_of(study: Study) -> tuple[str, ...]:
    """Names of the totals that a study has: `all_lenders`, `all_payers`, each only if several parties have the role."""
    in_role = {ALL_LENDERS: study.capital.lenders, ALL_PAYERS: study.capital.who_pays}
    return tuple(total for total, parties in in_role.items() if len(parties) > 1)


def roles_in_words(study: Study) -> str:
    """Return a description of lenders and payers, and of the names of their totals."""
    said = []
    for verb, total, parties in (("lends", ALL_LENDERS, study.capital.lenders), ("pays", ALL_PAYERS, study.capital.who_pays)):
        if len(parties) > 1:
            said.append(f"{verb[:-1]}: {', '.join(parties)}, together {total}")
        else:
            said.append(f"{verb}: {parties[0]}")
    return f"Who {'; who '.join(said)}"


def money_findings(study: Study, name: str, path: str) -> Iterator[Finding]:
    """Find a name under which a study has no money."""
    known = [*with_money(study), *totals_of(study)]
    if name not in known:
        found = f"`{name}`, whose money nothing in the study moves" if name in study.parties else f"`{name}`"
        yield path, "must be a party whose money the study moves", found, f"{one_of(known)}. {roles_in_words(study)}"


def lender_findings(study: Study, measure: Measure, path: str) -> Iterator[Finding]:
    """Find a measure about a loan for a party that does not lend."""
    lenders = names_of_role(ALL_LENDERS, study.capital.lenders)
    if measure.kind.of_lenders and measure.party not in lenders:
        rule = f"must be asked of who lends, for `{measure.name}` is about what comes back on a loan"
        yield path, rule, f"`{measure}`", one_of(lenders)


def refuse_without_money(study: Study, name: str, place: str) -> None:
    """Refuse a name without cash in a study.

    Raises
    ------
    UsageError
        If the name is neither a party with cash, nor a total.
    """
    for _, rule, found, way_out in money_findings(study, name, place):
        raise UsageError(f"{place}: {rule}; found {found}. {way_out}")


def the_only(study: Study, total: str, place: str) -> str:
    """Name of the only party in a role.

    Raises
    ------
    UsageError
        If several parties have it, so that one must be named.
    """
    parties = study.capital.lenders if total == ALL_LENDERS else study.capital.who_pays
    if len(parties) > 1:
        raise UsageError(f"{place}: must say whose money is meant where several parties share a role; found nobody named. "
                         f"{one_of([*parties, total])}")  # fmt: skip
    return parties[0]
