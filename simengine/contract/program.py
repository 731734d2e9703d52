"""A contract as a program: instructions that are written once and run for every replication.

Every instruction has a register of its own, and reads only registers that were filled before. Equal instructions are written
once. What is paid on a date is a register like any other, so a later date that refers to earlier money just reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simengine.accelerate import plainly_if_few
from simengine.contract.kernels import program as kernels
from simengine.records import Floats, Integers

Register = int
TermLimits = NDArray[np.int8]
Column = tuple[Any, ...]
"""What a program asks of the replication: ("drawn",), ("metric", name), ("wave", name, place), ("people", place),
("combination", number, place); of a study that says when money is drawn: ("call", month), what is drawn in a month, and
("called", term), what is drawn by the month in which a term is paid."""

_MOST_FACTORS = 100


@dataclass
class Code:
    """Instructions under construction."""

    units: int
    """Smallest units in one unit of the currency."""
    instructions: list[tuple[int, int, int, int]] = field(default_factory=list)
    constants: list[float] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    remarks: dict[Register, tuple[Column, ...]] = field(default_factory=dict)
    """What a register depends on that its columns do not tell: ("milestone", name, place of the wave)."""
    _written: dict[tuple[object, ...], Register] = field(default_factory=dict)

    def write(self, operation: int, *operands: Register, constant: float = 0.0) -> Register:
        """Write an instruction, unless the same stands there already, and give its register."""
        key = (operation, *operands, constant)
        if key not in self._written:
            first, second, third = (*operands, 0, 0, 0)[:3]
            self.instructions.append((operation, first, second, third))
            self.constants.append(constant)
            self._written[key] = len(self.instructions) - 1
        return self._written[key]

    def constant(self, value: float) -> Register:
        """Return a number."""
        return self.write(kernels.CONSTANT, constant=value)

    def column(self, *name: str | int) -> Register:
        """Read a column of the replication."""
        if name not in self.columns:
            self.columns.append(name)
        return self.write(kernels.COLUMN, self.columns.index(name))

    def add(self, *registers: Register) -> Register:
        """Add registers one after the other; nothing adds up to 0."""
        total = registers[0] if registers else self.constant(0.0)
        for register in registers[1:]:
            total = self.write(kernels.ADD, total, register)
        return total

    def subtract(self, one: Register, other: Register) -> Register:
        """Return the one less the other."""
        return self.write(kernels.SUBTRACT, one, other)

    def multiply(self, one: Register, other: Register) -> Register:
        """Return the one times the other."""
        return self.write(kernels.MULTIPLY, one, other)

    def divide(self, one: Register, other: Register) -> Register:
        """Divide; by 0 nothing is measured."""
        return self.write(kernels.DIVIDE, one, other)

    def least(self, one: Register, other: Register) -> Register:
        """Return the smaller of the two."""
        return self.write(kernels.LEAST, one, other)

    def greatest(self, one: Register, other: Register) -> Register:
        """Return the larger of the two."""
        return self.write(kernels.GREATEST, one, other)

    def reaches(self, one: Register, other: Register) -> Register:
        """Return 1 where the one is at least the other, else 0."""
        return self.write(kernels.REACHES, one, other)

    def exceeds(self, one: Register, other: Register) -> Register:
        """Return 1 where the one is above the other, else 0."""
        return self.write(kernels.EXCEEDS, one, other)

    def both(self, one: Register, other: Register) -> Register:
        """Return 1 where both conditions hold, 0 where either is known not to."""
        return self.write(kernels.BOTH, one, other)

    def choose(self, condition: Register, if_so: Register, if_not: Register) -> Register:
        """Return the one where the condition holds, else the other."""
        return self.write(kernels.CHOOSE, condition, if_so, if_not)

    def is_number(self, register: Register) -> Register:
        """Return 1 where something was measured, 0 where it was not."""
        return self.write(kernels.IS_NUMBER, register)

    def power(self, base: Register, exponent: float) -> Register:
        """Raise the base to an exponent; whole years by multiplication, which is ten times as quick."""
        if not (float(exponent).is_integer() and 0 <= exponent <= _MOST_FACTORS):
            return self.write(kernels.POWER, base, self.constant(exponent))
        raised = self.constant(1.0) if exponent == 0 else base
        for _ in range(int(exponent) - 1):
            raised = self.multiply(raised, base)
        return raised

    def rounded(self, register: Register) -> Register:
        """Round half to even to the smallest unit of the currency."""
        return self.write(kernels.ROUND, register, constant=float(self.units))

    def columns_behind(self, registers: Sequence[Register]) -> list[Column]:
        """List the columns on which some registers depend."""
        reached = self._behind(registers)
        read = {self.instructions[register][1] for register in reached if self.instructions[register][0] == kernels.COLUMN}
        return [self.columns[place] for place in sorted(read)]

    def remarks_behind(self, registers: Sequence[Register]) -> list[Column]:
        """List the remarks on all registers on which some depend, each once."""
        return list(
            dict.fromkeys(remark for register in sorted(self._behind(registers)) for remark in self.remarks.get(register, ()))
        )

    def _behind(self, registers: Sequence[Register]) -> set[Register]:
        """Find the registers on which some depend, these included."""
        reached, todo = set[Register](), list(registers)
        while todo:
            register = todo.pop()
            if register in reached:
                continue
            reached.add(register)
            operation, *operands = self.instructions[register]
            if operation not in (kernels.CONSTANT, kernels.COLUMN):
                todo += operands
        return reached

    def run(self, columns: Floats, amounts: Integers, bounds: Integers, amount: Floats, bound: TermLimits) -> None:
        """Run the instructions.

        Parameters
        ----------
        columns
            Shape (n_columns, n_replications): the replication, in the order of `columns`.
        amounts, bounds
            The registers that are wanted, -1 for none.
        amount, bound
            Shape (n_wanted, n_replications) each: filled, or left as they are where none is wanted.
        """
        with plainly_if_few(len(self.instructions) * amount.shape[1]):
            kernels.run_program(
                np.array(self.instructions, dtype=np.int64).reshape(-1, 4),
                np.array(self.constants, dtype=np.float64),
                columns,
                amounts,
                bounds,
                amount,
                bound,
            )
