"""How tables and pictures call a free term, and how they write its value."""

from __future__ import annotations

from collections.abc import Iterable

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


def written(value: float) -> str:
    """Write a value of a term: six digits, and whole numbers that are long with their thousands apart.

    Examples
    --------
    >>> written(0.123456789), written(3_000_000.0), written(1234.5)
    ('0.123457', '3,000,000', '1234.5')
    """
    rounded = float(f"{value:.6g}")
    return f"{rounded:z,.0f}" if abs(rounded) >= _LONG and rounded.is_integer() else f"{value:.6g}"
