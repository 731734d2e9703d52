"""The commands for who has not signed yet, as their user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.test_cli import call, refusal, without_provenance

GUARANTEE = "contract.terms.guarantee.share"
FREE = ("--free", f"{GUARANTEE}=0..1..0.1", "--limit", "investor.p_loss <= 0.9")
ASKED = (*FREE, "--points", 6)


def test_size__json_has_its_keys_and_is_the_same_on_any_threads(tiny_path: Path) -> None:
    asked = ("size", tiny_path, "-n", 40, "--seed", 0, "--json", *ASKED)
    one, other = call(*asked, "--threads", 1), call(*asked, "--threads", 2, "--block-size", 7)
    assert one.returncode == other.returncode == 0, one.stderr
    assert without_provenance(one.stdout) == without_provenance(other.stdout)
    content = json.loads(one.stdout)
    assert content["is_deal"] is True
    assert content["no_deal"] is None
    assert content["objectives"] == ["investor.expected_npv", "outcome_payer.expected_npv"]
    assert {"recommended", "fresh", "optimism", "share_kept", "best_for", "moves"} == set(content["deal"])
    assert content["provenance"]["settings"]["points"] == 6


def test_size__folder_holds_a_contract_that_settles_a_study_that_runs_and_the_same_answer_again(
    tiny_path: Path, tmp_path: Path
) -> None:
    done = call("size", tiny_path, "-n", 40, "--seed", 0, *ASKED, "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("±") > 8
    folder = tmp_path / "out"
    files = {"SHA256SUMS", "contract.yaml", "sized-study.yaml", "study.yaml", "sizing.json", "frontier.png", "run-again.txt"}
    assert {path.name for path in folder.iterdir()} == files
    assert (folder / "frontier.png").read_bytes().startswith(b"\x89PNG")
    kept = json.loads((folder / "sizing.json").read_text())
    share = kept["deal"]["recommended"]["terms"][GUARANTEE]
    settled = call("replay", folder / "contract.yaml", "--outcome", "saving=0", "--outcome", "school=0", "--json")
    # 2,000,000 drawn: the guarantee is this share of it, and nothing else is paid.
    assert json.loads(settled.stdout)["total"] == pytest.approx(2_000_000 * share)
    assert call("run", folder / "sized-study.yaml", "-n", 20, "--seed", 0).returncode == 0
    again = call(*_words((folder / "run-again.txt").read_text()), "--json", cwd=folder)
    assert without_provenance(again.stdout) == without_provenance((folder / "sizing.json").read_text())


def _words(text: str) -> list[str]:
    return text.split()[1:]


@pytest.mark.usefixtures("pictures_unsaved")
def test_size__says_that_no_deal_exists_and_writes_no_contract(tiny_path: Path, tmp_path: Path) -> None:
    limits = ("--limit", "investor.expected_net >= 0", "--limit", "outcome_payer.p_cost_over(-1e9) <= 0")
    done = call("size", tiny_path, "-n", 20, "--seed", 0, *ASKED, *limits, "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "No deal exists" in done.stdout
    assert "Not to be kept: outcome_payer.p_cost_over(-1000000000) <= 0." in done.stdout
    assert not (tmp_path / "out" / "contract.yaml").exists()


def test_size__takes_what_the_study_asks(tiny_path: Path, tmp_path: Path) -> None:
    text = (
        tiny_path.read_text()
        + f"""
sizing:
  free:
    {GUARANTEE}: {{low: 0, high: 1, step: 0.25}}
  parties:
    investor: {{objective: expected_npv, without: -1e7, limits: [p_loss <= 0.95], beliefs: {{effect.sooner_home.hazard_ratio: 2}}}}
    outcome_payer: {{objective: cvar(0.9), without: 1e8, effect_multiple: 0.5}}
  recommend: nash
"""
    )
    (tmp_path / "study.yaml").write_text(text)
    content = json.loads(call("size", tmp_path / "study.yaml", "-n", 20, "--seed", 0, "--json").stdout)
    assert content["rule"] == "nash"
    assert content["objectives"] == ["investor.expected_npv", "outcome_payer.cvar(0.9)"]
    assert content["limits"] == [
        "investor.expected_npv >= -10000000",
        "investor.p_loss <= 0.95",
        "outcome_payer.cvar(0.9) <= 100000000",
    ]
    assert content["n_settled"] >= 5


def test_smallest__json_and_table(tiny_path: Path) -> None:
    asked = ("size", tiny_path, "-n", 60, "--seed", 0, "--smallest", GUARANTEE, "--such-that", "investor.expected_net >= -500_000")
    content = json.loads(call(*asked, "--json").stdout)
    assert {"path", "end", "such_that", "value", "interval_95", "at_value", "fresh", "walk"} <= set(content)
    assert content["interval_95"][0] <= content["value"] <= content["interval_95"][1]
    shown = call(*asked).stdout
    assert "95 % interval" in shown
    assert "Along the range" in shown


def test_information__json_and_table(tiny_path: Path) -> None:
    asked = ("information", tiny_path, "-n", 500, "--seed", 0, "--pilot", "8", "--free", f"{GUARANTEE}=0.2..0.6", "--points", 3)
    content = json.loads(call(*asked, "--accepted-by", "investor", "--json").stdout)
    assert {"hindsight", "evpi", "evppi_of_sections", "evppi", "pilots", "terms_today", "signed_now", "is_signed"} <= set(content)
    assert content["must_accept"] == ["investor"]
    assert content["pilots"][0]["evsi_with_terms"]["se"] >= 0
    shown = call(*asked).stdout
    assert "every number that has a distribution" in shown
    assert "Value of a pilot" in shown


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("size",), "--free: at least one term must be free"),
        (("size", "--smallest", GUARANTEE), "--smallest and --such-that must stand together; found one without the other"),
        (("size", "--such-that", "investor.p_loss <= 0.1"), "--such-that: must be asked together with --smallest or --largest"),
        (
            ("size", "--smallest", GUARANTEE, "--largest", GUARANTEE, "--such-that", "investor.p_loss <= 0.1"),
            "one question must be asked at a time; found --smallest and --largest",
        ),
        (
            ("size", "--smallest", "contract.x", "--such-that", "investor.p_loss <= 0.1"),
            "a free term must be a number of the contract",
        ),
        (("size", "--smallest", GUARANTEE, "--such-that", "bank.p_loss <= 0.1"), "must be a party whose money the study moves"),
        (("size", "--smallest", GUARANTEE, "--such-that", "p_loss"), "--such-that: a limit must be a measure"),
        (("size", *ASKED, "--weakest-belief", "investor"), "--points: must stand without --weakest-belief; found both"),
        (("size", *FREE, "--weakest-belief", "bank"), "--weakest-belief: must be a party at the table"),
        (("information", "--party", "bank"), "--party: must be a party whose money the study moves"),
        (("information", "--accepted-by", "investor"), "--accepted-by: somebody must accept terms that are free; found no --free"),
        (("information", "--pilot", "3"), "--pilot: must be whole numbers from 4 to 1,000,000"),
        (("information", "--pilot", "many"), "--pilot: must be whole numbers from 4"),
        (("information", "-n", "20"), "in at least 500 replications; found 20"),
    ],
)
def test_commands__refuse_what_cannot_be_done(command: tuple[str, ...], message: str, tiny_path: Path) -> None:
    name, *rest = command
    assert message in refusal(name, tiny_path, "--seed", 0, *([] if "-n" in rest else ["-n", 20]), *rest)
