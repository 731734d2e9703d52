"""The frozen problems: their studies, their reference answers, and a fingerprint that says when a study is another one.

Run with `python -m benchmarks.problems.frozen`: it prints the fingerprints, which stand in `reference.json` as `study`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from simengine.config import Study, load_study
from simengine.distributions import Sourced
from simengine.errors import SimengineError
from simengine.replications.ensemble import with_used_designs_alone

FOLDER = Path(__file__).resolve().parent
_WORDS = {
    "Study": {"run", "known", "variants", "stresses", "sizing", "behaviour"},
    "StudyHeading": {"title", "sources", "takes_for_granted"},
    "Party": {"name"},
    "Contract": {"title", "sources", "published", "explained"},
    "MetricUse": {"meaning", "unit", "evaluator"},
}
"""By kind of section: what can change without a change of any answer. Everything else belongs to the problem."""


class ChangedProblemError(SimengineError):
    """A study is not the one whose answers are known."""


def references() -> dict[str, dict[str, Any]]:
    """Return the frozen answers: by problem, where they come from, the fingerprint of its study, and value and error of each."""
    found: dict[str, dict[str, Any]] = json.loads((FOLDER / "reference.json").read_text())
    return found


def study_of(name: str) -> Study:
    """Load a problem; those of the shipped studies are named like them, and Peterborough's comparison is by its exact moments."""
    path, variant = FOLDER / f"{name}.yaml", "exact_moments" if name == "peterborough" else None
    shipped = FOLDER.parent.parent / "configs" / f"{name}.yaml"
    return with_used_designs_alone(load_study(path if path.exists() else shipped, variant=variant))


def column_of(study: Study) -> str:
    """Name the money that is asked about: the net, or the present value where the investor discounts."""
    rate = study.parties["investor"].discount_rate_per_year
    return "investor.npv" if rate is not None and rate.value == 0.05 else "investor.net"


def frozen_study(name: str) -> Study:
    """Load a problem whose answers are known.

    Raises
    ------
    ChangedProblemError
        If its study has another fingerprint than the answers in `reference.json`.
    """
    study, frozen = study_of(name), references()[name]["study"]
    if (found := fingerprint(study)) != frozen:
        raise ChangedProblemError(
            f"{name}: the study is the one whose answers stand in reference.json ({frozen[:12]}...); found another one "
            f"({found[:12]}...). Undo the change of the study, or work its answers out anew and freeze both together (README.md)"
        )
    return study


def fingerprint(study: Study) -> str:
    """Return the SHA-256 of all that the answers of a problem hang on; words about it, and how it is run, leave it alone."""
    text = json.dumps(_substance(study), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _substance(node: Any) -> Any:
    """Turn a part of a study into plain data without its words; what stands at its default is left out, as in the file."""
    if isinstance(node, BaseModel):
        words = {"source", "certainty", "note"} if isinstance(node, Sourced) else _WORDS.get(type(node).__name__, set())
        fields = {name: getattr(node, name) for name in type(node).model_fields if name not in words}
        defaults = type(node).model_fields
        return {name: _substance(value) for name, value in fields.items() if value != defaults[name].get_default()}
    if isinstance(node, Mapping):
        return {str(key): _substance(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_substance(value) for value in node]
    return node


if __name__ == "__main__":
    print(json.dumps({name: fingerprint(study_of(name)) for name in references()}, indent=1))
