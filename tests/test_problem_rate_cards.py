"""Five shipped rate cards without the engine: people month by month, in plain Python, against what is paid quarter by quarter.

The numbers of each study are given, so all that is left is luck. What the lives below say was written from the studies and the pages
on the clock and on rate cards; where one of them is wrong, or the engine is, some quarter differs by more than 4.5 standard errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from math import exp

import numpy as np
import pytest

from simengine.config import Study, find_study, load_study
from simengine.contract import settle_cards
from simengine.distributions import Constant
from simengine.pipeline import evaluate, simulate
from simengine.records import Floats
from tests.conftest import sized
from tests.reference.exact_cards import Card, CardOfMonths, Life, People, Reaching, moments_by_date, moves, number_of
from tests.reference.recursion import Z_LIMIT, Distribution, Moments, sum_of

Numbers = Mapping[str, float]
Outcome = tuple[float, Life, Reaching]
SEED = 2017


@dataclass(frozen=True)
class Problem:
    """A shipped study with every number given, and the same once more without the engine."""

    numbers: Numbers
    people: Callable[[Numbers], People]
    card: Card | CardOfMonths
    dates: Sequence[int]
    """Months from the start."""
    units: Mapping[str, float] = field(default_factory=dict)
    """By outcome, and for what is paid: how much of the engine's unit is one here; 1 where it is not named."""
    replications: int = sized(1_500, 6_000)


# ------------------------------------------------ Women in Recovery ------------------------------------------------

WOMEN = {
    "population.waves.all.size": 40,
    "pathway.moves.programme -> graduated.per_month": 0.16,
    "pathway.moves.programme -> prison.per_month": 0.25,
    "pathway.moves.programme -> left.per_month": 0.02,
    "pathway.moves.graduated -> prison.per_month": 0.02,
    "pathway.moves.left -> prison.per_month": 0.03,
    "pathway.moves.prison -> left.per_month": 0.05,
    "effect.diverted.hazard_ratio": 0.08,
    "effect.staying_free.hazard_ratio": 0.7,
    "parties.service_provider.costs.programme.per_person": 20_000,
    "public_value.prison_terms.outcome_payer.cashable_share": 0.3,
}


def women(numbers: Numbers, first_graduation: int = 12) -> People:
    """Follow a woman: her state, and in the programme the months that she has spent in it."""
    p = {path.removeprefix("pathway.moves.").removesuffix(".per_month"): value for path, value in numbers.items()}
    out = {name: p[f"programme -> {name}"] for name in ("graduated", "prison", "left")}
    diverted, free = p["effect.diverted.hazard_ratio"], p["effect.staying_free.hazard_ratio"]
    early, late = (moves(out, {"graduated": pace, "prison": diverted}) for pace in (0.0, 1.0))
    others = {
        "graduated": moves({"prison": p["graduated -> prison"]}, {"prison": free}),
        "left": moves({"prison": p["left -> prison"]}, {}),
        "prison": moves({"left": p["prison -> left"]}, {}),
    }

    def step(month: int, life: Life) -> Iterable[Outcome]:
        state, spent = life
        table = others.get(state) or (late if spent + 1 >= first_graduation else early)
        for to, share in table.items():
            after = to or state
            reached = [("graduated", 1)] if to == "graduated" else []
            if month + 1 in (24, 36, 54) and after != "prison":
                reached.append((f"free_at_{month + 1}", 1))
            yield share, (after, min(spent + 1, first_graduation) if after == "programme" else 0), tuple(reached)

    return People({("programme", 0): 1.0}, step, range(60))


LATER = ("free_at_24", "free_at_36", "free_at_54")
WOMEN_CARD = Card(price=dict.fromkeys(("graduated", *LATER), 5_646), needs=dict.fromkeys(LATER, "graduated"))


# ------------------------------------------------ It's All About Me ------------------------------------------------

CHILDREN = {
    "population.waves.all.size": 40,
    "pathway.moves.referred -> waiting.per_month": 0.4,
    "pathway.moves.waiting -> family.per_month": 0.06,
    "pathway.moves.waiting -> stays_in_care.per_month": 0.02,
    "pathway.moves.family -> broken.per_month": 0.06,
    "pathway.moves.family -> broken.by_months_in_state.factor.1": 0.5,
    "effect.search.hazard_ratio": 2.5,
    "effect.support.hazard_ratio": 0.6,
    "measurement.counted.one_year.missed": 0.25,
    "measurement.counted.two_years.missed": 0.05,
    "capital.costs.agencies.per_person": 36_000,
}


def children(numbers: Numbers, year: int = 12) -> People:
    """Follow a child: its state, and in a family the months that it has lived there."""
    p = {path.removeprefix("pathway.moves.").removesuffix(".per_month"): value for path, value in numbers.items()}
    registering = moves({"waiting": p["referred -> waiting"]}, {})
    search = {"family": p["effect.search.hazard_ratio"]}
    finding = moves({"family": p["waiting -> family"], "stays_in_care": p["waiting -> stays_in_care"]}, search)
    factors = (1.0, p["family -> broken.by_months_in_state.factor.1"])
    breaking = [moves({"broken": p["family -> broken"]}, {"broken": p["effect.support.hazard_ratio"] * f}) for f in factors]
    proved = {12: 1 - p["measurement.counted.one_year.missed"], 24: 1 - p["measurement.counted.two_years.missed"]}
    named = {12: "one_year", 24: "two_years"}

    def step(month: int, life: Life) -> Iterable[Outcome]:
        del month
        state, lived = life
        if state == "referred":
            for to, share in registering.items():
                yield share, (to or state, 0), (("registered", 1),) if to else ()
        elif state == "waiting":
            for to, share in finding.items():
                yield share, (to or state, 0), (("placed", 1),) if to == "family" else ()
        elif state == "family" and lived < 24:
            stage = {year: 12, 2 * year: 24}.get(lived + 1)
            for to, share in breaking[lived // 12].items():
                after, lost = ((to, 0), (("breakdown", 1),)) if to else (("family", lived + 1), ())
                if stage is None:
                    yield share, after, lost
                else:
                    yield share * proved[stage], after, ((named[stage], 1), *lost)
                    yield share * (1 - proved[stage]), after, lost
        else:
            yield 1.0, life, ()

    return People({("referred", 0): 1.0}, step, range(78))


CHILDREN_CARD = Card(
    price={"registered": 8_000, "placed": 23_000, "one_year": 6_800, "two_years": 15_800, "breakdown": 0},
    needs={"placed": "registered", "one_year": "placed", "two_years": "one_year"},
)


# ------------------------------------------------ Fair Chance Fund ------------------------------------------------

YOUNG = {
    "population.waves.all.size": 40,
    "pathway.moves.homeless -> housed.per_month": 0.15,
    "pathway.moves.housed -> homeless.per_month": 0.06,
    "pathway.moves.housed -> working.per_month": 0.10,
    "pathway.moves.working -> housed.per_month": 0.03,
    "pathway.moves.working -> homeless.per_month": 0.01,
    "events.qualification.rates.housed.rate_per_year": 0.3,
    "events.qualification.rates.working.rate_per_year": 0.5,
    "effect.a_home.hazard_ratio": 1.5,
    "effect.keeping_it.hazard_ratio": 0.6,
    "effect.work.hazard_ratio": 1.3,
    "effect.learning.hazard_ratio": 1.4,
    "capital.costs.project.per_person": 5_000,
}
STAYS = {3: "three_months", 6: "six_months", 12: "a_year"}


def young_people(numbers: Numbers, year: int = 12) -> People:
    """Follow a young person: state, months in a home and in a job, the longest stay so far, and whether qualified and paid for work."""
    p = {path.removeprefix("pathway.moves.").removesuffix(".per_month"): value for path, value in numbers.items()}
    ratio = {name: p[f"effect.{name}.hazard_ratio"] for name in ("a_home", "keeping_it", "work", "learning")}
    table = {
        "homeless": moves({"housed": p["homeless -> housed"]}, {"housed": ratio["a_home"]}),
        "housed": moves(
            {"homeless": p["housed -> homeless"], "working": p["housed -> working"]},
            {"homeless": ratio["keeping_it"], "working": ratio["work"]},
        ),
        "working": moves({"housed": p["working -> housed"], "homeless": p["working -> homeless"]}, {}),
    }
    a_year = {"housed": p["events.qualification.rates.housed.rate_per_year"]}
    a_year |= {"working": p["events.qualification.rates.working.rate_per_year"], "homeless": 0.0}
    learns = {state: 1 - exp(-ratio["learning"] * rate / 12) for state, rate in a_year.items()}
    stays = {(year if months == 12 else months): name for months, name in STAYS.items()}

    def step(month: int, life: Life) -> Iterable[Outcome]:
        del month
        state, home, job, longest, is_qualified, has_worked = life
        home, job = (home + 1 if state != "homeless" else 0), (job + 1 if state == "working" else 0)
        stage = stays.get(home) if home > longest else None
        works = job == 12 and not has_worked
        for to, share in table[state].items():
            after = to or state
            first_home = after != "homeless" and longest < 0
            reached = [("accommodation", 1)] if first_home else []
            reached += [(stage, 1)] if stage else []
            done = ("worked_a_year", 1) if works else None
            still = min(home, 12) if after != "homeless" else 0
            at_work = min(job, 12) if after == "working" else 0
            best = max(longest, home if stage else longest, 0 if first_home else -1)
            chance = 0.0 if is_qualified else learns[state]
            for learned, likely in ((True, chance), (False, 1 - chance)):
                found = (*reached, *([("qualified", 1)] if learned else []), *([done] if done else []))
                yield share * likely, (after, still, at_work, best, is_qualified or learned, has_worked or works), found

    return People({("homeless", 0, 0, -1, False, False): 1.0}, step, range(12))


YOUNG_CARD = Card(
    price={
        "accommodation": 700,
        "three_months": 1_500,
        "six_months": 1_500,
        "a_year": 3_000,
        "qualified": 5_100,
        "worked_a_year": 6_000,
    },
    needs={"three_months": "accommodation", "six_months": "three_months", "a_year": "six_months"},
    cap=15_000,
)


# ------------------------------------------------ Project Welcome Home ------------------------------------------------

TENANTS = {
    "population.waves.all.size": 40,
    "population.waves.all.enrolment_months": 20,
    "pathway.moves.outside -> housed.per_month": 0.05,
    "pathway.moves.outside -> gone.per_month": 0.01,
    "pathway.moves.housed -> outside.per_month": 0.08,
    "pathway.moves.housed -> outside.by_months_in_state.factor.1": 0.4,
    "pathway.moves.housed -> gone.per_month": 0.01,
    "effect.a_home.hazard_ratio": 4.0,
    "effect.keeping_it.hazard_ratio": 0.6,
    "capital.costs.services.per_person": 45_000,
}
TENANCIES = {3: "three_months", 6: "six_months", 9: "nine_months", 12: "twelve_months"}


def tenants(numbers: Numbers, year: int = 12) -> People:
    """Follow a tenant: the state, the months of this tenancy, and the longest tenancy that was paid for."""
    p = {path.removeprefix("pathway.moves.").removesuffix(".per_month"): value for path, value in numbers.items()}
    outside = moves({"housed": p["outside -> housed"], "gone": p["outside -> gone"]}, {"housed": p["effect.a_home.hazard_ratio"]})
    keeping, factor = p["effect.keeping_it.hazard_ratio"], p["housed -> outside.by_months_in_state.factor.1"]
    leaving = {"outside": p["housed -> outside"], "gone": p["housed -> gone"]}
    housed = [moves(leaving, {"outside": keeping * f}) for f in (1.0, factor)]
    stays = {(year if months == 12 else months): name for months, name in TENANCIES.items()}

    def step(month: int, life: Life) -> Iterable[Outcome]:
        del month
        state, lived, longest = life
        if state == "gone":
            yield 1.0, ("gone", 0, 0), ()
        elif state == "outside":
            for to, share in outside.items():
                yield share, (to or state, 0, longest), ()
        else:
            stage = stays.get(lived + 1) if lived + 1 > longest else None
            reached: Reaching = ((stage, 1),) if stage else ()
            reached += (("month_after", 1),) if lived >= 12 else ()
            best = lived + 1 if stage else longest
            for to, share in housed[lived >= 6].items():
                yield share, (to or state, min(lived + 1, 12) if not to else 0, best), reached

    return People({("outside", 0, 0): 1.0}, step, range(int(numbers["population.waves.all.enrolment_months"])))


TENANTS_CARD = Card(
    price={"three_months": 1_242, "six_months": 1_863, "nine_months": 2_484, "twelve_months": 6_831, "month_after": 1_035},
    needs={"month_after": "twelve_months"},
)


# ------------------------------------------------ Denver, the days in housing ------------------------------------------------

HOMELESS = {
    "population.waves.all.size": 40,
    "population.waves.all.enrolment_months": 20,
    "population.frailties.between_people.variance": 0,
    "pathway.moves.street -> housed.per_month": 0.05,
    "pathway.moves.street -> gone.per_month": 0.01,
    "pathway.moves.housed -> street.per_month": 0.10,
    "pathway.moves.housed -> street.by_months_in_state.factor.1": 0.4,
    "pathway.moves.housed -> gone.per_month": 0.01,
    # Nobody goes to jail: days that are taken off are held elsewhere, against another program.
    "events.jail_stay.rates.street.rate_per_year": 0,
    "events.jail_stay.rates.housed.rate_per_year": 0,
    "events.jail_stay.length.mean_days": 18,
    "events.jail_stay.length.sd_days": 30,
    "effect.a_home.hazard_ratio": 4.0,
    "effect.keeping_it.hazard_ratio": 0.6,
    "effect.fewer_arrests.hazard_ratio": 0.8,
    "capital.drawdown_months": 48,
}
DAYS = 365.25 / 12


def homeless(numbers: Numbers) -> People:
    """Follow a person: the state, and in a home the months since it was entered."""
    p = {path.removeprefix("pathway.moves.").removesuffix(".per_month"): value for path, value in numbers.items()}
    street = moves({"housed": p["street -> housed"], "gone": p["street -> gone"]}, {"housed": p["effect.a_home.hazard_ratio"]})
    keeping, factor = p["effect.keeping_it.hazard_ratio"], p["housed -> street.by_months_in_state.factor.1"]
    leaving = {"street": p["housed -> street"], "gone": p["housed -> gone"]}
    housed = [moves(leaving, {"street": keeping * f}) for f in (1.0, factor)]

    def step(month: int, life: Life) -> Iterable[Outcome]:
        del month
        state, lived = life
        if state == "gone":
            yield 1.0, life, ()
            return
        for to, share in (housed[lived >= 12] if state == "housed" else street).items():
            stays = state == "housed" and not to
            yield share, (to or state, min(lived + 1, 12) if stays else 0), (("housed_days", 1),) if state == "housed" else ()

    return People({("street", 0): 1.0}, step, range(int(numbers["population.waves.all.enrolment_months"])))


# 15.12 for each of 30.4375 days, in tenths of a cent; 365 days are reached in the twelfth month.
HOMELESS_CARD = CardOfMonths(price={"housed_days": 460_215}, from_month=12)

QUARTERS = range(3, 121, 3)
PROBLEMS = {
    "women_in_recovery": Problem(WOMEN, women, WOMEN_CARD, QUARTERS),
    "iaam_adoption": Problem(CHILDREN, children, CHILDREN_CARD, QUARTERS),
    "fair_chance_fund": Problem(YOUNG, young_people, YOUNG_CARD, QUARTERS[:12]),
    "santa_clara_welcome_home": Problem(TENANTS, tenants, TENANTS_CARD, QUARTERS[:24]),
    "denver_supportive_housing": Problem(
        HOMELESS, homeless, HOMELESS_CARD, (18, 27, 36, 54, 60), units={"paid": 0.001, "housed_days": DAYS}
    ),
}
TERMS = dict.fromkeys(PROBLEMS, "card") | {"denver_supportive_housing": "housing"}


# ------------------------------------------------ the engine ------------------------------------------------


@cache
def study_of(name: str) -> Study:
    study, changes = load_study(find_study(name)), dict[str, object]()
    for path, number in PROBLEMS[name].numbers.items():
        whole = path.rpartition(".factor.")[0]
        if whole:  # A list is given as a whole; its other numbers are fixed.
            listed = {at: one for at, one in study.numbers.items() if at.startswith(f"{whole}.factor.")}
            changes[f"{whole}.factor"] = [number if at == path else one.support[0] for at, one in listed.items()]
        else:
            changes[path] = number
    return study.with_(changes)


@cache
def by_date(name: str) -> dict[str, Floats]:
    """Return what the engine pays on each date, and how many reach each outcome: each of shape (replications, dates)."""
    study, problem = study_of(name), PROBLEMS[name]
    evidence = simulate(study, SEED, np.arange(problem.replications))
    reached = evidence.measurements.reached
    assert reached is not None
    found = {"paid": settle_cards(study.contract, reached).paid[TERMS[name]].sum(axis=1)}
    date = np.searchsorted(problem.dates, reached.month)
    for number, outcome in enumerate(reached.outcomes):
        mine = (reached.outcome == number) & (date < len(problem.dates))
        units = np.ones(mine.sum()) if reached.units is None else reached.units[mine]
        found[outcome] = np.zeros_like(found["paid"])
        np.add.at(found[outcome], (reached.replication_of_row[mine], date[mine]), units)
    return {what: numbers / problem.units.get(what, 1.0) for what, numbers in found.items()}


def exactly(problem: Problem, what: str) -> list[Moments]:
    pays = problem.card.pays if what == "paid" else number_of(what)
    return moments_by_date(problem.people(problem.numbers), pays, problem.dates)


def worst(name: str, what: str, problem: Problem) -> float:
    """Return the largest z-score over all dates, of the mean and of the spread."""
    size, found, scores = int(problem.numbers["population.waves.all.size"]), by_date(name)[what], [0.0]
    for date, moments in enumerate(exactly(problem, what)):
        sample, exact = found[:, date], Distribution.of(sum_of(size, moments))
        if moments[1] == 0.0:
            scores.append(np.inf if sample.any() else 0.0)
            continue
        # How many people are paid in all replications together, at most: where few are, no normal distribution holds.
        many = len(sample) * size * moments[1] ** 2 / moments[2]
        if many >= 30:
            scores.append(abs(exact.z_of_mean(sample)))
        if many >= 300:
            scores.append(abs(exact.z_of_spread(sample)))
    return float(max(scores))


CHECKS = [(name, what) for name, problem in PROBLEMS.items() for what in ("paid", *problem.card.price)]


@pytest.mark.statistical
@pytest.mark.parametrize(("name", "what"), CHECKS)
def test_each_quarter__has_the_exact_mean_and_spread(name: str, what: str) -> None:
    # Source: exact recursion over the lives of one person (tests/reference/exact_cards.py).
    assert worst(name, what, PROBLEMS[name]) < Z_LIMIT


@pytest.mark.parametrize("name", [name for name, term in TERMS.items() if term == "card"])
def test_quarters__are_what_the_outcome_payer_pays(name: str) -> None:
    # Law: in every replication the dates of the card add up to the cash of the party that pays.
    study = study_of(name)
    evidence = simulate(study, SEED, np.arange(100))
    paid = evaluate(study, evidence, with_returns=False)["outcome_payer.payment"]
    assert paid == pytest.approx(by_date(name)["paid"][:100].sum(axis=1), abs=1e-6)


@pytest.mark.parametrize("name", PROBLEMS)
def test_numbers__are_all_given(name: str) -> None:
    given = {path for path, number in study_of(name).numbers.items() if not isinstance(number, Constant)}
    assert given == set()
    assert study_of(name).pathway.steps_per_month is None
    assert set(PROBLEMS[name].numbers) <= {path for path, _ in load_study(find_study(name)).numbers.items()}


def entering_later(people: People) -> People:
    return replace(people, entries=[entry + 1 for entry in people.entries])


def dearer(card: Card, outcome: str) -> Card:
    return replace(card, price={**card.price, outcome: round(1.2 * card.price[outcome])})


PLANTED = {
    "women_in_recovery": [
        ("paid", {"people": lambda numbers: entering_later(women(numbers))}),
        ("graduated", {"people": lambda numbers: women(numbers, first_graduation=13)}),
        ("paid", {"card": dearer(WOMEN_CARD, "free_at_36")}),
        ("paid", {"card": replace(WOMEN_CARD, needs={})}),
    ],
    "iaam_adoption": [
        ("paid", {"people": lambda numbers: entering_later(children(numbers))}),
        ("one_year", {"people": lambda numbers: children(numbers, year=11)}),
        ("paid", {"card": dearer(CHILDREN_CARD, "placed")}),
        ("paid", {"card": replace(CHILDREN_CARD, needs={})}),
    ],
    "fair_chance_fund": [
        ("paid", {"people": lambda numbers: entering_later(young_people(numbers))}),
        ("a_year", {"people": lambda numbers: young_people(numbers, year=11)}),
        ("paid", {"card": dearer(YOUNG_CARD, "qualified")}),
        ("paid", {"card": replace(YOUNG_CARD, cap=None)}),
    ],
    "santa_clara_welcome_home": [
        ("paid", {"people": lambda numbers: entering_later(tenants(numbers))}),
        ("twelve_months", {"people": lambda numbers: tenants(numbers, year=11)}),
        ("paid", {"card": dearer(TENANTS_CARD, "month_after")}),
    ],
    "denver_supportive_housing": [
        ("paid", {"people": lambda numbers: entering_later(homeless(numbers))}),
        ("paid", {"card": replace(HOMELESS_CARD, from_month=11)}),
        ("paid", {"card": replace(HOMELESS_CARD, counted_back=False)}),
    ],
}


@pytest.mark.statistical
@pytest.mark.parametrize(("name", "place"), [(name, place) for name, errors in PLANTED.items() for place in range(len(errors))])
def test_planted_errors__are_seen(name: str, place: int) -> None:
    # A month later, a month too few or too many, a price of a fifth more, needs and a cap left out: each shows in some quarter.
    what, error = PLANTED[name][place]
    assert worst(name, what, replace(PROBLEMS[name], **error)) > Z_LIMIT
