"""Describe a contract in plain words, with a worked example: payment, timing, payee and limits of each term."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from textwrap import fill
from typing import Any

from simengine.contract import asks_who_reached, cards_of, inputs_of
from simengine.contract.spec import Contract, PublishedCase
from simengine.contract.terms import Gate, Named, Source, Term
from simengine.contract_text.card import (
    Grid,
    as_signed,
    card_grid,
    example_grid,
    example_people,
    example_reached,
    grid_lines,
    varied_lines,
)
from simengine.contract_text.trials import edges_of
from simengine.contract_text.wording import ENGLISH, Wording
from simengine.contract_text.words import CHOICES, LONG_LISTS, PER_CENT
from simengine.currencies import decimals_of
from simengine.distributions import Constant
from simengine.records import Payments
from simengine.report.directions import net_by_party, total_of
from simengine.settlement import replay

_WIDTH = 80
_PAIR = 2
"""Parties between whom a total says all that there is to say."""


@dataclass(frozen=True)
class ContractPart:
    """A part of a contract in words."""

    title: str
    """In capitals, with `{name}` for the name below; empty for the heading."""
    items: tuple[str | Grid, ...]
    """Sentences, those of a list with a dash before them, and tables."""
    name: str = ""

    @property
    def full_title(self) -> str:
        """The title with its name."""
        return self.title.format(name=self.name)


def explanation(contract: Contract, words: Wording = ENGLISH) -> str:
    """Return a contract as plain text, lines folded at 80 characters."""
    lines = [_folded(words.typed(contract.title))]
    for part in contract_parts(contract, words):
        lines += ["", part.full_title] if part.title else [""]
        for item in part.items:
            lines += grid_lines(item) if isinstance(item, Grid) else [_folded(item)]
    return "\n".join(lines)


def contract_parts(contract: Contract, words: Wording = ENGLISH) -> list[ContractPart]:
    """Return a contract in words, part by part: who lends, what is measured, when, what is paid, rate cards, a worked example."""
    parts = [ContractPart("", tuple(_heading(words, contract)))]
    measured = (*_metrics(words, contract), *_outcomes(words, contract))
    parts.append(ContractPart(words.phrases["measured"], measured))
    if contract.calendar or contract.waves or contract.milestones or contract.stops:
        parts.append(ContractPart(words.phrases["dates"], tuple(_calendar(words, contract))))
    paid = [_term(words, contract, name, term) for name, term in contract.terms.items()]
    if contract.total_cap is not None:
        paid.append(words.phrases["total_cap"].format(cap=phrase(contract.total_cap, words)))
    parts.append(ContractPart(words.phrases["paid"], tuple(paid)))
    for name, card in cards_of(contract).items():
        items: tuple[str | Grid, ...] = (card_grid(words, contract, card), *varied_lines(words, contract, card))
        parts.append(ContractPart(words.phrases["card"], items, words.typed(name)))
    worked: list[str | Grid] = []
    worked += _example_of_people(words, contract) if asks_who_reached(contract) else _example(words, contract)
    return [*parts, ContractPart(words.phrases["example"], tuple(worked))]


def _folded(line: str) -> str:
    return fill(line, _WIDTH, subsequent_indent="  " if line.startswith("- ") else "")


def phrase(source: Source, words: Wording = ENGLISH, *, inside: bool = False) -> str:
    """Say a term in words; inside another one it is put in brackets where it is more than a name or a number."""
    if isinstance(source, Named):
        return words.money_word.get(source.root) or words.typed(source.root)
    main, clauses = words.kind_words[source.key]
    parts = {name: _say(words, name, getattr(source, name)) for name in type(source).model_fields}
    said = main.format(**parts)
    said += "".join(clause.format(**parts) for name, clause in clauses.items() if getattr(source, name))
    said += _limits(words, source)
    # Where one part is all that there is to say, it is a number.
    return f"({said})" if inside and said not in parts.values() else said


def _limits(words: Wording, term: Term) -> str:
    parts = {name: _say_limit(words, name, getattr(term, name)) for name in words.limit_words if getattr(term, name)}
    return "".join(f", {words.limit_words[name].format(**{name: said})}" for name, said in parts.items())


def _say_limit(words: Wording, name: str, value: Any) -> str:
    """Say a limit: it stands last, and needs brackets only where it has clauses of its own."""
    said = phrase(value, words) if isinstance(value, Term) else _say(words, name, value)
    return _say(words, name, value) if ", " in said else said


def _say(words: Wording, name: str, value: Any) -> str:
    """Say one part of a term: a number, a term, a list, or rows by name."""
    if isinstance(value, Constant):
        return words.per_cent(value.value) if name in PER_CENT and value.value <= 10 else words.number(value.value)
    if type(value).__name__ in words.rows:
        parts = {field: _say(words, field, getattr(value, field)) for field in type(value).model_fields}
        edges = _gate(words, value) if isinstance(value, Gate) else ""
        return words.rows[type(value).__name__].format(edges=edges, **parts)
    if isinstance(value, Gate):
        return _gate(words, value)
    if isinstance(value, Named | Term):
        return phrase(value, words, inside=True)
    if isinstance(value, Mapping):
        joint = words.joints["is" if name == "only_if" else "each"]
        said = [
            joint.format(name=words.money_word.get(key) or words.typed(key), what=_say(words, name, child))
            for key, child in value.items()
        ]
        return _joined(words, said) if name == "only_if" else ", ".join(said)
    if isinstance(value, tuple):
        return ("; " if name in LONG_LISTS else ", ").join(_say(words, name, child) for child in value)
    if name in CHOICES:
        return words.choice_words[str(value)]
    return words.typed(str(value)) if isinstance(value, str) else str(value)


def _joined(words: Wording, said: list[str]) -> str:
    return reduce(lambda before, after: words.joints["and"].format(before=before, after=after), said) if said else ""


def _gate(words: Wording, gate: Gate) -> str:
    return _joined(words, [words.gates[word].format(level=words.number(level)) for word, level in gate.edges()])


def _heading(words: Wording, contract: Contract) -> Iterator[str]:
    lends = "lends" if contract.commitment.value > 0 else "nobody_lends"
    yield words.phrases[lends].format(commitment=words.number(contract.commitment.value), currency=contract.currency)
    if contract.parties:
        parties = "; ".join(f"{words.typed(name)}, {words.typed(meaning)}" for name, meaning in contract.parties.items())
        yield words.phrases["further_parties"].format(parties=parties)


def _metrics(words: Wording, contract: Contract) -> Iterator[str]:
    parts = contract.measured_for
    for name, use in contract.metrics.items():
        if name in parts:
            continue
        said = {"name": words.typed(name), "meaning": words.typed(use.meaning)}
        if use.derived is not None and not use.measured_on:
            derived = phrase(use.derived, words)
            yield words.phrases["derived"].format(**said, unit=words.typed(use.unit), derived=derived)
            continue
        own = [part for part, whole in parts.items() if whole == name]
        first, last = (words.typed(own[place]) if own else "" for place in (0, -1))
        dates = ", ".join(map(words.typed, use.measured_on))
        anew = words.phrases[f"anew_{use.counts}"].format(dates=dates, first=first, last=last) if own else ""
        use = contract.metrics[own[0]] if own else use
        evaluator = words.phrases["evaluator"].format(evaluator=words.typed(use.evaluator)) if use.evaluator else ""
        value = use.when_missing
        missing = "" if value is None else words.phrases["missing"].format(value=words.number(value.value))
        yield words.phrases["metric"].format(
            **said | {"meaning": words.typed(use.meaning)},
            unit=words.typed(use.unit),
            evaluator=evaluator,
            anew=anew,
            missing=missing,
        )


def _outcomes(words: Wording, contract: Contract) -> Iterator[str]:
    for name, use in contract.outcomes.items():
        evaluator = words.phrases["evaluator"].format(evaluator=words.typed(use.evaluator)) if use.evaluator else ""
        months = use.validated_after_months
        delay = "" if months is None else words.phrases["outcome_delay"].format(months=words.months(months.value))
        unit = words.phrases["outcome_unit"].format(unit=words.typed(use.unit)) if use.has_units else ""
        said = {"name": words.typed(name), "meaning": words.typed(use.meaning)}
        yield words.phrases["outcome"].format(**said, unit=unit, evaluator=evaluator, delay=delay)


def _calendar(words: Wording, contract: Contract) -> Iterator[str]:
    for name, due in contract.dates.items():
        share = "" if due.drawn is None else words.phrases["date_drawn"].format(share=words.per_cent(due.drawn.value))
        months = due.months()
        if due.every_months is None:
            yield words.phrases["date"].format(name=words.typed(name), month=words.number(months[0], 6), drawn=share)
        else:
            ends = {"every": due.every_months.value, "first": months[0], "last": months[-1]}
            span = {key: words.number(month, 6) for key, month in ends.items()}
            yield words.phrases["dates_repeated"].format(name=words.typed(name), number=len(months), **span)
    for section in ("waves", "milestones"):
        if getattr(contract, section):
            named = "; ".join(
                f"{words.typed(name)}, {words.typed(meaning)}" for name, meaning in getattr(contract, section).items()
            )
            yield words.phrases[section].format(**{section: named})
    for name, stop in contract.stops.items():
        gates = _say(words, "only_if", stop.only_if)
        by = _joined(words, [words.party(party) for party in stop.by])
        yield words.phrases["stop"].format(name=words.typed(name), at=words.typed(stop.at), gates=gates, by=by)
    for name, variation in contract.variations.items():
        said = _say(words, "only_if", variation.only_if) if variation.only_if else ""
        gates = words.phrases["variation_gates"].format(gates=said) if said else ""
        yield words.phrases["variation"].format(name=words.typed(name), at=words.typed(variation.at), gates=gates)


def _term(words: Wording, contract: Contract, name: str, term: Term) -> str:
    when = ""
    if contract.calendar:
        months = term.delay_months
        delay = "" if months is None else words.phrases["delay"].format(months=words.number(months.value, 6))
        when = words.phrases["when"].format(at=", ".join(map(words.typed, term.at or contract.dates)), delay=delay)
    said = (("guarantee", not term.contingent), ("principal", term.repays_principal), ("despite_stop", term.despite_stop))
    notes = "".join(words.phrases[key] for key, holds in said if holds)
    payer, payee = words.party(term.payer), words.party(term.payee)
    text = phrase(term, words)
    return words.phrases["term"].format(
        name=words.typed(name), payer=payer, payee=payee, phrase=text, limits="", when=when, notes=notes
    )


def _example(words: Wording, contract: Contract) -> Iterator[str]:
    """Work through the last published case that measures everything, or else outcomes a little beyond the highest edges."""
    outcomes, drawn, case = example_of(contract)
    payments, decimals = replay(contract, outcomes, drawn), decimals_of(contract.currency)
    net, total = net_by_party(payments), total_of(payments)
    said = ", ".join(
        words.joints["is"].format(name=words.typed(name), what=words.number(value)) for name, value in outcomes.items()
    )
    key = "example_on" if case is None else "example_published"
    amounts = {"drawn": words.number(drawn), "currency": contract.currency}
    yield words.phrases[key].format(case=words.typed(case or ""), outcomes=said, **amounts)
    yield from _paid_lines(words, contract, payments, between=total is None or len(net) > _PAIR)
    if total is None or len(net) > _PAIR:
        said = "; ".join(
            words.phrases["example_net" if amount >= 0 else "example_net_paid"].format(
                party=words.party(party), amount=words.money(abs(amount), decimals), currency=contract.currency
            )
            for party, amount in net.items()
            if amount != 0
        )
        yield words.phrases["example_nets"].format(nets=said or words.phrases["example_nothing"])
    yield from _total_line(words, contract, payments)


def _example_of_people(words: Wording, contract: Contract) -> Iterator[str | Grid]:
    """Work a rate card through for three people."""
    contract, varied = as_signed(contract), bool(contract.variations)
    rows, drawn = example_people(contract, cards_of(contract)), contract.commitment.value
    reached = example_reached(contract, rows)
    outcomes = example_of(contract)[0]
    payments = replay(contract, outcomes, drawn, reached=reached)
    said = words.phrases["example_people"].format(drawn=words.number(drawn), currency=contract.currency)
    yield f"{said} {words.phrases['example_as_signed']}" if varied else said
    yield example_grid(words, contract, reached, rows)
    yield words.phrases["example_dates"]
    yield from _paid_lines(words, contract, payments, with_nothing=False)
    yield from _total_line(words, contract, payments)


def _paid_lines(
    words: Wording, contract: Contract, payments: Payments, *, between: bool = False, with_nothing: bool = True
) -> Iterator[str]:
    """Say what each term pays on each date: between whom where asked, and dates on which it pays nothing only where asked."""
    decimals = decimals_of(contract.currency)
    for t, name in enumerate(payments.terms):
        payer, payee = (words.party(party) for party in payments.parties[t])
        for due, date in enumerate(payments.dues):
            amount = payments.by_due[0, t, due]
            if payments.is_due[t, due] and (with_nothing or amount != 0):
                yield words.phrases["example_line"].format(
                    name=words.typed(name),
                    between=words.phrases["example_between"].format(payer=payer, payee=payee) if between else "",
                    date=f", {words.typed(date)}" if contract.calendar else "",
                    amount=words.money(amount, decimals),
                    currency=contract.currency,
                    bound=_bound(words, payments.limit(0, t, due)),
                )


def _total_line(words: Wording, contract: Contract, payments: Payments) -> Iterator[str]:
    """Say what all terms pay, where one number says it."""
    total, decimals = total_of(payments), decimals_of(contract.currency)
    if total is not None:
        yield words.phrases["example_total"].format(total=words.money(total, decimals), currency=contract.currency)


def _bound(words: Wording, limit: str) -> str:
    return words.bound[limit] if limit in words.bound else words.bound_inside.format(path=words.typed(limit))


def example_of(contract: Contract) -> tuple[dict[str, float], float, str | None]:
    """Return outcomes on which a contract can be worked through, the money drawn, and the published case they come from."""
    wanted = inputs_of(contract)
    for name, case in reversed(contract.published.items()):
        if _measures(contract, case, wanted):
            drawn = contract.commitment.value if case.drawn is None else case.drawn.value
            return {outcome: number.value for outcome, number in case.outcome.items()}, drawn, name
    return {name: _beyond_edges(contract, name) for name in wanted}, contract.commitment.value, None


def _beyond_edges(contract: Contract, name: str) -> float:
    """Return a level a little beyond the highest edge of an outcome; without an edge, half the commitment or 1."""
    metric = name.partition(".")[0]
    highest = max(edges_of(contract).get(metric, []), default=None)
    if highest is not None:
        return float(f"{highest + 0.1 * (abs(highest) or 1.0):.6g}")
    is_money = metric in contract.metrics and contract.metrics[metric].unit == contract.currency
    return 0.5 * contract.commitment.value if is_money else 1.0


def _measures(contract: Contract, case: PublishedCase, wanted: list[str]) -> bool:
    """Whether a case gives all that the contract pays on."""
    optional = {name for name, use in contract.metrics.items() if use.when_missing is not None}
    return all(name in case.outcome or name in optional for name in wanted)
