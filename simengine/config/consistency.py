"""Consistency rules between the sections of a study: names must exist, shares must add up, dates must fit.

Each rule is a generator of findings `(path, rule, found, way out)`; `load` adds file and line. Rules about a single number are
applied where the number is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from simengine.capital.rules import capital_rules
from simengine.cohort import purposes_of_people
from simengine.cohort.outcomes import price_lists
from simengine.config.behaviour import behaviour_problems
from simengine.config.counted import counted_problems
from simengine.config.environment import environment_problems
from simengine.config.evaluation import evaluation_problems
from simengine.config.known import known_problems
from simengine.config.levels import level_problems
from simengine.config.moments import moments_problems
from simengine.config.payments import payment_problems
from simengine.config.people import people_problems
from simengine.config.promise import promise_problems
from simengine.config.sizing import sizing_problems
from simengine.config.stresses import stress_problems
from simengine.config.study import Study, cohort_of
from simengine.config.units import unit_problems
from simengine.config.value import value_problems
from simengine.contract.rules import contract_rules
from simengine.contract.spec import Contract
from simengine.contract.terms import Term, parts_within
from simengine.dependence import correlation_problems
from simengine.distributions import Constant, Sourced, quantities_in
from simengine.errors import Finding, one_of
from simengine.measurement import purposes_of_errors, purposes_of_records
from simengine.streams import purpose_number

ADD_UP = ("total_difference", "rate_difference", "per_100_difference")
"""Estimates of which those of two windows may be subtracted."""


def study_problems(study: Study) -> list[Finding]:
    """Find all inconsistencies in a study, in the order of its sections."""
    about_people = (
        people_problems,
        environment_problems,
        promise_problems,
        evaluation_problems,
        moments_problems,
        counted_problems,
    )
    about_money = (_contract, unit_problems, level_problems, _calendar, _capital, value_problems, _correlations)
    about_questions = (known_problems, sizing_problems, behaviour_problems, _run, _stresses)
    return [finding for rule in (*about_people, *about_money, *about_questions) for finding in rule(study)]


def rate_card_problems(study: Study) -> Iterator[Finding]:
    """Find milestones whose price in the study's claim is none that its own contract pays: a rate card has one list of prices.

    This is asked of a file alone: other contracts, and other prices, may be settled on the same people.
    """
    listed = (node.milestone_list for _, node in parts_within(study.contract.terms, "") if isinstance(node, Term))
    cards = [one for one in listed if one is not None]
    for claim, one in price_lists(study.outcomes).items():
        if set(one.prices) != set(study.contract.milestones):
            continue
        for milestone, price in one.prices.items():
            paid = [card.prices[milestone] for card in cards if milestone in card.prices]
            if paid and price.value not in paid:
                found = f"{price.value:,.10g} here, {', '.join(f'{other:,.10g}' for other in paid)} in the contract"
                yield f"outcomes.{claim}.prices.{milestone}", "a milestone must have the price that the contract pays", found, ""
        caps = [card.cap for card in cards if card.cap is not None and set(card.prices) == set(one.prices)]
        if caps and one.cap_per_person is not None and one.cap_per_person.value not in caps:
            found = f"{one.cap_per_person.value:,.10g} here, {', '.join(f'{other:,.10g}' for other in caps)} in the contract"
            yield f"outcomes.{claim}.cap_per_person", "a claim must have the cap per person of the contract", found, ""


def contract_problems(contract: Contract) -> list[Finding]:
    """Find all inconsistencies in a contract."""
    return [*contract_rules(contract), *_sources(contract.sources, quantities_in(contract))]


def _contract(study: Study) -> Iterator[Finding]:
    is_in_currency = study.contract.currency == study.study.currency
    for path, rule, found, way_out in contract_rules(study.contract):
        # A wrong currency of the contract is one mistake, not one more for each of its metrics.
        if is_in_currency or not path.endswith(".unit"):
            yield f"contract.{path}", rule, found, way_out
    yield from _sources(study.contract.sources, quantities_in(study.contract, "contract"))
    if not is_in_currency:
        yield (
            "contract.currency",
            f"the contract must be in the study's currency, {study.study.currency}",
            study.contract.currency,
            "",
        )
    for name in study.contract.inputs():
        if name not in study.measurement.measured:
            rule = "every metric of the contract must be measured"
            yield f"contract.metrics.{name}", rule, f"nobody measures `{name}`", one_of(study.measurement.measured)
    for name, use in study.contract.metrics.items():
        if use.counts == "since_last":
            yield from _since_last(study, name)
    waves = study.contract.waves
    if waves and list(waves) != list(study.population.waves):
        rule = "the waves of the contract must be those of the population, in their order"
        yield "contract.waves", rule, ", ".join(waves), f"They are: {', '.join(study.population.waves)}"
    names = set(study.contract.milestones)
    claims = {name: set(one.prices) for name, one in price_lists(study.outcomes).items()}
    if names and names not in claims.values():
        rule = "an outcome of kind `claim` must tally the milestones of the contract, these and no others"
        yield "contract.milestones", rule, ", ".join(study.contract.milestones), f"Claims: {', '.join(claims) or 'none'}"
    for name in set(study.contract.parties) - set(study.parties):
        rule = "every party of the contract must be a party of the study"
        yield f"contract.parties.{name}", rule, f"`{name}`", one_of(study.parties)


def _since_last(study: Study, name: str) -> Iterator[Finding]:
    """Find a metric that counts since the last measurement, but whose parts do not add up."""
    own = [one for key, one in study.measurement.measured.items() if key.rpartition("_")[0] == name]
    wrong = next((one for one in own if one.estimate not in ADD_UP or study.outcomes[one.outcome].read_at_month is not None), None)
    if wrong is not None:
        rule = "what counts since the last measurement must be a difference of an outcome that adds up over time"
        yield f"contract.metrics.{name}.counts", rule, f"a {wrong.estimate} of `{wrong.outcome}`", "Write `so_far`"


def _calendar(study: Study) -> Iterator[Finding]:
    """Enrolment, follow-up and the reading of outcomes end within the horizon."""
    horizon = study.study.horizon_months.value
    last = 0.0
    for name, wave in study.population.waves.items():
        end = wave.last_entry_month
        if end >= horizon:
            found = f"the last person may enter in month {end:g}"
            yield (
                f"population.waves.{name}.enrolment_months",
                f"everybody must enter within the horizon of {horizon:g} months",
                found,
                "",
            )
        last = max(last, end)
    for name, metric in study.measurement.measured.items():
        if last + metric.window_months.value > horizon:
            found = f"people entering in month {last:g} are followed for {metric.window_months.value:g} months"
            way_out = "Raise study.horizon_months, or shorten the window or the enrolment"
            rule = f"every window must close within the horizon of {horizon:g} months"
            key = "window_months" if study.measurement.path_of(name).endswith(f".{name}") else "until_months"
            yield f"{study.measurement.path_of(name)}.{key}", rule, found, way_out
    for name, outcome in study.outcomes.items():
        month = outcome.read_at_month
        if month is not None and last + month > horizon:
            found = f"month {last:g} + {month:g}"
            yield f"outcomes.{name}.at_month", f"the outcome must be read within the horizon of {horizon:g} months", found, ""


def _capital(study: Study) -> Iterator[Finding]:
    horizon, terms = study.study.horizon_months.value, study.contract.terms
    waves, commitment = study.population.waves, study.contract.commitment.value
    used = {party.discounting for party in study.parties.values()}
    for name, table in study.rates.items():
        if table.real and study.prices is None and name in used:
            rule = "a table for money in the prices of the start must have `prices`: cash is deflated before it is discounted"
            yield f"rates.{name}.real", rule, "no `prices`", "Add `prices`, or write the rates of money as it is paid"
    yield from capital_rules(study.capital, study.parties, study.rates, commitment, waves, int(horizon))
    drawdown = study.capital.drawdown_months
    if drawdown is not None and drawdown.support[1] > horizon:
        found = f"drawdown over up to {drawdown.support[1]:g} months"
        yield "capital.drawdown_months", f"the loan must be drawn within the horizon of {horizon:g} months", found, ""
    yield from _drawing(study)
    for name in study.capital.payment_month:
        if name not in terms:
            yield f"capital.payment_month.{name}", "a payment month must belong to a term", f"`{name}`", one_of(terms)
        elif study.contract.calendar:
            rule = "the contract must say when it pays, or the study must"
            yield f"capital.payment_month.{name}", rule, "a payment month beside the dates of the contract", "Leave one out"
    for name in terms:
        if not study.contract.calendar and name not in study.capital.payment_month:
            yield "capital.payment_month", "every term must have a month in which it is paid", f"none for `{name}`", ""
    yield from payment_problems(study)


def _drawing(study: Study) -> Iterator[Finding]:
    """Find a contract whose drawdown dates differ from the study's: one fact has one source."""
    dated = {name: due for name, due in study.contract.calendar.items() if due.drawn is not None}
    if not dated:
        return
    capital, said = study.capital, {int(due.month): due.drawn for due in dated.values() if due.drawn is not None}
    months = capital.drawdown_months
    if capital.draws == "as_needed" or months is None:
        path, found = "capital.draws", "it is drawn as the costs need it"
    elif not isinstance(months, Constant):
        path, found = "capital.drawdown_months", f"in equal parts over {months.support[0]:g} to {months.support[1]:g} months"
    else:
        n = int(months.value)
        even = dict.fromkeys(range(n), 1 / n)
        is_same = said.keys() == even.keys() and all(abs(said[month] - even[month]) < 1e-9 for month in said)
        if is_same and (n == 1 or capital.reserve is None):
            return
        extra = "" if capital.reserve is None else ", beside a reserve in month 0"
        path, found = "capital.drawdown_months", f"in equal parts over {n} months{extra}"
    places = ", ".join(f"contract.dates.{name}.drawn" for name in dated)
    shares = ", ".join(f"{100 * share:g} % in month {month}" for month, share in said.items())
    rule = f"the money must be drawn as the contract dates it ({places}): {shares}"
    yield path, rule, found, "Leave `drawn` out of the contract's dates: its terms then see what the study draws, month by month"


def _correlations(study: Study) -> Iterator[Finding]:
    yield from correlation_problems(study.correlations, study.numbers)


def _stresses(study: Study) -> Iterator[Finding]:
    yield from stress_problems(study, study_problems)


def _run(study: Study) -> Iterator[Finding]:
    elsewhere = [(path, number) for path, number in study.numbers.items() if not path.startswith("contract.")]
    yield from _sources(study.study.sources, elsewhere)
    if study.run.replications.value < 2:
        yield "run.replications", "a distribution must have at least 2 replications", f"{study.run.replications.value:g}", ""
    seen: dict[int, str] = {}
    people = purposes_of_people(cohort_of(study))
    waves = tuple(study.population.waves)
    errors = [purpose for name, metric in study.measurement.measured.items() for purpose in purposes_of_errors(name, metric, waves)]
    for purpose in [
        *(f"parameter/{path}" for path, _ in study.numbers.items()),
        *people,
        *errors,
        *purposes_of_records(study.measurement.counted),
    ]:
        other = seen.setdefault(purpose_number(purpose), purpose)
        if other != purpose:
            yield (
                "study",
                "every decision must have a random stream of its own",
                f"one for {purpose} and {other}",
                "Rename one of the two",
            )


def _sources(listed: Mapping[str, str], numbers: Iterable[tuple[str, Sourced]]) -> Iterator[Finding]:
    """Where a study lists its sources, every `source` names some of them."""
    for path, number in numbers:
        for code in (number.source or "").split(",") if listed else ():
            if code.strip() and code.strip() not in listed and number.certainty != "choice":
                yield path, "a source must be one of those listed under `sources`", f"`{code.strip()}`", one_of(listed)
