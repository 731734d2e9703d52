"""Sixteen abreast and one by one: the same lives, bit by bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simengine.accelerate import IS_COMPILED
from simengine.cohort import life, people
from simengine.cohort.tables import ArmTables
from simengine.records import SERVICE, TWIN, Tallies
from tests.reference.studies import ADDED_UP, cohort_of, require_equal_to_twin, tallies_of

pytestmark = pytest.mark.skipif(not IS_COMPILED, reason="without compilation everybody goes one by one")

STATES = ["home", "foster", "placed", "secure", "gone"]
MOVES = {
    "home -> placed": {"per_month": 0.05},
    "home -> secure": {"per_month": 0.02},
    "foster -> home": {"per_month": 0.3},
    "placed -> home": {"per_month": 0.2},
    "placed -> foster": {"per_month": 0.3},
    "placed -> secure": {"per_month": 0.1},
    "placed -> gone": {"per_month": 0.01},
    "secure -> placed": {"rate_per_year": 5},
}
PATHWAY = {"states": STATES, "start": {"young": {"home": 0.5, "placed": 0.5}, "older": {"secure": 1}}, "moves": MOVES}
OUTCOMES = {
    "cost": {
        "kind": "amount",
        "per_day": {"placed": 3, "secure": 7},
        "by_months_in_state": {"placed": {"from_months": [0, 3], "factor": [1, 2]}},
    },
    "secure": {"kind": "reached", "states": "secure", "stay_months": 2},
    "at_home": {"kind": "binary", "at_month": 7, "probability": dict(zip(STATES, (0.9, 0.5, 0.2, 0.1, 0), strict=True))},
}  # fmt: skip
FADING = {"sooner": {"move": "placed -> home", "hazard_ratio": 2, "ramp_months": 3, "fades_after_months": 6, "half_life_months": 4}}
BY_CHANCE = {"fewer": {"move": "home -> placed", "relative_risk": 0.5, "strata": ["young"]}}
EIGHT = [f"s{i}" for i in range(8)]
LATE = {"size": 40, "enrolment_months": 12, "from_month": 1}
WAVES = {"first": {"size": 71, "enrolment_months": 9}, "second": {"size": 1, "enrolment_months": 1, "from_month": 3}}

STUDIES: dict[str, dict[str, Any]] = {
    "steady": {},
    "an effect that fades": {"effect": FADING},
    "effects on hazards and probabilities": {"effect": FADING | BY_CHANCE},
    "no outcome": {"outcomes": {}, "effect": FADING},
    "a history": {"population": {"waves": WAVES, "history_months": 5}, "effect": FADING},
    "a selection": {
        "population": {"waves": WAVES, "history_months": 5, "selection": {"outcome": "cost", "at_least": 200}},
        "effect": BY_CHANCE,
    },
    "time together": {"pathway": PATHWAY | {"time_together": {"care": ["placed", "secure", "foster"]}}},
    "hazards by months since entry": {
        "pathway": PATHWAY
        | {
            "moves": MOVES
            | {"home -> secure": {"per_month": 0.02, "by_months_since_entry": {"from_months": [0, 6], "factor": [1, 9]}}}
        }
    },
    "waves of another size in each replication": {
        "population": {"waves": {"all": {"size": {"distribution": "uniform", "low": 1, "high": 70}, "enrolment_months": 3}}},
        "effect": FADING,
    },
    "each state with steps of its own": {
        "pathway": {
            "states": ["a", "b"],
            "start": {"young": {"a": 1}, "older": {"a": 0.5, "b": 0.5}},
            "moves": {
                "a -> b": {"per_month": 0.1, "by_months_since_entry": {"from_months": [0, 9], "factor": [1, 3]}},
                "b -> a": {"per_month": 0.5, "by_months_since_entry": {"from_months": [0, 1, 4], "factor": [1, 0.2, 2]}},
            },
        },
        "outcomes": {"cost": {"kind": "amount", "per_day": {"b": 1}}},
        "effect": {
            "early": {"move": "a -> b", "hazard_ratio": 0.5, "fades_after_months": 6, "half_life_months": 0},
            "late": {"move": "b -> a", "odds_ratio": 2, "strata": ["young"]},
        },
    },
    "two states": {
        "pathway": {
            "states": ["a", "b"],
            "start": {"young": {"a": 1}, "older": {"b": 1}},
            "moves": {"a -> b": {"per_month": 0.01}},
        },
        "outcomes": {"cost": {"kind": "amount", "per_day": {"b": 1}}},
        "horizon": 200,
        "windows": (12, 150, 200),
    },
    "no move": {
        "pathway": {"states": ["a"], "start": {"young": {"a": 1}, "older": {"a": 1}}, "moves": {}},
        "outcomes": {"cost": {"kind": "amount", "per_day": {"a": 1}}},
    },
    "states that nobody leaves": {
        "pathway": {"states": ["a", "b", "c"], "start": {"young": {"a": 0.5, "c": 0.5}, "older": {"b": 1}}, "moves": {}},
        "outcomes": {"cost": {"kind": "amount", "per_day": {"a": 1, "c": 2}}, "c": {"kind": "reached", "states": "c"}},
    },
    "sixteen cells and seven moves": {
        "pathway": {
            "states": EIGHT,
            "start": {"young": {"s0": 1}, "older": {"s7": 0.5, "s3": 0.5}},
            "moves": {
                f"s0 -> s{i}": {"by_stratum": {"young": {"per_month": 0.02 * i}, "older": {"per_month": 0.1}}} for i in range(1, 8)
            }
            | {f"s{i} -> s0": {"per_month": 0.3} for i in range(1, 7)}
            | {f"s7 -> s{i}": {"per_month": 0.05} for i in range(5)},
        },
        "effect": {"e": {"move": "s0 -> s7", "hazard_ratio": 3, "strata": ["older"]}},
        "outcomes": {"cost": {"kind": "amount", "per_day": {f"s{i}": i + 1 for i in range(8)}}},
    },
    "sixteen states": {
        "population": {"waves": WAVES, "strata": {"all": {"share": "rest"}}},
        "pathway": {
            "states": [f"s{i}" for i in range(16)],
            "start": {"all": {"s0": 0.5, "s15": 0.5}},
            "moves": {f"s{i} -> s{(i + 1) % 16}": {"per_month": 0.1 + i / 20} for i in range(16)},
        },
        "outcomes": {"cost": {"kind": "amount", "per_day": {f"s{i}": i + 1 for i in range(16)}}},
        "horizon": 100,
        "windows": (3, 64, 66, 99),
    },
    "a history longer than they walk at a time": {
        "population": {"waves": WAVES, "history_months": 71},
        "effect": FADING,
        "horizon": 150,
        "windows": (1, 57, 130),
    },
    "people who enter behind the horizon": {"population": {"waves": {"late": {"size": 40, "enrolment_months": 70}}}},
    "moves that are certain": {
        "pathway": PATHWAY | {"moves": MOVES | {"foster -> home": {"per_month": 1}, "secure -> placed": {"rate_per_month": 1e300}}},
        "effect": FADING,
    },
    "moves that never happen": {
        "pathway": PATHWAY | {"moves": MOVES | {"home -> placed": {"per_month": 0}, "home -> secure": {"per_month": 0}}},
        "effect": {"never": {"move": ["placed -> home", "placed -> secure"], "hazard_ratio": 0}},
    },
    "people who enter after the windows": {"horizon": 13, "windows": (1, 12), "population": {"waves": WAVES | {"late": LATE}}},
}


def study(name: str) -> Any:
    usual = {"pathway": PATHWAY, "outcomes": OUTCOMES, "population": {"waves": WAVES}, "windows": (3, 7, 12), "horizon": 24}
    return cohort_of(**(usual | {"n_baseline": 40} | STUDIES[name]))


def one_by_one(cohort: Any, patch: pytest.MonkeyPatch, replications: int) -> Tallies:
    with patch.context() as within:
        within.setattr(ArmTables, "is_abreast", False)
        return tallies_of(cohort, replications)


@pytest.mark.parametrize("name", STUDIES)
def test_abreast__gives_the_bits_of_one_by_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Source: the same words and thresholds in the loop for one person. Years are added up in another order of the people."""
    cohort = study(name)
    got, expected = tallies_of(cohort, 9), one_by_one(cohort, monkeypatch, 9)
    assert got.person_months.any()
    for field in (*ADDED_UP, "clipped", "n_people"):
        if field == "by_year":
            np.testing.assert_allclose(got.by_year, expected.by_year, rtol=1e-12)
        else:
            np.testing.assert_array_equal(getattr(got, field), getattr(expected, field), err_msg=field)


@pytest.mark.parametrize("name", [name for name in STUDIES if name != "no outcome"])
def test_abreast__equals_the_slow_twin(name: str) -> None:
    """Source: the slow twin; of several replications side by side the loop for one person, above."""
    require_equal_to_twin(study(name), [5])


# ------------------------------------------------ however the work is cut ------------------------------------------------


def wave_of(size: int, **sections: Any) -> Any:
    waves = {"all": {"size": size, "enrolment_months": 6}}
    usual = {"pathway": PATHWAY, "outcomes": OUTCOMES, "windows": (3, 7, 12), "horizon": 18, "effect": FADING}
    return cohort_of(**(usual | {"population": {"waves": waves}} | sections))


def require_same_bits(got: Tallies, expected: Tallies, *, in_order: bool = True) -> None:
    """Compare all that is counted; years are added up in another order of the people where a batch holds others."""
    for field in (*ADDED_UP, "n_people"):
        if field == "by_year" and not in_order:
            np.testing.assert_allclose(got.by_year, expected.by_year, rtol=1e-12)
        else:
            np.testing.assert_array_equal(getattr(got, field), getattr(expected, field), err_msg=field)


@pytest.mark.parametrize("size", [1, 15, 16, 17, 31, 32, 33])
def test_wave__of_any_size_fills_registers_or_leaves_room_in_them(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Source: the slow twin, and the loop for one person; alone and between other replications."""
    cohort = wave_of(size)
    whole = tallies_of(cohort, 7)
    require_same_bits(whole, one_by_one(cohort, monkeypatch, 7), in_order=False)
    require_equal_to_twin(cohort, [0, 6])
    for row in (0, 3, 6):
        alone = tallies_of(cohort, [row])
        for field in (*ADDED_UP, "n_people", "clipped"):
            np.testing.assert_array_equal(getattr(alone, field)[0], getattr(whole, field)[row], err_msg=field)


@pytest.mark.parametrize("name", ["an effect that fades", "a history", "a selection", "sixteen states", "no outcome"])
@pytest.mark.parametrize("batch", [1, 15, 16, 33, 70])
def test_people__are_the_same_where_a_wave_is_cut(name: str, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Source: a distribution: every word has an address, and nobody's life depends on the lane."""
    cohort = study(name)
    expected = tallies_of(cohort, 5)
    monkeypatch.setattr(people, "BATCH", batch)
    require_same_bits(tallies_of(cohort, 5), expected, in_order=False)


def test_large_wave__is_cut_in_pieces_and_stays_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Source: the loop for one person, for more people than are held at a time, and the last of them alone in a register."""
    cohort = wave_of(people.BATCH + 17)
    got = tallies_of(cohort, 2)
    require_same_bits(got, one_by_one(cohort, monkeypatch, 2), in_order=False)
    # In the first window everybody is somewhere in each of its three months.
    np.testing.assert_array_equal(got.person_months[:, 0, :2, :, 0].sum(axis=-1), 3 * (people.BATCH + 17))


def test_abreast__finds_room_however_little_there_is_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Source: a distribution: what has no room is walked again, and nothing of it is counted twice."""
    cohort = study("an effect that fades")
    expected = tallies_of(cohort, 9)
    monkeypatch.setattr(life, "_STAYS_PER_PERSON", 1)
    got = tallies_of(cohort, 9)
    for field in (*ADDED_UP, "clipped"):
        np.testing.assert_array_equal(getattr(got, field), getattr(expected, field), err_msg=field)


@pytest.mark.parametrize("outcomes", [{}, {"b": {"kind": "amount", "per_day": {"b": 1}}}])
def test_months__of_many_people_in_one_state_are_all_counted(outcomes: Any) -> None:
    """Source: by hand: nobody leaves, so 16,384 people spend 250 months each where they begin.

    A counter of 16 bits holds 65,535: it would be full if it counted the 4,096,000 months of all. But each lane counts its own
    person, of whom nobody has more than 64 months before they are added to whole numbers of 32 bits.
    """
    cohort = wave_of(
        people.BATCH,
        pathway={"states": ["a", "b"], "start": {"young": {"a": 1}, "older": {"b": 1}}, "moves": {"a -> b": {"per_month": 0}}},
        population={
            "waves": {"all": {"size": people.BATCH, "enrolment_months": 1}},
            "strata": {"young": {"share": 1}, "older": {"share": "rest"}},
        },
        effect={},
        outcomes=outcomes,
        windows=(12, 250),
        horizon=250,
    )
    months = tallies_of(cohort, 1).person_months[0, 0, :2]
    np.testing.assert_array_equal(months, [[[people.BATCH * 12, people.BATCH * 250], [0, 0]]] * 2)


# ------------------------------------------------ who shares luck with whom ------------------------------------------------

CHANGES_NOTHING = {"sooner": {"move": ["placed -> home", "home -> placed"], "hazard_ratio": 1, "ramp_months": 3}}
PARTLY = {"engagement": {"share": 0.6, "dropout": {"per_month": 0.05}}}


@pytest.mark.parametrize("waves", [WAVES, {"all": {"size": 1, "enrolment_months": 1}}])
@pytest.mark.parametrize("history", [0, 5])
@pytest.mark.parametrize("engagement", [{}, PARTLY])
def test_arms__are_equal_person_by_person_under_an_effect_that_changes_nothing(waves: Any, history: int, engagement: Any) -> None:
    """Source: a distribution: same people, same luck. With a wave of one person each replication is a person.

    Who may leave the service goes one by one, while those without it go abreast.
    """
    population = {"waves": waves, "history_months": history} | engagement
    tallies = tallies_of(wave_of(1, population=population, effect=CHANGES_NOTHING), 60)
    assert tallies.person_months[:, 0, SERVICE].any()
    for field in (*ADDED_UP, "n_people"):
        values = getattr(tallies, field)
        np.testing.assert_array_equal(values[:, :, SERVICE], values[:, :, TWIN], err_msg=field)


def test_arms__meet_again_after_a_detour() -> None:
    """Source: a distribution of the words: who is in the same state in the same month has the same luck from there on.

    The effect acts in the first two months alone, and everybody is in `a` again after month 3: from there on the arms are equal.
    """
    pathway = {
        "states": ["a", "b", "c"],
        "start": {"young": {"a": 1}, "older": {"a": 1}},
        "moves": {
            "a -> b": {"per_month": 0.3},
            "a -> c": {"per_month": 0.2},
            "b -> a": {"per_month": 0.1, "by_months_since_entry": {"from_months": [0, 3, 4], "per_month": [0.1, 1, 0.1]}},
            "c -> a": {"per_month": 0.1, "by_months_since_entry": {"from_months": [0, 3, 4], "per_month": [0.1, 1, 0.1]}},
        },
    }
    stays = {"by_months_since_entry": {"from_months": [0, 3, 4], "factor": [1, 0, 1]}}
    pathway["moves"] = pathway["moves"] | {move: pathway["moves"][move] | stays for move in ("a -> b", "a -> c")}
    effect = {"e": {"move": "a -> b", "hazard_ratio": 4, "fades_after_months": 2, "half_life_months": 0}}
    tallies = tallies_of(wave_of(50, pathway=pathway, effect=effect, outcomes={}, windows=(4, 18), horizon=30), 20)
    early, whole = tallies.person_months[:, 0, :2, :, 0], tallies.person_months[:, 0, :2, :, 1]
    assert (early[:, SERVICE] != early[:, TWIN]).any()
    np.testing.assert_array_equal((whole - early)[:, SERVICE], (whole - early)[:, TWIN])


# ------------------------------------------------ who goes abreast ------------------------------------------------


ALL_ALIKE = {"population": {"strata": {"all": {"share": "rest"}}}}
STEP = {"from_months": [0, 2], "factor": [1, 2]}


def star(n_states: int) -> dict[str, Any]:
    """Return a state that is left for every other, in one stratum."""
    states = [f"s{i}" for i in range(n_states)]
    return {
        "states": states,
        "start": {"all": {"s0": 1}},
        "moves": {f"s0 -> s{i}": {"per_month": 0.02} for i in range(1, n_states)},
    }


def chain(n_states: int, strata: tuple[str, ...] = ("young", "older")) -> dict[str, Any]:
    """Return states of which only the first is left."""
    states = [f"s{i}" for i in range(n_states)]
    return {"states": states, "start": {k: {"s0": 1} for k in strata}, "moves": {f"s0 -> s{n_states - 1}": {"per_month": 0.2}}}


@pytest.mark.parametrize(
    ("pathway", "more", "expected"),
    [
        pytest.param(PATHWAY, {}, {True}, id="as usual"),
        pytest.param(chain(8), {}, {True}, id="sixteen cells"),
        pytest.param(chain(9), {}, {False}, id="eighteen cells"),
        pytest.param(chain(16, ("all",)), ALL_ALIKE, {True}, id="sixteen states"),
        pytest.param(chain(17, ("all",)), ALL_ALIKE, {False}, id="seventeen states"),
        pytest.param(star(8), ALL_ALIKE, {True}, id="seven moves out of a state"),
        pytest.param(star(9), ALL_ALIKE, {False}, id="eight moves out of a state"),
        pytest.param(
            PATHWAY | {"moves": {"home -> placed": {"mean_months": 9, "weibull_shape": 1.5}}}, {}, {False}, id="a Weibull stay"
        ),
        pytest.param(
            PATHWAY | {"moves": {"home -> placed": {"per_month": 0.1, "by_months_in_state": STEP}}},
            {},
            {False},
            id="months in the state",
        ),
        pytest.param(
            PATHWAY | {"moves": {"home -> placed": {"per_month": 0.1, "by_months_since_entry": STEP}}},
            {},
            {True},
            id="months since entry",
        ),
        pytest.param(
            PATHWAY | {"moves": {"home -> placed": {"per_month": 0.1, "by_calendar": {"trend_per_year": 0.1}}}},
            {},
            {False},
            id="a trend",
        ),
        pytest.param(PATHWAY, {"shocks": {"s": {"on": "home -> placed", "sd_per_year": 1}}}, {False}, id="a shock"),
        pytest.param(
            PATHWAY,
            {"population": {"frailties": {"f": {"variance": 1, "on": "foster -> home"}}}},
            {False},
            id="a frailty on a move",
        ),
        pytest.param(PATHWAY, {"population": PARTLY, "effect": FADING}, {False, True}, id="a course in one arm"),
    ],
)
def test_study__walks_abreast_or_not(
    pathway: Any, more: dict[str, Any], expected: set[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Source: counting: sixteen cells and seven moves out of a state at most, and nobody with hazards of the own."""
    asked: set[bool] = set()
    walk, walk_abreast = life.walk_people, life.walk_abreast
    monkeypatch.setattr(life, "walk_people", lambda *given: (asked.add(False), walk(*given))[1])
    monkeypatch.setattr(life, "walk_abreast", lambda *given: (asked.add(True), walk_abreast(*given))[1])
    outcomes = {"cost": {"kind": "amount", "per_day": {pathway["states"][0]: 1}}}
    require_equal_to_twin(cohort_of(pathway=pathway, outcomes=outcomes, **more), 2)
    assert asked == expected
