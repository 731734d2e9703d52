"""What a message says to somebody who wrote something else than what must stand there: words, never a pattern of the validator."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from simengine.config import find_study, load_study
from simengine.config.portfolio import Portfolio
from simengine.config.study import Study
from simengine.contract.spec import Contract
from simengine.errors import StudyError

TINY = find_study("tiny").read_text(encoding="utf-8")
POINT = "A decimal number has a point, as 0.9; a comma separates the entries of a list"

SAID = {
    "a day for a month": ("start: 2030-01 ", "start: 2030-01-15 ", "study.start: must be a month, as 2030-01; found '2030-01-15'"),
    "a year for a month": ("start: 2030-01 ", "start: 2030 ", "study.start: must be a month, as 2030-01; found 2030"),
    "a currency in words": (
        "currency: SEK\n  start",
        "currency: kr\n  start",
        "must be a currency in three capitals, as SEK; found 'kr'",
    ),
    "a name that begins with a digit": (
        "young: {share: 0.5}",
        "young: {share: 0.5}\n    9x: {share: 0}",
        "a name must have only the letters a to z, digits and `_`, and begin with a letter; found '9x'",
    ),
    "a decimal comma": ("drawdown_months: 6", "drawdown_months: 6,5", f"must be a number; found '6,5'. {POINT}"),
    "a decimal comma in braces": ("mean: 0.04, sd: 0.01", "mean: 0,04, sd: 0.01", f"per_month.04: this key is unknown. {POINT}"),
    "decimal commas in a list": ("[0.9, 2.0]", "[0,9, 2,0]", "must have a blank after every comma or after none; found 0,9"),
    "tight decimal commas in a list": ("[0.9, 2.0]", "[0,9,2,0]", f"must have at most 2 entries; found [0, 9, 2, 0]. {POINT}"),
    "a share in per cent": ("mean: 0.04, sd", "mean: 4 %, sd", "must be a number; found '4 %'. Write 0.04; a number has no sign"),
    "millions in letters": ("commitment: 2_000_000", "commitment: 2 mkr", "must be a number; found '2 mkr'. Write 2_000_000;"),
    "blanks between thousands": ("commitment: 2_000_000", "commitment: 2 000 000", "found '2 000 000'. Write 2_000_000;"),
    "points between thousands": ("commitment: 2_000_000", "commitment: 2.000.000", "found '2.000.000'. Write 2_000_000;"),
    "a fraction": ("share: 0.5}", "share: 4 / 5}", "found '4 / 5'. Write 0.8;"),
    "a tab": ("  start: 2030-01", "\tstart: 2030-01", "study.yaml:7: must be indented with blanks, not with the tab key; found"),
    "a line too far right": (
        "  start: 2030-01",
        "    start: 2030-01",
        "study.yaml:7: must begin as far to the right as its neighbours",
    ),
    "a colon in a text": ("title: A tiny", "title: A: tiny", "put a text that holds a `:` in quotes"),
    "no blank after a colon": (
        "horizon_months: 24",
        "horizon_months:24",
        "Look at this line and the one above: `name: value`, not `name:value`",
    ),
    "no blank after a colon in braces": ("{name: Municipality", "{name:Municipality", "follow the colon: `name: Municipality`"),
    "a comma in a text in braces": (
        "{name: Municipality",
        "{name: Municipality, socialförvaltningen",
        "parties.outcome_payer.socialförvaltningen: this key is unknown. If it belongs to the text before it, put the text in quotes",
    ),
    "a letter of another alphabet": (
        "young: {share: 0.5}",
        "hemåt: {share: 0.5}",
        "a name must have only the letters a to z, digits and `_`, and begin with a letter; found 'hemåt'. Write `hemat`. Titles",
    ),
    "dates in another order": (
        "contract:\n",
        "contract:\n  dates:\n    late: {month: 24}\n    early: {month: 12}\n",
        "study.yaml:49: contract.dates.early: dates must stand in the order of their months; found `early` in month 12 after `late` "
        "in month 24. Exchange them",
    ),
    "a negative discount rate": (
        "discount_rate_per_year: 0.03}",
        "discount_rate_per_year: -0.005}",
        "(a table of `rates`, named by",
    ),
    "a key of another distribution": (
        "mean: 0.04, sd: 0.01",
        "mean: 0.04, sd: 0.01, high: 1",
        "per_month.high: this key is unknown. Known keys",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_message__says_in_words_what_must_be(name: str, tmp_path: Path) -> None:
    old, new, said = SAID[name]
    assert old in TINY
    (tmp_path / "study.yaml").write_text(TINY.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(StudyError) as caught:
        load_study(tmp_path / "study.yaml")

    assert said in str(caught.value)
    assert "pattern" not in str(caught.value)


def test_message__of_an_unknown_key_lists_the_keys_of_this_distribution_alone(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(TINY.replace("mean: 0.04, sd: 0.01", "mean: 0.04, sd: 0.01, zzz: 1", 1), encoding="utf-8")

    with pytest.raises(StudyError, match="Known keys here: ") as caught:
        load_study(tmp_path / "study.yaml")

    known = str(caught.value).partition("Known keys here: ")[2].split(", ")
    assert {"distribution", "mean", "sd", "successes", "failures"} <= set(known)
    assert not {"zzz", "low", "high", "values", "mode"} & set(known)


@pytest.mark.parametrize("model", [Study, Contract, Portfolio], ids=lambda model: model.__name__)
def test_models__say_every_pattern_in_words(model: type[BaseModel]) -> None:
    # A pattern that the validator holds itself would be shown to whoever breaks it.
    assert not re.search(r"['\"]pattern['\"]: ", str(model.model_json_schema()))


def test_message__of_a_missing_section_says_where_one_stands(tmp_path: Path) -> None:
    without = re.sub(r"(?ms)^capital:.*?(?=^\w)", "", TINY)
    (tmp_path / "study.yaml").write_text(without, encoding="utf-8")

    with pytest.raises(StudyError, match=r"capital: must be given\. Copy this section from a shipped study, such as configs/tiny"):
        load_study(tmp_path / "study.yaml")


def test_message__of_a_name_is_said_once_for_all_its_places(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(re.sub(r"\bplaced\b", "borta_hemåt", TINY), encoding="utf-8")

    with pytest.raises(StudyError) as caught:
        load_study(tmp_path / "study.yaml")

    assert str(caught.value).count("a name must have only") == 1
    assert "a move must join" not in str(caught.value)  # the move is none because of the name


def test_message__of_a_variant_gives_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(TINY + "\nvariants:\n  bad:\n    contract.commitment: much\n", encoding="utf-8")

    with pytest.raises(
        StudyError, match=r"study\.yaml:\d+ \(variants\.bad\): contract\.commitment: must be a number; found 'much'"
    ):
        load_study(tmp_path / "study.yaml", variant="bad")


def test_lists_of_names__take_one_name() -> None:
    from simengine.capital.spec import Guarantee, WaterfallStep

    assert Guarantee.model_validate({"guarantor": "bank", "covers": "senior"}).covers == ("senior",)
    assert WaterfallStep.model_validate({"interest": "senior"}).interest == ("senior",)
