"""The commands that ask what the evaluator does to the money, as their user meets them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from simengine.cli.main import commands
from tests.test_cli import call, refusal, without_provenance


def test_certificate__json_has_its_keys_and_is_the_same_on_any_threads(tiny_path: Path) -> None:
    asked = ("certificate", tiny_path, "-n", 40, "--seed", 0, "--json")
    one, other = call(*asked, "--threads", 1), call(*asked, "--threads", 2, "--block-size", 7)
    assert one.returncode == other.returncode == 0, one.stderr
    assert without_provenance(one.stdout) == without_provenance(other.stdout)
    content = json.loads(one.stdout)
    asked_for = {"p_pay_no_effect", "p_no_pay_promised_effect", "expected_paid_for_nothing", "expected_withheld"}
    assert asked_for | {"power_curve", "cliffs", "bias_no_effect", "promise", "contingent_terms", "seed"} <= set(content)
    assert [point["multiple"] for point in content["power_curve"]] == [0.25 * step for step in range(9)]
    assert all({"value", "se"} <= set(content[name]) for name in asked_for)
    assert content["contingent_terms"] == ["saving_share", "upside"] == list(content["terms"])
    assert all({"value", "se"} <= set(chance) for term in content["terms"].values() for chance in term.values())


def test_certificate__folder_holds_the_curve_and_runs_again(tiny_path: Path, tmp_path: Path) -> None:
    promise = "promise={effect.sooner_home.hazard_ratio: 1.6}"
    done = call("certificate", tiny_path, "-n", 20, "--seed", 0, "--set", promise, "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "out"
    assert {path.name for path in folder.iterdir()} == {
        *("SHA256SUMS", "certificate.json", "power-curve.png", "run-again.txt", "study.yaml"),
    }
    assert (folder / "power-curve.png").read_bytes().startswith(b"\x89PNG")
    repeated = call(*(folder / "run-again.txt").read_text().split()[1:], "--json", cwd=folder)
    kept = (folder / "certificate.json").read_text()
    assert without_provenance(repeated.stdout) == without_provenance(kept)
    assert json.loads(kept)["promise"]["effect.sooner_home.hazard_ratio"] == 1.6


def test_methods__json_sets_the_designs_side_by_side(tiny_path: Path) -> None:
    sets = ("--set", "measurement.control={ratio: 1}", "--set", "population.history_months=12")
    content = json.loads(call("methods", tiny_path, "-n", 20, "--seed", 0, "--json", *sets).stdout)
    assert set(content["metrics"]["saving"]["designs"]) == {"randomised", "before_after", "historical"}
    assert set(content["metrics"]["saving"]["designs"]["randomised"]) == {"estimate", "bias", "sd", "standard_error", "coverage"}
    assert content["paid"]["before_after"]["borrowed"] == ["school"]
    assert set(content["paid"]) == {"randomised", "before_after", "historical", "on_truth"}


def test_window__json_sets_the_windows_side_by_side(tiny_path: Path) -> None:
    content = json.loads(call("window", tiny_path, "-n", 20, "--seed", 0, "--json", "--months", "6, 12,18").stdout)
    assert [one["months"] for one in content["windows"]] == [6, 12, 18]
    assert content["changed_metrics"] == ["saving"]
    assert {"estimate", "truth", "payment", "money_back", "p_loss", "npv", "payer_net"} <= set(content["windows"][0])


@pytest.mark.parametrize("command", ["certificate", "methods", "window"])
def test_analyses__show_tables_with_standard_errors(command: str, tiny_path: Path) -> None:
    done = call(command, tiny_path, "-n", 20, "--seed", 0, *(("--months", "12,18") if command == "window" else ()))
    assert done.returncode == 0, done.stderr
    assert "20 replications, seed 0" in done.stdout
    assert done.stdout.count("±") > 10


@pytest.mark.parametrize("months", ["", "12;24", "12,,24", "1.5", "0", "-12", "twelve", "12,0", "٣"])
def test_window__refuses_months_that_are_no_list_of_whole_numbers(months: str, tiny_path: Path) -> None:
    message = str(CliRunner().invoke(commands, ["window", str(tiny_path), f"--months={months}"]).exception)
    assert "--months: must be whole numbers from 1, with commas between them, such as 12,24,36; found" in message


def test_window__refuses_what_no_study_can_have(tiny_path: Path) -> None:
    assert "--months: must be a whole number from 1 to 1,200; found 1201" in refusal("window", tiny_path, "--months", "12,1201")


@pytest.mark.parametrize("command", ["certificate", "methods", "window"])
def test_analyses__refuse_a_contract_that_no_evaluator_can_move(command: str, tiny_path: Path) -> None:
    only = "contract.terms={guarantee: {share: 0.4, of: drawn, contingent: false}}"
    months = ("--months", "12") if command == "window" else ()
    message = refusal(command, tiny_path, *months, "--set", only, "--set", "capital.payment_month={guarantee: 12}")
    assert "at least one term must be contingent on outcomes; found none among guarantee" in message


def test_promise__of_a_path_that_does_not_exist_is_refused_with_its_line(tiny_path: Path, tmp_path: Path) -> None:
    text = tiny_path.read_text() + "promise:\n  effect.sooner_home.hazard: 1.5\n"
    (tmp_path / "bad.yaml").write_text(text)
    message = refusal("certificate", "bad.yaml", cwd=tmp_path)
    assert "promise.effect.sooner_home.hazard: a promise must be made of a number of the section `effect`, by its path" in message
    assert "Did you mean `effect.sooner_home.hazard_ratio`?" in message
    assert re.match(r"simengine: bad\.yaml:\d+: ", message)
