"""Money for tests: replications, payments and ledgers made from a few plain numbers."""

import numpy as np
from pydantic import TypeAdapter

from simengine.capital import Calendar, distribute, plan_money
from simengine.capital.spec import Capital, Party
from simengine.distributions import Constant, quantities_in
from simengine.records import PROJECT, Account, Draws, Ledger, LedgerLine, Payments

PARTIES = ("investor", "outcome_payer", "service_provider")
CAPITAL = TypeAdapter(Capital)


def draws_of(n, **values):
    """Make replications from values by path; double underscores stand for dots, and a single number for the same in every replication."""
    drawn = {name.replace("__", "."): np.full(n, value, np.float64) for name, value in values.items()}
    return Draws(seed=0, replications=np.arange(n), values=drawn)


def capital_of(**keys):
    """Make a section `capital`; drawn at once unless it says how."""
    if keys.get("draws") != "as_needed":
        keys = {"drawdown_months": 1} | keys
    return CAPITAL.validate_python(keys)


def payments_of(amounts, months=None, parties=("outcome_payer", "investor"), stop=None):
    """Make payments of some terms, once each: by term the amounts by replication, and the month, the same in all of them."""
    by_due = np.stack([np.atleast_1d(np.asarray(amount, np.float64)) for amount in amounts.values()], axis=1)[:, :, None]
    due = np.array([[-1 if months is None else months[term]] for term in amounts])
    sides = parties if isinstance(parties[0], tuple) else (parties,) * len(amounts)
    stops = None if stop is None else np.asarray(stop, np.int64)
    return Payments(tuple(amounts), sides, ("settlement",), due, by_due, np.zeros(by_due.shape, np.int8), stops)


def parties_of(names, costs=None):
    """Make parties; by party, what it spends itself."""
    spent = costs or {}
    return {name: Party.model_validate({"name": name, "discount_rate_per_year": 0, "costs": spent.get(name, {})}) for name in names}


def moved(capital, payments, commitment, horizon=24, **options):
    """Plan and move the money of a section; its fixed numbers are the same in every replication."""
    plan, replication = planned(capital, len(payments.by_due), commitment, horizon, **options)
    return distribute(capital, plan, payments, replication)


def planned(capital, n, commitment, horizon=24, *, draws=None, parties=PARTIES, waves=None, people=None, costs=None, units=100):
    """Plan the money of a section in some replications; `costs` are what parties spend themselves, by party."""
    waves, parties = waves or {"all": (0, 1)}, parties_of(parties, costs)
    numbers = [*quantities_in(capital, "capital"), *quantities_in(parties, "parties")]
    values = {path: number.value for path, number in numbers if isinstance(number, Constant)}
    values |= {f"population.waves.{name}.enrolment_months": months for name, (_, months) in waves.items()}
    given = {} if draws is None else dict(draws.values)
    replication = draws_of(n, **{path.replace(".", "__"): value for path, value in (values | given).items()})
    calendar = Calendar(horizon, {name: (first, f"population.waves.{name}.enrolment_months") for name, (first, _) in waves.items()})
    counts = np.zeros((n, len(waves)), np.int64) if people is None else np.broadcast_to(people, (n, len(waves)))
    return plan_money(capital, commitment, units, parties, calendar, replication, counts), replication


def ledger_of(drawn, paid):
    """Make a ledger of one loan: what is drawn by month goes to the provider, and by term what is paid in which month comes back.

    `drawn` has shape (n_replications, n_months), in the smallest unit; `paid` gives by term amounts, in the currency, and months.
    """
    n, n_months = drawn.shape
    accounts = (
        Account("payer.outcome_payer", "outcome_payer", "outcome_payer"),
        Account("tranche.loan", "investor", "investor"),
        *(Account(name, name) for name in PARTIES),
        Account(PROJECT, PROJECT, PROJECT),
    )
    lines = [LedgerLine("draw.loan", "tranche.loan", PROJECT), LedgerLine("cost.delivery", PROJECT, "service_provider")]
    journal = [drawn, drawn]
    for term, (amount, month) in paid.items():
        flows = np.zeros((n, n_months), np.int64)
        flows[np.arange(n), np.broadcast_to(month, n)] = np.round(np.broadcast_to(amount, n) * 100).astype(np.int64)
        lines += [
            LedgerLine(f"term.{term}", "payer.outcome_payer", PROJECT),
            LedgerLine(f"step.rest.{term}", PROJECT, "tranche.loan"),
        ]
        journal += [flows, flows]
    nothing = np.zeros((n, 1), np.int64)
    return Ledger(
        100, accounts, tuple(lines), np.stack(journal, axis=2), ("loan",), drawn.sum(axis=1)[:, None], nothing, nothing,
        nothing.astype(bool), (), nothing, nothing.astype(bool), ("delivery",), nothing, (), np.zeros((n, 0), bool),
    )  # fmt: skip
