"""Fit entry numbers, start shares and daily costs of a study to a published table of totals by year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from simengine.asked import place_asked
from simengine.config import Study, load_study
from simengine.distributions import Constant
from simengine.errors import Problem, StudyError, UsageError, one_of
from simengine.late import special
from simengine.report.document import yaml_text
from simengine.spells.choices import FitChoices
from simengine.spells.fit import PathwayGiven, choices_given
from simengine.spells.mapping import MappingGiven, load_mapping_document
from simengine.spells.plan import EVERYBODY
from simengine.spells.section import Tree, cost_outcome_of, loaded_with, source_of, written_with_sources
from simengine.spells.totals_mapping import TotalsByState, TotalsChosen
from simengine.spells.totals_table import Total, TotalsTable, read_totals
from simengine.spells.words import plain_word

Series = dict[str, dict[int, float]]
_WHERE = "the study with the fitted totals"
_PRIOR = 0.5


@dataclass(frozen=True)
class PublishedNumber:
    """One number that counts."""

    of: str
    """`entries`, `start` or `cost_per_day`."""
    state: str
    """Its state; empty of entries."""
    year: int
    """Its year."""
    value: float
    """As it is published, added up where several words count."""


class TotalsContent(TypedDict):
    """What was fitted to published totals."""

    name: str
    """The file's own name."""
    sha256: str
    """Its SHA-256."""
    numbers: list[PublishedNumber]
    """The numbers that count."""
    per_year: float | None
    """Mean number of people who enter in a year; null where entries were not asked for."""
    dispersion: float | None
    """Of the shares between years: chi-square over its degrees of freedom, 1 if years differ by chance alone; null without start shares."""
    notes: list[str]
    """What was left out or could not be told."""
    section: Mapping[str, Any]
    """The section, as `totals_section.yaml` has it."""


@dataclass(frozen=True, eq=False)
class TotalsFit:
    """Published totals that were fitted: the section, and a study with it if one was named."""

    content: TotalsContent
    """What the fit says of itself, as plain numbers."""
    section: Mapping[str, Any]
    """`population.waves`, `pathway.start` and `outcomes`, as a study says them, as far as they were asked for."""
    choices: FitChoices
    """What was asked for."""
    study: Study | None
    """The study with the section in it; none where none was named."""

    def __repr__(self) -> str:
        return f"<TotalsFit: {self.content['name']}; {', '.join(dict.fromkeys(one.of for one in self.content['numbers']))}>"

    def section_text(self) -> str:
        """Write the section as YAML."""
        return yaml_text(self.section, numbers_in_line=True)


def fit_totals(
    totals: Path | str, mapping: MappingGiven, pathway: PathwayGiven = None, *, into: Study | Path | str | None = None
) -> TotalsFit:
    """Fit what a published table of totals by year tells of a study.

    Parameters
    ----------
    totals
        CSV, an Excel workbook, Parquet, or JSON of PxWeb, JSON-stat 2 or Kolada.
    mapping
        What it holds, under `totals`.
    pathway
        `enrolment_months`, `wave` and `cost_outcome`, as with `fit`; nothing for their defaults.
    into
        A study in which the numbers take the place of its own.

    Raises
    ------
    StudyError
        If the file or the mapping cannot be used, with every problem that was found.
    UsageError
        If nothing is asked for.
    """
    place = place_asked(totals, "totals")
    meant, place_of = load_mapping_document(mapping)
    choices, _ = choices_given(pathway)
    study = into if isinstance(into, Study) or into is None else load_study(into)
    of = meant.totals
    if of.entries is None and of.start is None and of.cost_per_day is None:
        rule = "totals: the mapping must say what the table holds: `entries`, `start` or `cost_per_day`; found none of them"
        raise UsageError(f"{rule}. As `totals: {{entries: {{where: {{...}}}}}}`")
    table = read_totals(place, of)
    notes: list[str] = []
    wave = None if study is None or of.entries is None else _wave_of(study, choices)
    months = int(choices.enrolment_months.value) if wave is None or study is None else _months_of(study, wave)
    series: dict[str, Series] = {}
    source = source_of(table.name, table.sha256)
    marks = {"source": source, "certainty": "D"}
    title = f"Totals in {table.name}, SHA-256 {table.sha256}" + (f"; {meant.source}" if meant.source else "")
    section: Tree = {"study": {"sources": {source: title}}}
    per_year = dispersion = None
    if of.entries is not None:
        series["entries"] = _added(table, of.entries, "entries", place_of("totals.entries"), notes)
        per_year, size = entries_of(series["entries"][""], months, of.entries.times, notes)
        enrolment = {"value": months, "certainty": "choice"}
        section["population"] = {"waves": {wave or choices.wave: {"size": {**size, **marks}, "enrolment_months": enrolment}}}
    if of.start is not None:
        series["start"] = _added(table, of.start, "start", place_of("totals.start"), notes)
        dispersion, shares = start_of(series["start"], of.start.times, notes)
        stratum = EVERYBODY if study is None else _stratum_of(study)
        section["pathway"] = {"start": {stratum: {state: {**share, **marks} for state, share in shares.items()}}}
    if of.cost_per_day is not None:
        series["cost_per_day"] = _added(table, of.cost_per_day, "cost_per_day", place_of("totals.cost_per_day"), notes)
        costs = costs_of(series["cost_per_day"], of.cost_per_day.times, notes)
        name = cost_outcome_of(study, choices)
        per_day = {state: {**cost, **marks} for state, cost in costs.items()}
        section["outcomes"] = {name: {"kind": "amount", "per_day": per_day}}
    found = None if study is None else _into(study, section)
    content: TotalsContent = {
        "name": table.name,
        "sha256": table.sha256,
        "numbers": [
            PublishedNumber(what, state, year, value)
            for what, by_state in series.items()
            for state, by_year in by_state.items()
            for year, value in by_year.items()
        ],
        "per_year": per_year,
        "dispersion": dispersion,
        "notes": notes,
        "section": section,
    }
    return TotalsFit(content, section, choices, found)


def _added(table: TotalsTable, asked: TotalsChosen, key: str, place: str, notes: list[str]) -> Series:
    """Add up the numbers that count, by state and year; a year that lacks one of them is left out.

    Raises
    ------
    StudyError
        If a header or a word is not in the table, or if rows would be added up of which nobody said that they are parts of a whole.
    """
    headers = {plain_word(name): name for one in table.totals for name in one.words}
    by = asked.by if isinstance(asked, TotalsByState) else None
    states = asked.states if isinstance(asked, TotalsByState) else {}
    problems = [
        Problem(place, f"totals.{key}", "must name headers of the table", repr(name), one_of(tuple(headers.values())))
        for name in [*asked.where, *([] if by is None else [by])]
        if plain_word(name) not in headers
    ]
    if problems:
        raise StudyError(problems)
    wanted = {headers[plain_word(name)]: {plain_word(word): word for word in words} for name, words in asked.where.items()}
    own = None if by is None else headers[plain_word(by)]
    named = {plain_word(word): state for word, state in states.items()}
    rows = [one for one in table.totals if all(plain_word(one.words.get(name, "")) in words for name, words in wanted.items())]
    rows = [one for one in rows if own is None or plain_word(one.words.get(own, "")) in named]
    _refuse_words(table, rows, wanted, own, named, key, place)
    found: Series = {}
    cells: dict[tuple[str, int], int] = {}
    unknown: set[int] = set()
    for one in rows:
        state = "" if own is None else named[plain_word(one.words[own])]
        if one.value is None:
            unknown.add(one.year)
            continue
        by_year = found.setdefault(state, {})
        by_year[one.year] = by_year.get(one.year, 0.0) + one.value
        cells[state, one.year] = cells.get((state, one.year), 0) + 1
    # A year in which a part is not published would count as too small a whole.
    most = max(cells.values(), default=0)
    years = {one.year for one in rows}
    lacking = unknown | {year for year in years if any(cells.get((state, year), 0) < most for state in found)}
    if lacking:
        notes.append(f"{key}: years that lack a number, and are left out: {', '.join(map(str, sorted(lacking)))}.")
    kept = {state: {year: by_year[year] for year in sorted(by_year) if year not in lacking} for state, by_year in found.items()}
    if not kept or not all(kept.values()):
        raise StudyError([Problem(place, f"totals.{key}", "a year must have every number that counts", "none that has")])
    return kept


def _refuse_words(
    table: TotalsTable,
    rows: Sequence[Total],
    wanted: Mapping[str, Mapping[str, str]],
    own: str | None,
    named: Mapping[str, str],
    key: str,
    place: str,
) -> None:
    problems: list[Problem] = []
    for name, words in [*wanted.items(), *([] if own is None else [(own, {word: word for word in named})])]:
        seen = {plain_word(one.words.get(name, "")): one.words.get(name, "") for one in table.totals}
        problems += [
            Problem(place, f"totals.{key}", f"must be words of the column `{name}`", repr(word), one_of(tuple(seen.values())))
            for plain, word in words.items()
            if plain not in seen
        ]
    if problems:
        raise StudyError(problems)
    for name in dict.fromkeys(name for one in rows for name in one.words):
        several = tuple(dict.fromkeys(one.words.get(name, "") for one in rows))
        if name != own and name not in wanted and len(several) > 1:
            rule = f"must say which words of the column `{name}` count, for a total may stand among its parts"
            listed = ", ".join(several[:6]) + (f" and {len(several) - 6} more" if len(several) > 6 else "")
            problems.append(Problem(place, f"totals.{key}.where", rule, listed, f"As `where: {{{name}: {several[0]}}}`"))
    if problems:
        raise StudyError(problems)


def entries_of(by_year: Mapping[int, float], months: int, times: float, notes: list[str]) -> tuple[float, Tree]:
    """Return the mean of a year, and the number of people who enter in some months as a study says it.

    As `fit_entries`, with years in the place of months: with the mean m of n years and the size r of a negative binomial distribution, the
    total of T years has the variance m T + m² T² / a with 1 / a = 1 / (r T) + (1 / m + 1 / r) / n. Of one year r is not known: it is taken
    as without bound, and said. `times` changes the mean alone: a part of a country differs from year to year by as much of its mean at
    least.

    Examples
    --------
    >>> entries_of({2021: 90, 2022: 110, 2023: 100}, 12, 1.0, [])[1]["per_month_each"]
    8.333
    """
    counts = np.array(list(by_year.values()))
    n, mean = len(counts), float(counts.mean())
    if mean <= 0:
        raise UsageError("totals.entries: somebody must enter in some year; found 0 in all")
    if n == 1:
        notes.append("entries: one year alone does not tell how much years differ; the number varies as chance makes it.")
    variance = float(counts.var(ddof=1)) if n > 1 else mean
    inverse_size, years = max(variance - mean, 0.0) / mean**2, months / 12
    shape = 1 / (inverse_size / years + (1 / mean + inverse_size) / n)
    size = {
        "distribution": "referrals",
        "referrers": 1,
        "per_month_each": float(f"{times * mean / 12:.4g}"),
        "shape": float(f"{shape:.4g}"),
        "months": months,
    }
    return times * mean, size


def start_of(series: Series, times: float, notes: list[str]) -> tuple[float, dict[str, Tree]]:
    """Return the dispersion between years, and the shares of the last year as counts of a Dirichlet distribution.

    Where years differ by more than chance, the counts are divided by the dispersion: chi-square of the table of states by years over its
    degrees of freedom (McCullagh and Nelder 1989, "Generalized Linear Models", section 4.5). `times` makes them those of a part.
    """
    states = [state for state, by_year in series.items() if any(by_year.values())]
    years = sorted(next(iter(series.values())))
    counts = np.array([[series[state][year] for year in years] for state in states])
    if len(states) == 1:
        return 1.0, {states[0]: {"value": 1.0}}
    dispersion = 1.0
    if len(years) > 1:
        expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
        dispersion = max(1.0, float(((counts - expected) ** 2 / expected).sum() / ((len(states) - 1) * (len(years) - 1))))
    else:
        notes.append("start: one year alone does not tell how much shares differ between years.")
    last = times * counts[:, -1] / dispersion
    return dispersion, {
        state: {"distribution": "dirichlet", "count": float(f"{n + _PRIOR:.6g}")} for state, n in zip(states, last, strict=True)
    }


def costs_of(series: Series, times: float, notes: list[str]) -> dict[str, Tree]:
    """Return by state the cost of the last year: lognormal around it, with the standard deviation of the changes from year to year.

    So much may a price change before the study begins; its level is that of the last year, and is not carried forward. The factor is
    Student's t of n - 1 changes at 95 % over that of a normal distribution, since few changes say little.
    """
    found: dict[str, Tree] = {}
    for state, by_year in series.items():
        values = np.array(list(by_year.values()))
        if not (values > 0).all():
            raise UsageError(f"totals.cost_per_day: a cost must be above 0; found 0 for `{state}`")
        last, changes = times * float(values[-1]), np.diff(np.log(values))
        if len(changes) < 2:
            notes.append(
                f"cost_per_day of `{state}`: fewer than three years do not tell how much a cost changes; it has one value."
            )
            found[state] = {"value": float(f"{last:.6g}")}
            continue
        # With one degree less than changes, as their mean was estimated; the 95 % quantile makes the interval of 90 %.
        half = float(special.stdtrit(len(changes) - 1, 0.95) * changes.std(ddof=1))
        if half < 1e-9:
            found[state] = {"value": float(f"{last:.6g}")}
            continue
        interval = [float(f"{last * np.exp(sign * half):.6g}") for sign in (-1, 1)]
        found[state] = {"distribution": "lognormal", "interval_90": interval}
    return found


def _wave_of(study: Study, choices: FitChoices) -> str:
    waves = tuple(study.population.waves)
    if choices.wave in waves:
        return choices.wave
    if len(waves) == 1:
        return waves[0]
    raise StudyError(
        [Problem("the pathway", "wave", "must be a wave of the study, where it has several", choices.wave, one_of(waves))]
    )


def _months_of(study: Study, wave: str) -> int:
    known = study.population.waves[wave].enrolment_months
    if isinstance(known, Constant):
        return int(known.value)
    rule = "must be one number where the table says how many enter"
    raise StudyError([Problem(_WHERE, f"population.waves.{wave}.enrolment_months", rule, "a distribution", "Give it a value")])


def _stratum_of(study: Study) -> str:
    strata = tuple(study.population.strata)
    if len(strata) != 1:
        rule = "must have one stratum where the table says where people begin"
        raise StudyError([Problem(_WHERE, "population.strata", rule, ", ".join(strata), "Leave `start` out, or write it by hand")])
    return strata[0]


def _into(study: Study, section: Tree) -> Study:
    """Put the numbers in the place of those of a study."""
    written = written_with_sources(study, section)
    for name, wave in section.get("population", {}).get("waves", {}).items():
        written["population"]["waves"][name]["size"] = wave["size"]
    written["pathway"]["start"] = {**written["pathway"]["start"], **section.get("pathway", {}).get("start", {})}
    for name, outcome in section.get("outcomes", {}).items():
        before = written["outcomes"].get(name, {"kind": "amount"})
        written["outcomes"][name] = {**before, "per_day": {**before.get("per_day", {}), **outcome["per_day"]}}
    return loaded_with(written, _WHERE)
