"""Discounting from one rate and from dated tables, and the prices of the start."""

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from simengine.capital import deflators, discount_factors
from simengine.capital.rates import PriceIndex, RateTable
from simengine.config import load_study
from simengine.errors import StudyError
from simengine.pipeline import discount_basis_of, draw_numbers
from tests.capital.made import draws_of

GREEN_BOOK = {1: 0.035, 31: 0.03, 76: 0.025, 126: 0.02, 201: 0.015, 301: 0.01}
TABLE = TypeAdapter(RateTable)


def table(**keys):
    return TABLE.validate_python({"title": "a table", "dated": "2026-02", "source": "given"} | keys)


def test_table__gives_the_factors_of_the_green_book():
    # Source: HM Treasury, Green Book, table of the social time preference rate; DF(30) = 1.035^-30 and DF(31) = DF(30) / 1.03.
    factors = discount_factors(table(from_year=GREEN_BOOK), "2026-01", 12 * 130)

    assert factors[12 * 30] == pytest.approx(0.35627841, abs=5e-9)
    assert factors[12 * 31] == pytest.approx(0.34590137, abs=5e-9)
    # Hand arithmetic: 30 years at 3.5 %, 45 at 3 %, 50 at 2.5 %, one at 2 %.
    assert factors[12 * 126] == pytest.approx(1.035**-30 * 1.03**-45 * 1.025**-50 * 1.02**-1)


def test_table__of_one_rate_is_that_rate():
    one, other = discount_factors(0.035, "2026-05", 61), discount_factors(table(from_year={1: 0.035}), "2026-05", 61)

    np.testing.assert_allclose(one, other, rtol=1e-13)
    assert one[12] == pytest.approx(1 / 1.035)


def test_table__by_calendar_year_changes_in_january():
    # Source: hand arithmetic. From November 2029: two months at 10 %, then 20 %; before 2029 the first rate holds.
    factors = discount_factors(table(from_calendar_year={2029: 0.10, 2030: 0.20}), "2029-11", 15)

    assert factors[2] == pytest.approx(1.1 ** (-2 / 12))
    assert factors[14] == pytest.approx(1.1 ** (-2 / 12) / 1.2)


def test_deflators__are_of_each_replication_its_own():
    # Source: hand arithmetic; 2 % and 10 % a year.
    steady = deflators(
        PriceIndex.model_validate({"growth_per_year": 0.02}), draws_of(2, prices__growth_per_year=[0.02, 0.10]), "2030-01", 25
    )
    by_year = deflators(
        PriceIndex.model_validate({"from_calendar_year": {2030: 0.0, 2031: 0.5}}),
        draws_of(1, prices__from_calendar_year__2030=0.0, prices__from_calendar_year__2031=0.5),
        "2030-01",
        25,
    )

    assert steady[:, 24] == pytest.approx([1.02**-2, 1.1**-2])
    assert by_year[0, [12, 24]] == pytest.approx([1, 1 / 1.5])


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, "by `from_year` or by `from_calendar_year`; found neither or both"),
        ({"from_year": {1: 0.1}, "from_calendar_year": {2030: 0.1}}, "found neither or both"),
        ({"from_year": {2: 0.1}}, "must begin with year 1; found 2"),
        ({"from_year": {1: 3.5}}, "a rate must lie between -0.5 and 1 a year; found 3.5"),
    ],
)
def test_table__that_says_nothing_clear_is_refused(keys, message):
    with pytest.raises(ValidationError, match=message):
        table(**keys)


def test_rates__are_read_from_a_file_beside_the_study(checkout, tiny_path, tmp_path):
    # Source: hand arithmetic. At 3.5 % real and 2 % inflation money a year later is worth 1 / 1.035 / 1.02.
    (tmp_path / "rates.yaml").write_text((checkout / "configs/rates/public.yaml").read_text())
    text = tiny_path.read_text().replace(
        "investor: {name: Investor, discount_rate_per_year: 0.03}", "investor: {name: Investor, discounting: green_book}"
    )
    (tmp_path / "study.yaml").write_text(text + "\nrates: {file: rates.yaml}\nprices: {growth_per_year: 0.02}\n")
    study = load_study(tmp_path / "study.yaml")
    draws = draw_numbers(study, 0, np.arange(2))

    factors = discount_basis_of(study, draws, 2).discount_factors

    assert factors["investor"][0, 12] == pytest.approx(1 / 1.035 / 1.02)
    assert factors["outcome_payer"][0, 12] == pytest.approx(1 / 1.03)


def test_real_rates__without_prices_are_refused(tiny_path):
    tables = "rates={book: {title: x, dated: '2026', source: x, real: true, from_year: {1: 0.035}}}"

    with pytest.raises(StudyError, match=r"rates\.book\.real: a table for money in the prices of the start must have `prices`"):
        load_study(tiny_path, [tables, "parties.investor={name: x, discounting: book}"])
