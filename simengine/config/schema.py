"""The JSON Schema of what people write: studies, contracts, portfolios and conformance files with all their short forms.

It follows from the models that read the files. An editor that has it completes keys and marks what is unknown; what numbers must
be to each other, and every rule between sections, `simengine check` alone can say.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Any, is_typeddict

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from simengine.asked import one_of_words
from simengine.config.conformance import ConformanceFile
from simengine.config.load import INCLUDABLE
from simengine.config.portfolio import Portfolio
from simengine.config.study import Study
from simengine.contract.spec import Contract
from simengine.distributions import Constant, spelled
from simengine.distributions.names import one_or_several

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MODELS: Mapping[str, type[BaseModel]] = {
    "study": Study,
    "contract": Contract,
    "portfolio": Portfolio,
    "conformance": ConformanceFile,
}
_FILES = {
    "study": "file that holds a study",
    "contract": "file that holds a contract",
    "portfolio": "file that holds a portfolio",
    "conformance": "file that holds a contract and cases with known payments",
}
_BARE = {"Constant": "value", "FixedAmount": "amount", "Stressed": "value"}
"""Models that may be written as a bare number, by the key for which it stands."""


class _AsWritten(GenerateJsonSchema):
    """Describe what stands in a file, before short forms are written out."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        """Leave titles out, which would say the key once more."""
        return False

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        """Describe text by its pattern, and a list that may be one name."""
        described = super().function_before_schema(schema)
        function = schema["function"]["function"]
        if isinstance(function, spelled):
            return {"type": "string", "pattern": f"^({function.pattern.pattern})$", "description": function.rule}
        if function is one_or_several:
            return {"anyOf": [{"type": "string"}, described]}
        return described

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """Describe a choice: which of the forms is meant the reader sees by a key; several may look alike to a schema."""
        described = super().tagged_union_schema(schema)
        return {"anyOf": described["oneOf"]} if "oneOf" in described else described

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Describe a mapping whose keys somebody chooses: no others than its keys may be."""
        described = super().dict_schema(schema)
        return described | {"additionalProperties": False} if "patternProperties" in described else described

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Describe a model, or the number that may stand for it."""
        described = super().model_schema(schema)
        sentences = meanings(schema["cls"])
        for key, field in described.get("properties", {}).items():
            # A word of Python ends in an underscore there: `from_`.
            for name in (key, f"{key}_"):
                if name in sentences:
                    field["description"] = sentences[name]
        name = schema["cls"].__name__
        if name not in _BARE:
            return described
        forms = [{"type": "number"}, described]
        if name == "FixedAmount":
            forms.append(Constant.model_json_schema())
        return {"anyOf": forms}


def meanings(model: type[Any]) -> dict[str, str]:
    """Return the sentences that stand below the fields of a model or a record, and of those that it extends, by field."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if base.__module__.startswith("simengine."):
            found |= _meanings_in(base.__module__).get(base.__name__, {})
    return found


@cache
def _meanings_in(module: str) -> dict[str, dict[str, str]]:
    """Return the same of every class of a module, by class and field: what its source says, and no interpreter keeps."""
    found: dict[str, dict[str, str]] = {}
    for one in ast.parse(inspect.getsource(sys.modules[module])).body:
        if isinstance(one, ast.ClassDef):
            found[one.name] = {}
            for base in (base.id for base in one.bases if isinstance(base, ast.Name)):
                # At run time a typed dictionary does not know what it extends.
                extended: Any = vars(sys.modules[module]).get(base)
                is_elsewhere = is_typeddict(extended) and extended.__module__ != module
                found[one.name] |= meanings(extended) if is_elsewhere else found.get(base, {})
            for field, below in pairwise(one.body):
                is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
                if is_text and isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    found[one.name][field.target.id] = " ".join(str(below.value.value).split())  # type: ignore[attr-defined]
    return found


def schema_text(what: str) -> str:
    """Return the JSON Schema as a file holds it: a line for each definition, so that a change shows where it is."""
    described = schema_of(what)
    lines = [f"{json.dumps(key)}: {_compact(value)}" for key, value in described.items() if key != "$defs"]
    below = ",\n".join(f" {json.dumps(name)}: {_compact(value)}" for name, value in described.get("$defs", {}).items())
    return "{\n" + ",\n".join([*lines, f'"$defs": {{\n{below}\n}}']) + "\n}\n"


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def schema_of(what: str) -> dict[str, Any]:
    """Return the JSON Schema of a study, a contract, a portfolio or a conformance file as people write it.

    Parameters
    ----------
    what
        `study`, `contract`, `portfolio` or `conformance`.

    Raises
    ------
    UsageError
        If it is none of these.

    Examples
    --------
    >>> schema_of("study")["title"]
    'simengine: a study'
    """
    model = MODELS[one_of_words(what, "schema", tuple(MODELS))]
    described = model.model_json_schema(by_alias=True, mode="validation", schema_generator=_AsWritten)
    if what == "study":
        for section, noun in INCLUDABLE.items():
            file = {
                "type": "object",
                "properties": {"file": {"type": "string", "description": f"{noun}, beside or below this one"}},
                "required": ["file"],
                "additionalProperties": False,
            }
            described["properties"][section] = {"anyOf": [file, described["properties"][section]]}
    noun = "conformance file" if what == "conformance" else what
    head = {"$schema": DIALECT, "title": f"simengine: a {noun}", "description": f"What a {_FILES[what]} may say."}
    return {**head, **{key: value for key, value in described.items() if key not in head}}
