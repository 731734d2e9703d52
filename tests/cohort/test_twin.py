"""Whole studies against their slow twin, person by person and draw for draw.

What is counted (people, months, events, answers, clips) must be equal; amounts of money, days and scores up to rounding.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simengine.cohort import simulate_cohort
from simengine.cohort.spec import Effect
from simengine.cohort.spec.effect import FORMS_OF_EFFECT
from simengine.records import SERVICE, TWIN
from tests.conftest import IS_THOROUGH, sized
from tests.reference import cohort as reference
from tests.reference.everything import ALL, EFFECT, EVENTS, EVERY_OPTION, MOVES, OUTCOMES, POPULATION
from tests.reference.studies import SEED, cohort_of, draws_of, require_equal_to_twin, tallies_of


def without(sections: dict[str, Any], *paths: str) -> dict[str, Any]:
    """Return a study without some of its parts."""
    study = copy.deepcopy(sections)
    for path in paths:
        *way, last = path.split("/")
        node = study
        for name in way:
            node = node[name]
        del node[last]
    return study


MANY_SELECTED = "population/selection"
PLAIN = {"kind": "amount", "per_day": {"placed": 3}}
YES = {"kind": "binary", "at_month": 6, "probability": {"home": 0.6, "placed": 0.3, "secure": 0.5}}
SPELL = {"rates": {"placed": {"rate_per_month": 0.8}, "home": {"rate_per_month": 0.8}}}


def with_moves(**moves: Any) -> dict[str, Any]:
    """Return three states with one changed move out of `placed`, and ways back."""
    back = {"home -> placed": {"per_month": 0.2}, "secure -> placed": {"per_month": 0.4}}
    return {
        "moves": {
            "placed -> home": {"per_month": 0.3} | moves.get("home", {}),
            "placed -> secure": moves.get("secure", {"per_month": 0.1}),
        }
        | back
    }


def entered(**population: Any) -> dict[str, Any]:
    return {"population": population}


CASES: dict[str, dict[str, Any]] = {
    "everything": ALL,
    "everything, nobody selected": without(ALL, MANY_SELECTED),
    "everything, without a history": without(ALL, MANY_SELECTED, "population/history_months"),
    "everything, without engagement": without(ALL, MANY_SELECTED, "population/engagement"),
    "everything, without what people carry": without(ALL, "population/frailties", "population/sites", "population/volume"),
    "as little as can be": {},
    "shares that leave nothing for the rest": entered(
        strata={
            "young": {"share": {"distribution": "uniform", "low": 0.7, "high": 1}},
            "older": {"share": {"distribution": "uniform", "low": 0, "high": 0.4}},
        }
        | {"none": {"share": "rest"}}
    )
    | {"pathway": {"start": {"young": {"home": 1}, "older": {"placed": 1}, "none": {"secure": 1}}, "moves": {}}},
    "nobody": entered(waves={"all": {"size": 0, "enrolment_months": 1}}),
    "one person": entered(waves={"all": {"size": 1, "enrolment_months": 1}})
    | {"outcomes": {"cost": PLAIN | {"between_people_sd": 0.5}}},
    "enrolment to the last month": entered(waves={"all": {"size": 20, "enrolment_months": 8}})
    | {"windows": (1, 4, 10, 11), "n_baseline": 3},
    "windows that few are followed for": entered(waves={"all": {"size": 20, "enrolment_months": 12}})
    | {
        "windows": (5, 9, 14, 18),
        "events": EVERY_OPTION["events"],
        "outcomes": EVERY_OPTION["outcomes"]
        | {
            "reached": {"kind": "reached", "states": "home"},
            "seldom": {"kind": "target", "outcome": "times", "at_most": 3},
            "claim": {"kind": "claim", "prices": {"reached": 5, "seldom": 3, "yes": 1}},
        },
    },
    "two effects of each form on one target": EVERY_OPTION
    | {
        "population": {"waves": {"all": {"size": 25, "enrolment_months": 2}}},
        "effect": {
            f"{on} {form} {number}": {target: on, form: value}
            for number in (1, 2)
            for (target, on), forms in {
                ("move", "placed -> home"): {"hazard_ratio": 1.5, "relative_risk": 0.7, "odds_ratio": 1.4, "difference": 0.05},
                ("event", "away"): {"hazard_ratio": 0.7, "difference": 0.4, "length_ratio": 0.6},
                ("outcome", "yes"): {"hazard_ratio": 1.5, "relative_risk": 0.7, "odds_ratio": 1.4, "difference": 0.1},
                ("outcome", "score"): {"difference": 4},
            }.items()
            for form, value in forms.items()
        },
    },
    "a history of one month": entered(history_months=1)
    | {"outcomes": {"cost": PLAIN, "reached": {"kind": "reached", "states": "home"}}},
    "doses, and nobody drops out": entered(
        engagement={"share": 0.7, "doses": {"a": {"share": 0.2, "strength": 0}, "b": {"share": "rest", "strength": 1.5}}}
    )
    | {"effect": {"one": {"move": "placed -> home", "hazard_ratio": 3}}},
    "drop-out at once": entered(engagement={"share": 1, "dropout": {"mean_months": 1}}, history_months=3)
    | {"effect": {"one": {"move": "placed -> home", "hazard_ratio": 3, "only_while_engaged": True}}},
    "drop-out from a service that acts steadily": entered(engagement={"share": 0.9, "dropout": {"per_month": 0.3}})
    | {"effect": {"one": {"move": ["placed -> home", "secure -> home"], "hazard_ratio": 3, "only_while_engaged": True}}},
    "two frailties on everything": entered(
        frailties={name: {"variance": 1, "on": ["home -> placed", "placed -> home", "placed -> secure"]} for name in ("f", "g")}
    ),
    "a large frailty": entered(frailties={"f": {"variance": 5, "on": ["placed -> home", "placed -> secure"]}}),
    "frailty on some moves, with odds": entered(frailties={"f": {"variance": 1, "on": "placed -> home"}})
    | {"effect": {"one": {"move": "placed -> secure", "odds_ratio": 2}}},
    "frailty on all moves, with a relative risk": entered(
        frailties={"f": {"variance": 1, "on": ["placed -> home", "placed -> secure"]}}
    )
    | {"effect": {"one": {"move": "placed -> home", "relative_risk": 2}}},
    "rising hazard": {"pathway": with_moves(home={"weibull_shape": 2.5})},
    "falling hazard from a mean": {"pathway": with_moves(secure={"mean_days": 90, "weibull_shape": 0.5})},
    "paces by months since entry": {
        "pathway": with_moves(home={"by_months_since_entry": {"from_months": [1, 4], "per_month": [0.05, 0.5]}}),
        "population": {"history_months": 4},
    },
    "paces by months since entry that replace those of each stratum": {
        "pathway": with_moves(
            home={"by_stratum": {"young": {"per_month": 0.3}, "older": {"per_month": 0.05}}} | {"per_month": None},
            secure={"by_stratum": {"older": {"per_month": 0.1}}, "by_months_since_entry": {"from_months": [2], "per_month": [0.4]}},
        ),
        "population": {"waves": {"all": {"size": 25, "enrolment_months": 1}}},
    },
    "the same, walked": {
        "pathway": with_moves(
            home={"by_stratum": {"young": {"per_month": 0.3}, "older": {"per_month": 0.05}}} | {"per_month": None},
            secure={"by_stratum": {"older": {"per_month": 0.1}}, "by_months_since_entry": {"from_months": [2], "per_month": [0.4]}}
            | {"by_calendar": {"trend_per_year": 1}},
        ),
        "population": {"waves": {"all": {"size": 25, "enrolment_months": 1}}},
    },
    "paces by months in the state": {
        "pathway": with_moves(secure={"rate_per_year": 1, "by_months_in_state": {"from_months": [2, 5], "rate_per_year": [9, 0]}})
    },
    "time together": {
        "pathway": with_moves(
            home={"weibull_shape": 2.0}, secure={"per_month": 0.4, "by_months_in_state": {"from_months": [3], "factor": [0.2]}}
        )
        | {"time_together": {"away": ["secure", "placed"]}}
    },
    "season and trend": {
        "pathway": with_moves(home={"by_calendar": {"trend_per_year": 1, "season": {"jan": 0, "jul": 4}}}),
        "start": "2029-11",
    },
    "a clipped way out": {
        "pathway": with_moves(home={"per_month": {"distribution": "uniform", "low": 0.6, "high": 1}}, secure={"per_month": 0.3})
    },
    "clipped effects": {
        "effect": {
            "a": {"move": "placed -> home", "difference": 0.95},
            "b": {"move": "home -> placed", "relative_risk": 20},
            "c": {"move": "secure -> placed", "difference": -0.9},
            "d": {"outcome": "yes", "relative_risk": 5},
            "e": {"outcome": "yes", "difference": -0.2, "strata": "young"},
            "f": {"event": "often", "difference": -0.7},
        },
        "events": {"often": SPELL},
        "outcomes": {"yes": YES, "often": {"kind": "count", "events": "often"}},
    },
    "effects of several forms on one target": {
        "effect": {
            "a": {"outcome": "yes", "difference": 0.2},
            "b": {"outcome": "yes", "relative_risk": 0.5},
            "c": {"outcome": "yes", "hazard_ratio": 1.5, "strata": "older"},
            "d": {"move": "placed -> home", "difference": 0.1},
            "e": {"move": "placed -> home", "odds_ratio": 0.5},
            "f": {"move": "placed -> home", "hazard_ratio": 2},
        },
        "outcomes": {"yes": YES},
    },
    "a ratio of 0": {
        "effect": {"a": {"move": "placed -> home", "hazard_ratio": 0}, "b": {"outcome": "yes", "odds_ratio": 0}},
        "outcomes": {"yes": YES},
    },
    "every option of every effect": EVERY_OPTION,
    "every option of every effect, on people with hazards of their own": EVERY_OPTION
    | {
        "population": EVERY_OPTION["population"]
        | {"frailties": {"f": {"variance": 0.6, "on": ["placed -> home", "home -> placed"]}}},
        "shocks": {"years": {"on": "home -> placed", "sd_per_year": 0.3}},
    },
    "hazard ratios in some strata": {
        "effect": {
            "young": {"move": ["placed -> home", "secure -> home"], "hazard_ratio": 4, "strata": "young"},
            "older": {"move": ["placed -> home", "home -> placed"], "hazard_ratio": 0.2, "strata": ["older"], "ramp_months": 2},
        },
        "population": {"waves": {"all": {"size": 30, "enrolment_months": 2}}},
    },
    "ratios at the edges": {
        "effect": {
            "odds_0": {"outcome": "yes", "odds_ratio": 0, "strata": "young"},
            "odds_inf": {"outcome": "yes", "odds_ratio": 1e300, "strata": "older"},
            "risk_inf": {"outcome": "other", "relative_risk": 1e300, "strata": "young"},
            "hazard_0": {"outcome": "other", "hazard_ratio": 0, "strata": "older"},
            "sooner": {"move": ["placed -> home", "home -> secure"], "hazard_ratio": 1e300, "strata": "young"},
            "hardly": {"move": ["home -> placed", "placed -> home"], "hazard_ratio": 0, "strata": "older"},
            "by_chance": {"move": "secure -> placed", "odds_ratio": 1e300, "strata": "young"},
            "not": {"move": "secure -> placed", "odds_ratio": 0, "strata": "older"},
        },
        "population": {
            "waves": {"all": {"size": 30, "enrolment_months": 2}},
            "engagement": {
                "share": 0.9,
                "doses": {"whole": {"share": 0.4, "strength": 1}, "more": {"share": "rest", "strength": 3}},
            },
        },
        "pathway": {
            "moves": {
                "placed -> home": {"per_month": 0.3},
                "home -> placed": {"per_month": 1},
                "home -> secure": {"per_month": 0},
                "secure -> placed": {"per_month": 0.4},
            }
        },
        "outcomes": {
            "yes": YES | {"probability": {"home": 1, "placed": 0.5, "secure": 0}},
            "other": YES | {"probability": {"home": 0, "placed": 1, "secure": 0.5}},
            "ways": YES
            | {
                "probability": {"home": 0.5, "placed": 0.4, "secure": 1},
                "odds_ratio_per_month_in": {"home": 1e200},
            },
            "again": YES | {"probability": {"home": 0, "placed": 1, "secure": 0.5}, "odds_ratio_per_month_in": {"secure": 1e300}},
        },
    },
    "a half-life of 0": {
        "effect": {"a": {"move": "placed -> home", "hazard_ratio": 9, "fades_after_months": 3.5, "half_life_months": 0}}
    },
    "years in which the world differs": {
        "shocks": {
            "a": {"on": ["placed -> home", "yes"], "sd_per_year": 1},
            "b": {"on": "home -> placed", "factor": 0, "from_month": 2, "to_month": 7},
        },
        "outcomes": {"yes": YES | {"at_month": 18}},
        "windows": (18,),
        "n_baseline": 4,
    },
    "selected for much": entered(history_months=6, selection={"outcome": "cost", "at_least": 365.25, "at_most": 400}),
    "selected for a target": entered(history_months=6, selection={"outcome": "been", "at_least": 1})
    | {
        "outcomes": {
            "times": {"kind": "reached", "states": "secure", "stay_months": 2},
            "been": {"kind": "target", "outcome": "times", "at_least": 1},
        }
    },
    "selected for a score": entered(history_months=2, selection={"outcome": "score", "at_most": 40})
    | {"outcomes": {"score": {"kind": "score", "at_month": 6, "mean": 50, "sd": 10, "correlation": 0.5}}},
    "a payment group told by a test that errs": entered(history_months=2)
    | {
        "outcomes": {
            "score": {
                "kind": "score",
                "at_month": 6,
                "mean": 50,
                "sd": 10,
                "error_sd_at_entry": 6,
                "correlation": 0.7,
                "reported": "gain",
            },
            "better": {"kind": "target", "outcome": "score", "at_least": 1, "among": {"outcome": "score", "at_most": 48}},
            "days": {"kind": "amount", "per_day": {"placed": 1}},
            "seldom": {
                "kind": "target",
                "outcome": "days",
                "at_most": 90,
                "among": {"outcome": "days", "at_least": 20, "at_most": 40},
            },
            "claim": {"kind": "claim", "prices": {"better": 5, "seldom": 3}},
        }
    },
    "counted at the end, selected by it": entered(history_months=4, selection={"outcome": "cost", "at_most": 95})
    | {"outcomes": {"cost": PLAIN | {"counted": "end"}}},
    **{
        f"spells of {kind} length": {
            "events": {"away": SPELL | {"length": {"kind": kind} | length}},
            "outcomes": {
                "days": {"kind": "days", "events": "away"},
                "late": {"kind": "days", "events": "away", "from_day": 15, "to_day": 45},
                "cost": {"kind": "amount", "per_spell_day": {"away": 2}, "per_event": {"away": 7}, "discount_rate_per_year": 0.5},
            },
            "effect": {"shorter": {"event": "away", "length_ratio": 0.7, "ramp_months": 3}},
        }
        for kind, length in {
            "fixed": {"mean_days": 50},
            "uniform": {"low_days": 0, "high_days": 90},
            "lognormal": {"mean_days": 30, "sd_days": 60},
            "weibull": {"mean_days": 30, "weibull_shape": 0.6},
            "gamma": {"mean_days": 30, "sd_days": 60},
        }.items()
    },
}


@pytest.mark.parametrize("name", CASES)
def test_study__equals_its_slow_twin(name: str) -> None:
    """Source: the slow twin, tests/reference/cohort.py."""
    require_equal_to_twin(cohort_of(**CASES[name]), 2 if name.startswith("everything") else 4)


def test_effects__of_every_form_use_every_option() -> None:
    """Source: the lists of the specification: what no study of the twin uses, no comparison with it can find."""
    options = set(Effect.model_fields) - {*FORMS_OF_EFFECT, *(form for forms in FORMS_OF_EFFECT.values() for form in forms)}
    for target, forms in FORMS_OF_EFFECT.items():
        for form in forms:
            used = [one for one in EVERY_OPTION["effect"].values() if target in one and form in one]
            assert options == {option for one in used for option in one} - {target, form}, (target, form)


def test_study__of_the_largest_seed_and_replication_equals_its_slow_twin() -> None:
    """Source: the slow twin."""
    require_equal_to_twin(cohort_of(**ALL), np.array([2**32 - 1, 7]), seed=2**64 - 1)


def test_cases__reach_what_they_are_meant_to_reach() -> None:
    """Source: counting. The comparison would be empty if nothing happened; it is made above for two of the replications."""
    got = (require_equal_to_twin if IS_THOROUGH else tallies_of)(cohort_of(**ALL), 12)
    assert (got.clipped > 0).all()
    last = len(got.windows) - 1
    for o, name in enumerate(got.outcomes):
        if name != "in_work":
            assert (got.sums[:, :, :, o, last] != 0).any(), name
        assert (got.sums[:, :, SERVICE, o] != got.sums[:, :, TWIN, o]).any(), name
    assert (got.person_months[:, :, :3].sum(axis=(0, 1)) > 0).all()
    assert (got.sums_before[:, :, :3, [0, 4, 6, 10]] > 0).any(axis=(0, 1)).all()
    for combinations in got.combinations.values():
        assert (combinations.sum(axis=(0, 1, 2, 3)) > 0).sum() >= 3


CHANGES = {
    "population.waves.second.size": 5,
    "population.strata.young.share": 0.1,
    "population.engagement.share": 0.1,
    "population.engagement.doses.twice.strength": 0.2,
    "population.frailties.trouble.variance": 2.0,
    "population.volume.referrals.elasticity": 1.0,
    "pathway.moves.foster -> home.per_year": 0.2,
    "events.sick.length.mean_days": 70.0,
    "shocks.years.sd_per_year": 1.0,
    "effect.not_back.relative_risk": 1.4,
    "effect.better.difference": 4.0,
    "outcomes.cost.per_event.sick": 3.0,
    "outcomes.wellbeing.correlation": 0.1,
}


@pytest.mark.parametrize("path", CHANGES)
def test_comparison_with_the_twin__can_fail(path: str) -> None:
    """Source: the slow twin of a replication in which one number differs; the difference must be seen."""
    cohort = cohort_of(**without(ALL, MANY_SELECTED))
    draws = draws_of(cohort, [0])
    got = simulate_cohort(cohort, draws)
    other = draws.values | {path: np.array([CHANGES[path]])}
    expected = reference.simulate_cohort(cohort, SEED, [0], other)
    assert any(not np.allclose(getattr(got, name), np.array(getattr(expected, name)), rtol=1e-9) for name in ("n_people", "sums"))


# ------------------------------------------------ studies put together at random ------------------------------------------------


def some_of(sections: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return any part of a section."""
    return st.sets(st.sampled_from(sorted(sections))).map(
        lambda kept: {name: one for name, one in sections.items() if name in kept}
    )


@st.composite
def studies(draw: st.DrawFn) -> dict[str, Any]:
    """Put a study together from parts of the one that says everything, with a clock of its own."""
    chosen = {name: POPULATION[name] for name in ("frailties", "sites", "volume") if draw(st.booleans())}
    history = draw(st.integers(0, 9))
    population = chosen | {"strata": POPULATION["strata"], "history_months": history}
    size, months = draw(st.integers(0, 4)), draw(st.integers(1, 7))
    population["waves"] = {"one": {"size": size, "enrolment_months": months, "from_month": draw(st.integers(0, 5))}}
    if draw(st.booleans()):
        population["engagement"] = {"share": draw(st.sampled_from([0, 0.5, 1]))} | {
            name: POPULATION["engagement"][name] for name in ("doses", "dropout") if draw(st.booleans())
        }
    moves = MOVES | {
        name: {"rate_per_month": draw(st.sampled_from([0, 0.2, 3]))}
        for name in draw(st.sets(st.sampled_from(sorted(MOVES)), max_size=4))
    }
    windows = sorted(draw(st.sets(st.integers(1, 14), min_size=1, max_size=3)))
    return ALL | {
        "population": population,
        "pathway": ALL["pathway"] | {"moves": moves},
        "events": EVENTS,
        "effect": draw(some_of(EFFECT)),
        "shocks": draw(some_of(ALL["shocks"])),
        "outcomes": OUTCOMES,
        "windows": windows,
        "horizon": 26,
        "start": f"2031-{draw(st.integers(1, 12)):02d}",
        "n_baseline": draw(st.integers(0, 2)),
    }


@settings(max_examples=sized(25, 120))
@given(study=studies(), seed=st.integers(0, 2**64 - 1))
def test_any_study__equals_its_slow_twin(study: dict[str, Any], seed: int) -> None:
    """Source: the slow twin."""
    require_equal_to_twin(cohort_of(**study), 2, seed)
