"""What a question keeps in its folder gives the same answer again, alone, whatever names and variants it was asked with."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from simengine.cli.main import commands
from simengine.config import find_study, load_study
from simengine.questions.listed import QUESTIONS
from simengine.questions.rerun import rerun
from simengine.report.document import as_text

VARIED = """
variants:
  half: {capital.drawn_share: 0.5, contract.terms.guarantee.share: 0.3}
  from_file: {contract: {file: other.yaml}, capital.payment_month: {guarantee: 12, saving_share: 20, upside: 20}}
  dearer: {contract.terms.guarantee.share: 0.55, capital.drawdown_months: 3, parties.investor.discount_rate_per_year: 0.05}
known:
  better: {of: metric.school.estimate, stands: above, value: 0, variant: half, certainty: Q}
  of_the_study_itself: {of: metric.school.estimate, stands: below, value: 0, certainty: Q}
stresses:
  poor: {effect.sooner_home.hazard_ratio: {shift: -1}}
behaviour:
  efforts: {work: {levels: [1, 2], cost: {quadratic: 1000}}}
"""
FUND = """
portfolio: {title: Two, currency: SEK, kind: investors_book, capital: 5_000_000, months: 60}
projects:
  one: {study: study.yaml, variant: half, set: [capital.drawdown_months=4]}
  two: {study: study.yaml, variant: from_file}
shared:
  times: {numbers: [one.effect.sooner_home.hazard_ratio, two.effect.sooner_home.hazard_ratio], correlation: 0.6}
"""
FREE = ("--free", "contract.terms.guarantee.share=0.2..0.6", "--limit", "investor.p_loss <= 0.9")
# A guarantee that the variant sets as well: what is changed last must still be so when it is asked again.
SETS = ["contract.terms.guarantee.share=0.35", "effect.school_support.odds_ratio=1.2"]
CHANGED = ("--variant", "half", *(word for text in SETS for word in ("--set", text)), "--seed", 3)
TIGHT = ("--free", "contract.terms.guarantee.share=0..0.2..0.1", "--limit", "investor.p_loss <= 0.7")
SMALLEST = ("contract.terms.guarantee.share", "--such-that", "investor.p_loss <= 0.5")
SIDES = ("population.waves.all.size=6..12..3", "--up", "contract.terms.guarantee.share=0..1")
ASKED: dict[str, tuple[object, ...]] = {
    "run": ("study.yaml", *CHANGED, "-n", 20, "--tilt", "effect.sooner_home.hazard_ratio=0.5", "--measured", 2),
    "cash": ("study.yaml", *CHANGED, "-n", 32, "--every", "year", "--party", "investor", "--sobol", "--measured", 2),
    "certificate": ("study.yaml", *CHANGED, "-n", 20),
    "value": ("study.yaml", *CHANGED, "-n", 20),
    "compare": ("study.yaml", "other.yaml", "a $(touch hit) 'quoted' \"name\".yaml", *CHANGED, "-n", 20, "--level", 0.9123456789),
    "stress": ("study.yaml", *CHANGED, "-n", 20, "--stress", "poor", "--level", 0.5),
    "tradeoffs": ("study.yaml", *CHANGED, "-n", 20, "--term", "contract.terms.guarantee.share", "--step", 0.25, "--level", 0.5),
    "tradeoffs --across": ("study.yaml", *CHANGED, "-n", 10, "--across", *SIDES, "--points", 3, "--party", "investor"),
    "sensitivity": ("study.yaml", *CHANGED, "-n", 4, "--points", 16, "--trajectories", 4, "--panel", 2, "--party", "investor"),
    "attribute": ("study.yaml", *CHANGED, "-n", 60, "--level", 0.5, "--of", "npv"),
    "size": ("study.yaml", *CHANGED, "-n", 40, "--points", 4, *FREE, "--rule", "total"),
    "incentives": ("study.yaml", *CHANGED, "-n", 10, "dearer", "other.yaml"),
    "retrospect": ("study.yaml", *CHANGED, "-n", 300, "--given", "better", "--bandwidth", 0.3, "--least-effective", 5),
    "learn": ("study.yaml", *CHANGED, "-n", 3000, "--given", "better", "--observed", "seen.csv", "--least-effective", 10.5),
    "portfolio": ("fund.yaml", "-n", 20, "--seed", 3),
    "methods": ("study.yaml", *CHANGED, "-n", 10),
    "window": ("study.yaml", *CHANGED, "-n", 10, "--months", "6,12"),
    "information": ("study.yaml", *CHANGED, "-n", 500, "--pilot", "8,20", "--delay-months", 3, "--cost-per-person", 10.5),
    "trace": ("study.yaml", *CHANGED, "--replication", 1, "--tilt", "effect.sooner_home.hazard_ratio=0.5"),
    "trace --replication 0": ("study.yaml", *CHANGED, "--replication", 0),
    "stress --reverse": ("study.yaml", *CHANGED, "-n", 40, "--reverse", "investor.loss > 50%", "--panel", 4),
    "size --smallest": ("study.yaml", *CHANGED, "-n", 40, "--smallest", *SMALLEST, "--free", "contract.terms.guarantee.share=0..1"),
    "size --weakest-belief": ("study.yaml", *CHANGED, "-n", 40, "--weakest-belief", "investor", *TIGHT),
}
ANSWER = {"run": "summary.json", "size": "sizing.json"}


def ask(*arguments: object) -> Result:
    return CliRunner().invoke(commands, [str(argument) for argument in arguments], standalone_mode=False, catch_exceptions=False)


def words_of(line: Path) -> list[str]:
    """Read a line as a shell does, in a shell whose `simengine` prints what it was given."""
    script = f"simengine() {{ printf '%s\\0' \"$@\"; }}; . ./{line.name}"
    done = subprocess.run(["bash", "-c", script], cwd=line.parent, capture_output=True, text=True, check=True)
    return done.stdout.split("\0")[:-1]


@pytest.fixture
def asked_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "study.yaml").write_text(find_study("tiny").read_text() + VARIED)
    contract = as_text(load_study(find_study("tiny"), ["contract.terms.guarantee.share=0.5"]).contract)
    for name in (word for word in ASKED["compare"] if str(word).endswith(".yaml") and word != "study.yaml"):
        (tmp_path / str(name)).write_text(contract)
    (tmp_path / "fund.yaml").write_text(FUND)
    (tmp_path / "seen.csv").write_text("of,value,standard_error\nmetric.saving.estimate,500_000,400_000\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_questions__that_keep_a_folder_are_all_asked_here() -> None:
    keeping = {name for name, command in commands.commands.items() if any(one.name == "output" for one in command.params)}
    # `demo` is a `run`, `rerun` makes any of them again; `explain` has no answer in JSON and its own test below.
    of_no_question = {
        "batch",
        "conform",
        "export",
        "fit",
        "record",
        "reference",
        "report",
        "score",
        "seal",
        "workbook",
    }  # each with tests of its own
    assert keeping - of_no_question == {*(name.split()[0] for name in ASKED), "demo", "explain", "rerun"}
    assert {question.name for question in QUESTIONS} <= keeping


@pytest.mark.usefixtures("pictures_unsaved")
@pytest.mark.parametrize("asked", list(ASKED))
def test_folder__alone_gives_the_same_answer_again(asked: str, asked_from: Path, tmp_path_factory: Any, monkeypatch: Any) -> None:
    command = asked.split()[0]
    assert ask(command, *ASKED[asked], "-o", "out").exit_code == 0
    away = tmp_path_factory.mktemp("away") / "out"
    shutil.move("out", away)
    shutil.rmtree(asked_from)
    monkeypatch.chdir(away)
    kept = json.loads((away / ANSWER.get(command, f"{command}.json")).read_text())

    again = json.loads(ask(*words_of(away / "run-again.txt"), "--json").stdout)

    assert not (away / "hit").exists()
    settings = kept["provenance"]["settings"]
    if command == "portfolio":
        assert {"one.yaml", "two.yaml"} == {path.name for path in (away / "projects").iterdir()}
    else:
        assert (settings["variant"], settings["overrides"]) == ("half", SETS)
    for one in (kept, again):
        del one["provenance"]
    assert again == kept
    made = rerun(away)
    assert [(one.name, one.difference) for one in made.files if one.verdict != "same"] == []
    assert (made.command, made.is_same) == (command, True)
    if command != "portfolio":
        # Nothing that is kept names a file that is not kept.
        assert ask("check", "study.yaml").exit_code == 0


def test_explain__keeps_the_contract_that_it_explains(asked_from: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = ask("explain", "other.yaml", "-o", "out").output
    monkeypatch.chdir(asked_from / "out")
    assert ask(*words_of(Path("run-again.txt").resolve())).output.strip() == Path("contract.txt").read_text().strip()
    assert Path("contract.txt").read_text().strip() in said
