"""A small study for the people with whom an evaluator compares: spells that happen to employees, a year before and a year after."""

from copy import deepcopy

from simengine.config import Study
from simengine.config.consistency import study_problems
from simengine.config.units import unit_problems

SMALL = {
    "study": {"title": "Spells", "currency": "SEK", "start": "2030-01", "horizon_months": 24},
    "parties": {who: {"name": who, "discount_rate_per_year": 0.0} for who in ("investor", "outcome_payer", "service_provider")},
    "population": {
        "history_months": 12,
        "waves": {"one": {"size": 100, "enrolment_months": 1}},
        "strata": {"all": {"share": 1}},
        "frailties": {"person": {"variance": 1.0, "on": ["spell"]}},
    },
    "pathway": {"states": ["at_work"], "start": {"all": {"at_work": 1}}, "moves": {}},
    "events": {"spell": {"rates": {"at_work": {"rate_per_year": 1.5}}}},
    "effect": {"fewer": {"event": "spell", "hazard_ratio": 1.0}},
    "outcomes": {"spells": {"kind": "count", "events": "spell"}, "any": {"kind": "target", "outcome": "spells", "at_least": 1}},
    "measurement": {
        "design": "before_after",
        "metrics": {"reduction": {"outcome": "spells", "window_months": 12, "estimate": "relative_reduction", "better": "lower"}},
    },
    "contract": {
        "title": "Pay at ten per cent",
        "currency": "SEK",
        "commitment": 1_000_000,
        "metrics": {"reduction": {"meaning": "fewer spells", "unit": "share"}},
        "terms": {"payment": {"share": 1.0, "of": "drawn", "only_if": {"reduction": {"at_least": 0.10}}}},
    },
    "capital": {"drawn_share": 1.0, "drawdown_months": 6, "payment_month": {"payment": 24}},
    "public_value": {},
    "run": {"replications": 10},
}


def content_of(changes):
    """Change the content of the small study by path."""
    content = deepcopy(SMALL)
    for path, value in changes.items():
        *above, last = path.split(".")
        node = content
        for key in above:
            node = node.setdefault(key, {})
        node[last] = value
    return content


def problems_of(**changes):
    """Return what is refused about a changed study: paths, in order."""
    return [
        finding[0]
        for finding in study_problems(Study.model_validate(content_of({k.replace("__", "."): v for k, v in changes.items()})))
    ]


def unit_in(way_out):
    """Read the unit that the way out of a message names, the first of several."""
    named = way_out.split("`unit: ")[1].split("`")[0]
    return named.split(",")[0] + (" per person" if "," in named and named.endswith("per person") else "")


def study_of(changes=None):
    """Return the small study with changes by path; it must be sound. A metric has the unit that its estimate yields."""
    study = Study.model_validate(content_of(changes or {}))
    units = {path: unit_in(way_out) for path, _, _, way_out in unit_problems(study)}
    study = Study.model_validate(content_of((changes or {}) | units)) if units else study
    assert list(study_problems(study)) == []
    return study
