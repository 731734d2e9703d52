"""Limits on measures, and the parsing of measures, limits and amounts from text.

A measure is `party.measure` or `party.measure(number)`; a limit is a measure, `<=` or `>=`, and a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from simengine.risk.amounts import AMOUNTS
from simengine.risk.measures import MEASURES, Measure, MeasureKind, measures_on

_NUMBER = r"[-+]?[\d_]*\.?\d[\d_]*(?:[eE][-+]?\d+)?"
_MEASURE = rf"([A-Za-z]\w*)\.([a-z_]+)(?:\(\s*({_NUMBER})\s*\))?"


@dataclass(frozen=True)
class Limit:
    """A bound on a measure."""

    measure: Measure
    is_least: bool
    """Whether the level is a minimum (`>=`) or a maximum (`<=`)."""
    level: float

    def excess(self, value: float) -> float:
        """Return by how much a value exceeds the limit; not above 0 if it is met. A missing value does not meet it."""
        if np.isnan(value):
            return np.inf
        return self.level - value if self.is_least else value - self.level

    def __str__(self) -> str:
        return f"{self.measure} {'>=' if self.is_least else '<='} {self.level:.10g}"


def read_measure(text: str, party: str | None = None) -> Measure:
    """Read a measure; a known party need not be written.

    Raises
    ------
    ValueError
        If the text is not a measure, or has an impossible number.

    Examples
    --------
    >>> str(read_measure("investor.cvar(0.9)"))
    'investor.cvar(0.9)'
    """
    text = f"{party}.{text.strip()}" if party is not None else text.strip()
    found = re.fullmatch(_MEASURE, text)
    if found is None:
        raise ValueError(
            f"a measure must be written party.measure or party.measure(number), such as investor.p_loss; found {text!r}"
        )
    owner, name, number = found.groups()
    if name in AMOUNTS:
        ways = " or ".join(f"{one}{_example(kind)}" for one, kind in measures_on(name).items())
        raise ValueError(f"must be a measure; found {name!r}, an amount. Write {ways}")
    if name not in MEASURES:
        raise ValueError(f"a measure must be one of {', '.join(MEASURES)}; found {name!r}")
    return Measure(owner, name, _read_number(name, number))


def _example(kind: MeasureKind) -> str:
    """Write a number with which a measure may be asked for; nothing where it takes none."""
    if not kind.number:
        return ""
    share = 0.5 if kind.default is None else kind.default
    return f"({share if kind.within[1] <= 1 else {'per year': 0.03, 'times': 1}.get(kind.number_unit, 12):g})"


def _read_number(name: str, text: str | None) -> float:
    kind = MEASURES[name]
    if text is None:
        if kind.number and kind.default is None:
            raise ValueError(f"{name} must have a number, its {kind.number}: {name}(1_000_000); found none")
        return kind.default or 0.0
    if not kind.number:
        raise ValueError(f"{name} must stand without a number; found {text}")
    low, high = kind.within
    if not low < float(text) < high:
        raise ValueError(f"the {kind.number} of {name} must lie between {low:g} and {high:g}; found {text}")
    return float(text)


def read_limit(text: str, party: str | None = None) -> Limit:
    """Read a limit; a known party need not be written.

    Raises
    ------
    ValueError
        If the text is not a limit, or is a limit that nothing or everything meets.

    Examples
    --------
    >>> str(read_limit("investor.p_loss <= 0.10"))
    'investor.p_loss <= 0.1'
    """
    found = re.fullmatch(rf"(.*?)\s*(<=|>=)\s*({_NUMBER})\s*", text)
    if found is None:
        raise ValueError(f"a limit must be a measure, <= or >=, and a number, such as investor.p_loss <= 0.10; found {text!r}")
    limit = Limit(read_measure(found[1], party), found[2] == ">=", float(found[3]))
    if limit.measure.kind.is_probability and not 0 <= limit.level <= 1:
        raise ValueError(f"the limit of a probability must lie between 0 and 1; found {limit}")
    return limit


def contradiction(limits: Iterable[Limit]) -> tuple[Limit, Limit] | None:
    """Find a minimum above a maximum of the same measure; None if there is none."""
    limits = list(limits)
    for least in limits:
        for most in limits:
            if least.is_least and not most.is_least and least.measure == most.measure and least.level > most.level:
                return least, most
    return None
