"""Wording of rate cards that costs money: outcomes without a price, priced twice, out of reach; caps that decide too much or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from simengine.contract import cards_of
from simengine.contract.spec import Contract
from simengine.contract.terms import Term, parts_within
from simengine.contract.terms.rate_card import CardPrice, OutcomePrice, RateCard
from simengine.contract_text.remark import Remark, remark_in_words


def card_findings(contract: Contract) -> Iterator[Remark]:
    """List every finding about the rate cards of a contract."""
    cards = cards_of(contract)
    yield from _outcomes(contract, cards)
    for name, card in cards.items():
        yield from _card(contract, name, card)
        if card.cap_in_all is None and card.cap is None and card.cap_per_year is None and contract.total_cap is None:
            yield remark_in_words("card_unbounded", f"terms.{name}", term=name)
    if not cards:
        return
    if not any(one.by_group for card in cards.values() for one in card.all_prices()):
        for group in contract.groups:
            yield remark_in_words("unused", f"groups.{group}", noun="group", name=group)


def _outcomes(contract: Contract, cards: dict[str, RateCard]) -> Iterator[Remark]:
    """Find outcomes that nothing looks at, and those that two cards pay the same people for."""
    looked_at: set[str] = set()
    for _, node in (*parts_within(contract.terms, ""), *parts_within(contract.metrics, "")):
        looked_at |= set(node.counted_outcomes) if isinstance(node, Term) else set()
    for card in cards.values():
        for name, price in card.rate_card.items():
            looked_at |= {name} if price.has_price else set()
            looked_at |= {*price.needs, *price.net_of, *([] if price.lost_by is None else [price.lost_by.outcome])}
    for name in contract.outcomes:
        if name not in looked_at:
            yield remark_in_words("unpriced_outcome", f"outcomes.{name}", name=name)
    for (one, first), (other, second) in combinations(cards.items(), 2):
        if first.payer != second.payer or first.payee != second.payee:
            continue
        for name in first.rate_card:
            if name in second.rate_card and first.rate_card[name].has_price and second.rate_card[name].has_price:
                yield remark_in_words("outcome_priced_twice", f"terms.{other}.rate_card.{name}", name=name, one=one)


def _card(contract: Contract, name: str, card: RateCard) -> Iterator[Remark]:
    """Find prices above a cap, outcomes that are never paid, and needs that cannot come first."""
    last = max(contract.month_of(date) for date in contract.dates_of(card))
    for outcome, one in card.rate_card.items():
        path = f"terms.{name}.rate_card.{outcome}"
        varied = [changed.rate_card[outcome] for changed in card.varied.values() if outcome in changed.rate_card]
        highest = max(_highest(price) for price in (one, *varied))
        has_units = contract.outcomes[outcome].has_units
        for key, cap in (
            ("cap_per_person", _loosest(card, "cap_per_person")),
            ("cap_in_all", _loosest(card, "cap_in_all")),
            ("cap", max([one.cap.value, *(price.cap.value for price in varied if price.cap)]) if one.cap else None),
        ):
            if not has_units and cap is not None and highest > 0 and cap < highest:
                where = f"terms.{name}.{key}" if key != "cap" else f"{path}.cap"
                yield remark_in_words("cap_below_price", where, cap=f"{cap:,.10g}", name=outcome, price=f"{highest:,.10g}")
        delay = contract.outcomes[outcome].validated_after_months
        if one.has_price and delay is not None and delay.value >= last and card.open_at_end == "lost":
            yield remark_in_words("never_validated", path, name=outcome, months=f"{delay.value:g}", last=f"{last:g}")
        if one.lost_by is not None and one.lost_by.outcome in one.needs:
            yield remark_in_words("needs_its_loss", f"{path}.needs", name=outcome, other=one.lost_by.outcome)
        if one.has_price and highest == 0:
            yield remark_in_words("price_of_nothing", path, name=outcome)


def _loosest(card: RateCard, key: str) -> float | None:
    """Return the highest of a cap as signed and as varied; nothing where there is none from the start."""
    caps = [getattr(one, key) for one in (card, *card.varied.values())]
    return None if caps[0] is None else max(cap.value for cap in caps if cap is not None)


def _highest(one: OutcomePrice) -> float:
    """Return the highest price of one person or unit."""
    listed = [*([] if one.price is None else [one.price]), *one.by_group.values(), *one.by_wave.values()]
    if isinstance(one, CardPrice):
        listed += [*one.from_month.values(), *(band.price for band in one.bands)]
    return max((price.value for price in listed), default=0.0)
