"""How a reference class is shown: numbers stay whole beside long words."""

from __future__ import annotations

from rich.console import Console

from simengine.reference_class.layout import _prices
from simengine.reference_class.lines import AmountRange, PriceLine


def test_amounts__are_never_broken() -> None:
    """Three amounts of thirteen signs fit on eighty beside a sector and a currency of several words."""
    lines = [
        PriceLine("Employment and training", "KR", "South Korean Won", AmountRange(2, 3_665_000_000, 1_770_000_000, 9_710_000_000)),
        PriceLine("Agriculture and environment", "not stated", "CLP", AmountRange(1, 532_000_000, 532_000_000, 532_000_000)),
    ]
    console = Console(width=80)
    with console.capture() as captured:
        console.print(_prices("Maximum potential payments", lines))
    shown = captured.get()
    for amount in ("3,665,000,000", "1,770,000,000", "9,710,000,000", "532,000,000"):
        assert amount in shown
    words = shown.split()
    assert {"Employment", "training,", "KR", "environment"} <= set(words)
    assert "stated" not in words
