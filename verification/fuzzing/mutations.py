"""Change valid documents as a mistake, a broken disk or an attacker would: keys, types, numbers, texts, nesting, bytes.

Every decision comes from a `Choices`, which reads them off some bytes: random ones, those of hypothesis, or those of a fuzzer that
looks at which code they reach.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import yaml

Option = TypeVar("Option")
Node = tuple[Any, Any]
"""A container, and the key or place in it."""

NUMBERS: tuple[Any, ...] = (
    *(0, 1, -1, 2, 0.5, -0.5, -0.0, 1e-320, 1e-9, 0.999999999999, 1.000000000001, 100, 600, 601, 1200, 2**31, 2**63, 2**64, 10**30),
    *(1e12, 1e15, 1e16, 1e300, 1.7976931348623157e308, float("inf"), float("-inf"), float("nan"), int("9" * 400)),
)
TEXTS: tuple[str, ...] = (
    *(
        "",
        " ",
        "\n",
        "a\nb",
        "\x1b[2J\x1b[31mred",
        "\x07\x08\x00",
        "\u202egnp.exe\u202c",
        "\u200b",
        "\u2028",
        "\ud7ff\ue000",
        "\U0001f4a9",
    ),
    *("\x9b31m", "\x85", "%s%n{0}{x}", "$HOME `id` $(id)", "<script>alert(1)</script>", "&amp;\"'<>", "]]>", "=cmd|' /C calc'!A0"),
    *(
        "+1+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "../../../../etc/passwd",
        "/etc/passwd",
        "/dev/zero",
        "C:\\con",
        "file\x00name",
        "~root/.ssh",
    ),
    *(
        "a" * 300,
        "a" * 70_000,
        "ö" * 5000,
        "1e309",
        ".inf",
        "NaN",
        "true",
        "null",
        "2030-13",
        "2030-01-32",
        "0000-01",
        "1_000",
        "0x10",
    ),
    *("!!python/object:os.system", "*a", "&a x", "<<", "{a: 1}", "[1, 2", "a: b: c", "a.b.c", "__class__", "_private", "I", "Å"),
    *("rest", "settlement", "investor", "outcome_payer", "all", "none", "normal", "beta", "file"),
)
OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [[]], {"": 1}, [None], {"a": {"b": {"c": 1}}}, [1, 2, 3], [{"a": 1}] * 3)
LINES: tuple[str, ...] = (
    *(
        "&a [x]",
        "*a",
        "a: &a [b]\nb: [*a, *a]",
        "!!python/name:os.system",
        "%YAML 3.0",
        "---\na: 1",
        "...",
        "<<: {a: 1}",
        "? a",
        "- a",
    ),
    *(
        "\ta: 1",
        "a: 'b",
        'a: "\\x1b"',
        "a: |\n  b",
        "a: >-\n b",
        "\ufeff",
        "\x1b]0;title\x07",
        "a" * 100_000,
        "[" * 1000,
        "{a: " * 1000,
    ),
    *('{"a": NaN}', ",,,,,,", ';"', '"', "\x00", "=1+1,=1+1"),
)


_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class Choices:
    """Decisions, one after the other, read off some bytes; when these are used up, the first option is always taken."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def below(self, n: int) -> int:
        """Return a number from 0 to n - 1."""
        if n <= 1:
            return 0
        taken = self._data[self._at : self._at + 3]
        self._at += 3
        return int.from_bytes(taken, "little") % n

    def one(self, options: Sequence[Option]) -> Option:
        """Return one of some options."""
        return options[self.below(len(options))]


def mutated(content: Any, others: Sequence[Any], choices: Choices) -> Any:
    """Change a document in one to four places; parts may come from other documents. Half are changed so that they may stay valid."""
    content = copy.deepcopy(content)
    changes = choices.one((_CHANGES, (_nudge, _nudge, _nudge, _leave_out, _move)))
    for _ in range(1 + choices.below(4)):
        nodes = list(_nodes(content))
        if not nodes:
            return content
        choices.one(changes)(choices.one(nodes), others, choices)
    return content


def as_text(content: Any, form: str, choices: Choices) -> bytes:
    """Write a document as YAML or JSON, in one of ten with the bytes changed too."""
    if form == "json":
        text = json.dumps(content, indent=1)
    else:
        text = yaml.dump(content, Dumper=_DUMPER, allow_unicode=bool(choices.below(2)), sort_keys=False, width=10**6)
    data = text.encode("utf-8", "surrogatepass")
    return garbled(data, choices) if choices.below(10) == 9 else data


def garbled(data: bytes, choices: Choices) -> bytes:
    """Change the bytes of a file: bits turned, cut off, lines put in, parts repeated."""
    for _ in range(1 + choices.below(3)):
        at = choices.below(len(data) + 1)
        match choices.below(5):
            case 0 if data:
                bit = choices.below(8 * len(data))
                data = data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]
            case 1:
                data = data[:at]
            case 2:
                begin = data.rfind(b"\n", 0, at) + 1
                data = data[:begin] + choices.one(LINES).encode() + b"\n" + data[begin:]
            case 3:
                data = data[:at] + choices.one(TEXTS).encode() + data[at:]
            case _:
                data = data[:at] + data[max(at - 200, 0) :]
    return data


def _nodes(content: Any) -> list[Node]:
    found: list[Node] = []
    waiting = [content]
    while waiting and len(found) < 5000:
        one = waiting.pop()
        keys: Any = one if isinstance(one, dict) else range(len(one))
        for key in keys:
            found.append((one, key))
            if isinstance(one[key], dict | list):
                waiting.append(one[key])
    return found


def _put_number(node: Node, others: Sequence[Any], choices: Choices) -> None:
    node[0][node[1]] = choices.one(NUMBERS)


def _scale(node: Node, others: Sequence[Any], choices: Choices) -> None:
    found = node[0][node[1]]
    if isinstance(found, int | float) and not isinstance(found, bool):
        node[0][node[1]] = found * choices.one((0, -1, 0.5, 2, 10, 1e-3, 1e3, 1e6, 1e12))


def _nudge(node: Node, others: Sequence[Any], choices: Choices) -> None:
    """Change a number as somebody might who tries another one: what comes of it is mostly a valid file."""
    numbers = [one for one in _nodes(node[0]) if isinstance(one[0][one[1]], int | float) and not isinstance(one[0][one[1]], bool)]
    if numbers:
        holder, key = choices.one(numbers)
        found = holder[key]
        holder[key] = choices.one((0, 1, found + 1, max(found - 1, 0), found * 2, found // 2, found * 0.9, found * 1.1, found * 10))


def _put_text(node: Node, others: Sequence[Any], choices: Choices) -> None:
    node[0][node[1]] = choices.one(TEXTS)


def _put_other(node: Node, others: Sequence[Any], choices: Choices) -> None:
    node[0][node[1]] = copy.deepcopy(choices.one(OTHERS))


def _leave_out(node: Node, others: Sequence[Any], choices: Choices) -> None:
    del node[0][node[1]]


def _rename(node: Node, others: Sequence[Any], choices: Choices) -> None:
    holder, key = node
    if isinstance(holder, dict):
        new = choices.one((f"{key}x", str(key)[:-1], *TEXTS[:40]))
        items = [(new if name == key else name, value) for name, value in holder.items()]
        holder.clear()
        holder.update(items)


def _wrap(node: Node, others: Sequence[Any], choices: Choices) -> None:
    for _ in range(choices.one((1, 2, 5, 31, 200))):
        node[0][node[1]] = [node[0][node[1]]] if choices.below(2) else {"a": node[0][node[1]]}


def _repeat(node: Node, others: Sequence[Any], choices: Choices) -> None:
    holder, key = node
    for number in range(choices.one((1, 2, 70))):
        if isinstance(holder, dict):
            holder[f"{key}_{number}"] = copy.deepcopy(holder[key])
        else:
            holder.append(copy.deepcopy(holder[key]))


def _move(node: Node, others: Sequence[Any], choices: Choices) -> None:
    """Put a part of another document of the kind in the place, or one that stands there under the same key."""
    there = _nodes(choices.one(others))
    same = [one for one in there if one[1] == node[1]]
    holder, key = choices.one(same if same and choices.below(4) else there)
    node[0][node[1]] = copy.deepcopy(holder[key])


_CHANGES: tuple[Callable[[Node, Sequence[Any], Choices], None], ...] = (
    *(_put_number, _put_number, _scale, _scale, _put_text, _put_other, _leave_out, _rename, _wrap, _repeat, _move, _move),
)
