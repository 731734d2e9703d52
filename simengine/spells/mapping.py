"""What the columns and words of a table of spells mean: the mapping file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import model_validator

from simengine.config.document import Document, read_document
from simengine.config.validate import validate
from simengine.distributions import Name, Spec
from simengine.errors import UsageError, shorten
from simengine.spells.events_mapping import EventsMapping
from simengine.spells.scores_mapping import ScoresMapping
from simengine.spells.totals_mapping import TotalsMapping
from simengine.spells.words import DateOrder, DayWritten, HeaderRow, HeaderText, OpenWords, YesNo, one_column_each, one_meaning

ColumnRole: TypeAlias = Literal["person", "state", "from", "to", "cost_per_day", "group", "entry", "observed_until"]
"""What a column holds."""
NEEDED: tuple[ColumnRole, ...] = ("person", "state", "from", "to")
NOT_OBSERVED = "not_observed"
"""As the state after the last spell: observation ends with it."""


class SpellsMapping(Spec):
    """What the columns, words, dates and numbers of a table of spells mean; whatever is absent is found in the file, and said."""

    source: str | None = None
    """Where the spells come from; it is kept with what is fitted."""
    columns: dict[ColumnRole, HeaderText] = {}
    """By what it holds: the header of a column; absent: an ordinary English or Swedish header."""
    states: dict[str, Name] = {}
    """By word in the file: the name of the state in the study; absent: the words themselves, written as names."""
    groups: dict[str, Name] = {}
    """By word in the file: the name of the group in the study; absent: the words themselves, written as names."""
    open: OpenWords = ()
    """Words that stand in place of the last date of a spell that still lasts; `""` is an empty cell."""
    last_day_counts: YesNo | None = None
    """Whether the last date is a day in the state (true) or the first day after it (false); absent: as the file itself shows."""
    between_spells: Name | None = None
    """State of a person between two spells, and between entry and the first one; absent: there may be no gaps."""
    after_last_spell: Name | None = None
    """State after the last spell until the end of observation, or `not_observed`; absent: as `between_spells`."""
    observed_from: DayWritten | None = None
    """First day of observation: the file holds every spell that lasted on it or began later; absent: everything is observed."""
    observed_until: DayWritten | None = None
    """First day after observation, as that on which the file was made; needed if a spell still lasts or a state follows the last."""
    dates: DateOrder | None = None
    """How dates as 1/3/2024 are meant, or that months alone are dates; absent: as the file itself shows."""
    decimal: Literal["comma", "point"] | None = None
    """What separates decimals; absent: as the file itself shows."""
    sheet: str | None = None
    """Sheet of an Excel workbook; absent: its only one."""
    header_row: HeaderRow = 1
    """Line of the file that names the columns."""
    events: EventsMapping = EventsMapping()
    """What a second table means, of events that happened to the same people; absent: its headers are ordinary."""
    scores: ScoresMapping = ScoresMapping()
    """What a table of scores means; absent: its headers are ordinary."""
    totals: TotalsMapping = TotalsMapping()
    """What a published table of totals means; needed with one."""

    @model_validator(mode="after")
    def _consistent(self) -> SpellsMapping:
        one_meaning("states", self.states)
        one_meaning("groups", self.groups)
        one_column_each(list(self.columns.values()))
        if self.between_spells == NOT_OBSERVED:
            raise ValueError(f"between_spells must be a state; found `{NOT_OBSERVED}`")
        if self.observed_from and self.observed_until and self.observed_from >= self.observed_until:
            raise ValueError(f"observed_from must be before observed_until; found {self.observed_from} and {self.observed_until}")
        return self

    @property
    def after_last(self) -> str | None:
        """State after the last spell."""
        return self.after_last_spell or self.between_spells


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
