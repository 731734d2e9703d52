"""Effect of the length of follow-up on measurements and on each party's money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from math import ceil

import numpy as np

from simengine.asked import whole
from simengine.config import Study, cohort_of
from simengine.config.evaluation import evaluation_problems
from simengine.contract.compile import dependences
from simengine.errors import UsageError, shorten
from simengine.measurement.spec import Protocol
from simengine.pipeline import draw_numbers
from simengine.records import ALL_LENDERS, ALL_PAYERS, Draws, Integers
from simengine.replications.answer import Answer
from simengine.replications.ensemble import Ensemble, contingent_terms, lived, measured, settled, with_used_designs_alone
from simengine.replications.settling import followed_for
from simengine.risk import statistics
from simengine.risk.amounts import Columns
from simengine.risk.measured import mean_of_measured
from simengine.risk.measures import p_loss
from simengine.risk.statistics import Statistic

LONGEST = 1200
"""Months: the longest window, and the longest calendar, that a study may have."""


@dataclass(frozen=True)
class Window:
    """Results with one length of follow-up."""

    months: int
    """The window."""
    payment_shift: Mapping[str, int]
    """By term: months by which it is paid later than the study says."""
    estimate: Mapping[str, Statistic]
    """By metric: mean estimate."""
    truth: Mapping[str, Statistic]
    """By metric: mean truth."""
    payment: Statistic
    """Mean payment under all terms."""
    p_pay: Statistic
    """Probability that the contingent terms pay."""
    money_back: Statistic
    """Mean money back of all lenders."""
    p_loss: Statistic
    """Probability that the lenders together get less than was drawn."""
    npv: Statistic
    """Mean net present value of all lenders, each at its own rate."""
    payer_net: Statistic
    """Mean of true saving minus payment, for all payers."""
    since_first: Mapping[str, Statistic]
    """By result: mean difference from the first window in the same replications, of `payment`, `npv` and `payer_net`."""


@dataclass(frozen=True, repr=False)
class WindowSpread(Answer):
    """The same people followed for several lengths of time."""

    changed_metrics: tuple[str, ...]
    """Names of the metrics whose window is changed."""
    horizon_months: int
    """Months that are simulated, the same for every window: as many as the longest needs. True savings are counted over these."""
    windows: tuple[Window, ...]
    """The windows, in the order of the request."""


def compare_windows(study: Study, months: Sequence[int], ensemble: Ensemble, metric: str | None = None) -> WindowSpread:
    """Follow the same people for several lengths of time, and settle the contract on each.

    Parameters
    ----------
    study
        Its evaluation, contract and calendar.
    months
        The windows. A term is paid later, or earlier, by as much as the last of the measurements it depends on.
    ensemble
        Which replications are drawn; each is simulated once, and measured with every window.
    metric
        The metric whose window is changed; absent: those with the longest window, of those that a window can change.

    Raises
    ------
    UsageError
        If a window is not a whole number of months that the study can have, no metric's window can be changed, or the contract
        names its own dates of payment.
    """
    contingent_terms(study)
    _refuse_nonsense(months)
    if study.contract.calendar:
        raise UsageError(
            "contract.dates: payments must be shifted where the study says when they are made; found dates of the contract: "
            f"{', '.join(study.contract.calendar)}. Leave them out and give capital.payment_month"
        )
    metrics = _changed(study, metric)
    protocols = {length: _protocol(study, metrics, length) for length in months}
    _refuse_impossible(study, protocols)
    shifts = {length: _shifts(study, protocol) for length, protocol in protocols.items()}
    horizon = _horizon(study, protocols, shifts)
    longer = with_used_designs_alone(study).model_copy(update={"study": _with_months(study.study, "horizon_months", horizon)})
    answers = ensemble.ask(lambda replications: _read_all(longer, protocols, shifts, ensemble.seed, replications))
    first = answers[0]
    return WindowSpread(
        n_replications=ensemble.n_replications,
        seed=ensemble.seed,
        changed_metrics=metrics,
        horizon_months=horizon,
        windows=tuple(
            _window(study, length, shifts[length], columns, first) for length, columns in zip(months, answers, strict=True)
        ),
    )


def _changed(study: Study, metric: str | None) -> tuple[str, ...]:
    metrics = study.measurement.measured
    if metric is not None:
        if metric not in metrics:
            raise UsageError(f"--metric: must be a metric of the study ({', '.join(metrics)}); found {metric!r}")
        return (metric,)
    # An outcome that is read at one month does not grow with the window.
    open_ended = {name: one for name, one in metrics.items() if study.outcomes[one.outcome].read_at_month is None}
    if not open_ended:
        raise UsageError(
            "--metric: by itself a window must be changed of outcomes that add up over time; found none, every outcome is read at one "
            "month. Name a metric"
        )
    longest = max(one.window_months.value for one in open_ended.values())
    return tuple(name for name, one in open_ended.items() if one.window_months.value == longest)


def _refuse_nonsense(months: Sequence[int]) -> None:
    if isinstance(months, str) or not isinstance(months, Sequence) or not months:
        found = "none" if isinstance(months, Sequence) and not months else shorten(months)
        raise UsageError(f"--months: must be a list of at least one window; found {found}")
    for length in months:
        whole(length, "--months", 1, LONGEST)
    if len(set(months)) != len(months):
        raise UsageError(f"--months: each window must be asked for once; found {', '.join(map(str, months))}")


def _refuse_impossible(study: Study, protocols: Mapping[int, Protocol]) -> None:
    """Refuse windows with which the study itself would be refused."""
    for length, protocol in protocols.items():
        for path, rule, found, _ in evaluation_problems(study.model_copy(update={"measurement": protocol})):
            raise UsageError(f"--months {length}: {path}: {rule}; found {found}")


def _with_months(node: object, key: str, months: int) -> object:
    """Return a part of a study with another number of months."""
    number = getattr(node, key)
    return node.model_copy(update={key: number.model_copy(update={"value": float(months)})})  # type: ignore[attr-defined]


def _protocol(study: Study, metrics: Sequence[str], length: int) -> Protocol:
    own = study.measurement
    changed = {name: _with_months(own.measured[name], "window_months", length) for name in metrics}
    return own.model_copy(update={"metrics": own.measured | changed})


def _shifts(study: Study, protocol: Protocol) -> dict[str, int]:
    """Return, by term, the months by which the last measurement that it depends on comes later."""
    counted = {dependence.name for dependence in dependences(study.contract) if dependence.milestones}
    return {
        name: int(_last_known(protocol, depends_on, name in counted) - _last_known(study.measurement, depends_on, name in counted))
        for name, depends_on in metrics_by_term(study).items()
    }


def _last_known(protocol: Protocol, metrics: Sequence[str], is_by_milestones: bool) -> float:
    """Find how many months after entry all is known: milestones are counted to the end of the longest window."""
    windows = [metric.window_months.value for metric in protocol.measured.values()] if is_by_milestones else []
    return max([*windows, *(protocol.measured[name].known_after_months for name in metrics)], default=0)


def metrics_by_term(study: Study) -> dict[str, tuple[str, ...]]:
    """Return the metrics that the payments under each term depend on, themselves or by what they refer to."""
    looked_at: dict[str, set[str]] = {name: set() for name in study.contract.terms}
    for dependence in dependences(study.contract):
        if dependence.section == "terms":
            looked_at[dependence.name].update(metric for metric, _ in dependence.metrics)
    return {term: tuple(name for name in study.contract.metrics if name in metrics) for term, metrics in looked_at.items()}


def _horizon(study: Study, protocols: Mapping[int, Protocol], shifts: Mapping[int, Mapping[str, int]]) -> int:
    """Return the months of a calendar that holds every window and every payment."""
    last_entry = max(wave.last_entry_month for wave in study.population.waves.values())
    ends = [study.study.horizon_months.value]
    for length, protocol in protocols.items():
        ends += [last_entry + metric.window_months.value for metric in protocol.measured.values()]
        ends += [study.capital.payment_month[name].support[1] + shift for name, shift in shifts[length].items()]
    horizon = ceil(max(ends))
    if horizon > LONGEST:
        found = f"month {horizon} for a window of {max(protocols)} months"
        raise UsageError(f"--months: everything must end within {LONGEST} months of the start; found {found}")
    return horizon


def _read_all(
    study: Study,
    protocols: Mapping[int, Protocol],
    shifts: Mapping[int, Mapping[str, int]],
    seed: int,
    replications: Integers,
) -> list[Columns]:
    """Simulate one block of replications once, and settle the contract on the measurements of every window."""
    draws = draw_numbers(study, seed, replications)
    windows = {length: _windows_of(protocol) for length, protocol in protocols.items()}
    tallies = lived(replace(cohort_of(study), windows=tuple(sorted({*chain(*windows.values())}))), draws)
    answers = []
    for length, protocol in protocols.items():
        # Milestones count within the longest window of their own protocol, not of all that are compared.
        seen = replace(tallies, combinations=followed_for(tallies, windows[length]).combinations)
        answers.append(settled(study, _with_payments_later(draws, shifts[length]), seen, measured(study, protocol, seen, draws)))
    return answers


def _windows_of(protocol: Protocol) -> tuple[int, ...]:
    return tuple(sorted({int(metric.window_months.value) for metric in protocol.measured.values()}))


def _with_payments_later(draws: Draws, shift: Mapping[str, int]) -> Draws:
    """Shift the months in which terms are paid; none is paid before the first month."""
    paths = {f"capital.payment_month.{name}": months for name, months in shift.items()}
    later = {path: np.maximum(draws[path] + months, 0.0) for path, months in paths.items()}
    return replace(draws, values={**draws.values, **later})


def _window(study: Study, months: int, payment_shift: Mapping[str, int], columns: Columns, first: Columns) -> Window:
    money = {"payment": f"{ALL_PAYERS}.payment", "npv": f"{ALL_LENDERS}.npv", "payer_net": f"{ALL_PAYERS}.net"}
    means = {name: statistics.mean(columns[column]) for name, column in money.items()}
    return Window(
        months=months,
        payment_shift=payment_shift,
        estimate={name: mean_of_measured(columns[f"metric.{name}.estimate"]) for name in study.measurement.measured},
        truth={name: mean_of_measured(columns[f"metric.{name}.truth"]) for name in study.measurement.measured},
        p_pay=statistics.probability(columns["contingent_payment"] > 0),
        money_back=statistics.mean(columns[f"{ALL_LENDERS}.money_back"]),
        p_loss=p_loss(columns[f"{ALL_LENDERS}.net"]),
        since_first={name: statistics.mean(columns[column] - first[column]) for name, column in money.items()},
        **means,
    )
