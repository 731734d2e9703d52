"""Methods on problems: known orders, bad methods, work that is counted, runs that go on, results that are refused."""

from __future__ import annotations

import io
import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console, RenderableType

from simengine.bench import (
    BenchProblem,
    NotApplicableError,
    Trial,
    compare_results,
    find_problem,
    run_methods,
    score_answers,
    suite,
    summarise_attempts,
)
from simengine.bench.attempt import attempt
from simengine.bench.compare import observed_order
from simengine.bench.estimation.studies import StudyProblem
from simengine.bench.inference.methods import particle_filter, prior_sample
from simengine.bench.inference.problem import InferenceProblem
from simengine.bench.layout import BreakableName, messages_of, score_tables_of_bench
from simengine.bench.methods import BASELINES
from simengine.bench.problem import SUITE, frozen_answers
from simengine.bench.results import SummaryLine, read_summary_table, table_text
from simengine.bench.suite import needs_tables
from simengine.errors import ResultsError, UsageError
from tests.command import in_this_process

BUDGETS = [256, 1024, 4096, 16_384]


def errors(method: str, problem: str, measure: str, repeats: int = 16) -> list[float]:
    lines = summarise_attempts(run_methods([method], [problem], budgets=BUDGETS, repeats=repeats))
    return [line.score for line in sorted(lines, key=lambda line: line.budget) if line.measure == measure]


@pytest.mark.statistical
def test_orders__are_those_that_are_known() -> None:
    # Source: plain draws: -1/2 (central limit theorem); scrambled Sobol on a smooth integrand: -1 to -3/2 (Owen 1997). A root mean
    # square of 16 is known to 1 / sqrt(32) = 0.18: over a factor of 64 the slope to 0.18 sqrt(2) / log(64) = 0.06.
    assert observed_order(BUDGETS, errors("plain", "a_smooth_saving", "mean")) == pytest.approx(-0.5, abs=0.2)
    assert observed_order(BUDGETS, errors("sobol", "a_smooth_saving", "mean")) < -0.8
    # An error that a jump makes does not fall as fast: -1/2 to -1 in two dimensions.
    assert -1.0 < observed_order(BUDGETS, errors("sobol", "a_threshold_bonus", "mean")) < -0.5


@pytest.mark.statistical
def test_antithetic_draws__do_not_help_a_tail_mean() -> None:
    # Source: the mirror image of a draw in the tail lies outside it: the pair tells of the tail no more than one of the two. A root mean
    # square of 100 is known to a fourteenth, a ratio of two to a tenth; on the mean of something nearly linear mirror images help by far.
    lines = summarise_attempts(run_methods(["plain", "antithetic"], ["a_fund_of_eight"], budgets=[1024], repeats=100))
    score = {(one.measure, one.method): one.score for one in lines}
    assert score["cvar95", "antithetic"] / score["cvar95", "plain"] > 0.7
    assert score["mean", "antithetic"] / score["mean", "plain"] < 0.3


@pytest.mark.statistical
def test_importance_sampling__sees_what_plain_draws_do_not() -> None:
    lines = {
        method: summarise_attempts(run_methods([method], ["one_in_a_million"], budgets=[16_384], repeats=8))[0].score
        for method in ("plain", "importance_sampling")
    }
    assert lines["importance_sampling"] < 0.9 < lines["plain"]


@pytest.mark.statistical
def test_conditional_monte_carlo__has_less_variance_than_plain_draws() -> None:
    # Source: the law of total variance; the derivative of a jump has no noise of a difference quotient left.
    lines = summarise_attempts(run_methods(["plain", "conditional_monte_carlo"], ["a_threshold_bonus"], budgets=[1024], repeats=40))
    score = {(one.measure, one.method): one.score for one in lines}
    for measure in ("mean", "gain", "by_threshold"):
        assert score[measure, "conditional_monte_carlo"] < 0.8 * score[measure, "plain"]


@pytest.mark.statistical
@pytest.mark.parametrize("name", ["three_interim_results", "referrals_a_month", "a_level_and_a_trend"])
def test_particle_filter__finds_the_posterior(name: str) -> None:
    # Source: the closed form of each posterior: with 1,000 particles a wave the mean is off by some tenths of the posterior sd (the
    # longer the waves the more), a prior sample by about as much as there is to learn.
    problem, waves = find_problem(name), find_problem(name).describe()["waves"]
    assert isinstance(problem, InferenceProblem)
    errors = {}
    for method in (particle_filter, prior_sample):
        each = []
        for instance in range(4):
            reference = problem.reference_sample(instance)
            sample = method(Trial(problem, 1000 * waves, instance), 5)["samples"]
            each.append((np.abs(sample.mean(axis=0) - reference.mean(axis=0)) / reference.std(axis=0)).max())
        errors[method] = np.mean(each)
    assert errors[particle_filter] < min(0.35, errors[prior_sample] / 3)


LARGE = ("norrkoping", "peterborough", "arms_on_the_engine")


@pytest.mark.parametrize(
    "problem", [one for one in suite() if one.card.name not in LARGE and not needs_tables(one)], ids=lambda one: one.card.name
)
def test_baselines__serve_every_problem_of_their_family_or_say_that_they_do_not(problem: BenchProblem) -> None:
    budget = 200 if isinstance(problem, StudyProblem) else 900
    for name, method in BASELINES[problem.card.family].items():
        found = attempt(problem, method, name, budget=budget)
        assert found.is_finished, found.message
        assert 0 < found.replications <= budget or found.status == "not_applicable"


def tried(method: Any, problem: str = "a_smooth_saving", budget: int = 500, **options: Any) -> Any:
    return attempt(find_problem(problem), method, "mine", budget=budget, **options)


def raises(trial: Trial, seed: int) -> dict[str, float]:
    raise RuntimeError("no more")


def spins(trial: Trial, seed: int) -> dict[str, float]:
    until = time.process_time() + 20
    while time.process_time() < until:
        pass
    return {}


def declines(trial: Trial, seed: int) -> dict[str, float]:
    raise NotApplicableError("not for me")


def greedy(trial: Trial, seed: int) -> dict[str, float]:
    return {"mean": float(trial.simulate({}, 501, seed)["net"].mean())}


BAD = [
    (lambda trial, seed: {"mean": np.zeros(3)}, "bad_answer", r"answer: mean must be a finite number; found array"),
    (lambda trial, seed: {"mean": float("nan")}, "bad_answer", r"answer: mean must be a finite number; found nan"),
    (lambda trial, seed: {"median": 1.0}, "bad_answer", r"must name some of mean, sd; found 'median'"),
    (lambda trial, seed: None, "bad_answer", r"answer: must be a dictionary .*; found None"),
    (greedy, "over_budget", r"must stay within 500 replications; found 501"),
    (raises, "failed", r"RuntimeError: 'no more'"),
    (spins, "over_budget", r"must take 0\.2 CPU seconds at most"),
    (
        lambda trial, seed: trial.simulate({"cap": 1}),
        "failed",
        r"parameters: must be some of uniforms, given, base, cost; found 'cap'",
    ),
    (lambda trial, seed: trial.simulate({"uniforms": np.ones((2, 5))}, 2), "failed", r"must lie above 0 and below 1"),
    (
        lambda trial, seed: trial.simulate({"uniforms": np.ones((2, 3))}, 2),
        "failed",
        r"must have the shape \(2, 5\); found \(2, 3\)",
    ),
    (
        lambda trial, seed: trial.simulate({"given": np.full((2, 3), 0.5)}, 2),
        "failed",
        r"given: must have the shape \(2, 4\); found \(2, 3\)",
    ),
    (
        lambda trial, seed: trial.simulate({"given": np.full((2, 4), 0.5), "uniforms": np.full((2, 5), 0.5)}, 2),
        "failed",
        r"parameters: must have uniforms or given; found both",
    ),
]


@pytest.mark.parametrize(("method", "status", "message"), BAD)
def test_bad_method__gets_one_message(method: Any, status: str, message: str) -> None:
    found = tried(method, cpu_seconds=0.2)
    assert found.status == status
    assert re.search(message, found.message), found.message
    assert found.message.startswith("a_smooth_saving: ")
    assert "\n" not in found.message
    assert found.scores == {}


def test_method_that_does_not_apply__is_left_out() -> None:
    found = tried(declines)
    assert (found.status, found.message) == ("not_applicable", "not for me")
    others = [replace(found, problem=name) for name in ("b", "c", "d")]
    assert messages_of([found, found, *others]) == [f"{found.method}: does not apply to {found.problem}, b, c and 1 more"]
    assert summarise_attempts([found]) == []


@pytest.mark.parametrize(
    ("problem", "answer", "message"),
    [
        ("a_price_that_covers", {"terms": {"cost": 1}}, "terms: must be price; found cost"),
        ("a_price_that_covers", {"terms": {"price": 9}}, "price: must be from 0.5 to 3; found 9"),
        ("a_price_that_covers", {"price": 1}, "must be a dictionary with terms alone"),
        ("a_mean_gain", {"samples": np.zeros((5, 1))}, r"n from 20; found the shape \(5, 1\)"),
        ("a_mean_gain", {"samples": np.full((50, 1), np.inf)}, "found a number that is not finite"),
        ("a_mean_gain", {"samples": "many"}, r"samples must be numbers of the shape \(n, 1\)"),
    ],
)
def test_bad_answer__is_refused(problem: str, answer: Any, message: str) -> None:
    found = tried(lambda trial, seed: answer, problem)
    assert found.status == "bad_answer"
    assert re.search(message, found.message), found.message


def test_bad_methods__spoil_no_table() -> None:
    good = [attempt(find_problem("a_raised_cap"), lambda trial, seed: {"gain": 2.5}, "good", budget=9, repeat=k) for k in range(3)]
    bad = [attempt(find_problem("a_raised_cap"), raises, "bad", budget=9, repeat=k) for k in range(3)]
    lines = {line.method: line for line in summarise_attempts([*good, *bad])}
    assert (lines["good"].repeats, lines["good"].failed) == (3, 0)
    # Source: hand: the gain is 2.47208, so 2.5 is wrong by a share of 0.02792 / 2.47208.
    assert lines["good"].score == pytest.approx(0.02791890 / 2.4720811, rel=1e-5)
    assert (lines["bad"].repeats, lines["bad"].failed, lines["bad"].measure) == (0, 3, "")
    assert messages_of(bad) == ["bad: failed: a_raised_cap: RuntimeError: 'no more' (3 times)"]


def test_work__is_counted_three_ways() -> None:
    trial = Trial(find_problem("a_card_of_24"), 100)
    trial.simulate({}, 60, 1)
    assert trial.left == 40
    assert trial.work.replications == 60
    # Source: hand: the numbers that could be reached, 5, 12, 8, 15, ...; 237 in all.
    assert trial.work.person_periods == 60 * sum(5 + (7 * k) % 11 for k in range(24))
    assert trial.work.cpu_seconds >= 0
    nested = Trial(find_problem("a_decision_after_a_pilot"), 100)
    nested.simulate({"people": 16}, 5, 1)
    assert nested.left == 20


def test_scores__repeat_and_differ_by_seed() -> None:
    first, again = (run_methods(["plain"], ["a_raised_cap"], budgets=[64], repeats=3) for _ in range(2))
    assert [one.scores for one in first] == [one.scores for one in again]
    assert len({one.scores["gain"] for one in first}) == 3


def test_run__goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    made = []
    run_methods(["plain"], ["a_raised_cap"], budgets=[64], repeats=2, into=tmp_path, on_attempt=made.append)
    run_methods(["plain"], ["a_raised_cap"], budgets=[64], repeats=4, into=tmp_path, on_attempt=made.append)
    assert [one.repeat for one in made] == [0, 1, 2, 3]
    assert sorted(path.name for path in tmp_path.rglob("*.json")) == [f"64-{k}.json" for k in range(4)]
    assert list(tmp_path.rglob("*.draft")) == []


def test_run__in_processes_gives_the_same(tmp_path: Path) -> None:
    alone, beside = (run_methods(["plain"], ["a_raised_cap"], budgets=[64], repeats=2, jobs=jobs) for jobs in (1, 2))
    assert [one.scores for one in alone] == [one.scores for one in beside]


def kept(folder: Path, **changes: Any) -> Path:
    run_methods(["plain"], ["a_raised_cap"], budgets=[64], repeats=1, into=folder)
    path = folder / "plain" / "a_raised_cap" / "64-0.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"suite": "2025.1"}, f"must be of the suite {SUITE}; found one of 2025.1, whose scores are not comparable"),
        ({"fingerprint": "0" * 64}, "a_raised_cap: must be the problem of the suite .*; found another problem of that name"),
        ({"problem": "a_cap"}, "a_cap: must be .*; found a problem that is not in the suite"),
        ({"colour": "red"}, "must be the result of an attempt"),
    ],
)
def test_results_of_another_suite__are_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    kept(tmp_path, **changes)
    for call in (
        lambda: compare_results([tmp_path]),
        lambda: run_methods(["plain"], ["a_raised_cap"], budgets=[64], repeats=1, into=tmp_path),
    ):
        with pytest.raises(ResultsError, match=message):
            call()


def line(method: str, problem: str, score: float, se: float = 0.0, budget: int = 64) -> SummaryLine:
    fingerprint = frozen_answers()[problem]["fingerprint"]
    return SummaryLine(SUITE, "estimation", problem, fingerprint, "mean", method, budget, 3, 0, score, se, budget, budget, 0.1)


def test_ranks__are_worked_out_by_hand(tmp_path: Path) -> None:
    # Source: hand: a is best twice of two; b is second and, within noise of a, best in the second; c has the first case alone.
    lines = [
        line("a", "a_smooth_saving", 1.0),
        line("b", "a_smooth_saving", 2.0),
        line("c", "a_smooth_saving", 4.0),
        line("a", "a_card_of_24", 1.0, se=0.3),
        line("b", "a_card_of_24", 1.5, se=0.4),
    ]
    path = tmp_path / "scores.csv"
    path.write_text(table_text(lines))
    assert read_summary_table(path) == lines
    found = {one.method: one for one in compare_results([path], "a").standings}
    assert [found[name].mean_rank for name in "abc"] == [0.0, 0.75, 1.0]
    assert [found[name].wins for name in "abc"] == [2, 1, 0]
    assert [found[name].ratio for name in "abc"] == pytest.approx([1, np.sqrt(3), 4])
    with pytest.raises(UsageError, match=r"--reference: must be one of the methods, a, b, c; found 'd'"):
        compare_results([path], "d")
    other = tmp_path / "other.csv"
    other.write_text(table_text([replace(lines[0], score=9.0)]))
    with pytest.raises(UsageError, match="must have one score for a case; found two of a for a_smooth_saving"):
        compare_results([path, other])


def test_long_names__are_broken_after_underscores() -> None:
    # Source: hand: of 80 columns the three names have about 40, in which these need to be broken; 120 hold them whole.
    names = ("a_decision_after_a_pilot", "payer_quantile25", "conditional_monte_carlo")
    for width, expected in ((16, "a_decision_\nafter_a_pilot\n"), (24, f"{names[0]}\n"), (8, "a_\ndecision\n_\nafter_a_\npilot\n")):
        assert printed(BreakableName(names[0]), width) == expected
    long = replace(line(names[2], names[0], 0.5, se=0.1, budget=160_000), measure=names[1])
    rows = printed(score_tables_of_bench([long], []), 80).splitlines()
    assert max(map(len, rows)) <= 80
    assert re.search(r"^ a_decision_ +payer_ +conditional_ +160,000 +0\.5 ± 0\.1 +0\.1", "\n".join(rows), re.MULTILINE)
    assert all(name in printed(score_tables_of_bench([long], []), 120) for name in names)


def printed(content: RenderableType, width: int) -> str:
    shown = io.StringIO()
    Console(file=shown, width=width).print(content)
    return shown.getvalue()


def test_answers_of_a_file__are_judged_and_bad_files_refused(tmp_path: Path) -> None:
    path = tmp_path / "answers.json"
    rows = [
        {"problem": "a_raised_cap", "answer": {"gain": 2.5}, "replications": 1000},
        {"problem": "places_to_fund", "answer": {"terms": {"places": 256}}},
    ]
    path.write_text(json.dumps({"suite": SUITE, "method": "mine", "answers": rows}))
    found = score_answers(path)
    assert [one.status for one in found] == ["done", "done"]
    assert found[1].scores["loss"] == pytest.approx(0)
    for content, message in [
        ("[", "must be a JSON object"),
        ('{"suite": "2025.1", "method": "m", "answers": []}', "found one of 2025.1"),
        (f'{{"suite": "{SUITE}", "method": "m", "answers": [1]}}', r"answers\[0\]: must have problem and answer"),
        (
            f'{{"suite": "{SUITE}", "method": "m", "answers": [{{"problem": "a_raised_cap", "answer": {{}}, "budget": -1}}]}}',
            "budget: must be a whole",
        ),
    ]:
        path.write_text(content)
        with pytest.raises(ResultsError, match=message):
            score_answers(path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--method", "sobl"], "--method: must be module:function, or one of .*; found 'sobl'. Did you mean `sobol`"),
        (["run", "--method", "nowhere:nothing"], "must name a function of a module that can be imported"),
        (
            ["run", "--method", "plain", "a_riased_cap"],
            "must be one of the suite; found 'a_riased_cap'. Did you mean `a_raised_cap`",
        ),
        (["run", "--method", "plain", "sizing"], "must serve one of the problems; found a baseline of another family"),
        (["run", "--method", "plain", "--name", "a b", "a_raised_cap"], "--name: must be letters"),
        (["run", "--method", "plan_holds", "forecasts"], "must have the public tables; found none"),
        (["compare", "nowhere"], "nowhere: must be a folder of results or a table of them; found nothing"),
        (["score", "nowhere.json"], "nowhere.json: must be a file of answers"),
    ],
)
def test_command__refuses(words: list[str], message: str) -> None:
    done = in_this_process(["bench", *words])
    assert done.returncode == 2
    assert re.search(message, done.stderr), done.stderr
    assert "Traceback" not in done.stderr


def test_commands__list_run_score_compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkout: Path) -> None:
    monkeypatch.chdir(tmp_path)
    listed = json.loads(in_this_process(["bench", "list", "--json"]).stdout)
    assert len(listed["problems"]) > 60
    assert "Usage" in in_this_process(["bench"]).stdout
    run = [
        "bench",
        "run",
        "a_raised_cap",
        "--method",
        "plain",
        "--method",
        "sobol",
        "--budget",
        64,
        "--budget",
        256,
        "--repeats",
        2,
    ]
    assert "Results: mine" in in_this_process([*run, "-o", "mine"]).stdout
    compared = in_this_process(["bench", "compare", "mine", "--reference", "plain", "-o", "compared", "--json"])
    assert json.loads(compared.stdout)["standings"][0]["family"] == "estimation"
    pictures = {f"{name}.{form}" for name in ("error-against-work", "run-lengths") for form in ("png", "svg")}
    files = {path.name for path in (tmp_path / "compared").iterdir()}
    assert files == {"SHA256SUMS", "comparison.json", "scores.csv", *pictures}
    made_up = [
        "bench",
        "run",
        "forecasts",
        "--method",
        "other_contracts",
        "--tables",
        checkout / "configs" / "indigo_made_up",
        "--json",
    ]
    scores = json.loads(in_this_process(made_up).stdout)["scores"]
    assert {row["measure"] for row in scores} == {"crps", "log_score"}
    assert "0 differ" in in_this_process(["bench", "answers", "sizing"]).stdout
