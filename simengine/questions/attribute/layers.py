"""The four layers of uncertainty, and how each is redrawn by itself.

- *parameters*: the numbers of the study that have a distribution, unless their `layer` says otherwise;
- *environment*: shocks, sites, referral volume, the record of a reference class;
- *sampling*: the people served and their outcomes;
- *measurement*: the comparison groups, and the evaluator's own errors.

People of a comparison group belong to measurement, not sampling: a larger or better comparison reduces their variation, and nothing
that the service does could. Every draw is addressed by the name of its decision, so a layer is redrawn by giving its decisions
another seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations

from simengine.asked import MAX_SEED
from simengine.cohort import purposes_of_people
from simengine.config import Study, cohort_of
from simengine.distributions import Quantity
from simengine.distributions.sourced import Layer
from simengine.errors import UsageError
from simengine.sampling import distributions_of
from simengine.streams import purpose_number

LAYERS: tuple[Layer, ...] = ("parameters", "environment", "sampling", "measurement")
"""From what is settled first to what is settled last: the order of the nested decomposition."""
_OF_REPLICATION = ("population.waves.", "shocks.", "environment.")


def layer_of_number(path: str, number: Quantity) -> Layer:
    """Return the layer of a number: as tagged, otherwise environment for volume and shocks, and parameters for the rest."""
    if "layer" in number.model_fields_set or number.layer != "parameters":
        return number.layer
    return "environment" if path.startswith(_OF_REPLICATION) else "parameters"


def layer_of_decision(study: Study) -> Callable[[str], Layer]:
    """Return the layer of every decision that is drawn, from its name."""
    numbers = {f"parameter/{path}": layer_of_number(path, number) for path, number in study.numbers.items()}
    served = tuple(f"people/{wave}/" for wave in study.population.waves)

    def layer(purpose: str) -> Layer:
        if purpose in numbers:
            return numbers[purpose]
        if purpose.startswith("world/"):
            return "environment"
        return "sampling" if purpose.startswith(served) else "measurement"

    return layer


def layers_in(study: Study) -> tuple[Layer, ...]:
    """List the layers in which something is drawn, in the order of `LAYERS`; the others cannot change anything."""
    numbers = study.numbers
    drawn = {layer_of_number(path, numbers[path]) for path in distributions_of(numbers)}
    others, metrics = cohort_of(study).comparisons, study.measurement.measured.values()
    if others.n_baseline or others.control_ratio or others.parallel_ratio or others.matching is not None:
        drawn.add("measurement")
    if any(one is not None for metric in metrics for one in (metric.attrition, metric.misclassification, metric.redefined)):
        drawn.add("measurement")
    if study.population.sites or any(shock.factor is None for shock in study.shocks.values()):
        drawn.add("environment")
    if purposes_of_people(cohort_of(study)):
        drawn.add("sampling")
    return tuple(layer for layer in LAYERS if layer in drawn)


def seeds_with(study: Study, seed: int, redrawn: Iterable[Layer]) -> Callable[[str], int]:
    """Return the seed of every decision where some layers are drawn anew."""
    layer, anew = layer_of_decision(study), frozenset(redrawn)
    other = {name: seed ^ (purpose_number(f"another {name}") << 32 & MAX_SEED) for name in LAYERS}

    def seed_of(purpose: str) -> int:
        name = layer(purpose)
        return other[name] if name in anew else seed

    return seed_of


def coalitions(n_layers: int) -> list[frozenset[int]]:
    """List all sets of layers, by their places; the empty one first."""
    return [frozenset(one) for size in range(n_layers + 1) for one in combinations(range(n_layers), size)]


def refuse_across_layers(study: Study) -> None:
    """Refuse numbers that go together and lie in different layers: no share of theirs belongs to one layer alone."""
    numbers = study.numbers
    for name, correlation in study.correlations.items():
        layers = [layer_of_number(path, numbers[path]) for path in correlation.between]
        if layers[0] != layers[1]:
            raise UsageError(
                f"correlations.{name}: numbers that go together must lie in one layer; "
                f"found {correlation.between[0]} in {layers[0]} and "
                f"{correlation.between[1]} in {layers[1]}. Give both the same `layer`"
            )
