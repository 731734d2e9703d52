"""The records: every array passed between stages, with its axes, unit and meaning.

Each axis has one name: `replication` (one Monte Carlo replication), `wave` (people who enter together), `arm` (service, twin,
baseline), `state`, `outcome`, `window` (months after a person's entry), `year` (of the calendar, from the start of the study),
`metric`, `combination` (of milestones), `pair` (of outcomes), `term`, `due` (a date on which the contract pays), `date` (month
of the calendar, 0 is the first), `line` (one kind of posting), `tranche`.

The *twin* arm holds the same people with the same draws, without the service: it gives the true effect of each replication, which
no evaluator observes. The comparison groups of an evaluator are the arms *baseline*, earlier people (with one wave); *control*,
randomised from the same referrals; *parallel*, people elsewhere; *matched*, people matched to the service users, and
*matched_service*, the service users for whom a match was found. *service_before* and *parallel_before* are different people of the
same places, observed only in the months before entry: a cross-section. An arm that no design uses is empty.
"""

from simengine.arrays import Floats, Integers
from simengine.records.arrays import Axes, Record, add_in_order, axes_of
from simengine.records.ledger import (
    ALL_LENDERS,
    ALL_PAYERS,
    DELIVERY,
    INVESTOR,
    LOAN,
    OUTCOME_PAYER,
    PROJECT,
    ROLES,
    SUPPLIERS,
    Account,
    Ledger,
    LedgerLine,
    PublicValue,
)
from simengine.records.measurements import Measurements, Milestones
from simengine.records.payments import CAP, CARD_LIMITS, FLOOR, FORMULA, GATE, LIMITS, STOP, TOTAL_CAP, Drawing, Payments
from simengine.records.people import (
    ARMS,
    BASELINE,
    CONTROL,
    MATCHED,
    MATCHED_SERVICE,
    MOMENTS,
    PARALLEL,
    PARALLEL_BEFORE,
    SERVICE,
    SERVICE_BEFORE,
    TWIN,
    Draws,
    Seen,
    Tallies,
)
from simengine.records.reached import Reached, bounds_of
from simengine.records.results import CashMoments, ReplicationResults, in_memory, measurements_of, row_index

__all__ = [
    "ALL_LENDERS",
    "ALL_PAYERS",
    "ARMS",
    "BASELINE",
    "CAP",
    "CARD_LIMITS",
    "CONTROL",
    "DELIVERY",
    "FLOOR",
    "FORMULA",
    "GATE",
    "INVESTOR",
    "LIMITS",
    "LOAN",
    "MATCHED",
    "MATCHED_SERVICE",
    "MOMENTS",
    "OUTCOME_PAYER",
    "PARALLEL",
    "PARALLEL_BEFORE",
    "PROJECT",
    "ROLES",
    "SERVICE",
    "SERVICE_BEFORE",
    "STOP",
    "SUPPLIERS",
    "TOTAL_CAP",
    "TWIN",
    "Account",
    "Axes",
    "CashMoments",
    "Drawing",
    "Draws",
    "Floats",
    "Integers",
    "Ledger",
    "LedgerLine",
    "Measurements",
    "Milestones",
    "Payments",
    "PublicValue",
    "Reached",
    "Record",
    "ReplicationResults",
    "Seen",
    "Tallies",
    "add_in_order",
    "axes_of",
    "bounds_of",
    "in_memory",
    "measurements_of",
    "row_index",
]
