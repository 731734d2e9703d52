"""Errors planted in the program's own payment rules, one at a time, and the cases of the conformance set that catch each of them.

An error is a change of a few characters in the source of one function, as somebody could make it by mistake. The function is written
anew with it and put in the place of the old one, without a compiler.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from simengine import accelerate
from simengine.config.conformance import ConformanceFile, conformance_files, load_conformance
from simengine.conformance.balances import expected_of, settle_case
from simengine.errors import SimengineError


@dataclass(frozen=True)
class Mutation:
    """An error that somebody could make."""

    words: str
    place: str
    """`module:function` or `module:Class.method`, below `simengine.contract`."""
    right: str
    wrong: str
    caught_by: str
    """A contract with a case that must catch it; others may."""


_FILE = Path(__file__).with_name("planted_errors.json")
MUTATIONS = tuple(Mutation(**row) for row in json.loads(_FILE.read_text(encoding="utf-8")))


@contextlib.contextmanager
def planted(mutation: Mutation) -> Iterator[None]:
    """Put the error in its place, and take it out again.

    Raises
    ------
    ValueError
        If what is to be changed does not stand there exactly once.
    """
    module_name, _, path = mutation.place.partition(":")
    owner: Any = importlib.import_module(f"simengine.contract.{module_name}")
    module, (*parents, name) = owner, path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    function = getattr(owner, name)
    is_kernel = isinstance(function, accelerate.CompiledLater)
    right = function.py_func if is_kernel else function
    source = textwrap.dedent(inspect.getsource(right))
    if source.count(mutation.right) != 1:
        raise ValueError(f"{mutation.place} must hold {mutation.right!r} once; found {source.count(mutation.right)} times")
    space = dict(vars(module))
    lines = source.replace(mutation.right, mutation.wrong).split("\n")
    first = next(place for place, line in enumerate(lines) if line.startswith("def "))
    exec(compile("from __future__ import annotations\n" + "\n".join(lines[first:]), mutation.place, "exec"), space)
    wrong = space[name]
    if is_kernel:
        function.py_func = wrong
    else:
        setattr(owner, name, wrong)
    was_plain, accelerate._here.is_plain = accelerate._here.is_plain, True
    try:
        yield
    finally:
        accelerate._here.is_plain = was_plain
        if is_kernel:
            function.py_func = right
        else:
            setattr(owner, name, right)


@cache
def files() -> dict[str, ConformanceFile]:
    """Read the set once."""
    return {path.stem: load_conformance(path) for path in conformance_files()}


def caught(mutation: Mutation, contracts: tuple[str, ...] = ()) -> list[str]:
    """List the cases that come out otherwise with the error, of some contracts or of all; a program that breaks down is caught, too."""
    found = []
    with planted(mutation):
        for name in contracts or files():
            file = files()[name]
            file.contract.programs.clear()
            for case_name, case in file.cases.items():
                try:
                    is_same = settle_case(file, case) == expected_of(case)
                except (ArithmeticError, IndexError, KeyError, ValueError, SimengineError):
                    is_same = False
                if not is_same:
                    found.append(f"{name}.{case_name}")
            file.contract.programs.clear()
    return found


def table() -> str:
    """Return every error, how many cases of how many contracts catch it, and the first of them."""
    rows = ["| planted error | cases | contracts | such as |", "|---|---|---|---|"]
    for mutation in MUTATIONS:
        cases = caught(mutation)
        contracts = {case.partition(".")[0] for case in cases}
        rows.append(f"| {mutation.words} | {len(cases)} | {len(contracts)} | {cases[0] if cases else 'NOBODY'} |")
    return "\n".join(rows)
