"""Lay out the value of information."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Group, RenderableType
from rich.text import Text

from simengine.config import Study
from simengine.questions.information.answer import Information
from simengine.report.layouts import grid, titled
from simengine.report.units import cell, money_unit

_SHOWN = 8


def information_tables(study: Study, found: Information) -> RenderableType:
    """Lay out the value of information."""
    scale, money = money_unit(study)
    choice = found.choice
    said = (
        f"On what is known today {choice.party} {'signs' if found.is_signed else 'does not sign'}: its expected net present value "
    )
    said += f"is {cell(found.signed_now, scale)}."
    heading = Text(
        f"{study.study.title}\n{found.n_replications:,} replications, seed {found.seed}. "
        f"Money in {money}; ± is one Monte Carlo standard error.\n{said}",
        style="bold",
    )
    known = grid("known before signing", "is worth")
    known.add_row("everything, sampling variation included", cell(found.hindsight, scale))
    known.add_row("every number that has a distribution (EVPI)", cell(found.evpi, scale))
    for name, value in sorted(found.evppi_of_sections.items(), key=lambda one: -one[1].value):
        known.add_row(f"all of {name}", cell(value, scale))
    for path, value in list(found.evppi.items())[:_SHOWN]:
        known.add_row(path, cell(value, scale))
    parts: list[RenderableType] = [
        heading,
        titled(f"Value of information to {choice.party} before it signs, or does not; of a section or a number: EVPPI", known),
    ]
    if found.terms_today is not None:
        more = "more" if found.terms_today.value >= 0 else "less"
        amount = cell(replace(found.terms_today, value=abs(found.terms_today.value)), scale)
        parts.append(Text(f"\nThe best terms that are open today are worth {amount} {more} to it than the contract as it stands."))
    if found.pilots:
        parts.append(_pilots(study, found))
    return Group(*parts)


def _pilots(study: Study, found: Information) -> RenderableType:
    scale, _ = money_unit(study)
    with_terms = found.terms_today is not None
    rows = grid("people", "sign or not", *(["the terms too"] if with_terms else []), "after waiting")
    for pilot in found.pilots:
        terms = [cell(pilot.evsi_with_terms, scale)] if with_terms else []
        rows.add_row(f"{pilot.n_people:,}", cell(pilot.evsi, scale), *terms, cell(pilot.evsi_after_waiting, scale))
    remark = ""
    if found.choice.must_accept:
        remark = f" {', '.join(found.choice.must_accept)} must expect no loss."
    return titled(
        f"Value of a pilot that decides so much (EVSI); after waiting: less what the delay and its people cost.{remark}", rows
    )
