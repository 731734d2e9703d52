"""Describe a contract in plain words, with a worked example: payment, timing, payee and limits of each term."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from textwrap import fill
from typing import Any

from simengine.contract import asks_who_reached, cards_of, inputs_of
from simengine.contract.spec import Contract, PublishedCase
from simengine.contract.terms import Gate, Named, Source, Term
from simengine.contract_text import words
from simengine.contract_text.card import as_signed, card_table, example_people, example_reached, example_table, varied_lines
from simengine.contract_text.trials import edges_of
from simengine.currencies import decimals_of
from simengine.distributions import Constant
from simengine.records import Payments
from simengine.report.directions import net_by_party, total_of
from simengine.settlement import replay

_WIDTH = 80
_PAIR = 2
"""Parties between whom a total says all that there is to say."""


def explanation(contract: Contract) -> str:
    """Return a contract as plain text, lines folded at 80 characters."""
    lines = [contract.title, "", *_heading(contract), "", words.PHRASES["measured"], *_metrics(contract), *_outcomes(contract)]
    if contract.calendar or contract.waves or contract.milestones or contract.stops:
        lines += ["", words.PHRASES["dates"], *_calendar(contract)]
    lines += ["", words.PHRASES["paid"], *(_term(contract, name, term) for name, term in contract.terms.items())]
    if contract.total_cap is not None:
        lines.append(words.PHRASES["total_cap"].format(cap=phrase(contract.total_cap)))
    folded = [_folded(line) for line in lines]
    cards = cards_of(contract)
    for name, card in cards.items():
        folded += ["", words.PHRASES["card"].format(name=name), *card_table(contract, card)]
        folded += [_folded(line) for line in varied_lines(contract, card)]
    folded += ["", words.PHRASES["example"]]
    folded += _example_of_people(contract) if asks_who_reached(contract) else [_folded(line) for line in _example(contract)]
    return "\n".join(folded)


def _folded(line: str) -> str:
    return fill(line, _WIDTH, subsequent_indent="  " if line.startswith("- ") else "")


def phrase(source: Source, *, inside: bool = False) -> str:
    """Say a term in words; inside another one it is put in brackets where it is more than a name or a number."""
    if isinstance(source, Named):
        return words.MONEY_WORD.get(source.root, source.root)
    main, clauses = words.KIND_WORDS[source.key]
    parts = {name: _say(name, getattr(source, name)) for name in type(source).model_fields}
    said = main.format(**parts)
    said += "".join(clause.format(**parts) for name, clause in clauses.items() if getattr(source, name))
    said += _limits(source)
    # Where one part is all that there is to say, it is a number.
    return f"({said})" if inside and said not in parts.values() else said


def _limits(term: Term) -> str:
    parts = {name: _say_limit(name, getattr(term, name)) for name in words.LIMIT_WORDS if getattr(term, name)}
    return "".join(f", {words.LIMIT_WORDS[name].format(**{name: said})}" for name, said in parts.items())


def _say_limit(name: str, value: Any) -> str:
    """Say a limit: it stands last, and needs brackets only where it has clauses of its own."""
    said = phrase(value) if isinstance(value, Term) else _say(name, value)
    return _say(name, value) if "," in said else said


def _say(name: str, value: Any) -> str:
    """Say one part of a term: a number, a term, a list, or rows by name."""
    if isinstance(value, Constant):
        return f"{100 * value.value:,.6g} %" if name in words.PER_CENT and value.value <= 10 else f"{value.value:,.10g}"
    if type(value).__name__ in words.ROWS:
        parts = {field: _say(field, getattr(value, field)) for field in type(value).model_fields}
        return words.ROWS[type(value).__name__].format(edges=_gate(value) if isinstance(value, Gate) else "", **parts)
    if isinstance(value, Gate):
        return _gate(value)
    if isinstance(value, Named | Term):
        return phrase(value, inside=True)
    if isinstance(value, Mapping):
        joint = " is " if name == "only_if" else ": "
        return (" and " if name == "only_if" else ", ").join(
            f"{words.MONEY_WORD.get(key, key)}{joint}{_say(name, child)}" for key, child in value.items()
        )
    if isinstance(value, tuple):
        return ("; " if name in words.LONG_LISTS else ", ").join(_say(name, child) for child in value)
    return str(value).replace("_", " ") if name in words.CHOICES else str(value)


def _gate(gate: Gate) -> str:
    return " and ".join(words.GATES[word].format(level=f"{level:,.10g}") for word, level in gate.edges())


def _heading(contract: Contract) -> Iterator[str]:
    lends = "lends" if contract.commitment.value > 0 else "nobody_lends"
    yield words.PHRASES[lends].format(commitment=f"{contract.commitment.value:,.10g}", currency=contract.currency)
    if contract.parties:
        parties = "; ".join(f"{name}, {meaning}" for name, meaning in contract.parties.items())
        yield words.PHRASES["further_parties"].format(parties=parties)


def _metrics(contract: Contract) -> Iterator[str]:
    parts = contract.measured_for
    for name, use in contract.metrics.items():
        if name in parts:
            continue
        if use.derived is not None and not use.measured_on:
            said = phrase(use.derived)
            yield words.PHRASES["derived"].format(name=name, meaning=use.meaning, unit=use.unit, derived=said)
            continue
        own = [part for part, whole in parts.items() if whole == name]
        anew = (
            words.PHRASES[f"anew_{use.counts}"].format(dates=", ".join(use.measured_on), first=own[0], last=own[-1]) if own else ""
        )
        use = contract.metrics[own[0]] if own else use
        evaluator = words.PHRASES["evaluator"].format(evaluator=use.evaluator) if use.evaluator else ""
        missing = words.PHRASES["missing"].format(value=f"{use.when_missing.value:,.10g}") if use.when_missing is not None else ""
        yield words.PHRASES["metric"].format(
            name=name, meaning=use.meaning, unit=use.unit, evaluator=evaluator, anew=anew, missing=missing
        )


def _outcomes(contract: Contract) -> Iterator[str]:
    for name, use in contract.outcomes.items():
        evaluator = words.PHRASES["evaluator"].format(evaluator=use.evaluator) if use.evaluator else ""
        months = use.validated_after_months
        delay = "" if months is None else words.PHRASES["outcome_delay"].format(months=words.months(months.value))
        unit = f", in {use.unit}" if use.has_units else ""
        yield words.PHRASES["outcome"].format(name=name, meaning=use.meaning, unit=unit, evaluator=evaluator, delay=delay)


def _calendar(contract: Contract) -> Iterator[str]:
    for name, due in contract.dates.items():
        share = "" if due.drawn is None else words.PHRASES["date_drawn"].format(share=f"{100 * due.drawn.value:,.6g} %")
        months = due.months()
        if due.every_months is None:
            yield words.PHRASES["date"].format(name=name, month=f"{months[0]:g}", drawn=share)
        else:
            span = {"every": f"{due.every_months.value:g}", "first": f"{months[0]:g}", "last": f"{months[-1]:g}"}
            yield words.PHRASES["dates_repeated"].format(name=name, number=len(months), **span)
    for section in ("waves", "milestones"):
        if getattr(contract, section):
            named = "; ".join(f"{name}, {meaning}" for name, meaning in getattr(contract, section).items())
            yield words.PHRASES[section].format(**{section: named})
    for name, stop in contract.stops.items():
        gates = _say("only_if", stop.only_if)
        by = " and ".join(words.PARTY_WORDS.get(party, party) for party in stop.by)
        yield words.PHRASES["stop"].format(name=name, at=stop.at, gates=gates, by=by)
    for name, variation in contract.variations.items():
        gates = words.PHRASES["variation_gates"].format(gates=_say("only_if", variation.only_if)) if variation.only_if else ""
        yield words.PHRASES["variation"].format(name=name, at=variation.at, gates=gates)


def _term(contract: Contract, name: str, term: Term) -> str:
    when = ""
    if contract.calendar:
        months = term.delay_months
        delay = "" if months is None else words.PHRASES["delay"].format(months=f"{months.value:g}")
        when = words.PHRASES["when"].format(at=", ".join(term.at or contract.dates), delay=delay)
    said = (("guarantee", not term.contingent), ("principal", term.repays_principal), ("despite_stop", term.despite_stop))
    notes = "".join(words.PHRASES[key] for key, holds in said if holds)
    payer, payee = (words.PARTY_WORDS.get(party, party) for party in (term.payer, term.payee))
    return words.PHRASES["term"].format(name=name, payer=payer, payee=payee, phrase=phrase(term), limits="", when=when, notes=notes)


def _example(contract: Contract) -> Iterator[str]:
    """Work through the last published case that measures everything, or else outcomes a little beyond the highest edges."""
    outcomes, drawn, case = example_of(contract)
    payments, decimals = replay(contract, outcomes, drawn), decimals_of(contract.currency)
    net, total = net_by_party(payments), total_of(payments)
    said = ", ".join(f"{name} is {value:,.10g}" for name, value in outcomes.items())
    key = "example_on" if case is None else "example_published"
    yield words.PHRASES[key].format(case=case, outcomes=said, drawn=f"{drawn:,.10g}", currency=contract.currency)
    yield from _paid_lines(contract, payments, between=total is None or len(net) > _PAIR)
    if total is None or len(net) > _PAIR:
        said = "; ".join(
            words.PHRASES["example_net" if amount >= 0 else "example_net_paid"].format(
                party=words.PARTY_WORDS.get(party, party), amount=f"{abs(amount):,.{decimals}f}", currency=contract.currency
            )
            for party, amount in net.items()
            if amount != 0
        )
        yield words.PHRASES["example_nets"].format(nets=said or words.PHRASES["example_nothing"])
    yield from _total_line(contract, payments)


def _example_of_people(contract: Contract) -> list[str]:
    """Work a rate card through for three people."""
    contract, varied = as_signed(contract), bool(contract.variations)
    rows, drawn = example_people(contract, cards_of(contract)), contract.commitment.value
    reached = example_reached(contract, rows)
    outcomes = example_of(contract)[0]
    payments = replay(contract, outcomes, drawn, reached=reached)
    said = words.PHRASES["example_people"].format(drawn=f"{drawn:,.10g}", currency=contract.currency)
    said += f" {words.PHRASES['example_as_signed']}" if varied else ""
    lines = [_folded(said), *example_table(contract, reached, rows), words.PHRASES["example_dates"]]
    paid = [_folded(line) for line in _paid_lines(contract, payments, with_nothing=False)]
    return [*lines, *paid, *_total_line(contract, payments)]


def _paid_lines(contract: Contract, payments: Payments, *, between: bool = False, with_nothing: bool = True) -> Iterator[str]:
    """Say what each term pays on each date: between whom where asked, and dates on which it pays nothing only where asked."""
    decimals = decimals_of(contract.currency)
    for t, name in enumerate(payments.terms):
        payer, payee = (words.PARTY_WORDS.get(party, party) for party in payments.parties[t])
        for due, date in enumerate(payments.dues):
            amount = payments.by_due[0, t, due]
            if payments.is_due[t, due] and (with_nothing or amount != 0):
                yield words.PHRASES["example_line"].format(
                    name=name,
                    between=words.PHRASES["example_between"].format(payer=payer, payee=payee) if between else "",
                    date=f", {date}" if contract.calendar else "",
                    amount=f"{amount:z,.{decimals}f}",
                    currency=contract.currency,
                    bound=_bound(payments.limit(0, t, due)),
                )


def _total_line(contract: Contract, payments: Payments) -> list[str]:
    """Say what all terms pay, where one number says it."""
    total, decimals = total_of(payments), decimals_of(contract.currency)
    if total is None:
        return []
    return [words.PHRASES["example_total"].format(total=f"{total:z,.{decimals}f}", currency=contract.currency)]


def _bound(limit: str) -> str:
    return words.BOUND[limit] if limit in words.BOUND else words.BOUND_INSIDE.format(path=limit)


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
