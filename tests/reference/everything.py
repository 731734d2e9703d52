"""One study that says everything a study can say about people, and parts of it by name."""

from __future__ import annotations

from typing import Any

FRAILTY = {"variance": 0.8, "on": ["placed -> home", "reconvicted", "works"]}
POPULATION: dict[str, Any] = {
    "waves": {
        "first": {
            "size": {"distribution": "uniform", "low": 3, "high": 8},
            "enrolment_months": {"distribution": "uniform", "low": 2, "high": 6},
        },
        "second": {"size": 4, "enrolment_months": 1, "from_month": 5},
    },
    "strata": {
        "young": {"share": {"distribution": "uniform", "low": 0.3, "high": 0.6}},
        "older": {"share": "rest"},
        "none": {"share": 0.1},
    },
    "history_months": 7,
    "selection": {"outcome": "reconvictions", "at_least": 1, "at_most": 4},
    "engagement": {
        "share": 0.8,
        "doses": {"half": {"share": 0.4, "strength": 0.5}, "twice": {"share": "rest", "strength": 2}},
        "dropout": {"per_month": 0.15},
    },
    "frailties": {"trouble": FRAILTY, "none": {"variance": 0, "on": "home -> placed"}},
    "sites": {
        "town": {"count": 3, "sd": {"distribution": "uniform", "low": 0.1, "high": 0.5}, "on": ["home -> placed", "sick"]},
        "clinic": {"count": 2, "sizes": [1, 3], "sd": 0.4, "on": ["placed -> home", "works"]},
    },
    "volume": {"referrals": {"planned": 5, "elasticity": -0.5, "on": ["home -> placed", "works", "reconvicted"]}},
}
MOVES: dict[str, Any] = {
    "placed -> home": {
        "by_stratum": {"young": {"per_month": {"distribution": "uniform", "low": 0.1, "high": 0.4}}, "older": {"per_month": 0.1}},
        "by_months_since_entry": {"from_months": [0, 4], "factor": [1.5, {"distribution": "uniform", "low": 0.2, "high": 0.9}]},
    },
    "placed -> secure": {"per_month": 0.1, "by_months_in_state": {"from_months": [2, 5], "per_month": [0.3, 0.05]}},
    "home -> placed": {"mean_months": 5, "weibull_shape": {"distribution": "uniform", "low": 0.6, "high": 1.8}},
    "secure -> placed": {"rate_per_year": 3, "by_calendar": {"trend_per_year": 0.4, "season": {"mar": 3, "jul": 0, "dec": 0.5}}},
    "secure -> home": {"per_quarter": 0.3},
    "home -> foster": {"rate_per_day": 0.001},
    "foster -> home": {"per_year": 0.6},
    "foster -> placed": {"per_year": 0.3, "by_months_since_entry": {"from_months": [1], "per_year": [0.2]}},
    "foster -> secure": {"mean_days": 700},
}
PATHWAY: dict[str, Any] = {
    "states": ["home", "placed", "secure", "foster"],
    "start": {
        "young": {"placed": 1},
        "older": {"home": 0.3, "placed": 0.3, "foster": "rest"},
        "none": {"secure": 0.5, "foster": 0.5},
    },
    "moves": MOVES,
    "time_together": {"care": ["placed", "foster"]},
}
EVENTS: dict[str, Any] = {
    "reconvicted": {
        "rates": {"home": {"rate_per_year": 3}, "placed": {"rate_per_quarter": 1}, "foster": {"rate_per_month": 0.2}},
        "by_stratum": {"older": 0.6},
        "by_months_since_entry": {"from_months": [1, 6], "factor": [1.4, 0.7]},
        "by_calendar": {"trend_per_year": -0.2, "season": {"jan": 2}},
    },
    "sick": {
        "rates": {"home": {"rate_per_month": 0.5}, "foster": {"rate_per_day": 0.02}},
        "length": {"kind": "gamma", "mean_days": 25, "sd_days": 30},
    },
    "away": {
        "rates": {"placed": {"rate_per_month": 0.7}, "secure": {"rate_per_month": 2}},
        "length": {"kind": "lognormal", "mean_days": 9, "sd_days": 8},
    },
    "fixed": {
        "rates": {"placed": {"rate_per_month": 1}, "home": {"rate_per_month": 1}},
        "length": {"kind": "fixed", "mean_days": 40},
    },
    "uniform": {
        "rates": {"foster": {"rate_per_month": 1}, "home": {"rate_per_month": 1}},
        "length": {"kind": "uniform", "low_days": 1, "high_days": 60},
    },
    "weibull": {"rates": {"home": {"rate_per_month": 1}}, "length": {"kind": "weibull", "mean_days": 20, "weibull_shape": 1.7}},
    "unseen": {"rates": {"home": {"rate_per_month": 1}}},
}
SHOCKS: dict[str, Any] = {
    "years": {"on": ["reconvicted", "home -> placed", "works"], "sd_per_year": 0.4},
    "closure": {"on": ["secure -> home", "sick", "lives_well"], "factor": 2.5, "from_month": 4, "to_month": 9},
}
EFFECT: dict[str, Any] = {
    "home_sooner": {
        "move": ["placed -> home", "home -> foster"],
        "hazard_ratio": {"distribution": "lognormal", "interval_90": [0.9, 2.5]},
        "ramp_months": 2,
    },
    "not_back": {
        "move": "home -> placed",
        "relative_risk": 0.7,
        "strata": ["young", "none"],
        "fades_after_months": 5,
        "half_life_months": 2,
    },
    "out_of_foster": {"move": "foster -> home", "odds_ratio": 1.8, "reaches": "referred"},
    "more_foster": {"move": "foster -> placed", "difference": 0.08, "only_while_engaged": True},
    "fewer": {"event": "reconvicted", "hazard_ratio": 0.6, "only_while_engaged": True},
    "fewer_still": {"event": ["reconvicted", "sick"], "difference": -0.05, "reaches": "referred", "ramp_months": 1},
    "shorter": {"event": ["sick", "away"], "length_ratio": 0.5, "strata": ["young", "older"]},
    "work": {"outcome": "works", "odds_ratio": 2.0},
    "a_little_less": {"outcome": "works", "hazard_ratio": 0.8},
    "more_work": {"outcome": ["works", "lives_well"], "relative_risk": 1.3, "strata": "older"},
    "better": {"outcome": ["wellbeing", "gain"], "difference": 3, "fades_after_months": 2, "half_life_months": 3},
}
OUTCOMES: dict[str, Any] = {
    "cost": {
        "kind": "amount",
        "per_day": {"placed": 3, "secure": {"distribution": "uniform", "low": 4, "high": 6}},
        "per_event": {"reconvicted": 50, "sick": 2},
        "per_spell_day": {"sick": 1.5, "away": 4},
        "per_move": {"home -> placed": {"distribution": "uniform", "low": 20, "high": 60}, "placed -> home": -5},
        "per_move_by_stratum": {"placed -> secure": {"young": 30, "older": {"distribution": "uniform", "low": 2, "high": 9}}},
        "by_months_since_entry": {"placed": {"from_months": [2, 7], "factor": [0.5, 0.25]}},
        "by_months_in_state": {"placed": {"from_months": [3], "factor": [2]}, "secure": {"from_months": [1], "factor": [1.5]}},
        "between_people_sd": 0.7,
        "discount_rate_per_year": 0.1,
    },
    "cost_at_end": {"kind": "amount", "per_day": {"placed": 3, "home": 1}, "counted": "end", "discount_rate_per_year": 0.05},
    "cost_half": {"kind": "amount", "per_day": {"placed": 3}, "counted": "half_cycle", "between_people_half_width": 0.5},
    "cost_simpson": {"kind": "amount", "per_day": {"secure": 3, "foster": 1}, "counted": "simpson", "discount_rate_per_year": 0.2},
    "reconvictions": {"kind": "count", "events": "reconvicted"},
    "all_events": {"kind": "count", "events": ["reconvicted", "sick", "fixed"]},
    "moves": {"kind": "count", "moves": ["home -> placed", "secure -> placed"]},
    "moves_and_events": {"kind": "count", "events": "sick", "moves": "placed -> home"},
    "moves_alone": {"kind": "amount", "per_move": {"home -> placed": 1}, "between_people_sd": 0.4},
    "sick_days": {"kind": "days", "events": ["sick", "away"]},
    "late_days": {"kind": "days", "events": ["fixed", "uniform", "weibull"], "from_day": 8, "to_day": 30},
    "works": {
        "kind": "binary",
        "at_month": 6,
        "probability": {"home": 0.6, "placed": 0.3, "secure": 0.1, "foster": 0.9},
        "odds_ratio_per_month_in": {"home": 1.6, "secure": 0.4, "foster": 0.5},
    },
    "lives_well": {"kind": "binary", "at_month": 12, "probability": {"home": 0.9, "placed": 0.5, "secure": 0, "foster": 1}},
    "wellbeing": {"kind": "score", "at_month": 6, "mean": 50, "sd": 10, "correlation": 0.6, "by_state": {"secure": -8}},
    "gain": {
        "kind": "score",
        "at_month": 9,
        "mean": 50,
        "sd": 10,
        "mean_at_entry": 40,
        "sd_at_entry": 12,
        "correlation": -0.3,
        "reported": "gain",
    },
    "out": {"kind": "reached", "states": ["home", "foster"], "stay_months": 3},
    "been_in_secure": {"kind": "reached", "states": "secure"},
    "few": {"kind": "target", "outcome": "reconvictions", "at_most": 1},
    "well": {"kind": "target", "outcome": "wellbeing", "at_least": 50},
    "dear": {"kind": "target", "outcome": "cost", "at_least": 500},
    "in_work": {"kind": "target", "outcome": "works", "at_most": 0},
    "card": {"kind": "claim", "prices": {"out": 100, "few": 50, "works": 200, "well": 25}, "cap_per_person": 260},
    "open_card": {"kind": "claim", "prices": {"in_work": 10, "been_in_secure": 3}},
}
ALL: dict[str, Any] = {
    "population": POPULATION,
    "pathway": PATHWAY,
    "events": EVENTS,
    "shocks": SHOCKS,
    "effect": EFFECT,
    "outcomes": OUTCOMES,
    "windows": (3, 6, 12, 14),
    "horizon": 26,
    "n_baseline": 4,
}


def _with_every_option() -> dict[str, Any]:
    """Build effects of each form on each kind of target, once on those who take part and once on all who were referred."""
    forms = {
        ("move", "placed -> home"): {"hazard_ratio": 2, "relative_risk": 0.6, "odds_ratio": 2.5, "difference": 0.05},
        ("move", "home -> placed"): {"hazard_ratio": 3},
        ("event", "away"): {"hazard_ratio": 0.5, "difference": 0.3, "length_ratio": 0.4},
        ("outcome", "yes"): {"hazard_ratio": 2, "relative_risk": 0.6, "odds_ratio": 2.5, "difference": 0.05},
        ("outcome", "score"): {"difference": 4},
    }
    fades = {"fades_after_months": 4, "half_life_months": 3}
    options = {
        "treated": {"strata": "young", "only_while_engaged": True, "ramp_months": 2} | fades,
        "referred": {"strata": ["older"], "reaches": "referred", "ramp_months": 1} | fades,
    }
    return {
        f"{on} {form} {whom}": {target: on, form: value} | more
        for (target, on), said in forms.items()
        for form, value in said.items()
        for whom, more in options.items()
    }


EVERY_OPTION: dict[str, Any] = {
    "effect": _with_every_option(),
    "population": {
        "waves": {"all": {"size": 12, "enrolment_months": 2}},
        "engagement": POPULATION["engagement"],
        "history_months": 2,
    },
    "events": {
        "away": {
            "rates": {"placed": {"rate_per_month": 0.8}, "home": {"rate_per_month": 0.8}},
            "length": {"kind": "fixed", "mean_days": 6},
        }
    },
    "outcomes": {
        "yes": {"kind": "binary", "at_month": 6, "probability": {"home": 0.6, "placed": 0.3, "secure": 0.5}},
        "score": {"kind": "score", "at_month": 6, "mean": 50, "sd": 10, "correlation": 0.5},
        "times": {"kind": "count", "events": "away"},
        "days": {"kind": "days", "events": "away"},
        "cost": {"kind": "amount", "per_day": {"placed": 3}},
    },
}
"""Each option of each effect. In every stratum all have the same hazards."""

ALL_ABREAST: dict[str, Any] = {
    "population": {"waves": {"all": {"size": 33, "enrolment_months": 4}}, "history_months": 5},
    "effect": {"e": {"move": "placed -> home", "hazard_ratio": 2, "ramp_months": 3}},
    "outcomes": {
        "card": {"kind": "claim", "prices": {"secure": 5}},
        "secure": {"kind": "reached", "states": "secure", "stay_months": 2},
        "cost": {"kind": "amount", "per_day": {"placed": 3}},
    },
}
"""A study whose people go abreast where there is compilation, and one by one where there is none."""
