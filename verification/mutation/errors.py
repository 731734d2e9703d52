"""The errors that are planted: one operator, comparison, number or branch of a function is another one."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult,
}
_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}
_CALLS = {"min": "max", "max": "min"}


@dataclass(frozen=True)
class PlantedError:
    """One error in one function."""

    path: Path
    line: int
    function: str
    """By its name in the module, with that of its class."""
    words: str
    code: CodeType
    """The function with the error."""


def errors_in(path: Path) -> Iterator[PlantedError]:
    """Yield every error that can be planted in the functions of a module, in the order of its lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for name, function in _functions(tree.body, ""):
        for place, node in enumerate(ast.walk(function)):
            for words in _words_for(node):
                changed = copy.deepcopy(tree)
                twin = dict(_functions(changed.body, ""))[name]
                _change(next(one for number, one in enumerate(ast.walk(twin)) if number == place), words)
                code = _code_of(compile(ast.fix_missing_locations(changed), str(path), "exec"), name)
                yield PlantedError(path, getattr(node, "lineno", function.lineno), name, words, code)


def _functions(body: list[ast.stmt], before: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in body:
        if isinstance(node, ast.FunctionDef):
            yield f"{before}{node.name}", node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{before}{node.name}.")


def _words_for(node: ast.AST) -> list[str]:
    """Say what may be changed in a node of the tree."""
    match node:
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in _OPERATORS:
            return [f"{type(op).__name__} to {_OPERATORS[type(op)].__name__}"]
        case ast.Compare(ops=[op]) if type(op) in _COMPARISONS:
            return [f"{type(op).__name__} to {other.__name__}" for other in _COMPARISONS[type(op)]]
        case ast.BoolOp(op=op):
            return ["And to Or" if isinstance(op, ast.And) else "Or to And"]
        case ast.Constant(value=value) if isinstance(value, bool):
            return [f"{value} to {not value}"]
        case ast.Constant(value=value) if isinstance(value, int | float):
            return [f"{value} to {value + 1}"]
        case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
            return [f"{name} to {_CALLS[name]}"]
        case ast.UnaryOp(op=ast.Not()):
            return ["not left out"]
        case ast.Continue():
            return ["continue left out"]
    return []


def _change(node: ast.AST, words: str) -> None:
    new = words.rpartition(" ")[2]
    match node:
        case ast.BinOp() | ast.AugAssign():
            node.op = getattr(ast, new)()
        case ast.Compare():
            node.ops = [getattr(ast, new)()]
        case ast.BoolOp():
            node.op = getattr(ast, new)()
        case ast.Constant(value=value):
            node.value = not value if isinstance(value, bool) else value + 1
        case ast.Call(func=ast.Name()):
            node.func.id = new
        case ast.UnaryOp():
            # Twice: what stood behind it is a truth value, as before.
            node.operand = ast.UnaryOp(ast.Not(), node.operand)
        case ast.Continue():
            node.__class__ = ast.Pass


def _code_of(module: CodeType, name: str) -> CodeType:
    found = module
    for part in name.split("."):
        found = next(one for one in found.co_consts if isinstance(one, CodeType) and one.co_name == part)
    return found
