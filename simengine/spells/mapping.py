"""What the columns and words of a table of spells mean: the mapping file."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from simengine.config.document import Document, read_document
from simengine.config.validate import validate
from simengine.distributions import Name, Spec
from simengine.distributions.names import one_or_several, spelled
from simengine.errors import UsageError, shorten

ColumnRole: TypeAlias = Literal["person", "state", "from", "to", "cost_per_day", "group", "entry", "observed_until"]
"""What a column holds."""
NEEDED: tuple[ColumnRole, ...] = ("person", "state", "from", "to")
DateOrder: TypeAlias = Literal["day-first", "month-first", "year-month"]
NOT_OBSERVED = "not_observed"
"""As the state after the last spell: observation ends with it."""


class _Day(spelled):
    """Take a day of the calendar, as text or as a date."""

    def __call__(self, raw: Any) -> Any:
        if isinstance(raw, datetime.date) and not isinstance(raw, datetime.datetime):
            return raw.isoformat()
        try:
            return datetime.date.fromisoformat(super().__call__(raw)).isoformat()
        except ValueError:
            raise ValueError(f"{self.rule}; found {shorten(raw)}") from None


def _texts(raw: Any) -> Any:
    """Take whole numbers for texts: `99991231` is a word of the file as well."""
    several = one_or_several(raw)
    is_listed = isinstance(several, list | tuple)
    return [str(one) if type(one) is int else one for one in several] if is_listed else several


_DayWritten: TypeAlias = Annotated[str, BeforeValidator(_Day(r"\d{4}-\d{2}-\d{2}", "must be a date, as 2024-12-31"))]
_YesNo: TypeAlias = Annotated[bool, Field(strict=True)]


class SpellsMapping(Spec):
    """What the columns, words, dates and numbers of a table of spells mean; whatever is absent is found in the file, and said."""

    source: str | None = None
    """Where the spells come from; it is kept with what is fitted."""
    columns: dict[ColumnRole, Annotated[str, Field(min_length=1)]] = {}
    """By what it holds: the header of a column; absent: an ordinary English or Swedish header."""
    states: dict[str, Name] = {}
    """By word in the file: the name of the state in the study; absent: the words themselves, written as names."""
    groups: dict[str, Name] = {}
    """By word in the file: the name of the group in the study; absent: the words themselves, written as names."""
    open: Annotated[tuple[str, ...], BeforeValidator(_texts), Field(strict=False)] = ()
    """Words that stand in place of the last date of a spell that still lasts; `""` is an empty cell."""
    last_day_counts: _YesNo | None = None
    """Whether the last date is a day in the state (true) or the first day after it (false); absent: as the file itself shows."""
    between_spells: Name | None = None
    """State of a person between two spells, and between entry and the first one; absent: there may be no gaps."""
    after_last_spell: Name | None = None
    """State after the last spell until the end of observation, or `not_observed`; absent: as `between_spells`."""
    observed_from: _DayWritten | None = None
    """First day of observation: the file holds every spell that lasted on it or began later; absent: everything is observed."""
    observed_until: _DayWritten | None = None
    """First day after observation, as that on which the file was made; needed if a spell still lasts or a state follows the last."""
    dates: DateOrder | None = None
    """How dates as 1/3/2024 are meant, or that months alone are dates; absent: as the file itself shows."""
    decimal: Literal["comma", "point"] | None = None
    """What separates decimals; absent: as the file itself shows."""
    sheet: str | None = None
    """Sheet of an Excel workbook; absent: its only one."""
    header_row: Annotated[int, Field(strict=True, ge=1, le=1000)] = 1
    """Line of the file that names the columns."""

    @model_validator(mode="after")
    def _consistent(self) -> SpellsMapping:
        for what, words in (("states", self.states), ("groups", self.groups)):
            meant: dict[str, str] = {}
            for word, name in words.items():
                if meant.setdefault(plain_word(word), name) != name:
                    raise ValueError(f"{what}: a word must mean one thing, in capitals or not; found {shorten(word)} twice")
        named = list(self.columns.values())
        twice = next((name for name in named if named.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"columns: a column must hold one thing; found {shorten(twice)} twice")
        if self.between_spells == NOT_OBSERVED:
            raise ValueError(f"between_spells must be a state; found `{NOT_OBSERVED}`")
        if self.observed_from and self.observed_until and self.observed_from >= self.observed_until:
            raise ValueError(f"observed_from must be before observed_until; found {self.observed_from} and {self.observed_until}")
        return self

    @property
    def after_last(self) -> str | None:
        """State after the last spell."""
        return self.after_last_spell or self.between_spells


def plain_word(text: str) -> str:
    """Write a word of a file so that blanks and capitals do not matter.

    Examples
    --------
    >>> plain_word("  Familjehem " + chr(160) + "Natt")
    'familjehem natt'
    """
    return " ".join(text.split()).casefold()


MappingGiven: TypeAlias = Path | str | Mapping[str, Any] | SpellsMapping | None
"""A mapping file, the same as data, a mapping that was read, or none."""


def load_mapping(mapping: MappingGiven) -> SpellsMapping:
    """Read a mapping file, or equivalent data; without any, every key is absent.

    Raises
    ------
    StudyError
        With every problem that was found, each with its file, line and key.
    UsageError
        If it is neither a file nor data.

    Examples
    --------
    >>> load_mapping({"columns": {"person": "Löpnr"}, "open": ["", "pågår"]}).open
    ('', 'pågår')
    """
    return load_mapping_document(mapping)[0]


def load_mapping_document(mapping: MappingGiven) -> tuple[SpellsMapping, Callable[[str], str]]:
    """Read a mapping as `load_mapping` does, and return a function from any of its paths to file and line too."""
    if mapping is None or isinstance(mapping, SpellsMapping):
        return mapping or SpellsMapping(), lambda _: "the mapping"
    if not isinstance(mapping, Path | str | Mapping):
        raise UsageError(f"mapping: must be a file, the same as data, or nothing; found {shorten(mapping)}")
    is_file = isinstance(mapping, Path | str)
    document = read_document(Path(str(mapping))) if is_file else Document(_copied(mapping), default_place="the mapping")
    return validate(SpellsMapping, document), lambda key: document.place_of(tuple(key.split(".")))


def _copied(content: Any) -> dict[str, Any]:
    return {str(key): _copied(one) if isinstance(one, Mapping) else one for key, one in content.items()}
