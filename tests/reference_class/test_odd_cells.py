"""Cells of the tables that are far from anything: left out and counted, or refused in one message."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from simengine.errors import StudyError
from simengine.reference_class.indigo import amount_of, month_number, read_indigo
from simengine.reference_class.record import recorded_contract
from tests.conftest import CHECKOUT


@pytest.mark.parametrize("text", ["1e400", "1e308", "1000000000000001", "-1e16", "nan", "inf", "9" * 400])
def test_amount_beyond_any_money__is_none(text: str) -> None:
    assert amount_of(text) is None
    assert amount_of("1e15") == 1e15


@pytest.mark.parametrize("text", ["0000-01", "9999-12", "1000-01", "1899-12", "2200-01"])
def test_year_of_no_contract__is_no_month(text: str) -> None:
    """A period from year 0 on would be spread over 24,000 months."""
    assert month_number(text) is None
    assert month_number("2199-12") is not None


@pytest.mark.parametrize("currency", ["", "pounds", "\x1b[2J"])
def test_record_that_makes_no_contract__is_refused(currency: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(CHECKOUT / "configs" / "indigo_made_up", tmp_path / "tables"))
    for name in ("outcome_payments.csv", "outcome_pricings.csv"):
        rows = list(csv.reader((folder / name).read_text(encoding="utf-8").splitlines()))
        places = [place for place, header in enumerate(rows[0]) if "Currency" in header]
        for row in rows[1:]:
            for place in places:
                row[place] = currency
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    with pytest.raises(StudyError, match=r"currency: must be a currency in three capitals, as SEK"):
        recorded_contract(read_indigo(folder), "MADE-UP-03")
