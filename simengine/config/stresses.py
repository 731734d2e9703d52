"""Stresses defined in a study: changed numbers, by path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationError, model_validator

from simengine.distributions import Constant, DirichletCount, Number, Sourced, Spec
from simengine.errors import LISTED_BY_CHECK, Finding, did_you_mean

if TYPE_CHECKING:
    from simengine.config.study import Study


class Stressed(Spec):
    """A changed number: a value, a quantile of its distribution, or a shift along its distribution."""

    value: Number | None = None
    """The number itself, one that it may have; it may be written bare; absent: another form."""
    quantile: Annotated[Number, Field(gt=0, lt=1)] | None = None
    """The quantile level at which it is fixed in every replication; absent: another form."""
    shift: Number | None = None
    """Standard deviations by which its normal score moves: -1.645 makes the median the 5 % quantile; absent: another form."""

    @model_validator(mode="before")
    @classmethod
    def _accept_bare_number(cls, raw: Any) -> Any:
        return raw if isinstance(raw, Mapping | Stressed) else {"value": raw}

    @model_validator(mode="after")
    def _one_form(self) -> Stressed:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            found = ", ".join(given) or "none of them"
            raise ValueError(f"a stressed number must have a `value`, a `quantile` or a `shift`; found {found}")
        return self

    def __str__(self) -> str:
        if self.value is not None:
            return f"{self.value:g}"
        return f"at its {100 * self.quantile:g} % quantile" if self.quantile is not None else f"{self.shift:+g} sd"


def stress_problems(study: Study, problems_of: Callable[[Study], list[Finding]]) -> Iterator[Finding]:
    """Find stresses of what is no number of the study, or of what a number cannot be."""
    numbers: Mapping[str, Sourced] = study.numbers if study.stresses else {}
    for name, stress in study.stresses.items():
        for path, stressed in stress.items():
            key, number = f"stresses.{name}.{path}", numbers.get(path)
            if number is None:
                way_out = did_you_mean(path, numbers, LISTED_BY_CHECK)
                yield key, "a stress must move a number of the study, by its path", f"no number `{path}`", way_out
            elif stressed.value is None and isinstance(number, Constant):
                yield (
                    key,
                    "a number at a quantile, or shifted along its distribution, must have a distribution",
                    f"{number} in every replication",
                    "Give a value",
                )
            elif stressed.value is not None and isinstance(number, DirichletCount):
                yield (
                    key,
                    "a share with a dirichlet distribution must be drawn with the others of its whole",
                    "a value",
                    "Give a quantile or a shift",
                )
            elif stressed.value is not None:
                yield from _impossible(study, key, path, stressed.value, problems_of)


def with_number(study: Study, path: str, value: float) -> Study:
    """Return the study in which a number has another value; its correlations and the study's own stresses are left out.

    Raises
    ------
    ValidationError
        If the number cannot have this value.
    """
    raw = study.model_dump(mode="json", exclude_defaults=True, exclude_none=True, exclude={"stresses", "variants"})
    raw["correlations"] = {name: one for name, one in raw.get("correlations", {}).items() if path not in one["between"]}
    node, words = raw, path.split(".")
    for word in words[:-1]:
        node = node[int(word)] if isinstance(node, list) else node.setdefault(word, {})
    last: Any = int(words[-1]) if isinstance(node, list) else words[-1]
    node[last] = {"value": value, "certainty": "choice"}
    return type(study).model_validate(raw)


def _impossible(
    study: Study, key: str, path: str, value: float, problems_of: Callable[[Study], list[Finding]]
) -> Iterator[Finding]:
    try:
        changed = with_number(study, path, value)
    except ValidationError as error:
        rule = error.errors()[0]["msg"].removeprefix("Value error, ").split("; found")[0]
        yield key, rule, f"{value:g}", ""
        return
    for where, rule, found, way_out in problems_of(changed):
        yield key, f"the stressed study must hold together: {where}: {rule}", found, way_out
