"""A rate card as a record of the public tables and back, and what is lost on the way."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from simengine import load_contract
from simengine.errors import StudyError, UsageError
from simengine.reference_class.indigo import INDIGO_COLUMNS, read_indigo
from simengine.reference_class.record import record_of, recorded_contract
from tests.command import in_this_process

CARD = """
title: A card
currency: GBP
commitment: 1000
dates: {quarter: {every_months: 3, until_month: 9}}
outcomes:
  placed: {meaning: "lives with a family, as proved", evaluator: somebody}
  stayed: {meaning: the placement has lasted a year}
terms:
  card:
    rate_card:
      placed: {price: 100.25, cap: 5000}
      stayed: {price: 70, needs: placed, from_month: {12: 80}}
    cap_in_all: 9000
    cap_per_person: 170
  fee: {amount: 10, at: quarter_1}
"""


@pytest.fixture
def card(tmp_path: Path) -> Path:
    (tmp_path / "card.yaml").write_text(CARD)
    return tmp_path / "card.yaml"


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_record__has_the_fields_of_the_tables_and_lists_the_rest(card: Path) -> None:
    files, unsaid = record_of(load_contract(card), "MINE-1")
    assert set(files) == {f"{table}.csv" for table in INDIGO_COLUMNS}
    price, most = INDIGO_COLUMNS["outcome_pricings"]["price"], INDIGO_COLUMNS["outcome_pricings"]["most"]
    assert [(row["Project ID"], row[price], row[most]) for row in rows(files["outcome_pricings.csv"])] == [
        ("MINE-1", "100.25", "5000"),
        ("MINE-1", "70", ""),
    ]
    project = rows(files["projects.csv"])[0]
    assert (project["ID"], project[INDIGO_COLUMNS["projects"]["most"]]) == ("MINE-1", "9000")
    said = [line.partition(":")[0] for line in unsaid]
    # Everything of the file but title, currency, meanings, prices, caps of outcomes and in all.
    assert sorted(said) == sorted(
        [
            *("commitment", "dates", "terms.fee", "terms.card.cap_per_person", "outcomes.placed.evaluator"),
            *("terms.card.rate_card.stayed.needs", "terms.card.rate_card.stayed.from_month"),
        ]
    )


def test_record__comes_back_with_its_prices(card: Path, tmp_path: Path) -> None:
    contract = load_contract(card)
    folder = tmp_path / "tables"
    folder.mkdir()
    for name, text in record_of(contract, "MINE-1")[0].items():
        (folder / name).write_text(text)
    with pytest.raises(StudyError, match="must have payments, planned or made, in one currency; found none"):
        recorded_contract(read_indigo(folder), "MINE-1")
    with (folder / "outcome_payments.csv").open("a") as file:
        file.write("MINE-1,plan1,,2030-02,2030-04,Planned,GBP,900\nMINE-1,,,2030-02,2030-05,Actual,GBP,400.5\n")
    back = recorded_contract(read_indigo(folder), "MINE-1")
    ours, theirs = (one.terms["card"].model_dump(exclude_defaults=True) for one in (contract, back.contract))
    prices = [
        {name: price[key]["value"] for name, price in card["rate_card"].items()} for card in (ours, theirs) for key in ("price",)
    ]
    assert prices[0] == prices[1] == {"placed": 100.25, "stayed": 70}
    assert theirs["rate_card"]["placed"]["cap"]["value"] == 5000
    assert theirs["cap_in_all"]["value"] == 9000
    assert back.contract.outcomes["placed"].meaning == "lives with a family, as proved"
    # The first period begins in 2030-02, which is month 1; the plan ends in month 3, the payment in month 4: two quarters.
    assert (back.start, back.planned, back.paid) == ("2030-02", "month,payment\n3,900\n", "month,payment\n4,400.5\n")
    assert list(back.contract.calendar) == ["quarter_1", "quarter_2"]


def test_contract_without_a_card__is_refused(checkout: Path) -> None:
    with pytest.raises(UsageError, match="must have one rate card"):
        record_of(load_contract(checkout / "configs" / "contracts" / "norrkoping.yaml"), "MINE-1")


def test_prices_that_cannot_be_read__are_listed_or_refused(checkout: Path) -> None:
    tables = read_indigo(checkout / "configs" / "indigo_made_up")
    # The only price of 08 is `to be agreed`; 04 has none.
    for project in ("MADE-UP-08", "MADE-UP-04"):
        with pytest.raises(StudyError, match="must have a price that can be read"):
            recorded_contract(tables, project)
    assert list(recorded_contract(tables, "MADE-UP-02").contract.outcomes) == ["outcomemetric1", "outcomemetric2"]


def test_record_of_a_project__is_replayed_against_its_payments(checkout: Path, tmp_path: Path) -> None:
    """By hand: the made-up project 03 was paid 7,500 a quarter, 15 apprenticeships at 500; one quarter is planted wrong."""
    sample = checkout / "configs" / "indigo_made_up"
    done = in_this_process(["record", sample, "--project", "MADE-UP-03", "-o", "back"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "not said: commitment" in done.stdout
    counts = ["outcome,month,number", *(f"outcomemetric1,{month},{14 if month == 6 else 15}" for month in range(3, 25, 3))]
    (tmp_path / "reached.csv").write_text("\n".join(counts) + "\n")
    words = ["replay", "back/contract.yaml", "--reached", "reached.csv", "--actual", "back/paid.csv", "--json"]
    compared = json.loads(in_this_process(words, tmp_path).stdout)["actual"]
    assert [row["difference"] for row in compared] == [0, -500, 0, 0, 0, 0, 0, 0]
    assert [row["period"] for row in compared if row["verdict"] == "not reproduced"] == ["quarter_2"]


def test_command__needs_a_project(card: Path, tmp_path: Path) -> None:
    done = in_this_process(["record", card, "-o", "out"], tmp_path)
    assert (done.returncode, done.stderr) == (2, "simengine: --project: must be the id of a project; found none\n")
    assert not (tmp_path / "out").exists()
