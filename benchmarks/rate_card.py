"""Settle a stored list of outcomes under other prices and caps: the engine beside vectorised NumPy, time and memory.

Run with `python -m benchmarks.rate_card [--replications 20000] [--people 200] [--outcomes 24] [--repeats 3]`. Half of all people reach
each outcome, in one of 60 months; 20 quarters pay, with a cap per person that binds in the order of months. Both programs must agree
to the smallest unit before anything is timed. NumPy works on whole arrays, a block of replications at a time.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np

from simengine.contract.card import settle_cards
from simengine.contract.spec import Contract
from simengine.records import Floats, Reached

QUARTERS, MONTHS = 20, 60
BLOCK = 250
"""Replications that NumPy works on at once."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, number in (("replications", 20_000), ("people", 200), ("outcomes", 24), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=number)
    options = parser.parse_args()
    month = lived(min(options.replications, BLOCK), options.people, options.outcomes)
    few = listed(month)
    card = contract_of(options.outcomes, cap=5_000)
    ours, theirs = settle_cards(card, few).paid["card"].sum(axis=1), by_numpy(card, month)
    if not np.array_equal(np.round(100 * ours), np.round(100 * theirs)):
        raise SystemExit("the two programs do not agree")
    times = options.replications // len(month)
    stored = Reached.join([few] * times)
    held = sum(getattr(stored, name).nbytes for name in ("person", "outcome", "month", "wave", "group", "entry"))
    print(f"{len(stored):,} replications, {len(stored.person):,} rows in {held / 1e6:,.0f} MB")
    cards = [contract_of(options.outcomes, 4_000.0 + 500 * i) for i in range(options.repeats)]
    engine = median(timed(partial(settle_cards, card, stored)) for card in cards)
    numpy = median(timed(partial(by_numpy_in_blocks, card, month, times)) for card in cards)
    print(
        f"engine {engine:.2f} s, {1e9 * engine / len(stored.person):.1f} ns a row; NumPy {numpy:.2f} s; ratio {numpy / engine:.1f}"
    )
    print(f"peak of the process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:,.0f} MB")


def timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def by_numpy_in_blocks(contract: Contract, month: np.ndarray, times: int) -> None:
    for _ in range(times):
        by_numpy(contract, month)


def lived(n: int, people: int, outcomes: int) -> np.ndarray:
    """Draw when each person reaches each outcome, shape (n, people, outcomes); 0 for never."""
    drawn = np.random.default_rng(1).integers(1, 2 * MONTHS + 1, (n, people, outcomes), dtype=np.int16)
    return np.where(drawn <= MONTHS, drawn, 0).astype(np.int16)


def listed(month: np.ndarray) -> Reached:
    """List what was reached as the engine stores it."""
    n, people, outcomes = month.shape
    of, person, outcome = np.nonzero(month)
    when = month[of, person, outcome]
    order = np.lexsort((outcome, person, when, of))
    zeros = np.zeros(n * people, dtype=np.int16)
    return Reached(
        outcomes=tuple(f"outcome_{o}" for o in range(outcomes)),
        waves=(),
        groups=(),
        horizon=MONTHS,
        first_row=np.concatenate([[0], np.cumsum(np.bincount(of, minlength=n))]),
        first_person=np.arange(n + 1) * people,
        wave=zeros,
        group=zeros - 1,
        entry=zeros,
        person=person[order].astype(np.int32),
        outcome=outcome[order].astype(np.int16),
        month=when[order],
    )


def contract_of(outcomes: int, cap: float) -> Contract:
    """Return a card with a price for each outcome and a cap per person."""
    names = [f"outcome_{o}" for o in range(outcomes)]
    card = {name: {"price": 100.0 + 25 * o} for o, name in enumerate(names)}
    return Contract.model_validate(
        {
            "title": "A card",
            "currency": "GBP",
            "commitment": 1e6,
            "dates": {"quarter": {"every_months": 3, "until_month": 3 * QUARTERS}},
            "outcomes": {name: {"meaning": name} for name in names},
            "terms": {"card": {"rate_card": card, "cap_per_person": cap}},
        }
    )


def by_numpy(contract: Contract, month: np.ndarray) -> Floats:
    """Settle the same card on whole arrays: shape (n, quarters)."""
    card = contract.terms["card"]
    price = np.array([one.price.value for one in card.rate_card.values()])  # type: ignore[attr-defined]
    cap = card.cap_per_person.value  # type: ignore[attr-defined]
    n = len(month)
    # Of one month in the order of the contract; who never reaches it comes last, at no price.
    order = np.argsort(np.where(month > 0, month, np.int16(MONTHS + 1)), axis=2, kind="stable")
    when = np.take_along_axis(month, order, axis=2)
    worth = np.where(when > 0, price[order], 0.0)
    paid = np.diff(np.minimum(np.cumsum(worth, axis=2), cap), axis=2, prepend=0.0)
    quarter = np.maximum(-(-when // 3) - 1, 0)
    place = np.arange(n)[:, None, None] * QUARTERS + quarter
    return np.bincount(place.ravel(), paid.ravel(), minlength=n * QUARTERS).reshape(n, QUARTERS)


if __name__ == "__main__":
    main()
