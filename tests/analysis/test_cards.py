"""Questions about a study that is paid by a rate card: certificate, stress, trace and the table of a run."""

import json

import numpy as np
import pytest

import simengine
from simengine import evaluate, load_study, simulate
from simengine.config import Study
from simengine.measurement import thinned
from tests.config.test_counted import written

N = 150


@pytest.fixture(scope="module")
def study() -> Study:
    return load_study(written())


@pytest.fixture(scope="module")
def certificate(study: Study):
    return simengine.ask("certificate", study, n=N, seed=1)


def test_certificate__counts_what_would_come_about_without_the_service(study, certificate):
    """Source: the same people in a study without its effect, and with the promised one: here they are what the study says."""
    without, with_it = (evaluate(one, simulate(one, 1, np.arange(N))) for one in (study.with_({"effect": {}}), study))
    for name in ("job", "days"):
        found = certificate.outcomes[name]
        numbers = [results.columns[f"outcome.{name}.number"].mean() for results in (without, with_it)]
        paid = [results.columns[f"outcome.{name}.paid"].mean() for results in (without, with_it)]
        assert found.number_no_effect.value == pytest.approx(numbers[0], rel=1e-12)
        assert found.number_promised_effect.value == pytest.approx(numbers[1], rel=1e-12)
        assert found.paid_no_effect.value == pytest.approx(paid[0], rel=1e-12)
        assert found.deadweight.value == pytest.approx(paid[0] / paid[1], rel=1e-12)
        assert 0 < found.deadweight.se < 0.05
    gap = with_it.columns["contingent_payment"] - without.columns["contingent_payment"]
    assert certificate.expected_payment_on_truth.value == pytest.approx(gap.mean(), rel=1e-9)


def test_deadweight__has_the_error_that_it_has_between_samples(study):
    """Source: the same share from samples that share no replication."""
    shares = [simengine.ask("certificate", study, n=40, seed=seed).outcomes["days"].deadweight for seed in range(16)]
    spread = np.std([share.value for share in shares], ddof=1)
    told = np.sqrt(np.mean([share.se**2 for share in shares]))
    # A standard deviation of 16 values is off by 18 %.
    assert 0.55 < spread / told < 1.5


def test_stress__thins_outcomes_by_lot_and_moves_them(study):
    found = simulate(study, 1, np.arange(60))
    reached = found.measurements.reached
    few, late = (thinned(reached, share, months, found.draws) for share, months in ((0.7, 0), (1.0, 3)))
    n = len(reached.person)
    assert abs(len(few.person) - 0.7 * n) < 4.5 * np.sqrt(0.21 * n)
    assert np.array_equal(late.month, reached.month + 3)
    assert np.array_equal(thinned(reached, 0.5, 0, found.draws).first_person, reached.first_person)
    # Those of a tighter share are among those of a wider one.
    less = thinned(reached, 0.4, 0, found.draws)
    rows = [set(zip(one.replication_of_row, one.person, one.outcome, one.month, strict=True)) for one in (few, less)]
    assert rows[1] < rows[0]


def test_stress__names_those_of_cards_and_hurts_the_payee(study):
    test = simengine.ask("stress", study, n=N, seed=1)
    for name in ("fewer_outcomes", "later_outcomes"):
        for severity in ("adverse", "severe"):
            assert test.stresses[name][severity].moved["investor"].npv.value < 0
    severe, adverse = (test.stresses["fewer_outcomes"][one].moved["investor"].net.value for one in ("severe", "adverse"))
    assert severe < adverse
    assert (
        "fewer_outcomes" not in simengine.ask("stress", simengine.load_study(simengine.find_study("tiny")), n=20, seed=1).stresses
    )


def test_trace__shows_what_each_person_reached_and_moved(study):
    from simengine.questions.trace.answer import trace

    # Without a cap that binds, what rows move adds up to the payment; each row is one that the run counted.
    free = study.with_({"contract.terms.card": {"rate_card": {"job": {"price": 1000}, "days": {"price": 2.5}}}})
    found = trace(free, 1, 3)
    moved = sum(row["card"] for row in found.reached)
    assert moved == pytest.approx(found.result["term.card.amount"], abs=0.005)
    assert sum(row["outcome"] == "job" for row in found.reached) == found.result["outcome.job.number"]
    assert [row["person"] for row in found.reached] == sorted(row["person"] for row in found.reached)
    assert all(row["entry"] <= row["month"] <= 60 for row in found.reached)


def test_run__has_a_section_of_outcomes(study):
    run = simengine.ask("run", study, n=N, seed=1)
    number = run.table["outcomes.job.number.mean"]
    assert number.value == pytest.approx(simulate_mean(study), rel=1e-12)
    assert "job" in json.dumps(sorted(run.table.sections["outcomes"]))


def simulate_mean(study: Study) -> float:
    reached = simulate(study, 1, np.arange(N)).measurements.reached
    return float((reached.outcome == reached.outcomes.index("job")).sum() / N)


def test_numbers_reached__gate_a_bonus(study):
    """Source: the list itself, counted here."""
    rich = study.with_(
        {
            "contract.metrics": {"share": {"meaning": "x", "unit": "share", "derived": {"reached": "job", "per_person": True}}},
            "contract.terms": {
                "card": {"rate_card": {"job": {"price": 1000}}},
                "bonus": {"amount": 5000, "only_if": {"share": {"at_least": 0.5}}, "at": "quarter_6"},
            },
        }
    )
    evidence = simulate(study, 1, np.arange(80))
    results, reached = evaluate(rich, evidence), evidence.measurements.reached
    for r in range(80):
        rows = reached.rows_of(r)
        with_job = {
            int(p)
            for p, o, m in zip(reached.person[rows], reached.outcome[rows], reached.month[rows], strict=True)
            if o == 0 and m <= 18
        }
        people = reached.people_of(r)
        assert results.columns["term.bonus.amount"][r] == (5000 if len(with_job) >= 0.5 * (people.stop - people.start) else 0)
    assert 0 < (results.columns["term.bonus.amount"] > 0).mean() < 1
