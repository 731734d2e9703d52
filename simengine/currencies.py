"""How finely money is counted: the smallest unit of each currency, by the minor units of ISO 4217.

Source: ISO 4217 list one of the maintenance agency SIX (table of 2026-01-01), column "minor unit". Listed here is what differs
from 2. Two notes on the list: the ouguiya (MRU) and the ariary (MGA) are divided by five in daily life, but the standard counts
both with 2 decimals, as is done here; what has no minor unit at all there (gold, special drawing rights) is counted with 2. A code
that the list does not know, such as one of former times, is taken as the rest: with 2.
"""

from __future__ import annotations

_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
MOST_DECIMALS = max(_DECIMALS)
"""No currency is counted more finely."""
_DECIMALS_OF = {code: decimals for decimals, codes in _DECIMALS.items() for code in codes.split()}


def decimals_of(currency: str) -> int:
    """Say with how many decimals amounts of a currency are counted.

    Examples
    --------
    >>> decimals_of("SEK"), decimals_of("JPY"), decimals_of("KWD")
    (2, 0, 3)
    """
    return _DECIMALS_OF.get(currency, 2)


def units_of(currency: str) -> int:
    """Say how many smallest units (cents, fils) one unit of a currency has.

    Examples
    --------
    >>> units_of("SEK"), units_of("JPY"), units_of("KWD")
    (100, 1, 1000)
    """
    return int(10 ** decimals_of(currency))
