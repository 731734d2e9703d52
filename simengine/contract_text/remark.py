"""One finding of the contract check."""

from __future__ import annotations

from dataclasses import dataclass

from simengine.contract_text.words import LINT


@dataclass(frozen=True)
class Remark:
    """Wording that costs money."""

    rule: str
    """The name of the rule that found it."""
    key: str
    """Its path in the contract."""
    found: str
    """What stands there."""
    why: str
    """Why it costs money."""
    suggestion: str
    """What to write instead."""
    explained: str | None = None
    """Why it stays, where the contract says so."""


def remark_in_words(rule: str, key: str, **details: object) -> Remark:
    """Put a finding of a rule into words."""
    found, why, suggestion = LINT[rule]
    return Remark(rule, key, found.format(**details), why, suggestion.format(**details))
