"""Results of each party in each replication, and their distributions with Monte Carlo standard errors."""

from simengine.risk.party_results import DiscountBasis, party_results
from simengine.risk.summarise import RiskTable, summarise

__all__ = ["DiscountBasis", "RiskTable", "party_results", "summarise"]
