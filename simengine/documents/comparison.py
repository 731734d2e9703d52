"""Two or three term sheets side by side: what each says, and who gains by going over."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from simengine.config import Study
from simengine.contract_text.card import Grid
from simengine.contract_text.explain import contract_parts
from simengine.documents.blocks import Bullets, PageBlock, Paragraph, ReportPage, Sheet, Subtitle
from simengine.documents.frame import ReportFrame
from simengine.documents.pictures import bars, drawing
from simengine.languages.language import DASH, marked, typed
from simengine.questions.compare.answer import Comparison
from simengine.questions.compare.designs import OWN_CONTRACT


def compare_pages(frame: ReportFrame, designs: dict[str, Study]) -> list[ReportPage]:
    """Lay out contracts side by side.

    Parameters
    ----------
    designs
        By name, that of the study first: the study under each contract.
    """
    found = frame.answers["compare"]
    assert isinstance(found, Comparison)
    blocks = [*_said(frame, designs), *_sides(frame, found), *_switches(frame, found)]
    return [ReportPage("compare", frame.language.say("The term sheets side by side"), blocks)]


def _called(frame: ReportFrame, name: str) -> Markup:
    return frame.language.say("the contract of the study") if name == OWN_CONTRACT else typed(name)


def _said(frame: ReportFrame, designs: dict[str, Study]) -> Iterator[PageBlock]:
    say = frame.language.say
    yield Paragraph(say("Every contract is settled on the same people, measured once; differences are those of the terms alone."))
    for name, design in designs.items():
        yield Subtitle(say("{name}: what is paid", name=_called(frame, name)))
        parts = contract_parts(design.contract, frame.language.wording())
        paid = frame.language.text("WHAT IS PAID")
        texts = [item for part in parts if part.title == paid for item in part.items if not isinstance(item, Grid)]
        yield Bullets(tuple(marked(text.removeprefix("- ")) for text in texts))


def _sides(frame: ReportFrame, found: Comparison) -> Iterator[PageBlock]:
    say, language, unit = frame.language.say, frame.language, frame.unit
    columns = (
        say("contract"),
        say("result on average"),
        say("present value"),
        say("chance of a loss"),
        say("loss in the worst 5 of 100"),
    )
    for place, party in enumerate(party for party in frame.parties if party in found.parties):
        knows, rows = frame.knows_loss(party), []
        for name, standings in found.standings.items():
            one = standings[party]
            risk = (language.chance(one.p_loss), frame.cell(one.cvar)) if knows else (DASH, DASH)
            rows.append((_called(frame, name), frame.cell(one.net), frame.cell(one.npv), *risk))
        yield Subtitle(frame.full_name(party))
        yield Sheet(say("Where it stands under each contract, in {unit}", unit=language.unit_name(unit)), columns, tuple(rows))
        nets = [standings[party].net for standings in found.standings.values()]
        names = [str(_called(frame, name).striptags()) for name in found.standings]
        ends = [(one.value / unit[0], float("nan")) for one in nets]
        errors = [1.96 * one.se / unit[0] for one in nets]
        axis = say("result on average, {unit}", unit=language.unit_name(unit))
        caption = say("The average result of {party} under each contract.", party=frame.name(party))
        yield drawing(bars(language, names, ends, 0.0, axis, errors), f"compare-{place}", caption, caption)


def _switches(frame: ReportFrame, found: Comparison) -> Iterator[PageBlock]:
    say, chance = frame.language.say, frame.language.chance
    for name, switches in found.switches.items():
        rows = tuple(
            (
                frame.full_name(party),
                frame.cell(one.net),
                frame.cell(one.npv),
                *(chance(share) for share in (one.gains, one.loses, one.same)),
            )
            for party, one in switches.items()
            if party in frame.parties
        )
        columns = (
            *(say("party"), say("result, change"), say("present value, change")),
            *(say("chance that it gains"), say("chance that it loses by it"), say("chance of no change")),
        )
        caption = say(
            "Going over to {name}, replication by replication, in {unit}",
            name=_called(frame, name),
            unit=frame.language.unit_name(frame.unit),
        )
        yield Sheet(caption, columns, rows)
