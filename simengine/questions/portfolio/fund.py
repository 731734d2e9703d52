"""A revolving fund month by month: start of each project, balance, and ruin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simengine.records import Integers
from simengine.rounding import nearest_units

NEVER = -1


@dataclass(frozen=True)
class Flows:
    """Cash flows of one project, from its own beginning; whole numbers of the smallest unit of the currency."""

    out: Integers
    """Shape (n_replications, n_months): what the fund pays in."""
    back: Integers
    """Shape (n_replications, n_months): what it gets back."""


@dataclass(frozen=True)
class FundRule:
    """Rules for the start of projects, and for the return of their payments."""

    begins: tuple[int, ...]
    """By project: the first month in which it may begin."""
    n_months: int
    share: float = 1.0
    delay: int = 0
    begun_before: int = 1200


@dataclass(frozen=True)
class Course:
    """The course of a fund."""

    begun: Integers
    """Shape (n_replications, n_projects): the month in which each began; -1 where it never did."""
    balance: Integers
    """Shape (n_replications, n_months): what the fund holds at the end of each month."""
    returned: Integers
    """Shape (n_replications,): what came back to it."""


def run_fund(capital: int, projects: Sequence[Flows], rule: FundRule) -> Course:
    """Start projects in order, each as soon as the fund holds all that it will need.

    A project that has to wait holds up those behind it. What a project that has begun will still take is set aside, so the
    fund never owes what it does not have.
    """
    n = len(projects[0].out)
    rows = np.arange(n)
    needs = np.stack([flows.out.sum(axis=1) for flows in projects], axis=1)
    begun = np.full((n, len(projects)), NEVER, dtype=np.int64)
    moved = np.zeros((n, rule.n_months), dtype=np.int64)
    returned = np.zeros(n, dtype=np.int64)
    held, set_aside = np.full(n, capital, dtype=np.int64), np.zeros(n, dtype=np.int64)
    balance, turn = np.empty((n, rule.n_months), dtype=np.int64), np.zeros(n, dtype=np.int64)
    for month in range(rule.n_months):
        held += moved[:, month]
        for p, flows in enumerate(projects):
            begins = (turn == p) & (month >= rule.begins[p]) & (held - set_aside >= needs[:, p])
            begun[begins, p] = month
            turn[begins] += 1
            set_aside[begins] += needs[begins, p]
            _plan(flows, rows[begins], month, rule, moved, returned)
        spent = _spent_in(month, projects, begun)
        held -= spent
        set_aside -= spent
        balance[:, month] = held
    return Course(begun, balance, returned)


def _plan(flows: Flows, rows: Integers, month: int, rule: FundRule, moved: Integers, returned: Integers) -> None:
    """Note in which months the payments of a project that begins now return, from the next month on."""
    if month >= rule.begun_before or len(rows) == 0:
        return
    for passed in range(flows.back.shape[1]):
        arrives = month + passed + max(rule.delay, 1)
        if arrives < rule.n_months:
            amount = nearest_units(rule.share * flows.back[rows, passed]).astype(np.int64)
            moved[rows, arrives] += amount
            returned[rows] += amount


def _spent_in(month: int, projects: Sequence[Flows], begun: Integers) -> Integers:
    spent = np.zeros(len(begun), dtype=np.int64)
    for p, flows in enumerate(projects):
        passed = month - begun[:, p]
        runs = (begun[:, p] != NEVER) & (passed < flows.out.shape[1])
        spent[runs] += flows.out[runs, passed[runs]]
    return spent
