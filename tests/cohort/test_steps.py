"""Months that are cut into steps: the same study said in steps, and moves at any moment in closed form."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from math import exp, sqrt
from typing import Any

import numpy as np
import pytest
from scipy import integrate, linalg

from simengine.accelerate import IS_COMPILED
from simengine.cohort import StepError, simulate_cohort, step_errors
from simengine.cohort.events import shock_factors
from simengine.cohort.moves import calendar_factor
from simengine.cohort.spec import ByCalendar
from simengine.records import TWIN
from tests.reference.everything import ALL, ALL_ABREAST
from tests.reference.studies import PATHWAY, STRATA, cohort_of, draws_of

STEPS = 3

# ------------------------------------------------ the same study, said in steps ------------------------------------------------


def scaled(by: float) -> Callable[[Any], Any]:
    """Multiply a number, or each number of a list or distribution."""

    def scale(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: one if name == "distribution" else scale(one) for name, one in value.items()}
        return [scale(one) for one in value] if isinstance(value, list) else value * by

    return scale


def renamed(value: Any) -> Any:
    return value


LONGER, SHORTER = scaled(STEPS), scaled(1 / STEPS)
IN_STEPS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "per_month": ("per_quarter", renamed),
    "rate_per_month": ("rate_per_quarter", renamed),
    **{name: (name, SHORTER) for name in ("rate_per_day", "rate_per_quarter", "rate_per_year", "trend_per_year")},
    **{name: (name, SHORTER) for name in ("per_day", "per_spell_day")},
    **{name: (name, LONGER) for name in ("mean_days", "mean_months", "sd_days", "low_days", "high_days", "to_day")},
    **{name: (name, LONGER) for name in ("from_months", "from_month", "to_month", "at_month", "stay_months", "history_months")},
    **{name: (name, LONGER) for name in ("ramp_months", "fades_after_months", "half_life_months")},
    "from_day": ("from_day", lambda day: STEPS * (day - 1) + 1),
    "discount_rate_per_year": ("discount_rate_per_year", lambda rate: (1 + rate) ** (1 / STEPS) - 1),
    "odds_ratio_per_month_in": (
        "odds_ratio_per_month_in",
        lambda ratios: {state: ratio ** (1 / STEPS) for state, ratio in ratios.items()},
    ),
}
"""What a study would have to say if its month were a step: a month has three, so it is a quarter of a year of steps."""


def in_steps(part: Any) -> Any:
    """Say a part of a study in steps."""
    if isinstance(part, dict):
        said = {}
        for name, value in part.items():
            to, change = IN_STEPS.get(name, (name, in_steps))
            said[to] = change(value)
        return said
    return [in_steps(one) for one in part] if isinstance(part, list) else part


def everything() -> dict[str, Any]:
    """Build the study of everything, less what twelve steps cannot say of twelve months, with people who enter at once."""
    study = copy.deepcopy(ALL)
    moves, events = study["pathway"]["moves"], study["events"]
    # A distribution is drawn by its path, which a pace said in steps has not.
    moves["placed -> home"]["by_stratum"]["young"] = {"per_month": 0.25}
    moves["secure -> placed"]["by_calendar"] = {"trend_per_year": 0.4}
    moves["secure -> home"] = {"rate_per_quarter": 0.3}
    moves["foster -> home"] = {"per_month": 0.1}
    moves["foster -> placed"] = {"per_month": 0.05, "by_months_since_entry": {"from_months": [1], "per_month": [0.03]}}
    moves["placed -> secure"]["by_months_in_state"] = {"from_months": [2, 5], "per_month": [0.3, 0.05]}
    events["reconvicted"]["by_calendar"] = {"trend_per_year": -0.2}
    del study["shocks"]["years"]
    study["population"]["waves"]["first"]["enrolment_months"] = 1
    study["population"]["transfer"] = {"rate_per_year": 0.5, "factor_in": {"secure": 0}, "ratio_with_service": 2}
    study["windows"] = (3, 6, 12, 15)
    return study


def of_steps(study: dict[str, Any]) -> dict[str, Any]:
    """Say a whole study in steps."""
    said = {name: in_steps(part) for name, part in study.items() if name not in ("windows", "horizon", "n_baseline")}
    for name, effect in said["effect"].items():
        if "event" in effect and "difference" in effect:
            said["effect"][name] = effect | {"difference": effect["difference"] / STEPS}
    return said | {
        "windows": tuple(STEPS * window for window in study["windows"]),
        "horizon": STEPS * study["horizon"],
        "n_baseline": study.get("n_baseline", 0),
    }


ABREAST = (
    ALL_ABREAST
    | {"pathway": PATHWAY, "windows": (6, 12), "horizon": 18}
    | {"population": ALL_ABREAST["population"] | {"strata": STRATA, "waves": {"all": {"size": 33, "enrolment_months": 1}}}}
)


@pytest.mark.parametrize("study", [everything(), ABREAST], ids=["everything", "abreast"])
def test_steps__are_months_of_a_study_that_says_them(study: dict[str, Any]) -> None:
    """Source: a distribution: with three steps a month a study is the one whose month is a step; months and days are a third of its own."""
    cohort = cohort_of(**study)
    cut = replace(cohort, clock=replace(cohort.clock, steps=STEPS))
    said = cohort_of(**of_steps(study))
    got, expected = simulate_cohort(cut, draws_of(cut, range(4))), simulate_cohort(said, draws_of(said, range(4)))
    np.testing.assert_array_equal(got.n_people, expected.n_people)
    np.testing.assert_array_equal(got.clipped, expected.clipped)
    np.testing.assert_allclose(got.person_months, expected.person_months / STEPS, rtol=1e-12)
    in_days = [name in ("sick_days", "late_days") for name in got.outcomes]
    unit = np.where(in_days, 1 / STEPS, 1.0)
    for name in ("sums", "sums_before", "squares", "squares_before", "products_with_before"):
        here, there = getattr(got, name), getattr(expected, name)
        size = unit if name.startswith("sums") else unit**2
        shape = (-1, 1) if here.ndim == 5 else (-1,)
        np.testing.assert_allclose(here, there * size.reshape(shape), rtol=1e-9, atol=1e-9, err_msg=name)
    for name, combinations in got.combinations.items():
        np.testing.assert_array_equal(combinations, expected.combinations[name], err_msg=name)
    for name in ("by_year", "by_year_here"):
        here, years = getattr(got, name), getattr(expected, name)
        if here is not None:
            room = np.zeros((*years.shape[:-1], STEPS * here.shape[-1]))
            room[..., : years.shape[-1]] = years
            by_year = room.reshape(*years.shape[:-1], -1, STEPS).sum(axis=-1) * unit[:, None]
            np.testing.assert_allclose(here, by_year, rtol=1e-9, atol=1e-9, err_msg=name)
            assert here.any()


def test_calendar__of_steps_repeats_its_months() -> None:
    """Source: by hand: a season and a shock hold for all steps of a month."""
    shocks = {"years": {"on": "home -> placed", "sd_per_year": 1}, "dated": {"on": "home -> placed", "factor": 3, "from_month": 2}}
    shocks["dated"]["to_month"] = 7
    cohort = cohort_of(shocks=shocks, population={"history_months": 5}, start="2030-03")
    cut, draws = replace(cohort.clock, steps=STEPS), draws_of(cohort, range(3))
    for is_earlier in (False, True):
        whole, of_steps_ = (
            shock_factors(cohort.shocks, clock, is_earlier, draws)["home -> placed"] for clock in (cohort.clock, cut)
        )
        assert len(np.unique(whole)) > 5
        np.testing.assert_array_equal(of_steps_, np.repeat(whole, STEPS, axis=1))
    season = ByCalendar.model_validate({"season": {"mar": 3, "jul": 0}})
    draws = replace(draws, values={"p.season.mar": np.full(3, 3.0), "p.season.jul": np.zeros(3)})
    whole, of_steps_ = (calendar_factor(season, "p", clock, draws) for clock in (cohort.clock, cut))
    # The study begins in March, its history five months before.
    assert whole[0, 3:11].tolist() == [1, 1, 3, 1, 1, 1, 0, 1]
    np.testing.assert_array_equal(of_steps_, np.repeat(whole, STEPS, axis=1))


def test_people__enter_with_a_month_whatever_its_steps() -> None:
    """Source: a distribution: who enters when is drawn as without steps; nobody moves here, so each spends the months that are left."""
    waves = {"late": {"size": 40, "enrolment_months": 9, "from_month": 4}}
    cohort = cohort_of(population={"waves": waves, "history_months": 2}, pathway={"moves": {}}, windows=(3, 6, 12), horizon=16)
    cut = replace(cohort, clock=replace(cohort.clock, steps=STEPS))
    got, expected = simulate_cohort(cut, draws_of(cut, range(5))), simulate_cohort(cohort, draws_of(cohort, range(5)))
    np.testing.assert_allclose(got.person_months, expected.person_months, rtol=1e-12)
    np.testing.assert_allclose(got.by_year, expected.by_year, rtol=1e-12)
    assert len(np.unique(expected.person_months[:, 0, 0].sum(axis=1), axis=0)) > 1


# ------------------------------------------------ moves at any moment ------------------------------------------------

HEART = ["well", "mild", "severe", "dead"]
RATES_PER_YEAR = {
    "well -> mild": 0.12787,
    "well -> dead": 0.04250,
    "mild -> well": 0.22512,
    "mild -> severe": 0.34261,
    "mild -> dead": 0.04021,
    "severe -> mild": 0.13062,
    "severe -> dead": 0.30648,
}
"""Cardiac allograft vasculopathy after a heart transplant, as fitted by Jackson 2011, "Multi-State Models for Panel Data: The msm
Package for R", doi:10.18637/jss.v038.i08."""
FORMS = {
    "rate_per_day": 1 / 365.25,
    "rate_per_month": 1 / 12,
    "rate_per_quarter": 1 / 4,
    "rate_per_year": 1.0,
}
MEANS = {"mean_days": 365.25, "mean_months": 12.0, "mean_years": 1.0}


def generator() -> np.ndarray:
    q = np.zeros((4, 4))
    for name, rate in RATES_PER_YEAR.items():
        origin, to = (HEART.index(state) for state in name.split(" -> "))
        q[origin, to], q[origin, origin] = rate, q[origin, origin] - rate
    return q


def heart(start: str = "well", form: str = "rate_per_year", steps: int = 1, **sections: Any) -> Any:
    """Say the model in one form of pace; each state at a date is an outcome."""
    said = {name: {form: FORMS[form] * rate if form in FORMS else MEANS[form] / rate} for name, rate in RATES_PER_YEAR.items()}
    dates = {"one": 12, "ten": 120}
    outcomes = {
        f"{state}_at_{date}": {"kind": "binary", "at_month": month, "probability": {one: float(one == state) for one in HEART}}
        for state in HEART
        for date, month in dates.items()
    }
    usual = {
        "population": {"waves": {"all": {"size": 20_000, "enrolment_months": 1}}, "strata": {"all": {"share": 1}}},
        "pathway": {"states": HEART, "start": {"all": {start: 1}}, "moves": said},
        "outcomes": outcomes,
        "windows": (12, 120),
        "horizon": 120,
    }
    cohort = cohort_of(**(usual | sections))
    return replace(cohort, clock=replace(cohort.clock, steps=steps))


def error_of(cohort: Any) -> StepError:
    return step_errors(cohort, draws_of(cohort, [0]), (cohort.clock.steps,))[0]


def test_matrix_of_a_decade__is_the_published_one() -> None:
    """Source: exp(10 Q) as it is tabulated for these rates."""
    np.testing.assert_allclose(linalg.expm(10 * generator())[0], [0.30941, 0.09750, 0.08787, 0.50522], atol=1e-5)


@pytest.mark.statistical
@pytest.mark.skipif(not IS_COMPILED, reason="without compilation a billion steps take an hour")
@pytest.mark.parametrize("start", ["well", "mild"])
def test_shares__of_short_steps_are_those_of_moves_at_any_moment(start: str) -> None:
    """Source: exp(Q t) for one and for ten years: within 4.5 standard errors and the error that is computed for the step.

    With one step a month the error that is computed is found: the shares of the dead then lie outside.
    """
    n_replications, n_people = 40, 20_000
    n, row = n_replications * n_people, HEART.index(start)
    for steps in (1, 12):
        cohort = heart(start, steps=steps)
        tallies, bound = simulate_cohort(cohort, draws_of(cohort, range(n_replications))), error_of(cohort).share
        outside = []
        for date, years, window in (("one", 1, 0), ("ten", 10, 1)):
            expected = linalg.expm(years * generator())[row]
            for state, share in zip(HEART, expected, strict=True):
                o = tallies.outcomes.index(f"{state}_at_{date}")
                off = abs(tallies.sums[:, 0, TWIN, o, window].sum() / n - share)
                noise = 4.5 * sqrt(share * (1 - share) / n)
                assert off <= noise + bound, (steps, state, years)
                outside += [off > noise]
        assert bound == pytest.approx({"well": 0.00415, "mild": 0.00476}[start] / steps, rel=0.01)
        assert any(outside) is (steps == 1)


@pytest.mark.parametrize("form", [*FORMS, *MEANS])
def test_rates__mean_the_same_in_every_form(form: str) -> None:
    """Source: exp(10 Q): what the step does is known without chance, and is the same however a rate is said."""
    got = error_of(heart(form=form))
    step = np.eye(4)
    q = generator() / 12
    for s in range(3):
        step[s] = q[s] / -q[s, s] * -np.expm1(q[s, s])
        step[s, s] = exp(q[s, s])
    dead = [abs(np.linalg.matrix_power(step, month)[0, 3] - linalg.expm(month * q)[0, 3]) for month in range(121)]
    assert got.share == pytest.approx(max(dead), rel=1e-6)
    assert (got.state, got.months_after_entry) == ("dead", int(np.argmax(dead)))


def test_step_error__of_going_to_and_fro() -> None:
    """Source: closed form: between two states with hazards a and b the share in the second is a / (a + b) (1 - exp(-(a + b) t)).

    A walk of steps has 1 - exp(-a / n) and 1 - exp(-b / n) in their place, and (1 - a_n - b_n)^(n t) for the exponential. The
    months in the second state are the integral, and the sum over steps; moves are months in a state times its hazard.
    """
    a, b, months = 0.3, 0.5, 24
    cohort = cohort_of(
        population={"strata": {"all": {"share": 1}}},
        pathway={
            "states": ["a", "b"],
            "start": {"all": {"a": 1}},
            "moves": {"a -> b": {"rate_per_month": a}, "b -> a": {"rate_per_quarter": 3 * b}},
        },
        outcomes={},
        windows=(12,),
        horizon=months,
    )
    for steps in (1, 4):
        got = error_of(replace(cohort, clock=replace(cohort.clock, steps=steps)))
        a_n, b_n = -np.expm1(-a / steps), -np.expm1(-b / steps)
        date = np.arange(months + 1)
        exact, kept = a / (a + b) * -np.expm1(-(a + b) * date), (1 - a_n - b_n) ** (steps * date)
        walked = a_n / (a_n + b_n) * (1 - kept)
        assert got.share == pytest.approx(np.abs(walked - exact).max(), rel=1e-9)
        assert got.months_after_entry == np.abs(walked - exact).argmax()
        spent = a / (a + b) * (months - -np.expm1(-(a + b) * months) / (a + b))
        spent_walking = a_n / (a_n + b_n) * (months - (1 - kept[-1]) / (a_n + b_n) / steps)
        assert got.months_in_state == pytest.approx(abs(spent - spent_walking), rel=1e-9)
        assert got.moves_at_any_moment == pytest.approx((months - spent) * a + spent * b, rel=1e-9)
        assert got.moves == pytest.approx(((months - spent_walking) * a_n + spent_walking * b_n) * steps, rel=1e-9)


def test_step_error__where_hazards_change_with_the_time_in_a_state() -> None:
    """Source: numerical integration: of those who leave at s with a Weibull distribution, exp(-c (t - s)) are still in the second state."""
    shape, mean, c, months = 2.0, 6.0, 0.4, 18
    scale = mean / 0.886226925452758  # gamma(1 + 1 / 2)
    cohort = cohort_of(
        population={"strata": {"all": {"share": 1}}},
        pathway={
            "states": ["a", "b", "c"],
            "start": {"all": {"a": 1}},
            "moves": {"a -> b": {"mean_months": mean, "weibull_shape": shape}, "b -> c": {"rate_per_month": c}},
        },
        outcomes={},
        windows=(12,),
        horizon=months,
    )
    left = lambda t: exp(-((t / scale) ** shape))  # noqa: E731

    def second(t: float) -> float:
        density = lambda s: shape / scale * (s / scale) ** (shape - 1) * left(s)  # noqa: E731
        return float(integrate.quad(lambda s: density(s) * exp(-c * (t - s)), 0, t)[0])

    def second_walked(t: int) -> float:
        return sum((left(m) - left(m + 1)) * exp(-c * (t - m - 1)) for m in range(t))

    off = [abs(second(t) - second_walked(t)) for t in range(months + 1)]
    got = error_of(cohort)
    assert got.share == pytest.approx(max(off), rel=2e-3)
    # The last state gathers what the second loses: both are off by the same.
    assert got.state in ("b", "c")
    assert got.months_after_entry == int(np.argmax(off))


def test_step_error__looks_at_the_service_by_stratum_and_at_the_months_after_entry() -> None:
    """Source: closed form as above, with the hazard ratio of 4 in the stratum where it acts; nobody moves before entry."""
    moves = {"a -> b": {"rate_per_month": 0.1}, "b -> a": {"rate_per_month": 0.1}}
    never = {"by_months_since_entry": {"from_months": [0], "factor": [1]}}
    cohort = cohort_of(
        pathway={
            "states": ["a", "b"],
            "start": {"young": {"a": 1}, "older": {"a": 1}},
            "moves": {name: move | never for name, move in moves.items()},
        },
        effect={"e": {"move": "a -> b", "hazard_ratio": 4, "strata": ["older"]}},
        outcomes={},
        windows=(12,),
        horizon=12,
    )
    got = error_of(cohort)
    a_n, b_n = -np.expm1(-0.4), -np.expm1(-0.1)
    date = np.arange(13)
    off = np.abs(0.8 * -np.expm1(-0.5 * date) - a_n / (a_n + b_n) * (1 - (1 - a_n - b_n) ** date))
    assert (got.has_service, got.stratum) == (True, "older")
    assert got.share == pytest.approx(off.max(), rel=1e-9)
    assert got.months_after_entry == off.argmax()
