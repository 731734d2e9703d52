"""Reads the arithmetic that a conformance file shows, `0.6 x 5,000,000 = 3,000,000`, and works it out again in fractions."""

from __future__ import annotations

import ast
import operator
import re
from fractions import Fraction

_RESULT = re.compile(r"(?:=|\bto) (?P<value>-?\d[\d,]*(?:\.\d+)?)")
_SIDES = re.compile(r"(?P<left>[-\d.,()x/+^ ]*) = (?P<right>-?\d[\d,]*(?:\.\d+)?)")
_OPERATIONS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def number(text: str) -> Fraction:
    return Fraction(text.rstrip(",").replace(",", ""))


def result_of(text: str) -> Fraction:
    """The last number behind `=` or `to`."""
    return number(_RESULT.findall(text)[-1])


def equations(text: str) -> list[tuple[str, str]]:
    """Every pair of a left side that has something to work out and a right side."""
    pairs = [(re.split(r"[,;] ", found["left"])[-1].strip(), found["right"]) for found in _SIDES.finditer(text)]
    return [(left, right.rstrip(",")) for left, right in pairs if re.search(r"\d [-x/+] |\^", left)]


def holds(left: str, right: str) -> bool:
    """Whether a right side is the left one, rounded to the decimals that it shows."""
    decimals = len(right.partition(".")[2])
    return abs(worked_out(left) - number(right)) <= Fraction(1, 2 * 10**decimals)


def worked_out(text: str) -> Fraction:
    return _value(ast.parse(text.replace(",", "").replace(" x ", " * ").replace("^", "**"), mode="eval").body)


def _value(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=value):
            return Fraction(str(value))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.BinOp(left=base, op=ast.Pow(), right=exponent):
            power = _value(exponent)
            return _value(base) ** int(power) if power.denominator == 1 else Fraction(float(_value(base)) ** float(power))
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATIONS[type(op)](_value(left), _value(right))
    raise ValueError(ast.dump(node))
