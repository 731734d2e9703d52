"""A dated shock in the middle of the window, as a pandemic is: whom it misleads, by hand arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from simengine.pipeline import simulate
from tests.measurement.small import study_of

N, SIZE = 200, 500
CHANGES = {
    "population.frailties": {},
    "population.waves": {"one": {"size": SIZE, "enrolment_months": 1}},
    "events": {"spell": {"rates": {"at_work": {"rate_per_year": 2}}}},
    "effect": {"fewer": {"event": "spell", "hazard_ratio": 0.8}},
    "shocks": {"pandemic": {"on": "spell", "factor": 0.5, "from_month": 6, "to_month": 12}},
    "measurement.control": {"ratio": 1},
    "measurement.parallel": {"ratio": 1},
    "measurement.matched": {"per_person": 1, "candidates": 1},
    "measurement.baseline": {"size": SIZE, "years_before": 2},
}


@pytest.mark.parametrize(
    ("design", "expected"),
    [
        # A year has 2 spells; with the shock 1 + 0.5 x 1 = 1.5 without the service, and 0.8 x 1.5 = 1.2 with it.
        ("before_after", 2 - 1.2),
        ("historical", 2 - 1.2),
        ("randomised", 1.5 - 1.2),
        ("matched", 1.5 - 1.2),
        ("difference_in_differences", 1.5 - 1.2),
    ],
)
def test_shock_in_mid_window__misleads_who_looks_back(design, expected) -> None:
    """The truth is 1.5 - 1.2 = 0.3; before and after, and earlier people, make 0.8 of it: 0.5 is the shock's own."""
    metric = {"outcome": "spells", "window_months": 12, "estimate": "rate_difference", "better": "lower"}
    found = simulate(
        study_of(CHANGES | {"measurement.design": design, "measurement.metrics": {"reduction": metric}}), 1, np.arange(N)
    )
    estimate, truth = found.measurements.estimate[:, 0], found.measurements.truth[:, 0]
    for values, distribution in ((estimate, expected), (truth, 0.3)):
        assert abs(values.mean() - distribution) < 4.5 * values.std(ddof=1) / np.sqrt(N), values.mean()
    # The bias is many times what luck could make of it.
    assert (abs(estimate.mean() - 0.3) > 20 * estimate.std(ddof=1) / np.sqrt(N)) == (design in ("before_after", "historical"))


def test_shock__of_which_half_falls_into_the_window_of_a_later_wave() -> None:
    """By hand: who enters in month 6 has the shock of months 12 to 18 in half of the window, and not in the year before.

    So 1 + 0.5 x 1 again; who enters in month 12 meets it in the first half. A wave in month 18 has it in the year before
    instead: 1.5 before, 2 x 0.8 = 1.6 after, and before and after find 0.1 more spells where there are 0.4 fewer.
    """
    waves = {f"m{month}": {"size": SIZE, "from_month": month, "enrolment_months": 1} for month in (6, 12, 18)}
    metric = {"outcome": "spells", "window_months": 12, "estimate": "rate_difference", "better": "lower"}
    changes = {
        "study.horizon_months": 36,
        "capital.payment_month": {"payment": 36},
        "population.waves": waves,
        "shocks": {"pandemic": {"on": "spell", "factor": 0.5, "from_month": 12, "to_month": 18}},
        "measurement.metrics": {"reduction": metric},
    }
    by_wave = simulate(study_of(CHANGES | changes), 1, np.arange(N)).measurements.by_wave[:, :, 0]
    for wave, expected in enumerate((2 - 1.2, 2 - 1.2, 1.5 - 1.6)):
        values = by_wave[:, wave]
        assert abs(values.mean() - expected) < 4.5 * values.std(ddof=1) / np.sqrt(N), (wave, values.mean())
