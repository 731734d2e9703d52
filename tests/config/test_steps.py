"""How many steps a month has: chosen for rates, said, refused; never for probabilities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from scipy import linalg

from simengine.config import cohort_of, load_study, step_error_of
from simengine.config.steps import CHOSEN_FOR, MOST_ERROR, with_steps
from simengine.errors import StudyError
from simengine.report import document
from simengine.report.steps import steps_content, steps_sentence
from tests.cohort.test_steps import HEART, RATES_PER_YEAR, generator
from tests.conftest import CHECKOUT

RATES = {name: {"rate_per_year": rate} for name, rate in RATES_PER_YEAR.items()}


def heart_file(folder: Path, moves: dict[str, Any], start: str = "well", **pathway: Any) -> Path:
    """Write a study of the heart transplant beside the contract of the smallest study."""
    study = yaml.safe_load((CHECKOUT / "configs" / "tiny.yaml").read_text())
    study["study"]["horizon_months"] = 150
    study["pathway"] = {"states": HEART, "start": {name: {start: 1} for name in ("young", "older")}, "moves": moves} | pathway
    study["effect"] = {}
    study["outcomes"] = {
        "placement_cost_sek": {"kind": "amount", "per_day": {"severe": 100}},
        "school_qualified": {"kind": "binary", "at_month": 12, "probability": dict.fromkeys(HEART, 0.5)},
    }
    path = folder / "heart.yaml"
    path.write_text(yaml.safe_dump(study))
    return path


def test_rates__get_the_fewest_steps_that_follow_them(tmp_path: Path) -> None:
    """Source: exp(Q t): with one step the dead are off by 0.0042 at most, so that 6 are needed of the numbers that there are."""
    study = load_study(heart_file(tmp_path, RATES))
    assert cohort_of(study).clock.steps == 6
    assert study.pathway.steps_per_month is not None
    assert "chosen" in str(study.pathway.steps_per_month.note)
    q = generator() / 12
    step = np.eye(4)
    for s in range(3):
        step[s] = q[s] / -q[s, s] * -np.expm1(q[s, s] / 6)
        step[s, s] = np.exp(q[s, s] / 6)
    dead = max(abs(np.linalg.matrix_power(step, 6 * m)[0, 3] - linalg.expm(m * q)[0, 3]) for m in range(151))
    got = step_error_of(study)
    assert got.share == pytest.approx(dead, rel=1e-6)
    assert got.share <= CHOSEN_FOR < step_error_of(load_study(heart_file(tmp_path, RATES, steps_per_month=4))).share


def test_steps_that_were_chosen__stay_where_the_study_is_written_and_read_again(tmp_path: Path) -> None:
    """Source: a distribution: what ran can be run again from what is kept of it, and other numbers do not change its steps."""
    study = load_study(heart_file(tmp_path, RATES))
    (tmp_path / "again.yaml").write_text(document.as_text(study))
    assert cohort_of(load_study(tmp_path / "again.yaml")).clock.steps == 6


@pytest.mark.parametrize(
    "moves",
    [
        {name: {"per_month": rate / 12} for name, rate in RATES_PER_YEAR.items()},
        {name: {"per_year": rate} for name, rate in RATES_PER_YEAR.items()},
        {name: {"rate_per_year": rate / 20} for name, rate in RATES_PER_YEAR.items()},
    ],
    ids=["of a month", "of a year", "slow rates"],
)
def test_probabilities_and_slow_rates__keep_one_step(moves: dict[str, Any], tmp_path: Path) -> None:
    """Source: the promise that such studies draw what they drew."""
    study = load_study(heart_file(tmp_path, moves))
    assert study.pathway.steps_per_month is None
    assert cohort_of(study).clock.steps == 1
    assert with_steps(study)[0] is study


@pytest.mark.parametrize(
    "rates",
    [
        {"mean_months": 8},
        {"by_stratum": {"young": {"rate_per_day": 0.005}, "older": {"per_month": 0.1}}},
        {"per_month": 0.1, "by_months_since_entry": {"from_months": [3], "rate_per_month": [0.15]}},
        {"per_month": 0.1, "by_months_in_state": {"from_months": [3], "rate_per_month": [0.2]}},
        {"mean_months": 8, "by_months_in_state": {"from_months": [0], "factor": [1.5]}},
        {"mean_months": 8, "weibull_shape": 1.5},
    ],
    ids=["mean", "in one stratum", "later", "in the state", "in the state from the first day", "weibull"],
)
def test_rates__are_seen_wherever_they_are_said(rates: dict[str, Any], tmp_path: Path) -> None:
    """Source: the specification: each place of a pace."""
    moves = {name: {"per_month": 0.1} for name in RATES_PER_YEAR} | {"mild -> severe": rates}
    study = load_study(heart_file(tmp_path, moves))
    assert cohort_of(study).clock.steps > 1
    assert step_error_of(study).share <= CHOSEN_FOR


def test_steps__that_a_study_says_are_kept(tmp_path: Path) -> None:
    """Source: the specification; and what is off falls in proportion: 0.00415 / 3 = 0.00138."""
    study = load_study(heart_file(tmp_path, RATES, steps_per_month=3))
    assert cohort_of(study).clock.steps == 3
    assert step_error_of(study).share == pytest.approx(0.00415 / 3, rel=0.01)


def test_rates__that_the_steps_of_a_study_cannot_follow_are_refused(tmp_path: Path) -> None:
    """Source: the message's contract: the place, the rule, what was found, the way out."""
    fast = {name: {"rate_per_month": 5 * rate} for name, rate in RATES_PER_YEAR.items()}
    with pytest.raises(StudyError, match=r"pathway\.steps_per_month: the step must be so short") as refusal:
        load_study(heart_file(tmp_path, fast, steps_per_month=1))
    assert f"by more than {MOST_ERROR:g}" in str(refusal.value)
    assert "leave it out" in str(refusal.value)
    assert cohort_of(load_study(heart_file(tmp_path, fast))).clock.steps > 1


def test_rates__that_no_step_can_follow_are_refused(tmp_path: Path) -> None:
    """Source: the specification: 32 steps a month at most; a state that is kept for minutes has the unit wrong."""
    with pytest.raises(StudyError, match="Check the unit of the rates"):
        load_study(heart_file(tmp_path, {"well -> mild": {"rate_per_day": 5}, "mild -> well": {"rate_per_day": 1}}))


@pytest.mark.parametrize("steps", [0, 33, 1.5])
def test_steps__are_whole_numbers_up_to_32(steps: float, tmp_path: Path) -> None:
    """Source: the specification."""
    with pytest.raises(StudyError, match="steps_per_month"):
        load_study(heart_file(tmp_path, RATES, steps_per_month=steps))


def test_sentence__says_what_was_computed(tmp_path: Path) -> None:
    """Source: the same numbers, computed; `nothing to say` where nobody moves."""
    study = load_study(heart_file(tmp_path, RATES))
    content = steps_content(study)
    assert content["share_off"] == step_error_of(study).share
    said = steps_sentence(content)
    assert said.startswith("Moves: the program moves each person at most once in each of the 6 steps of a month")
    assert f"by at most {content['share_off']:.2g} (`dead`: {content['stratum']}, " in said
    by_chance = load_study(heart_file(tmp_path, {"well -> mild": {"per_month": 0.1}}))
    assert "Probabilities of a month" in steps_sentence(steps_content(by_chance))
    assert steps_sentence(steps_content(load_study(heart_file(tmp_path, {})))) == ""
