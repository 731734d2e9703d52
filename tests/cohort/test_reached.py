"""Who reached what when, listed person by person: against the sums over people, which are counted another way."""

import copy

import numpy as np
import pytest

from simengine import evaluate, load_study, run_study, simulate
from simengine.config import Study
from simengine.records import SERVICE, Reached
from simengine.streams import purpose_number

N = 60
TIED = 1e-9
STUDY = {
    "study": {"title": "Counted one by one", "currency": "GBP", "start": "2030-01", "horizon_months": 60},
    "parties": {name: {"name": name, "discount_rate_per_year": 0.03} for name in ("investor", "outcome_payer", "service_provider")},
    "population": {
        "waves": {"first": {"size": 25, "enrolment_months": 6}, "second": {"size": 10, "from_month": 9, "enrolment_months": 12}},
        "strata": {"young": {"share": 0.4}, "old": {"share": 0.6}},
    },
    "pathway": {
        "states": ["out", "training", "job"],
        "start": {"young": {"out": 1}, "old": {"out": 0.8, "job": 0.2}},
        "moves": {
            "out -> training": {"per_month": 0.10},
            "training -> job": {"per_month": 0.15},
            "job -> out": {"per_month": 0.06},
            "training -> out": {"per_month": 0.05},
        },
    },
    "events": {"arrest": {"rates": {"out": {"rate_per_year": 1.0}, "job": {"rate_per_year": 0.3}}}},
    "effect": {
        "coach": {"move": "training -> job", "hazard_ratio": 1.5},
        "tutor": {"outcome": ["paper", "licence"], "odds_ratio": 2.0},
    },
    "outcomes": {
        "job": {"kind": "reached", "states": "job"},
        "kept": {"kind": "reached", "states": "job", "stay_months": 6},
        "paper": {"kind": "binary", "at_month": 14, "probability": {"out": 0.2, "training": 0.5, "job": 0.3}},
        "licence": {"kind": "binary", "at_month": 5, "probability": {"out": 0.1, "training": 0.2, "job": 0.3}},
        "days": {"kind": "amount", "per_day": {"job": 1, "training": 0.5}, "between_people_sd": 0.4},
        "moved": {"kind": "count", "moves": "job -> out"},
        "arrests": {"kind": "count", "events": "arrest"},
        "many": {"kind": "target", "outcome": "days", "at_least": 100},
        "few": {"kind": "target", "outcome": "arrests", "at_most": 1},
    },
    "measurement": {"counted": {}},
    "contract": {
        "title": "A card",
        "currency": "GBP",
        "commitment": 100_000,
        "dates": {"quarter": {"every_months": 3, "until_month": 60}},
        "outcomes": {"job": {"meaning": "a job"}, "days": {"meaning": "days", "unit": "days"}},
        "terms": {"card": {"rate_card": {"job": {"price": 1_000}, "days": {"price": 2.5}}, "cap_per_person": 1_800}},
    },
    "capital": {"drawn_share": 1, "drawdown_months": 12},
    "public_value": {},
    "run": {"replications": 100},
}
PEOPLE, UNITS = ("job", "kept", "paper", "licence", "many", "few"), ("days", "moved", "arrests")
WINDOW = 24
"""Everybody enters before month 21, so that everybody is followed for two years and more."""


def study_of(within: int | None = WINDOW, **changes) -> Study:
    written = copy.deepcopy(STUDY)
    every = {name: {} if within is None and name != "few" else {"within_months": WINDOW} for name in (*PEOPLE, *UNITS)}
    written["measurement"] |= {
        "counted": every,
        "design": "rate_card",
        "rate_card": {"deadweight": 0},
        "metrics": {"jobs": {"outcome": "job", "window_months": WINDOW, "estimate": "total_difference", "better": "higher"}},
    }
    written["population"]["history_months"] = 3
    study = load_study(written)
    return study.with_(changes) if changes else study


@pytest.fixture(scope="module")
def study() -> Study:
    return study_of()


@pytest.fixture(scope="module")
def evidence(study: Study):
    return simulate(study, 1, np.arange(N))


def by_wave(reached: Reached, name: str, until_month_after_entry: int | None = None) -> np.ndarray:
    """Add up an outcome by replication and wave, of so many months after each person's entry."""
    counted = np.zeros((len(reached), len(reached.waves)))
    for r in range(len(reached)):
        people, rows = reached.people_of(r), reached.rows_of(r)
        wave, entry = reached.wave[people], reached.entry[people]
        for person, outcome, month, units in zip(
            reached.person[rows], reached.outcome[rows], reached.month[rows], reached.units[rows], strict=True
        ):
            if reached.outcomes[outcome] == name and month - entry[person] <= (until_month_after_entry or 1200):
                counted[r, wave[person]] += units
    return counted


@pytest.mark.parametrize("name", [*PEOPLE, *UNITS])
def test_rows__add_up_to_the_sums_over_people_within_the_window(evidence, name):
    tallies, reached = evidence.tallies, evidence.measurements.reached
    window = tallies.windows.index(WINDOW)
    sums = tallies.sums[:, :, SERVICE, tallies.outcomes.index(name), window]
    assert np.abs(by_wave(reached, name) - sums).max() < 1e-6 * max(sums.max(), 1), name
    assert sums.sum() > 0


@pytest.mark.parametrize("months", [1, 5, 6, 7, 14, 23])
def test_months__are_those_in_which_it_was_reached(months):
    """By the end of each month as many people have reached something as a study with that window counts."""
    study = study_of(None)
    short = study.with_({"measurement.metrics.jobs.window_months": months})
    tallies, reached = simulate(short, 1, np.arange(20)).tallies, simulate(study, 1, np.arange(20)).measurements.reached
    window = tallies.windows.index(months)
    for name in (*PEOPLE[:5], *UNITS):
        sums = tallies.sums[:, :, SERVICE, tallies.outcomes.index(name), window]
        at = study.outcomes[name].read_at_month
        if at is None or at <= months:
            assert np.abs(by_wave(reached, name, months) - sums).max() < 1e-6 * max(sums.max(), 1), name


def test_rows__stand_in_order_and_people_are_all_there(evidence):
    reached, tallies = evidence.measurements.reached, evidence.tallies
    assert (np.diff(reached.first_person) == tallies.n_people[:, :, SERVICE].sum(axis=1)).all()
    for r in range(N):
        rows = reached.rows_of(r)
        key = reached.month[rows].astype(int) * 10_000 + reached.person[rows]
        assert (np.diff(key) >= 0).all()
        entry = reached.entry[reached.people_of(r)]
        assert (reached.month[rows] >= entry[reached.person[rows]]).all()
        assert reached.month[rows].max() <= 60
        assert ((entry < 6) == (reached.wave[reached.people_of(r)] == 0)).mean() > 0.9
    groups = reached.group[reached.people_of(0)]
    assert set(groups) == {0, 1}


def test_somebody_who_begins_in_the_state__has_reached_it_at_entry(study):
    reached = simulate(study.with_({"population.history_months": 0}), 1, np.arange(N)).measurements.reached
    rows = (reached.outcome == reached.outcomes.index("job")).nonzero()[0]
    people = reached.first_person[reached.replication_of_row[rows]] + reached.person[rows]
    at_once = reached.month[rows] == reached.entry[people]
    share = at_once.sum() / (len(reached.group) * 0.6 * 0.2)
    assert 0.75 < share < 1.25
    assert (reached.group[people[at_once]] == 1).all()


@pytest.mark.parametrize("steps", [1, 4])
def test_steps_of_a_month__leave_months_whole(steps):
    study = study_of(**{"pathway.steps_per_month": steps})
    found = simulate(study, 1, np.arange(30))
    reached, tallies = found.measurements.reached, found.tallies
    window = tallies.windows.index(WINDOW)
    for name in ("kept", "days", "many"):
        sums = tallies.sums[:, :, SERVICE, tallies.outcomes.index(name), window]
        assert np.abs(by_wave(reached, name) - sums).max() < 1e-6 * max(sums.max(), 1), name


def test_counting__changes_nothing_else_that_is_simulated(study, evidence):
    alone = study.with_({"measurement.counted": {"job": {}, "days": {}}})
    other = simulate(alone, 1, np.arange(N))
    assert np.array_equal(other.tallies.sums, evidence.tallies.sums)
    assert np.array_equal(other.measurements.estimate, evidence.measurements.estimate)
    # Without a limit in months everything that counted before counts, and more.
    of_study, of_other = evidence.measurements.reached, other.measurements.reached
    for name in ("job", "days"):
        assert (by_wave(of_other, name, WINDOW) == by_wave(of_study, name)).all()
        assert by_wave(of_other, name).sum() > by_wave(of_study, name).sum()


def test_run__has_the_same_bits_for_any_block_size_and_number_of_threads(study):
    whole = run_study(study, n_replications=40, seed=3, threads=1, block_size=40)
    parts = run_study(study, n_replications=40, seed=3, threads=2, block_size=7)
    assert whole.columns.keys() == parts.columns.keys()
    for name, column in whole.columns.items():
        assert np.array_equal(column, parts.columns[name], equal_nan=column.dtype.kind == "f"), name
    assert {"outcome.job.number", "outcome.job.paid", "outcome.days.paid", "outcome.few.number"} <= set(whole.columns)


def test_blocks__join_one_after_the_other(study, evidence):
    parts = [simulate(study, 1, np.arange(first, first + 20)).measurements.reached for first in (0, 20, 40)]
    joined, whole = Reached.join(parts), evidence.measurements.reached
    for name in ("first_row", "first_person", "wave", "group", "entry", "person", "outcome", "month", "units"):
        assert np.array_equal(getattr(joined, name), getattr(whole, name)), name


def test_large_groups__are_listed_in_parts_with_the_same_bits(study, evidence, monkeypatch):
    monkeypatch.setattr("simengine.cohort.reached._MOST_CELLS", 60 * 12 * 60)
    again, whole = simulate(study, 1, np.arange(N)).measurements.reached, evidence.measurements.reached
    for name in ("first_row", "person", "outcome", "month", "units"):
        assert np.array_equal(getattr(again, name), getattr(whole, name)), name


def test_missed_and_false_claims__are_as_frequent_as_said(study):
    n = 400
    plain = study.with_({"measurement.counted": {"job": {}, "days": {"outcome": "kept"}}, "contract.outcomes.days.unit": "people"})
    missing = plain.with_(
        {"measurement.counted.job": {"missed": 0.3}, "measurement.counted.days": {"outcome": "kept", "false_claims": 0.2}}
    )
    true, seen = (simulate(one, 2, np.arange(n)).measurements.reached for one in (plain, missing))
    was, is_now = (int((one.outcome == 0).sum()) for one in (true, seen))
    assert abs(is_now - 0.7 * was) < 4.5 * np.sqrt(0.21 * was)
    had = int((true.outcome == 1).sum())
    not_yet, false = len(true.wave) - had, int(seen.is_false.sum())
    assert abs(false - 0.2 * not_yet) < 4.5 * np.sqrt(0.16 * not_yet)
    assert int((seen.outcome == 1).sum()) == had + false
    assert not seen.is_false[seen.outcome == 0].any()
    # Nobody has a claim before entry, and a claim of one person does not depend on those of others.
    rows = np.flatnonzero(seen.is_false)
    people = seen.first_person[seen.replication_of_row[rows]] + seen.person[rows]
    after = seen.month[rows] - seen.entry[people]
    assert after.min() == 1
    assert seen.month[rows].max() == 60
    assert seen.units is None
    assert np.all(np.diff(seen.first_row) >= 0)


def test_shares_of_errors__may_be_uncertain_and_a_claim_keeps_its_luck(study):
    plain = study.with_({"measurement.counted.job": {"missed": 0.1}})
    more = study.with_({"measurement.counted.job": {"missed": 0.3}})
    few, many = (simulate(one, 2, np.arange(50)).measurements.reached for one in (plain, more))
    with_job = [
        set(zip(one.replication_of_row[one.outcome == 0], one.person[one.outcome == 0], strict=True)) for one in (few, many)
    ]
    assert with_job[1] < with_job[0]
    assert (few.outcome != 0).sum() == (many.outcome != 0).sum()


def test_stored_evidence__settles_as_a_whole_run(study):
    from simengine.replications.ensemble import Ensemble
    from simengine.replications.stored import store_evidence

    stored = store_evidence(study, Ensemble(1, 40, block_size=13), ["investor"], ["investor", "outcome_payer"])
    for price in (1_000.0, 1_300.0):
        changed = study.with_({"contract.terms.card.rate_card.job.price": price})
        whole = evaluate(changed, simulate(study, 1, np.arange(40)))
        quick = stored.settle({"contract.terms.card.rate_card.job.price": price})["investor"]
        for party in ("investor", "outcome_payer"):
            assert np.abs(quick[f"{party}.net"] - whole.columns[f"{party}.net"]).max() < 1e-6


def test_streams__have_names_of_their_own(study):
    from simengine.measurement import purposes_of_records

    full = study.with_({"measurement.counted.job": {"missed": 0.1, "false_claims": 0.1}})
    named = purposes_of_records(full.measurement.counted)
    assert {"counted/job/missed", "counted/job/false", "counted/lots"} <= set(named)
    assert len({purpose_number(name) for name in named}) == len(named)
