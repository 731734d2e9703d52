"""The value of information as plain numbers."""

from __future__ import annotations

from typing import Any

from simengine.config import Study
from simengine.questions.information.answer import Information, Pilot
from simengine.report.document import plain


def information(study: Study, found: Information) -> dict[str, Any]:
    """Return the value of information as plain numbers."""
    choice = found.choice
    return {
        "title": study.study.title,
        "currency": study.study.currency,
        "seed": found.seed,
        "replications": found.n_replications,
        "party": choice.party,
        "must_accept": list(choice.must_accept),
        "free": {path: free.model_dump(exclude_none=True) for path, free in choice.free.items()},
        "signed_now": plain(found.signed_now),
        "is_signed": found.is_signed,
        "hindsight": plain(found.hindsight),
        "evpi": plain(found.evpi),
        "evppi_of_sections": plain(found.evppi_of_sections),
        "evppi": plain(found.evppi),
        "terms_today": None if found.terms_today is None else plain(found.terms_today),
        "pilots": [_pilot(pilot) for pilot in found.pilots],
    }


def _pilot(pilot: Pilot) -> dict[str, Any]:
    return {
        "n_people": pilot.n_people,
        "evsi": plain(pilot.evsi),
        "evsi_with_terms": None if pilot.evsi_with_terms is None else plain(pilot.evsi_with_terms),
        "evsi_after_waiting": plain(pilot.evsi_after_waiting),
    }
