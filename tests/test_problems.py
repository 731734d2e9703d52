"""The frozen problems: their closed forms, and the engine against them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchmarks.problems.exact import answers, closed_forms
from benchmarks.problems.score import FOLDER, money, plain, references, score, study_of

CLOSED = sorted(closed_forms())


def test_every_problem__has_a_study_and_four_answers() -> None:
    assert len(references()) == 12
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(CLOSED)
    for name, problem in references().items():
        assert set(problem["answers"]) == {"mean", "sd", "p_loss", "cvar95"}
        assert (problem["from"] == "closed form") == (name in CLOSED)


@pytest.mark.parametrize("name", CLOSED)
def test_frozen_answers__are_those_of_the_closed_forms(name: str) -> None:
    frozen = {answer: one["value"] for answer, one in references()[name]["answers"].items()}
    assert answers(closed_forms()[name]) == pytest.approx(frozen, rel=1e-9)


def test_closed_forms__agree_with_published_and_hand_figures() -> None:
    # Source: hand arithmetic and the methods literature: 54.857 = variance of the beta-binomial; P(X >= 30) = 0.231; referrals with
    # mean 288, sd 66.597, P(N <= 229) next to P(N <= 230) = 0.19758; P(Z > 4) = 3.16712e-5; two people: P(nobody) = 1/4.
    found = {name: answers(law) for name, law in closed_forms().items()}
    assert found["sixty_unknown_coins"]["sd"] ** 2 == pytest.approx(54.857, abs=1e-3)
    assert 1 - found["a_trigger_of_thirty"]["p_loss"] == pytest.approx(0.231, abs=5e-4)
    assert found["a_volume_of_referrals"]["sd"] == pytest.approx(66.597, abs=1e-3)
    at_230 = stats.nbinom(20, 5 / 3 / (5 / 3 + 24)).pmf(230)
    assert found["a_volume_of_referrals"]["p_loss"] + at_230 == pytest.approx(0.19758, abs=1e-5)
    assert 1 - found["a_rare_prize"]["p_loss"] == pytest.approx(3.16712e-5, rel=1e-5)
    assert found["two_people_and_a_coin"]["p_loss"] == pytest.approx(0.25)


@pytest.mark.statistical
@pytest.mark.parametrize("name", CLOSED)
def test_engine__agrees_with_the_closed_form(name: str) -> None:
    net = money(study_of(name), 4000, 5)
    exact = answers(closed_forms()[name])
    assert abs(net.mean() - exact["mean"]) < 4.5 * exact["sd"] / np.sqrt(4000)
    assert abs((net < 0).mean() - exact["p_loss"]) <= 4.5 * np.sqrt(max(exact["p_loss"] * (1 - exact["p_loss"]), 0) / 4000)


def test_score__of_plain_is_the_exact_error_and_a_biased_method_is_seen() -> None:
    # Source: closed form: sqrt(60 x 0.24 / 500) = 0.16971; of 20 repeats the root mean square is within 4.5 / sqrt(40) of it.
    error, bias = score(plain, "sixty_coins", 500, 20)["mean"]
    assert error == pytest.approx(np.sqrt(60 * 0.24 / 500), rel=4.5 / np.sqrt(40))
    assert abs(bias) < 4.5
    _, bias = score(lambda study, n, seed: {"mean": plain(study, n, seed)["mean"] + 0.5}, "sixty_coins", 500, 20)["mean"]
    assert bias > 8
