"""A contract as text: what is written out and read again is the same contract, whatever terms it is made of."""

import pytest
from hypothesis import HealthCheck, given, settings

from simengine.config import load_contract, shipped_contracts
from simengine.config.document import read_document
from simengine.contract.spec import Contract
from simengine.report.document import as_text
from tests.conftest import sized
from tests.contract.random_contracts import contracts


@settings(max_examples=sized(50, 300), suppress_health_check=list(HealthCheck))
@given(contracts())
def test_text__to_terms_to_text_is_the_identity(tmp_path_factory, raw):
    # Invariant: terms -> text -> terms gives equal terms, and text -> terms -> text equal text.
    contract = Contract.model_validate(raw)
    path = tmp_path_factory.getbasetemp() / "contract.yaml"
    path.write_text(as_text(contract))

    again = load_contract(path)

    assert again == contract
    assert as_text(again) == path.read_text()


@pytest.mark.parametrize("path", shipped_contracts(), ids=lambda path: path.stem)
def test_shipped_contract__survives_being_written_out(tmp_path, path):
    contract = load_contract(path)
    (tmp_path / "again.yaml").write_text(as_text(contract))

    assert load_contract(tmp_path / "again.yaml") == contract


LOOK_ALIKES = [
    "1e-3",
    "1E5",
    ".5e3",
    "0o17",
    "0x1F",
    "0b11",
    "12:30:45",
    "2030-01-31",
    "007",
    "1_000",
    "yes",
    "NO",
    "null",
    "~",
    "",
    "=",
]
LOOK_ALIKES += [
    ".inf",
    "-.INF",
    ".nan",
    "<<",
    "a: b",
    "a # b",
    "- a",
    "*a",
    "&a",
    "!a",
    "@a",
    "%a",
    "it's",
    'say "no"',
    "x" * 200,
    "å\u00a0ä\n\nö ",
]


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_text__that_looks_like_something_else_stays_text(tmp_path, name):
    written = load_contract(shipped_contracts()[0]).model_copy(update={"title": name})

    (tmp_path / "again.yaml").write_text(as_text(written), encoding="utf-8")

    assert read_document(tmp_path / "again.yaml").content["title"] == name
