"""The people of a study: the service changes nothing but what it changes, nothing added moves another draw, nobody is lost."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from simengine.config import Study
from simengine.config.load import find_study, load_study
from simengine.pipeline import run_block, simulate
from simengine.records import BASELINE, SERVICE, TWIN, ReplicationResults, Tallies
from simengine.replications.blocks import run_study

SEED = 20_160_801
REPLICATIONS = np.arange(25)
ADDED_UP = ("sums", "squares", "person_months", "by_year")

NO_EFFECT = ("effect.sooner_home.hazard_ratio=1.0", "effect.school_support.odds_ratio=1.0")
FADING = "effect.sooner_home={move: placed -> home, hazard_ratio: 1.0, ramp_months: 2, fades_after_months: 4, half_life_months: 3}"


def tiny(*overrides: str) -> Study:
    return load_study(find_study("tiny"), overrides)


def tallies_of(*overrides: str) -> Tallies:
    return simulate(tiny(*overrides), SEED, REPLICATIONS).tallies


def require_same(got: Tallies, expected: Tallies, arms: tuple[int, ...], names: tuple[str, ...] = ADDED_UP) -> None:
    """Compare the first wave, bit for bit; and refuse to compare nothing with nothing."""
    for name in names:
        for arm in arms:
            one, other = getattr(got, name)[:, 0, arm], getattr(expected, name)[:, 0, arm]
            assert other.any()
            np.testing.assert_array_equal(one, other, err_msg=f"{name}, arm {arm}")


# ------------------------------------------------ same people, same luck ------------------------------------------------


@pytest.mark.parametrize("overrides", [NO_EFFECT, (*NO_EFFECT, FADING)], ids=["ramp", "ramp and fade"])
def test_twin__equals_the_service_arm_when_every_ratio_is_1(overrides: tuple[str, ...]) -> None:
    """Source: a distribution: same people, same luck, no effect."""
    tallies = tallies_of(*overrides)
    for name in ADDED_UP:
        values = getattr(tallies, name)
        assert values[:, :, SERVICE].any()
        np.testing.assert_array_equal(values[:, :, SERVICE], values[:, :, TWIN], err_msg=name)


def test_twin__differs_from_the_service_arm_when_a_ratio_is_not_1() -> None:
    """Source: the test above read backwards: it would be empty if the arms could not differ."""
    tallies = tallies_of("effect.sooner_home.hazard_ratio=1.5")
    assert (tallies.person_months[:, :, SERVICE] != tallies.person_months[:, :, TWIN]).any()
    assert (tallies.sums[:, :, SERVICE, 1] != tallies.sums[:, :, TWIN, 1]).any()


def test_service__sends_nobody_home_later_when_it_only_speeds_the_way_home() -> None:
    """Source: a distribution, monotone under common luck: with no way back, a higher hazard of going home helps or changes nothing."""
    tallies = tallies_of("effect.sooner_home.hazard_ratio=1.5", "pathway.moves.home -> placed.per_month=0")
    home = tallies.person_months[:, :, :, tallies.states.index("home")]
    assert (home[:, :, SERVICE] >= home[:, :, TWIN]).all()
    assert (home[:, :, SERVICE] > home[:, :, TWIN]).any()


def test_baseline__is_made_of_other_people() -> None:
    """Source: counting. Groups of equal size and distribution agree in all 25 replications only if they share their luck."""
    tallies = tallies_of(*NO_EFFECT)
    assert (tallies.person_months[:, 0, BASELINE] != tallies.person_months[:, 0, TWIN]).any()


def test_replications__have_luck_of_their_own() -> None:
    """Source: counting: with 12 people and two states, 25 replications cannot all agree."""
    placed = tallies_of().person_months[:, 0, :, 1, -1]
    assert all(len(set(placed[:, arm])) > 5 for arm in (SERVICE, TWIN, BASELINE))


# ------------------------------------------------ nothing added moves another draw ------------------------------------------------


@pytest.mark.parametrize(
    "waves",
    [
        "more: {size: 7, enrolment_months: 6}",
        "more: {size: 7, enrolment_months: 2, from_month: 3}, nobody: {size: 0, enrolment_months: 1}",
    ],
)
def test_added_wave__leaves_every_other_draw_untouched(waves: str) -> None:
    """Source: a distribution: the streams of a wave are named after it."""
    expected, got = tallies_of(), tallies_of(f"population.waves={{all: {{size: 12, enrolment_months: 6}}, {waves}}}")
    require_same(got, expected, (SERVICE, TWIN, BASELINE))
    assert (got.person_months[:, 1, TWIN] != got.person_months[:, 0, TWIN]).any()


def test_wave__has_the_same_people_in_any_place() -> None:
    """Source: a distribution: a wave's number in the file decides nothing about its people."""
    first = tallies_of("population.waves={all: {size: 12, enrolment_months: 6}, more: {size: 7, enrolment_months: 6}}")
    second = tallies_of("population.waves={more: {size: 7, enrolment_months: 6}, all: {size: 12, enrolment_months: 6}}")
    for name in ADDED_UP:
        for arm in (SERVICE, TWIN):
            np.testing.assert_array_equal(getattr(first, name)[:, 0, arm], getattr(second, name)[:, 1, arm])


def test_wave__has_the_same_first_people_in_any_size() -> None:
    """Source: a distribution: a person's address is the person's number, so more people are never fewer months in any state."""
    few, many = tallies_of("population.waves.all.size=11"), tallies_of()
    difference = many.person_months[:, 0, SERVICE] - few.person_months[:, 0, SERVICE]
    assert (difference >= 0).all()
    np.testing.assert_array_equal(difference.sum(axis=1), np.full((25, 1), 12.0))


def test_added_outcomes__leave_every_other_draw_untouched() -> None:
    """Source: a distribution: the streams of an outcome are named after it, wherever it stands."""
    expected = tallies_of()
    got = tallies_of(
        "outcomes={in_work: {kind: binary, at_month: 6, probability: {home: 0.3, placed: 0.2}}, "
        "placement_cost_sek: {kind: amount, per_day: {placed: 3_000}}, school_cost_sek: {kind: amount, per_day: {home: 100}}, "
        "school_qualified: {kind: binary, at_month: 12, probability: {home: 0.6, placed: 0.4}}}"
    )
    require_same(got, expected, (SERVICE, TWIN, BASELINE), ("person_months",))
    for outcome in expected.outcomes:
        here, there = got.outcomes.index(outcome), expected.outcomes.index(outcome)
        for name in ("sums", "squares", "by_year"):
            np.testing.assert_array_equal(getattr(got, name)[:, :, :, here], getattr(expected, name)[:, :, :, there])


def test_added_effect_parameters__leave_every_other_draw_untouched() -> None:
    """Source: a distribution: the stream of a parameter is named after its path."""
    study = tiny()
    fading = tiny(
        "effect.sooner_home={move: placed -> home, hazard_ratio: {distribution: lognormal, interval_90: [0.9, 2.0]}, "
        "ramp_months: {distribution: uniform, low: 1, high: 3}, fades_after_months: {distribution: uniform, low: 2, high: 6}, half_life_months: 2}"
    )
    expected, got = (simulate(one, SEED, REPLICATIONS) for one in (study, fading))
    require_same(got.tallies, expected.tallies, (TWIN, BASELINE))
    assert (got.tallies.person_months[:, 0, SERVICE] != expected.tallies.person_months[:, 0, SERVICE]).any()
    for path, values in expected.draws.values.items():
        if path != "effect.sooner_home.ramp_months":
            np.testing.assert_array_equal(got.draws[path], values, err_msg=path)


def test_added_effect__with_a_ratio_of_1_changes_nothing() -> None:
    """Source: a distribution, with effects in another order and on another move."""
    effects = (
        "effect={no_return: {move: home -> placed, hazard_ratio: 1.0, ramp_months: 3}, "
        "school_support: {outcome: school_qualified, odds_ratio: 1.5}, sooner_home: {move: placed -> home, "
        "hazard_ratio: {distribution: lognormal, interval_90: [0.9, 2.0]}, ramp_months: 2}}"
    )
    require_same(tallies_of(effects), tallies_of(), (SERVICE, TWIN, BASELINE))


def test_added_metric__leaves_every_other_draw_untouched() -> None:
    """Source: a distribution: a metric reads what happened, through a window of its own."""
    metrics = "saving: {outcome: placement_cost_sek, window_months: 12, estimate: total_difference, better: lower}"
    school = "school: {outcome: school_qualified, window_months: 12, estimate: rate_difference, better: higher}"
    early = "early: {outcome: placement_cost_sek, window_months: 5, estimate: rate_difference, better: lower}"
    expected = tallies_of(f"measurement.metrics={{{metrics}, {school}}}")
    got = tallies_of(f"measurement.metrics={{{metrics}, {school}, {early}}}")
    assert (expected.windows, got.windows) == ((12,), (5, 12))
    for name in ("sums", "squares", "person_months"):
        np.testing.assert_array_equal(getattr(got, name)[..., [1]], getattr(expected, name), err_msg=name)
    np.testing.assert_array_equal(got.by_year, expected.by_year)


# ------------------------------------------------ nobody is lost ------------------------------------------------


@pytest.mark.parametrize("name", ["tiny", "norrkoping"])
def test_people__are_conserved(name: str) -> None:
    """Source: arithmetic: everybody is in one state in each month, so the months over states are people times window."""
    tallies = simulate(load_study(find_study(name)), SEED, REPLICATIONS).tallies
    expected = tallies.n_people[..., None] * np.array(tallies.windows)
    assert (expected[:, 0, :3] > 0).all()
    np.testing.assert_array_equal(tallies.person_months.sum(axis=3), expected)


def test_years__hold_every_month_from_entry_to_the_horizon() -> None:
    """Source: arithmetic: at one unit a day in every state, a person who enters in month e is worth 24 - e months."""
    everywhere = "outcomes.placement_cost_sek.per_day={home: 1, placed: 1}"
    month = 365.25 / 12
    together = tallies_of(everywhere, "population.waves.all.enrolment_months=1").by_year[:, 0, :3, 0]
    np.testing.assert_allclose(together, np.full((25, 3, 2), 12 * 12 * month), rtol=1e-12)
    staggered = tallies_of(everywhere).by_year[:, 0, SERVICE, 0]
    np.testing.assert_allclose(staggered[:, 1], np.full(25, 12 * 12 * month), rtol=1e-12)
    # Everybody enters in one of the months 0 to 5, and not everybody in the same.
    months_missed = 12 * 12 - staggered[:, 0] / month
    assert (months_missed > 0).all()
    assert (months_missed < 12 * 5).all()


@pytest.mark.parametrize("carried", ["{}", "{trouble: {variance: 0.5, on: placed -> home}}"], ids=["abreast", "one by one"])
def test_lives__end_with_the_last_window_where_no_year_is_valued(carried: str) -> None:
    """Source: a distribution: what is measured is the same to the bit; of the second year nothing is left but the month of the last stay."""
    together = ("population.waves.all.enrolment_months=1", f"population.frailties={carried}")
    said = ("outcomes.placement_cost_sek.per_day={home: 1, placed: 1}", *together)
    valued, unvalued = tallies_of(*said), tallies_of(*said, "public_value={}")
    require_same(unvalued, valued, (SERVICE, TWIN), ("sums", "squares", "person_months"))
    month = 365.25 / 12
    np.testing.assert_allclose(valued.by_year[:, 0, SERVICE, 0, 1], 12 * 12 * month)
    assert (unvalued.by_year[:, 0, SERVICE, 0, 1] <= 12 * month * (1 + 1e-12)).all()


def test_money__is_the_months_in_each_state_at_their_price() -> None:
    """Source: arithmetic: 3,000 a day is 3,000 x 365.25 / 12 = 91,312.5 a month, which a double holds exactly."""
    tallies = tallies_of()
    placed = tallies.states.index("placed")
    np.testing.assert_array_equal(tallies.sums[:, :, :, 0], 91_312.5 * tallies.person_months[:, :, :, placed])


def test_binary_outcome__squares_to_itself_and_never_exceeds_the_people() -> None:
    """Source: arithmetic: 0^2 = 0 and 1^2 = 1."""
    tallies = tallies_of()
    np.testing.assert_array_equal(tallies.sums[:, :, :, 1], tallies.squares[:, :, :, 1])
    assert (tallies.sums[:, 0, :, 1] <= 12).all()
    assert (tallies.sums[:, 0, :, 1] > 0).any()


# ------------------------------------------------ clipped probabilities ------------------------------------------------

THREE_STATES = (
    "pathway={states: [home, placed, secure], start: {young: {placed: 1}, older: {home: 1}}, moves: {"
    "placed -> home: {per_month: {distribution: uniform, low: 0, high: 1}}, placed -> secure: {by_stratum: "
    "{young: {per_month: {distribution: uniform, low: 0, high: 0.9}}, older: {per_month: 0.1}}}, home -> placed: {per_month: 0.1}}}",
    "outcomes.school_qualified.probability={home: 0.6, placed: 0.4, secure: 0.2}",
)


def test_clipped__counts_the_leaving_probabilities_that_exceeded_1() -> None:
    """Source: the drawn probabilities themselves, added up by stratum."""
    evidence = simulate(tiny(*THREE_STATES), SEED, np.arange(300))
    home = evidence.draws["pathway.moves.placed -> home.per_month"]
    young = evidence.draws["pathway.moves.placed -> secure.by_stratum.young.per_month"]
    expected = (home + young > 1).astype(int) + (home + 0.1 > 1).astype(int)
    assert set(expected) == {0, 1, 2}
    np.testing.assert_array_equal(evidence.tallies.clipped, expected)
    np.testing.assert_array_equal(run_block(tiny(*THREE_STATES), SEED, np.arange(300))["clipped"], expected)


def test_clipped__means_that_everybody_leaves_in_proportion() -> None:
    """Source: the rule. With 0.9 and 0.6 a month nobody stays a second month, and those who leave do not all go one way."""
    no_way_back = (
        "pathway={states: [home, placed, secure], start: {young: {placed: 1}, older: {placed: 1}}, moves: {"
        "placed -> home: {per_month: {distribution: uniform, low: 0.4, high: 1}}, "
        "placed -> secure: {per_month: {distribution: uniform, low: 0, high: 0.6}}}}"
    )
    tallies = tallies_of(THREE_STATES[1], no_way_back)
    clipped = tallies.clipped > 0
    assert clipped.any()
    assert not clipped.all()
    months = tallies.person_months[clipped][:, 0, TWIN, :, 0]
    np.testing.assert_array_equal(months[:, 1], np.full(clipped.sum(), 12.0))
    assert (months[:, [0, 2]].sum(axis=0) > 0).all()


def test_clipped__is_0_where_every_probability_is_one() -> None:
    """Source: the rule: a state that is left for certain is not clipped."""
    assert not tallies_of("pathway.moves.home -> placed.per_month=1").clipped.any()
    assert not tallies_of().clipped.any()


# ------------------------------------------------ alone, in blocks, on threads ------------------------------------------------


@pytest.mark.parametrize("name", ["tiny", "norrkoping"])
def test_replication__made_again_alone_equals_itself_in_the_batch(name: str) -> None:
    """Source: a distribution: every draw has an address, and no sum depends on the company it is in."""
    study = load_study(find_study(name))
    batch = simulate(study, SEED, REPLICATIONS)
    for replication in (0, 7, 24):
        alone = simulate(study, SEED, np.array([replication]))
        for field in fields(alone.tallies):
            one, many = getattr(alone.tallies, field.name), getattr(batch.tallies, field.name)
            if isinstance(one, np.ndarray):
                assert one[0].tobytes() == many[replication].tobytes(), field.name
        for name_of_field in ("estimate", "standard_error", "truth"):
            one, many = getattr(alone.measurements, name_of_field), getattr(batch.measurements, name_of_field)
            assert one[0].tobytes() == many[replication].tobytes(), name_of_field


def require_same_bits(got: ReplicationResults, expected: ReplicationResults) -> None:
    assert got.replications.tolist() == expected.replications.tolist()
    assert list(got.columns) == list(expected.columns)
    for name in expected.columns:
        assert got[name].dtype == expected[name].dtype, name
        assert got[name].tobytes() == expected[name].tobytes(), name
    one, other = got.lending_cash["investor"], expected.lending_cash["investor"]
    assert (one.unit, one.n_replications) == (other.unit, other.n_replications)
    for name in ("total", "rounded", "products"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


MANY_STATES = (
    "pathway={states: [home, placed, a, b, c, d, e, f, g, h], start: {young: {placed: 0.3, a: 0.1, b: 0.1, c: 0.1, d: 0.1, "
    "e: 0.1, f: 0.1, g: 0.03, h: rest}, older: {home: 1}}, moves: {placed -> home: {per_month: {distribution: uniform, low: 0, high: 0.1}}, "
    + ", ".join(f"placed -> {s}: {{per_month: {{distribution: uniform, low: 0, high: 0.1}}}}" for s in "abcdefgh")
    + ", "
    + ", ".join(f"{s} -> placed: {{per_month: {{distribution: beta, mean: 0.2, sd: 0.1}}}}" for s in "abcdefgh")
    + "}}",
    f"outcomes.school_qualified.probability={{home: 0.6, placed: 0.4, {', '.join(f'{s}: 0.5' for s in 'abcdefgh')}}}",
)
WAVES = ", ".join(f"w{number}: {{size: 2, enrolment_months: {number % 6 + 1}}}" for number in range(9))


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        pytest.param("tiny", (), id="tiny"),
        pytest.param("norrkoping", (), id="norrkoping"),
        # Sums over eight or more numbers are where an order of addition may depend on the shape of an array.
        pytest.param("tiny", (*MANY_STATES, f"population.waves={{{WAVES}}}"), id="ten states, nine waves"),
    ],
)
def test_run__has_the_same_bits_for_any_block_size_and_number_of_threads(name: str, overrides: tuple[str, ...]) -> None:
    """Source: a distribution: blocks and threads are how the work is done, not what it is."""
    study = load_study(find_study(name), overrides)
    expected = run_study(study, SEED, 30, threads=1, block_size=1000)
    assert expected.replications.tolist() == list(range(30))
    for block_size in (1, 7, 1000):
        for threads in (1, 2):
            require_same_bits(run_study(study, SEED, 30, threads=threads, block_size=block_size), expected)


def test_run__equals_its_blocks_made_by_hand() -> None:
    """Source: the pipeline itself, called once for all replications."""
    require_same_bits(run_study(tiny(), SEED, 40, threads=2, block_size=7), run_block(tiny(), SEED, np.arange(40)))
