"""The evaluator on simulated people: those who are matched, chosen, drawn by lot in sites, reached by spill-over, or elsewhere."""

import numpy as np
import pytest

from simengine.measurement import measure
from simengine.pipeline import evaluate, kinds_of, simulate
from simengine.records import ARMS, BASELINE, CONTROL, MATCHED, MATCHED_SERVICE, PARALLEL, SERVICE, TWIN
from tests.measurement.small import problems_of, study_of
from tests.measurement.test_designs import FALSE_ALARM, z_of_mean

EVERYBODY = {
    "measurement.baseline": {"size": 80, "years_before": 1},
    "measurement.control": {},
    "measurement.matched": {"per_person": 3},
    "measurement.parallel": {},
    "measurement.rate_card": {"deadweight": 0.1},
}
CHOSEN = {"population.selection": {"outcome": "spells", "at_least": 4}}


def evidence_of(changes, n=200, seed=4):
    study = study_of(changes)
    return study, simulate(study, seed, np.arange(n))


def by(design, study, evidence, **metric):
    """Return what another design concludes of the same people."""
    protocol = study.measurement.model_copy(update={"design": design})
    metrics = {name: one.model_copy(update=metric) for name, one in protocol.metrics.items()}
    protocol = protocol.model_copy(update={"metrics": metrics})
    return measure(protocol, evidence.tallies, kinds_of(study), tuple(study.population.waves), evidence.draws)


# Regression to the mean: sick leave in Botkyrka, people chosen for four spells or more.


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("variance", "before", "after", "fall"), [(1.0, 5.5, 3.9, 0.2909), (0.5, 4.978261, 2.990683, 0.3993)], ids=["r = 1", "r = 2"]
)
def test_selection__of_the_worst_off_makes_a_fall_without_a_service(variance, before, after, fall):
    # Source: methods 3.3: Poisson with a gamma mean of 1.5, chosen for k >= 4: E[next | k] = (r + k) mu / (r + mu).
    changes = CHOSEN | EVERYBODY | {"population.frailties.person.variance": variance}
    study, evidence = evidence_of(changes, 150)
    tallies = evidence.tallies
    own = tallies.weight[:, 0, SERVICE]

    assert abs(z_of_mean(tallies.sums_before[:, 0, SERVICE, 0] / own, before)) < FALSE_ALARM
    assert abs(z_of_mean(tallies.sums[:, 0, SERVICE, 0, 0] / own, after)) < FALSE_ALARM
    got = by("before_after", study, evidence)
    assert 1 - after / before == pytest.approx(fall, abs=5e-5)
    # A ratio of means: its bias is of second order, a tenth of its error here.
    assert abs(got.estimate[:, 0].mean() - fall) < FALSE_ALARM * got.estimate[:, 0].std() / np.sqrt(150) + 0.001
    assert not got.truth.any()
    # It beats the break-even of 10 per cent in every replication, and all of the money is paid for nothing.
    assert (evaluate(study, evidence)["term.payment.amount"] == 1_000_000).mean() > 0.97
    # So its own interval never holds the truth; those who are compared with people chosen alike are honest.
    assert (np.abs(got.estimate[:, 0]) < 1.96 * got.standard_error[:, 0]).mean() < 0.03
    for design in ("matched", "randomised", "difference_in_differences", "historical"):
        other = by(design, study, evidence)
        assert abs(z_of_mean(other.estimate[:, 0], 0.0)) < FALSE_ALARM
        assert (np.abs(other.estimate[:, 0]) < 1.96 * other.standard_error[:, 0]).mean() > 0.88


@pytest.mark.statistical
def test_selection__is_undone_by_nobody_who_compares_with_people_at_large():
    # Invariant: with people who are not chosen there is no fall.
    study, evidence = evidence_of({}, 150)
    assert abs(z_of_mean(by("before_after", study, evidence, estimate="rate_difference").estimate[:, 0], 0.0)) < FALSE_ALARM


@pytest.mark.parametrize("shocks", [{}, {"year": {"on": ["spell"], "sd_per_year": 1.0}}], ids=["calm", "years that differ"])
def test_selection__takes_in_every_arm_those_alone_who_lived_so(shocks):
    # Invariant: everybody with whom one compares had four spells or more in the life that is counted, the earlier people too.
    changes = CHOSEN | EVERYBODY | {"shocks": shocks, "outcomes.four": {"kind": "target", "outcome": "spells", "at_least": 4}}
    study, evidence = evidence_of(changes, 8)

    had_four = evidence.tallies.sums_before[:, 0, :, list(study.outcomes).index("four")]
    np.testing.assert_allclose(had_four, evidence.tallies.weight[:, 0])


# Matching.

MIXED = {
    "population.strata": {"low": {"share": 0.7}, "high": {"share": "rest"}},
    "pathway.states": ["at_work", "on_leave"],
    "pathway.start": {"low": {"at_work": 0.8, "on_leave": "rest"}, "high": {"at_work": 0.5, "on_leave": "rest"}},
    "pathway.moves": {"on_leave -> at_work": {"per_month": 0.2}},
    "events.spell.by_stratum": {"high": 3.0},
}


@pytest.mark.parametrize("before", [None, {"outcome": "spells", "within": 0}])
def test_matched__people_are_like_the_service_users_and_as_many_as_asked_for(before):
    # Invariant: matched on stratum and state (and past), so users and others weigh alike in each; all find their three.
    changes = MIXED | {"measurement.matched": {"per_person": 3, "before": before, "candidates": 3000}}
    changes |= {"measurement.design": "matched", "population.frailties.person.variance": 0.1}
    study, evidence = evidence_of(changes, 20)
    tallies = evidence.tallies

    assert (tallies.n_people[:, 0, MATCHED_SERVICE] == tallies.weight[:, 0, MATCHED_SERVICE]).all()
    assert (tallies.n_people[:, 0, MATCHED_SERVICE] >= 98).all()
    np.testing.assert_allclose(tallies.weight[:, 0, MATCHED], tallies.weight[:, 0, MATCHED_SERVICE])
    whole = tallies.n_people[:, 0, MATCHED_SERVICE] == 100
    assert (tallies.n_people[whole, 0, MATCHED] <= 300).all()
    if before is None:
        assert (tallies.n_people[:, 0, MATCHED] == 300).all()
        np.testing.assert_allclose(tallies.weight_squares[:, 0, MATCHED], 100 / 3)
    else:
        # Matched exactly on the past, the two groups have the same past.
        np.testing.assert_allclose(tallies.sums_before[:, 0, MATCHED, 0], tallies.sums_before[:, 0, MATCHED_SERVICE, 0])
        np.testing.assert_allclose(tallies.squares_before[:, 0, MATCHED, 0], tallies.squares_before[:, 0, MATCHED_SERVICE, 0])
    assert by("matched", study, evidence).estimate.std() > 0


@pytest.mark.statistical
def test_matched__on_who_people_are_takes_away_the_luck_of_who_they_are():
    # Source: closed form, Poisson. Unmatched the difference has the variance of everything; matched on the stratum that of what
    # is within strata: both groups have the same strata. An evaluator who does not know is too careful, never too bold.
    changes = {"population.strata": MIXED["population.strata"], "events.spell.by_stratum": {"high": 6.0}}
    changes |= {"pathway.start": {"low": {"at_work": 1}, "high": {"at_work": 1}}, "population.frailties": {}}
    changes |= {"measurement.matched": {"per_person": 1}, "measurement.control": {}, "measurement.design": "matched"}
    study, evidence = evidence_of(changes, 400)
    matched, randomised = (by(design, study, evidence, estimate="rate_difference") for design in ("matched", "randomised"))

    low, high = 1.5, 9.0
    within = 0.7 * low + 0.3 * high
    between = 0.21 * (high - low) ** 2
    assert abs(z_of_mean(matched.estimate[:, 0] ** 2, 2 * within / 100)) < FALSE_ALARM
    assert abs(z_of_mean(randomised.estimate[:, 0] ** 2, 2 * (within + between) / 100)) < FALSE_ALARM
    for got in (matched, randomised):
        assert abs(z_of_mean(got.standard_error[:, 0] ** 2, 2 * (within + between) / 100)) < FALSE_ALARM


def test_matched__nobody_alike_leaves_users_out():
    # Invariant: one candidate for each place, on a state that half of the people have: about half of the places stay empty.
    changes = MIXED | {"population.strata": {"low": {"share": 0.5}, "high": {"share": "rest"}}}
    changes |= {"measurement.matched": {"per_person": 1, "candidates": 1, "on": ["stratum"]}, "measurement.design": "matched"}
    _, evidence = evidence_of(changes, 40)
    tallies = evidence.tallies
    n = tallies.n_people[:, 0]

    assert abs(z_of_mean(n[:, MATCHED].astype(float), 50)) < FALSE_ALARM
    np.testing.assert_array_equal(n[:, MATCHED], n[:, MATCHED_SERVICE])
    assert (n[:, SERVICE] == 100).all()


@pytest.mark.parametrize("selection", [None, {"outcome": "spells", "at_least": 1}])
def test_matched__of_one_user_and_few_candidates_finds_one_or_nobody(selection):
    # Invariant: who is alike in all and in the past is found, who is not leaves nobody, and an evaluator without people says
    # nothing.
    changes = MIXED | {"population.selection": selection, "population.waves.one.size": 1, "measurement.design": "matched"}
    changes |= {"measurement.matched": {"per_person": 1, "candidates": 4, "before": {"outcome": "spells", "within": 0}}}
    study = study_of(changes)

    found = []
    for replication in range(60):
        evidence = simulate(study, 4, np.array([replication]))
        n, tallies = evidence.tallies.n_people[0, 0], evidence.tallies
        assert n[MATCHED] == n[MATCHED_SERVICE] <= n[SERVICE] == 1
        assert n[MATCHED] or np.isnan(evidence.measurements.estimate).all()
        if n[MATCHED]:
            np.testing.assert_array_equal(tallies.sums_before[0, 0, MATCHED], tallies.sums_before[0, 0, SERVICE])
        found.append(n[MATCHED])

    assert 0 < np.mean(found) < 1


# The other people.


@pytest.mark.statistical
@pytest.mark.parametrize("reach", [0.0, 0.5, 1.0])
def test_spill_over__reaches_the_control_by_its_share_of_the_logarithm(reach):
    # Source: closed form: a hazard ratio of 0.6 becomes 0.6^reach among the control: 1.5 x that.
    changes = EVERYBODY | {"effect.fewer.hazard_ratio": 0.6, "measurement.control": {"spill_over": reach}}
    _, evidence = evidence_of(changes, 200)
    tallies = evidence.tallies
    arms = (SERVICE, CONTROL, TWIN, BASELINE, PARALLEL, MATCHED)
    mean = {arm: tallies.sums[:, 0, arm, 0, 0] / tallies.weight[:, 0, arm] for arm in arms}

    assert abs(z_of_mean(mean[CONTROL], 1.5 * 0.6**reach)) < FALSE_ALARM
    assert abs(z_of_mean(mean[SERVICE], 0.9)) < FALSE_ALARM
    for arm in (TWIN, BASELINE, PARALLEL, MATCHED):
        assert abs(z_of_mean(mean[arm], 1.5)) < FALSE_ALARM


@pytest.mark.statistical
def test_spill_over__hides_its_share_of_the_effect():
    changes = EVERYBODY | {"effect.fewer.hazard_ratio": 0.6, "measurement.control": {"spill_over": 0.5}}
    study, evidence = evidence_of(changes, 200)
    got = by("randomised", study, evidence, estimate="rate_difference")

    assert abs(z_of_mean(got.estimate[:, 0], 1.5 * (0.6**0.5 - 0.6))) < FALSE_ALARM
    assert abs(z_of_mean(got.truth[:, 0], 0.6)) < FALSE_ALARM


@pytest.mark.statistical
def test_clusters__of_the_control_are_sites_of_their_own():
    # Source: closed form. 6 sites with a lognormal factor of log-sd 0.4 on a rate of 1.5: the site means of n people drawn
    # among J sites at random: Var(mean) = within / n + between (1/J + (1 - 1/J) / n). By lot of persons the sites cancel.
    sites = {"population.sites": {"place": {"count": 6, "sd": 0.4, "on": ["spell"]}}, "population.frailties": {}}
    shared, own = (
        evidence_of(sites | {"measurement.design": "randomised", "measurement.control": control}, 500)
        for control in ({}, {"clusters": {"number": 6, "intra_cluster_correlation": 0.2}})
    )
    e1, e2 = np.exp(0.08), np.exp(0.32)
    between = 1.5**2 * (e2 - e1**2)
    within, n, j = 1.5 * e1, 100, 6
    of_person = within / n + between * (1 - 1 / j) / n
    for (study, evidence), variance in ((shared, 2 * of_person), (own, 2 * (of_person + between / j))):
        got = by("randomised", study, evidence, estimate="rate_difference")
        assert abs(z_of_mean(got.estimate[:, 0], 0.0)) < FALSE_ALARM
        assert abs(z_of_mean(got.estimate[:, 0] ** 2, variance)) < FALSE_ALARM


@pytest.mark.statistical
@pytest.mark.parametrize("design", ["before_after", "randomised", "matched", "difference_in_differences", "historical"])
def test_design__finds_the_effect_of_simulated_people(design):
    # Invariant: with assumptions that hold, every design is right on average, and its interval holds the effect at large.
    study, evidence = evidence_of(EVERYBODY | {"effect.fewer.hazard_ratio": 0.7}, 300)
    got = by(design, study, evidence, estimate="rate_difference")

    assert abs(z_of_mean(got.estimate[:, 0], 0.45)) < FALSE_ALARM
    inside = (np.abs(got.estimate[:, 0] - 0.45) < 1.96 * got.standard_error[:, 0]).mean()
    assert abs(inside - 0.95) < FALSE_ALARM * np.sqrt(0.95 * 0.05 / 300)


# What does not depend on what.

PARTS = ["baseline", "control", "matched", "parallel", "rate_card"]
OF_PART = {"baseline": BASELINE, "control": CONTROL, "matched": MATCHED, "parallel": PARALLEL}


@pytest.mark.parametrize("part", PARTS)
def test_sections__that_are_not_used_change_nobody_else(part):
    # Invariant: the same bits for service users, twins and every other design, with or without one more section.
    design = {"measurement.design": "before_after"} | MIXED
    _, without = evidence_of(design | {key: value for key, value in EVERYBODY.items() if not key.endswith(part)}, 5)
    _, whole = evidence_of(design | EVERYBODY, 5)

    for name in ("estimate", "standard_error", "truth", "by_wave"):
        assert getattr(whole.measurements, name).tobytes() == getattr(without.measurements, name).tobytes()
    gone = [arm for arm in (OF_PART.get(part), MATCHED_SERVICE if part == "matched" else None) if arm is not None]
    for arm in range(len(ARMS)):
        for name in ("sums", "squares", "sums_before", "products_with_before", "weight", "n_people", "person_months", "by_year"):
            one, other = (getattr(evidence.tallies, name)[:, :, arm] for evidence in (whole, without))
            assert (other == 0).all() if arm in gone else one.tobytes() == other.tobytes(), (name, arm)


@pytest.mark.parametrize("design", ["before_after", "randomised", "matched", "difference_in_differences", "historical"])
def test_replication__alone_equals_itself_in_the_batch(design):
    changes = (
        EVERYBODY | MIXED | CHOSEN | {"measurement.design": design, "population.selection": {"outcome": "spells", "at_least": 2}}
    )
    changes |= {"measurement.metrics.reduction.attrition": {"share": 0.2}}
    study = study_of(changes)

    batch, alone = simulate(study, 9, np.arange(6)), simulate(study, 9, np.array([4]))

    assert batch.measurements.estimate[4:5].tobytes() == alone.measurements.estimate.tobytes()
    assert batch.measurements.standard_error[4:5].tobytes() == alone.measurements.standard_error.tobytes()


def test_payment__on_people_who_are_compared_with_their_twins_is_that_on_the_truth():
    # Invariant: a route without noise, end to end.
    study, evidence = evidence_of(
        {"measurement.design": "randomised", "measurement.control": {}, "effect.fewer.hazard_ratio": 0.88}, 60
    )
    tallies = evidence.tallies
    for name in ("sums", "squares", "weight", "weight_squares"):
        getattr(tallies, name)[:, :, CONTROL] = getattr(tallies, name)[:, :, TWIN]
    got = by("randomised", study, evidence)

    np.testing.assert_array_equal(got.estimate, got.truth)
    paid = evaluate(study, type(evidence)(study, evidence.draws, tallies, got))["term.payment.amount"]
    np.testing.assert_array_equal(paid > 0, got.truth[:, 0] >= 0.10)
    assert 0 < (paid > 0).mean() < 1


# What is refused.


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"measurement__design": "randomised"}, "measurement.design"),
        ({"measurement__design": "matched"}, "measurement.design"),
        ({"measurement__design": "historical"}, "measurement.design"),
        ({"measurement__design": "difference_in_differences"}, "measurement.design"),
        ({"measurement__design": "mix"}, "measurement.design"),
        ({"measurement__by_wave": {"one": "randomised"}}, "measurement.by_wave.one"),
        ({"measurement__by_wave": {"two": "before_after"}}, "measurement.by_wave.two"),
        ({"measurement__mix": {"mix": 1.0}}, "measurement.mix.mix"),
        ({"measurement__mix": {"before_after": 0.9}}, "measurement.mix"),
        ({"population__history_months": 0}, "measurement.design"),
        ({"measurement__control": {"clusters": {"number": 4, "intra_cluster_correlation": 0.1}}}, "measurement.control.clusters"),
        (
            {
                "measurement__control": {"clusters": {"number": 4, "intra_cluster_correlation": 0.1}},
                "population__sites": {"place": {"count": 5, "sd": 0.1, "on": ["spell"]}},
            },
            "measurement.control.clusters.number",
        ),
        (
            {"measurement__matched": {"per_person": 1, "before": {"outcome": "no", "within": 1}}},
            "measurement.matched.before.outcome",
        ),
        ({"measurement__metrics__reduction__outcome": "no"}, "measurement.metrics.reduction.outcome"),
        (
            {"measurement__metrics__reduction__misclassification": {"sensitivity": 0.9, "specificity": 0.9}},
            "measurement.metrics.reduction.misclassification",
        ),
        (
            {"measurement__design": "rate_card", "measurement__rate_card": {"deadweight": 0.1}},
            "measurement.metrics.reduction.better",
        ),
        (
            {"population__history_months": 6, "measurement__metrics__reduction__outcome": "any"},
            "measurement.metrics.reduction.window_months",
        ),
    ],
)
def test_evaluation__that_does_not_fit_is_refused(changes, path):
    assert path in problems_of(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"measurement__metrics__reduction__outcome": "any"},
        {"population__history_months": 6},
        {
            "measurement__control": {"clusters": {"number": 5, "intra_cluster_correlation": 0.1}},
            "population__sites": {"place": {"count": 5, "sd": 0.1, "on": ["spell"]}},
        },
    ],
)
def test_evaluation__that_fits_is_taken(changes):
    assert problems_of(**changes) == []
