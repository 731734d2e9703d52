"""A municipality's own spells: read, checked and cleaned, and fitted to the pathway of a study."""

from simengine.spells.bad_rows import BadRowsError
from simengine.spells.mapping import SpellsMapping, load_mapping
from simengine.spells.read import read_spells
from simengine.spells.records import Spells, counts_shown

__all__ = ["BadRowsError", "Spells", "SpellsMapping", "counts_shown", "load_mapping", "read_spells"]
