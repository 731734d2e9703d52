"""What the tables say of a reference class: payments against plans, delays, new plans, prices, caps, repayment, and what was odd."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import inf, sqrt
from pathlib import Path
from statistics import median

import numpy as np

from simengine.disk import sum_of_file
from simengine.errors import UsageError
from simengine.reference_class.forecasts import leave_one_out
from simengine.reference_class.history import (
    Oddities,
    PaidAgainstPlan,
    PaymentHistory,
    paid_against_plan,
    payment_histories,
    total_of_periods,
    total_up_to,
)
from simengine.reference_class.indigo import (
    INDIGO_COLUMNS,
    IndigoTables,
    ProjectFilter,
    amount_of,
    month_number,
    month_text,
    read_indigo,
)
from simengine.reference_class.lines import (
    NOT_STATED,
    AmountRange,
    DelayLine,
    FittedLine,
    PriceLine,
    ProjectLine,
    QuarterLine,
    Reference,
    ReplanLine,
)
from simengine.reference_class.paid_over_planned import (
    DEGREES_OF_FREEDOM,
    PaidOverPlanned,
    fit_paid_over_planned,
    log_ratio,
    spread_within,
)

QUANTILE_LEVELS = (0.005, 0.01, 0.02, 0.03, 0.05, *(number / 40 for number in range(3, 38)), 0.95, 0.97, 0.98, 0.99, 0.995)
"""Levels of the quantiles that a study is given; it is cut off at the first and the last."""


def read_reference(
    folder: Path | str, chosen: ProjectFilter, *, is_censored: bool = False, with_forecasts: bool = False, seed: int = 0
) -> Reference:
    """Read the tables, and fit the reference class.

    Parameters
    ----------
    folder
        With the tables.
    chosen
        The projects of the class.
    is_censored
        Whether unfinished projects count as censored and no more.
    with_forecasts
        Whether every project is forecast from the others.
    seed
        Of the draws for the probability integral transform of censored projects.

    Raises
    ------
    StudyError
        If the tables cannot be read.
    UsageError
        If the class has no projects of a name, or too few to fit anything.
    """
    tables, odd = read_indigo(folder), Oddities()
    histories = payment_histories(tables, chosen, odd)
    against = [one for history in histories if (one := paid_against_plan(history, odd)) is not None]
    if not against:
        found = f"{len(histories)} with payments, none of them with both"
        raise UsageError(f"the reference class: must have projects with a plan and actual payments; found {found}")
    ids = {row["id"] for row in chosen.chosen(tables)}
    prices, caps = _prices(tables, ids, odd), _caps(tables, ids, odd)
    _count_results(tables, ids, odd)
    return Reference(
        str(folder),
        str(chosen),
        tuple(_line(one) for one in against),
        fitted_line(against, is_censored=is_censored)[1],
        fitted_line(against, is_censored=True)[1],
        tuple(_quarters(against)),
        _replans([one.history for one in against]),
        _delays(against),
        prices,
        caps,
        dict(Counter(row["repayment"] or NOT_STATED for row in tables["investments"] if row["id"] in ids)),
        odd.listed(),
        leave_one_out(against, is_censored=is_censored, seed=seed) if with_forecasts else None,
        {name: sum_of_file(Path(folder) / f"{name}.csv") for name in INDIGO_COLUMNS},
    )


def fitted_line(against: Sequence[PaidAgainstPlan], *, is_censored: bool) -> tuple[PaidOverPlanned, FittedLine]:
    """Fit the distribution of paid over planned, and say it in numbers."""
    known = [one for project in against if (one := log_ratio(project)) is not None]
    within, number = spread_within(against)
    fitted = fit_paid_over_planned(known, inf if is_censored else within)
    quantiles = np.exp(fitted.quantiles(np.array(QUANTILE_LEVELS)))
    return fitted, FittedLine(
        len(known),
        fitted.n_finished,
        fitted.n_unfinished,
        is_censored or number == 0,
        within if number else None,
        number,
        fitted.centre,
        fitted.scale,
        {f"{tail:g}": chance for tail, chance in zip(DEGREES_OF_FREEDOM, fitted.tails, strict=True)},
        {f"{level:g}": float(value) for level, value in zip(QUANTILE_LEVELS, quantiles, strict=True)},
    )


def _line(one: PaidAgainstPlan) -> ProjectLine:
    history = one.history
    totals = [total_of_periods(plan) for plan in history.plans.values()]
    return ProjectLine(
        history.project,
        history.sector or NOT_STATED,
        history.currency,
        one.is_finished,
        one.planned,
        one.paid,
        one.planned_in_all,
        one.ratio,
        one.share_due,
        None if one.known_until is None else month_text(one.known_until),
        month_text(history.last_paid),
        len(totals),
        totals[-1] / totals[0],
        later_months(one),
    )


def later_months(one: PaidAgainstPlan) -> float | None:
    """Return how much later a finished project was paid than planned: the mean month of the money less that of the plan."""
    if not one.is_finished or one.paid <= 0:
        return None
    before = -1 if one.known_until is None else one.known_until
    last = max(part.last for part in (*one.history.paid, *one.history.first_plan))
    first = min(part.first for part in (*one.history.paid, *one.history.first_plan))
    means = []
    for amounts in (one.history.paid, one.history.first_plan):
        months = np.arange(max(first, before + 1), last + 1)
        so_far = np.array([total_up_to(amounts, int(month)) for month in (months[0] - 1, *months)])
        each = np.diff(so_far)
        means.append(float(months @ each / each.sum()))
    return means[0] - means[1]


def _quarters(against: Sequence[PaidAgainstPlan]) -> Iterable[QuarterLine]:
    planned, paid = defaultdict[tuple[str, int], float](float), defaultdict[tuple[str, int], float](float)
    projects = Counter[tuple[str, int]]()
    for one in against:
        history = one.history
        start = min(part.first for part in (*history.paid, *history.first_plan))
        start = start if one.known_until is None else one.known_until + 1
        for quarter in range(start // 3, history.last_paid // 3 + 1):
            first, last = max(3 * quarter, start) - 1, min(3 * quarter + 2, history.last_paid)
            key = (history.currency, quarter)
            planned[key] += total_up_to(history.first_plan, last) - total_up_to(history.first_plan, first)
            paid[key] += total_up_to(history.paid, last) - total_up_to(history.paid, first)
            projects[key] += 1
    for currency, quarter in sorted(planned):
        key = (currency, quarter)
        yield QuarterLine(f"{quarter // 4}-Q{quarter % 4 + 1}", currency, projects[key], planned[key], paid[key])


def _replans(histories: Sequence[PaymentHistory]) -> ReplanLine:
    several = [[total_of_periods(plan) for plan in one.plans.values()] for one in histories if len(one.plans) > 1]
    moved = [totals[-1] / totals[0] for totals in several if totals[0] > 0]
    return ReplanLine(
        len(histories), len(several), _spread([len(one.plans) for one in histories]), _spread(moved) if moved else None
    )


def _delays(against: Sequence[PaidAgainstPlan]) -> DelayLine | None:
    months = [one for project in against if (one := later_months(project)) is not None]
    if len(months) < 2:
        return None
    return DelayLine(len(months), float(np.mean(months)), float(np.std(months, ddof=1) / sqrt(len(months))), median(months))


def _prices(tables: IndigoTables, ids: set[str], odd: Oddities) -> tuple[PriceLine, ...]:
    amounts = []
    for row in tables["outcome_pricings"]:
        price = amount_of(row["price"])
        if row["id"] in ids and price is None:
            odd.add("no_price", row.place)
        elif row["id"] in ids and price is not None:
            amounts.append((row["id"], row["currency"], price))
    return _by_kind(tables, amounts)


def _caps(tables: IndigoTables, ids: set[str], odd: Oddities) -> tuple[PriceLine, ...]:
    """Group maximum potential payments: that of the project, or the sum of its payers' where none is stated of the project."""
    own, payers = {}, defaultdict[str, list[tuple[str, float | None]]](list)
    for row in tables["projects"]:
        if row["id"] in ids and row["most"]:
            own[row["id"]] = (row["most_currency"], amount_of(row["most"]), row.place)
    for row in tables["outcome_payment_commitments"]:
        if row["id"] in ids and row["most"]:
            payers[row["id"]].append((row["currency"], amount_of(row["most"])))
            if payers[row["id"]][-1][1] is None:
                odd.add("no_price", row.place)
    amounts = []
    for project, (currency, amount, place) in own.items():
        if amount is None:
            odd.add("no_price", place)
        else:
            amounts.append((project, currency, amount))
    for project, parts in payers.items():
        readable = [part for _, part in parts if part is not None]
        if project not in own and len({currency for currency, _ in parts}) == 1 and len(readable) == len(parts):
            amounts.append((project, parts[0][0], sum(readable)))
    return _by_kind(tables, amounts)


def _by_kind(tables: IndigoTables, amounts: Iterable[tuple[str, str, float]]) -> tuple[PriceLine, ...]:
    of = {row["id"]: (row["sector"] or NOT_STATED, row["country"] or NOT_STATED) for row in tables["projects"]}
    groups = defaultdict[tuple[str, str, str], list[float]](list)
    for project, currency, amount in amounts:
        groups[(*of[project], currency or NOT_STATED)].append(amount)
    return tuple(PriceLine(*kind, _spread(found)) for kind, found in sorted(groups.items()))


def _spread(numbers: Sequence[float]) -> AmountRange:
    return AmountRange(len(numbers), float(median(numbers)), float(min(numbers)), float(max(numbers)))


def _count_results(tables: IndigoTables, ids: set[str], odd: Oddities) -> None:
    for row in tables["results"]:
        if row["id"] in ids and any(row[key] and month_number(row[key]) is None for key in ("start", "end")):
            odd.add("no_period_of_result", row.place)
