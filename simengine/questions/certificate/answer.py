"""The payment-error certificate: false-positive and false-negative payments of one protocol, cohort and contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simengine.config import Study, as_promised, cohort_of, promise_of
from simengine.contract import cards_of, outcomes_of
from simengine.currencies import units_of
from simengine.pipeline import as_contract_asks, draw_numbers
from simengine.questions.certificate.edges import Jump, find_jumps, first_level, levels_between
from simengine.records import INVESTOR, Draws, Floats, Integers, Measurements, Tallies, add_in_order
from simengine.replications.answer import Answer
from simengine.replications.ensemble import (
    Ensemble,
    against_twins,
    beyond_twins,
    contingent_terms,
    lived,
    lived_again,
    measured,
    settled,
    term_column,
    with_used_designs_alone,
)
from simengine.risk import statistics
from simengine.risk.amounts import Columns
from simengine.risk.measured import NOT_GIVEN, level_of_measured, mean_of_measured, those_measured
from simengine.risk.statistics import Statistic
from simengine.settlement import settle_all_outcomes

MULTIPLES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
"""Multiples of the promised effect: of its logarithm, for a ratio."""
_NOTHING, _PROMISE = MULTIPLES.index(0.0), MULTIPLES.index(1.0)
_REACH = 6.0
"""Standard deviations of an estimate within which the contract is searched for cliffs."""
_OUTCOME = "asked."
"""Prefix of a column: at the promise, the inputs of a replay of the contract."""
_SEEN, _ERROR = "seen.", "error."
"""Prefixes of columns: the estimated inputs of the contract, and the evaluator's error of them."""
_SURE = 2.0
"""Monte Carlo standard errors by which a bias must exceed a level before a warning."""


@dataclass(frozen=True)
class PowerPoint:
    """Results with a multiple of the promised effect."""

    multiple: float
    """The multiple."""
    truth: Mapping[str, Statistic]
    """By metric: its mean true value."""
    estimate: Mapping[str, Statistic]
    """By metric: its mean estimate."""
    p_pay: Statistic
    """Probability that the contingent terms pay."""
    expected_payment: Statistic
    """Mean payment under the contingent terms."""


@dataclass(frozen=True)
class Cliff:
    """A level of a metric at which the payment jumps, with the other metrics and waves at the promised effect."""

    metric: str
    """The metric."""
    wave: str | None
    """The wave whose estimate it is, if the contract measures waves separately; null for all waves together."""
    edge: float
    """The level."""
    below: float
    """Contingent payment just below the threshold."""
    above: float
    """Contingent payment just above it."""
    distance: Statistic | None
    """(mean truth at the promise - threshold) / the evaluator's mean standard error, both of that wave; null if that is 0."""
    p_within_one_se: Statistic
    """Probability at the promise that the estimate is within one of its own standard errors of the threshold."""


@dataclass(frozen=True)
class Bias:
    """Estimate of one metric if the service changes nothing."""

    estimate: Statistic
    """Its mean."""
    pays_from: float | None
    """The level from which the contract pays, with the other metrics at the promised effect; None if it pays always or never."""
    breaks_even_from: float | None
    """The level from which the money drawn is repaid; None if it always or never is."""

    @property
    def is_paid(self) -> bool:
        """Whether it significantly exceeds the level from which the contract pays."""
        return self._exceeds(self.pays_from)

    @property
    def breaks_even(self) -> bool:
        """Whether it significantly exceeds the level from which the money drawn is repaid."""
        return self._exceeds(self.breaks_even_from)

    def _exceeds(self, level: float | None) -> bool:
        return level is not None and self.estimate.value - max(level, 0.0) > _SURE * self.estimate.se


@dataclass(frozen=True)
class TermChance:
    """Payment of one contingent term if the service changes nothing, and with the promised effect."""

    p_pay_no_effect: Statistic
    """Probability that the term pays if the service changes nothing."""
    p_pay_promised_effect: Statistic
    """Probability that it pays if the service has the promised effect."""
    expected_no_effect: Statistic
    """Mean payment under it if the service changes nothing."""
    expected_promised_effect: Statistic
    """Mean payment under it if the service has the promised effect."""


@dataclass(frozen=True)
class CountedDeadweight:
    """What becomes of one outcome, counted person by person, if the service changes nothing, and with the promised effect."""

    number_no_effect: Statistic
    """Mean number claimed if the service changes nothing."""
    number_promised_effect: Statistic
    """Mean number claimed if it has the promised effect."""
    paid_no_effect: Statistic | None
    """Mean payment for it by rate cards if the service changes nothing; null if none has a price for it."""
    paid_promised_effect: Statistic | None
    """The same if it has the promised effect; null as above."""
    deadweight: Statistic | None
    """Share of what is paid at the promise that would be paid without the service; null if nothing is."""


@dataclass(frozen=True, repr=False)
class Certificate(Answer):
    """Effect of measurement error on the payments of one contract; payment means that of the contingent terms."""

    contingent_terms: tuple[str, ...]
    """Names of the terms that count as payment."""
    promise: Mapping[str, float]
    """By path: the promised value of every number of the section `effect`."""
    p_pay_no_effect: Statistic
    """Probability that the contract pays although the service changes nothing."""
    p_no_pay_promised_effect: Statistic
    """Probability that it does not, although the service has the promised effect."""
    expected_paid_for_nothing: Statistic
    """Mean payment if the service changes nothing."""
    expected_withheld: Statistic
    """At the promise: mean of payment on the truth less payment made, where positive."""
    expected_payment_on_truth: Statistic
    """At the promise: mean payment, settled on the truth; for milestones, on those caused by the service; for rate cards, what is
    paid beyond the payment without the service."""
    power_curve: tuple[PowerPoint, ...]
    """Points at the promise times 0, 0.25, ... 2 (its logarithm, for a ratio), in the same replications."""
    cliffs: tuple[Cliff, ...]
    """Levels of a metric of the contract at which the payment jumps."""
    bias_no_effect: Mapping[str, Bias]
    """By metric of the contract."""
    terms: Mapping[str, TermChance]
    """By term: payment of each contingent one. A trigger and its fallback have separate probabilities."""
    outcomes: Mapping[str, CountedDeadweight]
    """By outcome counted person by person: what becomes of it; absent if there are none."""


def certify(study: Study, ensemble: Ensemble) -> Certificate:
    """Draw up the certificate of a study.

    Parameters
    ----------
    study
        Its protocol, cohort and contract are certified. The promised effect is that of its section `promise`; for numbers not in
        it, the median of their distribution. All other numbers keep their distributions.
    ensemble
        Which replications are drawn. Every multiple of the promise uses the same people with the same draws.

    Raises
    ------
    UsageError
        If no term of the contract depends on outcomes.
    """
    terms, promised = contingent_terms(study), as_promised(with_used_designs_alone(study))
    points = ensemble.ask(lambda replications: _settle_multiples(promised, ensemble.seed, replications))
    at_nothing, at_promise = points[_NOTHING], points[_PROMISE]
    withheld = np.maximum(at_promise["payment_on_truth"] - at_promise["contingent_payment"], 0.0)
    return Certificate(
        n_replications=ensemble.n_replications,
        seed=ensemble.seed,
        contingent_terms=terms,
        promise=promise_of(study),
        p_pay_no_effect=statistics.probability(at_nothing["contingent_payment"] > 0),
        p_no_pay_promised_effect=statistics.probability(at_promise["contingent_payment"] <= 0),
        expected_paid_for_nothing=statistics.mean(at_nothing["contingent_payment"]),
        expected_withheld=statistics.mean(withheld),
        expected_payment_on_truth=statistics.mean(at_promise["payment_on_truth"]),
        power_curve=tuple(_power(study, multiple, point) for multiple, point in zip(MULTIPLES, points, strict=True)),
        cliffs=tuple(cliff for metric in study.contract.inputs() for cliff in _cliffs(study, metric, points)),
        bias_no_effect={metric: _bias(study, metric, points) for metric in study.contract.inputs()},
        outcomes={name: _deadweight(name, at_nothing, at_promise) for name in study.measurement.counted},
        terms={term: _of_term(at_nothing[term_column(term)], at_promise[term_column(term)]) for term in terms},
    )


def _settle_multiples(promised: Study, seed: int, replications: Integers) -> list[Columns]:
    """Simulate one block of replications with every multiple of the promise, and settle the contract on the measurements."""
    draws, cohort = draw_numbers(promised, seed, replications), cohort_of(promised)
    untouched = lived(cohort, draws, strength=0.0)
    points: list[Columns] = []
    for multiple in MULTIPLES:
        tallies = lived_again(cohort, draws, multiple, untouched) if multiple else untouched
        seen = measured(promised, promised.measurement, tallies, draws)
        point = dict(settled(promised, draws, tallies, seen))
        point |= {f"{_SEEN}{word}": values for word, values in _looked_at(promised, draws, tallies, seen).items()}
        if multiple == MULTIPLES[_PROMISE]:
            truth = against_twins(promised, draws, tallies, seen)
            on_truth = settled(promised, draws, beyond_twins(tallies), truth)["contingent_payment"]
            signs = promised.contract.paid_for_outcomes()
            for_nothing = [signs.get(card, 0) * points[_NOTHING][term_column(card)] for card in cards_of(promised.contract)]
            point["payment_on_truth"] = on_truth - add_in_order([np.zeros(len(draws)), *for_nothing])
            point |= {f"{_OUTCOME}{word}": values for word, values in _looked_at(promised, draws, tallies, truth).items()}
            errors = replace(seen, estimate=seen.standard_error, by_wave=seen.standard_error_by_wave)
            point |= {f"{_ERROR}{word}": values for word, values in _looked_at(promised, draws, tallies, errors).items()}
        points.append(point)
    return points


def _looked_at(study: Study, draws: Draws, tallies: Tallies, measurements: Measurements) -> Mapping[str, Floats]:
    """Return the inputs of the contract, named as in a replay."""
    return outcomes_of(study.contract, as_contract_asks(study.contract, tallies, measurements, draws))


def _of_term(at_nothing: Floats, at_promise: Floats) -> TermChance:
    return TermChance(
        statistics.probability(at_nothing > 0),
        statistics.probability(at_promise > 0),
        statistics.mean(at_nothing),
        statistics.mean(at_promise),
    )


def _deadweight(name: str, at_nothing: Columns, at_promise: Columns) -> CountedDeadweight:
    without, promised = (point.get(f"outcome.{name}.paid") for point in (at_nothing, at_promise))
    share = None
    if without is not None and promised is not None and np.mean(promised) != 0:
        # The delta method: to first order a ratio of two means varies as the mean of these.
        ratio = float(np.mean(without) / np.mean(promised))
        share = Statistic(ratio, statistics.mean((without - ratio * promised) / np.mean(promised)).se)
    return CountedDeadweight(
        statistics.mean(at_nothing[f"outcome.{name}.number"]),
        statistics.mean(at_promise[f"outcome.{name}.number"]),
        None if without is None else statistics.mean(without),
        None if promised is None else statistics.mean(promised),
        share,
    )


def _power(study: Study, multiple: float, point: Columns) -> PowerPoint:
    metrics = study.measurement.measured
    return PowerPoint(
        multiple=multiple,
        truth={name: mean_of_measured(point[f"metric.{name}.truth"]) for name in metrics},
        estimate={name: mean_of_measured(point[f"metric.{name}.estimate"]) for name in metrics},
        p_pay=statistics.probability(point["contingent_payment"] > 0),
        expected_payment=statistics.mean(point["contingent_payment"]),
    )


def _cliffs(study: Study, metric: str, points: list[Columns]) -> list[Cliff]:
    """Find the cliffs of a metric: for all waves together, and for each wave that the contract measures separately."""
    return [
        cliff for word in _words(points[_PROMISE]) if word.partition(".")[0] == metric for cliff in _cliffs_of(study, word, points)
    ]


def _cliffs_of(study: Study, word: str, points: list[Columns]) -> list[Cliff]:
    at_promise, (metric, _, wave) = points[_PROMISE], word.partition(".")
    # Without a measurement, or without its standard error, there is no distance from a threshold.
    (truth, estimate, error), _ = those_measured(None, *(at_promise[f"{kind}{word}"] for kind in (_OUTCOME, _SEEN, _ERROR)))

    def cliff(jump: Jump) -> Cliff:
        if len(error) < 2:
            return Cliff(metric, wave or None, jump.edge, jump.below, jump.above, None, NOT_GIVEN)
        is_near = np.abs(estimate - jump.edge) <= error
        gap, scale = truth - jump.edge, float(np.mean(error))
        distance = None
        if scale > 0:
            ratio = float(np.mean(gap)) / scale
            # The delta method: to first order a ratio of two means varies as the mean of these.
            distance = Statistic(ratio, statistics.mean((gap - ratio * error) / scale).se)
        return Cliff(metric, wave or None, jump.edge, jump.below, jump.above, distance, statistics.probability(is_near))

    low, high = _range(f"{_SEEN}{word}", points)
    unit = 1 / units_of(study.contract.currency)
    jumps = find_jumps(_Paying(study, [word], at_promise, (low, high)).for_outcomes, low, high, unit)
    return [cliff(jump) for jump in jumps]


def _bias(study: Study, metric: str, points: list[Columns]) -> Bias:
    at_promise, (low, high) = points[_PROMISE], _range(f"metric.{metric}.estimate", points)
    # For a metric that is paid by wave, every wave is at the level.
    words = [word for word in _words(at_promise) if word.partition(".")[0] == metric]
    drawn, paying = float(np.mean(at_promise["drawn"])), _Paying(study, words, at_promise, (low, high))
    return Bias(
        estimate=mean_of_measured(points[_NOTHING][f"metric.{metric}.estimate"]),
        pays_from=first_level(paying.for_outcomes, low, high, lambda payment: payment > 0),
        breaks_even_from=first_level(paying.back, low, high, lambda payment: payment >= drawn),
    )


def _words(at_promise: Columns) -> list[str]:
    """List the inputs of the contract, named as in a replay."""
    return [column.removeprefix(_OUTCOME) for column in at_promise if column.startswith(_OUTCOME)]


class _Paying:
    """Payment of a contract with some inputs at a level, and the others and the money drawn at their promised means."""

    def __init__(self, study: Study, words: list[str], at_promise: Columns, between: tuple[float, float]) -> None:
        means = {word: level_of_measured(at_promise[f"{_OUTCOME}{word}"]) for word in _words(at_promise)}
        self._contract, self._words = study.contract, words
        self._others = {word: mean for word, mean in means.items() if mean is not None}
        self._drawn = float(np.mean(at_promise["drawn"]))
        lenders = {INVESTOR, *study.capital.lenders}
        terms = study.contract.terms.items()
        self._signs = (
            study.contract.paid_for_outcomes(),
            {name: (term.payee in lenders) - (term.payer in lenders) for name, term in terms},
        )
        self._known: dict[float, tuple[float, float]] = {}
        self._settle(levels_between(*between))

    def for_outcomes(self, level: float) -> float:
        """Return the payments for outcomes."""
        return self._at(level)[0]

    def back(self, level: float) -> float:
        """Return the repayments to lenders."""
        return self._at(level)[1]

    def _at(self, level: float) -> tuple[float, float]:
        if level not in self._known:
            self._settle([level])
        return self._known[level]

    def _settle(self, levels: Sequence[float]) -> None:
        draws = [self._others | dict.fromkeys(self._words, level) for level in levels]
        payments = settle_all_outcomes(self._contract, draws, self._drawn)
        places = {name: t for t, name in enumerate(payments.terms)}
        paid = [
            np.sum([sign * payments.amount[:, places[name]] for name, sign in signs.items()], axis=0, initial=0.0)
            for signs in self._signs
        ]
        self._known |= dict(zip(levels, zip(*(one.tolist() for one in paid), strict=True), strict=True))


def _range(column: str, points: list[Columns]) -> tuple[float, float]:
    """Return the range of an estimate: the mean of every multiple, plus some standard deviations; and 0."""
    ends = [0.0]
    for point in points:
        (estimate,), _ = those_measured(None, point[column])
        if len(estimate):
            reach = _REACH * float(np.std(estimate))
            ends += [float(np.mean(estimate)) - reach, float(np.mean(estimate)) + reach]
    low, high = min(ends), max(ends)
    margin = 0.01 * (high - low) or 1.0
    return low - margin, high + margin
