"""A sizing given on the command line, which adds to, or replaces, that of the study."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from simengine.config.document import read_value
from simengine.config.roles import parties_behind
from simengine.config.sizing import Free, PartySide, Sizing, free_numbers, sizing_problems
from simengine.config.study import Study
from simengine.distributions import Constant
from simengine.errors import Problem, StudyError, UsageError, shorten
from simengine.risk.limits import Limit, read_limit, read_measure

Read = TypeVar("Read")


@dataclass(frozen=True)
class Requested:
    """The options of a sizing on the command line."""

    free: Sequence[str] = ()
    """Each `path=low..high` or `path=low..high..step`."""
    objectives: Sequence[str] = ()
    """Each `party.measure`."""
    limits: Sequence[str] = ()
    beliefs: Sequence[str] = ()
    """Each `party: path=distribution`."""
    rule: str | None = None
    responding: bool = False


def with_request(study: Study, requested: Requested) -> Study:
    """Return a study with the sizing of its own and of the command line together.

    Raises
    ------
    UsageError, StudyError
        If an option cannot be parsed, or does not fit the study; or nothing is free.
    """
    own = study.sizing.model_dump(mode="python", exclude_none=True) if study.sizing is not None else {"free": {}, "parties": {}}
    asked: dict[str, Any] = {"free": dict(own["free"]), "parties": {name: dict(side) for name, side in own["parties"].items()}}
    asked["recommend"] = requested.rule or own.get("recommend", "equal_sacrifice")
    asked["responding"] = requested.responding or own.get("responding", False)
    for text in requested.free:
        path, limits = read_range(text)
        asked["free"][path] = limits
    _add_wishes(asked, requested)
    if not asked["free"]:
        raise UsageError(
            "--free: at least one term must be free, PATH=LOW..HIGH here or under sizing.free in the study; found none"
        )
    if not any("objective" in side for side in asked["parties"].values()):
        # By default payer and payee of the contract want a higher net.
        sides = [party for term in study.contract.terms.values() for party in (term.payee, term.payer)]
        for name in dict.fromkeys(party for side in sides for party in parties_behind(study, side)):
            asked["parties"].setdefault(name, {})["objective"] = "expected_npv"
    sized = study.model_copy(update={"sizing": _validated(asked)})
    problems = [Problem("the sizing", path, rule, found, way_out) for path, rule, found, way_out in sizing_problems(sized)]
    if problems:
        raise StudyError(problems)
    return sized


def free_terms(study: Study, texts: Sequence[str]) -> Sizing | None:
    """Return the free terms of a command line, without parties; None if there are none.

    Raises
    ------
    UsageError, StudyError
        If a text cannot be read, or leads to no number of the contract or the capital.
    """
    if not texts:
        return None
    wished = Requested(free=texts)
    return with_request(study.model_copy(update={"sizing": None}), wished).sizing


def _add_wishes(asked: dict[str, Any], requested: Requested) -> None:
    for text in requested.objectives:
        wanted = _read("--objective", read_measure, text)
        asked["parties"].setdefault(wanted.party, {})["objective"] = text.strip().partition(".")[2]
    for text in requested.limits:
        limit = _read("--limit", read_limit, text)
        side = asked["parties"].setdefault(limit.measure.party, {})
        side["limits"] = [*side.get("limits", ()), text.strip().partition(".")[2]]
    for text in requested.beliefs:
        party, path, distribution = _belief(text)
        side = asked["parties"].setdefault(party, {})
        side["beliefs"] = {**side.get("beliefs", {}), path: distribution}


def _validated(asked: dict[str, Any]) -> Sizing:
    try:
        return Sizing.model_validate(asked)
    except ValidationError as error:
        problems = []
        for details in error.errors():
            rule, _, found = details["msg"].removeprefix("Value error, ").partition("; found ")
            # The names of unions in a location are no keys of the sizing.
            path = ".".join(str(step) for step in details["loc"])
            problems.append(Problem("the sizing", f"sizing.{path}", rule, found or shorten(details["input"])))
        raise StudyError(problems) from None


def read_range(text: str, option: str = "--free") -> tuple[str, dict[str, float]]:
    """Read `PATH=LOW..HIGH` or `PATH=LOW..HIGH..STEP`: the path, and `low`, `high` and perhaps `step`, which are not looked at.

    Raises
    ------
    UsageError
        If it is written in another way; the message begins with the option.

    Examples
    --------
    >>> read_range("contract.terms.guarantee.share=0..1")
    ('contract.terms.guarantee.share', {'low': 0.0, 'high': 1.0})
    """
    path, equals, rest = text.partition("=")
    words = rest.split("..")
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    if not equals or not path.strip() or len(numbers) not in (2, 3):
        what = "a free term" if option == "--free" else "a range"
        raise UsageError(f"{option}: {what} must be written PATH=LOW..HIGH, or PATH=LOW..HIGH..STEP; found {shorten(text)}")
    return path.strip(), dict(zip(("low", "high", "step"), numbers, strict=False))


def _belief(text: str) -> tuple[str, str, Any]:
    party, colon, rest = text.partition(":")
    path, equals, distribution = rest.partition("=")
    if not colon or not equals:
        raise UsageError(
            f"--belief: a belief must be written PARTY:PATH=DISTRIBUTION, such as investor:effect.x.hazard_ratio=1.4; found {shorten(text)}"
        )
    return party.strip(), path.strip(), read_value(distribution)


def _read(option: str, read: Callable[[str], Read], text: str) -> Read:
    try:
        return read(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def one_free_term(study: Study, requested: Requested, path: str, such_that: str) -> tuple[Study, Limit, Free]:
    """Return the study in which one term is free, the limit it must keep, and its range.

    The range is that of `--free`, else that of the study's own sizing, else from 0 to 1, or to twice what the term is now where
    that is more.

    Raises
    ------
    UsageError, StudyError
        If the path leads to no number, or something else cannot be read.
    """
    limit = _read("--such-that", read_limit, such_that)
    said = dict(read_range(text) for text in requested.free)
    own = {} if study.sizing is None else study.sizing.free
    if path not in said and path not in own:
        number = free_numbers(study).get(path)
        present = number.value if isinstance(number, Constant) else 0.0
        said[path] = {"low": 0.0, "high": max(1.0, 2.0 * present)}
    free = own[path] if path not in said else _validated({"free": {path: said[path]}}).free[path]
    responding = study.sizing is not None and study.sizing.responding
    sides = (
        {}
        if study.sizing is None
        else {
            name: PartySide(beliefs=side.beliefs, effect_multiple=side.effect_multiple)
            for name, side in study.sizing.parties.items()
        }
    )
    asked = with_request(
        study.model_copy(update={"sizing": Sizing(free={path: free}, parties=sides)}),
        Requested(limits=[such_that], beliefs=requested.beliefs, responding=requested.responding or responding),
    )
    return asked, limit, free
