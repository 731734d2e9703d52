"""Methods by name: the baselines that come with the suite, and anybody's own as `module:function`."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from simengine.bench.choices import methods as choices
from simengine.bench.estimation import methods as estimation
from simengine.bench.estimation import rare
from simengine.bench.forecasting import methods as forecasting
from simengine.bench.inference import methods as inference
from simengine.bench.trial import Trial
from simengine.errors import UsageError, did_you_mean

Method = Callable[[Trial, int], Any]
"""From a trial and a seed to an answer."""

_OF_CHOICE: Mapping[str, Method] = {
    "grid": choices.evenly_spaced,
    "random_search": choices.random_search,
    "differential_evolution": choices.differential_evolution,
    "search_and_confirm": choices.search_and_confirm,
}
BASELINES: Mapping[str, Mapping[str, Method]] = {
    "estimation": {
        "plain": estimation.plain_draws,
        "antithetic": estimation.antithetic,
        "sobol": estimation.sobol,
        "stratified": estimation.stratified,
        "control_variates": estimation.regression_on_scores,
        "conditional_monte_carlo": estimation.conditional_monte_carlo,
        "importance_sampling": rare.importance_sampling,
        "multilevel": rare.multilevel,
    },
    "sizing": _OF_CHOICE,
    "design": _OF_CHOICE,
    "incentives": _OF_CHOICE,
    "inference": {
        "prior_sample": inference.prior_sample,
        "reweighting": inference.reweighting,
        "abc_rejection": inference.abc_rejection,
        "particle_filter": inference.particle_filter,
    },
    "forecasts": {
        "plan_holds": forecasting.plan_holds,
        "other_contracts": forecasting.other_contracts,
        "log_normal_of_others": forecasting.log_normal_of_others,
        "so_far_goes_on": forecasting.so_far_goes_on,
    },
}
"""By family and name: the methods that come with the suite."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")


def baseline_names(family: str | None = None) -> list[str]:
    """Return the names of the baselines, of one family or of all."""
    families = BASELINES.values() if family is None else [BASELINES[family]]
    return list(dict.fromkeys(name for methods in families for name in methods))


def find_method(text: str, family: str) -> Method | None:
    """Return a method by its name; nothing where a baseline of another family is meant.

    Raises
    ------
    UsageError
        If there is no such baseline, or no such function.
    """
    if ":" in text:
        return _imported(text)
    if text not in baseline_names():
        way_out = did_you_mean(text, baseline_names(), "")
        rule = f"must be module:function, or one of {', '.join(baseline_names())}"
        raise UsageError(f"--method: {rule}; found {text!r}{f'. {way_out}' if way_out else ''}")
    return BASELINES[family].get(text)


def _imported(text: str) -> Method:
    module, _, function = text.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError, SyntaxError) as error:
        raise UsageError(f"--method: must name a function of a module that can be imported; found {text!r}: {error}") from None
    if not callable(found):
        raise UsageError(f"--method: must name a function; found {text!r}, which is none")
    method: Method = found
    return method


def name_of_method(text: str, name: str | None = None) -> str:
    """Return the name under which results of a method are kept.

    Raises
    ------
    UsageError
        If it could not be the name of a folder.
    """
    found = text.rpartition(":")[2] if name is None else name
    if _NAME.fullmatch(found):
        return found
    raise UsageError(f"--name: must be letters, digits, dots, dashes and underscores, 60 at most; found {found!r}")
