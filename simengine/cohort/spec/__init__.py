"""What may be asked of the people: who enters, how they live, what the service changes, what is counted."""

from simengine.cohort.spec.effect import FORMS_OF_EFFECT, Effect
from simengine.cohort.spec.events import Event, Length, Shock
from simengine.cohort.spec.names import OneOrMore
from simengine.cohort.spec.outcomes import Amount, Binary, Claim, CountOfEvents, DaysInSpells, Outcome, Reached, Score, Target
from simengine.cohort.spec.pathway import MONTHS_OF_THE_YEAR, ByCalendar, ByMonths, Move, Pace, Pathway
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
    "Amount",
    "Binary",
    "ByCalendar",
    "ByMonths",
    "Claim",
    "CountOfEvents",
    "DaysInSpells",
    "Dose",
    "Effect",
    "Engagement",
    "Event",
    "Frailty",
    "Length",
    "Move",
    "OneOrMore",
    "Outcome",
    "Pace",
    "Pathway",
    "Population",
    "Reached",
    "Score",
    "Selection",
    "Shock",
    "Sites",
    "Stratum",
    "Target",
    "Transfer",
    "Volume",
    "Wave",
]
