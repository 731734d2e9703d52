"""Say who pays and who saves as plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simengine.config import Study
from simengine.questions.value.answer import SidePayments, WrongPockets
from simengine.report.document import plain


def wrong_pockets(study: Study, found: WrongPockets) -> dict[str, Any]:
    """Return who pays, who saves and the side payments as plain numbers."""
    return {
        "title": study.study.title,
        "currency": study.study.currency,
        "seed": found.seed,
        "replications": found.n_replications,
        "public_value": plain(found.public_value),
        "side_payments": {
            "among": list(found.among),
            "must_agree": list(found.must_agree),
            "total": plain(found.total),
            "gap": max(-found.total.value, 0.0),
            "proportional": _plain(found.proportional),
            "shapley": _plain(found.shapley),
        },
    }


def _plain(found: SidePayments) -> Mapping[str, Any] | None:
    """Return side payments as plain numbers; nothing where they are not possible."""
    if not found.are_possible:
        return None
    return {key: plain(getattr(found, key)) for key in ("received", "left_with", "p_still_loses")}
