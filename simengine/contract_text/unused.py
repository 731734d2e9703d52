"""Find names that a contract does not use, and outcomes that it pays for twice or repeatedly."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from simengine.contract.compile import compile_contract
from simengine.contract.scope import MONEY
from simengine.contract.spec import Contract
from simengine.contract.terms import Named, Source, Term, parts_within
from simengine.contract.terms.base import MilestoneList
from simengine.contract_text.remark import Remark, remark_in_words
from simengine.contract_text.trials import Spans, pay, probe_draws, usual_spans


def unused_findings(contract: Contract) -> Iterator[Remark]:
    """Find parties, waves, dates and derived metrics that nothing refers to."""
    acting = {party for term in contract.terms.values() for party in (term.payer, term.payee)}
    acting |= {party for stop in contract.stops.values() for party in stop.by}
    for party in contract.parties:
        if party not in acting:
            yield remark_in_words("unused", f"parties.{party}", noun="party", name=party)
    columns = compile_contract(contract).code.columns
    told_apart = {column[1 if column[0] == "people" else 2] for column in columns if column[0] in ("wave", "people", "combination")}
    have_prices = any(term.prices_waves for term in contract.terms.values())
    for place, wave in enumerate(contract.waves if not have_prices else ()):
        if place not in told_apart:
            yield remark_in_words("unused", f"waves.{wave}", noun="wave", name=wave)
    named, decided = _names(contract), {stop.at for stop in contract.stops.values()}
    decided |= {variation.at for variation in contract.variations.values()}
    varied = {name for term in contract.terms.values() for name in term.names_variations}
    for name in contract.variations:
        if name not in named | varied:
            yield remark_in_words("unused", f"variations.{name}", noun="variation", name=name)
    for name, use in contract.metrics.items():
        if use.derived is not None and name not in named:
            yield remark_in_words("unused", f"metrics.{name}", noun="derived metric", name=name)
    for date, due in contract.calendar.items():
        is_settled = any(date in contract.dates_of(term) for term in contract.terms.values())
        if not is_settled and due.drawn is None and date not in decided:
            yield remark_in_words("unused", f"dates.{date}", noun="date", name=date)


def _names(contract: Contract) -> set[str]:
    """Find the names to which terms, stops, variations and the total cap refer, through metrics that they follow from."""
    sources: list[Source] = [*contract.terms.values(), *([] if contract.total_cap is None else [contract.total_cap])]
    found = {metric for _, metric, _ in contract.decisive_gates()}
    for source in sources:
        for _, node in parts_within(source, ""):
            found |= {node.root} if isinstance(node, Named) else set(node.only_if)
    waiting = [name for name in found if name in contract.metrics]
    while waiting:
        derived = contract.metrics[waiting.pop()].derived
        for _, node in parts_within(derived, "") if derived is not None else ():
            more = ({node.root} if isinstance(node, Named) else set(node.only_if)) - found
            found |= more
            waiting += [name for name in more if name in contract.metrics]
    return found - set(MONEY)


def milestone_findings(contract: Contract) -> Iterator[Remark]:
    """Find milestones that no term pays for, and those that two terms pay the same people for."""
    every = frozenset(contract.waves)
    priced = [
        found
        for term, source in contract.terms.items()
        for found in _priced(contract, source, f"terms.{term}", every, in_doubt=False)
    ]
    names = list(contract.milestones)
    decisive: set[str] = set()
    for _, node in parts_within(contract.terms, ""):
        listed = node.milestone_list if isinstance(node, Term) else None
        decisive |= set() if listed is None else listed.decisive(names)
    for name in names:
        paid = [(path, key, waves) for path, key, listed, waves in priced if listed.pays_for(name)]
        if name not in decisive:
            yield remark_in_words("unpriced", f"milestones.{name}", name=name)
        for (one, _, first), (other, key, second) in combinations(paid, 2):
            if first & second or not contract.waves:
                yield remark_in_words("priced_twice", f"{other}.{key}.{name}", name=name, one=one, other=other)


def _priced(
    contract: Contract, source: Source, path: str, waves: frozenset[str], *, in_doubt: bool
) -> Iterator[tuple[str, str, MilestoneList, frozenset[str]]]:
    """Yield the prices of milestones that are surely paid: the path and key of each, the list, and the waves for whose people."""
    if isinstance(source, Named):
        return
    if source.milestone_list is not None and not in_doubt:
        yield path, source.key, source.milestone_list, waves
    apart, is_one_of_several = source.waves_apart(contract), in_doubt or source.pays_one_of_several
    for key, part in source.parts():
        inner = frozenset(apart.waves) if apart is not None and key == apart.key else waves
        yield from _priced(contract, part, f"{path}.{key}", inner, in_doubt=is_one_of_several)


def _accrues(term: Term) -> bool:
    """Whether a term, or a part of it, grows with time: then it is meant to be paid on every date."""
    return any(isinstance(node, Term) and node.accrues for _, node in parts_within(term, ""))


def repeated_findings(contract: Contract, reaches: Spans | None) -> Iterator[Remark]:
    """Find terms that say no dates and pay the same result anew on each of them."""
    silent = [place for place, term in enumerate(contract.terms.values()) if term.contingent and not term.at and not _accrues(term)]
    if len(contract.calendar) < 2 or not silent:
        return
    draws = probe_draws(contract, usual_spans(contract, reaches))
    # A total cap would cut the later dates.
    paid = pay(contract.model_copy(update={"total_cap": None}), draws).by_due
    for place in silent:
        dates, name = paid[:, place], list(contract.terms)[place]
        is_paid_anew = (dates != 0).sum(axis=1) > 1
        # A fixed sum a year is no result that is paid twice.
        hangs_on_results = len(np.unique(dates[:, 0])) > 1
        if hangs_on_results and is_paid_anew.any() and (dates[is_paid_anew] == dates[is_paid_anew][:, :1]).all():
            yield remark_in_words("pays_again", f"terms.{name}", term=name, number=len(contract.calendar))
