"""The people against distributions in closed form: every mean with its exact standard error.

The seed is fixed. A comparison fails beyond 4.5 standard errors: were the seeds drawn anew, each would raise a false alarm once
in 150,000.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, gamma, log, log1p, sqrt
from typing import Any

import numpy as np
import pytest
from scipy import stats

from simengine.cohort.kernels.between import FIXED, GAMMA, LOGNORMAL, UNIFORM, WEIBULL, between_people
from simengine.records import SERVICE, TWIN, Tallies
from simengine.streams import philox
from tests.reference.studies import cohort_of, tallies_of

pytestmark = pytest.mark.statistical

N_REPLICATIONS, N_PEOPLE = 200, 200
N = N_REPLICATIONS * N_PEOPLE
LIMIT = 4.5
DAYS_PER_MONTH = 365.25 / 12


def require(found: float, expected: float, standard_error: float) -> None:
    assert abs(found - expected) <= LIMIT * standard_error, (found, expected, (found - expected) / standard_error)


def require_share(found: float, expected: float, n: float = N) -> None:
    require(found, expected, sqrt(expected * (1 - expected) / n))


def lives(n: int = N_REPLICATIONS, **sections: Any) -> Tallies:
    """Let many people of one stratum live, who begin in state `a`."""
    population = {"waves": {"all": {"size": N_PEOPLE, "enrolment_months": 1}}, "strata": {"only": {"share": 1}}}
    pathway = {"states": ["a", "b"], "start": {"only": {"a": 1}}, "moves": {}} | sections.pop("pathway", {})
    study = {
        "population": population | sections.pop("population", {}),
        "pathway": pathway,
        "windows": (12,),
        "horizon": 12,
    } | sections
    return tallies_of(cohort_of(**study), n)


def mean_of(tallies: Tallies, outcome: str, arm: int = TWIN, window: int = 0, power: str = "sums") -> float:
    values = getattr(tallies, power)[:, 0, arm, tallies.outcomes.index(outcome)]
    return float((values[..., window] if values.ndim > 1 else values).sum() / tallies.n_people[:, 0, arm].sum())


def require_distribution(tallies: Tallies, outcome: str, distribution: Any, arm: int = TWIN) -> None:
    """Compare the mean and the mean square of whole numbers with a distribution."""
    x = np.arange(0, 400)
    p = distribution.pmf(x)
    first, second, fourth = (float((x**power * p).sum()) for power in (1, 2, 4))
    require(mean_of(tallies, outcome, arm), first, sqrt((second - first**2) / N))
    require(mean_of(tallies, outcome, arm, power="squares"), second, sqrt((fourth - second**2) / N))


COUNT = {"outcomes": {"n": {"kind": "count", "events": "e"}, "none": {"kind": "target", "outcome": "n", "at_most": 0}}}
RATE = 0.25
MU = 12 * RATE


def happening(**population: Any) -> dict[str, Any]:
    return COUNT | {"events": {"e": {"rates": {"a": {"rate_per_month": RATE}}}}, "population": population}


# ------------------------------------------------ events and frailty ------------------------------------------------


def test_events__are_a_poisson_process() -> None:
    """Source: the Poisson distribution with mean 12 x 0.25."""
    tallies = lives(**happening())
    require_distribution(tallies, "n", stats.poisson(MU))
    require_share(mean_of(tallies, "none"), exp(-MU))


@pytest.mark.parametrize("theta", [0.3, 1.0, 2.5])
def test_frailty__makes_counts_negative_binomial(theta: float) -> None:
    """Source: a Poisson distribution mixed by a gamma one: mean mu, variance mu + theta mu^2, P(0) = (1 + theta mu)^(-1 / theta)."""
    distribution = stats.nbinom(1 / theta, 1 / (1 + theta * MU))
    assert distribution.mean() == pytest.approx(MU)
    assert distribution.var() == pytest.approx(MU + theta * MU**2)
    tallies = lives(**happening(frailties={"f": {"variance": theta, "on": "e"}}))
    require_distribution(tallies, "n", distribution)
    require_share(mean_of(tallies, "none"), (1 + theta * MU) ** (-1 / theta))


def test_volume__multiplies_the_rate() -> None:
    """Source: (200 / 400)^2 = 1/4 of the rate; the earlier people have none of it."""
    tallies = lives(**happening(volume={"v": {"planned": 400, "elasticity": 2, "on": "e"}}), n_baseline=N_PEOPLE)
    require_distribution(tallies, "n", stats.poisson(MU / 4))
    require_distribution(tallies, "n", stats.poisson(MU), arm=2)


LEAVING = 0.5 / 9.5
"""Half a unit of hazard has gathered in the middle of the tenth month."""
OUT = {"b": {"kind": "reached", "states": "b"}}


@pytest.mark.parametrize("theta", [0.5, 1.0, 3.0])
def test_frailty__makes_survival_the_laplace_transform_of_a_gamma_distribution(theta: float) -> None:
    """Source: E exp(-F H) = (1 + theta H)^(-1 / theta), at three dates, with and without half the hazard."""
    tallies = lives(
        population={"frailties": {"f": {"variance": theta, "on": "a -> b"}}},
        pathway={"moves": {"a -> b": {"rate_per_month": 0.2}}},
        effect={"half": {"move": "a -> b", "hazard_ratio": 0.5}},
        outcomes=OUT,
        windows=(1, 5, 12),
    )
    for window, months in enumerate(tallies.windows):
        for arm, ratio in ((TWIN, 1.0), (SERVICE, 0.5)):
            left = 1 - mean_of(tallies, "b", arm, window)
            require_share(left, (1 + theta * 0.2 * ratio * months) ** (-1 / theta))


def test_frailty__weakens_the_hazard_ratio_that_is_seen() -> None:
    """Source: the hazard that is seen is h / (1 + theta H): 0.7 x (1 + 0.5) / (1 + 0.35) = 0.7778 where 0.5 has gathered."""
    n_people = 1000
    n = N_REPLICATIONS * n_people * 2
    tallies = lives(
        n=2 * N_REPLICATIONS,
        population={
            "waves": {"all": {"size": n_people, "enrolment_months": 1}},
            "frailties": {"f": {"variance": 1, "on": "a -> b"}},
        },
        pathway={"moves": {"a -> b": {"rate_per_month": LEAVING}}},
        effect={"fewer": {"move": "a -> b", "hazard_ratio": 0.7}},
        outcomes=OUT,
        windows=(9, 10),
    )
    expected, found, variance = {}, {}, 0.0
    for arm, ratio in ((TWIN, 1.0), (SERVICE, 0.7)):
        left = [1 / (1 + ratio * LEAVING * months) for months in (9, 10)]
        seen = [1 - mean_of(tallies, "b", arm, window) for window in (0, 1)]
        expected[arm], found[arm] = log(left[0] / left[1]), log(seen[0] / seen[1])
        leaving = 1 - left[1] / left[0]
        # The logarithm of a hazard estimated from n left[0] people.
        variance += leaving / (1 - leaving) / (n * left[0]) / expected[arm] ** 2
    assert expected[SERVICE] / expected[TWIN] == pytest.approx(0.7778, abs=2e-4)
    # The arms share their luck, which makes their ratio no less certain than if they did not.
    require(log(found[SERVICE] / found[TWIN]), log(expected[SERVICE] / expected[TWIN]), sqrt(variance))


def test_site__makes_people_of_one_place_alike() -> None:
    """Source: the variance of a total of n people over J places: n mu m + mu^2 v (n + n (n - 1) / J).

    The factors are lognormal, of mean m and variance v. The sample variance has its standard error from the fourth moment.
    """
    sd, places, n_people = 0.4, 4, 50
    m, v = exp(sd**2 / 2), exp(2 * sd**2) - exp(sd**2)
    population = {
        "waves": {"all": {"size": n_people, "enrolment_months": 1}},
        "sites": {"s": {"count": places, "sd": sd, "on": "e"}},
    }
    total = lives(4000, **happening(**population)).sums[:, 0, TWIN, 0, 0]
    variance = n_people * MU * m + MU**2 * v * (n_people + n_people * (n_people - 1) / places)
    require(total.mean(), n_people * MU * m, sqrt(variance / len(total)))
    deviation = (total - n_people * MU * m) ** 2
    require(deviation.mean(), variance, deviation.std() / sqrt(len(total)))
    assert variance > 8 * n_people * MU * m


# ------------------------------------------------ spells ------------------------------------------------

LOG_SD = sqrt(log1p((20 / 30) ** 2))
LENGTHS: dict[str, tuple[dict[str, Any], int, tuple[float, float], Any]] = {
    # How a study says it, its kind, its two parameters, and the distribution.
    "fixed": ({"kind": "fixed", "mean_days": 30}, FIXED, (30.0, 0.0), None),
    "uniform": ({"kind": "uniform", "low_days": 5, "high_days": 60}, UNIFORM, (5.0, 60.0), stats.uniform(5, 55)),
    "lognormal": (
        {"kind": "lognormal", "mean_days": 30, "sd_days": 20},
        LOGNORMAL,
        (log(30) - LOG_SD**2 / 2, LOG_SD),
        stats.lognorm(LOG_SD, scale=30 * exp(-(LOG_SD**2) / 2)),
    ),
    "weibull": (
        {"kind": "weibull", "mean_days": 30, "weibull_shape": 1.5},
        WEIBULL,
        (30 / gamma(1 + 1 / 1.5), 1.5),
        stats.weibull_min(1.5, scale=30 / gamma(1 + 1 / 1.5)),
    ),
    "gamma": ({"kind": "gamma", "mean_days": 30, "sd_days": 20}, GAMMA, (2.25, 400 / 30), stats.gamma(2.25, scale=400 / 30)),
    "gamma below 1": (
        {"kind": "gamma", "mean_days": 30, "sd_days": 50},
        GAMMA,
        (0.36, 2500 / 30),
        stats.gamma(0.36, scale=2500 / 30),
    ),
}


@pytest.mark.parametrize("name", LENGTHS)
def test_length__has_the_mean_and_spread_of_its_distribution(name: str) -> None:
    """Source: the first four moments of each distribution."""
    _, kind, (first, second), distribution = LENGTHS[name]
    n, zero = 40_000, np.uint64(0)
    words = [philox(zero, zero, np.uint64(person), zero, np.uint64(77)) for person in range(n)]
    drawn = np.array([between_people(own, kind, first, second)[0] for own in words])
    if distribution is None:
        assert (drawn == 30).all()
        return
    moments = [distribution.moment(power) for power in (1, 2, 4)]
    require(drawn.mean(), moments[0], distribution.std() / sqrt(n))
    require((drawn**2).mean(), moments[1], sqrt((moments[2] - moments[1] ** 2) / n))
    assert stats.kstest(drawn, distribution.cdf).pvalue > 1e-5


@pytest.mark.parametrize("name", LENGTHS)
def test_spells__have_the_lengths_that_the_study_says(name: str) -> None:
    """Source: Wald's identity: the days of N spells have mean 30 N (32.5 for the uniform distribution), and variance sd^2 E N around it.

    Spells begin within the first year and have ten more in which to end.
    """
    said, _, _, distribution = LENGTHS[name]
    mean, sd = (30.0, 1e-9) if distribution is None else (distribution.mean(), distribution.std())
    tallies = lives(
        events={
            "e": {
                "rates": {"a": {"rate_per_month": 0.5}},
                "length": said,
                "by_months_since_entry": {"from_months": [12], "factor": [0]},
            }
        },
        outcomes={"days": {"kind": "days", "events": "e"}, "n": {"kind": "count", "events": "e"}},
        windows=(132,),
        horizon=132,
    )
    days, count = (mean_of(tallies, outcome) for outcome in ("days", "n"))
    assert count > 3
    require(days - mean * count, 0.0, sd * sqrt(count / N) + 1e-9)


@pytest.mark.parametrize("window", [1, 2, 7])
def test_spell__is_cut_where_the_window_closes(window: int) -> None:
    """Source: integration by hand: T is exponential, a spell lasts from T < 1 to the end of the window w: E (w - T) over T < 1."""
    rate = 1.3
    tallies = lives(
        events={
            "e": {
                "rates": {"a": {"rate_per_month": rate}},
                "length": {"kind": "fixed", "mean_days": 9999},
                "by_months_since_entry": {"from_months": [1], "factor": [0]},
            }
        },
        outcomes={"days": {"kind": "days", "events": "e"}},
        windows=(window,),
    )
    moments = [stats.expon(scale=1 / rate).expect(lambda t, power=power: (window - t) ** power, lb=0, ub=1) for power in (1, 2, 4)]
    first, second, fourth = (moment * DAYS_PER_MONTH**power for moment, power in zip(moments, (1, 2, 4), strict=True))
    require(mean_of(tallies, "days"), first, sqrt((second - first**2) / N))
    require(mean_of(tallies, "days", power="squares"), second, sqrt((fourth - second**2) / N))


def test_spell__ends_with_the_state_in_which_it_can_begin() -> None:
    """Source: a spell without an end goes on while its person stays: everybody is in a spell from T to the end of the stay."""
    leave = 0.3
    tallies = lives(
        pathway={"moves": {"a -> b": {"per_month": leave}}},
        events={"e": {"rates": {"a": {"rate_per_month": 200}}, "length": {"kind": "fixed", "mean_days": 9999}}},
        outcomes={"days": {"kind": "days", "events": "e"}},
    )
    months = np.arange(1, 13)
    share = np.where(months < 12, (1 - leave) ** (months - 1) * leave, (1 - leave) ** 11)
    first, second = (float((share * months**power).sum()) for power in (1, 2))
    expected = DAYS_PER_MONTH * (first - 1 / 200)
    require(mean_of(tallies, "days"), expected, DAYS_PER_MONTH * sqrt((second - first**2 + 1 / 200**2) / N))


# ------------------------------------------------ who takes part ------------------------------------------------

YES = {"yes": {"kind": "binary", "at_month": 5, "probability": {"a": 0, "b": 0}}}


def taking_part(engagement: dict[str, Any], **effect: Any) -> float:
    """Return the share of those who answer yes, which only the service brings about."""
    tallies = lives(population={"engagement": engagement}, effect={"e": {"outcome": "yes", "difference": 1} | effect}, outcomes=YES)
    assert mean_of(tallies, "yes", TWIN) == 0
    return mean_of(tallies, "yes", SERVICE)


def test_engagement__has_its_share() -> None:
    """Source: the study itself."""
    require_share(taking_part({"share": 0.37}), 0.37)
    assert taking_part({"share": 0.37}, reaches="referred") == 1


def test_doses__share_out_those_who_take_part() -> None:
    """Source: 0.8 x (0.25 x 0.2 + 0.75 x 0.6)."""
    doses = {"low": {"share": 0.25, "strength": 0.2}, "high": {"share": "rest", "strength": 0.6}}
    require_share(taking_part({"share": 0.8, "doses": doses}), 0.8 * (0.25 * 0.2 + 0.75 * 0.6))


@pytest.mark.parametrize(
    "dropout", [{"per_month": 0.1}, {"rate_per_month": -log(0.9)}, {"mean_months": -1 / log(0.9)}, {"per_quarter": 1 - 0.9**3}]
)
def test_dropout__is_geometric(dropout: dict[str, float]) -> None:
    """Source: five months are survived with probability 0.9^5, however it is said."""
    require_share(taking_part({"share": 0.8, "dropout": dropout}, only_while_engaged=True), 0.8 * 0.9**5)
    require_share(taking_part({"share": 0.8, "dropout": dropout}), 0.8)


# ------------------------------------------------ effects ------------------------------------------------

CHANGED = {"relative_risk": 0.32, "odds_ratio": 0.347826, "hazard_ratio": 0.335460}
"""What a ratio of 0.8 makes of a probability of 0.4."""


@pytest.mark.parametrize("form", CHANGED)
def test_effect__on_a_probability_has_its_form(form: str) -> None:
    """Source: by hand: 0.4 x 0.8; odds 2/3 x 0.8; 1 - 0.6^0.8. For a move in its first month, and for an answer."""
    tallies = lives(
        pathway={"moves": {"a -> b": {"per_month": 0.4}}},
        outcomes=OUT | {"yes": {"kind": "binary", "at_month": 1, "probability": {"a": 0.4, "b": 0.4}}},
        effect={"move": {"move": "a -> b", form: 0.8}, "answer": {"outcome": "yes", form: 0.8}},
        windows=(1,),
    )
    for outcome in ("b", "yes"):
        require_share(mean_of(tallies, outcome), 0.4)
        require_share(mean_of(tallies, outcome, SERVICE), CHANGED[form])


@pytest.mark.parametrize("form", CHANGED)
def test_effect__on_a_probability_a_quarter_holds_over_a_quarter(form: str) -> None:
    """Source: the same numbers, of a move whose probability is said by the quarter, after three months."""
    tallies = lives(
        pathway={"moves": {"a -> b": {"per_quarter": 0.4}}},
        outcomes=OUT,
        effect={"move": {"move": "a -> b", form: 0.8}},
        windows=(3,),
    )
    require_share(mean_of(tallies, "b", SERVICE), CHANGED[form])


def test_effect__as_a_difference_adds() -> None:
    """Source: 0.4 + 0.15, and a rate of 0.25 + 0.15."""
    tallies = lives(
        pathway={"moves": {"a -> b": {"per_month": 0.4}}},
        outcomes=OUT | {"n": {"kind": "count", "events": "e"}},
        events={"e": {"rates": {state: {"rate_per_month": RATE} for state in "ab"}}},
        effect={"move": {"move": "a -> b", "difference": 0.15}, "event": {"event": "e", "difference": 0.15}},
        windows=(1,),
    )
    require_share(mean_of(tallies, "b", SERVICE), 0.55)
    require_distribution(tallies, "n", stats.poisson(0.4), SERVICE)


def test_effect__grows_and_fades() -> None:
    """Source: by hand: the hazards of months 0, 1 and 2 are multiplied by 3 to the power of their strength."""
    strength = [(1 - exp(-t / 2)) * (0.5 ** (t - 1) if t > 1 else 1) for t in (0.5, 1.5, 2.5)]
    tallies = lives(
        events={"e": {"rates": {"a": {"rate_per_month": RATE}}}},
        outcomes={"n": {"kind": "count", "events": "e"}},
        effect={"e": {"event": "e", "hazard_ratio": 3, "ramp_months": 2, "fades_after_months": 1, "half_life_months": 1}},
        windows=(3,),
    )
    require_distribution(tallies, "n", stats.poisson(RATE * sum(3**one for one in strength)), SERVICE)


# ------------------------------------------------ scores, milestones, money ------------------------------------------------


@pytest.mark.parametrize("rho", [-0.5, 0.0, 0.8])
def test_score__is_normal_and_correlated_with_its_level_at_entry(rho: float) -> None:
    """Source: the moments of two correlated normal numbers."""
    tallies = lives(
        population={"history_months": 1},
        outcomes={
            "level": {
                "kind": "score",
                "at_month": 6,
                "mean": 20,
                "sd": 8,
                "mean_at_entry": 12,
                "sd_at_entry": 5,
                "correlation": rho,
            },
            "gain": {"kind": "score", "at_month": 6, "mean": 20, "sd": 8, "mean_at_entry": 12, "sd_at_entry": 5, "correlation": rho}
            | {"reported": "gain"},
        },
        effect={"e": {"outcome": "level", "difference": 3}},
    )
    (mx, sx), (my, sy) = (12, 5), (20, 8)
    for mean, sd, power in ((mx, sx, "sums_before"), (my, sy, "sums")):
        require(mean_of(tallies, "level", power=power), mean, sd / sqrt(N))
        squares = power.replace("sums", "squares")
        require(mean_of(tallies, "level", power=squares), sd**2 + mean**2, sqrt((2 * sd**4 + 4 * mean**2 * sd**2) / N))
    product = mx**2 * sy**2 + my**2 * sx**2 + 2 * mx * my * rho * sx * sy + sx**2 * sy**2 * (1 + rho**2)
    require(mean_of(tallies, "level", power="products_with_before"), mx * my + rho * sx * sy, sqrt(product / N))
    require(mean_of(tallies, "level", SERVICE), my + 3, sy / sqrt(N))
    of_gain = sx**2 + sy**2 - 2 * rho * sx * sy
    require(mean_of(tallies, "gain"), my - mx, sqrt(of_gain / N))
    require(mean_of(tallies, "gain", power="squares"), of_gain + 64, sqrt((2 * of_gain**2 + 4 * 64 * of_gain) / N))


def test_milestones__and_claims_have_their_probabilities() -> None:
    """Source: by hand: b is entered by month w with 1 - 0.8^w, held for 3 months with 1 - 0.8^(w - 3); answers are apart."""
    tallies = lives(
        pathway={"moves": {"a -> b": {"per_month": 0.2}}},
        outcomes={
            "b": {"kind": "reached", "states": "b"},
            "held": {"kind": "reached", "states": "b", "stay_months": 3},
            "yes": {"kind": "binary", "at_month": 4, "probability": {"a": 0.3, "b": 0.3}},
            "card": {"kind": "claim", "prices": {"held": 50, "yes": 80}, "cap_per_person": 100},
        },
        windows=(3, 4, 10),
    )
    for window, months in enumerate(tallies.windows):
        came, held = 1 - 0.8**months, 1 - 0.8 ** (months - 3)
        answered = 0.3 if months >= 4 else 0.0
        require_share(mean_of(tallies, "b", window=window), came)
        require_share(mean_of(tallies, "held", window=window), held)
        require_share(mean_of(tallies, "yes", window=window), answered)
        shares = [(1 - held) * (1 - answered), held * (1 - answered), (1 - held) * answered, held * answered]
        for combination, share in enumerate(shares):
            found = tallies.combinations["card"][:, 0, TWIN, window, combination].sum() / N
            require_share(found, share)
        prices = [0, 50, 80, 100]
        first, second = (sum(share * price**power for share, price in zip(shares, prices, strict=True)) for power in (1, 2))
        require(mean_of(tallies, "card", window=window), first, sqrt((second - first**2) / N))


@pytest.mark.parametrize("history", [0, 5])
def test_answer__depends_on_the_months_from_entry_to_its_date(history: int) -> None:
    """Source: by hand: odds of 3 to 7 are multiplied by 1.4 for each of four months in `a`, by no month before entry."""
    tallies = lives(
        population={"history_months": history},
        outcomes={
            "yes": {"kind": "binary", "at_month": 4, "probability": {"a": 0.3, "b": 0}, "odds_ratio_per_month_in": {"a": 1.4}}
        },
    )
    odds = 3 / 7 * 1.4**4
    require_share(mean_of(tallies, "yes"), odds / (1 + odds))


@pytest.mark.parametrize(
    ("between", "second", "fourth"),
    [
        # Moments of a gamma factor with mean 1 and variance 1/4: shape 4, scale 1/4; of a uniform one on 0.4 to 1.6.
        ({"between_people_sd": 0.5}, 1.25, 4 * 5 * 6 * 7 / 4**4),
        ({"between_people_half_width": 0.6}, 1 + 0.6**2 / 3, (1.6**5 - 0.4**5) / (5 * 1.2)),
    ],
)
def test_amount__differs_between_people(between: dict[str, float], second: float, fourth: float) -> None:
    """Source: the moments of the factor; a month costs 1."""
    price = {"a": 1 / (12 * DAYS_PER_MONTH)}
    tallies = lives(outcomes={"cost": {"kind": "amount", "per_day": price} | between})
    require(mean_of(tallies, "cost"), 1.0, sqrt((second - 1) / N))
    require(mean_of(tallies, "cost", power="squares"), second, sqrt((fourth - second**2) / N))


COUNTED: dict[str, Callable[[int], float]] = {
    # By hand for people who are in `a` on the dates 0 to 4 of a window of 4 months: what the dates 0 to d count for.
    "beginning": lambda dates: min(dates, 4),
    "end": lambda dates: dates - 1,
    "half_cycle": lambda dates: dates - 0.5 - (0.5 if dates == 5 else 0),
    "simpson": lambda dates: [1 / 3, 5 / 3, 7 / 3, 11 / 3, 4][dates - 1],
}


@pytest.mark.parametrize("counted", COUNTED)
def test_amount__counts_the_dates_of_a_cycle(counted: str) -> None:
    """Source: by hand: on how many of the dates 0 to 4 somebody is still in `a` is geometric."""
    tallies = lives(
        pathway={"moves": {"a -> b": {"per_month": 0.3}}},
        outcomes={"cost": {"kind": "amount", "per_day": {"a": 1 / DAYS_PER_MONTH}, "counted": counted}},
        windows=(4,),
    )
    shares = [0.7 ** (dates - 1) * (0.3 if dates < 5 else 1) for dates in range(1, 6)]
    worth = [COUNTED[counted](dates) for dates in range(1, 6)]
    first, second, fourth = (sum(share * one**power for share, one in zip(shares, worth, strict=True)) for power in (1, 2, 4))
    require(mean_of(tallies, "cost"), first, sqrt((second - first**2) / N))
    require(mean_of(tallies, "cost", power="squares"), second, sqrt((fourth - second**2) / N))


def test_shock__gives_every_year_a_factor_of_its_own() -> None:
    """Source: E exp(s z) = exp(s^2 / 2); the totals of two years share nothing: their covariance is 0."""
    sd, n_people = 0.5, 50
    tallies = lives(
        2000,
        **COUNT,
        events={"e": {"rates": {"a": {"rate_per_month": RATE}}}},
        shocks={"s": {"on": "e", "sd_per_year": sd}},
        population={"waves": {"all": {"size": n_people, "enrolment_months": 1}}},
        windows=(24,),
        horizon=24,
    )
    years = tallies.by_year[:, 0, TWIN, 0]
    m, v = exp(sd**2 / 2), exp(2 * sd**2) - exp(sd**2)
    variance = n_people * MU * m + (n_people * MU) ** 2 * v
    for year in (0, 1):
        require(years[:, year].mean(), n_people * MU * m, sqrt(variance / 2000))
    require(((years[:, 0] - n_people * MU * m) * (years[:, 1] - n_people * MU * m)).mean(), 0.0, variance / sqrt(2000))


def test_selection__leaves_the_distribution_of_those_who_fit() -> None:
    """Source: a Poisson count before entry, given that it is at least 2; after entry the same people have the same rate as all."""
    tallies = lives(
        **happening(history_months=6, selection={"outcome": "n", "at_least": 2}),
    )
    mu, x = 6 * RATE, np.arange(2, 200)
    p = stats.poisson(mu).pmf(x) / stats.poisson(mu).sf(1)
    first, second = (float((p * x**power).sum()) for power in (1, 2))
    require(mean_of(tallies, "n", power="sums_before"), first, sqrt((second - first**2) / N))
    require_distribution(tallies, "n", stats.poisson(MU))


def test_selection__regresses_to_the_mean() -> None:
    """Source: a gamma frailty given n events in H of hazard is gamma with shape 1 / theta + n and rate 1 / theta + H."""
    theta, hazard = 1.0, 6 * RATE
    tallies = lives(
        **happening(
            history_months=6,
            selection={"outcome": "n", "at_least": 3, "at_most": 3},
            frailties={"f": {"variance": theta, "on": "e"}},
        )
    )
    shape, rate = 1 / theta + 3, 1 / theta + hazard
    assert mean_of(tallies, "n", power="sums_before") == 3
    require_distribution(tallies, "n", stats.nbinom(shape, rate / (rate + MU)))
