"""What must agree between the sections of a study: names that are used must exist, shares must add up, dates must fit.

Each rule is a generator of findings `(path, rule, found, way out)`; `load` adds file and line. Nothing here is about one
number alone: that is refused where the number is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import floor

from simengine.cohort.simulate import purposes_of_people
from simengine.cohort.spec import Binary, Wave
from simengine.config.study import Study
from simengine.contract.compile import Dependence, dependences
from simengine.contract.rules import contract_rules, one_of
from simengine.contract.spec import Contract
from simengine.dependence import correlation_problems
from simengine.laws import Constant, DirichletCount, Share, Sourced, quantities_in
from simengine.streams import purpose_number

Finding = tuple[str, str, str, str]
_ROUNDING = 1e-9


def study_problems(study: Study) -> list[Finding]:
    """Find everything in a study that does not fit together, in the order of its sections."""
    rules = (_people, _moves, _effects, _outcomes, _measurement, _contract, _calendar, _capital, _correlations, _run)
    return [finding for rule in rules for finding in rule(study)]


def contract_problems(contract: Contract) -> list[Finding]:
    """Find everything in a contract that does not fit together."""
    return [*contract_rules(contract), *_sources(contract.sources, quantities_in(contract))]


def _people(study: Study) -> Iterator[Finding]:
    strata, states = study.population.strata, study.pathway.states
    yield from _shares({name: stratum.share for name, stratum in strata.items()}, "population.strata", suffix=".share")
    if len(set(states)) < len(states):
        yield "pathway.states", "a state is named once", ", ".join(states), ""
    for name in strata:
        if name not in study.pathway.start:
            yield "pathway.start", "every stratum has a start", f"none for `{name}`", f"Add `{name}: {{{states[0]}: 1}}`"
    for name, shares in study.pathway.start.items():
        if name not in strata:
            yield f"pathway.start.{name}", "a start belongs to a stratum", f"`{name}`", one_of(strata)
        yield from _known_states(shares, states, f"pathway.start.{name}")
        yield from _shares(shares, f"pathway.start.{name}")


def _moves(study: Study) -> Iterator[Finding]:
    states, strata = study.pathway.states, study.population.strata
    for key, move in study.pathway.moves.items():
        origin, target = key.split(" -> ")
        for state in (origin, target):
            if state not in states:
                yield f"pathway.moves.{key}", "a move joins two states", f"unknown state `{state}`", one_of(states)
        if origin == target:
            yield f"pathway.moves.{key}", "a move leaves its state", key, "Staying is what is left; it is not written"
        for name in move.by_stratum or {}:
            if name not in strata:
                path = f"pathway.moves.{key}.by_stratum.{name}"
                yield path, "a pace belongs to a stratum", f"`{name}`", one_of(strata)
        probabilities = [name for name in ("per_month", "per_quarter", "per_year") if getattr(move, name) is not None]
        if move.weibull_shape is not None and probabilities and probabilities != ["per_month"]:
            way_out = "Give the pace per_month, as a rate or as a mean time"
            yield (
                f"pathway.moves.{key}.{probabilities[0]}",
                "a Weibull move has the pace of its first month",
                probabilities[0],
                way_out,
            )
    for state in states:
        for stratum in strata:
            yield from _joint_probabilities(study, state, stratum)


def _joint_probabilities(study: Study, state: str, stratum: str) -> Iterator[Finding]:
    """Find states whose moves have probabilities of several periods, or probabilities that add up to more than 1."""
    total, last, periods = 0.0, "", set()
    for key, move in study.pathway.moves.items():
        found = move.pace_in(stratum) if key.split(" -> ")[0] == state else None
        if found is not None and (form := found[1].form).startswith("per_"):
            total, last = total + getattr(found[1], form).centre, key
            periods.add(form)
    where = f"out of `{state}` in stratum `{stratum}`"
    if len(periods) > 1:
        rule = "the probabilities of all moves out of a state are of one period"
        yield f"pathway.moves.{last}", rule, f"{' and '.join(sorted(periods))} {where}", "Use one period, or rates"
    elif total > 1 + _ROUNDING:
        rule = f"the probabilities of all moves out of a state add up to at most 1 a {min(periods).removeprefix('per_')}"
        yield f"pathway.moves.{last}", rule, f"{total:.4g} {where}", "Staying takes what is left"


def _effects(study: Study) -> Iterator[Finding]:
    for name, effect in study.effect.items():
        if effect.move is not None and effect.move not in study.pathway.moves:
            yield f"effect.{name}.move", "an effect changes a move of the pathway", f"`{effect.move}`", one_of(study.pathway.moves)
        if effect.outcome is not None and not isinstance(study.outcomes.get(effect.outcome), Binary):
            binaries = [key for key, outcome in study.outcomes.items() if isinstance(outcome, Binary)]
            yield f"effect.{name}.outcome", "an odds ratio changes a binary outcome", f"`{effect.outcome}`", one_of(binaries)


def _outcomes(study: Study) -> Iterator[Finding]:
    states = study.pathway.states
    for name, outcome in study.outcomes.items():
        if isinstance(outcome, Binary):
            yield from _known_states(outcome.probability, states, f"outcomes.{name}.probability")
            for state in states:
                if state not in outcome.probability:
                    rule = "a binary outcome has a probability in every state"
                    yield f"outcomes.{name}.probability", rule, f"none for `{state}`", ""
        else:
            yield from _known_states(outcome.per_day, states, f"outcomes.{name}.per_day")
    for name in study.public_value:
        if name not in study.outcomes or isinstance(study.outcomes[name], Binary):
            amounts = [key for key, outcome in study.outcomes.items() if not isinstance(outcome, Binary)]
            yield f"public_value.{name}", "a saving belongs to an outcome of kind `amount`", f"`{name}`", one_of(amounts)


def _measurement(study: Study) -> Iterator[Finding]:
    for name, metric in study.measurement.metrics.items():
        path = f"measurement.metrics.{name}"
        outcome = study.outcomes.get(metric.outcome)
        if outcome is None:
            yield f"{path}.outcome", "a metric measures an outcome", f"`{metric.outcome}`", one_of(study.outcomes)
        elif isinstance(outcome, Binary) and outcome.at_month.value > metric.window_months.value:
            found = f"a window of {metric.window_months.value:g} months"
            rule = f"the window reaches the month at which `{metric.outcome}` is read ({outcome.at_month.value:g})"
            yield f"{path}.window_months", rule, found, ""


def _contract(study: Study) -> Iterator[Finding]:
    for path, rule, found, way_out in contract_rules(study.contract):
        yield f"contract.{path}", rule, found, way_out
    yield from _sources(study.contract.sources, quantities_in(study.contract, "contract"))
    if study.contract.currency != study.study.currency:
        yield "contract.currency", f"the contract is in the study's currency, {study.study.currency}", study.contract.currency, ""
    for name in study.contract.inputs():
        if name not in study.measurement.metrics:
            rule = "every metric of the contract is measured"
            yield f"contract.metrics.{name}", rule, f"nobody measures `{name}`", one_of(study.measurement.metrics)
    waves = study.contract.waves
    if waves and list(waves) != list(study.population.waves):
        rule = "the waves of the contract are those of the population, in their order"
        yield "contract.waves", rule, ", ".join(waves), f"They are: {', '.join(study.population.waves)}"
    if study.contract.milestones:
        rule, way_out = "milestones are tallied", "A contract with milestones can be replayed"
        yield "contract.milestones", rule, "a study, in which nobody tallies them yet", way_out
    for name in study.contract.parties:
        rule = "every party of the contract is a party of the study"
        yield f"contract.parties.{name}", rule, f"`{name}`", one_of(list(type(study.parties).model_fields))


def _calendar(study: Study) -> Iterator[Finding]:
    """Enrolment, follow-up and the reading of outcomes end within the horizon."""
    horizon = study.study.horizon_months.value
    last = 0.0
    for name, wave in study.population.waves.items():
        end = _last_entry(wave)
        if end >= horizon:
            found = f"the last person may enter in month {end:g}"
            yield (
                f"population.waves.{name}.enrolment_months",
                f"everybody enters within the horizon of {horizon:g} months",
                found,
                "",
            )
        last = max(last, end)
    for name, metric in study.measurement.metrics.items():
        if last + metric.window_months.value > horizon:
            found = f"people entering in month {last:g} are followed for {metric.window_months.value:g} months"
            way_out = "Raise study.horizon_months, or shorten the window or the enrolment"
            rule = f"every window closes within the horizon of {horizon:g} months"
            yield f"measurement.metrics.{name}.window_months", rule, found, way_out
    for name, outcome in study.outcomes.items():
        if isinstance(outcome, Binary) and last + outcome.at_month.value > horizon:
            found = f"month {last:g} + {outcome.at_month.value:g}"
            yield f"outcomes.{name}.at_month", f"the outcome is read within the horizon of {horizon:g} months", found, ""


def _last_entry(wave: Wave) -> float:
    """Give the last month in which somebody may enter."""
    return wave.from_month.value + floor(wave.enrolment_months.support[1]) - 1


def _capital(study: Study) -> Iterator[Finding]:
    horizon, terms = study.study.horizon_months.value, study.contract.terms
    if study.capital.drawdown_months.support[1] > horizon:
        found = f"drawdown over up to {study.capital.drawdown_months.support[1]:g} months"
        yield "capital.drawdown_months", f"the loan is drawn within the horizon of {horizon:g} months", found, ""
    for name in study.capital.payment_month:
        if name not in terms:
            yield f"capital.payment_month.{name}", "a payment month belongs to a term", f"`{name}`", one_of(terms)
        elif study.contract.dates:
            rule = "the contract says when it pays, or the study does"
            yield f"capital.payment_month.{name}", rule, "a payment month beside the dates of the contract", "Leave one out"
    for name in terms:
        if not study.contract.dates and name not in study.capital.payment_month:
            yield "capital.payment_month", "every term has a month in which it is paid", f"none for `{name}`", ""
    # What a payment depends on can be worked out only where all names are known.
    if not any(contract_rules(study.contract)):
        for dependence in dependences(study.contract):
            yield from _payment(study, dependence)


def _payment(study: Study, dependence: Dependence) -> Iterator[Finding]:
    """Find a payment beyond the horizon, or before a measurement that it depends on."""
    horizon, term = study.study.horizon_months.value, dependence.term
    path, earliest, latest = f"contract.terms.{term}", float(dependence.month), float(dependence.month)
    if not dependence.date:
        path = f"capital.payment_month.{term}"
        if term not in study.capital.payment_month:
            return
        earliest, latest = study.capital.payment_month[term].support
    if latest > horizon:
        yield path, f"a term is paid within the horizon of {horizon:g} months", f"up to month {latest:g}", ""
    measured = 0.0
    for metric, wave in dependence.metrics:
        if metric in study.measurement.metrics:
            waves = list(study.population.waves.values())
            entered = max(_last_entry(one) for one in (waves if wave is None else waves[wave : wave + 1]))
            measured = max(measured, entered + study.measurement.metrics[metric].window_months.value)
    if earliest < measured:
        found = f"paid as early as month {earliest:g}, measured as late as month {measured:g}"
        yield path, "a payment follows the measurement it depends on", found, "Pay later or measure earlier"


def _correlations(study: Study) -> Iterator[Finding]:
    yield from correlation_problems(study.correlations, dict(study.quantities()))


def _run(study: Study) -> Iterator[Finding]:
    elsewhere = [(path, number) for path, number in study.quantities() if not path.startswith("contract.")]
    yield from _sources(study.study.sources, elsewhere)
    if study.run.replications.value < 2:
        yield "run.replications", "a distribution needs at least 2 replications", f"{study.run.replications.value:g}", ""
    seen: dict[int, str] = {}
    people = purposes_of_people(study.population.waves, study.outcomes)
    for purpose in [*(f"parameter/{path}" for path, _ in study.quantities()), *people]:
        other = seen.setdefault(purpose_number(purpose), purpose)
        if other != purpose:
            yield (
                "study",
                "every decision has a random stream of its own",
                f"one for {purpose} and {other}",
                "Rename one of the two",
            )


def _sources(listed: Mapping[str, str], numbers: Iterable[tuple[str, Sourced]]) -> Iterator[Finding]:
    """Where a study lists its sources, every `source` names some of them."""
    for path, number in numbers:
        for code in (number.source or "").split(",") if listed else ():
            if code.strip() and code.strip() not in listed and number.certainty != "choice":
                yield path, "a source is one of those listed under `sources`", f"`{code.strip()}`", one_of(listed)


def _shares(shares: Mapping[str, Share], path: str, suffix: str = "") -> Iterator[Finding]:
    counted = [name for name, share in shares.items() if isinstance(share, DirichletCount)]
    if counted:
        for name in [name for name in shares if name not in counted]:
            rule = "where one share has a dirichlet law, every share of the whole has one"
            yield f"{path}.{name}{suffix}", rule, f"none for `{name}`", "Give it a count, or leave it out"
        return
    rests = [name for name, share in shares.items() if share == "rest"]
    total = sum(share.centre for share in shares.values() if share != "rest")
    if len(rests) > 1:
        yield f"{path}.{rests[1]}{suffix}", "one share may say `rest`", ", ".join(rests), ""
    elif rests and total > 1 + _ROUNDING:
        yield path, "shares add up to at most 1 before `rest`", f"{total:.6g}", ""
    elif not rests and abs(total - 1) > _ROUNDING:
        yield path, "shares add up to 1", f"{total:.6g}", "Write `rest` for one of them"
    elif not rests and not all(isinstance(share, Constant) for share in shares.values()):
        yield path, "where a share has a law, another says `rest`", "laws that cannot add up to 1 in every world", ""


def _known_states(named: Mapping[str, object], states: tuple[str, ...], path: str) -> Iterator[Finding]:
    for state in named:
        if state not in states:
            yield f"{path}.{state}", "a state is one of pathway.states", f"unknown state `{state}`", one_of(states)
