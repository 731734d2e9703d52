"""A reference class in a study: it multiplies the people who enter, once, and the study is told where it is optimistic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simengine import find_study, load_study, run_study, simulate
from simengine.cohort.spec import ReferenceClass
from simengine.config import Study
from simengine.errors import StudyError
from simengine.questions.run.outside import held_against, outside_view
from simengine.reference_class.indigo import ProjectFilter
from simengine.reference_class.layout import environment_section
from simengine.reference_class.reference import read_reference
from simengine.replications.ensemble import Ensemble
from tests.command import in_this_process

SIZE = "population.waves.all.size=500"


def study(factor: str, *more: str) -> Study:
    return load_study(
        find_study("women_in_recovery"), [SIZE, f"environment={{reference_class: {{paid_over_planned: {factor}}}}}", *more]
    )


def people(of: Study, n: int = 40) -> np.ndarray:
    return np.asarray(simulate(of, seed=3, replications=n).tallies.n_people[:, 0, 0])


def test_class__multiplies_the_people_of_each_replication() -> None:
    # 500 * 1.25 = 625; 500 * 0.333 = 166.5, of which the integer part counts
    assert set(people(study("1.25"), 3)) == {625}
    assert set(people(study("0.333"), 3)) == {166}
    spread = people(study("{distribution: uniform, low: 0.5, high: 1.5}"))
    assert spread.min() >= 250
    assert spread.max() < 750
    assert len(set(spread)) > 20


def test_class_of_one__changes_nothing() -> None:
    plain = load_study(find_study("women_in_recovery"), [SIZE])
    one, other = (simulate(of, seed=3, replications=5).tallies for of in (plain, study("1")))
    assert (one.sums == other.sums).all()


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        (
            "norrkoping",
            ["environment={reference_class: {paid_over_planned: 1.1}}"],
            "environment.reference_class: a reference class tells of payments for outcomes that are counted person by person",
        ),
        (
            "women_in_recovery",
            ["environment={reference_class: {paid_over_planned: 1.1}}"],
            "population.waves.all.size: beside a reference class the size of a wave must be the number that was planned",
        ),
        (
            "women_in_recovery",
            [SIZE, "environment={reference_class: {paid_over_planned: -1}}"],
            "a size, price, ratio or duration must not be negative",
        ),
        (
            "women_in_recovery",
            [SIZE, "environment={reference_class: {paid_over_planned: 1, planned_payments: 0}}"],
            "planned_payments: what a contract plans to pay must be above 0; found 0",
        ),
        ("women_in_recovery", [SIZE, "environment={reference_class: {paid: 1}}"], "environment.reference_class.paid"),
    ],
)
def test_class__is_refused_where_it_cannot_hold(name: str, changes: list[str], message: str) -> None:
    with pytest.raises(StudyError) as refused:
        load_study(find_study(name), changes)
    assert message in str(refused.value)


UNIFORM = {"distribution": "uniform", "low": 0.5, "high": 1.5}


def known(**more: Any) -> ReferenceClass:
    return ReferenceClass.model_validate({"paid_over_planned": UNIFORM, "planned_payments": 100, **more})


@pytest.mark.parametrize(
    ("own", "less", "is_optimistic"),
    [(1.0, 0.5, False), (1.39, 0.89, False), (1.41, 0.91, True), (3.0, 1.0, True), (0.4, 0.0, False)],
)
def test_own_forecast__has_its_place_in_the_class(own: float, less: float, is_optimistic: bool) -> None:
    """By hand: of a uniform from 0.5 to 1.5 the share own - 0.5 lies below."""
    found = held_against(np.full(50, own), known())
    assert found.paid_less == pytest.approx(less, abs=2e-4)
    assert found.is_optimistic is is_optimistic
    assert ("nine in ten signed contracts of the reference class were paid less of theirs" in found.sentence) is is_optimistic
    assert f"payments of {own:.2f} times its plan" in found.sentence
    # The study has no spread of its own: nothing counts twice.
    assert found.counted_twice == ""


def test_spread_of_its_own__is_said_to_count_twice() -> None:
    found = held_against(np.linspace(0.8, 1.2, 101), known())
    assert (found.own_low_80, found.own_high_80) == pytest.approx((0.84, 1.16))
    assert (found.class_low_80, found.class_median, found.class_high_80) == pytest.approx((0.6, 1.0, 1.4))
    assert "from 0.84 to 1.16 times the plan" in found.counted_twice
    assert "counts twice" in found.counted_twice


def test_section__that_reference_writes_is_read_by_a_study(checkout: Path, tmp_path: Path) -> None:
    reference = read_reference(checkout / "configs" / "indigo_made_up", ProjectFilter())
    section = environment_section(reference).replace("# planned_payments: 1_000_000", "planned_payments: 2_000_000")
    source = find_study("women_in_recovery")
    copied, terms = tmp_path / "study.yaml", tmp_path / "contracts"
    terms.mkdir()
    (terms / "women_in_recovery.yaml").write_text((source.parent / "contracts" / "women_in_recovery.yaml").read_text())
    copied.write_text(source.read_text() + "\n" + section.replace("source: INDIGO", "source: W2"))
    found = load_study(copied, [SIZE]).reference_class
    assert found is not None
    quantiles = reference.fitted.quantiles
    levels = np.array([0.1, 0.5, 0.9])
    assert found.paid_over_planned.inverse(levels) == pytest.approx([quantiles[f"{level:g}"] for level in levels], abs=1e-3)
    assert found.paid_over_planned.layer == "environment"
    done = in_this_process(["run", copied, "-n", "40", "--seed", "1", "--set", SIZE, "--json"])
    assert done.returncode == 0, done.stderr
    outside = json.loads(done.stdout)["outside"]
    assert outside["planned_payments"] == 2_000_000
    assert outside["is_optimistic"] is True
    shown = " ".join(in_this_process(["run", copied, "-n", "40", "--seed", "1", "--set", SIZE]).stdout.split())
    assert outside["sentence"] in shown
    assert outside["counted_twice"] in shown


def test_own_forecast__is_made_without_the_class() -> None:
    # With a class that is always 3 the study's own forecast is that without a class: payments by 500 women over the plan.
    plain = load_study(find_study("women_in_recovery"), [SIZE])
    paid = np.asarray(run_study(plain, seed=1, n_replications=30)["outcome_payer.payment"])
    tripled = study("3", "environment.reference_class.planned_payments=10_000_000")
    found = outside_view(tripled, Ensemble(1, 30))
    assert found is not None
    assert found.own.value == pytest.approx(paid.mean() / 10_000_000)
