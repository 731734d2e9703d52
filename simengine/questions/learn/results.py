"""The results that a study learns from: by their names in its section `known`, or as rows of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simengine.asked import is_number, names_asked
from simengine.config import Study
from simengine.config.known import Known
from simengine.config.roles import totals_of, with_money
from simengine.config.table_file import table_lines
from simengine.errors import Problem, StudyError, UsageError, did_you_mean, one_of, shorten

RESULT_COLUMNS = ("of", "wave", "after_month", "until_month", "value", "standard_error", "rounded_to")
"""The header of a table of results; `of` and `value` are needed."""
PEOPLE = "people"
_OUTCOME, _METRIC, _TERM = "outcome.", "metric.", "term."
_NUMBERS = ("after_month", "until_month", "value", "standard_error", "rounded_to")
_LARGEST, _LEAST_ERROR = 1e15, 1e-9
"""Of figures and their errors: beyond them the squares of a posterior are no numbers any more."""
_MOST_BYTES, _MOST_ROWS = 1 << 20, 200


@dataclass(frozen=True)
class Result:
    """One result known so far."""

    label: str
    """What a table and a message call it."""
    of: str
    """The quantity."""
    wave: str | None
    """The wave that it concerns; null: all people."""
    after_month: float
    """Counted after the end of this month from the start ..."""
    until_month: float | None
    """... and until the end of this one; null: until the end of the study."""
    stands: str
    """Relation of the result to the value, as in `known`."""
    value: float
    """The figure."""
    rounded_to: float = 0.0
    """Its rounding unit."""
    standard_error: float | None = None
    """The evaluator's own, where it was published; null: the study's evaluator has the error that the study gives him."""
    name: str | None = None
    """Its name in the section `known`; null for a row of a table."""

    @property
    def is_event(self) -> bool:
        """Whether only a direction is known."""
        return self.stands != "at"

    @property
    def is_dated(self) -> bool:
        """Whether it concerns some months alone."""
        return self.after_month > 0 or self.until_month is not None

    @property
    def is_counted(self) -> bool:
        """Whether it counts people or outcomes, so that the contract is not needed."""
        return self.of == PEOPLE or self.of.startswith(_OUTCOME)

    @property
    def is_of_a_metric(self) -> bool:
        """Whether it is the estimate or the truth of a metric."""
        return self.of.startswith(_METRIC)

    @property
    def is_estimated(self) -> bool:
        """Whether an evaluator estimated it."""
        return self.is_of_a_metric and self.of.endswith(".estimate")

    @property
    def is_paid(self) -> bool:
        """Whether it is what a term paid."""
        return self.of.startswith(_TERM) and self.of.count(".") == 1

    @property
    def subject(self) -> str:
        """The outcome, metric or term."""
        return self.of.split(".")[1]

    def holds(self, values: Any) -> Any:
        """Say of values whether a direction holds."""
        compare = {"above": np.greater, "at_least": np.greater_equal, "below": np.less, "at_most": np.less_equal}
        return compare[self.stands](values, self.value)

    def written(self, scale: float) -> str:
        """Write the figure divided by a scale, with its direction where only that is known."""
        figure = f"{self.value / scale:,.10g}"
        return f"{self.stands.replace('_', ' ')} {figure}" if self.is_event else figure


def results_table(place: str) -> list[dict[str, Any]]:
    """Read a table of results known so far.

    Parameters
    ----------
    place
        A file of comma-separated values with a header of some of `RESULT_COLUMNS`.

    Returns
    -------
    A mapping for each row, with numbers as numbers; empty cells are left out.

    Raises
    ------
    StudyError
        With every line that cannot be.
    """
    cells_of = ((number, [cell.strip() for cell in cells]) for number, cells in table_lines(place, _MOST_BYTES))
    lines = [(number, cells) for number, cells in cells_of if any(cells)]
    header = [name.lower() for name in lines[0][1]] if lines else []
    problems = [*_header_problems(header, f"{place}:{lines[0][0]}" if lines else place)]
    rows: list[dict[str, Any]] = []
    for number, cells in [] if problems else lines[1:]:
        where = f"{place}:{number}"
        if len(cells) != len(header):
            problems.append(Problem(where, "", f"must have {len(header)} cells, as in the header", f"{len(cells)}"))
            continue
        row: dict[str, Any] = {name: cell for name, cell in zip(header, cells, strict=True) if cell}
        for name in _NUMBERS:
            if name in row:
                try:
                    row[name] = float(row[name])
                except ValueError:
                    way_out = "Write decimals with a point, and thousands together"
                    problems.append(Problem(where, name, "must be a number", shorten(row[name]), way_out))
        rows.append(row)
    if problems:
        raise StudyError(problems)
    return rows


def _header_problems(header: Sequence[str], where: str) -> Iterator[Problem]:
    for name in dict.fromkeys(header):
        if name not in RESULT_COLUMNS:
            yield Problem(where, "", "a column must be one of those of a table of results", shorten(name), one_of(RESULT_COLUMNS))
        elif header.count(name) > 1:
            yield Problem(where, "", "each column must have a name of its own", f"{shorten(name)} twice")
    for name in ("of", "value"):
        if name not in header:
            yield Problem(where, "", f"a table of results must have the column `{name}`", ", ".join(header) or "no header")


def results_of(
    study: Study, given: Sequence[str], rows: Sequence[Mapping[str, Any]] | None, variant: str | None = None
) -> tuple[Result, ...]:
    """Return the results to learn from.

    Parameters
    ----------
    study
        What learns.
    given
        Names in its section `known`.
    rows
        Rows of a table; from Python, mappings with the same keys.
    variant
        The variant that the study is.

    Raises
    ------
    UsageError
        If nothing is given, or something that this study cannot have.
    """
    if not given and not rows:
        way_out = "Name known results with --given, or give a table with --observed"
        raise UsageError(f"learn: something must be known; found neither --given nor --observed. {way_out}")
    known = {name: one for name, one in study.known.items() if one.variant == variant}
    given = names_asked(given, "--given")
    found = []
    for name in dict.fromkeys(given):
        if name not in known:
            way_out = one_of(known) if known else "The study has no known results: give a table with --observed"
            raise UsageError(f"--given: must be a known result of the study; found `{name}`. {way_out}")
        found.append(_of_known(name, known[name]))
    if rows is not None and len(rows) > _MOST_ROWS:
        raise UsageError(f"--observed: must have {_MOST_ROWS} rows at most; found {len(rows):,}. Add rows up to longer periods")
    found += [_of_row(study, number, row) for number, row in enumerate(rows or (), start=1)]
    for one in found:
        _refuse_unknown(study, one)
    twice = next((one for i, one in enumerate(found) if any(_is_same(one, other) for other in found[:i])), None)
    if twice is not None:
        raise UsageError(f"learn: a result must be given once; found `{twice.label}` twice. Leave one of them out")
    return tuple(found)


def _is_same(one: Result, other: Result) -> bool:
    return (one.of, one.wave, one.after_month, one.until_month) == (other.of, other.wave, other.after_month, other.until_month)


def _of_known(name: str, known: Known) -> Result:
    return Result(name, known.of, known.wave, 0.0, None, known.stands, known.value, known.rounded_to, name=name)


def _of_row(study: Study, number: int, row: Mapping[str, Any]) -> Result:
    where = f"--observed, row {number}"
    if not isinstance(row, Mapping):
        raise UsageError(f"{where}: must be a mapping with the keys {', '.join(RESULT_COLUMNS)}; found {shorten(row)}")
    unknown = next((name for name in row if name not in RESULT_COLUMNS), None)
    if unknown is not None:
        raise UsageError(
            f"{where}: a key must be one of those of a table of results; found {shorten(unknown)}. {one_of(RESULT_COLUMNS)}"
        )
    of, wave = row.get("of"), row.get("wave")
    if not isinstance(of, str) or not (wave is None or isinstance(wave, str)):
        raise UsageError(f"{where}: `of` and `wave` must be texts; found {shorten(of)} and {shorten(wave)}")
    numbers = {name: row[name] for name in _NUMBERS if row.get(name) is not None}
    wrong = next((name for name, value in numbers.items() if not is_number(value) or not np.isfinite(value)), None)
    if wrong is not None or "value" not in numbers:
        named = wrong or "value"
        raise UsageError(f"{where}: `{named}` must be a number; found {shorten(row.get(named))}")
    after, until = float(numbers.get("after_month", 0)), numbers.get("until_month")
    horizon = study.study.horizon_months.value
    if not 0 <= after < (horizon if until is None else until) <= horizon or after % 1 or (until or 0) % 1:
        found = f"after {after:g}" + ("" if until is None else f" until {until:g}")
        raise UsageError(f"{where}: whole months must increase within the horizon of {horizon:g} months; found {found}")
    large = next((name for name in ("value", "standard_error", "rounded_to") if abs(numbers.get(name, 0)) > _LARGEST), None)
    if large is not None:
        raise UsageError(f"{where}: `{large}` must be {_LARGEST:g} at most; found {numbers[large]:g}. Look at its unit")
    if 0 < numbers.get("standard_error", 1) < _LEAST_ERROR:
        raise UsageError(f"{where}: `standard_error` must be {_LEAST_ERROR:g} or more; found {numbers['standard_error']:g}")
    for name in ("standard_error", "rounded_to"):
        if numbers.get(name, 0) < 0 or (name == "standard_error" and numbers.get(name) == 0):
            raise UsageError(f"{where}: `{name}` must be above 0; found {numbers[name]:g}. Leave it out where there is none")
    if (after or until is not None) and not (of == PEOPLE or of.startswith((_OUTCOME, _TERM))):
        raise UsageError(f"{where}: months must belong to people, to an outcome or to a term; found `{of}`. Leave them out")
    error = numbers.get("standard_error")
    if error is not None and not (of.startswith(_METRIC) and of.endswith(".estimate")):
        raise UsageError(f"{where}: a standard error must belong to `metric.<metric>.estimate`; found `{of}`. Leave it out")
    months = "" if until is None and not after else f", months {after + 1:g} to {horizon if until is None else until:g}"
    label = f"{of}{'' if wave is None else f', {wave}'}{months}"
    return Result(
        label,
        of,
        wave,
        after,
        None if until is None else float(until),
        "at",
        float(numbers["value"]),
        float(numbers.get("rounded_to", 0)),
        None if error is None else float(error),
    )


def _refuse_unknown(study: Study, result: Result) -> None:
    """Refuse a result of something that the study does not count, estimate or pay."""
    waves = study.population.waves
    if result.wave is not None and result.wave not in waves:
        raise UsageError(f"{result.label}: a wave must be one of the population; found `{result.wave}`. {one_of(waves)}")
    subjects: dict[str, Mapping[str, object]] = {
        _OUTCOME: study.measurement.counted,
        _METRIC: study.measurement.measured,
        _TERM: study.contract.terms,
    }
    for start, existing in subjects.items():
        if result.of.startswith(start):
            if result.subject not in existing:
                rule = "a result must be of something that is counted, estimated or paid"
                way_out = did_you_mean(result.subject, existing, one_of(existing) if existing else "The study has none")
                raise UsageError(f"{result.label}: {rule}; found `{result.subject}`. {way_out}")
            if start == _METRIC and result.of.split(".")[2:] not in (["estimate"], ["truth"]):
                rule = "a result of a metric must be its estimate or its truth"
                way_out = f"Write `metric.{result.subject}.estimate`, and its wave beside it"
                raise UsageError(f"{result.label}: {rule}; found `{result.of}`. {way_out}")
            if result.is_paid and result.is_dated and not study.contract.calendar:
                raise UsageError(
                    f"{result.label}: a contract must date what it pays by month; found no dates. Leave the months out"
                )
            return
    if result.of == PEOPLE:
        if result.is_dated and not study.measurement.counted:
            rule = "people by month must be listed one by one, as where outcomes are counted"
            raise UsageError(f"{result.label}: {rule}; found no `measurement.counted`. Give the people of whole waves")
        return
    if result.of.partition(".")[0] not in {*with_money(study), *totals_of(study)} and result.of not in (
        "contingent_payment",
        "drawn",
    ):
        forms = "people, outcome.NAME, metric.NAME.estimate, term.NAME or a party's amount, such as investor.net"
        raise UsageError(f"{result.label}: a result must be {forms}; found `{result.of}`")
