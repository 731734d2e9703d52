"""The promised effect, as one value for every number of the section `effect`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from pydantic import ValidationError

from simengine.cohort.spec import Effect
from simengine.config.study import Study
from simengine.distributions import Constant, Quantity, quantities_in
from simengine.errors import Finding, did_you_mean


def promise_of(study: Study) -> dict[str, float]:
    """Return the promised value of every number of `effect` by its path; if none, the median of its distribution."""
    return {path: _promised(study, path, number) for path, number in _numbers_of_effect(study).items()}


def as_promised(study: Study) -> Study:
    """Return the study with the promised effect in every replication; all other numbers keep their distributions and draws."""
    values = promise_of(study)
    return study.model_copy(update={"effect": {name: _with_values(name, effect, values) for name, effect in study.effect.items()}})


def promise_problems(study: Study) -> Iterator[Finding]:
    """Find promises of what is no number of the section `effect`, or of what such a number cannot be."""
    numbers = _numbers_of_effect(study)
    for path, promise in study.promise.items():
        if path not in numbers:
            known = f"Numbers there: {', '.join(numbers)}" if numbers else "The section `effect` is empty"
            way_out = did_you_mean(path, numbers, known)
            yield (
                f"promise.{path}",
                "a promise must be made of a number of the section `effect`, by its path",
                f"no `{path}`",
                way_out,
            )
            continue
        _, name, key = path.split(".", 2)
        try:
            written = study.effect[name].model_dump(mode="json", exclude_none=True, exclude_defaults=True)
            Effect.model_validate(written | {key: promise.value})
        except ValidationError as error:
            rule = error.errors()[0]["msg"].removeprefix("Value error, ").split("; found")[0]
            yield f"promise.{path}", rule, f"{promise.value:g}", ""


def _numbers_of_effect(study: Study) -> dict[str, Quantity]:
    return dict(quantities_in(study.effect, "effect"))


def _promised(study: Study, path: str, number: Quantity) -> float:
    if path in study.promise:
        return study.promise[path].value
    return float(number.inverse(np.array([0.5]))[0])


def _with_values(name: str, effect: Effect, values: Mapping[str, float]) -> Effect:
    keys = [key for key in type(effect).model_fields if f"effect.{name}.{key}" in values]
    return effect.model_copy(update={key: Constant(value=values[f"effect.{name}.{key}"], certainty="choice") for key in keys})
