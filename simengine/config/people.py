"""Consistency rules between the sections about people: names must exist, shares must add up, dates must fit.

Each rule is a generator of findings `(path, rule, found, way out)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from simengine.cohort.moves import MONTHS_IN
from simengine.cohort.outcomes import OutcomeKind, behind
from simengine.cohort.spec import MoveSpec, Selection
from simengine.config.study import Study
from simengine.distributions import Constant, DirichletCount, Share
from simengine.errors import Finding, one_of

_ROUNDING = 1e-9
_MOST_EVENTS_PER_MONTH = 300
_MOST_CLOCK = 2400


def people_problems(study: Study) -> Iterator[Finding]:
    """Find all inconsistencies about people, in the order of the sections."""
    for rule in (_strata, _entry, _factors, _moves, _events, _shocks, _effects, _outcomes):
        yield from rule(study)


def _strata(study: Study) -> Iterator[Finding]:
    strata, states = study.population.strata, study.pathway.states
    yield from shares_problems({name: stratum.share for name, stratum in strata.items()}, "population.strata", suffix=".share")
    if len(set(states)) < len(states):
        yield "pathway.states", "a state must be named once", ", ".join(states), ""
    for name in strata:
        if name not in study.pathway.start:
            yield "pathway.start", "every stratum must have a start", f"none for `{name}`", f"Add `{name}: {{{states[0]}: 1}}`"
    for name, shares in study.pathway.start.items():
        if name not in strata:
            yield f"pathway.start.{name}", "a start must belong to a stratum", f"`{name}`", one_of(strata)
        yield from _known(shares, states, f"pathway.start.{name}")
        yield from shares_problems(shares, f"pathway.start.{name}")
    seen: dict[str, str] = {}
    for name, group in study.pathway.time_together.items():
        yield from _known(group, states, f"pathway.time_together.{name}")
        for state in group:
            if seen.setdefault(state, name) != name or group.count(state) > 1:
                yield f"pathway.time_together.{name}", "a state must count its time with one group, once", f"`{state}`", ""


def _entry(study: Study) -> Iterator[Finding]:
    population = study.population
    clock = population.history_months.value + study.study.horizon_months.value
    if clock > _MOST_CLOCK:
        yield "population.history_months", f"history and horizon together must have at most {_MOST_CLOCK} months", f"{clock:g}", ""
    if population.selection is not None:
        yield from _selection(study, population.selection, "population.selection")
    if population.engagement is not None and population.engagement.doses is not None:
        doses = {name: dose.share for name, dose in population.engagement.doses.items()}
        yield from shares_problems(doses, "population.engagement.doses", suffix=".share")


def _factors(study: Study) -> Iterator[Finding]:
    """Factors on hazards, rates and odds name moves, events and binary outcomes."""
    population = study.population
    for kind, factors in (("frailties", population.frailties), ("sites", population.sites), ("volume", population.volume)):
        for name, factor in factors.items():
            yield from _on(study, factor.on, f"population.{kind}.{name}.on")


def _on(study: Study, targets: Iterable[str], path: str) -> Iterator[Finding]:
    binaries = [name for name, outcome in study.outcomes.items() if outcome.takes_factors]
    known = [*_real_moves(study), *study.events, *binaries]
    for target in targets:
        if target not in known:
            yield path, "a factor must multiply moves, events or binary outcomes", f"`{target}`", one_of(known)
        if target in study.events and target in binaries:
            yield path, "a name must mean one thing", f"`{target}` is an event and an outcome", "Rename one of them"


def _real_moves(study: Study) -> list[str]:
    return [key for key in study.pathway.moves if len(set(key.split(" -> "))) == 2]


def _moves(study: Study) -> Iterator[Finding]:
    states, strata = study.pathway.states, study.population.strata
    for key, move in study.pathway.moves.items():
        path = f"pathway.moves.{key}"
        for state in dict.fromkeys(key.split(" -> ")):
            if state not in states:
                yield path, "a move must join two states", f"unknown state `{state}`", one_of(states)
        if len(set(key.split(" -> "))) == 1 and not _is_counted(move):
            way_out = "Staying is what is left; it is written only as a count beside counts"
            yield path, "a move must leave its state", key, way_out
        for name in move.by_stratum or {}:
            if name not in strata:
                yield f"{path}.by_stratum.{name}", "a pace must belong to a stratum", f"`{name}`", one_of(strata)
        yield from _weibull(path, move)
    for state in states:
        # Strata with the same rates have the same findings.
        told: set[tuple[str, ...]] = set()
        for stratum in strata:
            if (paths := tuple(study.paces_out_of(state, stratum))) not in told:
                told.add(paths)
                yield from _joint_probabilities(study, state, stratum)
        yield from _one_axis(study, state)


def _weibull(path: str, move: MoveSpec) -> Iterator[Finding]:
    if move.weibull_shape is None:
        return
    probabilities = [name for name in ("per_month", "per_quarter", "per_year") if getattr(move, name) is not None]
    if probabilities and probabilities != ["per_month"]:
        rule, way_out = (
            "a Weibull move must have the pace of its first month",
            "Give the pace per_month, as a rate or as a mean time",
        )
        yield f"{path}.{probabilities[0]}", rule, probabilities[0], way_out
    if move.by_months_in_state is not None and move.by_months_in_state.form != "factor":
        rule = "a move must change with the time in the state in one way"
        yield f"{path}.by_months_in_state", rule, f"weibull_shape and {move.by_months_in_state.form}", "Leave one of them out"


def _one_axis(study: Study, state: str) -> Iterator[Finding]:
    """Find states whose rates are replaced along two axes of time."""
    axes: dict[str, str] = {}
    for key, move in study.pathway.moves.items():
        if key.split(" -> ")[0] == state:
            for axis in ("by_months_in_state", "by_months_since_entry"):
                series = getattr(move, axis)
                if series is not None and series.form != "factor":
                    axes[axis] = key
    if len(axes) > 1:
        rule = "the paces out of a state must be replaced by months in the state or by months since entry"
        yield f"pathway.moves.{axes['by_months_since_entry']}", rule, f"both, out of `{state}`", "Use factors for one of them"


def _is_counted(move: MoveSpec) -> bool:
    paces = [move] if move.by_stratum is None else list(move.by_stratum.values())
    return all(isinstance(getattr(pace, pace.form), DirichletCount) for pace in paces)


def _joint_probabilities(study: Study, state: str, stratum: str) -> Iterator[Finding]:
    """Find states whose moves have probabilities of several periods, or probabilities that add up to more than 1."""
    ways = [(key, move) for key, move in study.pathway.moves.items() if key.split(" -> ")[0] == state]
    found = {key: pace for key, move in ways if (pace := move.pace_in(stratum)) is not None}
    chances = {key: getattr(pace, pace.form) for key, (_, pace) in found.items() if pace.form.startswith("per_")}
    series = [getattr(move, axis) for _, move in ways for axis in _AXES]
    periods = {pace.form for _, pace in found.values()} | {one.form for one in series if one is not None}
    periods = {form for form in periods if form.startswith("per_")}
    where = f"out of `{state}` in stratum `{stratum}`"
    if len(periods) > 1:
        rule = "the probabilities of all moves out of a state must be of one period"
        yield f"pathway.moves.{ways[-1][0]}", rule, f"{' and '.join(sorted(periods))} {where}", "Use one period, or rates"
        return
    counted = [key for key, chance in chances.items() if isinstance(chance, DirichletCount)]
    if counted:
        rule = "where one way out of a state has a count, every way must have one, and staying must have one"
        for key in [key for key in (*found, f"{state} -> {state}") if key not in counted]:
            place = f"pathway.moves.{key if key in found else counted[-1]}"
            yield place, rule, f"no count for `{key}` {where}", f"Write `{key}`: {{{min(periods)}: ...}}"
            return
    total = sum(chance.centre for key, chance in chances.items() if key not in counted)
    if total > 1 + _ROUNDING:
        rule = f"the probabilities of all moves out of a state must add up to at most 1 a {min(periods).removeprefix('per_')}"
        yield f"pathway.moves.{list(chances)[-1]}", rule, f"{total:.4g} {where}", "Staying takes what is left"


_AXES = ("by_months_in_state", "by_months_since_entry")


def _events(study: Study) -> Iterator[Finding]:
    for name, event in study.events.items():
        path = f"events.{name}"
        yield from _known(event.rates, study.pathway.states, f"{path}.rates")
        for stratum in event.by_stratum or {}:
            if stratum not in study.population.strata:
                found = f"`{stratum}`"
                yield f"{path}.by_stratum.{stratum}", "a factor must belong to a stratum", found, one_of(study.population.strata)
        for state, said in event.rates.items():
            a_month = getattr(said, said.form).centre / MONTHS_IN[said.form.removeprefix("rate_per_")]
            if a_month > _MOST_EVENTS_PER_MONTH:
                rule = f"an event must happen at most {_MOST_EVENTS_PER_MONTH} times a month on average"
                yield f"{path}.rates.{state}.{said.form}", rule, f"{a_month:g}", "Check the unit of the rate"


def _shocks(study: Study) -> Iterator[Finding]:
    for name, shock in study.shocks.items():
        yield from _on(study, shock.on, f"shocks.{name}.on")
        horizon = study.study.horizon_months.value
        if shock.from_month is not None and shock.from_month.value >= horizon:
            rule = f"a shock must begin within the horizon of {horizon:g} months"
            yield f"shocks.{name}.from_month", rule, f"month {shock.from_month.value:g}", ""


def _among(study: Study) -> Iterator[Finding]:
    """Find a payment group that is not known at entry."""
    for name, outcome in study.outcomes.items():
        group = outcome.payment_group
        if group is not None:
            path = f"outcomes.{name}.among"
            yield from _selection(study, group, path)
            told_by = study.outcomes.get(group.outcome)
            if told_by is not None and told_by.rests_on:
                rule = "a payment group must be told by an outcome that is not itself a target or a claim"
                yield f"{path}.outcome", rule, f"`{group.outcome}`", ""


def _selection(study: Study, selection: Selection, path: str) -> Iterator[Finding]:
    outcome = selection.outcome
    if outcome not in study.outcomes:
        yield f"{path}.outcome", "a selection must look at an outcome", f"`{outcome}`", one_of(study.outcomes)
    elif any(not study.outcomes[one].is_known_before_entry for one in behind(study.outcomes, outcome)):
        yield f"{path}.outcome", "a selection must look at an outcome that is known at entry", f"`{outcome}`, read later", ""
    if study.population.history_months.value == 0:
        rule = "a selection must look at the months before entry"
        yield path, rule, "no history", "Give population.history_months"


def _effects(study: Study) -> Iterator[Finding]:
    changeable = {name: outcome for name, outcome in study.outcomes.items() if outcome.forms_of_effect}
    # Those that factors act on come first, as everywhere.
    outcomes = sorted(changeable, key=lambda name: not changeable[name].takes_factors)
    for name, effect in study.effect.items():
        path = f"effect.{name}.{effect.target}"
        known = {"move": _real_moves(study), "event": list(study.events), "outcome": outcomes}[effect.target]
        rules = {
            "move": "an effect changes a move of the pathway",
            "event": "an effect changes an event",
            "outcome": "an effect changes a binary outcome or a score",
        }
        for target in effect.targets:
            if target not in known:
                yield path, rules[effect.target], f"`{target}`", one_of(known)
            elif effect.target == "outcome" and effect.form not in changeable[target].forms_of_effect:
                kind, forms = changeable[target].kind, changeable[target].forms_of_effect
                rule = f"an effect on a {kind} must be a {' or a '.join(forms)}"
                yield path, rule, effect.form, f"Write `{'` or `'.join(forms)}`, in the unit of the {kind}"
            elif effect.form == "length_ratio" and study.events[target].length is None:
                yield path, "an effect on the length of spells must change an event with a length", f"`{target}`", ""
        for stratum in effect.strata or ():
            if stratum not in study.population.strata:
                rule = "an effect must act in strata of the population"
                yield f"effect.{name}.strata", rule, f"`{stratum}`", one_of(study.population.strata)


def _outcomes(study: Study) -> Iterator[Finding]:
    """Find unknown names in an outcome."""
    for name, outcome in study.outcomes.items():
        path, named = f"outcomes.{name}", outcome.named
        for key, states in named.states.items():
            yield from _known(states, study.pathway.states, f"{path}.{key}")
        for key in named.every_state:
            for state in study.pathway.states:
                if state not in named.states[key]:
                    rule = f"a {outcome.kind} outcome must have a {key} in every state"
                    yield f"{path}.{key}", rule, f"none for `{state}`", ""
        for key, events in named.events.items():
            yield from _known_events(events, study.events, f"{path}.{key}")
        for key, events in named.spells.items():
            yield from _with_length(events, study, f"{path}.{key}")
        for key, moves in named.moves.items():
            yield from _known_moves(moves, study, f"{path}.{key}")
        for key, strata in named.strata.items():
            for stratum in strata:
                if stratum not in study.population.strata:
                    rule = "a stratum must be one of population.strata"
                    yield f"{path}.{key}.{stratum}", rule, f"`{stratum}`", one_of(study.population.strata)
        yield from _resting(study, outcome, path)
    yield from _among(study)


def _resting(study: Study, outcome: OutcomeKind, path: str) -> Iterator[Finding]:
    """Find outcomes on which another one cannot depend."""
    known = [name for name, one in study.outcomes.items() if outcome.may_rest_on(one)]
    for key, others in outcome.named.outcomes.items():
        for other in others:
            if other not in known:
                yield f"{path}.{key}", outcome.rests_on_rule, f"`{other}`", one_of(known)


def _known_events(named: Iterable[str], events: Mapping[str, object], path: str) -> Iterator[Finding]:
    for event in named:
        if event not in events:
            yield path, "an event must be one of `events`", f"`{event}`", one_of(list(events)) or "Add a section `events`"


def _known_moves(named: Iterable[str], study: Study, path: str) -> Iterator[Finding]:
    known = _real_moves(study)
    for move in named:
        if move not in known:
            yield path, "a move that is counted or priced must be one of pathway.moves", f"`{move}`", one_of(known)


def _with_length(named: Iterable[str], study: Study, path: str) -> Iterator[Finding]:
    yield from _known_events(named, study.events, path)
    for event in named:
        if event in study.events and study.events[event].length is None:
            yield path, "days must be counted of an event with a length", f"`{event}`", f"Give events.{event}.length"


def shares_problems(shares: Mapping[str, Share], path: str, suffix: str = "") -> Iterator[Finding]:
    """Find shares of one total that cannot add up to 1."""
    counted = [name for name, share in shares.items() if isinstance(share, DirichletCount)]
    if counted:
        for name in [name for name in shares if name not in counted]:
            rule = "where one share has a dirichlet distribution, every share of the whole must have one"
            yield f"{path}.{name}{suffix}", rule, f"none for `{name}`", "Give it a count, or leave it out"
        return
    rests = [name for name, share in shares.items() if share == "rest"]
    total = sum(share.centre for share in shares.values() if share != "rest")
    if len(rests) > 1:
        yield f"{path}.{rests[1]}{suffix}", "`rest` must be said of one share at most", ", ".join(rests), ""
    elif rests and total > 1 + _ROUNDING:
        yield path, "shares must add up to at most 1 before `rest`", f"{total:.6g}", ""
    elif not rests and abs(total - 1) > _ROUNDING:
        yield path, "shares must add up to 1", f"{total:.6g}", "Write `rest` for one of them"
    elif not rests and not all(isinstance(share, Constant) for share in shares.values()):
        yield (
            path,
            "where a share has a distribution, another must say `rest`",
            "distributions that cannot add up to 1 in every replication",
            "",
        )


def _known(named: Iterable[str], states: tuple[str, ...], path: str) -> Iterator[Finding]:
    for state in named:
        if state not in states:
            yield f"{path}.{state}", "a state must be one of pathway.states", f"unknown state `{state}`", one_of(states)
