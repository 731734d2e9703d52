"""Specification of the people: who enters, their states and events, and what the service changes."""

from simengine.cohort.spec.effect import FORMS_OF_EFFECT, Effect
from simengine.cohort.spec.environment import Environment, ReferenceClass
from simengine.cohort.spec.events import Event, Length, Shock
from simengine.cohort.spec.names import OneOrMore
from simengine.cohort.spec.pathway import MONTHS_OF_THE_YEAR, ByCalendar, ByMonths, MoveSpec, Pace, Pathway
from simengine.cohort.spec.population import (
    Dose,
    Engagement,
    Frailty,
    Population,
    Selection,
    Sites,
    Stratum,
    Transfer,
    Volume,
    Wave,
)

__all__ = [
    "FORMS_OF_EFFECT",
    "MONTHS_OF_THE_YEAR",
    "ByCalendar",
    "ByMonths",
    "Dose",
    "Effect",
    "Engagement",
    "Environment",
    "Event",
    "Frailty",
    "Length",
    "MoveSpec",
    "OneOrMore",
    "Pace",
    "Pathway",
    "Population",
    "ReferenceClass",
    "Selection",
    "Shock",
    "Sites",
    "Stratum",
    "Transfer",
    "Volume",
    "Wave",
]
