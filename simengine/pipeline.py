"""The stages of a run, in order: people, measurement | payments, cash, risk.

Above the wall everything is random and independent of the contract; below it everything follows from the measurements, and nothing
is random. So many contracts can be settled on the same people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from simengine.asked import replications_asked, seed_asked
from simengine.capital import Calendar, Plan, deflators, discount_factors, distribute, plan_money
from simengine.cohort import deviations_from_exact_mean, simulate_cohort
from simengine.cohort.outcomes import refuse_unlisted
from simengine.config import Study, cohort_of, known_metrics, timing_of
from simengine.config.wall import difference_left, distribution_not_drawn, numbers_right
from simengine.contract import CardSettlement, asks_when_drawn, paid_for_outcomes, settle_cards, settle_terms, verifies_claims
from simengine.contract.spec import Contract
from simengine.currencies import units_of
from simengine.dependence import correlate, share_out, shifted
from simengine.distributions import Constant
from simengine.errors import Problem, StudyError, UsageError, shorten
from simengine.measurement import OutcomeScale, measure, with_lots
from simengine.records import (
    SERVICE,
    Drawing,
    Draws,
    Floats,
    Integers,
    Ledger,
    Measurements,
    Milestones,
    Payments,
    ReplicationResults,
    Tallies,
)
from simengine.risk import DiscountBasis, party_results
from simengine.sampling import PLAIN, Sampling, cheap_paths, draw_uniforms, group_of, seeds_again
from simengine.streams import uniforms
from simengine.value import value_outcomes


@dataclass(frozen=True)
class Evidence:
    """Simulated and measured people, from `simulate`: drawn once, settled under any number of contracts."""

    study: Study
    """The study that made it; only a study with the same people and measurement may be evaluated on it."""
    draws: Draws
    """The number of each replication, and by path the numbers that were drawn in it: `draws["effect.sooner_home.hazard_ratio"]`."""
    tallies: Tallies
    """Outcomes summed over persons; `tallies.sums` has the axes replication, wave, arm, outcome and window."""
    measurements: Measurements
    """The evaluator's estimate, its standard error and the truth of every metric; `measurements.estimate` has the axes replication
    and metric."""

    def __repr__(self) -> str:
        return f"<Evidence: {len(self.draws):,} replications, seed {self.draws.seed}, of {self.study!r}>"


@dataclass(frozen=True)
class DrawOverrides:
    """Overrides for drawing parameters. Anything not listed is drawn as usual."""

    seed_by_purpose: Callable[[str], int] | None = None
    """The seed for each decision, by its name."""
    uniform: Mapping[str, Floats] = field(default_factory=dict)
    """By path: the uniforms of numbers, before correlations are applied; shape (n_replications,)."""
    shared: Mapping[str, Floats] = field(default_factory=dict)
    """By path: uniforms of numbers shared with another study, in place of the study's own; after correlations."""
    shift: Mapping[str, float] = field(default_factory=dict)
    """By path: shift of a number's normal score in standard deviations, after correlations."""
    change: Mapping[str, Callable[[Floats], Floats]] = field(default_factory=dict)
    """By path: a transformation of the values of a number."""


def run_block(
    study: Study, seed: int, replications: Integers, sampling: Sampling = PLAIN, *, with_variates: bool = False
) -> ReplicationResults:
    """Run some replications from people to cash.

    Parameters
    ----------
    study
        The question.
    seed
        Any whole number from 0 to 2^64 - 1.
    replications
        Shape (n_replications,): the numbers of the replications; each result is independent of the others in the block.
    sampling
        How the numbers of the study are drawn; the columns `weight` and `group` describe the effect on replications.
    with_variates
        Whether everything that control variates need is stored: the lenders' cash by date, row by row (always stored unless
        replications are plain), and the deviations of people's outcomes from their exact means, in columns `deviation.`.
    """
    evidence = simulate(study, seed, replications, sampling)
    results = evaluate(study, evidence)
    made_by = (study, evidence.draws.seed, sampling)
    if sampling.is_plain and not with_variates:
        return replace(results, lending_cash_by_row=None, made_by=made_by)
    again = [evaluate(study, measured_again(study, evidence, other)) for other in seeds_again(seed, sampling.measured)]
    results = ReplicationResults.interleave([results, *again])
    weight, group = evidence.draws.weight, group_of(sampling, results.replications)
    more: dict[str, NDArray[Any]] = {} if weight is None else {"weight": np.repeat(weight, sampling.measured)}
    more |= {} if group is None else {"group": group}
    deviations = deviations_of(study, evidence) if with_variates else {}
    more |= {f"deviation.{name}": np.repeat(deviation, sampling.measured) for name, deviation in deviations.items()}
    return replace(results, columns={**results.columns, **more}, made_by=made_by)


def simulate(
    study: Study, seed: int, replications: int | Integers, sampling: Sampling = PLAIN, overrides: DrawOverrides | None = None
) -> Evidence:
    """Draw replications, people and measurements; nothing here depends on a price, threshold, cap or date of payment.

    Parameters
    ----------
    study
        From `load_study`.
    seed
        Any whole number from 0 to 2^64 - 1; the same seed gives the same people.
    replications
        How many are drawn, n for those with the numbers 0 to n - 1; or their numbers, an array of shape (n_replications,).
    sampling
        How the numbers of the study are drawn.
    overrides
        Numbers and decisions that are not drawn as usual.

    Returns
    -------
    `Evidence`, on which `settle` and `evaluate` settle contracts.

    Raises
    ------
    UsageError
        If the seed or the number of a replication is invalid.
    """
    draws = draw_numbers(study, seed, replications, sampling, overrides)
    tallies = simulate_cohort(cohort_of(study), draws)
    seen = measure(study.measurement, tallies, kinds_of(study), tuple(study.population.waves), draws)
    return Evidence(study, draws, tallies, seen)


def deviations_of(study: Study, evidence: Evidence) -> dict[str, Floats]:
    """Return the deviations of the paid outcomes from their exact means, where these are known."""
    draws = draws_under(study, evidence)
    metrics = [study.measurement.measured[name] for name in known_metrics(study)]
    asked = list(dict.fromkeys((metric.outcome, int(metric.window_months.value)) for metric in metrics))
    return deviations_from_exact_mean(cohort_of(study), draws, evidence.tallies, asked) if asked else {}


def measured_again(study: Study, evidence: Evidence, seed: int) -> Evidence:
    """Measure the same people again: with other errors, and new draws for everything that does not concern a person."""
    other = drawn_again(study, draws_under(study, evidence), seed)
    seen = measure(study.measurement, evidence.tallies, kinds_of(study), tuple(study.population.waves), other)
    return Evidence(study, other, evidence.tallies, seen)


def drawn_again(study: Study, draws: Draws, seed: int) -> Draws:
    """Return the draws of a further measurement: every number that does not concern a person is drawn anew."""
    numbers = study.numbers
    correlated = [path for correlation in study.correlations.values() for path in correlation.between]
    fresh = {
        path: numbers[path].inverse(uniforms(seed, f"parameter/{path}", draws.replications))
        for path in cheap_paths(numbers, correlated)
    }
    return replace(draws, seed=seed, values={**draws.values, **fresh})


# ------------------------------------------------ the wall ------------------------------------------------


def evaluate(study: Study, evidence: Evidence, *, with_returns: bool = True) -> ReplicationResults:
    """Settle the contract on the measurements, post the cash, and return each party's results; nothing here is random.

    Parameters
    ----------
    study
        The one that made the evidence, or another that differs only in its terms.
    evidence
        From `simulate`.
    with_returns
        Whether rates of return are computed; without them it is faster, for settling hundreds of term sheets.

    Raises
    ------
    UsageError
        If the evidence was made by another study.
    """
    draws = draws_under(study, evidence)
    measurements = as_contract_asks(study.contract, evidence.tallies, evidence.measurements, draws)
    payments, ledger = move_money(study, draws, evidence.tallies, measurements)
    public_value = value_outcomes(study.public_value, tuple(study.parties), timing_of(study, draws), evidence.tallies, draws)
    basis, tallies = discount_basis_of(study, draws, public_value.value.shape[2]), evidence.tallies
    return party_results(basis, draws, tallies, evidence.measurements, payments, ledger, public_value, with_returns=with_returns)


def draws_under(study: Study, evidence: Evidence) -> Draws:
    """Return the draws of some evidence with the study's own numbers for the deterministic half.

    Raises
    ------
    UsageError
        If people or measurements are those of another study, or a number was never drawn.
    """
    made, draws = evidence.study, evidence.draws
    if study is made:
        return draws
    rule, way_out = "must come from the people and the measurement of the study that is evaluated", "Simulate this study"
    differs = difference_left(made, study)
    if differs is not None:
        path, there, here = differs
        raise UsageError(f"evidence: {rule}; found `{path}` {shorten(there)} there and {shorten(here)} in the study. {way_out}")
    path_not_drawn = distribution_not_drawn(study, made)
    if path_not_drawn is not None:
        raise UsageError(
            f"evidence: must hold every number that has a distribution; found another distribution of `{path_not_drawn}`. {way_out}"
        )
    before, now = numbers_right(made), numbers_right(study)
    fixed: dict[str, Floats] = {}
    for path, one in now.items():
        old = before.get(path)
        if not isinstance(one, Constant) or (isinstance(old, Constant) and old.value == one.value):
            continue
        if isinstance(old, Constant) and (draws[path] != old.value).any():
            raise UsageError(f"evidence: a number that was moved while it was drawn must stay; found another `{path}`. {way_out}")
        fixed[path] = np.full(len(draws), one.value)
    values = {path: drawn for path, drawn in draws.values.items() if path in now or path not in before}
    return replace(draws, values=values | fixed)


def move_money(study: Study, draws: Draws, tallies: Tallies, measurements: Measurements) -> tuple[Payments, Ledger]:
    """Settle the contract and post every flow.

    Drawdown may depend on payments (income pays later costs, a stop ends drawdown), and payments on drawdown: both are then
    computed repeatedly until they agree, which takes at most one round for each date.

    Raises
    ------
    StudyError
        If payments and drawdown do not converge, or costs stay unpaid and the study does not allow it.
    """
    plan = plan_of(study, draws, tallies.n_people[:, :, SERVICE])
    cards = settle_cards(study.contract, measurements.reached, measurements)
    payments, ledger = settle_to_fixed_point(
        study, measurements, cards, plan, draws, lambda payments: distribute(study.capital, plan, payments, draws)
    )
    return replace(payments, for_outcomes=paid_for_outcomes(study.contract, cards)), ledger


def plan_of(study: Study, draws: Draws, people: Integers) -> Plan:
    """Plan the cash of a study; people: service users, of shape (n_replications, n_waves)."""
    commitment, units = study.contract.commitment.value, units_of(study.study.currency)
    return plan_money(study.capital, commitment, units, study.parties, calendar_of(study), draws, people)


class HasDrawn(Protocol):
    """The money drawn after all postings."""

    @property
    def drawn(self) -> Floats:
        """Shape (n_replications,), in the currency: amount paid in by the tranches."""
        ...

    @property
    def drawn_by_month(self) -> Floats:
        """The same month by month, of shape (n_replications, n_months)."""
        ...


MovedMoney = TypeVar("MovedMoney", bound=HasDrawn)


def settle_to_fixed_point(
    study: Study,
    measurements: Measurements,
    cards: CardSettlement,
    plan: Plan,
    draws: Draws,
    post: Callable[[Payments], MovedMoney],
) -> tuple[Payments, MovedMoney]:
    """Settle a contract and post its payments until drawdown and payments agree; the plan is the first guess.

    If a term depends on the timing of drawdown, the months of drawdown have to agree too. Rate cards depend on no money drawn, and
    come settled.
    """
    contract, by_month = study.contract, asks_when_drawn(study.contract)
    undated = contract.terms if by_month and not contract.calendar else ()
    paid = {term: np.floor(draws[f"capital.payment_month.{term}"]).astype(np.int64) for term in undated}

    def drawing_of(money: HasDrawn) -> Drawing:
        return Drawing(money.drawn, money.drawn_by_month, paid) if by_month else Drawing(money.drawn)

    drawing = drawing_of(plan)
    for _ in range(len(contract.calendar) + 2):
        payments = settle_terms(contract, measurements, drawing, cards=cards)
        moved = post(payments)
        drawn = drawing_of(moved)
        if drawn == drawing:
            return payments, moved
        drawing = drawn
    rule = "what is drawn and what is paid must agree after one round for each date of the contract"
    found = "payments that depend on the money drawn, and draws that depend on these payments"
    way_out = "Let payments refer to the commitment or to money returned, draw as scheduled, or recycle nothing"
    raise StudyError([Problem("the run", "capital.draws", rule, found, way_out)])


def calendar_of(study: Study) -> Calendar:
    """Return the months of entry and the horizon of a study."""
    waves = {
        name: (int(wave.from_month.value), f"population.waves.{name}.enrolment_months")
        for name, wave in study.population.waves.items()
    }
    return Calendar(int(study.study.horizon_months.value), waves)


def as_contract_asks(contract: Contract, tallies: Tallies, measurements: Measurements, draws: Draws) -> Measurements:
    """Add what only some contracts look at.

    People by combination of the contract's milestones come from the claim that counts the same ones; a lot for each claim, where a
    rate card audits or disputes some.
    """
    if measurements.reached is not None and measurements.reached.lots is None and verifies_claims(contract):
        measurements = replace(measurements, reached=with_lots(measurements.reached, draws))
    names = tuple(contract.milestones)
    for claim, tallied in tallies.milestones.items():
        if names and set(tallied) == set(names):
            # Bit i of a combination is milestone i: in the contract's order now.
            combination = np.arange(1 << len(names))
            bits = [((combination >> i) & 1) << tallied.index(name) for i, name in enumerate(names)]
            counts = tallies.combinations[claim][:, :, SERVICE, -1][:, :, sum(bits)].astype(np.float64)
            # A contract without waves counts everybody together.
            counts = counts if contract.waves else counts.sum(axis=1, keepdims=True)
            return replace(measurements, milestones=Milestones(names, counts))
    return measurements


def kinds_of(study: Study) -> dict[str, OutcomeScale]:
    """Return the scale on which each outcome shifts: a share on its odds, a score by addition, an amount by a factor.

    Raises
    ------
    StudyError
        If the kind of an outcome is unknown.
    """
    refuse_unlisted(study.outcomes)
    return {name: outcome.scale for name, outcome in study.outcomes.items()}


def draw_numbers(
    study: Study, seed: int, replications: int | Integers, sampling: Sampling = PLAIN, overrides: DrawOverrides | None = None
) -> Draws:
    """Draw every number of the study in every replication, each from a stream named after its path."""
    seed, replications = seed_asked(seed), replications_asked(replications)
    numbers = study.numbers
    taken = overrides or DrawOverrides()
    empty = Draws(seed, replications, {}, seed_by_purpose=taken.seed_by_purpose)
    if overrides is None:
        independent, weight = draw_uniforms(sampling, seed, numbers, replications)
    else:
        purposes = {path: f"parameter/{path}" for path in numbers if path not in taken.uniform}
        drawn_anew = {path: uniforms(empty.seed_of(purpose), purpose, replications) for path, purpose in purposes.items()}
        independent, weight = dict(taken.uniform) | drawn_anew, None
    uniform = correlate(independent, study.correlations) | dict(taken.shared)
    uniform |= {path: shifted(uniform[path], by) for path, by in taken.shift.items()}
    drawn = {path: distribution.inverse(uniform[path]) for path, distribution in numbers.items()}
    values = share_out(drawn, numbers, study.wholes())
    return replace(empty, values=values | {path: change(values[path]) for path, change in taken.change.items()}, weight=weight)


def own_uniforms(seed: int, path: str, replications: Integers) -> Floats:
    """Return the uniforms from which a number of a study is drawn, before any correlation."""
    return uniforms(seed, f"parameter/{path}", replications)


def discount_basis_of(study: Study, draws: Draws, n_years: int) -> DiscountBasis:
    """Return the discount basis of all parties, for the months of the horizon and the years of public value."""
    n_months, start = max(int(study.study.horizon_months.value) + 13, 12 * n_years), study.study.start
    prices = None if study.prices is None else deflators(study.prices, draws, start, n_months)
    factors: dict[str, Floats] = {}
    for name, party in study.parties.items():
        if party.discount_rate_per_year is not None:
            factors[name] = discount_factors(party.discount_rate_per_year.value, start, n_months)[None, :]
        else:
            table = study.rates[str(party.discounting)]
            factors[name] = discount_factors(table, start, n_months)[None, :]
            if table.real and prices is not None:
                factors[name] = factors[name] * prices
    return DiscountBasis(
        discount_factors=factors,
        deflators=prices,
        contingent_terms=study.contract.paid_for_outcomes(),
        commitment=study.contract.commitment.value,
    )
