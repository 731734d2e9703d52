"""The command that looks back, as its user meets it."""

import json

import pytest
from click.testing import CliRunner

from simengine.cli.main import commands
from simengine.config import find_study
from simengine.errors import UsageError

KNOWN = "\nknown:\n  better: {of: metric.school.estimate, stands: above, value: 0, certainty: Q}\n"


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(find_study("tiny").read_text() + KNOWN)
    return path


def run(*arguments):
    return CliRunner().invoke(commands, [str(argument) for argument in arguments], standalone_mode=False)


def test_retrospect__prints_one_object_with_its_provenance(study):
    content = json.loads(run("retrospect", study, "-n", 300, "--seed", 1, "--given", "better", "--json").output)

    assert set(content["known"]) == {"better"}
    assert content["update"]["given"] == ["better"]
    assert content["update"]["probabilities"]["metric.school.estimate > 0"]["updated"]["value"] == 1
    assert content["provenance"]["settings"]["given"] == ["better"]


def test_retrospect__shows_a_sentence_and_writes_a_folder(study, tmp_path):
    out = tmp_path / "out"
    done = run("retrospect", study, "-n", 300, "--seed", 1, "--given", "better", "-o", out)

    assert "better (metric.school.estimate above 0): it had a probability of" in done.output.replace("\n", " ")
    assert {path.name for path in out.iterdir()} == {
        *("SHA256SUMS", "retrospect.json", "retrospect.png", "run-again.txt", "sentences.txt", "study.yaml"),
    }
    assert (out / "sentences.txt").read_text().startswith("better (")


def test_retrospect__refuses_where_nothing_is_known():
    done = run("retrospect", find_study("tiny"), "-n", 10, "--seed", 1)

    assert isinstance(done.exception, UsageError)
    assert "Add a section `known`" in str(done.exception)
