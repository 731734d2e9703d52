"""What JSON says of the value of information."""

from __future__ import annotations

from collections.abc import Mapping

from simengine.config import Study
from simengine.config.sizing import Free
from simengine.questions.information.answer import Information, Pilot
from simengine.report.answers import Heading, answer_heading
from simengine.risk.statistics import Statistic


class InformationContent(Heading):
    """The value of information; what has no sentence here is told in `Information`."""

    party: str
    """The party whose net present value decides."""
    must_accept: tuple[str, ...]
    """Parties who sign only without an expected loss."""
    free: Mapping[str, Free]
    """By path: the range of a term that may be chosen after the information; empty: the terms are fixed."""
    signed_now: Statistic
    is_signed: bool
    hindsight: Statistic
    evpi: Statistic
    evppi_of_sections: Mapping[str, Statistic]
    evppi: Mapping[str, Statistic]
    terms_today: Statistic | None
    pilots: tuple[Pilot, ...]


def information(study: Study, found: Information) -> InformationContent:
    """Return what JSON says of the value of information."""
    return {
        **answer_heading(study, found),
        "party": found.choice.party,
        "must_accept": found.choice.must_accept,
        "free": found.choice.free,
        "signed_now": found.signed_now,
        "is_signed": found.is_signed,
        "hindsight": found.hindsight,
        "evpi": found.evpi,
        "evppi_of_sections": found.evppi_of_sections,
        "evppi": found.evppi,
        "terms_today": found.terms_today,
        "pilots": found.pilots,
    }
