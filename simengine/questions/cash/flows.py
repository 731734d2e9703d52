"""The cash of each party by month: drawn and settled as in a run, and held row by row.

A *name* is a party with all its accounts, the suppliers outside the study, the account through which the loan runs (`project`), all
lenders or all payers in this role, a tranche, or `<lender>.loans`: the tranches of a lender that has other cash too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simengine.config import Study
from simengine.config.roles import totals_of, with_money
from simengine.errors import UsageError, did_you_mean, one_of
from simengine.pipeline import Evidence, as_contract_asks, deviations_of, measured_again, move_money, simulate
from simengine.records import (
    ALL_LENDERS,
    ALL_PAYERS,
    INVESTOR,
    OUTCOME_PAYER,
    PROJECT,
    SUPPLIERS,
    Integers,
    Ledger,
    ReplicationResults,
)
from simengine.replications.blocks import map_blocks
from simengine.replications.ensemble import Ensemble
from simengine.risk.parties import accounts_of
from simengine.sampling import PLAIN, Sampling, group_of, refuse_impossible, seeds_again

_LOANS, _TRANCHE = ".loans", "tranche."


@dataclass(frozen=True, eq=False)
class CashFlows:
    """Cash by month, row by row."""

    units: int
    """Smallest units in one unit of the currency."""
    rows: ReplicationResults
    """Which replications the rows are, and how they were drawn."""
    cash: Mapping[str, Integers]
    """By name: shape (n_rows, n_months), in the smallest unit of the currency; positive is received."""
    paid_in: Mapping[str, Integers]
    """By name of who lends, and by tranche: shape (n_rows,), in the smallest unit: money paid in."""

    @property
    def n_months(self) -> int:
        """Months of the calendar, from 0 to the horizon, which is the last one."""
        return int(next(iter(self.cash.values())).shape[1])


def names_with_cash(study: Study) -> tuple[str, ...]:
    """List the names whose cash may be asked for, in order."""
    capital = study.capital
    own = [cost for party in study.parties.values() for cost in party.costs.values()]
    outside = [SUPPLIERS] if any(cost.payee is None for cost in own) else []
    tranches = [f"{_TRANCHE}{name}" for name in capital.tranches] if len(capital.tranches) > 1 else []
    return (
        *(*with_money(study), *outside, PROJECT, *totals_of(study)),
        *(*(f"{lender}{_LOANS}" for lender in capital.lenders), *tranches),
    )


def refuse_without_cash(study: Study, names: Sequence[str]) -> None:
    """Refuse a name that a study does not have.

    Raises
    ------
    UsageError
        With the names that there are.
    """
    known = names_with_cash(study)
    for name in names:
        if name not in known:
            rule = "must be a party whose money the study moves, a total, or a tranche"
            raise UsageError(f"--party: {rule}; found `{name}`. {did_you_mean(name, known, one_of(known))}")


def commitments(study: Study) -> dict[str, float]:
    """Return the most that is drawn from each lender, from all and from each tranche, in the currency.

    None where a line may be drawn again: what is drawn in all may then exceed what is committed.
    """
    tranches = study.capital.all_tranches(study.contract.commitment.value)
    found, again = {ALL_LENDERS: study.contract.commitment.value}, set[str]()
    for name, tranche in tranches.items():
        assert tranche.size != "rest"
        found[f"{_TRANCHE}{name}"] = tranche.size.value
        lenders = (tranche.holder, f"{tranche.holder}{_LOANS}")
        for lender in lenders:
            found[lender] = found.get(lender, 0.0) + tranche.size.value
        again |= {f"{_TRANCHE}{name}", ALL_LENDERS, *lenders} if tranche.revolving else set()
    return {name: amount for name, amount in found.items() if name not in again}


def is_exhausted(paid_in: Integers, commitment: float, units: int) -> NDArray[np.bool_]:
    """Return where as much was paid in as was committed: to the unit, for a part of a draw is rounded."""
    return np.asarray(paid_in >= floor(round(commitment * units, 6)))


def draw_flows(
    study: Study, ensemble: Ensemble, sampling: Sampling, names: Sequence[str], *, with_variates: bool = False
) -> CashFlows:
    """Draw replications, and hold the cash of each name in each month.

    Parameters
    ----------
    study
        The question.
    ensemble
        Which replications are drawn.
    sampling
        How the numbers of the study are drawn.
    names
        Whose cash. If there are none, all names: without those that have none (unless none has any), such as the project where
        nothing stays in it; without
        the loans of a lender that has no other cash; and without a tranche that is all that its holder has.
    with_variates
        As for `run_block`.

    Raises
    ------
    UsageError
        If the study cannot be drawn in this way.
    """
    refuse_impossible(sampling, study.numbers, ensemble.first + ensemble.n_replications)
    parts = map_blocks(
        lambda numbers: flows_of_block(study, ensemble.seed, numbers, sampling, names, with_variates=with_variates),
        ensemble.n_replications,
        threads=ensemble.threads,
        block_size=ensemble.block_size,
        first=ensemble.first,
        on_progress=ensemble.on_progress,
        on_pace=ensemble.on_pace,
    )
    rows = ReplicationResults.join([part.rows for part in parts])
    cash = {name: np.concatenate([part.cash[name] for part in parts]) for name in parts[0].cash}
    paid_in = {name: np.concatenate([part.paid_in[name] for part in parts]) for name in parts[0].paid_in}
    if not names:
        moving = {name: one for name, one in cash.items() if one.any() and not _repeats(study, name, cash)}
        # Where no money moves at all, the parties have that to show.
        cash = moving or {name: cash[name] for name in with_money(study)}
    return CashFlows(parts[0].units, rows, cash, paid_in)


def _repeats(study: Study, name: str, cash: Mapping[str, Integers]) -> bool:
    """Whether a name has the same cash as the lender behind it."""
    if name.endswith(_LOANS):
        return np.array_equal(cash[name], cash[name.removesuffix(_LOANS)])
    if not name.startswith(_TRANCHE):
        return False
    holder = study.capital.tranches[name.removeprefix(_TRANCHE)].holder
    return any(np.array_equal(cash[name], cash[one]) for one in (holder, f"{holder}{_LOANS}"))


def flows_of_block(
    study: Study,
    seed: int,
    replications: Integers,
    sampling: Sampling = PLAIN,
    names: Sequence[str] = (),
    *,
    with_variates: bool = False,
) -> CashFlows:
    """Draw some replications, settle the contract, and keep the cash of each name; parameters as for `draw_flows`."""
    evidence = simulate(study, seed, replications, sampling)
    again = (measured_again(study, evidence, other) for other in seeds_again(seed, sampling.measured))
    settled_once = [_flows(study, one, names or names_with_cash(study)) for one in (evidence, *again)]
    numbers = np.repeat(replications, sampling.measured)
    weight, group = evidence.draws.weight, group_of(sampling, numbers)
    columns: dict[str, NDArray[Any]] = {} if weight is None else {"weight": np.repeat(weight, sampling.measured)}
    columns |= {} if group is None else {"group": group}
    deviations = deviations_of(study, evidence) if with_variates else {}
    columns |= {f"deviation.{name}": np.repeat(deviation, sampling.measured) for name, deviation in deviations.items()}
    rows = ReplicationResults(numbers, columns, {}, {}, made_by=(study, evidence.draws.seed, sampling))
    first = settled_once[0]
    return CashFlows(
        first[2],
        rows,
        {name: _interleaved([one[0][name] for one in settled_once]) for name in first[0]},
        {name: _interleaved([one[1][name] for one in settled_once]) for name in first[1]},
    )


def _interleaved(arrays: Sequence[Integers]) -> Integers:
    """Put several results of the same replications together, replication by replication."""
    return np.stack(arrays, axis=1).reshape(-1, *arrays[0].shape[1:])


def _flows(study: Study, evidence: Evidence, names: Sequence[str]) -> tuple[dict[str, Integers], dict[str, Integers], int]:
    """Return the cash and the money paid in by name, and the smallest units of the currency."""
    measurements = as_contract_asks(study.contract, evidence.tallies, evidence.measurements, evidence.draws)
    _, ledger = move_money(study, evidence.draws, evidence.tallies, measurements)
    cash = {name: ledger.cash_in(_accounts(name, ledger)) for name in names}
    return cash, _paid_in(names, ledger), ledger.units


def _accounts(name: str, ledger: Ledger) -> frozenset[str]:
    role = {ALL_LENDERS: INVESTOR, ALL_PAYERS: OUTCOME_PAYER}.get(name)
    if role is not None:
        return frozenset(one.name for one in ledger.accounts if one.role == role)
    if name.startswith(_TRANCHE):
        return frozenset({name})
    if name.endswith(_LOANS):
        return accounts_of(name.removesuffix(_LOANS), ledger.accounts, INVESTOR)
    return accounts_of(name, ledger.accounts)


def _paid_in(names: Sequence[str], ledger: Ledger) -> dict[str, Integers]:
    """Add up the money paid in by each name that lends, in the smallest unit."""
    places = {f"{_TRANCHE}{name}": place for place, name in enumerate(ledger.tranches)}
    found = {}
    for name in names:
        mine = [place for account, place in places.items() if account in _accounts(name, ledger)]
        if mine:
            found[name] = np.asarray(ledger.paid_in[:, mine].sum(axis=1))
    return found
