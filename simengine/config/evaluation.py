"""What must agree between the evaluation and the people: a design has its section, a metric can be measured by it.

Each rule is a generator of findings `(path, rule, found, way out)`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from math import floor, inf

from simengine.cohort.outcomes import OutcomeKind, behind
from simengine.config.study import Study
from simengine.contract.compile import dependences
from simengine.contract.rules import contract_rules
from simengine.distributions import Constant
from simengine.errors import Finding, one_of
from simengine.measurement.spec import SECTION_OF, Design, Metric

_ROUNDING = 1e-9
_LOOKING_BACK = {"before_after", "difference_in_differences"}
_SHORTEST = {
    "rate_card": ": `{deadweight: 0}` counts every outcome in full",
    "randomised": ": `{}` is as many people as the service has",
}
"""By design: the shortest section that describes it."""


def evaluation_problems(study: Study) -> Iterator[Finding]:
    """Find everything about the evaluation that does not fit together."""
    yield from _designs(study)
    yield from _somebody(study)
    yield from _matched(study)
    yield from _transfers(study)
    for name, metric in study.measurement.measured.items():
        yield from _metric(study, name, metric)


def _designs(study: Study) -> Iterator[Finding]:
    protocol = study.measurement
    is_read = any(metric.design is None for metric in protocol.measured.values())
    used: dict[str, Design] = {} if protocol.design is None else {"measurement.design": protocol.design}
    for name, metric in protocol.measured.items():
        if metric.design is not None:
            used[f"{protocol.path_of(name)}.design"] = metric.design
    if protocol.by_wave and not is_read:
        rule = "a design by wave must be that of a metric without a design of its own"
        yield "measurement.by_wave", rule, "none: every metric has one", "Leave it out, or the designs of the metrics"
    for wave, design in protocol.by_wave.items():
        path = f"measurement.by_wave.{wave}"
        used[path] = design
        if wave not in study.population.waves:
            yield path, "a design by wave must belong to a wave", f"`{wave}`", one_of(study.population.waves)
    for design in protocol.mix or {}:
        path = f"measurement.mix.{design}"
        used[path] = design
        if design == "mix":
            yield path, "a mix must be made of other designs", "mix", ""
    if protocol.mix is not None:
        total = sum(weight.centre for weight in protocol.mix.values())
        if abs(total - 1) > _ROUNDING or not all(isinstance(weight, Constant) for weight in protocol.mix.values()):
            yield "measurement.mix", "the weights of a mix must be numbers that add up to 1", f"{total:.6g}", ""
    for path, design in used.items():
        section = SECTION_OF.get(design)
        if section is not None and getattr(protocol, section) is None:
            way_out = f"Add measurement.{section}{_SHORTEST.get(design, '')}"
            if path == "measurement.design" and not is_read:
                way_out += ", or leave the design out: every metric has its own"
            yield path, f"the design `{design}` must be described by a section `{section}`", "none", way_out
        if design in _LOOKING_BACK:
            yield from _needs_history(study, path, f"the design `{design}` compares with the months before entry")
    yield from _cross_section(study)
    clusters = protocol.control.clusters if protocol.control is not None else None
    if clusters is not None and not study.population.sites:
        rule = "a lot among clusters must be drawn among sites"
        yield "measurement.control.clusters", rule, "no sites", "Give population.sites, with as many sites"
    elif clusters is not None and clusters.number.value not in (
        counts := [sites.count.value for sites in study.population.sites.values()]
    ):
        found = f"{clusters.number.value:g} clusters, and {', '.join(f'{count:g}' for count in counts)} sites"
        yield "measurement.control.clusters.number", "the clusters must be the sites of the population", found, "Give as many"
    elif (
        clusters is not None
        and len({one.sizes for one in study.population.sites.values() if one.count.value == clusters.number.value}) > 1
    ):
        rule = "sites that are as many as the clusters must have the same sizes, so that it is clear which are randomised"
        yield "measurement.control.clusters.number", rule, "several kinds of them", "Give them the same sizes, or another number"


def _somebody(study: Study) -> Iterator[Finding]:
    """Find groups in which nobody will ever be: whatever is measured of them is missing in every replication."""
    protocol, most = study.measurement, {name: _most(study, name) for name in study.population.waves}
    alone = set(most) if protocol.by_wave else _read_alone(study)
    nobody = [name for name, people in most.items() if people < 1]
    for name in nobody:
        # A wave of nobody beside others changes no estimate of all together.
        if len(nobody) == len(most) or name in alone:
            rule = "a wave must have at least one service user in some replication"
            yield f"population.waves.{name}.size", rule, f"{study.population.waves[name].size}", "Leave the wave out"
    beside = {name: getattr(protocol, name) for name in ("control", "parallel", "cross_section")}
    for section, one in beside.items():
        groups = {wave: people * one.ratio.value for wave, people in most.items() if people >= 1} if one is not None else {}
        empty = [wave for wave, people in groups.items() if people < 1]
        if empty and (len(empty) == len(groups) or alone.intersection(empty)):
            rule = f"the people compared with must be somebody: {one.ratio.value:g} of a wave, rounded down, is at least 1"
            found = f"nobody beside {', '.join(f'{wave} ({most[wave]:,.0f} people)' for wave in empty)}"
            yield f"measurement.{section}.ratio", rule, found, "Raise the ratio, or the waves' sizes"
    for name, metric in protocol.measured.items():
        for key in ("share", "share_comparison") if metric.attrition is not None else ():
            share = getattr(metric.attrition, key)
            if share is not None and share.support[0] >= 1:
                path, rule = f"{protocol.path_of(name)}.attrition.{key}", "the evaluator must see somebody in some replication"
                yield path, rule, "everybody is lost", "Write a share below 1"


def _read_alone(study: Study) -> set[str]:
    """List the waves whose own estimates the contract reads; none where its names do not fit together, which others say."""
    contract = study.contract
    if any(contract_rules(contract)):
        return set()
    places = {place for dependence in dependences(contract) for _, place in dependence.metrics if place is not None}
    return {list(contract.waves)[place] for place in places}


def _most(study: Study, wave: str) -> float:
    """Return the most people that a wave may have; a drawn number counts with its whole part."""
    most = study.people_in(wave)[1]
    return most if most == inf else floor(most)


def _transfers(study: Study) -> Iterator[Finding]:
    """Find what cannot be counted of people who move out of the area."""
    transfer, mode, path = study.population.transfer, study.measurement.transfers, "measurement.transfers"
    for state in transfer.factor_in if transfer is not None else ():
        if state not in study.pathway.states:
            yield f"population.transfer.factor_in.{state}", "must be a state", f"`{state}`", one_of(study.pathway.states)
    for name, outcome in study.outcomes.items() if transfer is not None else ():
        if outcome.month_priced_by != "beginning":
            rule = "where people move out of the area, a month must be priced by the state of its beginning"
            yield f"outcomes.{name}.counted", rule, f"`{outcome.month_priced_by}`", "Leave it out"
    if mode == "followed":
        return
    if transfer is None:
        rule = "people must move out of the area to be lost to the evaluator"
        yield path, rule, f"`{mode}`, and no population.transfer", "Add population.transfer, or leave it out"
    if study.contract.milestones:
        rule = "claims by milestones must be proved wherever a person lives"
        yield path, rule, f"`{mode}`, and contract.milestones", "Leave one of the two out"
    if study.measurement.by_moments:
        rule = "people replaced by their moments must not move away"
        yield path, rule, f"`{mode}`, and exact moments of {', '.join(study.measurement.by_moments)}", "Leave one of the two out"
    for name, metric in study.measurement.measured.items():
        if metric.per is not None:
            rule = "an efficiency ratio must be formed of everybody, wherever they live"
            yield f"{study.measurement.path_of(name)}.estimate", rule, f"`transfers: {mode}`", "Leave one of the two out"
        measured = study.outcomes.get(metric.outcome)
        if mode == "hidden" and measured is not None and not measured.has_zero:
            rule = f"what counts as 0 for people who moved away must not be a {measured.kind}"
            found = f"the {measured.kind} `{metric.outcome}`"
            yield f"{study.measurement.path_of(name)}.outcome", rule, found, "Write `transfers: left_out`"


def _cross_section(study: Study) -> Iterator[Finding]:
    protocol = study.measurement
    if protocol.cross_section is None:
        return
    yield from _needs_history(study, "measurement.cross_section", "other people are seen in the months before entry")
    if protocol.parallel is not None and protocol.parallel.form == "regression":
        rule = "a regression on the level before must have that of the same people"
        yield "measurement.parallel.form", rule, "a cross-section", "Write `additive` or `ratio`"


def _needs_history(study: Study, path: str, rule: str) -> Iterator[Finding]:
    if study.population.history_months.value == 0:
        yield path, rule, "no history", "Give population.history_months"


def _matched(study: Study) -> Iterator[Finding]:
    matched = study.measurement.matched
    if matched is None or matched.before is None:
        return
    path = "measurement.matched.before"
    yield from _needs_history(study, path, "matched people are alike in the months before entry")
    if matched.before.outcome not in study.outcomes:
        yield f"{path}.outcome", "people must be alike in an outcome", f"`{matched.before.outcome}`", one_of(study.outcomes)


def _metric(study: Study, name: str, metric: Metric) -> Iterator[Finding]:
    path, outcome = study.measurement.path_of(name), study.outcomes.get(metric.outcome)
    if outcome is None:
        yield f"{path}.outcome", "a metric must measure an outcome", f"`{metric.outcome}`", one_of(study.outcomes)
        return
    for read in behind(study.outcomes, metric.outcome):
        month = study.outcomes[read].read_at_month
        if month is not None and month > metric.window_months.value:
            found = f"a window of {metric.window_months.value:g} months"
            rule = f"the window must reach the month at which `{read}` is read ({month:g})"
            yield f"{path}.window_months", rule, found, ""
    designs = set(study.measurement.compared_by(name))
    if not outcome.is_known_before_entry and (looking_back := designs & _LOOKING_BACK):
        rule = "a comparison with the months before entry must measure what is known there"
        yield f"{path}.outcome", rule, f"`{metric.outcome}`, read once, by {', '.join(sorted(looking_back))}", ""
    history = study.population.history_months.value
    is_told_late = outcome.is_yes_or_no and outcome.reading == "within_a_window"
    if is_told_late and designs & _LOOKING_BACK and history not in (0, metric.window_months.value):
        rule = "the months before entry must be as many as the window, where an answer is compared with that before entry"
        yield f"{path}.window_months", rule, f"a window of {metric.window_months.value:g} months, {history:g} before entry", ""
    if "rate_card" in designs and metric.better == "lower":
        rule = "a rate card must count successes"
        yield f"{path}.better", rule, "lower", "Measure what is better when higher, or compare with somebody"
    if "rate_card" in designs and metric.estimate == "relative_reduction":
        rule, way_out = (
            "a rate card must count, and compare with nobody",
            "Measure a difference, or give the metric another `design`",
        )
        yield f"{path}.estimate", rule, "relative_reduction", way_out
    if metric.misclassification is not None and not outcome.is_yes_or_no:
        yield f"{path}.misclassification", "what is misread must be a yes or no", f"`{metric.outcome}`, not a yes or no", ""
    if metric.misclassification is not None:
        sensitivity, specificity = metric.misclassification.sensitivity.centre, metric.misclassification.specificity.centre
        if sensitivity + specificity < 1:
            rule = "sensitivity and specificity must add up to at least 1: below it a reading is wrong more often than a guess"
            yield f"{path}.misclassification", rule, f"{sensitivity:g} and {specificity:g} on average", "Swap yes and no"
    has_no_zero = f"the {outcome.kind} `{metric.outcome}`"
    if metric.estimate == "relative_reduction" and not outcome.has_zero:
        yield f"{path}.estimate", "a relative reduction must have a base that is not negative", has_no_zero, ""
    yield from _redefined(study, name, metric, outcome)
    yield from _money(path, metric, outcome)
    yield from _per(study, path, metric, designs)
    if "rate_card" in designs and not outcome.has_zero:
        yield f"{path}.outcome", "a rate card must count", has_no_zero, ""


def _redefined(study: Study, name: str, metric: Metric, outcome: OutcomeKind) -> Iterator[Finding]:
    """Find a change of counting of which nobody can say what it does."""
    if metric.redefined is None:
        return
    protocol, path = study.measurement, f"{study.measurement.path_of(name)}.redefined"
    if not outcome.can_be_recounted:
        rule = "what is counted in another way must add up over time, or be read at one date"
        yield path, rule, f"`{metric.outcome}`, of kind {outcome.kind}", "Change what it is derived from"
    if outcome.month_priced_by != "beginning":
        rule = "where the counting changes, a month must be priced by the state of its beginning"
        yield path, rule, f"`{metric.outcome}`, counted by `{outcome.month_priced_by}`", "Leave one of the two out"
    if outcome.can_be_recounted and outcome.is_yes_or_no and metric.redefined.factor.support[1] > 1:
        yield f"{path}.factor", "of answers a share from 0 to 1 must be counted", f"{metric.redefined.factor}", ""
    others = {
        "an efficiency ratio": metric.per is not None,
        f"`transfers: {protocol.transfers}`": protocol.transfers != "followed",
        "exact moments": any(section in protocol.by_moments for section in protocol.sections_of(name)),
    }
    for found in (name for name, is_there in others.items() if is_there):
        yield path, "people whose counting changes must be simulated, and followed to the end", found, "Leave one of the two out"


def _money(path: str, metric: Metric, outcome: OutcomeKind) -> Iterator[Finding]:
    if metric.prices is None:
        return
    if not outcome.is_amount:
        yield f"{path}.prices", "prices must be those of an amount of money", f"`{metric.outcome}`, of kind {outcome.kind}", ""
    if metric.per is not None:
        rule = "prices must be those of an outcome that stands alone"
        yield f"{path}.prices", rule, "an efficiency ratio", "Leave them out, or measure the amount by itself"


def _per(study: Study, path: str, metric: Metric, designs: Collection[str]) -> Iterator[Finding]:
    """Find an efficiency ratio that nobody can form."""
    if metric.per is None:
        return
    spent = study.outcomes.get(metric.per)
    if spent is None:
        yield f"{path}.per", "what is spent must be an outcome", f"`{metric.per}`", one_of(study.outcomes)
    elif metric.per == metric.outcome or not spent.adds_up:
        rule = "what is spent must be another outcome, and add up: an amount, a count, or days"
        yield f"{path}.per", rule, f"`{metric.per}`, of kind {spent.kind}", ""
    measured = study.outcomes[metric.outcome]
    if not measured.has_zero:
        found = f"the {measured.kind} `{metric.outcome}`"
        yield f"{path}.estimate", "an efficiency ratio must have a base that is not negative", found, ""
    if unfit := sorted({*_LOOKING_BACK, "rate_card"}.intersection(designs)):
        rule = "an efficiency ratio must be compared with that of other people after entry"
        yield (
            f"{path}.estimate",
            rule,
            f"the design {', '.join(unfit)}",
            "Use a randomised, a matched or an earlier comparison group",
        )
    for name in ("attrition", "misclassification"):
        if getattr(metric, name) is not None:
            rule = "an efficiency ratio must be formed of everybody, as they are"
            yield f"{path}.{name}", rule, f"`{name}`", "Leave it out: a person who is lost is lost to both sides of the ratio"
