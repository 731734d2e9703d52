"""The cash of each party over time: by period and cumulative, how much it must find at most, and when it has it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from simengine.config import Study, known_metrics
from simengine.questions.cash.flows import CashFlows, commitments, draw_flows, is_exhausted
from simengine.questions.cash.periods import Period, date_of, periods_of
from simengine.records import Integers, measurements_of
from simengine.replications.answer import Answer
from simengine.replications.ensemble import Ensemble
from simengine.replications.precision import control_variates
from simengine.risk import statistics, trust
from simengine.risk.frames import COLUMNS, frame_row, statistics_in
from simengine.risk.returns import PAID_BACK, PAYBACK_STATUSES, payback_times
from simengine.risk.roles import peak_funding
from simengine.risk.statistics import QuantilesAlone, Statistic, Summary
from simengine.risk.summarise import weighting_of
from simengine.risk.trust import TableSection
from simengine.risk.weighting import Weighting, given
from simengine.sampling import Sampling, refuse_impossible_variates

DEFAULT_PERIOD = "quarter"


@dataclass(frozen=True)
class PeriodCash:
    """Cash of one name in one period, and all of it from the start to the end of the period."""

    period: Period
    cash: Summary
    """Cash of the period; positive is received."""
    cumulative: Summary
    """Cash from the start to the end of the period."""


@dataclass(frozen=True)
class PartyCash:
    """Cash of one name over time."""

    by_date: tuple[PeriodCash, ...]
    """The periods, in their order."""
    peak_funding: Summary
    """The largest net outlay at the end of a month: minus the lowest point of the cumulative cash, 0 if that is never negative."""
    p_out_of_pocket: Statistic
    """Probability that the cumulative cash is ever negative at the end of a month."""
    deepest_month: Summary
    """The month, from 0, after which the cumulative cash is lowest, the first of several; over the replications in which it is
    negative."""
    payback_months: QuantilesAlone
    """The month from which the cumulative cash stays at 0 or above, over the replications that are paid back."""
    payback_status: Mapping[str, Statistic]
    """By status: share of the replications that are `paid_back`, `never`, or `no_cost`, in which nothing was paid out."""
    commitment: float | None = None
    """The most that is drawn; as what follows only of who lends, and not where a line may be drawn again."""
    money_in: Summary | None = None
    """Money paid in."""
    p_exhausted: Statistic | None = None
    """Probability that all of the commitment is paid in, to the smallest unit of the currency; of a line that may be drawn again a run
    tells `tranches.<tranche>.p_exhausted`."""


@dataclass(frozen=True, repr=False)
class CashOverTime(Answer):
    """Cash of each party over time."""

    start: str
    """Month 0 of the study, as year-month."""
    every: str
    """The periods of `by_date`: `month`, `quarter` or `year` of the calendar."""
    is_period_asked: bool
    """Whether somebody asked for these periods."""
    parties: Mapping[str, PartyCash]
    """By name: a party, a total of a role, a tranche."""
    tails_need: int | None
    """Replications that `p05` and `p95` of money take if some are not given; otherwise null."""
    flows: CashFlows = field(compare=False)
    """The cash itself, row by row."""
    weighting: Weighting | None = field(compare=False)
    """How the rows were drawn."""

    @property
    def cash(self) -> Mapping[str, Integers]:
        """By name: shape (n_rows, n_months), in the smallest unit of the currency; positive is received."""
        return self.flows.cash

    def so_far(self, every: str, names: Sequence[str] = ()) -> dict[str, list[tuple[Period, Summary]]]:
        """Return the cash from the start to the end of each month, quarter or year, of some names or of all: half the work of `by_period`."""
        periods = periods_of(self.start, self.flows.n_months, every)
        ends = [period.last_month for period in periods]
        found = {}
        for name in names or self.cash:
            amounts = np.cumsum(self.cash[name], axis=1)[:, ends] / self.flows.units
            found[name] = [(period, _distribution(amounts[:, place], self.weighting)[0]) for place, period in enumerate(periods)]
        return found

    def by_period(self, every: str, names: Sequence[str] = ()) -> dict[str, tuple[PeriodCash, ...]]:
        """Add the cash up by months, quarters or years of the calendar; for some names, or for all."""
        periods = periods_of(self.start, self.flows.n_months, every)
        return {name: _by_date(self.cash[name], periods, self.flows.units, self.weighting)[0] for name in names or self.cash}

    def to_pandas(self) -> Any:
        """Return a data frame of pandas: one row per statistic, under its party, what it is of, its period and its name.

        The columns are those of every answer: `value`, `se`, `low_95`, `high_95`, `covers`.
        """
        import pandas as pd

        rows = {}
        for name, party in self.parties.items():
            for path, one in statistics_in(party):
                of, _, last = path.rpartition(".")
                words = of.split(".")
                dated = words[0] == "by_date"
                key = (name, words[2], party.by_date[int(words[1])].period.name, last) if dated else (name, of or last, "", last)
                rows[key] = frame_row(one)
        index = pd.MultiIndex.from_tuples(list(rows), names=["party", "of", "period", "statistic"])
        return pd.DataFrame(list(rows.values()), index=index, columns=list(COLUMNS))

    def to_pandas_by_row(self) -> Any:
        """Return a data frame of pandas: by replication, month and party its cash, in the currency.

        Where the same people were measured several times, the column `measurement` says which time it is, from 1.
        """
        import pandas as pd

        numbers, n_months = self.flows.rows.replications, self.flows.n_months
        measurement = measurements_of(numbers)
        times = {} if (measurement == 1).all() else {"measurement": np.repeat(measurement, n_months)}
        dates = [date_of(self.start, month) for month in range(n_months)]
        parts = [
            pd.DataFrame(
                {
                    "party": pd.Categorical.from_codes(np.full(len(numbers) * n_months, place), list(self.cash)),
                    "replication": np.repeat(numbers, n_months),
                    **times,
                    "month": np.tile(np.arange(n_months), len(numbers)),
                    "date": pd.Categorical.from_codes(np.tile(np.arange(n_months), len(numbers)), dates),
                    "cash": cash.ravel() / self.flows.units,
                }
            )
            for place, cash in enumerate(self.cash.values())
        ]
        return pd.concat(parts, ignore_index=True)


def cash_over_time(
    study: Study,
    ensemble: Ensemble,
    sampling: Sampling,
    *,
    parties: Sequence[str] = (),
    every: str | None = None,
    with_control_variates: bool = False,
) -> CashOverTime:
    """Draw replications, and summarise the cash of each party over time.

    Parameters
    ----------
    study
        The question.
    ensemble
        Which replications are drawn.
    sampling
        How the numbers of the study are drawn.
    parties
        Whose cash; if there are none, that of all: see `draw_flows`.
    every
        The periods by which cash is added up; absent: quarters.
    with_control_variates
        Whether statistics are corrected by known means.

    Raises
    ------
    UsageError
        If the study cannot be drawn in this way.
    """
    if with_control_variates:
        knows_deviations = bool(known_metrics(study))
        refuse_impossible_variates(sampling, study.numbers, ensemble.n_replications, knows_deviations=knows_deviations)
    flows = draw_flows(study, ensemble, sampling, parties, with_variates=with_control_variates)
    variates = control_variates(study, ensemble.seed, flows.rows, sampling) if with_control_variates else None
    weighting = weighting_of(flows.rows, variates)
    periods = periods_of(study.study.start, flows.n_months, every or DEFAULT_PERIOD)
    found = {name: _party_cash(name, flows, periods, commitments(study).get(name), weighting) for name in flows.cash}
    return CashOverTime(
        n_replications=ensemble.n_replications,
        seed=ensemble.seed,
        start=study.study.start,
        every=every or DEFAULT_PERIOD,
        is_period_asked=every is not None,
        parties={name: one for name, (one, _) in found.items()},
        tails_need=max(filter(None, (needed for _, needed in found.values())), default=None),
        flows=flows,
        weighting=weighting,
    )


def _party_cash(
    name: str, flows: CashFlows, periods: Sequence[Period], commitment: float | None, weighting: Weighting | None
) -> tuple[PartyCash, int | None]:
    """Summarise the cash of one name; and say how many replications the tails of its money take."""
    cash, units = flows.cash[name], flows.units
    by_date, needed = _by_date(cash, periods, units, weighting)
    cumulative = np.cumsum(cash, axis=1)
    is_out = cumulative.min(axis=1) < 0
    deepest = np.argmin(cumulative, axis=1).astype(np.float64)
    paybacks = payback_times(cash)
    pays_back = paybacks.status == PAID_BACK
    peak, needed_for_peak = _distribution(peak_funding(cash, units), weighting)
    months = _among(paybacks.months, pays_back, weighting)
    found = PartyCash(
        by_date=by_date,
        peak_funding=peak,
        p_out_of_pocket=statistics.probability(is_out, weighting),
        deepest_month=_among(deepest, is_out, weighting),
        # Quantiles alone, as of a run: what is never paid back has no month.
        payback_months={level: one for level, one in months.items() if level in statistics.LEVELS},
        payback_status={
            word: statistics.probability(paybacks.status == code, weighting) for code, word in enumerate(PAYBACK_STATUSES)
        },
    )
    if commitment is not None and name in flows.paid_in:
        paid_in = flows.paid_in[name]
        found = replace(
            found,
            commitment=commitment,
            money_in=_distribution(paid_in / units, weighting)[0],
            p_exhausted=statistics.probability(is_exhausted(paid_in, commitment, units), weighting),
        )
    return found, max(filter(None, (needed, needed_for_peak)), default=None)


def _by_date(
    cash: Integers, periods: Sequence[Period], units: int, weighting: Weighting | None
) -> tuple[tuple[PeriodCash, ...], int | None]:
    by_period = np.add.reduceat(cash, [period.first_month for period in periods], axis=1)
    so_far, found, needs = np.cumsum(by_period, axis=1), [], []
    for place, period in enumerate(periods):
        one, other = (_distribution(amounts[:, place] / units, weighting) for amounts in (by_period, so_far))
        found.append(PeriodCash(period, one[0], other[0]))
        needs += [one[1], other[1]]
    return tuple(found), max(filter(None, needs), default=None)


def _distribution(sample: Any, weighting: Weighting | None) -> tuple[Summary, int | None]:
    """Summarise a sample without the tails that stand on too few replications; and say how many these take."""
    section: TableSection = statistics.summary(sample, weighting)
    n = len(sample) if weighting is None else weighting.n_independent or weighting.n_rows
    refused = trust.refusals(section, n)
    given_alone: Any = trust.without(section, refused)
    return given_alone, max((one.n_replications or 0 for one in refused.values()), default=0) or None


def _among(sample: Any, cases: Any, weighting: Weighting | None) -> Summary:
    """Summarise some rows of a sample; nothing where these are fewer than two."""
    return _distribution(sample[cases], given(weighting, cases))[0] if np.count_nonzero(cases) > 1 else {}
