"""A contract with cases whose payments are known without the program: one JSON file, which any other program can read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from simengine.config.consistency import contract_problems
from simengine.config.document import read_document
from simengine.config.load import shipped_folder
from simengine.config.validate import refuse, validate
from simengine.contract.listed import reached_from
from simengine.contract.rules import NONE, PEOPLE
from simengine.contract.spec import Contract
from simengine.contract.typed import nothing_reached, refuse_typed
from simengine.distributions import Name, Spec
from simengine.errors import Finding, Problem, StudyError, UsageError, one_of, shorten
from simengine.records import Reached

SETTLEMENT = "settlement"
"""The date of a contract without dates."""
_Texts = Annotated[tuple[str, ...], Field(strict=False)]
_Number = Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]
_Amount = Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False)]
_Month = Annotated[int, Field(ge=0, le=2400)]


class MeasuredOutcome(Spec):
    """What the evaluator measured of a metric."""

    metric: Name
    """The metric of the contract."""
    value: _Number
    """What was measured, in the unit of the metric."""
    date: Name | None = None
    """Of a metric that is measured anew for several dates: the date for which it was; absent: it is measured once."""
    wave: Name | None = None
    """The wave in which it was measured; absent: all people together."""


class PeopleCounted(Spec):
    """How many people a wave has, or how many reached exactly some milestones."""

    number: Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
    """The number of people."""
    milestones: Annotated[tuple[Name, ...], Field(strict=False)] | None = None
    """All the milestones that each of them reached, and no other; an empty list for those who reached none; absent: the people of
    the wave are counted."""
    wave: Name | None = None
    """The wave whose people they are; absent: the contract has no waves, or all people together."""

    @model_validator(mode="after")
    def _says_whose(self) -> PeopleCounted:
        if self.milestones is None and self.wave is None:
            raise ValueError("a number of people must be that of a `wave`, or of `milestones`; found neither")
        return self


class PersonReached(Spec):
    """An outcome that a person reached; persons count in the order in which the rows first name them."""

    person: Annotated[str, Field(min_length=1)]
    """The person, by any text."""
    outcome: Name | None = None
    """The outcome of the contract; absent: the person reached nothing."""
    month: Annotated[int, Field(ge=0, le=1200)] | None = None
    """The month at whose end it was reached, from the start of the contract; absent: the person reached nothing."""
    units: _Amount | None = None
    """Of an outcome with units: how many; absent: the outcome counts people."""
    group: Name | None = None
    """The group of the person; absent: in none."""
    wave: Name | None = None
    """The wave of the person; absent: the contract has no waves."""

    @model_validator(mode="after")
    def _both_or_neither(self) -> PersonReached:
        if (self.outcome is None) != (self.month is None):
            raise ValueError("an outcome must have the month in which it was reached; found one without the other")
        return self


class ExpectedPayment(Spec):
    """What one party pays another on a date, on balance."""

    date: Name
    """The date of the contract on which it is settled; `settlement` of a contract without dates."""
    month: _Month | None = None
    """The month in which it is paid, from the start: that of the date, or later by a delay; absent: the contract has no dates."""
    from_: Name = Field(alias="from")
    """Who pays."""
    to: Name
    """Who receives."""
    amount: Annotated[int, Field(ge=1, le=10**17)]
    """How much, in the smallest unit of the currency: what all terms move between the two on that date, less what they move back."""
    worked_out: str
    """The arithmetic by hand; the last number behind `=` or `to` is the amount in the currency."""


class ConformanceCase(Spec):
    """What happened, and what is paid on it."""

    words: str
    """What happened, in words, and what the case looks at."""
    drawn: _Amount | None = None
    """Money that the investor paid in, in the currency; absent: all of the commitment."""
    measured: Annotated[tuple[MeasuredOutcome, ...], Field(strict=False)] = ()
    """What was measured; a metric that is not named was not measured."""
    people: Annotated[tuple[PeopleCounted, ...], Field(strict=False)] = ()
    """How many people there are, for waves and milestones."""
    reached: Annotated[tuple[PersonReached, ...], Field(strict=False)] = ()
    """For rate cards: who reached what, and when."""
    expected: Annotated[tuple[ExpectedPayment, ...], Field(strict=False)] | None = None
    """All payments, on balance between every two parties on every date; what is not listed is 0. Absent: it is `refused`."""
    refused: str | None = None
    """Why nothing can be settled, where a program must refuse to; absent: payments are `expected`."""
    worked_out: str | None = None
    """Why nothing is paid, of a case without payments; absent: every payment has its own arithmetic."""

    @model_validator(mode="after")
    def _one_answer(self) -> ConformanceCase:
        if (self.expected is None) == (self.refused is None):
            found = "neither" if self.expected is None else "both"
            raise ValueError(f"a case must have payments that are `expected`, or say why it is `refused`; found {found}")
        if self.expected == () and not self.worked_out:
            raise ValueError("a case in which nothing is paid must say why in `worked_out`; found nothing")
        return self


class ConformanceFile(Spec):
    """A contract in words and as data, and cases of it."""

    conformance: Literal[1]
    """Version of this format: 1."""
    words: str
    """The contract in plain words: whoever reads them can work out every payment without the terms."""
    basis: Literal["signed", "shape of signed", "made up"]
    """Where the terms come from: `signed`, the published terms of a signed contract, with an assumption where the file says so;
    `shape of signed`, a kind of term that signed contracts have, with numbers that are made up; `made up`."""
    sources: _Texts = ()
    """Of signed terms, and of their shapes: title and address."""
    shows: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    """The kinds of terms and edges that its cases look at, in words."""
    contract: Contract
    """The terms as data, as `simengine schema contract` describes them."""
    cases: Annotated[dict[Name, ConformanceCase], Field(min_length=1)]
    """By name: cases."""


def conformance_files(place: Path | str | None = None) -> list[Path]:
    """List the files of a conformance set: one file, those of a folder, or those that come with the package.

    Raises
    ------
    StudyError
        If there is no such place, or a folder without JSON files.
    """
    path = shipped_folder() / "conformance" if place is None else Path(place)
    if not path.is_dir():
        return [path]
    files = sorted(path.glob("*.json"))
    if not files:
        rule = "a folder of conformance files must hold files that end in .json"
        raise StudyError([Problem(str(path), "", rule, "none", "`simengine conform --export FOLDER` writes a set")])
    return files


def load_conformance(path: Path | str) -> ConformanceFile:
    """Read a contract with cases whose payments are known.

    Raises
    ------
    StudyError
        With every problem that was found.
    """
    document = read_document(Path(path))
    _refuse_other_than_json(Path(path))
    file = validate(ConformanceFile, document)
    contract = [(f"contract.{key}", rule, found, way_out) for key, rule, found, way_out in contract_problems(file.contract)]
    refuse(document, [*contract, *_case_problems(file)])
    return file


def _refuse_other_than_json(path: Path) -> None:
    """Refuse what other programs cannot read: YAML that is no JSON."""
    try:
        json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        rule = "must be JSON, which every program can read"
        raise StudyError([Problem(f"{path}:{error.lineno}:{error.colno}", "", rule, shorten(error.msg), "")]) from None


def _case_problems(file: ConformanceFile) -> Iterator[Finding]:
    if file.basis != "made up" and not file.sources:
        yield "sources", "terms that come from a signed contract must have a source", "none", ""
    for name, case in file.cases.items():
        inputs = [
            finding
            for place, one in enumerate(case.measured)
            for finding in _measured_problems(file.contract, one, f"cases.{name}.measured.{place}")
        ]
        yield from inputs or _input_problems(file.contract, case, f"cases.{name}")
        for place, payment in enumerate(case.expected or ()):
            yield from _payment_problems(file.contract, payment, f"cases.{name}.expected.{place}")


def _payment_problems(contract: Contract, payment: ExpectedPayment, path: str) -> Iterator[Finding]:
    dates, parties = list(contract.calendar) or [SETTLEMENT], contract.all_parties()
    if payment.date not in dates:
        yield f"{path}.date", "must be a date of the contract", f"`{payment.date}`", one_of(dates)
    for key, party in (("from", payment.from_), ("to", payment.to)):
        if party not in parties:
            yield f"{path}.{key}", "must be a party of the contract", f"`{party}`", one_of(parties)
    if payment.from_ == payment.to:
        yield f"{path}.to", "payer and payee must be two parties", f"`{payment.to}` twice", ""
    if (payment.month is None) == bool(contract.calendar):
        found = "none" if payment.month is None else f"{payment.month}"
        yield f"{path}.month", "must be given where the contract has dates, and only there", found, ""


def _input_problems(contract: Contract, case: ConformanceCase, path: str) -> Iterator[Finding]:
    """Find what nobody can settle a contract on, as a replay refuses it."""
    if case.reached and not contract.outcomes:
        rule = "rows of what people reached must belong to a contract that counts `outcomes` person by person"
        yield f"{path}.reached", rule, "none in this one", ""
        return
    try:
        refuse_typed(
            contract, outcomes_in_case(contract, case), contract.commitment.value if case.drawn is None else case.drawn, None
        )
        reached_in_case(contract, case)
    except UsageError as error:
        yield path, str(error), "", ""
    except StudyError as error:
        for problem in error.problems:
            yield f"{path}.{problem.where}.{problem.key}".rstrip("."), problem.rule, problem.found, problem.way_out


def _measured_problems(contract: Contract, one: MeasuredOutcome, path: str) -> Iterator[Finding]:
    measured = [name for name, use in contract.metrics.items() if use.derived is None or use.measured_on]
    names = [name for name in measured if name not in contract.measured_for]
    if one.metric not in names:
        yield f"{path}.metric", "must be a metric of the contract that somebody measures", f"`{one.metric}`", one_of(names)
        return
    dates = dates_measured(contract, one.metric)
    if one.date is not None and one.date not in dates:
        rule = "must be a date on which the metric is measured anew"
        yield f"{path}.date", rule, f"`{one.date}`", one_of(dates) or "It is measured once: leave the date out"
    if one.date is None and dates:
        yield f"{path}.date", "must be given for a metric that is measured anew", "none", one_of(dates)


def dates_measured(contract: Contract, metric: str) -> list[str]:
    """List the dates for which a metric is measured anew; none of one that is measured once."""
    return [date for one in contract.metrics[metric].measured_on for date in contract.dates_named(one)]


def outcomes_in_case(contract: Contract, case: ConformanceCase) -> dict[str, float]:
    """Name what was measured and counted as a replay does.

    Raises
    ------
    UsageError
        If something is said twice.
    """
    found: dict[str, float] = {}

    def enter(name: str, wave: str | None, value: float) -> None:
        key = name if wave is None else f"{name}.{wave}"
        if key in found:
            raise UsageError(f"outcome {key}: must be given once; found twice")
        found[key] = value

    for one in case.measured:
        dates = dates_measured(contract, one.metric)
        enter(one.metric if one.date is None else f"{one.metric}_{dates.index(one.date) + 1}", one.wave, one.value)
    for people in case.people:
        # Combinations are named in the order of the contract.
        listed = (
            None if people.milestones is None else sorted(people.milestones, key=[*contract.milestones, *people.milestones].index)
        )
        enter(PEOPLE if listed is None else "+".join(listed) or NONE, people.wave, people.number)
    return found


def reached_in_case(contract: Contract, case: ConformanceCase) -> Reached | None:
    """Return who reached what; of a contract that counts people, somebody who reached nothing where nobody is named.

    Raises
    ------
    StudyError
        With every row that cannot be.
    """
    if not case.reached:
        return nothing_reached(contract, 1) if contract.outcomes else None
    rows = [row.model_dump(exclude_none=True) for row in case.reached]
    # A table has the same columns in every line.
    keys = list(dict.fromkeys(["person", "outcome", "month", *(key for row in rows for key in row)]))
    return reached_from(contract, [(f"reached.{place}", {key: row.get(key) for key in keys}) for place, row in enumerate(rows)])
