"""Rules of the environment: where the record of a reference class may multiply the people of a study.

Each rule is a generator of findings `(path, rule, found, way out)`.
"""

from __future__ import annotations

from collections.abc import Iterator

from simengine.config.study import PAID_OVER_PLANNED, Study
from simengine.distributions import Constant
from simengine.errors import Finding

_MOST_PEOPLE = 1e7


def environment_problems(study: Study) -> Iterator[Finding]:
    """Find what keeps the record of a reference class from a study: it tells of payments for counted outcomes, and of volume once."""
    known, path = study.reference_class, "environment.reference_class"
    if known is None:
        return
    if not study.measurement.counted:
        rule = "a reference class tells of payments for outcomes that are counted person by person"
        yield path, rule, "no `measurement.counted`", "Leave the reference class out"
    for name, wave in study.population.waves.items():
        if not isinstance(wave.size, Constant):
            rule = "beside a reference class the size of a wave must be the number that was planned: its spread would count twice"
            yield (
                f"population.waves.{name}.size",
                rule,
                f"{wave.size}",
                "Write the planned number, or leave the reference class out",
            )
        elif not wave.size.value * known.paid_over_planned.centre <= _MOST_PEOPLE:
            rule = "a wave must have 1e7 people at most on average, times the reference class"
            yield PAID_OVER_PLANNED, rule, f"{known.paid_over_planned.centre:g} times {wave.size.value:,.0f}", ""
    if known.planned_payments is not None and known.planned_payments.value <= 0:
        yield f"{path}.planned_payments", "what a contract plans to pay must be above 0", f"{known.planned_payments.value:g}", ""
