"""Statistics of columns that are read window by window: to the last bit those of the same numbers in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simengine import RiskTable, Study, columns, load_study, run_study
from simengine.columns import LongColumn
from simengine.errors import UsageError
from simengine.records import ReplicationResults
from simengine.risk import ordered, statistics, summarise, sums
from simengine.risk.measures import MEASURES, Measure
from simengine.risk.ordered import Ordered, WeightedOrder, WeightReached
from simengine.sampling import Sampling
from tests.conftest import CHECKOUT


@pytest.fixture(autouse=True)
def nothing_is_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every column be too long to be sorted in memory."""
    monkeypatch.setattr(ordered, "_FEW", 100)


def as_column(values: np.ndarray) -> LongColumn:
    return LongColumn(lambda first, end: values[first:end], 0, len(values))


def as_stored(results: ReplicationResults) -> ReplicationResults:
    return replace(
        results,
        replications=as_column(results.replications),  # type: ignore[arg-type]
        columns={name: as_column(column) for name, column in results.columns.items()},  # type: ignore[misc]
        lending_cash_by_row={name: as_column(rows) for name, rows in (results.lending_cash_by_row or {}).items()} or None,  # type: ignore[misc]
    )


def every_measure(party: str) -> tuple[Measure, ...]:
    numbers = {
        name: kind.default if kind.default is not None else 1000.0 if kind.number else 0.0 for name, kind in MEASURES.items()
    }
    return tuple(Measure(party, name, number) for name, number in numbers.items())


def told(table: RiskTable) -> dict[str, str]:
    found = {path: repr(statistic) for path, statistic in table.statistics()}
    return found | {"refused": repr(table.refused), "exceedance": repr(table.exceedance), "diagnostics": repr(table.diagnostics)}


@pytest.mark.parametrize("name", ["tiny", "two_lenders"])
def test_summary__of_columns_is_that_of_arrays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Oracle: the same rows as plain arrays, sorted and chosen from by NumPy; windows so small that every sum has many.
    monkeypatch.setattr(columns, "ROWS_AT_ONCE", 200)
    results = run_study(load_study(next((CHECKOUT / "configs").rglob(f"{name}.yaml"))), 7, 501)
    lender = next(column.removesuffix(".money_in") for column in results.columns if column.endswith(".money_in"))
    asked = every_measure(lender)

    assert told(summarise(as_stored(results), measures=asked)) == told(summarise(results, measures=asked))


@pytest.mark.parametrize(
    "sampling", [Sampling(is_sobol=True), Sampling(tilts={"effect.sooner_home.hazard_ratio": 1.5})], ids=["sobol", "tilt"]
)
def test_summary__of_weighted_columns_is_that_of_arrays(sampling: Sampling, tiny: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    # Oracle: the same rows as plain arrays, sorted by NumPy.
    monkeypatch.setattr(columns, "ROWS_AT_ONCE", 200)
    results = run_study(tiny, 7, 512, sampling=sampling)
    asked = every_measure("investor")

    assert told(summarise(as_stored(results), measures=asked)) == told(summarise(results, measures=asked))


def test_weights__are_reached_where_a_plain_loop_reaches_them(monkeypatch: pytest.MonkeyPatch) -> None:
    # Oracle: one row after the other in order, equal ones by their number; whole numbers, so nothing is rounded.
    monkeypatch.setattr(columns, "ROWS_AT_ONCE", 64)
    rng = np.random.default_rng(3)
    sample = np.where(rng.random(300) < 0.5, 1.5, rng.standard_normal(300) * rng.choice([0.0, -1.0, 1e-300, 1e9], 300))
    weights = rng.integers(0, 2**53, 300)
    targets = [1, int(weights.sum()), *rng.integers(1, weights.sum(), 20).tolist()]
    order = sorted(range(300), key=lambda row: (sample[row], row))

    for weighs, wanted in ((weights, targets), (None, [1, 150, 299, 300])):
        expected = []
        for target in wanted:
            total = 0
            for rank, row in enumerate(order):
                total += 1 if weighs is None else int(weighs[row])
                if total >= target:
                    expected.append(WeightReached(sample[row], rank, row))
                    break
        held = WeightedOrder(sample, weighs).reached(wanted)
        counted = WeightedOrder(as_column(sample), None if weighs is None else as_column(weighs)).reached(wanted)
        assert held == counted == expected


@pytest.mark.parametrize(
    "sample",
    [
        np.random.default_rng(1).normal(size=5_000),
        np.random.default_rng(2).pareto(1.5, size=5_000) - 3,  # a tail without a variance
        np.repeat(
            [-1e12, -0.0, 0.0, 5e-324, 1.0, np.inf], [700, 800, 900, 1_000, 1_100, 500]
        ),  # atoms, the smallest number, no number
        np.full(3_000, 2.5),
        np.array([1.0, 1.0 + 2**-52] * 1_500),  # neighbours
    ],
    ids=["normal", "pareto", "atoms", "constant", "neighbours"],
)
def test_order_statistics__of_a_column_are_those_of_the_sorted_array(sample: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "ROWS_AT_ONCE", 257)
    np.random.default_rng(3).shuffle(sample)
    column, n = Ordered(as_column(sample)), len(sample)
    expected = np.sort(sample)
    column.prepare([(0, 1), (n // 2 - 300, n // 2 + 300), (n - 1, n)])

    assert [column[0], column[-1]] == [expected[0], expected[-1]]
    assert np.array_equal(column[n // 2 - 300 : n // 2 + 300], expected[n // 2 - 300 : n // 2 + 300])
    assert np.array_equal(column[10:20], expected[10:20])
    finite = np.isfinite(expected).all()
    for level in (0.001, 0.3, 0.999):
        # Source: NumPy's own quantile.
        assert not finite or column.linear(level) == np.quantile(sample, level)


def test_order_statistics__pass_over_a_column_a_fixed_number_of_times() -> None:
    sample, passes = np.random.default_rng(4).normal(size=3_000), []

    def rows(first: int, end: int) -> np.ndarray:
        passes.append(first)
        return sample[first:end]

    statistics.quantiles(LongColumn(rows, 0, len(sample)))

    # At most four digits and the values between, for all five quantiles together; here two leave few values, which are sorted.
    assert len(passes) == 4


def test_order_statistics__of_few_values_are_sorted_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordered, "_FEW", 3_000)
    sample, passes = np.random.default_rng(5).normal(size=3_000), []

    def rows(first: int, end: int) -> np.ndarray:
        passes.append(first)
        return sample[first:end]

    found = Ordered(LongColumn(rows, 0, len(sample)))

    assert [found[0], found[1_500]] == [np.sort(sample)[0], np.sort(sample)[1_500]]
    assert len(passes) == 1


def test_order_statistics__too_many_at_once_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordered, "_MOST_AT_ONCE", 100)
    with pytest.raises(UsageError, match="at most 100 values may lie within the interval"):
        Ordered(as_column(np.arange(1_000.0)))[0:1_000]


def test_sums__are_exact_over_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    # By hand: 1e16 + 1 - 1e16 is 1, which a running sum of floating-point numbers loses.
    monkeypatch.setattr(columns, "ROWS_AT_ONCE", 1)
    assert sums.sum_of_windows(np.array([1e16, 1.0, -1e16])) == 1.0


def test_column__of_rows_that_count_keeps_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "ROWS_AT_ONCE", 10)
    values = np.arange(100.0)
    column = as_column(values)
    chosen = column[(column % 3 == 0) & (column > 20)] * 2

    assert np.array_equal(chosen.to_numpy(), values[(values % 3 == 0) & (values > 20)] * 2)
    assert [len(window) for window in chosen.windows()] == [10, 10, 7]
    assert len(chosen) == 27


def wrong(case: str, column: LongColumn) -> Any:
    other = as_column(np.arange(5.0))
    cases: dict[str, Any] = {
        "array": lambda: np.asarray(column),
        "sort": lambda: np.sort(column),  # type: ignore[call-overload]
        "other rows": lambda: column + other,
        "other mask": lambda: column[other > 1],
        "steps": lambda: column[::2],
        "with an array": lambda: column + np.arange(10.0),
        "reduce": lambda: np.add.reduce(column),  # type: ignore[arg-type]
    }
    return cases[case]()


@pytest.mark.parametrize("case", ["array", "sort", "other rows", "other mask", "steps", "with an array", "reduce"])
def test_column__becomes_no_array_by_the_way(case: str) -> None:
    with pytest.raises(TypeError):
        wrong(case, as_column(np.arange(10.0)))


def test_columns_of_results__are_read_where_somebody_asks(tiny: Study, tmp_path: Path) -> None:
    results = run_study(tiny, 1, 20)
    stored = as_stored(results)

    assert stored.to_pandas().equals(results.to_pandas())
    assert stored.words("investor.irr_status").tolist() == results.words("investor.irr_status").tolist()
    assert np.array_equal(stored.first(5, lambda name: name == "investor.net")["investor.net"], results["investor.net"][:5])
