"""From a YAML file to a validated study: safe reading, models, overrides, and rules that hold between sections."""

from simengine.config.load import (
    find_study,
    load_contract,
    load_contract_document,
    load_study,
    shipped_contracts,
    shipped_studies,
    with_changes,
)
from simengine.config.moments import known_metrics
from simengine.config.portfolio import load_portfolio
from simengine.config.promise import as_promised, promise_of
from simengine.config.reached_file import read_reached
from simengine.config.steps import forms_of, step_error_of
from simengine.config.study import Study, cohort_of
from simengine.config.value import timing_of

__all__ = [
    "Study",
    "as_promised",
    "cohort_of",
    "find_study",
    "forms_of",
    "known_metrics",
    "load_contract",
    "load_contract_document",
    "load_portfolio",
    "load_study",
    "promise_of",
    "read_reached",
    "shipped_contracts",
    "shipped_studies",
    "step_error_of",
    "timing_of",
    "with_changes",
]
