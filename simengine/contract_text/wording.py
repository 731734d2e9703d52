"""The words and numerals in which a contract is said: English as it stands in `words`, or a translation of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from simengine.contract_text import words

Change = Callable[[str], str]


class Wording:
    """All words of a language; and how it writes what somebody typed, and numerals.

    Parameters
    ----------
    say
        From an English text of `words` to that of the language, with the same parts in braces.
    numeral
        From a number in the English way, such as 1,234.5, to that of the language.
    typed
        Marks what the author of a contract typed: it is in a language of its own.
    """

    def __init__(self, say: Change = str, numeral: Change = str, typed: Change = str) -> None:
        def table(of: Mapping[str, str]) -> dict[str, str]:
            return {key: say(text) for key, text in of.items()}

        self.typed, self._say, self._numeral = typed, say, numeral
        self.kind_words = {key: (say(main), table(clauses)) for key, (main, clauses) in words.KIND_WORDS.items()}
        self.gates, self.rows, self.limit_words = table(words.GATES), table(words.ROWS), table(words.LIMIT_WORDS)
        self.money_word, self.bound, self.card = table(words.MONEY_WORD), table(words.BOUND), table(words.CARD)
        self.varied_caps, self.party_words = table(words.VARIED_CAPS), table(words.PARTY_WORDS)
        self.phrases, self.joints = table(words.PHRASES), table(words.JOINTS)
        self.choice_words = table(words.CHOICE_WORDS)
        self.card_columns = tuple(map(say, words.CARD_COLUMNS))
        self.example_columns = tuple(map(say, words.EXAMPLE_COLUMNS))
        self.bound_inside = say(words.BOUND_INSIDE)

    def number(self, value: float, digits: int = 10) -> str:
        """Write a number to some significant digits, its thousands apart."""
        return self._numeral(f"{value:,.{digits}g}")

    def money(self, value: float, decimals: int) -> str:
        """Write money to the smallest unit of its currency."""
        return self._numeral(f"{value:z,.{decimals}f}")

    def per_cent(self, share: float) -> str:
        """Write a share in per cent."""
        return self.joints["per_cent"].format(number=self.number(100 * share, 6))

    def months(self, number: float) -> str:
        """Say a number of months."""
        return self.joints["month" if number == 1 else "months"].format(months=self.number(number, 6))

    def party(self, name: str) -> str:
        """Say a party: a role in the words of the language, another one as it was typed."""
        return self.party_words.get(name) or self.typed(name)


ENGLISH = Wording()
