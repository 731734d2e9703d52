"""How tables and pictures call a free term, and how they write its value."""

from __future__ import annotations

from collections.abc import Iterable
from math import floor, log10

_SECTIONS = (
    *("contract.terms.", "contract.", "measurement.metrics."),
    *("capital.tranches.", "capital.guarantees.", "capital.payers.", "capital."),
)
_LONG = 10_000


def short_names(paths: Iterable[str]) -> list[str]:
    """Leave out the sections in which terms stand, and the dots, so that a name breaks between words.

    Where two would be called the same, both keep their paths.

    Examples
    --------
    >>> short_names(["contract.terms.guarantee.share", "capital.tranches.junior.size"])
    ['guarantee share', 'junior size']
    >>> short_names(["contract.terms.cover.share", "capital.guarantees.cover.share"])
    ['contract.terms.cover.share', 'capital.guarantees.cover.share']
    """
    paths = list(paths)
    names = [_without_section(path).replace(".", " ") for path in paths]
    return [path if names.count(name) > 1 else name for path, name in zip(paths, names, strict=True)]


def _without_section(path: str) -> str:
    return next((path.removeprefix(section) for section in _SECTIONS if path.startswith(section)), path)


def written(value: float, error: float = 0.0) -> str:
    """Write a value of a term: to the digit at which its error begins, or six digits; long whole numbers with their thousands apart.

    Examples
    --------
    >>> written(0.123456789), written(3_000_000.0), written(1234.5), written(0.692174, 0.067), written(3_214_567.0, 20_000.0)
    ('0.123457', '3,000,000', '1234.5', '0.69', '3,210,000')
    """
    if error > 0:
        digits = -floor(log10(float(f"{error:.0e}")))
        return f"{round(value, digits) + 0.0:,.{max(digits, 0)}f}"
    rounded = float(f"{value:.6g}")
    return f"{rounded:z,.0f}" if abs(rounded) >= _LONG and rounded.is_integer() else f"{value:.6g}"
