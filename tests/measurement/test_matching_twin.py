"""Matching against its slow twin: the same people are found, draw for draw."""

from dataclasses import replace

import numpy as np
import pytest

from simengine.cohort import Comparisons, Matching, simulate_cohort
from simengine.records import MATCHED, MATCHED_SERVICE
from tests.reference.matching import match_everybody
from tests.reference.studies import SEED, cohort_of, draws_of

COUNTED = {
    "events": {"spell": {"rates": {"home": {"rate_per_month": 0.2}, "placed": {"rate_per_month": 0.5}}}},
    "outcomes": {
        "spells": {"kind": "count", "events": "spell"},
        "cost": {"kind": "amount", "per_day": {"placed": 3}},
        "many": {"kind": "target", "outcome": "spells", "at_least": 2},
    },
    "effect": {"fewer": {"event": "spell", "hazard_ratio": 0.7}},
}
PEOPLE = {"history_months": 6, "frailties": {"person": {"variance": 0.7, "on": ["spell"]}}}
CASES = {
    "on stratum and state": (2, ("stratum", "state"), None, 0.0, 200, {}),
    "on the stratum, few candidates": (3, ("stratum",), None, 0.0, 2, {}),
    "on the past exactly": (2, ("stratum", "state"), "spells", 0.0, 60, {}),
    "on the past, nearly, of people selected": (
        2,
        ("state",),
        "cost",
        40.0,
        30,
        {"selection": {"outcome": "spells", "at_least": 2}},
    ),
    "of people who take part": (1, (), "spells", 1.0, 5, {"engagement": {"share": 0.6}}),
}


def cohort_matched(case):
    per_person, on, before, within, candidates, population = CASES[case]
    cohort = cohort_of(population=PEOPLE | population, windows=(6, 12), **COUNTED)
    return replace(cohort, comparisons=Comparisons(matching=Matching(per_person, on, before, within, candidates)))


@pytest.mark.parametrize("case", list(CASES))
def test_matching__equals_its_slow_twin(case):
    cohort, rows = cohort_matched(case), np.arange(3)
    draws = draws_of(cohort, rows)
    got = simulate_cohort(cohort, draws)
    expected = match_everybody(cohort, SEED, rows.tolist(), draws.values)

    places = 0
    for r, waves in enumerate(expected):
        for w, pair in enumerate(waves):
            for arm, sums in zip((MATCHED, MATCHED_SERVICE), pair, strict=True):
                at = (r, w, arm)
                assert got.n_people[at] == sums.people
                assert got.weight[at] == pytest.approx(sums.weight)
                assert got.weight_squares[at] == pytest.approx(sums.weight_squares)
                for o, name in enumerate(cohort.outcomes):
                    assert got.sums_before[(*at, o)] == pytest.approx(sums.before.get(name, 0.0), rel=1e-9, abs=1e-9)
                    for place, window in enumerate(cohort.windows):
                        for ours, theirs in ((got.sums, sums.sums), (got.squares, sums.squares)):
                            assert ours[(*at, o, place)] == pytest.approx(theirs.get((name, window), 0.0), rel=1e-9, abs=1e-9)
            places += pair[0].people
    assert places > 0
    # Few candidates leave places empty.
    wanted = sum(int(wave.size.value) for wave in cohort.population.waves.values()) * 3 * CASES[case][0]
    assert places == wanted if case == "on stratum and state" else places <= wanted
