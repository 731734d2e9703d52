"""Parts of JSON objects that several commands share, and a study as the text that runs it again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, NotRequired, TypedDict

import numpy as np
import yaml

from simengine.config import Study
from simengine.config.portfolio import Holding, Portfolio
from simengine.contract.spec import Contract
from simengine.distributions import Constant
from simengine.records import Payments
from simengine.report.directions import net_by_party, total_of
from simengine.report.steps import MovesContent
from simengine.risk.statistics import Statistic
from simengine.risk.trust import Refused, TableSection

_BY_LIBYAML: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""Twice as fast where PyYAML has it."""


class RefusedContent(TypedDict):
    """A statistic that is not given."""

    statistic: str
    """Path of the statistic."""
    reason: str
    """Why it is not reported."""
    tail_points: int | None
    """Replications in its tail; null if it has none."""
    replications_needed: int | None
    """Replications needed for it; null if no number is enough."""


class LedgerEntry(TypedDict):
    """An entry of the ledger."""

    path: str
    """Path in the study."""
    value: str
    """Value or distribution, as text."""
    certainty: str | None
    """[Certainty code](distributions.md); null if there is none."""
    is_assumed: bool
    """True for P, U, M, R, assumption, and for everything taken for granted."""
    source: str | None
    """As in the study; null if there is none."""
    layer: str | None
    """Kind of uncertainty; null for a number without a distribution."""
    note: str | None
    """As in the study; null if there is none."""


class PayerAndPayee(TypedDict):
    """Between whom a term pays."""

    payer: str
    """Who pays."""
    payee: str
    """Who receives."""


class PaymentOnDate(TypedDict):
    """A payment on a date of the contract."""

    term: str
    """The term."""
    date: str
    """The date of the contract."""
    month: int
    """Month of payment, from the start."""
    payer: str
    """Who pays."""
    payee: str
    """Who receives."""
    payment: float
    """The payment."""
    bound: str
    """The limit that decided."""


class SettlementContent(TypedDict):
    """Payments of one replication."""

    payments: Mapping[str, float]
    """By term: the payment."""
    parties: Mapping[str, PayerAndPayee]
    """By term: who owes it to whom."""
    total: float | None
    """Their sum if one party pays or receives all of them; null if money flows in opposite directions."""
    net: Mapping[str, float]
    """By party: what it received less what it paid."""
    bound: Mapping[str, str]
    """By term: the limit that decided; if the contract has dates, that of the last."""
    dates: list[PaymentOnDate]
    """The payments by date; empty where the contract has no dates."""


class Replayed(TypedDict):
    """What a contract is settled on."""

    contract: str
    """Title of the contract."""
    currency: str
    """Its currency."""
    drawn: float
    """Money drawn."""
    outcomes: Mapping[str, float]
    """By metric: the outcome that was given."""


class PeriodComparison(TypedDict):
    """What the terms pay in a period, and what was paid."""

    period: str
    """The dates of the contract at its end; `after the last date` for later payments."""
    from_month: int
    """First month of the period, from the start."""
    to_month: int | None
    """Last month; null after the last date."""
    computed: float
    """The payment under the terms."""
    paid: float
    """The payments that were made."""
    difference: float
    """Computed less paid."""
    verdict: str
    """`reproduced`, or `not reproduced` where the two differ by more than half of the unit to which payments are rounded."""


class ReplayContent(Replayed, SettlementContent):
    """A contract settled on outcomes."""

    actual: NotRequired[list[PeriodComparison]]
    """By period: what the terms pay against what was paid; absent without `--actual`."""


class CheckContent(TypedDict):
    """A study that is valid."""

    title: str
    """Title of the study."""
    valid: bool
    """Always true: an invalid study ends with messages and exit code 2."""
    assumptions: list[LedgerEntry]
    """The ledger."""
    assumed_without_a_distribution: list[str]
    """Paths of numbers that are assumed but have no distribution."""
    moves: MovesContent
    """Effect of moving at the end of a step."""


def plain(section: TableSection | Statistic) -> dict[str, Any]:
    """Return a statistic, or statistics by name, as plain numbers; nothing stands for what was not measured."""
    if isinstance(section, Statistic):
        points = None if section.tail_points is None else int(section.tail_points)
        more = {
            "upper_95": section.upper_95,
            "lower_95": section.lower_95,
            "interval_95": section.interval_95,
            "tail_points": points,
            "covers": None if section.covers else False,
        }
        value, se = (one if isfinite(one) else None for one in (section.value, section.se))
        return {"value": value, "se": se} | {name: one for name, one in more.items() if one is not None}
    return {name: plain(child) for name, child in section.items()}


def refused_content(refused: Mapping[str, Refused]) -> list[RefusedContent]:
    """Return what is not given as plain numbers, with the reason."""
    return [
        {"statistic": path, "reason": one.reason, "tail_points": one.tail_points, "replications_needed": one.n_replications}
        for path, one in refused.items()
    ]


def assumptions(study: Study) -> list[LedgerEntry]:
    """Return the assumption ledger: every number with its value or distribution, certainty and source; then what is taken for granted."""
    numbers: list[LedgerEntry] = [
        {
            "path": path,
            "value": str(number),
            "certainty": number.certainty,
            "is_assumed": number.is_assumed,
            "source": number.source,
            "layer": None if isinstance(number, Constant) else number.layer,
            "note": number.note,
        }
        for path, number in study.numbers.items()
    ]
    granted: list[LedgerEntry] = [
        {
            "path": f"study.takes_for_granted.{name}",
            "value": item.text,
            "certainty": item.certainty,
            "is_assumed": True,
            "source": item.source,
            "layer": None,
            "note": None,
        }
        for name, item in study.study.takes_for_granted.items()
    ]
    return numbers + granted


def settlement(payments: Payments) -> SettlementContent:
    """Payments of one replication by term, the net of each party, the limit that bound each term, and each date's part.

    `total` is null where some terms pay in the opposite direction of others.
    """
    return {
        "payments": {name: float(payments.amount[0, t]) + 0.0 for t, name in enumerate(payments.terms)},
        "parties": {
            name: {"payer": payer, "payee": payee} for name, (payer, payee) in zip(payments.terms, payments.parties, strict=True)
        },
        "total": total_of(payments),
        "net": net_by_party(payments),
        "bound": {name: payments.limits[t][payments.bound[0, t]] for t, name in enumerate(payments.terms)},
        "dates": [
            {
                "term": payments.terms[t],
                "date": payments.dues[due],
                "month": int(payments.months[t, due]),
                "payer": payments.parties[t][0],
                "payee": payments.parties[t][1],
                "payment": float(payments.by_due[0, t, due]) + 0.0,
                "bound": payments.limit(0, t, due),
            }
            for t, due in np.argwhere(payments.months >= 0)
        ],
    }


def as_json(content: Mapping[str, Any]) -> str:
    """Write one JSON object in ASCII, so that every system reads it; a number that JSON cannot hold is a defect, not a null."""
    # JSON leaves DEL as it is, and a terminal obeys it.
    return json.dumps(content, ensure_ascii=True, indent=2, allow_nan=False).replace("\x7f", "\\u007f")


def kept_text(study: Study, variant: str | None = None, variants: Mapping[str, dict[str, object]] | None = None) -> str:
    """Write a study as it was asked about, so that the same command without a variant gives the same answer.

    Variants change the study from which this one was made, and may name files that do not stand beside what is kept: they are left
    out, but those given. What is known of the variant that this study is, is known of the study that is kept; what is known of
    others is left out.
    """
    known = {name: one.model_copy(update={"variant": None}) for name, one in study.known.items() if one.variant == variant}
    return as_text(study.model_copy(update={"variants": dict(variants or {}), "known": known}))


def portfolio_texts(holding: Holding) -> dict[str, str]:
    """Write a portfolio and its studies, each as it is held, by the names of their files."""
    projects, portfolio = holding.portfolio.projects, holding.portfolio
    places = {name: f"projects/{name}.yaml" for name in projects}
    plain = {name: one.model_copy(update={"study": places[name], "variant": None, "set": ()}) for name, one in projects.items()}
    studies = {places[name]: kept_text(study, projects[name].variant) for name, study in holding.studies.items()}
    return {"portfolio.yaml": as_text(portfolio.model_copy(update={"projects": plain})), **studies}


def as_text(written: Study | Contract | Portfolio) -> str:
    """Write a study, a contract or a portfolio as a file that says the same."""
    return yaml_text(written.model_dump(mode="json", exclude_defaults=True, exclude_none=True))


def yaml_text(content: Mapping[str, Any], *, numbers_in_line: bool = False) -> str:
    """Write plain data as a file of YAML that reads as the same data; numbers with their source on one line each, if so wanted."""
    style = None if numbers_in_line else False
    text: str = yaml.dump(dict(content), Dumper=_Dumper, width=120, allow_unicode=True, sort_keys=False, default_flow_style=style)
    return text


class _Dumper(_BY_LIBYAML):  # type: ignore[misc]
    """Puts a text in quotes wherever a reader of YAML 1.1 or of 1.2 would take it for something else; repeats nothing by reference."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9][0-9_]*[eE].*|[-+]?\.[0-9].*|0o.*"), list("-+.0123456789")
)
