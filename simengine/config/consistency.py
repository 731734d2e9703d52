"""What must agree between the sections of a study: names that are used must exist, shares must add up, dates must fit.

Each rule is a generator of findings `(path, rule, found, way out)`; `load` adds file and line. Nothing here is about one
number alone: that is refused where the number is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import floor

from simengine.cohort import purposes_of_people
from simengine.cohort.spec import Binary, Score, Wave
from simengine.config.people import Finding, behind, one_of, people_problems
from simengine.config.study import Study, cohort_of
from simengine.contract.spec import DRAWN, Contract, Part, Term
from simengine.dependence import correlation_problems
from simengine.laws import Sourced, quantities_in
from simengine.streams import purpose_number


def study_problems(study: Study) -> list[Finding]:
    """Find everything in a study that does not fit together, in the order of its sections."""
    rules = (people_problems, _measurement, _contract, _calendar, _capital, _correlations, _run)
    return [finding for rule in rules for finding in rule(study)]


def contract_problems(contract: Contract) -> list[Finding]:
    """Find everything in a contract that does not fit together."""
    return [*_terms(contract, ""), *_sources(contract.sources, quantities_in(contract))]


def _measurement(study: Study) -> Iterator[Finding]:
    for name, metric in study.measurement.metrics.items():
        path = f"measurement.metrics.{name}"
        outcome = study.outcomes.get(metric.outcome)
        if outcome is None:
            yield f"{path}.outcome", "a metric measures an outcome", f"`{metric.outcome}`", one_of(study.outcomes)
            continue
        for name_behind in behind(study, metric.outcome):
            read = study.outcomes[name_behind]
            if isinstance(read, Binary | Score) and read.at_month.value > metric.window_months.value:
                found = f"a window of {metric.window_months.value:g} months"
                rule = f"the window reaches the month at which `{name_behind}` is read ({read.at_month.value:g})"
                yield f"{path}.window_months", rule, found, ""


def _contract(study: Study) -> Iterator[Finding]:
    yield from _terms(study.contract, "contract.")
    yield from _sources(study.contract.sources, quantities_in(study.contract, "contract"))
    if study.contract.currency != study.study.currency:
        yield "contract.currency", f"the contract is in the study's currency, {study.study.currency}", study.contract.currency, ""
    for name in study.contract.metrics:
        if name not in study.measurement.metrics:
            rule = "every metric of the contract is measured"
            yield f"contract.metrics.{name}", rule, f"nobody measures `{name}`", one_of(study.measurement.metrics)


def _terms(contract: Contract, prefix: str) -> Iterator[Finding]:
    known = [DRAWN, *contract.metrics]
    if DRAWN in contract.metrics:
        yield f"{prefix}metrics.{DRAWN}", f"`{DRAWN}` is the money paid in, not a metric", DRAWN, "Choose another name"
    for name, term in contract.terms.items():
        path = f"{prefix}terms.{name}"
        references = {"of": term.of}
        references |= {f"{key}.of": part.of for key, part in _parts(term) if part.of is not None}
        for key, reference in references.items():
            if reference not in known:
                yield f"{path}.{key}", "a term refers to `drawn` or to a metric", f"`{reference}`", one_of(known)
        for metric in term.only_if:
            if metric not in contract.metrics:
                yield f"{path}.only_if.{metric}", "a gate refers to a metric", f"`{metric}`", one_of(contract.metrics)
        if term.floor is not None and term.cap is not None and _is_above(term.floor, term.cap):
            yield f"{path}.floor", "a floor is not above the cap", f"a floor of {_say(term.floor)}, a cap of {_say(term.cap)}", ""


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
        if isinstance(outcome, Binary | Score) and last + outcome.at_month.value > horizon:
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
    enrolled = max(_last_entry(wave) for wave in study.population.waves.values())
    for name in study.capital.payment_month:
        if name not in terms:
            yield f"capital.payment_month.{name}", "a payment month belongs to a term", f"`{name}`", one_of(terms)
    for name, term in terms.items():
        path = f"capital.payment_month.{name}"
        if name not in study.capital.payment_month:
            yield "capital.payment_month", "every term has a month in which it is paid", f"none for `{name}`", ""
            continue
        earliest, latest = study.capital.payment_month[name].support
        if latest > horizon:
            yield path, f"a term is paid within the horizon of {horizon:g} months", f"up to month {latest:g}", ""
        metrics = _metrics_of(term) & set(study.measurement.metrics)
        measured = enrolled + max((study.measurement.metrics[key].window_months.value for key in metrics), default=-enrolled)
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
    people = purposes_of_people(cohort_of(study))
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


def _parts(term: Term) -> list[tuple[str, Part]]:
    named = {"above": term.above, "floor": term.floor, "cap": term.cap}
    return [(key, part) for key, part in named.items() if part is not None]


def _metrics_of(term: Term) -> set[str]:
    return ({term.of} | {part.of for _, part in _parts(term) if part.of} | set(term.only_if)) - {DRAWN}


def _is_above(one: Part, other: Part) -> bool:
    """Whether one part exceeds another, where both are of the same kind."""
    if one.amount is not None and other.amount is not None:
        return one.amount.value > other.amount.value
    return one.of is not None and one.of == other.of == DRAWN and one.share.value > other.share.value  # type: ignore[union-attr]


def _say(part: Part) -> str:
    return f"{part.amount.value:,g}" if part.amount is not None else f"{part.share.value:g} of {part.of}"  # type: ignore[union-attr]
