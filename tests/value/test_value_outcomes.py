"""What outcomes are worth to whom: two people by hand, closed forms of every factor, a slow twin, and distributions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simengine import load_study
from simengine.pipeline import evaluate, simulate
from simengine.records import Draws, Tallies
from simengine.value import Timing, ValuePrice, value_outcomes
from tests.conftest import sized
from tests.reference import value as twin

PARTIES = ("town", "region", "state")


def tallies_of(service, twins, *, once=None):
    """Make tallies of one outcome; by wave and year for each arm, or, read once, by wave."""
    by_year = np.zeros((1, len(service), 2, 1, 1 if once else len(service[0])))
    sums = np.zeros((1, len(service), 2, 1, 1))
    for arm, counted in enumerate((service, twins)):
        if once:
            sums[0, :, arm, 0, 0] = counted
        else:
            by_year[0, :, arm, 0] = counted
    people, before = np.ones((1, len(service), 2)), np.zeros((1, len(service), 2, 1))
    return Tallies(
        ("home",), ("outcome",), (12,), 0, {}, people.astype(np.int64), people, people, sums, sums, before, before, sums,
        np.zeros((1, len(service), 2, 1, 1)), by_year, {}, np.zeros(1, np.int64),
    )  # fmt: skip


def valued(prices, tallies, *, horizon=36, read=None, entry=(0.0,), first=(0,), draws=None):
    timing = Timing(horizon, {"outcome": read}, first, np.array([entry], dtype=np.float64))
    by_party = {party: ValuePrice.model_validate(price) for party, price in prices.items()}
    return value_outcomes({"outcome": by_party}, PARTIES, timing, tallies, draws or Draws(0, np.arange(1), {}))


def test_two_people__are_valued_by_hand():
    # Source: hand arithmetic. Two people cost 30 + 10 a year without the service and 20 + 10, 12 + 8, 30 + 10 with it: savings of
    # 10, 20 and 0 in three years. The town has 60 %: 6, 12, 0; a half can be cashed, after 6 months: half of 6 at half in the
    # same year, 1.5, the other half and half of 12 at half in the second, 1.5 + 3, and 3 in the third. The region has 40 %.
    tallies = tallies_of([[30, 20, 40]], [[40, 40, 40]])

    got = valued({"town": {"share": 0.6, "cashable_share": 0.5, "lag_months": 6}, "region": {"share": 0.4}}, tallies)

    assert got.parties == PARTIES
    np.testing.assert_allclose(got.value[0], [[6, 12, 0], [4, 8, 0], [0, 0, 0]])
    np.testing.assert_allclose(got.cashable[0], [[1.5, 4.5, 3], [4, 8, 0], [0, 0, 0]])


def test_two_people__who_pass_an_examination_are_valued_by_hand():
    # Source: hand arithmetic. One more of two passes, 12 months after an entry around month 9: month 21. Once: 100 in the second
    # year, released 6 months later in the third. As a stream of two years at 60 a year, half lost from year to year: 60 from
    # month 21 on, 3 / 12 of it in the second year; 30 from month 33 on, 3 / 12 of it in the third and 9 / 12 after the horizon.
    tallies = tallies_of([2], [1], once=True)
    price = {"better": "higher", "cashable_share": 1}

    once = valued({"state": {**price, "value_per_unit": 100, "lag_months": 6}}, tallies, read=12, entry=(9.0,))
    stream = valued(
        {"state": {**price, "value_per_unit": 60, "years": 2, "drop_off_per_year": 0.5}}, tallies, read=12, entry=(9.0,)
    )

    np.testing.assert_allclose(once.value[0, 2], [0, 100, 0])
    np.testing.assert_allclose(once.cashable[0, 2], [0, 0, 100])
    np.testing.assert_allclose(stream.value[0, 2], [0, 15, 45 + 7.5, 22.5])
    np.testing.assert_allclose(stream.cashable[0, 2], [0, 15, 45 + 7.5, 22.5])


def test_what_is_read_once__and_better_low_is_worth_what_there_is_less_of_it():
    # Source: hand arithmetic. One of two falls ill, without the service both: one illness less, at 100, in month 21.
    got = valued({"state": {"value_per_unit": 100}}, tallies_of([1], [2], once=True), read=12, entry=(9.0,))
    np.testing.assert_allclose(got.value[0, 2], [0, 100, 0])
    np.testing.assert_allclose(got.cashable[0, 2], [0, 100, 0])


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        ({}, 40.0),
        ({"value_per_unit": 2.5}, 100.0),
        ({"share": 0.0}, 0.0),
        ({"share": 1.0}, 40.0),
        ({"share": 0.25}, 10.0),
        ({"better": "higher"}, -40.0),
        ({"deadweight": 0.1}, 36.0),
        ({"attribution": 0.7}, 28.0),
        ({"displacement": 0.2}, 32.0),
        ({"optimism_bias": 0.4}, 24.0),
        ({"drop_off_per_year": 0.5}, 10 + 10 + 2.5),
        # 40 x 0.5 x 2 x 0.9 x 0.7 x 0.8 x 0.6
        (
            {"share": 0.5, "value_per_unit": 2, "deadweight": 0.1, "attribution": 0.7, "displacement": 0.2, "optimism_bias": 0.4},
            12.096,
        ),
    ],
)
def test_factors__are_products(price, expected):
    # Source: closed form. Savings of 10, 20 and 10 in three years, times each factor; a drop-off keeps 1, 1 / 2 and 1 / 4.
    got = valued({"town": price}, tallies_of([[0, 0, 0]], [[10, 20, 10]]))

    assert got.value.sum() == pytest.approx(expected)
    assert got.cashable.sum() == pytest.approx(expected)


def test_factors__are_drawn_per_replication():
    # Invariant: each replication is valued with its own numbers.
    tallies = tallies_of([[0, 0, 0]], [[10, 20, 10]])
    distribution = {"distribution": "uniform", "low": 0, "high": 1}
    got = []
    for drawn in ((0.0, 0.0), (0.5, 0.0), (0.5, 0.25)):
        paths = [f"public_value.outcome.town.{key}" for key in ("deadweight", "optimism_bias")]
        draws = Draws(0, np.arange(1), {path: np.array([number]) for path, number in zip(paths, drawn, strict=True)})
        got.append(valued({"town": {"deadweight": distribution, "optimism_bias": distribution}}, tallies, draws=draws).value.sum())

    assert got == pytest.approx([40, 20, 15])


@pytest.mark.parametrize(("lag", "cashed"), [(15, [0, 0, 100]), (16, [0, 0, 0])])
def test_lag__of_what_is_read_once_may_end_at_the_horizon(lag, cashed):
    # Source: hand arithmetic. Read in month 21; released in month 36, the last of the study, or a month after it.
    price = {"better": "higher", "value_per_unit": 100, "cashable_share": 1, "lag_months": lag}
    got = valued({"state": price}, tallies_of([2], [1], once=True), read=12, entry=(9.0,))
    np.testing.assert_allclose(got.cashable[0, 2], cashed)


@pytest.mark.parametrize("lag", [36, 37, 500])
def test_lag__beyond_the_horizon_leaves_nothing_to_cash(lag):
    # Invariant: what cannot be released before the horizon is no cash, but it is a value.
    got = valued({"town": {"lag_months": lag}}, tallies_of([[0, 0, 0]], [[10, 20, 10]]))

    assert (got.value.sum(), got.cashable.sum()) == (40, 0)


def test_drop_off__begins_with_the_wave():
    # Source: hand arithmetic. A wave that enters from month 14 on is in its first year in the second year of the calendar.
    got = valued(
        {"town": {"drop_off_per_year": 0.5}}, tallies_of([[0, 0, 0], [0, 0, 0]], [[8, 8, 8], [0, 8, 8]]),
        first=(0, 14), entry=(0.0, 15.0),
    )  # fmt: skip

    np.testing.assert_allclose(got.value[0, 0], [8, 4 + 8, 2 + 4])


SHARE = st.floats(0, 1)
FACTORS = st.fixed_dictionaries(
    {},
    optional={
        "value_per_unit": st.floats(-5, 5), "share": SHARE, "cashable_share": SHARE, "lag_months": st.integers(0, 60),
        "deadweight": SHARE, "attribution": SHARE, "displacement": SHARE, "drop_off_per_year": SHARE, "optimism_bias": SHARE,
    },
)  # fmt: skip


@settings(deadline=None, max_examples=sized(25, 60))
@given(FACTORS, st.integers(1, 60), st.data())
def test_amounts__equal_the_slow_twin(price, horizon, data):
    # Source: tests/reference/value.py, month by month.
    n_years = -(-horizon // 12)
    gains = data.draw(st.lists(st.lists(st.floats(-100, 100), min_size=n_years, max_size=n_years), min_size=1, max_size=3))
    first = data.draw(st.lists(st.integers(0, horizon - 1), min_size=len(gains), max_size=len(gains)))

    got = valued(
        {"region": price}, tallies_of([[0] * n_years] * len(gains), gains), horizon=horizon, first=tuple(first),
        entry=tuple(map(float, first)),
    )  # fmt: skip

    for ours, theirs in zip((got.value, got.cashable), twin.amount_by_year(gains, first, horizon, price), strict=True):
        np.testing.assert_allclose(ours[0, 1], [theirs[year] for year in range(n_years)], atol=1e-9)


@settings(deadline=None, max_examples=sized(25, 60))
@given(FACTORS, st.integers(24, 60), st.integers(1, 6), st.data())
def test_streams__equal_the_slow_twin(price, horizon, years, data):
    # Source: tests/reference/value.py, month by month.
    gains = data.draw(st.lists(st.floats(-100, 100), min_size=1, max_size=3))
    entry = data.draw(st.lists(st.integers(0, 12), min_size=len(gains), max_size=len(gains)))
    price = {**price, "years": years}

    got = valued(
        {"state": {**price, "better": "higher"}}, tallies_of(gains, [0] * len(gains), once=True), horizon=horizon, read=12,
        entry=tuple(map(float, entry)), first=tuple(entry),
    )  # fmt: skip

    expected = twin.reading_by_year(gains, [month + 12 for month in entry], horizon, price)
    for ours, theirs in zip((got.value, got.cashable), expected, strict=True):
        np.testing.assert_allclose(ours[0, 2], [theirs[year] for year in range(ours.shape[2])], atol=1e-9)
        assert all(year < ours.shape[2] for year, amount in theirs.items() if amount)


def test_study__prices_the_same_outcome_for_several_parties(tiny_path):
    # Source: hand arithmetic on the tallies; and distribution: a new price needs no new people.
    four = ("investor", "outcome_payer", "service_provider", "region")
    more = [f"parties={{{', '.join(f'{party}: {{name: X, discount_rate_per_year: 0.02}}' for party in four)}}}"]
    cost = "placement_cost_sek: {outcome_payer: {share: 0.75}, region: {share: 0.25}}"
    school = "school_qualified: {region: {value_per_unit: 50_000, better: higher, cashable_share: 0}}"
    study = load_study(tiny_path, [*more, f"public_value={{{cost}, {school}}}"])
    evidence = simulate(load_study(tiny_path, more), 3, np.arange(40))

    got = evaluate(study, evidence)

    gap = evidence.tallies.by_year[:, 0, 1, 0].sum(axis=1) - evidence.tallies.by_year[:, 0, 0, 0].sum(axis=1)
    passed = evidence.tallies.sums[:, 0, 0, 1, -1] - evidence.tallies.sums[:, 0, 1, 1, -1]
    np.testing.assert_allclose(got["outcome_payer.value"], 0.75 * gap)
    np.testing.assert_allclose(got["region.value"], 0.25 * gap + 50_000 * passed)
    np.testing.assert_allclose(got["region.cashable"], 0.25 * gap)
    np.testing.assert_allclose(got["region.net"], got["region.value"])
    np.testing.assert_allclose(got["outcome_payer.net"], got["outcome_payer.cash"] + got["outcome_payer.value"])
    np.testing.assert_array_equal(got["region.cash"], 0)
