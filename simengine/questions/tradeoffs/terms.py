"""The terms that may be moved, and how far each is moved before a rule of the study forbids it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from simengine.asked import names_asked
from simengine.config import Study
from simengine.config.numbers import problems_with
from simengine.config.sizing import free_numbers
from simengine.distributions import Constant
from simengine.errors import UsageError, one_of
from simengine.sections import FREE, lies_in

_NOTHING = "it is 0, of which no part is a step"
_DISTRIBUTION = "it has a distribution: an assumption, not a term"


@dataclass(frozen=True)
class Placed:
    """The values at which a term is settled beside its own."""

    value: float
    low: float
    high: float
    """One of both is the value itself where its side is forbidden."""
    step: float
    """The part of the term for which figures are told: above 0, in its unit."""
    forbidden: str | None
    """Why one side is; absent where both are settled."""


def placed_terms(study: Study, names: Sequence[str], step: float) -> tuple[dict[str, Placed], dict[str, str]]:
    """Put every term that is asked for, or all, a step lower and a step higher.

    Parameters
    ----------
    study
        Whose terms they are.
    names
        Their paths; none: all numbers of the contract and of the capital.
    step
        As a part of the term.

    Returns
    -------
    By path: where it is put; and, of those that cannot be moved, why.

    Raises
    ------
    UsageError
        If one that is asked for is no term or cannot be moved, or none can.
    """
    numbers = {path: number for path, number in free_numbers(study).items() if lies_in(path, FREE)}
    asked = dict.fromkeys(names_asked(names, "--term"))
    for path in asked:
        _refuse_unknown(path, numbers)
    placed: dict[str, Placed] = {}
    left_out: dict[str, str] = {}
    for path in asked or numbers:
        found = _placed(study, path, numbers[path], step)
        if isinstance(found, Placed):
            placed[path] = found
        else:
            left_out[path] = found
    if asked and left_out:
        path, why = next(iter(left_out.items()))
        rule = "a term must be a number other than 0 of which there may be a little more or less"
        raise UsageError(f"--term: {rule}; found `{path}`: {why}. {_way_out(why, path)}")
    if not placed:
        why = "; ".join(f"{path}: {one}" for path, one in left_out.items())
        raise UsageError(
            f"--term: the contract or the capital must have at least one number that can be moved; found {why or 'none'}"
        )
    return placed, left_out


def _refuse_unknown(path: str, numbers: Mapping[str, Any]) -> None:
    if path in numbers:
        return
    stem = path.rpartition(".")[0]
    beside = [known for known in numbers if known.startswith((f"{path}.", f"{stem}."))]
    near = beside or get_close_matches(path, numbers, n=4) or list(numbers)
    raise UsageError(
        f"--term: a term must be a number of the contract or the capital, by its path; found `{path}`. {one_of(near[:12])}"
    )


def _way_out(why: str, path: str) -> str:
    if why == _DISTRIBUTION:
        return f"`simengine sensitivity` speaks of assumptions; or give it one value with --set {path}=VALUE"
    if why == _NOTHING:
        return f"Give it a value with --set {path}=VALUE, or map a range of it with --across {path}=LOW..HIGH"
    return "Give a smaller --step, or map a range of it with --across"


def _placed(study: Study, path: str, number: Any, part: float) -> Placed | str:
    """Put a term on both sides of its value, or say why it cannot be moved."""
    if not isinstance(number, Constant):
        return _DISTRIBUTION
    value = number.value
    step = part * abs(value)
    if value == 0:
        return _NOTHING
    # Months are counted whole: a part of one would be dropped.
    moved = max(1.0, float(round(step))) if _is_in_months(path) else step
    low, high = value - moved, value + moved
    reasons = {end: _refusal(study, path, end) for end in (low, high)}
    if reasons[low] is not None and reasons[high] is not None:
        return reasons[high] or ""
    if reasons[low] is not None:
        return Placed(value, value, high, step, reasons[low])
    if reasons[high] is not None:
        return Placed(value, low, value, step, reasons[high])
    return Placed(value, low, high, step, None)


def _is_in_months(path: str) -> bool:
    return any(name.endswith(("month", "months")) for name in path.split("."))


def _refusal(study: Study, path: str, value: float) -> str | None:
    """Say which rule of the study a value of a term is against; nothing where there is none."""
    return next((f"{rule}; found {found}" for _, rule, found, _ in problems_with(study, {path: value})), None)
