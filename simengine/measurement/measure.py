"""Let the evaluator measure the service users against earlier people, and keep the truth beside it."""

from __future__ import annotations

import numpy as np

from simengine.errors import Problem, StudyError
from simengine.measurement.spec import Metric, Protocol
from simengine.records import BASELINE, SERVICE, TWIN, Floats, Measurements, Tallies, Worlds, add_in_order


def measure(protocol: Protocol, tallies: Tallies, binary: frozenset[str], worlds: Worlds) -> Measurements:
    """Estimate every metric of the protocol in every replication.

    Parameters
    ----------
    protocol
        The evaluation that the contract prescribes.
    tallies
        What happened to the people.
    binary
        The outcomes that are shares: their drift acts on the odds.
    worlds
        The parameters of each replication.

    Returns
    -------
    Estimate, the evaluator's own standard error, and the truth (service arm against its twin), each of shape
    (n_replications, n_metrics) and positive when the service users did better.

    Notes
    -----
    With n service users of total T and n_b earlier people of mean m_b:
    total difference = n m_b - T, with variance n^2 s_b^2 / n_b + n s^2; rate difference = m_b - T / n, with variance
    s_b^2 / n_b + s^2 / n (both with the sign turned where higher is better). The earlier people lived in a world that
    exp(drift x years) away, and the evaluator takes what it saw.
    """
    columns = [_measure_one(name, metric, tallies, binary, worlds) for name, metric in protocol.metrics.items()]
    estimate, standard_error, truth = (np.stack(column, axis=1) for column in zip(*columns, strict=True))
    people = tallies.n_people[:, :, SERVICE].astype(np.float64)
    return Measurements(
        tuple(protocol.metrics), estimate, standard_error, truth, _by_wave(protocol, tallies, binary, worlds, estimate), people
    )


def _by_wave(protocol: Protocol, tallies: Tallies, binary: frozenset[str], worlds: Worlds, estimate: Floats) -> Floats:
    """Estimate every metric for each wave alone, against the same earlier people: shape (replication, wave, metric)."""
    n_waves = tallies.n_people.shape[1]
    if n_waves == 1:
        return estimate[:, None, :]
    with np.errstate(all="ignore"):
        waves = [
            np.stack(
                [_compare(name, metric, tallies, binary, worlds, wave)[0] for name, metric in protocol.metrics.items()], axis=1
            )
            for wave in range(n_waves)
        ]
    return np.stack(waves, axis=1)


def _measure_one(
    name: str, metric: Metric, tallies: Tallies, binary: frozenset[str], worlds: Worlds
) -> tuple[Floats, Floats, Floats]:
    with np.errstate(all="ignore"):
        estimate, standard_error, truth = _compare(name, metric, tallies, binary, worlds)
    if not (np.isfinite(estimate).all() and np.isfinite(standard_error).all()):
        rule = "an estimate is a finite number in every replication"
        raise StudyError([Problem("the run", f"measurement.metrics.{name}", rule, "", "Check the drift, the years and the prices")])
    return estimate, standard_error, truth


def _compare(
    name: str, metric: Metric, tallies: Tallies, binary: frozenset[str], worlds: Worlds, wave: int | None = None
) -> tuple[Floats, Floats, Floats]:
    """Compare the service users, or those of one wave, with the earlier people and with their twins."""
    waves = {SERVICE: wave, TWIN: wave, BASELINE: None}
    mean, variance, n_people = zip(*(_moments(tallies, metric, arm, only) for arm, only in waves.items()), strict=True)
    n, n_baseline = n_people[SERVICE], n_people[BASELINE]
    growth = np.exp(worlds[f"measurement.metrics.{name}.drift_per_year"] * worlds["measurement.baseline.years_before"])
    seen = _odds_divided(mean[BASELINE], growth) if metric.outcome in binary else mean[BASELINE] / growth
    sign = 1.0 if metric.better == "lower" else -1.0
    scale = n if metric.estimate == "total_difference" else np.minimum(n, 1)
    estimate = sign * scale * (seen - mean[SERVICE])
    truth = sign * scale * (mean[TWIN] - mean[SERVICE])
    # The evaluator takes the earlier people as they stand, with the spread that goes with their level.
    if metric.outcome in binary:
        spread = seen * (1 - seen) * n_baseline / np.maximum(n_baseline - 1, 1)
    else:
        ratio = np.divide(seen, mean[BASELINE], out=np.ones_like(seen), where=mean[BASELINE] != 0)
        spread = variance[BASELINE] * ratio**2
    standard_error = scale * np.sqrt(spread / n_baseline + variance[SERVICE] / np.maximum(n, 1))
    return estimate, standard_error, truth


def _moments(tallies: Tallies, metric: Metric, arm: int, wave: int | None = None) -> tuple[Floats, Floats, Floats]:
    """Give mean and variance between persons of all waves or of one, and the number of persons; nobody has mean 0."""
    outcome, window = tallies.outcomes.index(metric.outcome), tallies.windows.index(int(metric.window_months.value))
    waves = slice(None) if wave is None else slice(wave, wave + 1)
    n = tallies.n_people[:, waves, arm].sum(axis=1).astype(np.float64)
    mean = add_in_order(tallies.sums[:, waves, arm, outcome, window].T) / np.maximum(n, 1)
    mean_square = add_in_order(tallies.squares[:, waves, arm, outcome, window].T) / np.maximum(n, 1)
    variance = np.maximum(mean_square - mean**2, 0.0) * n / np.maximum(n - 1, 1)
    return mean, variance, n


def _odds_divided(share: Floats, factor: Floats) -> Floats:
    """Divide the odds of a share by a factor: a share of 0 or 1 stays."""
    return share / (share + (1 - share) * factor)
