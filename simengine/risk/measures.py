"""The measures of a party's money, defined once for tables, limits, goals, criteria and sizing.

A measure is written `party.measure`, or `party.measure(number)`: `investor.p_loss`, `investor.cvar(0.9)`,
`outcome_payer.p_cost_over(4_000_000)`. See `limits` for how it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from simengine.records import Floats
from simengine.risk import statistics, sums
from simengine.risk.amounts import AMOUNTS, OF_WHOLE_FLOWS, AmountUnit, Columns
from simengine.risk.jackknife import with_error
from simengine.risk.measured import NOT_GIVEN, those_measured
from simengine.risk.statistics import Statistic
from simengine.risk.weighting import Weighting

_RULE_OF_THREE = 3.0
"""With no case among n replications the probability is at most 3 / n, with 95 % confidence."""
Cases = NDArray[np.bool_]
Scores = Callable[[Columns, str, float], Floats]
"""From the columns, the party and the number: shape (n_replications,); the mean is the measure. NaN: no part of it."""


def p_loss(net: Floats, weighting: Weighting | None = None) -> Statistic:
    """Return the probability of a net below 0; net: shape (n_rows,)."""
    return statistics.probability(_is_loss(net), weighting)


def _is_loss(net: Floats) -> Cases:
    return net < 0


def var(net: Floats, level: float, weighting: Weighting | None = None) -> Statistic:
    """Return the loss (the negative of the net) that is exceeded with probability 1 - level."""
    return statistics.value_at_risk(-net, level, weighting)


def cvar(net: Floats, level: float, weighting: Weighting | None = None) -> Statistic:
    """Return the mean loss (the negative of the net) in the worst 1 - level of the replications."""
    return statistics.conditional_value_at_risk(-net, level, weighting)


@dataclass(frozen=True)
class MeasureKind:
    """A kind of measure: its meaning, its parameter and its computation."""

    meaning: str
    title: str
    """Title in a table, with `{}` in place of the number."""
    unit: AmountUnit
    more_is_better: bool
    of: Callable[[Columns, str, float, Weighting | None], Statistic]
    """From the columns, the party, the number and how the rows were drawn."""
    scores: Scores | None = None
    """Absent if it is not a mean."""
    amount: str | None = None
    """The amount on which it is based; absent if on several."""
    number: str = ""
    """Meaning of the number in brackets; empty if there is none."""
    number_unit: AmountUnit = "money"
    default: float | None = None
    """The number if none is written; absent: it must be."""
    within: tuple[float, float] = (-np.inf, np.inf)
    """Range of the number, ends excluded."""

    @property
    def is_probability(self) -> bool:
        """Whether it is a probability."""
        return self.unit == "share"

    @property
    def is_money(self) -> bool:
        """Whether it is in the currency of the study."""
        return self.unit == "money"

    @property
    def of_lenders(self) -> bool:
        """Whether only lenders have it."""
        return self.amount is not None and AMOUNTS[self.amount].of_lenders

    @property
    def needs_flows(self) -> bool:
        """Whether it needs a lender's cash by month."""
        return self.amount in OF_WHOLE_FLOWS


def _mean(scores: Scores) -> Callable[[Columns, str, float, Weighting | None], Statistic]:
    def of(columns: Columns, party: str, number: float, weighting: Weighting | None) -> Statistic:
        (there,), of_there = those_measured(weighting, scores(columns, party, number))
        return statistics.mean(there, of_there) if len(there) > 1 else NOT_GIVEN

    return of


def _expected(amount: str) -> MeasureKind:
    one = AMOUNTS[amount]

    def scores(columns: Columns, party: str, _: float) -> Floats:
        return one.of(columns, party)

    return MeasureKind(
        f"mean of {one.title}: {one.meaning}", one.title, one.unit, one.more_is_better, _mean(scores), scores, amount
    )


def _share(amount: str, words: str, title: str, number: str, is_case: Callable[[Floats, float], Cases]) -> MeasureKind:
    one = AMOUNTS[amount]

    def cases(columns: Columns, party: str, edge: float) -> Cases:
        return is_case(one.of(columns, party), edge)

    return MeasureKind(
        f"probability that {words}",
        f"P({title})",
        "share",
        False,
        lambda columns, party, edge, weighting: statistics.probability(cases(columns, party, edge), weighting),
        lambda columns, party, edge: cases(columns, party, edge).astype(np.float64),
        amount,
        number,
        one.unit,
    )


def _below(amount: str, number: str) -> MeasureKind:
    words = f"its {AMOUNTS[amount].title} is below the number"
    return _share(amount, words, f"{AMOUNTS[amount].title} < {{}}", number, lambda values, edge: values < edge)


def _over(amount: str, number: str, title: str) -> MeasureKind:
    words = f"{AMOUNTS[amount].title} ({AMOUNTS[amount].meaning}) is above the number"
    return _share(amount, words, f"{title} > {{}}", number, lambda values, edge: values > edge)


def _quantile(amount: str, default: float, words: str = "") -> MeasureKind:
    one = AMOUNTS[amount]

    def of(columns: Columns, party: str, level: float, weighting: Weighting | None) -> Statistic:
        values = one.of(columns, party)
        # What never happens comes after everything that does; it is told apart again below.
        far = 2 * max(1.0, sums.largest_size(values[np.isfinite(values)]))
        (there,), of_there = those_measured(weighting, np.minimum(values, far))
        if len(there) < 2:
            return NOT_GIVEN
        found = statistics.quantile(there, level, of_there)
        return Statistic(np.inf, np.nan, covers=False) if found.value == far else found

    meaning = words or f"quantile of {one.title} over the replications that have one: {one.meaning}"
    title = f"{one.title}, quantile {{}}"
    return MeasureKind(meaning, title, one.unit, one.more_is_better, of, None, amount, "level", "share", default, (0, 1))


def _tail_scores(columns: Columns, party: str, level: float) -> Floats:
    """Return the Rockafellar-Uryasev score of each replication, as `statistics.conditional_value_at_risk` does."""
    loss = -columns[f"{party}.net"]
    q = float(np.quantile(loss, level, method="inverted_cdf"))
    return q + np.maximum(loss - q, 0.0) / (1 - level)


def _certainty_equivalent(columns: Columns, party: str, tolerance: float) -> Floats:
    """Return the certainty equivalent of the present value, linearised about itself so that its mean is the value.

    The value is -T log E exp(-X / T), computed relative to the smallest X so that nothing overflows.
    """
    money = columns[f"{party}.npv"]
    least, _ = sums.extremes(money)
    utility = np.exp(-(money - least) / tolerance)
    mean = sums.mean_of(utility)
    return least - tolerance * float(np.log(mean)) - tolerance * (utility - mean) / mean


def _paid_without_effect(columns: Columns) -> Cases:
    truths = [values for name, values in columns.items() if name.startswith("metric.") and name.endswith(".truth")]
    # Of an effect that does not exist, as a share of nothing, nobody can say that there was one.
    did_nothing = reduce(np.logical_and, [~(truth > 0) for truth in truths])
    return (columns["contingent_payment"] > 0) & did_nothing


MEASURES: Mapping[str, MeasureKind] = {
    "expected_net": _expected("net"),
    "expected_npv": _expected("npv"),
    "expected_moic": _expected("moic"),
    "expected_peak_funding": _expected("peak_funding"),
    "certainty_equivalent": MeasureKind(
        "the sure present value that it would take instead, with constant absolute risk aversion",
        "certainty equivalent, tolerance {}",
        "money",
        True,
        _mean(_certainty_equivalent),
        _certainty_equivalent,
        "npv",
        "risk tolerance, in the currency",
        within=(0, np.inf),
    ),
    "p_loss": _share("net", "its net is below 0", "loss", "", lambda net, _: _is_loss(net)),
    "p_npv_below": _below("npv", "hurdle"),
    "p_moic_below": _below("moic", "hurdle, 1 is what was lent"),
    "p_irr_below": _below("irr", "hurdle, 0.03 is 3 % a year"),
    "p_cost_over": _over("loss", "budget", "cost"),
    "p_peak_funding_over": _over("peak_funding", "amount", "peak funding"),
    "p_payback_after": _over("payback_months", "months", "payback"),
    "var": replace(
        _quantile("loss", 0.95, "loss (the negative of its net) that is exceeded with probability 1 - level"),
        title="VaR {} (loss)",
    ),
    "cvar": MeasureKind(
        "mean of its loss (the negative of its net) in the worst 1 - level of the replications",
        "CVaR {} (loss)",
        "money",
        False,
        lambda columns, party, level, weighting: cvar(columns[f"{party}.net"], level, weighting),
        _tail_scores,
        "loss",
        "level",
        "share",
        0.95,
        (0, 1),
    ),
    "net_quantile": _quantile("net", 0.5),
    "npv_quantile": _quantile("npv", 0.5),
    "moic_quantile": _quantile("moic", 0.5),
    "irr_quantile": _quantile("irr", 0.5),
    "peak_funding_quantile": _quantile("peak_funding", 0.95),
    "payback_quantile": _quantile("payback_months", 0.5),
    "p_paid_without_effect": MeasureKind(
        "probability that the contingent terms pay although by no metric the people did truly better",
        "P(paid without effect)",
        "share",
        False,
        lambda columns, _party, _number, weighting: statistics.probability(_paid_without_effect(columns), weighting),
        lambda columns, _party, _number: _paid_without_effect(columns).astype(np.float64),
    ),
}


def measures_on(amount: str) -> dict[str, MeasureKind]:
    """Return the measures that are based on one amount, by name."""
    return {name: kind for name, kind in MEASURES.items() if kind.amount == amount}


@dataclass(frozen=True)
class Measure:
    """A measure of the money of one party."""

    party: str
    name: str
    number: float

    @property
    def kind(self) -> MeasureKind:
        """Say what it is."""
        return MEASURES[self.name]

    @property
    def sign(self) -> int:
        """1 if more is better, -1 if less is."""
        return 1 if self.kind.more_is_better else -1

    @property
    def title(self) -> str:
        """Its words in a table: `CVaR 95 % (loss)`."""
        return self.kind.title.format(_written(self.number, self.kind.number_unit))

    def scores(self, columns: Columns) -> Floats:
        """Return one number per replication whose mean is the measure; NaN if a replication does not count.

        A quantile is no mean, and has none: see `difference`.
        """
        assert self.kind.scores is not None, "asked of means alone"
        return self.kind.scores(columns, self.party, self.number)

    def of(self, columns: Columns, weighting: Weighting | None = None) -> Statistic:
        """Compute the measure, with its standard error; `weighting`: if rows are dependent or have different weights."""
        return self.kind.of(columns, self.party, self.number, weighting)

    def difference(self, before: Columns, after: Columns) -> Statistic:
        """Return the difference between two settlements of the same replications, row by row: the second less the first.

        Of a mean the rows are subtracted, so that what both share drops out of the error; of a quantile, groups of rows are left
        out in turn. Where no row changes its side of a probability although money moves, others may: then it is not 0, but at
        most 3 / n either way.
        """
        if self.kind.scores is None:
            return self._difference_of_quantiles(before, after)
        first, second = self.scores(before), self.scores(after)
        (change,), _ = those_measured(None, second - first)
        if len(change) < 2:
            return NOT_GIVEN
        found = statistics.mean(change)
        if self.kind.is_probability and not change.any() and self._moves(before, after):
            bound = min(_RULE_OF_THREE / len(change), 1.0)
            return replace(found, interval_95=(-bound, bound), covers=False)
        return found

    def _moves(self, before: Columns, after: Columns) -> bool:
        if self.kind.amount is None:
            return False
        amount = AMOUNTS[self.kind.amount]
        return not np.array_equal(amount.of(before, self.party), amount.of(after, self.party), equal_nan=True)

    def _difference_of_quantiles(self, before: Columns, after: Columns) -> Statistic:
        assert self.kind.amount is not None, "every quantile is one of an amount"
        amount = AMOUNTS[self.kind.amount]
        rows = np.stack([amount.of(one, self.party) for one in (before, after)], axis=1)
        rows = rows[~np.isnan(rows).any(axis=1)]
        if len(rows) < 2 or not np.isfinite(_quantiles(rows, self.number)).all():
            return NOT_GIVEN
        found: Statistic = with_error(lambda some: np.diff(_quantiles(some, self.number)), rows)[0]
        return found

    def __str__(self) -> str:
        shown = self.kind.number and self.number != self.kind.default
        return f"{self.party}.{self.name}" + (f"({self.number:.10g})" if shown else "")


def _quantiles(rows: Floats, level: float) -> Floats:
    return np.asarray(np.quantile(rows, level, axis=0, method="inverted_cdf"))


def _written(number: float, unit: AmountUnit) -> str:
    if unit in ("share", "per year"):
        return f"{100 * number:.10g} %"
    return f"{number:,.10g}" + (" months" if unit == "months" else "")
