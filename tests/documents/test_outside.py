"""Where a study stands among signed contracts: the numbers of the run, those of public tables, and what is said where nothing is known."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from simengine import find_study, write_report
from simengine.documents import write
from simengine.documents.material import kept_material
from simengine.documents.outside import ClassOfTables, seen_from_outside
from simengine.errors import StudyError, UsageError
from simengine.languages.language import Language, language
from simengine.reference_class.indigo import ProjectFilter
from simengine.reference_class.reference import read_reference
from tests.command import in_this_process
from tests.conftest import CHECKOUT
from tests.documents.sentences import sentences
from tests.documents.test_report import X, pseudo, spoken, tree, words_of

STUDY = find_study("women_in_recovery")
TABLES = CHECKOUT / "configs" / "indigo_made_up"
SIZE = "population.waves.all.size=500"
EVENLY = "{distribution: uniform, low: 0.5, high: 1.5, certainty: D, source: W2, note: 'made up <b>here</b>'}"
CLASS = f"environment={{reference_class: {{paid_over_planned: {EVENLY}, planned_payments: 4_000_000}}}}"


def run(place: Path, *changes: str) -> Path:
    settings = [word for one in changes for word in ("--set", one)]
    done = in_this_process(["run", STUDY, "-n", "60", "--threads", "1", "--seed", "1", *settings, "-o", "run"], place)
    assert done.returncode == 0, done.stderr
    return place / "run"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kept run of a study without a class."""
    return run(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def with_class(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kept run of a study with a class that is even from 0.5 to 1.5, and a plan."""
    return run(tmp_path_factory.mktemp("class"), SIZE, CLASS)


def section(made: Path) -> Any:
    return next(one for one in tree(made.read_text(encoding="utf-8")).iter(f"{X}section") if one.get("id") == "outside")


def values(page: Any) -> list[float]:
    return [float(node.get("value")) for node in page.iter(f"{X}data")]


def test_study_with_a_class__stands_where_the_run_says(with_class: Path, tmp_path: Path) -> None:
    page = section(write_report(with_class, tmp_path / "a.html", sections=["outside"]))
    said = json.loads((with_class / "summary.json").read_text())["outside"]
    rows = [row for row in page.iter(f"{X}tr") if row[0].get("scope") == "row"]
    times, money = zip(*(values(row) for row in rows), strict=True)
    # A class that is even from 0.5 to 1.5: a tenth lies below 0.6, half below 1, a tenth above 1.4.
    assert times == pytest.approx((0.6, 1.0, 1.4, said["own_low_80"], said["own"]["value"], said["own_high_80"]))
    assert money == pytest.approx([4_000_000 * one for one in times])
    less = round(100 * min(max(said["own"]["value"] - 0.5, 0), 1))
    assert f"of 100 signed contracts {less} were paid less" in words_of(page)
    assert "more optimistic than nine in ten" in words_of(page)
    assert "It counts twice" in words_of(page)
    assert "W2; made up <b>here</b>" in words_of(page)
    assert len(list(page.iter("{http://www.w3.org/2000/svg}svg"))) == 1


def test_public_tables__stand_beside_a_study_without_a_class(plain: Path, tmp_path: Path) -> None:
    asked = {"reference": TABLES, "planned_payments": 3_000_000}
    page = section(write_report(plain, tmp_path / "a.html", sections=["outside"], **asked))
    paid = np.asarray(parquet.read_table(plain / "replications.parquet")["outcome_payer.payment"])
    quantiles = read_reference(TABLES, ProjectFilter()).fitted.quantiles
    rows = [values(row)[0] for row in page.iter(f"{X}tr") if row[0].get("scope") == "row"]
    assert rows[:3] == pytest.approx([quantiles[level] for level in ("0.1", "0.5", "0.9")], abs=1e-3)
    assert rows[4] == pytest.approx(paid.mean() / 3e6)
    # The sixth of 60 in their order is the first below which a tenth lies; the 54th that above which a tenth does.
    assert (rows[3], rows[5]) == pytest.approx((np.sort(paid)[5] / 3e6, np.sort(paid)[53] / 3e6))
    less = 100 * np.interp(rows[4], list(quantiles.values()), [float(level) for level in quantiles])
    shown = re.search(r"of 100 signed contracts (\d+) were paid less", words_of(page))
    assert shown is not None
    assert abs(int(shown[1]) - less) <= 0.6
    assert "It counts twice" not in words_of(page)
    assert "8 projects of public tables, of which 2 go on" in words_of(page)


def test_weights__of_tilted_draws_count(plain: Path, tmp_path: Path) -> None:
    material = kept_material(plain)
    rows = dict(material.rows)
    rows["weight"] = np.where(np.arange(60) < 20, 2.0, 0.5)
    tilted = type(material)(material.study, {}, rows, material.replications, 1, material.sampling, is_kept=True)
    tables = ClassOfTables("made up", 8, 2, (0.0, 1.0), (0.5, 1.5))
    found = seen_from_outside(tilted, tables, 1_000_000)
    assert found.view is not None
    # 20 rows that weigh 2 and 40 that weigh a half: the first carry two thirds of the mean.
    paid = rows["outcome_payer.payment"] / 1e6
    assert found.view.own.value == pytest.approx(2 / 3 * paid[:20].mean() + 1 / 3 * paid[20:].mean())


def test_plan_that_nobody_states__is_what_the_study_expects_and_is_said(plain: Path, tmp_path: Path) -> None:
    page = section(write_report(plain, tmp_path / "a.html", sections=["outside"], reference=TABLES, language="sv"))
    quantiles = read_reference(TABLES, ProjectFilter()).fitted.quantiles
    less = 100 * np.interp(1.0, list(quantiles.values()), [float(level) for level in quantiles])
    shown = re.search(r"Av 100 tecknade avtal fick (\d+) mindre betalt än planerat", words_of(page))
    assert shown is not None
    assert abs(int(shown[1]) - less) <= 0.6
    assert "i stället används studiens egen prognos" in words_of(page)


def test_nothing_known__is_one_sentence(plain: Path, tmp_path: Path) -> None:
    page = section(write_report(plain, tmp_path / "a.html", sections=["outside"]))
    assert "the study names no reference class" in words_of(page)
    assert values(page) == []


def test_class_without_a_plan__is_shown_and_the_lack_said(tmp_path: Path) -> None:
    without = f"environment={{reference_class: {{paid_over_planned: {EVENLY}}}}}"
    how: dict[str, Any] = {"n": 40, "seed": 1, "sections": ["outside"], "overrides": [SIZE, without]}
    page = section(write_report(STUDY, tmp_path / "a.html", **how))
    assert "is not known" in words_of(page)
    assert values(page) == pytest.approx([0.6, 1.0, 1.4])


@pytest.mark.parametrize("beside", [None, TABLES])
def test_no_text__comes_from_outside_the_catalogue(
    beside: Path | None, plain: Path, with_class: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Language("xx", language("sv").locale, {english: pseudo(english) for english in sentences()})
    monkeypatch.setattr(write, "language", lambda _: other)
    made = write_report(plain if beside else with_class, tmp_path / "a.html", sections=["outside"], reference=beside)
    said, _ = spoken(tree(made.read_text(encoding="utf-8")))
    assert [text for text in said if re.search(r"[A-Za-z]{2,}", text.replace("USD", "").replace("women", ""))] == []


@pytest.mark.parametrize(
    ("kept", "how", "message"),
    [
        ("with_class", {"reference": TABLES}, "must go with a study that names no reference class"),
        ("plain", {"reference": TABLES, "sections": ["question"]}, "must go with the section `outside`"),
        ("plain", {"planned_payments": 1e6}, "--planned-payments: must go with --reference; found none"),
        ("plain", {"reference": TABLES, "planned_payments": 0}, "--planned-payments: must be a number from 1"),
        ("plain", {"reference": TABLES, "planned_payments": float("nan")}, "--planned-payments: must be a number"),
        ("plain", {"reference": CHECKOUT / "configs" / "contracts"}, "projects.csv"),
        ("plain", {"reference": 3}, "--reference: must be the place of a file or folder"),
    ],
)
def test_nonsense__is_refused(kept: str, how: dict[str, Any], message: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with pytest.raises((UsageError, StudyError), match=re.escape(message)):
        write_report(request.getfixturevalue(kept), tmp_path / "a.html", **how)
    assert list(tmp_path.iterdir()) == []


def test_tables__beside_a_study_that_counts_nobody_are_refused_before_it_runs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="counted person by person"):
        write_report(find_study("norrkoping"), tmp_path / "a.html", n=10**7, seed=1, reference=TABLES)
