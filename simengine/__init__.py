"""Monte Carlo risk simulation of social outcome contracts: who carries which risk, before anybody signs.

>>> from simengine import find_study, load_study, run_study, summarise
>>> study = load_study(find_study("tiny"))
>>> table = summarise(run_study(study, seed=0, n_replications=500))
>>> 0 <= table["investor.p_loss"].value <= 1
True

Names are loaded when they are first used, so that importing the package is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simengine.config import Study, find_study, load_contract, load_study
    from simengine.errors import SimengineError
    from simengine.pipeline import evaluate, simulate
    from simengine.risk import RiskTable, summarise
    from simengine.settlement import replay
    from simengine.worlds.blocks import run_study

__version__ = "0.1.0"

__all__ = [
    "RiskTable",
    "SimengineError",
    "Study",
    "evaluate",
    "find_study",
    "load_contract",
    "load_study",
    "replay",
    "run_study",
    "simulate",
    "summarise",
]

_HOMES = {
    "RiskTable": "simengine.risk",
    "SimengineError": "simengine.errors",
    "Study": "simengine.config",
    "evaluate": "simengine.pipeline",
    "find_study": "simengine.config",
    "load_contract": "simengine.config",
    "load_study": "simengine.config",
    "replay": "simengine.settlement",
    "run_study": "simengine.worlds.blocks",
    "simulate": "simengine.pipeline",
    "summarise": "simengine.risk",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'simengine' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
