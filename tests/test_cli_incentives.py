"""What a contract makes people do, as its user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simengine import load_study
from simengine.report.document import as_text
from tests.test_cli import call, refusal, without_provenance

WORK = "behaviour={efforts: {work: {levels: [0, 1, 2], cost: {quadratic: 100_000}}}}"


def test_incentives__json_is_the_same_on_any_threads_and_blocks(tiny_path: Path) -> None:
    asked = ("incentives", tiny_path, "-n", 40, "--seed", 0, "--json", "--set", WORK)
    one, other = call(*asked, "--threads", 1), call(*asked, "--threads", 2, "--block-size", 7)
    assert one.returncode == other.returncode == 0, one.stderr
    assert without_provenance(one.stdout) == without_provenance(other.stdout)
    own = json.loads(one.stdout)["contracts"]["own"]
    # The provider gets what is drawn, whatever it does: it does nothing.
    assert own["chosen"]["efforts"] == {"work": 0}
    assert own["chosen"]["truth"]["saving"] == {"value": 0, "se": 0}
    assert own["response"]["is_decided"]
    assert own["response"]["next_best"]["efforts"] == {"work": 1}
    assert own["response"]["lead"]["value"] == pytest.approx(50_000)


def test_incentives__folder_holds_the_curves_and_runs_again(tiny_path: Path, tmp_path: Path) -> None:
    dearer = "behaviour={party: investor, efforts: {work: {levels: [0, 1, 2], cost: {quadratic: 100_000}}}}"
    contract = load_study(tiny_path, ["contract.terms.saving_share.share=0.9"]).contract
    (tmp_path / "more.yaml").write_text(as_text(contract))
    done = call("incentives", tiny_path, "more.yaml", "-n", 20, "--seed", 0, "--set", dearer, "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "out"
    names = {"SHA256SUMS", "incentives.json", "efforts.png", "more.yaml", "run-again.txt", "study.yaml"}
    assert {path.name for path in folder.iterdir()} == names
    assert (folder / "efforts.png").read_bytes().startswith(b"\x89PNG")
    repeated = call(*(folder / "run-again.txt").read_text().split()[1:], "--json", cwd=folder)
    kept = (folder / "incentives.json").read_text()
    assert without_provenance(repeated.stdout) == without_provenance(kept)
    contracts = json.loads(kept)["contracts"]
    assert set(contracts) == {"own", "more"}
    # A higher price never lowers effort, nor what it buys.
    assert contracts["more"]["chosen"]["efforts"]["work"] >= contracts["own"]["chosen"]["efforts"]["work"]


def test_incentives__table_says_what_is_chosen_and_how_sure_that_is(tiny_path: Path) -> None:
    free = "behaviour={efforts: {work: {levels: [0, 1, 2]}}}"
    shown = call("incentives", tiny_path, "-n", 20, "--seed", 0, "--set", free).stdout
    assert "Provider chooses the efforts" in shown
    # The provider is paid the same whatever it does, and effort costs nothing.
    assert "this study: undecided about the efforts: 3 choices" in shown
    assert "nobody responds" in call("incentives", tiny_path, "-n", 20, "--seed", 0).stdout


VARIANTS = """
variants:
  dearer: {contract.terms.saving_share.share: 0.9}
  larger: {population.waves.all.size: 24}
"""


def test_incentives__a_variant_that_changes_terms_stands_in_place_of_a_contract(tiny_path: Path, tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(tiny_path.read_text() + VARIANTS)
    asked = ("incentives", "study.yaml", "dearer", "-n", 20, "--seed", 0, "--json", "--set", WORK)
    contracts = json.loads(call(*asked, cwd=tmp_path).stdout)["contracts"]
    alone = ("incentives", "study.yaml", "--variant", "dearer", "-n", 20, "--seed", 0, "--json", "--set", WORK)
    assert contracts["dearer"] == json.loads(call(*alone, cwd=tmp_path).stdout)["contracts"]["own"]
    message = refusal("incentives", "study.yaml", "larger", "-n", 20, "--set", WORK, cwd=tmp_path)
    assert "must change terms alone" in message
    assert "`population`" in message


def test_incentives__refuses_designs_that_do_not_fit(tiny_path: Path, tmp_path: Path) -> None:
    assert "no such file" in refusal("incentives", tiny_path, "nowhere.yaml")
    (tmp_path / "own").mkdir()
    for name in ("own.yaml", "own/study.yaml"):
        (tmp_path / name).write_text(as_text(load_study(tiny_path).contract))
        assert f"found '{name}'" in refusal("incentives", tiny_path, name, cwd=tmp_path)
    (tmp_path / "late.yaml").write_text(as_text(load_study(tiny_path).contract).replace("saving_share:", "another:"))
    assert "`another`, for which the study has no month" in refusal("incentives", tiny_path, "late.yaml", cwd=tmp_path)
