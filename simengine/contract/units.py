"""The units of metrics: a small vocabulary with synonyms, and free text where a contract counts what has no unit of its own.

A unit has a base (share, money, days, people, ...) and what it is per: nothing, a person, or 100 people. A percentage is a share
per 100. Words after the first that say more ("share of pupils", "days in jail") and brackets are not looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SHARE, MULTIPLE, MONEY, PEOPLE, NUMBER, POINTS = "share", "multiple", "money", "people", "number", "points"
DAYS, FREE = "days", ""
TIMES = ("minutes", "hours", DAYS, "weeks", "months", "quarters", "years")
PERSON, HUNDRED, OTHER = "person", "100", "other"

_SYNONYMS = {
    SHARE: "share shares proportion fraction probability",
    MULTIPLE: "multiple multiples times",
    PEOPLE: "people persons person men women children pupils students participants girls boys youths patients employees users "
    "members",
    NUMBER: "number count events event cases spells",
    POINTS: "points point score scores",
    "minutes": "minutes minute",
    "hours": "hours hour",
    DAYS: "days day",
    "weeks": "weeks week",
    "months": "months month",
    "quarters": "quarters quarter",
    "years": "years year",
}
_BASE_OF = {word: base for base, words in _SYNONYMS.items() for word in words.split()}
_PER_CENT = re.compile(r"^(per cent|percent|percentage|pp\b|%)")
_PER_NUMBER = re.compile(r"\bper (hundred|thousand|\d[\d,_ ]*)\b")
_PER_ONE = re.compile(r"\b(?:per|a|each) (\w+)\b")
_HEAD = "head capita"
_SCALES = re.compile(r"\b(thousands?|millions?|billions?|k|m|bn)\b")
_CODES = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLF CLP CNY COP "
    "CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR "
    "ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN "
    "MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD "
    "SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UYW UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR "
    "ZMW ZWG"
)
CURRENCIES = frozenset(_CODES.split())
"""Codes of money in use. Source: ISO 4217, list one."""


@dataclass(frozen=True)
class ContractUnit:
    """What a number counts."""

    base: str
    """One of the constants of this file; empty for free text."""
    per: str = ""
    """`person`, `100`, or `other`; empty where it is per nothing."""
    currency: str = ""
    """Of money."""
    is_scaled: bool = False
    """Whether it is money in thousands or millions."""
    is_of_people: bool = False
    """Whether it is time of people, such as child-years: a count of people may be said so, each standing for that time."""


def unit_of(text: str, currency: str) -> ContractUnit:
    """Read the unit of a metric.

    Parameters
    ----------
    text
        As the contract says it.
    currency
        Of the contract: a code that is money, whether the list knows it or not.

    Examples
    --------
    >>> unit_of("share (1 or 0 in a replay)", "SEK").base, unit_of("per cent", "SEK").per
    ('share', '100')
    >>> unit_of("SEK per person", "SEK") == ContractUnit("money", per="person", currency="SEK")
    True
    """
    plain = re.sub(r"\([^)]*\)", " ", text).strip()
    small = plain.lower()
    if _PER_CENT.match(small):
        return ContractUnit(SHARE, HUNDRED)
    per, counted = _per(small)
    codes = [word for word in re.findall(r"\b[A-Z]{3}\b", plain) if word in CURRENCIES or word == currency]
    if codes:
        is_scaled = bool(_SCALES.search(counted)) or bool(re.search(r"\b[kM][A-Z]{3}\b", plain))
        return ContractUnit(MONEY, per, codes[0], is_scaled)
    prefixed = re.match(r"^[kM]([A-Z]{3})\b", plain)
    if prefixed and (prefixed[1] in CURRENCIES or prefixed[1] == currency):
        return ContractUnit(MONEY, per, prefixed[1], is_scaled=True)
    # "person-months", "child-years": time of people.
    words = re.findall(r"[a-z]+", counted)
    compound = re.match(r"^[a-z]+-([a-z]+)$", counted.strip())
    base = _BASE_OF.get(compound[1] if compound else (words[0] if words else ""), FREE)
    return ContractUnit(base, per, is_of_people=compound is not None and base in TIMES)


def _per(text: str) -> tuple[str, str]:
    """Split a unit into what it is per, and what is counted."""
    number = _PER_NUMBER.search(text)
    if number:
        return HUNDRED if number[1].strip() in ("100", "hundred") else OTHER, text[: number.start()]
    one = _PER_ONE.search(text)
    if one:
        return PERSON if one[1] in (*_SYNONYMS[PEOPLE].split(), *_HEAD.split(), "child", "pupil", "man", "woman") else OTHER, text[
            : one.start()
        ]
    return "", text
