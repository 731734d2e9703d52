"""A payment group told by a test that errs: it comes nearer to the mean by itself, and a rate card pays for that."""

import re

import numpy as np
import pytest
from scipy import stats

from simengine.pipeline import simulate
from simengine.questions.certificate import content as findings
from simengine.questions.certificate.answer import certify
from simengine.records import SERVICE, TWIN
from simengine.replications.ensemble import Ensemble
from tests.measurement.small import problems_of, study_of
from tests.measurement.test_designs import FALSE_ALARM, z_of_mean

CUT_OFF, MEAN, SD, ERROR, CORRELATION = 70.0, 83.5, 13.4, 6.7, 0.7
PRICE = 2450.0
FLAGGED = {
    "population.waves.one.size": 595,
    "population.history_months": 1,
    "population.frailties": {},
    "events": {},
    "effect": {"readier": {"outcome": "words", "difference": 0.0}},
    "promise": {"effect.readier.difference": 4.0},
    "outcomes": {
        "words": {
            "kind": "score",
            "at_month": 12,
            "mean": MEAN,
            "sd": SD,
            "error_sd_at_entry": ERROR,
            "correlation": CORRELATION,
        },
        "spared": {"kind": "target", "outcome": "words", "at_least": CUT_OFF, "among": {"outcome": "words", "at_most": CUT_OFF}},
        "flagged": {"kind": "target", "outcome": "words", "at_least": -1e6, "among": {"outcome": "words", "at_most": CUT_OFF}},
    },
    "measurement.design": "rate_card",
    "measurement.rate_card": {"deadweight": 0.0},
    "measurement.control": {},
    "measurement.metrics": {
        "spared": {"outcome": "spared", "window_months": 12, "estimate": "total_difference", "better": "higher"},
    },
    "contract.metrics": {"spared": {"meaning": "children spared special education", "unit": "children"}},
    "contract.terms": {"payment": {"price": PRICE, "per": "spared"}},
}
SD_READ = np.hypot(SD, ERROR)
CORRELATION_READ = CORRELATION * SD / SD_READ
FLAG = stats.norm.cdf((CUT_OFF - MEAN) / SD_READ)
"""Chance of a flag: .184, so 109.5 of 595; the published first year flagged 110."""


def spared_by(effect):
    """Return the chance that a child is flagged and then does without: both normal."""
    at = [(CUT_OFF - MEAN) / SD_READ, (CUT_OFF - MEAN - effect) / SD]
    return FLAG - stats.multivariate_normal([0, 0], [[1, CORRELATION_READ], [CORRELATION_READ, 1]]).cdf(at)


@pytest.fixture(scope="module")
def evidence():
    return simulate(study_of(FLAGGED), 6, np.arange(300))


def count_of(evidence, outcome, arm=SERVICE):
    return evidence.tallies.sums[:, 0, arm, list(evidence.tallies.outcomes).index(outcome), 0]


@pytest.mark.statistical
def test_group__is_as_large_as_published(evidence):
    # Source: contracts 7: 110 of 595 children; closed form of a normal test.
    assert pytest.approx(110, abs=1) == 595 * FLAG
    assert abs(z_of_mean(count_of(evidence, "flagged"), 595 * FLAG)) < FALSE_ALARM


@pytest.mark.statistical
def test_group__comes_nearer_to_the_mean_without_a_service(evidence):
    # Source: closed form. Of a normal pair those at or below a cut-off have the mean m - rho s h, h = phi / Phi; here more than
    # half do without special education two years later although nothing was done for them.
    exact = spared_by(0.0)

    assert abs(z_of_mean(count_of(evidence, "spared"), 595 * exact)) < FALSE_ALARM
    assert exact / FLAG > 0.5
    np.testing.assert_array_equal(count_of(evidence, "spared"), count_of(evidence, "spared", TWIN))
    assert not evidence.measurements.truth.any()
    np.testing.assert_allclose(evidence.measurements.estimate[:, 0], count_of(evidence, "spared"), rtol=1e-12)


@pytest.mark.statistical
@pytest.mark.parametrize("reliability", [1.0, 0.8, 0.5])
def test_error__of_the_test_makes_the_group_regress_the_more(reliability):
    # Source: Spearman 1904: read with an error, a level goes with another by the root of its reliability less. The reading spreads
    # as before: the error takes what the people leave.
    sd = SD_READ * np.sqrt(reliability)
    score = FLAGGED["outcomes"]["words"] | {
        "sd_at_entry": sd,
        "error_sd_at_entry": SD_READ * np.sqrt(1 - reliability),
        "correlation": 0.9,
    }
    got = simulate(study_of(FLAGGED | {"outcomes": FLAGGED["outcomes"] | {"words": score}}), 6, np.arange(200))
    rho = 0.9 * np.sqrt(reliability)
    at = [(CUT_OFF - MEAN) / SD_READ, (CUT_OFF - MEAN) / SD]
    exact = FLAG - stats.multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf(at)

    assert abs(z_of_mean(count_of(got, "spared"), 595 * exact)) < FALSE_ALARM
    # The moments of the reading itself, and what it shares with the later level.
    tallies = got.tallies
    before, after, product = (getattr(tallies, name)[:, 0, SERVICE, 0] for name in ("sums_before", "sums", "products_with_before"))
    covariance = product[:, 0] / 595 - before / 595 * after[:, 0] / 595
    assert abs(z_of_mean(covariance * 595 / 594, rho * SD_READ * SD)) < FALSE_ALARM


@pytest.mark.statistical
def test_certificate__of_an_assumed_counterfactual_says_what_is_paid_for_nothing():
    # Source: the closed form above, times the price. Payment is sure, and the certificate says that it is for nothing.
    study = study_of(FLAGGED)
    found = certify(study, Ensemble(4, 200))

    nothing, promised = 595 * spared_by(0.0), 595 * spared_by(4.0)
    assert found.p_pay_no_effect.value == 1
    assert abs(found.expected_paid_for_nothing.value - PRICE * nothing) < FALSE_ALARM * found.expected_paid_for_nothing.se
    paid = found.expected_payment_on_truth
    assert abs(paid.value - PRICE * (promised - nothing)) < FALSE_ALARM * paid.se
    (told,) = findings.certificate_warnings(study, found)
    seen, error = re.search(
        r"where the service changes nothing, the evaluator still sees ([0-9.]+) ± ([0-9.]+) children", told
    ).groups()
    assert abs(float(seen) - nothing) < FALSE_ALARM * float(error)
    assert told.endswith("The payment group is told by `words` before entry: it comes nearer to the mean by itself.")


@pytest.mark.statistical
def test_lot__among_the_flagged_is_honest():
    # Invariant: those left out by lot are flagged by the same test, and regress alike.
    got = simulate(study_of(FLAGGED | {"measurement.design": "randomised"}), 6, np.arange(300)).measurements
    assert abs(z_of_mean(got.estimate[:, 0], 0.0)) < FALSE_ALARM


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"population.history_months": 0}, "outcomes.spared.among"),
        ({"outcomes.spared.among": {"outcome": "no", "at_most": 1}}, "outcomes.spared.among.outcome"),
        ({"outcomes.spared.among": {"outcome": "flagged", "at_least": 1}}, "outcomes.spared.among.outcome"),
        (
            {
                "outcomes.later": {"kind": "binary", "at_month": 12, "probability": {"at_work": 0.5}},
                "outcomes.spared.among": {"outcome": "later", "at_least": 1},
            },
            "outcomes.spared.among.outcome",
        ),
    ],
)
def test_group__that_nobody_can_tell_at_entry_is_refused(changes, path):
    plain = {f"outcomes.{name}": one for name, one in FLAGGED["outcomes"].items()}
    base = {key: value for key, value in FLAGGED.items() if key != "outcomes"}
    assert path in problems_of(**base | {"outcomes": {}} | {key: dict(value) for key, value in plain.items()} | changes)
