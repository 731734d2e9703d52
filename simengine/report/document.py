"""Say the results of a run as one JSON object, and a study as the text that runs it again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

import numpy as np
import yaml

from simengine.config import Study
from simengine.config.portfolio import Holding, Portfolio
from simengine.contract.spec import Contract
from simengine.distributions import Constant
from simengine.records import Payments
from simengine.report.directions import net_by_party, total_of
from simengine.risk.statistics import Statistic
from simengine.risk.summarise import RiskTable
from simengine.risk.trust import Refused, TableSection

_BY_LIBYAML: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""Twice as fast where PyYAML has it."""


def run_summary(study: Study, table: RiskTable, seed: int) -> dict[str, Any]:
    """Return everything that two equal runs share."""
    return {
        "title": study.study.title,
        "currency": study.study.currency,
        "seed": seed,
        "replications": table.n_replications,
        "parties": {name: party.name for name, party in study.parties.items()},
        **plain(table.sections),
        "assumptions": assumptions(study),
    }


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


def refused_content(refused: Mapping[str, Refused]) -> list[dict[str, Any]]:
    """Return what is not given as plain numbers, with the reason."""
    return [
        {"statistic": path, "reason": one.reason, "tail_points": one.tail_points, "replications_needed": one.n_replications}
        for path, one in refused.items()
    ]


def assumptions(study: Study) -> list[dict[str, Any]]:
    """Return the assumption ledger: every number with its value or distribution, certainty and source; then what is taken for granted."""
    numbers = [
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
    granted = [
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


def settlement(payments: Payments) -> dict[str, Any]:
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
    content = written.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    text: str = yaml.dump(content, Dumper=_Dumper, width=120, allow_unicode=True, sort_keys=False)
    return text


class _Dumper(_BY_LIBYAML):  # type: ignore[misc]
    """Puts a text in quotes wherever a reader of YAML 1.1 or of 1.2 would take it for something else; repeats nothing by reference."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9][0-9_]*[eE].*|[-+]?\.[0-9].*|0o.*"), list("-+.0123456789")
)
