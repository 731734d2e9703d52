"""Monte Carlo risk simulation of social outcome contracts: who bears which risk, before they are signed.

>>> from simengine import find_study, load_study, run
>>> result = run(load_study(find_study("tiny")), n=500, seed=0)
>>> 0 <= result["investor.p_loss"].value <= 1
True

Names are loaded when they are first used, so that importing the package is fast.
"""

from __future__ import annotations

import difflib
import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simengine.batch import run_batch
    from simengine.config import Study, find_study, load_contract, load_portfolio, load_study
    from simengine.conformance.conform import conform
    from simengine.documents.write import write_report
    from simengine.errors import SimengineError
    from simengine.export import export_run
    from simengine.pipeline import evaluate, simulate
    from simengine.questions.python import ask, estimate_cost, run, settle
    from simengine.questions.rerun import rerun
    from simengine.replications.blocks import run_study
    from simengine.risk import RiskTable, summarise
    from simengine.seals.making import seal
    from simengine.seals.scores import score
    from simengine.settlement import replay
    from simengine.spells.fit import fit
    from simengine.spells.fit_scores import fit_scores
    from simengine.spells.fit_totals import fit_totals
    from simengine.workbook import write_workbook

__version__ = "0.1.0"

__all__ = [
    "RiskTable",
    "SimengineError",
    "Study",
    "ask",
    "conform",
    "estimate_cost",
    "evaluate",
    "export_run",
    "find_study",
    "fit",
    "fit_scores",
    "fit_totals",
    "load_contract",
    "load_portfolio",
    "load_study",
    "replay",
    "rerun",
    "run",
    "run_batch",
    "run_study",
    "score",
    "seal",
    "settle",
    "simulate",
    "summarise",
    "write_report",
    "write_workbook",
]

_HOMES = {
    "RiskTable": "simengine.risk",
    "SimengineError": "simengine.errors",
    "Study": "simengine.config",
    "ask": "simengine.questions.python",
    "conform": "simengine.conformance.conform",
    "estimate_cost": "simengine.questions.python",
    "evaluate": "simengine.pipeline",
    "export_run": "simengine.export",
    "find_study": "simengine.config",
    "fit": "simengine.spells.fit",
    "fit_scores": "simengine.spells.fit_scores",
    "fit_totals": "simengine.spells.fit_totals",
    "load_contract": "simengine.config",
    "load_portfolio": "simengine.config",
    "load_study": "simengine.config",
    "replay": "simengine.settlement",
    "rerun": "simengine.questions.rerun",
    "run": "simengine.questions.python",
    "run_batch": "simengine.batch",
    "run_study": "simengine.replications.blocks",
    "score": "simengine.seals.scores",
    "seal": "simengine.seals.making",
    "settle": "simengine.questions.python",
    "simulate": "simengine.pipeline",
    "summarise": "simengine.risk",
    "write_report": "simengine.documents.write",
    "write_workbook": "simengine.workbook",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        close = difflib.get_close_matches(name, __all__, n=1)
        way_out = f". Did you mean {close[0]!r}?" if close else ""
        raise AttributeError(f"module 'simengine' has no attribute {name!r}{way_out}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
