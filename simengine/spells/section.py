"""Write what was fitted in the words of a study: a section that drops into one, or a whole study with the section in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simengine.config import Study, load_study
from simengine.errors import Problem, StudyError, one_of
from simengine.spells.costs import DailyCost
from simengine.spells.event_fit import FittedEvent, frailty_of, section_of_event
from simengine.spells.hazards import FRAILTY, FittedMoves
from simengine.spells.people import FittedEntries, FittedStart
from simengine.spells.plan import FitPlan
from simengine.spells.records import SpellsFile

if TYPE_CHECKING:
    from simengine.spells.choices import FitChoices

Tree = dict[str, Any]
LEAST_CORRELATION = 5e-5
_WHERE = "the study with the fitted pathway"


def section_of(
    file: SpellsFile,
    choices: FitChoices,
    plan: FitPlan,
    moves: FittedMoves,
    start: FittedStart,
    entries: FittedEntries | None,
    costs: Mapping[str, DailyCost],
    cost_outcome: str,
    events: Sequence[FittedEvent] = (),
    events_file: SpellsFile | None = None,
) -> Tree:
    """Return what was fitted as the sections of a study say it; every number with its source, a code of `study.sources`, and certainty."""
    marks = {"source": source_of(file.name, file.sha256), "certainty": "D"}
    sources = {source_of(file.name, file.sha256): f"Spells in {file.name}, SHA-256 {file.sha256}"}
    tree: Tree = {"study": {"sources": sources}, "population": {"strata": _strata(plan, start, marks)}, "pathway": {}}
    if entries is not None:
        waves = {
            "size": {**entries.size, **marks},
            "enrolment_months": {"value": choices.enrolment_months.value, "certainty": "choice"},
        }
        tree["population"]["waves"] = {choices.wave: waves}
    tree["pathway"]["states"] = list(plan.states)
    tree["pathway"]["start"] = {
        stratum: {state: {**share, **marks} for state, share in by_state.items()} for stratum, by_state in start.start.items()
    }
    tree["pathway"]["moves"] = {move.name: {} for move in plan.moves}
    for move in plan.moves:
        if move.cuts:
            # The months come first: a reader looks for them before the numbers.
            tree["pathway"]["moves"][move.name]["by_months_in_state"] = {"from_months": list(move.cuts)}
    for number in moves.numbers:
        _put(tree, number.path, {**number.quantity, **marks})
    _as_lists(tree, plan)
    frail = [move.name for move in plan.moves if move.is_frail]
    if frail:
        tree["population"]["frailties"][FRAILTY]["on"] = frail
    if costs:
        per_day = {state: {**cost.quantity, **marks} for state, cost in costs.items()}
        tree["outcomes"] = {cost_outcome: {"kind": "amount", "per_day": per_day}}
    pairs = [(pair, marks) for pair in moves.correlations]
    if events_file is not None:
        pairs += _put_events(tree, events, events_file)
    if pairs := [pair for pair in pairs if abs(pair[0][2]) >= LEAST_CORRELATION]:
        tree["correlations"] = {
            f"fitted_{number}": {"between": [a, b], "value": round(value, 4), **of}
            for number, ((a, b, value), of) in enumerate(pairs, start=1)
        }
    return tree


def _put_events(tree: Tree, events: Sequence[FittedEvent], file: SpellsFile) -> list[tuple[tuple[str, str, float], Tree]]:
    """Put events and their frailties into the tree, and return their correlations with the source of each."""
    marks = {"source": source_of(file.name, file.sha256), "certainty": "D"}
    tree["study"]["sources"][source_of(file.name, file.sha256)] = f"Events in {file.name}, SHA-256 {file.sha256}"
    tree["events"] = {one.plan.name: section_of_event(one, marks) for one in events}
    for one in events:
        for number in one.numbers:
            if number.path.startswith("population."):
                _put(tree, number.path, {**number.quantity, **marks})
                tree["population"]["frailties"][frailty_of(one.plan.name)]["on"] = [one.plan.name]
    return [(pair, marks) for one in events for pair in one.correlations]


def source_of(name: str, sha256: str) -> str:
    """Name a file by its name and the beginning of its fingerprint; a comma would separate two sources.

    Examples
    --------
    >>> source_of("placements, 2024.csv", "0123456789abcdef" * 4)
    'placements 2024.csv 0123456789ab'
    """
    return f"{name.replace(',', '')} {sha256[:12]}"


def _strata(plan: FitPlan, start: FittedStart, marks: Tree) -> Tree:
    if len(plan.strata) == 1:
        return {plan.strata[0]: {"share": {"value": 1.0, "certainty": "choice", "note": "the only stratum"}}}
    return {name: {"share": {**share, **marks}} for name, share in start.strata.items()}


def _put(tree: Tree, path: str, quantity: Tree) -> None:
    """Put a number at its dotted path; no name of a state or a move holds a dot."""
    *above, last = path.split(".")
    for name in above:
        tree = tree.setdefault(name, {})
    tree[last] = quantity


def _as_lists(tree: Tree, plan: FitPlan) -> None:
    """Turn the numbers of pieces into the lists of a study."""
    for move in plan.moves:
        by_months = tree["pathway"]["moves"][move.name].get("by_months_in_state", {})
        for form in set(by_months) - {"from_months"}:
            by_months[form] = [by_months[form][str(i)] for i in range(len(move.cuts))]


def into_study(study: Study, section: Tree, *, keeps_start: bool, keeps_pathway: bool = False) -> tuple[Study, tuple[str, ...]]:
    """Put a fitted section in the place of the pathway, the strata, the daily costs, and the events of the same names of a study.

    The waves stay as they are, and, if so wanted, the strata and where their people begin. Frailties and correlations of the study stay
    where all that they name is still there, and so do its variants; a frailty no longer acts on what has a fitted one. Where events
    alone were fitted (`keeps_pathway`), the pathway and the strata are those of the study.

    Returns
    -------
    The study, valid as a whole; and the names of correlations, variants and known results that no longer apply and were left out.

    Raises
    ------
    StudyError
        If the study cannot be with this pathway, such as where an effect changes a move that nobody made.
    """
    written = written_with_sources(study, section)
    population, fitted = written["population"], section["population"]
    pathway = written["pathway"] if keeps_pathway else dict(section["pathway"])
    if keeps_start and not keeps_pathway:
        if set(population["strata"]) != set(fitted["strata"]):
            rule = "`study` must belong to a study whose strata are those that were fitted"
            both = f"{', '.join(population['strata'])} and {', '.join(fitted['strata'])}"
            raise StudyError([Problem("the pathway", "start", rule, both, "Write `strata: none`, or rename them")])
        pathway["start"] = written["pathway"]["start"]
    elif not keeps_pathway:
        population["strata"] = fitted["strata"]
    gone = _put_frailties(population, fitted.get("frailties", {}))
    written["pathway"] = pathway
    if events := section.get("events"):
        written["events"] = {**written.get("events", {}), **events}
    for name, outcome in section.get("outcomes", {}).items():
        written["outcomes"][name] = {**written["outcomes"].get(name, {}), **outcome}
    correlations = written.pop("correlations", {})
    variants, known = written.pop("variants", {}), written.pop("known", {})
    if own := section.get("correlations"):
        written["correlations"] = own
    found = loaded_with(written, _WHERE)
    for name, one in correlations.items():
        if name in (own or {}):
            continue
        if not all(path in found.numbers for path in one["between"]):
            gone.append(f"correlations.{name}")
        else:
            written["correlations"] = {**written.get("correlations", {}), name: one}
    for name, changes in variants.items():
        with suppress(StudyError):
            load_study({**written, "variants": {name: changes}}, variant=name)
            written["variants"] = {**written.get("variants", {}), name: changes}
        if name not in written.get("variants", {}):
            gone.append(f"variants.{name}")
    for name, one in known.items():
        if one.get("variant") in (None, *written.get("variants", {})):
            written["known"] = {**written.get("known", {}), name: one}
        else:
            gone.append(f"known.{name}")
    return loaded_with(written, _WHERE), tuple(gone)


def _put_frailties(population: Tree, fitted: Tree) -> list[str]:
    """Put fitted frailties beside those of a study that act on something else; returns the names of those that no longer act."""
    gone: list[str] = []
    kept: Tree = {}
    taken = {target for one in fitted.values() for target in one["on"]}
    for name, one in population.get("frailties", {}).items():
        on = [target for target in one["on"] if target not in taken]
        if name in fitted:
            continue
        if on:
            kept[name] = {**one, "on": on}
        if len(on) < len(one["on"]):
            on_what = ", ".join(target for target in one["on"] if target in taken)
            gone.append(f"population.frailties.{name} on {on_what}")
    if frailties := {**kept, **fitted}:
        population["frailties"] = frailties
    else:
        population.pop("frailties", None)
    return gone


def written_with_sources(study: Study, section: Tree) -> Tree:
    """Write a study as data, with the sources of a fitted section beside its own."""
    written: Tree = study.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    if sources := written["study"].get("sources"):
        # Without any a study takes every text for a source.
        written["study"]["sources"] = {**sources, **section["study"]["sources"]}
    return written


def loaded_with(written: Tree, where: str) -> Study:
    """Read a study into which a section was put, and say of what is wrong that it is so there."""
    try:
        return load_study(written)
    except StudyError as error:
        raise StudyError([replace(one, where=where) for one in error.problems]) from None


def cost_outcome_of(study: Study | None, choices: FitChoices) -> str:
    """Name the amount that holds daily costs: the one that was chosen, the only one of the study, or `cost`.

    Raises
    ------
    StudyError
        If a study has several amounts, or none, and nobody says which.
    """
    if choices.cost_outcome is not None:
        return choices.cost_outcome
    if study is None:
        return "cost"
    amounts = [name for name, outcome in study.outcomes.items() if getattr(outcome, "per_day", None)]
    if len(amounts) != 1:
        rule = "must name the amount of the study that holds daily costs, where it has not exactly one with `per_day`"
        raise StudyError(
            [Problem("the pathway", "cost_outcome", rule, ", ".join(amounts) or "none", one_of(tuple(study.outcomes)))]
        )
    return amounts[0]
