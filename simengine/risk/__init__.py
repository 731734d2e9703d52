"""The risk: what each replication came to for each party, and the distribution of it with Monte Carlo standard errors."""

from simengine.risk.party_results import DiscountBasis, party_results
from simengine.risk.summarise import RiskTable, summarise

__all__ = ["DiscountBasis", "RiskTable", "party_results", "summarise"]
