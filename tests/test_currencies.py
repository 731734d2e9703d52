"""Money is counted in the smallest unit of its own currency, from the contract to the last table."""

import numpy as np
import pytest

from simengine.config import load_study
from simengine.contract.spec import Contract
from simengine.contract_text.explain import explanation
from simengine.contract_text.published import compare_published
from simengine.currencies import decimals_of, units_of
from simengine.errors import StudyError
from simengine.pipeline import as_contract_asks, evaluate, move_money, simulate
from simengine.questions.certificate.answer import find_jumps
from simengine.report.document import settlement
from simengine.report.tables import settlement_table
from simengine.settlement import replay

# Source: the column "minor unit" of ISO 4217 list one, typed in here once more; of those with 2, the two that are divided by
# five, the widest used, and two that the standard writes without a minor unit.
MINOR_UNITS = (
    dict.fromkeys(
        ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"], 0
    )
    | dict.fromkeys(["MGA", "MRU", "SEK", "EUR", "USD", "GBP", "HUF", "TWD", "COP", "IDR", "INR", "XAU", "XDR"], 2)
    | dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3)
    | dict.fromkeys(["CLF", "UYW"], 4)
)
SMALLEST = {"JPY": 1.0, "SEK": 0.01, "KWD": 0.001, "CLF": 0.0001}


@pytest.mark.parametrize("currency", MINOR_UNITS)
def test_currency__is_counted_as_the_standard_says(currency):
    assert decimals_of(currency) == MINOR_UNITS[currency]
    assert units_of(currency) == 10 ** MINOR_UNITS[currency]


def test_code__that_is_in_no_list_is_counted_with_two_decimals():
    assert decimals_of("DEM") == 2


def contract_in(currency, **sections):
    raw = {
        "title": "A third",
        "currency": currency,
        "commitment": 1_000,
        "metrics": {"x": {"meaning": "something", "unit": "share"}},
        "terms": {"third": {"share": 1 / 3, "of": "drawn"}, "rest": {"share": 1, "of": "x"}},
    }
    return Contract.model_validate(raw | sections)


@pytest.mark.parametrize(
    ("currency", "third", "rest", "total"),
    # Source: hand arithmetic: a third of 1,000, and 2.00006, half to even.
    [("JPY", 333, 2, 335), ("SEK", 333.33, 2.0, 335.33), ("KWD", 333.333, 2.0, 335.333), ("CLF", 333.3333, 2.0001, 335.3334)],
)
def test_replay__rounds_to_the_smallest_unit(currency, third, rest, total):
    payments = replay(contract_in(currency), {"x": 2.00006}, 1_000)
    assert payments.amount[0].tolist() == [third, rest]

    content = settlement(payments)
    assert content["total"] == total
    table = settlement_table({"contract": "A third", "currency": currency} | content)
    assert list(table.columns[3].cells)[-1] == f"{total:,.{MINOR_UNITS[currency]}f}"


@pytest.mark.parametrize("currency", SMALLEST)
def test_explain__writes_amounts_with_the_decimals_of_the_currency(currency):
    text = explanation(contract_in(currency, published={"case": {"outcome": {"x": 0}, "basis": "strict"}}))
    assert f"{1_000 / 3:.{MINOR_UNITS[currency]}f} {currency}" in text


@pytest.mark.parametrize(("currency", "is_same"), [("JPY", True), ("SEK", False)])
def test_published_case__is_compared_to_the_smallest_unit(currency, is_same):
    # Source: hand arithmetic. 333 was published: to the yen that is a third of 1,000, to the öre it is not.
    published = {"case": {"outcome": {"x": 0}, "paid": 333, "basis": "strict"}}
    (row,) = compare_published("name", contract_in(currency, published=published))
    assert row["rounded_to"] == SMALLEST[currency]
    assert (row["verdict"] == "strict") == is_same


@pytest.mark.parametrize("currency", SMALLEST)
def test_ledger__counts_in_the_smallest_unit_of_the_study(tiny_path, currency):
    # Invariant: what is owed, drawn and posted are whole numbers of the smallest unit, and columns say the same in the currency.
    unit = SMALLEST[currency]
    overrides = [
        f"study.currency={currency}",
        f"contract.currency={currency}",
        "contract.commitment=1_000_001",
        "capital.drawdown_months=7",
    ]
    study = load_study(tiny_path, [*overrides, f"contract.metrics.saving.unit={currency}", "capital.drawn_share=0.777777777"])
    evidence = simulate(study, 3, np.arange(50))
    measured = as_contract_asks(study.contract, evidence.tallies, evidence.measurements, evidence.draws)
    payments, ledger = move_money(study, evidence.draws, evidence.tallies, measured)
    columns = evaluate(study, evidence)

    assert ledger.units == round(1 / unit)
    assert ledger.paid_in[0, 0] == round(1_000_001 * 0.777777777 / unit)
    in_units = payments.by_due / unit
    np.testing.assert_allclose(in_units, np.round(in_units), atol=1e-3)
    assert (np.round(in_units) % 10 != 0).any()  # and not in larger ones
    np.testing.assert_allclose(columns["drawn"], ledger.paid_in[:, 0] * unit)
    np.testing.assert_allclose(columns["outcome_payer.payment"], payments.amount.sum(axis=1), atol=unit / 2)
    for party in study.parties:
        np.testing.assert_allclose(columns[f"{party}.cash"], ledger.cash(party).sum(axis=1) * unit)


def test_jumps__are_not_seen_in_the_rounding_to_whole_yen():
    # Source: a line has no jump; rounded to whole yen it has a step of 1 at every level.
    assert find_jumps(lambda level: float(round(level * 7)), 0, 9, 1.0) == []
    (jump,) = find_jumps(lambda level: float(round(level * 7)) + (5 if level >= 4 else 0), 0, 9, 1.0)
    assert jump.edge == 4


@pytest.mark.parametrize("currency", ["CLF", "KWD"])
def test_money__that_is_too_much_for_whole_numbers_is_refused(tiny_path, currency):
    # Source: 1e15 of a currency with 3 or 4 decimals are 1e18 or 1e19 of its smallest unit; 64 bits end at 9.2e18.
    overrides = [f"study.currency={currency}", f"contract.currency={currency}", "contract.commitment=1e15"]
    study = load_study(tiny_path, [*overrides, f"contract.metrics.saving.unit={currency}"])
    with pytest.raises(StudyError, match=r"contract\.commitment: a payment must stay below 1e\+1[34]"):
        evaluate(study, simulate(study, 1, np.arange(2)))
