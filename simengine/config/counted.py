"""Rules of outcomes that are counted person by person: what the contract counts, the study must be able to reach.

Each rule is a generator of findings `(path, rule, found, way out)`.
"""

from __future__ import annotations

from collections.abc import Iterator

from simengine.config.study import Study
from simengine.errors import Finding, one_of


def counted_problems(study: Study) -> Iterator[Finding]:
    """Find outcomes that are counted person by person and cannot be, or that a contract counts and nobody records."""
    for name in study.measurement.counted:
        yield from _counted(study, name)
    if study.measurement.counted and study.measurement.transfers != "followed":
        rule = "outcomes that are counted person by person must be counted wherever people live: `followed`"
        yield "measurement.transfers", rule, f"`{study.measurement.transfers}`", ""
    for name, use in study.contract.outcomes.items():
        path = f"contract.outcomes.{name}"
        if name not in study.measurement.counted:
            way_out = one_of(study.measurement.counted) or "The study has no `measurement.counted`"
            yield (
                path,
                "every outcome of the contract must be counted under `measurement.counted`",
                f"nobody counts `{name}`",
                way_out,
            )
            continue
        kind = study.outcomes.get(study.measurement.counted[name].outcome or name)
        if kind is not None and kind.counted_as != "nothing" and (kind.counted_as == "people") == use.has_units:
            wanted = "people" if kind.counted_as == "people" else "that of the outcome, such as days"
            yield (
                f"{path}.unit",
                f"an outcome of kind {kind.kind} must be counted in {kind.counted_as}",
                f"`{use.unit}`",
                f"Write {wanted}",
            )
    for name in study.contract.groups:
        if name not in study.population.strata:
            yield (
                f"contract.groups.{name}",
                "a group must be a stratum of the population",
                f"`{name}`",
                one_of(study.population.strata),
            )


def _counted(study: Study, name: str) -> Iterator[Finding]:
    one, path, horizon = study.measurement.counted[name], f"measurement.counted.{name}", study.study.horizon_months.value
    asked = one.outcome or name
    kind = study.outcomes.get(asked)
    if kind is None:
        where = f"{path}.outcome" if one.outcome is not None else path
        yield where, "must be an outcome of the study", f"`{asked}`", f"Write `outcome:`. {one_of(study.outcomes)}"
        return
    if kind.counted_as == "nothing":
        found = f"`{asked}`, of kind {kind.kind}"
        yield path, "what is counted person by person must be reached or not, or add up over time", found, "Count a `target` of it"
        return
    window = horizon if one.within_months is None else one.within_months.value
    if window > horizon:
        yield f"{path}.within_months", f"it must be reached within the horizon of {horizon:g} months", f"{window:g}", ""
    if kind.is_told_at_end and one.within_months is None:
        rule = "what only the end of a window tells, such as at most so much, must be counted within some months"
        yield path, rule, f"`{asked}` without `within_months`", "Say after how many months it is told"
    if kind.read_at_month is not None and kind.read_at_month > window:
        found = f"`{asked}`, read {kind.read_at_month:g} months after entry, within {window:g}"
        yield path, "some people must be able to reach what is counted", found, "Raise `within_months`, or read it earlier"
    if kind.counted_as == "units" and one.false_claims is not None:
        yield (
            f"{path}.false_claims",
            "a claim must be false for a person, not for units",
            f"`{asked}`, of kind {kind.kind}",
            "Leave it out",
        )
