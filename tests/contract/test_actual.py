"""A contract settled on what was reached, against the payments that were made: hand arithmetic by period."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simengine import load_contract
from simengine.config import read_reached
from simengine.contract_text.actual import compare_actual, read_actual
from simengine.errors import StudyError
from simengine.settlement import replay
from tests.command import in_this_process

CARD = """
title: A card
currency: GBP
commitment: 1000
dates: {quarter: {every_months: 3, until_month: 9}}
outcomes: {placed: {meaning: placed, evaluator: somebody}}
terms: {card: {rate_card: {placed: {price: 100.25}}}}
"""
REACHED = "person,outcome,month\na,placed,2\nb,placed,3\nc,placed,7\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "card.yaml").write_text(CARD)
    (tmp_path / "reached.csv").write_text(REACHED)
    return tmp_path


def compared(
    folder: Path, paid: str, rounded_to: float = 1.0, until: str | None = None
) -> list[tuple[str, float, float, float, str]]:
    (folder / "paid.csv").write_text(paid)
    contract = load_contract(folder / "card.yaml")
    settled = replay(contract, {}, 1000.0, until, read_reached(folder / "reached.csv", contract))
    rows = compare_actual(settled, read_actual(folder / "paid.csv"), "GBP", rounded_to, until)
    return [(row["period"], row["computed"], row["paid"], row["difference"], row["verdict"]) for row in rows]


def test_payments__are_reproduced_or_not(folder: Path) -> None:
    # By hand, two people by month 3 and one by month 9. Quarter 1: 2 x 100.25 = 200.50, paid 150 + 50.5;
    # quarter 2: nothing, 40 paid; quarter 3: 100.25, paid as 100, rounded.
    found = compared(folder, "month,payment\n1,150\n3,50.5\n4,40\n9,100\n")
    assert found == [
        ("quarter_1", 200.5, 200.5, 0.0, "reproduced"),
        ("quarter_2", 0.0, 40.0, -40.0, "not reproduced"),
        ("quarter_3", 100.25, 100.0, 0.25, "reproduced"),
    ]


def test_rounding__of_the_payments_decides(folder: Path) -> None:
    paid = "month,payment\n3,200.5\n9,100\n"
    assert [row[4] for row in compared(folder, paid, rounded_to=0.01)] == ["reproduced", "reproduced", "not reproduced"]
    # Half of the unit itself is still none.
    assert compared(folder, "month,payment\n3,200\n9,100.25\n")[0][3:] == (0.5, "reproduced")
    assert compared(folder, "month,payment\n3,199.99\n9,100.25\n")[0][3:] == (0.51, "not reproduced")


def test_payment_after_the_last_date__is_not_reproduced(folder: Path) -> None:
    paid = "month,payment\n3,200.5\n9,100.25\n10,70\n"
    assert compared(folder, paid)[-1] == ("after the last date", 0.0, 70.0, -70.0, "not reproduced")
    # Settled up to a date, later payments are another matter.
    assert [row[0] for row in compared(folder, paid, until="quarter_2")] == ["quarter_1", "quarter_2"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("month,amount\n1,5\n", "must have the columns month (or date) and payment; found amount, month"),
        ("month,payment\n1,5\n-1,5\n2,1 000\n", "paid.csv:3: month: must be a whole number from 0 to 2,400; found '-1'"),
        ("month,payment\n1.5,5\n", "paid.csv:2: month"),
        ("month,payment\n1,inf\n", "paid.csv:2: payment: must be a number"),
        ("month,payment\n", "found no line"),
    ],
)
def test_table__that_is_none_is_refused(folder: Path, table: str, message: str) -> None:
    (folder / "paid.csv").write_text(table)
    with pytest.raises(StudyError) as refused:
        read_actual(folder / "paid.csv")
    assert message in str(refused.value)


def test_command__tells_the_same(folder: Path) -> None:
    (folder / "paid.csv").write_text("date,payment\n2030-03-31,200.5\n2030-09,100\n")
    words = [
        "replay",
        "card.yaml",
        "--reached",
        "reached.csv",
        "--start",
        "2030-01",
        "--actual",
        "paid.csv",
        "--rounded-to",
        "0.01",
    ]
    shown, told = in_this_process(words, folder), in_this_process([*words, "--json"], folder)
    assert (shown.returncode, told.returncode) == (0, 0), shown.stderr
    rows = json.loads(told.stdout)["actual"]
    assert [row["verdict"] for row in rows] == ["reproduced", "reproduced", "not reproduced"]
    assert (rows[2]["from_month"], rows[2]["to_month"], rows[2]["difference"]) == (7, 9, 0.25)
    assert "1 of 3 not reproduced" in " ".join(shown.stdout.split())
    alone = in_this_process(["replay", "card.yaml", "--actual", "paid.csv"], folder)
    assert (alone.returncode, alone.stderr.count("\n")) == (2, 1)
    assert "--actual: must stand beside a contract and its outcomes" in alone.stderr
