"""What every section of a report shares: the run, the language, whose report it is, the answers beside the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from markupsafe import Markup

from simengine.config import Study
from simengine.config.roles import lenders_of, with_money
from simengine.distributions import Constant
from simengine.documents.drivers import Driver, drivers_of
from simengine.documents.material import Material
from simengine.languages.language import Language, sentence, typed
from simengine.records import ROLES
from simengine.report.layouts import knows_loss
from simengine.report.units import WrittenUnit, money_unit, to_digits
from simengine.risk.statistics import Statistic

INVESTOR_ROLE, PAYER_ROLE, PROVIDER_ROLE = AUDIENCES = ROLES
ROLE_NAMES: Mapping[str, str] = {
    INVESTOR_ROLE: sentence("investor"),
    PAYER_ROLE: sentence("outcome payer"),
    PROVIDER_ROLE: sentence("service provider"),
    "other": sentence("other party"),
}

_ENDS = np.array([0.05, 0.95])


def roles_of(study: Study) -> dict[str, str]:
    """Return the role of every party with money: one of the audiences, or `other`."""
    found = {}
    for party in with_money(study):
        if party in lenders_of(study):
            found[party] = INVESTOR_ROLE
        elif party in study.capital.who_pays:
            found[party] = PAYER_ROLE
        else:
            found[party] = PROVIDER_ROLE if party == PROVIDER_ROLE else "other"
    return found


@dataclass(frozen=True)
class ReportFrame:
    """A report that is being written."""

    material: Material
    language: Language
    audience: str | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    """By question: its answer, where it was asked."""

    @property
    def study(self) -> Study:
        """The study."""
        return self.material.study

    @cached_property
    def unit(self) -> WrittenUnit:
        """The unit of money."""
        return money_unit(self.study)

    @cached_property
    def roles(self) -> dict[str, str]:
        """By party with money: its role."""
        return roles_of(self.study)

    @cached_property
    def parties(self) -> tuple[str, ...]:
        """Those whose report it is: of one audience alone, or all; who lends first, then who pays."""
        order = [*AUDIENCES, "other"]
        chosen = [party for party, role in self.roles.items() if self.audience in (None, role)]
        return tuple(sorted(chosen, key=lambda party: order.index(self.roles[party])))

    def knows_loss(self, party: str) -> bool:
        """Whether the study says enough of a party to know how often it loses."""
        return knows_loss(self.study, party)

    def role(self, party: str) -> Markup:
        """Name the role of a party."""
        return self.language.say(ROLE_NAMES[self.roles[party]])

    def name(self, party: str) -> Markup:
        """Name a party as the study does."""
        return typed(self.study.parties[party].name)

    def full_name(self, party: str) -> Markup:
        """Name a party and its role."""
        return self.language.say("{name} ({role})", name=self.name(party), role=self.role(party))

    def money(self, one: Statistic | None) -> Markup:
        """Write an amount with its unit."""
        return self.language.money(one, self.unit)

    def in_unit(self, amount: float) -> str:
        """Write an amount in the unit of the money of the report, without it."""
        return to_digits(amount / self.unit[0])

    def cell(self, one: Statistic | None) -> Markup:
        """Write an amount with its error, in the unit of the money of the report."""
        return self.language.statistic(one, self.unit[0])

    @cached_property
    def drivers(self) -> dict[str, list[Driver]]:
        """By party: the assumptions that its result follows."""
        return {party: drivers_of(self.material, f"{party}.net") for party in self.parties}

    def range_of(self, path: str) -> Markup:
        """Say between what an assumption lies in 9 of 10 draws, or its value."""
        number = self.study.numbers[path]
        if isinstance(number, Constant):
            return Markup(self.language.number(number.value, 6))
        drawn = self.material.drawn.get(path)
        low, high = (float(one) for one in (number.inverse(_ENDS) if drawn is None else np.quantile(drawn, _ENDS)))
        return self.language.say("{low} to {high}", low=self.language.number(low), high=self.language.number(high))
