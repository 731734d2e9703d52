"""What JSON says of who pays and who saves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypedDict

from simengine.config import Study
from simengine.questions.value.answer import SidePayments, WrongPockets
from simengine.report.answers import Heading, answer_heading
from simengine.risk.sections import ValueSection
from simengine.risk.statistics import Statistic


class SidePaymentsContent(TypedDict):
    """Payments between some parties; what has no sentence here is told in `WrongPockets`."""

    among: tuple[str, ...]
    must_agree: tuple[str, ...]
    total: Statistic
    gap: float
    """Their joint deficit; 0 if side payments are possible."""
    proportional: SidePayments | None
    shapley: SidePayments | None


class WrongPocketsContent(Heading):
    """Who pays and who saves."""

    public_value: Mapping[str, ValueSection]
    """By party: its cash and the value of the true effect to it."""
    side_payments: Annotated[SidePaymentsContent, WrongPockets]
    """Payments between parties after which no party loses on average."""


def wrong_pockets(study: Study, found: WrongPockets) -> WrongPocketsContent:
    """Return what JSON says of who pays, who saves, and the side payments."""
    return {
        **answer_heading(study, found),
        "public_value": found.public_value,
        "side_payments": {
            "among": found.among,
            "must_agree": found.must_agree,
            "total": found.total,
            "gap": max(-found.total.value, 0.0),
            "proportional": found.proportional if found.proportional.are_possible else None,
            "shapley": found.shapley if found.shapley.are_possible else None,
        },
    }
