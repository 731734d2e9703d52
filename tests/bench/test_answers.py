"""Reference answers against other paths: simulation, hand arithmetic, published results, and the commands that make them again."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from simengine.bench.card import BENCH_FAMILIES
from simengine.bench.choices import compared, design, incentives
from simengine.bench.choices.problem import ChoiceProblem
from simengine.bench.estimation.amounts import AmountProblem
from simengine.bench.estimation.methods import signed_contracts
from simengine.bench.estimation.quantity import functional_of, per_replication
from simengine.bench.estimation.studies import StudyProblem
from simengine.bench.inference.problem import InferenceProblem
from simengine.bench.inference.scores import classifier_accuracy, crps_of_sample, log_score_of_sample
from simengine.bench.problem import frozen_answers, refuse_changed_problem
from simengine.bench.remake import remake_answers
from simengine.bench.suite import find_problem, suite
from simengine.errors import UsageError

AMOUNTS = [problem for problem in suite() if isinstance(problem, AmountProblem)]
CHOICES = [problem for problem in suite() if type(problem) is ChoiceProblem]
INFERENCES = [problem for problem in suite() if isinstance(problem, InferenceProblem)]
N = 60_000


def name_of(problem: object) -> str:
    return problem.card.name  # type: ignore[attr-defined,no-any-return]


def test_suite__is_whole() -> None:
    assert [family for family in BENCH_FAMILIES if not any(one.card.family == family for one in suite())] == []
    assert len({name_of(problem) for problem in suite()}) == len(suite()) > 60
    assert set(frozen_answers()) == {name_of(problem) for problem in suite()}
    for problem in suite():
        card = problem.card
        assert all((card.title, card.question, card.difficulty, card.answer_from, card.error, card.cost, card.budgets))
        assert frozen_answers()[card.name]["from"] == card.answer_from


@pytest.mark.parametrize("problem", suite(), ids=name_of)
def test_problem__is_the_frozen_one(problem: AmountProblem) -> None:
    refuse_changed_problem(problem)


def test_answers__are_made_again() -> None:
    # Source: the paths on the cards; those of Norrköping, Peterborough and the forecasts have programs or data of their own.
    found, elsewhere = remake_answers(suite())
    assert [one for one in found if not one.agrees] == []
    assert len(found) > 400
    assert [line.partition(":")[0] for line in elsewhere] == [
        "norrkoping",
        "peterborough",
        *(name_of(one) for one in suite() if one.card.family == "forecasts"),
    ]


@pytest.mark.statistical
@pytest.mark.parametrize("problem", [one for one in AMOUNTS if not one.work_term], ids=name_of)
def test_closed_forms__agree_with_simulation(problem: AmountProblem) -> None:
    for name, one in problem.quantities.items():
        described, answer = one.described(), frozen_answers()[name_of(problem)]["answers"][name]
        batches = []
        for seed in range(20):
            signed = signed_contracts(described, problem.terms)
            columns = {key: problem.simulate(dict(key), N // 20, seed)[one.column] for key in signed}
            batches.append(sum(factor * functional_of(columns[key], one.functional, one.at) for key, factor in signed.items()))
        # Student's t with 19 degrees of freedom leaves 5.6 once in 50,000; a rare event that is not seen has no spread of its own.
        spread = max(
            np.std(batches, ddof=1) / np.sqrt(20), np.sqrt(max(answer["value"], 0) / N) if one.functional == "at_least" else 0
        )
        if name == "p_call":
            spread = max(spread, np.sqrt(answer["value"] / N))
        # Difference quotients over 2 % of a term, and tails of 25 replications in a batch, are biased by less than a fiftieth.
        bias = 0.02 * answer["scale"] if one.by or one.functional in ("cvar", "quantile", "sd") else 0.0
        assert abs(np.mean(batches) - answer["value"]) < 5.6 * spread + bias + 1e-9, name


GIVEN = [problem for problem in suite() if isinstance(problem, AmountProblem | StudyProblem) and problem.given_form]


@pytest.mark.statistical
@pytest.mark.parametrize("problem", GIVEN, ids=name_of)
def test_expected_values__are_those_of_replications_with_the_same_uniforms(problem: AmountProblem | StudyProblem) -> None:
    # Source: another path: the simulator on many replications that share the uniforms that are given.
    told = problem.describe()
    n, drawn = (2000, 1) if isinstance(problem, StudyProblem) else (20_000, told["dimension"])
    for place in (0.4,) if isinstance(problem, StudyProblem) else (0.4, 0.7):
        given = np.full((1, told["given"]), place)
        if name_of(problem) == "one_in_a_million":
            given = np.full((1, told["given"]), 0.94)  # Else the last delay would have to be too long to be seen.
        free = np.random.default_rng(5).random((n, drawn))
        free[:, : told["given"]] = given
        expected = problem.simulate({"given": given}, 1, 1)
        for name, value in expected.items():
            one = told["quantities"][name]
            if one.get("by"):
                continue
            found = np.zeros(n)
            for key, factor in signed_contracts(one, told["terms"]).items():
                values = problem.simulate({"uniforms": free, **dict(key)}, n, 3)[one["column"]]
                found += factor * per_replication(values, one["functional"], one.get("at", 0.0))
            assert abs(found.mean() - value[0]) < 4.5 * found.std() / np.sqrt(n) + 1e-9, (place, name)


@pytest.mark.parametrize("problem", [one for one in GIVEN if one.describe()["given"] == 1], ids=name_of)
def test_expected_values__average_to_the_answers(problem: AmountProblem | StudyProblem) -> None:
    # Source: the law of total expectation, over 8,000 midpoints of the one uniform that is given; the closed forms are paths of their own.
    points = ((np.arange(8000) + 0.5) / 8000)[:, None]
    for name, values in problem.simulate({"given": points}, len(points), 1).items():
        known = frozen_answers()[name_of(problem)]["answers"][name]
        assert values.mean() == pytest.approx(known["value"], abs=2e-3 * known["scale"]), name


def test_expected_slope__is_the_difference_of_expected_payments() -> None:
    # Source: numerical differentiation of the same form, which is held against simulation.
    problem, given = find_problem("a_threshold_bonus"), np.array([[0.3], [0.8]])
    low, high = (problem.simulate({"given": given, "threshold": 0.1 + step}, 2, 1)["mean"] for step in (-1e-5, 1e-5))
    assert problem.simulate({"given": given}, 2, 1)["by_threshold"] == pytest.approx((high - low) / 2e-5, rel=1e-6)


def test_nested_problem__tends_to_its_closed_form_and_its_halves_to_the_level_below() -> None:
    problem = find_problem("a_decision_after_a_pilot")
    many = problem.simulate({"people": 1e9}, N, 1)["decided"]
    value = frozen_answers()["a_decision_after_a_pilot"]["answers"]["value"]["value"]
    assert abs(many.mean() - value) < 4.5 * many.std() / np.sqrt(N)
    halves, below = problem.simulate({"people": 64}, N, 1)["by_halves"], problem.simulate({"people": 32}, N, 2)["decided"]
    assert abs(halves.mean() - below.mean()) < 4.5 * np.hypot(halves.std(), below.std()) / np.sqrt(N)


@pytest.mark.statistical
@pytest.mark.parametrize("problem", CHOICES, ids=name_of)
def test_exact_value_of_a_choice__agrees_with_simulation(problem: ChoiceProblem) -> None:
    for share in (0.3, 0.65):
        chosen = {name: term.nearest(term.low + share * (term.high - term.low)) for name, term in problem.terms.items()}
        exact = problem.exact({name: np.array([value]) for name, value in chosen.items()})
        asked = {"objective": problem.objective, **{name: limit.quantity for name, limit in problem.limits.items()}}
        for name, one in asked.items():
            batches = [
                functional_of(problem.simulate(chosen, 5000, seed)[one.column], one.functional, one.at) for seed in range(10)
            ]
            spread = np.std(batches, ddof=1) / np.sqrt(10)
            # Student's t with 9 degrees of freedom leaves 8.5 once in 70,000; rounding alone of a cost that is no chance.
            assert abs(np.mean(batches) - exact[name][0]) < 8.5 * spread + 1e-9 * max(abs(exact[name][0]), 1), (name, share)


@pytest.mark.parametrize("name", ["a_share_and_a_cap_on_the_engine", "arms_on_the_engine"])
def test_study_of_choice__takes_no_uniforms_and_says_so(name: str) -> None:
    problem = find_problem(name)
    assert problem.describe()["dimension"] == 0
    terms = {term: one["low"] for term, one in problem.describe()["terms"].items()}
    with pytest.raises(UsageError, match="found 'uniforms'"):
        problem.simulate({**terms, "uniforms": np.full((2, 1), 0.5)}, 2, 1)


def best(name: str) -> dict[str, float]:
    found: dict[str, float] = frozen_answers()[name]["answers"]["terms"]
    return found


def test_best_choices__are_those_of_theory() -> None:
    # Source: newsvendor: the quantile at (price - cost) / price = 1/3 of the demand.
    assert best("places_to_fund")["places"] == stats.nbinom.ppf(1 / 3, 20, (5 / 3) / (5 / 3 + 24))
    # Source: Neyman 1934: the ratio of arms is the root of the ratio of costs, sqrt(9) = 3; 150 x 9 + 450 = 1,800.
    assert best("a_ratio_within_a_budget") == {"served": 150, "compared": 450}
    assert best("arms_on_the_engine") == {"people": 150, "ratio": 3}
    # Source: hand: the root of 50 / 2 x 0.95 / 0.05 is 21.8; whole schools within 2,000 move it by a few.
    assert abs(best("schools_and_pupils")["pupils"] - 21.8) < 4
    # Source: Holmstrom and Milgrom 1987: 1 / (1 + r c s^2) = 1 / (1 + 3 x 0.5 x 1); the fixed part leaves the provider with
    # nothing: -(0.4^2 / (2 x 0.5) - 3 / 2 x 0.4^2).
    assert best("a_linear_contract") == {"fixed": 0.08, "share": 0.4}
    # Source: Holmstrom and Milgrom 1991: (I + r C S)^-1 times the values, here within a step of 0.01.
    hessian = np.array([[1, incentives.SUBSTITUTION], [incentives.SUBSTITUTION, 1]])
    noise = np.diag(np.array(incentives.TASK_NOISE) ** 2)
    shares = np.linalg.solve(np.eye(2) + incentives.AVERSION * hessian @ noise, np.array(incentives.TASK_VALUES))
    assert list(best("two_tasks_of_which_one_is_noisy").values()) == pytest.approx(shares, abs=0.01)
    # Source: hand: cost over the difference of chances, 1.5 / 0.3; 1.8 / 0.4.
    assert best("three_results") == {"bad": 0, "middling": 0, "good": 5}
    assert best("easy_and_hard_people")["for_hard"] == 4.5
    assert best("easy_and_hard_people")["for_easy"] * 0.8 < 1.4
    # Source: hand, Holmstrom 1982: the results have a variance of 2 and a correlation of 1/2, so the share is
    # 1 / (1 + r c s^2 (1 - k^2)) = 1 / (1 + 2 x 0.5 x 2 x 3/4) = 0.4, and the peer's -1/2 of it.
    assert best("a_share_of_a_peers_result") == {"own": 0.4, "peer": -0.2}
    # Source: hand, Weitzman 1980: what a unit brings is alike in both years, 1 / (1 + r c (2 l^2 + s^2)) = 1/4; of the first year's
    # bonus the rising target takes 0.6 of the second.
    assert best("a_target_that_rises") == {"first": 0.4, "second": 0.25}
    # Source: hand, Lazear and Rosen 1981: the difference of two errors of the sd 2 / sqrt(pi) has the density
    # 1 / (2 x 2 / sqrt(pi) x sqrt(pi)) = 1/4 at 0, so the prize is 2 / 0.25, effort 8 x 0.25 / 2 = 1, and each is left with 3.5
    # where it is paid 3.5 + 1 - 8 / 2.
    assert best("a_prize_for_the_better") == {"for_each": 0.5, "prize": 8.0}


def test_responses_to_compared_results__are_what_is_best_for_who_responds() -> None:
    # Source: slow twin: who responds tries a grid of efforts against the terms themselves, read from what the simulator pays.
    efforts, step = np.linspace(-1, 3, 4001), 1e-3
    # A provider with a fifth of its own result and minus a tenth of the peer's: effort costs e^2 / 4.
    assert efforts[np.argmax(0.2 * efforts - compared.PEER_COST * efforts**2 / 2)] == pytest.approx(0.2 / 0.5, abs=step)
    # Bonuses of 0.7 and 0.5: the second year is paid above 0.6 of the first; both efforts at once.
    first, second = np.meshgrid(efforts[::20], efforts[::20], indexing="ij")
    worth = 0.7 * first + 0.5 * (second - 0.6 * first) - (first**2 + second**2) / 2
    place = np.unravel_index(np.argmax(worth), worth.shape)
    assert (first[place], second[place]) == pytest.approx((0.4, 0.5), abs=20 * step)
    paid = find_problem("a_target_that_rises").simulate({"first": 0.7, "second": 0.5}, N, 1)["payer"]
    # Source: hand: the provider is left with 0, so the payer has 0.4 + 0.5 less the costs 0.08 + 0.125 and the risk
    # (0.9^2 + 0.4^2 + 0.5^2) / 2 = 0.61.
    assert abs(paid.mean() - 0.085) < 4.5 * paid.std() / np.sqrt(N)
    # A prize of 7 or of 14: no other effort is better than the rival's, if that is the prize times the density over the cost.
    for prize in (7.0, 14.0):
        rival, spread = prize / 8, compared.RIVAL_SD * np.sqrt(2)
        own = prize * stats.norm.cdf((efforts - rival) / spread) - compared.RIVAL_COST * efforts**2 / 2
        assert efforts[np.argmax(own)] == pytest.approx(rival, abs=step)
    # Source: hand: without a prize nobody works: 2 x 2 x 2 less 2 x 3.5 is left; for a twentieth less both decline.
    found = find_problem("a_prize_for_the_better")
    assert found.exact({"for_each": np.array([3.5, 3.45]), "prize": np.zeros(2)})["objective"] == pytest.approx([1, 0])


def test_wrong_payments__are_those_of_a_bivariate_normal() -> None:
    # Source: another path: SciPy's bivariate normal distribution, P(one reaches its bound and the other does not).
    people, threshold = 74.0, 2.15
    noise = 10 * np.sqrt(2 / people)
    cov = [[4.0, 4.0], [4.0, 4.0 + noise**2]]
    both = stats.multivariate_normal([3.0, 3.0], cov).cdf([2.5, threshold])
    expected = stats.norm(3, 2).cdf(2.5) + stats.norm(3, np.sqrt(cov[1][1])).cdf(threshold) - 2 * both
    assert design.wrong({"people": np.array([people]), "threshold": np.array([threshold])})[0] == pytest.approx(expected, abs=1e-6)


def test_choice__is_judged_by_hand() -> None:
    # Source: hand: at a price of 1.34 nothing is given up; at 3 all of the range; at 0.5 the lender needs 40 successes of 60.
    problem = find_problem("a_price_that_covers")
    loss = {price: {one.measure: one.value for one in problem.evaluate({"terms": {"price": price}})} for price in (1.34, 3.0, 0.5)}
    assert loss[1.34]["loss"] == pytest.approx(0)
    assert loss[3.0] == pytest.approx({"loss": 1, "regret": 1, "breach": 0})
    expected = (stats.betabinom.cdf(39, 60, 8, 12) - 0.1) / 0.1
    assert loss[0.5] == pytest.approx({"loss": expected, "regret": 0, "breach": expected})
    assert [one.value for one in problem.evaluate({"terms": None})] == [1.0]
    assert [one.value for one in find_problem("no_deal_in_sight").evaluate({"terms": None})] == [0.0]


@pytest.mark.statistical
@pytest.mark.parametrize("problem", INFERENCES, ids=name_of)
def test_posterior__covers_the_hidden_truth(problem: InferenceProblem) -> None:
    # Source: simulation-based calibration: the rank of the truth is uniform; a mean of n uniforms has the sd 1 / sqrt(12 n).
    n = 10 if name_of(problem) == "counts_that_vary_too_much" else 200
    ranks = []
    for instance in range(n):
        truth, observed = problem.truth_and_data(instance)
        points = np.random.default_rng(instance).random((200, len(problem.parameters)))
        ranks.append((problem.posterior(observed, points) < truth).mean(axis=0))
    ranks = np.array(ranks)
    assert abs(ranks.mean() - 0.5) < 4.5 / np.sqrt(12 * ranks.size)
    assert abs(((ranks - 0.5) ** 2).mean() - 1 / 12) < 4.5 * np.sqrt(1 / 180 / ranks.size) + 1 / 200


@pytest.mark.parametrize("problem", INFERENCES, ids=name_of)
def test_posterior__is_prior_times_likelihood(problem: InferenceProblem) -> None:
    # Source: another path: draws from the prior weighed by the likelihood; their effective number says how near they may be.
    found = problem.simulate({}, 8000, 3)
    weight = np.exp(found["log_likelihood"] - found["log_likelihood"].max())
    weight /= weight.sum()
    mean, reference = weight @ found["theta"], problem.reference_sample(0)
    error = reference.std(axis=0) * np.sqrt((weight**2).sum() + 1 / len(reference))
    assert (np.abs(mean - reference.mean(axis=0)) < 5 * error).all()


@pytest.mark.parametrize("problem", [one for one in INFERENCES if one.by_wave], ids=name_of)
def test_likelihood_of_waves__is_that_of_all_data(problem: InferenceProblem) -> None:
    # Source: the whole is the sum of its waves, up to what is the same for every parameter.
    found = problem.simulate({}, 50, 3)
    difference = found["log_likelihood_by_wave"].sum(axis=1) - found["log_likelihood"]
    assert found["log_likelihood_by_wave"].shape == (50, problem.describe()["waves"])
    assert difference == pytest.approx(difference[0])


def test_scores_of_samples__are_those_of_closed_forms() -> None:
    # Source: Gneiting and Raftery 2007, equation 21: of N(0, 1) at 0 the CRPS is 2 phi(0) - 1 / sqrt(pi) = 0.2337; minus the log
    # density is log sqrt(2 pi) = 0.9189, which a kernel of width 1.06 n^-0.2 widens to sqrt(1 + width^2).
    normal = stats.norm.ppf((np.arange(4000) + 0.5) / 4000)
    assert crps_of_sample(normal, 0.0) == pytest.approx(0.23369, abs=2e-4)
    width = 1.06 * 4000**-0.2
    assert log_score_of_sample(normal, 0.0) == pytest.approx(np.log(np.sqrt(2 * np.pi * (1 + width**2))), abs=2e-3)
    # Source: two normals two sd apart: the best classifier is right with Phi(1) = 0.841; alike ones with 0.5, sd 0.011.
    first, second = np.random.default_rng(1).standard_normal((2, 1000, 1))
    assert classifier_accuracy(first + 2, second) == pytest.approx(0.841, abs=0.045)
    assert classifier_accuracy(first, second) == pytest.approx(0.5, abs=0.05)
