"""What an answer says of each party's money, and the standard error of whatever is computed from many worlds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from simengine.config import Study
from simengine.errors import UsageError
from simengine.pipeline import Evidence, evaluate
from simengine.records import Floats, Outturns
from simengine.risk import statistics
from simengine.risk.pockets import net_of
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
    """Keep the money of every party, by `<party>.<measure>`, and the money drawn.

    Where others lend or pay beside the investor or the outcome payer, these stand for all of them; what is their own alone stands
    under `<party>.own_<measure>`, so that the own money of all parties counts nothing twice.
    """
    columns: Mapping[str, Any] = outturns.columns
    kept: dict[str, Any] = {}
    for party in parties_of(columns):
        kept |= {f"{party}.{measure}": columns[f"{party}.{measure}"] for measure in ("net", "npv")}
        if f"{party}.own_npv" in columns:
            kept |= {f"{party}.own_net": net_of(columns, party), f"{party}.own_npv": columns[f"{party}.own_npv"]}
    return {name: np.asarray(column, dtype=np.float64) for name, column in {**kept, "drawn": columns["drawn"]}.items()}


def own_money(columns: Columns, measure: Measure) -> dict[str, Floats]:
    """Give the own money of every party that has any; who only lends its name to the role of others is left out."""
    own = {party: columns.get(f"{party}.own_{measure}", columns[f"{party}.{measure}"]) for party in parties_of(columns)}
    return {party: money for party, money in own.items() if f"{party}.own_{measure}" not in columns or money.any()}


def settled_money(study: Study, evidence: Evidence) -> dict[str, Floats]:
    """Settle the contract, move the money, and keep what every party has."""
    return money_of(evaluate(study, evidence, with_returns=False))


def parties_of(columns: Mapping[str, Any]) -> tuple[str, ...]:
    """List the parties whose money is counted, in the order of the columns."""
    return tuple(name.removesuffix(".net") for name in columns if name.endswith(".net"))


def chosen_parties(names: Iterable[str], study: Study, option: str = "--party") -> tuple[str, ...]:
    """Give the parties that are asked for, or all.

    Raises
    ------
    UsageError
        If one of them has no money in the study.
    """
    asked, known = tuple(dict.fromkeys(names)), tuple(study.parties)
    for name in asked:
        if name not in known:
            raise UsageError(f"{option}: a party of the study whose money is counted; found {name!r}. One of: {', '.join(known)}")
    return asked or known


def refuse_level(level: float) -> None:
    """Refuse a level of a tail that is none."""
    if not 0 < level < 1:
        raise UsageError(f"--level: the level of a tail must lie between 0 and 1; found {level:g}. 0.95 is the worst 5 % of worlds")


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
    single rows, keeps it right for quantiles and tails.

    References
    ----------
    Shao, J. and Tu, D. (1995), The Jackknife and Bootstrap, sections 2.2 and 2.3, doi:10.1007/978-1-4612-0795-5.
    """
    value = np.asarray(estimate(worlds))
    edges = np.linspace(0, len(worlds), min(n_groups, len(worlds)) + 1).astype(np.int64)
    without = np.stack([np.asarray(estimate(np.concatenate([worlds[:first], worlds[last:]]))) for first, last in pairwise(edges)])
    n = len(without)
    error = np.sqrt((n - 1) / n * ((without - without.mean(axis=0)) ** 2).sum(axis=0))
    return np.asarray(np.frompyfunc(lambda one, other: Statistic(float(one), float(other)), 2, 1)(value, error), dtype=object)
