"""Lines of credit by hand: drawn as needed, paid back, drawn again; fees, the last month, and money that stays for later costs."""

import numpy as np
import pytest

from simengine.config import load_study
from simengine.errors import StudyError
from simengine.pipeline import evaluate, simulate
from simengine.risk.summarise import summarise
from tests.capital.made import PARTIES, capital_of, moved, payments_of
from tests.capital.test_structures import NOTHING, by_line

EVERYBODY = (*PARTIES, "bank")
MONTHLY = {"delivery": {"payee": "service_provider", "per_month": 100, "until_month": 5}}


def line_of(size, costs=MONTHLY, **keys):
    """Return a section with one line of a bank, and what is beyond it for the provider."""
    steps = {"owed": {"interest": ["line"]}, "back": {"principal": ["line"]}}
    retained = {"later": {"retained": keys.pop("retained")}} if "retained" in keys else {}
    line = {"holder": "bank", "size": size, "revolving": True, **keys}
    waterfall = steps | retained | {"rest": {"rest": {"service_provider": "rest"}}}
    return capital_of(draws="as_needed", shortfall="allowed", costs=costs, tranches={"line": line}, waterfall=waterfall)


def test_line__that_is_paid_back_is_drawn_again_until_its_last_month():
    # Source: hand arithmetic. Three months of 100 use all of the 300; 250 of income pay back as much, so that months 3 and 4 are
    # drawn again; in month 5 the line is closed, although 50 of it are left, and the cost is not paid. 250 are outstanding.
    ledger = moved(line_of(300, available_until_month=4), payments_of({"term": 250.0}, {"term": 2}), 300, 8, parties=EVERYBODY)

    assert by_line(ledger) == {
        "term.term.payer.outcome_payer": {2: 250},
        "draw.line": dict.fromkeys(range(5), 100),
        "cost.delivery": dict.fromkeys(range(5), 100),
        "unpaid.cost.delivery": {5: 100},
        "step.back.line": {2: 250},
    }
    assert ledger.paid_in[0].tolist() == [500_00]
    assert ledger.peak[0].tolist() == [300_00]
    assert ledger.spent[0].tolist() == [True]
    assert ledger.lost[0].tolist() == [250_00]


def test_line__is_paid_back_before_money_stays_for_later_costs():
    # Source: hand arithmetic. Of 450 in month 2 the line gets its 300, and 150 stay: they pay month 3 and half of month 4, and the
    # line the other half and month 5. Of 500 in month 6 it gets 150; no cost is left, so that the provider gets the 350.
    income = payments_of({"one": 450.0, "two": 500.0}, {"one": 2, "two": 6})

    ledger = moved(line_of(400, retained=1), income, 400, 8, parties=EVERYBODY)

    lines = by_line(ledger)
    assert lines["draw.line"] == {0: 100, 1: 100, 2: 100, 4: 50, 5: 100}
    assert lines["retained.later"] == {2: 150}
    assert lines["step.back.line"] == {2: 300, 6: 150}
    assert lines["step.rest.service_provider"] == {6: 350}
    assert ledger.peak[0].tolist() == [300_00]
    assert ledger.spent[0].tolist() == [False]
    assert ledger.lost[0].tolist() == [0]


@pytest.mark.parametrize(
    ("keys", "stop", "fee"),
    # Source: hand arithmetic. A twelfth of 12 % of the 600 that may still be drawn is 6 a month, from month 1 on: to month 3, when
    # income pays it; to the last month of the line; to a stop. With 21 % interest a year on what was not paid, 6 of month 1 are
    # 6 (1 + i) + 6 in month 2, and those times 1 + i and 6 in month 3, with i = 1.21^(1/12) - 1, beside interest on the 600.
    [
        ({}, -1, 18),
        ({"available_until_month": 2}, -1, 12),
        ({"available_until_month": 0}, -1, 0),
        ({}, 1, 6),
        ({"coupon_per_year": 0.21}, -1, round(600 * (1.21**0.25 - 1) + 6 * (1.21 ** (2 / 12) + 1.21 ** (1 / 12) + 1), 2)),
    ],
)
def test_fee__is_charged_on_what_may_still_be_drawn(keys, stop, fee):
    costs = {"delivery": {"payee": "service_provider", "amount": 600}}
    capital = line_of(1_200, costs, commitment_fee_per_year=0.12, **keys)

    ledger = moved(capital, payments_of({"term": 1_000.0}, {"term": 3}, stop=[stop]), 1_200, 3, parties=EVERYBODY)

    lines = by_line(ledger)
    assert lines.get("step.owed.line", {}) == ({3: fee} if fee else {})
    assert lines["step.back.line"] == {3: 600}
    assert lines["step.rest.service_provider"] == {3: pytest.approx(400 - fee)}
    assert ledger.cash("bank").sum() == round(fee * 100)


def test_fee__that_is_never_paid_is_owed():
    # Source: hand arithmetic. A line that nobody draws costs 12 % of 1,000 in a year; nothing comes in.
    costs = {"delivery": {"payee": "service_provider", "amount": 0}}

    ledger = moved(line_of(1_000, costs, commitment_fee_per_year=0.12), payments_of(*NOTHING), 1_000, 12, parties=EVERYBODY)

    assert ledger.owed[0].tolist() == [120_00]
    assert ledger.spent[0].tolist() == [False]


def test_guarantee__that_pays_for_a_line_does_not_open_it_again():
    # Source: hand arithmetic. The guarantor pays the 300 that are outstanding in month 2; nothing was paid back, so nothing may be
    # drawn in month 3.
    capital = line_of(300).model_copy(
        update={
            "guarantees": capital_of(
                guarantees={"promise": {"guarantor": "outcome_payer", "covers": ["line"], "month": 2}}
            ).guarantees
        }
    )

    ledger = moved(capital, payments_of(*NOTHING), 300, 8, parties=EVERYBODY)

    assert by_line(ledger)["draw.line"] == dict.fromkeys(range(3), 100)
    assert by_line(ledger)["unpaid.cost.delivery"] == dict.fromkeys((3, 4, 5), 100)


# ---------------------------------------------------- in a study ----------------------------------------------------

LINE = (
    "capital.tranches={line: {holder: investor, size: 1_200_000, revolving: true, commitment_fee_per_year: 0.01},"
    " loan: {holder: service_provider, size: rest}}"
)
DRAWN = [
    "capital={draws: as_needed, draw_order: senior_first, payment_month: {guarantee: 12, saving_share: 20, upside: 20},"
    " shortfall: allowed, costs: {delivery: {payee: service_provider, per_month: 100_000, until_month: 21}}}",
    LINE,
]
STEPS = "capital.waterfall={{{}back: {{principal: [line, loan]}}, rest: {{rest: {{loan: 1}}}}}}"
REFUSED = {
    "a line on a schedule": (
        [LINE],
        r"tranches\.line\.revolving: a tranche that may be drawn again must be drawn as needed: a schedule draws it once; found "
        r"`draws: scheduled`\. Draw `as_needed`, or leave it out",
    ),
    "a last month beside a schedule": (
        ["capital.tranches={line: {holder: investor, size: rest, available_until_month: 3}}"],
        r"tranches\.line\.available_until_month: a tranche that can be drawn until some month must be drawn as needed",
    ),
    "a line beyond the end": (
        [*DRAWN, "capital.tranches.line.available_until_month=25"],
        r"tranches\.line\.available_until_month: it must lie within the horizon of 24 months; found month 25",
    ),
    "a fee that has no place": (
        [*DRAWN, STEPS.format("")],
        r"capital\.waterfall: everybody to whom money is owed must have a step in the waterfall; found no step `interest` for `line`",
    ),
    "a fee below nothing": (
        [*DRAWN, "capital.tranches.line.commitment_fee_per_year=-0.01"],
        r"commitment_fee_per_year: a fee must lie between 0 and 1 a year; found -0\.01",
    ),
    "more retained than there is": (
        [*DRAWN, STEPS.format("later: {retained: 1.5}, ")],
        r"waterfall\.later\.retained: a share must lie between 0 and 1; found 1\.5",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_line__that_does_not_fit_is_refused(case, tiny_path):
    overrides, message = REFUSED[case]
    with pytest.raises(StudyError, match=message):
        load_study(tiny_path, overrides)


def test_line__of_a_study_says_how_far_it_was_drawn(tiny_path):
    # Source: the definition. With the fee and the step that default to it, what is outstanding never exceeds the limit, and the
    # line is exhausted exactly where it reached it.
    study = load_study(tiny_path, DRAWN)
    results = evaluate(study, simulate(study, 3, np.arange(200)))

    peak = results["tranche.line.peak_outstanding"]
    assert (peak <= 1_200_000).all()
    exhausted = results.is_word("tranche.line.is_exhausted", "yes")
    np.testing.assert_array_equal(exhausted, peak == 1_200_000)
    assert 0 < exhausted.mean() <= 1
    assert "tranche.loan.peak_outstanding" not in results.columns
    table = summarise(results)
    assert table["tranches.line.p_exhausted"].value == exhausted.mean()
    assert table["tranches.line.peak_outstanding.mean"].value == peak.mean()
