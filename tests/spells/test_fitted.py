"""A fit as a whole: in a study, in a folder, without small numbers; and against the people that the engine then simulates."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from scipy import linalg, stats

import simengine
from simengine import load_study, simulate
from simengine.distributions import Constant, quantities_in
from simengine.errors import StudyError, UsageError
from simengine.report.document import yaml_text
from simengine.spells.costs import fit_costs
from simengine.spells.episodes import episodes_of, moves_of
from simengine.spells.expected import expected_moves, expected_occupancy
from simengine.spells.hazards import MoveHazard, fit_hazards
from simengine.spells.observed import occupancy_curve
from simengine.spells.people import fit_entries, fit_start
from simengine.spells.read import read_spells
from simengine.spells.read_tables import read_tables
from simengine.spells.records import Spells
from tests.command import in_this_process
from tests.conftest import CHECKOUT, sized
from tests.spells.made import months, planned, spells_of
from verification.fitted_pathways import CASES, calibrate, chi_square

SAMPLE = CHECKOUT / "configs" / "spells" / "placements_made_up.csv"
TINY = CHECKOUT / "configs" / "tiny.yaml"
MAPPING: dict[str, Any] = {
    "columns": {
        "person": "Löpnr",
        "group": "Kön",
        "state": "Insats",
        "from": "Startdatum",
        "to": "Slutdatum",
        "cost_per_day": "Dygnskostnad",
    },
    "states": {"Jourhem": "placed", "Familjehem": "placed", "HVB": "placed"},
    "groups": {"K": "young", "M": "older"},
    "open": [""],
    "last_day_counts": False,
    "between_spells": "home",
    "observed_until": "2024-07-01",
    "decimal": "comma",
}
RICH = {
    "states": ["home", "placed"],
    "stays": {"placed": "weibull", "home": {"by_months": [6, 12]}},
    "frailty": ["home -> placed", "placed -> home"],
    "trend": ["home -> placed"],
}


@pytest.fixture(scope="module")
def mapping(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mapping") / "mapping.yaml"
    path.write_text(yaml.safe_dump(MAPPING, allow_unicode=True))
    return path


def turned(n_moves: int, n_people: int = 40) -> Spells:
    """People who are in for 10 months, of whom some then leave; seven others leave to another state after 5."""
    leave = [[("in", 0, months(10)), ("away", months(10), months(20))]] * n_moves
    others = [[("in", 0, months(5)), ("out", months(5), months(20))]] * 7
    # Three more people begin away, so that the state has been seen by five whatever happens.
    beside = [[("away", 0, months(20))]] * 6
    return spells_of([*leave, *others, *([[("in", 0, months(10))]] * (n_people - n_moves)), *beside])


# ------------------------------------------------------- in a study -------------------------------------------------------


@pytest.mark.parametrize("pathway", [{"states": ["placed", "home"]}, RICH, None], ids=["states alone", "rich", "nothing"])
def test_section__drops_into_a_study_that_is_valid(pathway: dict[str, Any] | None) -> None:
    found = simengine.fit(SAMPLE, pathway, MAPPING, into=TINY)
    assert found.study is not None
    again = load_study(yaml.safe_load(yaml_text(found.study.model_dump(mode="json", exclude_none=True, exclude_defaults=True))))
    fitted = {
        path: one
        for path, one in again.numbers.items()
        if path.startswith(("pathway.start", "pathway.moves", "population.strata", "population.frailties"))
    }
    assert fitted
    for path, number in fitted.items():
        assert number.source == f"placements_made_up.csv {found.content['file']['sha256'][:12]}", path
        assert number.certainty == "D"
    assert {one.path for one in found.content["numbers"]} <= set(again.numbers)
    assert {path for one in again.correlations.values() for path in one.between} <= set(again.numbers)
    prices = quantities_in(again.outcomes["placement_cost_sek"])
    assert [not isinstance(one, Constant) for _, one in prices] == [True]


def test_section__as_a_file_says_the_same() -> None:
    found = simengine.fit(SAMPLE, RICH, MAPPING)
    assert yaml.safe_load(found.section_text()) == found.section


def test_study__keeps_what_still_applies_and_names_what_does_not() -> None:
    changes = {
        "correlations": {
            "kept": {"between": ["effect.sooner_home.hazard_ratio", "measurement.metrics.saving.drift_per_year"], "value": 0.1},
            "gone": {"between": ["effect.sooner_home.hazard_ratio", "pathway.moves.home -> placed.per_month"], "value": 0.1},
        },
        "variants": {"larger": {"population.waves.all.size": 24}, "older": {"pathway.moves.home -> placed.per_month": 0.1}},
    }
    found = simengine.fit(SAMPLE, None, MAPPING, into=load_study(TINY).with_(changes))
    assert found.content["left_out"] == ["correlations.gone", "variants.older"]
    assert found.study is not None
    assert list(found.study.variants) == ["larger"]
    assert "kept" in found.study.correlations
    assert found.study.population.waves["all"].size.centre == 12


def test_study_that_lists_its_sources__lists_the_file_too() -> None:
    changes = {"study.sources": {"S1": "a report"}, "variants": {"slower": {"pathway.moves.home -> placed.per_month": 0.1}}}
    known = {
        "of_it": {
            "of": "metric.saving.estimate",
            "stands": "above",
            "value": 0,
            "variant": "slower",
            "source": "S1",
            "certainty": "Q",
        }
    }
    found = simengine.fit(SAMPLE, None, MAPPING, into=load_study(TINY).with_({**changes, "known": known}))
    assert found.study is not None
    code = f"placements_made_up.csv {found.content['file']['sha256'][:12]}"
    assert list(found.study.study.sources) == ["S1", code]
    assert found.content["left_out"] == ["variants.slower", "known.of_it"]


@pytest.mark.statistical
def test_engine__simulates_what_was_fitted() -> None:
    """Months at home within a year of the twins against those that the fit expects, with a frailty and a shape."""
    pathway = {"strata": "none", "stays": {"placed": "weibull"}, "frailty": ["home -> placed", "placed -> home"]}
    found = simengine.fit(
        SAMPLE,
        pathway,
        {**MAPPING, "groups": {}},
        into=load_study(TINY).with_(
            {
                "population.waves.all.size": 400,
                "population.strata": {"everybody": {"share": 1}},
                "pathway.start": {"everybody": {"placed": 1}},
                "pathway.moves.placed -> home": {"per_month": 0.1},
            }
        ),
    )
    assert found.study is not None
    n = sized(60, 400)
    tallies = simulate(found.study, seed=1, replications=np.arange(n)).tallies
    by_replication = tallies.person_months[:, 0, 1, 0, 0] / tallies.n_people[:, 0, 1]
    _, fitted = found.goodness.occupancy_curves["home"]
    expected = float(fitted[:12].sum())
    # The centre of the posterior is not its mean, and a month is counted from its beginning: a tenth of a month is allowed for.
    assert abs(by_replication.mean() - expected) < 0.1 + 3 * by_replication.std(ddof=1) / np.sqrt(n)


# -------------------------------------------------- what nobody may learn --------------------------------------------------


def test_small_number__cannot_be_read_from_anything_written() -> None:
    """Whether two or four people went away, everything that is written is the same but the months at risk and the fit of the rest."""
    fits = [simengine.fit(turned(n)) for n in (2, 4)]
    for found in fits:
        told = found.content["moves"]["in -> away"]
        assert (told["people"], told["moves"], told["test"].p_value) == ("fewer than 5", None, None)
        assert any("`in -> away`: fewer than 5 people made it" in note for note in found.content["notes"])
    first, second = (found.section["pathway"]["moves"]["in -> away"] for found in fits)
    assert first == second


def test_limit_of_what_is_shown__may_be_another(tmp_path: Path) -> None:
    """With 7 at least, two and six who went away are told alike: both counts lie in the class from 1 to 7; the seven who went out are told.

    By hand: the middle of 1 to 7 is 4; with half an event more the mean is 4.5, the variance 4.5 + 48 / 12, so that the gamma
    distribution has the shape 4.5 x 4.5 / 8.5 = 2.382.
    """
    for n in (2, 6):
        told = simengine.fit(with_limit(turned(n), 7)).content
        assert (told["file"]["small_cells"], told["file"]["rows"]) == (7, None)
        away, out = told["moves"]["in -> away"], told["moves"]["in -> out"]
        assert (away["people"], away["moves"], out["people"], out["moves"]) == ("fewer than 7", None, "7", 7)
        rate = told["section"]["pathway"]["moves"]["in -> away"]["rate_per_month"]
        assert rate["events"] == pytest.approx(2.382, abs=5e-4)
        assert "fewer than 7 people made it" in " ".join(told["notes"])
        assert "5 people" not in " ".join(told["notes"])
    assert simengine.fit(with_limit(turned(3), 3)).content["moves"]["in -> away"]["moves"] == 3
    with pytest.raises(StudyError, match="a file must hold 100 people or more; found fewer than 100"):
        simengine.fit(with_limit(turned(2), 100))
    table = tmp_path / "table.csv"
    table.write_text(
        "person;state;from;to\n" + "".join(f"{n};a;2020-01-01;2020-02-01\n{n};b;2020-02-01;2020-03-01\n" for n in range(9))
    )
    spells = read_spells(table, {"last_day_counts": False, "after_last_spell": "not_observed"}, small_cells=9)
    assert simengine.fit(spells).content["file"]["people"] == "9"
    with pytest.raises(
        UsageError, match="small_cells: must be given when tables are read; found 5 for tables that were read with 9"
    ):
        simengine.fit(spells, small_cells=5)


@pytest.mark.parametrize("wrong", [2, 101, 0, True, 5.0, "5"])
def test_limit_of_what_is_shown__has_limits(wrong: Any) -> None:
    calls: list[Callable[[], object]] = [
        lambda: simengine.fit(SAMPLE, None, MAPPING, small_cells=wrong),
        lambda: read_spells(SAMPLE, MAPPING, small_cells=wrong),
        lambda: read_tables(SAMPLE, None, MAPPING, small_cells=wrong),
    ]
    for call in calls:
        with pytest.raises(UsageError, match="small_cells: must be a whole number from 3 to 100; found"):
            call()


def test_no_number_of_people_that_is_written__is_below_the_limit() -> None:
    """Of the made-up placements with 30 at least: every class, curve and count holds 30 people or more, or is said to be fewer."""
    found = simengine.fit(
        SAMPLE, {"strata": "none", "stays": {"placed": {"by_months": [6, 12, 24, 36, 48, 60]}}}, MAPPING, small_cells=30
    )
    spells = read_spells(SAMPLE, MAPPING, small_cells=30)
    for name, move in found.content["moves"].items():
        people = len(np.unique(spells.person[moves_of(spells)[tuple(spells.states.index(one) for one in name.split(" -> "))]]))
        assert move["people"] == (str(people) if people >= 30 else "fewer than 30")
        cuts = found.section["pathway"]["moves"][name].get("by_months_in_state", {}).get("from_months", [])
        assert len(cuts) < 6
    for by_state in found.section["pathway"]["start"].values():
        assert all(share.get("count", 30.5) == 15.5 or (share.get("count", 30.5) - 0.5) >= 30 for share in by_state.values())
    seen, _ = found.goodness.survival_curves["placed"]
    left = np.sort((spells.end_day - spells.first_day)[(spells.state == spells.states.index("placed")) & ~spells.is_open]) / months(
        1
    )
    shown = np.flatnonzero(np.isfinite(seen.share))
    so_far = np.searchsorted(left, seen.months[shown], side="right")
    assert (np.diff(so_far) >= 30).all()


def test_small_share_of_a_month__is_not_the_rest_of_the_others() -> None:
    """Of 40 people 20 are in, 17 out and 3 away: with 20 and 17 shown, 40 - 20 - 17 would be read. 8 away may be shown."""
    people = [[("in", 0, months(9))]] * 15 + [[("in", 0, months(6)), ("away", months(6), months(9))]] * 5
    people += [[("in", 0, months(1)), ("out", months(1), months(9))]] * 17
    for n, n_shown in ((3, 1), (8, 3)):
        spells = spells_of([*people, *[[("in", 0, months(1)), ("away", months(1), months(9))]] * n])
        curves = occupancy_curve(spells, planned(spells)[0], (), 8)
        assert sum(bool(np.isfinite(curve.share[4])) for curve in curves.values()) == n_shown


def with_limit(spells: Spells, least: int) -> Spells:
    return replace(spells, file=replace(spells.file, small_cells=least))


def test_small_stratum__has_no_rate_of_its_own() -> None:
    people = [[("in", 0, months(6)), ("out", months(6), months(9))]] * 20
    few = [[("in", 0, months(9))]] * 10
    spells = spells_of([*people, *few], groups=["a"] * 18 + ["b"] * 12)
    plan, _ = planned(spells)
    assert plan.moves[0].by_stratum is False
    assert plan.notes == ("`in -> out`: fewer than 5 people of a stratum made it; one rate for all strata.",)


def test_small_piece__is_joined_to_the_one_before() -> None:
    people = [[("in", 0, months(n)), ("out", months(n), months(40))] for n in [2] * 8 + [8] * 3 + [20] * 6]
    plan, _ = planned(spells_of(people), stays={"in": {"by_months": [6, 12]}})
    assert plan.moves[0].cuts == (12,)


def test_small_start__is_rounded_with_all_others() -> None:
    """Of 30 people 26 begin in, and 4 away; 5 more were observed away later. 26 becomes 25, and 4 becomes 2.5."""
    spells = spells_of([[("in", 0, 300)]] * 20 + [[("in", 0, 100), ("away", 100, 300)]] * 6 + [[("away", 0, 300)]] * 4)
    start = fit_start(spells, planned(spells)[0])
    assert {state: one["count"] for state, one in start.start["everybody"].items()} == {"away": 3.0, "in": 25.5}
    assert start.notes == ("Start of `everybody`: a count is below 5; it stands as 2.5, the others rounded to multiples of 5.",)


def test_cost_of_few_people__has_no_price() -> None:
    people = [[("in", 0, 100), ("out", 100, 200)]] * 8
    spells = spells_of(people, cost={**{(i, 0): 1000.0 + i for i in range(8)}, **{(i, 1): 50.0 for i in range(3)}})
    found, notes = fit_costs(spells, planned(spells)[0])
    assert list(found) == ["in"]
    assert notes == ["Daily cost of `out`: given for fewer than 5 people; it has no price."]


# ------------------------------------------------------- by hand -------------------------------------------------------


def test_daily_cost__by_hand() -> None:
    """Days 10, 20, 30, 40, 50 at 100, 100, 200, 200, 300 a day: 32,000 over 150 days is 213.33.

    Residuals C_i - R D_i: -1133.33, -2266.67, -400, -533.33, 4333.33; squares add up to 25,644,444; times 5/4, root, over 150.
    """
    days, price = [10, 20, 30, 40, 50], [100.0, 100.0, 200.0, 200.0, 300.0]
    people = [[("in", 0, n), ("out", n, 100)] for n in days]
    found, _ = fit_costs(spells_of(people, cost={(i, 0): one for i, one in enumerate(price)}), planned(spells_of(people))[0])
    assert found["in"].mean == pytest.approx(213.3333, abs=1e-3)
    assert found["in"].se == pytest.approx(np.sqrt(1.25 * 25_644_444.4) / 150, rel=1e-6)


def test_entries__as_regular_as_can_be_are_known_as_a_poisson_number() -> None:
    """Two people enter in each of 24 months, observed for 24: no overdispersion, so a is the number of people, 48."""
    people = [[("in", months(m) + 1, months(24) + 1)] for m in range(24) for _ in range(2)]
    found = fit_entries(spells_of(people), 12)
    assert found is not None
    assert (found.months, found.per_month, found.size["shape"]) == (24, 2.0, pytest.approx(48))


def test_entries__in_bursts_vary_more() -> None:
    """Entries 4, 0, 4, 0, ... in 24 months: mean 2, variance 96 / 23, so 1 / r = (96 / 23 - 2) / 4 = 0.5435.

    1 / a = 0.5435 / 12 + (0.5 + 0.5435) / 24 = 0.08877, so a = 11.27.
    """
    people = [[("in", months(m) + 1, months(24) + 1)] for m in range(0, 24, 2) for _ in range(4)]
    found = fit_entries(spells_of(people), 12)
    assert found is not None
    assert (found.months, found.per_month) == (24, 2.0)
    assert found.size["shape"] == pytest.approx(11.27, abs=0.01)


def test_occupancy__of_constant_rates_is_that_of_the_generator() -> None:
    """exp(m Q) for two states, against the short steps."""
    rng = np.random.default_rng(3)
    people = []
    for _ in range(60):
        first, second = rng.exponential(10), rng.exponential(20)
        people.append(
            [("in", 0, months(first)), ("out", months(first), months(first + second)), ("in", months(first + second), months(80))]
        )
    spells = spells_of(people)
    plan, choices = planned(spells)
    fitted = fit_hazards(spells, plan, choices, 0.0)
    a, b = (float(np.exp(hazard.log_rate[0])) for hazard in fitted.hazards)
    generator = np.array([[-a, a], [b, -b]])
    found = expected_occupancy(plan, fitted, {(0, 0): 1.0}, 0.0, 36)
    exact = np.array([linalg.expm(generator * m)[0] for m in range(37)])
    assert np.abs(found - exact).max() < 0.002


def test_expected_moves__of_a_frailty_learn_from_what_was_seen() -> None:
    """One person, a = 2, a rate of 0.1: four months in, a move, six months in without one.

    2 log(2.4 / 2) + 3 log(3 / 2.4), the integral of (2 + N) / (2 + H) over the cumulative hazard H.
    """
    spells = spells_of([[("in", 0, months(4)), ("out", months(4), months(5)), ("in", months(5), months(11))]] * 5)
    plan, choices = planned(spells, frailty=["in -> out"])
    fitted = fit_hazards(spells, plan, choices, 0.0)
    hazard = MoveHazard(np.log([0.1]), np.zeros(1), ())
    by_name = {"in -> out": hazard}
    fitted = replace(
        fitted,
        hazards=tuple(by_name.get(move.name, one) for move, one in zip(plan.moves, fitted.hazards, strict=True)),
        variance=0.5,
    )
    of = episodes_of(spells, [(move.origin, move.target) for move in plan.moves], plan.stratum, {})
    number = [move.name for move in plan.moves].index("in -> out")
    expected = expected_moves(of, plan, fitted)[number].sum() / 5
    assert expected == pytest.approx(2 * np.log(2.4 / 2) + 3 * np.log(3 / 2.4))


# --------------------------------------------------- calibration ---------------------------------------------------


@pytest.mark.statistical
@pytest.mark.parametrize("name", sized(["frailty"], ["pieces", "weibull", "frailty"]))
def test_calibration__ranks_of_the_truth_are_uniform(name: str) -> None:
    """Simulated by plain Python with numbers from the priors, under truncation and censoring; the long version is in `verification`."""
    for path, heights in calibrate(CASES[name], sized(16, 100), seed=11).items():
        assert np.isfinite(heights).mean() > 0.8, path
        known = heights[np.isfinite(heights)]
        assert chi_square(known, 6)[1] > 1e-3, path
        assert stats.kstest(known, "uniform").pvalue > 1e-3, path


# --------------------------------------------------- refusals ---------------------------------------------------


@pytest.mark.parametrize(
    ("pathway", "message"),
    [
        ({"states": ["home"]}, "states: must hold every state of the file; found none of placed"),
        ({"states": ["home", "placed", "gone"]}, "states: must be states of the file; found `gone`"),
        ({"absorbing": ["home"]}, "absorbing: nobody must leave an absorbing state; found `home -> placed` in the file"),
        ({"moves": ["home -> gone"]}, "moves: must be moves that were seen; found `home -> gone`"),
        ({"frailty": ["home -> gone"]}, "frailty: must name moves that are fitted; found `home -> gone`"),
        ({"stays": {"gone": "weibull"}}, "stays.gone: must be a state; found `gone`"),
        ({"stays": {"home": {"by_months": [12, 6]}}}, "stays.home: the months must increase; found 12, 6"),
        ({"stay": {}}, "stay: this key is unknown"),
        ({"trend": ["home -> placed"], "study_start": "2030-02"}, "study_start: must be the start of the study"),
    ],
)
def test_choice__that_does_not_suit_the_file_is_refused(pathway: dict[str, Any], message: str) -> None:
    with pytest.raises((StudyError, UsageError), match=re.escape(message)):
        simengine.fit(SAMPLE, pathway, MAPPING, into=TINY)


def test_study_whose_effect_needs_another_move__is_refused() -> None:
    rule = "the study with the fitted pathway: effect.sooner_home.move"
    with pytest.raises(StudyError, match=re.escape(rule)):
        simengine.fit(SAMPLE, {"moves": ["home -> placed"]}, MAPPING, into=TINY)


def test_state_of_few_people__is_refused() -> None:
    spells = spells_of([[("in", 0, 100)]] * 10 + [[("away", 0, 100)]] * 3)
    with pytest.raises(StudyError, match="5 people or more must have been in every state; found fewer in `away`"):
        simengine.fit(spells)


def test_what_is_neither_spells_nor_a_pathway__is_refused() -> None:
    with pytest.raises(UsageError, match="spells: must be a file, or what read_spells returned; found 5"):
        simengine.fit(5)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="pathway: must be a file, the same as data, or nothing; found 5"):
        simengine.fit(turned(5), 5)  # type: ignore[arg-type]


def test_spells_without_a_move__are_refused() -> None:
    with pytest.raises(StudyError, match="somebody must have moved from one state to another; found nobody who did"):
        simengine.fit(spells_of([[("in", 0, 100)]] * 10))


def test_picture__of_too_few_people_says_so() -> None:
    """Six people who were all found in their stay: nobody is at risk from its beginning, and no share can be shown."""
    people = [[("in", 0, months(3) + i), ("out", months(3) + i, 400)] for i in range(6)]
    assert simengine.fit(spells_of(people, entry=dict.fromkeys(range(6), 10.0))).picture().startswith(b"\x89PNG")


def test_frailty_of_a_small_move__is_refused() -> None:
    with pytest.raises(StudyError, match="frailty: must name moves that 5 people or more made; found `in -> away`, made by fewer"):
        simengine.fit(turned(3), {"frailty": ["in -> away"]})


# ---------------------------------------------------- the command ----------------------------------------------------


def test_command__writes_a_folder_that_holds_no_person(mapping: Path, tmp_path: Path) -> None:
    (tmp_path / "pathway.yaml").write_text(yaml.safe_dump(RICH))
    words = ["fit", SAMPLE, "--mapping", mapping, "--pathway", "pathway.yaml", "--into", TINY, "-o", "fitted"]
    done = in_this_process(words, tmp_path)
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / "fitted").iterdir()}
    assert names == {
        *(
            "pathway_section.yaml",
            "fit.json",
            "fit.png",
            "pathway.yaml",
            "mapping.yaml",
            "study.yaml",
            "run-again.txt",
            "SHA256SUMS",
        )
    }
    checked = in_this_process(["check", "fitted/study.yaml"], tmp_path)
    assert checked.returncode == 0, checked.stderr
    told = json.loads((tmp_path / "fitted" / "fit.json").read_text())
    assert told["section"] == yaml.safe_load((tmp_path / "fitted" / "pathway_section.yaml").read_text())
    for name in ("pathway_section.yaml", "fit.json", "study.yaml"):
        assert "Löpnr" not in (tmp_path / "fitted" / name).read_text()


def test_command__leaves_nothing_where_the_file_is_refused(mapping: Path, tmp_path: Path) -> None:
    (tmp_path / "pathway.yaml").write_text("states: [home]\n")
    done = in_this_process(["fit", SAMPLE, "--mapping", mapping, "--pathway", "pathway.yaml", "-o", "fitted"], tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("simengine: pathway.yaml:1: states: must hold every state of the file")
    assert not (tmp_path / "fitted").exists()


def test_command__prints_the_study_or_one_object(mapping: Path) -> None:
    words = ["fit", SAMPLE, "--mapping", mapping]
    printed = yaml.safe_load(in_this_process([*words, "--into", TINY]).stdout)
    assert printed["pathway"]["states"] == ["home", "placed"]
    told = json.loads(in_this_process([*words, "--json"]).stdout)
    assert told["moves"]["placed -> home"]["moves"] == 423
