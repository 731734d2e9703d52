"""The problems of forecasting real contracts: their cards, and which contracts each asks about."""

from __future__ import annotations

from collections.abc import Iterator

from simengine.bench.card import Card
from simengine.bench.forecasting import contracts
from simengine.bench.forecasting.problem import ForecastProblem


def _card(name: str, title: str, question: str, difficulty: str) -> Card:
    return Card(
        name,
        "forecasts",
        title,
        question,
        difficulty,
        "what was paid, in the public INDIGO tables that the user has downloaded",
        "that of the tables",
        (10_000,),
        "another contract, drawn with replacement",
        made_by=f"python -m verification.bench.forecasts FOLDER {name}",
    )


def forecast_problems() -> Iterator[ForecastProblem]:
    """Yield the problems, without their tables; how many contracts each has is that of the tables of May 2025."""
    yield from (*_of_whole_contracts(), *_of_years(), _people())


def _of_whole_contracts() -> Iterator[ForecastProblem]:
    yield ForecastProblem(
        _card(
            "paid_of_planned",
            "Paid of planned",
            "What a signed contract has paid, as a multiple of what its first plan says, from the plan and from the other contracts.",
            "18 contracts of many kinds, 7 of them unfinished; plans are round, and some were written late",
        ),
        "paid_over_planned",
        contracts.of_all,
    )
    yield ForecastProblem(
        _card(
            "paid_when_finished",
            "Paid when finished",
            "What a finished contract paid, as a multiple of its whole first plan.",
            "11 contracts: whoever learns a spread from ten others knows it to a quarter",
        ),
        "paid_over_planned",
        contracts.of_finished,
        "finished contracts with a first plan and payments, against all that the plan had",
    )
    yield ForecastProblem(
        _card(
            "half_of_the_plan_paid",
            "Half of the plan is paid",
            "By how many years later than planned half of the planned money has been paid; earlier is below 0.",
            "16 contracts that have paid it; two that had not by their last period are left out, so the answers lean to early",
        ),
        "years_late",
        contracts.of_half_way,
        "contracts that have paid half of the first plan, which does not repeat payments of the month in which half was planned",
        is_ratio=False,
    )


def _of_years() -> Iterator[ForecastProblem]:
    yield ForecastProblem(
        _card(
            "paid_in_the_first_year",
            "Paid in the first year",
            "What is paid in the first twelve months of the plan, as a multiple of what it has for them.",
            "14 contracts; those that begin late pay nearly nothing in it, so the logarithm is skewed",
        ),
        "paid_over_planned",
        contracts.of_first_year,
        "twelve months from the first planned payment on are over; the first plan repeats no payment",
    )
    yield ForecastProblem(
        _card(
            "paid_in_the_second_year",
            "Paid in the second year",
            "What is paid in months 13 to 24 of the plan, as a multiple of what it has for them, when the first year is known.",
            "15 contracts; a slow first year may be caught up in the second, or go on",
        ),
        "paid_over_planned",
        contracts.of_second_year,
        "24 months from the first planned payment on are over; the first plan repeats no payment of the second year",
    )


def _people() -> ForecastProblem:
    return ForecastProblem(
        _card(
            "people_reached_of_planned",
            "People reached of those planned",
            "How many people a finished contract reached, as a multiple of those whom it was to reach.",
            "44 contracts of all countries; in 21 both numbers are the same, so the distribution has an atom",
        ),
        "reached_over_planned",
        contracts.of_people,
        "complete projects with both numbers of people",
    )
