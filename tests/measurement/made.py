"""Tallies that are made by hand, or drawn from a distribution: what the tests of the evaluator feed it with."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from simengine.measurement import measure
from simengine.measurement.spec import Protocol
from simengine.records import ARMS, Draws, Tallies

DEFAULTS = {
    "measurement.baseline.years_before": 0.0,
    "measurement.matched.hidden_bias": 0.0,
    "measurement.parallel.level": 0.0,
    "measurement.parallel.trend_gap_per_year": 0.0,
    "measurement.rate_card.deadweight": 0.0,
    "measurement.rate_card.double_claims": 0.0,
    "measurement.control.clusters.intra_cluster_correlation": 0.0,
}
SECTIONS = {
    "historical": {"baseline": {"size": 2, "years_before": 0}},
    "randomised": {"control": {}},
    "matched": {"matched": {"per_person": 1}},
    "difference_in_differences": {"parallel": {}},
    "rate_card": {"rate_card": {"deadweight": 0}},
    "before_after": {},
}
WINDOW = 12


def tallies_of(*waves, history=WINDOW, sites=None):
    """Make tallies from the people of each wave: by arm, the values (replication, person), or those, values before and weights.

    What is not asked for holds numbers that would be noticed.
    """
    arms = [{arm: as_parts(people) for arm, people in wave.items()} for wave in waves]
    n = max(part[0].shape[0] for wave in arms for part in wave.values())
    shape = (n, len(waves), len(ARMS))
    weight, weight_squares, n_people = np.zeros(shape), np.zeros(shape), np.zeros(shape, np.int64)
    many = {name: np.full((*shape, 2, 2), 1e9) for name in ("sums", "squares", "products_with_before")}
    before = {name: np.full((*shape, 2), 1e9) for name in ("sums_before", "squares_before")}
    for values in many.values():
        values[..., 0, 1] = 0.0
    for values in before.values():
        values[..., 0] = 0.0
    for w, wave in enumerate(arms):
        for arm, (x, b, weights) in wave.items():
            at = (slice(None), w, ARMS.index(arm))
            n_people[at] = x.shape[1]
            weight[at], weight_squares[at] = weights.sum(axis=1), (weights**2).sum(axis=1)
            for name, value in (("sums", x), ("squares", x**2), ("products_with_before", x * b)):
                many[name][(*at, 0, 1)] = (weights * value).sum(axis=1)
            for name, value in (("sums_before", b), ("squares_before", b**2)):
                before[name][(*at, 0)] = (weights * value).sum(axis=1)
    return Tallies(
        states=("home",),
        outcomes=("events", "other"),
        windows=(6, WINDOW),
        history_months=history,
        milestones={},
        n_people=n_people,
        weight=weight,
        weight_squares=weight_squares,
        **many,
        **before,
        person_months=np.zeros((*shape, 1, 2)),
        by_year=np.zeros((*shape, 2, 2)),
        combinations={},
        clipped=np.zeros(n, np.int64),
        sites=sites or {},
    )


def as_parts(people):
    x, *rest = people if isinstance(people, tuple) else (people,)
    x = np.atleast_2d(np.asarray(x, np.float64))
    b = np.zeros_like(x) if not rest else np.broadcast_to(np.asarray(rest[0], np.float64), x.shape)
    weights = np.ones_like(x) if len(rest) < 2 else np.broadcast_to(np.asarray(rest[1], np.float64), x.shape)
    return x, b, weights


def of_share(n, yes, *, before=None, both=None):
    """Make the one replication of a group of n people, some of whom said yes, some before, some of both times."""
    x, b = np.zeros(n), np.zeros(n)
    x[:yes] = 1
    if before is not None:
        overlap = both if both is not None else 0
        b[:overlap], b[yes : yes + before - overlap] = 1, 1
    return x, b


def protocol_of(design, metrics, **sections):
    """Return a protocol with the section that its design needs."""
    usual = {"outcome": "events", "window_months": WINDOW, "estimate": "rate_difference", "better": "lower"}
    named = metrics if metrics and all(isinstance(value, Mapping) for value in metrics.values()) else {"metric": metrics or {}}
    return Protocol.model_validate(
        {"design": design, **SECTIONS.get(design, {}), **sections, "metrics": {key: usual | value for key, value in named.items()}}
    )


def with_pair(tallies, *waves):
    """Add the second outcome and its products with the first: by wave and arm, the values of both, and perhaps weights."""
    shape = (*tallies.weight.shape, 1, 2)
    sums, squares, products = tallies.sums.copy(), tallies.squares.copy(), np.full(shape, 1e9)
    products[..., 1] = 0.0
    sums[..., 1, 1] = squares[..., 1, 1] = 0.0
    for w, wave in enumerate(waves):
        for arm, (x, p, *weights) in wave.items():
            x, p = (np.atleast_2d(np.asarray(values, np.float64)) for values in (x, p))
            weight, at = (weights[0] if weights else np.ones_like(x)), (slice(None), w, ARMS.index(arm))
            sums[(*at, 1, 1)], squares[(*at, 1, 1)] = (weight * p).sum(axis=1), (weight * p**2).sum(axis=1)
            products[(*at, 0, 1)] = (weight * x * p).sum(axis=1)
    return replace(tallies, sums=sums, squares=squares, pairs=(("events", "other"),), pair_products=products)


def draws_of(protocol, n, numbers, seed=1):
    """Return the numbers of a protocol in n replications: those of the file, but where others are given."""
    values = dict(DEFAULTS)
    for name, metric in protocol.metrics.items():
        path = f"measurement.metrics.{name}"
        values[f"{path}.drift_per_year"] = metric.drift_per_year.value
        for part in ("attrition", "misclassification", "shrinkage", "prices"):
            section = getattr(metric, part)
            for key in type(section).model_fields if section is not None else ():
                if getattr(section, key) is not None:
                    values[f"{path}.{part}.{key}"] = getattr(section, key).value
    for name, weight in (protocol.mix or {}).items():
        values[f"measurement.mix.{name}"] = weight.value
    for part in ("baseline", "control", "matched", "parallel", "rate_card"):
        section = getattr(protocol, part)
        for key in ("years_before", "hidden_bias", "level", "trend_gap_per_year", "deadweight", "double_claims"):
            if section is not None and key in type(section).model_fields:
                values[f"measurement.{part}.{key}"] = getattr(section, key).value
    if protocol.control is not None and protocol.control.clusters is not None:
        number = protocol.control.clusters.intra_cluster_correlation.value
        values["measurement.control.clusters.intra_cluster_correlation"] = number
    values |= numbers
    return Draws(seed, np.arange(n), {path: np.array(np.broadcast_to(value, n), np.float64) for path, value in values.items()})


def measured(tallies, design="historical", *, kind="amount", waves=None, numbers=None, sections=None, seed=1, **metrics):
    """Measure tallies by one design; metrics are changes to a difference in rates where less is better."""
    protocol = protocol_of(design, metrics, **(sections or {}))
    waves = waves or tuple(f"w{i}" for i in range(tallies.weight.shape[1]))
    draws = draws_of(protocol, len(tallies.clipped), numbers or {}, seed)
    return measure(protocol, tallies, {"events": kind, "other": "amount"}, waves, draws)


def told(measurements):
    """Return estimate, standard error and truth of the first metric of the first replication."""
    return tuple(float(getattr(measurements, name)[0, 0]) for name in ("estimate", "standard_error", "truth"))
