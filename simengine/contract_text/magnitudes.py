"""Numbers that are valid and yet hardly meant: a percentage without its decimal point, a sum cut short by a point, a unit in letters."""

from __future__ import annotations

from collections.abc import Iterator

from simengine.contract.spec import Contract
from simengine.contract.terms import Named, Term, parts_within
from simengine.contract.units import MONEY, unit_of
from simengine.contract_text.remark import Remark, remark_in_words

_LARGEST_SHARE = 5.0
"""A larger share of money is hardly meant."""
_LEAST_COMMITMENT = 100.0
"""In units of the currency: a smaller sum is hardly lent."""
_CURRENCY_IN_LETTERS = ("kr", "kronor", "krona", "tkr", "mkr", "euro", "euros", "dollar", "dollars", "pounds")


def _is_money(contract: Contract, source: Named | Term) -> bool:
    """Whether a share is one of money: what is paid or lent, or a metric in the currency; of days it is a price."""
    if isinstance(source, Named) and source.root in contract.metrics:
        unit = unit_of(contract.metrics[source.root].unit, contract.currency)
        return unit.base == MONEY and unit.currency == contract.currency and not unit.is_scaled
    return True


def magnitude_findings(contract: Contract) -> Iterator[Remark]:
    """List every number of a contract that is hardly meant."""
    for term in contract.terms:
        for path, node in parts_within(contract.terms[term], f"terms.{term}"):
            share, source = (node.pays_share() if isinstance(node, Term) else None) or (0.0, node)
            if share > _LARGEST_SHARE and _is_money(contract, source):
                of = source.root if isinstance(source, Named) else "money"
                said = {"share": f"{share:g}", "of": of, "currency": contract.currency, "less": f"{share / 100:g}"}
                yield remark_in_words("large_share", f"{path}.share", **said)
    if 0 < contract.commitment.value < _LEAST_COMMITMENT:
        said = {"commitment": f"{contract.commitment.value:g}", "currency": contract.currency}
        yield remark_in_words("small_commitment", "commitment", **said)
    for name, use in contract.metrics.items():
        first = use.unit.partition(" ")[0]
        if first.lower() in _CURRENCY_IN_LETTERS:
            yield remark_in_words("currency_in_letters", f"metrics.{name}.unit", unit=first, currency=contract.currency)
