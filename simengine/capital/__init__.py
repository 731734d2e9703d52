"""Capital: drawdown of the loan, costs, and repayment in order.

Flows are whole numbers of the smallest unit of the currency. Every posting has a payer and a receiver, so that all cash sums to
zero at every date. The loan runs through one account, the *project*: tranches pay in, costs are paid out of it, what the contract
owes the investor comes in, and the waterfall hands it out. The outcome payer's *saving* is not cash of the contract and stands
beside the ledger, never in it.
"""

from simengine.capital.add_up import AccountGroups
from simengine.capital.discount import deflators, discount_factors
from simengine.capital.distribute import accounts_in_plan, distribute
from simengine.capital.plan import Plan, plan_money
from simengine.capital.pricing import Calendar, smallest_units

__all__ = [
    "AccountGroups",
    "Calendar",
    "Plan",
    "accounts_in_plan",
    "deflators",
    "discount_factors",
    "distribute",
    "plan_money",
    "smallest_units",
]
