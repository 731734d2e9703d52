"""The money: who pays it in, when it is drawn, when it comes back.

Flows are whole numbers of the smallest unit of the currency, posted twice, so that all parties' cash sums to zero at every
date. The outcome payer's *saving* is not cash of the contract and stands beside the ledger, never in it.
"""

from simengine.capital.distribute import distribute, draw_down

__all__ = ["distribute", "draw_down"]
