"""What an answer says of each party's money, and the standard error of whatever is computed from many worlds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from simengine.asked import is_number, names_asked, one_of_words
from simengine.config import Study
from simengine.config.roles import refuse_without_money, with_money
from simengine.errors import UsageError, shorten
from simengine.pipeline import Evidence, evaluate
from simengine.records import Floats, Outturns
from simengine.risk import statistics
from simengine.risk.coverage import judged
from simengine.risk.parties import ROLE_OF, parties_of
from simengine.risk.statistics import Statistic

Columns = Mapping[str, Floats]
Measure = Literal["net", "npv"]
"""What is asked of a party: all its money, or the same discounted at its own rate."""

N_GROUPS = 50
TAIL_WORLDS = 100
"""Fewer worlds than these in a tail say nothing about it."""


@dataclass(frozen=True)
class Standing:
    """Where one party stands."""

    net: Statistic
    npv: Statistic
    p_loss: Statistic
    """Of a net below zero."""
    cvar: Statistic | None
    """Mean loss (-net) in the worst 1 - level of the worlds; absent where these are too few."""


def money_of(outturns: Outturns) -> dict[str, Floats]:
    """Net and net present value of every party and of every total, by `<name>.<measure>`; and what was drawn.

    Of those who lend there is `<name>.money_in` as well.
    """
    columns: Mapping[str, Any] = outturns.columns
    kept = {f"{name}.{measure}": columns[f"{name}.{measure}"] for name in _names(columns) for measure in ("net", "npv")}
    kept |= {name: column for name, column in columns.items() if name.endswith(".money_in")}
    return {name: np.asarray(column, dtype=np.float64) for name, column in {**kept, "drawn": columns["drawn"]}.items()}


def _names(columns: Mapping[str, Any]) -> list[str]:
    return [*parties_of(columns), *(total for total in ROLE_OF if f"{total}.net" in columns)]


def settled_money(study: Study, evidence: Evidence) -> dict[str, Floats]:
    """Settle the contract, move the money, and keep what every party has."""
    return money_of(evaluate(study, evidence, with_returns=False))


def chosen_parties(names: Sequence[str], study: Study, option: str = "--party") -> tuple[str, ...]:
    """Names of the parties that are asked for, or of all whose money the study moves.

    Raises
    ------
    UsageError
        If one of them has no money in the study.
    """
    asked = tuple(dict.fromkeys(names_asked(names, option)))
    for name in asked:
        refuse_without_money(study, name, option)
    return asked or with_money(study)


def refuse_measure(measure: str) -> None:
    """Refuse a measure of money that is none."""
    one_of_words(measure, "--of", get_args(Measure))


def refuse_level(level: float) -> None:
    """Refuse a level of a tail that is none."""
    if not is_number(level) or not 0 < level < 1:
        found = f"{level:g}" if is_number(level) else shorten(level)
        raise UsageError(f"--level: the level of a tail must lie between 0 and 1; found {found}. 0.95 is the worst 5 % of worlds")


def tail_needs(n_worlds: int, level: float, n_per_replication: int = 1) -> int | None:
    """Give the replications that a tail takes; nothing where it has them."""
    if n_worlds * n_per_replication * (1 - level) >= TAIL_WORLDS - 1e-9:
        return None
    return int(np.ceil(TAIL_WORLDS / (1 - level) / n_per_replication - 1e-9))


def refuse_thin_tail(n_worlds: int, level: float, n_per_replication: int = 1) -> None:
    """Refuse to speak of a tail that holds too few worlds."""
    refuse_level(level)
    needed = tail_needs(n_worlds, level, n_per_replication)
    if needed is not None:
        raise UsageError(
            f"-n: the worst {100 * (1 - level):g} % of the worlds are at least {TAIL_WORLDS}; found "
            f"{n_worlds * n_per_replication * (1 - level):.0f}. Ask for -n {needed} or more, or for a lower --level"
        )


def standing_of(columns: Columns, party: str, level: float) -> Standing:
    """Give where a party stands in some worlds."""
    net = columns[f"{party}.net"]
    is_given = tail_needs(len(net), level) is None
    return Standing(
        net=statistics.mean(net),
        npv=statistics.mean(columns[f"{party}.npv"]),
        p_loss=statistics.probability(net < 0),
        cvar=statistics.conditional_value_at_risk(-net, level) if is_given else None,
    )


def tail_weights(loss: Floats, level: float) -> Floats:
    """Give the weights with which worlds enter a CVaR; they add up to 1.

    Worlds beyond the quantile q weigh 1 / ((1 - level) n) each, those at q share what is left: then the weighted mean of the loss
    is the CVaR of Rockafellar and Uryasev also where payments have atoms.
    """
    q = np.quantile(loss, level, method="inverted_cdf")
    beyond, at = loss > q, loss == q
    whole = (1 - level) * len(loss)
    return np.asarray((beyond + at * ((whole - beyond.sum()) / at.sum())) / whole)


def with_error(estimate: Callable[[Floats], Floats], worlds: Floats, n_groups: int = N_GROUPS) -> NDArray[np.object_]:
    """Estimate something from worlds, with the standard error of the delete-a-group jackknife.

    Parameters
    ----------
    estimate
        From some worlds, shape (n, ...), to an array of numbers.
    worlds
        Shape (n_replications, ...): one row per independent replication.
    n_groups
        Groups of neighbouring rows, of which each is left out once; fewer where there are fewer rows.

    Returns
    -------
    The shape of the estimate: statistics.

    Notes
    -----
    With t_g the estimate without group g of G, the variance is (G - 1) / G times the sum of (t_g - mean t)^2. Deleting groups, not
    single rows, keeps it right for quantiles and tails. Where few groups carry it, it is stretched, or said not to cover.

    References
    ----------
    Shao, J. and Tu, D. (1995), The Jackknife and Bootstrap, sections 2.2 and 2.3, doi:10.1007/978-1-4612-0795-5.
    """
    value = np.asarray(estimate(worlds))
    edges = np.linspace(0, len(worlds), min(n_groups, len(worlds)) + 1).astype(np.int64)
    without = np.stack([np.asarray(estimate(np.concatenate([worlds[:first], worlds[last:]]))) for first, last in pairwise(edges)])
    n = len(without)
    apart = without - without.mean(axis=0)
    error = np.sqrt((n - 1) / n * (apart**2).sum(axis=0))
    found = np.empty(value.shape, dtype=object)
    for place in np.ndindex(value.shape):
        one = judged(float(error[place]), apart[(slice(None), *place)])
        found[place] = Statistic(float(value[place]), one.se, covers=one.covers)
    return found
