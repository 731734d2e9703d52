"""One replication line by line: it is the replication of the run, and a person can follow it with pen and paper."""

import json
import shutil
from math import exp

import numpy as np
import pytest
from click.testing import CliRunner

from simengine.cli.main import commands, run_command
from simengine.config import load_study
from simengine.questions.trace.answer import trace
from simengine.replications.blocks import run_study
from simengine.report.checksums import write_checksums

TRANCHES = (
    "capital.tranches={senior: {holder: investor, size: 1_500_000, coupon_per_year: 0.02}, "
    "junior: {holder: service_provider, size: rest}}"
)


def test_trace__can_be_followed_by_hand(tiny):
    # Source: hand arithmetic on the trace's own lines, by the rules of the contract and of the historical design.
    found = trace(tiny, 3, 7)
    means = {(row["metric"], row["arm"]): row["mean"] for row in found.outcomes}
    persons = found.outcomes[0]["persons"]

    # The earlier people lived two years before, in which the level drifted.
    level = exp(-2 * found.drawn["measurement.metrics.saving.drift_per_year"])
    estimate = persons * (means["saving", "baseline"] * level - means["saving", "service"])
    assert found.metrics[0]["estimate"] == pytest.approx(estimate)
    assert found.metrics[0]["truth"] == pytest.approx(persons * (means["saving", "twin"] - means["saving", "service"]))
    assert [row["amount"] for row in found.payments] == [
        0.4 * 2_000_000,
        round(min(max(0.6 * estimate, 0), 0.6 * 2_000_000), 2),
        0,
    ]
    paid = {row["line"]: row["amount"] for row in found.postings if row["line"].startswith("term.")}
    assert sum(paid.values()) == pytest.approx(sum(row["amount"] for row in found.payments))
    assert found.result["investor.net"] == pytest.approx(sum(paid.values()) - 2_000_000)


def test_trace__sums_every_account_to_what_its_party_is_left_with(tiny_path):
    # Invariant: what a party is left with is what came to its accounts less what left them.
    study = load_study(tiny_path, [TRANCHES])

    found = trace(study, 1, 4)

    accounts = {"investor": ["tranche.senior", "investor"], "service_provider": ["tranche.junior", "service_provider"]}
    for party, names in accounts.items():
        came = sum(row["amount"] for row in found.postings if row["to"] in names)
        left = sum(row["amount"] for row in found.postings if row["from"] in names)
        assert came - left == pytest.approx(found.result[f"{party}.cash"], abs=0.005)


def test_trace__is_the_replication_of_the_run(tiny_path):
    study = load_study(tiny_path, [TRANCHES])
    results = run_study(study, 5, 12, block_size=5)

    row = trace(study, 5, 9).result

    for name, values in results.columns.items():
        value = results.codes[name][values[9]] if name in results.codes else values[9]
        assert row[name] == value or (np.isnan(row[name]) and np.isnan(value)), name


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory, checkout):
    folder = tmp_path_factory.mktemp("trace") / "results"
    arguments = ["run", str(checkout / "configs/tiny.yaml"), "--seed", "3", "-n", "20", "-o", str(folder)]
    assert CliRunner().invoke(commands, arguments).exit_code == 0
    return folder


def test_command__shows_a_replication_of_a_folder_and_checks_it_against_its_row(run_folder):
    shown = CliRunner().invoke(commands, ["trace", str(run_folder), "--replication", "7"])
    printed = CliRunner().invoke(commands, ["trace", str(run_folder), "--replication", "7", "--json"])

    assert shown.exit_code == 0
    assert "Every number agrees with what the run kept of this replication." in shown.output
    content = json.loads(printed.output)
    assert (content["seed"], content["replication"]) == (3, 7)
    assert content["postings"][0] == {
        "month": 0,
        "line": "draw.loan",
        "from": "tranche.loan",
        "to": "project",
        "amount": 333333.33,
    }


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (None, ["--replication", "20"], "--replication: must be a number from 0 to 19, the last of the run; found 20"),
        (None, ["--replication", "1", "--seed", "4"], "found RUN, which holds its study and its seed"),
        (
            "summary.json",
            ["--replication", "1"],
            "summary.json: must be a file of a folder that `simengine run -o` wrote; found no such file",
        ),
        ("replications.parquet", ["--replication", "1"], "replications.parquet: must be as the run wrote it; found No such file"),
        ("study.yaml", ["--replication", "1"], "study.yaml"),
        ("seed", ["--replication", "1"], "a replication that is made again must be the one that was kept; found other values of"),
    ],
)
def test_command__refuses_what_is_no_replication_of_a_run(change, arguments, message, run_folder, tmp_path, capsys, monkeypatch):
    folder = tmp_path / "results"
    shutil.copytree(run_folder, folder)
    if change == "seed":
        summary = folder / "summary.json"
        summary.write_text(summary.read_text().replace('"seed": 3', '"seed": 4'))
        # As another version would have written it: whole, with other numbers.
        write_checksums(folder)
    elif change is not None:
        (folder / change).unlink()
    monkeypatch.setattr("sys.argv", ["simengine", "trace", str(folder), *arguments])

    with pytest.raises(SystemExit) as stopped:
        run_command()

    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
