"""Sensitivity: Ishigami within its own intervals, a linear study in closed form, correlated numbers in groups."""

import numpy as np
import pytest
from SALib.analyze import pawn
from scipy import special

from simengine.config import find_study, load_study
from simengine.errors import UsageError
from simengine.questions.sensitivity import answer, indices
from simengine.questions.sensitivity.answer import scores_given, sensitivity
from simengine.questions.sensitivity.indices import global_indices, panel_share
from simengine.replications.ensemble import Ensemble
from simengine.replications.points import assumptions_of, groups_of
from tests.analysis.made import SCORES, study_of
from tests.conftest import sized

COST = "{distribution: uniform, low: 99, high: 101}"
LINEAR = (
    "outcomes.test.sd=1e-6",
    "effect.better.difference={distribution: normal, mean: 3, sd: 0.3}",
    "capital.drawn_share={distribution: uniform, low: 0.8, high: 1}",
    "contract.terms={price: {share: 1000, of: gain, floor: 0}}",
    "capital.payment_month={price: 20}",
)


def ishigami(uniform: np.ndarray) -> dict[str, np.ndarray]:
    x = np.pi * (2 * uniform - 1)
    answer = np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    return {"y": answer[:, None]}


def test_ishigami__within_its_own_intervals():
    # Source: Ishigami and Homma 1990 with a = 7, b = 0.1: S1 .313905, .442411, 0; ST .557589, .442411, .243684.
    found = global_indices({name: (name,) for name in "abc"}, tuple("abc"), ishigami, 1024, 32, 3)["y"].of
    for name, s1, st in zip("abc", (0.313905, 0.442411, 0.0), (0.557589, 0.442411, 0.243684), strict=True):
        assert abs(found[name].s1.value - s1) < 1.96 * found[name].s1.se
        assert abs(found[name].st.value - st) < 1.96 * found[name].st.se
        assert found[name].pawn is not None
        assert found[name].pawn.se > 0


def test_errors__are_those_of_salib_and_on_the_safe_side():
    # Source: SALib gives half widths of 95 % intervals, 1.96 errors. They take the points for independent, but these are spread
    # evenly: over 30 seeds the variance of the z-scores was 0.2 to 0.65, never above 1.
    assert indices._with_interval(1.0, 1.959963984540054).se == pytest.approx(1.0)
    found = [
        global_indices({n: (n,) for n in "abc"}, tuple("abc"), ishigami, 64, 4, seed)["y"].of["b"].s1
        for seed in range(sized(10, 20))
    ]
    z = np.array([(one.value - 0.442411) / one.se for one in found])
    assert 0.05 < z.var(ddof=1) < 1.0


def test_pawn__is_of_independent_points_alone(monkeypatch):
    # Invariant: of each family of Sobol's plan the first and the last point are independent, the others share coordinates with
    # them.
    seen = []
    monkeypatch.setattr(indices, "_pawn", lambda rows: seen.append(rows) or np.zeros(3))
    global_indices({name: (name,) for name in "abc"}, tuple("abc"), ishigami, 16, 4, 3)
    assert len(seen[0]) == len(np.unique(seen[0][:, 0])) == 2 * 16


@pytest.mark.parametrize("n", [15, 64, 999])
def test_pawn__is_that_of_salib(n):
    # Source: another program, SALib 1.5, pawn.analyze with ten slices; of answers many of which are equal, too.
    points = np.random.default_rng(n).random((n, 3))
    for answers in (ishigami(points)["y"][:, 0], np.round(4 * points[:, 0])):
        problem = {"num_vars": 3, "names": list("abc"), "bounds": [[0, 1]] * 3}
        expected = pawn.analyze(problem, points, answers, S=10)["median"]
        np.testing.assert_allclose(indices._pawn(np.column_stack([points, answers])), expected, rtol=1e-14)


def test_points__share_the_luck_of_one_panel(tmp_path):
    # Invariant: at the same point the same people live the same lives; within the panel they do not.
    assumptions = assumptions_of(study_of(SCORES, tmp_path, *LINEAR[1:]), Ensemble(3, 10, threads=1), 6)
    money = assumptions.money(np.zeros((3, len(assumptions.paths))))["investor.net"]
    assert (money == money[0]).all()
    assert len(np.unique(money[0])) == 6


def test_morris__of_a_linear_function_is_the_move_across_the_range():
    # Source: closed form: SALib counts a move over the range of the bounds as one; 5 (0.95 - 0.05) = 4.5, and no scatter.
    found = global_indices({name: (name,) for name in "ab"}, tuple("ab"), lambda u: {"y": (5 * u[:, 0])[:, None]}, 16, 8, 1)["y"].of
    assert found["a"].mu_star.value == pytest.approx(4.5)
    assert found["b"].mu_star.value == found["b"].st.value == 0


def test_panel_share__of_a_panel_of_noise():
    # Source: closed form: signal variance 1, noise 4 per replication, 16 replications: reliability of the mean 1 / (1 + 4 / 16) =
    # 0.8.
    rng = np.random.default_rng(0)
    panel = rng.standard_normal((20_000, 1)) + 2 * rng.standard_normal((20_000, 16))
    assert panel_share(panel) == pytest.approx(0.2, abs=0.01)
    assert panel_share(rng.standard_normal(16) + np.arange(5.0)[:, None]) == pytest.approx(0)


@pytest.fixture(scope="module")
def linear(tmp_path_factory):
    study = study_of(SCORES, tmp_path_factory.mktemp("linear"), *LINEAR)
    return sensitivity(study, Ensemble(3, 100, threads=1), 128, 8, 2, parties=["investor"]).parties["investor"]


def test_tornado__of_a_linear_study(linear):
    # Source: closed form. Net = 1000 effect - 1000 drawn: 1.644854 x 0.3 x 2 x 1000 = 986.912, and 1000 x 0.2 x 0.9 = 180.
    assert list(linear.tornado) == ["effect.better.difference", "capital.drawn_share"]
    effect, drawn = linear.tornado.values()
    assert effect.swing.value == pytest.approx(986.912, abs=0.02)
    assert effect.swing.se == pytest.approx(0, abs=0.01)
    assert drawn.swing.value == pytest.approx(-180, abs=0.02)
    assert (drawn.low, drawn.high) == pytest.approx((0.81, 0.99))


def test_tornado__of_what_touches_no_person_is_that_of_people_who_live_again(monkeypatch):
    study = load_study(find_study("norrkoping"))
    asked = {"n_points": 16, "n_trajectories": 4, "n_panel": 2, "parties": ("investor",)}

    quick = sensitivity(study, Ensemble(1, 20), **asked).parties["investor"].tornado
    monkeypatch.setattr(answer, "MEASURED_AGAIN", ())
    again = sensitivity(study, Ensemble(1, 20), **asked).parties["investor"].tornado

    # Bit by bit: draws have addresses, and nobody's life knows who is measured how.
    assert sum(path.startswith(("measurement.", "capital.", "parties.")) for path in quick) >= 5
    assert quick == again


def test_indices__of_a_linear_study(linear):
    # Source: closed form. Variances 300^2 and 200^2 / 12: the effect holds 0.964286, the drawn share 0.035714, no interaction.
    effect, drawn = linear.indices["effect.better.difference"], linear.indices["capital.drawn_share"]
    assert abs(effect.s1.value - 0.964286) < 3 * effect.s1.se
    assert abs(drawn.st.value - 0.035714) < 3 * drawn.st.se + 1e-3
    assert linear.panel_share == pytest.approx(0, abs=1e-9)


def test_numbers_that_go_together__are_one_group(tmp_path):
    joined = "correlations={x: {between: [effect.better.difference, capital.drawn_share], value: 0.6}}"
    study = study_of(SCORES, tmp_path, *LINEAR, f"outcomes.time.per_day.here={COST}", joined)
    found = sensitivity(study, Ensemble(3, 100, threads=1), 16, 4, 2, parties=["investor"])
    name = "effect.better.difference + capital.drawn_share"
    assert found.groups == {
        name: ("effect.better.difference", "capital.drawn_share"),
        "outcomes.time.per_day.here": ("outcomes.time.per_day.here",),
    }
    index = found.parties["investor"].indices[name]
    assert index.pawn is None
    assert index.st.value == pytest.approx(1, abs=0.35)
    # Source: closed form: with r = 0.6 the drawn share's quantile Phi(0.6 x 1.645 + 0.8 z), whose mean is Phi(0.6 x 1.645 /
    # sqrt(1.64)).
    follows = float(special.ndtr(0.6 * 1.644854 / np.sqrt(1 + 0.64)))
    swing = found.parties["investor"].tornado["effect.better.difference"].swing
    assert abs(swing.value - (986.912 - 200 * (2 * follows - 1))) < 4.5 * swing.se + 0.02


def test_scores_given__follow_the_conditional_normal_distribution(tmp_path):
    # Source: closed form. Given z_b = 2, z_a has mean 0.6 x 2 and variance 1 - 0.36.
    joined = "correlations={x: {between: [effect.better.difference, capital.drawn_share], value: 0.6}}"
    study = study_of(SCORES, tmp_path, *LINEAR, joined)
    paths = assumptions_of(study, Ensemble(1, 2), 2).paths
    given = scores_given(np.random.default_rng(0).standard_normal((20_000, 2)), paths, study, "effect.better.difference", 2.0)
    first = paths.index("capital.drawn_share")  # the first of its cluster by name: its joint score is its own
    assert given[:, first].mean() == pytest.approx(1.2, abs=4.5 * 0.8 / np.sqrt(20_000))
    assert given[:, first].std() == pytest.approx(0.8, abs=0.02)
    assert 0.6 * given[:, first] + 0.8 * given[:, 1 - first] == pytest.approx(np.full(20_000, 2.0))


def test_groups__hold_the_counted_shares_of_one_whole(tiny_path):
    from simengine.config import load_study

    counts = "pathway.start={young: {placed: 1}, older: {home: {distribution: dirichlet, count: 3}, placed: {distribution: dirichlet, count: 9}}}"
    study = load_study(tiny_path, [counts])
    assert "pathway.start.older.home + pathway.start.older.placed" in groups_of(
        study, assumptions_of(study, Ensemble(1, 2), 2).paths
    )


@pytest.mark.parametrize(
    ("points", "trajectories", "message"),
    [(100, 8, "--points: must be a power of 2"), (64, 2, "--trajectories: must be at least 4")],
)
def test_sizes__out_of_range_are_refused(tiny, points, trajectories, message):
    with pytest.raises(UsageError, match=message):
        sensitivity(tiny, Ensemble(1, 4), points, trajectories, 2)


def test_unknown_party__is_refused(tiny):
    with pytest.raises(UsageError, match="--party: must be a party whose money the study moves"):
        sensitivity(tiny, Ensemble(1, 4), 16, 4, 2, parties=["bank"])


def test_result__is_the_same_in_any_blocks(tiny):
    one, other = (sensitivity(tiny, Ensemble(5, 20, 2, size), 16, 4, 2) for size in (1000, 7))
    assert one == other
