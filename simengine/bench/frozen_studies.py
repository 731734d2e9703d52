"""The frozen studies: where they stand, what money is asked about, and what of them their answers hang on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from simengine.config import Study, find_study, load_study
from simengine.distributions import Sourced
from simengine.replications.ensemble import with_used_designs_alone

STUDIES = Path(__file__).resolve().parent / "studies"
_WORDS = {
    "Study": {"run", "known", "variants", "stresses", "sizing", "behaviour"},
    "StudyHeading": {"title", "sources", "takes_for_granted"},
    "Party": {"name"},
    "Contract": {"title", "sources", "published", "explained"},
    "MetricUse": {"meaning", "unit", "evaluator"},
}
"""By kind of section: what can change without a change of any answer. Everything else belongs to the problem."""


def study_of(name: str) -> Study:
    """Load a problem; those of the shipped studies are named like them, and Peterborough's comparison is by its exact moments."""
    path, variant = STUDIES / f"{name}.yaml", "exact_moments" if name == "peterborough" else None
    return with_used_designs_alone(load_study(path if path.exists() else find_study(name), variant=variant))


def money_column(study: Study) -> str:
    """Name the money that is asked about: the net, or the present value where the investor discounts."""
    rate = study.parties["investor"].discount_rate_per_year
    return "investor.npv" if rate is not None and rate.value == 0.05 else "investor.net"


def substance_of(node: Any) -> Any:
    """Turn a part of a study into plain data without its words; what stands at its default is left out, as in the file."""
    if isinstance(node, BaseModel):
        words = {"source", "certainty", "note"} if isinstance(node, Sourced) else _WORDS.get(type(node).__name__, set())
        fields = {name: getattr(node, name) for name in type(node).model_fields if name not in words}
        defaults = type(node).model_fields
        return {name: substance_of(value) for name, value in fields.items() if value != defaults[name].get_default()}
    if isinstance(node, Mapping):
        return {str(key): substance_of(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [substance_of(value) for value in node]
    return node
