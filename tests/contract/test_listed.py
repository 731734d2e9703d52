"""A table of outcomes that somebody has: read from a file or from Python, settled as it comes, refused line by line."""

import os

import numpy as np
import pytest

from simengine.config import load_contract, read_reached
from simengine.contract import reached_from
from simengine.errors import StudyError, UsageError
from simengine.settlement import replay
from tests.command import in_this_process

CARD = """\
title: A card
currency: GBP
commitment: 1_000_000
dates: {quarter: {every_months: 3, until_month: 12}}
waves: {first: one, second: two}
groups: {young: under 25, old: others}
outcomes:
  job: {meaning: has work, validated_after_months: 1}
  days: {meaning: days in work, unit: days}
terms:
  card:
    rate_card:
      job: {price: 1_000, by_group: {old: 1_500}}
      days: {price: 2.5, beyond_units: 20}
    cap_per_wave: {first: 2_600}
published:
  spring:
    reached:
      - {outcome: job, month: 2, number: 2, wave: first}
      - {outcome: days, month: 3, number: 40, wave: second}
    date: quarter_1
    paid: 2_050
    basis: strict
"""
COUNTED = CARD.replace(", beyond_units: 20", "")
PEOPLE = """\
person,outcome,month,units,wave,group
a,job,2,,first,young
a,days,2,15,first,young
a,days,3,15.5,first,young
b,job,3,,first,old
c,,,,second,
"""


@pytest.fixture
def card(tmp_path):
    (tmp_path / "card.yaml").write_text(CARD)
    return load_contract(tmp_path / "card.yaml")


@pytest.fixture
def counted(tmp_path):
    (tmp_path / "counted.yaml").write_text(COUNTED)
    return load_contract(tmp_path / "counted.yaml")


def table(tmp_path, text):
    (tmp_path / "reached.csv").write_text(text, encoding="utf-8")
    return tmp_path / "reached.csv"


def paid(contract, reached):
    return replay(contract, {}, 0.0, reached=reached).by_due[0, 0].tolist()


def test_people__are_settled_person_by_person(card, tmp_path):
    # By hand: a's job (month 2, validated in 3) 1,000 and 10.5 days beyond 20, 26.25, in month 3; b's job in month 4, 1,500, of
    # which the cap of the first wave leaves 2,600 - 1,026.25.
    reached = read_reached(table(tmp_path, PEOPLE), card)

    assert paid(card, reached) == [1026.25, 1500.0, 0, 0]
    tight = card.model_copy(update={"terms": {"card": card.terms["card"].model_copy(update={"cap_per_wave": {}})}})
    assert paid(tight, reached) == [1026.25, 1500.0, 0, 0]
    assert (len(reached.wave), len(reached.person)) == (3, 4)


def test_cap_of_a_wave__cuts_what_comes_later(card, tmp_path):
    # By hand: 1,000 + 1,500 + 1,500 of the first wave, at most 2,600.
    more = PEOPLE + "d,job,3,,first,old\n"
    assert paid(card, read_reached(table(tmp_path, more), card)) == [1026.25, 2600 - 1026.25, 0, 0]


def test_order_of_lines_separator_and_case__change_nothing(card, tmp_path):
    lines = PEOPLE.splitlines()
    expected = paid(card, read_reached(table(tmp_path, PEOPLE), card))
    turned = "\n".join([lines[0].upper(), *lines[:0:-1]]).replace(",", ";")

    assert paid(card, read_reached(table(tmp_path, "\ufeff" + turned), card)) == expected


def test_dates__are_the_month_at_whose_end_they_lie(card, tmp_path):
    # Source: months from the start 2030-11: November is the first, January of the next year the third.
    dated = PEOPLE.replace("month", "date").replace(",2,", ",2030-12-24,").replace(",3,", ",2031-01,")

    assert paid(card, read_reached(table(tmp_path, dated), card, "2030-11")) == [1026.25, 1500.0, 0, 0]
    with pytest.raises(StudyError, match="needs the month in which the contract begins"):
        read_reached(table(tmp_path, dated), card)
    with pytest.raises(StudyError, match="a date must not be before the start, 2031-01"):
        read_reached(table(tmp_path, dated), card, "2031-01")
    with pytest.raises(StudyError, match="a date is written as 2030-01-31 or 2030-01"):
        read_reached(table(tmp_path, dated.replace("2030-12-24", "24/12/2030")), card, "2030-11")
    for wrong in (
        "2030-13-01",
        "2030-00",
        "2030-12-32",
        "2030-12-00",
        "203-12-24",
        "2030-1\u00b2-24",
        "2030-" + "1" * 5000,
        "2030-12-24-1",
    ):
        with pytest.raises(StudyError, match="a date is written as 2030-01-31 or 2030-01"):
            read_reached(table(tmp_path, dated.replace("2030-12-24", wrong)), card, "2030-11")
    for start in ("soon", "2030-13", "2030", 2030, ""):
        with pytest.raises(UsageError, match="start: must be a month, as 2030-01; found"):
            read_reached(table(tmp_path, dated), card, start)


def test_counts__are_as_many_different_people(counted, tmp_path):
    text = "outcome,month,number,wave\njob,2,2,first\ndays,3,40,second\n"
    reached = read_reached(table(tmp_path, text), counted)

    assert len(reached.wave) == 3
    assert paid(counted, reached) == [2 * 1000 + 40 * 2.5, 0, 0, 0]


def test_rows__may_come_from_python(card):
    rows = [{"person": 7, "outcome": "job", "month": 2.0, "wave": "first", "group": float("nan")}]
    assert paid(card, reached_from(card, [("row 1", row) for row in rows])) == [1000, 0, 0, 0]


WRONG = {
    "unknown outcome": ("a,job,2", "a,jobs,2", "reached.csv:2: outcome: must be an outcome of the contract; found 'jobs'. One of: job, days"),
    "missing person": ("b,job,3", ",job,3", "reached.csv:5: person: every line must name a person, by any text; found nothing"),
    "unknown wave": ("3,,first,old", "3,,third,old", "reached.csv:5: wave: must be a wave of the contract; found 'third'. One of: first, second"),
    "no wave": ("3,,first,old", "3,,,old", "reached.csv:5: wave: each person must have a wave where the contract has waves; found nothing"),
    "unknown group": ("first,old", "first,elder", "reached.csv:5: group: must be a group of the contract; found 'elder'. One of: young, old"),
    "no month": ("b,job,3", "b,job,", "reached.csv:5: month: must be a whole number of months from the start, from 0 to 1200; found ''"),
    "half a month": ("b,job,3", "b,job,3.5", "reached.csv:5: month: must be a whole number of months from the start, from 0 to 1200; found '3.5'"),
    "negative month": ("b,job,3", "b,job,-3", "reached.csv:5: month: must be a whole number of months"),
    "no units": ("a,days,2,15", "a,days,2,", "reached.csv:3: units: must be a number, not negative; found ''"),
    "infinite units": ("a,days,2,15", "a,days,2,inf", "reached.csv:3: units: must be a number, not negative; found 'inf'"),
    "units of people": ("a,job,2,", "a,job,2,4", "reached.csv:2: units: an outcome of people must have no units; found '4'. Leave it empty"),
    "twice in a month": ("a,days,3", "a,days,2", "found `days` of 'a' in month 2, here and at"),
    "two waves": ("a,days,3,15.5,first", "a,days,3,15.5,second",
        "reached.csv:4: wave: a person must be in one wave; found `second` here, `first` at"),
    "a cell too many": ("b,job,3,,first,old", "b,job,3,,first,old,5", "reached.csv:5: must have 6 cells, as in the header; found 7"),
    "unknown column": ("units,wave", "days,wave", "a table of people must have the columns person, outcome, month, units, wave, group; found 'days'"),
    "column twice": ("units,wave", "wave,wave", "reached.csv:1: each column must have a name of its own; found 'wave' twice"),
    "no person column": ("person,outcome", "who,outcome", "a table of people must have the columns"),
    "unseen characters": ("a,job,2", "a,j\x1b[31mob,2", "must be an outcome of the contract; found"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_table__is_refused_where_it_is_wrong(card, tmp_path, name):
    old, new, message = WRONG[name]
    assert PEOPLE.count(old) >= 1

    with pytest.raises(StudyError) as caught:
        read_reached(table(tmp_path, PEOPLE.replace(old, new, 1)), card)

    assert message in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "\n", "person,outcome,month\n", "\x00\x01"])
def test_empty_table__is_refused(card, tmp_path, text):
    with pytest.raises(StudyError, match=r"columns person, outcome and month|no line|a table"):
        read_reached(table(tmp_path, text), card)


def test_file__that_cannot_be_read_is_named(card, tmp_path):
    with pytest.raises(StudyError, match=r"missing\.csv: must be a table that can be read; found No such file"):
        read_reached(tmp_path / "missing.csv", card)
    (tmp_path / "bytes.csv").write_bytes(b"person,outcome\xff\xfe")
    with pytest.raises(StudyError, match="a table must be text in UTF-8"):
        read_reached(tmp_path / "bytes.csv", card)
    os.mkfifo(tmp_path / "pipe.csv")
    for name, found in {"": "a folder", "pipe.csv": "a device or a pipe", "a\0b": "embedded null byte"}.items():
        with pytest.raises(StudyError, match=f"found {found}"):
            read_reached(tmp_path / name, card)
    with pytest.raises(
        StudyError, match=r"reached\.csv:2: must be a line of cells between commas; found field larger than field limit"
    ):
        read_reached(table(tmp_path, "person,outcome,month\n" + "a" * 200_000 + ",job,1\n"), card)


def test_counts__are_refused_where_a_card_must_know_who(card, tmp_path):
    with pytest.raises(StudyError, match=r"`rate_card\.days\.beyond_units` of `card` must be settled on what each person reached"):
        read_reached(table(tmp_path, "outcome,month,number,wave\njob,2,2,first\n"), card)
    with pytest.raises(StudyError, match=r"number: must be a whole number of people, not negative; found '2\.5'"):
        read_reached(table(tmp_path, "outcome,month,number,wave\njob,2,2.5,first\n"), card)


def test_contract__that_counts_outcomes_needs_a_table(card, tmp_path):
    with pytest.raises(
        UsageError, match="reached: must be given where the contract pays for outcomes person by person; found no table"
    ):
        replay(card, {}, 0.0)
    (tmp_path / "plain.yaml").write_text("title: x\ncurrency: GBP\ncommitment: 5\nterms: {fee: {amount: 5}}\n")
    with pytest.raises(UsageError, match="reached: a table must belong to a contract that counts `outcomes`"):
        replay(
            load_contract(tmp_path / "plain.yaml"),
            {},
            0.0,
            reached=reached_from(card, [("1", {"person": 1, "outcome": "", "month": "", "wave": "first"})]),
        )


def test_command__settles_a_table_and_published_cases(tmp_path):
    (tmp_path / "card.yaml").write_text(CARD)
    (tmp_path / "counted.yaml").write_text(COUNTED.replace("paid: 2_050", "paid: 2_100"))
    people = table(tmp_path, PEOPLE)

    done = in_this_process(["replay", str(tmp_path / "card.yaml"), "--reached", str(people)])
    assert done.returncode == 0
    assert "1,026.25" in done.stdout
    assert "2,526.25" in done.stdout
    done = in_this_process(["replay", str(tmp_path / "counted.yaml")])
    assert done.returncode == 0
    assert "strict" in done.stdout
    assert "not reproduced" not in done.stdout
    done = in_this_process(["replay", str(tmp_path / "counted.yaml").replace("counted", "card")])
    assert (done.returncode, done.stdout) == (2, "")
    done = in_this_process(["replay", str(tmp_path / "card.yaml"), "--reached", str(people), "--start", "soon"])
    assert (done.returncode, done.stdout) == (2, "")
    assert "--start: must be a month, as 2030-01; found 'soon'" in done.stderr
    for contract in ("card.yaml", "counted.yaml"):
        done = in_this_process(["replay", str(tmp_path / contract), "--start", "2030-01"])
        assert (done.returncode, done.stdout) == (2, "")
        assert "--start: must belong to a table of outcomes, --reached; found '2030-01' and no table" in done.stderr


def test_record__holds_rows_in_order(card, tmp_path):
    reached = read_reached(table(tmp_path, PEOPLE), card)
    assert reached.month.tolist() == [2, 2, 3, 3]
    assert reached.person.tolist() == [0, 0, 0, 1]
    assert [reached.outcomes[o] for o in reached.outcome] == ["job", "days", "days", "job"]
    assert np.array_equal(reached.group, [0, 1, -1])
