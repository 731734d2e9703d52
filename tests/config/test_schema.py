"""The JSON Schema of what people write: it passes what the program reads, and refuses what has another structure."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from simengine.config.document import read_document
from simengine.config.schema import MODELS, schema_of, schema_text
from simengine.errors import UsageError
from tests.command import in_this_process
from tests.conftest import sized

FILES = {"study": "*.yaml", "contract": "contracts/*.yaml", "portfolio": "portfolios/*.yaml", "conformance": "conformance/*.json"}


@pytest.fixture(scope="module")
def schemas() -> dict[str, Draft202012Validator]:
    return {what: Draft202012Validator(schema_of(what)) for what in MODELS}


def shipped(what: str, checkout: Path) -> list[Path]:
    found = sorted((checkout / "configs").glob(FILES[what]))
    assert found
    return found


@pytest.mark.parametrize("what", list(MODELS))
def test_schema__is_a_schema_and_passes_every_shipped_file(what: str, schemas: dict, checkout: Path) -> None:
    Draft202012Validator.check_schema(schema_of(what))
    for path in shipped(what, checkout):
        errors = [
            f"{list(error.absolute_path)}: {error.message[:200]}"
            for error in schemas[what].iter_errors(read_document(path).content)
        ]
        assert errors == [], path.name


@pytest.mark.parametrize("what", list(MODELS))
def test_shipped_schema__is_that_of_the_models_and_named_in_every_file(what: str, checkout: Path) -> None:
    text = (checkout / "configs" / "schema" / f"{what}.json").read_text(encoding="utf-8")
    assert text == schema_text(what), f"run `simengine schema {what} > configs/schema/{what}.json`"
    assert json.loads(text) == schema_of(what)
    # JSON has no comment that could name it.
    for path in shipped(what, checkout) if what != "conformance" else ():
        line = path.read_text(encoding="utf-8").splitlines()[-1]
        assert line.startswith("# yaml-language-server: $schema=")
        assert (path.parent / line.partition("=")[2]).resolve() == checkout / "configs" / "schema" / f"{what}.json"


def places(content: Any, path: tuple = ()) -> Iterator[tuple]:
    yield path
    children = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for name, child in children:
        yield from places(child, (*path, name))


def some(every: list[tuple]) -> list[tuple]:
    """Places all over a file; all of them where there is time."""
    return every[:: max(len(every) // sized(30, len(every)), 1)]


def at(content: Any, path: tuple) -> Any:
    for name in path:
        content = content[name]
    return content


def is_read(what: str, content: Any) -> bool:
    try:
        MODELS[what].model_validate(content)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("name", ["tiny", "norrkoping"])
def test_schema__refuses_an_unknown_key_wherever_the_program_does(name: str, schemas: dict, checkout: Path) -> None:
    content = read_document(checkout / "configs" / f"{name}.yaml").content
    n_refused = 0
    for path in some([path for path in places(content) if isinstance(at(content, path), dict)]):
        if at(content, path).keys() == {"file"}:
            continue
        changed = copy.deepcopy(content)
        at(changed, path)["nonsense to be refused"] = 1
        if not is_read("study", changed | _without_files(changed)):
            n_refused += 1
            assert not schemas["study"].is_valid(changed), path
    assert n_refused > 20


@pytest.mark.parametrize("name", ["two_lenders"])
def test_schema__refuses_text_for_a_number_and_a_list_for_a_section(name: str, schemas: dict, checkout: Path) -> None:
    content = read_document(checkout / "configs" / f"{name}.yaml").content
    n_refused = 0
    for path in some(list(places(content))):
        here = at(content, path)
        wrong = "many" if isinstance(here, int | float) and not isinstance(here, bool) else [1] if isinstance(here, dict) else None
        if not path or wrong is None:
            continue
        changed = copy.deepcopy(content)
        at(changed, path[:-1])[path[-1]] = wrong
        if not is_read("study", changed | _without_files(changed)):
            n_refused += 1
            assert not schemas["study"].is_valid(changed), path
    assert n_refused > 20


def _without_files(content: dict) -> dict:
    """A contract or rates from a file of their own are put in before a study is read."""
    if content.get("contract", {}) != {"file": "contracts/norrkoping.yaml"}:
        return {}
    folder = Path(__file__).parents[2] / "configs"
    return {
        key: read_document(folder / content[key]["file"]).content for key in ("contract", "rates") if "file" in content.get(key, {})
    }


@pytest.mark.parametrize(
    ("what", "content", "is_valid"),
    [
        ("contract", {"title": "x"}, False),  # currency, commitment, metrics and terms are needed
        ("portfolio", {"nothing": 1}, False),
        ("conformance", {"conformance": 1, "words": "x"}, False),
        ("study", {"contract": {"file": "a.yaml"}, "more": 1}, False),
    ],
)
def test_schema__asks_for_what_is_needed(what: str, content: dict, is_valid: bool, schemas: dict) -> None:
    assert schemas[what].is_valid(content) == is_valid


def test_short_forms__are_described() -> None:
    quantity = json.dumps(schema_of("study")["$defs"]["Constant"])
    assert '{"type": "number"}' in quantity
    described = json.dumps(schema_of("study"))
    for form in ("lognormal", "interval_90", "rest", "dirichlet", "beside or below this one"):
        assert form in described
    # What stands below a field in the model is what an editor shows.
    assert "The most that the investor lends." in described


def test_command__prints_the_schema_or_says_of_what_there_is_one() -> None:
    done = in_this_process(["schema", "contract"])
    assert (done.returncode, done.stdout) == (0, schema_text("contract"))
    assert in_this_process(["schema"]).stdout == schema_text("study")
    wrong = in_this_process(["schema", "people"])
    assert wrong.returncode == 2
    assert "schema: must be one of study, contract, portfolio, conformance; found 'people'" in wrong.stderr
    with pytest.raises(UsageError):
        schema_of("people")
