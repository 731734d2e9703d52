"""In which language a report or a workbook is written: its sentences from a catalogue, its numerals, dates and money in the way of its locale.

English stands in the program itself. Every other language is one file `<code>.po` beside this one, read when it is asked for. A sentence
that a catalogue lacks is a defect of the catalogue, and no document is written with it: a test holds that none is missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from simengine.asked import one_of_words
from simengine.contract_text.wording import Wording
from simengine.errors import escaped
from simengine.report.units import WrittenUnit, cell, percent, rounded_cell, to_digits
from simengine.risk.statistics import Statistic

if TYPE_CHECKING:
    from babel import Locale

CATALOGUES = Path(__file__).resolve().parent
ENGLISH_CODE = "en"
_LOCALES = {ENGLISH_CODE: "en_GB"}
_NUMERAL = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?![\w])")
_BEGIN, _END = "\ue000", "\ue001"
_TYPED = '<span class="typed">{}</span>'
_NO_BREAK = "\u00a0"
DASH = Markup("\u2013")
"""What stands where there is no number."""


def sentence(english: str) -> str:
    """Mark a sentence that is translated where it is used, not where it stands."""
    return english


SWEDISH_MONEY = (
    sentence("SEK {amount} million"),
    sentence("SEK {amount} thousand"),
    sentence("SEK {amount}"),
    sentence("millions of SEK"),
    sentence("thousands of SEK"),
)
"""Money that some languages write in words of their own."""


def languages() -> tuple[str, ...]:
    """List the codes of all languages."""
    return (ENGLISH_CODE, *sorted(path.stem for path in CATALOGUES.glob("*.po")))


@cache
def language(code: str) -> Language:
    """Return a language by its code.

    Raises
    ------
    UsageError
        If there is none of this code.
    """
    from babel import Locale

    one_of_words(code, "--language", languages())
    messages = {} if code == ENGLISH_CODE else read_catalogue(CATALOGUES / f"{code}.po")
    return Language(code, Locale.parse(_LOCALES.get(code, code)), messages)


def read_catalogue(path: Path) -> dict[str, str]:
    """Read the sentences of a language by those of English; fuzzy and empty ones are left out."""
    from babel.messages.pofile import read_po

    with path.open("rb") as stream:
        return {str(one.id): str(one.string) for one in read_po(stream) if one.id and one.string and not one.fuzzy}


def typed(text: object) -> Markup:
    """Mark what the author of a study typed: it is quoted as it stands, whatever language it is in."""
    return Markup(_TYPED).format(_breakable(escaped(str(text))))


def _breakable(text: str) -> Markup:
    """Let a path break after its dots and underscores."""
    return Markup(re.sub(r"([._](?=\w))", r"\1<wbr>", str(escape(text))))


@dataclass(frozen=True)
class Language:
    """A language."""

    code: str
    locale: Locale
    messages: Mapping[str, str]
    """By English sentence: that of the language; empty for English."""

    def text(self, english: str) -> str:
        """Translate a sentence, its parts in braces left as they are.

        Raises
        ------
        LookupError
            If the catalogue lacks it.
        """
        if self.code == ENGLISH_CODE:
            return english
        if english not in self.messages:
            raise LookupError(f"languages/{self.code}.po: must hold every sentence of a document; found none for {english!r}")
        return self.messages[english]

    def say(self, english: str, **parts: Any) -> Markup:
        """Translate a sentence, and put its parts in: what is no markup is escaped."""
        return Markup(self.text(english)).format(**parts)

    def numeral(self, english: str) -> str:
        """Write the numbers of a text in the way of the language: 1,234.5 as 1 234,5."""
        point, group, minus = (self._symbol(name) for name in ("decimal", "group", "minusSign"))

        def written(found: re.Match[str]) -> str:
            swapped = found[0].translate({ord(","): group, ord("."): point})
            return minus + swapped[1:] if swapped.startswith("-") else swapped

        # Between two numbers a comma would look like that of decimals.
        return _NUMERAL.sub(written, english.replace(", ", "; ") if point == "," else english)

    def _symbol(self, name: str) -> str:
        return str(self.locale.number_symbols["latn"][name])

    def number(self, value: float, digits: int = 3) -> str:
        """Write a number to some significant digits, its thousands apart."""
        return self.numeral(to_digits(value, digits))

    def whole(self, value: int) -> str:
        """Write a whole number."""
        return self.numeral(f"{value:,}")

    def share(self, value: float) -> Markup:
        """Write a share in whole per cent, or with two digits where it is less than one."""
        digits = 0 if abs(value) >= 0.095 or value == 0 else 1
        return Markup(self.numeral(f"{100 * value:z.{digits}f}") + f"{_NO_BREAK}%")

    def statistic(self, one: Statistic | None, scale: float, *, with_error: bool = True) -> Markup:
        """Write a statistic, with its value in full beside it for whoever reads the document by a program."""
        if one is None:
            return DASH
        is_bounded = one.upper_95 is not None or one.lower_95 is not None
        is_the_same = one.se == 0 and not is_bounded and (one.covers or one.interval_95 == (one.value, one.value))
        text = cell(one, scale) if with_error and not is_the_same else rounded_cell(one, scale)
        if is_the_same and "." in text:
            # What is the same in every replication has no error, and no decimals that only say so.
            text = text.rstrip("0").rstrip(".")
        return _data(one, self.numeral(text.replace(" ±", f"{_NO_BREAK}±")))

    def count(self, one: Statistic) -> Markup:
        """Write a number of people, to three digits and without its error."""
        return _data(one, self.number(one.value))

    def chance(self, one: Statistic | None, *, with_error: bool = True) -> Markup:
        """Write a probability in per cent."""
        if one is None:
            return DASH
        if not with_error:
            return _data(one, self.share(one.value))
        text = percent(one)
        return _data(one, self.numeral(text.replace(" %", f"{_NO_BREAK}%").replace(" ± ", f"{_NO_BREAK}±{_NO_BREAK}")))

    def money(self, one: Statistic | None, unit: WrittenUnit) -> Markup:
        """Write an amount of money in its unit, without its error."""
        if one is None:
            return DASH
        # What is the same in every replication has no error to which it could be rounded.
        text = to_digits(one.value / unit[0]) if one.se == 0 else rounded_cell(one, unit[0])
        return _data(one, str(self.amount(text, unit)))

    def amount(self, text: str, unit: WrittenUnit) -> Markup:
        """Put the unit of money beside a number."""
        scale, name = unit
        currency = name.split()[-1]
        word = {1e6: " million", 1e3: " thousand"}.get(float(scale), "")
        known = f"{currency} {{amount}}{word}"
        amount = self.numeral(text)
        if known in self.messages:
            return self.say(known, amount=amount)
        sentences = {
            " million": sentence("{currency} {amount} million"),
            " thousand": sentence("{currency} {amount} thousand"),
            "": sentence("{currency} {amount}"),
        }
        return self.say(sentences[word], currency=currency, amount=amount)

    def unit_name(self, unit: WrittenUnit) -> Markup:
        """Name the unit of money, for the head of a column or an axis."""
        scale, name = unit
        if name in self.messages:
            return self.say(name)
        currency = name.split()[-1]
        sentences = {1e6: sentence("millions of {currency}"), 1e3: sentence("thousands of {currency}")}
        return self.say(sentences[float(scale)], currency=currency) if float(scale) in sentences else Markup(escape(currency))

    def month(self, text: str) -> str:
        """Write a month of the calendar, such as 2016-08."""
        from babel.dates import format_skeleton

        year, number = (int(part) for part in text.split("-")[:2])
        return str(format_skeleton("yMMMM", date(year, number, 1), locale=self.locale))

    def day(self, text: str) -> str:
        """Write a date, such as 2016-08-31."""
        from babel.dates import format_date

        return str(format_date(date.fromisoformat(text[:10]), "long", locale=self.locale))

    @property
    def territory(self) -> str:
        """The country in whose way numbers and dates are written, such as SE: the likeliest of the language, where it says none."""
        from babel.core import get_global

        return self.locale.territory or str(get_global("likely_subtags")[self.code]).rpartition("_")[2]

    def plain_wording(self) -> Wording:
        """Return the words in which a contract is said as plain text; what was typed stands as it is."""
        return Wording(self.text, self.numeral)

    def wording(self) -> Wording:
        """Return the words in which a contract is said; what was typed stands between marks, see `marked`."""
        return Wording(self.text, self.numeral, _between_marks)


def _between_marks(text: str) -> str:
    return f"{_BEGIN}{escaped(text).replace(_BEGIN, '').replace(_END, '')}{_END}"


def marked(text: str) -> Markup:
    """Turn a text with marks of what was typed into markup."""
    parts = re.split(f"{_BEGIN}([^{_END}]*){_END}", text)
    return Markup("").join(typed(part) if place % 2 else escape(part) for place, part in enumerate(parts))


def _data(one: Statistic, text: str) -> Markup:
    return Markup('<data value="{}">{}</data>').format(repr(float(one.value)), text)
