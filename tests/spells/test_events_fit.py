"""Events that were fitted: by hand, against other libraries, calibrated, in a study and in the engine; nothing of any person."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from scipy import optimize, stats

import simengine
from simengine import load_study, simulate
from simengine.config.document import Document
from simengine.errors import StudyError, UsageError
from simengine.report.document import yaml_text
from simengine.spells.choices import FitChoices, Priors
from simengine.spells.event_fit import FittedEvent, fit_events
from simengine.spells.event_goodness import chances_of_counts, judge_events
from simengine.spells.event_likelihood import EventBlock
from simengine.spells.event_plan import EventPlan, plan_events
from simengine.spells.event_records import Events, OwnTables
from simengine.spells.lengths import LengthBlock, fit_length
from simengine.spells.plan import plan_fit
from simengine.spells.records import Spells, SpellsFile
from simengine.spells.risk_time import Lengths, RiskTime, lengths_of, risk_time
from tests.command import in_this_process
from tests.conftest import CHECKOUT, sized
from tests.spells.made import months, spells_of
from verification.fitted_events import EVENT_CASES, calibrate_events
from verification.fitted_pathways import chi_square

FOLDER = CHECKOUT / "configs" / "spells"
LEAVE, LEAVE_MAPPING = FOLDER / "sick_leave_made_up.csv", FOLDER / "sick_leave_mapping.yaml"
BOTKYRKA = CHECKOUT / "configs" / "botkyrka_ornskoldsvik.yaml"
Happened = Sequence[tuple[int, float, float | None]]


def events_of(happened: Happened, *, open_ones: Sequence[int] = ()) -> Events:
    """Events by hand: person, first day, first day no longer in it; sorted by person and day."""
    return Events(
        kinds=("ill",),
        has_length=any(one[2] is not None for one in happened),
        person=np.array([one[0] for one in happened]),
        kind=np.zeros(len(happened), np.int64),
        first_day=np.array([one[1] for one in happened], dtype=np.float64),
        end_day=np.array([np.nan if one[2] is None else one[2] for one in happened]),
        is_open=np.isin(np.arange(len(happened)), list(open_ones)),
        file=SpellsFile("ill.csv", "f" * 64, len(happened)),
    )


def fitted(spells: Spells, events: Events, **asked: object) -> FittedEvent:
    choices = FitChoices.model_validate({"events": {"ill": asked}})
    plan = plan_fit(spells, choices, Document({}), has_events=True)
    plans, _ = plan_events(spells, events, plan, choices, Document({}))
    return fit_events(spells, events, plan, plans, choices.priors, 0)[0]


def number(found: FittedEvent, end: str) -> Any:
    return next(one for one in found.numbers if one.path.endswith(end))


# ------------------------------------------------------- by hand -------------------------------------------------------

STAYS = spells_of([[("home", 0, 100), ("away", 100, 200), ("home", 200, 300)]] * 5 + [[("home", 0, 300)]] * 5, entry={9: 50})


def test_time_at_risk__by_hand() -> None:
    """Five people are home 200 days, five 300 but the last one from day 50 on: 2,450 days at home, 500 away.

    Person 0 is ill from day 90 to 110: 10 days at home and 10 away are not at risk. Person 9 was ill from 40 to 60: 10 days less,
    and no event. Person 5 is ill from 295 on and to the end, 5 days.
    """
    events = events_of([(0, 90, 110), (5, 295, 300), (9, 40, 60)], open_ones=[1])
    at = risk_time(STAYS, events, 0, (0, 1), np.zeros(10, np.int64), lasts=True, by_month=False)
    state = at.state[at.risk_class]
    away, home = (float(at.months[state == one].sum()) for one in (0, 1))
    assert home == pytest.approx(months(1) ** -1 * (2450 - 10 - 10 - 5))
    assert away == pytest.approx(months(1) ** -1 * (500 - 10))
    assert [float(at.n_events[(at.person == p) & (state == 1)].sum()) for p in (0, 5, 9)] == [1, 1, 0]
    found = lengths_of(STAYS, events, 0, (0, 1))
    assert list(zip(found.days.tolist(), found.is_over.tolist(), found.from_day.tolist(), strict=True)) == [
        (20, True, 0),
        (5, False, 0),
        (20, True, 10),
    ]
    assert found.n_cut == 0


def test_event_beyond_its_states__is_cut_where_they_are_left() -> None:
    events = events_of([(0, 90, 110), (1, 250, 310)])
    found = lengths_of(STAYS, events, 0, (1,))
    assert (found.days.tolist(), found.is_over.tolist(), found.n_cut) == ([10, 50], [False, False], 2)
    at = risk_time(STAYS, events, 0, (1,), np.zeros(10, np.int64), lasts=True, by_month=False)
    assert float(at.months.sum()) == pytest.approx((2450 - 10 - 50) / months(1))


def test_time_at_risk_by_month__adds_up_and_knows_its_months() -> None:
    """Day 0 is 1 January 1970: 31 days of January, of which two are ill; the event of 31 January is one of January."""
    events = events_of([(0, 29, 31), (0, 30.0 + 1, 33), (1, 30, 40)])
    at = risk_time(STAYS, events, 0, (0, 1), np.zeros(10, np.int64), lasts=True, by_month=True)
    month = at.month[at.risk_class]
    first = at.person == 0
    assert float(at.months[first & (month == 0)].sum()) == pytest.approx(29 / months(1))
    assert float(at.months[first & (month == 1)].sum()) == pytest.approx(26 / months(1))
    assert float(at.n_events[(at.person == 1) & (month == 0)].sum()) == 1
    whole = risk_time(STAYS, events, 0, (0, 1), np.zeros(10, np.int64), lasts=True, by_month=False)
    assert float(at.months.sum()) == pytest.approx(float(whole.months.sum()))


def test_rate_of_people_who_are_alike__is_a_gamma_posterior() -> None:
    """Ten people at home 2,450 days, of whom six are ill once: 6.5 events in 2,450 / 30.4375 = 80.49 months."""
    events = events_of([(person, 60, None) for person in range(6)])
    found = fitted(STAYS, events, frailty=False)
    quantity = number(found, "home.rate_per_month").quantity
    assert quantity == {"distribution": "seen_events", "events": 6.5, "at_risk": pytest.approx(80.49281, abs=1e-5)}
    assert [one.path for one in found.numbers] == ["events.ill.rates.home.rate_per_month"]
    low = number(found, "home.rate_per_month").low
    assert low == pytest.approx(stats.gamma(6.5, scale=1 / 80.49281).ppf(0.05), rel=1e-6)


# ------------------------------------------------------- oracles -------------------------------------------------------


def at_risk(months_each: np.ndarray, counts: np.ndarray) -> RiskTime:
    n = len(counts)
    zero = np.zeros(1, np.int64)
    return RiskTime(np.arange(n), np.zeros(n, np.int64), months_each, counts.astype(float), zero, zero, zero)


PLAN = EventPlan("ill", 0, (0,), (), by_stratum=False, is_frail=True, has_trend=False, has_season=False, length=None)


def test_frailty__is_the_negative_binomial_distribution_of_scipy() -> None:
    """Differences of the log posterior against those of scipy.stats.nbinom, and the chances of counts."""
    rng = np.random.default_rng(1)
    months_each, counts = rng.uniform(1, 30, 50), rng.poisson(2, 50)
    flat = Priors.model_validate({"rate": {"events": 0}})
    block = EventBlock(PLAN, at_risk(months_each, counts), 1, 0, flat)

    def density(rate: float, variance: float) -> float:
        mean = rate * months_each
        log_prior = -((np.log(variance) - np.log(0.5)) ** 2) / 2
        return float(stats.nbinom.logpmf(counts, 1 / variance, 1 / (1 + variance * mean)).sum() + log_prior)

    one, two = (0.1, 0.4), (0.23, 1.7)
    found = block.log_posterior(np.log(one))[0] - block.log_posterior(np.log(two))[0]
    assert found == pytest.approx(density(*one) - density(*two), rel=1e-9)
    chances = chances_of_counts(months_each * 0.1, 0.4, 3)
    np.testing.assert_allclose(
        chances[:, :4], stats.nbinom.pmf(np.arange(4), 2.5, 1 / (1 + 0.04 * months_each[:, None])), rtol=1e-10
    )
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    poisson = chances_of_counts(months_each * 0.1, 0.0, 3)
    np.testing.assert_allclose(poisson[:, :4], stats.poisson.pmf(np.arange(4), 0.1 * months_each[:, None]), rtol=1e-10)


@pytest.mark.parametrize("traits", [{"is_frail": True}, {"is_frail": False}], ids=str)
def test_gradient__is_the_slope_of_the_log_posterior(traits: dict[str, bool]) -> None:
    rng = np.random.default_rng(2)
    n = 60
    at = RiskTime(
        person=np.repeat(np.arange(30), 2),
        risk_class=rng.integers(0, 6, n),
        months=rng.uniform(0.5, 3, n),
        n_events=rng.poisson(1, n).astype(float),
        state=np.array([0, 1, 0, 1, 0, 1]),
        stratum=np.array([0, 0, 1, 1, 1, 0]),
        month=np.array([0, 3, 14, 25, 30, 41]),
    )
    plan = EventPlan("ill", 0, (0, 1), (), by_stratum=True, has_trend=True, has_season=True, length=None, **traits)
    block = EventBlock(plan, at, 2, 12, Priors())
    point = rng.normal(0, 0.2, len(block.parameters))
    slope = optimize.approx_fprime(point, lambda x: block.log_posterior(x)[0], 1e-7)
    np.testing.assert_allclose(block.log_posterior(point)[1], slope, rtol=2e-4, atol=2e-4)


SEEN = np.array([3.0, 8, 1, 20, 5, 5, 2, 40, 12, 7, 1, 9, 30, 4, 6])
STILL = np.array([10.0, 25, 3])


def lengths(days: np.ndarray, still: np.ndarray, since: np.ndarray | None = None) -> Lengths:
    n = len(days) + len(still)
    over = np.arange(n) < len(days)
    return Lengths(np.concatenate([days, still]), over, np.zeros(n) if since is None else since, np.arange(n), 0)


@pytest.mark.parametrize(
    ("kind", "of_scipy"),
    [
        ("gamma", lambda a, loc, scale: (a * scale, np.sqrt(a) * scale)),
        ("lognormal", lambda s, loc, scale: stats.lognorm.stats(s, 0, scale, moments="mv") ** np.array([1, 0.5])),
        ("weibull", lambda c, loc, scale: (stats.weibull_min.mean(c, 0, scale), c)),
    ],
)
def test_length__is_that_of_scipy_with_intervals_and_censoring(kind: str, of_scipy: Any) -> None:
    """SciPy fits interval-censored and right-censored data: n days are n - 1/2 to n + 1/2."""
    seen = stats.CensoredData(interval=np.stack([SEEN - 0.5, SEEN + 0.5], axis=1), right=STILL - 0.5)
    family = {"gamma": stats.gamma, "lognormal": stats.lognorm, "weibull": stats.weibull_min}[kind]
    mean, second = of_scipy(*family.fit(seen, floc=0))
    block = LengthBlock(kind, lengths(SEEN, STILL), Priors())
    best = optimize.minimize(
        lambda point: -block.log_likelihood(point), block.start(), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10}
    )
    own_mean, own = np.exp(best.x)
    assert own_mean == pytest.approx(mean, rel=2e-3)
    assert (own if kind == "weibull" else own * own_mean) == pytest.approx(second, rel=5e-3)


@pytest.mark.parametrize(
    ("kind", "mean", "sd"), [("gamma", 2.0, 2.0), ("gamma", 3.0, 2.5), ("gamma", 1.2, 0.4), ("lognormal", 4.0, 6.0)]
)
def test_mean_length__is_that_of_the_days_that_are_counted(kind: str, mean: float, sd: float) -> None:
    """Short leave, much of it of a single day: the days that a study counts are those of the file, within a tenth."""
    rng, shape = np.random.default_rng(8), (mean / sd) ** 2
    log_sd = np.sqrt(np.log1p(1 / shape))
    draws = rng.gamma(shape, mean / shape, 4000) if kind == "gamma" else rng.lognormal(np.log(mean) - log_sd**2 / 2, log_sd, 4000)
    days = np.maximum(1, np.round(draws))
    found = fit_length(kind, lengths(days, np.zeros(0)), Priors(), "it")
    assert float(np.exp(found.posterior.mean()[0])) == pytest.approx(float(days.mean()), rel=0.1)


def test_leave_of_a_single_day__lasts_a_day() -> None:
    found = fit_length("likeliest", lengths(np.ones(100), np.zeros(0)), Priors(), "it")
    assert float(np.exp(found.posterior.mean()[0])) == pytest.approx(1.0, abs=0.1)


def test_length_that_had_begun_before__counts_among_the_longer_ones_only() -> None:
    """The likelihood of one that had lasted 4 days and ended after 10 is (S(9.5) - S(10.5)) / S(4.5)."""
    block = LengthBlock("gamma", lengths(np.array([10.0]), np.zeros(0), np.array([4.0])), Priors())
    of = stats.gamma(4.0, scale=2.0)  # mean 8, sd 4
    expected = np.log((of.sf(9.5) - of.sf(10.5)) / of.sf(4.5))
    assert block.log_likelihood(np.log([8.0, 0.5])) == pytest.approx(expected, rel=1e-9)


def test_likeliest_length__is_that_of_the_data() -> None:
    rng = np.random.default_rng(5)
    for kind, draws in (("lognormal", rng.lognormal(2, 1, 1500)), ("gamma", rng.gamma(4, 5, 1500))):
        found = fit_length("likeliest", lengths(np.maximum(1, np.round(draws)), np.zeros(0)), Priors(), "it")
        assert found.kind == max(found.log_likelihoods, key=found.log_likelihoods.__getitem__) == kind
    fixed = fit_length("fixed", lengths(np.maximum(1, np.round(draws)), np.zeros(0)), Priors(), "it")
    assert (fixed.kind, fixed.basis) == ("fixed", "gamma")
    assert float(np.exp(fixed.posterior.mean()[0])) == pytest.approx(float(np.maximum(1, np.round(draws)).mean()), rel=0.02)


@pytest.mark.statistical
@pytest.mark.parametrize("case", sized(["events, frailty and strata"], list(EVENT_CASES)))
def test_posterior__is_calibrated(case: str) -> None:
    """A small twin of verification/fitted_pathways.py: ranks of the truth are uniform; 5 bins of what the long study has 20."""
    for path, heights in calibrate_events(EVENT_CASES[case], sized(25, 100), 3).items():
        assert np.isfinite(heights).all(), path
        assert chi_square(heights, 5)[1] > 1e-4, path
        assert abs(heights.mean() - 0.5) < 4 / np.sqrt(12 * len(heights)), path


# ------------------------------------------------- what nobody may learn -------------------------------------------------


def test_state_in_which_few_people_had_it__tells_no_count() -> None:
    """Whether two or four people were ill away, the same is written of it, and the events of a kind with few people are left out."""
    at_home = [(person, 60, None) for person in range(5, 10)]
    found = []
    for n in (2, 4):
        events = events_of(sorted([*at_home, *((person, 150, None) for person in range(n))]))
        fit = simengine.fit(OwnTables(STAYS, events), {"events": {"ill": {"frailty": False}}})
        told = fit.content["events"]
        assert told is not None
        assert (told["fitted"]["ill"]["rates"]["away"].people, told["fitted"]["ill"]["rates"]["away"].events) == (
            "fewer than 5",
            None,
        )
        found.append(fit.section["events"]["ill"]["rates"]["away"])
    assert found[0] == found[1]
    with pytest.raises(StudyError, match="5 people or more must have had an event while observed; found fewer of every kind"):
        simengine.fit(OwnTables(STAYS, events_of([(0, 60, None), (1, 60, None)])))


def test_classes_of_counts__hold_five_people_or_more() -> None:
    rng = np.random.default_rng(9)
    happened = sorted({(person, int(day), None) for person in range(10) for day in rng.integers(60, 90, person)})
    for counts in judge_events((fitted(STAYS, events_of(happened)),), 5).counts.values():
        assert min(one.observed for one in counts.classes) >= 5
        assert sum(one.observed for one in counts.classes) == 10
        assert sum(one.expected for one in counts.classes) == pytest.approx(10, abs=0.2)


def test_people_who_differ__are_told_where_they_are_taken_for_alike() -> None:
    frail = simengine.fit(None, None, LEAVE_MAPPING, events=LEAVE)
    alike = simengine.fit(None, {"events": {"sick_leave": {"frailty": False}}}, LEAVE_MAPPING, events=LEAVE)
    for found, verdict, way_out in ((frail, "fits", ""), (alike, "does not fit", "Write `frailty: true`: people differ")):
        told = found.content["events"]
        assert told is not None
        test = told["fitted"]["sick_leave"]["counts"]
        assert (test.verdict, test.way_out) == (verdict, way_out)


# ------------------------------------------------------ in a study ------------------------------------------------------


def test_sick_leave__is_found_as_it_was_made_and_written_into_a_study() -> None:
    """The truth of verification/made_up_sick_leave.py within the 90 % intervals widened by a half, and Botkyrka with it."""
    mapping = yaml.safe_load(LEAVE_MAPPING.read_text(encoding="utf-8"))
    mapping["events"] |= {"event": "short_spell", "people": {"all": 500}, "columns": {}}
    mapping.pop("groups")
    found = simengine.fit(None, None, mapping, events=LEAVE, into=BOTKYRKA)
    assert found.study is not None
    told = found.content["events"]
    assert told is not None
    numbers = {one.path: one for one in told["fitted"]["short_spell"]["numbers"]}
    for end, truth in (("mean_days", 6.0), ("sd_days", 6.0)):
        one = numbers[f"events.short_spell.length.{end}"]
        assert one.low - (one.high - one.low) / 4 < truth < one.high + (one.high - one.low) / 4
    assert set(numbers) <= set(found.study.numbers)
    assert found.content["left_out"] == ["population.frailties.health on short_spell"]
    assert found.study.population.frailties["health"].on == ("long_spell",)
    assert list(found.study.population.strata) == ["employees"]
    for path in numbers:
        assert found.study.numbers[path].source.startswith("sick_leave_made_up.csv ")
    again = yaml.safe_load(yaml_text(found.study.model_dump(mode="json", exclude_none=True, exclude_defaults=True)))
    assert load_study(again).events["short_spell"].length is not None
    assert yaml.safe_load(found.section_text()) == found.section


@pytest.mark.statistical
def test_engine__simulates_the_events_that_were_fitted() -> None:
    """Spells of leave of an employee in a year, of the twins: as many as in the table, 2,578 in 500 x 1,095 days."""
    mapping = yaml.safe_load(LEAVE_MAPPING.read_text(encoding="utf-8"))
    mapping["events"] |= {"event": "short_spell", "people": {"all": 500}, "columns": {}}
    mapping.pop("groups")
    changes = {
        "population.waves.botkyrka.size": 300,
        "population.waves.ornskoldsvik.size": 300,
        "outcomes.short_days": {"kind": "count", "events": "short_spell"},
        "variants": {},
        "known": {},
    }
    found = simengine.fit(None, None, mapping, events=LEAVE, into=load_study(BOTKYRKA).with_(changes))
    assert found.study is not None
    tallies = simulate(found.study, seed=3, replications=np.arange(sized(40, 200))).tallies
    place, window = tallies.outcomes.index("short_days"), tallies.windows.index(12)
    a_year = tallies.sums[:, :, 1, place, window].sum(axis=1) / tallies.n_people[:, :, 1].sum(axis=1)
    # Of the shocks of a year the mean is a little above 1; the posterior of the rate has a standard error of 4 %.
    assert a_year.mean() == pytest.approx(2578 / (500 * 1095 / 365.25), rel=0.04)


def test_events_that_are_not_in_the_file__are_refused() -> None:
    with pytest.raises(StudyError, match=r"events\.cold: must be an event of the file; found `cold`"):
        simengine.fit(None, {"events": {"cold": {}}}, LEAVE_MAPPING, events=LEAVE)
    events = events_of([(person, 60, None) for person in range(6)])
    with pytest.raises(StudyError, match=r"events\.ill\.length: must be `none` where the table does not say when events end"):
        simengine.fit(OwnTables(STAYS, events), {"events": {"ill": {"length": "gamma"}}})
    with pytest.raises(StudyError, match=r"events\.ill\.states: must be states in which it was seen; found `away`"):
        simengine.fit(OwnTables(STAYS, events), {"events": {"ill": {"states": ["away"]}}})
    with pytest.raises(UsageError, match="events: must be asked for with a table of events; found none"):
        simengine.fit(STAYS, {"events": {"ill": {}}})
    with pytest.raises(UsageError, match="events: must stand beside a file of spells"):
        simengine.fit(STAYS, events=LEAVE)


def test_command__writes_a_folder_of_events_alone_that_holds_nobody(tmp_path: Path) -> None:
    words = ["fit", "--events", LEAVE, "--mapping", LEAVE_MAPPING, "--pathway", FOLDER / "sick_leave_pathway.yaml", "-o", "fitted"]
    words += ["--small-cells", "30"]
    done = in_this_process(words, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "sick_leave" in done.stdout
    told = json.loads((tmp_path / "fitted" / "fit.json").read_text())
    assert told["events"]["fitted"]["sick_leave"]["rates"]["employed"]["events"] == 2578
    counts = [one["observed"] for one in told["events"]["fitted"]["sick_leave"]["counts"]["classes"]]
    assert (told["file"]["small_cells"], sum(counts), min(counts) >= 30) == (30, 500, True)
    assert told["section"] == yaml.safe_load((tmp_path / "fitted" / "pathway_section.yaml").read_text())
    assert told["section"]["events"]["sick_leave"]["by_stratum"]["schools"]["certainty"] == "D"
    assert (tmp_path / "fitted" / "fit.png").read_bytes().startswith(b"\x89PNG")
    for path in (tmp_path / "fitted").glob("*.*"):
        if path.suffix != ".png":
            assert "Anställningsnummer" not in path.read_text()
            assert str(LEAVE.parent) not in path.read_text()
    again = (tmp_path / "fitted" / "run-again.txt").read_text()
    assert again.startswith("simengine fit --events sick_leave_made_up.csv --pathway")
    assert "--small-cells 30" in again


def test_command__refuses_in_one_message(tmp_path: Path) -> None:
    done = in_this_process(["fit"], tmp_path)
    assert (done.returncode, done.stderr) == (2, "simengine: a table of spells, or of events, must be given; found neither\n")
    done = in_this_process(["fit", LEAVE, "--small-cells", "2"], tmp_path)
    assert (done.returncode, done.stderr) == (2, "simengine: --small-cells: must be a whole number from 3 to 100; found '2'\n")
