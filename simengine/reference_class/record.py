"""A rate card as a record of the public dataset, and a record as a rate card; what either cannot say is listed."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from simengine.config.consistency import contract_problems
from simengine.config.document import Document
from simengine.config.validate import validate
from simengine.contract.card import cards_of
from simengine.contract.spec import Contract
from simengine.currencies import decimals_of
from simengine.errors import Problem, StudyError, UsageError, shorten
from simengine.reference_class.history import Oddities, PaymentHistory, PeriodAmount, payment_histories
from simengine.reference_class.indigo import INDIGO_COLUMNS, IndigoRow, IndigoTables, ProjectFilter, amount_of, month_text

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_TITLE, _KNOWN_OF_CONTRACT = 200, {"title", "currency", "terms", "outcomes"}
_KNOWN_OF_CARD, _KNOWN_OF_PRICE, _KNOWN_OF_OUTCOME = {"rate_card", "cap_in_all"}, {"price", "cap"}, {"meaning"}
_LONGEST_CALENDAR = 1200


def record_of(contract: Contract, project: str) -> tuple[dict[str, str], list[str]]:
    """Write the rate card of a contract as tables of the dataset.

    Parameters
    ----------
    contract
        With one rate card.
    project
        The id that the record is to have.

    Returns
    -------
    By file: its text; and what the contract says that the tables cannot.

    Raises
    ------
    UsageError
        If the contract has no rate card, or several.
    """
    cards = cards_of(contract)
    if len(cards) != 1:
        rule = "a contract must have one rate card, so that it has one list of prices"
        raise UsageError(f"the record: {rule}; found {len(cards)}. Nothing else of a contract has a place in the tables")
    (name, card), most = next(iter(cards.items())), next(iter(cards.values())).cap_in_all
    cap = {} if most is None else {"most": f"{most.value:.15g}", "most_currency": contract.currency}
    rows: dict[str, list[Mapping[str, str]]] = {table: [] for table in INDIGO_COLUMNS}
    rows["projects"].append({"id": project, "name": contract.title, **cap})
    unsaid = [f"{key}: the tables have no place for it" for key in _beside(contract, name)]
    for outcome, one in card.rate_card.items():
        use = contract.outcomes[outcome]
        rows["outcome_metrics"].append({"id": project, "metric": outcome, "definition": use.meaning})
        path = f"terms.{name}.rate_card.{outcome}"
        unsaid += [
            f"{path}.{key}: the tables have one price for an outcome" for key in sorted(one.model_fields_set - _KNOWN_OF_PRICE)
        ]
        unsaid += [f"outcomes.{outcome}.{key}" for key in sorted(use.model_fields_set - _KNOWN_OF_OUTCOME)]
        if one.price is not None:
            limit = {} if one.cap is None else {"most": f"{one.cap.value:.15g}"}
            price = {"id": project, "metric": outcome, "currency": contract.currency, "price": f"{one.price.value:.15g}"}
            rows["outcome_pricings"].append({**price, **limit})
    return {f"{table}.csv": _csv(table, found) for table, found in rows.items()}, unsaid


def _beside(contract: Contract, card: str) -> Iterator[str]:
    """Yield the paths of what a contract says beside its prices."""
    yield from (key for key in Contract.model_fields if key in contract.model_fields_set - _KNOWN_OF_CONTRACT)
    yield from (f"terms.{name}" for name in contract.terms if name != card)
    fields = type(contract.terms[card]).model_fields
    yield from (f"terms.{card}.{key}" for key in fields if key in contract.terms[card].model_fields_set - _KNOWN_OF_CARD)


def _csv(table: str, rows: Sequence[Mapping[str, str]]) -> str:
    text, columns = io.StringIO(), INDIGO_COLUMNS[table]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns.values())
    writer.writerows([[row.get(word, "") for word in columns] for row in rows])
    return text.getvalue()


@dataclass(frozen=True)
class RecordedContract:
    """The contract of a record, with its plan and its payments."""

    contract: Contract
    start: str
    """The month from which its dates are counted."""
    planned: str
    """The first plan as a table: `month,payment`."""
    paid: str
    """The payments that were made, as `replay --actual` reads them."""
    unsaid: tuple[str, ...]
    """What the contract needs and the record does not say."""


def recorded_contract(tables: IndigoTables, project: str) -> RecordedContract:
    """Read the rate card of a project from the tables.

    Raises
    ------
    UsageError
        If the tables have no such project.
    StudyError
        If the project has no price, or no payment from which its calendar follows.
    """
    row = ProjectFilter(projects=(project,)).chosen(tables)[0]
    odd, unsaid = Oddities(), list[str]()
    histories = payment_histories(tables, ProjectFilter(projects=(project,)), odd)
    if not histories or not (histories[0].paid or histories[0].plans):
        raise StudyError([Problem(row.place, project, "must have payments, planned or made, in one currency", "none", "")])
    history = histories[0]
    every = [*history.paid, *history.first_plan]
    first, last = min(one.first for one in every), max(one.last for one in every)
    months = min(-(-(last - first + 1) // 3) * 3, _LONGEST_CALENDAR)
    prices = _prices_of(tables, row, history, unsaid)
    most = amount_of(row["most"]) if row["most_currency"] == history.currency else None
    cap = {} if most is None else {"cap_in_all": most}
    lent = round(sum(one.amount for one in history.first_plan or history.paid), decimals_of(history.currency))
    instead = "all that the first plan pays" if history.first_plan else "all that was paid"
    raw = {
        "title": row["name"][:_TITLE] or project,
        "currency": history.currency,
        "commitment": {
            "value": lent,
            "certainty": "assumption",
            "note": f"{instead}; the record does not say it",
        },
        "dates": {"quarter": {"every_months": 3, "until_month": months}},
        "outcomes": {name: {"meaning": meaning} for name, (meaning, _) in prices.items()},
        "terms": {"card": {"rate_card": {name: price for name, (_, price) in prices.items()}, **cap}},
    }
    contract = validate(Contract, Document(raw, default_place=row.place))
    wrong = [Problem(row.place, key, rule, found, way_out) for key, rule, found, way_out in contract_problems(contract)]
    if wrong:
        raise StudyError(wrong)
    unsaid += [
        f"commitment: how much an investor lends; {instead} stands in its place",
        "dates: when the contract pays; quarters from the first period on stand in their place",
        "terms.card: conditions between outcomes, caps per person, prices by group or volume",
        "outcomes: who validates them, and after how long",
    ]
    return RecordedContract(
        contract, month_text(first), _months(history.first_plan, first), _months(history.paid, first), tuple(unsaid)
    )


def _prices_of(
    tables: IndigoTables, project: IndigoRow, history: PaymentHistory, unsaid: list[str]
) -> dict[str, tuple[str, dict[str, float]]]:
    """Return each priced outcome: its meaning, and its price with its cap."""
    meanings = {row["metric"]: row["definition"] for row in tables["outcome_metrics"] if row["id"] == project["id"]}
    found: dict[str, tuple[str, dict[str, float]]] = {}
    for row in tables["outcome_pricings"]:
        if row["id"] != project["id"]:
            continue
        price, most, name = amount_of(row["price"]), amount_of(row["most"]), row["metric"]
        reasons = {
            "its id is no name": _NAME.fullmatch(name) is None,
            "it has several prices": name in found,
            "its price is no number": price is None or price < 0,
            f"its price is not in {history.currency}": row["currency"] != history.currency,
        }
        wrong = next((reason for reason, holds in reasons.items() if holds), None)
        if wrong is not None or price is None:
            unsaid.append(f"{row.place}: {shorten(name)}: left out, for {wrong}")
            continue
        found[name] = (meanings.get(name) or name, {"price": price} | ({} if most is None else {"cap": most}))
    if not found:
        rule = "the project of a record must have a price that can be read"
        raise StudyError([Problem(project.place, project["id"], rule, "none", "Choose another project")])
    return found


def _months(amounts: Sequence[PeriodAmount], first: int) -> str:
    """Write amounts by the last month of their period, counted from the start."""
    by_month: dict[int, float] = {}
    for one in amounts:
        by_month[one.last - first + 1] = by_month.get(one.last - first + 1, 0.0) + one.amount
    return "month,payment\n" + "".join(f"{month},{amount:.15g}\n" for month, amount in sorted(by_month.items()))
