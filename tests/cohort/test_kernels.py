"""The compiled loops one by one: against slow twins, against arithmetic by hand, and against themselves without compilation."""

from __future__ import annotations

import os
import subprocess
import sys
from math import exp, inf, log, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import simengine
from simengine.accelerate import kernel
from simengine.cohort import choose
from simengine.cohort import people as people_of_batches
from simengine.cohort.kernels.arrays import DIFFERENCE, HAZARD_RATIO, ODDS_RATIO, RELATIVE_RISK, Effects
from simengine.cohort.kernels.between import _EDGES, between_people, gamma_draw, normal_draw
from simengine.cohort.kernels.effects import change_at, change_leaving, changed_probability, effect_strength
from simengine.cohort.kernels.hazards import leaving_over, threshold_of
from simengine.cohort.kernels.leave import STAYS, pick_by_table, pick_move
from simengine.cohort.outcomes.tables import outcome_windows_of
from simengine.cohort.people import Group, cumulative, entrance_of
from simengine.errors import StudyError
from simengine.records import SERVICE, TWIN
from simengine.streams import philox, purpose_number
from tests.reference import people as reference
from tests.reference import streams
from tests.reference.everything import ALL
from tests.reference.life import choose_move
from tests.reference.people import ziggurat
from tests.reference.replication import ReplicationNumbers
from tests.reference.studies import SEED, cohort_of, draws_of, require_equal_to_twin, tallies_of

NEVER = np.inf
FORMS = {"hazard_ratio": HAZARD_RATIO, "relative_risk": RELATIVE_RISK, "odds_ratio": ODDS_RATIO, "difference": DIFFERENCE}

# ------------------------------------------------ with and without compilation ------------------------------------------------

SCRIPT = """
import sys; import numpy as np
from simengine.accelerate import IS_COMPILED
from tests.reference.everything import ALL, ALL_ABREAST
from tests.reference.studies import ADDED_UP, WHOLE, cohort_of, require_equal_to_twin
assert IS_COMPILED is (sys.argv[3] == "0")
got = require_equal_to_twin(cohort_of(**{"everything": ALL, "abreast": ALL_ABREAST}[sys.argv[2]]), 2)
arrays = {name: getattr(got, name) for name in (*ADDED_UP, *WHOLE)}
np.savez(sys.argv[1], **arrays, **got.combinations)
"""


@pytest.mark.parametrize("study", ["everything", "abreast"])
def test_engine__compiled_and_interpreted_fill_the_same_numbers(study: str, tmp_path: Path) -> None:
    """Source: the same code in a process where compilation is turned the other way; and the slow twin, in both.

    What is counted is equal; the compiler's logarithms and Python's may differ in the last bit.
    """
    roots = os.pathsep.join([str(Path(simengine.__file__).parents[1]), str(Path(__file__).parents[2])])
    filled = []
    for value in ("0", "1"):
        path = tmp_path / f"{value}.npz"
        environment = os.environ | {"NUMBA_DISABLE_JIT": value, "PYTHONPATH": roots}
        subprocess.run([sys.executable, "-c", SCRIPT, str(path), study, value], check=True, env=environment)
        filled.append(np.load(path))
    assert len(filled[0].files) >= 10
    for name in filled[0].files:
        np.testing.assert_allclose(filled[0][name], filled[1][name], rtol=1e-10, atol=1e-10, err_msg=name)
    counted = {"everything": ("person_months", "clipped", "card", "open_card"), "abreast": ("person_months", "card")}[study]
    for name in counted:
        assert filled[0][name].any()
        np.testing.assert_array_equal(filled[0][name], filled[1][name], err_msg=name)


# ------------------------------------------------ draws between people ------------------------------------------------


def luck(number: int, attempt: int = 0) -> reference.Luck:
    """Return the luck of somebody in the group `g`."""
    return reference.Luck(ReplicationNumbers(None, SEED, 3, {}), "g", number, attempt)


def own_words(number: int, attempt: int = 0) -> tuple[np.uint64, ...]:
    """Return the words from which their draws for the decision `d` begin."""
    return philox(*(np.uint64(one) for one in (SEED, attempt * 2**16, number, 3, purpose_number("people/g/d"))))


@pytest.mark.parametrize("shape", [0.01, 0.2, 0.999, 1.0, 1.5, 12.0, 1000.0])
def test_gamma_draw__equals_its_slow_twin(shape: float) -> None:
    """Source: the slow twin, written from the paper; draws that follow each other begin where the last one ended."""
    for number in range(100):
        own, row = own_words(number, number % 3), luck(number, number % 3).row("d")
        for _ in range(3):
            got, own = gamma_draw(own, shape)
            assert got == pytest.approx(row.gamma(shape), rel=1e-9, abs=1e-300)


def test_normal_draw__equals_its_slow_twin() -> None:
    """Source: the slow twin, in which the tail begins where its own layers close."""
    assert ziggurat() == pytest.approx(list(_EDGES), rel=1e-11)
    own, row = own_words(7), luck(7).row("d")
    drawn = []
    for _ in range(20_000):
        got, own = normal_draw(own)
        drawn.append(got)
        assert got == pytest.approx(row.normal(), rel=1e-11)
    assert max(abs(one) for one in drawn) > _EDGES[1]  # one at least was drawn in the tail


@pytest.mark.statistical
def test_normal_draw__is_normal_in_its_layers_their_edges_and_its_tail() -> None:
    """Source: the normal distribution, in bins much narrower than a layer and in the tail."""
    n = 2_000_000
    drawn = np.sort(fill_normals(n))
    edges = np.concatenate([[-np.inf], np.linspace(-4, 4, 801), [np.inf]])
    found, expected = np.histogram(drawn, edges)[0], n * np.diff(stats.norm.cdf(edges))
    z = (((found - expected) ** 2 / expected).sum() - 801) / sqrt(2 * 801)
    assert abs(z) < 4.5
    beyond = stats.norm.isf(1e-4)
    for tail in (drawn[drawn > beyond], -drawn[drawn < -beyond]):
        assert abs(len(tail) - n * 1e-4) < 4.5 * sqrt(n * 1e-4)
        assert stats.kstest(stats.norm.sf(tail) / 1e-4, "uniform").pvalue > 1e-5


@kernel
def _fill_normals(own: tuple, out: np.ndarray) -> None:
    for x in range(len(out)):
        out[x], own = normal_draw(own)


def fill_normals(n: int) -> np.ndarray:
    """Return many normals that follow each other."""
    out = np.empty(n)
    _fill_normals(own_words(11), out)
    return out


@pytest.mark.parametrize("shape", [np.nan, np.inf])
def test_gamma_draw__of_a_shape_that_is_no_number_ends(shape: float) -> None:
    """Source: by hand: nothing can be accepted, and nothing waits for it for ever."""
    assert not np.isfinite(gamma_draw(own_words(0), shape)[0])


@pytest.mark.parametrize("kind", range(5))
def test_between_people__of_a_fixed_parameter_draws_nothing_but_its_distribution(kind: int) -> None:
    """Source: a distribution: a number at an address does not depend on when it is drawn."""
    first = [between_people(own_words(number), kind, 2.0, 3.0)[0] for number in range(20)]
    again = [between_people(own_words(number), kind, 2.0, 3.0)[0] for number in reversed(range(20))]
    assert first == again[::-1]
    assert all(one > 0 for one in first)


# ------------------------------------------------ who enters ------------------------------------------------


@pytest.mark.parametrize("attempt", [0, 1, 255, 65_535])
def test_enter__draws_each_candidate_at_an_address_of_its_own(attempt: int) -> None:
    """Source: the slow twin; the number of a candidate is the high half of the address."""
    cohort = cohort_of(**ALL)
    draws = draws_of(cohort, [5])
    entrance = entrance_of(cohort.population, cohort.pathway, cohort.clock, draws)
    group = Group("first", np.array([4]), 2, np.array([6]))
    n = np.arange(4)
    got = entrance.take_part(group, entrance.enter(group, np.zeros(4, np.int32), n.astype(np.uint32), np.full(4, attempt)))
    values = {path: float(column[0]) for path, column in draws.values.items()}
    replication = ReplicationNumbers(cohort, SEED, 5, values)
    strata, states = list(cohort.population.strata), list(cohort.pathway.states)
    for number in range(4):
        slow = reference.enter(replication, reference.Group("first", 4, 2, 6, has_volume=True), number, attempt)
        assert (strata[got.stratum[number]], states[got.state[number]]) == (slow.stratum, slow.state)
        assert (got.end[number], got.calendar[number]) == (slow.end, slow.entry)
        np.testing.assert_allclose(got.factor[:, number], [value for _, value in slow.factors], rtol=1e-9)
        treated = reference.take_part(slow)
        assert (got.course[0, number] == 0) == (treated.dose is None)
        if treated.dose is not None:
            assert got.course[:, number].tolist() == [1 + ["half", "twice"].index(treated.dose) + step for step in (0, 2)]
            assert got.switch[number] == treated.leaves or treated.leaves > slow.end
    seen = streams.uniform_pair(SEED, attempt * 65_536, 0, 5, purpose_number("people/first/entry"))
    assert 0 < seen[0] < 1


def test_selection__that_nobody_fits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Source: the message's contract: the run stops, and says for which place nobody was found."""
    monkeypatch.setattr(choose, "_CANDIDATES", 100)
    impossible = {"history_months": 2, "selection": {"outcome": "cost", "at_least": 1e6}}
    with pytest.raises(StudyError, match=r"none for place 0 of replication 0") as refusal:
        tallies_of(cohort_of(population=impossible), 3)
    assert "population.selection" in str(refusal.value)


@pytest.mark.parametrize(("room", "name", "size"), [(people_of_batches, "BATCH", 1 << 10), (choose, "_FIRST_CANDIDATES", 1)])
def test_selection__chooses_the_same_whatever_the_batch(monkeypatch: pytest.MonkeyPatch, room: Any, name: str, size: int) -> None:
    """Source: a distribution: the first candidate who fits is taken, however many are looked at together, and first."""
    cohort = cohort_of(**ALL)
    expected = tallies_of(cohort, 4)
    monkeypatch.setattr(room, name, size)
    np.testing.assert_array_equal(tallies_of(cohort, 4).person_months, expected.person_months)


def test_cumulative__rises_to_1_and_gives_nothing_to_those_without_a_share() -> None:
    """Source: by hand."""
    rising = cumulative([np.array([0.25, 0.0]), np.array([0.0, 1.0]), np.array([0.75, 0.0])])
    np.testing.assert_array_equal(rising, [[0.25, 0.25, 1.0], [0.0, 1.0, 1.0]])


# ------------------------------------------------ effects ------------------------------------------------


@pytest.mark.parametrize(
    ("month", "ramp", "fades_after", "half_life", "expected"),
    [
        (-1, 0.0, NEVER, NEVER, 0.0),
        (0, 0.0, NEVER, NEVER, 1.0),
        (0, 0.5, NEVER, NEVER, 1 - exp(-1)),
        (3, 0.0, 3.5, 2.0, 1.0),
        (4, 0.0, 3.5, 1.0, 0.5),
        (6, 0.0, 3.5, 1.5, 0.25),
        (4, 4.5, 3.5, 1.0, (1 - exp(-1)) / 2),
        (3, 0.0, 3.5, 0.0, 1.0),
        (4, 0.0, 3.5, 0.0, 0.0),
    ],
)
def test_effect_strength__grows_with_the_ramp_and_halves_as_it_fades(
    month: int, ramp: float, fades_after: float, half_life: float, expected: float
) -> None:
    """Source: arithmetic by hand; the middle of month m is m + 1/2."""
    assert effect_strength(month, ramp, fades_after, half_life) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("form", "change", "expected", "clipped"),
    [
        ("hazard_ratio", 0.8, 0.335460, 0),
        ("relative_risk", 0.8, 0.32, 0),
        ("odds_ratio", 0.8, 0.347826, 0),
        ("difference", -0.1, 0.3, 0),
        ("relative_risk", 2.5, 1.0, 0),
        ("relative_risk", 2.6, 1.0, 1),
        ("difference", 0.7, 1.0, 1),
        ("difference", -0.5, 0.0, 1),
        ("odds_ratio", 1e9, 1.0, 0),
    ],
)
def test_changed_probability__of_four_in_ten(form: str, change: float, expected: float, clipped: int) -> None:
    """Source: by hand. Only what leaves the range from 0 to 1 by more than rounding is clipped."""
    got, is_clipped = changed_probability(0.4, FORMS[form], change)
    assert (got, is_clipped) == (pytest.approx(expected, abs=1e-6), clipped)


@pytest.mark.parametrize(
    ("p", "ratio", "expected"),
    [(1, 0, 1), (1, inf, 1), (1, 3, 1), (0, 0, 0), (0, inf, 0), (0, 3, 0), (0.5, 0, 0), (0.5, inf, 1), (0.5, 1e308, 1)],
)
def test_odds_ratio__at_the_edges(p: float, ratio: float, expected: float) -> None:
    """Source: by hand: what is certain or impossible stays so; all else is impossible at ratio 0, and certain at infinity."""
    assert changed_probability(p, ODDS_RATIO, ratio) == (expected, 0)


@pytest.mark.parametrize("strength", [1.0, 3.0])
@pytest.mark.parametrize("form", ["hazard_ratio", "relative_risk", "odds_ratio"])
def test_change__is_a_number_above_0_however_small_or_large_the_ratio(form: str, strength: float) -> None:
    """Source: by hand: its logarithm lies between -690 and 690, so that 0 x change is still 0; 1e300 cubed is no number."""
    table = effects_of([(0, FORMS[form])], 1)._replace(weight=np.full((1, 1, 1), strength), clock=np.array([[[0, NEVER, NEVER]]]))
    for value, expected in ((log(1e-300), -690), (log(1e300), 690), (log(2), strength * log(2))):
        got = change_at(table._replace(value=np.array([[value]])), 0, 0, 0, 5)
        assert log(got) == pytest.approx(expected, rel=1e-12)


def test_way__to_a_yes_has_odds_that_an_effect_can_take_back_however_long_it_is() -> None:
    """Source: by hand: the whole way counts as exp(-690), not as 0, and an effect of 1e300 as exp(690): their product is 1."""
    plain = {"kind": "binary", "at_month": 6, "probability": {"home": 0.5, "placed": 0.4, "secure": 0.6}}
    hopeless = plain | {"odds_ratio_per_month_in": {"home": 0, "placed": 0, "secure": 0}}
    expected = tallies_of(cohort_of(outcomes={"yes": plain}))
    got = tallies_of(cohort_of(outcomes={"yes": hopeless}, effect={"all": {"outcome": "yes", "odds_ratio": 1e300}}))
    assert expected.sums[:, 0, TWIN].any()
    assert not got.sums[:, 0, TWIN].any()
    np.testing.assert_array_equal(got.sums[:, 0, SERVICE], expected.sums[:, 0, TWIN])


@given(form=st.sampled_from(sorted(FORMS)), p=st.floats(0, 1), change=st.floats(0, 10))
def test_changed_probability__equals_its_slow_twin(form: str, p: float, change: float) -> None:
    """Source: the slow twin; what is certain stays certain at any odds ratio."""
    got = changed_probability(p, FORMS[form], change)
    expected = reference.changed_probability(p, form, change)
    assert got[0] == pytest.approx(expected[0], abs=1e-12)
    assert got[1] == expected[1]
    assert 0 <= got[0] <= 1


def effects_of(forms: list[tuple[int, int]], n_moves: int) -> Effects:
    """Return effects of a form on a move each, in one stratum and on one course."""
    places = np.array([move for move, _ in forms], dtype=np.int64)
    n = len(forms)
    return Effects(
        of=np.searchsorted(places, np.arange(n_moves + 1)).astype(np.int64),
        form=np.array([form for _, form in forms], dtype=np.int64),
        value=np.zeros((1, n)),
        clock=np.zeros((1, n, 3)),
        acts=np.ones((n, 1), dtype=np.bool_),
        weight=np.ones((1, 1, n)),
    )


def leave(hazards: list[float], period: float, *effects: tuple[int, int, float]) -> tuple[np.ndarray[Any, Any], int]:
    """Change the hazards of the moves out of one state; each effect is a move, a form and a change."""
    changed = np.array(hazards)
    change = np.array([[[amount] for _, _, amount in effects]])
    table = effects_of([(move, form) for move, form, _ in effects], len(hazards))
    clipped = change_leaving(table, change, 0, 0, 0, 0, len(hazards), period, changed)
    return changed, clipped


@given(
    hazards=st.lists(st.floats(0.001, 2), min_size=1, max_size=4),
    period=st.sampled_from([1.0, 3.0, 12.0]),
    form=st.sampled_from([RELATIVE_RISK, ODDS_RATIO]),
)
def test_change_leaving__by_a_ratio_of_1_changes_nothing(hazards: list[float], period: float, form: int) -> None:
    """Source: a distribution: hazards, turned into probabilities and back, are themselves, unless a period leaves one in 1e12 behind."""
    changed, clipped = leave(hazards, period, (0, form, 1.0))
    if sum(hazards) * period < 20:
        np.testing.assert_allclose(changed, hazards, rtol=1e-6)
    assert clipped == 0


def test_change_leaving__changes_the_probability_over_the_period() -> None:
    """Source: by hand: 0.2 and 0.3 a quarter; the first becomes 0.1, so 0.4 leave, in the shares 1 to 3."""
    leaving = -log(0.5) / 3
    changed, clipped = leave([0.4 * leaving, 0.6 * leaving], 3.0, (0, RELATIVE_RISK, 0.5))
    np.testing.assert_allclose(changed, np.array([0.25, 0.75]) * -log(0.6) / 3, rtol=1e-12)
    assert clipped == 0


def test_change_leaving__counts_each_clip_and_the_whole() -> None:
    """Source: by hand: 0.25 each; one is doubled, one quintupled to certainty (1), and together they exceed 1 (2)."""
    hazard = -log(0.5) / 2
    changed, clipped = leave([hazard, hazard], 1.0, (0, RELATIVE_RISK, 2.0), (1, RELATIVE_RISK, 5.0))
    assert clipped == 2
    # Everybody but one in 1e12 leaves, in proportion 0.5 to 1.
    np.testing.assert_allclose(changed, np.array([1, 2]) / 3 * -log(1e-12), rtol=1e-4)
    assert leave([hazard, hazard], 1.0, (0, RELATIVE_RISK, 2.0), (1, DIFFERENCE, -0.3))[1] == 1


# ------------------------------------------------ leaving ------------------------------------------------


@pytest.mark.parametrize(
    ("probability", "expected"),
    [
        (-1e-9, 0),
        (0.0, 0),
        (0.4 / 2**32, 0),
        (0.6 / 2**32, 1),
        (1000.25 / 2**32, 1000),
        (1000.75 / 2**32, 1001),
        (0.5, 2**31),
        (1.0, 2**32 - 1),
        (1.5, 2**32 - 1),
    ],
)
def test_threshold__counts_the_words_whose_middle_is_below_a_probability(probability: float, expected: int) -> None:
    """Source: by hand: word w stands for (w + 1/2) / 2^32, and the last word never leaves."""
    assert threshold_of(probability) == expected


@given(
    hazards=st.lists(
        st.one_of(st.just(0.0), st.floats(1e-13, 1e-6), st.floats(1e-6, 3), st.floats(3, 1e9)), min_size=1, max_size=7
    ),
    words=st.lists(st.integers(0, 2**32 - 1), min_size=5, max_size=5),
)
def test_move__is_that_of_the_slow_twin_at_every_edge(hazards: list[float], words: list[int]) -> None:
    """Source: the slow twin, for any words and for those beside each threshold: with a table, with a factor on it, and without."""
    running = np.cumsum(hazards)
    thresholds = [threshold_of(float(before) * leaving_over(float(running[-1]))) for before in running]
    edges = [edge for one in thresholds for edge in (one - 1, one, one + 1) if 0 <= edge < 2**32]
    table = np.array(thresholds, np.uint32).reshape(1, -1, 1)
    for word in (*words, *edges, 0, 2**32 - 1):
        expected = twin_move(hazards, word)
        assert pick_move(word, np.array(hazards), 0, len(hazards)) == expected
        assert pick_by_table(word, table, running.reshape(1, -1, 1), 0, 0, 1.0) == expected
        assert pick_by_table(word, table, running.reshape(1, -1, 1) / 4, 0, 0, 4.0) == expected


def twin_move(hazards: list[float], word: int) -> int:
    place = choose_move(hazards, word)
    return STAYS if place is None else place


# ------------------------------------------------ clock and windows ------------------------------------------------


def test_windows__after_entry_come_first_and_that_before_it_last() -> None:
    """Source: by hand, for a history of 5 months and for none."""
    clock = cohort_of(population={"history_months": 5}).clock
    windows = outcome_windows_of(clock, (3, 12))
    assert (windows.begin.tolist(), windows.stop.tolist()) == ([5, 5, 0], [8, 17, 5])
    windows = outcome_windows_of(cohort_of().clock, (3, 12))
    assert (windows.begin.tolist(), windows.stop.tolist()) == ([0, 0], [3, 12])


def certain(**sections: Any) -> dict[str, Any]:
    """Return everybody the same life: a month in `a`, a month in `b`, then `c` for good."""
    states = {"states": ["a", "b", "c"], "start": {"young": {"a": 1}, "older": {"a": 1}}}
    moves = {"a -> b": {"per_month": 1}, "b -> c": {"per_month": 1}}
    return {"pathway": states | {"moves": moves}, "windows": (1, 2, 5)} | sections


def test_life__of_certain_moves_is_lived_month_by_month() -> None:
    """Source: the rule: the first month is spent in the state of entry; a move happens at the end of a month."""
    cohort = cohort_of(
        **certain(
            outcomes={
                "b": {"kind": "reached", "states": "b"},
                "c": {"kind": "reached", "states": "c"},
                "c_for_3": {"kind": "reached", "states": "c", "stay_months": 3},
                "b_or_c_for_4": {"kind": "reached", "states": ["b", "c"], "stay_months": 4},
                "in_b": {"kind": "binary", "at_month": 1, "probability": {"a": 0, "b": 1, "c": 0}},
                "in_c": {"kind": "binary", "at_month": 2, "probability": {"a": 0, "b": 0, "c": 1}},
            }
        )
    )
    tallies = require_equal_to_twin(cohort, 2)
    np.testing.assert_array_equal(tallies.person_months[0, 0, 1] / 6, [[1, 1, 1], [0, 1, 1], [0, 0, 3]])
    expected = [[1, 1, 1], [0, 1, 1], [0, 0, 1], [0, 0, 1], [1, 1, 1], [0, 1, 1]]
    np.testing.assert_array_equal(tallies.sums[0, 0, 1] / 6, expected)


BEYOND = {"from_months": [0], "factor": [1e300]}


@pytest.mark.parametrize(
    "more",
    [
        {"pace": {"by_months_since_entry": BEYOND}},
        {"pace": {"by_months_in_state": BEYOND}},
        {
            "pace": {"by_months_since_entry": BEYOND},
            "population": {"frailties": {"f": {"variance": 1, "on": ["a -> b", "a -> c"]}}},
        },
        {"pace": {"by_months_since_entry": BEYOND}, "effect": {"e": {"move": "a -> c", "relative_risk": 0.5}}},
    ],
)
def test_move__whose_hazard_is_larger_than_any_number_is_certain(more: dict[str, Any]) -> None:
    """Source: by hand: a hazard of 1e300 times 1e300 leaves nobody behind, and nobody for another move."""
    more = dict(more)
    moves = {"a -> b": {"rate_per_month": 1e300} | more.pop("pace"), "a -> c": {"rate_per_month": 0.1}}
    cohort = cohort_of(
        **certain(pathway=certain()["pathway"] | {"moves": moves}, outcomes={"b": {"kind": "reached", "states": "b"}}, **more)
    )
    tallies = require_equal_to_twin(cohort, 2)
    np.testing.assert_array_equal(tallies.person_months[0, 0, 1] / 6, [[1, 1, 1], [0, 1, 4], [0, 0, 0]])


def test_history__is_lived_before_entry() -> None:
    """Source: by hand: with one month of history everybody enters in `b`; with two in `c`."""
    for history, at_entry in ((1, [0, 1, 4]), (2, [0, 0, 5])):
        outcomes = {"b": {"kind": "reached", "states": "b"}}
        cohort = cohort_of(**certain(population={"history_months": history}, outcomes=outcomes))
        np.testing.assert_array_equal(require_equal_to_twin(cohort, 2).person_months[0, 0, 1, :, 2] / 6, at_entry)


def test_time_in_the_state__begins_with_the_history() -> None:
    """Source: by hand: who may leave `a` only in the fourth month there leaves at entry plus one with three months of history."""
    moves = {"a -> b": {"per_month": 0, "by_months_in_state": {"from_months": [3], "per_month": [1]}}}
    states = {"states": ["a", "b"], "start": {"young": {"a": 1}, "older": {"a": 1}}, "moves": moves}
    cohort = cohort_of(
        population={"history_months": 3}, pathway=states, outcomes={"b": {"kind": "reached", "states": "b"}}, windows=(1, 6)
    )
    tallies = require_equal_to_twin(cohort, 2)
    np.testing.assert_array_equal(tallies.person_months[0, 0, 1] / 6, [[1, 1], [0, 5]])


def test_event__that_never_ends_is_refused() -> None:
    """Source: the message's contract: nobody may meet event number 65,535."""
    events = {"e": {"rates": {state: {"rate_per_day": 400} for state in ("home", "placed", "secure")}}}
    with pytest.raises(StudyError, match="65,534 times at most"):
        tallies_of(cohort_of(events=events, outcomes={"n": {"kind": "count", "events": "e"}}), 1)


def test_days__of_spells_too_short_to_count_are_none() -> None:
    """Source: by hand: a spell of 5 days has no eighth day, and a spell of 9 days has two from the eighth on."""
    home = {"states": ["home"], "start": {"young": {"home": 1}, "older": {"home": 1}}, "moves": {}}
    for length, days in ((5, 0), (9, 2)):
        cohort = cohort_of(
            pathway=home,
            events={"e": {"rates": {"home": {"rate_per_month": 1}}, "length": {"kind": "fixed", "mean_days": length}}},
            outcomes={
                "late": {"kind": "days", "events": "e", "from_day": 8},
                "n": {"kind": "count", "events": "e"},
            },
            windows=(12,),
            horizon=12,
        )
        tallies = require_equal_to_twin(cohort, 3)
        late, number = tallies.sums[:, 0, 1, :, 0].sum(axis=0)
        # The last spell of a person may go on beyond the window.
        assert days * number - 2 * 18 <= late <= days * number + 1e-9
