"""The sections of a report, in their order: another one is another line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simengine.errors import UsageError, did_you_mean, one_of
from simengine.languages.language import sentence
from simengine.questions.question import Later, Question, later

if TYPE_CHECKING:
    from simengine.config import Study
from simengine.questions.attribute.question import ATTRIBUTE
from simengine.questions.cash.question import CASH
from simengine.questions.certificate.question import CERTIFICATE
from simengine.questions.compare.question import COMPARE
from simengine.questions.sensitivity.question import SENSITIVITY
from simengine.questions.size.question import SIZE
from simengine.questions.stress.question import STRESS
from simengine.questions.tradeoffs.question import TRADEOFFS

COMPARED, OUTSIDE = "compare", "outside"


@dataclass(frozen=True)
class ReportSection:
    """A section."""

    name: str
    """As `--sections` says it; that of its question, where it has one."""
    title: str
    pages: Later
    """From the frame of the report to the pages of the section."""
    question: Question[Any] | None = None
    """What is asked beside the run."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """Options of the question."""
    least: int = 0
    """Replications that its tails take: it is asked with as many, if the run has them."""
    is_default: bool = True
    asks_of: Callable[[Study], str] = lambda study: ""  # noqa: ARG005
    """From the study to why it cannot be asked; empty where it can."""


def _without_sizing(study: Study) -> str:
    return "" if study.sizing is not None else "the study says no `sizing`: what may change, and what each party wants"


def _without_terms_on_results(study: Study) -> str:
    contingent = any(term.contingent for term in study.contract.terms.values())
    return "" if contingent else "no term of the contract depends on results"


REPORT_SECTIONS = (
    ReportSection("question", sentence("The question"), later("simengine.documents.opening", "question_pages")),
    ReportSection("contract", sentence("The contract in plain words"), later("simengine.documents.opening", "contract_pages")),
    ReportSection(
        COMPARED, sentence("The term sheets side by side"), later("simengine.documents.comparison", "compare_pages"), COMPARE
    ),
    ReportSection("parties", sentence("The parties, one by one"), later("simengine.documents.parties", "party_pages")),
    ReportSection("cash", sentence("Cash over time"), later("simengine.documents.over_time", "cash_pages"), CASH, least=2_000),
    ReportSection(
        "certificate",
        sentence("Paid for nothing, or withheld for something"),
        later("simengine.documents.errors_of_payment", "certificate_pages"),
        CERTIFICATE,
        asks_of=_without_terms_on_results,
    ),
    ReportSection("stress", sentence("Bad times"), later("simengine.documents.stressed", "stress_pages"), STRESS),
    ReportSection(
        "attribute",
        sentence("Where the uncertainty comes from"),
        later("simengine.documents.causes", "attribute_pages"),
        ATTRIBUTE,
        # The variance is told, and no tail: so few families are enough.
        {"level": 0.5},
        least=200,
        is_default=False,
    ),
    ReportSection(
        "sensitivity",
        sentence("One assumption at a time"),
        later("simengine.documents.causes", "sensitivity_pages"),
        SENSITIVITY,
        is_default=False,
    ),
    ReportSection(
        "tradeoffs", sentence("What each term is worth to whom"), later("simengine.documents.causes", "tradeoffs_pages"), TRADEOFFS
    ),
    ReportSection(
        "size",
        sentence("Terms that all can sign"),
        later("simengine.documents.deal", "size_pages"),
        SIZE,
        is_default=False,
        asks_of=_without_sizing,
    ),
    ReportSection(OUTSIDE, sentence("Among signed contracts"), later("simengine.documents.outside", "outside_pages")),
    ReportSection(
        "assumptions",
        sentence("The assumptions, by how much they matter"),
        later("simengine.documents.closing", "assumptions_pages"),
    ),
    ReportSection("limits", sentence("What the model does not know"), later("simengine.documents.closing", "limits_pages")),
    ReportSection("provenance", sentence("Where the numbers come from"), later("simengine.documents.closing", "provenance_pages")),
    ReportSection("checklists", sentence("Checklists of the field"), later("simengine.documents.checklists", "checklists_pages")),
)


_OF_A_COMPARISON = ("question", COMPARED, "assumptions", "limits", "provenance")


def chosen_sections(
    names: Sequence[str], study: Study, *, with_contracts: bool, with_tables: bool = False
) -> tuple[ReportSection, ...]:
    """Return the requested sections, or those of every report, in their order; what the study cannot answer is left out.

    Parameters
    ----------
    names
        Of sections; none: those of every report or, with contracts, of a comparison.
    study
        What the report is about.
    with_contracts
        Whether its contract is compared with others.
    with_tables
        Whether public tables of signed contracts were given.

    Raises
    ------
    UsageError
        If there is no section of a name, or the study cannot answer one that somebody named.
    """
    known = {section.name: section for section in REPORT_SECTIONS}
    for name in names:
        if name not in known:
            rule = "must be names of sections, with commas between them"
            raise UsageError(f"--sections: {rule}; found {name!r}. {did_you_mean(name, known, one_of(known))}")
        if reason := known[name].asks_of(study):
            raise UsageError(f"--sections: must be sections that the study can answer; found {name!r}: {reason}")
    if with_contracts:
        wanted = {*(names or _OF_A_COMPARISON), COMPARED, *((OUTSIDE,) if with_tables else ())}
    else:
        wanted = set(names) or {
            one.name for one in REPORT_SECTIONS if one.is_default and one.name != COMPARED and not one.asks_of(study)
        }
    return tuple(section for section in REPORT_SECTIONS if section.name in wanted)
