"""The first sections of a report: the question and the answer in short; the contract in words."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from simengine.contract_text.card import Grid
from simengine.contract_text.explain import ContractPart, contract_parts
from simengine.documents.blocks import Bullets, PageBlock, Paragraph, ReportPage, Sheet, Subtitle
from simengine.documents.frame import ROLE_NAMES, ReportFrame
from simengine.languages.language import DASH, marked, typed


def question_pages(frame: ReportFrame) -> list[ReportPage]:
    """Say what is asked, about what, how it is answered, and the answer in a table."""
    say = frame.language.say
    return [ReportPage("question", say("The question"), [*_asked(frame), *_in_short(frame), *_how_to_read(frame)])]


def _asked(frame: ReportFrame) -> Iterator[PageBlock]:
    say, heading = frame.language.say, frame.study.study
    yield Paragraph(
        say("What may each party gain or lose under this contract, how likely is it, and on what does it depend?"), "answer"
    )
    months = frame.language.number(heading.horizon_months.value, 6)
    begins = say(
        "The study begins in {month} and follows the money for {months} months.",
        month=frame.language.month(heading.start),
        months=months,
    )
    people = frame.material.get("people.service_users.mean")
    served = say("On average {people} people get the service.", people=frame.language.count(people)) if people else ""
    yield Paragraph(begins + " " + served if served else begins)
    if frame.audience is not None:
        yield Paragraph(
            say(
                "This report is written for the {role}: what concerns others alone is left out.",
                role=say(ROLE_NAMES[frame.audience]),
            ),
            "note",
        )
    n = frame.language.whole(frame.material.n_replications)
    yield Paragraph(
        say(
            "The answer comes from {n} replications: made-up courses of the same contract, each with other people and with other "
            "values of what nobody knows for certain. In each the service is delivered, an evaluator measures what came of it, and "
            "the contract pays on what was measured.",
            n=n,
        )
    )


def _in_short(frame: ReportFrame) -> Iterator[PageBlock]:
    say, of = frame.language.say, frame.material.of_party
    rows = []
    for party in frame.parties:
        knows = frame.knows_loss(party)
        loss = frame.language.chance(of(party, "p_loss")) if knows else DASH
        worst = frame.cell(of(party, "net.p05")) if knows else DASH
        rows.append((frame.full_name(party), loss, frame.cell(of(party, "net.mean")), worst, frame.cell(of(party, "net.p95"))))
    columns = (
        say("party"),
        say("chance of a loss"),
        say("result on average"),
        say("1 of 20 is worse than"),
        say("1 of 20 is better than"),
    )
    caption = say("The parties at a glance, in {unit}", unit=frame.language.unit_name(frame.unit))
    yield Sheet(caption, columns, tuple(rows))


def _how_to_read(frame: ReportFrame) -> Iterator[PageBlock]:
    say = frame.language.say
    yield Paragraph(
        say(
            "A result is all that a party receives less all that it pays, with what the effect of the service is worth to it, not "
            "discounted. A loss is a result below zero. After ± stands one standard error of the simulation: it says how "
            "far a number "
            "may be off because the number of replications is finite, and nothing about whether the assumptions hold. A dash means "
            "that the study does not say enough, or that too few replications carry the number."
        ),
        "note",
    )
    yield Paragraph(
        say(
            "A probability is one under the assumptions of the study, not a forecast of this contract. {marked} is quoted from the "
            "study file as its author typed it.",
            marked=Markup('<span class="typed">{}</span>').format(say("Text marked like this")),
        ),
        "note",
    )


def contract_pages(frame: ReportFrame) -> list[ReportPage]:
    """Say the contract in plain words, and what its terms paid in the run."""
    say = frame.language.say
    blocks: list[PageBlock] = [Paragraph(typed(frame.study.contract.title))]
    for part in contract_parts(frame.study.contract, frame.language.wording()):
        blocks += _part(part)
    return [ReportPage("contract", say("The contract in plain words"), [*blocks, *_paid(frame)])]


def _part(part: ContractPart) -> Iterator[PageBlock]:
    if part.title:
        yield Subtitle(marked(part.title.capitalize().format(name=part.name)))
    listed: list[Markup] = []
    for item in part.items:
        if isinstance(item, str) and item.startswith("- "):
            listed.append(marked(item.removeprefix("- ")))
            continue
        if listed:
            yield Bullets(tuple(listed))
            listed = []
        if isinstance(item, Grid):
            words = frozenset(place for place, is_right in enumerate(item.right) if not is_right)
            rows = tuple(tuple(marked(text) for text in row) for row in item.rows)
            yield Sheet(Markup(""), tuple(marked(name) for name in item.columns), rows, words)
        else:
            yield Paragraph(marked(item))
    if listed:
        yield Bullets(tuple(listed))


def _paid(frame: ReportFrame) -> Iterator[PageBlock]:
    """Lay out what each term paid, and what decided."""
    say, get = frame.language.say, frame.material.get
    rows = []
    for name in frame.study.contract.terms:
        limits = (
            frame.language.chance(get(f"terms.{name}.bound.{word}"), with_error=False)
            for word in ("formula", "floor", "cap", "gate")
        )
        amounts = (frame.cell(get(f"terms.{name}.amount.{what}")) for what in ("mean", "p05", "p95"))
        rows.append((typed(name), *amounts, *limits))
    columns = (
        *(say("term"), say("paid on average"), say("1 of 20 is less than"), say("1 of 20 is more than")),
        *(say("as the formula says"), say("raised to the floor"), say("cut by the cap"), say("a condition not met")),
    )
    yield Sheet(
        say("What the terms pay in the simulation, in {unit}", unit=frame.language.unit_name(frame.unit)), columns, tuple(rows)
    )
