"""What must agree about units inside a contract: money is in its currency, and only like is added to, or compared with, like.

A factor may turn one unit into another, so what stands behind a share, a price or a product has no unit that could be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from simengine.contract.scope import MONEY as MONEY_NAMES
from simengine.contract.spec import Contract
from simengine.contract.terms import Named, Source, Term, parts_within
from simengine.contract.units import FREE, MONEY, PERSON, ContractUnit, unit_of
from simengine.errors import Finding

_WAY_OUT = "Turn one into the unit of the other with a factor, or choose another name"


def unit_findings(contract: Contract) -> Iterator[Finding]:
    """Find money in another currency, a derived metric in another unit than its parts, and unlike things put together."""
    for name, use in contract.metrics.items():
        unit = unit_of(use.unit, contract.currency)
        if unit.base == MONEY and unit.currency != contract.currency:
            rule = f"money must be in the currency of the contract, {contract.currency}"
            yield f"metrics.{name}.unit", rule, f"`{use.unit}`", ""
        behind = None if use.derived is None else _known(contract, use.derived)
        if behind is not None and unit.base != FREE and not _is_alike(unit, behind[0]):
            rule = "a derived metric must be in the unit of what it follows from"
            yield f"metrics.{name}.unit", rule, f"`{use.unit}`, and `{behind[1]}` of its parts", "Write the unit of the parts"
    for section in (contract.metrics, contract.terms):
        for path, node in parts_within(section, "metrics" if section is contract.metrics else "terms"):
            if isinstance(node, Term):
                yield from _unlike(contract, node, path)


def _unlike(contract: Contract, node: Term, path: str) -> Iterator[Finding]:
    """Find two parts of one term that are known to be in different units."""
    known = [one for part in node.alike() if (one := _known(contract, part)) is not None]
    other = next((one for one in known[1:] if not _is_alike(known[0][0], one[0])), None)
    if other is not None:
        rule = "what is added, compared or subtracted must be in one unit"
        yield f"{path}.{node.key}", rule, f"`{known[0][1]}` and `{other[1]}`", _WAY_OUT


def _known(contract: Contract, source: Source) -> tuple[ContractUnit, str] | None:
    """Find the unit of something and how the contract says it; None where nothing is known of it, or its parts differ."""
    if isinstance(source, Named):
        if source.root in MONEY_NAMES:
            return ContractUnit(MONEY, currency=contract.currency), contract.currency
        use = contract.metrics.get(source.root)
        unit = None if use is None else unit_of(use.unit, contract.currency)
        return None if use is None or unit is None or unit.base == FREE else (unit, use.unit)
    if not source.keeps_unit:
        return None
    known = [one for part in source.alike() if (one := _known(contract, part)) is not None]
    return known[0] if known and all(_is_alike(known[0][0], one[0]) for one in known) else None


def _is_alike(one: ContractUnit, other: ContractUnit) -> bool:
    """Whether two units are the same; a mean may leave out that it is per person."""
    first, second = (replace(unit, per="" if unit.per == PERSON else unit.per, is_of_people=False) for unit in (one, other))
    return first == second
