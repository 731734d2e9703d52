"""The command line as its user meets it: whole processes for the streams and exit codes, in-process for the rest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from simengine.cli.main import commands
from tests.command import in_this_process


def call(*arguments: object, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command, in a process of its own where it is to see another environment."""
    if set(environment) <= {"COLUMNS"}:  # it is looked up anew by each command
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            return in_this_process(arguments, cwd)
    command = [sys.executable, "-m", "simengine", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=os.environ | environment, check=False)


def refusal(*arguments: object, cwd: Path | None = None) -> str:
    """Call, insist on a clean refusal, and give its message."""
    done = call(*arguments, cwd=cwd)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr


def without_provenance(text: str) -> dict:
    content = json.loads(text)
    content.pop("provenance")
    return content


def test_run__json_is_one_object_and_equal_runs_differ_in_provenance_alone(tiny_path: Path) -> None:
    one = call("run", tiny_path, "-n", 120, "--seed", 0, "--json", "--threads", 1)
    other = call("run", tiny_path, "-n", 120, "--seed", 0, "--json", "--threads", 2, "--block-size", 7)
    assert one.returncode == other.returncode == 0
    assert one.stderr == ""
    assert without_provenance(one.stdout) == without_provenance(other.stdout)


def test_run__every_statistic_has_a_value_and_a_standard_error(tiny_path: Path) -> None:
    content = json.loads(call("run", tiny_path, "-n", 120, "--seed", 0, "--json").stdout)
    statistics = list(_statistics(content))
    assert len(statistics) > 100
    keys = {"value", "se", "upper_95", "lower_95", "interval_95", "tail_points", "covers"}
    assert all(set(s) <= keys and s["se"] >= 0 for s in statistics)


def _statistics(node: object):
    if isinstance(node, dict):
        if "se" in node:
            yield node
        for child in node.values():
            yield from _statistics(child)


def test_run__without_a_seed_draws_one_prints_it_and_repeats_it(tiny_path: Path) -> None:
    first, second = (json.loads(call("run", tiny_path, "-n", 60, "--json").stdout) for _ in range(2))
    assert first["seed"] != second["seed"]
    again = call("run", tiny_path, "-n", 60, "--json", "--seed", first["seed"])
    first.pop("provenance")
    assert without_provenance(again.stdout) == first
    table = call("run", tiny_path, "-n", 60)
    assert "seed" in table.stdout


@pytest.mark.usefixtures("pictures_unsaved")
def test_run__a_results_folder_runs_again_to_the_same_numbers(tiny_path: Path, tmp_path: Path) -> None:
    done = call("run", tiny_path, "-n", 60, "--seed", 0, "--set", "capital.drawn_share=0.5", "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "out"
    names = {path.name for path in folder.iterdir()}
    pictures = {"picture.png", "exceedance.png"}
    assert names == pictures | {
        "SHA256SUMS",
        "exceedance.parquet",
        "replications.parquet",
        "run-again.txt",
        "study.yaml",
        "summary.json",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    again = (folder / "run-again.txt").read_text().split()[1:]
    repeated = call(*again, "--json", cwd=folder)
    assert without_provenance(repeated.stdout)["investor"] == json.loads((folder / "summary.json").read_text())["investor"]


def test_run__the_same_run_writes_the_same_picture(tiny_path: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        assert call("run", tiny_path, "-n", 60, "--seed", 3, "--pictures", "both", "-o", name, cwd=tmp_path).returncode == 0
    for name in (
        "picture.svg",
        "picture.png",
        "exceedance.svg",
        "exceedance.png",
        "exceedance.parquet",
        "replications.parquet",
        "study.yaml",
    ):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


@pytest.mark.usefixtures("pictures_unsaved")
@pytest.mark.parametrize(("forms", "endings"), [("svg", {".svg"}), ("both", {".png", ".svg"}), ("none", set())])
def test_run__draws_the_forms_that_are_asked_for_and_says_so_in_the_line_that_runs_it_again(
    tiny_path: Path, tmp_path: Path, forms: str, endings: set[str]
) -> None:
    done = call("run", tiny_path, "-n", 20, "--seed", 1, "--pictures", forms, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    pictures = [
        path for path in (tmp_path / "out").iterdir() if path.stem in {"picture", "exceedance"} and path.suffix != ".parquet"
    ]
    assert sorted(path.name for path in pictures) == sorted(f"{name}{end}" for name in ("picture", "exceedance") for end in endings)
    assert f"--pictures {forms}" in (tmp_path / "out" / "run-again.txt").read_text()


def test_run__a_form_that_no_picture_has_is_refused(tiny_path: Path, tmp_path: Path) -> None:
    said = refusal("run", tiny_path, "--pictures", "jpeg", "-o", tmp_path / "out")
    assert "jpeg" in said
    assert "png" in said
    assert not (tmp_path / "out").exists()


def test_replay__json_holds_payments_total_and_limits(checkout: Path) -> None:
    # Hand arithmetic: S = 25 M without better school: 4 + 6 (cap) + 0 (gate shut).
    contract = checkout / "configs" / "contracts" / "norrkoping.yaml"
    done = call("replay", contract, "--outcome", "saving=25e6", "--outcome", "school=0", "--json")
    content = json.loads(done.stdout)
    assert content["payments"] == {"guarantee": 4e6, "saving_share": 6e6, "upside": 0}
    assert content["total"] == 10e6
    assert content["bound"] == {"guarantee": "formula", "saving_share": "cap", "upside": "gate"}


def test_replay__takes_the_contract_of_a_study(tiny_path: Path) -> None:
    done = call("replay", tiny_path, "--outcome", "saving=1e6", "--outcome", "school=1", "--drawn", "1e6", "--json")
    # Hand arithmetic on 1 M drawn: 0.4 + min(0.6 x 1, 0.6) + 0 beyond break-even.
    assert json.loads(done.stdout)["total"] == 1e6


def test_check__lists_the_assumptions_of_every_shipped_study(checkout: Path) -> None:
    for study in sorted((checkout / "configs").glob("*.yaml")):
        content = json.loads(call("check", study, "--json").stdout)
        assert content["valid"]
        assert content["assumed_without_a_distribution"] == []
    done = call("check", checkout / "configs" / "norrkoping.yaml")
    assert "pathway.moves.hvb -> home.per_month" in done.stdout
    assert "valid, 2 variants included" in done.stdout


def test_demo__ends_with_a_risk_table_and_a_picture_and_never_overwrites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simengine.cli.main._DEMO_REPLICATIONS", 200)
    first, second = call("demo", cwd=tmp_path), call("demo", cwd=tmp_path)
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert "P(loss)" in first.stdout
    for name in ("simengine-demo", "simengine-demo-2"):
        assert (tmp_path / name / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_help__loads_no_heavy_library() -> None:
    code = "import sys; sys.argv = ['simengine', '--help']\nimport simengine.cli.main as c\n"
    code += "try: c.run_command()\nexcept SystemExit: pass\n"
    code += "print([m for m in ('numba', 'scipy', 'pandas', 'matplotlib', 'pyarrow', 'pydantic', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")


WITHOUT_A_COMPILER = [
    ["schema", "study"],
    ["check", "configs/norrkoping.yaml"],
    ["lint", "configs/norrkoping.yaml"],
    ["explain", "configs/norrkoping.yaml"],
    ["replay", "configs/contracts/peterborough.yaml"],
    ["explain", "configs/women_in_recovery.yaml"],
]


def test_what_only_reads__loads_neither_a_compiler_nor_what_draws_or_keeps(checkout: Path) -> None:
    """Numba, Matplotlib and pyarrow take longer to load than these commands to answer."""
    code = "import sys\nfrom simengine.cli.main import commands\n"
    code += f"for words in {WITHOUT_A_COMPILER}: commands(words, standalone_mode=False)\n"
    code += "print([m for m in ('numba', 'matplotlib', 'pyarrow', 'pandas', 'scipy.stats', 'SALib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=checkout)
    assert done.stdout.strip().endswith("\n[]")


BAD_STUDIES = {
    "empty": ("", "an empty file"),
    "not yaml": ("a: [1,\nb: {", "must be YAML"),
    "text": ("just words", "key: value"),
    "alias bomb": ("a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n", "anchors and aliases"),
}


@pytest.mark.parametrize("name", BAD_STUDIES)
def test_bad_file__gives_one_message_with_its_name(name: str, tmp_path: Path) -> None:
    text, rule = BAD_STUDIES[name]
    (tmp_path / "bad.yaml").write_text(text)
    message = refusal("run", "bad.yaml", cwd=tmp_path)
    assert "bad.yaml" in message
    assert rule in message


BAD_EDITS = {
    "unknown key": ("horizon_months: 24", "horizon_month: 24", "study.horizon_month: this key is unknown"),
    "probability above one": (
        "mean: 0.04, sd: 0.01",
        "mean: 1.4, sd: 0.01",
        "mean of a beta distribution must lie between 0 and 1",
    ),
    "moves above one": ("young: {per_month: 0.10", "young: {per_month: 1.10", "a probability must lie between 0 and 1"),
    "negative size": ("size: 12, enrolment", "size: -12, enrolment", "a count must lie between 0 and 1e9; found -12"),
    "unknown state": ("  home -> placed:", "  home -> gone:", "unknown state `gone`"),
    "text for number": ("commitment: 2_000_000", "commitment: plenty", "must be a number; found 'plenty'"),
    "missing section": ("run: {replications: 2_000}", "", "run: must be given"),
}


@pytest.mark.parametrize("name", BAD_EDITS)
def test_bad_study__gives_file_line_and_key(name: str, tiny_path: Path, tmp_path: Path) -> None:
    old, new, expected = BAD_EDITS[name]
    text = tiny_path.read_text()
    assert old in text
    (tmp_path / "bad.yaml").write_text(text.replace(old, new))
    message = refusal("run", "bad.yaml", "-n", 10, cwd=tmp_path)
    assert expected in message
    line = 1 + text[: text.index(old)].count("\n")
    assert f"bad.yaml:{line}" in message or name == "missing section"


def test_bad_set__names_the_path_and_a_way_out(tiny_path: Path) -> None:
    message = refusal("run", tiny_path, "--set", "contract.terms.guarantees.share=0.5")
    assert "--set: contract.terms.guarantees.share" in message
    assert "Did you mean `guarantee`?" in message


def test_bad_output__is_refused_before_anything_is_simulated(tiny_path: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "results.txt").write_text("precious")
    (tmp_path / "file").write_text("precious")
    # So many replications that simulating first would be noticed.
    many = ("run", tiny_path, "-n", 20_000_000)
    assert "found files in it" in refusal(*many, "-o", "taken", cwd=tmp_path)
    assert "found a file" in refusal(*many, "-o", "file", cwd=tmp_path)
    assert "must be a folder that can be written" in refusal(*many, "-o", "file/below", cwd=tmp_path)
    assert (tmp_path / "taken" / "results.txt").read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "taken"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_full_disk__is_one_message(tiny_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "simengine", "run", str(tiny_path), "-n", "20", "--seed", "0", "--json"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "could not be written" in done.stderr


def test_results_folder__leaves_nothing_behind_when_writing_fails(tmp_path: Path) -> None:
    from simengine.errors import ResultsError
    from simengine.report.folder import results_folder

    def fail_halfway() -> None:
        with results_folder(tmp_path / "out") as draft:
            (draft / "half.txt").write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(ResultsError, match=r"the disk is full\. Nothing was left behind"):
        fail_halfway()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", ["inf", "nan", "1e400", "much", "-1e16"])
def test_replay__refuses_what_no_currency_can_hold(value: str, tiny_path: Path) -> None:
    message = refusal("replay", tiny_path, "--outcome", f"saving={value}", "--outcome", "school=1")
    assert "--outcome saving" in message


def test_options__explain_themselves() -> None:
    for name, command in commands.commands.items():
        done = CliRunner().invoke(commands, [name, "--help"])
        assert done.exit_code == 0
        assert command.help
        assert all(option.help for option in command.params if option.param_type_name == "option")


def test_results__outlive_a_reader_who_goes(tiny_path: Path, tmp_path: Path) -> None:
    command = f"{sys.executable} -m simengine run {tiny_path} -n 200 --seed 1 -o kept | true"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "summary.json" in {path.name for path in (tmp_path / "kept").iterdir()}


@pytest.mark.usefixtures("pictures_unsaved")
@pytest.mark.parametrize("place", [".", "link", "new/deep/folder"])
def test_results__reach_every_kind_of_new_or_empty_folder(place: str, tiny_path: Path, tmp_path: Path) -> None:
    (tmp_path / "cwd" / "empty").mkdir(parents=True)
    (tmp_path / "cwd" / "empty" / "real").mkdir()
    home = tmp_path / "cwd" / "empty" / "real" if place == "." else tmp_path / "cwd"
    (tmp_path / "cwd" / "link").symlink_to("empty/real")
    done = call("run", tiny_path, "-n", 20, "--seed", 1, "-o", place, cwd=home)
    assert done.returncode == 0, done.stderr
    folder = home / place
    assert {path.name for path in folder.iterdir()} >= {"summary.json", "study.yaml", "picture.png"}
    assert not [path for path in folder.resolve().parent.iterdir() if path.name.startswith(".")]


def test_results__leave_no_folder_of_their_own_behind_when_the_study_fails(tiny_path: Path, tmp_path: Path) -> None:
    price = "outcomes.placement_cost_sek.per_day.placed=1e15"
    terms = "contract.terms={all: {share: 1, of: saving}}"
    message = refusal(
        "run",
        tiny_path,
        "-n",
        20,
        "--set",
        price,
        "--set",
        terms,
        "--set",
        "capital.payment_month={all: 20}",
        "-o",
        "a/b",
        cwd=tmp_path,
    )
    assert "a payment must stay below" in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "override",
    [
        "measurement.baseline.years_before=1e300",
        "measurement.metrics.saving.drift_per_year=-1e300",
        "pathway.moves.home -> placed.per_month={distribution: beta, mean: 0.5, sd: 1e300}",
        "contract.terms.guarantee.share=1e300",
        "study..title=x",
    ],
)
def test_absurd_number__is_refused_in_words(override: str, tiny_path: Path) -> None:
    assert "Warning" not in refusal("run", tiny_path, "-n", 10, "--set", override)


def test_set__takes_another_contract_file(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "contracts").mkdir()
    study = (checkout / "configs" / "norrkoping.yaml").read_text()
    (tmp_path / "study.yaml").write_text(study)
    for name in ("norrkoping", "norrkoping_reading_b"):
        text = (checkout / "configs" / "contracts" / f"{name}.yaml").read_text()
        (tmp_path / "contracts" / f"{name}.yaml").write_text(text)
    done = call("check", "study.yaml", "--set", "contract={file: contracts/norrkoping_reading_b.yaml}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_run__of_a_contract_says_what_to_do(checkout: Path) -> None:
    assert "`replay` settles it" in refusal("run", checkout / "configs" / "contracts" / "norrkoping.yaml")


def test_picture__of_an_unbounded_contract_is_drawn_in_a_moment(tiny_path: Path, tmp_path: Path) -> None:
    sets = ["contract.commitment=0.01", "contract.terms.saving_share={share: 1, of: saving}", "study.title=漢字 $x"]
    overrides = [part for text in sets for part in ("--set", text)]
    done = call("run", tiny_path, "-n", 200, "--seed", 1, *overrides, "--pictures", "svg", "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    # One path a bar: a picture with a bar for every 4 % up to its largest multiple would be a thousand times larger.
    assert (tmp_path / "out" / "picture.svg").stat().st_size < 2_000_000
