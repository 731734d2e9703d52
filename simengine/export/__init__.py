"""The data of a run as tables for other programs: by replication, by year, and as statistics, with a dictionary of their columns."""

from simengine.export.write import export_run

__all__ = ["export_run"]
