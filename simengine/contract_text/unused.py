"""Find names that a contract does not use, and outcomes that it pays for twice or repeatedly."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from simengine.contract import cards_of
from simengine.contract.compile import compile_contract
from simengine.contract.scope import MONEY
from simengine.contract.spec import Contract
from simengine.contract.terms import Named, Source, Term, parts_within
from simengine.contract.terms.calendar import Amended, Indexed
from simengine.contract.terms.combine import FirstOf, Greatest, Least
from simengine.contract.terms.people import MilestonePrices, PerWave
from simengine.contract.terms.returns import Coupon, ToIrr, TrueUp
from simengine.contract.terms.tables import Steps
from simengine.contract_text.remark import Remark, remark_in_words
from simengine.contract_text.trials import Spans, pay, probe_draws, usual_spans

_ACCRUING = (Coupon, ToIrr, Indexed)
"""What grows with time is meant to be paid on every date."""
_ONE_OF_SEVERAL = (FirstOf, Least, Greatest, Amended, Steps, TrueUp)
"""Terms of whose parts one is paid, or whose parts have been paid for already."""


def unused_findings(contract: Contract) -> Iterator[Remark]:
    """Find parties, waves, dates and derived metrics that nothing refers to."""
    acting = {party for term in contract.terms.values() for party in (term.payer, term.payee)}
    acting |= {party for stop in contract.stops.values() for party in stop.by}
    for party in contract.parties:
        if party not in acting:
            yield remark_in_words("unused", f"parties.{party}", noun="party", name=party)
    columns = compile_contract(contract).code.columns
    told_apart = {column[1 if column[0] == "people" else 2] for column in columns if column[0] in ("wave", "people", "combination")}
    of_cards = any(card.cap_per_wave or any(one.by_wave for one in card.rate_card.values()) for card in cards_of(contract).values())
    for place, wave in enumerate(contract.waves if not of_cards else ()):
        if place not in told_apart:
            yield remark_in_words("unused", f"waves.{wave}", noun="wave", name=wave)
    named = _names(contract)
    for name, use in contract.metrics.items():
        if use.derived is not None and name not in named:
            yield remark_in_words("unused", f"metrics.{name}", noun="derived metric", name=name)
    for date, due in contract.calendar.items():
        is_settled = any(date in contract.dates_of(term) for term in contract.terms.values())
        if not is_settled and due.drawn is None and all(stop.at != date for stop in contract.stops.values()):
            yield remark_in_words("unused", f"dates.{date}", noun="date", name=date)


def _names(contract: Contract) -> set[str]:
    """Find the names to which terms, stops and the total cap refer, through metrics that they follow from."""
    sources: list[Source] = [*contract.terms.values(), *([] if contract.total_cap is None else [contract.total_cap])]
    found = {metric for stop in contract.stops.values() for metric in stop.only_if}
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
    anywhere = [node for _, node in parts_within(contract.terms, "") if isinstance(node, MilestonePrices)]
    decisive = {name for node in anywhere for name, price in node.milestones.items() if price.value > 0}
    decisive |= {before for node in anywhere if node.in_order for before in _standing_before(contract, node)}
    for name in contract.milestones:
        paid = [(path, waves) for path, node, waves in priced if name in node.milestones and node.milestones[name].value > 0]
        if name not in decisive:
            yield remark_in_words("unpriced", f"milestones.{name}", name=name)
        for (one, first), (other, second) in combinations(paid, 2):
            if first & second or not contract.waves:
                yield remark_in_words("priced_twice", f"{other}.milestones.{name}", name=name, one=one, other=other)


def _standing_before(contract: Contract, node: MilestonePrices) -> list[str]:
    """List the milestones that stand before one that a term prices."""
    names = list(contract.milestones)
    last = max((names.index(name) for name, price in node.milestones.items() if price.value > 0), default=0)
    return names[:last]


def _priced(
    contract: Contract, source: object, path: str, waves: frozenset[str], *, in_doubt: bool
) -> Iterator[tuple[str, MilestonePrices, frozenset[str]]]:
    """Yield the prices of milestones that are surely paid, each with its path and the waves for whose people."""
    if isinstance(source, MilestonePrices) and not in_doubt:
        yield path, source, waves
    elif isinstance(source, PerWave):
        inner = frozenset(source.waves or contract.waves)
        yield from _priced(contract, source.per_wave, f"{path}.per_wave", inner, in_doubt=in_doubt)
    elif isinstance(source, Term):
        is_one_of_several = in_doubt or isinstance(source, _ONE_OF_SEVERAL)
        for field in type(source).model_fields:
            if field not in ("floor", "cap"):
                yield from _priced(contract, getattr(source, field), f"{path}.{field}", waves, in_doubt=is_one_of_several)
    elif isinstance(source, tuple):
        for place, part in enumerate(source):
            yield from _priced(contract, part, f"{path}.{place}", waves, in_doubt=in_doubt)


def repeated_findings(contract: Contract, reaches: Spans | None) -> Iterator[Remark]:
    """Find terms that say no dates and pay the same result anew on each of them."""
    silent = [
        place
        for place, term in enumerate(contract.terms.values())
        if term.contingent and not term.at and not any(isinstance(node, _ACCRUING) for _, node in parts_within(term, ""))
    ]
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
