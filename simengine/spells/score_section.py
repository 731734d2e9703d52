"""Write fitted scores in the words of a study: a section that drops into one, or a whole study with the section in it."""

from __future__ import annotations

from collections.abc import Sequence

from simengine.config import Study
from simengine.errors import Problem, StudyError, one_of
from simengine.spells.records import SpellsFile
from simengine.spells.score_fit import FittedScore
from simengine.spells.section import LEAST_CORRELATION, Tree, loaded_with, source_of, written_with_sources

_WHERE = "the study with the fitted scores"


def section_of_scores(file: SpellsFile, fitted: Sequence[FittedScore]) -> Tree:
    """Return fitted scores as the sections of a study say them; every number with its source, a code of `study.sources`."""
    marks = {"source": source_of(file.name, file.sha256), "certainty": "D"}
    tree: Tree = {
        "study": {"sources": {source_of(file.name, file.sha256): f"Scores in {file.name}, SHA-256 {file.sha256}"}},
        "outcomes": {},
    }
    correlations: Tree = {}
    for one in fitted:
        outcome: Tree = {"kind": "score", "at_month": {"value": one.at_month, "certainty": "choice"}}
        outcome |= {number.path.rpartition(".")[2]: {**number.quantity, **marks} for number in one.numbers}
        tree["outcomes"][one.name] = outcome if one.reported == "level" else {**outcome, "reported": one.reported}
        told = [pair for pair in one.correlations if abs(pair[2]) >= LEAST_CORRELATION]
        for number, (a, b, value) in enumerate(told, start=1):
            correlations[f"fitted_{one.name}_{number}"] = {"between": [a, b], "value": round(value, 4), **marks}
        if one.drop_out is not None and one.asked.metric is not None:
            attrition = {"share": {**one.drop_out.share, **marks}, "gap": {**one.drop_out.gap, **marks}}
            metrics = tree.setdefault("measurement", {}).setdefault("metrics", {})
            metrics[one.asked.metric] = {"attrition": attrition}
    return {**tree, "correlations": correlations} if correlations else tree


def scores_into_study(study: Study, section: Tree) -> tuple[Study, tuple[str, ...]]:
    """Put fitted scores in the place of the outcomes of the same names; what else the study says of them stays.

    Returns
    -------
    The study, valid as a whole; and what no longer applies and was left out: an error of measurement that was not fitted, and
    correlations with a number that now has others.

    Raises
    ------
    StudyError
        If an outcome of that name is no score, or moves with the states, of which a table of scores says nothing; if there is no such
        metric; or if the study cannot be with these scores.
    """
    written = written_with_sources(study, section)
    _refuse_others(written, section)
    gone: list[str] = []
    for name, outcome in section["outcomes"].items():
        before = written["outcomes"].get(name, {})
        if "error_sd_at_entry" in before and "error_sd_at_entry" not in outcome:
            gone.append(f"outcomes.{name}.error_sd_at_entry")
            before = {key: value for key, value in before.items() if key != "error_sd_at_entry"}
        written["outcomes"][name] = {**{key: value for key, value in before.items() if key != "reported"}, **outcome}
    for name, metric in section.get("measurement", {}).get("metrics", {}).items():
        written["measurement"]["metrics"][name] |= metric
    kept: Tree = {}
    for name, one in written.get("correlations", {}).items():
        if any(path.startswith(tuple(f"outcomes.{outcome}." for outcome in section["outcomes"])) for path in one["between"]):
            gone.append(f"correlations.{name}")
        else:
            kept[name] = one
    if correlations := {**kept, **section.get("correlations", {})}:
        written["correlations"] = correlations
    else:
        written.pop("correlations", None)
    return loaded_with(written, _WHERE), tuple(gone)


def _refuse_others(written: Tree, section: Tree) -> None:
    found: list[Problem] = []
    for name in section["outcomes"]:
        before = written["outcomes"].get(name)
        if before is not None and before["kind"] != "score":
            way_out = "Call it otherwise: `scores: {scale: ...}` or `scores: {scales: {...}}` in the mapping"
            found.append(Problem(_WHERE, f"outcomes.{name}.kind", "must be `score`", before["kind"], way_out))
        elif before is not None and "by_state" in before:
            rule = "must be absent where the score is fitted: its mean is that of everybody, whatever the state"
            found.append(
                Problem(_WHERE, f"outcomes.{name}.by_state", rule, ", ".join(before["by_state"]), "Remove it from the study")
            )
    metrics = written["measurement"].get("metrics", {})
    found += [
        Problem(_WHERE, f"measurement.metrics.{name}", "must be a metric of the study", "none", one_of(tuple(metrics)))
        for name in section.get("measurement", {}).get("metrics", {})
        if name not in metrics
    ]
    if found:
        raise StudyError(found)
