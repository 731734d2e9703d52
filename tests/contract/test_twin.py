"""The compiled contract against its slow twin, on thousands of contracts that nobody would sign."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simengine.contract.columns import column_of
from simengine.contract.compile import compile_contract
from simengine.contract.rules import contract_rules
from simengine.contract.spec import Contract
from simengine.records import Drawing, Measurements, Milestones
from tests.conftest import sized
from tests.contract.random_contracts import MILESTONES, NUMBERS, WAVES, contracts, outcomes
from tests.reference import contract as reference

MEASURED = ("one", "two", "three")


def measurements_of(draws):
    """Put what was measured in several replications into the record that a settlement takes."""
    estimate = np.array([[replication[name] for name in MEASURED] for replication in draws])
    by_wave = np.array([[[replication[f"{name}.{wave}"] for name in MEASURED] for wave in WAVES] for replication in draws])
    people = np.array([[replication[f"people.{wave}"] for wave in WAVES] for replication in draws])
    counts = np.array([[[replication[f"{c}.{w}"] for c in range(4)] for w in range(len(WAVES))] for replication in draws])
    unknown = np.full_like(estimate, np.nan)
    return Measurements(MEASURED, estimate, unknown, unknown, by_wave, people, Milestones(MILESTONES, counts))


def compiled(contract, draws, drawn):
    """Run the program of a contract: by term and date, amounts and limits in every replication; NaN where it cannot be known."""
    program = compile_contract(contract)
    columns = np.empty((len(program.code.columns), len(drawn)))
    for place, column in enumerate(program.code.columns):
        columns[place] = column_of(column, measurements_of(draws), {}, Drawing(np.array(drawn)))
    lines = program.lines
    amount, bound = np.empty((len(lines), len(drawn))), np.empty((len(lines), len(drawn)), dtype=np.int8)
    program.code.run(columns, np.array([line.amount for line in lines]), np.array([line.bound for line in lines]), amount, bound)
    names, dates = list(contract.terms), list(contract.calendar) or [""]
    keys = [(names[line.term], dates[line.due]) for line in program.lines]
    return {key: (amount[i], [program.limits[key[0]][code] for code in bound[i]]) for i, key in enumerate(keys)}


def agree(contract, draws, drawn):
    got = compiled(contract, draws, drawn)
    for r, replication in enumerate(draws):
        expected = reference.settle(contract, replication, drawn[r])
        assert expected.keys() == got.keys()
        for key, (amount, decided) in expected.items():
            paid, limit = got[key][0][r], got[key][1][r]
            # Powers may differ in their last bit between libraries, and so may what is rounded: by one smallest unit.
            assert paid == pytest.approx(amount, rel=1e-9, abs=0.0100001, nan_ok=True), key
            if not np.isnan(amount):
                assert limit == decided or paid != amount, key


@settings(deadline=None, max_examples=sized(100, 1500), suppress_health_check=list(HealthCheck))
@given(contracts(), st.lists(st.tuples(outcomes(), NUMBERS), min_size=1, max_size=3))
def test_settle__equals_its_slow_twin(raw, draws):
    # Source: the slow twin, tests/reference/contract.py.
    contract = Contract.model_validate(raw)
    assert list(contract_rules(contract)) == []

    agree(contract, [replication for replication, _ in draws], [drawn for _, drawn in draws])
