"""Many studies in one call: each is run, and the statistics of all stand in one table."""

from simengine.batch.studies import StudyBatch, run_batch

__all__ = ["StudyBatch", "run_batch"]
