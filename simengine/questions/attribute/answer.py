"""Variance and tail risk of each party's money, split by source (layer) and by party.

The layers of a replication are drawn twice, independently of each other, and every combination of first and second draws is
settled: 2^k replications for k layers, one family per replication. Two members of a family that agree in the layers S, and in no
others, have half the mean squared difference E Var(Y | S); so Var E(Y | S) is known for every S without a loop inside a loop. In
the same way the mean loss of a member that agrees in S with one that lies in the tail gives the contribution of S to the tail.
Shapley's value divides both between the layers: it adds up, and a layer without influence gets nothing.

References
----------
Song, Nelson and Staum 2016, "Shapley effects for global sensitivity analysis", doi:10.1137/15M1048070: the game of the variance,
and that conditioning on a layer and freezing it give the same shares. Jansen 1999, "Analysis of variance designs for model output",
doi:10.1016/S0010-4655(98)00154-4: halved squared differences. Tasche 1999, "Risk contributions and performance measurement":
Euler shares of a standard deviation and of a CVaR.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import factorial

import numpy as np

from simengine.config import Study
from simengine.config.roles import with_money
from simengine.distributions.sourced import Layer
from simengine.pipeline import DrawOverrides, simulate
from simengine.questions.attribute.layers import coalitions, layers_in, refuse_across_layers, seeds_with
from simengine.records import Floats, Integers
from simengine.replications.answer import Answer
from simengine.replications.ensemble import Ensemble, with_used_designs_alone
from simengine.replications.money import AmountAsked, amount_asked, parties_with, refuse_thin_tail, settled_money
from simengine.risk.amounts import Columns
from simengine.risk.coverage import ROUNDING
from simengine.risk.jackknife import tail_weights, with_error
from simengine.risk.statistics import Statistic


@dataclass(frozen=True)
class LayerShares:
    """One quantity of a party, divided between the layers."""

    total: Statistic
    """All of it."""
    shapley: Mapping[Layer, Statistic]
    """By layer: its Shapley share; these add up to the total."""
    alone: Mapping[Layer, Statistic]
    """By layer: what it explains by itself."""
    nested: Mapping[Layer, Statistic]
    """By layer: its contribution once those before it are known, in the order parameters, environment, sampling, measurement; these
    add up to the total too."""


@dataclass(frozen=True)
class TailGuarantee:
    """The cost of insuring the tail."""

    beyond: Statistic
    """The loss above which a guarantor pays: the value at risk."""
    fair_premium: Statistic
    """Mean payment of the guarantor, E(loss - beyond)+, over all replications."""


@dataclass(frozen=True)
class Burden:
    """The risk of one party."""

    mean: Statistic
    """Mean of its money."""
    sd: Statistic
    """Standard deviation of it."""
    cvar: Statistic
    """Mean loss in the worst replications; for an amount of which less is better, its own mean there."""
    variance: LayerShares
    """The variance, divided between the layers."""
    tail: LayerShares
    """CVaR of the loss less the mean loss, divided in the same way: how much worse the worst replications are than all of them."""
    sd_if_known: Mapping[Layer, Statistic]
    """By layer: the standard deviation that remains on average if all of it is known beforehand."""
    guarantee: TailGuarantee
    """The cost of insuring the tail."""


@dataclass(frozen=True)
class Portion:
    """A party's Euler share in the risk of all parties together."""

    sd: Statistic
    """cov(party, all) / sd(all): the shares add up to the standard deviation of all."""
    cvar: Statistic
    """Mean loss of the party in the tail of all; the shares add up to the CVaR of all."""


@dataclass(frozen=True, repr=False)
class Attribution(Answer):
    """Risk by source and by party."""

    level: float
    """Level of the tail."""
    measure: str
    """The amount or measure analysed."""
    layers: tuple[Layer, ...]
    """The layers in which the study draws anything."""
    burdens: Mapping[str, Burden]
    """By party: its risk."""
    portions: Mapping[str, Portion]
    """By party: its Euler share in the risk of all; `all` is their sum. For money only."""

    @property
    def drawn(self) -> str:
        """Say in words which replications were drawn: each family shares all draws but those of some layers."""
        size = 2 ** len(self.layers)
        return f"{self.n_replications:,} families of {size} replications ({self.n_replications * size:,}), seed {self.seed}"


def attribute(study: Study, ensemble: Ensemble, level: float, measure: str = "net", parties: Sequence[str] = ()) -> Attribution:
    """Divide the variance and the tail of each party's money between layers, and those of all parties between the parties.

    Parameters
    ----------
    study
        Each number belongs to the layer that its `layer` names.
    ensemble
        How many families of replications are drawn; each is simulated 2^k times, for k layers in which the study draws anything.
    level
        Of the tail.
    measure
        `net`: all money of a party; `npv`: the same, discounted; or another amount, or a measure that is a mean over replications,
        such as `p_loss`, whose variance is then that of the contribution of each replication. If less is better, the tail is at the
        upper end.
    parties
        The parties to report on; all if empty.

    Raises
    ------
    UsageError
        If a party is unknown or has no such amount, numbers of different layers are correlated, or a tail would hold fewer than 100
        replications.
    """
    study = with_used_designs_alone(study)
    refuse_across_layers(study)
    asked = amount_asked(measure)
    chosen = parties_with(study, asked, parties)
    layers = layers_in(study)
    refuse_thin_tail(ensemble.n_replications, level, 2 ** len(layers))
    answers = ensemble.ask(lambda replications: _draw_families(study, layers, ensemble.seed, replications, asked))
    families = {party: np.stack([asked.values(answer, party) for answer in answers], axis=1) for party in chosen}
    # Only the parties of the study: a total would count some of them twice. Rates and probabilities do not add up.
    everybody = {party: asked.values(answers[-1], party) for party in with_money(study)} if asked.unit == "money" else {}
    return Attribution(
        n_replications=ensemble.n_replications,
        seed=ensemble.seed,
        level=level,
        measure=asked.text,
        layers=layers,
        burdens={party: burden(families[party], layers, level, asked.sign) for party in chosen},
        portions=portions(everybody, level) if everybody else {},
    )


def burden(family: Floats, layers: tuple[Layer, ...], level: float, sign: int = 1) -> Burden:
    """Compute the risk of a party.

    Parameters
    ----------
    family
        Shape (n_replications, 2^k): its money in every member of a family, by the layers that are of the first draw, in the order
        of `coalitions`.
    layers
        The k layers.
    level
        Of the tail.
    sign
        1 where more is better, so that the tail holds the least; -1 where less is.
    """
    n_layers = len(layers)

    def all_of(rows: Floats) -> Floats:
        spread, tail = variance_game(rows), tail_game(sign * rows, level)
        loss = -sign * rows
        weights = tail_weights(loss.ravel(), level).reshape(loss.shape)
        q = np.quantile(loss, level, method="inverted_cdf")
        known = np.sqrt(spread[-1] - spread[1 : n_layers + 1])
        facts = [rows.mean(), np.sqrt(spread[-1]), (weights * loss).sum(), q, np.maximum(loss - q, 0).mean()]
        return np.concatenate([facts, known, *(_shares(game, n_layers) for game in (spread, tail))])

    found: list[Statistic] = list(with_error(all_of, family))
    facts, rest = found[:5], found[5:]
    known, spread, tail = rest[:n_layers], rest[n_layers : 4 * n_layers + 1], rest[4 * n_layers + 1 :]
    return Burden(
        mean=facts[0],
        sd=facts[1],
        cvar=facts[2],
        variance=_named(spread, layers),
        tail=_named(tail, layers),
        sd_if_known=dict(zip(layers, known, strict=True)),
        guarantee=TailGuarantee(facts[3], facts[4]),
    )


def portions(money: Columns, level: float) -> dict[str, Portion]:
    """Return every party's Euler share in the risk of all parties together, and the whole under `all`."""
    rows = np.stack(list(money.values()), axis=1)

    def shares(draws: Floats) -> Floats:
        whole = draws.sum(axis=1)
        if np.ptp(whole) <= ROUNDING * np.abs(draws).max(initial=0.0):
            # Gains and losses cancel: the sum is a rounding error, and there is no joint risk to divide.
            whole = np.zeros_like(whole)
        centred = whole - whole.mean()
        spread = np.sqrt((centred**2).sum() / (len(whole) - 1))
        sd = (draws - draws.mean(axis=0)).T @ centred / (len(whole) - 1) / (spread or 1.0)
        tail = -draws.T @ tail_weights(-whole, level)
        return np.stack([[*sd, sd.sum()], [*tail, tail.sum()]])

    sd, cvar = with_error(shares, rows)
    return {party: Portion(sd[p], cvar[p]) for p, party in enumerate([*money, "all"])}


def variance_game(family: Floats) -> Floats:
    """Return Var E(Y | S) for every set S of layers, in the order of `coalitions`; 0 for none, the variance for all."""
    apart = np.array([((family - family[:, members]) ** 2).mean() / 2 for members in _agreeing(family.shape[1])])
    return np.asarray(apart[0] - apart)


def tail_game(family: Floats, level: float) -> Floats:
    """Return E(E(loss | S) - E loss | the loss is in its tail) for every set S of layers, in the order of `coalitions`."""
    loss = -family
    weights = tail_weights(loss.ravel(), level).reshape(loss.shape)
    within = np.array([(weights * loss[:, members]).sum() for members in _agreeing(family.shape[1])])
    return np.asarray(within - within[0])


def shapley(game: Floats, n_layers: int) -> Floats:
    """Compute Shapley values: each layer's mean contribution over all orders of the layers.

    Parameters
    ----------
    game
        Shape (2^n_layers,): the worth of every set of layers, in the order of `coalitions`.
    n_layers
        How many there are.

    References
    ----------
    Shapley, L. S. (1953), A value for n-person games, Contributions to the Theory of Games II, 307-317.
    """
    worth = dict(zip(coalitions(n_layers), game, strict=True))
    share = np.zeros(n_layers)
    for one, value in worth.items():
        for layer in set(range(n_layers)) - one:
            weight = factorial(len(one)) * factorial(n_layers - len(one) - 1) / factorial(n_layers)
            share[layer] += weight * (worth[one | {layer}] - value)
    return share


def _shares(game: Floats, n_layers: int) -> Floats:
    """Return the total, Shapley's shares, each layer alone and the nested shares, one after the other."""
    order = [coalitions(n_layers).index(frozenset(range(size))) for size in range(n_layers + 1)]
    return np.concatenate([game[-1:], shapley(game, n_layers), game[1 : n_layers + 1], np.diff(game[order])])


def _named(shares: Sequence[Statistic], layers: tuple[Layer, ...]) -> LayerShares:
    k = len(layers)
    parts = (shares[1 + i * k : 1 + (i + 1) * k] for i in range(3))
    shapley_shares, alone, nested = (dict(zip(layers, part, strict=True)) for part in parts)
    return LayerShares(shares[0], shapley_shares, alone, nested)


@cache
def _agreeing(n_members: int) -> list[list[int]]:
    """Return, for every set of layers, the index of the family member that agrees with each member in exactly these layers."""
    n_layers = n_members.bit_length() - 1
    members = coalitions(n_layers)
    everything = frozenset(range(n_layers))
    return [[members.index((one & shared) | (everything - one - shared)) for one in members] for shared in members]


def _draw_families(study: Study, layers: tuple[Layer, ...], seed: int, replications: Integers, asked: AmountAsked) -> list[Columns]:
    """Settle every combination of first and second draws of the layers, for a block of replications."""
    answers: list[Columns] = []
    for first in coalitions(len(layers)):
        anew = [layer for place, layer in enumerate(layers) if place not in first]
        overrides = DrawOverrides(seed_by_purpose=seeds_with(study, seed, anew))
        answers.append(settled_money(study, simulate(study, seed, replications, overrides=overrides), asked.measures))
    return answers
