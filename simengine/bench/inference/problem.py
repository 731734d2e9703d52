"""A problem of inference: a prior, a simulator, ten observed data sets, and the posterior of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simengine.arrays import Floats
from simengine.bench.card import Card, Judgement
from simengine.bench.inference.scores import classifier_accuracy, crps_of_sample, log_score_of_sample
from simengine.bench.problem import SMALLEST_UNIFORM, mapping_in, probed_uniforms, refuse_unknown, samples_in, six_digits
from simengine.bench.refusals import BadAnswerError
from simengine.errors import UsageError
from simengine.streams import generator_of

INSTANCES = 10
_SEED_OF_DATA = 2026
_REFERENCE_SIZE = 2000
_FEWEST, _MOST = 20, 1_000_000
_COVERED = 0.9


@dataclass(frozen=True)
class InferenceProblem:
    """Parameters behind observed data."""

    card: Card
    parameters: tuple[str, ...]
    data: tuple[str, ...]
    prior: Callable[[Floats], Floats]
    """From uniforms, shape (n, n_parameters), to parameters of the same shape."""
    simulator: Callable[[Floats, Floats], Floats]
    """From parameters, shape (n, n_parameters), and uniforms, shape (n, dimension), to data, shape (n, n_data)."""
    dimension: int
    log_likelihood: Callable[[Floats, Floats], Floats]
    """From parameters, shape (n, n_parameters), and observed data, shape (n_data,), to a logarithm each, up to a constant."""
    posterior: Callable[[Floats, Floats], Floats]
    """From observed data, shape (n_data,), and uniforms, shape (n, n_parameters), to a sample of the posterior."""
    by_wave: Callable[[Floats, Floats], Floats] | None = None
    """From parameters, shape (n, n_parameters), and observed data to the log-likelihood of every wave, shape (n, waves): each number of the
    data is what one wave came to. Nothing where the data do not come in waves.
    """
    constants: Mapping[str, Any] = field(default_factory=dict)
    """The prior and the simulator in words and numbers, as far as a method may want them."""
    person_periods: float = 1.0
    instances: int = INSTANCES
    tables_hash: str = ""

    def work_of(self, parameters: Mapping[str, Any]) -> float:  # noqa: ARG002
        """Return what a replication counts against a budget."""
        return 1.0

    def truth_and_data(self, instance: int) -> tuple[Floats, Floats]:
        """Return the hidden truth of a data set, shape (n_parameters,), and the data, shape (n_data,)."""
        drawn = generator_of(_SEED_OF_DATA, f"bench/{self.card.name}/{instance}").random((1, len(self.parameters) + self.dimension))
        points = np.maximum(drawn, SMALLEST_UNIFORM)
        truth = self.prior(points[:, : len(self.parameters)])
        return truth[0], self.simulator(truth, points[:, len(self.parameters) :])[0]

    def describe(self, instance: int = 0) -> dict[str, Any]:
        """Return names, what was observed, and the spread of the prior."""
        return {
            "family": self.card.family,
            "parameters": list(self.parameters),
            "data": list(self.data),
            "observed": self.truth_and_data(instance)[1],
            "prior_mean": self._prior_sample.mean(axis=0),
            "prior_sd": self._prior_sample.std(axis=0),
            "constants": dict(self.constants),
            "waves": len(self.data) if self.by_wave else 1,
        }

    @property
    def _prior_sample(self) -> Floats:
        drawn = generator_of(_SEED_OF_DATA, f"bench/{self.card.name}/prior").random((_REFERENCE_SIZE, len(self.parameters)))
        return self.prior(np.maximum(drawn, SMALLEST_UNIFORM))

    def simulate(self, parameters: Mapping[str, Any], replications: int, seed: int, instance: int = 0) -> dict[str, Floats]:
        """Simulate data; parameters: `theta`, shape (replications, n_parameters), else drawn from the prior.

        `log_likelihood` is that of the observed data at each theta, up to a constant; where the data come in waves, the one before the
        other, `log_likelihood_by_wave`, shape (replications, waves), is that of each.
        """
        refuse_unknown(parameters, ("theta",))
        d = len(self.parameters)
        points = np.maximum(
            generator_of(seed, f"bench/{self.card.name}").random((replications, d + self.dimension)), SMALLEST_UNIFORM
        )
        theta = self.prior(points[:, :d]) if parameters.get("theta") is None else self.given(parameters["theta"], replications)
        observed = self.truth_and_data(instance)[1]
        data = self.simulator(theta, points[:, d:])
        found = {"theta": theta, "data": data, "log_likelihood": self.log_likelihood(theta, observed)}
        return found if self.by_wave is None else {**found, "log_likelihood_by_wave": self.by_wave(theta, observed)}

    def given(self, given: Any, replications: int) -> Floats:
        """Return the parameters that a method gives, shape (replications, n_parameters).

        Raises
        ------
        UsageError
            If they have another shape or are not finite.
        """
        theta, shape = np.asarray(given, dtype=np.float64), (replications, len(self.parameters))
        if theta.shape != shape:
            raise UsageError(f"theta: must have the shape {shape}; found {theta.shape}")
        if not bool(np.isfinite(theta).all()):
            raise UsageError("theta: must be finite; found a number that is not")
        return theta

    def reference_sample(self, instance: int) -> Floats:
        """Return a sample of the reference posterior, shape (2,000, n_parameters)."""
        drawn = generator_of(_SEED_OF_DATA, f"bench/{self.card.name}/posterior").random((_REFERENCE_SIZE, len(self.parameters)))
        return self.posterior(self.truth_and_data(instance)[1], np.maximum(drawn, SMALLEST_UNIFORM))

    def evaluate(self, answer: Any, instance: int = 0) -> tuple[Judgement, ...]:
        """Judge `{"samples": array}`, shape (n, n_parameters), of equal weight, 20 or more of them."""
        sample = self._sample(mapping_in(answer))
        truth, reference = self.truth_and_data(instance)[0], self.reference_sample(instance)
        prior_sd, sd = self._prior_sample.std(axis=0), reference.std(axis=0)
        columns = range(len(self.parameters))
        low, high = np.quantile(sample, [(1 - _COVERED) / 2, (1 + _COVERED) / 2], axis=0)
        own_sd = np.maximum(sample.std(axis=0), 1e-12)
        return (
            # Worse than guessing is chance: it counts as much as better than guessing.
            Judgement("c2st", 0.5 + abs(classifier_accuracy(sample, reference) - 0.5)),
            Judgement("mean_error", float(np.max(np.abs(sample.mean(axis=0) - reference.mean(axis=0)) / sd))),
            Judgement("sd_error", float(np.max(np.abs(np.log(own_sd / sd))))),
            Judgement("crps", float(np.mean([crps_of_sample(sample[:, j], truth[j]) / prior_sd[j] for j in columns]))),
            Judgement(
                "log_score",
                float(np.mean([log_score_of_sample(sample[:, j] / prior_sd[j], truth[j] / prior_sd[j]) for j in columns])),
            ),
            Judgement("covered_90", float(np.mean((low <= truth) & (truth <= high))), is_error=False),
        )

    def _sample(self, given: Mapping[str, Any]) -> Floats:
        rule = f"answer: samples must be numbers of the shape (n, {len(self.parameters)}), n from {_FEWEST}"
        sample = samples_in(given, rule)
        if sample.ndim != 2 or sample.shape[1] != len(self.parameters) or not _FEWEST <= len(sample) <= _MOST:
            raise BadAnswerError(f"{rule}; found the shape {sample.shape}")
        if not bool(np.isfinite(sample).all()):
            raise BadAnswerError(f"{rule}; found a number that is not finite")
        return sample

    def remade(self) -> dict[str, Any]:
        """Work out mean and standard deviation of every reference posterior anew."""
        samples = [self.reference_sample(instance) for instance in range(self.instances)]
        return {
            "mean": [sample.mean(axis=0).tolist() for sample in samples],
            "sd": [sample.std(axis=0).tolist() for sample in samples],
        }

    def substance(self) -> dict[str, Any]:
        """Return the description, and what prior and simulator make of fixed uniforms."""
        d = len(self.parameters)
        points = np.maximum(probed_uniforms(d + self.dimension), SMALLEST_UNIFORM)
        theta = self.prior(points[:, :d])
        observed = [self.truth_and_data(instance)[1] for instance in range(self.instances)]
        probe = {"theta": theta, "data": self.simulator(theta, points[:, d:]), "observed": np.array(observed)}
        named = {"family": self.card.family, "parameters": self.parameters, "data": self.data, "constants": dict(self.constants)}
        return {**named, "probe": six_digits(probe)}
