"""What a party may care about: numbers about its money that it wants large or small, and the limits it sets on them.

A measure is written `party.measure`, or `party.measure(number)`: `investor.p_loss`, `investor.cvar(0.9)`,
`outcome_payer.p_cost_over(4_000_000)`. A limit is a measure, `<=` or `>=`, and a number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from simengine.records import Floats
from simengine.risk import statistics
from simengine.risk.statistics import Statistic

Columns = Mapping[str, Floats]


def _expected_net(columns: Columns, party: str, _: float) -> Floats:
    return columns[f"{party}.net"]


def _expected_npv(columns: Columns, party: str, _: float) -> Floats:
    return columns[f"{party}.npv"]


def _certainty_equivalent(columns: Columns, party: str, tolerance: float) -> Floats:
    """Give the certainty equivalent of the present value, linearised about itself so that its mean is the value.

    The value is -T log E exp(-X / T), worked out from the least X so that nothing overflows.
    """
    money = columns[f"{party}.npv"]
    least = float(np.min(money))
    utility = np.exp(-(money - least) / tolerance)
    mean = float(np.mean(utility))
    return np.asarray(least - tolerance * np.log(mean) - tolerance * (utility - mean) / mean)


def _p_loss(columns: Columns, party: str, _: float) -> Floats:
    return _as_numbers(columns[f"{party}.net"] < 0)


def _p_npv_below(columns: Columns, party: str, hurdle: float) -> Floats:
    return _as_numbers(columns[f"{party}.npv"] < hurdle)


def _p_cost_over(columns: Columns, party: str, budget: float) -> Floats:
    return _as_numbers(-columns[f"{party}.net"] > budget)


def _cvar(columns: Columns, party: str, level: float) -> Floats:
    """Give the Rockafellar-Uryasev form of each world, as `statistics.conditional_value_at_risk` does."""
    loss = -columns[f"{party}.net"]
    q = float(np.quantile(loss, level, method="inverted_cdf"))
    return q + np.maximum(loss - q, 0.0) / (1 - level)


def _p_paid_without_effect(columns: Columns, _party: str, _: float) -> Floats:
    truths = [values for name, values in columns.items() if name.startswith("metric.") and name.endswith(".truth")]
    # Of an effect that does not exist, as a share of nothing, nobody can say that there was one.
    did_nothing = np.logical_and.reduce([~(truth > 0) for truth in truths])
    return _as_numbers((columns["contingent_payment"] > 0) & did_nothing)


def _as_numbers(cases: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Floats:
    return cases.astype(np.float64)


@dataclass(frozen=True)
class Kind:
    """A kind of measure: how each world counts, and what its number may be."""

    scores: Callable[[Columns, str, float], Floats]
    """From the columns, the party and the number: shape (n_replications,); the mean is the measure."""
    more_is_better: bool
    meaning: str
    number: str = ""
    """What the number in brackets is; empty where there is none."""
    default: float | None = None
    """The number if none is written; absent: it must be."""
    within: tuple[float, float] = (-np.inf, np.inf)
    """Where the number lies, both ends left out."""
    is_probability: bool = False
    is_money: bool = False


KINDS: Mapping[str, Kind] = {
    "expected_net": Kind(_expected_net, True, "mean of all its money", is_money=True),
    "expected_npv": Kind(_expected_npv, True, "mean of its net present value, at its own discount rate", is_money=True),
    "certainty_equivalent": Kind(
        _certainty_equivalent,
        True,
        "the sure present value that it would take instead, with constant absolute risk aversion",
        "risk tolerance, in the currency",
        within=(0, np.inf),
        is_money=True,
    ),
    "p_loss": Kind(_p_loss, False, "probability that its net is below 0", is_probability=True),
    "p_npv_below": Kind(
        _p_npv_below, False, "probability that its net present value is below the number", "hurdle", is_probability=True
    ),
    "p_cost_over": Kind(
        _p_cost_over,
        False,
        "probability that its net cost (the negative of its net) is above the number",
        "budget",
        is_probability=True,
    ),
    "cvar": Kind(
        _cvar, False, "mean of its loss (the negative of its net) in the worst worlds", "level", 0.95, (0, 1), is_money=True
    ),
    "p_paid_without_effect": Kind(
        _p_paid_without_effect,
        False,
        "probability that the contingent terms pay although by no metric the people did truly better",
        is_probability=True,
    ),
}

_NUMBER = r"[-+]?[\d_]*\.?\d[\d_]*(?:[eE][-+]?\d+)?"
_MEASURE = rf"([A-Za-z]\w*)\.([a-z_]+)(?:\(\s*({_NUMBER})\s*\))?"


@dataclass(frozen=True)
class Measure:
    """A number about the money of one party."""

    party: str
    name: str
    number: float

    @property
    def kind(self) -> Kind:
        """Say what it is."""
        return KINDS[self.name]

    @property
    def sign(self) -> int:
        """Give 1 where more is better, -1 where less is."""
        return 1 if self.kind.more_is_better else -1

    def scores(self, columns: Columns) -> Floats:
        """Give one number per world whose mean is the measure, so that two measures can be compared world by world."""
        return self.kind.scores(columns, self.party, self.number)

    def of(self, columns: Columns) -> Statistic:
        """Work the measure out, with its Monte Carlo standard error."""
        scores = self.scores(columns)
        return statistics.probability(scores > 0) if self.kind.is_probability else statistics.mean(scores)

    def __str__(self) -> str:
        shown = self.kind.number and self.number != self.kind.default
        return f"{self.party}.{self.name}" + (f"({self.number:.10g})" if shown else "")


@dataclass(frozen=True)
class Limit:
    """A measure that stays on one side of a level."""

    measure: Measure
    is_least: bool
    """Whether the level is the least that is allowed (`>=`), or the most (`<=`)."""
    level: float

    def excess(self, value: float) -> float:
        """Say by how much a value breaks the limit; not above 0 where it is kept."""
        return self.level - value if self.is_least else value - self.level

    def __str__(self) -> str:
        return f"{self.measure} {'>=' if self.is_least else '<='} {self.level:.10g}"


def read_measure(text: str, party: str | None = None) -> Measure:
    """Read a measure; a party that is known need not be written.

    Raises
    ------
    ValueError
        If the text says no measure, or one with an impossible number.

    Examples
    --------
    >>> str(read_measure("investor.cvar(0.9)"))
    'investor.cvar(0.9)'
    """
    text = f"{party}.{text.strip()}" if party is not None else text.strip()
    found = re.fullmatch(_MEASURE, text)
    if found is None:
        raise ValueError(f"a measure is written party.measure or party.measure(number), such as investor.p_loss; found {text!r}")
    owner, name, number = found.groups()
    if name not in KINDS:
        raise ValueError(f"a measure is one of {', '.join(KINDS)}; found {name!r}")
    return Measure(owner, name, _read_number(name, number))


def _read_number(name: str, text: str | None) -> float:
    kind = KINDS[name]
    if text is None:
        if kind.number and kind.default is None:
            raise ValueError(f"{name} takes a number, its {kind.number}: {name}(1_000_000); found none")
        return kind.default or 0.0
    if not kind.number:
        raise ValueError(f"{name} takes no number; found {text}")
    low, high = kind.within
    if not low < float(text) < high:
        raise ValueError(f"the {kind.number} of {name} must lie between {low:g} and {high:g}; found {text}")
    return float(text)


def read_limit(text: str, party: str | None = None) -> Limit:
    """Read a limit; a party that is known need not be written.

    Raises
    ------
    ValueError
        If the text says no limit, or one that nothing or everything keeps.

    Examples
    --------
    >>> str(read_limit("investor.p_loss <= 0.10"))
    'investor.p_loss <= 0.1'
    """
    found = re.fullmatch(rf"(.*?)\s*(<=|>=)\s*({_NUMBER})\s*", text)
    if found is None:
        raise ValueError(f"a limit is a measure, <= or >=, and a number, such as investor.p_loss <= 0.10; found {text!r}")
    limit = Limit(read_measure(found[1], party), found[2] == ">=", float(found[3]))
    if limit.measure.kind.is_probability and not 0 <= limit.level <= 1:
        raise ValueError(f"the limit of a probability must lie between 0 and 1; found {limit}")
    return limit


def contradiction(limits: Iterable[Limit]) -> tuple[Limit, Limit] | None:
    """Find a limit from below that lies above one from above on the same measure; nothing where there is none."""
    limits = list(limits)
    for least in limits:
        for most in limits:
            if least.is_least and not most.is_least and least.measure == most.measure and least.level > most.level:
                return least, most
    return None
