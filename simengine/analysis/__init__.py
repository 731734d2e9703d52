"""Questions that need many settlements of the same people: what the evaluator does to the money.

`certify` asks one protocol what it pays for nothing and withholds for something, `compare_methods` asks every design about
the same people, `compare_windows` asks how long to follow them, `find_wrong_pockets` who pays, who saves, and what would make
everybody whole. Each answer is a frozen bundle of statistics, every one with its Monte Carlo standard error; `report/` writes
them down.
"""

from simengine.analysis.certificate import Certificate, certify
from simengine.analysis.ensemble import Ensemble
from simengine.analysis.methods import MethodSpread, compare_methods
from simengine.analysis.pockets import SidePayments, WrongPockets, find_wrong_pockets
from simengine.analysis.window import WindowSpread, compare_windows

__all__ = [
    "Certificate",
    "Ensemble",
    "MethodSpread",
    "SidePayments",
    "WindowSpread",
    "WrongPockets",
    "certify",
    "compare_methods",
    "compare_windows",
    "find_wrong_pockets",
]
