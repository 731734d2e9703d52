"""Reverse stress against the Gaussian-linear case, and the boxes against a box that is known."""

import numpy as np
import pytest
from scipy import special, stats

from simengine.config import load_study
from simengine.errors import UsageError
from simengine.questions.reverse import boxes as scenarios
from simengine.questions.reverse.answer import nearest_break, read_criterion, reverse_stress
from simengine.questions.reverse.boxes import find_boxes
from simengine.replications.ensemble import Ensemble
from tests.analysis.made import SCORES, study_of

SLOPE = np.array([3.0, -2.0, 0.5, 0.0])


def linear(threshold: float, n_panel: int = 201):
    luck = special.ndtri((np.arange(n_panel) + 0.5) / n_panel)  # its median is 0
    return lambda points: (points @ SLOPE)[:, None] + luck - threshold


def scores(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((2000, 4))


@pytest.mark.parametrize("threshold", [1.0, 4.0, 9.0])
def test_distance__of_the_gaussian_linear_case(threshold):
    # Source: closed form. The nearest point of {a w > t} lies at t / |a| along a / |a|; |a| is the sd of the linear functional.
    drawn = scores()
    point, distance, p_break = nearest_break(linear(threshold), drawn, drawn @ SLOPE - threshold)
    assert distance.value == pytest.approx(threshold / np.linalg.norm(SLOPE), abs=0.02)
    assert point / np.linalg.norm(point) == pytest.approx(SLOPE / np.linalg.norm(SLOPE), abs=0.03)
    assert p_break.value == pytest.approx(0.5, abs=0.02)


def test_distance__to_a_corner_of_a_curved_edge():
    # Source: closed form. {w1^2 + 4 w2 > 8}: on the boundary w2 = (8 - w1^2) / 4, so |w|^2 = w1^2 + (8 - w1^2)^2 / 16, least where
    # 1 = (8 - w1^2) / 8, w1 = 0: |w| = 2.
    points = scores()[:, :2]
    margins = lambda at: (at[:, 0] ** 2 + 4 * at[:, 1] - 8)[:, None] + np.zeros(11)  # noqa: E731
    _, distance, _ = nearest_break(margins, points, margins(points)[:, 0])
    assert distance.value == pytest.approx(2.0, abs=0.03)


@pytest.mark.parametrize("seed", [0, 1])
def test_distance__is_found_by_going_down_where_no_first_ray_leads_there(seed):
    # Source: closed form. {w1 w2 > 4}: the nearest points are (2, 2) and (-2, -2), at sqrt(8). By symmetry neither the slope at the
    # centre nor the replications that break point anywhere.
    points = scores(seed)[:1000, :2]
    margins = lambda at: (at[:, 0] * at[:, 1] - 4)[:, None] + np.zeros(11)  # noqa: E731
    _, distance, _ = nearest_break(margins, points, margins(points)[:, 0])
    assert distance.value == pytest.approx(np.sqrt(8), abs=0.03)


@pytest.mark.statistical
def test_error_of_the_distance__is_the_spread_between_panels():
    # Source: the definition of a standard error: 200 panels of 50 replications each, normal luck. Their mean error is within a
    # fifth.
    points = scores()[:, :2]

    def one(seed):
        luck = np.random.default_rng(seed).standard_normal(50)
        margins = lambda at: (2 * at[:, 0] - 4)[:, None] + luck  # noqa: E731
        return nearest_break(margins, points, points[:, 0] * 2 - 4)[1]

    found = [one(seed) for seed in range(200)]
    spread = np.std([distance.value for distance in found], ddof=1)
    assert np.mean([distance.se for distance in found]) == pytest.approx(spread, rel=0.2)


def test_nothing_within_six_standard_deviations():
    assert nearest_break(linear(40.0), scores(), scores() @ SLOPE - 40.0) is None


def test_centre__that_breaks_already_is_at_distance_0():
    _, distance, p_break = nearest_break(linear(-1.0), scores(), scores() @ SLOPE + 1.0)
    assert distance.value == 0
    assert p_break.value > 0.5


DIFFERENCE = "effect.better.difference={distribution: normal, mean: 3, sd: 1}"
# The whole estimate is the effect: everybody has the mean score, so no luck is left.
STILL = ("outcomes.test.sd=1e-6", DIFFERENCE)


def test_study__whose_money_is_linear_in_one_normal_assumption(tmp_path):
    # Source: closed form. The contract pays 1,000 EUR per point beyond 0 on an effect N(3, 1), and 1,000 are drawn: the loss
    # 1000 - 1000
    # effect exceeds 20 % of the money drawn where the effect is below 0.8: 2.2 sd away; Phi(-2.2) = 0.0139034.
    terms = "contract.terms={price: {share: 1000, of: gain, floor: 0}}"
    study = study_of(SCORES, tmp_path, *STILL, terms, "capital.payment_month={price: 20}")
    found = reverse_stress(study, read_criterion("investor.loss > 20%"), Ensemble(3, 500, threads=1), 8)
    assert found.nearest is not None
    assert found.nearest.distance.value == pytest.approx(2.2, abs=0.02)
    assert found.nearest.p_beyond == pytest.approx(0.0139034, rel=0.06)
    assert found.nearest.plausibility == pytest.approx(stats.chi2.sf(2.2**2, 1), rel=0.06)
    (step,) = found.nearest.steps
    assert (step.path, step.median, step.share) == ("effect.better.difference", 3.0, 1.0)
    assert step.value == pytest.approx(0.8, abs=0.02)


def test_correlations__are_honoured(tmp_path):
    # Source: closed form. The payment of 1,000 x share drawn is bounded by nothing but the effect N(3, 1); a correlated number that
    # money does not depend on follows along its regression: with r = 0.6 its score is 0.6 x (-2.2), and the distance is still 2.2.
    terms = "contract.terms={price: {share: 1000, of: gain, floor: 0}}"
    other = "outcomes.time.per_day.here={distribution: uniform, low: 99, high: 101}"
    joined = "correlations={x: {between: [effect.better.difference, outcomes.time.per_day.here], value: 0.6}}"
    study = study_of(SCORES, tmp_path, *STILL, terms, "capital.payment_month={price: 20}", other, joined)
    found = reverse_stress(study, read_criterion("investor.loss > 20%"), Ensemble(3, 500, threads=1), 8).nearest
    assert found is not None
    assert found.distance.value == pytest.approx(2.2, abs=0.03)
    score = {step.path: step.score for step in found.steps}
    assert score["effect.better.difference"] == pytest.approx(-2.2, abs=0.03)
    assert score["outcomes.time.per_day.here"] == pytest.approx(-1.32, abs=0.05)
    # Mahalanobis' distance, not that of the correlated scores, which would be 2.2 sqrt(1 + 0.6^2).
    assert found.plausibility == pytest.approx(stats.chi2.sf(2.2**2, 2), rel=0.08)
    assert sum(step.share for step in found.steps) == pytest.approx(1)


@pytest.mark.parametrize(
    "text", ["", "loss > 50%", "investor.loss", "investor.loss >= 5", "investor.yield > 1", "a.loss > x", "a.net < 1 e5"]
)
def test_criterion__that_cannot_be_read_is_refused(text):
    with pytest.raises(UsageError, match="--reverse: must be `<party>"):
        read_criterion(text)


def test_criterion__is_read():
    found = read_criterion(" outcome_payer.net < -1_000_000 ")
    assert (found.party, found.amount, found.is_above, found.threshold, found.of_drawn) == (
        "outcome_payer",
        "net",
        False,
        -1e6,
        False,
    )


def test_criterion__of_an_unknown_party_is_refused(tiny):
    with pytest.raises(UsageError, match=r"--reverse: must be a party whose money the study moves; found `bank`"):
        reverse_stress(tiny, read_criterion("bank.loss > 0"), Ensemble(1, 20), 4)


def test_study__without_any_distribution_is_refused(tmp_path):
    with pytest.raises(UsageError, match="at least one number must have a distribution"):
        reverse_stress(study_of(SCORES, tmp_path), read_criterion("investor.loss > 0"), Ensemble(1, 20), 4)


def test_boxes__find_a_box_that_is_known():
    # Source: construction: replications break where x0 > 0.7 and x1 < 0.3; the other four say nothing.
    pytest.importorskip("ema_workbench", reason="scenario discovery needs the extra `discovery`")
    rng = np.random.default_rng(0)
    values = {f"x{i}": rng.random(2000) for i in range(6)}
    (box,) = find_boxes(values, (values["x0"] > 0.7) & (values["x1"] < 0.3))
    assert set(box.limits) == {"x0", "x1"}
    assert box.limits["x0"].low == pytest.approx(0.7, abs=0.03)
    assert box.limits["x1"].high == pytest.approx(0.3, abs=0.03)
    assert box.coverage.value > 0.9
    assert box.density.value > 0.9
    assert abs(box.mass.value - 0.09) < 4.5 * box.mass.se + 0.01


def test_box__is_judged_on_the_half_in_which_it_was_not_found(monkeypatch):
    # Source: hand arithmetic. Odd replications are the test. Among them x < 0.5 holds a half of the replications; 80 of its 100
    # break, 40 of the others: coverage 80 / 120, density 80 / 100. Among the even ones, where the box is found, everything inside
    # breaks.
    monkeypatch.setattr(scenarios, "require_workbench", lambda: None)
    monkeypatch.setattr(scenarios, "_peel", lambda *_: {"x": scenarios.BoxLimits(0.0, 0.5)})
    x, breaks = np.repeat([0.25, 0.75], 200), np.zeros(400, dtype=bool)
    breaks[0:200:2] = True
    breaks[1:160:2] = True
    breaks[201:280:2] = True
    box = find_boxes({"x": x}, breaks)[0]
    assert (box.coverage.value, box.density.value, box.mass.value) == pytest.approx((80 / 120, 0.8, 0.5))


def test_box__holds_what_lies_between_its_limits():
    inside = scenarios._inside({"x": np.array([0.1, 0.3, 0.9])}, {"x": scenarios.BoxLimits(0.2, 0.8)})
    assert inside.tolist() == [False, True, False]


def test_boxes__of_too_few_draws_are_refused():
    pytest.importorskip("ema_workbench", reason="scenario discovery needs the extra `discovery`")
    with pytest.raises(
        UsageError, match="--boxes: at least 100 replications must break and as many hold; found 10 that break and 390"
    ):
        find_boxes({"x": np.arange(400.0)}, np.arange(400) < 10)


def test_result__is_the_same_in_any_blocks(tiny_path):
    study = load_study(tiny_path)
    one, other = (reverse_stress(study, read_criterion("investor.loss > 40%"), Ensemble(5, 60, 2, size), 6) for size in (1000, 17))
    assert one == other
