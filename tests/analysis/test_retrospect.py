"""Looking back: weights against conjugate distributions in closed form, places in the forecast against plain counting."""

import math

import numpy as np
import pytest
from scipy import stats

from simengine import run_study
from simengine.config import find_study, load_study
from simengine.config.known import Known
from simengine.errors import StudyError, UsageError
from simengine.questions.retrospect import answer as retrospect
from simengine.questions.retrospect.answer import PlaceInForecast, look_back
from simengine.questions.retrospect.content import retrospect_sentence
from simengine.questions.retrospect.weighting import effective_sample_size, weighted_mean, weighted_quantile, weights_near
from simengine.replications.ensemble import Ensemble
from simengine.risk.statistics import Statistic

N = 400_000
WITHIN = 4.5  # standard errors


def z_of(statistic, exact):
    return (statistic.value - exact) / statistic.se


# ------------------------------------------------ weights ------------------------------------------------


@pytest.mark.statistical
@pytest.mark.parametrize(("figure", "bandwidth"), [(1.0, 0.25), (-0.4, 0.25), (2.5, 0.5), (0.3, 1.0)])
def test_weights__give_the_posterior_of_two_normals(figure, bandwidth):
    # Invariant: theta normal(0, t^2), an estimate with error s; given an estimate of x, and an error of h = bandwidth s on top,
    # theta is normal with mean t^2 x / (t^2 + s^2 + h^2) and variance t^2 (s^2 + h^2) / (t^2 + s^2 + h^2). Gelman et al. 2013,
    # section 2.5.
    t, s = 1.0, 0.6
    random = np.random.default_rng(1)
    theta = random.normal(0, t, N)
    estimate = theta + random.normal(0, s, N)
    rounded = 1e-4
    weights = weights_near(estimate, figure - rounded / 2, figure + rounded / 2, np.full(N, bandwidth * s))
    error = s**2 * (1 + bandwidth**2)
    mean, variance = t**2 * figure / (t**2 + error), t**2 * error / (t**2 + error)

    assert abs(z_of(weighted_mean(theta, weights), mean)) < WITHIN
    assert abs(z_of(weighted_mean((theta - mean) ** 2, weights), variance)) < WITHIN
    for level in (0.05, 0.5, 0.95):
        assert abs(z_of(weighted_quantile(theta, weights, level), stats.norm.ppf(level, mean, math.sqrt(variance)))) < WITHIN


@pytest.mark.statistical
@pytest.mark.parametrize("successes", [0, 3, 11, 20])
def test_weights__give_the_posterior_of_a_share(successes):
    # Invariant: a share with the distribution beta(2, 3), 20 people, k of them: beta(2 + k, 3 + 20 - k). A published share is
    # rounded to 1/20.
    random = np.random.default_rng(2)
    share = random.beta(2, 3, N)
    seen = random.binomial(20, share) / 20
    weights = weights_near(seen, successes / 20 - 0.025, successes / 20 + 0.025, np.zeros(N))
    exact = stats.beta(2 + successes, 23 - successes)

    assert effective_sample_size(weights) == np.count_nonzero(np.isclose(seen, successes / 20))
    assert abs(z_of(weighted_mean(share, weights), exact.mean())) < WITHIN
    assert abs(z_of(weighted_mean((share - exact.mean()) ** 2, weights), exact.var())) < WITHIN


@pytest.mark.statistical
def test_weighted_mean__is_as_uncertain_as_it_says():
    # Invariant: over many samples the weighted mean scatters by its standard error; with 2,000 samples the scatter is known to 1.6
    # %.
    random = np.random.default_rng(6)
    samples = []
    for _ in range(2000):
        theta = random.normal(size=400)
        weights = weights_near(theta + random.normal(0, 0.6, 400), 0.4, 0.6, np.full(400, 0.15))
        samples.append(weighted_mean(theta, weights))
    scatter = np.std([sample.value for sample in samples])

    assert np.mean([sample.se for sample in samples]) == pytest.approx(scatter, rel=0.08)


def test_weights__are_differences_of_the_normal_distribution():
    # Invariant: written once more with the error function, for values on both sides of the figure and far out.
    values, spread = np.array([-2.0, 0.9, 1.0, 1.4, 6.0]), np.array([1.0, 0.3, 0.5, 0.2, 1.0])

    def phi(z):
        return math.erfc(-z / math.sqrt(2)) / 2

    got = weights_near(values, 0.8, 1.2, spread)
    expected = [phi((1.2 - x) / h) - phi((0.8 - x) / h) for x, h in zip(values, spread, strict=True)]

    np.testing.assert_allclose(got[:4], expected[:4], rtol=1e-12)
    # Far out a difference of numbers near 1 has no digits left; by the upper tail: phi(-4.8) - phi(-5.2) = 6.9e-7.
    assert got[4] == pytest.approx(stats.norm.sf(4.8) - stats.norm.sf(5.2), rel=1e-9)


def test_weights__of_a_direction_are_one_or_nothing():
    values = np.array([-1.0, 0.0, 1.0])

    assert weights_near(values, 0.0, np.inf, np.zeros(3)).tolist() == [0, 1, 1]
    assert weights_near(values, -np.inf, 0.0, np.zeros(3)).tolist() == [1, 1, 0]


def test_effective_sample_size__is_that_of_kish():
    # Hand arithmetic: (1 + 2 + 3)^2 / (1 + 4 + 9) = 36 / 14.
    assert effective_sample_size(np.array([1.0, 2.0, 3.0])) == pytest.approx(36 / 14)
    assert effective_sample_size(np.array([1e-300, 1e-300])) == pytest.approx(2)
    assert effective_sample_size(np.zeros(5)) == 0


@pytest.mark.parametrize(
    ("stands", "rounded_to", "ends"),
    [
        ("at", 0.5, (1.75, 2.25)),
        ("at", 0.0, (2.0, 2.0)),
        ("at_least", 0.0, (2.0, math.inf)),
        ("above", 0.0, (math.nextafter(2, 3), math.inf)),
        ("at_most", 0.0, (-math.inf, 2.0)),
        ("below", 0.0, (-math.inf, math.nextafter(2, 1))),
    ],
)
def test_ends__are_those_of_the_words(stands, rounded_to, ends):
    assert Known(of="investor.net", value=2, stands=stands, rounded_to=rounded_to, certainty="Q").ends == ends


# ------------------------------------------------ through the engine ------------------------------------------------

KNOWN = {
    "payout": "{of: investor.money_back, value: 0.8e6, certainty: Q}",
    "saving": "{of: metric.saving.estimate, wave: all, value: 500_000, rounded_to: 200_000, certainty: Q}",
    "school": "{of: metric.school.estimate, stands: above, value: 0, certainty: D}",
    "odd": "{of: metric.school.estimate, stands: above, value: 2, certainty: D}",
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    path = tmp_path_factory.mktemp("known") / "study.yaml"
    lines = "\n".join(f"  {name}: {text}" for name, text in KNOWN.items())
    path.write_text(find_study("tiny").read_text() + f"\nknown:\n{lines}\n")
    return load_study(path)


@pytest.fixture(scope="module")
def ran(study):
    return run_study(study, 3, 2000)


def test_place__counts_the_draws_on_both_sides_of_an_atom(study, ran):
    # Invariant: plain counting. The guarantee alone, 40 % of 2 M, is paid in many replications: an atom, inside which the transform
    # is drawn.
    place = look_back(study, Ensemble(3, 2000)).places["payout"]
    back = ran["investor.money_back"]

    assert place.below.value == (back < 0.8e6).mean()
    assert place.inside.value == (back == 0.8e6).mean() > 0.1
    assert place.below.value < place.pit < place.below.value + place.inside.value
    assert place.effective == (back == 0.8e6).sum()


def test_place__of_a_direction_is_its_probability(study, ran):
    places = look_back(study, Ensemble(3, 2000)).places

    assert places["school"].inside.value == (ran["metric.school.estimate"] > 0).mean()
    assert places["odd"].inside.value == 0
    assert places["odd"].inside.upper_95 == 3 / 2000
    assert places["odd"].shifts == ()
    assert "less than 0.15 %" in retrospect_sentence("odd", places["odd"])
    assert "outside all that was foreseen" in retrospect_sentence("odd", places["odd"])


@pytest.mark.parametrize(
    ("below", "inside", "said"),
    [
        (0.65, 0.046, "an ordinary result"),  # a narrow figure in the middle is not strange: 2 x 0.35
        (0.0, 0.36, "an ordinary result"),  # an atom at the lower end: 2 x 0.36
        (0.94, 0.01, "less than ordinary, but foreseen"),  # 2 x 0.06
        (0.985, 0.005, "at the edge of what was foreseen"),  # 2 x 0.015
        (1.0, 0.0, "outside all that was foreseen"),
        (0.0, 0.0, "outside all that was foreseen"),
    ],
)
def test_sentence__weighs_a_figure_by_both_tails(below, inside, said):
    known = Known(of="metric.saving.estimate", value=1, rounded_to=0.1, certainty="Q")

    assert said in retrospect_sentence("x", PlaceInForecast(known, Statistic(below, 0.0), Statistic(inside, 0.0), 0.5, 200.0, ()))


def test_randomised_transform__is_uniform_where_the_forecast_is_right():
    # Invariant: Czado, Gneiting and Held 2009, Biometrics 65, section 2: F(x-) + u (F(x) - F(x-)) is uniform for x drawn from F,
    # also where F has atoms.
    random = np.random.default_rng(5)
    sample = np.maximum(random.normal(0, 1, 3000), 0.0)
    known, u = np.maximum(random.normal(0, 1, 3000), 0.0), random.uniform(size=3000)
    below = np.array([(sample < x).mean() for x in known])
    inside = np.array([(sample == x).mean() for x in known])

    assert stats.kstest(below + u * inside, "uniform").pvalue > 1e-3
    assert stats.kstest(below + inside / 2, "uniform").pvalue < 1e-6


def test_update__by_what_was_paid_is_the_mean_of_those_draws(study, ran):
    # Invariant: with weights of 1 and 0 conditioning is selecting.
    update = look_back(study, Ensemble(3, 2000), given=["school", "payout"]).update
    kept = (ran["metric.school.estimate"] > 0) & (ran["investor.money_back"] == 0.8e6)

    assert update.effective == kept.sum()
    before, after = update.means["metric.saving.estimate"]
    assert before.value == pytest.approx(ran["metric.saving.estimate"].mean())
    assert after.value == pytest.approx(ran["metric.saving.estimate"][kept].mean())
    assert after.se == pytest.approx(ran["metric.saving.estimate"][kept].std() / math.sqrt(kept.sum()))
    assert update.probabilities["investor.net < 0"][1].value == 1


def test_update__names_the_number_that_made_the_difference(study):
    # Invariant: the wider a distribution, and the more an outcome hangs on it, the more it moves: a large saving speaks of the
    # effect.
    place = look_back(study, Ensemble(3, 2000)).places["saving"]

    assert {shift.path for shift in place.shifts} <= {path for path, _ in study.numbers.items()}
    assert abs(place.shifts[0].in_sd.value) >= abs(place.shifts[-1].in_sd.value)


def test_look_back__is_the_same_in_any_blocks(study):
    one, other = (look_back(study, Ensemble(3, 300, 1, size), given=["school"]) for size in (1000, 7))

    assert one.update.means == other.update.means
    assert one.places["saving"] == other.places["saving"]


def test_look_back__changes_no_draw(study, ran):
    plain = run_study(load_study(find_study("tiny")), 3, 2000)

    np.testing.assert_array_equal(plain["metric.saving.estimate"], ran["metric.saving.estimate"])


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"given": ["nothing"]},
            "--given: must be a known result of the study; found `nothing`. One of: payout, saving, school, odd",
        ),
        ({"given": ["odd"]}, "an effective sample size of 100; found 0.0 of 500"),
        ({"variant": "other"}, "Known under --variant none"),
    ],
)
def test_look_back__refuses_what_it_cannot_answer(study, asked, message):
    with pytest.raises(UsageError) as error:
        look_back(study, Ensemble(3, 500), **asked)

    assert message in str(error.value)


def test_look_back__refuses_a_quantity_that_is_not_there(study):
    known = {"x": Known(of="investor.luck", value=0, certainty="Q")}

    with pytest.raises(UsageError, match=r"known\.x\.of: must be a quantity that every replication has; found `investor\.luck`"):
        look_back(study.model_copy(update={"known": known}), Ensemble(3, 10))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{of: metric.nothing.estimate, value: 1, certainty: Q}", "found `nothing`"),
        ("{of: metric.saving.estimate, wave: late, value: 1, certainty: Q}", "found `late`"),
        ("{of: investor.net, wave: all, value: 1, certainty: Q}", "a wave must belong to"),
        ("{of: investor.net, stands: above, rounded_to: 1, value: 1, certainty: Q}", "`rounded_to` must belong to"),
        ("{of: investor.net, variant: late, value: 1, certainty: Q}", "found `late`"),
    ],
)
def test_known__is_refused_where_no_run_could_be_held_against_it(tmp_path, line, message):
    path = tmp_path / "study.yaml"
    path.write_text(find_study("tiny").read_text() + f"\nknown:\n  x: {line}\n")

    with pytest.raises(StudyError) as error:
        load_study(path)

    assert message in str(error.value)
    assert "known.x" in str(error.value)


@pytest.mark.statistical
def test_peterborough__updates_the_right_way_by_its_first_cohort():
    # Invariant: a cohort that did well speaks for the effect, so the other cohort and the payment are likelier; and the other way
    # round.
    smaller = ["measurement.matched.per_person=2", "population.waves.cohort_1.size=600", "population.waves.cohort_2.size=600"]
    good, bad = (load_study(find_study("peterborough"), [*smaller, f"known.cohort_1.value={x}"]) for x in (0.20, 0.0))
    ensemble = Ensemble(4, 500)
    updates = [look_back(study, ensemble, given=["cohort_1"], least_effective=25).update for study in (good, bad)]

    (_, high), (forecast, low) = (update.probabilities["contingent_payment > 0"] for update in updates)
    assert low.value + 2 * low.se < forecast.value < high.value - 2 * high.se
    (_, high), (forecast, low) = (update.means["metric.reduction.estimate.cohort_2"] for update in updates)
    assert low.value < forecast.value < high.value
    assert all(25 <= update.effective < 250 for update in updates)


def test_shifts__of_a_number_that_is_the_same_everywhere_are_none():
    # Source: hand arithmetic. The standard deviation of equal numbers 0.1 is rounded to 1.4e-17: nothing to divide a shift by.
    rng = np.random.default_rng(1)
    columns = {"parameter.fixed": np.full(2000, 0.1), "parameter.drawn": rng.standard_normal(2000)}
    assert [shift.path for shift in retrospect._shifts(columns, rng.random(2000))] == ["drawn"]
