"""Scores: read with every bad row listed, fitted as closed forms say, put into a study, and told without any small number of people."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from scipy import stats

import simengine
from simengine.distributions import quantities_in
from simengine.errors import StudyError, UsageError
from simengine.spells.bad_rows import BadRowsError
from simengine.spells.choices import Priors, ScoreChoices
from simengine.spells.read_scores import read_score_table
from simengine.spells.score_fit import FittedScore, fit_score
from simengine.spells.score_goodness import judge_score
from simengine.spells.score_pairs import ScorePairs, choose_pairs, month_with_most
from tests.command import in_this_process
from tests.conftest import CHECKOUT, sized
from verification import made_up_scores
from verification.fitted_pathways import chi_square
from verification.fitted_scores import SCORE_CASES, calibrate_scores, simulate_scores

FOLDER = CHECKOUT / "configs" / "spells"
FILE, MAPPING, PATHWAY = (FOLDER / f"wellbeing_{name}" for name in ("made_up.csv", "mapping.yaml", "pathway.yaml"))
BOND = CHECKOUT / "configs" / "stockholm_health_bond.yaml"
TRUTH = {f"outcomes.wellbeing.{key}": value for key, value in made_up_scores.TRUTH.items()}
FLAT = Priors()


def pairs_of(entry: Any, late: Any, second: Any = None) -> ScorePairs:
    entry, late = np.asarray(entry, dtype=np.float64), np.asarray(late, dtype=np.float64)
    again = np.full(len(entry), np.nan) if second is None else np.asarray(second, dtype=np.float64)
    is_lost = np.isfinite(entry) & np.isnan(late)
    return ScorePairs(entry, again, late, is_lost, np.isfinite(entry), 0)


def fitted(pairs: ScorePairs, reported: str = "level") -> FittedScore:
    return fit_score("x", pairs, ScoreChoices(), FLAT, 12, reported, 5)


def number(found: FittedScore, key: str) -> Any:
    return next(one for one in found.numbers if one.path == f"outcomes.x.{key}")


@pytest.fixture(scope="module")
def people() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    z = rng.normal(size=300)
    return 40 + 8 * z, 45 + 10 * (0.7 * z + np.sqrt(1 - 0.49) * rng.normal(size=300))


# ------------------------------------------------------- closed forms -------------------------------------------------------


def test_everybody_read_once__is_students_t(people: tuple[np.ndarray, np.ndarray]) -> None:
    """With flat priors the interval of a mean is that of Student's t, and that of a standard deviation that of chi-square."""
    entry, _ = people
    found = fitted(pairs_of(*people))
    n, mean, sd = len(entry), entry.mean(), entry.std(ddof=1)
    low, high = stats.t.interval(0.9, n - 1, mean, sd / np.sqrt(n))
    told = number(found, "mean_at_entry")
    assert (told.low, told.high) == pytest.approx((low, high), abs=0.03)
    squares = (n - 1) * sd**2 / stats.chi2.ppf([0.95, 0.05], n - 1)
    told = number(found, "sd_at_entry")
    assert (told.low, told.high) == pytest.approx(tuple(np.sqrt(squares)), rel=0.01)
    assert number(found, "correlation").mean == pytest.approx(np.corrcoef(*people)[0, 1], abs=0.01)


def test_people_who_are_lost__are_made_up_for_by_their_reading_at_entry(people: tuple[np.ndarray, np.ndarray]) -> None:
    """Anderson 1957: the mean at the date is that of those seen, plus the slope times how much lower they all were at entry."""
    entry, late = people
    late = np.where(entry < 38, np.nan, late)
    seen = np.isfinite(late)
    slope = np.cov(entry[seen], late[seen])[0, 1] / entry[seen].var(ddof=1)
    by_hand = late[seen].mean() + slope * (entry.mean() - entry[seen].mean())
    found = fitted(pairs_of(entry, late))
    assert number(found, "mean").mean == pytest.approx(by_hand, abs=0.15)
    assert abs(late[seen].mean() - by_hand) > 2
    lost = found.drop_out
    assert lost is not None
    k, n = int((~seen).sum()), len(seen)
    assert lost.share["mean"] == pytest.approx((k + 0.5) / (n + 1), rel=1e-5)
    assert lost.share["sd"] == pytest.approx(float(stats.beta(k + 0.5, n - k + 0.5).std()), rel=1e-3)
    apart = entry[~seen].mean() - entry[seen].mean()
    assert lost.gap["mean"] == pytest.approx(slope * apart, rel=0.03)
    gain = fitted(pairs_of(entry, late), "gain").drop_out
    assert gain is not None
    assert gain.gap["mean"] == pytest.approx(lost.gap["mean"] - apart, abs=0.01)


def test_two_readings__tell_the_error_and_what_it_hides(people: tuple[np.ndarray, np.ndarray]) -> None:
    """The variance of an error is half the mean square of differences; the correlation is that of readings over the root of reliability."""
    level, late = people
    rng = np.random.default_rng(5)
    first, second = (level + 5 * rng.normal(size=len(level)) for _ in range(2))
    error = np.sqrt(np.mean((first - second) ** 2) / 2)
    found = fitted(pairs_of(first, late, second))
    assert number(found, "error_sd_at_entry").mean == pytest.approx(error, rel=0.02)
    both = (first + second) / 2
    total = (first.var(ddof=1) + second.var(ddof=1)) / 2
    assert number(found, "sd_at_entry").mean == pytest.approx(np.sqrt(total - error**2), rel=0.02)
    attenuated = np.corrcoef(both, late)[0, 1] * both.std(ddof=1) / np.sqrt(total - error**2)
    assert number(found, "correlation").mean == pytest.approx(attenuated, abs=0.02)
    assert number(fitted(pairs_of(first, late)), "correlation").mean == pytest.approx(np.corrcoef(first, late)[0, 1], abs=0.01)


def test_truth_of_the_made_up_table__is_found_again() -> None:
    assert FILE.read_bytes() == made_up_scores.text(made_up_scores.lines()).encode("cp1252")
    found = simengine.fit_scores(FILE, PATHWAY, MAPPING)
    for one in found.content["fitted"]["wellbeing"]["numbers"]:
        sd = (one.high - one.low) / (2 * 1.645)
        assert abs(one.mean - TRUTH[one.path]) < 3.5 * sd, one.path


def test_ranks_of_the_truth__are_uniform() -> None:
    """A small twin of verification/fitted_scores.py, with drop-out by the reading at entry."""
    ranks = calibrate_scores(SCORE_CASES["scores, drop-out"], sized(4, 100), seed=3)
    heights = np.concatenate(list(ranks.values()))
    assert np.isfinite(heights).all()
    assert chi_square(heights, bins=5)[1] > 1e-3


def test_readings_that_are_not_normal__are_told(people: tuple[np.ndarray, np.ndarray]) -> None:
    entry, late = people
    assert {test.verdict for test in judge_score(fitted(pairs_of(entry, late)), 5).tests.values()} <= {"fits", "doubtful"}
    floor = np.maximum(entry, 38.0)
    assert judge_score(fitted(pairs_of(floor, late)), 5).tests["at entry"].verdict == "does not fit"
    truth = {"outcomes.wellbeing.mean_at_entry": 50.0, "outcomes.wellbeing.mean": 55.0, "outcomes.wellbeing.sd_at_entry": 8.0}
    truth |= {"outcomes.wellbeing.sd": 9.0, "outcomes.wellbeing.correlation": 0.6}
    p = []
    for seed in range(sized(3, 60)):
        pairs = simulate_scores(truth, SCORE_CASES["scores, drop-out"], np.random.default_rng(seed))
        p += [test.p_value for test in judge_score(fitted(pairs), 3).tests.values() if test.p_value is not None]
    assert stats.kstest(p, "uniform").pvalue > 1e-3


# --------------------------------------------------------- reading ---------------------------------------------------------

HEADER = "Löpnr;skala;Datum;Poäng;grupp\n"
ROWS = "A17;WHO;2020-01-01;12,5;k\nA17;WHO;2021-01-03;-3;k\nB2;WHO;2020-02-01;20;m\n"
BAD = {
    "A17;WHO;2020-01-01;12;k": ("duplicate", "", "line 2"),
    "B2;WHO;;12;m": ("missing value", "Datum", ""),
    "B2;WHO;2020-13-01;12;m": ("impossible date", "Datum", "'2020-13-01'"),
    "B2;WHO;2020-03-01;;m": ("missing value", "Poäng", ""),
    "B2;WHO;2020-03-01;tolv;m": ("unreadable score", "Poäng", "'tolv'"),
    "B2;WHO;2020-03-01;101;m": ("above the highest", "Poäng", "101"),
    "B2;WHO;2020-03-01;-6;m": ("below the lowest", "Poäng", "-6"),
    "B2;KASAM;2020-03-01;12;m": ("unknown scale", "skala", "'KASAM'"),
    "B2;WHO;2020-03-01;12;k": ("differs between rows of a person", "grupp", "line 4"),
    "B2;WHO;2022-03-01;12;m": ("after observation", "Datum", ""),
    ";WHO;2020-03-01;12;m": ("missing value", "Löpnr", ""),
    "B2;WHO;2020-03-01;12": ("wrong number of cells", "", "1 fewer"),
}
MEANT: dict[str, Any] = {
    "observed_until": "2022-01-01",
    "scores": {"scales": {"WHO": "wellbeing"}, "lowest": -5, "highest": 100},
}


def table(folder: Path, text: str) -> Path:
    (folder / "scores.csv").write_text(text, encoding="utf-8")
    return folder / "scores.csv"


@pytest.mark.parametrize("row", BAD)
def test_bad_row__is_listed_with_line_and_reason_or_left_out(row: str, tmp_path: Path) -> None:
    path = table(tmp_path, f"{HEADER}{ROWS}{row}\n")
    with pytest.raises(BadRowsError) as error:
        read_score_table(path, MEANT, problems=tmp_path / "bad.csv")
    (one,) = error.value.bad_rows
    assert (one.row, (one.reason, one.header, one.found)) == (5, BAD[row])
    assert "A17" not in str(error.value)
    assert (tmp_path / "bad.csv").read_text(encoding="utf-8-sig").count("\n") == 2
    left = read_score_table(path, MEANT, without_bad_rows=True)
    assert (len(left), left.file.left_out) == (3, ((BAD[row][0], 1),))


def test_rows__are_read_by_date_or_by_month(tmp_path: Path) -> None:
    """3 January 2021 is 368 days after 1 January 2020, 368 / 30.4375 months; observation lasts 731 and 700 days."""
    read = read_score_table(table(tmp_path, HEADER + ROWS), MEANT)
    assert (read.scales, read.groups) == (("wellbeing",), ("k", "m"))
    assert read.score.tolist() == [12.5, -3, 20]
    assert read.month.tolist() == pytest.approx([0, 368 / 30.4375, 0])
    assert read.observed_months.tolist() == pytest.approx([731 / 30.4375, 700 / 30.4375])
    assert "Entry of each person: the date of the first reading." in read.file.notes
    by_month = read_score_table(table(tmp_path, "id,month,value\n1,0,3.5\n1,12,4\n2,-0.5,3\n"))
    assert (by_month.month.tolist(), by_month.scales) == ([0, 12, -0.5], ("score",))
    assert np.isinf(by_month.observed_months).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id;date;month;score\n1;2020-01-01;1;2\n", "a column must hold `date`, or one `month`; found columns for both"),
        ("id;score\n1;2\n", "a column must hold `date`, or one `month`; found no ordinary header of either"),
        ("id;month;score\n", "must have a row for each score; found a header alone"),
        ("id;month\n1;2\n", "a column must hold `score`"),
        ("id;month;score\n1;1;1,234\n", "amounts must show whether a comma or a point separates decimals"),
    ],
)
def test_table_that_is_none__says_so(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError) as error:
        read_score_table(table(tmp_path, text))
    assert message in str(error.value)


def test_readings_that_count__by_hand(tmp_path: Path) -> None:
    """Person 1: entry 0, again after half a month, then 11 and 13 as near: the earlier. 2: none near 12. 3: no entry. 4: late alone."""
    text = "id;month;score\n1;0;1\n1;0,5;2\n1;11;3\n1;13;4\n2;0;5\n2;20;6\n3;6;7\n4;12;8\n"
    read = read_score_table(table(tmp_path, text))
    assert month_with_most(read, 0, ScoreChoices()) == 6
    pairs = choose_pairs(read, 0, ScoreChoices(second_within_days=20), 12)
    assert pairs.entry.tolist() == pytest.approx([1, 5, np.nan, np.nan], nan_ok=True)
    assert pairs.second.tolist() == pytest.approx([2, np.nan, np.nan, np.nan], nan_ok=True)
    assert pairs.at_date.tolist() == pytest.approx([3, np.nan, np.nan, 8], nan_ok=True)
    assert (pairs.is_lost.tolist(), pairs.is_due.tolist()) == ([False, True, False, False], [True, True, False, False])
    assert pairs.n_unused == 3


# -------------------------------------------------- in a study, and who is shown --------------------------------------------------


def test_section__drops_into_a_study_with_its_source() -> None:
    mapping = yaml.safe_load(MAPPING.read_text())
    mapping["scores"]["scale"] = "hba1c"
    asked = {"scores": {"hba1c": {"second_within_days": 30, "within_months": 2, "at_month": 12, "metric": "saving"}}}
    done = simengine.fit_scores(FILE, asked, mapping, into=BOND)
    assert done.study is not None
    told = dict(quantities_in(done.study))
    assert told["outcomes.hba1c.mean"].certainty == "D"
    assert str(told["outcomes.hba1c.mean"].source).startswith("wellbeing_made_up.csv ")
    attrition = done.study.measurement.metrics["saving"].attrition
    assert attrition is not None
    assert done.content["fitted"]["hba1c"]["drop_out"] is not None
    assert attrition.share.source == told["outcomes.hba1c.mean"].source


@pytest.mark.parametrize(
    ("scale", "study", "message"),
    [
        ("grade_points", "skolfam", "outcomes.grade_points.by_state: must be absent where the score is fitted"),
        ("diabetes_cost", "stockholm_health_bond", "outcomes.diabetes_cost.kind: must be `score`; found amount"),
    ],
)
def test_study_that_cannot_have_it__is_refused(scale: str, study: str, message: str) -> None:
    mapping = yaml.safe_load(MAPPING.read_text())
    mapping["scores"]["scale"] = scale
    with pytest.raises(StudyError, match=message):
        simengine.fit_scores(FILE, {"scores": {scale: {"at_month": 12}}}, mapping, into=CHECKOUT / "configs" / f"{study}.yaml")


def test_few_people__are_neither_fitted_nor_told(people: tuple[np.ndarray, np.ndarray]) -> None:
    entry, late = people
    few = np.where(np.arange(300) < 4, np.nan, late)
    told = fitted(pairs_of(entry, few))
    assert told.drop_out is None
    assert "fewer than 5 people were due at the date and have no score" in told.notes[0]
    with pytest.raises(UsageError, match="5 people or more must have a reading at entry and one at month 12; found fewer"):
        fitted(pairs_of(entry[:4], late[:4]))
    with pytest.raises(UsageError, match="people must differ at entry; found one score for all"):
        fitted(pairs_of(np.full(300, 2.0), late))
    curves = judge_score(told, 40).curves
    so_far = curves["at entry"].share * 300
    assert (np.diff(so_far) >= 40 - 1e-9).all()
    assert (so_far[0] >= 40, so_far[-1] <= 260) == (True, True)
    assert judge_score(told, 7).tests["at entry"].people == "294"  # 42 x 7


def test_choices__that_suit_no_table_are_refused() -> None:
    calls: list[tuple[type[Exception], str, Callable[[], object]]] = [
        (
            StudyError,
            "scores.joy: must be a score of the file; found `joy`",
            lambda: simengine.fit_scores(FILE, {"scores": {"joy": {}}}, MAPPING),
        ),
        (
            StudyError,
            "scores.wellbeing.groups: must be groups of the file; found `men`",
            lambda: simengine.fit_scores(FILE, {"scores": {"wellbeing": {"groups": ["men"]}}}, MAPPING),
        ),
        (UsageError, "scores: must be a file, or what read_score_table returned", lambda: simengine.fit_scores(3)),  # type: ignore[arg-type]
        (
            UsageError,
            "small_cells: must be a whole number from 3 to 100",
            lambda: simengine.fit_scores(FILE, None, MAPPING, small_cells=1),
        ),
        (
            UsageError,
            "small_cells: must be given when a table is read; found 7 for a table that was read with 9",
            lambda: simengine.fit_scores(read_score_table(FILE, MAPPING, small_cells=9), small_cells=7),
        ),
        (
            UsageError,
            "scores: must be asked for with a table of scores",
            lambda: simengine.fit(FOLDER / "placements_made_up.csv", {"scores": {"a": {}}}, FOLDER / "mapping.yaml"),
        ),
    ]
    for kind, message, call in calls:
        with pytest.raises(kind) as error:
            call()
        assert message in str(error.value)


def test_command__writes_a_folder_that_holds_nobody(tmp_path: Path) -> None:
    words = ["fit", "--scores", FILE, "--mapping", MAPPING, "--pathway", PATHWAY, "--small-cells", "10", "-o", "fitted"]
    done = in_this_process(words, tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "fitted" / "fit.json").read_text())
    assert told["fitted"]["wellbeing"]["both"].endswith("0")
    assert told["section"] == yaml.safe_load((tmp_path / "fitted" / "scores_section.yaml").read_text())
    assert (tmp_path / "fitted" / "fit.png").read_bytes().startswith(b"\x89PNG")
    for path in (tmp_path / "fitted").glob("*.*"):
        if path.suffix != ".png":
            assert "Löpnr" not in path.read_text()
            assert str(FOLDER) not in path.read_text()
    again = (tmp_path / "fitted" / "run-again.txt").read_text()
    assert again.startswith(
        "simengine fit --scores wellbeing_made_up.csv --pathway pathway.yaml --mapping mapping.yaml --small-cells 10"
    )
    beside = in_this_process(["fit", FOLDER / "placements_made_up.csv", "--scores", FILE], tmp_path)
    assert beside.returncode == 2
    assert beside.stderr.startswith("simengine: --scores: must stand without other tables; found SPELLS. Fit the spells first")
