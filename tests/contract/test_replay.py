"""Replay on outcomes that somebody typed in: what cannot be is refused, and money that runs both ways is never added up."""

import json
import math

import numpy as np
import pytest

from simengine.contract.spec import Contract
from simengine.contract_text.explain import explanation
from simengine.contract_text.published import compare_published
from simengine.errors import UsageError
from simengine.records import ReplicationResults
from simengine.report.directions import net_by_party, paid_in_all, total_of
from simengine.report.document import settlement
from simengine.report.tables import settlement_table
from simengine.settlement import payment_marks, replay

RATE_CARD = {
    "title": "A rate card",
    "currency": "SEK",
    "commitment": 10_000_000,
    "metrics": {"saving": {"meaning": "a saving", "unit": "SEK"}},
    "waves": {"first": "the first", "second": "the second"},
    "milestones": {"entry": "starts", "job": "has work"},
    "terms": {
        "people": {"milestones": {"entry": 700, "job": 1000}, "cap_per_person": 1500},
        "share": {"share": 0.5, "of": "saving"},
    },
}
COUNTED = {f"{name}.{wave}": 0 for name in ("entry", "job", "entry+job", "none") for wave in ("first", "second")} | {"saving": 0}
IMPOSSIBLE = {
    "fewer than no people": ({"entry.first": -5}, "outcome entry.first: a number of people must not be negative; found -5"),
    "not a number": ({"saving": math.nan}, "outcome saving: must be a number within 1e15 either way; found nan"),
    "infinity": ({"saving": math.inf}, "outcome saving: must be a number within 1e15 either way; found inf"),
    "too much": ({"saving": -2e15}, "outcome saving: must be a number within 1e15 either way; found -2000000000000000.0"),
    "text": ({"saving": "12"}, "outcome saving: must be a number within 1e15 either way; found '12'"),
    "a truth value": ({"saving": True}, "outcome saving: must be a number within 1e15 either way; found True"),
    "misspelt": ({"savign": 1}, "outcome 'savign': must be a metric that somebody measures; found `savign`. One of: saving"),
    "another wave": ({"entry.third": 1}, "outcome 'entry.third': must be a wave of the contract; found `third`"),
    "a milestone twice": ({"entry+entry.first": 1}, "must be a metric that somebody measures; found `entry+entry`"),
    "none and one": ({"none+job.first": 1}, "must be a metric that somebody measures; found `none+job`"),
    "one combination twice": ({"job+entry.first": 1}, "must be counted once; found `entry+job.first` and `job+entry.first`"),
}


def contract(**changes: object) -> Contract:
    return Contract.model_validate(RATE_CARD | changes)


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_replay__refuses_outcomes_that_cannot_be(name: str) -> None:
    changes, expected = IMPOSSIBLE[name]

    with pytest.raises(UsageError) as refusal:
        replay(contract(), COUNTED | changes, 0.0)

    assert expected in str(refusal.value)


@pytest.mark.parametrize("lacking", ["entry", "job", "entry+job"])
def test_replay__refuses_a_combination_that_is_left_out_where_others_of_the_wave_are_given(lacking: str) -> None:
    outcomes = {name: value for name, value in COUNTED.items() if name != f"{lacking}.second"}

    with pytest.raises(UsageError, match="every combination must be said") as refusal:
        replay(contract(), outcomes, 0.0)

    assert f"found nothing for {lacking}.second. Say 0 for those that nobody reached" in str(refusal.value)


def test_replay__pays_nothing_for_those_who_reached_nothing_so_that_they_may_be_left_out() -> None:
    some = {"entry.first": 2, "job.first": 1, "entry+job.first": 3, "saving": 10}
    outcomes = {name: value for name, value in (COUNTED | some).items() if not name.startswith("none")}

    # By hand: 2 x 700 + 1,000 + 3 x 1,500, the cap for a person; and half of 10.
    assert replay(contract(), outcomes, 0.0).amount.tolist() == [[6900, 5]]


@pytest.mark.parametrize("drawn", [-5, 10_000_001, 1e9, math.nan, "1", True])
def test_replay__refuses_money_that_was_not_committed(drawn: float) -> None:
    with pytest.raises(UsageError, match=r"drawn: the money drawn must lie between 0 and the commitment of 10,000,000; found"):
        replay(contract(), COUNTED, drawn)


def test_replay__refuses_a_date_that_is_none() -> None:
    with pytest.raises(UsageError, match=r"until: must be a date of the contract; found 'late'\. It has no `dates`"):
        replay(contract(), COUNTED, 0.0, "late")


# ---------------------------------------------------- in order ----------------------------------------------------


def test_milestone_in_order__is_paid_only_after_all_that_stand_before_it_in_the_contract() -> None:
    """By hand: of 4 people with work 3 never started; a term that prices work alone owes for the other one."""
    paid = contract(terms={"work": {"milestones": {"job": 500}, "in_order": True}})

    assert replay(paid, COUNTED | {"job.first": 3, "entry+job.first": 1}, 0.0).amount.tolist() == [[500]]
    assert "each only for those who reached all milestones before it" in " ".join(explanation(paid).split())


# ---------------------------------------------------- directions ----------------------------------------------------

TERMS = {
    "whole": {"price": 100_000, "per": "saving"},
    "broken": {"amount": 132_825, "payer": "investor", "payee": "outcome_payer"},
}


def both_ways(**changes: object) -> Contract:
    return contract(waves={}, milestones={}, terms=TERMS, **changes)


def test_money_that_runs_both_ways__is_net_to_each_party_and_has_no_total() -> None:
    # By hand: 24 x 100,000 one way and 132,825 the other: 2,267,175, not 2,532,825.
    payments = replay(both_ways(), {"saving": 24}, 0.0)
    content = settlement(payments)

    assert content["total"] is None
    assert content["net"] == {"outcome_payer": -2_267_175, "investor": 2_267_175}
    assert content["parties"]["broken"] == {"payer": "investor", "payee": "outcome_payer"}
    assert json.dumps(content)
    table = settlement_table(content | {"contract": "x", "currency": "SEK"})
    cells = [list(column.cells) for column in table.columns]
    assert cells[1:3] == [["outcome_payer", "investor", "", ""], ["investor", "outcome_payer", "outcome_payer", "investor"]]
    assert cells[3] == ["2,400,000.00", "132,825.00", "-2,267,175.00", "2,267,175.00"]


def test_explanation__of_money_that_runs_both_ways_nets_it() -> None:
    case = {"outcome": {"saving": 24}, "paid": 2_267_175, "basis": "strict"}
    paid = both_ways(published={"end": case})
    text = " ".join(explanation(paid).split())

    assert "broken: 132,825.00 SEK from the investor to the outcome payer, by its formula" in text
    assert text.endswith("In the end the outcome payer has 2,267,175.00 SEK less; the investor has 2,267,175.00 SEK more.")
    assert [row["computed"] for row in compare_published("x", paid)] == [2_267_175]


ONE_WAY = {
    "one payer": ([("outcome_payer", "investor"), ("outcome_payer", "service_provider")], 30.0),
    "one payee": ([("outcome_payer", "investor"), ("guarantor", "investor")], 30.0),
    "a chain": ([("outcome_payer", "investor"), ("investor", "service_provider")], None),
    "two pairs": ([("outcome_payer", "investor"), ("guarantor", "service_provider")], None),
}


@pytest.mark.parametrize("name", ONE_WAY)
def test_total__is_there_only_where_one_party_pays_or_receives_everything(name: str) -> None:
    # By hand: 10 and 20.
    pairs, expected = ONE_WAY[name]
    terms = {f"t{i}": {"amount": 10 * i, "payer": payer, "payee": payee} for i, (payer, payee) in enumerate(pairs, 1)}
    payments = replay(contract(terms=terms, parties={"guarantor": "x"}, waves={}, milestones={}), {}, 0.0)

    assert total_of(payments) == expected
    assert sum(net_by_party(payments).values()) == 0
    if name == "a chain":
        assert net_by_party(payments) == {"outcome_payer": -10, "investor": -10, "service_provider": 20}
        assert paid_in_all(payments, ["t1"]) == 10


def test_payment_marks__are_those_of_the_investor() -> None:
    # By hand: 40 % come back whatever is measured, less the 10 % that the investor pays on. The provider has its own.
    terms = {
        "guarantee": {"share": 0.4, "of": "drawn", "contingent": False},
        "fee": {"share": 0.1, "of": "drawn", "contingent": False, "payer": "investor", "payee": "service_provider"},
        "work": {"share": 0.5, "of": "drawn", "contingent": False, "payee": "service_provider"},
        "people": {"milestones": {"entry": 700}, "payee": "service_provider", "cap": 1000},
    }

    drawn = np.array([1_000_000.0, 2_000_000.0])
    columns = {"drawn": drawn, "investor.money_in": drawn, "investor.money_back": 0.3 * drawn}
    columns |= {f"term.{name}.amount": share * drawn for name, share in (("guarantee", 0.4), ("fee", 0.1), ("work", 0.5))}
    columns["term.people.amount"] = np.array([700.0, 0.0])
    results = ReplicationResults(np.arange(2), columns, {}, {})

    assert payment_marks(contract(terms=terms), results) == pytest.approx({"guarantee": 0.3, "cap": 0.3})
