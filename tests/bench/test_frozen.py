"""The frozen problems: their closed forms, their long runs, and the engine against them."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from simengine.bench.attempt import attempt
from simengine.bench.estimation.exact import closed_forms, four_answers
from simengine.bench.estimation.studies import StudyProblem
from simengine.bench.frozen_studies import STUDIES, study_of, substance_of
from simengine.bench.methods import find_method
from simengine.bench.problem import frozen_answers, hash_of_substance, refuse_changed_problem
from simengine.bench.refusals import ChangedProblemError
from simengine.bench.results import summarise_attempts
from simengine.bench.run import run_methods
from simengine.bench.suite import find_problem, suite
from simengine.config import Study, load_study
from simengine.pipeline import run_block
from simengine.sampling import Sampling
from tests.conftest import CHECKOUT
from verification.bench import long_run

CLOSED = sorted(closed_forms())
STUDY_PROBLEMS = [problem for problem in suite() if isinstance(problem, StudyProblem)]
NAMES = sorted(problem.card.name for problem in STUDY_PROBLEMS)
RUN = ["norrkoping", "--points", "16", "--measured", "2"]


def test_every_problem__has_a_study_and_four_four_answers() -> None:
    assert len(NAMES) == 12
    assert {path.stem for path in STUDIES.glob("*.yaml")} == set(CLOSED)
    for problem in STUDY_PROBLEMS:
        assert set(frozen_answers()[problem.card.name]["answers"]) == {"mean", "sd", "p_loss", "cvar95"}
        assert (problem.remade() != {}) == (problem.card.name in CLOSED)


def test_every_answer__is_known_to_four_digits() -> None:
    # Source: the fourth significant digit of 1,988,680 counts thousands: rounding to it loses 500 at most.
    for name in NAMES:
        for answer, one in frozen_answers()[name]["answers"].items():
            unit = 10.0 ** (np.floor(np.log10(abs(one["value"]))) - 3) if one["value"] else 0.0
            assert one["se"] <= 0.5 * unit, (name, answer)


@pytest.mark.parametrize("name", NAMES)
def test_study_of_a_problem__is_the_frozen_one(name: str) -> None:
    # A changed problem has other answers: work them out anew, then freeze both together as the page on contributing a problem says.
    refuse_changed_problem(find_problem(name))


@pytest.mark.parametrize("name", CLOSED)
def test_frozen_answers__are_those_of_the_closed_forms(name: str) -> None:
    frozen = {answer: one["value"] for answer, one in frozen_answers()[name]["answers"].items()}
    assert four_answers(closed_forms()[name]) == pytest.approx(frozen, rel=1e-9)


def test_closed_forms__agree_with_published_and_hand_figures() -> None:
    # Source: hand arithmetic and the methods literature: 54.857 = variance of the beta-binomial; P(X >= 30) = 0.231; referrals with
    # mean 288, sd 66.597, P(N <= 229) next to P(N <= 230) = 0.19758; P(Z > 4) = 3.16712e-5; two people: P(nobody) = 1/4.
    found = {name: four_answers(distribution) for name, distribution in closed_forms().items()}
    assert found["sixty_unknown_coins"]["sd"] ** 2 == pytest.approx(54.857, abs=1e-3)
    assert 1 - found["a_trigger_of_thirty"]["p_loss"] == pytest.approx(0.231, abs=5e-4)
    assert found["a_volume_of_referrals"]["sd"] == pytest.approx(66.597, abs=1e-3)
    at_230 = stats.nbinom(20, 5 / 3 / (5 / 3 + 24)).pmf(230)
    assert found["a_volume_of_referrals"]["p_loss"] + at_230 == pytest.approx(0.19758, abs=1e-5)
    assert 1 - found["a_rare_prize"]["p_loss"] == pytest.approx(3.16712e-5, rel=1e-5)
    assert found["two_people_and_a_coin"]["p_loss"] == pytest.approx(0.25)


def test_mean_of_amounts_that_cancel__is_nothing() -> None:
    # Source: hand: one of two coins is worth what was lent, none and both as much less and more.
    assert four_answers(closed_forms()["two_people_and_a_coin"])["mean"] == 0.0
    assert four_answers((np.array([-1.0, 1.0 + 1e-12]), np.array([0.5, 0.5])))["mean"] == pytest.approx(5e-13, rel=1e-3)


@pytest.mark.statistical
@pytest.mark.parametrize("name", CLOSED)
def test_engine__agrees_with_the_closed_form(name: str) -> None:
    net = find_problem(name).simulate({}, 4000, 5)["net"]
    exact = four_answers(closed_forms()[name])
    assert abs(net.mean() - exact["mean"]) < 4.5 * exact["sd"] / np.sqrt(4000)
    assert abs((net < 0).mean() - exact["p_loss"]) <= 4.5 * np.sqrt(max(exact["p_loss"] * (1 - exact["p_loss"]), 0) / 4000)


def test_score__of_plain_is_the_exact_error_and_a_biased_method_is_seen() -> None:
    # Source: closed form: sqrt(60 x 0.24 / 500) in units of the sd is 1 / sqrt(500); of 20 repeats the root mean square is within
    # 4.5 / sqrt(40) of it.
    plain = find_method("plain", "estimation")
    assert plain is not None
    lines = summarise_attempts(run_methods(["plain"], ["sixty_coins"], budgets=[500], repeats=20))
    error = next(line.score for line in lines if line.measure == "mean")
    assert error == pytest.approx(1 / np.sqrt(500), rel=4.5 / np.sqrt(40))
    biased = attempt(
        find_problem("sixty_coins"), lambda trial, seed: {"mean": plain(trial, seed)["mean"] + 1}, "biased", budget=500
    )
    # Source: hand: one krona is 1 / sqrt(14.4) = 0.2635 of the sd, beside an error of 0.045.
    assert biased.scores["mean"] == pytest.approx(1 / np.sqrt(14.4), abs=4.5 / np.sqrt(500))


@pytest.mark.statistical
@pytest.mark.parametrize(("name", "points"), [("norrkoping", 128), ("peterborough", 64)])
def test_engine__agrees_with_the_long_run(name: str, points: int) -> None:
    found = long_run.one_round(study_of(name), 11, points, 4)
    for answer, one in frozen_answers()[name]["answers"].items():
        # Student's t with 31 degrees of freedom leaves this once in 10,000.
        assert abs(found[answer]["value"] - one["value"]) < 4.5 * np.hypot(found[answer]["se"], one["se"]), answer


@pytest.mark.parametrize("name", ["norrkoping", "peterborough"])
def test_long_run__measures_the_draws_of_any_run(name: str) -> None:
    # Source: another path: the engine's own blocks, with everything that a run appraises.
    study, replications = study_of(name), np.arange(64)
    whole = run_block(study, 3, replications, Sampling(is_sobol=True, measured=3), with_variates=True).columns
    found = long_run.money_and_luck(study, 3, 3, replications)
    assert set(found) == {"investor.net", *(column for column in whole if column.startswith("deviation."))}
    for column, values in found.items():
        assert (values == whole[column]).all(), column


def test_rounds__are_averaged_and_their_errors_with_them() -> None:
    # Source: hand: errors of 3 and 4 leave 5 in the sum of two values, and half of it in their mean; two values 4 apart have the
    # spread 4 / sqrt(2) = 2.828, and errors with the mean square 12.5 the root 3.536: a ratio of 0.8.
    rounds = [{name: {"value": value, "se": se} for name in long_run.ANSWERS} for value, se in ((10.0, 3.0), (14.0, 4.0))]
    assert long_run.pooled(rounds)["mean"] == {"value": 12.0, "se": 2.5}
    assert long_run.spread_over_error(rounds)["sd"] == pytest.approx(0.8)


def test_long_run__goes_on_where_it_was_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "rounds.json"
    for rounds in ("1", "3"):
        long_run.main([*RUN, "--rounds", rounds, "--keep", str(kept)])
    resumed = json.loads(capsys.readouterr().out.splitlines()[-1])
    long_run.main([*RUN, "--rounds", "3"])
    at_once = json.loads(capsys.readouterr().out)
    assert resumed == at_once
    assert resumed["fingerprint"] == frozen_answers()["norrkoping"]["fingerprint"]
    assert [path.name for path in tmp_path.iterdir()] == ["rounds.json"]
    # The third round is the first of a run whose seed is two higher: no two rounds draw the same replications.
    long_run.main([*RUN, "--seed", str(long_run.SEED + 2)])
    assert json.loads(capsys.readouterr().out)["answers"] == json.loads(kept.read_text())["rounds"][2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"asked": {"problem": "norrkoping", "points": 32}, "rounds": []}', "points 32 and not 16.*Name another file"),
        ('{"asked": {}, "rounds": [{"mean": 3}]}', "rounds that an earlier run kept; found TypeError"),
        ("[", "rounds that an earlier run kept; found JSONDecodeError"),
    ],
)
def test_rounds_of_another_run__are_refused(content: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "rounds.json"
    kept.write_text(content)
    assert_refused(lambda: long_run.main([*RUN, "--keep", str(kept)]), message, capsys)
    assert kept.read_text() == content


def test_rounds_that_cannot_be_kept__are_refused_before_any_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "nowhere" / "rounds.json"
    assert_refused(lambda: long_run.main([*RUN, "--keep", str(kept)]), "the rounds can be written; found", capsys)


def assert_refused(call: Callable[[], None], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        call()
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert re.search(message, said), said


def fingerprint_of_study(study: Study) -> str:
    return hash_of_substance(substance_of(study))


def changed(folder: Path, file: str, old: str, new: str) -> Study:
    """Load Peterborough with one text of its files replaced by another."""
    shutil.copytree(CHECKOUT / "configs", folder)
    text = (folder / file).read_text()
    assert text.count(old) == 1
    (folder / file).write_text(text.replace(old, new))
    return load_study(folder / "peterborough.yaml", variant="exact_moments")


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("peterborough.yaml", "interval_90: [0.78, 1.05]", "interval_90: [0.78, 1.06]"),
        ("peterborough.yaml", "distribution: lognormal, mean: 0.845", "distribution: gamma, mean: 0.845"),
        ("contracts/peterborough.yaml", "amount: {value: 8_000_000", "amount: {value: 8_100_000"),
        ("contracts/peterborough.yaml", "returned: {at_most: {value: 0,", "drawn: {at_most: {value: 0,"),
    ],
)
def test_fingerprint__is_another_where_a_number_a_distribution_or_a_term_is(file: str, old: str, new: str, tmp_path: Path) -> None:
    before = load_study(CHECKOUT / "configs" / "peterborough.yaml", variant="exact_moments")
    assert fingerprint_of_study(changed(tmp_path / "configs", file, old, new)) != fingerprint_of_study(before)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("peterborough.yaml", "# Before signing nobody knew the effect.", "# Nobody knew the effect before."),
        ("peterborough.yaml", 'note: "their own rates are not published"', 'note: "not published"'),
        ("peterborough.yaml", "replications: {value: 2_000", "replications: {value: 3_000"),
        ("peterborough.yaml", "value: 0.084, rounded_to", "value: 0.085, rounded_to"),
        ("contracts/peterborough.yaml", "source: P10, certainty: choice", "source: P4, certainty: M"),
        ("contracts/peterborough.yaml", "first_look: {month: {value: 47,", "first_look: {month: {value: 47.0,"),
    ],
)
def test_fingerprint__is_the_same_where_only_words_differ(file: str, old: str, new: str, tmp_path: Path) -> None:
    before = load_study(CHECKOUT / "configs" / "peterborough.yaml", variant="exact_moments")
    assert fingerprint_of_study(changed(tmp_path / "configs", file, old, new)) == fingerprint_of_study(before)


def test_changed_problem__is_not_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    others = {name: dict(one) for name, one in frozen_answers().items()}
    others["sixty_coins"]["fingerprint"] = "0" * 64
    monkeypatch.setattr("simengine.bench.problem.frozen_answers", lambda: others)
    with pytest.raises(ChangedProblemError, match=r"sixty_coins: must be the problem whose .*; found another one .*\. Undo"):
        run_methods(["plain"], ["two_people_and_a_coin", "sixty_coins"], budgets=[10], repeats=1)
