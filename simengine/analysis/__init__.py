"""Questions that need many settlements of the same people.

What the evaluator does to the money: `certify` asks one protocol what it pays for nothing and withholds for something,
`compare_methods` asks every design about the same people, `compare_windows` asks how long to follow them, `find_wrong_pockets` who
pays, who saves, and what would make everybody whole. What people ask of a deal: `compare_contracts` settles several contracts on
the same people, `stress_study` and `reverse_stress` say what becomes of it in bad times and what breaks it, `sensitivity` which
assumptions matter to whom, `attribute` who carries what, `find_incentives` what a contract makes people do. What happened:
`look_back` holds a forecast against what is known, `hold` holds several studies together. Each answer is a frozen bundle of
statistics, every one with its Monte Carlo standard error; `report/` writes them down.
"""

from simengine.analysis.attribution import Attribution, attribute
from simengine.analysis.certificate import Certificate, certify
from simengine.analysis.contracts import Comparison, compare_contracts
from simengine.analysis.ensemble import Ensemble, with_used_designs_alone
from simengine.analysis.incentives import Incentives, find_incentives
from simengine.analysis.methods import MethodSpread, compare_methods
from simengine.analysis.named_stresses import stresses_of
from simengine.analysis.pockets import SidePayments, WrongPockets, find_wrong_pockets
from simengine.analysis.portfolio import PortfolioRisk, hold
from simengine.analysis.retrospect import Retrospect, look_back
from simengine.analysis.reverse import ReverseStress, read_criterion, reverse_stress
from simengine.analysis.sensitivity import Sensitivity, sensitivity
from simengine.analysis.stress import StressTest, chosen_stresses, stress_study
from simengine.analysis.window import WindowSpread, compare_windows

__all__ = [
    "Attribution",
    "Certificate",
    "Comparison",
    "Ensemble",
    "Incentives",
    "MethodSpread",
    "PortfolioRisk",
    "Retrospect",
    "ReverseStress",
    "Sensitivity",
    "SidePayments",
    "StressTest",
    "WindowSpread",
    "WrongPockets",
    "attribute",
    "certify",
    "chosen_stresses",
    "compare_contracts",
    "compare_methods",
    "compare_windows",
    "find_incentives",
    "find_wrong_pockets",
    "hold",
    "look_back",
    "read_criterion",
    "reverse_stress",
    "sensitivity",
    "stress_study",
    "stresses_of",
    "with_used_designs_alone",
]
