"""The catalogues of the documents: nothing is missing, nothing is left of what is no longer said, and every part in braces is there."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from simengine.errors import UsageError
from simengine.languages.language import CATALOGUES, Language, language, languages, marked, read_catalogue, typed
from simengine.risk.statistics import Statistic
from tests.documents.sentences import sentences

OTHERS = [code for code in languages() if code != "en"]


def parts(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_swedish__is_there():
    assert "sv" in languages()


@pytest.mark.parametrize("code", OTHERS)
def test_catalogue__holds_every_sentence_and_no_other(code):
    messages = read_catalogue(CATALOGUES / f"{code}.po")
    assert sorted(sentences() - messages.keys()) == []
    assert sorted(messages.keys() - sentences()) == []


@pytest.mark.parametrize("code", OTHERS)
def test_catalogue__has_the_same_parts_and_blanks_in_every_sentence(code):
    for english, other in read_catalogue(CATALOGUES / f"{code}.po").items():
        assert parts(other) == parts(english), english
        assert other.startswith((" ", ", ", "; ", "- ")) == english.startswith((" ", ", ", "; ", "- ")), english
        assert "<" not in other, english


def test_sentences__are_found_where_they_are_said_inside_others():
    assert {"Text marked like this", "WHAT IS PAID", "millions of {currency}"} <= sentences()


def test_missing_sentence__is_a_defect_and_no_english():
    swedish = language("sv")
    with pytest.raises(LookupError, match="must hold every sentence"):
        Language("sv", swedish.locale, {}).say("Risk report")


def test_unknown_language__is_refused():
    with pytest.raises(UsageError, match="--language"):
        language("tlh")


@pytest.mark.parametrize(
    ("english", "swedish"),  # by hand: Swedish writes a blank between thousands, a comma before decimals, a real minus
    [
        ("-1,234.5", "\u22121\u00a0234,5"),
        ("2.0 [2.0, 3.5]", "2,0 [2,0; 3,5]"),
        ("0 (< 0.0015)", "0 (< 0,0015)"),
        ("wave_2", "wave_2"),
    ],
)
def test_numeral__is_written_as_in_the_language(english, swedish):
    assert language("sv").numeral(english) == swedish
    assert language("en").numeral(english) == english


def test_money__is_that_of_swedish_municipalities_and_of_others():
    swedish, english = language("sv"), language("en")
    one = Statistic(3_120_000.0, 20_000.0)
    assert swedish.money(one, (1e6, "millions of SEK")).striptags() == "3,12 mnkr"
    assert english.money(one, (1e6, "millions of SEK")).striptags() == "SEK 3.12 million"
    assert swedish.money(one, (1e3, "thousands of EUR")).striptags() == "3 120 tusen EUR"
    assert swedish.unit_name((1e6, "millions of NOK")) == "miljoner NOK"
    assert (swedish.month("2016-08"), english.month("2016-08")) == ("augusti 2016", "August 2016")
    assert (swedish.day("2026-11-30T20:15"), english.day("2026-11-30T20:15")) == ("30 november 2026", "30 November 2026")


def test_what_was_typed__is_escaped_and_marked():
    assert typed("<b>\x1b") == '<span class="typed">&lt;b&gt;\\x1b</span>'
    words = language("sv").wording()
    said = marked(f"{words.typed('<i>a</i>' + chr(0xE000))} & {words.party('investor')}")
    assert said == '<span class="typed">&lt;i&gt;a&lt;/i&gt;</span> &amp; investeraren'
    assert not re.search("[\ue000\ue001]", said)


@pytest.mark.parametrize(
    ("one", "english", "swedish"),
    [
        # The same in every replication: no error, no decimals that only say so.
        (Statistic(1400.5, 0.0), "1,400.5", "1\u202f400,5"),
        (Statistic(200.0, 0.0), "200", "200"),
        (Statistic(700.0, 0.0, interval_95=(700.0, 700.0), covers=False), "700", "700"),
        # One that varies keeps the zeros that say how exact it is.
        (Statistic(30.0, 0.04), "30.00\u00a0±0.04", "30,00\u00a0±0,04"),
        (Statistic(0.0, 0.0, upper_95=0.15), "0 (&lt; 0.15)", "0 (&lt; 0,15)"),
    ],
)
def test_statistic__what_never_varies_has_no_padded_decimals(one: Statistic, english: str, swedish: str) -> None:
    for code, expected in (("en", english), ("sv", swedish)):
        got = re.sub("<.*?>", "", language(code).statistic(one, 1.0))
        assert got.replace("\u00a0", " ").replace("\u202f", " ") == expected.replace("\u00a0", " ").replace("\u202f", " ")
