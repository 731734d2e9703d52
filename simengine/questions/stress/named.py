"""The stresses that have names: what each does to a study, by what the study contains, and why it sometimes can do nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from simengine.capital.spec import OwnCost
from simengine.config import Study
from simengine.distributions import Quantity
from simengine.questions.stress.answer import OWN_STRESS, TOGETHER, Stress, all_together, own_stress
from simengine.records import Floats

ADVERSE, SEVERE = range(2)
SEVERITIES = ("adverse", "severe")

VOLUME = (0.75, 0.50)
"""Share of the people who come. A choice: of 151 British trials 44 % missed their target; Rikers served a quarter of its plan."""
STRENGTH = (0.50, 0.0)
"""Multiple of every effect: half of it, none."""
LATER, SOONER = (2.0, 3.0), (0.75, 0.50)
"""Factors on the months until an effect is full, and on those that it lasts."""
DRIFT_PER_YEAR = (0.02, 0.04)
"""On the logarithmic scale, for amounts, counts and the odds of shares."""
LOST_BY_EVALUATOR = (0.10, 0.20)
"""Share of the people whom the evaluator loses beside those of the study."""
STAYS_ENGAGED, LEAVES = (0.85, 0.70), (1.5, 2.0)
"""Factors on the share who take part, and on how fast they leave."""
DELAY_MONTHS = (6, 12)
OVERRUN = (1.15, 1.30)
"""Factor on every cost, or on what is drawn, up to the commitment."""
REACHED = (0.85, 0.70)
"""Share of the outcomes of a rate card that are reached, of those that the study expects. A choice."""
LATER_MONTHS = (3, 6)
"""Months by which every outcome of a rate card is reached later. A choice."""
SHOCK = (1.5, 2.0)
"""Factor on the logarithm of a shock."""


def stresses_of(study: Study) -> dict[str, Mapping[str, Stress] | str]:
    """List all stresses of a study by name: by severity, or why it cannot express them. Its own come last."""
    found: dict[str, Mapping[str, Stress] | str] = {}
    for name, build in (_NAMED | (_OF_OUTCOMES_REACHED if study.measurement.counted else {})).items():
        built = [build(study, severity) for severity in (ADVERSE, SEVERE)]
        reasons = [one for one in built if isinstance(one, str)]
        stresses = [one for one in built if isinstance(one, Stress)]
        found[name] = reasons[0] if reasons else dict(zip(SEVERITIES, stresses, strict=True))
    # What flatters the deal is no part of a bad time.
    hurting = {name: one for name, one in found.items() if not isinstance(one, str) and name != "counterfactual_drift_for"}
    found[TOGETHER] = {severity: all_together({name: one[severity] for name, one in hurting.items()}) for severity in SEVERITIES}
    return found | {name: {OWN_STRESS: own_stress(study, stressed)} for name, stressed in study.stresses.items()}


def _volume(study: Study, severity: int) -> Stress | str:
    factor = VOLUME[severity]
    paths = [f"population.waves.{wave}.size" for wave in study.population.waves]
    return Stress(f"{100 * factor:g} % of the people come", change=dict.fromkeys(paths, _times(factor)))


def _success(study: Study, severity: int) -> Stress | str:
    if not study.effect:
        return "the section `effect` is empty"
    factor = STRENGTH[severity]
    words = f"the service does {100 * factor:g} % of its effect" if factor else "the service changes nothing"
    return Stress(words, strength=factor)


def _timing(study: Study, severity: int) -> Stress | str:
    numbers, change = _numbers(study, "effect."), {}
    for path, number in numbers.items():
        if path.endswith(".ramp_months") and number.support[1] > 0:
            change[path] = _times(LATER[severity])
        elif path.endswith((".fades_after_months", ".half_life_months")):
            change[path] = _times(SOONER[severity])
    if not change:
        return "no effect says how fast it comes (`ramp_months`) or how long it lasts (`fades_after_months`)"
    later, sooner = LATER[severity], SOONER[severity]
    return Stress(f"effects take {later:g} times as long to come and last {100 * sooner:g} % as long", change=change)


def _fewer_reached(study: Study, severity: int) -> Stress | str:
    del study
    share = REACHED[severity]
    return Stress(f"{100 * share:g} % of the outcomes that are counted person by person are reached", reached_share=share)


def _reached_later(study: Study, severity: int) -> Stress | str:
    del study
    months = LATER_MONTHS[severity]
    return Stress(f"every outcome that is counted person by person is reached {months} months later", reached_later_months=months)


def _drift_against(study: Study, severity: int) -> Stress | str:
    return _drift(study, severity, -1.0)


def _drift_for(study: Study, severity: int) -> Stress | str:
    return _drift(study, severity, 1.0)


def _drift(study: Study, severity: int, sign: float) -> Stress | str:
    """Let the level without the service move unseen, against the estimate (-1) or for it (+1)."""
    protocol, change, reasons = study.measurement, {}, []
    if not protocol.measured:
        return "nothing is estimated: outcomes are counted without a comparison"
    shared, every, size = set[str](), set[str](), DRIFT_PER_YEAR[severity]
    for name in study.contract.inputs():
        metric, designs = protocol.measured[name], protocol.compared_by(name)
        every.update(designs)
        if {"matched", "difference_in_differences"}.intersection(designs):
            shared.add(metric.better)
        outcome = study.outcomes[metric.outcome]
        if not outcome.has_zero:
            reasons.append(f"`{name}` is a {outcome.kind}, which has no scale of its own")
            continue
        # An estimate of the level without the service that is too low takes from a metric where lower is better.
        level = sign * size if metric.better == "lower" else -sign * size
        if "historical" in designs:
            change[f"{protocol.path_of(name)}.drift_per_year"] = _plus(-level)
        if "matched" in designs:
            change["measurement.matched.hidden_bias"] = _plus(level)
        if "difference_in_differences" in designs:
            change["measurement.parallel.trend_gap_per_year"] = _plus(level)
    if len(shared) > 1 and change:
        return "metrics point both ways and share one comparison; state a stress of your own"
    if not change:
        words = ", ".join(sorted(every)).replace("_", " ")
        reason = f"the design {words} compares" if len(every) == 1 else f"the designs {words} compare"
        return "; ".join(reasons) or f"{reason} people of the same months"
    direction = "understates" if sign < 0 else "overstates"
    return Stress(
        f"the level without the service drifts unseen by {100 * size:g} % a year: the estimate {direction}", change=change
    )


def _attrition(study: Study, severity: int) -> Stress | str:
    change: dict[str, Callable[[Floats], Floats]] = {}
    for path in _numbers(study, "measurement.metrics."):
        if path.endswith((".attrition.share", ".attrition.share_comparison")):
            change[path] = _plus_within(LOST_BY_EVALUATOR[severity])
    for path in _numbers(study, "population.engagement."):
        if path == "population.engagement.share":
            change[path] = _times(STAYS_ENGAGED[severity])
        elif path.startswith("population.engagement.dropout."):
            slower = ".mean_" in path
            change[path] = _times_within(1 / LEAVES[severity] if slower else LEAVES[severity], 1.0 if ".per_" in path else np.inf)
    if not change:
        return "nobody is lost: no metric has `attrition`, and the population no `engagement`"
    lost, stays = 100 * LOST_BY_EVALUATOR[severity], 100 * STAYS_ENGAGED[severity]
    return Stress(
        f"the evaluator loses {lost:g} % more; {stays:g} % as many take part; drop-out x {LEAVES[severity]:g}", change=change
    )


def _payer_delay(study: Study, severity: int) -> Stress | str:
    del study
    return Stress(
        f"payers pay {DELAY_MONTHS[severity]} months late; what they owe is the same", delay_months=DELAY_MONTHS[severity]
    )


def _cost_overrun(study: Study, severity: int) -> Stress | str:
    """Raise costs for the party that bears them.

    Where a party states its own costs, these rise and what it is paid does not. Of a party that states none, the study knows only
    what the project pays it: that rises, and the project's lenders bear it.
    """
    factor, capital = OVERRUN[severity], study.capital
    more = f"{100 * (factor - 1):.0f} % more"
    spend = {name for name, party in study.parties.items() if party.costs}
    own = _amounts(study, *(f"parties.{name}.costs." for name in spend))
    paid = _amounts(study, *(f"capital.costs.{name}." for name, cost in capital.costs.items() if cost.payee not in spend))
    change = dict.fromkeys([*own, *paid], _times(factor))
    words = [f"{name} spends {more}, which it bears itself" for name in study.parties if name in spend]
    if paid:
        bear = "those who lend and give" if study.capital.grants else "its lenders"
        words.append(f"what the project pays costs {more}, which {bear} bear; what the money does not reach stays unpaid")
    delivers = not capital.costs and "service_provider" not in spend
    if delivers and capital.drawn_share is not None and capital.drawn_share.support[0] < 1:
        change["capital.drawn_share"] = _times_within(factor, 1.0)
        words.append(f"the service costs {more}, which the lenders bear: as much more is drawn, up to the commitment")
    if not change:
        return (
            "no party states `costs`, none is named under `capital.costs`, and the whole commitment is drawn in every replication"
        )
    return Stress("; ".join(words), change=change, allows_shortfall=bool(paid))


def _amounts(study: Study, *sections: str) -> list[str]:
    """List the paths of the prices of costs below some sections."""
    forms = tuple(f".{form}" for form in OwnCost.forms)
    return [path for path, _ in study.numbers.items() if path.startswith(sections) and path.endswith(forms)] if sections else []


def _shock(study: Study, severity: int) -> Stress | str:
    change: dict[str, Callable[[Floats], Floats]] = {}
    for path in _numbers(study, "shocks."):
        if path.endswith(".factor"):
            change[path] = _to_the_power(SHOCK[severity])
        elif path.endswith(".sd_per_year"):
            change[path] = _times(SHOCK[severity])
    if not change:
        return "the study has no `shocks`"
    return Stress(f"shocks are {SHOCK[severity]:g} times as strong, on the logarithmic scale", change=change)


_NAMED: dict[str, Callable[[Study, int], Stress | str]] = {
    "volume": _volume,
    "success": _success,
    "timing": _timing,
    "counterfactual_drift_against": _drift_against,
    "counterfactual_drift_for": _drift_for,
    "attrition": _attrition,
    "payer_delay": _payer_delay,
    "cost_overrun": _cost_overrun,
    "shock_in_the_window": _shock,
}


_OF_OUTCOMES_REACHED: dict[str, Callable[[Study, int], Stress | str]] = {
    "fewer_outcomes": _fewer_reached,
    "later_outcomes": _reached_later,
}
"""Of studies that count outcomes person by person."""


def _numbers(study: Study, prefix: str) -> dict[str, Quantity]:
    return {path: number for path, number in study.numbers.items() if path.startswith(prefix)}


def _times(factor: float) -> Callable[[Floats], Floats]:
    return lambda drawn: drawn * factor


def _times_within(factor: float, most: float) -> Callable[[Floats], Floats]:
    return lambda drawn: np.minimum(drawn * factor, most)


def _plus(size: float) -> Callable[[Floats], Floats]:
    return lambda drawn: drawn + size


def _plus_within(size: float) -> Callable[[Floats], Floats]:
    return lambda drawn: np.minimum(drawn + size, 0.99)


def _to_the_power(power: float) -> Callable[[Floats], Floats]:
    return lambda drawn: drawn**power
