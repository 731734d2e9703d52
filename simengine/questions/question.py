"""The definition of a question: its name, options, computation and presentation.

The command, the JSON, the folder of results, the line that runs it again, the page of the reference and the call from Python
follow from one value. A folder of this room holds one, in `question.py`, which is quick to import: what computes and what draws is
imported when it is asked.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from simengine.asked import names_asked, number, one_of_words, whole
from simengine.errors import UsageError, did_you_mean, shorten
from simengine.questions.subject import STUDY, Subject

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

    from simengine.config import Study

Answered = TypeVar("Answered")
_LARGEST = 2**63


def later(module: str, name: str) -> Later:
    """Return a function of a module that is imported when it is called: what computes and draws is slow to import.

    A test holds that every one exists and takes what it is given.
    """
    return Later(module, name)


@dataclass(frozen=True)
class Later:
    """A function by its module and name; unlike a closure it can be pickled with an answer that holds it."""

    module: str
    name: str

    def found(self) -> Callable[..., Any]:
        """Import the function."""
        function: Callable[..., Any] = getattr(importlib.import_module(self.module), self.name)
        return function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Import the function and call it."""
        return self.found()(*args, **kwargs)


FIELDS_BY_NAME = later("simengine.report.answers", "answer")
"""The fields of an answer by their names, every number with its standard error."""


def is_absent(value: Any) -> bool:
    """Return whether nobody said anything: nothing, no word of a list, or a switch that is off. A number that is 0 is said."""
    return value is None or value is False or (isinstance(value, tuple | list) and not value)


def as_operand(name: str) -> str:
    """Write the name of a file so that it is not taken for an option."""
    return f"./{name}" if name.startswith("-") else name


Values = Mapping[str, Any]
"""The options of a question by their names, as they were given, or by default."""
Files = Mapping[str, "str | bytes"]


@dataclass(frozen=True)
class Option:
    """One thing that can be asked in another way, from the command line, from Python and in the line that runs it again."""

    name: str
    """The word of the Python call."""
    help: str
    flag: str = ""
    """As it is written on the command line, where that is not its name; in capitals: a word without a flag, which stands alone."""
    kind: type = str
    default: Any = None
    low: float = float("-inf")
    high: float = float("inf")
    """The limits of a number, both included."""
    words: tuple[str, ...] = ()
    """If given, one of these."""
    is_many: bool = False
    """May be given several times; from Python, a list."""
    is_required: bool = False
    is_hidden: bool = False
    """Comes from what is asked about, not from a word of the command."""
    metavar: str | None = None
    read: Callable[[str], Any] | None = None
    """From what is typed to the value, where that is no single number or word; from Python either will do."""
    write: Callable[[Any], str] = str
    """The other way round."""
    is_recorded: bool = True
    """Whether it says what is answered; if not, it says how that is computed or where it is kept, and is no part of the record."""
    formerly: tuple[str, ...] = ()
    """Its earlier names, in Python and on the command line: refused with the new one."""

    @property
    def is_argument(self) -> bool:
        """Whether it stands on the command line without a flag."""
        return self.flag.strip("[].").isupper()

    @property
    def written(self) -> str:
        """The name that a message uses: that of the command line."""
        return self.flag or "--" + self.name.replace("_", "-")

    def plain(self, value: Any) -> Any:
        """Return a value as JSON holds it."""
        return [str(one) if self.is_many else one for one in value] if isinstance(value, tuple | list) else value

    @property
    def setting(self) -> str:
        """Its name in the provenance."""
        return self.name if self.is_argument else self.written.removeprefix("--").replace("-", "_")

    def taken(self, value: Any) -> Any:
        """Take a value, or refuse it in the same words from Python and from the command line."""
        if self.is_required and is_absent(value):
            raise UsageError(f"{self.written}: must be given; found none")
        if value is None or (self.is_many and isinstance(value, Mapping)):
            return value
        if self.is_many:
            return names_asked(value, self.name if self.is_argument else self.written)
        if self.read is not None:
            return self.read(value) if isinstance(value, str) else self._list(value)
        if self.words:
            return one_of_words(value, self.written, self.words)
        if self.kind is int:
            return whole(value, self.written, *(int(max(min(edge, _LARGEST), -_LARGEST)) for edge in (self.low, self.high)))
        if self.kind is float:
            return number(value, self.written, self.low, self.high)
        if self.kind is object:
            return value
        if not isinstance(value, self.kind):
            rule = "true or false" if self.kind is bool else "a text"
            raise UsageError(f"{self.written}: must be {rule}; found {shorten(value)}")
        return value

    def _list(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return value
        raise UsageError(f"{self.written}: must be a list; found {shorten(value)}. Write [{shorten(value)}]")

    def is_default(self, value: Any) -> bool:
        """Return whether a value is what it is where nobody says it."""
        return not self.is_required and bool(value == self.taken(self.default))

    def words_for(self, value: Any) -> list[str]:
        """Write a value as words of a command."""
        if is_absent(value) or self.is_argument or self.is_hidden or not self.is_recorded:
            return []
        if value is True:
            return [self.written]
        if self.is_many:
            return [word for one in value for word in (self.written, str(one))]
        return [self.written, repr(value) if self.kind is float else self.write(value)]


@dataclass(frozen=True)
class Source:
    """Where a study comes from."""

    variant: str | None
    """Which of its own variants the study is."""
    read: Callable[[str], Study]
    """From the name of another of its variants to that study."""
    overrides: tuple[str, ...] = ()
    """What was changed in it, as `path=value`."""


@dataclass(frozen=True)
class Asked:
    """What is asked about, and the values of the options as the question wants them."""

    subject: Any
    """A study, or a portfolio."""
    values: Values
    arguments: tuple[str, ...] = ()
    """Words of the command that stand alone, as they are written beside what is kept."""
    files: Files = field(default_factory=dict)
    """What they name, by the names of files in the folder of results."""
    variants: Mapping[str, dict[str, object]] = field(default_factory=dict)
    """Variants that the study keeps in that folder."""
    said: tuple[str, ...] = ()
    """Options that what is kept says already, so that the line that runs it again need not."""


def as_it_stands(subject: Any, values: Values, source: Source) -> Asked:  # noqa: ARG001
    """Ask about it as it is, with the values as they were given."""
    return Asked(subject, values)


@dataclass(frozen=True)
class Work:
    """How many replications a question works on, in all its ensembles together."""

    alike: int
    """Those that are worked on as the first few are."""
    others: int = 0
    """Those of which each takes another time."""
    share: float = 0.0
    """What one of the others takes of the time of one of the first."""
    is_most: bool = False
    """Whether these are the most: how many there are is decided on the way."""

    @property
    def replications(self) -> int:
        """All of them."""
        return self.alike + self.others

    @property
    def as_the_first(self) -> int:
        """How many of the first take the same time."""
        return self.alike + int(self.others * self.share)


def as_many_as_asked(subject: Any, values: Values, n_replications: int) -> int:  # noqa: ARG001
    """Say how many replications are kept whole while the question is answered."""
    return n_replications


def each_once(subject: Any, values: Values, n_replications: int) -> Work:  # noqa: ARG001
    """Work once on every replication that is asked for."""
    return Work(n_replications)


def as_asked(asked: Asked) -> Asked:
    """Try a question in the small as it is asked."""
    return asked


def kept_whole(values: Values) -> dict[str, Any]:  # noqa: ARG001
    """Hold every column of every replication."""
    return {"is_kept_whole": True}


def by_number(values: Values) -> str:  # noqa: ARG001
    """Let `-n` say how many replications there are."""
    return ""


def no_files(asked: Asked, source: Source, found: Any) -> Files:  # noqa: ARG001
    """Add nothing to the folder of an answer."""
    return {}


@dataclass(frozen=True)
class Question(Generic[Answered]):
    """One question to a study."""

    name: str
    """Of the command, of the JSON file, of the page."""
    summary: str
    """One sentence that names STUDY."""
    ask: Callable[..., Answered]
    """From the study, the ensemble and the values of the options by name."""
    tables: Callable[[Any, Answered], RenderableType]
    content: Callable[[Any, Answered], Mapping[str, Any]] = FIELDS_BY_NAME
    """What JSON says of the answer, its statistics and records as they are; by default, its fields by their names.

    The reference tells the keys of what it returns: each has a sentence below it, in the answer or where they are written.
    """
    picture: Callable[[Any, Answered], bytes] | None = None
    options: tuple[Option, ...] = ()
    keeps: str = "the answer, its picture, study and provenance"
    """What `-o` keeps."""
    picture_name: str = ""
    """If that is not the question's."""
    subject: Subject = STUDY
    prepare: Callable[[Any, Values, Source], Asked] = as_it_stands
    """Make of the values what the question is asked with; refuses what contradicts itself."""
    kept: Callable[[Any, Values, int], int] = as_many_as_asked
    """What -n really costs, in replications that are held at once: for the refusal of what is too large."""
    how_kept: Callable[[Values], dict[str, Any]] = kept_whole
    """How: whether all columns of all replications are held, and how they are drawn."""
    files: Callable[[Asked, Source, Answered], Files] = no_files
    """What the folder of results holds beside the answer, the study and the picture."""
    write: Callable[[Path, Any, Answered], None] | None = None
    """Write what is too large to be held as text."""
    answer_name: str = ""
    """Of the JSON file, if that is not the question's name."""
    worked: Callable[[Any, Values, int], Work] = each_once
    """How many replications are worked on: for the bar, and for what is said of its cost beforehand."""
    tried: Callable[[Asked], Asked] = as_asked
    """What is asked where the question is tried on a few replications: less of all work that does not depend on their number."""
    in_memory: Callable[[Asked], Asked] = as_asked
    """What is asked where the question is tried and nothing is kept."""
    stored_bytes: Callable[[Any, int, int], int | None] | None = None
    """From the question as it is put, and a number of replications to try, to the bytes of its store; None where there is none."""
    is_drawn: bool = True
    """Whether it draws as many replications as `-n` says."""
    sized_by: Callable[[Values], str] = by_number
    """Where an option of its own says how many replications there are: what is said of `-n` beside it."""
    in_subject: tuple[str, ...] = ()
    """Names of options that change what it is asked about: what is kept of that says them already."""
    instead: Mapping[str, Question[Any]] = field(default_factory=dict)
    """By name of one of its options: the question that is asked in the place of this one where that option is given."""

    def every_option(self) -> dict[str, Option]:
        """Return the options of its command by name: its own, and those of what may be asked in its place."""
        every = {option.name: option for option in self.options}
        for other in self.instead.values():
            every |= {option.name: option for option in other.options if option.name not in every}
        return every

    def chosen(self, given: Values) -> tuple[Question[Any], dict[str, Any]]:
        """Return the question that is meant by the options that are given, and the values of all its options.

        Raises
        ------
        UsageError
            If there is no such option, if one belongs to another question, or if a value is none of its own.
        """
        every = self.every_option()
        renamed = {old: option for option in every.values() for old in option.formerly}
        for name in given:
            if name in renamed:
                raise UsageError(f"{self.name}: `{name}` is now `{renamed[name].name}`")
            if name not in every:
                known = ", ".join(every) or "no options"
                raise UsageError(
                    f"{self.name}: must have one of the options {known}; found {shorten(name)}. {did_you_mean(name, every, 'Leave it out')}"
                )
        deciding = [name for name in self.instead if not is_absent(given.get(name))]
        if len(deciding) > 1:
            names = " and ".join(every[name].written for name in deciding)
            raise UsageError(f"{self.name}: one question must be asked at a time; found {names}. Leave out one of them")
        meant = self.instead[deciding[0]] if deciding else self
        own = {option.name for option in meant.options}
        for name in given:
            if name not in own and not is_absent(given[name]):
                if deciding:
                    rule = f"must stand without {every[deciding[0]].written}; found both. Leave out one of them"
                else:
                    asks = " or ".join(every[one].written for one, other in self.instead.items() if _has(other, name))
                    rule = f"must be asked together with {asks}; found it alone"
                raise UsageError(f"{every[name].written}: {rule}")
        return meant, {option.name: option.taken(given.get(option.name, option.default)) for option in meant.options}

    def words(self, values: Values, said: Collection[str] = ()) -> list[str]:
        """Write the values of the options as words of a command, but those that are said elsewhere, or stand by default."""
        written = (option for option in self.options if option.name not in said and not option.is_default(values[option.name]))
        return [word for option in written for word in option.words_for(values[option.name])]


def _has(question: Question[Any], name: str) -> bool:
    return any(option.name == name for option in question.options)
