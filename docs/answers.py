"""Fill the tables of answers on the page of the results from the code that writes them: `python -m docs.answers`.

A table stands between `<!-- answer: compare -->`, by the name of a question, and `<!-- end of answer -->`. What is asked in the place of
a question by one of its options is named with the option: `stress.criterion`. What stands below some keys may have a table of its own,
`<!-- answer: run at tranches, costs -->`; the table of the whole names these keys alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from docs.keys.models import bare, names_below
from simengine.config.schema import meanings
from simengine.conformance.comparison import ConformContent
from simengine.contract_text.published import PublishedContent
from simengine.provenance import Provenance
from simengine.questions.cost import CostEstimate
from simengine.questions.listed import QUESTIONS
from simengine.questions.question import FIELDS_BY_NAME, Later, Question
from simengine.questions.rerun import Rerun
from simengine.reference_class.lines import Reference
from simengine.report.answers import Heading
from simengine.report.document import CheckContent, ReplayContent
from simengine.risk.statistics import Statistic
from simengine.seals.content import ScoreContent
from simengine.seals.document import SealContent
from simengine.spells.answer import FitContent
from simengine.spells.fit_totals import TotalsContent
from simengine.spells.score_answer import ScoresContent

PAGE = Path(__file__).resolve().parent / "reference" / "results.md"
TABLE = re.compile(
    r"(?P<begins><!-- answer: (?P<name>[\w.]+)(?: at (?P<places>[^\n]+))? -->\n).*?(?P<ends><!-- end of answer -->)", re.DOTALL
)
HEAD = "| path | kind | meaning |\n|---|---|---|\n"
RUN = "run"
"""Whose tables tell what all answers begin and end with."""
COMMANDS: Mapping[str, Any] = {
    "check": CheckContent,
    "replay": ReplayContent,
    "replay.all": PublishedContent,
    "conform": ConformContent,
    "seal": SealContent,
    "score": ScoreContent,
    "fit": FitContent,
    "fit.scores": ScoresContent,
    "fit.totals": TotalsContent,
    "rerun": Rerun,
    "run.dry_run": CostEstimate,
    "reference": Reference,
}
"""What commands answer that are no questions."""
WITHOUT_PROVENANCE = ("check", "seal", "rerun", "run.dry_run")
_OF_EVERY_ANSWER = ("seed", "n_replications", "told")
_LISTS = (tuple, list)


@dataclass(frozen=True)
class Entry:
    """One path of an answer."""

    path: str
    hint: Any
    sentence: str
    record: Any = None
    """What stands below it, if that is a record."""
    inside: str = ""
    """The path of that record."""

    @property
    def first(self) -> str:
        """The key of the answer below which it stands."""
        return self.path.partition(".")[0]


def page() -> str:
    """Return the page as it has to be."""
    text = PAGE.read_text(encoding="utf-8")
    places: dict[str, list[str]] = {}
    for found in TABLE.finditer(text):
        places.setdefault(found["name"], []).extend(_listed(found["places"]))
    return TABLE.sub(
        lambda found: (
            f"{found['begins']}\n{_table(found['name'], _listed(found['places']), places[found['name']])}\n{found['ends']}"
        ),
        text,
    )


def _listed(places: str | None) -> list[str]:
    return places.split(", ") if places else []


def _table(name: str, places: list[str], elsewhere: list[str]) -> str:
    every = list(entries_of(name))
    if places:
        shown = [one for one in every if one.first in places and one.path not in places]
    else:
        shown = [one for one in every if one.first not in elsewhere or one.path in elsewhere]
    if name != RUN:
        heading = [one.path for one in shown if one.path in Heading.__annotations__ and not name.startswith("replay")]
        of_all = [Entry("`, `".join(heading), Any, "As for a run.")] if heading else []
        shown = of_all + [one for one in shown if one.path not in heading]
    return HEAD + "".join(
        f"| `{one.path}` | {kind_of(one.hint)} | {_cell(one.sentence)} |\n".replace("|  |", "| |") for one in _once(shown)
    )


def _once(shown: Iterable[Entry]) -> Iterator[Entry]:
    """Yield entries, those of a record once: where it stands again, it is said to be the same."""
    told: dict[Any, str] = {}
    again: list[str] = []
    for one in shown:
        if one.path.startswith(tuple(again)):
            continue
        if one.record in told:
            again.append(f"{one.inside}.")
            one = replace(one, sentence=f"{one.sentence} Its keys: as below `{told[one.record]}`.")
        elif one.record is not None:
            told[one.record] = one.inside
        yield one


def entries_of(name: str) -> Iterator[Entry]:
    """Yield every path of the answer to a question, or of a command."""
    if name in COMMANDS:
        yield from entries(COMMANDS[name])
    else:
        question = _question(name)
        answer = _returned(question.ask)
        if question.content is FIELDS_BY_NAME:
            yield from entries(Heading)
        yield from entries(answer if question.content is FIELDS_BY_NAME else _returned(question.content), told_in=answer)
    if name == RUN:
        yield Entry("provenance", Provenance, "Record of the run: the only part that differs between two equal runs.")
        yield from entries(Provenance, "provenance.")
    elif name not in WITHOUT_PROVENANCE:
        yield Entry("provenance", Any, "As for a run.")


def _question(name: str) -> Question[Any]:
    first, _, option = name.partition(".")
    question = next(one for one in QUESTIONS if one.name == first)
    return question.instead[option] if option else question


def _returned(function: Any) -> Any:
    """Return the type of what a function returns."""
    return get_type_hints(function.found() if isinstance(function, Later) else function)["return"]


def entries(record: Any, path: str = "", told_in: Any = None) -> Iterator[Entry]:
    """Yield every path of a record, and of the records in it.

    Parameters
    ----------
    record
        A dataclass, a typed dictionary or a model.
    path
        Where it stands.
    told_in
        The record that holds the same numbers: what has no sentence in the first has one there.

    Raises
    ------
    ValueError
        If no sentence stands below a field.
    """
    told = (meanings(told_in) if told_in else {}) | meanings(record)
    hints = get_type_hints(record, include_extras=True)
    for name in [field.name for field in fields(record)] if is_dataclass(record) else hints:
        if is_dataclass(record) and not path and name in _OF_EVERY_ANSWER:
            continue
        hint = get_args(hints[name])[0] if get_origin(hints[name]) is NotRequired else hints[name]
        if issubclass(record, BaseModel):
            hint = bare(hint)[0]  # what is absent from a model is absent from the answer
        sentence = told.get(name) or next((rule.description for rule in bare(hint)[1] if isinstance(rule, FieldInfo)), None)
        if sentence is None:
            raise ValueError(f"{record.__module__}.{record.__name__}.{name}: a field must have a sentence below it")
        yield from _below(Entry(f"{path}{name.removesuffix('_')}", hint, sentence), name)


def _below(entry: Entry, name: str) -> Iterator[Entry]:
    """Yield an entry, and those of the record of which it holds one or several."""
    depth, (hint, rules) = 0, bare(entry.hint)
    while get_origin(hint) in (Mapping, dict, *_LISTS) and not _said(rules):
        is_named = get_origin(hint) not in _LISTS
        depth += is_named
        hint, rules = bare(get_args(hint)[-1 if is_named else 0])
    inside = entry.path + "".join(f".<{one}>" for one in names_below(name, entry.sentence, depth))
    if not _is_record(hint):
        yield Entry(inside, _innermost(entry.hint), entry.sentence)
        return
    yield replace(entry, record=hint, inside=inside)
    yield from entries(hint, f"{inside}.", next((rule for rule in rules if _is_record(rule)), None))


def _is_record(hint: Any) -> bool:
    is_one = is_dataclass(hint) or is_typeddict(hint) or (isinstance(hint, type) and issubclass(hint, BaseModel))
    return is_one and hint is not Statistic and not isinstance(hint, FieldInfo)


def _said(rules: tuple[Any, ...]) -> str | None:
    """Return the kind that an annotation says."""
    return next((rule for rule in rules if isinstance(rule, str)), None)


def _innermost(hint: Any) -> Any:
    """Return what stands below all names."""
    found, rules = bare(hint)
    return _innermost(get_args(found)[1]) if get_origin(found) in (Mapping, dict) and not _said(rules) else hint


def kind_of(hint: Any) -> str:
    """Say of which kind something is."""
    base, rules = bare(hint)
    null = " or null" if type(None) in get_args(hint) else ""
    if base is Any:
        return ""
    if said := _said(rules):
        return said + null
    if get_origin(base) in _LISTS:
        return f"list{null}"
    if base is Statistic:
        return f"statistic{null}"
    if _is_record(base) or get_origin(base) in (Mapping, dict):
        return "object" + null
    return ("number" if base in (int, float) else "true or false" if base is bool else "text") + null


def _cell(sentence: str) -> str:
    return sentence.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
