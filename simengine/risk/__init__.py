"""The risk: what each replication came to for each party, and the distribution of it with Monte Carlo standard errors."""

from simengine.risk.appraise import Standpoint, appraise
from simengine.risk.summarise import RiskTable, summarise

__all__ = ["RiskTable", "Standpoint", "appraise", "summarise"]
