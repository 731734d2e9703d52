"""Fill the tables of answers on the page of the results from the records that hold them: `python -m docs.answers`.

A table stands between `<!-- answer: compare -->`, by the name of a question, and `<!-- end of answer -->`. What is asked in the place of
a question by one of its options is named with the option: `stress.criterion`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from docs.keys.models import bare, names_below
from simengine.config.schema import meanings
from simengine.questions.listed import QUESTIONS
from simengine.questions.question import Later, Question
from simengine.risk.statistics import Statistic

PAGE = Path(__file__).resolve().parent / "reference" / "results.md"
TABLE = re.compile(r"(?P<begins><!-- answer: (?P<name>[\w.]+) -->\n).*?(?P<ends><!-- end of answer -->)", re.DOTALL)
HEAD = "| path | kind | meaning |\n|---|---|---|\n| `title`, `currency`, `seed`, `replications` | | As for a run. |\n"
LAST = "| `provenance` | | As for a run. |\n"
_IN_HEAD = ("seed", "n_replications", "told")


@dataclass(frozen=True)
class Entry:
    """One path of an answer."""

    path: str
    hint: Any
    sentence: str


def page() -> str:
    """Return the page as it has to be."""
    return TABLE.sub(
        lambda found: f"{found['begins']}\n{_table(found['name'])}\n{found['ends']}",
        PAGE.read_text(encoding="utf-8"),
    )


def _table(name: str) -> str:
    rows = [f"| `{one.path}` | {_kind(one.hint)} | {_cell(one.sentence)} |\n" for one in entries(_record(name))]
    return "".join([HEAD, *rows, LAST])


def _record(name: str) -> Any:
    """Return the class of the answer to a question."""
    first, _, option = name.partition(".")
    question: Question[Any] = next(one for one in QUESTIONS if one.name == first)
    ask = (question.instead[option] if option else question).ask
    asked = ask.found() if isinstance(ask, Later) else ask
    return get_type_hints(asked)["return"]


def entries(record: Any, path: str = "") -> Iterator[Entry]:
    """Yield every path of a record, and of the records in it.

    Raises
    ------
    ValueError
        If no sentence stands below a field.
    """
    hints, told = get_type_hints(record), meanings(record)
    for field in fields(record):
        if not path and field.name in _IN_HEAD:
            continue
        if field.name not in told:
            raise ValueError(f"{record.__module__}.{record.__name__}.{field.name}: a field must have a sentence below it")
        yield from _below(Entry(f"{path}{field.name}", hints[field.name], told[field.name]), field.name)


def _below(entry: Entry, name: str) -> Iterator[Entry]:
    """Yield an entry, and those of the record of which it holds one or several."""
    depth, hint = 0, bare(entry.hint)[0]
    while get_origin(hint) in (Mapping, tuple):
        depth += get_origin(hint) is Mapping
        hint = bare(get_args(hint)[-1 if get_origin(hint) is Mapping else 0])[0]
    inside = entry.path + "".join(f".<{one}>" for one in names_below(name, entry.sentence, depth))
    if not is_dataclass(hint) or hint is Statistic:
        yield Entry(inside, _innermost(entry.hint), entry.sentence)
        return
    yield entry
    yield from entries(hint, f"{inside}.")


def _innermost(hint: Any) -> Any:
    """Return what stands below all names."""
    found = bare(hint)[0]
    return _innermost(get_args(found)[1]) if get_origin(found) is Mapping else hint


def _kind(hint: Any) -> str:
    base = bare(hint)[0]
    null = " or null" if type(None) in get_args(hint) else ""
    if get_origin(base) is tuple:
        return f"list{null}"
    if base is Statistic:
        return f"statistic{null}"
    if is_dataclass(base) or get_origin(base) is Mapping:
        return "object" + null
    return ("number" if base in (int, float) else "true or false" if base is bool else "text") + null


def _cell(sentence: str) -> str:
    return sentence.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
