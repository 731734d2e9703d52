"""Contracts with one rate card, and the few people who reach something, as a test writes them by hand; and refusals of bad ones."""

import numpy as np
import pytest

from simengine.config import load_contract
from simengine.contract import settle_cards
from simengine.contract.rules import contract_rules
from simengine.contract.spec import Contract
from simengine.errors import StudyError
from simengine.records import Measurements
from tests.contract.random_cards import record_of
from tests.reference.rate_card import LOTS, Row

QUARTERS = {"quarter": {"every_months": 3, "until_month": 24}}
SURE, NEVER = 0, LOTS - 1
"""Lots: of what every audit and dispute looks at, and of what none does."""


def contract_of(outcomes, card, dates=QUARTERS, **more):
    """Write a contract with one card; outcomes by name: the keys that they have beside their meaning."""
    listed = {name: {"meaning": "something"} | keys for name, keys in outcomes.items()}
    raw = {"title": "A test", "currency": "SEK", "commitment": 1e6, "outcomes": listed, "dates": dates, **more}
    raw["terms"] = {"card": card, **raw.get("terms", {})}
    contract = Contract.model_validate(raw)
    assert list(contract_rules(contract)) == []
    return contract


def record_by_hand(contract, *listed, people=None):
    """Make a record of (person, outcome, month) and, by name, of what else a row says; everybody is in the first wave unless `people`
    says otherwise.
    """
    rows = [Row(0, person, None, None, outcome, month, **(more[0] if more else {})) for person, outcome, month, *more in listed]
    rows.sort(key=lambda row: (row.month, row.person))
    waves, groups = list(contract.waves) or ["all"], list(contract.groups)
    everybody = people or [(waves[0], None)] * (1 + max(row.person for row in rows))
    return record_of(rows, [everybody], list(contract.outcomes), waves, groups)


def pays(contract, *listed, people=None, name="card"):
    """Give what a card pays, by outcome: month of the date to amount, where it is not nothing."""
    settled = settle_cards(contract, record_by_hand(contract, *listed, people=people))
    months = [int(contract.month_of(date)) for date in contract.dates_of(contract.terms[name])]
    by_outcome = zip(contract.outcomes, settled.paid[name][0].tolist(), strict=True)
    found = {outcome: {month: x for month, x in zip(months, row, strict=True) if x} for outcome, row in by_outcome}
    return {outcome: row for outcome, row in found.items() if row}


def measured(record):
    """Nothing was estimated, but people were counted."""
    nothing = np.zeros((len(record), 0))
    return Measurements((), nothing, nothing, nothing, reached=record)


def check_refusal(path, base, planted, *, has_line=True):
    """Plant an error in a contract file, and check that it is refused with its reason and its line."""
    old, new, expected = planted
    assert base.count(old) == 1
    path.write_text(base.replace(old, new))

    with pytest.raises(StudyError) as refusal:
        load_contract(path)

    found = [str(problem) for problem in refusal.value.problems]
    assert any(expected in text for text in found), found
    line = 1 + base[: base.index(old)].count("\n")
    assert not has_line or any(text.startswith(f"{path}:{line}: ") for text in found if expected in text), found
