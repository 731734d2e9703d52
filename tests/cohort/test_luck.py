"""Who shares luck with whom: however the work is cut, whatever is added, whoever is served."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simengine.cohort import Cohort, life, people, simulate_cohort
from simengine.records import BASELINE, SERVICE, TWIN, Tallies
from tests.conftest import sized
from tests.reference.everything import ALL
from tests.reference.studies import ADDED_UP, cohort_of, draws_of, require_same, tallies_of

ARRAYS = (*ADDED_UP, "n_people")
STUDY = cohort_of(**ALL)
NUMBERS = np.arange(11)
WHOLE = simulate_cohort(STUDY, draws_of(STUDY, NUMBERS))


def changed(**sections: Any) -> dict[str, Any]:
    """Return the study that says everything with more in some of its sections."""
    study = copy.deepcopy(ALL)
    for name, more in sections.items():
        study[name] = study[name] | more if isinstance(more, dict) else more
    return study


def without_selection(**sections: Any) -> dict[str, Any]:
    """Do the same for a study in which nobody is selected."""
    study = changed(**sections)
    del study["population"]["selection"]
    return study


def require_same_bits(got: Tallies, expected: Tallies, rows: Any, names: tuple[str, ...] = (*ARRAYS, "clipped")) -> None:
    """Compare some replications of `expected`, by row, with all of `got`."""
    for name in names:
        np.testing.assert_array_equal(getattr(got, name), getattr(expected, name)[rows], err_msg=name)
    for name, combinations in got.combinations.items():
        np.testing.assert_array_equal(combinations, expected.combinations[name][rows], err_msg=name)


@contextmanager
def sizes(batch: int, stays: int) -> Iterator[None]:
    """Hold fewer people at a time, and less room for their stays."""
    before = people.BATCH, life._STAYS_PER_PERSON
    people.BATCH, life._STAYS_PER_PERSON = batch, stays
    try:
        yield
    finally:
        people.BATCH, life._STAYS_PER_PERSON = before


# ------------------------------------------------ however the work is cut ------------------------------------------------


@settings(max_examples=sized(6, 15))
@given(rows=st.lists(st.sampled_from(range(11)), min_size=1, max_size=11, unique=True))
def test_replications__are_the_same_in_any_company(rows: list[int]) -> None:
    """Source: a distribution: every draw has an address, and no sum depends on the company it is in."""
    require_same_bits(simulate_cohort(STUDY, draws_of(STUDY, NUMBERS[rows])), WHOLE, rows)


@pytest.mark.parametrize("row", [0, 4, 10])
def test_replication__made_again_alone_equals_itself(row: int) -> None:
    """Source: the same distribution."""
    require_same_bits(simulate_cohort(STUDY, draws_of(STUDY, [row])), WHOLE, [row])


@pytest.mark.parametrize("size", [1, 2, 7])
def test_replication__of_a_wave_of_any_size_equals_itself_alone(size: int) -> None:
    """Source: the same distribution, where one person alone fills a batch."""
    study = without_selection()
    study["population"]["waves"] = {"all": {"size": size, "enrolment_months": 2}}
    study["n_baseline"] = 1
    cohort = cohort_of(**study)
    whole = simulate_cohort(cohort, draws_of(cohort, NUMBERS))
    for row in (0, 5):
        require_same_bits(simulate_cohort(cohort, draws_of(cohort, [row])), whole, [row])


@settings(max_examples=sized(5, 10))
@given(batch=st.integers(8, 60), stays=st.sampled_from([1, 2, 8]))
def test_people__are_the_same_in_any_batch(batch: int, stays: int) -> None:
    """Source: the same distribution, for batches that hold the largest wave of a replication."""
    with sizes(batch, stays):
        got = simulate_cohort(STUDY, draws_of(STUDY, NUMBERS))
    require_same_bits(got, WHOLE, slice(None))


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_people__are_the_same_where_a_wave_is_cut(batch: int) -> None:
    """Source: the same distribution. Years are added up in another order; what a whole batch shares is clipped once for each."""
    with sizes(batch, 1):
        got = simulate_cohort(STUDY, draws_of(STUDY, NUMBERS))
    require_same_bits(got, WHOLE, slice(None), tuple(name for name in ARRAYS if name != "by_year"))
    np.testing.assert_allclose(got.by_year, WHOLE.by_year, rtol=1e-12)
    np.testing.assert_array_equal(got.clipped > 0, WHOLE.clipped > 0)


def test_stays__find_room_however_little_there_is_at_first() -> None:
    """Source: the same distribution, with everybody moving every month."""
    moves = {f"{one} -> {other}": {"rate_per_month": 30} for one, other in ("ab", "ba")}
    cohort = cohort_of(
        pathway={"states": ["a", "b"], "start": {"young": {"a": 1}, "older": {"b": 1}}, "moves": moves},
        population={"waves": {"all": {"size": 40, "enrolment_months": 1}}},
        outcomes={"in_b": {"kind": "amount", "per_day": {"b": 1}}},
        windows=(100,),
        horizon=100,
    )
    expected = simulate_cohort(cohort, draws_of(cohort, NUMBERS))
    np.testing.assert_array_equal(expected.person_months[:, 0, TWIN, :, 0], np.full((11, 2), 2000.0))
    with sizes(100, 1):
        got = simulate_cohort(cohort, draws_of(cohort, NUMBERS))
    require_same_bits(got, expected, slice(None))


# ------------------------------------------------ whatever is added ------------------------------------------------


def same_but(got: Tallies, expected: Tallies, arms: tuple[int, ...] = (SERVICE, TWIN, BASELINE), waves: Any = slice(None)) -> None:
    """Compare the outcomes that both have, wherever they stand, and the months in states."""
    here = [got.outcomes.index(name) for name in expected.outcomes]
    for name in ADDED_UP:
        one, other = getattr(got, name), getattr(expected, name)
        one = one[:, :, :, : len(expected.states)] if name == "person_months" else one[:, :, :, here]
        for arm in arms:
            np.testing.assert_array_equal(one[:, waves, arm], other[:, waves, arm], err_msg=f"{name}, arm {arm}")


ADDED: dict[str, dict[str, Any]] = {
    "an outcome of every kind": {
        "outcomes": {
            "a": {"kind": "amount", "per_day": {"home": 2}, "per_event": {"unseen": 3}, "between_people_sd": 1},
            "b": {"kind": "binary", "at_month": 3, "probability": {"home": 0.1, "placed": 0.2, "secure": 0.3, "foster": 0.4}},
            "c": {"kind": "score", "at_month": 3, "mean": 1, "sd": 1, "correlation": 0},
            "d": {"kind": "count", "events": ["unseen", "sick"]},
            "e": {"kind": "claim", "prices": {"b": 5}},
        }
    },
    "an event": {
        "events": {"new": {"rates": {"home": {"rate_per_month": 2}}, "length": {"kind": "gamma", "mean_days": 9, "sd_days": 9}}},
        "outcomes": {"new": {"kind": "days", "events": "new"}},
    },
    "a frailty on something new": {
        "events": {"new": {"rates": {"home": {"rate_per_month": 2}}}},
        "outcomes": {"new": {"kind": "count", "events": "new"}},
        "population": ALL["population"]
        | {
            "frailties": {"first": {"variance": 1, "on": "new"}} | ALL["population"]["frailties"],
            "sites": {"first": {"count": 5, "sd": 1, "on": "new"}} | ALL["population"]["sites"],
            "volume": {"first": {"planned": 5, "elasticity": 1, "on": "new"}} | ALL["population"]["volume"],
        },
    },
    "a shock on something new": {
        "events": {"new": {"rates": {"home": {"rate_per_month": 2}}}},
        "outcomes": {"new": {"kind": "count", "events": "new"}},
        "shocks": {"new": {"on": "new", "sd_per_year": 1}},
    },
    "an effect on something new": {
        "events": {"new": {"rates": {"home": {"rate_per_month": 2}}}},
        "outcomes": {"new": {"kind": "count", "events": "new"}},
        "effect": {"a_new": {"event": "new", "hazard_ratio": 0.2}},
    },
}


@pytest.mark.parametrize("name", ADDED)
def test_addition__leaves_every_other_draw_untouched(name: str) -> None:
    """Source: a distribution: every stream is named after what it decides."""
    got = tallies_of(cohort_of(**changed(**ADDED[name])), 5)
    same_but(got, tallies_of(STUDY, 5))
    assert (got.sums[:, :, :, -1] != 0).any()


def test_added_wave__leaves_the_others_untouched() -> None:
    """Source: a distribution: the streams of a wave are named after it."""
    study = without_selection()
    expected = tallies_of(cohort_of(**study), 5)
    study["population"]["waves"] |= {"third": {"size": 9, "enrolment_months": 3}}
    got = tallies_of(cohort_of(**study), 5)
    for name in ADDED_UP:
        np.testing.assert_array_equal(getattr(got, name)[:, :2], getattr(expected, name), err_msg=name)
    assert (got.person_months[:, 2, TWIN] != got.person_months[:, 0, TWIN]).any()


def test_people__who_join_are_strangers() -> None:
    """Source: a distribution: a person's address is the person's number, so more people add months and take none away."""
    study = without_selection()
    study["population"].pop("volume")
    study["population"]["waves"] = {"all": {"size": 5, "enrolment_months": 3}}
    few = tallies_of(cohort_of(**study), 5)
    study["population"]["waves"] = {"all": {"size": 6, "enrolment_months": 3}}
    added = tallies_of(cohort_of(**study), 5).person_months - few.person_months
    assert (added >= 0).all()
    np.testing.assert_array_equal(added[:, 0, SERVICE].sum(axis=1), np.tile(few.windows, (5, 1)).astype(float))


@pytest.mark.parametrize("section", ["events", "shocks", "effect", "outcomes"])
def test_order_of_a_section__decides_nothing(section: str) -> None:
    """Source: a distribution: no stream is named after a place in the file. Factors are multiplied in order, which rounds."""
    study = copy.deepcopy(ALL)
    study[section] = dict(reversed(study[section].items()))
    got, expected = tallies_of(cohort_of(**study), 5), tallies_of(STUDY, 5)
    np.testing.assert_array_equal(got.person_months, expected.person_months)
    here = [got.outcomes.index(name) for name in expected.outcomes]
    for name in ("sums", "squares", "by_year"):
        np.testing.assert_allclose(getattr(got, name)[:, :, :, here], getattr(expected, name), rtol=1e-9, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("section", ["frailties", "sites", "volume", "strata"])
def test_order_of_the_population__decides_nothing_but_that_of_the_strata(section: str) -> None:
    """Source: a distribution, with one exception: a uniform is divided among the strata in their order."""
    study = without_selection()
    study["population"] = study["population"] | {section: dict(reversed(study["population"][section].items()))}
    got, expected = tallies_of(cohort_of(**study), 5), tallies_of(cohort_of(**without_selection()), 5)
    assert (got.person_months != expected.person_months).any() == (section == "strata")


def test_names_of_strata__decide_nothing() -> None:
    """Source: a distribution: strata are told apart by their place alone."""

    def renamed(node: Any) -> Any:
        words = {"young": "zebra", "older": "ant"}
        if isinstance(node, dict):
            return {words.get(key, key): renamed(value) for key, value in node.items()}
        return [renamed(one) for one in node] if isinstance(node, list) else words.get(node, node)

    moves = {"placed -> home": {"by_stratum": {"young": {"per_month": 0.3}, "older": {"per_month": 0.1}}}}
    study = {
        "pathway": {"moves": moves},
        "effect": {"e": {"move": "placed -> home", "hazard_ratio": 2, "strata": ["older"]}},
        "population": {
            "waves": {"all": {"size": 30, "enrolment_months": 1}},
            "strata": {"young": {"share": 0.4}, "older": {"share": "rest"}},
        },
    }
    start = {"young": {"placed": 1}, "older": {"placed": 0.5, "home": 0.5}}
    study["pathway"] = {"states": ["home", "placed"], "start": start, "moves": moves}
    outcomes = {"cost": {"kind": "amount", "per_day": {"placed": 3}}}
    require_same(
        tallies_of(cohort_of(**renamed(study), outcomes=outcomes), 5), tallies_of(cohort_of(**study, outcomes=outcomes), 5)
    )


# ------------------------------------------------ whoever is served ------------------------------------------------

NEUTRAL = {"hazard_ratio": 1, "relative_risk": 1, "odds_ratio": 1, "difference": 0, "length_ratio": 1}


def neutral(study: dict[str, Any]) -> Cohort:
    """Return the study with effects that change nothing."""
    effects = {
        name: {key: NEUTRAL.get(key, value) for key, value in effect.items()}
        for name, effect in copy.deepcopy(study["effect"]).items()
    }
    return cohort_of(**(study | {"effect": effects}))


def require_arms_equal(tallies: Tallies) -> None:
    for name in ARRAYS:
        values = getattr(tallies, name)
        np.testing.assert_allclose(values[:, :, SERVICE], values[:, :, TWIN], rtol=1e-12, atol=1e-12, err_msg=name)
    np.testing.assert_array_equal(tallies.person_months[:, :, SERVICE], tallies.person_months[:, :, TWIN])


@pytest.mark.parametrize("name", list(ALL["effect"]))
def test_twin__equals_the_service_arm_under_an_effect_that_changes_nothing(name: str) -> None:
    """Source: a distribution: same people, same luck. Probabilities are turned into hazards and back, which rounds."""
    require_arms_equal(tallies_of(neutral(ALL | {"effect": {name: ALL["effect"][name]}}), 5))


def test_twin__equals_the_service_arm_under_all_of_them() -> None:
    """Source: the same distribution."""
    require_arms_equal(tallies_of(neutral(ALL), 10))


def test_twin__equals_the_service_arm_where_nobody_takes_part() -> None:
    """Source: the same distribution, for effects that reach the treated."""
    study = copy.deepcopy(ALL)
    study["population"]["engagement"]["share"] = 0
    study["effect"] = {name: effect for name, effect in study["effect"].items() if effect.get("reaches") != "referred"}
    tallies = tallies_of(cohort_of(**study), 5)
    require_arms_equal(tallies)
    assert (tallies_of(STUDY, 5).sums[:, :, SERVICE] != tallies.sums[:, :, TWIN]).any()


def test_arms__are_the_same_people_before_entry() -> None:
    """Source: a distribution: no effect acts before entry."""
    tallies = tallies_of(cohort_of(**without_selection()), 20)
    for name in ("sums_before", "squares_before"):
        values = getattr(tallies, name)
        assert values[:, :, SERVICE].any()
        np.testing.assert_allclose(values[:, :, SERVICE], values[:, :, TWIN], rtol=1e-12, err_msg=name)


def test_effect__changes_neither_the_twin_nor_the_earlier_people() -> None:
    """Source: a distribution: without the service there is no effect, whatever it is."""
    got, expected = tallies_of(cohort_of(**changed(effect={}) | {"effect": {}}), 5), tallies_of(STUDY, 5)
    require_same(got, expected, (TWIN, BASELINE))


# ------------------------------------------------ more of it, less of it ------------------------------------------------


@settings(max_examples=sized(8, 20))
@given(ratios=st.tuples(st.floats(0, 3), st.floats(0, 3)), variance=st.sampled_from([0, 1.5]), ramp=st.sampled_from([0, 4]))
def test_higher_hazard__sends_nobody_later(ratios: tuple[float, float], variance: float, ramp: float) -> None:
    """Source: a distribution: with no way back, whoever leaves under a hazard has left under a higher one, person by person."""
    low, high = sorted(ratios)
    cost = []
    for ratio in (low, high):
        cohort = cohort_of(
            pathway={
                "states": ["a", "b"],
                "start": {"young": {"a": 1}, "older": {"a": 1}},
                "moves": {"a -> b": {"per_month": 0.1}},
            },
            population={"frailties": {"f": {"variance": variance, "on": "a -> b"}}},
            effect={"e": {"move": "a -> b", "hazard_ratio": ratio, "ramp_months": ramp}},
            outcomes={"months": {"kind": "amount", "per_day": {"a": 1}}, "b": {"kind": "reached", "states": "b"}},
        )
        cost.append(tallies_of(cohort, 20).sums[:, 0, SERVICE])
    assert (cost[0][:, 0] >= cost[1][:, 0]).all()
    assert (cost[0][:, 1] <= cost[1][:, 1]).all()


@settings(max_examples=sized(8, 20))
@given(ratios=st.tuples(st.floats(0, 3), st.floats(0, 3)), form=st.sampled_from(["hazard_ratio", "odds_ratio", "relative_risk"]))
def test_higher_ratio__makes_nobody_answer_no(ratios: tuple[float, float], form: str) -> None:
    """Source: a distribution: the same uniform against a higher probability."""
    answers = []
    for ratio in sorted(ratios):
        outcomes = {"yes": {"kind": "binary", "at_month": 6, "probability": {"home": 0.6, "placed": 0.3, "secure": 0.5}}}
        answers.append(
            tallies_of(cohort_of(outcomes=outcomes, effect={"e": {"outcome": "yes", form: ratio}}), 20).sums[:, 0, SERVICE]
        )
    assert (answers[0] <= answers[1]).all()


@settings(max_examples=sized(8, 20))
@given(ratios=st.tuples(st.floats(0, 3), st.floats(0, 3)))
def test_higher_rate__delays_no_event(ratios: tuple[float, float]) -> None:
    """Source: a distribution: without spells the n-th event of a person comes no later under a higher rate."""
    counts = []
    for ratio in sorted(ratios):
        cohort = cohort_of(
            events={"e": {"rates": {state: {"rate_per_month": 0.5} for state in ("home", "placed")}}},
            effect={"e": {"event": "e", "hazard_ratio": ratio}},
            outcomes={"n": {"kind": "count", "events": "e"}},
        )
        counts.append(tallies_of(cohort, 20).sums[:, 0, SERVICE])
    assert (counts[0] <= counts[1]).all()


@settings(max_examples=sized(5, 10))
@given(ratios=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_longer_spells__hold_no_fewer_days_and_no_more_spells(ratios: tuple[float, float]) -> None:
    """Source: a distribution for the first spell of each person; here no second one begins."""
    days = []
    for ratio in sorted(ratios):
        cohort = cohort_of(
            events={
                "e": {
                    "rates": {state: {"rate_per_month": 0.01} for state in ("home", "placed", "secure")},
                    "length": {"kind": "lognormal", "mean_days": 90, "sd_days": 90},
                }
            },
            effect={"e": {"event": "e", "length_ratio": ratio}},
            outcomes={"days": {"kind": "days", "events": "e"}},
        )
        days.append(tallies_of(cohort, 40).sums[:, 0, SERVICE])
    assert (days[0] <= days[1] + 1e-9).all()


# ------------------------------------------------ arithmetic ------------------------------------------------


def test_tallies__add_up() -> None:
    """Source: arithmetic: everybody is in one state in each month; a claim has one combination; yes or no squares to itself."""
    followed = [WHOLE.windows.index(window) for window in (3, 6, 12)]
    months = WHOLE.person_months.sum(axis=3)[..., followed]
    np.testing.assert_array_equal(months, WHOLE.n_people[..., None] * np.array([3, 6, 12]))
    for combinations in WHOLE.combinations.values():
        people_seen = combinations.sum(axis=-1)[..., followed]
        np.testing.assert_array_equal(people_seen, np.repeat(WHOLE.n_people[..., None], 3, axis=-1))
    for name in ("works", "lives_well", "out", "few", "well", "dear"):
        o = WHOLE.outcomes.index(name)
        np.testing.assert_array_equal(WHOLE.sums[:, :, :, o], WHOLE.squares[:, :, :, o])
    # Before entry everybody had what the selection asks for.
    chosen = WHOLE.sums_before[:, :, :, WHOLE.outcomes.index("reconvictions")]
    assert (chosen >= WHOLE.n_people).all()
    assert (chosen <= 4 * WHOLE.n_people).all()


def test_years__and_windows_agree_where_nothing_is_discounted() -> None:
    """Source: arithmetic: people who enter in month 0 and are followed to the horizon have the same total by either."""
    study = without_selection()
    study["population"]["waves"] = {"all": {"size": 9, "enrolment_months": 1}}
    study["windows"], study["horizon"] = (26,), 26
    study["outcomes"]["cost"].pop("discount_rate_per_year")
    tallies = tallies_of(cohort_of(**study), 5)
    for name in ("cost", "reconvictions", "all_events", "sick_days", "late_days"):
        o = tallies.outcomes.index(name)
        np.testing.assert_allclose(tallies.by_year[:, :, :, o].sum(axis=-1), tallies.sums[:, :, :, o, 0], rtol=1e-10)
    for name in ("works", "wellbeing", "out", "few", "card"):
        assert not tallies.by_year[:, :, :, tallies.outcomes.index(name)].any()


# ------------------------------------------------ what once went wrong ------------------------------------------------


@pytest.mark.parametrize(
    "outcomes",
    [
        {"cost": {"kind": "amount", "per_day": {"placed": 3}, "between_people_sd": 0.7}},
        {
            "n": {"kind": "count", "events": "e"},
            "cost": {"kind": "amount", "per_event": {"e": 3}, "between_people_half_width": 0.7},
        },
    ],
    ids=["one outcome", "an event"],
)
def test_person__who_is_alone_in_a_batch_differs_from_others_too(outcomes: dict[str, Any]) -> None:
    """Source: the distribution that a replication alone equals itself in the batch, for one person and one outcome that differs."""
    cohort = cohort_of(
        population={"waves": {"all": {"size": 1, "enrolment_months": 1}}},
        events={"e": {"rates": {"placed": {"rate_per_month": 2}}}},
        outcomes=outcomes,
    )
    whole = simulate_cohort(cohort, draws_of(cohort, NUMBERS))
    require_same_bits(simulate_cohort(cohort, draws_of(cohort, [2])), whole, [2])


def test_clipped__does_not_depend_on_the_prices_of_other_draws() -> None:
    """Source: the same distribution, for an event that is worth nothing in some replications."""
    cohort = cohort_of(
        events={"e": {"rates": {"placed": {"rate_per_month": 0.2}}}},
        effect={"fewer": {"event": "e", "difference": -1}},
        outcomes={"cost": {"kind": "amount", "per_event": {"e": {"distribution": "empirical", "values": [0, 5]}}}},
    )
    draws = draws_of(cohort, np.arange(40))
    whole = simulate_cohort(cohort, draws)
    free = int(np.flatnonzero(draws["outcomes.cost.per_event.e"] == 0)[0])
    assert whole.clipped[free] > 0
    require_same_bits(simulate_cohort(cohort, draws_of(cohort, [free])), whole, [free])
