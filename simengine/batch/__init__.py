"""Many studies in one call: each is run, and the statistics of all stand in one table."""

from simengine.batch.studies import Batch, run_batch

__all__ = ["Batch", "run_batch"]
