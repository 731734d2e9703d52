"""Payments against plans, project by project: hand arithmetic on the made-up tables; and messages about tables that are none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from simengine.errors import StudyError, UsageError
from simengine.reference_class.history import (
    ODDITIES,
    Oddities,
    PaidAgainstPlan,
    PaymentHistory,
    PeriodAmount,
    known_until,
    paid_against_plan,
    payment_histories,
)
from simengine.reference_class.indigo import ProjectFilter, month_number, read_indigo
from simengine.reference_class.reference import read_reference

EVERY = ProjectFilter()


@pytest.fixture
def sample(checkout: Path) -> Path:
    return checkout / "configs" / "indigo_made_up"


@pytest.fixture
def copied(sample: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sample, tmp_path / "indigo"))


def against(folder: Path, chosen: ProjectFilter = EVERY) -> tuple[dict[str, PaidAgainstPlan], dict[str, int]]:
    odd = Oddities()
    found = [paid_against_plan(one, odd) for one in payment_histories(read_indigo(folder), chosen, odd)]
    return {one.history.project[-2:]: one for one in found if one is not None}, {one.what: one.number for one in odd.listed()}


@pytest.mark.parametrize(
    ("project", "planned", "paid", "in_all", "ratio", "is_finished"),
    [
        # 12 quarters of 10,000 against 12 of 9,000; the payment of 2020-13 is left out
        ("01", 120_000, 108_000, 120_000, 0.9, True),
        # 8 quarters of 20,000, each paid a quarter later; the first plan, spelled Plan1, not the second of 18,000
        ("02", 160_000, 160_000, 160_000, 1.0, True),
        # 8 of 5,000 against 8 of 7,500
        ("03", 40_000, 60_000, 40_000, 1.5, True),
        # 12 of 10,000 of which 6 are due, 6 of 6,000 paid: not finished, 36 / 60
        ("04", 60_000, 36_000, 120_000, 0.6, False),
        # 4 quarters of 8,000 that the plan repeats do not count; then 4 of 10,000 against 4 of 11,000
        ("05", 40_000, 44_000, 40_000, 1.1, True),
        # 4 of 25,000 against 30,000 for half a year, 10,000 for its second quarter and 2 of 20,000
        ("06", 100_000, 80_000, 100_000, 0.8, True),
        # 8 of 10,000 of which 4 are due, 4 of 12,000 paid: not finished
        ("07", 40_000, 48_000, 80_000, 1.2, False),
        # 5 of 12,000 against 5 of 12,600, and a row of 0 for the same quarter
        ("08", 60_000, 63_000, 60_000, 1.05, True),
    ],
)
def test_project__is_paid_against_its_first_plan(
    sample: Path, project: str, planned: float, paid: float, in_all: float, ratio: float, is_finished: bool
) -> None:
    found = against(sample)[0][project]
    assert (found.planned, found.paid, found.planned_in_all) == pytest.approx((planned, paid, in_all))
    assert found.ratio == pytest.approx(ratio)
    assert found.is_finished is is_finished
    assert found.at_least == pytest.approx(paid / in_all)


def test_projects_without_a_ratio__are_none_and_are_counted(sample: Path) -> None:
    found, odd = against(sample)
    assert sorted(found) == ["01", "02", "03", "04", "05", "06", "07", "08"]
    # counted by eye in the tables
    assert odd == {
        "plan_respelled": 16,  # both plans of 02, 8 quarters each
        "no_type": 1,
        "no_period": 1,
        "same_period": 1,
        "overlapping_periods": 1,
        "several_currencies": 1,
        "plan_knew_payments": 1,
        "nothing_paid_yet": 1,
        "unfinished": 2,
        "no_country": 1,
    }


def test_reference__counts_what_is_odd_in_other_tables_too(sample: Path) -> None:
    found = read_reference(sample, EVERY)
    odd = {one.what: one.number for one in found.oddities}
    # `=B4-B3` of 04, `=D4-D3` of 06, `to be agreed` of 08; one result of 2018-13
    assert (odd["no_price"], odd["no_period_of_result"]) == (3, 1)
    assert set(odd) <= set(ODDITIES)


def test_reference__adds_up_quarters_delays_and_plans(sample: Path) -> None:
    found = read_reference(sample, EVERY)
    quarters = {one.quarter: one for one in found.quarters}
    # 2020-Q1: plans of 01, 02, 03, 04, 06, 07, 08 (05 is known): 10 + 20 + 5 + 10 + 25 + 10 + 12 thousand;
    # paid 9 + 0 + 7.5 + 6 + 15 + 12 + 12.6
    assert (quarters["2020-Q1"].planned, quarters["2020-Q1"].paid) == pytest.approx((92_000, 62_100))
    assert quarters["2020-Q1"].projects == 7
    # Later by: 3 months (02), and 06: half of 30,000 in each quarter, so 15, 25, 20, 20 of 80 against equal quarters:
    # quarters 0 to 3 at mean (25 + 40 + 60) / 80 = 1.5625 less 1.5, times 3 months; the other four 0
    delays = found.delays
    assert delays is not None
    assert delays.mean_months == pytest.approx((3 + 3 * 0.0625) / 6)
    # 02: 18,000 / 20,000; 07: 13,000 / 10,000
    assert found.replans.last_over_first is not None
    assert (found.replans.replaced, found.replans.last_over_first.lowest, found.replans.last_over_first.highest) == (2, 0.9, 1.3)
    # 05 has no cap of its own: that of its two payers, 40,000 + 50,000; 06 has none that is a number
    health = next(one for one in found.caps if one.sector == "Health")
    assert (health.amounts.number, health.amounts.lowest, health.amounts.highest) == (2, 90_000, 150_000)
    assert found.repayment == {"not stated": 3, "Principal + positive financial returns": 1}


@pytest.mark.parametrize(
    ("chosen", "projects"),
    [
        (ProjectFilter(sector="health"), "01 04 05 06"),
        (ProjectFilter(country="SE"), "07"),
        (ProjectFilter(fund="young carers"), "05"),
        (ProjectFilter(projects=("MADE-UP-02..MADE-UP-04", "MADE-UP-08")), "02 03 04 08"),
    ],
)
def test_filter__takes_some_projects(sample: Path, chosen: ProjectFilter, projects: str) -> None:
    assert " ".join(sorted(against(sample, chosen)[0])) == projects


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (ProjectFilter(sector="Helth"), "--sector: must be a sector that the tables name; found 'Helth'. One of: Employment and"),
        (ProjectFilter(country="XX"), "--country: must be a country"),
        (ProjectFilter(currency="XXX"), "--currency: must be a currency"),
        (ProjectFilter(fund="nothing like it"), "--fund: must be a fund"),
        (ProjectFilter(projects=("MADE-UP-99",)), "--project: must be a project"),
    ],
)
def test_filter__refuses_what_is_not_there(sample: Path, chosen: ProjectFilter, message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("(", r"\(")):
        against(sample, chosen)


def test_class_that_is_too_small__is_refused(sample: Path) -> None:
    with pytest.raises(UsageError, match="at least 5 projects with a ratio, two of them finished; found 4 with a ratio"):
        read_reference(sample, ProjectFilter(sector="Health"))


def test_table__that_is_missing_or_no_table_is_one_message(copied: Path) -> None:
    (copied / "results.csv").unlink()
    payments = copied / "outcome_payments.csv"
    payments.write_text(payments.read_text().replace("Payments - Amount - (Value)", "Amount"))
    (copied / "investments.csv").write_bytes(b"Project ID\n\xff\n")
    with pytest.raises(StudyError) as refused:
        read_indigo(copied)
    said = str(refused.value).splitlines()
    assert len(said) == 3
    assert "outcome_payments.csv: must have the columns of the INDIGO dataset" in said[0]
    assert "none of these: Payments - Amount - (Value)" in said[0]
    assert "results.csv: must be a table that can be read; found No such file" in said[1]
    assert "investments.csv: a table must be text in UTF-8; found byte 11 is not" in said[2]


def test_line__with_other_cells_than_the_header_has_its_number(copied: Path) -> None:
    plans = copied / "outcome_payment_plans.csv"
    lines = plans.read_text().splitlines()
    plans.write_text("\n".join([*lines[:3], lines[3] + ",more", *lines[4:]]) + "\n")
    with pytest.raises(StudyError, match=r"outcome_payment_plans.csv:4: must have 4 cells, as in the header; found 5"):
        read_indigo(copied)


def test_project__that_is_not_listed_or_listed_twice_is_refused(copied: Path) -> None:
    projects = copied / "projects.csv"
    lines = projects.read_text().splitlines()
    projects.write_text("\n".join([*lines[:-1], lines[1]]) + "\n")
    with pytest.raises(StudyError, match="MADE-UP-01 again") as refused:
        read_indigo(copied)
    assert "found 'MADE-UP-11'" in str(refused.value)


def history(plan: list[float], paid: list[float]) -> PaymentHistory:
    first = 12 * 2020
    parts = [tuple(PeriodAmount(first + 3 * i, first + 3 * i + 2, one) for i, one in enumerate(row)) for row in (plan, paid)]
    return PaymentHistory("A", "", "", "", "GBP", is_complete=True, paid=parts[1], plans={"plan1": parts[0]})


@pytest.mark.parametrize(
    ("plan", "paid", "quarters"),
    [
        ([10, 10, 10], [9, 11, 10], 0),  # the sums meet in the second quarter, but not from the first on
        ([10, 10, 10], [10, 10, 9], 2),
        ([0, 10, 10], [0, 10, 9], 2),  # nothing planned and nothing paid repeats nothing, and ends nothing
        ([10_000, 10], [10_009, 20], 1),  # the same to a thousandth
    ],
)
def test_plan__knows_payments_from_the_first_on(plan: list[float], paid: list[float], quarters: int) -> None:
    known = known_until(history(plan, paid))
    assert known == (None if quarters == 0 else month_number("2020-01") + 3 * quarters - 1)
