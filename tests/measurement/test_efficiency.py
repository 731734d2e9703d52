"""The efficiency ratio: an outcome per unit of another, against that of the people compared with."""

from copy import deepcopy

import numpy as np
import pytest

from simengine.config import Study
from simengine.errors import NOT_MEASURED
from simengine.measurement import measure
from simengine.pipeline import evaluate, simulate
from tests.measurement.made import draws_of, measured, protocol_of, tallies_of, told, with_pair
from tests.measurement.small import content_of, problems_of, study_of
from tests.measurement.test_designs import FALSE_ALARM
from tests.reference.measurement import measure as slow_measure

RATIO = {"estimate": "efficiency_ratio", "per": "other", "better": "higher"}
KINDS = {"events": "share", "other": "amount"}
SERVED = ([1, 1, 0, 1], [2.0, 4.0, 2.0, 2.0])
LEFT_OUT = ([1, 0, 0, 1], [3.0, 5.0, 4.0, 4.0])


def of_people(**arms):
    """Return tallies of people who say yes or no and use months of staff."""
    return with_pair(tallies_of({arm: people[0] for arm, people in arms.items()}), arms)


def test_ratio__by_hand():
    # Hand arithmetic: 3 regain mobility on 10 staff months: .3 a month; 2 on 16 among those left out: .125. The gain is 1.4.
    # Per staff month x - e p: (.4, -.2, -.6, .4) and (.625, -.625, -.5, .5). Their variances (divisor 3) are .72 / 3 = .24 and
    # 1.28125 / 3; of the ratios .24 / 4 / 2.5^2 = .0096 and .4270833 / 4 / 4^2 = .00667318. With k = .3 / .125 = 2.4 the gain has
    # the variance (.0096 + 2.4^2 x .00667318) / .125^2 = 3.0744.
    tallies = of_people(service=SERVED, control=LEFT_OUT, twin=LEFT_OUT)

    got = measured(tallies, "randomised", kind="share", m=RATIO)

    assert told(got) == pytest.approx((1.4, np.sqrt(3.0744), 1.4), rel=1e-6)


def test_ratio__of_a_cost_per_outcome_is_better_lower():
    # Hand arithmetic: 1 - .3 / .125 is a loss of 1.4.
    tallies = of_people(service=SERVED, control=LEFT_OUT, twin=LEFT_OUT)
    assert told(measured(tallies, "randomised", kind="share", m=RATIO | {"better": "lower"}))[0] == pytest.approx(-1.4)


def test_ratio__of_matched_people_weighs_them_and_bears_a_hidden_bias():
    # Hand arithmetic: the weights are halves, so the ratios stand; elsewhere the ratio looks e^.2 times as high.
    weights = np.full((1, 4), 0.5)
    arms = {"matched_service": SERVED, "matched": (*LEFT_OUT, weights), "service": SERVED, "twin": LEFT_OUT}
    tallies = with_pair(
        tallies_of({arm: (people[0], np.zeros(4), *people[2:]) if len(people) > 2 else people[0] for arm, people in arms.items()}),
        arms,
    )

    got = measured(tallies, "matched", kind="share", m=RATIO, numbers={"measurement.matched.hidden_bias": 0.2})

    assert told(got)[0] == pytest.approx(2.4 * np.exp(-0.2) - 1)


def test_ratio__of_earlier_people_drifts():
    # Hand arithmetic: three years ago the ratio was e^-.3 times as high for those who grow by .1 a year.
    tallies = of_people(service=SERVED, baseline=LEFT_OUT, twin=LEFT_OUT)
    numbers = {"measurement.baseline.years_before": 3.0}

    got = measured(tallies, "historical", kind="share", m=RATIO | {"drift_per_year": 0.1}, numbers=numbers)

    assert told(got)[0] == pytest.approx(2.4 * np.exp(0.3) - 1)


@pytest.mark.parametrize(("here", "elsewhere"), [(0.0, 1.0), (1.0, 0.0)])
def test_ratio__of_nothing_spent_is_missing(here, elsewhere):
    service, others = ([1, 0], [here, here]), ([1, 0], [elsewhere, elsewhere])
    tallies = of_people(service=service, control=others, twin=others)
    got = measured(tallies, "randomised", kind="share", m=RATIO)

    # Source: the definition; what comes of nothing spent is no number.
    assert np.isnan(told(got)).all()
    assert NOT_MEASURED[got.why[0, 0]] == "nobody is seen, or nothing is spent of what the outcome is divided by"


def test_ratio__of_nobody_is_missing():
    nobody = (np.empty((1, 0)), np.empty((1, 0)))
    tallies = of_people(service=nobody, control=nobody, twin=nobody)
    assert np.isnan(told(measured(tallies, "randomised", kind="share", m=RATIO))).all()


@pytest.mark.parametrize("design", ["randomised", "matched", "historical", "mix"])
@pytest.mark.parametrize("number", range(12))
def test_ratio__equals_its_slow_twin(design, number):
    # Source: slow twin: four means, their covariances, a gradient by steps.
    rng = np.random.default_rng([number, len(design)])
    n, n_waves = int(rng.integers(1, 3)), int(rng.integers(1, 4))

    def people(arm):
        size = (n, int(rng.integers(3, 30)))
        staff = rng.gamma(2, 2, size)
        weights = 1 / rng.integers(1, 4, size) if arm == "matched" else np.ones(size)
        return rng.random(size) < 0.2 + 0.6 * staff / (1 + staff), staff, weights

    waves = [{arm: people(arm) for arm in ("service", "twin", "baseline", "control", "matched_service", "matched")}]
    waves = [{arm: people(arm) for arm in waves[0]} for _ in range(n_waves)]
    made = tallies_of(*({arm: (x.astype(float), x * 0.0, w) for arm, (x, _, w) in wave.items()} for wave in waves))
    tallies, names = with_pair(made, *waves), tuple("abc"[:n_waves])
    sections = {
        "baseline": {"size": 2, "years_before": float(rng.uniform(0, 3))},
        "control": {"clusters": {"number": 3, "intra_cluster_correlation": 0.2}} if number % 2 else {},
        "matched": {"per_person": 3, "hidden_bias": float(rng.normal(0, 0.2))},
        "mix": {"randomised": 0.3, "historical": 0.7},
        "by_wave": {"a": "historical"} if number % 3 == 0 else {},
    }
    metric = RATIO | {"drift_per_year": 0.1, "better": str(rng.choice(["lower", "higher"]))}
    metric |= {"shrinkage": {"prior": 0.1, "prior_sd": 0.3}} if number % 4 == 0 else {}
    protocol = protocol_of(design, {"m": metric}, **sections)
    draws = draws_of(protocol, n, {}, number)

    got = measure(protocol, tallies, KINDS, names, draws)
    for r, (one,) in enumerate(slow_measure(protocol, tallies, KINDS, names, draws.seed, draws.replications, draws.values)):
        assert got.estimate[r, 0] == pytest.approx(one["estimate"], rel=1e-9)
        assert got.standard_error[r, 0] == pytest.approx(one["error"], rel=1e-6)
        assert got.truth[r, 0] == pytest.approx(one["truth"], rel=1e-9)
        assert got.by_wave[r, :, 0] == pytest.approx(one["by_wave"], rel=1e-9)
        assert got.cumulative[r, :, 0] == pytest.approx(one["cumulative"], rel=1e-9)


# On simulated people: regaining mobility, and months of staff while they train.

TRAINED = {
    "pathway.states": ["training", "mobile", "home"],
    "pathway.start": {"all": {"training": 1}},
    "pathway.moves": {"training -> mobile": {"per_month": 0.1}, "training -> home": {"per_month": 0.1}},
    "events": {},
    "population.frailties": {},
    "population.history_months": 0,
    "effect": {"sooner": {"move": "training -> mobile", "hazard_ratio": 2.0}},
    "outcomes": {
        "mobile": {"kind": "reached", "states": ["mobile"]},
        "staff_months": {"kind": "amount", "per_day": {"training": 12 / 365.25}},
    },
    "measurement.design": "randomised",
    "measurement.control": {},
    "measurement.metrics": {
        "efficiency": {
            "outcome": "mobile",
            "per": "staff_months",
            "window_months": 12,
            "estimate": "efficiency_ratio",
            "better": "higher",
        }
    },
    "contract.metrics": {"efficiency": {"meaning": "people who walk again per month of staff", "unit": "share"}},
    "contract.terms": {"payment": {"share": 1.0, "of": "drawn", "only_if": {"efficiency": {"at_least": 0.2}}}},
}


@pytest.mark.statistical
def test_ratio__of_simulated_people_is_that_of_their_hazards():
    # Source: closed form. Each month in training ends in `mobile` with probability .1, or 1 - .9^2 = .19 with the service, and
    # takes one month of staff: the ratio of means rises by .9. That of two samples is biased by about the square of its error;
    # the evaluator's own interval covers the truth of people at large.
    study = study_of(deepcopy(TRAINED) | {"population.waves.one.size": 400})
    evidence = simulate(study, 5, np.arange(300))
    got, gain = evidence.measurements, 0.19 / 0.1 - 1
    error = got.standard_error[:, 0]

    truth = got.truth[:, 0]
    assert abs(truth.mean() - gain) < FALSE_ALARM * truth.std() / np.sqrt(300) + truth.std() ** 2
    assert abs(got.estimate[:, 0].mean() - gain) < FALSE_ALARM * got.estimate[:, 0].std() / np.sqrt(300) + error.mean() ** 2
    assert abs(error.mean() / got.estimate[:, 0].std() - 1) < FALSE_ALARM / np.sqrt(600) + 0.02
    covered = (np.abs(got.estimate[:, 0] - gain) < 1.96 * error).mean()
    assert abs(covered - 0.95) < FALSE_ALARM * np.sqrt(0.95 * 0.05 / 300)
    assert (evaluate(study, evidence)["term.payment.amount"] > 0).any()


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"per": "mobile"}, "per"),
        ({"per": "nothing"}, "per"),
        ({"misclassification": {"sensitivity": 0.9, "specificity": 0.9}}, "misclassification"),
        ({"attrition": {"share": 0.1}}, "attrition"),
    ],
)
def test_ratio__that_nobody_can_form_is_refused(changes, path):
    changed = {f"measurement.metrics.efficiency.{key}": value for key, value in changes.items()}
    assert f"measurement.metrics.efficiency.{path}" in problems_of(**deepcopy(TRAINED) | changed)


def test_ratio__needs_people_to_compare_with():
    changed = deepcopy(TRAINED) | {"measurement.design": "before_after", "population.history_months": 12}
    assert "measurement.metrics.efficiency.estimate" in problems_of(**changed)


@pytest.mark.parametrize("changes", [{"per": None}, {"estimate": "relative_reduction"}])
def test_ratio__and_no_other_estimate_is_per_something(changes):
    changed = {f"measurement.metrics.efficiency.{key}": value for key, value in changes.items()}
    with pytest.raises(ValueError, match="an efficiency ratio, and no other estimate, must have a `per`"):
        Study.model_validate(content_of(deepcopy(TRAINED) | changed))
