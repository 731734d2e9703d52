"""A municipality's own spells and events: read, checked and cleaned, and fitted to the pathway and the events of a study."""

from simengine.spells.bad_rows import BadRowsError
from simengine.spells.event_records import Events, OwnTables
from simengine.spells.mapping import SpellsMapping, load_mapping
from simengine.spells.read import read_spells
from simengine.spells.read_tables import read_tables
from simengine.spells.records import Spells, counts_shown

__all__ = [
    "BadRowsError",
    "Events",
    "OwnTables",
    "Spells",
    "SpellsMapping",
    "counts_shown",
    "load_mapping",
    "read_spells",
    "read_tables",
]
